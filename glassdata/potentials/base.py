"""Potentials as functions of the bond vectors between atoms.

With bond vectors ``d_p = x_j - x_i`` the forces, the virial and the Hessian follow from
derivatives with respect to ``d`` alone, in this one module for all potentials.

Compiled functions of all potentials loop where an array expression would be shorter: Numba needs
seconds to compile an array assigned to a slice, a sort or a cumulative sum. For the same reason
counters that are passed to other functions begin as ``np.int64(0)``: with a literal 0 those would
be compiled twice. In inner loops indices are unsigned: compiled code then does not check whether
they are negative.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.data import atomic_numbers
from scipy import sparse

from glassdata.errors import StructureError
from glassdata.kernels import compiled
from glassdata.neighbours import neighbours
from glassdata.potentials.surface import EnergySurface, Path
from glassdata.potentials.verlet import VerletList


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

    Examples
    --------
    Two atoms at 1.5 Å have one bond, which is counted from both ends unless ``half`` is set:

    >>> pair = Atoms("C2", positions=[[0, 0, 0], [1.5, 0, 0]])
    >>> Bonds.of(pair, 2.0, half=True).vector.tolist()
    [[1.5, 0.0, 0.0]]
    >>> len(Bonds.of(pair, 2.0, half=False).first)
    2
    """

    n_atoms: int
    first: np.ndarray
    second: np.ndarray
    shift: np.ndarray
    vector: np.ndarray

    @classmethod
    def of(cls, atoms: Atoms, cutoff: float, *, half: bool) -> "Bonds":
        """All pairs within ``cutoff`` (Å), every periodic image counted.

        Parameters
        ----------
        atoms : Atoms
            With their cell and periodicity.
        cutoff : float, Å
        half : bool
            Keep only one of each pair and its reverse.

        Examples
        --------
        An atom of an fcc crystal has twelve nearest neighbours, half of them kept here:

        >>> from ase.build import bulk
        >>> from glassdata.potentials import Bonds
        >>> len(Bonds.of(bulk("Cu", a=3.6), 2.6, half=True).first)
        6
        """
        return cls(len(atoms), *neighbours("ijSD", atoms, cutoff, half=half))

    def follow(self, positions: np.ndarray, cell: np.ndarray) -> None:
        """Update the vectors of these pairs to new positions (N, 3) and cell (3, 3), Å."""
        _follow(self.first, self.second, self.shift, positions, cell, self.vector)

    def gather(self, gradient: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Derivatives by positions and strain, from those by the bond vectors, (P, 3).

        Returns
        -------
        (N, 3), the derivative with respect to the atoms; (3, 3), the virial, which is the
        derivative with respect to the strain of space.
        """
        return _gather(self.n_atoms, self.first, self.second, self.vector, gradient)

    def assemble(self, blocks: np.ndarray) -> sparse.bsr_array:
        """Hessian (3N, 3N) of a sum of pair terms with second derivatives ``blocks`` (P, 3, 3)."""
        nothing = np.empty((len(blocks), 0))
        starts, columns, merged = self.merged(blocks, nothing, nothing)
        return block_matrix(starts, columns, merged)

    def merged(
        self, blocks: np.ndarray, to_second: np.ndarray, to_first: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Block rows over the atoms and their neighbours, images of one atom added up.

        Parameters
        ----------
        blocks : (P, 3, 3)
            Second derivatives of pair terms with respect to the bond vectors.
        to_second, to_first : (P, 3) or (P, 0)
            For embedded atoms: derivative, with respect to the bond vector, of the density that
            the first atom adds at the second, and of that which the second adds at the first;
            (P, 0) for other potentials.

        Returns
        -------
        starts (N + 1,), columns (B,), merged (B, 3, 3 or 4)
            Block row i holds the blocks ``starts[i]:starts[i + 1]``, with ascending columns: the
            Hessian of the pair terms, and in a fourth column the derivative of the density at i.
        """
        own = np.arange(self.n_atoms, dtype=self.first.dtype)
        rows = np.concatenate((self.first, self.second, own))
        columns = np.concatenate((self.second, self.first, own))
        values = _ends(self.n_atoms, self.first, self.second, blocks, to_second, to_first)
        return _merge(self.n_atoms, rows, columns, values)


def from_blocks(
    n_atoms: int, rows: np.ndarray, columns: np.ndarray, blocks: np.ndarray
) -> sparse.bsr_array:
    """Sum of 3 × 3 blocks (B, 3, 3) at pairs of atoms as a sparse (3N, 3N) matrix.

    Parameters
    ----------
    n_atoms : int
        N, the number of atoms.
    rows, columns : (B,)
        The two atoms of each block. Blocks of the same pair are added.
    blocks : (B, 3, 3), eV/Å²
    """
    return block_matrix(*_merge(n_atoms, rows, columns, blocks))


def block_matrix(starts: np.ndarray, columns: np.ndarray, blocks: np.ndarray) -> sparse.bsr_array:
    """Sparse (3N, 3N) matrix from its rows of 3 × 3 blocks.

    Parameters
    ----------
    starts : (N + 1,)
        Number of the first block of each row of blocks, and the number B of all of them.
    columns : (B,)
        Column of each block.
    blocks : (B, 3, 3), eV/Å²
    """
    n = 3 * (len(starts) - 1)
    return sparse.bsr_array((blocks, columns, starts), shape=(n, n))


@compiled
def _follow(first, second, shift, positions, cell, vector):
    for p in range(len(first)):
        i, j = np.uint64(first[p]), np.uint64(second[p])
        x, y, z = shift[p]
        for a in range(3):
            apart = positions[j, a] - positions[i, a]
            vector[p, a] = apart + x * cell[0, a] + y * cell[1, a] + z * cell[2, a]


@compiled
def _gather(n_atoms, first, second, vector, gradient):
    total, virial = np.zeros((n_atoms, 3)), np.empty((3, 3))
    # Nine numbers, not an array: they stay in registers.
    xx = xy = xz = yx = yy = yz = zx = zy = zz = 0.0
    for p in range(len(first)):
        i, j = np.uint64(first[p]), np.uint64(second[p])
        for a in range(3):
            total[j, a] += gradient[p, a]
            total[i, a] -= gradient[p, a]
        x, y, z = vector[p, 0], vector[p, 1], vector[p, 2]
        u, v, w = gradient[p, 0], gradient[p, 1], gradient[p, 2]
        xx, xy, xz = xx + x * u, xy + x * v, xz + x * w
        yx, yy, yz = yx + y * u, yy + y * v, yz + y * w
        zx, zy, zz = zx + z * u, zy + z * v, zz + z * w
    virial[0, 0], virial[0, 1], virial[0, 2] = xx, xy, xz
    virial[1, 0], virial[1, 1], virial[1, 2] = yx, yy, yz
    virial[2, 0], virial[2, 1], virial[2, 2] = zx, zy, zz
    return total, virial


@compiled
def _ends(n_atoms, first, second, blocks, to_second, to_first):
    """Each bond's contributions to the four blocks of its two ends, diagonal blocks last."""
    n_bonds, extra = len(first), to_second.shape[1] > 0
    width = 4 if extra else 3
    own = 2 * n_bonds
    values = np.zeros((own + n_atoms, 3, width))
    for p in range(n_bonds):
        i, j = own + first[p], own + second[p]
        for a in range(3):
            for b in range(3):
                value = blocks[p, a, b]
                values[p, a, b] = -value
                values[n_bonds + p, b, a] = -value
                values[i, a, b] += value
                values[j, b, a] += value
            if extra:
                values[p, a, 3] = to_first[p, a]
                values[n_bonds + p, a, 3] = -to_second[p, a]
                values[i, a, 3] -= to_first[p, a]
                values[j, a, 3] += to_second[p, a]
    return values


@compiled
def _sorted_order(keys, order, n):
    """Counting sort of ``order`` by ``keys``, stable."""
    starts = np.zeros(n + 1, dtype=np.int64)
    for k in keys:
        starts[k + 1] += 1
    for k in range(n):
        starts[k + 1] += starts[k]
    result = np.empty_like(order)
    for index in order:
        key = keys[index]
        result[starts[key]] = index
        starts[key] += 1
    return result


def _merge(
    n_atoms: int, rows: np.ndarray, columns: np.ndarray, blocks: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Block rows in order, columns ascending, blocks of the same row and column added up."""
    unsorted = np.arange(len(rows), dtype=np.int32)
    order, starts = _order_of_blocks(n_atoms, rows, columns, unsorted)
    # Large arrays are made by NumPy, not in compiled code: it asks the system for large pages.
    merged_columns = np.empty(starts[-1], dtype=np.int32)
    merged = np.zeros((starts[-1], *blocks.shape[1:]))
    _add_up(order, rows, columns, blocks, merged_columns, merged)
    return starts, merged_columns, merged


@compiled
def _order_of_blocks(n_atoms, rows, columns, unsorted):
    """Contributions in the order of the matrix, and how many blocks come before each row."""
    order = _sorted_order(rows, _sorted_order(columns, unsorted, n_atoms), n_atoms)
    starts = np.zeros(n_atoms + 1, dtype=np.int32)
    row, column = -1, -1
    for index in order:
        if rows[index] != row or columns[index] != column:
            row, column = rows[index], columns[index]
            starts[row + 1] += 1
    for row in range(n_atoms):
        starts[row + 1] += starts[row]
    return order, starts


@compiled
def _add_up(order, rows, columns, blocks, merged_columns, merged):
    here, row, column = -1, -1, -1
    for index in order:
        if rows[index] != row or columns[index] != column:
            row, column = rows[index], columns[index]
            here += 1
            merged_columns[here] = column
        for a in range(blocks.shape[1]):
            for b in range(blocks.shape[2]):
                merged[here, a, b] += blocks[index, a, b]


class Potential(EnergySurface):
    """An interatomic potential: immutable parameters and the functions that follow from them.

    A new potential implements the energy and its derivatives as functions of the bond vectors.
    Everything else that an energy surface offers is derived from them here.

    Attributes
    ----------
    half : bool
        Whether each pair is needed once (pair-like potentials) or from both ends.

    Examples
    --------
    >>> from glassdata.potentials import LennardJones
    >>> argon = LennardJones(epsilon=0.0103, sigma=3.405, r_cut=8.5)
    >>> isinstance(argon, Potential), argon.types(Atoms("Ar2")).tolist()
    (True, [0, 0])
    """

    half: ClassVar[bool]

    @abstractmethod
    def energy_gradient(self, types: np.ndarray, bonds: Bonds) -> tuple[float, np.ndarray]:
        """Energy (eV) and its derivative with respect to the bond vectors, (P, 3), eV/Å."""

    @abstractmethod
    def hessian(self, types: np.ndarray, bonds: Bonds) -> sparse.bsr_array:
        """Second derivatives with respect to the atoms, (3N, 3N), eV/Å²."""

    @abstractmethod
    def matscipy_calculator(self) -> Calculator:
        """A new matscipy calculator of the same potential: the independent reference.

        It must be new each time, because it remembers the last structure.
        """

    def matscipy_hessian(self, atoms: Atoms) -> sparse.spmatrix:
        """Hessian (3N, 3N), eV/Å², by the analytic code of matscipy, a reference for ours."""
        calculator: Any = self.matscipy_calculator()
        if hasattr(calculator, "get_hessian"):
            return calculator.get_hessian(atoms, format="sparse")
        return calculator.calculate_hessian_matrix(atoms)

    def types(self, atoms: Atoms) -> np.ndarray:
        """Index into ``species`` of every atom, (N,).

        Raises
        ------
        ValueError
            If the potential has no parameters for an element.
        """
        self.check_species(atoms)
        index = {atomic_numbers[symbol]: n for n, symbol in enumerate(self.species)}
        return np.array([index[number] for number in atoms.numbers], dtype=int)

    def bonds(self, atoms: Atoms, skin: float = 0.0) -> Bonds:
        """The bonds this potential needs, and those up to ``skin`` (Å) longer.

        Raises
        ------
        ValueError
            If two atoms are at the same position: their bond has no direction.
        """
        bonds = Bonds.of(atoms, self.cutoff + skin, half=self.half)
        apart = bonds.vector.any(axis=1)
        if not apart.all():
            one, other = (ends[apart.argmin()] for ends in (bonds.first, bonds.second))
            raise StructureError(f"atoms {one} and {other} are at the same position")
        return bonds

    def along(self, atoms: Atoms) -> "_BondPath":
        return _BondPath(self, atoms)

    def evaluate(self, atoms: Atoms) -> tuple[float, np.ndarray]:
        energy, gradient, _ = _of_bonds(self, self.types(atoms), self.bonds(atoms))
        return energy, gradient

    def virial(self, atoms: Atoms) -> np.ndarray:
        return _of_bonds(self, self.types(atoms), self.bonds(atoms))[2]

    def force_constants(self, atoms: Atoms) -> sparse.bsr_array:
        return self.hessian(self.types(atoms), self.bonds(atoms))


class PairPotential(Potential):
    """A potential whose energy is a sum over pairs of a function φ of their distance.

    A new one supplies φ' and φ'', and its Hessian follows: as a matrix, or as the springs of
    ``glassdata.dynamical``, which for a large glass need no matrix.

    Examples
    --------
    >>> from glassdata.potentials import LennardJones
    >>> argon = LennardJones(epsilon=0.0103, sigma=3.405, r_cut=8.5)
    >>> bonds = argon.bonds(Atoms("Ar2", positions=[[0, 0, 0], [3.5, 0, 0]]))
    >>> tension, curvature = argon.stiffness(np.zeros(2, int), bonds)  # pushed apart, and stiff
    >>> bool(tension[0] < 0), bool(curvature[0] > 0)
    (True, True)
    """

    half: ClassVar[bool] = True

    @abstractmethod
    def stiffness(self, types: np.ndarray, bonds: Bonds) -> tuple[np.ndarray, np.ndarray]:
        """φ'/r and φ'' of every bond, (P,) each, eV/Å²."""

    def hessian(self, types: np.ndarray, bonds: Bonds) -> sparse.bsr_array:
        tension, curvature = self.stiffness(types, bonds)
        _, unit = lengths(bonds.vector)
        return bonds.assemble(central_blocks(unit, curvature, tension))


class _BondPath(Path):
    """A path that searches for neighbours only when atoms have moved too far for the last list."""

    def __init__(self, potential: Potential, atoms: Atoms) -> None:
        self._potential, self._types = potential, potential.types(atoms)
        self._kept = VerletList(atoms, potential)

    def evaluate(self, positions: np.ndarray, cell: np.ndarray) -> tuple[float, np.ndarray]:
        bonds = self._kept.at(positions, cell)
        energy, gradient, self._virial = _of_bonds(self._potential, self._types, bonds)
        return energy, gradient

    def virial(self) -> np.ndarray:
        return self._virial


def _of_bonds(
    potential: Potential, types: np.ndarray, bonds: Bonds
) -> tuple[float, np.ndarray, np.ndarray]:
    """Energy, its derivative with respect to the positions, and the virial."""
    energy, per_bond = potential.energy_gradient(types, bonds)
    return energy, *bonds.gather(per_bond)


def lengths(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lengths (P,) and unit vectors (P, 3) of vectors (P, 3)."""
    length = np.sqrt(np.einsum("pa,pa->p", vectors, vectors))
    return length, vectors / length[:, None]


@compiled
def central_blocks(unit: np.ndarray, curvature: np.ndarray, tension: np.ndarray) -> np.ndarray:
    """Second derivatives (P, 3, 3) of functions of length: φ'' along the bond, φ'/r across it.

    Parameters
    ----------
    unit : (P, 3)
        Directions of the bonds.
    curvature : (P,), eV/Å²
        φ'', the second derivative by the length.
    tension : (P,), eV/Å²
        φ'/r, the first derivative divided by the length.
    """
    blocks = np.empty((len(unit), 3, 3))
    for p in range(len(unit)):
        for a in range(3):
            for b in range(3):
                blocks[p, a, b] = (curvature[p] - tension[p]) * unit[p, a] * unit[p, b]
            blocks[p, a, a] += tension[p]
    return blocks
