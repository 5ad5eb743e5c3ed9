"""Figures that run in the reader's browser: the numbers they need, written into the page.

The scripts are in ``book/_static/live``. A page needs no server: it holds the numbers as JSON, and
arrays as base64 of their bytes, so that the browser computes with the very numbers of Python.
"""

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from glassdata import models
from glassdata.bins import bin_centres
from glassdata.models.linear import decompose
from glassdata.plots import representatives
from glassdata.potentials import LennardJones
from glassdata.radial import coordination
from glassdata.structures import Dataset
from glassdata.systems import SYSTEMS
from glassdata.units import BOLTZMANN, THZ

#: Scripts of each figure, in the order in which they are read.
SCRIPTS: Mapping[str, tuple[str, ...]] = {
    "glass": ("chart", "eigen", "physics", "motion", "line", "glass"),
    "line": ("chart", "line", "penalty"),
    "frames": ("chart", "line", "spectra", "atoms", "frames"),
    "modes": ("chart", "line", "modes"),
    "explorer": ("chart", "spectra", "atoms", "fzstd", "zarr", "explorer"),
}
#: Rectangular cells of the sheet in the page: 168 atoms, whose spectrum takes a browser 0.2 s.
CELLS = (12, 7)
#: Where pages find the scripts: they lie in book/, one folder below the root of the site.
FOLDER = "../_static/live"


