"""Models trained on a dataset, with all that an answer needs: intervals, bins, core, density.

The line is closed form, so that a model of any glass of the dataset takes a second or two, and
another for what a measurement sees of the same structures.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

from glassdata import evaluation
from glassdata.bins import bin_centres
from glassdata.intervals import Calibration, far_ripple
from glassdata.measured import Measured, Target
from glassdata.models.modelfile import SavedModel, encode, region_of
from glassdata.models.registry import MODELS
from glassdata.radial import rdf
from glassdata.structures import Dataset

#: Number of folds of families.
_FOLDS = 5
#: One family is held out, and by the others, split again, a model chooses its settings.
FEWEST_FAMILIES = 3


@dataclass(frozen=True)
class Trained:
    """A model as :func:`train` returns it.

    Attributes
    ----------
    saved : SavedModel
    meta : dict
        What stands in its file, as plain data.
    data : bytes
        That file.
    held_out : Evaluation

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = train(gd.dataset("lj3d"))
    >>> argon.meta["system"], argon.saved.kind
    ('lj3d', 'LinearMap')
    """

    saved: SavedModel
    meta: dict
    data: bytes
    held_out: evaluation.Evaluation


def train(
    data: Dataset,
    *,
    model: str = "ridge",
    measured: Measured | None = None,
    estimator: BaseEstimator | None = None,
    about: Mapping[str, str] | None = None,
) -> Trained:
    """Fit a model to a dataset, and find out how far it errs on families that it has not seen.

    Parameters
    ----------
    data : Dataset
        Finished structures of one glass.
    model : str
        Name in ``glassdata.models.MODELS``.
    measured : Measured, optional
        A measurement: the model is trained on what it would have seen of these structures.
    estimator : BaseEstimator, optional
        Made by that model, with settings of its own.
    about : mapping, optional
        What else is to stand in the file: where the data came from.

    Raises
    ------
    ValueError
        If there are too few families to hold one out and to split the others.

    Examples
    --------
    >>> import glassdata as gd
    >>> carbon = gd.dataset("amc")
    >>> trained = train(carbon)
    >>> trained.meta["n_atoms"], round(trained.meta["core"], 1)  # from, to; Å
    ([80, 912], 1.3)
    """
    X, Y, groups = data.X, data.Y, data.groups
    families = len(np.unique(groups))
    if families < FEWEST_FAMILIES:
        raise ValueError(
            f"structures of {data.system} come from too few files, melts or templates, {families}: "
            f"a fit needs {FEWEST_FAMILIES}, since such a family is held out whole, and settings "
            "are chosen by splitting the others"
        )
    if measured is not None:
        X = measured.seen(_fine(data, measured))
    if estimator is None:
        estimator = MODELS[model].make()
    folds = min(_FOLDS, families)
    held_out = evaluation.cross_validate(estimator, X, Y, groups, n_splits=folds)
    evaluation.fit_grouped(estimator, X, Y, groups)
    scores = {"r2": held_out.r2, "mse": held_out.mse, "baseline_mse": held_out.baseline_mse}
    meta = data.meta() | {"model": model, "scores": scores} | facts(data)
    meta |= {"about": dict(about)} if about else {}
    calibration = calibrate(held_out, X, groups, _sizes(data))
    blob, saved = encode(estimator, meta, X=X, groups=groups, calibration=calibration)
    return Trained(saved, meta, blob, held_out)


def facts(data: Dataset) -> dict:
    """What a dataset covers: sizes, densities, ensembles, and the distance without any pair.

    Examples
    --------
    >>> import glassdata as gd
    >>> facts(gd.dataset("lj2d"))["n_atoms"]
    [628, 895]
    """
    found: dict = {"core": float(data.r_edges[np.argmax((data.X > 0).any(axis=0))])}
    if "n_atoms" in data.stored:
        sizes = data["n_atoms"]
        found["n_atoms"] = [int(sizes.min()), int(sizes.max())]
    if "density" in data.stored:
        rho = np.asarray(data["density"], float)
        found["density"] = [float(rho.min()), float(rho.mean()), float(rho.max())]
    if "ensemble" in data.stored:
        found["ensembles"] = sorted({str(name) for name in data["ensemble"]})
    return found


def calibrate(
    held_out: evaluation.Evaluation, X: np.ndarray, groups: np.ndarray, n_atoms: np.ndarray
) -> Calibration:
    """The calibration of intervals that follows from a cross-validation.

    Parameters
    ----------
    held_out : Evaluation
    X : (n, n_r)
        g(r) that the model was trained on.
    groups, n_atoms : (n,)
        Family and size of each structure.

    Examples
    --------
    >>> import glassdata as gd
    >>> data = gd.dataset("cualzr")
    >>> found = gd.models.cross_validate(gd.models.ridge(l2=1e-3), data.X, data.Y, data.groups)
    >>> calibrate(found, data.X, data.groups, data.n_atoms).promises
    True
    """
    distance = np.empty(len(X))
    for number in np.unique(held_out.fold):
        test = held_out.fold == number
        region = region_of(X[~test], groups[~test])
        distance[test] = region.distance(X[test])
    return Calibration(
        errors=held_out.truth - held_out.prediction,
        place=region_of(X).place(X),
        distance=distance,
        n_atoms=np.asarray(n_atoms, float),
        family=np.unique(groups, return_inverse=True)[1].astype(float),
        ripple=far_ripple(X),
    )


def target_of(meta: dict) -> Target:
    """What a model needs of a measurement, from what stands in its file.

    Raises
    ------
    KeyError, TypeError, ValueError
        If that is not there.

    Examples
    --------
    >>> target_of({"r_edges": [0.0, 1.0], "dim": 3, "species": ["C"], "core": 0.0}).n_species
    1
    """
    density = meta.get("density")
    return Target(
        np.asarray(meta["r_edges"], float),
        int(meta["dim"]),
        float(meta.get("core", 0.0)),
        None if density is None else float(density[1]),
        len(meta["species"]),
    )


def integrals(omega_edges: np.ndarray, temperature: float) -> dict[str, np.ndarray]:
    """Integrals of a spectrum that are predicted beside it, as weights of its bins.

    Parameters
    ----------
    omega_edges : (n_omega + 1,), THz
    temperature : float, K

    Examples
    --------
    >>> sorted(integrals(np.array([0.0, 1.0, 2.0]), 300.0))
    ['heat capacity', 'mean frequency']
    """
    from glassdata.thermal import mode_heat_capacity

    omega, width = bin_centres(omega_edges), np.diff(omega_edges)
    return {
        "mean frequency": width * omega,
        "heat capacity": width * mode_heat_capacity(omega, temperature),
    }


def _fine(data: Dataset, measured: Measured) -> np.ndarray:
    """g(r) of the training structures as finely as a measurement wants it."""
    if measured.resolution is None:
        return data.X
    return np.array([rdf(data.atoms(k), measured.finer, dim=data.dim) for k in range(len(data))])


def _sizes(data: Dataset) -> np.ndarray:
    """Numbers of atoms; of a store without them, one for each structure."""
    return np.asarray(data["n_atoms"]) if "n_atoms" in data.stored else np.ones(len(data), int)
