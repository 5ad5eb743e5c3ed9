"""What chapter 9 reads from results, on results made by hand."""

import numpy as np
import pytest

from glassdata.experiments import standings
from glassdata.models import grouped_folds

N = 10
TRUTH = {"ridge": np.arange(1.0, N + 1), "mean": np.full(N, 11.0), "cnn": np.arange(N, 0.0, -1)}


@pytest.fixture
def results():
    """Five folds of two structures in a scrambled order; errors that name their structure."""
    order = np.random.default_rng(0).permutation(N).reshape(5, 2)
    results = {}
    for model, errors in TRUTH.items():
        for k, test in enumerate(order):
            fold = {"test": test, "error": errors[test], "baseline": TRUTH["mean"][test]}
            fold |= {"n_train": 8 - k % 2, "cpu_seconds": 10.0**k}
            results[f"x.{model}.test.{k}"] = fold
            curve = {"test": test, "n_train": np.array([2, 4, 6 + k])[: 3 - k % 2]}
            curve["error"] = errors[test] * np.array([8.0, 4.0, 2.0])[: 3 - k % 2, None]
            results[f"x.{model}.curve.{k}"] = curve
    results["x.ridge.paper"] = {
        "training_error": 1.0,
        "training_baseline": 4.0,
        "error": np.array([1.0, 3.0]),
        "baseline": np.array([4.0, 4.0]),
    }
    return results


def test_every_structure_has_the_error_of_the_fold_that_held_it_out(results):
    for model, errors in TRUTH.items():
        np.testing.assert_array_equal(standings.held_out_errors(results, "x", model), errors)


def test_a_structure_that_was_tested_twice_is_refused(results):
    results["x.ridge.test.0"]["test"] = results["x.ridge.test.1"]["test"]
    with pytest.raises(ValueError, match=r"x\.ridge"):
        standings.held_out_errors(results, "x", "ridge")


def test_models_of_some_folds_are_compared_there_and_nowhere_else():
    rng = np.random.default_rng(0)
    results = {f"x.ridge.test.{k}": {"test": [k, k + 5], "error": rng.random(2)} for k in range(5)}
    for k in (1, 3):
        results[f"x.cnn_tuned.test.{k}"] = {"test": [k, k + 5], "error": rng.random(2)}
    errors, tested = standings.errors_in_shared_folds(results, "x", ("ridge", "cnn_tuned"))
    assert tested.tolist() == [1, 6, 3, 8]
    for model, found in errors.items():
        wanted = [results[f"x.{model}.test.{k}"]["error"] for k in (1, 3)]
        np.testing.assert_array_equal(found, np.concatenate(wanted))
    results["x.cnn_tuned.test.3"]["test"] = [8, 3]
    with pytest.raises(ValueError, match="the folds of x hold out other structures"):
        standings.errors_in_shared_folds(results, "x", ("ridge", "cnn_tuned"))
    with pytest.raises(ValueError, match="no fold of x was tried by ridge, cnn; make results"):
        standings.errors_in_shared_folds(results, "x", ("ridge", "cnn"))


def test_shares_by_fold_are_ratios_of_means(results):
    fold = results["x.ridge.test.3"]
    found = standings.left_by_fold(results, "x", "ridge")
    assert found[3] == fold["error"].sum() / 22
    assert len(found) == 5


def test_a_learning_curve_has_the_sizes_of_all_folds_and_ends_with_everything(results):
    sizes, errors = standings.learning_curve(results, "x", "ridge")
    assert sizes.tolist() == [2, 4, np.mean([8, 7, 8, 7, 8])]  # every fold has two sizes or more
    np.testing.assert_array_equal(errors, TRUTH["ridge"] * np.array([8, 4, 1])[:, None])


def test_the_power_of_a_law_is_found():
    sizes = np.array([10.0, 40, 160])
    errors = sizes[:, None] ** -0.7 * np.array([1.0, 2, 5])
    assert standings.falling_power(sizes, errors) == pytest.approx(0.7)
    assert standings.falling_power(sizes, 1 / errors) == pytest.approx(-0.7)


def test_costs_are_medians_over_the_folds(results):
    assert standings.cost(results, "x", "ridge", "cpu_seconds") == 100


def test_three_ways_of_judging(results):
    found = standings.three_ways(results, "x", "ridge")
    np.testing.assert_allclose(found, [1 / 4, 2 / 4, 5.5 / 11])


