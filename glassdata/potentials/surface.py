"""What every source of energies offers, be it a potential of ours or a calculator of ASE.

Minimisers, Hessians, spectra and stress ask for nothing else, so that none of them has to know
where the energies come from.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from ase import Atoms
from scipy import sparse


class EnergySurface(ABC):
    """The potential energy of atoms as a function of their positions and their cell.

    Attributes
    ----------
    dim : int
        Dimension of the space the atoms live in; 2 drops everything along z.
    newton_from : float
        Where a minimiser should turn to Newton's method: largest force, in units of the one that
        is asked for.
    continuity : int
        Number of derivatives of the energy that are continuous wherever atoms are: 1 if the forces
        are, 0 if only the energy is, -1 if even that jumps. Minimisers need 1.
    """

    dim: int = 3
    continuity: int = 1
    newton_from: ClassVar[float] = 1.0

    @property
    @abstractmethod
    def species(self) -> tuple[str, ...]:
        """Chemical symbols that have energies here."""

    @property
    @abstractmethod
    def cutoff(self) -> float:
        """Largest distance of interaction, Å."""

    @abstractmethod
    def parameters(self) -> dict:
        """Everything that determines the numbers, as plain data."""

    @abstractmethod
    def along(self, atoms: Atoms) -> "Path":
        """A path that begins at these atoms; only positions and cell change along it."""

    @abstractmethod
    def evaluate(self, atoms: Atoms) -> tuple[float, np.ndarray]:
        """Energy (eV) and its derivative with respect to the positions, (N, 3), eV/Å."""

    @abstractmethod
    def virial(self, atoms: Atoms) -> np.ndarray:
        """Derivative of the energy with respect to the strain of space, (3, 3), eV."""

    @abstractmethod
    def force_constants(self, atoms: Atoms) -> sparse.bsr_array:
        """Second derivatives with respect to the positions, (3N, 3N), eV/Å², in 3 × 3 blocks."""

    def check_species(self, atoms: Atoms) -> None:
        """Refuse atoms that have no energy here.

        Raises
        ------
        ValueError
            Naming the elements.
        """
        unknown = sorted(set(atoms.symbols) - set(self.species))
        if unknown:
            raise ValueError(
                f"the potential knows {', '.join(self.species)}, not {', '.join(unknown)}"
            )


class Path(ABC):
    """Energies of the same atoms at many places, one after the other, as a minimiser asks."""

    @abstractmethod
    def evaluate(self, positions: np.ndarray, cell: np.ndarray) -> tuple[float, np.ndarray]:
        """Energy (eV) and its derivative with respect to the positions, (N, 3), eV/Å.

        Parameters
        ----------
        positions : (N, 3) Å
        cell : (3, 3) Å
        """

    @abstractmethod
    def virial(self) -> np.ndarray:
        """Derivative of the energy with respect to strain, (3, 3), eV, at the last place."""
