"""What every potential must hold to: its derivatives are derivatives, and it knows its reach."""

import pickle
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from scipy.stats import special_ortho_group

from glassdata.config import canonical_json
from glassdata.potentials import Potential
from glassdata.radial import periodic_extent
from glassdata.testing.contract import differences, enforce
from glassdata.testing.cutoff import jumps
from glassdata.testing.structures import Reach, dimer, structures
from glassdata.vibrations import energy_forces, hessian, stress

# Steps of the central differences, Å and strain. The error of a step h is h²/6 times a derivative
# two orders higher, which varies over 0.1 Å: about 2e-7 of the derivative for 1e-4 Å. Where a bond
# crosses a cut-off within one step, or curvature varies more steeply, a shorter step is the judge.
_STEPS = (1e-4, 2e-5, 5e-6)
# Energies of 100 eV are rounded to 1e-14 eV; differences over 1e-4 Å keep 1e-10 eV/Å of that.
_ROUNDING = 1e-9


def check_potential(
    potential, atoms: Atoms | None = None, *, seed: int = 0, tolerance: float = 1e-5
) -> None:
    """Try every law of a potential on small disordered structures.

    Parameters
    ----------
    potential : Potential, or what describes an ASE calculator as one
    atoms : Atoms, optional
        A structure to try as well, of a few dozen atoms at most.
    seed : int
        Of the structures that are made: mixed species at two densities, in skewed cells, cells
        shorter than the cut-off, a sheet and a cluster.
    tolerance : float
        Of derivatives against central differences, relative to the largest entry of the force or
        of the column of the Hessian. Central differences are good to about 1e-6.

    Raises
    ------
    ContractError
        Naming all laws that are violated.

    Examples
    --------
    >>> from glassdata.potentials import LennardJones
    >>> check_potential(LennardJones(0.0103, 3.405, 8.5))
    """
    plain = {
        "parameters": partial(_parameters, potential),
        "pickle": partial(_pickle, potential),
        "species": partial(_species, potential),
        "cutoff": partial(_cutoff_is_a_length, potential),
    }
    enforce(_name(potential), plain)
    rng = np.random.default_rng(seed)
    reach = Reach(potential)
    tried = structures(reach, rng)
    if atoms is not None:
        tried["given"] = atoms.copy()
    laws = {
        "few atoms": lambda: _few_atoms(reach),
        "coincident atoms": lambda: _coincident(reach),
        "reach": lambda: _reach(reach),
        "continuity": lambda: jumps(reach, rng),
    }
    slopes = {name: Slopes(atoms, potential) for name, atoms in tried.items()}
    laws["forces"] = partial(_over, slopes, partial(_forces, tolerance=tolerance))
    laws["hessian"] = partial(_over, slopes, partial(_hessian, tolerance=tolerance))
    of_structures = {
        "stress": partial(_stress, tolerance=tolerance),
        "symmetry": _symmetry,
        "translation": _translation,
        "rotation": partial(_rotation, rng=rng),
        "permutation": partial(_permutation, rng=rng),
        "extensivity": _extensivity,
    }
    for name, law in of_structures.items():
        laws[name] = partial(_over, tried, law, potential)
    enforce(_name(potential), laws)


def _name(potential) -> str:
    try:
        species = "".join(potential.species)
    except Exception:
        species = "?"
    return f"the potential {type(potential).__name__} of {species}"


def _over(tried: Mapping, law: Callable[..., Iterator[str]], *given) -> Iterator[str]:
    """Violations by each of several structures, or by what stands for one."""
    for name, one in tried.items():
        for sentence in law(one, *given):
            yield f"{sentence} [{name} structure]"


def _parameters(potential) -> Iterator[str]:
    try:
        text = canonical_json(potential.parameters())
    except ValueError as error:
        yield f"parameters() must be plain finite data: {error}"
        return
    if text != canonical_json(potential.parameters()):
        yield "parameters() gives something else when it is asked again"
    if text == "{}":
        yield "parameters() is empty, so that nothing identifies the potential"


