"""Elastic moduli against published numbers, stresses of strained and relaxed cells, and sound."""

import numpy as np
import pytest

import glassdata as gd
from glassdata.bands import bands
from glassdata.observables import elastic_moduli
from glassdata.observables.elastic import debye_frequency
from glassdata.units import GIGAPASCAL, KILOMETRE_PER_SECOND, THZ

# Published and independently computed: Erhart and Albe, Tersoff 1989; C11, C12, C44 in GPa.
PUBLISHED = {"sic": (383.8, 144.4, 239.7), "sic_tersoff": (436.6, 117.9, 256.6)}


@pytest.mark.parametrize("name", PUBLISHED)
def test_silicon_carbide_has_the_published_moduli(name):
    """C44 would be 305 and 311 GPa if carbon and silicon did not move against each other."""
    system = gd.SYSTEMS[name]
    found = elastic_moduli(system.crystal(), system.potential).moduli * GIGAPASCAL
    c11, c12, c44 = PUBLISHED[name]
    cubic = np.zeros((6, 6))
    cubic[:3, :3] = c12
    np.fill_diagonal(cubic, [c11] * 3 + [c44] * 3)
    assert found == pytest.approx(cubic, abs=0.06)  # half of the last digit, and rounding


@pytest.mark.parametrize(("name", "left"), [("lj3d", 1e-7), ("amc_lb", 1e-6)])
def test_moduli_are_the_stress_of_strained_and_relaxed_glasses(name, left):
    system = gd.SYSTEMS[name]
    atoms = gd.relax(gd.make_structure(name, 5), system.potential, max_force=left)
    found = elastic_moduli(atoms, system.potential)
    pairs = [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]
    pairs = pairs if system.dim == 3 else [(0, 0), (1, 1), (0, 1)]
    for n in (0, len(pairs) - 1):
        a, b = pairs[n]
        sides = []
        for sign in (1, -1):
            strain = np.zeros((3, 3))
            strain[a, b] += sign * 5e-5
            strain[b, a] += sign * 5e-5
            turned = atoms.copy()
            turned.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
            turned = gd.relax(turned, system.potential, max_force=left)
            sides.append(gd.stress(turned, system.potential))
        slope = (sides[0] - sides[1]) / 2e-4
        # Forces left over strains of 1e-4, and the third derivative of a glass.
        expected = [slope[pair] for pair in pairs]
        assert found.moduli[:, n] == pytest.approx(expected, abs=5e-3 * found.moduli.max())
    assert np.linalg.eigvalsh(found.born - found.moduli).min() > -1e-9  # relaxing only softens


def test_cubic_crystals_of_one_atom_per_cell_do_not_relax():
    argon = gd.SYSTEMS["lj3d"]
    found = elastic_moduli(argon.crystal() * (2, 2, 2), argon.potential)
    assert found.moduli == pytest.approx(found.born, abs=1e-6 * found.born.max())
    c = found.moduli
    # Cauchy's relation: central forces, every atom a centre of symmetry, no pressure.
    assert c[0, 1] == pytest.approx(c[3, 3], rel=1e-4)
    assert found.bulk == pytest.approx((c[0, 0] + 2 * c[0, 1]) / 3, rel=1e-9)
    assert found.shear == pytest.approx((c[0, 0] - c[0, 1] + 3 * c[3, 3]) / 5, rel=1e-9)
    # Without stress the mean square velocities are those of Voigt's averages.
    density = found_density(argon.crystal())
    speed = KILOMETRE_PER_SECOND
    assert found.transverse == pytest.approx((found.shear / density) ** 0.5 * speed, rel=1e-4)
    wanted = ((found.bulk + 4 / 3 * found.shear) / density) ** 0.5 * speed
    assert found.longitudinal == pytest.approx(wanted, rel=1e-4)


def found_density(atoms):
    return atoms.get_masses().sum() / atoms.get_volume()


@pytest.mark.parametrize("size", [1.0, 0.97])
def test_debyes_frequency_is_that_of_the_bands_of_long_waves(size):
    """Also under pressure, where the moduli alone do not give the sound waves."""
    argon = gd.SYSTEMS["lj3d"]
    cell = gd.SYSTEMS["lj3d"].crystal()
    cell.set_cell(size * cell.cell, scale_atoms=True)
    found = elastic_moduli(cell, argon.potential)
    rng = np.random.default_rng(0)
    unit = rng.standard_normal((300, 3))
    unit /= np.linalg.norm(unit, axis=1)[:, None]
    k = 0.02  # 1/Å, a fiftieth of the zone: dispersion is 1e-4 there
    sound = np.sort(bands(cell, argon.potential, k * unit), axis=1)[:, :3] / k  # THz Å
    slowness = (sound**-3).mean()
    debye = (6 * np.pi**2 * len(cell) / cell.get_volume()) ** (1 / 3) * slowness ** (-1 / 3)
    # The mean over 300 directions scatters by half a percent.
    assert found.debye_frequency == pytest.approx(debye, rel=0.01)
    squares = (sound**2).mean() / THZ**2  # eV/u
    mean = (found.longitudinal**2 + 2 * found.transverse**2) / 3 / KILOMETRE_PER_SECOND**2
    assert mean == pytest.approx(squares, rel=0.01)


def test_debyes_frequency_of_what_is_isotropic_needs_two_velocities():
    """A hexagonal sheet is isotropic; in its sum over waves each polarisation counts once."""
    argon = gd.SYSTEMS["lj2d"]
    cell = argon.crystal()
    found = elastic_moduli(cell, argon.potential)
    density = len(cell) / np.linalg.det(cell.cell.array[:2, :2])
    same = debye_frequency(found.longitudinal, found.transverse, density, d=2)
    assert same == pytest.approx(found.debye_frequency, rel=1e-3)
    # Waves of one velocity v in space: k v / 2π with k³ = 6π²n, and one km/s is 10 Å THz.
    alike = debye_frequency(np.array([2.0]), np.array([2.0]), np.array([0.02]), d=3)
    assert alike == pytest.approx(np.cbrt(6 * np.pi**2 * 0.02) * 20 / (2 * np.pi), rel=1e-9)


def test_a_sheet_has_moduli_in_its_plane():
    """A hexagonal crystal is isotropic in the plane."""
    sheet = gd.SYSTEMS["amc_lb"]
    c = elastic_moduli(sheet.crystal(), sheet.potential).moduli
    assert c.shape == (3, 3)
    assert c[0, 0] == pytest.approx(c[1, 1], rel=1e-6)
    assert c[2, 2] == pytest.approx((c[0, 0] - c[0, 1]) / 2, rel=1e-6)


def test_a_structure_that_is_not_at_rest_has_no_moduli():
    argon = gd.SYSTEMS["lj3d"]
    atoms = argon.crystal() * (2, 2, 2)
    atoms.rattle(0.1, seed=0)
    with pytest.raises(ValueError, match=r"not at rest: a force of .* is left; relax it first"):
        elastic_moduli(atoms, argon.potential)
    stretched = argon.crystal()
    stretched.set_cell(1.2 * stretched.cell, scale_atoms=True)
    with pytest.raises(ValueError, match="structure is not at a minimum"):
        elastic_moduli(stretched, argon.potential)
