"""From a curve to the bins of a glass: means of point values, and histograms in other bins."""

import numpy as np

from glassdata.bins import bin_centres
from glassdata.radial import shells

#: Distances that differ by less than this share of a bin are equal.
_SAME = 1e-6


def point_means(r: np.ndarray, g: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Means over bins of the curve that joins points; 0 before the first, constant after the last.

    Parameters
    ----------
    r, g : (n,)
        Points, r increasing.
    edges : (n_r + 1,)
        In the unit of r.

    Examples
    --------
    >>> point_means(np.array([0.0, 2.0]), np.array([0.0, 2.0]), np.array([0.0, 1.0, 2.0])).tolist()
    [0.5, 1.5]
    """
    points = np.union1d(r, edges)
    values = np.interp(points, r, g, left=0.0)
    area = np.concatenate([[0.0], np.cumsum(np.diff(points) * (values[1:] + values[:-1]) / 2)])
    return np.diff(np.interp(edges, points, area)) / np.diff(edges)


def rebinned(r: np.ndarray, g: np.ndarray, edges: np.ndarray, dim: int) -> np.ndarray:
    """A histogram of pairs in other bins: no pair is lost, and equal bins give equal values.

    Parameters
    ----------
    r, g : (n,)
        Centres of equally wide bins, and the means of g over their shells.
    edges : (n_r + 1,)
        Of the bins that are wanted, within those that are given.
    dim : int
        Dimension of the shells.

    Examples
    --------
    >>> r = np.array([0.25, 0.75, 1.25, 1.75])
    >>> rebinned(r, np.ones(4), np.array([0.0, 1.0, 2.0]), dim=3).tolist()
    [1.0, 1.0]
    """
    if _on(r, edges):
        return np.array(g, float)
    width = (r[-1] - r[0]) / (len(r) - 1)
    own = np.clip(np.append(r - width / 2, r[-1] + width / 2), 0.0, None)
    pairs = np.concatenate([[0.0], np.cumsum(g * shells(own, dim))])
    # Within a bin pairs are spread evenly over the space of its shell.
    return np.diff(np.interp(edges**dim, own**dim, pairs)) / shells(edges, dim)


def is_histogram(r: np.ndarray, edges: np.ndarray) -> bool:
    """Whether distances are the centres of just these bins, so that values are means over them.

    Examples
    --------
    >>> is_histogram(np.array([0.5, 1.5]), np.array([0.0, 1.0, 2.0]))
    True
    """
    return _on(r, edges)


def _on(r: np.ndarray, edges: np.ndarray) -> bool:
    centres = bin_centres(edges)
    return r.shape == centres.shape and bool(np.all(np.abs(r - centres) < _SAME * np.diff(edges)))
