"""Limits for files from elsewhere, which are checked before any memory is taken.

A few kilobytes can claim to be, or unpack to, more than the memory of any machine. The functions
here refuse such a file with one line. What they read takes no more than twice ``LIMIT``.
"""

import io
import json
import os
import resource
import signal
import stat
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

#: Bytes that the content of one file may take in memory.
LIMIT = 1 << 28
#: Part of it that the directory of an archive may have: its entries take twenty times as much.
_DIRECTORY = 32
# What values take that Python makes of JSON, bytes: one list or dictionary, and one element of it
# with its place there; the text is there as it was read and once more in the values.
_CONTAINER, _ELEMENT, _COPIES = 240, 150, 2


def missing_file(path: Path) -> str:
    """What to say of a path at which there is no file to read.

    Examples
    --------
    >>> missing_file(Path("."))
    '. is a folder, and a file is wanted'
    """
    if path.is_dir():
        return f"{path} is a folder, and a file is wanted"
    return f"there is no file {path}"


def check_size(path: Path, limit: int | None = None) -> None:
    """Refuse a path that is not an ordinary file, or a file that is larger than the limit.

    Parameters
    ----------
    path
        A local file; links are followed.
    limit
        Bytes; ``LIMIT`` by default.

    Raises
    ------
    ValueError
        Naming the file and its size.
    OSError
        If there is none.
    """
    found, most = path.stat(), LIMIT if limit is None else limit
    if not stat.S_ISREG(found.st_mode):
        raise ValueError(f"{path} is not an ordinary file")
    if found.st_size > most:
        raise ValueError(f"{path} has {found.st_size} bytes, and at most {most} are read")


def read_file(path: Path, limit: int | None = None) -> bytes:
    """Content of a local file, after :func:`check_size`."""
    check_size(path, limit)
    return path.read_bytes()


def parse_json(data: bytes, limit: int | None = None) -> Any:
    """Values of a JSON text, unless they could take more memory than the limit.

    Parameters
    ----------
    data
        The text.
    limit
        Bytes; ``LIMIT`` by default.

    Raises
    ------
    ValueError
        If the text is not JSON, is nested too deeply, or could take too much memory.

    Examples
    --------
    >>> parse_json(b'{"a": [1, 2]}')
    {'a': [1, 2]}
    """
    size = len(data) * (1 if data.isascii() else 4)  # of a text with one rare letter, each takes 4
    containers = data.count(b"[") + data.count(b"{")
    elements = data.count(b",") + data.count(b":")
    cost = _COPIES * size + _CONTAINER * containers + _ELEMENT * elements
    most = LIMIT if limit is None else limit
    if cost > most:
        raise ValueError(
            f"it is JSON whose values take up to {cost} bytes, of {most} that they may"
        )
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("it is JSON that is nested too deeply") from None


class _Directory(io.RawIOBase):
    """A stream that gives no more bytes at once than the directory of an archive may have."""

    def __init__(self, stream: BinaryIO, most: int) -> None:
        self.stream, self.most = stream, most

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self.stream.seek(offset, whence)

    def tell(self) -> int:
        return self.stream.tell()

    def read(self, size: int = -1) -> bytes:
        data = self.stream.read(size if 0 <= size <= self.most else self.most + 1)
        if len(data) > self.most:
            raise zipfile.BadZipFile(f"its directory has more than {self.most} bytes")
        return data


def open_archive(stream: BinaryIO) -> zipfile.ZipFile:
    """A zip archive, open for reading, unless its directory is too large.

    A million empty entries would take half a kilobyte of memory each.

    Raises
    ------
    zipfile.BadZipFile
        If it is no archive, or its directory is too large.
    """
    guarded = _Directory(stream, LIMIT // _DIRECTORY)
    archive = zipfile.ZipFile(cast(BinaryIO, guarded))
    archive.fp = stream
    return archive


@contextmanager
def bounded_memory(limit: int | None = None) -> Iterator[None]:
    """Let what is done within reserve no more memory than a limit: it fails with MemoryError.

    For readers that are not our own and believe what they read. What was reserved before may be
    used beyond it. Only Linux keeps to it.

    Parameters
    ----------
    limit
        Bytes; ``LIMIT`` by default.
    """
    try:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = used + (LIMIT if limit is None else limit)
    if soft != resource.RLIM_INFINITY:
        most = min(most, soft)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@contextmanager
def bounded_time(seconds: float) -> Iterator[None]:
    """Let what is done within take no more time of the processor: it fails with TimeoutError.

    For the same readers: a file of two lines may announce a billion. Only the main thread of a
    program can be interrupted so; in others nothing is bounded.

    Parameters
    ----------
    seconds
        Of this process.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise TimeoutError(f"it was not done after {seconds:g} s")

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, seconds, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
