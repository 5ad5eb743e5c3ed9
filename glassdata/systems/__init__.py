"""The glasses. A new one is one file beside these and one line in ``SYSTEMS``.

>>> SYSTEMS["sic"].species, SYSTEMS["sic"].omega_max  # THz
(('C', 'Si'), 75.0)
"""

from collections.abc import Mapping
from types import MappingProxyType

from glassdata.system import System
from glassdata.systems.amc import AMC, AMC_LB
from glassdata.systems.cualzr import CUALZR, CUALZR_SHENG
from glassdata.systems.hea import HEA
from glassdata.systems.ka2d import KA2D
from glassdata.systems.ka3d import KA3D
from glassdata.systems.lj import LJ2D, LJ3D
from glassdata.systems.si import SI
from glassdata.systems.sic import SIC, SIC_MLIP, SIC_TERSOFF

SYSTEMS: Mapping[str, System] = MappingProxyType(
    {
        system.name: system
        for system in (
            AMC,
            AMC_LB,
            LJ2D,
            LJ3D,
            SIC,
            SIC_TERSOFF,
            SIC_MLIP,
            CUALZR,
            CUALZR_SHENG,
            KA2D,
            KA3D,
            SI,
            HEA,
        )
    }
)


def lacks(system: System) -> str | None:
    """What must be given to this program before a glass can be computed, or None.

    Examples
    --------
    >>> lacks(SYSTEMS["amc"]) is None  # its potential is in the package
    True
    """
    return getattr(system.potential, "lacking", None)


def available() -> Mapping[str, System]:
    """The glasses that can be computed here: those whose potential is complete.

    Examples
    --------
    >>> "amc" in available()
    True
    """
    return MappingProxyType({n: s for n, s in SYSTEMS.items() if lacks(s) is None})


def find(system: str | System) -> System:
    """The system of this name; a ``System`` is passed through.

    Raises
    ------
    ValueError
        Naming the systems there are.

    Examples
    --------
    >>> find("lj3d").title
    'Lennard-Jones argon, 3D'
    """
    if isinstance(system, System):
        return system
    if system not in SYSTEMS:
        raise ValueError(f"no system {system!r}; there are {', '.join(SYSTEMS)}")
    return SYSTEMS[system]


__all__ = ["SYSTEMS", "available", "find", "lacks"]
