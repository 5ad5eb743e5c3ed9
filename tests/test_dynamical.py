"""The matrix-free dynamical matrix against the matrix, and eigenvectors against eigenvalues."""

import time

import numpy as np
import pytest
from ase.calculators.lj import LennardJones as AseLennardJones
from numba import njit
from numba.core.errors import TypingError
from scipy.sparse.linalg import LinearOperator

import glassdata as gd
from glassdata.kpm import pdos_kpm
from glassdata.lanes import load, store
from glassdata.neighbours import neighbours, order_in_space
from glassdata.units import THZ
from glassdata.vibrations import dynamical_matrix


def shaken(name, cells):
    """A crystal out of equilibrium, so that no block vanishes by symmetry, atoms in no order."""
    system = gd.SYSTEMS[name]
    atoms = system.crystal() * cells
    rng = np.random.default_rng(1)
    moves = 0.05 * rng.standard_normal((len(atoms), 3))
    if system.potential.dim == 2:
        moves[:, 2] = 0
    atoms.positions += moves
    return atoms[rng.permutation(len(atoms))], system.potential


CASES = [
    ("lj3d", (3, 3, 3)),
    ("lj3d", (1, 1, 1)),  # every atom meets several images of each other, and its own
    ("lj2d", (4, 4, 1)),
    ("ka2d", (3, 3, 1)),
    ("sic", (2, 2, 2)),
    ("cualzr", (1, 1, 1)),
    ("amc", (4, 4, 1)),
    ("si", (2, 2, 2)),
]


