"""Eigenvalues of one matrix by several routines, one thread, all the same spectrum."""

import multiprocessing
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
from bench_spectrum import clocked, our_dynamical
from cases import structure
from scipy import linalg
from threadpoolctl import threadpool_limits

from glassdata.eigen import SOLVERS, SolverMissing
from glassdata.systems import SYSTEMS


def by_scipy(driver, matrix):
    return linalg.eigvalsh(matrix, overwrite_a=True, check_finite=False, driver=driver)


#: Of the largest eigenvalue.
TOLERANCE = 1e-9
#: Where a matrix of this size is compared as well: a structure of three hundred atoms.
SMALL = 900

BACKENDS = {
    "scipy evd": partial(by_scipy, "evd"),
    "scipy evr": partial(by_scipy, "evr"),
    "scipy ev": partial(by_scipy, "ev"),
    "numpy": np.linalg.eigvalsh,
    "LAPACK two-stage": SOLVERS["two-stage"],
    "MKL": SOLVERS["mkl"],
    "torch": SOLVERS["torch"],
    "torch on a GPU": SOLVERS["torch-gpu"],
}


def work_on(backend, size, begun):
    """Find eigenvalues again and again, until this process is ended."""
    matrix = np.random.default_rng(0).standard_normal((size, size))
    matrix += matrix.T
    with threadpool_limits(1):
        BACKENDS[backend](matrix[:9, :9].copy(order="F"))
        begun.set()
        while True:
            BACKENDS[backend](matrix.copy(order="F"))


@contextmanager
def busy_neighbour(backend, size):
    """Another process that does the same meanwhile, as in a build on two workers."""
    spawn = multiprocessing.get_context("spawn")
    begun = spawn.Event()
    process = spawn.Process(target=work_on, args=(backend, size, begun), daemon=True)
    process.start()
    try:
        assert begun.wait(60)
        yield
    finally:
        process.kill()
        process.join()


@pytest.mark.parametrize("backend", BACKENDS)
def test_backend(backend, full, timed, record):
    # Columns in a row, as every routine wants them: none begins with a copy.
    matrix = np.asfortranarray(our_dynamical(structure("lj3d", full), SYSTEMS["lj3d"]))
    expected = by_scipy("evd", matrix.copy(order="F"))
    part = matrix[:SMALL, :SMALL]

    def median(of):
        times = [clocked(lambda: BACKENDS[backend](of.copy(order="F"))) for _ in repeat]
        return float(np.median(times))

    def rounds():
        alone, small = median(matrix), median(part)
        with busy_neighbour(backend, len(matrix)):
            return alone, small, median(matrix)

    repeat = range(3 if full else 1)
    try:
        values = BACKENDS[backend](matrix.copy(order="F"))
    except SolverMissing as reason:
        pytest.skip(str(reason))
    _, (alone, small, beside) = timed(rounds)
    apart = float(np.abs(np.sort(values) - expected).max() / expected.max())
    assert apart < TOLERANCE
    record("settings", "tolerance", eigenvalues=TOLERANCE)
    found = {"n": len(matrix), "seconds": alone, "beside": beside, "difference": apart}
    found |= {"n_small": len(part), "small": small}
    record("backends", backend, **found)


def test_matrix_product(full, timed, record):
    """What bounds every dense routine: its 4/3 n³ operations at the speed of a matrix product."""
    n = 3 * len(structure("lj3d", full))
    matrix = np.random.default_rng(0).standard_normal((n, n))
    seconds, _ = timed(lambda: matrix @ matrix, rounds=5, warm=1)
    record("bounds", "eigenvalues", n=n, rate=2 * n**3 / seconds, seconds=2 / 3 * seconds)
