"""Why a line works, when it does: each explanation gives a line of its own, and all are compared.

Results, one of each per system, and the last for pair potentials only::

    SYSTEM.inside   additivity: the line fitted from atom to atom *inside* structures, and one
                    from atom to atom of all structures (``joint``); few directions: the line cut
                    down to so many; ⟨ω²⟩ as the only number, and the density as its rival
    SYSTEM.second   perturbation theory: the line derived about the crystal, to lowest order
    SYSTEM.moment   ⟨ω²⟩ from the exact kernel at the bins of the dataset, and from fitted lines

Each stands beside the line fitted *between* structures, in every part of the dataset that is large
enough (see ``parts``): arrays are named ``WHAT_PART``. Errors are mean squares per bin of spectra
with sum 1, one per structure, held out by family. A glass whose potential is a file of the user's
is left out: eigenvectors are computed again.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import combinations_with_replacement

import numpy as np

from glassdata import models
from glassdata.additivity import Inside, best_penalty, local_pdos, local_rdf, total
from glassdata.learned import LearnedPotential
from glassdata.moments import moment_kernel, pair_mean_square
from glassdata.neighbours import neighbours
from glassdata.perturbation import Reference, modes
from glassdata.potentials import PairPotential, TabulatedFile
from glassdata.radial import partial_rdf
from glassdata.second_order import (
    derived_line,
    disorder_response,
    mean_error,
    volume_response,
)
from glassdata.structures import Dataset
from glassdata.systems import SYSTEMS

# Potentials whose parameters or software are no part of the package.
_OF_OTHERS = (TabulatedFile, LearnedPotential)

#: Arrays of a result, by name.
Result = dict[str, np.ndarray]

FOLDS = 3
#: Raised whenever the same result would come out differently.
VERSION = 1
SEED = 0
#: Families of structures whose eigenvectors are computed: of the whole glass, and in each part.
SUBSET, LEAST_SUBSET = 12, 6
#: A part with fewer families is left out.
FEWEST = 12
#: Structures of a part that are expanded about the crystal.
EXPANDED = 60
RANKS = 8
_LINES = ("line", "inside", "scaled", "joint", "moment", "density", "mean")
#: Into how many the distance bins are divided, to see what the exact kernel loses by their width.
FINER = 10
#: Least number of atoms of the crystal that is expanded, and amplitudes (in units of the distance
#: of nearest neighbours) at which the derived line is tried on the crystal itself.
CRYSTAL_ATOMS = 96
AMPLITUDES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)


def result_names(glasses: Iterable[str]) -> list[str]:
    """Names of all results, those that take longest first."""
    known = [name for name in glasses if name in SYSTEMS]
    ours = [name for name in known if not isinstance(SYSTEMS[name].potential, _OF_OTHERS)]
    pairs = [name for name in known if isinstance(SYSTEMS[name].potential, PairPotential)]
    asked = [f"{name}.{measure}" for measure in ("inside", "second") for name in ours]
    return asked + [f"{name}.moment" for name in pairs]


def compute(name: str, get: Callable[[str], Dataset]) -> Result:
    """One result."""
    system, measure = name.split(".")
    return MEASURES[measure](get(system))


def parts(data: Dataset) -> dict[str, np.ndarray]:
    """Positions of the structures of each part: all, crystals with defects, glasses by ensemble.

    Crystals are the classes crystal-like and defective, glasses the class amorphous. Their parts
    have the names of ``glassdata.system.ENSEMBLES``, or ``glasses`` where the store has none.
    There is no part "all" where all structures are of one kind.

    Examples
    --------
    >>> import glassdata as gd
    >>> found = parts(gd.dataset("lj3d"))
    >>> list(found)[:2], len(found["all"]) == len(gd.dataset("lj3d"))
    (['all', 'crystals'], True)
    """
    classes = data.classes
    masks = {
        "all": np.ones(len(data), bool),
        "crystals": np.isin(classes, ("crystal-like", "defective")),
    }
    stored = "ensemble" in data.stored
    ensembles = data["ensemble"] if stored else np.full(len(data), "glasses")
    for ensemble in np.unique(ensembles):
        masks[str(ensemble)] = (ensembles == ensemble) & (classes == "amorphous")
    if any(mask.all() for name, mask in masks.items() if name != "all"):
        del masks["all"]
    large = {n: m for n, m in masks.items() if len(np.unique(data.groups[m])) >= FEWEST}
    return {name: np.flatnonzero(mask) for name, mask in large.items()}


def drawn(data: Dataset, members: np.ndarray, n: int) -> np.ndarray:
    """Positions of ``n`` of the members, or all if there are fewer, each of another family.

    Parameters
    ----------
    data
    members
        Positions, as from ``parts``.
    n
        How many families are drawn.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.dataset("lj3d")
    >>> chosen = drawn(argon, np.arange(50), 6)
    >>> len(np.unique(argon.groups[chosen]))
    6
    """
    _, first = np.unique(data.groups[members], return_index=True)
    rng = np.random.default_rng(SEED)
    return np.sort(rng.permutation(members[first])[:n])


# --- inside structures ------------------------------------------------------------------------


def _inside(data: Dataset) -> Result:
    members = parts(data)
    specific = [name for name in members if name != "all"] or ["all"]
    each = max(-(-SUBSET // len(specific)), LEAST_SUBSET)
    chosen = np.unique(np.concatenate([_spread(data, members[name], each) for name in specific]))
    inside = {int(k): _sums(data, int(k)) for k in chosen}
    out = {"chosen": chosen, "atoms": np.array([one.n_atoms for one in inside.values()])}
    squares = mean_squares(data)
    for name, mine in members.items():
        found = _part(data, mine, inside, squares)
        out |= {f"{key}_{name}": value for key, value in found.items()}
    return out


def _spread(data: Dataset, members: np.ndarray, n: int) -> np.ndarray:
    """About ``n`` members of different families, as many in each fold."""
    folds = models.grouped_folds(data.groups[members], FOLDS, SEED)
    return np.concatenate([drawn(data, members[test], -(-n // FOLDS)) for _, test in folds])


def _sums(data: Dataset, k: int) -> Inside:
    """How local g(r) and local spectra of one structure vary together."""
    system, atoms = SYSTEMS[data.system], data.atoms(k)
    local = local_pdos(modes(atoms, system.potential), data.omega_edges, system.potential.dim)
    g = local_rdf(atoms, data.r_edges, system.dim)
    return Inside.of(g, local * np.diff(data.omega_edges), atoms.get_chemical_symbols())


def mean_squares(data: Dataset) -> np.ndarray:
    """Mean square frequency of each structure over all dN modes, (n,), THz².

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.dataset("lj3d")[:2]
    >>> modes = argon.frequencies(0)
    >>> bool(np.isclose(mean_squares(argon)[0], (modes**2).sum() / (3 * argon.n_atoms[0])))
    True
    """
    modes = [data.frequencies(k) for k in range(len(data))]
    coordinates = SYSTEMS[data.system].potential.dim * data.n_atoms
    return np.array([np.sum(f * np.abs(f)) for f in modes]) / coordinates


def _part(
    data: Dataset, members: np.ndarray, inside: Mapping[int, Inside], squares: np.ndarray
) -> Result:
    """Errors of all lines in one part; a line inside structures sees those of other folds only."""
    X, Y, groups = data.X[members], data.shares[members], data.groups[members]
    numbers = {"moment": squares[members, None], "density": data.density[members, None]}
    guess = {name: np.empty_like(Y) for name in _LINES}
    ranks = np.empty((RANKS, *Y.shape))
    atoms_r2 = []
    for train, test in models.grouped_folds(groups, FOLDS, SEED):
        mean, step = Y[train].mean(axis=0), X - X[train].mean(axis=0)
        told = {"groups": groups[train]}
        line = models.ridge().fit(X[train], Y[train], **told)
        guess["mean"][test], guess["line"][test] = mean, line.predict(X[test])
        ranks[:, test] = mean + _few_directions(step @ line.coef_.T, train, test)
        seen = train[[k in inside for k in members[train].tolist()]]
        known = [inside[k] for k in members[seen].tolist()]
        penalty = best_penalty(known)
        W = total(known).line(penalty)
        new = [inside[k] for k in members[test].tolist() if k in inside]
        atoms_r2 += [total(new).r2(W)] if new else []
        between = Inside.between(X[seen], Y[seen], data.n_atoms[members[seen]])
        joint = total([*known, between]).line(penalty)
        guess["joint"][test] = mean + step[test] @ joint.T
        change = step @ W.T
        guess["inside"][test] = mean + change[test]
        guess["scaled"][test] = mean + _size(change[train], Y[train]) * change[test]
        for name, number in numbers.items():
            alone = models.scalar().fit(number[train], Y[train], **told)
            guess[name][test] = alone.predict(number[test])
    out = {f"error_{name}": np.mean((y - Y) ** 2, axis=1) for name, y in guess.items()}
    out["error_rank"] = np.mean((ranks - Y) ** 2, axis=2)
    return out | {"groups": groups, "atoms_r2": np.array(atoms_r2)}


def _size(change: np.ndarray, Y: np.ndarray) -> float:
    """The factor that suits predicted changes best, both (n, n_omega)."""
    return float(np.sum(change * (Y - Y.mean(axis=0))) / np.sum(change**2))


def _few_directions(change: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Predicted changes cut down to the leading 1, 2, … directions of those in training."""
    _, _, directions = np.linalg.svd(change[train], full_matrices=False)
    scores = change[test] @ directions[:RANKS].T
    parts = scores.T[:, :, None] * directions[:RANKS, None, :]
    padded = np.zeros((RANKS, *parts.shape[1:]))
    padded[: len(parts)] = parts
    return np.cumsum(padded, axis=0)


