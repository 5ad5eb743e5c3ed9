"""Readers get the numbers that were written, or an error; never numbers that nobody wrote."""

import functools
import os
import pickle
import shutil
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fake_glass as fake
import numpy as np
import pytest
from fake_glass import contents

from glassdata.store import DamageError, StoreError, open_dataset, pack, verify
from glassdata.store.whole import promised_files
from glassdata.structures import dataset


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    return fake.sealed_store(tmp_path_factory.mktemp("sealed") / "store", ("ar", "sic"))


@pytest.fixture
def copy(sealed, tmp_path):
    return Path(shutil.copytree(sealed, tmp_path / "copy"))


def chunks(store: Path) -> list[str]:
    """Names of all chunks, relative to the dataset."""
    names = (name.removeprefix("dataset.zarr/") for name in contents(store))
    return sorted(name for name in names if "/c/" in name)


def read_all(where: object) -> dict[str, np.ndarray]:
    with open_dataset(where) as tree:
        return {
            f"{name}/{variable}": group[variable].values
            for name, group in tree.children.items()
            for variable in group.variables
        }


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(one[k], other[k], equal_nan=one[k].dtype.kind == "f") for k in one
    )


# --- missing chunks ---------------------------------------------------------------------------


def test_the_metadata_promise_exactly_the_files_there_are(sealed):
    metadata = (sealed / "dataset.zarr/zarr.json").read_bytes()
    found = {p.relative_to(sealed / "dataset.zarr").as_posix() for p in _files(sealed)}
    assert found - {"croissant.json"} == set(promised_files(metadata))


def _files(store: Path) -> list[Path]:
    return [p for p in (store / "dataset.zarr").rglob("*") if p.is_file()]


def test_any_chunk_that_is_missing_or_empty_is_an_error(copy, chaos, tally):
    """On opening where a list of files costs nothing, else on reading: zarr itself fills."""
    names = chunks(copy)
    for name in names if chaos.full else chaos.rng("chunks").sample(names, 6):
        path = copy / "dataset.zarr" / name
        whole = path.read_bytes()
        tally("a chunk of a folder missing or empty", 2)
        path.unlink()
        for where in (copy, copy / "dataset.zarr"):
            with pytest.raises(DamageError, match=f"{name} is missing"):
                open_dataset(where)
        path.write_bytes(b"")
        with pytest.raises(DamageError, match=f"{name} is missing or empty"):
            read_all(copy)
        path.write_bytes(whole)


def test_a_chunk_that_disappears_after_opening_is_an_error(copy):
    with open_dataset(copy) as tree:
        (copy / "dataset.zarr/ar/g/c/0/0").unlink()
        with pytest.raises(DamageError, match="ar/g/c/0/0 is missing"):
            _ = tree["ar/g"].values
        with pytest.raises(DamageError, match="ar/g/c/0/0 is missing"):
            _ = tree["ar/g"][0, :2].values


def repacked(whole: Path, without: str, target: Path) -> Path:
    """The same archive by another program, but for one member."""
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            if info.filename != without:
                new.writestr(info, old.read(info))
    return target


def test_a_packed_dataset_without_a_chunk_is_an_error(sealed, tmp_path, chaos, tally):
    pack(sealed, tmp_path / "whole.zip")
    names = chunks(sealed)
    for name in names if chaos.full else chaos.rng("packed").sample(names, 3):
        tally("a chunk of a packed dataset missing")
        path = repacked(tmp_path / "whole.zip", name, tmp_path / "repacked.zip")
        with pytest.raises(DamageError, match=f"{name} is missing"):
            open_dataset(path)
        assert [str(finding) for finding in verify(path)] == [f"repacked.zip/{name}: missing"]
    path = repacked(tmp_path / "whole.zip", "", tmp_path / "repacked.zip")
    assert verify(path) == []
    assert same(read_all(path), read_all(sealed))


def test_a_flipped_bit_in_a_chunk_is_told_with_the_name_of_the_variable(copy):
    """Zarr's own error names two checksums, and no file."""
    path = copy / "dataset.zarr/ar/pdos/c/0/0"
    whole = path.read_bytes()
    path.write_bytes(whole[:60] + bytes([whole[60] ^ 1]) + whole[61:])
    with pytest.raises(DamageError, match=r"pdos of Fake glass ar is damaged.*glassdata verify"):
        _ = dataset("ar", copy).Y


class _Quiet(SimpleHTTPRequestHandler):
    """A static file server that gives parts of files."""

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            return self.send_error(404)
        data, asked = path.read_bytes(), self.headers.get("Range")
        first, _, last = (asked or "bytes=0-").removeprefix("bytes=").partition("-")
        start = int(first) if first else max(len(data) - int(last), 0)
        part = data[start : int(last) + 1 if first and last else len(data)]
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{start + len(part) - 1}/{len(data)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, *_):
        pass


