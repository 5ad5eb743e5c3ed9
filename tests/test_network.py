"""Angles and rings of a network, against crystals that can be counted on paper."""

from itertools import combinations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

import glassdata as gd
from glassdata.network import bond_angles, rings_per_atom


def test_angles_of_a_right_angle_and_a_line():
    corner = Atoms("Si4", [[0, 0, 0], [2, 0, 0], [0, 2, 0], [-2, 0, 0]], cell=[20] * 3, pbc=True)
    assert sorted(bond_angles(corner, 2.5)) == pytest.approx([90, 90, 180])


def test_no_bonds_no_angles():
    assert bond_angles(Atoms("Si", cell=[20] * 3, pbc=True), 2.5).shape == (0,)
    assert rings_per_atom(Atoms("Si", cell=[20] * 3, pbc=True), 2.5).tolist() == [0, 0, 0]


def test_angles_are_those_of_all_pairs_of_neighbours():
    """Written out atom by atom, with the distances of ase."""
    glass = gd.make_structure("si", 1)
    expected = []
    for k in range(len(glass)):
        vectors = glass.get_distances(k, range(len(glass)), mic=True, vector=True)
        bonds = [v for v in vectors if 0 < np.linalg.norm(v) < 2.9]
        for a, b in combinations(bonds, 2):
            cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            expected.append(np.degrees(np.arccos(cosine)))
    assert sorted(bond_angles(glass, 2.9)) == pytest.approx(sorted(expected))


def test_one_rotated_bond_of_diamond_makes_rings_of_five_and_seven():
    """Wooten, Winer and Weaire's move (Phys. Rev. Lett. 54, 1392 (1985)) makes both."""
    crystal = bulk("Si", "diamond", a=5.431, cubic=True) * (3, 3, 3)
    assert rings_per_atom(crystal, 2.9).tolist() == [0, 2, 0]
    moved = rings_per_atom(_transposed(crystal), 3.2)
    assert moved[0] > 0
    assert moved[2] > 0
    assert moved[1] < 2


def _transposed(crystal: Atoms) -> Atoms:
    """Two bonded atoms turned about their middle until each has taken over one neighbour."""
    one = 0
    vectors = crystal.get_distances(one, range(len(crystal)), mic=True, vector=True)
    other = int(
        np.argmin(np.where(np.arange(len(crystal)) == one, 9, np.linalg.norm(vectors, axis=1)))
    )
    moved = crystal.copy()
    third = next(
        v for k, v in enumerate(vectors) if k not in (one, other) and 0 < np.linalg.norm(v) < 2.5
    )
    axis = np.cross(vectors[other], third)
    pair = moved[[one, other]]
    pair.positions[1] = pair.positions[0] + vectors[other]
    pair.rotate(90, axis, center=pair.positions.mean(axis=0))
    moved.positions[[one, other]] = pair.positions
    return gd.relax(moved, gd.SYSTEMS["si"].potential, max_force=1e-3)


@pytest.mark.parametrize("name", gd.SYSTEMS)
def test_networks_are_silicon_and_silicon_carbide(name):
    assert gd.SYSTEMS[name].is_network == (name in {"si", "sic", "sic_mlip", "sic_tersoff"})
