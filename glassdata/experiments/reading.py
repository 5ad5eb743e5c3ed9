"""How chapter 10 reads maps W (n_omega, n_r) and biases b (n_omega,): penalties, stability.

g(r) is X (n, n_r), dimensionless; spectra are Y (n, n_omega) with sum 1 over the bins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from glassdata import models
from glassdata.experiments.verdicts import Estimate, estimate, removed
from glassdata.experiments.weights import FOLDS, PAPER_ALPHA, SEED

Result = Mapping[str, np.ndarray]

#: Numbers of a structure that a component of g(r) may be named after.
STRUCTURAL = ("density", "swing of g(r)", "height at the first peak", "number of atoms")
#: Smallest correlation with a number for which a component gets its name.
NAMED = 0.8
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


# --- many maps, one prediction ----------------------------------------------------------------


@dataclass(frozen=True)
class Half:
    """Maps fitted to one half of the families, and what they predict for the other half.

    ``W`` (n_omega, n_r) and ``guess`` (n_test, n_omega) by kind of map; ``truth`` (n_test,
    n_omega); ``mean`` (n_omega,), that of the training half.

    Examples
    --------
    >>> Y = np.array([[1.0, 3.0], [3.0, 1.0]])
    >>> exact = Half({"ridge": np.eye(2)}, {"ridge": Y}, truth=Y, mean=Y.mean(axis=0))
    >>> exact.r2("ridge")
    1.0
    """

    W: Mapping[str, np.ndarray]
    guess: Mapping[str, np.ndarray]
    truth: np.ndarray
    mean: np.ndarray

    def r2(self, kind: str) -> float:
        """Held-out R² of one kind of map."""
        return models.r2(self.truth, self.guess[kind], self.mean)

    def of_weights(self) -> np.ndarray:
        """Correlation of the weights of each pair of maps, (n_kinds, n_kinds)."""
        return np.corrcoef([W.ravel() for W in self.W.values()])

    def of_predictions(self) -> np.ndarray:
        """Correlation of what each pair of maps predicts beyond the mean, (n_kinds, n_kinds)."""
        return np.corrcoef([(guess - self.mean).ravel() for guess in self.guess.values()])

    def of_moments(self, omega: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Agreement of the ω²-moments: cosines as functions of r, correlations as predictions."""
        shape = np.array([omega**2 @ W for W in self.W.values()])
        size = np.linalg.norm(shape, axis=1)
        values = np.corrcoef([guess @ omega**2 for guess in self.guess.values()])
        return shape @ shape.T / np.outer(size, size), values


def half_fits(
    X: np.ndarray, Y: np.ndarray, groups: Sequence, maps: Result, kinds: Sequence[str]
) -> Half:
    """Fit each kind of map to half the families, with the penalties of the fits to all of them.

    Parameters
    ----------
    X : (n, n_r)
        g(r) of each structure.
    Y : (n, n_omega)
        Spectrum of each structure.
    groups : (n,)
        Family of each structure.
    maps
        Result ``SYSTEM.maps`` of the experiment, which holds the penalties.
    kinds
        Of the maps of that result: ``"ridge"``, ``"pcr"`` and others.

    Examples
    --------
    >>> X = np.arange(6.0)[:, None]
    >>> penalties = {"l1_ridge": 0.0, "l2_ridge": 0.0}
    >>> half = half_fits(X, 2 * X + 1, np.arange(6), penalties, ["ridge"])
    >>> half.W["ridge"].round(6).tolist(), round(half.r2("ridge"), 6)
    ([[2.0]], 1.0)
    """
    train, test = models.grouped_folds(groups, 2, 0)[0]
    W, guess = {}, {}
    for kind in kinds:
        if kind == "pcr":
            most = int(maps["n_components_pcr"])
            model = models.PrincipalMap(min(most, len(train) - 1))
        else:
            l1, l2 = (float(maps[f"{name}_{kind}"]) for name in ("l1", "l2"))
            model = models.LinearMap(l1=l1, l2=l2)
        model.fit(X[train], Y[train])
        W[kind], guess[kind] = model.coef_, model.predict(X[test])
    return Half(W, guess, Y[test], Y[train].mean(axis=0))


def pairs(matrix: np.ndarray) -> np.ndarray:
    """Upper triangle without the first row, which is the fit that has no penalty.

    Examples
    --------
    >>> pairs(np.array([[1.0, 0.1, 0.2], [0.1, 1.0, 0.3], [0.2, 0.3, 1.0]])).tolist()
    [0.3]
    """
    matrix = matrix[1:, 1:]
    return matrix[np.triu_indices(len(matrix), 1)]


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


# --- names of components ----------------------------------------------------------------------


def name_of(components: Result, k: int) -> tuple[str, float]:
    """The number of a structure that component k follows best, and how closely.

    The name is "no name" unless the magnitude of the correlation exceeds ``NAMED``.

    Examples
    --------
    >>> components = {"named": list(STRUCTURAL), "correlation": np.array([[0.9, 0.3, -0.5, 0.0]])}
    >>> name_of(components, 0)
    ('density', 0.9)
    """
    at = [list(components["named"]).index(name) for name in STRUCTURAL]
    follows = np.abs(np.nan_to_num(components["correlation"][k][at]))
    best = int(follows.argmax())
    return (STRUCTURAL[best] if follows[best] > NAMED else "no name"), float(follows[best])


def follows_frequency(components: Result, k: int) -> float:
    """Magnitude of the correlation of component k with the mean frequency.

    Examples
    --------
    >>> follows_frequency({"named": ["mean frequency"], "correlation": np.array([[-0.5]])}, 0)
    0.5
    """
    at = list(components["named"]).index("mean frequency")
    return float(abs(np.nan_to_num(components["correlation"][k][at])))


def largest_shell(components: Result, edges: np.ndarray) -> float:
    """Largest share of the squared first component that lies between two of the edges (Å).

    Examples
    --------
    >>> components = {"components": np.array([[0.6, 0.8]]), "r": np.array([1.0, 3.0])}
    >>> round(largest_shell(components, edges=np.array([0.0, 2.0, 4.0])), 6)  # 0.8²
    0.64
    """
    square, r = components["components"][0] ** 2, components["r"]
    return float(max(square[(r >= low) & (r < high)].sum() for low, high in pairwise(edges)))