@pytest.fixture
def served(tmp_path):
    """Address under which a server gives the files below ``tmp_path``."""
    pytest.importorskip("aiohttp", reason="http:// needs aiohttp, of the extra s3")
    handler = functools.partial(_Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_what_a_web_server_has_not_got_is_an_error(copy, served, chaos, tally):
    """404, and an answer of no bytes (xarray issue 8842)."""
    names = chunks(copy)
    names = names if chaos.full else ["ar/g/c/0/0", "sic/frequency/c/0"]
    for name in names:
        path = copy / "dataset.zarr" / name
        whole = path.read_bytes()
        tally("a chunk of a web server missing or empty", 2)
        path.unlink()
        with pytest.raises(DamageError, match=f"{name} is missing"):
            read_all(f"{served}/copy")
        path.write_bytes(b"")
        with pytest.raises(DamageError, match=f"{name} is missing"):
            read_all(f"{served}/copy")
        path.write_bytes(whole)
    pack(copy, copy.parent / "whole.zip")
    repacked(copy.parent / "whole.zip", names[0], copy.parent / "less.zip")
    with pytest.raises(DamageError, match=f"{names[0]} is missing"):
        open_dataset(f"{served}/less.zip")


def test_a_dataset_opened_here_can_be_read_by_another_process(copy):
    """What Dask sends to its workers; they see missing chunks as well."""
    with open_dataset(copy) as tree:
        there = pickle.loads(pickle.dumps(tree["ar/g"].variable))
        assert np.array_equal(there.values, tree["ar/g"].values)
        there = pickle.loads(pickle.dumps(tree["ar/pdos"].variable))
    (copy / "dataset.zarr/ar/pdos/c/0/0").unlink()
    with pytest.raises(DamageError, match="is missing"):
        _ = there.values


# --- replaced while it is read ----------------------------------------------------------------


def test_who_opened_a_dataset_that_grew_reads_the_old_structures(tmp_path):
    store = fake.sealed_store(tmp_path / "store", count=3)
    before = read_all(store)
    with open_dataset(store) as tree:
        fake.sealed_store(store, ("ar", "sic"), count=5)
        for name, values in before.items():
            assert np.array_equal(tree[name].values, values), name


@pytest.mark.parametrize("how", ["exchange", "two renames"])
def test_who_opened_a_dataset_that_was_replaced_is_told(tmp_path, monkeypatch, how):
    """Another dataset has other numbers; old metadata with new chunks would be neither."""
    if how == "two renames":
        monkeypatch.setattr("glassdata.store.files._renameat2", lambda *_: False)
    from glassdata.store.files import put_folder

    store = fake.sealed_store(tmp_path / "store", count=5)
    other = fake.sealed_store(tmp_path / "other", ("sic",), count=2)
    with open_dataset(store) as tree:
        first = tree["ar/g"].values
        put_folder(other / "dataset.zarr", store / "dataset.zarr")
        assert np.array_equal(tree["ar/g"].values, first)  # kept in memory
        with pytest.raises(StoreError, match="was replaced by another dataset"):
            _ = tree["ar/pdos"].values


def test_a_packed_dataset_that_was_replaced_is_read_on(tmp_path):
    store = fake.sealed_store(tmp_path / "store", count=5)
    other = fake.sealed_store(tmp_path / "other", count=2)
    packed = tmp_path / "packed.zip"
    pack(store, packed)
    with open_dataset(packed) as tree:
        pack(other, packed)
        assert tree["ar/pdos"].shape == tree["ar/pdos"].values.shape == (5, fake.N_OMEGA)
    # Written over in place, it is an error.
    pack(store, packed)
    with open_dataset(packed) as tree:
        small = tmp_path / "small.zip"
        pack(other, small)
        packed.write_bytes(small.read_bytes())
        with pytest.raises(DamageError, match="cannot be read"):
            _ = tree["ar/pdos"].values


def test_readers_during_replacements_see_one_dataset(tmp_path, chaos, tally):
    """Two datasets of equal names and shapes take turns: each variable is of one of them."""
    kinds = {
        "plain": fake.sealed_store(tmp_path / "plain", count=4),
        "other": fake.sealed_store(tmp_path / "longer", count=7),
    }
    known = [read_all(store) for store in kinds.values()]
    store = tmp_path / "store"
    shutil.copytree(kinds["plain"], store)
    stop, replaced = threading.Event(), [0]
    thread = threading.Thread(target=_replace, args=(store, kinds, stop, replaced, tmp_path))
    thread.start()
    read, refused, explained = 0, 0, 0
    try:
        while read + refused < (400 if chaos.full else 12):
            try:
                seen = read_all(store)
            except StoreError as error:
                refused += 1
                explained += any(word in str(error) for word in ("replaced", "missing"))
            else:
                assert any(same(seen, one) for one in known), "numbers of two datasets, or of none"
                read += 1
    finally:
        stop.set()
        thread.join()
    tally("a reader during a replacement", replaced[0])
    assert explained == refused
    assert read > 0
    assert replaced[0] > 2


def _replace(store, kinds, stop, replaced, folder) -> None:
    from glassdata.store.files import put_folder

    while not stop.is_set():
        for name, kind in kinds.items():
            fresh = folder / f"fresh-{name}"
            shutil.copytree(kind / "dataset.zarr", fresh)
            put_folder(fresh, store / "dataset.zarr")
            replaced[0] += 1
            os.sched_yield()
