"""Pictures for the first pages: every glass of a dataset, and the book's claim in one figure."""

from collections.abc import Mapping, Sequence
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from glassdata.evaluation import Evaluation
from glassdata.plots.glasses import representatives, structure
from glassdata.plots.looks import MODEL_COLOURS, MODEL_NAMES
from glassdata.structures import Dataset
from glassdata.system import System

#: Length of the bar that gives the scale of a picture without axes, Å.
BAR = 10


def gallery(glasses: Sequence[tuple[Dataset, System]], *, columns: int = 3) -> Figure:
    """One disordered structure of each glass, all with a bar of 10 Å.

    Sheets show their rings coloured by size, compounds their species, one species its coordination.

    Parameters
    ----------
    glasses
        Dataset and description of each glass.
    columns
        Pictures side by side.

    Examples
    --------
    >>> from glassdata.structures import dataset
    >>> from glassdata.systems import SYSTEMS
    >>> figure = gallery([(dataset("lj2d"), SYSTEMS["lj2d"])])
    >>> figure.axes[0].get_title().replace(chr(10), " ")
    'Lennard-Jones argon, 2D'
    """
    rows = -(-len(glasses) // columns)
    height = 3.1 * rows
    figure = plt.figure(figsize=(6.4, height))
    # Room for the legends, between the rows and below the last one.
    figure.set_layout_engine(
        "constrained", hspace=0.16, rect=(0, 0.4 / height, 1, 1 - 0.4 / height)
    )
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax in axes.flat[len(glasses) :]:
        ax.set_visible(False)
    for ax, (data, system) in zip(axes.flat, glasses, strict=False):
        whole = without_holes(data)
        handles = structure(ax, whole.atoms(representatives(whole)[-1]), system)
        bare(ax)
        ax.set_title(fill(system.title, 22), fontsize=10)
        told = "neighbours" if len(system.species) == 1 else None
        told = "members of the ring" if system.dim < system.potential.dim else told
        ax.legend(
            handles, [_short(str(handle.get_label())) for handle in handles], title=told,
            loc="upper center", bbox_to_anchor=(0.5, 0.02), fontsize=7, title_fontsize=7,
            ncols=len(handles), handlelength=0.8, handletextpad=0.3, columnspacing=0.7,
        ).set_in_layout(False)  # fmt: skip
    return figure


def without_holes(data: Dataset) -> Dataset:
    """The structures from which no atom was removed, if there are enough of them to choose from.

    Examples
    --------
    >>> from glassdata.structures import dataset
    >>> sheets = without_holes(dataset("amc"))
    >>> float(sheets.vacancy_fraction.max())
    0.0
    """
    if "vacancy_fraction" not in data.stored:
        return data
    whole = np.nan_to_num(np.asarray(data.vacancy_fraction)) == 0
    return data[whole] if whole.sum() >= 20 else data


def _short(name: str) -> str:
    """The number in the name of a kind of atom or ring."""
    low, _, more = name.partition(" or ")
    if more:
        return f"{'≤' if more == 'less' else '≥'} {low.rpartition(' ')[2]}"
    return name.partition("-")[0].removesuffix(" neighbours")


def claim(
    data: Dataset, system: System, held_out: Evaluation, shown: int, *, stacked: bool = False
) -> Figure:
    """A glass, its g(r), and its PDOS as computed from the atoms and as predicted by the line.

    Parameters
    ----------
    data, system
        Dataset and description of the glass.
    held_out
        Predictions for the structures of ``data``.
    shown
        Position of the structure.
    stacked
        Panels below each other, for a narrow screen.

    Examples
    --------
    >>> from glassdata.evaluation import cross_validate
    >>> from glassdata.models import ridge
    >>> from glassdata.structures import dataset
    >>> from glassdata.systems import SYSTEMS
    >>> argon = dataset("lj2d")[:60]
    >>> found = cross_validate(ridge(1e-2), argon.X, argon.Y, argon.groups)
    >>> figure = claim(argon, SYSTEMS["lj2d"], found, 0)
    >>> [axes.get_xlabel() for axes in figure.axes[1:]]
    ['distance r (Å)', 'frequency ν (THz)']
    """
    shape, size = ((3, 1), (4.2, 9.6)) if stacked else ((1, 3), (10.4, 3.3))
    figure, (glass, before, after) = plt.subplots(*shape, figsize=size)
    structure(glass, data.atoms(shown), system)
    bare(glass)
    before.plot(data.r, data.X[shown], color="#0072b2")
    before.axhline(1, color="0.7", linewidth=0.8)
    before.set(xlabel="distance r (Å)", ylabel="g(r)", xlim=(0, data.r[-1]), ylim=(0, None))
    after.fill_between(
        data.omega, held_out.truth[shown], step="mid", color="0.8", label="from the atoms"
    )
    after.plot(data.omega, held_out.baseline[shown], ":", color="0.25", label="mean of the others")
    after.plot(data.omega, held_out.prediction[shown], color="#d55e00", label="the line, from g(r)")
    top = data.omega[data.Y.max(axis=0) > 0].max()
    after.set(xlabel="frequency ν (THz)", ylabel="PDOS (1/THz)", xlim=(0, top), ylim=(0, None))
    highest = max(held_out.truth[shown].max(), held_out.prediction[shown].max())
    after.set_ylim(0, 1.5 * highest)
    after.legend(fontsize=10, loc="upper right", borderaxespad=0)
    titles = "1  a glass", "2  its structure: g(r)", "3  its vibrations: PDOS"
    for ax, title in zip((glass, before, after), titles, strict=True):
        ax.set_title(title, loc="left", fontsize=13)
    return figure


def from_order_to_disorder(
    data: Dataset, system: System, positions: Sequence[int], predictions: Mapping[str, np.ndarray]
) -> Figure:
    """Structures with their g(r), their PDOS and what models predicted of it, one row each.

    Parameters
    ----------
    data, system
        Dataset and description of the glass.
    positions
        Of the structures in the dataset, from top to bottom.
    predictions : mapping of name to (n_positions, n_omega), 1/THz
        Of each model, by the names of ``MODEL_COLOURS``.

    Examples
    --------
    >>> from glassdata.structures import dataset
    >>> from glassdata.systems import SYSTEMS
    >>> argon = dataset("lj2d")[:2]
    >>> figure = from_order_to_disorder(argon, SYSTEMS["lj2d"], [0, 1], {"ridge": argon.Y})
    >>> [text.get_text() for text in figure.axes[2].get_legend().get_texts()]
    ['from the atoms', 'the line']
    """
    size = 8.2, 2.4 * len(positions)
    figure, rows = plt.subplots(len(positions), 3, figsize=size, squeeze=False)
    top = data.omega[data.Y.max(axis=0) > 0].max()
    handles: dict[str, Patch] = {}
    for n, (shown, (glass, before, after)) in enumerate(zip(positions, rows, strict=True)):
        found = structure(glass, data.atoms(shown), system)
        handles |= {str(handle.get_label()): handle for handle in found}
        bare(glass)
        before.plot(data.r, data.X[shown], color="#0072b2", lw=1.2)
        before.axhline(1, color="0.7", lw=0.8)
        before.set(ylabel="g(r)", xlim=(0, data.r[-1]), ylim=(0, None))
        after.fill_between(
            data.omega, data.Y[shown], step="mid", color="0.8", label="from the atoms"
        )
        for model, guess in predictions.items():
            name = "the line" if model == "ridge" else MODEL_NAMES[model]
            after.plot(data.omega, guess[n], color=MODEL_COLOURS[model], lw=1.2, label=name)
        after.set(ylabel="PDOS (1/THz)", xlim=(0, top), ylim=(0, None))
    rows[-1][1].set(xlabel="distance r (Å)")
    rows[-1][2].set(xlabel="frequency ν (THz)")
    figure.legend(
        handles=[handles[name] for name in sorted(handles)], fontsize=9, ncols=len(handles),
        loc="outside lower center",
    )  # fmt: skip
    rows[0][2].set_ylim(0, 1.5 * data.Y[positions[0]].max())
    rows[0][2].legend(fontsize=9, loc="upper right", borderaxespad=0)
    return figure


def bare(ax: Axes) -> None:
    """Replace the axes of a picture by a bar of 10 Å below it.

    Examples
    --------
    >>> ax = plt.subplots()[1]
    >>> line = ax.plot([0, 40], [0, 40])
    >>> bare(ax)
    >>> [text.get_text() for text in ax.texts]
    ['10 Å']
    """
    ax.set_axis_off()
    (left, _), (low, high) = ax.get_xlim(), ax.get_ylim()
    below = low - 0.03 * (high - low)
    ax.plot([left, left + BAR], [below, below], color="0.2", linewidth=2, solid_capstyle="butt")
    ax.annotate(
        f"{BAR} Å", (left + BAR, below), xytext=(4, 0), textcoords="offset points", fontsize=8,
        va="center",
    )  # fmt: skip
    ax.set_ylim(below - 0.05 * np.ptp((low, high)), high)
