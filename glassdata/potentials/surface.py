"""What every source of energies offers: a potential of this package, or a calculator of ASE.

Minimisers, Hessians, spectra and stress ask for nothing else, so that none of them has to know
where the energies come from.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
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
        Largest force at which a minimiser should turn to Newton's method, in units of the force
        that it is to reach.
    shortest : mapping of pairs of symbols to float, Å
        Distance below which the potential of two species, in either order, is wrong; empty where
        no such distance is known. It describes the potential and changes no energy, so it is not
        part of ``parameters``.
    continuity : int
        Number of derivatives of the energy that are continuous wherever atoms are: 1 if the forces
        are, 0 if only the energy is, -1 if even that jumps. Minimisers need 1.

    Examples
    --------
    >>> from glassdata.potentials import LennardJones
    >>> argon = LennardJones(epsilon=0.0103, sigma=3.405, r_cut=8.5)
    >>> argon.species, argon.cutoff, argon.continuity  # forces without a jump
    (('Ar',), 8.5, 1)
    >>> energy, gradient = argon.evaluate(Atoms("Ar2", positions=[[0, 0, 0], [9, 0, 0]]))
    >>> energy  # beyond the cut-off
    0.0
    """

    dim: int = 3
    shortest: Mapping[tuple[str, str], float] = MappingProxyType({})
    continuity: int = 1
    newton_from: ClassVar[float] = 1.0

    @property
    def lacking(self) -> str | None:
        """What a user must give or install before energies can be computed; None if nothing."""
        return None

    @property
    @abstractmethod
    def species(self) -> tuple[str, ...]:
        """Chemical symbols of the species that it has parameters for."""

    @property
    @abstractmethod
    def cutoff(self) -> float:
        """Largest distance of interaction, Å."""

    @abstractmethod
    def parameters(self) -> dict:
        """Everything that determines the energies, as plain data."""

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

    def window(self, a: str, b: str) -> tuple[float, float] | None:
        """Distances (Å) between which the bond of two species is switched off; None if it is not.

        Only potentials whose bonds end between first and second neighbours have such a window. A
        cut-off among far neighbours does not count: little is left there to be switched off.
        """
        return None

    def check_species(self, atoms: Atoms) -> None:
        """Refuse atoms of species that it has no parameters for.

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

    def check_shortest(self) -> None:
        """Refuse a shortest distance that is not positive, or is of unknown species.

        Raises
        ------
        ValueError
            Naming the pair.
        """
        for pair, distance in self.shortest.items():
            if len(pair) != 2 or not set(pair) <= set(self.species):
                raise ValueError(f"shortest: {pair} is not a pair of {', '.join(self.species)}")
            if not 0 < distance < np.inf:
                raise ValueError(f"shortest: {distance} Å of {'-'.join(pair)} is not a distance")


class Path(ABC):
    """Energies of the same atoms at one set of positions after the other, as a minimiser asks."""

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
        """Derivative of the energy with respect to strain, (3, 3), eV, at the last positions."""
