"""A tetrahedral network: the angles between its bonds, and its rings.

Silicon and silicon carbide bond to four neighbours at about 109.5°. How far a glass departs from
that is what computed and measured networks are compared by.
"""

import numpy as np
from ase import Atoms
from matscipy.neighbours import neighbour_list
from matscipy.rings import distances_on_graph, find_sp_rings

from glassdata.neighbours import neighbours

#: Sizes of the rings that are counted.
RING_SIZES = (5, 6, 7)


def bond_angles(atoms: Atoms, cutoff: float) -> np.ndarray:
    """Angles between all pairs of bonds that meet at an atom.

    Parameters
    ----------
    atoms : Atoms
    cutoff : float, Å
        Atoms nearer than this are bonded.

    Returns
    -------
    ndarray, shape (n_angles,), degrees
        k (k − 1) / 2 angles for an atom of k bonds.

    Examples
    --------
    Six angles at each of the two atoms of diamond's cell, all arccos(−1/3):

    >>> from ase.build import bulk
    >>> angles = bond_angles(bulk("Si", "diamond", a=5.431), 2.9)
    >>> len(angles), round(float(angles.mean()), 2), round(float(angles.std()), 2)
    (12, 109.47, 0.0)
    """
    first, vectors = neighbours("iD", atoms, cutoff)
    order = np.argsort(first, kind="stable")
    first, vectors = first[order], vectors[order]
    directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    angles = [np.zeros(0)]
    for bonds in np.split(directions, np.flatnonzero(np.diff(first)) + 1):
        one, other = np.triu_indices(len(bonds), k=1)
        cosines = np.einsum("nx,nx->n", bonds[one], bonds[other])
        angles.append(np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0))))
    return np.concatenate(angles)


def rings_per_atom(atoms: Atoms, cutoff: float) -> np.ndarray:
    """Numbers of shortest-path rings of five, six and seven members, per atom.

    A shortest-path ring has no short cut between any two of its atoms: Franzblau, Phys. Rev. B 44,
    4925 (1991), doi:10.1103/PhysRevB.44.4925. They are counted by matscipy.

    Parameters
    ----------
    atoms : Atoms
    cutoff : float, Å
        Atoms nearer than this are bonded.

    Returns
    -------
    ndarray, shape (3,)

    Examples
    --------
    Diamond has two rings of six members an atom and no others:

    >>> from ase.build import bulk
    >>> crystal = bulk("Si", "diamond", a=5.431, cubic=True) * (3, 3, 3)
    >>> rings_per_atom(crystal, 2.9)
    array([0., 2., 0.])
    """
    # matscipy's own ``ring_statistics`` fails where there are rings of the largest size asked for.
    largest = RING_SIZES[-1]
    i, j, vectors = neighbour_list("ijD", atoms, cutoff)
    counts = np.zeros(largest + 1)
    if len(i):
        found = find_sp_rings(i, j, vectors, distances_on_graph(i, j), largest)
        counts[: len(found)] = found
    return counts[list(RING_SIZES)] / len(atoms)
