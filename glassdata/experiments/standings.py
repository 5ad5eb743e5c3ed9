"""How chapter 9 reads the results of ``line-vs-cnn``: errors, duels, curves, costs.

Errors are mean squares per bin of spectra whose bins add up to 1, one per structure.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from glassdata import models
from glassdata.experiments.comparison import FOLDS
from glassdata.experiments.verdicts import (
    Estimate,
    average,
    duel,
    estimate,
    ratio,
    removed,
)

Results = Mapping[str, Mapping[str, np.ndarray]]
Errors = Mapping[str, np.ndarray]


# --- results of all folds, put together --------------------------------------------------------


def folds_of(results: Results, system: str, model: str) -> list[Mapping[str, np.ndarray]]:
    """The five test results of a model, fold by fold.

    Parameters
    ----------
    results
        Results of the experiment ``line-vs-cnn``, by name.
    system, model
        Names of the glass and of the model.

    Examples
    --------
    >>> results = {f"amc.ridge.test.{k}": {"test": [k], "error": [1.0]} for k in range(5)}
    >>> [fold["test"] for fold in folds_of(results, "amc", "ridge")]
    [[0], [1], [2], [3], [4]]
    """
    return [results[f"{system}.{model}.test.{k}"] for k in range(FOLDS)]


def held_out_errors(results: Results, system: str, model: str) -> np.ndarray:
    """Error of every structure in the fold that held it out, (n,).

    Parameters
    ----------
    results
        Results of the experiment ``line-vs-cnn``, by name.
    system, model
        Names of the glass and of the model.

    Raises
    ------
    ValueError
        If the folds do not hold out every structure exactly once.

    Examples
    --------
    >>> results = {f"amc.ridge.test.{k}": {"test": [4 - k], "error": [1.0 * k]} for k in range(5)}
    >>> held_out_errors(results, "amc", "ridge").tolist()
    [4.0, 3.0, 2.0, 1.0, 0.0]
    """
    folds = folds_of(results, system, model)
    tested = np.concatenate([fold["test"] for fold in folds])
    if not np.array_equal(np.sort(tested), np.arange(len(tested))):
        raise ValueError(f"the folds of {system}.{model} do not test every structure once")
    errors = np.empty(len(tested))
    errors[tested] = np.concatenate([fold["error"] for fold in folds])
    return errors


def errors_in_shared_folds(
    results: Results, system: str, models: Sequence[str]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Errors of models on the structures that all of them were tested on.

    Parameters
    ----------
    results
        Results of the experiment ``line-vs-cnn``, by name.
    system
        Name of the glass.
    models
        Names of models, some of which were tried on some folds only.

    Returns
    -------
    errors : dict of (n,)
        By model.
    tested : (n,)
        Positions of the structures in the dataset of the glass.

    Raises
    ------
    ValueError
        If no fold was tried by all models, or the folds differ between them.

    Examples
    --------
    >>> results = {f"amc.ridge.test.{k}": {"test": [k], "error": [1.0 * k]} for k in range(5)}
    >>> results["amc.cnn_tuned.test.1"] = {"test": [1], "error": [9.0]}
    >>> errors, tested = errors_in_shared_folds(results, "amc", ["ridge", "cnn_tuned"])
    >>> {model: error.tolist() for model, error in errors.items()}, tested.tolist()
    ({'ridge': [1.0], 'cnn_tuned': [9.0]}, [1])
    """
    names = [[f"{system}.{model}.test.{k}" for model in models] for k in range(FOLDS)]
    shared = [[results[n] for n in fold] for fold in names if all(n in results for n in fold)]
    if not shared:
        raise ValueError(f"no fold of {system} was tried by {', '.join(models)}; make results")
    for fold in shared:
        if any(not np.array_equal(one["test"], fold[0]["test"]) for one in fold):
            raise ValueError(f"the folds of {system} hold out other structures for each model")
    errors = {
        model: np.concatenate([fold[m]["error"] for fold in shared])
        for m, model in enumerate(models)
    }
    return errors, np.concatenate([fold[0]["test"] for fold in shared])


