"""Files that are complete or absent, and archives of arrays that are read without trusting them.

The package writes with :func:`replace` or :func:`replace_stream` under every name that a user chose
or that others may be reading; both call :func:`check_output` first. It reads every ``.npz`` with
:func:`read_arrays`.
"""

import errno
import math
import os
import re
import socket
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np

TEMPORARY = ".tmp~"

#: What reading a damaged or forged archive may raise.
UNREADABLE = (
    ValueError,
    KeyError,
    EOFError,
    RuntimeError,  # zipfile: encrypted, or a compression that is not implemented
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)

# The one header that numpy writes for a plain array of numbers or text in C order, little-endian.
# Nothing else is parsed: no objects, no Python literals from elsewhere.
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([<|][biufU]\d{1,6})', 'fortran_order': False, "
    rb"'shape': \(((?:\d{1,19}(?:, \d{1,19}){0,30},?)?)\), \} *\n",
    re.DOTALL,
)
#: Bytes of a ``.npy`` file before its header: magic string, version 1.0, length of the header.
_PREFIX = 10


def check_output(path: Path, inputs: Iterable[Path] = ()) -> None:
    """Refuse a path at which writing a file would destroy something other than an earlier output.

    Writing replaces whatever has the name, so a link, a device or a pipe would be lost.

    Parameters
    ----------
    path
        Path of the file to write; it need not exist.
    inputs
        Local files and folders that are being read.

    Raises
    ------
    FileExistsError
        If there is a link, a folder, a device, a pipe or a socket; if it is one of the inputs under
        any name, or lies in a folder among them.
    PermissionError
        If there is a file that may not be written to.
    """
    inputs = list(inputs)
    for folder in (source for source in inputs if source.is_dir()):
        if Path(os.path.realpath(folder)) in Path(os.path.realpath(path)).parents:
            raise FileExistsError(f"{path} lies in {folder}, which is being read")
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    for is_other, kind in _NOT_REPLACED.items():
        if is_other(found.st_mode):
            raise FileExistsError(f"{path} is {kind}, which is never replaced by a file")
    # The mode is checked itself, because the system lets the superuser write anywhere.
    if not found.st_mode & stat.S_IWUSR or not os.access(path, os.W_OK):
        raise PermissionError(f"{path} is read-only, so it is not replaced")
    for source in inputs:
        if source.exists() and source.samefile(path):
            raise FileExistsError(f"{path} is being read ({source}), so it is not replaced")


_NOT_REPLACED = {
    stat.S_ISLNK: "a symbolic link",
    stat.S_ISDIR: "a folder",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
    stat.S_ISFIFO: "a pipe",
    stat.S_ISSOCK: "a socket",
}


def replace(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file so that readers see the old content or the new, never a part.

    Parameters
    ----------
    path
        Its folder is made if it is missing.
    data
        The whole content.
    durable
        Wait until the disk has it. Otherwise it may be lost when the power fails.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_stream(path, durable=durable) as stream:
        stream.write(data)


@contextmanager
def replace_stream(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Like ``replace``, for content that is written in parts; after an error nothing remains."""
    check_output(path)
    temporary = path.parent / temporary_name(path.name)
    try:
        with open(temporary, "x+b") as stream:
            yield stream
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def temporary_name(name: str) -> str:
    """A new name, with the machine and the process that is writing."""
    unique = os.urandom(4).hex()
    return f"{TEMPORARY}{socket.gethostname()}~{os.getpid()}~{unique}~{name}"


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, where the file system offers that for folders."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS):
            raise
    finally:
        os.close(descriptor)


def read_arrays(archive: zipfile.ZipFile, *, limit: int) -> dict[str, np.ndarray]:
    """All arrays of an ``.npz`` archive by name.

    Parameters
    ----------
    archive
        Open for reading; nothing in it is executed or believed.
    limit
        Bytes to which all members together may unpack.

    Raises
    ------
    ValueError
        If a member is not a plain array, or more than the limit would be unpacked; other errors of
        a damaged archive are those of :data:`UNREADABLE`.
    """
    names = archive.namelist()
    if len(set(names)) < len(names) or not all(name.endswith(".npy") for name in names):
        raise ValueError(f"holds {sorted(names)!r:.100}")
    if sum(info.file_size for info in archive.infolist()) > limit:
        raise ValueError(f"unpacks to more than {limit} bytes")
    return {
        name.removesuffix(".npy"): read_array(archive, name.removesuffix(".npy"), limit=limit)
        for name in names
    }


def read_array(archive: zipfile.ZipFile, name: str, *, limit: int) -> np.ndarray:
    """One array of an ``.npz`` archive; see :func:`read_arrays`.

    Parameters
    ----------
    archive : zipfile.ZipFile
        Open archive, as ``numpy.savez`` writes it.
    name : str
        Name of the array.
    limit : int
        Largest number of bytes that may be unpacked.
    """
    info = archive.getinfo(f"{name}.npy")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} has an unknown compression")
    if info.file_size > limit:
        raise ValueError(f"{name} unpacks to more than {limit} bytes")
    with archive.open(info) as member:
        data = member.read(info.file_size)  # without the number, what is packed says how much
    begin = _PREFIX + int.from_bytes(data[_PREFIX - 2 : _PREFIX], "little")
    plain = _shape_and_type(data[:begin])
    if plain is None:
        raise ValueError(f"{name} is not a plain array of numbers or text")
    shape, dtype = plain
    # A header may claim more than the file holds, so it is checked before memory is allocated.
    if math.prod(shape) * dtype.itemsize != len(data) - begin:
        raise ValueError(f"{name} has a false header: {len(data)} bytes for shape {shape}")
    return np.frombuffer(data, dtype, offset=begin).reshape(shape).copy()


@lru_cache(maxsize=1024)
def _shape_and_type(head: bytes) -> tuple[tuple[int, ...], np.dtype] | None:
    """Shape and type in a header; rows have equal headers, and parsing one is slow."""
    header = _HEADER.fullmatch(head)
    if header is None:
        return None
    sizes = [int(size) for size in header[2].split(b",") if size]
    return tuple(sizes), np.dtype(header[1].decode())
