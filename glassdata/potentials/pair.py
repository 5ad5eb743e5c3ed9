"""Lennard-Jones."""

from dataclasses import asdict, dataclass
from typing import ClassVar, Literal

import numpy as np
from ase.calculators.calculator import Calculator
from scipy import sparse

from glassdata.potentials.base import Bonds, Potential, central_blocks, lengths


@dataclass(frozen=True)
class LennardJones(Potential):
    """``4ε[(σ/r)¹² − (σ/r)⁶]`` up to ``r_cut``, for one species.

    Parameters
    ----------
    epsilon : float, eV
    sigma : float, Å
    r_cut : float, Å
    truncation : {"force-shifted", "shifted", "cut"}
        What is subtracted so that at ``r_cut`` nothing, the energy, or energy and force vanish.
        The force-shifted form has no jump in the force, which a minimiser needs; it keeps
        structure and dynamics of the full potential (Toxvaerd & Dyre,
        doi:10.1063/1.3558787).
    symbol : str
    dim : int
    """

    epsilon: float
    sigma: float
    r_cut: float
    truncation: Literal["force-shifted", "shifted", "cut"] = "force-shifted"
    symbol: str = "Ar"
    dim: int = 3
    half: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name in ("epsilon", "sigma", "r_cut"):
            if not getattr(self, name) > 0:
                raise ValueError(
                    f"LennardJones: {name} must be positive, got {getattr(self, name)}"
                )
        if self.truncation not in ("force-shifted", "shifted", "cut"):
            raise ValueError(f"LennardJones: unknown truncation {self.truncation!r}")

    @property
    def species(self) -> tuple[str, ...]:
        return (self.symbol,)

    @property
    def cutoff(self) -> float:
        return self.r_cut

    def parameters(self) -> dict:
        return {"form": "Lennard-Jones"} | asdict(self)

    def functions(self, r: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Energy (eV) of a pair at distance ``r`` (Å) with its first and second derivative."""
        energy, slope, curvature = self._bare(r)
        at_cut, slope_at_cut, _ = self._bare(np.array(self.r_cut))
        if self.truncation != "cut":
            energy = energy - at_cut
        if self.truncation == "force-shifted":
            energy = energy - slope_at_cut * (r - self.r_cut)
            slope = slope - slope_at_cut
        inside = r < self.r_cut
        return energy * inside, slope * inside, curvature * inside

    def _bare(self, r: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        s6 = (self.sigma / r) ** 6
        energy = 4 * self.epsilon * s6 * (s6 - 1)
        slope = -24 * self.epsilon * s6 * (2 * s6 - 1) / r
        return energy, slope, 24 * self.epsilon * s6 * (26 * s6 - 7) / r**2

    def energy_gradient(self, types: np.ndarray, bonds: Bonds) -> tuple[float, np.ndarray]:
        r, unit = lengths(bonds.vector)
        energy, slope, _ = self.functions(r)
        return float(energy.sum()), slope[:, None] * unit

    def hessian(self, types: np.ndarray, bonds: Bonds) -> sparse.csr_array:
        r, unit = lengths(bonds.vector)
        _, slope, curvature = self.functions(r)
        return bonds.assemble(central_blocks(unit, curvature, slope / r))

    def matscipy_calculator(self) -> Calculator:
        from matscipy.calculators.pair_potential import (
            LennardJonesCut,
            LennardJonesLinear,
            PairPotential,
        )

        # What matscipy calls cut is shifted in energy.
        forms = {"force-shifted": LennardJonesLinear, "shifted": LennardJonesCut}
        if self.truncation not in forms:
            raise ValueError(f"matscipy has no {self.truncation} Lennard-Jones potential")
        from ase.data import atomic_numbers

        number = atomic_numbers[self.symbol]
        form = forms[self.truncation](self.epsilon, self.sigma, self.r_cut)
        return PairPotential({(number, number): form})
