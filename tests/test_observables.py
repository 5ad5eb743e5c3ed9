"""Participation, heat and boson peak in their limits; what all observables refuse; the registry."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

import glassdata as gd
from glassdata.bands import bands
from glassdata.observables import (
    OBSERVABLES,
    Observed,
    boson_peak,
    elastic_moduli,
    heat_capacity,
    participation_ratio,
)
from glassdata.observables.heat import mode_heat_capacity
from glassdata.units import BOLTZMANN, PLANCK
from glassdata.vibrations import Modes

ARGON = gd.SYSTEMS["lj3d"]


# --- participation ------------------------------------------------------------------------------


def made_up(n, vectors):
    """Modes of n atoms whose first three are translations, the others as given, (3N, k)."""
    shifts = np.kron(np.full((n, 1), n**-0.5), np.eye(3))
    rest = np.zeros((3 * n, 3 * n - 3))
    rest[:, : vectors.shape[1]] = vectors
    return Modes(np.r_[0, 0, 0, np.linspace(1, 2, 3 * n - 3)], np.hstack([shifts, rest]))


def test_participation_of_plane_waves_single_atoms_and_pairs():
    crystal = ARGON.crystal() * (4, 1, 1)
    n = len(crystal)
    wave = np.cos(2 * np.pi * crystal.positions[:, 0] / crystal.cell[0, 0] + 0.3)
    vectors = np.zeros((3 * n, 3 * n - 3))
    vectors[:] = np.eye(3 * n)[:, 3:]  # single atoms
    vectors[:, :2] = 0.0
    vectors[1::3, 0] = wave / np.linalg.norm(wave)
    vectors[[0, 9], 1] = 0.5**0.5  # two atoms
    found = participation_ratio(crystal, ARGON.potential, modes=made_up(n, vectors))
    # On eight planes the mean of cos⁴ is exactly 3/8.
    assert found[0] == pytest.approx(2 / 3, rel=1e-12)
    assert found[1] == pytest.approx(2 / n, rel=1e-12)
    assert found[5:] == pytest.approx(1 / n, rel=1e-12)


def test_many_atoms_move_in_every_mode_of_a_crystal():
    """Whatever combination of equal frequencies the solver returns."""
    crystal = ARGON.crystal() * (3, 3, 3)
    found = participation_ratio(crystal, ARGON.potential)
    assert found.min() > 10 / len(crystal)
    assert found.max() <= 1 + 1e-12


def test_a_light_atom_moves_alone():
    atoms = ARGON.crystal() * (3, 3, 3)
    masses = atoms.get_masses()
    masses[0] /= 30
    atoms.set_masses(masses)
    found = participation_ratio(atoms, ARGON.potential)
    # Its three modes lie above all others, and heavy neighbours hardly follow.
    assert (found[-3:] < 1.5 / len(atoms)).all()
    assert found[:-3].min() > 5 / len(atoms)


# --- heat ---------------------------------------------------------------------------------------


def test_heat_capacity_of_one_oscillator_is_the_slope_of_its_energy():
    omega, kelvin, step = np.array([0.5, 5.0, 40.0]), 300.0, 0.01

    def energy(t):
        return PLANCK * omega / np.expm1(PLANCK * omega / (BOLTZMANN * t))

    slope = (energy(kelvin + step) - energy(kelvin - step)) / (2 * step * BOLTZMANN)
    assert mode_heat_capacity(omega, [kelvin])[0] == pytest.approx(slope, rel=1e-6)


def test_heat_capacity_of_dulong_and_petit_and_of_frozen_modes():
    crystal = ARGON.crystal()
    assert heat_capacity(crystal, ARGON.potential, temperatures=[1e6]) == pytest.approx(3.0)
    # The softest mode of this cell, 1 THz, is 1000 times the thermal energy.
    assert heat_capacity(crystal, ARGON.potential, temperatures=[0.05])[0] == 0.0
    flat = gd.SYSTEMS["lj2d"]
    cold, hot = heat_capacity(flat.crystal(), flat.potential, temperatures=[5.0, 1e6])
    assert cold < 1
    assert hot == pytest.approx(2.0)
    for bad in ([0.0], [-1.0], [np.nan]):
        with pytest.raises(ValueError, match="temperatures must be positive"):
            heat_capacity(crystal, ARGON.potential, temperatures=bad)


# --- boson peak ---------------------------------------------------------------------------------


def test_a_crystal_has_the_sound_waves_of_debye_and_no_more_at_low_frequency():
    """Reduced density 1 at low frequency, from frequencies of waves all over the zone."""
    mesh = (np.arange(24) + 0.5) / 24 - 0.5
    waves = np.stack(np.meshgrid(mesh, mesh, mesh, indexing="ij"), axis=-1).reshape(-1, 3)
    cell = bulk("Ar", a=float(ARGON.crystal().cell[0, 0]))
    omega = bands(
        cell, ARGON.potential, waves[: len(waves) // 2] @ (2 * np.pi * cell.cell.reciprocal())
    )
    debye = elastic_moduli(ARGON.crystal(), ARGON.potential).debye_frequency
    edge = 0.25 * debye
    share = np.mean(omega < edge)
    # ∫ 3ω²/ω_D³; 300 waves below the edge, and bands that bend by a few per cent there.
    assert share == pytest.approx((edge / debye) ** 3, rel=0.1)


def test_a_boson_peak_is_counted_in_units_of_sound():
    glass = gd.make_structure("lj3d", 5)
    edges = np.linspace(0.0, 2.4, 13)
    found = boson_peak(glass, ARGON.potential, edges)
    modes = gd.frequencies(glass, ARGON.potential)[3:]
    counts, _ = np.histogram(modes, edges)
    number = len(modes) * np.diff(edges**3) / found.debye_frequency**3
    assert found.reduced == pytest.approx(counts / number, rel=1e-9)
    assert found.height == found.reduced[edges[:-1] + 0.1 < 0.6 * found.debye_frequency].max()


def test_a_buckled_sheet_has_no_boson_peak():
    sheet = gd.SYSTEMS["amc_lb"]
    with pytest.raises(ValueError, match="bending waves"):
        boson_peak(sheet.crystal() * (2, 2, 1), sheet.potential, sheet.omega_edges)


# --- what all refuse ----------------------------------------------------------------------------


def test_structures_not_at_rest_are_refused_in_one_line():
    atoms = ARGON.crystal() * (2, 2, 2)
    atoms.rattle(0.1, seed=0)
    with pytest.raises(ValueError, match="not at rest"):
        participation_ratio(atoms, ARGON.potential)
    # A saddle: no forces, but a square lattice shears to a denser one.
    square = Atoms("Ar", cell=[3.7, 3.7, 9], pbc=[1, 1, 0]) * (4, 4, 1)
    flat = gd.SYSTEMS["lj2d"].potential
    with pytest.raises(ValueError, match=r"modes are imaginary, down to -.* THz") as refusal:
        heat_capacity(square, flat)
    assert "\n" not in str(refusal.value)


def test_loose_atoms_and_modes_of_other_atoms_are_refused():
    with pytest.raises(ValueError, match=r"3 modes beside the 3 translations .* atoms are loose"):
        participation_ratio(
            Atoms("Ar2", [[0, 0, 0], [15, 0, 0]], cell=[30] * 3, pbc=True), ARGON.potential
        )
    other = gd.modes(ARGON.crystal(), ARGON.potential)
    with pytest.raises(ValueError, match="32 atoms in 3 dimensions have 96 modes, got 12"):
        participation_ratio(ARGON.crystal() * (2, 2, 2), ARGON.potential, modes=other)


# --- the registry -------------------------------------------------------------------------------

#: What each glass has.
SOME = {
    "lj3d": {"participation", "heat", "elastic", "scattering", "boson", "conductivity"},
    "amc_lb": {"participation", "heat", "elastic", "scattering", "raman", "conductivity"},
}


@pytest.mark.parametrize("name", SOME)
def test_every_declared_variable_is_finite_and_of_its_shape(name):
    system = gd.SYSTEMS[name]
    # A conductivity needs cells of twice the reach of the forces.
    atoms = system.crystal() * ((4, 4, 4) if name == "lj3d" else (5, 3, 1))
    structure = Observed(atoms, system.potential, system.omega_edges)
    modes = len(structure.frequencies)
    for observable in SOME[name]:
        for variable, declared in OBSERVABLES[observable].items():
            value = np.asarray(declared.value(structure))
            if variable != "raman_depolarisation":  # most modes of a crystal scatter no light
                assert np.isfinite(value).all(), variable
            assert value.ndim == len([d for d in declared.dims if d != "structure"]), variable
            lengths = dict(
                zip([d for d in declared.dims if d != "structure"], value.shape, strict=True)
            )
            assert lengths.get("mode", modes) == modes
            assert lengths.get("omega", 100) == 100


def test_every_observable_is_tried():
    assert set().union(*SOME.values()) == set(OBSERVABLES)
