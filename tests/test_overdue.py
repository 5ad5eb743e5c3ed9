"""What keeps a run waiting is told within half a minute, and has an end: judged without Dask."""

import math

import pytest

from glassdata.engine.execution import Execution
from glassdata.engine.overdue import GRACE, LOOK, Overdue, Seen

#: One row, as the stream knows it, and where it is computed.
KEY, HERE, THERE = ("ar-1", 3, 1), "tls://here:1", "tls://there:1"
RUNNING = {KEY: [("ar", 3)]}
#: The promise: a word before so many seconds have passed.
PROMISE = 30.0


class Run:
    """A run in which nothing happens but what a test lets happen; time passes look by look."""

    def __init__(self, **limits) -> None:
        self.said: list[tuple[float, str]] = []
        self.now, self.running = 0.0, dict(RUNNING)
        execution = Execution(say=lambda text: self.said.append((self.now, text)), **limits)
        self.judge = Overdue(execution, ": look there")

    def look(self, seen: dict, seconds: float = LOOK):
        """Look again and again for so many seconds; what had to be done, with the time."""
        orders, end = [], self.now + seconds
        while self.now < end:
            self.now += LOOK
            found = self.judge.look(self.now, seen(self.now), self.running)
            if found.taken or found.restart or found.end:
                orders.append((self.now, found))
        return orders

    def first_word(self) -> tuple[float, str]:
        return self.said[0]


def alive(keys=(KEY,), address=HERE, threads=1):
    """A worker that gives a sign of life all the time."""
    return lambda now: {address: Seen("0", now, threads, tuple(keys))}


def silent(now):
    return {HERE: Seen("0", 0.0, 1, (KEY,))}


def nobody(now):
    return {}


def test_a_run_in_which_all_is_well_is_silent():
    run = Run()
    for number in range(100):
        key = ("ar-1", number, 1)
        run.running = {key: [("ar", number)]}
        run.look(alive([key]))
        run.judge.finished("ar", LOOK)
        run.judge.done(key)
    assert run.said == []


def test_a_silent_worker_is_told_of_and_given_up():
    """Its heartbeats have ended, by a stopped process, a lost network or a frozen machine."""
    run = Run(worker_timeout=60.0, row_timeout=None)
    orders = run.look(silent, 80.0)
    when, text = run.first_word()
    assert when <= PROMISE
    assert text == (
        "worker 0 at tls://here:1 with row ar 3 has been silent for 20 s; it is given up after 60 s"
    )
    (moment, order), *more = orders
    assert (order.restart, order.taken, more) == ([HERE], {}, [])
    assert 60.0 <= moment <= 60.0 + 2 * LOOK
    assert len(run.said) == 2, "one line when it falls silent and one when it is given up"


def test_a_worker_that_speaks_again_is_left_alone():
    run = Run(worker_timeout=60.0, row_timeout=None)
    for _ in range(5):
        assert run.look(silent, 40.0) == []
        run.look(alive(), LOOK)
        run.look(lambda now, spoke=run.now: {HERE: Seen("0", spoke, 1, (KEY,))}, LOOK)
    assert not any("given up" in text and "is given up after" not in text for _, text in run.said)


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (nobody, "there has been no worker to compute rows"),
        (alive([]), "no worker has taken a row"),
    ],
)
def test_a_run_without_workers_ends(seen, words):
    run = Run(wait=120.0)
    orders = run.look(seen, 130.0)
    when, text = run.first_word()
    assert when <= PROMISE
    assert text == f"for 20 s {words}; the run ends after 2 min: look there"
    moment, order = orders[0]
    assert 120.0 <= moment <= 120.0 + 2 * LOOK
    assert words in order.end
    assert run.said[1][1].endswith("the run ends")


def test_waiting_for_ever_repeats_the_word_and_does_not_end():
    run = Run(wait=math.inf)
    assert run.look(nobody, 1000.0) == []
    assert len(run.said) == 4, "every five minutes, beginning in the first half"


def test_a_scheduler_that_does_not_answer_ends_the_run():
    run, orders = Run(wait=60.0), None
    while orders is None or orders.end is None:
        run.now += LOOK
        orders = run.judge.no_answer(run.now)
        assert run.now <= 60.0 + 2 * LOOK
    assert run.first_word()[0] <= PROMISE
    assert "the scheduler has not answered" in orders.end


def test_a_row_that_takes_much_longer_than_others_is_told_once():
    run = Run()
    run.judge.finished("ar", 0.5)
    run.look(alive(), 100.0)
    ((when, text),) = run.said
    assert 25.0 < when <= 25.0 + PROMISE, "fifty times half a second"
    assert text.startswith(
        "row ar 3 has taken 30 s on worker 0 at tls://here:1, others of its kind"
    )


