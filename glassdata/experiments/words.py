"""How the chapters write counts, ranges, intervals and lists of glasses."""

from collections.abc import Iterable, Sequence

import numpy as np


def listing(names: Iterable[str], everything: int | None = None, *, word: str = "and") -> str:
    """Names as a phrase: "none", "amc", "amc and sic"; "all of them" where that is how many.

    Parameters
    ----------
    names
        In the order in which they are written.
    everything
        How many there could be.
    word
        Before the last of them.

    Examples
    --------
    >>> listing(["amc", "sic"]), listing([]), listing("abc", word="or")
    ('amc and sic', 'none', 'a, b or c')
    """
    names = list(names)
    if not names:
        return "none"
    if len(names) == everything:
        return "all of them"
    return ", ".join(names[:-1]) + f" {word} " * (len(names) > 1) + names[-1]


def among(found: Iterable) -> str:
    """In how many cases something was found, such as "3 of 8".

    Examples
    --------
    >>> among([True, False, True])
    '2 of 3'
    """
    found = [bool(one) for one in found]
    return f"{sum(found)} of {len(found)}"


def verdict(found: Iterable) -> str:
    """Yes if found in all glasses, no if in none, otherwise in how many.

    Examples
    --------
    >>> verdict([True, True]), verdict([True, False])
    ('yes', 'in 1 of 2 glasses')
    """
    found = [bool(one) for one in found]
    return "yes" if all(found) else "no" if not any(found) else f"in {among(found)} glasses"


def by_cuts(found: Iterable) -> str:
    """At how many of the cuts of g(r) something was found.

    Examples
    --------
    >>> by_cuts([True, True, False])
    'at 2 of 3 cuts'
    """
    found = [bool(one) for one in found]
    if all(found):
        return f"at all {len(found)} cuts"
    return f"at {among(found)} cuts" if any(found) else "at no cut"


def counted(names: Iterable[str]) -> str:
    """How often each name occurs, the most frequent first: "density (3), N (1)".

    Examples
    --------
    >>> counted(["N", "density", "density"])
    'density (2), N (1)'
    """
    names = list(names)
    once = sorted(dict.fromkeys(names), key=names.count, reverse=True)
    return ", ".join(f"{name} ({names.count(name)})" for name in once)


def ends(name: str, values: Iterable[float], factor: float = 1) -> dict[str, float]:
    """The smallest and the largest of some numbers, as ``NAME_least`` and ``NAME_most``.

    Parameters
    ----------
    name
        What both names begin with.
    values
        One number or more.
    factor
        What both are multiplied with, such as 100 for per cent.

    Examples
    --------
    >>> ends("share", [0.25, 0.5], 100)
    {'share_least': 25.0, 'share_most': 50.0}
    """
    values = list(values)
    return {f"{name}_least": factor * min(values), f"{name}_most": factor * max(values)}


def plain(value: float) -> str:
    """Two decimals, none from 10 upwards, ∞ for infinity; never a negative zero.

    Examples
    --------
    >>> plain(0.256), plain(123.4), plain(-0.001)
    ('0.26', '123', '0.00')
    """
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    if np.isnan(value):
        return "–"
    if abs(value) >= 10:
        return f"{value:.0f}".replace("-", "−")
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def bracketed(found: Sequence[float], digits: int = 2, *, sign: str = "") -> str:
    """A number with its interval: "0.91 [0.87, 0.94]", "–" where there is none.

    Parameters
    ----------
    found
        Number, lower end, upper end.
    digits
        Digits after the decimal point.
    sign
        ``"+"`` writes the sign of positive numbers too.

    Examples
    --------
    >>> bracketed([0.91, 0.87, 0.94])
    '0.91 [0.87, 0.94]'
    """
    if np.isnan(found[0]):
        return "–"
    texts = (f"{x:{sign}.{digits}f}" if np.isfinite(x) else "∞" for x in found)
    return "{} [{}, {}]".format(*texts)


def spanned(found: Sequence[float]) -> str:
    """A signed difference with its interval: "+0.12 (+0.03 to +0.20)".

    Examples
    --------
    >>> spanned([0.12, 0.03, 0.2])
    '+0.12 (+0.03 to +0.20)'
    """
    return "{:+.2f} ({:+.2f} to {:+.2f})".format(*found)
