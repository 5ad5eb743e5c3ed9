"""Tables of chapter 11: numbers by glass, lost modes, sizes of cells, rules and claims.

Estimates are (value, low, high). Results are those of the experiment ``referee`` by glass.

>>> intervals({"line": {"amc": Estimate(0.5, 0.4, 0.6)}}).loc["amc", "line"]
'0.50 [0.40, 0.60]'
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from glassdata import models
from glassdata.experiments import checks
from glassdata.experiments.verdicts import Claim, Estimate, Objection
from glassdata.experiments.words import bracketed, plain
from glassdata.potentials import EnergySurface
from glassdata.structures import Dataset

Results = Mapping[str, Mapping[str, np.ndarray]]
Found = Mapping[str, Estimate]


def values(found: Mapping[str, Found]) -> pd.DataFrame:
    """The numbers without their intervals: one row per key, one column per key of the inner."""
    rows = {name: {key: one.value for key, one in mine.items()} for name, mine in found.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


def by_class(
    found: Mapping[tuple[str, str], Estimate], names: Sequence[str], kinds: Sequence[str]
) -> pd.DataFrame:
    """The numbers without their intervals: one row per glass, one column per disorder class.

    Parameters
    ----------
    found
        By glass and class, where there is one.
    names, kinds
        Rows and columns.
    """
    table = pd.Series({key: one.value for key, one in found.items()}).unstack()
    return table.reindex(index=list(names), columns=list(kinds))


def intervals(columns: Mapping[str, Found]) -> pd.DataFrame:
    """Numbers with their intervals: one row per glass, one column per title."""
    return pd.DataFrame(columns).map(bracketed)


def modes(glasses: Mapping[str, Dataset], potentials: Mapping[str, EnergySurface]) -> pd.DataFrame:
    """Modes of each glass that are zero, imaginary or outside the range.

    The zeros are counted in two structures: that of least energy and that of fewest atoms.

    Parameters
    ----------
    glasses
        Datasets.
    potentials
        Of the glasses whose potential is at hand; a dash is written for the others.
    """

    def zeros(name: str, k: int) -> str:
        if name not in potentials:
            return "–"
        potential = potentials[name]
        return f"{checks.count_zeros(glasses[name].atoms(k), potential)} of {potential.dim}"

    rows = {
        name: {
            "modes": one.n_modes.sum(),
            "zeros, least energy": zeros(name, int(one.excess_energy.argmin())),
            "zeros, fewest atoms": zeros(name, int(one.n_atoms.argmin())),
            "imaginary": one.n_imaginary.sum(),
            "outside the range (%)": round(100 * np.average(one.overflow, weights=one.n_modes), 3),
            "in the worst (%)": round(100 * one.overflow.max(), 2),
        }
        for name, one in glasses.items()
    }
    return pd.DataFrame(rows).T


def percent_above(
    above: Mapping[str, np.ndarray], glasses: Mapping[str, Dataset], kinds: Sequence[str]
) -> pd.DataFrame:
    """Modes above the top of the perfect crystal in per cent, by glass and disorder class.

    Parameters
    ----------
    above
        Of each glass whose potential is at hand the number of such modes in each structure.
    glasses
        Datasets.
    kinds
        Disorder classes, the columns.
    """

    def percent(name: str, kind: str) -> float:
        mine = glasses[name].classes == kind
        if name not in above or not mine.any():
            return float("nan")
        return 100 * above[name][mine].sum() / glasses[name].n_modes[mine].sum()

    return pd.DataFrame({kind: {name: percent(name, kind) for name in glasses} for kind in kinds})


def cell_sizes(glasses: Mapping[str, Dataset], results: Results, r2: Found) -> pd.DataFrame:
    """How far g(r) and the waves of each glass reach, and what size costs.

    Parameters
    ----------
    glasses
        Datasets.
    results
        Results ``SYSTEM.size``.
    r2
        Of the line in each glass, with all of g(r).
    """
    rows = {}
    for name, one in glasses.items():
        result, whole = results[name], r2[name].value
        reach = checks.half_cell(one.cell, one.dim)
        short = one.r < reach
        lowest = checks.lowest_positive(one.stored["frequency"].values, one.n_modes)
        row = {
            "R²": whole,
            "R², half cell": whole if short.all() else _r2_of_part(one, short),
            "half cell (Å)": reach,
            "g(r) up to (Å)": round(one.r[-1] + one.r[0], 1),
            "lowest mode (bins)": np.median(lowest) / np.diff(one.omega)[0],
            "much larger ones": int(result["large"].sum()),
        }
        if "error" in result:
            mean = result["baseline"].sum()
            row["R² from small ones"] = 1 - result["error"].sum() / mean
            row["R² from all"] = 1 - result["error_mixed"].sum() / mean
        rows[name] = row
    return pd.DataFrame(rows).T


def _r2_of_part(data: Dataset, part: np.ndarray) -> float:
    held = models.cross_validate(models.ridge(), data.X[:, part], data.Y, data.groups)
    return float(held.r2)


def three_digits(table: pd.DataFrame) -> pd.DataFrame:
    """Columns in which something is not zero, with three digits, and a dash for what is missing."""
    some = table.loc[:, (table != 0).any()]
    return some.map(lambda value: "–" if pd.isna(value) else f"{value:.3g}")


# --- the board --------------------------------------------------------------------------------


def grades(board: Mapping[str, Objection], names: Sequence[str]) -> pd.DataFrame:
    """Grade of each objection in each glass."""
    rows = {objection: one.grades for objection, one in board.items()}
    return pd.DataFrame(rows).T[list(names)]


def numbers(board: Mapping[str, Objection], names: Sequence[str]) -> pd.DataFrame:
    """Number of each objection in each glass, as the board shows it."""
    rows = {o: {n: plain(e.value) for n, e in one.found.items()} for o, one in board.items()}
    return pd.DataFrame(rows).T[list(names)]


def rules(board: Mapping[str, Objection]) -> pd.DataFrame:
    """What the number of each objection is, and its limit."""
    return pd.DataFrame(
        {o: {"number": one.number, "limit": one.limit} for o, one in board.items()}
    ).T


def claims(found: Sequence[Claim]) -> pd.DataFrame:
    """Claims of the paper with verdict and evidence."""
    return pd.DataFrame(found, columns=["claim", "verdict", "evidence"]).set_index("claim")
