"""A row's identity is made of all that determines its numbers, and of nothing else."""

import json
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from itertools import product

import fake_glass as fake
import numpy as np
import pytest

import glassdata as gd
from glassdata import describe, schema
from glassdata.config import ALGORITHM_VERSION, canonical_json
from glassdata.engine import source_of
from glassdata.protocols import Stratum
from glassdata.protocols.sheet import SheetDisorder
from glassdata.row import compute_row, row_id, science, structure_id
from glassdata.store import StoreError, prepare, recorded_science, science_config, seal
from glassdata.store.rows import conform, dimension_sizes, read_row
from glassdata.store.science import made_otherwise, not_comparable
from glassdata.store.structures import check_structures, stored_structure
from glassdata.systems import SYSTEMS
from glassdata.worker import Task, publish

#: Beginnings of the identities of structure 0 of every profile, ``structure_id`` and ``row_id``.
#: They change when, and only when, the numbers of a glass change: then its rows have to be made or
#: described anew, and the changelog says so.
FROZEN = {
    ("amc", "demo"): ("76af3d6cb451", "3ef6d7cb1c7b"),
    ("amc", "reference"): ("e01bace5f951", "bb1bc6fcf8ae"),
    ("amc", "paper"): ("4fa378a31f56", "aad110424f6a"),
    ("amc", "external"): ("72493f5725a3", "7cb708b67dc6"),
    ("amc_lb", "demo"): ("a415da4f6452", "080804495d4a"),
    ("amc_lb", "reference"): ("f08cb6763abe", "9bada52252d6"),
    ("amc_lb", "paper"): ("2247d3da070e", "bc9313fa9a61"),
    ("amc_lb", "external"): ("621fcd6a4f32", "637d23b239d7"),
    ("lj2d", "demo"): ("6d3428dae025", "8cba6c0a81c2"),
    ("lj2d", "reference"): ("1c85c62b7465", "796f1b9e4962"),
    ("lj2d", "paper"): ("1c85c62b7465", "796f1b9e4962"),
    ("lj3d", "demo"): ("ba302ef064ff", "d939f789e004"),
    ("lj3d", "reference"): ("aafe3af7f100", "89505b980bee"),
    ("lj3d", "paper"): ("aafe3af7f100", "89505b980bee"),
    ("sic", "demo"): ("d58f8c1447d6", "907ae796fb36"),
    ("sic", "reference"): ("ee121e0ee778", "7fe7ffcc8872"),
    ("sic", "paper"): ("f3999af398e5", "602684e6e553"),
    ("sic_tersoff", "demo"): ("c59d34e7e669", "b799df823531"),
    ("sic_tersoff", "reference"): ("3992b29eb9f5", "7b34eae0945f"),
    ("sic_tersoff", "paper"): ("e8cfa3c537c6", "74ceef068873"),
    ("sic_mlip", "demo"): ("b3aaab89876f", "f7be15da7325"),
    ("sic_mlip", "reference"): ("129a16d1eff7", "353344e22556"),
    ("sic_mlip", "paper"): ("4be5e0418939", "8ee6e6cbacec"),
    ("cualzr", "demo"): ("046b7118d04f", "f955f9df066d"),
    ("cualzr", "reference"): ("ded44caf1850", "d22dbf5057bc"),
    ("cualzr", "paper"): ("4cd9ba3fc073", "b2ed9ed4daec"),
    ("cualzr_sheng", "demo"): ("c695f382021e", "9d568658be73"),
    ("cualzr_sheng", "reference"): ("a17ff5839549", "076003859f99"),
    ("cualzr_sheng", "paper"): ("757bc27c4201", "a6a150130dd9"),
    ("ka2d", "demo"): ("ef05260eb22e", "5677beb86964"),
    ("ka2d", "reference"): ("1b5f43525102", "abca0d18f938"),
    ("ka2d", "paper"): ("1b5f43525102", "abca0d18f938"),
    ("ka2d", "sizes"): ("874888acfff3", "7b4f7b31b62d"),
    ("ka3d", "demo"): ("bfec9d3c71c8", "d7821fe04de4"),
    ("ka3d", "reference"): ("db83eea5abdb", "135cc15a9920"),
    ("ka3d", "paper"): ("db83eea5abdb", "135cc15a9920"),
    ("si", "demo"): ("b37ccaa54e67", "85f66c504f1c"),
    ("si", "reference"): ("b9650012045e", "8241a258391b"),
    ("si", "paper"): ("425f722b7f73", "e3b2847f7653"),
    ("hea", "demo"): ("c6f35c0ccb79", "4d38de1085cc"),
    ("hea", "reference"): ("8dee7e4e535b", "73b9cc15d491"),
    ("hea", "paper"): ("59a8f2665967", "9128e121adc5"),
}


