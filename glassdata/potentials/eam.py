"""Embedded-atom potentials from tables."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
from ase.calculators.calculator import Calculator
from ase.data import atomic_numbers
from numba import njit
from scipy import sparse
from scipy.interpolate import CubicSpline

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
    source : str
        Where the functions come from (citation, or file with its sha256): it identifies the
        potential, because tables themselves are no part of a configuration.
    tables : Tables
    """

    symbols: tuple[str, ...]
    r_cut: float
    source: str
    tables: Tables = field(repr=False)
    half: ClassVar[bool] = True

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


@njit(cache=True)
def _spline(coefficients, spacing, kind, x):
    interval = min(max(int(x / spacing), 0), coefficients.shape[1] - 1)
    t = x - interval * spacing
    c3, c2, c1, c0 = coefficients[kind, interval]
    value = ((c3 * t + c2) * t + c1) * t + c0
    return value, (3 * c3 * t + 2 * c2) * t + c1, 6 * c3 * t + 2 * c2


@njit(cache=True)
def _evaluate(coefficients, spacing, kind, x):
    result = np.empty((3, len(x)))
    for p in range(len(x)):
        result[0, p], result[1, p], result[2, p] = _spline(coefficients, spacing, kind[p], x[p])
    return result


@njit(cache=True)
def _energy_gradient(types, first, second, vector, r_cut, embedding, d_rho, density, pair, d_r):
    n_bonds, n_species = len(first), len(density)
    r = np.empty(n_bonds)
    given, taken, slopes = np.zeros(n_bonds), np.zeros(n_bonds), np.zeros(n_bonds)
    rho = np.zeros(len(types))
    energy = 0.0
    for p in range(n_bonds):
        x, y, z = vector[p]
        r[p] = np.sqrt(x * x + y * y + z * z)
        if r[p] >= r_cut:
            continue
        i, j = first[p], second[p]
        f_i, given[p], _ = _spline(density, d_r, types[i], r[p])
        f_j, taken[p], _ = _spline(density, d_r, types[j], r[p])
        rho[i] += f_j
        rho[j] += f_i
        value, slope, _ = _spline(pair, d_r, types[i] * n_species + types[j], r[p])
        energy += value / r[p]
        slopes[p] = (slope - value / r[p]) / r[p]
    for i in range(len(types)):
        value, rho[i], _ = _spline(embedding, d_rho, types[i], rho[i])
        energy += value
    gradient = np.zeros((n_bonds, 3))
    for p in range(n_bonds):
        if r[p] < r_cut:
            slope = slopes[p] + rho[first[p]] * taken[p] + rho[second[p]] * given[p]
            for a in range(3):
                gradient[p, a] = slope * vector[p, a] / r[p]
    return energy, gradient


def _embedding_rows(
    starts: np.ndarray, places: np.ndarray, merged: np.ndarray, curvature: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Block rows of the Hessian, from pair blocks and density gradients ``merged`` (B, 3, 4).

    Row a of ``Gᵀ F'' G`` runs over the atoms i that see a, and over what else those see. Rows are
    computed from the diagonal on, and mirrored.
    """
    n = len(curvature)
    ends, row = np.zeros(n + 1, dtype=np.int64), 0
    room = min(n * (n + 1) // 2, 8 * len(places))
    columns, blocks = np.empty(room, dtype=np.int32), np.empty((room, 3, 3))
    while (row := _right_halves(starts, places, merged, curvature, row, ends, columns, blocks)) < n:
        columns, blocks = _longer(columns), _longer(blocks)
    starts = _whole_starts(ends, columns)
    # Large arrays are made by NumPy, not in compiled code: it asks the system for large pages.
    whole = starts, np.empty(starts[-1], dtype=np.int32), np.empty((starts[-1], 3, 3))
    _mirror(ends, columns, blocks, *whole)
    return whole


def _longer(array: np.ndarray) -> np.ndarray:
    longer = np.empty((2 * len(array), *array.shape[1:]), dtype=array.dtype)
    longer[: len(array)] = array
    return longer


@njit(cache=True)
def _right_halves(starts, places, merged, curvature, begin, ends, columns, blocks):
    """Rows from ``begin`` on, from their diagonal on, as far as there is room; the next row."""
    n = len(curvature)
    # Four wide although three are used: the processor's vectors have no three.
    seen, row = np.zeros((len(places), 4)), np.zeros((n, 12))
    seen[:, :3] = merged[:, :, 3]
    marks, touched = np.full(n, -1), np.empty(n + 1, dtype=np.int32)
    for a in range(begin, n):
        count = 0
        for near in range(starts[a], starts[a + 1]):
            i = places[near]
            own = np.searchsorted(places[starts[i] : starts[i + 1]], a) + starts[i]
            x, y, z = curvature[i] * seen[own, :3]
            # Unsigned: compiled code then does not ask whether an index counts from the end.
            for place in range(np.uint64(own), np.uint64(starts[i + 1])):
                b = np.uint64(places[place])
                touched[count] = b
                count += marks[b] != a
                marks[b] = a
                for k in range(4):
                    row[b, k] += x * seen[place, k]
                    row[b, 4 + k] += y * seen[place, k]
                    row[b, 8 + k] += z * seen[place, k]
        ends[a + 1] = ends[a] + count
        if ends[a + 1] > len(columns):
            return a
        _sort_marked(touched, count, marks, a)
        for place in range(count):
            b, here = touched[place], ends[a] + place
            columns[here] = b
            for k in range(3):
                for m in range(3):
                    blocks[here, k, m] = row[b, 4 * k + m]
            row[b] = 0.0
        for near in range(starts[a], starts[a + 1]):
            if places[near] >= a:
                here = np.searchsorted(touched[:count], places[near]) + ends[a]
                blocks[here] += merged[near, :, :3]
    return n


@njit(cache=True)
def _sort_marked(touched, count, marks, a):
    """Sort the first ``count`` of ``touched``, the atoms from ``a`` on that are marked with it."""
    if 8 * count < len(marks) - a:
        touched[:count].sort()
        return
    filled = 0
    for b in range(a, len(marks)):
        touched[filled] = b
        filled += marks[b] == a


@njit(cache=True)
def _longer(array, filled):
    """Twice the room, with the same content so far."""
    longer = np.empty((2 * len(array) + 1024, *array.shape[1:]), dtype=array.dtype)
    longer[:filled] = array[:filled]
    return longer


@njit(cache=True)
def _whole_starts(ends, columns):
    """Where the rows of the whole matrix begin, (N + 1,), from those of its right half."""
    n = len(ends) - 1
    starts = np.zeros(n + 1, dtype=np.int32)
    for a in range(n):
        starts[a + 1] += ends[a + 1] - ends[a]
        for place in range(ends[a] + 1, ends[a + 1]):
            starts[columns[place] + 1] += 1
    return np.cumsum(starts).astype(np.int32)


@njit(cache=True)
def _mirror(ends, columns, blocks, starts, all_columns, whole):
    free = starts.copy()
    for a in range(len(ends) - 1):
        for place in range(ends[a], ends[a + 1]):
            b = columns[place]
            here, there = free[a], free[b]
            all_columns[here] = b
            free[a] += 1
            if b > a:
                all_columns[there] = a
                free[b] += 1
            for k in range(3):
                for m in range(3):
                    value = blocks[place, k, m]
                    whole[here, k, m] = value
                    if b > a:
                        whole[there, m, k] = value
