"""Where rows are computed: processes of this machine, jobs of a batch system, a running scheduler.

Every row has a worker process with one thread to itself.
"""

import asyncio
import math
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dask
from dask.distributed import Client, LocalCluster, Nanny, Status, Worker, WorkerPlugin
from dask.utils import format_bytes, parse_bytes
from distributed.system import MEMORY_LIMIT

from glassdata.engine.execution import Execution
from glassdata.engine.streaming import DEATHS
from glassdata.store import StoreError
from glassdata.worker import ONE_THREAD

if TYPE_CHECKING:
    from dask_jobqueue import SLURMCluster

#: Dask settings of a scheduler that we start.
SCHEDULER = {
    # With a saturation of one, a worker holds the row it computes and no other: when it dies,
    # no innocent row comes under suspicion.
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.scheduler.allowed-failures": DEATHS - 1,
}
# Dask would dismiss a nanny, or a job, for good if its worker is not back the moment this time is
# over, counted from any of its deaths. Whether it still runs, the nanny or the queue knows better.
_NEVER_DISMISSED = {"distributed.deploy.lost-worker-timeout": "1000 days"}
#: Share of its walltime after which a worker of a batch job takes no new row, and the share by
#: which this moment differs between workers: not all of them end, and ask for new jobs, at once.
_LIFETIME, _STAGGER = 0.85, 0.05
#: Seconds without a worker after which somebody should look.
_PATIENCE = 300.0
#: Seconds between two looks at the queue, for jobs that ended.
_ROUND = 30.0


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
            count = math.ceil(min(most, n_rows) / job["cores"])
            with (
                _slurm(job, count, execution.say) as client,
                _word_if_nobody_comes(client, execution.say),
            ):
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
    with dask.config.set(_NEVER_DISMISSED), local, Client(local) as client:
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
    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError, TypeError) as error:  # a TypeError: tls:// without certificates
        raise StoreError(f"no Dask scheduler answers at {address}: {error}") from None
    with client:
        yield client


@contextmanager
def _slurm(job: dict, count: int, say: Callable[[str], None]) -> Iterator[Client]:
    from dask_jobqueue import SLURMCluster

    with (
        dask.config.set(_NEVER_DISMISSED),
        SLURMCluster(**job, silence_logs="ERROR") as cluster,
        Client(cluster) as client,
    ):
        _try_job(cluster.job_script())
        over = asyncio.Event()
        keeping = _keep_jobs(cluster, count, over, say)
        kept = asyncio.run_coroutine_threadsafe(keeping, cluster.loop.asyncio_loop)
        try:
            yield client
        finally:
            cluster.loop.add_callback(over.set)
            kept.result()


async def _keep_jobs(
    cluster: "SLURMCluster", count: int, over: asyncio.Event, say: Callable[[str], None]
) -> None:
    """Keep ``count`` jobs in the queue until it is over: one that ended is replaced.

    Dask's own adaptation counts workers, and only those that once came. It notices neither the end
    of a job with several workers nor that of a job without any. Should the queue never list our
    jobs, as those that are sent to another cluster (``sbatch --clusters``), none is replaced.
    """
    while len(cluster.worker_spec) < count:
        cluster.worker_spec.update(cluster.new_worker_spec())
    said, listed, pause = None, False, 0.0
    while not over.is_set():
        refusal = await _submit_missing(cluster)
        if refusal and refusal != said:
            said = refusal
            say(f"SLURM took not all jobs, which is tried again: {refusal}")
        try:
            await asyncio.wait_for(over.wait(), pause)
        except TimeoutError:
            here, gone = await _look(cluster)
            listed, pause = listed or bool(here), _ROUND
            if listed:
                _forget(cluster, gone)


async def _submit_missing(cluster: "SLURMCluster") -> str | None:
    """Submit the jobs that should be there and are not; returns why that failed, if it did."""
    try:
        await cluster._correct_state()
    except (OSError, RuntimeError, ValueError) as error:
        _forget(cluster, {name for name, job in cluster.workers.items() if job.job_id is None})
        # Through its traceback the error would keep jobs alive that the cluster has long closed.
        error.__traceback__ = None
        return (str(error).strip().splitlines() or [type(error).__name__])[-1]
    return None


async def _look(cluster: "SLURMCluster") -> tuple[set[str], set[str]]:
    """Names of the jobs that the queue lists, and of those it does not; none if it is not there."""
    # Jobs submitted while squeue runs are not in its answer.
    known = {name: job.job_id for name, job in cluster.workers.items()}
    # A user's settings of squeue may hide jobs that wait.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("SQUEUE_")}
    command = ["squeue", "--noheader", "--format=%A", "--me"]
    try:
        listed = (await cluster.job_cls._call(command, env=plain)).split()
    except (OSError, RuntimeError):
        return set(), set()
    here = {name for name, number in known.items() if number in listed}
    return here, known.keys() - here


