"""What chapter 10 says: numbers and words of the text, from its results and tables.

Results are those of the experiment ``weights`` by glass; tables are those of ``tables.weights``.

>>> said = sparsity({"amc": {"W_lasso": np.eye(2), "W_elastic_net": np.ones((2, 2))}})
>>> f"{said['lasso_most']:.0f} %"
'50 %'
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from glassdata.experiments import components, reading
from glassdata.experiments.halves import Half, pairs
from glassdata.experiments.shells import LOW, PEAK, lost, lost_near
from glassdata.experiments.verdicts import ENDS, Estimate
from glassdata.experiments.weights import REACHES
from glassdata.experiments.words import among, by_cuts, ends
from glassdata.structures import Dataset

Results = Mapping[str, Mapping[str, np.ndarray]]
Said = dict[str, Any]
Parts = Mapping[str, Mapping[str, np.ndarray]]
#: Columns of ``shells.truncations`` by the name that the text gives to them.
_COLUMNS = {"low": "low third", "peak": PEAK, "more": "low minus 60 to 70"}
_BANDS = {"low": LOW, "peak": PEAK}
#: The bias resembles the mean PDOS above the first correlation, and is noise below the second.
RESEMBLES, NOISE = 0.9, 0.5


def sizes(glasses: Mapping[str, Dataset], maps: Results) -> Said:
    """Numbers of glasses, structures, bins and weights."""
    one = next(iter(maps.values()))
    said = {
        "n_glasses": len(glasses),
        "n_r": len(one["r"]),
        "n_omega": len(one["omega"]),
        "n_weights": one["W_ridge"].size,
    }
    return said | ends("n", [len(data) for data in glasses.values()])


def sparsity(maps: Results) -> Said:
    """Per cent of the weights that are not zero with L1 and with the elastic net."""
    kinds = {"lasso": "lasso", "net": "elastic_net"}
    said: Said = {}
    for name, kind in kinds.items():
        said |= ends(name, [np.mean(result[f"W_{kind}"] != 0) for result in maps.values()], 100)
    return said


def penalties(
    grids: Results,
    best: Mapping[str, reading.Minimum],
    *,
    frame: Mapping[str, Sequence[bool]],
    weaker: Mapping[str, Sequence[bool]],
    hardly: float,
) -> Said:
    """In how many glasses small penalties hardly change R², and how sparse they make the maps.

    Parameters
    ----------
    grids
        Results ``SYSTEM.grid``.
    best
        Minimum of each grid.
    frame, weaker
        What ``reading.hardly_change`` returns for the paper's penalties and for weaker ones.
    hardly
        The change of R² that counts as hardly any.
    """
    said: Said = {
        "hardly": hardly,
        "box_training": among(frame["training"]),
        "box_held": among(frame["held_out"]),
        "weak_training": among(weaker["training"]),
        "weak_held": among(weaker["held_out"]),
        "better": among(one.r2 > one.r2_without + hardly for one in best.values()),
    }
    for name, alpha in (("sparse5", 1e-5), ("sparse7", 1e-7)):
        kept = [g["nonzero"][np.isclose(g["alpha"], alpha).argmax(), 0] for g in grids.values()]
        said |= ends(name, kept, 100)
    return said


def biases(paths: Results, maps: Results, likeness: pd.DataFrame) -> Said:
    """Where b resembles the mean PDOS, and how far it departs from it along the path.

    Parameters
    ----------
    paths, maps
        Results ``SYSTEM.path`` and ``SYSTEM.maps``.
    likeness
        Table of correlations.
    """
    away = {n: reading.departure(p["ridge_b"], maps[n]["pdos_mean"]) for n, p in paths.items()}
    at_best = [away[n][p["ridge_held_out"].argmin()] for n, p in paths.items()]
    said: Said = {
        "b_with": among(likeness["paper"] > RESEMBLES),
        "b_without": among(likeness["none"] < NOISE),
        "away_strong": 100 * max(one[-1] for one in away.values()),
        "away_best": 100 * np.median(at_best),
    }
    return said | ends("none", likeness["none"]) | ends("paper", likeness["paper"])


def stability(stable: pd.DataFrame) -> Said:
    """Per cent of the weights that are settled, and of the selected ones that return."""
    columns = {
        "ls": "none: settled",
        "ridge": "L2: settled",
        "pcr": "components: settled",
        "picked": "elastic net: in 9 of 10",
        "picked1": "L1: in 9 of 10",
    }
    said: Said = {}
    for name, column in columns.items():
        said |= ends(name, stable[column], 100)
    return said


def agreement(carbon: Half, argon: Half, omega: np.ndarray) -> Said:
    """How alike the maps of carbon and argon are, their predictions, and argon's ω²-moments.

    Parameters
    ----------
    carbon, argon
        Maps of one half of the families of either glass.
    omega : (n_omega,)
        Frequencies of argon, THz.
    """
    said: Said = {}
    said["w_amc"], said["p_amc"] = carbon.alike()
    said["w_lj"], said["p_lj"] = argon.alike()
    cosine, value = map(pairs, argon.of_moments(omega))
    said |= {"cos_low": cosine.min(), "cos_high": cosine.max()}
    return said | {"val_low": value.min(), "val_high": value.max()}


def walk(table: pd.DataFrame) -> Said:
    """How weights grow and cancel along the path, and how many components are needed."""
    said: Said = {
        "cancel_weak": table["cancelling, weakest"].median(),
        "cancel_best": table["cancelling, best"].median(),
        "gap": (table["R², ridge"] - table["R², components"]).abs().max(),
    }
    said |= ends("needed", table["components needed"])
    return said | ends("blow", table["norm, weakest / best"])


def naming(results: Results, edges: Mapping[str, np.ndarray]) -> Said:
    """In how many glasses the leading components have a name, and what the first one is.

    Parameters
    ----------
    results
        Results ``SYSTEM.components``.
    edges
        Of the shells of each glass, Å.
    """
    called = [components.names_of(result) for result in results.values()]
    said: Said = {
        f"{word}_named": among(one[k][0] != "no name" for one in called)
        for k, word in enumerate(("first", "second", "third"))
    }
    order = ("swing of g(r)", "height at the first peak")
    said["first_swing"] = among(one[0][0] in order for one in called)
    inside = [components.largest_shell(result, edges[name]) for name, result in results.items()]
    said |= ends("in_shell", inside, 100)
    return said | ends("first", [result["share"][0] for result in results.values()], 100)


# --- near and far -----------------------------------------------------------------------------


def reaches(parts: Parts, bands: Mapping[str, np.ndarray], omega: np.ndarray) -> Said:
    """R² of carbon in both bands with all of g(r), with its first 3 Å, and beyond 8 Å.

    Parameters
    ----------
    parts
        What ``shells.by_part`` returns.
    bands
        Masks (n_omega,) of the frequencies.
    omega : (n_omega,)
        Frequencies, THz.
    """
    said: Said = {"low_third": omega[bands[LOW]].max(), "high_third": omega[bands["high"]].min()}
    for name, band in _BANDS.items():
        said[f"all_{name}"] = parts["all"][band]
        for part, reach in (("within", 3.0), ("beyond", 8.0)):
            said[f"{part}_{name}"] = parts[part][band][REACHES.index(reach)]
    return said


def clearly(truncated: pd.DataFrame, sign: int) -> dict[str, str]:
    """At how many cuts both contrasts and their difference lie clearly above (1) or below (−1) 0.

    Parameters
    ----------
    truncated
        What ``shells.truncations`` returns.
    """
    end = "low" if sign > 0 else "high"
    return {
        name: by_cuts(sign * getattr(one, end) > 0 for one in truncated[column])
        for name, column in _COLUMNS.items()
    }


def truncation(truncated: pd.DataFrame) -> Said:
    """At how many cuts the paper's reading of carbon holds, and at how many its contrary."""
    above, below = clearly(truncated, 1), clearly(truncated, -1)
    return {
        "n_cuts": len(truncated),
        "truncation_low": above["low"],
        "truncation_peak": below["peak"],
        "truncation_more": above["more"],
        "contrary_low": below["low"],
        "contrary_peak": above["peak"],
        "contrary_more": below["more"],
    }


