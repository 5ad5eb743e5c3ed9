"""Errors of predicted spectra, and the share of the training mean's error that is removed.

Spectra have the shape (n, n_omega), one structure per row, in any unit.
"""

import numpy as np
from numpy.typing import ArrayLike


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


def joined(Y: np.ndarray, n_bins: int) -> np.ndarray:
    """Spectra with neighbouring bins joined: shares of fewer and wider bins, (n, n_bins).

    Bins of frequencies that are counted again give the same, if the edges are some of the old ones.

    Parameters
    ----------
    Y
        Share of each bin, shape (n, n_omega).
    n_bins
        Number of bins to make, of equal width.

    Raises
    ------
    ValueError
        If the bins there are cannot be shared out among as many.

    Examples
    --------
    >>> joined([[0.1, 0.2, 0.3, 0.4]], 2).round(6).tolist()
    [[0.3, 0.7]]
    """
    Y = np.asarray(Y, float)
    n, n_omega = Y.shape
    if n_bins < 1 or n_omega % n_bins:
        raise ValueError(f"{n_omega} bins cannot be joined to {n_bins}")
    return Y.reshape(n, n_bins, -1).sum(axis=2)


def mse(Y_true: np.ndarray, Y_pred: np.ndarray) -> float:
    """Mean squared error per bin of spectra whose truth adds up to 1 over the bins.

    It has no unit and does not depend on that of Y. It can be compared with the paper's 1.7e-6 if
    the paper's loss is what chapter 9 concludes. True and predicted spectra are both divided by the
    sum of the *true* one, so that a prediction of the right shape but with a wrong sum is wrong.

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
    """R² of bootstrap samples of families, for intervals; models are not fitted again.

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
