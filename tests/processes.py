"""Builds, schedulers and workers as separate processes that can be killed."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

HERE = Path(__file__).parent
_ENVIRONMENT = {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
#: Nothing here takes longer, however busy the machine.
PATIENCE = 240.0


class Group(subprocess.Popen):
    """A process in a process group of its own; leaving the context kills what is left of it."""

    def __init__(
        self, arguments: list[object], habits: Path | None = None, **environment: str
    ) -> None:
        own = {"GLASSDATA_FAKE": str(habits)} if habits else {}
        # A pipe would have to be read.
        self.output = tempfile.TemporaryFile()  # noqa: SIM115
        super().__init__(
            [sys.executable, *map(str, arguments)],
            env=os.environ | _ENVIRONMENT | own | environment,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __exit__(self, *_: object) -> None:
        for process in self.members():
            process.kill()
        self.wait()
        self.output.close()

    def finish(self) -> int:
        """Exit status; a process that hangs is a failure."""
        return self.wait(PATIENCE)

    def said(self) -> str:
        """What the processes wrote until now."""
        self.output.seek(0)
        return self.output.read().decode()

    def members(self) -> list[psutil.Process]:
        """Processes of the group that still run."""
        return [p for p in psutil.process_iter() if _group(p.pid) == self.pid and _runs(p)]

    def worker_processes(self) -> list[psutil.Process]:
        """Those of them that Dask started to compute rows."""
        return [p for p in self.members() if p.pid != self.pid and "spawn_main" in _command(p)]


def build(store: Path, habits: Path, *options: object, **environment: str) -> Group:
    """The command ``glassdata build`` on the fake glasses."""
    command = [HERE / "fake_command.py", "build", store, "--no-progress", *options]
    return Group(command, habits, **environment)


def scheduler(port: int, *more: object) -> Group:
    """A Dask scheduler that nobody else starts or stops."""
    where = ["--host", "127.0.0.1", "--port", port]
    return Group(["-m", "dask", "scheduler", *where, "--no-dashboard", "--no-show", *more])


def workers(port: int, habits: Path, count: int = 2, *more: object) -> Group:
    """Dask workers that nobody else starts or stops."""
    options = ["--nworkers", count, "--nthreads", 1, "--no-dashboard", "--local-directory", habits]
    return Group(["-m", "dask", "worker", f"tcp://127.0.0.1:{port}", *options, *more], habits)


def listens(port: int) -> bool:
    """Whether somebody listens at a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def kill_after(process: Group, delay: float) -> bool:
    """SIGKILL the leader of a group; False if it ended by itself before."""
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        return process.wait() == -signal.SIGKILL
    return False


def wait_until(condition, what: str) -> None:
    """Wait for something that must happen."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.02)


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return -1


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
