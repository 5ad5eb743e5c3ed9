"""The store: published bytes stay, and every wrong byte is named."""

import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import fake_glass as fake
import numpy as np
import pytest
import xarray as xr
import zarr
from fake_glass import contents
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import glassdata as gd
from glassdata.cli import run
from glassdata.config import digest
from glassdata.store import (
    DamageError,
    StoreError,
    is_sealed,
    open_dataset,
    pack,
    prepare,
    progress,
    read_config,
    science_config,
    seal,
    shipped_dataset,
    verify,
)
from glassdata.store.column import Column
from glassdata.store.files import (
    publish,
    remove_stale,
    temporary_name,
    write_archive,
)
from glassdata.store.records import read_record, write_record
from glassdata.store.rows import (
    RowShapeError,
    conform,
    decode,
    dimension_sizes,
    encode,
    read_row,
    row_path,
)
from glassdata.store.settings import SCHEMA_VERSION
from glassdata.store.verifying import set_aside

AR = fake.SYSTEMS["ar"]
SIZES = dimension_sizes(AR)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    return fake.sealed_store(tmp_path_factory.mktemp("sealed") / "store", ("ar", "sic"))


@pytest.fixture
def copy(sealed, tmp_path):
    """A store of one's own to spoil."""
    return Path(shutil.copytree(sealed, tmp_path / "copy"))


# --- rows -------------------------------------------------------------------------------------


def row_bytes(index: int = 0) -> bytes:
    return encode(conform(fake.plain_row("ar", "demo", index), SIZES), "ar", index)


def test_row_bytes_depend_on_values_alone():
    row = conform(fake.plain_row("ar", "demo", 1), SIZES)
    backwards = dict(reversed(row.items()))
    assert encode(row, "ar", 1) == encode(backwards, "ar", 1)
    assert all(np.array_equal(decode(encode(row, "ar", 1))[name], row[name]) for name in row)


def test_row_is_an_ordinary_npz():
    with np.load(io.BytesIO(row_bytes()), allow_pickle=False) as row:
        assert row["g"].dtype == np.float32


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_flipped_bit_of_a_row_is_found(data):
    whole = row_bytes()
    where = data.draw(st.integers(0, len(whole) * 8 - 1))
    spoilt = bytearray(whole)
    spoilt[where // 8] ^= 1 << where % 8
    with pytest.raises(DamageError):
        decode(bytes(spoilt))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, len(row_bytes()) - 1))
def test_any_truncation_of_a_row_is_found(length):
    with pytest.raises(DamageError):
        decode(row_bytes()[:length])


def archive(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    write_archive(stream, members.items())
    return stream.getvalue()


def test_malicious_rows_are_refused():
    """A right checksum is no licence: no pickles, no allocation on the word of a header."""
    pickled = io.BytesIO()
    np.lib.format.write_array(pickled, np.array([print], dtype=object), allow_pickle=True)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (10**15,)}
    )
    for member in (pickled.getvalue(), header.getvalue(), pickle.dumps(print), b""):
        with pytest.raises(DamageError):
            decode(archive({"g.npy": member}))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"colour": 1.0}, "unknown variable 'colour'"),
        ({"g": np.ones(99)}, "g has shape"),
        ({"frequency": np.ones(1)}, "frequency has shape"),
        ({"parent": 1.5}, "parent has type"),
        ({"number": np.full(4, 70000)}, "does not fit"),
        ({"disorder_class": "a class with a long name"}, "does not fit"),
        ({"energy": np.inf}, "energy is not finite"),
        ({"pdos": np.full(100, np.nan)}, "pdos is not finite"),
    ],
)
def test_row_must_agree_with_the_schema(change, match):
    with pytest.raises(RowShapeError, match=match):
        conform(fake.plain_row("ar", "demo", 0) | change, SIZES)


def test_publication_is_exclusive(tmp_path):
    path = tmp_path / "rows" / "a"
    assert publish(path, b"first")
    assert not publish(path, b"first")
    with pytest.raises(DamageError, match="other content"):
        publish(path, b"second")
    assert path.read_bytes() == b"first"
    assert [p.name for p in path.parent.iterdir()] == ["a"]


@pytest.mark.parametrize("step", ["os.fsync", "os.link"])
def test_failed_publication_leaves_nothing(tmp_path, monkeypatch, step):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"glassdata.store.files.{step}", full)
    with pytest.raises(OSError, match="No space left"):
        publish(tmp_path / "a", b"content")
    assert list(tmp_path.iterdir()) == []


