"""The variables that follow from a structure, however it was made, each with its function.

A new variable is one line in ``DESCRIBED``, or one file that declares it and one line here. It
never needs new structures: ``glassdata build NEW --structures OLD`` describes those of an older
store again. Anyone who changes what a function returns raises the ``version`` of its variable.
"""

import time
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType

import numpy as np
from ase import Atoms

from glassdata.config import canonical_json
from glassdata.network import bond_angles, rings_per_atom
from glassdata.order import bond_order, chemical_order, far_order, local_bond_order
from glassdata.potentials.flaws import false_pairs, pinned_fraction
from glassdata.radial import coordination, first_peak, number_density, partial_rdf, rdf
from glassdata.rings import ring_fractions
from glassdata.sheet import roughness
from glassdata.system import System
from glassdata.variable import Variable, per_structure
from glassdata.vibrations import energy_forces, frequencies, pdos, stress, without_translations

# Frequencies below this share of the range count as zero: dangling atoms of a short-ranged
# potential turn almost freely, and the remaining force determines the sign of such a mode.
_ZERO = 1e-4


class Structure:
    """A structure of a glass; what is derived from it is computed when it is first asked for.

    Parameters
    ----------
    atoms : Atoms
        Preferably at a minimum of the system's potential.
    system : System

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> crystal = Structure(argon.crystal() * (2, 2, 2), argon)
    >>> float(crystal["coordination"]), int(crystal["n_imaginary"])
    (12.0, 0)
    """

    def __init__(self, atoms: Atoms, system: System) -> None:
        self.atoms, self.system = atoms, system

    @cached_property
    def g(self) -> np.ndarray:
        """Radial distribution function in the system's bins, shape (n_r,)."""
        return rdf(self.atoms, self.system.r_edges, dim=self.system.dim)

    @cached_property
    def peak(self) -> tuple[float, float]:
        """Height and width (Å) of the first peak of g(r)."""
        return first_peak(self.g, self.system.r_edges)

    @cached_property
    def neighbours(self) -> np.ndarray:
        """Number of neighbours of each atom, shape (N,)."""
        return coordination(self.atoms, self.system.bond_length)

    @cached_property
    def modes(self) -> np.ndarray:
        """Signed frequencies without the translations, ascending, shape (n_modes,), THz.

        Rounded to the step in which they are stored, so that all that follows from them follows
        from the stored ones too.
        """
        potential, step = self.system.potential, self.system.frequency_step
        modes = without_translations(frequencies(self.atoms, potential), potential.dim)
        # Adding zero turns -0.0 into 0.0.
        return np.round(modes / step) * step + 0.0

    @cached_property
    def energy_forces(self) -> tuple[float, np.ndarray]:
        """Potential energy (eV) and forces, shape (N, 3), eV/Å."""
        return energy_forces(self.atoms, self.system.potential)

    @property
    def energy(self) -> float:
        """Potential energy per atom, eV."""
        return self.energy_forces[0] / len(self.atoms)

    @cached_property
    def stress(self) -> np.ndarray:
        """Stress, shape (3, 3), eV/Å^d, positive under tension."""
        return stress(self.atoms, self.system.potential)

    @cached_property
    def rings(self) -> np.ndarray:
        """Fractions of the rings with five, six and seven members, shape (3,)."""
        return ring_fractions(self.atoms, self.system.bond_length)

    @cached_property
    def angles(self) -> np.ndarray:
        """Angles between bonds, shape (n_angles,), degrees."""
        return bond_angles(self.atoms, self.system.bond_length)

    @cached_property
    def rings_per_atom(self) -> np.ndarray:
        """Shortest-path rings with five, six and seven members an atom, shape (3,)."""
        return rings_per_atom(self.atoms, self.system.bond_length)

    def __getitem__(self, name: str) -> np.ndarray:
        """Value of one variable of ``DESCRIBED``."""
        return np.asarray(DESCRIBED[name].value(self))


