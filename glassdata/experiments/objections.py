"""What chapter 11 makes of the results of ``referee``: one number with an interval per objection.

Every function takes the cells of one glass, or arrays, and returns an ``Estimate``; ``NOTHING``
where the objection cannot be tried. Errors are mean squares per bin of spectra with sum 1.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from glassdata import models
from glassdata.experiments.verdicts import (
    NOTHING,
    Estimate,
    Statistic,
    estimate,
    lead,
    removed,
)
from glassdata.system import DISORDER_CLASSES

Cell = Mapping[str, np.ndarray]

#: A class of fewer families has no interval worth the name.
LEAST_FAMILIES = 5
#: What the line is shown instead of g(r), and the name it has in figures.
INPUTS: Mapping[str, str] = {
    "g": "g",
    "g and density": "g and ρ",
    "density times g": "ρg",
    "n": "n(r)",
    "G": "G(r)",
    "density": "ρ alone",
}
#: Powers of the frequency whose means are compared, by the name they have in figures.
MOMENTS: Mapping[str, int] = {"⟨1/ω⟩": -1, "⟨ω⟩": 1, "⟨ω²⟩": 2, "⟨ω⁴⟩": 4}


def leak(cell: Cell, model: str) -> Estimate:
    """R² of random splits minus that of grouped ones: mean and range over the seeds, no interval.

    Above 0, members of the same family in the training set help.
    """
    gap = cell[f"random_{model}"] - cell[f"grouped_{model}"]
    return Estimate(float(gap.mean()), float(gap.min()), float(gap.max()))


def opposite(found: Estimate) -> Estimate:
    """The number with the other sign, and the ends of its interval changed over."""
    return Estimate(-found.value, -found.high, -found.low)


def held_out(cell: Cell, model: str) -> Estimate:
    """Held-out R² of a model; ``cell`` is ``SYSTEM.baselines``."""
    return estimate(removed(cell[f"error_{model}"], cell["baseline"]), cell["groups"])


def lead_over(cell: Cell, model: str) -> Estimate:
    """How much larger the held-out R² of the line is than that of a model."""
    errors = cell["error_ridge"], cell[f"error_{model}"], cell["baseline"]
    return estimate(lead(*errors), cell["groups"])


def within_class(cell: Cell, kind: str | None = None) -> Estimate:
    """R² of the line against the training mean of the same disorder class.

    Parameters
    ----------
    kind
        One class; None takes the structures of all of them, each against its own class.
    """
    mine = np.isin(cell["classes"], DISORDER_CLASSES if kind is None else [kind])
    groups = cell["groups"][mine]
    if len(np.unique(groups)) < LEAST_FAMILIES:
        return NOTHING
    errors = cell["error_ridge"][mine], cell["error_class_mean"][mine]
    return estimate(removed(*errors), groups)


def leads_over_best(
    cells: Mapping[str, Cell],
    scores: Mapping[str, Mapping[str, Estimate]],
    models: Mapping[str, str],
) -> tuple[dict[str, str], dict[str, Estimate]]:
    """The best of some models in each glass, and by how much the line's R² exceeds its own.

    Parameters
    ----------
    cells
        Cell ``SYSTEM.baselines`` of each glass.
    scores
        R² by label of the model and glass.
    models
        Names of the models by their label.
    """
    best = {n: max(models, key=lambda label: scores[label][n].value) for n in cells}
    return best, {n: lead_over(cell, models[best[n]]) for n, cell in cells.items()}


# --- noise ------------------------------------------------------------------------------------


def explained_share(cell: Cell, floor: str) -> Estimate:
    """(baseline − error) / (baseline − floor): the share of the explainable that is explained.

    ∞ in samples of families in which the floor reaches the baseline, where nothing is left to
    explain; ``NOTHING`` where there are fewer than two repeats.

    Parameters
    ----------
    cell
        ``SYSTEM.noise``.
    floor
        ``"pairs"``, half the squared difference of the spectra of neighbours in g(r), or
        ``"repeats"``, the scatter among repeats of one preparation, taken for all structures.
    """
    if floor == "pairs":
        least = _mean_floor(cell["pair"])
    elif cell["replicate"].sum() >= 2:
        least = _floor_of_repeats(cell["scatter"], cell["replicate"])
    else:
        return NOTHING

    def statistic(w: np.ndarray) -> np.ndarray:
        base, error, floor = w @ cell["baseline"], w @ cell["error"], least(w)
        room = np.where(base > floor, base - floor, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(np.isnan(floor), np.nan, (base - error) / room)

    return estimate(statistic, cell["groups"])


def share_between(r2: Estimate, share: Estimate) -> Estimate:
    """The share of the explainable: at least R², which takes no floor, and less than ``share``."""
    return Estimate(share.value, r2.low, share.high)


def _mean_floor(pair: np.ndarray) -> Statistic:
    return lambda w: w @ pair


def _floor_of_repeats(scatter: np.ndarray, replicate: np.ndarray) -> Statistic:
    """The mean scatter of those repeats that are drawn, for as many structures as are drawn."""

    def floor(w: np.ndarray) -> np.ndarray:
        repeats = w[:, replicate]
        with np.errstate(invalid="ignore"):  # samples without a repeat
            return w.sum(axis=1) * (repeats @ scatter / repeats.sum(axis=1))

    return floor


def nugget(cell: Cell) -> dict[str, float]:
    """Noise of pairs from a straight line through the nearer half, followed to distance zero."""
    square = (cell["pair_distance"] / cell["spread"]) ** 2
    near = square <= np.median(square)
    _, at_zero = np.polyfit(square[near], cell["pair"][near], 1)
    return {
        "all pairs": float(cell["pair"].mean()),
        "nearer half": float(cell["pair"][near].mean()),
        "at distance zero": float(at_zero),
        "line": float(cell["error"].mean()),
    }


# --- other scores, other inputs ---------------------------------------------------------------


def bin_range(cell: Cell) -> Estimate:
    """Minus the range of R² over all widths of the bins, without an interval; SYSTEM.bins."""
    span = float(np.nanmax(cell["r2"]) - np.nanmin(cell["r2"]))
    return Estimate(-span, -span, -span)


def skills(cell: Cell) -> dict[str, Estimate]:
    """Share of the mean's error that the line removes, by six scores; ``cell`` SYSTEM.scores.

    The error of a moment is squared.
    """
    pairs = {
        "squared error": (cell["error_line"], cell["error_mean"]),
        "Wasserstein": (cell["wasserstein_line"], cell["wasserstein_mean"]),
    }
    for label, power in MOMENTS.items():
        truth = cell[f"moment_{power}_truth"]
        line, mean = ((cell[f"moment_{power}_{who}"] - truth) ** 2 for who in ("line", "mean"))
        pairs[label] = (line, mean)
    return {label: estimate(removed(*pair), cell["groups"]) for label, pair in pairs.items()}


def by_score(cells: Mapping[str, Cell]) -> dict[str, dict[str, Estimate]]:
    """``skills`` of each glass, by score and glass."""
    return _turned({name: skills(cell) for name, cell in cells.items()})


def worst_score(scores: Mapping[str, Mapping[str, Estimate]]) -> dict[str, tuple[str, Estimate]]:
    """Name and number of the score that is least in each glass, from ``by_score``."""
    return {
        name: min(mine.items(), key=lambda item: item[1].value)
        for name, mine in _turned(scores).items()
    }


def _turned(found: Mapping[str, Mapping[str, Estimate]]) -> dict[str, dict[str, Estimate]]:
    """The same numbers with the two keys changed over."""
    keys = list(next(iter(found.values())))
    return {key: {name: mine[key] for name, mine in found.items()} for key in keys}


def by_input(cell: Cell) -> dict[str, Estimate]:
    """R² of the line with each input, such as ``"g and density"``; ``cell`` SYSTEM.density."""
    return {
        str(name): estimate(removed(error, cell["baseline"]), cell["groups"])
        for name, error in zip(cell["names"], cell["error"], strict=True)
    }


def by_inputs(cells: Mapping[str, Cell]) -> dict[str, dict[str, Estimate]]:
    """``by_input`` of each glass, by the label of the input and glass; cells ``SYSTEM.density``."""
    found = _turned({name: by_input(cell) for name, cell in cells.items()})
    return {label: found[key] for key, label in INPUTS.items()}


def lead_over_other_inputs(cell: Cell) -> Estimate:
    """How much larger R² is with g(r) than with the best other input; ``cell`` SYSTEM.density."""
    errors = dict(zip(map(str, cell["names"]), cell["error"], strict=True))
    mine = errors.pop("g")
    best = min(errors.values(), key=np.sum)
    return estimate(lead(mine, best, cell["baseline"]), cell["groups"])


def bent(cells: Mapping[str, Cell]) -> dict[str, dict[str, Estimate]]:
    """R² of the line, of the line with a kernel correction and of the kernel alone, by glass.

    Parameters
    ----------
    cells
        Cell ``SYSTEM.residual`` of each glass.
    """
    return {
        label: {
            name: estimate(removed(cell[f"error_{who}"], cell["error_mean"]), cell["groups"])
            for name, cell in cells.items()
        }
        for label, who in (("line", "line"), ("line and kernel", "both"), ("kernel", "kernel"))
    }


def lead_over_kernels(cell: Cell) -> Estimate:
    """How much larger R² of the line is than the better kernel model's; SYSTEM.residual."""
    best = min((cell["error_both"], cell["error_kernel"]), key=np.sum)
    return estimate(lead(cell["error_line"], best, cell["error_mean"]), cell["groups"])


