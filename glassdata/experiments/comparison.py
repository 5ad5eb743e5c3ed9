"""A line against a CNN: all models on the same held-out families, tuned on the same inner ones.

Results::

    SYSTEM.MODEL.test.K    fold K of five: every structure is tested once; K also seeds the model
                           (the tuned network is tried on the first two folds only)
    SYSTEM.MODEL.curve.K   the same test structures, trained on 10, 40 and 160 of the others
    SYSTEM.MODEL.paper     the loss of the training set, and of a split that ignores families

>>> FOLDS_OF["cnn_tuned"], FOLDS
(2, 5)
>>> PATIENCE_STEPS // PATIENCE  # steps of an epoch at which the two rules agree
20
"""

import json
import math
import time
from collections.abc import Callable, Mapping
from itertools import product

import numpy as np
from sklearn.base import BaseEstimator

from glassdata import models
from glassdata.structures import Dataset

FOLDS = 5
#: Folds of a model that is not tried on all: a fit of the tuned network trains 25 networks.
FOLDS_OF = {"cnn_tuned": 2}
#: Raised whenever the same result would come out differently.
VERSION = 3
#: Seed of the outer folds.
SEED = 0
SIZES = (10, 40, 160)
#: Networks stop after so many epochs without improvement, and not before ``PATIENCE_STEPS`` steps
#: without it: with ten structures an epoch is one step, and thirty steps are too few to decide.
PATIENCE, PATIENCE_STEPS = 30, 600
ESTIMATORS: Mapping[str, Callable[[], BaseEstimator]] = {
    **{name: kind.make for name, kind in models.MODELS.items()},
    "density": models.scalar,
    "cnn_tuned": models.tuned_cnn,
    # The paper's way of comparing: least squares, and the network trained to the end.
    "least_squares": lambda: models.ridge(0.0),
    "cnn_to_the_end": lambda: models.cnn(validation_fraction=0.0, max_epochs=1000),
}
NETWORKS = ("cnn_tuned", "residual", "cnn", "cnn_to_the_end")
CURVES = ("cnn", "kernel_ridge", "ridge", "pcr")
PAPER = ("cnn_to_the_end", "ridge", "least_squares")


def result_names(glasses: Mapping[str, Dataset]) -> list[str]:
    """Names of all results, those that take longest first."""
    names = [
        f"{s}.{m}.test.{k}"
        for m, s in product(ESTIMATORS, glasses)
        for k in range(FOLDS_OF.get(m, FOLDS))
    ]
    names += [f"{s}.{m}.curve.{k}" for m, s, k in product(CURVES, glasses, range(FOLDS))]
    names += [f"{s}.{m}.paper" for m, s in product(PAPER, glasses)]
    return sorted(names, key=lambda name: _place(name.split(".")[1]))


def _place(model: str) -> int:
    return NETWORKS.index(model) if model in NETWORKS else len(NETWORKS)


def compute(name: str, get: Callable[[str], Dataset]) -> dict[str, np.ndarray]:
    """One result; errors are mean squares per bin of spectra with sum 1, one per structure."""
    system, model, kind, *numbers = name.split(".")
    data = get(system)
    if kind == "paper":
        return _paper(data, model)
    (fold,) = map(int, numbers)
    train, test = models.grouped_folds(data.groups, FOLDS, SEED)[fold]
    of_kind = _trial if kind == "test" else _curve
    return of_kind(data, model, train, test, fold)


def _trial(
    data: Dataset, model: str, train: np.ndarray, test: np.ndarray, seed: int
) -> dict[str, np.ndarray]:
    """Train on ``train`` alone, whatever has to be chosen; score on ``test``."""
    X = data.density[:, None] if model == "density" else data.X
    Y, estimator = data.shares, ESTIMATORS[model]()
    if "seed" in estimator.get_params():
        estimator.set_params(seed=seed)
    if getattr(estimator, "validation_fraction", 0):
        estimator.set_params(patience=_patience(estimator, len(train)))
    start = time.process_time()
    models.fit_grouped(estimator, X[train], Y[train], data.groups[train])
    seconds = time.process_time() - start
    mean, guess = Y[train].mean(axis=0), estimator.predict(X[test])
    chosen = getattr(estimator, "best_params_", {})
    if model in NETWORKS:
        chosen = {"epochs": estimator.n_epochs_} | estimator.settings_
    # A page can fit a line again and draw what it predicts, but not a network. Three digits do.
    drawn = {"prediction": guess.astype(np.float16)} if model == "cnn" else {}
    return (
        drawn
        | {
            "test": test,
            "error": _errors(guess, Y[test]),
            "baseline": _errors(mean, Y[test]),
            "training_error": _errors(estimator.predict(X[train]), Y[train]).mean(),
            "training_baseline": _errors(mean, Y[train]).mean(),
            "n_train": len(train),
            "cpu_seconds": seconds,
            "n_parameters": _n_parameters(estimator, Y[train]),
            "chosen": json.dumps({key: float(value) for key, value in chosen.items()}),
        }
        | {f"history_{key}": h for key, h in getattr(estimator, "history_", {}).items()}
    )


def _patience(network: BaseEstimator, n_train: int) -> int:
    """Epochs without improvement that a network may have."""
    n_steps = n_train * (1 - network.validation_fraction) / network.batch_size
    return max(PATIENCE, math.ceil(PATIENCE_STEPS / n_steps))


def _curve(
    data: Dataset, model: str, train: np.ndarray, test: np.ndarray, seed: int
) -> dict[str, np.ndarray]:
    """Scores with the first families of the training set, in an order drawn with ``seed``."""
    families = np.random.default_rng(seed).permutation(np.unique(data.groups[train]))
    ordered = [train[data.groups[train] == family] for family in families]
    reached = np.cumsum([len(family) for family in ordered])
    sizes = [size for size in SIZES if size < len(train)]
    trials = []
    for size in sizes:
        some = np.concatenate(ordered[: int(np.searchsorted(reached, size)) + 1])
        trials.append(_trial(data, model, some, test, seed))
    shared = ("n_train", "error", "baseline", "cpu_seconds", "training_error")
    return {"test": test} | {key: np.stack([trial[key] for trial in trials]) for key in shared}


def _paper(data: Dataset, model: str) -> dict[str, np.ndarray]:
    """Structures split at random, as in the paper, so that families stand on both sides."""
    alone = np.arange(len(data))
    train, test = models.grouped_folds(alone, FOLDS, SEED)[0]
    return _trial(data, model, train, test, SEED)


def _errors(guess: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return np.mean((guess - truth) ** 2, axis=1)


def _n_parameters(estimator: BaseEstimator, Y: np.ndarray) -> int:
    """Number of fitted parameters; a model that keeps the training set counts all its spectra."""
    if hasattr(estimator, "n_parameters_"):
        return estimator.n_parameters_
    fitted = getattr(estimator, "best_estimator_", estimator)
    if isinstance(fitted, models.PrincipalMap):
        return (fitted.n_components + 1) * Y.shape[1]
    if hasattr(fitted, "coef_"):
        # The constant of a curve in one number is the first of its coefficients.
        constants = Y.shape[1] if hasattr(fitted, "intercept_") else 0
        return int(np.count_nonzero(fitted.coef_)) + constants
    return Y.shape[1] if isinstance(fitted, type(models.mean())) else Y.size
