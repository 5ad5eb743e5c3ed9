"""Vibrations: crystals of known spectrum, zero modes, normalisation."""

import os

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.lj import LennardJones as AseLennardJones
from threadpoolctl import threadpool_info

import glassdata as gd
from glassdata.eigen import SOLVERS, SolverMissing, eigenvalues
from glassdata.minimise import relax
from glassdata.potentials import LennardJones
from glassdata.systems import SYSTEMS
from glassdata.units import BOLTZMANN, THZ
from glassdata.vibrations import energy_forces, without_translations

EPSILON, SIGMA = 119.8 * BOLTZMANN, 3.405


def test_the_frequency_unit():
    # sqrt(eV/Å²/u)/2π in THz, from CODATA by hand: e = 1.602176634e-19, u = 1.66053906892e-27.
    assert (
        pytest.approx(
            np.sqrt(1.602176634e-19 / 1e-20 / 1.66053906892e-27) / (2 * np.pi) / 1e12, rel=1e-9
        )
        == THZ
    )


def crystal_frequencies(system, repeat):
    crystal = system.crystal() * repeat
    return gd.frequencies(crystal, system.potential)


@pytest.mark.parametrize(
    ("name", "top"),
    [("amc", 74.16), ("amc_lb", 50.64), ("sic", 29.19), ("sic_tersoff", 29.66)],
)
def test_highest_frequency_of_the_crystal(name, top):
    # The highest frequency is at Γ, which every supercell contains.
    repeat = (2, 2, 1) if name.startswith("amc") else (1, 1, 1)
    assert crystal_frequencies(SYSTEMS[name], repeat).max() == pytest.approx(top, abs=0.01)


def test_highest_frequency_of_lennard_jones_fcc():
    potential = LennardJones(EPSILON, SIGMA, 8 * SIGMA, "cut")
    start = bulk("Ar", "fcc", a=1.5417 * SIGMA, cubic=True)
    crystal = relax(start, potential, max_force=1e-8, cell="isotropic")
    # 28.1 √(ε/m)/σ in angular units, at the zone boundary X, which a cubic cell contains.
    unit = np.sqrt(EPSILON / crystal.get_masses()[0]) / SIGMA * THZ
    assert gd.frequencies(crystal, potential).max() / unit == pytest.approx(28.1, abs=0.05)


@pytest.mark.parametrize(
    ("name", "peaks"),
    [("amc", (9.3, 18.8, 39.3, 50.3, 66.3)), ("amc_lb", (13.3, 26.3, 49.3))],
)
def test_peaks_of_graphene(name, peaks):
    # Peaks read off a histogram are known to its bin: a large cell, 1 THz smoothing.
    system = SYSTEMS[name]
    modes = without_translations(crystal_frequencies(system, (16, 10, 1)), 3)
    edges = np.arange(0.0, 80.0, 0.5)
    spectrum = np.convolve(gd.pdos(modes, edges), np.ones(3) / 3, mode="same")
    centres = (edges[:-1] + edges[1:]) / 2
    inner = spectrum[1:-1]
    maxima = centres[1:-1][(inner >= spectrum[:-2]) & (inner >= spectrum[2:]) & (inner > 0.01)]
    for peak in peaks:
        assert np.abs(maxima - peak).min() < 1.0


@pytest.mark.parametrize("name", SYSTEMS)
def test_exactly_d_zero_modes_at_a_minimum(name):
    system = SYSTEMS[name]
    atoms = gd.make_structure(name, 0)
    modes = np.sort(np.abs(gd.frequencies(atoms, system.potential)))
    d = system.potential.dim
    # Rounding of eigenvalues, 1e-15 of the largest, becomes 3e-8 of the largest frequency.
    assert modes[d - 1] < 1e-6 * modes[-1] < modes[d]


@pytest.mark.parametrize("name", SYSTEMS)
def test_first_moment_is_the_trace(name):
    # Σ ω² = Tr(M⁻¹H): eigenvalues against an independent sum.
    system = SYSTEMS[name]
    atoms = gd.make_structure(name, 0)
    modes = gd.frequencies(atoms, system.potential)
    diagonal = gd.hessian(atoms, system.potential).diagonal()
    trace = (diagonal.reshape(len(atoms), -1).sum(axis=1) / atoms.get_masses()).sum() * THZ**2
    assert (np.sign(modes) * modes**2).sum() == pytest.approx(trace, rel=1e-10)


def test_imaginary_frequencies_are_negative():
    # A row of three bound atoms pushed together buckles: an unstable stationary point.
    potential = LennardJones(EPSILON, SIGMA, 2.5 * SIGMA)
    row = Atoms("Ar3", positions=[[i * 1.05 * SIGMA, 0, 0] for i in range(3)], cell=[60] * 3)
    row.pbc = True
    modes = gd.frequencies(row, potential)
    assert (modes < -0.01).any()
    assert (np.diff(modes) >= 0).all()


