"""What a referee would ask: each objection as a short experiment.

Results, one of each per system, and one transfer per ordered pair of systems with the same bins
of g(r), and of frequencies if they differ in their species::

    SYSTEM.leakage    R² of random splits and of grouped ones, five seeds
    SYSTEM.baselines  held-out errors of line and yardsticks, structure by structure
    SYSTEM.left_out   one disorder class held out at a time
    SYSTEM.noise      scatter of replicates, and of nearest neighbours in g(r)
    SYSTEM.scores     Wasserstein distance and moments beside the squared error
    SYSTEM.bins       R² against the widths of the bins
    SYSTEM.density    g(r) as it is, with the density, times the density, as n(r), as G(r)
    SYSTEM.size       small structures predict large ones
    SYSTEM.residual   kernel ridge on what the line does not explain
    SYSTEM.transfer.OTHER   trained on one, tested on the other
"""

from collections.abc import Callable, Mapping
from itertools import permutations, product

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.metrics import euclidean_distances

from glassdata import models
from glassdata.experiments import objections
from glassdata.scores import joined, normalised
from glassdata.structures import Dataset
from glassdata.vibrations import pdos

FOLDS = 5
#: Raised whenever the same result would come out differently.
VERSION = 1
SEED = 0
SEEDS = range(5)
COARSER = (1, 2, 4, 5, 10)
#: A structure counts as large if it has more than this many times the median number of atoms.
LARGE = 1.3
YARDSTICKS: Mapping[str, Callable[[], BaseEstimator]] = {
    name: models.MODELS[name].make for name in ("ridge", "kernel_ridge", "nearest", "variance")
} | dict.fromkeys(("density", "n_atoms", "peak_width"), models.scalar)


def result_names(glasses: Mapping[str, Dataset]) -> list[str]:
    """Names of all results, those that take longest first."""
    pairs = [
        f"{a}.transfer.{b}" for a, b in permutations(glasses, 2) if _alike(glasses[a], glasses[b])
    ]
    return [f"{system}.{measure}" for measure, system in product(MEASURES, glasses)] + pairs


def compute(name: str, get: Callable[[str], Dataset]) -> dict[str, np.ndarray]:
    """One result; errors are mean squares per bin of spectra with sum 1, one per structure."""
    system, measure, *other = name.split(".")
    if measure == "transfer":
        return _transfer(get(system), get(*other))
    return MEASURES[measure](get(system))


def _alike(a: Dataset, b: Dataset) -> bool:
    """Have they the same bins of g(r), and either the same bins of ω or the same species?"""
    return np.array_equal(a.r, b.r) and (
        np.array_equal(a.omega, b.omega) or (len(a.pairs) > 0 and a.pairs == b.pairs)
    )


def _held_out(
    data: Dataset,
    model: BaseEstimator,
    X: np.ndarray | None = None,
    Y: np.ndarray | None = None,
) -> models.Evaluation:
    """Predictions of every structure, its family held out; other inputs or outputs if given."""
    X = data.X if X is None else X
    Y = data.shares if Y is None else Y
    return models.cross_validate(model, X, Y, data.groups, n_splits=FOLDS, seed=SEED)


def _features(data: Dataset, name: str) -> np.ndarray:
    """The input of a yardstick: one number of the structure, or g(r)."""
    single = name in ("density", "n_atoms", "peak_width")
    return getattr(data, name)[:, None] if single else data.X


