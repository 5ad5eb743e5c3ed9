"""Tables of chapters 9 to 11: every number stands in its row and column, written as promised."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import glassdata as gd
from glassdata.evaluation import Evaluation
from glassdata.experiments import claims
from glassdata.experiments.halves import Half
from glassdata.experiments.reading import KINDS, Minimum
from glassdata.experiments.shells import LOW, PEAK
from glassdata.experiments.signal import ensembles
from glassdata.experiments.tables import (
    beyond,
    comparison,
    contests,
    descriptors,
    glasses,
    readings,
    referee,
    weights,
)
from glassdata.experiments.verdicts import NOTHING, Estimate, Objection

TITLES = {"a": "carbon", "b": "argon"}


def around(x):
    return Estimate(x, x - 0.1, x + 0.1)


# --- chapter 9 --------------------------------------------------------------------------------


def test_glasses_have_structures_and_families():
    class Three(SimpleNamespace):
        def __len__(self):
            return 3

    stored = SimpleNamespace(attrs={"title": "Amorphous carbon"})
    table = comparison.glasses({"amc": Three(stored=stored, groups=np.array([1, 1, 2]))})
    assert table.loc["amc"].to_dict() == {
        "glass": "Amorphous carbon", "structures": 3, "families": 2
    }  # fmt: skip


@pytest.fixture
def scores():
    rows = {
        ("b", m): {"MSE / 10⁻⁶": around(k), "R²": around(k / 10)}
        for k, m in enumerate(("ridge", "cnn", "mean"), 1)
    }
    rows |= {("a", m): {"MSE / 10⁻⁶": around(9), "R²": NOTHING} for _, m in list(rows)}
    return pd.DataFrame.from_dict(rows, orient="index")


@pytest.mark.parametrize(
    ("name", "kind", "stability", "names"),
    [
        ("ka2d", "equilibrated", "anneal_temperature", ["K", "atoms per Å²"]),
        ("si", "quenched", "quench_rate", ["K/ps", "atoms per Å³"]),
        ("sic", "quenched", "quench_rate", ["K/ps", "atoms per Å³"]),
    ],
)
def test_each_preparation_from_a_liquid_is_a_row_of_means(name, kind, stability, names):
    data = gd.dataset(name)
    table = glasses.preparation_table(data, {"energy": data.energy})
    liquid = data[ensembles(data) == kind]
    assert list(table.index.names) == names
    assert table["structures"].sum() == len(liquid)
    for number in np.unique(liquid.preparation):
        mine = liquid[liquid.preparation == number]
        key = float(f"{getattr(mine, stability)[0]:.3g}"), round(float(mine.density[0]), 4)
        mean, spread = mine.energy.mean(), mine.energy.std(ddof=1)
        assert table.loc[key].tolist() == [len(mine), f"{mean:.4g} ± {spread:.1g}"]
    assert table.index.get_level_values(1).is_monotonic_increasing


def test_line_and_network_stand_side_by_side(scores):
    table = comparison.line_and_network(scores)
    assert list(table.index) == ["b", "a"]  # in the order of the glasses
    assert list(table.columns) == [
        "line: R²", "CNN: R²", "mean: MSE / 10⁻⁶", "line: MSE / 10⁻⁶", "CNN: MSE / 10⁻⁶"
    ]  # fmt: skip
    assert table.loc["b", "CNN: MSE / 10⁻⁶"] == "2.00 [1.90, 2.10]"
    assert table.loc["b", "line: R²"] == "0.10 [0.00, 0.20]"
    assert table.loc["a", "CNN: R²"] == "–"


def test_every_model_has_its_name_and_three_digits(scores):
    table = comparison.every_model(scores, {"ridge": "line"})
    assert table.index.names == ["glass", "model"]
    assert table.loc[("b", "line"), "R²"] == "0.100 [0.000, 0.200]"
    assert table.loc[("b", "mean"), "MSE / 10⁻⁶"] == "3.00 [2.90, 3.10]"
    assert scores["R²"].iloc[0] == around(0.1)  # the page goes on with the numbers


def test_duels_are_written_out():
    against = pd.DataFrame(
        {
            "ratio": [around(0.8)], "difference": [around(-2)], "structures won": [0.624],
            "the line is": ["better"],
        },
        index=["a"],
    )  # fmt: skip
    table = comparison.duels(against, {"a": np.array([0.9, 1.0, 0.7, 1.2, 0.5])})
    assert table.loc["a"].to_list() == [
        "0.80 [0.70, 0.90]", "-2.00 [-2.10, -1.90]", "62%", "3 of 5", "better"
    ]  # fmt: skip


def test_costs_are_medians():
    seconds = pd.DataFrame({"ridge": [1.0, 2, 9], "cnn": [10.0, 300, 999]})
    weighed = pd.DataFrame({"ridge": [1.0, 2, 3], "cnn": [1e5, 162_206, 1e6]})
    table = comparison.costs(seconds, weighed, {"cnn": "CNN"})
    assert table.loc["CNN"].to_list() == ["300", "150", "162,206"]
    assert table.loc["ridge", "times the line's"] == "1"


# --- chapter 10 -------------------------------------------------------------------------------


def test_both_networks_stand_beside_the_line_and_each_other():
    one, families = np.ones(20), np.arange(20)
    errors = {"a": {"ridge": one, "cnn": 2 * one, "cnn_tuned": 0.5 * one}}
    assert comparison.networks(errors, {"a": families}).loc["a"].to_dict() == {
        "line / CNN": "0.50 [0.50, 0.50]", "the line is": "better",
        "line / tuned CNN": "2.00 [2.00, 2.00]", "the line is then": "worse",
        "tuned CNN / CNN": "0.25 [0.25, 0.25]",
    }  # fmt: skip


def test_settings_are_counted_over_all_folds_of_one_model():
    chosen = [{"epochs": 9.0, "width": w, "learning_rate": 0.001} for w in (16.0, 64.0, 64.0)]
    results = {f"b.cnn_tuned.test.{k}": {"chosen": json.dumps(one)} for k, one in enumerate(chosen)}
    others = {f"b.{name}": {"chosen": json.dumps(chosen[0])} for name in ("cnn.test.0", "paper")}
    table = comparison.chosen(results | others, "cnn_tuned")
    assert table.reset_index().to_numpy().tolist() == [
        ["learning rate", "0.001", "3 of 3"], ["width", "16", "1 of 3"], ["width", "64", "2 of 3"]
    ]  # fmt: skip


def test_numbers_are_rounded_as_the_columns_say():
    table = pd.DataFrame({"n": [3.4], "R²": [0.456]}, index=["a"])
    html = weights.written(table, "walk", {"R²": "{:.2f}"}).to_html()
    assert ">3<" in html
    assert ">0.46<" in html
    assert 'id="T_walk"' in html  # the same in every build


def test_best_penalties_at_the_edge_are_marked():
    best = {"a": Minimum(0.0, 1e-4, True, 0.512, 0.3, 0.1), "b": Minimum(1e-5, 0, False, 0, 0, 0)}
    table = weights.best_penalties(best, {"a": around(0.5), "b": around(0.6)}, TITLES)
    assert table.loc["carbon"].to_list() == [
        "0.50 (0.40 to 0.60)", "0.51", "0.30", "0.10", "0", "1e-04 (edge)"
    ]  # fmt: skip
    assert table.loc["argon", ["best α", "best β"]].to_list() == ["1e-05", "0"]


def test_frames_hold_small_penalties_only():
    grid = {"alpha": np.array([0, 1e-5, 1e-3]), "beta": np.array([0.0, 1e-2])}
    r2 = {"training": np.array([[0.9, 0.1], [0.8, 0.1], [0.2, 0.1]]), "held_out": np.zeros((3, 2))}
    table = weights.frames({"a": grid}, {"a": r2}, TITLES, alpha=1e-5, beta=1e-4)
    assert table.loc["carbon"].to_dict() == {
        "R², training, in the frame": "0.80 to 0.90", "R², held out, in the frame": "0.00 to 0.00"
    }  # fmt: skip


def test_biases_like_the_mean_and_unlike_it():
    mean = np.array([1.0, 2, 4])
    result = {f"b_{kind}": 2 * mean + 1 for kind in KINDS} | {"pdos_mean": mean}
    table = weights.likeness({"a": result | {"b_ridge": -mean}}, TITLES)
    assert table.loc["carbon", "L2"] == pytest.approx(-1)
    assert table.loc["carbon", "none"] == pytest.approx(1)
    assert list(table.columns) == list(KINDS.values())


def test_collinearity_counts_bins_that_vary():
    result = {"vif": np.array([np.nan, 5, 20, 9.5, -1.0]), "condition": 1e9, "effective_rank": 3.3}
    table = weights.collinearity({"a": result}, {"a": range(301)}, TITLES)
    assert table.loc["carbon"].to_list() == pytest.approx([301, 4, 1e9, 20, 50, 3.3])


def test_stability_looks_at_live_weights_only():
    live = np.array([True, True, True, False])
    settled = {"ridge": np.array([True, False, False, True])}
    boot = {"selected_lasso": np.array([1.0, 0.5, 0.9, 1]), "selected_elastic_net": np.zeros(4)}
    result = {"W_lasso": np.array([1.0, 1, 0, 1]), "W_elastic_net": np.ones(4)}
    table = weights.stability({"a": settled}, {"a": boot}, {"a": result}, {"a": live}, TITLES)
    assert table.loc["carbon"].to_dict() == pytest.approx(
        {"L2: settled": 1 / 3, "L1: in 9 of 10": 0.5, "elastic net: in 9 of 10": 0}
    )


def test_maps_agree_with_ridge():
    W, mean = np.array([[1.0, 2.0, 5.0]]), np.zeros(1)
    truth = np.array([[1.0], [2.0], [-3.0]])
    half = Half({"lasso": -W, "ridge": W}, {"lasso": 0 * truth + [[1], [0], [0]], "ridge": truth},
                truth, mean)  # fmt: skip
    table = weights.agreement({"a": half}, TITLES)
    assert table.loc[("carbon", "L2")].to_list() == pytest.approx([1, 1, 1])
    first, second, third = table.loc[("carbon", "L1")]
    assert first == pytest.approx(1 - 13 / 14)
    assert second == pytest.approx(-1)
    assert 0 < third < 1


def test_a_walk_reads_the_weakest_and_the_best_penalty():
    X = np.array([[1.0, 1.0], [-1.0, -1.0]])
    path = {
        # Bins that pull apart cancel to a tenth; those that pull together do not.
        "ridge_W": np.array([[[11.0, -9.0]], [[1.0, 1.0]]]), "ridge_norm": np.array([8.0, 2.0]),
        "ridge_held_out": np.array([2.0, 1.0]), "pcr_setting": np.array([1, 3, 9]),
    }  # fmt: skip
    r2 = {"ridge": np.array([0.1, 0.7]), "pcr": np.array([0.2, 0.79, 0.8])}
    table = weights.walk({"a": path}, {"a": r2}, {"a": SimpleNamespace(X=X)}, TITLES)
    assert table.loc["carbon"].to_list() == pytest.approx([0.7, 0.8, 10, 1, 4, 3])


def test_components_are_shown_with_share_and_name():
    named = np.array(["density", "swing of g(r)", "height at the first peak", "number of atoms"])
    row = [0.1, -0.95, 0.2, 0.0, 0.42]
    result = {"named": np.append(named, "mean frequency"), "share": np.array([0.61, 0.3, 0.09])}
    result["correlation"] = np.array([row, [0.5, 0, 0, 0, 0], [0, 0, 0, 0.81, 0]])
    shown = weights.naming({"a": result}, TITLES).loc["carbon"]
    assert shown["1: share (%)"] == "61"
    assert shown["1: name"] == "swing of g(r) (0.95)"
    assert shown["2: name"] == "no name (0.50)"
    assert shown["3: name"] == "number of atoms (0.81)"
    assert shown["1: with mean frequency"] == "0.42"


@pytest.fixture
def parts():
    shells = {"alone": 0.1, "without": 0.7, "permuted": 0.4}
    parts = {part: {LOW: np.array([x, x + 0.1]), PEAK: np.array([0, 1.0])}
             for part, x in shells.items()}  # fmt: skip
    return parts | {"all": {LOW: 0.8, PEAK: 0.9}}


def test_shells_are_columns(parts):
    table = weights.shells(parts, [0.0, 1.8, 2.7])
    assert list(table.columns) == ["0.0–1.8 Å", "1.8–2.7 Å"]
    assert table.loc["low third: permuted"].to_list() == pytest.approx([0.4, 0.5])
    assert table.loc[f"{PEAK}: all"].to_list() == [0.9, 0.9]
    assert len(table) == 8


# --- readings ---------------------------------------------------------------------------------


def test_a_reading_survives_if_it_holds_in_all_glasses():
    frame = {"training": [True, True], "held_out": [True, False]}
    weaker = {"training": [False, False], "held_out": [True, True]}
    training, held_out = readings.of_penalties(frame, weaker, 0.02)
    assert training == (
        "Weak penalties hardly change the training loss",
        "yes",
        "R² within 0.02 in the frame: 2 of 2; summed over bins: 0 of 2",
    )
    assert held_out[0].endswith("held-out loss")
    assert held_out[1] == "in 1 of 2 glasses"


@pytest.mark.parametrize(
    ("alike", "answer"),
    [
        ([(0.5, 0.9), (0.8, 0.9)], "no"),
        ([(0.95, 0.99), (0.8, 0.7)], "yes"),
        ([(0.5, 0.9), (0.95, 0.9)], "in part"),
    ],
)
def test_a_good_prediction_has_one_map_or_many(alike, answer):
    likeness = pd.DataFrame({"paper": [0.95, 0.91], "none": [0.1, 0.6]})
    stable = pd.DataFrame({"L2: settled": [0.6, 0.7], "elastic net: in 9 of 10": [0.1, 0.5]})
    found = readings.of_maps(likeness, stable, dict(zip(("carbon", "argon"), alike, strict=True)))
    bias, single, selected, one_map = found
    assert bias[1] == "in 1 of 2 glasses"
    assert bias[2] == "correlation above 0.9: 2 of 2; below 0.5: 1 of 2"
    assert single[1:] == ("yes", "more than half settled: 2 of 2")
    assert selected[1] == "no"
    assert one_map[1] == answer
    assert one_map[2].startswith("carbon: weights 0.")


def test_half_of_the_weights_must_be_settled():
    likeness = pd.DataFrame({"paper": [0.95, 0.91], "none": [0.1, 0.6]})
    stable = pd.DataFrame({"L2: settled": [0.4, 0.7], "elastic net: in 9 of 10": [0.1, 0.7]})
    _, single, selected, _ = readings.of_maps(likeness, stable, {"carbon": (0.5, 0.9)})
    assert single[1] == selected[1] == "in 1 of 2 glasses"


def test_few_directions_with_and_without_names():
    named = ["density", "swing of g(r)", "height at the first peak", "number of atoms"]
    result = {"named": np.array(named), "correlation": np.array([[0.9, 0, 0, 0]])}
    walk = pd.DataFrame({"components needed": [5, 6]})
    few, first = readings.of_directions(walk, {"a": result})
    assert few[1:] == ("in 1 of 2 glasses", "5 components or fewer: 1 of 2")
    assert first[1:] == ("yes", "correlation above 0.8: 1 of 1")
    nameless = result | {"correlation": np.array([[0.7, 0, 0, 0]])}
    _, first = readings.of_directions(walk, {"a": result, "b": nameless})
    assert first[1] == "in 1 of 2 glasses"


def test_readings_of_carbon_ask_cuts_and_permutation(parts):
    """Permuting the first shell loses 0.4 of 0.7 in the low band, and all of 0.9 in the other."""
    truncated = pd.DataFrame(
        {"low third": [around(0.5)], PEAK: [around(0.5)], "low minus 60 to 70": [around(-0.5)]}
    )
    low, peak, more = readings.of_carbon(truncated, parts)
    assert low[1] == "truncation: at all 1 cuts; permutation: yes"
    assert low[2] == "within minus beyond +0.50 (+0.40 to +0.60); 57 % lost in the first shell"
    assert peak[1] == "truncation: at no cut; permutation: no"
    assert "100 % lost" in peak[2]
    assert more[1] == "truncation: at no cut"
    assert more[2] == "difference of the two -0.50 (-0.60 to -0.40)"
    # The other way round: the second shell costs more in the peak, less in the low band.
    swapped = parts | {"permuted": {LOW: np.array([0.6, 0.2]), PEAK: np.array([0.8, 0.2])}}
    low, peak, _ = readings.of_carbon(truncated, swapped)
    assert low[1].endswith("permutation: no")
    assert peak[1].endswith("permutation: yes")


def test_readings_of_all_glasses_want_the_whole_interval():
    contrasts = {
        "a": {"low": around(0.5), "high": around(-0.5)},
        "b": {"low": around(0.05), "high": around(-0.5)},
    }
    low, high = readings.of_all_glasses(contrasts)
    assert low[1] == "in 1 of 2 glasses"
    assert high[1] == "yes"
    needs, leans = readings.of_use([False, False], 0.02, np.array([[0.5, 0.2], [0.5, 0.3]]))
    assert needs[1] == "no"
    assert "more than 0.02: 0 of 2" in needs[2]
    assert leans[1] == "yes"
    assert leans[2].endswith("+20 to +30 points")
    _, leans = readings.of_use([True], 0.02, np.array([[0.95, 0.05], [0.95, 0.05]]))
    assert leans[2].endswith("+90 to +90 points")


def test_the_table_of_readings_is_aligned_left():
    html = readings.table([("A reads", "yes", "evidence")]).to_html()
    assert "text-align: left" in html
    assert "A reads" in html
    assert "survives?" in html


# --- chapter 11 -------------------------------------------------------------------------------


def test_values_and_intervals_of_estimates():
    found = {"line": {"a": around(0.5), "b": NOTHING}, "kernel": {"a": around(0.7), "b": around(1)}}
    table = referee.values(found)
    assert table.loc["line", "a"] == 0.5
    assert np.isnan(table.loc["line", "b"])
    assert table.loc["kernel", "b"] == 1
    written = referee.intervals(found)
    assert written.loc["a", "line"] == "0.50 [0.40, 0.60]"
    assert written.loc["b", "line"] == "–"


def test_classes_that_could_not_be_left_out_stay_empty():
    found = {("a", "amorphous"): around(0.5), ("b", "partial"): around(-1)}
    table = referee.by_class(found, ["b", "a"], ["partial", "amorphous", "defective"])
    assert table.loc["b"].to_list()[0] == -1
    assert table.loc["a", "amorphous"] == 0.5
    assert table.isna().sum().sum() == 4


def glass(**variables):
    return SimpleNamespace(**{name: np.asarray(value) for name, value in variables.items()})


def test_lost_modes_are_weighed_by_the_number_of_modes(monkeypatch):
    one = glass(
        n_modes=[100, 300], n_imaginary=[0, 2], overflow=[0.041285, 0.0], excess_energy=[2.0, 1.0],
        n_atoms=[10, 20],
    )  # fmt: skip
    one.atoms = lambda k: k
    monkeypatch.setattr(referee.checks, "count_zeros", lambda k, _: 5 + k)
    here = {"a": SimpleNamespace(dim=3)}
    table = referee.modes({"a": one, "b": one}, here)
    assert table.loc["a"].to_list() == [400, "6 of 3", "5 of 3", 2, 1.032, 4.13]
    assert table.loc["b", "zeros, least energy"] == "–"


def test_modes_above_are_counted_by_class():
    one = glass(n_modes=[100, 100, 200], classes=["x", "x", "y"])
    above = {"a": np.array([1, 3, 0])}
    table = referee.percent_above(above, {"a": one, "b": one}, ["x", "y", "z"])
    assert table.loc["a"].to_list()[:2] == [2, 0]
    assert np.isnan(table.loc["a", "z"])
    assert table.loc["b"].isna().all()


def test_cells_shorter_than_the_range_are_fitted_again_with_half():
    """In a cube of 4 Å g(r) counts images from 2 Å; only the bin at 3 Å tells the spectrum."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    one = glass(
        r=[1.02, 3, 5.05], omega=[2.0, 6], X=X, Y=np.c_[X[:, 1], -X[:, 1]],
        cell=np.array([4.0 * np.eye(3)] * 40), groups=np.arange(40),
        n_modes=[3] * 40,
    )  # fmt: skip
    one.dim, one.stored = 3, {"frequency": SimpleNamespace(values=np.tile([0.0, 8, 9], 40))}
    result = {
        "large": np.array([True, False]),
        "error": np.array([1.0]),
        "baseline": np.array([4.0]),
    }
    result |= {"error_mixed": np.array([2.0])}
    r2 = {"a": around(0.9), "b": around(0.8)}
    table = referee.cell_sizes({"a": one, "b": one}, {"a": result, "b": {"large": np.zeros(2)}}, r2)
    row = table.loc["a"]
    assert row[["half cell (Å)", "g(r) up to (Å)", "R²"]].to_list() == [2, 6.1, 0.9]
    assert row["R², half cell"] < 0.2  # noise cannot predict
    assert row["lowest mode (bins)"] == 2  # 8 THz in bins of 4
    assert row[["much larger ones", "R² from small ones", "R² from all"]].to_list() == [
        1,
        0.75,
        0.5,
    ]
    assert np.isnan(table.loc["b", "R² from all"])
    one.cell = one.cell * 4
    whole = referee.cell_sizes({"a": one}, {"a": {"large": np.zeros(2)}}, r2)
    assert whole.loc["a", "R², half cell"] == 0.9
    shown = referee.three_digits(table)
    assert shown.loc["a", "R²"] == "0.9"
    assert shown.loc["b", "R² from all"] == "–"
    assert "much larger ones" not in referee.three_digits(whole)  # nothing but zeros


