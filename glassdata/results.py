"""Results of experiments: one small file per result, then one sealed archive per experiment.

Layout of a results folder::

    NAME/RESULT.npz   one finished result each; a second run does not compute it again
    NAME.zip          all results and manifest.json, written when the last result is there

A result is a dictionary of arrays of numbers and text. Its name is made of parts joined by dots,
such as ``amc.ridge.test.0``. Results and archives carry the sha256 of their own bytes. The manifest
lists the results under the key ``cells``, the older word.
"""

import hashlib
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
from glassdata.store.archives import MANIFEST, check_packed
from glassdata.store.errors import DamageError, Finding, StoreError
from glassdata.store.files import (
    archive_is_whole,
    check_archive,
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
_IDENTITY = "identity"
_OF_STORES = (CONFIG, ROWS)


def parts_of(names: Iterable[str]) -> set[str]:
    """What occurs in the names of results: systems, models and all other parts.

    Examples
    --------
    >>> sorted(parts_of(["amc.maps", "amc.transfer.lj2d"]))
    ['amc', 'lj2d', 'maps', 'transfer']
    """
    return {part for name in names for part in name.split(".")}


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
            raise DamageError(
                f"{origin} is damaged: its checksum does not match; make it again with: "
                f"glassdata experiment {Path(origin).stem}"
            )
        self._sha256 = hashlib.sha256(data).hexdigest()
        stream = io.BytesIO(data)
        try:
            self._archive = open_archive(stream)
            check_archive(self._archive, stream)
            self.manifest = parse_json(self._archive.read(MANIFEST))
            self._names = [str(name) for name in self.manifest["cells"]]
        except (*UNREADABLE, TypeError) as error:
            raise DamageError(f"{origin} holds no results: {error}") from None

    def __getitem__(self, result: str) -> dict[str, np.ndarray]:
        if result not in self._names:
            raise KeyError(result)
        return decode(self._archive.read(f"{result}.npz"))[1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def select(self, pattern: str) -> dict[str, dict[str, np.ndarray]]:
        """Results whose names match a shell pattern, such as ``amc.*.0``, in their order."""
        return {name: self[name] for name in self if fnmatchcase(name, pattern)}

    def of_each(self, measure: str, systems: Iterable[str] | None = None) -> dict[str, dict]:
        """The result ``SYSTEM.measure`` of each system.

        Parameters
        ----------
        measure
            Second part of the names, such as ``"maps"``.
        systems
            Names of the systems, in the order that is wanted; None takes all.
        """
        return {name: self[f"{name}.{measure}"] for name in systems or self.systems}

    @property
    def sha256(self) -> str:
        """Hash of all of it."""
        return self._sha256

    @property
    def origin(self) -> dict[str, str]:
        """Of each system that a result names, the sha256 of the data that were used."""
        named = parts_of(self)
        return {name: sha for name, sha in self.manifest["dataset"].items() if name in named}

    @property
    def systems(self) -> list[str]:
        """Systems that the results are about."""
        return list(self.origin)


def open_results(name: str, folder: str | Path | None = None) -> Results:
    """Open the sealed results of an experiment, checked against their own sha256.

    Parameters
    ----------
    name
        Name of the experiment, such as ``"weights"``.
    folder
        Folder that ``glassdata experiment -o`` wrote to. None means the results that ship with this
        checkout, or, if there are none, those that it computed.

    Raises
    ------
    FileNotFoundError
        If there are none.
    DamageError
        If a byte of them changed, or they are no results.
    ValueError
        If they are larger than any.

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
            return Results(read_file(path), str(path))
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
    sign_archive(stream)
    return stream.getvalue()


def decode(data: bytes) -> tuple[str, dict[str, np.ndarray]]:
    """Identity and arrays from the file of a result; nothing is unpickled."""
    with open_archive(io.BytesIO(data)) as archive:
        arrays = read_arrays(archive, limit=bounds.LIMIT)
    return str(arrays.pop(_IDENTITY)), arrays


def result_path(folder: Path, name: str, result: str) -> Path:
    """Path of the file of a result.

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
    try:
        return _read_result(result_path(folder, name, result))[0] == identity
    except (DamageError, OSError):
        return False


def _read_result(path: Path) -> tuple[str, dict[str, np.ndarray]]:
    """Identity and arrays of the file of a result.

    Raises
    ------
    DamageError
        If a byte of it changed.
    """
    check_regular(path, bounds.LIMIT)
    data = path.read_bytes()
    try:
        if not archive_is_whole(data) and _is_signed(data):
            raise ValueError("checksum does not match")
        return decode(data)
    except UNREADABLE as error:
        raise DamageError(f"{path} is damaged: {error}") from None


def _is_signed(data: bytes) -> bool:
    """Whether a result has a checksum over all, as those of earlier releases have not."""
    stream = io.BytesIO(data)
    with open_archive(stream) as archive:
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
                _read_result(path)
            except (DamageError, OSError) as error:
                problem = str(error).removeprefix(f"{path} is damaged: ")
                findings.append(Finding(path.relative_to(folder).as_posix(), problem))
    return findings


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
        with path.open("rb") as stream, open_archive(stream) as archive:
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
        _read_result(path)
        members.append((f"{result}.npz", path.read_bytes()))
    archive = folder / f"{name}.zip"
    with replace_stream(archive) as stream:
        write_archive(stream, members)
    return archive
