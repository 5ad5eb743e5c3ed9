"""The laws of models: fits repeat, families stay together, a file brings the same model back."""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GroupKFold
from sklearn.utils.validation import has_fit_parameter

from glassdata import models
from glassdata.models import MODELS
from glassdata.regression import Regression
from glassdata.testing.contract import differences, enforce, shared_randomness

_FAMILIES, _PER_FAMILY, _N_R, _N_OMEGA = 24, 3, 12, 3
# Largest change of a prediction, as a share of the spread of the spectra, when their unit changes:
# closed formulas round differently; networks work in single precision and learn differently.
_EXACT, _LEARNED = 1e-7, 2e-2
# Noise of the planted map, share of the spread.
_NOISE = 0.01


def check_model(model: str | BaseEstimator, *, seed: int = 0) -> None:
    """Try every law of a model on small planted data.

    Parameters
    ----------
    model : str or estimator
        Name in ``glassdata.models.MODELS``, or an estimator that is not fitted.
    seed : int
        Seed of the data.

    Raises
    ------
    ContractError
        Naming all laws that are violated.

    Examples
    --------
    >>> check_model("ridge")
    """
    name = model if isinstance(model, str) else type(model).__name__
    estimator = MODELS[model].make() if isinstance(model, str) else model
    data = _planted(np.random.default_rng(seed))
    laws: dict[str, Callable[..., Iterator[str]]] = {
        "fit and predict": _fit_and_predict,
        "deterministic": _deterministic,
        "linear map": _linear_map,
        "unit of the spectra": _equivariance,
        "families": partial(_families, rng=np.random.default_rng(seed + 1)),
        "file": _file,
    }
    enforce(
        f"the model {name}",
        {title: partial(law, estimator, *data) for title, law in laws.items()},
    )


