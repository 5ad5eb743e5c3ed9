"""Eigenvalues of one matrix by several routines, one thread, all the same spectrum."""

import multiprocessing
from contextlib import contextmanager, nullcontext, suppress
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


def by_torch(device, matrix):
    try:
        import torch
    except ImportError:
        raise SolverMissing("torch is not installed") from None
    if device == "cuda" and not torch.cuda.is_available():
        raise SolverMissing("there is no GPU that torch can use")
    return np.sort(torch.linalg.eigvalsh(torch.from_numpy(matrix).to(device)).cpu().numpy())


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
    "torch": partial(by_torch, "cpu"),
    "torch on a GPU": partial(by_torch, "cuda"),
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


@pytest.fixture(scope="module")
def matrix(full):
    """Columns in a row, as every routine wants them: none begins with a copy."""
    return np.asfortranarray(our_dynamical(structure("lj3d", full), SYSTEMS["lj3d"]))


@pytest.fixture(scope="module")
def differences(matrix):
    """The routines that there are, and how far their spectra are from SciPy's."""
    expected = by_scipy("evd", matrix.copy(order="F"))
    found = {}
    for name, solve in BACKENDS.items():
        with suppress(SolverMissing):
            values = np.sort(solve(matrix.copy(order="F")))
            found[name] = float(np.abs(values - expected).max() / expected.max())
    assert max(found.values()) < TOLERANCE
    return found


def in_turn(names, of, rounds, neighbour=None):
    """Median seconds of each: what slows the machine for a while slows them alike."""
    seconds = {name: [] for name in names}
    for _ in range(rounds):
        for name, times in seconds.items():
            with neighbour(name, len(of)) if neighbour else nullcontext():
                times.append(clocked(lambda name=name: BACKENDS[name](of.copy(order="F"))))
    return {name: float(np.median(times)) for name, times in seconds.items()}


def test_alone(matrix, differences, full, timed, record):
    part = matrix[:SMALL, :SMALL]
    rounds = 7 if full else 1
    _, small = timed(lambda: in_turn(differences, part, rounds))
    seconds = in_turn(differences, matrix, rounds)
    record("settings", "tolerance", eigenvalues=TOLERANCE)
    for name, apart in differences.items():
        found = {"n": len(matrix), "seconds": seconds[name], "difference": apart}
        record("backends", name, **found, n_small=len(part), small=small[name])


def test_beside(matrix, differences, full, timed, record):
    rounds = 5 if full else 1
    _, seconds = timed(lambda: in_turn(differences, matrix, rounds, busy_neighbour))
    for name, beside in seconds.items():
        record("backends", name, beside=beside)


def test_matrix_product(full, timed, record):
    """What bounds every dense routine: its 4/3 n³ operations at the speed of a matrix product."""
    n = 3 * len(structure("lj3d", full))
    matrix = np.random.default_rng(0).standard_normal((n, n))
    seconds, _ = timed(lambda: matrix @ matrix, rounds=5, warm=1)
    record("bounds", "eigenvalues", n=n, rate=2 * n**3 / seconds, seconds=2 / 3 * seconds)
