"""Bounds hold before memory is taken: each fault is real, refused in one line, and measured.

Each is done and measured in a process of its own, with small limits: see ``measured``.
"""

import gc
import gzip
import hashlib
import io
import json
import shutil
import signal
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
import fake_glass as fake
import numcodecs
import numpy as np
import pytest
from apart import Apart

from glassdata import bounds, models, results
from glassdata.bounds import check_size, open_archive, parse_json
from glassdata.cli import inputs
from glassdata.cli.inputs import read_structures
from glassdata.files import read_array
from glassdata.measured import read_table
from glassdata.models import modelfile
from glassdata.potentials import read_setfl
from glassdata.store import StoreError, open_dataset, read_config
from glassdata.store.files import write_archive
from glassdata.store.losses import losses, read_loss, record_loss
from glassdata.store.rows import decode, read_row, read_status, row_path

#: The limit of these tests, bytes: small, so that they are quick, and well above what the
#: interpreter itself takes now and then.
LIMIT = 1 << 24
#: What is never written, only claimed: files with a hole of a terabyte take no room on the disk.
TERABYTE = 1 << 40
#: What unpacks to, or becomes, far more than twice the limit.
MUCH = 16 * LIMIT

APART = Apart("test_bounds")
Result = TypeVar("Result")
_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


@pytest.fixture(autouse=True)
def small_limit(monkeypatch):
    monkeypatch.setattr(bounds, "LIMIT", LIMIT)
    monkeypatch.setattr(modelfile, "LIMIT", LIMIT)


def _resident(name: str) -> int:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024


def peak(work: Callable[[], object], before: Callable[[], object] = list) -> int:
    """Bytes of memory that some work took at its height, beyond what was held before it."""

    def forget() -> None:
        work()

    return measured(forget, before)[1]


def measured(work: Callable[[], Result], before: Callable[[], object] = list) -> tuple[Result, int]:
    """What some work returned, done apart, and the bytes of memory that it took at its height.

    What is done ``before``, as loading a library, does not count.
    """

    def measure() -> tuple[Result, int]:
        bounds.LIMIT = modelfile.LIMIT = LIMIT
        inputs._SECONDS = 1.0
        before()
        gc.collect()
        _CLEAR.write_text("5")  # the height of before is forgotten
        held = _resident("VmRSS")
        result = work()
        return result, _resident("VmHWM") - held

    try:
        _CLEAR.write_text("5")
    except OSError:
        pytest.skip("this system does not forget the peak of a process")
    return APART(measure)


def refused(work: Callable[[], object], *words: str, limits: int = 1) -> None:
    """One line that says what is wrong, and never more than twice the limit of memory."""

    def attempt() -> str | None:
        try:
            work()
        except (ValueError, StoreError, click.UsageError, zipfile.BadZipFile) as error:
            return getattr(error, "message", str(error))
        return None

    start = time.perf_counter()
    text, taken = measured(attempt)
    assert text is not None, "it was read"
    assert "\n" not in text
    for word in words:
        assert word in text, text
    assert taken <= 2 * limits * LIMIT, f"{taken / LIMIT:.1f} limits, {text}"
    assert time.perf_counter() - start < 60  # at most a second or two on an idle machine


def test_the_measurement_sees_what_is_taken():
    """Without this the tests below could not fail."""
    assert peak(lambda: bytes(range(256)) * (MUCH >> 8)) > 0.99 * MUCH
    assert peak(lambda: None) < LIMIT / 4


def hole(path: Path, begin: bytes = b"") -> Path:
    """A file of a terabyte."""
    path.write_bytes(begin)
    with path.open("r+b") as stream:
        stream.truncate(TERABYTE)
    return path


# --- JSON -------------------------------------------------------------------------------------

