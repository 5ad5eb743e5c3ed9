"""Structures that are measured, each made once a session: whole, or tiny for the test suite."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from ase import Atoms

import glassdata as gd
from glassdata.minimise import relax
from glassdata.protocols import vacate
from glassdata.systems import SYSTEMS


@dataclass(frozen=True)
class Case:
    """An amorphous structure of some 900 atoms, and a small one of the same kind."""

    title: str
    index: int
    small: int


#: Strongly disordered ones of the ``paper`` profile: cooled from the melt, or displaced by more
#: than this (Å, standard deviation per direction).
DISPLACED = 0.89
CASES = {
    "amc": Case("Tersoff, C sheet", 4, 4),
    "amc_lb": Case("Lindsay-Broido, C sheet", 4, 4),
    "sic_tersoff": Case("Tersoff, SiC", 1, 1),
    "sic": Case("Erhart-Albe, SiC", 1, 1),
    "cualzr": Case("EAM, Cu-Al-Zr", 1, 1),
    "lj3d": Case("Lennard-Jones", 5, 5),
    "lj2d": Case("Lennard-Jones, 2D", 5, 5),
}


def mostly_large(values: Iterable, small: Container) -> list:
    """Parameters of a benchmark, of which only ``small`` ones are run in the test suite."""
    return [v if v in small else pytest.param(v, marks=pytest.mark.large) for v in values]


@cache
def structure(name: str, full: bool) -> Atoms:
    """The structure of a case, relaxed under the system's potential."""
    case = CASES[name]
    index, profile = (case.index, "paper") if full else (case.small, "demo")
    atoms = gd.make_structure(name, index, profile)
    # That the protocols still make at these places what the page says of them.
    assert atoms.info.get("quench_rate", 0) > 0 or atoms.info["displacement"] > DISPLACED
    return atoms


@cache
def vacant_crystal(cells: int) -> Atoms:
    """Lennard-Jones fcc crystal with a tenth of its atoms missing, at rest."""
    system = SYSTEMS["lj3d"]
    holes = np.random.default_rng(0)
    atoms = vacate(system.crystal() * (cells, cells, cells), 0.1, holes)
    return relax(atoms, system.potential, max_force=1e-5)


@cache
def shaken_crystal(name: str, cells: tuple[int, int, int]) -> Atoms:
    """Crystal with every atom off its site: enough where only the size matters."""
    atoms = SYSTEMS[name].crystal() * cells
    atoms.rattle(0.05, seed=0)
    return atoms
