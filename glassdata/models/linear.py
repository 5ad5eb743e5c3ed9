"""Linear maps y = W g + b with penalised weights: ridge, lasso, elastic net.

X of shape (n, n_r), dimensionless; Y of shape (n, n_omega), 1/THz or any other unit. The bins of
g(r) are taken as they are, neither standardised nor weighted; the intercept centres X and Y.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import lars_path_gram
from sklearn.utils.validation import validate_data

from glassdata.regression import Regression
from glassdata.tuning import EFFORT, Tuned, decades

#: Largest number of kinks of an L1 path; a hundred bins have about a hundred.
MAX_KINKS = 5000
RIDGE_L2 = decades(-8, 2, EFFORT)
LASSO_L1 = decades(-3.5, 0.5, EFFORT)
ELASTIC_NET_L1 = decades(-3, 0, 7)
ELASTIC_NET_L2 = (1e-4, 1e-3, 1e-2)


class Linear(Regression):
    """What the linear maps share: W and b, ``coef_`` and ``intercept_`` once fitted.

    A subclass implements ``_solve(X, Y, maps)``: W of shape (n_omega, n_r) for each of several
    settings at once, from centred X and from centred Y of unit variance; None for settings that
    have no solution.
    """

    ARRAYS: ClassVar = {"coef_": ("n_omega", "n_r"), "intercept_": ("n_omega",), "scale_": ()}

    coef_: np.ndarray
    intercept_: np.ndarray
    scale_: float

    def fit(self, X: np.ndarray, Y: np.ndarray) -> Self:
        """Fit W and b to g(r) of shape (n, n_r) and spectra of shape (n, n_omega)."""
        (fitted,) = self._fits(X, Y, [self.get_params()], target=self)
        if fitted is None:
            self._refuse(X)
        return self

    def path(
        self, X: np.ndarray, Y: np.ndarray, candidates: Sequence[Mapping]
    ) -> list[Self | None]:
        """Fitted maps for several settings, which share the work; None for one that has no fit.

        Parameters
        ----------
        X, Y
            Shapes (n, n_r) and (n, n_omega).
        candidates
            Settings, one mapping for each map, as in scikit-learn's ``ParameterGrid``.
        """
        return list(self._fits(X, Y, candidates))

    def _guess(self, X: np.ndarray) -> np.ndarray:
        return X @ self.coef_.T + self.intercept_

    def _fits(
        self, X, Y, candidates: Sequence[Mapping], target: Self | None = None
    ) -> Iterator[Self | None]:
        checked = target or clone(self)
        X, Y = validate_data(checked, X, Y, multi_output=True, y_numeric=True, dtype=float)
        Y = np.asarray(Y, float)
        x_mean, y_mean = X.mean(axis=0), Y.mean(axis=0)
        scale = float(np.sqrt(np.mean(np.var(Y, axis=0)))) or 1.0
        maps = [clone(self).set_params(**candidate) for candidate in candidates]
        for one in maps:
            one._check()
        targets = ((Y - y_mean) / scale).reshape(len(Y), -1)
        for one, coef in zip(maps, self._solve(X - x_mean, targets, maps), strict=True):
            if coef is None:
                yield None
                continue
            one = target or one
            one.scale_ = scale
            one.coef_ = coef.reshape(*Y.shape[1:], X.shape[1]) * scale
            one.intercept_ = y_mean - one.coef_ @ x_mean
            one.n_features_in_ = X.shape[1]
            yield one

    def _refuse(self, X: np.ndarray) -> None:
        """Raise ValueError: the settings do not suit X."""

    @staticmethod
    def _solve(X: np.ndarray, Y: np.ndarray, maps: Sequence) -> Sequence[np.ndarray | None]:
        raise NotImplementedError


class LinearMap(Linear):
    """Linear map with elementwise L1 and L2 penalties, for fixed penalties.

    Minimises, over W of shape (n_omega, n_r) and b of shape (n_omega,), with the mean over the
    training structures,

        mean_s ‖(y_s − W g_s − b)/σ‖² + l1 ‖W/σ‖₁ + l2 ‖W/σ‖₂²,

    where σ² is the variance of Y over the training structures, averaged over bins. Dividing by
    this one number makes ``l1`` and ``l2`` independent of the unit of Y and comparable between
    glasses. Each output is still fitted on its own, and b is not penalised.
    ``glassdata.models.penalties`` converts the α and β of eq. 8 of arXiv 2602.05313.

    Parameters
    ----------
    l1, l2
        Not negative. With ``l1 = 0`` the solution is closed, W = (S + l2)⁻¹ C with the covariances
        S of g and C of g with y (least squares of minimal norm if ``l2 = 0`` as well); otherwise
        the exact path of least-angle regression.

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

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> LinearMap(l2=0.0).fit(X, 3 * X + 1).coef_.round(12).tolist()
    [[3.0]]
    """

    def __init__(self, l1: float = 0.0, l2: float = 1e-4):
        self.l1 = l1
        self.l2 = l2

    def trials(
        self, X: np.ndarray, Y: np.ndarray, X_test: np.ndarray, candidates: Sequence[Mapping]
    ) -> list[np.ndarray | None]:
        """What maps with several settings predict for other structures, (n_test, n_omega) each.

        Parameters
        ----------
        X, Y
            Shapes (n, n_r) and (n, n_omega).
        X_test
            Shape (n_test, n_r).
        candidates
            Settings, one mapping for each map.
        """
        maps = [self.get_params() | dict(one) for one in candidates]
        if any(one["l1"] > 0 for one in maps):
            fits = self.path(X, Y, candidates)
            return [None if one is None else one.predict(X_test) for one in fits]
        x_mean, y_mean = X.mean(axis=0), Y.mean(axis=0)
        left, singular, right = decompose(X - x_mean)
        scores = left.T @ (Y - y_mean)
        along = (X_test - x_mean) @ right.T
        filters = [singular / (singular**2 + len(X) * one["l2"]) for one in maps]
        return [(along * weight) @ scores + y_mean for weight in filters]

    def _check(self) -> None:
        if not (self.l1 >= 0 and self.l2 >= 0):
            raise ValueError(f"penalties must not be negative, got l1={self.l1}, l2={self.l2}")

    @staticmethod
    def _solve(X, Y, maps: "Sequence[LinearMap]") -> list[np.ndarray]:
        found: dict[int, np.ndarray] = {}
        closed = [k for k, one in enumerate(maps) if one.l1 == 0]
        if closed:
            found |= zip(closed, _ridge(X, Y, [maps[k].l2 for k in closed]), strict=True)
        sparse = [k for k, one in enumerate(maps) if one.l1 > 0]
        for l2 in {maps[k].l2 for k in sparse}:
            same = [k for k in sparse if maps[k].l2 == l2]
            found |= zip(same, _sparse(X, Y, [maps[k].l1 for k in same], l2), strict=True)
        return [found[k] for k in range(len(maps))]


def decompose(X: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Singular value decomposition without the directions in which X does not vary."""
    left, singular, right = np.linalg.svd(X, full_matrices=False)
    kept = singular > max(X.shape) * np.finfo(float).eps * max(singular[0], np.finfo(float).tiny)
    return left[:, kept], singular[kept], right[kept]


