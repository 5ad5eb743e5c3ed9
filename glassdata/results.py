"""Results of experiments: one small file per cell, then one sealed archive per experiment.

Layout of a results folder::

    NAME/CELL.npz   one finished cell each; what a rerun finds, it does not compute again
    NAME.zip        all cells and manifest.json, written when the last cell is there

A cell is a dictionary of arrays of numbers and text. Its name is made of parts joined by dots,
such as ``amc.ridge.0``. Cells and archives carry the sha256 of themselves.
"""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

import glassdata.config
from glassdata.config import canonical_json
from glassdata.files import UNREADABLE, read_arrays, replace, replace_stream
from glassdata.store.archives import CELLS, check_packed
from glassdata.store.errors import DamageError, Finding, StoreError
from glassdata.store.files import (
    archive_is_whole,
    check_end,
    check_regular,
    is_temporary,
    sign_archive,
    write_archive,
)
from glassdata.store.settings import CONFIG, ROWS

_CHECKOUT = Path(glassdata.config.__file__).parents[1]
#: The results that ship with the repository, and those that a checkout computed for itself.
SHIPPED, COMPUTED = _CHECKOUT / "book" / "data" / "results", _CHECKOUT / "_build" / "results"
#: Bytes to which the arrays of one cell may unpack.
CELL_LIMIT = 1 << 30
_IDENTITY = "identity"
_OF_STORES = (CONFIG, ROWS)


class Results(Mapping):
    """The cells of one experiment by name, each a dictionary of arrays; and its ``manifest``."""

    def __init__(self, data: bytes, origin: str):
        if not archive_is_whole(data):
            raise DamageError(
                f"{origin} is damaged: its checksum does not match; make it again with: "
                f"glassdata experiment {Path(origin).stem}"
            )
        self._archive = zipfile.ZipFile(io.BytesIO(data))
        self.manifest = json.loads(self._archive.read(CELLS))

    def __getitem__(self, cell: str) -> dict[str, np.ndarray]:
        if cell not in self.manifest["cells"]:
            raise KeyError(cell)
        return decode(self._archive.read(f"{cell}.npz"))[1]

    def __iter__(self) -> Iterator[str]:
        return iter(self.manifest["cells"])

    def __len__(self) -> int:
        return len(self.manifest["cells"])

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
        If a byte of them changed.
    """
    places = [Path(folder)] if folder is not None else [SHIPPED, COMPUTED]
    for place in places:
        path = place / f"{name}.zip"
        if path.exists():
            return Results(path.read_bytes(), str(path))
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
    sign_archive(stream)
    return stream.getvalue()


def decode(data: bytes) -> tuple[str, dict[str, np.ndarray]]:
    """Identity and arrays of a cell file; never unpickles."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        arrays = read_arrays(archive, limit=CELL_LIMIT)
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
    try:
        return _read_cell(cell_path(folder, name, cell))[0] == identity
    except (DamageError, OSError):
        return False


def _read_cell(path: Path) -> tuple[str, dict[str, np.ndarray]]:
    """Identity and arrays of a cell file.

    Raises
    ------
    DamageError
        If a byte of it changed.
    """
    check_regular(path)
    data = path.read_bytes()
    try:
        if not archive_is_whole(data) and _is_signed(data):
            raise ValueError("checksum does not match")
        return decode(data)
    except UNREADABLE as error:
        raise DamageError(f"{path} is damaged: {error}") from None


def _is_signed(data: bytes) -> bool:
    """Whether a cell has a checksum over all, as those of earlier releases have not."""
    stream = io.BytesIO(data)
    with zipfile.ZipFile(stream) as archive:
        check_end(archive, stream)
        return bool(archive.comment)


def holds_results(folder: Path) -> bool:
    """Whether a folder is one of results, and not a store."""
    if not folder.is_dir() or any((folder / name).exists() for name in _OF_STORES):
        return False
    return any(True for pattern in ("*.zip", "*/*.npz") for _ in folder.glob(pattern))


def verify(folder: Path, name: str = "*") -> list[Finding]:
    """Every damaged file of a results folder.

    Parameters
    ----------
    folder : Path
        Where experiments write.
    name : str
        Name of the experiment; by default all of them.
    """
    findings = [f for path in sorted(folder.glob(f"{name}.zip")) for f in check_packed(path)]
    for path in sorted(folder.glob(f"{name}/*.npz")):
        if not is_temporary(path):
            try:
                _read_cell(path)
            except (DamageError, OSError) as error:
                problem = str(error).removeprefix(f"{path} is damaged: ")
                findings.append(Finding(path.relative_to(folder).as_posix(), problem))
    return findings


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
    members = [(CELLS, text.encode())]
    for cell in cells:
        path = cell_path(folder, name, cell)
        if not path.exists():
            raise StoreError(f"{path} is missing")
        _read_cell(path)
        members.append((f"{cell}.npz", path.read_bytes()))
    archive = folder / f"{name}.zip"
    with replace_stream(archive) as stream:
        write_archive(stream, members)
    return archive
