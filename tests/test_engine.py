"""The engine: what is on the disk afterwards does not depend on how it came about."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import dask
import fake_glass as fake
import psutil
import pytest
from dask.distributed import Client, LocalCluster
from fake_glass import contents

from glassdata import worker
from glassdata.cli import run
from glassdata.config import ALGORITHM_VERSION
from glassdata.engine import Loss, build, overdue, recompute
from glassdata.engine import repair as engine_repair
from glassdata.engine.crew import Crew, Report
from glassdata.engine.execution import Execution
from glassdata.engine.overdue import Overdue
from glassdata.engine.slurm import slurm_job, walltime_seconds
from glassdata.engine.streaming import _Stream
from glassdata.fitness import Standard
from glassdata.protocols.melt import MissingLammps
from glassdata.row import compute_row, row_id
from glassdata.store import (
    StoreError,
    open_dataset,
    prepare,
    progress,
    science_config,
    seal,
    verify,
)
from glassdata.store.losses import losses, read_loss, record_loss
from glassdata.store.rows import (
    conform,
    dimension_sizes,
    provenance_path,
    publish_row,
    read_row,
    row_path,
)
from glassdata.store.settings import goal_counts, sealed_counts
from glassdata.store.verifying import set_aside
from glassdata.systems import SYSTEMS, available

#: One glass of eight structures: enough for every law here.
ONE = {"ar": fake.SYSTEMS["ar"]}
HERE = Path(__file__).parent


@pytest.fixture
def habits(tmp_path, monkeypatch):
    """Folder through which rows are made to misbehave; workers inherit the variable."""
    folder = tmp_path / "habits"
    folder.mkdir()
    monkeypatch.setenv("GLASSDATA_FAKE", str(folder))
    return folder


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """An uninterrupted build by one worker."""
    store = tmp_path_factory.mktemp("reference") / "store"
    assert build(store, workers=1, source=fake.source(fake.plain_row)).complete
    return store


@pytest.fixture(scope="module")
def address():
    """A scheduler with one worker, for tests that would else wait for workers to start."""
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster:
        yield cluster.scheduler_address


def driver(store: Path, **how) -> subprocess.Popen:
    """The same build in a process of its own, in a process group of its own."""
    code = (
        "import fake_glass, sys; from glassdata.engine import build\n"
        f"done = build({str(store)!r}, **{ ({'workers': 2} | how)!r}, source=fake_glass.source())\n"
        "sys.exit(not done.complete)"
    )
    path = os.pathsep.join([str(HERE), *sys.path])
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": path},
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def wait_for_rows(store: Path, count: int, process: subprocess.Popen | None = None) -> None:
    deadline = time.monotonic() + 120
    while len(list(store.glob("rows/*/[0-9]*.npz"))) < count:
        assert time.monotonic() < deadline, "no rows appeared"
        assert process is None or process.poll() is None, "the build ended too early"
        time.sleep(0.01)


def test_workers_and_history_leave_no_trace(tmp_path, reference):
    """Three workers, in two steps, the second glass first: the same bytes."""
    store, source = tmp_path / "store", fake.source(fake.plain_row)
    assert build(store, names=["sic"], limit=3, workers=3, source=source).complete
    assert build(store, workers=3, source=source).complete
    assert contents(store) == contents(reference)


def test_killed_driver_resumes_to_the_same_bytes(tmp_path, reference, habits):
    store = tmp_path / "store"
    (habits / "slow").write_text("0.05")
    process = driver(store)
    wait_for_rows(store, 4, process)
    workers = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()
    # Workers of a dead driver end by themselves; their last rows are welcome.
    assert not psutil.wait_procs(workers, timeout=30)[1]
    assert not (store / "dataset.zarr").exists()
    published = {f"{p.parent.name}-{int(p.stem)}" for p in store.glob("rows/*/[0-9]*.npz")}
    before = fake.counts(habits)
    assert build(store, workers=2, source=fake.source()).complete
    assert contents(store) == contents(reference)
    after = fake.counts(habits)
    assert all(after[name] == before[name] for name in published), "a published row was redone"


def test_two_drivers_at_once_agree(tmp_path, reference, habits):
    store = tmp_path / "store"
    both = [driver(store, workers=1) for _ in range(2)]
    for process in both:
        _, errors = process.communicate(timeout=180)
        assert process.returncode == 0, errors
    assert contents(store) == contents(reference)


def test_builds_of_two_stores_on_one_scheduler_do_not_meet(tmp_path, reference, habits, address):
    """Equal rows of different stores are different tasks."""
    (habits / "slow").write_text("0.02")
    stores = [tmp_path / "one", tmp_path / "other"]
    both = [driver(store, cluster=address, workers=None) for store in stores]
    for process in both:
        _, errors = process.communicate(timeout=180)
        assert process.returncode == 0, errors
    assert [contents(store) == contents(reference) for store in stores] == [True, True]


def test_dead_scheduler_is_a_loss(tmp_path, habits):
    """Futures end as cancelled and iteration ends as if all were well: rows are counted."""
    code = (
        "from dask.distributed import LocalCluster; import time\n"
        "if __name__ == '__main__':\n"
        "    cluster = LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None)\n"
        "    print(cluster.scheduler_address, flush=True); time.sleep(60)"
    )
    path = os.pathsep.join([str(HERE), *sys.path])
    scheduler = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    store = tmp_path / "store"
    (habits / "slow").write_text("0.2")
    try:
        address = scheduler.stdout.readline().strip()
        process = driver(store, cluster=address)
        wait_for_rows(store, 2, process)
    finally:
        scheduler.kill()
        scheduler.wait()
        scheduler.stdout.close()
    process.communicate(timeout=180)
    assert process.returncode == 1
    assert not (store / "dataset.zarr").exists()
    (habits / "slow").unlink()
    assert build(store, workers=2, source=fake.source()).complete


def test_each_kind_of_failure_has_its_own_fate(tmp_path, habits):
    """A bad structure is recorded; a busy disk is tried again; crash, broken disk, bug are lost."""
    store, source = tmp_path / "store", fake.source(systems=ONE)
    for habit in ("fail-1", "flaky-2", "disk-3", "crash-4", "bug-5"):
        (habits / habit).touch()
    outcome = build(store, workers=2, source=source)
    assert set(outcome.lost) == {("ar", 3), ("ar", 4), ("ar", 5)}
    assert not outcome.complete
    assert any("ar 3: OSError: the disk is broken" in str(problem) for problem in outcome.problems)
    assert any("ar 4: its worker died" in str(problem) for problem in outcome.problems)
    assert any("ar 5: AttributeError: a module" in str(problem) for problem in outcome.problems)
    row = read_row(store, "ar", 1)
    assert (str(row["status"]), str(row["error"])) == ("failed", "the relaxation diverged")
    assert fake.counts(habits) == {f"ar-{n}": {2: 2, 3: 3, 4: 3, 5: 3}.get(n, 1) for n in range(8)}
    assert progress(store)["ar"].missing == 3
    for habit in ("disk-3", "crash-4", "bug-5"):
        (habits / habit).unlink()
    assert build(store, workers=2, source=source).complete
    with open_dataset(store) as tree:
        assert list(tree["ar/status"].values) == ["ok", "failed", *["ok"] * 6]
        assert tree["ar/n_atoms"].values.sum() == tree["ar"].sizes["atom"]


def test_a_hanging_row_is_given_up_with_its_reason(tmp_path, habits, capsys):
    """Whether it sleeps or keeps the interpreter to itself; all other rows are made."""
    store, source = tmp_path / "store", fake.source(systems=ONE)
    (habits / "hang-3").touch()
    outcome = build(store, workers=2, row_timeout=1.5, source=source)
    assert outcome.lost == (("ar", 3),)
    assert fake.counts(habits)["ar-3"] == 1, "one row may cost its time limit once"
    assert len(losses(store)) == 1
    assert "took longer than the 1.5 s" in losses(store)["ar", 3]
    assert run(["info", str(store)]) == 0
    assert "missing row ar 3: took longer than the 1.5 s" in capsys.readouterr().out
    (habits / "hang-3").unlink()
    assert build(store, workers=1, source=source).complete
    assert losses(store) == {}


def test_a_row_keeps_the_reason_that_its_worker_noted_before_it_ended(tmp_path, monkeypatch):
    """Of a row that has lost its only worker so, the driver sees no more than that none is left."""
    store, seen = tmp_path / "store", "there has been no worker to compute rows"

    def run_rows(work, task, todo, *rest):
        record_loss(store, "ar", 1, "took longer than the 2 s", limit=2.0)
        return [], [Loss("ar", index, seen) for index in range(2)]

    monkeypatch.setattr("glassdata.engine.run_rows", run_rows)
    outcome = build(store, limit=2, source=fake.source(systems=ONE))
    reasons = {("ar", 0): seen, ("ar", 1): "took longer than the 2 s"}
    assert {(loss.system, loss.index): loss.reason for loss in outcome.problems} == reasons
    assert losses(store) == reasons


def test_a_row_that_keeps_the_interpreter_does_not_block_the_build(tmp_path, habits, monkeypatch):
    """Its processes end themselves, before the driver would end them on a machine that is busy."""
    monkeypatch.setattr(overdue, "GRACE", 240.0)
    (habits / "lock-1").touch()
    store, source = tmp_path / "store", fake.source(systems=ONE)
    outcome = build(store, limit=3, workers=1, row_timeout=1.0, source=source)
    assert outcome.lost == (("ar", 1),)
    assert "its worker died 3 times" in losses(store)["ar", 1]


def test_a_worker_that_comes_back_late_is_waited_for(tmp_path, habits):
    """Dask dismisses a worker that is not back in time; a build without workers would never end."""
    (habits / "crash-1").touch()
    with dask.config.set({"distributed.deploy.lost-worker-timeout": "10ms"}):
        outcome = build(tmp_path / "store", workers=1, limit=3, source=fake.source(systems=ONE))
    assert outcome.lost == (("ar", 1),)
    assert fake.counts(habits) == {"ar-0": 1, "ar-1": 3, "ar-2": 1}


def test_rows_too_large_for_the_workers_are_refused_at_once(tmp_path, habits):
    source = fake.source(systems=ONE)
    with pytest.raises(ValueError, match=r"a row of ar needs about .* MiB, but a worker may use"):
        build(tmp_path / "store", workers=1, memory_limit="100MB", source=source)
    assert not fake.counts(habits)


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2)])
def test_shards_in_any_order_are_one_build(tmp_path, reference, address, order):
    store, source = tmp_path / "store", fake.source(fake.plain_row)
    for number in order:
        assert not (store / "dataset.zarr").exists()
        outcome = build(store, shard=(number, 3), cluster=address, source=source)
        assert outcome.complete
        assert {receipt.index % 3 for receipt in outcome.receipts} == {number - 1}
    assert outcome.elsewhere == 0
    assert contents(store) == contents(reference)


def test_shards_at_once_are_one_build(tmp_path, reference, habits):
    store = tmp_path / "store"
    both = [driver(store, workers=1, shard=(number, 2)) for number in (1, 2)]
    for process in both:
        _, errors = process.communicate(timeout=180)
        assert process.returncode == 0, errors
    assert contents(store) == contents(reference)
    assert set(fake.counts(habits).values()) == {1}


@pytest.mark.parametrize("shard", [(0, 2), (3, 2), (1, 0)])
def test_impossible_shards_are_refused(tmp_path, shard):
    with pytest.raises(ValueError, match="shard"):
        build(tmp_path / "store", shard=shard, source=fake.source())


def test_workers_keep_the_memory_of_the_last_array_for_the_next(tmp_path, habits):
    (habits / "threads-5").touch()
    build(tmp_path / "store", source=fake.source(), workers=1)
    assert (habits / "threads").read_text() == "[1] 1"
    assert (habits / "memory").read_text() == f"{2**25} {2**26}"


def test_a_running_scheduler_with_workers_of_its_own(tmp_path, reference, habits):
    """`dask scheduler` and `dask worker`, started by hand; rows have one thread even there."""
    (habits / "threads-5").touch()
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path]),
        "OMP_NUM_THREADS": "4",
        "OPENBLAS_NUM_THREADS": "4",
    }
    file = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    commands = [
        [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"],
        *([[*dask, "worker", "--nthreads", "2", "--local-directory", tmp_path]] * 2),
    ]
    store, running = tmp_path / "store", []
    try:
        for command in commands:
            running.append(
                subprocess.Popen(
                    [*command, "--scheduler-file", file],
                    env=environment,
                    stderr=subprocess.DEVNULL,
                )
            )
        deadline = time.monotonic() + 120
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        outcome = build(store, cluster=address, source=fake.source())
    finally:
        for process in running:
            process.terminate()
            process.wait()
    assert outcome.complete
    assert contents(store) == contents(reference)
    assert (habits / "threads").read_text() == "[1] 1"


def test_quick_rows_travel_together_and_a_poisoned_one_alone_is_lost(tmp_path, habits):
    """Grouping is for rows that cost nothing, and changes neither bytes nor who is to blame."""
    systems = {"ar": replace(ONE["ar"], protocols={"demo": fake.FakeProtocol(200)})}
    source = fake.source(systems=systems)
    (habits / "crash-150").touch()
    outcome = build(tmp_path / "store", workers=2, source=source)
    assert outcome.lost == (("ar", 150),)
    counts = fake.counts(habits)
    assert {name for name, count in counts.items() if count > 1} == {"ar-150"}
    assert counts["ar-150"] > 3, "it never was in a group"


def test_nan_becomes_a_failed_row(tmp_path):
    store = fake.sealed_store(tmp_path / "store", compute=fake.nan_row)
    row = read_row(store, "ar", 1)
    assert str(row["status"]) == "failed"
    assert "g is not finite" in str(row["error"])


def test_other_content_of_a_published_row_is_a_conflict(tmp_path, habits):
    """Two programs that disagree never overwrite each other, and neither looks like success."""
    store = tmp_path / "store"
    (habits / "slow").write_text("1.5")
    process = driver(store, workers=1)
    deadline = time.monotonic() + 120
    while not fake.counts(habits) and time.monotonic() < deadline:
        time.sleep(0.01)
    first = next(iter(fake.counts(habits)))  # this row is being computed now
    (habits / "slow").unlink()
    name, index = first.split("-")
    foreign = worker.publish(fake.task(store, fake.other_row), name, int(index))
    assert foreign.outcome == "new"
    before = row_path(store, name, int(index)).read_bytes()
    _, errors = process.communicate(timeout=180)
    assert process.returncode == 1, errors
    assert row_path(store, name, int(index)).read_bytes() == before
    assert not (store / "dataset.zarr").exists()
    assert len(fake.counts(habits)) < 16, "the build went on"


def test_rows_that_were_there_already_do_not_count_as_quick(tmp_path, address):
    """Slow rows travel alone, also after many that another build had made."""
    rows, sizes = [("ar", index) for index in range(200)], []
    with Client(address) as client:
        others = Overdue(Execution()), Crew(client, Standard(), Execution())
        found = _Stream(client, worker.publish, fake.task(tmp_path), rows, 1, *others)
        while found.left:
            sizes.append(len(found._next()))
            existing = Report("", "", (worker.Receipt("ar", 0, "existing"),) * sizes[-1])
            list(found._results(SimpleNamespace(result=lambda timeout, e=existing: e), []))
    assert set(sizes) == {1}


def test_a_worker_of_another_version_makes_no_rows(tmp_path):
    task = replace(fake.task(tmp_path / "store"), algorithm=ALGORITHM_VERSION - 1)
    with pytest.raises(ImportError, match="version"):
        worker.publish(task, "ar", 0)
    assert not row_path(task.store, "ar", 0).exists()


def test_a_time_limit_once_exceeded_does_not_keep_a_row_from_verification(tmp_path):
    store, source = fake.sealed_store(tmp_path / "store"), fake.source(fake.plain_row, ONE)
    record_loss(store, "ar", 1, "took longer", limit=9999.0)
    receipts, problems = recompute(store, [("ar", 1)], workers=1, source=source)
    assert [receipt.outcome for receipt in receipts] == ["identical"]
    assert problems == []


@pytest.mark.parametrize("text", ["[]", "null", "3", "{}"])
def test_what_is_no_record_of_a_loss_is_none(tmp_path, text):
    record_loss(tmp_path, "ar", 1, "took longer", limit=1.0)
    next(tmp_path.rglob("ar-*.json")).write_text(text)
    assert read_loss(tmp_path, "ar", 1) is None
    assert losses(tmp_path) == {}


def test_a_build_that_seals_later_keeps_what_another_sealed_meanwhile(tmp_path):
    store = tmp_path / "store"
    goal = prepare(store, science_config(ONE, "demo"), {"ar": 2})
    for index in range(2):
        fake.publish(fake.task(store), "ar", index)
    fake.sealed_store(store, ("sic",), 3)
    seal(store, fake.SYSTEMS, goal, identify=fake.row_id)
    assert sealed_counts(store) == {"ar": 2, "sic": 3}
    assert verify(store) == []


@pytest.mark.parametrize("own", [["--lifetime", "7s"], ["--lifetime=7s"]])
def test_a_lifetime_of_your_own_is_kept(own):
    pytest.importorskip("dask_jobqueue")
    settings = {"cores": 1, "memory": "1GB", "worker-extra-args": own}
    with dask.config.set({f"jobqueue.slurm.{key}": value for key, value in settings.items()}):
        assert slurm_job(None)["worker_extra_args"] == own


def test_whether_somebody_watches(monkeypatch):
    """A terminal or a notebook, unless the caller says so."""
    for terminal, notebook in product((False, True), repeat=2):
        stderr = SimpleNamespace(isatty=lambda t=terminal: t)
        # A kernel that was only imported, as by a test of notebooks, is no notebook.
        shell = SimpleNamespace(kernel=None) if notebook else None
        modules = {"ipykernel": None, "IPython": SimpleNamespace(get_ipython=lambda s=shell: s)}
        system = SimpleNamespace(stderr=stderr, modules=modules)
        monkeypatch.setattr("glassdata.engine.execution.sys", system)
        assert Execution().watched == (terminal or notebook)
        assert [Execution(progress=p).watched for p in (True, False)] == [True, False]


def test_recomputation_tells_identical_from_close_from_different(tmp_path):
    store = fake.sealed_store(tmp_path / "store")
    before = contents(store)
    found = {
        compute.__name__: worker.compare(fake.task(store, compute), "ar", 0)
        for compute in (fake.plain_row, fake.near_row, fake.other_row)
    }
    outcomes = {name: receipt.outcome for name, receipt in found.items()}
    assert outcomes == {"plain_row": "identical", "near_row": "close", "other_row": "different"}
    assert "energy" in found["other_row"].reason
    assert contents(store) == before


def test_a_missing_package_is_no_property_of_a_glass(tmp_path):
    def without_lammps(system, profile, index, timings=None):
        raise MissingLammps("making amorphous carbon needs LAMMPS")

    with pytest.raises(MissingLammps):
        worker.publish(fake.task(tmp_path / "store", without_lammps), "ar", 0)
    assert not list(tmp_path.rglob("*.npz"))


def test_recomputation_through_dask_is_identical(reference):
    rows = [("ar", 1), ("sic", 7)]
    receipts, problems = recompute(reference, rows, source=fake.source(fake.plain_row))
    assert {receipt.outcome for receipt in receipts} == {"identical"}
    assert problems == []


def test_repair_restores_the_sealed_bytes(tmp_path):
    store, source = tmp_path / "store", fake.source(fake.plain_row, ONE)
    fake.sealed_store(store)
    before = contents(store)
    row_path(store, "ar", 2).write_bytes(b"")
    chunk = next(p for p in (store / "dataset.zarr/ar/g/c").rglob("*") if p.is_file())
    chunk.write_bytes(chunk.read_bytes()[:-1] + b"\xff")
    (store / "rows/ar/notes.txt").write_text("stray")
    found = verify(store)
    assert len(found) == 3
    assert set_aside(store, found) == [("ar", 2)]
    assert engine_repair(store, workers=1, source=source).complete
    assert verify(store) == []
    after = {name: data for name, data in contents(store).items() if "quarantine" not in name}
    assert after == before


def test_repair_makes_good_also_what_was_not_sealed_yet(tmp_path):
    store, source = tmp_path / "store", fake.source(fake.plain_row, ONE)
    fake.sealed_store(store, count=2)
    prepare(store, science_config(ONE, "demo"), {"ar": 4})
    for index in (2, 3):
        fake.publish(fake.task(store), "ar", index)
    before = contents(store)
    row_path(store, "ar", 2).write_bytes(b"")
    rows = set_aside(store, verify(store))
    assert engine_repair(store, rows, workers=1, source=source).complete
    assert {n: b for n, b in contents(store).items() if "quarantine" not in n} == before


@pytest.mark.parametrize("count", [0, 3])
def test_repair_computes_no_row_that_the_profile_does_not_have(tmp_path, count):
    """A file that is named like a row is none yet: it is set aside, and nothing takes its place."""
    store, source = tmp_path / "store", fake.source(fake.plain_row, ONE)
    fake.sealed_store(store, count=3)
    if not count:
        (store / "manifest.json").unlink()
        shutil.rmtree(store / "dataset.zarr")
    before = contents(store)
    (store / "rows/foo").mkdir()
    for name in ("rows/ar/000099.npz", "rows/foo/000000.npz"):
        shutil.copy(row_path(store, "ar", 0), store / name)
    rows = set_aside(store, verify(store))
    assert set(rows) == {("ar", 99), ("foo", 0)}
    outcome = engine_repair(store, rows, workers=1, source=source)
    assert outcome.complete
    assert outcome.receipts == ()
    assert {n: b for n, b in contents(store).items() if "quarantine" not in n} == before


def test_repair_of_an_unsealed_store_does_not_build_it(tmp_path):
    store, source = tmp_path / "store", fake.source(fake.plain_row, ONE)
    prepare(store, science_config(ONE, "demo"), {"ar": 8})
    for index in range(3):
        fake.publish(fake.task(store), "ar", index)
    before = contents(store)
    row_path(store, "ar", 1).write_bytes(b"")
    record_loss(store, "ar", 4, "the disk was busy")
    outcome = engine_repair(store, set_aside(store, verify(store)), workers=1, source=source)
    assert outcome.complete
    assert {receipt.index for receipt in outcome.receipts} == {1, 4}
    after = {n: b for n, b in contents(store).items() if "quarantine" not in n}
    assert after.pop("rows/ar/000004.npz")
    assert after == before


def test_repair_restores_a_manifest(tmp_path):
    store, source = tmp_path / "store", fake.source(fake.plain_row, ONE)
    fake.sealed_store(store, count=5)
    before = contents(store)
    (store / "manifest.json").write_bytes(before["manifest.json"] + b"x")
    with pytest.raises(StoreError, match="glassdata repair"):
        build(store, limit=2, workers=1, source=source)
    assert engine_repair(store, set_aside(store, verify(store)), source=source).complete
    assert contents(store) == before


def test_repair_does_not_seal_nothing(tmp_path):
    """Without plan and manifest nobody knows how many rows there were."""
    fake.sealed_store(tmp_path / "store")
    for name in ("plan.json", "manifest.json"):
        (tmp_path / "store" / name).unlink()
    before = contents(tmp_path / "store")
    with pytest.raises(StoreError, match="neither plan nor manifest"):
        engine_repair(tmp_path / "store", workers=1, source=fake.source(systems=ONE))
    assert contents(tmp_path / "store") == before


def test_finished_store_starts_no_cluster(reference, monkeypatch):
    monkeypatch.setattr("glassdata.engine.clusters.LocalCluster", None)
    before = contents(reference)
    outcome = build(reference, source=fake.source(fake.plain_row))
    assert outcome.complete
    assert not outcome.receipts
    assert contents(reference) == before


def test_circumstances_are_kept_beside_the_row(reference):
    text = provenance_path(reference, "ar", 0).read_text()
    assert all(word in text for word in ("host", "seconds", "blas", "numpy"))


def test_foreign_row_is_not_sealed(tmp_path):
    """A row of another configuration, copied in by hand, stops at the seal."""
    store, source = tmp_path / "store", fake.source(fake.plain_row, ONE)
    fake.sealed_store(store, count=1)
    row = read_row(store, "ar", 0)
    publish_row(store, "ar", 1, row)
    with pytest.raises(StoreError, match="another configuration"):
        build(store, limit=2, workers=1, source=source)


def test_a_report_needs_bokeh(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "bokeh", None)
    with pytest.raises(ImportError, match="needs bokeh"):
        build(tmp_path / "store", report=tmp_path / "report.html", source=fake.source())
    assert not (tmp_path / "store").exists()


def test_a_report_is_written(tmp_path):
    report = tmp_path / "report.html"
    build(tmp_path / "store", limit=2, workers=1, report=report, source=fake.source(systems=ONE))
    assert "Duration" in report.read_text()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 1800), ("02:30", 150), ("01:00:00", 3600), ("1-12", 129600), ("2-00:30:10", 174610)],
)
def test_walltimes_as_slurm_writes_them(text, seconds):
    assert walltime_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "00:00:00", "1-", "1:2:3:4"])
def test_no_walltime(text):
    with pytest.raises(StoreError, match="walltime"):
        walltime_seconds(text)


def test_slurm_needs_its_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    with pytest.raises(StoreError, match=r"glassdata\[slurm\]"):
        build(tmp_path / "store", cluster="slurm", workers=1, source=fake.source())


def test_slurm_without_settings_says_which_are_missing(tmp_path):
    pytest.importorskip("dask_jobqueue")
    with dask.config.set({"jobqueue.slurm.cores": None}), pytest.raises(StoreError, match="cores"):
        build(tmp_path / "store", cluster="slurm", workers=1, source=fake.source())


@pytest.mark.parametrize("cores", ["two", 0.5, 0, -2, True])
def test_slurm_needs_whole_cores(cores):
    pytest.importorskip("dask_jobqueue")
    settings = {"jobqueue.slurm.cores": cores, "jobqueue.slurm.memory": "1GB"}
    with dask.config.set(settings), pytest.raises(StoreError, match=r"cores in jobqueue\.yaml"):
        slurm_job(None)


def test_in_a_notebook_too_a_scheduler_that_is_not_there_is_one_clear_line(tmp_path):
    """A notebook runs its cells within an event loop, which starts no other in its thread."""

    async def a_cell():
        build(tmp_path / "store", cluster="tcp://127.0.0.1:9", source=fake.source())

    with pytest.raises(StoreError, match="no Dask scheduler answers"):
        asyncio.run(a_cell())


@pytest.mark.parametrize("scheme", ["tls", "ucx"])
def test_an_address_that_needs_more_is_one_clear_line(tmp_path, scheme):
    address = f"{scheme}://127.0.0.1:8786"
    with pytest.raises(StoreError, match=f"no Dask scheduler answers at {address}"):
        build(tmp_path / "store", cluster=address, source=fake.source())


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"cluster": "slurm"}, "--workers"),
        ({"workers": (3, 2), "cluster": "slurm"}, "MIN:MAX"),
        ({"workers": (0, 2)}, "batch"),
        ({"workers": 1.5}, "workers must be whole numbers"),
        ({"workers": float("nan")}, "workers must be whole numbers"),
        ({"row_timeout": 0}, "row_timeout"),
        ({"row_timeout": float("inf")}, "row_timeout"),
        ({"row_timeout": float("nan")}, "row_timeout"),
        ({"shard": (1.0, 2)}, "shard"),
        ({"worker_timeout": 1}, "worker_timeout"),
        ({"worker_timeout": float("nan")}, "worker_timeout"),
        ({"wait": 0}, "wait"),
        ({"wait": float("nan")}, "wait"),
        ({"memory_limit": "much"}, "memory_limit"),
        ({"limit": 0}, "limit"),
        ({"limit": -3}, "limit"),
        ({"limit": 2.5}, "limit"),
        ({"limit": float("nan")}, "limit"),
        ({"workers": 0}, "workers"),
        ({"cluster": "slrum"}, "cluster"),
        ({"names": ["gold"]}, "unknown system 'gold'"),
        ({"profile": "huge"}, "profile 'huge'"),
    ],
)
def test_bad_arguments_write_nothing(tmp_path, arguments, match):
    with pytest.raises(ValueError, match=match):
        build(tmp_path / "store", source=fake.source(), **arguments)
    assert not (tmp_path / "store").exists()


def test_limit_never_exceeds_the_profile():
    assert goal_counts(fake.SYSTEMS, "demo", ["ar"], 100) == {"ar": 8}


def test_real_rows_through_dask_are_the_rows_computed_here_in_another_order(tmp_path):
    """Of one glass of each recipe; test_generate.py computes a row of every glass again."""
    names = ("amc", "cualzr", "ka2d", "lj3d", "si", "sic")
    recipes = {type(system.protocols["demo"]) for system in available().values()}
    assert {type(SYSTEMS[name].protocols["demo"]) for name in names} == recipes
    outcome = build(tmp_path / "store", names=names, profile="demo", limit=2, workers=2)
    assert outcome.complete
    assert {receipt.system for receipt in outcome.receipts} == set(names)
    for name in reversed(names):
        system = SYSTEMS[name]
        published = read_row(tmp_path / "store", name, 1)
        here = conform(
            compute_row(name, "demo", 1)
            | {"row_id": row_id(name, "demo", 1), "status": "ok", "error": ""},
            dimension_sizes(system),
        )
        for variable in here:
            assert published[variable].tobytes() == here[variable].tobytes(), (name, variable)
