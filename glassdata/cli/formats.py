"""How a user's structure files are to be read: format, frames, species, periodicity, unit."""

import io
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from glassdata.cli.choices import STDOUT

if TYPE_CHECKING:
    from ase import Atoms

#: Formats of LAMMPS, whose atoms have types instead of species.
LAMMPS = ("lammps-data", "lammps-dump-text")
#: Names of the units of length in ``glassdata.units``, which takes a while to load.
UNITS = ("angstrom", "bohr", "nm")
#: Suffixes of files with a pair function; any other file is read as a structure.
CURVES = (".gr", ".sq", ".fq", ".rdf", ".dat", ".txt", ".csv", ".tsv", ".xy", ".nc")
#: What is looked at to find out the format, bytes.
_PEEK = 4096
_DUMP = re.compile(rb"\s*ITEM: (?:TIMESTEP|UNITS)")
#: What begins tables of LAMMPS's compute rdf, and those of PDFgetX3 and xPDFsuite.
_CURVE = re.compile(rb"^#\s*Row\s+c_|^#### start data|^\[DEFAULT\]", re.MULTILINE)
_DATA = re.compile(rb"^\s*\d+\s+atoms\b.*^\s*\S+\s+\S+\s+xlo\s+xhi", re.DOTALL | re.MULTILINE)
_SLICE = re.compile(r"-?\d+|(?:-?\d+)?:(?:-?\d+)?(?::(?:-?\d+)?)?")
_PERIODIC = {"t": True, "1": True, "p": True, "f": False, "0": False, "-": False}


@dataclass(frozen=True)
class Reading:
    """What a user says of structure files.

    Attributes
    ----------
    format : str or None
        Name of a format of ASE; None finds it out.
    index : str
        Frames, as a number or a slice of Python.
    species : tuple of str
        Chemical symbols of the types of LAMMPS, in their order.
    pbc : tuple of bool or None
        Periodic directions; None leaves those of the file.
    unit : str or None
        Unit of lengths, one of ``UNITS``; None takes Å, and lets what looks otherwise be refused.
    unconstrained : bool
        Whether constraints are dropped.

    Examples
    --------
    >>> Reading(pbc=(True, True, False)).index
    ':'
    """

    format: str | None = None
    index: str = ":"
    species: tuple[str, ...] = field(default=())
    pbc: tuple[bool, bool, bool] | None = None
    unit: str | None = None
    unconstrained: bool = False

    def frames(self, path: Path) -> "list[Atoms]":
        """The structures of a file; raises what the reader of its format raises."""
        from ase.io import read

        data = sys.stdin.buffer.read() if path == STDOUT else None
        kind = self.format or _sniffed(path, data)
        source: Any = path if data is None else _stream(data, kind)
        found = read(source, index=self.index, format=kind, **self._typed(kind))
        frames = found if isinstance(found, list) else [found]
        for atoms in frames:
            self._adjust(atoms)
        return frames

    def told(self) -> dict[str, Any]:
        """What the user said, for the record of an output; nothing where it is the default."""
        return {name: value for name, value in vars(self).items() if value not in (None, (), False)}

    def _typed(self, kind: str | None) -> dict[str, Any]:
        """Arguments that tell a reader of LAMMPS's formats what its types are."""
        if not self.species or kind not in LAMMPS:
            return {}
        from ase.data import atomic_numbers

        if kind == "lammps-dump-text":
            return {"specorder": list(self.species)}
        return {"Z_of_type": {n: atomic_numbers[s] for n, s in enumerate(self.species, start=1)}}

    def _adjust(self, atoms: "Atoms") -> None:
        from glassdata.units import LENGTHS

        scale = LENGTHS[self.unit or "angstrom"]
        if scale != 1.0:
            atoms.set_cell(scale * atoms.cell.array)
            atoms.positions *= scale
        if self.pbc is not None:
            atoms.set_pbc(self.pbc)
        if self.unconstrained:
            atoms.set_constraint()