def test_scores_are_in_millionths_and_against_the_mean():
    table = standings.scores(TRUTH, np.arange(N))
    assert table.loc["ridge", "MSE / 10⁻⁶"].value == pytest.approx(5.5e6)
    assert table.loc["ridge", "R²"].value == pytest.approx(0.5)
    assert table.loc["mean", "R²"] == pytest.approx((0, 0, 0))


def test_a_duel_has_the_sign_of_the_better_one():
    line = np.linspace(1.0, 2.0, N)
    errors = {"ridge": line, "worse": 1.5 * line, "alike": 1.05 * line, "better": line / 2}
    table = standings.duels(errors, np.arange(N), ("worse", "alike", "better"))
    assert table["the line is"].tolist() == ["better", "as good", "worse"]
    assert table.loc["worse", "ratio"].value == pytest.approx(1 / 1.5)
    assert table.loc["worse", "difference"].high < 0 < table.loc["better", "difference"].low
    assert table["structures won"].tolist() == [1, 1, 0]
    assert standings.beats(errors, np.arange(N), "ridge", "worse")
    assert not standings.beats(errors, np.arange(N), "ridge", "better")


def test_a_lead_on_a_few_structures_beats_nobody():
    errors = {"ridge": np.ones(N), "other": np.r_[3.0, np.full(N - 1, 0.95)]}
    assert errors["ridge"].mean() < errors["other"].mean()
    assert not standings.beats(errors, np.arange(N), "ridge", "other")
    assert standings.mean_and_majority_disagree(errors["ridge"], errors["other"])
    assert not standings.mean_and_majority_disagree(errors["ridge"], errors["ridge"] + 1)


def test_the_hardest_tenth():
    assert standings.hardest_share(np.r_[np.ones(9), 9.0]) == 0.5
    assert standings.hardest_share(np.ones(40)) == pytest.approx(0.1)
    assert standings.hardest_share(np.ones(3)) == pytest.approx(1 / 3)  # one structure at least


def test_the_scatter_of_repeats_is_unbiased_and_theirs_alone():
    Y = np.array([[0.0, 1.0], [2.0, 1.0], [50.0, 70.0]])
    # Two numbers that differ by 2 have variance 2, two equal ones 0.
    assert standings.scatter_of_repeats(Y, np.array([True, True, False])) == 1.0


def test_least_squares_remembers_few_structures_and_predicts_a_line_from_many():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 8))
    Y = 0.1 + X @ rng.normal(size=(8, 3)) + 0.1 * rng.normal(size=(60, 3))
    folds = grouped_folds(np.arange(60), 5)
    training, held_out = standings.least_squares_losses(X, Y, folds, 6)
    assert training < 1e-12 < 0.1 < held_out
    training, held_out = standings.least_squares_losses(X, Y, folds, 48)
    # Nine fitted numbers per bin take about a fifth of the noise, .01, out of 48 structures. The
    # held-out mean of 180 numbers scatters by a tenth.
    assert training == pytest.approx(0.8 * 0.01, rel=0.3)
    assert training < held_out < 0.02


def test_shares_left_are_ratios_to_the_mean_of_the_same_glass():
    errors = {"a": TRUTH, "b": {model: 2 * error for model, error in TRUTH.items()}}
    left = standings.shares_left(errors, dict.fromkeys("ab", np.arange(N)), ["cnn", "ridge"])
    assert list(left) == ["a", "b"]
    assert list(left["b"]) == ["cnn", "ridge"]
    for mine in left.values():
        assert mine["ridge"].value == pytest.approx(0.5)
        assert mine["ridge"].low < 0.5 < mine["ridge"].high


def test_shares_along_a_curve_end_with_those_of_all_structures():
    curve = np.array([2 * TRUTH["ridge"], TRUTH["ridge"]])
    curves = {"a": {"ridge": (np.array([4.0, 8.0]), curve)}}
    found = standings.shares_along(curves, {"a": TRUTH}, {"a": np.arange(N)})
    sizes, shares = found["a"]["ridge"]
    assert sizes.tolist() == [4, 8]
    assert [one.value for one in shares] == pytest.approx([1.0, 0.5])
    left = standings.shares_left({"a": TRUTH}, {"a": np.arange(N)}, ["ridge"])
    assert shares[-1] == left["a"]["ridge"]
