"""Where a store is: a folder, or a prefix of an object store that fsspec reaches.

An address such as ``s3://bucket/prefix`` becomes a ``UPath``, which reads like a ``Path``. Servers
and credentials are configured as fsspec and the package of the protocol do it: for S3 by
``FSSPEC_S3_ENDPOINT_URL`` and the ``AWS_*`` variables, or by fsspec's own configuration files.
The workers of a build need the same configuration.

An object store is used like a local file system, except for three things:

- There is no lock. Two builds of one store may run at once; rows and sealed files come out right,
  but of two that seal different numbers of structures the later one decides which are sealed.
  The next build seals all that is there.
- Nothing is renamed. The sealed dataset stands under a name made of its content, and the manifest,
  one object that is replaced as a whole, says which one counts. The dataset sealed before it is
  kept for those who are reading it, and deleted by the next seal.
- Write-once rests on conditional creation (``If-None-Match: *``), which S3 has since 2024. A server
  that ignores the condition can lose the race of two workers; it cannot damage a row.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from fsspec import available_protocols, get_filesystem_class
from fsspec.asyn import sync

from glassdata.store.errors import DamageError, StoreError

_LOCAL, _WEB = ("file", "local"), ("http", "https")
#: Protocols whose addresses begin with a bucket or server.
_NAMED = ("s3", "s3a", "gs", "gcs", *_WEB)


def place(where: str | os.PathLike) -> Path:
    """The path of a folder or file; for a URL, a ``UPath`` that does the same.

    Raises
    ------
    StoreError
        If the protocol is unknown, or its package is not installed, or if the address names
        nothing.
    """
    if is_remote(where):
        return cast(Path, where)
    text = os.fspath(where)
    if "://" not in text:
        return Path(text)
    protocol, _, rest = text.partition("://")
    if protocol in _LOCAL and rest:
        # A folder like any other, with locks and renames.
        return Path(rest)
    if protocol not in available_protocols():
        raise StoreError(f"{text}: unknown protocol {protocol}")
    if not rest or (protocol in _NAMED and rest[0] == "/"):
        raise StoreError(f"{text} is no address: it names nothing after {protocol}://")
    try:
        get_filesystem_class(protocol)
        from upath import UPath
    except ImportError as error:
        raise StoreError(f"{text} cannot be reached: {error}; glassdata[s3] has both") from None
    # Listings are never remembered: other processes publish rows.
    return cast(Path, UPath(text, use_listings_cache=False))


def absolute(where: str | os.PathLike) -> Path:
    """Like ``place``, as processes with another working directory understand it."""
    path = place(where)
    return path if is_remote(path) else path.absolute()


def is_remote(path: object) -> bool:
    """Whether a path is on an object store or a web server, not a local one."""
    return hasattr(path, "fs") and hasattr(path, "storage_options")


def remote(path: Path) -> Any:
    """The same path; ``is_remote`` said that it has what ``upath.UPath`` has beyond a ``Path``."""
    return path


def is_web(path: object) -> bool:
    """Whether a path is an address of a web server, of which datasets can only be read."""
    return getattr(path, "protocol", None) in _WEB if is_remote(path) else False


def check_web_file(path: Path) -> None:
    """Refuse a web server that does not give parts of a file; other places are not asked.

    Such a server sends the whole file where a part is wanted, which then looks like damage.

    Raises
    ------
    FileNotFoundError
        If the server has no such file.
    StoreError
        If it answers no range requests, or refuses or fails to answer, or cannot be reached.
    """
    if not is_web(path):
        return
    from aiohttp import ClientError

    try:
        status, reason = sync(remote(path).fs.loop, _ask_for_first_byte, path)
    except ClientError as error:
        raise StoreError(f"{path} cannot be reached: {error}") from None
    if status == 404:
        raise FileNotFoundError(f"{path} does not exist")
    if status == 200:
        raise StoreError(
            f"{path}: the server does not answer range requests, which reading a part of a "
            "dataset needs; copy the dataset to a folder, or use another server"
        )
    if status != 206:
        raise StoreError(f"{path}: the server answers {status} {reason}")


async def _ask_for_first_byte(path: Any) -> tuple[int, str]:
    session, options = await path.fs.set_session(), dict(path.fs.kwargs)
    headers = options.pop("headers", {}) | {"Range": "bytes=0-0"}
    async with session.get(path.fs.encode_url(path.path), headers=headers, **options) as answer:
        return answer.status, answer.reason


def create_object(path: Path, data: bytes) -> bool:
    """Publish an object that never existed; False if the identical one was there already.

    Raises
    ------
    DamageError
        If one of other content is there; it stays untouched.
    """
    try:
        remote(path).fs.pipe_file(remote(path).path, data, mode="create")
    except OSError:
        # Refused by the condition (each file system has its own error for that), or really failed.
        try:
            found = path.read_bytes()
        except FileNotFoundError:
            found = None
        if found is None:
            raise
        if found != data:
            raise DamageError(f"{path} exists with other content; it was not overwritten") from None
        return False
    return True


def move(path: Path, target: Path) -> None:
    """Give a file another name, making the folder for it."""
    if is_remote(path):
        target.write_bytes(path.read_bytes())
        remote(path).fs.rm_file(remote(path).path)
        return
    target.parent.mkdir(exist_ok=True)
    path.rename(target)


def upload(folder: Path, target: Path, names: Iterable[str]) -> None:
    """Copy files of a local folder to an object store, many at once.

    Parameters
    ----------
    folder : Path
        Local folder to copy from.
    target : Path
        Prefix of the object store to copy to.
    names : Iterable[str]
        Names of the files, relative to the folder.
    """
    names = list(names)
    there = remote(target)
    there.fs.put([str(folder / name) for name in names], [f"{there.path}/{n}" for n in names])


def remove_objects(path: Path) -> None:
    """Delete all objects below a prefix."""
    # One by one: fsspec's recursive removal takes some characters of a name for a pattern.
    for name in remote(path).fs.find(remote(path).path):
        remote(path).fs.rm_file(name)


def file_sizes(folder: Path) -> dict[str, int]:
    """Size in bytes of every file below a folder, by relative name.

    A link counts as a file, also one to a folder: it is not followed.
    """
    if not is_remote(folder):
        return dict(_local_sizes(folder))
    there = remote(folder)
    start = len(there.path.rstrip("/")) + 1
    found = there.fs.find(there.path, detail=True)
    return {name[start:]: facts["size"] for name, facts in found.items()}


def _local_sizes(folder: Path) -> Iterator[tuple[str, int]]:
    for where, folders, names in os.walk(folder):
        links = [name for name in folders if Path(where, name).is_symlink()]
        for name in names + links:
            path = Path(where, name)
            # A build that is running may have removed its temporary file meanwhile.
            with suppress(FileNotFoundError):
                yield path.relative_to(folder).as_posix(), path.lstat().st_size
