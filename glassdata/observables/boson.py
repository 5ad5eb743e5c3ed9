"""The boson peak: low frequencies of which a glass has more than its sound waves."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from glassdata.bins import bin_centres, checked_edges
from glassdata.errors import StructureError
from glassdata.observables.elastic import elastic_moduli
from glassdata.observables.rest import modes_at_rest
from glassdata.potentials import EnergySurface
from glassdata.variable import Variable
from glassdata.vibrations import Modes, pdos

# Share of Debye's frequency below which the peak is looked for.
_LOW = 0.6


@dataclass(frozen=True)
class BosonPeak:
    """Density of states over that of Debye's sound waves.

    Attributes
    ----------
    reduced : (n_omega,)
        D(ω)/ω^(d−1) over its value for sound waves alone, d/ω_D^d; dimensionless.
    frequency, height : float
        THz and dimensionless: the largest value below 0.6 ω_D. Finite cells have no sound waves
        below one over their length, so the bins must be wide enough to hold several modes.
    debye_frequency : float, THz

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> found = boson_peak(argon.crystal() * (3, 3, 3), argon.potential, np.linspace(0, 2.4, 9))
    >>> bool(0 < found.frequency < 0.6 * found.debye_frequency)
    True
    """

    reduced: np.ndarray
    frequency: float
    height: float
    debye_frequency: float


def boson_peak(
    atoms: Atoms,
    potential: EnergySurface | Calculator,
    edges: np.ndarray,
    *,
    modes: Modes | None = None,
) -> BosonPeak:
    """Reduced density of states and its peak at low frequency.

    Parameters
    ----------
    atoms : Atoms
        At rest; a solid, or atoms that move in a plane only. A sheet in space bends, and its
        bending waves are no sound.
    potential : Potential or ASE calculator
    edges : (n_omega + 1,) THz, from 0 or more
    modes : Modes, optional
        Computed if they are missing.

    Raises
    ------
    ValueError
        If the structure is not at rest, is a sheet in space, or no bin lies below 0.6 ω_D.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> crystal, edges = argon.crystal() * (3, 3, 3), np.linspace(0, 2.4, 9)
    >>> boson_peak(crystal, argon.potential, edges).reduced.shape
    (8,)
    """
    edges = checked_edges(edges, "frequency edges")
    found, vibrating = modes_at_rest(atoms, potential, modes)
    d = int(atoms.pbc.sum())
    if len(found.frequencies) != d * len(atoms):
        raise StructureError("a sheet that bends has bending waves, to which Debye's law is blind")
    debye = elastic_moduli(atoms, potential).debye_frequency
    omega = found.frequencies[vibrating]
    inside = np.mean((omega >= edges[0]) & (omega <= edges[-1]))
    shares = pdos(omega, edges) * np.diff(edges) * inside
    reduced = reduced_density(shares, edges, debye, d=d)
    low = _may_hold_the_peak(edges, debye)
    if not low.any():
        raise ValueError(f"no bin lies below {_LOW * debye:.3g} THz, where a boson peak may be")
    peak = int(reduced[low].argmax())
    frequency, height = bin_centres(edges)[peak], reduced[peak]
    return BosonPeak(reduced, float(frequency), float(height), debye)


def reduced_density(
    shares: np.ndarray, edges: np.ndarray, debye: float | np.ndarray, *, d: int
) -> np.ndarray:
    """Numbers of modes over those of Debye's sound waves, (…, n_omega), dimensionless.

    Parameters
    ----------
    shares : (…, n_omega)
        Of all modes in each bin.
    edges : (n_omega + 1,) THz
    debye : float or (…,), THz
        Debye's frequency.
    d : int
        2 or 3 dimensions.

    Examples
    --------
    Half of the modes of a sheet lie below the root of a half of Debye's frequency:

    >>> edges = np.sqrt([0, 0.5, 1])
    >>> reduced_density(np.array([0.5, 0.5]), edges, 1.0, d=2).round(9).tolist()
    [1.0, 1.0]
    """
    return shares * np.asarray(debye)[..., None] ** d / np.diff(edges**d)


def peak_heights(shares: np.ndarray, edges: np.ndarray, debye: np.ndarray, *, d: int) -> np.ndarray:
    """Height of the boson peak of n structures, (n,); NaN where no bin may hold one.

    Parameters
    ----------
    shares, edges, d
        As of :func:`reduced_density`.
    debye : (n,), THz

    Examples
    --------
    >>> heights = peak_heights(np.eye(3), np.arange(4.0), np.array([4.0, 4.0, 0.5]), d=3)
    >>> heights.round(1).tolist()
    [64.0, 9.1, nan]
    """
    reduced = reduced_density(shares, edges, debye, d=d)
    low = _may_hold_the_peak(edges, debye)
    heights = np.where(low, reduced, -np.inf).max(axis=-1)
    return np.where(low.any(axis=-1), heights, np.nan)


def _may_hold_the_peak(edges: np.ndarray, debye: float | np.ndarray) -> np.ndarray:
    """Whether each bin lies at low frequency, (…, n_omega)."""
    return bin_centres(edges) < _LOW * np.asarray(debye)[..., None]


VARIABLES = {
    "reduced_density": Variable(
        ("structure", "omega_wide"),
        "f8",
        "1",
        "density of states over that of Debye's sound waves",
        lambda s: s.boson.reduced,
    ),
    "boson_frequency": Variable(
        ("structure",), "f8", "THz", "frequency of the boson peak", lambda s: s.boson.frequency
    ),
    "boson_height": Variable(
        ("structure",),
        "f8",
        "1",
        "height of the boson peak over sound waves",
        lambda s: s.boson.height,
    ),
}
