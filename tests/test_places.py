"""Stores on an object store, and sealed datasets behind a web server."""

import os
import subprocess
import sys
import threading
from collections import Counter
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dask
import fake_glass as fake
import fsspec
import numpy as np
import pytest
import xarray as xr
from fake_glass import contents

from glassdata.cli import run
from glassdata.engine import build
from glassdata.engine import repair as engine_repair
from glassdata.store import (
    DamageError,
    StoreError,
    open_dataset,
    pack,
    prepare,
    progress,
    science_config,
    verify,
)
from glassdata.store.manifest import dataset_digest
from glassdata.store.places import medium, place
from glassdata.store.rows import row_path
from glassdata.store.verifying import set_aside

ONE = {"ar": fake.SYSTEMS["ar"]}


# --- object stores ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server():
    """An S3 server on the loopback, and the environment in which it is found."""
    pytest.importorskip("s3fs", reason="s3:// needs s3fs, of the extra s3")
    moto = pytest.importorskip("moto.server", reason="the S3 server is moto, of the extra test")
    running = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FSSPEC_S3_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        # fsspec reads the environment when it is imported.
        patch.setattr("fsspec.config.conf", conf := {})
        fsspec.config.set_conf_env(conf)
        fsspec.filesystem("s3").mkdir("glasses")
        # Forked workers would not know of it.
        with dask.config.set({"distributed.worker.multiprocessing-method": "spawn"}):
            yield "s3://glasses"
    running.stop()


@pytest.fixture
def remote(server, request):
    """Address of a store that nobody else uses."""
    return f"{server}/[{request.node.name}]"


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    store = tmp_path_factory.mktemp("local") / "store"
    return fake.sealed_store(store, ("ar",), 4)


def objects(store) -> dict[str, bytes]:
    found = store.fs.find(store.path)
    return {name.removeprefix(f"{store.path}/"): store.fs.cat_file(name) for name in found}


def test_a_build_through_dask_gives_the_rows_of_a_folder(remote, local):
    done = build(remote, names=["ar"], limit=4, workers=1, source=fake.source(systems=ONE))
    assert done.complete
    store = place(remote)
    rows = {name: data for name, data in objects(store).items() if name.startswith("rows/")}
    assert rows == {k: v for k, v in contents(local).items() if k.startswith("rows/")}
    assert verify(store) == []
    assert dataset_digest(store) == dataset_digest(local)
    assert progress(store)["ar"].ok == 4
    with open_dataset(remote) as there, open_dataset(local) as here:
        assert not there["ar/g"].variable._in_memory
        xr.testing.assert_identical(there.load(), here.load())
    again = build(remote, names=["ar"], limit=4, source=fake.source(fake.other_row, systems=ONE))
    assert again.complete
    assert again.receipts == ()


def test_objects_are_written_once(remote):
    path = place(remote) / "rows" / "a"
    assert medium(path).publish(b"first")
    assert not medium(path).publish(b"first")
    with pytest.raises(DamageError, match="other content"):
        medium(path).publish(b"second")
    assert path.read_bytes() == b"first"


