"""How chapter 10 reads maps W (n_omega, n_r) and biases b (n_omega,): penalties, stability.

g(r) is X (n, n_r), dimensionless; spectra are Y (n, n_omega) with sum 1 over the bins.

>>> KINDS["ridge"]
'L2'
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from glassdata import models
from glassdata.experiments.verdicts import Estimate, estimate, removed
from glassdata.experiments.weights import FOLDS, PAPER_ALPHA, SEED

Result = Mapping[str, np.ndarray]

#: Kinds of maps by what the results ``SYSTEM.maps`` call them, and the names that tables give them.
KINDS: Mapping[str, str] = {
    "least_squares": "none",
    "paper": "paper",
    "lasso": "L1",
    "elastic_net": "elastic net",
    "ridge": "L2",
    "pcr": "components",
}
#: Standard deviation up to which a bin counts as constant.
_CONSTANT = 1e-9


# --- penalties --------------------------------------------------------------------------------


def errors_of_the_mean(Y: np.ndarray, groups: Sequence) -> tuple[float, np.ndarray]:
    """Error of the training mean where it was trained, and held out.

    Returns
    -------
    training : float
        Mean square per bin on the training parts, averaged over the folds.
    held_out : (n, n_omega)
        Squared error of every bin of every held-out structure.

    Examples
    --------
    Two structures are held out together, so each fold is predicted from the other four families:

    >>> Y = np.repeat(np.arange(5.0), 2)[:, None]
    >>> training, held_out = errors_of_the_mean(Y, groups=Y.ravel())
    >>> held_out[:2].ravel().tolist()  # the others have the mean 2.5
    [6.25, 6.25]
    """
    training, held_out = 0.0, np.zeros(np.shape(Y))
    for train, test in models.grouped_folds(groups, FOLDS, SEED):
        mean = Y[train].mean(axis=0)
        training += np.mean((Y[train] - mean) ** 2) / FOLDS
        held_out[test] = (Y[test] - mean) ** 2
    return float(training), held_out


def grid_r2(grid: Result, Y: np.ndarray, groups: Sequence) -> dict[str, np.ndarray]:
    """R² of each pair of penalties, (n_alpha, n_beta), for ``"training"`` and ``"held_out"``.

    Parameters
    ----------
    grid
        Result ``SYSTEM.grid``.
    Y : (n, n_omega)
        Spectrum of each structure.
    groups : (n,)
        Family of each structure.

    Examples
    --------
    >>> Y, groups = np.random.default_rng(0).random((20, 3)), np.arange(20)
    >>> grid = {"training": np.zeros((1, 1)), "held_out": np.zeros((1, 1))}
    >>> grid_r2(grid, Y, groups)["held_out"].tolist()  # no error at all
    [[1.0]]
    """
    inner, held_out = errors_of_the_mean(Y, groups)
    return {
        "training": 1 - grid["training"] / inner,
        "held_out": 1 - grid["held_out"] / held_out.mean(),
    }


def hardly_change(
    grids: Mapping[str, Result],
    r2: Mapping[str, Mapping[str, np.ndarray]],
    *,
    alpha: float,
    beta: float,
    by: float,
) -> dict[str, list[bool]]:
    """Whether penalties up to these change R² of each glass by less than ``by``.

    Parameters
    ----------
    grids
        Result ``SYSTEM.grid`` of each glass.
    r2
        Of each glass what ``grid_r2`` returns.
    alpha, beta
        Largest penalties to look at, in the units of the grid.
    by
        How much R² may differ between any two pairs of penalties.

    Returns
    -------
    dict
        For ``"training"`` and ``"held_out"`` one answer per glass.

    Examples
    --------
    >>> grid = {"alpha": np.array([0.0, 1e-5, 1.0]), "beta": np.array([0.0])}
    >>> r2 = np.array([[0.90], [0.91], [0.0]])
    >>> frame = {"alpha": 1e-5, "beta": 1e-4, "by": 0.02}
    >>> hardly_change({"amc": grid}, {"amc": {"training": r2, "held_out": r2}}, **frame)["training"]
    [True]
    """
    return {
        kind: [
            bool(np.ptp(within_penalties(grids[name], one[kind], alpha=alpha, beta=beta)) < by)
            for name, one in r2.items()
        ]
        for kind in ("training", "held_out")
    }


def within_penalties(
    grid: Result, values: np.ndarray, *, alpha: float, beta: float
) -> tuple[float, float]:
    """Lowest and highest of the values on a grid of penalties, where these are small enough.

    Parameters
    ----------
    grid
        Result with the penalties ``alpha`` and ``beta`` that were tried.
    values : (n_alpha, n_beta)
        A number for each pair of penalties.
    alpha, beta
        Largest penalties that count, in the units of the grid.

    Examples
    --------
    >>> grid = {"alpha": np.array([0.0, 1e-5]), "beta": np.array([0.0, 1e-3])}
    >>> values = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> within_penalties(grid, values, alpha=1e-5, beta=0.0)
    (1.0, 3.0)
    """
    rows, columns = (grid[k] <= 1.001 * top for k, top in (("alpha", alpha), ("beta", beta)))
    part = values[np.ix_(rows, columns)]
    return float(part.min()), float(part.max())


class Minimum(NamedTuple):
    """Where the held-out error of a grid of penalties is least, and R² there and elsewhere."""

    alpha: float
    beta: float
    at_edge: bool
    r2: float
    r2_of_paper: float
    r2_without: float


def best_penalties(grid: Result, r2: np.ndarray) -> Minimum:
    """The pair of penalties with the least held-out error; R² of the paper's and without any.

    Parameters
    ----------
    r2 : (n_alpha, n_beta)
        Held-out R² of each pair.

    Examples
    --------
    >>> grid = {"alpha": np.array([0.0, 1e-5, 1e-4]), "beta": np.array([0.0, 1e-3])}
    >>> grid["held_out"] = np.array([[3.0, 3.0], [1.0, 2.0], [3.0, 3.0]])
    >>> found = best_penalties(grid, r2=1 - grid["held_out"] / 4)
    >>> found.alpha, found.beta, found.r2, found.at_edge
    (1e-05, 0.0, 0.75, False)
    """
    error = grid["held_out"]
    a, b = np.unravel_index(error.argmin(), error.shape)
    paper = np.isclose(grid["alpha"], PAPER_ALPHA).argmax()
    at_edge = a == len(grid["alpha"]) - 1 or b == len(grid["beta"]) - 1
    alpha, beta = float(grid["alpha"][a]), float(grid["beta"][b])
    return Minimum(
        alpha, beta, bool(at_edge), float(r2[a, b]), float(r2[paper, 0]), float(r2[0, 0])
    )


def squared_errors(
    held: models.Evaluation, band: np.ndarray | slice = slice(None)
) -> tuple[np.ndarray, np.ndarray]:
    """Squared errors of prediction and of training mean, summed over a band, (n,) each.

    Examples
    --------
    >>> truth, fold = np.array([[1.0, 3.0]]), np.array([0])
    >>> held = models.Evaluation(truth, truth + 1, truth + 2, fold, parameters=())
    >>> line, mean = squared_errors(held)
    >>> line.tolist(), mean.tolist()
    ([2.0], [8.0])
    """
    truth = held.truth[:, band]
    guess, mean = ((y[:, band] - truth) ** 2 for y in (held.prediction, held.baseline))
    return guess.sum(axis=1), mean.sum(axis=1)


def held_out_r2(held: models.Evaluation, groups: Sequence) -> Estimate:
    """R² of held-out predictions with its 95 % interval over families.

    Examples
    --------
    >>> truth, fold = np.array([[1.0, 3.0], [3.0, 1.0]]), np.array([0, 1])
    >>> held = models.Evaluation(truth, truth + 1, truth + 2, fold, parameters=())
    >>> held_out_r2(held, groups=["a", "b"]).value
    0.75
    """
    return estimate(removed(*squared_errors(held)), groups)


# --- bias -------------------------------------------------------------------------------------


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of two curves over their bins.

    Examples
    --------
    >>> round(likeness(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0])), 6)
    1.0
    """
    return float(np.corrcoef(a, b)[0, 1])


