"""Carbon in silicon by the potential of Erhart and Albe: published energies of its defects.

Zirkelbach et al., Phys. Rev. B 82, 094110 (2010), doi:10.1103/PhysRevB.82.094110, with silicon and
silicon carbide as reservoirs. A carbon atom among silicon is where the parameters of both kinds of
bond meet at one atom, which no pure crystal has.
"""

from functools import cache, partial

import numpy as np
import pytest
from ase.build import bulk

from glassdata.minimise import relax
from glassdata.potentials import ERHART_ALBE_2005, BondOrder
from glassdata.vibrations import energy_forces

POTENTIAL = BondOrder(ERHART_ALBE_2005)
CELLS, LATTICE = 5, 5.43  # 1000 atoms; Å


def relaxed_energy(atoms, max_force=1e-3):
    relaxed = relax(atoms, POTENTIAL, max_force=max_force, cell="isotropic")
    return energy_forces(relaxed, POTENTIAL)[0]


@cache
def reservoirs():
    """Energy of one silicon atom in its crystal, and of one carbon atom taken from SiC."""
    silicon = relaxed_energy(bulk("Si", "diamond", a=LATTICE, cubic=True), 1e-7) / 8
    carbide = relaxed_energy(bulk("SiC", "zincblende", a=4.36, cubic=True), 1e-7) / 4
    return silicon, carbide - silicon


def formation_energy(atoms):
    silicon, carbon = reservoirs()
    n_carbon = int((atoms.symbols == "C").sum())
    return relaxed_energy(atoms) - (len(atoms) - n_carbon) * silicon - n_carbon * carbon


def host():
    return bulk("Si", "diamond", a=LATTICE, cubic=True) * (CELLS, CELLS, CELLS)


def substitutional():
    atoms = host()
    atoms.symbols[100] = "C"
    return atoms


def tetrahedral():
    atoms = host()
    atoms.append("C")
    # From a site against the direction of one of its bonds.
    atoms.positions[-1] = atoms.positions[96] + LATTICE / 2
    return atoms


def dumbbell(direction):
    """A carbon and a silicon atom share one site."""
    atoms = host()
    apart = 0.9 * np.array(direction) / np.linalg.norm(direction)
    atoms.append("C")
    atoms.positions[-1] = atoms.positions[96] + apart
    atoms.positions[96] -= apart
    return atoms


# eV
PUBLISHED = {
    "substitutional": (substitutional, 0.75),
    "dumbbell 100": (partial(dumbbell, (1, 0, 0)), 3.88),
    "dumbbell 110": (partial(dumbbell, (1, 1, 0)), 5.18),
    "tetrahedral": (tetrahedral, 6.09),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_carbon_in_silicon(name):
    make, energy = PUBLISHED[name]
    # Published to 0.01 eV; from 512 to 1000 atoms these energies still change by 0.005 eV. With the
    # angular parameters of the other bond they are 0.41, 3.75, 5.45 and 5.24 eV.
    assert formation_energy(make()) == pytest.approx(energy, abs=0.012)
