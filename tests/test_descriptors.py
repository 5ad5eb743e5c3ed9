"""The line on other descriptors: stiffness obeys its laws, and the right descriptor wins."""

import numpy as np
import pytest
from ase import Atoms
from test_contests import N, world

import glassdata as gd
from glassdata.experiments import beyond, descriptors, fingerprints, observables
from glassdata.experiments.contests import explained
from glassdata.neighbours import neighbours
from glassdata.observables import Observed
from glassdata.stiffness import atom_stiffness, bond_stiffness
from glassdata.systems import SYSTEMS
from glassdata.units import THZ
from glassdata.vibrations import dynamical_matrix

# --- stiffness --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ka2d", "si", "cualzr"])
def test_stiffness_is_that_of_the_blocks_of_the_dynamical_matrix(name):
    system, atoms = SYSTEMS[name], gd.dataset(name).atoms(0)
    found, dim = gd.modes(atoms, system.potential), system.potential.dim
    dense = dynamical_matrix(atoms, system.potential).toarray()
    squares = np.sign(found.frequencies) * found.frequencies**2
    unit = squares.sum() / np.trace(dense)  # eV/Å²/u in THz²
    blocks = unit * dense.reshape(len(atoms), dim, len(atoms), dim).transpose(0, 2, 1, 3)
    own = np.array([np.linalg.eigvalsh(blocks[i, i]) for i in range(len(atoms))])
    np.testing.assert_allclose(atom_stiffness(found, dim), own, rtol=1e-8, atol=1e-8)
    first, second, vector = neighbours("ijD", atoms, system.bond_length)
    once = first < second
    along = vector[once][:, :dim] / np.linalg.norm(vector[once], axis=1)[:, None]
    expected = -np.einsum("na,nab,nb->n", along, blocks[first[once], second[once]], along)
    found_bonds = bond_stiffness(atoms, found, system.bond_length)
    np.testing.assert_allclose(found_bonds, expected, rtol=1e-6, atol=1e-8)


def test_bonds_of_argon_are_as_stiff_as_their_pair_potential_curves():
    argon = SYSTEMS["lj3d"]
    crystal = argon.crystal() * (4, 4, 4)
    found = bond_stiffness(crystal, gd.modes(crystal, argon.potential), argon.bond_length)
    assert len(found) == 6 * len(crystal)
    distance = neighbours("d", crystal, argon.bond_length).mean()
    pair = Atoms("Ar2", [[0, 0, 0], [distance, 0, 0]])
    energies = []
    for step in (-1e-3, 0.0, 1e-3):
        moved = pair.copy()
        moved.positions[1, 0] += step
        energies.append(gd.vibrations.energy_forces(moved, argon.potential)[0])
    curvature = (energies[0] - 2 * energies[1] + energies[2]) / 1e-6
    mass = crystal.get_masses()[0]
    np.testing.assert_allclose(found, curvature / mass * THZ**2, rtol=1e-4)


def test_fingerprints_have_no_unit_but_their_scale():
    """A crystal twice as stiff has the same fingerprint and a scale larger by √2."""
    argon = SYSTEMS["lj3d"]
    crystal = argon.crystal() * (4, 4, 4)
    light = crystal.copy()
    light.set_masses(crystal.get_masses() / 2)
    one, other = (Observed(a, argon.potential, argon.omega_edges) for a in (crystal, light))
    for name in ("stiffness", "angles"):
        values = fingerprints.FINGERPRINTS[name]
        np.testing.assert_allclose(values(one, argon), values(other, argon), atol=1e-12)
    scale = fingerprints.FINGERPRINTS["scale"]
    np.testing.assert_allclose(scale(other, argon), np.sqrt(2) * scale(one, argon))
    # Its bonds are alike. Each of twelve springs gives a third of its stiffness to each direction
    # of the atom in its cage, so that a bond has a quarter of that, and a little more, because
    # farther neighbours take something off.
    bonds = fingerprints.FINGERPRINTS["stiffness"](one, argon)[len(fingerprints.OWN) - 1 :]
    assert bonds.max() == pytest.approx(6)
    assert fingerprints.BONDS[bonds.argmax()] == pytest.approx(0.25)
    # 66 angles between twelve bonds, of which 24 are right or flat ones.
    angles = fingerprints.FINGERPRINTS["angles"](one, argon)
    assert angles.sum() == pytest.approx(66)


def test_soap_does_not_depend_on_axes_order_or_copies():
    glass = gd.dataset("sic").atoms(1)
    length = SYSTEMS["sic"].bond_length
    one = fingerprints.ARRANGEMENTS["SOAP"](glass, length)
    turned = glass.copy()
    turned.rotate(40, (1, 2, 3), rotate_cell=True)
    turned.positions += 1.0
    turned = turned[np.random.default_rng(0).permutation(len(turned))]
    for other in (turned, glass * (2, 1, 1)):
        again = fingerprints.ARRANGEMENTS["SOAP"](other, length)
        np.testing.assert_allclose(again, one, rtol=1e-6, atol=1e-6 * one.max())
    swapped = glass.copy()
    swapped.symbols = np.where(glass.symbols == "C", "Si", "C")
    assert not np.allclose(fingerprints.ARRANGEMENTS["SOAP"](swapped, length), one, rtol=0.01)