def departure(b: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """‖b − mean‖ / ‖mean‖ of each bias (m, n_omega) from the mean spectrum (n_omega,).

    Examples
    --------
    >>> departure(np.array([[3.0, 4.0], [0.0, 0.0]]), mean=np.array([3.0, 4.0])).tolist()
    [0.0, 1.0]
    """
    return np.linalg.norm(b - mean, axis=-1) / np.linalg.norm(mean)


# --- collinearity and stability ---------------------------------------------------------------


def inflation(vif: np.ndarray) -> np.ndarray:
    """Variance inflation factors of the bins that vary, sorted.

    A negative factor comes from a matrix that is too close to singular to be inverted, and counts
    as ∞. NaN marks the bins that do not vary; they are left out.

    Examples
    --------
    >>> inflation(np.array([5.0, np.nan, -1.0, 2.0])).tolist()
    [2.0, 5.0, inf]
    """
    vif = vif[~np.isnan(vif)]
    return np.sort(np.where(vif > 0, vif, np.inf))


def settled(mean: np.ndarray, scatter: np.ndarray) -> np.ndarray:
    """Weights whose sign is settled: their bootstrap mean is more than twice their scatter.

    Examples
    --------
    >>> settled(mean=np.array([3.0, -3.0, 1.0]), scatter=np.array([1.0, 1.0, 1.0])).tolist()
    [True, True, False]
    """
    return np.abs(mean) > 2 * scatter


def varying(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """Entries of W (n_omega, n_r) whose bin of g(r) and of the PDOS both vary.

    Examples
    --------
    >>> varying(X=np.array([[1.0, 0.0], [1.0, 2.0]]), Y=np.array([[0.0], [1.0]])).tolist()
    [[False, True]]
    """
    return np.outer(Y.std(axis=0) > _CONSTANT, X.std(axis=0) > _CONSTANT)


def chosen_again(frequency: np.ndarray, W: np.ndarray, *, least: float = 0.9) -> float:
    """Share of the weights of W, those not zero, that at least nine in ten resamples select.

    Parameters
    ----------
    frequency
        How often the resamples select each weight, 0 … 1; shaped as W.
    W : (n_omega, n_r)
        Fitted weights.
    least
        Share of the resamples that must select a weight.

    Examples
    --------
    Of two fitted weights one is selected by nine in ten resamples:

    >>> chosen_again(np.array([[1.0, 0.5, 1.0]]), W=np.array([[2.0, 2.0, 0.0]]))
    0.5
    """
    fitted = W != 0
    return float(np.mean(frequency[fitted] >= least)) if fitted.any() else float("nan")


def refitted(X: np.ndarray, Y: np.ndarray, groups: Sequence, l2: float, times: int) -> np.ndarray:
    """Ridge maps of resampled families, (times, n_omega, n_r); the penalty stays as it is.

    Parameters
    ----------
    X : (n, n_r)
        g(r) of each structure.
    Y : (n, n_omega)
        Spectrum of each structure.
    groups : (n,)
        Family of each structure.
    l2
        Ridge penalty.
    times
        Number of resamples.

    Examples
    --------
    >>> X = np.arange(6.0)[:, None]
    >>> refitted(X, 2 * X + 1, groups=np.arange(6), l2=0.0, times=2).round(6).ravel().tolist()
    [2.0, 2.0]
    """
    rng = np.random.default_rng(0)
    members = [np.flatnonzero(groups == family) for family in np.unique(groups)]
    maps = []
    for _ in range(times):
        drawn = rng.integers(len(members), size=len(members))
        rows = np.concatenate([members[k] for k in drawn])
        maps.append(models.ridge(l2).fit(X[rows], Y[rows]).coef_)
    return np.array(maps)


# --- along the path of penalties --------------------------------------------------------------


def cancelling(W: np.ndarray, X: np.ndarray) -> float:
    """How much the bins cancel: sizes of their contributions, summed, over the size of the sum.

    The size of a contribution is that of one standard deviation of its bin. Averaged over
    frequencies; 1 means that nothing cancels.

    Examples
    --------
    Two bins that rise together and enter with opposite signs:

    >>> X = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> cancelling(np.array([[3.0, -2.0]]), X)  # (3 + 2) / (3 - 2)
    5.0
    """
    return float(np.mean(np.abs(W) @ X.std(axis=0) / (X @ W.T).std(axis=0)))


def r2_along(path: Result, baseline: float) -> dict[str, np.ndarray]:
    """Held-out R² along a path of ridge penalties, and of numbers of components.

    Parameters
    ----------
    path
        Result ``SYSTEM.path``.
    baseline
        Held-out error of the training mean.

    Examples
    --------
    >>> path = {"ridge_held_out": np.array([2.0, 1.0]), "pcr_held_out": np.array([3.0])}
    >>> r2_along(path, 4.0)["ridge"].tolist()
    [0.5, 0.75]
    """
    return {kind: 1 - path[f"{kind}_held_out"] / baseline for kind in ("ridge", "pcr")}


def components_needed(numbers: np.ndarray, r2: np.ndarray, *, within: float = 0.02) -> float:
    """The smallest number of components whose R² is within 0.02 of the best.

    Parameters
    ----------
    numbers : (m,)
        Numbers of components that were tried, ascending.
    r2 : (m,)
        Held-out R² of each.
    within
        How far below the best R² is close enough.

    Examples
    --------
    >>> components_needed(np.array([1, 2, 3]), r2=np.array([0.5, 0.89, 0.9]))
    2.0
    """
    return float(numbers[np.argmax(r2 > r2.max() - within)])
