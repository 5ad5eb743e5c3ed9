"""Checks of a whole store: everything that was published, byte by byte."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from glassdata.store.archives import check_packed
from glassdata.store.errors import DamageError, Finding, StoreError
from glassdata.store.files import is_temporary
from glassdata.store.losses import failures
from glassdata.store.manifest import dataset_name, fingerprint, listed_files
from glassdata.store.places import SEALED_OBJECT, medium
from glassdata.store.records import read_side_file
from glassdata.store.rows import (
    PROVENANCE,
    ROWS,
    present,
    read_row,
    row_path,
)
from glassdata.store.settings import (
    CONFIG,
    DATASET,
    MANIFEST,
    PLAN,
    QUARANTINE,
    existing,
    read_config,
    read_manifest,
    read_plan,
    refuse_links,
    sealed_counts,
)

_TOP = {CONFIG, PLAN, MANIFEST, DATASET, ROWS, PROVENANCE, QUARANTINE, ".lock"}
_RECORDS = {CONFIG: read_config, PLAN: read_plan, MANIFEST: read_manifest}
_ROW = re.compile(rf"{ROWS}/([^/]+)/(\d{{6,}})\.npz")


def verify(path: Path) -> list[Finding]:
    """Every damaged, missing or stray file of a store, or of a packed dataset or packed results.

    Unfinished files of a running or killed build are not counted; the next build removes them. Side
    files in ``provenance/`` may be missing, for nobody waits for the disk to have them.

    Raises
    ------
    StoreError
        If something looks damaged while another process is sealing, and that takes long: what is
        about to be replaced cannot be judged.

    Examples
    --------
    >>> from glassdata.store import own_dataset
    >>> verify(own_dataset())
    []
    """
    if path.is_file():
        return list(check_packed(path))
    store = existing(path)
    if not (findings := _check_store(store)):
        return []
    # What changes meanwhile looks like damage: it is looked at again while nobody seals.
    with medium(store).steady():
        while True:
            before = _manifest_bytes(store)
            findings = _check_store(store)
            if not findings or _manifest_bytes(store) == before:
                return findings


def _manifest_bytes(store: Path) -> bytes | None:
    try:
        medium(store / MANIFEST).check_regular()
        return (store / MANIFEST).read_bytes()
    except (OSError, DamageError):
        return None


def _check_store(store: Path) -> list[Finding]:
    sizes = {name: n for name, n in medium(store).file_sizes().items() if not _is_passed_over(name)}
    manifest: dict | None = None
    findings: list[Finding] = []
    for name in (CONFIG, PLAN, MANIFEST):
        findings += _check_record(store, name)
    if not any(finding.name == MANIFEST for finding in findings):
        manifest = read_manifest(store)
    elif any(name.startswith(f"{DATASET}/") for name in sizes):
        findings.append(Finding(DATASET, "cannot be checked without its manifest"))
    findings += _check_manifest(store, manifest, sizes)
    findings += _check_other_rows(store, manifest, sizes)
    findings += _check_side_files(store, sizes)
    findings += _strays(store, manifest, sizes)
    findings += _folders(store)
    return sorted(findings, key=lambda finding: finding.name)


def _is_passed_over(name: str) -> bool:
    # The unfinished work of a build, and what was found bad before.
    return name.startswith(f"{QUARANTINE}/") or any(
        is_temporary(Path(part)) for part in name.split("/")
    )


def _check_record(store: Path, name: str) -> Iterator[Finding]:
    if not (store / name).exists():
        if name != MANIFEST or (store / DATASET).exists():
            yield Finding(name, "missing")
        return
    try:
        _RECORDS[name](store)
    except DamageError:
        yield Finding(name, "damaged")


def _check_manifest(store: Path, manifest: dict | None, sizes: dict) -> Iterator[Finding]:
    for name, (size, sha256) in listed_files(manifest).items():
        if name not in sizes:
            yield Finding(name, "missing")
        elif sizes[name] != size:
            yield Finding(name, f"{sizes[name]} bytes, expected {size}")
        elif not _matches(store / name, sha256):
            yield Finding(name, "checksum does not match")


def _matches(path: Path, sha256: str) -> bool:
    try:
        return fingerprint(path)[1] == sha256
    except (OSError, DamageError):
        return False  # it cannot be read, which is as bad


def _check_other_rows(store: Path, manifest: dict | None, sizes: dict) -> Iterator[Finding]:
    listed = listed_files(manifest)
    for name in sizes:
        match = _ROW.fullmatch(name)
        if match and name not in listed:
            path = row_path(store, match[1], int(match[2]))
            try:
                read_row(store, match[1], int(match[2]))
            except DamageError as error:
                yield Finding(name, str(error).removeprefix(f"{path}: "))
            except OSError as error:
                yield Finding(name, f"cannot be read: {error.strerror}")


def _check_side_files(store: Path, sizes: dict) -> Iterator[Finding]:
    for name in sizes:
        if name.startswith(f"{PROVENANCE}/") and name.endswith(".json"):
            try:
                read_side_file(store / name)
            except DamageError:
                yield Finding(name, "damaged")
            except OSError as error:
                yield Finding(name, f"cannot be read: {error.strerror}")


def _strays(store: Path, manifest: dict | None, sizes: dict) -> Iterator[Finding]:
    listed, dataset = listed_files(manifest), dataset_name(manifest)
    try:
        systems = set(read_config(store).systems)
    except StoreError:
        systems = {name.split("/")[1] for name in sizes if _ROW.fullmatch(name)}
    for name in sizes:
        match, top = _ROW.fullmatch(name), name.split("/")[0]
        if top == dataset:
            expected = name in listed or manifest is None
        elif top == ROWS:
            expected = (
                match is not None and match[1] in systems and match[2] == f"{int(match[2]):06d}"
            )
        else:
            # On an object store the dataset that a later one replaced stays for its readers.
            expected = (top in _TOP and top != DATASET) or bool(SEALED_OBJECT.fullmatch(top))
        if not expected or (store / name).is_symlink():
            yield Finding(name, "stray file" if not expected else "a link")


def _folders(store: Path) -> Iterator[Finding]:
    """Folders in the places of rows; an object store has none."""
    for path in medium(store).entries(f"{ROWS}/*/*"):
        name = path.relative_to(store).as_posix()
        if _ROW.fullmatch(name) and path.is_dir() and not path.is_symlink():
            yield Finding(name, "a folder")


def set_aside(store: Path, findings: list[Finding]) -> list[tuple[str, int]]:
    """Move bad rows, side files and strays to ``quarantine/``; return the rows to compute again.

    What another process has mended since it was found stays where it is.
    """
    refuse_links(store)
    rows = []
    with medium(store).locked():
        for finding in set(findings) & set(_check_store(store)):
            path, match = store / finding.name, _ROW.fullmatch(finding.name)
            if match:
                rows.append((match[1], int(match[2])))
            if (path.is_symlink() or path.exists()) and (
                match
                or finding.name.startswith(f"{PROVENANCE}/")
                or finding.problem in ("stray file", "a link")
            ):
                _quarantine(store, finding.name)
    return sorted(set(rows))


def set_failed_aside(store: Path, rows: Iterable[tuple[str, int]]) -> bool:
    """Move those of some published rows that failed to ``quarantine/``; whether there were any.

    Parameters
    ----------
    store : Path
        Folder of the store, or its place on an object store.
    rows : iterable of (str, int)
        Name of the glass and number of each row.
    """
    refuse_links(store)
    with medium(store).locked():
        failed = failures(store, rows)
        for row in failed:
            _quarantine(store, row_path(store, *row).relative_to(store).as_posix())
    return bool(failed)


def _quarantine(store: Path, name: str) -> None:
    unique = f"{os.urandom(4).hex()}-{name.replace('/', '-')}"
    medium(store / name).move(store / QUARANTINE / unique)


@dataclass(frozen=True)
class Progress:
    """Rows of one system: what was asked, what is there, what is in the sealed dataset.

    ``reasons`` say why rows failed, by system and index.
    """

    asked: int
    ok: int
    failed: int
    sealed: int
    reasons: Mapping[tuple[str, int], str] = field(default_factory=dict, compare=False)

    @property
    def missing(self) -> int:
        """Rows that were asked for and are not there."""
        return max(self.asked - self.ok - self.failed, 0)


def progress(store: Path) -> dict[str, Progress]:
    """State of a store, also while a build is running in another process.

    Examples
    --------
    >>> from glassdata.store import prepare, science_config
    >>> from glassdata.systems import SYSTEMS
    >>> config = science_config({"lj2d": SYSTEMS["lj2d"]}, "demo")
    >>> counts = prepare(Path("my.store"), config, {"lj2d": 8})
    >>> progress(Path("my.store"))["lj2d"].missing
    8
    """
    config, sealed = read_config(existing(store)), sealed_counts(store)
    plan = read_plan(store)
    found = {}
    for name in sorted(config.systems):
        rows = present(store, name)
        reasons = failures(store, ((name, index) for index in rows))
        ok = len(rows) - len(reasons)
        asked, done = plan.get(name, 0), sealed.get(name, 0)
        found[name] = Progress(asked, ok, len(reasons), done, reasons)
    return found
