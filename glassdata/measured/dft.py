"""Glasses of others with their spectra by density functional theory, in a file of the user's."""

import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from ase import Atoms

from glassdata.given import GivenFile


@dataclass(frozen=True)
class DftGlass:
    """A glass at rest in density functional theory, and its density of states there.

    Attributes
    ----------
    atoms : Atoms
    frequency : (n,) THz
        Equally spaced; below zero for imaginary modes, whose squares are negative.
    pdos : (n,) 1/THz
        With the integral 1.

    Examples
    --------
    >>> DftGlass(Atoms("Si"), np.array([0.0, 1.0]), np.array([0.5, 0.5])).frequency.shape
    (2,)
    """

    atoms: Atoms
    frequency: np.ndarray
    pdos: np.ndarray


@dataclass(frozen=True)
class DftFile(GivenFile):
    """Nine glasses of one benchmark, which a user gives to this program once.

    Attributes
    ----------
    file, sha256, source : str
    names : tuple of str
        Of the glasses, which are formulas.

    Examples
    --------
    >>> GLASSBENCH.file
    'dft-glasses.json'
    """

    file: str
    sha256: str
    source: str
    names: tuple[str, ...]
    kept_in: ClassVar[str] = "measured"

    def glasses(self) -> dict[str, DftGlass]:
        """The glasses by name.

        Raises
        ------
        MissingTableError
            If the file was not given to this program.
        ValueError
            If it is another one.
        """
        self.check_here()
        entries = json.loads(self.published(self.path))["glasses"]
        return {name: _glass(entry) for name, entry in sorted(entries.items())}


def _glass(entry: dict) -> DftGlass:
    atoms = Atoms(
        entry["symbols"], scaled_positions=entry["fractional"], cell=entry["cell_A"], pbc=True
    )
    frequency, density = (np.array(entry[k], float) for k in ("frequency_THz", "dos_per_THz"))
    # Smearing leaves a trace below zero, and the integral is the number of modes.
    density = np.maximum(density, 0.0)
    return DftGlass(atoms, frequency, density / np.trapezoid(density, frequency))


#: 100 to 120 atoms each; finite displacements at Γ, smeared.
GLASSBENCH = DftFile(
    file="dft-glasses.json",
    sha256="ed640139e188e36bc8a7e98d71561f94bddc8048e042c9134299a237ab8c3e19",
    source="nine glasses of R-Chr/GlassBench on GitHub, src/glassbench/data/"
    "phonon_benchmark_dft.json, MIT licence",
    names=(
        "BaZr2F10",
        "CaAl2SiO6",
        "KPO3",
        "Li2SiS3",
        "Li7P3S11",
        "LiB3O5",
        "Na2GeS3",
        "Na6Si7O17",
        "SiO2",
    ),
)
