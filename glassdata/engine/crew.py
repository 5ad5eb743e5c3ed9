"""Who works at a run: workers that are wrong are left out, and rows that fail are tried on others.

A worker that is alive and wrong takes row after row, for it is always idle; it must not decide
anything. Dask's plugins would stay on a scheduler that is not ours, and a worker without this
package could not even load them; so each worker looks at itself before its first row, refuses rows
where it must, and the driver sends none there any more.
"""

import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import uuid4

from dask.distributed import Client, Future, get_worker, wait
from distributed.protocol.pickle import dumps

from glassdata.engine.execution import Execution
from glassdata.fitness import Answer, Standard, answer
from glassdata.store.losses import kind_of
from glassdata.worker import Receipt, RowTimeoutError

#: How often a row is tried again after an error of the machine, on another worker if there is one.
RETRIES = 2
#: A worker is put aside when so many of its last rows failed there for a reason not their own.
FAULTS, _LAST = 3, 20
#: So many rows lost in succession, and none computed in between, end the run.
LOST_IN_SUCCESSION = 10
# Seconds that workers have to say what they are before the first row is sent; who takes longer
# does so before its own first row.
_ANSWER = 20.0

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


class RunEnded(RuntimeError):
    """A run was ended before all rows were there; the message says why.

    ``problems`` are the rows that had been lost until then.
    """

    problems: Sequence[Loss] = ()


@dataclass(frozen=True)
class Fault:
    """A row that failed on a worker for a reason that is not known to be its own.

    ``final`` means that trying it elsewhere is of no use.
    """

    system: str
    index: int
    reason: str
    final: bool = False


@dataclass(frozen=True)
class Report:
    """What a worker brings back from its rows; with a ``refusal``, it did not touch them."""

    worker: str
    host: str
    results: tuple[Receipt | Fault, ...] = ()
    refusal: tuple[str, ...] = ()


class _Call:
    """A call that is made where its pickle is loaded."""

    def __init__(self, function: Callable, arguments: tuple) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple:
        return self.function, self.arguments


def send(client: Client, function: Callable, *arguments: Any, **how: Any) -> Future:
    """Submit a call in such a form that any worker can receive it.

    A worker that cannot import what a message mentions closes its connection and ends, and Dask
    blames the rows it had. Here the message is mere bytes, and loading them is part of the task.

    Parameters
    ----------
    client : Client
        Connected to the scheduler.
    function, arguments
        What to call, and with what.
    how
        As for ``Client.submit``.
    """
    return client.submit(pickle.loads, dumps(_Call(function, arguments)), pure=False, **how)


class Troubled(Exception):
    """Some of a worker's rows failed there; its only argument is the report."""


def work_on(wanted: bytes, work: Work, task: Any, rows: Sequence[RowName]) -> Report:
    """On a worker: compute rows, unless this worker must not.

    Parameters
    ----------
    wanted : bytes
        The pickled ``Standard``.
    work, task
        Function that computes a row, and its first argument.
    rows : sequence of (str, int)
        Name and number of each row.
    """
    here, said = get_worker().address, answer(wanted)
    if said.problems:
        return Report(here, said.host, refusal=said.problems)
    report = Report(here, said.host, tuple(_attempt(work, task, *row) for row in rows))
    if any(isinstance(result, Fault) for result in report.results):
        # A result waits with its worker until it is fetched, an exception with the scheduler, where
        # it outlives the worker: no row that fails is computed more often than it has to be.
        raise Troubled(report)
    return report


def _attempt(work: Work, task: Any, name: str, index: int) -> Receipt | Fault:
    try:
        return work(task, name, index)
    except Exception as error:
        # An exception itself may be one that the driver cannot even load.
        return Fault(name, index, in_words(error), isinstance(error, RowTimeoutError))


def in_words(error: BaseException) -> str:
    """An exception in one line."""
    name, text = type(error).__name__, " ".join(str(error).split())
    return f"{name}: {text}" if text else name