#: Texts whose values take far more than their bytes, and one that nobody can read.
JSON = {
    "empty lists": b"[" + b"[]," * (LIMIT >> 4) + b"0]",
    "empty dictionaries": b"[" + b"{}," * (LIMIT >> 4) + b"0]",
    "numbers": b"[" + b"1.5," * (LIMIT >> 3) + b"0]",
    "words": b"[" + b'"ab",' * (LIMIT >> 3) + b"0]",
    "names": b"{" + b",".join(b'"%d":0' % n for n in range(LIMIT >> 6)) + b"}",
    "a rare letter": '["😀'.encode() + b"a" * (LIMIT // 2) + b'"]',
    "depth": b"[" * 10**5,
    "depth of dictionaries": b'{"a":' * 10**5,
    "a long number": b"9" * 10**5,
}


@pytest.mark.parametrize("kind", JSON)
def test_json_that_becomes_much_is_refused(kind, tally):
    tally("JSON that becomes much")
    text = JSON[kind]
    refused(lambda: parse_json(text))


@pytest.mark.parametrize("kind", [kind for kind in JSON if not kind.startswith(("depth", "a "))])
def test_the_estimate_is_no_less_than_what_json_becomes(kind):
    """The largest text of each kind that passes: its values keep the limit."""
    text = JSON[kind]
    opening, item, closing = text[:1], text[1 : text.index(b",") + 1], text[-1:]
    item = item if kind != "names" else b'"%08d":0,'
    count = LIMIT // (2 * (bounds._COPIES * len(item) + bounds._CONTAINER + 2 * bounds._ELEMENT))
    many = b"".join(item % n for n in range(count)) if kind == "names" else item * count
    whole = opening + many + (b'"":0' if kind == "names" else b"0") + closing
    assert peak(lambda: parse_json(whole)) <= LIMIT


def test_ordinary_json_is_read():
    facts = {"a": [1, 2.5, "ä😀"], "b": {"c": None}}
    assert parse_json(json.dumps(facts).encode()) == facts
    assert parse_json(json.dumps(facts, ensure_ascii=False).encode()) == facts


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    return fake.sealed_store(tmp_path_factory.mktemp("sealed") / "store")


@pytest.fixture
def store(sealed, tmp_path):
    return Path(shutil.copytree(sealed, tmp_path / "store"))


def test_records_of_a_store_are_bounded(store, tally):
    """A manifest may take four times the limit: it names every row."""
    for content in (JSON["empty lists"] * 8, JSON["depth"]):
        (store / "config.json").write_bytes(content)
        tally("JSON that becomes much")
        refused(lambda: read_config(store), "config.json", limits=4)
    tally("a file of a terabyte")
    hole(store / "config.json")
    refused(lambda: read_config(store), "config.json")


def test_side_files_of_a_store_are_bounded(store, tally):
    record_loss(store, "ar", 7, "the disk was busy")
    (path,) = (store / "provenance" / "lost").iterdir()
    for make in (lambda: hole(path), lambda: path.write_bytes(JSON["empty lists"])):
        path.unlink()
        make()
        tally("a side file of a terabyte, or of JSON that becomes much")
        assert peak(lambda: read_loss(store, "ar", 7)) < 2 * LIMIT
        assert read_loss(store, "ar", 7) is None
        assert losses(store) == {}


# --- datasets ---------------------------------------------------------------------------------


def change(store: Path, change_nodes: Callable[[dict], object]) -> Path:
    """Change the metadata of the arrays of a dataset."""
    path = store / "dataset.zarr" / "zarr.json"
    metadata = json.loads(path.read_text())
    change_nodes(metadata["consolidated_metadata"]["metadata"])
    path.write_text(json.dumps(metadata))
    return store


def _in_shards(node: dict, depth: int) -> None:
    """Shards within shards, whose inmost chunks are one number each."""
    for _ in range(depth):
        inner = {
            "chunk_shape": [1] * len(node["shape"]),
            "codecs": node["codecs"],
            "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}],
            "index_location": "end",
        }
        node["codecs"] = [{"name": "sharding_indexed", "configuration": inner}]


def _packed_index(node: dict) -> None:
    zstd = {"name": "zstd", "configuration": {"level": 1, "checksum": False}}
    node["codecs"][0]["configuration"]["index_codecs"].append(zstd)


def _many_coordinates(nodes: dict) -> None:
    """Each keeps the limit; opening would read them all."""
    node = nodes["ar/r"] | {"shape": [LIMIT // 64], "codecs": nodes["ar/r"]["codecs"]}
    node["chunk_grid"] = {"name": "regular", "configuration": {"chunk_shape": [8192]}}
    nodes |= {f"ar/x{n}": node | {"dimension_names": [f"x{n}"]} for n in range(40)}


METADATA = {
    "shards within shards": lambda nodes: _in_shards(nodes["ar/g"], 1),
    "shards within shards within shards": lambda nodes: _in_shards(nodes["ar/g"], 2),
    "a packed index of a shard": lambda nodes: _packed_index(nodes["ar/g"]),
    "many coordinates": _many_coordinates,
    "an array of 10^12 numbers": lambda nodes: nodes["ar/g"].update(shape=[10**12, 100]),
    "texts that fill the memory": lambda nodes: nodes["ar/g"].update(
        data_type="string", fill_value="", shape=[LIMIT // 16, 100]
    ),
    "chunks of no regular shape": lambda nodes: nodes["ar/g"]["chunk_grid"].update(name="odd"),
    "a shape that is not finite": lambda nodes: nodes["ar/g"].update(shape=[float("inf"), 100]),
    "no codecs": lambda nodes: nodes["ar/g"].update(codecs=[None]),
}


@pytest.mark.parametrize("kind", METADATA)
def test_metadata_that_claim_much_are_refused(kind, store, tally):
    open_dataset(store)["ar"]["g"].load()
    tally("a dataset that claims or hides much")
    change(store, METADATA[kind])
    refused(lambda: open_dataset(store), str(store))


@pytest.mark.parametrize("kind", ["a terabyte", *JSON])
def test_metadata_of_any_size_are_refused(kind, store, tally):
    open_dataset(store)
    path = store / "dataset.zarr" / "zarr.json"
    path.unlink()
    hole(path, b"{}") if kind == "a terabyte" else path.write_bytes(JSON[kind])
    tally("a dataset that claims or hides much")
    refused(lambda: open_dataset(store), "metadata" if kind in JSON else "zarr.json")


def test_a_few_kilobytes_of_text_do_not_fill_the_memory(store, tally):
    """153 kB of zeros, packed, were 2.2 GiB: as many texts as a chunk holds, each of 64 KiB."""
    text = {"name": "vlen-utf8", "configuration": {}}
    zstd = {"name": "zstd", "configuration": {"level": 1, "checksum": False}}
    n = LIMIT // 256
    grid = {"name": "regular", "configuration": {"chunk_shape": [n]}}
    node = {"shape": [n], "data_type": "string", "fill_value": "", "codecs": [text, zstd]}
    node["dimension_names"] = ["words"]
    open_dataset(store)["ar"]["status"].load()
    change(store, lambda nodes: nodes["ar/r"].update(node, chunk_grid=grid))
    chunk = store / "dataset.zarr" / "ar" / "r" / "c" / "0"
    chunk.write_bytes(numcodecs.Zstd(level=1).encode(bytes(MUCH)))
    assert chunk.stat().st_size < MUCH / 1000
    tally("packed data that become much")
    refused(lambda: open_dataset(store)["ar"]["r"].load(), "unpack")


# --- archives ---------------------------------------------------------------------------------


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def entries(count: int) -> bytes:
    """An archive of nothing but entries of its directory."""
    entry = b"PK\x01\x02" + bytes(24) + struct.pack("<H", 1) + bytes(16) + b"a"
    end = b"PK\x05\x06" + bytes(4) + struct.pack("<HHIIH", 65535, 65535, 47 * count, 0, 0)
    return entry * count + end


def understated(name: str, size: int) -> bytes:
    """A packed member of ``size`` bytes that claims to have two hundred."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(name, bytes(size))
        made.infolist()[0].file_size = 200
    return stream.getvalue()


ARCHIVES = {
    "a directory of a million entries": entries(10**6),
    "a member that understates its size": understated("meta.npy", MUCH),
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.npz"
    X = np.random.default_rng(0).normal(size=(20, 4))
    models.save(models.ridge(l2=1.0).fit(X, X), path, {}, X=X)
    models.load(path)
    return path


@pytest.mark.parametrize("kind", ARCHIVES)
def test_archives_are_bounded_wherever_one_is_read(kind, store, model, tmp_path, tally):
    path, data = tmp_path / "forged.npz", ARCHIVES[kind]
    path.write_bytes(data)
    row_path(store, "ar", 0).write_bytes(data)
    readers: list[Callable[[], object]] = [
        lambda: models.load(path),
        lambda: open_dataset(path),
        lambda: results.decode(data),
        lambda: read_row(store, "ar", 0),
    ]
    for reader in readers:
        tally(kind)
        refused(reader)
    assert peak(lambda: read_status(store, "ar", 0)) < 2 * LIMIT
    assert read_status(store, "ar", 0) == "damaged"
    assert not results.is_done(tmp_path, "x", "y", "z")


def test_archives_with_a_right_checksum_are_bounded_too(tally):
    """Whoever forges results or a row also writes its checksum."""
    stream = io.BytesIO()
    write_archive(stream, [("manifest.json", JSON["empty lists"])])
    for data in (stream.getvalue(), _sealed(entries(10**5)), _sealed(b"PK")):
        tally("results with a right checksum that claim much")
        refused(lambda data=data: results.Results(data, "weights.zip"), "weights.zip")
    for data in (_sealed(entries(10**5)), _sealed(b"PK")):
        refused(lambda data=data: decode(data))


def _sealed(data: bytes) -> bytes:
    if data.startswith(b"PK\x01"):
        data = data[:-2] + struct.pack("<H", 64)  # the length of the comment
    return data + hashlib.sha256(data).hexdigest().encode()


def test_a_packed_member_is_read_no_further_than_it_says():
    data = understated("a.npy", MUCH)

    def read() -> None:
        archive = open_archive(io.BytesIO(data))
        with pytest.raises((ValueError, zipfile.BadZipFile)):
            read_array(archive, "a", limit=LIMIT)

    assert peak(read) < LIMIT / 4


@pytest.mark.parametrize("kind", JSON)
def test_what_a_model_says_of_itself_is_bounded(kind, model, tmp_path, tally):
    path = tmp_path / "forged.npz"
    with zipfile.ZipFile(model) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            text = npy(np.frombuffer(JSON[kind], "u1"))
            new.writestr(name, text if name == "meta.npy" else old.read(name))
    tally("a model that claims much")
    refused(lambda: models.load(path), str(path))


@pytest.mark.parametrize("name", [n for n, kind in models.MODELS.items() if kind.available])
def test_numbers_of_a_model_take_no_memory_by_their_size(name, tally):
    """Whatever a setting or a value claims, it is refused, or costs no more than it did before."""
    X = np.random.default_rng(0).random((20, 6))
    kind = models.MODELS[name].regression
    model = kind(max_epochs=2) if "max_epochs" in kind().get_params() else kind()
    arrays = model.fit(X, X).to_arrays()
    region = modelfile._region(X, 6)
    single = [key for key, values in arrays.items() if values.size == 1]

    def forge() -> None:
        for key in single:
            for number in (1e9, 2.0**53, 1e308):
                forged = arrays | {key: np.full_like(arrays[key], number)}
                try:
                    models.SavedModel(kind.from_arrays(forged), region).predict(X)
                except ValueError as error:
                    assert "\n" not in str(error)  # noqa: PT017

    start = time.perf_counter()
    tally("a model that claims much", 3 * len(single))
    assert peak(forge, before=lambda: kind.from_arrays(arrays).predict(X)) <= 2 * LIMIT
    assert time.perf_counter() - start < 60


@pytest.mark.parametrize("member", ["x_mean", "model.coef_", "extra"])
def test_arrays_of_a_model_are_bounded_together(member, model, tmp_path, tally):
    """One member of most of the limit, and each of many that do not reach it."""
    for shape, copies in (((LIMIT // 8 + 1,), 1), ((LIMIT // 64,), 40)):
        path = tmp_path / f"{copies}.npz"
        with (
            zipfile.ZipFile(model) as old,
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
        ):
            for name in old.namelist():
                if name != f"{member}.npy":
                    new.writestr(name, old.read(name))
            for n in range(copies):
                new.writestr(f"{member}{n or ''}.npy", npy(np.zeros(shape)))
        tally("a model that claims much")
        refused(lambda path=path: models.load(path), str(path))


def test_files_of_a_terabyte_are_not_begun(store, tmp_path, tally):
    row_path(store, "ar", 0).unlink()
    row = hole(row_path(store, "ar", 0), b"PK")
    files = [hole(tmp_path / name) for name in ("a.npz", "a.xyz", "a.csv", "a.alloy", "x.zip")]
    readers: dict[str, Callable[[], object]] = {
        str(row): lambda: read_row(store, "ar", 0),
        str(files[0]): lambda: models.load(files[0]),
        str(files[1]): lambda: read_structures(files[1], ("Ar",), "argon"),
        str(files[2]): lambda: read_table(files[2]),
        str(files[3]): lambda: read_setfl(files[3]),
        str(files[4]): lambda: results.open_results("x", tmp_path),
    }
    for name, reader in readers.items():
        tally("a file of a terabyte")
        refused(reader, name, "bytes")
    with pytest.raises(ValueError, match="not an ordinary file"):
        check_size(Path("/dev/zero"))


# --- structures, curves and tables ------------------------------------------------------------

_LATTICE = 'Lattice="9 0 0 0 9 0 0 0 9" Properties=species:S:1:pos:R:3 pbc="T T T"'
#: Files that claim a billion atoms, or become many times their size.
STRUCTURES = {
    "claim.xyz": f"1000000000\n{_LATTICE}\nAr 0 0 0\n".encode(),
    "plain.xyz": b"1000000000\n\nAr 0 0 0\n",
    "columns.xyz": b'1\nProperties=species:S:1:pos:R:1000000000 pbc="T T T"\nAr 0 0 0\n',
    "POSCAR": b"Ar\n1.0\n9 0 0\n0 9 0\n0 0 9\nAr\n1000000000\nDirect\n0 0 0\n",
    "run.lammpstrj": b"ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n1000000000\nITEM: BOX BOUNDS "
    b"pp pp pp\n0 9\n0 9\n0 9\nITEM: ATOMS id type x y z\n1 1 0 0 0\n",
    "a.gen": b"1000000000 S\nAr\n1 1 0 0 0\n",
    "a.cube": b"\n\n1000000000 0 0 0\n1000000 1 0 0\n1000000 0 1 0\n1000000 0 0 1\n18 0 0 0 0\n",
    "a.traj": b"- of UlmASE-Trajectory" + struct.pack("<qqq", 3, 10**9, 48) + bytes(64),
    "bomb.xyz.gz": gzip.compress(b"9" * MUCH, 1),
    "later.xyz": f"1\n{_LATTICE}\nAr 0 0 0\n1000000000\n{_LATTICE}\nAr 0 0 0\n".encode(),
    "claim.xyz.gz": gzip.compress(f"1000000000\n{_LATTICE}\nAr 0 0 0\n".encode()),
    "frames.xyz": f"1\n{_LATTICE}\nAr 0 0 0\n".encode() * (LIMIT >> 10),
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_structures_that_claim_much_are_refused(name, tmp_path, tally):
    from ase.build import bulk
    from ase.io import write

    good = tmp_path / "good.xyz"
    write(good, bulk("Ar", cubic=True))
    read_structures(good, ("Ar",), "argon")
    path = tmp_path / name
    path.write_bytes(STRUCTURES[name])
    tally("a structure file that claims or hides much")
    refused(lambda: read_structures(path, ("Ar",), "argon"), str(path))


def test_time_is_bounded_and_the_clock_is_given_back():
    before = signal.getsignal(signal.SIGPROF)

    def endless() -> None:
        with bounds.bounded_time(0.05):
            while True:
                pass

    with pytest.raises(TimeoutError, match=r"not done after 0\.05 s"):
        endless()
    with bounds.bounded_time(60):
        pass
    assert signal.getsignal(signal.SIGPROF) == before
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)


def test_curves_and_tables_that_claim_much_are_refused(tmp_path, tally):
    curve, table = tmp_path / "a.csv", tmp_path / "a.eam.alloy"
    curve.write_bytes(b"1\n" * (LIMIT >> 2))
    tally("a curve or table that claims or hides much")
    refused(lambda: read_table(curve), str(curve))
    for grid in ("1000000000 0.1 1000000000 0.1 5.0", "2 1e-300 2 1e300 nan"):
        table.write_text(f"a\nb\nc\n1 Ar\n{grid}\n18 40 5.3 fcc\n" + "0.0\n" * 100)
        tally("a curve or table that claims or hides much")
        refused(lambda: read_setfl(table), str(table))
