"""The contracts hold for every potential, glass and model there is, and they can be violated."""

import inspect
import random
from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
from ase import Atoms

import glassdata as gd
from glassdata import describe, models, potentials, schema, vibrations
from glassdata.minimise import SoftSpheres
from glassdata.models import LinearMap, Tuned
from glassdata.potentials import (
    CalculatorPotential,
    LennardJones,
    Potential,
    StillingerWeber,
    zhou_eam,
)
from glassdata.protocols import CrystalDisorder
from glassdata.systems import available
from glassdata.testing import ContractError, check_model, check_potential, check_system
from glassdata.units import BOLTZMANN
from glassdata.variable import per_structure

ARGON = LennardJones(119.8 * BOLTZMANN, 3.405, 2.5 * 3.405)

# Potentials that no glass uses as they stand here.
OTHERS = {
    "lj shifted": replace(ARGON, truncation="shifted"),
    "lj cut": replace(ARGON, truncation="cut"),
    "stillinger-weber": StillingerWeber(),
    "soft spheres": SoftSpheres(1.6, ("C", "Si")),
    "high-entropy alloy": zhou_eam(("Co", "Fe", "Ni", "Pd"), r_on=6.5, r_cut=7.5),
    "ase calculator": CalculatorPotential(
        "ase.calculators.lj:LennardJones",
        {"epsilon": 0.0103, "sigma": 3.405, "rc": 5.5, "ro": 4.5, "smooth": True},
        symbols=("Ar",),
        reach=5.5,
    ),
}


# Potentials of other packages need not take coincident atoms, or atoms without a cell.
OURS = [name for name, system in gd.SYSTEMS.items() if isinstance(system.potential, Potential)]


@pytest.mark.parametrize("name", OURS)
def test_potentials_of_all_glasses(name):
    check_potential(gd.SYSTEMS[name].potential)


@pytest.mark.parametrize("name", OTHERS)
def test_other_potentials(name):
    check_potential(OTHERS[name])


def test_no_potential_is_left_out():
    """Whoever exports a new kind of potential has it checked: by a glass, or by a line above."""
    kinds = {
        kind
        for kind in vars(potentials).values()
        if inspect.isclass(kind) and issubclass(kind, potentials.EnergySurface)
    }
    checked = {type(system.potential) for system in gd.SYSTEMS.values()}
    checked |= {type(potential) for potential in OTHERS.values()}
    missing = {kind for kind in kinds - checked if not inspect.isabstract(kind)}
    # ``EAM`` is what ``zhou_eam`` and tables make.
    assert not missing, f"no glass and no line of OTHERS uses {missing}"


@pytest.mark.parametrize("name", gd.SYSTEMS)
def test_glasses(name):
    check_system(name)


@pytest.mark.parametrize("name", models.MODELS)
def test_models(name):
    kind = models.MODELS[name]
    if not kind.available:
        pytest.skip(f"{kind.needs} is not installed")
    model = kind.make()
    network = "max_epochs" in model.get_params()
    check_model(model.set_params(max_epochs=2, weight_decays=(0.0,)) if network else name)


def violated(check, *given) -> set[str]:
    """Names of the laws that a check finds violated."""
    with pytest.raises(ContractError) as caught:
        check(*given)
    message = str(caught.value)
    assert all(sentence in message for _, sentence in caught.value.violations)
    return caught.value.laws


# --- potentials that are wrong -----------------------------------------------------------------


@dataclass(frozen=True)
class Argon(LennardJones):
    """Lennard-Jones, to be spoilt in one place each."""


class StiffHessian(Argon):
    def hessian(self, types, bonds):
        return 1.025 * super().hessian(types, bonds)


class Lopsided(Argon):
    def hessian(self, types, bonds):
        matrix = super().hessian(types, bonds).tolil()
        if matrix.shape[0] > 5:
            matrix[0, 5] *= 1.001
        return matrix.tobsr(blocksize=(3, 3))


class WrongSign(Argon):
    def energy_gradient(self, types, bonds):
        energy, gradient = super().energy_gradient(types, bonds)
        return energy, gradient * [1.0, -1.0, 1.0]


class WithoutImages(Argon):
    """Forces are right: a bond of an atom to its own image pulls at both ends."""

    def energy_gradient(self, types, bonds):
        energy, gradient = super().energy_gradient(types, bonds)
        return energy, gradient * (bonds.first != bonds.second)[:, None]


class HalfVirial(Argon):
    def virial(self, atoms):
        return 0.5 * super().virial(atoms)


