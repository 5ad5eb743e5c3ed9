"""Cost against the number of atoms: Hessian, eigenvalues, kernel polynomials."""

import peers
import pytest
from bench_spectrum import our_dynamical
from cases import mostly_large, shaken_crystal, vacant_crystal

import glassdata as gd
from glassdata.systems import SYSTEMS

# Cells of the crystal, from some 500 atoms to some 4000.
HESSIANS = {
    "amc": [(12, 11, 1), (16, 16, 1), (23, 22, 1), (32, 32, 1)],
    "cualzr": [(2, 1, 1), (2, 2, 1), (2, 2, 2), (4, 2, 2)],
    "lj3d": [(5, 5, 5), (6, 6, 6), (8, 8, 8), (10, 10, 10)],
}
EIGENVALUES = [3, 4, 5, 6, 7]
KPM = [6, 14, 30]
#: Fewer than the defaults, and no fewer than a spectrum needs: what grows with the size is linear
#: in both.
N_MOMENTS, N_VECTORS = 200, 2


@pytest.mark.parametrize("size", mostly_large(range(4), [0]))
@pytest.mark.parametrize("name", HESSIANS)
def test_hessian(name, size, full, timed, record):
    atoms = shaken_crystal(name, HESSIANS[name][size] if full else (1, 1, 1))
    potential = SYSTEMS[name].potential
    seconds, _ = timed(lambda: gd.hessian(atoms, potential), rounds=5, warm=1)
    record("scaling", f"hessian {name}", **{str(len(atoms)): _point(atoms, seconds)})


@pytest.mark.parametrize("cells", mostly_large(EIGENVALUES, EIGENVALUES[:1]))
def test_eigenvalues(cells, full, timed, record):
    atoms = shaken_crystal("lj3d", (cells, cells, cells))
    matrix = our_dynamical(atoms, SYSTEMS["lj3d"])
    rounds = 5 if cells < 6 else 2
    seconds, _ = timed(lambda: peers.frequencies(matrix.copy()), rounds=rounds)
    record("scaling", "eigenvalues", **{str(len(atoms)): _point(atoms, seconds)})


@pytest.mark.parametrize("cells", mostly_large(KPM, KPM[:1]))
def test_kernel_polynomials(cells, full, timed, record):
    system = SYSTEMS["lj3d"]
    atoms = vacant_crystal(cells if full else 3)
    seconds, spectrum = timed(
        lambda: gd.pdos_kpm(
            atoms, system.potential, system.omega_edges, n_moments=N_MOMENTS, n_vectors=N_VECTORS
        )
    )
    assert 0.95 < (spectrum.pdos * (system.omega_edges[1] - system.omega_edges[0])).sum() < 1.01
    record("settings", "kpm", moments=N_MOMENTS, vectors=N_VECTORS)
    record("scaling", "kernel polynomials", **{str(len(atoms)): _point(atoms, seconds)})


def _point(atoms, seconds):
    return {"n_atoms": len(atoms), "seconds": seconds}
