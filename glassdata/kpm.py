"""Phonon density of states of large glasses by the kernel polynomial method.

Weiße, Wellein, Alvermann, Fehske, Rev. Mod. Phys. 78, 275 (2006), doi:10.1103/RevModPhys.78.275.
Eigenvalues λ = ω² of the dynamical matrix are mapped to x = cos θ on [-1, 1] with λ = 0 at x = -1,
so that ω = ω_max cos(θ/2): the Chebyshev grid, uniform in θ, is nearly uniform in frequency and
does not thin out at low frequencies.
"""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from scipy.sparse.linalg import eigsh

from glassdata.bins import checked_edges
from glassdata.dynamical import DynamicalOperator, operator, processors
from glassdata.kernels import compiled
from glassdata.potentials import EnergySurface
from glassdata.units import THZ

# The largest Ritz value lies below the largest eigenvalue, which a few stiff pairs of a large glass
# may hold far above the rest; the interval must contain it.
_RITZ_TOLERANCE, _MARGIN = 1e-4, 0.02
# Relative rounding error of sums over all modes and moments.
_ROUNDING = 1e-9
_NOT_AT_REST = (
    "some squared frequencies are negative: the structure is not at a minimum of its energy"
)


@dataclass(frozen=True)
class KernelSpectrum:
    """A density of states that was estimated with random vectors.

    Attributes
    ----------
    pdos : (n_omega,) 1/THz
        Its integral over all frequencies is 1; modes beyond the edges are missing from it.
    error : (n_omega,) 1/THz
        Standard error from the scatter between the random vectors.
    resolution : float, THz
        Standard deviation of the kernel that smooths the spectrum, at low frequencies; it falls
        towards the highest frequency as sin(θ/2).
    """

    pdos: np.ndarray
    error: np.ndarray
    resolution: float


def pdos_kpm(
    atoms: Atoms,
    potential: EnergySurface | Calculator,
    edges: np.ndarray,
    *,
    n_moments: int = 400,
    n_vectors: int = 8,
    seed: int = 0,
    n_threads: int | None = None,
    dtype: type = np.float64,
) -> KernelSpectrum:
    """Phonon density of states without diagonalisation.

    Time and memory grow as the number of atoms: only products of vectors with
    :func:`glassdata.dynamical.operator` are taken. The statistical error falls as one over the
    square root of ``n_vectors`` times the number of modes.

    Parameters
    ----------
    atoms : Atoms
        At a minimum of the energy: negative eigenvalues lie outside the interval of the method.
    potential : Potential or ASE calculator
        A calculator needs a dense matrix first, so it does not suit large glasses.
    edges : (n_omega + 1,) THz, increasing, from 0 or more
    n_moments : int
        Number of Chebyshev polynomials; the resolution is ω_max π / (2 n_moments).
    n_vectors : int
        Random vectors, at least 2 for an error.
    seed : int
        Of the random vectors.
    n_threads : int
        Number of threads, by default one for each processor; the result does not depend on it.
    dtype : float64 or float32
        Precision in which the operator keeps pairs; single precision takes half of the memory.

    Raises
    ------
    ValueError
        For edges that do not increase, too few moments or vectors, atoms without forces between
        them, or a structure that is not at a minimum.
    MemoryError
        As for ``hessian``.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> crystal = argon.crystal() * (3, 3, 3)
    >>> spectrum = pdos_kpm(crystal, argon.potential, argon.omega_edges, n_moments=50)
    >>> round(float(spectrum.pdos.sum() * 0.03), 2)  # bins of 0.03 THz
    1.0
    """
    edges = checked_edges(edges, "frequency edges")
    least = {"n_moments": (n_moments, 2), "n_vectors": (n_vectors, 2), "n_threads": (n_threads, 1)}
    for name, (value, lowest) in least.items():
        if value is not None and (not isinstance(value, int | np.integer) or value < lowest):
            raise ValueError(f"{name} must be a whole number from {lowest} up, got {value!r}")
    matrix = operator(atoms, potential, dtype=dtype)
    if not matrix.connected:
        raise ValueError("no two atoms are within reach of each other: there is no spectrum")
    top = upper_bound(matrix, seed=seed)
    size = matrix.shape[0]
    signs = np.random.default_rng(seed).integers(0, 2, (size, n_vectors), dtype=np.int8)
    start = (2.0 * signs - 1.0) / np.sqrt(size)
    moments = chebyshev_moments(matrix, start, n_moments, top=top, n_threads=n_threads)
    spectra = kernel_histogram(moments, np.sqrt(top) * THZ, edges)
    # Jackson's kernel is positive: negative values come from eigenvalues outside the interval.
    if spectra.min() < -_ROUNDING * spectra.max():
        raise ValueError(_NOT_AT_REST)
    error = spectra.std(axis=0, ddof=1) / np.sqrt(n_vectors)
    resolution = np.sqrt(top) * THZ * np.pi / (2 * n_moments)
    return KernelSpectrum(spectra.mean(axis=0), error, float(resolution))


