"""The table of chapter 11 on glasses among themselves, as text.

>>> judged({}).empty
True
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from glassdata.experiments import elsewhere
from glassdata.experiments.contests import (
    LINE,
    MOST,
    Results,
    found_ensembles,
    verdict_table,
)
from glassdata.experiments.verdicts import Estimate, contest
from glassdata.experiments.words import plain

#: What the verdict on the line is shown as, beside its ratio to a rival.
SIGNS = {"better": "+", "same": "=", "worse": "−", "open": "?"}


def judged(
    results: Results,
    rivals: Iterable[str] = ("mean", "two numbers", "E, ρ quadratic", "kernel ridge", "CNN"),
    *,
    split: str = "hard",
    size: int = 1,
    bins: int = 25,
    line: str = LINE,
) -> pd.DataFrame:
    """One row per glass and ensemble: signal, error above the floor, ratios, and the verdict.

    Each ratio has its interval and a sign: + the line is better, = the same, − worse, ? the data
    cannot tell.

    Parameters
    ----------
    results
        Of the experiment ``glasses``.
    rivals
        Names of those whose ratios are shown; the verdict takes all into account.
    split, size, bins, line
        As in ``verdict_table``.

    Examples
    --------
    >>> judged({}).empty
    True
    """
    found = verdict_table(results, split=split, size=size, bins=bins, line=line)
    if found.empty:
        return found
    # The answer first: the rest is out of sight on a narrow screen.
    table = pd.DataFrame({"line enough": found["line enough"]}, index=found.index)
    table["signal/noise"] = found["signal/noise"].map(spanned_plainly)
    table["line above the floor / noise"] = found["above the floor"].map(spanned_plainly)
    for rival in (name for name in rivals if name in found):
        table[f"{rival} / line"] = found[rival].map(_with_sign)
    return table


def ensembles(results: Results, bins: int = 25) -> pd.DataFrame:
    """What was made: one row per glass and ensemble, with its signal over noise.

    Parameters
    ----------
    results
        Of the experiment ``glasses``.
    bins
        Bins of the spectrum.

    Examples
    --------
    >>> signal = {"bins": [25], "ratio": [[2.0, 1.5, 3.0]], "structures": [4, 4], "n_atoms": 512}
    >>> ensembles({"si.signal.quenched": signal}).iloc[0].to_dict()["structures"]
    8
    """
    rows = {}
    for where in found_ensembles(results):
        signal = results[f"{where.glass}.signal.{where.ensemble}"]
        ratio = signal["ratio"][list(signal["bins"]).index(bins)]
        rows[where] = {
            "signal/noise": spanned_plainly(Estimate(*map(float, ratio))),
            "preparations": len(signal["structures"]),
            "structures": int(np.sum(signal["structures"])),
            "atoms (median)": round(float(signal["n_atoms"])),
        }
    return _by_ensemble(rows)


def answers(
    results: Results, settings: Iterable[tuple[str, int, int]], line: str = LINE
) -> pd.DataFrame:
    """Whether a line is enough, one row per glass and ensemble, one column per setting.

    Parameters
    ----------
    results
        Of the experiment ``glasses``.
    settings
        Split, structures in a bundle and bins of each column.
    line
        Which of the lines is judged.

    Examples
    --------
    >>> answers({}, [("hard", 1, 25)]).empty
    True
    """
    rows: dict[tuple, dict[str, str]] = {}
    for split, size, bins in settings:
        table = verdict_table(results, split=split, size=size, bins=bins, line=line)
        for where in table.index:
            column = f"{split}, {size}, {bins}"
            rows.setdefault(where, {})[column] = table.loc[where, "line enough"]
    return _by_ensemble(rows).fillna("–")


def leaks(results: Results) -> pd.DataFrame:
    """Near copies in different families, and the share found of copies that were planted.

    One row per glass and ensemble. Copies were planted with noise of several sizes, in units of
    the typical distance between a structure and its nearest.

    Parameters
    ----------
    results
        Of the experiment ``glasses``.

    Examples
    --------
    >>> leak = {"pairs": np.empty((0, 2)), "noise": [0.1], "found": [1.0], "planted": 20}
    >>> leaks({"si.leak.quenched": leak}).to_dict("records")
    [{'near copies': 0, 'planted': 20, 'found at noise 0.1': '1.00'}]
    """
    rows = {}
    for name in results:
        glass, measure, *ensemble = name.split(".")
        if measure != "leak":
            continue
        leak = results[name]
        shares = zip(leak["noise"], leak["found"], strict=True)
        rows[glass, ensemble[0]] = {
            "near copies": len(leak["pairs"]),
            "planted": int(leak["planted"]),
            **{f"found at noise {noise:g}": f"{found:.2f}" for noise, found in shares},
        }
    return _by_ensemble(rows)


def carried(results: Results) -> pd.DataFrame:
    """How far our lines carry to structures that others made: one row per training set.

    Parameters
    ----------
    results
        Of the experiment ``elsewhere``.

    Examples
    --------
    >>> carried({}).empty
    True
    """
    rows = {
        (name.split(".")[0], training): spanned_plainly(one) if one.is_there else "–"
        for name in results
        for training, one in elsewhere.carried(results[name]).items()
    }
    table = pd.DataFrame({"value (95 % interval)": pd.Series(rows, dtype=object)})
    if rows:
        table.index.names = ["glass", "line trained on"]
    return table


def _by_ensemble(rows: dict) -> pd.DataFrame:
    table = pd.DataFrame.from_dict(rows, orient="index")
    if rows:
        table.index = pd.MultiIndex.from_tuples(rows, names=("glass", "ensemble"))
    return table


def spanned_plainly(found: Estimate) -> str:
    """A number and the ends of its interval, as "1.20 (0.80 to 1.60)".

    Examples
    --------
    >>> spanned_plainly(Estimate(1.2, 0.8, 1.6))
    '1.20 (0.80 to 1.60)'
    """
    return "{} ({} to {})".format(*map(plain, found))


def _with_sign(found: object) -> str:
    if not isinstance(found, Estimate) or not found.is_there:
        return "–"  # the network is not there without PyTorch
    value, low, high = (">" * (x >= MOST) + plain(min(x, MOST)) for x in found)
    return f"{value} ({low} to {high}) {SIGNS[contest(found)]}"