def contrasts(found: Mapping[str, Mapping[str, Estimate]]) -> Said:
    """In how many glasses the first shell tells more of the low third, or beyond of the high one.

    Parameters
    ----------
    found
        Of each glass the contrast in each third of the frequencies.
    """
    return {
        "glasses_low": among(one["low"].low > 0 for one in found.values()),
        "glasses_high": among(one["high"].high < 0 for one in found.values()),
        "glasses_contrary": among(one["low"].high < 0 for one in found.values()),
    }


def shift(in_map: np.ndarray) -> np.ndarray:
    """Interval of the first shell's share of the effect, low band minus the other, (2,).

    Parameters
    ----------
    in_map : (times, 2)
        What ``shells.resampled_effects`` returns for the two bands.
    """
    return np.quantile(in_map[:, 0] - in_map[:, 1], ENDS)


def permuted(parts: Parts, needed: Sequence[bool], edge: float) -> Said:
    """What shells cost when permuted and when left out, and the first shell's share of it.

    Parameters
    ----------
    parts
        What ``shells.by_part`` returns.
    needed
        Whether each glass needs the shell that costs most.
    edge
        End of the first shell, Å.
    """
    said: Said = {"needed": among(needed), "first_edge": edge}
    for part in ("permuted", "without"):
        said[f"dear_{part}"] = max(values.max() for values in lost(parts, part).values())
    shares = lost_near(parts)
    return said | {f"lost_{name}": 100 * shares[band] for name, band in _BANDS.items()}


def effects(in_map: np.ndarray) -> Said:
    """Per cent of the effect that the first shell has, and whether the map leans the paper's way.

    Parameters
    ----------
    in_map : (times, 2)
        What ``shells.resampled_effects`` returns for the two bands.
    """
    low, high = shift(in_map)
    leans = (
        "it leans the paper's way in resampled families"
        if low > 0
        else "it does not lean the paper's way, by more than chance, in resampled families"
    )
    said: Said = {"shift_low": 100 * low, "shift_high": 100 * high, "map_answer": leans}
    return said | {"map_low": 100 * in_map[:, 0].mean(), "map_peak": 100 * in_map[:, 1].mean()}


def corners(
    settled: np.ndarray, live: np.ndarray, bands: Mapping[str, np.ndarray], near: np.ndarray
) -> Said:
    """Per cent of the weights that the reading is about whose sign is settled.

    Parameters
    ----------
    settled, live : (n_omega, n_r)
        Masks of the weights that are settled, and of those whose bins vary.
    bands
        Masks (n_omega,) of the frequencies.
    near : (n_r,)
        Mask of the first shell.
    """
    masks = {"low": np.outer(bands[LOW], near), "peak": np.outer(bands[PEAK], ~near)}
    return {f"firm_{name}": 100 * settled[mask & live].mean() for name, mask in masks.items()}
