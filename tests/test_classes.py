"""Disorder classes mean order: what is amorphous has lost the crystal's, far away at least."""

import numpy as np
import pytest
from ase import Atoms

import glassdata as gd
from glassdata.describe import Structure
from glassdata.minimise import separate
from glassdata.radial import periodic_extent
from glassdata.store.reading import REFERENCE
from glassdata.systems import available

SOLIDS = [name for name, system in available().items() if not system.is_sheet]
#: Glasses of a plane: one species crystallises there, in grains.
POLYCRYSTALS = {"lj2d"}


def class_of(atoms, system):
    return str(Structure(atoms, system)["disorder_class"])


def large(system):
    """The crystal, repeated to some five hundred atoms: fewer do not tell far from near."""
    crystal = system.crystal()
    each = (500 / len(crystal)) ** (1 / system.dim)
    # A rectangular cell of a plane is not square; a whole number of cells either way.
    return crystal * np.where(crystal.pbc, max(round(each), 1), 1)


@pytest.mark.parametrize("name", SOLIDS)
def test_classes_are_cut_by_a_measure_of_order(name):
    system = gd.SYSTEMS[name]
    assert system.class_variable in ("far_order", "local_bond_order")
    assert list(system.class_edges) == sorted(system.class_edges, reverse=True)


@pytest.mark.parametrize("name", SOLIDS)
def test_a_crystal_with_holes_that_vibrates_is_no_glass(name):
    """A tenth of its atoms missing, the others off their sites by 2 % of a bond."""
    system = gd.SYSTEMS[name]
    crystal = large(system)
    assert class_of(crystal, system) == "crystal-like"
    rng = np.random.default_rng(0)
    holed = crystal[np.sort(rng.permutation(len(crystal))[len(crystal) // 10 :])]
    holed.positions[:, : system.dim] += (
        0.02 * system.bond_length * rng.normal(size=(len(holed), system.dim))
    )
    assert class_of(holed, system) != "amorphous"


@pytest.mark.parametrize("name", SOLIDS)
def test_atoms_at_random_are_amorphous(name):
    """Taken apart, so that they are no gas."""
    system = gd.SYSTEMS[name]
    crystal = large(system)
    places = np.random.default_rng(0).random((len(crystal), 3))
    places[:, system.dim :] = 0.5
    atoms = Atoms(crystal.numbers, cell=crystal.cell, pbc=crystal.pbc, scaled_positions=places)
    spacing = (periodic_extent(crystal) / len(crystal)) ** (1 / system.dim)
    assert class_of(separate(atoms, 0.8 * spacing), system) == "amorphous"


@pytest.mark.skipif(not REFERENCE.exists(), reason="no reference dataset ships yet")
@pytest.mark.parametrize("name", SOLIDS)
def test_no_amorphous_row_that_ships_keeps_the_crystal_s_order_or_energy(name):
    with gd.open_dataset(REFERENCE) as data:
        if name not in data.children or "far_order" not in data[name]:
            pytest.skip(f"the dataset that ships has no far order of {name}")
        rows = gd.dataset(name, data)
        glassy = rows["disorder_class"] == "amorphous"
        crystals = rows["disorder_class"] == "crystal-like"
        assert (rows["far_order"][glassy] <= 0.2).all()
        if crystals.any() and name not in POLYCRYSTALS:
            assert rows["excess_energy"][glassy].min() > rows["excess_energy"][crystals].mean()