def test_of_many_writers_one_publishes(remote):
    path, outcomes = place(remote) / "row", []

    def write(text: bytes):
        try:
            outcomes.append(medium(path).publish(text))
        except DamageError:
            outcomes.append("conflict")

    threads = [threading.Thread(target=write, args=(b"%d" % n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(outcomes) == {True: 1, "conflict": 7}


def test_damage_is_named_and_repaired(remote):
    store = fake.sealed_store(place(remote))
    before = objects(store)
    chunk = next(name for name in before if "/ar/g/c/" in name)
    both = (chunk, "rows/ar/000001.npz")
    for name in both:
        whole = before[name]
        (store / name).write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    found = [str(finding) for finding in verify(store)]
    assert found == [f"{name}: checksum does not match" for name in both]
    for name in both:
        store.fs.rm_file((store / name).path)
    assert [str(finding) for finding in verify(store)] == [f"{name}: missing" for name in both]
    for name in both:
        (store / name).write_bytes(before[name][:-1])
    stray = f"{chunk.rpartition('/')[0]}/stray"
    (store / stray).write_bytes(b"stray")
    findings = verify(store)
    assert [finding.name for finding in findings] == [chunk, stray, "rows/ar/000001.npz"]
    assert set_aside(store, findings) == [("ar", 1)]
    assert engine_repair(store, workers=1, source=fake.source(fake.plain_row)).complete
    assert verify(store) == []
    after = objects(store)
    promised = [name for name in before if not name.startswith("provenance/")]
    assert [after[name] for name in promised] == [before[name] for name in promised]


def test_who_reads_the_old_dataset_goes_on_reading(remote):
    store = fake.sealed_store(place(remote), count=2)
    old = open_dataset(remote)
    fake.sealed_store(store, count=5)
    assert verify(store) == []
    assert np.isfinite(old["ar/g"].values).all()
    with open_dataset(remote) as new:
        assert new["ar"].sizes["structure"] == 5
    fake.sealed_store(store, count=6)
    assert len([p for p in store.iterdir() if p.name.startswith("dataset-")]) == 2


def test_a_store_that_was_copied_there_is_extended(remote, local):
    """Its dataset has the name that readers try first."""
    store = place(remote)
    for name in (n for n in contents(local) if not n.startswith("quarantine/")):
        (store / name).write_bytes((local / name).read_bytes())
    assert verify(store) == []
    with open_dataset(remote) as tree:
        assert tree["ar"].sizes["structure"] == 4
    fake.sealed_store(store, count=5)
    with open_dataset(remote) as tree:
        assert tree["ar"].sizes["structure"] == 5
    assert verify(store) == []
    left = store / "dataset.zarr" / "zarr.json"
    left.write_bytes((local / "dataset.zarr" / "zarr.json").read_bytes())
    findings = verify(store)
    assert [str(finding) for finding in findings] == ["dataset.zarr/zarr.json: stray file"]
    assert set_aside(store, findings) == []
    assert verify(store) == []


def test_changed_science_is_refused_there_too(remote):
    store = fake.sealed_store(place(remote))
    other = {"ar": fake.fake_system("ar", r_max=12.0)}
    with pytest.raises(StoreError, match=r"systems\.ar\.description\.bins"):
        prepare(store, science_config(other, "demo"), {"ar": 3})


def test_commands_take_addresses(remote, capsys):
    store = fake.sealed_store(place(remote))
    assert run(["info", remote]) == 0
    assert f"{remote}: profile demo" in capsys.readouterr().out
    assert run(["verify", remote]) == 0
    row_path(store, "ar", 1).write_bytes(b"")
    assert run(["verify", remote]) == 1
    assert "rows/ar/000001.npz: 0 bytes" in capsys.readouterr().out


@pytest.mark.parametrize("protocol", ["file", "local"])
def test_an_address_of_a_local_folder_is_that_folder(tmp_path, protocol, capsys):
    store = fake.sealed_store(tmp_path / "store")
    assert place(f"{protocol}://{store}") == store
    assert run(["verify", f"{protocol}://{store}"]) == 0
    assert capsys.readouterr().out == f"{store}: no damage found\n"


@pytest.mark.parametrize("where", ["s3://", "s3:///store", "http://", "https:///store", "file://"])
def test_an_address_of_nothing_is_one_clear_line(where, capsys):
    assert run(["build", where]) == 2
    errors = capsys.readouterr().err
    assert len(errors.splitlines()) == 1
    assert f"{where} is no address" in errors


@pytest.mark.parametrize("where", ["s3://glasses/nothing-there", "nowhere://store"])
def test_what_is_not_there_is_one_clear_line(server, where, capsys):
    assert run(["verify", where]) == 2
    assert where in capsys.readouterr().err
    with pytest.raises((StoreError, FileNotFoundError), match=where):
        open_dataset(where)


def test_an_object_store_without_credentials_says_so(tmp_path):
    pytest.importorskip("s3fs", reason="s3:// needs s3fs, of the extra s3")
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    env |= {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "glassdata", "info", "s3://glasses/store"]
    shown = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert shown.returncode == 1
    assert shown.stderr == "glassdata: error: object store: Unable to locate credentials\n"


# --- web servers ------------------------------------------------------------------------------


class Handler(SimpleHTTPRequestHandler):
    """A static file server that knows ranges, and writes down what was asked of it."""

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        asked = self.headers.get("Range")
        self.server.asked.append((self.path, asked))
        if self.server.status or not path.is_file():
            return self.send_error(self.server.status or 404)
        data = path.read_bytes()
        if asked and self.server.ranges:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            start = int(first) if first else max(len(data) - int(last), 0)
            stop = min(int(last) + 1 if first and last else len(data), len(data))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
            data = data[start:stop]
        else:
            self.send_response(200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.server.sent += len(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def web(tmp_path, local):
    """A server of the folder of ``local`` and of a packed copy; ``asked`` are its requests."""
    pytest.importorskip("aiohttp", reason="http:// needs aiohttp, of the extra s3")
    pack(local, local.parent / "packed.zarr.zip")
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *a, **k: Handler(*a, directory=str(local.parent), **k)
    ) as server:
        server.asked, server.sent, server.ranges, server.status = [], 0, True, None
        threading.Thread(target=server.serve_forever, daemon=True).start()
        server.url = f"http://127.0.0.1:{server.server_port}"
        yield server
        server.shutdown()


@pytest.mark.parametrize("what", ["store", "store/dataset.zarr"])
def test_over_http_only_what_is_read_is_fetched(web, local, what):
    with open_dataset(f"{web.url}/{what}") as tree, open_dataset(local) as here:
        # Consolidated: one file of metadata, whatever the number of variables, asked for once more
        # to see that the server gives parts. The bins and the numbers of the structures are read at
        # once, for xarray makes indices of them.
        asked = Counter(
            path.partition("dataset.zarr")[2].partition("/c/")[0] for path, _ in web.asked
        )
        assert asked.pop("/zarr.json") <= 3
        assert set(asked) <= {"", "/ar/r", "/ar/omega", "/ar/structure"}
        web.asked.clear()
        values = tree["ar/g"].values
        assert {path.partition("dataset.zarr")[2] for path, _ in web.asked} == {"/ar/g/c/0/0"}
        assert np.array_equal(values, here["ar/g"].values)


def test_a_zip_over_http_is_not_fetched_as_a_whole(web, local, monkeypatch):
    monkeypatch.setattr("glassdata.store.reading._BLOCK", 4096)
    with open_dataset(f"{web.url}/packed.zarr.zip") as there, open_dataset(local) as here:
        web.sent = 0
        assert np.array_equal(there["ar/g"].values, here["ar/g"].values)
        assert 0 < web.sent < 3 * 4096
        xr.testing.assert_identical(there.load(), here.load())


def test_what_a_server_does_not_have_is_one_clear_line(web):
    with pytest.raises(StoreError, match="nothing"):
        open_dataset(f"{web.url}/nothing")


@pytest.mark.parametrize("what", ["store", "store/dataset.zarr", "packed.zarr.zip"])
def test_a_server_without_ranges_is_not_taken_for_damage(web, what, tmp_path, capsys):
    """Python's own server is one."""
    web.ranges = False
    output = str(tmp_path / "model.npz")
    assert run(["fit", f"{web.url}/{what}", "--system", "ar", "-o", output]) == 2
    said_in_one_line(capsys, f"{web.url}/{what}", "does not answer range requests")


def test_info_of_a_server_without_ranges_counts_no_rows_as_failed(web, capsys):
    web.ranges = False
    assert run(["info", f"{web.url}/store"]) == 2
    said_in_one_line(capsys, "does not answer range requests")


@pytest.mark.parametrize("status", [403, 500])
@pytest.mark.parametrize("what", ["store", "packed.zarr.zip"])
def test_what_a_server_refuses_is_not_said_to_be_absent(web, status, what, tmp_path, capsys):
    web.status = status
    assert run(["info", f"{web.url}/{what}"]) == 2
    said_in_one_line(capsys, f"the server answers {status}")
    with pytest.raises(StoreError, match=f"the server answers {status}"):
        open_dataset(f"{web.url}/{what}")


def test_a_server_that_is_not_there_is_one_clear_line(web, capsys):
    web.shutdown()
    web.server_close()
    assert run(["info", f"{web.url}/store"]) == 2
    said_in_one_line(capsys, f"{web.url}/store", "cannot be reached")


@pytest.mark.parametrize("command", ["build", "verify", "repair"])
def test_on_a_web_server_nothing_is_built_or_mended(web, command, capsys):
    assert run([command, f"{web.url}/store"]) == 2
    said_in_one_line(capsys, f"{web.url}/store can only be read")
    assert web.asked == []


def said_in_one_line(capsys, *words: str) -> None:
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1, shown.err
    assert [word for word in words if word not in shown.err] == []
