"""Outputs of the command line: netCDF, CSV and pictures, each complete or absent."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from glassdata.bins import bin_centres
from glassdata.cli.choices import STDOUT
from glassdata.files import replace
from glassdata.schema import VARIABLES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from glassdata.system import System

Row = dict[str, np.ndarray]


def deliver(path: Path, data: bytes) -> None:
    """Write an output to its file, or to standard output.

    Raises
    ------
    click.UsageError
        If binary data would go to a terminal.
    """
    if path != STDOUT:
        replace(path, data)
        return
    if sys.stdout.isatty() and not data.isascii():
        raise click.UsageError("this file is no text for a terminal; use a name, or a pipe")
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def write_rows(path: Path, rows: list[Row], system: "System") -> None:
    """Write described structures as netCDF, with the variables of the dataset.

    Parameters
    ----------
    path : Path
        File to write, or ``STDOUT``.
    rows : list[Row]
        Variables of each structure by name, as ``describe_all`` gives them.
    system : System
        The glass that the structures are of.
    """
    import xarray as xr

    variables = {}
    for name in (name for name in VARIABLES if name in rows[0]):
        schema = VARIABLES[name]
        join = np.concatenate if schema.ragged else np.stack
        values = join([np.asarray(row[name], schema.dtype) for row in rows])
        units = schema.units_in(system.dim)
        variables[name] = (schema.dims, values, {"units": units, "long_name": schema.long_name})
    r, omega = system.r_edges, system.omega_edges
    coordinates: dict[str, tuple] = {
        "r": ("r", bin_centres(r), {"units": "angstrom"}),
        "omega": ("omega", bin_centres(omega), {"units": "THz"}),
    }
    if "partial_g" in variables:
        coordinates["pair"] = ("pair", list(system.pairs), {})
    attributes = {"system": system.name, "references": system.reference, "Conventions": "CF-1.11"}
    dataset = xr.Dataset(variables, coordinates, attributes)
    deliver(path, bytes(dataset.to_netcdf(engine="scipy")))


def prediction_table(omega_edges: np.ndarray, Y: np.ndarray, error: np.ndarray) -> str:
    """CSV text: bin centre, one column per spectrum, held-out error.

    Parameters
    ----------
    omega_edges : ndarray
        Bin edges, (n_omega + 1,), THz.
    Y : ndarray
        Predicted spectra, (n, n_omega), 1/THz.
    error : ndarray
        Held-out error per bin, (n_omega,), 1/THz.
    """
    names = ["pdos_per_THz"] if len(Y) == 1 else [f"pdos_{n}_per_THz" for n in range(len(Y))]
    lines = [",".join(["omega_THz", *names, "error_per_THz"])]
    for omega, *values in zip(bin_centres(omega_edges), *Y, error, strict=True):
        lines.append(",".join([f"{omega:.6g}", *(f"{value:.6g}" for value in values)]))
    return "\n".join(lines) + "\n"


def plot_rows(path: Path, rows: list[Row], system: "System") -> None:
    """Draw g(r) and the spectrum of described structures, side by side.

    Parameters
    ----------
    path : Path
        File to write, or ``STDOUT``.
    rows : list[Row]
        Variables of each structure by name, as ``describe_all`` gives them.
    system : System
        The glass that the structures are of.
    """

    def draw(figure: "Figure") -> None:
        left, right = figure.subplots(1, 2)
        for number, row in enumerate(rows):
            left.plot(bin_centres(system.r_edges), row["g"], label=f"structure {number}")
            right.plot(bin_centres(system.omega_edges), row["pdos"])
        left.set(xlabel="r (Å)", ylabel="g(r)", title=system.title)
        right.set(xlabel="ω (THz)", ylabel="PDOS (1/THz)", ylim=(0, None))
        if 1 < len(rows) <= 8:
            left.legend()

    _draw(path, (9, 3.5), draw)


def plot_prediction(
    path: Path, omega_edges: np.ndarray, Y: np.ndarray, error: np.ndarray, name: str
) -> None:
    """Draw predicted spectra with their held-out error.

    Parameters
    ----------
    path : Path
        File to write, or ``STDOUT``.
    omega_edges : ndarray
        Bin edges, (n_omega + 1,), THz.
    Y : ndarray
        Predicted spectra, (n, n_omega), 1/THz.
    error : ndarray
        Held-out error per bin, (n_omega,), 1/THz.
    name : str
        Name of the glass, for the title.
    """

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        omega = bin_centres(omega_edges)
        for spectrum in Y:
            (line,) = axes.plot(omega, spectrum)
            axes.fill_between(
                omega, spectrum - error, spectrum + error, color=line.get_color(), alpha=0.25
            )
        axes.set(xlabel="ω (THz)", ylabel="PDOS (1/THz)", title=f"predicted, {name}")

    _draw(path, (5, 3.5), draw)


def _draw(path: Path, size: tuple[float, float], draw: "Callable[[Figure], None]") -> None:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise click.ClickException("--plot needs matplotlib: pip install matplotlib") from None
    figure = Figure(figsize=size, layout="constrained")
    draw(figure)
    kind = "png" if path == STDOUT else path.suffix.lower().removeprefix(".")
    if kind not in figure.canvas.get_supported_filetypes():
        raise click.UsageError(f"{path}: matplotlib cannot write this kind of picture; use .png")
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=150)
    deliver(path, buffer.getvalue())
