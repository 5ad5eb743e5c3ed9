"""The results that ship fit the dataset, each other and themselves, as chapters 9 to 11 assume."""

from functools import partial

import numpy as np
import pytest

import glassdata as gd
from glassdata.experiments import EXPERIMENTS, reading, runner, shells, standings
from glassdata.results import SHIPPED

GLASS = "amc"

pytestmark = pytest.mark.skipif(
    not all((SHIPPED / f"{name}.zip").exists() for name in EXPERIMENTS),
    reason="no results ship yet",
)


@pytest.fixture(scope="module")
def shipped():
    return {name: gd.open_results(name, SHIPPED) for name in EXPERIMENTS}


@pytest.fixture(scope="module")
def get():
    return partial(runner.load, None)


def test_results_of_another_dataset_are_refused(shipped, get):
    glasses = {system: get(system) for system in shipped["weights"].systems}
    runner.check_origin(shipped["weights"], glasses)
    with pytest.raises(ValueError, match="results of weights belong to another dataset"):
        runner.check_origin(shipped["weights"], {"lj2d": glasses["lj2d"]})


def test_all_results_come_from_one_dataset(shipped):
    first, *others = [found.manifest["dataset"] for found in shipped.values()]
    assert all(other == first for other in others)


def test_the_yardstick_mean_is_the_baseline_of_every_result(shipped):
    found = shipped["line-vs-cnn"]
    for name in found.systems:
        mean = standings.held_out_errors(found, name, "mean")
        for model in ("ridge", "cnn"):
            for fold in standings.folds_of(found, name, model):
                np.testing.assert_allclose(mean[fold["test"]], fold["baseline"])


def test_the_network_has_the_published_number_of_weights(shipped):
    found = shipped["line-vs-cnn"].select("*.cnn.test.*").values()
    assert {int(fold["n_parameters"]) for fold in found} == {162_206}


def test_biases_are_what_the_maps_leave_of_the_mean(shipped):
    """b = ȳ − W ḡ is an identity of the fit; the fits without a penalty have huge weights."""
    for result in shipped["weights"].of_each("maps").values():
        for kind in reading.KINDS:
            W, b = result[f"W_{kind}"], result[f"b_{kind}"]
            allowed = 1e-4 * np.abs(W).max() + 1e-6
            np.testing.assert_allclose(b, result["pdos_mean"] - W @ result["g_mean"], atol=allowed)


def test_bands_add_up_to_the_overall_score(shipped, get):
    for name, result in shipped["weights"].of_each("shells", ["lj2d", GLASS]).items():
        data = get(name)
        _, error = reading.errors_of_the_mean(data.shares, data.groups)
        everything = np.ones(len(data.omega), bool)
        overall = shells.in_band(result["all"], error.sum(axis=0), everything)
        assert overall == pytest.approx(result["all"][-1], abs=1e-6)  # of single precision


def test_the_noise_is_compared_with_the_errors_of_the_same_line(shipped):
    found = shipped["referee"]
    held, noise = found.of_each("baselines"), found.of_each("noise")
    assert list(held) == found.systems
    for name in found.systems:
        np.testing.assert_allclose(noise[name]["error"], held[name]["error_ridge"])
