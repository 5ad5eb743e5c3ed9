"""The results that ship are what this very code makes of the dataset that ships, and fit together.

Whoever changes what an experiment computes raises its ``VERSION`` and makes the results
anew; whoever changes it unknowingly is told here.
"""

import json
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import glassdata as gd
from glassdata import models
from glassdata.experiments import (
    EXPERIMENTS,
    comparison,
    reading,
    referee,
    runner,
    shells,
    standings,
    weights,
)
from glassdata.results import SHIPPED
from glassdata.systems import available

GLASS = "amc"
#: Results that take a few seconds, of every experiment that has some. Even the shortest takes
#: longer of propensities, motion, observables and driven structures; potentials need weights.
QUICK = {
    "weights": [
        *(f"{GLASS}.{part}" for part in ("collinearity", "components", "path")),
        *(f"si.{part}" for part in ("collinearity", "shells")),
    ],
    "referee": [
        *(f"{GLASS}.{part}" for part in ("density", "left_out", "noise", "scores", "size")),
        *(f"si.{part}" for part in ("baselines", "bins", "leakage", "residual")),
        "ka2d.transfer.ka3d",
    ],
    "line-vs-cnn": [
        f"{GLASS}.{model}.test.0"
        for model in ("density", "kernel_ridge", "least_squares", "mean", "nearest", "pcr", "ridge")
    ],
    "glasses": [
        *(f"si.{part}.quenched" for part in ("leak", "signal")),
        "si.errors.quenched.soft.4.25",
        "hea.across",
        "ka2d.sizes",
    ],
    "why": ["ka3d.moment", "si.second"],
    "elsewhere": [f"{GLASS}.others"],
    "coverage": [f"{GLASS}.foreign", "si.intervals"],
    "beyond": ["hea.beyond.x-rays.quenched"],
    "descriptors": ["transfer.si"],
}
#: Two orders of the same operations; the networks, which differ more, are not asked.
EXACT = 1e-9
MADE_THEN = ("cpu_seconds",)

#: An experiment may be younger than the page that will read it, and not ship yet.
HERE = [name for name in EXPERIMENTS if (SHIPPED / f"{name}.zip").exists()]
PAGES = sorted((Path(__file__).parents[1] / "book").glob("*.md"))


@pytest.fixture(scope="module")
def shipped():
    return {name: gd.open_results(name, SHIPPED) for name in HERE}


@pytest.fixture(scope="module")
def get():
    return partial(runner.load, None)


def test_whatever_a_page_reads_ships():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    read = set(re.findall(r'open_results\("([\w-]+)"\)', text))
    assert {"line-vs-cnn", "weights", "referee"} < read <= set(HERE)


def test_results_were_made_from_the_dataset_that_ships(shipped, get):
    for name, results in shipped.items():
        assert results.manifest["version"] == EXPERIMENTS[name].VERSION
        if GLASS in results.systems:
            assert results.origin[GLASS] == runner.mark(get(GLASS))


@pytest.mark.parametrize(
    ("experiment", "name"), [(one, name) for one, names in QUICK.items() for name in names]
)
def test_a_result_computed_again_is_the_one_that_ships(experiment, name, shipped, get):
    needed = getattr(EXPERIMENTS[experiment], "NEEDS", None)
    known = [shipped[needed]] if needed else []
    then, now = shipped[experiment][name], EXPERIMENTS[experiment].compute(name, get, *known)
    assert now.keys() == then.keys()
    for key in then.keys() - set(MADE_THEN):
        expected, found = then[key], np.asarray(now[key])
        if expected.dtype.kind not in "fc":
            np.testing.assert_array_equal(found, expected, err_msg=key)
        else:
            size = np.abs(expected[np.isfinite(expected)]).max(initial=0.0)
            np.testing.assert_allclose(found, expected, rtol=EXACT, atol=EXACT * size, err_msg=key)


def test_every_result_is_there(shipped, get):
    """The names are those that the experiments ask for, on all glasses that ship."""
    for name, results in shipped.items():
        glasses = {system: get(system) for system in results.systems}
        wanted = set(EXPERIMENTS[name].result_names(glasses))
        # What needs files of others is asked for where they are.
        lacking = {one for one in gd.SYSTEMS if one not in available()}

        def here(names, lacking=lacking):
            return {n for n in names if n != "si.measured" and not lacking & set(n.split("."))}

        assert here(results) == here(wanted), name


def test_penalties_and_reaches_are_those_of_the_code(shipped):
    results = shipped["weights"]
    for one in results.select("*.grid").values():
        assert one["alpha"].tolist() == list(weights.ALPHAS)
        assert one["beta"].tolist() == list(weights.BETAS)
    for one in results.select("*.shells").values():
        assert one["reach"].tolist() == list(weights.REACHES)
        assert len(one["permuted"]) == len(one["shell_edges"]) - 1
    for one in results.select("*.path").values():
        assert one["ridge_setting"].tolist() == pytest.approx(models.RIDGE_L2, rel=1e-14)
        # As many components as the smallest training fold has structures to spare.
        tried = one["pcr_setting"].tolist()
        assert tried == list(models.COMPONENTS)[: len(tried)]
        assert tried[-1] >= 50
    for one in results.select("*.components").values():
        assert len(one["components"]) == weights.N_COMPONENTS
    for one in shipped["referee"].select("*.leakage").values():
        assert len(one["grouped_ridge"]) == len(referee.SEEDS)


def test_every_setting_that_was_chosen_is_one_that_is_tried(shipped):
    """They are stored as numbers in a text, which keeps them to the last bit but one or two."""

    def known(value):
        return f"{float(value):.14g}"

    tried = {}
    for model, make in comparison.ESTIMATORS.items():
        if model not in comparison.NETWORKS:
            grid = getattr(make(), "grid", {})
            tried[model] = {key: set(map(known, grid[key])) for key in grid}
        else:
            network = make()
            epochs = set(map(known, range(1, network.max_epochs + 1)))
            decays = set(map(known, network.weight_decays))
            tried[model] = {"weight_decay": decays, "epochs": epochs}
            for one in network.settings:
                for key, value in one.items():
                    tried[model].setdefault(key, set()).add(known(value))
    results = shipped["line-vs-cnn"]
    for name in results:
        model = name.split(".")[1]
        if ".test." in name and model in tried:
            chosen = json.loads(str(results[name]["chosen"]))
            assert chosen.keys() == tried[model].keys(), name
            assert all(known(value) in tried[model][key] for key, value in chosen.items()), name


def test_results_of_another_dataset_are_refused(shipped, get):
    glasses = {system: get(system) for system in shipped["weights"].systems}
    runner.check_origin(shipped["weights"], glasses)
    with pytest.raises(ValueError, match="results of weights belong to another dataset"):
        runner.check_origin(shipped["weights"], {"lj2d": glasses["lj2d"]})


def test_all_results_come_from_one_dataset(shipped):
    whole = shipped["line-vs-cnn"].origin
    assert whole.keys() == set(available()) | {"cualzr_sheng", "sic_mlip"}
    for name, found in shipped.items():
        assert found.origin.items() <= whole.items(), name


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
