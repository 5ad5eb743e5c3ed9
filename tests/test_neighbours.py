"""Neighbour lists against matscipy's, in cells of every shape."""

import matscipy.neighbours
import numpy as np
import pytest
from ase import Atoms
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from glassdata.neighbours import neighbours


def in_some_order(first, second, shift):
    return sorted(zip(first.tolist(), second.tolist(), map(tuple, shift.tolist()), strict=True))


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_atoms=st.integers(1, 40),
    periodic=st.tuples(*3 * [st.booleans()]),
    cutoff=st.floats(0.5, 6.0),
)
def test_every_image_of_every_pair_is_found_once(seed, n_atoms, periodic, cutoff):
    """Skewed cells, smaller than the cut-off or mostly empty, atoms anywhere, also outside."""
    rng = np.random.default_rng(seed)
    cell = rng.normal(size=(3, 3)) * rng.uniform(1, 6) + np.eye(3) * rng.uniform(0, 6)
    assume((1 / np.linalg.norm(np.linalg.inv(cell), axis=0)).min() > 0.5)
    atoms = Atoms(
        f"C{n_atoms}", positions=6 * rng.normal(size=(n_atoms, 3)), cell=cell, pbc=periodic
    )
    first, second, shift, vector = neighbours("ijSD", atoms, cutoff)
    expected = matscipy.neighbours.neighbour_list("ijS", atoms, cutoff)
    assert in_some_order(first, second, shift) == in_some_order(*expected)
    assert (np.diff(first) >= 0).all()
    ends = atoms.positions[second] + shift @ atoms.cell.array
    assert np.allclose(vector, ends - atoms.positions[first], atol=1e-12)


@pytest.mark.parametrize("n_cells", [1, 4])
def test_half_a_list_has_one_of_each_pair_and_its_reverse(n_cells):
    atoms = Atoms("Ar", cell=[3.0, 3.1, 3.2], pbc=True) * (n_cells, n_cells, 1)
    atoms.rattle(0.2, seed=1)
    half = in_some_order(*neighbours("ijS", atoms, 5.0, half=True))
    reverse = [(j, i, tuple(-s for s in shift)) for i, j, shift in half]
    assert not set(half) & set(reverse)
    assert sorted(half + reverse) == in_some_order(*neighbours("ijS", atoms, 5.0))


@pytest.mark.parametrize("cutoff", [0.0, -1.0, np.nan, np.inf])
def test_a_cutoff_that_is_no_length_is_refused(cutoff):
    with pytest.raises(ValueError, match="cut-off must be positive and finite"):
        neighbours("ij", Atoms("Ar", cell=[5, 5, 5], pbc=True), cutoff)


def test_one_atom_sees_its_images_once_the_cell_is_shorter_than_the_cutoff():
    atom = Atoms("Ar", cell=[5, 5, 5], pbc=True)
    assert len(neighbours("i", atom, 5.0)) == 0
    assert len(neighbours("i", atom, 5.01)) == 6
