"""The build: Dask gets the missing rows, workers publish them, at the end the dataset is sealed.

A row may be computed more than once, but takes effect exactly once: workers publish files that are
written once and return receipts, and only files on the disk count. If a scheduler dies, its futures
are cancelled and the iteration over them ends without an error. So rows are counted again after it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from numbers import Integral
from pathlib import Path
from typing import Any

from glassdata.engine.clusters import connect
from glassdata.engine.execution import Execution
from glassdata.engine.streaming import Loss, RowName, Work, stream
from glassdata.engine.watching import check_report, collect, dashboard, reported
from glassdata.estimate import peak_memory
from glassdata.potentials import TabulatedFile
from glassdata.row import compute_row, row_id, science
from glassdata.store import (
    DamageError,
    is_sealed,
    prepare,
    read_config,
    recorded,
    recorded_science,
    science_config,
    seal,
)
from glassdata.store.losses import forget_losses, losses, record_loss
from glassdata.store.places import absolute
from glassdata.store.rows import dimension_sizes, row_path
from glassdata.store.science import made_otherwise, not_comparable
from glassdata.store.settings import (
    goal_counts,
    missing_rows,
    read_plan,
    refuse_links,
    sealed_counts,
    told_counts,
)
from glassdata.store.structures import check_structures, stored_structure
from glassdata.system import System
from glassdata.systems import SYSTEMS, lacks
from glassdata.worker import Compute, Receipt, Task, compare, publish


@dataclass(frozen=True)
class Source:
    """Where rows come from: systems by name, the row function, and the identity of a row.

    ``compute`` takes ``(system, profile, index, timings)``, ``identify`` the first three of them.
    Workers must be able to import both. ``structures`` is the store whose structures ``compute``
    describes again, None where it makes them.

    Examples
    --------
    >>> Source().systems is SYSTEMS, Source().structures
    (True, None)
    """

    systems: Mapping[str, System] = field(default_factory=lambda: SYSTEMS)
    compute: Compute = field(default_factory=lambda: compute_row)
    identify: Callable[[str, str, int], str] = field(default_factory=lambda: row_id)
    structures: Path | None = None


def source_of(structures: Path | None = None) -> Source:
    """The source of rows for the glasses of this package.

    Parameters
    ----------
    structures
        A store or packed dataset whose structures are described again; None makes new structures.
        Workers must see it, too.
    """
    if structures is None:
        return Source()
    where = absolute(structures)
    return Source(compute=partial(_describe_again, where), structures=where)


def _describe_again(where: Path, name: str, profile: str, index: int, timings: dict) -> dict:
    return compute_row(name, profile, index, timings, make=partial(stored_structure, where))


@dataclass(frozen=True)
class Outcome:
    """Result of a build.

    ``lost`` are rows that were asked for and are not on the disk; ``elsewhere`` counts the rows
    that other shards have still to make.
    """

    goal: Mapping[str, int]
    receipts: tuple[Receipt, ...]
    problems: tuple[Loss, ...]
    lost: tuple[RowName, ...]
    conflict: bool
    elsewhere: int = 0

    @property
    def complete(self) -> bool:
        """Whether every row that was asked for is there and, unless it is a shard, sealed."""
        return not self.lost and not self.conflict


def build(
    store: str | Path,
    *,
    profile: str = "demo",
    names: Iterable[str] | None = None,
    limit: int | None = None,
    shard: tuple[int, int] = (1, 1),
    source: Source | None = None,
    **how,
) -> Outcome:
    """Compute the rows that a store lacks, then seal its dataset.

    Parameters
    ----------
    store
        Folder of the store; it is made if there is none.
    profile
        Which structures, and how many: ``demo``, ``reference`` or ``paper``.
    names
        Systems to build; by default all that lack no file.
    limit
        Only the first structures of every system.
    shard
        ``(i, n)``: only structures whose index leaves i - 1 when divided by n. Several builds may
        then fill one store from different schedulers; whichever finds all rows there seals it.
    source
        Where rows come from; by default the glasses of this package make them.
    how
        Where and how to compute: the fields of ``Execution``.

    Raises
    ------
    ValueError
        For arguments out of range, or rows too large for the workers; no row was computed then.
    StoreError
        If the store was built with another configuration, or is damaged.

    Examples
    --------
    >>> outcome = build("demo.store", names=["lj2d"], workers=2)  # doctest: +SKIP
    >>> outcome.complete, len(outcome.receipts)  # doctest: +SKIP
    (True, 8)
    """
    source, execution = source or Source(), Execution(**how)
    if not all(isinstance(n, Integral) for n in shard) or not 1 <= shard[0] <= shard[1]:
        raise ValueError(f"a shard i/n needs 1 <= i <= n, got {shard[0]}/{shard[1]}")
    check_report(execution.report)
    names = list(names or (n for n, system in source.systems.items() if not lacks(system)))
    counts = goal_counts(source.systems, profile, names, limit)
    if source.structures is not None:
        chosen = [source.systems[name] for name in counts]
        check_structures(source.structures, profile, chosen)
    return _complete(absolute(store), profile, counts, source, execution, shard=shard)


def repair(
    store: str | Path, rows: Iterable[RowName] = (), *, source: Source | None = None, **how
) -> Outcome:
    """Compute the sealed rows that are no longer there, and seal the dataset anew.

    If the store is not sealed yet, only ``rows`` and those recorded as lost are computed, and
    nothing is sealed: the build itself goes on with ``build``.

    Parameters
    ----------
    store
        Folder of the store.
    rows
        Further rows to compute: those that were set aside before they were sealed. Names that the
        profile does not have were never rows and are left out.
    source
        As for ``build``.
    how
        The fields of ``Execution``.

    Raises
    ------
    StoreError
        If there is neither a plan nor a manifest to say which rows there should be, or they list
        more than the profile has.
    """
    source, execution = source or Source(), Execution(**how)
    check_report(execution.report)
    folder = absolute(store)
    sealed = told_counts(folder)
    counts = sealed or read_plan(folder)
    if not counts:
        raise DamageError(
            f"{folder} has neither plan nor manifest to say which rows there should be; "
            "the original build command knows"
        )
    profile = read_config(folder).profile
    goal_counts(source.systems, profile, counts, None)
    rows = list(rows)
    if sealed == {}:
        rows += losses(folder)
        counts = dict.fromkeys(counts, 0)
    also = [row for row in dict.fromkeys(rows) if _has(source, profile, *row)]
    return _complete(folder, profile, counts, source, execution, also=also, reseal=True)


def _has(source: Source, profile: str, name: str, index: int) -> bool:
    """Whether a profile has a structure; a file of its name may have come from elsewhere."""
    protocols = source.systems[name].protocols if name in source.systems else {}
    return profile in protocols and 0 <= index < protocols[profile].n_structures


def _check_promises(folder: Path, profile: str, counts: Mapping[str, int], source: Source) -> None:
    """Refuse a manifest or a plan with more structures than the profile has.

    Raises
    ------
    DamageError
        If it does.
    """
    for name, count in (*sealed_counts(folder).items(), *counts.items()):
        if count and name in source.systems and not _has(source, profile, name, count - 1):
            raise DamageError(
                f"{folder} should have {count} structures of {name}, more than profile {profile}"
            )


def _complete(
    folder: Path,
    profile: str,
    counts: Mapping[str, int],
    source: Source,
    execution: Execution,
    *,
    shard: tuple[int, int] = (1, 1),
    also: Iterable[RowName] = (),
    reseal: bool = False,
) -> Outcome:
    _check_promises(folder, profile, counts, source)
    chosen = {name: source.systems[name] for name in counts}
    refuse_lacking(chosen.values())
    goal = prepare(folder, science_config(chosen, profile), counts, keep_plan=reseal)
    todo = _of_shard(missing_rows(folder, {name: goal[name] for name in counts}), shard)
    also = [row for row in also if row not in todo and not row_path(folder, *row).exists()]
    todo += also
    forget_losses(folder, todo)
    receipts: list[Receipt] = []
    problems: list[Loss] = []
    if todo:
        task = task_of(folder, profile, source, execution)
        receipts, problems = _run(publish, task, todo, source, execution)
        for loss in problems:
            record_loss(folder, loss.system, loss.index, loss.reason)
    missing = missing_rows(folder, goal)
    # Missing rows of other shards are not computed here, but the dataset cannot be sealed without.
    lost = _of_shard(missing, shard)
    elsewhere = len(missing) - len(lost)
    lost += [row for row in also if not row_path(folder, *row).exists()]
    # Another driver may have published a row that was lost here. Only a row that disagrees with the
    # published one prevents the seal.
    conflict = any(receipt.outcome == "conflict" for receipt in receipts)
    wanted = any(goal.values())  # a repair of a store that is not sealed yet has no goal
    if wanted and not missing and not conflict and (reseal or not is_sealed(folder, goal)):
        seal(folder, source.systems, goal, identify=source.identify)
    return Outcome(goal, tuple(receipts), tuple(problems), tuple(lost), conflict, elsewhere)


def refuse_lacking(systems: Iterable[System]) -> None:
    """Refuse glasses whose potential file was not given to this program.

    Raises
    ------
    MissingTableError
        Naming the file, where to obtain it, and the command that takes it.
    """
    for system in systems:
        if isinstance(system.potential, TabulatedFile):
            _ = system.potential.tables


def _of_shard(rows: Iterable[RowName], shard: tuple[int, int]) -> list[RowName]:
    number, count = shard
    return [(name, index) for name, index in rows if index % count == number - 1]


def recompute(
    store: str | Path, rows: Iterable[RowName], *, source: Source | None = None, **how
) -> tuple[list[Receipt], list[Loss]]:
    """Compute published rows again and compare them with those that are there.

    Parameters
    ----------
    store
        Folder of the store, or a packed dataset. In a folder, records of lost rows are written and
        removed, so it is refused if it contains links instead of folders.
    rows
        System and number of each row.
    source
        As for ``build``.
    how
        The fields of ``Execution``.

    Returns
    -------
    receipts, problems
        The outcome of a receipt is ``identical`` (every byte), ``close`` (numbers within
        ``TOLERANCE``, as on another processor type), ``different``, with the reason, or
        ``outdated``: the row was made with other settings than those of today, so it was not
        computed. Variables of another version are left out of the comparison.

    Examples
    --------
    >>> receipts, problems = recompute("demo.store", [("lj2d", 0)], workers=1)  # doctest: +SKIP
    >>> receipts[0].outcome, problems  # doctest: +SKIP
    ('identical', [])
    """
    source, execution = source or Source(), Execution(**how)
    check_report(execution.report)
    folder, rows = absolute(store), list(rows)
    if folder.is_dir():
        refuse_links(folder)
        # A row that exceeded an earlier time limit is tried again.
        with suppress(OSError):
            forget_losses(folder, rows)
    profile, then = recorded(folder)[0], recorded_science(folder)
    now = {name: science(source.systems[name], profile) for name, _ in rows}
    otherwise = {name: made_otherwise(then[name], now[name]) for name in now}
    outdated = [
        Receipt(*row, "outdated", reason=otherwise[row[0]][0]) for row in rows if otherwise[row[0]]
    ]
    rows = [row for row in rows if not otherwise[row[0]]]
    refuse_lacking(source.systems[name] for name, _ in rows)
    task = replace(
        task_of(folder, profile, source, execution),
        not_compared={name: frozenset(not_comparable(then[name], now[name])) for name in now},
    )
    receipts, problems = _run(compare, task, rows, source, execution) if rows else ([], [])
    return outdated + receipts, problems


def _run(
    work: Work, task: Task, todo: Sequence[RowName], source: Source, execution: Execution
) -> tuple[list[Receipt], list[Loss]]:
    needs = {name: peak_memory(source.systems[name], task.profile) for name in {n for n, _ in todo}}
    return compute(work, task, todo, execution, needs)


def compute(
    work: Work,
    task: Any,
    todo: Sequence[RowName],
    execution: Execution,
    needs: Mapping[str, float] | None = None,
) -> tuple[list[Receipt], list[Loss]]:
    """Call ``work(task, name, number)`` on the workers for all of ``todo``, and show a bar.

    Parameters
    ----------
    work
        The function. Workers must be able to import it, and it leaves its results on the disk.
    task
        First argument of every call.
    todo
        Name and number of each call.
    execution
        Where and how to compute.
    needs
        Memory that a call takes, bytes, by name.

    Returns
    -------
    receipts, problems
        What the calls returned, and what went wrong.

    Raises
    ------
    ValueError
        If the workers lack the memory for a call; none was sent then.
    """
    with connect(execution, len(todo), needs or {}) as connection:
        if execution.watched and (address := dashboard(connection.client)):
            execution.say(f"dashboard: {address}")
        with reported(execution.report):
            results = stream(
                connection.client, work, task, todo, connection.expected, connection.judge
            )
            return collect(results, len(todo), execution.watched)


def task_of(folder: Path, profile: str, source: Source, execution: Execution) -> Task:
    """What all workers of a build must know.

    Parameters
    ----------
    folder : Path
        Folder of the store.
    profile : str
        Name of the profile, which sets the sizes and how structures are made.
    source : Source
        Where the rows come from.
    execution : Execution
        How to compute them.
    """
    sizes = {name: dimension_sizes(system) for name, system in source.systems.items()}
    compute, identify = source.compute, source.identify
    return Task(folder, profile, sizes, compute, identify, execution.row_timeout)
