"""Embedded-atom potentials from tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
from ase.calculators.calculator import Calculator
from ase.data import atomic_numbers
from scipy import sparse
from scipy.interpolate import CubicSpline

from glassdata.kernels import compiled
from glassdata.potentials.base import Bonds, Potential, block_matrix, central_blocks, lengths


@dataclass(frozen=True, eq=False)
class Tables:
    """Functions of an EAM/alloy potential on uniform grids that start at zero, as in setfl files.

    Attributes
    ----------
    embedding : (n_species, n_rho), eV
        F(ρ).
    density : (n_species, n_r)
        Density f(r) that an atom of each species gives to its neighbours.
    pair : (n_species, n_species, n_r), eV Å
        r φ(r), symmetric in the species.
    d_rho, d_r : float
        Grid spacings; that of r in Å.
    """

    embedding: np.ndarray
    density: np.ndarray
    pair: np.ndarray
    d_rho: float
    d_r: float


class UniformSplines:
    """Not-a-knot cubic splines on one uniform grid, evaluated together.

    One look-up for all species: separate spline objects would be called once per species pair.
    """

    def __init__(self, tables: np.ndarray, spacing: float) -> None:
        self.spacing = spacing
        flat = tables.reshape(-1, tables.shape[-1])
        spline = CubicSpline(np.arange(tables.shape[-1]) * spacing, flat, axis=1)
        self.coefficients = np.ascontiguousarray(spline.c.transpose(2, 1, 0))

    def __call__(self, kind: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Value, first and second derivative of splines number ``kind`` at ``x``, (3, len(x))."""
        return _evaluate(self.coefficients, self.spacing, kind, x)


@dataclass(frozen=True, eq=False)
class EAM(Potential):
    """``Σ F_i(ρ_i) + ½ Σ φ_ij(r_ij)`` with ``ρ_i = Σ_j f_j(r_ij)``.

    Parameters
    ----------
    symbols : tuple of str
        Species in the order of the tables.
    r_cut : float, Å
        Beyond it atoms do not interact.
    source : str
        Where the functions come from (citation, or file with its sha256). It identifies the
        potential, because the tables themselves are not part of a configuration.
    tables : Tables
        F(ρ), f(r) and r φ(r) on uniform grids.
    shortest : mapping of pairs of symbols to float, Å
        Distance below which the tables are wrong; not part of the identity.

    Examples
    --------
    ``zhou_eam`` makes one from formulas, ``read_setfl`` from a published file:

    >>> from glassdata.potentials import zhou_eam
    >>> copper = zhou_eam(("Cu",), r_on=11.0, r_cut=12.0)
    >>> isinstance(copper, EAM), copper.species, copper.cutoff  # Å
    (True, ('Cu',), 12.0)
    """

    symbols: tuple[str, ...]
    r_cut: float
    source: str
    tables: Tables = field(repr=False)
    shortest: Mapping[tuple[str, str], float] = field(default_factory=dict)
    half: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self.check_shortest()

    @property
    def species(self) -> tuple[str, ...]:
        return self.symbols

    @property
    def cutoff(self) -> float:
        return self.r_cut

    def parameters(self) -> dict:
        return {"form": "EAM", "species": self.symbols, "r_cut": self.r_cut, "source": self.source}

    @cached_property
    def _embedding(self) -> UniformSplines:
        return UniformSplines(self.tables.embedding, self.tables.d_rho)

    @cached_property
    def _density(self) -> UniformSplines:
        return UniformSplines(self.tables.density, self.tables.d_r)

    @cached_property
    def _pair(self) -> UniformSplines:
        return UniformSplines(self.tables.pair, self.tables.d_r)

    def energy_gradient(self, types: np.ndarray, bonds: Bonds) -> tuple[float, np.ndarray]:
        return _energy_gradient(
            types, bonds.first, bonds.second, bonds.vector, self.r_cut, *self._splines
        )

    def hessian(self, types: np.ndarray, bonds: Bonds) -> sparse.bsr_array:
        """An effective pair term plus ``Gᵀ F'' G`` with ``G = ∂ρ/∂x``, (N, 3N)."""
        r, unit = lengths(bonds.vector)
        inside = r < self.r_cut
        given = self._density(types[bonds.first], r) * inside
        taken = self._density(types[bonds.second], r) * inside
        rho = np.bincount(bonds.first, taken[0], bonds.n_atoms)
        rho += np.bincount(bonds.second, given[0], bonds.n_atoms)
        _, slope, curvature = self._embedding(types, rho)
        kind = types[bonds.first] * len(self.symbols) + types[bonds.second]
        z, dz, ddz = self._pair(kind, r) * inside
        first = (dz - z / r) / r
        second = (ddz - 2 * first) / r
        first += slope[bonds.first] * taken[1] + slope[bonds.second] * given[1]
        second += slope[bonds.first] * taken[2] + slope[bonds.second] * given[2]
        blocks = central_blocks(unit, second, first / r)
        pairs = bonds.merged(blocks, given[1][:, None] * unit, taken[1][:, None] * unit)
        return block_matrix(*_embedding_rows(*pairs, curvature))

    @property
    def _splines(self) -> tuple:
        return (
            self._embedding.coefficients,
            self._embedding.spacing,
            self._density.coefficients,
            self._pair.coefficients,
            self._density.spacing,
        )

    def matscipy_calculator(self) -> Calculator:
        from matscipy.calculators.eam import EAM as MatscipyEAM
        from scipy.interpolate import InterpolatedUnivariateSpline

        def splines(rows: np.ndarray, spacing: float) -> list:
            grid = np.arange(rows.shape[-1]) * spacing
            return [InterpolatedUnivariateSpline(grid, row) for row in rows]

        return MatscipyEAM(
            atomic_numbers=[atomic_numbers[symbol] for symbol in self.symbols],
            F=splines(self.tables.embedding, self.tables.d_rho),
            f=splines(self.tables.density, self.tables.d_r),
            rep=[splines(rows, self.tables.d_r) for rows in self.tables.pair],
            cutoff=self.r_cut,
        )


