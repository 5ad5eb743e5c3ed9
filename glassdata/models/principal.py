"""Principal-component regression: a linear map on the leading directions of g(r)."""

from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator

from glassdata.models.linear import Linear, decompose
from glassdata.tuning import Tuned

#: Numbers of components to choose from, as many as other models have settings.
COMPONENTS = (*range(1, 11), 12, 14, 16, 18, 20, 25, 30, 40, 50, 70, 90)


class PrincipalMap(Linear):
    """Principal-component regression: least squares on the leading components of g(r).

    With the singular value decomposition of the centred training set, X = U s Vᵀ, the map is
    W = Σ_k (Yᵀ u_k / s_k) v_kᵀ over the ``n_components`` largest s_k.

    Parameters
    ----------
    n_components
        At least 1; at most the number of bins, and at most the number of structures less one.

    Attributes
    ----------
    coef_, intercept_
        As in :class:`glassdata.models.linear.LinearMap`.

    Raises
    ------
    ValueError
        On ``fit``, if there are fewer structures or bins than the components need.

    Examples
    --------
    >>> X = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])
    >>> PrincipalMap(1).fit(X, 3 * X[:, :1]).coef_.round(12).tolist()
    [[3.0, 0.0]]
    """

    def __init__(self, n_components: int = 1):
        self.n_components = n_components

    def _check(self) -> None:
        if self.n_components < 1:
            raise ValueError(f"n_components must be at least 1, got {self.n_components}")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # with the one component that is the default
        return tags

    def _refuse(self, X) -> None:
        n, n_r = np.shape(X)
        raise ValueError(
            f"n_components={self.n_components} needs as many bins and one structure more, "
            f"got {n_r} bins and n_samples={n}"
        )

    @staticmethod
    def _solve(X, Y, maps: "Sequence[PrincipalMap]") -> list[np.ndarray | None]:
        left, singular, right = decompose(X)
        scores = (left.T @ Y) / singular[:, None]
        possible = min(len(X) - 1, X.shape[1])
        return [
            scores[: one.n_components].T @ right[: one.n_components]
            if one.n_components <= possible
            else None
            for one in maps
        ]


def pcr(n_components: int | None = None) -> BaseEstimator:
    """Principal-component regression.

    Parameters
    ----------
    n_components
        As in :class:`PrincipalMap`; None lets grouped cross-validation choose it.

    Examples
    --------
    >>> pcr(2).n_components
    2
    """
    if n_components is None:
        return Tuned(PrincipalMap(), {"n_components": COMPONENTS})
    return PrincipalMap(n_components)