class Jump(Argon):
    """Sharply cut, which it does not say."""

    continuity = 1

    def __init__(self, truncation):
        super().__init__(ARGON.epsilon, ARGON.sigma, ARGON.r_cut, truncation)


class ShortReach(Argon):
    @property
    def cutoff(self):
        return 0.8 * super().cutoff


class Background(Argon):
    def energy_gradient(self, types, bonds):
        energy, gradient = super().energy_gradient(types, bonds)
        return energy + 0.01, gradient


class Ordered(Argon):
    """The first atom counts for more."""

    def energy_gradient(self, types, bonds):
        energy, gradient = super().energy_gradient(types, bonds)
        weight = 1.0 + 0.1 * (bonds.first == 0)
        total = 0.5 * (weight * self.functions(np.linalg.norm(bonds.vector, axis=1))[0]).sum()
        return energy + total, gradient


class Axes(Argon):
    """Bonds along x are stronger than others."""

    def energy_gradient(self, types, bonds):
        stretched = bonds.vector * [1.01, 1.0, 1.0]
        energy, gradient = super().energy_gradient(types, replace(bonds, vector=stretched))
        return energy, gradient * [1.01, 1.0, 1.0]


class Restless(Argon):
    def parameters(self):
        return {"form": "restless", "number": random.random()}


class Hidden(Argon):
    def parameters(self):
        return {"form": "hidden", "epsilon": float("nan")}


class Blind(Argon):
    def check_species(self, atoms):
        pass

    def types(self, atoms):
        return np.zeros(len(atoms), dtype=int)


def spoilt(kind):
    return kind(ARGON.epsilon, ARGON.sigma, ARGON.r_cut)


@pytest.mark.parametrize(
    ("kind", "law"),
    [
        (StiffHessian, "hessian"),
        (Lopsided, "symmetry"),
        (WrongSign, "forces"),
        (WithoutImages, "stress"),
        (HalfVirial, "stress"),
        (ShortReach, "continuity"),
        (Background, "extensivity"),
        (Ordered, "permutation"),
        (Axes, "rotation"),
        (Restless, "parameters"),
        (Hidden, "parameters"),
        (Blind, "species"),
    ],
)
def test_a_wrong_potential_is_named(kind, law):
    assert law in violated(check_potential, spoilt(kind))


@pytest.mark.parametrize("kind", [StiffHessian, WithoutImages, HalfVirial])
def test_nothing_else_is_blamed(kind):
    assert len(violated(check_potential, spoilt(kind))) == 1


@pytest.mark.parametrize("truncation", ["cut", "shifted"])
def test_a_jump_that_is_not_declared_is_named(truncation):
    assert violated(check_potential, Jump(truncation)) == {"continuity"}


class SoftAngles(StillingerWeber):
    """A Hessian whose three-body part alone is wrong, by one part in forty."""

    def hessian(self, types, bonds):
        return StillingerWeber(lam=1.025 * self.lam).hessian(types, bonds)


def test_a_wrong_three_body_hessian_is_named():
    assert violated(check_potential, SoftAngles()) == {"hessian"}


def test_a_given_structure_is_tried_as_well():
    check_potential(ARGON, gd.SYSTEMS["lj3d"].crystal())
    with pytest.raises(ContractError, match=r"hessian: .* 1\.025 times .*\[given structure\]"):
        check_potential(spoilt(StiffHessian), gd.SYSTEMS["lj3d"].crystal())


# --- glasses that are wrong --------------------------------------------------------------------

GLASS = gd.SYSTEMS["lj2d"]


def test_a_wrong_unit_of_frequency_is_named(monkeypatch):
    monkeypatch.setattr(vibrations, "THZ", 1.037 * vibrations.THZ)
    assert violated(check_system, GLASS) == {"units"}


@pytest.mark.parametrize("name", ["stress", "number_density"])
def test_other_wrong_units_are_named(monkeypatch, name):
    right = getattr(describe, name)
    monkeypatch.setattr(describe, name, lambda *given: 1.037 * right(*given))
    assert violated(check_system, GLASS) == {"units"}


def test_a_wrong_unit_of_distance_is_named(monkeypatch):
    right = describe.rdf
    monkeypatch.setattr(describe, "rdf", lambda atoms, r, dim: right(atoms, 1.037 * r, dim=dim))
    assert "units" in violated(check_system, GLASS)