def _pickle(potential) -> Iterator[str]:
    copy = pickle.loads(pickle.dumps(potential))
    if canonical_json(copy.parameters()) != canonical_json(potential.parameters()):
        yield "a pickled copy has other parameters"
    pair = dimer((potential.species[0],) * 2, 0.5 * potential.cutoff)
    if energy_forces(pair, copy)[0] != energy_forces(pair, potential)[0]:
        yield "a pickled copy gives another energy"


def _species(potential) -> Iterator[str]:
    species = tuple(potential.species)
    unknown = sorted(set(species) - set(chemical_symbols))
    if not species or unknown or len(set(species)) < len(species):
        yield f"species must be chemical symbols, each once, got {species}"
        return
    stranger = next(s for s in ("Xe", "Ar", "Kr") if s not in species)
    try:
        energy_forces(dimer((species[0], stranger), 0.5 * potential.cutoff), potential)
    except ValueError:
        return
    yield f"an atom of {stranger}, which is no species of it, must raise ValueError"


def _cutoff_is_a_length(potential) -> Iterator[str]:
    if not 0 < potential.cutoff < np.inf:
        yield f"cutoff must be a finite length, got {potential.cutoff}"
    if potential.dim not in (2, 3):
        yield f"dim must be 2 or 3, got {potential.dim}"


def _few_atoms(reach: Reach) -> Iterator[str]:
    potential, d = reach.potential, reach.potential.dim
    energy, forces = energy_forces(Atoms(), potential)
    if energy != 0 or forces.shape != (0, 3) or hessian(Atoms(), potential).shape != (0, 0):
        yield "without atoms the energy must be 0, forces (0, 3) and Hessian (0, 0)"
    for symbol in reach.species:
        alone = Atoms(symbol)
        energy, forces = energy_forces(alone, potential)
        matrix = hessian(alone, potential).toarray()
        if not np.isfinite(energy) or forces.any() or matrix.shape != (d, d) or matrix.any():
            yield f"one atom of {symbol} alone must have a finite energy and feel nothing"
    for (one, other), rest in reach.rest.items():
        _, forces = energy_forces(dimer((one, other), 0.93 * rest), potential)
        scale = np.abs(forces).max()
        yield from differences(
            f"the force on the second of two atoms {one} and {other}",
            forces[1],
            -forces[0],
            tolerance=_ROUNDING * scale,
            unit="eV/Å",
        )
        yield from differences(
            f"the force across a bond {one}-{other}",
            forces[:, 1:],
            np.zeros((2, 2)),
            tolerance=_ROUNDING * scale,
            unit="eV/Å",
        )


def _coincident(reach: Reach) -> Iterator[str]:
    pair = dimer((reach.species[0],) * 2, 0.0)
    asked = {"energy": energy_forces}
    # Of a foreign calculator no more can be asked than that it gives no energy.
    ours = isinstance(reach.potential, Potential)
    if ours:
        asked["Hessian"] = hessian
    for what, ask in asked.items():
        try:
            with np.errstate(all="ignore"):
                found = ask(pair, reach.potential)
        except ValueError:
            continue
        if not ours and not np.isfinite(found[0]):
            continue
        yield f"two atoms at one place must raise ValueError when the {what} is asked for"


def _reach(reach: Reach) -> Iterator[str]:
    for pair in reach.rest:
        alone = sum(energy_forces(Atoms(symbol), reach.potential)[0] for symbol in pair)
        energy, forces = energy_forces(dimer(pair, reach.cutoff + 1e-6), reach.potential)
        if abs(energy - alone) > _ROUNDING or forces.any():
            yield (
                f"{'-'.join(pair)} still interacts beyond the cutoff of {reach.cutoff:.4g} Å: "
                f"{energy - alone:.3g} eV; look at cutoff"
            )
        for distance in np.linspace(0.3, 0.999, 60) * reach.cutoff:
            energy, _ = energy_forces(dimer(pair, distance), reach.potential)
            if abs(energy - alone) > 1e-12 * reach.depth:
                break
        else:
            yield f"{'-'.join(pair)} does not interact at any distance"


