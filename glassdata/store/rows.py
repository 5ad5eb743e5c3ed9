"""Rows as write-once files, each an ``.npz`` that checks itself.

A row file holds the variables of ``glassdata.schema`` for one structure, with the system and
index it belongs to. Its archive comment is the sha256 of all bytes before it.
"""

import io
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np

from glassdata import bounds
from glassdata.bounds import open_archive
from glassdata.files import UNREADABLE, read_array, read_arrays
from glassdata.schema import FIXED, RAGGED, VARIABLES
from glassdata.store.errors import DamageError
from glassdata.store.files import (
    archive_is_whole,
    check_archive,
    write_archive,
)
from glassdata.store.places import medium
from glassdata.store.records import read_side_file, write_record
from glassdata.system import System

ROWS, PROVENANCE = "rows", "provenance"
_FILE = re.compile(r"(\d{6}|[1-9]\d{6,})\.npz")
#: Bytes of a status with its header, at most; it is eight letters.
_STATUS_LIMIT = 1024
_OWNER = {"system": np.dtype("U64"), "index": np.dtype("i8")}

#: Numbers that every structure must have: if one is not finite, the row failed.
ESSENTIAL = frozenset(
    {name for name, variable in VARIABLES.items() if variable.dims != ("structure",)}
    | {"density", "energy"}
)


class RowShapeError(ValueError):
    """A row does not agree with the schema: the program that made it is wrong."""


class NotFiniteError(RowShapeError):
    """A structure for which a number that every row needs is not finite."""


def row_path(store: Path, system: str, index: int) -> Path:
    """Path of the row file of a structure.

    Parameters
    ----------
    store : Path
        Folder of the store, or its place on an object store.
    system : str
        Name of the glass.
    index : int
        Number of the structure in its glass, from 0.
    """
    return store / ROWS / system / f"{index:06d}.npz"


def provenance_path(store: Path, system: str, index: int) -> Path:
    """Path of the side file of a row: when, where and how fast it was computed.

    Parameters
    ----------
    store : Path
        Folder of the store, or its place on an object store.
    system : str
        Name of the glass.
    index : int
        Number of the structure in its glass, from 0.
    """
    return store / PROVENANCE / system / f"{index:06d}.json"


def present(store: Path, system: str) -> set[int]:
    """Indices of the rows that are published."""
    folder = store / ROWS / system
    if not folder.is_dir():
        return set()
    matches = (_FILE.fullmatch(path.name) for path in folder.iterdir())
    return {int(match[1]) for match in matches if match}


def dimension_sizes(system: System) -> dict[str, int]:
    """Lengths of the dimensions that all structures of a system share."""
    return {"r": system.n_r, "omega": system.n_omega, "pair": len(system.pairs)} | FIXED


