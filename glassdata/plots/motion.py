"""Figures of where particles move: maps side by side, and correlations against time.

>>> figure = maps(np.zeros((1, 2)), 2.0, {"measured": np.zeros(1)})
>>> figure.axes[0].get_title(loc="left")
'measured'
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

# Shares of the particles whose colours are the darkest and the lightest.
_ENDS = (0.02, 0.98)
_COLOURS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555")
_DASHES = ("-", "--", "-.", ":")


def _mean_and_error(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over liquids, and half of its 95 % interval."""
    return values.mean(axis=0), 1.96 * values.std(axis=0, ddof=1) / np.sqrt(len(values))


def maps(positions: np.ndarray, box: float, fields: Mapping[str, np.ndarray]) -> Figure:
    """A number of each particle as its colour, one panel for each number.

    Each panel has a scale of its own, from its lowest to its highest values.

    Parameters
    ----------
    positions : (N, 2) Å
    box : float, Å
        Side of the square cell.
    fields : mapping of title to (N,)

    Examples
    --------
    >>> len(maps(np.zeros((1, 2)), 2.0, {"one": np.zeros(1), "other": np.ones(1)}).axes)
    2
    """
    columns = min(2, len(fields))
    rows = -(-len(fields) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(3.5 * columns, 3.7 * rows), squeeze=False, sharex=True, sharey=True
    )
    for ax in axes.flat[len(fields) :]:
        ax.set_visible(False)
    # Marks of the size of a particle, in points.
    size = (3.2 * 72 / np.sqrt(max(len(positions), 25))) ** 2
    for ax, (title, values) in zip(axes.flat, fields.items(), strict=False):
        low, high = np.quantile(values, _ENDS)
        x, y = (positions % box).T
        ax.scatter(x, y, s=size, c=values, cmap="inferno", vmin=low, vmax=high, lw=0)
        ax.set_title(title, fontsize=11, loc="left")
        ax.set(xlim=(0, box), ylim=(0, box), aspect="equal", xticks=[], yticks=[], facecolor="0.85")
        for side in ax.spines.values():
            side.set_visible(False)
    return figure


def against_time(
    panels: Mapping[str, Mapping[str, np.ndarray]], shown: Sequence[str], *, score: str = "r"
) -> Figure:
    """Held-out correlation with the propensity against time, one panel for each temperature.

    Parameters
    ----------
    panels : mapping of title to result
        ``motion.TEMPERATURE.MEASURE`` of the experiment ``motion``.
    shown
        Names of the contenders.
    score
        ``"r"``, beside which the ceiling is drawn, or ``"r2"``.

    Examples
    --------
    >>> result = {"time": np.array([1.0, 9.0]), "contenders": np.array(["ridge"])}
    >>> result |= {"r": np.full((1, 3, 2), 0.5), "ceiling": np.full((3, 2), 0.9)}
    >>> figure = against_time({"T = 0.45": result}, ["ridge"])
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['ridge', 'largest possible']
    """
    figure, axes = plt.subplots(
        1, len(panels), figsize=(1.6 + 2.6 * len(panels), 4.4), squeeze=False, sharey=True
    )
    for ax, (title, result) in zip(axes.flat, panels.items(), strict=True):
        names = [str(name) for name in result["contenders"]]
        for number, name in enumerate(shown):
            values = result[score][names.index(name)]
            mean, error = _mean_and_error(values)
            colour = _COLOURS[number % len(_COLOURS)]
            ax.plot(
                result["time"], mean, marker="o", ms=3.5, lw=1.4, color=colour, label=name,
                ls=_DASHES[number // 2 % len(_DASHES)],
            )  # fmt: skip
            ax.fill_between(result["time"], mean - error, mean + error, color=colour, alpha=0.2)
        if score == "r":
            most = result["ceiling"].mean(axis=0)
            ax.plot(result["time"], most, color="0.6", lw=1, label="largest possible")
        ax.set(xscale="log", ylim=(0, 1))
        ax.set_xlabel("time (units of the mixture)", fontsize=11)
        ax.set_title(title, fontsize=11, loc="left")
    words = {"r": "Pearson correlation, held out", "r2": "R², held out"}
    axes[0, 0].set_ylabel(words[score], fontsize=11)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=10)
    return figure


