"""Eigenvalues of one matrix by several routines, one thread, all the same spectrum."""

from functools import partial

import numpy as np
import pytest
from bench_spectrum import our_dynamical
from cases import structure
from scipy import linalg

from glassdata.eigen import SOLVERS
from glassdata.systems import SYSTEMS


def by_scipy(driver, matrix):
    return linalg.eigvalsh(matrix, overwrite_a=True, check_finite=False, driver=driver)


#: Of the largest eigenvalue.
TOLERANCE = 1e-9

BACKENDS = {
    "scipy evd": partial(by_scipy, "evd"),
    "scipy evr": partial(by_scipy, "evr"),
    "scipy ev": partial(by_scipy, "ev"),
    "numpy": np.linalg.eigvalsh,
    "torch": SOLVERS["torch"],
    "torch on a GPU": SOLVERS["torch-gpu"],
}


@pytest.mark.parametrize("backend", BACKENDS)
def test_backend(backend, full, timed, record):
    matrix = our_dynamical(structure("lj3d", full), SYSTEMS["lj3d"])
    expected = by_scipy("evd", matrix.copy())
    try:
        seconds, values = timed(lambda: BACKENDS[backend](matrix.copy()), rounds=3, warm=1)
    except ValueError as reason:
        pytest.skip(str(reason))
    apart = float(np.abs(np.sort(values) - expected).max() / expected.max())
    assert apart < TOLERANCE
    record("settings", "tolerance", eigenvalues=TOLERANCE)
    record("backends", backend, n=len(matrix), seconds=seconds, difference=apart)