def test_the_board_has_grades_numbers_and_rules():
    found = {"a": around(0.5), "b": NOTHING}
    board = {"Leakage": Objection("gap", 0.25, found), "Bins": Objection("range", 9.0, found)}
    grades = referee.grades(board, ["b", "a"])
    assert grades.loc["Leakage"].to_dict() == {"b": "not tried", "a": "answered"}
    assert grades.loc["Bins", "a"] == "upheld"
    assert list(grades.columns) == ["b", "a"]
    assert referee.numbers(board, ["b", "a"]).loc["Bins"].to_list() == ["–", "0.50"]
    assert referee.rules(board).loc["Bins"].to_list() == ["range", 9.0]


# --- claims -----------------------------------------------------------------------------------


def test_claims_are_judged_by_their_own_limits():
    found = {key: {"a": around(0.5)} for key in claims.rules(0.05, 0.9)}
    found |= {"back": {"a": around(1.1)}, "network": {"a": around(-0.3)}}
    judged = claims.weighed(found, small=0.05, enough=0.9)
    words = dict(zip(claims.rules(0.05, 0.9), (one.verdict for one in judged), strict=True))
    assert words["amorphous"] == words["unseen"] == "supported"
    assert words["line"] == words["within"] == words["back"] == words["kernel"] == "supported"
    assert words["explained"] == words["network"] == words["back within"] == "contradicted"
    assert judged[1].evidence.startswith("explains 0.9 of the explainable: 0.50")
    near = {"a": Estimate(-0.02, -0.04, 0.0)}
    edge = claims.weighed(found | {"network": near, "kernel": near}, small=0.05, enough=0.9)
    assert [edge[k].verdict for k in (5, 6)] == ["supported", "supported"]
    assert "no more than 0.05" in judged[5].claim
    below = claims.weighed(found | {"unseen": {"a": around(-0.5)}}, small=0.05, enough=0.9)
    assert below[4].verdict == "contradicted"