class Slopes:
    """Central differences of energy and forces along each coordinate, computed once when asked."""

    def __init__(self, atoms: Atoms, potential) -> None:
        self.atoms, self.potential, self._known = atoms, potential, {}

    def at(self, coordinate: int, step: float) -> tuple[float, np.ndarray]:
        """Slope of the energy (eV/Å), and of all forces (N, d) in eV/Å²."""
        if (coordinate, step) not in self._known:
            d = self.potential.dim
            atom, axis = divmod(coordinate, d)
            sides = []
            for sign in (1, -1):
                moved = self.atoms.copy()
                moved.positions[atom, axis] += sign * step
                sides.append(energy_forces(moved, self.potential))
            (up, pushed), (down, pulled) = sides
            slopes = (pushed - pulled)[:, :d] / (2 * step)
            self._known[coordinate, step] = (up - down) / (2 * step), slopes
        return self._known[coordinate, step]


def _best(found: np.ndarray, numeric, tolerance: float) -> np.ndarray:
    """Of several finite differences, made as they are needed, the one nearest to ``found``."""
    best, least = None, np.inf
    for one in numeric:
        off = np.abs(one - found).max(initial=0.0)
        if off < least or best is None:
            best, least = one, off
        if off <= 0.5 * tolerance * np.abs(one).max(initial=0.0):
            break
    return best


def _forces(slopes: Slopes, *, tolerance: float) -> Iterator[str]:
    atoms, d = slopes.atoms, slopes.potential.dim
    _, forces = energy_forces(atoms, slopes.potential)
    flat = forces[:, :d].ravel()
    numeric = [
        _best(force, (np.array(-slopes.at(k, step)[0]) for step in _STEPS), tolerance)
        for k, force in enumerate(flat)
    ]
    scale = np.abs(numeric).max() + _ROUNDING / tolerance
    yield from differences(
        "a force, in units of the largest,",
        flat / scale,
        np.array(numeric) / scale,
        tolerance=tolerance,
        look="the derivative of the energy: it should be minus the slope of the energy",
    )
    if forces[:, d:].any():
        yield "forces leave the plane of a two-dimensional potential"


def _hessian(slopes: Slopes, *, tolerance: float) -> Iterator[str]:
    d, n = slopes.potential.dim, len(slopes.atoms)
    matrix = hessian(slopes.atoms, slopes.potential).toarray()
    if matrix.shape != (d * n, d * n):
        yield f"the Hessian has shape {matrix.shape}, expected {(d * n, d * n)}"
        return
    numeric = np.transpose(
        [
            _best(column, (-slopes.at(k, step)[1].ravel() for step in _STEPS), tolerance)
            for k, column in enumerate(matrix.T)
        ]
    )
    # Column by column: one short bond must not hide an error in all the others.
    scale = np.abs(numeric).max(axis=0) + _ROUNDING / tolerance
    yield from differences(
        "an entry of the Hessian, in units of the largest of its column,",
        matrix / scale,
        numeric / scale,
        tolerance=tolerance,
        look="the second derivatives: they should be minus the slopes of the forces",
    )


def _stress(atoms: Atoms, potential, *, tolerance: float) -> Iterator[str]:
    """Against the energy of the strained structure, in all periodic directions."""
    periodic = np.flatnonzero(atoms.pbc)
    if len(periodic) < 2:
        return
    virial = stress(atoms, potential) * periodic_extent(atoms)
    virial = virial[np.ix_(periodic, periodic)]
    numeric = np.empty_like(virial)
    for a, b in np.ndindex(virial.shape):
        strain = np.zeros((3, 3))
        strain[periodic[a], periodic[b]] += 0.5
        strain[periodic[b], periodic[a]] += 0.5
        slopes = (slope_along(strain, atoms, potential, step) for step in _STEPS)
        numeric[a, b] = _best(virial[a, b], slopes, tolerance)
    scale = np.abs(numeric).max() + _ROUNDING / tolerance
    yield from differences(
        "the virial, in units of its largest entry,",
        virial / scale,
        numeric / scale,
        tolerance=tolerance,
        look="the derivative of the energy along every bond, those to an atom's own images too",
    )


