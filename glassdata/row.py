"""One row of the dataset: from (system, profile, index) to numbers, and nothing else."""

import time
from collections.abc import Mapping

import numpy as np
from ase import Atoms
from threadpoolctl import threadpool_limits

from glassdata.config import digest
from glassdata.minimise import RelaxationError
from glassdata.radial import coordination, first_peak, partial_rdf, rdf
from glassdata.rings import ring_fractions
from glassdata.system import System
from glassdata.systems import find
from glassdata.vibrations import energy_forces, frequencies, pdos, without_translations

# Frequencies below this share of the range count as zero: dangling atoms of a short-ranged
# potential turn almost freely, and the force that is left decides the sign of such a mode.
_ZERO = 1e-4

# Positions are multiples of this, Å. What lies below is the noise of the minimiser, and half the
# bytes of a position. They are rounded before anything is computed from them, so that the stored
# structure is the very one whose spectrum is stored.
_POSITION_STEP = 2.0**-26


class RowError(Exception):
    """A row that cannot be computed, for a reason that would be the same next time."""


def row_id(system: str | System, profile: str, index: int) -> str:
    """Identity of a row: sha256 of the science configuration and the index."""
    return digest([find(system).science(profile), index])


def make_structure(system: str | System, index: int, profile: str = "demo") -> Atoms:
    """Relaxed structure number ``index``; a pure function of its arguments.

    ``Atoms.info`` holds how it was prepared.

    Raises
    ------
    ValueError
        For an unknown system or profile, or an index outside the profile.
    RowError
        If the relaxation fails.
    """
    system = find(system)
    if profile not in system.protocols:
        raise ValueError(f"no profile {profile!r}; there are {', '.join(system.protocols)}")
    protocol = system.protocols[profile]
    if not 0 <= index < protocol.n_structures:
        raise ValueError(
            f"{system.name} has structures 0 to {protocol.n_structures - 1} at profile {profile}, "
            f"not {index}"
        )
    with threadpool_limits(1):
        try:
            atoms = protocol(system, index)
        except RelaxationError as error:
            raise RowError(str(error)) from error
    # Adding zero turns -0.0 into 0.0.
    atoms.positions = np.round(atoms.positions / _POSITION_STEP) * _POSITION_STEP + 0.0
    return atoms


def compute_row(
    system: str | System, profile: str, index: int, timings: dict[str, float] | None = None
) -> dict[str, np.ndarray]:
    """All variables of one row, named and dimensioned as in ``glassdata.schema``.

    Pure and single-threaded. ``timings``, if given, receives the seconds of each stage.

    Raises
    ------
    ValueError, RowError
        As for ``make_structure``.
    """
    system = find(system)
    atoms = _timed(timings, "generate", lambda: make_structure(system, index, profile))
    with threadpool_limits(1):
        row = describe(atoms, system, timings)
    return row | {name: np.asarray(value) for name, value in atoms.info.items()}


def describe(
    atoms: Atoms, system: System, timings: dict[str, float] | None = None
) -> dict[str, np.ndarray]:
    """What the dataset says of a structure, whatever made it: g(r), frequencies, PDOS, checks.

    Parameters
    ----------
    atoms : Atoms
        Preferably at a minimum of the system's potential; otherwise ``max_force`` and
        ``n_imaginary`` tell.

    Raises
    ------
    ValueError
        If the structure does not suit the system (species, periodicity).
    """
    spectrum = _timed(timings, "rdf", lambda: _structure(atoms, system))
    modes = _timed(timings, "frequencies", lambda: frequencies(atoms, system.potential))
    modes = without_translations(modes, system.potential.dim)
    energy, forces = energy_forces(atoms, system.potential)
    per_atom = energy / len(atoms)
    row: dict[str, object] = {
        "position": atoms.positions,
        "number": atoms.numbers,
        "cell": np.asarray(atoms.cell),
        "frequency": modes,
        "pdos": pdos(modes, system.omega_edges),
        "n_atoms": len(atoms),
        "n_modes": len(modes),
        "density": _density(atoms, system.dim),
        "energy": per_atom,
        "excess_energy": per_atom - crystal_energy(system),
        "max_force": np.abs(forces).max(),
        "n_imaginary": (modes < -_ZERO * system.omega_max).sum(),
        "overflow": ((modes < 0) | (modes > system.omega_max)).mean() if len(modes) else 0.0,
    } | spectrum
    row["disorder_class"] = system.disorder_class(float(row[system.class_variable]))
    return {name: np.asarray(value) for name, value in row.items()}


def crystal_energy(system: System) -> float:
    """Energy per atom of the perfect crystal, eV."""
    crystal = system.crystal()
    return energy_forces(crystal, system.potential)[0] / len(crystal)


def _structure(atoms: Atoms, system: System) -> Mapping[str, object]:
    g = rdf(atoms, system.r_edges, dim=system.dim)
    height, width = first_peak(g, system.r_edges)
    neighbours = coordination(atoms, system.bond_length)
    found: dict[str, object] = {
        "g": g,
        "peak_height": height,
        "peak_width": width,
        "coordination": neighbours.mean(),
    }
    if system.pairs:
        found["partial_g"] = partial_rdf(atoms, system.r_edges, system.species, dim=system.dim)
    if system.dim == 2 and system.potential.dim == 3:
        fractions = ring_fractions(atoms, system.bond_length)
        found |= dict(zip(("ring_5", "ring_6", "ring_7"), fractions, strict=True))
        found["non_hexagonal"] = 1.0 - fractions[1]
        found["threefold_fraction"] = (neighbours == 3).mean()
        found["roughness"] = atoms.positions[:, 2].std()
    return found


def _density(atoms: Atoms, dim: int) -> float:
    a, b, c = np.asarray(atoms.cell)
    size = np.linalg.norm(np.cross(a, b)) if dim == 2 else abs(np.dot(np.cross(a, b), c))
    return len(atoms) / size


def _timed(timings: dict[str, float] | None, stage: str, work):
    start = time.perf_counter()
    result = work()
    if timings is not None:
        timings[stage] = time.perf_counter() - start
    return result
