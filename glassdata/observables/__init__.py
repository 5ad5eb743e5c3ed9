"""What a structure does beside having a spectrum: functions of atoms, potential and modes.

``OBSERVABLES`` names them all with the variables that each declares; a new one is one file and one
line here.

>>> import glassdata as gd
>>> sorted(gd.observables.OBSERVABLES)[:4]
['boson', 'conductivity', 'elastic', 'heat']
>>> CARBON["C", "C"].length, gd.observables.Bond  # Å
(1.85, <class 'glassdata.observables.polarizability.Bond'>)
>>> OBSERVABLES["elastic"]["bulk_modulus"].units_in(3)
'eV angstrom-3'
"""

from collections.abc import Mapping

from glassdata.observables import (
    boson,
    conductivity,
    elastic,
    heat,
    one_phonon,
    participation,
    polarizability,
)
from glassdata.observables.boson import BosonPeak, boson_peak
from glassdata.observables.conductivity import ThermalConductivity, thermal_conductivity
from glassdata.observables.elastic import Elasticity, elastic_moduli
from glassdata.observables.heat import heat_capacity
from glassdata.observables.observed import Observed
from glassdata.observables.one_phonon import (
    Scattering,
    commensurate,
    mean_square_displacement,
    scattering,
)
from glassdata.observables.participation import participation_ratio
from glassdata.observables.polarizability import CARBON, Bond, Raman, raman
from glassdata.variable import Variable

#: Variables of each observable, by its name on the command line.
OBSERVABLES: Mapping[str, Mapping[str, Variable]] = {
    "participation": participation.VARIABLES,
    "heat": heat.VARIABLES,
    "elastic": elastic.VARIABLES,
    "conductivity": conductivity.VARIABLES,
    "scattering": one_phonon.VARIABLES,
    "raman": polarizability.VARIABLES,
    "boson": boson.VARIABLES,
}

__all__ = [
    "CARBON",
    "OBSERVABLES",
    "Bond",
    "BosonPeak",
    "Elasticity",
    "Observed",
    "Raman",
    "Scattering",
    "ThermalConductivity",
    "boson_peak",
    "commensurate",
    "elastic_moduli",
    "heat_capacity",
    "mean_square_displacement",
    "participation_ratio",
    "raman",
    "scattering",
    "thermal_conductivity",
]
