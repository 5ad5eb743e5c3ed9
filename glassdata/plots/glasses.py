"""Structures of a glass, their disorder, their mean spectra, and what was predicted of them."""

from collections.abc import Sequence
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, covalent_radii
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection, PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Patch

from glassdata.bands import crystal_spectra
from glassdata.bins import bin_centres
from glassdata.evaluation import Evaluation, structure_mse
from glassdata.plots.looks import CLASS_COLOURS, label
from glassdata.radial import coordination, far_order
from glassdata.rings import ring_polygons
from glassdata.structures import Dataset
from glassdata.system import DISORDER_CLASSES, System

_FEWER_TO_MORE = ("#2166ac", "#7fb5d8", "#e4e4e4", "#f4a582", "#b2182b")
_SPECIES = ("#4b2e83", "#e69f00", "#9ad0ec", "#d55e00", "#009e73")


def representatives(data: Dataset) -> list[int]:
    """Positions of a crystal-like, a moderate and an amorphous structure of a dataset.

    What counts is the far order of g(r), not the measure that makes the disorder classes: the
    first peak of a strained crystal is wide too. One structure in twenty has more order than the
    first, one in ten less than the last, and the middle one is nearest to their geometric mean.

    Examples
    --------
    >>> from glassdata.structures import dataset
    >>> argon = dataset("lj3d")
    >>> [str(argon.classes[k]) for k in representatives(argon)]
    ['crystal-like', 'partial', 'amorphous']
    """
    order = far_order(data.X, data.r)
    falling = np.argsort(-order, kind="stable")
    first, last = falling[len(order) // 20], falling[-1 - len(order) // 10]
    middle = np.argmin(np.abs(order - np.sqrt(order[first] * order[last])))
    return [int(first), int(middle), int(last)]


def structure(ax: Axes, atoms: Atoms, system: System) -> list[Patch]:
    """Draw a structure seen along z; returns the handles of its legend.

    A carbon sheet shows its rings coloured by size, a compound its species, and one species its
    coordination; of a solid, a slab of two neighbour distances is drawn, deeper atoms paler.

    Parameters
    ----------
    ax
        Axes to draw into.
    atoms
        The structure.
    system
        Its glass, which gives the bond length.

    Examples
    --------
    Every atom of the perfect triangular lattice has six neighbours:

    >>> from glassdata.systems import SYSTEMS
    >>> argon = SYSTEMS["lj2d"]
    >>> handles = structure(plt.subplots()[1], argon.crystal() * (3, 2, 1), argon)
    >>> [handle.get_label() for handle in handles]
    ['6 neighbours']
    """
    ax.set(xlabel="x (Å)", ylabel="y (Å)", aspect="equal")
    ax.locator_params(nbins=4)
    if _is_network(system):
        return _sheet(ax, atoms, system)
    names, colours = _legend(system)
    if len(system.species) == 1:
        crystal = coordination(system.crystal(), system.bond_length)[0]
        kind = np.clip(coordination(atoms, system.bond_length) - crystal + 2, 0, 4)
        radii = np.full(len(atoms), 0.36 * system.bond_length)
    else:
        kind = np.array([system.species.index(symbol) for symbol in atoms.symbols])
        sizes = covalent_radii[[atomic_numbers[symbol] for symbol in system.species]]
        radii = (0.3 * system.bond_length * sizes / sizes.max())[kind]
    depth = np.zeros(len(atoms))
    if system.dim == 3:
        depth = (atoms.positions[:, 2] - atoms.positions[:, 2].min()) / (2 * system.bond_length)
    rgb = np.array([to_rgb(colour) for colour in colours])[kind]
    pale = 0.6 * np.clip(depth, 0, 1)[:, None]
    rgb = rgb * (1 - pale) + pale
    drawn = [int(k) for k in np.argsort(-depth) if depth[k] <= 1]
    circles = [Circle(atoms.positions[k, :2], radii[k]) for k in drawn]
    ax.add_collection(PatchCollection(circles, fc=rgb[drawn], edgecolor="0.25", linewidth=0.4))
    ax.autoscale_view()
    return _handles(kind[drawn], names, colours)


def structures(data: Dataset, system: System, positions: Sequence[int] | None = None) -> Figure:
    """Three structures of a dataset, with a legend.

    Parameters
    ----------
    data
        Dataset of one glass.
    system
        The glass.
    positions
        Where the three structures stand in the dataset; by default those of ``representatives``.

    Examples
    --------
    >>> from glassdata.structures import dataset
    >>> from glassdata.systems import SYSTEMS
    >>> figure = structures(dataset("lj2d"), SYSTEMS["lj2d"])
    >>> [axes.get_title() for axes in figure.axes][0]
    'crystal-like'
    """
    positions = representatives(data) if positions is None else positions
    figure, axes = plt.subplots(2, 2, figsize=(6.4, 6.4))
    handles: dict[str, Patch] = {}
    for ax, position in zip(axes.flat[:3], positions, strict=True):
        for handle in structure(ax, data.atoms(position), system):
            handles[str(handle.get_label())] = handle
        ax.set_title(str(data.classes[position]), fontsize=12)
    axes.flat[3].set_axis_off()
    ordered = [handles[name] for name in _legend(system)[0] if name in handles]
    axes.flat[3].legend(handles=ordered, loc="center", fontsize=13)
    return figure


def disorder_histogram(ax: Axes, data: Dataset, bins: int = 20) -> Axes:
    """Number of structures against the disorder that resulted, one colour per disorder class.

    Parameters
    ----------
    ax
        Axes to draw into.
    data
        Dataset of one glass, which says by which variable its classes were cut.
    bins
        Number of bars.

    Examples
    --------
    >>> from glassdata.structures import dataset
    >>> axes = disorder_histogram(plt.subplots()[1], dataset("lj2d"))
    >>> axes.get_ylabel()
    'number of structures'
    """
    measure, classes = data[data.class_variable], data.classes
    edges = np.linspace(measure.min(), measure.max(), bins + 1)
    parts = [measure[classes == name] for name in DISORDER_CLASSES]
    names = [f"{name}: {len(part)}" for name, part in zip(DISORDER_CLASSES, parts, strict=True)]
    ax.hist(parts, edges.tolist(), stacked=True, color=list(CLASS_COLOURS.values()), label=names)
    for edge in data.class_edges:
        ax.axvline(edge, color="0.3", linestyle="--", linewidth=1)
    ax.set(xlabel=fill(label(data.class_variable), 48), ylabel="number of structures")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return ax


def spectra_by_disorder(
    data: Dataset, system: System, reference: tuple[np.ndarray, np.ndarray] | None = None
) -> Figure:
    """Mean g(r) and mean PDOS of each disorder class, over the crystal's in grey.

    Parameters
    ----------
    data
        Dataset of one glass.
    system
        The glass.
    reference
        What ``crystal_spectra`` returns; None computes it.

    Examples
    --------
    >>> from glassdata.structures import dataset
    >>> from glassdata.systems import SYSTEMS
    >>> flat = np.zeros(100), np.zeros(100)  # instead of the crystal's curves
    >>> figure = spectra_by_disorder(dataset("lj2d"), SYSTEMS["lj2d"], flat)
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['distance r (Å)', 'frequency (THz)']
    """
    reference = crystal_spectra(system) if reference is None else reference
    figure, axes = plt.subplots(2, 1, figsize=(6.4, 7.2))
    panels = ((data.r, data.X), (data.omega, data.Y))
    for ax, (x, values), crystal in zip(axes, panels, reference, strict=True):
        ax.fill_between(x, crystal, step="mid", color="0.82", label="crystal")
        highest = 0.0
        for kind, colour in CLASS_COLOURS.items():
            mine = data.classes == kind
            if mine.any():
                mean = values[mine].mean(axis=0)
                highest = max(highest, mean.max())
                ax.plot(x, mean, color=colour, label=f"{kind} ({mine.sum()})")
        ax.set(xlim=(0, None), ylim=(0, 1.15 * highest))
    axes[0].set(xlabel="distance r (Å)", ylabel="g(r)")
    axes[1].set(xlabel="frequency (THz)", ylabel="PDOS (1/THz)")
    axes[0].legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return figure


def prediction(evaluation: Evaluation, system: System) -> Figure:
    """Computed and predicted PDOS of held-out structures: a good, a median and a bad one.

    One structure in ten is predicted better than the good one, one in ten worse than the bad one.

    Examples
    --------
    >>> from glassdata.systems import SYSTEMS
    >>> truth = np.full((3, 100), 0.3)
    >>> exact = Evaluation(truth, truth, truth, np.array([0, 1, 2]), parameters=())
    >>> [axes.get_title() for axes in prediction(exact, SYSTEMS["lj2d"]).axes][0]
    'good: MSE 0 × 10⁻⁶'
    """
    centres = bin_centres(system.omega_edges)
    error = structure_mse(evaluation)
    order = np.argsort(error)
    figure, axes = plt.subplots(3, 1, figsize=(6.4, 7.2), sharex=True)
    for ax, name, share in zip(axes, ("good", "median", "bad"), (0.1, 0.5, 0.9), strict=True):
        k = order[round(share * (len(order) - 1))]
        ax.fill_between(centres, evaluation.truth[k], step="mid", color="0.8", label="computed")
        ax.plot(centres, evaluation.baseline[k], ":", color="0.3", label="training mean")
        ax.plot(centres, evaluation.prediction[k], color="#d55e00", label="predicted")
        ax.set(ylabel="PDOS (1/THz)", xlim=(0, system.omega_max))
        ax.set_title(f"{name}: MSE {1e6 * error[k]:.2g} × 10⁻⁶", fontsize=12)
    axes[0].legend()
    axes[-1].set_xlabel("frequency (THz)")
    return figure


def _is_network(system: System) -> bool:
    return system.dim == 2 and system.potential.dim == 3


def _legend(system: System) -> tuple[list[str], Sequence[str]]:
    """Names and colours of what ``structure`` tells apart."""
    if len(system.species) > 1:
        return list(system.species), _SPECIES
    if _is_network(system):
        rings = [f"{size}-membered rings" for size in (5, 6, 7)]
        return ["4 or less", *rings, "8 to 11", "holes: 12 or more"], (*_FEWER_TO_MORE, "white")
    usual = int(coordination(system.crystal(), system.bond_length)[0])
    names = [f"{usual + step} neighbours" for step in (-1, 0, 1)]
    return [f"{usual - 2} or less", *names, f"{usual + 2} or more"], _FEWER_TO_MORE


def _sheet(ax: Axes, atoms: Atoms, system: System) -> list[Patch]:
    names, colours = _legend(system)
    polygons = ring_polygons(atoms, system.bond_length)
    sizes = np.array([len(polygon) for polygon in polygons])
    kind = np.where(sizes < 12, np.clip(sizes - 4, 0, 4), 5)
    faces = np.array(colours)[kind]
    ax.add_collection(PolyCollection(polygons, fc=faces, edgecolor="0.25", linewidth=0.5))
    ax.plot(*atoms.positions[:, :2].T, ".", color="0.15", markersize=1.5)
    ax.autoscale_view()
    return _handles(kind, names, colours)


def _handles(kind: np.ndarray, names: Sequence[str], colours: Sequence[str]) -> list[Patch]:
    seen = sorted(set(kind.tolist()))
    return [Patch(facecolor=colours[k], edgecolor="0.25", label=names[k]) for k in seen]
