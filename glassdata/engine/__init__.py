"""The build: Dask gets the missing rows, workers publish them, at the end the dataset is sealed.

A row may be computed more than once, but takes effect exactly once: workers publish files that are
written once and return receipts, and only files on the disk count. If a scheduler dies, its futures
are cancelled and the iteration over them ends without an error. So rows are counted again after it.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path

from glassdata.engine.crew import Loss, RowName, RunEnded
from glassdata.engine.execution import Execution
from glassdata.engine.limits import FailedRows
from glassdata.engine.running import compute, run_rows
from glassdata.engine.source import Source, source_of, task_of
from glassdata.engine.watching import check_report
from glassdata.potentials import TabulatedFile
from glassdata.protocols import SheetsOfOthers
from glassdata.row import science
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
from glassdata.store.losses import forget_losses, losses, read_loss, record_loss
from glassdata.store.making import register_code
from glassdata.store.places import absolute
from glassdata.store.rows import present, row_path
from glassdata.store.science import made_otherwise, not_comparable
from glassdata.store.settings import (
    goal_counts,
    missing_rows,
    read_plan,
    refuse_links,
    sealed_counts,
    told_counts,
)
from glassdata.store.structures import check_structures
from glassdata.store.verifying import set_failed_aside
from glassdata.system import System
from glassdata.systems import lacks
from glassdata.worker import Receipt, compare, publish

__all__ = [
    "Execution",
    "Loss",
    "Outcome",
    "RowName",
    "RunEnded",
    "Source",
    "build",
    "compute",
    "recompute",
    "repair",
    "source_of",
    "task_of",
]


@dataclass(frozen=True)
class Outcome:
    """Result of a build.

    ``lost`` are rows that were asked for and are not on the disk; ``elsewhere`` counts the rows
    that other shards have still to make.

    Examples
    --------
    >>> Outcome({"lj2d": 8}, (), (), lost=(("lj2d", 5),), conflict=False).complete
    False
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


@dataclass(frozen=True)
class Rules:
    """What becomes of failed rows and of changed code: the arguments of ``build``."""

    retry_failed: bool = False
    max_failed: float | None = None
    accept_changed_code: bool = False


