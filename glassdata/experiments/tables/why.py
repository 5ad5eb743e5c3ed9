"""Tables of why a line works: shares of the line's R², directions, and the mean square frequency.

Results are those of the experiment ``why`` by name.

>>> result = {"groups_all": np.arange(2), "error_mean_all": np.full(2, 4.0)}
>>> result |= {"error_line_all": np.full(2, 2.0), "error_derived_slope_all": np.full(2, 3.0)}
>>> result["error_derived_scaled_all"] = np.full(2, 2.5)
>>> verdicts({"amc.second": result}).loc[("amc", "all"), "derived about the crystal"]
'in part'
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from glassdata.experiments import explanations
from glassdata.experiments.verdicts import Estimate
from glassdata.experiments.words import bracketed, plain

Results = Mapping[str, Mapping[str, np.ndarray]]

#: How the mean square frequency of a pair potential is predicted, by the name in the results.
_MOMENT: Mapping[str, str] = {
    "fine": "kernel, fine bins",
    "kernel": "kernel, bins of the dataset",
    "calibrated": "the same, scaled",
    "line": "fitted line on ρg",
    "partial": "fitted line on partial ρg",
    "density": "density alone",
}


def shares(results: Results) -> pd.DataFrame:
    """R² of the line, and of what each explanation recovers of it: one row per glass and part."""
    found = explanations.shares(results)
    table = pd.DataFrame({title: pd.Series(mine) for title, mine in found.items()})
    table = table.map(lambda one: bracketed(one) if isinstance(one, Estimate) else "–")
    lines = {key: bracketed(explanations.r2(*at)) for key, at in _inside(results).items()}
    table.insert(0, "line: R²", pd.Series(lines, dtype=object))
    return _named(table.fillna("–"))


def verdicts(results: Results) -> pd.DataFrame:
    """Verdict on each explanation: one row per glass and part."""
    found = explanations.shares(results)
    table = pd.DataFrame({title: pd.Series(mine) for title, mine in found.items()})
    judged = table.map(lambda one: explanations.verdict(one) if isinstance(one, Estimate) else "–")
    return _named(judged)


def directions(results: Results) -> pd.DataFrame:
    """How many directions keep 95 % of the line's R², and what one, two and three keep."""
    rows = {}
    for key, (result, part) in _inside(results).items():
        r2, mean = explanations.r2(result, part), result[f"error_mean_{part}"]
        kept = 1 - result[f"error_rank_{part}"].sum(axis=1) / mean.sum()
        needed = explanations.directions(result, part)
        rows[key] = {
            "line: R²": bracketed(r2),
            "directions for 95 %": bracketed(needed, 0),
            **{f"R² of {k + 1}": plain(kept[k]) for k in range(min(3, len(kept)))},
            "R² atom by atom": plain(float(np.mean(result[f"atoms_r2_{part}"]))),
        }
    return _named(pd.DataFrame.from_dict(rows, orient="index"))


def moments(results: Results) -> pd.DataFrame:
    """R² of predictions of ⟨ω²⟩ in the glasses of pair potentials."""
    rows = {}
    for name, result in results.items():
        system, measure = name.split(".")
        for part in explanations.parts_of(result) if measure == "moment" else []:
            rows[system, part] = {
                title: bracketed(explanations.r2(result, part, line))
                for line, title in _MOMENT.items()
            }
    return _named(pd.DataFrame.from_dict(rows, orient="index"))


def reach(results: Results) -> pd.DataFrame:
    """Relative error of the line derived about each crystal, on that crystal, by amplitude."""
    rows = {}
    for name, result in results.items():
        system, measure = name.split(".")
        if measure == "second":
            errors = zip(result["amplitudes"], result["reach_disorder"], strict=True)
            rows[system] = {f"s = {amplitude:g} d": plain(error) for amplitude, error in errors}
    return pd.DataFrame.from_dict(rows, orient="index")


def _inside(results: Results) -> dict[tuple[str, str], tuple[Mapping[str, np.ndarray], str]]:
    """Result and part of each glass, by both names."""
    return {
        (name.split(".")[0], part): (result, part)
        for name, result in results.items()
        if name.endswith(".inside")
        for part in explanations.parts_of(result)
    }


def _named(table: pd.DataFrame) -> pd.DataFrame:
    table.index = pd.MultiIndex.from_tuples(table.index, names=["glass", "part"])
    return table
