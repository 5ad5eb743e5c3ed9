"""Laws of rings: Euler's formula on the torus, and what single defects do to hexagons."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, graphene
from hypothesis import given, settings
from hypothesis import strategies as st
from matscipy.rings import ring_statistics

from glassdata.radial import coordination
from glassdata.rings import ring_fractions, ring_polygons, rings

# Bonds are 1.42 Å, 1.51 Å beside a rotated one; second neighbours 2.05 Å there, 2.46 Å elsewhere.
CUTOFF = 1.75


def sheet(*repeat: int) -> Atoms:
    return graphene(a=2.46, size=(*repeat, 1))


def rotate_bond(atoms: Atoms, first: int, second: int) -> None:
    """Stone–Wales: turn a bond by 90° about its centre, in the plane."""
    half = atoms.get_distance(first, second, mic=True, vector=True) / 2
    centre = atoms.positions[first] + half
    turned = np.array([-half[1], half[0], 0])
    atoms.positions[[first, second]] = centre - turned, centre + turned


def sizes(atoms: Atoms) -> dict[int, int]:
    values, counts = np.unique([len(ring) for ring in rings(atoms, CUTOFF)], return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


def area(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return 0.5 * np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))


@pytest.mark.parametrize("repeat", [(1, 1), (2, 1), (3, 2), (8, 7)])
def test_graphene_is_hexagons_one_for_two_atoms(repeat):
    atoms = sheet(*repeat)  # down to the cell of two atoms, where a ring meets its own images
    assert sizes(atoms) == {6: len(atoms) // 2}
    assert ring_fractions(atoms, CUTOFF).tolist() == [0, 1, 0]


def test_one_stone_wales_rotation_makes_two_pentagons_and_two_heptagons():
    atoms = sheet(8, 8)
    rotate_bond(atoms, 40, 41)
    assert sizes(atoms) == {5: 2, 6: 60, 7: 2}
    np.testing.assert_allclose(ring_fractions(atoms, CUTOFF), np.array([2, 60, 2]) / 64)


def test_a_vacancy_joins_three_hexagons_into_a_ring_of_twelve():
    atoms = sheet(8, 8)
    del atoms[40]
    assert sizes(atoms) == {6: 61, 12: 1}


def test_faces_are_the_shortest_path_rings_where_no_ring_is_large():
    atoms = sheet(8, 8)
    rotate_bond(atoms, 40, 41)
    rotate_bond(atoms, 100, 101)
    atoms.cell[2, 2] = 10  # which matscipy needs
    counts = ring_statistics(atoms, CUTOFF, maxlength=9)
    assert sizes(atoms) == {n: int(c) for n, c in enumerate(counts) if c}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    vacancies=st.integers(0, 6),
    rotations=st.integers(0, 4),
    roughness=st.sampled_from([0.0, 0.15]),
)
def test_rings_tile_a_damaged_sheet(seed, vacancies, rotations, roughness):
    rng = np.random.default_rng(seed)
    atoms = sheet(8, 7)
    for cell in rng.choice(56, rotations, replace=False) if rotations else ():
        rotate_bond(atoms, 2 * cell, 2 * cell + 1)
    atoms.positions[:, :2] += rng.uniform(-0.02, 0.02, (112, 2))
    atoms.positions[:, 2] += roughness * rng.normal(size=112)
    del atoms[rng.choice(112, vacancies, replace=False)]
    atoms.wrap()
    while np.any(coordination(atoms, CUTOFF) < 2):  # dangling atoms are no corners of rings
        del atoms[coordination(atoms, CUTOFF) < 2]
    found = rings(atoms, CUTOFF)
    polygons = ring_polygons(atoms, CUTOFF)
    bonds = coordination(atoms, CUTOFF).sum() // 2
    # Euler on the torus. Vacancies enough to cut the sheet apart would break it: 6 of 112 never did
    # in 5000 draws, and the draws of this test are fixed.
    assert len(found) == bonds - len(atoms)
    # Every bond borders two rings, and the rings tile the cell; rounding only.
    assert sum(map(len, found)) == 2 * bonds
    assert sum(map(area, polygons)) == pytest.approx(abs(np.linalg.det(atoms.cell[:2, :2])))
    for ring, polygon in zip(found, polygons, strict=True):
        assert polygon.shape == (len(ring), 2)
        # Corners are the atoms, up to cell vectors.
        away = (polygon - atoms.positions[ring, :2]) @ np.linalg.inv(atoms.cell[:2, :2])
        np.testing.assert_allclose(away, np.round(away), atol=1e-9)


def test_dangling_atoms_and_chains_close_no_ring():
    atoms = sheet(8, 8)
    clean = sizes(atoms)
    del atoms[40]
    expected = sizes(atoms)
    # A chain of two atoms hanging into the hole from one of its edges.
    edge = int(np.flatnonzero(coordination(atoms, CUTOFF) == 2)[0])
    inward = sheet(8, 8).positions[40] - atoms.positions[edge]
    inward[:2] -= np.round(inward @ np.linalg.pinv(atoms.cell.array))[:2] @ atoms.cell.array[:2, :2]
    step = inward / np.linalg.norm(inward)
    chained = atoms + Atoms("C", [atoms.positions[edge] + 1.2 * step + [0, 0, 1.0]])
    chained += Atoms("C", [chained.positions[-1] + [0, 0, 1.4]])
    assert coordination(chained, CUTOFF)[-2:].tolist() == [2, 1]
    assert sizes(chained) == expected != clean


def test_a_chain_between_two_cycles_is_passed_twice():
    # A hexagon inside a cage of twelve, joined by one spoke: 12 + 6 corners and the spoke twice.
    angle = np.arange(6) * np.pi / 3
    inner = 1.0 * np.c_[np.cos(angle), np.sin(angle), 0 * angle]
    angle = np.arange(12) * np.pi / 6
    outer = 2.0 * np.c_[np.cos(angle), np.sin(angle), 0 * angle]
    joined = Atoms("C18", np.r_[inner, outer])
    joined.positions[1:6] *= 0.9  # only atom 0 reaches the cage
    found = sorted(len(ring) for ring in rings(joined, 1.06))
    assert found == [6, 12 + 6 + 2]


def test_flakes_and_ribbons_have_no_ring_outside():
    flake = sheet(6, 6)
    flake.pbc = False
    bonds = coordination(flake, CUTOFF).sum() // 2
    # Euler in the plane, without the outer face: F = E − V + 1 (dangling atoms change neither).
    assert len(rings(flake, CUTOFF)) == bonds - len(flake) + 1
    ribbon = sheet(6, 6)
    ribbon.pbc = [True, False, False]
    bonds = coordination(ribbon, CUTOFF).sum() // 2
    assert len(rings(ribbon, CUTOFF)) == bonds - len(ribbon)
    assert sizes(ribbon).keys() == {6}


def test_without_bonds_there_are_no_rings():
    assert rings(sheet(2, 2), 1.0) == []
    assert ring_polygons(sheet(2, 2), 1.0) == []
    assert ring_fractions(sheet(2, 2), 1.0).tolist() == [0, 0, 0]


def test_a_bulk_crystal_is_refused():
    with pytest.raises(ValueError, match="xy plane only"):
        rings(bulk("Cu"), 3.0)
