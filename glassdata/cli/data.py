"""Commands about datasets: systems, info, verify, repair."""

from pathlib import Path

import click

from glassdata.cli.building import report
from glassdata.cli.choices import (
    known_systems,
    path_argument,
    refuse_web,
    table,
)
from glassdata.cli.execution import accept_changed_code, execution_options


@click.command()
@click.option(
    "--add",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Keep a copy of a file of a potential, of structures or of a measurement, for all later "
    "commands.",
)
def systems(add: Path | None) -> None:
    """List the glasses: potential, protocol, bins.

    \b
    Examples:
      glassdata systems
      glassdata systems --add ~/Downloads/ZrCuAl2011.eam.alloy
    """
    from glassdata.systems import SYSTEMS

    if add is not None:
        click.echo(f"kept {_keep(add)}")

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


def _keep(file: Path) -> Path:
    """Copy a file to where the glasses look for it."""
    from glassdata.files import replace
    from glassdata.given import GivenFile
    from glassdata.learned import NEP89
    from glassdata.measured.dft import GLASSBENCH
    from glassdata.measured.silicon import SILICON
    from glassdata.systems import SYSTEMS

    parts = [p for s in SYSTEMS.values() for p in (s.potential, *s.protocols.values())]
    parts += [SILICON, GLASSBENCH, NEP89]
    known = {part.file: part for part in parts if isinstance(part, GivenFile)}
    if file.name not in known:
        raise click.UsageError(f"no glass needs a file {file.name}; known: {', '.join(known)}")
    needed = known[file.name]
    if needed.is_here and needed.path.samefile(file):
        return needed.path
    try:
        content = needed.published(file)
    except (FileNotFoundError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    replace(needed.path, content)
    return needed.path


@click.command()
@path_argument("store")
def info(store: Path) -> None:
    """Show what STORE holds, also while it is being built.

    \b
    Example:
      glassdata info demo.store
    """
    from glassdata.store import progress, read_config
    from glassdata.store.losses import grouped, losses
    from glassdata.store.manifest import dataset_digest
    from glassdata.store.settings import CONFIG
    from glassdata.store.web import check_web_file

    check_web_file(store / CONFIG)
    state, config = progress(store), read_config(store)
    click.echo(f"{store}: profile {config.profile}")
    header = ("system", "ok", "failed", "missing", "asked", "sealed")
    lines = [(n, s.ok, s.failed, s.missing, s.asked, s.sealed) for n, s in state.items()]
    click.echo(table(header, lines))
    digest = dataset_digest(store)
    click.echo(f"dataset sha256: {digest}" if digest else "dataset: not sealed yet")
    for line in grouped({row: why for s in state.values() for row, why in s.reasons.items()}):
        click.echo(line)
    for (name, index), reason in losses(store).items():
        click.echo(f"missing row {name} {index}: {reason}")
    circumstances = store / "provenance" / "seal.json"
    if digest and circumstances.exists():
        click.echo(_seal_facts(circumstances))


def _seal_facts(path: Path) -> str:
    from glassdata.store import DamageError
    from glassdata.store.records import read_record

    try:
        facts = read_record(path)
        versions = " ".join(f"{name}={v}" for name, v in facts["versions"].items())
        commit = f" at commit {facts['commit']}" if facts.get("commit") else ""
        made = "".join(f"\n{_maker(maker)}" for maker in facts.get("made_by", ()))
        return f"sealed {facts['sealed']}{commit} with {versions}{made}"
    except (DamageError, KeyError, AttributeError, TypeError):
        return f"when and with what it was sealed cannot be read: {path} is damaged"


def _maker(maker: dict) -> str:
    versions = " ".join(f"{name}={v}" for name, v in maker["versions"].items())
    code = f", code {maker['code']}" if maker["code"] else ""
    return f"{maker['rows']} rows made with {versions or 'versions that nobody knows'}{code}"


@click.command()
@path_argument("store")
@click.option("--recompute", type=click.IntRange(min=1), metavar="K", help="Rows to compute again.")
@click.option("--seed", type=int, help="Choose the same rows again.")
@execution_options
def verify(
    store: Path,
    recompute: int | None,
    seed: int | None,
    execution: dict,
) -> int:
    """Check every file of STORE, and K random rows by computing them again.

    Names each damaged, missing or stray file. STORE may also be a packed dataset (.zip), the packed
    results of an experiment, or a folder of results.

    \b
    Examples:
      glassdata verify demo.store
      glassdata verify demo.store --recompute 4
      glassdata verify book/data/reference.zarr.zip --recompute 8
      glassdata verify _build/results
    """
    from glassdata import results
    from glassdata.store import verify as check

    refuse_web(store)
    if not store.exists():
        raise click.UsageError(f"{store} does not exist")
    findings = results.verify(store) if results.holds_results(store) else check(store)
    for finding in findings:
        click.echo(str(finding))
    bad = len(findings)
    if recompute:
        bad += _recompute(store, recompute, seed, execution)
    if bad:
        click.echo(f"glassdata: error: {store}: {bad} checks failed", err=True)
        return 1
    click.echo(f"{store}: no damage found")
    return 0


def _recompute(store: Path, count: int, seed: int | None, execution: dict) -> int:
    import secrets

    import numpy as np

    from glassdata import engine
    from glassdata.store import recorded
    from glassdata.systems import available
    from glassdata.worker import TOLERANCE

    found = recorded(store)[1]
    known_systems(found)
    left_out = sorted(found.keys() - available().keys())
    rows = [(n, i) for n in sorted(found.keys() - set(left_out)) for i in found[n]]
    missing = (
        f", except for {', '.join(left_out)}, whose potential file is missing" if left_out else ""
    )
    if not rows:
        raise click.UsageError(f"{store} has no rows to recompute{missing}")
    seed = secrets.randbits(32) if seed is None else seed
    chosen = np.random.default_rng(seed).permutation(len(rows))[:count]
    click.echo(f"recomputing {len(chosen)} of {len(rows)} rows{missing}, --seed {seed}")
    receipts, problems = engine.recompute(
        store, [rows[n] for n in chosen], source=engine.source_of(), **execution
    )
    for receipt in receipts:
        click.echo(f"{receipt.system} {receipt.index}: {receipt.outcome} {receipt.reason}".strip())
    if any(receipt.outcome == "close" for receipt in receipts):
        click.echo(f"close means within {TOLERANCE:g}, as expected of another processor type")
    if any(receipt.outcome == "outdated" for receipt in receipts):
        click.echo("outdated means: made by an older version, which this one cannot repeat")
    for problem in problems:
        click.echo(f"not the same: {problem}", err=True)
    return len(problems)


@click.command()
@path_argument("store")
@accept_changed_code
@execution_options
def repair(store: Path, accept_changed_code: bool, execution: dict) -> int:
    """Recompute what `verify` finds bad in STORE, and seal it again.

    Bad and stray files are moved to STORE/quarantine, not deleted. A STORE that is not sealed yet
    stays so: the build goes on with `build`.

    \b
    Example:
      glassdata repair demo.store
    """
    from glassdata import engine
    from glassdata.store import read_config
    from glassdata.store import verify as check
    from glassdata.store.settings import existing
    from glassdata.store.verifying import set_aside

    refuse_web(store)
    # Without its configuration there is nothing to compute rows from.
    known_systems(read_config(existing(store)).systems)
    findings = check(store)
    if not findings:
        click.echo(f"{store}: nothing to repair")
        return 0
    rows = set_aside(store, findings)
    outcome = engine.repair(
        store, rows, accept_changed_code=accept_changed_code, source=engine.source_of(), **execution
    )
    for finding in findings:
        click.echo(f"repaired: {finding}")
    left = check(store)
    for finding in left:
        click.echo(f"still bad: {finding}", err=True)
    status = report(store, outcome, execution, failures_are_expected=True)
    click.echo(f"{len(rows)} rows were set aside, {len(outcome.receipts)} computed")
    return 1 if left else status
