"""Grouped splits and held-out scores, always beside those of the training mean.

Arrays only: X of shape (n, n_r), Y of shape (n, n_omega), one structure per row. Structures of one
group, which share a melt or a template, resemble each other. They must never be split, some for
training and some for the test.
"""

import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import euclidean_distances
from sklearn.model_selection import GroupKFold
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import ThreadpoolController

from glassdata.scores import mse, r2


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

    Examples
    --------
    >>> Y = np.array([[1.0, 3.0], [3.0, 1.0]])
    >>> held_out = Evaluation(Y, Y, np.full((2, 2), 2.0), np.array([0, 1]), parameters=())
    >>> by_class(held_out, ["glass", "glass"])["glass"].r2
    1.0
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

    Examples
    --------
    >>> truth = np.array([[1.0, 3.0], [3.0, 1.0]])
    >>> mean = np.full((2, 2), 2.0)
    >>> held_out = Evaluation(truth, 0.5 * (truth + mean), mean, np.array([0, 1]), parameters=())
    >>> held_out.r2, held_out.error_by_bin.tolist()
    (0.75, [0.5, 0.5])
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


def structure_mse(evaluation: Evaluation) -> np.ndarray:
    """Mean squared error per bin of every structure, (n,), as :func:`mse`.

    Examples
    --------
    >>> truth, fold = np.array([[1.0, 3.0], [3.0, 1.0]]), np.array([0, 1])
    >>> guess = np.array([[1.0, 3.0], [2.0, 2.0]])
    >>> structure_mse(Evaluation(truth, guess, truth, fold, parameters=())).tolist()  # (1/4)²
    [0.0, 0.0625]
    """
    scale = evaluation.truth.sum(axis=1, keepdims=True)
    return np.mean(((evaluation.prediction - evaluation.truth) / scale) ** 2, axis=1)


def fold_r2(evaluation: Evaluation) -> np.ndarray:
    """R² against the training mean in each fold, (n_folds,).

    Examples
    --------
    >>> truth, fold = np.array([[1.0, 3.0], [3.0, 1.0]]), np.array([0, 1])
    >>> mean, guess = np.full((2, 2), 2.0), np.array([[1.0, 3.0], [2.0, 2.0]])
    >>> fold_r2(Evaluation(truth, guess, mean, fold, parameters=())).tolist()
    [1.0, 0.0]
    """
    folds = [f"{number:04d}" for number in evaluation.fold]
    return np.array([score.r2 for score in by_class(evaluation, folds).values()])


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

    This is the best prediction for a structure of which only the class is known. The structure's
    own fold does not enter the mean, so neither it nor any structure of its group does.

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


def copies(X: np.ndarray, groups: ArrayLike, *, nearer: float = 1 / 3) -> np.ndarray:
    """Pairs of structures of different groups that are too alike to be independent, (n_pairs, 2).

    A structure and the nearest one of another group count as a copy if they are nearer than
    ``nearer`` times the fifth nearest of other groups. Distances of independent structures differ
    much less than that, whatever the disorder: so a common scale is not needed.

    Parameters
    ----------
    X
        What is compared, such as g(r), shape (n, n_r).
    groups
        Shape (n,): structures of one group may be alike.
    nearer
        Largest ratio of both distances that counts as a copy.

    Returns
    -------
    Numbers of the structures, each pair once, the smaller number first.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(20, 30))
    >>> X[7] = X[3] + 0.01
    >>> copies(X, np.arange(20)).tolist(), copies(X[:7], np.arange(7)).tolist()
    ([[3, 7]], [])
    """
    labels = np.unique(groups, return_inverse=True)[1]
    distance = euclidean_distances(X)
    distance[labels[:, None] == labels[None]] = np.inf
    rank = min(5, int(np.isfinite(distance).sum(axis=1).min()))
    if rank < 2:
        return np.empty((0, 2), int)
    nearest = distance.argmin(axis=1)
    limit = nearer * np.partition(distance, rank - 1, axis=1)[:, rank - 1]
    one = np.flatnonzero(distance.min(axis=1) < limit)
    return np.unique(np.sort(np.stack([one, nearest[one]], axis=1), axis=1), axis=0)


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
    """Fit a model in place; its ``fit`` gets the groups if it takes them.

    Parameters
    ----------
    model
        Any estimator of spectra.
    X, Y
        Shapes (n, n_r) and (n, n_omega).
    groups
        Shape (n,): structures of one group are not split while settings are chosen.

    Returns
    -------
    The model itself.

    Examples
    --------
    >>> from glassdata import models
    >>> fitted = fit_grouped(models.ridge(), np.eye(3), np.eye(3), groups=["a", "b", "c"])
    >>> fitted.predict(np.eye(3)).shape
    (3, 3)
    """
    told = {"groups": groups} if has_fit_parameter(model, "groups") else {}
    with one_thread():
        return model.fit(X, Y, **told)


def one_thread() -> AbstractContextManager:
    """One thread for the linear algebra within: libraries are looked for once, which takes long.

    Examples
    --------
    >>> with one_thread():
    ...     float(np.ones(3) @ np.ones(3))
    3.0
    """
    return _libraries(len(sys.modules)).limit(limits=1)


@lru_cache(maxsize=1)
def _libraries(n_modules: int) -> ThreadpoolController:
    """The libraries there are; looked for again when a module, and with it one more, was loaded."""
    return ThreadpoolController()


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


def _r2_or_nan(truth: np.ndarray, guess: np.ndarray, baseline: np.ndarray) -> float:
    if np.isnan(baseline).any() or not np.any(baseline != truth):
        return float("nan")
    return r2(truth, guess, baseline)
