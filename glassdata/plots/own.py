"""Figures of chapter 13: a prediction beside the truth, and measured silicon.

>>> edges = np.linspace(0.0, 2.0, 3)
>>> figure = predicted(edges, {"line": (np.ones(2), np.full(2, 0.1))}, truth=np.ones(2))
>>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
['computed from the atoms', 'line']
"""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from glassdata.bins import bin_centres
from glassdata.measured.silicon import BANDS
from glassdata.units import PLANCK

#: Colour-blind safe.
_COLOURS = ("#0072b2", "#d55e00", "#009e73")
_MEV = 1e3 * PLANCK


def predicted(
    omega_edges: np.ndarray,
    predictions: Mapping[str, tuple[np.ndarray, np.ndarray]],
    *,
    truth: np.ndarray | None = None,
) -> Figure:
    """Predicted spectra with their intervals, over the computed spectrum as steps.

    Parameters
    ----------
    omega_edges : (n_omega + 1,), THz
    predictions : mapping
        Spectrum (n_omega,) and half of its interval, which may be NaN, of each label.
    truth : (n_omega,), optional

    Examples
    --------
    >>> edges, flat = np.linspace(0.0, 2.0, 3), np.ones(2)
    >>> predicted(edges, {"line": (flat, 0.1 * flat)}).axes[0].get_xlabel()
    'frequency ν (THz)'
    """
    figure, axes = plt.subplots()
    omega = bin_centres(omega_edges)
    if truth is not None:
        axes.stairs(truth, omega_edges, color="0.5", label="computed from the atoms")
    for (label, (pdos, half)), colour in zip(predictions.items(), _COLOURS, strict=False):
        axes.plot(omega, pdos, color=colour, label=label)
        if np.isfinite(half).all():
            low = np.clip(pdos - half, 0, None)
            axes.fill_between(omega, low, pdos + half, color=colour, alpha=0.25, lw=0)
    axes.set(
        xlabel="frequency ν (THz)", ylabel="PDOS (1/THz)", ylim=(0, None), xlim=omega_edges[[0, -1]]
    )
    axes.legend()
    return figure


def silicon(result: Mapping[str, np.ndarray]) -> Figure:
    """Measured g(r) over that of the training set, and the predicted spectrum over measured bands.

    Parameters
    ----------
    result
        ``si.measured`` of the experiment ``coverage``.

    Examples
    --------
    >>> edges, flat = np.linspace(0.0, 4.0, 3), np.ones(2)
    >>> names = ("g", "seen", "spread", "pdos", "half", "mean_pdos")
    >>> result = dict.fromkeys(names, flat) | {"r_edges": edges, "omega_edges": edges}
    >>> [axes.get_xlabel() for axes in silicon(result).axes]
    ['r (Å)', 'ħω (meV)']
    """
    figure, (left, right) = plt.subplots(2, 1, figsize=(6.4, 6.4), layout="constrained")
    r, energy = bin_centres(result["r_edges"]), _MEV * bin_centres(result["omega_edges"])
    low, high = result["seen"] - result["spread"], result["seen"] + result["spread"]
    left.fill_between(r, low, high, color="0.8", lw=0, label="training set, as measured")
    left.plot(r, result["g"], color=_COLOURS[1], label="measured")
    left.set(xlabel="r (Å)", ylabel="g(r)", xlim=(1.5, r[-1]), ylim=(0, None))
    for name, (start, end) in BANDS.items():
        edges = (start, end) if end > start else (start - 1, start + 1)
        right.axvspan(*edges, color="#e69f00", alpha=0.35, lw=0)
        right.text(sum(edges) / 2, 1.02, name, ha="center", fontsize=9,
                   transform=right.get_xaxis_transform())  # fmt: skip
    right.plot(energy, result["mean_pdos"] / _MEV, "--", color="0.5", label="training mean")
    right.plot(energy, result["pdos"] / _MEV, color=_COLOURS[0], label="predicted")
    if np.isfinite(result["half"]).all():
        bounds = [(result["pdos"] + sign * result["half"]) / _MEV for sign in (-1, 1)]
        right.fill_between(energy, *bounds, color=_COLOURS[0], alpha=0.25, lw=0)
    right.set(xlabel="ħω (meV)", ylabel="PDOS (1/meV)", ylim=(0, None), xlim=(0, energy[-1]))
    for axes in (left, right):
        axes.legend()
    return figure
