"""Propensity of motion: how far each particle of a liquid goes, on average over its velocities.

Start many times from the same positions, each time with other velocities of the same temperature,
and take the mean of what a particle did. What is left depends on the positions alone:
Widmer-Cooper, Harrowell and Fynewever, Phys. Rev. Lett. 93, 135701 (2004),
doi:10.1103/PhysRevLett.93.135701.

Three measures, at each time t::

    displacement   |r_i(t) − r_i(0)|, Å
    cage_relative  the same, less the mean displacement of the neighbours at the beginning, Å: long
                   waves, which move whole regions of a plane, do not count
    broken         share of the neighbours at the beginning that are neighbours no more

>>> MEASURES
('displacement', 'cage_relative', 'broken')
"""

from typing import NamedTuple

import numpy as np
from ase import Atoms

from glassdata.errors import StructureError
from glassdata.neighbours import neighbours
from glassdata.potentials import LennardJonesMixture
from glassdata.protocols.dynamics import follow
from glassdata.units import BOLTZMANN, THZ

#: The measures of motion, in the order of the arrays.
MEASURES = ("displacement", "cage_relative", "broken")
# Neighbours: nearer than so many sizes of the pair, and no more beyond so many.
_BONDED, _BROKEN = 1.3, 1.7
# Largest change of the energy per particle on the way, in units of the thermal energy.
_DRIFT = 0.01


