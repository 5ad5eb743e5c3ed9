"""Checked options that several commands share."""

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import click

from glassdata.cli.streams import output_is_closed

if TYPE_CHECKING:
    from glassdata.system import System

#: Name of an output file that means standard output.
STDOUT = Path("-")
#: ``external`` has only the glasses of which others made structures, ``sizes`` only the one by
#: which the noise is followed with the size.
PROFILES = ("demo", "reference", "paper", "external", "sizes")


class Place(click.ParamType):
    """A path or URL, as a parameter of a command."""

    name = "path"

    def convert(self, value, param, ctx):
        from glassdata.store.errors import StoreError
        from glassdata.store.places import place

        try:
            return place(value)
        except StoreError as error:
            self.fail(str(error), param, ctx)


def path_argument(name: str):
    """Positional argument that is a path or URL; the command itself checks it."""
    return click.argument(name, type=Place())


def files_argument(help_name: str = "FILE..."):
    """Positional arguments that are files, one or more; ``-`` is standard input."""
    return click.argument("files", type=Place(), nargs=-1, required=True, metavar=help_name)


def local(files: Iterable[Path]) -> list[Path]:
    """Those of the files that are not standard input."""
    return [file for file in files if file != STDOUT]


def refuse_web(store: Path) -> None:
    """Refuse an address of a web server, which shows no folders and takes no files.

    Raises
    ------
    click.UsageError
        For such an address.
    """
    from glassdata.store.places import is_web

    if is_web(store):
        raise click.UsageError(
            f"{store} can only be read; build, verify and repair need a folder or an object store"
        )


def store_option(help_: str):
    """``--store PLACE``."""
    return click.option("--store", type=Place(), help=help_)


def system_option(*, multiple: bool, required: bool = True):
    """``--system NAME``."""
    return click.option(
        "--system",
        "names" if multiple else "name",
        multiple=multiple,
        required=required and not multiple,
        metavar="NAME",
        help="Name of a glass, as listed by `glassdata systems`"
        + ("; may be repeated." if multiple else "."),
    )


def known_systems(names: Iterable[str]) -> Mapping[str, "System"]:
    """All glasses by name, after a check that ``names`` are among them.

    Raises
    ------
    click.UsageError
        For an unknown name.
    """
    from glassdata.systems import SYSTEMS

    for name in names:
        check_system(name, SYSTEMS)
    return SYSTEMS


def check_system(name: str, known: Iterable[str]) -> str:
    """The name itself if it is known.

    Raises
    ------
    click.UsageError
        Otherwise, with the names that exist and the one that was perhaps meant.
    """
    known = list(known)
    if name in known:
        return name
    close = get_close_matches(name, known, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise click.UsageError(f"unknown system {name!r}; known: {', '.join(known)}.{hint}")


def check_suffix(path: Path | None, *known: str) -> None:
    """Refuse the name of an output whose suffix says another format than it will have.

    Parameters
    ----------
    path
        Of the output; None stands for one that was not asked for. A name without a suffix, and
        standard output, may hold anything.
    known
        Suffixes of the format.

    Raises
    ------
    click.UsageError
        Naming the file and its format.

    Examples
    --------
    >>> check_suffix(Path("glass.csv"), ".csv", ".txt")
    """
    if path is None or path == STDOUT or path.suffix.lower() in ("", *known):
        return
    raise click.UsageError(f"{path}: the name must end in {' or '.join(known)}, its format")


def check_writable(*outputs: Path | None, inputs: Iterable[Path] = ()) -> None:
    """Refuse output files that cannot or must not be written, before anything is computed.

    Parameters
    ----------
    outputs
        Files to be written; None stands for one that was not asked for.
    inputs
        Files that the command reads.

    Raises
    ------
    click.UsageError
        Naming the file.
    """
    from glassdata.files import check_output
    from glassdata.store.places import is_remote

    wanted = [path for path in outputs if path is not None]
    places = [path if path == STDOUT else Path(os.path.realpath(path)) for path in wanted]
    for path, place in zip(wanted, places, strict=True):
        if places.count(place) > 1:
            raise click.UsageError(f"{path} cannot be two outputs at once")
    for path in wanted:
        if path == STDOUT:
            if output_is_closed():
                raise click.UsageError("standard output is closed; name a file with -o")
            continue
        folder = path.absolute().parent
        if not folder.is_dir():
            raise click.UsageError(f"there is no folder {folder}")
        if (store := _store_around(folder)) is not None:
            raise click.UsageError(f"{path} lies in the store {store}, which holds only its own")
        try:
            check_output(path, [source for source in inputs if not is_remote(source)])
        except (FileExistsError, PermissionError) as error:
            raise click.UsageError(str(error)) from error
        if not os.access(folder, os.W_OK):
            raise click.UsageError(f"{folder} cannot be written to")


def _store_around(folder: Path) -> Path | None:
    """The store in which a folder lies, if it lies in one."""
    from glassdata.store.foreign import is_own_record
    from glassdata.store.settings import CONFIG

    real = folder.resolve()
    return next((place for place in (real, *real.parents) if is_own_record(place / CONFIG)), None)


def table(header: Iterable[str], lines: Iterable[Iterable[object]]) -> str:
    """Aligned text; numbers to the right."""
    texts = [list(map(str, header)), *([str(value) for value in line] for line in lines)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return "\n".join(
        "  ".join(
            text.rjust(width) if text[:1].isdigit() else text.ljust(width)
            for text, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in texts
    )
