"""Eigenvectors beside eigenvalues, and observables of structures from small to large."""

import json
import subprocess
import sys
from pathlib import Path

import ase.io
import pytest
from cases import CASES, mostly_large, structure, vacant_crystal

import glassdata as gd
from glassdata.observables import elastic_moduli, raman
from glassdata.systems import SYSTEMS

PROBE = Path(__file__).parent / "observables_probe.py"

#: Cells along each edge and copies of that: 10⁵, 10⁶ and 10⁷ atoms.
LARGE = {"scattering": [(22, 1), (22, 3)], "pdos": [(22, 1), (22, 3), (24, 6)]}
#: Cells along each edge, for some 500, 1200, 2400 and 4800 atoms.
DENSE = [5, 7, 9, 11]


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


@pytest.mark.parametrize("cells", mostly_large(DENSE, DENSE[:1]))
def test_conductivity(cells, full, timed, record, tmp_path):
    atoms = vacant_crystal(cells if full else 4)
    _, found = timed(lambda: probe("conductivity", atoms, 1, tmp_path))
    assert found["kappa"] > 0
    record("observables", f"conductivity {found['n_atoms']}", **found)


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
