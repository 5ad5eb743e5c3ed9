"""Is g(r) the right thing to read? The same line, fitted to other descriptors of a structure.

Needs the results of ``observables``. Results::

    SYSTEM.descriptors.TARGET.ENSEMBLE   held-out errors of a line on each descriptor, and their
                                         floor, as in ``glasses``; one preparation is left out
    transfer.SYSTEM                      a line for all glasses at once, tested on one of which it
                                         saw nothing, nor of others made of the same atoms

Every line has at most the same freedom: a descriptor is reduced to its first ``COMPONENTS``
principal components (of the inputs alone), numbers that are fewer stay as they are, and the penalty
is chosen inside the folds. Beside them stands the line on all bins of g.

For the second, everything is without unit: distances over that of the first peak of g, frequencies
over their root mean square, which is an exact function of the stiffness and is given to all lines.

>>> COMPONENTS, TRAVELLERS
(10, ('g', 'angles', 'stiffness', 'g and stiffness'))
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from glassdata import models
from glassdata.bins import bin_centres
from glassdata.experiments.beyond import SPECTRUM, contested, enough, found_of, targets_of
from glassdata.experiments.contenders import OFFSET, Inputs, inputs_of
from glassdata.experiments.fingerprints import ARRANGEMENTS, FINGERPRINTS, arranged
from glassdata.experiments.glasses import errors_of
from glassdata.experiments.observables import MOST, together
from glassdata.experiments.signal import ensembles, preparations
from glassdata.structures import Dataset
from glassdata.systems import SYSTEMS, available

Result = dict[str, np.ndarray]

#: Raised whenever the same result would come out differently.
VERSION = 3
SEED = 0
NEEDS = "observables"
#: Observables that are read.
WANTED = (SPECTRUM, "conductivity")
COMPONENTS = 10
#: The one that is not reduced: the line of the other chapters.
ALL = "all of g"
REFITS = 8
#: Structures of a glass that the line for all glasses is trained on, so that all count alike.
EACH = 72
#: Dimensionless distances and edges of dimensionless frequencies.
DISTANCES = np.linspace(0.6, 2.0, 57)
FREQUENCIES = np.linspace(0.0, 2.5, 26)
#: Descriptors of the line for all glasses.
TRAVELLERS = ("g", "angles", "stiffness", "g and stiffness")


def result_names(glasses: Mapping[str, Dataset]) -> list[str]:
    """Names of all results."""
    pairs = contested(glasses)
    names = [f"{system}.descriptors.{target}.{kind}" for system, kind in pairs for target in WANTED]
    return names + [f"transfer.{system}" for system in glasses if system in available()]


def compute(name: str, get: Callable[[str], Dataset], observed: Mapping[str, Result]) -> Result:
    """One result; empty where too few structures have the observable.

    Parameters
    ----------
    name
        Of the result.
    get
        Gives the dataset of a glass.
    observed
        Results of ``observables``.
    """
    if name.startswith("transfer."):
        systems = [one for one in SYSTEMS if any(n.startswith(f"{one}.") for n in observed)]
        left_out = name.removeprefix("transfer.")
        if left_out not in systems:
            return {"names": np.array([], "U1")}
        atoms = set(SYSTEMS[left_out].species)
        glasses = {
            one: _Unitless.of(get(one), one, observed)
            for one in systems
            if one == left_out or set(SYSTEMS[one].species) != atoms
        }
        return _transfer(glasses, left_out)
    system, _, target, kind = name.split(".")
    data = get(system)[:MOST]
    if not together(observed, system):
        return {"names": np.array([], "U1")}
    found = found_of(data, system, observed)
    Y = targets_of(data, system, target, observed)
    mine = (ensembles(data) == kind) & np.isfinite(Y).all(axis=1)
    some = data[mine]
    if not enough(some):
        return {"names": np.array([], "U1")}
    marks = {key: found[key][mine] for key in FINGERPRINTS}
    marks |= arranged(map(some.atoms, range(len(some))), SYSTEMS[system].bond_length)
    return _contest(some, Y[mine], descriptors_of(some, marks))


def descriptors_of(data: Dataset, fingerprints: Result) -> dict[str, np.ndarray]:
    """Every descriptor of the structures by name, (n, n_features).

    Parameters
    ----------
    data
        The structures.
    fingerprints
        Of the same structures; those of ``ARRANGEMENTS`` may be missing.

    Examples
    --------
    >>> import glassdata as gd
    >>> some = gd.dataset("amc")[:3]
    >>> known = {"angles": np.ones((3, 2)), "stiffness": np.ones((3, 2)), "scale": np.ones((3, 1))}
    >>> list(descriptors_of(some, known))[:6]
    ['all of g', 'g', 'log g', 'angles', 'g and angles', 'rings']
    """
    inputs = inputs_of(data)
    out = {ALL: inputs.g, "g": inputs.g, "log g": np.log(np.maximum(inputs.g, 0.0) + OFFSET)}
    if inputs.partial.shape[1]:
        out["partial g"] = inputs.partial
    out["angles"] = np.asarray(fingerprints["angles"], float)
    out["g and angles"] = _beside(inputs.g, out["angles"])
    rings = [name for name in sorted(map(str, data.stored)) if name.startswith("ring_")]
    if rings:
        out["rings"] = np.stack([np.asarray(data[name], float) for name in rings], axis=1)
    out |= {name: np.asarray(fingerprints[name]) for name in ARRANGEMENTS if name in fingerprints}
    out["two numbers"] = inputs.numbers("log variance", "density")
    out["energy"] = inputs.numbers("energy")
    out["stiffness"] = _beside(fingerprints["stiffness"], fingerprints["scale"])
    return out


def _beside(*parts: np.ndarray) -> np.ndarray:
    """Descriptors side by side, each with the same total variance."""
    scaled = []
    for part in parts:
        values = np.asarray(part, float)
        spread = np.sqrt(values.var(axis=0).sum())
        scaled.append((values - values.mean(axis=0)) / (spread if spread > 0 else 1.0))
    return np.hstack(scaled)


def components(
    X: np.ndarray, count: int = COMPONENTS, *, of: np.ndarray | None = None
) -> np.ndarray:
    """The first principal components of a descriptor, (n, at most ``count``).

    Columns that do not all have one unit are brought to one variance first, if there are few.

    Parameters
    ----------
    X : (n, n_features)
    count
        Number of components.
    of : (m, n_features), optional
        Structures whose components are taken, if it is not these.

    Examples
    --------
    >>> components(np.array([[0.0, 0.0], [2.0, 200.0], [4.0, 400.0]]), 1).shape
    (3, 1)
    """
    known = X if of is None else of
    centred, centre = known - known.mean(axis=0), known.mean(axis=0)
    if X.shape[1] <= count:  # numbers, and not a function
        spread = centred.std(axis=0)
        return (X - centre) / np.where(spread > 0, spread, 1.0)
    directions = np.linalg.svd(centred, full_matrices=False)[2][:count]
    return (X - centre) @ directions.T


def _contest(data: Dataset, Y: np.ndarray, known: Mapping[str, np.ndarray]) -> Result:
    """Errors of a line on each descriptor, and of the mean, in the same folds."""
    numbers = inputs_of(data)
    found = {}
    for name, values in known.items():
        X = values if name == ALL else components(values)
        inputs = Inputs(X, numbers.partial, numbers.density, numbers.energy)
        found[name] = errors_of(data, Y, ["line", "mean"], refits=REFITS, inputs=inputs)
    # All share their folds: the mean, floor and counts of one are those of all.
    one = found["g"]
    errors = [each["error"][list(each["names"]).index("line")] for each in found.values()]
    errors.append(one["error"][list(one["names"]).index("mean")])
    shared = {key: one[key] for key in ("floor", "count", "between")}
    return {"names": np.array([*found, "mean"]), "error": np.array(errors), **shared}


class _Unitless:
    """Descriptors and spectra of a glass without units: ``X`` by name (n, …), ``Y`` (n, n_bins).

    ``noise`` is the variance of a spectrum among repeats, per bin; NaN without repeats.
    """

    def __init__(self, X: dict[str, np.ndarray], Y: np.ndarray, prepared: np.ndarray):
        self.X, self.Y = X, Y
        counts = np.unique(prepared, return_counts=True)[1]
        left = [Y[prepared == k] - Y[prepared == k].mean(axis=0) for k in np.unique(prepared)]
        free = int(np.sum(counts - 1))
        scatter = float(sum((one**2).sum() for one in left))
        self.noise = scatter / free / Y.shape[1] if free else float("nan")

    @classmethod
    def of(cls, data: Dataset, system: str, observed: Mapping[str, Result]) -> "_Unitless":
        found = found_of(data[:MOST], system, observed)
        chosen = np.unique(np.linspace(0, len(data[:MOST]) - 1, EACH).round().astype(int))
        some, scale = data[chosen], found["scale"][chosen, 0].astype(float)
        r = bin_centres(some.r_edges)
        peak = r[some.X.mean(axis=0).argmax()]
        g = np.array([np.interp(DISTANCES * peak, r, one, right=1.0) for one in some.X])
        X = {"g": g, "angles": found["angles"][chosen], "stiffness": found["stiffness"][chosen]}
        edges = some.omega_edges
        below = np.pad(np.cumsum(some.shares, axis=1), ((0, 0), (1, 0)))
        Y = np.array(
            [
                np.diff(np.interp(FREQUENCIES * s, edges, c))
                for s, c in zip(scale, below, strict=True)
            ]
        )
        return cls(X, Y, np.asarray(preparations(some)))


def _together(
    known: Sequence[Mapping[str, np.ndarray]], new: Mapping[str, np.ndarray], name: str
) -> tuple[np.ndarray, np.ndarray]:
    """A descriptor of all training structures, and of the new ones; parts weigh alike."""
    columns, asked = [], []
    for part in name.split(" and "):
        X = np.concatenate([one[part] for one in known])
        spread = np.sqrt(X.var(axis=0).sum())
        columns.append(X / spread)
        asked.append(new[part] / spread)
    return np.hstack(columns), np.hstack(asked)


def _transfer(glasses: Mapping[str, _Unitless], left_out: str) -> Result:
    """Errors on a glass of a line that was trained on all others, of mean, and of its own mean.

    ``error`` (n_names,), mean squares per bin over the structures of the glass; ``names`` of the
    descriptors, then ``mean`` of the others and ``own mean``; ``noise``, the floor.
    """
    others = {name: one for name, one in glasses.items() if name != left_out}
    new = glasses[left_out]
    Y = np.concatenate([one.Y for one in others.values()])
    groups = np.repeat(list(others), [len(one.Y) for one in others.values()])
    guesses: dict[str, np.ndarray] = {}
    for name in TRAVELLERS:
        X, asked = _together([one.X for one in others.values()], new.X, name)
        line = models.fit_grouped(models.ridge(), components(X), Y, groups)
        guesses[name] = line.predict(components(asked, of=X))
    guesses |= {"mean": Y.mean(axis=0)[None], "own mean": new.Y.mean(axis=0)[None]}
    return {
        "names": np.array(list(guesses)),
        "error": np.array([np.mean((guess - new.Y) ** 2) for guess in guesses.values()]),
        "noise": np.array(new.noise),
    }
