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

    def hessian(self, types: np.ndarray, bonds: Bonds) -> sparse.csr_array:
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
        return block_matrix(*_rows(*pairs, curvature))

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


@njit(cache=True)
def _touched(atom, starts, places, marks):
    """Atoms within two bonds of ``atom`` in ascending order; ``marks`` is scratch space."""
    count = 0
    for near in range(starts[atom], starts[atom + 1]):
        i = places[near]
        for place in range(starts[i], starts[i + 1]):
            if marks[places[place]] != atom:
                marks[places[place]] = atom
                count += 1
    found = np.empty(count, dtype=np.int32)
    filled = 0
    for other in range(len(marks)):
        if marks[other] == atom:
            found[filled] = other
            filled += 1
    return found


@njit(cache=True)
def _rows(starts, places, merged, curvature):
    """Rows of the Hessian, from pair blocks and density gradients ``merged`` (B, 3, 4).

    Row a of ``Gᵀ F'' G`` runs over the atoms i that see a, and over what else those see. Blocks
    left of the diagonal are those above it, which earlier rows have computed.
    """
    n = len(curvature)
    seen = merged[:, :, 3].copy()
    counts = np.zeros(n + 1, dtype=np.int64)
    marks = np.full(n, -1)
    for a in range(n):
        counts[a + 1] = len(_touched(a, starts, places, marks))
    ends = np.cumsum(counts)
    columns, blocks = np.empty(ends[-1], dtype=np.int32), np.empty((ends[-1], 3, 3))
    marks[:] = -1
    row = np.zeros((n, 3, 3))
    mirrored = ends.copy()  # next block of each earlier row that lies right of its diagonal
    for a in range(n):
        for near in range(starts[a], starts[a + 1]):
            i = places[near]
            own = np.searchsorted(places[starts[i] : starts[i + 1]], a) + starts[i]
            x, y, z = curvature[i] * seen[own]
            if i >= a:
                row[i] += merged[near, :, :3]
            for place in range(own, starts[i + 1]):
                block, other = row[places[place]], seen[place]
                for k in range(3):
                    block[0, k] += x * other[k]
                    block[1, k] += y * other[k]
                    block[2, k] += z * other[k]
        found = _touched(a, starts, places, marks)
        for place in range(len(found)):
            b, here = found[place], ends[a] + place
            columns[here] = b
            if b < a:
                blocks[here] = blocks[mirrored[b]].T
            else:
                blocks[here] = row[b]
                row[b] = 0.0
            if b <= a:
                mirrored[b] = mirrored[b] + 1 if b < a else here + 1
    return ends.astype(np.int32), columns, blocks
