"""Datasets, stores and rows from strangers: refused, and nothing executed, written or filled."""

import io
import json
import os
import pickle
import resource
import shutil
import zipfile
from pathlib import Path

import fake_glass as fake
import numcodecs
import numpy as np
import pytest
import zarr
from fake_glass import contents
from zarr.registry import get_codec_class

from glassdata.engine import build, recompute
from glassdata.engine import repair as engine_repair
from glassdata.store import (
    DamageError,
    StoreError,
    open_dataset,
    prepare,
    progress,
    read_config,
    science_config,
)
from glassdata.store import verify as check
from glassdata.store.files import write_archive
from glassdata.store.losses import losses, record_loss
from glassdata.store.records import read_record, write_record
from glassdata.store.rows import decode, encode, read_provenance, read_row, read_status
from glassdata.store.settings import read_manifest, read_plan
from glassdata.store.verifying import set_aside

ONE = {"ar": fake.SYSTEMS["ar"]}


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    return fake.sealed_store(tmp_path_factory.mktemp("sealed") / "store")


@pytest.fixture
def store(sealed, tmp_path):
    return Path(shutil.copytree(sealed, tmp_path / "store"))


@pytest.fixture(autouse=True)
def little_memory():
    """Whoever believes a false header or unpacks a bomb asks for more than there is."""
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + (3 << 28), limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, limits)


