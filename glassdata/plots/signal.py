"""Figures of glasses among themselves: signal over noise, errors above the floor, travels.

>>> curve = {"bins": [25], "size": [1, 2, 4], "ratio": np.array([[0.5, 0.4, 0.6]])}
>>> curve["curve"] = np.array([[[0.5, 1.0], [0.5, 0.5], [np.nan, np.nan]]])
>>> against_bundles({"si (quenched)": curve}).axes[0].get_xlabel()
'structures in a bundle'
"""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from glassdata.experiments.contests import MOST
from glassdata.experiments.signal import ensembles
from glassdata.experiments.tables.driven import FAR
from glassdata.plots.looks import GLASS_COLOURS, GLASS_TITLES, log_ticks
from glassdata.structures import Dataset

#: Colour-blind safe, of different lightness, and told apart by marks and dashes as well; none is
#: near white or black, so that all show on a light and on a dark page.
_LOOKS = (
    ("#0072b2", "o", "-"),
    ("#e69f00", "s", "--"),
    ("#009e73", "^", "-."),
    ("#d55e00", "D", ":"),
    ("#56b4e9", "v", (0, (5, 1))),
    ("#cc79a7", "P", (0, (1, 1))),
    ("#999933", "X", (0, (3, 1, 1, 1))),
    ("#888888", "*", (0, (7, 2))),
)
#: Ratios of signal to noise below this are not shown.
_FAINT = 0.05
#: By the verdict on the line: better, the same, worse, open.
_MARKS = {"better": "o", "same": "s", "worse": "D", "open": "o"}
_COLOURS = {"better": "#0072b2", "same": "#888888", "worse": "#d55e00", "open": "#888888"}


def against_bundles(signals: Mapping[str, Mapping[str, np.ndarray]], bins: int = 25) -> Figure:
    """Variance between preparations over that within, against the structures in a bundle.

    Lines are single structures' ratio times the size, with its interval; marks are bundles that
    were made and measured. Above the grey line a bundle of one preparation differs from that of
    another by more than from the next of its own. A glass without a signal above 0 is left out.

    Parameters
    ----------
    signals
        Result ``SYSTEM.signal.ENSEMBLE`` of the experiment ``glasses``, by the name to show.
    bins
        Bins of the spectrum.

    Examples
    --------
    >>> signal = {"bins": [25], "size": [1, 4], "ratio": np.array([[0.5, 0.4, 0.6]])}
    >>> signal["curve"] = np.array([[[0.5, 1.0], [0.5, 0.25]]])
    >>> figure = against_bundles({"si (quenched)": signal})
    >>> figure.axes[0].lines[1].get_ydata().tolist()
    [0.5, 2.0]
    """
    rows = -(-len(signals) // 2)  # of the legend
    figure, ax = plt.subplots(figsize=(6.4, 4.0 + 0.24 * rows))
    ax.axhline(1, color="0.6", lw=1)
    for k, (name, signal) in enumerate(signals.items()):
        number = list(signal["bins"]).index(bins)
        ratio, size = np.asarray(signal["ratio"][number]), np.asarray(signal["size"])
        if not ratio[0] > 0:
            continue
        colour, mark, dashes = _LOOKS[k % len(_LOOKS)]
        ax.plot(size, ratio[0] * size, color=colour, ls=dashes, marker=mark, ms=0)
        low, high = (np.maximum(end, 1e-3) * size for end in ratio[1:])
        ax.fill_between(size, low, high, color=colour, alpha=0.15, lw=0)
        between, within = np.asarray(signal["curve"][number]).T
        ax.plot(size, between / within, mark, color=colour, ms=6)
        ax.plot([], [], color=colour, ls=dashes, marker=mark, ms=6, label=name)
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="structures in a bundle",
        ylabel="signal / noise",
        xticks=size,
    )
    if ax.get_ylim()[0] < _FAINT:
        ax.set_ylim(bottom=_FAINT)
    log_ticks(ax.yaxis)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(plt.NullFormatter())
    figure.legend(loc="outside upper center", ncols=2, fontsize=10)
    return figure


