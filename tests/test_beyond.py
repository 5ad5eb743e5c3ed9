"""Observables as a second dataset, and the contest for each of them."""

from pathlib import Path

import numpy as np
import pytest
from test_contests import N, few, world  # noqa: F401  (few is a fixture)
from test_why import argon  # noqa: F401

import glassdata as gd
from glassdata.experiments import beyond, observables, tables, targets
from glassdata.experiments.contests import above, in_noise, ratio_above
from glassdata.experiments.fingerprints import FINGERPRINTS
from glassdata.observables import Observed
from glassdata.system import System
from glassdata.systems import SYSTEMS

KINDS = {"heat capacity": 5, "moduli": 2, "conductivity": 5, "longitudinal": 25, "x-rays": 25}


@pytest.fixture(scope="module")
def block(argon):  # noqa: F811
    argon.stored["row_id"] = ("structure", np.arange(len(argon)).astype(str))
    return observables.observed(argon, "lj3d", [0, 1])


def test_every_target_of_a_glass_has_numbers_of_one_length(block):
    wanted = {name for name, one in targets.TARGETS.items() if one.applies(SYSTEMS["lj3d"])}
    assert block.keys() == wanted | set(FINGERPRINTS) | {"row_id", "failed"}
    assert "raman" not in wanted
    for name, length in KINDS.items():
        assert block[name].shape == (2, length), name
        assert np.isfinite(block[name]).all(), name
    assert not any(block["failed"])


def test_why_a_target_is_missing_is_kept(argon, monkeypatch):  # noqa: F811
    def refuse(*_, **__):
        raise ValueError("too hot")

    monkeypatch.setattr(targets, "heat_capacity", refuse)
    argon.stored["row_id"] = ("structure", np.arange(len(argon)).astype(str))
    found = observables.observed(argon, "lj3d", [0])
    assert found["failed"].tolist() == ["heat capacity: too hot"]
    assert np.isnan(found["heat capacity"]).all()
    assert np.isfinite(found["conductivity"]).all()


def test_what_ships_has_the_lengths_that_are_declared():
    shipped, seen = gd.open_results("observables"), set()
    for name in shipped:
        for key, target in targets.TARGETS.items():
            if key in (result := shipped[name]):
                seen.add(key)
                assert result[key].shape[1:] == (target.length,), (name, key)
    assert seen == set(targets.TARGETS)


def test_targets_obey_what_is_known_of_them(block, argon):  # noqa: F811
    # Three degrees of freedom an atom at most, and more where it is hotter.
    heat = block["heat capacity"]
    assert (np.diff(heat, axis=1) > 0).all()
    assert (heat < 3).all()
    # Participation is at most 1, so weighted by it the spectrum sums to less than its share of 1.
    assert (block["participation"].sum(axis=1) < 1).all()
    # A wave's modes share it out: the sum over the range is 1 less what moves all atoms alike.
    width = 4 * np.diff(argon.omega_edges)[0]
    np.testing.assert_allclose(block["longitudinal"].sum(axis=1) * width, 1, atol=0.05)
    assert (block["sound"][:, 0] > block["sound"][:, 1]).all()


def test_a_structure_that_is_not_at_rest_says_why_and_the_next_goes_on(block, argon):  # noqa: F811
    moved = argon.atoms(0)
    moved.positions[0] += 0.3

    class Two:
        def atoms(self, k):
            return (moved, argon.atoms(1))[k]

        def __getitem__(self, name):
            return argon[name]

    found = observables.observed(Two(), "lj3d", [0, 1])
    assert "not at rest" in found["failed"][0]
    assert np.isnan(found["heat capacity"][0]).all()
    assert np.isfinite(found["heat capacity"][1]).all()


class Sized:
    """So many atoms in each structure."""

    def __init__(self, n_atoms):
        self.n_atoms = n_atoms

    def __len__(self):
        return len(self.n_atoms)


