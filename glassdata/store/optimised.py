"""Zarr under ``python -O``, which leaves out assertions.

One assertion of zarr 3 does a step of its own: ``GroupMetadata.from_dict`` takes the type of the
node out of its argument within it, and without it no group can be opened. Here that is taken out
before.
"""

import sys
from typing import Any

from zarr.core.group import GroupMetadata


def mend_groups() -> None:
    """Let groups be opened without assertions; does nothing where there are assertions."""
    if sys.flags.optimize:
        GroupMetadata.from_dict = classmethod(_from_dict)  # type: ignore[assignment]


_original = GroupMetadata.from_dict.__func__  # type: ignore[attr-defined]


def _from_dict(cls: type[GroupMetadata], data: dict[str, Any]) -> GroupMetadata:
    return _original(cls, {key: value for key, value in data.items() if key != "node_type"})
