"""Sheets: graphene with defects, or a plane quenched from the melt; then they may buckle.

Graphene of Tersoff's potential, held in its plane, does not melt within picoseconds even at
10,000 K. The quench therefore starts from atoms at random in the plane.

A sheet buckles in one of two frames. One that keeps the size of the flat sheet holds the buckled
sheet under tension, up to 7 N/m. One that may shrink ends at a stated tension, mostly none.
"""

from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np
from ase import Atoms

from glassdata.config import check_positive
from glassdata.crystal import Crystal
from glassdata.minimise import relax, separate, settle
from glassdata.potentials import BondOrder, Potential
from glassdata.protocols import plan
from glassdata.protocols.displaced import vacate
from glassdata.protocols.melt import SCIENCE as MELT_SCIENCE
from glassdata.protocols.melt import quench_in_plane
from glassdata.protocols.plan import Member, Stratum, generator
from glassdata.radial import coordination
from glassdata.system import PreparationError, System
from glassdata.vibrations import energy_forces

# Å: a rotation changes the network up to this distance from its bond, so no second bond is turned
# there at the same time.
_TOUCHED = 5.0
# Graphene itself may come out above or below the crystal by this much, eV per atom.
_SAME = 1e-4


@dataclass(frozen=True)
class SheetDisorder:
    """Graphene with defects, or a plane quenched from the melt; then vacancies and buckling.

    Attributes
    ----------
    n_structures : int
    cells : tuple of int
        Repetitions of the crystal's rectangular cell in the replicates.
    sizes : tuple of tuple of int
        The same of the families, which take them in turn.
    strata : tuple of Stratum
        Those with a ``tension`` have a frame that is brought to it, the others one that is held.
    replicated : int
        Number of the stratum that the replicates repeat.
    melt : Crystal
        A melt of density 1 has its density, and atoms move in its potential.
    bond : float, Å
        Atoms nearer than this are bonded.
    temperature, final_temperature : float, K
        Temperature of the melt, and at the end of the quench.
    melt_time : float, ps
    kick : float, Å
        Standard deviation of the heights given to the flat sheet before it may buckle, where the
        stratum does not say another. Half an ångström breaks bonds.
    max_force : float, eV/Å
        Largest force component left at the end.
    loose : float, eV/Å
        Largest force component left in between, where the structure will change again.
    separation : float, Å
        Random atoms of the plane nearer than this are pushed apart before the melt.

    Examples
    --------
    >>> from glassdata.systems import SYSTEMS
    >>> protocol = SYSTEMS["amc"].protocols["demo"]
    >>> protocol.sizes, protocol.largest(SYSTEMS["amc"])  # rectangular cells of four atoms
    (((6, 4), (7, 4)), 112)
    """

    n_structures: int
    cells: tuple[int, int]
    sizes: tuple[tuple[int, int], ...]
    strata: tuple[Stratum, ...]
    replicated: int
    melt: Crystal
    bond: float
    temperature: float = 8000.0
    melt_time: float = 2.0
    final_temperature: float = 300.0
    kick: float = 0.05
    max_force: float = 1e-4
    loose: float = 1e-2
    separation: float = 1.6
    preparations: ClassVar[int] = 0

    def __post_init__(self) -> None:
        sheet = ("n_structures", "cells", "separation", "kick", "bond", "max_force", "loose")
        melt = ("temperature", "melt_time", "final_temperature")
        check_positive(self, type(self).__name__, *sheet, *melt)
        if not self.sizes or not all(n > 0 for cells in self.sizes for n in cells):
            raise ValueError(f"SheetDisorder: sizes must be positive, got {self.sizes}")
        if not isinstance(self.melt.potential, BondOrder):
            raise ValueError(f"SheetDisorder: melt needs a bond-order potential, got {self.melt}")

    def science(self) -> dict:
        """Everything that determines the structures, as plain data."""
        settings = (
            *("cells", "sizes", "replicated", "bond", "temperature", "melt_time"),
            *("final_temperature", "kick", "max_force", "loose", "separation"),
        )
        return {name: getattr(self, name) for name in settings} | {
            "name": type(self).__name__,
            "plan": plan.SCIENCE,
            "strata": [stratum.science() for stratum in self.strata],
            "melt": self.melt.science() | MELT_SCIENCE,
            "touched": _TOUCHED,
            "same": _SAME,
        }

    def __call__(self, system: System, index: int) -> Atoms:
        potential = system.potential
        if not isinstance(potential, Potential):
            raise TypeError(f"sheets need a potential that knows its bonds, not {potential!r}")
        member = plan.member(self.strata, self.replicated, index)
        knobs = member.knobs
        cells = self.cells_of(member)
        rng = generator(system.name, member.parent, "melt")
        n_rotations, rate = 0, 0.0
        if "cooling_time" in knobs:
            sheet = self._quench(cells, knobs["cooling_time"], knobs["melt_density"], rng)
            rate = (self.temperature - self.final_temperature) / knobs["cooling_time"]
        else:
            sheet = system.crystal() * (*cells, 1)
            n_rotations = round(knobs["stone_wales"] * len(sheet))
            sheet = rotate_bonds(
                sheet, n_rotations, potential, rng, bond=self.bond, loose=self.loose
            )
        holes = generator(system.name, member.parent, "vacancies")
        sheet = vacate(sheet, knobs["vacancy_fraction"], holes)
        steps = generator(system.name, member.parent, "displacement")
        sheet = relax(sheet, potential, max_force=self.loose, cell="isotropic")
        kick = knobs.get("kick", self.kick)
        sheet.positions[:, 2] += kick * steps.normal(size=len(sheet))
        sheet = self._buckled(sheet, potential, knobs.get("tension"))
        sheet.wrap()
        check_network(sheet, system)
        sheet.info = {
            "parent": member.parent,
            "replicate": member.replicate,
            "ensemble": "quenched" if rate else "displaced",
            "vacancy_fraction": knobs["vacancy_fraction"],
            "tension": knobs.get("tension", 0.0),
            "frame_held": "tension" not in knobs,
            "kick": kick,
            "n_stone_wales": n_rotations,
            "quench_rate": rate,
            "anneal_temperature": self.temperature if rate else 0.0,
        }
        return sheet

    def _buckled(self, sheet: Atoms, potential: Potential, tension: float | None) -> Atoms:
        """Let a sheet buckle, in the frame that it has or under a tension.

        A sheet of which a tenth was removed crumples in a frame that is free to shrink: it folds
        onto itself, and its density and its g(r) per area lose their meaning.
        """
        if tension is None:
            return settle(sheet, potential, max_force=self.max_force)
        return settle(
            sheet, potential, max_force=self.max_force, cell="isotropic", pressure=-tension
        )

    def cells_of(self, member: Member) -> tuple[int, int]:
        """Repetitions of the rectangular cell in one structure."""
        if member.family is None:
            return self.cells
        return self.sizes[member.family % len(self.sizes)]

    def largest(self, system: System) -> int:
        """Number of atoms of the largest sheets before any are removed."""
        return len(system.crystal()) * max(a * b for a, b in (self.cells, *self.sizes))

    def _quench(
        self,
        cells: tuple[int, int],
        cooling_time: float,
        density: float,
        rng: np.random.Generator,
    ) -> Atoms:
        plane = self.melt() * (*cells, 1)
        stretch = density**-0.5
        plane.set_cell(plane.cell.array * [[stretch], [stretch], [1.0]])
        plane.positions[:, :2] = rng.random((len(plane), 2)) @ np.asarray(plane.cell)[:2, :2]
        plane = separate(plane, self.separation)
        plane = quench_in_plane(
            plane,
            cast(BondOrder, self.melt.potential),
            int(rng.integers(1, 900_000_000)),
            temperature=self.temperature,
            melt_time=self.melt_time,
            cooling_time=cooling_time,
            final_temperature=self.final_temperature,
        )
        return relax(plane, self.melt.potential, max_force=self.loose)


