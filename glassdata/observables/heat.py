"""Heat capacity of the vibrations."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from glassdata.observables.rest import modes_at_rest
from glassdata.potentials import EnergySurface, surface_of
from glassdata.units import BOLTZMANN, PLANCK
from glassdata.variable import Variable
from glassdata.vibrations import Modes

#: Temperatures at which thermal observables are computed unless others are named, K.
TEMPERATURES = (50.0, 100.0, 200.0, 300.0, 500.0, 1000.0)


def heat_capacity(
    atoms: Atoms,
    potential: EnergySurface | Calculator,
    *,
    modes: Modes | None = None,
    temperatures: Sequence[float] = TEMPERATURES,
) -> np.ndarray:
    """Heat capacity at constant volume in the harmonic approximation.

    d times the mean of Einstein's function over the modes that vibrate, so that the limit of high
    temperature is that of Dulong and Petit, d, in a cell of any size.

    Parameters
    ----------
    atoms : Atoms
        At rest.
    potential : Potential or ASE calculator
    modes : Modes, optional
        Computed if they are missing.
    temperatures : (n_temperatures,) K, positive

    Returns
    -------
    (n_temperatures,) Boltzmann's constants per atom.

    Raises
    ------
    ValueError
        For a temperature that is not positive, or a structure that is not at rest.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> heat_capacity(argon.crystal(), argon.potential, temperatures=[20.0, 1e5]).round(1).tolist()
    [1.2, 3.0]
    """
    found, vibrating = modes_at_rest(atoms, potential, modes)
    per_mode = mode_heat_capacity(found.frequencies[vibrating], temperatures)
    return surface_of(potential).dim * per_mode.mean(axis=1)


def mode_heat_capacity(frequencies: np.ndarray, temperatures: Sequence[float]) -> np.ndarray:
    """Einstein's heat capacity of single modes, (x/2)²/sinh²(x/2) with x = hν/(k_B T).

    Parameters
    ----------
    frequencies : (n_modes,) THz
    temperatures : (n_temperatures,) K, positive

    Returns
    -------
    (n_temperatures, n_modes) Boltzmann's constants; 1 at high temperature.

    Raises
    ------
    ValueError
        For a temperature that is not positive.

    Examples
    --------
    >>> mode_heat_capacity(np.array([1.0, 10.0]), [300.0]).round(3).tolist()
    [[0.998, 0.811]]
    """
    half = quanta(frequencies, temperatures) / 2
    # sinh overflows where the mode is frozen.
    frozen = half > 300
    safe = np.where(frozen | (half == 0), 1.0, half)
    return np.where(half == 0, 1.0, np.where(frozen, 0.0, (safe / np.sinh(safe)) ** 2))


def quanta(frequencies: np.ndarray, temperatures: Sequence[float]) -> np.ndarray:
    """Energy quanta of modes in units of k_B T, (n_temperatures, n_modes).

    Parameters
    ----------
    frequencies : (n_modes,) THz
    temperatures : (n_temperatures,) K, positive

    Examples
    --------
    >>> quanta(np.array([1.0]), [48.0]).round(2).tolist()  # 1 THz is about 48 K
    [[1.0]]
    """
    kelvin = np.atleast_1d(np.asarray(temperatures, dtype=float))
    if kelvin.ndim != 1 or not (np.isfinite(kelvin) & (kelvin > 0)).all():
        raise ValueError(f"temperatures must be positive and finite, got {temperatures}")
    return PLANCK * np.asarray(frequencies, dtype=float) / (BOLTZMANN * kelvin[:, None])


VARIABLES = {
    "heat_capacity": Variable(
        ("structure", "temperature"),
        "f8",
        "1",
        "harmonic heat capacity at constant volume, Boltzmann's constants per atom",
        lambda s: s.of(heat_capacity),
    ),
}
