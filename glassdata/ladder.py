"""How far first order reaches: its error against the amplitude of random displacements.

Amplitudes are in units of d, the distance of nearest neighbours in the crystal.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from glassdata.neighbours import neighbours
from glassdata.perturbation import Change, Reference, displaced
from glassdata.radial import first_peak, rdf
from glassdata.system import System

#: The links of the argument: Hessian, squared frequencies, g(r) and PDOS.
LINKS = {"H": "hessian", "ω²": "squares", "g": "g", "D": "pdos"}


def spacing(system: System) -> float:
    """Mean distance to the nearest neighbour in the system's crystal, Å.

    Examples
    --------
    >>> import glassdata as gd
    >>> round(spacing(gd.SYSTEMS["amc"]), 2)
    1.46
    """
    first, distance = neighbours("id", system.crystal(), 1.01 * system.bond_length)
    return float(np.mean([distance[first == i].min() for i in np.unique(first)]))


def relative_error(exact: ArrayLike, guess: ArrayLike) -> float:
    """‖exact − guess‖ / ‖exact‖.

    Examples
    --------
    >>> relative_error([3.0, 4.0], [3.0, 4.0]), relative_error([3.0, 4.0], [0.0, 0.0])
    (0.0, 1.0)
    """
    difference = np.asarray(exact) - np.asarray(guess)
    return float(np.linalg.norm(difference) / np.linalg.norm(exact))


def ladder(
    reference: Reference, amplitudes: Sequence[float], *, seeds: Sequence[int] = (0,)
) -> pd.DataFrame:
    """Relative error of first order for each link, one row per amplitude.

    All atoms are displaced independently, with the same standard deviation in every direction.

    Parameters
    ----------
    reference : Reference
    amplitudes : (n,), in d
    seeds
        Of the displacements; their errors are averaged in the square.

    Examples
    --------
    A crystal has no first-order change of g(r), so its relative error is one:

    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> errors = ladder(Reference(argon.crystal(), argon), [1e-3])
    >>> list(errors.columns), round(float(errors["g"].iloc[0]), 3)
    (['H', 'ω²', 'g', 'D'], 1.0)
    """
    shape = (len(reference.atoms), reference.system.potential.dim)
    d, rows = spacing(reference.system), []
    for seed in seeds:
        u = np.random.default_rng(seed).normal(size=shape)
        first = reference.first_order(u)
        for s in np.asarray(amplitudes) * d:
            exact = reference.exact(s * u)
            rows.append(
                [relative_error(_plain(exact, n), s * _plain(first, n)) for n in LINKS.values()]
            )
    squares = np.reshape(rows, (len(seeds), len(amplitudes), -1)) ** 2
    return pd.DataFrame(np.sqrt(squares.mean(axis=0)), list(amplitudes), list(LINKS))


def reach(errors: pd.Series, *, limit: float = 0.1) -> float:
    """Amplitude at which an error passes the limit; NaN if it never does, or is above at once.

    Parameters
    ----------
    errors
        A column of ``ladder``.
    limit
        Interpolated to on logarithmic axes.

    Examples
    --------
    >>> round(reach(pd.Series([0.01, 1.0], index=[1e-3, 1e-1])), 6)
    0.01
    """
    above = np.flatnonzero(errors.to_numpy() > limit)
    if len(above) == 0 or above[0] == 0:
        return float("nan")
    k = slice(above[0] - 1, above[0] + 1)
    x, y = np.log(errors.index.to_numpy()[k]), np.log(errors.to_numpy()[k])
    return float(np.exp(np.interp(np.log(limit), y, x)))


def equivalent_amplitudes(
    reference: Reference, widths: ArrayLike, *, largest: float = 0.06, draws: int = 3
) -> np.ndarray:
    """Amplitudes, in d, at which a displaced crystal has a first peak of g(r) of these widths.

    Parameters
    ----------
    reference
        The crystal.
    widths : (n,), Å
        Full widths at half maximum.
    largest
        Up to which amplitude, in d, the crystal is displaced; wider peaks are given that one.
    draws
        Displacements over which g(r) is averaged.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> crystal = Reference(argon.crystal() * (2, 2, 2), argon)
    >>> narrow, wide = equivalent_amplitudes(crystal, [0.2, 0.5])
    >>> bool(0 <= narrow < wide)
    True
    """
    steps, d = np.linspace(0, largest, 9), spacing(reference.system)
    found = [_peak_width(reference, s * d, draws) for s in steps]
    return np.interp(np.asarray(widths), np.maximum.accumulate(found), steps)


def _peak_width(reference: Reference, s: float, draws: int) -> float:
    """Width (Å) of the first peak of the mean g(r) of the crystal displaced by s (Å)."""
    system, crystal = reference.system, reference.atoms
    rng, shape = np.random.default_rng(0), (len(crystal), system.potential.dim)
    curves = [
        rdf(displaced(crystal, s * rng.normal(size=shape)), system.r_edges, dim=system.dim)
        for _ in range(draws)
    ]
    return first_peak(np.mean(curves, axis=0), system.r_edges)[1]


def _plain(change: Change, name: str) -> np.ndarray:
    value = getattr(change, name)
    return value.toarray() if name == "hessian" else value
