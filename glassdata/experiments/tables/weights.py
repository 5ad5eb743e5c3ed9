"""Tables of chapter 10: penalties, biases, collinearity, stability, components, shells.

Results are those of the experiment ``weights`` by glass. Rows are glasses, in their order.

>>> best = {"amc": reading.Minimum(0.0, 1e-4, True, 0.9, 0.8, 0.7)}
>>> table = best_penalties(best, {"amc": Estimate(0.9, 0.8, 1.0)}, {"amc": "carbon"})
>>> table.loc["carbon", "best β"]
'1e-04 (edge)'
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

from glassdata.experiments import components, reading
from glassdata.experiments.halves import Half
from glassdata.experiments.shells import LOW, PEAK
from glassdata.experiments.verdicts import Estimate
from glassdata.structures import Dataset

Results = Mapping[str, Mapping[str, np.ndarray]]
Masks = Mapping[str, np.ndarray]

#: How numbers are written that are not rounded to whole ones.
COLLINEARITY: Mapping[str, str] = {
    "condition number": "{:.1e}",
    "median VIF": "{:.2g}",
    "effective rank": "{:.1f}",
}
WALK: Mapping[str, str] = {
    "cancelling, weakest": "{:.1f}",
    "cancelling, best": "{:.1f}",
    "norm, weakest / best": "{:.1f}",
    "R², ridge": "{:.2f}",
    "R², components": "{:.2f}",
}


def written(table: pd.DataFrame, name: str, formats: Mapping[str, str]) -> Styler:
    """A table of numbers as the page shows it.

    Parameters
    ----------
    table
        Numbers.
    name
        Identifies the table in the page, so that its HTML is the same in every build.
    formats
        Format of each column that is not rounded to a whole number.
    """
    style = table.style.format("{:.0f}")
    for column, one in formats.items():
        style = style.format(one, [column])
    return style.set_uuid(name)


def _power(value: float) -> str:
    return f"{value:.0e}" if value else "0"


def best_penalties(
    best: Mapping[str, reading.Minimum], nested: Mapping[str, Estimate], titles: Mapping[str, str]
) -> pd.DataFrame:
    """The best pair of penalties, and R² there, elsewhere in the grid, and of nested ridge.

    Parameters
    ----------
    best
        Minimum of each grid.
    nested
        R² of ridge whose penalty was chosen inside each training part.
    titles
        Of the glasses.
    """
    rows = {
        titles[name]: {
            "R², ridge (95 %)": "{:.2f} ({:.2f} to {:.2f})".format(*nested[name]),
            "R², best α and β": f"{one.r2:.2f}",
            "R², the paper's": f"{one.r2_of_paper:.2f}",
            "R², no penalty": f"{one.r2_without:.2f}",
            "best α": _power(one.alpha),
            "best β": _power(one.beta) + " (edge)" * one.at_edge,
        }
        for name, one in best.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def frames(
    grids: Results,
    r2: Mapping[str, Masks],
    titles: Mapping[str, str],
    *,
    alpha: float,
    beta: float,
) -> pd.DataFrame:
    """Lowest and highest R² with penalties up to these.

    Parameters
    ----------
    grids
        Results ``SYSTEM.grid``.
    r2
        Of each glass what ``reading.grid_r2`` returns.
    titles
        Of the glasses.
    alpha, beta
        Largest penalties to look at.
    """

    def span(name: str, kind: str) -> str:
        ends = reading.within_penalties(grids[name], r2[name][kind], alpha=alpha, beta=beta)
        return "{:.2f} to {:.2f}".format(*ends)

    kinds = {"training": "training", "held_out": "held out"}
    rows = {
        titles[name]: {f"R², {title}, in the frame": span(name, k) for k, title in kinds.items()}
        for name in grids
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def likeness(maps: Results, titles: Mapping[str, str]) -> pd.DataFrame:
    """Correlation of the bias of each kind of map with the mean PDOS."""
    rows = {
        titles[name]: {
            title: reading.likeness(result[f"b_{kind}"], result["pdos_mean"])
            for kind, title in reading.KINDS.items()
        }
        for name, result in maps.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def collinearity(
    results: Results, glasses: Mapping[str, Dataset], titles: Mapping[str, str]
) -> pd.DataFrame:
    """Bins that vary, condition number, inflation factors and effective rank of g(r).

    Parameters
    ----------
    results
        Results ``SYSTEM.collinearity``.
    glasses
        Datasets.
    titles
        Of the glasses.
    """
    rows = {}
    for name, result in results.items():
        vif = reading.inflation(result["vif"])
        rows[titles[name]] = {
            "structures": len(glasses[name]),
            "bins that vary": len(vif),
            "condition number": result["condition"],
            "median VIF": vif[len(vif) // 2],  # no average: it may be infinite
            "VIF > 10 (%)": 100 * np.mean(vif > 10),
            "effective rank": result["effective_rank"],
        }
    return pd.DataFrame(rows).T


def stability(
    settled: Mapping[str, Masks],
    boots: Results,
    maps: Results,
    live: Masks,
    titles: Mapping[str, str],
) -> pd.DataFrame:
    """Share of the weights whose sign is settled, and of the selected ones that are again.

    Parameters
    ----------
    settled
        Of each glass and kind of map the mask of the settled weights.
    boots, maps
        Results ``SYSTEM.bootstrap`` and ``SYSTEM.maps``.
    live
        Of each glass the mask of the weights that count, since their bins vary.
    titles
        Of the glasses.
    """
    rows = {}
    for name, masks in settled.items():
        here, row = live[name], {}
        for kind, mask in masks.items():
            row[f"{reading.KINDS[kind]}: settled"] = mask[here].mean()
        for kind in ("lasso", "elastic_net"):
            chosen, W = boots[name][f"selected_{kind}"], maps[name][f"W_{kind}"]
            again = reading.chosen_again(chosen[here], W[here])
            row[f"{reading.KINDS[kind]}: in 9 of 10"] = again
        rows[titles[name]] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def agreement(halves: Mapping[str, Half], titles: Mapping[str, str]) -> pd.DataFrame:
    """Held-out R² of each kind of map, and how its weights and predictions follow those of L2."""
    rows = {}
    for name, half in halves.items():
        kinds = list(half.W)
        ridge = kinds.index("ridge")
        for k, kind in enumerate(kinds):
            rows[titles[name], reading.KINDS[kind]] = {
                "held-out R²": half.r2(kind),
                "weights, correlation with L2's": half.of_weights()[k, ridge],
                "predictions, correlation with L2's": half.of_predictions()[k, ridge],
            }
    return pd.DataFrame(rows).T


def walk(
    paths: Results,
    r2: Mapping[str, Masks],
    glasses: Mapping[str, Dataset],
    titles: Mapping[str, str],
) -> pd.DataFrame:
    """What happens along the path of penalties: cancelling, growing weights, R², components.

    Parameters
    ----------
    paths
        Results ``SYSTEM.path``.
    r2
        Of each glass what ``reading.r2_along`` returns.
    glasses
        Datasets.
    titles
        Of the glasses.
    """
    rows = {}
    for name, path in paths.items():
        X, k, along = glasses[name].X, int(path["ridge_held_out"].argmin()), r2[name]
        rows[titles[name]] = {
            "R², ridge": along["ridge"][k],
            "R², components": along["pcr"].max(),
            "cancelling, weakest": reading.cancelling(path["ridge_W"][0], X),
            "cancelling, best": reading.cancelling(path["ridge_W"][k], X),
            "norm, weakest / best": path["ridge_norm"][0] / path["ridge_norm"][k],
            "components needed": reading.components_needed(path["pcr_setting"], along["pcr"]),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def naming(results: Results, titles: Mapping[str, str]) -> pd.DataFrame:
    """Share and name of the three leading components, and whether the first follows ⟨ω⟩.

    Parameters
    ----------
    results
        Results ``SYSTEM.components``.
    titles
        Of the glasses.
    """
    rows = {}
    for name, result in results.items():
        row = {}
        for k, (what, how) in enumerate(components.names_of(result)):
            row[f"{k + 1}: share (%)"] = f"{100 * result['share'][k]:.0f}"
            row[f"{k + 1}: name"] = f"{what} ({how:.2f})"
        row["1: with mean frequency"] = f"{components.follows_frequency(result, 0):.2f}"
        rows[titles[name]] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def shells(parts: Mapping[str, Masks], edges: Sequence[float]) -> pd.DataFrame:
    """R² of carbon with each shell alone, without it and with it permuted, in both bands.

    Parameters
    ----------
    parts
        What ``shells.by_part`` returns.
    edges
        Of the shells, Å.
    """
    between = [f"{low:.1f}–{high:.1f} Å" for low, high in pairwise(edges)]
    columns = {
        f"{title}: {part}": np.broadcast_to(parts[part][band], len(between))
        for title, band in (("low third", LOW), (PEAK, PEAK))
        for part in ("alone", "without", "permuted", "all")
    }
    return pd.DataFrame(columns, index=between).T
