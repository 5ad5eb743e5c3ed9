"""The dynamical matrix as an operator: products with vectors, without the matrix.

Moving all atoms alike costs no energy, so each block of the Hessian on the diagonal is minus the
sum of the others of its row, and

    (D x)_i = w_i Σ_j B_ij (w_i x_i − w_j x_j),   w = 1/√m,   B_ij = −∂²E/∂x_i∂x_j.

Every pair is kept once: of a pair potential its vector and two numbers, of any other potential
a block of d × d. Products see only differences of displacements, so translations have frequency
zero to rounding, also where the Hessian is made of differences of forces.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from scipy.sparse.linalg import LinearOperator

from glassdata.errors import StructureError
from glassdata.kernels import compiled
from glassdata.neighbours import neighbours, order_in_space
from glassdata.potentials import Bonds, EnergySurface, PairPotential, surface_of
from glassdata.potentials.base import central_blocks, lengths
from glassdata.sheet import check_flat
from glassdata.vibrations import hessian_blocks, mass_weights

# Atoms whose neighbours are searched together: the lists of more would fill the memory.
_PIECE = 200_000
# Parts of the atoms that threads take in turn. The number does not depend on that of the threads,
# so that sums have the same order, and rounding, with any of them.
_PARTS, _SMALLEST_PART = 48, 500
# Atoms of other potentials, whose range may be unknown, are put in order by boxes of this size, Å.
_BOX = 10.0


def operator(
    atoms: Atoms, potential: EnergySurface | Calculator, *, dtype: type = np.float64
) -> "DynamicalOperator":
    """The mass-weighted dynamical matrix as a SciPy ``LinearOperator``, never stored dense.

    Parameters
    ----------
    atoms : Atoms
        N atoms.
    potential : Potential or ASE calculator
        For a pair potential no block is stored: 24 bytes per pair in single precision. A
        calculator needs its dense Hessian first, so it does not suit large glasses.
    dtype : float64 or float32
        Precision in which pairs are kept; single precision takes half of the memory. Sums are
        formed in double precision either way, and products returned in the one asked for.

    Returns
    -------
    DynamicalOperator, shape (dN, dN), eV/(Å² u): its eigenvalues times ``glassdata.units.THZ``
    squared are squared frequencies in THz². Rows run over the coordinates of the first atom, then
    of the second, as in ``hessian``.

    Raises
    ------
    ValueError
        As for ``hessian``, for atoms without mass, or another type of numbers.

    Examples
    --------
    >>> import glassdata as gd
    >>> system = gd.SYSTEMS["lj3d"]
    >>> matrix = gd.operator(system.crystal(), system.potential)
    >>> along_x = np.tile([1.0, 0.0, 0.0], 4)  # all atoms alike, which costs no energy
    >>> matrix.shape, bool(np.abs(matrix @ along_x).max() < 1e-12)
    ((12, 12), True)
    """
    if np.dtype(dtype) not in (np.dtype(np.float64), np.dtype(np.float32)):
        raise ValueError(f"an operator has numbers of type float64 or float32, not {dtype!r}")
    weights, surface = mass_weights(atoms), surface_of(potential)
    if surface.dim == 2:
        check_flat(atoms)
    if isinstance(surface, PairPotential):
        order = order_in_space(atoms, surface.cutoff)
        pairs = _springs(atoms[order], surface, np.dtype(dtype))
    else:
        order = order_in_space(atoms, _BOX)
        pairs = _off_diagonal(atoms[order], surface, np.dtype(dtype))
    return DynamicalOperator(surface.dim, order, weights[order], *pairs)


class DynamicalOperator(LinearOperator):
    """A dynamical matrix of N atoms in d dimensions, made by :func:`operator`.

    Attributes
    ----------
    dim : int
        d, coordinates of each atom.
    order : (N,) int
        Order in which the operator keeps the atoms: that of space, so that neighbours are near
        each other in memory. ``step`` and ``largest`` work in that order, products do not show it.

    Examples
    --------
    >>> import glassdata as gd
    >>> system = gd.SYSTEMS["lj3d"]
    >>> matrix = gd.operator(system.crystal(), system.potential, dtype=np.float32)
    >>> matrix.dim, str(matrix.dtype)
    (3, 'float32')
    """

    def __init__(
        self,
        dim: int,
        order: np.ndarray,
        weights: np.ndarray,
        starts: np.ndarray,
        second: np.ndarray,
        springs: np.ndarray,
    ) -> None:
        super().__init__(springs.dtype, (dim * len(order), dim * len(order)))
        self.dim, self.order = dim, order
        self._weights = weights
        self._starts, self._second, self._springs = starts, second, springs
        self._product = _general if springs.ndim == 3 else _central
        self._parts, self._rounds = _without_conflicts(starts, second)

    @property
    def connected(self) -> bool:
        """Whether any two atoms act on each other."""
        return bool(self._springs.any())

    def inside(self, vectors: np.ndarray) -> np.ndarray:
        """Vectors (dN, n) in the operator's order of the atoms, (N, d, n), a copy."""
        by_atom = vectors.reshape(len(self.order), self.dim, -1)
        return np.ascontiguousarray(by_atom[self.order], dtype=np.float64)

    def outside(self, vectors: np.ndarray) -> np.ndarray:
        """Vectors (N, d, n) of the operator's order in the order of the structure, (dN, n)."""
        result = np.empty(vectors.shape, self.dtype)
        result[self.order] = vectors
        return result.reshape(self.shape[0], -1)

    def step(
        self, scale: float, shift: float, now: np.ndarray, before: np.ndarray, n_threads: int = 1
    ) -> None:
        """``before`` becomes ``(scale D - shift) now - before``, the step of a recursion.

        Parameters
        ----------
        scale, shift : float
        now, before : (N, d, n)
            Vectors in the operator's order, as ``inside`` gives them.
        n_threads : int
            The result does not depend on it.
        """

        def begin(part: int) -> None:
            _shift(self._parts[part], self._parts[part + 1], shift, now, before)

        def add(part: int) -> None:
            ends, stiff = (self._starts, self._second), (self._springs, self._weights)
            rows = self._parts[part], self._parts[part + 1]
            self._product(*rows, *ends, *stiff, scale, now, before)

        rounds = [(begin, range(len(self._parts) - 1)), *((add, some) for some in self._rounds)]
        if n_threads == 1 or len(self._parts) == 2:  # starting threads would cost more
            for work, parts in rounds:
                list(map(work, parts))
            return
        with ThreadPoolExecutor(n_threads) as pool:
            for work, parts in rounds:
                list(pool.map(work, parts))

    def _matmat(self, X: np.ndarray) -> np.ndarray:
        if np.iscomplexobj(X):
            return self._matmat(X.real) + 1j * self._matmat(X.imag)
        now = self.inside(X)
        result = np.zeros_like(now)
        self.step(1.0, 0.0, now, result, processors())
        return self.outside(result)

    def _matvec(self, x: np.ndarray) -> np.ndarray:
        return self._matmat(x.reshape(-1, 1)).reshape(x.shape)

    def _adjoint(self) -> "DynamicalOperator":
        return self


