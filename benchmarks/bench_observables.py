"""Eigenvectors beside eigenvalues, observables of structures from small to large, and peers."""

import json
import subprocess
import sys
import time
from pathlib import Path

import ase.io
import numpy as np
import peers
import pytest
from cases import CASES, mostly_large, structure, vacant_crystal

import glassdata as gd
from glassdata.observables import (
    commensurate,
    elastic_moduli,
    mean_square_displacement,
    raman,
    scattering,
    thermal_conductivity,
)
from glassdata.observables.conductivity import _currents
from glassdata.observables.probes import NEUTRONS
from glassdata.systems import SYSTEMS

PROBE = Path(__file__).parent / "observables_probe.py"

#: Cells along each edge and copies of that: 4·10⁴, 10⁶ and 10⁷ atoms.
LARGE = {"scattering": [(22, 1), (22, 3)], "pdos": [(22, 1), (22, 3), (24, 6)]}
#: Cells along each edge of silicon, from 216 to 4096 atoms, and how many glasses of that size.
DENSE = [(3, 8), (4, 4), (5, 2), (6, 2), (8, 1)]


def shaken_silicon(cells, seed=4):
    """Amorphous silicon of a crystal that was destroyed, at rest: 8 atoms a cell."""
    atoms = SYSTEMS["si"].crystal() * (cells, cells, cells)
    atoms.rattle(0.8, seed=seed)
    return gd.relax(atoms, SYSTEMS["si"].potential)


