"""Equimolar CoCuFeNiPd, a high-entropy alloy: a random crystal, displaced, and a glass.

Potential: Zhou, Johnson and Wadley, doi:10.1103/PhysRevB.69.144113, whose mixing rule gives an
alloy of any metals of their table. The crystal is face-centred cubic with the five metals on its
sites at random. Every second structure is a liquid that was cooled at one of three densities, as in
``cualzr``.
"""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.build import bulk

from glassdata.crystal import Crystal
from glassdata.potentials import zhou_eam
from glassdata.protocols import Cooling, CrystalDisorder, Joined, Part, QuenchedGlass, Stratum
from glassdata.system import System

_SPECIES = ("Co", "Cu", "Fe", "Ni", "Pd")
_POTENTIAL = zhou_eam(_SPECIES, r_on=6.5, r_cut=7.5)
_DENSITY = 0.0798  # Å^-3, of the glass at about zero pressure
_RATES = (2000.0, 200.0, 20.0)  # K/ps

_STRATA = (
    Stratum(2, displacement=(0.05, 0.6), vacancy_fraction=(0.0, 0.04)),
    Stratum(
        5,
        displacement=(1.0, 1.6),
        displaced_fraction=(0.03, 0.6),
        vacancy_fraction=(0.0, 0.04),
    ),
    Stratum(2, displacement=(0.9, 1.6), vacancy_fraction=(0.0, 0.04)),
)


def random_alloy(*, a: float, cells: int) -> Atoms:
    """Face-centred cubic crystal whose sites hold the five metals in equal numbers, at random.

    Parameters
    ----------
    a : float, Å
        Lattice constant.
    cells : int
        Cells of four atoms along each axis.
    """
    return _occupied(a, (cells, cells, cells), np.random.default_rng(0))


def _occupied(a: float, cells: tuple[int, int, int], rng: np.random.Generator) -> Atoms:
    alloy = bulk("Ni", "fcc", a=a, cubic=True) * cells
    alloy.symbols = rng.permutation(np.resize(_SPECIES, len(alloy)))
    return alloy


@dataclass(frozen=True)
class RandomAlloyDisorder(CrystalDisorder):
    """Disorder of a crystal whose sites each family occupies in its own way."""

    def lattice(self, system: System, rng: np.random.Generator) -> Atoms:
        """The crystal at this size, its sites occupied with ``rng``."""
        length = (4 * system.crystal().cell.volume / len(system.crystal())) ** (1 / 3)
        return _occupied(length, self.cells, rng)


def _coolings(rates: tuple[float, ...]) -> tuple[Cooling, ...]:
    """One for each density and rate (K/ps)."""
    return tuple(
        Cooling(rate, hot=2200.0, cold=600.0, density=share * _DENSITY)
        for share in (0.97, 1.0, 1.03)
        for rate in rates
    )


def _protocol(n: int, cells: tuple[int, int, int], units: int, *rates: float) -> Joined:
    displaced = RandomAlloyDisorder(
        n, cells, _STRATA, 2, separation=2.0, cell="isotropic", max_force=1e-4
    )
    cooled = QuenchedGlass(
        n,
        composition=(1, 1, 1, 1, 1),
        units=units,
        coolings=_coolings(rates),
        replicated=1,
        cooled_with=_POTENTIAL,
        cell="fixed",
        melt_time=6.0,
        timestep=0.003,
        separation=2.0,
        max_force=1e-4,
    )
    return Joined(n, (Part(1, displaced), Part(1, cooled)))


HEA = System(
    name="hea",
    title="High-entropy alloy CoCuFeNiPd",
    summary="random fcc, displaced, at zero pressure; and liquid cooled at three densities",
    reference="Zhou, Johnson, Wadley, Phys. Rev. B 69, 144113 (2004)",
    species=_SPECIES,
    potential=_POTENTIAL,
    protocols={
        "demo": _protocol(8, (3, 3, 3), 30, 2000.0),
        "reference": _protocol(96, (5, 5, 5), 100, *_RATES),
        "paper": _protocol(1000, (6, 6, 6), 180, *_RATES),
    },
    crystal=Crystal(random_alloy, {"a": 3.65, "cells": 5}, _POTENTIAL, max_force=1e-6),
    dim=3,
    r_max=10.0,
    omega_max=12.0,
    bond_length=3.2,
    class_variable="far_order",
    class_edges=(0.6, 0.4, 0.2),
)
