"""A planted leak is found, and its absence too."""

import numpy as np
import pytest
from arrays import dataset_of

from glassdata.experiments import planted


@pytest.fixture(scope="module")
def lonely():
    """Structures that nothing connects: spectra are noise, every family has one member."""
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=(60, 80)), 1 + 0.1 * rng.random((60, 6))
    return dataset_of(
        r=np.arange(80) + 0.5, omega=np.arange(6) + 0.5, X=X, Y=Y, groups=np.arange(60)
    )


def test_copies_share_the_family_of_their_original(lonely):
    X, Y, groups = planted.with_copies(lonely, share=0.5)
    assert X.shape == (90, 80)
    assert Y.shape == (90, 6)
    for x, group in zip(X[60:], groups[60:], strict=True):
        # A twentieth of the scatter of about 1, in 80 bins.
        assert np.linalg.norm(x - X[group]) < 2 * 0.05 * np.sqrt(80)


@pytest.mark.parametrize("model", ["ridge", "nearest"])
def test_the_comparison_of_splits_finds_the_planted_leak_and_no_other(model, lonely):
    """Also with the line, which has room to remember 60 structures in 80 bins."""
    assert planted.planted_gap(lonely, model) > 0.2
    # Without copies both splits are random splits of the same structures: chance is left.
    assert abs(planted.planted_gap(lonely, model, share=0.0)) < 0.1


def test_more_copies_are_a_larger_leak(lonely):
    few, many = (planted.planted_gap(lonely, "nearest", share=share) for share in (0.25, 1.0))
    assert 0 < few < many
