"""File systems that lack something, simulated in this process by what the system answers.

``GLASSDATA_LACKS`` names what is missing, for workers and drivers that import ``fake_glass``.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Callable

#: What may be missing, and what the system then says.
LACKS = {
    "links": errno.EPERM,
    "links, says a network": errno.EOPNOTSUPP,
    "exclusive rename": errno.EINVAL,
    "locks of folders": errno.EBADF,
    "locks": errno.ENOLCK,
    "fsync of folders": errno.EINVAL,
}


def lack(features: list[str], set_attribute: Callable = setattr) -> None:
    """Take these features away from all file systems that this process sees."""
    real = {"fsync": os.fsync, "flock": fcntl.flock}

    def refused(feature: str) -> OSError:
        return OSError(LACKS[feature], os.strerror(LACKS[feature]))

    def link(*_: object, **__: object) -> None:
        raise refused(next(f for f in features if f.startswith("links")))

    def flock(file: object, how: int) -> None:
        descriptor = file if isinstance(file, int) else file.fileno()
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        if "locks" in features or (folder and "locks of folders" in features):
            raise refused("locks" if "locks" in features else "locks of folders")
        real["flock"](file, how)

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise refused("fsync of folders")
        real["fsync"](descriptor)

    if any(feature.startswith("links") for feature in features):
        set_attribute(os, "link", link)
    if "exclusive rename" in features:
        from glassdata.store import files

        set_attribute(files, "_renameat2", lambda *_: False)
    if {"locks", "locks of folders"} & set(features):
        set_attribute(fcntl, "flock", flock)
    if "fsync of folders" in features:
        set_attribute(os, "fsync", fsync)
