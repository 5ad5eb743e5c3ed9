"""The variables of a dataset: dimensions, types, units and meanings.

A row (``glassdata.row.compute_row``) returns a subset of these names; assembly writes them with
these attributes. Ragged dimensions (``atom``, ``mode``) follow the CF contiguous ragged array
convention, with the counts ``n_atoms`` and ``n_modes`` per structure.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

RAGGED = {"atom": "n_atoms", "mode": "n_modes"}
FIXED = {"xyz": 3, "abc": 3}


@dataclass(frozen=True)
class Variable:
    """One variable of a dataset; ``dims`` are named as in the store, units follow CF."""

    dims: tuple[str, ...]
    dtype: str
    units: str
    long_name: str

    @property
    def fill(self) -> object:
        """Value that stands where a failed row has nothing to say."""
        return {"f": np.nan, "i": -1, "b": False, "U": ""}[np.dtype(self.dtype).kind]

    @property
    def ragged(self) -> bool:
        """Whether the first dimension runs over atoms or modes instead of structures."""
        return self.dims[0] in RAGGED


def _each(dtype: str, units: str, long_name: str) -> Variable:
    return Variable(("structure",), dtype, units, long_name)


_SPECTRA = {
    "g": Variable(("structure", "r"), "f4", "1", "radial distribution function g(r)"),
    "partial_g": Variable(("structure", "pair", "r"), "f4", "1", "partial radial distribution functions"),
    "pdos": Variable(("structure", "omega"), "f4", "THz-1", "phonon density of states, integral 1 over the range"),
    "frequency": Variable(("mode",), "f4", "THz", "vibrational frequencies, imaginary as negative, translations removed"),
}  # fmt: skip

_STRUCTURE = {
    "position": Variable(("atom", "xyz"), "f8", "angstrom", "atomic positions of the relaxed structure"),
    "number": Variable(("atom",), "i2", "1", "atomic numbers"),
    "cell": Variable(("structure", "abc", "xyz"), "f8", "angstrom", "cell vectors, one per line"),
}  # fmt: skip

_IDENTITY = {
    "row_id": _each("U64", "1", "sha256 of the science configuration, the system and the index"),
    "status": _each("U8", "1", "ok or failed"),
    "error": _each("U256", "1", "why the row failed"),
    "parent": _each("i4", "1", "structures of one parent share a template or a melt: never split them"),
    "replicate": _each("bool", "1", "independent repeat of one fixed preparation"),
    "disorder_class": _each("U12", "1", "crystal-like, defective, partial or amorphous, by the disorder that resulted"),
}  # fmt: skip

_KNOBS = {
    "displacement": _each("f8", "angstrom", "standard deviation of the random displacements, per direction"),
    "displaced_fraction": _each("f8", "1", "fraction of atoms displaced by that amount"),
    "vacancy_fraction": _each("f8", "1", "fraction of atoms removed"),
    "antisite_fraction": _each("f8", "1", "fraction of atoms that changed places with another species"),
    "anneal_temperature": _each("f8", "K", "temperature of the melt or anneal, 0 where there was none"),
    "quench_rate": _each("f8", "K ps-1", "cooling rate of the melt, 0 where nothing was molten"),
    "n_stone_wales": _each("i4", "1", "number of Stone-Wales rotations"),
}  # fmt: skip

_CHECKS = {
    "n_atoms": _each("i4", "1", "number of atoms"),
    "n_modes": _each("i4", "1", "number of frequencies stored"),
    "density": _each("f8", "angstrom-d", "number density: per volume, or per area where g(r) is two-dimensional"),
    "energy": _each("f8", "eV", "potential energy per atom"),
    "excess_energy": _each("f8", "eV", "potential energy per atom above the perfect crystal of the same composition"),
    "max_force": _each("f8", "eV angstrom-1", "largest force component left after relaxation"),
    "n_imaginary": _each("i4", "1", "number of imaginary frequencies"),
    "overflow": _each("f8", "1", "fraction of modes outside the frequency range of pdos"),
    "peak_width": _each("f8", "angstrom", "full width at half maximum of the first peak of g(r)"),
    "peak_height": _each("f8", "1", "height of the first peak of g(r)"),
    "coordination": _each("f8", "1", "mean number of neighbours within the first minimum of the crystal"),
}  # fmt: skip

_NETWORK = {
    "threefold_fraction": _each("f8", "1", "fraction of atoms with three neighbours"),
    "non_hexagonal": _each("f8", "1", "fraction of rings that do not have six members"),
    "ring_5": _each("f8", "1", "fraction of rings with five members"),
    "ring_6": _each("f8", "1", "fraction of rings with six members"),
    "ring_7": _each("f8", "1", "fraction of rings with seven members"),
    "roughness": _each("f8", "angstrom", "root-mean-square height of the sheet"),
}

VARIABLES: Mapping[str, Variable] = _IDENTITY | _SPECTRA | _STRUCTURE | _KNOBS | _CHECKS | _NETWORK
