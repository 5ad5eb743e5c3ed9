"""The way back from spectra to g(r): what it reaches, and what nothing can reach."""

from types import SimpleNamespace

import numpy as np
import pytest

from glassdata import models
from glassdata.experiments import inverse

N, N_R, N_OMEGA = 240, 12, 8


@pytest.fixture
def world():
    """g(r) along three directions; the spectrum knows two of them, one of these in its noise."""
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(N_R, 3)))[0].T
    hidden = rng.normal(size=(N, 3)) * [3.0, 2.0, 1.0]
    loud = np.zeros((3, N_OMEGA))
    loud[0, 0], loud[1, 1] = 1.0, 1e-4
    Y = 5 + hidden @ loud + 0.01 * rng.normal(size=(N, N_OMEGA))
    return SimpleNamespace(X=2 + hidden @ axes, Y=Y, groups=np.arange(N), hidden=hidden, axes=axes)


def test_directions_below_the_error_of_the_line_are_not_seen(world):
    held = models.cross_validate(models.ridge(), world.X, world.Y, world.groups)
    n_seen, share = inverse.unseen(world, held)
    assert n_seen == 1
    # The other two hold 4 + 1 of 9 + 4 + 1.
    assert share == pytest.approx(5 / 14, abs=0.05)


def test_all_directions_are_seen_without_noise(world):
    world.Y = world.hidden @ np.eye(3, N_OMEGA)
    held = models.cross_validate(models.ridge(1e-9), world.X, world.Y, world.groups)
    n_seen, share = inverse.unseen(world, held)
    assert n_seen == 3
    assert share == pytest.approx(0, abs=1e-9)


def test_the_curve_in_one_number_follows_what_lies_on_a_curve_and_nothing_else():
    rng = np.random.default_rng(1)
    t = rng.uniform(-1, 1, 200)
    on_curve = np.stack([3 * t, 0.3 * t**2], axis=1)
    groups = np.arange(200)
    target = np.stack([t**3, t], axis=1)
    curve = models.cross_validate(models.principal_curve(), on_curve, target, groups)
    assert curve.r2 > 0.999
    line = models.cross_validate(models.ridge(), on_curve, target, groups)
    assert inverse.lead_over_curve(line, curve, groups).high < 0
    # A second number, of which the leading component knows nothing.
    other = rng.normal(size=200)
    both = np.stack([3 * t, other], axis=1)
    target = np.stack([t, other], axis=1)
    curve = models.cross_validate(models.principal_curve(), both, target, groups)
    line = models.cross_validate(models.ridge(), both, target, groups)
    assert inverse.lead_over_curve(line, curve, groups).low > 0.3
    assert inverse.by_bin(curve)[1] < 0.1 < 0.9 < inverse.by_bin(line)[1]


def test_bins_that_never_change_have_no_r2():
    truth = np.array([[0.0, 1.0], [0.0, 3.0]])
    held = models.Evaluation(truth, truth, truth * [1, 2], np.array([0, 1]), parameters=())
    found = inverse.by_bin(held)
    assert np.isnan(found[0])
    assert found[1] == 1