@pytest.mark.parametrize(("error", "word"), [(1e-5, "no evidence"), (3e-5, "cannot be told")])
def test_an_error_is_evidence_only_if_the_mean_has_a_larger_one(error, word):
    held = {"amc": {"baseline": np.array([1.0])}, "cualzr": {"baseline": np.full(2, error)}}
    first, *others = claims.elsewhere(held)
    assert first.verdict == word
    assert f"{1e6 * error:.1f} (cualzr) × 10⁻⁶" in first.evidence
    assert "amc" not in first.evidence
    assert [one.verdict for one in others].count("see chapter 16") == 4
    large, *_ = claims.elsewhere({"cualzr": {"baseline": np.array([0.5])}})
    assert "500000.0 (cualzr) × 10⁻⁶" in large.evidence
    table = referee.claims([first, *others])
    assert table.loc[first.claim, "verdict"] == word


def contest_of(line, mean, knn):
    """One structure's errors above a floor of 1, certain in every resample."""
    errors = np.array([[[line] * 2], [[mean] * 2], [[knn] * 2]])
    between = np.array([3.0, 2.0, 4.0])
    names = ["line", "mean", "nearest"]
    return {
        "names": names, "error": errors, "floor": np.ones(2), "count": np.ones(2),
        "between": between,
    }  # fmt: skip


