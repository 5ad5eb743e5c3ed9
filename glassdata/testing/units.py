"""Whether a declared variable scales as its unit says, so that a wrong dimension is found.

Stretch all lengths, raise all energies and change all masses by known factors: every variable in Å
must then grow like a length, every one in THz like a frequency, and one without unit stay the same.
The factors are powers of two, so that nothing is rounded on the way.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from ase import Atoms

from glassdata.describe import DESCRIBED, Structure
from glassdata.potentials import Bonds, Potential
from glassdata.system import System

LENGTH, ENERGY, MASS = 2.0, 2.0**10, 2.0**-2
_FREQUENCY = (ENERGY / MASS) ** 0.5 / LENGTH
#: How each unit grows.
FACTORS = {
    "1": 1.0,
    "degree": 1.0,
    "angstrom": LENGTH,
    "eV": ENERGY,
    "K": ENERGY,
    "u": MASS,
    "THz": _FREQUENCY,
    "ps": 1 / _FREQUENCY,
    "GPa": ENERGY / LENGTH**3,
}


@dataclass(frozen=True, eq=False)
class Scaled(Potential):
    """The same potential with longer lengths (Å) and larger energies (eV)."""

    inner: Potential

    @property
    def half(self) -> bool:
        """Whether it needs only one of each bond and its reverse."""
        return self.inner.half

    @property
    def dim(self) -> int:
        return self.inner.dim

    @property
    def shortest(self) -> Mapping[tuple[str, str], float]:
        """The inner potential's ``shortest``, with longer lengths (Å)."""
        return {pair: LENGTH * distance for pair, distance in self.inner.shortest.items()}

    def window(self, a: str, b: str) -> tuple[float, float] | None:
        edges = self.inner.window(a, b)
        return None if edges is None else (LENGTH * edges[0], LENGTH * edges[1])

    @property
    def species(self) -> tuple[str, ...]:
        return self.inner.species

    @property
    def cutoff(self) -> float:
        return LENGTH * self.inner.cutoff

    def parameters(self) -> dict:
        return {"form": "scaled", "inner": self.inner.parameters()}

    def energy_gradient(self, types: np.ndarray, bonds: Bonds) -> tuple[float, np.ndarray]:
        energy, gradient = self.inner.energy_gradient(types, _shrunk(bonds))
        return ENERGY * energy, ENERGY / LENGTH * gradient

    def hessian(self, types: np.ndarray, bonds: Bonds) -> Any:
        return ENERGY / LENGTH**2 * self.inner.hessian(types, _shrunk(bonds))

    def matscipy_calculator(self) -> Any:
        raise NotImplementedError("no calculator has scaled units")


def _shrunk(bonds: Bonds) -> Bonds:
    return replace(bonds, vector=bonds.vector / LENGTH)


def factor(units: str) -> float | None:
    """Factor by which a quantity in units such as ``"eV angstrom-1"`` grows; None if unknown."""
    grown = 1.0
    for word in units.split():
        match = re.fullmatch(r"([A-Za-z]+|1)(-?\d+)?", word)
        if match is None or match[1] not in FACTORS:
            return None
        grown *= FACTORS[match[1]] ** int(match[2] or 1)
    return grown


def wrong_dimensions(atoms: Atoms, system: System) -> Iterator[str]:
    """Declared variables that do not scale as their unit says."""
    if not isinstance(system.potential, Potential):
        return  # calculators cannot be scaled
    scaled_atoms, scaled_system = _scaled(atoms, system)
    before, after = Structure(atoms, system), Structure(scaled_atoms, scaled_system)
    for name, variable in DESCRIBED.items():
        if not variable.applies(system) or np.dtype(variable.dtype).kind == "U":
            continue
        units = variable.units_in(system.dim)
        grown = factor(units)
        if grown is None:
            yield f"{name} is in {units!r}, of which only {', '.join(FACTORS)} are known"
            continue
        expected, found = grown * np.asarray(before[name], float), np.asarray(after[name], float)
        if not np.isfinite(expected).all():
            continue  # another law's business
        # Forces of a structure at rest are rounding, which need not scale.
        scale = np.abs(expected).max(initial=0.0) + 1e-9 * grown
        if found.shape != expected.shape or not np.allclose(found, expected, atol=1e-6 * scale):
            worst = np.argmax(np.abs(expected)) if found.shape == expected.shape else 0
            ratio = (found / np.where(expected, expected, 1.0)).flat[worst] * grown
            yield (
                f"{name} is declared in {units!r} and should grow {grown:g} times where lengths "
                f"grow {LENGTH:g}, energies {ENERGY:g} and masses {MASS:g} times, but it grows "
                f"{ratio:.4g} times; look at its unit and at the function that computes it"
            )


def _scaled(atoms: Atoms, system: System) -> tuple[Atoms, System]:
    def stretched(structure: Atoms) -> Atoms:
        longer = structure.copy()
        longer.set_cell(LENGTH * structure.cell.array)
        longer.positions = LENGTH * structure.positions
        longer.set_masses(MASS * structure.get_masses())
        return longer

    crystal = stretched(system.crystal())
    larger = replace(
        system,
        potential=Scaled(cast(Potential, system.potential)),
        crystal=cast(Any, crystal.copy),
        r_max=LENGTH * system.r_max,
        omega_max=_FREQUENCY * system.omega_max,
        bond_length=LENGTH * system.bond_length,
    )
    return stretched(atoms), larger