class Trap:
    """Leaves a trace when unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


def change_array(store: Path, name: str, **changes) -> None:
    """Change what the metadata of a dataset say of one array."""
    path = store / "dataset.zarr" / "zarr.json"
    metadata = json.loads(path.read_text())
    metadata["consolidated_metadata"]["metadata"][name] |= changes
    path.write_text(json.dumps(metadata))


HUGE = {
    "shape": {"shape": [10**15, 100]},
    "shape of a coordinate": {"shape": [10**12]},
    "negative shape": {"shape": [-1, 100]},
    "shape of text": {"shape": ["many", 100]},
    "shard": {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [10**9, 100]}}},
    "codec": {"codecs": [{"name": "numcodecs.pickle", "configuration": {}}]},
}


@pytest.mark.parametrize("kind", HUGE)
@pytest.mark.parametrize("packed", [False, True])
def test_metadata_that_promise_too_much_are_refused(store, tmp_path, kind, packed):
    change_array(store, "ar/r" if "coordinate" in kind else "ar/g", **HUGE[kind])
    if packed:
        names = sorted(path for path in (store / "dataset.zarr").rglob("*") if path.is_file())
        members = ((str(n.relative_to(store / "dataset.zarr")), n.read_bytes()) for n in names)
        with open(tmp_path / "packed.zip", "x+b") as stream:
            write_archive(stream, members)
    with pytest.raises(StoreError, match=r"packed\.zip" if packed else "store"):
        open_dataset(tmp_path / "packed.zip" if packed else store)


NUMBERS = {"name": "bytes", "configuration": {"endian": "little"}}
TEXTS = {"name": "vlen-utf8", "configuration": {}}
ZSTD = {"name": "zstd", "configuration": {"level": 1, "checksum": False}}
BLOSC = {
    "name": "blosc",
    "configuration": {
        "typesize": 8,
        "cname": "zstd",
        "clevel": 9,
        "shuffle": "shuffle",
        "blocksize": 0,
    },
}
CLAIM = (1 << 31).to_bytes(4, "little")
#: Codecs of a coordinate, and a chunk that claims, or unpacks to, far more than it has room for.
BOMBS = {
    "zstd": ([NUMBERS, ZSTD], numcodecs.Zstd(level=1).encode(bytes(1 << 26))),
    "zstd that does not say": ([NUMBERS, ZSTD], b"\x28\xb5\x2f\xfd\x00\x58" + bytes(64)),
    "no zstd": ([NUMBERS, ZSTD], bytes(64)),
    "blosc": ([NUMBERS, BLOSC], b"\x02\x01\x91\x08" + CLAIM + CLAIM + bytes(64)),
    "text": ([TEXTS], CLAIM + bytes(64)),
    "zstd text": ([TEXTS, ZSTD], numcodecs.Zstd(level=1).encode(bytes(1 << 26))),
}


@pytest.mark.parametrize("kind", BOMBS)
@pytest.mark.parametrize("sharded", [False, True])
def test_a_chunk_that_unpacks_to_more_than_it_may_is_refused(tmp_path, store, kind, sharded):
    codecs, chunk = BOMBS[kind]
    shape = {"chunk_shape": [fake.N_R]}
    if sharded:
        inner = {"codecs": codecs, "index_codecs": [NUMBERS], "index_location": "end"}
        codecs = [{"name": "sharding_indexed", "configuration": shape | inner}]
        chunk += (0).to_bytes(8, "little") + len(chunk).to_bytes(8, "little")
    text = {"data_type": "string", "fill_value": ""} if "text" in kind else {}
    grid = {"name": "regular", "configuration": shape}
    change_array(store, "ar/r", codecs=codecs, chunk_grid=grid, **text)
    (store / "dataset.zarr/ar/r/c/0").write_bytes(chunk)
    with pytest.raises(StoreError, match="unpack"):
        open_dataset(store)["ar"]["r"].load()


def test_codecs_of_other_programs_stay_as_they_are(store):
    open_dataset(store)
    assert get_codec_class("zstd") is zarr.codecs.ZstdCodec


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"consolidated_metadata": null}', "[" * 10**5])
def test_metadata_of_nothing_are_refused(store, text):
    (store / "dataset.zarr" / "zarr.json").write_text(text)
    with pytest.raises(StoreError):
        open_dataset(store)


def test_an_older_format_with_pickled_objects_is_refused(tmp_path):
    """Zarr 2 lets an array say that its chunks are pickles."""
    trace, folder = tmp_path / "executed", tmp_path / "dataset.zarr"
    (folder / "ar" / "g").mkdir(parents=True)
    for where in (folder, folder / "ar"):
        (where / ".zgroup").write_text('{"zarr_format": 2}')
    facts = {"zarr_format": 2, "shape": [1], "chunks": [1], "dtype": "|O", "order": "C",
             "compressor": None, "fill_value": None, "filters": [{"id": "pickle"}]}  # fmt: skip
    (folder / "ar" / "g" / ".zarray").write_text(json.dumps(facts))
    (folder / "ar" / "g" / "0").write_bytes(pickle.dumps([Trap(trace)]))
    with pytest.raises(StoreError):
        open_dataset(folder)
    assert not trace.exists()


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("zarr.json", "w") as member,
    ):
        for _ in range(64):
            member.write(bytes(1 << 24))
    with pytest.raises(StoreError, match="compressed"):
        open_dataset(path)
    assert "compressed" in str(check(path)[0])


def test_members_that_share_their_bytes_are_refused(tmp_path):
    """The other kind of bomb: many entries of a directory that point to the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("zarr.json", bytes(1 << 20))
        first = archive.infolist()[0]
        for n in range(100):
            twin = zipfile.ZipInfo(f"{n}")
            twin.header_offset, twin.CRC = first.header_offset, first.CRC
            twin.compress_size = twin.file_size = first.file_size
            archive.filelist.append(twin)
            archive.NameToInfo[twin.filename] = twin
            archive._didModify = True
    (tmp_path / "twins.zip").write_bytes(stream.getvalue())
    with pytest.raises(StoreError, match="claim"):
        open_dataset(tmp_path / "twins.zip")
    assert "claim" in str(check(tmp_path / "twins.zip")[0])


def test_names_that_lead_out_of_an_archive_are_never_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open("slip.zip", "w+b") as stream:
        write_archive(stream, [("../../outside", b"x"), ("/tmp/glassdata-outside", b"x")])
    before = sorted(tmp_path.parent.iterdir())
    with pytest.raises(StoreError):
        open_dataset("slip.zip")
    check(Path("slip.zip"))
    assert sorted(tmp_path.parent.iterdir()) == before
    assert not Path("/tmp/glassdata-outside").exists()


