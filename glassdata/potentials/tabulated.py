"""Potentials from a published file, which the user obtains and gives to this program once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
from ase.calculators.calculator import Calculator
from scipy import sparse

from glassdata.potentials.base import Bonds, Potential
from glassdata.potentials.eam import EAM
from glassdata.potentials.setfl import read_setfl


def folder() -> Path:
    """Where the files of potentials are kept: ``.glassdata/potentials`` in the home folder."""
    return Path.home() / ".glassdata" / "potentials"


class MissingTableError(FileNotFoundError):
    """The file of a potential was not given to this program yet; the message says how to do it.

    Examples
    --------
    >>> issubclass(MissingTableError, FileNotFoundError)
    True
    """


@dataclass(frozen=True, eq=False)
class TabulatedFile(Potential):
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

    def __post_init__(self) -> None:
        self.check_shortest()

    @property
    def species(self) -> tuple[str, ...]:
        return self.symbols

    @property
    def cutoff(self) -> float:
        return self.r_cut

    @property
    def path(self) -> Path:
        """Where this program keeps the file."""
        return folder() / self.file

    @property
    def is_here(self) -> bool:
        """Whether the file was given to this program."""
        return self.path.is_file()

    def published(self, path: Path) -> bytes:
        """Content of a file, if it is the published one.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is another one.
        """
        read_setfl(path, sha256=self.sha256, source=self.source)
        return path.read_bytes()

    def check_here(self) -> None:
        """Refuse to go on without the file.

        Raises
        ------
        MissingTableError
            Which says where to get it.
        """
        if not self.is_here:
            raise MissingTableError(
                f"{self.file} is missing; obtain it ({self.source}), then: "
                f"glassdata systems --add PATH/{self.file}"
            )

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
