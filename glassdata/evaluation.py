"""Grouped splits and scores: how well spectra are predicted, always beside the training mean.

Arrays only: X of shape (n, n_r), Y of shape (n, n_omega), one structure per row. Structures of one
group (a parent melt or template) resemble each other and must never stand on both sides of a split.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GroupKFold
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits


def normalised(Y: np.ndarray) -> np.ndarray:
    """Spectra divided by their sum, so that every row adds up to 1 over the bins.

    Parameters
    ----------
    Y
        Shape (n, n_omega), any unit.

    Raises
    ------
    ValueError
        If a spectrum does not have a positive sum.

    Examples
    --------
    >>> normalised([[1.0, 3.0]]).tolist()
    [[0.25, 0.75]]
    """
    return np.asarray(Y, float) / _sums(Y)


def mse(Y_true: np.ndarray, Y_pred: np.ndarray) -> float:
    """Mean squared error per bin of spectra whose truth adds up to 1 over the bins.

    Dimensionless and independent of the unit of Y, comparable with the paper's 1.7e-6. True and
    predicted spectra are both divided by the sum of the *true* one, so that a prediction of the
    right shape but the wrong weight counts as wrong.

    Parameters
    ----------
    Y_true, Y_pred
        Shape (n, n_omega), the same unit.

    Raises
    ------
    ValueError
        If shapes disagree, numbers are not finite, or a true spectrum has no positive sum.

    Examples
    --------
    >>> mse(np.array([[1.0, 3.0]]), np.array([[2.0, 2.0]]))
    0.0625
    """
    Y_true, Y_pred = _pair(Y_true, Y_pred)
    return float(np.mean(((Y_pred - Y_true) / _sums(Y_true)) ** 2))


def r2(Y_true: np.ndarray, Y_pred: np.ndarray, Y_train_mean: np.ndarray) -> float:
    """Share of the squared error of the training mean that the prediction removes.

    R² = 1 − Σ (ŷ − y)² / Σ (ȳ_train − y)², both sums over all structures and bins. 1 is perfect, 0
    no better than the mean of the training set, negative worse.

    Parameters
    ----------
    Y_true, Y_pred
        Shape (n, n_omega), the same unit.
    Y_train_mean
        Shape (n_omega,), or (n, n_omega) where structures were held out of different folds.

    Raises
    ------
    ValueError
        If shapes disagree, numbers are not finite, or the training mean is already exact.

    Examples
    --------
    >>> truth = np.array([[1.0, 3.0], [3.0, 1.0]])
    >>> r2(truth, 0.5 * (truth + 2.0), np.array([2.0, 2.0]))
    0.75
    """
    Y_true, Y_pred = _pair(Y_true, Y_pred)
    mean = np.broadcast_to(np.asarray(Y_train_mean, float), Y_true.shape)
    reference = np.sum((mean - Y_true) ** 2)
    if not reference > 0:
        raise ValueError("R² is undefined: the training mean is already exact")
    return float(1 - np.sum((Y_pred - Y_true) ** 2) / reference)


def r2_draws(
    error: np.ndarray, baseline: np.ndarray, groups: ArrayLike, draws: int = 2000, seed: int = 0
) -> np.ndarray:
    """R² of bootstrap samples of families, to take intervals from; the fits stay as they are.

    Equal seeds and groups draw the same families, so that differences between models are paired.

    Parameters
    ----------
    error, baseline
        Squared error of each held-out structure, by a model and by the training mean; shape
        (..., n) and (n,), any common unit.
    groups
        Shape (n,), one label per structure.
    draws
        Number of samples.
    seed
        Of the samples.

    Returns
    -------
    (..., draws)

    Examples
    --------
    >>> error, families = np.array([1.0, 2.0, 3.0]), ["a", "a", "b"]
    >>> r2_draws(error, 2 * error, families, draws=4).tolist()
    [0.5, 0.5, 0.5, 0.5]
    """
    _, family = np.unique(groups, return_inverse=True)
    if np.shape(error)[-1:] != family.shape or np.shape(baseline) != family.shape:
        raise ValueError(
            f"errors {np.shape(error)}, baseline {np.shape(baseline)} and groups {family.shape} "
            "disagree"
        )
    n = family.max() + 1
    of_family = np.eye(n)[family]
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws)
    return 1 - (error @ of_family) @ counts.T / ((baseline @ of_family) @ counts.T)


@dataclass(frozen=True)
class Score:
    """Scores of some structures, dimensionless.

    Parameters
    ----------
    n
        Number of structures.
    mse, baseline_mse
        Error of the predictions and of the training mean, as :func:`mse`.
    r2, class_r2
        Against the mean of the whole training set, and of the training structures of the class.
    """

    n: int
    mse: float
    baseline_mse: float
    r2: float
    class_r2: float


@dataclass(frozen=True)
class Evaluation:
    """Held-out predictions of a cross-validation, each with its baseline.

    ``truth``, ``prediction`` and ``baseline`` have the shape (n, n_omega) and the unit of Y;
    ``baseline`` is the mean of the training set of the structure's fold. ``fold`` (n,) is the
    number of the fold that held the structure out; ``parameters`` are those chosen in each fold.
    """

    truth: np.ndarray
    prediction: np.ndarray
    baseline: np.ndarray
    fold: np.ndarray
    parameters: tuple[dict, ...]

    @property
    def mse(self) -> float:
        """Error of the predictions, as :func:`mse`."""
        return mse(self.truth, self.prediction)

    @property
    def baseline_mse(self) -> float:
        """Error of the training mean, as :func:`mse`."""
        return mse(self.truth, self.baseline)

    @property
    def r2(self) -> float:
        """R² against the training mean, as :func:`r2`."""
        return r2(self.truth, self.prediction, self.baseline)

    @property
    def error_by_bin(self) -> np.ndarray:
        """Root mean square of the held-out errors in each bin, shape (n_omega,), unit of Y."""
        return np.sqrt(np.mean((self.prediction - self.truth) ** 2, axis=0))


def by_class(evaluation: Evaluation, classes: ArrayLike) -> dict[str, Score]:
    """Scores inside each class, such as the disorder classes, in sorted order.

    ``r2`` compares with the mean of the whole training set, as overall; knowing the class alone
    can make it high. ``class_r2`` compares with the mean of the training structures *of the same
    class*, so telling the classes apart no longer counts; it is NaN where some structure had no
    other of its class to train on, or where the class mean is exact. ``r2`` is NaN where the
    training mean is exact.

    Parameters
    ----------
    evaluation
        Held-out predictions.
    classes
        Shape (n,), one label per structure.

    Raises
    ------
    ValueError
        If there is not one label per structure.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> Y = np.array([[1.0, 3.0], [3.0, 1.0], [2.0, 2.0], [2.0, 2.0]])
    >>> found = cross_validate(LinearRegression(), Y[:, :1], Y, [0, 1, 2, 3], n_splits=4)
    >>> {name: score.n for name, score in by_class(found, ["glass"] * 3 + ["crystal"]).items()}
    {'crystal': 1, 'glass': 3}
    """
    labels = np.asarray(classes)
    means = class_means(evaluation, labels)
    scores = {}
    for name in np.unique(labels):
        mine = labels == name
        truth, guess = evaluation.truth[mine], evaluation.prediction[mine]
        baseline = evaluation.baseline[mine]
        scores[str(name)] = Score(
            n=int(mine.sum()),
            mse=mse(truth, guess),
            baseline_mse=mse(truth, baseline),
            r2=_r2_or_nan(truth, guess, baseline),
            class_r2=_r2_or_nan(truth, guess, means[mine]),
        )
    return scores


def class_means(evaluation: Evaluation, classes: ArrayLike) -> np.ndarray:
    """Mean spectrum of the training structures of each structure's own class.

    What someone predicts who knows the class of a structure and nothing else. The structure's own
    fold takes no part, so neither it nor any structure of its group is ever among them.

    Parameters
    ----------
    evaluation
        Says which structures were held out together.
    classes
        Shape (n,), one label per structure.

    Returns
    -------
    (n, n_omega)
        In the unit of Y; NaN where no structure of the class was left to train on.

    Examples
    --------
    >>> Y = np.array([[1.0], [3.0], [5.0], [7.0]])
    >>> found = Evaluation(Y, Y, Y, fold=np.array([0, 1, 1, 1]), parameters=())
    >>> class_means(found, ["glass", "glass", "glass", "crystal"]).ravel().tolist()
    [4.0, 1.0, 1.0, nan]
    """
    labels = np.asarray(classes)
    if labels.shape != evaluation.fold.shape:
        raise ValueError(f"{len(evaluation.fold)} structures but classes of shape {labels.shape}")
    means = np.full_like(evaluation.truth, np.nan)
    for number in np.unique(evaluation.fold):
        for name in np.unique(labels):
            known = (evaluation.fold != number) & (labels == name)
            if known.any():
                asked = (evaluation.fold == number) & (labels == name)
                means[asked] = evaluation.truth[known].mean(axis=0)
    return means


def grouped_folds(
    groups: ArrayLike, n_splits: int = 5, seed: int = 0
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split structures into folds without ever splitting a group.

    Groups are shuffled with ``seed`` and dealt to folds in nearly equal numbers of groups; the
    same seed gives the same folds.

    Parameters
    ----------
    groups
        Shape (n,), one label per structure.
    n_splits
        Number of folds.
    seed
        Shuffles the groups.

    Returns
    -------
    list of (train, test)
        Arrays of structure numbers; the test arrays partition 0 … n − 1.

    Raises
    ------
    ValueError
        If there are fewer groups than folds, or fewer than two folds.

    Examples
    --------
    >>> [test.tolist() for _, test in grouped_folds(["a", "a", "b", "b"], n_splits=2)]
    [[2, 3], [0, 1]]
    """
    labels = np.asarray(groups)
    n_groups = len(np.unique(labels))
    if not 2 <= n_splits <= n_groups:
        raise ValueError(
            f"cannot split {n_groups} groups (n_samples = {len(labels)}) into {n_splits} folds: "
            "need at least two folds and as many groups as folds"
        )
    splitter = GroupKFold(n_splits, shuffle=True, random_state=seed)
    return list(splitter.split(labels, groups=labels))


