"""Eigenvalues of a dense symmetric matrix, by several routines with the same result.

Rows of a dataset are always computed by SciPy on one thread: their bytes must not depend on what
else is installed. The others are for large single matrices.
"""

import ctypes
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from scipy import linalg
from threadpoolctl import threadpool_info

_COLUMN_MAJOR = 102  # LAPACK_COL_MAJOR of lapacke.h
# Measured peaks: the matrix, and what remains of its sparse form.
_DENSE_COPIES = 2
# The routine keeps the eigenvectors and two matrices beside the first one.
_WITH_VECTORS = 2
# For smaller matrices the second stage of this routine costs more time than the first one saves.
_TWO_STAGE_FROM = 2000


class SolverMissing(ValueError):
    """This machine does not have the routine that was asked for."""


def _scipy(matrix: np.ndarray) -> np.ndarray:
    return linalg.eigvalsh(matrix, overwrite_a=True, check_finite=False, driver="evd")


def _lapacke(
    libraries: Callable[[], Iterable[str]], names: tuple[str, ...], lacking: str
) -> Callable[[np.ndarray], np.ndarray]:
    """A driver of LAPACK's C interface, from the first library that has it under one of the names.

    All share the signature of ``LAPACKE_dsyevd``, with integers of 32 bits.
    """

    def solve(matrix: np.ndarray) -> np.ndarray:
        loaded = map(ctypes.CDLL, libraries())
        driver = next((lib[n] for lib in loaded for n in names if hasattr(lib, n)), None)
        if driver is None:
            raise SolverMissing(lacking)
        values = np.empty(len(matrix))
        pointer, size = ctypes.POINTER(ctypes.c_double), ctypes.c_int(len(matrix))
        where, found = matrix.ctypes.data_as(pointer), values.ctypes.data_as(pointer)
        flags = ctypes.c_int(_COLUMN_MAJOR), ctypes.c_char(b"N"), ctypes.c_char(b"L")
        status = driver(*flags, size, where, size, found)
        if status:
            raise np.linalg.LinAlgError(f"LAPACK found no eigenvalues (status {status})")
        return values

    return solve


def _openblas() -> list[str]:
    return [library["filepath"] for library in threadpool_info() if library["user_api"] == "blas"]


def _mkl() -> list[str]:
    # Where its wheel, and conda, put it.
    return [str(path) for path in Path(sys.prefix, "lib").glob("libmkl_rt.*")]


def _fastest(matrix: np.ndarray) -> np.ndarray:
    large = ["two-stage"] if len(matrix) >= _TWO_STAGE_FROM else []
    for name in ("mkl", *large):
        try:
            return SOLVERS[name](matrix)
        except SolverMissing:
            continue
    return _scipy(matrix)


#: Routines by name. ``two-stage`` reduces the matrix to a band matrix first, by matrix products,
#: where ``scipy`` waits for memory. ``fastest`` takes the first that can run here of ``mkl``,
#: ``two-stage`` (for large matrices) and ``scipy``.
SOLVERS = {
    "scipy": _scipy,
    "two-stage": _lapacke(
        _openblas,
        ("scipy_LAPACKE_dsyevd_2stage", "LAPACKE_dsyevd_2stage"),
        "this solver needs the OpenBLAS of SciPy's wheels, which is not what SciPy uses here",
    ),
    "mkl": _lapacke(
        _mkl, ("LAPACKE_dsyevd",), "this solver needs MKL: pip install 'glassdata[mkl]'"
    ),
    "fastest": _fastest,
}


def eigenvalues(matrix: np.ndarray, solver: str = "scipy") -> np.ndarray:
    """Eigenvalues of a real symmetric matrix (n, n), ascending, (n,).

    Parameters
    ----------
    matrix : (n, n)
        A matrix of doubles in columns (Fortran's order) is overwritten, any other is copied.
    solver : str
        One of ``SOLVERS``.

    Raises
    ------
    ValueError
        If the matrix is not square, or the solver is not known.
    SolverMissing
        If it cannot run here (a subclass of ValueError).

    Examples
    --------
    >>> eigenvalues(np.array([[2.0, 1.0], [1.0, 2.0]])).round(6).tolist()
    [1.0, 3.0]
    """
    if solver not in SOLVERS:
        raise ValueError(f"unknown eigenvalue solver {solver!r}; there are {', '.join(SOLVERS)}")
    matrix = np.asarray(matrix, dtype=float, order="F")
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ValueError(f"a matrix of shape {matrix.shape} has no eigenvalues")
    return SOLVERS[solver](matrix)


def eigenpairs(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues (n,), ascending, and eigenvectors (n, n), one a column, of a symmetric matrix.

    Raises
    ------
    ValueError
        If the matrix is not square.

    Examples
    --------
    >>> values, vectors = eigenpairs(np.diag([2.0, 1.0]))
    >>> values.tolist(), np.abs(vectors).tolist()
    ([1.0, 2.0], [[0.0, 1.0], [1.0, 0.0]])
    """
    matrix = np.asarray(matrix, dtype=float, order="F")
    return linalg.eigh(matrix, overwrite_a=True, check_finite=False, driver="evd")


def check_memory(dim: int, n_atoms: int, *, vectors: bool = False) -> None:
    """Refuse a structure whose frequencies do not fit into this machine.

    Parameters
    ----------
    dim : int
        Coordinates of each atom.
    n_atoms : int
    vectors : bool
        Whether eigenvectors are computed, too.

    Raises
    ------
    MemoryError
        Naming the memory that is needed and that of this machine.
    """
    needed = peak_bytes(dim * n_atoms) * (_WITH_VECTORS if vectors else 1)
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > there:
        raise MemoryError(
            f"the frequencies of {n_atoms} atoms take {needed / 2**30:.0f} GiB, more than the "
            f"{there / 2**30:.0f} GiB of this machine; pdos_kpm needs no dense matrix"
        )


def peak_bytes(n: int) -> float:
    """Largest memory in use while the frequencies of ``n`` coordinates are computed, bytes."""
    return _DENSE_COPIES * 8.0 * n**2
