"""Neighbour lists that stay valid while the atoms move a little."""

from typing import Any, Protocol

import numpy as np
from ase import Atoms
from ase.geometry import complete_cell

# Skin in units of the cut-off. The line search of a minimiser makes steps back and forth, and a
# search for neighbours costs as much as a few energies.
SKIN = 0.15


class Bonded(Protocol):
    """Anything with bonds up to a cut-off, such as a potential."""

    @property
    def cutoff(self) -> float:
        """Largest distance of interaction, Å."""

    def bonds(self, atoms: Atoms, skin: float = 0.0) -> Any:
        """The bonds within the cut-off, and those up to ``skin`` (Å) longer."""


class VerletList:
    """The bonds of a potential along a path of positions and cells."""

    def __init__(self, atoms: Atoms, potential: Bonded) -> None:
        self._atoms = atoms.copy()
        self._potential = potential
        self._search(atoms.positions, np.asarray(atoms.cell))

    def at(self, positions: np.ndarray, cell: np.ndarray) -> Any:
        """Bonds at these positions (N, 3) and cell (3, 3), Å; some lie beyond the cut-off.

        They are valid until the next call, which writes into the same memory: new memory for large
        arrays in each call would cost more time than the arithmetic.
        """
        if self._seen.slack(positions, cell, self._potential.cutoff) > self._skin:
            self._search(positions, cell)
        self._bonds.follow(positions, cell)
        return self._bonds

    def _search(self, positions: np.ndarray, cell: np.ndarray) -> None:
        self._atoms.set_cell(cell)
        self._atoms.positions[:] = positions
        self._seen = _Snapshot(positions, cell)
        self._bonds = self._potential.bonds(self._atoms, skin=self._skin)

    @property
    def _skin(self) -> float:
        return SKIN * self._potential.cutoff


class _Snapshot:
    """Where the atoms were when a list was made."""

    def __init__(self, positions: np.ndarray, cell: np.ndarray) -> None:
        self.positions, self.cell = positions.copy(), complete_cell(cell)

    def slack(self, positions: np.ndarray, cell: np.ndarray, reach: float) -> float:
        """By how much a pair within ``reach`` may have come closer since, at most (Å)."""
        # A homogeneous strain stretches a pair by its length; the rest is the atoms' own motion.
        strain = np.linalg.solve(self.cell, complete_cell(cell))
        drift = positions - self.positions @ strain
        moved = np.sqrt(np.einsum("ia,ia->i", drift, drift).max())
        stretched = np.linalg.svd(strain - np.eye(3), compute_uv=False)[0]
        return float(2 * moved + stretched * 2 * reach)