def test_rows_are_neither_believed_nor_executed(tmp_path):
    trace = tmp_path / "executed"
    pickled, header = io.BytesIO(), io.BytesIO()
    trap = np.array([Trap(trace)], dtype=object)
    np.lib.format.write_array(pickled, trap, allow_pickle=True)
    for shape in ((1 << 40,), (-1, 8), (1 << 62, 4)):
        facts = {"descr": "<f8", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(header, facts)
    for member in (pickled.getvalue(), header.getvalue(), pickle.dumps(Trap(trace))):
        stream = io.BytesIO()
        write_archive(stream, [("g.npy", member)])
        with pytest.raises(DamageError):
            decode(stream.getvalue())
    assert not trace.exists()


@pytest.mark.parametrize(
    "content",
    [
        [],
        3,
        {"files": [], "counts": {}},
        {"files": {"a": 1}, "counts": {}},
        {"files": {}, "counts": {"ar": "x"}},
        {"files": {}, "counts": {"ar": 10**12}},
        {"files": {}, "counts": {}, "dataset": "../../x"},
    ],
)
def test_a_manifest_of_another_shape_is_damage(store, content):
    write_record(store / "manifest.json", content)
    assert "manifest.json" in {finding.name for finding in check(store)}


def test_a_manifest_reads_and_moves_nothing_outside(store, tmp_path):
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    manifest = read_record(store / "manifest.json")
    manifest["files"]["../outside"] = [8, "0" * 64]
    manifest["files"]["rows/../../outside"] = [8, "0" * 64]
    write_record(store / "manifest.json", manifest)
    findings = check(store)
    problems = {finding.name: finding.problem for finding in findings}
    assert problems["../outside"] == problems["rows/../../outside"] == "missing"
    set_aside(store, findings)
    assert outside.read_bytes() == b"precious"


def test_more_structures_than_the_profile_has_are_not_begun(store):
    """A count is a number that a stranger wrote; each structure of it would be computed."""
    source = fake.source(fake.plain_row, ONE)
    manifest = read_record(store / "manifest.json")
    write_record(store / "manifest.json", manifest | {"counts": {"ar": 9}})
    before = contents(store)
    for work in (engine_repair, build):
        with pytest.raises(DamageError, match="9 structures of ar"):
            work(store, workers=1, source=source)
    assert contents(store) == before
    (store / "manifest.json").unlink()
    write_record(store / "plan.json", {"ar": 9})
    with pytest.raises(DamageError, match="9 structures of ar"):
        engine_repair(store, workers=1, source=source)
    write_record(store / "plan.json", {"ar": 10**12})
    with pytest.raises(DamageError, match="no plan"):
        read_plan(store)


def test_files_that_lead_to_an_endless_device_are_not_read(store):
    record_loss(store, "ar", 5, "the disk was busy")
    names = ["config.json", "plan.json", "manifest.json", "rows/ar/000001.npz",
             "provenance/ar/000001.json", "provenance/lost/ar-000005.json"]  # fmt: skip
    size = read_record(store / "manifest.json")
    size["files"]["rows/ar/000001.npz"][0] = len("/dev/zero")
    write_record(store / "manifest.json", size)
    assert progress(store)["ar"].ok == 3
    for name in reversed(names):
        (store / name).unlink()
        (store / name).symlink_to("/dev/zero")
        assert {f.problem for f in check(store) if f.name == name} & {"a link", "damaged"}
    for read in (read_config, read_plan, read_manifest, lambda s: read_row(s, "ar", 1)):
        with pytest.raises(DamageError):
            read(store)
    assert read_status(store, "ar", 1) == "damaged"
    assert len(read_provenance(store, "ar")) == 2
    assert losses(store) == {}


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "name",
    ["rows", "rows/ar", "provenance/ar", "provenance/lost", "dataset.zarr", "quarantine"],
)
def test_a_store_whose_folders_lead_elsewhere_is_not_written_to(store, tmp_path, name):
    outside = tmp_path / "outside"
    record_loss(store, "ar", 0, "the disk was busy")
    if (store / name).exists():
        shutil.move(store / name, outside)
    else:
        outside.mkdir()
    (store / name).symlink_to(outside)
    before = everything(outside)
    assert name in {finding.name for finding in check(store)}
    for write in (
        lambda: prepare(store, science_config(ONE, "demo"), {"ar": 4}),
        lambda: set_aside(store, check(store)),
        lambda: engine_repair(store, workers=1, source=fake.source(fake.plain_row)),
        lambda: recompute(store, [("ar", 0)], workers=1, source=fake.source(fake.plain_row)),
    ):
        with pytest.raises(StoreError, match="link"):
            write()
    assert everything(outside) == before


def test_encoded_rows_still_decode():
    """The refusals above are of what is wrong, not of everything."""
    row = {"energy": np.array(-1.0)}
    assert decode(encode(row, "ar", 0))["energy"] == -1.0
