"""Local curves add up to the curves of the structure; a planted local law is found."""

import numpy as np
import pytest

import glassdata as gd
from glassdata.additivity import PENALTIES, Inside, best_penalty, local_pdos, local_rdf, total
from glassdata.perturbation import Modes, modes
from glassdata.vibrations import without_translations

#: A sheet, a plane, a solid and a compound.
GLASSES = ("amc", "lj2d", "lj3d", "sic")


@pytest.mark.parametrize("name", GLASSES)
def test_the_mean_over_atoms_is_the_curve_of_the_structure(name):
    system, atoms = gd.SYSTEMS[name], gd.make_structure(name, 1)
    local = local_rdf(atoms, system.r_edges, system.dim)
    # Whole numbers, divided once by the same shells: sums round in the last digit.
    g = gd.rdf(atoms, system.r_edges, dim=system.dim)
    np.testing.assert_allclose(local.mean(axis=0), g, rtol=1e-12)

    found, d = modes(atoms, system.potential), system.potential.dim
    # Some modes beyond the range, as there are in silicon carbide.
    edges = np.linspace(0.0, 0.9 * found.frequencies.max(), 31)
    D = gd.pdos(without_translations(found.frequencies, d), edges)
    local = local_pdos(found, edges, d)
    assert local.min() >= 0
    # Eigenvectors are normalised to rounding: N of them of 1e-15.
    np.testing.assert_allclose(local.mean(axis=0), D, rtol=1e-12, atol=1e-12 * D.max())


def test_a_mode_on_an_edge_falls_where_a_histogram_puts_it():
    # Two translations, then modes at 1 (an inner edge), 2 (the last edge) and 2.5 (beyond it).
    squares = np.array([0.0, 0.0, 1.0, 4.0, 6.25, 6.25])
    found = Modes(squares, np.eye(6))
    edges = np.array([0.5, 1.0, 2.0])
    D = gd.pdos(found.frequencies[2:], edges)
    np.testing.assert_allclose(local_pdos(found, edges, 2).mean(axis=0), D, rtol=1e-14)


def planted(rng, W, n_atoms=60, shift=0.0):
    """Atoms of two species whose spectra follow their g(r) by W, each species from its own zero."""
    kinds = np.array(["A", "B"])[rng.integers(2, size=n_atoms)]
    g = rng.normal(size=(n_atoms, W.shape[1])) + shift
    d = g @ W.T + np.where(kinds == "A", 5.0, -7.0)[:, None]
    return Inside.of(g, d + 0.01 * rng.normal(size=d.shape), kinds)


def test_a_planted_line_inside_structures_is_found_whatever_sets_structures_apart():
    rng = np.random.default_rng(3)
    W = rng.normal(size=(4, 3))
    structures = [planted(rng, W, shift=10.0 * k) for k in range(5)]
    found = total(structures).line(best_penalty(structures))
    # 300 atoms with noise of 0.01: errors of 0.01 / √300.
    np.testing.assert_allclose(found, W, atol=0.005)
    assert total(structures).r2(found) > 0.999


def test_the_penalty_grows_where_there_is_nothing_to_learn():
    rng = np.random.default_rng(4)
    noise = [
        Inside.of(rng.normal(size=(12, 8)), rng.normal(size=(12, 2)), ["A"] * 12) for _ in range(4)
    ]
    assert best_penalty(noise) >= 1 > 1e3 * min(PENALTIES)


def test_bins_without_neighbours_get_no_weight():
    rng = np.random.default_rng(5)
    g = np.hstack([np.zeros((30, 2)), rng.normal(size=(30, 1))])
    line = Inside.of(g, 2 * g[:, 2:], ["A"] * 30).line(0.0)
    np.testing.assert_allclose(line, [[0, 0, 2]], atol=1e-12)


def test_inside_and_between_are_all_there_is():
    """The sums over all atoms about one common mean, of one species."""
    rng = np.random.default_rng(6)
    g = [rng.normal(size=(n, 3)) + n for n in (4, 7, 9)]
    d = [rng.normal(size=(n, 2)) - n for n in (4, 7, 9)]
    inside = [Inside.of(x, y, ["A"] * len(x)) for x, y in zip(g, d, strict=True)]
    means = [np.array([x.mean(axis=0) for x in curves]) for curves in (g, d)]
    both = total([*inside, Inside.between(*means, n_atoms=np.array([4, 7, 9]))])
    together = Inside.of(np.concatenate(g), np.concatenate(d), ["A"] * 20)
    np.testing.assert_allclose(both.gg, together.gg, rtol=1e-12)
    np.testing.assert_allclose(both.dg, together.dg, rtol=1e-12)
    assert both.dd == pytest.approx(together.dd, rel=1e-12)
    assert both.n_atoms == 20


def test_one_structure_is_too_few():
    x = np.arange(3.0)[:, None]
    with pytest.raises(ValueError, match="two or more, got 1"):
        best_penalty([Inside.of(x, x, ["A"] * 3)])
