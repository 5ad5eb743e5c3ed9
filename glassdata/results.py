"""Results of experiments: one small file per cell, then one sealed archive per experiment.

Layout of a results folder::

    NAME/CELL.npz   one finished cell each; what a rerun finds, it does not compute again
    NAME.zip        all cells and manifest.json, written when the last cell is there

A cell is a dictionary of arrays of numbers and text. Its name is made of parts joined by dots,
such as ``amc.ridge.0``. The archive carries the sha256 of itself.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

import glassdata.config
from glassdata import bounds
from glassdata.bounds import open_archive, parse_json, read_file
from glassdata.config import canonical_json
from glassdata.files import UNREADABLE, read_arrays, replace, replace_stream
from glassdata.store.errors import DamageError, StoreError
from glassdata.store.files import archive_is_whole, check_archive, write_archive

_CHECKOUT = Path(glassdata.config.__file__).parents[1]
#: The results that ship with the repository, and those that a checkout computed for itself.
SHIPPED, COMPUTED = _CHECKOUT / "book" / "data" / "results", _CHECKOUT / "_build" / "results"
MANIFEST = "manifest.json"
_IDENTITY = "identity"


class Results(Mapping):
    """The cells of one experiment by name, each a dictionary of arrays; and its ``manifest``."""

    def __init__(self, data: bytes, origin: str):
        if not archive_is_whole(data):
            raise DamageError(f"{origin} is damaged: its checksum does not match")
        try:
            self._archive = open_archive(io.BytesIO(data))
            check_archive(self._archive, len(data))
            self.manifest = parse_json(self._archive.read(MANIFEST))
            self._cells = [str(cell) for cell in self.manifest["cells"]]
        except (*UNREADABLE, TypeError) as error:
            raise DamageError(f"{origin} holds no results: {error}") from None

    def __getitem__(self, cell: str) -> dict[str, np.ndarray]:
        if cell not in self._cells:
            raise KeyError(cell)
        return decode(self._archive.read(f"{cell}.npz"))[1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)

    def select(self, pattern: str) -> dict[str, dict[str, np.ndarray]]:
        """Cells whose names match a shell pattern, such as ``amc.*.0``, in their order."""
        return {cell: self[cell] for cell in self if fnmatchcase(cell, pattern)}

    @property
    def systems(self) -> list[str]:
        """Systems of the dataset that was used."""
        return list(self.manifest["dataset"])


def open_results(name: str, folder: str | Path | None = None) -> Results:
    """Open the sealed results of an experiment, checked against their own sha256.

    Parameters
    ----------
    name
        Of the experiment, such as ``"weights"``.
    folder
        What ``glassdata experiment -o`` wrote to. None means the results that ship with this
        checkout, or, where none do, those it computed.

    Raises
    ------
    FileNotFoundError
        If there are none.
    DamageError
        If a byte of them changed, or they are no results.
    ValueError
        If they are larger than any.
    """
    places = [Path(folder)] if folder is not None else [SHIPPED, COMPUTED]
    for place in places:
        path = place / f"{name}.zip"
        if path.exists():
            return Results(read_file(path), str(path))
    raise FileNotFoundError(
        f"there are no results {places[0] / name}.zip; make them with: glassdata experiment {name}"
    )


def encode(identity: str, cell: Mapping[str, object]) -> bytes:
    """Bytes of a cell file."""
    arrays = {key: np.asarray(value, order="C") for key, value in cell.items()}
    for key, value in arrays.items():
        if value.dtype.kind not in "biufU":
            raise TypeError(f"{key} is neither numbers nor text, but of type {value.dtype}")
    stream = io.BytesIO()
    members: dict[str, Any] = arrays | {_IDENTITY: np.array(identity)}
    np.savez_compressed(stream, **members)
    return stream.getvalue()


def decode(data: bytes) -> tuple[str, dict[str, np.ndarray]]:
    """Identity and arrays of a cell file; never unpickles."""
    with open_archive(io.BytesIO(data)) as archive:
        arrays = read_arrays(archive, limit=bounds.LIMIT)
    return str(arrays.pop(_IDENTITY)), arrays


def cell_path(folder: Path, name: str, cell: str) -> Path:
    """Where the file of a cell stands.

    Parameters
    ----------
    folder : Path
        Where experiments write.
    name : str
        Name of the experiment.
    cell : str
        Name of the cell, one piece of the experiment.
    """
    return folder / name / f"{cell}.npz"


def is_done(folder: Path, name: str, cell: str, identity: str) -> bool:
    """Whether a cell is there, whole, and of this identity.

    Parameters
    ----------
    folder : Path
        Where experiments write.
    name : str
        Name of the experiment.
    cell : str
        Name of the cell, one piece of the experiment.
    identity : str
        Hash of what determines the numbers of the cell.
    """
    path = cell_path(folder, name, cell)
    try:
        return path.exists() and decode(read_file(path))[0] == identity
    except (*UNREADABLE, OSError):
        return False


def refuse_foreign(folder: Path, name: str, cells: Iterable[str]) -> None:
    """Refuse a folder in which files of somebody else have the names of results.

    Parameters
    ----------
    folder
        Where experiments write.
    name
        Name of the experiment.
    cells
        Names of its cells.

    Raises
    ------
    StoreError
        Naming the file. A damaged file is taken for ours if another one in the folder is.
    """
    marks = {folder / f"{name}.zip": MANIFEST}
    marks |= {cell_path(folder, name, cell): f"{_IDENTITY}.npy" for cell in cells}
    found = {path: _holds(path, mark) for path, mark in marks.items() if path.is_file()}
    for path, ours in found.items():
        if ours is False or (ours is None and True not in found.values()):
            raise StoreError(f"{path} is no result of an experiment, and stays untouched")


def _holds(path: Path, member: str) -> bool | None:
    """Whether an archive has a member; None if it cannot be read."""
    try:
        with path.open("rb") as stream, open_archive(stream) as archive:
            return member in archive.namelist()
    except (*UNREADABLE, OSError):
        return None


def write_cell(
    folder: Path, name: str, cell: str, identity: str, content: Mapping[str, object]
) -> None:
    """Write a cell, as a whole.

    Parameters
    ----------
    folder : Path
        Where experiments write.
    name : str
        Name of the experiment.
    cell : str
        Name of the cell, one piece of the experiment.
    identity : str
        Hash of what determines the numbers of the cell.
    content : Mapping[str, object]
        Arrays, numbers or texts by name.
    """
    replace(cell_path(folder, name, cell), encode(identity, content))


def seal(folder: Path, name: str, cells: list[str], manifest: Mapping) -> Path:
    """Put all cells and the manifest into the archive that ``open_results`` reads.

    Parameters
    ----------
    folder : Path
        Where experiments write.
    name : str
        Name of the experiment.
    cells : list[str]
        Names of the cells, all of them finished.
    manifest : Mapping
        What was run, with which settings; it can be written as JSON.
    """
    text = canonical_json(dict(manifest) | {"experiment": name, "cells": cells})
    members = [(MANIFEST, text.encode())]
    for cell in cells:
        path = cell_path(folder, name, cell)
        if not path.exists():
            raise StoreError(f"{path} is missing")
        members.append((f"{cell}.npz", path.read_bytes()))
    archive = folder / f"{name}.zip"
    with replace_stream(archive) as stream:
        write_archive(stream, members)
    return archive
