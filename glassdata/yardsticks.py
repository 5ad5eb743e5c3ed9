"""What a linear map has to beat: regressors that know less, or that are not linear."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.linalg import solve
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin, clone
from sklearn.metrics import euclidean_distances
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.utils.validation import check_is_fitted, validate_data


class _Yardstick(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Validation that the yardsticks share."""

    def fit(self, X: np.ndarray, Y: np.ndarray) -> "_Yardstick":
        """Fit to X (n, n_r) and Y (n, n_omega)."""
        X, Y = validate_data(self, X, Y, multi_output=True, y_numeric=True, dtype=float)
        self._learn(X, np.asarray(Y, float))
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Predictions, shape (n, n_omega), in the unit of Y."""
        check_is_fitted(self)
        return self._guess(validate_data(self, X, reset=False, dtype=float))


class ScalarCurve(_Yardstick):
    """Every output a polynomial of one number per structure.

    Beyond the training range of the number, the prediction stays what it is at the end.

    Parameters
    ----------
    number
        ``"first"``: the first column of X, such as the density; ``"variance"``: the variance of
        each row of X, one number for how far g(r) swings.
    degree
        Of the polynomial; less where the training set has too few distinct numbers.
    """

    def __init__(self, number: str = "first", degree: int = 1):
        self.number = number
        self.degree = degree

    def _learn(self, X, Y) -> None:
        if self.number not in ("first", "variance"):
            raise ValueError(f"number must be 'first' or 'variance', got {self.number!r}")
        values = self._number(X)
        self.range_ = values.min(), values.max()
        degree = min(self.degree, len(np.unique(values)) - 1)
        self.powers_ = np.arange(degree + 1)
        self.coef_ = np.linalg.lstsq(self._basis(values), Y, rcond=None)[0]

    def _guess(self, X) -> np.ndarray:
        return self._basis(self._number(X)) @ self.coef_

    def _number(self, X) -> np.ndarray:
        return X[:, 0] if self.number == "first" else X.var(axis=1)

    def _basis(self, values: np.ndarray) -> np.ndarray:
        low, high = self.range_
        reduced = (np.clip(values, low, high) - low) / ((high - low) or 1.0)
        return reduced[:, None] ** self.powers_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class Neighbours(_Yardstick):
    """Weighted mean of the training structures whose g(r) is nearest in Euclidean distance.

    Parameters
    ----------
    k
        Number of neighbours; all structures if there are fewer.
    power
        Weights are distance to the power minus this: 0 weighs all alike.
    """

    def __init__(self, k: int = 5, power: float = 0.0):
        self.k = k
        self.power = power

    def _learn(self, X, Y) -> None:
        if self.k < 1:
            raise ValueError(f"k must be at least 1, got {self.k}")
        self.X_, self.Y_ = X, Y

    def _guess(self, X) -> np.ndarray:
        distance = euclidean_distances(X, self.X_)
        k = min(self.k, len(self.X_))
        nearest = np.argpartition(distance, k - 1, axis=1)[:, :k]
        near = np.take_along_axis(distance, nearest, axis=1)
        # At distance zero the weight is merely very large, so that equal g(r) share it.
        weights = np.maximum(near, 1e-12 * (1 + near.max(axis=1, keepdims=True))) ** -self.power
        weights /= weights.sum(axis=1, keepdims=True)
        return np.einsum("nk,nk...->n...", weights, self.Y_[nearest])


class KernelMap(_Yardstick):
    """Kernel ridge regression with a Gaussian kernel: smooth, not linear, otherwise like ridge.

    Parameters
    ----------
    width
        Of the kernel, in units of the root-mean-square distance between training g(r). Much
        wider than 1, the model becomes ridge.
    l2
        Penalty, relative to the number of structures and the kernel's largest value of 1.
    """

    def __init__(self, width: float = 1.0, l2: float = 1e-3):
        self.width = width
        self.l2 = l2

    def path(self, X: np.ndarray, Y: np.ndarray, candidates: Sequence[Mapping]) -> list:
        """Fitted models for several settings; those of equal width share their kernel."""
        kernels: dict[float, np.ndarray] = {}
        return [clone(self).set_params(**c)._learn(X, Y, kernels) for c in candidates]

    def _learn(self, X, Y, kernels: dict[float, np.ndarray] | None = None) -> "KernelMap":
        if not (self.width > 0 and self.l2 > 0):
            raise ValueError(f"width and l2 must be positive, got {self.width} and {self.l2}")
        kernels = {} if kernels is None else kernels
        self.n_features_in_ = X.shape[1]
        self.x_mean_, self.y_mean_ = X.mean(axis=0), Y.mean(axis=0)
        # Mean square distance of independent pairs: twice the total variance.
        self.length_ = self.width * np.sqrt(2 * X.var(axis=0).sum()) or 1.0
        self.X_ = (X - self.x_mean_) / self.length_
        if self.width not in kernels:
            kernels[self.width] = rbf_kernel(self.X_, gamma=0.5)
        damped = kernels[self.width] + len(X) * self.l2 * np.eye(len(X))
        self.dual_ = solve(damped, Y - self.y_mean_, assume_a="pos")
        return self

    def _guess(self, X) -> np.ndarray:
        kernel = rbf_kernel((X - self.x_mean_) / self.length_, self.X_, gamma=0.5)
        return kernel @ self.dual_ + self.y_mean_
