"""How often the intervals of ``glassdata predict`` hold, and measured silicon: chapter 13.

The results are::

    SYSTEM.intervals   of every structure, predicted without its family
    SYSTEM.foreign     of structures that others made, predicted by a line trained on all of ours
    si.measured        the prediction for measured silicon, where its S(Q) was given to this program
"""

from collections.abc import Callable, Mapping

import numpy as np

from glassdata import models
from glassdata.bins import bin_centres
from glassdata.evaluation import cross_validate, fit_grouped, grouped_folds
from glassdata.experiments.verdicts import NOTHING, Estimate, average, estimate
from glassdata.intervals import far_ripple
from glassdata.measured import read_measured
from glassdata.measured.silicon import SILICON, MeasuredFile
from glassdata.models.modelfile import region_of
from glassdata.store.reading import EXTERNAL
from glassdata.structures import Dataset, dataset
from glassdata.systems import SYSTEMS
from glassdata.trained import calibrate, integrals, target_of, train

Result = Mapping[str, np.ndarray]

#: Raised whenever the same result would come out differently.
VERSION = 3
SEED = 7
_FOLDS = 5
#: Share of structures that have modes in a bin, for the bin to count: of an empty one any interval
#: is right.
_FILLED = 0.1
#: Fewest structures of a part for a number.
FEWEST = 20
#: Temperature of the heat capacity, K.
_TEMPERATURE = 300.0
#: Shares of the range of sizes.
_THIRDS = (1 / 3, 2 / 3)


def result_names(glasses: Mapping[str, Dataset]) -> list[str]:
    """Names of all results.

    Examples
    --------
    >>> result_names({"lj3d": None})
    ['lj3d.intervals']
    """
    names = [f"{name}.intervals" for name in glasses]
    if EXTERNAL.exists():
        known = [name for name in glasses if name in SYSTEMS]
        names += [f"{n}.foreign" for n in known if "external" in SYSTEMS[n].protocols]
    if "si" in glasses and SILICON.is_here:
        names.append("si.measured")
    return names


def compute(name: str, get: Callable[[str], Dataset]) -> dict[str, np.ndarray]:
    """One result.

    Parameters
    ----------
    name : str
        One of ``result_names``.
    get : callable
        Gives the dataset of a glass.
    """
    system, measure = name.split(".")
    if measure == "intervals":
        return held_out(get(system))
    if measure == "foreign":
        return foreign(get(system), dataset(system, EXTERNAL))
    return measured_prediction(get(system), SILICON)


def held_out(data: Dataset, seed: int = SEED) -> dict[str, np.ndarray]:
    """What the intervals of every structure cover, where line and interval do not know its family.

    Parameters
    ----------
    data : Dataset
    seed : int
        Of the folds.

    Returns
    -------
    dict
        ``covered`` (n,) the share of the bins of each structure that lie within the interval,
        ``mean_frequency`` and ``heat_capacity`` (n,) whether these integrals do, ``promised`` (n,)
        whether ``predict`` would print an interval, and what is known of each structure.

    Examples
    --------
    >>> import glassdata as gd
    >>> found = held_out(gd.dataset("lj2d"))
    >>> bool(abs(found["covered"][found["promised"]].mean() - 0.9) < 0.02)
    True
    """
    found = _empty(len(data))
    filled = (data.Y > 0).mean(axis=0) > _FILLED
    for known, asked in grouped_folds(data.groups, _FOLDS, seed=seed):
        for name, values in _covered(data[known], data[asked], filled).items():
            found[name][asked] = values
    return found | _facts(data)


def foreign(ours: Dataset, theirs: Dataset) -> dict[str, np.ndarray]:
    """The same of structures that others made, by a line trained on all of ours.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.dataset("lj3d")
    >>> half = argon.groups % 2 == 0
    >>> foreign(argon[half], argon[~half])["covered"].shape == ((~half).sum(),)
    True
    """
    return _covered(ours, theirs, (ours.Y > 0).mean(axis=0) > _FILLED) | _facts(theirs)


def _empty(n: int) -> dict[str, np.ndarray]:
    names = ("mean_frequency", "heat_capacity", "promised")
    return {"covered": np.empty(n)} | {name: np.empty(n, bool) for name in names}


def _covered(ours: Dataset, theirs: Dataset, filled: np.ndarray) -> dict[str, np.ndarray]:
    X, Y, groups = ours.X, ours.Y, ours.groups
    line = models.ridge()
    inner = cross_validate(line, X, Y, groups, n_splits=_FOLDS)
    fit_grouped(line, X, Y, groups)
    calibration, region = calibrate(inner, X, groups, ours.n_atoms), region_of(X, groups)
    distance, sizes = region.distance(theirs.X), theirs.n_atoms
    where = {"distance": distance, "n_atoms": sizes}
    place = region.place(theirs.X)
    error = np.abs(theirs.Y - line.predict(theirs.X))
    within = error <= calibration.half_width(place, **where)
    weights = np.stack(list(integrals(ours.omega_edges, _TEMPERATURE).values()), axis=1)
    summed = np.abs((theirs.Y - line.predict(theirs.X)) @ weights)
    mean, heat = (summed <= calibration.half_width(place, weights=weights, **where)).T
    reasons = [
        calibration.outside(*one) for one in zip(distance, sizes, far_ripple(theirs.X), strict=True)
    ]
    return {
        "covered": within[:, filled].mean(axis=1),
        "mean_frequency": mean,
        "heat_capacity": heat,
        "promised": np.array([reason is None for reason in reasons]),
    }