def cross_validate(
    model: BaseEstimator,
    X: np.ndarray,
    Y: np.ndarray,
    groups: ArrayLike,
    n_splits: int = 5,
    seed: int = 0,
) -> Evaluation:
    """Predict every structure with a model that saw nothing of its group.

    A model that tunes itself (one whose ``fit`` takes ``groups``) is given the groups of the
    training fold and so chooses its hyperparameters inside it: nested cross-validation.

    Parameters
    ----------
    model
        scikit-learn estimator; cloned, never changed.
    X, Y
        Shapes (n, n_r) and (n, n_omega).
    groups
        Shape (n,): structures that must not be split.
    n_splits, seed
        As in :func:`grouped_folds`.

    Raises
    ------
    ValueError
        If shapes disagree, numbers are not finite, or there are fewer groups than folds.

    Examples
    --------
    >>> from glassdata import models
    >>> X = np.linspace(0.0, 1.0, 20)[:, None]
    >>> held_out = cross_validate(models.ridge(), X, 1 + X, groups=np.arange(20) // 2)
    >>> bool(held_out.r2 > 0.999)
    True
    """
    X, Y, labels = _checked(X, Y, groups)
    prediction, baseline = np.empty_like(Y), np.empty_like(Y)
    fold = np.empty(len(Y), int)
    parameters = []
    for number, (train, test) in enumerate(grouped_folds(labels, n_splits, seed)):
        fitted = fit_grouped(clone(model), X[train], Y[train], labels[train])
        prediction[test] = fitted.predict(X[test])
        baseline[test] = Y[train].mean(axis=0)
        fold[test] = number
        parameters.append(dict(getattr(fitted, "best_params_", {})))
    return Evaluation(Y, prediction, baseline, fold, tuple(parameters))


