"""Full and read-only disks, wrong rights and clocks: a clear error, and the store resumes."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import crash
import fake_glass as fake
import processes
import pytest
from fake_glass import contents

from glassdata.cli import run
from glassdata.engine import build
from glassdata.store import StoreError, prepare, science_config, verify
from glassdata.store.settings import missing_rows

ONE = {"ar": fake.SYSTEMS["ar"]}
NOBODY = 65534
FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


@pytest.fixture
def habits(tmp_path):
    folder = tmp_path / "habits"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Bytes of a store of eight structures that nothing happened to."""
    return contents(fake.sealed_store(tmp_path_factory.mktemp("whole") / "store", count=8))


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 64 kB; ``mount`` changes its options."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode and not options.startswith("remount"):
            pytest.skip(f"cannot mount a small disk: {done.stderr.strip()}")
        assert done.returncode == 0, done.stderr
        return folder

    if shutil.which("mount") is None:
        pytest.skip("there is no mount command")
    mount("size=64k")
    yield mount
    subprocess.run(["umount", "--lazy", folder], check=True)


def build_here(store: Path, count: int = 8) -> None:
    """``build`` in this process: with all rows there, it only seals."""
    goal = prepare(store, science_config(ONE, "demo"), {"ar": count})
    for name, index in missing_rows(store, goal):
        fake.publish(fake.task(store), name, index)
    assert build(store, limit=count, source=fake.source(systems=ONE)).complete


def nothing_half_written(store: Path) -> None:
    """What was published is whole, and no unfinished work lies about."""
    assert not (store / "manifest.json").exists()
    assert [finding for finding in verify(store) if finding.problem != "missing"] == []
    assert not list(store.rglob(".tmp~*"))


# --- disks and rights -------------------------------------------------------------------------


def test_a_disk_that_fills_up_while_rows_are_published(small_disk, monkeypatch, habits, whole):
    store = small_disk("remount,size=64k") / "store"
    with processes.build(store, habits, "--system", "ar", "--workers", 1) as command:
        assert command.finish() == 1
        assert "No space left on device" in command.said()
        assert "Traceback" not in command.said()
    nothing_half_written(store)
    before = fake.counts(habits)
    published = {f"ar-{int(path.stem)}" for path in store.glob("rows/ar/*.npz")}
    assert 0 < len(published) < 8
    small_disk("remount,size=8m")
    monkeypatch.setenv("GLASSDATA_FAKE", str(habits))
    assert build(store, workers=1, source=fake.source(systems=ONE)).complete
    assert contents(store) == whole
    after = fake.counts(habits)
    assert all(after[name] == before[name] for name in published)


def test_a_disk_that_fills_up_while_the_dataset_is_sealed(small_disk, whole):
    store = small_disk("remount,size=256k") / "store"
    with pytest.raises(OSError, match="No space left on device"):
        build_here(store)
    assert len(list(store.glob("rows/ar/*.npz"))) == 8
    nothing_half_written(store)
    small_disk("remount,size=8m")
    build_here(store)
    assert contents(store) == whole


def test_a_disk_that_fills_up_keeps_the_old_dataset(small_disk, whole):
    store = small_disk("remount,size=8m") / "store"
    build_here(store, 4)
    before = contents(store)
    used = shutil.disk_usage(store).used
    small_disk(f"remount,size={used + 100_000}")
    with pytest.raises(OSError, match="No space left on device"):
        build_here(store)
    now = contents(store)
    assert {name: now[name] for name in before if name != "plan.json"} == {
        name: data for name, data in before.items() if name != "plan.json"
    }
    assert verify(store) == []
    small_disk("remount,size=8m")
    build_here(store)
    assert contents(store) == whole


def test_a_read_only_disk(small_disk, capsys):
    disk = small_disk("remount,size=8m")
    store = disk / "store"
    build_here(store, 2)
    before = contents(store)
    small_disk("remount,ro")
    with pytest.raises(StoreError, match="cannot be written"):
        build_here(store, 3)
    assert run(["build", str(disk / "new"), "--limit", "1"]) != 0
    assert f"Read-only file system: {disk / 'new'}" in capsys.readouterr().err
    assert contents(store) == before
    assert verify(store) == []


