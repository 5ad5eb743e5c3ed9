"""Structures made from a crystal: antisites, vacancies, random displacements, minimisation."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from ase import Atoms

from glassdata.config import check_positive
from glassdata.minimise import relax, separate
from glassdata.protocols import plan
from glassdata.protocols.plan import Member, Stratum, generator
from glassdata.system import System


def displace(atoms: Atoms, member: Member, rng: np.random.Generator, dim: int) -> Atoms:
    """Move a fraction of the atoms by Gaussian steps of the planned amplitude per direction.

    Parameters
    ----------
    atoms : Atoms
        The crystal; it is not changed.
    member : Member
        Its knobs say which fraction moves and by how much (Å).
    rng : Generator
        Source of the random numbers.
    dim : int
        2 keeps the atoms in the plane, 3 does not.

    Examples
    --------
    >>> from ase.build import bulk
    >>> crystal, rng = bulk("Ar", a=5.3) * (2, 2, 1), np.random.default_rng(0)
    >>> settings = plan.Stratum(1, displacement=(0.1, 0.1), displaced_fraction=(0.5, 0.5))
    >>> moved = displace(crystal, plan.member((settings,), 0, 0), rng, dim=3)
    >>> int((moved.positions != crystal.positions).any(axis=1).sum())  # of four atoms
    2
    """
    steps = rng.normal(size=atoms.positions.shape)
    steps[:, dim:] = 0.0
    order = rng.permutation(len(atoms))
    still = order[round(member.knobs["displaced_fraction"] * len(atoms)) :]
    steps[still] = 0.0
    moved = atoms.copy()
    moved.positions += member.knobs["displacement"] * steps
    return moved


def vacate(atoms: Atoms, fraction: float, rng: np.random.Generator) -> Atoms:
    """Remove a fraction of the atoms; a larger fraction removes the same atoms and more.

    Parameters
    ----------
    atoms : Atoms
        They are not changed.
    fraction : float
        Share of the atoms to remove, 0 to 1.
    rng : Generator
        Source of the random numbers.

    Examples
    --------
    >>> len(vacate(Atoms("Ar10"), 0.3, np.random.default_rng(0)))
    7
    """
    order = rng.permutation(len(atoms))
    return atoms[np.sort(order[round(fraction * len(atoms)) :])]


def swap_species(atoms: Atoms, fraction: float, rng: np.random.Generator) -> Atoms:
    """Let a fraction of the atoms exchange species among themselves at random.

    Parameters
    ----------
    atoms : Atoms
        They are not changed.
    fraction : float
        Share of the atoms to draw, 0 to 1.
    rng : Generator
        Source of the random numbers.

    Examples
    --------
    The composition stays what it was:

    >>> swap_species(Atoms("Cu4Zr4"), 1.0, np.random.default_rng(0)).get_chemical_formula()
    'Cu4Zr4'
    """
    chosen = rng.permutation(len(atoms))[: round(fraction * len(atoms))]
    swapped = atoms.copy()
    swapped.numbers[chosen] = atoms.numbers[rng.permutation(chosen)]
    return swapped


@dataclass(frozen=True)
class CrystalDisorder:
    """Crystal → antisites → vacancies → random displacements → minimisation.

    Attributes
    ----------
    n_structures : int
    cells : tuple of int
        Repetitions of the crystal's cell.
    strata : tuple of Stratum
    replicated : int
        Number of the stratum that the replicates repeat.
    separation : float, Å
        Atoms nearer than this are pushed apart softly before the potential acts.
    cell : "fixed" or "isotropic"
        Whether the cell keeps the crystal's size or relaxes to zero pressure.
    max_force : float, eV/Å

    Examples
    --------
    >>> from glassdata.systems import SYSTEMS
    >>> protocol = SYSTEMS["lj3d"].protocols["demo"]
    >>> protocol.cells, protocol.largest(SYSTEMS["lj3d"])  # cubic cells of four atoms
    ((3, 3, 3), 108)
    """

    n_structures: int
    cells: tuple[int, int, int]
    strata: tuple[Stratum, ...]
    replicated: int
    separation: float
    cell: Literal["fixed", "isotropic"]
    max_force: float
    preparations: ClassVar[int] = 0

    def __post_init__(self) -> None:
        who = type(self).__name__
        check_positive(self, who, "n_structures", "cells", "separation", "max_force")
        if self.cell not in ("fixed", "isotropic"):
            raise ValueError(f"{who}: cell must be fixed or isotropic, got {self.cell!r}")

    def science(self) -> dict:
        """Everything that determines the structures, as plain data."""
        return {
            "name": type(self).__name__,
            "plan": plan.SCIENCE,
            "cells": self.cells,
            "strata": [stratum.science() for stratum in self.strata],
            "replicated": self.replicated,
            "separation": self.separation,
            "cell": self.cell,
            "max_force": self.max_force,
        }

    def __call__(self, system: System, index: int) -> Atoms:
        member = plan.member(self.strata, self.replicated, index)
        potential = system.potential
        atoms = self.lattice(system, generator(system.name, member.parent, "sites"))
        knobs = member.knobs
        swaps = generator(system.name, member.parent, "antisites")
        atoms = swap_species(atoms, knobs["antisite_fraction"], swaps)
        holes = generator(system.name, member.parent, "vacancies")
        atoms = vacate(atoms, knobs["vacancy_fraction"], holes)
        steps = generator(system.name, member.parent, "displacement")
        atoms = displace(atoms, member, steps, potential.dim)
        atoms = separate(atoms, self.separation)
        atoms = relax(atoms, potential, max_force=self.max_force, cell=self.cell)
        atoms.wrap()
        atoms.info = {
            "parent": member.parent,
            "replicate": member.replicate,
            "ensemble": "displaced",
        }
        knob_names = ["displacement", "displaced_fraction", "vacancy_fraction"]
        if len(system.species) > 1:
            knob_names.append("antisite_fraction")
        atoms.info |= {name: knobs[name] for name in knob_names}
        return atoms

    def lattice(self, system: System, rng: np.random.Generator) -> Atoms:
        """The perfect crystal at this size; alloys may substitute species with ``rng``."""
        return system.crystal() * self.cells

    def largest(self, system: System) -> int:
        """Number of atoms of the perfect crystal."""
        return len(self.lattice(system, np.random.default_rng(0)))
