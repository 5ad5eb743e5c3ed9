"""What a line may be fitted to instead of g(r): fingerprints of a structure, of one length each.

Those of ``FINGERPRINTS`` need the modes of a structure or come along with them; those of
``ARRANGEMENTS`` need positions alone, and two packages: dscribe (Himanen et al.,
doi:10.1016/j.cpc.2019.106949) and ripser (Tralie et al., doi:10.21105/joss.00925).

>>> list(FINGERPRINTS), len(ANGLES) - 1, len(OWN) - 1, len(BONDS) - 1
(['angles', 'stiffness', 'scale'], 36, 25, 25)
>>> list(ARRANGEMENTS)
['SOAP', 'loops']
"""

from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec

import numpy as np
from ase import Atoms
from scipy import sparse

from glassdata.neighbours import neighbours
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
#: Edges of bins of the radii at which loops of atoms open and close, over the longest bond; loops
#: are looked for up to the last one.
RADII = np.linspace(0.4, 1.9, 31)
#: Of SOAP: radial and angular functions, reach and width of the atoms over the longest bond.
N_MAX, L_MAX, REACH, WIDTH = 6, 4, 2.0, 0.125


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


def _soap(atoms: Atoms, bond_length: float) -> np.ndarray:
    """Mean over atoms of the power spectrum of their surroundings, smooth overlap of positions."""
    from dscribe.descriptors import SOAP

    filled = atoms.copy()
    filled.set_cell(atoms.cell.complete())  # directions without period need a length, too
    how = {"r_cut": REACH * bond_length, "sigma": WIDTH * bond_length, "periodic": True}
    species = sorted(set(atoms.get_chemical_symbols()))
    return SOAP(species=species, n_max=N_MAX, l_max=L_MAX, average="inner", **how).create(filled)


def _loops(atoms: Atoms, bond_length: float) -> np.ndarray:
    """Persistent homology of growing spheres: where parts join, loops open and close, per atom.

    Of the Vietoris-Rips complex of nearest images; a loop that is open at the largest radius counts
    in the last bin.
    """
    from ripser import ripser

    n, reach = len(atoms), RADII[-1] * bond_length
    first, second, length = neighbours("ijd", atoms, reach)
    # Of the images of one atom the nearest.
    order = np.lexsort((length, second, first))
    first, second, length = first[order], second[order], length[order]
    nearest = np.append(True, (np.diff(first) != 0) | (np.diff(second) != 0)) & (first != second)
    apart = sparse.coo_array((length[nearest], (first[nearest], second[nearest])), shape=(n, n))
    joined, loops = ripser(apart.tocsr(), distance_matrix=True, maxdim=1, thresh=reach)["dgms"]
    values = [joined[:, 1], loops[:, 0], loops[:, 1]]
    return np.concatenate([_counts(one / bond_length, RADII) for one in values]) / n


#: Fingerprints of positions, from a structure and its longest bond, Å.
ARRANGEMENTS: Mapping[str, Callable[[Atoms, float], np.ndarray]] = {"SOAP": _soap, "loops": _loops}


def arranged(structures: Iterable[Atoms], bond_length: float) -> dict[str, np.ndarray]:
    """The fingerprints of ``ARRANGEMENTS`` by name, (n, n_features) each.

    Raises
    ------
    ValueError
        If a package is missing, with what installs it.

    Examples
    --------
    >>> from ase.build import graphene
    >>> found = arranged([graphene(size=(4, 4, 1), vacuum=5.0)], 2.0)
    >>> found["loops"].shape, found["SOAP"].shape
    ((1, 90), (1, 105))
    """
    missing = [name for name in ("dscribe", "ripser") if find_spec(name) is None]
    if missing:
        raise ValueError(
            f"{' and '.join(missing)} not installed: pip install 'glassdata[descriptors]'"
        )
    found = [
        {name: make(atoms, bond_length) for name, make in ARRANGEMENTS.items()}
        for atoms in structures
    ]
    return {name: np.array([one[name] for one in found]) for name in ARRANGEMENTS}
