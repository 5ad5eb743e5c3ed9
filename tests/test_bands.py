"""Bands of crystals against known tops and repeated cells."""

import numpy as np
import pytest
from ase.build import bulk

import glassdata as gd
from glassdata.bands import bands


@pytest.mark.parametrize(
    ("name", "top"),
    [("amc", 74.16), ("amc_lb", 50.64), ("sic", 29.19), ("sic_tersoff", 29.66)],
)
def test_crystal_spectra_reach_the_known_top(name, top):
    # SCIENCE.md section 4. The mesh misses the zone centre by a little, hence two bins.
    system = gd.SYSTEMS[name]
    g, spectrum = gd.crystal_spectra(system)
    width = system.omega_edges[1]
    highest = system.omega_edges[np.flatnonzero(spectrum)[-1] + 1]
    assert abs(highest - top) < 2 * width
    assert spectrum.sum() * width == pytest.approx(1)
    assert g.shape == (system.n_r,)


def test_band_frequencies_are_those_of_a_repeated_cell():
    # At the wave vectors that fit into n cells, a crystal's bands are the modes of n cells.
    system = gd.SYSTEMS["sic"]
    crystal = system.crystal()
    waves = np.zeros((2, 3))
    waves[1, 0] = np.pi / crystal.cell[0, 0]
    modes = bands(crystal, system.potential, waves)
    folded = gd.frequencies(crystal * (2, 1, 1), system.potential)
    # 1e-4 THz: zero modes are square roots of rounding errors.
    np.testing.assert_allclose(np.sort(modes.ravel()), folded, atol=1e-4)


def test_a_skewed_cell_has_the_bands_of_a_cube():
    """Its faces are nearer to each other than its edges are long; four of it make a cube."""
    silicon = gd.SYSTEMS["si"].potential
    cube = bulk("Si", "diamond", a=5.431, cubic=True)
    skewed = bulk("Si", "diamond", a=5.431)
    folded = 2 * np.pi / 5.431 * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    one = np.sort(bands(cube, silicon, np.zeros((1, 3))).ravel())
    four = np.sort(bands(skewed, silicon, folded).ravel())
    np.testing.assert_allclose(four[3:], one[3:], rtol=1e-6)
