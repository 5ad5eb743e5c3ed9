"""Opening sealed datasets, and packing them into one file."""

import os
import zipfile
from pathlib import Path

import fsspec
import xarray as xr
import zarr

import glassdata.config
from glassdata.store.errors import StoreError
from glassdata.store.files import replace_stream, write_archive
from glassdata.store.manifest import dataset_name
from glassdata.store.places import file_sizes, is_remote, place
from glassdata.store.settings import CONFIG, DATASET, ROWS, read_manifest

_CHECKOUT = Path(glassdata.config.__file__).parents[1]
#: The dataset that ships with the repository.
REFERENCE = _CHECKOUT / "book" / "data" / "reference.zarr.zip"
#: The store that ``make book`` computes where none ships.
COMPUTED = _CHECKOUT / "_build" / "store"

#: Bytes that are read at once from a remote zip file: about the size of a chunk.
_BLOCK = 1 << 17


def open_dataset(path: str | os.PathLike | None = None) -> xr.DataTree:
    """Open a sealed dataset, lazily and read-only, with one group per system.

    Parameters
    ----------
    path
        A store made by ``glassdata build``, its ``dataset.zarr``, or a ``.zip`` of that; also a
        URL of one of these, of which only what is used is read (``glassdata.store.places``).
        None means the dataset of this checkout: the reference dataset that ships with it, or,
        where none does, the smaller store that ``make book`` computed.

    Raises
    ------
    FileNotFoundError
        If nothing is there.
    StoreError
        If it is no dataset, or a store that is not sealed yet.
    """
    where = place(path) if path is not None else _own_dataset()
    source = _source(where, "make data" if path is None else f"glassdata build {where}")
    try:
        # chunks=None reads through xarray's own lazy indexing, without Dask.
        return xr.open_datatree(source, engine="zarr", chunks=None, zarr_format=3)
    except (ValueError, KeyError, zarr.errors.GroupNotFoundError) as error:
        raise StoreError(f"{where} is not a readable dataset: {error}") from error


def _source(where: Path, how: str) -> zarr.abc.store.Store | str:
    if is_remote(where):
        if where.name.endswith(".zip"):
            return _remote_zip(where)
        address = str(_dataset_folder(where, how))
        options = dict(where.storage_options)
        return zarr.storage.FsspecStore.from_url(address, storage_options=options, read_only=True)
    return _zip_store(where) if where.is_file() else str(_dataset_folder(where, how))


def _own_dataset() -> Path:
    return COMPUTED if COMPUTED.exists() and not REFERENCE.exists() else REFERENCE


def _zip_store(path: Path) -> zarr.storage.ZipStore:
    if not zipfile.is_zipfile(path):
        raise StoreError(f"{path} is neither a folder nor a zip archive")
    return zarr.storage.ZipStore(path, mode="r")


def _remote_zip(where: Path) -> zarr.storage.FsspecStore:
    inside = fsspec.filesystem("zip", fo=where.open("rb", block_size=_BLOCK))
    return zarr.storage.FsspecStore.from_mapper(inside.get_mapper(""), read_only=True)


def _dataset_folder(where: Path, how: str) -> Path:
    # A web server knows no folders: what is there is found by the name of a file in it.
    for folder in (where, where / DATASET):
        if (folder / "zarr.json").exists():
            return folder
    manifest = read_manifest(where)
    if manifest is not None:
        return where / dataset_name(manifest)
    if (where / CONFIG).exists() or (where / ROWS).exists():
        raise StoreError(f"{where} is not sealed yet; finish it with: glassdata build {where}")
    if not is_remote(where) and not where.exists():
        raise FileNotFoundError(f"there is no dataset at {where}; make it with: {how}")
    raise StoreError(f"{where} is not a dataset")


def pack(store: Path, archive: Path) -> None:
    """Write the sealed dataset of a store as one zip file, which checks itself.

    Equal datasets give equal bytes. ``open_dataset`` and ``verify`` accept the file.
    """
    folder = _dataset_folder(store, f"glassdata build {store}")
    with replace_stream(archive) as stream:
        write_archive(
            stream, ((name, (folder / name).read_bytes()) for name in sorted(file_sizes(folder)))
        )
