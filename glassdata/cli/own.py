"""The command ``spectrum``: g(r) and vibrational spectrum of one's own structures."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glassdata.cli.choices import (
    STDOUT,
    check_suffix,
    check_writable,
    files_argument,
    local,
    system_option,
    table,
)
from glassdata.cli.computing import MINIMISED, computed, read_all
from glassdata.cli.formats import Reading, structure_options

if TYPE_CHECKING:
    import numpy as np

    from glassdata.system import System

#: Share of atoms at distances where bonds are switched off, above which there is a warning.
PINNED = 0.1

_output = click.Path(path_type=Path, allow_dash=True)


@click.command()
@files_argument()
@system_option(multiple=False, required=False)
@click.option(
    "--calculator",
    metavar="PATH[:ARGS]",
    help="Any calculator of ASE in place of the system's potential, such as "
    "ase.calculators.lj.LennardJones:sigma=3.4,epsilon=0.01.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes that share the displacements of --calculator.",
)
@click.option(
    "--relax",
    type=click.Choice(["fixed", "pressure"]),
    is_flag=False,
    flag_value="fixed",
    help="Minimise the energy first: in the given cell (fixed, also without a word), or with a "
    "cell that comes to zero pressure.",
)
@click.option(
    "--kick",
    type=click.FloatRange(min=0.0),
    default=0.0,
    show_default=True,
    help="Standard deviation of random displacements before --relax, Å: 0.05 leads a flat sheet, "
    "or what else symmetry holds, off its saddle point.",
)
@structure_options
@click.option(
    "--temperature",
    type=click.FloatRange(min=0.0, min_open=True),
    default=300.0,
    show_default=True,
    help="Of the heat capacity, K.",
)
@click.option("-o", "--output", type=_output, help="netCDF file to write; - for stdout.")
@click.option("--structure", type=_output, help="Extended xyz file of the structures to write.")
@click.option(
    "--plot",
    type=_output,
    help="Picture of g(r) and spectrum to write; - for stdout.",
)
def spectrum(
    files: tuple[Path, ...],
    name: str | None,
    calculator: str | None,
    workers: int | None,
    relax: str | None,
    kick: float,
    how: Reading,
    temperature: float,
    output: Path | None,
    structure: Path | None,
    plot: Path | None,
) -> None:
    """Compute g(r) and the vibrational spectrum of the structures in FILE.

    FILE may have any format that ASE reads, or be a data or dump file of LAMMPS; - is standard
    input. Potential and bins are those of the system, or of --calculator, whose forces are
    differentiated with the step at which the result depends least on it.

    \b
    Examples:
      glassdata spectrum glass.xyz --system sic --relax
      glassdata spectrum flat.xyz --system amc --relax pressure --kick 0.05
      glassdata spectrum run.lammpstrj --system amc --index ::10 --species C -o run.nc
      glassdata spectrum cu.cif --calculator ase.calculators.emt.EMT --relax pressure
    """
    from glassdata.cli.outputs import check_picture, provenance

    if name is None and calculator is None:
        raise click.UsageError("a potential is needed: --system NAME, or --calculator PATH")
    if kick and relax is None:
        raise click.UsageError("--kick displaces atoms before --relax, which is missing")
    if workers is not None and calculator is None:
        raise click.UsageError("--workers share the work of --calculator, which is missing")
    check_writable(output, structure, plot, inputs=local(files))
    check_suffix(output, ".nc")
    check_suffix(structure, ".xyz", ".extxyz")
    check_picture(plot)
    frames = read_all(files, name, how)
    rows, setting, notes = computed(
        frames, name, calculator, relaxed=relax, kick=kick, workers=workers
    )
    err = STDOUT in (output, structure, plot)
    click.echo(_summary(rows, setting.dim, temperature), err=err)
    for note in notes:
        click.echo(f"glassdata: note: {note}", err=True)
    for number, (row, frame) in enumerate(zip(rows, frames, strict=True)):
        _warn(number, row, setting, frame.pbc)
    told = {"system": name, "calculator": calculator, "relax": relax} | how.told()
    told |= {"kick": kick} if kick else {}
    said = provenance(files, told) | ({"notes": "\n".join(notes)} if notes else {})
    _write(output, structure, plot, (frames, rows, setting), said)


def _write(
    output: Path | None, structure: Path | None, plot: Path | None, found: tuple, said: dict
) -> None:
    from glassdata.cli.outputs import plot_rows, write_rows, write_structures

    frames, rows, setting = found
    err = STDOUT in (output, structure, plot)
    if output:
        masses = [frame.get_masses() for frame in frames]
        write_rows(output, rows, setting, masses=masses, attributes=said)
        _tell(output, err=err)
    if structure:
        write_structures(structure, rows, frames, said)
        _tell(structure, err=err)
    if plot:
        plot_rows(plot, rows, setting, said)
        _tell(plot, err=err)


def _tell(path: Path, *, err: bool) -> None:
    """Say that a file was written; on standard error where standard output is one of the files."""
    if path != STDOUT:
        click.echo(f"wrote {path}", err=err)


def _summary(rows: list, dim: int, temperature: float) -> str:
    """A table with a line for each structure, and one for their mean."""
    import numpy as np

    from glassdata.thermal import mode_heat_capacity

    header = (
        "structure",
        "atoms",
        f"density/Å^-{dim}",
        "max force/(eV/Å)",
        "imaginary",
        f"C/(N k_B) at {temperature:g} K",
        "overflow",
    )
    heat = [
        mode_heat_capacity(row["frequency"], temperature).sum() / int(row["n_atoms"])
        for row in rows
    ]
    lines: list[tuple[object, ...]] = [
        (
            number,
            int(row["n_atoms"]),
            f"{float(row['density']):.5f}",
            f"{float(row['max_force']):.2g}",
            int(row["n_imaginary"]),
            f"{heat[number]:.4f}",
            f"{float(row['overflow']):.2%}",
        )
        for number, row in enumerate(rows)
    ]
    if len(rows) > 1:
        atoms, rho, force, bad, share = (
            float(np.mean([float(row[name]) for row in rows]))
            for name in ("n_atoms", "density", "max_force", "n_imaginary", "overflow")
        )
        mean = f"{np.mean(heat):.4f}"
        lines.append(
            ("mean", f"{atoms:g}", f"{rho:.5f}", f"{force:.2g}", f"{bad:g}", mean, f"{share:.2%}")
        )
    return table(header, lines)


def _warn(number: int, row: dict, system: "System", pbc: "np.ndarray") -> None:
    """Warn of everything that makes the spectrum differ from that of a solid at rest."""
    for text in _doubts(row, system, pbc):
        click.echo(f"glassdata: warning: structure {number} {text}", err=True)


def _doubts(row: dict, system: "System", pbc: "np.ndarray") -> Iterator[str]:
    force, imaginary = float(row["max_force"]), int(row["n_imaginary"])
    if force > MINIMISED or imaginary:
        reason, cure = f"the largest force is {force:.2g} eV/Å", "--relax minimises it"
        if force <= MINIMISED:
            reason = f"{imaginary} modes are imaginary"
            cure = "--relax --kick 0.05 leads off this saddle point"
        yield (
            f"is not at a minimum ({reason}): its spectrum is not that of a solid at rest; {cure}"
        )
    if row["n_false_pairs"]:
        from ase import Atoms

        from glassdata.potentials.flaws import false_pairs

        atoms = Atoms(row["number"], row["position"], cell=row["cell"], pbc=pbc)
        yield f"holds a false minimum of the potential: {false_pairs(atoms, system.potential)[0]}"
    if (pinned := float(row["pinned_fraction"])) > PINNED:
        yield (
            f"has {pinned:.0%} of its atoms where the potential is switched off: modes there "
            "belong to the cut-off, not to the substance"
        )