def _sniffed(path: Path, data: bytes | None) -> str | None:
    """Format of LAMMPS, which ASE does not recognise by content; else what ASE will find out."""
    head = _head(path) if data is None else data[:_PEEK]
    if _DUMP.match(head):
        return "lammps-dump-text"
    if _DATA.search(head):
        return "lammps-data"
    if data is None:
        return None
    from ase.io.formats import filetype

    return filetype(io.BytesIO(data))


def is_structure(path: Path) -> bool:
    """Whether a file is one of LAMMPS's structure files, by its content."""
    return bool(_DUMP.match(head := _head(path)) or _DATA.search(head))


def is_curve(path: Path) -> bool:
    """Whether a file is a table of a pair function: by its suffix, or its header."""
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    if suffixes[-1:] and suffixes[-1] in CURVES:
        return not is_structure(path)
    return bool(_CURVE.search(_head(path)))


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_PEEK)


def _stream(data: bytes, kind: str | None) -> io.BytesIO | io.StringIO:
    from ase.io.formats import ioformats

    if kind in ioformats and ioformats[kind].isbinary:
        return io.BytesIO(data)
    return io.StringIO(data.decode())


# --- options ----------------------------------------------------------------------------------


def structure_options(command: Callable) -> Callable:
    """Add the options of :class:`Reading` to a command, which gets them as ``how``."""

    @wraps(command)  # click keeps the options that come after these with the function
    def with_how(*args, **options):
        names = ("format", "index", "species", "pbc", "unit", "unconstrained")
        how = Reading(**{name: options.pop(f"read_{name}") for name in names})
        return command(*args, how=how, **options)

    decorated: Callable = with_how
    for add in reversed(_OPTIONS):
        decorated = add(decorated)
    return decorated


def _index(_context, _parameter, value: str) -> str:
    if not _SLICE.fullmatch(value):
        raise click.BadParameter(f"{value!r} is neither a number nor a slice such as ::10")
    return value


def _species(_context, _parameter, value: str | None) -> tuple[str, ...]:
    from ase.data import atomic_numbers

    symbols = tuple(value.replace(",", " ").split()) if value else ()
    for symbol in symbols:
        if symbol not in atomic_numbers or symbol == "X":
            raise click.BadParameter(f"{symbol!r} is no chemical symbol")
    return symbols


def _pbc(_context, _parameter, value: str | None) -> tuple[bool, ...] | None:
    if value is None:
        return None
    words = value.lower().replace(",", " ").split()
    letters = "".join(word[:1] for word in words) if len(words) > 1 else "".join(words)
    if len(letters) != 3 or not set(letters) <= set(_PERIODIC):
        raise click.BadParameter(f"{value!r} is not like TTF: T or F for each of three directions")
    return tuple(_PERIODIC[letter] for letter in letters)


def _known_format(_context, _parameter, value: str | None) -> str | None:
    if value is None:
        return None
    from ase.io.formats import ioformats

    if value not in ioformats or not ioformats[value].can_read:
        raise click.BadParameter(f"ASE reads no format {value!r}; `ase info --formats` lists them")
    return value


_OPTIONS = (
    click.option(
        "--format", "read_format", callback=_known_format, metavar="NAME",
        help="Format of FILE, as ASE names it, where its content does not tell.",
    ),
    click.option(
        "--index", "read_index", default=":", callback=_index, show_default=True, metavar="SLICE",
        help="Frames of FILE: a number, or a slice of Python.",
    ),
    click.option(
        "--species", "read_species", callback=_species, metavar="SYMBOLS",
        help="Species of the types 1, 2, ... of LAMMPS, such as Cu,Zr,Al.",
    ),
    click.option(
        "--pbc", "read_pbc", callback=_pbc, metavar="TTF",
        help="Periodic directions, where FILE does not know them: a sheet is TTF.",
    ),
    click.option(
        "--length-unit", "read_unit", type=click.Choice(UNITS),
        help="Unit of lengths in FILE; Å by default.",
    ),
    click.option(
        "--unconstrained", "read_unconstrained", is_flag=True,
        help="Drop the constraints of FILE; otherwise such a structure is refused.",
    ),
)  # fmt: skip
