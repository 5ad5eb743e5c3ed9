"""The glasses. A new one is one file beside these and one line in ``SYSTEMS``."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from glassdata.system import System
from glassdata.systems.amc import AMC, AMC_LB
from glassdata.systems.cualzr import CUALZR, cualzr_sheng
from glassdata.systems.lj import LJ2D, LJ3D
from glassdata.systems.sic import SIC, SIC_TERSOFF

SYSTEMS: Mapping[str, System] = MappingProxyType(
    {system.name: system for system in (AMC, AMC_LB, LJ2D, LJ3D, SIC, SIC_TERSOFF, CUALZR)}
)

#: What stands in a user's file and is therefore no member of ``SYSTEMS``: see ``glasses``.
FROM_FILE = ("cualzr_sheng",)


def glasses(setfl: Path | None = None) -> Mapping[str, System]:
    """All systems; with the setfl file of Cheng, Ma and Sheng also ``cualzr_sheng``.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is missing or is not the published one.
    """
    if setfl is None:
        return SYSTEMS
    extra = cualzr_sheng(setfl)
    return MappingProxyType({**SYSTEMS, extra.name: extra})


def find(system: str | System) -> System:
    """The system of this name; a ``System`` is passed through.

    Raises
    ------
    ValueError
        Naming the systems there are.
    """
    if isinstance(system, System):
        return system
    if system not in SYSTEMS:
        raise ValueError(f"no system {system!r}; there are {', '.join(SYSTEMS)}")
    return SYSTEMS[system]


__all__ = ["FROM_FILE", "SYSTEMS", "cualzr_sheng", "find", "glasses"]
