"""How chapter 11 reads the results of ``glasses``: signal, errors above the floor, verdicts.

Errors are mean squares per bin of spectra with sum 1. *Above the floor* is what is left when the
variance within preparations, which no knowledge of the preparation removes, is taken off. A ratio
is a rival's error above the floor over the line's: above 1 the line is better.

>>> result = {"names": ["line", "mean"], "error": np.array([[[2.0, 2.0]], [[5.0, 5.0]]])}
>>> result |= {"floor": np.ones(2), "count": np.ones(2)}
>>> MOST
1000.0
>>> ratio_above(result, "mean")
Estimate(value=4.0, low=4.0, high=4.0)
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from glassdata.experiments.contenders import LINE
from glassdata.experiments.verdicts import NOTHING, WIDE, Estimate, Statistic, contest, estimate
from glassdata.system import DISORDER_CLASSES

Result = Mapping[str, np.ndarray]
Results = Mapping[str, Result]

#: Larger ratios are given as this one: beside an error at the floor, any other is infinite.
MOST = 1000.0
#: What the table says of the glasses of an ensemble: whether a line is enough.
ANSWERS = ("no signal", "not by the line", "no", "yes", "open")


# --- errors above the floor -------------------------------------------------------------------


def above(result: Result, name: str, fits: int | None = None) -> Statistic:
    """Mean error of a contender above the floor, in the unit of the errors.

    The first set of weights goes with the fit to the whole training sets, the others in turn with
    it and with the fits to training sets drawn with replacement. What these differ by, unit by
    unit, is taken about their own mean: they learned from fewer structures, and their error is
    larger. It is scaled so that the scatter over the draws is that of one fit.

    Parameters
    ----------
    result
        ``SYSTEM.errors.…`` or ``SYSTEM.cnn.…``.
    name
        Of the contender.
    fits
        Number of its fits to use; None takes all there are.

    Examples
    --------
    >>> result = {"names": ["line"], "error": np.array([[[2.0, 4.0]]]), "floor": np.ones(2)}
    >>> above(result | {"count": np.ones(2)}, "line")(np.ones((1, 2))).tolist()
    [2.0]
    """
    errors = _fits(result, name)[:fits]
    first, again, count = errors[0], errors[1:], result["count"]
    if len(again) > 1:
        n = len(again)
        scale = np.sqrt((n + 1) / (n - 1))
        again = first + scale * (again - again.mean(axis=0))
    rows = np.concatenate([first[None], again]) - result["floor"]

    def statistic(weights: np.ndarray) -> np.ndarray:
        shares = weights * count
        fit = rows[np.arange(len(weights)) % len(rows)]
        return np.sum(shares * fit, axis=1) / shares.sum(axis=1)

    return statistic


def _fits(result: Result, name: str) -> np.ndarray:
    """Errors of a contender, (n_fits, n_units); one that was fitted less often has fewer."""
    errors = result["error"][list(result["names"]).index(name)]
    return errors[np.isfinite(errors).all(axis=1)]


def _estimated(statistic: Statistic, result: Result) -> Estimate:
    return estimate(statistic, np.arange(len(result["count"])))


def ratio_above(result: Result, rival: str, line: str = LINE) -> Estimate:
    """A rival's error above the floor over the line's, with its interval; above 1 the line leads.

    An error at or below the floor counts as none: two of those are alike, with the ratio 1.

    Parameters
    ----------
    result
        ``SYSTEM.errors.…``, or that of two experiments put together by ``with_rivals``.
    rival, line
        Names of the contenders.

    Examples
    --------
    >>> result = {"names": ["line", "mean"], "error": np.array([[[0.9]], [[3.0]]])}
    >>> result |= {"floor": np.ones(1), "count": np.ones(1)}
    >>> ratio_above(result, "mean").value == MOST
    True
    """
    # Both go through the same training sets, one by one.
    fits = min(len(_fits(result, name)) for name in (rival, line))
    theirs, ours = above(result, rival, fits), above(result, line, fits)
    return _estimated(lambda w: _ratio_of_positives(theirs(w), ours(w)), result)


def in_noise(result: Result, name: str = LINE) -> Estimate:
    """Error of a contender above the floor, in units of the floor; negative if it is below.

    Examples
    --------
    >>> result = {"names": ["line"], "error": np.array([[[1.25, 1.25]]]), "floor": np.ones(2)}
    >>> in_noise(result | {"count": np.ones(2)}).value
    0.25
    """
    count, floor, found = result["count"], result["floor"], above(result, name)
    return _estimated(lambda w: found(w) * (w @ count) / (w @ (count * floor)), result)


def explained(result: Result, name: str = LINE) -> Estimate:
    """Share of the mean's error above the floor that a contender removes: 1 is all there is.

    NaN where the mean is at the floor, so that there is nothing to remove.

    Examples
    --------
    >>> result = {"names": ["line", "mean"], "error": np.array([[[2.0, 2.0]], [[5.0, 5.0]]])}
    >>> explained(result | {"floor": np.ones(2), "count": np.ones(2)}).value
    0.75
    """
    ours, mean = above(result, name), above(result, "mean")

    def statistic(weights: np.ndarray) -> np.ndarray:
        whole = mean(weights)
        return 1 - np.divide(ours(weights), whole, np.full(len(whole), np.nan), where=whole > 0)

    return _estimated(statistic, result)


def with_rivals(result: Result, other: Result | None) -> Result:
    """Two results of the same split put together, such as the network's and all others'.

    Fits that one of them lacks are NaN.

    Examples
    --------
    >>> one = {"names": ["line"], "error": np.ones((1, 3, 2)), "count": np.ones(2)}
    >>> with_rivals(one, one | {"names": ["CNN"], "error": np.ones((1, 2, 2))})["error"].shape
    (2, 3, 2)
    """
    if other is None:
        return result
    if not np.array_equal(result["count"], other["count"]):
        raise ValueError("the results belong to different splits")
    n = max(result["error"].shape[1], other["error"].shape[1])
    both = [
        np.pad(
            part["error"],
            ((0, 0), (0, n - part["error"].shape[1]), (0, 0)),
            constant_values=np.nan,
        )
        for part in (result, other)
    ]
    names = np.concatenate([result["names"], other["names"]])
    return {**result, "names": names, "error": np.concatenate(both)}


# --- the table --------------------------------------------------------------------------------


class Ensemble(NamedTuple):
    """Where a verdict holds: the glass and its ensemble.

    Examples
    --------
    >>> str(Ensemble("ka2d", "equilibrated"))
    'ka2d (equilibrated)'
    """

    glass: str
    ensemble: str

    def __str__(self) -> str:
        return f"{self.glass} ({self.ensemble})"


def found_ensembles(results: Iterable[str]) -> list[Ensemble]:
    """Ensembles whose signal was measured, in the order of the names of the results.

    Examples
    --------
    >>> found_ensembles(["si.signal.quenched", "si.leak.quenched"])
    [Ensemble(glass='si', ensemble='quenched')]
    """
    parts = [name.split(".") for name in results]
    return [Ensemble(one[0], one[2]) for one in parts if one[1] == "signal"]


def contested(
    results: Results, where: Ensemble, *, split: str = "hard", size: int = 1, bins: int = 25
) -> Result | None:
    """Errors of all contenders, the network's among them where it was tried; None without any.

    Parameters
    ----------
    results
        Of the experiment ``glasses``.
    where
        Glass and ensemble.
    split
        ``"hard"`` or ``"soft"``.
    size, bins
        Structures in a bundle, bins of the spectrum.

    Examples
    --------
    >>> contested({}, Ensemble("si", "quenched")) is None
    True
    """
    name = f"{where.ensemble}.{split}.{size}.{bins}"
    key, network = f"{where.glass}.errors.{name}", f"{where.glass}.cnn.{name}"
    if key not in results:
        return None
    return with_rivals(results[key], results.get(network))


def ratios(result: Result, line: str = LINE) -> dict[str, Estimate]:
    """Ratio of each rival to a line, by its name.

    Examples
    --------
    >>> result = {"names": ["line", "mean"], "error": np.array([[[2.0, 2.0]], [[5.0, 5.0]]])}
    >>> ratios(result | {"floor": np.ones(2), "count": np.ones(2)})["mean"].value
    4.0
    """
    return {str(n): ratio_above(result, str(n), line) for n in result["names"] if n != line}


def answer(result: Result, line: str = LINE) -> tuple[str, str]:
    """Whether a line is enough, one of ``ANSWERS``, and the rivals that decide it.

    "no signal" where preparations cannot be told apart at all; "not by the line" where the line is
    no better than the mean; "no" where a rival is better; "yes" where no rival can be better by
    more than a factor ``WIDE``, the limit within which errors are called the same; "open"
    otherwise. Lines in other units are no rivals: they are lines.

    Examples
    --------
    >>> result = {"names": ["line", "mean"], "error": np.array([[[2.0, 2.0]], [[5.0, 5.0]]])}
    >>> result |= {"floor": np.ones(2), "count": np.ones(2), "between": np.array([3.0, 2.0, 4.0])}
    >>> answer(result)
    ('yes', '')
    """
    between = Estimate(*result["between"])
    if not between.low > 0:
        return "no signal", ""
    found = {n: one for n, one in ratios(result, line).items() if not n.startswith(LINE)}
    if contest(found["mean"]) != "better":
        return "not by the line", "mean"
    better = [name for name, one in found.items() if contest(one) == "worse"]
    if better:
        return "no", ", ".join(better)
    perhaps = [name for name, one in found.items() if one.low < 1 / WIDE]
    if perhaps:
        return "open", ", ".join(perhaps)
    return "yes", ", ".join(name for name, one in found.items() if contest(one) != "better")


def verdict_table(
    results: Results,
    *,
    split: str = "hard",
    size: int = 1,
    bins: int = 25,
    line: str = LINE,
) -> pd.DataFrame:
    """One row per glass and ensemble: is there a signal, how far above the floor, is a line enough?

    Parameters
    ----------
    results
        Of the experiment ``glasses``.
    split
        ``"hard"`` leaves out whole preparations, ``"soft"`` structures of each.
    size, bins
        Structures in a bundle, bins of the spectrum.
    line
        Which of the lines is judged.

    Returns
    -------
    Columns ``signal/noise`` (of a bundle), ``told apart``, ``above the floor`` (of the line, in
    units of the floor), ``explained`` (share of the mean's error above the floor), a ratio for each
    rival, ``line enough`` and ``because of``. Numbers are ``Estimate``.

    Examples
    --------
    >>> verdict_table({}).empty
    True
    """
    rows = {}
    for where in found_ensembles(results):
        result = contested(results, where, split=split, size=size, bins=bins)
        if result is None:
            continue
        signal = results[f"{where.glass}.signal.{where.ensemble}"]
        ratio = size * signal["ratio"][list(signal["bins"]).index(bins)]
        word, because = answer(result, line)
        rows[where] = {
            "structures": int(np.sum(signal["structures"])),
            "preparations": len(signal["structures"]),
            "signal/noise": Estimate(*map(float, ratio)),
            "told apart": "yes" if result["between"][1] > 0 else "no",
            "above the floor": in_noise(result, line),
            "explained": explained(result, line),
            **ratios(result, line),
            "line enough": word,
            "because of": because,
        }
    table = pd.DataFrame.from_dict(rows, orient="index")
    if rows:
        table.index = pd.MultiIndex.from_tuples(rows, names=("glass", "ensemble"))
    return table


def rivals_of(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ratios of the rivals in a verdict table, and what each of them says of the line.

    Parameters
    ----------
    table
        What ``verdict_table`` returns.

    Returns
    -------
    ratios, words
        One row per glass and ensemble, one column per rival: what ``plots.signal.ratios`` draws.

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([("si", "quenched")])
    >>> found = pd.DataFrame({"explained": [NOTHING], "mean": [Estimate(2.0, 1.5, 3.0)]}, index)
    >>> ratios, words = rivals_of(found)
    >>> words.loc["si (quenched)"].to_dict()
    {'mean': 'better'}
    """
    known = ("signal/noise", "above the floor", "explained")
    rivals = [
        name
        for name in table
        if name not in known and any(isinstance(one, Estimate) for one in table[name])
    ]
    found = {
        name: [one if isinstance(one, Estimate) else NOTHING for one in table[name]]
        for name in rivals
    }
    rows = [str(Ensemble(*key)) for key in table.index]
    words = {name: [contest(one) for one in column] for name, column in found.items()}
    return (
        pd.DataFrame({name: pd.Series(c, rows, dtype=object) for name, c in found.items()}),
        pd.DataFrame(words, rows),
    )


# --- other ensembles --------------------------------------------------------------------------


def travel_table(result: Result, name: str = LINE, kind: str = "all") -> pd.DataFrame:
    """Errors above the floor of training on one ensemble and testing on another, over that at home.

    Rows are ensembles that were trained on, columns those that were tested on. Numbers are
    ``Estimate``: 1 on the diagonal, above 1 where a contender errs more than one from home. Where
    no preparation was repeated the floor is not known, and is left out of both errors.

    Parameters
    ----------
    result
        ``SYSTEM.across``.
    name
        Of the contender.
    kind
        ``"all"``, or the disorder class that both are restricted to.

    Examples
    --------
    >>> result = {"names": ["line"]}
    >>> for pair, error in (("a|a", 2.0), ("b|a", 5.0)):
    ...     result |= {f"{pair}|all|error": np.full((1, 3), error), f"{pair}|all|floor": np.ones(3)}
    ...     result[f"{pair}|all|unit"] = np.arange(3)
    >>> travel_table(result).loc["b", "a"].value
    4.0
    """
    keys = [key.split("|") for key in result if key.endswith(f"|{kind}|error")]
    homes, aways = (list(dict.fromkeys(one[k] for one in keys)) for k in (0, 1))
    number = list(result["names"]).index(name)
    found = {away: dict.fromkeys(homes, NOTHING) for away in aways}
    for home, away, *_ in keys:
        own = f"{away}|{away}|{kind}"
        if f"{own}|error" in result:
            floor = np.nan_to_num(result[f"{own}|floor"])
            there, here = (
                result[f"{pair}|error"][number] - floor for pair in (f"{home}|{away}|{kind}", own)
            )
            found[away][home] = _over(there, here, result[f"{own}|unit"])
    return pd.DataFrame({away: pd.Series(column, dtype=object) for away, column in found.items()})


def _ratio_of_positives(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Ratios of what is above zero, within 1/MOST and MOST: 1 where neither is."""
    top, bottom = np.maximum(top, 0.0), np.maximum(bottom, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where((top == 0) & (bottom == 0), 1.0, top / bottom)
    return np.clip(found, 1 / MOST, MOST)


def _over(error: np.ndarray, own: np.ndarray, unit: np.ndarray) -> Estimate:
    return estimate(lambda weights: _ratio_of_positives(weights @ error, weights @ own), unit)


def within_classes(result: Result, rival: str = "mean", line: str = LINE) -> pd.DataFrame:
    """A rival's error above the floor over the line's, inside each class of each ensemble.

    Both were trained on that class of that ensemble alone, and tested on preparations left out.
    Rows are ensembles, columns disorder classes and ``all``; numbers are ``Estimate``.

    Parameters
    ----------
    result
        ``SYSTEM.across``.
    rival, line
        Names of the contenders.

    Examples
    --------
    >>> result = {"names": ["line", "mean"], "a|a|all|error": np.array([[2.0] * 3, [5.0] * 3])}
    >>> result |= {"a|a|all|floor": np.ones(3), "a|a|all|unit": np.arange(3)}
    >>> within_classes(result).loc["a", "all"].value
    4.0
    """
    numbers = [list(result["names"]).index(name) for name in (rival, line)]
    found: dict[str, dict[str, Estimate]] = {}
    for key in (key.removesuffix("|error") for key in result if key.endswith("|error")):
        home, away, kind = key.split("|")
        if home == away:
            floor = np.nan_to_num(result[f"{key}|floor"])
            theirs, ours = (result[f"{key}|error"][number] - floor for number in numbers)
            found.setdefault(kind, {})[home] = _over(theirs, ours, result[f"{key}|unit"])
    kinds = ["all", *travel_classes(result)]
    homes = sorted({home for column in found.values() for home in column})
    return pd.DataFrame(
        {
            kind: pd.Series([found[kind].get(h, NOTHING) for h in homes], homes, dtype=object)
            for kind in kinds
            if kind in found
        }
    )


def travel_classes(result: Result) -> list[str]:
    """Disorder classes in which some ensemble could be tried, in their order.

    Examples
    --------
    >>> travel_classes({"a|a|amorphous|error": np.ones(1), "a|a|all|error": np.ones(1)})
    ['amorphous']
    """
    there = {key.split("|")[2] for key in result if key.endswith("|error")}
    return [kind for kind in DISORDER_CLASSES if kind in there]
