"""Rows go to the scheduler and receipts come back, even if processes die in between."""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from itertools import count
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, cast
from uuid import uuid4

from dask.distributed import Client, Future, KilledWorker

from glassdata.engine import overdue
from glassdata.engine.crew import (
    Crew,
    Fault,
    Loss,
    Report,
    RowName,
    Troubled,
    Work,
    in_words,
    send,
    work_on,
)
from glassdata.engine.execution import Execution
from glassdata.engine.overdue import Overdue, Seen
from glassdata.fitness import Standard
from glassdata.worker import Receipt, Task

#: How many workers may die under a row before the row is given up.
DEATHS = 3

#: Groups of rows that the scheduler has at a time, per worker: enough to keep all workers busy, and
#: few enough that little is lost.
_WINDOW = 4
# Rows that take very little time are sent in groups, so that the scheduler costs less than they do.
# A row that takes more than half of these seconds is always sent alone.
_GROUP_SECONDS, _LARGEST_GROUP = 0.1, 32
# Seconds in which a scheduler must answer a question about its workers, and a worker hand over a
# receipt; and in which a nanny must have ended its worker, or Dask does without both.
_ANSWER, _HANDED_OVER, _ENDED = 10.0, 1.0, 30.0


def stream(
    client: Client,
    work: Work,
    task: Task,
    todo: Iterable[RowName],
    expected: int = 1,
    judge: Overdue | None = None,
    crew: Crew | None = None,
) -> Iterator[Receipt | Loss]:
    """Receipts and losses, in order of completion.

    When the scheduler dies, or no worker is there for too long, the iteration ends early without an
    error: rows that were never sent are neither received nor lost, and only the disk shows which
    they are.

    Parameters
    ----------
    client
        Connected to the scheduler.
    work, task
        Function that computes a row, and its first argument.
    todo
        Name and number of each row.
    expected
        Number of workers to send rows for, even before they have started.
    judge
        Judge of workers that are silent and rows that take too long; by default one with the usual
        limits that tells nobody.
    crew
        What is known of the workers; by default all of them may compute rows.

    Raises
    ------
    RunEnded
        If no worker is left that may compute rows, or nothing succeeds any more.
    """
    judge = judge or Overdue(Execution())
    crew = crew or Crew(client, Standard(), Execution())
    return iter(_Stream(client, work, task, todo, expected, judge, crew))


class _NotHandedOverError(Exception):
    """A receipt lies with a worker that does not hand it over."""


