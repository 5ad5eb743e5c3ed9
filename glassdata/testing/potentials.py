"""The laws of potentials: on derivatives, symmetries, cut-offs and a few atoms."""

import pickle
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from scipy.stats import special_ortho_group

from glassdata.config import canonical_json
from glassdata.potentials import Potential
from glassdata.testing.contract import differences, enforce
from glassdata.testing.cutoff import jumps
from glassdata.testing.derivatives import (
    ROUNDING,
    Slopes,
    forces_are_slopes,
    hessian_is_slopes,
    stress_is_slopes,
)
from glassdata.testing.structures import Reach, dimer, structures
from glassdata.vibrations import energy_forces, hessian


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
    laws["forces"] = partial(_over, slopes, partial(forces_are_slopes, tolerance=tolerance))
    laws["hessian"] = partial(_over, slopes, partial(hessian_is_slopes, tolerance=tolerance))
    of_structures: dict[str, Callable[..., Iterator[str]]] = {
        "stress": partial(stress_is_slopes, tolerance=tolerance),
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
    """Violations by each of several structures, or of what was made from each."""
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
            yield f"one atom of {symbol} alone must have a finite energy and no force"
    for (one, other), rest in reach.rest.items():
        _, forces = energy_forces(dimer((one, other), 0.93 * rest), potential)
        scale = np.abs(forces).max()
        yield from differences(
            f"the force on the second of two atoms {one} and {other}",
            forces[1],
            -forces[0],
            tolerance=ROUNDING * scale,
            unit="eV/Å",
        )
        yield from differences(
            f"the force across a bond {one}-{other}",
            forces[:, 1:],
            np.zeros((2, 2)),
            tolerance=ROUNDING * scale,
            unit="eV/Å",
        )


def _coincident(reach: Reach) -> Iterator[str]:
    pair = dimer((reach.species[0],) * 2, 0.0)
    asked = {"energy": energy_forces}
    # A calculator of ASE need not raise an error; it is enough if it gives no finite energy.
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
        yield f"two atoms at one position must raise ValueError when the {what} is asked for"


def _reach(reach: Reach) -> Iterator[str]:
    for pair in reach.rest:
        alone = sum(energy_forces(Atoms(symbol), reach.potential)[0] for symbol in pair)
        energy, forces = energy_forces(dimer(pair, reach.cutoff + 1e-6), reach.potential)
        if abs(energy - alone) > ROUNDING or forces.any():
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
    matrix = hessian(atoms, potential).toarray()
    # In a crystal at rest forces are what is left of large terms; the Hessian tells their size.
    scale = max(np.abs(forces).max(initial=0.0), 1e-3 * np.abs(matrix).max(initial=0.0)) or 1.0
    # Sums of some hundred terms, each rounded to 1e-16.
    total = forces.sum(axis=0) / scale
    yield from differences(
        "the sum of all forces, in units of the largest,", total, np.zeros(3), tolerance=1e-10
    )
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
