"""Lennard-Jones."""

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from ase.calculators.calculator import Calculator

from glassdata.config import check_positive
from glassdata.kernels import compiled
from glassdata.potentials.base import Bonds, PairPotential, lengths


@dataclass(frozen=True)
class LennardJones(PairPotential):
    """``4ε[(σ/r)¹² − (σ/r)⁶]`` up to ``r_cut``, for one species.

    Parameters
    ----------
    epsilon : float, eV
    sigma : float, Å
    r_cut : float, Å
    truncation : {"force-shifted", "shifted", "cut"}
        ``"cut"`` leaves the potential as it is up to ``r_cut``; ``"shifted"`` subtracts a constant,
        so that the energy vanishes there; ``"force-shifted"`` subtracts a linear function, so that
        the force vanishes, too. A minimiser needs forces without a jump. The force-shifted form
        keeps structure and dynamics of the full potential (Toxvaerd & Dyre, doi:10.1063/1.3558787).
    symbol : str
        Chemical symbol of the atoms.
    dim : int
        2 for atoms that move in the plane z = const only, 3 otherwise.

    Examples
    --------
    Two argon atoms at the minimum of the full potential, 2^(1/6) σ:

    >>> from ase import Atoms
    >>> from glassdata.potentials import LennardJones
    >>> argon = LennardJones(epsilon=0.0103, sigma=3.405, r_cut=8.5, truncation="cut")
    >>> pair = Atoms("Ar2", positions=[[0, 0, 0], [2 ** (1 / 6) * 3.405, 0, 0]])
    >>> energy, _ = argon.evaluate(pair)
    >>> round(energy, 4)
    -0.0103
    """

    epsilon: float
    sigma: float
    r_cut: float
    truncation: Literal["force-shifted", "shifted", "cut"] = "force-shifted"
    symbol: str = "Ar"
    dim: int = 3

    def __post_init__(self) -> None:
        check_positive(self, "LennardJones", "epsilon", "sigma", "r_cut")
        if self.truncation not in ("force-shifted", "shifted", "cut"):
            raise ValueError(f"LennardJones: unknown truncation {self.truncation!r}")

    @property
    def species(self) -> tuple[str, ...]:
        return (self.symbol,)

    @property
    def cutoff(self) -> float:
        return self.r_cut

    @property
    def continuity(self) -> int:
        return {"force-shifted": 1, "shifted": 0, "cut": -1}[self.truncation]

    def parameters(self) -> dict:
        return {"form": "Lennard-Jones"} | asdict(self)

    def functions(self, r: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Energy (eV) of pairs at distances ``r`` (Å) with its first and second derivative."""
        return _functions(np.atleast_1d(np.asarray(r, dtype=float)), *self._numbers)

    @property
    def _numbers(self) -> tuple[float, float, float, float, float]:
        """ε, σ, r_cut and what is subtracted from energy and slope inside it."""
        energy, slope, _ = _bare(self.r_cut, self.epsilon, self.sigma)
        if self.truncation == "cut":
            energy = 0.0
        if self.truncation != "force-shifted":
            slope = 0.0
        return self.epsilon, self.sigma, self.r_cut, energy, slope

    def energy_gradient(self, types: np.ndarray, bonds: Bonds) -> tuple[float, np.ndarray]:
        return _energy_gradient(bonds.vector, *self._numbers)

    def stiffness(self, types: np.ndarray, bonds: Bonds) -> tuple[np.ndarray, np.ndarray]:
        r, _ = lengths(bonds.vector)
        _, slope, curvature = self.functions(r)
        return slope / r, curvature

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


@compiled
def _bare(r, epsilon, sigma):
    s2 = (sigma / r) ** 2
    s6 = s2 * s2 * s2
    energy = 4 * epsilon * s6 * (s6 - 1)
    slope = -24 * epsilon * s6 * (2 * s6 - 1) / r
    return energy, slope, 24 * epsilon * s6 * (26 * s6 - 7) / r**2


@compiled
def _functions(r, epsilon, sigma, r_cut, energy_at_cut, slope_at_cut):
    energy, slope, curvature = np.zeros_like(r), np.zeros_like(r), np.zeros_like(r)
    for p in range(len(r)):
        if r[p] < r_cut:
            bare = _bare(r[p], epsilon, sigma)
            energy[p] = bare[0] - energy_at_cut - slope_at_cut * (r[p] - r_cut)
            slope[p] = bare[1] - slope_at_cut
            curvature[p] = bare[2]
    return energy, slope, curvature


@compiled
def _energy_gradient(vector, epsilon, sigma, r_cut, energy_at_cut, slope_at_cut):
    total = 0.0
    gradient = np.zeros_like(vector)
    for p in range(len(vector)):
        x, y, z = vector[p]
        r2 = x * x + y * y + z * z
        if r2 < r_cut * r_cut:
            r = np.sqrt(r2)
            energy, slope, _ = _bare(r, epsilon, sigma)
            total += energy - energy_at_cut - slope_at_cut * (r - r_cut)
            tension = (slope - slope_at_cut) / r
            for a in range(3):
                gradient[p, a] = tension * vector[p, a]
    return total, gradient
