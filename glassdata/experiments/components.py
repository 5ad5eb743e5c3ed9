"""Principal components of g(r): their names, and what changes along them.

``components`` is a result ``SYSTEM.components`` of the experiment ``weights``.
"""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

Result = Mapping[str, np.ndarray]

#: Numbers of a structure that a component of g(r) may be named after.
STRUCTURAL = ("density", "swing of g(r)", "height at the first peak", "number of atoms")
#: Smallest correlation with a number for which a component gets its name.
NAMED = 0.8


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


def names_of(components: Result) -> list[tuple[str, float]]:
    """Names of the three leading components, as ``name_of`` gives them."""
    return [name_of(components, k) for k in range(3)]


def titles_of(components: Result, most: int = 4) -> list[str]:
    """Number, share of the variance and name of the leading components, for a figure.

    Examples
    --------
    >>> named = {"named": STRUCTURAL, "correlation": np.array([[0.1, 0.95, 0.2, 0.0]])}
    >>> titles_of(named | {"share": np.array([0.62])})
    ['1: 62 %, swing of g(r)']
    """
    return [
        f"{k + 1}: {100 * share:.0f} %, {name_of(components, k)[0]}"
        for k, share in enumerate(components["share"][:most])
    ]


def change_along(components: Result, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What one standard deviation along each component changes.

    Parameters
    ----------
    components
        Result ``SYSTEM.components``.
    X : (n, n_r)
        g(r) of each structure.

    Returns
    -------
    size : (n_components,)
        Change of g(r), as a multiple of the component.
    response : (n_omega, n_components)
        Change of the PDOS, per bin.

    Examples
    --------
    >>> X = np.array([[2.0, 0.0], [-2.0, 0.0]])
    >>> size, _ = change_along({"share": np.array([1.0]), "response": np.ones((3, 1))}, X)
    >>> size.tolist()  # all of the variance, 4, lies along the first component
    [2.0]
    """
    size = np.sqrt(components["share"] * X.var(axis=0).sum())
    return size, components["response"] / np.sqrt(len(X))


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
    >>> round(largest_shell(components, edges=np.array([0.0, 1.0, 3.0])), 6)  # a shell's first bin
    0.36
    """
    square, r = components["components"][0] ** 2, components["r"]
    return float(max(square[(r >= low) & (r < high)].sum() for low, high in pairwise(edges)))
