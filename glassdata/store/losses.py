"""Rows that could not be had, each with its reason.

A loss is no result: it may come from the machine as well as from the structure, so it is never
published as a row, and the next build tries again. Losses are side files, outside the compared
bytes. A failed row is a result: the structure cannot be made, and a row says why.
"""

import platform
import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from glassdata.store.errors import DamageError
from glassdata.store.places import medium
from glassdata.store.records import read_side_file, write_record
from glassdata.store.rows import PROVENANCE, read_row, read_status, row_path

_LOST = "lost"
#: What differs between reasons of one kind: paths in quotes and numbers.
_PARTICULAR = re.compile(r"'[^']*'|\d+(?:\.\d+)?(?:e[-+]?\d+)?")
#: Numbers of rows that are named one by one.
_NAMED = 8


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
            medium(path).remove()


def failures(store: Path, rows: Iterable[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """Reasons of those of some published rows that failed, or that are damaged.

    Parameters
    ----------
    store : Path
        Folder of the store, or its place on an object store.
    rows : iterable of (str, int)
        Name of the glass and number of each row.
    """
    return {
        (name, index): _why(store, name, index)
        for name, index in rows
        if read_status(store, name, index) != "ok"
    }


def _why(store: Path, name: str, index: int) -> str:
    try:
        return str(read_row(store, name, index)["error"])
    except (OSError, KeyError, DamageError):
        return "the file is damaged"


def kind_of(reason: str) -> str:
    """A reason without what is particular to one row: equal for rows that failed alike."""
    return _PARTICULAR.sub("…", reason)


def grouped(reasons: Mapping[tuple[str, int], str]) -> list[str]:
    """Rows that failed, one line for each kind of reason, those of most rows first."""
    kinds: dict[str, dict[tuple[str, int], str]] = {}
    for row, reason in reasons.items():
        kinds.setdefault(kind_of(reason), {})[row] = reason
    by_size = sorted(kinds.items(), key=lambda item: -len(item[1]))
    return [_line(kind, rows) for kind, rows in by_size]


def _line(kind: str, rows: Mapping[tuple[str, int], str]) -> str:
    names: dict[str, list[int]] = {}
    for name, index in sorted(rows):
        names.setdefault(name, []).append(index)
    where = ", ".join(
        f"{name} {' '.join(map(str, numbers[:_NAMED]))}"
        + (f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else "")
        for name, numbers in names.items()
    )
    text = kind if len(set(rows.values())) > 1 else next(iter(rows.values()))
    many = "failed row " if len(rows) == 1 else f"{len(rows)} failed rows, "
    return f"{many}{where}: {text}"
