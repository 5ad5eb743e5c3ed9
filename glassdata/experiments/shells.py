"""Which distances predict which frequencies: bands of the PDOS against parts of g(r).

>>> LOW, PEAK  # the bands that the paper speaks of
('low', '60 to 70 THz')
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from glassdata import models
from glassdata.experiments.reading import refitted, squared_errors
from glassdata.experiments.verdicts import Estimate, Statistic, estimate, lead

Result = Mapping[str, np.ndarray]

#: What the line was given of g(r), as the results ``SYSTEM.shells`` call it.
PARTS = ("all", "within", "beyond", "alone", "without", "permuted")
#: The two bands that the paper speaks of, by the names of carbon's bands.
LOW, PEAK = "low", "60 to 70 THz"


# --- bands ------------------------------------------------------------------------------------


def thirds(pdos: np.ndarray) -> dict[str, np.ndarray]:
    """Masks of the low, middle and high frequencies: a third of the modes of a spectrum each.

    A bin belongs to the third in which its middle mode lies.

    Examples
    --------
    >>> {name: mask.tolist() for name, mask in thirds(np.array([1.0, 1.0, 1.0])).items()}
    {'low': [True, False, False], 'middle': [False, True, False], 'high': [False, False, True]}
    """
    below = np.cumsum(pdos)
    middle = (below - pdos / 2) / below[-1]
    low, high = middle < 1 / 3, middle >= 2 / 3
    return {"low": low, "middle": ~low & ~high, "high": high}


def in_band(r2: np.ndarray, weight: np.ndarray, band: np.ndarray) -> np.ndarray:
    """R² of a band of frequencies from the R² of its bins.

    Parameters
    ----------
    r2 : (..., n_omega + 1)
        Of each bin, as the results ``SYSTEM.shells`` hold it, the overall one last; NaN where a bin
        never varies.
    weight : (n_omega,)
        Error of the training mean in each bin, which is the weight of the bin.
    band : (n_omega,)
        Mask.

    Examples
    --------
    >>> r2, weight = np.array([1.0, 0.5, 0.9, 0.8]), np.array([1.0, 3.0, 1.0])
    >>> float(in_band(r2, weight, band=np.array([True, True, False])))  # (1 + 1.5) / 4
    0.625
    """
    weight = weight[band]
    inside = np.asarray(r2)[..., :-1][..., band]
    return np.nansum(weight * inside, axis=-1) / weight[weight > 0].sum()


def by_part(
    result: Result, weight: np.ndarray, bands: Mapping[str, np.ndarray]
) -> dict[str, dict[str, np.ndarray]]:
    """R² of each part of g(r) in each band of frequencies.

    Parameters
    ----------
    result
        Result ``SYSTEM.shells``.
    weight : (n_omega,)
        Error of the training mean in each bin.
    bands
        Masks (n_omega,) of the frequencies, by name.

    Returns
    -------
    dict
        For ``"all"`` of g(r) a number per band; for ``"within"`` and ``"beyond"`` one for each
        reach; for one shell ``"alone"``, ``"without"`` it, or with it ``"permuted"``, one for each.

    Examples
    --------
    >>> result = {part: np.array([0.5, 0.9]) for part in PARTS}  # one bin and the overall R²
    >>> by_part(result, np.ones(1), {"low": np.array([True])})["permuted"]["low"].item()
    0.5
    """
    return {
        part: {band: in_band(result[part], weight, mask) for band, mask in bands.items()}
        for part in PARTS
    }


# --- truncation -------------------------------------------------------------------------------


def near_and_far(
    X: np.ndarray, Y: np.ndarray, groups: Sequence, near: np.ndarray
) -> dict[str, models.Evaluation]:
    """Held-out predictions of the line from the bins of g(r) within a reach, and from the others.

    Parameters
    ----------
    X : (n, n_r)
        g(r) of each structure.
    Y : (n, n_omega)
        Spectrum of each structure.
    groups : (n,)
        Family of each structure.
    near : (n_r,)
        Mask of the bins within the reach.

    Examples
    --------
    The spectrum follows the first bin of g(r) and has nothing to do with the second:

    >>> near = np.array([True, False])
    >>> X = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 0.0], [3.0, 1.0], [4.0, 0.0], [5.0, 1.0]])
    >>> held = near_and_far(X, 2 * X[:, :1] + 1, np.arange(6), near)
    >>> held["near"].r2 > 0.9 > held["far"].r2
    True
    """
    return {
        part: models.cross_validate(models.ridge(), X[:, mask], Y, groups)
        for part, mask in (("near", near), ("far", ~near))
    }


def _near_minus_far(held: Mapping[str, models.Evaluation], band: np.ndarray) -> Statistic:
    near, baseline = squared_errors(held["near"], band)
    far, _ = squared_errors(held["far"], band)
    return lead(near, far, baseline)


def contrast(held: Mapping[str, models.Evaluation], band: np.ndarray, groups: Sequence) -> Estimate:
    """R² in a band from near distances minus that from far ones; above 0, near ones predict more.

    Parameters
    ----------
    held
        What ``near_and_far`` returns, for n structures.
    band : (n_omega,)
        Mask of the frequency bins in the band.
    groups : (n,)
        Family of each structure.

    Examples
    --------
    >>> truth, mean, fold = np.array([[1.0], [3.0]]), np.array([[2.0], [2.0]]), np.array([0, 1])
    >>> near = models.Evaluation(truth, truth, mean, fold, parameters=())  # exact
    >>> far = models.Evaluation(truth, mean, mean, fold, parameters=())  # knows nothing
    >>> contrast({"near": near, "far": far}, band=np.array([True]), groups=["a", "b"]).value
    1.0
    """
    return estimate(_near_minus_far(held, band), groups)


def difference_of_contrasts(
    held: Mapping[str, models.Evaluation], one: np.ndarray, other: np.ndarray, groups: Sequence
) -> Estimate:
    """By how much the contrast in one band exceeds that in another, on the same draws.

    Parameters
    ----------
    held
        What ``near_and_far`` returns, for n structures.
    one, other : (n_omega,)
        Masks of the frequency bins in the two bands.
    groups : (n,)
        Family of each structure.

    Examples
    --------
    >>> truth, mean = np.array([[1.0, 1.0], [3.0, 3.0]]), np.array([[2.0, 2.0], [2.0, 2.0]])
    >>> fold, half = np.array([0, 1]), np.array([[1.0, 2.0], [3.0, 2.0]])
    >>> near = models.Evaluation(truth, half, mean, fold, parameters=())  # exact in one bin only
    >>> held = {"near": near, "far": models.Evaluation(truth, mean, mean, fold, parameters=())}
    >>> first, second = np.array([True, False]), np.array([False, True])
    >>> difference_of_contrasts(held, first, second, groups=["a", "b"]).value
    1.0
    """
    first, second = (_near_minus_far(held, band) for band in (one, other))
    return estimate(lambda w: first(w) - second(w), groups)


def truncations(
    cuts: Mapping[float, Mapping[str, models.Evaluation]],
    bands: Mapping[str, np.ndarray],
    groups: Sequence,
) -> pd.DataFrame:
    """The contrast of both bands at each cut of g(r), and by how much it is larger in the low one.

    Parameters
    ----------
    cuts
        What ``near_and_far`` returns for each cut (Å).
    bands
        Masks (n_omega,) of the frequencies, of which ``LOW`` and ``PEAK`` are used.
    groups : (n,)
        Family of each structure.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 2))
    >>> held = near_and_far(X, X[:, ::-1], np.arange(40), np.array([True, False]))
    >>> bands = {LOW: np.array([False, True]), PEAK: np.array([True, False])}
    >>> found = truncations({1.8: held}, bands, np.arange(40)).loc["cut at 1.80 Å"]
    >>> found["low third"].low > 0 > found[PEAK].high  # the low bin is the near one
    True
    """
    low, peak = bands[LOW], bands[PEAK]
    rows = {
        f"cut at {edge:.2f} Å": {
            "low third": contrast(held, low, groups),
            PEAK: contrast(held, peak, groups),
            "low minus 60 to 70": difference_of_contrasts(held, low, peak, groups),
        }
        for edge, held in cuts.items()
    }
    return pd.DataFrame(rows).T


# --- permutation ------------------------------------------------------------------------------


def share_lost_in_first(lost: np.ndarray) -> float:
    """First shell's share of all R² lost by permuting shells one at a time; gains count as 0.

    Examples
    --------
    >>> share_lost_in_first(np.array([0.75, 0.25, -0.1]))
    0.75
    """
    lost = np.maximum(lost, 0)
    return float(lost[0] / lost.sum()) if lost.sum() > 0 else float("nan")


def lost(parts: Mapping[str, Mapping[str, np.ndarray]], part: str) -> dict[str, np.ndarray]:
    """R² that carbon loses with each shell ``"permuted"`` or ``"without"`` it, by band.

    Parameters
    ----------
    parts
        What ``by_part`` returns.
    part
        ``"permuted"`` or ``"without"``.
    """
    return {band: parts["all"][band] - parts[part][band] for band in (LOW, PEAK)}


def lost_near(parts: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, float]:
    """``share_lost_in_first`` of what permuting costs in both bands."""
    return {band: share_lost_in_first(found) for band, found in lost(parts, "permuted").items()}


def used_and_needed(result: Result) -> tuple[float, float]:
    """How much overall R² the most important shell is worth: that whose permutation costs most.

    Returns
    -------
    permuted, left_out : float
        R² lost when it is permuted, and when it is left out and the line is fitted again.

    Examples
    --------
    The line loses 0.5 when the second shell is permuted, and 0.25 when it must do without it:

    >>> result = {"all": np.array([0.75]), "permuted": np.array([[0.5], [0.25]])}
    >>> used_and_needed(result | {"without": np.array([[0.75], [0.5]])})
    (0.5, 0.25)
    """
    overall, permuted = result["all"][-1], result["permuted"][:, -1]
    k = int(np.argmax(overall - permuted))
    return float(overall - permuted[k]), float(overall - result["without"][k, -1])


# --- bootstrap --------------------------------------------------------------------------------


def effect_near(W: np.ndarray, spread: np.ndarray, near: np.ndarray, band: np.ndarray):
    """Share of near distances in the effect Σ (W sd(g))² of a map on a band.

    Parameters
    ----------
    W : (..., n_omega, n_r)
    spread : (n_r,)
        Standard deviation of each bin of g(r).
    near : (n_r,)
        Mask of the near bins.
    band : (n_omega,)
        Mask of the frequencies.

    Examples
    --------
    >>> near, band = np.array([True, False]), np.array([True])
    >>> float(effect_near(np.array([[3.0, 1.0]]), np.ones(2), near, band))  # 9 / (9 + 1)
    0.9
    """
    effect = (np.asarray(W)[..., band, :] * spread) ** 2
    return effect[..., near].sum(axis=(-2, -1)) / effect.sum(axis=(-2, -1))


def resampled_effects(
    X: np.ndarray,
    Y: np.ndarray,
    groups: Sequence,
    *,
    near: np.ndarray,
    bands: Sequence[np.ndarray],
    l2: float,
    times: int = 100,
) -> np.ndarray:
    """``effect_near`` of the ridge maps of resampled families, (times, n_bands).

    Parameters
    ----------
    X : (n, n_r)
        g(r) of each structure.
    Y : (n, n_omega)
        Spectrum of each structure.
    groups : (n,)
        Family of each structure.
    near : (n_r,)
        Mask of the bins of g(r) within the reach.
    bands
        Mask (n_omega,) of the frequency bins of each band.
    l2
        Ridge penalty.
    times
        Number of resamples.

    Examples
    --------
    >>> X = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 0.0], [3.0, 1.0], [4.0, 0.0], [5.0, 1.0]])
    >>> near, band = np.array([True, False]), np.array([True])
    >>> parts = {"near": near, "bands": [band], "l2": 0.0, "times": 2}
    >>> resampled_effects(X, 2 * X[:, :1], np.arange(6), **parts).round(6).tolist()
    [[1.0], [1.0]]
    """
    maps = refitted(X, Y, groups, l2, times)
    return np.stack([effect_near(maps, X.std(axis=0), near, band) for band in bands], axis=1)
