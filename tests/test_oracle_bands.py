"""Bands against the textbook: fcc with springs between nearest neighbours, at four points."""

import numpy as np
import pytest
from scipy.constants import physical_constants, pi
from test_oracle_rows import CUT, MASS, lennard_jones

import glassdata as gd
from glassdata.bands import _wave_vectors, bands, crystal_spectra
from glassdata.crystal import Crystal
from glassdata.potentials import LennardJones

#: THz of 1 eV/Å²/u.
UNIT = np.sqrt(
    physical_constants["electron volt"][0] / physical_constants["atomic mass constant"][0]
) / (2 * pi * 1e2)


def springs():
    """fcc whose potential ends before the second shell, so that bonds are springs at rest."""
    from ase.build import bulk

    potential = LennardJones(0.0103, 3.405, 4.6)
    fcc = Crystal(
        bulk, {"name": "Ar", "crystalstructure": "fcc", "a": 5.3, "cubic": True}, potential
    )
    atoms = fcc()
    r = atoms.cell[0, 0] / np.sqrt(2)
    _, slope, curvature = (float(x[0]) for x in potential.functions(r))
    assert abs(slope) < 1e-6 * curvature
    return atoms, potential, curvature


def test_nearest_neighbour_fcc_at_the_centre_and_on_the_boundary():
    """mω² = 8f and twice 4f at X; 8f and twice 2f at L: from D = Σ 2f sin²(q·R/2) R̂R̂ over bonds.

    The cubic cell folds X onto Γ, three times: 3 zeros, 6 × 4f and 3 × 8f. L = π/a (1, 1, 1).
    """
    atoms, potential, f = springs()
    a = atoms.cell[0, 0]
    waves = np.array([[0, 0, 0], [1, 1, 1]]) * np.pi / a
    at_gamma, at_l = bands(atoms, potential, waves)
    top = np.sqrt(8 * f / MASS) * UNIT
    # Zero modes are square roots of rounding errors: 1e-7 of the top.
    expected = top * np.sqrt(np.array([0] * 3 + [1 / 2] * 6 + [1] * 3))
    assert at_gamma == pytest.approx(expected, abs=1e-5 * top)
    # All four L points fold onto one.
    expected = top * np.sqrt(np.array([1 / 4] * 8 + [1] * 4))
    assert at_l == pytest.approx(expected, abs=1e-5 * top)


def test_nearest_neighbour_fcc_on_the_way_to_the_boundary():
    """Along [100]: mω² = 8f sin²(qa/4), longitudinal, and half of that, transverse, twice."""
    atoms, potential, f = springs()
    a = atoms.cell[0, 0]
    q = 0.3 * np.pi / a
    (found,) = bands(atoms, potential, np.array([[q, 0, 0]]))
    longitudinal = np.sqrt(8 * f / MASS) * UNIT * np.sin(q * a / 4)
    expected = sorted([longitudinal, longitudinal / np.sqrt(2), longitudinal / np.sqrt(2)])
    assert found[:3] == pytest.approx(expected, rel=1e-5)
    # The bonds must not be confused with their images, whatever the cell: twice as long a cell
    # folds the same waves.
    (longer,) = bands(atoms * (1, 1, 2), potential, np.array([[q, 0, 0]]))
    assert {round(x, 5) for x in found} <= {round(x, 5) for x in longer}


@pytest.mark.parametrize("name", ["lj2d", "lj3d", "amc"])
def test_spectra_of_crystals_integrate_to_one_and_count_neighbours(name):
    system = gd.SYSTEMS[name]
    g, spectrum = crystal_spectra(system, 6000)
    width = system.omega_max / 100
    assert spectrum.sum() * width == pytest.approx(1)
    assert g.shape == (100,)
    # The crystal's first shell, at the lowest distance.
    shells = {2: np.pi, 3: 4 * np.pi / 3}[system.dim] * np.diff(system.r_edges**system.dim)
    crystal = system.crystal()
    cell = crystal.cell.array
    size = np.linalg.norm(np.cross(*cell[:2])) if system.dim == 2 else crystal.get_volume()
    counts = g * shells * len(crystal) / size
    neighbours = {"lj2d": 6, "lj3d": 12, "amc": 3}[name]
    assert counts[np.flatnonzero(g)[0]] == pytest.approx(neighbours)


@pytest.mark.parametrize(("name", "mesh"), [("lj2d", 38), ("lj3d", 10), ("amc", 25)])
def test_waves_are_an_even_mesh_of_the_zone(name, mesh):
    """As many steps along each periodic direction, and about as many frequencies as asked for."""
    system = gd.SYSTEMS[name]
    crystal = system.crystal()
    periodic = crystal.pbc.sum()
    n_modes = mesh**periodic * len(crystal) * system.potential.dim
    waves = _wave_vectors(crystal, n_modes, system.potential.dim)
    fractions = waves @ crystal.cell.array.T / (2 * np.pi)
    assert not fractions[:, ~crystal.pbc].any()
    assert fractions.shape == (mesh**periodic, 3)
    steps = mesh * fractions[:, crystal.pbc]
    offset = steps % 1
    np.testing.assert_allclose(offset, np.broadcast_to(offset[0], offset.shape), atol=1e-9)
    # Every point of the mesh once, within one zone.
    places = np.round(steps - offset[0]).astype(int)
    assert (places.min(), places.max()) == (0, mesh - 1)
    assert len({tuple(place) for place in places}) == len(places)
    # No two are q and −q, or q and its mirror image, of equal frequencies.
    images = {tuple(np.round(abs(q - np.round(q)), 9)) for q in fractions[:, crystal.pbc]}
    assert len(images) == len(places)


def test_mean_square_frequency_is_the_trace_of_the_force_constants():
    """Σ [φ'' + 2φ'/r] / 3m over the neighbours, shell by shell, with the textbook's φ."""
    system = gd.SYSTEMS["lj3d"]
    a = system.crystal().cell[0, 0]
    shells = [(n, number) for n, number in enumerate((12, 6, 24, 12, 24), 1)]
    trace = 0.0
    for n, number in shells:
        r = a * np.sqrt(n / 2)
        if r < CUT:
            _, slope, curvature = lennard_jones(r)
            trace += number * (curvature + 2 * slope / r)
    middle = (system.omega_edges[1:] + system.omega_edges[:-1]) / 2
    for n_modes in (2000, 20_000):
        mean = (crystal_spectra(system, n_modes)[1] * middle**2).sum() * 0.03
        # Bins of 0.03 THz and a mesh of 5³ points: a percent.
        assert mean == pytest.approx(trace / 3 / MASS * UNIT**2, rel=0.01)


def test_spectrum_of_a_substituted_alloy_is_that_of_its_doubled_cell():
    """250 atoms, twice: 1497 modes without translations, each in one bin of 0.15 THz."""
    system = gd.SYSTEMS["cualzr"]
    assert len(system.crystal()) == 250
    _, spectrum = crystal_spectra(system)
    counts = spectrum * 0.15 * (3 * 500 - 3)
    assert counts == pytest.approx(np.round(counts), abs=1e-6)
    assert counts.sum() == pytest.approx(1497)
    # Crystals have gaps and smooth bands, but no single bin holds a tenth of the modes.
    assert counts.max() < 150