def large_from_small(cell: Cell, groups: np.ndarray) -> Estimate:
    """R² on much larger structures of a line trained on small ones, less that of one that was not.

    Parameters
    ----------
    cell
        ``SYSTEM.size``; ``NOTHING`` if it has too few large structures.
    groups
        Family of all structures, (n,).
    """
    if "error" not in cell:
        return NOTHING
    return estimate(
        lead(cell["error"], cell["error_mixed"], cell["baseline"]), groups[cell["large"]]
    )


# --- within classes ---------------------------------------------------------------------------


def class_means(held: models.Evaluation, classes: np.ndarray) -> np.ndarray:
    """Mean of the training structures of the same class, for every held-out structure.

    Never of a structure's own fold; where a fold's training set has none of the class, the mean
    of all its structures.

    Returns
    -------
    Shaped as ``held.truth``.
    """
    means = models.class_means(held, classes)
    return np.where(np.isnan(means), held.baseline, means)


def against_class(held: models.Evaluation, classes: np.ndarray, groups: Sequence) -> Estimate:
    """R² of held-out predictions against the training mean of the same class.

    Parameters
    ----------
    held
        Held-out predictions with their true spectra, for n structures.
    classes : (n,)
        Disorder class of each structure.
    groups : (n,)
        Family of each structure.
    """
    means = class_means(held, classes)
    error, easier = (((y - held.truth) ** 2).sum(axis=1) for y in (held.prediction, means))
    return estimate(removed(error, easier), groups)