def test_hexagons_of_graphene_open_at_a_bond_and_close_at_the_second_neighbour():
    """n/2 hexagons on a torus, whose sum is nothing, and the two ways around it."""
    carbon = SYSTEMS["amc"]
    sheet = carbon.crystal() * (4, 3, 1)
    n, bond = len(sheet), neighbours("d", sheet, 1.6).mean()
    radii, length = fingerprints.RADII, carbon.bond_length
    joined, opened, closed = np.split(fingerprints.ARRANGEMENTS["loops"](sheet, length) * n, 3)

    def at(radius):
        return np.histogram(radius / length, radii)[0]

    # One part is left in the end, and two ways around; both count in the last bin.
    last = np.eye(len(radii) - 1)[-1]
    np.testing.assert_allclose(joined, (n - 1) * at(bond) + last)
    np.testing.assert_allclose(opened, (n / 2 + 1) * at(bond))
    np.testing.assert_allclose(closed, (n / 2 - 1) * at(np.sqrt(3) * bond) + 2 * last)


def test_what_computes_descriptors_is_named_where_it_is_missing(monkeypatch):
    found = fingerprints.arranged([SYSTEMS["amc"].crystal() * (3, 2, 1)], 2.0)
    assert {name: len(values) for name, values in found.items()} == {"SOAP": 1, "loops": 1}
    monkeypatch.setattr(fingerprints, "find_spec", lambda name: None if name == "ripser" else 1)
    with pytest.raises(ValueError, match=r"^ripser not installed: pip install"):
        fingerprints.arranged([], 2.0)


# --- the contest ------------------------------------------------------------------------------


def made(**known):
    """A world whose spectra are linear in g, and fingerprints that are what is asked."""
    data, rng = world("line"), np.random.default_rng(3)
    data.stored["row_id"] = ("structure", np.arange(N).astype(str).astype("U64"))
    block = {"row_id": data["row_id"], "scale": np.ones((N, 1))}
    for name in ("angles", "stiffness"):
        block[name] = known.get(name, rng.normal(size=(N, 20)))
    return data, {"lj3d.observed.0000": block}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(descriptors, "REFITS", 1)
    monkeypatch.setattr(descriptors, "MOST", N)
    monkeypatch.setattr(beyond, "MOST", N)
    # The structures of these worlds have no positions.
    noise = np.random.default_rng(1).normal(size=(N, 20))
    monkeypatch.setattr(descriptors, "arranged", lambda *_: {"SOAP": noise, "loops": noise})


def test_the_descriptor_that_holds_the_answer_wins():
    data, _ = made()
    mixed = data.Y @ np.random.default_rng(0).normal(size=(data.Y.shape[1], 20))
    data, observed = made(stiffness=mixed / mixed.std())
    result = descriptors.compute("lj3d.descriptors.pdos.quenched", lambda _: data, observed)
    names = [str(name) for name in result["names"]]
    assert names[-1] == "mean"
    assert {"all of g", "g", "log g", "angles", "g and angles", "two numbers", "energy"} < set(
        names
    )
    share = {name: explained(result, name).value for name in names}
    assert share["g"] > 0.9
    assert share["stiffness"] > 0.8  # a mixture of the noisy spectra themselves
    assert share["angles"] < 0.2
    assert share["SOAP"] < 0.2
    assert share["energy"] < 0.7


def test_a_descriptor_and_nothing_beside_it_is_worth_the_descriptor():
    data, observed = made(angles=np.zeros((N, 20)))
    found = descriptors.descriptors_of(
        data, {k: observed["lj3d.observed.0000"][k] for k in ("angles", "stiffness", "scale")}
    )
    assert found["g and angles"].shape == (N, data.X.shape[1] + 20)
    assert found["g and angles"][:, data.X.shape[1] :].std() == 0


def test_the_logarithm_takes_what_is_below_zero_for_zero():
    """A measured g(r) ripples around zero where there are no atoms."""
    data, observed = made(angles=np.zeros((N, 20)))
    data.stored["g"] = data.stored["g"].copy()
    data.stored["g"][:, 0] = np.linspace(-0.5, 0.5, N)
    known = {k: observed["lj3d.observed.0000"][k] for k in ("angles", "stiffness", "scale")}
    found = descriptors.descriptors_of(data, known)["log g"][:, 0]
    below = data.X[:, 0] <= 0
    assert below.any()
    assert set(found[below]) == {np.log(descriptors.OFFSET)}
    assert np.isfinite(found).all()


