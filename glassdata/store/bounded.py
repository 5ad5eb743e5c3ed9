"""Codecs that refuse a chunk which claims to be larger than a chunk of its array.

Compressed data state the size to which they unpack, and the library allocates that memory before it
reads them. So a few kilobytes could fill the whole memory.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import zarr
from zarr import codecs
from zarr.registry import register_codec

from glassdata import bounds
from glassdata.store.errors import StoreError

# Bytes of one text, reasons of failed rows among them.
_LONGEST_TEXT = 1 << 16
# Positions of the sizes: in blosc's header, and in the frame header of RFC 8878.
_BLOSC_NBYTES = slice(4, 8)
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


#: Packed chunks, None where one is missing, each with zarr's description of its array.
Chunks = Iterable[tuple[Any, Any]]
#: Allowed and stated size of a chunk, from its packed bytes and that description.
Claim = Callable[[Any, Any], tuple[int, float]]


class BoundedBlosc(codecs.BloscCodec):
    """Blosc, within the size of the chunk."""

    async def decode(self, chunks_and_specs: Chunks) -> Iterable[Any]:
        """Unpack chunks, each after a look at what it claims to hold."""
        return await super().decode(_checked(chunks_and_specs, _blosc_excess))


class BoundedZstd(codecs.ZstdCodec):
    """Zstandard, within the size of the chunk."""

    async def decode(self, chunks_and_specs: Chunks) -> Iterable[Any]:
        """Unpack chunks, each after a look at what it claims to hold."""
        return await super().decode(_checked(chunks_and_specs, _zstd_excess))


class VLenUTF8Codec(codecs.VLenUTF8Codec):  # zarr insists on the name
    """Texts, no more than the chunk has elements."""

    async def decode(self, chunks_and_specs: Chunks) -> Iterable[Any]:
        """Unpack chunks, each after a look at what it claims to hold."""
        return await super().decode(_checked(chunks_and_specs, _text_excess))


def _checked(chunks: Chunks, claim: Claim) -> Chunks:
    """The same chunks, after a check that none states more than it may have."""
    whole = list(chunks)
    for data, spec in whole:
        if data is not None:
            _refuse_beyond(*claim(data, spec))
    return whole


def _blosc_excess(data: Any, spec: Any) -> tuple[int, float]:
    """Bytes that a chunk may have, and that it states."""
    return _room(spec), int.from_bytes(data[:16].to_bytes()[_BLOSC_NBYTES], "little")


def _zstd_excess(data: Any, spec: Any) -> tuple[int, float]:
    return _room(spec), _zstd_size(data[:18].to_bytes())


def _text_excess(data: Any, spec: Any) -> tuple[int, float]:
    """Texts that a chunk may have, and that it states."""
    return math.prod(spec.shape), int.from_bytes(data[:4].to_bytes(), "little")


_CODECS = {"blosc": BoundedBlosc, "zstd": BoundedZstd, "vlen-utf8": VLenUTF8Codec}
for _name, _codec in _CODECS.items():
    register_codec(_name, _codec)


@contextmanager
def bounded_codecs() -> Iterator[None]:
    """Context in which arrays are opened with these codecs; they keep them afterwards."""
    names = {f"codecs.{n}": f"{c.__module__}.{c.__qualname__}" for n, c in _CODECS.items()}
    with zarr.config.set(names):
        yield


def _room(spec) -> int:
    """Bytes that a chunk may take, unpacked."""
    kind = spec.dtype.to_native_dtype()
    fixed = kind.kind in "biufc"
    item = kind.itemsize if fixed else _LONGEST_TEXT
    return min(item * math.prod(spec.shape), bounds.LIMIT)


def _zstd_size(head: bytes) -> float:
    if len(head) < 6 or head[:4] != _ZSTD_MAGIC:
        return np.inf
    flags = head[4]
    single = flags >> 5 & 1
    width = (single, 2, 4, 8)[flags >> 6]
    start = 5 + (1 - single) + (0, 1, 2, 4)[flags & 3]
    if width == 0:
        return np.inf  # it does not say
    return int.from_bytes(head[start : start + width], "little") + (256 if width == 2 else 0)


def _refuse_beyond(room: int, claimed: float) -> None:
    if claimed > room:
        raise StoreError(f"a chunk claims to unpack to {claimed:g}, more than the {room} it may")
