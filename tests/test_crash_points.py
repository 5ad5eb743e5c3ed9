"""A process that dies at any step of writing loses at most what it had in its hands."""

import json
import shutil
import signal
from pathlib import Path

import crash
import fake_glass as fake
import pytest
from fake_glass import contents

from glassdata.engine import build
from glassdata.store import StoreError, open_dataset, prepare, science_config, verify
from glassdata.store.rows import present, read_row
from glassdata.store.settings import missing_rows

ONE = {"ar": fake.SYSTEMS["ar"]}


def build_here(store: Path, count: int = 2) -> None:
    """What ``build`` does, in one process: rows first, then the command, which seals them."""
    goal = prepare(store, science_config(ONE, "demo"), {"ar": count})
    for name, index in missing_rows(store, goal):
        fake.publish(fake.task(store, fake.fake_row), name, index)
    assert build(store, limit=count, source=fake.source(systems=ONE)).complete


def extend_here(store: Path) -> None:
    build_here(store, 3)


class Story:
    """A piece of work: the store it starts from, its steps, and the bytes it ends with."""

    def __init__(self, work, start: Path | None, folder: Path) -> None:
        self.work, self.start, self.folder = work, start, folder
        folder.mkdir()
        log = folder / "steps.json"
        self.end = self.begin(folder / "whole")
        assert crash.in_child(crash.interrupted, work, self.end, folder, 0, False, log) == 0
        self.steps = json.loads(log.read_text())
        self.bytes = contents(self.end)

    def begin(self, store: Path) -> Path:
        if self.start:
            shutil.copytree(self.start, store)
        return store

    def deaths(self, chaos, purpose: str) -> list[tuple[int, bool]]:
        """Where to die, and whether what was not yet durable is torn.

        Inside the folder of an unfinished dataset, which nobody reads, one step is like another:
        there a sample is enough.
        """
        rng = chaos.rng(purpose)
        numbered = list(enumerate(self.steps, start=1))
        inner = [n for n, step in numbered if "dataset.zarr/" in step]
        outer = [n for n, step in numbered if "dataset.zarr/" not in step]
        if not chaos.full:
            outer = rng.sample(outer, 6)
        places = sorted([*outer, *rng.sample(inner, 20 if chaos.full else 2)])
        torn = [n for n in places if self.steps[n - 1].startswith("fsync")]
        return [(n, False) for n in places] + [(n, True) for n in torn]


@pytest.fixture(scope="module")
def stories(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crash")
    fresh = Story(build_here, None, folder / "fresh")
    return {"fresh": fresh, "extension": Story(extend_here, fresh.end, folder / "extension")}


def test_every_step_of_publication_is_among_the_places_to_die(stories):
    """Otherwise the next test would hold for a store that writes in ways unseen."""
    steps = [" ".join(step.split("~")[0::4]) for step in stories["fresh"].steps]
    for step in ("open /rows/ar/.tmp 000000.npz", "fsync /rows/ar/.tmp 000000.npz"):
        assert step in steps
    for step in ("os.link /rows/ar/000001.npz", "fsync /rows/ar", "os.rename /dataset.zarr"):
        assert step in steps
    assert "os.rename /manifest.json" in steps
    assert any(step.startswith("exchange") for step in stories["extension"].steps)


@pytest.mark.parametrize("name", ["fresh", "extension"])
def test_death_at_any_step_is_survived(name, stories, chaos, tmp_path, monkeypatch):
    story = stories[name]
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    for at, torn in story.deaths(chaos, name):
        store, habits = tmp_path / f"{at}-{torn}", tmp_path / f"habits-{at}-{torn}"
        habits.mkdir()
        monkeypatch.setenv("GLASSDATA_FAKE", str(habits))
        where = f"step {at} of {len(story.steps)}: {story.steps[at - 1]}, torn: {torn}"
        story.begin(store)
        code = crash.in_child(crash.interrupted, story.work, store, habits, at, torn)
        assert code == -signal.SIGKILL, where
        published = whole_rows(store)
        assert readable(store) in ((0, 2) if name == "fresh" else (2, 3)), where
        before = fake.counts(habits)
        story.work(store)
        assert contents(store) == story.bytes, where
        assert verify(store) == [], where
        assert (store / "provenance/seal.json").exists(), where
        after = fake.counts(habits)
        assert all(after.get(row, 0) == before.get(row, 0) for row in published), where
        needed = 2 if name == "fresh" else 1
        chaos.tally("process killed at a step of writing", repeated=sum(after.values()) - needed)
        shutil.rmtree(store)


def whole_rows(store: Path) -> set[str]:
    """Published rows; each must be readable."""
    rows = present(store, "ar")
    for index in rows:
        read_row(store, "ar", index)
    return {f"ar-{index}" for index in rows}


def readable(store: Path) -> int:
    """Number of structures that a reader sees at this instant; 0 where nothing is sealed."""
    try:
        with open_dataset(store) as tree:
            return len(tree["ar/g"].load())
    except (StoreError, FileNotFoundError):
        return 0
