"""The manifest: the files of the sealed dataset and of its rows, with their checksums."""

import hashlib
from pathlib import Path

from glassdata.store.errors import DamageError
from glassdata.store.places import medium
from glassdata.store.records import write_record
from glassdata.store.settings import DATASET, MANIFEST, SCHEMA_VERSION, read_manifest


def dataset_name(manifest: dict | None) -> str:
    """Name of the dataset's folder in its store."""
    return (manifest or {}).get("dataset", DATASET)


def listed_files(manifest: dict | None) -> dict[str, list]:
    """``[size, sha256]`` of every file of the manifest, by its name in the store."""
    files, name = (manifest or {}).get("files", {}), dataset_name(manifest)
    return {
        f"{name}{key.removeprefix(DATASET)}" if key.startswith(f"{DATASET}/") else key: entry
        for key, entry in files.items()
    }


def is_sealed(store: Path, counts: dict[str, int]) -> bool:
    """Whether the dataset of exactly these rows stands, by names and sizes.

    Examples
    --------
    >>> is_sealed(Path("new.store"), {"amc": 8})
    False
    """
    try:
        manifest = read_manifest(store)
    except DamageError:
        return False
    if manifest is None or manifest["counts"] != dict(counts):
        return False
    sizes = medium(store).file_sizes()
    return all(sizes.get(name) == size for name, (size, _) in listed_files(manifest).items())


def list_files(folder: Path) -> dict[str, list]:
    """``[size, sha256]`` of every file below a folder, by relative name."""
    return {name: fingerprint(folder / name) for name in sorted(medium(folder).file_sizes())}


def fingerprint(path: Path) -> list:
    """``[size in bytes, sha256]`` of a file.

    Raises
    ------
    DamageError
        If it is a link, a folder or a device.
    """
    medium(path).check_regular()
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return [stream.tell(), digest]


def put_dataset(fresh: Path, store: Path, rows: dict[str, list], counts: dict[str, int]) -> None:
    """Make a finished dataset the sealed one of its store: place its files, write the manifest.

    On an object store the manifest says which dataset counts. The dataset before this one stays,
    older ones are deleted; so is one that was copied there from a folder, because readers try its
    name first.

    Parameters
    ----------
    fresh : Path
        Folder of the finished dataset.
    store : Path
        Folder of the store, or its place on an object store.
    rows : dict[str, list]
        Size and sha256 of every row file in the dataset, by relative name.
    counts : dict[str, int]
        Number of structures per glass.
    """
    files = list_files(fresh)
    manifest = {
        "schema": SCHEMA_VERSION,
        "counts": dict(counts),
        "files": rows | {f"{DATASET}/{name}": entry for name, entry in files.items()},
    }
    where = medium(store)
    name = where.dataset_name(DATASET, _digest(files))
    medium(store / name).put_folder(fresh, files)
    before = _name_before(store)
    write_record(store / MANIFEST, manifest | ({} if name == DATASET else {"dataset": name}))
    where.remove_replaced(DATASET, (name, before))


def _name_before(store: Path) -> str:
    try:
        return dataset_name(read_manifest(store))
    except DamageError:
        return ""


def dataset_digest(store: Path) -> str | None:
    """sha256 over the names and checksums of all files of the sealed dataset."""
    manifest = read_manifest(store)
    if manifest is None:
        return None
    return _digest({k: v for k, v in manifest["files"].items() if k.startswith(f"{DATASET}/")})


def _digest(files: dict[str, list]) -> str:
    lines = sorted(f"{entry[1]}  {name}" for name, entry in files.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
