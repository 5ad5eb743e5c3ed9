"""No silent wait: workers, schedulers and starts that stand still, for real.

When a word is due is judged in ``test_overdue.py``; here all limits are as short as they go.
"""

import multiprocessing
import os
import signal
import threading
from contextlib import contextmanager

import click
import dask
import fake_glass as fake
import processes
import pytest

from glassdata.cli import commands, run
from glassdata.engine import build, overdue, stopped, streaming
from glassdata.store import StoreError

ONE = {"ar": fake.SYSTEMS["ar"]}


@pytest.fixture
def habits(tmp_path, monkeypatch):
    folder = tmp_path / "habits"
    folder.mkdir()
    monkeypatch.setenv("GLASSDATA_FAKE", str(folder))
    return folder


@pytest.fixture
def quick(monkeypatch):
    """Looks and graces of a fraction of a second."""
    monkeypatch.setattr(overdue, "LOOK", 0.2)
    monkeypatch.setattr(overdue, "GRACE", 0.2)
    monkeypatch.setattr(stopped, "PAUSE", 0.1)


@contextmanager
def scheduler():
    """A scheduler of somebody else, and its port."""
    port = processes.free_port()
    with processes.scheduler(port, "--preload", "fake_glass") as process:
        processes.wait_until(lambda: processes.listens(port), "the scheduler starts")
        yield process, port


@contextmanager
def with_worker(habits, *options):
    """The same, with one worker that is there, and has loaded what else would keep it silent."""
    with (
        scheduler() as (process, port),
        processes.workers(port, habits, 1, "--preload", "fake_glass", *options) as group,
    ):
        processes.wait_until(lambda: "Registered to" in group.said(), "the worker comes")
        yield process, port


def built(tmp_path, port=None, **how):
    """Outcome of a build of the first rows, and what was said."""
    said: list[str] = []
    where = {"cluster": f"tcp://127.0.0.1:{port}"} if port else {"workers": 1}
    how = {"limit": 3} | where | how
    outcome = build(tmp_path / "store", source=fake.source(systems=ONE), say=said.append, **how)
    return outcome, said


def test_a_stopped_worker_is_replaced(tmp_path, habits, quick):
    (habits / "stop-1").touch()
    outcome, said = built(tmp_path)
    assert outcome.complete
    assert fake.counts(habits) == {"ar-0": 1, "ar-1": 2, "ar-2": 1}
    assert sum("was stopped" in text and "is started again" in text for text in said) == 1


def test_a_worker_of_somebody_else_that_falls_silent_is_replaced(tmp_path, habits, quick):
    """Its nanny does it when it is asked (distributed issue 8537); the row is computed again."""
    (habits / "stop-1").touch()
    with with_worker(habits) as (_, port):
        outcome, said = built(tmp_path, port, worker_timeout=5.0)
    assert outcome.complete
    assert fake.counts(habits) == {"ar-0": 1, "ar-1": 2, "ar-2": 1}
    assert any("has been silent for" in text for text in said), said
    assert any("was silent for" in text and "is given up" in text for text in said), said


def test_a_row_is_given_up_though_its_worker_cannot_speak(tmp_path, habits, quick):
    """And once the only worker is gone, the row that waited there has an end, too.

    A row before it would leave open which of the two is computed: a worker may be stopped before
    its scheduler hears that the first is done.
    """
    (habits / "stop-0").touch()
    with with_worker(habits, "--no-nanny") as (_, port):
        outcome, said = built(tmp_path, port, limit=2, row_timeout=3.0, wait=1.0)
    assert set(outcome.lost) == {("ar", 0), ("ar", 1)}
    reasons = {problem.index: problem.reason for problem in outcome.problems}
    assert "took longer than the 3 s that a row may take; its worker could not" in reasons[0]
    assert "there has been no worker" in reasons[1]
    assert said[-1].endswith("--wait is 1 s: the run ends")


def test_a_scheduler_without_workers_is_waited_for_no_longer_than_allowed(tmp_path, habits):
    with (
        scheduler() as (_, port),
        pytest.raises(StoreError, match=r"no worker came to tcp://.* within 1 s \(--wait\)"),
    ):
        built(tmp_path, port, wait=1.0)
    assert fake.counts(habits) == {}


def test_workers_that_retire_and_do_not_come_back(tmp_path, habits, quick, chaos):
    """A lifetime that is over without a successor (distributed issue 4752)."""
    if not chaos.full:
        pytest.skip("long: make chaos runs it")
    (habits / "slow").write_text("60")
    life = ("--lifetime", "8 s", "--no-nanny")
    with with_worker(habits, *life) as (_, port):
        outcome, said = built(tmp_path, port, wait=1.0)
    assert len(outcome.lost) == 3
    assert any("left; workers that are there: 0" in text for text in said)
    assert said[-1].endswith("--wait is 1 s: the run ends")


def test_a_row_that_outlives_its_workers_has_an_end(tmp_path, habits, quick, chaos):
    """Workers do not wait for it when their time is over (distributed issue 3141).

    Whether the clock of a worker is first, or that of the driver, which adds up what its workers
    spent on the row, depends on how long they take to end.
    """
    if not chaos.full:
        pytest.skip("long: make chaos runs it")
    (habits / "slow").write_text("60")
    life = ("--lifetime", "3 s", "--lifetime-restart")
    with with_worker(habits, *life) as (_, port):
        outcome, _ = built(tmp_path, port, limit=1, row_timeout=5.0)
    (problem,) = outcome.problems
    assert "took longer than the 5 s that a row may take" in problem.reason


def test_a_scheduler_that_stands_still_ends_the_run(tmp_path, habits, quick, monkeypatch):
    monkeypatch.setattr(streaming, "_ANSWER", 1.0)
    (habits / "slow").write_text("2.5")
    store = tmp_path / "store"

    def stop_it() -> None:
        processes.wait_until(lambda: list(store.glob("rows/ar/*.npz")), "a row is published")
        os.kill(process.pid, signal.SIGSTOP)

    with with_worker(habits) as (process, port):
        stopping = threading.Thread(target=stop_it)
        stopping.start()
        outcome, said = built(tmp_path, port, wait=2.0)
        stopping.join()
    assert len(outcome.lost) in (1, 2), "the worker may finish what it had begun, no more"
    assert "the scheduler has not answered" in said[-1]


@pytest.mark.parametrize(
    ("preload", "wait", "words"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", 1.0, "did not start within"),
        # Says so by itself, long before the limit.
        ("raise OSError('a broken installation')", processes.PATIENCE, "do not start"),
    ],
)
def test_workers_that_do_not_start_are_one_line(tmp_path, habits, preload, wait, words):
    file = tmp_path / "preload.py"
    file.write_text(preload)
    before = set(multiprocessing.active_children())
    with (
        dask.config.set({"distributed.worker.preload": [str(file)]}),
        pytest.raises(StoreError, match=f"the workers {words}") as caught,
    ):
        built(tmp_path, wait=wait)
    assert "\n" not in str(caught.value)
    assert set(multiprocessing.active_children()) == before
    assert fake.counts(habits) == {}


def test_the_end_of_a_file_is_no_interruption(monkeypatch, capsys):
    @click.command()
    def broken():
        raise EOFError("Ran out of input")

    monkeypatch.setitem(commands.commands, "broken", broken)
    assert run(["broken"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("glassdata: error: unexpected end: Ran out of input")
    assert "interrupted" not in error