# --- about the crystal ------------------------------------------------------------------------


def crystal_of(data: Dataset) -> Reference:
    """The perfect crystal of a glass, repeated until it has ``CRYSTAL_ATOMS`` atoms.

    Examples
    --------
    >>> import glassdata as gd
    >>> len(crystal_of(gd.dataset("lj3d")).atoms)
    108
    """
    system = SYSTEMS[data.system]
    unit = system.crystal()
    cells = np.ones(3, int)
    while len(unit) * cells.prod() < CRYSTAL_ATOMS:
        lengths = np.where(unit.pbc, unit.cell.lengths() * cells, np.inf)
        # Edges that are equal to rounding grow together: the crystal keeps its symmetry.
        cells[lengths < lengths.min() * 1.001] += 1
    return Reference(unit * tuple(cells.tolist()), system)


def _second(data: Dataset) -> Result:
    reference = crystal_of(data)
    disorder, volume = disorder_response(reference), volume_response(reference)
    lines = {
        "disorder": derived_line([disorder]),
        "derived": derived_line([disorder, volume]),
    }
    distance = neighbours("d", reference.atoms, SYSTEMS[data.system].bond_length).min()
    out: Result = {"amplitudes": np.array(AMPLITUDES), "distance": np.array(distance)}
    for name, W in lines.items():
        errors = [mean_error(reference, W, s * distance) for s in AMPLITUDES]
        out[f"reach_{name}"] = np.array(errors)
    for name, members in parts(data).items():
        found = _about(data, reference, drawn(data, members, EXPANDED), lines)
        out |= {f"{key}_{name}": value for key, value in found.items()}
    return out