def build(
    store: str | Path,
    *,
    profile: str = "demo",
    names: Iterable[str] | None = None,
    limit: int | None = None,
    shard: tuple[int, int] = (1, 1),
    retry_failed: bool = False,
    max_failed: float | None = None,
    accept_changed_code: bool = False,
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
    retry_failed
        Whether failed rows are computed again; the old ones are moved to the quarantine.
    max_failed
        How many of the rows may fail before the run ends: a whole number, or a share below 1 of all
        that should be there. None lets all of them fail.
    accept_changed_code
        Whether to go on where rows were made by other code of the same version.
    source
        Where rows come from; by default the glasses of this package make them.
    how
        Where and how to compute: the fields of ``Execution``.

    Raises
    ------
    ValueError
        For arguments out of range, or rows too large for the workers; no row was computed then.
    StoreError
        If the store was built with another configuration or other code, or is damaged.
    RunEnded
        If too many rows fail, or no worker is left that may compute them.

    Examples
    --------
    >>> outcome = build("demo.store", names=["lj2d"], workers=2)  # doctest: +SKIP
    >>> outcome.complete, len(outcome.receipts)  # doctest: +SKIP
    (True, 8)
    """
    source, execution = source or Source(), Execution(**how)
    if not all(isinstance(n, Integral) for n in shard) or not 1 <= shard[0] <= shard[1]:
        raise ValueError(f"a shard i/n needs 1 <= i <= n, got {shard[0]}/{shard[1]}")
    if max_failed is not None and not _is_limit(max_failed):
        raise ValueError(f"max_failed must be a whole number or a share below 1, got {max_failed}")
    check_report(execution.report)
    names = list(names or (n for n, system in source.systems.items() if not lacks(system)))
    counts = goal_counts(source.systems, profile, names, limit)
    if source.structures is not None:
        chosen = [source.systems[name] for name in counts]
        check_structures(source.structures, profile, chosen)
    rules = Rules(retry_failed, max_failed, accept_changed_code)
    return _complete(absolute(store), profile, counts, source, execution, rules, shard=shard)


def _is_limit(value: float) -> bool:
    return value >= 0 and (isinstance(value, Integral) or value < 1)


def repair(
    store: str | Path,
    rows: Iterable[RowName] = (),
    *,
    accept_changed_code: bool = False,
    source: Source | None = None,
    **how,
) -> Outcome:
    """Compute the sealed rows that are no longer there, and seal the dataset again.

    If the store is not sealed yet, only ``rows`` and those recorded as lost are computed, and
    nothing is sealed: the build itself goes on with ``build``.

    Parameters
    ----------
    store
        Folder of the store.
    rows
        Further rows to compute: those that were set aside before they were sealed. Names that the
        profile does not have were never rows and are left out.
    accept_changed_code
        As for ``build``.
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
    rules = Rules(accept_changed_code=accept_changed_code)
    return _complete(folder, profile, counts, source, execution, rules, also=also, reseal=True)


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
    rules: Rules,
    *,
    shard: tuple[int, int] = (1, 1),
    also: Iterable[RowName] = (),
    reseal: bool = False,
) -> Outcome:
    _check_promises(folder, profile, counts, source)
    chosen = {name: source.systems[name] for name in counts}
    refuse_lacking(chosen.values(), profile)
    goal = prepare(folder, science_config(chosen, profile), counts, keep_plan=reseal)
    if rules.retry_failed:
        there = [(name, i) for name, n in counts.items() for i in present(folder, name) if i < n]
        reseal |= set_failed_aside(folder, _of_shard(there, shard))
    todo = _of_shard(missing_rows(folder, {name: goal[name] for name in counts}), shard)
    also = [row for row in also if row not in todo and not row_path(folder, *row).exists()]
    todo += also
    forget_losses(folder, todo)
    limit = FailedRows.of(folder, goal, rules.max_failed)
    receipts: list[Receipt] = []
    problems: list[Loss] = []
    if todo:
        register_code(folder, counts, source.code(), accept=rules.accept_changed_code)
        task = task_of(folder, profile, source, execution)
        try:
            receipts, problems = run_rows(publish, task, todo, source, execution, limit)
        except RunEnded as end:
            _record_losses(folder, _with_own_reasons(folder, end.problems))
            left = len(missing_rows(folder, goal))
            raise RunEnded(f"{end}; {left} rows are missing, the same command goes on") from None
        problems = _with_own_reasons(folder, problems)
        _record_losses(folder, problems)
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


def _with_own_reasons(folder: Path, problems: Iterable[Loss]) -> list[Loss]:
    """Losses, with the reason that a worker noted when it gave up a row and ended.

    Seen from here such a row has only lost its worker, and perhaps there was no other.
    """
    noted = [(loss, read_loss(folder, loss.system, loss.index)) for loss in problems]
    return [
        replace(loss, reason=facts["reason"]) if facts and facts.get("limit") else loss
        for loss, facts in noted
    ]


def _record_losses(folder: Path, problems: Iterable[Loss]) -> None:
    for loss in problems:
        record_loss(folder, loss.system, loss.index, loss.reason)


def refuse_lacking(systems: Iterable[System], profile: str) -> None:
    """Refuse glasses of which a file, of the potential or of structures, was not given to us.

    Raises
    ------
    MissingTableError
        Naming the file, where to obtain it, and the command that takes it.
    """
    for system in systems:
        if isinstance(system.potential, TabulatedFile):
            _ = system.potential.tables
        if isinstance(protocol := system.protocols[profile], SheetsOfOthers):
            protocol.check_here()


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
    refuse_lacking((source.systems[name] for name, _ in rows), profile)
    task = replace(
        task_of(folder, profile, source, execution),
        not_compared={name: frozenset(not_comparable(then[name], now[name])) for name in now},
    )
    receipts, problems = run_rows(compare, task, rows, source, execution) if rows else ([], [])
    return outdated + receipts, problems
