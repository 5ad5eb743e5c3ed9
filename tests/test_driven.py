"""Structures driven apart: distances are those of the structures, and what is found is counted."""

import numpy as np
import pandas as pd
import pytest
from ase import Atoms

import glassdata as gd
from glassdata.experiments import driven, pairs
from glassdata.experiments.tables import driven as tables
from glassdata.minimise import RelaxationError
from glassdata.plots import signal


@pytest.fixture(scope="module")
def sheets():
    """Repeats of one preparation, small and quick."""
    found = gd.dataset("amc")
    return found[(found["ensemble"] == "quenched") & found.replicate][:24]


def test_another_structure_of_the_dataset_is_as_far_as_it_is(sheets):
    """Atoms, order and masses are those of the stored structure, so distances are those of rows."""

    def swap(atoms, k):
        yield "other", 1.0, sheets.atoms((k + 1) % len(sheets))

    found = driven.driven(sheets, gd.SYSTEMS["amc"], swap)
    unit, first = pairs.repeats(sheets), found["structure"]
    second = (first + 1) % len(sheets)
    assert first.tolist() == [0, 5, 11, 17, 23]
    assert found["failed"].tolist() == []
    for name, values, one in (("g", sheets.X, unit.g), ("pdos", sheets.Y, unit.pdos)):
        expected = np.linalg.norm(values[first] - values[second], axis=1) / one
        np.testing.assert_allclose(found[name], expected, atol=0.05)
        assert found[name].min() > 0.3


def test_what_comes_to_no_rest_is_named(sheets, monkeypatch):
    def no_rest(atoms, potential):
        raise RelaxationError("left a force")

    def still(atoms, k):
        yield "nothing", 0.5, atoms
        yield "still nothing", 0.0, atoms

    monkeypatch.setattr(driven, "relax", no_rest)
    with pytest.raises(ValueError, match="none of 10 driven structures came to rest: 0, nothing"):
        driven.driven(sheets, gd.SYSTEMS["amc"], still)
    rested = iter([False, True] * driven.STRUCTURES)
    monkeypatch.setattr(driven, "relax", lambda a, p: a if next(rested) else no_rest(a, p))
    found = driven.driven(sheets, gd.SYSTEMS["amc"], still)
    assert found["what"].tolist() == ["still nothing"] * driven.STRUCTURES
    assert len(found["failed"]) == driven.STRUCTURES
    assert found["failed"][0].endswith("nothing 0.5: left a force")


@pytest.mark.parametrize("drive", ["strained", "exchanged"])
def test_a_result_drives_the_glasses_of_its_name_as_its_name_says(monkeypatch, drive):
    monkeypatch.setattr(driven, "driven", lambda *given: given)
    data, system, used = driven.compute(f"cualzr.{drive}", gd.dataset)
    assert system is gd.SYSTEMS["cualzr"]
    assert used is getattr(driven, drive)
    assert set(data["ensemble"]) == {"quenched"}
    assert len(data) == (gd.dataset("cualzr")["ensemble"] == "quenched").sum()


def test_strain_is_of_the_periodic_lengths_alone(sheets):
    atoms = sheets.atoms(0)
    for _, strain, changed in driven.strained(atoms, 0):
        lengths = changed.cell.lengths() / atoms.cell.lengths()
        np.testing.assert_allclose(lengths, [1 + strain, 1 + strain, 1.0])
        np.testing.assert_allclose(
            changed.get_scaled_positions(), atoms.get_scaled_positions(), atol=1e-12
        )


def test_exchange_keeps_sites_composition_and_masses():
    atoms = Atoms("Cu8Zr4", positions=np.arange(36.0).reshape(12, 3))
    atoms.set_masses(np.arange(1.0, 13.0))
    sites = {tuple(place) for place in atoms.positions}
    moved = {}
    for what, share, changed in driven.exchanged(atoms, 3):
        assert what == "Cu-Zr"
        assert changed.get_masses().tolist() == atoms.get_masses().tolist()
        assert {tuple(place) for place in changed.positions} == sites
        moved[share] = np.any(changed.positions != atoms.positions, axis=1)
        ways = np.array(atoms.get_chemical_symbols())[moved[share]]
        assert (ways == "Cu").sum() == (ways == "Zr").sum() == max(1, round(4 * share))
    # What moves first moves in all further steps: one path, not several.
    assert (moved[0.03] & ~moved[1.0]).sum() == 0


def test_all_pairs_of_species_change_places_and_seeds_differ():
    atoms = gd.dataset("cualzr").atoms(0)
    one, again, other = (list(driven.exchanged(atoms, seed)) for seed in (0, 0, 1))
    assert [what for what, _, _ in one[:: len(driven.SHARES)]] == ["Al-Cu", "Al-Zr", "Cu-Zr"]
    assert np.array_equal(one[0][2].positions, again[0][2].positions)
    assert not np.array_equal(one[0][2].positions, other[0][2].positions)


def test_glasses_of_one_species_and_crystals_have_fewer_drives():
    glasses = {name: gd.dataset(name) for name in ("amc", "cualzr", "lj2d")}
    crystals = glasses["cualzr"][glasses["cualzr"]["ensemble"] == "displaced"]
    # The largest structures first.
    assert driven.result_names(glasses) == ["cualzr.strained", "cualzr.exchanged", "amc.strained"]
    assert driven.result_names({"cualzr": crystals}) == []
    # Each preparation once: there is no unit for distances.
    glassy = glasses["cualzr"][glasses["cualzr"]["ensemble"] == "quenched"]
    alone = np.unique(glassy.preparation, return_index=True)[1]
    assert driven.result_names({"cualzr": glassy[alone]}) == []


def made(**columns):
    n = len(columns["g"])
    known = {"structure": range(n), "what": ["box"] * n, "amount": np.zeros(n)}
    known |= {"n_imaginary": np.zeros(n, int)}
    return {name: np.asarray(values) for name, values in (known | columns).items()}


def test_planted_pairs_are_counted_and_saddles_are_not():
    results = {
        "si.strained": made(
            g=[0.5, 0.9, 1.1, 0.2], pdos=[1.0, 3.5, 9.0, 9.0], n_imaginary=[0, 0, 0, 1]
        ),
        "ka3d.exchanged": made(g=[0.5, 0.6], pdos=[2.0, 3.0], what=["Ar-Ca", "other"]),
    }
    table = tables.everyone(results)
    assert len(table) == 5
    assert "n_imaginary" not in table
    assert table.columns[0] == "structure"
    assert list(table.index) == list(range(5))
    found = tables.alike(table)
    assert found.loc[("si", "strained"), "pairs"] == 2
    assert found.loc[("si", "strained"), "median"] == pytest.approx(2.25)
    assert found["above 3"].tolist() == [1, 0]
    assert found["largest"].tolist() == [3.5, 3.0]
    assert found["what"].tolist() == ["box", "other"]


def test_the_figure_shows_every_structure_and_the_corner_that_was_looked_for():
    table = pd.DataFrame(
        {"glass": ["si", "sic", "sic"], "drive": ["strained", "strained", "exchanged"]}
        | {"g": [0.5, 2.0, 3.0], "pdos": [1.0, 2.5, 4.0]}
    )
    figure = signal.driven(table)
    left, right = figure.axes
    assert (left.get_title(), right.get_title()) == ("strained", "exchanged")
    points = [line.get_xydata().tolist() for line in left.lines if line.get_marker() == "o"]
    assert points == [[[0.5, 1.0]], [[2.0, 2.5]]]
    corner = left.collections[0].get_paths()[0].get_extents()
    assert (corner.x1, corner.y0) == (1, tables.FAR)
