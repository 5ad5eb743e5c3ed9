"""Start and end of clusters and clients, with Ctrl-C at any moment.

Ctrl-C reaches every process of a terminal, but only the driver acts on it, and without traceback.
Workers ignore it from their start, and whatever is starting or ending at that moment is finished or
removed, so that the program can end.
"""

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from time import monotonic
from typing import Any, Protocol, TypeVar

from glassdata.engine import overdue
from glassdata.engine.execution import Execution
from glassdata.store import StoreError

#: Seconds that the processes of an interrupted start have to end.
_ABANDONED = 5.0
_INTERRUPT = signal.default_int_handler


class Closing(Protocol):
    """Anything with a ``close``."""

    def close(self) -> Any:
        """End it."""


Thing = TypeVar("Thing", bound=Closing)


def started(make: Callable[[], Thing], execution: Execution) -> Thing:
    """Call ``make`` in a thread whose processes ignore Ctrl-C, which this process obeys at once.

    Parameters
    ----------
    make : Callable[[], Thing]
        Starts processes, and waits for them.
    execution : Execution
        How long to wait, and who is told that it takes long.

    Raises
    ------
    StoreError
        If the processes do not start in time, or end before they have.
    """
    start = _Start(make)
    try:
        start.wait(execution)
    except BaseException:
        start.abandon()
        raise
    if start.error is not None:
        start.abandon()
        raise StoreError(f"the workers do not start: {start.error}") from None
    return start.made[0]


class _Start:
    """A start that runs in another thread."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make
        self.made: list[Any] = []
        self.error: BaseException | None = None
        self.over = threading.Event()
        self.before = set(multiprocessing.active_children())
        # Python unblocks the signal when it starts its own helper process, so that comes first.
        resource_tracker.ensure_running()
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            # Threads and processes inherit what is blocked.
            threading.Thread(target=self._run, name="glassdata-start", daemon=True).start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _run(self) -> None:
        try:
            self.made.append(self.make())
        except BaseException as error:
            self.error = error
        finally:
            self.over.set()

    def wait(self, execution: Execution) -> None:
        began, spoken = monotonic(), False
        while not self.over.wait(0.2):
            seconds = monotonic() - began
            if seconds > execution.patience:
                raise StoreError(f"the workers did not start within {seconds:.0f} s (--wait)")
            if seconds > overdue.WORD and not spoken:
                spoken = True
                execution.say(f"the workers have not started after {seconds:.0f} s")

    def abandon(self) -> None:
        """End the processes that were started; nobody will use them."""
        deadline = monotonic() + _ABANDONED
        while monotonic() < deadline:
            children = set(multiprocessing.active_children()) - self.before
            if not children and self.over.is_set():
                break
            for child in children:
                child.kill()
            self.over.wait(0.1)
            for child in children:
                child.join(0.1)
        for made in self.made:
            made.close()


@contextmanager
def closed(thing: Thing) -> Iterator[Thing]:
    """Context that closes a thing at its end, after any error, and without interruption."""
    try:
        yield thing
    finally:
        with _interrupts_later():
            thing.close()


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Context of a few seconds that delays Ctrl-C, and other signals that mean the same."""
    if threading.current_thread() is not threading.main_thread():
        yield  # which Ctrl-C never interrupts
        return
    heard: list[int] = []
    meant = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is _INTERRUPT]
    for number in meant:
        signal.signal(number, lambda number, frame: heard.append(number))
    try:
        yield
    finally:
        for number in meant:
            signal.signal(number, _INTERRUPT)
    if heard:
        raise KeyboardInterrupt
