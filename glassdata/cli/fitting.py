"""The command ``fit``: a model from a dataset, or from a folder of one's own files."""

from pathlib import Path

import click

from glassdata.cli.choices import STDOUT, Place, check_suffix, check_writable, system_option
from glassdata.cli.formats import Reading, structure_options

_output = click.Path(path_type=Path, allow_dash=True)


class _ModelName(click.ParamType):
    """A name in ``glassdata.models.MODELS``; read when asked for, because that takes a second."""

    name = "model"

    def choice(self) -> click.Choice:
        from glassdata.models import MODELS

        return click.Choice([name.replace("_", "-") for name in MODELS])

    def convert(self, value, param, ctx):
        return self.choice().convert(value, param, ctx).replace("-", "_")

    def get_metavar(self, param, ctx=None):
        return f"[{'|'.join(self.choice().choices)}]"


@click.command()
@click.argument("source", type=Place(), required=False)
@system_option(multiple=False, required=False)
@click.option(
    "--model", type=_ModelName(), default="ridge", show_default=True, help="Kind of model."
)
@click.option(
    "--calculator",
    metavar="PATH[:ARGS]",
    help="For a folder of structures: any calculator of ASE, as for `glassdata spectrum`.",
)
@click.option(
    "--relax", is_flag=True, help="For a folder of structures: minimise the energy first."
)
@click.option(
    "--frequency-unit",
    type=click.Choice(["THz", "meV", "cm-1"]),
    default="THz",
    show_default=True,
    help="Of the spectra in a folder of pairs.",
)
@click.option("--density", type=float, help="Number density of measured samples in a folder.")
@structure_options
@click.option(
    "-o", "--output", type=_output, required=True, help="Model file to write, or - for stdout."
)
def fit(
    source: Path | None,
    name: str | None,
    model: str,
    calculator: str | None,
    relax: bool,
    frequency_unit: str,
    density: float | None,
    how: Reading,
    output: Path,
) -> None:
    """Fit a model from g(r) to the spectrum, on the structures of SOURCE.

    SOURCE is a sealed store, its dataset.zarr, or a .zip of that; the dataset that ships, if it is
    left out. Or it is a folder of your own files: structures, whose spectra are computed with the
    potential of --system or with --calculator; netCDF files of `glassdata spectrum`; or pairs,
    where every structure or measured g(r), such as a.xyz or a.gr, has its spectrum beside it in
    a.dos. What comes from one file is one family.

    The scores are those of structures held out with their whole family. The networks (cnn,
    residual) need PyTorch.

    \b
    Examples:
      glassdata fit demo.store --system amc --model ridge -o amc.npz
      glassdata fit my-structures --system sic_tersoff --relax -o mine.npz
      glassdata fit my-pairs --species Ge --frequency-unit meV -o ge.npz
    """
    from glassdata import models
    from glassdata.cli.folders import Files, files_of, is_folder, of_folder
    from glassdata.cli.outputs import deliver, provenance
    from glassdata.store.places import is_remote
    from glassdata.structures import dataset
    from glassdata.trained import train

    check_writable(output, inputs=[] if source is None else [source])
    check_suffix(output, ".npz")
    told: dict[str, object] = {"system": name, "model": model, "source": source}
    inputs = []
    if source is not None and is_folder(source):
        inputs = files_of(source)
        told |= {"calculator": calculator, "relax": relax or None, "density": density}
        told |= {"frequency_unit": frequency_unit} | how.told()
        files = Files(name, calculator, relax, frequency_unit, density, how)
        data = of_folder(source, files)
    elif source is not None and not is_remote(source) and not source.exists():
        raise click.UsageError(f"there is no folder or dataset {source}")
    elif name is None:
        raise click.UsageError("--system says which glass of the dataset is wanted")
    else:
        data = dataset(name, source)
    estimator = models.MODELS[model].make()
    if "progress" in estimator.get_params():
        estimator.set_params(progress=None)  # a bar on a terminal
    trained = train(data, model=model, estimator=estimator, about=provenance(inputs, told))
    deliver(output, trained.data)
    held_out, shown = trained.held_out, model.replace("_", "-")
    err = output == STDOUT
    click.echo(
        f"{shown} on {len(data)} structures of {data.system}: held-out R² {held_out.r2:.4f}, "
        f"MSE {held_out.mse:.3g} (training mean: {held_out.baseline_mse:.3g})",
        err=err,
    )
    if not trained.saved.promises:
        click.echo("these are too few for an interval: predictions will be called outside", err=err)
    if not err:
        click.echo(f"wrote {output}")
