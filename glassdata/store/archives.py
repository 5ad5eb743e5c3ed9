"""Checks of packed files: datasets as ``pack`` writes them, and results of experiments."""

import io
import zipfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from glassdata.bounds import open_archive, parse_json
from glassdata.store.errors import Finding, StoreError
from glassdata.store.files import archive_is_whole, check_archive
from glassdata.store.limits import check_metadata
from glassdata.store.whole import METADATA, promised_files

#: Member that lists the results in a packed experiment, under the older word "cells".
MANIFEST = "manifest.json"
#: Missing members that are named at most; metadata may claim any number.
_MOST = 100


def check_packed(path: Path) -> Iterator[Finding]:
    """Findings on the damaged or missing members of a packed file, or on the whole file.

    A file that was packed by another program has no checksum of the whole, but one per member.
    """
    data = path.read_bytes()
    whole = archive_is_whole(data)
    stream = io.BytesIO(data)
    try:
        with open_archive(stream) as archive:
            stored = check_archive(archive, stream)
            bad = {info.filename for info in archive.infolist() if not _reads(archive, info)}
            names = set(archive.namelist())
            promised = _promised(archive, stored, bad)
            lost = list(islice((name for name in promised if name not in names), _MOST))
            signed = archive.comment or METADATA not in names
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, StoreError) as error:
        yield Finding(path.name, f"not a packed dataset: {error}")
        return
    for name in sorted(bad):
        yield Finding(f"{path.name}/{name}", "checksum does not match")
    for name in lost:
        yield Finding(f"{path.name}/{name}", "missing")
    if not whole and signed and not (bad or lost):
        yield Finding(path.name, "checksum does not match")


def _reads(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bool:
    try:
        return archive.read(info) is not None
    except (zipfile.BadZipFile, EOFError, ValueError, RuntimeError, OSError):
        return False


def _promised(archive: zipfile.ZipFile, stored: int, bad: Iterable[str]) -> Iterable[str]:
    """Names of all members that there should be, from the member that lists them."""
    names = archive.namelist()
    if METADATA in names and METADATA not in bad:
        metadata = archive.read(METADATA)
        check_metadata(metadata, stored)
        return promised_files(metadata)
    if MANIFEST in names and MANIFEST not in bad:
        return [f"{name}.npz" for name in parse_json(archive.read(MANIFEST))["cells"]]
    return [] if bad else [METADATA]
