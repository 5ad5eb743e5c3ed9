"""Potentials: reference numbers, derivatives against finite differences and against matscipy."""

import doctest
import pkgutil
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.constraints import FixAtoms
from ase.units import GPa
from matscipy.calculators.manybody import Manybody
from matscipy.calculators.manybody.explicit_forms.tersoff_brenner import TersoffBrenner

from glassdata import potentials
from glassdata.minimise import relax
from glassdata.potentials import (
    ERHART_ALBE_2005,
    LINDSAY_BROIDO_2010,
    TERSOFF_1989,
    BondOrder,
    LennardJones,
    StillingerWeber,
    read_setfl,
    zhou_eam,
)
from glassdata.potentials.verlet import VerletList
from glassdata.row import make_structure
from glassdata.systems import SYSTEMS
from glassdata.systems.cualzr import SHENG as PUBLISHED
from glassdata.units import BOLTZMANN
from glassdata.vibrations import energy_forces, hessian

SHENG = Path(__file__).parents[2] / "shared" / "data" / "ZrCuAl2011.eam.alloy"
needs_sheng = pytest.mark.skipif(
    not SHENG.exists(), reason="no Cheng-Ma-Sheng file beside the repo"
)

EPSILON, SIGMA = 119.8 * BOLTZMANN, 3.405


def lj(truncation="force-shifted", r_cut=2.5, dim=3):
    return LennardJones(EPSILON, SIGMA, r_cut * SIGMA, truncation, dim=dim)


POTENTIALS = {
    "lj force-shifted": lj(),
    "lj shifted": lj("shifted"),
    "lj cut": lj("cut"),
    "tersoff": BondOrder(TERSOFF_1989),
    "tersoff SiC": BondOrder(TERSOFF_1989),
    "lindsay-broido": BondOrder(LINDSAY_BROIDO_2010),
    "erhart-albe": BondOrder(ERHART_ALBE_2005),
    "stillinger-weber": StillingerWeber(),
    "zhou": zhou_eam(("Al", "Cu", "Zr"), r_on=6.5, r_cut=7.5),
}


def disordered(name):
    """A small cell of that potential's substance with vacancies, every atom off its site."""
    if name.startswith("lj"):
        atoms = bulk("Ar", "fcc", a=5.25, cubic=True) * (2, 2, 2)
    elif name == "stillinger-weber":
        atoms = bulk("Si", "diamond", a=5.43, cubic=True) * (2, 2, 2)
    elif name in ("erhart-albe", "tersoff SiC"):
        atoms = bulk("SiC", "zincblende", a=4.36, cubic=True) * (2, 2, 2)
        # With bonds between all species, so that no parameter stands for another.
        atoms.numbers = np.random.default_rng(4).permutation(atoms.numbers)
    elif name in ("tersoff", "lindsay-broido"):
        atoms = SYSTEMS["amc"].crystal() * (3, 2, 1)
    else:
        atoms = bulk("CuZr", "cesiumchloride", a=3.26, cubic=True) * (3, 3, 3)
        atoms.symbols[::9] = "Al"
    del atoms[[3, 10]]
    atoms.rattle(0.12, seed=4)
    return atoms


@pytest.mark.parametrize("name", ["lj shifted", "tersoff", "zhou"])
def test_kept_bonds_give_what_fresh_ones_give(name):
    """Along a path on which atoms move and the cell swells, first less than the skin, then more."""
    potential, atoms = POTENTIALS[name], disordered(name)
    kept, rng = VerletList(atoms, potential), np.random.default_rng(3)
    types, searches, before = potential.types(atoms), 0, None
    for _ in range(40):
        stretch = rng.uniform(0.995, 1.01)
        atoms.set_cell(atoms.cell.array * stretch)
        atoms.positions = atoms.positions * stretch + rng.normal(0, 0.02, atoms.positions.shape)
        bonds = kept.at(atoms.positions, atoms.cell.array)
        searches += bonds is not before
        before = bonds
        energy, per_bond = potential.energy_gradient(types, bonds)
        expected, forces = energy_forces(atoms, potential)
        assert energy == pytest.approx(expected, rel=1e-12)
        assert np.abs(bonds.gather(per_bond)[0] + forces).max() < 1e-10 * np.abs(forces).max()
    assert 1 < searches < 40


@pytest.mark.parametrize(
    "module", [module.name for module in pkgutil.iter_modules(potentials.__path__)]
)
def test_examples_in_the_docstrings(module):
    found = doctest.testmod(import_module(f"glassdata.potentials.{module}"))
    assert found.failed == 0


