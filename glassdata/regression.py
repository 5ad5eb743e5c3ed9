"""Regressions from g(r) to spectra: fit, predict, and a fitted state made of plain arrays.

A fitted model can be converted to arrays of numbers and back. A model file holds these arrays and
nothing else, so that no code is ever loaded from a file.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

#: Names or lengths of the dimensions of an array.
Dimensions = tuple[str | int, ...]


class Regression(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Base class of the models: checked input, and conversion to plain arrays and back.

    A model states what it learns in :attr:`ARRAYS` and implements ``_learn(X, Y)``, which sets
    those attributes, and ``_guess(X)``, which returns the predictions. Its settings are numbers,
    or words listed in :attr:`WORDS`; ``_check()`` may refuse their values. In all else it is an
    ordinary estimator of scikit-learn.

    Examples
    --------
    A model that predicts the spectrum of the first training structure for all structures:

    >>> class First(Regression):
    ...     ARRAYS = {"spectrum_": ("n_omega",), "n_features_in_": ()}
    ...     def _learn(self, X, Y):
    ...         self.spectrum_ = Y[0]
    ...     def _guess(self, X):
    ...         return np.tile(self.spectrum_, (len(X), 1))
    >>> fitted = First().fit(np.eye(2), np.array([[1.0, 3.0], [2.0, 2.0]]))
    >>> First.from_arrays(fitted.to_arrays()).predict(np.eye(2)).tolist()
    [[1.0, 3.0], [1.0, 3.0]]
    """

    #: Fitted attributes and their dimensions: ``"n_r"`` bins of g(r), ``"n_omega"`` bins of the
    #: spectrum, or any other name. Without an array of n_r, name ``n_features_in_: ()`` as well.
    ARRAYS: ClassVar[Mapping[str, Dimensions]] = {}
    #: Settings that are words rather than numbers, with the words there are.
    WORDS: ClassVar[Mapping[str, Sequence[str]]] = {}

    n_features_in_: int

    def fit(self, X: np.ndarray, Y: np.ndarray) -> Self:
        """Learn from training structures.

        Parameters
        ----------
        X
            g(r), shape (n, n_r), dimensionless.
        Y
            Spectra, shape (n, n_omega), 1/THz or any other unit.

        Raises
        ------
        ValueError
            If shapes disagree, numbers are not finite, or a setting is out of range.
        """
        X, Y = validate_data(self, X, Y, multi_output=True, y_numeric=True, dtype=float)
        self._check()
        self._learn(X, np.asarray(Y, float))
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Predictions for g(r) of shape (n, n_r): shape (n, n_omega), in the unit of Y."""
        check_is_fitted(self)
        return self._guess(validate_data(self, X, reset=False, dtype=float))

    @property
    def n_outputs_(self) -> int:
        """Number of bins of the spectra it was fitted to."""
        name, axis = next(
            (name, dims.index("n_omega")) for name, dims in self.ARRAYS.items() if "n_omega" in dims
        )
        return np.shape(getattr(self, name))[axis]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The fitted model as arrays: its settings and its :attr:`ARRAYS`, in double precision.

        Raises
        ------
        ValueError
            If it is not fitted to spectra of shape (n, n_omega), or holds numbers that are not
            finite.
        """
        check_is_fitted(self)
        settings = {
            name: self.WORDS[name].index(value) if name in self.WORDS else value
            for name, value in self.get_params().items()
        }
        learned = {name: getattr(self, name) for name in self.ARRAYS}
        arrays = {name: np.array(value, float) for name, value in (settings | learned).items()}
        check_arrays(type(self).__name__, arrays, self._shapes())
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The fitted model of these arrays, which :meth:`to_arrays` gave.

        Raises
        ------
        ValueError
            Naming the array that is missing, superfluous, not finite or of another shape, or the
            setting that is out of range.
        """
        model = cls()
        sizes = check_arrays(cls.__name__, arrays, model._shapes())
        for name, default in model.get_params().items():
            model.set_params(**{name: model._setting(name, float(arrays[name]), default)})
        model._check()
        for name, dims in cls.ARRAYS.items():
            value = np.array(arrays[name], float)
            setattr(model, name, value if dims else float(value))
        if "n_r" in sizes:
            model.n_features_in_ = sizes["n_r"]
        model.n_features_in_ = whole_number("n_features_in_", model.n_features_in_)
        return model

    def _learn(self, X: np.ndarray, Y: np.ndarray) -> None:
        raise NotImplementedError

    def _guess(self, X: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _check(self) -> None:
        """Raise ValueError if a setting is out of range."""

    def _shapes(self) -> dict[str, Dimensions]:
        return dict.fromkeys(self.get_params(), ()) | dict(self.ARRAYS)

    def _setting(self, name: str, number: float, default: Any) -> Any:
        if name in self.WORDS:
            words = self.WORDS[name]
            if number not in range(len(words)):
                raise ValueError(f"{name} must be one of 0 to {len(words) - 1}, got {number:g}")
            return words[int(number)]
        return whole_number(name, number, smallest=0) if type(default) is int else number


def whole_number(name: str, number: float, smallest: int = 1) -> int:
    """The number as an integer.

    Parameters
    ----------
    name
        Name of the setting, for the error message.
    number
        Its value.
    smallest
        The least value allowed.

    Raises
    ------
    ValueError
        Naming it, if it has a fraction or is less than ``smallest``.
    """
    if number != int(number) or number < smallest:
        raise ValueError(f"{name} must be a whole number of at least {smallest}, got {number:g}")
    return int(number)


def check_arrays(
    owner: str, arrays: Mapping[str, np.ndarray], shapes: Mapping[str, Dimensions]
) -> dict[str, int]:
    """Check that arrays are the ones expected, and that their shapes agree with each other.

    Parameters
    ----------
    owner
        Name of the object that the arrays belong to, for the error message.
    arrays
        To be checked, by name.
    shapes
        Dimensions of each array: a length, or a name that means the same length wherever it
        occurs.

    Returns
    -------
    dict
        Lengths by the names of the dimensions.

    Raises
    ------
    ValueError
        Naming the array that is missing, superfluous, empty, not finite or of another shape.

    Examples
    --------
    >>> line = {"W": np.ones((2, 3)), "b": np.ones(2)}
    >>> check_arrays("line", line, {"W": ("m", "n"), "b": ("m",)})
    {'m': 2, 'n': 3}
    """
    if arrays.keys() != shapes.keys():
        raise ValueError(f"a {owner} does not hold {sorted(arrays)!r:.100}")
    sizes: dict[str, int] = {}
    for name, dims in shapes.items():
        values = np.asarray(arrays[name])
        if values.ndim == len(dims):
            for dim, size in zip(dims, values.shape, strict=True):
                if isinstance(dim, str):
                    sizes.setdefault(dim, size)
        expected = tuple(sizes.get(dim, dim) if isinstance(dim, str) else dim for dim in dims)
        fits = values.shape == expected and values.size and values.dtype.kind in "biuf"
        if not (fits and np.isfinite(values).all()):
            raise ValueError(
                f"{name} must be finite, of shape ({', '.join(map(str, expected))}), "
                f"got shape {values.shape} and type {values.dtype}"
            )
    return sizes
