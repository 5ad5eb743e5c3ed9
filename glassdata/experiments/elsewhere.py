"""Scores of chapter 11 on what a line has not seen: another class, another glass, another recipe.

Structures that others made are an experiment of its own, with one result for each system of which
there are some::

    SYSTEM.others   errors of lines that were trained on ours, on theirs, and on parts of ours

Errors are mean squares per bin of spectra with sum 1.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from glassdata import models
from glassdata.evaluation import cross_validate, grouped_folds
from glassdata.experiments.contenders import CHOSEN, LINE, Inputs, guesses, inputs_of
from glassdata.experiments.verdicts import (
    NOTHING,
    Estimate,
    Statistic,
    average,
    estimate,
    removed,
)
from glassdata.intervals import far_ripple
from glassdata.models.modelfile import region_of
from glassdata.store.reading import EXTERNAL
from glassdata.structures import Dataset, dataset
from glassdata.system import DISORDER_CLASSES
from glassdata.systems import SYSTEMS
from glassdata.trained import calibrate

Result = Mapping[str, np.ndarray]
ByClass = Mapping[tuple[str, str], Estimate]

#: Raised whenever the same result would come out differently, or the external structures change.
VERSION = 4
SEED = 0
_FOLDS = 5
#: A line on g(r), and the line whose unit of g(r) is chosen on its own training set.
_LINES = {"line": LINE, "chosen": CHOSEN}
_KNOWN = ("disorder_class", "n_atoms", "density", "non_hexagonal", "far_order", "excess_energy")


def result_names(glasses: Mapping[str, Dataset]) -> list[str]:
    """Names of all results.

    Examples
    --------
    >>> result_names({"amc_lb": None, "lj3d": None})
    ['amc_lb.others']
    """
    return [f"{n}.others" for n in glasses if n in SYSTEMS and "external" in SYSTEMS[n].protocols]


def compute(name: str, get: Callable[[str], Dataset]) -> dict[str, np.ndarray]:
    """One result: our structures of a system, and those that others made.

    Raises
    ------
    FileNotFoundError
        If there are none; the message says how to compute them.
    """
    system, _ = name.split(".")
    if not EXTERNAL.exists():
        raise FileNotFoundError(f"there is no {EXTERNAL}; make it with: make external SHEETS=FILE")
    return others(get(system), dataset(system, EXTERNAL))


def others(ours: Dataset, theirs: Dataset) -> dict[str, np.ndarray]:
    """How well lines that were trained on our structures predict those of others.

    ``error_line`` and ``error_chosen`` (m,) are those of all of ours, ``error_line_PART`` of a
    part: sheets whose frame was ``held``, or ``free``. ``error_home`` is that of a line trained on
    theirs, in folds. ``baseline`` and ``class_baseline`` compare with their mean and the mean of
    their class, which only the test reveals, ``source`` with the mean of ours. ``floor`` is the
    variance of our replicates, in proportion to 1/N. ``covered`` is the share of bins within the
    interval of ``glassdata predict``, ``promised`` whether it prints one at all.

    Examples
    --------
    Half of a dataset predicts the other half:

    >>> import glassdata as gd
    >>> carbon = gd.dataset("amc")
    >>> halves = carbon.groups % 4 < 2
    >>> found = others(carbon[halves], carbon[~halves])
    >>> bool(found["error_line"].sum() < 0.8 * found["baseline"].sum())
    True
    """
    n, m = len(ours), len(theirs)
    new = np.arange(n, n + m)
    Y = np.vstack([ours.shares, theirs.shares])
    # A family of theirs has the number of none of ours.
    groups = np.append(ours.groups, theirs.groups - theirs.groups.min() + ours.groups.max() + 1)
    known = vars(inputs_of(ours)), vars(inputs_of(theirs))
    inputs = Inputs(*(np.concatenate([one[key] for one in known]) for key in known[0]))

    def errors(told: np.ndarray, asked: np.ndarray, names: Sequence[str]) -> dict:
        found = guesses(inputs, Y, groups, train=told, test=asked, names=names, seed=SEED)
        return {name: np.mean((guess - Y[asked]) ** 2, axis=1) for name, guess in found.items()}

    out = {name: np.asarray(theirs[name]) for name in _KNOWN if name in theirs.stored}
    out |= {"classes": theirs.classes, "groups": theirs.groups, "n_atoms": theirs.n_atoms}
    all_of_ours = errors(np.arange(n), new, list(_LINES.values()))
    out |= {f"error_{key}": all_of_ours[name] for key, name in _LINES.items()}
    if "frame_held" in ours.stored:
        for part, mine in (("held", ours.frame_held), ("free", ~ours.frame_held)):
            out[f"error_line_{part}"] = errors(np.flatnonzero(mine), new, [LINE])[LINE]
    out["error_home"] = np.empty(m)
    for told, asked in grouped_folds(groups[n:], _FOLDS, SEED):
        out["error_home"][asked] = errors(n + told, n + asked, [LINE])[LINE]
    return out | _baselines(ours, theirs) | _intervals(ours, theirs)


def _baselines(ours: Dataset, theirs: Dataset) -> dict[str, np.ndarray]:
    own = np.array([theirs.shares[theirs.classes == kind].mean(axis=0) for kind in theirs.classes])
    means = {"baseline": theirs.shares.mean(axis=0), "class_baseline": own}
    means["source"] = ours.shares.mean(axis=0)
    out = {name: np.mean((theirs.shares - mean) ** 2, axis=1) for name, mean in means.items()}
    repeats = ours.replicate
    scatter = ours.shares[repeats].var(axis=0, ddof=1).mean() if repeats.sum() > 1 else np.nan
    size = ours.n_atoms[repeats].mean() if repeats.sum() > 1 else np.nan
    return out | {"floor": scatter * size / theirs.n_atoms}


def _intervals(ours: Dataset, theirs: Dataset) -> dict[str, np.ndarray]:
    """What `glassdata predict` with a line trained on ours would say of theirs."""
    X, Y, groups = ours.X, ours.Y, ours.groups
    held_out = cross_validate(models.ridge(), X, Y, groups, n_splits=_FOLDS)
    calibration, region = calibrate(held_out, X, groups, ours.n_atoms), region_of(X, groups)
    distance, n_atoms = region.distance(theirs.X), theirs.n_atoms
    half = calibration.half_width(region.place(theirs.X), distance=distance, n_atoms=n_atoms)
    guess = models.ridge().fit(X, Y, groups=groups).predict(theirs.X)
    promised = [
        calibration.outside(*one) is None
        for one in zip(distance, n_atoms, far_ripple(theirs.X), strict=True)
    ]
    return {
        "covered": np.mean(np.abs(guess - theirs.Y) <= half, axis=1),
        "promised": np.array(promised),
        "novelty": distance,
    }


def above_floor(error: np.ndarray, baseline: np.ndarray, floor: np.ndarray) -> Statistic:
    """Share of the baseline's error that is left, once the floor is taken off both.

    Parameters
    ----------
    error, baseline, floor : (n,)
        Squared error of each structure, of the model, of what it is compared with, and of chance.

    Examples
    --------
    >>> from glassdata.experiments.verdicts import value_of
    >>> value_of(above_floor(np.array([3.0]), baseline=np.array([5.0]), floor=np.array([1.0])), 1)
    0.5
    """
    return lambda w: w @ (error - floor) / (w @ (baseline - floor))


def carried(result: Result) -> dict[str, Estimate]:
    """Share of the variance of other people's spectra that each line explains.

    Parameters
    ----------
    result
        ``SYSTEM.others``.

    Returns
    -------
    dict
        By the name of the training set. ``amorphous`` is the line trained on all of ours, judged
        on their strongly disordered structures alone, against the mean of these; ``amorphous, left
        above the floor`` the share of that mean's error which it leaves, ``covered`` the share of
        bins within the printed interval.

    Examples
    --------
    >>> result = {"error_line": np.array([1.0, 1.0]), "error_home": np.array([0.5, 0.5])}
    >>> result |= {name: np.array([2.0, 2.0]) for name in ("baseline", "class_baseline")}
    >>> result |= {"floor": np.zeros(2), "covered": np.ones(2), "promised": np.ones(2, bool)}
    >>> result |= {"classes": np.array(["amorphous"] * 2), "groups": np.arange(2)}
    >>> {name: one.value for name, one in carried(result).items()}["ours"]
    0.5
    """
    groups, mine = result["groups"], result["classes"] == "amorphous"
    labels = {"ours": "line", "ours, unit chosen": "chosen", "ours, frames held": "line_held"}
    labels |= {"ours, frames free": "line_free", "theirs": "home"}
    found = {
        label: estimate(removed(result[f"error_{key}"], result["baseline"]), groups)
        for label, key in labels.items()
        if f"error_{key}" in result
    }
    if mine.any():
        error, mean = result["error_line"][mine], result["class_baseline"][mine]
        found["amorphous"] = estimate(removed(error, mean), groups[mine])
        left = above_floor(error, mean, result["floor"][mine])
        found["amorphous, left above the floor"] = estimate(left, groups[mine])
    promised = result["promised"]
    if promised.any():
        found["covered"] = estimate(average(result["covered"][promised]), groups[promised])
    return found


def left_out(
    result: Result, classes: np.ndarray, groups: np.ndarray, *, model: str, mean: str
) -> dict[str, Estimate]:
    """R² on each disorder class that was left out of the training.

    Parameters
    ----------
    result
        ``SYSTEM.left_out``.
    classes, groups
        Disorder class and family of all structures, (n,).
    model
        Name of the model whose errors the result holds.
    mean
        What R² compares with: ``"baseline"``, the mean of the other classes, on which the model
        was trained, or ``"own_mean"``, that of the class itself, which only the test reveals.

    Returns
    -------
    dict
        An estimate for every class that could be left out.

    Examples
    --------
    >>> result = {"error_ridge_partial": np.ones(2), "baseline_partial": np.full(2, 4.0)}
    >>> classes, groups = np.array(["partial", "partial", "amorphous"]), np.arange(3)
    >>> found = left_out(result, classes, groups, model="ridge", mean="baseline")
    >>> {name: one.value for name, one in found.items()}
    {'partial': 0.75}
    """
    return {
        kind: estimate(
            removed(result[f"error_{model}_{kind}"], result[f"{mean}_{kind}"]),
            groups[classes == kind],
        )
        for kind in DISORDER_CLASSES
        if f"baseline_{kind}" in result
    }


def least(found: Mapping[str, Estimate]) -> Estimate:
    """The estimate of the lowest value, ``NOTHING`` if there is none.

    Examples
    --------
    >>> least({"amc": Estimate(0.9, 0.8, 0.95), "sic": Estimate(0.5, 0.2, 0.7)}).value
    0.5
    """
    return min(found.values(), key=lambda one: one.value, default=NOTHING)


def transfer(result: Result) -> dict[str, Estimate]:
    """R² of a line from another glass, unchanged and shifted to the mean, and of this glass's own.

    Examples
    --------
    >>> errors = {"error": 6.0, "error_shifted": 2.0, "baseline_target": 4.0}
    >>> errors |= {"error_at_home": 1.0, "baseline_at_home": 4.0}
    >>> result = {name: np.full(3, error) for name, error in errors.items()}
    >>> found = transfer(result | {"groups": np.arange(3)})
    >>> {name: one.value for name, one in found.items()}
    {'as it is': -0.5, 'shifted': 0.5, 'at home': 0.75}
    """
    readings = {
        "as it is": ("error", "baseline_target"),
        "shifted": ("error_shifted", "baseline_target"),
        "at home": ("error_at_home", "baseline_at_home"),
    }
    return {
        label: estimate(removed(result[error], result[mean]), result["groups"])
        for label, (error, mean) in readings.items()
    }


def transfers(results: Mapping[str, Result]) -> dict[str, dict[str, Estimate]]:
    """``transfer`` of each pair of glasses, named "source → target"; results ``A.transfer.B``.

    Examples
    --------
    >>> keys = ("error", "error_shifted", "error_at_home", "baseline_target", "baseline_at_home")
    >>> result = {key: np.ones(3) for key in keys} | {"groups": np.arange(3)}
    >>> transfers({"sic.transfer.sic_tersoff": result})["sic → sic_tersoff"]["shifted"].value
    0.0
    """
    found = {}
    for key, result in results.items():
        source, _, target = key.split(".")
        found[f"{source} → {target}"] = transfer(result)
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

    Examples
    --------
    >>> moved = {"sic → sic_tersoff": {"as it is": Estimate(0.5, 0.4, 0.6)}}
    >>> found = arrived(moved, ["sic_tersoff", "sic"])
    >>> found["sic_tersoff"].value, found["sic"].is_there
    (0.5, False)
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

    Examples
    --------
    >>> found = {("amc", "partial"): Estimate(0.5, 0.4, 0.6)}
    >>> found |= {("amc", "amorphous"): Estimate(-1.0, -2.0, 0.0)}
    >>> worst_class(found, ["amc"])["amc"].value
    -1.0
    """
    return {name: least({k: e for (n, k), e in found.items() if n == name}) for name in names}
