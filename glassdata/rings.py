"""Rings of a sheet: the faces of its bond graph, drawn in the plane.

A threefold sheet, buckled or not, is a planar graph on a torus once it is projected on xy. Its
faces are traced from directed bonds ("half-edges"): arriving at an atom, leave by the next bond
clockwise from the one just used, which keeps the face on the left. Each directed bond borders
exactly one face, so every face is found once and no largest size has to be given.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from glassdata.neighbours import neighbours
from glassdata.sheet import check_sheet


@dataclass(frozen=True)
class _Bonds:
    """Directed bonds, sorted by first atom and, around it, counter-clockwise."""

    start: np.ndarray  # (n,) atom it leaves
    end: np.ndarray  # (n,) atom it reaches
    shift: np.ndarray  # (n, 3) cell boundaries it crosses
    vector: np.ndarray  # (n, 2) Å, in the plane


def rings(atoms: Atoms, cutoff: float) -> list[np.ndarray]:
    """Rings of a sheet as faces of its bond graph.

    Parameters
    ----------
    atoms
        A sheet along xy. Periodic directions, if any, must lie in the xy plane; only the
        projection of the bonds on xy is used to order them.
    cutoff
        Atoms closer than this are bonded, Å. No two bonds may cross in the projection.

    Returns
    -------
    list of ndarray of int
        Atoms of each ring, counter-clockwise seen from +z. In a connected sheet with periodic
        boundaries there are E − V rings (Euler on the torus), E bonds and V atoms counted without
        those that dangle.

    Notes
    -----
    Atoms with fewer than two bonds belong to no ring. They are removed, repeatedly, before the
    faces are traced. A chain that joins two cycles stays, and the face around it passes the chain
    twice: its size is then the number of steps along its border, and atoms repeat. Not rings, and
    left out, are the outer border of a flake or of a fragment inside a hole, and faces that wind
    around the cell (between ribbons). Of a hole with a loose fragment inside only the hole's own
    border counts.

    Raises
    ------
    ValueError
        If a periodic direction leaves the xy plane, or as :func:`glassdata.neighbours.neighbours`.

    Examples
    --------
    >>> from ase.build import graphene
    >>> [len(ring) for ring in rings(graphene(size=(2, 2, 1), vacuum=10.0), 1.8)]
    [6, 6, 6, 6]
    """
    bonds, faces = _faces(atoms, cutoff)
    return [bonds.start[face] for face in faces]


def ring_polygons(atoms: Atoms, cutoff: float) -> list[np.ndarray]:
    """Corners of each ring of :func:`rings`, in the same order, for drawing.

    Parameters
    ----------
    atoms, cutoff
        As for :func:`rings`.

    Returns
    -------
    list of ndarray, shape (n, 2)
        xy in Å, continued across the periodic boundary from the position of the ring's first atom.
        The areas add up to the area of a connected periodic sheet.

    Examples
    --------
    >>> from ase.build import graphene
    >>> [corners.shape for corners in ring_polygons(graphene(vacuum=10.0), 1.8)]
    [(6, 2)]
    """
    bonds, faces = _faces(atoms, cutoff)
    polygons = []
    for face in faces:
        steps = np.cumsum(bonds.vector[face[:-1]], axis=0)
        polygons.append(atoms.positions[bonds.start[face[0]], :2] + np.r_[[[0.0, 0.0]], steps])
    return polygons


def ring_fractions(atoms: Atoms, cutoff: float, sizes: Sequence[int] = (5, 6, 7)) -> np.ndarray:
    """Fraction of all rings that have each of ``sizes``.

    Parameters
    ----------
    atoms, cutoff
        As for :func:`rings`.
    sizes : sequence of int
        Numbers of atoms.

    Returns
    -------
    ndarray, shape (len(sizes),)
        Adds up to less than 1 where rings of other sizes exist; zeros where there are no rings.

    Examples
    --------
    >>> from ase.build import graphene
    >>> ring_fractions(graphene(size=(4, 4, 1), vacuum=10.0), 1.8)
    array([0., 1., 0.])
    """
    found = np.array([len(ring) for ring in rings(atoms, cutoff)])
    return np.array([np.count_nonzero(found == size) for size in sizes]) / max(len(found), 1)


def _faces(atoms: Atoms, cutoff: float) -> tuple[_Bonds, list[np.ndarray]]:
    """Bonds of the sheet and its rings as arrays of indices of directed bonds."""
    bonds = _bonds(atoms, cutoff)
    following = _following(bonds)
    seen = np.zeros(len(following), bool)
    faces = []
    for first in range(len(following)):
        face = []
        bond = first
        while not seen[bond]:
            seen[bond] = True
            face.append(bond)
            bond = following[bond]
        if face and _is_ring(bonds, face):
            faces.append(np.array(face))
    return bonds, faces


def _bonds(atoms: Atoms, cutoff: float) -> _Bonds:
    check_sheet(atoms)
    start, end, shift, vector = neighbours("ijSD", atoms, cutoff)
    degree = np.bincount(start, minlength=len(atoms))
    while np.any(degree == 1):
        keep = (degree[start] > 1) & (degree[end] > 1)
        start, end, shift, vector = start[keep], end[keep], shift[keep], vector[keep]
        degree = np.bincount(start, minlength=len(atoms))
    order = np.lexsort((np.arctan2(vector[:, 1], vector[:, 0]), start))
    return _Bonds(start[order], end[order], shift[order], vector[order, :2])


def _following(bonds: _Bonds) -> np.ndarray:
    """For each directed bond, the next one along the face on its left."""
    # A bond and its reverse carry the same sorted pair of keys, so sorting both ways aligns them.
    there = np.lexsort((*bonds.shift.T, bonds.end, bonds.start))
    back = np.lexsort((*-bonds.shift.T, bonds.start, bonds.end))
    reverse = np.empty(len(there), int)
    reverse[there] = back
    first = np.searchsorted(bonds.start, bonds.start)
    last = np.searchsorted(bonds.start, bonds.start, side="right") - 1
    index = np.arange(len(reverse))
    clockwise = np.where(index == first, last, index - 1)
    return clockwise[reverse]


def _is_ring(bonds: _Bonds, face: list[int]) -> bool:
    """Whether a face closes without winding around the cell and has its inside on its left."""
    if np.any(bonds.shift[face].sum(axis=0) != 0):
        return False
    x, y = np.cumsum(bonds.vector[face], axis=0).T
    return bool(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) > 0)
