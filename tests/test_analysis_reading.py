"""What chapter 10 reads from maps and shells, on maps whose answer is known."""

import numpy as np
import pytest

from glassdata import models
from glassdata.experiments import components, halves, reading, shells

N, N_R, N_OMEGA = 60, 12, 6
GROUPS = np.repeat(np.arange(N // 2), 2)


@pytest.fixture(scope="module")
def linear():
    """X, Y of a noisy linear map whose low half of frequencies sees the first four bins alone."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, N_R))
    W = np.zeros((N_OMEGA, N_R))
    W[:3, :4], W[3:, 4:] = rng.normal(size=(3, 4)), rng.normal(size=(3, 8))
    return X, X @ W.T + 0.1 * rng.normal(size=(N, N_OMEGA)), W


@pytest.fixture
def grid():
    held_out = np.array([[5.0, 4.0, 6.0], [3.0, 1.0, 2.0]])
    return {
        "alpha": np.array([0.0, 1e-5]),
        "beta": np.array([0.0, 1e-4, 1e-2]),
        "held_out": held_out,
    }


# --- penalties --------------------------------------------------------------------------------


def test_errors_of_the_mean_are_those_of_cross_validation(linear):
    X, Y, _ = linear
    training, held_out = reading.errors_of_the_mean(Y, GROUPS)
    held = models.cross_validate(models.mean(), X, Y, GROUPS)
    np.testing.assert_allclose(held_out, (held.baseline - Y) ** 2)
    assert training < held_out.mean()  # a mean is nearest to what it was taken of
    assert training == pytest.approx(Y.var(axis=0).mean(), rel=0.05)


def test_the_frame_holds_the_penalties_up_to_its_ends(grid):
    found = reading.within_penalties(grid, grid["held_out"], alpha=0.99e-5, beta=1e-4)
    assert found == (4, 5)
    found = reading.within_penalties(grid, grid["held_out"], alpha=1e-5, beta=1e-4)
    assert found == (1, 5)
    assert reading.within_penalties(grid, grid["held_out"], alpha=1, beta=1) == (1, 6)


def test_the_best_pair_and_its_rivals(grid):
    r2 = 1 - grid["held_out"] / 10
    found = reading.best_penalties(grid, r2)
    assert (found.alpha, found.beta, found.at_edge) == (1e-5, 1e-4, True)
    assert (found.r2, found.r2_of_paper, found.r2_without) == pytest.approx((0.9, 0.7, 0.5))
    inside = {"alpha": np.array([0, 1e-5, 1e-4]), "beta": grid["beta"]}
    inside["held_out"] = np.vstack([grid["held_out"], [9, 9, 9]])
    assert not reading.best_penalties(inside, r2).at_edge
    at_beta = inside | {"beta": grid["beta"], "held_out": inside["held_out"].copy()}
    at_beta["held_out"][1, -1] = 0.0
    assert reading.best_penalties(at_beta, 1 - at_beta["held_out"]).at_edge


def test_r2_of_the_grid_has_the_baseline_of_the_part_that_it_scores(linear):
    _, Y, _ = linear
    inner, outer = reading.errors_of_the_mean(Y, GROUPS)
    grid = {"training": np.array([[0.0, inner]]), "held_out": np.array([[outer.mean() / 4, 0]])}
    found = reading.grid_r2(grid, Y, GROUPS)
    np.testing.assert_allclose(found["training"], [[1, 0]], atol=1e-12)
    np.testing.assert_allclose(found["held_out"], [[0.75, 1]])


@pytest.mark.parametrize(("by", "answers"), [(0.15, [False, True]), (0.25, [True, True])])
def test_penalties_hardly_change_what_stays_within_a_limit(grid, by, answers):
    """In the frame R² of glass a spans 0.2, that of glass b nothing; outside anything goes."""
    r2 = {
        "a": {"training": np.array([[0.5, 0.6, 9], [0.7, 0.5, 9]]), "held_out": np.zeros((2, 3))},
        "b": {"training": np.array([[0.5, 0.5, 0], [0.5, 0.5, 0]]), "held_out": np.zeros((2, 3))},
    }
    found = reading.hardly_change({"a": grid, "b": grid}, r2, alpha=1e-5, beta=1e-4, by=by)
    assert found == {"training": answers, "held_out": [True, True]}


def test_r2_along_a_path():
    path = {"ridge_held_out": np.array([4.0, 1.0]), "pcr_held_out": np.array([2.0])}
    found = reading.r2_along(path, 4.0)
    assert {kind: values.tolist() for kind, values in found.items()} == {
        "ridge": [0, 0.75], "pcr": [0.5]
    }  # fmt: skip


def test_held_out_r2_is_that_of_the_evaluation(linear):
    X, Y, _ = linear
    held = models.cross_validate(models.ridge(1e-4), X, Y, GROUPS)
    found = reading.held_out_r2(held, GROUPS)
    assert found.value == pytest.approx(held.r2)
    assert found.low < held.r2 < found.high
    error, baseline = reading.squared_errors(held, np.array([True] + [False] * (N_OMEGA - 1)))
    one = models.r2(Y[:, :1], held.prediction[:, :1], held.baseline[:, :1])
    assert 1 - error.sum() / baseline.sum() == pytest.approx(one)


# --- bias, collinearity, stability ------------------------------------------------------------


def test_likeness_and_departure_by_hand():
    mean = np.array([3.0, 4.0])
    np.testing.assert_allclose(reading.departure(np.array([[3.0, 4.0], [0, 0]]), mean), [0, 1])
    assert reading.likeness(np.array([1, 2, 3]), np.array([2, 4, 6])) == pytest.approx(1)
    assert reading.likeness(np.array([1, 2, 3]), np.array([3, 2, 1])) == pytest.approx(-1)


def test_inflation_drops_constant_bins_and_cannot_be_negative():
    found = reading.inflation(np.array([5.0, np.nan, -0.5, 1.0, np.inf]))
    assert found.tolist() == [1, 5, np.inf, np.inf]


def test_a_weight_is_settled_beyond_two_scatters():
    mean, scatter = np.array([2.01, -2.01, 1.99, 0.0]), np.ones(4)
    assert reading.settled(mean, scatter).tolist() == [True, True, False, False]


def test_entries_that_vary():
    X, Y = np.ones((3, 2)), np.ones((3, 3))
    X[0, 1], Y[0, 2] = 2, 2
    assert np.argwhere(reading.varying(X, Y)).tolist() == [[2, 1]]


def test_only_weights_of_the_fit_are_looked_for_again():
    frequency, W = np.array([0.9, 0.89, 1.0]), np.array([1.0, -1.0, 0.0])
    assert reading.chosen_again(frequency, W) == 0.5
    assert np.isnan(reading.chosen_again(frequency, np.zeros(3)))


def test_refitted_maps_scatter_about_the_map(linear):
    X, Y, W = linear
    fits = reading.refitted(X, Y, GROUPS, 1e-6, times=30)
    assert fits.shape == (30, N_OMEGA, N_R)
    # Noise of .1 over 60 structures of unit spread: about .013 a weight, four of those.
    np.testing.assert_allclose(fits.mean(axis=0), W, atol=0.06)
    assert 0.005 < fits.std(axis=0).mean() < 0.03


# --- many maps --------------------------------------------------------------------------------


def test_half_fits_see_one_half_only(linear):
    X, Y, _ = linear
    maps = {
        "l1_ridge": 0.0,
        "l2_ridge": 1e-6,
        "l1_lasso": 1e-3,
        "l2_lasso": 0.0,
        "n_components_pcr": 9,
    }
    half = halves.half_fits(X, Y, GROUPS, maps, ["ridge", "lasso", "pcr"])
    train, test = models.grouped_folds(GROUPS, 2, 0)[0]
    np.testing.assert_array_equal(half.truth, Y[test])
    np.testing.assert_allclose(half.mean, Y[train].mean(axis=0))
    assert half.r2("ridge") > 0.95
    spoilt = Y.copy()
    spoilt[test] += 1e3  # a leak of the other half would show in the maps
    again = halves.half_fits(X, spoilt, GROUPS, maps, ["ridge"])
    np.testing.assert_array_equal(again.W["ridge"], half.W["ridge"])


def test_agreement_of_opposite_and_equal_maps():
    W, guess = np.eye(2), np.array([[1.0, 3.0], [2.0, 5.0]])
    mean = np.array([1.0, 1.0])
    half = halves.Half({"a": W, "b": -W, "c": W}, dict.fromkeys("abc", guess), guess, mean)
    np.testing.assert_allclose(half.of_weights()[0], [1, -1, 1])
    np.testing.assert_allclose(half.of_predictions(), np.ones((3, 3)))
    cosine, value = half.of_moments(np.array([1.0, 2.0]))
    np.testing.assert_allclose(cosine[0], [1, -1, 1])
    np.testing.assert_allclose(value, np.ones((3, 3)))
    np.testing.assert_allclose(halves.pairs(half.of_weights()), [-1])
    assert half.r2("a") == 1


def test_moments_of_predictions_weigh_bins_by_the_square_of_the_frequency():
    three = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    guesses = {"a": three, "b": three[:, ::-1]}
    half = halves.Half(dict.fromkeys("ab", np.eye(2)), guesses, three, three.mean(axis=0))
    value = half.of_moments(np.array([1.0, 3.0]))[1]
    assert value[0, 1] == pytest.approx(np.corrcoef([1, 9, 10], [9, 1, 10])[0, 1])


def test_cancelling_of_bins_that_pull_together_and_apart():
    X = np.repeat(np.array([[1.0], [-1.0], [2.0]]), 2, axis=1)
    assert reading.cancelling(np.array([[1.0, 1.0]]), X) == pytest.approx(1)
    # Weights 3 and −1 on equal bins: 4 in magnitude for a sum of 2.
    assert reading.cancelling(np.array([[3.0, -1.0]]), X) == pytest.approx(2)
    # The second bin swings half as much: 2 + 1 in magnitude for 2 − 1, wherever the bins lie.
    X = np.array([[1.0, 5.0], [5.0, 7.0]])
    assert reading.cancelling(np.array([[1.0, -1.0]]), X) == pytest.approx(3)
    # A second frequency, in which both pull together, halves what is above 1.
    both = np.array([[1.0, -1.0], [3.0, 2.0]])
    assert reading.cancelling(both, X) == pytest.approx((3 + 1) / 2)


def test_components_needed_to_come_near_the_best():
    numbers, r2 = np.array([1, 2, 5, 9]), np.array([0.2, 0.881, 0.9, 0.88])
    assert reading.components_needed(numbers, r2) == 2
    assert reading.components_needed(numbers, r2, within=0.01) == 5


def test_a_component_is_named_above_the_limit_only():
    named = ["mean frequency", *components.STRUCTURAL]
    result = {"named": np.array(named), "r": np.array([0.5, 1.5, 2.5])}
    result["correlation"] = np.array([[0.99, 0.1, -0.81, np.nan, 0.2], [-0.7, 0.79, 0, 0, 0]])
    assert components.name_of(result, 0) == ("swing of g(r)", 0.81)
    assert components.name_of(result, 1) == ("no name", 0.79)
    assert components.follows_frequency(result, 1) == 0.7
    result["components"] = np.array([[0.6, 0.0, 0.8], [1.0, 0.0, 0.0]])
    assert components.largest_shell(result, np.array([0.0, 2.0, 3.0])) == pytest.approx(0.64)


# --- shells -----------------------------------------------------------------------------------


def test_thirds_hold_a_third_of_the_modes_each():
    bands = shells.thirds(np.full(9, 1 / 9))
    assert [mask.tolist().index(True) for mask in bands.values()] == [0, 3, 6]
    assert sum(mask.astype(int) for mask in bands.values()).tolist() == [1] * 9
    uneven = shells.thirds(np.array([2 / 3, 0.0, 1 / 6, 1 / 6]))
    assert uneven["middle"].tolist() == [True, False, False, False]  # its middle mode is at 1/3


def test_r2_of_a_band_is_that_of_its_errors(linear):
    X, Y, _ = linear
    held = models.cross_validate(models.ridge(1e-4), X, Y, GROUPS)
    error, weight = (((y - Y) ** 2).sum(axis=0) for y in (held.prediction, held.baseline))
    by_bin = np.append(1 - error / weight, held.r2)
    band = np.array([True, True, False, False, True, False])
    found = shells.in_band(by_bin, weight, band)
    assert found == pytest.approx(1 - error[band].sum() / weight[band].sum())
    assert shells.in_band(by_bin, weight, np.ones(N_OMEGA, bool)) == pytest.approx(held.r2)


def test_a_bin_that_never_varies_counts_for_nothing():
    r2, weight = np.array([0.5, np.nan, 0.1]), np.array([1.0, 0.0])
    assert shells.in_band(r2, weight, np.array([True, True])) == 0.5


def test_contrasts_have_the_sign_of_what_knows_more(linear):
    X, Y, _ = linear
    near = np.arange(N_R) < 4
    held = shells.near_and_far(X, Y, GROUPS, near)
    low, high = np.arange(N_OMEGA) < 3, np.arange(N_OMEGA) >= 3
    short, far = shells.contrast(held, low, GROUPS), shells.contrast(held, high, GROUPS)
    assert short.low > 0.5
    assert far.high < -0.5
    both = shells.difference_of_contrasts(held, low, high, GROUPS)
    assert both.value == pytest.approx(short.value - far.value)
    assert both.low > 1
    other_way = shells.difference_of_contrasts(held, high, low, GROUPS)
    assert other_way.value == pytest.approx(-both.value)


def test_what_is_lost_in_the_first_shell():
    assert shells.share_lost_in_first(np.array([0.3, 0.1, -5.0])) == pytest.approx(0.75)
    assert shells.share_lost_in_first(np.array([-0.1, 0.1])) == 0
    assert np.isnan(shells.share_lost_in_first(np.array([-0.1, -0.1])))


def test_used_and_needed_speak_of_the_shell_that_costs_most():
    result = {"all": np.array([0.0, 0.9]), "permuted": np.array([[0, 0.5], [0, -0.1]])}
    result["without"] = np.array([[0, 0.2], [0, 0.89]])
    assert shells.used_and_needed(result) == pytest.approx((1.0, 0.01))


def test_effects_near_by_hand():
    W, spread = np.array([[1.0, 2.0], [3.0, 1.0]]), np.array([2.0, 1.0])
    near, first = np.array([True, False]), np.array([True, False])
    assert shells.effect_near(W, spread, near, first) == pytest.approx(4 / 8)
    both = shells.effect_near(W, spread, near, np.array([True, True]))
    assert both == pytest.approx(40 / 45)


def test_resampled_effects_find_the_half_that_a_map_sees(linear):
    X, Y, _ = linear
    low, high = np.arange(N_OMEGA) < 3, np.arange(N_OMEGA) >= 3
    near = np.arange(N_R) < 4
    found = shells.resampled_effects(X, Y, GROUPS, near=near, bands=(low, high), l2=1e-6, times=5)
    assert found.shape == (5, 2)
    assert found[:, 0].min() > 0.95
    assert found[:, 1].max() < 0.05


def test_all_parts_are_read_band_by_band():
    """With two bins of equal weight, R² of both together is the mean of theirs."""
    result = {part: np.array([0.1 * k, 0.3 * k, 9.0]) for k, part in enumerate(shells.PARTS)}
    result["within"] = np.array([[0.2, 0.4, 9], [0.6, 0.8, 9]])
    bands = {"low": np.array([True, False]), "both": np.array([True, True])}
    found = shells.by_part(result, np.array([1.0, 1.0]), bands)
    assert list(found) == list(shells.PARTS)
    assert found["within"]["low"] == pytest.approx([0.2, 0.6])
    assert found["within"]["both"] == pytest.approx([0.3, 0.7])
    assert found["permuted"]["both"] == pytest.approx(1.0)


def test_truncations_are_contrasts_at_each_cut(linear):
    X, Y, _ = linear
    cuts = {edge: shells.near_and_far(X, Y, GROUPS, np.arange(N_R) < edge) for edge in (4, 8)}
    bands = {shells.LOW: np.arange(N_OMEGA) < 3, shells.PEAK: np.arange(N_OMEGA) >= 3}
    table = shells.truncations(cuts, bands, GROUPS)
    assert list(table.index) == ["cut at 4.00 Å", "cut at 8.00 Å"]
    low, peak, more = table.iloc[0]
    assert low == shells.contrast(cuts[4], bands[shells.LOW], GROUPS)
    assert peak == shells.contrast(cuts[4], bands[shells.PEAK], GROUPS)
    assert more.value == pytest.approx(low.value - peak.value)
    assert table.iloc[1, 1].value > peak.value  # four more of its bins are near


def test_what_shells_cost():
    parts = {"all": {shells.LOW: 0.9, shells.PEAK: 0.5, "high": 0.1}}
    parts["permuted"] = {shells.LOW: np.array([0.6, 0.8]), shells.PEAK: np.array([0.5, 0.1])}
    parts["without"] = {shells.LOW: np.array([0.8, 0.9]), shells.PEAK: np.array([0.5, 0.5])}
    assert shells.lost(parts, "without")[shells.LOW] == pytest.approx([0.1, 0])
    assert list(shells.lost(parts, "permuted")) == [shells.LOW, shells.PEAK]
    assert shells.lost_near(parts) == pytest.approx({shells.LOW: 0.75, shells.PEAK: 0})
