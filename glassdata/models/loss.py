"""The loss of eq. 8 of arXiv 2602.05313, in the terms of our linear maps and of scikit-learn.

The paper penalises a linear map by ‖ŷ − y‖² + α‖θ‖₁ + β‖θ‖₂². The functions here say which
settings of :class:`glassdata.models.LinearMap`, and of scikit-learn's estimators, mean a given
α and β.
"""

from collections.abc import Sequence

import numpy as np


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
) -> dict[str, float]:
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
