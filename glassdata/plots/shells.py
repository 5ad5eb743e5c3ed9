"""Figures of chapter 10: weights along the path of penalties, components of g(r), near and far.

Estimates are (value, low, high).

>>> contrasts({"amc": {"low": (0.2, 0.1, 0.3)}}).axes[0].get_xlabel()
'R² (first shell) − R² (beyond)'
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from glassdata.plots.looks import GLASS_COLOURS, GLASS_TITLES
from glassdata.plots.maps import BAND_COLOURS, Found, Result


def penalty_path(
    path: Result,
    r2: Mapping[str, Mapping[str, np.ndarray]],
    paths: Mapping[str, Result],
    step: float,
) -> Figure:
    """Weights of one frequency under a strong, the best and a weak penalty; R² of all glasses.

    Parameters
    ----------
    path
        Result ``SYSTEM.path`` of the glass whose weights are shown.
    r2
        Held-out R² of each glass along its path, by kind of fit: ``"ridge"`` and ``"pcr"``.
    paths
        Result ``SYSTEM.path`` of each glass.
    step
        Width of a frequency bin, THz.

    Examples
    --------
    >>> path = {"r": np.array([1.0, 2.0]), "ridge_setting": np.array([1e-4, 1e-2])}
    >>> path |= {"ridge_held_out": np.array([2e-6, 1e-6]), "ridge_W": np.ones((2, 3, 2))}
    >>> path["pcr_setting"] = np.array([1.0, 2.0])
    >>> r2 = {"amc": {"ridge": np.array([0.8, 0.9]), "pcr": np.array([0.7, 0.8])}}
    >>> figure = penalty_path(path, r2, {"amc": path}, step=1.0)
    >>> figure.axes[1].get_title()
    'best: l2 = 0.01'
    """
    best, last = int(path["ridge_held_out"].argmin()), len(path["ridge_setting"]) - 1
    chosen = {"strong": min(best + 4, last), "best": best, "weak": max(best - 10, 0)}
    figure = plt.figure(figsize=(6.4, 9.6))
    mosaic: list[Any] = [[name] for name in (*chosen, "ridge", "pcr")]
    axes = figure.subplot_mosaic(mosaic, height_ratios=[1, 1, 1, 2, 2])
    for title, k in chosen.items():
        ax = axes[title]
        ax.plot(path["r"], path["ridge_W"][k, -1] / step, color="#0072b2", linewidth=1.2)
        ax.axhline(0, color="0.6", linewidth=0.8)
        ax.set(xlim=path["r"][[0, -1]], ylabel="W (1/THz)")
        ax.set_title(f"{title}: l2 = {path['ridge_setting'][k]:.2g}", fontsize=11)
        ax.locator_params(axis="y", nbins=3)
    axes["weak"].set_xlabel("distance r (Å)")
    for kind, label in (("ridge", "ridge penalty l2"), ("pcr", "number of components")):
        for name, result in paths.items():
            look: dict[str, Any] = {"color": GLASS_COLOURS[name], "label": GLASS_TITLES[name]}
            axes[kind].plot(result[f"{kind}_setting"], r2[name][kind], **look)
        axes[kind].set(xscale="log", xlabel=label, ylabel="held-out R²", ylim=(-0.6, 1))
        axes[kind].axhline(0, color="0.6", linewidth=0.8)
    axes["pcr"].legend(fontsize=9, ncols=3, loc="lower left")
    return figure


def leading_components(
    c: Result, size: np.ndarray, response: np.ndarray, titles: Sequence[str], *, highest: float
) -> Figure:
    """Leading components of g(r), and what the PDOS does along them; for one standard deviation.

    Parameters
    ----------
    c
        Result ``SYSTEM.components``.
    size : (n_components,)
        Standard deviation of the structures along each component.
    response : (n_omega, n_components)
        Change of the PDOS, 1/THz.
    titles
        One for each component that is shown.
    highest
        End of the frequency axis, THz.

    Examples
    --------
    >>> result = {"r": np.array([1.0, 2.0]), "omega": np.array([0.5, 1.5])}
    >>> result["components"] = np.array([[0.6, 0.8]])
    >>> figure = leading_components(result, np.ones(1), np.ones((2, 1)), ["density"], highest=2.0)
    >>> figure.axes[0].get_title()
    'density'
    """
    n = len(titles)
    figure, axes = plt.subplots(n, 2, figsize=(6.4, 2.1 * n), sharex="col", squeeze=False)
    for k, (left, right) in enumerate(axes):
        left.plot(c["r"], size[k] * c["components"][k], color="#0072b2", linewidth=1.2)
        right.plot(c["omega"], response[:, k], color="#d55e00", linewidth=1.2)
        left.set_title(titles[k], fontsize=11)
        for ax in (left, right):
            ax.axhline(0, color="0.6", linewidth=0.8)
            ax.locator_params(axis="y", nbins=3)
        right.set_xlim(0, highest)
    figure.supylabel("change of g(r), and of the PDOS (1/THz)", fontsize=12)
    axes[-1, 0].set_xlabel("distance r (Å)")
    axes[-1, 1].set_xlabel("frequency (THz)")
    return figure


def reaches(result: Result, r2: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    """Held-out R² in bands from g(r) within a reach, and from g(r) beyond it.

    Parameters
    ----------
    result
        Result ``SYSTEM.shells``; minima between shells are grey.
    r2
        ``"within"`` and ``"beyond"``: R² at each reach, by band; ``"all"``: R² with all of g(r),
        by band, dotted.

    Examples
    --------
    >>> result = {"reach": np.array([2.0, 3.0]), "shell_edges": np.array([0.0, 2.5, 10.0])}
    >>> r2 = {part: {"low": np.array([0.4, 0.6])} for part in ("within", "beyond")}
    >>> [axes.get_title() for axes in reaches(result, r2 | {"all": {"low": 0.8}}).axes]
    ['only g(r) within the reach', 'only g(r) beyond the reach']
    """
    figure, axes = plt.subplots(2, 1, figsize=(6.4, 7.2), sharex=True, sharey=True)
    for ax, part in zip(axes, ("within", "beyond"), strict=True):
        for band, values in r2[part].items():
            ax.plot(result["reach"], values, "o-", color=BAND_COLOURS[band], label=band)
            ax.axhline(r2["all"][band], color=BAND_COLOURS[band], linestyle=":", linewidth=1)
        ax.set(ylabel="held-out R²", title=f"only g(r) {part} the reach")
        for edge in result["shell_edges"][1:-1]:
            ax.axvline(edge, color="0.85", zorder=0)
    axes[1].set_xlabel("reach R (Å); grey: minima between shells")
    axes[0].legend(ncols=2, fontsize=10)
    return figure


def contrasts(found: Mapping[str, Mapping[str, Found]]) -> Figure:
    """R² from the first shell minus R² from beyond it, one row per glass, one mark per band.

    The frame cuts off intervals that are too long.

    Examples
    --------
    >>> contrasts({"amc": {"low": (0.2, 0.1, 0.3)}}).axes[0].get_xlabel()
    'R² (first shell) − R² (beyond)'
    """
    figure, ax = plt.subplots(figsize=(6.4, 0.85 * len(found) + 1.2))
    for row, bands in enumerate(found.values()):
        for k, (band, (value, low, high)) in enumerate(bands.items()):
            y, colour = row + 0.18 * (k - 1.5), BAND_COLOURS[band]
            ax.plot([low, high], [y, y], color=colour, linewidth=2)
            ax.plot(value, y, "o", color=colour, label=band if row == 0 else None)
    ax.axvline(0, color="0.3", linewidth=1)
    limit = max(0.3, 1.3 * max(abs(one[0]) for bands in found.values() for one in bands.values()))
    ax.set(yticks=range(len(found)), xlim=(-limit, limit), xlabel="R² (first shell) − R² (beyond)")
    ax.set_yticklabels([GLASS_TITLES[name] for name in found], fontsize=11)
    ax.invert_yaxis()
    ax.legend(
        loc="lower center",
        bbox_to_anchor=(0.4, 1.0),
        ncols=4,
        fontsize=10,
        columnspacing=0.8,
        handletextpad=0.2,
    )
    return figure
