"""Compiled kernels, and a cache of them on the disk in which damage is noticed.

Numba keeps machine code in a folder of the module, or in the cache folder of the user. If such a
file was cut off, every later call ends with an EOFError (numba issue 10434); if a bit in it was
flipped, it may compute other numbers. Here every file ends with the sha256 of its content. Code
whose checksum does not match is compiled again, and without a writable folder there is no cache.
"""

import hashlib
import pickle
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numba
from numba import njit
from numba.core.caching import FunctionCache, IndexDataCacheFile

_DIGEST_LENGTH = hashlib.sha256().digest_size


def compiled(function: Callable | None = None, **options: Any) -> Callable:
    """Decorate a function for Numba's ``njit``, with ``options``, and keep its machine code.

    Parameters
    ----------
    function
        What to compile, on its first call.
    options
        As ``numba.njit`` takes them.
    """
    if function is None:
        return lambda function: compiled(function, **options)
    dispatcher = njit(**options)(function)
    # No folder to keep it in: it is compiled in each process.
    with suppress(RuntimeError):
        dispatcher._cache = _CheckedCache(function)
    return dispatcher


class _CheckedFiles(IndexDataCacheFile):
    """Files of machine code that end with their sha256."""

    def save(self, key: Any, data: Any) -> None:
        with suppress(OSError):
            super().save(key, data)

    def _dump(self, obj: Any) -> bytes:
        data = super()._dump(obj)
        return data + hashlib.sha256(data).digest()

    def _load_index(self) -> dict:
        head = pickle.dumps(numba.__version__, protocol=-1)  # which numba writes before the rest
        try:
            with open(self._index_path, "rb") as stream:
                data = stream.read()
        except OSError:
            return {}
        whole = data.startswith(head) and _is_whole(data[len(head) :])
        return super()._load_index() if whole else {}

    def _load_data(self, name: str) -> Any:
        with open(self._data_path(name), "rb") as stream:
            if not _is_whole(stream.read()):
                raise OSError(f"{name} is damaged")  # by which numba knows that it is of no use
        return super()._load_data(name)


class _CheckedCache(FunctionCache):
    """Numba's cache of a function, in such files."""

    def __init__(self, function: Callable) -> None:
        super().__init__(function)
        locator = self._impl.locator
        self._cache_file = _CheckedFiles(
            self._cache_path, self._impl.filename_base, locator.get_source_stamp()
        )


def _is_whole(data: bytes) -> bool:
    body, digest = data[:-_DIGEST_LENGTH], data[-_DIGEST_LENGTH:]
    return hashlib.sha256(body).digest() == digest
