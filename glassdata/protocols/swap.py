"""Equilibrium liquid → glass: swap Monte Carlo down to a parent temperature, then minimisation.

The colder the liquid from which a glass is quenched, the more stable the glass. What tells a
liquid in equilibrium from one that was only cooled is tested in every structure: its energy no
longer drifts, and its particles have left the places where they were.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, cast

import numpy as np
from ase import Atoms

from glassdata.config import check_positive
from glassdata.minimise import relax
from glassdata.potentials import LennardJonesMixture
from glassdata.protocols import liquid, montecarlo
from glassdata.protocols.plan import generator
from glassdata.system import PreparationError, System
from glassdata.units import BOLTZMANN

# Blocks of each half of the run, whose scatter gives the error of its mean energy: the longer
# ones, because the energy remembers for about as long as the particles stay, the shorter ones,
# because the scatter of few is uncertain. The larger error counts.
_BLOCKS = (4, 8, 16)
# A particle is where it was if it is nearer than so many steps of its motion.
_NEAR = 3.0
# Sweeps between two recorded energies.
_STRIDE = 10
# Largest drift of the energy, in its standard errors, and largest share of particles that stayed.
_DRIFT, _STAYED = 4.0, 1 / math.e

SCIENCE = {
    "blocks": _BLOCKS,
    "near": _NEAR,
    "stride": _STRIDE,
    "drift": _DRIFT,
    "stayed": _STAYED,
} | montecarlo.SCIENCE


@dataclass(frozen=True)
class Parent:
    """A liquid from which glasses are quenched.

    Attributes
    ----------
    temperature : float, K
    density : float, atoms per Å²
    sweeps : int
        Sweeps it is given to come to equilibrium, and as many again in which that is shown.

    Examples
    --------
    >>> Parent(temperature=36.0, density=0.103, sweeps=50_000).temperature
    36.0
    """

    temperature: float
    density: float
    sweeps: int

    def __post_init__(self) -> None:
        check_positive(self, "Parent", "temperature", "density")
        least = 2 * max(_BLOCKS) * _STRIDE
        if self.sweeps < least:
            raise ValueError(f"Parent: sweeps must be at least {least}, got {self.sweeps}")


@dataclass(frozen=True)
class SwapGlass:
    """Liquid at random places → down a ladder of temperatures → its parent's → minimisation.

    Attributes
    ----------
    n_structures : int
    composition : tuple of int
        Particles of each species in a unit.
    units : int
        Units in a structure.
    parents : tuple of Parent
        Structures take them in turn, so that any number of structures covers them evenly.
    replicated : int
        The parent whose structures count as replicates.
    hottest : float, K
        Where the ladder begins.
    rung : float
        From one temperature of the ladder to the next, at most this factor.
    rung_sweeps : int
        Sweeps at each temperature above the parent's.
    step : float, Å
        Largest displacement along an axis.
    separation : float, Å
        Particles nearer than this are taken apart before the first sweep.
    max_force : float, eV/Å

    Examples
    --------
    The temperatures through which a liquid is cooled before its parent's 71.9 K:

    >>> import glassdata as gd
    >>> protocol = gd.SYSTEMS["ka2d"].protocols["demo"]
    >>> protocol.ladder(protocol.parents[3]).round(1).tolist()
    [119.8, 101.0, 85.2]
    """

    n_structures: int
    composition: tuple[int, ...]
    units: int
    parents: tuple[Parent, ...]
    replicated: int
    hottest: float
    rung: float
    rung_sweeps: int
    step: float
    separation: float
    max_force: float
    ensemble: ClassVar[str] = "equilibrated"

    def __post_init__(self) -> None:
        who = type(self).__name__
        check_positive(self, who, "n_structures", "composition", "units", "hottest", "rung_sweeps")
        check_positive(self, who, "step", "separation", "max_force")
        if not 1 < self.rung < np.inf:
            raise ValueError(f"{who}: rung must be a factor above 1, got {self.rung}")
        if not 0 <= self.replicated < len(self.parents):
            raise ValueError(
                f"{who}: replicated must be one of {len(self.parents)} parents, "
                f"got {self.replicated}"
            )

    @property
    def preparations(self) -> int:
        """Number of parents."""
        return len(self.parents)

    def science(self) -> dict:
        """Everything that determines the structures, as plain data."""
        return liquid.science(self) | SCIENCE

    def largest(self, system: System) -> int:
        """Number of particles."""
        return self.units * sum(self.composition)

    def __call__(self, system: System, index: int) -> Atoms:
        number = index % len(self.parents)
        after, stayed, drift = self.liquid(system, index)
        atoms = relax(after, system.potential, max_force=self.max_force)
        atoms.wrap()
        liquid.check_glass(atoms, system)
        atoms.info = {
            "parent": index,
            "replicate": number == self.replicated,
            "ensemble": self.ensemble,
            "preparation": number,
            "anneal_temperature": self.parents[number].temperature,
            "self_overlap": stayed,
            "energy_drift": drift,
        }
        return atoms

    def liquid(self, system: System, index: int) -> tuple[Atoms, float, float]:
        """The liquid in equilibrium from which a structure is quenched.

        Parameters
        ----------
        system : System
        index : int
            Of the structure.

        Returns
        -------
        atoms : Atoms
        stayed : float
            Share of the particles that are where they were before the last run.
        drift : float
            Of the energy during that run, in standard errors.

        Raises
        ------
        PreparationError
            If it is not in equilibrium.
        """
        parent, rng = self.parents[index % len(self.parents)], generator(system.name, index, "melt")
        composition = [self.units * count for count in self.composition]
        atoms = liquid.at_random(
            system, composition, parent.density, rng, separation=self.separation
        )
        for temperature in self.ladder(parent):
            atoms, _ = self._run(atoms, system, temperature, self.rung_sweeps, rng)
        before, _ = self._run(atoms, system, parent.temperature, parent.sweeps, rng)
        after, energies = self._run(before, system, parent.temperature, parent.sweeps, rng)
        drift, stayed = energy_drift(energies), self._stayed(before, after)
        if not (abs(drift) <= _DRIFT and stayed <= _STAYED):
            raise PreparationError(
                f"not equilibrated at {parent.temperature:.4g} K: in {parent.sweeps} sweeps "
                f"{stayed:.2f} of the particles stayed (at most {_STAYED:.2f}) and the energy "
                f"drifted by {drift:.1f} standard errors (at most {_DRIFT:g})"
            )
        return after, stayed, drift

    def ladder(self, parent: Parent) -> np.ndarray:
        """Temperatures above the parent's, K, descending by equal factors."""
        ratio = self.hottest / parent.temperature
        rungs = max(int(np.ceil(np.log(ratio) / np.log(self.rung) - 1e-9)), 0)
        return self.hottest * ratio ** (-np.arange(rungs) / max(rungs, 1))

    def _run(
        self,
        atoms: Atoms,
        system: System,
        temperature: float,
        sweeps: int,
        rng: np.random.Generator,
    ) -> tuple[Atoms, np.ndarray]:
        potential = cast(LennardJonesMixture, system.potential)
        end = montecarlo.sample(
            atoms.positions[:, :2],
            potential.types(atoms),
            potential,
            rng,
            box=atoms.cell[0, 0],
            thermal=BOLTZMANN * temperature,
            step=self.step,
            sweeps=sweeps,
            stride=_STRIDE,
        )
        moved = atoms.copy()
        moved.positions[:, :2] = end.positions
        moved.symbols = np.array(potential.species)[end.types]
        return moved, end.energies

    def _stayed(self, before: Atoms, after: Atoms) -> float:
        """Share of the particles that are near where they were."""
        box = before.cell[0, 0]
        moved = (after.positions - before.positions)[:, :2]
        moved -= box * np.round(moved / box)
        return float(np.mean(np.hypot(*moved.T) < _NEAR * self.step))


def energy_drift(energies: np.ndarray) -> float:
    """Change of the mean from the first half of a series to the second, in its standard errors.

    Parameters
    ----------
    energies : (n,)
        At equal intervals, at least 32.
    """
    halves = np.array_split(energies, 2)
    errors = []
    for count in _BLOCKS:
        blocks = [[block.mean() for block in np.array_split(half, count)] for half in halves]
        errors.append(np.sqrt(np.var(blocks, axis=1, ddof=1).sum() / count))
    return float((halves[1].mean() - halves[0].mean()) / max(errors))