def held_out_prediction(results: Results, system: str, model: str, shown: int) -> np.ndarray:
    """What a network predicted of a structure in the fold that held it out.

    Parameters
    ----------
    results
        Results of the experiment ``line-vs-cnn``, by name.
    system, model
        Names of the glass and of the network; only that of the paper is kept.
    shown
        Position of the structure in the dataset of the glass.

    Returns
    -------
    ndarray, shape (n_omega,)
        Share of the modes in each bin, to three digits.

    Examples
    --------
    >>> folds = {
    ...     f"amc.cnn.test.{k}": {"test": np.array([k]), "prediction": np.array([[0.1 * k, 0.5]])}
    ...     for k in range(5)
    ... }
    >>> held_out_prediction(folds, "amc", "cnn", 3).round(1).tolist()
    [0.3, 0.5]
    """
    for fold in folds_of(results, system, model):
        if len(found := np.flatnonzero(fold["test"] == shown)):
            return np.asarray(fold["prediction"][found[0]], float)
    raise IndexError(f"no fold of {system}.{model} tests structure {shown}")


def left_by_fold(results: Results, system: str, model: str) -> np.ndarray:
    """Share of the training mean's error that a model leaves in each fold, (5,).

    Parameters
    ----------
    results
        Results of the experiment ``line-vs-cnn``, by name.
    system, model
        Names of the glass and of the model.

    Examples
    --------
    >>> fold = {"error": np.array([1.0]), "baseline": np.array([4.0])}
    >>> left_by_fold({f"amc.ridge.test.{k}": fold for k in range(5)}, "amc", "ridge").tolist()
    [0.25, 0.25, 0.25, 0.25, 0.25]
    """
    folds = folds_of(results, system, model)
    return np.array([fold["error"].mean() / fold["baseline"].mean() for fold in folds])


def learning_curve(results: Results, system: str, model: str) -> tuple[np.ndarray, np.ndarray]:
    """Errors of every structure as the training set grows.

    Parameters
    ----------
    results
        Results of the experiment ``line-vs-cnn``, by name.
    system, model
        Names of the glass and of the model.

    Returns
    -------
    sizes : (m,)
        Numbers of training structures, means over the folds; the last is all of them.
    errors : (m, n)
        Error of every structure at each size.

    Examples
    --------
    >>> results = {}
    >>> for k in range(5):
    ...     curve = {"test": [k], "n_train": np.array([10, 40]), "error": np.array([[4.0], [2.0]])}
    ...     results[f"amc.ridge.curve.{k}"] = curve
    ...     results[f"amc.ridge.test.{k}"] = {"test": [k], "n_train": 80, "error": [1.0]}
    >>> sizes, errors = learning_curve(results, "amc", "ridge")
    >>> sizes.tolist(), errors[:, 0].tolist()
    ([10.0, 40.0, 80.0], [4.0, 2.0, 1.0])
    """
    folds = [results[f"{system}.{model}.curve.{k}"] for k in range(FOLDS)]
    whole = held_out_errors(results, system, model)
    n_sizes = min(len(fold["n_train"]) for fold in folds)
    errors = np.empty((n_sizes + 1, len(whole)))
    for fold in folds:
        errors[:-1, fold["test"]] = fold["error"][:n_sizes]
    errors[-1] = whole
    sizes = np.mean([fold["n_train"][:n_sizes] for fold in folds], axis=0)
    full = np.mean([fold["n_train"] for fold in folds_of(results, system, model)])
    return np.append(sizes, full), errors


def falling_power(sizes: np.ndarray, errors: np.ndarray) -> float:
    """p of the law error ∝ n^-p through the last two points of a learning curve.

    Examples
    --------
    A quarter of the error with four times as many structures:

    >>> round(falling_power(np.array([10, 40, 160]), np.array([[9.0], [4.0], [1.0]])), 6)
    1.0
    """
    fall = -np.diff(np.log(errors.mean(axis=1)[-2:]))[0]
    return float(fall / np.diff(np.log(sizes[-2:]))[0])


def cost(results: Results, system: str, model: str, key: str) -> float:
    """Median over the folds of ``cpu_seconds`` or ``n_parameters`` of one fit with its tuning.

    Parameters
    ----------
    results
        Results of the experiment ``line-vs-cnn``, by name.
    system, model
        Names of the glass and of the model.
    key
        ``"cpu_seconds"`` or ``"n_parameters"``.

    Examples
    --------
    >>> results = {f"amc.ridge.test.{k}": {"cpu_seconds": 1.0 + k} for k in range(5)}
    >>> cost(results, "amc", "ridge", "cpu_seconds")
    3.0
    """
    return float(np.median([fold[key] for fold in folds_of(results, system, model)]))


