"""Scores of chapter 11 on what a line has not seen: a class that was left out, another glass.

Errors are mean squares per bin of spectra with sum 1.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from glassdata.experiments.verdicts import NOTHING, Estimate, estimate, removed
from glassdata.system import DISORDER_CLASSES

Result = Mapping[str, np.ndarray]
ByClass = Mapping[tuple[str, str], Estimate]


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
