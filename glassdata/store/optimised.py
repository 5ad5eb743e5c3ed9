"""Zarr under ``python -O``, which leaves out assertions.

One assertion of zarr 3 has an effect: within it ``GroupMetadata.from_dict`` removes the type of the
node from its argument. Without it no group can be opened, so the type is removed here before.
"""

import sys
from typing import Any

from zarr.core.group import GroupMetadata


def mend_groups() -> None:
    """Make zarr open groups without assertions; does nothing if Python runs assertions."""
    if sys.flags.optimize:
        GroupMetadata.from_dict = classmethod(_from_dict)  # type: ignore[assignment]


_original = GroupMetadata.from_dict.__func__  # type: ignore[attr-defined]


def _from_dict(cls: type[GroupMetadata], data: dict[str, Any]) -> GroupMetadata:
    return _original(cls, {key: value for key, value in data.items() if key != "node_type"})