@pytest.mark.parametrize("name", POTENTIALS)
def test_forces_and_hessian_agree_with_finite_differences(name):
    potential, atoms = POTENTIALS[name], disordered(name)
    _, forces = energy_forces(atoms, potential)
    matrix = hessian(atoms, potential).toarray()
    step = 1e-4
    for column in (0, 4, 3 * len(atoms) - 1):
        atom, axis = divmod(column, 3)
        energies, pulls = [], []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[atom, axis] += sign * step
            energy, force = energy_forces(moved, potential)
            energies.append(energy)
            pulls.append(force.ravel())
        # Central differences err by step² times the next-but-one derivative: 1e-8 relative to a
        # curvature that varies over 0.1 Å gives 1e-6; "cut" and "shifted" jump at the cut-off.
        scale = np.abs(matrix).max()
        assert (energies[1] - energies[0]) / (2 * step) == pytest.approx(
            forces[atom, axis], abs=1e-6 * scale
        )
        numeric = (pulls[1] - pulls[0]) / (2 * step)
        assert np.abs(matrix[:, column] - numeric).max() < 1e-6 * scale


@pytest.mark.filterwarnings("ignore:'where' used without 'out'")
@pytest.mark.parametrize("name", [n for n in POTENTIALS if n not in ("lj cut", "erhart-albe")])
def test_energy_forces_and_hessian_agree_with_matscipy(name):
    potential, atoms = POTENTIALS[name], disordered(name)
    energy, forces = energy_forces(atoms, potential)
    matrix = hessian(atoms, potential).toarray()
    atoms.calc = potential.matscipy_calculator()
    assert energy == pytest.approx(atoms.get_potential_energy(), rel=1e-12)
    assert forces == pytest.approx(atoms.get_forces(), abs=1e-9)
    reference = potential.matscipy_hessian(atoms).toarray()
    assert np.abs(matrix - reference).max() < 1e-9 * np.abs(reference).max()


@pytest.mark.filterwarnings("ignore:'where' used without 'out'")
@pytest.mark.parametrize(
    ("name", "index"), [("amc", 4), ("amc_lb", 4), ("lj2d", 5), ("lj3d", 5), ("cualzr", 5)]
)
def test_hessians_of_glasses_agree_with_matscipy(name, index):
    """The most disordered structures of the ``demo`` profile; sheets quenched from the melt."""
    atoms, potential = make_structure(name, index), SYSTEMS[name].potential
    if name.startswith("amc"):
        assert atoms.info["quench_rate"] > 1000
    reference = potential.matscipy_hessian(atoms).toarray()
    d = potential.dim
    rows = np.arange(3 * len(atoms)).reshape(-1, 3)[:, :d].ravel()
    reference = reference[np.ix_(rows, rows)]
    found = hessian(atoms, potential).toarray()
    assert np.abs(found - reference).max() < 1e-9 * np.abs(reference).max()


def test_constraints_do_not_hide_forces():
    potential, atoms = POTENTIALS["lj force-shifted"], disordered("lj force-shifted")
    free = hessian(atoms, potential.matscipy_calculator()).toarray()
    energy, forces = energy_forces(atoms, potential.matscipy_calculator())
    atoms.set_constraint(FixAtoms([0, 1]))
    assert (hessian(atoms, potential.matscipy_calculator()).toarray() == free).all()
    fixed_energy, fixed_forces = energy_forces(atoms, potential.matscipy_calculator())
    assert fixed_energy == energy
    assert (fixed_forces == forces).all()
    assert len(atoms.constraints) == 1


@pytest.mark.parametrize("name", POTENTIALS)
def test_atoms_at_one_place_are_named(name):
    atoms = disordered(name)
    atoms.positions[5] = atoms.positions[2] + atoms.cell[0]
    with pytest.raises(ValueError, match=r"atoms (2 and 5|5 and 2) are at the same position"):
        hessian(atoms, POTENTIALS[name])


def test_what_is_no_potential_is_named():
    with pytest.raises(TypeError, match="neither a potential of glassdata nor an ASE calculator"):
        hessian(disordered("zhou"), "zhou")


