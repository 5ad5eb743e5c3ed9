"""First-order response and the first moment: the laws that chapter 3 rests on."""

import numpy as np
import pytest
from ase.build import graphene
from scipy import sparse

import glassdata as gd
from glassdata.broadening import broad_pdos, broad_rdf
from glassdata.moments import mean_square, moment_kernel, pair_mean_square
from glassdata.perturbation import (
    Reference,
    best_line,
    displaced,
    explained_share,
    hessian_slope,
    level_shifts,
    modes,
    naive_shifts,
    weighted,
)
from glassdata.vibrations import hessian

PLANE, SOLID, CARBON = (gd.SYSTEMS[name] for name in ("lj2d", "lj3d", "amc"))


def normal(atoms, system, seed=0):
    return np.random.default_rng(seed).normal(size=(len(atoms), system.potential.dim))


@pytest.fixture(scope="module")
def disordered():
    return Reference(gd.make_structure("lj2d", 5), PLANE)


@pytest.fixture(scope="module")
def triangular():
    return Reference(PLANE.crystal() * (7, 4, 1), PLANE)


def hexagonal_graphene():
    rectangle = CARBON.crystal()
    return Reference(graphene(a=rectangle.cell[0, 0], vacuum=10.0) * (4, 4, 1), CARBON)


def relative(left, right):
    return np.linalg.norm(left - right) / np.linalg.norm(left)


# --- the first moment ---------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "index"), [("lj2d", 5), ("lj3d", 0), ("lj3d", 4)])
def test_a_pair_potential_knows_its_mean_square_from_distances(name, index):
    system, atoms = gd.SYSTEMS[name], gd.make_structure(name, index)
    from_modes = np.mean((f := gd.frequencies(atoms, system.potential)) * np.abs(f))
    assert mean_square(atoms, system.potential) == pytest.approx(from_modes, rel=1e-10)
    assert pair_mean_square(atoms, system.potential) == pytest.approx(from_modes, rel=1e-10)


def test_the_mean_square_needs_neither_rest_nor_a_large_cell():
    atoms = displaced(SOLID.crystal(), 0.2 * normal(SOLID.crystal(), SOLID))
    assert pair_mean_square(atoms, SOLID.potential) == pytest.approx(
        mean_square(atoms, SOLID.potential), rel=1e-10
    )


@pytest.mark.parametrize("system", [PLANE, SOLID], ids=lambda s: s.name)
def test_the_kernel_acts_on_density_times_g(system):
    atoms = gd.make_structure(system.name, 4)
    exact = mean_square(atoms, system.potential)
    size = np.prod(atoms.cell.lengths()[: system.dim])
    errors = []
    for n in (500, 2000):
        edges = np.linspace(0.5, system.potential.cutoff, n + 1)
        kernel = moment_kernel(system.potential, edges, atoms.get_masses()[0])
        g = gd.rdf(atoms, edges, dim=system.dim)
        errors.append(abs(len(atoms) / size * kernel @ g / exact - 1))
    # Atoms are not spread evenly over a bin: the error falls with its width.
    assert errors[1] < min(1e-3, errors[0])


# --- broadening ---------------------------------------------------------------------------------


def test_the_broadened_pdos_has_area_one():
    centres = np.linspace(-1, 4, 501)
    pdos = broad_pdos(np.array([0.5, 1.0, 2.0]), centres, 0.1)
    assert np.trapezoid(pdos, centres) == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("system", [PLANE, SOLID], ids=lambda s: s.name)
def test_the_broadened_g_counts_the_same_pairs(system):
    atoms = gd.make_structure(system.name, 4)
    fine = np.arange(0.01, 9.99, 0.02)
    broad = broad_rdf(atoms, fine, 0.05, system.dim)
    sharp = gd.rdf(atoms, np.arange(0.0, 10.01, 0.02), dim=system.dim)[: len(fine)]
    shell = fine ** (system.dim - 1)
    inside = fine < 4.6  # a gap between shells, where broadening carries hardly any pair across
    assert (broad * shell)[inside].sum() == pytest.approx((sharp * shell)[inside].sum(), rel=0.02)


# --- first order --------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "index"), [("lj2d", 5), ("lj3d", 4), ("amc", 7), ("sic", 0)])
def test_first_order_errors_fall_with_the_square(name, index):
    # Relative to the change itself, what first order leaves out is proportional to the amplitude.
    system = gd.SYSTEMS[name]
    reference = Reference(gd.make_structure(name, index), system)
    direction = normal(reference.atoms, system)
    errors = []
    for amplitude in (4e-6, 8e-6):
        exact = reference.exact(amplitude * direction)
        first = reference.first_order(amplitude * direction)
        errors.append(
            [
                relative(exact.hessian.toarray(), first.hessian.toarray()),
                relative(exact.squares, first.squares),
                relative(exact.g, first.g),
                relative(exact.pdos, first.pdos),
            ]
        )
    assert np.max(errors[1]) < 0.05
    # The Hessian of a truncated potential jumps a little where a pair crosses the cut-off.
    np.testing.assert_allclose(np.divide(errors[1], errors[0])[1:], 2, rtol=0.3)


def test_third_order_is_linear_and_blind_to_translation(disordered):
    atoms, potential = disordered.atoms, PLANE.potential
    u, v = normal(atoms, PLANE, 1), normal(atoms, PLANE, 2)
    slope = {name: hessian_slope(atoms, potential, w) for name, w in zip("uv", (u, v), strict=True)}
    both = hessian_slope(atoms, potential, 2 * u - v)
    scale = sparse.linalg.norm(both)
    assert sparse.linalg.norm(both - (2 * slope["u"] - slope["v"])) < 1e-5 * scale
    assert sparse.linalg.norm(hessian_slope(atoms, potential, np.ones_like(u))) < 1e-5 * scale


