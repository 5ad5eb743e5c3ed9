"""Opening sealed datasets, and packing them into one file."""

import hashlib
import json
import os
import time
import zipfile
from collections.abc import Collection, Container, Iterator
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import xarray as xr
import zarr

import glassdata.config
from glassdata.bounds import open_archive, parse_json
from glassdata.files import replace_stream
from glassdata.schema import RAGGED, VARIABLES
from glassdata.store.bounded import bounded_codecs
from glassdata.store.errors import DamageError, StoreError
from glassdata.store.files import check_archive, write_archive
from glassdata.store.limits import check_metadata, check_metadata_size, read_metadata
from glassdata.store.manifest import dataset_name, listed_files
from glassdata.store.places import is_remote, medium, place
from glassdata.store.rows import present, read_row
from glassdata.store.settings import CONFIG, DATASET, ROWS, read_config, read_manifest
from glassdata.store.verifying import verify
from glassdata.store.web import check_web_file
from glassdata.store.whole import METADATA, Identity, WholeStore, check_complete, identity

_PACKAGE = Path(glassdata.config.__file__).parent
_CHECKOUT = _PACKAGE.parent
_INSTALLED = _PACKAGE / "data" / "reference.zarr.zip"
#: The dataset that ships: with an installed package within it, with the repository beside it.
REFERENCE = (
    _INSTALLED if _INSTALLED.exists() else _CHECKOUT / "book" / "data" / "reference.zarr.zip"
)
#: Structures that others made, described like ours; their atoms do not ship.
EXTERNAL = REFERENCE.with_name("external.zarr.zip")
#: One mixture in smaller boxes; spectra and labels alone.
SIZES = REFERENCE.with_name("sizes.zarr.zip")
#: The store that ``make book`` computes where none ships.
COMPUTED = _CHECKOUT / "_build" / "store"

#: Bytes that are read at once from a remote zip file: about the size of a chunk.
_BLOCK = 1 << 17
# How often what seems to lack something is looked at again, and after how many seconds.
_TRIES, _INSTANT = 5, 0.02


def open_dataset(path: str | os.PathLike | None = None) -> xr.DataTree:
    """Open a sealed dataset, lazily and read-only, with one group per system.

    Parameters
    ----------
    path
        A store made by ``glassdata build``, its ``dataset.zarr``, or a ``.zip`` of that; or the URL
        of one of these, from which only the parts that are used are read. None means the dataset
        of this checkout: the reference dataset that ships with it, or, if there is none, the
        smaller store that ``make book`` computed.

    Raises
    ------
    FileNotFoundError
        If nothing is there.
    StoreError
        If it is not a dataset, or a store that is not sealed yet; if the shipped dataset does not
        match its sha256; or if a web server does not give parts of its files.

    Examples
    --------
    >>> import glassdata as gd
    >>> with gd.open_dataset() as tree:
    ...     carbon = tree["amc"].to_dataset()
    >>> carbon["pdos"].dims, carbon["pdos"].attrs["units"]
    (('structure', 'omega'), 'THz-1')
    >>> len(carbon.to_netcdf(engine="scipy")) > 10**6  # every group can be written
    True
    """
    where = place(path) if path is not None else _checked(own_dataset())
    source = _source(where, "make data" if path is None else f"glassdata build {where}")
    try:
        # chunks=None reads through xarray's own lazy indexing, without Dask.
        with bounded_codecs():
            tree = xr.open_datatree(
                cast(Any, source), engine="zarr", chunks=None, zarr_format=3, consolidated=True
            )
        return _for_netcdf(tree)
    except (ValueError, KeyError, zarr.errors.GroupNotFoundError, StoreError) as error:
        raise _unreadable(where, error) from error


def shipped_dataset() -> xr.DataTree:
    """The dataset of this checkout, opened and checked once for all who read it in a process.

    It is opened again when its file has changed. Nobody may close it.

    Examples
    --------
    >>> shipped_dataset() is shipped_dataset()
    True
    """
    where = own_dataset()
    # A store is a folder, which does not tell whether files in it have changed.
    seen = identity(where) if where.is_file() else None
    # A forked process would share the place at which the open file is read.
    return _kept_open(where, seen, os.getpid()) if seen else open_dataset()


@lru_cache(maxsize=1)
def _kept_open(where: Path, seen: Identity, process: int) -> xr.DataTree:
    del where, seen, process  # the dataset they tell apart is the one that ships
    return open_dataset()


def _for_netcdf(tree: xr.DataTree) -> xr.DataTree:
    """The same, whose groups can be written as netCDF, which has no lists of words."""
    for group in tree.subtree:
        for name, value in group.attrs.items():
            if isinstance(value, list) and all(isinstance(word, str) for word in value):
                group.attrs[name] = " ".join(value)
    return tree


