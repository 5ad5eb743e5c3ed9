"""Heat capacity of harmonic vibrations."""

import numpy as np

from glassdata.units import BOLTZMANN, PLANCK


def mode_heat_capacity(frequencies: np.ndarray, temperature: float) -> np.ndarray:
    """Heat capacity of harmonic modes at constant volume, in units of Boltzmann's constant.

    Einstein's function x² eˣ/(eˣ - 1)² of x = hν/(kT); 1 at high temperature.

    Parameters
    ----------
    frequencies : (n,), THz
        Imaginary ones, which are negative, count as 0: a soft mode at any rate.
    temperature : float, K

    Raises
    ------
    ValueError
        If the temperature is not positive.

    Examples
    --------
    >>> mode_heat_capacity(np.array([0.0, 5.0, 200.0]), 300.0).round(3).tolist()
    [1.0, 0.948, 0.0]
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise ValueError(f"the temperature must be positive, got {temperature:g} K")
    half = PLANCK * np.clip(frequencies, 0.0, None) / (2 * BOLTZMANN * temperature)
    # x/2 over its hyperbolic sine, squared: no overflow, and a limit at 0.
    small = np.clip(half, 1e-6, 300.0)
    return (small / np.sinh(small)) ** 2
