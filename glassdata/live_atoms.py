"""Figures of atoms that run in the reader's browser: from order to disorder, modes, a look at any.

The scripts are in ``book/_static/live``. The first figures hold their structures; the explorer
reads them from the dataset itself, which lies beside the pages on a web server, a few bytes at a
time.
"""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from ase import Atoms

from glassdata import models
from glassdata.live import LiveFigure, encoded, png
from glassdata.observables.participation import participation_ratio
from glassdata.observables.rest import modes_at_rest
from glassdata.plots import glasses, representatives
from glassdata.radial import far_order
from glassdata.schema import VARIABLES
from glassdata.structures import Dataset
from glassdata.system import System
from glassdata.systems import SYSTEMS

#: The dataset, as pages see it: they lie in book/, one folder below the root of the site.
FILE = "../data/reference.zarr.zip"
#: Ridge penalties that are tried for the lines of the explorer.
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)


def disorder_slider(glass: Dataset, *, n: int = 10) -> LiveFigure:
    """Structures of a glass from order to disorder: atoms, g(r), PDOS, and the line's prediction.

    They are chosen at equal ranks of their far order, so that most of them are as the glass mostly
    is. Predictions are those of cross-validation: the family of a structure is not in the fit.

    Parameters
    ----------
    glass
        At least ``n`` structures.
    n
        Number of structures.

    Examples
    --------
    >>> import glassdata as gd
    >>> frames = disorder_slider(gd.dataset("lj2d"), n=3).data["frames"]
    >>> [frame["class"] for frame in frames][0], len(frames)
    ('crystal-like', 3)
    """
    if not 2 <= n <= len(glass):
        raise ValueError(f"n must be from 2 to {len(glass)}, the number of structures; got {n}")
    guess = models.cross_validate(models.ridge(), glass.X, glass.shares, glass.groups).prediction
    falling = np.argsort(-far_order(glass.X, glass.r), kind="stable")
    chosen = falling[np.linspace(0, len(falling) - 1, n).round().astype(int)]
    return LiveFigure(
        "frames",
        {
            **_seen(glass),
            "measure": _words(glass),
            "r_edges": glass.r_edges.tolist(),
            "omega_edges": glass.omega_edges.tolist(),
            "frames": [_frame(glass, int(k), guess[k]) for k in chosen],
        },
        _picture(glass, guess),
        f"{glass.title}: a crystal-like, a moderately disordered and a glassy structure, each with "
        "its atoms, its g(r), and its density of states, computed and as the line predicts it.",
    )


#: Modes below this share of all modes count as soft.
SOFT = 0.1


def typical_modes(ratios: np.ndarray) -> dict[str, int]:
    """A mode like sound, a soft one that is confined, and the most confined one of all.

    Parameters
    ----------
    ratios : (n_modes,)
        Participation ratios of all modes but the translations, from low to high frequency.

    Returns
    -------
    dict
        Number of the lowest mode, of the one with the lowest ratio among the softest tenth, and of
        the one with the lowest ratio.

    Examples
    --------
    >>> typical_modes(np.array([0.6, 0.2, *np.full(17, 0.5), 0.01]))
    {'a sound wave': 0, 'a soft spot': 1, 'a local vibration': 19}
    """
    soft = max(1, round(SOFT * len(ratios)))
    return {
        "a sound wave": 0,
        "a soft spot": int(np.argmin(ratios[:soft])),
        "a local vibration": int(np.argmin(ratios)),
    }


def moving_modes(atoms: Atoms, system: System) -> LiveFigure:
    """Three eigenvectors of a flat glass as moving atoms: sound, a soft spot, a local vibration.

    The largest displacement of each is half a neighbour distance, whatever the temperature.

    Parameters
    ----------
    atoms
        At rest, in a plane.
    system
        Its glass.

    Examples
    --------
    >>> import glassdata as gd
    >>> sheet = gd.make_structure("lj2d", 7, profile="demo")
    >>> [mode["name"] for mode in moving_modes(sheet, gd.SYSTEMS["lj2d"]).data["modes"]]
    ['a sound wave', 'a soft spot', 'a local vibration']
    """
    if system.potential.dim != 2:
        raise ValueError(f"modes are drawn for flat glasses; {system.name} is not one")
    found, vibrating = modes_at_rest(atoms, system.potential, None)
    ratios = participation_ratio(atoms, system.potential, modes=found)
    omega, vectors = found.frequencies[vibrating], found.eigenvectors[:, vibrating]
    chosen = typical_modes(ratios)
    # Light atoms move farther; then the largest displacement gets the length that is drawn.
    moved = vectors.T[list(chosen.values())].reshape(len(chosen), -1, 2)
    moved = moved / np.sqrt(atoms.get_masses())[:, None]
    moved *= 0.5 * system.bond_length / np.linalg.norm(moved, axis=2).max(axis=1)[:, None, None]
    told = [
        {"name": w, "frequency": float(omega[n]), "ratio": float(ratios[n])}
        for w, n in chosen.items()
    ]
    flat = atoms.positions[:, :2]
    return LiveFigure(
        "modes",
        {
            "positions": encoded(flat.ravel().astype("f4")),
            "box": atoms.cell.lengths()[:2].tolist(),
            "distance": system.bond_length,
            "modes": [
                one | {"moved": encoded(u.ravel().astype("f4"))}
                for one, u in zip(told, moved, strict=True)
            ],
        },
        _arrows(flat, moved, told),
        f"{system.title}: three eigenvectors as arrows at the atoms. The first has waves as long "
        "as the cell, the second large arrows in some regions; in the third a few atoms move.",
    )


