"""Traces of a potential's flaws in a structure.

Two flaws show in spectra: pairs of atoms that rest in a false minimum of the potential's functions,
and atoms that are held at distances where a bond is switched off.
"""

from typing import NamedTuple

import numpy as np
from ase import Atoms

from glassdata.potentials.base import Bonds, lengths
from glassdata.potentials.surface import EnergySurface


class FalsePair(NamedTuple):
    """Two atoms that are nearer than the distance from which on their potential is right.

    Attributes
    ----------
    first, second : int
        Indices of the atoms; equal where an atom meets its own periodic image.
    symbols : tuple of two str
    distance, shortest : float, Å
        Their distance, and the distance from which on the potential is right.

    Examples
    --------
    >>> print(FalsePair(0, 1, ("Cu", "Zr"), distance=1.7, shortest=2.0))
    Cu 0 and Zr 1 are 1.70 Å apart; the potential holds from 2 Å
    """

    first: int
    second: int
    symbols: tuple[str, str]
    distance: float
    shortest: float

    def __str__(self) -> str:
        one, other = self.symbols
        return (
            f"{one} {self.first} and {other} {self.second} are {self.distance:.2f} Å apart; "
            f"the potential holds from {self.shortest:g} Å"
        )


def false_pairs(atoms: Atoms, potential: EnergySurface) -> list[FalsePair]:
    """All pairs of atoms nearer than the shortest distance at which the potential is right.

    Parameters
    ----------
    atoms : Atoms
    potential : EnergySurface
        Its ``shortest`` has the distances; a potential without them has no such pairs.

    Returns
    -------
    list of FalsePair
        Nearest first.

    Examples
    --------
    >>> from ase import Atoms
    >>> from glassdata.systems import SYSTEMS
    >>> dimer = Atoms("Cu2", positions=[[0, 0, 0], [1.72, 0, 0]])
    >>> print(*false_pairs(dimer, SYSTEMS["cualzr_sheng"].potential))
    Cu 0 and Cu 1 are 1.72 Å apart; the potential holds from 2 Å
    """
    limits = {frozenset(pair): distance for pair, distance in potential.shortest.items()}
    if not limits:
        return []
    bonds = Bonds.of(atoms, max(limits.values()), half=True)
    found = []
    for i, j, vector in zip(bonds.first.tolist(), bonds.second.tolist(), bonds.vector, strict=True):
        symbols, distance = (atoms.symbols[i], atoms.symbols[j]), float(np.linalg.norm(vector))
        limit = limits.get(frozenset(symbols), 0.0)
        if distance < limit:
            found.append(FalsePair(i, j, symbols, distance, limit))
    return sorted(found, key=lambda pair: pair.distance)


def pinned_fraction(atoms: Atoms, potential: EnergySurface) -> float:
    """Share of the atoms that have a neighbour within the window where bonds are switched off.

    There the energy changes by a whole bond within a few tenths of an ångström. Atoms are held at
    the edges of the window, and the window determines their curvature, of either sign.

    Parameters
    ----------
    atoms : Atoms
    potential : EnergySurface
        Its ``window`` gives the distances where bonds of two species are switched off.

    Returns
    -------
    float
        From 0 to 1; 0 for a potential without such windows.

    Examples
    --------
    A carbon pair at 2 Å; Tersoff's carbon fades from 1.8 to 2.1 Å.

    >>> from ase import Atoms
    >>> from glassdata.potentials import TERSOFF_1989, BondOrder
    >>> atoms = Atoms("C3", positions=[[0, 0, 0], [2.0, 0, 0], [9.0, 0, 0]])
    >>> round(pinned_fraction(atoms, BondOrder(TERSOFF_1989)), 3)
    0.667
    """
    present, kind = np.unique(atoms.numbers, return_inverse=True)
    symbols = [atoms.symbols[int(np.argmax(atoms.numbers == number))] for number in present]
    edges = [[potential.window(a, b) or (np.inf, 0.0) for b in symbols] for a in symbols]
    windows = np.array(edges).reshape(len(symbols), len(symbols), 2)
    reach = windows[:, :, 1].max(initial=0.0)
    if reach == 0.0:
        return 0.0
    bonds = Bonds.of(atoms, reach, half=True)
    r, _ = lengths(bonds.vector)
    inner, outer = windows[kind[bonds.first], kind[bonds.second]].T
    inside = (inner < r) & (r < outer)
    pinned = np.zeros(len(atoms), dtype=bool)
    pinned[bonds.first[inside]] = pinned[bonds.second[inside]] = True
    return float(pinned.mean())
