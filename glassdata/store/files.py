"""Files that are whole or absent: atomic publication, self-checking archives, folder exchange.

The rest of the store rests on four facts of POSIX file systems: a hard link is made exclusively,
a rename replaces atomically, ``fsync`` of a file makes its bytes durable, and ``fsync`` of its
folder makes its name durable. What holds on object stores stands in ``glassdata.store.places``.
"""

import ctypes
import errno
import fcntl
import hashlib
import os
import shutil
import socket
import stat
import time
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from glassdata.files import TEMPORARY, sync_folder, temporary_name
from glassdata.store.errors import DamageError

STALE_AFTER = 86400.0  # s; only for temporary files of other machines, whose processes are unseen

_AT_FDCWD = -100
_RENAME_NOREPLACE, _RENAME_EXCHANGE = 1, 2
_DIGEST_LENGTH = 64


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
    temporary = _write_temporary(path, data)
    try:
        _link_exclusively(temporary, path)
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


def _write_temporary(path: Path, data: bytes) -> Path:
    temporary = path.parent / temporary_name(path.name)
    try:
        with open(temporary, "xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def is_temporary(path: Path) -> bool:
    """Whether a file or folder is the unfinished work of some process."""
    return path.name.startswith(TEMPORARY)


def remove_stale(folder: Path) -> None:
    """Delete what dead processes left unfinished in a folder.

    Should a living process lose a temporary file here (a clock that is a day wrong), its
    publication fails with an OSError and is tried again: nothing is published wrongly.
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


def _link_exclusively(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK):
            raise
        # File systems without hard links (FAT, some network mounts).
        if not _renameat2(source, target, _RENAME_NOREPLACE):
            raise


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
    if number in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
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

    The system releases the lock of a process that dies.
    """
    with open(folder / ".lock", "ab") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


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
    start = stream.tell()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = b"0" * _DIGEST_LENGTH
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data)
    stream.seek(start)
    hashed = hashlib.sha256()
    left = stream.seek(0, os.SEEK_END) - start - _DIGEST_LENGTH
    stream.seek(start)
    while left:
        block = stream.read(min(left, 1 << 20))
        hashed.update(block)
        left -= len(block)
    stream.write(hashed.hexdigest().encode())


def archive_is_whole(data: bytes) -> bool:
    """Whether the bytes of an archive are those that ``write_archive`` wrote."""
    body, comment = data[:-_DIGEST_LENGTH], data[-_DIGEST_LENGTH:]
    return len(comment) == _DIGEST_LENGTH and hashlib.sha256(body).hexdigest().encode() == comment


def check_archive(archive: zipfile.ZipFile, size: int) -> int:
    """Bytes of the members of an archive; nothing in it unpacks to more than is there.

    Parameters
    ----------
    size
        Bytes of the archive's file.

    Raises
    ------
    ValueError
        If a member is compressed, or the members claim more bytes than the file has.
    """
    for info in archive.infolist():
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise ValueError(f"{info.filename} is compressed")
    stored = sum(info.file_size for info in archive.infolist())
    if stored > size:
        raise ValueError(f"its members claim {stored} bytes of {size}")
    return stored
