"""Where rows are computed: processes of this machine, jobs of a batch system, a running scheduler.

Every row has a worker process with one thread to itself.
"""

import asyncio
import math
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any, cast

import dask
from dask.distributed import Client, LocalCluster, Nanny, Security, Status
from dask.utils import format_bytes, parse_bytes
from distributed.core import rpc
from distributed.system import MEMORY_LIMIT

from glassdata.engine import overdue
from glassdata.engine.execution import Execution
from glassdata.engine.keys import fresh_key
from glassdata.engine.overdue import Overdue
from glassdata.engine.slurm import LOOK_AT_JOBS, kept_jobs, slurm_job
from glassdata.engine.starting import closed, started
from glassdata.engine.stopped import replace_stopped
from glassdata.engine.streaming import DEATHS
from glassdata.store import StoreError
from glassdata.worker import KEPT_MEMORY, ONE_THREAD

#: Dask settings of a scheduler that we start, and of its workers on this machine.
SCHEDULER: dict[str, Any] = {
    **{f"distributed.nanny.pre-spawn-environ.{name}": size for name, size in KEPT_MEMORY.items()},
    # With a saturation of one, a worker holds only the row that it computes. If it dies, the deaths
    # of other rows are not counted.
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.scheduler.allowed-failures": DEATHS - 1,
    # Dask would give up a nanny, or a job, for ever if its worker is not back after this time,
    # counted from any of its deaths. The nanny or the queue knows better whether it still runs.
    "distributed.deploy.lost-worker-timeout": "1000 days",
}


@dataclass(frozen=True)
class Connection:
    """A connected client, the number of workers to send rows for at first, and their judge."""

    client: Client
    expected: int
    judge: Overdue


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
    own = {"distributed.scheduler.worker-ttl": execution.worker_timeout}
    with dask.config.set(SCHEDULER | own):
        if execution.cluster == "local":
            count = min(most or dask.system.CPU_COUNT, n_rows)
            memory = parse_bytes(limit) if limit else MEMORY_LIMIT // count
            _check_memory(memory, needs)
            with _local(count, memory, execution) as client:
                yield Connection(client, 1, Overdue(execution))
        elif execution.cluster == "slurm":
            job = slurm_job(limit)
            _check_memory(parse_bytes(job["memory"]) / job["cores"], needs)
            # Execution does not let a batch system choose the number of workers.
            most = cast(int, most)
            count = math.ceil(min(most, n_rows) / job["cores"])
            with kept_jobs(job, count, execution) as client:
                yield Connection(client, most, Overdue(execution, LOOK_AT_JOBS))
        else:
            with _running(execution.cluster) as client:
                _check_memory(_smallest_memory(client, execution), needs)
                yield Connection(client, 1, Overdue(execution, f"; at {execution.cluster}"))


@contextmanager
def _local(count: int, memory: int, execution: Execution) -> Iterator[Client]:
    # Only processes with the key of this run can connect to its scheduler and workers, and only
    # from this machine. Without a key every user of the machine could let them run anything.
    make = partial(
        LocalCluster,
        n_workers=count,
        threads_per_worker=1,
        worker_class=_PersistentNanny,
        memory_limit=memory,
        host="127.0.0.1",
        security=fresh_key(),
        dashboard_address="127.0.0.1:0",  # any free port: two builds may run side by side
        silence_logs="CRITICAL",
        env=ONE_THREAD,
    )
    with closed(started(make, execution)) as local, closed(Client(local)) as client:
        replace_stopped(client, execution.say)
        yield client


class _PersistentNanny(Nanny):
    """A nanny that also restarts a worker which dies immediately after its start.

    Dask does not restart a worker that dies before its nanny has noted that it runs. A row that
    kills its worker at once would leave the build without workers, and it would wait for ever.
    """

    async def _on_worker_exit(self, exitcode: int) -> None:
        while self.status == Status.starting:
            await asyncio.sleep(0.05)
        await super()._on_worker_exit(exitcode)


@contextmanager
def _running(address: str) -> Iterator[Client]:
    # The scheduler is asked before a client is made. The garbage collector closes a client that
    # could not connect, and if it does so in the thread that starts the loop of the next client,
    # both wait for ever.
    try:
        # In a thread of its own, for in a notebook this one has a loop that runs.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _identity(address)).result()
    except (OSError, ValueError, TypeError) as error:  # a TypeError: tls:// without certificates
        raise StoreError(f"no Dask scheduler answers at {address}: {error}") from None
    with closed(Client(address, timeout="10s")) as client:
        yield client


async def _identity(address: str) -> dict[str, Any]:
    """What the scheduler at ``address`` says about itself."""
    certificates = Security().get_connection_args("client")  # those of Dask's configuration
    async with rpc(address, timeout=10, connection_args=certificates) as scheduler:
        return await scheduler.identity()


def _smallest_memory(client: Client, execution: Execution) -> float:
    """Bytes that the smallest worker may use; waits for the first worker to come.

    Raises
    ------
    StoreError
        If none comes in time.
    """
    began, address = monotonic(), execution.cluster
    while not client.nthreads():
        left = execution.patience - (monotonic() - began)
        if left <= 0:
            raise StoreError(
                f"no worker came to {address} within {execution.patience:g} s (--wait)"
            )
        execution.say(f"waiting for workers at {address}, for at most {execution.patience:g} s")
        with suppress(TimeoutError):
            client.wait_for_workers(1, timeout=min(left, overdue.AGAIN))
    workers = client.scheduler_info()["workers"].values()
    return min((w["memory_limit"] for w in workers if w["memory_limit"]), default=math.inf)


def _check_memory(memory: float, needs: Mapping[str, float]) -> None:
    system = max(needs, key=needs.__getitem__, default=None)
    if system is not None and needs[system] > memory:
        raise ValueError(
            f"a row of {system} needs about {format_bytes(int(needs[system]))}, but a worker may "
            f"use only {format_bytes(int(memory))}: take fewer --workers or a larger --memory-limit"
        )
