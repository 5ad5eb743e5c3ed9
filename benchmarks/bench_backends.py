"""Eigenvalues of one matrix by several routines, one thread, all the same spectrum."""

from functools import partial

import numpy as np
import pytest
from bench_spectrum import our_dynamical
from cases import structure
from scipy import linalg

from glassdata.systems import SYSTEMS


def by_scipy(driver, matrix):
    return linalg.eigvalsh(matrix, overwrite_a=True, check_finite=False, driver=driver)


def by_torch(matrix):
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    return torch.linalg.eigvalsh(torch.from_numpy(matrix)).numpy()


#: Of the largest eigenvalue.
TOLERANCE = 1e-9

BACKENDS = {
    "scipy evd": partial(by_scipy, "evd"),
    "scipy evr": partial(by_scipy, "evr"),
    "scipy ev": partial(by_scipy, "ev"),
    "numpy": np.linalg.eigvalsh,
    "torch": by_torch,
}


@pytest.mark.parametrize("backend", BACKENDS)
def test_backend(backend, full, timed, record):
    matrix = our_dynamical(structure("lj3d", full), SYSTEMS["lj3d"])
    expected = by_scipy("evd", matrix.copy())
    seconds, values = timed(lambda: BACKENDS[backend](matrix.copy()), rounds=3)
    apart = float(np.abs(np.sort(values) - expected).max() / expected.max())
    assert apart < TOLERANCE
    record("settings", "tolerance", eigenvalues=TOLERANCE)
    record("backends", backend, n=len(matrix), seconds=seconds, difference=apart)