def probe(what, atoms, copies, folder):
    path = folder / "structure.traj"
    ase.io.write(path, atoms)
    command = [sys.executable, str(PROBE), what, str(path), str(copies)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", mostly_large(CASES, ["lj3d"]))
def test_modes(name, full, timed, record):
    atoms, potential = structure(name, full), SYSTEMS[name].potential
    alone, _ = timed(lambda: gd.frequencies(atoms, potential), rounds=3, warm=1)
    record("observables", f"frequencies {name}", n_atoms=len(atoms), seconds=alone)


@pytest.mark.parametrize("name", mostly_large(CASES, ["lj3d"]))
def test_eigenvectors(name, full, timed, record):
    atoms, potential = structure(name, full), SYSTEMS[name].potential
    both, found = timed(lambda: gd.modes(atoms, potential), rounds=3, warm=1)
    assert found.eigenvectors.shape == 2 * found.frequencies.shape
    record("observables", f"modes {name}", n_atoms=len(atoms), seconds=both)


@pytest.mark.parametrize("name", mostly_large(["lj3d", "sic", "amc_lb"], ["lj3d"]))
def test_elastic_moduli(name, full, timed, record):
    atoms, potential = structure(name, full), SYSTEMS[name].potential
    seconds, found = timed(lambda: elastic_moduli(atoms, potential), rounds=3, warm=1)
    assert found.bulk > 0
    record("observables", f"elastic {name}", n_atoms=len(atoms), seconds=seconds)


def test_raman(full, timed, record):
    atoms, potential = structure("amc_lb", full), SYSTEMS["amc_lb"].potential
    modes = gd.modes(atoms, potential)
    seconds, _ = timed(lambda: raman(atoms, potential, modes=modes), rounds=3, warm=1)
    record("observables", "raman amc_lb", n_atoms=len(atoms), seconds=seconds)


def needed(peer, full):
    """Without its peers a run is none; in the test suite one may be missing."""
    if not full:
        pytest.importorskip(peer, reason=f"{peer} is not installed; make bench does that")


def test_kaldo(full, timed, record):
    """Same couplings as kALDo; its κ has other weights, so that the values may differ."""
    needed("kaldo", full)
    potential, width = SYSTEMS["si"].potential, 0.2
    atoms = shaken_silicon(4 if full else 3)
    ours, found = timed(
        lambda: thermal_conductivity(atoms, potential, temperatures=[300.0], width=width),
        rounds=3, warm=1,
    )  # fmt: skip
    omega, fluxes, kappa, theirs = peers.kaldo_fluxes(potential, atoms, 300.0, width)
    e = gd.modes(atoms, potential).eigenvectors[:, 3:]  # what moves all atoms alike is no mode
    own = [e.T @ (current @ e) for current in _currents(atoms, potential)]
    assert omega[3:] == pytest.approx(found.frequencies, abs=1e-5)
    # A mode's sign is anybody's choice.
    difference = max(
        np.linalg.norm(np.abs(a) - np.abs(b[3:, 3:])) / np.linalg.norm(a)
        for a, b in zip(own, fluxes, strict=True)
    )
    assert difference < 1e-6
    numbers = {"n_atoms": len(atoms), "ours": ours, "theirs": theirs, "difference": difference}
    record("peers", "kALDo", **numbers, kappa=float(found.conductivity[0]), their_kappa=kappa)


def test_phonopy(full, timed, record):
    """Cross-sections of neutrons by every mode of a glass, as phonopy gives them."""
    needed("phonopy", full)
    potential, temperature = SYSTEMS["si"].potential, 300.0
    atoms = shaken_silicon(4 if full else 2)
    q = commensurate(atoms, 3.0)[-4:]
    edges = np.linspace(0.0, 25.0, 251)

    def exact():
        modes = gd.modes(atoms, potential)
        spread = mean_square_displacement(
            atoms, potential, modes=modes, temperature=temperature, tensors=True
        )
        how = {"modes": modes, "mean_square": spread, "temperature": temperature}
        return scattering(atoms, potential, q, edges, probe="neutron", **how)

    ours, found = timed(exact, rounds=3, warm=1)
    begun = time.perf_counter()
    lengths = {"Si": NEUTRONS["Si"][0]}
    omega, strength = peers.phonopy_scattering(potential, atoms, q, temperature, lengths)
    theirs = time.perf_counter() - begun
    sums = [np.histogram(o, edges, weights=s)[0] for o, s in zip(omega, strength, strict=True)]
    expected = np.array(sums) / np.diff(edges)
    difference = np.abs(found.intensity - expected).max() / expected.max()
    assert difference < 1e-5
    numbers = {"n_atoms": len(atoms), "ours": ours, "theirs": theirs, "difference": difference}
    record("peers", "phonopy", **numbers, waves=len(q))


@pytest.mark.parametrize("size", mostly_large(DENSE, DENSE[:1]))
def test_conductivity(size, full, timed, record, tmp_path):
    cells, count = size if full else (3, 1)
    glasses = [shaken_silicon(cells, seed) for seed in range(count)]
    _, found = timed(lambda: [probe("conductivity", atoms, 1, tmp_path) for atoms in glasses])
    kappa = [one.pop("kappa") for one in found]
    assert np.min(kappa) > 0
    record("observables", f"conductivity {len(glasses[0])}", kappa=kappa, **found[0])


@pytest.mark.parametrize("size", mostly_large(LARGE["scattering"], LARGE["scattering"][:1]))
def test_scattering(size, full, timed, record, tmp_path):
    cells, copies = size if full else (3, 1)
    _, found = timed(lambda: probe("scattering", vacant_crystal(cells), copies, tmp_path))
    # All that the waves hold is found, to the thousandth of the f-sum rule.
    assert found["share"] == pytest.approx(found["strength"], abs=1e-3)
    record("observables", f"scattering {found['n_atoms']}", **found)


@pytest.mark.parametrize("size", mostly_large(LARGE["pdos"], LARGE["pdos"][:1]))
def test_pdos(size, full, timed, record, tmp_path):
    cells, copies = size if full else (3, 1)
    _, found = timed(lambda: probe("pdos", vacant_crystal(cells), copies, tmp_path))
    width = 0.03  # THz, of the bins of the system
    assert 0.9 < width * sum(found["pdos"]) < 1.01
    record("observables", f"pdos {found['n_atoms']}", **found)
