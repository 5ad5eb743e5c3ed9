"""Files that are complete or absent: atomic publication, checked archives, exchange of folders.

The rest of the store rests on four facts of POSIX file systems: a name can be given exclusively, a
rename replaces atomically, ``fsync`` of a file makes its bytes durable, and ``fsync`` of its
folder makes its name durable. ``check_file_system`` tries them before the first row. What holds on
object stores stands in ``glassdata.store.places``.
"""

import ctypes
import errno
import fcntl
import hashlib
import logging
import os
import shutil
import socket
import stat
import struct
import time
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO

from glassdata.files import TEMPORARY, sync_folder, temporary_name
from glassdata.store.errors import DamageError, StoreError

_log = logging.getLogger(__name__)

LOCK = ".lock"
#: Seconds of waiting for a lock after which the user is told, and seconds between two attempts.
_SILENCE, _LOOK = 25.0, 0.05
STALE_AFTER = 86400.0  # s; only for temporary files of other machines, whose processes are unseen

# What a file system says that has no links, no exclusive rename, or no such locks.
_NOT_OFFERED = (
    errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL,
)  # fmt: skip
_AT_FDCWD = -100
_RENAME_NOREPLACE, _RENAME_EXCHANGE = 1, 2
_DIGEST_LENGTH = 64
_UNSIGNED = b"0" * _DIGEST_LENGTH
# The record at the end of a zip archive: how it begins, and the length of the comment after it.
_END, _END_MAGIC = struct.Struct("<4s16xH"), b"PK\5\6"


def publish(path: Path, data: bytes) -> bool:
    """Write a file that never existed, durably and as a whole.

    Returns
    -------
    bool
        False if the identical file was there already.

    Raises
    ------
    DamageError
        If a file of other content is there; it stays untouched.
    """
    make_folder(path.parent)
    temporary = path.parent / temporary_name(path.name)
    try:
        _write_whole(temporary, data)
        _put_exclusively(temporary, path)
        new = True
    except FileExistsError:
        if path.read_bytes() != data:
            raise DamageError(f"{path} exists with other content; it was not overwritten") from None
        new = False
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)
    return new


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, durably: a row is lost with the name of its folder."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        with suppress(PermissionError):  # a folder that one may write into, but not read
            sync_folder(folder.parent)


def _write_whole(path: Path, data: bytes) -> None:
    with open(path, "xb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def is_temporary(path: Path) -> bool:
    """Whether a file or folder is the unfinished work of some process."""
    return path.name.startswith(TEMPORARY)


def remove_stale(folder: Path) -> None:
    """Delete what dead processes left unfinished in a folder.

    If a living process loses a temporary file here (because a clock is wrong by a day), its
    publication fails with an OSError and is tried again. Nothing wrong is published.
    """
    for path in folder.glob(f"{TEMPORARY}*"):
        if _is_stale(path):
            # Another build may be removing the same.
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _is_stale(path: Path) -> bool:
    fields = path.name.removeprefix(TEMPORARY).split("~")
    if len(fields) < 3 or not fields[1].isdigit():
        return False
    if fields[0] == socket.gethostname():
        return not _alive(int(fields[1]))
    try:
        return time.time() - path.stat().st_mtime > STALE_AFTER
    except FileNotFoundError:
        return False


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _put_exclusively(source: Path, target: Path) -> None:
    """Give a finished file its final name, if nothing has that name; the old name may stay.

    Three ways, the first that the file system has: a hard link, Linux's exclusive rename, or a
    rename under the lock of the folder. FAT has no links; some FUSE and network file systems have
    neither.

    Raises
    ------
    FileExistsError
        If something has the final name.
    OSError
        If the file system has none of the three, among other reasons.
    """
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NOT_OFFERED:
            raise
        if not _renameat2(source, target, _RENAME_NOREPLACE):
            _rename_under_lock(source, target)


def _rename_under_lock(source: Path, target: Path) -> None:
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        os.rename(source, target)
    finally:
        os.close(descriptor)


def check_file_system(folder: Path) -> None:
    """Try in a folder, before anything is computed, what publication, sealing and locks need.

    Raises
    ------
    StoreError
        Naming the folder and what its file system lacks.
    """
    names = [folder / temporary_name(f"probe-{n}") for n in range(3)]
    first, second, target = names
    step = "write a file"
    try:
        for path in (first, second):
            _write_whole(path, path.name.encode())
        step = "give a file a name that never existed (no link, exclusive rename or lock)"
        _put_exclusively(first, target)
        with suppress(FileExistsError):
            _put_exclusively(second, target)
            raise OSError(errno.EIO, "a name was given twice")
        step = "replace a file"
        os.replace(second, target)
        step = "make a name durable (fsync of a folder)"
        sync_folder(folder)
        step = "lock a file (flock)"
        with open(folder / LOCK, "ab") as stream, suppress(BlockingIOError):
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise StoreError(
            f"{folder}: its file system cannot {step}: {error.strerror}; use another one, "
            "or an object store"
        ) from None
    finally:
        for path in names:
            path.unlink(missing_ok=True)


def _renameat2(source: Path, target: Path, flag: int) -> bool:
    """Linux rename with a flag; False where the system or file system cannot do it."""
    try:
        function = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    done = function(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), flag)
    if done == 0:
        return True
    number = ctypes.get_errno()
    if number in _NOT_OFFERED:
        return False
    raise OSError(number, os.strerror(number), str(source), None, str(target))