def test_table_one_counts_the_answers_of_each_observable():
    results = {
        "si.beyond.sound.quenched": contest_of(2.0, 5.0, 4.0),
        "hea.beyond.sound.quenched": contest_of(4.0, 5.0, 1.1),
        "ka2d.beyond.sound.equilibrated": contest_of(5.0, 5.0, 5.0),
        "hea.beyond.sound.displaced": contest_of(2.0, 5.0, 4.0),
        "si.beyond.conductivity.quenched": {"names": np.array([], "U1"), "lacking": 3},
    }
    table = beyond.table_one(results)
    assert list(table.index) == ["sound velocities"]
    row = table.loc["sound velocities"]
    assert row["the paper"] == "–"
    assert [row[name] for name in ("a line is enough", "a rival is better", "open")] == [
        "1 of 3", "1 of 3", "0 of 3",
    ]  # fmt: skip
    assert row["no better than the mean"] == "1 of 3"
    assert row["share explained (median)"] == "0.25"
    crystals = beyond.table_one(results, liquids=False).loc["sound velocities"]
    assert crystals["a line is enough"] == "1 of 1"
    assert row["better most often"] == "nearest (1)"
    assert beyond.answers(results).loc["sound velocities", "si (quenched)"] == "yes"


def test_what_a_line_explains_is_asked_only_where_there_is_a_signal():
    silent = contest_of(9.0, 5.0, 4.0) | {"between": [0.6, -0.1, 0.9]}
    results = {
        "si.beyond.boson.quenched": contest_of(2.0, 5.0, 4.0),
        "hea.beyond.boson.quenched": silent,
        "hea.beyond.sound.quenched": silent,
    }
    table = beyond.table_one(results)
    assert table["share explained (median)"].to_dict() == {
        "height of the boson peak": "0.75", "sound velocities": "–"
    }  # fmt: skip
    assert table["no signal"].to_dict() == {
        "height of the boson peak": "1 of 2", "sound velocities": "1 of 1"
    }  # fmt: skip
    assert list(beyond.shares(results).columns) == ["si (quenched)"]


