"""What a worker does: compute one row and publish it, or compare it with the published one.

This module does not use Dask. Tasks return receipts, never arrays.
"""

import faulthandler
import os
import platform
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController, threadpool_info

from glassdata.config import ALGORITHM_VERSION
from glassdata.errors import StructureError
from glassdata.origin import versions
from glassdata.row import RowError
from glassdata.store.errors import DamageError
from glassdata.store.losses import read_loss, record_loss
from glassdata.store.reading import recorded_row
from glassdata.store.rows import (
    NotFiniteError,
    conform,
    failed_row,
    publish_row,
    read_row,
    row_path,
    write_provenance,
)


class RowTimeoutError(RuntimeError):
    """A row took longer than its time limit; the worker that computed it was given up."""


#: Failures of the structure itself: the only ones that make a failed row. Whatever else is raised
#: says something of the machine or of the program; it is tried elsewhere and never published.
OF_THE_STRUCTURE = (RowError, StructureError, NotFiniteError)
#: Differences that recomputation on another processor type may show, relative and absolute.
TOLERANCE = 1e-3
#: One thread per row, because the order in which threads add numbers changes the last digits.
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)
#: Memory up to these sizes, in bytes, stays with the process when it is freed, as the C library of
#: Linux does by itself. Dask has it given back at once, and then every large array asks for its
#: pages again: a tenth of the time of a row or a network.
KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**26)}

# A worker with several threads computes one row after the other, because the limit of threads of
# the numerical libraries holds for the whole process.
_ONE_ROW = threading.Lock()

Row = Mapping[str, np.ndarray]
#: (system, profile, index, timings): the last receives the seconds of each stage.
Compute = Callable[[str, str, int, dict[str, float]], Row]


@dataclass(frozen=True)
class Receipt:
    """What a worker reports of a row: ``new``, ``existing``, ``conflict``, or a comparison.

    ``stages`` are the seconds of each stage of the computation, and their ``total``.
    """

    system: str
    index: int
    outcome: str
    failed: bool = False
    stages: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""

    @property
    def seconds(self) -> float:
        """Seconds that the computation took; 0 if there was none."""
        return self.stages.get("total", 0.0)


@dataclass(frozen=True)
class Task:
    """What all tasks of a build share; it is sent to the workers.

    ``row_timeout`` is the time limit of a row in seconds, None for no limit; ``algorithm`` the
    version of the algorithms that the rows are to be made with; ``not_compared`` the variables,
    by system, in which a recorded row may differ because another version computed them; ``code``
    the hash of the code that makes the rows, empty if they do not come from this package.
    """

    store: Path
    profile: str
    sizes: Mapping[str, Mapping[str, int]]
    compute: Compute
    identify: Callable[[str, str, int], str]
    row_timeout: float | None = None
    algorithm: int = ALGORITHM_VERSION
    not_compared: Mapping[str, frozenset[str]] = field(default_factory=dict)
    code: str = ""


def make_row(task: Task, name: str, index: int) -> tuple[Row, dict[str, float]]:
    """Compute a row, with the seconds of its stages.

    What is wrong with the structure itself, ``OF_THE_STRUCTURE``, becomes a failed row.

    Parameters
    ----------
    task : Task
        What every task of the build shares.
    name : str
        Name of the glass.
    index : int
        Number of the structure in its glass, from 0.

    Raises
    ------
    RowTimeoutError
        If the row already exceeded its time limit in another process.
    ImportError
        If another version of the algorithms is installed here.
    """
    if task.algorithm != ALGORITHM_VERSION:
        raise ImportError(
            f"{platform.node()} has version {ALGORITHM_VERSION} of the algorithms, "
            f"this build needs {task.algorithm}"
        )
    identity = task.identify(name, task.profile, index)
    timings: dict[str, float] = {}
    with _ONE_ROW, _controller().limit(limits=1), _time_limit(task, name, index):
        start = time.perf_counter()
        try:
            row = dict(task.compute(name, task.profile, index, timings))
            row = conform(row | {"row_id": identity, "status": "ok", "error": ""}, task.sizes[name])
        except OF_THE_STRUCTURE as error:
            row = failed_row(identity, str(error))
        return row, timings | {"total": time.perf_counter() - start}


@cache
def _controller() -> ThreadpoolController:
    # Finding the libraries takes milliseconds, so it is done once. Libraries that are loaded later
    # read the environment.
    os.environ.update(ONE_THREAD)
    return ThreadpoolController()