def _facts(data: Dataset) -> dict[str, np.ndarray]:
    names = [name for name in ("ensemble", "density") if name in data.stored]
    known = {name: np.asarray(data[name]) for name in names}
    return known | {"classes": data.classes, "groups": data.groups, "n_atoms": data.n_atoms}


# --- what is read off --------------------------------------------------------------------------


def parts(result: Result) -> dict[str, np.ndarray]:
    """Masks (n,) of the parts of a glass whose coverage is stated by itself.

    All, each disorder class, the smallest and the largest third, and each ensemble.

    Examples
    --------
    >>> result = {"classes": np.array(["partial"] * 30), "n_atoms": np.arange(30)}
    >>> list(parts(result))
    ['all', 'partial', 'smallest third', 'largest third']
    """
    found = {"all": np.ones(len(result["classes"]), bool)}
    found |= {str(kind): result["classes"] == kind for kind in np.unique(result["classes"])}
    low, high = np.quantile(result["n_atoms"], _THIRDS)
    if low < high:
        found["smallest third"] = result["n_atoms"] <= low
        found["largest third"] = result["n_atoms"] >= high
    if "ensemble" in result:
        found |= {str(one): result["ensemble"] == one for one in np.unique(result["ensemble"])}
    return found


def coverage(result: Result, measure: str = "covered") -> dict[str, Estimate]:
    """Share of bins, or of integrals, within the interval, by part; only where one is promised.

    Parameters
    ----------
    result
        ``SYSTEM.intervals`` or ``SYSTEM.foreign``.
    measure : str
        ``"covered"`` for the bins, ``"mean_frequency"`` or ``"heat_capacity"``.

    Examples
    --------
    >>> many = {"covered": np.full(30, 0.9), "promised": np.ones(30, bool)}
    >>> many |= {"classes": np.array(["partial"] * 30), "n_atoms": np.arange(30)}
    >>> round(coverage(many | {"groups": np.arange(30)})["all"].value, 9)
    0.9
    """
    found = {}
    for name, mine in parts(result).items():
        here = mine & result["promised"]
        enough = here.sum() >= FEWEST
        shares = np.asarray(result[measure], float)[here]
        found[name] = estimate(average(shares), result["groups"][here]) if enough else NOTHING
    return found


def outside(result: Result) -> float:
    """Share of structures that are called outside.

    Examples
    --------
    >>> outside({"promised": np.array([True, False])})
    0.5
    """
    return float(1 - np.mean(result["promised"]))


# --- measured silicon --------------------------------------------------------------------------


def measured_prediction(data: Dataset, file: MeasuredFile) -> dict[str, np.ndarray]:
    """What ``glassdata predict`` says of a measurement.

    Parameters
    ----------
    data : Dataset
        Training set of the glass.
    file : MeasuredFile

    Returns
    -------
    dict
        ``g`` (n_r,) as measured, ``seen`` (n_r,) the mean of what the measurement would have seen
        of the training set and ``spread`` (n_r,) its standard deviation; ``pdos``, ``half`` and
        ``mean_pdos`` (n_omega,), 1/THz, predicted, half of its interval, and the training mean;
        ``integrals`` (2, 2), mean frequency (THz) and heat capacity (k_B per mode), each with half
        of its interval; edges of the bins; ``outside`` why no interval is promised, or empty;
        ``assumed`` (n_sentences,) what was assumed.
    """
    plain = train(data)
    target = target_of(plain.meta)
    measured = read_measured(file.path, target, kind=file.kind, density=file.density)
    trained = train(data, measured=measured)
    saved, X, endless = trained.saved, measured.g[None], np.array([np.inf])
    seen = measured.seen(data.X)
    reason = saved.outside(X, endless)[0]
    weights = np.stack(list(integrals(data.omega_edges, _TEMPERATURE).values()), axis=1)
    values = saved.predict(X) @ weights, saved.half_width(X, endless, weights)
    return {
        "g": measured.g,
        "seen": seen.mean(axis=0),
        "spread": seen.std(axis=0),
        "pdos": saved.predict(X)[0],
        "half": saved.half_width(X, endless)[0],
        "mean_pdos": data.Y.mean(axis=0),
        "integrals": np.array([v[0] for v in values]).T,
        "r_edges": data.r_edges,
        "omega_edges": data.omega_edges,
        "outside": np.array(reason or ""),
        "assumed": np.array(measured.assumed),
    }


def peaks(omega_edges: np.ndarray, pdos: np.ndarray, share: float = 0.3) -> np.ndarray:
    """Centres of the bins in which a spectrum is highest among its neighbours, THz.

    Parameters
    ----------
    omega_edges : (n_omega + 1,), THz
    pdos : (n_omega,)
    share : float
        Least height, as a share of the highest.

    Examples
    --------
    >>> peaks(np.arange(7.0), np.array([0.0, 1.0, 0.5, 0.2, 0.8, 0.0])).tolist()
    [1.5, 4.5]
    """
    padded = np.pad(pdos, 2, constant_values=-np.inf)
    around = np.lib.stride_tricks.sliding_window_view(padded, 5)
    return bin_centres(omega_edges)[(pdos == around.max(axis=1)) & (pdos >= share * pdos.max())]
