"""Where a store is: a folder, or a prefix of an object store that fsspec reaches.

An address such as ``s3://bucket/prefix`` becomes a ``UPath``, which reads like a ``Path``. Servers
and credentials are configured as fsspec and the package of the protocol do it: for S3 by
``FSSPEC_S3_ENDPOINT_URL`` and the ``AWS_*`` variables, or by fsspec's own configuration files.
The workers of a build need the same configuration.

``medium`` returns a ``Local`` or a ``Remote`` for a path: both have the methods that a store needs.

An object store is used like a local file system, except for three things:

- There is no lock. Two builds of one store may run at once; rows and sealed files come out right,
  but of two that seal different numbers of structures the later one decides which are sealed.
  The next build seals all that is there.
- Nothing is renamed. The sealed dataset stands under a name made of its content, and the manifest,
  one object that is replaced as a whole, says which one counts. The dataset sealed before it is
  kept for readers that have it open, and deleted by the next seal.
- Objects are written once by conditional creation (``If-None-Match: *``), which S3 has since 2024.
  On a server that ignores the condition the later of two workers may win; no row is damaged.
"""

import os
import re
import shutil
import time
from collections.abc import Container, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, cast

import fsspec
import zarr
from fsspec import available_protocols, get_filesystem_class
from zarr.abc.store import Store

from glassdata import bounds
from glassdata.files import TEMPORARY, replace, temporary_name
from glassdata.store import files
from glassdata.store.errors import DamageError, StoreError

_LOCAL, _WEB = ("file", "local"), ("http", "https")
#: Protocols whose addresses begin with a bucket or server.
_NAMED = ("s3", "s3a", "gs", "gcs", *_WEB)
#: A dataset on an object store: its name is made of its content.
SEALED_OBJECT = re.compile(r"dataset-[0-9a-f]{16}\.zarr")
_LAST_WRITES = 0.2  # s


def place(where: str | os.PathLike) -> Path:
    """The path of a folder or file; for a URL, a ``UPath`` that does the same.

    Raises
    ------
    StoreError
        If the protocol is unknown, or its package is not installed, or if the address names
        nothing.
    """
    if is_remote(where):
        return cast(Path, where)
    text = os.fspath(where)
    if "://" not in text:
        return Path(text)
    protocol, _, rest = text.partition("://")
    if protocol in _LOCAL and rest:
        # A folder like any other, with locks and renames.
        return Path(rest)
    if protocol not in available_protocols():
        raise StoreError(f"{text}: unknown protocol {protocol}")
    if not rest or (protocol in _NAMED and rest[0] == "/"):
        raise StoreError(f"{text} is no address: it names nothing after {protocol}://")
    try:
        get_filesystem_class(protocol)
        from upath import UPath
    except ImportError as error:
        raise StoreError(f"{text} cannot be reached: {error}; glassdata[s3] has both") from None
    # Listings are never remembered: other processes publish rows.
    return cast(Path, UPath(text, use_listings_cache=False))


def absolute(where: str | os.PathLike) -> Path:
    """Like ``place``, but valid in processes with another working directory, too."""
    return medium(place(where)).absolute()


def is_remote(path: object) -> bool:
    """Whether a path is on an object store or a web server, not a local one."""
    return hasattr(path, "fs") and hasattr(path, "storage_options")


def is_web(path: object) -> bool:
    """Whether a path is an address of a web server, of which datasets can only be read."""
    return getattr(path, "protocol", None) in _WEB if is_remote(path) else False