def test_the_first_row_of_a_kind_is_told_of_after_a_tenth_of_its_limit():
    run = Run(row_timeout=600.0)
    run.judge.finished("sic", 0.1)
    run.look(alive(), 100.0)
    ((when, _),) = run.said
    assert 60.0 < when <= 60.0 + PROMISE


def test_a_row_is_taken_back_when_its_worker_cannot_say_that_its_time_is_over():
    run = Run(row_timeout=30.0)
    ((moment, order),) = [o for o in run.look(alive(), 60.0) if o[1].taken][:1]
    assert 1.1 * 30.0 + 1.0 + GRACE < moment < 1.1 * 30.0 + 1.0 + GRACE + 2 * LOOK
    assert "took longer than the 30 s" in order.taken[KEY]
    assert order.restart == [HERE]


def test_a_row_whose_workers_leave_again_and_again_is_given_up():
    """Workers with a lifetime shorter than the row (distributed issue 3141): it never ends."""
    run, places = Run(row_timeout=60.0), 0
    while not (orders := run.look(alive(address=f"tls://here:{places}"), 20.0)):
        places += 1
        assert run.now < 200.0
    reason = orders[0][1].taken[KEY]
    assert "took longer than the 60 s" in reason
    assert "left before it was done" in reason
    assert sum("left; workers that are there: 1" in text for _, text in run.said) == places


def test_a_row_that_waits_behind_another_is_not_to_blame():
    """A scheduler of somebody else may send a worker of one thread several rows at once."""
    run, others = Run(row_timeout=30.0), [("ar-1", n, 1) for n in range(10, 30)]
    run.running = {key: [("ar", key[1])] for key in others} | RUNNING
    for done in range(20):
        assert run.look(alive([KEY, *others[done:]]), 20.0) == []


@pytest.mark.parametrize("turn", [1, -1])
def test_of_two_rows_at_a_worker_the_first_is_computed_and_the_other_waits(turn):
    """Dask lists them in the order of a set, which says nothing and may change."""
    run, behind = Run(row_timeout=30.0), ("ar-1", 4, 1)
    run.running[behind] = [("ar", 4)]
    orders = []
    while not orders:
        orders = run.look(alive([KEY, behind][::turn]))
        turn = -turn
        assert run.now < 100.0
    assert orders[0][1].taken.keys() == {KEY}


def test_a_row_that_was_there_first_is_computed_though_it_was_sent_later():
    """Another worker had begun a row, left, and the row comes to a worker that is busy."""
    run, earlier = Run(row_timeout=30.0), ("ar-1", 0, 1)
    run.running = {earlier: [("ar", 0)]} | run.running
    run.look(alive())
    assert run.look(alive([earlier, KEY]), 100.0)[0][1].taken.keys() == {KEY}


def test_a_row_that_waits_behind_the_work_of_others_is_not_to_blame():
    """A scheduler may be shared, and nobody knows when others sent their tasks."""
    run = Run(row_timeout=30.0)
    assert run.look(alive([KEY, "theirs"]), 100.0) == []
    assert run.look(alive(), 100.0)[0][1].taken.keys() == {KEY}


def test_a_row_that_had_its_time_says_so_when_the_run_ends_for_want_of_workers():
    """Compiled code that keeps the interpreter ends with its process, which says nothing."""
    run, other = Run(row_timeout=30.0, wait=60.0), ("ar-1", 4, 1)
    run.running[other] = [("ar", 4)]
    run.look(alive(), 40.0)
    ((_, orders), *_) = run.look(nobody, 80.0)
    assert "no worker" in orders.end
    assert orders.taken.keys() == {KEY}, "the other has not been computed at all"
    assert orders.taken[KEY] == (
        "took longer than the 30 s that a row may take; its worker left before it was done"
    )


def test_a_worker_that_leaves_is_named():
    run = Run()
    run.look(lambda now: alive()(now) | alive([], THERE)(now))
    run.look(alive([], THERE))
    assert run.first_word()[1] == (
        "worker 0 at tls://here:1 with row ar 3 left; workers that are there: 1"
    )


def test_a_silent_worker_without_a_row_is_given_up_too():
    run = Run(worker_timeout=60.0)
    orders = run.look(lambda now: {HERE: Seen("0", 0.0, 1, ())}, 80.0)
    assert [order.restart for _, order in orders] == [[HERE]]