class Crew:
    """What the driver knows of the workers, and of the rows that failed on them.

    Parameters
    ----------
    client : Client
        Connected to the scheduler.
    wanted : Standard
        What a worker must be.
    execution : Execution
        Whether a worker that is not ends the run, how long to wait for others, and who is told.
    expected : int
        Number of workers that there should be.
    """

    def __init__(
        self, client: Client, wanted: Standard, execution: Execution, expected: int = 1
    ) -> None:
        self.client, self.execution = client, execution
        self.wanted = pickle.dumps(wanted)
        self.here: set[str] = set()
        self.most = expected
        self.asked: set[str] = set()
        self.aside: dict[str, str] = {}
        self.recent: dict[str, deque[RowName | None]] = {}
        self.tries: dict[RowName, list[tuple[str, str]]] = {}
        self.lost_in_succession, self.last_reason = 0, ""
        self.nobody: float | None = None

    # --- what workers are -----------------------------------------------------------------------

    def ask(self) -> None:
        """Let all workers that have not been asked yet say what they are.

        Raises
        ------
        RunEnded
            If none of those that there should be may compute rows.
        """
        self.see(self.client.nthreads())
        token = uuid4().hex
        asked = {
            worker: send(
                self.client, answer, self.wanted, key=(f"check-{token}", worker), workers=[worker]
            )
            for worker in self.here - self.asked
        }
        with suppress(TimeoutError):
            wait(list(asked.values()), timeout=_ANSWER)
        for worker, future in asked.items():
            if future.status == "finished":
                self._told(worker, future.result())
            elif future.status == "error":
                self._told(worker, Answer("", (in_words(future.exception()),)))
            else:
                self.client.cancel([future])
        self._check_somebody()

    def _told(self, worker: str, said: Answer) -> None:
        self.asked.add(worker)
        if said.problems and worker not in self.aside:
            self._leave_out(worker, said.host, "; ".join(said.problems))

    def _leave_out(self, worker: str, host: str, reason: str) -> None:
        where = f"worker {worker}" + (f" on {host}" if host else "")
        if self.execution.unfit_workers == "stop":
            raise RunEnded(f"{where} must not compute rows: {reason}")
        self.aside[worker] = reason
        self.execution.say(f"{where} is left out: {reason}")

    def see(self, workers: Iterable[str]) -> None:
        """Note which workers are there."""
        self.here = set(workers)
        self.most = max(self.most, len(self.here))
        if self.here - self.aside.keys():
            self.nobody = None

    # --- what becomes of rows -------------------------------------------------------------------

    def places(self, rows: Sequence[RowName]) -> list[str] | None:
        """Workers to send rows to: of those that may, those that have not failed at them yet.

        None means any worker; so it is as long as nothing has happened, for Dask distributes rows
        best that may go anywhere.
        """
        failed = {worker for row in rows for worker, _ in self.tries.get(row, ())}
        if not self.aside and not failed:
            return None
        fit = self.here - self.aside.keys()
        return sorted(fit - failed) or sorted(fit)

    def idle(self) -> bool:
        """Whether nobody is there who may compute rows; they may still come.

        Raises
        ------
        RunEnded
            If all are there, or none came in time.
        """
        if not self.aside:
            return False
        self._check_somebody()
        return not self.here - self.aside.keys()

    def _check_somebody(self) -> None:
        if not self.aside or self.here - self.aside.keys():
            return
        if self.nobody is None:
            self.nobody = monotonic()
        over = monotonic() - self.nobody > self.execution.patience
        if over or len(self.here) >= self.most:
            reasons = list(dict.fromkeys(self.aside[w] for w in self.here if w in self.aside))
            reasons = reasons or list(dict.fromkeys(self.aside.values()))
            more = f" (and {len(reasons) - 1} other reasons)" if len(reasons) > 1 else ""
            raise RunEnded(f"no worker is left that may compute rows: {reasons[0]}{more}")

    def hear(self, report: Report) -> Iterator[Receipt | Loss | RowName]:
        """Sort what a worker brought: receipts, losses, and the names of rows to try again."""
        if report.refusal:
            self._told(report.worker, Answer(report.host, report.refusal))
        for result in report.results:
            if isinstance(result, Fault):
                yield self.fault(report.worker, report.host, result)
            else:
                self._succeeded(report.worker, (result.system, result.index))
                yield result

    def _succeeded(self, worker: str, row: RowName) -> None:
        self.lost_in_succession = 0
        recent = self.recent.setdefault(worker, deque(maxlen=_LAST))
        recent.append(None)
        tries = self.tries.pop(row, ())
        if any(earlier == worker for earlier, _ in tries):
            # What passes by itself says nothing against the worker.
            self.recent[worker] = deque((r for r in recent if r != row), _LAST)

    def fault(self, worker: str, host: str, fault: Fault) -> Loss | RowName:
        """Judge a row that failed: whether it is lost, and whether its worker is to blame."""
        row = (fault.system, fault.index)
        tries = self.tries.setdefault(row, [])
        tries.append((worker, kind_of(fault.reason)))
        agree = {where for where, kind in tries if kind == tries[-1][1]}
        if len(agree) > 1:
            # Workers that have nothing else in common agree: it is the row, or the program.
            for where in agree & self.recent.keys():
                self.recent[where] = deque((r for r in self.recent[where] if r != row), _LAST)
        elif worker and not fault.final:
            recent = self.recent.setdefault(worker, deque(maxlen=_LAST))
            recent.append(row)
            faults = len({r for r in recent if r is not None})
            if faults >= FAULTS and worker not in self.aside:
                text = f"{faults} rows failed there for no reason of their own, the last: "
                self._leave_out(worker, host, text + fault.reason)
        if not fault.final and len(tries) <= RETRIES:
            return row
        del self.tries[row]
        self.lost_in_succession += 1
        self.last_reason = fault.reason
        return Loss(*row, fault.reason)

    def check_successes(self) -> None:
        """End a run in which nothing succeeds any more, as on a full disk.

        Raises
        ------
        RunEnded
            If too many rows were lost in succession.
        """
        if self.lost_in_succession >= LOST_IN_SUCCESSION:
            raise RunEnded(
                f"{self.lost_in_succession} rows in succession were lost, the last one because of "
                f"{self.last_reason}"
            )
