"""Scores of chapter 11 on what a line has not seen: a class that was left out, another glass.

Errors are mean squares per bin of spectra with sum 1.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from glassdata.experiments.verdicts import NOTHING, Estimate, estimate, removed
from glassdata.system import DISORDER_CLASSES

Cell = Mapping[str, np.ndarray]
ByClass = Mapping[tuple[str, str], Estimate]


def left_out(
    cell: Cell, classes: np.ndarray, groups: np.ndarray, *, model: str, mean: str
) -> dict[str, Estimate]:
    """R² on each disorder class that was left out of the training.

    Parameters
    ----------
    cell
        ``SYSTEM.left_out``.
    classes, groups
        Disorder class and family of all structures, (n,).
    model
        Name of the model whose errors the cell holds.
    mean
        What R² is measured against: ``"baseline"``, the mean of the other classes, on which the
        model was trained, or ``"own_mean"``, the class's own, which is not known before the test.

    Returns
    -------
    dict
        An estimate for every class that could be left out.
    """
    return {
        kind: estimate(
            removed(cell[f"error_{model}_{kind}"], cell[f"{mean}_{kind}"]), groups[classes == kind]
        )
        for kind in DISORDER_CLASSES
        if f"baseline_{kind}" in cell
    }


def least(found: Mapping[str, Estimate]) -> Estimate:
    """The estimate of the lowest value, ``NOTHING`` if there is none."""
    return min(found.values(), key=lambda one: one.value, default=NOTHING)


def transfer(cell: Cell) -> dict[str, Estimate]:
    """R² of a line from another glass, as it is and shifted to the mean, and of one at home."""
    readings = {
        "as it is": ("error", "baseline_target"),
        "shifted": ("error_shifted", "baseline_target"),
        "at home": ("error_at_home", "baseline_at_home"),
    }
    return {
        label: estimate(removed(cell[error], cell[mean]), cell["groups"])
        for label, (error, mean) in readings.items()
    }


def transfers(cells: Mapping[str, Cell]) -> dict[str, dict[str, Estimate]]:
    """``transfer`` of each pair of glasses, named "source → target"; cells ``A.transfer.B``."""
    found = {}
    for key, cell in cells.items():
        source, _, target = key.split(".")
        found[f"{source} → {target}"] = transfer(cell)
    return found


def arrived(
    moved: Mapping[str, Mapping[str, Estimate]], names: Sequence[str]
) -> dict[str, Estimate]:
    """R² of the best line from elsewhere in each glass, as it is; ``NOTHING`` where none came.

    Parameters
    ----------
    moved
        What ``transfers`` returns.
    names
        Of the glasses.
    """
    best = {}
    for name in names:
        here = [one["as it is"] for pair, one in moved.items() if pair.endswith(f"→ {name}")]
        best[name] = max(here, key=lambda one: one.value, default=NOTHING)
    return best


def worst_class(found: ByClass, names: Sequence[str]) -> dict[str, Estimate]:
    """The estimate of the class that does worst in each glass, ``NOTHING`` if there is none.

    Parameters
    ----------
    found
        By glass and class.
    names
        Of the glasses.
    """
    return {name: least({k: e for (n, k), e in found.items() if n == name}) for name in names}
