"""What delays a run: silent or missing workers, and rows that take too long.

The user is told of each within half a minute, and each has a time limit. This module does not use
Dask: it gets what the scheduler reports, and returns what has to be done.
"""

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from glassdata.engine.execution import Execution

#: Seconds between two looks at the workers.
LOOK = 5.0
#: Seconds of silence after which the user is told. With the time until the next look, and until the
#: next heartbeat of a worker, the message comes within half a minute.
WORD = 20.0
#: The user is told of a row that takes this many times as long as others of its glass.
MUCH_LONGER = 50.0
#: Seconds between two messages about the same matter.
AGAIN = 300.0
#: Seconds after its limit in which a worker should give up a row by itself.
GRACE = 15.0

RowName = tuple[str, int]
Key = tuple


@dataclass(frozen=True)
class Seen:
    """A worker as its scheduler sees it.

    ``heard`` changes with each of its signs of life; ``keys`` are the tasks that it computes, and
    those that wait there for a thread, in no order: Dask keeps them in a set.
    """

    name: str
    heard: float
    threads: int
    keys: tuple[Key, ...]


@dataclass(frozen=True)
class Orders:
    """What has to be done: tasks to take back, with the reason, workers to start again, an end."""

    taken: dict[Key, str] = field(default_factory=dict)
    restart: list[str] = field(default_factory=list)
    end: str | None = None


class _Record:
    """What is remembered of a worker, times in seconds of this process's clock."""

    def __init__(self, seen: Seen, now: float) -> None:
        self.seen, self.since, self.told = seen, now, False
        self.keys: list[Key] = []
        self.began: dict[Key, float] = {}

    def note_tasks(self, now: float, sent: Mapping[Key, int]) -> None:
        """Note which tasks are computed, and since when; ``sent`` has our own, numbered as sent.

        A worker begins its tasks in the order in which they came; those that came between two looks
        are taken to have come in the order of ``sent``. The tasks of others go first then, for a
        row must not be blamed for the time that it may have waited behind them.
        """
        here = set(self.seen.keys)
        there = [key for key in self.keys if key in here]
        new = sorted(here.difference(there), key=lambda key: sent.get(key, -1))
        self.keys = there + new
        self.began = {key: self.began.get(key, now) for key in self.keys[: self.seen.threads]}