def test_blocks_come_together_in_order(monkeypatch):
    names = observables.result_names({"lj3d": world("line"), "of a user": world("line")})
    assert len(names) == -(-N // observables.BLOCK)
    looked: list[int] = []
    monkeypatch.setattr(observables, "observed", lambda _, __, positions: looked.extend(positions))
    for name in names:
        observables.compute(name, lambda _: world("line"))
    assert sorted(looked) == list(range(N))
    blocks = {name: {"row_id": np.array([name])} for name in reversed(names)}
    together = observables.together(blocks, "lj3d")["row_id"].tolist()
    assert together == sorted(names)


def test_blocks_of_the_largest_structures_come_first():
    """They take longest, and must not be left for one worker at the end."""
    small, large = (Sized(np.full(3, n)) for n in (100, 900))
    found = observables.result_names({"lj3d": small, "si": large, "of a user": large})
    assert found == ["si.observed.0000", "lj3d.observed.0000"]


def test_a_planted_law_is_found_and_a_hole_is_left_out(few, monkeypatch):  # noqa: F811
    monkeypatch.setattr(beyond, "REFITS", 2)
    data = world("line")
    data.stored["row_id"] = ("structure", np.arange(N).astype(str).astype("U64"))
    noise = 0.1 * np.random.default_rng(0).normal(size=(N, 2))
    law = data.X[:, [3, 9]] + noise * data.X[:, [3, 9]].std(axis=0)
    law[0] = np.nan  # one structure has none
    found = {"lj3d.observed.0000": {"row_id": data["row_id"], "moduli": law}}
    monkeypatch.setattr(beyond, "MOST", N)
    names = beyond.result_names({"lj3d": data})
    assert f"lj3d.beyond.{beyond.SPECTRUM}.quenched" in names
    result = beyond.compute("lj3d.beyond.moduli.quenched", lambda _: data, found)
    assert int(result["lacking"]) == 1
    assert result["count"].sum() == N - 1
    assert in_noise(result).value < 1
    assert ratio_above(result, "mean").low > 1
    # The mean's error is the variance of what was divided by its own, or some more.
    assert 0.8 < above(result, "mean")(np.ones((1, len(result["count"]))))[0] < 2


def test_a_boson_peak_counts_modes_in_units_of_sound():
    """Twice as many modes, or sound faster by the cube root of two, is a peak twice as high."""
    data, glass = gd.dataset("lj3d")[:6], SYSTEMS["lj3d"]
    n, edges = len(data), data.omega_edges[::4]
    sound = np.tile([2.0, 1.0], (n, 1)) * np.where(np.arange(n) % 2, 2 ** (1 / 3), 1.0)[:, None]
    sound[2] = np.nan
    found = targets.DERIVED["boson"].values(data, {"sound": sound}, glass)[:, 0]
    slowness = (1 / 2.0**3 + 2 / 1.0**3) / 3
    debye = np.cbrt(6 * np.pi**2 * data.density / slowness) / (2 * np.pi) * 10  # km/s in Å THz
    for k in (0, 1):
        low = 0.5 * (edges[1:] + edges[:-1]) < 0.6 * (nu := debye[k] * (1.0, 2 ** (1 / 3))[k])
        shares = data.shares[k].reshape(25, 4).sum(axis=1) * (1 - data["overflow"][k])
        assert found[k] == pytest.approx((shares * nu**3 / np.diff(edges**3))[low].max(), rel=1e-6)
    assert np.isnan(found[2])
    sheet, flat = targets.DERIVED["boson"].applies, SYSTEMS["ka2d"]
    assert (sheet(SYSTEMS["amc_lb"]), sheet(flat), sheet(glass)) == (False, True, True)


def test_observables_of_other_structures_are_refused():
    data = world("line")
    data.stored["row_id"] = ("structure", np.arange(N).astype(str).astype("U64"))
    other = {"lj3d.observed.0000": {"row_id": data["row_id"][::-1], "sound": np.ones((N, 2))}}
    with pytest.raises(ValueError, match="those of other structures"):
        beyond.targets_of(data, "lj3d", "sound", other)


def test_what_no_structure_has_stays_missing():
    data = world("line")
    data.stored["row_id"] = ("structure", np.arange(N).astype("U64"))
    half = np.where(np.arange(N)[:, None] % 2 == 0, np.nan, [[1.0, 7.0]])
    block = {"row_id": data["row_id"], "conductivity": np.full((N, 5), np.nan), "sound": half}
    observed = {"lj3d.observed.0000": block}
    assert np.isnan(beyond.targets_of(data, "lj3d", "conductivity", observed)).all()
    found = beyond.targets_of(data, "lj3d", "sound", observed)  # no spread, so in no unit
    np.testing.assert_array_equal(np.isnan(found), np.isnan(half))
    result = beyond.compute("lj3d.beyond.conductivity.quenched", lambda _: data, observed)
    assert len(result["names"]) == 0


def test_powers_of_ten_are_predicted_as_such():
    data = world("line")
    data.stored["row_id"] = ("structure", np.arange(N).astype("U64"))
    data = data[:4]
    kappa = np.array([[1.0], [10.0], [1e5], [np.nan]])
    block = {"row_id": data["row_id"], "conductivity": kappa, "sound": kappa}
    observed = {"lj3d.observed.0000": block}
    found = beyond.targets_of(data, "lj3d", "conductivity", observed)[:, 0]
    steps = np.diff(np.log(kappa[:3, 0] + 0.1))  # a hundredth of the median, 10
    np.testing.assert_allclose(np.diff(found[:3]) / (found[2] - found[0]), steps / steps.sum())
    assert np.isnan(found[3])
    plain = beyond.targets_of(data, "lj3d", "sound", observed)[:, 0]
    assert (plain[1] - plain[0]) / (plain[2] - plain[0]) < 1e-3


def test_without_repeats_nobody_knows_the_noise(monkeypatch):
    data = gd.dataset("ka2d")
    alone = np.arange(len(data))
    monkeypatch.setattr(beyond, "preparations", lambda _: alone)
    assert not beyond.enough(data)
    alone[1] = 0
    assert beyond.enough(data)


def test_few_structures_make_no_contest():
    data = world("line")[:20]
    assert beyond.result_names({"lj3d": data}) == []


def test_no_wave_in_a_range_is_an_error_with_the_range():
    small: System = SYSTEMS["lj3d"]
    one = Observed(small.crystal(), small.potential, small.omega_edges)
    with pytest.raises(ValueError, match=r"no wave between 0\.2 and 0\.4"):
        targets.waves(one, small, targets.LONG)


def test_needed_results_are_asked_for(tmp_path: Path):
    from glassdata.experiments.runner import _needed

    with pytest.raises(FileNotFoundError, match="glassdata experiment observables -o"):
        _needed("beyond", tmp_path)
    assert _needed("weights", tmp_path) == ""


def test_many_glasses_weigh_more_when_sizes_are_extrapolated():
    """Through three points that are on no line: the normal equations, by hand."""
    sizes, kappa, glasses = np.array([125.0, 343.0, 1000.0]), np.array([1.0, 1.2, 0.9]), [8, 2, 1]
    measured = [
        {"n_atoms": n, "widths": [0.2], "kappa": [[k - 0.1], [k + 0.1]] * (m // 2) or [[k]]}
        for n, k, m in zip(sizes, kappa, glasses, strict=True)
    ]
    found = tables.beyond.against_size(reversed(measured))
    x, w = 1 / np.cbrt(sizes), np.array(glasses)
    mean_x, mean_k = np.average(x, weights=w), np.average(kappa, weights=w)
    slope = np.average((x - mean_x) * kappa, weights=w) / np.average((x - mean_x) ** 2, weights=w)
    assert found[0.2].tolist() == pytest.approx([*kappa, mean_k - slope * mean_x])
    assert found["glasses"].tolist() == [*glasses, 0]
