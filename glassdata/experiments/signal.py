"""How far spectra differ between preparations, beside how far they scatter within one.

A *preparation* is a recipe; structures made by one differ by their random numbers alone. Spectra
are arrays (n, n_omega), one structure per row, and every variance here is one per bin, averaged
over the bins. A *bundle* is the mean of k structures of one preparation: its noise is that of k
times the atoms, at k times the cost.

>>> variances(np.array([[0.0], [2.0], [10.0], [12.0]]), [0, 0, 1, 1])
Variances(between=49.0, within=2.0)
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from glassdata.experiments.verdicts import ENDS, Estimate
from glassdata.structures import Dataset

#: A bundle may lack a quarter of its structures, such as those whose rows failed.
LEAST_SHARE = 0.75


class Variances(NamedTuple):
    """Variance between preparations and within one, per bin, unbiased; the first may be negative.

    Examples
    --------
    >>> Variances(between=4.0, within=2.0).ratio
    2.0
    """

    between: float
    within: float

    @property
    def ratio(self) -> float:
        """Signal over noise of single structures."""
        return self.between / self.within


def preparations(data: Dataset) -> np.ndarray:
    """Number of the preparation of each structure, (n,), counted from 0.

    Structures of a liquid have the stored variable. The knobs of displaced crystals change from one
    to the next: their replicates are one preparation, each other structure is one of its own.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.dataset("lj2d")
    >>> of_repeats = preparations(argon)[argon.replicate]
    >>> len(set(of_repeats.tolist())), len(set(preparations(argon).tolist())) > 100
    (1, True)
    """
    kind, number = ensembles(data), np.arange(len(data)).astype(str)
    if "replicate" in data.stored:
        number = np.where(data.replicate, "repeat", number)
    if "preparation" in data.stored:
        melted = np.isin(kind, ("quenched", "equilibrated")) & (data.preparation >= 0)
        number = np.where(melted, np.char.add("of ", data.preparation.astype(str)), number)
    names = np.char.add(np.char.add(kind, " "), number)
    return np.unique(names, return_inverse=True)[1]


def ensembles(data: Dataset) -> np.ndarray:
    """Ensemble of each structure, (n,): displaced, quenched, equilibrated or external.

    A dataset without this variable is older than it, and holds displaced crystals.

    Examples
    --------
    >>> import glassdata as gd
    >>> set(ensembles(gd.dataset("lj2d")).tolist())
    {'displaced'}
    """
    return data.ensemble if "ensemble" in data.stored else np.full(len(data), "displaced")


def variances(Y: np.ndarray, preparation: ArrayLike) -> Variances:
    """Variance between preparations and within one, both unbiased.

    The variance within is pooled over the preparations of two structures or more. The variance
    between is that of the means of the preparations, less what the scatter within adds to it. Both
    are NaN where nothing was prepared twice.

    Parameters
    ----------
    Y : (n, n_omega)
        Spectra.
    preparation : (n,)
        Preparation of each of them.

    Examples
    --------
    The means 1 and 11 of two preparations differ by more than pairs that differ by 2 can explain:

    >>> variances(np.array([[0.0], [2.0], [10.0], [12.0]]), [0, 0, 1, 1])  # 50 - 2/2, and 2
    Variances(between=49.0, within=2.0)
    """
    _, of, counts = np.unique(preparation, return_inverse=True, return_counts=True)
    means = _means(Y, of, counts)
    return _variances(means, np.sum(np.square(Y - means[of]), axis=0).mean(), counts)


def noise_of(Y: np.ndarray, preparation: ArrayLike) -> np.ndarray:
    """What each structure adds to the estimate of the variance within, (n,).

    The mean over the structures of a preparation is the unbiased variance within it. A structure
    that is alone in its preparation gets the variance of the others; NaN if nothing was prepared
    twice.

    Parameters
    ----------
    Y : (n, n_omega)
        Spectra.
    preparation : (n,)
        Preparation of each of them.

    Examples
    --------
    >>> noise_of(np.array([[0.0], [2.0], [7.0]]), ["a", "a", "b"]).tolist()
    [2.0, 2.0, 2.0]
    """
    _, of, counts = np.unique(preparation, return_inverse=True, return_counts=True)
    own = np.mean(np.square(Y - _means(Y, of, counts)[of]), axis=1)
    n = counts[of]
    return np.where(n > 1, own * n / np.maximum(n - 1, 1), variances(Y, preparation).within)


def signal_to_noise(
    Y: np.ndarray, preparation: ArrayLike, *, draws: int = 1000, seed: int = 0
) -> dict[str, Estimate]:
    """Variances between and within, and their ratio, with 95 % intervals over structures.

    Preparations are fixed, since the ratio is that of these preparations. Structures are drawn
    with replacement within them. Drawn structures scatter less than new ones, by the factor
    (n - 1)/n, and the means that they are drawn about differ by more than the true ones, by the
    noise in them. So deviations are made larger and the means drawn together until the population
    that is drawn from has the variances that were estimated.

    Parameters
    ----------
    Y : (n, n_omega)
        Spectra.
    preparation : (n,)
        Preparation of each of them.
    draws
        Number of bootstrap samples.
    seed
        Of the random numbers.

    Returns
    -------
    dict
        ``between``, ``within`` and ``ratio``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> prepared = np.repeat(np.arange(8), 6)
    >>> means = np.repeat([[-1.0], [1.0]], 4, axis=0)  # of variance 8/7
    >>> found = signal_to_noise(means[prepared] + rng.normal(size=(48, 5)), prepared)["ratio"]
    >>> found.low < 8 / 7 < found.high
    True
    """
    _, of, counts = np.unique(preparation, return_inverse=True, return_counts=True)
    found = variances(Y, preparation)
    means, deviations = _population(Y, of, counts, found.between)
    rng, order = np.random.default_rng(seed), np.argsort(of, kind="stable")
    starts = np.cumsum(counts) - counts
    first, n = np.repeat(starts, counts), np.repeat(counts, counts)
    # A structure that is alone shows no scatter of its own: it borrows that of the others.
    single, pool = np.flatnonzero(n == 1), order[n > 1]
    drawn = []
    for _ in range(draws):
        chosen = order[first + (rng.random(len(n)) * n).astype(int)]
        if len(single) and len(pool):
            chosen[single] = rng.choice(pool, len(single))
        noise = deviations[chosen]
        shifts = np.add.reduceat(noise, starts) / counts[:, None]
        squares = np.sum(noise**2, axis=0) - counts @ shifts**2
        drawn.append(_variances(means + shifts, squares.mean(), counts))
    between, within = np.array(drawn).T
    # With few structures a sample may hold one of each preparation, again and again: no scatter.
    scatters = within > 1e-9 * found.within
    ratio = np.divide(between, within, np.full(draws, np.inf), where=scatters)
    values = (*found, found.ratio)
    return {
        name: Estimate(float(value), *map(float, np.quantile(some, ENDS, method="nearest")))
        for name, value, some in zip(
            ("between", "within", "ratio"), values, (between, within, ratio), strict=True
        )
    }


def _population(
    Y: np.ndarray, of: np.ndarray, counts: np.ndarray, between: float
) -> tuple[np.ndarray, np.ndarray]:
    """Means (n_preparations, n_omega) and deviations (n, n_omega) with the estimated variances."""
    means, n = _means(Y, of, counts), counts[of][:, None]
    deviations = np.where(n > 1, Y - means[of], 0.0) * np.sqrt(n / np.maximum(n - 1, 1))
    seen = means.var(axis=0, ddof=1).mean() if len(counts) > 1 else 0.0
    together = np.sqrt(max(between, 0.0) / seen) if seen > 0 else 0.0
    centre = means.mean(axis=0)
    return centre + together * (means - centre), deviations


def bundles(
    preparation: ArrayLike, size: int, rng: np.random.Generator, part: ArrayLike | None = None
) -> list[np.ndarray]:
    """Disjoint bundles of ``size`` structures of one preparation, at random; the rest is left out.

    A preparation that lacks a few structures makes one bundle of those it has, if these are three
    quarters of ``size`` or more.

    Parameters
    ----------
    preparation : (n,)
        Preparation of each structure.
    size
        Structures in a bundle.
    rng
        Source of the random numbers.
    part : (n,)
        Bundles hold structures of one part only, such as a fold; None means that there is one.

    Returns
    -------
    list of arrays
        Numbers of the structures of each bundle.

    Examples
    --------
    >>> found = bundles([0, 0, 0, 0, 1, 1], 2, np.random.default_rng(0))
    >>> [len(one) for one in found], sorted(found[2].tolist())
    ([2, 2, 2], [4, 5])
    """
    _, of = np.unique(preparation, return_inverse=True)
    cell = of if part is None else of * (np.max(part) + 1) + np.asarray(part)
    found = []
    for one in np.unique(cell):
        mine = rng.permutation(np.flatnonzero(cell == one))
        n = len(mine) // size
        if n == 0 and len(mine) >= LEAST_SHARE * size:
            n, size_here = 1, len(mine)
        else:
            size_here = size
        found += [mine[k * size_here : (k + 1) * size_here] for k in range(n)]
    return found


def means_of(values: np.ndarray, members: Sequence[np.ndarray]) -> np.ndarray:
    """Mean over the structures of each bundle, (n_bundles, ...).

    Examples
    --------
    >>> means_of(np.array([1.0, 3.0, 5.0]), [np.array([0, 2])]).tolist()
    [3.0]
    """
    return np.array([np.asarray(values)[one].mean(axis=0) for one in members])


def bundled(Y: np.ndarray, preparation: ArrayLike, size: int, *, seed: int = 0) -> Variances:
    """Variances of the spectra of bundles; NaN where no preparation has two of them.

    If structures of one preparation are independent, ``within`` falls as 1/size and ``between``
    stays.

    Parameters
    ----------
    Y : (n, n_omega)
        Spectra of the structures.
    preparation : (n,)
        Preparation of each of them.
    size
        Structures in a bundle.
    seed
        Of the random numbers that deal structures to bundles.

    Examples
    --------
    >>> Y = np.random.default_rng(0).normal(size=(4000, 1))
    >>> round(bundled(Y, np.repeat([0, 1], 2000), 4).within, 2)
    0.25
    """
    members = bundles(preparation, size, np.random.default_rng(seed))
    if not members:
        return Variances(np.nan, np.nan)
    first = np.array([one[0] for one in members])
    return variances(means_of(Y, members), np.asarray(preparation)[first])


def _means(Y: np.ndarray, of: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean spectrum of each preparation, (n_preparations, n_omega)."""
    sums = np.zeros((len(counts), Y.shape[1]))
    np.add.at(sums, of, Y)
    return sums / counts[:, None]


def _variances(means: np.ndarray, squares: float, counts: np.ndarray) -> Variances:
    """From the means of the preparations and the sum of squares about them, per bin."""
    spare = int(np.sum(counts - 1))
    within = squares / spare if spare else np.nan
    if len(counts) < 2:
        return Variances(np.nan, float(within))
    between = means.var(axis=0, ddof=1).mean() - within * np.mean(1 / counts)
    return Variances(float(between), float(within))
