"""Figures of chapter 10: maps W of distance against frequency, penalties, and settled weights.

A map W (n_omega, n_r) and a bias b (n_omega,) of the results are per bin of a PDOS with sum 1;
they are drawn per THz. ``result`` is one of ``SYSTEM.maps`` unless something else is said.

>>> PENALTIES["lasso"], BAND_COLOURS["middle"]
('L1', '0.55')
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from glassdata.plots.looks import GLASS_COLOURS, GLASS_TITLES

Result = Mapping[str, np.ndarray]
Found = tuple[float, float, float]
#: The three penalties that are compared, as the results and the figures name them.
PENALTIES: Mapping[str, str] = {"lasso": "L1", "elastic_net": "elastic net", "ridge": "L2"}
#: Bands of frequency.
BAND_COLOURS: Mapping[str, str] = {
    "low": "#0072b2",
    "middle": "0.55",
    "high": "#d55e00",
    "60 to 70 THz": "#4b2e83",
}
_TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)


def width(result: Result) -> float:
    """Width of a frequency bin, THz.

    Examples
    --------
    >>> width({"omega": np.array([0.5, 1.5, 2.5])})
    1.0
    """
    return float(np.diff(result["omega"])[0])


def top(result: Result) -> float:
    """Highest frequency at which the mean PDOS is worth drawing, THz.

    Examples
    --------
    >>> top({"omega": np.array([0.5, 1.5, 2.5]), "pdos_mean": np.array([0.4, 0.6, 0.0])})
    1.5
    """
    return float(result["omega"][result["pdos_mean"] > 1e-5].max())


# --- maps -------------------------------------------------------------------------------------


def draw_map(ax: Axes, result: Result, kind: str) -> float:
    """Draw the map of one kind of fit, red above and blue below 0.

    Parameters
    ----------
    ax
        Axes to draw into.
    result
        Result ``SYSTEM.maps`` of the experiment on the weights.
    kind
        Kind of fit in that result, such as ``"ridge"``.

    Returns
    -------
    float
        The weight at which the colours end, 1/THz.

    Examples
    --------
    >>> result = {"r": np.array([1.0, 2.0]), "omega": np.array([0.5, 1.0])}
    >>> result["W_ridge"] = np.full((2, 2), -3.0)
    >>> draw_map(plt.subplots()[1], result, "ridge")  # 3 per bin of 0.5 THz
    6.0
    """
    W = result[f"W_{kind}"] / width(result)
    seen = np.abs(W[W != 0])
    limit = float(np.quantile(seen, 0.99)) if seen.size else 1.0
    ax.pcolormesh(
        result["r"], result["omega"], W, cmap="RdBu_r", vmin=-limit, vmax=limit, rasterized=True
    )
    return limit


def _beside(ax: Axes, result: Result) -> None:
    pdos = result["pdos"] / width(result)
    ax.fill_betweenx(result["omega"], pdos, color="0.8", step="mid")
    ax.set(xticks=[], xlim=(0, None))


def _above(ax: Axes, result: Result) -> None:
    ax.plot(result["r"], result["g"], color="#0072b2", linewidth=1)
    ax.set(yticks=[], ylim=(0, None))


def three_maps(result: Result, title: str) -> Figure:
    """Three maps of one glass, with g(r) above and PDOS beside them.

    Examples
    --------
    >>> result = {"r": np.array([1.0, 2.0]), "omega": np.array([0.5, 1.5]), "g": np.ones(2)}
    >>> result |= {"pdos": np.full(2, 0.5), "pdos_mean": np.full(2, 0.5)}
    >>> result |= {f"W_{kind}": np.eye(2) for kind in PENALTIES}
    >>> three_maps(result, "carbon").axes[2].get_title()
    'L1: colours end at ±1 / THz'
    """
    figure, axes = plt.subplots(
        4,
        2,
        figsize=(6.4, 9.6),
        sharex="col",
        sharey="row",
        width_ratios=[5, 1],
        height_ratios=[1, 3, 3, 3],
    )
    _above(axes[0, 0], result)
    axes[0, 0].set(ylabel="g(r)", title=title)
    axes[0, 1].set_axis_off()
    for (ax, side), (kind, name) in zip(axes[1:], PENALTIES.items(), strict=True):
        limit = draw_map(ax, result, kind)
        _beside(side, result)
        ax.set(ylim=(0, top(result)), ylabel="frequency (THz)")
        ax.set_title(f"{name}: colours end at ±{limit:.1g} / THz", fontsize=12)
        side.set_title("PDOS", fontsize=12)
    axes[-1, 0].set_xlabel("distance r (Å)")
    return figure


def grid_of_maps(results: Mapping[str, Result]) -> Figure:
    """Three small maps of each glass in a row, with g(r) above them and PDOS at the right.

    Examples
    --------
    >>> result = {"r": np.array([1.0, 2.0]), "omega": np.array([0.5, 1.5]), "g": np.ones(2)}
    >>> result |= {"pdos": np.full(2, 0.5), "pdos_mean": np.full(2, 0.5)}
    >>> result |= {f"W_{kind}": np.eye(2) for kind in PENALTIES}
    >>> len(grid_of_maps({"amc": result, "sic": result}).axes)  # two rows of four for each glass
    16
    """
    figure, axes = plt.subplots(
        2 * len(results),
        4,
        figsize=(6.4, 2.1 * len(results) + 0.5),
        width_ratios=[3, 3, 3, 1],
        height_ratios=[1, 3] * len(results),
    )
    rows = zip(axes[::2], axes[1::2], results.items(), strict=True)
    for curves, images, (name, result) in rows:
        ends = result["r"][[0, -1]]
        for curve, image, kind in zip(curves, images, PENALTIES, strict=False):
            _above(curve, result)
            curve.set(xticks=[], xlim=ends)
            draw_map(image, result, kind)
            image.set(ylim=(0, top(result)), xlim=ends, yticks=[])
            image.tick_params(labelsize=10)
        curves[0].set_title(GLASS_TITLES[name], fontsize=11, loc="left")
        images[0].yaxis.set_major_locator(plt.MaxNLocator(3))
        images[0].set_ylabel("ν (THz)", fontsize=10)
        _beside(images[3], result)
        images[3].set(ylim=(0, top(result)), yticks=[])
        curves[3].set_axis_off()
    for ax, title in zip(axes[0], PENALTIES.values(), strict=False):
        ax.set_title(title, fontsize=11, loc="right")
    for ax in axes[-1, :3]:
        ax.set_xlabel("r (Å)", fontsize=10)
    return figure


# --- penalties and bias -----------------------------------------------------------------------


def penalty_grid(grid: Result, *, alpha: float, beta: float) -> Figure:
    """Training and held-out error per bin (10⁻⁶) against two penalties, on one colour scale.

    Parameters
    ----------
    grid
        Result ``SYSTEM.grid``.
    alpha, beta
        Largest penalties inside the dashed frame.

    Examples
    --------
    >>> grid = {"alpha": np.array([0.0, 1e-5]), "beta": np.array([0.0, 1e-3])}
    >>> grid |= {kind: np.array([[1e-6, 2e-6], [2e-6, 3e-6]]) for kind in ("training", "held_out")}
    >>> [axes.get_title() for axes in penalty_grid(grid, alpha=1e-5, beta=0.0).axes[:2]]
    ['training', 'held out']
    """
    figure, axes = plt.subplots(1, 2, figsize=(6.4, 4.8), sharey=True)
    kinds = {"training": "training", "held_out": "held out"}
    lowest = 1e6 * grid["training"][grid["training"] > 1e-9].min()
    highest = 1e6 * max(grid[kind].max() for kind in kinds)
    scale = LogNorm(max(lowest, highest / 100), highest)
    inside = [np.sum(grid[k] <= end * 1.001) for k, end in (("beta", beta), ("alpha", alpha))]
    for ax, (kind, title) in zip(axes, kinds.items(), strict=True):
        values = np.maximum(1e6 * grid[kind], 1e-6)
        shown = ax.imshow(values, norm=scale, origin="lower", cmap="viridis", aspect="auto")
        frame = plt.Rectangle((-0.45, -0.45), *(n - 0.1 for n in inside), fill=False)
        frame.set(edgecolor="white", linestyle="--", linewidth=2)
        ax.add_patch(frame)
        low = np.unravel_index(grid[kind].argmin(), grid[kind].shape)
        ax.plot(*low[::-1], "o", mfc="none", mec="#d55e00", ms=14, mew=3)
        ax.set(title=title, xlabel="β", xticks=range(len(grid["beta"])))
        ax.set_xticklabels(_powers(grid["beta"]), fontsize=10)
    axes[0].set(ylabel="α", yticks=range(len(grid["alpha"])))
    axes[0].set_yticklabels(_powers(grid["alpha"]), fontsize=10)
    _colour_bar(figure, axes, shown)
    return figure


def _powers(values: np.ndarray) -> list[str]:
    """Powers of ten, 0, and nothing for what lies between powers."""
    powers = np.log10(np.where(values > 0, values, 1))
    return [
        "0" if v == 0 else f"$10^{{{p:.0f}}}$" if abs(p - round(p)) < 0.01 else ""
        for v, p in zip(values, powers, strict=True)
    ]


def _colour_bar(figure: Figure, axes: Sequence[Axes], shown: AxesImage) -> None:
    bar = figure.colorbar(
        shown, ax=axes, location="bottom", label="squared error per bin (10⁻⁶)", aspect=40
    )
    bar.minorticks_off()
    low, high = shown.get_clim()
    marks = [mark for mark in _TICKS if (low or 0) <= mark <= (high or np.inf)]
    bar.set_ticks(marks, labels=[f"{mark:g}" for mark in marks])


def biases(result: Result, paths: Mapping[str, Result]) -> Figure:
    """Bias of one glass without and with penalties, and its likeness to the mean PDOS in all.

    Parameters
    ----------
    paths
        Result ``SYSTEM.path`` of each glass; a dot marks the least held-out error.

    Examples
    --------
    >>> result = {"omega": np.array([0.5, 1.5]), "pdos_mean": np.full(2, 0.5)}
    >>> result |= {f"b_{kind}": np.full(2, 0.5) for kind in ("least_squares", "paper", "ridge")}
    >>> path = {"ridge_setting": np.array([1e-4, 1e-2]), "ridge_b_likeness": np.array([0.9, 1.0])}
    >>> figure = biases(result, {"amc": path | {"ridge_held_out": np.array([2e-6, 1e-6])}})
    >>> figure.axes[2].get_xlabel()
    'ridge penalty l2'
    """
    figure, axes = plt.subplots(3, 1, figsize=(6.4, 9.0))
    panels = (
        {"least_squares": ("#0072b2", "b, no penalty")},
        {"paper": ("#0072b2", "b, α = 10⁻⁵, β = 0"), "ridge": ("#d55e00", "b, ridge")},
    )
    omega, step = result["omega"], width(result)
    for ax, curves in zip(axes, panels, strict=False):
        mean = result["pdos_mean"] / step
        ax.fill_between(omega, mean, step="mid", color="0.8", label="mean PDOS")
        for kind, (colour, name) in curves.items():
            ax.plot(omega, result[f"b_{kind}"] / step, color=colour, label=name)
        ax.set(ylabel="1/THz", xlabel="frequency (THz)", xlim=(0, top(result)))
        ax.legend(fontsize=10)
    for name, path in paths.items():
        x, y = path["ridge_setting"], path["ridge_b_likeness"]
        k = path["ridge_held_out"].argmin()
        axes[2].semilogx(x, y, color=GLASS_COLOURS[name], label=GLASS_TITLES[name])
        axes[2].plot(x[k], y[k], "o", color=GLASS_COLOURS[name])
    axes[2].set(
        xlabel="ridge penalty l2", ylabel="correlation of b\nwith the mean PDOS", ylim=(None, 1.02)
    )
    _legend_above(axes[2])
    return figure


def _legend_above(ax: Axes) -> None:
    ax.legend(
        fontsize=9,
        ncols=4,
        loc="lower center",
        bbox_to_anchor=(0.45, 1.0),
        columnspacing=0.8,
        handlelength=1.2,
    )


# --- collinearity and stability ---------------------------------------------------------------


def collinearity(results: Mapping[str, Result]) -> Figure:
    """Singular values of the standardised g(r) of each glass, and inflation of each bin.

    Parameters
    ----------
    results
        Result ``SYSTEM.collinearity`` of each glass.

    Examples
    --------
    >>> result = {"r": np.array([1.0, 2.0]), "singular": np.array([2.0, 1.0])}
    >>> figure = collinearity({"amc": result | {"vif": np.array([1.5, 1.5]), "determined": True}})
    >>> figure.axes[1].get_ylabel()  # variance inflation factor
    'VIF'
    """
    figure, axes = plt.subplots(2, 1, figsize=(6.4, 7.6))
    for name, c in results.items():
        singular = c["singular"][c["singular"] > 1e-10 * c["singular"][0]]
        number = np.arange(1, len(singular) + 1)
        look = {"color": GLASS_COLOURS[name], "label": GLASS_TITLES[name]}
        axes[0].semilogy(number, singular / singular[0], **look)
        vif = np.where(np.isfinite(c["vif"]) & (c["vif"] > 0), c["vif"], np.nan)
        if np.isfinite(vif).any():
            axes[1].semilogy(c["r"], vif, color=GLASS_COLOURS[name])
    axes[0].set(xlabel="number of the direction", ylabel="singular value\n(relative)")
    axes[1].axhline(10, color="0.3", linestyle=":")
    axes[1].set(xlabel="distance r (Å)", ylabel="VIF", yscale="log")
    if not any(c["determined"] for c in results.values()):
        axes[1].set(xlim=next(iter(results.values()))["r"][[0, -1]], ylim=(1, 100))
        said = "no more structures than bins:\nevery factor is infinite"
        axes[1].text(0.5, 0.7, said, transform=axes[1].transAxes, ha="center")
    _legend_above(axes[0])
    return figure


def settled_weights(boot: Result, settled: Mapping[str, np.ndarray], *, highest: float) -> Figure:
    """Where the sign of a weight is settled (dark), and how often the elastic net selects it.

    Parameters
    ----------
    boot
        Result ``SYSTEM.bootstrap``.
    settled
        Mask (n_omega, n_r) of each fit, by title.
    highest
        End of the frequency axis, THz.

    Examples
    --------
    >>> boot = {"r": np.array([1.0, 2.0]), "omega": np.array([0.5, 1.5])}
    >>> boot["selected_elastic_net"] = np.eye(2)
    >>> figure = settled_weights(boot, {"ridge": np.eye(2, dtype=bool)}, highest=2.0)
    >>> figure.axes[0].get_title()
    'ridge: settled'
    """
    figure, axes = plt.subplots(1, len(settled) + 1, figsize=(6.4, 3.8), sharey=True)
    bins = boot["r"], boot["omega"]
    for ax, (title, mask) in zip(axes, settled.items(), strict=False):
        ax.pcolormesh(*bins, mask, cmap="Greys", vmin=0, vmax=1.3, rasterized=True)
        ax.set_title(f"{title}: settled", fontsize=11)
    shown = axes[-1].pcolormesh(
        *bins, boot["selected_elastic_net"], cmap="viridis", vmin=0, vmax=1, rasterized=True
    )
    axes[-1].set_title("elastic net: selected", fontsize=11)
    figure.colorbar(shown, ax=axes[-1], location="bottom", label="frequency of selection")
    for ax in axes:
        ax.set(xlabel="r (Å)", ylim=(0, highest))
    axes[0].set_ylabel("frequency (THz)")
    return figure
