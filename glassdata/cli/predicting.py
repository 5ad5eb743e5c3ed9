"""The command ``predict``: from a structure or a measurement to a spectrum with its interval."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glassdata.cli.choices import (
    STDOUT,
    check_suffix,
    check_writable,
    files_argument,
    local,
    system_option,
)
from glassdata.cli.formats import Reading, is_curve, structure_options

if TYPE_CHECKING:
    import numpy as np

    from glassdata.measured import Asked
    from glassdata.models import SavedModel

#: Distance of nearest neighbours over the distance below which no pair was found in training.
_NEAREST = 1.15
#: Files that are needed where the first of them is the model.
_PAIR = 2
_output = click.Path(path_type=Path, allow_dash=True)


@dataclass(frozen=True)
class _Known:
    """A model with what it needs of its inputs; and the name of a glass to train it again for."""

    saved: "SavedModel"
    meta: dict[str, Any]
    system: str | None

    @property
    def omega_edges(self) -> "np.ndarray":
        import numpy as np

        return np.asarray(self.meta["omega_edges"], float)


@click.command()
@files_argument("[MODEL] FILE...")
@system_option(multiple=False, required=False)
@click.option("--model", type=click.Path(path_type=Path), help="Model file of `glassdata fit`.")
@click.option(
    "--kind",
    type=click.Choice(["g", "G", "S", "F", "T", "R"]),
    help="What a measured FILE holds: g(r), G(r), S(Q), F(Q), T(r) or R(r).",
)
@click.option("--density", type=float, help="Number density of the sample, 1/Å³ (1/Å² of sheets).")
@click.option("--q-max", type=float, help="Where the measurement ends, or ended before G(r), 1/Å.")
@click.option("--window", type=click.Choice(["lorch", "none"]), help="Window of the transform.")
@click.option(
    "--values",
    type=click.Choice(["points", "bins"]),
    help="Whether values of g belong to points, or are means over bins.",
)
@structure_options
@click.option(
    "--temperature",
    type=click.FloatRange(min=0.0, min_open=True),
    default=300.0,
    show_default=True,
    help="Of the heat capacity, K.",
)
@click.option(
    "-o", "--output", type=_output, default=STDOUT, help="CSV file; the default, -, is stdout."
)
@click.option("--plot", type=_output, help="Picture of the prediction to write.")
def predict(
    files: tuple[Path, ...],
    name: str | None,
    model: Path | None,
    kind: str | None,
    density: float | None,
    q_max: float | None,
    window: str | None,
    values: str | None,
    how: Reading,
    temperature: float,
    output: Path,
    plot: Path | None,
) -> None:
    """Predict the spectrum of FILE with a line from g(r), and say how far it may err.

    FILE is a structure at rest, or a measured g(r), G(r), T(r), R(r), S(Q) or F(Q); heat broadens
    the peaks of g(r), which a line takes for disorder. The line is that of a glass of the dataset
    that ships (--system), or a MODEL that `glassdata fit` wrote. The error is half of an interval
    that holds for nine of ten structures like those of the training set; where that cannot be
    promised, the answer says "outside", and the error is nan.

    \b
    Examples:
      glassdata predict glass.xyz --system sic -o glass.csv
      glassdata predict silicon.sq --system si --density 0.05 --plot silicon.png
      glassdata predict amc.npz measured.gr
    """
    from glassdata.cli.outputs import check_picture, provenance
    from glassdata.measured import Asked

    files, model = _sources(files, name, model)
    inputs = local(files) if model is None else [model, *local(files)]
    check_writable(output, plot, inputs=inputs)
    check_suffix(output, ".csv", ".txt", ".dat")
    check_picture(plot)
    asked = Asked(kind, density, how.unit, q_max, window, values)
    known = _known(name, model)
    found = [
        _of_measurement(file, known, asked)
        if _is_measured(file, asked)
        else _of_structures(file, known, how)
        for file in files
    ]
    told = {"system": name, "model": model} | vars(asked) | how.told()
    notes = provenance([*files, *([] if model is None else [model])], told)
    _answer(found, notes, temperature, output, plot)


def _sources(
    files: tuple[Path, ...], name: str | None, model: Path | None
) -> tuple[tuple[Path, ...], Path | None]:
    """Files to predict, and the model if it is a file: the first of them without an option."""
    from glassdata.bounds import missing_file

    if name is not None and model is not None:
        raise click.UsageError("--system and --model exclude each other")
    if name is None and model is None:
        if len(files) < _PAIR:
            raise click.UsageError("a line is needed: --system NAME, or --model MODEL")
        model, files = files[0], files[1:]
    if model is not None and not model.is_file():
        raise click.UsageError(f"there is no model file {model}; `glassdata fit` makes one")
    for file in local(files):
        if not file.is_file():
            raise click.UsageError(missing_file(file))
    return files, model


def _known(name: str | None, model: Path | None) -> _Known:
    if model is not None:
        from glassdata import models

        saved, meta = models.load(model)
        _check_meta(model, meta)
        return _Known(saved, meta, None)
    from glassdata.trained import train

    trained = train(_training_set(name))
    return _Known(trained.saved, trained.meta, name)


def _training_set(name: str | None):
    """The structures of a glass in the dataset that ships."""
    from glassdata.store import shipped_dataset
    from glassdata.structures import dataset
    from glassdata.systems import SYSTEMS

    tree = shipped_dataset()
    if name in SYSTEMS and name not in tree.children:
        raise click.UsageError(
            f"the dataset that ships holds no {name}, only {', '.join(tree.children)}; "
            f"`glassdata fit STORE --system {name}` fits a line to a store of yours"
        )
    return dataset(str(name))


def _check_meta(path: Path, meta: dict) -> None:
    from glassdata.trained import target_of

    try:
        target_of(meta)
        _ = meta["omega_edges"], meta["system"]
    except (KeyError, TypeError, ValueError) as missing:
        raise click.UsageError(f"{path} was not written by `glassdata fit` ({missing})") from None


def _is_measured(file: Path, asked: "Asked") -> bool:
    """Whether a file holds a curve, by what the user says of it, its name and its content."""
    return asked.kind is not None or (file != STDOUT and is_curve(file))


@dataclass(frozen=True)
class _Found:
    """g(r) of structures or of one measurement, with the model that suits it."""

    X: "np.ndarray"
    n_atoms: "np.ndarray"
    known: _Known
    notes: tuple[str, ...] = ()


def _of_structures(file: Path, known: _Known, how: Reading) -> _Found:
    import numpy as np

    from glassdata.cli import inputs
    from glassdata.radial import rdf
    from glassdata.trained import target_of

    target, species = target_of(known.meta), tuple(known.meta["species"])
    what = f"the model of {known.meta['system']}"
    frames = [
        inputs.laid_flat(atoms) for atoms in inputs.read_structures(file, species, what, how=how)
    ]
    for atoms in frames:
        inputs.check_periodic(atoms, str(file), target.dim)
        if how.unit is None and target.core > 0:
            inputs.check_lengths(atoms, str(file), _NEAREST * target.core)
    X = np.array([rdf(atoms, target.edges, dim=target.dim) for atoms in frames])
    return _Found(X, np.array([len(atoms) for atoms in frames], float), known)


def _of_measurement(path: Path, known: _Known, asked: "Asked") -> _Found:
    """A measured g(r), and the line trained on what the measurement would have seen."""
    import numpy as np

    from glassdata.measured import read_measured
    from glassdata.trained import target_of, train

    content = None
    if path == STDOUT:
        path, content = Path("standard input"), sys.stdin.buffer.read()
    measured = read_measured(path, target_of(known.meta), content=content, **vars(asked))
    notes = list(measured.assumed)
    if measured.resolution or measured.noise:
        if known.system is not None:
            trained = train(_training_set(known.system), measured=measured)
            known = _Known(trained.saved, trained.meta, known.system)
            notes.append(
                "the line was trained on what this measurement would have seen of the training set"
            )
        else:
            notes.append(
                "the model file holds no training set, so that the line knows nothing of the "
                "measurement's Q_max and noise; --system trains it for them"
            )
    return _Found(measured.g[None], np.array([np.inf]), known, tuple(notes))


def _answer(
    found: list[_Found], notes: dict[str, str], temperature: float, output: Path, plot: Path | None
) -> None:
    import numpy as np

    from glassdata.cli.outputs import deliver, plot_prediction, prediction_table

    Y = np.concatenate([one.known.saved.predict(one.X) for one in found])
    error = np.concatenate([one.known.saved.half_width(one.X, one.n_atoms) for one in found])
    said = [line for one in found for line in _said(one, temperature)]
    for line in said:
        click.echo(f"glassdata: {line}", err=True)
    known = found[0].known
    edges, scores = known.omega_edges, known.meta.get("scores")
    notes |= {f"{number}": line for number, line in enumerate(said)}
    notes["bins"] = f"{len(edges) - 1} from {edges[0]:g} to {edges[-1]:g} THz"
    notes["error"] = "half of the 90 % interval; nan is outside"
    if scores:
        notes["held-out R²"] = f"{scores['r2']:.4f}"
    deliver(output, prediction_table(edges, Y, error, notes).encode())
    if output != STDOUT:
        click.echo(f"wrote {output}", err=plot == STDOUT)
    if plot:
        plot_prediction(plot, edges, Y, error, known.meta["system"], notes)
        if plot != STDOUT:
            click.echo(f"wrote {plot}", err=True)


def _said(one: _Found, temperature: float) -> list[str]:
    """What is assumed, what lies outside, and integrals of the spectrum with their intervals."""
    import numpy as np

    from glassdata.trained import integrals

    lines = [f"note: {text}" for text in one.notes]
    saved = one.known.saved
    weights = integrals(one.known.omega_edges, temperature)
    columns = np.stack([weights["mean frequency"], weights["heat capacity"]], axis=1)
    values, halves = saved.predict(one.X) @ columns, saved.half_width(one.X, one.n_atoms, columns)
    outside = saved.outside(one.X, one.n_atoms)
    for number, (value, half, reason) in enumerate(zip(values, halves, outside, strict=True)):
        which = "" if len(one.X) == 1 else f" {number}"
        if reason is not None:
            lines.append(
                f"warning: outside: no error can be stated for the spectrum{which}: {reason}"
            )
        mean, heat = (
            f"{number:.4g}" + ("" if reason else f" ± {bar:.2g}")
            for number, bar in zip(value, half, strict=True)
        )
        lines.append(
            f"spectrum{which}: mean frequency {mean} THz, heat capacity at {temperature:g} K "
            f"{heat} k_B per mode"
        )
    return lines
