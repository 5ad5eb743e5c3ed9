"""Neighbour lists that survive the motion of the atoms."""

import numpy as np
from ase import Atoms
from ase.geometry import complete_cell
from numba import njit

from glassdata.potentials.base import Bonds, Potential

# Skins in units of the cut-off. Searching for neighbours costs as much as some thirty energies,
# and the line search of a minimiser jumps to and fro: pairs are hence looked for far out and
# seldom, and a short list is picked from them whenever atoms have moved a little.
_NEAR, _FAR = 0.15, 0.5


class VerletList:
    """The bonds of a potential along a path of positions and cells."""

    def __init__(self, atoms: Atoms, potential: Potential) -> None:
        self._atoms = atoms.copy()
        self._potential = potential
        self._far = _Snapshot(self._atoms.positions, np.asarray(atoms.cell))
        self._far_bonds = potential.bonds(self._atoms, skin=_FAR * potential.cutoff)
        self._pick(self._atoms.positions, np.asarray(atoms.cell))

    def at(self, positions: np.ndarray, cell: np.ndarray) -> Bonds:
        """Bonds at these positions (N, 3) and cell (3, 3), Å; some lie beyond the cut-off."""
        reach = self._potential.cutoff
        if self._far.slack(positions, cell, reach) > _FAR * reach:
            self._atoms.set_cell(cell)
            self._atoms.positions[:] = positions
            self._far = _Snapshot(positions, cell)
            self._far_bonds = self._potential.bonds(self._atoms, skin=_FAR * reach)
            self._pick(positions, cell)
        elif self._near.slack(positions, cell, reach) > _NEAR * reach:
            self._pick(positions, cell)
        return self._near_bonds.moved(positions, cell)

    def _pick(self, positions: np.ndarray, cell: np.ndarray) -> None:
        self._near = _Snapshot(positions, cell)
        far = self._far_bonds.moved(positions, cell)
        kept = _shorter(far.vector, (1 + _NEAR) * self._potential.cutoff)
        self._near_bonds = Bonds(
            far.n_atoms, far.first[kept], far.second[kept], far.shift[kept], far.vector[kept]
        )


class _Snapshot:
    """Where the atoms were when a list was made."""

    def __init__(self, positions: np.ndarray, cell: np.ndarray) -> None:
        self.positions, self.cell = positions.copy(), cell.copy()

    def slack(self, positions: np.ndarray, cell: np.ndarray, reach: float) -> float:
        """By how much a pair within ``reach`` may have come closer since, at most (Å)."""
        # A homogeneous strain stretches a pair by its length; the rest is the atoms' own motion.
        strain = np.linalg.solve(complete_cell(self.cell), complete_cell(cell))
        drift = positions - self.positions @ strain
        moved = np.sqrt(np.einsum("ia,ia->i", drift, drift).max())
        return float(2 * moved + np.linalg.norm(strain - np.eye(3), 2) * 2 * reach)


@njit(cache=True)
def _shorter(vector, reach):
    kept = np.empty(len(vector), dtype=np.int64)
    count = 0
    for p in range(len(vector)):
        x, y, z = vector[p]
        if x * x + y * y + z * z < reach * reach:
            kept[count] = p
            count += 1
    return kept[:count].copy()
