"""Springs to images against waves that are followed atom by atom through a large block."""

from itertools import product

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

import glassdata as gd
from glassdata import images
from glassdata.bands import bands
from glassdata.images import springs_to_images
from glassdata.observables.conductivity import _currents
from glassdata.units import THZ
from glassdata.vibrations import dynamical_matrix

ARGON = gd.SYSTEMS["lj3d"]
# System, its small cell without any symmetry, and how many cells its springs reach across.
CELLS = {
    "si": (bulk("Si", "diamond", a=5.4, cubic=True), 2),
    "cualzr": (bulk("Cu", "fcc", a=3.7, cubic=True), 5),
    "lj2d": (gd.SYSTEMS["lj2d"].crystal(), 3),
    "lj3d": (bulk("Ar", "fcc", a=5.3, cubic=True)[:3], 2),
}


@pytest.fixture(params=CELLS)
def small(request):
    atoms, cells = CELLS[request.param]
    atoms, potential = atoms.copy(), gd.SYSTEMS[request.param].potential
    rng = np.random.default_rng(1)
    atoms.positions[:, : potential.dim] += 0.2 * rng.normal(size=(len(atoms), potential.dim))
    if request.param == "cualzr":
        atoms.symbols[:2] = "Zr"
    return atoms, potential, cells


def of_a_wave(atoms, potential, cells, wave):
    """Dynamical matrix at a wave vector, from the middle cell of a block that has no need to wrap.

    All in the plainest way: the phase of a pair is that of the vector between its atoms.
    """
    n, d = len(atoms), potential.dim
    periodic = atoms.pbc.astype(int)
    whole = atoms * (1 + 2 * cells * periodic)
    sides = [range(1 + 2 * cells * p) for p in periodic]
    middle = n * list(product(*sides)).index(tuple(cells * periodic))
    matrix = dynamical_matrix(whole, potential).tocsr()[d * middle : d * (middle + n)].toarray()
    found = np.zeros((d * n, d * n), complex)
    for i, j in product(range(n), range(len(whole))):
        phase = np.exp(1j * wave @ (whole.positions[j] - whole.positions[middle + i]))
        block = matrix[d * i : d * i + d, d * j : d * j + d]
        k = j % n
        found[d * i : d * i + d, d * k : d * k + d] += phase * block
    return found


def test_summed_over_images_they_are_the_dynamical_matrix(small):
    atoms, potential, _ = small
    matrix, _ = springs_to_images(atoms, potential)
    size = matrix.shape[0]
    total = sum(matrix.tocsr()[:, k : k + size] for k in range(0, matrix.shape[1], size))
    expected = dynamical_matrix(atoms, potential).toarray()
    np.testing.assert_allclose(total.toarray(), expected, atol=1e-12 * np.abs(expected).max())


def test_the_current_is_how_waves_begin_to_change_the_dynamical_matrix(small):
    """In the smallest cells, where every atom has many images of itself among its neighbours."""
    atoms, potential, cells = small
    step = 1e-4
    squared = (2 * np.pi * THZ) ** 2
    for axis, current in enumerate(_currents(atoms, potential)):
        wave = step * np.eye(3)[axis]
        expected = squared * of_a_wave(atoms, potential, cells, wave).imag / step
        found = np.asarray(current)  # every atom acts on every other
        scale = np.abs(expected).max()
        # The phases are odd in the wave: what is left is of the second order.
        np.testing.assert_allclose(found, expected, atol=1e-6 * scale)
        np.testing.assert_allclose(found, -found.T, atol=1e-12 * scale)


def test_a_cell_that_is_large_enough_is_not_repeated(monkeypatch):
    """And gives the same currents as if it were."""
    atoms = ARGON.crystal() * (4, 4, 4)
    atoms.rattle(0.1, seed=2)
    once = _currents(atoms, ARGON.potential)
    assert springs_to_images(atoms, ARGON.potential)[0].shape == (768, 768)
    monkeypatch.setattr(images, "_ENOUGH", 1000)
    assert springs_to_images(atoms, ARGON.potential)[0].shape == (768, 8 * 768)
    for one, other in zip(once, _currents(atoms, ARGON.potential), strict=True):
        assert abs(one - other).max() < 1e-12 * abs(one).max()


def test_a_pair_half_a_cell_apart_has_two_images():
    """In simple cubic argon second neighbours along the axes are the last that interact."""
    atoms = bulk("Ar", "sc", a=4.0) * (4, 4, 4)
    assert 2 * 4.0 < ARGON.potential.cutoff < np.hypot(2, 1) * 4.0
    matrix, apart = springs_to_images(atoms, ARGON.potential)
    linked = np.abs(matrix.data).max(axis=(1, 2))[: matrix.indptr[1]] > 0
    steps = apart[: matrix.indptr[1]][linked].round(6)
    assert {(8.0, 0.0, 0.0), (-8.0, 0.0, 0.0)} <= set(map(tuple, (steps + 0.0).tolist()))


def test_the_reach_of_a_bare_calculator_must_be_known():
    from ase.calculators.lj import LennardJones

    bare = LennardJones(epsilon=0.0103, sigma=3.4, rc=8.0)
    with pytest.raises(ValueError, match=r"the reach of .* not known"):
        springs_to_images(bulk("Ar", "fcc", a=5.3, cubic=True), bare)


@pytest.mark.parametrize("pbc", [True, False])
def test_a_lone_atom_has_no_springs_and_a_lone_pair_one(pbc):
    pair = Atoms("Ar2", positions=[[1.0, 1.0, 1.0], [4.82, 1.0, 1.0]], cell=[30.0] * 3, pbc=pbc)
    assert abs(springs_to_images(pair[:1], ARGON.potential)[0]).max() == 0
    matrix, apart = springs_to_images(pair, ARGON.potential)
    linked = np.abs(matrix.data).max(axis=(1, 2)) > 0
    steps = {tuple(step) for step in apart[linked].round(9).tolist()}
    assert steps == {(0.0, 0.0, 0.0), (3.82, 0.0, 0.0), (-3.82, 0.0, 0.0)}
    waves = bands(pair, ARGON.potential, np.array([[0.1, 0.2, 0.3]]))
    np.testing.assert_allclose(waves[0], gd.frequencies(pair, ARGON.potential), atol=1e-6)
