"""Commands about your own glass: spectrum, fit, predict."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glassdata.cli.choices import (
    STDOUT,
    check_writable,
    known_systems,
    path_argument,
    system_option,
    table,
)

if TYPE_CHECKING:
    import numpy as np

    from glassdata.system import System

#: Largest force that still counts as a minimum, eV/Å.
MINIMISED = 0.01
#: Share of atoms at distances where bonds are switched off, above which there is a warning.
PINNED = 0.1
#: With fewer families, none can be held out.
FEWEST_FAMILIES = 2

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
@path_argument("file")
@system_option(multiple=False)
@click.option("--relax", is_flag=True, help="Minimise the energy first, in the given cell.")
@click.option("-o", "--output", type=_output, help="netCDF file to write; - for stdout.")
@click.option(
    "--plot",
    type=_output,
    help="Picture of g(r) and spectrum to write; - for stdout.",
)
def spectrum(
    file: Path,
    name: str,
    relax: bool,
    output: Path | None,
    plot: Path | None,
) -> None:
    """Compute g(r) and the vibrational spectrum of the structures in FILE.

    FILE may have any format that ASE reads. Potential and bins are those of the system.

    \b
    Examples:
      glassdata spectrum glass.xyz --system sic --relax
      glassdata spectrum run.lammpstrj --system amc -o run.nc --plot run.png
    """
    from glassdata.cli.inputs import describe_all, read_structures

    system = known_systems([name])[name]
    check_writable(output, plot, inputs=[file])
    err = STDOUT in (output, plot)
    frames = read_structures(file, system.species, f"the system {name}")
    rows = describe_all(frames, system, relaxed=relax)
    click.echo(_summary(rows, system.dim), err=err)
    for number, row in enumerate(rows):
        _warn(number, row, system, frames[number].pbc)
    if output:
        from glassdata.cli.outputs import write_rows

        write_rows(output, rows, system)
        _tell(output, err=err)
    if plot:
        from glassdata.cli.outputs import plot_rows

        plot_rows(plot, rows, system)
        _tell(plot, err=err)


def _tell(path: Path, *, err: bool) -> None:
    """Say that a file was written; on standard error where standard output is one of the files."""
    if path != STDOUT:
        click.echo(f"wrote {path}", err=err)


def _summary(rows: list, dim: int) -> str:
    header = (
        "structure",
        "atoms",
        f"density/Å^-{dim}",
        "max force/(eV/Å)",
        "imaginary",
        "overflow",
    )
    lines = [
        (
            number,
            int(row["n_atoms"]),
            f"{float(row['density']):.5f}",
            f"{float(row['max_force']):.2g}",
            int(row["n_imaginary"]),
            f"{float(row['overflow']):.2%}",
        )
        for number, row in enumerate(rows)
    ]
    return table(header, lines)


def _warn(number: int, row: dict, system: "System", pbc: "np.ndarray") -> None:
    """Warn of everything that makes the spectrum differ from that of a solid at rest."""
    for text in _doubts(row, system, pbc):
        click.echo(f"glassdata: warning: structure {number} {text}", err=True)


def _doubts(row: dict, system: "System", pbc: "np.ndarray") -> Iterator[str]:
    force, imaginary = float(row["max_force"]), int(row["n_imaginary"])
    if force > MINIMISED or imaginary:
        reason = f"the largest force is {force:.2g} eV/Å"
        if force <= MINIMISED:
            reason = f"{imaginary} modes are imaginary"
        yield (
            f"is not at a minimum ({reason}): its spectrum is not that of a solid at rest; "
            "--relax minimises it"
        )
    if int(row["n_false_pairs"]):
        from ase import Atoms

        from glassdata.potentials.flaws import false_pairs

        atoms = Atoms(row["number"], row["position"], cell=row["cell"], pbc=pbc)
        yield f"holds a false minimum of the potential: {false_pairs(atoms, system.potential)[0]}"
    if float(row["pinned_fraction"]) > PINNED:
        yield (
            f"has {float(row['pinned_fraction']):.0%} of its atoms where the potential is switched "
            "off: modes there belong to the cut-off, not to the substance"
        )


@click.command()
@path_argument("store")
@system_option(multiple=False)
@click.option("--model", type=_ModelName(), default="ridge", show_default=True)
@click.option(
    "-o", "--output", type=_output, required=True, help="Model file to write, or - for stdout."
)
def fit(store: Path, name: str, model: str, output: Path) -> None:
    """Fit a model from g(r) to the spectrum, on the structures of STORE.

    STORE is a sealed store, its dataset.zarr, or a .zip of that. The scores are those of
    structures held out with their whole family. The networks (cnn, residual) need PyTorch.

    \b
    Example:
      glassdata fit demo.store --system amc --model ridge -o amc.npz
    """
    import numpy as np

    from glassdata import models
    from glassdata.cli.outputs import deliver
    from glassdata.evaluation import cross_validate, fit_grouped
    from glassdata.structures import dataset

    check_writable(output, inputs=[store])
    data = dataset(name, store)
    families = len(np.unique(data.groups))
    if families < FEWEST_FAMILIES:
        raise click.UsageError(
            f"{store} has {families} independent family of {name}; a fit needs {FEWEST_FAMILIES}"
        )
    estimator = models.MODELS[model].make()
    if "progress" in estimator.get_params():
        estimator.set_params(progress=None)  # a bar on a terminal
    folds = min(5, families)
    held_out = cross_validate(estimator, data.X, data.Y, data.groups, n_splits=folds)
    fit_grouped(estimator, data.X, data.Y, data.groups)
    scores = {"r2": held_out.r2, "mse": held_out.mse, "baseline_mse": held_out.baseline_mse}
    error = held_out.error_by_bin.tolist()
    meta = data.meta() | {"model": model, "scores": scores, "error": error}
    deliver(output, models.encode(estimator, meta, X=data.X)[0])
    shown = model.replace("_", "-")
    click.echo(
        f"{shown} on {len(data)} structures of {name}: held-out R² {held_out.r2:.4f}, "
        f"MSE {held_out.mse:.3g} (training mean: {held_out.baseline_mse:.3g})",
        err=output == STDOUT,
    )
    _tell(output, err=output == STDOUT)


@click.command()
@path_argument("model")
@path_argument("file")
@click.option(
    "-o", "--output", type=_output, default=STDOUT, help="CSV file; the default, -, is stdout."
)
@click.option("--plot", type=_output, help="Picture of the prediction to write.")
def predict(model: Path, file: Path, output: Path, plot: Path | None) -> None:
    """Predict the spectrum of FILE with a MODEL that `glassdata fit` wrote.

    FILE is a structure in any format that ASE reads, or a measured g(r) (.gr, .csv: columns r in
    Å and g). The error is the root mean square of held-out structures of the training set.

    \b
    Examples:
      glassdata predict amc.npz glass.xyz -o glass.csv
      glassdata predict amc.npz measured.gr --plot measured.png
    """
    import numpy as np

    from glassdata import models
    from glassdata.cli.inputs import CURVES, read_curve, read_structures
    from glassdata.cli.outputs import deliver, plot_prediction, prediction_table
    from glassdata.radial import rdf

    check_writable(output, plot, inputs=[model, file])
    if not model.is_file():
        raise click.UsageError(f"there is no model file {model}; `glassdata fit` makes one")
    fitted, meta = models.load(model)
    edges, omega_edges, error, species, dim, name = _needed(model, meta)
    if file.suffix.lower() in CURVES:
        X = read_curve(file, edges)[None]
    else:
        frames = read_structures(file, species, f"the model of {name}")
        X = np.array([rdf(atoms, edges, dim=dim) for atoms in frames])
    Y = fitted.predict(X)
    for number, distance in enumerate(fitted.novelty(X)):
        if distance > 1:
            click.echo(
                f"glassdata: warning: g(r) {number} is {distance:.1f} times as far from the "
                "training set as its outermost structures; the stated error does not hold there",
                err=True,
            )
    deliver(output, prediction_table(omega_edges, Y, error).encode())
    _tell(output, err=False)
    if plot:
        plot_prediction(plot, omega_edges, Y, error, name)
        _tell(plot, err=True)


def _needed(path: Path, meta: dict) -> tuple:
    import numpy as np

    try:
        omega_edges = np.asarray(meta["omega_edges"], float)
        error = np.asarray(meta["error"], float)
        if error.shape != (len(omega_edges) - 1,):
            raise ValueError("error")
        edges = np.asarray(meta["r_edges"], float)
        return edges, omega_edges, error, tuple(meta["species"]), int(meta["dim"]), meta["system"]
    except (KeyError, TypeError, ValueError) as missing:
        raise click.UsageError(f"{path} was not written by `glassdata fit` ({missing})") from None
