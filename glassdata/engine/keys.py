"""The key of a run: without it nobody can join its scheduler or send work to it."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dask.distributed import Security

from glassdata.store import StoreError

#: Parts of the key that a worker in a job of its own reads from files.
_IN_FILES = {"tls_ca_file": "ca.pem", "tls_worker_cert": "cert.pem", "tls_worker_key": "key.pem"}


def fresh_key() -> Security:
    """A new pair of key and certificate, which stays in the memory of the processes that use it."""
    return Security.temporary()


@contextmanager
def key_in_files(where: Path) -> Iterator[Security]:
    """A new key, whose part for the workers lies in files that only their owner can read.

    Parameters
    ----------
    where : Path
        Folder that all workers see, too. The files are in a new folder there, which is deleted at
        the end.

    Raises
    ------
    StoreError
        If the files cannot be written there, or others could read them.
    """
    security = fresh_key()
    try:
        folder = tempfile.TemporaryDirectory(prefix=".glassdata-key-", dir=where)
    except OSError as error:
        raise StoreError(f"the key of this run cannot be kept in {where}: {error}") from None
    with folder as name:
        for field, file in _IN_FILES.items():
            path = Path(name) / file
            _write_privately(path, getattr(security, field))
            setattr(security, field, str(path))
        yield security


def _write_privately(path: Path, text: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
    # Some file systems have no permissions, so that every user can read all files.
    if any(stat.S_IMODE(p.stat().st_mode) & 0o077 for p in (path, path.parent)):
        raise StoreError(
            f"{path.parent.parent} does not keep files from other users: choose another "
            "shared-temp-directory in jobqueue.yaml for the key of this run"
        )
