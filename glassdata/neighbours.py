"""Which atoms are near each other, in any cell."""

import numpy as np
from ase import Atoms
from matscipy.neighbours import neighbour_list


def neighbours(quantities: str, atoms: Atoms, cutoff: float):
    """All ordered pairs of atoms closer than ``cutoff``, periodic images included.

    Parameters
    ----------
    quantities
        What to return, letter by letter, as ``matscipy.neighbours.neighbour_list`` does:
        ``i``, ``j`` indices, ``d`` distances (Å), ``D`` vectors (Å), ``S`` cell shifts.
    atoms
        Cell vectors may be missing (zero) in directions that are not periodic.
    cutoff
        Å; a pair at exactly this distance does not count.

    Raises
    ------
    ValueError
        If positions are not finite or a periodic direction has no cell vector.
    """
    if not np.isfinite(atoms.positions).all() or not np.isfinite(atoms.cell.array).all():
        raise ValueError("positions and cell must be finite")
    # Missing vectors are filled in, so a periodic one that is missing must be found before.
    if np.any(atoms.pbc & (atoms.cell.lengths() == 0)):
        raise ValueError(f"a periodic direction has no cell vector: cell {atoms.cell.tolist()}")
    cell = atoms.cell.complete()
    if not cell.volume > 0:
        raise ValueError(f"cell vectors are linearly dependent: cell {atoms.cell.tolist()}")
    return neighbour_list(
        quantities, positions=atoms.positions, cell=cell, pbc=atoms.pbc, cutoff=cutoff
    )
