"""Rows that could not be had, each with its reason: side files, outside the compared bytes.

A loss is no result: it may come from the machine as well as from the structure, so it is never
published as a row, and the next build tries again.
"""

import platform
import time
from collections.abc import Iterable
from pathlib import Path

from glassdata.store.errors import DamageError
from glassdata.store.records import read_side_file, write_record
from glassdata.store.rows import PROVENANCE, row_path

_LOST = "lost"


def _path(store: Path, system: str, index: int) -> Path:
    return store / PROVENANCE / _LOST / f"{system}-{index:06d}.json"


def record_loss(
    store: Path, system: str, index: int, reason: str, *, limit: float | None = None
) -> None:
    """Record why a row is missing.

    Parameters
    ----------
    store : Path
        Folder of the store, or its place on an object store.
    system : str
        Name of the glass.
    index : int
        Number of the structure in its glass, from 0.
    reason : str
        One sentence.
    limit : float or None
        Time limit that was exceeded, s; None if the reason is another.
    """
    facts = {
        "system": system,
        "index": index,
        "reason": reason,
        "limit": limit,
        "host": platform.node(),
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    write_record(_path(store, system, index), facts)


def read_loss(store: Path, system: str, index: int) -> dict | None:
    """What is recorded of a lost row; None if nothing is, or nothing readable.

    Parameters
    ----------
    store : Path
        Folder of the store, or its place on an object store.
    system : str
        Name of the glass.
    index : int
        Number of the structure in its glass, from 0.
    """
    try:
        facts = read_side_file(_path(store, system, index))
    except (OSError, DamageError):
        return None
    return facts if "reason" in facts else None


def losses(store: Path) -> dict[tuple[str, int], str]:
    """Reasons of the rows that were lost and are still missing."""
    found = {}
    for path in sorted((store / PROVENANCE / _LOST).glob("*.json")):
        try:
            facts = read_side_file(path)
            name, index, reason = str(facts["system"]), int(facts["index"]), str(facts["reason"])
        except (OSError, ValueError, KeyError, TypeError, DamageError):
            continue
        if not row_path(store, name, index).exists():
            found[name, index] = reason
    return found


def forget_losses(store: Path, rows: Iterable[tuple[str, int]]) -> None:
    """Drop the records of rows that are about to be tried again."""
    recorded = {path.name for path in (store / PROVENANCE / _LOST).glob("*.json")}
    for system, index in rows if recorded else ():
        path = _path(store, system, index)
        if path.name in recorded:
            path.unlink(missing_ok=True)
