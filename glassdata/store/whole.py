"""Datasets are read as a whole or not at all: a chunk that is missing is an error.

Zarr gives fill values where a chunk is missing or empty, whether it was never written or was lost
(zarr-python issue 486, xarray issues 8842 and 9701). A sealed dataset has all of its chunks, so a
missing one means damage. Releases of zarr with ``array.read_missing_chunks`` can report this
themselves. But they do not notice if another dataset has replaced the one that was opened: its
chunks would be read with the metadata of the first.
"""

import json
import math
import zipfile
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from zarr.abc.store import ByteRequest, RangeByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import WrapperStore

from glassdata.store.errors import DamageError, StoreError

METADATA = "zarr.json"
_OF_ALL_GLASSES = "configuration_sha256"

#: Numbers by which a file is told from another one that replaced it.
Identity = tuple[int, int, int, int]


def check_complete(metadata: bytes, names: Container[str]) -> None:
    """Refuse a dataset that lacks a file which its metadata promise.

    Parameters
    ----------
    metadata
        ``zarr.json`` of the dataset; it passed ``glassdata.store.limits.check_metadata``.
    names
        Relative names of all files there are.

    Raises
    ------
    DamageError
        Naming the first file that is missing.
    """
    if (name := next((n for n in promised_files(metadata) if n not in names), None)) is not None:
        raise DamageError(f"{name} is missing")


def promised_files(metadata: bytes) -> Iterator[str]:
    """Relative names of all files that a dataset has by its metadata, one after the other."""
    yield METADATA
    for name, node in _nodes(metadata).items():
        yield f"{name}/{METADATA}"
        if node["node_type"] == "array":
            shard = node["chunk_grid"]["configuration"]["chunk_shape"]
            numbers = [math.ceil(n / size) for n, size in zip(node["shape"], shard, strict=True)]
            for shard_index in _indices(numbers):
                yield "/".join([name, "c", *map(str, shard_index)])


def _indices(numbers: list[int]) -> Iterator[tuple[int, ...]]:
    """Like ``itertools.product`` of ranges, but without the memory for all of each range."""
    if not numbers:
        yield ()
        return
    for first in range(numbers[0]):
        for rest in _indices(numbers[1:]):
            yield first, *rest


def _nodes(metadata: bytes) -> dict[str, Any]:
    return json.loads(metadata)["consolidated_metadata"]["metadata"]


class WholeStore(WrapperStore[Store]):
    """Store from which zarr reads a dataset; each chunk must be there, and of the same dataset.

    Parameters
    ----------
    store
        The files of the dataset.
    metadata
        Its checked ``zarr.json``, which is not read again.
    where
        Name of the dataset in messages.
    file
        Its ``zarr.json`` on a local file system, which shows whether another dataset has replaced
        it; None where that is impossible, or cannot be seen.
    """

    def __init__(self, store: Store, metadata: bytes, where: str, file: Path | None) -> None:
        super().__init__(store)
        self._metadata, self._where, self._file = metadata, where, file
        self._identity = identity(file)
        self._read_of: dict[str, Identity | None] = {}

    def _with_store(self, store: Store) -> "WholeStore":
        return type(self)(store, self._metadata, self._where, self._file)

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Bytes of a file, or an error if they do not belong to this dataset."""
        if key == METADATA and byte_range is None:
            return prototype.buffer.from_bytes(self._metadata)
        if "c" not in key.split("/"):
            return await super().get(key, prototype, byte_range)
        value = await self._read(key, prototype, byte_range)
        if self._is_replaced():
            self._accept_longer()
            value = await self._read(key, prototype, byte_range)
        self._check_same_part(key, byte_range)
        # Zarr takes an empty answer for a missing one, too.
        if value is None or not len(value):
            raise DamageError(f"{self._where}: {key} is missing or empty")
        return value

    async def get_partial_values(
        self,
        prototype: BufferPrototype,
        key_ranges: Iterable[tuple[str, ByteRequest | None]],
    ) -> list[Buffer | None]:
        """Bytes of several parts of files."""
        return [await self.get(key, prototype, part) for key, part in key_ranges]

    async def _read(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None
    ) -> Buffer | None:
        try:
            return await super().get(key, prototype, byte_range)
        except (zipfile.BadZipFile, EOFError) as error:
            raise DamageError(f"{self._where}: {key} cannot be read: {error}") from None

    def _is_replaced(self) -> bool:
        return self._file is not None and identity(self._file) != self._identity

    def _accept_longer(self) -> None:
        """Go on with the new dataset, if it begins with the one that was opened."""
        file = cast(Path, self._file)
        now = identity(file)
        try:
            metadata = file.read_bytes()
        except OSError:
            metadata = b"{}"
        if now is None or not _begins_with(metadata, self._metadata):
            raise StoreError(
                f"{self._where} was replaced by another dataset since it was opened; open it again"
            )
        self._identity = now

    def _check_same_part(self, key: str, byte_range: ByteRequest | None) -> None:
        """Refuse a part of a file whose index was read from the file before it was replaced."""
        if isinstance(byte_range, RangeByteRequest):
            if self._read_of.get(key, self._identity) != self._identity:
                raise StoreError(f"{self._where} was replaced while it was read; read it again")
        elif byte_range is not None:
            self._read_of[key] = self._identity


def identity(file: Path | None) -> Identity | None:
    """Numbers by which a file is told from one that replaces it; None if there is no file."""
    if file is None:
        return None
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def _begins_with(longer: bytes, shorter: bytes) -> bool:
    """Whether a dataset consists of the same arrays as another, or of longer ones."""
    if longer == shorter:
        return True
    try:
        new, old = json.loads(longer), json.loads(shorter)
        # A further glass changes the first of them only; each glass has its own configuration.
        if any(
            new["attributes"].get(key) != value
            for key, value in old["attributes"].items()
            if key != _OF_ALL_GLASSES
        ):
            return False
        nodes = _nodes(longer)
        return all(_is_longer(nodes[name], node) for name, node in _nodes(shorter).items())
    except (ValueError, KeyError, TypeError):
        return False


def _is_longer(new: dict[str, Any], old: dict[str, Any]) -> bool:
    differ = [key for key in old.keys() | new.keys() if new.get(key) != old.get(key)]
    return differ in ([], ["shape"]) and (
        not differ or (new["shape"][1:] == old["shape"][1:] and new["shape"][0] >= old["shape"][0])
    )
