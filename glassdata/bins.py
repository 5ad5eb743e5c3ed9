"""Bins of distance or frequency, given by their edges."""

import numpy as np


def checked_edges(edges: np.ndarray, what: str = "edges", *, from_zero: bool = True) -> np.ndarray:
    """The edges as an array of floats, checked.

    Parameters
    ----------
    edges : (n + 1,)
    what : str
        Name of the edges in an error message.
    from_zero : bool
        Whether negative edges are refused, too.

    Returns
    -------
    (n + 1,)

    Raises
    ------
    ValueError
        If they are not at least two finite, increasing numbers.

    Examples
    --------
    >>> checked_edges([0, 1, 3])
    array([0., 1., 3.])
    """
    edges = np.asarray(edges, dtype=float)
    if edges.ndim != 1 or len(edges) < 2:
        raise ValueError(f"{what} must be a list of at least two numbers, got shape {edges.shape}")
    if not np.isfinite(edges).all() or not (np.diff(edges) > 0).all():
        raise ValueError(f"{what} must be finite and increasing, got {edges}")
    if from_zero and edges[0] < 0:
        raise ValueError(f"{what} must not be negative, got {edges}")
    return edges


def bin_centres(edges: np.ndarray) -> np.ndarray:
    """Centres (n,) of the bins between ``edges`` (n + 1,), in the unit of the edges.

    Examples
    --------
    >>> bin_centres([0.0, 1.0, 3.0])
    array([0.5, 2. ])
    """
    edges = np.asarray(edges, dtype=float)
    return (edges[1:] + edges[:-1]) / 2
