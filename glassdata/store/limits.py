"""Limits that a dataset from elsewhere must obey before it is opened.

Zarr trusts metadata: it makes arrays as large as they say, and uses the codecs that they name.
"""

import json
import math

import numpy as np

from glassdata.store.errors import StoreError

#: What this program writes; none of them executes anything, and ``glassdata.store.bounded`` holds
#: each to the size of its chunk.
_CODECS = {"bytes", "blosc", "crc32c", "zstd", "vlen-utf8", "sharding_indexed"}
_MOST_SHARD_BYTES = 1 << 28
_MOST_CHUNKS_PER_SHARD = 1 << 16
# Declared bytes per stored byte, beyond a start that any dataset may have.
_MOST_EXPANSION, _START = 100, 1 << 26


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
    declared = 0
    try:
        nodes = json.loads(data)["consolidated_metadata"]["metadata"]
        for name, node in nodes.items():
            if node["node_type"] == "array":
                declared += _check_array(name, node)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StoreError(
            f"its metadata are not those of a sealed dataset: {error!r:.200}"
        ) from None
    if stored is not None and declared > _START + _MOST_EXPANSION * stored:
        raise StoreError(f"it declares {declared} bytes, and all its files have {stored}")


def _check_array(name: str, node: dict) -> int:
    item = 8 if node["data_type"] == "string" else np.dtype(node["data_type"]).itemsize
    shard = node["chunk_grid"]["configuration"]["chunk_shape"]
    unknown = set(_codec_names(node["codecs"])) - _CODECS
    if unknown:
        raise StoreError(f"array {name} needs the codec {sorted(unknown)[0]}")
    chunks = [shard] + [
        codec["configuration"]["chunk_shape"]
        for codec in node["codecs"]
        if codec["name"] == "sharding_indexed"
    ]
    if any(type(n) is not int or n < 0 for n in node["shape"]) or any(
        type(n) is not int or n < 1 for chunk in chunks for n in chunk
    ):
        raise StoreError(f"array {name} has no proper shape")
    size = item * math.prod(shard)
    if size > _MOST_SHARD_BYTES or size > _MOST_CHUNKS_PER_SHARD * item * math.prod(chunks[-1]):
        raise StoreError(f"array {name} declares shards of {size} bytes")
    total = item * math.prod(node["shape"])
    # The coordinates of a dimension are read when the dataset is opened.
    if node.get("dimension_names") == [name.rpartition("/")[2]] and total > _MOST_SHARD_BYTES:
        raise StoreError(f"array {name} declares {total} bytes")
    return total


def _codec_names(codecs: list) -> list[str]:
    names = []
    for codec in codecs:
        names.append(codec["name"])
        for inner in ("codecs", "index_codecs"):
            names += _codec_names(codec.get("configuration", {}).get(inner, []))
    return names
