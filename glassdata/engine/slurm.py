"""Jobs of SLURM in which workers run, kept until a build is over.

dask-jobqueue writes and submits the jobs. How many there are, and what becomes of those that end,
is decided here.
"""

import asyncio
import math
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask
from dask.distributed import Client, Status
from dask.utils import format_bytes, parse_bytes

from glassdata.engine.execution import Execution
from glassdata.engine.keys import key_in_files
from glassdata.engine.starting import closed, started
from glassdata.engine.stopped import replace_stopped
from glassdata.store import StoreError
from glassdata.worker import KEPT_MEMORY, ONE_THREAD

if TYPE_CHECKING:
    from dask_jobqueue import SLURMCluster

#: Share of its walltime after which a worker of a batch job takes no new row, and the share by
#: which this time differs between workers, so that not all of them ask for new jobs at once.
_LIFETIME, _STAGGER = 0.85, 0.05
#: Advice if no worker comes: only the user can find out whether jobs wait, or fail at once.
LOOK_AT_JOBS = ": see squeue, and what the jobs wrote (log-directory in jobqueue.yaml)"
#: Seconds between two looks at the queue, for jobs that ended.
_ROUND = 30.0


@contextmanager
def kept_jobs(job: dict, count: int, execution: Execution) -> Iterator[Client]:
    """Keep ``count`` jobs of the kind that ``slurm_job`` describes, and connect to their workers.

    Parameters
    ----------
    job : dict
        Keyword arguments of ``SLURMCluster``.
    count : int
        Number of jobs to keep.
    execution : Execution
        Has the function that tells the user, and how long to wait for the scheduler.

    Raises
    ------
    StoreError
        If SLURM refuses such jobs, or the key of the run cannot be kept from others.
    """
    from dask_jobqueue import SLURMCluster

    with ExitStack() as stack:
        security = stack.enter_context(key_in_files(_shared_folder()))
        make = partial(SLURMCluster, **job, security=security, silence_logs="ERROR")
        cluster: Any = stack.enter_context(closed(started(make, execution)))
        client = stack.enter_context(closed(Client(cluster)))
        _try_job(cluster.job_script())
        replace_stopped(client, execution.say)
        over = asyncio.Event()
        keeping = _keep_jobs(cluster, count, over, execution.say)
        kept = asyncio.run_coroutine_threadsafe(keeping, cluster.loop.asyncio_loop)
        try:
            yield client
        finally:
            cluster.loop.add_callback(over.set)
            kept.result()


def _shared_folder() -> Path:
    """Folder for the key of a run, which all jobs must see: by default the home folder."""
    configured = dask.config.get("jobqueue.slurm.shared-temp-directory", None)
    return Path(os.path.expandvars(configured or "~")).expanduser()


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
            say(f"SLURM did not take all jobs, and is asked again: {refusal}")
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
        # The traceback of the error would keep references to jobs that the cluster has closed.
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
        # When it closes, a cluster expects this state of all jobs that it ever had.
        cluster.workers.pop(name).status = Status.closed


def _try_job(script: str) -> None:
    """Let SLURM check a job before any is submitted: after a later refusal we would wait for ever.

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
    exports = [f"export {name}={value}" for name, value in (ONE_THREAD | KEPT_MEMORY).items()]
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
        If the text is not a walltime.
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