def describe(
    atoms: Atoms,
    system: System,
    timings: dict[str, float] | None = None,
    *,
    known: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> dict[str, np.ndarray]:
    """All variables that follow from a structure: g(r), frequencies, PDOS, checks.

    Parameters
    ----------
    atoms : Atoms
        Preferably at a minimum of the system's potential; ``max_force`` and ``n_imaginary`` show
        whether it is.
    system : System
        Gives the potential, the bins and the bond length.
    timings : dict, optional
        Receives the seconds of the two stages ``rdf`` and ``frequencies``.
    known : mapping, optional
        Values of this structure that need not be computed again: ``still_known``.

    Returns
    -------
    dict
        Values by the names of ``DESCRIBED``, those that the system has.

    Raises
    ------
    ValueError
        If the structure does not suit the system (species, periodicity).

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> row = describe(argon.crystal() * (2, 2, 2), argon)
    >>> int(row["n_atoms"]), int(row["n_modes"]), str(row["disorder_class"])
    (32, 93, 'crystal-like')
    """
    structure = Structure(atoms, system)
    timings = {} if timings is None else timings
    for stage, name, values in (("rdf", "g", "g"), ("frequencies", "frequency", "modes")):
        if name not in known:
            with timed(timings, stage):
                getattr(structure, values)
    return {
        name: known[name] if name in known else structure[name]
        for name, v in DESCRIBED.items()
        if v.applies(system)
    }


def description_science(system: System) -> dict:
    """Everything that determines how a structure is described, as plain data."""
    return {
        "dim": system.dim,
        "species": system.species,
        "bins": [system.n_r, system.r_max, system.n_omega, system.omega_max],
        "bond_length": system.bond_length,
        "classes": [system.class_variable, *system.class_edges],
        "zero": _ZERO,
        "variables": {n: v.version for n, v in DESCRIBED.items() if v.applies(system)},
    }


def still_known(then: Mapping, now: Mapping) -> set[str]:
    """Variables that an older description has as they would be computed now.

    Parameters
    ----------
    then, now : mapping
        ``description_science`` of one glass, when a structure was described and now.

    Returns
    -------
    set of str
        Those of an unchanged version, if the bins and all else are the same; otherwise none.

    Examples
    --------
    A variable that is new or of another version has to be computed:

    >>> import glassdata as gd
    >>> now = description_science(gd.SYSTEMS["lj3d"])
    >>> then = now | {"variables": now["variables"] | {"stress": 0}}
    >>> now["variables"].keys() - still_known(then, now)
    {'stress'}
    """
    changed = {key for key in then.keys() | now.keys() if _told(then, key) != _told(now, key)}
    if changed - {"variables", "classes"}:
        return set()
    earlier, current = then["variables"], now["variables"]
    kept = {name for name, version in current.items() if earlier.get(name) == version}
    if "classes" in changed or now["classes"][0] not in kept:
        kept.discard("disorder_class")
    return kept


def _told(description: Mapping, key: str) -> str:
    return canonical_json(description.get(key))


def crystal_energy(system: System) -> float:
    """Energy per atom of the perfect crystal, eV.

    Examples
    --------
    >>> import glassdata as gd
    >>> round(crystal_energy(gd.SYSTEMS["amc"]), 2)  # graphene, eV
    -7.4
    """
    crystal = system.crystal()
    return energy_forces(crystal, system.potential)[0] / len(crystal)


class timed:
    """Context that writes the seconds spent in it into a dictionary, under a name."""

    def __init__(self, timings: dict[str, float] | None, stage: str) -> None:
        self._timings, self._stage = timings, stage

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *error: object) -> None:
        if self._timings is not None:
            self._timings[self._stage] = time.perf_counter() - self._start


def _is_compound(system: System) -> bool:
    return bool(system.pairs)


def _is_sheet(system: System) -> bool:
    return system.is_sheet


def _is_network(system: System) -> bool:
    return system.is_network


def _partial_g(s: Structure) -> np.ndarray:
    system = s.system
    return partial_rdf(s.atoms, system.r_edges, system.species, dim=system.dim)


def _voigt(s: Structure) -> np.ndarray:
    (xx, xy, xz), (_, yy, yz), (_, _, zz) = s.stress
    return np.array([xx, yy, zz, yz, xz, xy])


def _pressure(s: Structure) -> float:
    return -float(np.mean(np.diag(s.stress)[s.atoms.pbc]))


def _overflow(s: Structure) -> float:
    outside = (s.modes < 0) | (s.modes > s.system.omega_max)
    return float(outside.mean()) if len(outside) else 0.0


_SPECTRA = {
    "g": Variable(("structure", "r"), "f4", "1", "radial distribution function g(r)", lambda s: s.g),
    "partial_g": Variable(("structure", "pair", "r"), "f4", "1", "partial radial distribution functions", _partial_g, applies=_is_compound),
    "pdos": Variable(("structure", "omega"), "f4", "THz-1", "phonon density of states, integral 1 over the range", lambda s: pdos(s.modes, s.system.omega_edges), version=2),
    "frequency": Variable(("mode",), "f8", "THz", "vibrational frequencies, imaginary as negative, translations removed", lambda s: s.modes, version=2, step=lambda system: system.frequency_step),
}  # fmt: skip

_STRUCTURE = {
    "position": Variable(("atom", "xyz"), "f8", "angstrom", "atomic positions of the relaxed structure", lambda s: s.atoms.positions, step=lambda system: system.position_step),
    "number": Variable(("atom",), "i2", "1", "atomic numbers", lambda s: s.atoms.numbers),
    "cell": Variable(("structure", "abc", "xyz"), "f8", "angstrom", "cell vectors, one per line", lambda s: s.atoms.cell.array),
}  # fmt: skip

