"""What every potential is here: a function of the bond vectors between atoms.

With bond vectors ``d_p = x_j - x_i`` the forces, the virial and the Hessian follow from
derivatives with respect to ``d`` alone, in one place for all potentials.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.data import atomic_numbers
from matscipy.neighbours import neighbour_list
from scipy import sparse


@dataclass(frozen=True)
class Bonds:
    """Directed pairs of atoms within a cut-off, sorted by their first atom.

    Attributes
    ----------
    n_atoms : int
    first, second : (P,) int
        Atoms at either end.
    shift : (P, 3) int
        Cell vectors to add to the second atom.
    vector : (P, 3) float, Å
        From the first atom to (that image of) the second.
    """

    n_atoms: int
    first: np.ndarray
    second: np.ndarray
    shift: np.ndarray
    vector: np.ndarray

    @classmethod
    def of(cls, atoms: Atoms, cutoff: float, *, half: bool) -> "Bonds":
        """All pairs within ``cutoff`` (Å), every periodic image counted.

        ``half`` keeps one of each pair and its reverse.
        """
        if not np.isfinite(atoms.positions).all():
            raise ValueError("a position is not finite")
        first, second, shift, vector = neighbour_list("ijSD", atoms, cutoff)
        if half:
            keep = (first < second) | ((first == second) & (_direction(shift) > 0))
            first, second, shift, vector = first[keep], second[keep], shift[keep], vector[keep]
        return cls(len(atoms), first, second, shift, vector)

    def moved(self, positions: np.ndarray, cell: np.ndarray) -> "Bonds":
        """The same pairs between atoms that have moved."""
        vector = positions[self.second] - positions[self.first] + self.shift @ cell
        return Bonds(self.n_atoms, self.first, self.second, self.shift, vector)

    def gather(self, gradient: np.ndarray) -> np.ndarray:
        """Derivative with respect to the atoms, (N, 3), from that with respect to bond vectors."""
        total = np.empty((self.n_atoms, 3))
        for axis in range(3):
            weights = gradient[:, axis]
            total[:, axis] = np.bincount(self.second, weights, self.n_atoms)
            total[:, axis] -= np.bincount(self.first, weights, self.n_atoms)
        return total

    def assemble(self, blocks: np.ndarray) -> sparse.csr_array:
        """Hessian (3N, 3N) of a sum of pair terms whose second derivatives are ``blocks`` (P, 3, 3)."""
        n = self.n_atoms
        diagonal = np.empty((n, 3, 3))
        for a in range(3):
            for b in range(3):
                diagonal[:, a, b] = np.bincount(self.first, blocks[:, a, b], n)
                diagonal[:, a, b] += np.bincount(self.second, blocks[:, b, a], n)
        own = np.arange(n)
        rows = np.concatenate([self.first, self.second, own])
        columns = np.concatenate([self.second, self.first, own])
        values = np.concatenate([-blocks, -blocks.transpose(0, 2, 1), diagonal])
        order = np.argsort(rows, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
        hessian = sparse.bsr_array((values[order], columns[order], starts), shape=(3 * n, 3 * n))
        hessian = hessian.tocsr()
        hessian.sum_duplicates()
        return hessian


def _direction(shift: np.ndarray) -> np.ndarray:
    """+1 or -1 for one of each pair of opposite shifts, 0 for none: sign of the first non-zero."""
    signs = np.sign(shift)
    return np.sign(4 * signs[:, 0] + 2 * signs[:, 1] + signs[:, 2])


class Potential(ABC):
    """An interatomic potential: immutable parameters and the functions that follow from them.

    Attributes
    ----------
    dim : int
        Dimension of the space the atoms live in; 2 drops everything along z.
    half : bool
        Whether each pair is needed once (pair-like potentials) or from both ends.
    """

    dim: int = 3
    half: ClassVar[bool]

    @property
    @abstractmethod
    def species(self) -> tuple[str, ...]:
        """Chemical symbols that the potential knows."""

    @property
    @abstractmethod
    def cutoff(self) -> float:
        """Largest distance of interaction, Å."""

    @abstractmethod
    def parameters(self) -> dict:
        """Everything that determines the numbers, as plain data."""

    @abstractmethod
    def energy_gradient(self, types: np.ndarray, bonds: Bonds) -> tuple[float, np.ndarray]:
        """Energy (eV) and its derivative with respect to the bond vectors, (P, 3), eV/Å."""

    @abstractmethod
    def hessian(self, types: np.ndarray, bonds: Bonds) -> sparse.csr_array:
        """Second derivatives with respect to the atoms, (3N, 3N), eV/Å²."""

    @abstractmethod
    def matscipy_calculator(self) -> Calculator:
        """A fresh matscipy calculator of the same potential: the independent reference.

        Fresh because matscipy's calculators keep state of the structure they saw last.
        """

    def types(self, atoms: Atoms) -> np.ndarray:
        """Index into ``species`` of every atom, (N,).

        Raises
        ------
        ValueError
            If the potential has no parameters for an element.
        """
        index = {atomic_numbers[symbol]: n for n, symbol in enumerate(self.species)}
        unknown = sorted(set(atoms.symbols) - set(self.species))
        if unknown:
            raise ValueError(
                f"the potential knows {', '.join(self.species)}, not {', '.join(unknown)}"
            )
        return np.array([index[number] for number in atoms.numbers], dtype=int)

    def bonds(self, atoms: Atoms, skin: float = 0.0) -> Bonds:
        """The bonds this potential needs, and those up to ``skin`` (Å) longer."""
        return Bonds.of(atoms, self.cutoff + skin, half=self.half)


def lengths(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lengths (P,) and unit vectors (P, 3) of vectors (P, 3)."""
    length = np.sqrt(np.einsum("pa,pa->p", vectors, vectors))
    return length, vectors / length[:, None]


def central_blocks(unit: np.ndarray, curvature: np.ndarray, tension: np.ndarray) -> np.ndarray:
    """Second derivatives (P, 3, 3) of functions of length: φ'' along the bond, φ'/r across it."""
    outer = unit[:, :, None] * unit[:, None, :]
    return (curvature - tension)[:, None, None] * outer + tension[:, None, None] * np.eye(3)
