"""Amorphous monolayer carbon: sheets from graphene to a random network.

Potentials: Tersoff, doi:10.1103/PhysRevB.39.5566 (its carbon is that of
doi:10.1103/PhysRevLett.61.2879), and for ``amc_lb`` Lindsay and Broido,
doi:10.1103/PhysRevB.81.205441.

Graphene of this potential, held in its plane, does not melt within picoseconds even at
10,000 K. The quench therefore starts from atoms at random in the plane.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from ase import Atoms
from ase.build import graphene

from glassdata.config import check_positive
from glassdata.generate import Member, Stratum, generator, place, vacate
from glassdata.melt import quench_in_plane
from glassdata.minimise import relax, separate, settle
from glassdata.potentials import LINDSAY_BROIDO_2010, TERSOFF_1989, BondOrder, Potential
from glassdata.system import System

_BOND = 2.0  # Å: between the first (1.46) and the second (2.5) neighbours
_LOOSE = 1e-2  # eV/Å: enough for a structure that is going to change again
# Lindsay and Broido fitted graphene's phonons. Their own melt freezes into a network of chains
# some 0.3 eV per atom below their graphene, so every melt is quenched with Tersoff's carbon.
_MELT = BondOrder(TERSOFF_1989)

# A hundredth of a rotation per atom spoils about seven of a hundred rings, and a quench half of
# them: the weights make the classes of disorder come out about even.
_STRATA = (
    Stratum(2, vacancy_fraction=(0.0, 0.2)),
    Stratum(4, stone_wales=(0.0, 0.07)),
    Stratum(2, stone_wales=(0.0, 0.06), vacancy_fraction=(0.0, 0.1)),
    Stratum(1, cooling_time=(0.1, 10.0)),
    Stratum(2, cooling_time=(0.1, 10.0), vacancy_fraction=(0.0, 0.2)),
)
_REPLICATED = 3


@dataclass(frozen=True)
class SheetDisorder:
    """Graphene with defects, or a plane quenched from the melt; vacancies; freed to buckle.

    Attributes
    ----------
    n_structures : int
    cells, large_cells : tuple of int
        Repetitions of graphene's rectangular four-atom cell. Every eighth family is large, a
        tenth of all structures.
    strata : tuple of Stratum
    replicated : int
    temperature : float, K
        Of the melt.
    melt_time : float, ps
    kick : float, Å
        Standard deviation of the heights given to the flat sheet before it may buckle.
    max_force : float, eV/Å
    """

    n_structures: int
    cells: tuple[int, int]
    large_cells: tuple[int, int]
    strata: tuple[Stratum, ...] = _STRATA
    replicated: int = _REPLICATED
    temperature: float = 8000.0
    melt_time: float = 2.0
    final_temperature: float = 300.0
    kick: float = 0.05
    max_force: float = 1e-4

    def __post_init__(self) -> None:
        lengths = ("n_structures", "cells", "large_cells", "kick", "max_force")
        melt = ("temperature", "melt_time", "final_temperature")
        check_positive(self, type(self).__name__, *lengths, *melt)

    def __call__(self, system: System, index: int) -> Atoms:
        member = place(self.strata, self.replicated, index)
        knobs = member.knobs
        cells = self.large_cells if self._large(member) else self.cells
        sheet = system.crystal() * (*cells, 1)
        rng = generator(system.name, member.parent, "melt")
        n_rotations, rate = 0, 0.0
        if "cooling_time" in knobs:
            sheet = self._quench(cells, knobs["cooling_time"], rng)
            rate = (self.temperature - self.final_temperature) / knobs["cooling_time"]
        else:
            n_rotations = round(knobs["stone_wales"] * len(sheet))
            sheet = rotate_bonds(sheet, n_rotations, system.potential, rng)
        holes = generator(system.name, member.parent, "vacancies")
        sheet = vacate(sheet, knobs["vacancy_fraction"], holes)
        steps = generator(system.name, member.parent, "displacement")
        sheet = self._free(sheet, system.potential, steps)
        sheet.wrap()
        sheet.info = {
            "parent": member.parent,
            "replicate": member.replicate,
            "vacancy_fraction": knobs["vacancy_fraction"],
            "n_stone_wales": n_rotations,
            "quench_rate": rate,
            "anneal_temperature": self.temperature if rate else 0.0,
        }
        return sheet

    def _free(self, sheet: Atoms, potential: Potential, rng: np.random.Generator) -> Atoms:
        """Give a flat sheet the frame it wants, then let it buckle within that frame.

        A sheet that may also shrink its frame while it buckles crumples: with a tenth of its atoms
        gone it folds onto itself, and neither its density nor its g(r) per area means much.
        """
        flat = relax(sheet, potential, max_force=_LOOSE, cell="isotropic")
        flat.positions[:, 2] += self.kick * rng.normal(size=len(flat))
        return settle(flat, potential, max_force=self.max_force)

    def largest(self, system: System) -> int:
        """Number of atoms of the large sheets before any are removed."""
        return len(system.crystal()) * int(np.prod(self.large_cells))

    def _large(self, member: Member) -> bool:
        return member.family is not None and member.family % 8 == 7

    def _quench(
        self, cells: tuple[int, int], cooling_time: float, rng: np.random.Generator
    ) -> Atoms:
        plane = _graphene(_MELT) * (*cells, 1)
        plane.positions[:, :2] = rng.random((len(plane), 2)) @ np.asarray(plane.cell)[:2, :2]
        plane = separate(plane, 1.6)
        plane = quench_in_plane(
            plane,
            _MELT,
            int(rng.integers(1, 900_000_000)),
            temperature=self.temperature,
            melt_time=self.melt_time,
            cooling_time=cooling_time,
            final_temperature=self.final_temperature,
        )
        return relax(plane, _MELT, max_force=_LOOSE)


def rotate_bonds(
    sheet: Atoms, n_rotations: int, potential: Potential, rng: np.random.Generator
) -> Atoms:
    """Stone-Wales rotations: turn bonds by 90° about their middles, in the plane.

    Bonds rotated together lie apart; between such batches the sheet is relaxed in its plane, so
    that later rotations act on the network that earlier ones made.
    """
    sheet = sheet.copy()
    while n_rotations > 0:
        bonds = potential.bonds(sheet)
        short = np.flatnonzero(
            (np.linalg.norm(bonds.vector, axis=1) < _BOND) & (bonds.first < bonds.second)
        )
        touched = np.zeros(len(sheet), dtype=bool)
        for bond in rng.permutation(short):
            first, second = bonds.first[bond], bonds.second[bond]
            middle = sheet.positions[first] + bonds.vector[bond] / 2
            near = _within(sheet, middle, 5.0)
            if n_rotations == 0 or touched[near].any():
                continue
            touched[near] = True
            half = np.array([-bonds.vector[bond][1], bonds.vector[bond][0], 0.0]) / 2
            sheet.positions[first], sheet.positions[second] = middle - half, middle + half
            n_rotations -= 1
        sheet = relax(sheet, potential, max_force=_LOOSE, cell="isotropic")
    return sheet


def _within(sheet: Atoms, point: np.ndarray, radius: float) -> np.ndarray:
    """Atoms of an orthogonal sheet nearer to ``point`` than ``radius`` (Å), in the plane."""
    box = sheet.cell.lengths()[:2]
    offset = (sheet.positions - point)[:, :2]
    offset -= box * np.round(offset / box)
    return np.flatnonzero(np.hypot(*offset.T) < radius)


@cache
def _graphene(potential: BondOrder) -> Atoms:
    hexagonal = graphene(a=2.5, vacuum=10.0)
    (ax, _, _), _, (_, _, cz) = np.asarray(hexagonal.cell)
    bond = ax / np.sqrt(3.0)
    positions = [[0, 0, 0], [0, bond, 0], [ax / 2, 1.5 * bond, 0], [ax / 2, 2.5 * bond, 0]]
    start = Atoms("C4", positions=positions, cell=[ax, 3 * bond, cz], pbc=(True, True, False))
    start.positions[:, 2] = cz / 2
    return relax(start, potential, max_force=1e-7, cell="isotropic")


def _system(name: str, title: str, potential: BondOrder, n_reference: int) -> System:
    return System(
        name=name,
        title=title,
        summary="graphene with defects, or quenched in the plane; vacancies; freed to buckle",
        reference=potential.parameter_set["__ref__"],
        species=("C",),
        potential=potential,
        protocols={
            "demo": SheetDisorder(8, (6, 4), (7, 4), melt_time=0.5),
            "reference": SheetDisorder(n_reference, (14, 9), (19, 12)),
            "paper": SheetDisorder(1000, (19, 12), (19, 12)),
        },
        crystal=lambda: _graphene(potential).copy(),
        dim=2,
        r_max=10.0,
        omega_max=100.0,
        bond_length=_BOND,
        class_variable="non_hexagonal",
        class_edges=(0.1, 0.25, 0.4),
    )


# A few sheets do not come to rest: three hundred shall be left, and two hundred.
AMC = _system("amc", "Amorphous monolayer carbon", BondOrder(TERSOFF_1989), 305)
AMC_LB = _system(
    "amc_lb", "Amorphous monolayer carbon, Lindsay-Broido", BondOrder(LINDSAY_BROIDO_2010), 230
)