class _Stream:
    """Sends groups of rows, and new ones when others come back, until there are none left."""

    def __init__(
        self,
        client: Client,
        work: Work,
        task: Task,
        todo: Iterable[RowName],
        expected: int,
        judge: Overdue,
        crew: Crew,
    ) -> None:
        self.client, self.work, self.task, self.expected = client, work, task, expected
        self.judge, self.crew = judge, crew
        self.left = deque(todo)
        self.alone: deque[RowName] = deque()
        self.running: dict[tuple, list[RowName]] = {}
        self.futures: dict[tuple, Future] = {}
        self.pinned: dict[tuple, list[str]] = {}
        self.finished: SimpleQueue[Future] = SimpleQueue()
        self.held: list[Future] = []
        self.seconds = deque([_GROUP_SECONDS], maxlen=_LARGEST_GROUP)
        self.workers, self.looked = expected, monotonic()
        # Builds of other stores may run on the same scheduler, which takes equal keys for one task.
        self.token, self.number = uuid4().hex, count()

    def __iter__(self) -> Iterator[Receipt | Loss]:
        self._count_workers()
        self._submit()
        # Nothing runs while nobody is there who may compute rows.
        while self.running or ((self.left or self.alone) and self.client.status == "running"):
            with suppress(Empty):
                future = self.finished.get(timeout=overdue.LOOK / 10)
                results = self._take(future)
                # A receipt that is held here stays with its worker, which could then not retire in
                # peace when its time is over.
                del future
                yield from results
                self.crew.check_successes()
            if monotonic() - self.looked > overdue.LOOK:
                yield from self._look()
            if self.client.status == "running":
                self._submit()

    def _submit(self) -> None:
        if self.crew.idle():
            return
        while len(self.running) < _WINDOW * self.workers and (rows := self._next()):
            # What is tried again never shares a key with a task that may not be forgotten yet.
            # Dask names tasks by what stands before the hyphen.
            key = (f"{rows[0][0]}-{self.token}", next(self.number))
            call, places = (self.crew.wanted, self.work, self.task, rows), self.crew.places(rows)
            future = send(self.client, work_on, *call, key=key, workers=places)
            self.running[key], self.futures[key] = rows, future
            if places:
                self.pinned[key] = places
            future.add_done_callback(self.finished.put)

    def _take(self, future: Future) -> list[Receipt | Loss]:
        """What a task that ended brought; nothing if it was taken back, or cannot be had yet."""
        key = future.key
        if key not in self.running:
            return []
        try:
            results = list(self._results(future, self.running[key]))
        except _NotHandedOverError:
            # Its worker may have stopped since; if it is given up, the task is done again.
            self.held.append(future)
            return []
        del self.running[key], self.futures[key]
        self.pinned.pop(key, None)
        self.judge.done(key)
        return results

    def _take_back(self, key: tuple, reason: str) -> list[Loss]:
        """Cancel a task that takes too long; of several rows each is then tried alone."""
        rows = self.running.pop(key)
        self.judge.done(key)
        self._cancel(key)
        if len(rows) > 1:
            self.alone.extend(rows)
            return []
        return [Loss(name, index, reason) for name, index in rows]

    def _cancel(self, key: tuple) -> None:
        future = self.futures.pop(key)
        self.pinned.pop(key, None)
        if self.client.status == "running":
            self.client.cancel([future])

    def _look(self) -> Iterator[Loss]:
        """Ask the scheduler for its workers and what they do, and act on what is overdue."""
        self.looked = monotonic()
        while self.held:
            self.held.pop().add_done_callback(self.finished.put)
        if self.client.status != "running":
            return  # the scheduler is gone, and with it all that is running
        try:
            seen = self.client.sync(_seen, self.client, callback_timeout=_ANSWER)
        except (OSError, TimeoutError):
            orders = self.judge.no_answer(monotonic())
        else:
            self.workers = max(sum(worker.threads for worker in seen.values()), self.expected)
            orders = self.judge.look(monotonic(), seen, self.running)
            self.crew.see(seen)
            self._free_stranded()
        for key, reason in orders.taken.items():
            yield from self._take_back(key, reason)
        if orders.restart:
            cast(Any, self.client.loop).add_callback(_restart, self.client, orders.restart)
        if orders.end:
            self.left.clear()
            self.alone.clear()
            for key in list(self.running):
                rows = self.running.pop(key)
                self._cancel(key)
                for name, index in rows:
                    yield Loss(name, index, orders.end)

    def _free_stranded(self) -> None:
        """Take back what was sent to certain workers only, none of which is there any more."""
        for key, places in list(self.pinned.items()):
            if not self.crew.here & set(places):
                self.alone.extend(self.running.pop(key))
                self.judge.done(key)
                self._cancel(key)

    def _count_workers(self) -> None:
        self.workers = max(sum(self.client.nthreads().values()), self.expected)

    def _next(self) -> list[RowName]:
        """Rows of the next task: several of them if the slowest of the last rows was very fast."""
        if self.alone:
            return [self.alone.popleft()]
        size = min(
            _GROUP_SECONDS / max(*self.seconds, 1e-9),
            _LARGEST_GROUP,
            len(self.left) / (2 * _WINDOW * self.workers),
        )
        return [self.left.popleft() for _ in range(min(max(int(size), 1), len(self.left)))]

    def _results(self, future: Future, rows: list[RowName]) -> Iterator[Receipt | Loss]:
        try:
            report = self._report(future)
        except (KilledWorker, CancelledError) as error:
            if len(rows) > 1 and future.status == "error":
                # One row of the group caused it. Each is tried alone; published ones are not made
                # again.
                self.alone.extend(rows)
                return
            yield from (Loss(name, index, _describe(error)) for name, index in rows)
        except _NotHandedOverError:
            raise
        except Exception as error:
            # A worker could not even load what it was sent: they say which one.
            self.crew.ask()
            faults = [Fault(name, index, in_words(error)) for name, index in rows]
            yield from self._judged(self.crew.fault("", "", fault) for fault in faults)
        else:
            if report.refusal:
                self.alone.extend(rows)
            yield from self._judged(self.crew.hear(report))

    @staticmethod
    def _report(future: Future) -> Report:
        try:
            return future.result(timeout=_HANDED_OVER)
        except Troubled as trouble:
            return trouble.args[0]
        except TimeoutError:
            if future.status != "error":
                raise _NotHandedOverError from None
            raise

    def _judged(self, results: Iterable[Receipt | Loss | RowName]) -> Iterator[Receipt | Loss]:
        for result in results:
            if isinstance(result, tuple):
                self.alone.append(result)
                continue
            # A row that was there already says nothing of how long rows take.
            if isinstance(result, Receipt) and result.stages:
                self.seconds.append(result.seconds)
                self.judge.finished(result.system, result.seconds)
            yield result


async def _seen(client: Client) -> dict[str, Seen]:
    """The workers of a client's scheduler, with the keys of the tasks that they hold."""
    scheduler = cast(Any, client.scheduler)  # None only before and after a connection
    identity, held = await asyncio.gather(scheduler.identity(), scheduler.processing())
    return {
        address: Seen(
            str(worker["name"]),
            worker["last_seen"],
            worker["nthreads"],
            tuple(held.get(address, ())),
        )
        for address, worker in identity["workers"].items()
    }


async def _restart(client: Client, workers: list[str]) -> None:
    """End workers that do not speak; their nannies, where they have some, start new ones.

    It is what Dask does when a worker misses its heartbeats (distributed issue 8537).
    """
    with suppress(OSError, TimeoutError):
        await cast(Any, client.scheduler).restart_workers(
            workers=workers,
            timeout=_ENDED,
            wait_for_workers=False,
            on_error="return",
            stimulus_id=f"glassdata-overdue-{uuid4().hex}",
        )


def _describe(error: KilledWorker | CancelledError) -> str:
    if isinstance(error, KilledWorker):
        times = error.allowed_failures + 1
        return f"its worker died {times} times (out of memory, or a crash in compiled code)"
    return "the scheduler no longer answers"