def test_descriptors_are_counted_against_g():
    def result(g, stiffness, angles):
        one = contest_of(g, 5.0, stiffness)
        errors = np.concatenate([one["error"], np.full((1, 1, 2), angles)])
        return one | {"names": ["g", "mean", "stiffness", "angles"], "error": errors}

    results = {
        # Preparations that differ by less than their noise, but certainly, count.
        "si.descriptors.pdos.quenched": result(3.0, 1.2, 4.9) | {"between": [0.6, 0.3, 0.9]},
        "sic.descriptors.pdos.quenched": result(3.0, 1.2, 4.9) | {"between": [0.6, -0.1, 0.9]},
        "hea.descriptors.pdos.quenched": result(2.0, 2.0, 4.9),
        "hea.descriptors.conductivity.quenched": result(2.0, 4.9, 2.0),
        "si.descriptors.conductivity.quenched": {"names": np.array([], "U1")},
        "transfer.si": {"names": ["g", "mean"], "error": np.array([1.0, 4.0]), "noise": 1.0},
    }
    table = descriptors.shares(results, "pdos")
    assert list(table.columns) == ["si (quenched)", "hea (quenched)"]
    np.testing.assert_allclose(table["si (quenched)"], [0.5, 0.95, 0.025])
    found = descriptors.duels(results, "pdos")
    assert found.loc["stiffness"].tolist() == ["1 of 2", "0 of 2"]
    assert found.loc["angles"].tolist() == ["0 of 2", "2 of 2"]
    assert descriptors.duels(results, "conductivity").loc["stiffness"].tolist() == [
        "0 of 1", "1 of 1",
    ]  # fmt: skip
    assert descriptors.transfer(results).loc["si", "g"] == 0.75


