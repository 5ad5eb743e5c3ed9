"""Limits that a dataset from elsewhere must obey before it is opened.

Zarr trusts metadata: it makes arrays as large as they say, and uses the codecs that they name.
"""

import math
from pathlib import Path

import numpy as np

from glassdata import bounds
from glassdata.bounds import parse_json
from glassdata.store.errors import StoreError
from glassdata.store.places import medium

#: What this program writes; none of them executes anything, and ``glassdata.store.bounded`` holds
#: each to the size of its chunk.
_CODECS = {"transpose", "bytes", "blosc", "crc32c", "zstd", "vlen-utf8"}
_CODECS_OF_INDEX = {"bytes", "crc32c"}
_SHARDING = "sharding_indexed"
_MOST_CHUNKS_PER_SHARD = 1 << 16
# Bytes that an element takes in memory: of a text, an object of Python and its place.
_TEXT = 128
# Part of the limit that metadata may take: zarr makes objects of them that take more than JSON.
_METADATA = 4
# Declared bytes per stored byte, beyond a start that any dataset may have.
_MOST_EXPANSION, _START = 100, 1 << 26


def read_metadata(path: Path) -> bytes:
    """Content of a ``zarr.json``, unless it is larger than any.

    Raises
    ------
    StoreError
        If it is.
    FileNotFoundError
        If there is none.
    """
    try:
        return medium(path).read(bounds.LIMIT // _METADATA)
    except ValueError as error:
        raise StoreError(str(error)) from None


def check_metadata_size(size: int) -> None:
    """Refuse metadata of more bytes than any, before they are read.

    Raises
    ------
    ValueError
        With both numbers.
    """
    if size > bounds.LIMIT // _METADATA:
        raise ValueError(f"metadata of {size} bytes, of {bounds.LIMIT // _METADATA} that are read")


def check_metadata(data: bytes, stored: int | None) -> None:
    """Refuse metadata whose arrays are too large for the files of the dataset.

    Parameters
    ----------
    data
        ``zarr.json`` of a dataset.
    stored
        Bytes of all its files, where they are known.

    Raises
    ------
    StoreError
        Naming the array.
    """
    declared = coordinates = 0
    try:
        nodes = parse_json(data, bounds.LIMIT // _METADATA)["consolidated_metadata"]["metadata"]
        for name, node in nodes.items():
            if node["node_type"] == "array":
                total = _check_array(name, node)
                declared += total
                # The coordinates of a dimension are read when the dataset is opened.
                if node.get("dimension_names") == [name.rpartition("/")[2]]:
                    coordinates += total
                if coordinates > bounds.LIMIT:
                    raise StoreError(f"array {name} declares {total} bytes that opening would read")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise StoreError(
            f"its metadata are not those of a sealed dataset: {error!r:.200}"
        ) from None
    if stored is not None and declared > _START + _MOST_EXPANSION * stored:
        raise StoreError(f"it declares {declared} bytes, and all its files have {stored}")


def _check_array(name: str, node: dict) -> int:
    """Bytes that an array takes, by its metadata, if they are such as a sealed dataset has."""
    item = _TEXT if node["data_type"] == "string" else np.dtype(node["data_type"]).itemsize
    if node["chunk_grid"]["name"] != "regular":
        raise StoreError(f"array {name} has no regular chunks")
    shard = chunk = node["chunk_grid"]["configuration"]["chunk_shape"]
    codecs = node["codecs"]
    if [codec["name"] for codec in codecs] == [_SHARDING]:
        sharding = codecs[0]["configuration"]
        chunk, codecs = sharding["chunk_shape"], sharding["codecs"]
        _check_codecs(name, sharding["index_codecs"], _CODECS_OF_INDEX)
    _check_codecs(name, codecs, _CODECS)  # no shards within shards
    if any(type(n) is not int or n < 0 for n in node["shape"]) or any(
        type(n) is not int or n < 1 for n in [*shard, *chunk]
    ):
        raise StoreError(f"array {name} has no proper shape")
    size = item * math.prod(shard)
    if size > bounds.LIMIT or size > _MOST_CHUNKS_PER_SHARD * item * math.prod(chunk):
        raise StoreError(f"array {name} declares shards of {size} bytes")
    return item * math.prod(node["shape"])


def _check_codecs(name: str, codecs: list, allowed: set[str]) -> None:
    unknown = sorted({codec["name"] for codec in codecs} - allowed)
    if unknown:
        raise StoreError(f"array {name} needs the codec {unknown[0]} where none of ours is")
