"""Amorphous monolayer carbon: sheets from graphene to a random network.

Potentials: Tersoff, doi:10.1103/PhysRevB.39.5566 (its carbon is that of
doi:10.1103/PhysRevLett.61.2879), and for ``amc_lb`` Lindsay and Broido,
doi:10.1103/PhysRevB.81.205441.
"""

from dataclasses import replace

from ase import Atoms
from ase.build import graphene

from glassdata.config import FINE_POSITION_STEP
from glassdata.crystal import Crystal
from glassdata.potentials import LINDSAY_BROIDO_2010, TERSOFF_1989, BondOrder
from glassdata.protocols import SheetDisorder, SheetsOfOthers, Stratum
from glassdata.system import System

_BOND = 2.0  # Å: between the first (1.46) and the second (2.5) neighbours

# One rotation per hundred atoms changes about seven of a hundred rings, and a quench changes half
# of them; the faster it is, and the further its density is from graphene's, the worse the network.
# Some sheets keep the frame of the flat sheet. The others have a free one, as sheets of other
# groups have, or are pulled by up to 0.3 eV/Å² (5 N/m); large heights break bonds as they buckle.
_FREE = Stratum(1, tension=(0.0, 0.0), kick=(0.05, 0.6))
_FAST = replace(_FREE, cooling_time=(0.02, 5.0), melt_density=(0.85, 1.4))
_STRATA = (
    Stratum(1, vacancy_fraction=(0.0, 0.2)),
    Stratum(1, stone_wales=(0.0, 0.1), vacancy_fraction=(0.0, 0.1)),
    Stratum(1, cooling_time=(0.1, 10.0)),
    Stratum(1, cooling_time=(0.02, 10.0), vacancy_fraction=(0.0, 0.2)),
    replace(_FREE, stone_wales=(0.0, 0.03), vacancy_fraction=(0.0, 0.03)),
    replace(_FREE, vacancy_fraction=(0.0, 0.1)),
    replace(_FREE, stone_wales=(0.0, 0.15), vacancy_fraction=(0.0, 0.08)),
    replace(_FAST, weight=2, kick=(0.05, 0.35)),
    replace(_FAST, weight=3, kick=(0.35, 0.55)),
    replace(_FAST, vacancy_fraction=(0.0, 0.08)),
    replace(_FAST, vacancy_fraction=(0.0, 0.1), tension=(0.0, 0.3), kick=None),
)
_REPLICATED = 2
# Cells of four atoms: 96 to 240 atoms, and few of 504 and 912. Families take the sizes in turn,
# and eleven sizes have no factor in common with the fourteen turns of the strata.
_SIZES = (
    *((6, 4), (8, 5), (10, 6), (6, 4), (8, 5), (14, 9)),
    *((6, 4), (8, 5), (10, 6), (10, 6), (19, 12)),
)


# Two hundred of four thousand sheets of the group whose claim the book tests, arXiv:2602.05313.
_OF_OTHERS = SheetsOfOthers(
    n_structures=200,
    most_atoms=252,
    file="amc-sheets.extxyz.xz",
    sha256="4c0abc88fd9e7ca1378f9bf4b06a53523606fb0736b2cba7417acd9de50cc781",
    source="sheets of the authors of arXiv:2602.05313",
)


def rectangular_graphene(*, a: float, vacuum: float) -> Atoms:
    """Graphene in its rectangular four-atom cell, with ``vacuum`` (Å) on either side."""
    hexagonal = graphene(a=a, vacuum=vacuum)
    (ax, _, _), _, (_, _, cz) = hexagonal.cell.array
    bond = ax / 3**0.5
    flat = [(0.0, 0.0), (0.0, bond), (ax / 2, 1.5 * bond), (ax / 2, 2.5 * bond)]
    positions = [(x, y, cz / 2) for x, y in flat]
    return Atoms("C4", positions=positions, cell=[ax, 3 * bond, cz], pbc=(True, True, False))


def _graphene(potential: BondOrder) -> Crystal:
    return Crystal(rectangular_graphene, {"a": 2.5, "vacuum": 10.0}, potential)


# Lindsay and Broido fitted the phonons of graphene. Under their potential a melt freezes into a
# network of chains, about 0.3 eV per atom below graphene. So every melt is quenched with Tersoff's.
_MELT = _graphene(BondOrder(TERSOFF_1989))


def _system(name: str, title: str, potential: BondOrder, n_reference: int) -> System:
    demo = SheetDisorder(
        8, (6, 4), ((6, 4), (7, 4)), _STRATA, _REPLICATED, _MELT, _BOND, melt_time=0.5
    )
    paper = replace(demo, n_structures=1000, cells=(19, 12), sizes=((19, 12),), melt_time=2.0)
    reference = replace(demo, n_structures=n_reference, cells=(8, 5), sizes=_SIZES)
    return System(
        name=name,
        title=title,
        summary="graphene with defects, or quenched in the plane; vacancies; frames held or free",
        reference=potential.parameter_set["__ref__"],
        species=("C",),
        potential=potential,
        protocols={
            "demo": demo,
            "reference": reference,
            "paper": paper,
            "external": _OF_OTHERS,
        },
        crystal=_graphene(potential),
        dim=2,
        r_max=10.0,
        omega_max=100.0,
        bond_length=_BOND,
        position_step=FINE_POSITION_STEP,
        class_variable="non_hexagonal",
        class_edges=(0.1, 0.25, 0.4),
    )


# Of these numbers about three hundred can be relaxed.
AMC = _system("amc", "Amorphous monolayer carbon", BondOrder(TERSOFF_1989), 310)
AMC_LB = _system(
    "amc_lb", "Amorphous monolayer carbon, Lindsay-Broido", BondOrder(LINDSAY_BROIDO_2010), 310
)