def publish_as_nobody(store: Path, log: Path) -> None:
    """In a child: what an unprivileged worker meets."""
    with open(log, "w") as stream:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        for work in (lambda: fake.publish(fake.task(store), "ar", 1), lambda: build_here(store)):
            try:
                work()
            except (OSError, StoreError) as error:
                stream.write(f"{type(error).__name__}: {error}\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_permission_denied(tmp_path, whole):
    open_to_all = Path(tempfile.mkdtemp(prefix="glassdata-"))  # tmp_path is for its owner only
    try:
        open_to_all.chmod(0o755)
        store = open_to_all / "store"
        build_here(store, 1)
        before = contents(store)
        assert crash.in_child(publish_as_nobody, store, tmp_path / "log") == 0
        first, second = (tmp_path / "log").read_text().splitlines()
        assert first.startswith(f"PermissionError: [Errno 13] Permission denied: '{store}/rows/ar")
        assert second == f"StoreError: {store} cannot be written to"
        assert contents(store) == before
        build_here(store)
        assert contents(store) == whole
    finally:
        shutil.rmtree(open_to_all)


# --- clocks -----------------------------------------------------------------------------------


def test_nothing_in_a_store_depends_on_the_clock(tmp_path, monkeypatch, whole):
    """A clock that goes back by ten days whenever somebody looks at it."""
    now = [2e9]

    def backwards() -> float:
        now[0] -= 864000.0
        return now[0]

    monkeypatch.setattr(time, "time", backwards)
    monkeypatch.setattr(time, "gmtime", lambda *_: time.struct_time((1970, 1, 1, 0, 0, 0, 3, 1, 0)))
    build_here(tmp_path / "store", 3)
    build_here(tmp_path / "store")
    assert contents(tmp_path / "store") == whole


@pytest.mark.skipif(not FAKETIME, reason="needs libfaketime (Debian: apt-get install libfaketime)")
def test_a_clock_that_jumps_back(chaos, tmp_path, habits, whole):
    """By seconds during a build, for all of its processes; by a year between two builds.

    Dask's messages wait for a time of day: a running build stands still for as long as the jump.
    """
    if not chaos.full:
        pytest.skip("long: make chaos runs it")
    (habits / "clock").write_text("+0")
    (habits / "clock-2").write_text("-3")
    clock = {
        "LD_PRELOAD": str(FAKETIME[0]),
        "FAKETIME_TIMESTAMP_FILE": str(habits / "clock"),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    store, options = tmp_path / "store", ("--system", "ar", "--workers", 1)
    with processes.build(store, habits, *options, "--limit", 4, **clock) as command:
        assert command.finish() == 0, command.said()
    assert (habits / "clock").read_text() == "-3"
    (habits / "clock").write_text("-400d")
    with processes.build(store, habits, *options, **clock) as command:
        assert command.finish() == 0, command.said()
    times = [path.read_text() for path in store.glob("provenance/ar/*.json")]
    assert len({text.split('"finished":"')[1][:4] for text in times}) > 1, "the clock stood"
    assert contents(store) == whole


# --- interruptions ----------------------------------------------------------------------------


#: Seconds in which Ctrl-C must have ended everything; most of them for a machine that is busy.
SOON = 20.0


def interrupt(command: processes.Group) -> None:
    """Ctrl-C as a terminal sends it: one line, nothing left behind, and soon."""
    os.killpg(command.pid, signal.SIGINT)
    assert command.wait(SOON) == 130
    processes.wait_until(lambda: not command.members(), "all processes end")
    assert (
        command.said().strip().endswith("glassdata: error: interrupted; the same command resumes")
    )
    assert "Traceback" not in command.said()
    assert "Exception" not in command.said()


def test_ctrl_c_is_one_line_at_most(tmp_path, habits, whole):
    """While workers start and while rows are computed; nothing is lost."""
    (habits / "slow").write_text("1")
    store, options = tmp_path / "store", ("--system", "ar", "--workers", 2)
    with processes.build(store, habits, *options) as command:
        processes.wait_until(command.worker_processes, "a worker starts")
        interrupt(command)
        assert fake.counts(habits) == {}, "it was too late to meet the start"
    with processes.build(store, habits, *options) as command:
        processes.wait_until(lambda: len(list(store.glob("rows/ar/*.npz"))) > 1, "rows appear")
        interrupt(command)
    assert build(store, workers=1, source=fake.source(systems=ONE)).complete
    assert contents(store) == whole


def test_ctrl_c_while_a_scheduler_has_no_workers(tmp_path, habits):
    port = processes.free_port()
    with processes.scheduler(port):
        processes.wait_until(lambda: processes.listens(port), "the scheduler starts")
        command = ("--system", "ar", "--cluster", f"tcp://127.0.0.1:{port}")
        with processes.build(tmp_path / "store", habits, *command) as command:
            processes.wait_until(lambda: "waiting for workers" in command.said(), "it waits")
            interrupt(command)


def test_ctrl_c_while_the_dataset_is_sealed(tmp_path, habits, whole):
    store = tmp_path / "store"
    goal = prepare(store, science_config(ONE, "demo"), {"ar": 8})
    for name, index in missing_rows(store, goal):
        fake.publish(fake.task(store), name, index)
    before = contents(store)
    (habits / "slow-disk").touch()
    with processes.build(store, habits, "--system", "ar") as command:
        processes.wait_until(
            lambda: command.poll() is not None or list(store.rglob("zarr.json")), "it is sealed"
        )
        interrupt(command)
    assert not (store / "manifest.json").exists()
    assert {name: contents(store)[name] for name in before} == before
    (habits / "slow-disk").unlink()
    with processes.build(store, habits, "--system", "ar") as command:
        assert command.finish() == 0, command.said()
        processes.wait_until(lambda: not command.members(), "all processes end")
    assert contents(store) == whole


def test_workers_end_with_a_driver_that_was_killed(tmp_path, habits):
    (habits / "slow").write_text("0.3")
    options = ("--system", "ar", "--workers", 2)
    with processes.build(tmp_path / "store", habits, *options) as command:
        processes.wait_until(lambda: len(fake.counts(habits)) > 1, "rows are computed")
        os.kill(command.pid, signal.SIGKILL)
        assert command.finish() == -signal.SIGKILL, command.said()
        processes.wait_until(lambda: not command.members(), "all processes end")
