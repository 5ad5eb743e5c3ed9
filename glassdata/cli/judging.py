"""The command ``curvature``: how smooth and how right the second derivatives of a potential are."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glassdata.cli.choices import check_writable, table

if TYPE_CHECKING:
    from ase import Atoms

    from glassdata.curvature import Curvature, Spectrum

#: Glasses of the dataset that ships which other potentials are tried on: those of covalent bonds.
_SHIPPED = ("sic", "si", "amc")
#: Atoms of a structure that is tried; a potential for which that takes too long has no spectrum.
_MOST_ATOMS = 512
#: Frequencies of the translations, which are zero, come out within this, THz.
_ROUNDING = 0.01


@dataclass(frozen=True)
class Case:
    """A structure to try a potential on, and the spectrum that it should have.

    Examples
    --------
    >>> Case("mine", None, None, "").truth is None
    True
    """

    name: str
    atoms: "Atoms"
    truth: "Spectrum | None"
    judge: str


@click.command()
@click.argument("calculator", metavar="CALCULATOR[:ARGS]")
@click.option(
    "--structure",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File of a structure, in place of the glasses that others computed; may be repeated.",
)
@click.option(
    "--relax/--no-relax",
    default=True,
    show_default=True,
    help="Bring each structure to rest first, in a cell that is held.",
)
@click.option(
    "--limit",
    type=click.FloatRange(min=0.0),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="No spectrum where it would take longer than this.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="JSON file of all numbers to write."
)
def curvature(
    calculator: str, files: tuple[Path, ...], relax: bool, limit: float, output: Path | None
) -> None:
    """Judge the second derivatives of CALCULATOR: smooth, symmetric, not too soft, affordable.

    CALCULATOR is a name (nep89, sevennet-0, chgnet, mace:model=FILE, mace-mp-0, snap-si, snap-c,
    vashishta-sio2) or any calculator of ASE, as for `glassdata spectrum --calculator`. A model file
    of MACE is a program: take it only from people you trust. Where there is a GPU, sevennet-0 and
    mace take device=cuda.

    It is tried on nine glasses with spectra of density functional theory, if their file was kept
    (glassdata systems --add dft-glasses.json), and on structures of the dataset, whose spectra are
    those of classical potentials. Columns: the best step of central differences; by how much second
    derivatives change to the next shorter step; by how much they are not symmetric; imaginary
    modes; the mean square frequency over the one it should have; the distance of both spectra
    (Wasserstein, THz); milliseconds per atom for energy and forces.

    \b
    Examples:
      glassdata curvature nep89
      glassdata curvature snap-si --structure silicon.xyz
      glassdata curvature mace:model=mine.model -o mine.json
    """
    from glassdata.cli.calculators import in_one_line
    from glassdata.curvature import curvature as judge
    from glassdata.curvature import distance
    from glassdata.learned import LEARNED

    check_writable(output, inputs=files)
    lines, kept = [], []
    unknown: list[str] = []
    failed: list[str] = []
    for case in _cases(files):
        potential = _potential(calculator, case)
        if potential is None:
            unknown.append(case.name)
            continue
        try:
            found = judge(potential, case.atoms, relaxed=relax, limit=limit)
        except Exception as error:  # whatever a calculator raises
            click.echo(f"glassdata: note: {case.name}: {in_one_line(error)}", err=True)
            failed.append(case.name)
            continue
        lines.append(_line(case, found))
        ours = found.spectrum
        kept.append(
            {
                "structure": case.name,
                "judge": case.judge,
                "n_atoms": len(case.atoms),
                "step": found.smoothness.step,
                "changes": [c if math.isfinite(c) else None for c in found.smoothness.changes],
                "asymmetry": found.smoothness.asymmetry,
                "seconds_per_atom": found.seconds,
                "frequencies": None if ours is None else ours.frequency.tolist(),
                "distance": None
                if ours is None or case.truth is None
                else distance(ours, case.truth),
            }
        )
        click.echo(f"glassdata: note: {case.name} done", err=True)
    if unknown:
        click.echo(f"glassdata: note: elements unknown in: {', '.join(unknown)}", err=True)
    if not lines and not failed:
        raise click.ClickException(
            f"{calculator} knows the elements of no structure here; --structure FILE has others"
        )
    if (name := calculator.partition(":")[0]) in LEARNED:
        click.echo(LEARNED[name].title)
    click.echo(table(_HEADER, lines))
    if output:
        from glassdata.files import replace

        replace(
            output, json.dumps({"calculator": calculator, "cases": kept}, allow_nan=False).encode()
        )
        click.echo(f"wrote {output}")
    if failed:
        raise click.ClickException(f"nothing could be said of {', '.join(failed)}; see above why")


_HEADER = (
    "structure", "judge", "atoms", "step/Å", "change", "asymmetry", "imaginary", "ν² ratio",
    "distance/THz", "ms/atom",
)  # fmt: skip


def _line(case: Case, found: "Curvature") -> tuple[object, ...]:
    from glassdata.curvature import distance

    spectrum, judged = found.spectrum, ("–", "–", "–")
    if spectrum is not None:
        judged = (str(int((spectrum.frequency < -_ROUNDING).sum())), "–", "–")
        if case.truth is not None:
            ratio = spectrum.mean_square / case.truth.mean_square
            judged = (judged[0], f"{ratio:.2f}", f"{distance(spectrum, case.truth):.2f}")
    smooth = found.smoothness
    return (
        case.name, case.judge, len(case.atoms), f"{smooth.step:g}", f"{smooth.change:.0e}",
        f"{smooth.asymmetry:.0e}", *judged, f"{1000 * found.seconds:.2g}",
    )  # fmt: skip


def _potential(text: str, case: Case) -> Any:
    from glassdata.cli.calculators import parse
    from glassdata.learned import UnknownElementsError

    symbols = tuple(sorted(set(case.atoms.get_chemical_symbols())))
    try:
        return parse(text, symbols)
    except click.UsageError as error:
        if isinstance(error.__cause__, UnknownElementsError):
            return None
        raise


def _cases(files: tuple[Path, ...]) -> Iterator[Case]:
    if files:
        from glassdata.cli.computing import read_all
        from glassdata.cli.formats import Reading

        for file in files:
            frames = read_all((file,), None, Reading(index="-1"))
            yield Case(file.name, frames[-1], None, "none")
        return
    yield from _judged_by_dft()
    yield from _shipped()


def _judged_by_dft() -> Iterator[Case]:
    from glassdata.curvature import Spectrum
    from glassdata.measured.dft import GLASSBENCH

    if not GLASSBENCH.is_here:
        click.echo(f"glassdata: note: no glasses of DFT: {GLASSBENCH.missing}", err=True)
        return
    for name, glass in GLASSBENCH.glasses().items():
        yield Case(name, glass.atoms, Spectrum(glass.frequency, glass.pdos), "DFT")


def _shipped() -> Iterator[Case]:
    """The smallest amorphous structure of some glasses of the dataset."""
    from glassdata.curvature import of_modes
    from glassdata.store import shipped_dataset
    from glassdata.structures import dataset

    glasses = {name: dataset(name) for name in _SHIPPED if name in shipped_dataset().children}
    for name, glass in glasses.items():
        glassy = glass[(glass.classes == "amorphous") & (glass.n_atoms <= _MOST_ATOMS)]
        if len(glassy):
            k = int(glassy.n_atoms.argmin())
            truth = of_modes(glassy.frequencies(k))
            yield Case(f"{name} {glassy.index[k]}", glassy.atoms(k), truth, "classical")
