"""Maps fitted to one half of the families: how alike are they, and how alike what they predict?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from glassdata import models

Result = Mapping[str, np.ndarray]


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

    def alike(self) -> tuple[float, float]:
        """Median correlation of weights and of predictions, over all pairs of penalised maps."""
        weights, guesses = pairs(self.of_weights()), pairs(self.of_predictions())
        return float(np.median(weights)), float(np.median(guesses))

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