def fit_grouped(
    model: BaseEstimator, X: np.ndarray, Y: np.ndarray, groups: ArrayLike
) -> BaseEstimator:
    """Fit a model in place, and tell it the groups if its ``fit`` takes them.

    Parameters
    ----------
    model
        Any estimator of spectra.
    X, Y
        Shapes (n, n_r) and (n, n_omega).
    groups
        Shape (n,): structures that the choice of settings must not split.

    Returns
    -------
    The model itself.
    """
    told = {"groups": groups} if has_fit_parameter(model, "groups") else {}
    with threadpool_limits(1):
        return model.fit(X, Y, **told)


def _checked(X, Y, groups) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    X, Y, groups = np.asarray(X, float), np.asarray(Y, float), np.asarray(groups)
    if X.ndim != 2 or Y.ndim != 2 or groups.shape != (len(X),) or len(X) != len(Y):
        raise ValueError(
            "X (n, n_r), Y (n, n_omega) and groups (n,) disagree: "
            f"got shapes {X.shape}, {Y.shape} and {groups.shape}"
        )
    for name, values in (("X", X), ("Y", Y)):
        if not np.isfinite(values).all():
            bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
            raise ValueError(
                f"{name} is not finite in {len(bad)} structures, first number {bad[0]}"
            )
    return X, Y, groups


def _pair(Y_true, Y_pred) -> tuple[np.ndarray, np.ndarray]:
    Y_true, Y_pred = np.asarray(Y_true, float), np.asarray(Y_pred, float)
    if Y_true.ndim != 2 or Y_true.size == 0 or Y_true.shape != Y_pred.shape:
        raise ValueError(
            f"spectra must be (n, n_omega) alike: got shapes {Y_true.shape} and {Y_pred.shape}"
        )
    if not (np.isfinite(Y_true).all() and np.isfinite(Y_pred).all()):
        raise ValueError("spectra must be finite")
    return Y_true, Y_pred


def _sums(Y) -> np.ndarray:
    sums = np.sum(np.asarray(Y, float), axis=-1, keepdims=True)
    if not np.all(sums > 0):
        raise ValueError(f"spectra must have a positive sum, the smallest is {sums.min():.3g}")
    return sums


def _r2_or_nan(truth: np.ndarray, guess: np.ndarray, baseline: np.ndarray) -> float:
    if np.isnan(baseline).any() or not np.any(baseline != truth):
        return float("nan")
    return r2(truth, guess, baseline)
