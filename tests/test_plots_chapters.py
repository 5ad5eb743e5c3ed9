"""Figures of chapters 9 to 11: every number is drawn where it belongs, axes have units."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from glassdata import plots
from glassdata.plots import comparison, looks, maps, shells, verdicts
from glassdata.system import DISORDER_CLASSES

NOTHING = (np.nan, np.nan, np.nan)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture
def ax():
    return plt.subplots()[1]


def texts(ax):
    return [text.get_text() for text in ax.texts]


def legend(owner):
    box = owner.get_legend() if hasattr(owner, "get_legend") else owner.legends[0]
    return [text.get_text() for text in box.get_texts()]


# --- looks ------------------------------------------------------------------------------------


def test_every_model_and_glass_has_a_name_and_a_colour():
    assert looks.MODEL_NAMES.keys() == looks.MODEL_COLOURS.keys()
    assert len(set(looks.GLASS_COLOURS.values())) == len(looks.GLASS_TITLES)
    assert plots.CLASS_COLOURS.keys() == set(DISORDER_CLASSES)


@pytest.mark.parametrize(
    ("ends", "ticks"),
    [
        ((0.9, 4.0), [1, 1.5, 2, 3]),
        ((0.009, 3.0), [0.01, 0.1, 1]),
        ((0.4, 12.0), [0.5, 1, 2, 5, 10]),
    ],
)
def test_ticks_of_less_and_more_than_a_decade(ax, ends, ticks):
    ax.set(xscale="log", xlim=ends)
    looks.log_ticks(ax.xaxis)
    assert ax.get_xticks() == pytest.approx(ticks)


def test_an_odd_number_of_panels_leaves_one_empty():
    figure, axes = looks.panels(["amc", "sic", "lj2d"], 2.0)
    assert list(axes) == ["amc", "sic", "lj2d"]
    assert [ax.get_visible() for ax in figure.axes] == [True, True, True, False]
    assert axes["sic"].get_title() == "sic"


# --- chapter 9 --------------------------------------------------------------------------------


def test_a_history_ends_with_the_test_error():
    falling = np.geomspace(1, 0.01, 50)
    stopped = {"history_training": falling[:20], "history_validation": 2 * falling[:20]}
    (ax,) = comparison.history(stopped, {"history_final": falling}, best=12, tested=0.4).axes
    marks = {line.get_label(): line for line in ax.lines}
    assert marks["never stopped: test families"].get_xydata().tolist() == [[50, 0.4]]
    assert marks["stopped early: held-out families"].get_ydata()[0] == 2
    assert marks["stopped early: training structures"].get_ydata()[0] == 1
    assert [12, 12] in [list(line.get_xdata()) for line in ax.lines]


def test_standings_show_every_model_in_its_row():
    found = {"amc": {"ridge": (0.2, 0.1, 0.3), "cnn": (0.4, 0.3, 0.5), "mean": (1, 1, 1)}}
    folds = {"amc": {"ridge": np.full(5, 0.2), "cnn": np.full(5, 0.4)}}
    figure = comparison.standings(found, folds)
    rows = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert rows == ["line (ridge)", "CNN", "mean"]
    points = [
        tuple(line.get_xydata()[0]) for line in figure.axes[0].lines if len(line.get_xydata()) == 1
    ]
    assert points == [(0.2, 0), (0.4, 1), (1, 2)]
    assert "mean = 1" in figure._supxlabel.get_text()


def test_errors_are_paired_line_above_cnn():
    errors = {"amc": (np.array([2e-6, 3e-6]), np.array([1e-6, 4e-6]))}
    figure = comparison.paired_errors(errors, {"amc": np.array(["amorphous", "amorphous"])})
    drawn = next(line for line in figure.axes[0].lines if line.get_label() == "amorphous")
    np.testing.assert_allclose(drawn.get_xydata(), [[1, 2], [4, 3]])
    assert figure._supylabel.get_text() == "error of the line (10⁻⁶)"


def test_duels_are_drawn_beside_the_margin():
    names = pd.MultiIndex.from_product([["cnn"], ["sic", "amc"]])
    found = pd.Series([(0.8, 0.7, 0.9), (1.2, 1.1, 1.3)], names)
    folds = {"cnn": {"amc": np.ones(5), "sic": np.ones(5)}}
    (ax,) = comparison.duels(found, folds, margin=1.1).axes
    points = next(line for line in ax.lines if line.get_label() == "CNN")
    assert points.get_xdata().tolist() == [0.8, 1.2]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["sic", "amc"]
    assert ax.patches[0].get_x() == pytest.approx(1 / 1.1)


def test_learning_curves_costs_and_ways_of_judging():
    sizes = np.array([10.0, 40, 160])
    curve = (sizes, [(0.5, 0.4, 0.6), (0.3, 0.2, 0.4), (0.1, 0.05, 0.2)])
    figure = comparison.learning_curves({"amc": {"ridge": curve, "pcr": curve}})
    assert len(figure.axes[0].collections) == 1  # the band of ridge alone
    assert figure.axes[0].get_xticks().tolist() == [10, 20, 40, 80, 160]
    table = pd.DataFrame({"ridge": [1.0, 3.0], "cnn": [100.0, 300.0]})
    left, right = comparison.costs(table, 10 * table).axes
    assert left.get_xlabel() == "CPU time (s)"
    assert right.get_xlabel() == "fitted numbers"
    judged = {"ridge": np.array([[1e-9, 0.2, 0.3]]), "cnn": np.array([[0.1, 0.2, 0.3]])}
    first = comparison.three_ways(judged, ["amc"]).axes[0]
    assert first.lines[0].get_ydata()[0] == 1e-5  # a triangle at the edge for all that is less


@pytest.mark.parametrize(("n_bins", "dotted"), [(35, 1), (300, 0)])
def test_double_descent_marks_the_bins_in_reach(n_bins, dotted):
    steps, losses = [10, 20, 40], np.array([0.0, 1.0, 2.0])
    figure = comparison.double_descent(
        steps,
        training=losses,
        held_out=losses + 1,
        ridge=(steps, losses + 1),
        mean=2,
        n_bins=n_bins,
    )
    assert sum(line.get_linestyle() == ":" for line in figure.axes[0].lines) == dotted


# --- chapter 10 -------------------------------------------------------------------------------


@pytest.fixture
def result():
    omega, r = np.arange(8) * 2 + 1.0, np.arange(5) + 0.5
    W = np.random.default_rng(0).normal(size=(8, 5))
    pdos = np.r_[np.full(6, 1 / 6), 0, 0]
    result = {"omega": omega, "r": r, "g": r / r, "pdos": pdos, "pdos_mean": pdos}
    for kind in ("lasso", "elastic_net", "ridge", "least_squares", "paper"):
        result |= {f"W_{kind}": W, f"b_{kind}": pdos}
    return result


def test_maps_are_drawn_per_thz_and_symmetric(ax, result):
    limit = maps.draw_map(ax, result, "ridge")
    (image,) = ax.collections
    assert image.get_clim() == (-limit, limit)
    np.testing.assert_allclose(image.get_array(), result["W_ridge"] / 2)
    assert maps.top(result) == 11  # the last bin with modes


def test_a_map_without_weights_is_drawn(ax, result):
    assert maps.draw_map(ax, result | {"W_ridge": np.zeros((8, 5))}, "ridge") == 1


def test_maps_have_units(result):
    figure = maps.three_maps(result, "carbon")
    assert figure.axes[-2].get_xlabel() == "distance r (Å)"
    assert "THz" in figure.axes[2].get_title()
    assert len(maps.grid_of_maps({"sic": result, "lj2d": result}).axes) == 16


def test_the_grid_marks_minimum_and_frame():
    grid = {"alpha": np.array([0, 1e-5, 1e-4]), "beta": np.array([0, 1e-4])}
    grid["training"] = grid["held_out"] = 1e-6 * np.array([[3.0, 4], [2, 1], [5, 6]])
    axes = maps.penalty_grid(grid, alpha=1e-5, beta=1e-4).axes
    assert axes[0].lines[0].get_xydata().tolist() == [[1, 1]]
    frame = axes[0].patches[0]
    assert (frame.get_width(), frame.get_height()) == pytest.approx((1.9, 1.9))
    assert axes[0].get_title() == "training"
    assert axes[1].get_xlabel() == "β"


def test_biases_collinearity_and_settled_weights(result):
    path = {"ridge_setting": np.array([1e-3, 1, 10]), "ridge_b_likeness": np.array([0.1, 0.9, 1])}
    path["ridge_held_out"] = np.array([3.0, 1.0, 2.0])
    last = maps.biases(result, {"amc": path}).axes[2]
    assert last.lines[1].get_xydata().tolist() == [[1, 0.9]]
    c = {
        "singular": np.array([4.0, 2, 1e-12]),
        "vif": np.array([3.0, np.inf]),
        "r": np.array([1.0, 2]),
    }
    above, below = maps.collinearity({"amc": c | {"determined": True}}).axes
    assert above.lines[0].get_ydata().tolist() == [1, 0.5]
    assert not texts(below)
    below = maps.collinearity({"amc": c | {"vif": np.full(2, np.inf), "determined": False}}).axes[1]
    assert "no more structures than bins" in texts(below)[0]
    boot = {"r": result["r"], "omega": result["omega"], "selected_elastic_net": np.ones((8, 5))}
    figure = maps.settled_weights(boot, {"ridge": np.ones((8, 5), bool)}, highest=11)
    assert figure.axes[0].get_title() == "ridge: settled"
    assert figure.axes[0].get_ylim() == (0, 11)


def test_the_path_shows_three_penalties_of_which_one_is_the_best(result):
    settings = np.geomspace(1e-6, 1e2, 20)
    path = {
        "ridge_setting": settings,
        "ridge_held_out": np.abs(np.arange(20.0) - 12),
        "r": result["r"],
    }
    path |= {"ridge_W": np.ones((20, 3, 5)), "pcr_setting": np.arange(1, 4)}
    r2 = {"amc": {"ridge": np.linspace(0, 1, 20), "pcr": np.ones(3)}}
    titles = [ax.get_title() for ax in shells.penalty_path(path, r2, {"amc": path}, 2.0).axes[:3]]
    expected = [("strong", 16), ("best", 12), ("weak", 2)]
    assert titles == [f"{name}: l2 = {settings[k]:.2g}" for name, k in expected]


def test_components_reaches_and_contrasts(result):
    c = {"r": result["r"], "omega": result["omega"], "components": np.ones((2, 5))}
    figure = shells.leading_components(
        c, np.array([2.0, 3]), np.ones((8, 2)), ["first", "second"], highest=11
    )
    assert figure.axes[2].lines[0].get_ydata().tolist() == [3] * 5
    cut = {"reach": np.array([2.0, 4]), "shell_edges": np.array([0, 1.5, 3, 5])}
    values = {"low": np.array([0.1, 0.2]), "high": np.array([0.5, 0.6])}
    beyond = {band: found / 2 for band, found in values.items()}
    r2 = {"all": {"low": 0.8, "high": 0.9}, "beyond": beyond, "within": values}
    axes = shells.reaches(cut, r2).axes
    assert [ax.get_title() for ax in axes] == [
        "only g(r) within the reach",
        "only g(r) beyond the reach",
    ]
    assert [ax.lines[0].get_ydata()[1] for ax in axes] == [0.2, 0.1]
    assert [ax.lines[1].get_ydata()[0] for ax in axes] == [0.8, 0.8]
    assert "(Å)" in axes[1].get_xlabel()
    assert legend(axes[0]) == ["low", "high"]
    figure = shells.contrasts({"amc": {"low": (0.5, 0.4, 0.6)}, "sic": {"low": (-0.5, -2, -0.4)}})
    (ax,) = figure.axes
    assert [text.get_text() for text in ax.get_yticklabels()] == ["carbon", "SiC"]
    assert ax.get_xlim() == pytest.approx((-0.65, 0.65))


# --- chapter 11 -------------------------------------------------------------------------------


def test_a_forest_draws_numbers_arrows_and_leaves_gaps():
    series = {
        "line": {"amc": (0.5, 0.4, 0.6), "sic": (-3.0, -4.0, -2.0), "lj2d": NOTHING},
        "kernel": {"amc": (0.7, 0.6, 0.8)},
    }
    (ax,) = verdicts.forest(series, "R²", limit=0.9).axes
    assert [text.get_text() for text in ax.get_yticklabels()] == ["amc", "sic", "lj2d"]
    points = [
        line.get_xydata().tolist() for line in ax.lines if line.get_marker() in ("o", "s", "<")
    ]
    points = [point[0] for point in points if point]
    assert [x for x, _ in points] == [0.5, -0.5, 0.7]  # the axis is not drawn below −0.5
    assert texts(ax) == ["   -3.0"]
    assert legend(ax) == ["line", "kernel"]
    assert ax.lines[-1].get_xdata() == [0.9, 0.9]


@pytest.mark.parametrize(
    ("gap", "ends"),
    [
        ((0.01, -0.02, 0.03), (-0.066, 0.066)),  # small ones on an axis of their own size
        ((0.1, -0.2, 0.4), (-0.22, 0.44)),
        ((0.1, -0.9, 0.9), (-0.5, 0.6)),
    ],
)
def test_leaks_are_shown_with_both_signs(gap, ends):
    (ax,) = verdicts.leaks({"line": {"amc": gap}}).axes
    assert ax.get_xlim() == pytest.approx(ends)
    assert ax.get_xlabel() == "R² random − R² grouped"


def test_a_heat_table_writes_every_number():
    table = pd.DataFrame({"amc": [0.5, np.nan], "sic": [-1.0, 0.25]}, index=["line", "kernel"])
    (ax,) = verdicts.heat(table).axes
    assert texts(ax) == ["0.50", "-1.00", "–", "0.25"]
    assert ax.texts[1].get_color() == "white"  # on dark red
    assert ax.texts[0].get_color() == "0.1"


def test_the_board_has_a_colour_for_each_grade():
    grades = pd.DataFrame({"amc": ["answered", "upheld"], "sic": ["open", "not tried"]})
    (ax,) = verdicts.scoreboard(grades, grades).axes
    shown = ax.images[0].get_array()
    assert shown.filled(-1).tolist() == [[2, 1], [0, -1]]
    assert texts(ax) == ["answered", "open", "upheld", "not tried"]


def test_the_noise_floor_shows_repeats_where_there_are_some():
    result = {"baseline": np.full(4, 8e-6), "error": np.full(4, 4e-6), "pair": np.full(4, 2e-6)}
    result["replicate"] = np.array([True, True, False, False])
    alone = result | {"replicate": np.zeros(4, bool)}
    figure = verdicts.noise_floor({"amc": result | {"scatter": np.full(2, 1e-6)}, "sic": alone})
    (ax,) = figure.axes
    points = [tuple(line.get_xydata()[0]) for line in ax.lines if len(line.get_xydata()) == 1]
    assert sorted(x for x, y in points if y == 0) == pytest.approx([1, 2, 4, 4, 8])
    assert sorted(x for x, y in points if y == 1) == pytest.approx([2, 4, 8])
    assert "10⁻⁶" in ax.get_xlabel()


def test_bin_widths_are_multiples_of_the_smallest():
    result = {"dr": np.array([0.1, 0.2]), "domega": np.array([1.0, 4.0]), "r2": np.eye(2)}
    figure = verdicts.bin_widths({"amc": result})
    assert figure.axes[0].lines[0].get_xdata().tolist() == [1, 2]
    assert figure.axes[1].lines[0].get_xdata().tolist() == [1, 4]
    assert figure.axes[1].lines[0].get_ydata().tolist() == [1, 0]
