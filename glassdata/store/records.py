"""JSON records that carry the sha256 of their own content."""

import json
from pathlib import Path
from typing import Any

from glassdata.config import canonical_json, digest
from glassdata.store.errors import DamageError
from glassdata.store.places import medium


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
    medium(path).check_regular()
    data = path.read_bytes()
    try:
        record = json.loads(data)
        whole = record["sha256"] == digest(record["content"])
        whole = whole and data.decode() == canonical_json(record) + "\n"
    except (ValueError, KeyError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise DamageError(f"{path} is damaged")
    return record["content"]
