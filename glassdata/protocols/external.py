"""Structures that others made: read from their file, brought to rest, and described like ours.

The file stays with its owners: a user gives it to this program once, as the file of a potential.
"""

import io
import lzma
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from ase import Atoms
from ase.io import read

from glassdata.config import check_positive
from glassdata.given import GivenFile
from glassdata.minimise import settle
from glassdata.protocols.plan import generator
from glassdata.system import System

# Sheets whose heights differ by less count as flat, Å: files of structures carry eight digits.
_FLAT = 1e-3


@dataclass(frozen=True)
class SheetsOfOthers(GivenFile):
    """Sheets of a published file, each relaxed with a frame that is free in the plane.

    An exactly flat sheet is a saddle point, which symmetry holds: it gets random heights before it
    relaxes. Others start as they are.

    Attributes
    ----------
    n_structures : int
        Those of the file, which are taken in its order.
    most_atoms : int
        Number of atoms of the largest.
    file : str
        Name of the file: extended xyz, packed with xz.
    sha256 : str
        Its checksum, which identifies the structures.
    source : str
        Who made them, and where to obtain the file.
    kick : float, Å
        Standard deviation of the heights given to a flat sheet.
    max_force : float, eV/Å

    Examples
    --------
    >>> from glassdata.systems import SYSTEMS
    >>> protocol = SYSTEMS["amc_lb"].protocols["external"]
    >>> protocol.n_structures, protocol.largest(SYSTEMS["amc_lb"])
    (200, 252)
    """

    n_structures: int
    most_atoms: int
    file: str
    sha256: str
    source: str
    kick: float = 0.05
    max_force: float = 1e-4
    preparations: ClassVar[int] = 0
    kept_in: ClassVar[str] = "structures"

    def __post_init__(self) -> None:
        check_positive(self, type(self).__name__, "n_structures", "most_atoms", "kick", "max_force")

    def science(self) -> dict:
        """Everything that determines the structures, as plain data."""
        settings = {"sha256": self.sha256, "kick": self.kick, "max_force": self.max_force}
        return {"name": type(self).__name__, "flat": _FLAT} | settings

    def largest(self, system: System) -> int:
        """Number of atoms of the largest sheet."""
        return self.most_atoms

    def __call__(self, system: System, index: int) -> Atoms:
        self.check_here()
        sheet = _sheets(self, self.path)[index].copy()
        kick = self.kick if np.ptp(sheet.positions[:, 2]) < _FLAT else 0.0
        heights = generator(system.name, index, "displacement").normal(size=len(sheet))
        sheet.positions[:, 2] += kick * heights
        sheet = settle(sheet, system.potential, max_force=self.max_force, cell="isotropic")
        sheet.wrap()
        sheet.info = {"parent": index, "replicate": False, "ensemble": "external", "kick": kick}
        return sheet


@lru_cache(maxsize=1)
def _sheets(protocol: SheetsOfOthers, path: Path) -> list[Atoms]:
    """All sheets of the file, without what it says of them."""
    text = lzma.decompress(protocol.published(path)).decode()
    return [
        Atoms(one.numbers, one.positions, cell=one.cell, pbc=one.pbc)
        for one in read(io.StringIO(text), index=":", format="extxyz")
    ]
