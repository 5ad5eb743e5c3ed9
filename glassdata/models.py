"""Estimators from g(r) to the PDOS: linear maps, the networks they are compared with, yardsticks.

Estimators follow scikit-learn: ``fit(X, Y)``, ``predict(X)`` with X of shape (n, n_r),
dimensionless, and Y of shape (n, n_omega), 1/THz or any other unit. Those that choose settings,
or stop early, also take ``groups`` of shape (n,): structures of one group are never split.

Every tuned estimator but the networks tries :data:`EFFORT` settings on the same held-out groups.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyRegressor

from glassdata.cnn import ConvolutionalNetwork
from glassdata.evaluation import (
    Evaluation,
    Score,
    by_class,
    cross_validate,
    grouped_folds,
    mse,
    normalised,
    r2,
    r2_draws,
)
from glassdata.linear import LinearMap, PrincipalMap
from glassdata.modelfile import SavedModel, fingerprint, load, save
from glassdata.tuning import GroupFolds, Tuned
from glassdata.yardsticks import KernelMap, Neighbours, ScalarCurve

__all__ = [
    "ConvolutionalNetwork",
    "Evaluation",
    "GroupFolds",
    "KernelMap",
    "LinearMap",
    "Neighbours",
    "PrincipalMap",
    "SavedModel",
    "ScalarCurve",
    "Score",
    "Tuned",
    "by_class",
    "cnn",
    "cross_validate",
    "elastic_net",
    "fingerprint",
    "grouped_folds",
    "kernel_ridge",
    "lasso",
    "load",
    "mean",
    "mse",
    "nearest",
    "normalised",
    "pcr",
    "penalties",
    "r2",
    "r2_draws",
    "ridge",
    "save",
    "scalar",
    "sklearn_penalties",
]

#: Settings that every tuned estimator may try, where it has as many.
EFFORT = 21
RIDGE_L2 = tuple(np.logspace(-8, 2, EFFORT))
LASSO_L1 = tuple(np.logspace(-3.5, 0.5, EFFORT))
ELASTIC_NET_L1 = tuple(np.logspace(-3, 0, 7))
ELASTIC_NET_L2 = (1e-4, 1e-3, 1e-2)
COMPONENTS = (*range(1, 11), 12, 14, 16, 18, 20, 25, 30, 40, 50, 70, 90)
NEIGHBOURS = (1, 2, 3, 5, 8, 12, 20)
POWERS = (0.0, 1.0, 2.0)
WIDTHS = (0.7, 2.0, 6.0)
KERNEL_L2 = tuple(np.logspace(-7, -1, 7))
DEGREES = (1, 2, 3)
WEIGHT_DECAYS = (0.0, 0.03)


def ridge(l2: float | None = None) -> BaseEstimator:
    """Linear map with a quadratic penalty; ``l2=None`` lets grouped cross-validation choose it."""
    return Tuned(LinearMap(), {"l2": RIDGE_L2}) if l2 is None else LinearMap(l1=0.0, l2=l2)


def lasso(l1: float | None = None) -> BaseEstimator:
    """Linear map with an L1 penalty, which sets weights to zero; None lets it be chosen."""
    plain = LinearMap(l1=l1 or 0.0, l2=0.0)
    return Tuned(plain, {"l1": LASSO_L1}) if l1 is None else plain


def elastic_net(l1: float | None = None, l2: float | None = None) -> BaseEstimator:
    """Linear map with an L1 and an L2 penalty; those left None are chosen by cross-validation."""
    grid = {} if l1 is not None else {"l1": ELASTIC_NET_L1}
    grid |= {} if l2 is not None else {"l2": ELASTIC_NET_L2}
    fixed = LinearMap(l1=l1 or 0.0, l2=l2 or 0.0)
    return Tuned(fixed, grid) if grid else fixed


def pcr(n_components: int | None = None) -> BaseEstimator:
    """Principal-component regression; ``n_components=None`` lets their number be chosen."""
    if n_components is None:
        return Tuned(PrincipalMap(), {"n_components": COMPONENTS})
    return PrincipalMap(n_components)


def cnn(kind: str = "spramnet", **settings) -> ConvolutionalNetwork:
    """Convolutional network, ``"spramnet"`` or ``"residual"``; needs PyTorch when it is fitted.

    The number of epochs and the weight decay are chosen on held-out groups unless given; see
    :class:`glassdata.cnn.ConvolutionalNetwork` for the ``settings``.
    """
    return ConvolutionalNetwork(kind, **{"weight_decays": WEIGHT_DECAYS} | settings)


def mean() -> BaseEstimator:
    """The training mean, whatever g(r) is: R² = 0 by definition."""
    return DummyRegressor(strategy="mean")


def scalar(number: str = "first", degree: int | None = None) -> BaseEstimator:
    """Polynomial of one number: the first column of X (a density), or ``"variance"`` of g(r)."""
    plain = ScalarCurve(number, degree or 1)
    return Tuned(plain, {"degree": DEGREES}) if degree is None else plain


def nearest(k: int | None = None) -> BaseEstimator:
    """Mean of the k training structures of nearest g(r); ``k=None`` chooses it, and the weights."""
    return Tuned(Neighbours(), {"k": NEIGHBOURS, "power": POWERS}) if k is None else Neighbours(k)


def kernel_ridge() -> BaseEstimator:
    """Kernel ridge regression with a Gaussian kernel whose width and penalty are chosen."""
    return Tuned(KernelMap(), {"width": WIDTHS, "l2": KERNEL_L2})


def penalties(
    alpha: float, beta: float, Y: np.ndarray, *, reduction: str = "samples"
) -> dict[str, float]:
    """Penalties of :class:`LinearMap` that mean the α and β of eq. 8 of arXiv 2602.05313.

    Eq. 8, ‖ŷ − y‖² + α‖θ‖₁ + β‖θ‖₂², leaves open how the squared error is reduced over the n
    training structures and the n_omega bins; ``reduction`` says it: ``"sum"`` over both,
    ``"samples"`` the mean over structures and the sum over bins, ``"mean"`` the mean over both, as
    most training loops have it. Let f be 1, n and n·n_omega for the three. Multiplying eq. 8 by
    f/n leaves its minimum where it is and turns the error into the mean over structures,

        mean_s ‖ŷ_s − y_s‖² + (f/n) α ‖W‖₁ + (f/n) β ‖W‖₂²,

    and dividing by σ² gives the loss of :class:`LinearMap` with l1 = (f/n) α/σ and l2 = (f/n) β.
    One difference remains: θ may include b there, never here.

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


