"""Linear maps from g(r) to the PDOS: y = W g + b, and how their penalties are chosen.

Estimators follow scikit-learn: ``fit(X, Y)``, ``predict(X)`` with X of shape (n, n_r),
dimensionless, and Y of shape (n, n_omega), 1/THz or any other unit. The bins of g(r) are compared
as they are, neither standardised nor weighted; both X and Y are centred by the intercept.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.linear_model import ElasticNet, LinearRegression, Ridge
from sklearn.model_selection import BaseCrossValidator, GridSearchCV
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from glassdata.evaluation import (
    Evaluation,
    Score,
    by_class,
    cross_validate,
    grouped_folds,
    mse,
    normalised,
    r2,
)
from glassdata.modelfile import SavedModel, fingerprint, load, save

__all__ = [
    "Evaluation",
    "GroupFolds",
    "LinearMap",
    "SavedModel",
    "Score",
    "Tuned",
    "by_class",
    "cross_validate",
    "elastic_net",
    "fingerprint",
    "grouped_folds",
    "load",
    "mse",
    "normalised",
    "penalties",
    "r2",
    "ridge",
    "save",
]

RIDGE_L2 = tuple(np.logspace(-8, 2, 21))
ELASTIC_NET_L1 = (1e-3, 1e-2, 1e-1)
ELASTIC_NET_L2 = (1e-3, 1e-2, 1e-1)


class LinearMap(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Linear map with elementwise L1 and L2 penalties, for fixed penalties.

    Minimises, over W of shape (n_omega, n_r) and b of shape (n_omega,), with the mean over the
    training structures,

        mean_s ‖(y_s − W g_s − b)/σ‖² + l1 ‖W/σ‖₁ + l2 ‖W/σ‖₂²,

    where σ² is the variance of Y over the training structures, averaged over bins. Dividing by
    this one number makes ``l1`` and ``l2`` independent of the unit of Y and alike from glass to
    glass; each output is still fitted on its own, and b is not penalised. :func:`penalties`
    converts the α and β of eq. 8 of arXiv 2602.05313.

    Parameters
    ----------
    l1, l2
        Not negative. With ``l1 = 0`` the solution is exact (ridge, or least squares of minimal
        norm if ``l2 = 0`` as well); otherwise coordinate descent.

    Attributes
    ----------
    coef_ : ndarray, shape (n_omega, n_r)
        W, in the unit of Y ((n_r,) if Y was one-dimensional).
    intercept_ : ndarray, shape (n_omega,)
        b, in the unit of Y.
    scale_ : float
        σ, in the unit of Y (1 if Y does not vary).

    Raises
    ------
    ValueError
        On ``fit`` and ``predict``, if shapes disagree or numbers are not finite, or a penalty is
        negative.
    """

    def __init__(self, l1: float = 0.0, l2: float = 1e-4):
        self.l1 = l1
        self.l2 = l2

    def fit(self, X: np.ndarray, Y: np.ndarray) -> "LinearMap":
        """Fit W and b."""
        X, Y = validate_data(self, X, Y, multi_output=True, y_numeric=True, dtype=float)
        if not (self.l1 >= 0 and self.l2 >= 0):
            raise ValueError(f"penalties must not be negative, got l1={self.l1}, l2={self.l2}")
        Y = np.asarray(Y, float)
        self.scale_ = float(np.sqrt(np.mean(np.var(Y, axis=0)))) or 1.0
        solver = self._solver(len(X)).fit(X, Y / self.scale_)
        self.coef_ = solver.coef_.reshape(*Y.shape[1:], X.shape[1]) * self.scale_
        self.intercept_ = np.reshape(solver.intercept_, Y.shape[1:]) * self.scale_
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """W g + b, shape (n, n_omega), in the unit of Y."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=float)
        return X @ self.coef_.T + self.intercept_

    def _solver(self, n: int) -> BaseEstimator:
        # scikit-learn's losses: sum over structures for Ridge, half the mean for ElasticNet.
        if self.l1 == 0:
            return Ridge(alpha=n * self.l2, solver="svd") if self.l2 > 0 else LinearRegression()
        half = self.l1 / 2
        return ElasticNet(
            alpha=half + self.l2,
            l1_ratio=half / (half + self.l2),
            precompute=True,
            max_iter=50_000,
            # Neighbouring bins are nearly collinear: visiting them in random order converges in
            # several times fewer sweeps than going from left to right.
            selection="random",
            random_state=0,
        )


class GroupFolds(BaseCrossValidator):
    """Shuffled group folds for tuning: as :func:`grouped_folds`, but content with little.

    Without groups every structure is its own. With fewer groups than ``n_splits`` there are as
    many folds as groups, because a small training fold must still be able to choose a penalty.
    """

    def __init__(self, n_splits: int = 5, seed: int = 0):
        self.n_splits = n_splits
        self.seed = seed

    def split(self, X, y=None, groups=None):
        """Yield (train, test) arrays of structure numbers."""
        groups = np.arange(len(X)) if groups is None else np.asarray(groups)
        yield from grouped_folds(groups, self.get_n_splits(X, y, groups), self.seed)

    def get_n_splits(self, X=None, y=None, groups=None) -> int:
        """Return the number of folds of these groups."""
        if groups is None and X is None:
            return self.n_splits
        return min(self.n_splits, len(X) if groups is None else len(np.unique(groups)))


class Tuned(GridSearchCV):
    """Grid search that can be told the groups, and shows the map it chose.

    ``fit(X, Y, groups=None)`` chooses by the squared error of held-out groups, then fits again to
    everything. Without ``groups`` every structure counts as independent: siblings of one melt
    then make too weak a penalty look good.
    """

    def fit(self, X: np.ndarray, y: np.ndarray, groups: Sequence | None = None) -> "Tuned":
        """Choose the parameters on held-out groups, then fit to all structures."""
        # Many small products: BLAS threads wait for each other longer than they work.
        with threadpool_limits(1):
            return super().fit(X, y, groups=groups)

    def score(self, X: np.ndarray, y: np.ndarray) -> float:
        """R² of the chosen map as scikit-learn defines it, averaged over the bins."""
        return self.best_estimator_.score(X, y)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    @property
    def coef_(self) -> np.ndarray:
        """W of the chosen map, shape (n_omega, n_r), unit of Y."""
        return self.best_estimator_.coef_

    @property
    def intercept_(self) -> np.ndarray:
        """b of the chosen map, shape (n_omega,), unit of Y."""
        return self.best_estimator_.intercept_


def ridge(l2: float | None = None) -> BaseEstimator:
    """Linear map with a quadratic penalty; ``l2=None`` lets grouped cross-validation choose it."""
    return _tuned({"l2": RIDGE_L2}) if l2 is None else LinearMap(l1=0.0, l2=l2)


def elastic_net(l1: float | None = None, l2: float | None = None) -> BaseEstimator:
    """Linear map with an L1 and an L2 penalty; those left None are chosen by cross-validation."""
    grid = {} if l1 is not None else {"l1": ELASTIC_NET_L1}
    grid |= {} if l2 is not None else {"l2": ELASTIC_NET_L2}
    fixed = LinearMap(l1=l1 or 0.0, l2=l2 or 0.0)
    return _tuned(grid, fixed) if grid else fixed


def penalties(
    alpha: float, beta: float, Y: np.ndarray, *, reduction: str = "samples"
) -> dict[str, float]:
    """Penalties of :class:`LinearMap` that mean the α and β of eq. 8 of arXiv 2602.05313.

    Eq. 8, ‖ŷ − y‖² + α‖θ‖₁ + β‖θ‖₂², leaves open how the squared error is reduced over the n
    training structures and the n_omega bins; ``reduction`` says it: ``"sum"`` over both,
    ``"samples"`` the mean over structures and the sum over bins, ``"mean"`` the mean over both, as
    most training loops have it. One difference remains: θ may include b there, never here.

    Parameters
    ----------
    Y
        Training spectra, shape (n, n_omega), in the unit in which α is meant (sum 1 over the bins
        in the paper).

    Returns
    -------
    dict
        ``l1`` and ``l2``, for ``LinearMap(**penalties(...))``.
    """
    Y = np.asarray(Y, float)
    factors = {"sum": 1 / len(Y), "samples": 1.0, "mean": float(Y.shape[1])}
    if reduction not in factors:
        raise ValueError(f"reduction must be one of {sorted(factors)}, got {reduction!r}")
    scale = float(np.sqrt(np.mean(np.var(Y, axis=0)))) or 1.0
    return {"l1": alpha * factors[reduction] / scale, "l2": beta * factors[reduction]}


def _tuned(grid: Mapping[str, Sequence[float]], estimator: BaseEstimator | None = None) -> Tuned:
    return Tuned(
        estimator or LinearMap(),
        {name: list(values) for name, values in grid.items()},
        scoring="neg_mean_squared_error",
        cv=GroupFolds(),
        error_score="raise",
    )