def three_ways(results: Results, system: str, model: str) -> np.ndarray:
    """Share of the mean's error left: on training structures, a random split, held-out families.

    Parameters
    ----------
    results
        Results of the experiment ``line-vs-cnn``, by name.
    system, model
        Names of the glass and of the model.

    Returns
    -------
    (3,)

    Examples
    --------
    >>> paper = {"training_error": 1.0, "training_baseline": 10.0}
    >>> paper |= {"error": np.array([2.0]), "baseline": np.array([10.0])}
    >>> results = {"amc.ridge.paper": paper}
    >>> for model, error in (("ridge", 3.0), ("mean", 10.0)):
    ...     results |= {f"amc.{model}.test.{k}": {"test": [k], "error": [error]} for k in range(5)}
    >>> three_ways(results, "amc", "ridge").tolist()
    [0.1, 0.2, 0.3]
    """
    result = results[f"{system}.{model}.paper"]
    families = [held_out_errors(results, system, one).mean() for one in (model, "mean")]
    return np.array(
        [
            result["training_error"] / result["training_baseline"],
            result["error"].mean() / result["baseline"].mean(),
            families[0] / families[1],
        ]
    )


# --- tables -----------------------------------------------------------------------------------


def scores(errors: Errors, groups: Sequence) -> pd.DataFrame:
    """MSE in millionths and R² of each model with their intervals, one row per model.

    Parameters
    ----------
    errors
        Errors (n,) of each model; ``"mean"`` is the baseline.

    Examples
    --------
    >>> errors = {"ridge": np.full(4, 1e-6), "mean": np.full(4, 4e-6)}
    >>> found = scores(errors, groups=["a", "a", "b", "b"]).loc["ridge"]
    >>> [round(float(found[key].value), 6) for key in ("MSE / 10⁻⁶", "R²")]
    [1.0, 0.75]
    """
    rows = {}
    for model, error in errors.items():
        mse = Estimate(*(1e6 * np.array(estimate(average(error), groups))))
        rows[model] = {"MSE / 10⁻⁶": mse, "R²": estimate(removed(error, errors["mean"]), groups)}
    return pd.DataFrame.from_dict(rows, orient="index")


def shares_left(
    errors: Mapping[str, Errors], families: Mapping[str, Sequence], models: Sequence[str]
) -> dict[str, dict[str, Estimate]]:
    """Share of the training mean's error that models leave in each glass, with its interval.

    Parameters
    ----------
    errors
        Of each glass and model, (n,); ``"mean"`` is the baseline.
    families
        Of each glass the family of each structure, (n,).
    models
        Names of the models.

    Examples
    --------
    >>> errors = {"amc": {"ridge": np.ones(4), "mean": np.full(4, 4.0)}}
    >>> shares_left(errors, {"amc": np.arange(4)}, ["ridge"])["amc"]["ridge"].value
    0.25
    """
    return {
        glass: {m: estimate(ratio(mine[m], mine["mean"]), families[glass]) for m in models}
        for glass, mine in errors.items()
    }


def shares_along(
    curves: Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]],
    errors: Mapping[str, Errors],
    families: Mapping[str, Sequence],
) -> dict[str, dict[str, tuple[np.ndarray, list[Estimate]]]]:
    """Sizes of each learning curve, and the share of the mean's error left at each of them.

    Parameters
    ----------
    curves
        Of each glass and model what ``learning_curve`` returns.
    errors
        Of each glass and model, (n,); ``"mean"`` is that of all training structures.
    families
        Of each glass the family of each structure, (n,).

    Examples
    --------
    >>> curves = {"amc": {"ridge": (np.array([10.0]), np.full((1, 4), 2.0))}}
    >>> errors = {"amc": {"mean": np.full(4, 4.0)}}
    >>> sizes, shares = shares_along(curves, errors, {"amc": np.arange(4)})["amc"]["ridge"]
    >>> shares[0].value
    0.5
    """

    def along(glass: str, curve: np.ndarray) -> list[Estimate]:
        mean = errors[glass]["mean"]
        return [estimate(ratio(row, mean), families[glass]) for row in curve]

    return {
        glass: {model: (sizes, along(glass, curve)) for model, (sizes, curve) in mine.items()}
        for glass, mine in curves.items()
    }