def conform(row: Mapping[str, object], sizes: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Bring a row to the types of the schema, sorted by name.

    Raises
    ------
    RowShapeError
        For an unknown name, a shape or type that does not fit, or an essential number that is
        not finite.
    """
    counts = {dim: int(np.asarray(row.get(name, 0))) for dim, name in RAGGED.items()}
    out = {}
    for name in sorted(row):
        if name not in VARIABLES:
            raise RowShapeError(f"unknown variable {name!r}")
        variable = VARIABLES[name]
        own = [dim for dim in variable.dims if dim != "structure"]
        shape = tuple({**counts, **sizes}[dim] for dim in own)
        out[name] = _conform_one(name, np.asarray(row[name]), shape)
    return out


def _conform_one(name: str, value: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    dtype = np.dtype(VARIABLES[name].dtype)
    if value.shape != shape:
        raise RowShapeError(f"{name} has shape {value.shape}, expected {shape}")
    if not np.can_cast(value.dtype, dtype, "same_kind"):
        raise RowShapeError(f"{name} has type {value.dtype}, expected {dtype}")
    if name in ESSENTIAL and not np.all(np.isfinite(value)):
        raise NotFiniteError(f"{name} is not finite")
    cast = np.ascontiguousarray(value, dtype=dtype).reshape(shape)
    if dtype.kind in "iU" and name != "error" and not np.array_equal(cast, value):
        raise RowShapeError(f"{name} = {value} does not fit into {dtype}")
    return cast


def encode(row: Mapping[str, np.ndarray], system: str, index: int) -> bytes:
    """Bytes of a row file: a function of the values alone.

    Parameters
    ----------
    row : Mapping[str, ndarray]
        Values of every variable by name.
    system : str
        Name of the glass.
    index : int
        Number of the structure in its glass, from 0.
    """
    owner = {"system": np.array(system, _OWNER["system"]), "index": np.array(index, "i8")}
    members = []
    for name, value in sorted((owner | dict(row)).items()):
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, value, version=(1, 0), allow_pickle=False)
        members.append((f"{name}.npy", buffer.getvalue()))
    stream = io.BytesIO()
    write_archive(stream, members)
    return stream.getvalue()


def decode(data: bytes) -> dict[str, np.ndarray]:
    """Values of a row file, with ``system`` and ``index``.

    Raises
    ------
    DamageError
        If the bytes are not those that were published, or not a row.
    """
    if not archive_is_whole(data):
        raise DamageError("checksum does not match")
    try:
        stream = io.BytesIO(data)
        with open_archive(stream) as archive:
            check_archive(archive, stream)
            return read_arrays(archive, limit=len(data))
    except UNREADABLE as error:
        raise DamageError(f"not a row: {error}") from None


def read_row(store: Path, system: str, index: int) -> dict[str, np.ndarray]:
    """Values of a published row.

    Parameters
    ----------
    store : Path
        Folder of the store, or its place on an object store.
    system : str
        Name of the glass.
    index : int
        Number of the structure in its glass, from 0.

    Raises
    ------
    DamageError
        If the file is damaged or belongs to another structure.
    """
    path = row_path(store, system, index)
    medium(path).check_regular(bounds.LIMIT)
    try:
        row = decode(path.read_bytes())
    except DamageError as error:
        raise DamageError(f"{path}: {error}") from None
    owner = str(row.pop("system", "")), int(row.pop("index", -1))
    if owner != (system, index):
        raise DamageError(f"{path}: belongs to {owner[0]} {owner[1]}")
    return row


def read_status(store: Path, system: str, index: int) -> str:
    """Outcome of a published row, read without checking the rest of the file.

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
        path = row_path(store, system, index)
        medium(path).check_regular()
        with path.open("rb") as stream, open_archive(stream) as archive:
            return str(read_array(archive, "status", limit=_STATUS_LIMIT))
    except (*UNREADABLE, DamageError):
        return "damaged"


def publish_row(store: Path, system: str, index: int, row: Mapping[str, np.ndarray]) -> bool:
    """Publish a row; False if the identical row was there already.

    Parameters
    ----------
    store : Path
        Folder of the store, or its place on an object store.
    system : str
        Name of the glass.
    index : int
        Number of the structure in its glass, from 0.
    row : Mapping[str, ndarray]
        Values of every variable by name.
    """
    return medium(row_path(store, system, index)).publish(encode(row, system, index))


def failed_row(row_id: str, reason: str) -> dict[str, np.ndarray]:
    """The row of a structure that could not be made."""
    text = " ".join(reason.split())[:256]
    return {
        "row_id": np.array(row_id, "U64"),
        "status": np.array("failed", "U8"),
        "error": np.array(text, "U256"),
    }


def write_provenance(store: Path, system: str, index: int, facts: Mapping[str, object]) -> None:
    """Write the side file of a row, without waiting for the disk: no result depends on it.

    Parameters
    ----------
    store : Path
        Folder of the store, or its place on an object store.
    system : str
        Name of the glass.
    index : int
        Number of the structure in its glass, from 0.
    facts : Mapping[str, object]
        What happened and where; it can be written as JSON.
    """
    write_record(provenance_path(store, system, index), dict(facts), durable=False)


def read_provenance(store: Path, system: str) -> list[dict]:
    """Side files of a system; one that cannot be read is left out.

    Examples
    --------
    >>> write_provenance(Path("my.store"), "lj2d", 0, {"n_atoms": 80, "seconds": {"total": 0.2}})
    >>> [facts["n_atoms"] for facts in read_provenance(Path("my.store"), "lj2d")]
    [80]
    """
    facts = []
    for path in sorted((store / PROVENANCE / system).glob("*.json")):
        with suppress(OSError, DamageError):
            facts.append(read_side_file(path))
    return facts
