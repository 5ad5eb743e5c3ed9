"""Interatomic potentials: frozen descriptions with energies, gradients and sparse Hessians.

>>> TERSOFF_1989["el"], BondOrder(TERSOFF_1989).cutoff  # Å
(['C', 'Si'], 3.0)
>>> LINDSAY_BROIDO_2010["B"][0], ERHART_ALBE_2005["style"]  # eV
(430.0, 'Brenner')
"""

from glassdata.given import MissingTableError
from glassdata.potentials.base import Bonds, PairPotential, Potential
from glassdata.potentials.bond_order import (
    ERHART_ALBE_2005,
    LINDSAY_BROIDO_2010,
    TERSOFF_1989,
    BondOrder,
)
from glassdata.potentials.calculator import CalculatorPotential, surface_of
from glassdata.potentials.eam import EAM
from glassdata.potentials.flaws import FalsePair, false_pairs, pinned_fraction
from glassdata.potentials.mixture import LennardJonesMixture
from glassdata.potentials.pair import LennardJones
from glassdata.potentials.setfl import read_setfl
from glassdata.potentials.stillinger_weber import StillingerWeber
from glassdata.potentials.surface import EnergySurface
from glassdata.potentials.tabulated import TabulatedFile
from glassdata.potentials.zhou import zhou_eam

__all__ = [
    "EAM",
    "ERHART_ALBE_2005",
    "LINDSAY_BROIDO_2010",
    "TERSOFF_1989",
    "BondOrder",
    "Bonds",
    "CalculatorPotential",
    "EnergySurface",
    "FalsePair",
    "LennardJones",
    "LennardJonesMixture",
    "MissingTableError",
    "PairPotential",
    "Potential",
    "StillingerWeber",
    "TabulatedFile",
    "false_pairs",
    "pinned_fraction",
    "read_setfl",
    "surface_of",
    "zhou_eam",
]
