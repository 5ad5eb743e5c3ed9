"""Eigenvalues of a dense symmetric matrix, by several routines with the same result.

Rows of a dataset are always computed by SciPy on one thread: their bytes must not depend on what
else is installed. The others are for large single matrices and for machines with a GPU.
"""

from collections.abc import Callable

import numpy as np
from scipy import linalg


def _scipy(matrix: np.ndarray) -> np.ndarray:
    return linalg.eigvalsh(matrix, overwrite_a=True, check_finite=False, driver="evd")


def _torch(device: str) -> Callable[[np.ndarray], np.ndarray]:
    def solve(matrix: np.ndarray) -> np.ndarray:
        try:
            import torch
        except ImportError:
            raise ValueError("this solver needs torch: pip install torch") from None
        if device == "cuda" and not torch.cuda.is_available():
            raise ValueError("this solver needs a GPU that torch can use; there is none")
        on_device = torch.from_numpy(matrix).to(device)
        return np.sort(torch.linalg.eigvalsh(on_device).cpu().numpy())

    return solve


#: Routines by name.
SOLVERS = {"scipy": _scipy, "torch": _torch("cpu"), "torch-gpu": _torch("cuda")}


def eigenvalues(matrix: np.ndarray, solver: str = "scipy") -> np.ndarray:
    """Eigenvalues of a real symmetric matrix (n, n), ascending, (n,); the matrix is overwritten.

    Raises
    ------
    ValueError
        For an unknown solver, or one that cannot run here.
    """
    if solver not in SOLVERS:
        raise ValueError(f"unknown eigenvalue solver {solver!r}; there are {', '.join(SOLVERS)}")
    return SOLVERS[solver](matrix)
