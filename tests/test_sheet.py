"""Sheets lie in the xy plane; those that do not are refused or described alike, never wrongly."""

import numpy as np
import pytest
from ase import Atoms

import glassdata as gd
from glassdata.broadening import broad_rdf
from glassdata.describe import describe
from glassdata.minimise import relax
from glassdata.radial import number_density, partial_rdf
from glassdata.rings import ring_fractions
from glassdata.sheet import check_flat, check_sheet, roughness
from glassdata.systems import SYSTEMS

CARBON, ARGON = SYSTEMS["amc"], SYSTEMS["lj2d"]


def turned(atoms):
    """The same structure with its axes renamed: x stays, y becomes z, z becomes -y."""
    other = Atoms(
        atoms.numbers,
        atoms.positions[:, [0, 2, 1]] * [1, -1, 1],
        cell=atoms.cell.array[[0, 2, 1]][:, [0, 2, 1]] * [1, -1, 1],
        pbc=atoms.pbc[[0, 2, 1]],
    )
    assert other.pbc.tolist() == [True, False, True]
    return other


def sheet(system, seed=0):
    atoms = system.crystal() * (3, 2, 1)
    rng = np.random.default_rng(seed)
    atoms.positions[:, : system.potential.dim] += rng.normal(
        0, 0.05, (len(atoms), system.potential.dim)
    )
    return atoms


@pytest.mark.parametrize("system", [CARBON, ARGON], ids=lambda s: s.name)
def test_what_has_no_direction_is_the_same_in_any_plane(system):
    atoms = sheet(system)
    # Edges off the shells of the crystal: turning rounds distances differently.
    edges = np.linspace(0, 8.03, 30)
    for measure in (
        lambda a: number_density(a, 2),
        lambda a: gd.rdf(a, edges, dim=2),
        lambda a: partial_rdf(a, edges, system.species, dim=2),
        lambda a: broad_rdf(a, np.array([2.0, 3.0]), 0.1, 2),
        lambda a: np.trace(gd.stress(a, system.potential)),
    ):
        assert measure(turned(atoms)) == pytest.approx(measure(atoms), rel=1e-12)


@pytest.mark.parametrize(
    "measure",
    [
        lambda a: ring_fractions(a, CARBON.bond_length),
        roughness,
        lambda a: describe(a, CARBON),
    ],
    ids=["rings", "roughness", "describe"],
)
def test_rings_and_heights_of_a_sheet_in_another_plane_are_refused(measure):
    measure(sheet(CARBON))
    with pytest.raises(ValueError, match="a sheet must be periodic in the xy plane only"):
        measure(turned(sheet(CARBON)))


@pytest.mark.parametrize(
    "measure",
    [gd.hessian, gd.frequencies, relax],
    ids=lambda f: f.__name__,
)
def test_two_dimensional_vibrations_of_another_plane_are_refused(measure):
    measure(sheet(ARGON), ARGON.potential)
    with pytest.raises(ValueError, match="a sheet must be periodic in the xy plane only"):
        measure(turned(sheet(ARGON)), ARGON.potential)
    buckled = sheet(ARGON)
    buckled.positions[3, 2] += 0.5
    with pytest.raises(ValueError, match=r"must lie in the xy plane, its z differ by 0\.5 Å"):
        measure(buckled, ARGON.potential)


def test_a_carbon_sheet_in_any_plane_has_the_same_spectrum():
    # Atoms that move in space need no plane.
    atoms = sheet(CARBON)
    modes = gd.frequencies(atoms, CARBON.potential)
    assert gd.frequencies(turned(atoms), CARBON.potential)[3:] == pytest.approx(
        modes[3:], abs=1e-6 * modes.max()
    )


def test_roughness_is_the_scatter_of_the_heights():
    atoms = sheet(CARBON)
    atoms.positions[:, 2] = 7.0
    assert roughness(atoms) == 0
    atoms.positions[::2, 2] += 1.0
    # Half of the atoms lie 0.5 above the mean, half 0.5 below.
    assert roughness(atoms) == pytest.approx(0.5, rel=1e-12)


def test_clusters_and_ribbons_in_the_plane_pass():
    check_sheet(Atoms("C2", [[0, 0, 0], [0, 0, 1.4]]))
    check_flat(Atoms())
    check_flat(Atoms("Ar2", [[0, 0, 1], [1, 0, 1]], cell=[4, 0, 0], pbc=[True, False, False]))
