"""Calculators of ASE as potentials: the same numbers, identity, and a whole row of a dataset."""

import pickle
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones as AseLennardJones
from dask.distributed import Client
from test_potentials import EPSILON, SIGMA, lj

import glassdata as gd
from glassdata.bands import bands
from glassdata.config import digest
from glassdata.crystal import Crystal
from glassdata.engine.displacing import SideBySide
from glassdata.learned import NEP89_SIC
from glassdata.minimise import relax, settle
from glassdata.potentials import CalculatorPotential, surface_of
from glassdata.potentials.differences import NotSmoothError, smoothness
from glassdata.protocols import CrystalDisorder, Stratum
from glassdata.row import compute_row
from glassdata.system import System
from glassdata.vibrations import energy_forces

REACH = 2.5 * SIGMA
EXACT = lj("shifted")


def described(**changes):
    settings = {"epsilon": EPSILON, "sigma": SIGMA, "rc": REACH} | changes
    return CalculatorPotential(
        "ase.calculators.lj:LennardJones", settings, symbols=("Ar",), reach=REACH
    )


def argon():
    """Few atoms: ASE's own Lennard-Jones is slow."""
    atoms = bulk("Ar", "fcc", a=5.3, cubic=True) * (2, 1, 1)
    del atoms[3]
    atoms.rattle(0.1, seed=0)
    return atoms


@pytest.mark.parametrize(
    "potential", [described(), AseLennardJones(epsilon=EPSILON, sigma=SIGMA, rc=REACH)]
)
def test_energies_forces_stress_and_frequencies_are_those_of_the_formula(potential):
    energy, forces = energy_forces(argon(), potential)
    expected, exact = energy_forces(argon(), EXACT)
    assert energy == pytest.approx(expected, rel=1e-12)
    assert np.abs(forces - exact).max() < 1e-12 * np.abs(exact).max()
    stress = gd.stress(argon(), EXACT)
    assert np.abs(gd.stress(argon(), potential) - stress).max() < 1e-12 * np.abs(stress).max()
    # Steps of 1e-4 Å: differences err by their square times the curvature's curvature, over 0.1 Å.
    modes = gd.frequencies(argon(), EXACT)
    assert np.abs(gd.frequencies(argon(), potential) - modes)[3:].max() < 1e-5 * modes.max()


@pytest.mark.parametrize("cell", ["fixed", "isotropic"])
def test_relaxations_end_where_those_of_the_formula_end(cell):
    ends = [relax(argon(), p, max_force=1e-6, cell=cell) for p in (described(), EXACT)]
    # A force of 1e-6 eV/Å moves an atom by that over a stiffness of 0.1 eV/Å² or so; the energy
    # jumps slightly in slope at the cut-off of this form, which both feel alike.
    assert np.abs(ends[0].positions - ends[1].positions).max() < 1e-4
    assert ends[0].cell.lengths() == pytest.approx(ends[1].cell.lengths(), rel=1e-5)
    energies = [energy_forces(end, EXACT)[0] for end in ends]
    assert energies[0] == pytest.approx(energies[1], abs=1e-8)


class WithoutStress(AseLennardJones):
    """As many calculators of others: energies and forces only."""

    implemented_properties = ("energy", "forces")

    def calculate(self, *arguments, **how):
        super().calculate(*arguments, **how)
        self.results.pop("stress", None)


def test_a_stress_that_a_calculator_has_not_is_taken_from_strained_energies():
    bare = WithoutStress(epsilon=EPSILON, sigma=SIGMA, rc=REACH)
    expected = gd.stress(argon(), EXACT)
    error = np.abs(gd.stress(argon(), bare) - expected).max()
    # Energies of 0.1 eV are rounded to 1e-17, and differ over strains of 2e-6.
    assert 0 < error < 1e-6 * np.abs(expected).max()


def test_atoms_that_a_line_search_moved_far_away_are_brought_back(monkeypatch):
    seen = []
    calculate = AseLennardJones.calculate

    def watched(self, atoms, *rest, **how):
        seen.append(np.abs(atoms.get_scaled_positions(wrap=False)).max())
        calculate(self, atoms, *rest, **how)

    monkeypatch.setattr(AseLennardJones, "calculate", watched)
    path, cell = described().along(argon()), argon().cell.array
    energy, gradient = path.evaluate(argon().positions, cell)
    far = argon().positions.copy()
    far[1] += 1e8 * cell[0] - 1e6 * cell[2]
    again, same = path.evaluate(far, cell)
    assert max(seen) < 2
    # Positions of 1e9 Å are rounded to 1e-7 Å.
    assert again == pytest.approx(energy, abs=1e-6)
    assert np.abs(same - gradient).max() < 1e-5 * np.abs(gradient).max()


def test_settling_and_bands_take_a_calculator():
    rest = settle(argon(), described(), max_force=1e-5)
    assert gd.frequencies(rest, described()).min() > -1e-3
    chain = Atoms("Ar", cell=[3.8, 0, 0], pbc=[True, False, False])
    found, expected = (bands(chain, p, np.array([[0.3, 0.0, 0.0]])) for p in (described(), EXACT))
    assert np.abs(found - expected).max() < 1e-4 * expected.max()


