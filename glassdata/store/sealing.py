"""Assembly of finished rows into the sealed Zarr dataset.

The shapes of shards are constants, and rows are in the order of their index. So the bytes of a
dataset depend only on its rows, and a larger dataset begins with the smaller one: a reader who
opened the old one still gets the right numbers after it was extended.
"""

import platform
import subprocess
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path

import numpy as np
import zarr
from zarr.core.buffer import Buffer

from glassdata.bins import bin_centres
from glassdata.config import canonical_json, digest
from glassdata.origin import versions as made_here
from glassdata.schema import RAGGED, VARIABLES, Variable
from glassdata.store.column import Column
from glassdata.store.description import describe_dataset
from glassdata.store.errors import DamageError, StoreError
from glassdata.store.making import makers, versions_of
from glassdata.store.manifest import fingerprint, put_dataset
from glassdata.store.places import medium
from glassdata.store.records import write_record
from glassdata.store.rows import dimension_sizes, read_row, row_path
from glassdata.store.settings import (
    DATASET,
    SCHEMA_VERSION,
    Config,
    read_config,
    remove_dead_work,
    with_sealed,
)
from glassdata.system import System

CREATORS = "the glassdata authors"
LICENCE = "CC-BY-4.0"
#: Packages whose versions can show in the bytes of a dataset beside those that make its rows.
_PACKAGES = ("zarr", "numcodecs")

Identify = Callable[[str, str, int], str]


@cache
def versions() -> dict[str, str]:
    """Versions here of all packages that show in the numbers or the bytes of a dataset."""
    return dict(made_here()) | {name: metadata.version(name) for name in _PACKAGES}


def seal(
    store: Path,
    systems: Mapping[str, System],
    counts: Mapping[str, int],
    *,
    identify: Identify,
) -> None:
    """Write the dataset of ``counts[name]`` structures per system, and its manifest.

    Structures that another build sealed meanwhile stay in the dataset. Everything is read back
    before the new dataset replaces the old one in one step.

    Parameters
    ----------
    store : Path
        Folder of the store, or its place on an object store.
    systems : Mapping[str, System]
        The glasses by name.
    counts : Mapping[str, int]
        Number of structures per glass.
    identify : Identify
        Gives the id that a row must have, so that rows of another configuration are found.

    Raises
    ------
    DamageError
        If a row is damaged or was not made by this configuration.

    Examples
    --------
    A store of one row, which failed:

    >>> from glassdata.row import row_id
    >>> from glassdata.store import is_sealed, prepare, science_config
    >>> from glassdata.store.rows import failed_row, publish_row
    >>> from glassdata.systems import SYSTEMS
    >>> store, argon = Path("my.store"), {"lj2d": SYSTEMS["lj2d"]}
    >>> counts = prepare(store, science_config(argon, "demo"), {"lj2d": 1})
    >>> row = failed_row(row_id("lj2d", "demo", 0), "an example")
    >>> new = publish_row(store, "lj2d", 0, row)
    >>> seal(store, argon, counts, identify=row_id)
    >>> is_sealed(store, counts)
    True
    """
    with medium(store).locked(), medium(store).workspace(DATASET) as fresh:
        counts = with_sealed(store, counts)
        if unknown := sorted(counts.keys() - systems.keys()):
            raise StoreError(
                f"{store} holds the system {unknown[0]}, which this program does not know"
            )
        made_by = makers(store, counts)
        config = read_config(store)
        rows = _assemble(fresh, store, systems, counts, config, identify, made_by)
        write_record(store / "provenance" / "seal.json", _circumstances(made_by))
        put_dataset(fresh, store, rows, counts)
    # Another build may have begun before this one, and died since.
    remove_dead_work(store)


def _circumstances(made_by: list[dict]) -> dict:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "sealed": now,
        "host": platform.node(),
        "versions": versions(),
        "commit": _commit(),
        "made_by": made_by,
    }


