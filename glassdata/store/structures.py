"""Structures of an existing store, which are described again instead of being made again."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
from ase import Atoms

from glassdata.describe import description_science, still_known
from glassdata.protocols.knobs import KNOBS
from glassdata.row import RowError, structure_id
from glassdata.store.errors import StoreError
from glassdata.store.reading import recorded, recorded_row, recorded_science
from glassdata.store.science import differences
from glassdata.system import System
from glassdata.systems import find


class ForeignStructureError(OSError):
    """A stored structure is not the one that was asked for; the row itself did not fail."""


def check_structures(where: Path, profile: str, systems: Iterable[System]) -> None:
    """Refuse a store whose structures are not those that would be made now.

    Parameters
    ----------
    where : Path
        A store or a packed dataset.
    profile : str
    systems : iterable of System

    Raises
    ------
    StoreError
        Naming the first differences.
    """
    if recorded(where)[0] != profile:
        raise StoreError(f"{where} holds the profile {recorded(where)[0]}, not {profile}")
    then = recorded_science(where)
    for system in systems:
        if system.name not in then:
            raise StoreError(f"{where} holds no {system.name}")
        if "structure" not in then[system.name]:
            raise StoreError(
                f"{where} is of an older layout, which did not record what made its structures; "
                "they have to be made again"
            )
        was = then[system.name]["structure"]
        if lines := list(differences(was, system.science(profile), set())):
            shown = "\n".join(f"  {line}" for line in lines[:5])
            raise StoreError(
                f"{where}: the structures of {system.name} were made otherwise, so they cannot "
                f"be described as if they were made now:\n{shown}"
            )


def stored_structure(where: Path, system: System, index: int, profile: str) -> Atoms:
    """Structure number ``index`` as a store or a packed dataset has it, with its preparation.

    Parameters
    ----------
    where : Path
        A store, or a sealed dataset.
    system : System
        The glass.
    index : int
        Number of the structure in its glass, from 0.
    profile : str
        Name of the profile, which sets the sizes and how structures are made.

    Raises
    ------
    RowError
        If it could not be made when the store was built.
    ForeignStructureError
        If it is damaged, or another structure than ``glassdata.row.make_structure`` would make.
    """
    try:
        row = recorded_row(where, system.name, index)
    except StoreError as error:
        raise ForeignStructureError(str(error)) from error
    if str(row["status"]) == "failed":
        raise RowError(str(row["error"]))
    if str(row.get("structure_id")) != structure_id(system, profile, index):
        raise ForeignStructureError(f"{where}: {system.name} {index} was made otherwise")
    atoms = Atoms(row["number"], row["position"], cell=row["cell"], pbc=system.crystal().pbc)
    atoms.info = {name: row[name] for name in KNOBS if name in row}
    return atoms


def stored_description(where: Path, system: System, index: int) -> dict[str, np.ndarray]:
    """What a store says of structure number ``index`` as it would be computed now.

    Describing a structure again then costs what is new: most of all, its frequencies need not be
    computed a second time.

    Parameters
    ----------
    where : Path
        A store, or a sealed dataset.
    system : System
        The glass.
    index : int
        Number of the structure in its glass, from 0.
    """
    row = recorded_row(where, system.name, index)
    return {name: row[name] for name in _known(where, system.name) & row.keys()}


@cache
def _known(where: Path, name: str) -> frozenset[str]:
    then = recorded_science(where)[name]["description"]
    return frozenset(still_known(then, description_science(find(name))))
