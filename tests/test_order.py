"""Order: of directions against published crystals, of far distances between gas and crystal."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, graphene

from glassdata.order import bond_order, chemical_order, far_order, local_bond_order, long_wave
from glassdata.systems.lj import triangular

#: Steinhardt, Nelson and Ronchetti, PRB 28, 784, and Mickel et al., JCP 138, 044501, to 3 digits.
CRYSTALS = {
    "fcc": (bulk("Cu", "fcc", a=3.6), 3.0, 3, 0.575),
    "hcp": (bulk("Co", "hcp", a=2.5, c=2.5 * np.sqrt(8 / 3)), 3.0, 3, 0.485),
    "bcc, 14 neighbours": (bulk("Fe", "bcc", a=2.86), 3.2, 3, 0.511),
    "simple cubic": (bulk("Po", "sc", a=3.0), 3.5, 3, 0.354),
    "diamond": (bulk("Si", "diamond", a=5.43), 2.8, 3, 0.629),
    "triangular": (triangular(symbol="Ar", a=3.8), 4.5, 2, 1.0),
    "honeycomb": (graphene(vacuum=5.0), 1.8, 2, 1.0),
    "square": (Atoms("Ar", cell=[3, 3, 9], pbc=(1, 1, 0)), 3.5, 2, 0.0),
}


def gas(n, dim=3, seed=0):
    rng = np.random.default_rng(seed)
    side = n ** (1 / dim) * 3.0
    places = rng.random((n, 3)) * [side, side, side if dim == 3 else 0.0]
    return Atoms(f"Ar{n}", positions=places, cell=[side] * 3, pbc=(True, True, dim == 3))


@pytest.mark.parametrize("name", CRYSTALS)
def test_directions_of_crystals_have_the_published_order(name):
    crystal, cutoff, dim, published = CRYSTALS[name]
    # Three digits are published; what is exactly zero is the root of a rounding error of 1e-16.
    assert bond_order(crystal, cutoff, dim) == pytest.approx(published, abs=6e-4)
    assert local_bond_order(crystal, cutoff, dim) == pytest.approx(published, abs=6e-4)


@pytest.mark.parametrize("dim", [2, 3])
def test_order_does_not_depend_on_how_a_structure_is_turned_or_repeated(dim):
    atoms = gas(60, dim)
    turned = atoms.copy()
    turned.rotate(37.0, "z", rotate_cell=True)
    if dim == 3:
        turned.rotate(61.0, "x", rotate_cell=True)
    double = atoms * (2, 1, 1)
    for order in (bond_order, local_bond_order):
        value = order(atoms, 4.0, dim)
        assert order(turned, 4.0, dim) == pytest.approx(value, abs=1e-9)
        assert order(double, 4.0, dim) == pytest.approx(value, abs=1e-9)


def test_two_crystallites_have_order_near_by_but_less_together():
    one = bulk("Cu", "fcc", a=3.6, cubic=True) * (4, 4, 4)
    other = one.copy()
    other.rotate(30.0, "x", rotate_cell=True)
    other.positions += [40.0, 0.0, 0.0]
    both = one + other
    both.pbc = False
    near, together = local_bond_order(both, 3.0), bond_order(both, 3.0)
    assert near > 0.5  # surface atoms lose a little of .575
    assert together < 0.75 * near


def test_a_gas_has_no_order_and_no_bonds_no_direction():
    assert bond_order(gas(2000), 4.0) < 5 / np.sqrt(2000)
    assert bond_order(gas(2000, 2), 4.0, 2) < 5 / np.sqrt(2000)
    alone = Atoms("Ar", cell=[9, 9, 9], pbc=True)
    assert bond_order(alone, 3.0) == local_bond_order(alone, 3.0) == 0.0


@pytest.mark.parametrize("dim", [2, 3])
def test_far_order_is_one_in_the_crystal_and_falls_to_zero_in_a_gas(dim):
    crystal = bulk("Cu", "fcc", a=3.6, cubic=True) if dim == 3 else triangular(symbol="Ar", a=3.8)
    large = crystal * ((7, 7, 7) if dim == 3 else (24, 14, 1))
    # N/(N-1) and the pairs by chance that are taken off: a few thousandths at N about 1000.
    assert far_order(large, crystal, dim) == pytest.approx(1.0, abs=0.01)
    values = []
    for amplitude in (0.05, 0.1, 0.2):
        shaken = large.copy()
        shaken.positions[:, :dim] += amplitude * np.random.default_rng(1).normal(
            size=(len(large), dim)
        )
        values.append(far_order(shaken, crystal, dim))
    assert 1 > values[0] > values[1] > values[2] > 0.05
    assert far_order(gas(1372, dim), crystal, dim) < 0.03


def test_far_order_has_no_unit():
    crystal = bulk("Cu", "fcc", a=3.6, cubic=True)
    shaken = crystal * (5, 5, 5)
    shaken.rattle(0.1, seed=0)
    value = far_order(shaken, crystal, 3)
    shaken.set_cell(shaken.cell.array * 1.7, scale_atoms=True)
    assert far_order(shaken, crystal, 3) == pytest.approx(value, rel=1e-6)


def test_long_waves_tell_halves_and_holes_from_mixtures():
    crystal = bulk("Cu", "fcc", a=3.6, cubic=True) * (6, 6, 6)
    left = np.where(crystal.get_scaled_positions()[:, 1] < 0.499, 1.0, -1.0)
    # |Σ sign(x) exp(ix)|² is (2/π)² of the largest there can be.
    assert long_wave(crystal, left) == pytest.approx(4 / np.pi**2, abs=0.02)
    mixed = np.random.default_rng(0).permutation(left)
    assert long_wave(crystal, mixed) < 10 / len(crystal)
    assert long_wave(crystal, np.ones(len(crystal))) < 1e-20
    hole = crystal[np.linalg.norm(crystal.positions - crystal.positions.mean(0), axis=1) > 7.0]
    assert long_wave(hole, np.ones(len(hole))) > 0.005


def test_a_random_alloy_has_no_chemical_order():
    """4000 atoms of three species on fcc sites: 12 bonds an atom leave a scatter of a percent."""
    alloy = bulk("Cu", "fcc", a=3.6, cubic=True) * (10, 10, 10)
    symbols = np.repeat(["Al", "Cu", "Zr"], (800, 1200, 2000))
    alloy.symbols = np.random.default_rng(0).permutation(symbols)
    found = chemical_order(alloy, 3.0, ("Al", "Cu", "Zr"))
    # Al-Al, the rarest, are 24000 · 0.04 = 960 bonds of two atoms: 3 percent, four of those.
    assert found == pytest.approx(np.zeros(6), abs=0.13)
    assert np.abs(found).max() > 0


def test_ordered_alloys_seek_the_other_kind():
    b2 = bulk("CuZr", "cesiumchloride", a=3.2) * (3, 3, 3)
    assert chemical_order(b2, 3.0, ("Cu", "Zr")) == pytest.approx([1, -1, 1])
    # L1_2, three to one: no Al-Al; of the 12 neighbours of Cu four are Al, by chance three.
    l12 = bulk("Cu", "fcc", a=3.6, cubic=True) * (2, 2, 2)
    l12.symbols[::4] = "Al"
    assert chemical_order(l12, 3.0, ("Al", "Cu")) == pytest.approx([1, -1 / 3, 1 / 9])


def test_species_without_neighbours_have_no_order():
    pair = Atoms("CuZr", positions=[[0, 0, 0], [9, 0, 0]])
    assert chemical_order(pair, 3.0, ("Al", "Cu", "Zr")).tolist() == [0.0] * 6
