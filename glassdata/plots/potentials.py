"""Figures of the potentials on trial: spectra beside those of DFT, steps, and errors in one unit.

>>> figure = errors({"the line": [0.01, 0.02]})
>>> figure.axes[0].get_xlabel()
'error (% of the root mean square frequency)'
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from glassdata.plots.looks import log_ticks

Curves = Mapping[str, tuple[np.ndarray, np.ndarray]]
_BINS = 32
_LOOKS = (("#0072b2", "-"), ("#d55e00", "--"))


def spectra(curves: Mapping[str, Curves]) -> Figure:
    """Spectra of several glasses by DFT, and as they are found otherwise.

    Parameters
    ----------
    curves : mapping of label to glass to (found, truth)
        At most two; frequencies in order, THz, as ``experiments.judged.pairs`` gives them.

    Examples
    --------
    >>> both = np.linspace(0, 30, 100), np.linspace(0, 32, 100)
    >>> figure = spectra({"NEP89": {"SiO2": both}})
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['DFT', 'NEP89']
    """
    first = next(iter(curves.values()))
    columns = min(3, len(first))
    rows = -(-len(first) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(7.2, 2.2 * rows), squeeze=False)
    for ax in axes.flat[len(first) :]:
        ax.set_visible(False)
    for ax, name in zip(axes.flat, first, strict=False):
        highest = max(float(max(one[name][0].max(), one[name][1].max())) for one in curves.values())
        edges = np.linspace(min(0.0, float(first[name][1].min())), highest, _BINS + 1)
        truth = np.histogram(first[name][1], edges, density=True)[0]
        ax.stairs(truth, edges, fill=True, color="0.8", label="DFT")
        for (label, found), (colour, dashes) in zip(curves.items(), _LOOKS, strict=False):
            height = np.histogram(found[name][0], edges, density=True)[0]
            middle = (edges[1:] + edges[:-1]) / 2
            ax.plot(middle, height, color=colour, linestyle=dashes, lw=1.3, label=label)
        ax.set(xlim=(0, None), ylim=(0, None), yticks=[])
        ax.set_title(name, fontsize=11, loc="left")
    for ax in axes[-1]:
        ax.set_xlabel("frequency ν (THz)", fontsize=11)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=10)
    return figure


def steps(found: Mapping[str, tuple[Sequence[float], Sequence[float]]], rough: float) -> Figure:
    """Change of second derivatives from a step of central differences to the next shorter one.

    Parameters
    ----------
    found : mapping of name to (steps, changes)
        Steps in Å, changes as shares of the largest second derivative.
    rough
        Change above which there is no spectrum.

    Examples
    --------
    >>> figure = steps({"NEP89": ([1e-2, 1e-3], [1e-1, 1e-3])}, 0.01)
    >>> figure.axes[0].get_xscale()
    'log'
    """
    figure, ax = plt.subplots(figsize=(6.4, 4.0))
    looks = ("o-", "s-", "^-", "D-", "v-", "x-")
    for (name, (step, change)), look in zip(found.items(), looks, strict=False):
        ax.loglog(step, change, look, label=name, ms=5)
    ax.axhline(rough, color="0.5", ls="--", lw=1)
    ax.set(xlabel="step (Å)", ylabel="change to the next shorter step")
    ax.legend(fontsize=10)
    return figure


def errors(shares: Mapping[str, Sequence[float]]) -> Figure:
    """Errors of spectra from several sources on one axis, one dot for each glass.

    Parameters
    ----------
    shares
        Distances as shares of the root mean square frequency, by what makes the error.

    Examples
    --------
    >>> figure = errors({"the line": [0.01], "the potential": [0.1, 0.2]})
    >>> [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    ['the line', 'the potential']
    """
    figure, ax = plt.subplots(figsize=(6.4, 0.9 + 0.45 * len(shares)))
    for row, values in enumerate(shares.values()):
        given = 100 * np.asarray(values, float)
        given = given[np.isfinite(given)]
        ax.semilogx(given, np.full(len(given), row), "o", color="#0072b2", alpha=0.6, ms=6)
        ax.semilogx(np.median(given), row, "|", color="#d55e00", ms=18, mew=2.5)
    ax.set_yticks(range(len(shares)), list(shares))
    ax.invert_yaxis()
    ax.set_xlabel("error (% of the root mean square frequency)")
    log_ticks(ax.xaxis)
    return figure