def of_preparations(data: Dataset) -> Figure:
    """Mean spectrum of each preparation of a liquid, and how it differs from the mean of them.

    Colours go from the least stable preparation (light) to the most stable (dark), by cooling rate
    or by the temperature of the parent liquid; dashes tell the densities apart. The grey band is
    twice the standard error of one preparation's mean: what lies within it may be chance.

    Parameters
    ----------
    data
        Structures of one glass; those that were not made from a liquid are left out.

    Examples
    --------
    >>> from glassdata.structures import dataset
    >>> figure = of_preparations(dataset("si"))
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['PDOS (1/THz)', 'less the mean']
    """
    data = data[np.isin(ensembles(data), ("quenched", "equilibrated"))]
    numbers = np.unique(data.preparation)
    means = np.array([data.Y[data.preparation == one].mean(axis=0) for one in numbers])
    first = [int(np.flatnonzero(data.preparation == one)[0]) for one in numbers]
    cooled = "quench_rate" in data.stored and data.quench_rate[first].max() > 0
    stability = (data.quench_rate if cooled else data.anneal_temperature)[first]
    density, unit = np.round(data.density[first], 4), "K/ps" if cooled else "K"
    # A parent's temperature follows the density; its rank at each density is what counts.
    rank = [
        int(np.sum(stability[density == rho] > t))
        for t, rho in zip(stability, density, strict=True)
    ]
    dashes = dict(zip(np.unique(density), (":", "-", "--", "-."), strict=False))
    figure, axes = plt.subplots(2, 1, figsize=(6.4, 6.4), sharex=True)
    colours = plt.get_cmap("viridis_r")(np.linspace(0.15, 0.95, max(rank) + 1))
    for mean, how, rho, k in zip(means, stability, density, rank, strict=True):
        looks = {"color": colours[k], "ls": dashes[rho], "lw": 1.2}
        name = f"{how:.3g} {unit}, {rho:.4f}"
        axes[0].plot(data.omega, mean, label=name, **looks)
        axes[1].plot(data.omega, mean - means.mean(axis=0), **looks)
    counts = np.array([np.sum(data.preparation == one) for one in numbers])
    of = np.searchsorted(numbers, data.preparation)
    spare = max(len(data) - len(numbers), 1)
    scatter = np.sum((data.Y - means[of]) ** 2, axis=0) / spare
    error = 2 * np.sqrt(scatter * np.mean(1 / counts))
    axes[1].fill_between(data.omega, -error, error, color="0.6", alpha=0.5, lw=0)
    axes[0].set(ylabel="PDOS (1/THz)", xlim=(0, None), ylim=(0, None))
    axes[1].set(ylabel="less the mean", xlabel="frequency ν (THz)")
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=8
    )
    return figure


def against_size(sizes: Mapping[str, np.ndarray], bins: int = 25) -> Figure:
    """Noise of a spectrum against the number of atoms, and the signal beside it.

    The grey line falls as 1/N from the noise of the largest structures: where it meets the marks, a
    structure is as quiet as so many independent pieces.

    Parameters
    ----------
    sizes
        Result ``SYSTEM.sizes`` of the experiment ``glasses``.
    bins
        Bins of the spectrum.

    Examples
    --------
    >>> sizes = {"n_atoms": np.array([300.0, 600.0]), "bins": np.array([25])}
    >>> sizes |= dict.fromkeys(("between", "within"), np.array([[[2, 1, 3], [1, 0.5, 1.5]]]))
    >>> against_size(sizes).axes[0].get_xlabel()
    'atoms'
    """
    number = list(sizes["bins"]).index(bins)
    n = np.asarray(sizes["n_atoms"])
    figure, ax = plt.subplots(figsize=(6.4, 4.2))
    for key, colour, mark, name in (
        ("between", "#0072b2", "o", "between preparations"),
        ("within", "#d55e00", "s", "within one"),
    ):
        value, low, high = 1e6 * np.asarray(sizes[key][number]).T
        ends = [value - np.maximum(low, 1e-3), high - value]
        ax.errorbar(n, value, ends, fmt=mark, color=colour, capsize=3, label=name)
    quiet = 1e6 * np.asarray(sizes["within"][number])[-1, 0]
    ax.plot(n, quiet * n[-1] / n, color="0.5", lw=1, label="as 1/N")
    ax.set(xscale="log", yscale="log", xlabel="atoms", ylabel="variance of a bin (10⁻⁶)")
    ax.set_xticks(n, [f"{one:.0f}" for one in n])
    ax.xaxis.set_minor_formatter(plt.NullFormatter())
    log_ticks(ax.yaxis)
    ax.legend()
    return figure