def test_a_plane_has_no_third_direction():
    flat = CalculatorPotential(
        "ase.calculators.lj:LennardJones",
        {"epsilon": EPSILON, "sigma": SIGMA, "rc": REACH},
        symbols=("Ar",),
        reach=REACH,
        dim=2,
    )
    sheet = gd.SYSTEMS["lj2d"].crystal() * (2, 1, 1)
    sheet.positions[:, :2] += np.random.default_rng(0).normal(0, 0.05, (len(sheet), 2))
    expected = gd.frequencies(sheet, lj("shifted", dim=2))
    assert np.abs(gd.frequencies(sheet, flat) - expected)[2:].max() < 1e-5 * expected.max()


def test_the_description_is_frozen_plain_and_portable():
    settings = {"epsilon": EPSILON, "sigma": SIGMA, "rc": REACH}
    one = CalculatorPotential(
        "ase.calculators.lj:LennardJones", settings, symbols=("Ar",), reach=REACH
    )
    settings["epsilon"] = 1.0
    assert one == described()
    assert hash(one) == hash(described())
    again = pickle.loads(pickle.dumps(one))
    assert again == one
    assert again.parameters() == one.parameters()
    with pytest.raises(AttributeError):
        one.reach = 3.0


def test_whatever_determines_the_numbers_enters_the_identity(monkeypatch, tmp_path):
    before = digest(described().parameters())
    assert digest(described(rc=8.0).parameters()) != before
    weights = tmp_path / "weights"
    ids = []
    for content in ("one", "two", "one"):
        weights.write_text(content)
        ids.append(digest(described(model=str(weights)).parameters()))
    assert ids[0] == ids[2] != ids[1]
    # The folder of the weights is no matter of physics.
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (moved / "weights").write_text("one")
    assert digest(described(model=str(moved / "weights")).parameters()) == ids[0]
    monkeypatch.setattr("glassdata.potentials.calculator.version", lambda name: "0.1")
    from glassdata.potentials.calculator import _origin

    _origin.cache_clear()
    assert digest(described().parameters()) != before
    _origin.cache_clear()


def test_a_calculator_of_ones_own_module_is_identified_by_its_source(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_argon.py").write_text(
        "from ase.calculators.lj import LennardJones\n"
        f"def argon():\n    return LennardJones(epsilon={EPSILON}, sigma={SIGMA}, rc={REACH})\n"
    )
    own = CalculatorPotential("own_argon:argon", symbols=("Ar",), reach=REACH)
    assert own.parameters()["module"] == "own_argon"
    assert len(own.parameters()["sha256"]) == 64
    assert energy_forces(argon(), own)[0] == energy_forces(argon(), described())[0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"factory": "ase.calculators.lj"}, "factory must be 'package.module:name'"),
        ({"symbols": ()}, "symbols must be chemical symbols"),
        ({"symbols": "Ar"}, "symbols must be chemical symbols"),
        ({"reach": 0.0}, "reach must be positive"),
        ({"dim": 1}, "dim must be 2 or 3, got 1"),
        ({"arguments": {"a": np.nan}}, "arguments.a: nan is not plain finite data"),
    ],
)
def test_descriptions_that_make_no_sense_are_refused(changes, message):
    settings = {"factory": "ase.calculators.lj:LennardJones", "symbols": ("Ar",), "reach": 8.0}
    with pytest.raises(ValueError, match=message):
        CalculatorPotential(**settings | changes)


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("no_such_package:Calc", "no calculator no_such_package:Calc: No module named"),
        ("ase.calculators.lj:Lennard", "has no attribute 'Lennard'"),
    ],
)
def test_what_is_not_installed_is_named_when_it_is_used(factory, message):
    potential = CalculatorPotential(factory, symbols=("Ar",), reach=8.0)
    with pytest.raises(ValueError, match=message):
        gd.frequencies(argon(), potential)


def test_foreign_species_and_broken_positions_are_refused():
    with pytest.raises(ValueError, match="the potential knows Ar, not Cu"):
        gd.frequencies(bulk("Cu", cubic=True), described())
    broken = argon()
    broken.positions[0] = np.nan
    with pytest.raises(ValueError, match="must be finite"):
        gd.hessian(broken, described())


def test_of_a_bare_calculator_only_energies_are_known():
    crystal = bulk("Ar", "fcc", a=5.3)
    calculator = AseLennardJones(epsilon=EPSILON, sigma=SIGMA, rc=REACH)
    with pytest.raises(ValueError, match=r"the reach of .* describe it as a CalculatorPotential"):
        bands(crystal, calculator, np.zeros((1, 3)))


