"""g(r) and PDOS broadened with a Gaussian, and their first derivatives.

Histograms and sharp lines have no derivatives. Both curves are therefore broadened before they are
expanded to first order.
"""

import numpy as np
from ase import Atoms
from scipy import sparse

from glassdata.neighbours import neighbours
from glassdata.potentials.base import lengths
from glassdata.radial import number_density

_REACH = 6.0  # broadening widths beyond which a Gaussian counts as zero


def broad_pdos(frequencies: np.ndarray, centres: np.ndarray, width: float) -> np.ndarray:
    """Density of states broadened by a Gaussian.

    Parameters
    ----------
    frequencies : (n,) THz
        Without the translations.
    centres : (n_omega,) THz
        Frequencies at which the density is computed.
    width : float, THz
        Standard deviation of the Gaussian.

    Returns
    -------
    (n_omega,) 1/THz, with integral 1 over all frequencies.

    Examples
    --------
    >>> broad_pdos(np.array([2.0]), np.array([2.0]), 0.5).round(6)  # 1 / (√(2π) width)
    array([0.797885])
    """
    return _gaussian(centres[:, None] - frequencies, width).mean(axis=1)


def broad_pdos_slope(frequencies: np.ndarray, centres: np.ndarray, width: float) -> np.ndarray:
    """Derivatives of ``broad_pdos`` by each frequency.

    Parameters
    ----------
    frequencies, centres, width
        As for ``broad_pdos``.

    Returns
    -------
    (n_omega, n), 1/THz²

    Examples
    --------
    >>> slope = broad_pdos_slope(np.array([2.0]), np.array([2.0, 2.5]), 0.5)
    >>> slope.round(3).tolist()  # 0 at the line, and there is more beyond when the line moves up
    [[0.0], [0.968]]
    """
    distance = centres[:, None] - frequencies
    return distance / width**2 * _gaussian(distance, width) / len(frequencies)


def broad_rdf(atoms: Atoms, r: np.ndarray, width: float, dim: int) -> np.ndarray:
    """Radial distribution function broadened by a Gaussian.

    The pair distances are broadened, then divided by those of an ideal gas of the same density.

    Parameters
    ----------
    atoms : Atoms
        Periodic in ``dim`` directions.
    r : (n_r,) Å
        Distances, positive and increasing.
    width : float, Å
        Standard deviation of the Gaussian.
    dim : int
        As for :func:`glassdata.radial.rdf`.

    Returns
    -------
    (n_r,) dimensionless; tends to 1 at large r.

    Raises
    ------
    ValueError
        As for :func:`glassdata.radial.number_density`.

    Examples
    --------
    >>> from ase.build import bulk
    >>> g = broad_rdf(bulk("Ar", a=5.26), np.array([3.0, 3.72]), 0.1, dim=3)
    >>> bool(g[1] > 1 > g[0])  # neighbours are 3.72 Å apart
    True
    """
    distance = np.sort(neighbours("d", atoms, r[-1] + _REACH * width))
    starts, stops = (np.searchsorted(distance, r + side * _REACH * width) for side in (-1, 1))
    near = (distance[start:stop] for start, stop in zip(starts, stops, strict=True))
    counts = [_gaussian(x - part, width).sum() for x, part in zip(r, near, strict=True)]
    return np.array(counts) / _expected(atoms, r, dim)


def broad_rdf_gradient(atoms: Atoms, r: np.ndarray, width: float, dim: int, d: int) -> np.ndarray:
    """Derivatives of ``broad_rdf`` by the coordinates of the atoms.

    Parameters
    ----------
    atoms, r, width, dim
        As for ``broad_rdf``.
    d : int
        How many coordinates each atom has: 2 in the plane, 3 in space.

    Returns
    -------
    (n_r, dN), 1/Å; columns run over the coordinates of the first atom, then of the second.

    Examples
    --------
    >>> from ase.build import bulk
    >>> broad_rdf_gradient(bulk("Ar", a=5.26), np.array([3.72]), 0.1, dim=3, d=3).shape
    (1, 3)
    """
    first, second, vector = neighbours("ijD", atoms, r[-1] + _REACH * width)
    length, unit = lengths(vector)
    distance = r[:, None] - length
    slope = distance / width**2 * _gaussian(distance, width)
    columns = (d * second[:, None] + np.arange(d)).ravel()
    rows = np.repeat(np.arange(len(first)), d)
    shape = (len(first), d * len(atoms))
    # Moving an atom changes each of its pairs in both orders.
    stretch = 2 * sparse.csr_array((unit[:, :d].ravel(), (rows, columns)), shape=shape)
    return (stretch.T @ slope.T).T / _expected(atoms, r, dim)[:, None]


def _gaussian(x: np.ndarray, width: float) -> np.ndarray:
    return np.exp(-0.5 * (x / width) ** 2) / (np.sqrt(2 * np.pi) * width)


def _expected(atoms: Atoms, r: np.ndarray, dim: int) -> np.ndarray:
    """Ordered pairs per Å at ``r`` in an ideal gas of the same density, (n_r,)."""
    surface = {2: 2 * np.pi * r, 3: 4 * np.pi * r**2}[dim]
    return len(atoms) * number_density(atoms, dim) * surface
