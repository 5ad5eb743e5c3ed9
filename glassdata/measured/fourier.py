"""Between S(Q) and g(r), and what an experiment that ends at Q_max leaves of g(r).

With F(Q) = Q (S(Q) - 1) and G(r) = 4πρr (g(r) - 1),

    G(r) = 2/π ∫₀^Qmax F(Q) M(Q) sin(Qr) dQ,    F(Q) = ∫₀^∞ G(r) sin(Qr) dr,

where M is the window: 1 (``none``), or that of Lorch, sin(πQ/Qmax)/(πQ/Qmax)
(doi:10.1088/0022-3719/2/2/305). Definitions as in Keen, doi:10.1107/S0021889800019993.
"""

from dataclasses import dataclass

import numpy as np

from glassdata.bins import bin_centres

WINDOWS = ("lorch", "none")
#: Distances within each bin at which transforms are computed, and steps of Q, 1/Å.
_WITHIN, _STEP = 10, 0.01


@dataclass(frozen=True)
class Resolution:
    """Where a measurement of S(Q) ends, 1/Å, and the window with which it was transformed.

    Examples
    --------
    >>> round(Resolution(20.0, "lorch").blind, 2)  # Å
    0.63
    """

    q_max: float
    window: str = "lorch"

    def __post_init__(self) -> None:
        if not (np.isfinite(self.q_max) and self.q_max > 0):
            raise ValueError(f"Q_max must be a positive number of 1/Å, got {self.q_max:g}")
        if self.window not in WINDOWS:
            raise ValueError(f"the window must be one of {', '.join(WINDOWS)}, got {self.window!r}")

    @property
    def blind(self) -> float:
        """Distance over which g(r) is smeared, to the second zero of the kernel, Å."""
        return 4 * np.pi / self.q_max

    def weights(self, Q: np.ndarray) -> np.ndarray:
        """The window at Q (n,), dimensionless."""
        inside = np.sinc(Q / self.q_max) if self.window == "lorch" else np.ones_like(Q)
        return np.where(self.q_max >= Q, inside, 0.0)


def g_of_structure_factor(
    Q: np.ndarray, F: np.ndarray, edges: np.ndarray, *, density: float, resolution: Resolution
) -> np.ndarray:
    """g(r), means over bins, from F(Q) = Q (S(Q) - 1).

    Parameters
    ----------
    Q, F : (n,)
        1/Å, Q increasing. Below the first Q, F goes to 0 in a straight line.
    edges : (n_r + 1,)
        Bins of distance, Å.
    density : float, 1/Å³
    resolution : Resolution

    Examples
    --------
    >>> Q = np.arange(0.1, 20.0, 0.1)
    >>> flat = Resolution(20.0)
    >>> g_of_structure_factor(Q, 0 * Q, np.array([1.0, 2.0]), density=0.05, resolution=flat)
    array([1.])
    """
    # The trapezium rule at the points themselves: of evenly spaced points it is exact for a g(r)
    # that has come to 1 at 2π/ΔQ, which straight lines between the points are not.
    inside = (Q > 0) & (resolution.q_max > Q)
    points = np.r_[0.0, Q[inside], resolution.q_max]
    values = np.r_[0.0, F[inside], np.interp(resolution.q_max, Q, F)] * resolution.weights(points)
    r = _points(edges)
    transformed = np.empty_like(r)
    for part in np.array_split(np.arange(len(r)), 10):  # bounds the memory of the sines
        transformed[part] = np.trapezoid(values * np.sin(np.outer(r[part], points)), points)
    g = 1 + 2 / np.pi * transformed / (4 * np.pi * density * r)
    return g.reshape(-1, _WITHIN).mean(axis=1)


def blurring(
    edges: np.ndarray, resolution: Resolution, *, finer: np.ndarray | None = None
) -> np.ndarray:
    """The matrix that makes of g - 1 in bins what is left of it after a measurement to Q_max.

    Parameters
    ----------
    edges : (n_r + 1,)
        Equally wide bins from 0, Å.
    resolution : Resolution
    finer : (n_fine + 1,), optional
        Bins of the g - 1 that it is applied to, of :func:`fine_edges`, which may reach farther;
        the same bins otherwise, within which g is then taken to be even. Beyond the last of them g
        is taken to be 1.

    Returns
    -------
    (n_r, n_fine) or (n_r, n_r), dimensionless.

    Examples
    --------
    What is smeared over 4π/Q_max is not lost:

    >>> smeared = blurring(np.linspace(0, 10, 101), Resolution(20.0))
    >>> r = np.arange(0.05, 10, 0.1)
    >>> round(float((r * smeared[:, 30]).sum() / r[30]), 2)  # of an excess in bin 30
    1.0
    """
    n, width = len(edges) - 1, float(edges[-1] - edges[0]) / (len(edges) - 1) / _WITHIN
    into = np.arange(n * _WITHIN)
    out_of = into if finer is None else np.arange(len(finer) - 1)
    # The kernel (1/π) ∫ M cos(Qx) dQ at all differences and sums of the points.
    Q = np.arange(0.0, resolution.q_max + _STEP / 2, _STEP)
    weights, x = resolution.weights(Q), width * np.arange(len(into) + len(out_of) + 1)
    kernel = np.array([np.trapezoid(weights * np.cos(Q * one), dx=_STEP) for one in x]) / np.pi
    between = kernel[np.abs(into[:, None] - out_of)] - kernel[into[:, None] + out_of + 1]
    fine = between * ((out_of + 0.5) / (into[:, None] + 0.5)) * width
    means = fine.reshape(n, _WITHIN, -1).mean(axis=1)
    return means if finer is not None else means.reshape(n, n, _WITHIN).sum(axis=2)


def fine_edges(edges: np.ndarray, resolution: Resolution) -> np.ndarray:
    """Ten bins for each of ``edges`` (n_r + 1,), and as far beyond them as the window mixes, Å.

    Examples
    --------
    >>> fine_edges(np.linspace(0, 10, 101), Resolution(20.0))[[1, -1]].round(2).tolist()
    [0.01, 10.63]
    """
    width = float(edges[-1] - edges[0]) / (len(edges) - 1) / _WITHIN
    count = int(np.ceil((edges[-1] + resolution.blind) / width))
    return width * np.arange(count + 1)


def _points(edges: np.ndarray) -> np.ndarray:
    """Centres of ten equal parts of each bin, (10 n_r,), Å."""
    parts = np.linspace(0, 1, _WITHIN + 1)
    return (edges[:-1, None] + np.diff(edges)[:, None] * bin_centres(parts)).ravel()
