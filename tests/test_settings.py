"""Settings that make no sense never get as far as a task; the message names the field."""

import json
from dataclasses import replace

import fake_glass as fake
import numpy as np
import pytest

from glassdata.cli import run
from glassdata.config import ALGORITHM_VERSION, canonical_json
from glassdata.engine import build
from glassdata.protocols import Stratum
from glassdata.row import science
from glassdata.store import StoreError, prepare, science_config
from glassdata.store.rows import row_path
from glassdata.store.science import differences
from glassdata.store.settings import goal_counts, missing_rows
from glassdata.systems import SYSTEMS

LJ, AMC = SYSTEMS["lj3d"], SYSTEMS["amc"]
#: What may be set, by the words with which the message begins.
SETTINGS = {
    "system lj3d": LJ,
    "LennardJones": LJ.potential,
    "CrystalDisorder": LJ.protocols["demo"],
    "SheetDisorder": AMC.protocols["demo"],
}
POSITIVE = {
    "system lj3d": ("r_max", "omega_max", "bond_length", "n_r", "n_omega"),
    "LennardJones": ("epsilon", "sigma", "r_cut"),
    "CrystalDisorder": ("n_structures", "separation", "max_force"),
    "SheetDisorder": ("n_structures", "temperature", "melt_time", "kick", "max_force"),
}


@pytest.mark.parametrize("bad", [0, -3, np.nan, np.inf])
@pytest.mark.parametrize(
    ("who", "field"), [(w, f) for w, fields in POSITIVE.items() for f in fields]
)
def test_numbers_must_be_positive_and_finite(who, field, bad):
    with pytest.raises(ValueError, match=f"{who}: {field} must be positive and finite, got {bad}"):
        replace(SETTINGS[who], **{field: bad})


@pytest.mark.parametrize("who", ["CrystalDisorder", "SheetDisorder"])
def test_a_glass_of_no_cells_is_refused(who):
    with pytest.raises(ValueError, match=rf"{who}: cells must be positive .* \(3, 0, 3\)"):
        replace(SETTINGS[who], cells=(3, 0, 3))


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        (
            {"vacancy_fraction": (0, 20)},
            "vacancy_fraction must be 0 <= low <= high <= 1",
        ),  # percent
        ({"displacement": (0.1, np.nan)}, "displacement must be 0 <= low <= high"),
        ({"displacement": (0.1, np.inf)}, "displacement must be 0 <= low <= high"),
        ({"cooling_time": (-1.0, 1.0)}, "cooling_time must be 0 <= low <= high"),
    ],
)
def test_knobs_stay_in_range(knobs, words):
    with pytest.raises(ValueError, match=words):
        Stratum(1, **knobs)


@pytest.mark.parametrize("who", SETTINGS)
def test_unknown_settings_are_named(who):
    with pytest.raises(TypeError, match="colour"):
        replace(SETTINGS[who], colour="blue")


def test_words_must_be_known():
    with pytest.raises(ValueError, match="CrystalDisorder: cell must be fixed or isotropic"):
        replace(LJ.protocols["demo"], cell="isotropc")


def test_nothing_is_submitted_for_settings_that_are_no_plain_numbers(tmp_path, monkeypatch):
    """What a hand-made System hides from the checks above stops at its canonical form."""
    monkeypatch.setattr("dask.distributed.Client", None)
    strange = {"ar": fake.fake_system("ar")}
    object.__setattr__(strange["ar"], "r_max", float("nan"))
    with pytest.raises(
        ValueError, match=r"systems\.ar\.description\.bins\[1\]: nan is not plain finite data"
    ):
        build(tmp_path / "store", source=fake.source(systems=strange))
    assert not list(tmp_path.rglob("*.npz"))


def test_another_algorithm_version_is_refused(tmp_path, monkeypatch):
    prepare(tmp_path / "store", science_config({"lj3d": LJ}, "demo"), {"lj3d": 1})
    monkeypatch.setattr("glassdata.system.ALGORITHM_VERSION", 999)
    with pytest.raises(StoreError, match=rf"structure.algorithm: {ALGORITHM_VERSION} -> 999"):
        prepare(tmp_path / "store", science_config({"lj3d": LJ}, "demo"), {"lj3d": 1})


def test_the_command_shows_what_changed_and_keeps_the_store(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("dask.distributed.Client", None)
    prepare(tmp_path / "store", science_config({"lj3d": LJ}, "demo"), {"lj3d": 1})
    before = fake.contents(tmp_path / "store")
    monkeypatch.setattr("glassdata.system.ALGORITHM_VERSION", 999)
    assert run(["build", str(tmp_path / "store"), "--limit", "1"]) == 2
    assert f"structure.algorithm: {ALGORITHM_VERSION} -> 999" in capsys.readouterr().err
    assert fake.contents(tmp_path / "store") == before


def test_a_glass_named_twice_is_built_once():
    assert goal_counts(fake.SYSTEMS, "demo", ["ar", "ar"], 1) == {"ar": 1}


def test_a_second_spelling_of_an_index_is_no_row(tmp_path):
    """It would hide that the row of this index is missing."""
    store = fake.sealed_store(tmp_path / "store", count=2)
    row_path(store, "ar", 1).rename(store / "rows/ar/0000001.npz")
    assert missing_rows(store, {"ar": 2}) == [("ar", 1)]


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_configuration_is_the_same_after_it_was_written_and_read(name):
    """Otherwise the store of a glass could not be resumed: JSON knows lists, not tuples."""
    told = {"systems": {name: science(name, "reference")}}
    assert list(differences(json.loads(canonical_json(told)), told, {name})) == []