def slope_along(strain: np.ndarray, atoms: Atoms, potential, step: float) -> np.ndarray:
    """Central difference of the energy along a strain of space, eV."""
    energies = []
    for sign in (1, -1):
        stretch = np.eye(3) + sign * step * strain
        strained = atoms.copy()
        strained.set_cell(atoms.cell.array @ stretch)
        strained.positions = atoms.positions @ stretch
        energies.append(energy_forces(strained, potential)[0])
    return np.array((energies[0] - energies[1]) / (2 * step))


def _symmetry(atoms: Atoms, potential) -> Iterator[str]:
    matrix = hessian(atoms, potential).toarray()
    scale = np.abs(matrix).max() or 1.0
    yield from differences(
        "the Hessian, in units of its largest entry,",
        matrix / scale,
        matrix.T / scale,
        tolerance=1e-12,
        look="the blocks that belong to a pair and to its reverse",
    )


def _translation(atoms: Atoms, potential) -> Iterator[str]:
    """Moving everything, or one atom by a cell vector, changes nothing."""
    energy, forces = energy_forces(atoms, potential)
    scale = np.abs(forces).max() or 1.0
    # Sums of some hundred terms, each rounded to 1e-16.
    total = forces.sum(axis=0) / scale
    yield from differences(
        "the sum of all forces, in units of the largest,", total, np.zeros(3), tolerance=1e-10
    )
    matrix = hessian(atoms, potential).toarray()
    rows = matrix.reshape(len(matrix), -1, potential.dim).sum(axis=1)
    yield from differences(
        "a row of the Hessian summed over the atoms, in units of the largest entry,",
        rows / (np.abs(matrix).max() or 1.0),
        np.zeros_like(rows),
        tolerance=1e-10,
        look="the block of an atom with itself",
    )
    elsewhere = atoms.copy()
    elsewhere.positions[:, : potential.dim] += 0.37
    elsewhere.positions[0] += atoms.cell.array[atoms.pbc].sum(axis=0)
    yield from _same("moved as a whole, one atom by cell vectors,", elsewhere, potential, energy)


def _same(how: str, atoms: Atoms, potential, energy: float) -> Iterator[str]:
    found, _ = energy_forces(atoms, potential)
    scale = abs(energy) + len(atoms)
    yield from differences(
        f"the energy of the structure {how}", found, energy, tolerance=1e-11 * scale, unit="eV"
    )


def _rotation(atoms: Atoms, potential, *, rng: np.random.Generator) -> Iterator[str]:
    turn = np.eye(3)
    d = potential.dim
    turn[:d, :d] = special_ortho_group.rvs(d, random_state=rng)
    turned = atoms.copy()
    turned.positions, turned.cell = atoms.positions @ turn, atoms.cell.array @ turn
    energy, forces = energy_forces(atoms, potential)
    yield from _same("turned", turned, potential, energy)
    yield from differences(
        "a force after a turn",
        energy_forces(turned, potential)[1],
        forces @ turn,
        tolerance=1e-9 * (np.abs(forces).max() + 1e-3),
        unit="eV/Å",
    )


def _permutation(atoms: Atoms, potential, *, rng: np.random.Generator) -> Iterator[str]:
    order = rng.permutation(len(atoms))
    energy, forces = energy_forces(atoms, potential)
    yield from _same("with its atoms in another order", atoms[order], potential, energy)
    yield from differences(
        "a force with the atoms in another order",
        energy_forces(atoms[order], potential)[1],
        forces[order],
        tolerance=1e-10 * (np.abs(forces).max() + 1e-3),
        unit="eV/Å",
    )


def _extensivity(atoms: Atoms, potential) -> Iterator[str]:
    energy, forces = energy_forces(atoms, potential)
    if atoms.pbc[0]:
        double = atoms * (2, 1, 1)
    else:
        far = atoms.copy()
        far.positions[:, 0] += np.ptp(atoms.positions[:, 0]) + 2 * potential.cutoff
        double = atoms + far
    yield from _same("doubled", double, potential, 2 * energy)
    yield from differences(
        "a force in the doubled structure",
        energy_forces(double, potential)[1],
        np.tile(forces, (2, 1)),
        tolerance=1e-10 * (np.abs(forces).max() + 1e-3),
        unit="eV/Å",
    )