def test_a_glass_without_observables_has_no_result():
    data, observed = made()
    assert (
        len(descriptors.compute("hea.descriptors.pdos.quenched", lambda _: data, observed)["names"])
        == 0
    )
    assert len(descriptors.compute("transfer.hea", lambda _: data, observed)["names"]) == 0
    nothing = beyond.compute("hea.beyond.moduli.quenched", lambda _: data, observed)
    assert (len(nothing["names"]), int(nothing["lacking"])) == (0, N)


def test_fingerprints_of_other_structures_are_refused():
    data, observed = made()
    block = observed["lj3d.observed.0000"]
    other = {"lj3d.observed.0000": block | {"row_id": block["row_id"][::-1]}}
    with pytest.raises(ValueError, match="those of other structures"):
        descriptors.compute("lj3d.descriptors.pdos.quenched", lambda _: data, other)


def test_a_potential_of_others_that_is_missing_is_left_out(monkeypatch):
    data, _ = made()
    for module in (observables, beyond, descriptors):
        assert any("lj3d" in name for name in module.result_names({"lj3d": data}))
        monkeypatch.setattr(module, "available", dict)
        assert module.result_names({"lj3d": data}) == []


def test_components_are_those_of_the_training_set():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 20)) * np.linspace(3, 0.1, 20)
    own = descriptors.components(X, 4)
    assert own.shape == (40, 4)
    np.testing.assert_allclose(descriptors.components(X[:5], 4, of=X), own[:5], atol=1e-10)
    few = descriptors.components(X[:, :3])  # numbers of their own units
    np.testing.assert_allclose(few.std(axis=0), 1)


# --- one line for all glasses -----------------------------------------------------------------


def test_a_law_without_units_travels_and_one_with_another_form_in_each_glass_does_not():
    rng = np.random.default_rng(0)
    law = rng.normal(size=(6, 25))
    glasses = {}
    for k in range(5):
        stiffness = rng.normal(size=(30, 6)) + rng.normal(size=6)
        Y = stiffness @ law + 0.01 * rng.normal(size=(30, 25))
        own = rng.normal(size=(25, 6))
        X = {
            "stiffness": np.pad(stiffness, ((0, 0), (0, 14))),
            "g": np.pad(Y @ own, ((0, 0), (0, 14))),
            "angles": rng.normal(size=(30, 20)),
        }
        glasses[f"glass {k}"] = descriptors._Unitless(X, Y, np.repeat([0, 1], 15))
    result = descriptors._transfer(glasses, "glass 2")
    error = dict(zip(result["names"].tolist(), result["error"], strict=True))
    assert error["stiffness"] < 0.01 * error["own mean"]
    assert error["g"] > 0.2 * error["own mean"]
    assert error["own mean"] < error["mean"]
    # What is put beside it has the same weight, and does little harm.
    assert error["g and stiffness"] < 0.3 * error["own mean"]
    assert len(descriptors._transfer({**glasses}, "glass 0")["names"]) == len(result["names"])


def test_glasses_of_the_same_atoms_are_left_out_together(monkeypatch):
    asked = []
    monkeypatch.setattr(descriptors._Unitless, "of", lambda data, system, _: system)
    monkeypatch.setattr(
        descriptors, "_transfer", lambda known, out: asked.append((out, set(known)))
    )
    observed = dict.fromkeys(f"{n}.observed.0000" for n in ("amc", "amc_lb", "si", "lj2d", "lj3d"))
    for one in ("amc", "lj3d"):
        descriptors.compute(f"transfer.{one}", lambda _: None, observed)
    assert asked == [
        ("amc", {"amc", "si", "lj2d", "lj3d"}),
        ("lj3d", {"lj3d", "amc", "amc_lb", "si"}),
    ]


def test_spectra_without_units_are_shares_and_their_scale_is_their_width():
    data = gd.dataset("lj3d")[:8]
    block = observables.observed(data[:1], "lj3d", [0])
    scale = float(block["scale"][0, 0])
    many = {key: np.repeat(values, 8, axis=0) for key, values in block.items()}
    many["row_id"] = data["row_id"].astype("U64")
    one = descriptors._Unitless.of(data, "lj3d", {"lj3d.observed.0000": many})
    np.testing.assert_allclose(one.Y.sum(axis=1), 1, atol=0.01)
    # The unit of length is the distance of the first peak, and far away all is even.
    assert descriptors.DISTANCES[one.X["g"].mean(axis=0).argmax()] == pytest.approx(1.0, abs=0.03)
    assert one.X["g"].shape == (8, len(descriptors.DISTANCES))
    centres = (descriptors.FREQUENCIES[1:] + descriptors.FREQUENCIES[:-1]) / 2
    assert np.sqrt(one.Y[0] @ centres**2) == pytest.approx(1.0, abs=0.01)
    assert scale == pytest.approx(
        np.sqrt(np.sum(data.shares[0] * gd.bins.bin_centres(data.omega_edges) ** 2)), rel=0.01
    )
