"""What a line may be fitted to instead of g(r): fingerprints of a structure, of one length each.

>>> list(FINGERPRINTS), len(ANGLES) - 1, len(OWN) - 1, len(BONDS) - 1
(['angles', 'stiffness', 'scale'], 36, 25, 25)
"""

from collections.abc import Callable, Mapping

import numpy as np

from glassdata.network import bond_angles
from glassdata.observables import Observed
from glassdata.stiffness import atom_stiffness, bond_stiffness
from glassdata.system import System

#: Edges of bins: angles between bonds, degrees; frequencies of atoms in their cages, over the root
#: mean square of all; stiffness of bonds, over the same squared. What lies beyond counts in the
#: outermost bins, and the atoms of a crystal, at 1, lie in the middle of one.
ANGLES = np.linspace(0.0, 180.0, 37)
OWN = np.linspace(0.05, 2.55, 26)
BONDS = np.linspace(-0.25, 1.0, 26)


def _angles(one: Observed, system: System) -> np.ndarray:
    """Number of angles in each bin, per atom."""
    counts = np.histogram(bond_angles(one.atoms, system.bond_length), ANGLES)[0]
    return counts / len(one.atoms)


def _scale(one: Observed, system: System) -> np.ndarray:
    """Root mean square of all frequencies, THz."""
    return np.sqrt([_own(one).mean()])


def _own(one: Observed) -> np.ndarray:
    return atom_stiffness(one.modes, len(one.modes.frequencies) // len(one.atoms))


def _stiffness(one: Observed, system: System) -> np.ndarray:
    """Frequencies of atoms in their cages and stiffness of bonds, without unit, per atom."""
    own, n = _own(one), len(one.atoms)
    unit = own.mean()
    cages = _counts(np.sqrt(np.maximum(own, 0.0) / unit), OWN)
    bonds = _counts(bond_stiffness(one.atoms, one.modes, system.bond_length) / unit, BONDS)
    return np.concatenate([cages, bonds]) / n


def _counts(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.histogram(values.clip(edges[0], edges[-1]), edges)[0]


#: Fingerprints of a structure whose modes are known.
FINGERPRINTS: Mapping[str, Callable[[Observed, System], np.ndarray]] = {
    "angles": _angles,
    "stiffness": _stiffness,
    "scale": _scale,
}
