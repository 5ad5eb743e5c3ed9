"""The build: missing rows to Dask, rows published by the workers, the dataset sealed at the end.

Execution is at least once, its effect exactly once: workers publish write-once files and return
receipts, and only files on the disk count. A scheduler that dies leaves its futures cancelled and
iteration over them ends as if all were well; the rows are hence counted again afterwards.
"""

import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

import dask
from dask.distributed import Client, Future, LocalCluster, Worker, WorkerPlugin, as_completed
from tqdm import tqdm

from glassdata.row import compute_row, row_id
from glassdata.store import StoreError, is_sealed, prepare, read_config, science_config, seal
from glassdata.store.places import absolute
from glassdata.store.rows import dimension_sizes
from glassdata.store.settings import goal_counts, missing_rows, read_plan, sealed_counts
from glassdata.system import System
from glassdata.systems import SYSTEMS, glasses
from glassdata.worker import Compute, Receipt, Task, compare, publish

#: How often a row is tried again after a failure of the machine.
RETRIES = 2

#: Rows in the hands of the scheduler, per worker: enough to keep all busy, few to lose.
_WINDOW = 4

_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Source:
    """Where rows come from: systems by name, the row function, and the identity of a row.

    ``compute`` takes ``(system, profile, index, timings)``, ``identify`` the first three of them.
    Workers must be able to import both.
    """

    systems: Mapping[str, System] = field(default_factory=lambda: SYSTEMS)
    compute: Compute = field(default_factory=lambda: compute_row)
    identify: Callable[[str, str, int], str] = field(default_factory=lambda: row_id)


def source_with(setfl: Path | None) -> Source:
    """The glasses of this package, with a setfl file also ``cualzr_sheng``.

    The file travels by its path: workers must see it too.
    """
    if setfl is None:
        return Source()
    path = setfl.absolute()
    return Source(glasses(path), partial(_compute_with, path), partial(_identify_with, path))


def _compute_with(setfl: Path, name: str, profile: str, index: int, timings: dict) -> dict:
    return compute_row(glasses(setfl)[name], profile, index, timings)


def _identify_with(setfl: Path, name: str, profile: str, index: int) -> str:
    return row_id(glasses(setfl)[name], profile, index)


@dataclass(frozen=True)
class Outcome:
    """Result of a build. ``lost`` are rows that were asked for and are not on the disk."""

    goal: Mapping[str, int]
    receipts: tuple[Receipt, ...]
    problems: tuple[str, ...]
    lost: tuple[tuple[str, int], ...]
    conflict: bool

    @property
    def complete(self) -> bool:
        """Whether every row is there and the dataset is sealed."""
        return not self.lost and not self.conflict


def build(
    store: str | Path,
    *,
    profile: str = "demo",
    names: Iterable[str] | None = None,
    limit: int | None = None,
    workers: int | None = None,
    cluster: str = "local",
    progress: bool | None = None,
    source: Source | None = None,
) -> Outcome:
    """Compute the rows that a store lacks, then seal its dataset.

    Parameters
    ----------
    names
        Systems to build; all of them by default.
    limit
        Only the first structures of every system.
    workers
        Number of processes of a local cluster; by default one per processor.
    cluster
        ``"local"``, or the address of a Dask scheduler whose workers see the same folder.
    progress
        Whether to show a bar; None shows it on a terminal only.

    Raises
    ------
    ValueError
        For arguments out of range; nothing was written then.
    StoreError
        If the store was built with another configuration, or is damaged.
    """
    source = source or Source()
    _check_execution(workers, cluster)
    counts = goal_counts(source.systems, profile, names or source.systems, limit)
    how = _Execution(cluster, workers, progress)
    return _complete(absolute(store), profile, counts, source, how, reseal=False)


def repair(
    store: str | Path,
    *,
    workers: int | None = None,
    progress: bool | None = None,
    source: Source | None = None,
) -> Outcome:
    """Compute the sealed rows that are no longer there, and seal the dataset anew."""
    source = source or Source()
    folder = absolute(store)
    _check_execution(workers, "local")
    counts = sealed_counts(folder) or read_plan(folder)
    goal_counts(source.systems, read_config(folder).profile, counts, None)
    how = _Execution("local", workers, progress)
    return _complete(folder, read_config(folder).profile, counts, source, how, reseal=True)


@dataclass(frozen=True)
class _Execution:
    cluster: str
    workers: int | None
    progress: bool | None


