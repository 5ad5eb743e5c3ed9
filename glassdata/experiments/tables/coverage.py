"""Tables of chapter 13: how often the intervals of ``glassdata predict`` hold.

>>> many = {"covered": np.full(30, 0.9), "promised": np.ones(30, bool), "groups": np.arange(30)}
>>> many |= {"mean_frequency": np.ones(30, bool), "heat_capacity": np.ones(30, bool)}
>>> many |= {"classes": np.array(["partial"] * 30), "n_atoms": np.arange(30)}
>>> intervals({"amc.intervals": many}).loc["amc", "all"]
'0.90'
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from glassdata.experiments import coverage
from glassdata.experiments.verdicts import Estimate
from glassdata.system import DISORDER_CLASSES

Results = Mapping[str, Mapping[str, np.ndarray]]
#: Columns of all glasses; ensembles, of which each glass has its own, have a table of theirs.
_PARTS = ("all", *DISORDER_CLASSES, "smallest third", "largest third")


def intervals(results: Results) -> pd.DataFrame:
    """Share of bins within the interval by part, and of two integrals: one row per glass.

    Parameters
    ----------
    results
        ``SYSTEM.intervals`` by name; others are left out.
    """
    rows = {}
    for name, result in _of(results, "intervals").items():
        found = coverage.coverage(result)
        rows[name] = {part: _shown(found[part]) if part in found else "–" for part in _PARTS}
        for measure in ("mean_frequency", "heat_capacity"):
            one = coverage.coverage(result, measure)["all"]
            rows[name][measure.replace("_", " ")] = _shown(one)
        rows[name]["called outside"] = f"{coverage.outside(result):.1%}"
    return pd.DataFrame(rows).T


def ensembles(results: Results) -> pd.DataFrame:
    """The same by the way in which structures were prepared, with their number."""
    rows = {}
    for name, result in _of(results, "intervals").items():
        if "ensemble" not in result:
            continue
        found = coverage.coverage(result)
        for one in map(str, np.unique(result["ensemble"])):
            count = int((result["ensemble"] == one).sum())
            rows[(name, one)] = {"structures": count, "covered": _shown(found[one])}
    index = pd.MultiIndex.from_tuples(rows or [("–", "–")], names=["glass", "prepared"])
    empty = [{"structures": 0, "covered": "–"}]
    return pd.DataFrame(list(rows.values()) or empty, index=index)


def others(results: Results) -> pd.DataFrame:
    """Structures that others made: how many are called outside, and what intervals cover."""
    rows = {}
    for name, result in _of(results, "foreign").items():
        promised = result["promised"]
        covered = result["covered"]
        rows[name] = {
            "structures": len(promised),
            "called outside": f"{coverage.outside(result):.0%}",
            "covered where promised": f"{covered[promised].mean():.2f}" if promised.any() else "–",
        }
    return pd.DataFrame(rows).T


def _of(results: Results, measure: str) -> dict[str, Mapping[str, np.ndarray]]:
    """The results of a measure by glass."""
    return {name.split(".")[0]: results[name] for name in results if name.endswith(f".{measure}")}


def _shown(one: Estimate) -> str:
    return f"{one.value:.2f}" if one.is_there else "–"
