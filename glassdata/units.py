"""Units: the only module that converts them.

Inside glassdata lengths are in Å, energies in eV, masses in u (unified atomic mass units),
frequencies in THz (ordinary, not angular) and times in ps.

>>> round(THZ, 3), round(GIGAPASCAL, 2)  # of 1 eV/(Å² u); of 1 eV/Å³
(15.633, 160.22)
>>> round(1e6 * BOLTZMANN, 2), round(NEWTON_PER_METRE, 2)  # µeV/K; of 1 eV/Å²
(86.17, 16.02)
>>> round(GRAM_PER_CM3, 4)  # of 1 u/Å³
1.6605
>>> round(1e3 * PLANCK, 4), round(KILOMETRE_PER_SECOND, 3)  # meV/THz; of 1 (eV/u)^(1/2)
(4.1357, 9.823)
>>> round(WATT_PER_METRE_KELVIN)  # of 1 eV/(K Å ps)
1602
"""

from math import pi

from scipy.constants import (
    angstrom,
    centi,
    elementary_charge,
    giga,
    gram,
    kilo,
    nano,
    physical_constants,
    tera,
)

_ATOMIC_MASS = physical_constants["atomic mass constant"][0]

#: Frequency in THz of a mode with eigenvalue 1 eV/(Å² u) of the mass-weighted Hessian.
THZ = (elementary_charge / (angstrom**2 * _ATOMIC_MASS)) ** 0.5 / (2 * pi * tera)

#: Boltzmann's constant, eV/K.
BOLTZMANN = physical_constants["Boltzmann constant in eV/K"][0]

#: Stress of a solid in GPa that is 1 eV/Å³.
GIGAPASCAL = elementary_charge / (angstrom**3 * giga)

#: Stress of a sheet in N/m that is 1 eV/Å².
NEWTON_PER_METRE = elementary_charge / angstrom**2

#: Density in g/cm³ that is 1 u/Å³.
GRAM_PER_CM3 = _ATOMIC_MASS / gram * (centi / angstrom) ** 3

#: Planck's constant, eV/THz: the energy quantum of a mode of 1 THz.
PLANCK = physical_constants["Planck constant in eV/Hz"][0] * tera

#: Speed in km/s that is 1 (eV/u)^(1/2): the root of a modulus over a mass density.
KILOMETRE_PER_SECOND = (elementary_charge / _ATOMIC_MASS) ** 0.5 / kilo

#: Thermal conductivity in W/(m K) that is 1 eV/(K Å ps).
WATT_PER_METRE_KELVIN = elementary_charge * tera / angstrom

#: Units of length that a user's file may have, Å.
LENGTHS = {
    "angstrom": 1.0,
    "bohr": physical_constants["Bohr radius"][0] / angstrom,
    "nm": nano / angstrom,
}

#: Cross-section in barn that is 1 fm².
BARN = 1e-2
