"""The pictures and the words of the first pages."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

import glassdata as gd
from glassdata.evaluation import Evaluation
from glassdata.experiments.said.claim import KINDS, Standing, standing, stands
from glassdata.plots.gallery import BAR, bare, without_holes


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def argon():
    return gd.dataset("lj2d")


def test_every_glass_has_one_picture_with_its_name_and_a_bar(argon):
    sheets = gd.dataset("amc")
    figure = gd.plots.gallery([(argon, gd.SYSTEMS["lj2d"]), (sheets, gd.SYSTEMS["amc"])])
    shown = [ax for ax in figure.axes if ax.get_visible()]
    titles = [ax.get_title().replace("\n", " ") for ax in shown]
    assert titles == [gd.SYSTEMS[name].title for name in ("lj2d", "amc")]
    for ax in shown:
        assert ax.collections
        assert [text.get_text() for text in ax.texts] == [f"{BAR} Å"]
    assert shown[0].get_legend().get_title().get_text() == "neighbours"
    assert shown[1].get_legend().get_title().get_text() == "members of the ring"


def test_a_bar_is_as_long_as_it_says():
    ax = plt.subplots()[1]
    ax.plot([3, 57], [0, 20])
    bare(ax)
    assert np.ptp(ax.lines[-1].get_xdata()) == BAR
    assert ax.get_ylim()[0] < 0  # below what was drawn


def test_pictures_are_of_structures_from_which_no_atom_was_taken():
    sheets = gd.dataset("amc")
    whole = without_holes(sheets)
    assert 0 < len(whole) < len(sheets)
    assert not whole.vacancy_fraction.any()
    few = sheets[sheets.vacancy_fraction > 0]
    assert without_holes(few) is few  # better than no picture


@pytest.mark.parametrize("stacked", [False, True])
def test_the_claim_shows_the_curves_of_one_structure(argon, stacked):
    truth = np.asarray(argon.Y)
    found = Evaluation(
        truth, 0.9 * truth, np.full_like(truth, truth.mean()), np.zeros(len(truth), int), ()
    )
    glass, before, after = gd.plots.claim(argon, gd.SYSTEMS["lj2d"], found, 3, stacked=stacked).axes
    assert glass.collections
    assert np.array_equal(before.lines[0].get_ydata(), argon.X[3])
    curves = {to_hex(line.get_color()): line.get_ydata() for line in after.lines}
    assert np.allclose(curves["#d55e00"], 0.9 * truth[3])
    assert after.get_xlabel() == "frequency ν (THz)"


def test_a_glass_stands_as_its_errors_say():
    """A quarter of the squared error of the mean is left, overall and within the one class."""
    Y = np.array([[1.0, 3.0], [3.0, 1.0], [1.0, 3.0], [3.0, 1.0]])
    fold = np.array([0, 0, 1, 1])
    held_out = Evaluation(Y, 0.5 * (Y + 2), np.full((4, 2), 2.0), fold, ())
    assert stands(held_out, np.array(["amorphous"] * 4)) == Standing(0.75, 0.75)
    assert np.isnan(stands(held_out, np.array(["partial"] * 4)).among_glasses)


def test_the_words_follow_the_numbers():
    said = standing(
        {
            "a": Standing(0.9, 0.2),
            "b": Standing(-0.1, -0.4),
            "c": Standing(0.5, np.nan),
            "d": Standing(0.4, -0.1),
        }
    )
    counts = [said[name] for name in ("n_beaten", "n_scored", "n_glassy", "n_glassy_up")]
    assert counts == [3, 4, 3, 1]
    assert (said["best"], said["worst"]) == ("a", "b")
    assert said["doubt"] == "the median falls from 0.45 to −0.10"
    better = standing({"a": Standing(0.5, 0.6)})
    assert better["doubt"] == "the median does not fall: it goes from 0.50 to 0.60"


def test_every_glass_is_described_in_words():
    assert set(KINDS) == set(gd.SYSTEMS)
    assert len(set(KINDS.values())) == len(KINDS)
