"""The results that chapters 9 to 11 read: they fit the dataset, each other and themselves."""

import numpy as np
import pytest

import glassdata as gd
from glassdata import results
from glassdata.experiments import reading, runner, shells, standings
from glassdata.experiments.comparison import FOLDS
from glassdata.store.reading import REFERENCE

NAMES = ("line-vs-cnn", "weights", "referee")
THERE = [(results.SHIPPED / f"{name}.zip").exists() for name in NAMES]
pytestmark = pytest.mark.skipif(
    not (all(THERE) and REFERENCE.exists()), reason="no dataset and results ship"
)


@pytest.fixture(scope="module")
def glasses():
    names = gd.open_results("weights").systems
    return {name: gd.dataset(name, REFERENCE) for name in names}


@pytest.mark.parametrize("name", NAMES)
def test_results_are_those_of_the_dataset(name, glasses):
    found = gd.open_results(name)
    runner.check_origin(found, glasses)
    with pytest.raises(ValueError, match=f"results of {name} belong to another dataset"):
        runner.check_origin(found, dict(list(glasses.items())[1:]))


def test_the_yardstick_mean_is_the_baseline_of_every_cell():
    found = gd.open_results("line-vs-cnn")
    for name in found.systems:
        mean = standings.held_out_errors(found, name, "mean")
        for model in ("ridge", "cnn"):
            for fold in standings.folds_of(found, name, model):
                np.testing.assert_allclose(mean[fold["test"]], fold["baseline"])


def test_the_network_has_the_published_number_of_weights():
    found = gd.open_results("line-vs-cnn")
    assert {int(found[f"{n}.cnn.test.{k}"]["n_parameters"]) for n in found.systems
            for k in range(FOLDS)} == {162_206}  # fmt: skip


def test_biases_are_what_the_maps_leave_of_the_mean():
    """b = ȳ − W ḡ is an identity of the fit; the fits without a penalty have huge weights."""
    for cell in gd.open_results("weights").of_each("maps").values():
        for kind in reading.KINDS:
            W, b = cell[f"W_{kind}"], cell[f"b_{kind}"]
            allowed = 1e-4 * np.abs(W).max() + 1e-6
            np.testing.assert_allclose(b, cell["pdos_mean"] - W @ cell["g_mean"], atol=allowed)


def test_bands_add_up_to_the_overall_score(glasses):
    for name, cell in gd.open_results("weights").of_each("shells", ["lj2d", "amc"]).items():
        data = glasses[name]
        _, error = reading.errors_of_the_mean(data.shares, data.groups)
        everything = np.ones(len(data.omega), bool)
        overall = shells.in_band(cell["all"], error.sum(axis=0), everything)
        assert overall == pytest.approx(cell["all"][-1], abs=1e-6)  # stored in single precision


def test_the_noise_is_compared_with_the_errors_of_the_same_line():
    found = gd.open_results("referee")
    held, noise = found.of_each("baselines"), found.of_each("noise")
    assert list(held) == found.systems
    for name in found.systems:
        np.testing.assert_allclose(noise[name]["error"], held[name]["error_ridge"])
