"""What else of a structure a line might read from g(r): arrays of one length for a whole glass.

Each target is a function of ``Observed``, a structure whose modes are computed once. Lists of modes
have another length in each structure, so they enter as sums over the modes in each frequency bin.

>>> [name for name, one in TARGETS.items() if one.electronic]
['electrons', 'electrical conductivity']
>>> list(DERIVED), ALL_TARGETS["boson"].title
(['boson'], 'height of the boson peak')
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from glassdata.observables import (
    Observed,
    commensurate,
    elastic_moduli,
    heat_capacity,
    participation_ratio,
    raman,
    scattering,
    thermal_conductivity,
)
from glassdata.observables.boson import peak_heights
from glassdata.observables.elastic import debye_frequency
from glassdata.observables.electrons import pi_electrons
from glassdata.observables.one_phonon import Probe
from glassdata.observables.probes import NEUTRONS
from glassdata.scores import joined
from glassdata.structures import Dataset
from glassdata.system import System
from glassdata.units import BOLTZMANN, PLANCK

#: Bins of everything that is a function of frequency.
BINS = 25
#: Temperatures of heat capacity and conductivity as shares of the frequency range, h ν_max / k_B.
SHARES = (0.05, 0.1, 0.2, 0.5, 1.0)
#: Ranges of |q| in units of 2π over the bond length: long waves, and the first peak of S(q).
LONG, SHORT = (0.2, 0.4), (0.8, 1.1)
#: Waves in a range over which intensities are averaged, at most.
WAVES = 12
#: Energies of π electrons from the Fermi level, eV.
ENERGIES = np.linspace(-9.0, 9.0, 37)

Kind = Callable[[Observed, System], np.ndarray]


@dataclass(frozen=True)
class Target:
    """One row of the table of observables.

    Attributes
    ----------
    title : str
        As the table names it.
    unit : str
    length : int
        Of the array.
    values : callable
        Array of a structure, (length,); of ``DERIVED`` those of a dataset, (n, length).
    expected : str
        What the paper expects of a line: "yes", "no", or "" where it is silent.
    applies : callable
        Whether a glass has it.
    electronic : bool

    Examples
    --------
    >>> TARGETS["heat capacity"].unit
    'k_B per atom'
    """

    title: str
    unit: str
    length: int
    values: Callable[..., np.ndarray]
    expected: str = ""
    applies: Callable[[System], bool] = lambda system: True
    electronic: bool = False


def temperatures(system: System) -> np.ndarray:
    """Temperatures at which the heat of a glass is looked at, (5,), K.

    Examples
    --------
    >>> import glassdata as gd
    >>> temperatures(gd.SYSTEMS["lj3d"]).round(1).tolist()
    [7.2, 14.4, 28.8, 72.0, 144.0]
    """
    return np.array(SHARES) * PLANCK / BOLTZMANN * system.omega_max


def _by_bin(weights: np.ndarray, one: Observed) -> np.ndarray:
    """Sum of a number of each mode in each bin of frequency, over the number of modes."""
    fine = np.histogram(one.frequencies, one.omega_edges, weights=weights)[0]
    return joined(fine[None] / len(weights), BINS)[0]


def _heat(one: Observed, system: System) -> np.ndarray:
    return one.of(heat_capacity, temperatures=tuple(temperatures(system)))


def _moduli(one: Observed, system: System) -> np.ndarray:
    found = one.of(elastic_moduli)
    return np.array([found.bulk, found.shear])


def _sound(one: Observed, system: System) -> np.ndarray:
    found = one.of(elastic_moduli)
    return np.array([found.longitudinal, found.transverse])


def _heat_flow(one: Observed, system: System):
    return one.of(
        thermal_conductivity,
        temperatures=tuple(temperatures(system)),
        of_metal="vibrations",
        **one.sheet,
    )


def _participation(one: Observed, system: System) -> np.ndarray:
    return _by_bin(one.of(participation_ratio), one)


def waves(one: Observed, system: System, band: tuple[float, float]) -> np.ndarray:
    """Waves that fit the cell and whose lengths lie in a range, at most ``WAVES``, (n_q, 3), 1/Å.

    Parameters
    ----------
    one : Observed
    system : System
        Gives the bond length.
    band : (float, float)
        In units of 2π over the bond length.

    Raises
    ------
    ValueError
        If no wave of the cell lies in the range.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> one = Observed(argon.crystal() * (4, 4, 4), argon.potential, argon.omega_edges)
    >>> waves(one, argon, LONG).shape
    (12, 3)
    """
    unit = 2 * np.pi / system.bond_length
    q = commensurate(one.atoms, band[1] * unit)
    q = q[np.linalg.norm(q, axis=1) >= band[0] * unit]
    if not len(q):
        raise ValueError(f"no wave between {band[0]} and {band[1]} of {unit:.3g} 1/Å fits the cell")
    return q[np.unique(np.linspace(0, len(q) - 1, WAVES).round().astype(int))]


def _scattered(probe: Probe, band: tuple[float, float]) -> Kind:
    def values(one: Observed, system: System) -> np.ndarray:
        edges = one.omega_edges[:: (len(one.omega_edges) - 1) // BINS]
        q = waves(one, system, band)
        found = scattering(
            one.atoms,
            one.potential,
            q,
            edges,
            probe=probe,
            modes=one.modes,
            temperature=float(temperatures(system)[-2]),
        )
        return found.intensity.mean(axis=0)

    return values


def _raman(one: Observed, system: System) -> np.ndarray:
    return _by_bin(one.of(raman).intensity, one)


def _electrons(one: Observed, system: System):
    return pi_electrons(one.atoms, ENERGIES)


def _boson(data: Dataset, found: Mapping[str, np.ndarray], system: System) -> np.ndarray:
    shares = joined(data.shares, BINS) * (1 - data["overflow"])[:, None]
    edges = data.omega_edges[:: len(data.omega) // BINS]
    longitudinal, transverse = found["sound"].astype(float).T
    debye = debye_frequency(longitudinal, transverse, data.density, d=system.dim)
    return peak_heights(shares, edges, debye, d=system.dim)[:, None]


def _in_tables(system: System) -> bool:
    """Whether it is known how its atoms scatter: those of the mixtures are no real elements."""
    return set(system.species) <= set(NEUTRONS)


def _does_not_bend(system: System) -> bool:
    return system.potential.dim == system.dim


def _carbon_sheet(system: System) -> bool:
    return system.species == ("C",)


TARGETS: dict[str, Target] = {
    "heat capacity": Target("heat capacity", "k_B per atom", len(SHARES), _heat),
    "moduli": Target("bulk and shear modulus", "eV/Å^d", 2, _moduli),
    "sound": Target("sound velocities", "km/s", 2, _sound),
    "conductivity": Target(
        "thermal conductivity",
        "W/(m K)",
        len(SHARES),
        lambda o, s: _heat_flow(o, s).conductivity,
        "yes",
    ),
    "diffusivity": Target(
        "diffusivity of heat, summed by frequency",
        "mm²/s",
        BINS,
        lambda o, s: _by_bin(_heat_flow(o, s).diffusivities, o),
        "yes",
    ),
    "participation": Target("participation, summed by frequency", "1", BINS, _participation),
    "longitudinal": Target("longitudinal waves", "1/THz", BINS, _scattered("longitudinal", LONG)),
    "transverse": Target("transverse waves", "1/THz", BINS, _scattered("transverse", LONG)),
    "neutrons": Target(
        "neutrons, coherent", "barn/THz", BINS, _scattered("neutron", SHORT), "yes", _in_tables
    ),
    "x-rays": Target("X-rays", "1/THz", BINS, _scattered("x-ray", SHORT), "yes", _in_tables),
    "raman": Target("Raman", "Å⁴/u/THz", BINS, _raman, "yes", _carbon_sheet),
    "electrons": Target(
        "π electrons",
        "states/eV",
        len(ENERGIES) - 1,
        lambda o, s: _electrons(o, s).density,
        "no",
        _carbon_sheet,
        electronic=True,
    ),
    "electrical conductivity": Target(
        "conductivity of π electrons",
        "e²/h",
        1,
        lambda o, s: np.array([_electrons(o, s).conductivity]),
        "no",
        _carbon_sheet,
        electronic=True,
    ),
}
#: What follows from the spectra of a dataset and from targets of the same structures: a function of
#: the dataset, the targets by name, (n, …), and the system. These need no modes.
DERIVED: dict[str, Target] = {
    "boson": Target("height of the boson peak", "Debye's law", 1, _boson, applies=_does_not_bend),
}
#: All that a line might read.
ALL_TARGETS: dict[str, Target] = TARGETS | DERIVED
