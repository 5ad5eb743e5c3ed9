"""Phonon density of states of large glasses by the kernel polynomial method.

Weiße, Wellein, Alvermann, Fehske, Rev. Mod. Phys. 78, 275 (2006), doi:10.1103/RevModPhys.78.275.
Eigenvalues λ = ω² of the dynamical matrix are mapped to x = cos θ on [-1, 1] with λ = 0 at x = -1,
so that ω = ω_max cos(θ/2): the Chebyshev grid, uniform in θ, is nearly uniform in frequency and
does not thin out at low frequencies.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, eigsh

from glassdata.bins import checked_edges
from glassdata.kernels import compiled
from glassdata.potentials import EnergySurface
from glassdata.units import THZ
from glassdata.vibrations import dynamical_matrix

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
) -> KernelSpectrum:
    """Phonon density of states without diagonalisation.

    Time and memory grow as the number of atoms: only products of the sparse Hessian with vectors
    are taken. The statistical error falls as one over the square root of ``n_vectors`` times the
    number of modes.

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
    matrix = dynamical_matrix(atoms, potential)
    if not matrix.data.any():
        raise ValueError("no two atoms are within reach of each other: there is no spectrum")
    rng = np.random.default_rng(seed)
    start = rng.standard_normal(matrix.shape[0])
    product = _Product(matrix, n_threads or _processors())
    top = product.largest(start)
    moments = _moments(product, top, n_moments, n_vectors, rng)
    spectra = _histogram(moments, np.sqrt(top) * THZ, edges)
    # Jackson's kernel is positive: negative values come from eigenvalues outside the interval.
    if spectra.min() < -_ROUNDING * spectra.max():
        raise ValueError(_NOT_AT_REST)
    error = spectra.std(axis=0, ddof=1) / np.sqrt(n_vectors)
    resolution = np.sqrt(top) * THZ * np.pi / (2 * n_moments)
    return KernelSpectrum(spectra.mean(axis=0), error, float(resolution))


def _processors() -> int:
    """Number of processors that this process may use, or of all if that is unknown."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Product:
    """Products of a symmetric block matrix with a few vectors, on several threads."""

    def __init__(self, matrix: sparse.bsr_array, n_threads: int) -> None:
        self.matrix, self.n_threads = matrix, n_threads
        starts = matrix.indptr
        # The parts have about equally many blocks, so that all threads have the same work.
        shares = np.linspace(0, starts[-1], 4 * n_threads + 1)
        self._rows = np.searchsorted(starts, shares[1:-1])
        self._rows = np.unique([0, *self._rows, len(starts) - 1])

    def step(self, scale: float, shift: float, now: np.ndarray, before: np.ndarray) -> None:
        """``before`` becomes ``(scale A - shift) now - before``; vectors are columns, (dN, n)."""

        def some(rows: tuple[int, int]) -> None:
            m = self.matrix
            _step(*rows, m.indptr, m.indices, m.data, scale, shift, now, before)

        with ThreadPoolExecutor(self.n_threads) as pool:
            list(pool.map(some, pairwise(self._rows)))

    def largest(self, start: np.ndarray) -> float:
        """An upper bound of the largest eigenvalue, a little above it."""

        def product(vector: np.ndarray) -> np.ndarray:
            result = np.zeros((len(vector), 1))
            self.step(1.0, 0.0, np.ascontiguousarray(vector).reshape(-1, 1), result)
            return result[:, 0]

        shape = self.matrix.shape
        operator = LinearOperator(shape, matvec=product, dtype=float)
        ritz = eigsh(operator, k=1, which="LA", tol=_RITZ_TOLERANCE, v0=start)[0][0]
        return (1 + _MARGIN) * float(ritz)


@compiled(nogil=True, fastmath={"contract"})
def _step(begin, stop, starts, columns, blocks, scale, shift, now, before):
    d, n = blocks.shape[1], now.shape[1]
    total = np.empty((d, n))
    for i in range(begin, stop):
        total[:] = 0.0
        for slot in range(starts[i], starts[i + 1]):
            first = np.uint64(d * columns[slot])
            for a in range(d):
                for b in range(d):
                    value = blocks[slot, a, b]
                    for k in range(n):
                        total[a, k] += value * now[first + np.uint64(b), k]
        for a in range(d):
            for k in range(n):
                here = d * i + a
                before[here, k] = scale * total[a, k] - shift * now[here, k] - before[here, k]


def _moments(
    product: _Product, top: float, count: int, n_vectors: int, rng: np.random.Generator
) -> np.ndarray:
    """Chebyshev moments of each random vector's spectrum, (n_vectors, count).

    Products of two vectors give moments of twice the order, which halves the multiplications.
    """
    size = product.matrix.shape[0]
    before = rng.choice([-1.0, 1.0], (size, n_vectors)) / np.sqrt(size)

    def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.einsum("is,is->s", a, b)

    now = np.zeros_like(before)
    product.step(2 / top, 1.0, before, now)
    moments = np.empty((n_vectors, count + 2))
    moments[:, 0], moments[:, 1] = overlap(before, before), overlap(before, now)
    for n in range(1, count // 2 + 1):
        moments[:, 2 * n] = 2 * overlap(now, now) - moments[:, 0]
        product.step(4 / top, 2.0, now, before)
        before, now = now, before
        if 2 * n + 1 < count + 2:
            moments[:, 2 * n + 1] = 2 * overlap(now, before) - moments[:, 1]
    # Polynomials that are 1 at most inside the interval, between vectors of length 1.
    if not (np.abs(moments) <= 1 + _ROUNDING).all():
        raise ValueError(_NOT_AT_REST)
    return moments[:, :count]


def _histogram(moments: np.ndarray, omega_max: float, edges: np.ndarray) -> np.ndarray:
    """Mean density in every bin, (n_vectors, n_omega), exactly integrated over each bin.

    In θ the density is (1/π) [g₀μ₀ + 2 Σ gₙ μₙ cos nθ] with Jackson's kernel gₙ, and its integral
    is a sum of sines.
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