@pytest.mark.parametrize(
    ("units", "of", "law"),
    [
        ("THz", lambda s: np.mean(s.modes**2), "dimensions"),
        ("eV", lambda s: s.stress[0, 0], "dimensions"),
        ("furlong", lambda s: 1.0, "dimensions"),
        ("1", lambda s: np.nan, "variables"),
        ("1", lambda s: np.ones(3), "variables"),
        ("1", lambda s: "text", "variables"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch, units, of, law):
    """Somebody's new variable; nothing but its declaration is known."""
    mine = per_structure("f8", units, "somebody's", of)
    monkeypatch.setitem(describe.DESCRIBED, "mine", mine)
    monkeypatch.setitem(schema.VARIABLES, "mine", mine)
    assert law in violated(check_system, GLASS)


def test_a_right_variable_passes(monkeypatch):
    mine = per_structure("f8", "THz2", "mean square frequency", lambda s: np.mean(s.modes**2))
    monkeypatch.setitem(describe.DESCRIBED, "mine", mine)
    monkeypatch.setitem(schema.VARIABLES, "mine", mine)
    check_system(GLASS)


@dataclass(frozen=True)
class Careless(CrystalDisorder):
    """Random numbers that everybody shares, or that nobody seeds; a setting that is kept quiet."""

    shared: bool = False
    amplitude: float = 0.02

    def lattice(self, system, rng):
        lattice = super().lattice(system, rng)
        draw = np.random.normal if self.shared else np.random.default_rng().normal
        lattice.positions[:, :2] += draw(0.0, self.amplitude, (len(lattice), 2))
        return lattice


def careless(**settings):
    plain = GLASS.protocols["demo"]
    own = {field.name: getattr(plain, field.name) for field in fields(plain) if field.init}
    return replace(GLASS, protocols={"demo": Careless(**own, **settings)})


@pytest.mark.parametrize("shared", [True, False])
def test_randomness_without_a_seed_is_named(shared):
    assert {"reproducible", "science"} <= violated(check_system, careless(shared=shared))


def changed_crystal(change):
    def crystal() -> Atoms:
        atoms = GLASS.crystal()
        change(atoms)
        return atoms

    return replace(GLASS, crystal=crystal)


def strained(atoms):
    atoms.set_cell(1.0005 * atoms.cell.array, scale_atoms=True)


def test_a_crystal_under_pressure_is_named():
    """Only the copy that the check sees is strained: the protocol starts from it and relaxes."""

    class Wrong(type(GLASS)):
        def science(self, profile):
            return GLASS.science(profile)

    system = changed_crystal(strained)
    fields = {name: getattr(system, name) for name in system.__dataclass_fields__}
    assert "crystal" in violated(check_system, Wrong(**fields))


@pytest.mark.parametrize(
    ("change", "law"),
    [
        ({"bond_length": 3.0}, "crystal"),
        ({"omega_max": 0.5}, "modes"),
        ({"species": ("Kr",)}, "species"),
    ],
)
def test_a_wrong_description_is_named(change, law):
    assert law in violated(check_system, replace(GLASS, **change))


# --- models that are wrong ---------------------------------------------------------------------


class Peeking(Tuned):
    """Takes the families and forgets about them."""

    def fit(self, X, y, groups=None):
        return super().fit(X, y)


class Forgetful(LinearMap):
    def to_arrays(self):
        arrays = super().to_arrays()
        return arrays | {"intercept_": np.zeros_like(arrays["intercept_"])}


class Capped(LinearMap):
    def _guess(self, X):
        return np.minimum(super()._guess(X), 1.0)


class Noisy(LinearMap):
    def fit(self, X, Y):
        super().fit(X, Y)
        self.intercept_ = self.intercept_ + 1e-6 * random.random()
        return self


class Crowd(LinearMap):
    """Looks at the other structures that are asked for at the same time."""

    def _guess(self, X):
        return super()._guess(X - X.mean(axis=0) + 1.0)


class Borrowed(models.Neighbours):
    def fit(self, X, Y):
        super().fit(X, Y)
        self.Y_ = Y
        return self


@pytest.mark.parametrize(
    ("model", "law"),
    [
        (Peeking(LinearMap(), {"l2": models.RIDGE_L2}), "families"),
        (Peeking(models.Neighbours(), {"k": [1, 30]}), "families"),
        (Forgetful(), "file"),
        (Capped(), "unit of the spectra"),
        (Noisy(), "deterministic"),
        (Crowd(), "fit and predict"),
        (Borrowed(), "fit and predict"),
        (Tuned(LinearMap(), {"l2": [1e3]}), "linear map"),
    ],
)
def test_a_wrong_model_is_named(model, law):
    assert law in violated(check_model, model)


def test_glasses_that_lack_a_file_are_skipped_by_name():
    assert set(gd.SYSTEMS) - set(available()) <= {"cualzr_sheng", "sic_mlip"}