@pytest.mark.parametrize(
    ("symbols", "structure", "a"),
    [("SiC", "zincblende", 4.36), ("Si", "diamond", 5.43), ("C", "diamond", 3.57)],
)
def test_erhart_albe_agrees_with_matscipy_where_all_bonds_are_of_one_kind(symbols, structure, a):
    """There it does not show that matscipy takes the angular parameters from the other bond."""
    potential = POTENTIALS["erhart-albe"]
    atoms = bulk(symbols, structure, a=a, cubic=True)
    atoms.rattle(0.02, seed=4)  # no second neighbour comes within a cut-off
    energy, forces = energy_forces(atoms, potential)
    atoms.calc = Manybody(**TersoffBrenner(dict(ERHART_ALBE_2005)))
    assert energy == pytest.approx(atoms.get_potential_energy(), rel=1e-12)
    assert forces == pytest.approx(atoms.get_forces(), abs=1e-9)


def test_matscipy_is_no_reference_for_mixed_bonds():
    with pytest.raises(ValueError, match="no Brenner potential of several species"):
        POTENTIALS["erhart-albe"].matscipy_calculator()


def test_identities_of_bond_order_potentials():
    """Rows made by the sets of Tersoff keep their names; those of the mended form get new ones."""
    for name in ("tersoff", "lindsay-broido"):
        potential = POTENTIALS[name]
        assert potential.parameters() == {"form": "bond order", **potential.parameter_set}
    assert POTENTIALS["erhart-albe"].parameters()["angular"] == "ik"


@pytest.mark.parametrize("name", POTENTIALS)
def test_hessian_is_symmetric_and_invariant_under_translation(name):
    matrix = hessian(disordered(name), POTENTIALS[name])
    assert abs(matrix - matrix.T).max() < 1e-14 * abs(matrix).max()  # order of additions
    rows = matrix.toarray().reshape(matrix.shape[0], -1, 3).sum(axis=1)
    assert np.abs(rows).max() < 1e-10 * abs(matrix).max()  # rounding of sums of some 100 terms


# SCIENCE numbers: lattice constant (Å), energy per atom (eV); four to five digits are given.
CRYSTALS = {
    "3C-SiC Erhart-Albe": ("erhart-albe", "zincblende", 4.3593, -6.3392),
    "3C-SiC Tersoff": ("tersoff", "zincblende", 4.3211, -6.1647),
}


@pytest.mark.parametrize("case", CRYSTALS)
def test_silicon_carbide(case):
    name, structure, length, energy = CRYSTALS[case]
    potential = POTENTIALS[name]
    crystal = relax(
        bulk("SiC", structure, a=4.4, cubic=True), potential, max_force=1e-7, cell="isotropic"
    )
    assert crystal.cell[0, 0] == pytest.approx(length, abs=5e-5)
    assert energy_forces(crystal, potential)[0] / len(crystal) == pytest.approx(energy, abs=5e-5)


def test_silicon():
    crystal = relax(
        bulk("Si", "diamond", a=5.5, cubic=True),
        StillingerWeber(),
        max_force=1e-7,
        cell="isotropic",
    )
    assert crystal.cell[0, 0] == pytest.approx(5.431, abs=5e-4)
    energy = energy_forces(crystal, StillingerWeber())[0] / len(crystal)
    # Two units of ε an atom are the very aim of Stillinger and Weber's A.
    assert energy == pytest.approx(-4.3366, abs=5e-5)


def strained(atoms, potential, strain):
    """Energy per volume (eV/Å³) of a crystal under a strain (3, 3), its atoms at rest in it."""
    atoms = atoms.copy()
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
    relaxed = relax(atoms, potential, max_force=1e-6)
    return energy_forces(relaxed, potential)[0]


def test_elastic_constants_of_silicon():
    """C11, C12 and C44 (GPa) from energies under strain, inner displacements relaxed."""
    potential, step = StillingerWeber(), 2e-3
    crystal = relax(
        bulk("Si", "diamond", a=5.431, cubic=True), potential, max_force=1e-9, cell="isotropic"
    )

    def stiffness(strain):
        energies = [strained(crystal, potential, x * strain) for x in (-step, 0.0, step)]
        second = (energies[0] - 2 * energies[1] + energies[2]) / step**2
        return second / crystal.get_volume() / GPa

    c11 = stiffness(np.diag([1.0, 0.0, 0.0]))
    both = stiffness(np.diag([1.0, 1.0, 0.0]))  # 2 C11 + 2 C12
    shear = np.zeros((3, 3))
    shear[0, 1] = shear[1, 0] = 0.5
    found = c11, both / 2 - c11, stiffness(shear)
    # Known for this potential to 0.1 GPa; between steps of 0.002 and 0.0005 the second differences
    # change by less than 0.002 GPa.
    assert found == pytest.approx((151.4, 76.4, 56.4), abs=0.06)


