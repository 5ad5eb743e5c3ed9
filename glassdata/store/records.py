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


def write_record(path: Path, content: Any) -> None:
    """Replace a JSON record, which carries the sha256 of its own content."""
    record = {"content": content, "sha256": digest(content)}
    medium(path).replace((canonical_json(record) + "\n").encode())


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
