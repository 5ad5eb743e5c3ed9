"""Mixtures of Lennard-Jones particles, smooth to the second derivative at the cut-off.

    φ(r) = 4ε [x⁻¹² − x⁻⁶ + c₀ + c₂x² + c₄x⁴]  for x = r/σ below ``reach``, and zero beyond

with c₀, c₂ and c₄ such that the energy, the force and the Hessian are continuous: Jung, Biroli and
Berthier, Phys. Rev. Lett. 130, 238202 (2023), doi:10.1103/PhysRevLett.130.238202.
"""

from dataclasses import asdict, dataclass

import numpy as np
from ase.calculators.calculator import Calculator

from glassdata.config import check_positive
from glassdata.kernels import compiled
from glassdata.potentials.base import Bonds, PairPotential

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class LennardJonesMixture(PairPotential):
    """Lennard-Jones particles of several species, each pair with its own depth and size.

    Parameters
    ----------
    symbols : tuple of str
        Chemical symbols that stand for the species; they also give the masses.
    epsilon, sigma : symmetric matrices over the species, eV and Å
    reach : float
        Cut-off of a pair in units of its own ``sigma``.
    dim : int
        2 for atoms that move in the plane z = const only, 3 otherwise.

    Raises
    ------
    ValueError
        For a matrix that is not symmetric, or a number that is not positive.

    Examples
    --------
    The coefficients that Jung, Biroli and Berthier print:

    >>> one = LennardJonesMixture(("Ar",), ((0.01,),), ((3.4,),))
    >>> [round(float(c), 8) for c in one.coefficients]
    [0.04049024, -0.00970155, 0.00062013]
    """

    symbols: tuple[str, ...]
    epsilon: Matrix
    sigma: Matrix
    reach: float = 2.5
    dim: int = 3

    def __post_init__(self) -> None:
        check_positive(self, "LennardJonesMixture", "reach")
        n = len(self.symbols)
        for name in ("epsilon", "sigma"):
            rows = getattr(self, name)
            if [len(row) for row in rows] != [n] * n or not np.array_equal(
                rows, np.transpose(rows)
            ):
                raise ValueError(
                    f"LennardJonesMixture: {name} must be a symmetric {n} x {n} matrix, got {rows}"
                )
            if not (np.isfinite(rows).all() and np.min(rows) > 0):
                raise ValueError(f"LennardJonesMixture: {name} must be positive, got {rows}")

    @property
    def species(self) -> tuple[str, ...]:
        return self.symbols

    @property
    def cutoff(self) -> float:
        return self.reach * float(np.max(self.sigma))

    def parameters(self) -> dict:
        return {"form": "Lennard-Jones mixture, smooth to the second derivative"} | asdict(self)

    @property
    def coefficients(self) -> tuple[float, float, float]:
        """c₀, c₂ and c₄, which make φ, φ' and φ'' vanish at the cut-off."""
        x = self.reach
        value = x**-12 - x**-6
        slope, curvature = -12 * x**-13 + 6 * x**-7, 156 * x**-14 - 42 * x**-8
        c4 = (slope / x - curvature) / (8 * x**2)
        c2 = -slope / (2 * x) - 2 * c4 * x**2
        return -(value + c2 * x**2 + c4 * x**4), c2, c4

    @property
    def table(self) -> np.ndarray:
        """4ε (eV), σ⁻² (Å⁻²), squared cut-off (Å²), c₀, c₂, c₄ of each pair, (n, n, 6)."""
        epsilon, sigma = np.array(self.epsilon), np.array(self.sigma)
        rest = np.broadcast_to(self.coefficients, (*sigma.shape, 3))
        of_pairs = np.stack([4 * epsilon, sigma**-2, (self.reach * sigma) ** 2], axis=-1)
        return np.concatenate([of_pairs, rest], axis=-1)

    def energy_gradient(self, types: np.ndarray, bonds: Bonds) -> tuple[float, np.ndarray]:
        return _energy_gradient(types, bonds.first, bonds.second, bonds.vector, self.table)

    def stiffness(self, types: np.ndarray, bonds: Bonds) -> tuple[np.ndarray, np.ndarray]:
        return _stiffness(types, bonds.first, bonds.second, bonds.vector, self.table)

    def matscipy_calculator(self) -> Calculator:
        raise NotImplementedError("matscipy has no Lennard-Jones mixture that is smooth to order 2")


@compiled(error_model="numpy")
def pair_energy(r2: float, of: np.ndarray) -> float:
    """Energy (eV) of two particles at squared distance ``r2`` (Å²) within their cut-off.

    ``of`` is their row of ``LennardJonesMixture.table``.
    """
    x2 = r2 * of[1]
    s6 = 1 / (x2 * x2 * x2)
    return of[0] * (s6 * (s6 - 1) + of[3] + x2 * (of[4] + x2 * of[5]))


@compiled(error_model="numpy")
def pair_tension(r2: float, of: np.ndarray) -> float:
    """φ'/r (eV/Å²), as ``pair_energy``."""
    x2 = r2 * of[1]
    s2 = 1 / x2
    s6 = s2 * s2 * s2
    return of[0] * of[1] * (s2 * s6 * (6 - 12 * s6) + 2 * of[4] + 4 * x2 * of[5])


@compiled
def _energy_gradient(types, first, second, vector, table):
    total, gradient = 0.0, np.zeros_like(vector)
    for p in range(len(vector)):
        of = table[types[first[p]], types[second[p]]]
        x, y, z = vector[p, 0], vector[p, 1], vector[p, 2]
        r2 = x * x + y * y + z * z
        if r2 < of[2]:
            total += pair_energy(r2, of)
            tension = pair_tension(r2, of)
            gradient[p, 0], gradient[p, 1], gradient[p, 2] = tension * x, tension * y, tension * z
    return total, gradient


@compiled
def _stiffness(types, first, second, vector, table):
    """φ'/r and φ'' of every bond."""
    tension, curvature = np.zeros(len(vector)), np.zeros(len(vector))
    for p in range(len(vector)):
        of = table[types[first[p]], types[second[p]]]
        x, y, z = vector[p, 0], vector[p, 1], vector[p, 2]
        r2 = x * x + y * y + z * z
        if r2 < of[2]:
            x2 = r2 * of[1]
            s6 = 1 / (x2 * x2 * x2)
            tension[p] = pair_tension(r2, of)
            smooth = x2 * (2 * of[4] + 12 * x2 * of[5])
            curvature[p] = of[0] / r2 * (s6 * (156 * s6 - 42) + smooth)
    return tension, curvature
