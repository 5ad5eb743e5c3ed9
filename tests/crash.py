"""Sudden death at a chosen step of writing, from outside the package.

A process that calls ``die_at`` counts the steps by which it changes the disk below a folder, and
kills itself just before one of them. Between two steps nothing on the disk changes, so all numbers
together are all states that a crash can leave. Python announces these steps to its audit hooks;
only ``fsync`` has to be wrapped. The package knows nothing of it.
"""

import json
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

#: Audit events that change a folder, with the argument that says where.
_EVENTS = {"open": 0, "os.link": 1, "os.rename": 1, "os.remove": 0, "os.mkdir": 0, "os.rmdir": 0}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_DIR_FD = {"os.remove": 1, "os.rmdir": 1, "os.mkdir": 2, "os.rename": 3, "os.link": 3}


class _Steps:
    def __init__(self, folder: Path, at: int, torn: bool) -> None:
        self.folder, self.at, self.torn = str(folder), at, torn
        self.seen: list[str] = []
        self.lock = threading.RLock()

    def hook(self, event: str, args: tuple) -> None:
        if event == "ctypes.dlsym" and args[1] == "renameat2":
            self.reached("exchange", self.folder)
            return
        if event not in _EVENTS or (event == "open" and not args[2] & _WRITING):
            return
        path = args[_EVENTS[event]]
        path = opened(path) if isinstance(path, int) else os.fsdecode(path)
        if event in _DIR_FD and args[_DIR_FD[event]] >= 0:
            path = os.path.join(opened(args[_DIR_FD[event]]), path)
        if event != "os.mkdir" or not os.path.isdir(path):
            self.reached(event, path)

    def reached(self, step: str, path: str) -> None:
        if not path.startswith(self.folder):
            return
        with self.lock:
            self.seen.append(f"{step} {path.removeprefix(self.folder)}")
            if len(self.seen) != self.at:
                return
            # What was synchronised already stays whole: the target of a rename, say.
            if self.torn and step == "fsync" and os.path.isfile(path):
                os.truncate(path, os.path.getsize(path) // 2)
            os.kill(os.getpid(), signal.SIGKILL)


def opened(descriptor: int) -> str:
    """Path of an open file."""
    return os.readlink(f"/proc/self/fd/{descriptor}")


def die_at(folder: Path, at: int, *, torn: bool = False) -> list[str]:
    """Kill this process before its step number ``at`` in a folder; 0 only counts.

    With ``torn``, a death before ``fsync`` leaves half of the file, as a loss of power may; before
    any other step it is the same as without.
    Returns the growing list of steps.
    """
    steps = _Steps(folder, at, torn)

    def announced(descriptor: int) -> None:
        # Not carried out: what a process wrote survives its death without, and this is faster.
        steps.reached("fsync", opened(descriptor))

    os.fsync = announced
    sys.addaudithook(steps.hook)
    return steps.seen


# A server that has imported the package once and has no threads (see conftest.py): its children
# start in 10 ms.
_context = multiprocessing.get_context("forkserver")


def in_child(work: Callable, *args: object) -> int | None:
    """Run a function in a child process; returns its exit code, negative for a signal."""
    child = _context.Process(target=work, args=args)
    child.start()
    child.join(240)
    assert child.exitcode is not None, "the child hangs"
    return child.exitcode


def interrupted(
    work: Callable, store: Path, habits: Path, at: int, torn: bool, log: Path | None = None
) -> None:
    """In a child: do some work on a store, and die before step ``at`` of it."""
    os.environ["GLASSDATA_FAKE"] = str(habits)
    seen = die_at(store, at, torn=torn)
    work(store)
    if log:
        log.write_text(json.dumps(seen))