def beats(errors: Errors, groups: Sequence, model: str, other: str) -> bool:
    """Whether a model errs less than another, with the whole interval of the ratio below 1.

    Parameters
    ----------
    errors
        Error (n,) of every structure, by model.
    groups : (n,)
        Family of each structure.
    model, other
        Names of the two models.

    Examples
    --------
    >>> errors = {"ridge": np.array([1.0, 1.0, 2.0]), "mean": np.array([4.0, 3.0, 5.0])}
    >>> beats(errors, ["a", "a", "b"], "ridge", "mean")
    True
    """
    return estimate(ratio(errors[model], errors[other]), groups).high < 1


def duels(errors: Errors, groups: Sequence, opponents: Sequence[str]) -> pd.DataFrame:
    """The line (``"ridge"``) against each opponent: ratio, difference in 10⁻⁶, verdict.

    Parameters
    ----------
    errors
        Error (n,) of every structure, by model.
    groups : (n,)
        Family of each structure.
    opponents
        Names of the models to compare with.

    Examples
    --------
    >>> errors = {"ridge": np.array([1.0, 1.0, 2.0]), "cnn": np.array([4.0, 3.0, 5.0])}
    >>> duels(errors, ["a", "a", "b"], ["cnn"]).loc["cnn", "the line is"]
    'better'
    """
    line, rows = errors["ridge"], {}
    for other in opponents:
        found = estimate(ratio(line, errors[other]), groups)
        apart = np.array(estimate(average(line - errors[other]), groups))
        rows[other] = {
            "ratio": found,
            "difference": Estimate(*(1e6 * apart)),
            "structures won": np.mean(line < errors[other]),
            "the line is": duel(found),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


# --- how errors are spread --------------------------------------------------------------------


def hardest_share(error: np.ndarray, part: float = 0.1) -> float:
    """Share of the whole error that the hardest part (a tenth) of the structures carries.

    Examples
    --------
    >>> hardest_share(np.array([1.0] * 9 + [9.0]))
    0.5
    """
    n = max(round(part * len(error)), 1)
    return float(np.sort(error)[-n:].sum() / error.sum())


def mean_and_majority_disagree(error: np.ndarray, other: np.ndarray) -> bool:
    """Whether the smaller mean error belongs to one model and most structures to the other.

    Examples
    --------
    Two of three structures have the smaller error with the first model, the mean error is smaller
    with the second:

    >>> mean_and_majority_disagree(np.array([1.0, 1.0, 9.0]), np.array([2.0, 2.0, 2.0]))
    True
    """
    return bool((np.mean(error < other) > 0.5) != (error.mean() < other.mean()))


def scatter_of_repeats(Y: np.ndarray, replicate: np.ndarray) -> float:
    """Variance per bin of the spectra (n, n_omega) of repeats of one preparation, unbiased.

    Examples
    --------
    >>> scatter_of_repeats(np.array([[0.0], [2.0], [9.0]]), np.array([True, True, False]))
    2.0
    """
    return float(Y[replicate].var(axis=0, ddof=1).mean())


# --- least squares with few structures --------------------------------------------------------


def least_squares_losses(
    X: np.ndarray, Y: np.ndarray, folds: Sequence[tuple[np.ndarray, np.ndarray]], n: int
) -> tuple[float, float]:
    """Training and held-out mean squared error of least squares on n structures of each fold.

    Parameters
    ----------
    X : (N, n_r)
        g(r) of each structure.
    Y : (N, n_omega)
        Spectrum of each structure.
    folds
        Numbers of the training and the test structures of each fold.
    n
        Number of training structures to use.

    Examples
    --------
    >>> X = np.arange(6.0)[:, None]
    >>> folds = [(np.arange(4), np.arange(4, 6))]
    >>> training, held_out = least_squares_losses(X, 2 * X + 1, folds, 4)
    >>> training < 1e-20, held_out < 1e-20
    (True, True)
    """
    losses = []
    for train, test in folds:
        some = np.random.default_rng(0).permutation(train)[:n]
        line = models.ridge(0.0).fit(X[some], Y[some])
        losses.append([np.mean((line.predict(X[of]) - Y[of]) ** 2) for of in (some, test)])
    training, held_out = np.mean(losses, axis=0)
    return float(training), float(held_out)
