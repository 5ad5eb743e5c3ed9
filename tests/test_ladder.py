"""How far first order reaches: laws of its error, its reach and the equivalent amplitude."""

import numpy as np
import pandas as pd
import pytest

import glassdata as gd
from glassdata.ladder import (
    LINKS,
    equivalent_amplitudes,
    ladder,
    reach,
    relative_error,
    spacing,
)
from glassdata.perturbation import Reference, displaced
from glassdata.radial import first_peak, rdf

PLANE, SOLID = gd.SYSTEMS["lj2d"], gd.SYSTEMS["lj3d"]


@pytest.fixture(scope="module")
def disordered():
    return Reference(gd.make_structure("lj2d", 5), PLANE)


def test_the_error_of_first_order_grows_in_proportion_to_small_amplitudes(disordered):
    errors = ladder(disordered, [1e-6, 2e-6])
    assert list(errors.columns) == list(LINKS)
    # The next order is a millionth of a bond length smaller; levels that nearly cross spoil it.
    ratio = errors.loc[2e-6] / errors.loc[1e-6]
    assert np.allclose(ratio[["g", "D"]], 2, rtol=0.02)


def test_errors_of_several_displacements_are_averaged_in_the_square(disordered):
    one, other, both = (ladder(disordered, [1e-4], seeds=s) for s in ((0,), (1,), (0, 1)))
    assert np.allclose(both**2, (one**2 + other**2) / 2, rtol=1e-12)


def test_no_change_at_all_has_the_error_one_and_a_perfect_guess_none():
    change = np.array([1.0, -2.0, 3.0])
    assert relative_error(change, 0 * change) == 1
    assert relative_error(change, change) == 0
    assert relative_error(7 * change, 7.7 * change) == pytest.approx(0.1)  # it has no unit


def test_reach_is_where_a_power_law_crosses_the_limit():
    amplitudes = np.logspace(-4, -1, 7)
    errors = pd.Series(20 * amplitudes, index=amplitudes)
    assert reach(errors) == pytest.approx(0.1 / 20)
    assert reach(errors, limit=0.5) == pytest.approx(0.5 / 20)


@pytest.mark.parametrize("errors", [[0.5, 1.0], [0.01, 0.02]], ids=["above at once", "never above"])
def test_there_is_no_reach_where_no_limit_is_passed(errors):
    assert np.isnan(reach(pd.Series(errors, index=[1e-3, 1e-2])))


def test_a_crystal_that_is_displaced_by_a_known_amplitude_gets_it_back():
    crystal = Reference(SOLID.crystal() * (3, 3, 3), SOLID)
    known, d = 0.03, spacing(SOLID)
    rng = np.random.default_rng(7)
    shape = (len(crystal.atoms), 3)
    curves = [
        rdf(displaced(crystal.atoms, known * d * rng.normal(size=shape)), SOLID.r_edges, dim=3)
        for _ in range(8)
    ]
    width = first_peak(np.mean(curves, axis=0), SOLID.r_edges)[1]
    # Widths are read off bins of 0.12 Å, about as wide as two steps of the amplitude.
    assert equivalent_amplitudes(crystal, [width])[0] == pytest.approx(known, abs=0.008)


def test_the_spacing_is_that_of_the_nearest_neighbours():
    for system in (PLANE, SOLID, gd.SYSTEMS["sic"]):
        crystal = system.crystal() * (3, 3, 1 if system.dim == 2 else 3)
        nearest = crystal.get_all_distances(mic=True) + 1e9 * np.eye(len(crystal))
        assert spacing(system) == pytest.approx(nearest.min(), rel=1e-6)