def sklearn_penalties(
    alpha: float, beta: float, shape: Sequence[int], *, reduction: str = "samples"
) -> Mapping[str, float]:
    """Parameters of scikit-learn's own estimators that mean the α and β of eq. 8.

    Fitted to the same Y, ``ElasticNet`` minimises for each output
    ‖y − Xw‖²/(2n) + a ρ ‖w‖₁ + a (1 − ρ) ‖w‖²/2. Half of the loss in :func:`penalties` is this with

        a ρ = (f/n) α/2,  a (1 − ρ) = (f/n) β,  hence  a = (f/n) (α/2 + β),  ρ = (α/2)/(α/2 + β),

    and ``Lasso`` has ρ = 1. ``Ridge`` minimises ‖y − Xw‖² + a ‖w‖², n times that loss without the
    L1 term: a = f β.

    Parameters
    ----------
    shape
        (n, n_omega) of the training spectra.

    Returns
    -------
    dict
        ``elastic_net`` and ``l1_ratio``, for ``ElasticNet(alpha=..., l1_ratio=...)``; ``ridge``,
        for ``Ridge(alpha=...)``, which takes no notice of α.
    """
    n, n_omega = shape
    f = {"sum": 1.0, "samples": float(n), "mean": float(n * n_omega)}[reduction]
    return {
        "elastic_net": f / n * (alpha / 2 + beta),
        "l1_ratio": (alpha / 2) / (alpha / 2 + beta) if alpha else 0.0,
        "ridge": f * beta,
    }