def _errors(guess: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return np.mean((guess - truth) ** 2, axis=1)


def _leakage(data: Dataset) -> dict[str, np.ndarray]:
    """R² of grouped and of random splits; in a random one the inner tuning ignores families too."""
    out = {}
    for name in ("ridge", "nearest"):
        for split, groups in (("grouped", data.groups), ("random", np.arange(len(data)))):
            out[f"{split}_{name}"] = np.array(
                [
                    models.cross_validate(
                        YARDSTICKS[name](), data.X, data.shares, groups, n_splits=FOLDS, seed=seed
                    ).r2
                    for seed in SEEDS
                ]
            )
    return out


def _baselines(data: Dataset) -> dict[str, np.ndarray]:
    """Errors of all yardsticks, and of the mean of the training structures of the same class."""
    out = {"classes": data.classes, "groups": data.groups, "n_atoms": data.n_atoms}
    for name, make in YARDSTICKS.items():
        held_out = _held_out(data, make(), _features(data, name))
        out[f"error_{name}"] = _errors(held_out.prediction, held_out.truth)
    out["baseline"] = _errors(held_out.baseline, held_out.truth)
    class_mean = objections.class_means(held_out, data.classes)
    out["error_class_mean"] = _errors(class_mean, held_out.truth)
    return out


def _left_out(data: Dataset) -> dict[str, np.ndarray]:
    """Trained on all other classes, without the families that have a structure in this class."""
    out = {"classes": np.unique(data.classes)}
    for kind in out["classes"]:
        test = data.classes == kind
        train = ~test & ~np.isin(data.groups, data.groups[test])
        if len(np.unique(data.groups[train])) < FOLDS:
            continue
        Y, mean = data.shares[test], data.shares[train].mean(axis=0)
        out[f"baseline_{kind}"] = _errors(mean, Y)
        # The test class's own mean, which is not known before the test.
        out[f"own_mean_{kind}"] = _errors(Y.mean(axis=0), Y)
        for name, make in YARDSTICKS.items():
            X = _features(data, name)
            fitted = make().fit(X[train], data.shares[train], groups=data.groups[train])
            out[f"error_{name}_{kind}"] = _errors(fitted.predict(X[test]), Y)
    return out


def _noise(data: Dataset) -> dict[str, np.ndarray]:
    """How much of the error no model can avoid.

    ``scatter`` is the variance per bin among replicates: the error of a model that knows the
    preparation exactly and nothing else. A model that knows g(r) may do better. ``pair`` is half
    the squared difference between the spectra of a structure and of its nearest neighbour in g(r)
    among other families: more than the variance at equal g(r), the more so the larger
    ``pair_distance`` is.
    """
    line = _held_out(data, models.ridge())
    repeats = data.replicate
    out = {
        "error": _errors(line.prediction, line.truth),
        "baseline": _errors(line.baseline, line.truth),
        "replicate": repeats,
        "classes": data.classes,
        "groups": data.groups,
    }
    if repeats.sum() >= 2:
        mean, n = data.shares[repeats].mean(axis=0), repeats.sum()
        out["scatter"] = _errors(mean, data.shares[repeats]) * n / (n - 1)
        out["scatter_by_bin"] = data.shares[repeats].var(axis=0, ddof=1)
    distance = euclidean_distances(data.X)
    distance[data.groups[:, None] == data.groups[None]] = np.inf
    nearest = distance.argmin(axis=1)
    out["pair"] = _errors(data.shares, data.shares[nearest]) / 2
    out["pair_distance"] = distance.min(axis=1)
    out["spread"] = np.sqrt(2 * data.X.var(axis=0).sum())
    return out


def _scores(data: Dataset) -> dict[str, np.ndarray]:
    """Wasserstein distance in THz of the spectra made positive, and moments in powers of THz."""
    line = _held_out(data, models.ridge())
    out = {"groups": data.groups, "classes": data.classes}
    step = data.omega[1] - data.omega[0]
    spectra = {"truth": line.truth, "line": line.prediction, "mean": line.baseline}
    out["negative"] = np.minimum(line.prediction, 0).sum(axis=1)
    for name, Y in spectra.items():
        positive = models.normalised(np.maximum(Y, 0))
        out[f"wasserstein_{name}"] = step * np.sum(
            np.abs(np.cumsum(positive - data.shares, axis=1)), axis=1
        )
        for power in (-1, 1, 2, 4):
            out[f"moment_{power}_{name}"] = Y @ data.omega ** float(power)
        out[f"error_{name}"] = _errors(Y, line.truth)
    return out


def _bins(data: Dataset) -> dict[str, np.ndarray]:
    """R² with bins of g(r) or of the PDOS joined; baseline and truth are joined alike."""
    n, n_r = data.X.shape
    n_omega = data.shares.shape[1]
    factors = [f for f in COARSER if n_r % f == 0 and n_omega % f == 0]
    r2 = np.full((len(factors), len(factors)), np.nan)
    for (i, wide_r), (j, wide_omega) in product(enumerate(factors), enumerate(factors)):
        if 0 in (i, j) or i == j:
            X = data.X.reshape(n, -1, wide_r).mean(axis=2)
            Y = joined(data.shares, n_omega // wide_omega)
            r2[i, j] = _held_out(data, models.ridge(), X, Y).r2
    steps = data.r[1] - data.r[0], data.omega[1] - data.omega[0]
    return {"r2": r2, "dr": np.array(factors) * steps[0], "domega": np.array(factors) * steps[1]}


def _density(data: Dataset) -> dict[str, np.ndarray]:
    """Representations scaled to the total variance of g(r), so that a penalty means the same."""
    rho, r = data.density[:, None], data.r
    measure = 2 * np.pi * r if data.dim == 2 else 4 * np.pi * r**2
    spread = np.sqrt(data.X.var(axis=0).sum())
    column = (rho - rho.mean()) / (rho.std() or 1.0) * spread / np.sqrt(len(r))
    kinds = {
        "g": data.X,
        "g and density": np.hstack([data.X, column]),
        "density times g": rho * data.X,
        "n": rho * data.X * measure,
        "G": rho * (data.X - 1) * measure / r ** (data.dim - 2),
    }
    out = {"names": np.array([*kinds, "density"]), "groups": data.groups}
    errors = []
    for X in kinds.values():
        scaled = X * spread / np.sqrt(X.var(axis=0).sum())
        held_out = _held_out(data, models.ridge(), scaled)
        errors.append(_errors(held_out.prediction, held_out.truth))
    held_out = _held_out(data, models.scalar(), rho)
    errors.append(_errors(held_out.prediction, held_out.truth))
    return out | {"error": np.array(errors), "baseline": _errors(held_out.baseline, held_out.truth)}


def _size(data: Dataset) -> dict[str, np.ndarray]:
    """Structures well above the median size, predicted from the others."""
    large = data.n_atoms > LARGE * np.median(data.n_atoms)
    out = {"n_atoms": data.n_atoms, "large": large}
    train = ~large & ~np.isin(data.groups, data.groups[large])
    if large.sum() >= 5:
        fitted = models.ridge().fit(data.X[train], data.shares[train], groups=data.groups[train])
        Y = data.shares[large]
        out["error"] = _errors(fitted.predict(data.X[large]), Y)
        out["baseline"] = _errors(data.shares[train].mean(axis=0), Y)
        within = _held_out(data, models.ridge())
        out["error_mixed"] = _errors(within.prediction, within.truth)[large]
    return out


def _residual(data: Dataset) -> dict[str, np.ndarray]:
    """A kernel is fitted to the errors that the line makes on families that it has not seen."""
    out = {"groups": data.groups, "test_fold": np.empty(len(data), int)}
    guess = {name: np.empty_like(data.shares) for name in ("mean", "line", "both", "kernel")}
    for number, (train, test) in enumerate(models.grouped_folds(data.groups, FOLDS, SEED)):
        X, Y, groups = data.X[train], data.shares[train], data.groups[train]
        line = models.ridge().fit(X, Y, groups=groups)
        inner = models.cross_validate(models.ridge(), X, Y, groups, n_splits=FOLDS, seed=SEED)
        rest = models.kernel_ridge().fit(X, Y - inner.prediction, groups=groups)
        guess["mean"][test] = Y.mean(axis=0)
        guess["line"][test] = line.predict(data.X[test])
        guess["both"][test] = guess["line"][test] + rest.predict(data.X[test])
        kernel = models.kernel_ridge().fit(X, Y, groups=groups)
        guess["kernel"][test] = kernel.predict(data.X[test])
        out["test_fold"][test] = number
    return out | {f"error_{name}": _errors(y, data.shares) for name, y in guess.items()}


def _shares_in_bins_of(other: Dataset, data: Dataset) -> np.ndarray:
    """``data.shares`` in the bins of frequency of another glass, (n, n_omega)."""
    if np.array_equal(data.omega, other.omega):
        return data.shares
    counted = [pdos(data.frequencies(k), other.omega_edges) for k in range(len(data))]
    return normalised(np.array(counted))


def _transfer(source: Dataset, target: Dataset) -> dict[str, np.ndarray]:
    """A line fitted to one glass, judged on another in the bins of the first.

    ``error_shifted`` is the error after the mean of the predictions was set to the mean of the
    target, so that only the slopes are judged.
    """
    truth = _shares_in_bins_of(source, target)
    fitted = models.ridge().fit(source.X, source.shares, groups=source.groups)
    guess = fitted.predict(target.X)
    shift = truth.mean(axis=0) - guess.mean(axis=0)
    home = _held_out(target, models.ridge(), Y=truth)
    return {
        "groups": target.groups,
        "error": _errors(guess, truth),
        "error_shifted": _errors(guess + shift, truth),
        "error_at_home": _errors(home.prediction, home.truth),
        "baseline_source": _errors(source.shares.mean(axis=0), truth),
        "baseline_target": _errors(truth.mean(axis=0), truth),
        "baseline_at_home": _errors(home.baseline, home.truth),
    }


#: What is computed for every glass, those that take longest first.
MEASURES: Mapping[str, Callable[[Dataset], dict[str, np.ndarray]]] = {
    "leakage": _leakage,
    "residual": _residual,
    "baselines": _baselines,
    "left_out": _left_out,
    "bins": _bins,
    "density": _density,
    "scores": _scores,
    "noise": _noise,
    "size": _size,
}