@contextmanager
def _time_limit(task: Task, name: str, index: int) -> Iterator[None]:
    """End this process if the row takes too long, because compiled code cannot be interrupted."""
    limit = task.row_timeout
    if limit is None:
        yield
        return
    earlier = read_loss(task.store, name, index)
    if earlier and (earlier.get("limit") or 0.0) >= limit:
        raise RowTimeoutError(earlier["reason"])
    reason = f"took longer than the {limit:g} s that a row may take, on {platform.node()}"

    def give_up() -> None:
        try:
            record_loss(task.store, name, index, reason, limit=limit)
        finally:
            os._exit(1)

    timer = threading.Timer(limit, give_up)
    timer.daemon = True
    timer.start()
    # If compiled code holds the interpreter, the timer above cannot run; this one still does.
    faulthandler.dump_traceback_later(1.1 * limit + 1.0, exit=True)
    try:
        yield
    finally:
        timer.cancel()
        faulthandler.cancel_dump_traceback_later()


def publish(task: Task, name: str, index: int) -> Receipt:
    """Compute a row and publish it; the outcome is ``new``, ``existing`` or ``conflict``.

    Parameters
    ----------
    task : Task
        What every task of the build shares.
    name : str
        Name of the glass.
    index : int
        Number of the structure in its glass, from 0.
    """
    if row_path(task.store, name, index).exists():
        return _existing(task, name, index)
    row, seconds = make_row(task, name, index)
    receipt = Receipt(name, index, "new", str(row["status"]) == "failed", seconds)
    try:
        new = publish_row(task.store, name, index, row)
    except DamageError as error:
        return replace(receipt, outcome="conflict", reason=str(error))
    if new:
        write_provenance(task.store, name, index, _circumstances(task, seconds, row))
    outcome = "new" if new else "existing"
    return replace(receipt, outcome=outcome, reason=str(row["error"]))


def _existing(task: Task, name: str, index: int) -> Receipt:
    # It was published after the driver had looked: by another driver, or by a worker that died
    # before its receipt arrived.
    try:
        row = read_row(task.store, name, index)
    except DamageError as error:
        return Receipt(name, index, "conflict", reason=str(error))
    failed = str(row["status"]) == "failed"
    return Receipt(name, index, "existing", failed, reason=str(row["error"]))


def _circumstances(task: Task, seconds: Mapping[str, float], row: Row) -> dict[str, Any]:
    made_by = {"versions": dict(versions())} | ({"code": task.code} if task.code else {})
    return {
        "seconds": {stage: round(value, 3) for stage, value in seconds.items()},
        "n_atoms": int(row.get("n_atoms", 0)),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **made_by,
        **_machine(),
    }


def processor() -> str:
    """Name of the processor of this machine."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


@cache
def _machine() -> dict[str, Any]:
    """Facts on the machine, which are the same for all rows of a process."""
    return {
        "host": platform.node(),
        "processor": processor(),
        "blas": [
            {key: library.get(key) for key in ("internal_api", "version", "architecture")}
            for library in threadpool_info()
        ],
    }


def compare(task: Task, name: str, index: int) -> Receipt:
    """Compute a published row again; the outcome is ``identical``, ``close`` or ``different``.

    ``identical`` means every byte, ``close`` all numbers within ``TOLERANCE``.

    Parameters
    ----------
    task : Task
        What every task of the build shares.
    name : str
        Name of the glass.
    index : int
        Number of the structure in its glass, from 0.
    """
    try:
        old = recorded_row(task.store, name, index)
    except DamageError as error:
        return Receipt(name, index, "different", reason=str(error))
    new, stages = make_row(task, name, index)
    keys = sorted((old.keys() | new.keys()) - task.not_compared.get(name, frozenset()))
    differ = [key for key in keys if not _same(old, new, key, 0.0)]
    if not differ:
        return Receipt(name, index, "identical", stages=stages)
    far = [key for key in differ if not _same(old, new, key, TOLERANCE)]
    reason = f"recomputed with other {', '.join(far or differ)}"
    return Receipt(name, index, "different" if far else "close", stages=stages, reason=reason)


def _same(old: Row, new: Row, key: str, tolerance: float) -> bool:
    if key not in old or key not in new or old[key].shape != new[key].shape:
        return False
    if tolerance and old[key].dtype.kind == "f":
        return np.allclose(old[key], new[key], rtol=tolerance, atol=tolerance, equal_nan=True)
    return old[key].tobytes() == new[key].tobytes()