class Local:
    """The methods of a store for a file or folder of a local file system.

    ``glassdata.store.files`` has the functions that publish, replace and lock files.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def absolute(self) -> Path:
        """The path, valid in processes with another working directory, too."""
        return self.path.absolute()

    def publish(self, data: bytes) -> bool:
        """Write a file that never existed; False if the identical one was there already."""
        return files.publish(self.path, data)

    def replace(self, data: bytes, *, durable: bool = True) -> None:
        """Write a file so that readers see the old content or the new, never a part."""
        replace(self.path, data, durable=durable)

    def check_regular(self, most: int | None = None) -> None:
        """Refuse to read anything but an ordinary file, or more than so many bytes."""
        files.check_regular(self.path, most)

    def read(self, most: int) -> bytes:
        """Content of a file of at most so many bytes; a link may lead to it."""
        return bounds.read_file(self.path, most)

    def locked(self) -> AbstractContextManager[None]:
        """Hold the store's lock."""
        return files.locked(self.path)

    def steady(self) -> AbstractContextManager[None]:
        """Keep others from sealing, where that can be done without writing."""
        return files.steady(self.path)

    def is_absent(self) -> bool:
        """Whether it is certain that nothing is there."""
        return not self.path.exists()

    def make_writable(self) -> None:
        """Make a folder, unless it is there, and refuse one that cannot be written to safely."""
        files.make_folder(self.path)
        if not os.access(self.path, os.W_OK):
            raise StoreError(f"{self.path} cannot be written to")
        files.check_file_system(self.path)

    def entries(self, pattern: str) -> Iterator[Path]:
        """Paths that may be folders, links or unfinished files; object stores have none."""
        return self.path.glob(pattern)

    def remove_stale(self, patterns: Iterable[str]) -> None:
        """Delete what dead processes left unfinished here and in the folders that match."""
        for pattern in patterns:
            for folder in self.entries(pattern):
                files.remove_stale(folder)
        files.remove_stale(self.path)

    def remove(self) -> None:
        """Delete a file, if it is there."""
        self.path.unlink(missing_ok=True)

    def move(self, target: Path) -> None:
        """Give a file another name, making the folder for it."""
        target.parent.mkdir(exist_ok=True)
        self.path.rename(target)

    def file_sizes(self) -> dict[str, int]:
        """Size in bytes of every file below a folder, by relative name."""
        return dict(files.file_sizes(self.path))

    def known_sizes(self) -> dict[str, int] | None:
        """``file_sizes``, or None where a list of files costs requests."""
        return self.file_sizes()

    @contextmanager
    def workspace(self, name: str) -> Iterator[Path]:
        """A folder for a new dataset, on the file system of the store where that is a local one."""
        # We hold the lock, so anything else with such a name was left by a seal that failed.
        for left in self.path.glob(f"{TEMPORARY}*~{name}"):
            shutil.rmtree(left)
        fresh = self.path / temporary_name(name)
        try:
            yield fresh
        except OSError:
            # After the first error other threads of zarr still write, and make the folder again.
            time.sleep(_LAST_WRITES)
            raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def dataset_name(self, usual: str, digest: str) -> str:
        """Name for a dataset: the usual one, because one folder replaces another in one step."""
        return usual

    def put_folder(self, fresh: Path, names: Iterable[str]) -> None:
        """Put a finished folder, of files with these names, in this place."""
        files.sync_tree(fresh)
        files.put_folder(fresh, self.path)

    def remove_replaced(self, usual: str, keep: Container[str]) -> None:
        """Nothing is deleted: ``put_folder`` left nothing of the dataset before."""

    def is_archive(self) -> bool:
        """Whether this is a packed dataset."""
        return self.path.is_file()

    def open_blocks(self, size: int) -> BinaryIO:
        """A stream to read from."""
        return self.path.open("rb")

    def zip_store(self, block: int) -> Store:
        """What zarr reads a packed dataset from."""
        return zarr.storage.ZipStore(self.path, mode="r")

    def zarr_store(self) -> Store:
        """What zarr reads a folder's dataset from."""
        return zarr.storage.LocalStore(self.path, read_only=True)