@compiled
def _spline(coefficients, spacing, kind, x):
    interval = min(max(int(x / spacing), 0), coefficients.shape[1] - 1)
    t = x - interval * spacing
    c3, c2, c1, c0 = coefficients[np.uint64(kind), np.uint64(interval)]
    value = ((c3 * t + c2) * t + c1) * t + c0
    return value, (3 * c3 * t + 2 * c2) * t + c1, 6 * c3 * t + 2 * c2


@compiled
def _evaluate(coefficients, spacing, kind, x):
    result = np.empty((3, len(x)))
    for p in range(len(x)):
        result[0, p], result[1, p], result[2, p] = _spline(coefficients, spacing, kind[p], x[p])
    return result


@compiled
def _energy_gradient(types, first, second, vector, r_cut, embedding, d_rho, density, pair, d_r):
    n_bonds, n_species = len(first), len(density)
    # At first it holds the slopes of the pair term and of both densities along each bond: memory of
    # their own would cost more than the arithmetic.
    gradient = np.zeros((n_bonds, 3))
    rho = np.zeros(len(types))
    energy = 0.0
    for p in range(n_bonds):
        r = _length(vector, p)
        if r < r_cut:
            i, j = np.uint64(first[p]), np.uint64(second[p])
            f_i, given, _ = _spline(density, d_r, types[i], r)
            f_j, taken, _ = _spline(density, d_r, types[j], r)
            rho[i] += f_j
            rho[j] += f_i
            value, slope, _ = _spline(pair, d_r, types[i] * n_species + types[j], r)
            energy += value / r
            gradient[p, 0], gradient[p, 1], gradient[p, 2] = (slope - value / r) / r, taken, given
    for atom in range(len(types)):
        value, rho[atom], _ = _spline(embedding, d_rho, types[atom], rho[atom])
        energy += value
    for p in range(n_bonds):
        r = _length(vector, p)
        if r < r_cut:
            slope, taken, given = gradient[p]
            slope = slope + rho[np.uint64(first[p])] * taken + rho[np.uint64(second[p])] * given
            for a in range(3):
                gradient[p, a] = slope * vector[p, a] / r
    return energy, gradient


@compiled
def _length(vector, p):
    x, y, z = vector[p]
    return np.sqrt(x * x + y * y + z * z)


