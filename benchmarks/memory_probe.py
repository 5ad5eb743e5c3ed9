"""A process of its own that does one thing and tells how much memory it took.

Run as ``python memory_probe.py pdos|kpm SYSTEM FILE``; writes a line of JSON.
"""

import json
import resource
import sys
from pathlib import Path

import ase.io

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
    sys.stdout.write(json.dumps(main(*sys.argv[1:])) + "\n")
