"""Table I of the paper, measured: does a line read other observables off g(r), among glasses?

Needs the results of ``observables``. Results, for each ensemble of each glass in which preparations
were repeated::

    SYSTEM.beyond.TARGET.ENSEMBLE   held-out errors of all contenders, and their floor, as in
                                    ``glasses``; one preparation is left out at a time

A target's columns are divided by their standard deviation, so that errors are in units of its
variance, except those of a function of frequency, which keep their proportions. Of what reaches
over powers of ten (``LOGARITHMIC``) the logarithm is predicted: a few nearly perfect sheets conduct
ten thousand times as well as all others, and would be all that an error is about.

>>> LOGARITHMIC, REFITS
(('conductivity', 'diffusivity'), 8)
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from glassdata.experiments.glasses import CONTENDERS, errors_of
from glassdata.experiments.observables import MOST, together
from glassdata.experiments.signal import ensembles, preparations
from glassdata.experiments.targets import ALL_TARGETS, BINS, DERIVED
from glassdata.scores import joined
from glassdata.structures import Dataset
from glassdata.systems import SYSTEMS, available

Result = dict[str, np.ndarray]

#: Raised whenever the same result would come out differently.
VERSION = 1
SEED = 0
#: Whose structures' observables are read.
NEEDS = "observables"
#: Fits to training sets drawn with replacement.
REFITS = 8
#: With fewer structures, or fewer preparations, of an ensemble there is nothing to learn from.
FEWEST, FEWEST_PREPARATIONS = 24, 4
#: Targets of which the logarithm is predicted, and what is added to them first, as a share of their
#: median: empty bins have none.
LOGARITHMIC, _ADDED = ("conductivity", "diffusivity"), 0.01
#: The spectrum itself, for comparison, beside the targets.
SPECTRUM = "pdos"


def result_names(glasses: Mapping[str, Dataset]) -> list[str]:
    """Names of all results."""
    names = []
    for system, kind in contested(glasses):
        wanted = [SPECTRUM, *(n for n, t in ALL_TARGETS.items() if t.applies(SYSTEMS[system]))]
        names += [f"{system}.beyond.{target}.{kind}" for target in wanted]
    return names


def contested(glasses: Mapping[str, Dataset]) -> Iterator[tuple[str, str]]:
    """Glass and ensemble wherever there is something to learn from.

    Examples
    --------
    >>> import glassdata as gd
    >>> list(contested({"ka2d": gd.dataset("ka2d")}))
    [('ka2d', 'equilibrated')]
    """
    for system, data in glasses.items():
        if system in available():
            some = data[:MOST]
            kinds = ensembles(some)
            for kind in np.unique(kinds):
                if enough(some[kinds == kind]):
                    yield system, str(kind)


def enough(data: Dataset) -> bool:
    """Whether there are preparations to leave out, and repeats to know the noise by.

    Examples
    --------
    >>> import glassdata as gd
    >>> enough(gd.dataset("ka2d")), enough(gd.dataset("ka2d")[:20])
    (True, False)
    """
    counts = np.unique(preparations(data), return_counts=True)[1]
    return bool(len(data) >= FEWEST and len(counts) >= FEWEST_PREPARATIONS and counts.max() > 1)


def compute(name: str, get: Callable[[str], Dataset], observed: Mapping[str, Result]) -> Result:
    """One result; empty where too few structures have the observable, or the glass has none.

    Parameters
    ----------
    name
        Of the result.
    get
        Gives the dataset of a glass.
    observed
        Results of ``observables``.
    """
    system, _, target, kind = name.split(".")
    data = get(system)[:MOST]
    if not together(observed, system):
        return {"names": np.array([], "U1"), "lacking": np.array(len(data))}
    Y = targets_of(data, system, target, observed)
    mine = (ensembles(data) == kind) & np.isfinite(Y).all(axis=1)
    some = data[mine]
    lacking = np.array(int(np.sum(ensembles(data) == kind) - mine.sum()))
    if not enough(some):
        return {"names": np.array([], "U1"), "lacking": lacking}
    return errors_of(some, Y[mine], CONTENDERS, refits=REFITS) | {"lacking": lacking}


def found_of(data: Dataset, system: str, observed: Mapping[str, Result]) -> Result:
    """All observables and fingerprints of structures from the beginning of a glass, (n, …) each.

    Parameters
    ----------
    data, system, observed
        As in ``targets_of``.

    Raises
    ------
    ValueError
        If these are not the structures that were observed.

    Examples
    --------
    >>> import glassdata as gd
    >>> data = gd.dataset("lj3d")[:1]
    >>> other = {"lj3d.observed.0000": {"row_id": np.array(["another"]), "sound": np.ones((1, 2))}}
    >>> found_of(data, "lj3d", other)
    Traceback (most recent call last):
        ...
    ValueError: lj3d: the observables are those of other structures
    """
    found = together(observed, system)
    if not np.array_equal(found["row_id"][: len(data)], data["row_id"].astype("U64")):
        raise ValueError(f"{system}: the observables are those of other structures")
    return {key: values[: len(data)] for key, values in found.items()}


def targets_of(
    data: Dataset, system: str, target: str, observed: Mapping[str, Result]
) -> np.ndarray:
    """What is to be predicted of each structure, (n, n_columns), in units of its variance.

    NaN where a structure has none.

    Parameters
    ----------
    data
        The structures, from the beginning of the dataset.
    system, target
        Names of both.
    observed
        Results of ``observables``.

    Raises
    ------
    ValueError
        If these are not the structures that were observed.

    Examples
    --------
    >>> import glassdata as gd
    >>> data = gd.dataset("lj3d")[:2]
    >>> ids = data["row_id"].astype("U64")
    >>> block = {"row_id": ids, "sound": np.array([[1.0, 5.0], [3.0, 5.0]])}
    >>> targets_of(data, "lj3d", "sound", {"lj3d.observed.0000": block}).tolist()
    [[1.0, 0.0], [3.0, 0.0]]
    """
    if target == SPECTRUM:
        Y = joined(data.shares, BINS)
    elif target in DERIVED:
        found = found_of(data, system, observed)
        Y = DERIVED[target].values(data, found, SYSTEMS[system])
    else:
        Y = found_of(data, system, observed)[target].astype(float)
    if target in LOGARITHMIC and (Y > 0).any():
        Y = np.log(Y + _ADDED * np.median(Y[Y > 0]))
    if not np.isfinite(Y).any():
        return Y  # no structure has it
    if Y.shape[1] >= BINS:  # a function of frequency or energy
        return Y / np.sqrt(np.nanvar(Y, axis=0).mean())
    spread = np.nanstd(Y, axis=0)
    return np.divide(Y, spread, out=np.where(np.isnan(Y), np.nan, 0.0), where=spread > 0)
