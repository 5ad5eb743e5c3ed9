"""Workers, drivers and schedulers killed at random moments: the same command ends the same way.

The moments fall while rows are computed, counted from the first of them: most of such a short build
is the start of its processes, of which a kill proves little.
"""

import json
import random
import shutil
import time
from pathlib import Path

import crash
import fake_glass as fake
import processes
import psutil
import pytest
from fake_glass import contents

from glassdata.store import verify
from glassdata.store.rows import row_path

ROWS = 16
SLOW = 0.5  # s a row: beside it, the time between two rows of a worker is short
SPAN = 7 * SLOW  # of the eight rows' time that two workers need at least


class Whole:
    """The bytes of a store that nothing happened to."""

    def __init__(self, folder: Path) -> None:
        self.bytes = contents(fake.sealed_store(folder / "store", tuple(fake.SYSTEMS), ROWS // 2))


class Site:
    """A store to be built, and the folder that counts how often its rows were computed."""

    def __init__(self, folder: Path, slow: float = 0.0) -> None:
        self.folder, self.store, self.habits = folder, folder / "store", folder / "habits"
        self.habits.mkdir(parents=True)
        if slow:
            (self.habits / "slow").write_text(str(slow))
        self.seen: list[tuple[list[str], dict[str, int]]] = []

    def build(self, *options: object) -> processes.Group:
        return processes.build(self.store, self.habits, *(options or ("--workers", 2)))

    def busy(self, group: processes.Group) -> list[psutil.Process]:
        """The workers of a group that compute a row now."""
        workers = group.worker_processes()
        return [worker for worker in workers if (self.habits / f"busy-{worker.pid}").exists()]

    def wait_for_rows(self, group: processes.Group, least: int = 1) -> None:
        """Until that many rows are computed at once, or the group has ended."""
        processes.wait_until(
            lambda: group.poll() is not None or len(self.busy(group)) >= least, "rows are computed"
        )

    def remember(self) -> None:
        """Note the rows that are published now; none of them may be computed again."""
        rows = [f"{p.parent.name}-{int(p.stem)}" for p in self.store.glob("rows/*/[0-9]*.npz")]
        self.seen.append((rows, fake.counts(self.habits)))

    def check(self, whole: Whole) -> int:
        """The same bytes as without kills; returns the number of repeated computations."""
        assert contents(self.store) == whole.bytes
        assert verify(self.store) == []
        final = fake.counts(self.habits)
        for rows, counts in self.seen:
            assert [r for r in rows if final[r] != counts[r]] == [], "published rows were redone"
        shutil.rmtree(self.folder)
        return sum(final.values()) - ROWS


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return Whole(tmp_path_factory.mktemp("whole"))


def succeeded(site: Site, process: processes.Group, whole: Whole) -> bool:
    """Whether a build says so; it must be right in saying so."""
    status = process.finish()
    if status == 0:
        assert contents(site.store) == whole.bytes, "an incomplete store passed for success"
    return status == 0


def kill_leader(
    rng: random.Random, site: Site, leader: processes.Group, workers: processes.Group
) -> bool | None:
    """Kill a driver or scheduler while its workers compute; whether a row was in flight then.

    None if it ended by itself before.
    """
    site.wait_for_rows(workers)
    time.sleep(rng.uniform(0, SPAN))
    met = bool(site.busy(workers))
    return met if processes.kill_after(leader, 0) else None


def check_met(met: int, kills: int) -> None:
    """The kills did not miss the rows.

    Two of three are expected to meet one, for a worker may just be starting again. That of 20 fewer
    than a quarter do is then an accident of one in a hundred thousand.
    """
    assert met >= kills // 4, f"only {met} of {kills} kills met a row in flight"


def test_workers_killed_at_random_moments(chaos, whole, tmp_path):
    rng, wanted, met = chaos.rng("workers"), 20 if chaos.full else 1, 0
    while (done := chaos.tally.tried["worker killed"]) < wanted:
        site = Site(tmp_path / f"worker-{done}", SLOW)
        with site.build() as process:
            for _ in range(min(4, wanted - done)):
                # Sometimes while the victim of the last kill is starting again.
                site.wait_for_rows(process, least=rng.choice((1, 2)))
                time.sleep(rng.uniform(0, 2 * SLOW))
                victims = process.worker_processes()
                if victims and process.poll() is None:
                    site.remember()
                    victim = rng.choice(victims)
                    met += victim in site.busy(process)
                    victim.kill()
                    chaos.tally("worker killed")
            complete = succeeded(site, process, whole)
        if not complete:
            # A worker that dies while the cluster starts, or the same row too often.
            with site.build() as process:
                assert process.finish() == 0
        chaos.tally.repeated["worker killed"] += site.check(whole)
    check_met(met, wanted)


def test_driver_killed_at_random_moments(chaos, whole, tmp_path):
    if not chaos.full:
        pytest.skip("make chaos runs it; test_engine.py holds one such kill")
    rng, wanted, met = chaos.rng("driver"), 10, 0
    while (done := chaos.tally.tried["driver killed"]) < wanted:
        site = Site(tmp_path / f"driver-{done}", SLOW)
        with site.build() as process:
            if (hit := kill_leader(rng, site, process, process)) is None:
                shutil.rmtree(site.folder)
                continue
            met += hit
            if rng.random() < 0.5:
                # Otherwise its orphaned workers are still at it when the command runs again.
                processes.wait_until(lambda p=process: not p.members(), "its workers end")
            site.remember()
            with site.build() as again:
                assert again.finish() == 0
        chaos.tally("driver killed", repeated=site.check(whole))
    check_met(met, wanted)


def test_scheduler_killed_at_random_moments(chaos, whole, tmp_path):
    """The driver must notice by itself, and must not take the end of its futures for success."""
    if not chaos.full:
        pytest.skip("make chaos runs it; test_engine.py holds one such kill")
    rng, wanted, met = chaos.rng("scheduler"), 5, 0
    while (done := chaos.tally.tried["scheduler killed"]) < wanted:
        site, port = Site(tmp_path / f"scheduler-{done}", SLOW), processes.free_port()
        command = ("--cluster", f"tcp://127.0.0.1:{port}")
        with processes.scheduler(port) as scheduler, processes.workers(port, site.habits) as group:
            processes.wait_until(lambda p=port: processes.listens(p), "the scheduler starts")
            with site.build(*command) as process:
                hit = kill_leader(rng, site, scheduler, group)
                assert hit is not None, "the scheduler ended by itself"
                met += hit
                assert not succeeded(site, process, whole)
        assert not (site.store / "manifest.json").exists()
        site.remember()
        with processes.scheduler(port), processes.workers(port, site.habits):
            processes.wait_until(lambda p=port: processes.listens(p), "the scheduler starts again")
            with site.build(*command) as process:
                assert process.finish() == 0
        chaos.tally("scheduler killed", repeated=site.check(whole))
    check_met(met, wanted)


def test_one_of_two_drivers_killed(chaos, whole, tmp_path):
    """Two builds of one store at once: the survivor completes it."""
    if not chaos.full:
        pytest.skip("long: make chaos runs it")
    rng, wanted, met = chaos.rng("two drivers"), 3, 0
    while (done := chaos.tally.tried["one of two drivers killed"]) < wanted:
        site = Site(tmp_path / f"two-{done}", SLOW)
        with site.build("--workers", 1) as one, site.build("--workers", 1) as other:
            if (hit := kill_leader(rng, site, one, one)) is None:
                # The other began much earlier and left it little to do.
                shutil.rmtree(site.folder)
                continue
            met += hit
            site.remember()
            assert other.finish() == 0
        chaos.tally("one of two drivers killed", repeated=site.check(whole))
    check_met(met, wanted)


@pytest.mark.parametrize("number", [2, 4])
def test_number_and_order_of_workers_leave_no_trace(chaos, whole, tmp_path, number):
    """Glasses and lengths in random order, until all is there."""
    if not chaos.full:
        pytest.skip("long: make chaos runs it")
    rng, site = chaos.rng("order"), Site(tmp_path / "site")
    steps = [("--system", name, "--limit", rng.randint(1, 7)) for name in ("sic", "ar")]
    rng.shuffle(steps)
    for options in (*steps, ()):
        with site.build("--workers", number, *options) as process:
            assert process.finish() == 0, process.said()
        site.remember()
    assert site.check(whole) == 0


def publish_second(store: Path) -> None:
    fake.publish(fake.task(store, fake.fake_row), "ar", 1)


def test_worker_killed_at_each_step_of_publication(chaos, whole, tmp_path):
    """Exact counts: a row is computed twice if its worker died before the link, else once."""
    site = Site(tmp_path / "site")
    fake.sealed_store(tmp_path / "trace", ("ar",), 1)
    log = tmp_path / "steps.json"
    arguments = (publish_second, tmp_path / "trace", site.habits, 0, False, log)
    assert crash.in_child(crash.interrupted, *arguments) == 0
    steps = json.loads(log.read_text())
    link = 1 + next(n for n, step in enumerate(steps) if step.startswith("os.link"))
    (site.habits / "computed-ar-1").unlink()
    fake.publish(fake.task(site.store), "ar", 0)  # makes the folders
    places = range(1, len(steps) + 1) if chaos.full else (link, link + 1)
    row_of = dict(zip(places, range(1, 99), strict=False))
    for at, index in row_of.items():
        (site.habits / f"die-{index}").write_text(f"{at} {site.store}")
    with site.build("--system", "ar", "--limit", 1 + len(row_of)) as process:
        assert process.finish() == 0
    expected = {f"ar-{index}": 2 if at <= link else 1 for at, index in row_of.items()}
    assert fake.counts(site.habits) == expected
    for at in row_of:
        chaos.tally("worker killed at a step of publication", repeated=at <= link)
    assert {n: whole.bytes[n] for n in row_names(len(row_of))} == {
        n: contents(site.store)[n] for n in row_names(len(row_of))
    }


def row_names(last: int) -> list[str]:
    return [row_path(Path(), "ar", index).as_posix() for index in range(last + 1)]
