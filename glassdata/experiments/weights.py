"""What the weights of the linear maps mean, and how well they are determined.

Results, one of each per system::

    SYSTEM.maps          W and b of six fits to all structures, beside a moderate g(r) and D
    SYSTEM.grid          training and held-out loss against α and β of eq. 8
    SYSTEM.collinearity  condition number, variance inflation factors
    SYSTEM.bootstrap     how W scatters when families are drawn again with replacement
    SYSTEM.path          norms, bias and held-out error against the penalty, or the components
    SYSTEM.components    leading principal components of g(r), and what they follow
    SYSTEM.shells        held-out R² when shells are cut off, left alone or permuted

α and β are those of the mean over bins: ``reduction="mean"`` of ``glassdata.models.penalties``.

>>> BOOTSTRAP["ridge"], REACHES[0]  # resamples; Å
(200, 2.0)
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from glassdata import models
from glassdata.structures import Dataset

#: Arrays of a result, by name.
Result = dict[str, Any]

FOLDS = 5
#: Raised whenever the same result would come out differently.
VERSION = 1
SEED = 0
ALPHAS = (0.0, 1e-8, 1e-7, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4)
BETAS = (0.0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
#: The setting of the paper's Fig. 3.
PAPER_ALPHA = 1e-5
BOOTSTRAP = {"ridge": 200, "least_squares": 200, "pcr": 200, "lasso": 30, "elastic_net": 30}
REACHES = (2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)  # Å
PERMUTATIONS = 20
N_COMPONENTS = 8


def result_names(glasses: Mapping[str, Dataset]) -> list[str]:
    """Names of all results, those that take longest first."""
    return [f"{system}.{measure}" for measure, system in product(MEASURES, glasses)]


def compute(name: str, get: Callable[[str], Dataset]) -> dict[str, np.ndarray]:
    """One result; spectra have sum 1 over the bins, W and b their unit."""
    system, measure = name.split(".")
    return MEASURES[measure](get(system))


def _chosen(data: Dataset) -> dict[str, Any]:
    """Each kind of map with the penalty that its own tuning prefers, fitted to everything."""
    tuned = {
        "ridge": models.ridge(),
        "lasso": models.lasso(),
        "elastic_net": models.elastic_net(),
        "pcr": models.pcr(),
    }
    fits = {n: t.fit(data.X, data.shares, groups=data.groups) for n, t in tuned.items()}
    fixed = {name: fitted.best_estimator_ for name, fitted in fits.items()}
    paper = models.penalties(PAPER_ALPHA, 0.0, data.shares, reduction="mean")
    fixed["paper"] = models.LinearMap(**paper).fit(data.X, data.shares)
    fixed["least_squares"] = models.LinearMap(l2=0.0).fit(data.X, data.shares)
    return fixed


def _maps(data: Dataset) -> Result:
    # Moderate: the structure whose g(r) has the median variance.
    swing = data.X.var(axis=1)
    moderate = int(np.argsort(swing)[len(swing) // 2])
    out = {
        "r": data.r,
        "omega": data.omega,
        "g": data.X[moderate],
        "pdos": data.shares[moderate],
        "g_mean": data.X.mean(axis=0),
        "pdos_mean": data.shares.mean(axis=0),
        "g_sd": data.X.std(axis=0),
    }
    for name, fitted in _chosen(data).items():
        out[f"W_{name}"] = fitted.coef_.astype("f4")
        out[f"b_{name}"] = fitted.intercept_
        out |= {f"{key}_{name}": value for key, value in fitted.get_params().items()}
        error = data.shares - fitted.predict(data.X)
        out[f"training_mse_{name}"] = np.mean(error**2)
    return out


def _grid(data: Dataset) -> Result:
    shape = len(ALPHAS), len(BETAS)
    squares = {"training": np.zeros(shape), "held_out": np.zeros(shape)}
    nonzero = np.zeros(shape)
    for train, test in models.grouped_folds(data.groups, FOLDS, SEED):
        X, Y = data.X[train], data.shares[train]
        pairs = list(product(ALPHAS, BETAS))
        settings = [models.penalties(a, b, Y, reduction="mean") for a, b in pairs]
        fits: list[Any] = models.LinearMap().path(X, Y, settings)
        for number, fitted in enumerate(fits):
            at = np.unravel_index(number, shape)
            squares["training"][at] += np.mean((fitted.predict(X) - Y) ** 2) / FOLDS
            error = fitted.predict(data.X[test]) - data.shares[test]
            squares["held_out"][at] += np.sum(error**2) / data.shares.size
            nonzero[at] += np.mean(fitted.coef_ != 0) / FOLDS
    return {"alpha": ALPHAS, "beta": BETAS, "nonzero": nonzero} | squares


def _collinearity(data: Dataset) -> dict[str, np.ndarray]:
    """Variance inflation 1/(1 − R²) of each bin by all others; NaN where a bin never varies."""
    varying = data.X.std(axis=0) > 1e-9
    Z = data.X[:, varying]
    Z = (Z - Z.mean(axis=0)) / Z.std(axis=0)
    singular = np.linalg.svd(Z, compute_uv=False)
    vif = np.full(len(data.r), np.nan)
    # With no more structures than bins every bin is an exact combination of the others.
    determined = len(Z) > Z.shape[1]
    correlation = Z.T @ Z / len(Z)
    vif[varying] = np.diag(np.linalg.inv(correlation)) if determined else np.inf
    share = singular**2 / np.sum(singular**2)
    return {
        "r": data.r,
        "vif": vif,
        "singular": singular,
        "condition": singular[0] / singular[min(len(Z) - 1, Z.shape[1]) - 1],
        "effective_rank": np.exp(-np.sum(share * np.log(np.maximum(share, 1e-300)))),
        "neighbour_correlation": np.diag(correlation, 1),
        "determined": determined,
    }


def _bootstrap(data: Dataset) -> dict[str, np.ndarray]:
    """Mean and scatter of W over resampled families, at the penalties chosen once."""
    out = {"r": data.r, "omega": data.omega}
    fixed = _chosen(data)
    families = np.unique(data.groups)
    members = [np.flatnonzero(data.groups == family) for family in families]
    for name, repeats in BOOTSTRAP.items():
        rng = np.random.default_rng(SEED)
        total = np.zeros((3, *fixed[name].coef_.shape))
        for _ in range(repeats):
            drawn = rng.integers(len(families), size=len(families))
            rows = np.concatenate([members[k] for k in drawn])
            W = _refit(fixed[name], data, rows)
            total += W, W**2, W != 0
        mean, square, chosen = total / repeats
        out[f"mean_{name}"] = mean.astype("f4")
        out[f"sd_{name}"] = np.sqrt(np.maximum(square - mean**2, 0)).astype("f4")
        if name in ("lasso", "elastic_net"):
            out[f"selected_{name}"] = chosen.astype("f4")
    return out


def _refit(fitted: BaseEstimator, data: Dataset, rows: np.ndarray) -> np.ndarray:
    """W of the same model, fitted to some of the structures, which may occur more than once."""
    again = type(fitted)(**fitted.get_params())
    return again.fit(data.X[rows], data.shares[rows]).coef_


def _path(data: Dataset) -> Result:
    """Ridge against its penalty, PCR against its components: size of W, bias, held-out error."""
    peaks = np.sort(np.argsort(data.shares.mean(axis=0))[-3:])
    out: Result = {"r": data.r, "omega": data.omega, "shown": peaks}
    mean = data.shares.mean(axis=0)
    for name, model, grid in (
        ("ridge", models.LinearMap(), [{"l2": value} for value in models.RIDGE_L2]),
        ("pcr", models.PrincipalMap(), [{"n_components": k} for k in models.COMPONENTS]),
    ):
        held_out = _held_out_errors(data, model, grid)
        fits: list[Any] = model.path(data.X, data.shares, grid)
        kept = [k for k, fit in enumerate(fits) if fit is not None and np.isfinite(held_out[k])]
        out |= {
            f"{name}_setting": [float(next(iter(grid[k].values()))) for k in kept],
            f"{name}_norm": [np.linalg.norm(fits[k].coef_) for k in kept],
            f"{name}_held_out": held_out[kept],
            f"{name}_training": [
                np.mean((fits[k].predict(data.X) - data.shares) ** 2) for k in kept
            ],
            f"{name}_W": np.array([fits[k].coef_[peaks] for k in kept], "f4"),
            f"{name}_b": np.array([fits[k].intercept_ for k in kept], "f4"),
            f"{name}_b_likeness": [np.corrcoef(fits[k].intercept_, mean)[0, 1] for k in kept],
        }
    return out


def _held_out_errors(
    data: Dataset, model: BaseEstimator, grid: Sequence[Mapping[str, float]]
) -> np.ndarray:
    """Mean squared error per bin on held-out families for each setting, infinite if none fits."""
    squares = np.zeros(len(grid))
    for train, test in models.grouped_folds(data.groups, FOLDS, SEED):
        for k, fit in enumerate(model.path(data.X[train], data.shares[train], grid)):
            error = np.inf if fit is None else fit.predict(data.X[test]) - data.shares[test]
            squares[k] += np.sum(np.square(error))
    return squares / data.shares.size


def _components(data: Dataset) -> dict[str, np.ndarray]:
    """Leading directions of g(r), their share, and their correlation with named numbers."""
    centred = data.X - data.X.mean(axis=0)
    left, singular, right = np.linalg.svd(centred, full_matrices=False)
    k = min(N_COMPONENTS, len(data) - 1)
    first = int(np.argmax(data.X.mean(axis=0)))
    named = {
        "density": data.density,
        "swing of g(r)": data.X.var(axis=1),
        "height at the first peak": data.X[:, first],
        "number of atoms": data.n_atoms,
        "mean frequency": data.shares @ data.omega,
        "mean squared frequency": data.shares @ data.omega**2,
    }
    scores = left[:, :k]
    with np.errstate(invalid="ignore"):  # a number that never varies follows nothing
        follows = [[np.corrcoef(s, value)[0, 1] for value in named.values()] for s in scores.T]
    return {
        "r": data.r,
        "omega": data.omega,
        "components": right[:k],
        "share": (singular**2 / np.sum(singular**2))[:k],
        "named": np.array(list(named)),
        "correlation": np.array(follows),
        "response": (data.shares - data.shares.mean(axis=0)).T @ scores,
    }


def _shells(data: Dataset) -> Result:
    """R² in every frequency bin of a line that sees parts of g(r) only."""
    edges = _shell_edges(data)
    inside = [(data.r >= low) & (data.r < high) for low, high in pairwise(edges)]
    out = {"r": data.r, "omega": data.omega, "shell_edges": edges, "reach": REACHES}
    out["all"] = _r2_by_bin(data, np.ones(len(data.r), bool))
    reached = [data.r < reach for reach in REACHES]
    for name, masks in (
        ("within", reached),
        ("beyond", [~mask for mask in reached]),
        ("alone", inside),
        ("without", [~mask for mask in inside]),
    ):
        out[name] = np.array([_r2_by_bin(data, mask) for mask in masks])
    out["permuted"] = _permuted(data, inside)
    return out


def _shell_edges(data: Dataset) -> np.ndarray:
    """0, the minima between the peaks of the mean g(r), and the end; five shells at most."""
    # Averaged over 0.5 Å, so that ripples do not count as shells.
    width = max(round(0.5 / (data.r[1] - data.r[0])), 1)
    smooth = np.convolve(data.X.mean(axis=0), np.ones(width) / width, mode="same")
    start = int(np.argmax(smooth > 0.5 * smooth.max()))
    low = [
        k
        for k in range(start + 1, len(smooth) - width)
        if smooth[k] < smooth[k - 1] and smooth[k] <= smooth[k + 1]
    ]
    step = data.r[1] - data.r[0]
    return np.array([0.0, *data.r[low[:4]], data.r[-1] + step / 2])


def _r2_by_bin(data: Dataset, mask: np.ndarray) -> np.ndarray:
    """Held-out R² in each frequency bin, with the overall one appended; NaN where D is constant."""
    held_out = models.cross_validate(
        models.ridge(), data.X[:, mask], data.shares, data.groups, n_splits=FOLDS, seed=SEED
    )
    return _by_bin(held_out.truth, held_out.prediction, held_out.baseline)


def _by_bin(truth: np.ndarray, guess: np.ndarray, baseline: np.ndarray) -> np.ndarray:
    """R² against the baseline in each bin, and over all; (n_omega + 1,), NaN where it is exact."""
    error, reference = (np.sum((x - truth) ** 2, axis=0) for x in (guess, baseline))
    error, reference = (np.append(x, x.sum()) for x in (error, reference))
    return np.where(reference > 0, 1 - error / np.where(reference > 0, reference, 1), np.nan)


def _permuted(data: Dataset, shells: Sequence[np.ndarray]) -> np.ndarray:
    """Held-out R² by bin when one shell comes from another held-out structure."""
    rng = np.random.default_rng(SEED)
    guess = np.zeros((len(shells), PERMUTATIONS, *data.shares.shape))
    baseline = np.empty_like(data.shares)
    for train, test in models.grouped_folds(data.groups, FOLDS, SEED):
        X, Y = data.X[train], data.shares[train]
        fitted = models.ridge().fit(X, Y, groups=data.groups[train])
        baseline[test] = Y.mean(axis=0)
        for number, repeat in product(range(len(shells)), range(PERMUTATIONS)):
            mixed, shell = data.X[test].copy(), shells[number]
            mixed[:, shell] = mixed[rng.permutation(len(test))][:, shell]
            guess[number, repeat, test] = fitted.predict(mixed)
    return np.array(
        [
            np.mean([_by_bin(data.shares, one, baseline) for one in repeats], axis=0)
            for repeats in guess
        ]
    )


#: What is computed for every glass, those that take longest first.
MEASURES: Mapping[str, Callable[[Dataset], dict[str, np.ndarray]]] = {
    "grid": _grid,
    "bootstrap": _bootstrap,
    "shells": _shells,
    "maps": _maps,
    "path": _path,
    "components": _components,
    "collinearity": _collinearity,
}
