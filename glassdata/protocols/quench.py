"""Liquid → glass by cooling at a rate: molecular dynamics, then minimisation at a fixed density.

The slower a liquid is cooled, the longer it stays in equilibrium, and the more stable the glass.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from ase import Atoms

from glassdata.config import check_positive
from glassdata.minimise import relax
from glassdata.potentials import LennardJonesMixture, Potential
from glassdata.protocols import dynamics, liquid, melt
from glassdata.protocols.plan import generator
from glassdata.system import System

# Forces left before the melt, eV/Å, and evaluations that this may take: atoms at random places
# would fly apart, and rest is not needed.
_LOOSE = 1.0


@dataclass(frozen=True)
class Cooling:
    """How a liquid is cooled.

    Attributes
    ----------
    rate : float, K/ps
    hot, cold : float, K
        Between which it is cooled; below, nothing moves that a minimisation would not.
    density : float, atoms per Å³
        Of the glass.

    Examples
    --------
    The time it takes, in ps:

    >>> Cooling(rate=20.0, hot=3750.0, cold=1000.0, density=0.049).time
    137.5
    """

    rate: float
    hot: float
    cold: float
    density: float

    def __post_init__(self) -> None:
        check_positive(self, "Cooling", "rate", "hot", "cold", "density")

    @property
    def time(self) -> float:
        """From hot to cold, ps."""
        return abs(self.hot - self.cold) / self.rate


@dataclass(frozen=True)
class QuenchedGlass:
    """Liquid at random places → melt → cooled at a rate → brought to its density → minimisation.

    Attributes
    ----------
    n_structures : int
    composition : tuple of int
        Atoms of each species in a unit.
    units : int
        Units in a structure.
    coolings : tuple of Cooling
        Structures take them in turn, so that any number of structures covers them evenly.
    replicated : int
        The cooling whose structures count as replicates.
    cooled_with : Potential
        Of the melt and while it is cooled: another than the glass's if that liquid does not
        become the glass.
    cell : "fixed" or "isotropic"
        Whether the liquid has the density of the glass, or none but zero pressure.
    melt_time, timestep : float, ps
    separation : float, Å
        Atoms nearer than this are taken apart before the melt.
    max_force : float, eV/Å

    Examples
    --------
    Silicon is cooled with stiffer angles than those of the glass:

    >>> import glassdata as gd
    >>> silicon = gd.SYSTEMS["si"]
    >>> silicon.protocols["reference"].cooled_with.lam / silicon.potential.lam
    1.25
    """

    n_structures: int
    composition: tuple[int, ...]
    units: int
    coolings: tuple[Cooling, ...]
    replicated: int
    cooled_with: Potential
    cell: Literal["fixed", "isotropic"]
    melt_time: float
    timestep: float
    separation: float
    max_force: float
    ensemble: ClassVar[str] = "quenched"

    def __post_init__(self) -> None:
        who = type(self).__name__
        check_positive(self, who, "n_structures", "composition", "units", "melt_time", "timestep")
        check_positive(self, who, "separation", "max_force")
        if self.cell not in ("fixed", "isotropic"):
            raise ValueError(f"{who}: cell must be fixed or isotropic, got {self.cell!r}")
        if not 0 <= self.replicated < len(self.coolings):
            raise ValueError(
                f"{who}: replicated must be one of {len(self.coolings)} coolings, "
                f"got {self.replicated}"
            )

    @property
    def preparations(self) -> int:
        """Number of coolings."""
        return len(self.coolings)

    def science(self) -> dict:
        """Everything that determines the structures, as plain data."""
        ours = isinstance(self.cooled_with, LennardJonesMixture)
        engine = dynamics.SCIENCE if ours else melt.SCIENCE_IN_SPACE
        return liquid.science(self) | {"loose": _LOOSE, "engine": engine}

    def largest(self, system: System) -> int:
        """Number of atoms."""
        return self.units * sum(self.composition)

    def __call__(self, system: System, index: int) -> Atoms:
        number = index % len(self.coolings)
        cooling, rng = self.coolings[number], generator(system.name, index, "melt")
        composition = [self.units * count for count in self.composition]
        atoms = liquid.at_random(
            system, composition, cooling.density, rng, separation=self.separation
        )
        atoms = self._cooled(relax(atoms, self.cooled_with, max_force=_LOOSE), cooling, rng)
        side = (len(atoms) / cooling.density) ** (1 / system.potential.dim)
        atoms.set_cell(np.full(3, side), scale_atoms=True)
        atoms = relax(atoms, system.potential, max_force=self.max_force)
        atoms.wrap()
        liquid.check_glass(atoms, system)
        atoms.info = {
            "parent": index,
            "replicate": number == self.replicated,
            "ensemble": self.ensemble,
            "preparation": number,
            "anneal_temperature": cooling.hot,
            "quench_rate": cooling.rate,
        }
        return atoms

    def _cooled(self, atoms: Atoms, cooling: Cooling, rng: np.random.Generator) -> Atoms:
        times = {"melt_time": self.melt_time, "cooling_time": cooling.time}
        times |= {"hot": cooling.hot, "cold": cooling.cold, "timestep": self.timestep}
        if isinstance(self.cooled_with, LennardJonesMixture):
            return dynamics.cool(atoms, self.cooled_with, rng, **times)
        seed = int(rng.integers(1, 900_000_000))
        return melt.cool(atoms, self.cooled_with, seed, **times, cell=self.cell)
