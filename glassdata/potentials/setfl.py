"""Reading and writing tabulated EAM/alloy (setfl) files."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from ase.data import atomic_masses, atomic_numbers

from glassdata import bounds
from glassdata.given import checked_file
from glassdata.potentials.eam import EAM, Tables

#: So many times its bytes does a text take as a list of the shortest lines.
_LINES = 32


def read_setfl(
    path: str | Path,
    *,
    sha256: str | None = None,
    source: str = "",
    shortest: Mapping[tuple[str, str], float] = MappingProxyType({}),
) -> EAM:
    """EAM potential from a setfl (``.eam.alloy``) file.

    Parameters
    ----------
    path : path of the file
    sha256 : str, optional
        Expected checksum of the file.
    source : str
        Citation of the potential, and where to obtain the file.
    shortest : mapping of pairs of symbols to float, Å
        Distance below which the tables are wrong: see ``false_pairs``.

    Returns
    -------
    EAM
        Energies in eV, lengths in Å; the checksum found is part of its identity.

    Raises
    ------
    FileNotFoundError
        If there is no such file; the message says where to obtain it.
    ValueError
        If the checksum differs or the file is not a setfl file.

    Examples
    --------
    The smallest file there can be: one species, and two points for each of F, f and r φ.

    >>> lines = ["made up", "", "", "1 Cu", "2 1.0 2 1.0 1.0", "29 63.5 3.6 fcc", "0 0  0 0  0 0"]
    >>> with open("copper.eam.alloy", "w") as file:
    ...     for line in lines:
    ...         print(line, file=file)
    >>> potential = read_setfl("copper.eam.alloy", source="nowhere")
    >>> potential.species, potential.cutoff  # Å
    (('Cu',), 1.0)
    """
    path = Path(path)
    content = checked_file(path, sha256, source, bounds.LIMIT // _LINES)
    try:
        symbols, r_cut, tables = _parse(content.decode("ascii", "replace"))
    except (ValueError, IndexError) as error:
        raise ValueError(f"{path}: not a setfl (eam/alloy) file: {error}") from error
    identity = f"{source} sha256:{hashlib.sha256(content).hexdigest()}".strip()
    return EAM(symbols, r_cut, identity, tables, dict(shortest))


def setfl_text(potential: EAM) -> str:
    """Content of the setfl file of a potential, the inverse of :func:`read_setfl`.

    Examples
    --------
    Two numbers a table would be too few for a crystal, and are enough for a file:

    >>> tables = Tables(np.zeros((1, 2)), np.ones((1, 2)), np.zeros((1, 1, 2)), 1.0, 3.0)
    >>> print(setfl_text(EAM(("Cu",), 3.0, "made up", tables)).splitlines()[3:6])
    ['1 Cu', '2 1.0 2 3.0 3.0', '29 63.546 0 none']
    """
    t, symbols = potential.tables, potential.symbols
    grid = (t.embedding.shape[1], float(t.d_rho), t.density.shape[1], float(t.d_r))
    lines = [potential.source.splitlines()[0], "", "", f"{len(symbols)} {' '.join(symbols)}"]
    lines.append(" ".join(str(number) for number in (*grid, potential.r_cut)))
    for kind, symbol in enumerate(symbols):
        number = atomic_numbers[symbol]
        lines.append(f"{number} {atomic_masses[number]} 0 none")
        lines += [f"{value:.17g}" for value in (*t.embedding[kind], *t.density[kind])]
    for kind in range(len(symbols)):
        for other in range(kind + 1):
            lines += [f"{value:.17g}" for value in t.pair[kind, other]]
    return "\n".join(lines) + "\n"


def _parse(text: str) -> tuple[tuple[str, ...], float, Tables]:
    """Three comment lines, species, grid, then per species F and f, then the r φ of all pairs."""
    lines = [line.split("#")[0] for line in text.splitlines()]
    names = lines[3].split()
    symbols = tuple(names[1 : 1 + int(names[0])])
    grid = lines[4].split()
    n_rho, d_rho, n_r, d_r = int(grid[0]), float(grid[1]), int(grid[2]), float(grid[3])
    r_cut = float(grid[4])
    words = " ".join(lines[5:]).split()
    if not symbols or len(set(symbols)) != int(names[0]) or not set(symbols) <= set(atomic_numbers):
        raise ValueError(f"line 4 is not a number of elements and their symbols: {lines[3]}")
    steps = min(n_rho, n_r) > 1 and 0 < d_rho < np.inf and 0 < d_r < np.inf
    if not steps or not 0 < r_cut <= n_r * d_r:
        raise ValueError(f"line 5 is not two grids and a cut-off within the second: {lines[4]}")
    if n_rho + n_r > len(words):
        raise ValueError("the tables end early")
    stream = iter(words)

    def take(count: int) -> np.ndarray:
        values = [float(next(stream, "nan")) for _ in range(count)]
        if not np.isfinite(values).all():
            raise ValueError("the tables end early")
        return np.array(values)

    n = len(symbols)
    embedding, density = np.empty((n, n_rho)), np.empty((n, n_r))
    for species in range(n):
        for _ in range(4):  # atomic number, mass, lattice constant, lattice type
            next(stream, "")
        embedding[species], density[species] = take(n_rho), take(n_r)
    pair = np.empty((n, n, n_r))
    for a in range(n):
        for b in range(a + 1):
            pair[a, b] = pair[b, a] = take(n_r)
    return symbols, r_cut, Tables(embedding, density, pair, d_rho, d_r)