@dataclass(frozen=True)
class LiveFigure:
    """A figure that runs in a page; a picture where scripts are off, and in print.

    Parameters
    ----------
    kind : str
        One of :data:`SCRIPTS`.
    data : mapping
        What the scripts read, ready for JSON; arrays as :func:`encoded`.
    picture : bytes
        PNG.
    alt : str
        What the picture shows, in words.

    Examples
    --------
    >>> one = LiveFigure("line", {"l2": 0.1}, b"", "A line.")
    >>> '{"l2":0.1}' in one.html()
    True
    """

    kind: str
    data: Mapping[str, Any]
    picture: bytes
    alt: str

    def __post_init__(self) -> None:
        if self.kind not in SCRIPTS:
            raise ValueError(f"kind must be one of {sorted(SCRIPTS)}, got {self.kind!r}")
        if any(letter in self.alt for letter in '<>"&'):
            raise ValueError(f"alt must be plain words, got {self.alt!r}")

    def html(self) -> str:
        """The figure as a piece of a page.

        Raises
        ------
        ValueError
            If a number in ``data`` is not finite: JSON has no such numbers.
        """
        # "</" would end the script element.
        text = json.dumps(self.data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
        scripts = "".join(
            f'<script src="{FOLDER}/{name}.js"></script>' for name in SCRIPTS[self.kind]
        )
        return (
            f'<link rel="stylesheet" href="{FOLDER}/live.css">'
            f'<div class="live" data-kind="{self.kind}">'
            f'<script type="application/json">{text}</script>'
            f'<noscript><img alt="{self.alt}" src="data:image/png;base64,{_letters(self.picture)}">'
            f"</noscript></div>{scripts}"
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """What notebooks display: pages take the first, documents without scripts the second."""
        return {
            "text/html": self.html(),
            "image/png": _letters(self.picture),
            "text/plain": self.alt,
        }


def encoded(values: np.ndarray) -> dict[str, Any]:
    """An array for the page: shape, kind, and its bytes as base64.

    Parameters
    ----------
    values
        Any shape. Numbers that single precision holds exactly are written in half the letters.

    Raises
    ------
    ValueError
        If a number is not finite.

    Examples
    --------
    >>> encoded(np.array([0.5, 1.0]))
    {'shape': [2], 'kind': 'float32', 'data': 'AAAAPwAAgD8='}
    """
    values = np.ascontiguousarray(values, dtype="<f8")
    if not np.isfinite(values).all():
        raise ValueError("numbers of a page must be finite")
    single = values.astype("<f4")
    stored = single if np.array_equal(single, values) else values
    return {
        "shape": list(values.shape),
        "kind": stored.dtype.name,
        "data": _letters(stored.tobytes()),
    }


def live_glass(glass: Dataset, *, l2: float | None = None) -> LiveFigure:
    """A sheet of Lennard-Jones atoms to play with: its g(r), its PDOS, and the line's prediction.

    The browser moves the atoms, relaxes them, and diagonalises their Hessian; the line comes from
    here, fitted to all structures of the dataset.

    Parameters
    ----------
    glass
        Structures of a two-dimensional glass with a Lennard-Jones potential, ``lj2d``.
    l2
        Ridge penalty of the line; None lets grouped cross-validation choose it.

    Raises
    ------
    ValueError
        For any other glass.

    Examples
    --------
    >>> import glassdata as gd
    >>> live_glass(gd.dataset("lj2d"), l2=1e-3).data["cells"]
    [12, 7]
    """
    line = models.fit_grouped(models.ridge(l2), glass.X, glass.shares, glass.groups)
    data = glass_data(glass) | {
        "W": encoded(line.coef_),
        "b": encoded(line.intercept_),
        "mean": encoded(glass.shares.mean(axis=0)),
    }
    picture = _sheet_picture(glass, line.predict(glass.X))
    return LiveFigure(
        "glass",
        data,
        picture,
        "Three panels for a sheet of argon: the atoms from above, coloured by their number of "
        "neighbours; g(r); and the density of states, computed and as the line predicts it.",
    )


def glass_data(glass: Dataset) -> dict[str, Any]:
    """Potential, crystal and bins of a two-dimensional Lennard-Jones glass, for the page.

    Raises
    ------
    ValueError
        For any other glass.

    Examples
    --------
    >>> import glassdata as gd
    >>> glass_data(gd.dataset("lj2d"))["model"]["sigma"]
    3.405
    """
    system = SYSTEMS[glass.system]
    potential, crystal = system.potential, system.crystal()
    if not (isinstance(potential, LennardJones) and system.dim == 2):
        raise ValueError(f"{glass.system} is no sheet of Lennard-Jones atoms")
    if potential.truncation != "force-shifted":
        raise ValueError("the page knows the force-shifted potential only")
    return {
        "model": {
            "epsilon": potential.epsilon,
            "sigma": potential.sigma,
            "r_cut": potential.r_cut,
            "mass": float(crystal.get_masses()[0]),
            "thz": THZ,
            "boltzmann": BOLTZMANN,
        },
        "cell": crystal.cell.lengths()[:2].tolist(),
        "cells": list(CELLS),
        "bond_length": system.bond_length,
        "r_edges": glass.r_edges.tolist(),
        "omega_edges": glass.omega_edges.tolist(),
    }


def live_line(glass: Dataset) -> LiveFigure:
    """The line of a glass whose penalty the reader moves and whose g(r) the reader bends.

    The browser solves the ridge regression itself, from the singular value decomposition of the
    training data. One family in five is held out.

    Parameters
    ----------
    glass

    Examples
    --------
    >>> import glassdata as gd
    >>> figure = live_line(gd.dataset("lj2d")[:60])
    >>> figure.data["n"] + figure.data["X"]["shape"][0]  # fitted and held out
    60
    """
    train, test = models.grouped_folds(glass.groups)[0]
    X, shares = np.asarray(glass.X, float), glass.shares
    x_mean, y_mean = X[train].mean(axis=0), shares[train].mean(axis=0)
    left, singular, right = decompose(X[train] - x_mean)
    tuned = models.fit_grouped(models.ridge(), X[train], shares[train], glass.groups[train])
    arrays = {
        "singular": singular,
        "right": right,
        "scores": left.T @ (shares[train] - y_mean),
        "x_mean": x_mean,
        "y_mean": y_mean,
        "X": X[test],
        # Enough digits for the page; the truth is only drawn and compared.
        "Y": shares[test].astype(np.float32),
    }
    data = {
        "n": len(train),
        "l2": float(tuned.best_params_["l2"]),
        "total": float(((shares[train] - y_mean) ** 2).sum()),
        "bin": int(np.argmax(X[train].std(axis=0))),
        "r_edges": glass.r_edges.tolist(),
        "omega_edges": glass.omega_edges.tolist(),
    }
    return LiveFigure(
        "line",
        data | {name: encoded(values) for name, values in arrays.items()},
        _line_picture(glass, train, int(test[0]), data["l2"]),
        "Density of states of a held-out structure, and what the line makes of its g(r) with "
        "almost no penalty, with the best one and with a very large one, where it is the mean.",
    )


def _sheet_picture(glass: Dataset, guess: np.ndarray) -> bytes:
    k = representatives(glass)[-1]
    atoms, system = glass.atoms(k), SYSTEMS[glass.system]
    figure, (sheet, above, below) = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained")
    around = coordination(atoms, system.bond_length)
    sheet.scatter(*atoms.positions[:, :2].T, s=6, c=np.clip(around, 5, 7), cmap="coolwarm")
    sheet.set(aspect="equal", title="neighbours: 5, 6, 7")
    sheet.set_axis_off()
    above.stairs(glass.X[k], glass.r_edges, fill=True, color="#0072b2", alpha=0.4)
    above.set(xlabel="distance r (Å)", ylabel="g(r)")
    _spectrum(below, glass, k)
    below.plot(glass.omega, guess[k] / np.diff(glass.omega_edges), color="#d55e00", label="line")
    below.legend()
    return png(figure)


def _line_picture(glass: Dataset, train: np.ndarray, k: int, best: float) -> bytes:
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained", sharey=True)
    for ax, l2 in zip(axes, (1e-8, best, 1e2), strict=True):
        line = models.ridge(l2).fit(glass.X[train], glass.shares[train])
        _spectrum(ax, glass, k)
        guess = line.predict(glass.X[[k]])[0] / np.diff(glass.omega_edges)
        ax.plot(bin_centres(glass.omega_edges), guess, color="#d55e00", label="line")
        ax.set_title(f"penalty l2 = {l2:.0e}")
    axes[0].legend()
    return png(figure)


def _spectrum(ax: plt.Axes, glass: Dataset, k: int) -> None:
    density = glass.shares[k] / np.diff(glass.omega_edges)
    ax.stairs(density, glass.omega_edges, fill=True, color="#0072b2", alpha=0.4, label="truth")
    ax.set(xlabel="frequency (THz)", ylabel="PDOS (1/THz)")


def png(figure: Figure) -> bytes:
    """A figure as PNG, small enough to stand in a page for readers without scripts; it is closed.

    Examples
    --------
    >>> png(plt.figure())[1:4]
    b'PNG'
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=64)
    plt.close(figure)
    return buffer.getvalue()


def _letters(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
