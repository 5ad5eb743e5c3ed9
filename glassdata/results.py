"""Results of experiments: one small file per result, then one sealed archive per experiment.

Layout of a results folder::

    NAME/RESULT.npz   one finished result each; a second run does not compute it again
    NAME.zip          all results and manifest.json, written when the last result is there

A result is a dictionary of arrays of numbers and text. Its name is made of parts joined by dots,
such as ``amc.ridge.test.0``. The archive carries the sha256 of its own bytes. Its manifest lists
the results under the key ``cells``, the older word.
"""

import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

import glassdata.config
from glassdata.config import canonical_json
from glassdata.files import UNREADABLE, read_arrays, replace, replace_stream
from glassdata.store.errors import DamageError, StoreError
from glassdata.store.files import archive_is_whole, write_archive

_CHECKOUT = Path(glassdata.config.__file__).parents[1]
#: The results that ship with the repository, and those that a checkout computed for itself.
SHIPPED, COMPUTED = _CHECKOUT / "book" / "data" / "results", _CHECKOUT / "_build" / "results"
MANIFEST = "manifest.json"
#: Bytes to which the arrays of one result may unpack.
RESULT_LIMIT = 1 << 30
_IDENTITY = "identity"


class Results(Mapping):
    """The results of one experiment by name, each a dictionary of arrays; and its ``manifest``.

    Examples
    --------
    >>> write_result(Path("out"), "weights", "amc.maps", "identity", {"r": [1.0, 2.0]})
    >>> archive = seal(Path("out"), "weights", ["amc.maps"], {"dataset": {"amc": "its sha256"}})
    >>> results = Results(archive.read_bytes(), "out/weights.zip")
    >>> list(results), results.systems, results["amc.maps"]["r"].tolist()
    (['amc.maps'], ['amc'], [1.0, 2.0])
    """

    def __init__(self, data: bytes, origin: str):
        if not archive_is_whole(data):
            raise DamageError(f"{origin} is damaged: its checksum does not match")
        self._archive = zipfile.ZipFile(io.BytesIO(data))
        self.manifest = json.loads(self._archive.read(MANIFEST))

    def __getitem__(self, result: str) -> dict[str, np.ndarray]:
        if result not in self.manifest["cells"]:
            raise KeyError(result)
        return decode(self._archive.read(f"{result}.npz"))[1]

    def __iter__(self) -> Iterator[str]:
        return iter(self.manifest["cells"])

    def __len__(self) -> int:
        return len(self.manifest["cells"])

    def select(self, pattern: str) -> dict[str, dict[str, np.ndarray]]:
        """Results whose names match a shell pattern, such as ``amc.*.0``, in their order."""
        return {name: self[name] for name in self if fnmatchcase(name, pattern)}

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

    Examples
    --------
    >>> write_result(Path("out"), "weights", "amc.maps", "identity", {"r": [1.0, 2.0]})
    >>> _ = seal(Path("out"), "weights", ["amc.maps"], {"dataset": {"amc": "its sha256"}})
    >>> open_results("weights", "out").select("*.maps")
    {'amc.maps': {'r': array([1., 2.])}}
    """
    places = [Path(folder)] if folder is not None else [SHIPPED, COMPUTED]
    for place in places:
        path = place / f"{name}.zip"
        if path.exists():
            return Results(path.read_bytes(), str(path))
    raise FileNotFoundError(
        f"there are no results {places[0] / name}.zip; make them with: glassdata experiment {name}"
    )


def encode(identity: str, content: Mapping[str, object]) -> bytes:
    """Bytes of the file of a result."""
    arrays = {key: np.asarray(value, order="C") for key, value in content.items()}
    for key, value in arrays.items():
        if value.dtype.kind not in "biufU":
            raise TypeError(f"{key} is neither numbers nor text, but of type {value.dtype}")
    stream = io.BytesIO()
    members: dict[str, Any] = arrays | {_IDENTITY: np.array(identity)}
    np.savez_compressed(stream, **members)
    return stream.getvalue()


def decode(data: bytes) -> tuple[str, dict[str, np.ndarray]]:
    """Identity and arrays from the file of a result; nothing is unpickled."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        arrays = read_arrays(archive, limit=RESULT_LIMIT)
    return str(arrays.pop(_IDENTITY)), arrays


def result_path(folder: Path, name: str, result: str) -> Path:
    """Where the file of a result stands.

    Parameters
    ----------
    folder : Path
        Where experiments write.
    name : str
        Name of the experiment.
    result : str
        Name of the result.
    """
    return folder / name / f"{result}.npz"


def is_done(folder: Path, name: str, result: str, identity: str) -> bool:
    """Whether a result is there, whole, and of this identity.

    Parameters
    ----------
    folder : Path
        Where experiments write.
    name : str
        Name of the experiment.
    result : str
        Name of the result.
    identity : str
        Hash of what determines the numbers of the result.
    """
    path = result_path(folder, name, result)
    try:
        return path.exists() and decode(path.read_bytes())[0] == identity
    except (*UNREADABLE, OSError):
        return False


def refuse_foreign(folder: Path, name: str, results: Iterable[str]) -> None:
    """Refuse a folder in which files of somebody else have the names of results.

    Parameters
    ----------
    folder
        Where experiments write.
    name
        Name of the experiment.
    results
        Names of its results.

    Raises
    ------
    StoreError
        Naming the file. A damaged file is taken for ours if another one in the folder is.
    """
    marks = {folder / f"{name}.zip": MANIFEST}
    marks |= {result_path(folder, name, result): f"{_IDENTITY}.npy" for result in results}
    found = {path: _holds(path, mark) for path, mark in marks.items() if path.is_file()}
    for path, ours in found.items():
        if ours is False or (ours is None and True not in found.values()):
            raise StoreError(f"{path} is no result of an experiment, and stays untouched")


def _holds(path: Path, member: str) -> bool | None:
    """Whether an archive has a member; None if it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return member in archive.namelist()
    except (*UNREADABLE, OSError):
        return None


def write_result(
    folder: Path, name: str, result: str, identity: str, content: Mapping[str, object]
) -> None:
    """Write the file of a result, as a whole.

    Parameters
    ----------
    folder : Path
        Where experiments write.
    name : str
        Name of the experiment.
    result : str
        Name of the result.
    identity : str
        Hash of what determines the numbers of the result.
    content : Mapping[str, object]
        Arrays, numbers or texts by name.
    """
    replace(result_path(folder, name, result), encode(identity, content))


def seal(folder: Path, name: str, results: list[str], manifest: Mapping) -> Path:
    """Put all results and the manifest into the archive that ``open_results`` reads.

    Parameters
    ----------
    folder : Path
        Where experiments write.
    name : str
        Name of the experiment.
    results : list[str]
        Names of the results, all of them finished.
    manifest : Mapping
        What was run, with which settings; it can be written as JSON.
    """
    text = canonical_json(dict(manifest) | {"experiment": name, "cells": results})
    members = [(MANIFEST, text.encode())]
    for result in results:
        path = result_path(folder, name, result)
        if not path.exists():
            raise StoreError(f"{path} is missing")
        members.append((f"{result}.npz", path.read_bytes()))
    archive = folder / f"{name}.zip"
    with replace_stream(archive) as stream:
        write_archive(stream, members)
    return archive
