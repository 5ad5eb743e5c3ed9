"""Cu46Zr46Al8 metallic glass: from the ordered (B2) crystal, and from the liquid.

Potentials: Zhou, Johnson and Wadley, doi:10.1103/PhysRevB.69.144113 (default, from formulas), and
Cheng, Ma and Sheng, doi:10.1103/PhysRevLett.102.245501 (a setfl file that the user obtains).

The crystal must be ordered. The same atoms at random on bcc sites collapse to a glass at any
displacement, and the data would have no crystal-like structure. The cell relaxes to zero pressure.

Every second structure is a liquid that was cooled, at rates two decades apart, at one of three
densities: about that of zero pressure, and three per cent less and more. Density is the second
direction in which preparations differ, because it spreads the spectra more than another direction
of the same reach: the variance between preparations is 2.3 times that of repeats (100 bins), and
that between 4, 8 and 12 % of aluminium at zero pressure 0.9 times (500 atoms, potential of Cheng,
Ma and Sheng).
"""

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from ase import Atoms
from ase.build import bulk

from glassdata.crystal import Crystal
from glassdata.potentials import Potential, TabulatedFile, zhou_eam
from glassdata.protocols import Cooling, CrystalDisorder, Joined, Part, QuenchedGlass, Stratum
from glassdata.system import System

_ALUMINIUM = 0.08

_STRATA = (
    Stratum(
        2,
        displacement=(0.05, 0.6),
        vacancy_fraction=(0.0, 0.04),
        antisite_fraction=(0.0, 0.1),
    ),
    Stratum(
        5,
        displacement=(1.2, 1.8),
        displaced_fraction=(0.03, 0.45),
        vacancy_fraction=(0.0, 0.04),
        antisite_fraction=(0.0, 0.1),
    ),
    Stratum(2, displacement=(0.9, 1.8), vacancy_fraction=(0.0, 0.04)),
)


def b2_alloy(*, a: float, cells: int, aluminium: float) -> Atoms:
    """B2 CuZr of lattice constant ``a`` (Å) in which a share of the sites holds aluminium.

    Parameters
    ----------
    a : float, Å
        Lattice constant.
    cells : int
        Cells of two atoms along each axis.
    aluminium : float
        Share of the sites that hold aluminium, 0 to 1.
    """
    ordered = bulk("CuZr", "cesiumchloride", a=a) * (cells, cells, cells)
    return _substituted(ordered, aluminium, np.random.default_rng(0))


def _substituted(atoms: Atoms, aluminium: float, rng: np.random.Generator) -> Atoms:
    """Aluminium on equal shares of both sublattices."""
    alloy = atoms.copy()
    for symbol in ("Cu", "Zr"):
        sites = np.flatnonzero(np.array(alloy.symbols) == symbol)
        chosen = rng.permutation(sites)[: round(aluminium * len(sites))]
        alloy.symbols[chosen] = "Al"
    return alloy


@dataclass(frozen=True)
class AlloyDisorder(CrystalDisorder):
    """Disorder of a B2 crystal in which ``aluminium``, a share of the sites, is substituted."""

    aluminium: float = _ALUMINIUM

    def science(self) -> dict:
        """Everything that determines the structures, as plain data."""
        return super().science() | {"aluminium": self.aluminium}

    def lattice(self, system: System, rng: np.random.Generator) -> Atoms:
        """B2 CuZr at this size with the glass's share of aluminium."""
        length = (system.crystal().cell.volume / len(system.crystal()) * 2) ** (1 / 3)
        ordered = bulk("CuZr", "cesiumchloride", a=length) * self.cells
        return _substituted(ordered, self.aluminium, rng)


_COMPOSITION = (4, 23, 23)  # Al, Cu, Zr
_RATES = (900.0, 90.0, 9.0)  # K/ps


def _coolings(rates: tuple[float, ...], density: float) -> tuple[Cooling, ...]:
    """One for each density (Å^-3), about the given one of zero pressure, and rate (K/ps)."""
    return tuple(
        Cooling(rate, hot=1600.0, cold=600.0, density=share * density)
        for share in (0.97, 1.0, 1.03)
        for rate in rates
    )


def _displaced(n_structures: int, cells: tuple[int, int, int]) -> AlloyDisorder:
    return AlloyDisorder(
        n_structures, cells, _STRATA, 2, separation=2.2, cell="isotropic", max_force=1e-4
    )


def _cooled(
    n_structures: int, units: int, potential: Potential, coolings: tuple[Cooling, ...]
) -> QuenchedGlass:
    return QuenchedGlass(
        n_structures,
        composition=_COMPOSITION,
        units=units,
        coolings=coolings,
        replicated=1,
        cooled_with=potential,
        cell="fixed",
        melt_time=6.0,
        timestep=0.003,
        separation=2.2,
        max_force=1e-4,
    )


def _system(name: str, title: str, reference: str, potential: Potential, density: float) -> System:
    def protocol(n: int, cells: tuple[int, int, int], units: int, *rates: float) -> Joined:
        cooled = _cooled(n, units, potential, _coolings(rates, density))
        return Joined(n, (Part(1, _displaced(n, cells)), Part(1, cooled)))

    settings = {"a": 3.26, "cells": 5, "aluminium": _ALUMINIUM}
    return System(
        name=name,
        title=title,
        summary="B2 with Al, displaced, at zero pressure; and liquid cooled at three densities",
        reference=reference,
        species=("Al", "Cu", "Zr"),
        potential=potential,
        protocols={
            "demo": protocol(8, (4, 4, 4), 3, 900.0),
            "reference": protocol(96, (7, 7, 6), 12, *_RATES),
            "paper": protocol(1000, (8, 8, 7), 18, *_RATES),
        },
        crystal=Crystal(b2_alloy, settings, potential, max_force=1e-6),
        dim=3,
        r_max=10.0,
        omega_max=15.0,
        bond_length=3.9,
        class_variable="far_order",
        class_edges=(0.6, 0.4, 0.2),
    )


CUALZR = _system(
    "cualzr",
    "Cu-Al-Zr metallic glass",
    "Zhou, Johnson, Wadley, Phys. Rev. B 69, 144113 (2004)",
    zhou_eam(("Al", "Cu", "Zr"), r_on=6.5, r_cut=7.5),
    density=0.0600,
)

#: Cheng, Ma and Sheng, doi:10.1103/PhysRevLett.102.245501.
SHENG = TabulatedFile(
    file="ZrCuAl2011.eam.alloy",
    sha256="12fc74dd298ccdee179d10091e80f6948402af8443d8dda3579aff850b121f8f",
    source=(
        "Cheng, Ma, Sheng, Phys. Rev. Lett. 102, 245501 (2009): ZrCuAl2011.eam.alloy "
        "from the NIST Interatomic Potentials Repository"
    ),
    symbols=("Zr", "Cu", "Al"),
    r_cut=6.5,
    # Below 1.88 Å the tables go on in another form: all six kinds of pairs have a second minimum
    # there, between 1.6 and 1.8 Å. True neighbours in the glass are at least 2.2 Å apart.
    shortest=dict.fromkeys(combinations_with_replacement(("Zr", "Cu", "Al"), 2), 2.0),
)

CUALZR_SHENG = _system("cualzr_sheng", "Cu-Al-Zr, Cheng-Ma-Sheng", SHENG.source, SHENG, 0.0578)
