"""The command ``build``, and what it says at the end."""

from pathlib import Path

import click

from glassdata.cli.choices import (
    PROFILES,
    Place,
    known_systems,
    path_argument,
    refuse_web,
    system_option,
    table,
)
from glassdata.cli.execution import (
    Allowance,
    Shard,
    accept_changed_code,
    execution_options,
)

#: Exit status of a build that has all rows, of which some failed.
SOME_FAILED = 3


@click.command()
@path_argument("store")
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    help="Size of the dataset. Default: that of the store, or demo.",
)
@system_option(multiple=True)
@click.option("--limit", type=click.IntRange(min=1), help="First structures of each glass only.")
@click.option(
    "--shard",
    type=Shard(),
    default="1/1",
    show_default=True,
    metavar="I/N",
    help="Every N-th structure only, beginning with the I-th; other builds make the others.",
)
@click.option(
    "--structures",
    type=Place(),
    metavar="OLD",
    help="Describe the structures of OLD again instead of making new ones.",
)
@click.option(
    "--retry-failed",
    is_flag=True,
    help="Compute failed rows again; the old ones are moved to STORE/quarantine.",
)
@click.option(
    "--max-failed",
    type=Allowance(),
    metavar="N|P%",
    help="End when more rows than that have failed, of all that should be there. Default: never.",
)
@accept_changed_code
@click.option("--dry-run", is_flag=True, help="Only say what there is to do, and its cost.")
@execution_options
def build(
    store: Path,
    profile: str | None,
    names: tuple[str, ...],
    structures: Path | None,
    limit: int | None,
    shard: tuple[int, int],
    retry_failed: bool,
    max_failed: float | None,
    accept_changed_code: bool,
    dry_run: bool,
    execution: dict,
) -> int:
    """Compute the structures that STORE lacks, and seal its dataset.

    The same command resumes after any interruption. More structures or glasses extend the store;
    without --system, the glasses are those of the store, or all.

    A structure that cannot be made is a failed row, which says why. Exit status 3 means that all is
    there but some rows failed; with --max-failed, as many as that are no error.

    \b
    Examples:
      glassdata build demo.store
      glassdata build big.store --profile reference --system amc --system sic --limit 50
      glassdata build big.store --profile reference --dry-run
      glassdata build big.store --profile paper --cluster tcp://login1:8786
      glassdata build big.store --profile paper --cluster slurm --workers 200 --shard 1/4
      glassdata build new.store --structures old.store
    """
    from glassdata import engine

    refuse_web(store)
    profile, names = _what_to_build(store, profile, names, structures)
    source = engine.source_of(structures)
    if dry_run:
        return _dry_run(store, profile, names, limit, source)
    outcome = engine.build(
        store,
        profile=profile,
        names=names,
        limit=limit,
        shard=shard,
        retry_failed=retry_failed,
        max_failed=max_failed,
        accept_changed_code=accept_changed_code,
        source=source,
        **execution,
    )
    return report(store, outcome, execution, failures_are_expected=max_failed is not None)


def _what_to_build(
    store: Path, profile: str | None, names: tuple[str, ...], structures: Path | None
) -> tuple[str, tuple[str, ...]]:
    from glassdata.potentials import TabulatedFile
    from glassdata.store import read_config, recorded
    from glassdata.systems import SYSTEMS, available

    known_systems(names)
    if (profile is None or not names) and (store / "config.json").exists():
        config = read_config(store)
        profile, names = profile or config.profile, names or tuple(config.systems)
    elif (profile is None or not names) and structures is not None:
        there, rows = recorded(structures)
        profile, names = profile or there, names or tuple(rows)
    known_systems(names)
    for name in names:
        if isinstance(potential := SYSTEMS[name].potential, TabulatedFile):
            potential.check_here()
    profile = profile or PROFILES[0]
    return profile, names or tuple(n for n, s in available().items() if profile in s.protocols)


def _dry_run(store: Path, profile: str, names: tuple[str, ...], limit: int | None, source) -> int:
    from glassdata.estimate import estimate
    from glassdata.store.settings import goal_counts

    if store.exists() and not store.is_dir():
        raise click.UsageError(f"{store} is a file, not the folder of a store")
    counts = goal_counts(source.systems, profile, names, limit)
    costs = estimate(store, source.systems, profile, counts)
    header = ("system", "rows to do", "atoms", "memory per task", "core-hours", "estimated from")
    lines = [
        (
            cost.system,
            cost.rows,
            cost.n_atoms,
            f"{cost.memory / 1e6:.0f} MB",
            f"{cost.core_hours:.2f}",
            cost.basis,
        )
        for cost in costs
    ]
    click.echo(table(header, lines))
    rows, hours = sum(c.rows for c in costs), sum(c.core_hours for c in costs)
    click.echo(f"total: {rows} rows, about {hours:.2f} core-hours; nothing was computed")
    return 0


def report(store: Path, outcome, execution: dict, *, failures_are_expected: bool = False) -> int:
    """Say what a build did; returns its exit status.

    Parameters
    ----------
    store
        Folder of the store.
    outcome
        What ``build`` returned.
    execution
        The fields of ``Execution`` that were asked for, by name.
    failures_are_expected
        Whether failed rows leave the exit status at 0.
    """
    from glassdata.engine.execution import Execution
    from glassdata.store import progress
    from glassdata.store.losses import grouped

    state = progress(store)
    lines = [
        (name, state[name].ok, state[name].failed, state[name].missing) for name in outcome.goal
    ]
    click.echo(table(("system", "ok", "failed", "missing"), lines))
    if Execution(**execution).watched:
        _report_stages(outcome.receipts)
    reasons = {row: why for name in outcome.goal for row, why in state[name].reasons.items()}
    for line in grouped(reasons):
        click.echo(line, err=True)
    for problem in outcome.problems[:10]:
        click.echo(f"not done: {problem}", err=True)
    if not outcome.complete:
        what, advice = f"{len(outcome.lost)} rows are missing", "the same command tries them again"
        if outcome.conflict:
            what = "a row disagrees with the published one, which was kept; the build was stopped"
            advice = f"see which is right with: glassdata verify {store} --recompute 8"
        click.echo(f"glassdata: error: {what}, the dataset was not sealed; {advice}", err=True)
        return 1
    click.echo(_success(store, outcome) + (f", {len(reasons)} have failed" if reasons else ""))
    return SOME_FAILED if reasons and not failures_are_expected else 0


def _success(store: Path, outcome) -> str:
    now = f"{len(outcome.receipts)} rows computed now"
    if outcome.elsewhere:
        return (
            f"{now}, {outcome.elsewhere} are left to other shards; the last of them, or a build "
            "without --shard, seals the dataset"
        )
    if not any(outcome.goal.values()):
        return f"{now}; {store} is not sealed yet: glassdata build {store} goes on"
    return f"{store} is complete: {now}"


def _report_stages(receipts) -> None:
    from glassdata.engine.watching import stage_seconds

    seconds = stage_seconds(receipts)
    if not seconds:
        return
    whole, rows = sum(seconds.values()), sum(bool(receipt.stages) for receipt in receipts)
    lines = [
        (stage, f"{spent:.1f}", f"{spent / rows:.3g}", f"{100 * spent / whole:.0f}")
        for stage, spent in seconds.items()
    ]
    click.echo()
    click.echo(table(("stage", "core-seconds", "per row", "%"), lines))