def _commit() -> str | None:
    """Commit of the source checkout that this runs from, ``-dirty`` where it was edited."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _assemble(
    fresh: Path,
    store: Path,
    systems: Mapping[str, System],
    counts: Mapping[str, int],
    config: Config,
    identify: Identify,
    made_by: list[dict],
) -> dict[str, list]:
    used = Config(config.profile, {name: config.systems[name] for name in counts})
    there = _OwnFolder(fresh)
    attributes = _root_attributes(used, made_by)
    root = zarr.open_group(there, mode="w-", zarr_format=3, attributes=attributes)
    files: dict[str, list] = {}
    for name in sorted(counts):
        files |= _assemble_system(root, store, systems[name], counts[name], used, identify)
    with warnings.catch_warnings():
        # Consolidated metadata is not in the Zarr 3 specification yet; readers may ignore it.
        warnings.simplefilter("ignore", category=UserWarning)
        zarr.consolidate_metadata(there)
    describe_dataset(fresh)
    return files


class _OwnFolder(zarr.storage.LocalStore):
    """A folder that nobody else writes to: zarr would need hard links to create a file in it."""

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        """Write a file unless it is there."""
        if not await self.exists(key):
            await self.set(key, value)


def _root_attributes(config: Config, made_by: list[dict]) -> dict:
    return {
        "title": "Glass structures, radial distribution functions and vibrational spectra",
        "Conventions": "CF-1.11",
        "license": LICENCE,
        "creator_name": CREATORS,
        "schema_version": SCHEMA_VERSION,
        "profile": config.profile,
        "configuration_sha256": digest(config.record()),
        "package_versions": versions_of(made_by, versions()),
    }


def _assemble_system(
    root: zarr.Group,
    store: Path,
    system: System,
    count: int,
    config: Config,
    identify: Identify,
) -> dict[str, list]:
    name = system.name
    group = root.create_group(name, attributes=_system_attributes(system, config))
    files, columns = {}, {"structure": Column(group, "structure", _STRUCTURE)}
    for index in range(count):
        row = _checked_row(store, name, index, identify(name, config.profile, index))
        files[row_path(store, name, index).relative_to(store).as_posix()] = fingerprint(
            row_path(store, name, index)
        )
        for variable in row.keys() - columns.keys():
            columns[variable] = _new_column(group, variable, system, index)
        columns["structure"].append(np.array(index))
        for variable, column in columns.items():
            if variable != "structure":
                column.append(row.get(variable))
    _write_coordinates(group, columns, system)
    for column in columns.values():
        column.finish()
    return files


def _checked_row(store: Path, name: str, index: int, identity: str) -> dict[str, np.ndarray]:
    try:
        row = read_row(store, name, index)
    except DamageError as error:
        raise DamageError(f"{error}; glassdata repair computes it again") from None
    if str(row.get("row_id")) != identity:
        raise DamageError(
            f"{row_path(store, name, index)} was made by another configuration or version"
        )
    # Failed rows count zero atoms and modes, so that the counts add up to the ragged lengths.
    return {dim: np.array(0, "i4") for dim in RAGGED.values()} | row


def _system_attributes(system: System, config: Config) -> dict:
    return {
        "title": system.title,
        "summary": system.summary,
        "references": system.reference,
        "dimension": system.dim,
        "species": list(system.species),
        "configuration": canonical_json(config.systems[system.name]),
    }


def _new_column(group: zarr.Group, name: str, system: System, before: int) -> Column:
    variable = VARIABLES[name]
    sizes = dimension_sizes(system)
    column = Column(
        group,
        name,
        variable,
        tuple(sizes[dim] for dim in variable.dims if dim in sizes),
        units=variable.units_in(system.dim),
        step=variable.step(system) if variable.step else None,
    )
    for _ in range(before):
        column.append(None)
    return column


_STRUCTURE = Variable(("structure",), "i8", "1", "index of the structure")
_COORDINATES = {
    "r": Variable(("r",), "f8", "angstrom", "distance, centre of the bin"),
    "r_edges": Variable(("r_edge",), "f8", "angstrom", "edges of the distance bins"),
    "omega": Variable(("omega",), "f8", "THz", "frequency, centre of the bin"),
    "omega_edges": Variable(("omega_edge",), "f8", "THz", "edges of the frequency bins"),
    "pair": Variable(("pair",), "U16", "1", "species of the partial radial distribution function"),
}


def _write_coordinates(group: zarr.Group, columns: dict, system: System) -> None:
    r, omega = system.r_edges, system.omega_edges
    values = {
        "r": bin_centres(r),
        "r_edges": r,
        "omega": bin_centres(omega),
        "omega_edges": omega,
    }
    if system.pairs:
        values["pair"] = np.array(system.pairs, "U16")
    for name, value in values.items():
        columns[name] = Column(group, name, _COORDINATES[name])
        columns[name].extend(value)
