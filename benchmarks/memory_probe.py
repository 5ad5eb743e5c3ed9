"""A process of its own that does one thing and tells how much memory it took.

Run as ``python memory_probe.py pdos|kpm SYSTEM FILE``, or ``python memory_probe.py large CELLS``
for a large crystal with vacancies from its relaxation on; writes a line of JSON.
"""

import json
import resource
import sys
import time
from pathlib import Path

import ase.io
from cases import vacant_crystal

import glassdata as gd
from glassdata.systems import SYSTEMS
from glassdata.vibrations import pdos


def peak_mib() -> float:
    """Largest resident memory of this process so far, MiB.

    On Linux from ``VmHWM``: what ``getrusage`` tells there counts the parent's memory too, which
    the child shared until it started a program of its own.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 2**10
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def large(cells: str) -> dict[str, float]:
    """Seconds and memory of a large glass with the default moments and vectors."""
    start, system = time.perf_counter(), SYSTEMS["lj3d"]
    atoms = vacant_crystal(int(cells))
    relaxed = time.perf_counter()
    gd.pdos_kpm(atoms, system.potential, system.omega_edges)
    end = time.perf_counter()
    return {
        "n_atoms": len(atoms),
        "relax": relaxed - start,
        "seconds": end - relaxed,
        "peak_mib": peak_mib(),
    }


def main(method: str, name: str, path: str) -> dict[str, float]:
    """Memory after the imports and at its peak."""
    atoms, system = ase.io.read(path), SYSTEMS[name]
    before = peak_mib()
    if method == "pdos":
        pdos(gd.frequencies(atoms, system.potential), system.omega_edges)
    else:
        gd.pdos_kpm(atoms, system.potential, system.omega_edges, n_moments=20, n_vectors=8)
    return {"n_atoms": len(atoms), "start_mib": before, "peak_mib": peak_mib()}


if __name__ == "__main__":
    found = large(sys.argv[2]) if sys.argv[1] == "large" else main(*sys.argv[1:])
    sys.stdout.write(json.dumps(found) + "\n")