def _unreadable(where: Path, error: Exception) -> StoreError:
    kind = DamageError if isinstance(error, DamageError) else StoreError
    return kind(f"{where} is not a readable dataset: {error}")


def _checked(where: Path) -> Path:
    """The shipped dataset is small enough to be read as a whole each time it is opened."""
    if where.is_file() and (findings := verify(where)):
        raise DamageError(
            f"{where} is damaged: {findings[0]} ({len(findings)} such findings). "
            f"Get it again with: git checkout -- {where}; or make it again with: make data"
        )
    return where


def _source(where: Path, how: str) -> WholeStore:
    """The store from which zarr reads a dataset, after a check that it is complete."""
    look = partial(_packed, where) if medium(where).is_archive() else partial(_unpacked, where, how)
    for _ in range(0 if is_remote(where) else _TRIES):
        with suppress(DamageError):
            return look()
        # Another dataset may be taking the place of this one.
        time.sleep(_INSTANT)
    return look()


def _packed(where: Path) -> WholeStore:
    check_web_file(where)
    file = None if is_remote(where) else where
    before = identity(file)
    with medium(where).open_blocks(_BLOCK) as stream:
        metadata = _check_zip(where, stream)
    # The archive stays open, so that a file that replaces it is not read.
    store = WholeStore(medium(where).zip_store(_BLOCK), metadata, str(where), None)
    if identity(file) != before:
        raise DamageError(f"{where} was replaced while it was opened")
    return store


def _check_zip(where: Path, stream: BinaryIO) -> bytes:
    try:
        with open_archive(stream) as archive:
            stored = check_archive(archive, stream)
            check_metadata_size(archive.getinfo(METADATA).file_size)
            metadata, names = archive.read(METADATA), set(archive.namelist())
    except zipfile.BadZipFile as error:
        raise StoreError(f"{where} is neither a folder nor a zip archive: {error}") from None
    except (KeyError, ValueError) as error:
        raise StoreError(f"{where} is not a packed dataset: {error}") from None
    _check(where, metadata, stored, names)
    return metadata


def _unpacked(where: Path, how: str) -> WholeStore:
    folder, metadata = _find(where, how)
    file = None if is_remote(folder) else folder / METADATA
    store = WholeStore(medium(folder).zarr_store(), metadata, str(where), file)
    sizes = medium(folder).known_sizes()
    _check(where, metadata, None if sizes is None else sum(sizes.values()), sizes)
    if file is not None and file.read_bytes() != metadata:
        raise DamageError(f"{where} was replaced while it was opened")
    return store


def _check(where: Path, metadata: bytes, stored: int | None, names: Container[str] | None) -> None:
    try:
        check_metadata(metadata, stored)
        if names is not None:
            check_complete(metadata, names)
    except StoreError as error:
        raise _unreadable(where, error) from None


def own_dataset() -> Path:
    """Where the dataset of this checkout is, or would be: the shipped one, else a computed one.

    Examples
    --------
    >>> own_dataset().exists()
    True
    """
    return COMPUTED if COMPUTED.exists() and not REFERENCE.exists() else REFERENCE


def _find(where: Path, how: str) -> tuple[Path, bytes]:
    """The dataset at or in a folder, and its metadata."""
    # A web server knows no folders: what is there is found by the name of a file in it.
    for folder in (where, where / DATASET):
        with suppress(FileNotFoundError, NotADirectoryError):
            check_web_file(folder / METADATA)
            return folder, read_metadata(folder / METADATA)
    manifest = read_manifest(where)
    if manifest is not None:
        folder = where / dataset_name(manifest)
        with suppress(FileNotFoundError):
            return folder, read_metadata(folder / METADATA)
        raise DamageError(
            f"{folder / METADATA} is missing; glassdata repair {where} makes it again"
        )
    if (where / CONFIG).exists() or (where / ROWS).exists():
        raise StoreError(f"{where} is not sealed yet; finish it with: glassdata build {where}")
    if medium(where).is_absent():
        raise FileNotFoundError(f"there is no dataset at {where}; make it with: {how}")
    raise StoreError(f"{where} is not a dataset")


def recorded(where: Path) -> tuple[str, dict[str, list[int]]]:
    """Profile of a store or a packed dataset, and the indices of its structures by system.

    Examples
    --------
    >>> profile, rows = recorded(own_dataset())
    >>> rows["amc"][:3]
    [0, 1, 2]
    """
    if not where.is_file():
        config = read_config(where)
        return config.profile, {name: sorted(present(where, name)) for name in config.systems}
    with open_dataset(where) as tree:
        rows = {
            name: group.to_dataset()["structure"].values.tolist()
            for name, group in tree.children.items()
        }
        return tree.attrs["profile"], rows


