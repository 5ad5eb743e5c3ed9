"""Where rows are computed: processes of this machine, jobs of a batch system, a running scheduler.

Every row has a worker process with one thread to itself.
"""

import asyncio
import math
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import dask
from dask.distributed import Client, LocalCluster, Nanny, Security, Status, Worker, WorkerPlugin
from dask.utils import format_bytes, parse_bytes
from distributed.core import rpc
from distributed.system import MEMORY_LIMIT

from glassdata.engine.execution import Execution
from glassdata.engine.slurm import kept_jobs, slurm_job
from glassdata.engine.streaming import DEATHS
from glassdata.store import StoreError
from glassdata.worker import ONE_THREAD

#: Dask settings of a scheduler that we start.
SCHEDULER = {
    # With a saturation of one, a worker holds the row it computes and no other: when it dies,
    # no innocent row comes under suspicion.
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.scheduler.allowed-failures": DEATHS - 1,
    # Dask would dismiss a nanny, or a job, for good if its worker is not back the moment this time
    # is over, counted from any of its deaths. Whether it still runs, the nanny or the queue knows.
    "distributed.deploy.lost-worker-timeout": "1000 days",
}


@dataclass(frozen=True)
class Connection:
    """A connected client, and for how many workers there should be work before they have come."""

    client: Client
    expected: int


@contextmanager
def connect(execution: Execution, n_rows: int, needs: Mapping[str, float]) -> Iterator[Connection]:
    """Connect to workers for ``n_rows`` rows, starting them unless they run already.

    Parameters
    ----------
    execution
        Which cluster, how many workers and how much memory.
    n_rows
        Number of rows to compute; no more local workers than that are started.
    needs
        Memory of a row of each system, bytes.

    Raises
    ------
    ValueError
        If a worker lacks the memory for a row.
    StoreError
        If no scheduler answers, or the batch system cannot be used.
    """
    workers, limit = execution.workers, execution.memory_limit
    most = workers[1] if isinstance(workers, tuple) else workers
    with dask.config.set(SCHEDULER):
        if execution.cluster == "local":
            count = min(most or dask.system.CPU_COUNT, n_rows)
            memory = parse_bytes(limit) if limit else MEMORY_LIMIT // count
            _check_memory(memory, needs)
            with _local(count, memory) as client:
                yield Connection(client, 1)
        elif execution.cluster == "slurm":
            job = slurm_job(limit)
            _check_memory(parse_bytes(job["memory"]) / job["cores"], needs)
            # Execution does not let a batch system choose the number of workers.
            most = cast(int, most)
            count = math.ceil(min(most, n_rows) / job["cores"])
            with kept_jobs(job, count, execution.say) as client:
                yield Connection(client, most)
        else:
            with _running(execution.cluster) as client:
                _check_memory(_smallest_memory(client, execution.say), needs)
                yield Connection(client, 1)


@contextmanager
def _local(count: int, memory: int) -> Iterator[Client]:
    with _interrupts_ignored():
        local = LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            worker_class=_PersistentNanny,
            memory_limit=memory,
            dashboard_address="127.0.0.1:0",  # any free port: two builds may run side by side
            silence_logs="CRITICAL",
            env=ONE_THREAD,
        )
    with local, Client(local) as client:
        client.register_plugin(_LeaveInterruptsToDriver())
        yield client


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Processes that start meanwhile ignore Ctrl-C, too, before they could do so by themselves."""
    if threading.current_thread() is not threading.main_thread():
        yield  # which could not change it
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)


class _PersistentNanny(Nanny):
    """A nanny that restarts a worker also if it dies the moment it has begun.

    Dask restarts no worker that dies before its nanny has noted that it runs; a row that kills
    its worker at once would leave the build without workers, and waiting for ever.
    """

    async def _on_worker_exit(self, exitcode: int) -> None:
        while self.status == Status.starting:
            await asyncio.sleep(0.05)
        await super()._on_worker_exit(exitcode)


class _LeaveInterruptsToDriver(WorkerPlugin):
    """Ctrl-C reaches every process of a terminal; the driver alone acts on it, and quietly."""

    name = "glassdata-interrupts"

    def setup(self, worker: Worker) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _running(address: str) -> Iterator[Client]:
    # Asked before there is a client: one that could not connect is closed by the garbage collector,
    # and if that happens in the thread that starts the loop of the next client, both wait for ever.
    try:
        asyncio.run(_identity(address))
    except (OSError, ValueError, TypeError) as error:  # a TypeError: tls:// without certificates
        raise StoreError(f"no Dask scheduler answers at {address}: {error}") from None
    with Client(address, timeout="10s") as client:
        yield client


async def _identity(address: str) -> dict[str, Any]:
    """What the scheduler at ``address`` says of itself."""
    certificates = Security().get_connection_args("client")  # those of Dask's configuration
    async with rpc(address, timeout=10, connection_args=certificates) as scheduler:
        return await scheduler.identity()


def _smallest_memory(client: Client, say: Callable[[str], None]) -> float:
    """Bytes that the smallest worker may use; waits for the first worker to come."""
    if not client.nthreads():
        say(f"waiting for workers at {client.scheduler_info()['address']}")
        client.wait_for_workers(1)
    workers = client.scheduler_info()["workers"].values()
    return min((w["memory_limit"] for w in workers if w["memory_limit"]), default=math.inf)


def _check_memory(memory: float, needs: Mapping[str, float]) -> None:
    system = max(needs, key=needs.__getitem__, default=None)
    if system is not None and needs[system] > memory:
        raise ValueError(
            f"a row of {system} needs about {format_bytes(int(needs[system]))}, but a worker may "
            f"use only {format_bytes(int(memory))}: take fewer --workers or a larger --memory-limit"
        )
