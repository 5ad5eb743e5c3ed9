"""Figures of chapter 11: numbers with intervals, tables as colours, the board of verdicts.

Estimates are (value, low, high), NaN where a number could not be computed.

>>> figure = forest({"line": {"amc": (0.9, 0.8, 0.95)}}, "held-out R²")
>>> [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
['amc']
"""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

Found = tuple[float, float, float]
#: Colour-blind safe, and told apart by their marks as well.
_COLOURS = ("#d55e00", "#0072b2", "0.45", "#009e73", "#cc79a7", "#e69f00")
_MARKS = ("o", "s", "^", "D", "v", "P")
#: Upheld, open and answered.
_SHADES = {"upheld": "#f4a26b", "open": "#dcdcdc", "answered": "#8fc1e3"}


def forest(
    series: Mapping[str, Mapping[str, Found]],
    xlabel: str,
    *,
    lowest: float | None = None,
    highest: float = 1.02,
    limit: float = 0.0,
) -> Figure:
    """Numbers with intervals, one row per glass and one mark per series; a dashed line at a limit.

    A number below the frame becomes an arrow with the number beside it; one without a number is
    left out.

    Parameters
    ----------
    series
        Of each series the estimate of each glass.
    xlabel
        What the numbers are.
    lowest, highest
        Ends of the axis. None fits the lower end to the intervals, between −0.5 and −0.05.
    limit
        Where the dashed line stands.

    Examples
    --------
    >>> found = {"line": {"amc": (0.9, 0.8, 0.95), "sic": (0.6, 0.4, 0.7)}}
    >>> figure = forest(found, "held-out R²")
    >>> [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    ['amc', 'sic']
    """
    if lowest is None:
        ends = [t[1] for found in series.values() for t in found.values() if not np.isnan(t[0])]
        lowest = float(np.clip(min(ends) - 0.05, -0.5, -0.05))
    rows = list(dict.fromkeys(name for found in series.values() for name in found))
    height = 1.3 + len(rows) * (0.24 + 0.13 * len(series))
    figure, ax = plt.subplots(figsize=(6.4, height))
    offsets = np.linspace(-0.32, 0.32, len(series)) if len(series) > 1 else [0.0]
    looks = zip(offsets, series.items(), _COLOURS, _MARKS, strict=False)
    for shift, (label, found), colour, mark in looks:
        ax.plot([], [], mark, color=colour, ms=6, label=label)
        for y, name in enumerate(rows):
            if name in found and np.isfinite(found[name][0]):
                _bar(ax, y + shift, found[name], (lowest, highest), colour=colour, mark=mark)
    for y in np.arange(len(rows) - 1) + 0.5:
        ax.axhline(y, color="0.88", lw=0.8)
    ax.axvline(limit, color="0.3", lw=1, ls="--")
    ax.set(
        yticks=range(len(rows)),
        yticklabels=rows,
        xlabel=xlabel,
        ylim=(len(rows) - 0.5, -0.5),
        xlim=(lowest, highest),
    )
    ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2, fontsize=11)
    return figure


def leaks(gaps: Mapping[str, Mapping[str, Found]]) -> Figure:
    """How much larger R² is with random splits, as ``forest``, on an axis that shows both signs.

    Parameters
    ----------
    gaps
        Of each model the gap of each glass, with the smallest and the largest of its seeds.

    Examples
    --------
    >>> leaks({"line": {"amc": (0.01, 0.0, 0.02)}}).axes[0].get_xlabel()
    'R² random − R² grouped'
    """
    every = [x for found in gaps.values() for triple in found.values() for x in triple]
    lowest, highest = 1.1 * min(-0.06, min(every)), 1.1 * max(0.06, max(every))
    return forest(
        gaps,
        "R² random − R² grouped",
        lowest=max(lowest, -0.5),
        highest=min(highest, 0.6),
    )


def _bar(
    ax: Axes, y: float, found: Found, frame: tuple[float, float], *, colour: str, mark: str
) -> None:
    value, low, high = found
    lowest, highest = frame
    if value < lowest:
        ax.plot(lowest, y, "<", color=colour, ms=7, clip_on=False)
        ax.text(lowest, y, f"   {value:.1f}", fontsize=9, va="center", color=colour)
        return
    ax.plot(np.clip([low, high], lowest, highest), [y, y], color=colour, lw=1.5)
    ax.plot(min(value, highest), y, mark, color=colour, ms=6)


def heat(
    table: pd.DataFrame,
    *,
    colours: str = "RdBu",
    span: tuple[float, float] = (-1.0, 1.0),
    size: float = 10,
) -> Figure:
    """A table of numbers, coloured over ``span``; a dash where a number is missing.

    Parameters
    ----------
    table
        The numbers, with names of rows and columns.
    colours
        Name of a colour map of matplotlib.
    span
        Numbers at both ends of the colours.
    size
        Size of the digits, points.

    Examples
    --------
    >>> table = pd.DataFrame({"amc": [0.912, np.nan]}, index=["line", "CNN"])
    >>> [text.get_text() for text in heat(table).axes[0].texts]
    ['0.91', '–']
    """
    figure, ax = plt.subplots(figsize=(6.4, 1.3 + 0.36 * len(table)))
    cmap = plt.get_cmap(colours).with_extremes(bad="white")
    values = table.to_numpy(float)
    shown = np.ma.masked_invalid(values)
    ax.imshow(shown, cmap=cmap, vmin=span[0], vmax=span[1], aspect="auto")
    middle, half = np.mean(span), np.ptp(span) / 2
    diverging = span[0] < 0
    for (i, j), value in np.ndenumerate(values):
        there = np.isfinite(value)
        dark = abs(value - middle) > 0.6 * half if diverging else value > middle
        colour = "white" if there and dark else "0.1"
        text = f"{value:.2f}" if there else "–"
        ax.text(j, i, text, ha="center", va="center", fontsize=size, color=colour)
    ax.set(xticks=range(table.shape[1]), yticks=range(len(table)), yticklabels=list(table.index))
    ax.set_xticklabels(table.columns, rotation=30, ha="right", rotation_mode="anchor")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return figure