def test_few_atoms_of_silicon():
    """One atom has no energy, two have the pair term, three the angle as well."""
    potential = StillingerWeber()
    epsilon, sigma, a = potential.epsilon, potential.sigma, potential.a
    one = Atoms("Si", cell=[20, 20, 20], pbc=True)
    assert energy_forces(one, potential)[0] == 0
    assert hessian(one, potential).toarray() == pytest.approx(0)

    def pair(r):
        x = r / sigma
        return potential.A * epsilon * (potential.B * x**-4 - 1) * np.exp(1 / (x - a))

    r = 2.4
    two = Atoms("Si2", positions=[[0, 0, 0], [r, 0, 0]], cell=[20, 20, 20], pbc=True)
    assert energy_forces(two, potential)[0] == pytest.approx(pair(r), rel=1e-12)
    # At right angles, where cos θ + 1/3 is a third; the far pair is at 3.39 Å, within the cut-off.
    three = two + Atoms("Si", positions=[[0, r, 0]])
    x = r / sigma
    right = epsilon * 21 / 9 * np.exp(2 * 1.2 / (x - a))
    far = x * np.sqrt(2)
    sharp = 21 * epsilon * (np.sqrt(0.5) + 1 / 3) ** 2 * np.exp(1.2 / (x - a) + 1.2 / (far - a))
    total = 2 * pair(r) + pair(np.sqrt(2) * r) + right + 2 * sharp
    assert energy_forces(three, potential)[0] == pytest.approx(total, rel=1e-12)


def test_silicon_ends_smoothly_at_its_cutoff():
    """Up to the last distances that a float can hold below it, and beyond."""
    potential = StillingerWeber()
    for r in (potential.cutoff, np.nextafter(potential.cutoff, 0), potential.cutoff - 1e-3):
        atoms = Atoms("Si2", positions=[[0, 0, 0], [r, 0, 0]], cell=[20, 20, 20], pbc=True)
        energy, forces = energy_forces(atoms, potential)
        assert energy == 0
        assert (forces == 0).all()
        assert (hessian(atoms, potential).toarray() == 0).all()


@pytest.mark.parametrize(
    ("name", "length", "bond", "energy"),
    [("tersoff", 2.5297, 1.4605, -7.3955), ("lindsay-broido", 2.4920, 1.4388, -7.9777)],
)
def test_graphene(name, length, bond, energy):
    system = SYSTEMS[{"tersoff": "amc", "lindsay-broido": "amc_lb"}[name]]
    crystal = system.crystal()
    assert crystal.cell[0, 0] == pytest.approx(length, abs=5e-5)
    assert crystal.get_distance(0, 1, mic=True) == pytest.approx(bond, abs=5e-5)
    assert energy_forces(crystal, system.potential)[0] / 4 == pytest.approx(energy, abs=5e-5)


@pytest.mark.parametrize(
    ("potential", "length", "energy"),
    [
        (lj("cut"), 1.54960, -8.0996),
        (lj("shifted"), 1.54960, -7.4633),
        (lj("force-shifted"), 1.5580, -6.6541),
    ],
)
def test_lennard_jones_fcc(potential, length, energy):
    crystal = relax(
        bulk("Ar", "fcc", a=1.55 * SIGMA, cubic=True), potential, max_force=1e-8, cell="isotropic"
    )
    # Force-shifted values come with one digit less.
    assert crystal.cell[0, 0] / SIGMA == pytest.approx(length, abs=1e-4)
    total = energy_forces(crystal, potential)[0] / len(crystal)
    assert total / EPSILON == pytest.approx(energy, abs=1e-4)


def test_lennard_jones_fcc_at_long_range():
    # Beyond 8 σ the missing energy is (8/3)πρ r_c⁻³ = 0.0178 ε at ρ = 1.0915 σ⁻³.
    potential = lj("cut", r_cut=8.0)
    crystal = relax(
        bulk("Ar", "fcc", a=1.54 * SIGMA, cubic=True), potential, max_force=1e-8, cell="isotropic"
    )
    tail = 8 / 3 * np.pi * 1.0915 / 8**3
    total = energy_forces(crystal, potential)[0] / len(crystal) / EPSILON
    assert total - tail == pytest.approx(-8.61020, abs=3e-3)  # the tail integral is not the sum
    assert crystal.cell[0, 0] / SIGMA == pytest.approx(1.54174, abs=5e-4)