def _planted(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X, Y, groups: spectra that are a linear map of g(r), in families of similar structures."""
    n = _FAMILIES * _PER_FAMILY
    X = 1 + 0.3 * rng.normal(size=(n, _N_R))
    Y = 0.5 + 0.02 * X @ rng.normal(size=(_N_R, _N_OMEGA))
    Y += _NOISE * Y.std(axis=0) * rng.normal(size=Y.shape)
    return X, Y, np.repeat(np.arange(_FAMILIES), _PER_FAMILY)


def _fitted(model: BaseEstimator, X, Y, groups) -> BaseEstimator:
    """A fresh copy, given the families if it asks for them."""
    extra = {"groups": groups} if has_fit_parameter(model, "groups") else {}
    return clone(model).fit(X, Y, **extra)


def _fit_and_predict(model, X, Y, groups) -> Iterator[str]:
    kept = X.copy(), Y.copy()
    settings = str(clone(model).get_params())
    fresh = clone(model)
    extra = {"groups": groups} if has_fit_parameter(model, "groups") else {}
    if fresh.fit(X, Y, **extra) is not fresh:
        yield "fit must return the estimator itself"
    if str(fresh.get_params()) != settings:
        yield "fit changes the settings; what is learned belongs into attributes that end in _"
    for n in (1, 7):
        found = fresh.predict(X[:n])
        if np.shape(found) != (n, _N_OMEGA):
            yield f"predict of {n} structures has shape {np.shape(found)}, expected {n, _N_OMEGA}"
        elif not np.isfinite(found).all():
            yield "predictions are not finite"
    if (kept[0] != X).any() or (kept[1] != Y).any():
        yield "fit or predict changes the arrays that it is given"
    together, alone = fresh.predict(X), np.concatenate([fresh.predict(x[None]) for x in X])
    yield from differences(
        "the prediction of a structure on its own",
        alone,
        together,
        # Sums of products in another order, in single precision for networks.
        tolerance=1e-5 * np.ptp(Y),
        look="what predict takes from the other structures",
    )
    mine = X.copy(), Y.copy()
    learned = _fitted(model, *mine, groups)
    before = learned.predict(X)
    mine[0][:], mine[1][:] = 0.0, 0.0
    if not np.array_equal(learned.predict(X), before):
        yield "predictions change when the arrays it was fitted to are altered: keep a copy"
    for wrong in (X[:, :-1], np.full_like(X, np.nan)):
        try:
            fresh.predict(wrong)
        except ValueError:
            continue
        yield "predict must raise ValueError for another number of bins, and for NaN"


def _deterministic(model, X, Y, groups) -> Iterator[str]:
    predictions = []
    for state in (1, 2):
        with shared_randomness(state):
            predictions.append(_fitted(model, X, Y, groups).predict(X))
    if not np.array_equal(*predictions):
        off = np.abs(predictions[0] - predictions[1]).max()
        yield f"fitted twice to the same data it predicts spectra that differ by {off:.3g}"


def _linear_map(model, X, Y, groups) -> Iterator[str]:
    """A line recovers a line, and predicts what its weights say."""
    fitted = _fitted(model, X, Y, groups)
    if np.shape(getattr(fitted, "coef_", np.nan)) != (_N_OMEGA, _N_R):
        return
    yield from differences(
        "the prediction of a line",
        fitted.predict(X),
        X @ fitted.coef_.T + fitted.intercept_,
        tolerance=1e-9 * np.ptp(Y),
        look="coef_ of shape (n_omega, n_r) and intercept_",
    )
    if type(model).__name__ != "Tuned":
        return  # a penalty that is given may be of any strength
    train = groups < 2 * _FAMILIES // 3
    fitted = _fitted(model, X[train], Y[train], groups[train])
    error = np.mean((fitted.predict(X[~train]) - Y[~train]) ** 2)
    share = error / np.var(Y, axis=0).mean()
    # Twelve weights from 48 structures: the noise, a hundredth of the spread, and a quarter more.
    if not share < (5 * _NOISE) ** 2:
        yield (
            f"a planted line with noise of {_NOISE:g} is predicted with an error of "
            f"{share**0.5:.3g} of the spread, allowed are {5 * _NOISE:g}"
        )


def _equivariance(model, X, Y, groups) -> Iterator[str]:
    """Another unit or zero of the spectra is another unit or zero of the predictions."""
    before = _fitted(model, X, Y, groups).predict(X)
    tolerance = (_LEARNED if _is_network(model) else _EXACT) * np.ptp(Y)
    for what, factor, shift in (("unit", 1000.0, 0.0), ("zero", 1.0, 0.7)):
        after = _fitted(model, X, factor * Y + shift, groups).predict(X)
        yield from differences(
            f"a prediction after a change of the {what} of the spectra",
            (after - shift) / factor,
            before,
            tolerance=tolerance,
            look="penalties and scales that depend on the unit, and the intercept",
        )


def _is_network(model) -> bool:
    return isinstance(model, models.ConvolutionalNetwork)


def _families(model, X, Y, groups, *, rng: np.random.Generator) -> Iterator[str]:
    """Families of near copies, with spectra that nothing predicts: a planted leak.

    A model that chooses its settings with one family on both sides of a split seems to predict
    well, and chooses settings that only remember. On held-out families it then fails.
    """
    if not has_fit_parameter(model, "groups"):
        return
    X = np.repeat(1 + 0.3 * rng.normal(size=(_FAMILIES, _N_R)), _PER_FAMILY, axis=0)
    X += 1e-3 * rng.normal(size=X.shape)
    Y = np.repeat(rng.normal(size=(_FAMILIES, _N_OMEGA)), _PER_FAMILY, axis=0)
    Y += 1e-2 * rng.normal(size=Y.shape)
    error = baseline = 0.0
    claims = []
    for train, test in GroupKFold(4).split(X, groups=groups):
        fitted = _fitted(model, X[train], Y[train], groups[train])
        error += np.sum((fitted.predict(X[test]) - Y[test]) ** 2)
        baseline += np.sum((Y[train].mean(axis=0) - Y[test]) ** 2)
        claims.append(np.min(getattr(fitted, "errors_", np.inf)))
    honest = error / Y.size
    if np.isfinite(claims).all() and not np.mean(claims) > 0.6 * honest:
        yield (
            f"fit claims a held-out error of {np.mean(claims):.3g} where held-out families give "
            f"{honest:.3g}: structures of one family stand on both sides of its splits; look at "
            "how fit uses groups"
        )
    # Where nothing can be predicted, honest choices end near the training mean.
    if not error < 1.5 * baseline:
        yield (
            f"on families that cannot be predicted its error is {error / baseline:.3g} times that "
            "of the training mean: it chose its settings on families that it had learned from; "
            "look at how fit uses groups"
        )


def _file(model, X, Y, groups) -> Iterator[str]:
    fitted = _fitted(model, X, Y, groups)
    inner = getattr(fitted, "best_estimator_", fitted)
    if not isinstance(inner, Regression):
        yield f"{type(inner).__name__} is no glassdata.regression.Regression: it cannot be saved"
        return
    expected = fitted.predict(X)
    again = type(inner).from_arrays(inner.to_arrays())
    ways = {"through its arrays": again.predict(X)}
    if type(inner) in {kind.regression for kind in MODELS.values()}:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.npz"
            models.save(fitted, path, {"system": "none"}, X=X)
            ways["through its file"] = models.load(path)[0].predict(X)
    for way, found in ways.items():
        yield from differences(
            f"a prediction after the way {way}",
            found,
            expected,
            tolerance=0.0,
            look="ARRAYS, which must name everything that predict uses",
        )
