"""Commands about datasets: systems, build, info, verify, repair."""

from pathlib import Path

import click

from glassdata.cli.choices import (
    PROFILES,
    known_systems,
    path_argument,
    setfl_option,
    system_option,
    table,
)


@click.command()
def systems() -> None:
    """List the glasses: potential, protocol, bins.

    \b
    Example:
      glassdata systems
    """
    from glassdata.systems import SYSTEMS

    lines = [
        (
            name,
            system.dim,
            "-".join(system.species),
            f"0-{system.r_max:g}",
            f"0-{system.omega_max:g}",
            " ".join(f"{p}:{system.protocols[p].n_structures}" for p in system.protocols),
            system.title,
        )
        for name, system in SYSTEMS.items()
    ]
    header = ("name", "dim", "species", "r/Å", "ω/THz", "structures", "title")
    click.echo(table(header, lines))
    click.echo()
    for name, system in SYSTEMS.items():
        click.echo(f"{name}: {system.summary}\n  {system.reference}")


@click.command()
@path_argument("store")
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    help="Size of the dataset. Default: that of the store, or demo.",
)
@system_option(multiple=True)
@setfl_option()
@click.option("--limit", type=click.IntRange(min=1), help="First structures of each glass only.")
@click.option(
    "--cluster",
    default="local",
    show_default=True,
    help="local, or the address of a Dask scheduler whose workers see the same folder.",
)
@click.option("--workers", type=click.IntRange(min=1), help="Local processes. Default: all cores.")
@click.option("--progress/--no-progress", default=None, help="Default: on a terminal only.")
@click.option("--dry-run", is_flag=True, help="Only say what there is to do, and its cost.")
def build(
    store: Path,
    profile: str | None,
    names: tuple[str, ...],
    setfl: Path | None,
    limit: int | None,
    cluster: str,
    workers: int | None,
    progress: bool | None,
    dry_run: bool,
) -> int:
    """Compute the structures that STORE lacks, and seal its dataset.

    The same command resumes after any interruption. More structures or glasses extend the store;
    without --system, the glasses are those of the store, or all.

    \b
    Examples:
      glassdata build demo.store
      glassdata build big.store --profile reference --system amc --system sic --limit 50
      glassdata build big.store --profile reference --dry-run
      glassdata build big.store --profile paper --cluster tcp://login1:8786
    """
    from glassdata import engine

    profile, names = _what_to_build(store, profile, names, setfl)
    source = engine.source_with(setfl)
    if dry_run:
        return _dry_run(store, profile, names, limit, source)
    outcome = engine.build(
        store,
        profile=profile,
        names=names,
        limit=limit,
        workers=workers,
        cluster=cluster,
        progress=progress,
        source=source,
    )
    return _report(store, outcome)


def _what_to_build(
    store: Path, profile: str | None, names: tuple[str, ...], setfl: Path | None
) -> tuple[str, tuple[str, ...]]:
    from glassdata.store import read_config

    known_systems(names, setfl)
    if (profile is None or not names) and (store / "config.json").exists():
        config = read_config(store)
        profile, names = profile or config.profile, names or tuple(config.systems)
        known_systems(names, setfl)
    return profile or PROFILES[0], names or tuple(known_systems((), setfl))


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


def _report(store: Path, outcome) -> int:
    from glassdata.store import progress

    state = progress(store)
    lines = [
        (name, state[name].ok, state[name].failed, state[name].missing) for name in outcome.goal
    ]
    click.echo(table(("system", "ok", "failed", "missing"), lines))
    for receipt in outcome.receipts:
        if receipt.failed:
            click.echo(f"failed row {receipt.system} {receipt.index}: {receipt.reason}", err=True)
    for problem in outcome.problems[:10]:
        click.echo(f"not done: {problem}", err=True)
    if not outcome.complete:
        lost = f"{len(outcome.lost)} rows are missing" if outcome.lost else "rows disagree"
        click.echo(
            f"glassdata: error: {lost}, the dataset was not sealed; "
            "the same command tries them again",
            err=True,
        )
        return 1
    click.echo(f"{store} is complete: {len(outcome.receipts)} rows computed now")
    return 0


