"""What chapter 11 makes of results and structures: planted answers, leaks that must show."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from ase.build import bulk

import glassdata as gd
from glassdata import models
from glassdata.describe import describe
from glassdata.experiments import checks, elsewhere, objections
from glassdata.experiments.verdicts import NOTHING, Estimate
from glassdata.system import DISORDER_CLASSES

N = 40
GROUPS = np.repeat(np.arange(N // 2), 2)
CLASSES = np.array(DISORDER_CLASSES)[np.repeat([0, 1, 2, 3], 10)]


@pytest.fixture
def errors():
    return 0.5 + np.random.default_rng(0).random((4, N))


def share(error, baseline):
    return 1 - np.sum(error) / np.sum(baseline)


# --- leakage and rivals -----------------------------------------------------------------------


def test_a_leak_is_what_random_splits_gain():
    result = {"random_ridge": np.array([0.9, 0.8, 0.7]), "grouped_ridge": np.array([0.6, 0.6, 0.6])}
    found = objections.leak(result, "ridge")
    assert found == pytest.approx((0.2, 0.1, 0.3))
    assert objections.opposite(found) == pytest.approx((-0.2, -0.3, -0.1))


def test_scores_and_leads_of_held_out_errors(errors):
    line, rival, baseline, _ = errors
    result = {
        "error_ridge": line / 2,
        "error_n_atoms": rival,
        "baseline": baseline,
        "groups": GROUPS,
    }
    found = objections.held_out(result, "ridge")
    assert found.value == pytest.approx(share(line / 2, baseline))
    ahead = objections.lead_over(result, "n_atoms")
    assert ahead.value == pytest.approx(found.value - share(rival, baseline))
    assert ahead.low > 0
    assert objections.lead_over(result, "ridge") == (0, 0, 0)


def test_one_who_knows_the_class_alone_is_worth_nothing_within_it(errors):
    result = {"error_ridge": errors[0], "error_class_mean": errors[0], "groups": GROUPS}
    result["classes"] = CLASSES
    assert objections.within_class(result) == (0, 0, 0)
    result["error_class_mean"] = np.where(CLASSES == "amorphous", 4 * errors[0], errors[0])
    assert objections.within_class(result, "amorphous").value == pytest.approx(0.75)
    assert objections.within_class(result, "partial").value == 0


@pytest.mark.parametrize(("n", "there"), [(4, False), (5, True)])
def test_a_class_of_few_families_is_not_judged(errors, n, there):
    groups = np.where(CLASSES == "partial", GROUPS % n, 100)
    result = {"error_ridge": errors[0], "error_class_mean": errors[1], "groups": groups}
    result["classes"] = CLASSES
    assert objections.within_class(result, "partial").is_there == there


def test_the_line_is_compared_with_the_best_single_number_of_each_glass(errors):
    line, rival, baseline, other = errors
    result = {"error_ridge": line, "error_n_atoms": rival, "error_density": other + 1}
    result |= {"baseline": baseline, "groups": GROUPS}
    models = {"N": "n_atoms", "ρ": "density"}
    scores = {"N": {"a": Estimate(0.1, 0, 1)}, "ρ": {"a": Estimate(0.2, 0, 1)}}
    best, lead = objections.leads_over_best({"a": result}, scores, models)
    assert best == {"a": "ρ"}
    assert lead["a"] == objections.lead_over(result, "density")


# --- noise ------------------------------------------------------------------------------------


@pytest.fixture
def noise():
    """Baseline 10, error 4; pairs 2; ten repeats that scatter by 1, so that 8/9 is explained."""
    return {
        "baseline": np.full(N, 10.0),
        "error": np.full(N, 4.0),
        "pair": np.full(N, 2.0),
        "replicate": np.arange(N) < 10,
        "scatter": np.full(10, 1.0),
        "groups": GROUPS,
    }


def test_the_explained_share_by_hand(noise):
    assert objections.explained_share(noise, "pairs") == pytest.approx((6 / 8,) * 3)
    assert objections.explained_share(noise, "repeats") == pytest.approx((6 / 9,) * 3)


def test_a_share_without_a_floor_is_r2(noise):
    noise["pair"] = np.zeros(N)
    noise["error"] = np.random.default_rng(0).random(N)
    r2 = share(noise["error"], noise["baseline"])
    assert objections.explained_share(noise, "pairs").value == pytest.approx(r2)


def test_the_true_share_lies_between_r2_and_the_estimate_from_above():
    between = objections.share_between(Estimate(0.7, 0.6, 0.8), Estimate(0.9, 0.85, 0.95))
    assert between == (0.9, 0.6, 0.95)


@pytest.mark.parametrize("floor", [10.0, 12.0])
def test_a_floor_that_reaches_the_baseline_leaves_nothing_to_explain(noise, floor):
    noise["pair"] = np.full(N, floor)
    assert np.isposinf(objections.explained_share(noise, "pairs").value)


def test_the_floor_of_repeats_needs_two_of_them(noise):
    noise["replicate"] = np.arange(N) < 1
    assert not objections.explained_share(noise, "repeats").is_there


def test_a_nugget_is_what_is_left_at_distance_zero():
    distance = np.linspace(0, 4, N)
    result = {"pair": 3 + 2 * (distance / 2) ** 2, "pair_distance": distance}
    result |= {"spread": np.array(2.0), "error": np.full(N, 7.0)}
    found = objections.nugget(result)
    assert found["at distance zero"] == pytest.approx(3)
    assert found["nearer half"] < found["all pairs"] == pytest.approx(result["pair"].mean())


# --- scores and inputs ------------------------------------------------------------------------


def test_skills_are_shares_of_the_errors_of_the_mean(errors):
    result = {"groups": GROUPS, "error_line": errors[0] / 2, "error_mean": errors[0]}
    result |= {"wasserstein_line": errors[1], "wasserstein_mean": errors[1]}
    for power in objections.MOMENTS.values():
        result[f"moment_{power}_truth"] = np.zeros(N)
        result |= {f"moment_{power}_line": errors[2], f"moment_{power}_mean": 2 * errors[2]}
    found = {label: one.value for label, one in objections.skills(result).items()}
    assert found.pop("squared error") == pytest.approx(0.5)
    assert found.pop("Wasserstein") == 0
    # Half the error of a moment is a quarter of its square.
    assert list(found.values()) == pytest.approx([0.75] * 4)


def test_scores_are_sorted_by_score_and_the_worst_has_its_name(monkeypatch):
    level = {"a": {"MSE": 0.5, "⟨ω⟩": 0.1}, "b": {"MSE": -0.2, "⟨ω⟩": 0.9}}
    some = {n: {k: Estimate(x, x, x) for k, x in mine.items()} for n, mine in level.items()}
    monkeypatch.setattr(objections, "skills", lambda name: some[name])
    found = objections.by_score({"a": "a", "b": "b"})
    assert found["⟨ω⟩"] == {"a": some["a"]["⟨ω⟩"], "b": some["b"]["⟨ω⟩"]}
    assert list(found) == ["MSE", "⟨ω⟩"]
    worst = objections.worst_score(found)
    assert worst == {"a": ("⟨ω⟩", some["a"]["⟨ω⟩"]), "b": ("MSE", some["b"]["MSE"])}


def test_inputs_have_labels_in_the_order_of_the_figure(errors):
    names = ["n", "g", "density", "G", "density times g", "g and density"]
    result = {"names": np.array(names), "error": np.arange(1.0, 7)[:, None] * errors[0]}
    result |= {"baseline": 10 * errors[0], "groups": GROUPS}
    found = objections.by_inputs({"x": result})
    values = [mine["x"].value for mine in found.values()]
    assert list(found) == ["g", "g and ρ", "ρg", "n(r)", "G(r)", "ρ alone"]
    assert values == pytest.approx([0.8, 0.4, 0.5, 0.9, 0.6, 0.7])


def test_bins_are_judged_by_the_whole_range():
    result = {"r2": np.array([[0.5, np.nan], [0.9, 0.6]])}
    assert objections.bin_range(result) == pytest.approx((-0.4, -0.4, -0.4))


def test_a_bend_adds_to_the_line(errors):
    result = {"error_line": errors[0], "error_both": errors[0] / 2, "error_kernel": errors[0] / 4}
    found = objections.bent({"x": result | {"error_mean": errors[0], "groups": GROUPS}})
    assert [mine["x"].value for mine in found.values()] == pytest.approx([0, 0.5, 0.75])
    assert list(found) == ["line", "line and kernel", "kernel"]


def test_the_lead_is_over_the_best_other_input(errors):
    names = np.array(["n", "g", "density"])
    result = {"names": names, "error": errors[:3] + np.array([[0.1], [0.2], [9.0]])}
    result |= {"baseline": errors[3] + 1, "groups": GROUPS}
    by_name = objections.by_input(result)
    assert list(by_name) == names.tolist()
    lead = objections.lead_over_other_inputs(result)
    assert lead.value == pytest.approx(by_name["g"].value - by_name["n"].value)


def test_the_lead_is_over_the_better_kernel(errors):
    result = {
        "error_line": errors[0],
        "error_both": errors[0] + 0.1,
        "error_kernel": errors[0] + 0.5,
    }
    result |= {"error_mean": np.full(N, 2.0), "groups": GROUPS}
    assert objections.lead_over_kernels(result) == pytest.approx((0.05, 0.05, 0.05))


def test_large_structures_need_large_structures():
    large = np.arange(N) < 6
    assert objections.large_from_small({"large": large}, GROUPS) == NOTHING
    result = {"large": large, "error": np.full(6, 3.0), "error_mixed": np.full(6, 1.0)}
    result["baseline"] = np.full(6, 4.0)
    assert objections.large_from_small(result, GROUPS) == pytest.approx((-0.5, -0.5, -0.5))


# --- elsewhere --------------------------------------------------------------------------------


def test_a_left_out_class_is_compared_with_either_mean():
    result = {"error_ridge_amorphous": np.full(10, 2.0), "baseline_amorphous": np.full(10, 8.0)}
    result["own_mean_amorphous"] = np.full(10, 1.0)
    of_others, own = (
        elsewhere.left_out(result, CLASSES, GROUPS, model="ridge", mean=mean)
        for mean in ("baseline", "own_mean")
    )
    assert list(of_others) == list(own) == ["amorphous"]
    # Nearer than the other classes are, and yet no better than knowing the class's mean.
    assert of_others["amorphous"].value == 0.75
    assert own["amorphous"].value == -1


def test_the_least_of_some_estimates():
    some = {"a": Estimate(0.5, 0, 1), "b": Estimate(0.4, 0.3, 0.5)}
    assert elsewhere.least(some) == some["b"]
    assert elsewhere.least({}) == NOTHING


def test_a_transfer_is_read_in_three_ways():
    result = {"error": np.full(N, 3.0), "error_shifted": np.full(N, 1.0)}
    result |= {"baseline_target": np.full(N, 2.0), "error_at_home": np.full(N, 1.0)}
    result |= {"baseline_at_home": np.full(N, 4.0), "groups": GROUPS}
    found = {label: one.value for label, one in elsewhere.transfer(result).items()}
    assert found == {"as it is": -0.5, "shifted": 0.5, "at home": 0.75}


def test_the_best_line_that_arrives_counts():
    result = {"error": np.full(N, 3.0), "error_shifted": np.full(N, 1.0), "groups": GROUPS}
    result |= {"baseline_target": np.full(N, 2.0), "error_at_home": np.full(N, 1.0)}
    result |= {"baseline_at_home": np.full(N, 4.0)}
    better = result | {"error": np.full(N, 1.0)}
    moved = elsewhere.transfers(
        {"a.transfer.c": result, "b.transfer.c": better, "c.transfer.bc": result}
    )
    assert list(moved) == ["a → c", "b → c", "c → bc"]
    found = elsewhere.arrived(moved, ["c", "b", "bc"])
    assert found["c"].value == 0.5
    assert found["b"] == NOTHING  # "bc" is another glass
    assert found["bc"].value == -0.5


def test_the_worst_class_is_that_of_the_same_glass():
    found = {("a", "x"): Estimate(0.5, 0, 1), ("a", "y"): Estimate(0.2, 0, 1)}
    found["b", "x"] = Estimate(-1.0, -2, 0)
    worst = elsewhere.worst_class(found, ["a", "b", "c"])
    assert worst == {"a": found["a", "y"], "b": found["b", "x"], "c": NOTHING}


@pytest.fixture
def held():
    """A model without any use, on spectra that are their class and noise."""
    rng = np.random.default_rng(1)
    level = np.array([DISORDER_CLASSES.index(kind) for kind in CLASSES])
    Y = level[:, None] + 0.1 * rng.normal(size=(N, 3))
    return models.cross_validate(models.mean(), rng.normal(size=(N, 2)), Y, GROUPS)


def test_class_means_never_see_their_own_fold(held):
    means = objections.class_means(held, CLASSES)
    for fold in np.unique(held.fold):
        asked = (held.fold == fold) & (CLASSES == "partial")
        known = (held.fold != fold) & (CLASSES == "partial")
        if asked.any():
            expected = np.tile(held.truth[known].mean(axis=0), (asked.sum(), 1))
            np.testing.assert_allclose(means[asked], expected)
    # A mean that included the structure itself would be nearer to it: a leak would show here.
    inside = np.stack([held.truth[kind == CLASSES].mean(axis=0) for kind in CLASSES])
    assert ((means - held.truth) ** 2).sum() > ((inside - held.truth) ** 2).sum()


def test_a_class_that_one_fold_holds_alone_is_met_by_the_mean_of_all(held):
    alone = np.where(held.fold == 0, "amorphous", "partial")
    means = objections.class_means(held, alone)
    np.testing.assert_array_equal(means[held.fold == 0], held.baseline[held.fold == 0])


def test_a_model_that_knows_nothing_is_worse_than_the_class(held):
    assert objections.against_class(held, CLASSES, GROUPS).high < -5


# --- structures -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def flat():
    return gd.SYSTEMS["lj2d"]


def test_a_crystal_at_rest_has_as_many_zeros_as_dimensions(flat):
    crystal = flat.crystal() * (6, 4, 1)
    assert checks.count_zeros(crystal, flat.potential) == 2
    solid = gd.SYSTEMS["lj3d"]
    assert checks.count_zeros(solid.crystal() * (3, 3, 3), solid.potential) == 3


def test_the_top_of_the_crystal_bounds_its_supercells(flat):
    top = checks.crystal_top(flat)
    omega = gd.frequencies(flat.crystal() * (6, 4, 1), flat.potential)
    # The mesh of twelve waves holds those of six and of four cells.
    assert omega.max() <= top * (1 + 1e-9)
    assert omega.max() > 0.9 * top


def test_the_top_of_a_crystal_does_not_depend_on_the_cell_it_is_written_in():
    """Of four atoms or of one: waves that the small cell needs are at rest in the large one."""
    solid = gd.SYSTEMS["lj3d"]
    cubic = solid.crystal()
    small = bulk("Ar", "fcc", a=(4 * cubic.cell.volume / len(cubic)) ** (1 / 3))
    alone = SimpleNamespace(crystal=lambda: small, potential=solid.potential)
    assert checks.crystal_top(alone) == pytest.approx(checks.crystal_top(solid), rel=1e-6)


def test_moments_are_those_of_their_labels():
    omega = 3.0
    labels = {"⟨1/ω⟩": 1 / omega, "⟨ω⟩": omega, "⟨ω²⟩": omega * omega, "⟨ω⁴⟩": omega**4}
    found = {label: omega**power for label, power in objections.MOMENTS.items()}
    assert found == pytest.approx(labels)


def test_modes_above_a_limit_belong_to_their_structures():
    frequency, n_modes = np.array([1.0, 5.0, 2.0, 3.0, 4.0]), np.array([2, 0, 3])
    assert checks.count_above(frequency, n_modes, 2.5).tolist() == [1, 0, 2]
    kept = checks.share_kept(np.array([1, 0, 2]), np.array([2, 4, 3]), np.arange(3))
    assert kept.value == pytest.approx(1 - 3 / 9)


def test_no_mode_of_the_crystal_lies_above_its_top(flat):
    top = checks.crystal_top(flat)
    stored = {"frequency": SimpleNamespace(values=top * np.array([0.5, 1.0, 1.0005, 1.002, 2.0]))}
    data = SimpleNamespace(stored=stored, n_modes=np.array([3, 2]))
    above = checks.modes_above_crystal(data, flat)
    assert above.tolist() == [0, 2]
    data.groups = np.array([0, 1])
    below = checks.shares_below({"lj2d": above}, {"lj2d": data, "far": data})
    assert below["lj2d"].value == pytest.approx(3 / 5)
    assert below["far"] == NOTHING


def test_the_share_in_range_counts_modes_not_structures():
    data = SimpleNamespace(overflow=np.array([0.5, 0.0]), n_modes=np.array([10, 30]))
    data.groups = np.array([0, 1])
    assert checks.share_in_range(data).value == pytest.approx(1 - 5 / 40)


def test_lowest_positive_frequencies():
    frequency = np.array([-1.0, 0.0, 0.5, 2.0, 0.3])
    assert checks.lowest_positive(frequency, np.array([3, 2])).tolist() == [0.5, 0.3]


def test_half_a_cell_is_measured_across_faces():
    square, oblique = np.diag([4.0, 6.0, 1.0]), np.array([[4.0, 0, 0], [3.0, 5.0, 0], [0, 0, 1]])
    assert checks.half_cell(np.array([square]), 2) == 2
    assert checks.half_cell(np.array([square]), 3) == 0.5
    # Area 20 over the longer edge, √34.
    expected = 0.5 * min(20 / np.sqrt(34), 5)
    assert checks.half_cell(np.array([square, oblique]), 2) == pytest.approx(min(2, expected))


def test_larger_cells_are_judged_by_the_same_line(flat):
    # The protocol of the demo: sixty atoms instead of nine hundred.
    small = replace(flat, protocols={"reference": flat.protocols["demo"]})
    shown = []

    class Line:
        def predict(self, g):
            shown.append(g[0])
            return guess[None]

    n_omega = len(flat.omega_edges) - 1
    guess = mean = np.full(n_omega, 1 / n_omega)
    how = {"cells": (10, 6, 1), "plans": [0, 1]}
    # The line says what the mean says: R² is 0 in both sizes.
    assert checks.larger_cells(small, Line(), mean, **how) == ((0, 0, 0), 0)
    assert len(shown) == 4
    assert not np.array_equal(shown[0], shown[1])
    # A flat guess gains on a mean that puts all modes into one bin.
    peak = np.eye(1, n_omega)[0]
    change, r2 = checks.larger_cells(small, Line(), peak, **how)
    large = replace(small.protocols["reference"], cells=how["cells"])
    spectra = [describe(large(small, k), small)["pdos"] for k in how["plans"]]
    truth = np.array(spectra) / np.sum(spectra, axis=1, keepdims=True)
    assert r2 == pytest.approx(1 - ((guess - truth) ** 2).sum() / ((peak - truth) ** 2).sum())
    assert r2 > 0
    assert change.low <= change.value <= change.high