class Remote:
    """The methods of a store for an object of an object store, or all objects below a prefix."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # ``is_remote`` said that it has what ``upath.UPath`` has beyond a ``Path``.
        self.there = cast(Any, path)
        self.fs, self.key = self.there.fs, self.there.path

    def absolute(self) -> Path:
        """The same path: it depends on no working directory."""
        return self.path

    def publish(self, data: bytes) -> bool:
        """Create an object that never existed; False if the identical one was there already."""
        try:
            self.fs.pipe_file(self.key, data, mode="create")
        except OSError:
            # Refused by the condition (each file system has its own error for that), or failed.
            try:
                found = self.path.read_bytes()
            except FileNotFoundError:
                found = None
            if found is None:
                raise
            if found != data:
                raise DamageError(
                    f"{self.path} exists with other content; it was not overwritten"
                ) from None
            return False
        return True

    def replace(self, data: bytes, *, durable: bool = True) -> None:
        """Write an object, which is durable and replaced as a whole in any case."""
        self.fs.pipe_file(self.key, data)

    def check_regular(self, most: int | None = None) -> None:
        """Nothing is refused: only objects are there."""

    def read(self, most: int) -> bytes:
        """Content of an object of at most so many bytes."""
        data = self.fs.cat_file(self.key, start=0, end=most + 1)
        if len(data) > most:
            raise ValueError(f"{self.path} has more than the {most} bytes that are read")
        return data

    def locked(self) -> AbstractContextManager[None]:
        """No lock is held: there is none."""
        return nullcontext()

    def steady(self) -> AbstractContextManager[None]:
        """Nothing is held: the manifest is the switch."""
        return nullcontext()

    def is_absent(self) -> bool:
        """Never certain: a prefix is there as soon as something is written below it."""
        return False

    def make_writable(self) -> None:
        """Nothing is made: a prefix is there as soon as something is written below it."""

    def entries(self, pattern: str) -> Iterator[Path]:
        """None."""
        return iter(())

    def remove_stale(self, patterns: Iterable[str]) -> None:
        """Nothing is deleted: an object is never half written."""

    def remove(self) -> None:
        """Delete an object, if it is there; its name is no pattern."""
        with suppress(FileNotFoundError):
            self.fs.rm_file(self.key)

    def move(self, target: Path) -> None:
        """Give an object another name."""
        target.write_bytes(self.path.read_bytes())
        self.fs.rm_file(self.key)

    def file_sizes(self) -> dict[str, int]:
        """Size in bytes of every object below the prefix, by relative name."""
        start = len(self.key.rstrip("/")) + 1
        found = self.fs.find(self.key, detail=True)
        return {name[start:]: facts["size"] for name, facts in found.items()}

    def known_sizes(self) -> dict[str, int] | None:
        """None: a list costs requests."""
        return None

    @contextmanager
    def workspace(self, name: str) -> Iterator[Path]:
        """A local folder for a new dataset."""
        with TemporaryDirectory(prefix="glassdata-") as folder:
            yield Path(folder) / name

    def dataset_name(self, usual: str, digest: str) -> str:
        """Name for a dataset, made of its content."""
        return f"dataset-{digest[:16]}.zarr"

    def put_folder(self, fresh: Path, names: Iterable[str]) -> None:
        """Copy files of a local folder to this prefix, many at once."""
        names = list(names)
        self.fs.put([str(fresh / n) for n in names], [f"{self.key}/{n}" for n in names])

    def remove_replaced(self, usual: str, keep: Container[str]) -> None:
        """Delete the datasets that are not current, except those whose names are to be kept."""
        for path in list(self.path.iterdir()):
            if SEALED_OBJECT.fullmatch(path.name) and path.name not in keep:
                Remote(path).remove_all()
        # First the file by which readers find it: half of its chunks would give fill values.
        if (metadata := self.path / usual / "zarr.json").exists():
            self.fs.rm_file(Remote(metadata).key)
        Remote(self.path / usual).remove_all()

    def remove_all(self) -> None:
        """Delete all objects below the prefix."""
        # One by one: fsspec's recursive removal takes some characters of a name for a pattern.
        for name in self.fs.find(self.key):
            self.fs.rm_file(name)

    def is_archive(self) -> bool:
        """Whether this is a packed dataset, by its name."""
        return self.path.name.endswith(".zip")

    def open_blocks(self, size: int) -> BinaryIO:
        """A stream to read from, which fetches ``size`` bytes at once."""
        return self.there.open("rb", block_size=size)

    def zip_store(self, block: int) -> Store:
        """What zarr reads a packed dataset from."""
        inside = fsspec.filesystem("zip", fo=self.open_blocks(block))
        return zarr.storage.FsspecStore.from_mapper(inside.get_mapper(""), read_only=True)

    def zarr_store(self) -> Store:
        """What zarr reads the dataset below the prefix from."""
        return zarr.storage.FsspecStore.from_url(
            str(self.path), storage_options=dict(self.there.storage_options), read_only=True
        )


def medium(path: Path) -> Local | Remote:
    """The methods of a store for a path: ``Remote`` if it is an address, else ``Local``."""
    return Remote(path) if is_remote(path) else Local(path)
