"""Outputs of the command line: netCDF, CSV and pictures, each complete or absent."""

import hashlib
import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from glassdata.bins import bin_centres
from glassdata.cli.choices import STDOUT
from glassdata.files import replace
from glassdata.schema import VARIABLES

if TYPE_CHECKING:
    from ase import Atoms
    from matplotlib.figure import Figure

    from glassdata.cli.calculators import Setting
    from glassdata.system import System

Row = dict[str, np.ndarray]
#: What stands in every output beside its data.
_MADE_OF = ("glassdata_version", "input", "input_sha256")
#: Where kinds of pictures have room for it.
_REMARK = {"png": "Description", "svg": "Description", "pdf": "Subject"}


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


def check_picture(path: Path | None) -> None:
    """Refuse a kind of picture that cannot be drawn, before anything is computed.

    Raises
    ------
    click.UsageError
        Naming the file.
    click.ClickException
        If there is no matplotlib.
    """
    if path is None:
        return
    kind = "png" if path == STDOUT else path.suffix.lower().removeprefix(".")
    if kind not in _new_figure((1, 1)).canvas.get_supported_filetypes():
        raise click.UsageError(f"{path}: matplotlib cannot write this kind of picture; use .png")


def provenance(inputs: Iterable[Path], settings: Mapping[str, object]) -> dict[str, str]:
    """What made an output: version, names and sha256 of the inputs, and settings, as text.

    Parameters
    ----------
    inputs : iterable of Path
        Files that were read; standard input has no hash.
    settings : mapping
        Plain data; what is None is left out.
    """
    import glassdata

    names = ["standard input" if path == STDOUT else path.name for path in inputs]
    hashes = [
        "" if path == STDOUT else hashlib.sha256(path.read_bytes()).hexdigest() for path in inputs
    ]
    told = {name: value for name, value in settings.items() if value is not None}
    return {
        "glassdata_version": glassdata.__version__,
        "input": ", ".join(names),
        "input_sha256": ", ".join(hashes),
        "settings": json.dumps(told, default=str, sort_keys=True, ensure_ascii=False),
    }


def write_rows(
    path: Path,
    rows: list[Row],
    system: "System | Setting",
    *,
    masses: Iterable[np.ndarray] = (),
    attributes: Mapping[str, str] | None = None,
) -> None:
    """Write described structures as netCDF, with the variables of the dataset.

    Parameters
    ----------
    path : Path
        File to write, or ``STDOUT``.
    rows : list[Row]
        Variables of each structure by name, as ``describe_all`` gives them.
    system : System or Setting
        The glass that the structures are of.
    masses : iterable of (N,) arrays, u
        Of the atoms of each structure.
    attributes : mapping
        What :func:`provenance` says.
    """
    import xarray as xr

    variables = {}
    for name in (name for name in VARIABLES if name in rows[0]):
        schema = VARIABLES[name]
        join = np.concatenate if schema.ragged else np.stack
        # In double precision, unlike the dataset: the file of one structure is small.
        dtype = "f8" if schema.dtype == "f4" else schema.dtype
        values = join([np.asarray(row[name], dtype) for row in rows])
        units = schema.units_in(system.dim)
        variables[name] = (schema.dims, values, {"units": units, "long_name": schema.long_name})
    if weighed := list(masses):
        about = {"units": "u", "long_name": "atomic masses"}
        variables["mass"] = (("atom",), np.concatenate(weighed), about)
    for name in ("g", "pdos") if len(rows) > 1 else ():
        dims, values, about = variables[name]
        about = about | {"long_name": f"mean over the structures: {about['long_name']}"}
        variables[f"mean_{name}"] = (dims[1:], values.mean(axis=0), about)
    r, omega = system.r_edges, system.omega_edges
    coordinates: dict[str, tuple] = {
        "r": ("r", bin_centres(r), {"units": "angstrom"}),
        "omega": ("omega", bin_centres(omega), {"units": "THz"}),
        "r_edges": ("r_edge", r, {"units": "angstrom"}),
        "omega_edges": ("omega_edge", omega, {"units": "THz"}),
    }
    if "partial_g" in variables:
        coordinates["pair"] = ("pair", list(system.pairs), {})
    said = {"system": system.name, "references": system.reference, "Conventions": "CF-1.11"}
    dataset = xr.Dataset(variables, coordinates, said | dict(attributes or {}))
    deliver(path, bytes(dataset.to_netcdf(engine="scipy")))


