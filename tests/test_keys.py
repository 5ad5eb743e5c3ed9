"""Who does not have the key of a run can neither join its scheduler nor send it work."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import dask
import fake_glass as fake
import processes
import psutil
import pytest

from glassdata.engine import build
from glassdata.engine.clusters import connect
from glassdata.engine.execution import Execution
from glassdata.engine.keys import fresh_key, key_in_files
from glassdata.store import StoreError

ONE = {"ar": fake.SYSTEMS["ar"]}

#: What another program of this machine may try: without encryption, without a key, with its own.
STRANGER = """
import asyncio, ssl, sys
from dask.distributed import Client, Security
port = sys.argv[1]
nobody = ssl._create_unverified_context()
ways = [
    lambda: Client(f"tcp://127.0.0.1:{port}", timeout="2s"),
    lambda: Client(f"tls://127.0.0.1:{port}", timeout="2s", security=Security.temporary()),
]
for way in ways:
    try:
        with way() as client:
            print("submitted", client.submit(abs, -1).result(2))
    except Exception as error:
        print("refused", type(error).__name__)

async def without():
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port), ssl=nobody)
    writer.write(b"hello")
    print("read" if await asyncio.wait_for(reader.read(1), 2) else "refused")

try:
    asyncio.run(without())
except Exception as error:
    print("refused", type(error).__name__)
"""


def listening() -> dict[str, set[int]]:
    """Ports at which this process and its children listen, by address."""
    here = psutil.Process()
    found: dict[str, set[int]] = {}
    for process in (here, *here.children(recursive=True)):
        for connection in process.net_connections("inet"):
            if connection.status == psutil.CONN_LISTEN:
                found.setdefault(connection.laddr.ip, set()).add(connection.laddr.port)
    return found


def test_a_local_scheduler_hears_only_who_has_its_key():
    before = listening()
    with connect(Execution(workers=1), 1, {"ar": 0.0}) as connection:
        address = connection.client.scheduler.address
        assert address.startswith("tls://127.0.0.1:")
        assert listening().keys() - before.keys() <= {"127.0.0.1"}
        port = address.rpartition(":")[2]
        said = subprocess.run(
            [sys.executable, "-c", STRANGER, port], capture_output=True, text=True, check=True
        ).stdout.split("\n")
        assert [line.split()[0] for line in said if line] == ["refused"] * 3
        # The workers are no back door.
        (worker,) = connection.client.scheduler_info()["workers"]
        assert worker.startswith("tls://127.0.0.1:")
        assert connection.client.submit(abs, -1).result(30) == 1


def test_every_run_has_a_key_of_its_own():
    assert fresh_key().tls_client_key != fresh_key().tls_client_key


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_key_in_files_is_for_its_owner_only(tmp_path):
    before = os.umask(0)  # the most careless of users
    try:
        with key_in_files(tmp_path) as security:
            (folder,) = tmp_path.iterdir()
            assert mode(folder) == 0o700
            files = {path: path.read_text() for path in folder.iterdir()}
            assert {mode(path) for path in files} == {0o600}
            assert security.tls_worker_key in map(str, files)
            assert "PRIVATE KEY" in files[Path(security.tls_worker_key)]
            # Scheduler and client, in this process, read nothing that could be exchanged.
            assert "\n" in security.tls_scheduler_key
            assert security.get_listen_args("scheduler")["ssl_context"]
    finally:
        os.umask(before)
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_rights_gets_no_key(tmp_path, monkeypatch):
    """As exFAT and some network mounts show every file to everybody."""
    real = os.open

    def open_to_all(path, *arguments, **options):
        file = real(path, *arguments, **options)
        os.fchmod(file, 0o777)
        return file

    monkeypatch.setattr(os, "open", open_to_all)
    with pytest.raises(StoreError, match="does not keep files from other users"):
        key_in_files(tmp_path).__enter__()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_hold_the_key_is_one_line(tmp_path):
    with pytest.raises(StoreError, match="the key of this run cannot be kept in"):
        key_in_files(tmp_path / "none").__enter__()


def test_a_running_scheduler_with_certificates_of_its_own(tmp_path, monkeypatch):
    """Those that Dask's configuration names; without them, one clear line."""
    habits = tmp_path / "habits"
    habits.mkdir()
    monkeypatch.setenv("GLASSDATA_FAKE", str(habits))
    port = processes.free_port()
    with key_in_files(tmp_path) as security:
        files = {
            "ca-file": security.tls_ca_file,
            "cert": security.tls_worker_cert,
            "key": security.tls_worker_key,
        }
        options = [word for name, file in files.items() for word in (f"--tls-{name}", file)]
        where = f"tls://127.0.0.1:{port}"
        store, source = tmp_path / "store", fake.source(systems=ONE)
        who = {"cert": files["cert"], "key": files["key"]}
        own = {
            "distributed.comm.tls.ca-file": files["ca-file"],
            "distributed.comm.tls.client": who,
        }
        worker = ["-m", "dask", "worker", where, "--nthreads", 1, "--no-dashboard", "--no-nanny"]
        worker += ["--local-directory", habits]
        with (
            processes.scheduler(port, "--protocol", "tls", *options),
            processes.Group([*worker, *options], habits),
        ):
            processes.wait_until(lambda: processes.listens(port), "the scheduler starts")
            with pytest.raises(StoreError, match="no Dask scheduler answers at tls://"):
                build(store, cluster=where, limit=2, source=source)
            with dask.config.set(own):
                assert build(store, cluster=where, limit=2, source=source).complete
