"""Amorphous silicon, cooled from a liquid whose bond angles are stiffer than the glass's.

Stillinger and Weber, Phys. Rev. B 31, 5262 (1985), doi:10.1103/PhysRevB.31.5262. Their liquid
cools to a dense glass with more than four neighbours an atom. With a three-body term stronger by a
quarter it cools to a network of four neighbours, which is then relaxed with the true potential.

The liquid is cooled at zero pressure; the glass has one of three densities, the second direction
in which preparations differ. 0.0491 atoms per Å³, 2.29 g/cm³, is about that of zero pressure.
"""

from dataclasses import replace

from ase.build import bulk

from glassdata.crystal import Crystal
from glassdata.potentials import StillingerWeber
from glassdata.protocols import Cooling, QuenchedGlass
from glassdata.system import System

_SILICON = StillingerWeber()
_STIFFER = replace(_SILICON, lam=1.25 * _SILICON.lam)
_DIAMOND = {"name": "Si", "crystalstructure": "diamond", "a": 5.431, "cubic": True}
_DENSITIES = (0.0471, 0.0491, 0.0511)  # Å^-3


def _coolings(rates: tuple[float, ...]) -> tuple[Cooling, ...]:
    """One for each density and rate (K/ps)."""
    return tuple(
        Cooling(rate, hot=3750.0, cold=1000.0, density=density)
        for density in _DENSITIES
        for rate in rates
    )


def _protocol(n_structures: int, units: int, coolings: tuple[Cooling, ...]) -> QuenchedGlass:
    return QuenchedGlass(
        n_structures,
        composition=(1,),
        units=units,
        coolings=coolings,
        replicated=1,
        cooled_with=_STIFFER,
        cell="isotropic",
        melt_time=5.0,
        timestep=0.002,
        separation=2.0,
        max_force=1e-4,
    )


_RATES = (200.0, 20.0, 5.0)  # K/ps

SI = System(
    name="si",
    title="Amorphous silicon",
    summary="liquid cooled at zero pressure with stiffer angles, minimised at its density",
    reference="Stillinger, Weber, Phys. Rev. B 31, 5262 (1985)",
    species=("Si",),
    potential=_SILICON,
    protocols={
        "demo": _protocol(8, 64, _coolings((400.0, 200.0))),
        "reference": _protocol(72, 512, _coolings(_RATES)),
        "paper": _protocol(1000, 1000, _coolings(_RATES)),
    },
    crystal=Crystal(bulk, _DIAMOND, _SILICON),
    dim=3,
    r_max=10.0,
    omega_max=20.0,
    bond_length=2.9,
    class_variable="far_order",
    class_edges=(0.6, 0.4, 0.2),
)