def beside_published(
    panels: Mapping[str, tuple[Mapping[str, np.ndarray], Mapping[str, Mapping[str, np.ndarray]]]],
    *,
    networks: Sequence[str],
    linear: str,
    label: str,
) -> Figure:
    """Our ridge line and others' models, as shares of the largest possible correlation.

    Dividing by the largest possible correlation makes propensities comparable that are means over
    different numbers of trajectories.

    Parameters
    ----------
    panels : mapping of title to (published, ours)
        ``published`` has ``time``, ``ceiling``, ``energy`` and a curve of each model; ``ours``
        gives results of the experiment ``motion`` by the label of their temperature.
    networks, linear
        Names of the published models.
    label
        Of the temperature that was published.

    Examples
    --------
    >>> one = np.ones(2)
    >>> published = {name: one for name in ("time", "ceiling", "energy", "line", "network")}
    >>> result = {"time": one, "contenders": np.array(["ridge", "energy alone"])}
    >>> result |= {"r": np.full((2, 3, 2), 0.5), "ceiling": np.ones((3, 2))}
    >>> panels = {"displacement": (published, {"T = 0.36": result})}
    >>> figure = beside_published(panels, networks=["network"], linear="line", label="T = 0.30")
    >>> len(figure.axes[0].lines)
    4
    """
    figure, axes = plt.subplots(
        1, len(panels), figsize=(0.6 + 3.6 * len(panels), 4.9), squeeze=False, sharey=True
    )
    for ax, (title, (published, ours)) in zip(axes.flat, panels.items(), strict=True):
        time, most = published["time"], published["ceiling"]
        shares = np.array([published[name] / most for name in networks])
        ax.fill_between(
            time, shares.min(axis=0), shares.max(axis=0), color="0.6", alpha=0.35, lw=0,
            label=f"their networks, {label}",
        )  # fmt: skip
        ax.plot(time, published[linear] / most, "k--", lw=1.6, label=f"their line, {label}")
        ax.plot(time, published["energy"] / most, "k:", lw=1.6, label=f"energy alone, {label}")
        for (name, result), colour in zip(ours.items(), _COLOURS, strict=False):
            names = [str(one) for one in result["contenders"]]
            for contender, dash, word in (("ridge", "-", "our line"), ("energy alone", ":", "")):
                most = result["ceiling"]
                nothing = np.full_like(most, np.nan)  # before anything can be predicted
                found = result["r"][names.index(contender)]
                values = np.divide(found, most, out=nothing, where=most > 0)
                mean, error = _mean_and_error(values)
                ax.plot(
                    result["time"], mean, dash, color=colour, lw=1.6,
                    label=f"{word or contender}, {name}",
                )  # fmt: skip
                ax.fill_between(
                    result["time"], mean - error, mean + error, color=colour, alpha=0.25, lw=0
                )
        ax.set(xscale="log", ylim=(-0.1, 1))
        ax.set_xlabel("time (units of the mixture)", fontsize=11)
        ax.set_title(title, fontsize=11, loc="left")
    axes[0, 0].set_ylabel("correlation / largest possible", fontsize=11)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=10)
    return figure


def components(result: Mapping[str, np.ndarray], rows: Mapping[str, str], shown: int = 6) -> Figure:
    """What the components that carry most of the motion have in common with named descriptors.

    Parameters
    ----------
    result
        ``weights.TEMPERATURE`` of the experiment ``motion``.
    rows : mapping of label to name of a descriptor
    shown
        Number of components.

    Examples
    --------
    >>> result = {"names": np.array(["energy"]), "component_correlation": np.array([[0.7]])}
    >>> result |= {"component_share": np.array([0.2]), "component_rank": np.array([3])}
    >>> figure = components(result, {"energy": "energy"})
    >>> [label.get_text() for label in figure.axes[0].get_xticklabels()]
    ['no. 4\\n20 %']
    """
    names = [str(name) for name in result["names"]]
    columns = [names.index(name) for name in rows.values()]
    values = result["component_correlation"][:shown, columns].T
    figure, ax = plt.subplots(figsize=(1.8 + 0.85 * values.shape[1] + 1.4, 0.42 * len(rows) + 1.4))
    image = ax.imshow(values, cmap="RdBu", vmin=-1, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        text = f"{value:+.2f}".replace("-", "−")
        colour = "white" if abs(value) > 0.6 else "black"
        ax.text(column, row, text, ha="center", va="center", fontsize=9, color=colour)
    ax.set_yticks(range(len(rows)), list(rows), fontsize=10)
    marks = [
        f"no. {rank + 1}\n{100 * share:.2g} %"
        for rank, share in zip(result["component_rank"], result["component_share"], strict=True)
    ][:shown]
    ax.set_xticks(range(len(marks)), marks, fontsize=9)
    ax.set_xlabel("component, and its share of the variance of the motion", fontsize=11)
    figure.colorbar(image, ax=ax, label="correlation")
    return figure


def weights_path(result: Mapping[str, np.ndarray], named: Mapping[str, str]) -> Figure:
    """Weights of the ridge line against its penalty: all in grey, some with a colour and a name.

    Parameters
    ----------
    result
        ``weights.TEMPERATURE`` of the experiment ``motion``.
    named : mapping of label to name of a descriptor

    Examples
    --------
    >>> result = {"names": np.array(["energy"]), "path_l2": np.array([1e-6, 1.0])}
    >>> figure = weights_path(result | {"path": np.array([[2.0], [0.1]])}, {"energy": "energy"})
    >>> figure.axes[0].get_xscale()
    'log'
    """
    names = [str(name) for name in result["names"]]
    penalties, path = result["path_l2"], result["path"]
    figure, ax = plt.subplots(figsize=(6.4, 4.4))
    ax.plot(penalties, path, color="0.6", lw=0.6, alpha=0.6)
    for number, (label, name) in enumerate(named.items()):
        ax.plot(
            penalties, path[:, names.index(name)], lw=2, label=label,
            color=_COLOURS[number % len(_COLOURS)], ls=_DASHES[number % len(_DASHES)],
        )  # fmt: skip
    ax.axhline(0, color="0.5", lw=0.8)
    ax.set(xscale="log")
    ax.set_xlabel("penalty of the ridge line", fontsize=11)
    ax.set_ylabel("weight", fontsize=11)
    figure.legend(loc="outside lower center", ncols=2, fontsize=10)
    return figure