PROFILES = [(name, profile) for name, system in SYSTEMS.items() for profile in system.protocols]


@pytest.mark.parametrize(("name", "profile"), PROFILES)
def test_identities_are_frozen(name, profile):
    found = structure_id(name, profile, 0)[:12], row_id(name, profile, 0)[:12]
    assert found == FROZEN[name, profile], "numbers changed? see the comment at FROZEN"


def test_nothing_is_frozen_that_is_gone():
    assert set(FROZEN) == set(PROFILES)


def _ids(system, profile="demo"):
    return structure_id(system, profile, 0), row_id(system, profile, 0)


def _other(value):
    """A valid value of the same kind that is not the same."""
    if isinstance(value, str):
        return {"fixed": "isotropic", "isotropic": "fixed"}.get(value, value + "x")
    if isinstance(value, float | int):
        return type(value)(value * 2 + 1)
    if isinstance(value, tuple) and is_dataclass(value[0]):  # strata, or other preparations
        first = fields(value[0])[0].name
        changed = replace(value[0], **{first: _other(getattr(value[0], first))})
        return (changed, *value[1:])
    if isinstance(value, tuple):
        return (*value[:-1], _other(value[-1]))
    # A crystal has a largest force; of a potential, any number will do.
    numbers = [f.name for f in fields(value) if isinstance(getattr(value, f.name), float)]
    name = "max_force" if "max_force" in numbers else numbers[0]
    return replace(value, **{name: 2 * getattr(value, name)})


PROTOCOL_FIELDS = [
    (name, field.name)
    for name, system in SYSTEMS.items()
    for field in fields(system.protocols["demo"])
    if field.name != "n_structures"
]


@pytest.mark.parametrize(("name", "field"), PROTOCOL_FIELDS)
def test_every_setting_of_a_protocol_makes_another_structure(name, field):
    system = SYSTEMS[name]
    protocol = system.protocols["demo"]
    changed = replace(protocol, **{field: _other(getattr(protocol, field))})
    other = replace(system, protocols={"demo": changed})
    assert all(a != b for a, b in zip(_ids(system), _ids(other), strict=True))


@pytest.mark.parametrize("knob", [f.name for f in fields(Stratum)])
def test_every_knob_of_a_stratum_makes_another_structure(knob):
    system = SYSTEMS["lj3d"]
    protocol = system.protocols["demo"]
    stratum = protocol.strata[0]
    value = 7 if knob == "weight" else (0.125, 0.5)
    changed = replace(protocol, strata=(replace(stratum, **{knob: value}), *protocol.strata[1:]))
    assert _ids(system)[0] != _ids(replace(system, protocols={"demo": changed}))[0]


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_crystal_and_the_potential_make_another_structure(name):
    system = SYSTEMS[name]
    crystal = replace(system.crystal, settings={**system.crystal.settings, "a": 1.0})
    assert _ids(system)[0] != _ids(replace(system, crystal=crystal))[0]
    mine = system.potential.parameters()
    potential = next(s.potential for s in SYSTEMS.values() if s.potential.parameters() != mine)
    assert _ids(system)[0] != _ids(replace(system, potential=potential))[0]


def test_the_potential_of_the_melt_makes_other_sheets():
    system = SYSTEMS["amc"]
    protocol = system.protocols["demo"]
    assert isinstance(protocol, SheetDisorder)
    melt = replace(protocol.melt, potential=SYSTEMS["amc_lb"].potential)
    changed = replace(system, protocols={"demo": replace(protocol, melt=melt)})
    assert _ids(system)[0] != _ids(changed)[0]


@pytest.mark.parametrize(
    "constant",
    ["glassdata.system.ALGORITHM_VERSION"]
    + [f"glassdata.protocols.plan.SCIENCE:{key}" for key in ("root_seed", "family")]
    + [f"glassdata.minimise.SCIENCE:{key}" for key in ("push", "skin", "separating_strength")]
    + [f"glassdata.protocols.melt.SCIENCE:{key}" for key in ("timestep", "damping")],
)
def test_constants_that_all_share_make_other_structures(monkeypatch, constant):
    before = _ids(SYSTEMS["amc"])[0]
    path, _, key = constant.partition(":")
    if key:
        module, _, attribute = path.rpartition(".")
        table = getattr(__import__(module, fromlist=[attribute]), attribute)
        monkeypatch.setitem(table, key, 0.123)
    else:
        monkeypatch.setattr(path, 0.123)
    assert _ids(SYSTEMS["amc"])[0] != before


def test_the_step_of_positions_makes_other_structures():
    system = SYSTEMS["amc"]
    assert _ids(replace(system, position_step=2.0**-10))[0] != _ids(system)[0]


