"""Lennard-Jones argon in two and three dimensions.

Parameters ε/k_B = 119.8 K and σ = 3.405 Å: Rahman, Phys. Rev. 136, A405 (1964),
doi:10.1103/PhysRev.136.A405 (rounded there to 120 K and 3.4 Å). Force-shifted at 2.5 σ.

The cell relaxes to zero pressure: a glass held at the volume of its crystal is compressed, and
its spectrum stiffens because of the pressure, not because of the disorder.
"""

import numpy as np
from ase import Atoms
from ase.build import bulk

from glassdata.crystal import Crystal
from glassdata.potentials import LennardJones
from glassdata.protocols import CrystalDisorder, Stratum
from glassdata.system import System
from glassdata.units import BOLTZMANN

_EPSILON = 119.8 * BOLTZMANN
_SIGMA = 3.405
_SOLID = LennardJones(_EPSILON, _SIGMA, 2.5 * _SIGMA)
_PLANE = LennardJones(_EPSILON, _SIGMA, 2.5 * _SIGMA, dim=2)


_FCC = {"name": "Ar", "crystalstructure": "fcc", "a": 1.56 * _SIGMA, "cubic": True}


def triangular(*, symbol: str, a: float) -> Atoms:
    """Triangular lattice of spacing ``a`` (Å) in its rectangular cell of two atoms."""
    height = a * np.sqrt(3.0)
    return Atoms(
        [symbol, symbol],
        positions=[[0.0, 0.0, 10.0], [a / 2, height / 2, 10.0]],
        cell=[a, height, 20.0],
        pbc=(True, True, False),
    )


# After displacements below about 0.9 Å the crystal comes back, and above 1 Å nothing of it is left.
# Disorder between the two comes from vacancies, which close when the cell relaxes.
_STRATA_3D = (
    Stratum(2, displacement=(0.05, 0.8), vacancy_fraction=(0.0, 0.1)),
    Stratum(5, displacement=(0.3, 0.75), vacancy_fraction=(0.11, 0.22)),
    Stratum(2, displacement=(1.1, 2.0), vacancy_fraction=(0.0, 0.1)),
)

# In the plane one species always crystallises: the most disordered structures are polycrystals,
# and what is called amorphous has lost the far order alone.
_STRATA_2D = (
    Stratum(2, displacement=(0.05, 0.8), vacancy_fraction=(0.0, 0.12)),
    Stratum(5, displacement=(0.3, 0.95), vacancy_fraction=(0.12, 0.3)),
    Stratum(2, displacement=(1.2, 2.0), vacancy_fraction=(0.0, 0.1)),
)


def _protocol(
    strata: tuple[Stratum, ...], n_structures: int, cells: tuple[int, int, int]
) -> CrystalDisorder:
    return CrystalDisorder(
        n_structures, cells, strata, 2, separation=2.8, cell="isotropic", max_force=1e-5
    )


LJ3D = System(
    name="lj3d",
    title="Lennard-Jones argon, 3D",
    summary="fcc, vacancies, displaced, minimised at zero pressure",
    reference="Rahman, Phys. Rev. 136, A405 (1964); force-shifted at 2.5 sigma",
    species=("Ar",),
    potential=_SOLID,
    protocols={
        "demo": _protocol(_STRATA_3D, 8, (3, 3, 3)),
        "reference": _protocol(_STRATA_3D, 310, (6, 6, 6)),
        "paper": _protocol(_STRATA_3D, 1000, (6, 6, 6)),
    },
    crystal=Crystal(bulk, _FCC, _SOLID),
    dim=3,
    r_max=12.0,
    omega_max=3.0,
    bond_length=1.36 * _SIGMA,
    # Far order alone would take crystallites for glass: they have little, and much order near by.
    class_variable="local_bond_order",
    class_edges=(0.55, 0.5, 0.35),
)

LJ2D = System(
    name="lj2d",
    title="Lennard-Jones argon, 2D",
    summary="triangular, vacancies, displaced, minimised at zero pressure",
    reference="Rahman, Phys. Rev. 136, A405 (1964); force-shifted at 2.5 sigma",
    species=("Ar",),
    potential=_PLANE,
    protocols={
        "demo": _protocol(_STRATA_2D, 8, (8, 5, 1)),
        "reference": _protocol(_STRATA_2D, 310, (28, 16, 1)),
        "paper": _protocol(_STRATA_2D, 1000, (28, 16, 1)),
    },
    crystal=Crystal(triangular, {"symbol": "Ar", "a": 1.11 * _SIGMA}, _PLANE),
    dim=2,
    r_max=12.0,
    omega_max=3.0,
    bond_length=1.45 * _SIGMA,
    class_variable="far_order",
    class_edges=(0.6, 0.4, 0.2),
)
