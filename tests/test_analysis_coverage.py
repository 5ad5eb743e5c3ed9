"""What chapter 13 shows of the experiment ``coverage``: tables, words and figures."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from glassdata import plots
from glassdata.experiments import said, tables
from glassdata.measured.silicon import BANDS

EDGES = np.linspace(0.0, 20.0, 101)
MEV = 4.135667696  # of one THz


def result(covered: float, *, promised: bool = True, n: int = 60, **more) -> dict:
    """All bins of a structure are alike; half of the structures are amorphous and large."""
    half = np.arange(n) < n // 2
    found = {"covered": np.where(half, covered, 0.9), "promised": np.full(n, promised)}
    found |= {"mean_frequency": half, "heat_capacity": np.ones(n, bool), "groups": np.arange(n)}
    found |= {
        "classes": np.where(half, "amorphous", "partial"),
        "n_atoms": np.where(half, 200, 100),
    }
    return found | more


RESULTS = {"a.intervals": result(0.84), "b.intervals": result(0.9), "b.foreign": result(0.8, n=10)}


def test_the_table_has_a_row_for_each_glass_and_a_dash_where_nothing_is():
    table = tables.coverage.intervals(RESULTS)
    assert list(table.index) == ["a", "b"]
    assert table.loc["a", ["all", "amorphous", "partial"]].tolist() == ["0.87", "0.84", "0.90"]
    assert table.loc["a", ["smallest third", "largest third"]].tolist() == ["0.90", "0.84"]
    assert table.loc["a", ["mean frequency", "heat capacity"]].tolist() == ["0.50", "1.00"]
    assert table.loc["b", ["defective", "called outside"]].tolist() == ["–", "0.0%"]


def test_structures_of_others_are_counted_and_only_promises_judged():
    assert tables.coverage.others(RESULTS).loc["b"].tolist() == [10, "0%", "0.85"]
    none = tables.coverage.others({"b.foreign": result(0.8, promised=False)})
    assert none.loc["b"].tolist() == [60, "100%", "–"]
    found = said.coverage.others(RESULTS)
    assert (found["n_foreign"], found["n_promised"]) == (10, 10)
    assert found["foreign_covered"] == pytest.approx(0.85)
    assert np.isnan(said.coverage.others({})["foreign_covered"])


def test_ensembles_have_a_table_where_there_are_any():
    assert tables.coverage.ensembles(RESULTS)["structures"].tolist() == [0]
    made = np.where(np.arange(60) < 20, "melt", "displaced")
    table = tables.coverage.ensembles({"a.intervals": result(0.8, ensemble=made)})
    assert table.loc[("a", "melt")].tolist() == [20, "0.80"]
    assert table.loc[("a", "displaced"), "structures"] == 40


@pytest.mark.parametrize("half", [0.1, np.nan])
def test_a_prediction_has_a_band_where_an_interval_is_promised(half):
    edges, flat = np.linspace(0.0, 2.0, 3), np.ones(2)
    (axes,) = plots.own.predicted(edges, {"line": (flat, half * flat)}).axes
    assert len(axes.collections) == np.isfinite(half)
    if axes.collections:
        assert extent(axes.collections[0]) == (0.9, 1.1)
    (axes,) = plots.own.predicted(edges, {"line": (flat, 1.5 * flat)}).axes
    assert extent(axes.collections[0]) == (0, 2.5)  # no spectrum is negative
    assert axes.get_ylim()[0] == 0


def test_measured_silicon_is_shown_up_to_the_end_of_the_bins():
    edges, flat = np.linspace(0.0, 8.0, 41), np.ones(40)
    names = ("g", "seen", "spread", "pdos", "half", "mean_pdos")
    result = dict.fromkeys(names, flat) | {"r_edges": edges, "omega_edges": edges}
    above, below = plots.own.silicon(result).axes
    assert above.get_xlim() == pytest.approx((1.5, 7.9))
    assert below.get_xlim() == pytest.approx((0.0, 7.9 * MEV))


def test_every_curve_of_silicon_is_where_its_numbers_are():
    edges, flat = np.linspace(0.0, 8.0, 41), np.ones(40)
    heights = {"g": 1.5, "seen": 1.0, "spread": 0.2, "pdos": 2.0, "half": 0.4, "mean_pdos": 3.0}
    result = {name: y * flat for name, y in heights.items()}
    figure = plots.own.silicon(result | {"r_edges": edges, "omega_edges": edges})
    above, below = figure.axes
    assert extent(above.collections[0]) == pytest.approx((0.8, 1.2))
    assert [one.get_ydata()[0] for one in above.lines] == [1.5]
    assert [one.get_ydata()[0] * MEV for one in below.lines] == pytest.approx([3.0, 2.0])
    assert np.multiply(extent(below.collections[-1]), MEV) == pytest.approx((1.6, 2.4))
    assert [text.get_position()[0] for text in below.texts] == [20, 40, 59]
    assert (above.get_ylim()[0], below.get_ylim()[0]) == (0, 0)
    plt.close(figure)


def extent(band) -> tuple[float, float]:
    """The lowest and the highest point of a shaded band."""
    heights = band.get_paths()[0].vertices[:, 1]
    return heights.min(), heights.max()


def test_the_text_names_what_is_covered_too_seldom():
    found = said.coverage.intervals(RESULTS)
    assert (found["n_covered"], found["all_within"]) == (2, 1)
    more = said.coverage.intervals(RESULTS | {"c.intervals": RESULTS["b.intervals"]})
    assert (more["n_covered"], more["all_within"]) == (3, 2)
    assert found["whole_least"] == pytest.approx(0.87)
    assert (found["sizes_least"], found["sizes_most"]) == pytest.approx((0.84, 0.9))
    # All, both classes and both thirds of each glass; of a, three parts are below.
    assert (found["n_parts"], found["n_off"]) == (10, 3)
    assert found["off_low"] == "all (a), amorphous (a) and largest third (a)"
    assert np.isnan(found["ordered_least"])
    near = result(0.97) | {"classes": np.array(["crystal-like"] * 60)}
    assert said.coverage.intervals({"a.intervals": near})["ordered_most"] == pytest.approx(0.935)
    high = said.coverage.intervals({"a.intervals": result(0.97)})
    assert (high["n_off"], high["off_low"]) == (3, "none")


def silicon(half: float, outside: str = "") -> dict:
    omega = (EDGES[1:] + EDGES[:-1]) / 2
    pdos = np.exp(-((omega - 5.1) ** 2)) + np.exp(-((omega - 15.1) ** 2) / 2)
    g = np.ones(100)
    found = {"g": g, "seen": g, "spread": 0.1 * g, "pdos": pdos, "mean_pdos": pdos}
    found |= {"half": np.full(100, half), "r_edges": np.linspace(0, 10, 101), "omega_edges": EDGES}
    found["integrals"] = np.array([[10.0, half], [0.8, half]])
    return found | {"outside": np.array(outside), "assumed": np.array(["it was measured"])}


def test_bands_are_those_that_kamitakahara_measured():
    """TA near 20 meV, LA and LO from 35 to 45, TO near 59."""
    assert list(BANDS.values()) == [(20, 20), (35, 45), (59, 59)]


def test_silicon_is_said_beside_what_was_measured_or_said_to_be_missing():
    text = said.coverage.silicon(silicon(0.5))
    # 5.1 and 15.1 THz are centres of bins; one THz is 4.1357 meV.
    assert "Predicted peaks: 21 and 62 meV" in text
    assert "Measured bands: transverse acoustic 20, longitudinal 35 to 45" in text
    assert "10 ± 0.5 THz" in text
    far = said.coverage.silicon(silicon(np.nan, "it is far away"))
    assert "No error can be stated: it is far away." in far
    assert "±" not in far
    assert "no amorphous silicon" in said.coverage.silicon(None)


def test_figures_draw_intervals_only_where_there_are_any():
    for half, patches in ((0.1, 2), (np.nan, 1)):
        figure = plots.own.silicon(silicon(half))
        left, right = figure.axes
        assert (left.get_xlabel(), right.get_xlabel()) == ("r (Å)", "ħω (meV)")
        assert len(left.collections) + len(right.collections) == patches
        # A band that is one number is drawn two meV wide.
        bands = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in right.patches]
        assert bands == [(19, 21), (35, 45), (58, 60)]
        assert all(axes.get_legend() for axes in (left, right))
        plt.close(figure)
    ones = np.ones(100)
    both = {"one": (ones, 0.2 * ones), "two": (ones, np.nan * ones)}
    figure = plots.own.predicted(EDGES, both, truth=ones)
    (axes,) = figure.axes
    assert len(axes.collections) == 1
    assert [line.get_label() for line in axes.lines] == ["one", "two"]
    plt.close(figure)
