"""The command for the book's long computations."""

from functools import partial
from pathlib import Path

import click

from glassdata.cli.choices import STDOUT, store_option
from glassdata.cli.execution import execution_options

NAMES: tuple[str, ...] = ("line-vs-cnn", "weights", "referee", "glasses", "why", "elsewhere")
NAMES += ("coverage", "observables", "beyond", "descriptors", "driven", "potentials")
NAMES += ("sevennet", "propensity", "motion")


@click.command()
@click.argument("name", type=click.Choice(NAMES))
@store_option("Sealed store, its dataset.zarr, or a .zip of that. Default: the reference dataset.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("_build/results"),
    show_default=True,
    help="Folder of results.",
)
@partial(execution_options, rows=False)
def experiment(
    name: str,
    store: Path | None,
    output: Path,
    execution: dict,
) -> int:
    """Compute the results of experiment NAME, which the book's chapters read.

    The same command resumes after any interruption; other data start again. Networks are left out
    where PyTorch is missing.

    \b
    Example:
      glassdata experiment weights --store reference.store -o results
    """
    from glassdata.experiments import run

    if output == STDOUT:
        raise click.UsageError("results are a folder of files, which standard output cannot be")
    if output.exists() and not output.is_dir():
        raise click.UsageError(f"{output} is a file, not a folder")
    outcome = run(name, store, output, **execution)
    click.echo(f"{name}: {outcome.computed} of {outcome.results} results computed now")
    if outcome.left_out:
        click.echo(
            f"glassdata: warning: {len(outcome.left_out)} results of networks left out: "
            "PyTorch is missing (make cnn)",
            err=True,
        )
    for system, file in outcome.lacking.items():
        click.echo(
            f"glassdata: warning: {system} is left out: {file} is missing (see glassdata systems)",
            err=True,
        )
    for finding in outcome.damaged:
        click.echo(f"glassdata: warning: {output / str(finding)}; it is made again", err=True)
    for problem in outcome.problems:
        click.echo(f"glassdata: {problem}", err=True)
    if outcome.archive is None:
        click.echo("incomplete; the same command computes what is missing", err=True)
        return 1
    click.echo(f"wrote {outcome.archive}")
    return 0
