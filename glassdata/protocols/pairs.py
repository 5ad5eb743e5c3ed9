"""What LAMMPS is told of a potential: its commands, and the files of parameters that they name.

A new potential that LAMMPS should know is one function here, registered for its class.
"""

from functools import singledispatch
from itertools import product
from pathlib import Path

from glassdata.potentials import EAM, BondOrder, Potential, StillingerWeber, TabulatedFile
from glassdata.potentials.setfl import setfl_text


@singledispatch
def pair_commands(potential: Potential, folder: Path, species: tuple[str, ...]) -> list[str]:
    """Commands that define a potential in LAMMPS.

    Parameters
    ----------
    potential : Potential
        Bond order, embedded atom, or of Stillinger and Weber.
    folder : Path
        Receives the file of its parameters.
    species : tuple of str
        Those that occur, in the order of LAMMPS's atom types.

    Raises
    ------
    TypeError
        For a potential of another kind.

    Examples
    --------
    >>> from glassdata.systems import SYSTEMS
    >>> pair_commands(SYSTEMS["sic"].potential, Path(), ("Si", "C"))
    ['pair_style tersoff', 'pair_coeff * * potential.tersoff Si C']
    """
    raise TypeError(f"there is no way to tell LAMMPS of {type(potential).__name__}")


@pair_commands.register
def _(potential: StillingerWeber, folder: Path, species: tuple[str, ...]) -> list[str]:
    p = potential
    # ε, σ, a, λ, γ, cos(θ0), A, B, p, q, tolerance
    numbers = [p.epsilon, p.sigma, p.a, p.lam, p.gamma, -1 / 3, p.A, p.B, p.p, p.q, 0.0]
    return _with_file("sw", species, folder / "potential.sw", _row([p.symbol] * 3, numbers))


@pair_commands.register
def _(potential: BondOrder, folder: Path, species: tuple[str, ...]) -> list[str]:
    """One row for each centre i and ends j, k: what the bond ik has differs from what ij has."""
    rows = []
    kinds = range(len(potential.species))
    for i, j, k in product(kinds, repeat=3):
        of = {name: values[i, j] for name, values in vars(potential.table).items()}
        third = {name: values[i, k] for name, values in vars(potential.table).items()}
        middle, half_width = (third["r1"] + third["r2"]) / 2, (third["r2"] - third["r1"]) / 2
        # m, γ, λ3, c, d, cos(θ0), n, β, λ2, B, R, D, λ1, A
        numbers = [3.0, third["gamma"], 0.0, third["c"], third["d"], third["h"]]
        numbers += [of["n"], of["beta"], of["mu"], of["chi"] * of["B"]]
        numbers += [middle, half_width, of["lam"], of["A"]]
        rows.append(_row([potential.species[kind] for kind in (i, j, k)], numbers))
    return _with_file("tersoff", species, folder / "potential.tersoff", "".join(rows))


@pair_commands.register
def _(potential: EAM, folder: Path, species: tuple[str, ...]) -> list[str]:
    path = folder / "potential.eam.alloy"
    return _with_file("eam/alloy", species, path, setfl_text(potential))


@pair_commands.register
def _(potential: TabulatedFile, folder: Path, species: tuple[str, ...]) -> list[str]:
    return pair_commands(potential.tables, folder, species)


def _row(symbols: list[str], numbers: list[float]) -> str:
    return " ".join([*symbols, *(f"{number:.17g}" for number in numbers)]) + "\n"


def _with_file(style: str, species: tuple[str, ...], path: Path, content: str) -> list[str]:
    path.write_text(content)
    return [f"pair_style {style}", f"pair_coeff * * {path} {' '.join(species)}"]
