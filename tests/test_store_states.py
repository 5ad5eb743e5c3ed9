"""Any story of a store (built, killed, spoilt, verified, repaired, extended) against a model.

The model is a shelf of stores that nothing ever happened to, one for each number of structures:
every file of the store under test is either the same as there, or damaged.
"""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import crash
import fake_glass as fake
import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from glassdata.engine import build, repair
from glassdata.store import StoreError, open_dataset, prepare, science_config, verify
from glassdata.store.settings import missing_rows, read_plan, sealed_counts
from glassdata.store.verifying import set_aside

ONE = {"ar": fake.SYSTEMS["ar"]}
SOURCE = fake.source(systems=ONE)
MOST = 4
COUNTS = st.integers(1, MOST)


def publish_missing(store: Path, goal: dict[str, int]) -> None:
    for name, index in missing_rows(store, goal):
        fake.publish(fake.task(store, fake.fake_row), name, index)


def build_here(store: Path, count: int) -> None:
    """``build`` in this process: with all rows there, it only seals."""
    publish_missing(store, prepare(store, science_config(ONE, "demo"), {"ar": count}))
    assert build(store, limit=count, source=SOURCE).complete


def build_and_die(count: int, store: Path, habits: Path, at: int, torn: bool) -> None:
    crash.interrupted(lambda folder: build_here(folder, count), store, habits, at, torn)