def _arrows(flat: np.ndarray, moved: np.ndarray, told: list[dict[str, Any]]) -> bytes:
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.8), layout="constrained")
    for ax, u, mode in zip(axes, moved, told, strict=True):
        ax.quiver(*flat.T, *u.T, angles="xy", scale_units="xy", scale=0.3, color="#0072b2")
        ax.set(title=f"{mode['name']}, {mode['frequency']:.2f} THz", aspect="equal")
        ax.set_axis_off()
    return png(figure)


def explorer(glasses_of: Mapping[str, Dataset], *, first: str = "amc") -> LiveFigure:
    """Any structure of the dataset that ships, read by the page from a web server.

    The line is fitted in the page, to all structures of other families; from here it has the
    penalty, chosen by grouped cross-validation.

    Parameters
    ----------
    glasses_of
        The glasses by name.
    first
        The glass that is shown first.

    Examples
    --------
    >>> import glassdata as gd
    >>> figure = explorer({"lj2d": gd.dataset("lj2d")[:60]}, first="lj2d")
    >>> sorted(figure.data)
    ['file', 'glass', 'l2']
    """
    if first not in glasses_of:
        raise ValueError(f"first must be one of {sorted(glasses_of)}, got {first!r}")
    return LiveFigure(
        "explorer",
        {"file": FILE, "glass": first, "l2": {n: penalty(g) for n, g in glasses_of.items()}},
        _picture(glasses_of[first], None),
        f"{glasses_of[first].title}: a crystal-like, a moderately disordered and a glassy "
        "structure, each with its atoms, its g(r) and its density of states.",
    )


def penalty(glass: Dataset) -> float:
    """The ridge penalty of :data:`PENALTIES` with the least error on families held out.

    Examples
    --------
    >>> import glassdata as gd
    >>> penalty(gd.dataset("lj2d")[:60]) in PENALTIES
    True
    """
    errors = [
        models.cross_validate(models.ridge(l2), glass.X, glass.shares, glass.groups).mse
        for l2 in PENALTIES
    ]
    return PENALTIES[int(np.argmin(errors))]


def _seen(glass: Dataset) -> dict[str, Any]:
    system = SYSTEMS[glass.system]
    return {"bond_length": system.bond_length, "flat": system.dim == 2}


def _words(glass: Dataset) -> str:
    variable = VARIABLES[glass.class_variable]
    unit = variable.units_in(glass.dim)
    return variable.long_name + (f" ({unit})" if unit != "1" else "")


def _frame(glass: Dataset, k: int, guess: np.ndarray) -> dict[str, Any]:
    atoms = glass.atoms(k)
    others = glass.groups != glass.groups[k]
    mean = glass.shares[others].mean(axis=0)
    truth = glass.shares[k]
    return {
        "index": int(glass.index[k]),
        "class": str(glass.classes[k]),
        "disorder": f"{glass[glass.class_variable][k]:.3g}",
        "r2": float(1 - ((truth - guess) ** 2).sum() / ((truth - mean) ** 2).sum()),
        # Single precision is enough for what is only drawn.
        "positions": encoded(atoms.positions.ravel().astype("f4")),
        "numbers": encoded(atoms.numbers.astype("f4")),
        "cell": atoms.cell.array.ravel().tolist(),
        "g": encoded(glass.X[k].astype("f4")),
        "shares": encoded(truth.astype("f4")),
        "guess": encoded(guess.astype("f4")),
    }


def _picture(glass: Dataset, guess: np.ndarray | None) -> bytes:
    chosen = representatives(glass)
    figure, axes = plt.subplots(3, 3, figsize=(10, 8), layout="constrained")
    width = np.diff(glass.omega_edges)
    for (above, middle, below), k in zip(axes.T, chosen, strict=True):
        glasses.structure(above, glass.atoms(k), SYSTEMS[glass.system])
        above.set_title(str(glass.classes[k]))
        middle.stairs(glass.X[k], glass.r_edges, fill=True, color="#0072b2", alpha=0.4)
        middle.set(xlabel="distance r (Å)", ylabel="g(r)")
        density = glass.shares[k] / width
        below.stairs(density, glass.omega_edges, fill=True, color="#0072b2", alpha=0.4)
        below.set(xlabel="frequency (THz)", ylabel="PDOS (1/THz)")
        if guess is not None:
            below.plot(glass.omega, guess[k] / width, color="#d55e00")
    return png(figure)