def _ridge(X: np.ndarray, Y: np.ndarray, l2s: Sequence[float]) -> list[np.ndarray]:
    left, singular, right = decompose(X)
    scores = left.T @ Y
    filters = [singular / (singular**2 + len(X) * l2) for l2 in l2s]
    return [(weight[:, None] * scores).T @ right for weight in filters]


def _sparse(X: np.ndarray, Y: np.ndarray, l1s: Sequence[float], l2: float) -> np.ndarray:
    """W of shape (number of penalties, n_omega, n_r) by least-angle regression.

    As l1 falls, W is piecewise linear; the algorithm walks from kink to kink of the exact path.
    """
    n, n_r = X.shape
    gram, products = X.T @ X + n * l2 * np.eye(n_r), X.T @ Y
    # scikit-learn's loss is half the mean square: see ``glassdata.models.sklearn_penalties``.
    alphas = np.asarray(l1s) / 2
    found = np.zeros((len(alphas), Y.shape[1], n_r))
    for output, product in enumerate(products.T):
        kinks, _, path = lars_path_gram(
            product,
            Gram=gram,
            n_samples=n,
            alpha_min=alphas.min(),
            method="lasso",
            max_iter=MAX_KINKS,
        )
        # np.interp wants rising abscissae; above the first kink W vanishes.
        for bin_, weights in enumerate(path):
            if weights.any():
                found[:, output, bin_] = np.interp(alphas, kinks[::-1], weights[::-1])
    return found


def ridge(l2: float | None = None) -> BaseEstimator:
    """Linear map with a quadratic penalty; ``l2=None`` lets grouped cross-validation choose it.

    Parameters
    ----------
    l2
        As in :class:`LinearMap`, dimensionless.

    Examples
    --------
    >>> ridge().fit(np.eye(3), np.eye(3)[:, :2]).predict(np.zeros((1, 3))).shape
    (1, 2)
    """
    return Tuned(LinearMap(), {"l2": RIDGE_L2}) if l2 is None else LinearMap(l1=0.0, l2=l2)


def lasso(l1: float | None = None) -> BaseEstimator:
    """Linear map with an L1 penalty, which sets weights to zero.

    Parameters
    ----------
    l1
        As in :class:`LinearMap`, dimensionless; None lets grouped cross-validation choose it.

    Examples
    --------
    >>> int(np.count_nonzero(lasso(l1=100.0).fit(np.eye(3), np.eye(3)).coef_))
    0
    """
    if l1 is None:
        return Tuned(LinearMap(l2=0.0), {"l1": LASSO_L1})
    return LinearMap(l1=l1, l2=0.0)


def elastic_net(l1: float | None = None, l2: float | None = None) -> BaseEstimator:
    """Linear map with an L1 and an L2 penalty.

    Parameters
    ----------
    l1, l2
        As in :class:`LinearMap`, dimensionless; grouped cross-validation chooses those left None.

    Examples
    --------
    >>> sorted(elastic_net(l1=0.1).grid)
    ['l2']
    """
    fixed = {name: value for name, value in (("l1", l1), ("l2", l2)) if value is not None}
    grids = {"l1": ELASTIC_NET_L1, "l2": ELASTIC_NET_L2}
    grid = {name: values for name, values in grids.items() if name not in fixed}
    return Tuned(LinearMap(**fixed), grid) if grid else LinearMap(**fixed)
