"""Kernel polynomial spectra against exact ones."""

import numpy as np
import pytest
from ase import Atoms

import glassdata as gd
from glassdata.kpm import pdos_kpm
from glassdata.systems import SYSTEMS


def smoothed_exact(modes, edges, resolution, top):
    """Exact histogram after smearing each mode by the kernel's width at its frequency."""
    rng = np.random.default_rng(0)
    width = resolution * np.sqrt(np.clip(1 - (modes / top) ** 2, 0, None))
    cloud = np.abs(modes + width * rng.standard_normal((400, len(modes)))).ravel()
    counts, _ = np.histogram(cloud, edges)
    return counts / (len(cloud) * np.diff(edges))


@pytest.mark.parametrize(
    ("name", "index", "profile"),
    [
        ("lj3d", 5, "demo"),
        ("lj2d", 5, "demo"),
        ("amc", 5, "demo"),
        ("cualzr", 5, "demo"),
        ("lj3d", 5, "paper"),  # 847 atoms
    ],
)
def test_agrees_with_diagonalisation_within_its_own_error_bar(name, index, profile):
    system = SYSTEMS[name]
    atoms = gd.make_structure(name, index, profile)
    modes = gd.frequencies(atoms, system.potential)
    edges = np.linspace(0.0, 1.05 * modes.max(), 41)
    found = pdos_kpm(atoms, system.potential, edges, n_moments=300, n_vectors=64, seed=1)
    exact = smoothed_exact(modes, edges, found.resolution, modes.max() * 1.005)
    # Errors from 64 vectors are themselves known to a tenth; the kernel is not quite Gaussian,
    # which shows where the spectrum is steep: allow 1 % of the highest bin for it.
    off = np.abs(found.pdos - exact)
    allowed = found.error + 0.01 * exact.max()
    assert (off < 4 * allowed).all()
    assert np.mean(off < 2 * allowed) > 0.9


def test_integral_is_one_and_nothing_is_negative():
    system = SYSTEMS["lj3d"]
    atoms = gd.make_structure("lj3d", 5)
    edges = np.linspace(0.0, 4.0, 81)
    found = pdos_kpm(atoms, system.potential, edges, n_moments=200, n_vectors=4)
    assert (found.pdos * np.diff(edges)).sum() == pytest.approx(1.0, abs=1e-12)
    assert found.pdos.min() > -1e-12  # Jackson's kernel is positive


def test_error_falls_with_the_number_of_vectors():
    system = SYSTEMS["lj3d"]
    atoms = gd.make_structure("lj3d", 5)
    edges = np.linspace(0.0, 3.0, 31)
    few = pdos_kpm(atoms, system.potential, edges, n_moments=100, n_vectors=16)
    many = pdos_kpm(atoms, system.potential, edges, n_moments=100, n_vectors=256)
    assert many.error.sum() / few.error.sum() == pytest.approx(1 / 4, rel=0.3)


@pytest.mark.parametrize(("rattle", "moments"), [(0.02, 100), (0.05, 100), (0.05, 50), (0.05, 400)])
def test_a_negative_density_is_never_returned(rattle, moments):
    """A few weak imaginary modes, which let the polynomials grow, but not diverge."""
    system = SYSTEMS["lj3d"]
    atoms = gd.make_structure("lj3d", 5)
    atoms.rattle(rattle, seed=0)
    edges = np.linspace(0.0, 4.0, 81)
    refusal = ""
    try:
        found = pdos_kpm(atoms, system.potential, edges, n_moments=moments)
    except ValueError as error:
        refusal = str(error)
    if refusal:
        assert "not at a minimum" in refusal
        assert gd.frequencies(atoms, system.potential).min() < 0
    else:
        assert found.pdos.min() >= -1e-9 * found.pdos.max()


def test_a_structure_far_from_a_minimum_is_refused():
    atoms = SYSTEMS["lj3d"].crystal() * (3, 3, 3)
    atoms.rattle(0.8, seed=3)
    with pytest.raises(ValueError, match="at a minimum"):
        pdos_kpm(atoms, SYSTEMS["lj3d"].potential, np.linspace(0, 3, 31))


def test_bad_arguments_are_refused():
    atoms = SYSTEMS["lj3d"].crystal()
    edges = np.linspace(0, 3, 31)
    for bad in ({"n_vectors": 1}, {"n_moments": 400.0}, {"n_threads": 0}):
        ((name, value),) = bad.items()
        with pytest.raises(ValueError, match=f"{name} must be a whole number from .* got {value}"):
            pdos_kpm(atoms, SYSTEMS["lj3d"].potential, edges, **bad)
    with pytest.raises(ValueError, match="must not be negative"):
        pdos_kpm(atoms, SYSTEMS["lj3d"].potential, np.array([-1.0, 1.0]))


def test_atoms_out_of_reach_have_no_spectrum():
    lonely = Atoms("Ar", cell=[20, 20, 20], pbc=True)
    with pytest.raises(ValueError, match="there is no spectrum"):
        pdos_kpm(lonely, SYSTEMS["lj3d"].potential, np.linspace(0.0, 3.0, 5))
