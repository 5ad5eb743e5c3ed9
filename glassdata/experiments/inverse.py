"""The way back, from the PDOS to g(r): which distances it reaches, and what no spectrum shows."""

from collections.abc import Sequence

import numpy as np

from glassdata import models
from glassdata.experiments.reading import squared_errors
from glassdata.experiments.verdicts import Estimate, estimate, lead
from glassdata.structures import Dataset


def by_bin(held: models.Evaluation) -> np.ndarray:
    """R² of each output against the training mean; NaN where that is exact, as below contact.

    Parameters
    ----------
    held
        Held-out predictions (n, n_outputs).

    Returns
    -------
    ndarray, shape (n_outputs,)

    Examples
    --------
    >>> truth = np.array([[1.0, 3.0], [3.0, 1.0]])
    >>> guess, mean = np.array([[1.0, 2.0], [3.0, 2.0]]), np.full((2, 2), 2.0)
    >>> by_bin(models.Evaluation(truth, guess, mean, np.array([0, 1]), parameters=())).tolist()
    [1.0, 0.0]
    """
    error = ((held.prediction - held.truth) ** 2).sum(axis=0)
    mean = ((held.baseline - held.truth) ** 2).sum(axis=0)
    return 1 - np.divide(error, mean, out=np.full(len(mean), np.nan), where=mean > 0)


def reached(held: models.Evaluation, least: float = 0.5) -> float:
    """Share of the outputs that vary at all whose R² is above a limit.

    Examples
    --------
    Of three bins one never changes, and one of the others is known:

    >>> truth = np.array([[0.0, 1.0, 3.0], [0.0, 3.0, 1.0]])
    >>> guess, mean = truth * [1, 1, 0] + [0, 0, 2], np.array([[0.0, 2.0, 2.0]] * 2)
    >>> reached(models.Evaluation(truth, guess, mean, np.array([0, 1]), parameters=()))
    0.5
    """
    found = by_bin(held)
    return float(np.mean(found[np.isfinite(found)] > least))


def lead_over_curve(
    line: models.Evaluation, curve: models.Evaluation, groups: Sequence
) -> Estimate:
    """How much larger the R² of a line is than that of a curve in one number.

    Parameters
    ----------
    line, curve
        Held-out predictions of the same structures, in the same folds.
    groups
        Family of each structure, (n,).

    Examples
    --------
    >>> truth, fold = np.array([[1.0, 3.0], [3.0, 1.0]]), np.array([0, 1])
    >>> line, curve = (
    ...     models.Evaluation(truth, truth + off, truth + 2, fold, parameters=()) for off in (0, 1)
    ... )
    >>> lead_over_curve(line, curve, ["a", "b"]).value
    0.25
    """
    ours, baseline = squared_errors(line)
    theirs, _ = squared_errors(curve)
    return estimate(lead(ours, theirs, baseline), groups)


def unseen(data: Dataset, held: models.Evaluation) -> tuple[int, float]:
    """How many directions of g(r) the line sees in a spectrum, and the variance of all the others.

    g(r) varies along its principal components. A unit step along a combination of them changes the
    line's spectrum along some direction; it is seen if that change is larger than the line's own
    error in that direction. What is not seen cannot be told back from a spectrum by any map, as
    long as the line is right.

    Parameters
    ----------
    data : Dataset
    held
        Held-out predictions of its spectra by a line.

    Returns
    -------
    n_seen : int
    share : float
        Of the variance of g(r), along the directions that are not seen.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.dataset("lj3d")
    >>> held = models.cross_validate(models.ridge(1e-3), argon.X, argon.Y, argon.groups)
    >>> n_seen, share = unseen(argon, held)
    >>> 0 < n_seen < 30, 0 < share < 1
    (True, True)
    """
    X = data.X - data.X.mean(axis=0)
    _scores, spread, axes = np.linalg.svd(X, full_matrices=False)
    kept = spread > 1e-9 * spread[0]
    # One standard deviation of each component, (n_components, n_r).
    step = (spread[kept] / np.sqrt(len(X)))[:, None] * axes[kept]
    fitted = models.ridge().fit(data.X, data.Y, groups=data.groups)
    response = step @ fitted.coef_.T
    along, change, directions = np.linalg.svd(response, full_matrices=False)
    noise = np.sqrt(np.mean(((held.truth - held.prediction) @ directions.T) ** 2, axis=0))
    seen = change > noise
    visible = along[:, seen].T @ step
    return int(seen.sum()), float(1 - (visible**2).sum() / (step**2).sum())