def test_any_ase_calculator_by_finite_differences():
    atoms = bulk("Ar", "fcc", a=5.3, cubic=True) * (2, 2, 2)
    atoms.rattle(0.1, seed=0)
    calculator = AseLennardJones(epsilon=EPSILON, sigma=SIGMA, rc=8.0)
    numeric = gd.hessian(atoms, calculator).toarray()
    exact = gd.hessian(atoms, LennardJones(EPSILON, SIGMA, 8.0, "shifted")).toarray()
    assert np.abs(numeric - exact).max() < 1e-5 * np.abs(exact).max()  # steps of 1e-4 Å


def test_pdos_integrates_to_one_over_the_modes_in_range():
    rng = np.random.default_rng(0)
    modes = rng.uniform(-2.0, 12.0, 5000)
    edges = np.linspace(0.0, 10.0, 41)
    spectrum = gd.pdos(modes, edges)
    assert (spectrum * np.diff(edges)).sum() == pytest.approx(1.0)
    inside = modes[(modes >= 0) & (modes <= 10)]
    centres = (edges[1:] + edges[:-1]) / 2
    # The mean over bins differs from the mean over modes by less than half a bin.
    assert (centres * spectrum * np.diff(edges)).sum() == pytest.approx(inside.mean(), abs=0.125)


def test_pdos_of_nothing_is_not_a_number():
    assert np.isnan(gd.pdos(np.array([]), np.linspace(0, 1, 3))).all()
    with pytest.raises(ValueError, match="increasing"):
        gd.pdos(np.array([1.0]), np.array([1.0, 0.0]))


def test_one_atom_has_only_translations():
    atom = Atoms("Ar", cell=[5.3] * 3, pbc=True)
    potential = SYSTEMS["lj3d"].potential
    assert np.abs(gd.frequencies(atom, potential)).max() < 1e-6
    assert energy_forces(atom, potential)[1] == pytest.approx(0, abs=1e-12)


def test_a_diatomic_molecule_has_one_vibration():
    potential = LennardJones(EPSILON, SIGMA, 2.5 * SIGMA, "cut")
    r = 2 ** (1 / 6) * SIGMA
    pair = Atoms("Ar2", positions=[[0, 0, 0], [r, 0, 0]], cell=[60] * 3, pbc=True)
    modes = gd.frequencies(pair, potential)
    curvature = 72 * EPSILON / (2 ** (1 / 3) * SIGMA**2)
    expected = np.sqrt(2 * curvature / pair.get_masses()[0]) * THZ
    assert modes[-1] == pytest.approx(expected, rel=1e-10)
    assert np.abs(modes[:-1]).max() < 1e-6


@pytest.mark.parametrize("solver", SOLVERS)
def test_all_eigenvalue_solvers_give_the_same_spectrum(solver):
    atoms, potential = gd.make_structure("lj3d", 5), SYSTEMS["lj3d"].potential
    expected = gd.frequencies(atoms, potential)
    try:
        found = gd.frequencies(atoms, potential, solver=solver)
    except SolverMissing as reason:
        wheels = any("scipy_openblas" in library["filepath"] for library in threadpool_info())
        assert solver == "mkl" or (solver == "two-stage" and not wheels)
        pytest.skip(str(reason))
    # Squares are what is computed: the root magnifies the rounding of the zero modes.
    assert np.abs(found * np.abs(found) - expected * np.abs(expected)).max() < 1e-9 * (
        expected.max() ** 2
    )


@pytest.mark.parametrize("solver", SOLVERS)
def test_eigenvalues_of_any_layout_and_type(solver):
    matrix = np.array([[2, 1, 0], [1, 2, 0], [0, 0, 5]])
    for given in (matrix, matrix.astype("f4"), np.asfortranarray(matrix * 1.0)):
        try:
            assert eigenvalues(given, solver) == pytest.approx([1, 3, 5], rel=1e-14)
        except SolverMissing as reason:
            pytest.skip(str(reason))
    with pytest.raises(ValueError, match=r"shape \(3, 2\) has no eigenvalues"):
        eigenvalues(matrix[:, :2], solver)


def test_atoms_without_mass_are_refused():
    atoms = SYSTEMS["lj3d"].crystal()
    atoms.set_masses([40.0, 0.0, 40.0, 40.0])
    with pytest.raises(ValueError, match="without mass"):
        gd.frequencies(atoms, SYSTEMS["lj3d"].potential)


def test_an_unknown_solver_is_named():
    with pytest.raises(ValueError, match="unknown eigenvalue solver 'magic'; there are scipy"):
        gd.frequencies(SYSTEMS["lj3d"].crystal(), SYSTEMS["lj3d"].potential, solver="magic")


def test_a_glass_too_large_for_a_dense_matrix_is_refused_before_any_work(monkeypatch):
    page = os.sysconf("SC_PAGE_SIZE")
    monkeypatch.setattr(os, "sysconf", lambda name: page if name == "SC_PAGE_SIZE" else 1)
    monkeypatch.setattr("glassdata.vibrations.dynamical_matrix", pytest.fail)
    atoms = SYSTEMS["lj3d"].crystal() * (2, 2, 2)
    with pytest.raises(MemoryError, match=r"32 atoms take 0 GiB.*pdos_kpm needs no dense"):
        gd.frequencies(atoms, SYSTEMS["lj3d"].potential)
