"""Who is to blame for a row that failed: the law of the driver, without any worker."""

import itertools
from types import SimpleNamespace

import pytest

from glassdata.engine.crew import (
    FAULTS,
    LOST_IN_SUCCESSION,
    RETRIES,
    Crew,
    Fault,
    Loss,
    Report,
    RunEnded,
)
from glassdata.engine.execution import Execution
from glassdata.fitness import Standard
from glassdata.worker import Receipt

A, B, C = "tcp://a:1", "tcp://b:1", "tcp://c:1"


def crew_of(*workers: str, **how) -> tuple[Crew, list[str]]:
    said: list[str] = []
    crew = Crew(SimpleNamespace(), Standard(), Execution(say=said.append, **how))
    crew.see(workers)
    return crew, said


def fails(crew: Crew, worker: str, index: int, reason: str = "OSError: busy", **how):
    return crew.fault(worker, "here", Fault("ar", index, reason, **how))


def succeeds(crew: Crew, worker: str, index: int) -> None:
    receipt = Receipt("ar", index, "new")
    assert list(crew.hear(Report(worker, "here", (receipt,)))) == [receipt]


def test_rows_go_anywhere_as_long_as_nothing_has_happened():
    crew, _ = crew_of(A, B)
    assert crew.places([("ar", 0)]) is None


def test_a_row_is_tried_elsewhere_and_lost_when_all_tries_failed():
    crew, _ = crew_of(A, B)
    assert fails(crew, A, 3) == ("ar", 3)
    assert crew.places([("ar", 3)]) == [B]
    assert crew.places([("ar", 4)]) is None
    assert fails(crew, B, 3) == ("ar", 3)
    assert crew.places([("ar", 3)]) == [A, B], "there is nobody who has not tried it"
    assert RETRIES == 2
    assert fails(crew, A, 3) == Loss("ar", 3, "OSError: busy")


def test_a_row_that_took_too_long_is_not_tried_again():
    crew, _ = crew_of(A, B)
    assert isinstance(fails(crew, A, 3, final=True), Loss)
    assert crew.places([("ar", 3)]) is None


def test_a_worker_on_which_rows_fail_that_succeed_elsewhere_is_put_aside():
    crew, said = crew_of(A, B)
    for index in range(FAULTS):
        assert A not in crew.aside
        fails(crew, A, index, "ImportError: no module")
        succeeds(crew, B, index)
    assert list(crew.aside) == [A]
    assert len(said) == 1
    assert "worker tcp://a:1 on here is left out: 3 rows failed there" in said[0]
    assert crew.places([("ar", 9)]) == [B]


def test_a_row_at_which_two_workers_fail_alike_is_to_blame_itself():
    """However many such rows there are; numbers and paths may differ between the messages."""
    crew, said = crew_of(A, B)
    for index in range(4 * FAULTS):
        fails(crew, A, index, f"TypeError: no {index} in '/tmp/{index}'")
        fails(crew, B, index, f"TypeError: no {index + 1} in '/tmp/x'")
    assert crew.aside == {}
    assert said == []


def test_what_passes_by_itself_says_nothing_against_a_worker():
    crew, _ = crew_of(A)
    for index in range(4 * FAULTS):
        assert crew.places([("ar", index)]) is None
        fails(crew, A, index)
        succeeds(crew, A, index)
    assert crew.aside == {}


def test_faults_of_long_ago_are_forgotten():
    """One fault among each twenty rows is a disk that is busy now and then, not a broken worker."""
    crew, _ = crew_of(A, B)
    for index in range(200):
        if index % 20 == 0:
            fails(crew, A, index)
            succeeds(crew, B, index)
        else:
            succeeds(crew, A, index)
    assert crew.aside == {}


def test_the_run_ends_when_nobody_is_left():
    crew, _ = crew_of(A)
    for index in range(FAULTS):
        fails(crew, A, index, "OSError: [Errno 5] Input/output error")
    with pytest.raises(RunEnded, match=r"no worker is left .* Input/output error"):
        crew.idle()


def test_workers_that_may_come_are_waited_for(monkeypatch):
    """B died and may come back; the run ends when it does not within ``wait``."""
    now = itertools.count(0.0, 40.0)
    monkeypatch.setattr("glassdata.engine.crew.monotonic", lambda: next(now))
    crew, _ = crew_of(A, B, wait=100.0)
    for index in range(FAULTS):
        fails(crew, A, index)
    crew.see([A])
    assert crew.idle()
    crew.see([A, C])
    assert not crew.idle()
    crew.see([A])
    assert crew.idle()
    crew.idle()
    with pytest.raises(RunEnded, match="no worker is left"):
        crew.idle()


def test_a_refusal_is_said_once_and_can_end_the_run():
    refusal = Report(A, "node1", refusal=("it has ase 3.22, this build 3.29",))
    crew, said = crew_of(A, B)
    for _ in range(3):
        assert list(crew.hear(refusal)) == []
    assert said == ["worker tcp://a:1 on node1 is left out: it has ase 3.22, this build 3.29"]
    crew, _ = crew_of(A, B, unfit_workers="stop")
    with pytest.raises(RunEnded, match=r"tcp://a:1 on node1 must not compute rows: it has ase"):
        list(crew.hear(refusal))


def test_a_run_in_which_nothing_succeeds_any_more_ends():
    crew, _ = crew_of(A, B)
    for index in range(LOST_IN_SUCCESSION):
        crew.check_successes()
        for worker in (A, B, A):
            fails(crew, worker, index, "OSError: [Errno 28] No space left on device")
    with pytest.raises(RunEnded, match=r"10 rows in succession were lost.*No space left"):
        crew.check_successes()
    succeeds(crew, A, 99)
    crew.check_successes()


def test_what_becomes_of_unfit_workers_is_one_of_two():
    with pytest.raises(ValueError, match="unfit_workers must be leave-out or stop"):
        Execution(unfit_workers="shoot")
