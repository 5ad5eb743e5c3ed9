"""JSON records that carry the sha256 of their own content."""

from pathlib import Path
from typing import Any

from glassdata import bounds
from glassdata.bounds import parse_json
from glassdata.config import canonical_json, digest
from glassdata.store.errors import DamageError
from glassdata.store.places import medium

#: A manifest of a million rows may take more than other files: so many times the limit.
_LIMITS = 4
_PARTS = {"content", "sha256"}
# Each has one of these: how long a row took, or why it was lost.
_OF_EARLIER_SIDE_FILES = {"seconds", "reason"}


def write_record(path: Path, content: Any, *, durable: bool = True) -> None:
    """Write a JSON record with the sha256 of its own content, and replace an older one.

    Parameters
    ----------
    path : Path
        Path of its file.
    content : plain data
        What ``glassdata.config.canonical_json`` takes.
    durable : bool
        Wait until the disk has it.
    """
    record = {"content": content, "sha256": digest(content)}
    medium(path).replace((canonical_json(record) + "\n").encode(), durable=durable)


def read_record(path: Path) -> Any:
    """Content of a record written by ``write_record``.

    Raises
    ------
    DamageError
        If one byte differs from what was written, or it is not an ordinary file.
    """
    medium(path).check_regular(_LIMITS * bounds.LIMIT)
    data = path.read_bytes()
    try:
        record = parse_json(data, _LIMITS * bounds.LIMIT)
        whole = record["sha256"] == digest(record["content"])
        whole = whole and data.decode() == canonical_json(record) + "\n"
    except (ValueError, KeyError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise DamageError(f"{path} is damaged")
    return record["content"]


def read_side_file(path: Path) -> dict:
    """Content of a record about circumstances; earlier releases wrote it without a checksum.

    Raises
    ------
    DamageError
        If it is no such record.
    """
    try:
        content = read_record(path)
    except DamageError:
        content = _without_checksum(path)
    if not isinstance(content, dict):
        raise DamageError(f"{path} is damaged")
    return content


def _without_checksum(path: Path) -> Any:
    medium(path).check_regular(bounds.LIMIT)
    try:
        content = parse_json(path.read_bytes())
    except ValueError:
        return None
    known = isinstance(content, dict) and content.keys() & _OF_EARLIER_SIDE_FILES
    return content if known and not content.keys() & _PARTS else None
