"""What a linear map has to beat: models that know less, or that are not linear."""

from collections.abc import Mapping, Sequence
from itertools import chain, combinations_with_replacement, count
from math import comb
from typing import ClassVar, Self

import numpy as np
from scipy.linalg import eigh, solve
from sklearn.base import BaseEstimator
from sklearn.metrics import euclidean_distances
from sklearn.metrics.pairwise import rbf_kernel

from glassdata.regression import Regression
from glassdata.tuning import Tuned, decades

NEIGHBOURS = (1, 2, 3, 5, 8, 12, 20)
POWERS = (0.0, 1.0, 2.0)
WIDTHS = (0.7, 2.0, 6.0)
KERNEL_L2 = decades(-7, -1, 7)
DEGREES = (1, 2, 3)
#: A curve through a whole dataset may bend more than once.
CURVE_DEGREES = (1, 2, 3, 4, 5)


class Average(Regression):
    """The training mean, whatever g(r) is: R² = 0 by definition.

    Examples
    --------
    >>> Average().fit(np.eye(2), np.array([[1.0], [3.0]])).predict(np.eye(2)).tolist()
    [[2.0], [2.0]]
    """

    ARRAYS: ClassVar = {"y_mean_": ("n_omega",), "n_features_in_": ()}

    def _learn(self, X, Y) -> None:
        self.y_mean_ = Y.mean(axis=0)

    def _guess(self, X) -> np.ndarray:
        return np.broadcast_to(self.y_mean_, (len(X), *np.shape(self.y_mean_))).copy()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class ScalarCurve(Regression):
    """Every output a polynomial of one number per structure.

    Beyond the training range of the number, the prediction is that at the end of the range.

    Parameters
    ----------
    number
        ``"first"``: the first column of X, such as the density; ``"variance"``: the variance of
        each row of X, one number for how far g(r) swings.
    degree
        Of the polynomial; less where the training set has too few distinct numbers.

    Examples
    --------
    >>> x = np.array([[1.0], [2.0], [3.0]])
    >>> ScalarCurve(degree=2).fit(x, x**2).predict([[1.5], [9.0]]).round(12).tolist()
    [[2.25], [9.0]]
    """

    ARRAYS: ClassVar = {
        "coef_": ("n_powers", "n_omega"),
        "range_": (2,),
        "n_features_in_": (),
    }
    WORDS: ClassVar = {"number": ("first", "variance")}

    def __init__(self, number: str = "first", degree: int = 1):
        self.number = number
        self.degree = degree

    def _check(self) -> None:
        if self.number not in self.WORDS["number"]:
            raise ValueError(f"number must be 'first' or 'variance', got {self.number!r}")
        if self.degree < 0:
            raise ValueError(f"degree must not be negative, got {self.degree}")

    def _learn(self, X, Y) -> None:
        values = self._number(X)
        self.range_ = np.array([values.min(), values.max()])
        degree = min(self.degree, len(np.unique(values)) - 1)
        self.coef_ = np.linalg.lstsq(self._basis(values, degree), Y, rcond=None)[0]

    def _guess(self, X) -> np.ndarray:
        return self._basis(self._number(X), len(self.coef_) - 1) @ self.coef_

    def _number(self, X) -> np.ndarray:
        return X[:, 0] if self.number == "first" else X.var(axis=1)

    def _basis(self, values: np.ndarray, degree: int) -> np.ndarray:
        low, high = self.range_
        reduced = (np.clip(values, low, high) - low) / ((high - low) or 1.0)
        return reduced[:, None] ** np.arange(degree + 1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class PrincipalCurve(ScalarCurve):
    """Every output a polynomial of one number: the position along the leading component of X.

    A model that goes from one kind of curves to another has to beat this. Where a dataset runs
    along a single direction, from order to disorder, one number leads from anything to anything.

    Parameters
    ----------
    degree
        Of the polynomial.

    Examples
    --------
    >>> t = np.linspace(-1.0, 1.0, 9)[:, None]
    >>> bent = PrincipalCurve(degree=2).fit(t * [3.0, 4.0], t**2)
    >>> bool(abs(bent.predict([[1.5, 2.0]]) - 0.25).max() < 1e-12)
    True
    """

    ARRAYS: ClassVar = ScalarCurve.ARRAYS | {"axis_": ("n_r",)}
    WORDS: ClassVar = {}

    def __init__(self, degree: int = 1):
        self.degree = degree

    def _check(self) -> None:
        if self.degree < 0:
            raise ValueError(f"degree must not be negative, got {self.degree}")

    def _learn(self, X, Y) -> None:
        self.axis_ = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)[2][0]
        super()._learn(X, Y)

    def _number(self, X) -> np.ndarray:
        return X @ self.axis_