def test_file_systems_without_hard_links(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("glassdata.store.files.os.link", refuse)
    assert publish(tmp_path / "a", b"first")
    with pytest.raises(DamageError):
        publish(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"first"


def test_only_dead_work_is_cleaned_up(tmp_path, monkeypatch):
    living = tmp_path / temporary_name("a")
    monkeypatch.setattr("glassdata.store.files.os.getpid", lambda: 2**22 + 1)  # above pid_max
    dead = tmp_path / temporary_name("b")
    for path in (living, dead):
        path.write_bytes(b"")
    remove_stale(tmp_path)
    assert [living.exists(), dead.exists()] == [True, False]


@pytest.mark.parametrize("cleans", ["prepare", "seal"])
def test_dead_work_is_cleaned_up_wherever_work_is_done(copy, monkeypatch, cleans):
    monkeypatch.setattr("glassdata.store.files.os.getpid", lambda: 2**22 + 1)  # above pid_max
    folders = ("", "rows", "rows/ar", "provenance", "provenance/ar", "quarantine")
    dead = [copy / folder / temporary_name("a") for folder in folders]
    for path in dead:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    monkeypatch.undo()
    if cleans == "prepare":
        prepare(copy, science_config({"ar": AR}, "demo"), {"ar": 3})
    else:
        seal(copy, fake.SYSTEMS, {"ar": 3}, identify=fake.row_id)
    assert [path for path in dead if path.exists()] == []


@given(st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_flipped_byte_of_a_record_is_found(tmp_path, data):
    path = tmp_path / "record.json"
    write_record(path, {"counts": {"ar": 3}, "text": "x", "number": 0.1})
    spoilt = bytearray(path.read_bytes())
    spoilt[data.draw(st.integers(0, len(spoilt) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(spoilt)
    with pytest.raises(DamageError):
        read_record(path)


# --- configuration ----------------------------------------------------------------------------


def test_changed_science_is_refused_with_the_difference(copy):
    before = contents(copy)
    other = {"ar": fake.fake_system("ar", r_max=12.0)}
    with pytest.raises(StoreError) as caught:
        prepare(copy, science_config(other, "demo"), {"ar": 3})
    assert "systems.ar.description.bins: [100,10.0,100,3.0] -> [100,12.0,100,3.0]" in str(
        caught.value
    )
    assert "sic" not in str(caught.value)
    assert contents(copy) == before


def test_changed_profile_is_refused(copy):
    with pytest.raises(StoreError, match='profile: "demo" -> "reference"'):
        prepare(copy, science_config({"ar": AR}, "reference"), {"ar": 3})


def test_a_store_never_shrinks(copy):
    assert prepare(copy, science_config({"ar": AR}, "demo"), {"ar": 1}) == {"ar": 3, "sic": 3}


@pytest.mark.parametrize("kind", ["damaged", "missing"])
def test_a_store_does_not_shrink_either_when_nobody_can_tell_what_is_sealed(copy, kind):
    path = copy / "manifest.json"
    whole = path.read_bytes()
    path.unlink() if kind == "missing" else path.write_bytes(whole + b"x")
    before = contents(copy)
    for names, count in ((("ar", "sic"), 2), (("ar",), 3)):
        with pytest.raises(DamageError, match=r"manifest\.json .* glassdata repair"):
            fake.sealed_store(copy, names, count)
    assert contents(copy) == before
    # What was planned may be built: so a first seal resumes that died before its manifest.
    fake.sealed_store(copy, ("ar", "sic"), 3)
    assert path.read_bytes() == whole


def test_builds_of_other_systems_share_a_store_before_the_first_row(tmp_path):
    prepare(tmp_path, science_config({"ar": AR}, "demo"), {"ar": 2})
    prepare(tmp_path, science_config({"sic": fake.SYSTEMS["sic"]}, "demo"), {"sic": 2})
    assert set(read_config(tmp_path).systems) == {"ar", "sic"}
    assert {name: state.asked for name, state in progress(tmp_path).items()} == {"ar": 2, "sic": 2}


def test_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(StoreError, match="not empty"):
        prepare(tmp_path, science_config({"ar": AR}, "demo"), {"ar": 1})
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


# --- dataset ----------------------------------------------------------------------------------


def test_dataset_says_what_the_rows_say(sealed):
    with open_dataset(sealed) as tree:
        for name in ("ar", "sic"):
            data = tree[name].to_dataset()
            atoms = np.split(data.position.values, np.cumsum(data.n_atoms.values)[:-1])
            modes = np.split(data.frequency.values, np.cumsum(data.n_modes.values)[:-1])
            for index in range(3):
                row = read_row(sealed, name, index)
                assert np.array_equal(data.g.values[index], row["g"])
                assert np.array_equal(atoms[index], row["position"])
                assert np.array_equal(modes[index], row["frequency"])
                assert str(data.row_id.values[index]) == str(row["row_id"])
                assert str(data.disorder_class.values[index]) == "amorphous"
        assert list(tree["sic/pair"].values) == ["C-C", "C-Si", "Si-Si"]
        assert np.allclose(tree["ar/r"].values, np.arange(0.05, 10, 0.1))


def test_every_variable_has_units_and_meaning(sealed):
    with open_dataset(sealed) as tree:
        for node in tree.subtree:
            for name, variable in node.variables.items():
                assert {"units", "long_name"} <= variable.attrs.keys(), name
        assert tree["ar/density"].attrs["units"] == "angstrom-3"
        assert {"license", "creator_name", "title", "package_versions"} <= tree.attrs.keys()


def test_the_description_is_valid_croissant_and_complete(sealed, tmp_path):
    mlcroissant = pytest.importorskip("mlcroissant", reason="the validator is of the extra test")
    described = mlcroissant.Dataset(jsonld=sealed / "dataset.zarr" / "croissant.json")
    assert list(described.metadata.ctx.issues.errors) == []
    records = {records.id: records for records in described.metadata.record_sets}
    with open_dataset(sealed) as tree:
        for name, group in tree.children.items():
            fields = {field.id.partition("/")[2] for field in records[name].fields}
            assert fields == set(group.variables)
    assert "dataset.zarr/croissant.json" in read_record(sealed / "manifest.json")["files"]
    pack(sealed, tmp_path / "a.zip")
    assert "croissant.json" in zipfile.ZipFile(tmp_path / "a.zip").namelist()


def test_provenance_says_what_the_numbers_depend_on(sealed):
    """In the dataset what determines its bytes; beside it when, where and at which commit."""
    with open_dataset(sealed) as tree:
        known = {"glassdata", "numpy", "scipy", "ase", "zarr", "numcodecs"}
        assert known <= tree.attrs["package_versions"].keys()
        assert tree.attrs["schema_version"] == SCHEMA_VERSION
        assert tree.attrs["configuration_sha256"] == digest(read_config(sealed).record())
        assert json.loads(tree["ar"].attrs["configuration"]) == read_config(sealed).systems["ar"]
    circumstances = read_record(sealed / "provenance" / "seal.json")
    assert {"sealed", "host", "versions", "commit", "made_by"} == circumstances.keys()
    row = read_record(sealed / "provenance" / "ar" / "000000.json")
    assert {"seconds", "host", "processor", "blas", "versions"} <= row.keys()


def test_dataset_is_opened_lazily(sealed, monkeypatch):
    with open_dataset(sealed) as tree:
        assert not tree["ar/g"].variable._in_memory
        assert isinstance(tree, xr.DataTree)


def test_extension_begins_with_the_old_dataset(tmp_path):
    """Who opened the old dataset still reads right numbers after it was replaced."""
    store = fake.sealed_store(tmp_path / "store", count=2)
    old = open_dataset(store)
    first = [read_row(store, "ar", index)["g"] for index in range(2)]
    fake.sealed_store(store, count=5)
    assert np.array_equal(old["ar/g"].values, first)
    with open_dataset(store) as new:
        assert new["ar"].sizes["structure"] == 5
    assert contents(store) == contents(fake.sealed_store(tmp_path / "at once", count=5))
    assert verify(store) == []


def test_columns_fill_many_shards_and_gaps(tmp_path):
    """Values arrive one by one and in no multiple of the shard."""
    group = zarr.open_group(tmp_path / "g", mode="w")
    system = fake.SYSTEMS["ar"]
    schema = fake_variable("energy")
    column = Column(group, "energy", schema)
    values = np.random.default_rng(0).random(3 * column.length + 5)
    values[7] = np.nan
    for n, value in enumerate(values):
        column.append(None if n == 7 else np.array(value))
    column.finish()
    assert system.n_r == 100
    assert np.array_equal(group["energy"][:], values, equal_nan=True)


def test_multiples_of_a_step_are_stored_as_whole_numbers_and_read_as_they_were(tmp_path):
    group = zarr.open_group(tmp_path / "g", mode="w")
    column = Column(group, "frequency", fake_variable("frequency"), step=2.0**-13)
    values = np.array([-1.0, 0.0, 2.0**-13, 2.5, 1e5])
    column.extend(values)
    column.finish()
    assert group["frequency"][:].tolist() == [-8192, 0, 1, 20480, 819200000]
    read = xr.open_zarr(tmp_path / "g", consolidated=False)["frequency"]
    assert np.array_equal(read.values, values)


@pytest.mark.parametrize(
    ("value", "fault"), [(0.3, "no multiples of 0.25"), (2.0**30, "beyond 536870912")]
)
def test_what_whole_multiples_cannot_say_is_refused(tmp_path, value, fault):
    group = zarr.open_group(tmp_path / "g", mode="w")
    column = Column(group, "frequency", fake_variable("frequency"), step=0.25)
    column.extend(np.array([1.0, value]))
    with pytest.raises(StoreError, match=fault):
        column.finish()


def fake_variable(name: str):
    from glassdata.schema import VARIABLES

    return VARIABLES[name]


def test_chunks_of_nothing_but_fill_values_are_written(sealed):
    """Otherwise a lost chunk could not be told from one that was never written."""
    files = list((sealed / "dataset.zarr/ar/error/c").rglob("*"))
    assert [path for path in files if path.is_file()]


def test_no_dataset_before_all_rows_are_there(tmp_path):
    store = tmp_path / "store"
    goal = prepare(store, science_config({"ar": AR}, "demo"), {"ar": 2})
    fake.publish(fake.task(store), "ar", 0)
    with pytest.raises(FileNotFoundError):
        seal(store, fake.SYSTEMS, goal, identify=fake.row_id)
    assert not (store / "dataset.zarr").exists()
    with pytest.raises(StoreError, match="not sealed yet"):
        open_dataset(store)
    assert progress(store)["ar"].missing == 1


def test_damaged_row_is_not_sealed(copy):
    path = row_path(copy, "ar", 1)
    path.write_bytes(path.read_bytes()[:-1])
    before = contents(copy)
    with pytest.raises(DamageError, match=r"000001\.npz"):
        seal(copy, fake.SYSTEMS, {"ar": 3, "sic": 3}, identify=fake.row_id)
    assert not is_sealed(copy, {"ar": 3, "sic": 3})
    assert contents(copy) == before


def test_what_a_failed_seal_left_is_gone_after_the_next(tmp_path):
    """Zarr's threads may write on after an error, into the folder that was removed."""
    store = tmp_path / "store"
    left = store / temporary_name("dataset.zarr") / "ar"
    fake.sealed_store(store, count=1)
    left.mkdir(parents=True)
    fake.sealed_store(store, count=2)
    assert not left.parent.exists()


@pytest.mark.parametrize("place", ["nothing", "folder", "text.zip"])
def test_what_is_no_dataset_is_refused(tmp_path, place):
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises((StoreError, FileNotFoundError), match=place.replace(".", r"\.")):
        open_dataset(tmp_path / place)


def test_the_dataset_of_the_checkout_is_the_shipped_one_before_the_computed(
    monkeypatch, sealed, tmp_path
):
    shipped, computed = tmp_path / "reference.zarr.zip", tmp_path / "store"
    monkeypatch.setattr("glassdata.store.reading.REFERENCE", shipped)
    monkeypatch.setattr("glassdata.store.reading.COMPUTED", computed)
    with pytest.raises(FileNotFoundError, match="make data"):
        open_dataset()
    shutil.copytree(sealed, computed)
    assert set(open_dataset().children) == {"ar", "sic"}
    shipped.write_text("damaged")
    # A shipped file that is damaged is an error, not a reason to take other data.
    with pytest.raises(StoreError, match=r"reference\.zarr\.zip"):
        open_dataset()
    pack(sealed, shipped)
    whole = shipped.read_bytes()
    chunk = whole.index((sealed / "dataset.zarr/ar/g/c/0/0").read_bytes()) + 9
    shipped.write_bytes(whole[:chunk] + bytes([whole[chunk] ^ 1]) + whole[chunk + 1 :])
    with pytest.raises(DamageError, match=r"ar/g/c/0/0: checksum .* git checkout .* make data"):
        open_dataset()


def test_the_shipped_dataset_is_opened_once_until_its_file_changes(monkeypatch, sealed, tmp_path):
    shipped, computed = tmp_path / "reference.zarr.zip", tmp_path / "store"
    monkeypatch.setattr("glassdata.store.reading.REFERENCE", shipped)
    monkeypatch.setattr("glassdata.store.reading.COMPUTED", computed)
    # A store is opened each time: a folder does not tell that something in it has changed.
    shutil.copytree(sealed, computed)
    assert shipped_dataset() is not shipped_dataset()
    pack(sealed, shipped)
    first = shipped_dataset()
    assert shipped_dataset() is first
    assert gd.dataset("ar").X.shape == gd.dataset("ar", sealed).X.shape
    with monkeypatch.context() as other_process:
        other_process.setattr("os.getpid", lambda: -1)
        assert shipped_dataset() is not first
    whole = shipped.read_bytes()
    pack(sealed, shipped, without=["density"])
    assert "density" in first["ar"]
    assert "density" not in shipped_dataset()["ar"]
    chunk = whole.index((sealed / "dataset.zarr/ar/g/c/0/0").read_bytes()) + 9
    shipped.write_bytes(whole[:chunk] + bytes([whole[chunk] ^ 1]) + whole[chunk + 1 :])
    with pytest.raises(DamageError, match=r"ar/g/c/0/0: checksum"):
        gd.dataset("ar")


def test_packed_dataset_is_the_same_and_checks_itself(sealed, tmp_path):
    packed, again = tmp_path / "a.zarr.zip", tmp_path / "b.zarr.zip"
    pack(sealed, packed)
    pack(sealed / "dataset.zarr", again)
    assert packed.read_bytes() == again.read_bytes()
    with open_dataset(packed) as one, open_dataset(sealed) as other:
        xr.testing.assert_identical(one.load(), other.load())
    assert verify(packed) == []


@pytest.mark.parametrize("kind", ["flip", "truncate", "empty", "append"])
def test_damage_to_a_packed_dataset_is_named(sealed, tmp_path, kind):
    packed = tmp_path / "a.zarr.zip"
    pack(sealed, packed)
    whole = packed.read_bytes()
    chunk = (sealed / "dataset.zarr/ar/g/c/0/0").read_bytes()
    middle = whole.index(chunk) + len(chunk) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    spoilt = {"flip": flipped, "truncate": whole[:-1], "empty": b"", "append": whole + b"x"}
    packed.write_bytes(spoilt[kind])
    named = "a.zarr.zip/ar/g/c/0/0" if kind == "flip" else "a.zarr.zip"
    assert [finding.name for finding in verify(packed)] == [named]


# --- verification -----------------------------------------------------------------------------


def test_whole_store_has_no_findings(sealed):
    assert verify(sealed) == []


def every_file(store: Path) -> list[str]:
    files = (path.relative_to(store).as_posix() for path in store.rglob("*") if path.is_file())
    return sorted(name for name in files if name != ".lock")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_damage_to_any_file_is_named(sealed, data):
    """Rows, chunks, metadata, records: flip, truncate, empty or delete one, and it is named.

    Side files may be missing: a power failure may take them, since nobody waits for the disk.
    """
    name = data.draw(st.sampled_from(every_file(sealed)))
    path = sealed / name
    whole = path.read_bytes()
    kind = data.draw(st.sampled_from(["flip", "truncate", "empty", "delete"]))
    try:
        if kind == "flip":
            spoilt = bytearray(whole)
            spoilt[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
            path.write_bytes(spoilt)
        elif kind == "delete":
            path.unlink()
        else:
            path.write_bytes(whole[: data.draw(st.integers(1, len(whole) - 1))] * (kind != "empty"))
        allowed = kind == "delete" and name.startswith("provenance/")
        assert ({name} - {finding.name for finding in verify(sealed)} == set()) != allowed
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize(
    "name",
    ["notes.txt", "rows/notes.txt", "rows/gold/000000.npz", "rows/ar/0000001.npz",
     "dataset.zarr/ar/g/c/9/0", "dataset.zarr/extra.json"],
)  # fmt: skip
def test_stray_files_are_named(copy, name):
    (copy / name).parent.mkdir(parents=True, exist_ok=True)
    (copy / name).write_bytes(b"stray")
    assert name in {finding.name for finding in verify(copy)}


def test_swapped_rows_are_named_before_sealing(tmp_path):
    store = tmp_path / "store"
    prepare(store, science_config({"ar": AR}, "demo"), {"ar": 2})
    for index in range(2):
        fake.publish(fake.task(store), "ar", index)
    shutil.copy(row_path(store, "ar", 0), row_path(store, "ar", 1))
    assert [str(f) for f in verify(store)] == ["rows/ar/000001.npz: belongs to ar 0"]


def test_unfinished_work_is_no_damage(copy):
    (copy / "rows/ar" / temporary_name("000009.npz")).write_bytes(b"half")
    (copy / temporary_name("dataset.zarr")).mkdir()
    assert verify(copy) == []


def test_a_folder_in_the_place_of_a_row_is_named(copy, capsys):
    before = contents(copy)
    row_path(copy, "ar", 1).unlink()
    for index in (1, 3):
        row_path(copy, "ar", index).mkdir()
    (row_path(copy, "ar", 3) / "note").write_text("stray")
    assert run(["info", str(copy)]) == 0
    assert capsys.readouterr().out.splitlines()[2].split()[:3] == ["ar", "2", "2"]
    findings = verify(copy)
    assert "rows/ar/000003.npz: a folder" in [str(finding) for finding in findings]
    with pytest.raises(DamageError, match=r"000001\.npz: not an ordinary file; glassdata repair"):
        seal(copy, fake.SYSTEMS, {"ar": 3, "sic": 3}, identify=fake.row_id)
    assert set_aside(copy, findings) == [("ar", 1), ("ar", 3)]
    fake.sealed_store(copy, ("ar", "sic"))
    assert verify(copy) == []
    assert {k: v for k, v in contents(copy).items() if not k.startswith("quarantine/")} == before


def test_config_is_plain_json(sealed):
    record = json.loads((sealed / "config.json").read_text())["content"]
    assert record == read_config(sealed).record()


def test_no_compression_bombs_in_rows():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.comment = b"0" * 64
        bomb.writestr("g.npy", b"\0" * 10**6)
    data = bytearray(stream.getvalue())
    import hashlib

    data[-64:] = hashlib.sha256(data[:-64]).hexdigest().encode()
    with pytest.raises(DamageError, match="compressed"):
        decode(bytes(data))


def test_repair_restores_every_byte(copy):
    """Every file at once but the configuration, without which there is nothing to compute from."""
    before = contents(copy)
    kinds = [lambda data: data[:-1], lambda data: b"", lambda data: None,
             lambda data: data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 4])
             + data[len(data) // 2 + 1 :]]  # fmt: skip
    spoilt = [name for name in before if name != "config.json"]
    for n, name in enumerate(spoilt):
        data = kinds[n % 4](before[name])
        (copy / name).unlink() if data is None else (copy / name).write_bytes(data)
    for name in ("dataset.zarr/ar/g/c/0/9", "rows/ar/x", "stray"):
        (copy / name).write_bytes(b"stray")
    set_aside(copy, verify(copy))
    # What `repair` does, without a cluster: the counts of the plan, the rows that are missing.
    fake.sealed_store(copy, ("ar", "sic"))
    after = {k: v for k, v in contents(copy).items() if not k.startswith("quarantine/")}
    assert after == before
    assert verify(copy) == []


# --- watching ---------------------------------------------------------------------------------


def test_info_follows_a_build_in_another_process(tmp_path, capsys):
    """Counts grow while it runs, from the store alone, and nothing is called damaged."""
    store, habits = tmp_path / "store", tmp_path / "habits"
    habits.mkdir()
    (habits / "slow").write_text("0.3")
    code = (
        "import fake_glass; from glassdata.engine import build\n"
        f"build({str(store)!r}, names=['ar'], workers=1, source=fake_glass.source())"
    )
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    environment = os.environ | {"PYTHONPATH": path, "GLASSDATA_FAKE": str(habits)}
    seen = []
    with subprocess.Popen([sys.executable, "-c", code], env=environment) as running:
        while running.poll() is None:
            if (store / "plan.json").exists():
                assert run(["info", str(store)]) == 0
                line = next(x for x in capsys.readouterr().out.splitlines() if x[:3] == "ar ")
                _, ok, failed, missing, asked, _ = line.split()
                assert (failed, int(ok) + int(missing), asked) == ("0", 8, "8")
                seen.append(int(ok))
                assert verify(store) == []
            time.sleep(0.1)
    assert running.returncode == 0
    assert seen == sorted(seen)
    assert len(set(seen)) > 1
    assert run(["info", str(store)]) == 0
    assert "dataset sha256" in capsys.readouterr().out
