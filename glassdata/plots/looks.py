"""How all figures look: lettering, labels with units, colours of classes, models and glasses."""

from collections.abc import Iterable, Mapping

import matplotlib.pyplot as plt
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from glassdata.schema import VARIABLES
from glassdata.system import DISORDER_CLASSES

#: From crystal-like to amorphous: dark to light, and blue to orange.
CLASS_COLOURS: Mapping[str, str] = dict(
    zip(DISORDER_CLASSES, ("#0d0887", "#8b0aa5", "#db5c68", "#f89540"), strict=True)
)
#: Models of the comparison, as figures and tables name them.
MODEL_NAMES: Mapping[str, str] = {
    "ridge": "line (ridge)",
    "elastic_net": "elastic net",
    "lasso": "lasso",
    "pcr": "PCR",
    "cnn": "CNN",
    "residual": "residual CNN",
    "kernel_ridge": "kernel ridge",
    "nearest": "nearest g(r)",
    "variance": "var(g) only",
    "density": "density only",
    "mean": "mean",
    "least_squares": "least squares",
    "cnn_to_the_end": "CNN, never stopped",
}
#: Lines orange, networks blue, kernel ridge green, all others grey.
MODEL_COLOURS: Mapping[str, str] = {
    **dict.fromkeys(MODEL_NAMES, "0.4"),
    **dict.fromkeys(("ridge", "elastic_net", "lasso", "pcr"), "#d55e00"),
    "cnn": "#0072b2",
    "residual": "#56b4e9",
    "kernel_ridge": "#009e73",
    "cnn_to_the_end": "0.55",
}
#: Short titles of the glasses, in the order in which they are shown.
GLASS_TITLES: Mapping[str, str] = {
    "amc": "carbon",
    "amc_lb": "carbon, LB",
    "lj2d": "argon, 2D",
    "lj3d": "argon, 3D",
    "sic": "SiC",
    "sic_tersoff": "SiC, Tersoff",
    "sic_mlip": "SiC, NEP89",
    "cualzr": "Cu–Al–Zr",
    "cualzr_sheng": "Cu–Al–Zr, Sheng",
    "hea": "five metals",
    "ka2d": "mixture, 2D",
    "ka3d": "mixture, 3D",
    "si": "silicon",
}
GLASS_COLOURS: Mapping[str, str] = dict(
    zip(
        GLASS_TITLES,
        (
            "#0072b2",
            "#56b4e9",
            "#d55e00",
            "#e69f00",
            "#009e73",
            "#7fc97f",
            "#1b6b3a",
            "#4b2e83",
            "#cc79a7",
            "#882255",
            "#8c6d31",
            "#d6c36a",
            "#555555",
        ),
        strict=True,
    )
)
_UNITS = {"angstrom": "Å", "THz-1": "1/THz", "eV": "eV", "K ps-1": "K/ps", "K": "K", "THz": "THz"}


def style() -> dict[str, object]:
    """Settings for ``matplotlib.rcParams``: lettering legible on a phone, byte-stable SVG.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> with plt.rc_context(style()):
    ...     plt.rcParams["font.size"]
    12.0
    """
    return {
        "figure.figsize": (6.4, 4.0),
        "figure.dpi": 144,
        "figure.constrained_layout.use": True,
        "font.size": 12,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "legend.frameon": False,
        "svg.hashsalt": "glassdata",
    }


def label(variable: str) -> str:
    """Axis label of a variable of the dataset: what it is, with its unit.

    Examples
    --------
    >>> label("peak_width")
    'full width at half maximum of the first peak of g(r) (Å)'
    """
    described = VARIABLES[variable]
    unit = _UNITS.get(described.units, "" if described.units == "1" else described.units)
    return described.long_name + (f" ({unit})" if unit else "")


def panels(names: Iterable[str], height: float, **shared) -> tuple[Figure, dict]:
    """Axes for each name, in two columns; returns the figure and the axes by name.

    Parameters
    ----------
    height
        Height of one row, inches.
    shared
        ``sharex`` and ``sharey``, as for ``plt.subplots``.

    Examples
    --------
    >>> figure, axes = panels(["amc", "sic", "lj2d"], height=2.0)
    >>> list(axes)
    ['amc', 'sic', 'lj2d']
    """
    names = list(names)
    n_rows = -(-len(names) // 2)
    figure, axes = plt.subplots(n_rows, 2, figsize=(6.4, height * n_rows + 0.6), **shared)
    for ax in axes.flat[len(names) :]:
        ax.set_visible(False)
    for ax, name in zip(axes.flat, names, strict=False):
        ax.set_title(name, fontsize=12)
        ax.tick_params(labelsize=10)
    return figure, dict(zip(names, axes.flat, strict=False))


def log_ticks(*axes: Axis) -> None:
    """Put plain numbers on logarithmic axes, also where less than a decade is shown."""
    steps = [m * 10.0**p for p in range(-6, 6) for m in (1, 2, 5)]
    for axis in axes:
        low, high = axis.get_view_interval()
        inside = [tick for tick in steps if low <= tick <= high]
        decades = [tick for tick in steps if f"{tick:e}"[0] == "1"]
        if high > 300 * low:
            inside = [tick for tick in inside if tick in decades]
        elif high < 6 * low:
            between = [m * tick for tick in decades for m in (1.5, 3, 7)]
            inside = sorted(inside + [tick for tick in between if low <= tick <= high])
        axis.set_major_locator(plt.FixedLocator(inside))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(plt.NullFormatter())
