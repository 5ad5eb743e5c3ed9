"""Relaxations: what is left is named, and saddle points are left behind."""

import re

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.calculator import Calculator

import glassdata as gd
from glassdata.minimise import RelaxationError, relax, settle
from glassdata.potentials import LennardJones
from glassdata.protocols.sheet import rotate_bonds
from glassdata.systems import SYSTEMS
from glassdata.vibrations import energy_forces


class Contradictory(Calculator):
    """An energy that is constant, with a force and a stress all the same: no minimiser gets on."""

    implemented_properties = ("energy", "forces", "stress")

    def __init__(self, force, stress):
        super().__init__()
        self._force, self._stress = force, stress

    def calculate(self, atoms, properties, system_changes):
        forces = np.zeros((len(atoms), 3))
        forces[:2, 1] = self._force, -self._force
        stress = np.array([1, 1, 1, 0, 0, 0]) * self._stress
        self.results = {"energy": -1.0, "forces": forces, "stress": stress}


@pytest.mark.parametrize(
    ("force", "stress", "sheet", "left"),
    [
        (0.5, 0.0, False, r"a force of 0\.5 eV/Å \(at most 0\.0001\)"),
        (0.0, 0.01, False, r"a stress of 1\.6 GPa \(at most \S+\)"),
        # The calculator's stress is per volume, that of a sheet per area: 10 Å lie between.
        (0.0, 0.01, True, r"a stress of 1\.6 N/m \(at most \S+\)"),
        (0.5, -0.01, False, r"a force of 0\.5 eV/Å .* and a stress of -1\.6 GPa \(at most \S+\)"),
    ],
)
def test_what_is_left_is_named_with_its_size_and_unit(force, stress, sheet, left):
    atoms = bulk("Ar", "fcc", a=5.0, cubic=True) * (2, 2, 2)
    atoms.pbc = [True, True, not sheet]
    with pytest.raises(RelaxationError) as caught:
        relax(atoms, Contradictory(force, stress), cell="isotropic")
    pattern = rf"relaxation left {left} after \d+ evaluations"
    assert re.fullmatch(pattern, str(caught.value)), str(caught.value)


def test_a_fixed_cell_may_keep_its_stress():
    atoms = bulk("Ar", "fcc", a=5.0, cubic=True)
    assert (relax(atoms, Contradictory(0.0, 0.01)).positions == atoms.positions).all()


def flat_sheet():
    """Monolayer carbon with turned bonds, relaxed in its plane: at rest, and a saddle."""
    system = SYSTEMS["amc"]
    sheet = rotate_bonds(
        system.crystal() * (5, 3, 1),
        4,
        system.potential,
        np.random.default_rng(2),
        bond=system.bond_length,
    )
    return relax(sheet, system.potential, max_force=1e-6)


def test_a_flat_sheet_rests_at_a_saddle_and_settles_off_it():
    system = SYSTEMS["amc"]
    flat = flat_sheet()
    assert np.ptp(flat.positions[:, 2]) < 1e-12
    assert gd.frequencies(flat, system.potential).min() < -1.0  # THz: relax leaves it where it is
    buckled = settle(flat, system.potential, max_force=1e-6)
    assert np.ptp(buckled.positions[:, 2]) > 0.1
    # Zero modes come out as roots of rounding, 1e-8 of the highest frequency or less.
    modes = gd.frequencies(buckled, system.potential)
    assert modes.min() > -1e-6 * modes.max()
    assert energy_forces(buckled, system.potential)[0] < energy_forces(flat, system.potential)[0]


def test_a_saddle_that_remains_is_named():
    with pytest.raises(RelaxationError, match=r"saddle point after 1 relaxations: curvature -\S+ "):
        settle(flat_sheet(), SYSTEMS["amc"].potential, max_rounds=1)


def test_settling_with_a_free_cell_leaves_neither_stress_nor_saddle():
    system = SYSTEMS["amc"]
    free = settle(flat_sheet(), system.potential, max_force=1e-6, cell="isotropic")
    assert gd.frequencies(free, system.potential).min() > -0.01
    # The mean tension in the plane; a strain slope of 1e-5 eV/Å is worth 2e-6 eV/Å² here.
    assert abs(np.trace(gd.stress(free, system.potential)[:2, :2])) < 1e-5


@pytest.mark.parametrize("pressure", [0.02, -0.0005])
def test_a_cell_comes_to_its_pressure(pressure):
    # 3 GPa squeeze argon, whose modulus is near that; it holds a pull of 0.08 GPa.
    system = SYSTEMS["lj3d"]
    atoms = relax(system.crystal(), system.potential, cell="isotropic", pressure=pressure)
    found = -np.trace(gd.stress(atoms, system.potential)) / 3
    # The strain slope that is left, 1e-3 eV/Å, is worth 1e-3 · 3√4 Å / (3 · 150 Å³).
    assert found == pytest.approx(pressure, abs=1.5e-5)


def test_a_plane_settles_in_its_plane():
    # Out of the plane a compressed sheet of argon would buckle; in two dimensions it cannot.
    system = SYSTEMS["lj2d"]
    squeezed = system.crystal() * (3, 2, 1)
    squeezed.set_cell(squeezed.cell * [[0.97], [0.97], [1]], scale_atoms=True)
    settled = settle(squeezed, system.potential)
    assert (settled.positions[:, 2] == squeezed.positions[:, 2]).all()


def test_an_unknown_cell_is_refused():
    with pytest.raises(ValueError, match="cell must be fixed or isotropic, got 'free'"):
        relax(bulk("Ar"), LennardJones(0.01, 3.4, 8.5), cell="free")