@pytest.mark.parametrize(("truncation", "energy"), [("cut", -3.3189), ("shifted", -3.1721)])
def test_lennard_jones_triangular(truncation, energy):
    potential = lj(truncation, dim=2)
    crystal = relax(SYSTEMS["lj2d"].crystal(), potential, max_force=1e-8, cell="isotropic")
    assert crystal.cell[0, 0] / SIGMA == pytest.approx(1.11320, abs=1e-5)
    total = energy_forces(crystal, potential)[0] / len(crystal)
    assert total / EPSILON == pytest.approx(energy, abs=1e-4)


# Lattice constant (Å), cohesive energy (eV) with the functions faded at 12 Å.
ZHOU = {
    "Cu": ("fcc", 3.6150, -3.5400),
    "Al": ("fcc", 4.0502, -3.5800),
    "Ni": ("fcc", 3.5196, -4.4500),
    "Pd": ("fcc", 3.8904, -3.9100),
    "Fe": ("bcc", 2.8660, -4.2900),
}


@pytest.mark.parametrize("symbol", ZHOU)
def test_zhou_metals(symbol):
    structure, length, energy = ZHOU[symbol]
    potential = zhou_eam((symbol,), r_on=11.0, r_cut=12.0)
    crystal = relax(
        bulk(symbol, structure, a=length * 1.01, cubic=True),
        potential,
        max_force=1e-7,
        cell="isotropic",
    )
    assert crystal.cell[0, 0] == pytest.approx(length, abs=2e-4)
    assert energy_forces(crystal, potential)[0] / len(crystal) == pytest.approx(energy, abs=2e-4)


@pytest.mark.parametrize(
    ("symbol", "a", "c_over_a", "energy"),
    [("Zr", 3.2078, 1.622, -6.3602), ("Co", 2.5117, 1.623, -4.4102)],
)
def test_zhou_hexagonal_metals(symbol, a, c_over_a, energy):
    potential = zhou_eam((symbol,), r_on=11.0, r_cut=12.0)
    crystal = bulk(symbol, "hcp", a=a, c=a * c_over_a)
    total = energy_forces(crystal, potential)[0] / len(crystal)
    assert total == pytest.approx(energy, abs=2e-4)
    relaxed = relax(crystal, potential, max_force=1e-7, cell="isotropic")
    assert relaxed.cell.lengths()[0] == pytest.approx(a, abs=1e-3)


def test_our_own_cutoff_of_zhou_keeps_the_metals():
    # The window used for the glass is short; it must not change what the metals are.
    for symbol, (length, energy) in {"Cu": (3.615, -3.54), "Al": (4.0502, -3.58)}.items():
        potential = zhou_eam((symbol,), r_on=6.5, r_cut=7.5)
        crystal = relax(
            bulk(symbol, "fcc", a=length, cubic=True), potential, max_force=1e-7, cell="isotropic"
        )
        assert crystal.cell[0, 0] == pytest.approx(length, rel=3e-3)
        total = energy_forces(crystal, potential)[0] / len(crystal)
        assert total == pytest.approx(energy, rel=1e-2)


@needs_sheng
@pytest.mark.filterwarnings("ignore:'where' used without 'out'")
def test_sheng_potential_agrees_with_matscipy():
    from matscipy.calculators.eam import EAM as MatscipyEAM

    potential = read_setfl(SHENG, sha256=PUBLISHED.sha256)
    atoms = disordered("zhou")
    energy, forces = energy_forces(atoms, potential)
    atoms.calc = MatscipyEAM(str(SHENG))
    assert energy == pytest.approx(atoms.get_potential_energy(), rel=1e-10)
    assert forces == pytest.approx(atoms.get_forces(), abs=1e-8)
    reference = atoms.calc.calculate_hessian_matrix(atoms).toarray()
    assert np.abs(hessian(atoms, potential) - reference).max() < 1e-9 * np.abs(reference).max()


def test_setfl_errors_name_the_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.alloy; obtain it: somewhere"):
        read_setfl(tmp_path / "absent.alloy", source="somewhere")
    broken = tmp_path / "broken.alloy"
    broken.write_text("a\nb\nc\n1 Cu\n10 0.1 10 0.5 5.0\n29 63.5 3.6 fcc\n1.0 2.0\n")
    with pytest.raises(ValueError, match=r"broken\.alloy: not a setfl .* end early"):
        read_setfl(broken)
    with pytest.raises(ValueError, match="sha256"):
        read_setfl(broken, sha256="0" * 64)


