"""How structures are made: each protocol a frozen dataclass that declares its science.

LAMMPS is used here only. A new protocol is one file; it offers what ``glassdata.system.Protocol``
asks for, and its settings that describe a structure are declared in ``knobs``.
"""

from glassdata.protocols.displaced import CrystalDisorder, displace, swap_species, vacate
from glassdata.protocols.external import SheetsOfOthers
from glassdata.protocols.joined import Joined, Part
from glassdata.protocols.plan import Member, Stratum, generator, member
from glassdata.protocols.quench import Cooling, QuenchedGlass
from glassdata.protocols.sheet import SheetDisorder, rotate_bonds
from glassdata.protocols.swap import Parent, SwapGlass

__all__ = [
    "Cooling",
    "CrystalDisorder",
    "Joined",
    "Member",
    "Parent",
    "Part",
    "QuenchedGlass",
    "SheetDisorder",
    "SheetsOfOthers",
    "Stratum",
    "SwapGlass",
    "displace",
    "generator",
    "member",
    "rotate_bonds",
    "swap_species",
    "vacate",
]
