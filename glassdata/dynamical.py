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
from glassdata.lanes import LANES, load, plus, store, times, zeros
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
        """Vectors (dN, n) in the operator's order of the atoms, (N, d, m), a copy.

        As many vectors of zeros are added as are missing from a multiple of four, m.
        """
        by_atom = vectors.reshape(len(self.order), self.dim, -1)
        n = by_atom.shape[2]
        result = np.zeros((*by_atom.shape[:2], -(-n // LANES) * LANES))
        result[:, :, :n] = by_atom[self.order]
        return result

    def outside(self, vectors: np.ndarray, n: int) -> np.ndarray:
        """The first ``n`` vectors (N, d, m) in the order of the structure, (dN, n)."""
        result = np.empty((*vectors.shape[:2], n), self.dtype)
        result[self.order] = vectors[:, :, :n]
        return result.reshape(self.shape[0], -1)

    def step(
        self, scale: float, shift: float, now: np.ndarray, before: np.ndarray, n_threads: int = 1
    ) -> None:
        """``before`` becomes ``(scale D - shift) now - before``, the step of a recursion.

        Parameters
        ----------
        scale, shift : float
        now, before : (N, d, m)
            Vectors in the operator's order, as ``inside`` gives them.
        n_threads : int
            The result does not depend on it.

        Raises
        ------
        ValueError
            For arrays of another shape or type: the processor takes four vectors at once.
        """
        for vectors in (now, before):
            fits = vectors.ndim == 3 and vectors.shape[:2] == (len(self.order), self.dim)
            whole = vectors.flags.c_contiguous and vectors.dtype == np.float64
            if not (fits and whole and vectors.shape[2] % LANES == 0):
                raise ValueError("vectors must be those of DynamicalOperator.inside")

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
        return self.outside(result, X.shape[1])

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


@compiled(nogil=True)
def _central(begin, stop, starts, second, springs, weights, scale, now, result):
    """Add ``scale`` times the product of pairs of a pair potential in space to ``result``."""
    for k in range(0, now.shape[2], LANES):
        for i in range(begin, stop):
            own = weights[i]
            here_x = times(own, load(now, i, 0, k))
            here_y = times(own, load(now, i, 1, k))
            here_z = times(own, load(now, i, 2, k))
            total_x, total_y, total_z = zeros(), zeros(), zeros()
            for p in range(np.uint64(starts[i]), np.uint64(starts[i + 1])):
                j = np.uint64(second[p])
                w, back = weights[j], -scale * weights[j]
                x, y, z = springs[p, 0], springs[p, 1], springs[p, 2]
                tension, twist = springs[p, 3], springs[p, 4]
                u = plus(here_x, times(-w, load(now, j, 0, k)))
                v = plus(here_y, times(-w, load(now, j, 1, k)))
                q = plus(here_z, times(-w, load(now, j, 2, k)))
                along = times(twist, plus(times(x, u), plus(times(y, v), times(z, q))))
                u = plus(times(tension, u), times(x, along))
                v = plus(times(tension, v), times(y, along))
                q = plus(times(tension, q), times(z, along))
                total_x, total_y, total_z = plus(total_x, u), plus(total_y, v), plus(total_z, q)
                store(result, j, 0, k, plus(load(result, j, 0, k), times(back, u)))
                store(result, j, 1, k, plus(load(result, j, 1, k), times(back, v)))
                store(result, j, 2, k, plus(load(result, j, 2, k), times(back, q)))
            own *= scale
            store(result, i, 0, k, plus(load(result, i, 0, k), times(own, total_x)))
            store(result, i, 1, k, plus(load(result, i, 1, k), times(own, total_y)))
            store(result, i, 2, k, plus(load(result, i, 2, k), times(own, total_z)))


@compiled(nogil=True)
def _general(begin, stop, starts, second, springs, weights, scale, now, result):
    """Add ``scale`` times the product of pairs of blocks to ``result``."""
    d, n = now.shape[1], now.shape[2]
    here, apart, total = np.empty((1, d, n)), np.empty((1, d, n)), np.empty((1, d, n))
    for i in range(begin, stop):
        for a in range(d):
            for k in range(0, n, LANES):
                store(here, 0, a, k, times(weights[i], load(now, i, a, k)))
                store(total, 0, a, k, zeros())
        for p in range(np.uint64(starts[i]), np.uint64(starts[i + 1])):
            j = np.uint64(second[p])
            w, back = weights[j], -scale * weights[j]
            for k in range(0, n, LANES):
                for a in range(d):
                    moved = times(-w, load(now, j, a, k))
                    store(apart, 0, a, k, plus(load(here, 0, a, k), moved))
                for a in range(d):
                    forth, other = load(total, 0, a, k), zeros()
                    for b in range(d):
                        u = load(apart, 0, b, k)
                        forth = plus(forth, times(springs[p, a, b], u))
                        other = plus(other, times(springs[p, b, a], u))
                    store(total, 0, a, k, forth)
                    store(result, j, a, k, plus(load(result, j, a, k), times(back, other)))
        for a in range(d):
            for k in range(0, n, LANES):
                moved = times(scale * weights[i], load(total, 0, a, k))
                store(result, i, a, k, plus(load(result, i, a, k), moved))
