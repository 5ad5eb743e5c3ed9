"""The table of chapter 11 on glasses among themselves, as text."""

from collections.abc import Iterable

import pandas as pd

from glassdata.experiments.contests import LINE, MOST, Results, verdict_table
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
    table = pd.DataFrame(index=found.index)
    table["signal/noise"] = found["signal/noise"].map(spanned_plainly)
    table["line above the floor / noise"] = found["above the floor"].map(spanned_plainly)
    for rival in (name for name in rivals if name in found):
        table[f"{rival} / line"] = found[rival].map(_with_sign)
    table["line enough"] = found["line enough"]
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
