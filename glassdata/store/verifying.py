"""Checks of a whole store: everything that was published, byte by byte."""

import hashlib
import io
import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from glassdata.store.files import (
    DamageError,
    StoreError,
    archive_is_whole,
    is_temporary,
    read_record,
)
from glassdata.store.rows import (
    PROVENANCE,
    ROWS,
    present,
    read_row,
    read_status,
    row_path,
)
from glassdata.store.sealing import fingerprint
from glassdata.store.settings import (
    CONFIG,
    DATASET,
    MANIFEST,
    PLAN,
    existing,
    read_config,
    read_plan,
    sealed_counts,
)

QUARANTINE = "quarantine"
_TOP = {CONFIG, PLAN, MANIFEST, DATASET, ROWS, PROVENANCE, QUARANTINE, ".lock"}
_ROW = re.compile(rf"{ROWS}/([^/]+)/(\d{{6,}})\.npz")


@dataclass(frozen=True)
class Finding:
    """One file that is not as it should be; ``name`` is relative to the store."""

    name: str
    problem: str

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}"


def verify(path: Path) -> list[Finding]:
    """Every damaged, missing or stray file of a store, or of a dataset packed by ``pack``.

    Provenance side files are not compared: they describe circumstances, not results. Unfinished
    files of a running or killed build are not counted either; the next build removes them.
    """
    if path.is_file():
        return [] if _archive_is_whole(path) else [Finding(path.name, "checksum does not match")]
    store = existing(path)
    files, findings = {}, []
    for name in (CONFIG, PLAN, MANIFEST):
        findings += _check_record(store, name)
    if not any(finding.name == MANIFEST for finding in findings):
        files = read_record(store / MANIFEST)["files"] if (store / MANIFEST).exists() else {}
        findings += _check_manifest(store, files)
    elif (store / DATASET).exists():
        findings.append(Finding(DATASET, "cannot be checked without its manifest"))
    findings += _check_other_rows(store, files)
    findings += _strays(store, files)
    return sorted(findings, key=lambda finding: finding.name)


def _archive_is_whole(path: Path) -> bool:
    data = path.read_bytes()
    if archive_is_whole(data):
        return True
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            # An archive made by another program has no checksum over all, but one per member.
            return not archive.comment and archive.testzip() is None
    except zipfile.BadZipFile:
        return False


def _check_record(store: Path, name: str) -> Iterator[Finding]:
    try:
        read_record(store / name)
    except DamageError:
        yield Finding(name, "damaged")
    except FileNotFoundError:
        if name != MANIFEST or (store / DATASET).exists():
            yield Finding(name, "missing")


def _check_manifest(store: Path, files: dict) -> Iterator[Finding]:
    for name, (size, sha256) in files.items():
        path = store / name
        if not path.is_file():
            yield Finding(name, "missing")
        elif path.stat().st_size != size:
            yield Finding(name, f"{path.stat().st_size} bytes, expected {size}")
        elif fingerprint(path)[1] != sha256:
            yield Finding(name, "checksum does not match")


def _check_other_rows(store: Path, files: dict) -> Iterator[Finding]:
    for folder in sorted((store / ROWS).glob("*")):
        for index in sorted(present(store, folder.name)):
            path = row_path(store, folder.name, index)
            name = path.relative_to(store).as_posix()
            if name not in files:
                try:
                    read_row(store, folder.name, index)
                except DamageError as error:
                    yield Finding(name, str(error).removeprefix(f"{path}: "))


def _strays(store: Path, files: dict) -> Iterator[Finding]:
    try:
        systems = set(read_config(store).systems)
    except StoreError:
        systems = {path.name for path in (store / ROWS).glob("*")}
    for path in sorted(_walk(store)):
        name = path.relative_to(store).as_posix()
        match = _ROW.fullmatch(name)
        if name.startswith(f"{DATASET}/"):
            expected = name in files or not files
        elif name.startswith(f"{ROWS}/"):
            expected = bool(match) and match[1] in systems and match[2] == f"{int(match[2]):06d}"
        else:
            expected = name.split("/")[0] in _TOP
        if not expected:
            yield Finding(name, "stray file")


def _walk(store: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(store):
        folders[:] = [f for f in folders if not is_temporary(Path(f)) and f != QUARANTINE]
        for name in names:
            if not is_temporary(Path(name)):
                yield Path(where, name)


def set_aside(store: Path, findings: list[Finding]) -> list[tuple[str, int]]:
    """Move bad row files and strays to ``quarantine/``; return the rows to compute again."""
    rows = []
    for finding in findings:
        path = store / finding.name
        match = _ROW.fullmatch(finding.name)
        if match:
            rows.append((match[1], int(match[2])))
        if path.exists() and (match or finding.problem == "stray file"):
            unique = f"{os.urandom(4).hex()}-{finding.name.replace('/', '-')}"
            target = store / QUARANTINE / unique
            target.parent.mkdir(exist_ok=True)
            os.rename(path, target)
    return rows


@dataclass(frozen=True)
class Progress:
    """Rows of one system: what was asked, what is there, what is in the sealed dataset."""

    asked: int
    ok: int
    failed: int
    sealed: int

    @property
    def missing(self) -> int:
        """Rows that were asked for and are not there."""
        return max(self.asked - self.ok - self.failed, 0)


def progress(store: Path) -> dict[str, Progress]:
    """State of a store, also while a build is running in another process."""
    config, sealed = read_config(existing(store)), sealed_counts(store)
    plan = read_plan(store)
    found = {}
    for name in sorted(config.systems):
        rows = present(store, name)
        failed = sum(read_status(store, name, index) != "ok" for index in rows)
        found[name] = Progress(plan.get(name, 0), len(rows) - failed, failed, sealed.get(name, 0))
    return found


def dataset_digest(store: Path) -> str | None:
    """sha256 over the names and checksums of all files of the sealed dataset."""
    if not (store / MANIFEST).exists():
        return None
    files = read_record(store / MANIFEST)["files"]
    lines = sorted(f"{entry[1]}  {name}" for name, entry in files.items() if DATASET in name)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
