"""Spectra with any calculator of ASE, which is named on the command line."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from glassdata.cli.inputs import at_rest
from glassdata.config import FREQUENCY_STEPS

if TYPE_CHECKING:
    from ase import Atoms

    from glassdata.potentials import CalculatorPotential
    from glassdata.potentials.differences import Smoothness
    from glassdata.system import System

#: Distances up to which g(r) is computed where no system says it, Å, and numbers of bins.
R_MAX, _BINS = 10.0, 100
#: Frequencies are shown up to this multiple of the highest.
_ROOM = 1.02
#: What is computed where no crystal and no glass is known.
_NAMES = (
    "g", "partial_g", "pdos", "frequency", "position", "number", "cell", "n_atoms", "n_modes",
    "density", "energy", "max_force", "stress", "pressure", "n_imaginary", "overflow",
    "n_false_pairs", "pinned_fraction",
)  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """Bins and potential for structures of which nothing else is known, in place of a System.

    Examples
    --------
    >>> Setting("EMT", ("Cu",), None, 3, 10.0, 9.0).pairs
    ()
    """

    name: str
    species: tuple[str, ...]
    potential: Any
    dim: int
    r_max: float
    omega_max: float
    n_r: int = _BINS
    n_omega: int = _BINS

    @property
    def title(self) -> str:
        """Name in words."""
        return self.name

    @property
    def reference(self) -> str:
        """Where the energies come from."""
        return self.name

    @property
    def r_edges(self) -> np.ndarray:
        """Edges of the distance bins, (n_r + 1,), Å."""
        return np.linspace(0.0, self.r_max, self.n_r + 1)

    @property
    def omega_edges(self) -> np.ndarray:
        """Edges of the frequency bins, (n_omega + 1,), THz."""
        return np.linspace(0.0, self.omega_max, self.n_omega + 1)

    @property
    def frequency_step(self) -> float:
        """Unit to which frequencies are rounded, THz."""
        return self.omega_max / FREQUENCY_STEPS

    @property
    def pairs(self) -> tuple[str, ...]:
        """Names of the partial g(r); empty for a single species."""
        from itertools import combinations_with_replacement

        if len(self.species) == 1:
            return ()
        return tuple("-".join(pair) for pair in combinations_with_replacement(self.species, 2))


def parse(text: str, symbols: tuple[str, ...]) -> "CalculatorPotential":
    """The calculator that ``IMPORT.PATH[:ARGUMENTS]`` names, or one of ``glassdata.learned``.

    Parameters
    ----------
    text : str
        Such as ``ase.calculators.lj.LennardJones:sigma=3.4,epsilon=0.01``; the arguments may also
        be one JSON object.
    symbols : tuple of str
        Species of the structures.

    Raises
    ------
    click.UsageError
        If there is no such calculator, or the arguments are none.

    Examples
    --------
    >>> parse("ase.calculators.lj.LennardJones:sigma=3.4,rc=8", ("Ar",)).arguments
    {'rc': 8, 'sigma': 3.4}
    """
    from glassdata.learned import LEARNED, learned
    from glassdata.potentials import CalculatorPotential

    path, _, rest = text.partition(":")
    module, _, name = path.rpartition(".")
    if path in LEARNED:
        try:
            return learned(path, symbols, _arguments(rest))
        except (ValueError, FileNotFoundError) as error:
            raise click.UsageError(f"--calculator: {error}") from error
    if not all(word.isidentifier() for word in (*module.split("."), name)):
        raise click.UsageError(f"--calculator is like package.module.Name:key=value, got {text!r}")
    try:
        arguments = _arguments(rest)
        found = CalculatorPotential(f"{module}:{name}", arguments, symbols=symbols, reach=R_MAX)
        made = found.calculator()
    except ValueError as error:
        raise click.UsageError(f"--calculator: {error}") from None
    except Exception as error:  # whatever a constructor of another package raises
        raise click.UsageError(f"{path} cannot be made: {in_one_line(error)}") from error
    if not hasattr(made, "get_forces"):
        raise click.UsageError(f"{path} is no calculator of ASE: it has no forces")
    for argument in found.undeclared():
        click.echo(
            f"glassdata: warning: {path} does not speak of an argument {argument!r}; it may have "
            "no effect",
            err=True,
        )
    return found


def _arguments(text: str) -> dict[str, Any]:
    if text.startswith("{"):
        return json.loads(text)
    found = {}
    for part in filter(None, re.split(r",(?![^\[]*\])", text)):
        key, equals, value = part.partition("=")
        if not (equals and key.strip().isidentifier()):
            raise ValueError(f"its arguments are key=value, or one JSON object; got {part!r}")
        try:
            found[key.strip()] = json.loads(value)
        except ValueError:
            found[key.strip()] = value
    return found


def describe_foreign(
    frames: list["Atoms"],
    text: str,
    system: "System | None",
    *,
    relaxed: str | None,
    kick: float = 0.0,
    workers: int | None = None,
) -> "tuple[list[dict[str, np.ndarray]], Setting, list[str]]":
    """g(r), spectrum and checks with a calculator, the bins that were chosen, and how smooth it is.

    Parameters
    ----------
    frames : list of Atoms
    text : str
        As for :func:`parse`.
    system : System or None
        Gives the bins; None lets them follow from the structures.
    relaxed : str or None
    kick : float, Å
        As for ``describe_all``.
    workers : int or None
        Processes that compute the Hessian side by side; None computes it here.

    Raises
    ------
    click.ClickException
        In one line, whatever the calculator raises; and if its forces are not smooth.
    """
    setting = _setting(frames, text, system)
    try:
        with _shared(setting.potential, workers) as potential:
            return _described(frames, replace(setting, potential=potential), system, relaxed, kick)
    except MemoryError:
        raise
    except Exception as error:  # whatever a calculator raises
        raise click.ClickException(
            f"{text.partition(':')[0]} failed: {in_one_line(error)}"
        ) from error


@contextmanager
def _shared(
    potential: "CalculatorPotential", workers: int | None
) -> Iterator["CalculatorPotential"]:
    """The same calculator, with workers where these are wanted."""
    if workers is None:
        yield potential
        return
    from glassdata.engine.displacing import side_by_side

    with side_by_side(workers) as shared:
        yield shared.of(potential)


def _described(
    frames: list["Atoms"], setting: Setting, system: "System | None", relaxed: str | None,
    kick: float,
) -> tuple[list[dict[str, np.ndarray]], Setting, list[str]]:  # fmt: skip
    from glassdata.describe import DESCRIBED, Structure

    found: list[Any] = []
    notes = []
    for number, atoms in enumerate(frames):
        rested, potential, steps = _rested(atoms, setting.potential, relaxed, kick)
        found.append(Structure(rested, replace(setting, potential=potential)))  # type: ignore[arg-type]
        notes.append(f"structure {number}: second derivatives by {steps}")
    if system is None:
        highest = max(float(structure.modes.max()) for structure in found)
        setting = replace(setting, omega_max=room_above(highest))
        for structure in found:
            structure.system = setting
    names = [name for name in _NAMES if name != "partial_g" or setting.pairs]
    rows = [{name: s[name] for name in names if name in DESCRIBED} for s in found]
    return rows, setting, notes


def _rested(
    atoms: "Atoms", potential: "CalculatorPotential", relaxed: str | None, kick: float
) -> "tuple[Atoms, CalculatorPotential, Smoothness]":
    """The structure at rest as asked for, and the calculator with the step that suits it there."""
    from glassdata.potentials.differences import smoothness

    if relaxed is not None:
        step = smoothness(potential, atoms).step
        atoms = at_rest(atoms, replace(potential, step=step), relaxed, kick=kick)
    found = smoothness(potential, atoms)
    found.check()
    return atoms, replace(potential, step=found.step), found


def _setting(frames: list["Atoms"], text: str, system: "System | None") -> Setting:
    from glassdata.eigen import check_memory

    species = tuple(sorted({symbol for atoms in frames for symbol in atoms.get_chemical_symbols()}))
    directions = {int(atoms.pbc.sum()) for atoms in frames}
    if len(directions) > 1 or directions & {0, 1}:
        raise click.UsageError(
            "structures must be periodic in three directions, or all in two; --pbc says in which"
        )
    for atoms in frames:
        check_memory(3, len(atoms))
    potential, name = parse(text, species), text.partition(":")[0]
    if system is None:
        return Setting(name, species, potential, directions.pop(), R_MAX, 1.0)
    return Setting(
        f"{system.name} with {name}", system.species, potential, system.dim, system.r_max,
        system.omega_max, system.n_r, system.n_omega,
    )  # fmt: skip


def room_above(highest: float) -> float:
    """The range of frequencies that shows this highest one, a number of two digits, THz.

    Examples
    --------
    >>> round(room_above(9.0), 9)
    9.2
    """
    number = _ROOM * max(highest, 1e-3)
    step = 10.0 ** (np.floor(np.log10(number)) - 1)
    return float(np.ceil(number / step) * step)


def in_one_line(error: Exception) -> str:
    """What an error says, without line breaks; its kind if it says nothing.

    Examples
    --------
    >>> in_one_line(ValueError("no   such thing")), in_one_line(KeyError())
    ('no such thing', 'KeyError')
    """
    return " ".join(str(error).split())[:200] or type(error).__name__
