"""Start and end of clusters and clients, with Ctrl-C at any moment.

Ctrl-C reaches every process of a terminal. The driver alone acts on it, and quietly: workers are
born deaf to it, and what begins or ends is brought to a state from which the program can leave.
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
    """What ``make`` makes, in a thread whose processes never see Ctrl-C; this one hears it at once.

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
    """A start that goes on in another thread."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make, self.made, self.error = make, [], None
        self.over = threading.Event()
        self.before = set(multiprocessing.active_children())
        # Python's own helper process would lift the block where it is started.
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
        while True:
            for child in set(multiprocessing.active_children()) - self.before:
                child.kill()
            if self.over.wait(0.1) or monotonic() > deadline:
                break
        for made in self.made:
            made.close()


@contextmanager
def closed(thing: Thing) -> Iterator[Thing]:
    """Close it in the end, whatever happens, and without being interrupted in that."""
    try:
        yield thing
    finally:
        with _interrupts_later():
            thing.close()


@contextmanager
def _interrupts_later() -> Iterator[None]:
    """Put off Ctrl-C, and other signals that mean the same; what happens within ends in seconds."""
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
