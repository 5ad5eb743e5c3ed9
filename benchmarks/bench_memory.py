"""Peak memory of the way to the PDOS, each measured in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import ase.io
import pytest
from bench_scaling import KPM
from cases import CASES, mostly_large, structure, vacant_crystal

PROBE = Path(__file__).parent / "memory_probe.py"


def probe(method, name, atoms, folder):
    path = folder / "structure.traj"
    ase.io.write(path, atoms)
    command = [sys.executable, str(PROBE), method, name, str(path)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", mostly_large(CASES, ["lj3d"]))
def test_exact(name, full, timed, record, tmp_path):
    _, found = timed(lambda: probe("pdos", name, structure(name, full), tmp_path))
    # At least the dense matrix, or the probe did not measure the work.
    assert found["peak_mib"] > (3 * found["n_atoms"]) ** 2 * 8 / 2**20
    record("memory", f"exact {name}", method="eigenvalues", title=CASES[name].title, **found)


@pytest.mark.parametrize("cells", mostly_large(KPM[1:], KPM[1:2]))
def test_kernel_polynomials(cells, full, timed, record, tmp_path):
    atoms = vacant_crystal(cells if full else 3)
    _, found = timed(lambda: probe("kpm", "lj3d", atoms, tmp_path))
    title = CASES["lj3d"].title
    record("memory", f"kpm {len(atoms)}", method="kernel polynomials", title=title, **found)
