"""Sheets: structures that are periodic in the xy plane and in no other direction.

Rings, heights and two-dimensional vibrations are computed in that plane. A sheet in another plane
is refused: without its z coordinates it would silently give wrong numbers.
"""

import numpy as np
from ase import Atoms

from glassdata.errors import StructureError

# Lengths below this count as zero, Å: files of structures carry eight digits or fewer.
_ZERO = 1e-4


def check_sheet(atoms: Atoms) -> None:
    """Refuse a structure that is periodic in a direction which leaves the xy plane.

    Clusters, ribbons along the plane and sheets pass.

    Raises
    ------
    ValueError
        Naming the cell.

    Examples
    --------
    >>> from ase.build import graphene
    >>> check_sheet(graphene(vacuum=10.0))
    """
    if np.any(np.abs(atoms.cell.array[atoms.pbc, 2]) > _ZERO):
        raise ValueError(
            "a sheet must be periodic in the xy plane only, "
            f"got pbc = {atoms.pbc.tolist()} with cell {atoms.cell.tolist()}"
        )


def check_flat(atoms: Atoms) -> None:
    """Refuse a structure that is not two-dimensional: a flat sheet in a plane z = constant.

    Raises
    ------
    ValueError
        As for ``check_sheet``, or if the atoms differ in height.

    Examples
    --------
    >>> from ase.build import graphene
    >>> check_flat(graphene(vacuum=10.0))
    """
    check_sheet(atoms)
    spread = float(np.ptp(atoms.positions[:, 2])) if len(atoms) else 0.0
    if spread > _ZERO:
        raise StructureError(
            f"a two-dimensional structure must lie in the xy plane, its z differ by {spread:.3g} Å"
        )


def roughness(atoms: Atoms) -> float:
    """Root-mean-square height of a sheet about its mean height, Å.

    Raises
    ------
    ValueError
        As for ``check_sheet``.

    Examples
    --------
    >>> from ase.build import graphene
    >>> roughness(graphene(vacuum=10.0))
    0.0
    """
    check_sheet(atoms)
    return float(atoms.positions[:, 2].std())