def write_structures(
    path: Path, rows: list[Row], frames: "list[Atoms]", attributes: Mapping[str, str] | None = None
) -> None:
    """Write structures as extended xyz: the described positions and cells, and masses.

    Parameters
    ----------
    path : Path
        File to write, or ``STDOUT``.
    rows : list[Row]
        As ``describe_all`` gives them.
    frames : list of Atoms
        The structures that were read, for what a row does not hold.
    attributes : mapping
        What :func:`provenance` says; settings would be taken for data by readers of this format.
    """
    from ase import Atoms
    from ase.io import write

    finished = []
    for row, frame in zip(rows, frames, strict=True):
        atoms = Atoms(row["number"], row["position"], cell=row["cell"], pbc=frame.pbc)
        atoms.info = {"energy_per_atom": float(row["energy"]), "max_force": float(row["max_force"])}
        atoms.info |= {k: v for k, v in (attributes or {}).items() if k in _MADE_OF}
        if frame.has("masses"):
            atoms.set_masses(frame.get_masses())
        finished.append(atoms)
    columns = ["symbols", "positions"] + ["masses"] * all(frame.has("masses") for frame in frames)
    stream = io.StringIO()
    write(stream, finished, format="extxyz", columns=columns)
    deliver(path, stream.getvalue().encode())


def prediction_table(
    omega_edges: np.ndarray,
    Y: np.ndarray,
    error: np.ndarray,
    notes: Mapping[str, str] | None = None,
) -> str:
    """CSV text: bin centre, and each spectrum with half of its interval; then comments.

    The comments come last, so that the first line names the columns.

    Parameters
    ----------
    omega_edges : ndarray
        Bin edges, (n_omega + 1,), THz.
    Y : ndarray
        Predicted spectra, (n, n_omega), 1/THz.
    error : ndarray
        Half of the interval, (n, n_omega), 1/THz; NaN where none can be promised.
    notes : mapping
        Lines of comment, by name.
    """
    marks = [""] if len(Y) == 1 else [f"_{number}" for number in range(len(Y))]
    names = [f"{what}{mark}_per_THz" for mark in marks for what in ("pdos", "error")]
    columns = np.stack([Y, error], axis=1).reshape(2 * len(Y), -1)
    lines = [",".join(["omega_THz", *names])]
    for omega, *values in zip(bin_centres(omega_edges), *columns, strict=True):
        lines.append(",".join([f"{omega:.6g}", *(f"{value:.6g}" for value in values)]))
    lines += [f"# {name}: {text}" for name, text in (notes or {}).items()]
    return "\n".join(lines) + "\n"


def plot_rows(
    path: Path,
    rows: list[Row],
    system: "System | Setting",
    attributes: Mapping[str, str] | None = None,
) -> None:
    """Draw g(r) and the spectrum of described structures, side by side.

    Parameters
    ----------
    path : Path
        File to write, or ``STDOUT``.
    rows : list[Row]
        Variables of each structure by name, as ``describe_all`` gives them.
    system : System
        The glass that the structures are of.
    attributes : mapping
        What :func:`provenance` says.
    """

    def draw(figure: "Figure") -> None:
        left, right = figure.subplots(1, 2)
        for number, row in enumerate(rows):
            left.plot(bin_centres(system.r_edges), row["g"], label=f"structure {number}")
            right.plot(bin_centres(system.omega_edges), row["pdos"])
        left.set(xlabel="r (Å)", ylabel="g(r)", title=system.title)
        right.set(xlabel="frequency ν (THz)", ylabel="PDOS (1/THz)", ylim=(0, None))
        if 1 < len(rows) <= 8:
            left.legend()

    _draw(path, (9, 3.5), draw, attributes)


def plot_prediction(
    path: Path,
    omega_edges: np.ndarray,
    Y: np.ndarray,
    error: np.ndarray,
    name: str,
    attributes: Mapping[str, str] | None = None,
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
        Half of the interval, (n, n_omega), 1/THz; NaN where none can be promised.
    name : str
        Name of the glass, for the title.
    attributes : mapping
        What :func:`provenance` says.
    """

    def draw(figure: "Figure") -> None:
        axes = figure.subplots()
        omega = bin_centres(omega_edges)
        for spectrum, half in zip(Y, error, strict=True):
            outside = bool(np.isnan(half).any())
            (line,) = axes.plot(omega, spectrum, "--" if outside else "-")
            if outside:
                line.set_label("outside the training set: no interval")
                continue
            low, high = np.clip(spectrum - half, 0, None), spectrum + half
            axes.fill_between(omega, low, high, color=line.get_color(), alpha=0.25, lw=0)
        if np.isnan(error).any():
            axes.legend(fontsize="small")
        axes.set(xlabel="frequency ν (THz)", ylabel="PDOS (1/THz)", title=f"predicted, {name}")

    _draw(path, (5, 3.5), draw, attributes)


def _new_figure(size: tuple[float, float]) -> "Figure":
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise click.ClickException("--plot needs matplotlib: pip install matplotlib") from None
    return Figure(figsize=size, layout="constrained")


def _draw(
    path: Path,
    size: tuple[float, float],
    draw: "Callable[[Figure], None]",
    attributes: Mapping[str, str] | None,
) -> None:
    check_picture(path)
    figure = _new_figure(size)
    draw(figure)
    kind = "png" if path == STDOUT else path.suffix.lower().removeprefix(".")
    buffer = io.BytesIO()
    remark = {_REMARK[kind]: json.dumps(attributes)} if attributes and kind in _REMARK else None
    figure.savefig(buffer, format=kind, dpi=150, metadata=remark)
    deliver(path, buffer.getvalue())
