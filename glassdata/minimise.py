"""Energy minimisation, with the same potential that gives the Hessian."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from scipy import linalg, sparse
from scipy.optimize import minimize

from glassdata.potentials import Bonds, EnergySurface, Potential, surface_of
from glassdata.potentials.base import central_blocks, lengths
from glassdata.potentials.verlet import SKIN
from glassdata.radial import periodic_extent
from glassdata.sheet import check_flat
from glassdata.units import GIGAPASCAL, NEWTON_PER_METRE
from glassdata.vibrations import hessian

# Eigenvalues below this share of the largest entry of the Hessian count as zero: frequencies of
# 1e-4 of the highest, such as dangling atoms have where nothing resists their turning.
_UNSTABLE = 1e-8
# Where a bond crosses its cut-off the curvature jumps and the line search gives up; a fresh start
# forgets the curvature learned on the other side.
_FRESH_STARTS = 8
# Energies are rounded to 1e-14 eV or so, which hides strain slopes below this.
_STRAIN_RESOLUTION = 1e-5  # eV/Å

# Displacement along the unstable direction of a saddle point, Å.
_PUSH = 0.1
# Half of the largest energy of two overlapping atoms while they are pushed apart, eV.
_STRENGTH = 5.0
# Correction pairs that L-BFGS remembers.
_MEMORY = 20

#: The constants of the minimiser that a relaxed structure depends on.
SCIENCE = {
    "unstable": _UNSTABLE,
    "fresh_starts": _FRESH_STARTS,
    "strain_resolution": _STRAIN_RESOLUTION,
    "push": _PUSH,
    "memory": _MEMORY,
    "skin": SKIN,
    "separating_strength": _STRENGTH,
}


class RelaxationError(ArithmeticError):
    """The minimiser did not come to rest; the message states the remaining force or stress."""


def relax(
    atoms: Atoms,
    potential: EnergySurface | Calculator,
    *,
    max_force: float = 1e-4,
    cell: Literal["fixed", "isotropic"] = "fixed",
    pressure: float = 0.0,
    max_evaluations: int = 12000,
) -> Atoms:
    """Bring a structure to rest: limited-memory BFGS, then Newton's method.

    The result is a minimum of the energy near the start; or a saddle point if symmetry holds the
    structure there, as it holds an exactly flat sheet: see :func:`settle`.

    Parameters
    ----------
    atoms : Atoms
    potential : Potential or ASE calculator
        Newton's method needs second derivatives, which take 6N forces of a calculator.
    max_force : float
        Largest force component at the end, eV/Å.
    cell : {"fixed", "isotropic"}
        Whether the periodic lengths stay as they are, or all grow by one factor until the pressure
        is as stated (of a sheet in its plane, of a solid in space).
    pressure : float
        Of a cell that is not fixed, eV/Å^d, where d directions are periodic; negative is tension.
    max_evaluations : int
        Largest number of evaluations of energy and gradient.

    Returns
    -------
    Atoms
        A new structure; ``atoms`` is untouched.

    Raises
    ------
    RelaxationError
        If ``max_evaluations`` are not enough. The message states the remaining force (eV/Å), or
        stress (GPa; N/m for a sheet) if the cell should have relaxed.
    ValueError
        For another ``cell``, or as :func:`glassdata.vibrations.energy_forces`.

    Examples
    --------
    >>> import glassdata as gd
    >>> system = gd.SYSTEMS["lj3d"]
    >>> atoms = system.crystal() * (2, 2, 2)
    >>> atoms.rattle(0.1, seed=0)
    >>> resting = gd.relax(atoms, system.potential, max_force=1e-5)
    >>> bool(abs(resting.positions - atoms.positions).max() > 0.1)
    True
    """
    if cell not in ("fixed", "isotropic"):
        raise ValueError(f"cell must be fixed or isotropic, got {cell!r}")
    landscape = _Landscape(atoms, surface_of(potential), cell == "isotropic", pressure)
    # Close to the minimum Newton's method needs few Hessians, and goes on where a line search fails
    # because energies differ by less than their rounding. Far from it the method would be slow.
    for closeness in (landscape.potential.newton_from, *_FRESH_STARTS * [1.0]):
        landscape.descend(0.9 * closeness * max_force, max_evaluations)
        left = landscape.largest_force()
        if left > max_force:
            left = landscape.newton(0.9 * max_force)
        steepest = max(10.0 * max_force, _STRAIN_RESOLUTION)
        slope = landscape.strain_slope()
        if left <= max_force and abs(slope) <= steepest:
            return landscape.atoms
        if landscape.evaluations >= max_evaluations:
            break
    found = []
    if left > max_force:
        found.append(f"a force of {left:.2g} eV/Å (at most {max_force:g})")
    if abs(slope) > steepest:
        unit, size = landscape.stress_unit()
        found.append(f"a stress of {size * slope:.2g} {unit} (at most {size * steepest:.2g})")
    raise RelaxationError(
        f"relaxation left {' and '.join(found)} after {landscape.evaluations} evaluations"
    )


def settle(
    atoms: Atoms,
    potential: EnergySurface | Calculator,
    *,
    max_force: float = 1e-4,
    cell: Literal["fixed", "isotropic"] = "fixed",
    pressure: float = 0.0,
    max_rounds: int = 10,
) -> Atoms:
    """Bring a structure to a true minimum of the energy: :func:`relax`, and leave saddle points.

    A floppy structure, or one that symmetry holds (an exactly flat sheet), can come to rest where
    some directions are unstable and their modes imaginary. It is then pushed by 0.1 Å along the
    most unstable direction and relaxed again. For small structures: it diagonalises.

    Parameters
    ----------
    atoms, potential, max_force, cell, pressure
        As for :func:`relax`.
    max_rounds : int
        Largest number of relaxations.

    Returns
    -------
    Atoms
        A new structure. The Hessian has no negative eigenvalue below 1e-8 of its largest entry.

    Raises
    ------
    RelaxationError
        If a relaxation fails, or if the last one still ended at a saddle point.

    Examples
    --------
    >>> import glassdata as gd
    >>> carbon = gd.SYSTEMS["amc"]
    >>> bent = carbon.crystal()
    >>> bent.positions[0, 2] += 0.2
    >>> flat = settle(bent, carbon.potential)
    >>> float(np.ptp(flat.positions[:, 2])) < 0.01
    True
    """
    for _ in range(max_rounds):
        atoms = relax(atoms, potential, max_force=max_force, cell=cell, pressure=pressure)
        matrix = hessian(atoms, potential).toarray()
        values, vectors = linalg.eigh(matrix, subset_by_index=[0, 0])
        if values[0] > -_UNSTABLE * np.abs(matrix).max():
            return atoms
        push = vectors[:, 0].reshape(len(atoms), -1)
        # The sign of an eigenvector is arbitrary; fixing it keeps the result reproducible.
        push *= np.sign(push.flat[np.abs(push).argmax()])
        atoms.positions[:, : push.shape[1]] += _PUSH * push / np.abs(push).max()
    worst = int(np.abs(push).max(axis=1).argmax())
    raise RelaxationError(
        f"still at a saddle point after {max_rounds} relaxations: curvature {values[0]:.2g} eV/Å² "
        f"along a direction that moves atom {worst} most"
    )


class _Landscape:
    """Energy as a function of the positions and, if it may scale, the logarithm of the cell.

    Under a pressure it is the enthalpy of the cell that may scale.
    """

    def __init__(
        self, atoms: Atoms, potential: EnergySurface, scaling: bool, pressure: float = 0.0
    ) -> None:
        if potential.dim == 2:
            check_flat(atoms)
        self.atoms = atoms.copy()
        self.potential = potential
        self.scaling = scaling
        self.pressure = pressure
        self.evaluations = 0
        self._periodic = np.asarray(atoms.pbc)
        # The strain is measured in units that make its stiffness like that of one atom.
        self._unit = 3.0 * np.sqrt(len(atoms))
        self._path = potential.along(atoms)

    def start(self) -> np.ndarray:
        self._origin_cell = np.array(self.atoms.cell)
        if self.pressure:
            self._origin_extent = periodic_extent(self.atoms)
        return np.append(self.atoms.positions.ravel(), [0.0] * self.scaling)

    def energy_gradient(self, variables: np.ndarray) -> tuple[float, np.ndarray]:
        self.evaluations += 1
        positions, cell, scale = self._unpack(variables)
        energy, on_atoms = self._path.evaluate(positions, cell)
        gradient = (on_atoms * scale).ravel()
        if self.scaling:
            swelling = np.diagonal(self._path.virial())[self._periodic].sum()
            if self.pressure:
                work = self.pressure * self._origin_extent * scale.prod()
                energy += work
                swelling += work * self._periodic.sum()
            gradient = np.append(gradient, swelling / self._unit)
        return energy, gradient

    def move(self, variables: np.ndarray) -> None:
        positions, cell, _ = self._unpack(variables)
        self.atoms.set_cell(cell)
        self.atoms.positions[:] = positions

    def descend(self, slope: float, max_evaluations: int) -> None:
        """L-BFGS over positions and strain until no component of the gradient exceeds ``slope``."""
        result = minimize(
            self.energy_gradient,
            self.start(),
            jac=True,
            method="L-BFGS-B",
            options={
                "maxcor": _MEMORY,
                "gtol": slope,
                "ftol": 0.0,
                "maxiter": max_evaluations,
                "maxfun": max(1, max_evaluations - self.evaluations),
            },
        )
        self.move(result.x)

    def newton(self, max_force: float) -> float:
        """Truncated Newton within a trust region, at fixed cell; returns the largest force left."""
        hessians: dict[bytes, sparse.bsr_array] = {}

        def curvature(variables: np.ndarray, direction: np.ndarray) -> np.ndarray:
            here = variables.tobytes()
            if here not in hessians:
                hessians.clear()
                self.move(variables)
                hessians[here] = self.potential.force_constants(self.atoms)
            return hessians[here] @ direction

        scaling, self.scaling = self.scaling, False
        result = minimize(
            self.energy_gradient,
            self.start(),
            jac=True,
            hessp=curvature,
            method="trust-ncg",
            options={
                "gtol": max_force,
                "maxiter": 30,
                "initial_trust_radius": 0.3,
                "max_trust_radius": 1.0,
            },
        )
        self.move(result.x)
        self.scaling = scaling
        return self.largest_force()

    def largest_force(self) -> float:
        """Largest force component on an atom, eV/Å."""
        _, gradient = self.energy_gradient(self.start())
        return float(np.abs(gradient[: 3 * len(self.atoms)]).max())

    def strain_slope(self) -> float:
        """Derivative of the energy with respect to the scaled strain, 0 where the cell is fixed."""
        _, gradient = self.energy_gradient(self.start())
        return float(gradient[3 * len(self.atoms) :].sum())

    def stress_unit(self) -> tuple[str, float]:
        """Unit of stress, and the mean diagonal stress in this unit for a strain slope of 1."""
        directions = int(self._periodic.sum())
        per_length = self._unit / directions
        if directions == 1:
            return "eV/Å", per_length / self.atoms.cell.lengths()[self._periodic][0]
        name, unit = ("GPa", GIGAPASCAL) if directions == 3 else ("N/m", NEWTON_PER_METRE)
        return name, per_length / periodic_extent(self.atoms) * unit

    def _unpack(self, variables: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        scale = np.ones(3)
        if self.scaling:
            scale[self._periodic] = np.exp(variables[-1] / self._unit)
        positions = variables[: 3 * len(self.atoms)].reshape(-1, 3) * scale
        return positions, self._origin_cell * scale, scale


@dataclass(frozen=True)
class SoftSpheres(Potential):
    """``E₀ [1 + cos(πr/d)]`` between any two atoms nearer than ``diameter``.

    Minimised first, it pushes overlapping atoms apart by small steps; a real potential would make
    them fly apart.
    """

    diameter: float
    symbols: tuple[str, ...]
    strength: float = _STRENGTH
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

    def hessian(self, types: np.ndarray, bonds: Bonds) -> sparse.bsr_array:
        r, unit = lengths(bonds.vector)
        wave = np.pi / self.diameter
        inside = r < self.diameter
        slope = -self.strength * wave * np.sin(wave * r) * inside
        curvature = -self.strength * wave**2 * np.cos(wave * r) * inside
        return bonds.assemble(central_blocks(unit, curvature, slope / r))

    def matscipy_calculator(self) -> Calculator:
        raise NotImplementedError("matscipy has no soft spheres; they only prepare structures")


def separate(atoms: Atoms, distance: float) -> Atoms:
    """Push apart atoms that are too near, and move the others as little as possible.

    Parameters
    ----------
    atoms : Atoms
    distance : float, Å
        Atoms nearer than this push each other away.

    Returns
    -------
    Atoms
        A new structure, without overlaps as far as its density allows.

    Examples
    --------
    >>> close = Atoms("Ar2", positions=[[0, 0, 0], [1, 0, 0]], cell=[9, 9, 9], pbc=True)
    >>> bool(separate(close, 2.0).get_distance(0, 1) > 1.9)
    True
    """
    spheres = SoftSpheres(distance, tuple(sorted(set(atoms.symbols))))
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
