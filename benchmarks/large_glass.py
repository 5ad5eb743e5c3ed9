"""One Lennard-Jones glass of a given size: made, described, and its PDOS without diagonalisation.

Run as ``python large_glass.py FOLDER CELLS COUNT COPIES``: COUNT glasses from CELLS³ cells of the
crystal, each repeated COPIES times along every direction. Glasses that were made before are read
from FOLDER, with the time that it took. Writes a line of JSON. A process of its own, because its
peak memory is measured.
"""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from memory_probe import peak_mib
from scipy.sparse.linalg import eigsh

import glassdata as gd
from glassdata.config import ALGORITHM_VERSION
from glassdata.describe import crystal_energy
from glassdata.files import replace_stream
from glassdata.kpm import KernelSpectrum
from glassdata.minimise import relax
from glassdata.protocols import Stratum
from glassdata.systems import SYSTEMS
from glassdata.vibrations import dynamical_matrix, energy_forces

#: Strongly disordered, as the glassy end of the dataset: Å per direction, share of the sites.
PREPARATION = Stratum(1, displacement=(1.5, 1.5), vacancy_fraction=(0.05, 0.05))
#: A kernel of a third of the dataset's bins.
N_MOMENTS = 400
#: From so many glasses on, errors come from the scatter between them.
SEVERAL = 8


def glass(folder: Path, cells: int, number: int) -> Atoms:
    """Glass ``number`` of this size, relaxed at zero pressure; independent of all others."""
    path = folder / f"v{ALGORITHM_VERSION}-{cells}-{number}.traj"
    if not path.exists():
        start = time.perf_counter()
        system = SYSTEMS["lj3d"]
        protocol = replace(
            system.protocols["reference"],
            cells=(cells, cells, cells),
            strata=(PREPARATION,),
            replicated=0,
        )
        # Every fifth structure of a protocol is an independent replicate.
        atoms = off_saddle(protocol(system, 5 * number + 4))
        atoms.info = {"seconds": time.perf_counter() - start}
        with replace_stream(path) as stream:
            ase.io.write(stream, atoms, format="traj")
    return ase.io.read(path)


def off_saddle(atoms: Atoms) -> Atoms:
    """A minimum beside a structure that came to rest at a saddle, as one in some large ones does.

    Looking for negative modes takes as long as making a glass, and is done only where the density
    of states shows that there are some.
    """
    system = SYSTEMS["lj3d"]
    while True:
        try:
            spectrum(atoms, 4)
        except ValueError:
            matrix = dynamical_matrix(atoms, system.potential)
            start = np.random.default_rng(0).standard_normal(matrix.shape[0])
            _, mode = eigsh(matrix, k=1, which="SA", ncv=120, tol=1e-3, v0=start)
            push = mode.reshape(-1, 3)
            atoms.positions += 0.1 * push / np.abs(push).max()
            max_force = system.protocols["reference"].max_force
            atoms = relax(atoms, system.potential, max_force=max_force, cell="isotropic")
        else:
            return atoms


def spectrum(atoms: Atoms, n_vectors: int) -> KernelSpectrum:
    """Density of states in the bins of the dataset."""
    system = SYSTEMS["lj3d"]
    return gd.pdos_kpm(
        atoms, system.potential, system.omega_edges, n_moments=N_MOMENTS, n_vectors=n_vectors
    )


def main(folder: str, *sizes: str) -> dict:
    """Mean g(r) and PDOS of the glasses, with seconds per glass and memory."""
    system = SYSTEMS["lj3d"]
    cells, count, copies = map(int, sizes)
    glasses = [glass(Path(folder), cells, number) for number in range(count)]
    relaxed = [atoms.info["seconds"] for atoms in glasses]
    glasses = [atoms * (copies, copies, copies) for atoms in glasses]
    g = [gd.rdf(atoms, system.r_edges) for atoms in glasses]
    begun = time.perf_counter()
    # More vectors for small glasses, whose modes are few.
    n_vectors = 4 if len(glasses[0]) > 10_000 else 32
    spectra = [spectrum(atoms, n_vectors) for atoms in glasses]
    end = time.perf_counter()
    energies = [energy_forces(atoms, system.potential)[0] / len(atoms) for atoms in glasses]
    pdos = np.array([found.pdos for found in spectra])
    if several := count >= SEVERAL:
        error = pdos.std(axis=0, ddof=1) / np.sqrt(count)
    else:  # too few to tell how much they differ: between random vectors
        error = np.sqrt(np.sum([found.error**2 for found in spectra], axis=0)) / count
    return {
        "n_atoms": round(np.mean([len(atoms) for atoms in glasses])),
        "displacement": PREPARATION.displacement[0],
        "vacancy_fraction": PREPARATION.vacancy_fraction[0],
        "glasses": count,
        "copies": copies**3,
        "relax": float(np.mean(relaxed)),
        "seconds": (end - begun) / count,
        "peak_mib": peak_mib(),
        "moments": N_MOMENTS,
        "vectors": n_vectors,
        "resolution": spectra[0].resolution,
        "excess_energy": float(np.mean(energies) - crystal_energy(system)),
        "g": np.mean(g, axis=0).tolist(),
        "g_error": (np.std(g, axis=0, ddof=1) / np.sqrt(count)).tolist() if several else None,
        "pdos": pdos.mean(axis=0).tolist(),
        "pdos_error": error.tolist(),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])) + "\n")
