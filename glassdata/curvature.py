"""How a potential bends: are its second derivatives smooth, are they symmetric, are they right?

Most learned potentials are trained on energies and forces. A spectrum asks for one derivative more,
which can be rough or too soft where the forces look fine.
"""

from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter

import numpy as np
from ase import Atoms
from scipy.stats import wasserstein_distance

from glassdata.minimise import relax
from glassdata.potentials import CalculatorPotential
from glassdata.potentials.differences import Smoothness, smoothness
from glassdata.vibrations import frequencies

#: Displacement between evaluations that are timed, Å: some calculators remember the last structure.
_NUDGE = 1e-4
#: Evaluations that are timed.
_TIMED = 3
#: Force at which a structure counts as at rest, eV/Å, where single precision can reach it.
MAX_FORCE = 1e-3


@dataclass(frozen=True)
class Spectrum:
    """Frequencies and their weights, in any order.

    Attributes
    ----------
    frequency : (n,) THz
        Below zero for imaginary modes.
    weight : (n,)
        Not negative; only ratios matter.

    Examples
    --------
    >>> Spectrum(np.array([-1.0, 2.0, 3.0]), np.ones(3)).mean_square
    4.0
    """

    frequency: np.ndarray
    weight: np.ndarray

    @property
    def mean_square(self) -> float:
        """⟨ν²⟩ in THz², as the trace of the Hessian has it: imaginary modes subtract."""
        squares = np.sign(self.frequency) * self.frequency**2
        return float(np.average(squares, weights=self.weight))


def of_modes(found: np.ndarray) -> Spectrum:
    """The spectrum of all modes of a structure.

    Parameters
    ----------
    found : (n_modes,) THz

    Examples
    --------
    >>> of_modes(np.array([3.0, 4.0])).mean_square
    12.5
    """
    return Spectrum(np.asarray(found, float), np.ones(len(found)))


def distance(one: Spectrum, other: Spectrum) -> float:
    """Wasserstein distance of two spectra, THz: how far a mode is off on average.

    Parameters
    ----------
    one, other : Spectrum

    Examples
    --------
    >>> distance(of_modes(np.array([1.0, 2.0])), of_modes(np.array([2.5, 1.5])))
    0.5
    """
    return float(wasserstein_distance(one.frequency, other.frequency, one.weight, other.weight))


@dataclass(frozen=True)
class Curvature:
    """What was found of a potential on one structure.

    Attributes
    ----------
    atoms : Atoms
        At rest, where it was relaxed.
    smoothness : Smoothness
        Best step of central differences, and how much second derivatives change with the step.
    seconds : float
        Of energy and forces, per atom.
    frequencies : (dN,) THz or None
        None where the forces are not smooth enough for a spectrum.

    Examples
    --------
    >>> found = Curvature(Atoms("Cu"), Smoothness(1e-3, 1e-6, 0.0), 1e-5, None)
    >>> found.frequencies is None
    True
    """

    atoms: Atoms
    smoothness: Smoothness
    seconds: float
    frequencies: np.ndarray | None

    @property
    def spectrum(self) -> Spectrum | None:
        """Of all modes, translations included; None without frequencies."""
        return None if self.frequencies is None else of_modes(self.frequencies)


def curvature(
    potential: CalculatorPotential,
    atoms: Atoms,
    *,
    relaxed: bool = True,
    limit: float = np.inf,
) -> Curvature:
    """Smoothness, cost and spectrum of a potential on a structure.

    Parameters
    ----------
    potential : CalculatorPotential
    atoms : Atoms
    relaxed : bool
        Whether the structure first comes to rest in a cell that is held.
    limit : float, s
        No frequencies where the Hessian would take longer.

    Raises
    ------
    ValueError
        If it does not come to rest.

    Examples
    --------
    >>> from ase.build import bulk
    >>> copper = bulk("Cu", cubic=True)
    >>> emt = CalculatorPotential("ase.calculators.emt:EMT", symbols=("Cu",), reach=9.0)
    >>> found = curvature(emt, copper)
    >>> found.smoothness.change < 1e-5, found.frequencies.shape
    (True, (12,))
    """
    rough = smoothness(potential, atoms)
    seconds = _seconds(potential, atoms)
    # Three directions of each atom, two sides.
    affordable = 6 * len(atoms) * seconds <= limit
    if relaxed and affordable:
        atoms = relax(atoms, replace(potential, step=rough.step), max_force=MAX_FORCE)
        rough = smoothness(potential, atoms)
    found = None
    if affordable and rough.is_smooth:
        found = frequencies(atoms, replace(potential, step=rough.step))
    return Curvature(atoms, rough, seconds / len(atoms), found)


def _seconds(potential: CalculatorPotential, atoms: Atoms) -> float:
    path = potential.along(atoms)
    times = []
    for number in range(_TIMED + 1):
        start = perf_counter()
        path.evaluate(atoms.positions + number * _NUDGE, atoms.cell.array)
        times.append(perf_counter() - start)
    return median(times[1:])
