"""The first Hessian on a new machine: compilation included."""

import os
import subprocess
import sys

import pytest
from cases import mostly_large

PROGRAM = """
import sys, time
import glassdata as gd
from glassdata.vibrations import energy_forces
start = time.perf_counter()
for name in sys.argv[1:]:
    system = gd.SYSTEMS[name]
    atoms = system.crystal()
    gd.hessian(atoms, system.potential)
    energy_forces(atoms, system.potential)
print(time.perf_counter() - start)
"""


ONE_EACH = ("lj3d", "sic", "cualzr")


@pytest.mark.parametrize(
    "names", mostly_large([*((name,) for name in ONE_EACH), ONE_EACH], [("lj3d",)])
)
def test_compilation(names, full, timed, record, tmp_path):
    """Pair, bond-order and embedded-atom kernels, none of them compiled before."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", PROGRAM, *names]

    def run():
        return float(
            subprocess.run(command, env=environment, check=True, capture_output=True).stdout
        )

    _, seconds = timed(run)
    assert any(tmp_path.rglob("*.nbc"))
    record("cold_start", "all" if len(names) > 1 else names[0], seconds=seconds)