DESCRIPTION = {
    "r_max": 11.0, "omega_max": 77.0, "bond_length": 1.5, "n_r": 50, "n_omega": 50,
    "class_variable": "energy", "class_edges": (0.0, 1.0, 2.0),
}  # fmt: skip


@pytest.mark.parametrize("field", DESCRIPTION)
def test_what_describes_a_structure_does_not_make_it(field):
    system = SYSTEMS["sic"]
    same, other = _ids(system), _ids(replace(system, **{field: DESCRIPTION[field]}))
    assert same[0] == other[0]
    assert same[1] != other[1]


@pytest.mark.parametrize("field", ["title", "summary", "reference"])
def test_words_determine_nothing(field):
    system = SYSTEMS["sic"]
    assert _ids(system) == _ids(replace(system, **{field: "other words"}))


def test_a_longer_profile_has_the_same_rows_and_more():
    system = SYSTEMS["lj2d"]
    longer = replace(system.protocols["demo"], n_structures=1234)
    assert _ids(system) == _ids(replace(system, protocols={"demo": longer}))


def test_a_knob_that_nobody_turns_changes_nothing():
    """A new knob, with a default that does nothing, must not cost the rows of every glass."""

    @dataclass(frozen=True)
    class Longer(Stratum):
        pressure: tuple[float, float] = (0.0, 0.0)

    same = {"displacement": (0.1, 0.2), "vacancy_fraction": (0.0, 0.1)}
    assert Longer(2, **same).science() == Stratum(2, **same).science()
    u = np.linspace(0.1, 0.7, len(fields(Longer)))
    assert Longer(2, **same).at(u).items() >= Stratum(2, **same).at(u).items()
    assert Longer(2, **same, pressure=(0.0, 1.0)).science() != Stratum(2, **same).science()


def test_all_identities_differ():
    found = [row_id(*key) for key in product(SYSTEMS, ("demo", "reference"), range(3))]
    assert len(set(found)) == len(found)


# --- two stages -------------------------------------------------------------------------------


def _build(store, name, count, source=None, systems=SYSTEMS):
    """A sealed store of demo structures, made in this process."""
    source = source or source_of()
    chosen = {name: systems[name]}
    goal = prepare(store, science_config(chosen, "demo"), {name: count})
    sizes = {name: dimension_sizes(systems[name])}
    task = Task(store, "demo", sizes, source.compute, source.identify)
    receipts = [publish(task, name, index) for index in range(count)]
    seal(store, systems, goal, identify=source.identify)
    return receipts


def _same_bytes(one, other):
    return fake.contents(one) == fake.contents(other)


@pytest.mark.parametrize("name", ["lj2d", "amc"])
def test_structures_described_again_give_the_same_bytes(tmp_path, name, monkeypatch):
    _build(tmp_path / "old", name, 3)
    monkeypatch.setattr("glassdata.row.make_structure", None)  # nobody may make one
    again = source_of(tmp_path / "old")
    check_structures(tmp_path / "old", "demo", [SYSTEMS[name]])
    _build(tmp_path / "new", name, 3, again)
    assert _same_bytes(tmp_path / "old", tmp_path / "new")
    # And so they do where nothing of the old description is taken over.
    anew = partial(compute_row, make=partial(stored_structure, tmp_path / "old"))
    _build(tmp_path / "all", name, 3, replace(again, compute=anew))
    assert _same_bytes(tmp_path / "old", tmp_path / "all")


def test_what_is_known_is_what_would_be_computed_again():
    by_width = {"class_variable": "peak_width", "class_edges": (0.1, 0.2, 0.3)}
    now = describe.description_science(replace(SYSTEMS["lj2d"], **by_width))
    everything = set(now["variables"])
    assert describe.still_known(now, now) == everything
    assert describe.still_known(json.loads(canonical_json(now)), now) == everything
    older = now["variables"] | {"peak_width": 0, "gone": 1}
    del older["stress"]
    # The classes of this glass are cut by a variable that changed.
    missing = {"stress", "peak_width", "disorder_class"}
    assert describe.still_known(now | {"variables": older}, now) == everything - missing
    edges = now | {"classes": ["peak_width", 0.1, 0.2, 0.4]}
    assert describe.still_known(edges, now) == everything - {"disorder_class"}
    for key in ("bins", "species", "bond_length", "zero", "dim"):
        assert describe.still_known(now | {key: None}, now) == set(), key