def _complete(
    folder: Path,
    profile: str,
    counts: Mapping[str, int],
    source: Source,
    how: _Execution,
    *,
    reseal: bool,
) -> Outcome:
    chosen = {name: source.systems[name] for name in counts}
    goal = prepare(folder, science_config(chosen, profile), counts)
    todo = missing_rows(folder, {name: goal[name] for name in counts})
    receipts, problems = [], []
    if todo:
        with _client(how.cluster, how.workers, len(todo)) as client:
            results = _stream(client, publish, _task(folder, profile, source), todo)
            receipts, problems = _collect(results, len(todo), how.progress)
    lost = tuple(missing_rows(folder, goal))
    # A row that failed on one worker may have been published by another driver meanwhile; only
    # rows that disagree keep the dataset from being sealed.
    conflict = any(receipt.outcome == "conflict" for receipt in receipts)
    if not lost and not conflict and (reseal or not is_sealed(folder, goal)):
        seal(folder, source.systems, goal, identify=source.identify)
    return Outcome(goal, tuple(receipts), tuple(problems), lost, conflict)


def recompute(
    store: str | Path,
    rows: Iterable[tuple[str, int]],
    *,
    workers: int | None = None,
    progress: bool | None = None,
    source: Source | None = None,
) -> tuple[list[Receipt], list[str]]:
    """Compute published rows again and compare.

    Returns
    -------
    receipts, problems
        The outcome of a receipt is ``identical`` (every byte), ``close`` (numbers within
        ``TOLERANCE``, as on another processor type) or ``different``, with the reason.
    """
    source = source or Source()
    folder = absolute(store)
    todo = list(rows)
    _check_execution(workers, "local")
    task = _task(folder, read_config(folder).profile, source)
    with _client("local", workers, len(todo)) as client:
        return _collect(_stream(client, compare, task, todo), len(todo), progress)


def _check_execution(workers: int | None, cluster: str) -> None:
    if workers is not None and workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    if cluster != "local" and "://" not in cluster:
        raise ValueError(f"cluster must be 'local' or an address like tcp://..., got {cluster!r}")


def _task(folder: Path, profile: str, source: Source) -> Task:
    sizes = {name: dimension_sizes(system) for name, system in source.systems.items()}
    return Task(folder, profile, sizes, source.compute, source.identify)


@contextmanager
def _client(cluster: str, workers: int | None, n_rows: int) -> Iterator[Client]:
    # With a saturation of one, a worker holds the row it computes and no other: when it dies,
    # no innocent row comes under suspicion.
    with dask.config.set({"distributed.scheduler.worker-saturation": 1.0}):
        if cluster != "local":
            with _connect(cluster) as client:
                yield client
            return
        count = min(workers or dask.system.CPU_COUNT, n_rows)
        local = LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",  # any free port: two builds may run side by side
            silence_logs="CRITICAL",
            env=_ONE_THREAD,
        )
        with local, Client(local) as client:
            client.register_plugin(_LeaveInterruptsToDriver())
            yield client


class _LeaveInterruptsToDriver(WorkerPlugin):
    """Ctrl-C reaches every process of a terminal; the driver alone acts on it, and quietly."""

    name = "glassdata-interrupts"

    def setup(self, worker: Worker) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def _connect(address: str) -> Client:
    try:
        return Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise StoreError(f"no Dask scheduler answers at {address}: {error}") from None


def _stream(
    client: Client,
    function: Callable[[Task, str, int], Receipt],
    task: Task,
    todo: list[tuple[str, int]],
) -> Iterator[Receipt | str]:
    """Receipts, or descriptions of what went wrong, in order of completion."""
    left = iter(todo)

    def submit(count: int) -> list[Future]:
        return [
            client.submit(function, task, name, index, key=(name, index), retries=RETRIES)
            for name, index in islice(left, count)
        ]

    window = _WINDOW * max(sum(client.nthreads().values()), 1)
    running = as_completed(submit(window))
    for future in running:
        name, index = future.key
        if future.status == "finished":
            yield future.result()
        elif future.status == "error":
            yield f"{name} {index}: {_describe(future.exception())}"
        else:
            yield f"{name} {index}: {future.status}, the scheduler no longer answers"
        if client.status == "running":
            running.update(submit(1))


def _collect(
    results: Iterator[Receipt | str], total: int, progress: bool | None
) -> tuple[list[Receipt], list[str]]:
    receipts, problems = [], []
    disable = None if progress is None else not progress
    with tqdm(total=total, unit="row", disable=disable, smoothing=0.1) as bar:
        for result in results:
            if isinstance(result, str):
                problems.append(result)
            else:
                receipts.append(result)
                if result.outcome in ("conflict", "different"):
                    problems.append(f"{result.system} {result.index}: {result.reason}")
            bar.update()
    return receipts, problems


def _describe(error: BaseException) -> str:
    name = type(error).__name__
    if name == "KilledWorker":
        return "its worker died again and again (out of memory, or a crash in compiled code)"
    return f"{name}: {error}" if str(error) else name
