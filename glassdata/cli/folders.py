"""A folder of one's own files as a training set: structures, spectra of ours, or pairs of files."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from glassdata.cli.calculators import R_MAX, Setting, room_above
from glassdata.cli.choices import known_systems
from glassdata.cli.computing import MINIMISED, computed, read_all
from glassdata.cli.formats import Reading, is_curve
from glassdata.gathered import Frame, Pair, gathered, on_bins, read_rows, read_spectrum

if TYPE_CHECKING:
    from glassdata.structures import Dataset

#: Suffixes of files that hold a spectrum.
SPECTRA = (".dos", ".pdos", ".vdos")
#: What only a store has.
_OF_STORES = ("config.json", "rows", "manifest.json", "dataset.zarr", "zarr.json")


@dataclass(frozen=True)
class Files:
    """What a user says of the files of a folder; the options of ``glassdata fit``.

    Examples
    --------
    >>> Files("sic").frequency_unit
    'THz'
    """

    system: str | None = None
    calculator: str | None = None
    relax: bool = False
    frequency_unit: str = "THz"
    density: float | None = None
    how: Reading = field(default_factory=Reading)


def is_folder(source: Path) -> bool:
    """Whether a source of a training set is a folder of files, and not a store.

    Examples
    --------
    >>> is_folder(Path("."))
    True
    """
    from glassdata.store.places import is_remote

    if is_remote(source) or not source.is_dir():
        return False
    return not any((source / name).exists() for name in _OF_STORES)


def files_of(folder: Path) -> list[Path]:
    """The files in a folder in the order of their names; hidden ones and folders are left alone.

    Raises
    ------
    click.UsageError
        If there are none.
    """
    files = sorted(f for f in folder.iterdir() if f.is_file() and not f.name.startswith("."))
    if not files:
        raise click.UsageError(f"{folder} holds no files")
    return files


def of_folder(folder: Path, said: Files) -> "Dataset":
    """The training set of the files in a folder.

    Parameters
    ----------
    folder : Path
    said : Files

    Raises
    ------
    click.UsageError, ValueError
        In one line, which names the file that is in the way.
    """
    files = files_of(folder)
    if any(_suffix(file) in SPECTRA for file in files):
        return _of_pairs(files, folder, said)
    if all(_suffix(file) == ".nc" for file in files):
        return _of_rows(files, said)
    return _of_structures(files, said)


def _suffix(file: Path) -> str:
    return Path(file.name.removesuffix(".gz")).suffix.lower()


def _of_structures(files: list[Path], said: Files) -> "Dataset":
    """Structures, whose spectra are computed here."""
    if said.system is None and said.calculator is None:
        raise click.UsageError(
            f"the spectrum of {files[0]} is not known: --system or --calculator computes it, or "
            f"{files[0].stem}{SPECTRA[0]} holds it"
        )
    frames, families = [], []
    for file in files:
        found = read_all((file,), said.system, said.how)
        frames += found
        families += [file.name] * len(found)
    relaxed = "fixed" if said.relax else None
    rows, setting, _ = computed(frames, said.system, said.calculator, relaxed=relaxed, kick=0.0)
    restless = sum(float(row["max_force"]) > MINIMISED for row in rows)
    if restless:
        click.echo(
            f"glassdata: warning: {restless} of {len(rows)} structures are not at a minimum; "
            "--relax minimises their energy",
            err=True,
        )
    frame = Frame(setting.name, setting.species, setting.dim, setting.r_edges, setting.omega_edges)
    pairs = [
        Pair(row["g"], row["pdos"], family, int(row["n_atoms"]), float(row["density"]))
        for row, family in zip(rows, families, strict=True)
    ]
    return gathered(pairs, frame)


def _of_rows(files: list[Path], said: Files) -> "Dataset":
    """Files of ``glassdata spectrum``."""
    pairs, frames = [], []
    for file in files:
        found, frame = read_rows(file)
        pairs += found
        frames.append(frame)
    first = frames[0]
    for file, frame in zip(files, frames, strict=True):
        same = frame.dim == first.dim and all(
            np.array_equal(getattr(frame, name), getattr(first, name))
            for name in ("r_edges", "omega_edges")
        )
        if not same:
            raise click.UsageError(
                f"{file} has other bins than {files[0]}: `glassdata spectrum --system NAME` gives "
                "all the same"
            )
    species = tuple(sorted({symbol for frame in frames for symbol in frame.species}))
    name = said.system or first.name
    return gathered(pairs, Frame(name, species, first.dim, first.r_edges, first.omega_edges))


def _of_pairs(files: list[Path], folder: Path, said: Files) -> "Dataset":
    """Files of which every two belong together."""
    spectra = {_stem(file): file for file in files if _suffix(file) in SPECTRA}
    inputs = {_stem(file): file for file in files if _suffix(file) not in SPECTRA}
    for one, other, what in ((spectra, inputs, "g(r) or structure"), (inputs, spectra, "spectrum")):
        alone = sorted(one.keys() - other.keys())
        if alone:
            raise click.UsageError(f"{one[alone[0]]} has no {what} of that name beside it")
    curves = {s: read_spectrum(file, said.frequency_unit) for s, file in spectra.items()}
    highest = max(_end(*curve) for curve in curves.values())
    read = {
        stem: None if is_curve(file) else read_all((file,), said.system, said.how)
        for stem, file in inputs.items()
    }
    frame = _frame([atoms for one in read.values() for atoms in one or []], highest, folder, said)
    pairs = []
    for stem, file in inputs.items():
        try:
            pdos = on_bins(*curves[stem], frame.omega_edges)
        except ValueError as error:
            raise ValueError(f"{spectra[stem]} {error}") from None
        pairs.append(_pair(file, read[stem], pdos, frame, said))
    return gathered(pairs, frame)


def _end(omega: np.ndarray, dos: np.ndarray) -> float:
    """Where a density of states has come to 0, or ends, THz."""
    last = int(np.flatnonzero(dos > 0)[-1])
    return float(omega[min(last + 1, len(omega) - 1)])


def _stem(file: Path) -> str:
    return Path(file.name.removesuffix(".gz")).stem


def _frame(frames: list, highest: float, folder: Path, said: Files) -> Frame:
    """Bins of the system; of no system, those that suit these structures and spectra."""
    if said.system is not None:
        system = known_systems([said.system])[said.system]
        return Frame(system.name, system.species, system.dim, system.r_edges, system.omega_edges)
    species = {symbol for atoms in frames for symbol in atoms.get_chemical_symbols()}
    species |= set(said.how.species)
    if not species:
        raise click.UsageError("which species are these? Say so with --species, or --system")
    directions = {int(atoms.pbc.sum()) for atoms in frames}
    if len(directions) > 1 or directions & {0, 1}:
        raise click.UsageError("structures must be periodic in three directions, or all in two")
    dim = directions.pop() if directions else 3
    setting = Setting(folder.name, tuple(sorted(species)), None, dim, R_MAX, room_above(highest))
    return Frame(setting.name, setting.species, setting.dim, setting.r_edges, setting.omega_edges)


def _pair(file: Path, frames: list | None, pdos: np.ndarray, frame: Frame, said: Files) -> Pair:
    from glassdata.measured import Target, read_measured
    from glassdata.radial import number_density, rdf

    if frames is None:
        target = Target(frame.r_edges, frame.dim, 0.0, said.density, len(frame.species))
        measured = read_measured(file, target)
        return Pair(measured.g, pdos, file.name, None, said.density)
    g = np.mean([rdf(atoms, frame.r_edges, dim=frame.dim) for atoms in frames], axis=0)
    density = float(np.mean([number_density(atoms, frame.dim) for atoms in frames]))
    return Pair(g, pdos, file.name, len(frames[0]), density)
