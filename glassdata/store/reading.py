"""Opening sealed datasets, and packing them into one file."""

import os
import zipfile
from pathlib import Path

import xarray as xr
import zarr

import glassdata.config
from glassdata.store.files import StoreError, replace_stream, write_archive
from glassdata.store.settings import CONFIG, DATASET, ROWS

_CHECKOUT = Path(glassdata.config.__file__).parents[1]
#: The dataset that ships with the repository.
REFERENCE = _CHECKOUT / "book" / "data" / "reference.zarr.zip"
#: The store that ``make book`` computes where none ships.
COMPUTED = _CHECKOUT / "_build" / "store"


def open_dataset(path: str | os.PathLike | None = None) -> xr.DataTree:
    """Open a sealed dataset, lazily and read-only, with one group per system.

    Parameters
    ----------
    path
        A store made by ``glassdata build``, its ``dataset.zarr``, or a ``.zip`` of that.
        None means the dataset of this checkout: the reference dataset that ships with it, or,
        where none does, the smaller store that ``make book`` computed.

    Raises
    ------
    FileNotFoundError
        If nothing is there.
    StoreError
        If it is no dataset, or a store that is not sealed yet.
    """
    place = Path(path) if path is not None else _own_dataset()
    if not place.exists():
        how = "make data" if path is None else f"glassdata build {place}"
        raise FileNotFoundError(f"there is no dataset at {place}; make it with: {how}")
    source = _zip_store(place) if place.is_file() else str(_dataset_folder(place))
    try:
        # chunks=None reads through xarray's own lazy indexing, without Dask.
        return xr.open_datatree(source, engine="zarr", chunks=None)
    except (ValueError, KeyError, zarr.errors.GroupNotFoundError) as error:
        raise StoreError(f"{place} is not a readable dataset: {error}") from error


def _own_dataset() -> Path:
    return COMPUTED if COMPUTED.exists() and not REFERENCE.exists() else REFERENCE


def _zip_store(path: Path) -> zarr.storage.ZipStore:
    if not zipfile.is_zipfile(path):
        raise StoreError(f"{path} is neither a folder nor a zip archive")
    return zarr.storage.ZipStore(path, mode="r")


def _dataset_folder(place: Path) -> Path:
    if (place / "zarr.json").exists():
        return place
    if (place / DATASET / "zarr.json").exists():
        return place / DATASET
    if (place / CONFIG).exists() or (place / ROWS).exists():
        raise StoreError(f"{place} is not sealed yet; finish it with: glassdata build {place}")
    raise StoreError(f"{place} is not a dataset")


def pack(store: Path, archive: Path) -> None:
    """Write the sealed dataset of a store as one zip file, which checks itself.

    Equal datasets give equal bytes. ``open_dataset`` and ``verify`` accept the file.
    """
    folder = _dataset_folder(store)
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    with replace_stream(archive) as stream:
        write_archive(stream, ((name, (folder / name).read_bytes()) for name in names))
