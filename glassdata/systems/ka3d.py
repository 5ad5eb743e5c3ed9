"""Kob and Andersen's binary mixture in space, cooled at rates two decades apart.

Energies and sizes: Kob and Andersen, Phys. Rev. E 51, 4626 (1995), doi:10.1103/PhysRevE.51.4626,
80 particles of the first kind to 20 of the second. Their cut-off of 2.5 σ leaves a step in the
force, and the Hessian a jump; here the pairs end as those of ``ka2d`` do, with two continuous
derivatives. Energies are therefore not those of Kob and Andersen. Units as in ``ka2d``.

The density is fixed, and is the second direction in which preparations differ. Temperatures go as
its fifth power, as the mixture's times do: Coslovich and Roland, J. Chem. Phys. 130, 014508 (2009),
doi:10.1063/1.3054635.
"""

from ase.build import bulk

from glassdata.crystal import Crystal
from glassdata.potentials import LennardJonesMixture
from glassdata.protocols import Cooling, QuenchedGlass
from glassdata.system import System
from glassdata.systems.ka2d import EPSILON, KELVIN, SIGMA, matrix

_SPECIES = ("Ar", "Ca")
_PICOSECONDS = 2.156  # the mixture's unit of time, σ √(m/ε)

MIXTURE = LennardJonesMixture(
    _SPECIES,
    epsilon=matrix(EPSILON, (1.0, 1.5), (1.5, 0.5)),
    sigma=matrix(SIGMA, (1.0, 0.8), (0.8, 0.88)),
)
_PUBLISHED_DENSITY = 1.2
_DENSITIES = (1.15, 1.2, 1.25)


def _coolings(rates: tuple[float, ...]) -> tuple[Cooling, ...]:
    """One for each density and rate, in the mixture's units."""
    return tuple(
        Cooling(
            rate=KELVIN / _PICOSECONDS * rate,
            hot=0.9 * KELVIN * (density / _PUBLISHED_DENSITY) ** 5,
            cold=0.35 * KELVIN * (density / _PUBLISHED_DENSITY) ** 5,
            density=density / SIGMA**3,
        )
        for density in _DENSITIES
        for rate in rates
    )


def _protocol(n_structures: int, units: int, coolings: tuple[Cooling, ...]) -> QuenchedGlass:
    return QuenchedGlass(
        n_structures,
        composition=(4, 1),
        units=units,
        coolings=coolings,
        replicated=1,
        cooled_with=MIXTURE,
        cell="fixed",
        melt_time=8.0 * _PICOSECONDS,
        timestep=0.008 * _PICOSECONDS,
        separation=0.85 * SIGMA,
        max_force=1e-6,
    )


_RATES = (3e-2, 3e-3, 3e-4)
_CS_CL = {"name": "ArCa", "crystalstructure": "cesiumchloride", "a": 1.05 * SIGMA}

KA3D = System(
    name="ka3d",
    title="Kob-Andersen mixture, 3D",
    summary="liquid cooled at constant density, minimised",
    reference="Kob, Andersen, Phys. Rev. E 51, 4626 (1995); smooth at 2.5 sigma",
    species=_SPECIES,
    potential=MIXTURE,
    protocols={
        "demo": _protocol(8, 34, _coolings((1e-1, 3e-2))),
        "reference": _protocol(72, 200, _coolings(_RATES)),
        "paper": _protocol(1000, 200, _coolings(_RATES)),
    },
    crystal=Crystal(bulk, _CS_CL, MIXTURE),
    dim=3,
    r_max=12.0,
    omega_max=3.0,
    bond_length=1.4 * SIGMA,
    class_variable="far_order",
    class_edges=(0.6, 0.4, 0.2),
)
