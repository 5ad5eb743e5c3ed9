"""From a displaced crystal to a minimum: energies that each minimiser asks for.

The peer is ASE's L-BFGS, plain and with the preconditioner of Packwood et al., J. Chem. Phys. 144,
164109 (2016), doi:10.1063/1.4947024, which is meant to save energies where some springs are much
stiffer than others. All start from the same structure, under the same potential.
"""

import time
from unittest import mock

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.optimize import LBFGS
from ase.optimize.precon import Exp, PreconLBFGS
from cases import mostly_large

import glassdata as gd
from glassdata.minimise import _Landscape, relax, separate
from glassdata.vibrations import energy_forces

#: Å: standard deviation of the displacements, which leave nothing of the crystal; eV/Å.
DISPLACED, MAX_FORCE = 1.5, 1e-3
# Atoms nearer than this are pushed apart first, Å, as the protocols of these glasses do.
SEPARATION = {"lj3d": 2.8, "cualzr": 2.2}


class Ours(Calculator):
    """Our potential as ASE's minimisers call it; it counts the calls."""

    implemented_properties = ("energy", "free_energy", "forces")

    def __init__(self, potential) -> None:
        super().__init__()
        self.potential, self.calls = potential, 0

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        self.calls += 1
        energy, forces = energy_forces(self.atoms, self.potential)
        self.results = {"energy": energy, "free_energy": energy, "forces": forces}


def _with_ase(start: Atoms, potential, minimiser, **settings) -> tuple[float, int]:
    atoms = start.copy()
    atoms.calc = Ours(potential)
    arrived = minimiser(atoms, logfile=None, **settings).run(fmax=MAX_FORCE, steps=5000)
    assert arrived
    return atoms.get_potential_energy(), atoms.calc.calls


def _ours(start: Atoms, potential) -> tuple[float, int]:
    calls = []
    evaluate = _Landscape.energy_gradient

    def counted(landscape, variables):
        calls.append(1)
        return evaluate(landscape, variables)

    with mock.patch.object(_Landscape, "energy_gradient", counted):
        atoms = relax(start, potential, max_force=MAX_FORCE)
    return energy_forces(atoms, potential)[0], len(calls)


WAYS = {
    "glassdata": _ours,
    "ase LBFGS": lambda start, potential: _with_ase(start, potential, LBFGS),
    "ase PreconLBFGS": lambda start, potential: _with_ase(
        start, potential, PreconLBFGS, precon=Exp(A=3), use_armijo=True
    ),
}


#: Cells of each crystal, in the test suite and measured: 864 and 250 atoms.
CELLS = {"lj3d": (2, 6), "cualzr": (1, 1)}


@pytest.mark.parametrize("name", mostly_large(SEPARATION, ["lj3d"]))
def test_minimise(name, full, timed, record):
    system = gd.SYSTEMS[name]
    crystal = system.crystal() * ([CELLS[name][full]] * 3)

    def all_ways() -> dict[str, list[dict]]:
        found: dict[str, list[dict]] = {way: [] for way in WAYS}
        for seed in range(4 if full else 1):
            start = crystal.copy()
            start.rattle(DISPLACED, seed=seed)
            start = separate(start, SEPARATION[name])
            # In turn, so that a busy machine is busy for all.
            for way, minimise in WAYS.items():
                begin = time.perf_counter()
                energy, calls = minimise(start, system.potential)
                seconds = time.perf_counter() - begin
                found[way].append({"calls": calls, "seconds": seconds, "energy": energy})
        return found

    _, found = timed(all_ways)
    ways = {
        way: {key: float(np.mean([entry[key] for entry in entries])) for key in entries[0]}
        for way, entries in found.items()
    }
    record("minimise", name, title=system.title, n_atoms=len(crystal), ways=ways)
