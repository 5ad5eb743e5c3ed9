"""The loss of eq. 8 of arXiv 2602.05313, in the terms of our linear maps and of scikit-learn.

The paper penalises a linear map by ‖ŷ − y‖² + α‖θ‖₁ + β‖θ‖₂². It leaves open how the squared
error is reduced over the n training structures and the n_omega bins; ``reduction`` says it:
``"sum"`` over both, ``"samples"`` the mean over structures and the sum over bins, ``"mean"`` the
mean over both, as in most training loops. In the formulas f is the number that the sum of squares
is divided by: 1, n and n·n_omega for the three.
"""

from collections.abc import Sequence

import numpy as np


def penalties(
    alpha: float, beta: float, Y: np.ndarray, *, reduction: str = "samples"
) -> dict[str, float]:
    """Penalties of :class:`glassdata.models.LinearMap` that equal the α and β of eq. 8.

    Multiplying eq. 8 by f/n leaves its minimum where it is and turns the error into the mean over
    structures,

        mean_s ‖ŷ_s − y_s‖² + (f/n) α ‖W‖₁ + (f/n) β ‖W‖₂²,

    and dividing by σ² gives the loss of ``LinearMap`` with l1 = (f/n) α/σ and l2 = (f/n) β. One
    difference remains: θ of eq. 8 may include b, which is never penalised here.

    Parameters
    ----------
    alpha, beta
        α in the unit of Y, β dimensionless; not negative.
    Y
        Training spectra, shape (n, n_omega), in the unit in which α is meant (sum 1 over the bins
        in the paper).
    reduction
        ``"sum"``, ``"samples"`` or ``"mean"``.

    Returns
    -------
    dict
        ``l1`` and ``l2``, for ``LinearMap(**penalties(...))``.

    Raises
    ------
    ValueError
        For an unknown reduction.

    Examples
    --------
    >>> penalties(0.0, 1e-4, np.ones((50, 100)), reduction="mean")
    {'l1': 0.0, 'l2': 0.01}
    """
    Y = np.asarray(Y, float)
    factor = _divisor(reduction, Y.shape) / len(Y)
    scale = float(np.sqrt(np.mean(np.var(Y, axis=0)))) or 1.0
    return {"l1": alpha * factor / scale, "l2": beta * factor}


def sklearn_penalties(
    alpha: float, beta: float, shape: Sequence[int], *, reduction: str = "samples"
) -> dict[str, float]:
    """Parameters of scikit-learn's own estimators that equal the α and β of eq. 8.

    Fitted to the same Y, ``ElasticNet`` minimises for each output
    ‖y − Xw‖²/(2n) + a ρ ‖w‖₁ + a (1 − ρ) ‖w‖²/2. Half of the loss in :func:`penalties` is this with

        a ρ = (f/n) α/2,  a (1 − ρ) = (f/n) β,  so that  a = (f/n) (α/2 + β),  ρ = (α/2)/(α/2 + β),

    and ``Lasso`` has ρ = 1. ``Ridge`` minimises ‖y − Xw‖² + a ‖w‖², n times that loss without the
    L1 term: a = f β.

    Parameters
    ----------
    alpha, beta
        α in the unit of Y, β dimensionless; not negative.
    shape
        (n, n_omega) of the training spectra.
    reduction
        ``"sum"``, ``"samples"`` or ``"mean"``.

    Returns
    -------
    dict
        ``elastic_net`` and ``l1_ratio``, for ``ElasticNet(alpha=..., l1_ratio=...)``; ``ridge``,
        for ``Ridge(alpha=...)``, which does not depend on α.

    Raises
    ------
    ValueError
        For an unknown reduction.

    Examples
    --------
    >>> sklearn_penalties(0.0, 0.5, (50, 100), reduction="samples")
    {'elastic_net': 0.5, 'l1_ratio': 0.0, 'ridge': 25.0}
    """
    f = _divisor(reduction, shape)
    return {
        "elastic_net": f / shape[0] * (alpha / 2 + beta),
        "l1_ratio": (alpha / 2) / (alpha / 2 + beta) if alpha else 0.0,
        "ridge": f * beta,
    }


def _divisor(reduction: str, shape: Sequence[int]) -> float:
    """What eq. 8 divides the sum of squares by, for spectra of shape (n, n_omega)."""
    n, n_omega = shape
    divisors = {"sum": 1.0, "samples": float(n), "mean": float(n * n_omega)}
    if reduction not in divisors:
        raise ValueError(f"reduction must be one of {sorted(divisors)}, got {reduction!r}")
    return divisors[reduction]
