"""Where will it move? Linear models that read the propensity of motion off the surroundings.

Needs the results of ``propensity``. Results, for each of its temperatures::

    motion.TEMPERATURE.MEASURE   how well each contender predicts that measure of motion
    weights.TEMPERATURE          what the weights of the linear models mean, at the longest time

Particles of the most frequent species only, as is usual; liquids are held out whole.

>>> KA2D.species[SPECIES], list(CONTENDERS)[0]
('Ar', 'ridge')
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from ase import Atoms
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.multioutput import MultiOutputRegressor

from glassdata import models
from glassdata.evaluation import grouped_folds
from glassdata.experiments.propensity import HARMONIC, PREPARATIONS
from glassdata.propensity import MEASURES
from glassdata.structures import Dataset
from glassdata.surroundings import descriptors
from glassdata.systems.ka2d import KA2D, MIXTURE
from glassdata.tuning import decades

Result = Mapping[str, np.ndarray]

#: Raised whenever the same result would come out differently.
VERSION = 1
SEED = 0
#: Whose results are read.
NEEDS = "propensity"
FOLDS = 5
#: Species of ``ka2d`` whose particles are predicted.
SPECIES = 0
#: Resamples of liquids, of which signs of weights are counted.
RESAMPLES = 50
#: The measure that the weights are those of.
WEIGHED = "cage_relative"
#: Components of the descriptors that get a name.
NAMED = 8
#: Penalties of the path.
PATH = decades(-6, 2, 17)


def _trees() -> BaseEstimator:
    one = HistGradientBoostingRegressor(max_iter=100, learning_rate=0.1, random_state=SEED)
    return MultiOutputRegressor(one)


#: Every contender: the words that its descriptors begin with, and how they are read. A contender
#: without its own descriptors has all of them.
CONTENDERS: Mapping[str, tuple[tuple[str, ...], Callable[[], BaseEstimator]]] = {
    "ridge": ((), models.ridge),
    "elastic net": ((), models.elastic_net),
    "PCR": ((), models.pcr),
    "trees": ((), _trees),
    "ridge without the harmonic ones": (
        ("density", "energy", "perimeter", "count"),
        models.ridge,
    ),
    "ridge, counts alone": (("count",), models.ridge),
    "Debye-Waller alone": (("Debye-Waller",), lambda: models.ridge(0.0)),
    "soft modes alone": (("soft modes",), lambda: models.ridge(0.0)),
    "energy alone": (("=energy",), lambda: models.ridge(0.0)),
    "perimeter alone": (("=perimeter",), lambda: models.ridge(0.0)),
}


def result_names(glasses: Mapping[str, Dataset]) -> list[str]:
    """Names of all results.

    Examples
    --------
    >>> result_names({})[:2]
    ['motion.036.displacement', 'motion.036.cage_relative']
    """
    del glasses
    names = [f"motion.{t}.{measure}" for t in sorted(PREPARATIONS) for measure in MEASURES]
    return names + [f"weights.{t}" for t in sorted(PREPARATIONS)]


def compute(
    name: str, get: Callable[[str], Dataset], liquids: Mapping[str, Result]
) -> dict[str, np.ndarray]:
    """One result.

    Parameters
    ----------
    name
        Of the result.
    get
        Not used.
    liquids
        Results of ``propensity``.
    """
    del get
    kind, temperature, *measure = name.split(".")
    particles = Particles.of(liquids, temperature)
    return _motion(particles, measure[0]) if kind == "motion" else _weights(particles)


class Particles:
    """Descriptors and motion of the particles of all liquids of a temperature.

    Attributes
    ----------
    names : tuple of str
        Of the descriptors.
    X : (n, n_descriptors)
    Y : dict of (n, n_times)
        By the measure.
    liquid : (n,) int
        The liquid that a particle belongs to.
    time : (n_times,)
        In units of the mixture.
    ceiling : dict of (n_liquids, n_times)
        Largest correlation that a prediction can have.
    """

    def __init__(self, liquids: Sequence[Result]):
        X, Y, liquid = [], [], []
        for number, one in enumerate(liquids):
            found = descriptors_of(one)
            mine = one["types"] == SPECIES
            self.names = tuple(found)
            X.append(np.stack([values[mine] for values in found.values()], axis=1))
            Y.append(np.asarray(one["mean"], float)[:, :, mine])
            liquid.append(np.full(int(mine.sum()), number))
        self.X, self.liquid = np.concatenate(X).astype(float), np.concatenate(liquid)
        together = np.concatenate(Y, axis=2)
        self.Y = {name: together[k].T for k, name in enumerate(MEASURES)}
        self.time = np.asarray(liquids[0]["time"])
        ceilings = np.stack([np.asarray(one["ceiling"])[:, SPECIES] for one in liquids])
        self.ceiling = {name: ceilings[:, k] for k, name in enumerate(MEASURES)}

    @classmethod
    def of(cls, liquids: Mapping[str, Result], temperature: str) -> "Particles":
        """Those of one temperature, from all results of ``propensity``."""
        return cls(usable(liquids, temperature))


def usable(liquids: Mapping[str, Result], temperature: str) -> list[Result]:
    """The liquids of one temperature, less those that failed.

    Parameters
    ----------
    liquids
        Results of ``propensity``.
    temperature
        As in their names.

    Raises
    ------
    ValueError
        If too few are left to hold some of them out.

    Examples
    --------
    >>> usable({"liquid.036.00": {"failed": np.array("crystallised")}}, "036")
    Traceback (most recent call last):
        ...
    ValueError: 0 liquids at 036 can be used, and 5 are needed; liquid.036.00: crystallised
    """
    names = sorted(name for name in liquids if name.startswith(f"liquid.{temperature}."))
    left = [liquids[name] for name in names if "failed" not in liquids[name]]
    if len(left) < FOLDS:
        why = [f"{n}: {liquids[n]['failed']}" for n in names if "failed" in liquids[n]][:1]
        text = f"{len(left)} liquids at {temperature} can be used, and {FOLDS} are needed"
        raise ValueError("; ".join([text, *why]))
    return left


def descriptors_of(liquid: Result) -> dict[str, np.ndarray]:
    """All descriptors of the particles of a liquid, from its result.

    Parameters
    ----------
    liquid
        Of the experiment ``propensity``.
    """
    box = float(liquid["box"])
    atoms = Atoms(
        np.array(KA2D.species)[liquid["types"]],
        positions=np.pad(liquid["position"].astype(float), ((0, 0), (0, 1))),
        cell=[box, box, 20.0],
        pbc=(True, True, False),
    )
    known = {name: np.asarray(liquid[name], float) for name in HARMONIC}
    return descriptors(atoms, MIXTURE, harmonic=known)


def chosen(names: Sequence[str], words: Sequence[str]) -> np.ndarray:
    """Which descriptors begin with one of these words, or are the word after ``=``; all if none.

    Examples
    --------
    >>> chosen(("energy", "energy 2", "perimeter"), ("=energy",)).tolist()
    [True, False, False]
    """
    return np.array(
        [
            not words
            or any(name == w[1:] if w.startswith("=") else name.startswith(w) for w in words)
            for name in names
        ]
    )


def correlations(truth: np.ndarray, guess: np.ndarray) -> np.ndarray:
    """Pearson's r of each column, (n_times,); 0 where either does not vary.

    Examples
    --------
    >>> correlations(np.array([[1.0], [2.0]]), np.array([[5.0], [7.0]])).round(6).tolist()
    [1.0]
    """
    a, b = truth - truth.mean(axis=0), guess - guess.mean(axis=0)
    size = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return np.divide((a * b).sum(axis=0), size, out=np.zeros_like(size), where=size > 0)


def _motion(particles: Particles, measure: str) -> dict[str, np.ndarray]:
    """Pearson's r and R² of each contender, liquid and time, each liquid held out.

    ``r`` and ``r2`` have shape (n_contenders, n_liquids, n_times). R² is counted against the mean
    of the training particles. ``guess`` is what the ridge said of the first liquid, ``truth`` what
    was measured there.
    """
    Y, liquid = particles.Y[measure], particles.liquid
    n_liquids = int(liquid.max()) + 1
    shape = len(CONTENDERS), n_liquids, Y.shape[1]
    r, r2, guessed = np.empty(shape), np.empty(shape), np.empty_like(Y)
    for train, test in grouped_folds(liquid, FOLDS, SEED):
        centre, spread = Y[train].mean(axis=0), np.maximum(Y[train].std(axis=0), 1e-12)
        X = _standard(particles.X, train)
        for number, (words, make) in enumerate(CONTENDERS.values()):
            mine = chosen(particles.names, words)
            model, target = make(), (Y[train] - centre) / spread
            if isinstance(model, models.Tuned):
                model.fit(X[train][:, mine], target, groups=liquid[train])
            else:
                model.fit(X[train][:, mine], target)
            guess = centre + spread * model.predict(X[test][:, mine]).reshape(len(test), -1)
            if not number:
                guessed[test] = guess
            for one in np.unique(liquid[test]):
                here = liquid[test] == one
                truth = Y[test][here]
                r[number, one] = correlations(truth, guess[here])
                left = ((truth - guess[here]) ** 2).sum(axis=0)
                whole = ((truth - centre) ** 2).sum(axis=0)
                nothing = np.full(len(whole), np.nan)  # where no particle did anything yet
                r2[number, one] = 1 - np.divide(left, whole, out=nothing, where=whole > 0)
    return {
        "time": particles.time,
        "contenders": np.array(list(CONTENDERS)),
        "r": r,
        "r2": r2,
        "ceiling": particles.ceiling[measure],
        "guess": guessed[liquid == 0].astype("f4"),
        "truth": Y[liquid == 0].astype("f4"),
    }


def _standard(X: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Descriptors less their mean, over their standard deviation, on the training particles."""
    spread = X[train].std(axis=0)
    return (X - X[train].mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def _weights(particles: Particles) -> dict[str, np.ndarray]:
    """Collinearity of the descriptors, signs of weights under resampling, and named components."""
    everyone = np.arange(len(particles.liquid))
    X = _standard(particles.X, everyone)
    y = particles.Y[WEIGHED][:, -1:]
    y = (y - y.mean()) / y.std()
    liquid = particles.liquid
    correlation = X.T @ X / len(X)
    singular = np.linalg.svd(X, compute_uv=False)
    out: dict[str, np.ndarray] = {
        "names": np.array(particles.names),
        "correlation": correlation.astype("f4"),
        "vif": np.diag(np.linalg.pinv(correlation, hermitian=True)),
        "condition": singular[0] / singular[-1],
        "alone": (X.T @ y)[:, 0] / len(X),
    }
    tuned = {"ridge": models.ridge(), "elastic_net": models.elastic_net(), "pcr": models.pcr()}
    fixed = {name: one.fit(X, y, groups=liquid).best_estimator_ for name, one in tuned.items()}
    fixed["least_squares"] = models.LinearMap(l2=0.0).fit(X, y)
    rng = np.random.default_rng(SEED)
    members = [np.flatnonzero(liquid == one) for one in np.unique(liquid)]
    for name, fitted in fixed.items():
        out[f"weights_{name}"] = fitted.coef_[0]
        again = []
        for _ in range(RESAMPLES):
            drawn = rng.integers(len(members), size=len(members))
            rows = np.concatenate([members[k] for k in drawn])
            again.append(type(fitted)(**fitted.get_params()).fit(X[rows], y[rows]).coef_[0])
        drawn_weights = np.array(again)
        out[f"spread_{name}"] = drawn_weights.std(axis=0)
        same = np.sign(drawn_weights) == np.sign(fitted.coef_[0])
        # A weight that is zero has no sign.
        out[f"same_sign_{name}"] = np.mean(same & (drawn_weights != 0), axis=0)
    fits: list[Any] = models.LinearMap().path(X, y, [{"l1": 0.0, "l2": l2} for l2 in PATH])
    out |= {"path_l2": np.array(PATH), "path": np.array([one.coef_[0] for one in fits])}
    return out | _components(X, y)


def _components(X: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """Components of the descriptors, by how much of the motion they carry.

    ``component_share`` is the share of the variance of the motion that goes with each of the
    ``NAMED`` components that carry most, ``component_rank`` their place by their own variance, and
    ``component_correlation`` (NAMED, n_descriptors) what each has in common with each descriptor.
    """
    left, _, _ = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    carried = (left.T @ y)[:, 0] ** 2 / np.sum(y**2)
    best = np.argsort(carried)[::-1][:NAMED]
    sign = np.sign(left[:, best].T @ y)[:, 0]
    return {
        "component_share": carried[best],
        "component_rank": best,
        "component_correlation": (left[:, best] * sign).T @ X / np.sqrt(len(X)),
    }