@pytest.fixture
def new_variable(monkeypatch):
    """Declared in one line: the number of atoms, squared."""

    def declare():
        variable = schema.per_structure(
            "f8", "1", "number of atoms, squared", lambda s: len(s.atoms) ** 2
        )
        monkeypatch.setitem(describe.DESCRIBED, "n_squared", variable)
        monkeypatch.setitem(schema.VARIABLES, "n_squared", variable)

    return declare


def test_a_new_variable_needs_no_new_structure(tmp_path, new_variable, monkeypatch):
    _build(tmp_path / "old", "lj2d", 2)
    before = structure_id("lj2d", "demo", 0), row_id("lj2d", "demo", 0)
    new_variable()
    assert structure_id("lj2d", "demo", 0) == before[0]
    assert row_id("lj2d", "demo", 0) != before[1]
    config = science_config({"lj2d": SYSTEMS["lj2d"]}, "demo")
    with pytest.raises(StoreError, match=r"n_squared: absent -> 1[\s\S]*--structures .*old"):
        prepare(tmp_path / "old", config, {"lj2d": 2})
    # What the store knows is not computed again, the frequencies least of all.
    monkeypatch.setattr("glassdata.describe.frequencies", None)
    _build(tmp_path / "new", "lj2d", 2, source_of(tmp_path / "old"))
    rows = [read_row(tmp_path / place, "lj2d", 1) for place in ("old", "new")]
    assert rows[1]["n_squared"] == rows[0]["n_atoms"] ** 2
    assert (rows[0]["position"] == rows[1]["position"]).all()
    group = gd.open_dataset(tmp_path / "new")["lj2d"]
    assert np.isfinite(group["n_squared"].values).all()
    assert group["n_squared"].attrs["long_name"] == "number of atoms, squared"


def test_structures_that_were_made_otherwise_are_not_described_as_ours(tmp_path):
    _build(tmp_path / "old", "lj2d", 1)
    system = SYSTEMS["lj2d"]
    protocol = replace(system.protocols["demo"], separation=2.9)
    other = replace(system, protocols={"demo": protocol})
    with pytest.raises(StoreError, match=r"made otherwise[\s\S]*protocol.separation: 2.8 -> 2.9"):
        check_structures(tmp_path / "old", "demo", [other])
    with pytest.raises(StoreError, match="holds the profile demo, not paper"):
        check_structures(tmp_path / "old", "paper", [system])
    with pytest.raises(StoreError, match="holds no lj3d"):
        check_structures(tmp_path / "old", "demo", [SYSTEMS["lj3d"]])


def test_structures_of_an_older_layout_are_refused_in_one_line(tmp_path, monkeypatch):
    _build(tmp_path / "old", "lj2d", 1)
    old = {"lj2d": {"algorithm": 3, "potential": {}, "bins": [], "classes": []}}
    monkeypatch.setattr("glassdata.store.structures.recorded_science", lambda where: old)
    with pytest.raises(StoreError, match="older layout, which did not record"):
        check_structures(tmp_path / "old", "demo", [SYSTEMS["lj2d"]])


def test_rows_of_another_version_are_compared_where_they_can_be(tmp_path, monkeypatch):
    _build(tmp_path / "old", "lj2d", 1)
    then, now = recorded_science(tmp_path / "old")["lj2d"], science("lj2d", "demo")
    assert made_otherwise(then, now) == []
    assert not_comparable(then, now) == set()
    variable = describe.DESCRIBED["peak_width"]
    monkeypatch.setitem(describe.DESCRIBED, "peak_width", replace(variable, version=2))
    monkeypatch.setitem(schema.VARIABLES, "peak_width", replace(variable, version=2))
    now = science("lj2d", "demo")
    assert made_otherwise(then, now) == []
    assert not_comparable(then, now) == {"peak_width", "row_id"}
    monkeypatch.setattr("glassdata.system.ALGORITHM_VERSION", 999)
    assert made_otherwise(then, science("lj2d", "demo"))[0].endswith(f"{ALGORITHM_VERSION} -> 999")


# --- declarations -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["amc", "lj2d", "sic"])
def test_a_row_holds_every_declared_variable_that_applies(name):
    row = compute_row(name, "demo", 0)
    expected = {n for n, v in describe.DESCRIBED.items() if v.applies(SYSTEMS[name])}
    assert expected <= row.keys()
    assert row.keys() <= schema.VARIABLES.keys()
    identity = {"row_id": "0" * 64, "status": "ok", "error": ""}
    conform(row | identity, dimension_sizes(SYSTEMS[name]))


def test_a_variable_needs_a_unit_a_meaning_and_a_version():
    with pytest.raises(ValueError, match="a unit and a meaning"):
        schema.Variable(("structure",), "f8", "", "something")
    with pytest.raises(ValueError, match="version must be at least 1, got 0"):
        schema.per_structure("f8", "1", "something", version=0)
