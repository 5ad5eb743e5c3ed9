"""Whether a folder is a store, or somebody else's."""

from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from glassdata.store.errors import DamageError, StoreError
from glassdata.store.records import read_record
from glassdata.store.rows import PROVENANCE, ROWS, read_row

#: Rows that are looked at to tell whether a folder without records is a store.
_TRIED = 20


def refuse_foreign(store: Path, records: Sequence[str], others: Sequence[str]) -> None:
    """Refuse a folder that holds something, but nothing that only a store holds.

    Others, too, call their datasets ``dataset.zarr`` and their settings ``config.json``; what they
    have under these names would be replaced. A store that lost its configuration is still known by
    its other records, or by a row.

    Parameters
    ----------
    store
        The folder.
    records
        Names of the records of a store, its configuration first.
    others
        Names of what else a store holds, beside its rows.

    Raises
    ------
    StoreError
        Naming what the folder holds.
    """
    if is_own_record(store / records[0]):
        return
    names = sorted(path.name for path in store.iterdir() if path.name[0] != ".")
    strange = [n for n in names if n not in (*records, *others, ROWS, PROVENANCE)]
    ours = any(is_own_record(store / name) for name in records) or _holds_row(store)
    # A damaged configuration is told of when it is read.
    if names and not (ours and (records[0] in names or not strange)):
        what = (strange or names)[0]
        raise StoreError(
            f"{store} is not a store and not empty: it holds {what}, which stays untouched"
        )


def is_own_record(path: Path) -> bool:
    """Whether a file is a whole record that this program wrote."""
    try:
        return read_record(path) is not None
    except (OSError, DamageError):
        return False


def _holds_row(store: Path) -> bool:
    for path in islice(store.glob(f"{ROWS}/*/*.npz"), _TRIED):
        with suppress(OSError, DamageError, ValueError):
            read_row(store, path.parent.name, int(path.stem))
            return True
    return False
