"""How far each explanation of the line carries: what is read off the results of ``why``.

Every explanation gives a line of its own. Its share is its R² over that of the line which is fitted
between structures, on the same structures and against the same mean.

>>> list(EXPLANATIONS), CARRIES, FAILS
(['inside', 'joint', 'moment', 'density', 'derived_slope', 'derived_scaled'], 0.8, 0.2)
"""

from collections.abc import Mapping

import numpy as np

from glassdata.experiments.verdicts import NOTHING, Estimate, Statistic, estimate, removed

Result = Mapping[str, np.ndarray]

#: What each explanation is called, and the density, which any one number has to beat: results
#: ``SYSTEM.inside`` have the first, and ``SYSTEM.second`` those that are derived.
EXPLANATIONS: Mapping[str, str] = {
    "inside": "local law inside structures",
    "joint": "local law, all atoms",
    "moment": "⟨ω²⟩ alone",
    "density": "density alone",
    "derived_slope": "derived about the crystal",
    "derived_scaled": "the same, scaled",
}
#: Share of the line's R² from which an explanation carries, and below which it does not.
CARRIES, FAILS = 0.8, 0.2
#: Share of the line's R² that makes a number of directions enough.
ENOUGH = 0.95


def parts_of(result: Result) -> list[str]:
    """Parts of a glass that a result knows, in its order.

    Examples
    --------
    >>> parts_of({"groups_all": np.ones(2), "error_line_all": np.ones(2)})
    ['all']
    """
    return [name.removeprefix("groups_") for name in result if name.startswith("groups_")]


def r2(result: Result, part: str, line: str = "line") -> Estimate:
    """Held-out R² of one of the lines in one part.

    Parameters
    ----------
    result
        ``SYSTEM.inside``, ``SYSTEM.second`` or ``SYSTEM.moment``.
    part
        One of ``parts_of(result)``.
    line
        The result has the errors ``error_LINE_PART``.

    Examples
    --------
    >>> result = {"groups_all": np.arange(2), "error_mean_all": np.full(2, 4.0)}
    >>> r2(result | {"error_line_all": np.ones(2)}, "all").value
    0.75
    """
    errors = (result[f"error_{name}_{part}"] for name in (line, "mean"))
    return estimate(removed(*errors), result[f"groups_{part}"])


def share(result: Result, part: str, line: str) -> Estimate:
    """R² of an explanation over that of the fitted line; ``NOTHING`` where that is not above 0.

    Parameters
    ----------
    result, part, line
        As for ``r2``. The line must be better than the mean with its whole interval: where there
        is no line, there is nothing to explain.

    Examples
    --------
    >>> result = {"groups_all": np.arange(2), "error_mean_all": np.full(2, 4.0)}
    >>> result |= {"error_line_all": np.full(2, 2.0), "error_joint_all": np.full(2, 3.0)}
    >>> share(result, "all", "joint").value  # removes one of the two that the line removes
    0.5
    """
    if not r2(result, part).low > 0:
        return NOTHING
    ours, fitted, mean = (result[f"error_{name}_{part}"] for name in (line, "line", "mean"))
    return estimate(_ratio_of_gains(ours, fitted, mean), result[f"groups_{part}"])


def _ratio_of_gains(ours: np.ndarray, fitted: np.ndarray, mean: np.ndarray) -> Statistic:
    def gained(w: np.ndarray) -> np.ndarray:
        room = w @ (mean - fitted)
        return np.where(room > 0, w @ (mean - ours) / np.where(room > 0, room, 1.0), np.nan)

    return gained


def directions(result: Result, part: str) -> Estimate:
    """How many directions of the output keep 95 % of the line's R²; ``NOTHING`` without a line.

    Parameters
    ----------
    result
        ``SYSTEM.inside``.
    part
        One of ``parts_of(result)``.

    Examples
    --------
    >>> result = {"groups_all": np.arange(2), "error_mean_all": np.full(2, 4.0)}
    >>> result |= {"error_line_all": np.ones(2), "error_rank_all": np.array([[3.0, 3], [1, 1]])}
    >>> directions(result, "all").value
    2.0
    """
    if not r2(result, part).low > 0:
        return NOTHING
    cut, mean = result[f"error_rank_{part}"], result[f"error_mean_{part}"]
    line = result[f"error_line_{part}"]

    def needed(w: np.ndarray) -> np.ndarray:
        kept = (w @ (mean - cut).T) >= ENOUGH * (w @ (mean - line))[:, None]
        return np.where(kept.any(axis=1), kept.argmax(axis=1) + 1.0, len(cut) + 1.0)

    return estimate(needed, result[f"groups_{part}"])


def verdict(found: Estimate) -> str:
    """Whether an explanation carries, fails, carries a part, or cannot be judged.

    By the whole interval of its share: above 0.8 it carries, below 0.2 it fails, between the two
    it carries a part. Otherwise it stays open.

    Examples
    --------
    >>> [verdict(Estimate(x, x - 0.1, x + 0.1)) for x in (0.95, 0.5, 0.0, 0.8)]
    ['carries', 'in part', 'fails', 'open']
    """
    if not found.is_there:
        return "no line"
    if found.low > CARRIES:
        return "carries"
    if found.high < FAILS:
        return "fails"
    return "in part" if found.low > FAILS and found.high < CARRIES else "open"


def shares(results: Mapping[str, Result]) -> dict[str, dict[tuple[str, str], Estimate]]:
    """Share of each explanation, by glass and part.

    Parameters
    ----------
    results
        Results of the experiment ``why`` by name.

    Examples
    --------
    >>> result = {"groups_all": np.arange(2), "error_mean_all": np.full(2, 4.0)}
    >>> result |= {"error_line_all": np.full(2, 2.0), "error_derived_slope_all": np.full(2, 3.0)}
    >>> result["error_derived_scaled_all"] = np.full(2, 2.5)
    >>> shares({"amc.second": result})["derived about the crystal"]["amc", "all"].value
    0.5
    """
    found: dict[str, dict[tuple[str, str], Estimate]] = {t: {} for t in EXPLANATIONS.values()}
    for name, result in results.items():
        system, measure = name.split(".")
        for line, title in EXPLANATIONS.items():
            if measure == ("second" if line.startswith("derived") else "inside"):
                for part in parts_of(result):
                    found[title][system, part] = share(result, part, line)
    return found