class Surface(Regression):
    """Every output a polynomial of several numbers per structure: the columns of X.

    All products of up to ``degree`` numbers enter. Beyond the training range of a number, its value
    at the end of the range is taken.

    Parameters
    ----------
    degree
        Of the polynomial; less where the training set has fewer distinct rows than coefficients.

    Examples
    --------
    >>> X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 1.0], [1.0, 2.0]])
    >>> product = Surface(degree=2).fit(X, X[:, :1] * X[:, 1:])
    >>> product.predict([[1.5, 1.0], [9.0, 0.5]]).round(12).tolist()
    [[1.5], [1.0]]
    """

    ARRAYS: ClassVar = {"coef_": ("n_products", "n_omega"), "low_": ("n_r",), "high_": ("n_r",)}

    def __init__(self, degree: int = 2):
        self.degree = degree

    def _check(self) -> None:
        if self.degree < 0:
            raise ValueError(f"degree must not be negative, got {self.degree}")

    def _learn(self, X, Y) -> None:
        self.low_, self.high_ = X.min(axis=0), X.max(axis=0)
        distinct, n = len(np.unique(X, axis=0)), X.shape[1]
        degree = next(d for d in range(self.degree, -1, -1) if comb(n + d, d) <= distinct)
        self.coef_ = np.linalg.lstsq(self._products(X, degree), Y, rcond=None)[0]

    def _guess(self, X) -> np.ndarray:
        n = X.shape[1]
        degree = next(d for d in count() if comb(n + d, d) == len(self.coef_))
        return self._products(X, degree) @ self.coef_

    def _products(self, X: np.ndarray, degree: int) -> np.ndarray:
        """All products of up to ``degree`` of the numbers, each scaled to -1 … 1."""
        half = (self.high_ - self.low_) / 2
        scaled = (np.clip(X, self.low_, self.high_) - self.low_) / np.where(half > 0, half, 1) - 1
        chosen = chain.from_iterable(
            combinations_with_replacement(range(X.shape[1]), d) for d in range(degree + 1)
        )
        return np.stack([scaled[:, list(some)].prod(axis=1) for some in chosen], axis=1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class Neighbours(Regression):
    """Weighted mean of the training structures whose g(r) is nearest in Euclidean distance.

    Parameters
    ----------
    k
        Number of neighbours; all structures if there are fewer.
    power
        Weights are 1/distance**power: with 0 all neighbours have equal weights.

    Examples
    --------
    >>> X = np.array([[0.0], [1.0], [5.0]])
    >>> Neighbours(k=2).fit(X, X).predict([[0.4]]).tolist()
    [[0.5]]
    """

    ARRAYS: ClassVar = {"X_": ("n", "n_r"), "Y_": ("n", "n_omega")}

    def __init__(self, k: int = 5, power: float = 0.0):
        self.k = k
        self.power = power

    def _check(self) -> None:
        if self.k < 1:
            raise ValueError(f"k must be at least 1, got {self.k}")
        if not self.power >= 0:
            raise ValueError(f"power must not be negative, got {self.power}")

    def _learn(self, X, Y) -> None:
        # Copies: if the caller alters the arrays later, predictions must stay the same.
        self.X_, self.Y_ = X.copy(), Y.copy()

    def trials(
        self, X: np.ndarray, Y: np.ndarray, X_test: np.ndarray, candidates: Sequence[Mapping]
    ) -> list[np.ndarray]:
        """What several settings predict for other structures; distances are computed once.

        Parameters
        ----------
        X, Y
            Shapes (n, n_r) and (n, n_omega).
        X_test
            Shape (n_test, n_r).
        candidates
            Settings, one mapping for each prediction.
        """
        self._learn(X, Y)
        distance = euclidean_distances(X_test, X)
        settings = [self.get_params() | dict(one) for one in candidates]
        return [self._mean_of_nearest(distance, one["k"], one["power"]) for one in settings]

    def _guess(self, X) -> np.ndarray:
        return self._mean_of_nearest(euclidean_distances(X, self.X_), self.k, self.power)

    def _mean_of_nearest(self, distance: np.ndarray, k: int, power: float) -> np.ndarray:
        k = min(k, len(self.X_))
        nearest = np.argpartition(distance, k - 1, axis=1)[:, :k]
        near = np.take_along_axis(distance, nearest, axis=1)
        # At distance zero the weight is very large but finite: equal g(r) share it.
        weights = np.maximum(near, 1e-12 * (1 + near.max(axis=1, keepdims=True))) ** -power
        weights /= weights.sum(axis=1, keepdims=True)
        return np.einsum("nk,nk...->n...", weights, self.Y_[nearest])


class KernelMap(Regression):
    """Kernel ridge regression with a Gaussian kernel: smooth, not linear, otherwise like ridge.

    Parameters
    ----------
    width
        Of the kernel, in units of the root-mean-square distance between training g(r). Much
        wider than 1, the model becomes ridge.
    l2
        Penalty, relative to the number of structures and the kernel's largest value of 1.

    Examples
    --------
    >>> X = np.linspace(0.0, 1.0, 5)[:, None]
    >>> curve = KernelMap(width=1.0, l2=1e-9).fit(X, X**2)
    >>> curve.predict(X[2:3]).round(3).tolist()
    [[0.25]]
    """

    ARRAYS: ClassVar = {
        "X_": ("n", "n_r"),
        "dual_": ("n", "n_omega"),
        "x_mean_": ("n_r",),
        "y_mean_": ("n_omega",),
        "length_": (),
    }

    def __init__(self, width: float = 1.0, l2: float = 1e-3):
        self.width = width
        self.l2 = l2

    def trials(
        self, X: np.ndarray, Y: np.ndarray, X_test: np.ndarray, candidates: Sequence[Mapping]
    ) -> list[np.ndarray]:
        """What several settings predict for other structures; equal widths share their kernel.

        Parameters
        ----------
        X, Y
            Shapes (n, n_r) and (n, n_omega).
        X_test
            Shape (n_test, n_r).
        candidates
            Settings, one mapping for each prediction.
        """
        modes: dict[float, tuple[np.ndarray, ...]] = {}
        guesses = []
        for one in (self.get_params() | dict(candidate) for candidate in candidates):
            width = one["width"]
            if width not in modes:
                model = KernelMap(width, one["l2"])
                values, vectors = eigh(model._prepare(X, Y), overwrite_a=True, check_finite=False)
                modes[width] = (
                    values,
                    model._kernel(X_test) @ vectors,
                    vectors.T @ (Y - Y.mean(axis=0)),
                )
            values, along, scores = modes[width]
            guesses.append((along / (values + len(X) * one["l2"])) @ scores + Y.mean(axis=0))
        return guesses

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The fitted model of these arrays, as in :class:`Regression`."""
        model = super().from_arrays(arrays)
        if not model.length_ > 0:
            raise ValueError(f"length_ must be positive, got {model.length_:g}")
        return model

    def _check(self) -> None:
        if not (self.width > 0 and self.l2 > 0):
            raise ValueError(f"width and l2 must be positive, got {self.width} and {self.l2}")

    def _learn(self, X, Y) -> None:
        damped = self._prepare(X, Y) + len(X) * self.l2 * np.eye(len(X))
        self.dual_ = solve(damped, Y - self.y_mean_, assume_a="pos")

    def _prepare(self, X, Y) -> np.ndarray:
        """Centre and scale the training set; its kernel, (n, n)."""
        self.x_mean_, self.y_mean_ = X.mean(axis=0), Y.mean(axis=0)
        # Mean square distance of independent pairs: twice the total variance.
        self.length_ = self.width * np.sqrt(2 * X.var(axis=0).sum()) or 1.0
        self.X_ = (X - self.x_mean_) / self.length_
        return rbf_kernel(self.X_, gamma=0.5)

    def _guess(self, X) -> np.ndarray:
        return self._kernel(X) @ self.dual_ + self.y_mean_

    def _kernel(self, X) -> np.ndarray:
        """Kernel between structures and those of the training set, (n_test, n)."""
        return rbf_kernel((X - self.x_mean_) / self.length_, self.X_, gamma=0.5)


def mean() -> Average:
    """The training mean, the model that every R² is measured against.

    Examples
    --------
    >>> mean().fit(np.eye(2), np.array([[1.0], [3.0]])).predict(np.eye(2)).tolist()
    [[2.0], [2.0]]
    """
    return Average()


def scalar(number: str = "first", degree: int | None = None) -> BaseEstimator:
    """Polynomial of one number of each structure.

    Parameters
    ----------
    number
        ``"first"``: the first column of X, such as a density; ``"variance"``: that of g(r).
    degree
        Of the polynomial; None lets grouped cross-validation choose it.

    Examples
    --------
    >>> density = np.array([[1.0], [2.0], [3.0]])
    >>> scalar("first", degree=1).fit(density, 2 * density).predict([[1.5]])
    array([[3.]])
    """
    if degree is None:
        return Tuned(ScalarCurve(number), {"degree": DEGREES})
    return ScalarCurve(number, degree)


def principal_curve(degree: int | None = None) -> BaseEstimator:
    """Polynomial of the position along the leading component.

    Parameters
    ----------
    degree
        Of the polynomial; None lets grouped cross-validation choose it.

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [2.0, 0.0], [4.0, 0.0]])
    >>> bool(np.allclose(principal_curve(degree=1).fit(X, 2 * X).predict([[3.0, 0.0]]), [6, 0]))
    True
    """
    if degree is None:
        return Tuned(PrincipalCurve(), {"degree": CURVE_DEGREES})
    return PrincipalCurve(degree)


def surface(degree: int | None = None) -> BaseEstimator:
    """Polynomial of several numbers of each structure.

    Parameters
    ----------
    degree
        Of the polynomial; None lets grouped cross-validation choose it.

    Examples
    --------
    >>> surface(degree=2).degree, sorted(surface().grid)
    (2, ['degree'])
    """
    return Tuned(Surface(), {"degree": DEGREES}) if degree is None else Surface(degree)


def variance() -> BaseEstimator:
    """Polynomial of the variance of g(r), one number for how far it swings.

    Examples
    --------
    >>> variance().estimator.number
    'variance'
    """
    return scalar("variance")


def nearest(k: int | None = None) -> BaseEstimator:
    """Mean of the training structures of nearest g(r).

    Parameters
    ----------
    k
        As in :class:`Neighbours`; None lets grouped cross-validation choose it, and the weights.

    Examples
    --------
    >>> sorted(nearest().grid)
    ['k', 'power']
    """
    return Tuned(Neighbours(), {"k": NEIGHBOURS, "power": POWERS}) if k is None else Neighbours(k)


def kernel_ridge() -> BaseEstimator:
    """Kernel ridge regression with a Gaussian kernel whose width and penalty are chosen.

    Examples
    --------
    >>> sorted(kernel_ridge().grid)
    ['l2', 'width']
    """
    return Tuned(KernelMap(), {"width": WIDTHS, "l2": KERNEL_L2})
