"""Energy minimisation with the very potential the Hessian uses."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from scipy import sparse
from scipy.optimize import minimize
from scipy.sparse.linalg import minres

from glassdata.potentials import Bonds, Potential
from glassdata.potentials.base import central_blocks, lengths

_SKIN = 0.6  # Å: a rebuilt neighbour list serves until an atom has moved half of this


class RelaxationError(ArithmeticError):
    """The minimiser stopped before the forces were small enough."""


def relax(
    atoms: Atoms,
    potential: Potential,
    *,
    max_force: float = 1e-4,
    cell: Literal["fixed", "isotropic"] = "fixed",
    max_evaluations: int = 20000,
) -> Atoms:
    """Nearest local minimum of the energy (limited-memory BFGS).

    Parameters
    ----------
    max_force : float
        Largest force component left, eV/Å.
    cell : {"fixed", "isotropic"}
        Whether the periodic directions keep their lengths or scale together to zero pressure
        (a sheet in its plane, a solid in space).

    Returns
    -------
    Atoms
        A new structure; ``atoms`` is untouched.

    Raises
    ------
    RelaxationError
        If ``max_force`` is not reached within ``max_evaluations`` energies and gradients.
    """
    landscape = _Landscape(atoms, potential, cell == "isotropic")
    result = minimize(
        landscape.energy_gradient,
        landscape.start(),
        jac=True,
        method="L-BFGS-B",
        options={
            "maxcor": 20,
            "gtol": 0.9 * max_force,
            "ftol": 0.0,
            "maxiter": max_evaluations,
            "maxfun": max_evaluations,
        },
    )
    landscape.move(result.x)
    left = landscape.largest_force()
    if not left <= max_force:
        left = landscape.newton(max_force)
    if not left <= max_force:
        raise RelaxationError(
            f"relaxation left {left:.2g} eV/Å after {landscape.evaluations} evaluations, "
            f"more than {max_force:g}"
        )
    return landscape.atoms


class _Landscape:
    """Energy as a function of the positions and, if it may scale, the logarithm of the cell."""

    def __init__(self, atoms: Atoms, potential: Potential, scaling: bool) -> None:
        self.atoms = atoms.copy()
        self.potential = potential
        self.types = potential.types(atoms)
        self.scaling = scaling
        self.evaluations = 0
        self._periodic = np.asarray(atoms.pbc)
        # The strain is measured in units that make its stiffness like that of one atom.
        self._unit = 3.0 * np.sqrt(len(atoms))
        self._rebuild(self.atoms.positions, np.asarray(self.atoms.cell))

    def start(self) -> np.ndarray:
        self._origin_cell = np.array(self.atoms.cell)
        return np.append(self.atoms.positions.ravel(), [0.0] * self.scaling)

    def energy_gradient(self, variables: np.ndarray) -> tuple[float, np.ndarray]:
        self.evaluations += 1
        positions, cell, scale = self._unpack(variables)
        bonds = self._bonds_at(positions, cell)
        energy, per_bond = self.potential.energy_gradient(self.types, bonds)
        gradient = (bonds.gather(per_bond) * scale).ravel()
        if self.scaling:
            virial = np.einsum("pa,pa->a", per_bond, bonds.vector)[self._periodic].sum()
            gradient = np.append(gradient, virial / self._unit)
        return energy, gradient

    def move(self, variables: np.ndarray) -> None:
        positions, cell, _ = self._unpack(variables)
        self.atoms.set_cell(cell)
        self.atoms.positions[:] = positions

    def largest_force(self) -> float:
        bonds = self._bonds_at(self.atoms.positions, np.asarray(self.atoms.cell))
        _, per_bond = self.potential.energy_gradient(self.types, bonds)
        return float(np.abs(bonds.gather(per_bond)).max())

    def newton(self, max_force: float, max_steps: int = 10) -> float:
        """Newton steps at fixed cell, for the last bit that a line search cannot resolve.

        Close to a minimum energies differ by less than their rounding, and kinks where bonds
        cross a cut-off mislead the search; gradients still tell the way. Returns the largest
        force left.
        """
        left = self.largest_force()
        for _ in range(max_steps):
            bonds = self._bonds_at(self.atoms.positions, np.asarray(self.atoms.cell))
            _, per_bond = self.potential.energy_gradient(self.types, bonds)
            matrix = self.potential.hessian(self.types, bonds)
            step, _ = minres(matrix, -bonds.gather(per_bond).ravel(), rtol=1e-8)
            before = self.atoms.positions.copy()
            self.atoms.positions += np.clip(step, -0.1, 0.1).reshape(-1, 3)
            reached = self.largest_force()
            if not reached < left:
                self.atoms.positions[:] = before
                break
            left = reached
            if left <= max_force:
                break
        return left

    def _unpack(self, variables: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        scale = np.ones(3)
        if self.scaling:
            scale[self._periodic] = np.exp(variables[-1] / self._unit)
        positions = variables[: 3 * len(self.types)].reshape(-1, 3) * scale
        return positions, self._origin_cell * scale, scale

    def _bonds_at(self, positions: np.ndarray, cell: np.ndarray) -> Bonds:
        strained = np.abs(cell - self._built_cell).sum(axis=1).max()
        drift = positions - self._built_positions
        moved = np.sqrt(np.einsum("ia,ia->i", drift, drift).max())
        if 2 * moved + 2 * strained > _SKIN:
            self._rebuild(positions, cell)
        return self._bonds.moved(positions, cell)

    def _rebuild(self, positions: np.ndarray, cell: np.ndarray) -> None:
        here = self.atoms.copy()
        here.set_cell(cell)
        here.positions[:] = positions
        self._bonds = self.potential.bonds(here, skin=_SKIN)
        self._built_positions, self._built_cell = positions.copy(), cell.copy()


@dataclass(frozen=True)
class SoftSpheres(Potential):
    """``E₀ [1 + cos(πr/d)]`` between any two atoms nearer than ``diameter``.

    Minimised first, it takes overlapping atoms apart gently; a real potential would throw them.
    """

    diameter: float
    symbols: tuple[str, ...]
    strength: float = 5.0
    dim: int = 3
    half: ClassVar[bool] = True

    @property
    def species(self) -> tuple[str, ...]:
        return self.symbols

    @property
    def cutoff(self) -> float:
        return self.diameter

    def parameters(self) -> dict:
        return {"form": "soft spheres", "diameter": self.diameter, "strength": self.strength}

    def energy_gradient(self, types: np.ndarray, bonds: Bonds) -> tuple[float, np.ndarray]:
        r, unit = lengths(bonds.vector)
        wave = np.pi / self.diameter
        inside = r < self.diameter
        energy = self.strength * (1 + np.cos(wave * r)) * inside
        slope = -self.strength * wave * np.sin(wave * r) * inside
        return float(energy.sum()), slope[:, None] * unit

    def hessian(self, types: np.ndarray, bonds: Bonds) -> sparse.csr_array:
        r, unit = lengths(bonds.vector)
        wave = np.pi / self.diameter
        inside = r < self.diameter
        slope = -self.strength * wave * np.sin(wave * r) * inside
        curvature = -self.strength * wave**2 * np.cos(wave * r) * inside
        return bonds.assemble(central_blocks(unit, curvature, slope / r))

    def matscipy_calculator(self) -> Calculator:
        raise NotImplementedError("matscipy has no soft spheres; they only prepare structures")


def separate(atoms: Atoms, distance: float, *, dim: int = 3) -> Atoms:
    """Take apart atoms nearer than ``distance`` (Å), moving the others as little as possible.

    Returns a new structure, free of overlaps up to what its density allows.
    """
    spheres = SoftSpheres(distance, tuple(sorted(set(atoms.symbols))), dim=dim)
    landscape = _Landscape(atoms, spheres, scaling=False)
    result = minimize(
        landscape.energy_gradient,
        landscape.start(),
        jac=True,
        method="L-BFGS-B",
        options={"gtol": 1e-2, "maxiter": 500},
    )
    landscape.move(result.x)
    return landscape.atoms