def upper_bound(matrix: DynamicalOperator, *, seed: int = 0) -> float:
    """A number a little above the largest eigenvalue, eV/(Å² u).

    Examples
    --------
    >>> import glassdata as gd
    >>> system = gd.SYSTEMS["lj3d"]
    >>> top = upper_bound(gd.operator(system.crystal(), system.potential))
    >>> largest = gd.frequencies(system.crystal(), system.potential).max() / THZ
    >>> bool(1 < top / largest**2 < 1.05)
    True
    """
    start = np.random.default_rng(seed).standard_normal(matrix.shape[0]).astype(matrix.dtype)
    ritz = eigsh(matrix, k=1, which="LA", tol=_RITZ_TOLERANCE, v0=start, return_eigenvectors=False)
    return (1 + _MARGIN) * float(ritz[0])


def chebyshev_moments(
    matrix: DynamicalOperator,
    start: np.ndarray,
    count: int,
    *,
    top: float,
    n_threads: int | None = None,
) -> np.ndarray:
    """Chebyshev moments of the spectrum that each of some vectors sees, (n, count).

    Parameters
    ----------
    matrix : DynamicalOperator
    start : (dN, n)
        Vectors of length 1, one a column.
    count : int
        Number of moments. Products of two vectors give moments of twice the order, which halves
        the multiplications.
    top : float, eV/(Å² u)
        Upper bound of the eigenvalues.
    n_threads : int
        Number of threads, by default one for each processor; the result does not depend on it.

    Raises
    ------
    ValueError
        If eigenvalues lie outside the interval from 0 to ``top``: the structure is not at a
        minimum.

    Examples
    --------
    A mode at the upper end of the interval, where all polynomials are 1:

    >>> import glassdata as gd
    >>> system = gd.SYSTEMS["lj3d"]
    >>> matrix = gd.operator(system.crystal(), system.potential)
    >>> omega, e = gd.modes(system.crystal(), system.potential)
    >>> chebyshev_moments(matrix, e[:, -1:], 4, top=(omega[-1] / THZ) ** 2).round(6).tolist()
    [[1.0, 1.0, 1.0, 1.0]]
    """
    threads = n_threads or processors()
    before = matrix.inside(start)
    now = np.zeros_like(before)
    matrix.step(2 / top, 1.0, before, now, threads)
    moments = np.empty((before.shape[2], count + 2))
    moments[:, 0], moments[:, 1] = _overlap(before, before), _overlap(before, now)
    for n in range(1, count // 2 + 1):
        moments[:, 2 * n] = 2 * _overlap(now, now) - moments[:, 0]
        matrix.step(4 / top, 2.0, now, before, threads)
        before, now = now, before
        if 2 * n + 1 < count + 2:
            moments[:, 2 * n + 1] = 2 * _overlap(now, before) - moments[:, 1]
    # Polynomials that are 1 at most inside the interval, between vectors of length 1.
    if not (np.abs(moments) <= (1 + _ROUNDING) * moments[:, :1]).all():
        raise ValueError(_NOT_AT_REST)
    return moments[: start.shape[1], :count]


@compiled
def _overlap(a, b):
    """Products of each vector of one set with that of the other, (n,)."""
    total = np.zeros(a.shape[2])
    for i in range(a.shape[0]):
        for c in range(a.shape[1]):
            for k in range(a.shape[2]):
                total[k] += a[i, c, k] * b[i, c, k]
    return total


def kernel_histogram(moments: np.ndarray, omega_max: float, edges: np.ndarray) -> np.ndarray:
    """Mean density in every bin, (n, n_omega), 1/THz, exactly integrated over each bin.

    In θ the density is (1/π) [g₀μ₀ + 2 Σ gₙ μₙ cos nθ] with Jackson's kernel gₙ, and its integral
    is a sum of sines.

    Parameters
    ----------
    moments : (n, n_moments)
        As ``chebyshev_moments`` gives them.
    omega_max : float, THz
        Frequency at the upper end of their interval.
    edges : (n_omega + 1,) THz

    Examples
    --------
    >>> kernel_histogram(np.array([[1.0, 0.0, -1.0]]), 1.0, np.array([0.0, 1.0])).round(6).tolist()
    [[1.0]]
    """
    n_moments = moments.shape[1]
    n = np.arange(n_moments)
    angle = np.pi / (n_moments + 1)
    jackson = (n_moments - n + 1) * np.cos(n * angle) + np.sin(n * angle) / np.tan(angle)
    jackson /= n_moments + 1
    theta = 2 * np.arccos(np.minimum(edges / omega_max, 1.0))
    sines = np.sin(np.outer(n[1:], theta)) / n[1:, None]
    damped = moments * jackson
    cumulative = (damped[:, :1] * theta + 2 * damped[:, 1:] @ sines) / np.pi
    # ω falls as θ grows.
    return -np.diff(cumulative, axis=1) / np.diff(edges)
