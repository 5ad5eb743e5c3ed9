"""Units: the only module that converts them.

Inside glassdata lengths are in Å, energies in eV, masses in u (unified atomic mass units),
frequencies in THz (ordinary, not angular) and times in ps.

>>> round(THZ, 3), round(GIGAPASCAL, 2)  # of 1 eV/(Å² u); of 1 eV/Å³
(15.633, 160.22)
>>> round(1e6 * BOLTZMANN, 2), round(NEWTON_PER_METRE, 2)  # µeV/K; of 1 eV/Å²
(86.17, 16.02)
"""

from math import pi

from scipy.constants import angstrom, elementary_charge, giga, physical_constants, tera

_ATOMIC_MASS = physical_constants["atomic mass constant"][0]

#: Frequency in THz of a mode with eigenvalue 1 eV/(Å² u) of the mass-weighted Hessian.
THZ = (elementary_charge / (angstrom**2 * _ATOMIC_MASS)) ** 0.5 / (2 * pi * tera)

#: Boltzmann's constant, eV/K.
BOLTZMANN = physical_constants["Boltzmann constant in eV/K"][0]

#: Planck's constant, eV/THz.
PLANCK = physical_constants["Planck constant in eV/Hz"][0] * tera

#: Stress of a solid in GPa that is 1 eV/Å³.
GIGAPASCAL = elementary_charge / (angstrom**3 * giga)

#: Stress of a sheet in N/m that is 1 eV/Å².
NEWTON_PER_METRE = elementary_charge / angstrom**2
