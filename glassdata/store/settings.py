"""Records of a store: its science configuration, its plan, and what is sealed in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any

from glassdata.config import digest
from glassdata.row import science
from glassdata.store.errors import DamageError, StoreError
from glassdata.store.foreign import refuse_foreign
from glassdata.store.places import SEALED_OBJECT, medium
from glassdata.store.records import read_record, write_record
from glassdata.store.rows import PROVENANCE, ROWS, present
from glassdata.store.science import differences
from glassdata.system import System

#: Version of the layout described in this package.
SCHEMA_VERSION = 2
CONFIG, PLAN, MANIFEST, DATASET = "config.json", "plan.json", "manifest.json", "dataset.zarr"
QUARANTINE = "quarantine"
_RECORDS, _OTHERS = (CONFIG, PLAN, MANIFEST), (DATASET, QUARANTINE)
#: More structures of a system than any profile has. A file that claims more is not believed.
_MOST = 10**6


@dataclass(frozen=True)
class Config:
    """Everything that determines the numbers of a store, and nothing else."""

    profile: str
    systems: Mapping[str, Any]

    def record(self) -> dict:
        """As plain data."""
        return {
            "schema": SCHEMA_VERSION,
            "profile": self.profile,
            "systems": dict(self.systems),
        }


def science_config(systems: Mapping[str, System], profile: str) -> Config:
    """Configuration of the given systems at a profile.

    Examples
    --------
    >>> from glassdata.systems import SYSTEMS
    >>> config = science_config({"lj2d": SYSTEMS["lj2d"]}, "demo")
    >>> config.profile, sorted(config.systems["lj2d"])
    ('demo', ['description', 'structure'])
    """
    return Config(profile, {name: science(system, profile) for name, system in systems.items()})


def goal_counts(
    systems: Mapping[str, System], profile: str, names: Iterable[str], limit: int | None
) -> dict[str, int]:
    """Number of structures per system: all of the profile, or its first ``limit``.

    Parameters
    ----------
    systems : Mapping[str, System]
        The glasses by name.
    profile : str
        Name of the profile, which sets the sizes and how structures are made.
    names : Iterable[str]
        Names of the glasses to count.
    limit : int or None
        Structures per glass at most; None for all of the profile.

    Raises
    ------
    ValueError
        For an unknown system or profile, or a limit below 1.
    """
    if limit is not None and not (isinstance(limit, Integral) and limit >= 1):
        raise ValueError(f"limit must be a whole number of at least 1, got {limit}")
    counts = {}
    for name in names:
        if name not in systems:
            raise ValueError(f"unknown system {name!r}; known: {', '.join(systems)}")
        if profile not in systems[name].protocols:
            raise ValueError(f"system {name} has no profile {profile!r}")
        whole = systems[name].protocols[profile].n_structures
        counts[name] = whole if limit is None else min(limit, whole)
    return counts


def existing(store: Path) -> Path:
    """The folder of a store that must exist already.

    Raises
    ------
    StoreError
        If there is no store of that name.
    """
    if not store.exists():
        raise StoreError(f"{store} does not exist; make it with: glassdata build {store}")
    if not store.is_dir():
        raise StoreError(f"{store} is a file, not the folder of a store")
    if not any((store / name).exists() for name in (CONFIG, MANIFEST, ROWS)):
        raise StoreError(f"{store} is not a store: it has no {CONFIG}")
    return store


def read_config(store: Path) -> Config:
    """Configuration of a store.

    Raises
    ------
    StoreError
        If it is missing, damaged (``DamageError``), of another layout or another program's.

    Examples
    --------
    >>> from glassdata.systems import SYSTEMS
    >>> config = science_config({"lj2d": SYSTEMS["lj2d"]}, "demo")
    >>> counts = prepare(Path("my.store"), config, {"lj2d": 8})
    >>> read_config(Path("my.store")).profile
    'demo'
    """
    path = existing(store) / CONFIG
    if not path.exists():
        raise DamageError(f"{path} is missing; the original build command writes it again")
    try:
        record = dict(read_record(path))
    except (DamageError, TypeError, ValueError):
        refuse_foreign(store, _RECORDS, _OTHERS)
        raise DamageError(
            f"{path} is damaged; remove it and run the original build command, which keeps all rows"
        ) from None
    if record.get("schema") != SCHEMA_VERSION:
        raise StoreError(
            f"{store} has layout {record.get('schema')}, this program knows {SCHEMA_VERSION}"
        )
    if not isinstance(record.get("profile"), str) or not isinstance(record.get("systems"), dict):
        raise DamageError(f"{path} is no configuration")
    return Config(record["profile"], record["systems"])


def read_plan(store: Path) -> dict[str, int]:
    """Number of structures last asked for, per system; empty if nothing was."""
    path = store / PLAN
    if not path.exists():
        return {}
    plan = read_record(path)
    if not _are_counts(plan):
        raise DamageError(f"{path} is no plan")
    return plan


def read_manifest(store: Path) -> dict | None:
    """What the sealed dataset consists of; None before the first seal."""
    path = store / MANIFEST
    if not path.exists():
        return None
    manifest = read_record(path)
    if not _is_manifest(manifest):
        raise DamageError(f"{path} is no manifest")
    return manifest


def _are_counts(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(n, int) and 0 <= n <= _MOST for n in value.values()
    )


def _is_manifest(value: Any) -> bool:
    if not isinstance(value, dict) or not _are_counts(value.get("counts")):
        return False
    files, dataset = value.get("files"), value.get("dataset")
    named = dataset is None or (isinstance(dataset, str) and SEALED_OBJECT.fullmatch(dataset))
    return bool(named) and isinstance(files, dict) and all(map(_is_entry, files.values()))


def _is_entry(value: Any) -> bool:
    return isinstance(value, list) and [type(item) for item in value] == [int, str]


def prepare(
    store: Path, config: Config, counts: Mapping[str, int], *, keep_plan: bool = False
) -> dict[str, int]:
    """Register what a build is about to do, creating the store if need be.

    Parameters
    ----------
    store : Path
        Folder of the store, or its place on an object store.
    config : Config
        What determines the rows; it must be the one that the store recorded, if it has one.
    counts : mapping of str to int
        Number of structures to have, per glass.
    keep_plan : bool
        Whether the plan of the store stays as it is.

    Returns
    -------
    dict
        Number of structures to have and to seal, per system: ``counts``, but never less than is
        sealed already.

    Raises
    ------
    StoreError
        If the store holds rows of another configuration; the message shows the difference. Or if
        less is asked for than may be sealed (``DamageError``): see ``with_sealed``.

    Examples
    --------
    >>> from glassdata.systems import SYSTEMS
    >>> config = science_config({"lj2d": SYSTEMS["lj2d"]}, "demo")
    >>> prepare(Path("my.store"), config, {"lj2d": 8})
    {'lj2d': 8}
    """
    if store.exists() and not store.is_dir():
        raise StoreError(f"{store} is a file, not the folder of a store")
    if store.is_dir():
        refuse_foreign(store, _RECORDS, _OTHERS)
    refuse_links(store)
    medium(store).make_writable()
    with medium(store).locked():
        goal = with_sealed(store, counts)
        _register(store, config)
        _record_plan(store, goal, keep_plan)
    remove_dead_work(store)
    return goal


def remove_dead_work(store: Path) -> None:
    """Remove what processes that are dead left unfinished in a store.

    Examples
    --------
    >>> from glassdata.store.files import temporary_name
    >>> Path("my.store").mkdir(exist_ok=True)
    >>> name = temporary_name("a").split("~")
    >>> name[2] = str(2**22 + 1)  # a process that cannot be
    >>> left = Path("my.store") / "~".join(name)
    >>> _ = left.write_bytes(b"half")
    >>> remove_dead_work(Path("my.store"))
    >>> left.exists()
    False
    """
    folders = (ROWS, PROVENANCE, QUARANTINE)
    medium(store).remove_stale([*folders, *(f"{name}/*" for name in folders)])


def refuse_links(store: Path) -> None:
    """Refuse to write into a store whose folders lead elsewhere.

    Raises
    ------
    StoreError
        If one of them is a symbolic link.
    """
    for pattern in ("*", ".lock", f"{ROWS}/*", f"{PROVENANCE}/*"):
        for path in medium(store).entries(pattern):
            if path.is_symlink():
                raise StoreError(f"{path} is a link; a store holds none")


def _register(store: Path, config: Config) -> None:
    path = store / CONFIG
    if not path.exists():
        write_record(path, config.record())
        return
    old = read_config(store)
    new = Config(config.profile, dict(old.systems) | dict(config.systems))
    changed = list(differences(old.record(), new.record(), set(old.systems)))
    if changed:
        lines = "\n".join(f"  {line}" for line in changed)
        advice = ""
        if all(".description." in line.partition(": ")[0] for line in changed):
            advice = (
                "\nIts structures are still good; describe them again in a new store with: "
                f"glassdata build NEW --profile {old.profile} --structures {store}"
            )
        raise StoreError(f"{store} was built with another configuration:\n{lines}{advice}")
    if digest(new.record()) != digest(old.record()):
        write_record(path, new.record())


def _record_plan(store: Path, goal: Mapping[str, int], keep: bool) -> None:
    plan = _plan_if_readable(store)
    new = dict(goal) | plan if keep else plan | dict(goal)
    if new != plan or not (store / PLAN).exists():
        write_record(store / PLAN, new)


def _plan_if_readable(store: Path) -> dict[str, int]:
    try:
        return read_plan(store)
    except DamageError:
        return {}


def told_counts(store: Path) -> dict[str, int] | None:
    """Number of structures in the sealed dataset, per system; None if it cannot be known.

    It cannot be known if the manifest is damaged, or missing beside a dataset.
    """
    try:
        manifest = read_manifest(store)
    except DamageError:
        return None
    if manifest is None:
        return None if (store / DATASET).exists() else {}
    return dict(manifest["counts"])


def sealed_counts(store: Path) -> dict[str, int]:
    """Number of structures in the sealed dataset, per system, according to the manifest."""
    return told_counts(store) or {}


def with_sealed(store: Path, counts: Mapping[str, int]) -> dict[str, int]:
    """Number of structures per system, never less than is sealed already.

    Raises
    ------
    DamageError
        If the manifest does not show what is sealed, and fewer structures are asked for than in
        the plan. As many as in the plan may be asked for, or more: a seal cannot have held more
        than the plan. This repairs a first seal that died between dataset and manifest.
    """
    sealed = told_counts(store)
    if sealed is None:
        plan = _plan_if_readable(store)
        if any(counts.get(name, 0) < n for name, n in plan.items()):
            raise DamageError(
                f"{store / MANIFEST} is damaged or missing, and more may be sealed than is asked "
                f"for now; restore it with: glassdata repair {store}"
            )
        sealed = {}
    return sealed | {name: max(n, sealed.get(name, 0)) for name, n in counts.items()}


def missing_rows(store: Path, goal: Mapping[str, int]) -> list[tuple[str, int]]:
    """Rows of the goal that are not published, interleaved over the systems."""
    rows = [
        (index, name)
        for name, count in goal.items()
        for index in sorted(set(range(count)) - present(store, name))
    ]
    return [(name, index) for index, name in sorted(rows)]
