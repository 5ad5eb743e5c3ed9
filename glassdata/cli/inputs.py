"""Structures of a user, in any format that ASE reads, checked before anything is computed."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from ase.io.formats import UnknownFileTypeError

from glassdata.bounds import bounded_memory, bounded_time, check_size, missing_file
from glassdata.cli.choices import STDOUT
from glassdata.cli.formats import Reading, is_curve

if TYPE_CHECKING:
    from ase import Atoms

    from glassdata.potentials import EnergySurface
    from glassdata.system import System

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
#: Occupancies and heights that differ by less are equal.
_WHOLE, _LEVEL = 1e-3, 1e-4
#: Neighbours are looked for within this multiple of the usual distance.
_FAR = 3.0
#: Between these multiples of the crystal's shortest distance lies that of a structure in Å; one in
#: Bohr has 1.9 times as much, one in nm a tenth.
_SHORT, _LONG = 0.6, 1.6
_NOBLE = ("He", "Ne", "Ar", "Kr", "Xe", "Rn")


def read_structures(
    path: Path, species: tuple[str, ...] | None, what: str, *, how: Reading | None = None
) -> list["Atoms"]:
    """All structures of a file, checked.

    Parameters
    ----------
    path : Path
        Any file that ASE reads; ``-`` for standard input.
    species : tuple of str or None
        Chemical symbols that may occur; None means any.
    what : str
        What has these species, for the error message.
    how : Reading, optional
        What the user says of the file.

    Raises
    ------
    click.UsageError
        If the file is missing or malformed, or a structure has too few atoms, atoms that overlap,
        shared sites, constraints, or species that ``what`` does not have.
    """
    how = how or Reading()
    name = "standard input" if path == STDOUT else str(path)
    frames = _frames(path, name, how)
    if not frames:
        raise click.UsageError(f"{name} holds no structure {how.index}".replace(" :", ""))
    for number, atoms in enumerate(frames):
        where = name if len(frames) == 1 else f"{name}, structure {number}"
        _check_structure(atoms, where, species, what)
    return frames


def _frames(path: Path, name: str, how: Reading) -> list["Atoms"]:
    """Structures as they are read, within bounds of memory and time."""
    size = 0
    if path != STDOUT:
        _check_size(path)
        size = path.stat().st_size
        if path.suffix.lower() in _COUNTED:
            _check_counts(path)
    try:
        with bounded_memory(), bounded_time(_SECONDS + size / _BYTES_PER_SECOND):
            return how.frames(path)
    except MemoryError:
        raise click.UsageError(f"{name} is not read: it would take too much memory") from None
    except TimeoutError as error:
        raise click.UsageError(f"{name} is not read: {error}") from None
    except StopIteration:
        raise click.UsageError(f"{name} holds no structure {how.index}") from None
    except Exception as error:  # every reader of ASE fails in its own way
        raise click.UsageError(f"{name} {_unreadable(path, how, error)}") from error


def _unreadable(path: Path, how: Reading, error: Exception) -> str:
    """What is wrong with a file that ASE did not read, and what would help."""
    if how.species and isinstance(error, KeyError | IndexError):
        return (
            f"has more types of atoms than --species has symbols ({', '.join(how.species)}): name "
            "one for each type"
        )
    if isinstance(error, UnknownFileTypeError) and path == STDOUT:
        return "is not a structure whose format can be told by its content: --format names it"
    if path != STDOUT and is_curve(path):
        return "is not a readable structure file: it seems to be a table of numbers"
    reason = " ".join(str(error).split())[:160]
    told = f" ({reason})" if reason and not isinstance(error, AttributeError) else ""
    return f"is not a readable structure file{told}; --format names a format of ASE"


def _check_size(path: Path) -> None:
    if not path.is_file():
        raise click.UsageError(missing_file(path))
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


def _check_structure(
    atoms: "Atoms", where: str, species: tuple[str, ...] | None, what: str
) -> None:
    _check_sites(atoms, where)
    foreign = set(atoms.get_chemical_symbols()) - set(species or atoms.get_chemical_symbols())
    if foreign:
        raise click.UsageError(
            f"{where} holds {', '.join(sorted(foreign))}; {what} has {'-'.join(species or ())} "
            "(--species names the types of LAMMPS)"
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


def _check_sites(atoms: "Atoms", where: str) -> None:
    """Refuse sites that several species share, or that are empty at times, and constraints."""
    for site, shares in dict(atoms.info.get("occupancy") or {}).items():
        if any(abs(float(share) - 1) > _WHOLE for share in shares.values()):
            listed = ", ".join(f"{symbol} {float(share):g}" for symbol, share in shares.items())
            raise click.UsageError(
                f"{where} has partial occupancy: site {site} holds {listed}; a spectrum needs "
                "atoms, one on each site"
            )
    if atoms.constraints:
        kinds = ", ".join(sorted({type(one).__name__ for one in atoms.constraints}))
        raise click.UsageError(
            f"{where} has constraints ({kinds}), under which a structure is not at rest and has "
            "other vibrations; --unconstrained drops them"
        )


def check_periodic(atoms: "Atoms", where: str, dim: int) -> None:
    """Refuse a structure that is not periodic in as many directions as its glass.

    Parameters
    ----------
    atoms : Atoms
    where : str
        For the error message.
    dim : int
    """
    if atoms.pbc.sum() != dim:
        raise click.UsageError(
            f"{where} has {atoms.pbc.sum()} periodic directions; density and g(r) in {dim} "
            f"dimensions are defined by {dim} periodic directions: --pbc says which they are"
        )


def check_lengths(atoms: "Atoms", where: str, nearest: float) -> None:
    """Refuse a structure whose shortest distances are those of another unit of length.

    Parameters
    ----------
    atoms : Atoms
    where : str
        For the error message.
    nearest : float, Å
        Distance of nearest neighbours in such a substance.

    Raises
    ------
    click.UsageError
        Naming the unit that it looks like.
    """
    from glassdata.neighbours import neighbours

    reach = _FAR * nearest
    first, distance = neighbours("id", atoms, reach)
    closest = np.full(len(atoms), reach)
    np.minimum.at(closest, first, distance)
    found = float(np.median(closest))
    if _SHORT * nearest <= found <= _LONG * nearest:
        return
    shown = f"{found:.3g} Å" if found < reach else f"more than {reach:.3g} Å"
    looks = "nm" if found < nearest else "Bohr"
    raise click.UsageError(
        f"{where}: half of the atoms have their nearest neighbour at {shown} or beyond, where "
        f"{nearest:.3g} Å is usual; if lengths are in {looks}, say so with --length-unit "
        f"{looks.lower()}, if not, with --length-unit angstrom"
    )


def nearest_distance(atoms: "Atoms") -> float:
    """Shortest distance between two atoms of a perfect crystal, Å."""
    from glassdata.neighbours import neighbours

    for reach in (4.0, 8.0, 16.0):
        if len(found := neighbours("d", atoms, reach)):
            return float(found.min())
    return reach


def doubt_lengths(atoms: "Atoms", where: str) -> None:
    """Warn of atoms that are too far apart for bonds: what a file in Bohr looks like.

    Atoms of noble gases have none, and are not doubted.
    """
    from ase.data import atomic_numbers, covalent_radii

    symbols = set(atoms.symbols)
    if symbols <= set(_NOBLE):
        return
    bond = 2 * max(covalent_radii[atomic_numbers[symbol]] for symbol in symbols)
    nearest = nearest_distance(atoms)
    if nearest > _LONG * bond:
        click.echo(
            f"glassdata: warning: {where}: the nearest atoms are {nearest:.3g} Å apart, and a bond "
            f"is about {bond:.3g} Å long; if lengths are in Bohr, say so with --length-unit bohr",
            err=True,
        )


def laid_flat(atoms: "Atoms") -> "Atoms":
    """A sheet that is periodic in two directions, turned so that these lie in the xy plane.

    Others are returned as they are.
    """
    if atoms.pbc.sum() != 2 or np.all(np.abs(atoms.cell.array[atoms.pbc, 2]) < _LEVEL):
        return atoms
    order = [*np.flatnonzero(atoms.pbc), int(np.flatnonzero(~atoms.pbc)[0])]
    turned = atoms.copy()
    turned.set_cell(turned.cell.complete().array[order])
    if np.linalg.det(turned.cell.array) < 0:
        turned.set_cell(turned.cell.array * [[1.0], [1.0], [-1.0]])
    turned.set_pbc((True, True, False))
    standard, rotation = turned.cell.standard_form()
    turned.set_positions(turned.positions @ rotation.T)
    turned.set_cell(standard)
    return turned


def _check_overlap(atoms: "Atoms", where: str) -> None:
    from glassdata.neighbours import neighbours

    first, second, distance = neighbours("ijd", atoms, OVERLAP)
    if len(first):
        if len(np.unique(first)) == len(atoms):
            raise click.UsageError(
                f"{where}: all atoms overlap, down to {distance.min():.3f} Å; if lengths are in "
                "nm, say so with --length-unit nm"
            )
        n = int(np.argmin(distance))
        i, j = int(first[n]), int(second[n])
        raise click.UsageError(
            f"{where}: atoms {i} ({atoms.symbols[i]}) and {j} ({atoms.symbols[j]}) overlap, "
            f"{distance[n]:.3f} Å apart (counted from 0)"
        )


def describe_all(
    frames: list["Atoms"], system: "System", *, relaxed: str | None, kick: float = 0.0
) -> list[dict[str, np.ndarray]]:
    """g(r), spectrum and checks of every structure, minimised first if ``relaxed``.

    Parameters
    ----------
    frames : list of Atoms
        Structures to describe.
    system : System
        The glass whose potential and bins are used.
    relaxed : str or None
        ``"fixed"`` minimises each of them in its cell, ``"pressure"`` with a cell that comes to
        zero pressure; None takes them as they are.
    kick : float, Å
        Standard deviation of random displacements before that, which lead off a saddle point.
    """
    from glassdata.describe import describe
    from glassdata.eigen import check_memory
    from glassdata.radial import rdf

    for atoms in frames:  # errors should come before a long minimisation
        check_memory(system.potential.dim, len(atoms))
        rdf(atoms, system.r_edges, dim=system.dim)
    return [
        describe(at_rest(atoms, system.potential, relaxed, kick=kick), system) for atoms in frames
    ]


def at_rest(
    atoms: "Atoms", potential: "EnergySurface", relaxed: str | None, *, kick: float = 0.0
) -> "Atoms":
    """The structure minimised as asked for, see :func:`describe_all`.

    Parameters
    ----------
    atoms : Atoms
    potential : EnergySurface
    relaxed : str or None
    kick : float, Å
    """
    from glassdata.minimise import relax

    if relaxed is None:
        return atoms
    if kick:
        atoms = atoms.copy()
        shape = (len(atoms), potential.dim)  # atoms of a plane stay in it
        atoms.positions[:, : potential.dim] += kick * np.random.default_rng(0).normal(size=shape)
    return relax(atoms, potential, cell="isotropic" if relaxed == "pressure" else "fixed")
