"""How chapter 11 reads the results of ``referee``: one number with an interval per objection.

Every function takes a result of one glass, or arrays, and returns an ``Estimate``; ``NOTHING``
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

Result = Mapping[str, np.ndarray]

#: Classes with fewer families get no interval: it would mean nothing.
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


def leak(result: Result, model: str) -> Estimate:
    """R² of random splits minus that of grouped ones: mean over the seeds, lowest and highest.

    Above 0, the model profits from members of the same family in the training set.

    Examples
    --------
    >>> scores = {"random_ridge": np.array([0.9, 0.8]), "grouped_ridge": np.array([0.7, 0.7])}
    >>> round(leak(scores, "ridge").value, 2)
    0.15
    """
    gap = result[f"random_{model}"] - result[f"grouped_{model}"]
    return Estimate(float(gap.mean()), float(gap.min()), float(gap.max()))


def opposite(found: Estimate) -> Estimate:
    """The number with the other sign, and the interval that belongs to it.

    Examples
    --------
    >>> opposite(Estimate(1.0, 0.5, 2.0))
    Estimate(value=-1.0, low=-2.0, high=-0.5)
    """
    return Estimate(-found.value, -found.high, -found.low)


def held_out(result: Result, model: str) -> Estimate:
    """Held-out R² of a model; ``result`` is ``SYSTEM.baselines``.

    Examples
    --------
    >>> result = {"error_ridge": np.ones(3), "baseline": np.full(3, 4.0), "groups": ["a", "a", "b"]}
    >>> held_out(result, "ridge").value
    0.75
    """
    return estimate(removed(result[f"error_{model}"], result["baseline"]), result["groups"])


def lead_over(result: Result, model: str) -> Estimate:
    """How much larger the held-out R² of the line is than that of a model.

    Examples
    --------
    >>> result = {"error_ridge": np.ones(3), "error_nearest": np.full(3, 2.0)}
    >>> result |= {"baseline": np.full(3, 4.0), "groups": ["a", "a", "b"]}
    >>> lead_over(result, "nearest").value  # 0.75 - 0.5
    0.25
    """
    errors = result["error_ridge"], result[f"error_{model}"], result["baseline"]
    return estimate(lead(*errors), result["groups"])


def within_class(result: Result, kind: str | None = None) -> Estimate:
    """R² of the line against the training mean of the same disorder class.

    Parameters
    ----------
    kind
        One class; None takes the structures of all of them, each against its own class.

    Examples
    --------
    >>> result = {"classes": np.full(6, "amorphous"), "groups": np.arange(6)}
    >>> result |= {"error_ridge": np.ones(6), "error_class_mean": np.full(6, 2.0)}
    >>> within_class(result).value
    0.5
    """
    mine = np.isin(result["classes"], DISORDER_CLASSES if kind is None else [kind])
    groups = result["groups"][mine]
    if len(np.unique(groups)) < LEAST_FAMILIES:
        return NOTHING
    errors = result["error_ridge"][mine], result["error_class_mean"][mine]
    return estimate(removed(*errors), groups)


def leads_over_best(
    results: Mapping[str, Result],
    scores: Mapping[str, Mapping[str, Estimate]],
    models: Mapping[str, str],
) -> tuple[dict[str, str], dict[str, Estimate]]:
    """The best of some models in each glass, and by how much the line's R² exceeds its own.

    Parameters
    ----------
    results
        Result ``SYSTEM.baselines`` of each glass.
    scores
        R² by label of the model and glass.
    models
        Names of the models by their label.

    Examples
    --------
    >>> result = {"error_ridge": np.ones(3), "error_density": np.full(3, 2.0)}
    >>> result |= {"baseline": np.full(3, 4.0), "groups": np.arange(3)}
    >>> scores = {"ρ": {"amc": held_out(result, "density")}}
    >>> best, lead = leads_over_best({"amc": result}, scores, {"ρ": "density"})
    >>> best["amc"], lead["amc"].value
    ('ρ', 0.25)
    """
    best = {n: max(models, key=lambda label: scores[label][n].value) for n in results}
    return best, {n: lead_over(result, models[best[n]]) for n, result in results.items()}


# --- noise ------------------------------------------------------------------------------------


def explained_share(result: Result, floor: str) -> Estimate:
    """(baseline − error) / (baseline − floor): explained share of the error that can be explained.

    ∞ in samples of families in which the floor reaches the baseline, so that nothing can be
    explained; ``NOTHING`` where there are fewer than two repeats.

    Parameters
    ----------
    result
        ``SYSTEM.noise``.
    floor
        ``"pairs"``, half the squared difference of the spectra of neighbours in g(r), or
        ``"repeats"``, the scatter among repeats of one preparation, used for all structures.

    Examples
    --------
    >>> result = {"baseline": np.full(3, 4.0), "error": np.full(3, 2.0), "pair": np.full(3, 1.0)}
    >>> round(explained_share(result | {"groups": np.arange(3)}, "pairs").value, 3)  # 2/3
    0.667
    """
    if floor == "pairs":
        least = _mean_floor(result["pair"])
    elif result["replicate"].sum() >= 2:
        least = _floor_of_repeats(result["scatter"], result["replicate"])
    else:
        return NOTHING

    def statistic(w: np.ndarray) -> np.ndarray:
        base, error, floor = w @ result["baseline"], w @ result["error"], least(w)
        room = np.where(base > floor, base - floor, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(np.isnan(floor), np.nan, (base - error) / room)

    return estimate(statistic, result["groups"])


def share_between(r2: Estimate, share: Estimate) -> Estimate:
    """The share of the explainable: at least R², which takes no floor, and less than ``share``.

    Examples
    --------
    >>> share_between(Estimate(0.8, 0.7, 0.85), Estimate(0.9, 0.85, 0.95))
    Estimate(value=0.9, low=0.7, high=0.95)
    """
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


def nugget(result: Result) -> dict[str, float]:
    """Noise of pairs in g(r): mean, mean of the nearer half, and extrapolated to distance zero.

    Examples
    --------
    >>> distance = np.arange(4.0)
    >>> result = {"pair_distance": distance, "pair": 3 + distance**2}
    >>> result |= {"spread": 1.0, "error": np.ones(4)}
    >>> round(nugget(result)["at distance zero"], 6)
    3.0
    """
    square = (result["pair_distance"] / result["spread"]) ** 2
    near = square <= np.median(square)
    _, at_zero = np.polyfit(square[near], result["pair"][near], 1)
    return {
        "all pairs": float(result["pair"].mean()),
        "nearer half": float(result["pair"][near].mean()),
        "at distance zero": float(at_zero),
        "line": float(result["error"].mean()),
    }


# --- other scores, other inputs ---------------------------------------------------------------


def bin_range(result: Result) -> Estimate:
    """Minus the range of R² over all widths of the bins, without an interval; SYSTEM.bins.

    Examples
    --------
    >>> bin_range({"r2": np.array([[0.5, 0.75], [0.625, np.nan]])}).value
    -0.25
    """
    span = float(np.nanmax(result["r2"]) - np.nanmin(result["r2"]))
    return Estimate(-span, -span, -span)


def skills(result: Result) -> dict[str, Estimate]:
    """Share of the mean's error that the line removes, by six scores; ``result`` SYSTEM.scores.

    The error of a moment is squared.

    Examples
    --------
    >>> result = {"groups": np.arange(3)}
    >>> for score in ("error", "wasserstein"):
    ...     result |= {f"{score}_line": np.ones(3), f"{score}_mean": np.full(3, 2.0)}
    >>> for who, moment in (("truth", 0.0), ("line", 1.0), ("mean", 2.0)):
    ...     result |= {f"moment_{power}_{who}": np.full(3, moment) for power in MOMENTS.values()}
    >>> found = skills(result)
    >>> found["Wasserstein"].value, found["⟨ω⟩"].value
    (0.5, 0.75)
    """
    pairs = {
        "squared error": (result["error_line"], result["error_mean"]),
        "Wasserstein": (result["wasserstein_line"], result["wasserstein_mean"]),
    }
    for label, power in MOMENTS.items():
        truth = result[f"moment_{power}_truth"]
        line, mean = ((result[f"moment_{power}_{who}"] - truth) ** 2 for who in ("line", "mean"))
        pairs[label] = (line, mean)
    return {label: estimate(removed(*pair), result["groups"]) for label, pair in pairs.items()}


def by_score(results: Mapping[str, Result]) -> dict[str, dict[str, Estimate]]:
    """``skills`` of each glass, by score and glass.

    Examples
    --------
    >>> result = {"groups": np.arange(3)}
    >>> for score in ("error", "wasserstein"):
    ...     result |= {f"{score}_line": np.ones(3), f"{score}_mean": np.full(3, 2.0)}
    >>> for who, moment in (("truth", 0.0), ("line", 1.0), ("mean", 2.0)):
    ...     result |= {f"moment_{power}_{who}": np.full(3, moment) for power in MOMENTS.values()}
    >>> by_score({"amc": result})["⟨ω⟩"]["amc"].value
    0.75
    """
    return _turned({name: skills(result) for name, result in results.items()})


def worst_score(scores: Mapping[str, Mapping[str, Estimate]]) -> dict[str, tuple[str, Estimate]]:
    """Name and number of the score that is least in each glass, from ``by_score``.

    Examples
    --------
    >>> scores = {"squared error": {"amc": Estimate(0.9, 0.8, 1.0)}}
    >>> scores |= {"⟨ω⟩": {"amc": Estimate(0.5, 0.4, 0.6)}}
    >>> worst_score(scores)["amc"][0]
    '⟨ω⟩'
    """
    return {
        name: min(mine.items(), key=lambda item: item[1].value)
        for name, mine in _turned(scores).items()
    }


def _turned(found: Mapping[str, Mapping[str, Estimate]]) -> dict[str, dict[str, Estimate]]:
    """The same numbers with the two keys changed over."""
    keys = list(next(iter(found.values())))
    return {key: {name: mine[key] for name, mine in found.items()} for key in keys}


def by_input(result: Result) -> dict[str, Estimate]:
    """R² of the line with each input, such as ``"g and density"``; ``result`` SYSTEM.density.

    Examples
    --------
    >>> result = {"names": ["g", "density"], "error": [np.ones(3), np.full(3, 2.0)]}
    >>> result |= {"baseline": np.full(3, 4.0), "groups": np.arange(3)}
    >>> {name: found.value for name, found in by_input(result).items()}
    {'g': 0.75, 'density': 0.5}
    """
    return {
        str(name): estimate(removed(error, result["baseline"]), result["groups"])
        for name, error in zip(result["names"], result["error"], strict=True)
    }


def by_inputs(results: Mapping[str, Result]) -> dict[str, dict[str, Estimate]]:
    """``by_input`` of each glass, by the label of the input and glass.

    Examples
    --------
    >>> result = {"names": list(INPUTS), "error": np.ones((6, 3)), "groups": np.arange(3)}
    >>> found = by_inputs({"amc": result | {"baseline": np.full(3, 4.0)}})
    >>> found["ρ alone"]["amc"].value
    0.75
    """
    found = _turned({name: by_input(result) for name, result in results.items()})
    return {label: found[key] for key, label in INPUTS.items()}


def lead_over_other_inputs(result: Result) -> Estimate:
    """How much larger R² is with g(r) than with the best other input; ``result`` SYSTEM.density.

    Examples
    --------
    >>> result = {"names": ["g", "density"], "error": [np.ones(3), np.full(3, 2.0)]}
    >>> result |= {"baseline": np.full(3, 4.0), "groups": np.arange(3)}
    >>> lead_over_other_inputs(result).value
    0.25
    """
    errors = dict(zip(map(str, result["names"]), result["error"], strict=True))
    mine = errors.pop("g")
    best = min(errors.values(), key=np.sum)
    return estimate(lead(mine, best, result["baseline"]), result["groups"])


def bent(results: Mapping[str, Result]) -> dict[str, dict[str, Estimate]]:
    """R² of the line, of the line with a kernel correction and of the kernel alone, by glass.

    Parameters
    ----------
    results
        Result ``SYSTEM.residual`` of each glass.

    Examples
    --------
    >>> result = {"error_line": np.full(3, 2.0), "error_both": np.ones(3), "groups": np.arange(3)}
    >>> result |= {"error_kernel": np.full(3, 3.0), "error_mean": np.full(3, 4.0)}
    >>> {label: found["amc"].value for label, found in bent({"amc": result}).items()}
    {'line': 0.5, 'line and kernel': 0.75, 'kernel': 0.25}
    """
    return {
        label: {
            name: estimate(removed(result[f"error_{who}"], result["error_mean"]), result["groups"])
            for name, result in results.items()
        }
        for label, who in (("line", "line"), ("line and kernel", "both"), ("kernel", "kernel"))
    }


def lead_over_kernels(result: Result) -> Estimate:
    """How much larger R² of the line is than the better kernel model's; SYSTEM.residual.

    Examples
    --------
    >>> result = {"error_line": np.ones(3), "error_both": np.full(3, 2.0), "groups": np.arange(3)}
    >>> result |= {"error_kernel": np.full(3, 3.0), "error_mean": np.full(3, 4.0)}
    >>> lead_over_kernels(result).value
    0.25
    """
    best = min((result["error_both"], result["error_kernel"]), key=np.sum)
    return estimate(lead(result["error_line"], best, result["error_mean"]), result["groups"])


def large_from_small(result: Result, groups: np.ndarray) -> Estimate:
    """R² on much larger structures of a line trained on small ones, less that of one that was not.

    Parameters
    ----------
    result
        ``SYSTEM.size``; ``NOTHING`` if it has too few large structures.
    groups
        Family of all structures, (n,).

    Examples
    --------
    >>> result = {"large": np.array([False, True, True]), "error": np.full(2, 3.0)}
    >>> result |= {"error_mixed": np.ones(2), "baseline": np.full(2, 4.0)}
    >>> large_from_small(result, groups=np.arange(3)).value  # 0.25 - 0.75
    -0.5
    """
    if "error" not in result:
        return NOTHING
    return estimate(
        lead(result["error"], result["error_mixed"], result["baseline"]), groups[result["large"]]
    )


# --- within classes ---------------------------------------------------------------------------


def class_means(held: models.Evaluation, classes: np.ndarray) -> np.ndarray:
    """Mean of the training structures of the same class, for every held-out structure.

    The structure's own fold never counts. Where the other folds have no structure of its class, the
    mean of all their structures is taken.

    Returns
    -------
    Shaped as ``held.truth``.

    Examples
    --------
    >>> Y = np.array([[1.0], [3.0], [5.0]])
    >>> held = models.Evaluation(Y, Y, np.full((3, 1), 9.0), np.array([0, 1, 1]), ())
    >>> class_means(held, np.array(["glass", "glass", "crystal"])).ravel().tolist()
    [3.0, 1.0, 9.0]
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

    Examples
    --------
    >>> Y = np.array([[1.0], [3.0], [1.0], [3.0]])
    >>> held = models.Evaluation(Y, Y, np.full((4, 1), 2.0), np.array([0, 0, 1, 1]), ())
    >>> against_class(held, np.full(4, "glass"), np.arange(4)).value  # the prediction is exact
    1.0
    """
    means = class_means(held, classes)
    error, easier = (((y - held.truth) ** 2).sum(axis=1) for y in (held.prediction, means))
    return estimate(removed(error, easier), groups)