class StoreMachine(RuleBasedStateMachine):
    """The store under test, the shelf, and how often each row was computed."""

    shelf: dict[int, dict[str, bytes]]
    chaos = None

    @initialize(count=COUNTS)
    def begin(self, count: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="states-"))
        self.store, self.habits = self.folder / "store", self.folder / "habits"
        self.habits.mkdir()
        os.environ["GLASSDATA_FAKE"] = str(self.habits)
        self.build(count)

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    # --- what the model says ------------------------------------------------------------------

    def files(self) -> dict[str, bytes]:
        found = fake.contents(self.store)
        return {name: found[name] for name in found if not name.startswith("quarantine/")}

    def sealed(self, files: dict[str, bytes]) -> int:
        """Number of structures of the sealed dataset; 0 for none, or none that can be told."""
        manifest = files.get("manifest.json")
        return next((n for n in self.shelf if self.shelf[n]["manifest.json"] == manifest), 0)

    def damaged(self) -> set[str]:
        """Files that differ from the shelf."""
        files, largest = self.files(), self.shelf[MOST]
        sealed = self.sealed(files)
        expected = {n: d for n, d in largest.items() if n in files or n == "config.json"}
        expected = {n: d for n, d in expected.items() if not n.startswith("dataset.zarr/")}
        expected |= self.shelf[sealed] if sealed else {}
        for name, data in ((n, files.get(n)) for n in ("plan.json", "manifest.json")):
            if any(shelf[name] == data for shelf in self.shelf.values()):
                expected[name] = data
        unknown = files.keys() - expected.keys()
        if not sealed:  # without a manifest nobody can tell
            unknown = {name for name in unknown if not name.startswith("dataset.zarr/")}
        unfinished = {name for name in unknown if Path(name).parts[-1].startswith(".tmp~")}
        unfinished |= {name for name in unknown if name.startswith(".tmp~")}
        return {n for n, d in expected.items() if files.get(n) != d} | unknown - unfinished

    def headless(self) -> bool:
        """A dataset stands without its manifest: builds of less than planned are refused."""
        return (self.store / "dataset.zarr").exists() and "manifest.json" not in self.files()

    def good_rows(self) -> dict[str, int]:
        """Published, undamaged rows, with the number of their computations."""
        files, counts = self.files(), fake.counts(self.habits)
        indices = [i for i in range(MOST) if files.get(row(i)) == self.shelf[MOST][row(i)]]
        return {f"ar-{i}": counts.get(f"ar-{i}", 0) for i in indices}

    def keeps(self, rows: dict[str, int]) -> None:
        """No good row was lost, changed or computed again."""
        now = self.good_rows()
        assert {name: now.get(name) for name in rows} == rows

    # --- what happens to it -------------------------------------------------------------------

    @rule(count=COUNTS)
    def build(self, count: int) -> None:
        exists = self.store.exists()
        damage, rows = (self.damaged(), self.good_rows()) if exists else (set(), {})
        goal = max(count, sealed_counts(self.store).get("ar", 0) if exists else 0)
        headless = exists and self.headless()
        try:
            build_here(self.store, count)
        except StoreError:
            assert damage or headless, "a whole store was refused"
            assert not self.damaged() - damage
        else:
            assert self.damaged() <= damage
            if not damage:
                assert self.sealed(self.files()) == goal
                assert len(open_dataset(self.store)["ar/g"].load()) == goal
        self.keeps(rows)

    @rule(count=COUNTS, at=st.integers(1, 700), torn=st.booleans())
    def kill(self, count: int, at: int, torn: bool) -> None:
        """Death at some step of a build; beyond the last step it is an ordinary build."""
        damage, rows = self.damaged(), self.good_rows()
        headless = self.headless()
        code = crash.in_child(build_and_die, count, self.store, self.habits, at, torn)
        assert code in (0, -signal.SIGKILL) or damage or headless
        if code == -signal.SIGKILL:
            self.chaos.tally("process killed in a random story")
        self.keeps(rows)
        if not damage:
            assert all(name.startswith("dataset.zarr/") for name in self.damaged())
            assert self.whole_dataset()

    def whole_dataset(self) -> bool:
        """Whether readers see one dataset, old or new, and no mixture."""
        files = {n: d for n, d in self.files().items() if n.startswith("dataset.zarr/")}
        shelves = [
            {n: d for n, d in shelf.items() if n.startswith("dataset.zarr/")}
            for shelf in self.shelf.values()
        ]
        return not files or files in shelves

    @rule(data=st.data(), kind=st.sampled_from(["flip", "cut", "empty", "delete", "stray"]))
    def spoil(self, data, kind: str) -> None:
        names = [n for n in self.files() if ".tmp~" not in n]
        rows = [n for n in names if n.startswith("rows/")]
        name = data.draw(st.sampled_from(names) | st.sampled_from(rows or names))
        path = self.store / name
        whole = path.read_bytes()
        if kind == "flip" and whole:
            at = data.draw(st.integers(0, len(whole) - 1))
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        elif kind == "delete":
            path.unlink()
        elif kind == "stray":
            path.with_name("stray").write_bytes(b"stray")
        else:
            path.write_bytes(whole[: len(whole) // 2] if kind == "cut" else b"")

    @rule()
    def verify(self) -> None:
        """Without a manifest the dataset is reported as a whole, otherwise each file by name."""
        found, damage = {finding.name for finding in verify(self.store)}, self.damaged()
        if self.sealed(self.files()):
            assert found == damage
        else:
            assert {n for n in damage if not n.startswith("dataset.zarr")} <= found

    @precondition(lambda self: (self.store / "config.json").exists())
    @rule()
    def repair(self) -> None:
        rows = self.good_rows()
        try:
            set_aside(self.store, verify(self.store))
            publish_missing(self.store, sealed_counts(self.store) or read_plan(self.store))
            assert repair(self.store, source=SOURCE).complete
        except StoreError:
            lost = {"config.json"}, {"plan.json", "manifest.json"}
            assert any(names <= self.damaged() | self.absent() for names in lost)
            for name in ("config.json", "plan.json"):
                (self.store / name).unlink(missing_ok=True)
            build_here(self.store, 1)
        assert verify(self.store) == []
        assert self.damaged() == set()
        self.keeps(rows)

    def absent(self) -> set[str]:
        return {n for n in ("plan.json", "manifest.json") if not (self.store / n).exists()}


def row(index: int) -> str:
    return f"rows/ar/{index:06d}.npz"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shelf")
    numbers = range(1, MOST + 1)
    return {n: fake.contents(fake.sealed_store(folder / str(n), count=n)) for n in numbers}


def test_no_story_ends_badly(chaos, shelf, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    monkeypatch.setenv("GLASSDATA_FAKE", "")

    class Machine(StoreMachine):
        pass

    Machine.shelf, Machine.chaos = shelf, chaos
    many = settings(
        max_examples=40 if chaos.full else 4,
        stateful_step_count=12 if chaos.full else 8,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(chaos.seed)(Machine), settings=many)