class Overdue:
    """Decides about workers and rows from what the scheduler reports about them at each look.

    Parameters
    ----------
    execution : Execution
        Has the limits, and the function that tells the user.
    advice : str
        Where to look when there are no workers.
    """

    def __init__(self, execution: Execution, advice: str = "") -> None:
        self.execution, self.advice = execution, advice
        self.workers: dict[str, _Record] = {}
        self.seconds: dict[str, deque[float]] = {}
        self.spent: dict[Key, tuple[int, float]] = {}
        self.told: set[Key] = set()
        self.nobody: float | None = None
        self.deaf: float | None = None
        self.spoke = -math.inf

    def finished(self, name: str, seconds: float) -> None:
        """A row of a kind was computed in so many seconds."""
        self.seconds.setdefault(name, deque(maxlen=32)).append(seconds)

    def done(self, key: Key) -> None:
        """A task is over, whatever became of it."""
        self.nobody = None
        self.spent.pop(key, None)
        self.told.discard(key)

    def no_answer(self, now: float) -> Orders:
        """The scheduler did not answer."""
        if self.deaf is None:
            self.deaf = now
        return Orders(end=self._nothing_for(now - self.deaf, now, "the scheduler has not answered"))

    def look(
        self, now: float, seen: Mapping[str, Seen], running: Mapping[Key, Sequence[RowName]]
    ) -> Orders:
        """Tell the user what is wrong, and return what has to be done.

        Parameters
        ----------
        now : float
            Seconds of a clock that never goes back.
        seen : Mapping[str, Seen]
            The workers, by address.
        running : Mapping[Key, Sequence[RowName]]
            Rows of each task that the scheduler has, in the order in which they were sent.
        """
        self.deaf = None
        self._say_who_left(now, seen, running)
        sent = {key: number for number, key in enumerate(running)}
        for address, worker in seen.items():
            self._remember(now, address, worker, sent)
        orders = Orders()
        for address, record in self.workers.items():
            self._judge_silence(now, address, record, running, orders)
            for key in record.began:
                if key in running and key not in orders.taken:
                    self._judge_row(now, address, key, running[key], orders)
        if any(key in running for worker in seen.values() for key in worker.keys):
            self.nobody = None
            return orders
        # Workers may be there and busy with the work of others, or short of memory.
        if self.nobody is None:
            self.nobody = now
        what = "no worker has taken a row" if seen else "there has been no worker to compute rows"
        end = self._nothing_for(now - self.nobody, now, what, self.advice)
        if end is not None:
            orders.taken.update(self._had_their_time(running))
        return replace(orders, end=end)

    def _nothing_for(self, seconds: float, now: float, what: str, advice: str = "") -> str | None:
        """Why the run ends, if it does."""
        limit = self.execution.patience
        if seconds >= limit:
            end = f"for {_time(seconds)} {what}, and --wait is {_time(limit)}"
            self._say(f"{end}: the run ends")
            return end
        if seconds >= min(WORD, limit / 2) and now - self.spoke >= AGAIN:
            self.spoke = now
            end = "" if limit == math.inf else f"; the run ends after {_time(limit)}"
            self._say(f"for {_time(seconds)} {what}{end}{advice}")
        return None

    def _say_who_left(
        self, now: float, seen: Mapping[str, Seen], running: Mapping[Key, Sequence[RowName]]
    ) -> None:
        """Tell of workers that have left, and note the time that they spent on their rows."""
        gone = self.workers.keys() - seen.keys()
        names = []
        for address in gone:
            record = self.workers.pop(address)
            names.append(_worker(record.seen, address) + _with(record.seen.keys, running))
            for key, began in record.began.items():
                times, spent = self.spent.get(key, (0, 0.0))
                if key in running:
                    self.spent[key] = times + 1, spent + now - began
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            self._say(f"{names[0]}{more} left; workers that are there: {len(seen)}")

    def _remember(self, now: float, address: str, worker: Seen, sent: Mapping[Key, int]) -> None:
        record = self.workers.setdefault(address, _Record(worker, now))
        if worker.heard != record.seen.heard:
            record.since, record.told = now, False
        record.seen = worker
        record.note_tasks(now, sent)

    def _judge_silence(
        self,
        now: float,
        address: str,
        record: _Record,
        running: Mapping[Key, Sequence[RowName]],
        orders: Orders,
    ) -> None:
        silence, limit = now - record.since, self.execution.worker_timeout
        who = _worker(record.seen, address) + _with(record.seen.keys, running)
        if silence >= limit:
            orders.restart.append(address)
            # If that does not help, the order is given again after the same time.
            record.since = now
            self._say(f"{who} was silent for {_time(silence)} and is given up")
        elif silence >= min(WORD, limit / 2) and not record.told:
            record.told = True
            self._say(
                f"{who} has been silent for {_time(silence)}; it is given up after {_time(limit)}"
            )

    def _judge_row(
        self, now: float, address: str, key: Key, rows: Sequence[RowName], orders: Orders
    ) -> None:
        record, limit = self.workers[address], self.execution.row_timeout
        times, before = self.spent.get(key, (0, 0.0))
        seconds = now - record.began[key]
        if limit is not None and seconds + before > 1.1 * limit + 1 + GRACE:
            # The worker should have given it up by itself, after a tenth more at the latest.
            left = f"its {_workers(times + 1)}, of which {times} left before it was done"
            reason = self._too_long(left if times else "its worker could not say so")
            orders.taken[key] = reason
            orders.restart.append(address)
            self._say(f"{_rows(rows)} {reason}: {_worker(record.seen, address)} is started again")
            return
        if seconds > self._much(rows[0][0]) and key not in self.told:
            self.told.add(key)
            usual = self.seconds.get(rows[0][0])
            others = f", others of its kind {_time(median(usual))}" if usual else ""
            end = "" if limit is None else f"; it is given up after {_time(limit)}"
            where = _worker(record.seen, address)
            self._say(f"{_rows(rows)} has taken {_time(seconds)} on {where}{others}{end}")

    def _had_their_time(self, running: Mapping[Key, Sequence[RowName]]) -> dict[Key, str]:
        """Rows whose time went by on workers that left: that, not the lack of others, is why.

        Until the run ends they are tried again, for they may be nearly done.
        """
        limit = self.execution.row_timeout
        return {
            key: self._too_long(f"its {_workers(times)} left before it was done")
            for key, (times, spent) in self.spent.items()
            if limit is not None and spent > limit and len(running.get(key, ())) == 1
        }

    def _too_long(self, why: str) -> str:
        return f"took longer than the {self.execution.row_timeout:g} s that a row may take; {why}"

    def _much(self, name: str) -> float:
        """Seconds after which the user is told of a row of this glass."""
        if times := self.seconds.get(name):
            return max(MUCH_LONGER * median(times), WORD)
        return max((self.execution.row_timeout or 3600.0) / 10, WORD)

    def _say(self, text: str) -> None:
        self.execution.say(text)


def _worker(seen: Seen, address: str) -> str:
    return f"worker {seen.name}" if seen.name == address else f"worker {seen.name} at {address}"


def _workers(count: int) -> str:
    return "worker" if count == 1 else f"{count} workers"


def _rows(rows: Sequence[RowName]) -> str:
    name, index = rows[0]
    return f"row {name} {index}" + (f" and {len(rows) - 1} more" if len(rows) > 1 else "")


def _with(keys: Iterable[Key], running: Mapping[Key, Sequence[RowName]]) -> str:
    """The first of our rows that a worker holds."""
    held = [running[key] for key in keys if key in running]
    return f" with {_rows(held[0])}" if held else ""


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
