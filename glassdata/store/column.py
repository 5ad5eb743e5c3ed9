"""One array of the dataset, written in whole shards as its values arrive."""

import hashlib
from typing import Any

import numpy as np
import zarr
from zarr.codecs import BloscCodec, Crc32cCodec, TransposeCodec, ZstdCodec

from glassdata.schema import RAGGED, Variable
from glassdata.store.errors import DamageError, StoreError

# The layout has constants, so that a longer dataset begins with the bytes of a shorter one.
_CHUNK = {"structure": 64, "atom": 16384, "mode": 16384}
_CHUNK_OF_COORDINATE = 256
_CHUNKS_PER_SHARD = 32
# Every chunk carries a checksum. Bytes of numbers are sorted by significance before they are
# compressed, which saves a third.
_TEXT = (ZstdCodec(level=9, checksum=True),)
_NUMBERS = (BloscCodec(cname="zstd", clevel=9, shuffle="shuffle"), Crc32cCodec())
# All x, then all y, then all z: equal heights of a plane are then next to each other.
_BY_DIRECTION = (TransposeCodec(order=(1, 0)),)

# Whole multiples of a step: four bytes reach 2000 Å in steps of a millionth.
_PACKED = "i4"


class Column:
    """An array that grows along its first dimension; the memory holds one shard at most."""

    def __init__(
        self,
        group: zarr.Group,
        name: str,
        variable: Variable,
        inner: tuple[int, ...] = (),
        *,
        units: str = "",
        step: float | None = None,
    ) -> None:
        self.variable, self.inner, self.step = variable, inner, step
        chunk = _CHUNK.get(variable.dims[0], _CHUNK_OF_COORDINATE)
        self.length = chunk * _CHUNKS_PER_SHARD
        self.pending: list[np.ndarray] = []
        self.waiting = 0
        self.hashed = hashlib.sha256()
        text = np.dtype(variable.dtype).kind == "U"
        attributes: dict[str, Any] = {
            "units": units or variable.units,
            "long_name": variable.long_name,
        }
        if name in RAGGED.values():
            attributes["sample_dimension"] = next(d for d, n in RAGGED.items() if n == name)
        if step is not None:
            attributes["scale_factor"] = step
        self.array = group.create_array(
            name,
            shape=(0, *inner),
            chunks=(chunk, *inner),
            shards=(self.length, *inner),
            dtype="string" if text else variable.dtype if step is None else _PACKED,
            filters=_BY_DIRECTION if variable.dims[1:] == ("xyz",) else (),
            compressors=_TEXT if text else _NUMBERS,
            fill_value=variable.fill if step is None else 0,
            dimension_names=variable.dims,
            attributes=attributes,
            # Chunks that were left out, like chunks that were lost, would be read as fill values.
            config={"write_empty_chunks": True},
        )

    def append(self, value: np.ndarray | None) -> None:
        """Add the value of the next structure; None where its row has no such variable."""
        if self.variable.ragged:
            if value is not None:
                self.extend(value)
            return
        if value is None:
            value = np.full(self.inner, self.variable.fill, dtype=self.variable.dtype)
        self.extend(np.asarray(value, dtype=self.variable.dtype)[None])

    def extend(self, values: np.ndarray) -> None:
        """Add values along the first dimension."""
        self.pending.append(values)
        self.waiting += len(values)
        if self.waiting >= self.length:
            self._write(final=False)

    def _write(self, *, final: bool) -> None:
        values = np.concatenate(self.pending)
        stop = len(values) if final else len(values) // self.length * self.length
        for start in range(0, stop, self.length):
            slab = values[start : min(start + self.length, stop)]
            self.hashed.update(_plain_bytes(slab))
            begin = self.array.shape[0]
            self.array.resize((begin + len(slab), *self.inner))
            self.array[begin:] = self._packed(slab)
        self.pending = [values[stop:]]
        self.waiting = len(values) - stop

    def _packed(self, values: np.ndarray) -> np.ndarray:
        """Values as the array stores them."""
        if values.dtype.kind == "U":
            return values.astype(object)
        if self.step is None:
            return values
        multiples = values / self.step
        whole = np.rint(multiples)
        if not np.array_equal(multiples, whole):
            raise StoreError(f"{self.array.path} has values that are no multiples of {self.step}")
        if np.abs(whole).max(initial=0) > np.iinfo(_PACKED).max:
            raise StoreError(
                f"{self.array.path} has values beyond {np.iinfo(_PACKED).max * self.step:.0f}, the "
                f"most that {_PACKED} holds in steps of {self.step}"
            )
        return whole.astype(_PACKED)

    def _unpacked(self, stored: np.ndarray) -> np.ndarray:
        values = stored if self.step is None else stored * self.step
        return values.astype(self.variable.dtype)

    def finish(self) -> None:
        """Write what is left, then read everything back from the disk and compare.

        Raises
        ------
        DamageError
            If the disk returns other values than were written.
        """
        if self.pending:
            self._write(final=True)
        hashed = hashlib.sha256()
        for start in range(0, self.array.shape[0], self.length):
            slab = np.asarray(self.array[start : start + self.length])
            hashed.update(_plain_bytes(self._unpacked(slab)))
        if hashed.digest() != self.hashed.digest():
            raise DamageError(f"{self.array.path} reads back with other values than were written")


def _plain_bytes(values: np.ndarray) -> bytes:
    return "\0".join(values).encode() if values.dtype.kind == "U" else values.tobytes()