def _embedding_rows(
    starts: np.ndarray, partner: np.ndarray, merged: np.ndarray, curvature: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Block rows of the Hessian, from pair blocks and density gradients ``merged`` (B, 3, 4).

    Row a of ``Gᵀ F'' G`` has a block for each atom that shares a neighbour i with a. Rows are
    computed from the diagonal on, and mirrored.
    """
    ends, right = _right_columns(starts, partner)
    whole = _whole_starts(ends, right)
    # Large arrays are made by NumPy, not in compiled code: it asks the system for large pages.
    columns, blocks = np.empty(whole[-1], dtype=np.int32), np.empty((whole[-1], 3, 3))
    seen = np.ascontiguousarray(merged[:, :, 3])
    _fill_right(starts, partner, merged, seen, curvature, ends, right, whole, columns, blocks)
    _mirror(ends, whole, columns, blocks)
    return whole, columns, blocks


@compiled
def _right_columns(starts, partner):
    """Ends of rows, and columns: for each atom those after it that share a neighbour with it."""
    n = len(starts) - 1
    ends, right = np.zeros(n + 1, dtype=np.int64), np.empty(4 * len(partner), dtype=np.int32)
    marks, touched = np.full(n, -1), np.empty(n + 1, dtype=np.int32)
    # For each atom the first neighbour that was not passed yet: rows come in ascending order.
    cursors = starts[:-1].copy()
    for a in range(n):
        count = np.int64(0)
        for near in range(starts[a], starts[a + 1]):
            i = partner[near]
            for slot in range(np.uint64(cursors[i]), np.uint64(starts[i + 1])):
                b = np.uint64(partner[slot])
                touched[count] = b
                count += marks[b] != a
                marks[b] = a
            cursors[i] += 1
        _sort_marked(touched, count, marks, a)
        ends[a + 1] = ends[a] + count
        while ends[a + 1] > len(right):
            right = np.concatenate((right, np.empty_like(right)))
        for slot in range(count):
            right[ends[a] + slot] = touched[slot]
    return ends, right


@compiled
def _sort_marked(touched, count, marks, a):
    """Sort the first ``count`` of ``touched``, the atoms from ``a`` on that are marked with it."""
    if 8 * count < len(marks) - a:
        for k in range(1, count):
            b, slot = touched[k], k
            while slot > 0 and touched[slot - 1] > b:
                touched[slot] = touched[slot - 1]
                slot -= 1
            touched[slot] = b
        return
    filled = 0
    for b in range(a, len(marks)):
        touched[filled] = b
        filled += marks[b] == a


@compiled
def _whole_starts(ends, right):
    """Where the rows of the whole matrix begin, (N + 1,), from those of its right half."""
    n = len(ends) - 1
    starts = np.zeros(n + 1, dtype=np.int32)
    for a in range(n):
        starts[a + 1] += ends[a + 1] - ends[a]
        for slot in range(ends[a] + 1, ends[a + 1]):
            starts[right[slot] + 1] += 1
    for a in range(n):
        starts[a + 1] += starts[a]
    return starts


@compiled
def _fill_right(starts, partner, merged, seen, curvature, ends, right, whole, columns, blocks):
    """Write the right half of every row."""
    n = len(curvature)
    row = np.zeros((n, 3, 3))
    cursors = starts[:-1].copy()
    for a in range(n):
        for near in range(starts[a], starts[a + 1]):
            i = partner[near]
            _add_seen(curvature[i], cursors[i], starts[i + 1], partner, seen, row)
            cursors[i] += 1
        for near in range(starts[a], starts[a + 1]):
            b = partner[near]
            if b >= a:
                for k in range(3):
                    for m in range(3):
                        row[b, k, m] += merged[near, k, m]
        here = np.uint64(whole[a + 1] - (ends[a + 1] - ends[a]))
        for b in right[ends[a] : ends[a + 1]]:
            columns[here] = b
            for k in range(3):
                for m in range(3):
                    blocks[here, k, m] = row[b, k, m]
                    row[b, k, m] = 0.0
            here += np.uint64(1)


@compiled
def _mirror(ends, whole, columns, blocks):
    """Write the left halves, which are the right ones of other rows."""
    free = whole[:-1].copy()
    for a in range(len(free)):
        diagonal = whole[a + 1] - (ends[a + 1] - ends[a])
        for slot in range(diagonal + 1, whole[a + 1]):
            b = columns[slot]
            there = np.uint64(free[b])
            free[b] += 1
            columns[there] = a
            for k in range(3):
                for m in range(3):
                    blocks[there, m, k] = blocks[slot, k, m]


@compiled
def _add_seen(curvature, own, end, partner, seen, row):
    """Add ``F''_i ∂ρ_i/∂x_a ∂ρ_i/∂x_b`` for the neighbours b of i from a itself, at ``own``, on."""
    x, y, z = curvature * seen[own, 0], curvature * seen[own, 1], curvature * seen[own, 2]
    for slot in range(np.uint64(own), np.uint64(end)):
        b = np.uint64(partner[slot])
        s, t, u = seen[slot, 0], seen[slot, 1], seen[slot, 2]
        row[b, 0, 0] += x * s
        row[b, 0, 1] += x * t
        row[b, 0, 2] += x * u
        row[b, 1, 0] += y * s
        row[b, 1, 1] += y * t
        row[b, 1, 2] += y * u
        row[b, 2, 0] += z * s
        row[b, 2, 1] += z * t
        row[b, 2, 2] += z * u