def _about(
    data: Dataset, reference: Reference, members: np.ndarray, lines: Mapping[str, np.ndarray]
) -> Result:
    """Errors of derived lines, of their slopes alone, and of a fitted line on the same curves.

    The slopes start from the mean of the other structures, and once more with one factor for all
    bins that is fitted to them: the most that a derived line can be granted.
    """
    width = np.diff(data.omega_edges)[0]
    curves = [reference.curves_of(data.atoms(int(k)), data.frequencies(int(k))) for k in members]
    X, Y = np.array([g for g, _ in curves]), width * np.array([D for _, D in curves])
    g, D = reference.spectra
    groups = data.groups[members]
    held = models.cross_validate(models.ridge(), X, Y, groups, n_splits=FOLDS, seed=SEED)
    guess = {"line": held.prediction, "mean": held.baseline}
    for name, W in lines.items():
        guess[name] = width * (D + (X - g) @ W.T)
        guess |= {f"{name}_{kind}": np.empty_like(Y) for kind in ("slope", "scaled")}
        for number in np.unique(held.fold):
            test, train = held.fold == number, held.fold != number
            change = width * (X - X[train].mean(axis=0)) @ W.T
            mean = Y[train].mean(axis=0)
            guess[f"{name}_slope"][test] = mean + change[test]
            guess[f"{name}_scaled"][test] = mean + _size(change[train], Y[train]) * change[test]
    out = {f"error_{name}": np.mean((y - Y) ** 2, axis=1) for name, y in guess.items()}
    return out | {"groups": groups}