def recorded_science(where: Path) -> dict[str, dict]:
    """What determined the rows of a store or a packed dataset: ``System.science`` by system.

    Examples
    --------
    >>> sorted(recorded_science(own_dataset()))[:3]
    ['amc', 'amc_lb', 'cualzr']
    """
    if not where.is_file():
        return dict(read_config(where).systems)
    with open_dataset(where) as tree:
        return {
            n: parse_json(group.attrs["configuration"].encode())
            for n, group in tree.children.items()
        }


def recorded_row(where: Path, system: str, index: int) -> dict[str, np.ndarray]:
    """Values of one structure of a store or a packed dataset, as its row file holds them.

    Parameters
    ----------
    where : Path
        A store, or a sealed dataset.
    system : str
        Name of the glass.
    index : int
        Number of the structure in its glass, from 0.

    Raises
    ------
    DamageError
        If they cannot be read.
    """
    if not where.is_file():
        return read_row(where, system, index)
    try:
        with open_dataset(where) as tree:
            return _row(tree[system].to_dataset(), index)
    except (ValueError, KeyError, IndexError, StoreError) as error:
        raise DamageError(f"{where}: {system} {index}: {error}") from error


def _row(group: xr.Dataset, index: int) -> dict[str, np.ndarray]:
    position = int(np.flatnonzero(group["structure"].values == index)[0])
    row = {}
    for name in VARIABLES.keys() & group.variables.keys():
        variable = VARIABLES[name]
        where: dict[str, int | slice] = {"structure": position}
        if variable.ragged:
            counts = group[RAGGED[variable.dims[0]]].values
            begin = int(counts[:position].sum())
            where = {variable.dims[0]: slice(begin, begin + int(counts[position]))}
        row[name] = np.asarray(group[name].isel(where).values, variable.dtype)
    # The dataset has fill values where a failed row has no variable.
    kept = ("row_id", "status", "error") if row["status"] == "failed" else sorted(row)
    return {name: row[name] for name in kept}


def pack(store: Path, archive: Path, *, without: Collection[str] = ()) -> None:
    """Write the sealed dataset of a store as one zip file, which checks itself.

    Equal datasets give equal bytes. ``open_dataset`` and ``verify`` accept the file.

    Parameters
    ----------
    store : Path
    archive : Path
    without : collection of str
        Variables that are left out of every glass, such as the atoms of structures which belong to
        others.

    Raises
    ------
    DamageError
        If a file is missing or, where there is a manifest, damaged. Otherwise the checksum of the
        packed file would confirm the damaged content.

    Examples
    --------
    >>> from glassdata.row import row_id
    >>> from glassdata.store import prepare, science_config, seal
    >>> from glassdata.store.rows import failed_row, publish_row
    >>> from glassdata.systems import SYSTEMS
    >>> store, argon = Path("my.store"), {"lj2d": SYSTEMS["lj2d"]}
    >>> counts = prepare(store, science_config(argon, "demo"), {"lj2d": 1})
    >>> row = failed_row(row_id("lj2d", "demo", 0), "an example")
    >>> new = publish_row(store, "lj2d", 0, row)
    >>> seal(store, argon, counts, identify=row_id)
    >>> pack(store, Path("my.zarr.zip"))
    >>> verify(Path("my.zarr.zip"))
    []
    """
    folder, metadata = _find(store, f"glassdata build {store}")
    names = medium(folder).file_sizes()
    _check(store, metadata, sum(names.values()), names)
    kept = [name for name in sorted(names) if not _belongs(name, without)]
    with replace_stream(archive) as stream:
        write_archive(stream, _members(folder, kept, without))


def _belongs(name: str, variables: Collection[str]) -> bool:
    """Whether a file, or a node of the metadata, is of one of these variables: GLASS/NAME/..."""
    return bool(set(name.split("/")[1:2]) & set(variables))


def _without(metadata: bytes, variables: Collection[str]) -> bytes:
    content = json.loads(metadata)
    nodes = content["consolidated_metadata"]["metadata"]
    kept = {name: node for name, node in nodes.items() if not _belongs(name, variables)}
    content["consolidated_metadata"]["metadata"] = kept
    return json.dumps(content, indent=2).encode()


def _members(
    folder: Path, names: list[str], without: Collection[str]
) -> Iterator[tuple[str, bytes]]:
    manifest = read_manifest(folder.parent)
    listed = listed_files(manifest) if dataset_name(manifest) == folder.name else {}
    for name in names:
        data = (folder / name).read_bytes()
        entry = listed.get(f"{folder.name}/{name}")
        if manifest and entry != [len(data), hashlib.sha256(data).hexdigest()]:
            raise DamageError(
                f"{folder / name}: checksum does not match; glassdata repair mends it"
            )
        yield name, _without(data, without) if without and name == METADATA else data
