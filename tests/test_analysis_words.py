"""How numbers are put into words on the pages: digits, signs, and what is not there."""

import numpy as np
import pytest

from glassdata.experiments.words import (
    among,
    bracketed,
    by_cuts,
    counted,
    ends,
    listing,
    plain,
    verdict,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.914, "0.91"),
        (-0.001, "0.00"),
        (-2.344, "−2.34"),
        (9.99, "9.99"),
        (10.0, "10"),
        (-14.2, "−14"),
        (np.inf, "∞"),
        (-np.inf, "−∞"),
        (np.nan, "–"),
    ],
)
def test_plain_numbers(value, text):
    assert plain(value) == text


def test_a_number_with_its_interval():
    assert bracketed([0.912, 0.866, 0.944]) == "0.91 [0.87, 0.94]"
    assert bracketed([0.912, 0.866, np.inf]) == "0.91 [0.87, ∞]"
    assert bracketed([0.1, -0.05, 0.2], sign="+") == "+0.10 [-0.05, +0.20]"
    assert bracketed([0.9126, 0.8664, 0.9444], 3) == "0.913 [0.866, 0.944]"
    assert bracketed([np.nan, 0.1, 0.2]) == "–"


def test_counting():
    assert counted(["N", "density", "density", "density"]) == "density (3), N (1)"
    assert counted([]) == ""
    assert by_cuts([1, 1, 1]) == "at all 3 cuts"
    assert by_cuts([0, 0]) == "at no cut"
    assert by_cuts([1, 0, 0]) == "at 1 of 3 cuts"
    assert among([1, 0, 1, 0, 0]) == "2 of 5"
    assert [verdict(found) for found in ([1, 1], [0, 0], [0, 1, 0])] == [
        "yes", "no", "in 1 of 3 glasses"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], "none"),
        (["amc"], "amc"),
        (["amc", "sic"], "amc and sic"),
        (["amc", "lj2d", "lj3d", "sic"], "amc, lj2d, lj3d and sic"),
    ],
)
def test_lists_of_names(names, text):
    assert listing(names) == listing(iter(names), len(names) + 1) == text
    if names:
        assert listing(names, len(names)) == "all of them"


def test_ends_of_some_numbers():
    assert ends("share", [0.5, 0.25, 0.375], 100) == {"share_least": 25.0, "share_most": 50.0}
    assert ends("width", [2.0]) == {"width_least": 2.0, "width_most": 2.0}
