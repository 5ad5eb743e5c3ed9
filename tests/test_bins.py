"""Bins: centres, and edges that make none."""

import numpy as np
import pytest

from glassdata.bins import bin_centres, checked_edges


def test_centres_lie_halfway_between_the_edges():
    edges = np.array([0.0, 1.0, 4.0])
    assert (bin_centres(edges) == [0.5, 2.5]).all()
    assert len(bin_centres([0, 1])) == 1


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([], r"widths must be a list of at least two numbers, got shape \(0,\)"),
        ([[0, 1], [1, 2]], "at least two numbers"),
        ([0, 0], r"widths must be finite and increasing, got \[0\. 0\.\]"),
        ([0, np.inf], "must be finite"),
        ([-1, 0], "must not be negative"),
    ],
)
def test_edges_that_make_no_bins_are_named(edges, message):
    with pytest.raises(ValueError, match=message):
        checked_edges(edges, "widths")


def test_edges_may_begin_below_zero_where_that_is_asked_for():
    assert (checked_edges([-1, 0], from_zero=False) == [-1.0, 0.0]).all()
