"""A ternary mixture in the plane that swap Monte Carlo brings to equilibrium far below its onset.

Composition, energies, sizes and cut-off of Jung, Biroli and Berthier, Phys. Rev. Lett. 130, 238202
(2023), doi:10.1103/PhysRevLett.130.238202, after Kob and Andersen's binary mixture, Phys. Rev. E
51, 4626 (1995), doi:10.1103/PhysRevE.51.4626. Their unit of energy and of length are those of
argon here. Their three kinds of particles have one mass: they bear the names of argon, calcium and
potassium, whose masses agree within 2.5 %.

The density is fixed, and is the second direction in which preparations differ. At each density
the parents' temperatures go as the seventh power of the density, at which the liquids are about
equally slow, so that neither direction says what the other says.
"""

import numpy as np
from ase import Atoms

from glassdata.crystal import Crystal
from glassdata.potentials import LennardJonesMixture
from glassdata.protocols import Joined, Parent, Part, SwapGlass
from glassdata.system import System
from glassdata.units import BOLTZMANN

KELVIN = 119.8  # the mixture's unit of temperature
EPSILON = KELVIN * BOLTZMANN
SIGMA = 3.405
_SPECIES = ("Ar", "Ca", "K")
_PUBLISHED_DENSITY = 1.1920748  # particles per square of the unit of length


def matrix(unit: float, *rows: tuple[float, ...]) -> tuple[tuple[float, ...], ...]:
    """Rows of numbers in a unit."""
    return tuple(tuple(unit * value for value in row) for row in rows)


MIXTURE = LennardJonesMixture(
    _SPECIES,
    epsilon=matrix(EPSILON, (1.0, 1.5, 0.75), (1.5, 0.5, 1.5), (0.75, 1.5, 0.75)),
    sigma=matrix(SIGMA, (1.0, 0.8, 0.9), (0.8, 0.88, 0.8), (0.9, 0.8, 0.94)),
    dim=2,
)


def ordered_triangular(*, symbols: tuple[str, str, str], a: float) -> Atoms:
    """Triangular lattice of spacing ``a`` (Å) in which every neighbour is of another species."""
    height = a * np.sqrt(3.0)
    places = [[k * a, 0.0, 10.0] for k in range(3)]
    places += [[(k + 0.5) * a, height / 2, 10.0] for k in range(3)]
    one, other, third = symbols
    return Atoms(
        [one, other, third, third, one, other],
        positions=places,
        cell=[3 * a, height, 20.0],
        pbc=(True, True, False),
    )


def _parents(sweeps: dict[float, int], densities: tuple[float, ...]) -> tuple[Parent, ...]:
    return tuple(
        Parent(
            temperature=KELVIN * t * (density / _PUBLISHED_DENSITY) ** 7,
            density=density / SIGMA**2,
            sweeps=n,
        )
        for density in densities
        for t, n in sweeps.items()
    )


def _protocol(n_structures: int, units: int, parents: tuple[Parent, ...]) -> SwapGlass:
    return SwapGlass(
        n_structures,
        composition=(20, 11, 12),
        units=units,
        parents=parents,
        replicated=2,
        hottest=KELVIN,
        rung=1.25,
        rung_sweeps=1000,
        step=0.1 * SIGMA,
        separation=0.8 * SIGMA,
        max_force=1e-6,
    )


_DENSITIES = (1.14, _PUBLISHED_DENSITY, 1.24)
# By temperature at the published density: two to three times as many sweeps as it takes until a
# particle in e has left its place.
_SWEEPS = {0.60: 4000, 0.45: 10000, 0.36: 20000, 0.30: 60000}
_QUICK = {0.80: 3000, 0.60: 6000}

_OF_QUARTER = _protocol(48, 7, _parents(_SWEEPS, _DENSITIES))
_OF_HALF = _protocol(48, 15, _parents(_SWEEPS, _DENSITIES))

KA2D = System(
    name="ka2d",
    title="Ternary Kob-Andersen mixture, 2D",
    summary="liquid in equilibrium by swap Monte Carlo, minimised at its density",
    reference="Jung, Biroli, Berthier, Phys. Rev. Lett. 130, 238202 (2023)",
    species=_SPECIES,
    potential=MIXTURE,
    protocols={
        "demo": _protocol(8, 2, _parents(_QUICK, _DENSITIES)),
        "reference": _protocol(192, 30, _parents(_SWEEPS, _DENSITIES)),
        "paper": _protocol(1000, 30, _parents(_SWEEPS, _DENSITIES)),
        # A quarter and a half of the particles: how the noise of a spectrum falls with the size.
        "sizes": Joined(96, (Part(1, _OF_QUARTER), Part(1, _OF_HALF))),
    },
    crystal=Crystal(ordered_triangular, {"symbols": _SPECIES, "a": 0.94 * SIGMA}, MIXTURE),
    dim=2,
    r_max=12.0,
    omega_max=3.0,
    bond_length=1.38 * SIGMA,
    class_variable="far_order",
    class_edges=(0.6, 0.4, 0.2),
)
