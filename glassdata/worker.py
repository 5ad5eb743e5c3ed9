"""What a worker does: compute one row and publish it, or compare it with the published one.

Nothing here knows about Dask. Tasks return receipts, never arrays.
"""

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from glassdata.row import RowError
from glassdata.store.errors import DamageError
from glassdata.store.rows import (
    conform,
    failed_row,
    publish_row,
    read_row,
    row_path,
    write_provenance,
)
from glassdata.store.sealing import versions

#: Failures of the machine or its installation rather than of the structure; tried again, never
#: published.
TRANSIENT = (OSError, MemoryError, ImportError)
#: Differences that recomputation on another processor type may show, relative and absolute.
TOLERANCE = 1e-3

Row = Mapping[str, np.ndarray]
#: (system, profile, index, timings): the last receives the seconds of each stage.
Compute = Callable[[str, str, int, dict[str, float]], Row]


@dataclass(frozen=True)
class Receipt:
    """What a worker reports of a row: ``new``, ``existing``, ``conflict``, or a comparison."""

    system: str
    index: int
    outcome: str
    failed: bool = False
    seconds: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class Task:
    """What every task of a build shares; travels to the workers."""

    store: Path
    profile: str
    sizes: Mapping[str, Mapping[str, int]]
    compute: Compute
    identify: Callable[[str, str, int], str]


def make_row(task: Task, name: str, index: int) -> tuple[Row, dict[str, float]]:
    """Compute a row, with the seconds of its stages.

    Whatever is wrong with the structure itself becomes a failed row.
    """
    identity, timings = task.identify(name, task.profile, index), {}
    start = time.perf_counter()
    try:
        with threadpool_limits(1):
            row = dict(task.compute(name, task.profile, index, timings))
        row = conform(row | {"row_id": identity, "status": "ok", "error": ""}, task.sizes[name])
    except TRANSIENT:
        raise
    except Exception as error:
        row = failed_row(identity, _reason(error))
    return row, timings | {"total": time.perf_counter() - start}


def _reason(error: Exception) -> str:
    # A RowError explains itself; the name of any other error is half of its meaning.
    return str(error) if isinstance(error, RowError) else f"{type(error).__name__}: {error}"


def publish(task: Task, name: str, index: int) -> Receipt:
    """Compute a row and publish it; the outcome is ``new``, ``existing`` or ``conflict``."""
    if row_path(task.store, name, index).exists():
        return _existing(task, name, index)
    row, seconds = make_row(task, name, index)
    receipt = Receipt(name, index, "new", str(row["status"]) == "failed", seconds["total"])
    try:
        new = publish_row(task.store, name, index, row)
    except DamageError as error:
        return replace(receipt, outcome="conflict", reason=str(error))
    if new:
        write_provenance(task.store, name, index, _circumstances(seconds, row))
    outcome = "new" if new else "existing"
    return replace(receipt, outcome=outcome, reason=str(row["error"]))


def _existing(task: Task, name: str, index: int) -> Receipt:
    # Published after the driver looked: by another driver, or by this worker's predecessor, whose
    # receipt was lost with it.
    try:
        row = read_row(task.store, name, index)
    except DamageError as error:
        return Receipt(name, index, "conflict", reason=str(error))
    failed = str(row["status"]) == "failed"
    return Receipt(name, index, "existing", failed, reason=str(row["error"]))


def _circumstances(seconds: Mapping[str, float], row: Row) -> dict[str, Any]:
    return {
        "seconds": {stage: round(value, 3) for stage, value in seconds.items()},
        "n_atoms": int(row.get("n_atoms", 0)),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "host": platform.node(),
        "processor": platform.processor() or platform.machine(),
        "blas": [
            {key: library.get(key) for key in ("internal_api", "version", "architecture")}
            for library in threadpool_info()
        ],
        "versions": versions(),
    }


def compare(task: Task, name: str, index: int) -> Receipt:
    """Compute a published row again; the outcome is ``identical``, ``close`` or ``different``.

    ``identical`` means every byte, ``close`` all numbers within ``TOLERANCE``.
    """
    try:
        old = read_row(task.store, name, index)
    except DamageError as error:
        return Receipt(name, index, "different", reason=str(error))
    new, timings = make_row(task, name, index)
    seconds = timings["total"]
    differ = [key for key in sorted(old.keys() | new.keys()) if not _same(old, new, key, 0.0)]
    if not differ:
        return Receipt(name, index, "identical", seconds=seconds)
    far = [key for key in differ if not _same(old, new, key, TOLERANCE)]
    reason = f"recomputed with other {', '.join(far or differ)}"
    return Receipt(name, index, "different" if far else "close", seconds=seconds, reason=reason)


def _same(old: Row, new: Row, key: str, tolerance: float) -> bool:
    if key not in old or key not in new or old[key].shape != new[key].shape:
        return False
    if tolerance and old[key].dtype.kind == "f":
        return np.allclose(old[key], new[key], rtol=tolerance, atol=tolerance, equal_nan=True)
    return old[key].tobytes() == new[key].tobytes()