def scoreboard(grades: pd.DataFrame, texts: pd.DataFrame) -> Figure:
    """The board of all objections: one row each, one column per glass, coloured by grade.

    Parameters
    ----------
    grades
        ``"answered"``, ``"open"``, ``"upheld"`` or anything else, which stays white.
    texts
        What is written into each square; rows and columns as in ``grades``.

    Examples
    --------
    >>> grades = pd.DataFrame({"amc": ["answered"]}, index=["families leak"])
    >>> texts = pd.DataFrame({"amc": ["0.91"]}, index=["families leak"])
    >>> [text.get_text() for text in scoreboard(grades, texts).axes[0].texts]
    ['0.91']
    """
    words = list(_SHADES)
    n_rows, n_columns = grades.shape
    levels = grades.map(lambda word: words.index(word) if word in words else np.nan)
    width = max(6.4, 1.9 + 0.52 * n_columns)  # or the numbers of neighbours touch
    figure, ax = plt.subplots(figsize=(width, 1.3 + 0.33 * n_rows))
    shown = np.ma.masked_invalid(levels.to_numpy(float))
    ax.imshow(shown, cmap=ListedColormap(list(_SHADES.values())), vmin=0, vmax=2, aspect="auto")
    for (i, j), text in np.ndenumerate(texts.to_numpy()):
        ax.text(j, i, text, ha="center", va="center", fontsize=10, color="0.1")
    ax.set(xticks=range(n_columns), yticks=range(n_rows), yticklabels=list(grades.index))
    ax.set_xticklabels(grades.columns, rotation=30, ha="left", rotation_mode="anchor")
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_xticks(np.arange(n_columns + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(n_rows + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="white", lw=2)
    ax.tick_params(which="minor", length=0)
    return figure


def noise_floor(results: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    """Errors of the line and of the training mean, and two floors, one row per glass; in 10⁻⁶.

    Parameters
    ----------
    results
        Result ``SYSTEM.noise`` of each glass. Repeats are shown where there are two or more.

    Examples
    --------
    >>> result = {name: np.full(3, 1e-6) for name in ("baseline", "error", "pair")}
    >>> result["replicate"] = np.zeros(3, dtype=bool)
    >>> noise_floor({"amc": result}).axes[0].get_xlabel()
    'mean squared error per bin (10⁻⁶)'
    """
    marks = {
        "training mean": ("|", "0.3", 14, 2),
        "line": ("o", "#d55e00", 7, 1),
        "pairs (from above)": ("D", "#0072b2", 7, 1),
        "scatter of repeats": ("s", "#009e73", 7, 1),
    }
    hollow: dict[str, Any] = {
        "marker": "o",
        "mfc": "none",
        "color": "#d55e00",
        "ms": 9,
        "ls": "none",
    }
    figure, ax = plt.subplots(figsize=(6.4, 1.6 + 0.5 * len(results)))
    for y, result in enumerate(results.values()):
        repeats = result["replicate"]
        found = [result[key].mean() for key in ("baseline", "error", "pair")]
        if repeats.sum() >= 2:
            found.append(result["scatter"].mean())
            ax.plot(1e6 * result["error"][repeats].mean(), y, **hollow)
        ax.plot([1e6 * min(found), 1e6 * max(found)], [y, y], color="0.85", zorder=0)
        for value, (mark, colour, ms, mew) in zip(found, marks.values(), strict=False):
            ax.plot(1e6 * value, y, mark, color=colour, ms=ms, mew=mew)
    for label, (mark, colour, _, mew) in marks.items():
        ax.plot([], [], mark, color=colour, ms=9, mew=mew, label=label)
    ax.plot([], [], label="line, repeats only", **hollow)
    ax.set(
        xscale="log",
        yticks=range(len(results)),
        yticklabels=list(results),
        ylim=(len(results) - 0.5, -0.5),
        xlabel="mean squared error per bin (10⁻⁶)",
    )
    ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2, fontsize=11)
    return figure


def bin_widths(results: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    """R² against the widths of the bins of g(r), and of the PDOS, as multiples of the dataset's.

    Parameters
    ----------
    results
        Result ``SYSTEM.bins`` of each glass.

    Examples
    --------
    >>> result = {"dr": np.array([0.1, 0.2]), "domega": np.array([1.0, 2.0])}
    >>> figure = bin_widths({"amc": result | {"r2": np.array([[0.9, 0.8], [0.8, 0.7]])}})
    >>> figure.axes[0].lines[0].get_xdata().tolist()  # as multiples of the dataset's bins
    [1.0, 2.0]
    """
    figure, axes = plt.subplots(1, 2, figsize=(6.4, 3.9), sharey=True)
    cycle = plt.get_cmap("tab10")(range(10))
    for colour, mark, (name, result) in zip(cycle, "osD^v<>PXh", results.items(), strict=False):
        look: dict[str, Any] = {"marker": mark, "ms": 4, "color": colour}
        axes[0].plot(result["dr"] / result["dr"][0], result["r2"][:, 0], label=name, **look)
        axes[1].plot(result["domega"] / result["domega"][0], result["r2"][0], **look)
    axes[0].set(xlabel="width of the bins of g(r)", ylabel="R²")
    axes[1].set(xlabel="width of the bins of the PDOS")
    figure.legend(loc="outside upper center", ncols=4, fontsize=11)
    return figure
