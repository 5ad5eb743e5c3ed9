"""What competes with the line among glasses, and on what: inputs of structures and of bundles.

Every contender is told the same: the training bundles, their spectra, and which of them must not be
split while settings are chosen. A *unit* is a form of g(r) that a line may be fitted to.

>>> list(UNITS)
['line', 'line on √g', 'line on log g', 'line on g and ρ', 'line on partial g']
>>> list(RIVALS)[:3]
['mean', 'var g and ρ', 'two numbers']
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

from glassdata import models
from glassdata.experiments.signal import means_of
from glassdata.structures import Dataset

#: Added to g before the logarithm, so that that of an empty bin is finite.
OFFSET = 0.1
#: Name of the line whose unit is chosen inside the folds.
CHOSEN = "line, unit chosen"
LINE = "line"
NETWORK = "CNN"
#: Epochs without improvement after which the network stops: about ten seconds a fit.
PATIENCE = 20


@dataclass(frozen=True)
class Inputs:
    """What is known of n structures, or of n bundles, before their spectra are.

    ``g`` (n, n_r), dimensionless; ``partial`` (n, n_pairs · n_r), empty for one species;
    ``density`` (n,), Å⁻³ or Å⁻²; ``energy`` (n,), eV per atom.

    Examples
    --------
    >>> two = Inputs(np.eye(2), np.empty((2, 0)), density=np.ones(2), energy=np.array([1.0, 3.0]))
    >>> two.of_bundles([np.array([0, 1])]).energy.tolist()
    [2.0]
    """

    g: np.ndarray
    partial: np.ndarray
    density: np.ndarray
    energy: np.ndarray

    def of_bundles(self, members: Sequence[np.ndarray]) -> "Inputs":
        """Means over the structures of each bundle."""
        fields = (self.g, self.partial, self.density, self.energy)
        return Inputs(*(means_of(values, members) for values in fields))

    def numbers(self, *names: str) -> np.ndarray:
        """Some numbers of each structure as columns: density, energy, variance, log variance."""
        variance = self.g.var(axis=1)
        known = {
            "density": self.density,
            "energy": self.energy,
            "variance": variance,
            "log variance": np.log(np.maximum(variance, 1e-12)),
        }
        return np.stack([known[name] for name in names], axis=1)


def inputs_of(data: Dataset) -> Inputs:
    """The inputs of all structures of a selection.

    Examples
    --------
    >>> import glassdata as gd
    >>> inputs_of(gd.dataset("cualzr")[:3]).partial.shape
    (3, 600)
    """
    n, several = len(data), len(data.pairs) > 1
    partial = data["partial_g"].reshape(n, -1).astype(float) if several else np.empty((n, 0))
    return Inputs(data.X, partial, data.density.astype(float), data.energy.astype(float))


def _with_density(inputs: Inputs) -> np.ndarray:
    """g and one more column, the density, which varies as much as a bin of g does on average."""
    rho, per_bin = inputs.density, np.sqrt(inputs.g.var(axis=0).mean())
    column = (rho - rho.mean()) / (rho.std() or 1.0) * per_bin
    return np.hstack([inputs.g, column[:, None]])


#: What a line is fitted to; scaled afterwards, so that a penalty means the same for all.
UNITS: Mapping[str, Callable[[Inputs], np.ndarray]] = {
    LINE: lambda inputs: inputs.g,
    "line on √g": lambda inputs: np.sqrt(np.maximum(inputs.g, 0.0)),
    "line on log g": lambda inputs: np.log(np.maximum(inputs.g, 0.0) + OFFSET),
    "line on g and ρ": _with_density,
    "line on partial g": lambda inputs: inputs.partial,
}
#: Input and estimator of each rival of the line.
RIVALS: Mapping[str, tuple[Callable[[Inputs], np.ndarray], Callable[[], BaseEstimator]]] = {
    "mean": (lambda inputs: inputs.g, models.mean),
    "var g and ρ": (
        lambda inputs: inputs.numbers("variance", "density"),
        lambda: models.surface(1),
    ),
    "two numbers": (lambda inputs: inputs.numbers("log variance", "density"), models.surface),
    "E, ρ quadratic": (
        lambda inputs: inputs.numbers("energy", "density"),
        lambda: models.surface(2),
    ),
    "nearest": (lambda inputs: inputs.g, models.nearest),
    "kernel ridge": (lambda inputs: inputs.g, models.kernel_ridge),
    NETWORK: (lambda inputs: inputs.g, lambda: models.cnn(patience=PATIENCE)),
}


def unit_matrix(inputs: Inputs, unit: str) -> np.ndarray:
    """What a line in some unit is fitted to, (n, n_features), with the total variance of g(r).

    Examples
    --------
    >>> three = Inputs(np.eye(3), np.empty((3, 0)), density=np.arange(3.0), energy=np.zeros(3))
    >>> unit_matrix(three, "line on √g").shape, unit_matrix(three, "line on g and ρ").shape
    ((3, 3), (3, 4))
    """
    values = UNITS[unit](inputs)
    spread = np.sqrt(values.var(axis=0).sum())
    return values * (np.sqrt(inputs.g.var(axis=0).sum()) / spread if spread > 0 else 1.0)


def guesses(
    inputs: Inputs,
    Y: np.ndarray,
    groups: np.ndarray,
    *,
    train: np.ndarray,
    test: np.ndarray,
    names: Sequence[str],
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """What each contender predicts for the test bundles, (n_test, n_omega), by its name.

    Parameters
    ----------
    inputs, Y
        Of all bundles; spectra have the shape (n, n_omega). No contender sees those of the test.
    groups : (n,)
        Bundles of one group are not split while settings are chosen.
    train, test
        Numbers of the bundles; one may occur several times in ``train``.
    names
        Contenders: of ``RIVALS``, of ``UNITS``, or ``CHOSEN``, which needs no name of a unit.
    seed
        Of the inner folds, and of a network.

    Examples
    --------
    >>> g = np.random.default_rng(0).random((30, 4))
    >>> known = Inputs(g, np.empty((30, 0)), density=np.ones(30), energy=g[:, 0])
    >>> halves = {"train": np.arange(20), "test": np.arange(20, 30)}
    >>> found = guesses(known, 1 + g, np.arange(30), **halves, names=["mean", "line"])
    >>> bool(np.abs(found["line"] - 1 - g[20:]).max() < 1e-3)
    True
    """
    found, inner = {}, {}
    for name in [n for n in UNITS if _fits(inputs, n) and ({n, CHOSEN} & set(names))]:
        line = _seeded(models.ridge(), seed)
        X = unit_matrix(inputs, name)
        line.fit(X[train], Y[train], groups=groups[train])
        found[name], inner[name] = line.predict(X[test]), line.errors_.min()
    if CHOSEN in names:
        found[CHOSEN] = found[min(inner, key=inner.__getitem__)]
    for name in [n for n in RIVALS if n in names]:
        features, make = RIVALS[name]
        X, model = features(inputs), _seeded(make(), seed)
        models.fit_grouped(model, X[train], Y[train], groups[train])
        found[name] = model.predict(X[test])
    return {name: found[name] for name in names if name in found}


def _fits(inputs: Inputs, unit: str) -> bool:
    """Whether there is anything to fit a line in this unit to."""
    return unit != "line on partial g" or inputs.partial.shape[1] > 0


def _seeded(model: BaseEstimator, seed: int) -> BaseEstimator:
    return model.set_params(seed=seed) if "seed" in model.get_params() else model
