"""What computes rows, models and results has linear algebra use one thread, whatever it may.

The bytes of a sum depend on how it is shared out, so a row must not depend on the processors.
"""

from dataclasses import fields, replace

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from threadpoolctl import threadpool_info, threadpool_limits

import glassdata as gd
from glassdata import models
from glassdata.evaluation import fit_grouped
from glassdata.experiments import runner
from glassdata.row import compute_row, make_structure


def threads() -> int:
    """The most that any library may use now."""
    return max(library["num_threads"] for library in threadpool_info())


@pytest.fixture
def seen():
    """Threads that were found while something was computed; two are allowed outside."""
    found: list[int] = []
    with threadpool_limits(2):
        if threads() != 2:
            pytest.skip("linear algebra has one thread here, whatever it is told")
        yield found
        assert threads() == 2, "the limit of the caller was changed"
    assert set(found) == {1}


class Watched(LinearRegression):
    """A model that notes how many threads it is fitted with."""

    seen: list

    def fit(self, X, y):
        type(self).seen.append(threads())
        return super().fit(X, y)


@pytest.fixture
def watched(seen):
    return type("Watched", (Watched,), {"seen": seen})()


def test_structures_are_made_with_one_thread(seen):
    system = gd.SYSTEMS["lj2d"]
    protocol = system.protocols["demo"]

    class Noting(type(protocol)):
        def __call__(self, system, index):
            seen.append(threads())
            return super().__call__(system, index)

    noting = Noting(**{f.name: getattr(protocol, f.name) for f in fields(protocol)})
    make_structure(replace(system, protocols={"demo": noting}), 0)


def test_structures_are_described_with_one_thread(seen, monkeypatch):
    def noting(atoms, system, timings, known):
        seen.append(threads())
        return {}

    monkeypatch.setattr("glassdata.row.describe", noting)
    compute_row("lj2d", "demo", 0, make=lambda *_: gd.SYSTEMS["lj2d"].crystal())


def test_models_are_fitted_with_one_thread(watched):
    X = np.random.default_rng(0).random((12, 2))
    fit_grouped(watched, X, X, np.arange(12))


def test_settings_are_chosen_with_one_thread(watched):
    X = np.random.default_rng(0).random((12, 2))
    models.Tuned(watched, {"fit_intercept": [True, False]}).fit(X, X)


def test_results_are_computed_with_one_thread(seen, monkeypatch, tmp_path):
    class Experiment:
        VERSION = 1

        @staticmethod
        def compute(name, get):
            seen.append(threads())
            return {"x": np.zeros(1)}

    monkeypatch.setattr(runner, "EXPERIMENTS", {"mine": Experiment})
    monkeypatch.setattr(runner, "write_result", lambda *_: None)
    task = runner.Task("mine", None, tmp_path, {})
    runner.compute_result(task, "ar.one", 0)
