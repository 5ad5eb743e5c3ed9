"""Glasses among themselves: is there a signal, and who predicts it how far above the noise?

Results, for each ensemble of each system that has two preparations or more::

    SYSTEM.signal.ENSEMBLE                     variances between and within preparations
    SYSTEM.errors.ENSEMBLE.SPLIT.SIZE.BINS     held-out errors of all contenders, and their floor
    SYSTEM.cnn.ENSEMBLE.hard.1.BINS            the same of the network, which takes longest
    SYSTEM.leak.ENSEMBLE                       copies of structures in other families, also planted
    SYSTEM.across                              trained on one ensemble, tested on another
    SYSTEM.sizes                               signal and noise in smaller boxes, where they ship

SPLIT is ``hard``, where one preparation is left out at a time, or ``soft``, where some structures
of each are. SIZE is the number of structures in a bundle, of which g(r) and spectrum are means, and
BINS the number of frequency bins. Spectra have the sum 1; errors are mean squares per bin.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.metrics import euclidean_distances

from glassdata.evaluation import copies, grouped_folds
from glassdata.experiments.contenders import (
    CHOSEN,
    LINE,
    NETWORK,
    RIVALS,
    UNITS,
    Inputs,
    guesses,
    inputs_of,
)
from glassdata.experiments.signal import (
    bundled,
    bundles,
    ensembles,
    means_of,
    noise_of,
    preparations,
    signal_to_noise,
)
from glassdata.scores import joined
from glassdata.store import reading
from glassdata.structures import Dataset, dataset
from glassdata.systems import SYSTEMS

#: Raised whenever the same result would come out differently, or the smaller boxes change.
VERSION = 1
SEED = 0
BINS = (25, 50, 100)
SIZES = (1, 4, 16)
CURVE = (1, 2, 4, 8, 16)
SPLITS = ("hard", "soft")
#: Fits to the training set as it is, over which errors are averaged: each deals structures to
#: bundles and settings to inner folds again. And fits to training sets drawn with replacement.
PLAIN, REFITS = 3, 16
#: A network, whose fits take a hundred times as long, is fitted once as it is and twice again.
NETWORK_REFITS = 2
#: With more preparations than this, several are left out at a time.
MOST_FOLDS = 16
SOFT_FOLDS = 5
CONTENDERS = (*UNITS, CHOSEN, *(name for name in RIVALS if name != NETWORK))
#: Who is tried on an ensemble that it was not trained on; with fewer structures, nobody is.
TRAVELLERS = (LINE, CHOSEN, "E, ρ quadratic", "kernel ridge", "mean")
FEWEST = 10
#: Size of the noise added to planted copies, in units of the distance to the nearest structure.
NOISES = (0.01, 0.03, 0.1, 0.3, 1.0)
PLANTED = 20


def result_names(glasses: Mapping[str, Dataset]) -> list[str]:
    """Names of all results, those that take longest first."""
    names, networks, others = [], [], []
    for system, data in glasses.items():
        kinds = ensembles(data)
        for kind in np.unique(kinds):
            prepared = preparations(data[kinds == kind])
            counts = np.unique(prepared, return_counts=True)[1]
            others.append(f"{system}.leak.{kind}")
            if len(counts) < 2 or counts.max() < 2:
                continue
            others.append(f"{system}.signal.{kind}")
            widths = bins_of(data)
            for split, size, bins in product(SPLITS, SIZES, widths):
                if _possible(counts, split, size):
                    names.append(f"{system}.errors.{kind}.{split}.{size}.{bins}")
            networks.append(f"{system}.cnn.{kind}.{SPLITS[0]}.1.{widths[0]}")
        others.append(f"{system}.across")
        if reading.SIZES.exists() and "sizes" in getattr(SYSTEMS.get(system), "protocols", ()):
            others.append(f"{system}.sizes")
    return networks + names + others


def bins_of(data: Dataset) -> tuple[int, ...]:
    """Numbers of bins that the bins of a glass can be joined to; if none of ``BINS``, its own.

    Examples
    --------
    >>> import glassdata as gd
    >>> bins_of(gd.dataset("lj2d"))
    (25, 50, 100)
    """
    n_omega = len(data.omega)
    return tuple(bins for bins in BINS if n_omega % bins == 0) or (n_omega,)


def compute(name: str, get: Callable[[str], Dataset]) -> dict[str, np.ndarray]:
    """One result; errors are mean squares per bin of spectra with sum 1."""
    system, measure, *where = name.split(".")
    data = get(system)
    if measure == "across":
        return _across(data)
    if measure == "sizes":
        return sizes_of(data, dataset(system, reading.SIZES))
    data = data[ensembles(data) == where[0]]
    if measure == "signal":
        return _signal(data)
    if measure == "leak":
        return _leak(data)
    split, size, Y = where[1], int(where[2]), joined(data.shares, int(where[3]))
    if measure == "cnn":
        return errors_of(data, Y, [NETWORK], split=split, plain=1, refits=NETWORK_REFITS)
    return errors_of(data, Y, CONTENDERS, split=split, size=size, plain=PLAIN, refits=REFITS)


# --- signal and noise -------------------------------------------------------------------------


def _signal(data: Dataset) -> dict[str, np.ndarray]:
    """Variances at each number of bins, and those of bundles; (value, low, high) each."""
    prepared = preparations(data)
    counts = np.unique(prepared, return_counts=True)[1]
    out: dict[str, list] = {"between": [], "within": [], "ratio": [], "curve": []}
    for bins in bins_of(data):
        Y = joined(data.shares, bins)
        for key, found in signal_to_noise(Y, prepared, seed=SEED).items():
            out[key].append(found)
        out["curve"].append([bundled(Y, prepared, size, seed=SEED) for size in CURVE])
    return {key: np.array(found) for key, found in out.items()} | {
        "bins": np.array(bins_of(data)),
        "size": np.array(CURVE),
        "structures": np.array(counts),
        "n_atoms": np.median(data.n_atoms),
    }


def sizes_of(data: Dataset, smaller: Dataset) -> dict[str, np.ndarray]:
    """Signal and noise of single structures against their size; (value, low, high) each.

    Parameters
    ----------
    data, smaller
        Structures of the same preparations, one size in the first, several in the second.

    Returns
    -------
    dict
        ``n_atoms`` (n_sizes,), and ``between``, ``within`` and ``ratio`` (n_bins, n_sizes, 3).

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.dataset("lj2d")
    >>> try:
    ...     found = sizes_of(argon[:0], argon[:40])
    ... except ValueError as error:
    ...     print("no structures")
    no structures
    """
    if not (len(data) and len(smaller)):
        raise ValueError("there are no structures of one of the sizes")
    parts = [smaller[smaller.n_atoms == n] for n in np.unique(smaller.n_atoms)] + [data]
    out: dict[str, list] = {"between": [], "within": [], "ratio": []}
    for bins in bins_of(data):
        found = [
            signal_to_noise(joined(one.shares, bins), preparations(one), seed=SEED) for one in parts
        ]
        for key, values in out.items():
            values.append([one[key] for one in found])
    sizes = np.array([np.median(one.n_atoms) for one in parts])
    return {key: np.array(values) for key, values in out.items()} | {
        "n_atoms": sizes,
        "bins": np.array(bins_of(data)),
    }


# --- errors above the floor -------------------------------------------------------------------


class Split(NamedTuple):
    """Fold, unit of the bootstrap, family, and inner group of each structure, (n,), from 0.

    A model that is tested on a fold saw none of its structures. Units are drawn with replacement
    for intervals. Inner groups are not split while a model chooses its settings: where whole
    preparations are left out, these are left out inside, too. No family is split by any of them.
    """

    fold: np.ndarray
    unit: np.ndarray
    kin: np.ndarray
    inner: np.ndarray


def split_of(prepared: np.ndarray, families: np.ndarray, split: str, size: int) -> Split:
    """Deal structures to folds, equal for all contenders, without splitting a family.

    Parameters
    ----------
    prepared, families : (n,)
        Preparation and family of each structure.
    split
        ``"hard"`` leaves out whole preparations, ``"soft"`` some structures of each.
    size
        Structures in a bundle: soft folds hold that many of a preparation.

    Examples
    --------
    >>> prepared, families = np.repeat([0, 1, 2], 4), np.arange(12)
    >>> split_of(prepared, families, "hard", 1).fold.tolist()
    [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    >>> soft = split_of(prepared, families, "soft", 2).fold
    >>> [sorted(set(prepared[soft == k].tolist())) for k in (0, 1)]
    [[0, 1, 2], [0, 1, 2]]
    """
    kin = np.unique(families, return_inverse=True)[1]
    if split == "hard":
        unit = _together(prepared, kin)
        if unit.max() < MOST_FOLDS:
            return Split(unit, unit, kin, unit)
        fold = np.empty(len(unit), int)
        for number, (_, test) in enumerate(grouped_folds(unit, 2 * SOFT_FOLDS, SEED)):
            fold[test] = number
        return Split(fold, unit, kin, unit)
    n_folds = _n_folds(np.unique(prepared, return_counts=True)[1], size)
    shuffled = np.random.default_rng(SEED).permutation(len(kin))
    in_order = shuffled[np.argsort(prepared[shuffled], kind="stable")]
    dealt = kin[in_order][np.sort(np.unique(kin[in_order], return_index=True)[1])]
    fold = (np.argsort(dealt) % n_folds)[kin]
    return Split(fold, _together(prepared * n_folds + fold, kin), kin, kin)


def _n_folds(counts: np.ndarray, size: int) -> int:
    """Soft folds: as many as leave a whole bundle of the larger preparations in each."""
    repeated = counts[counts > 1]
    return int(min(SOFT_FOLDS, np.median(repeated) // size)) if size > 1 else SOFT_FOLDS


def _possible(counts: np.ndarray, split: str, size: int) -> bool:
    """Whether enough preparations have bundles of that size to leave some out."""
    enough = np.sum(counts >= 0.75 * size) >= 4
    return bool(enough and (split == "hard" or _n_folds(counts, size) >= 2))


def _together(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Number of the smallest set that splits neither the values of ``a`` nor those of ``b``."""
    n = np.max(a) + 1
    links = coo_array((np.ones(len(a)), (a, n + b)), shape=(n + np.max(b) + 1,) * 2)
    return np.unique(connected_components(links, directed=False)[1][a], return_inverse=True)[1]


def errors_of(
    data: Dataset,
    Y: np.ndarray,
    names: Sequence[str],
    *,
    split: str = "hard",
    size: int = 1,
    plain: int = PLAIN,
    refits: int = REFITS,
    inputs: Inputs | None = None,
) -> dict[str, np.ndarray]:
    """Held-out errors of contenders, and the floor that the scatter of replicas sets.

    Parameters
    ----------
    data
        Structures of one ensemble.
    Y : (n, n_columns)
        What is to be predicted of each: a spectrum, or anything else. Errors are means over its
        columns.
    names
        Of the contenders.
    split, size
        As in the names of the results.
    plain, refits
        Fits to the training sets as they are, and to those drawn with replacement.
    inputs
        What contenders know of the structures, if it is not g(r) and the numbers beside it.

    Returns
    -------
    dict
        ``error`` (n_contenders, 1 + refits, n_units), of which the first is the mean over the plain
        fits; ``floor`` and ``count`` (n_units,); ``names``; and the variance ``between``.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.dataset("lj2d")[:60]
    >>> found = errors_of(argon, argon.density[:, None], ["line", "mean"], refits=0)
    >>> found["error"].shape[:2]
    (2, 1)
    """
    prepared = preparations(data)
    parts, inputs = split_of(prepared, data.groups, split, size), inputs or inputs_of(data)
    plain = 1 if size == 1 else plain  # single structures cannot be bundled in another way
    trials = [
        _trial(inputs, Y, prepared, parts, names=names, size=size, seed=trial, drawn=trial >= plain)
        for trial in range(plain + refits)
    ]
    present = [name for name in names if name in trials[0]]
    errors = np.array([[trial[name] for trial in trials] for name in present])
    first = errors[:, :plain].mean(axis=1, keepdims=True)
    errors = np.concatenate([first, errors[:, plain:]], axis=1)
    kept = np.isfinite(errors).all(axis=(0, 1))
    share = np.mean([trial["share"] for trial in trials], axis=0)
    return {
        "names": np.array(present),
        "error": errors[:, :, kept],
        "floor": (_by_unit(noise_of(Y, prepared), parts.unit, len(kept)) * share)[kept],
        "count": np.bincount(parts.unit)[kept],
        "between": np.array(signal_to_noise(Y, prepared, seed=SEED)["between"]),
    }


def _trial(
    inputs: Inputs,
    Y: np.ndarray,
    prepared: np.ndarray,
    parts: Split,
    *,
    names: Sequence[str],
    size: int,
    seed: int,
    drawn: bool,
) -> dict[str, np.ndarray]:
    """Mean error of each contender in each unit, (n_units,), and the share of the noise left."""
    rng = np.random.default_rng([SEED, seed])
    members = bundles(prepared, size, rng, parts.fold)
    again = [rng.choice(one, len(one)) for one in members]
    known, spectra = inputs.of_bundles(members + again), means_of(Y, members + again)
    first = np.array([one[0] for one in members])
    fold, unit, inner = parts.fold[first], parts.unit[first], np.tile(parts.inner[first], 2)
    found = {name: np.full(len(members), np.nan) for name in names}
    for number in np.unique(fold):
        train, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        if drawn:
            train = _drawn(train, prepared[first], parts.kin[first], size, rng)
        all_guesses = guesses(known, spectra, inner, train=train, test=test, names=names, seed=seed)
        for name, guess in all_guesses.items():
            found[name][test] = np.mean((guess - spectra[test]) ** 2, axis=1)
    n_units = parts.unit.max() + 1
    kept = {name: e for name, e in found.items() if np.isfinite(e).any()}
    kept["share"] = np.array([1 / len(one) for one in members])
    return {name: _by_unit(values, unit, n_units) for name, values in kept.items()}


def _by_unit(values: np.ndarray, unit: np.ndarray, n_units: int) -> np.ndarray:
    """Mean of the values in each unit, NaN in one that has none."""
    sums, counts = np.bincount(unit, values, n_units), np.bincount(unit, minlength=n_units)
    return np.divide(sums, counts, out=np.full(n_units, np.nan), where=counts > 0)


def _drawn(
    train: np.ndarray, of: np.ndarray, kin: np.ndarray, size: int, rng: np.random.Generator
) -> np.ndarray:
    """A training set drawn with replacement: families within each preparation, (n_drawn,).

    Preparations of a single structure are drawn among each other. The one bundle of a preparation
    is made again, of structures of the same number, drawn with replacement.
    """
    counts = np.bincount(of[train])
    alone = counts[of[train]] == 1
    strata = np.where(alone, -1, of[train])
    chosen = []
    if size > 1:
        chosen, train, strata = [train[alone] + len(of)], train[~alone], strata[~alone]
    for one in np.unique(strata):
        mine = train[strata == one]
        families = np.unique(kin[mine])
        picked = rng.choice(families, len(families))
        chosen += [mine[kin[mine] == family] for family in picked]
    return np.concatenate(chosen)


# --- leaks ------------------------------------------------------------------------------------


def _leak(data: Dataset) -> dict[str, np.ndarray]:
    """Copies of structures found in other families, and the share found of copies put there.

    A planted copy takes the place of a structure of another family and keeps the wrong name; its
    noise is ``noise`` times the distance of the nearest structures.
    """
    rng, groups = np.random.default_rng(SEED), data.groups
    pairs = copies(data.X, groups)
    out = {"pairs": data.index[pairs].reshape(-1, 2), "noise": np.array(NOISES)}
    found = []
    for noise in NOISES:
        X = data.X.copy()
        n = min(PLANTED, len(X) // 4)
        victim, source = rng.permutation(len(X))[: 2 * n].reshape(2, n)
        apart = groups[victim] != groups[source]
        victim, source = victim[apart], source[apart]
        step = rng.normal(size=(len(victim), X.shape[1]))
        scale = noise * _typical_distance(data.X) / np.linalg.norm(step, axis=1, keepdims=True)
        X[victim] = X[source] + scale * step
        seen = {tuple(sorted(pair)) for pair in copies(X, groups).tolist()}
        planted = {
            tuple(sorted(pair)) for pair in zip(victim.tolist(), source.tolist(), strict=True)
        }
        found.append(len(planted & seen) / max(len(planted), 1))
    return out | {"found": np.array(found), "planted": len(victim)}


def _typical_distance(X: np.ndarray) -> float:
    """Median distance between a structure and its nearest."""
    return float(np.median(np.sort(euclidean_distances(X), axis=1)[:, 1]))


# --- other ensembles --------------------------------------------------------------------------


def _across(data: Dataset) -> dict[str, np.ndarray]:
    """Errors on each ensemble of contenders that were trained on each, overall and in a class.

    Keys are ``TRAINED|TESTED|CLASS|what``, with the class ``all`` or a disorder class; ``error``
    is (n_contenders, n). On its own ensemble a contender is tested on preparations left out.
    """
    kinds, prepared = ensembles(data), preparations(data)
    Y, inputs = joined(data.shares, bins_of(data)[0]), inputs_of(data)
    inner = _together(prepared, np.unique(data.groups, return_inverse=True)[1])
    out: dict[str, np.ndarray] = {"names": np.array(TRAVELLERS)}
    for home, away in product(np.unique(kinds), repeat=2):
        for kind in ("all", *np.unique(data.classes)):
            mine = np.ones(len(data), bool) if kind == "all" else data.classes == kind
            train, test = mine & (kinds == home), mine & (kinds == away)
            if min(len(np.unique(inner[train])), len(np.unique(inner[test]))) < 3 or (
                min(train.sum(), test.sum()) < FEWEST
            ):
                continue
            errors = _travelled(inputs, Y, inner, train, test)
            tested, key = np.flatnonzero(test), f"{home}|{away}|{kind}"
            out[f"{key}|error"] = errors
            out[f"{key}|floor"] = noise_of(Y[tested], prepared[tested])
            out[f"{key}|unit"] = inner[tested]
    return out


def _travelled(
    inputs: Inputs, Y: np.ndarray, groups: np.ndarray, train: np.ndarray, test: np.ndarray
) -> np.ndarray:
    """Errors (n_contenders, n_test) of training on some structures and testing on others."""
    tested = np.flatnonzero(test)
    parts = [tested]
    if (train & test).any():
        n_folds = min(len(np.unique(groups[tested])), 2 * SOFT_FOLDS)
        parts = [tested[part] for _, part in grouped_folds(groups[tested], n_folds, SEED)]
    errors = np.empty((len(TRAVELLERS), len(Y)))
    for part in parts:
        known = np.flatnonzero(train & ~np.isin(groups, groups[part]))
        found = guesses(inputs, Y, groups, train=known, test=part, names=TRAVELLERS, seed=SEED)
        for number, name in enumerate(TRAVELLERS):
            errors[number, part] = np.mean((found[name] - Y[part]) ** 2, axis=1)
    return errors[:, tested]
