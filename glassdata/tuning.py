"""Choosing the settings of an estimator on held-out groups, the same way for every estimator.

Every tuned model but the networks tries :data:`EFFORT` settings on the same held-out groups, so
that no model wins a comparison because more settings were tried.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import numpy as np
from sklearn import config_context
from sklearn.base import BaseEstimator, MetaEstimatorMixin, MultiOutputMixin, RegressorMixin, clone
from sklearn.model_selection import BaseCrossValidator, ParameterGrid
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from glassdata.evaluation import grouped_folds, one_thread

#: Number of settings that every tuned estimator may try.
EFFORT = 21


def decades(first: float, last: float, n: int) -> tuple[float, ...]:
    """Numbers from 10^first to 10^last with equal ratios, each rounded correctly.

    ``numpy.logspace`` differs by the last bit from one processor to another, and settings are kept,
    compared and hashed.

    Parameters
    ----------
    first, last
        Exponents of the first and the last number.
    n
        How many numbers; two or more.

    Examples
    --------
    >>> decades(-6, -4, 3)
    (1e-06, 1e-05, 0.0001)
    """
    step = (Decimal(last) - Decimal(first)) / (n - 1)
    return tuple(float(Decimal(10) ** (Decimal(first) + k * step)) for k in range(n))


class GroupFolds(BaseCrossValidator):
    """Folds for tuning: those of :func:`grouped_folds`, or fewer where there are few groups.

    With fewer groups than ``n_splits`` there are as many folds as groups, because a small
    training set must still be able to choose a penalty. ``split(X, y=None, groups=None)`` needs
    only the length n of ``X`` and the group of each structure, (n,). Without ``groups`` every
    structure counts as a group of its own.

    Parameters
    ----------
    n_splits
        Largest number of folds.
    seed
        Seed that shuffles the groups before they are dealt to the folds.

    Examples
    --------
    >>> families = [0, 0, 1, 1, 2, 2]
    >>> len(list(GroupFolds(5).split(np.zeros((6, 1)), groups=families)))
    3
    """

    def __init__(self, n_splits: int = 5, seed: int = 0):
        self.n_splits = n_splits
        self.seed = seed

    def split(self, X, y=None, groups=None):
        """Yield (train, test) arrays of structure numbers."""
        groups = np.arange(len(X)) if groups is None else np.asarray(groups)
        if groups.shape != (len(X),):
            raise ValueError(f"groups must be one label per structure, got shape {groups.shape}")
        yield from grouped_folds(groups, self.get_n_splits(X, y, groups), self.seed)

    def get_n_splits(self, X=None, y=None, groups=None) -> int:
        """Return the number of folds of these groups."""
        if groups is None and X is None:
            return self.n_splits
        return min(self.n_splits, len(X) if groups is None else len(np.unique(groups)))


class Tuned(MultiOutputMixin, RegressorMixin, MetaEstimatorMixin, BaseEstimator):
    """An estimator whose settings are chosen by the squared error of held-out groups.

    ``fit(X, y, groups=None)`` takes inputs, shape (n, n_r), what to predict, shape (n, n_omega),
    and the group of each structure, (n,). It tries every point of ``grid``, then fits the best one
    to all structures. Without ``groups`` every structure counts as independent; then structures of
    one melt let too weak a penalty seem good. Estimators with a method ``path`` fit the whole grid
    at once, and those with a method ``trials`` predict with the whole grid at once.

    Parameters
    ----------
    estimator
        Any regressor.
    grid
        Values to try, by parameter name.
    n_splits, seed
        Number of folds, and the seed that shuffles the groups.

    Attributes
    ----------
    best_estimator_, best_params_
        The chosen one, fitted to all structures, and its settings.
    errors_ : ndarray, shape (number of candidates,)
        Held-out mean squared error of each candidate, unit of Y squared; infinite where the
        candidate could not be fitted to every fold.
    candidates_ : list of dict
        All settings that were tried, in the order of ``errors_``.

    Examples
    --------
    >>> from glassdata.models import LinearMap
    >>> X = np.arange(12.0).reshape(6, 2) ** 0.5
    >>> tuned = Tuned(LinearMap(), {"l2": [1e-3, 1e3]}).fit(X, X, groups=[0, 0, 1, 1, 2, 2])
    >>> tuned.best_params_
    {'l2': 0.001}
    """

    def __init__(
        self, estimator: BaseEstimator, grid: Mapping[str, Sequence], n_splits: int = 5, seed=0
    ):
        self.estimator = estimator
        self.grid = grid
        self.n_splits = n_splits
        self.seed = seed

    def fit(self, X: np.ndarray, y: np.ndarray, groups: Sequence | None = None) -> "Tuned":
        """Choose the settings on held-out groups, then fit to all structures."""
        X, y = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=float)
        y = np.asarray(y, float)
        self.candidates_ = list(ParameterGrid(dict(self.grid)))
        squares = np.zeros(len(self.candidates_))
        # Many small products: BLAS threads wait for each other longer than they work.
        with one_thread(), config_context(assume_finite=True):  # checked above, once
            for train, test in GroupFolds(self.n_splits, self.seed).split(X, y, groups):
                for number, guess in enumerate(self._guess_all(X[train], y[train], X[test])):
                    error = np.inf if guess is None else guess - y[test]
                    squares[number] += np.sum(np.square(error))
            self.errors_ = squares / y.size
            if not np.isfinite(self.errors_).any():
                raise ValueError(f"no setting of {self.estimator} suits n_samples={len(X)}")
            self.best_params_ = self.candidates_[int(np.argmin(self.errors_))]
            self.best_estimator_ = clone(self.estimator).set_params(**self.best_params_).fit(X, y)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Predictions of the chosen estimator, shape (n, n_omega), in the unit of Y."""
        check_is_fitted(self)
        return self.best_estimator_.predict(validate_data(self, X, reset=False, dtype=float))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = get_tags(self.estimator).regressor_tags.poor_score
        return tags

    def _guess_all(self, X: np.ndarray, y: np.ndarray, X_test: np.ndarray) -> Iterable:
        """What each candidate predicts for structures held out; None if it could not be fitted."""
        if hasattr(self.estimator, "trials"):
            return self.estimator.trials(X, y, X_test, self.candidates_)
        if hasattr(self.estimator, "path"):
            fits = self.estimator.path(X, y, self.candidates_)
        else:
            fits = [clone(self.estimator).set_params(**c).fit(X, y) for c in self.candidates_]
        return [None if one is None else one.predict(X_test) for one in fits]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Arrays of the chosen estimator; see :class:`glassdata.regression.Regression`."""
        check_is_fitted(self)
        return self.best_estimator_.to_arrays()

    @property
    def coef_(self) -> np.ndarray:
        """W of the chosen map, shape (n_omega, n_r), unit of Y."""
        return self.best_estimator_.coef_

    @property
    def intercept_(self) -> np.ndarray:
        """b of the chosen map, shape (n_omega,), unit of Y."""
        return self.best_estimator_.intercept_
