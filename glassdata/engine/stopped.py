"""Workers whose process was stopped (by SIGSTOP, or left in a debugger) are replaced.

A stopped process keeps its connections and its row, but neither computes nor ends. The scheduler
cannot know whether a silent worker was stopped, or is busy in compiled code that lets nothing else
run. The nanny on the same machine can.
"""

import platform
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import psutil
from dask.distributed import Client, Nanny, NannyPlugin
from tornado.ioloop import PeriodicCallback

#: Seconds between two looks of a nanny at its worker, and how many of them in a row must find it
#: stopped: a person who stops a whole run (Ctrl-Z) stops the nannies, too, and continues all of it.
PAUSE, LOOKS = 2.0, 5

_TOPIC = "glassdata-stopped"


def replace_stopped(client: Client, say: Callable[[str], None]) -> None:
    """Let all nannies of a scheduler of ours end workers that are stopped, and start new ones.

    Parameters
    ----------
    client : Client
        Connected to the scheduler.
    say : Callable[[str], None]
        Receives a message for each such worker.
    """
    client.subscribe_topic(_TOPIC, lambda event: say(event[1]))
    client.register_plugin(_ReplaceStopped(PAUSE, LOOKS))


class _ReplaceStopped(NannyPlugin):
    """Plugin of a nanny, which looks at its worker; every nanny has its own copy."""

    name = _TOPIC

    def __init__(self, pause: float, looks: int) -> None:
        self.pause, self.looks = pause, looks
        self.found = 0
        self.looking: PeriodicCallback | None = None

    def setup(self, nanny: Nanny) -> None:
        self.looking = PeriodicCallback(partial(self._look, nanny), 1e3 * self.pause)
        self.looking.start()

    def teardown(self, nanny: Nanny) -> None:
        if self.looking is not None:
            self.looking.stop()

    def _look(self, nanny: Nanny) -> None:
        self.found = self.found + 1 if nanny.pid and _is_stopped(nanny.pid) else 0
        if self.found >= self.looks:
            self.found = 0
            nanny.log_event(
                _TOPIC,
                f"worker {nanny.name} was stopped (process {nanny.pid} on {platform.node()}) and "
                "is started again; its row is computed elsewhere",
            )
            _kill(nanny.pid)


def _is_stopped(pid: int) -> bool:
    with suppress(psutil.Error):
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED
    return False


def _kill(pid: int) -> None:
    """End a process and all that it started; its nanny notices, and starts another."""
    with suppress(psutil.Error):
        worker = psutil.Process(pid)
        for process in (*worker.children(recursive=True), worker):
            with suppress(psutil.Error):
                process.kill()
