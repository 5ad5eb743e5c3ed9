"""Figures of chapter 9: the line, the networks and their rivals on the same held-out families.

Estimates are (value, low, high). Errors are in millionths where the axis says so, and otherwise
shares of the training mean's error.

>>> figure = costs(pd.DataFrame({"ridge": [1.0]}), pd.DataFrame({"ridge": [1e4]}))
>>> [axes.get_xlabel() for axes in figure.axes]
['CPU time (s)', 'fitted numbers']
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glassdata.plots.looks import CLASS_COLOURS, MODEL_COLOURS, MODEL_NAMES, log_ticks, panels

Found = tuple[float, float, float]
_LEFT = "share of the error left (mean = 1)"
_SIZES = (10, 20, 40, 80, 160, 320)
_CURVES = {"ridge": "o-", "pcr": "^--", "kernel_ridge": "s--", "cnn": "o-"}


def history(
    stopped: Mapping[str, np.ndarray],
    endless: Mapping[str, np.ndarray],
    *,
    best: int,
    tested: float,
) -> Figure:
    """Errors of one training of a network against the epoch, in units of the training mean's.

    Parameters
    ----------
    stopped, endless
        Cells of the network that is stopped early, with its errors after each epoch on training
        structures and on held-out families, and of the network that never is.
    best
        Epoch at which the training is stopped.
    tested
        Error of the never stopped network on test families.

    Examples
    --------
    >>> falling = np.array([1.0, 0.5, 0.25])
    >>> stopped = {"history_training": falling, "history_validation": falling}
    >>> figure = history(stopped, {"history_final": falling}, best=2, tested=0.3)
    >>> figure.axes[0].get_xlabel()
    'epoch'
    """
    figure, ax = plt.subplots()
    final = endless["history_final"]
    curves = (
        (final, "0.55", "never stopped: training structures"),
        (stopped["history_training"], "#56b4e9", "stopped early: training structures"),
        (stopped["history_validation"], "#0072b2", "stopped early: held-out families"),
    )
    for values, colour, name in curves:
        ax.loglog(1 + np.arange(len(values)), values, color=colour, label=name)
    ax.loglog(len(final), tested, "D", color="0.35", label="never stopped: test families")
    ax.axvline(best, color="0.3", linestyle=":", linewidth=1)
    ax.set(xlabel="epoch", ylabel="mean squared error (mean = 1)")
    ax.legend(fontsize=10, loc="upper right")
    return figure


def standings(
    left: Mapping[str, Mapping[str, Found]], folds: Mapping[str, Mapping[str, np.ndarray]]
) -> Figure:
    """Share of the error that each model leaves, one panel per glass, a small dot for each fold.

    Parameters
    ----------
    left
        Of each glass the estimate of each model, shown from top to bottom.
    folds
        Of each glass the share in each fold by model.

    Examples
    --------
    >>> left = {"amc": {"ridge": (0.1, 0.05, 0.2), "mean": (1.0, 1.0, 1.0)}}
    >>> figure = standings(left, {"amc": {"ridge": np.array([0.08, 0.12])}})
    >>> [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    ['line (ridge)', 'mean']
    """
    figure, axes = panels(left, 2.35, sharey=True)
    for glass, ax in axes.items():
        for y, (model, (value, low, high)) in enumerate(left[glass].items()):
            colour = MODEL_COLOURS[model]
            ax.plot([low, high], [y, y], color=colour, linewidth=2)
            ax.plot(value, y, "o", color=colour, markersize=5.5)
            if model != "mean":
                dots = folds[glass][model]
                ax.plot(dots, np.full(len(dots), y + 0.3), ".", color=colour, markersize=2.5)
        ax.axvline(1, color="0.3", linestyle="--", linewidth=1)
        ax.set_xscale("log")
        log_ticks(ax.xaxis)
        ax.set_yticks(range(len(left[glass])), [MODEL_NAMES[model] for model in left[glass]])
    next(iter(axes.values())).invert_yaxis()
    figure.supxlabel(_LEFT, fontsize=12)
    return figure


def paired_errors(
    errors: Mapping[str, tuple[np.ndarray, np.ndarray]], classes: Mapping[str, np.ndarray]
) -> Figure:
    """Error of the line against error of the CNN for each structure, coloured by disorder class.

    Parameters
    ----------
    errors
        Of each glass the errors of line and CNN, (n,) each.

    Examples
    --------
    >>> errors = {"amc": (np.array([1e-6, 2e-6]), np.array([2e-6, 2e-6]))}
    >>> figure = paired_errors(errors, {"amc": np.array(["partial", "amorphous"])})
    >>> figure.get_supxlabel()
    'error of the CNN (10⁻⁶)'
    """
    figure, axes = panels(errors, 2.3)
    for glass, ax in axes.items():
        y, x = (1e6 * error for error in errors[glass])
        for kind, colour in CLASS_COLOURS.items():
            mine = classes[glass] == kind
            ax.loglog(x[mine], y[mine], ".", color=colour, markersize=4, label=kind)
        ends = [min(x.min(), y.min()), max(x.max(), y.max())]
        ax.plot(ends, ends, color="0.3", linewidth=1)
        log_ticks(ax.xaxis, ax.yaxis)
    handles, names = next(iter(axes.values())).get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=2, markerscale=2)
    figure.supxlabel("error of the CNN (10⁻⁶)", fontsize=12)
    figure.supylabel("error of the line (10⁻⁶)", fontsize=12)
    return figure


def duels(
    found: pd.Series,
    folds: Mapping[str, Mapping[str, np.ndarray]],
    *,
    margin: float,
) -> Figure:
    """Error of the line over that of each opponent, one row per glass, the margin in grey.

    Parameters
    ----------
    found
        Estimate of the ratio by opponent and glass.
    folds
        Of each opponent the ratio in each fold by glass.
    margin
        Largest ratio of two errors, above 1, that still counts as equal.

    Examples
    --------
    >>> ratios = pd.Series({("cnn", "amc"): (0.9, 0.8, 1.0)})
    >>> folds = {"cnn": {"amc": np.array([0.85, 0.95])}}
    >>> duels(ratios, folds, margin=1.1).axes[0].get_xlabel()
    'error of the line / error of the opponent'
    """
    opponents, glasses = (list(found.index.unique(level)) for level in (0, 1))
    figure, ax = plt.subplots(figsize=(6.4, 0.9 * len(glasses) + 1.4))
    ax.axvspan(1 / margin, margin, color="0.88", linewidth=0)
    ax.axvline(1, color="0.3", linewidth=1)
    for shift, other in zip(np.linspace(-0.3, 0.3, len(opponents)), opponents, strict=True):
        colour = MODEL_COLOURS[other]
        y = np.arange(len(glasses)) + shift
        values, lows, highs = np.array([found[other, glass] for glass in glasses]).T
        ax.hlines(y, lows, highs, color=colour, linewidth=2)
        ax.plot(values, y, "o", color=colour, label=MODEL_NAMES[other])
        for row, glass in zip(y, glasses, strict=True):
            dots = folds[other][glass]
            ax.plot(dots, np.full(len(dots), row + 0.08), ".", color=colour, markersize=2.5)
    ax.set_xscale("log")
    log_ticks(ax.xaxis)
    ax.set_yticks(range(len(glasses)), glasses)
    ax.invert_yaxis()
    ax.set(xlabel="error of the line / error of the opponent")
    ax.legend(loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=2)
    return figure


def learning_curves(
    curves: Mapping[str, Mapping[str, tuple[np.ndarray, Sequence[Found]]]],
    *,
    banded: Sequence[str] = ("ridge", "cnn"),
) -> Figure:
    """Share of the error left against the number of training structures, one panel per glass.

    Parameters
    ----------
    curves
        Of each glass and model the sizes, (m,), and an estimate for each.
    banded
        Models whose intervals are drawn.

    Examples
    --------
    >>> sizes, found = np.array([10.0, 40.0]), [(0.4, 0.3, 0.5), (0.2, 0.1, 0.3)]
    >>> learning_curves({"amc": {"ridge": (sizes, found)}}).get_supxlabel()
    'number of training structures'
    """
    figure, axes = panels(curves, 2.2)
    for glass, ax in axes.items():
        for model, (sizes, found) in curves[glass].items():
            colour = "#e69f00" if model == "pcr" else MODEL_COLOURS[model]
            values, lows, highs = np.array(found).T
            ax.loglog(sizes, values, _CURVES[model], color=colour, ms=3.5, label=MODEL_NAMES[model])
            if model in banded:
                ax.fill_between(sizes, lows, highs, color=colour, alpha=0.15, linewidth=0)
        ax.axhline(1, color="0.3", linestyle="--", linewidth=1)
        log_ticks(ax.yaxis)
        _plain_sizes(ax, 1.1 * sizes[-1])
        ax.minorticks_off()
    handles, names = next(iter(axes.values())).get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=2)
    figure.supxlabel("number of training structures", fontsize=12)
    figure.supylabel(_LEFT, fontsize=12)
    return figure


def costs(seconds: pd.DataFrame, parameters: pd.DataFrame) -> Figure:
    """What one fit costs: CPU time and fitted numbers, a dot per glass, a bar for the median.

    Parameters
    ----------
    seconds, parameters
        One row per glass, one column per model.

    Examples
    --------
    >>> figure = costs(pd.DataFrame({"ridge": [1.0]}), pd.DataFrame({"ridge": [1e4]}))
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['CPU time (s)', 'fitted numbers']
    """
    figure, axes = plt.subplots(1, 2, figsize=(6.4, 3.8), sharey=True)
    for ax, table in zip(axes, (seconds, parameters), strict=True):
        for y, model in enumerate(map(str, table)):
            values, colour = table[model], MODEL_COLOURS[model]
            ax.plot(values, [y] * len(values), "o", color=colour, markersize=4, alpha=0.6)
            ax.plot([values.median()] * 2, [y - 0.3, y + 0.3], color=colour, linewidth=2.5)
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(plt.LogLocator(numticks=5))
    axes[0].set_yticks(range(seconds.shape[1]), [MODEL_NAMES[str(model)] for model in seconds])
    axes[0].invert_yaxis()
    axes[0].set_xlabel("CPU time (s)")
    axes[1].set_xlabel("fitted numbers")
    return figure


def three_ways(left: Mapping[str, np.ndarray], glasses: Sequence[str]) -> Figure:
    """Share of the error left on training structures, a random split and held-out families.

    Parameters
    ----------
    left
        Of each model the three shares in each glass, (n_glasses, 3).

    Examples
    --------
    >>> left = {"ridge": np.array([[0.1, 0.2, 0.3]]), "cnn": np.array([[0.0, 0.2, 0.3]])}
    >>> figure = three_ways(left, ["amc"])
    >>> [axes.get_title() for axes in figure.axes]
    ['line (ridge)', 'CNN']
    """
    figure, axes = plt.subplots(len(left), 1, figsize=(6.4, 7.6), sharex=True, sharey=True)
    floor = 1e-5
    marks = (
        ("v", "0.55", "training structures"),
        ("s", "#e69f00", "random split"),
        ("o", "0.15", "held-out families"),
    )
    for ax, (model, values) in zip(axes, left.items(), strict=True):
        for column, (mark, colour, name) in zip(values.T, marks, strict=True):
            ax.semilogy(np.maximum(column, floor), mark, color=colour, label=name)
        ax.axhline(1, color="0.3", linestyle="--", linewidth=1)
        ax.set_title(MODEL_NAMES[model], fontsize=12)
        ax.set_ylim(floor / 2, None)
    axes[len(axes) // 2].set_ylabel(_LEFT)
    axes[-1].set_xticks(range(len(glasses)), list(glasses), rotation=30, ha="right")
    named = axes[0].get_legend_handles_labels()
    figure.legend(*named, loc="outside upper center", ncols=3, fontsize=10.5)
    return figure


def double_descent(
    steps: Sequence[int],
    *,
    training: np.ndarray,
    held_out: np.ndarray,
    ridge: tuple[np.ndarray, np.ndarray],
    mean: float,
    n_bins: int,
) -> Figure:
    """Least squares against the number of training structures, beside ridge; errors in 10⁻⁶.

    Parameters
    ----------
    steps : (m,)
        Numbers of training structures.
    training, held_out : (m,)
        Errors of least squares at each of them, in 10⁻⁶.
    ridge
        Sizes and held-out errors of ridge.
    mean
        Error of the training mean, dashed.
    n_bins
        Bins that vary: with fewer structures the training loss is zero. Dotted, where in reach.

    Examples
    --------
    >>> steps, errors = [10, 20], np.array([3.0, 2.0])
    >>> curves = {"training": errors, "held_out": errors, "ridge": (np.array(steps), errors)}
    >>> figure = double_descent(steps, **curves, mean=4.0, n_bins=15)
    >>> figure.axes[0].get_ylabel()
    'mean squared error (10⁻⁶)'
    """
    figure, ax = plt.subplots()
    floor = 1e-2
    ax.loglog(
        steps, np.maximum(training, floor), "v-", color="0.55", label="least squares, training"
    )
    ax.loglog(steps, held_out, "o-", color="0.15", label="least squares, held-out families")
    ax.loglog(*ridge, "o--", color="#d55e00", label="ridge, held-out families")
    ax.axhline(mean, color="0.3", linestyle="--", linewidth=1)
    if n_bins < 1.5 * steps[-1]:
        ax.axvline(n_bins, color="0.3", linestyle=":")
    ax.set(
        xlabel="number of training structures",
        ylabel="mean squared error (10⁻⁶)",
        ylim=(floor / 2, None),
    )
    _plain_sizes(ax, 1.3 * steps[-1])
    ax.xaxis.set_minor_formatter(plt.NullFormatter())
    ax.legend(fontsize=10, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure


def _plain_sizes(ax: Axes, most: float) -> None:
    ax.set_xticks([size for size in _SIZES if size < most])
    ax.xaxis.set_major_formatter("{x:g}")