def ratios(
    table: pd.DataFrame, words: pd.DataFrame, span: tuple[float, float] = (0.1, 10)
) -> Figure:
    """Errors of rivals above the floor over the line's, one panel per rival, one row per glass.

    Right of 1 the line is better. Filled circles: the line is better; diamonds: worse; squares: the
    same; hollow circles: too uncertain to say. A number beyond the frame becomes an arrow.

    Parameters
    ----------
    table
        Estimates (value, low, high), rivals as columns.
    words
        Verdicts of the same shape: better, same, worse or open.
    span
        Ends of the axis.

    Examples
    --------
    >>> table = pd.DataFrame({"mean": [(2.0, 1.5, 3.0)]}, index=["si (quenched)"])
    >>> figure = ratios(table, pd.DataFrame({"mean": ["better"]}, index=table.index))
    >>> figure.axes[0].get_title(), [t.get_text() for t in figure.axes[0].get_yticklabels()]
    ('mean', ['si (quenched)'])
    """
    n_columns = min(len(table.columns), 4)
    n_rows = -(-len(table.columns) // n_columns)
    height = n_rows * (0.9 + 0.24 * len(table)) + 0.4
    figure, axes = plt.subplots(
        n_rows, n_columns, figsize=(6.4, height), sharex=True, sharey=True, squeeze=False
    )
    for ax in axes.flat[len(table.columns) :]:
        ax.set_visible(False)
    for ax, rival in zip(axes.flat, table.columns, strict=False):
        ax.set_title(rival, fontsize=9)
        ax.axvline(1, color="0.5", lw=1)
        for y, (found, word) in enumerate(zip(table[rival], words[rival], strict=True)):
            if not np.isnan(found[0]):
                _ratio(ax, y, found, str(word), span)
        ax.set(xscale="log", xlim=span, ylim=(len(table) - 0.5, -0.5), yticks=range(len(table)))
        ax.set_yticklabels([str(name) for name in table.index])
        ax.tick_params(labelsize=9)
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_formatter(plt.NullFormatter())
    figure.supxlabel("error above the floor over the line's", fontsize=11)
    return figure


def _ratio(ax, y: int, found, word: str, span: tuple[float, float]) -> None:
    value, low, high = found
    colour, inside = _COLOURS[word], span[0] <= value <= span[1]
    mark = _MARKS[word] if inside else "<" if value < span[0] else ">"
    face = "none" if word == "open" else colour
    ax.plot(np.clip([low, high], *span), [y, y], color=colour, lw=1.5)
    ax.plot(np.clip(value, *span), y, mark, color=colour, mfc=face, ms=6, clip_on=False)


def _shown(ratio: float) -> str:
    if np.isnan(ratio):
        return "–"
    return f">{MOST:.0f}" if ratio >= MOST else f"{ratio:.{1 if ratio < 100 else 0}f}"


def travels(tables: Mapping[str, pd.DataFrame], span: tuple[float, float] = (0.5, 50)) -> Figure:
    """Errors above the floor far from home over those at home, one panel per glass, as numbers.

    Rows were trained on, columns tested on. Darker squares mean larger errors; the number is
    written in each of them.

    Parameters
    ----------
    tables
        What ``glassdata.experiments.contests.travel_table`` returns, by the name to show.
    span
        Ratios at both ends of the shades.

    Examples
    --------
    >>> table = pd.DataFrame({"quenched": {"displaced": (4.0, 3.0, 5.0)}})
    >>> [text.get_text() for text in travels({"si": table}).axes[0].texts]
    ['4.0']
    """
    columns = min(2, len(tables))
    rows = -(-len(tables) // columns)
    size = max(3.4 * columns, 4.0), 2.9 * rows
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    for ax in axes.flat[len(tables) :]:
        ax.set_visible(False)
    for ax, (name, table) in zip(axes.flat, tables.items(), strict=False):
        values = np.array([[found[0] for found in row] for row in table.to_numpy()], float)
        shades = np.log(np.clip(values, *span))
        ends = np.log(span)
        ax.imshow(np.ma.masked_invalid(shades), cmap="Blues", vmin=ends[0], vmax=ends[1])
        for (i, j), value in np.ndenumerate(values):
            dark = np.isfinite(value) and shades[i, j] > 0.6 * ends[1] + 0.4 * ends[0]
            text = _shown(value)
            ax.text(j, i, text, ha="center", va="center", color="white" if dark else "0.1")
        ax.set(xticks=range(table.shape[1]), yticks=range(len(table)), xlabel="tested on")
        ax.set_xticklabels(table.columns, rotation=30, ha="right", rotation_mode="anchor")
        ax.set_yticklabels(table.index)
        ax.set_title(name, fontsize=12)
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0, labelsize=10)
    for ax in axes[:, 0]:
        ax.set_ylabel("trained on")
    return figure


def driven(table: pd.DataFrame) -> Figure:
    """How far the spectra of driven structures got, beside how far their g(r) did.

    One panel per drive. A point in the shaded corner would be a structure with the g(r) of another
    one and a different spectrum. Crosses are repeats of one preparation: 1 in both.

    Parameters
    ----------
    table
        What ``glassdata.experiments.tables.driven.everyone`` returns.

    Examples
    --------
    >>> one = pd.DataFrame({"glass": ["si"], "drive": ["strained"], "g": [0.5], "pdos": [1.0]})
    >>> [ax.get_title() for ax in driven(one).axes]
    ['strained']
    """
    drives = list(dict.fromkeys(table["drive"]))
    distances = table[["g", "pdos"]].to_numpy(float)
    span = (0.8 * min(0.5, distances.min()), 1.3 * max(2 * FAR, distances.max()))
    figure, axes = plt.subplots(
        1, len(drives), figsize=(6.4, 4.4), sharex=True, sharey=True, squeeze=False
    )
    for ax, drive in zip(axes[0], drives, strict=True):
        ax.fill_between([span[0], 1], FAR, span[1], color="0.5", alpha=0.25, lw=0)
        ax.plot(span, span, color="0.5", lw=1)
        for glass, some in table[table["drive"] == drive].groupby("glass", sort=False):
            colour = GLASS_COLOURS[glass]
            ax.plot(some["g"], some["pdos"], "o", ms=3.5, mew=0, alpha=0.8, color=colour)
        ax.plot(1, 1, "x", color="0.5", ms=9, mew=2)
        ax.set(title=drive, xscale="log", yscale="log", xlim=span, ylim=span)
        ax.set(xlabel="distance in g(r)", aspect="equal")
        log_ticks(ax.xaxis, ax.yaxis)
    glasses = dict.fromkeys(table["glass"])
    handles = [
        plt.Line2D([], [], marker="o", ls="", color=GLASS_COLOURS[g], label=GLASS_TITLES[g])
        for g in glasses
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=9)
    axes[0, 0].set_ylabel("distance of the spectra")
    return figure