@pytest.mark.parametrize(("name", "cells"), CASES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_products_are_those_of_the_matrix(name, cells, dtype):
    atoms, potential = shaken(name, cells)
    matrix = dynamical_matrix(atoms, potential)
    free = gd.operator(atoms, potential, dtype=dtype)
    assert isinstance(free, LinearOperator)
    assert free.dtype == dtype
    vectors = np.random.default_rng(2).standard_normal((matrix.shape[0], 3))
    exact = matrix @ vectors
    # A row adds up to a few hundred terms, each rounded.
    allowed = 100 * np.finfo(dtype).eps * np.abs(exact).max()
    assert np.abs(free @ vectors - exact).max() < allowed
    assert np.abs(free @ vectors[:, 0] - exact[:, 0]).max() < allowed
    assert np.abs(free.T @ vectors - exact).max() < allowed
    waves = vectors * np.exp(1j * vectors)
    assert np.abs(free @ waves - matrix @ waves).max() < 2 * allowed


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_translations_have_frequency_zero_whatever_the_masses(dtype):
    for name in ("lj3d", "sic"):
        atoms, potential = shaken(name, (2, 2, 2))
        roots = np.sqrt(atoms.get_masses())
        free = gd.operator(atoms, potential, dtype=dtype)
        moved = (roots[:, None] * [1.0, 2.0, 3.0]).ravel()
        # The difference of two equal displacements, rounded once: times the largest stiffness.
        allowed = 30 * np.finfo(dtype).eps * np.abs(free @ np.eye(len(moved))).max() * moved.max()
        assert np.abs(free @ moved).max() < allowed


def test_the_result_does_not_depend_on_the_number_of_threads():
    atoms, potential = shaken("lj3d", (30, 4, 5))  # 2400 atoms, several parts
    free = gd.operator(atoms, potential)
    assert len(free._rounds) < len(free._parts) - 1  # some parts are computed at once
    now = free.inside(np.random.default_rng(0).standard_normal((free.shape[0], 2)))
    results = []
    for threads in (1, 4):
        results.append(np.zeros_like(now))
        free.step(1.0, 0.3, now, results[-1], threads)
    assert np.array_equal(*results)


def test_vectors_that_four_lanes_would_read_beyond_are_refused():
    system = gd.SYSTEMS["lj3d"]
    matrix = gd.operator(system.crystal() * (2, 2, 2), system.potential)
    good = matrix.inside(np.ones((matrix.shape[0], 3)))
    assert good.shape == (32, 3, 4)
    matrix.step(1.0, 0.0, good, np.zeros_like(good))
    shapes = good[:, :, :3], good[:8].copy(), good.ravel()
    for bad in (*shapes, good.astype(np.float32), np.asfortranarray(good)):
        for pair in ((bad, good), (good, bad)):
            with pytest.raises(ValueError, match=r"must be those of DynamicalOperator\.inside"):
                matrix.step(1.0, 0.0, *pair)


def test_lanes_of_other_arrays_do_not_compile():
    @njit
    def first(x):
        return store(x, 0, 0, 0, load(x, 0, 0, 0))

    first(np.zeros((1, 1, 4)))
    for bad in (np.zeros((1, 1, 4), np.float32), np.zeros((1, 4)), np.zeros((4, 1, 8))[::2]):
        with pytest.raises(TypingError):
            first(bad)


def test_a_large_glass_is_searched_piece_by_piece(monkeypatch):
    atoms, potential = shaken("lj3d", (3, 3, 3))
    whole = gd.operator(atoms, potential)
    monkeypatch.setattr("glassdata.dynamical._PIECE", 10)
    pieces = gd.operator(atoms, potential)
    vector = np.random.default_rng(0).standard_normal(whole.shape[0])
    assert np.array_equal(whole @ vector, pieces @ vector)


def test_half_lists_of_atoms_in_order_begin_with_the_first_of_each_pair():
    atoms, _ = shaken("lj3d", (3, 3, 3))
    atoms = atoms[order_in_space(atoms, 6.0)]
    first, second = neighbours("ij", atoms, 6.0, half=True)
    assert (first <= second).all()
    parts = [
        neighbours("j", atoms, 6.0, half=True, among=range(*ends)) for ends in [(0, 50), (50, 108)]
    ]
    assert np.array_equal(np.concatenate(parts), second)


def test_a_calculator_of_ase_will_do():
    atoms, _ = shaken("lj3d", (1, 1, 1))
    calculator = AseLennardJones(epsilon=0.01, sigma=3.4, rc=8.0, smooth=True)
    exact = dynamical_matrix(atoms, calculator).toarray()
    # Central differences leave a net force of 1e-8 of the largest; the operator has none.
    off = np.abs(gd.operator(atoms, calculator) @ np.eye(12) - exact).max()
    assert off < 1e-6 * np.abs(exact).max()


def test_bad_input_is_refused():
    system = gd.SYSTEMS["lj3d"]
    atoms = system.crystal()
    with pytest.raises(ValueError, match="float64 or float32, not"):
        gd.operator(atoms, system.potential, dtype=int)
    with pytest.raises(ValueError, match="the potential knows C, Si, not Ar"):
        gd.operator(atoms, gd.SYSTEMS["sic"].potential)
    atoms.positions[1] = atoms.positions[0]
    with pytest.raises(ValueError, match="at the same position"):
        gd.operator(atoms, system.potential)


def test_single_precision_gives_the_same_spectrum():
    system = gd.SYSTEMS["lj3d"]
    atoms = gd.make_structure("lj3d", 5)
    double, single = (
        pdos_kpm(atoms, system.potential, system.omega_edges, n_moments=200, dtype=dtype)
        for dtype in (np.float64, np.float32)
    )
    # The same random vectors: what differs is rounding, 1e-7 of a product, in 200 products.
    assert np.abs(single.pdos - double.pdos).max() < 1e-3 * double.pdos.max()


@pytest.mark.parametrize("name", ["lj3d", "lj2d", "sic"])
def test_modes_diagonalise_the_dynamical_matrix(name):
    atoms, potential = shaken(name, (2, 2, 2) if gd.SYSTEMS[name].dim == 3 else (4, 4, 1))
    found = gd.modes(atoms, potential)
    e = found.eigenvectors
    matrix = dynamical_matrix(atoms, potential).toarray()
    # Rounding of a matrix of this size.
    assert np.abs(e.T @ e - np.eye(len(e))).max() < 1e-12
    squares = (e * (matrix @ e)).sum(axis=0)
    close = np.abs(squares * THZ**2 - found.frequencies * np.abs(found.frequencies))
    assert close.max() < 1e-11 * found.frequencies[-1] ** 2
    # Square roots of rounding errors near zero.
    exact = gd.frequencies(atoms, potential)
    assert found.frequencies == pytest.approx(exact, abs=1e-6 * exact[-1])


def test_eigenvectors_cost_at_most_five_times_the_eigenvalues():
    system = gd.SYSTEMS["lj3d"]
    atoms = system.crystal() * (5, 5, 5)  # 1500 coordinates: arithmetic counts, not calls
    atoms.rattle(0.02, seed=0)

    def seconds(work):
        begun = time.process_time()
        work(atoms, system.potential)
        return time.process_time() - begun

    values = min(seconds(gd.frequencies) for _ in range(2))
    assert min(seconds(gd.modes) for _ in range(2)) < 5 * values