def put_folder(fresh: Path, final: Path) -> None:
    """Give a finished folder its final name; whatever had the name before is deleted.

    With Linux's exchange, a reader finds the old folder or the new one at any instant. Elsewhere
    the name is absent between two renames.
    """
    if not final.exists():
        os.rename(fresh, final)
    else:
        if not _renameat2(fresh, final, _RENAME_EXCHANGE):
            old = final.parent / temporary_name(final.name)
            os.rename(final, old)
            os.rename(fresh, final)
            fresh = old
        sync_folder(final.parent)
        shutil.rmtree(fresh)
    sync_folder(final.parent)


def sync_tree(folder: Path) -> None:
    """Make a folder durable with everything below it."""
    for where, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(where, name), "rb") as stream:
                os.fsync(stream.fileno())
        sync_folder(Path(where))


def file_sizes(folder: Path) -> Iterator[tuple[str, int]]:
    """Relative name and size in bytes of every file below a folder."""
    for where, folders, names in os.walk(folder):
        # A link counts as a file, also one to a folder: it is not followed.
        links = [name for name in folders if Path(where, name).is_symlink()]
        for name in names + links:
            path = Path(where, name)
            # A build that is running may have removed its temporary file meanwhile.
            with suppress(FileNotFoundError):
                yield path.relative_to(folder).as_posix(), path.lstat().st_size


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the store's lock: one process at a time registers settings or seals.

    The system releases the lock of a process that dies. A stopped process keeps it; those who wait
    for it tell the user.
    """
    with open(folder / LOCK, "ab") as stream:
        if not _take(stream, fcntl.LOCK_EX):
            _log.warning("%s: waiting for %s, which holds its lock", folder, _holder(stream))
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@contextmanager
def steady(folder: Path) -> Iterator[None]:
    """Context in which no other process seals, if the lock can be taken without writing.

    Raises
    ------
    StoreError
        If another process keeps the lock for long.
    """
    try:
        stream = open(folder / LOCK, "rb")  # noqa: SIM115
    except OSError:
        yield  # nothing was ever built here, or the one who looks may not
        return
    with stream:
        try:
            taken = _take(stream, fcntl.LOCK_SH)
        except OSError:
            taken = True  # a file system without locks
        if not taken:
            raise StoreError(
                f"{folder} is being sealed by {_holder(stream)}; verify it again after that"
            )
        yield


def _take(stream: IO, how: int) -> bool:
    """Take a lock within the time of silent waiting; whether that succeeded."""
    deadline = time.monotonic() + _SILENCE
    while True:
        try:
            fcntl.flock(stream, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK)
        else:
            return True


def _holder(stream: IO) -> str:
    """The process that holds the lock of a file, if Linux knows it on this machine."""
    with suppress(OSError):
        for line in Path("/proc/locks").read_text().splitlines():
            words = line.split()
            if words[1] == "FLOCK" and words[5].split(":")[-1] == str(
                os.fstat(stream.fileno()).st_ino
            ):
                return f"process {words[4]}"
    return "another process"


def check_regular(path: Path, most: int | None = None) -> None:
    """Refuse to read anything but an ordinary file: a link may lead to a device that never ends.

    Raises
    ------
    DamageError
        If it is a link, a folder or a device, or has more than ``most`` bytes.
    """
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise DamageError(f"{path}: not an ordinary file")
    if most is not None and found.st_size > most:
        raise DamageError(f"{path}: {found.st_size} bytes, and at most {most} are read")


def write_archive(stream: BinaryIO, members: Iterable[tuple[str, bytes]]) -> None:
    """Write an uncompressed zip archive whose comment is the sha256 of everything before it.

    Equal members give equal bytes: no time of day, no permissions.
    """
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = _UNSIGNED
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data)
    _sign(stream)


def sign_archive(stream: BinaryIO) -> None:
    """Make the sha256 of a finished zip archive its comment.

    Parameters
    ----------
    stream : binary file
        Open for reading and writing, with nothing in it but the archive.
    """
    with zipfile.ZipFile(stream, "a") as archive:
        archive.comment = _UNSIGNED
    _sign(stream)


def _sign(stream: BinaryIO) -> None:
    hashed = hashlib.sha256()
    left = stream.seek(0, os.SEEK_END) - _DIGEST_LENGTH
    stream.seek(0)
    while left:
        block = stream.read(min(left, 1 << 20))
        hashed.update(block)
        left -= len(block)
    stream.write(hashed.hexdigest().encode())


def archive_is_whole(data: bytes) -> bool:
    """Whether the bytes of an archive are those that ``sign_archive`` left."""
    body, comment = data[:-_DIGEST_LENGTH], data[-_DIGEST_LENGTH:]
    return len(comment) == _DIGEST_LENGTH and hashlib.sha256(body).hexdigest().encode() == comment


def check_archive(archive: zipfile.ZipFile, stream: BinaryIO) -> int:
    """Bytes of the members of an archive, after a check that none claims more than is there.

    Parameters
    ----------
    archive
        Open for reading.
    stream
        What it is read from.

    Raises
    ------
    ValueError
        If a member is compressed, if the members claim more bytes than the file has, or if the file
        does not end where the archive does.
    """
    size = check_end(archive, stream)
    for info in archive.infolist():
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise ValueError(f"{info.filename} is compressed")
    stored = sum(info.file_size for info in archive.infolist())
    if stored > size:
        raise ValueError(f"its members claim {stored} bytes of {size}")
    return stored


def check_end(archive: zipfile.ZipFile, stream: BinaryIO) -> int:
    """Size of an archive, after a check that no byte is missing at its end.

    Python's zipfile accepts a comment that was cut off, or whose length is wrong.

    Parameters
    ----------
    archive
        Open for reading.
    stream
        What it is read from.

    Raises
    ------
    ValueError
        If the file does not end where the archive does.
    """
    comment, size = archive.comment, stream.seek(0, os.SEEK_END)
    stream.seek(max(size - len(comment) - _END.size, 0))
    record = stream.read(_END.size)
    if len(record) < _END.size or _END.unpack(record) != (_END_MAGIC, len(comment)):
        raise ValueError("its last bytes are damaged or missing")
    return size