class Propensity(NamedTuple):
    """What the particles of one liquid did, over many trajectories.

    Attributes
    ----------
    mean : (3, n_times, N)
        Of each of ``MEASURES``, over the trajectories.
    variance : (3, n_times, N)
        Between trajectories, of one.
    trajectories : int
    drift : float
        Largest change of the total energy per particle, in units of the thermal energy.
    """

    mean: np.ndarray
    variance: np.ndarray
    trajectories: int
    drift: float

    def noise(self, some: np.ndarray | slice = slice(None)) -> np.ndarray:
        """What its few trajectories add to the variance between particles, (3, n_times).

        Parameters
        ----------
        some
            Particles to look at.

        Examples
        --------
        >>> scattered = np.full((1, 1, 4), 10.0)
        >>> Propensity(scattered, scattered, trajectories=4, drift=0.0).noise().tolist()
        [[2.5]]
        """
        return self.variance[..., some].mean(axis=-1) / self.trajectories

    def ceiling(self, some: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Largest Pearson correlation that any prediction can have, (3, n_times).

        The mean over a few trajectories is noisy: it differs from that over all possible ones by
        the variance of one trajectory over their number. With the share s of that in the variance
        between particles, the true propensity itself correlates with the measured one by √(1 − s).

        Parameters
        ----------
        some
            Particles to look at.

        Examples
        --------
        >>> measured = np.array([[[1.0, 3.0, 5.0, 7.0]]])
        >>> noisy = Propensity(measured, np.full_like(measured, 10.0), trajectories=4, drift=0.0)
        >>> noisy.ceiling().round(3).tolist()
        [[0.707]]
        """
        between = self.mean[..., some].var(axis=-1)
        noise = self.noise(some)
        share = np.divide(noise, between, out=np.ones_like(noise), where=between > 0)
        return np.sqrt(np.clip(1 - share, 0.0, 1.0))


def propensity(
    atoms: Atoms,
    potential: LennardJonesMixture,
    rng: np.random.Generator,
    *,
    temperature: float,
    steps: np.ndarray,
    timestep: float,
    trajectories: int,
) -> Propensity:
    """The isoconfigurational ensemble of a liquid: many trajectories from one configuration.

    Parameters
    ----------
    atoms : Atoms
        A liquid in equilibrium, not its minimum, in a square or cubic periodic cell.
    potential : LennardJonesMixture
    rng : numpy.random.Generator
        Of the velocities: the same state gives the same bytes.
    temperature : float, K
    steps : (n_times,) int
        Numbers of steps after which particles are looked at, ascending.
    timestep : float, ps
    trajectories : int
        At least 2.

    Raises
    ------
    ValueError
        If there are fewer trajectories.
    StructureError
        If the energy drifts, as with too long a time step, or particles fly apart.

    Examples
    --------
    A glass at 1 K: particles tremble, and no bond breaks.

    >>> import glassdata as gd
    >>> glass, mixture = gd.dataset("ka2d").atoms(0), gd.SYSTEMS["ka2d"].potential
    >>> found = propensity(
    ...     glass, mixture, np.random.default_rng(0), temperature=1.0, steps=np.array([50]),
    ...     timestep=0.01, trajectories=2,
    ... )
    >>> found.mean.shape, bool(0 < found.mean[0].max() < 0.5), float(found.mean[2].max())
    ((3, 1, 1290), True, 0.0)
    """
    if trajectories < 2:
        raise ValueError(f"trajectories must be at least 2, got {trajectories}")
    bonds = _Bonds.of(atoms, potential)
    shape = len(MEASURES), len(steps), len(atoms)
    total, squares, furthest = np.zeros(shape), np.zeros(shape), 0.0
    thermal = BOLTZMANN * temperature
    for _ in range(trajectories):
        velocities = _velocities(atoms, rng, thermal, potential.dim)
        path, drift = follow(atoms, potential, velocities, np.asarray(steps), timestep=timestep)
        if not abs(drift) <= _DRIFT * thermal:  # nor is it known, if it is not a number
            raise StructureError(
                f"the energy drifted by {abs(drift) / thermal:.2g} of the thermal energy per "
                f"particle (at most {_DRIFT:g}): a time step of {timestep:g} ps is too long, or "
                f"the liquid was not at {temperature:g} K"
            )
        furthest = max(furthest, abs(drift) / thermal)
        found = np.array([_measured(moved, bonds) for moved in path]).transpose(1, 0, 2)
        total += found
        squares += found**2
    mean = total / trajectories
    variance = np.maximum(squares - trajectories * mean**2, 0.0) / (trajectories - 1)
    return Propensity(mean, variance, trajectories, furthest)


class _Bonds(NamedTuple):
    """Neighbours at the beginning: pairs, the vectors between them, and where they break."""

    first: np.ndarray
    second: np.ndarray
    vector: np.ndarray
    breaks: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, atoms: Atoms, potential: LennardJonesMixture) -> "_Bonds":
        sigma = np.array(potential.sigma)
        kinds = potential.types(atoms)
        first, second, distance, vector = neighbours("ijdD", atoms, _BONDED * sigma.max())
        size = sigma[kinds[first], kinds[second]]
        near = distance < _BONDED * size
        first, second = first[near], second[near]
        counts = np.bincount(first, minlength=len(atoms))
        return cls(first, second, vector[near], _BROKEN * size[near], counts)


def _measured(moved: np.ndarray, bonds: _Bonds) -> list[np.ndarray]:
    """The three measures of each particle after displacements (N, 3)."""
    n, counts = len(moved), np.maximum(bonds.counts, 1)
    around = np.stack(
        [np.bincount(bonds.first, moved[bonds.second, a], minlength=n) for a in range(3)], axis=1
    )
    apart = np.linalg.norm(bonds.vector + moved[bonds.second] - moved[bonds.first], axis=1)
    broken = np.bincount(bonds.first, apart > bonds.breaks, minlength=n) / counts
    alone = bonds.counts == 0
    relative = np.where(alone[:, None], moved, moved - around / counts[:, None])
    return [np.linalg.norm(moved, axis=1), np.linalg.norm(relative, axis=1), broken]


def _velocities(atoms: Atoms, rng: np.random.Generator, thermal: float, dim: int) -> np.ndarray:
    """Velocities of Maxwell and Boltzmann, Å/ps, with the centre of mass at rest."""
    masses = atoms.get_masses()
    velocities = np.zeros((len(atoms), 3))
    velocities[:, :dim] = rng.normal(size=(len(atoms), dim))
    velocities *= 2 * np.pi * THZ * np.sqrt(thermal / masses)[:, None]
    return velocities - masses @ velocities / masses.sum()