def test_setfl_round_trip(tmp_path):
    potential = zhou_eam(("Cu", "Zr"), r_on=6.5, r_cut=7.5)
    tables = potential.tables
    rows = ["one", "two", "three", "2 Cu Zr"]
    n_rho, n_r = tables.embedding.shape[1], tables.density.shape[1]
    rows.append(f"{n_rho} {float(tables.d_rho)!r} {n_r} {float(tables.d_r)!r} 7.5")
    for k in range(2):
        rows.append("0 0.0 0.0 fcc")
        rows += [repr(float(x)) for x in (*tables.embedding[k], *tables.density[k])]
    for a, b in ((0, 0), (1, 0), (1, 1)):
        rows += [repr(float(x)) for x in tables.pair[a, b]]
    path = tmp_path / "own.alloy"
    path.write_text("\n".join(rows))
    again = read_setfl(path)
    assert again.symbols == ("Cu", "Zr")
    atoms = bulk("CuZr", "cesiumchloride", a=3.2) * (3, 3, 3)
    atoms.rattle(0.1, seed=1)
    assert energy_forces(atoms, again)[0] == energy_forces(atoms, potential)[0]


def test_unknown_species_are_named():
    with pytest.raises(ValueError, match="knows Ar, not Cu"):
        energy_forces(bulk("Cu", cubic=True), lj())


def test_bad_parameters_are_refused():
    with pytest.raises(ValueError, match="sigma must be positive and finite, got -1"):
        LennardJones(1.0, -1.0, 2.5)
    with pytest.raises(ValueError, match="not Au"):
        zhou_eam(("Au",), r_on=6.0, r_cut=7.0)
    with pytest.raises(ValueError, match="0 < r_on < r_cut"):
        zhou_eam(("Cu",), r_on=8.0, r_cut=7.0)
    with pytest.raises(ValueError, match="lam must be finite and not negative"):
        StillingerWeber(lam=-1.0)
    with pytest.raises(ValueError, match="sigma must be positive"):
        StillingerWeber(sigma=0.0)
    with pytest.raises(ValueError, match="must be zero"):
        BondOrder(TERSOFF_1989 | {"lambda3": [1.0, 0.0, 0.0]})


def test_two_atoms_follow_the_formula():
    r = 1.2 * SIGMA
    dimer = Atoms("Ar2", positions=[[0, 0, 0], [r, 0, 0]], cell=[50, 50, 50], pbc=True)
    energy, forces = energy_forces(dimer, lj("cut"))
    s6 = (SIGMA / r) ** 6
    assert energy == pytest.approx(4 * EPSILON * s6 * (s6 - 1))
    assert forces[0, 0] == pytest.approx(-24 * EPSILON / r * s6 * (2 * s6 - 1))
    assert forces.sum(axis=0) == pytest.approx(0, abs=1e-15)


def test_small_cells_count_all_images():
    # A cell shorter than the cut-off: energy per atom as in a supercell.
    primitive = bulk("Ar", "fcc", a=5.3)
    potential = lj()
    large = primitive * (4, 4, 4)
    assert energy_forces(primitive, potential)[0] == pytest.approx(
        energy_forces(large, potential)[0] / 64, rel=1e-12
    )


SETFL = ["", "", "", "1 Cu", "3 0.5 4 0.5 2.0", "29 63.5 3.6 fcc", "0 1 2", "4 3 2 0", "4 3 2 0"]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (3, "2 Cu"),
        (3, "2 Cu Cu"),
        (3, "1 Xx"),
        (3, "0"),
        (4, "3 0.5 0 0.5 2.0"),
        (4, "3 0.5 900000000000 0.5 2.0"),
        (4, "3 0.5 4 0 2.0"),
        (4, "3 nan 4 0.5 2.0"),
        (4, "3 0.5 4 0.5 nan"),
        (4, "3 0.5 4 0.5 -1"),
        (4, "3 0.5 4 0.5 2.5"),  # beyond the tables
        (8, "4 3 2"),
    ],
)
def test_malformed_setfl_files_are_refused(tmp_path, line, text):
    path = tmp_path / "x.alloy"
    path.write_text("\n".join(SETFL))
    assert read_setfl(path).species == ("Cu",)
    path.write_text("\n".join([*SETFL[:line], text, *SETFL[line + 1 :]]))
    with pytest.raises(ValueError, match=r"x\.alloy: not a setfl"):
        read_setfl(path)
