"""A measured g(r), and what its measurement would have seen of other structures."""

from dataclasses import dataclass

import numpy as np

from glassdata.bins import bin_centres
from glassdata.measured.fourier import Resolution, blurring, fine_edges


@dataclass(frozen=True)
class Measured:
    """A measured g(r) on the bins of a glass, and what was assumed on the way.

    Attributes
    ----------
    g : (n_r,)
        Means over bins, dimensionless.
    edges : (n_r + 1,)
        Å.
    kind : str
        What the file held, one of ``KINDS``.
    core : float, Å
        Below it g was set to 0.
    resolution : Resolution or None
        Where the measurement of S(Q) ended; None if nothing is known of that.
    noise : float, Å
        Root mean square of r g(r) inside the core, where it should vanish, before it was set to 0.
    assumed : tuple of str
        One sentence each.

    Examples
    --------
    >>> edges = np.linspace(0.0, 10.0, 101)
    >>> Measured(np.ones(100), edges, "g").seen(np.ones((3, 100))).shape
    (3, 100)
    """

    g: np.ndarray
    edges: np.ndarray
    kind: str
    core: float = 0.0
    resolution: Resolution | None = None
    noise: float = 0.0
    assumed: tuple[str, ...] = ()

    @property
    def finer(self) -> np.ndarray:
        """Bins in which :meth:`seen` wants the g(r) of other structures, (n_fine + 1,), Å."""
        return self.edges if self.resolution is None else fine_edges(self.edges, self.resolution)

    def seen(self, X: np.ndarray, seed: int = 0) -> np.ndarray:
        """Other g(r) as this measurement would have seen them: Q_max, window and noise.

        Parameters
        ----------
        X : (n, n_fine) or (n, n_r)
            g(r) in the bins :attr:`finer`, or in the bins of this g(r): a sharp peak lies somewhere
            in such a bin, and may come out a little aside.
        seed : int
            Of the noise. That of r g(r) is taken to be everywhere as large as inside the core.

        Returns
        -------
        (n, n_r)
        """
        found = np.array(X, float)
        noise = np.random.default_rng(seed).standard_normal((len(found), len(self.g)))
        if self.resolution is not None:
            finer = self.finer if found.shape[1] == len(self.finer) - 1 else None
            found = 1 + (found - 1) @ blurring(self.edges, self.resolution, finer=finer).T
            smooth = blurring(self.edges, self.resolution)
            noise = noise @ smooth.T / np.maximum(np.linalg.norm(smooth, axis=1), 1e-12)
        found += self.noise * noise / bin_centres(self.edges)
        return trimmed(found, self.edges, self.core, self.resolution)


def trimmed(
    X: np.ndarray, edges: np.ndarray, core: float, resolution: Resolution | None
) -> np.ndarray:
    """g(r) without the core; and 1 where a window mixes it with what lies beyond the range.

    Parameters
    ----------
    X : (n, n_r)
        g(r).
    edges : (n_r + 1,), Å
    core : float, Å
    resolution : Resolution or None

    Examples
    --------
    >>> trimmed(np.ones((1, 4)), np.arange(5.0), 2.0, None).tolist()
    [[0.0, 0.0, 1.0, 1.0]]
    """
    X = np.where(edges[1:] <= core * (1 + 1e-9), 0.0, X)
    if resolution is None:
        return X
    return np.where(edges[1:] > edges[-1] - resolution.blind, 1.0, X)
