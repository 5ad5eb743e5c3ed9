"""Linear maps y = W g + b: penalised (ridge, lasso, elastic net), or on principal components.

X of shape (n, n_r), dimensionless; Y of shape (n, n_omega), 1/THz or any other unit. The bins of
g(r) are taken as they are, neither standardised nor weighted; the intercept centres X and Y.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin, clone
from sklearn.linear_model import lars_path_gram
from sklearn.utils.validation import check_is_fitted, validate_data

#: Kinks of an L1 path at most; a hundred bins have about a hundred.
MAX_KINKS = 5000


class _Linear(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """What the linear maps share: ``coef_`` and ``intercept_`` once fitted."""

    def fit(self, X: np.ndarray, Y: np.ndarray) -> "_Linear":
        """Fit W and b."""
        (fitted,) = self._fits(X, Y, [self.get_params()], target=self)
        if fitted is None:
            self._refuse(X)
        return self

    def path(
        self, X: np.ndarray, Y: np.ndarray, candidates: Sequence[Mapping]
    ) -> "list[_Linear | None]":
        """Fitted maps for several settings, sharing the work; None for a setting that cannot be.

        Parameters
        ----------
        candidates
            Parameters to set, one mapping each, as in scikit-learn's ``ParameterGrid``.
        """
        return list(self._fits(X, Y, candidates))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """W g + b, shape (n, n_omega), in the unit of Y."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=float)
        return X @ self.coef_.T + self.intercept_

    def _fits(
        self, X, Y, candidates: Sequence[Mapping], target: "_Linear | None" = None
    ) -> "Iterator[_Linear | None]":
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

    def _check(self) -> None:
        """Raise ValueError if a parameter is out of range."""

    def _refuse(self, X) -> None:
        """Raise ValueError because the parameters do not suit X."""


class LinearMap(_Linear):
    """Linear map with elementwise L1 and L2 penalties, for fixed penalties.

    Minimises, over W of shape (n_omega, n_r) and b of shape (n_omega,), with the mean over the
    training structures,

        mean_s ‖(y_s − W g_s − b)/σ‖² + l1 ‖W/σ‖₁ + l2 ‖W/σ‖₂²,

    where σ² is the variance of Y over the training structures, averaged over bins. Dividing by
    this one number makes ``l1`` and ``l2`` independent of the unit of Y and alike from glass to
    glass; each output is still fitted on its own, and b is not penalised.
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
    """

    def __init__(self, l1: float = 0.0, l2: float = 1e-4):
        self.l1 = l1
        self.l2 = l2

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


class PrincipalMap(_Linear):
    """Principal-component regression: least squares on the leading components of g(r).

    With the singular value decomposition of the centred training set, X = U s Vᵀ, the map is
    W = Σ_k (Yᵀ u_k / s_k) v_kᵀ over the ``n_components`` largest s_k.

    Parameters
    ----------
    n_components
        At least 1, and at most the number of bins and of structures less one.

    Attributes
    ----------
    coef_, intercept_
        As in :class:`LinearMap`.

    Raises
    ------
    ValueError
        On ``fit``, if there are fewer structures or bins than the components need.
    """

    def __init__(self, n_components: int = 1):
        self.n_components = n_components

    def _check(self) -> None:
        if self.n_components < 1:
            raise ValueError(f"n_components must be at least 1, got {self.n_components}")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # with the one component that is the default
        return tags

    def _refuse(self, X) -> None:
        n, n_r = np.shape(X)
        raise ValueError(
            f"n_components={self.n_components} needs as many bins and one structure more, "
            f"got {n_r} bins and n_samples={n}"
        )

    @staticmethod
    def _solve(X, Y, maps: "Sequence[PrincipalMap]") -> list[np.ndarray | None]:
        left, singular, right = _decompose(X)
        scores = (left.T @ Y) / singular[:, None]
        possible = min(len(X) - 1, X.shape[1])
        return [
            scores[: one.n_components].T @ right[: one.n_components]
            if one.n_components <= possible
            else None
            for one in maps
        ]


def _decompose(X: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Singular value decomposition without the directions in which X does not vary."""
    left, singular, right = np.linalg.svd(X, full_matrices=False)
    kept = singular > max(X.shape) * np.finfo(float).eps * max(singular[0], np.finfo(float).tiny)
    return left[:, kept], singular[kept], right[kept]


def _ridge(X: np.ndarray, Y: np.ndarray, l2s: Sequence[float]) -> list[np.ndarray]:
    left, singular, right = _decompose(X)
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
