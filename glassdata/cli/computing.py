"""From files of structures to their spectra, with the potential of a system or a calculator."""

from pathlib import Path
from typing import TYPE_CHECKING

from glassdata.cli.choices import known_systems
from glassdata.cli.formats import Reading

if TYPE_CHECKING:
    from ase import Atoms

#: Largest force that still counts as a minimum, eV/Å.
MINIMISED = 0.01


def read_all(files: tuple[Path, ...], name: str | None, how: Reading) -> list["Atoms"]:
    """Structures of all files, checked against the system if there is one.

    Parameters
    ----------
    files : tuple of Path
    name : str or None
        Of the system.
    how : Reading
    """
    from glassdata.cli import inputs

    system = None if name is None else known_systems([name])[name]
    species, what = None if system is None else system.species, f"the system {name}"
    frames = []
    for file in files:
        for atoms in inputs.read_structures(file, species, what, how=how):
            frames.append(inputs.laid_flat(atoms))
            if system is not None:
                inputs.check_periodic(atoms, str(file), system.dim)
            if system is not None and how.unit is None:
                inputs.check_lengths(atoms, str(file), inputs.nearest_distance(system.crystal()))
            elif how.unit is None:
                inputs.doubt_lengths(atoms, str(file))
    return frames


def computed(
    frames: list["Atoms"],
    name: str | None,
    calculator: str | None,
    *,
    relaxed: str | None,
    kick: float,
    workers: int | None = None,
) -> tuple:
    """Rows of the structures, the bins these have, and what is to be said of them.

    Parameters
    ----------
    frames : list of Atoms
    name : str or None
        Of the system whose potential and bins are used.
    calculator : str or None
        In place of the potential.
    relaxed, kick, workers
        As for ``describe_foreign``.
    """
    from glassdata.cli.inputs import describe_all

    system = None if name is None else known_systems([name])[name]
    if calculator is not None or system is None:
        from glassdata.cli.calculators import describe_foreign

        return describe_foreign(
            frames, str(calculator), system, relaxed=relaxed, kick=kick, workers=workers
        )
    return describe_all(frames, system, relaxed=relaxed, kick=kick), system, []
