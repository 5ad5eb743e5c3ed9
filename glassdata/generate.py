"""How disorder is made: plans of knobs, and the steps from a crystal to a disordered structure."""

import hashlib
from dataclasses import dataclass, fields

import numpy as np
from ase import Atoms
from scipy.stats import qmc

from glassdata.config import ROOT_SEED, check_positive
from glassdata.minimise import relax, separate
from glassdata.system import System

_STREAMS = ("melt", "displacement", "vacancies", "sites", "antisites")
_REPLICATE_EVERY = 5


def generator(system: str, index: int, stream: str) -> np.random.Generator:
    """The random numbers for one purpose in one structure; a pure function of its arguments."""
    system_id = int.from_bytes(hashlib.sha256(system.encode()).digest()[:4])
    key = (system_id, index, _STREAMS.index(stream))
    return np.random.default_rng(np.random.SeedSequence(ROOT_SEED, spawn_key=key))


@dataclass(frozen=True)
class Stratum:
    """A region of preparation space, with ``weight`` of every sum of weights structures.

    Each knob is a range (low, high); the names are variables of ``glassdata.schema``, but for
    ``stone_wales`` (rotations per atom) and ``cooling_time`` (ps, spread in its logarithm).
    """

    weight: int
    displacement: tuple[float, float] = (0.0, 0.0)
    displaced_fraction: tuple[float, float] = (1.0, 1.0)
    vacancy_fraction: tuple[float, float] = (0.0, 0.0)
    antisite_fraction: tuple[float, float] = (0.0, 0.0)
    stone_wales: tuple[float, float] = (0.0, 0.0)
    cooling_time: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.weight < 1:
            raise ValueError(f"Stratum: weight must be at least 1, got {self.weight}")
        for name, bounds in self.ranges():
            limit = 1 if name.endswith("_fraction") else np.finfo(float).max
            if not 0 <= bounds[0] <= bounds[1] <= limit:
                most = " <= 1" if limit == 1 else ""
                raise ValueError(f"Stratum: {name} must be 0 <= low <= high{most}, got {bounds}")

    def ranges(self) -> list[tuple[str, tuple[float, float]]]:
        """Knobs of this stratum with their bounds."""
        pairs = [(field.name, getattr(self, field.name)) for field in fields(self)[1:]]
        return [(name, bounds) for name, bounds in pairs if bounds is not None]

    def at(self, u: np.ndarray) -> dict[str, float]:
        """Knobs at the point ``u`` of the unit cube, one coordinate per knob."""
        knobs = {}
        for coordinate, (name, (low, high)) in zip(u, self.ranges(), strict=False):
            if name == "cooling_time":
                knobs[name] = float(low * (high / low) ** coordinate)
            else:
                knobs[name] = float(low + (high - low) * coordinate)
        return knobs


@dataclass(frozen=True)
class Member:
    """Place of a structure in its dataset: which stratum, which family, which knobs.

    ``family`` counts the families of relatives; it is None for a replicate, which has none.
    """

    index: int
    parent: int
    family: int | None
    replicate: bool
    knobs: dict[str, float]


def place(strata: tuple[Stratum, ...], replicated: int, index: int) -> Member:
    """What structure number ``index`` is to be; every first n of them cover the strata evenly.

    Every fifth is a replicate: an independent repeat at the centre of stratum ``replicated``.
    The others come in families of two, which share their parent's random numbers and stratum
    and differ in the knobs.
    """
    if index % _REPLICATE_EVERY == _REPLICATE_EVERY - 1:
        centre = np.full(len(fields(Stratum)), 0.5)
        return Member(index, index, None, True, strata[replicated].at(centre))
    ordinary = index - index // _REPLICATE_EVERY
    family, member = divmod(ordinary, 2)
    first = 2 * family + 2 * family // (_REPLICATE_EVERY - 1)
    order = _interleaved([stratum.weight for stratum in strata])
    cycle, slot = divmod(family, len(order))
    # Points are counted within the stratum: the digits of a Halton sequence repeat with periods
    # that would otherwise lock in with the cycle of the strata.
    earlier = cycle * order.count(order[slot]) + order[:slot].count(order[slot])
    halton = qmc.Halton(len(fields(Stratum)), scramble=False)
    u = halton.fast_forward(2 * earlier + member + 1).random(1)[0]
    return Member(index, first, family, False, strata[order[slot]].at(u))


