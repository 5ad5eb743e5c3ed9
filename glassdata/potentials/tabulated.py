"""Potentials from a published file, which the user obtains and gives to this program once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
from ase.calculators.calculator import Calculator
from scipy import sparse

from glassdata.given import GivenFile
from glassdata.potentials.base import Bonds, Potential
from glassdata.potentials.eam import EAM
from glassdata.potentials.setfl import read_setfl


@dataclass(frozen=True, eq=False)
class TabulatedFile(GivenFile, Potential):
    """An EAM potential in a published setfl file, which is read when it is first needed.

    Its identity is the checksum of the file, so that only computations need the file itself.

    Parameters
    ----------
    file : str
        Published name of the file.
    sha256 : str
        Its checksum (hexadecimal).
    source : str
        Citation, and where to obtain the file.
    symbols : tuple of str
        Species in the order of the tables.
    r_cut : float, Å
        Cut-off, as in the file.
    shortest : mapping of pairs of symbols to float, Å
        Distance below which the tables are wrong; not part of the identity.

    Examples
    --------
    >>> from glassdata.systems import SYSTEMS
    >>> SYSTEMS["cualzr_sheng"].potential.species
    ('Zr', 'Cu', 'Al')
    """

    file: str
    sha256: str
    source: str
    symbols: tuple[str, ...]
    r_cut: float
    shortest: Mapping[tuple[str, str], float] = field(default_factory=dict)
    half: ClassVar[bool] = EAM.half
    kept_in: ClassVar[str] = "potentials"

    def __post_init__(self) -> None:
        self.check_shortest()

    @property
    def lacking(self) -> str | None:
        return None if self.is_here else self.file

    @property
    def species(self) -> tuple[str, ...]:
        return self.symbols

    @property
    def cutoff(self) -> float:
        return self.r_cut

    @cached_property
    def tables(self) -> EAM:
        """The potential itself.

        Raises
        ------
        MissingTableError
            If the file was not given to this program.
        ValueError
            If it is not the published one.
        """
        self.check_here()
        eam = read_setfl(self.path, sha256=self.sha256, source=self.source, shortest=self.shortest)
        if (eam.symbols, eam.r_cut) != (self.symbols, self.r_cut):
            raise ValueError(
                f"{self.file} has {eam.symbols} and a cut-off of {eam.r_cut} Å, "
                f"declared are {self.symbols} and {self.r_cut} Å"
            )
        return eam

    def parameters(self) -> dict:
        source = f"{self.source} sha256:{self.sha256}"
        return {"form": "EAM", "species": self.symbols, "r_cut": self.r_cut, "source": source}

    def energy_gradient(self, types: np.ndarray, bonds: Bonds) -> tuple[float, np.ndarray]:
        return self.tables.energy_gradient(types, bonds)

    def hessian(self, types: np.ndarray, bonds: Bonds) -> sparse.bsr_array:
        return self.tables.hessian(types, bonds)

    def matscipy_calculator(self) -> Calculator:
        return self.tables.matscipy_calculator()