@click.command()
@path_argument("store")
def info(store: Path) -> None:
    """Show what STORE holds, also while it is being built.

    \b
    Example:
      glassdata info demo.store
    """
    from glassdata.store import progress, read_config
    from glassdata.store.files import read_record
    from glassdata.store.manifest import dataset_digest

    state, config = progress(store), read_config(store)
    click.echo(f"{store}: profile {config.profile}")
    header = ("system", "ok", "failed", "missing", "asked", "sealed")
    lines = [(n, s.ok, s.failed, s.missing, s.asked, s.sealed) for n, s in state.items()]
    click.echo(table(header, lines))
    digest = dataset_digest(store)
    click.echo(f"dataset sha256: {digest}" if digest else "dataset: not sealed yet")
    circumstances = store / "provenance" / "seal.json"
    if digest and circumstances.exists():
        facts = read_record(circumstances)
        versions = " ".join(f"{name}={v}" for name, v in facts["versions"].items())
        commit = f" at commit {facts['commit']}" if facts.get("commit") else ""
        click.echo(f"sealed {facts['sealed']}{commit} with {versions}")


@click.command()
@path_argument("store")
@click.option("--recompute", type=click.IntRange(min=1), metavar="K", help="Rows to compute again.")
@click.option("--seed", type=int, help="Choose the same rows again.")
@click.option("--workers", type=click.IntRange(min=1), help="Local processes. Default: all cores.")
@setfl_option()
def verify(
    store: Path,
    recompute: int | None,
    seed: int | None,
    workers: int | None,
    setfl: Path | None,
) -> int:
    """Check every file of STORE, and K random rows by computing them again.

    Names each damaged, missing or stray file. STORE may also be a packed dataset (.zip).

    \b
    Examples:
      glassdata verify demo.store
      glassdata verify demo.store --recompute 4
    """
    from glassdata.store import verify as check

    if not store.exists():
        raise click.UsageError(f"{store} does not exist")
    findings = check(store)
    for finding in findings:
        click.echo(str(finding))
    bad = len(findings)
    if recompute:
        bad += _recompute(store, recompute, seed, workers, setfl)
    if bad:
        click.echo(f"glassdata: error: {store}: {bad} checks failed", err=True)
        return 1
    click.echo(f"{store}: no damage found")
    return 0


def _recompute(
    store: Path, count: int, seed: int | None, workers: int | None, setfl: Path | None
) -> int:
    import secrets

    import numpy as np

    from glassdata import engine
    from glassdata.store import read_config
    from glassdata.store.rows import present
    from glassdata.worker import TOLERANCE

    if store.is_file():
        raise click.UsageError("--recompute needs a store with its rows, not a packed dataset")
    names = sorted(read_config(store).systems)
    known_systems(names, setfl)
    rows = [(n, i) for n in names for i in sorted(present(store, n))]
    if not rows:
        raise click.UsageError(f"{store} has no rows to recompute")
    seed = secrets.randbits(32) if seed is None else seed
    chosen = np.random.default_rng(seed).permutation(len(rows))[:count]
    click.echo(f"recomputing {len(chosen)} of {len(rows)} rows, --seed {seed}")
    receipts, problems = engine.recompute(
        store, [rows[n] for n in chosen], workers=workers, source=engine.source_with(setfl)
    )
    for receipt in receipts:
        click.echo(f"{receipt.system} {receipt.index}: {receipt.outcome} {receipt.reason}".strip())
    if any(receipt.outcome == "close" for receipt in receipts):
        click.echo(f"close means within {TOLERANCE:g}, as expected of another processor type")
    for problem in problems:
        click.echo(f"not the same: {problem}", err=True)
    return len(problems)


@click.command()
@path_argument("store")
@click.option("--workers", type=click.IntRange(min=1), help="Local processes. Default: all cores.")
@setfl_option()
def repair(store: Path, workers: int | None, setfl: Path | None) -> int:
    """Recompute what `verify` finds bad in STORE, and seal it again.

    Bad and stray files are moved to STORE/quarantine, not deleted.

    \b
    Example:
      glassdata repair demo.store
    """
    from glassdata import engine
    from glassdata.store import read_config
    from glassdata.store import verify as check
    from glassdata.store.settings import existing
    from glassdata.store.verifying import set_aside

    # Without its configuration there is nothing to compute rows from.
    known_systems(read_config(existing(store)).systems, setfl)
    findings = check(store)
    if not findings:
        click.echo(f"{store}: nothing to repair")
        return 0
    rows = set_aside(store, findings)
    outcome = engine.repair(store, workers=workers, source=engine.source_with(setfl))
    for finding in findings:
        click.echo(f"repaired: {finding}")
    left = check(store)
    for finding in left:
        click.echo(f"still bad: {finding}", err=True)
    status = _report(store, outcome)
    click.echo(f"{len(rows)} rows were set aside and computed again")
    return 1 if left else status