def _forget(cluster: "SLURMCluster", names: set[str]) -> None:
    for name in names:
        # When it closes, a cluster insists on this state of all jobs that it ever had.
        cluster.workers.pop(name).status = Status.closed


@contextmanager
def _word_if_nobody_comes(client: Client, say: Callable[[str], None]) -> Iterator[None]:
    """Jobs may wait in a queue for good reason, or end at once for a bad one: only people know."""
    over, began = threading.Event(), time.monotonic()

    def look() -> None:
        while not over.wait(_PATIENCE):
            if not client.nthreads():
                minutes = (time.monotonic() - began) / 60
                say(
                    f"no worker is there after {minutes:.0f} min: see squeue, and what the jobs "
                    "wrote (log-directory in jobqueue.yaml)"
                )

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _try_job(script: str) -> None:
    """Let SLURM judge a job before any is submitted: a refusal later would be waited out for ever.

    Raises
    ------
    StoreError
        With what SLURM says.
    """
    command = ["sbatch", "--test-only"]
    try:
        answer = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise StoreError("SLURM is not installed here: there is no sbatch") from None
    if answer.returncode:
        reason = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise StoreError(f"SLURM refuses the jobs that jobqueue.yaml describes: {reason}")


def slurm_job(memory_limit: str | None) -> dict:
    """Arguments of a batch job of one-threaded workers, from the user's ``jobqueue.yaml``.

    Raises
    ------
    StoreError
        If dask-jobqueue is missing, or the configuration does not say what a job may take.
    """
    try:
        import dask_jobqueue  # noqa: F401  its defaults enter the configuration
    except ImportError:
        raise StoreError("SLURM needs dask-jobqueue: pip install 'glassdata[slurm]'") from None

    def configured(key: str):
        return dask.config.get(f"jobqueue.slurm.{key}", None)

    cores, memory = configured("cores"), configured("memory")
    if cores is None or not memory:
        raise StoreError(
            "SLURM needs to know cores and memory of a job: write them into "
            "~/.config/dask/jobqueue.yaml (the chapter 'Running on a cluster' has an example)"
        )
    if type(cores) is not int or cores < 1:
        raise StoreError(f"cores in jobqueue.yaml must be a whole number above 0, got {cores!r}")
    if memory_limit:
        memory = parse_bytes(memory_limit) * cores
    arguments = list(configured("worker-extra-args") or [])
    if not any(argument.partition("=")[0] == "--lifetime" for argument in map(str, arguments)):
        seconds = walltime_seconds(configured("walltime"))
        arguments += ["--lifetime", f"{math.floor(_LIFETIME * seconds)}s"]
        arguments += ["--lifetime-stagger", f"{math.floor(_STAGGER * seconds)}s"]
    exports = [f"export {name}={value}" for name, value in ONE_THREAD.items()]
    return {
        "cores": cores,
        "processes": cores,
        "memory": format_bytes(parse_bytes(memory)),
        "worker_extra_args": arguments,
        # Any free port, so that two builds may run on one login node.
        "scheduler_options": {"dashboard_address": ":0"} | (configured("scheduler-options") or {}),
        "job_script_prologue": [*(configured("job-script-prologue") or []), *exports],
    }


def walltime_seconds(text: str | int) -> float:
    """Seconds of a walltime as SLURM writes it: minutes, H:M:S, M:S, D-H, D-H:M or D-H:M:S.

    Raises
    ------
    StoreError
        If it is no walltime.
    """
    days, _, rest = str(text).rpartition("-")
    try:
        fields = [int(field) for field in rest.split(":")]
        units = (3600, 60, 1) if days or len(fields) > 2 else (60, 1)
        seconds = 86400 * int(days or 0) + sum(a * b for a, b in zip(fields, units, strict=False))
        if len(fields) > len(units):
            seconds = 0
    except ValueError:
        seconds = 0
    if seconds <= 0:
        raise StoreError(f"walltime {text!r} in jobqueue.yaml is not of the form D-HH:MM:SS")
    return float(seconds)


def _smallest_memory(client: Client, say: Callable[[str], None]) -> float:
    """Bytes that the smallest worker may use; waits for the first worker to come."""
    if not client.nthreads():
        say(f"waiting for workers at {client.scheduler.address}")
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
