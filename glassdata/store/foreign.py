"""Whether a folder is a store, or belongs to another program."""

from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from glassdata.store.errors import DamageError, StoreError
from glassdata.store.records import read_record
from glassdata.store.rows import PROVENANCE, ROWS, read_row

#: Number of files that are tried as rows, to decide whether a folder without records is a store.
_TRIED = 20


def refuse_foreign(store: Path, records: Sequence[str], others: Sequence[str]) -> None:
    """Refuse a folder that is not empty, and has nothing that only a store has.

    Other programs, too, use names like ``dataset.zarr`` and ``config.json``, and such files would
    be replaced. A store without its configuration is recognised by another record, or by a row.

    Parameters
    ----------
    store
        The folder.
    records
        Names of the records of a store, its configuration first.
    others
        Names of other files and folders of a store, except its rows.

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
    # A damaged configuration is reported when it is read.
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