# --- chapter 12 -------------------------------------------------------------------------------


def test_ensembles_and_leaks_have_a_row_each():
    signal = {"bins": [25, 100], "ratio": [[2.0, 1.5, 3.0], [4.0, 3.0, 5.0]]}
    results = {
        "si.signal.quenched": signal | {"structures": [4, 3, 4], "n_atoms": 511.6},
        "hea.signal.displaced": signal | {"structures": [2, 2], "n_atoms": 400.0},
        "si.leak.quenched": {
            "pairs": np.zeros((3, 2)), "noise": [0.1, 0.5], "found": [1.0, 0.25], "planted": 20,
        },
    }  # fmt: skip
    table = contests.ensembles(results)
    assert list(table.index) == [("si", "quenched"), ("hea", "displaced")]
    assert table.iloc[0].tolist() == ["2.00 (1.50 to 3.00)", 3, 11, 512]
    assert contests.ensembles(results, 100).iloc[1].tolist() == ["4.00 (3.00 to 5.00)", 2, 4, 400]
    (leak,) = contests.leaks(results).to_dict("records")
    assert leak == {
        "near copies": 3, "planted": 20, "found at noise 0.1": "1.00", "found at noise 0.5": "0.25",
    }  # fmt: skip
    assert list(contests.leaks(results).index.names) == ["glass", "ensemble"]


