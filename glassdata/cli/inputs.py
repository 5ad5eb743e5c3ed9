"""Files of a user: structures in any format that ASE reads, and measured g(r) as two columns."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from glassdata.bounds import bounded_memory, bounded_time, check_size

if TYPE_CHECKING:
    from ase import Atoms

    from glassdata.system import System

#: Suffixes of files with a measured g(r); any other file is read as a structure.
CURVES = (".gr", ".csv")
#: Two atoms nearer than this are one atom written twice, Å.
OVERLAP = 0.3
#: With fewer atoms a spectrum means nothing.
FEWEST = 3
#: Formats in which each structure begins with the number of its atoms, alone in its line.
_COUNTED = (".xyz", ".extxyz")
_LONGEST_COUNT = 100
#: Time of a processor that reading may take: a start for any file, s, and the slowest of ASE's
#: readers, bytes/s.
_SECONDS, _BYTES_PER_SECOND = 10.0, 2e5
#: Largest difference from 1, the limit, of the mean of g over the last fifth of the range.
_FAR_FROM_ONE = 0.3
#: Height up to which g(r) counts as zero below the first measured distance.
_ZERO = 0.1


def read_structures(path: Path, species: tuple[str, ...], what: str) -> list["Atoms"]:
    """All structures of a file, checked.

    Parameters
    ----------
    path : Path
        Any file that ASE reads.
    species : tuple of str
        Chemical symbols that may occur.
    what : str
        What has these species, for the error message.

    Raises
    ------
    click.UsageError
        If the file is missing or malformed, or a structure has too few atoms, atoms that overlap,
        or species that ``what`` does not have.
    """
    from ase.io import read

    _check_size(path)
    if path.suffix.lower() in _COUNTED:
        _check_counts(path)
    try:
        with bounded_memory(), bounded_time(_SECONDS + path.stat().st_size / _BYTES_PER_SECOND):
            frames = read(path, index=":")
    except MemoryError:
        raise click.UsageError(f"{path} is not read: it would take too much memory") from None
    except TimeoutError as error:
        raise click.UsageError(f"{path} is not read: {error}") from None
    except Exception as error:  # every reader of ASE fails in its own way
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise click.UsageError(f"{path} is not a readable structure file ({reason})") from error
    if not isinstance(frames, list) or not frames:
        raise click.UsageError(f"{path} holds no structure")
    for number, atoms in enumerate(frames):
        where = f"{path}" if len(frames) == 1 else f"{path}, structure {number}"
        _check_structure(atoms, where, species, what)
    return frames


def _check_size(path: Path) -> None:
    if not path.is_file():
        raise click.UsageError(f"there is no file {path}")
    try:
        check_size(path)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _check_counts(path: Path) -> None:
    """Refuse an xyz file that claims more atoms than it has bytes: ASE would look for each line."""
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        while (first := stream.readline(_LONGEST_COUNT)).strip().isdigit():
            count = int(first)
            if count > size - stream.tell():
                raise click.UsageError(f"{path} claims {count} atoms, and has only {size} bytes")
            for _ in range(count + 1):
                stream.readline()


def _check_structure(atoms: "Atoms", where: str, species: tuple[str, ...], what: str) -> None:
    foreign = sorted(set(atoms.get_chemical_symbols()) - set(species))
    if foreign:
        raise click.UsageError(
            f"{where} holds {', '.join(foreign)}; {what} has {'-'.join(species)}"
        )
    if len(atoms) < FEWEST:
        plural = "atom" if len(atoms) == 1 else "atoms"
        raise click.UsageError(
            f"{where} has {len(atoms)} {plural}; at least {FEWEST} are needed (repeat the cell)"
        )
    if not np.isfinite(atoms.positions).all() or not np.isfinite(atoms.cell.array).all():
        raise click.UsageError(f"{where} has a position or cell that is not finite")
    if not atoms.pbc.any() or atoms.cell.rank < atoms.pbc.sum():
        raise click.UsageError(f"{where} has no periodic cell, so it has no density and no g(r)")
    _check_overlap(atoms, where)


def _check_overlap(atoms: "Atoms", where: str) -> None:
    from glassdata.neighbours import neighbours

    first, second, distance = neighbours("ijd", atoms, OVERLAP)
    if len(first):
        n = int(np.argmin(distance))
        i, j = int(first[n]), int(second[n])
        raise click.UsageError(
            f"{where}: atoms {i} ({atoms.symbols[i]}) and {j} ({atoms.symbols[j]}) overlap, "
            f"{distance[n]:.3f} Å apart (counted from 0)"
        )


def read_curve(path: Path, edges: np.ndarray) -> np.ndarray:
    """Measured g(r) averaged over bins.

    Parameters
    ----------
    path
        Two columns, r (Å) and g; separated by blanks or commas; ``#`` starts a comment.
    edges
        Bin edges, shape (n_r + 1,), Å.

    Returns
    -------
    (n_r,) dimensionless: the mean over each bin of the curve that joins the points.

    Raises
    ------
    click.UsageError
        If the file is not such a table, does not cover the bins, or does not tend to 1.
    """
    try:
        with bounded_memory():
            r, g = _columns(path)
    except MemoryError:
        raise click.UsageError(f"{path} is not read: it would take too much memory") from None
    if len(r) < 2 or not np.all(np.diff(r) > 0):
        raise click.UsageError(f"{path}: r must increase from line to line")
    step = float(np.median(np.diff(r)))
    if r[-1] + step / 2 < edges[-1]:
        raise click.UsageError(
            f"{path} ends at r = {r[-1]:g} Å; the model needs g(r) up to {edges[-1]:g} Å"
        )
    if r[0] - step / 2 > edges[0] and abs(g[0]) > _ZERO:
        raise click.UsageError(
            f"{path} begins at r = {r[0]:g} Å with g = {g[0]:g}; the model needs g(r) from "
            f"{edges[0]:g} Å on"
        )
    tail = float(g[r > 0.8 * r[-1]].mean())
    if abs(tail - 1) > _FAR_FROM_ONE:
        raise click.UsageError(
            f"{path} tends to {tail:.2f} at large r, g(r) tends to 1; a reduced G(r) must be "
            "converted first: g = 1 + G/(4πρr)"
        )
    return _bin_means(r, g, edges)


def _columns(path: Path) -> tuple[np.ndarray, np.ndarray]:
    _check_size(path)
    pairs: list[tuple[float, float]] = []
    try:
        lines = path.read_text().splitlines()
    except UnicodeDecodeError:
        raise click.UsageError(f"{path} is not a text file") from None
    for number, line in enumerate(lines, start=1):
        words = line.partition("#")[0].replace(",", " ").replace(";", " ").split()
        try:
            pair = (float(words[0]), float(words[1]))
        except (ValueError, IndexError):
            # Lines before the first numbers are a header.
            if words and pairs:
                raise click.UsageError(f"{path}, line {number}: not two numbers") from None
            continue
        if not np.isfinite(pair).all():
            raise click.UsageError(f"{path}, line {number}: not finite")
        pairs.append(pair)
    if not pairs:
        raise click.UsageError(f"{path} holds no columns r, g")
    r, g = np.array(pairs).T
    return r, g


def _bin_means(r: np.ndarray, g: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Exact means of the piecewise linear curve over the bins; 0 before it, constant after it."""
    points = np.union1d(r, edges)
    values = np.interp(points, r, g, left=0.0)
    area = np.concatenate([[0.0], np.cumsum(np.diff(points) * (values[1:] + values[:-1]) / 2)])
    return np.diff(np.interp(edges, points, area)) / np.diff(edges)


def describe_all(
    frames: list["Atoms"], system: "System", *, relaxed: bool
) -> list[dict[str, np.ndarray]]:
    """g(r), spectrum and checks of every structure, minimised first if ``relaxed``.

    Parameters
    ----------
    frames : list of Atoms
        Structures to describe.
    system : System
        The glass whose potential and bins are used.
    relaxed : bool
        Whether to minimise each of them first.
    """
    from glassdata.describe import describe
    from glassdata.eigen import check_memory
    from glassdata.minimise import relax
    from glassdata.radial import rdf

    for atoms in frames:  # errors should come before a long minimisation
        check_memory(system.potential.dim, len(atoms))
        rdf(atoms, system.r_edges, dim=system.dim)
    return [
        describe(relax(atoms, system.potential) if relaxed else atoms, system) for atoms in frames
    ]
