"""A process of its own that computes one observable of one structure: seconds and memory.

Run as ``python observables_probe.py pdos|scattering|conductivity FILE COPIES``: the structure in
FILE, of silicon for the conductivity and of argon otherwise, repeated COPIES times along every
direction. Writes a line of JSON.
"""

import json
import sys
import time

import ase.io
import numpy as np
from memory_probe import peak_mib

import glassdata as gd
from glassdata.observables import commensurate, scattering, thermal_conductivity
from glassdata.systems import SYSTEMS

SYSTEM = SYSTEMS["lj3d"]
#: A kernel of a third of the dataset's bins; the vectors of ``large_glass``.
N_MOMENTS, N_VECTORS = 400, 4
#: Widths of the kernel of conductivities, THz.
WIDTHS = [0.1, 0.2, 0.4]
#: Waves of the large glass, the longest ones.
N_WAVES = 4


def pdos(atoms):
    """Density of states without a matrix, pairs kept in single precision."""
    edges = SYSTEM.omega_edges
    found = gd.pdos_kpm(
        atoms, SYSTEM.potential, edges, n_moments=N_MOMENTS, n_vectors=N_VECTORS, dtype=np.float32
    )
    return {"pdos": found.pdos.tolist(), "error": found.error.tolist()}


def longitudinal(atoms):
    """Spectra of the longest longitudinal waves, without a matrix."""
    longest = 2.1 * np.pi / float(atoms.cell.lengths().min())
    q = commensurate(atoms, longest)[:N_WAVES]
    edges = SYSTEM.omega_edges
    found = scattering(atoms, SYSTEM.potential, q, edges, n_moments=N_MOMENTS)
    share = (found.intensity * np.diff(edges)).sum(axis=1)
    lengths = np.linalg.norm(q, axis=1).tolist()
    return {"q": lengths, "share": share.tolist(), "strength": found.strength.tolist()}


def conductivity(atoms):
    """Allen and Feldman's conductivity at 300 K, with eigenvectors, by width of the kernel."""
    potential = SYSTEMS["si"].potential
    begun = time.perf_counter()
    modes = gd.modes(atoms, potential)
    modes_seconds = time.perf_counter() - begun
    found = [
        thermal_conductivity(atoms, potential, modes=modes, temperatures=[300.0], width=width)
        for width in WIDTHS
    ]
    kappa = [float(one.conductivity[0]) for one in found]
    return {"widths": WIDTHS, "kappa": kappa, "modes_seconds": modes_seconds}


OBSERVED = {"pdos": pdos, "scattering": longitudinal, "conductivity": conductivity}


def main(what: str, path: str, copies: str) -> dict:
    """The observable, with the seconds and the peak memory that it took."""
    atoms = ase.io.read(path) * (3 * (int(copies),))
    begun = time.perf_counter()
    found = OBSERVED[what](atoms)
    seconds = time.perf_counter() - begun
    return {"n_atoms": len(atoms), "seconds": seconds, "peak_mib": peak_mib(), **found}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])) + "\n")