# --- the exact moment -------------------------------------------------------------------------


def _moment(data: Dataset) -> Result:
    squares, kernel, fine = mean_squares(data), from_kernel(data), from_kernel(data, FINER)
    potential = _pair_forces(data)
    partial = data["partial_g"].reshape(len(data), -1) if data.pairs else data.X
    density = data.density[:, None] / data.density.mean()
    out: Result = {}
    for name, members in parts(data).items():
        chosen = drawn(data, members, LEAST_SUBSET)
        exact = np.array([pair_mean_square(data.atoms(int(k)), potential) for k in chosen])
        inputs = {
            "calibrated": (models.scalar(degree=1), kernel[:, None]),
            "line": (models.ridge(), density * data.X),
            "partial": (models.ridge(), density * partial),
            "density": (models.scalar(), density),
        }
        y, groups = squares[members, None], data.groups[members]
        found = {
            "error_kernel": (kernel[members] - squares[members]) ** 2,
            "error_fine": (fine[members] - squares[members]) ** 2,
        }
        for what, (model, X) in inputs.items():
            held = models.cross_validate(model, X[members], y, groups, FOLDS, SEED)
            found[f"error_{what}"] = (held.prediction - held.truth)[:, 0] ** 2
            found["error_mean"] = (held.baseline - held.truth)[:, 0] ** 2
        found |= {"groups": groups, "identity": np.abs(exact / squares[chosen] - 1)}
        out |= {f"{key}_{name}": value for key, value in found.items()}
    return out


def from_kernel(data: Dataset, finer: int = 1) -> np.ndarray:
    """Mean square frequency that the exact kernel reads off a binned g(r), (n,), THz².

    Of a pair potential. Bins in which no pair is count nothing.

    Parameters
    ----------
    data
    finer
        Into how many each distance bin of the dataset is divided; 1 takes its own g(r).

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.dataset("lj3d")[:2]
    >>> bool(np.allclose(from_kernel(argon, 10), mean_squares(argon), rtol=0.01))
    True
    >>> bool(np.allclose(from_kernel(argon), mean_squares(argon), rtol=0.01))  # too wide
    False
    """
    potential = _pair_forces(data)
    edges = np.linspace(0.0, data.r_edges[-1], finer * len(data.r) + 1)
    if finer > 1:
        g = np.array(
            [partial_rdf(data.atoms(k), edges, data.species, data.dim) for k in range(len(data))]
        )
    else:
        g = data["partial_g"].astype(float) if data.pairs else data.X[:, None]
    first = data.atoms(0)  # all have the same composition
    symbols, masses = np.array(first.get_chemical_symbols()), first.get_masses()
    share = {a: np.mean(symbols == a) for a in data.species}
    inverse = {a: 1 / masses[symbols == a][0] for a in data.species}
    found = np.zeros(len(data))
    for number, (a, b) in enumerate(combinations_with_replacement(data.species, 2)):
        places = potential.species.index(a), potential.species.index(b)
        mass = 2 / (inverse[a] + inverse[b])
        kernel = moment_kernel(potential, edges, mass, pair=places, points=20)
        seen = (g[:, number] > 0).any(axis=0)
        both = share[a] * share[b] * (1 if a == b else 2)
        found += both * (g[:, number] @ np.where(seen, kernel, 0.0))
    return found * data.density


def _pair_forces(data: Dataset) -> PairPotential:
    potential = SYSTEMS[data.system].potential
    if not isinstance(potential, PairPotential):
        raise ValueError(f"{data.system} has no pair potential")
    return potential


#: What is computed for a glass.
MEASURES: Mapping[str, Callable[[Dataset], Result]] = {
    "inside": _inside,
    "second": _second,
    "moment": _moment,
}
