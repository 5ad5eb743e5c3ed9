"""Silicon carbide from displaced zinc blende.

Potentials: Erhart and Albe, doi:10.1103/PhysRevB.71.035211 (default), and Tersoff,
doi:10.1103/PhysRevB.39.5566.

The cell keeps the crystal's size: at zero pressure strongly displaced SiC opens into a foam
a third larger than the crystal, because the short-ranged potential does not feel a void.
"""

from ase.build import bulk

from glassdata.crystal import Crystal
from glassdata.potentials import ERHART_ALBE_2005, TERSOFF_1989, BondOrder
from glassdata.protocols import CrystalDisorder, Stratum
from glassdata.system import System

_STRATA = (
    Stratum(2, displacement=(0.02, 0.32), vacancy_fraction=(0.0, 0.05)),
    Stratum(
        3,
        displacement=(0.5, 1.0),
        displaced_fraction=(0.05, 0.6),
        vacancy_fraction=(0.0, 0.05),
    ),
    Stratum(2, displacement=(0.35, 0.55), vacancy_fraction=(0.0, 0.05)),
    Stratum(2, displacement=(0.6, 1.2), vacancy_fraction=(0.0, 0.05)),
)


def _protocol(n_structures: int, cells: tuple[int, int, int]) -> CrystalDisorder:
    return CrystalDisorder(
        n_structures, cells, _STRATA, 3, separation=1.4, cell="fixed", max_force=1e-4
    )


_ZINC_BLENDE = {"name": "SiC", "crystalstructure": "zincblende", "a": 4.35, "cubic": True}


def _system(name: str, title: str, potential: BondOrder, n_reference: int) -> System:
    return System(
        name=name,
        title=title,
        summary="zinc blende, vacancies, displaced, minimised at fixed cell",
        reference=potential.parameter_set["__ref__"],
        species=("C", "Si"),
        potential=potential,
        protocols={
            "demo": _protocol(8, (2, 2, 2)),
            "reference": _protocol(n_reference, (4, 4, 4)),
            "paper": _protocol(1000, (5, 5, 4)),
        },
        crystal=Crystal(bulk, _ZINC_BLENDE, potential),
        dim=3,
        r_max=10.0,
        omega_max=50.0,
        bond_length=2.4,
        class_variable="excess_energy",
        class_edges=(0.15, 0.6, 1.2),
    )


SIC = _system("sic", "Silicon carbide", BondOrder(ERHART_ALBE_2005), 400)
SIC_TERSOFF = _system("sic_tersoff", "Silicon carbide, Tersoff 1989", BondOrder(TERSOFF_1989), 200)
