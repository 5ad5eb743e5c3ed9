"""Work done in processes of its own, whose memory nothing has touched before.

What earlier tests have freed, or reserved for threads, stays with their process: a limit of its
address space then means little. And threads that others run there, as those which report results
when tests run side by side, would be refused memory too. So a process that has only loaded what the
work needs is forked for each piece of it.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TypeVar

import cloudpickle

Result = TypeVar("Result")


class Apart:
    """Calls functions in forks of a process that has loaded a module."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.process: subprocess.Popen | None = None

    def __call__(self, work: Callable[[], Result]) -> Result:
        """What the work returns; its errors are raised here."""
        if self.process is None:
            path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
            self.process = subprocess.Popen(
                [sys.executable, "-c", f"import apart; apart.serve({self.module!r})"],
                env=os.environ | {"PYTHONPATH": path},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        pickle.dump(cloudpickle.dumps(work), self.process.stdin)
        self.process.stdin.flush()
        result, error = pickle.load(self.process.stdout)
        if error is not None:
            raise error
        return result


def serve(module: str) -> None:
    """Do what comes on standard input, each in a fork; ends with the process that sends it."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the work prints is no answer
    import_module(module)
    while True:
        try:
            work = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        child = os.fork()
        if child == 0:
            _answer(work, answers)
        _, status = os.waitpid(child, 0)
        if status:
            died = RuntimeError(f"the process ended with status {status}")
            answers.write(pickle.dumps((None, died)))
            answers.flush()


def _answer(work: bytes, answers) -> None:
    """Never returns: ends this process."""
    status = 1
    try:
        try:
            answer = pickle.loads(work)(), None
        except Exception as error:
            answer = None, error
        answers.write(pickle.dumps(answer))
        answers.flush()
        status = 0
    finally:
        os._exit(status)
