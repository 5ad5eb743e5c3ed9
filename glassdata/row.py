"""One row of the dataset: from (system, profile, index) to numbers, and nothing else.

Stage one makes the structure, which is most of the work; stage two describes it. The second is a
pure function of the first (``glassdata.describe``), so that structures of an older store can be
described again, with other variables.
"""

from collections.abc import Callable, Mapping

import numpy as np
from ase import Atoms
from threadpoolctl import threadpool_limits

from glassdata.config import digest
from glassdata.describe import describe, description_science, timed
from glassdata.minimise import RelaxationError
from glassdata.system import PreparationError, System
from glassdata.systems import find


class RowError(Exception):
    """A row that cannot be computed, for a reason that will be the same in every attempt."""


def science(system: str | System, profile: str) -> dict:
    """Everything that determines the rows of a system at a profile, as plain data.

    Returns
    -------
    dict
        ``structure``, what determines the atoms, and ``description``, what determines the
        variables that are computed from them.

    Examples
    --------
    >>> sorted(science("lj2d", "demo"))
    ['description', 'structure']
    """
    system = find(system)
    return {"structure": system.science(profile), "description": description_science(system)}


def structure_id(system: str | System, profile: str, index: int) -> str:
    """Identity of a structure: sha256 of all that determines its atoms.

    Parameters
    ----------
    system : str or System
        The glass, or its name.
    profile : str
        Name of the profile, which sets the sizes and how structures are made.
    index : int
        Number of the structure in its glass, from 0.

    Examples
    --------
    >>> structure_id("lj2d", "demo", 0) == structure_id("lj2d", "demo", 1)
    False
    """
    return digest([find(system).science(profile), index])


def row_id(system: str | System, profile: str, index: int) -> str:
    """Identity of a row: sha256 of all that determines its numbers.

    Parameters
    ----------
    system : str or System
        The glass, or its name.
    profile : str
        Name of the profile, which sets the sizes and how structures are made.
    index : int
        Number of the structure in its glass, from 0.

    Examples
    --------
    >>> len(row_id("lj2d", "demo", 0))
    64
    """
    return digest([science(system, profile), index])


def make_structure(system: str | System, index: int, profile: str = "demo") -> Atoms:
    """Relaxed structure number ``index``; a pure function of its arguments.

    ``Atoms.info`` holds how it was prepared.

    Parameters
    ----------
    system : str or System
    index : int
    profile : str
        ``demo``, ``reference`` or ``paper``.

    Returns
    -------
    Atoms

    Raises
    ------
    ValueError
        For an unknown system or profile, or an index outside the profile.
    RowError
        If the relaxation fails, or the structure became no glass.

    Examples
    --------
    >>> import glassdata as gd
    >>> gd.make_structure("lj2d", 0).get_chemical_formula()
    'Ar68'
    """
    system = find(system)
    if profile not in system.protocols:
        raise ValueError(f"no profile {profile!r}; there are {', '.join(system.protocols)}")
    protocol = system.protocols[profile]
    if not 0 <= index < protocol.n_structures:
        raise ValueError(
            f"{system.name} has structures 0 to {protocol.n_structures - 1} at profile {profile}, "
            f"not {index}"
        )
    with threadpool_limits(1):
        try:
            atoms = protocol(system, index)
        except (RelaxationError, PreparationError) as error:
            raise RowError(str(error)) from error
    # Adding zero turns -0.0 into 0.0.
    step = system.position_step
    atoms.positions = np.round(atoms.positions / step) * step + 0.0
    return atoms


def compute_row(
    system: str | System,
    profile: str,
    index: int,
    timings: dict[str, float] | None = None,
    *,
    make: Callable[[System, int, str], Atoms] = make_structure,
    known: Callable[[System, int], Mapping[str, np.ndarray]] = lambda system, index: {},
) -> dict[str, np.ndarray]:
    """All variables of one row, named and dimensioned as in ``glassdata.schema``.

    Pure and single-threaded.

    Parameters
    ----------
    system : str or System
    profile : str
    index : int
    timings : dict, optional
        Receives the seconds of each stage.
    make : callable
        Where the structure comes from: made, or read from a store that has it.
    known : callable
        Values that need not be computed again, because that store has them.

    Raises
    ------
    ValueError, RowError
        As for ``make_structure``.

    Examples
    --------
    >>> row = compute_row("lj2d", "demo", 0)
    >>> row["g"].shape, row["pdos"].shape, int(row["n_atoms"])
    ((100,), (100,), 68)
    """
    system = find(system)
    with timed(timings, "generate"):
        atoms = make(system, index, profile)
    with threadpool_limits(1):
        row = describe(atoms, system, timings, known=known(system, index))
    row["structure_id"] = np.asarray(structure_id(system, profile, index))
    return row | {name: np.asarray(value) for name, value in atoms.info.items()}
