"""Rows to the scheduler and receipts back, whatever dies in between."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import uuid4

from dask.distributed import Client, Future, KilledWorker, as_completed

from glassdata.worker import Receipt, Task

#: How often a row is tried again after an error of the machine.
RETRIES = 2
#: How many workers may die under a row before the row is given up.
DEATHS = 3

#: Groups of rows in the hands of the scheduler, per worker: enough to keep all busy, few to lose.
_WINDOW = 4
# Rows that take next to no time travel together, so that the scheduler costs less than they do;
# a row of more than half of these seconds always travels alone.
_GROUP_SECONDS, _LARGEST_GROUP = 0.1, 32
# Seconds after which the number of workers is looked up again.
_LOOK = 5.0

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
    client: Client, work: Work, task: Task, todo: Iterable[RowName], expected: int = 1
) -> Iterator[Receipt | Loss]:
    """Receipts and losses, in order of completion.

    When the scheduler dies, the iteration ends early without an error: rows that it never saw are
    neither received nor lost, and only the disk shows which they are.

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
    """
    return iter(_Stream(client, work, task, todo, expected))


class _Stream:
    """A window of groups of rows that slides over what there is to do."""

    def __init__(
        self, client: Client, work: Work, task: Task, todo: Iterable[RowName], expected: int
    ) -> None:
        self.client, self.work, self.task, self.expected = client, work, task, expected
        self.left = deque(todo)
        self.alone: deque[RowName] = deque()
        self.running: dict[tuple, list[RowName]] = {}
        self.seconds = deque([_GROUP_SECONDS], maxlen=_LARGEST_GROUP)
        self.workers, self.looked = expected, -_LOOK
        # Builds of other stores may run on the same scheduler, which takes equal keys for one task.
        self.token = uuid4().hex

    def __iter__(self) -> Iterator[Receipt | Loss]:
        completed = as_completed(self._submit())
        for future in completed:
            results = self._results(future, self.running.pop(future.key))
            # A receipt that is held here stays with its worker, which could then not retire in
            # peace when its time is over.
            del future
            yield from results
            if self.client.status == "running":
                completed.update(self._submit())

    def _submit(self) -> list[Future]:
        futures = []
        self._count_workers()
        while len(self.running) < _WINDOW * self.workers and (rows := self._next()):
            # A row alone never shares a key with the group in which it was tried first. Dask names
            # tasks by what stands before the hyphen.
            (name, index), size = rows[0], len(rows)
            key = (f"{name}-{self.token}", index, size)
            self.running[key] = rows
            future = self.client.submit(
                _each, self.work, self.task, rows, key=key, retries=RETRIES, pure=False
            )
            futures.append(future)
        return futures

    def _count_workers(self) -> None:
        if monotonic() - self.looked > _LOOK:
            self.looked = monotonic()
            self.workers = max(sum(self.client.nthreads().values()), self.expected)

    def _next(self) -> list[RowName]:
        """Rows of the next task: several of them where the slowest of late was very quick."""
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
            receipts = future.result()
        except Exception as error:
            if len(rows) > 1 and future.status == "error":
                # One of them was to blame, and those that were published are not made again.
                self.alone.extend(rows)
                return []
            return [Loss(name, index, _describe(error)) for name, index in rows]
        # A row that was there already says nothing of how long rows take.
        self.seconds.extend(receipt.seconds for receipt in receipts if receipt.stages)
        return receipts


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