def test_third_order_is_symmetric_in_all_three(disordered):
    # Φ_ijk u_k v_j w_i does not care for the order of u, v and w.
    atoms, potential = disordered.atoms, PLANE.potential
    u, v, w = (normal(atoms, PLANE, seed) for seed in range(3))
    first = w.ravel() @ (hessian_slope(atoms, potential, u) @ v.ravel())
    second = w.ravel() @ (hessian_slope(atoms, potential, v) @ u.ravel())
    assert first == pytest.approx(second, rel=1e-5)


def test_no_displacement_is_refused(disordered):
    with pytest.raises(ValueError, match="no direction"):
        hessian_slope(disordered.atoms, PLANE.potential, np.zeros((len(disordered.atoms), 2)))


def test_gradients_are_what_single_displacements_do(disordered):
    u = 1e-3 * normal(disordered.atoms, PLANE)
    first = disordered.first_order(u)
    np.testing.assert_allclose(
        disordered.pdos_gradient @ u.ravel(), first.pdos, atol=1e-5 * np.abs(first.pdos).max()
    )
    mean = disordered.square_gradient.mean(axis=0) @ u.ravel()
    moved = mean_square(displaced(disordered.atoms, 1e-3 * u), PLANE.potential)
    before = mean_square(disordered.atoms, PLANE.potential)
    assert 1e-3 * mean == pytest.approx(moved - before, rel=1e-3)


def test_degenerate_levels_need_their_own_eigenvectors(triangular):
    atoms, potential = triangular.atoms, PLANE.potential
    u = 1e-6 * normal(atoms, PLANE)
    change = weighted(hessian_slope(atoms, potential, u), atoms)
    exact = triangular.exact(u).squares
    assert max(level.stop - level.start for level in triangular.modes.levels()) >= 4
    assert relative(exact, level_shifts(triangular.modes, change)) < 0.01
    assert relative(exact, naive_shifts(triangular.modes, change)) > 0.5


def test_level_shifts_keep_the_trace_of_each_level(triangular):
    change = weighted(
        hessian_slope(triangular.atoms, PLANE.potential, normal(triangular.atoms, PLANE)),
        triangular.atoms,
    )
    proper = level_shifts(triangular.modes, change)
    naive = naive_shifts(triangular.modes, change)
    for level in triangular.modes.levels():
        assert proper[level].sum() == pytest.approx(naive[level].sum(), abs=1e-8)


@pytest.mark.parametrize("make", ["triangular", "fcc", "graphene"])
def test_symmetric_crystals_are_stationary(make, triangular):
    # No displacement at fixed cell is invariant under their space group, so no invariant changes.
    reference = {
        "triangular": lambda: triangular,
        "fcc": lambda: Reference(SOLID.crystal() * (2, 2, 2), SOLID),
        "graphene": hexagonal_graphene,
    }[make]()
    u = normal(reference.atoms, reference.system)
    first = reference.first_order(u)
    exact = reference.exact(0.01 * u)
    assert np.abs(0.01 * first.g).max() < 1e-6 * np.abs(exact.g).max()
    assert np.abs(0.01 * first.pdos).max() < 1e-4 * np.abs(exact.pdos).max()
    assert np.abs(first.squares).max() > 1e-3 * reference.modes.squares.max()


def test_weyl(disordered):
    for amplitude in (1e-3, 1e-1):
        u = amplitude * normal(disordered.atoms, PLANE)
        exact = disordered.exact(u)
        norm = np.abs(np.linalg.eigvalsh(weighted(exact.hessian, disordered.atoms).toarray())).max()
        assert np.abs(exact.squares).max() <= norm * (1 + 1e-9)


def test_modes_are_those_of_frequencies(disordered):
    known = gd.frequencies(disordered.atoms, PLANE.potential)
    found = modes(disordered.atoms, PLANE.potential).frequencies
    # Squares, because a root magnifies the rounding of a zero.
    np.testing.assert_allclose(found * abs(found), known * abs(known), atol=1e-12)
    trace = weighted(hessian(disordered.atoms, PLANE.potential), disordered.atoms).trace()
    assert trace == pytest.approx((found * abs(found)).sum(), rel=1e-10)


# --- the derived line ---------------------------------------------------------------------------


def test_the_derived_line_is_what_least_squares_finds():
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(5, 40)), rng.normal(size=(3, 40))
    u = rng.normal(size=(40, 200_000))
    fitted = np.linalg.lstsq((A @ u).T, (B @ u).T, rcond=None)[0].T
    line = best_line(A, B)
    # Standard error of a regression: residual over the spread of the inputs, over sqrt(n).
    noise = np.linalg.norm(B, axis=1).max() / np.linalg.svd(A)[1].min() / np.sqrt(200_000)
    np.testing.assert_allclose(fitted, line, atol=5 * noise)
    left = np.sum((B @ u - line @ A @ u) ** 2) / np.sum((B @ u) ** 2)
    assert explained_share(A, B, line) == pytest.approx(1 - left, abs=1e-3)


def test_a_spectrum_that_follows_g_is_explained_whole():
    rng = np.random.default_rng(1)
    A, W = rng.normal(size=(5, 40)), rng.normal(size=(3, 5))
    np.testing.assert_allclose(best_line(A, W @ A), W, atol=1e-10)
    assert explained_share(A, W @ A, W) == pytest.approx(1)