def test_a_system_of_a_calculator_makes_rows():
    lattice = {"name": "Ar", "crystalstructure": "fcc", "a": 5.3, "cubic": True}
    protocol = CrystalDisorder(
        4,
        (2, 1, 1),
        (Stratum(1, displacement=(0.1, 0.5)),),
        0,
        separation=2.8,
        cell="fixed",
        max_force=1e-3,
    )
    system = System(
        name="argon_of_ase",
        title="Argon by ASE's calculator",
        summary="displaced",
        reference="none",
        species=("Ar",),
        potential=described(),
        protocols={"demo": protocol},
        crystal=Crystal(bulk, lattice, described(), max_force=1e-4),
        dim=3,
        r_max=10.0,
        omega_max=3.0,
        bond_length=4.5,
        class_variable="excess_energy",
        class_edges=(0.001, 0.002, 0.004),
    )
    row = compute_row(system, "demo", 0)
    assert set(row) >= {"g", "pdos", "frequency", "energy", "max_force"}
    assert row["max_force"] < 1e-3
    assert row["n_imaginary"] == 0
    assert len(row["frequency"]) == 3 * row["n_atoms"] - 3


# --- steps, and whether there are second derivatives ------------------------------------------


class Altered(EMT):
    """Copper whose forces are changed by a function of themselves."""

    def __init__(self, change):
        super().__init__()
        self.change = change

    def calculate(self, *args, **others):
        super().calculate(*args, **others)
        self.results["forces"] = self.change(self.results["forces"])


def copper():
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.1, seed=1)
    return atoms


def test_the_step_suits_the_rounding_of_the_forces():
    """Forces of eV/Å, curvatures of 10 eV/Å², higher derivatives that change over 0.1 Å or so.

    Rounding to the share ε of a force leaves ε × 0.1 Å over the step of the curvature, the length
    of the step its square over that of 0.1 Å: both are equal where the cube of the step is ε/1000,
    5e-6 Å in double precision and 5e-3 Å in single.
    """
    exact = smoothness(surface_of(EMT()), copper())
    single = smoothness(surface_of(Altered(lambda f: f.astype("f4").astype(float))), copper())
    assert exact.step <= 1e-4 < 3e-4 < single.step <= 0.01
    assert exact.change < 1e-6 < single.change < 1e-3
    for one in (exact, single):
        assert one.asymmetry < 10 * one.change
        one.check()
    assert "independent of the step" in str(exact)


def test_forces_without_second_derivatives_are_refused():
    noise = np.random.default_rng(0)
    rough = Altered(lambda f: f + 1e-3 * noise.normal(size=f.shape))
    with pytest.raises(NotSmoothError, match="not smooth: second derivatives change by"):
        smoothness(surface_of(rough), copper()).check()
    # Forces that turn aside are smooth, and no gradient of anything.
    turning = smoothness(surface_of(Altered(lambda f: f + 0.1 * np.roll(f, 1, axis=1))), copper())
    assert turning.change < 1e-6
    with pytest.raises(NotSmoothError, match="have no energy"):
        turning.check()


def test_forces_that_are_all_zero_have_no_smoothness():
    with pytest.raises(NotSmoothError):
        smoothness(surface_of(Altered(np.zeros_like)), copper()).check()


def test_forward_differences_take_half_the_forces_and_err_in_proportion_to_the_step(monkeypatch):
    calls = []
    calculate = AseLennardJones.calculate
    monkeypatch.setattr(
        AseLennardJones, "calculate", lambda *all, **how: calls.append(1) or calculate(*all, **how)
    )
    exact = gd.hessian(argon(), EXACT).toarray()
    errors, forces = {}, {}
    for step in (1e-3, 1e-4, 1e-5):
        for forward in (True, False):
            calls.clear()
            found = gd.hessian(argon(), replace(described(), step=step, forward=forward)).toarray()
            errors[forward, step] = np.abs(found - exact).max() / np.abs(exact).max()
            forces[forward] = len(calls)
    assert forces == {True: 3 * len(argon()) + 1, False: 6 * len(argon())}
    assert errors[True, 1e-3] / errors[True, 1e-4] == pytest.approx(10, rel=0.1)
    assert errors[True, 1e-4] / errors[True, 1e-5] == pytest.approx(10, rel=0.1)
    assert errors[False, 1e-3] / errors[False, 1e-4] == pytest.approx(100, rel=0.1)
    assert errors[True, 1e-5] < 1e-4


def test_one_sided_differences_enter_the_identity_only_where_they_were_chosen():
    for potential in (described(), NEP89_SIC):
        chosen = replace(potential, forward=True).parameters()
        assert chosen == potential.parameters() | {"forward": True}


def test_a_shared_hessian_is_that_of_one_process():
    alone = gd.hessian(argon(), described()).toarray()
    with Client(processes=False, n_workers=1, dashboard_address=None) as client:
        shared = SideBySide(client, 3)
        atoms = [atom for part in shared.parts(50) for atom in part]
        assert atoms == list(range(50))
        assert len(shared.parts(50)) == 12
        both = gd.hessian(argon(), shared.of(described())).toarray()
        assert np.array_equal(both, alone)
        sent = []
        spy = SimpleNamespace(
            submit=lambda *task: sent.append(task) or client.submit(*task), gather=client.gather
        )
        gd.hessian(argon(), SideBySide(spy, 3).of(described()))
        assert [task[3] for task in sent] == shared.parts(len(argon()))
        with pytest.raises(ValueError, match="no calculator"):
            gd.hessian(argon(), shared.of(CalculatorPotential("no:Such", symbols=("Ar",), reach=1)))
