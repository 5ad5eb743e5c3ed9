"""Silicon carbide: displaced zinc blende, and glass cooled from the liquid.

Potentials: Erhart and Albe, doi:10.1103/PhysRevB.71.035211 (default), and Tersoff,
doi:10.1103/PhysRevB.39.5566.

The cell keeps its size: at zero pressure strongly displaced SiC opens into a foam a third larger
than the crystal, because the short-ranged potential does not feel a void. Crystals are displaced
only as far as some of their order remains. Displaced further and minimised at the density of the
crystal they are no glass: three of four atoms are held at distances where bonds are switched off,
under 26 GPa. Glasses are liquids that were cooled instead, every second structure, at rates two
decades apart and one of three densities near that of zero pressure.

A third system has the learned potential NEP89, with small structures, since its second derivatives
are differences of forces. They are the displaced and the cooled ones of Erhart and Albe, relaxed.

The range of frequencies ends at 75 THz, not at the crystal's 30: the glasses have bonds between
carbon atoms, and a graphene of Tersoff's potential vibrates at up to 74 THz. With that potential
too many modes lie beyond even that; its own range ends at 90 THz, so that at most 2 % are lost.
"""

from ase.build import bulk
from ase.data import atomic_masses

from glassdata.config import FINE_POSITION_STEP
from glassdata.crystal import Crystal
from glassdata.learned import NEP89, NEP89_SIC, LearnedPotential
from glassdata.potentials import ERHART_ALBE_2005, TERSOFF_1989, BondOrder
from glassdata.protocols import Cooling, CrystalDisorder, Joined, Part, QuenchedGlass, Stratum
from glassdata.system import System
from glassdata.units import GRAM_PER_CM3

_STRATA = (
    Stratum(2, displacement=(0.02, 0.32), vacancy_fraction=(0.0, 0.05)),
    Stratum(
        3,
        displacement=(0.5, 1.0),
        displaced_fraction=(0.05, 0.35),
        vacancy_fraction=(0.0, 0.05),
    ),
    Stratum(2, displacement=(0.32, 0.42), vacancy_fraction=(0.0, 0.05)),
)
_RATES = (4000.0, 400.0, 40.0)  # K/ps
_ATOM = (atomic_masses[6] + atomic_masses[14]) / 2 * GRAM_PER_CM3  # g/cm³ of one atom per Å³


def _coolings(rates: tuple[float, ...]) -> tuple[Cooling, ...]:
    """One for each density (g/cm³) and rate (K/ps)."""
    return tuple(
        Cooling(rate, hot=4500.0, cold=1800.0, density=mass / _ATOM)
        for mass in (2.8, 2.9, 3.0)
        for rate in rates
    )


def _displaced(n_structures: int, cells: tuple[int, int, int]) -> CrystalDisorder:
    return CrystalDisorder(
        n_structures, cells, _STRATA, 1, separation=1.4, cell="fixed", max_force=1e-4
    )


def _cooled(
    n_structures: int, units: int, potential: BondOrder, coolings: tuple[Cooling, ...]
) -> QuenchedGlass:
    return QuenchedGlass(
        n_structures,
        composition=(1, 1),
        units=units,
        coolings=coolings,
        replicated=1,
        cooled_with=potential,
        cell="fixed",
        melt_time=3.0,
        timestep=0.001,
        separation=1.5,
        max_force=1e-4,
    )


def displaced_and_cooled(
    n_structures: int,
    cells: tuple[int, int, int],
    units: int,
    potential: BondOrder,
    *,
    rates: tuple[float, ...] = _RATES,
) -> Joined:
    """Displaced crystals of so many cubes, and liquids of so many pairs of atoms, in turn.

    Parameters
    ----------
    n_structures : int
    cells : tuple of 3 ints
        Cubes of eight atoms along each direction, before atoms are removed.
    units : int
        Atoms of each species in a liquid.
    potential : BondOrder
        Of the liquid.
    rates : tuple of float, K/ps

    Examples
    --------
    >>> len(displaced_and_cooled(4, (2, 2, 2), 32, BondOrder(ERHART_ALBE_2005)).parts)
    2
    """
    displaced = _displaced(n_structures, cells)
    cooled = _cooled(n_structures, units, potential, _coolings(rates))
    return Joined(n_structures, (Part(1, displaced), Part(1, cooled)))


_ZINC_BLENDE = {"name": "SiC", "crystalstructure": "zincblende", "a": 4.35, "cubic": True}


def _system(
    name: str,
    title: str,
    reference: str,
    potential: BondOrder | LearnedPotential,
    cooled_with: BondOrder,
    *,
    cells: tuple[int, int, int] = (4, 4, 4),
    units: int = 128,
    n_reference: int = 96,
    omega_max: float = 75.0,
) -> System:
    return System(
        name=name,
        title=title,
        summary="zinc blende, vacancies, displaced, and liquid cooled; fixed cells",
        reference=reference,
        species=("C", "Si"),
        potential=potential,
        protocols={
            "demo": displaced_and_cooled(8, (2, 2, 2), 40, cooled_with, rates=(4000.0,)),
            "reference": displaced_and_cooled(n_reference, cells, units, cooled_with),
            "paper": displaced_and_cooled(1000, (5, 5, 4), 400, cooled_with),
        },
        crystal=Crystal(bulk, _ZINC_BLENDE, potential),
        dim=3,
        r_max=10.0,
        omega_max=omega_max,
        bond_length=2.5,
        position_step=FINE_POSITION_STEP,
        class_variable="far_order",
        class_edges=(0.6, 0.3, 0.1),
    )


_ERHART_ALBE, _TERSOFF = BondOrder(ERHART_ALBE_2005), BondOrder(TERSOFF_1989)
SIC = _system(
    "sic", "Silicon carbide", ERHART_ALBE_2005["__ref__"], _ERHART_ALBE, cooled_with=_ERHART_ALBE
)
SIC_TERSOFF = _system(
    "sic_tersoff",
    "Silicon carbide, Tersoff 1989",
    TERSOFF_1989["__ref__"],
    _TERSOFF,
    cooled_with=_TERSOFF,
    omega_max=90.0,
)
SIC_MLIP = _system(
    "sic_mlip",
    "Silicon carbide, NEP89",
    NEP89.source,
    NEP89_SIC,
    cooled_with=_ERHART_ALBE,
    cells=(3, 3, 2),
    units=64,
    n_reference=150,
)