def check_network(sheet: Atoms, system: System) -> None:
    """Refuse a sheet that opened into chains, which some potentials hold for better than graphene.

    Raises
    ------
    PreparationError
        With its energy and its share of atoms with three neighbours.

    Examples
    --------
    >>> from glassdata.systems import SYSTEMS
    >>> carbon = SYSTEMS["amc_lb"]
    >>> check_network(carbon.crystal() * (3, 2, 1), carbon)
    """
    crystal = system.crystal()
    energy, best = (energy_forces(one, system.potential)[0] / len(one) for one in (sheet, crystal))
    if energy < best - _SAME:
        threefold = np.mean(coordination(sheet, system.bond_length) == 3)
        raise PreparationError(
            f"the sheet opened into chains: {best - energy:.3f} eV per atom below the crystal, "
            f"{threefold:.0%} of its atoms with three neighbours"
        )


def rotate_bonds(
    sheet: Atoms,
    n_rotations: int,
    potential: Potential,
    rng: np.random.Generator,
    *,
    bond: float,
    loose: float = 1e-2,
) -> Atoms:
    """Stone-Wales rotations: turn bonds by 90° about their middles, in the plane.

    Bonds rotated together lie apart; between such batches the sheet is relaxed in its plane, so
    that later rotations act on the network that earlier ones made.

    Parameters
    ----------
    sheet : Atoms
        Flat, in an orthogonal cell.
    n_rotations : int
    potential : Potential
    rng : numpy.random.Generator
        Chooses the bonds.
    bond : float, Å
        Atoms nearer than this are bonded.
    loose : float, eV/Å
        Largest force left between batches.

    Examples
    --------
    One rotation turns four hexagons into two pentagons and two heptagons:

    >>> from glassdata.rings import rings
    >>> from glassdata.systems import SYSTEMS
    >>> carbon, rng = SYSTEMS["amc"], np.random.default_rng(0)
    >>> sheet = carbon.crystal() * (4, 3, 1)
    >>> turned = rotate_bonds(sheet, 1, carbon.potential, rng, bond=carbon.bond_length)
    >>> sorted(len(ring) for ring in rings(turned, carbon.bond_length) if len(ring) != 6)
    [5, 5, 7, 7]
    """
    sheet = sheet.copy()
    while n_rotations > 0:
        bonds = potential.bonds(sheet)
        short = np.flatnonzero(
            (np.linalg.norm(bonds.vector, axis=1) < bond) & (bonds.first < bonds.second)
        )
        touched = np.zeros(len(sheet), dtype=bool)
        for chosen in rng.permutation(short):
            first, second = bonds.first[chosen], bonds.second[chosen]
            middle = sheet.positions[first] + bonds.vector[chosen] / 2
            near = _within(sheet, middle, _TOUCHED)
            if n_rotations == 0 or touched[near].any():
                continue
            touched[near] = True
            half = np.array([-bonds.vector[chosen][1], bonds.vector[chosen][0], 0.0]) / 2
            sheet.positions[first], sheet.positions[second] = middle - half, middle + half
            n_rotations -= 1
        sheet = relax(sheet, potential, max_force=loose, cell="isotropic")
    return sheet


def _within(sheet: Atoms, point: np.ndarray, radius: float) -> np.ndarray:
    """Atoms of an orthogonal sheet nearer to ``point`` than ``radius`` (Å), in the plane."""
    box = sheet.cell.lengths()[:2]
    offset = (sheet.positions - point)[:, :2]
    offset -= box * np.round(offset / box)
    return np.flatnonzero(np.hypot(*offset.T) < radius)