def processors() -> int:
    """Number of processors that this process may use, or of all if that is unknown.

    Examples
    --------
    >>> processors() >= 1
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _springs(atoms: Atoms, potential: PairPotential, dtype: np.dtype) -> tuple:
    """Pairs of a pair potential in space: vector, φ'/r and (φ'' − φ'/r)/r² of each, (P, 5).

    In the plane a block of four numbers, (P, 2, 2), takes no more memory.
    """
    types = potential.types(atoms)
    counts, second, springs = [], [], []
    for piece in _pieces(len(atoms)):
        found = neighbours("ijSD", atoms, potential.cutoff, half=True, among=piece)
        bonds = Bonds(len(atoms), *found)
        if not bonds.vector.any(axis=1).all():
            raise StructureError("two atoms are at the same position")
        own = bonds.first != bonds.second  # an atom and its image move together
        tension, curvature = potential.stiffness(types, bonds)
        if potential.dim == 2:
            _, unit = lengths(bonds.vector)
            numbers = central_blocks(unit, curvature, tension)[:, :2, :2]
        else:
            twist = (curvature - tension) / np.einsum("pa,pa->p", bonds.vector, bonds.vector)
            numbers = np.column_stack([bonds.vector, tension, twist])
        counts.append(np.bincount(bonds.first[own] - piece.start, minlength=len(piece)))
        second.append(bonds.second[own])
        springs.append(numbers[own].astype(dtype))
    return _starts(np.concatenate(counts)), _joined(second), _joined(springs)


def _pieces(n: int) -> Iterator[range]:
    for begin in range(0, max(n, 1), _PIECE):
        yield range(begin, min(begin + _PIECE, n))


def _joined(pieces: list[np.ndarray]) -> np.ndarray:
    """The pieces in one array; each is forgotten once it is copied, so that memory holds one."""
    whole = np.empty((sum(map(len, pieces)), *pieces[0].shape[1:]), pieces[0].dtype)
    here = 0
    while pieces:
        piece = pieces.pop(0)
        whole[here : here + len(piece)] = piece
        here += len(piece)
    return whole


def _off_diagonal(atoms: Atoms, potential: EnergySurface, dtype: np.dtype) -> tuple:
    """Pairs of any potential: minus the upper blocks of the Hessian, (P, d, d)."""
    full = hessian_blocks(atoms, potential)
    row = np.repeat(np.arange(len(atoms)), np.diff(full.indptr))
    upper = full.indices > row
    counts = np.bincount(row[upper], minlength=len(atoms))
    return _starts(counts), full.indices[upper].astype(np.int32), -full.data[upper].astype(dtype)


def _starts(counts: np.ndarray) -> np.ndarray:
    return np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))


def _without_conflicts(starts: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, list]:
    """Parts of the atoms with equally many pairs, and rounds of parts that share no atom.

    A pair adds to both its atoms; two threads must not add to the same one at once.
    """
    n = len(starts) - 1
    n_parts = max(1, min(_PARTS, n // _SMALLEST_PART))
    shares = np.linspace(0, starts[-1], n_parts + 1)[1:-1]
    parts = np.unique([0, *np.searchsorted(starts, shares), n])
    touched = np.zeros((len(parts) - 1, len(parts) - 1), dtype=bool)
    np.fill_diagonal(touched, True)
    for part, (begin, stop) in enumerate(pairwise(parts)):
        ends = second[starts[begin] : starts[stop]]
        touched[part, np.searchsorted(parts, ends, side="right") - 1] = True
    rounds: list[list[int]] = []
    for part, reached in enumerate(touched):
        free = (r for r in rounds if not (touched[r] & reached).any())
        together = next(free, None)
        if together is None:
            rounds.append([part])
        else:
            together.append(part)
    return parts, rounds


@compiled(nogil=True)
def _shift(begin, stop, shift, now, before):
    for i in range(begin, stop):
        for a in range(now.shape[1]):
            for k in range(now.shape[2]):
                before[i, a, k] = -shift * now[i, a, k] - before[i, a, k]


@compiled(nogil=True, fastmath={"contract", "reassoc", "nsz"})
def _central(begin, stop, starts, second, springs, weights, scale, now, result):
    """Add ``scale`` times the product of pairs of a pair potential in space to ``result``."""
    n = now.shape[2]
    here, total = np.empty((3, n), now.dtype), np.empty((3, n), now.dtype)
    for i in range(begin, stop):
        for a in range(3):
            for k in range(n):
                here[a, k] = weights[i] * now[i, a, k]
                total[a, k] = 0
        for p in range(np.uint64(starts[i]), np.uint64(starts[i + 1])):
            j = np.uint64(second[p])
            w, back = weights[j], scale * weights[j]
            x, y, z = springs[p, 0], springs[p, 1], springs[p, 2]
            tension, twist = springs[p, 3], springs[p, 4]
            # One loop over the vectors, in which all else stays in registers.
            for k in range(n):
                u = here[0, k] - w * now[j, 0, k]
                v = here[1, k] - w * now[j, 1, k]
                q = here[2, k] - w * now[j, 2, k]
                along = twist * (x * u + y * v + z * q)
                u, v, q = tension * u + x * along, tension * v + y * along, tension * q + z * along
                total[0, k] += u
                total[1, k] += v
                total[2, k] += q
                result[j, 0, k] -= back * u
                result[j, 1, k] -= back * v
                result[j, 2, k] -= back * q
        for a in range(3):
            for k in range(n):
                result[i, a, k] += scale * weights[i] * total[a, k]


@compiled(nogil=True, fastmath={"contract"})
def _general(begin, stop, starts, second, springs, weights, scale, now, result):
    """Add ``scale`` times the product of pairs of blocks to ``result``."""
    d, n = now.shape[1], now.shape[2]
    here, total = np.empty((d, n), now.dtype), np.empty((d, n), now.dtype)
    apart = np.empty((d, n), now.dtype)
    for i in range(begin, stop):
        for a in range(d):
            for k in range(n):
                here[a, k] = weights[i] * now[i, a, k]
                total[a, k] = 0
        for p in range(np.uint64(starts[i]), np.uint64(starts[i + 1])):
            j = np.uint64(second[p])
            w = weights[j]
            for a in range(d):
                for k in range(n):
                    apart[a, k] = here[a, k] - w * now[j, a, k]
            for a in range(d):
                for b in range(d):
                    value, turned = springs[p, a, b], scale * w * springs[p, b, a]
                    for k in range(n):
                        total[a, k] += value * apart[b, k]
                        result[j, a, k] -= turned * apart[b, k]
        for a in range(d):
            for k in range(n):
                result[i, a, k] += scale * weights[i] * total[a, k]
