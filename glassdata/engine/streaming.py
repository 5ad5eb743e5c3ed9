"""Rows go to the scheduler and receipts come back, even if processes die in between."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any
from uuid import uuid4

from dask.distributed import Client, Future, KilledWorker

from glassdata.engine import overdue
from glassdata.engine.execution import Execution
from glassdata.engine.overdue import Overdue, Seen
from glassdata.worker import Receipt, Task

#: How often a row is tried again after an error of the machine.
RETRIES = 2
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

RowName = tuple[str, int]
Work = Callable[[Any, str, int], Receipt]


@dataclass(frozen=True)
class Loss:
    """A row that was asked for and could not be had."""

    system: str
    index: int
    reason: str

    def __str__(self) -> str:
        return f"{self.system} {self.index}: {self.reason}"


def stream(
    client: Client,
    work: Work,
    task: Task,
    todo: Iterable[RowName],
    expected: int = 1,
    judge: Overdue | None = None,
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
    """
    return iter(_Stream(client, work, task, todo, expected, judge or Overdue(Execution())))


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
    ) -> None:
        self.client, self.work, self.task, self.expected = client, work, task, expected
        self.judge = judge
        self.left = deque(todo)
        self.alone: deque[RowName] = deque()
        self.running: dict[tuple, list[RowName]] = {}
        self.futures: dict[tuple, Future] = {}
        self.finished: SimpleQueue[Future] = SimpleQueue()
        self.held: list[Future] = []
        self.seconds = deque([_GROUP_SECONDS], maxlen=_LARGEST_GROUP)
        self.workers, self.looked = expected, monotonic()
        # Builds of other stores may run on the same scheduler, which takes equal keys for one task.
        self.token = uuid4().hex

    def __iter__(self) -> Iterator[Receipt | Loss]:
        self._count_workers()
        self._submit()
        while self.running:
            with suppress(Empty):
                future = self.finished.get(timeout=overdue.LOOK / 10)
                results = self._take(future)
                # A receipt that is held here stays with its worker, which could then not retire in
                # peace when its time is over.
                del future
                yield from results
            if monotonic() - self.looked > overdue.LOOK:
                yield from self._look()
            if self.client.status == "running":
                self._submit()

    def _submit(self) -> None:
        while len(self.running) < _WINDOW * self.workers and (rows := self._next()):
            # A row alone never shares a key with the group in which it was tried first. Dask names
            # tasks by what stands before the hyphen.
            (name, index), size = rows[0], len(rows)
            key = (f"{name}-{self.token}", index, size)
            future = self.client.submit(
                _each, self.work, self.task, rows, key=key, retries=RETRIES, pure=False
            )
            self.running[key], self.futures[key] = rows, future
            future.add_done_callback(self.finished.put)

    def _take(self, future: Future) -> list[Receipt | Loss]:
        """What a task that ended brought; nothing if it was taken back, or cannot be had yet."""
        key = future.key
        if key not in self.running:
            return []
        try:
            results = self._results(future, self.running[key])
        except _NotHandedOverError:
            # Its worker may have stopped since; if it is given up, the task is done again.
            self.held.append(future)
            return []
        del self.running[key], self.futures[key]
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
        for key, reason in orders.taken.items():
            yield from self._take_back(key, reason)
        if orders.restart:
            self.client.loop.add_callback(_restart, self.client, orders.restart)
        if orders.end:
            self.left.clear()
            self.alone.clear()
            for key in list(self.running):
                rows = self.running.pop(key)
                self._cancel(key)
                for name, index in rows:
                    yield Loss(name, index, orders.end)

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

    def _results(self, future: Future, rows: list[RowName]) -> list[Receipt | Loss]:
        try:
            receipts = future.result(timeout=_HANDED_OVER)
        except Exception as error:
            if isinstance(error, TimeoutError) and future.status != "error":
                raise _NotHandedOverError from None
            if len(rows) > 1 and future.status == "error":
                # One row of the group caused it. Each is tried alone; published ones are not made
                # again.
                self.alone.extend(rows)
                return []
            return [Loss(name, index, _describe(error)) for name, index in rows]
        # A row that was there already says nothing of how long rows take.
        for receipt in receipts:
            if receipt.stages:
                self.seconds.append(receipt.seconds)
                self.judge.finished(receipt.system, receipt.seconds)
        return receipts


async def _seen(client: Client) -> dict[str, Seen]:
    """The workers of a client's scheduler, with the keys of the tasks that they hold."""
    identity, held = await asyncio.gather(
        client.scheduler.identity(), client.scheduler.processing()
    )
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
        await client.scheduler.restart_workers(
            workers=workers,
            timeout=_ENDED,
            wait_for_workers=False,
            on_error="return",
            stimulus_id=f"glassdata-overdue-{uuid4().hex}",
        )


def _each(work: Work, task: Task, rows: list[RowName]) -> list[Receipt]:
    return [work(task, name, index) for name, index in rows]


def _describe(error: Exception) -> str:
    if isinstance(error, KilledWorker):
        times = error.allowed_failures + 1
        return f"its worker died {times} times (out of memory, or a crash in compiled code)"
    if isinstance(error, CancelledError):
        return "the scheduler no longer answers"
    name = type(error).__name__
    return f"{name}: {error}" if str(error) else name