_CHECKS = {
    "n_atoms": per_structure("i4", "1", "number of atoms", lambda s: len(s.atoms)),
    "n_modes": per_structure("i4", "1", "number of frequencies stored", lambda s: len(s.modes)),
    "density": per_structure("f8", "angstrom-d", "number density: per volume, or per area where g(r) is two-dimensional", lambda s: number_density(s.atoms, s.system.dim), version=2),
    "energy": per_structure("f8", "eV", "potential energy per atom", lambda s: s.energy),
    "excess_energy": per_structure("f8", "eV", "potential energy per atom above the system's perfect crystal", lambda s: s.energy - crystal_energy(s.system)),
    "max_force": per_structure("f8", "eV angstrom-1", "largest force component left after relaxation", lambda s: np.abs(s.energy_forces[1]).max()),
    "stress": Variable(("structure", "voigt"), "f8", "eV angstrom-d", "stress xx, yy, zz, yz, xz, xy, positive under tension; per area of the plane where g(r) is two-dimensional", _voigt),
    "pressure": per_structure("f8", "eV angstrom-d", "minus the mean normal stress of the periodic directions", _pressure),
    "n_false_pairs": per_structure("i4", "1", "number of pairs of atoms in a false minimum of the potential", lambda s: len(false_pairs(s.atoms, s.system.potential))),
    "pinned_fraction": per_structure("f8", "1", "fraction of atoms with a neighbour where the potential is switched off", lambda s: pinned_fraction(s.atoms, s.system.potential)),
    "n_imaginary": per_structure("i4", "1", "number of imaginary frequencies", lambda s: (s.modes < -_ZERO * s.system.omega_max).sum(), version=2),
    "overflow": per_structure("f8", "1", "fraction of modes outside the frequency range of pdos", _overflow, version=2),
    "peak_width": per_structure("f8", "angstrom", "full width at half maximum of the first peak of g(r)", lambda s: s.peak[1]),
    "peak_height": per_structure("f8", "1", "height of the first peak of g(r)", lambda s: s.peak[0]),
    "coordination": per_structure("f8", "1", "mean number of neighbours within the first minimum of the crystal", lambda s: s.neighbours.mean()),
    "far_order": per_structure("f8", "1", "root-mean-square of g(r) - 1 far away, beyond chance, over that of the perfect crystal", lambda s: far_order(s.atoms, s.system.crystal(), s.system.dim)),
    "bond_order": per_structure("f8", "1", "sixfold order of all bond directions together: |psi6| in a plane, Q6 in space", lambda s: bond_order(s.atoms, s.system.bond_length, s.system.dim)),
    "local_bond_order": per_structure("f8", "1", "sixfold order of each atom's and its neighbours' bonds together, mean over the atoms", lambda s: local_bond_order(s.atoms, s.system.bond_length, s.system.dim)),
    "chemical_order": Variable(("structure", "pair"), "f8", "1", "Warren-Cowley short-range order of the nearest neighbours: 0 by chance, negative where two species seek each other", lambda s: chemical_order(s.atoms, s.system.bond_length, s.system.species), applies=_is_compound),
    "disorder_class": per_structure("U12", "1", "crystal-like, defective, partial or amorphous, by the disorder that resulted", lambda s: s.system.disorder_class(float(s[s.system.class_variable]))),
}  # fmt: skip

_NETWORK = {
    "fourfold_fraction": per_structure("f8", "1", "fraction of atoms with four neighbours", lambda s: (s.neighbours == 4).mean(), applies=_is_network),
    "bond_angle": per_structure("f8", "degree", "mean angle between two bonds of an atom", lambda s: s.angles.mean(), applies=_is_network),
    "bond_angle_width": per_structure("f8", "degree", "standard deviation of the angles between two bonds of an atom", lambda s: s.angles.std(), applies=_is_network),
    "ring_5_per_atom": per_structure("f8", "1", "shortest-path rings with five members, per atom", lambda s: s.rings_per_atom[0], applies=_is_network),
    "ring_6_per_atom": per_structure("f8", "1", "shortest-path rings with six members, per atom", lambda s: s.rings_per_atom[1], applies=_is_network),
    "ring_7_per_atom": per_structure("f8", "1", "shortest-path rings with seven members, per atom", lambda s: s.rings_per_atom[2], applies=_is_network),
    "threefold_fraction": per_structure("f8", "1", "fraction of atoms with three neighbours", lambda s: (s.neighbours == 3).mean(), applies=_is_sheet),
    "non_hexagonal": per_structure("f8", "1", "fraction of rings that do not have six members", lambda s: 1.0 - s.rings[1], applies=_is_sheet),
    "ring_5": per_structure("f8", "1", "fraction of rings with five members", lambda s: s.rings[0], applies=_is_sheet),
    "ring_6": per_structure("f8", "1", "fraction of rings with six members", lambda s: s.rings[1], applies=_is_sheet),
    "ring_7": per_structure("f8", "1", "fraction of rings with seven members", lambda s: s.rings[2], applies=_is_sheet),
    "roughness": per_structure("f8", "angstrom", "root-mean-square height of the sheet", lambda s: roughness(s.atoms), applies=_is_sheet),
}  # fmt: skip

#: The variables that follow from a structure alone, by name.
DESCRIBED: Mapping[str, Variable] = _SPECTRA | _STRUCTURE | _CHECKS | _NETWORK