def _interleaved(weights: list[int]) -> list[int]:
    """Indices, each as often as its weight, as evenly mixed as can be."""
    slots = [((n + 0.5) / weight, k) for k, weight in enumerate(weights) for n in range(weight)]
    return [k for _, k in sorted(slots)]


def displace(atoms: Atoms, member: Member, rng: np.random.Generator, dim: int) -> Atoms:
    """Move a fraction of the atoms by Gaussian steps of the planned amplitude per direction."""
    steps = rng.normal(size=atoms.positions.shape)
    steps[:, dim:] = 0.0
    order = rng.permutation(len(atoms))
    still = order[round(member.knobs["displaced_fraction"] * len(atoms)) :]
    steps[still] = 0.0
    moved = atoms.copy()
    moved.positions += member.knobs["displacement"] * steps
    return moved


def vacate(atoms: Atoms, fraction: float, rng: np.random.Generator) -> Atoms:
    """Remove a fraction of the atoms; a larger fraction removes the same atoms and more."""
    order = rng.permutation(len(atoms))
    return atoms[np.sort(order[round(fraction * len(atoms)) :])]


def swap_species(atoms: Atoms, fraction: float, rng: np.random.Generator) -> Atoms:
    """Let a fraction of the atoms exchange species among themselves at random."""
    chosen = rng.permutation(len(atoms))[: round(fraction * len(atoms))]
    swapped = atoms.copy()
    swapped.numbers[chosen] = atoms.numbers[rng.permutation(chosen)]
    return swapped


@dataclass(frozen=True)
class CrystalDisorder:
    """Crystal → antisites → vacancies → random displacements → minimisation.

    Attributes
    ----------
    n_structures : int
    cells : tuple of int
        Repetitions of the crystal's cell.
    strata : tuple of Stratum
    replicated : int
        Which stratum the replicates stand in.
    separation : float, Å
        Atoms nearer than this are taken apart gently before the potential acts.
    cell : "fixed" or "isotropic"
        Whether the cell keeps the crystal's size or relaxes to zero pressure.
    max_force : float, eV/Å
    """

    n_structures: int
    cells: tuple[int, int, int]
    strata: tuple[Stratum, ...]
    replicated: int
    separation: float
    cell: str
    max_force: float

    def __post_init__(self) -> None:
        who = type(self).__name__
        check_positive(self, who, "n_structures", "cells", "separation", "max_force")
        if self.cell not in ("fixed", "isotropic"):
            raise ValueError(f"{who}: cell must be fixed or isotropic, got {self.cell!r}")

    def __call__(self, system: System, index: int) -> Atoms:
        member = place(self.strata, self.replicated, index)
        potential = system.potential
        atoms = self.lattice(system, generator(system.name, member.parent, "sites"))
        knobs = member.knobs
        swaps = generator(system.name, member.parent, "antisites")
        atoms = swap_species(atoms, knobs["antisite_fraction"], swaps)
        holes = generator(system.name, member.parent, "vacancies")
        atoms = vacate(atoms, knobs["vacancy_fraction"], holes)
        steps = generator(system.name, member.parent, "displacement")
        atoms = displace(atoms, member, steps, potential.dim)
        atoms = separate(atoms, self.separation)
        atoms = relax(atoms, potential, max_force=self.max_force, cell=self.cell)
        atoms.wrap()
        atoms.info = {"parent": member.parent, "replicate": member.replicate}
        knob_names = ["displacement", "displaced_fraction", "vacancy_fraction"]
        if len(system.species) > 1:
            knob_names.append("antisite_fraction")
        atoms.info |= {name: knobs[name] for name in knob_names}
        return atoms

    def lattice(self, system: System, rng: np.random.Generator) -> Atoms:
        """The perfect crystal at this size; alloys may substitute species with ``rng``."""
        return system.crystal() * self.cells

    def largest(self, system: System) -> int:
        """Number of atoms of the perfect crystal."""
        return len(self.lattice(system, np.random.default_rng(0)))
