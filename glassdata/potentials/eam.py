"""Embedded-atom potentials from tables."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
from ase.calculators.calculator import Calculator
from ase.data import atomic_numbers
from scipy import sparse
from scipy.interpolate import CubicSpline

from glassdata.potentials.base import Bonds, Potential, central_blocks, lengths


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
        self.last = tables.shape[-1] - 2
        flat = tables.reshape(-1, tables.shape[-1])
        spline = CubicSpline(np.arange(tables.shape[-1]) * spacing, flat, axis=1)
        self.coefficients = np.ascontiguousarray(spline.c.transpose(2, 1, 0))

    def __call__(self, kind: np.ndarray, x: np.ndarray, order: int) -> tuple[np.ndarray, ...]:
        """Value and derivatives up to ``order`` of spline number ``kind`` at ``x``."""
        interval = np.clip((x / self.spacing).astype(int), 0, self.last)
        t = x - interval * self.spacing
        c3, c2, c1, c0 = self.coefficients[kind, interval].T
        value = ((c3 * t + c2) * t + c1) * t + c0
        slope = (3 * c3 * t + 2 * c2) * t + c1
        return (value, slope) if order == 1 else (value, slope, 6 * c3 * t + 2 * c2)


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

    def _pair_kind(self, types: np.ndarray, bonds: Bonds) -> np.ndarray:
        return types[bonds.first] * len(self.symbols) + types[bonds.second]

    def _densities(self, types: np.ndarray, bonds: Bonds, r: np.ndarray, order: int) -> tuple:
        """Density functions at both ends of each bond (given to the second, to the first)."""
        inside = r < self.r_cut
        given = [f * inside for f in self._density(types[bonds.first], r, order)]
        taken = [f * inside for f in self._density(types[bonds.second], r, order)]
        rho = np.bincount(bonds.first, taken[0], bonds.n_atoms)
        rho += np.bincount(bonds.second, given[0], bonds.n_atoms)
        return rho, given, taken

    def energy_gradient(self, types: np.ndarray, bonds: Bonds) -> tuple[float, np.ndarray]:
        r, unit = lengths(bonds.vector)
        rho, given, taken = self._densities(types, bonds, r, 1)
        embedding, slope = self._embedding(types, rho, 1)
        z, dz = self._pair(self._pair_kind(types, bonds), r, 1)
        inside = r < self.r_cut
        pair = z / r * inside
        force = (dz * inside - pair) / r
        force += slope[bonds.first] * taken[1] + slope[bonds.second] * given[1]
        return float(embedding.sum() + pair.sum()), force[:, None] * unit

    def hessian(self, types: np.ndarray, bonds: Bonds) -> sparse.csr_array:
        """An effective pair term plus ``Gᵀ F'' G`` with ``G = ∂ρ/∂x``, (N, 3N)."""
        r, unit = lengths(bonds.vector)
        rho, given, taken = self._densities(types, bonds, r, 2)
        _, slope, curvature = self._embedding(types, rho, 2)
        z, dz, ddz = self._pair(self._pair_kind(types, bonds), r, 2)
        inside = r < self.r_cut
        first = (dz - z / r) / r * inside
        second = (ddz * inside - 2 * first) / r
        first += slope[bonds.first] * taken[1] + slope[bonds.second] * given[1]
        second += slope[bonds.first] * taken[2] + slope[bonds.second] * given[2]
        hessian = bonds.assemble(central_blocks(unit, second, first / r))
        gradient = _density_gradient(bonds, unit, given[1], taken[1])
        return hessian + gradient.T @ (sparse.diags_array(curvature) @ gradient)

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


def _density_gradient(
    bonds: Bonds, unit: np.ndarray, given: np.ndarray, taken: np.ndarray
) -> sparse.csr_array:
    """``∂ρ_i/∂x_j`` as a sparse (N, 3N) matrix, from the slopes of f at both ends of a bond."""
    n = bonds.n_atoms
    to_first, to_second = taken[:, None] * unit, given[:, None] * unit
    rows = np.concatenate([bonds.first, bonds.first, bonds.second, bonds.second])
    atoms = np.concatenate([bonds.second, bonds.first, bonds.second, bonds.first])
    values = np.concatenate([to_first, -to_first, to_second, -to_second])
    columns = 3 * atoms[:, None] + np.arange(3)
    entries = (values.ravel(), (np.repeat(rows, 3), columns.ravel()))
    return sparse.coo_array(entries, shape=(n, 3 * n)).tocsr()