def test_how_far_lines_carry_has_a_dash_where_there_is_no_interval(monkeypatch):
    found = {"one": Estimate(0.5, 0.4, 0.6), "two": NOTHING}
    monkeypatch.setattr("glassdata.experiments.elsewhere.carried", lambda result: found)
    table = contests.carried({"amc.foreign": {}})
    assert list(table.index) == [("amc", "one"), ("amc", "two")]
    assert table.iloc[:, 0].tolist() == ["0.50 (0.40 to 0.60)", "–"]


def test_scores_of_classes_stand_beside_that_of_all():
    """Two folds whose R² are 1 and 0; one class is met exactly, and errors are in millionths."""
    truth = np.array([[0.0, 1.0], [1.0, 0.0]] * 2)
    guess = np.vstack([truth[:2], np.full((2, 2), 0.5)])
    fold = np.array([0, 0, 1, 1])
    held_out = Evaluation(truth, guess, np.full((4, 2), 0.5), fold, parameters=())
    classes = ["crystal-like"] * 2 + ["amorphous"] * 2
    table = glasses.score_table(held_out, classes)
    assert list(table.index) == ["crystal-like", "amorphous", "all"]
    assert table["R²"].tolist() == ["1.00", "0.00", f"0.50 ± {np.std([1, 0], ddof=1):.2f}"]
    assert table.iloc[:, -2].tolist() == ["0.00", "250000.00", "125000.00"]
    assert table.iloc[:, -1].tolist() == ["250000.00"] * 3
