"""Models as files: numbers and JSON in one .npz, never pickled code.

A file from elsewhere is read without executing anything in it. A false header cannot fill the
memory: members are read up to a limit, and must have exactly as many bytes as their shape needs.
"""

import hashlib
import io
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from glassdata.bounds import check_size, open_archive, parse_json
from glassdata.config import canonical_json
from glassdata.evaluation import grouped_folds
from glassdata.files import UNREADABLE, read_arrays, replace
from glassdata.intervals import Calibration, far_ripple
from glassdata.models.registry import MODELS
from glassdata.regression import Regression, check_arrays

FORMAT = 5
#: Largest number of bytes that all members of a file may unpack to; a map of 1000 × 1000 bins
#: takes 8 MB, two thousand remembered structures of 200 bins 3 MB.
LIMIT = 128 * 2**20
#: Prefix of the names of a model's own arrays in a file.
PREFIX = "model."
#: The same of what its intervals were calibrated with.
CALIBRATED = "calibration."
#: Number of leading components in which structures are near each other.
NEAR = 3
#: Largest number of leading components that describe the training set.
MAX_COMPONENTS = 20
#: Parts of a training set that are held out in turn to find its rim, and the fewest families.
FOLDS, FEWEST_FAMILIES = 5, 10
#: Number of structures whose predictions are compared with those of the model in the file.
TRIED = 8


@dataclass(frozen=True)
class Region:
    """Where the training g(r) lie, to measure how far a new one is from them.

    ``x_mean`` (n_r,) the mean training g(r); ``components`` (k, n_r) its leading principal
    directions with ``variances`` (k,); ``residual`` (1,) the variance per direction outside them;
    ``reference`` (1,) the distance within which 95 % of structures lie that were not used.
    """

    x_mean: np.ndarray
    components: np.ndarray
    variances: np.ndarray
    residual: np.ndarray
    reference: np.ndarray

    def __post_init__(self) -> None:
        dims = [("n_r",), ("k", "n_r"), ("k",), (1,), (1,)]
        shapes = dict(zip([field.name for field in fields(self)], dims, strict=True))
        check_arrays("region", vars(self), shapes)
        if not (np.all(self.variances > 0) and self.residual > 0 and self.reference > 0):
            raise ValueError("variances, residual and reference must be positive")

    def distance(self, X: np.ndarray) -> np.ndarray:
        """Distance of g(r) (n, n_r) from the training set, 1 at its rim, shape (n,)."""
        return _distance(X - self.x_mean, self) / self.reference

    def place(self, X: np.ndarray) -> np.ndarray:
        """Leading scores of g(r) (n, n_r), each of variance 1 in the training set, (n, ≤ 3)."""
        scores = (X - self.x_mean) @ self.components[:NEAR].T
        return scores / np.sqrt(self.variances[:NEAR])


@dataclass(frozen=True)
class SavedModel:
    """A fitted model, and the region of g(r) in which it was trained.

    Parameters
    ----------
    regression
        Fitted, of a class that :data:`glassdata.models.MODELS` lists.
    region
        With as many bins of g(r).
    calibration
        Of the intervals, for as many bins of the spectrum; None where no structure was held out.

    Examples
    --------
    >>> from glassdata import models
    >>> X = np.eye(4)
    >>> line = models.ridge().fit(X, X[:, :2])
    >>> saved = save(line, "line.npz", {"system": "amc"}, X=X)
    >>> saved.kind, saved.shape  # (n_omega, n_r)
    ('LinearMap', (2, 4))
    >>> bool((saved.novelty(100 * X) > 10).all())  # far outside the training set
    True
    """

    regression: Regression
    region: Region
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        if self.calibration is not None:
            n_omega, near = self.calibration.errors.shape[1], self.calibration.place.shape[1]
            if n_omega != self.shape[0] or near != len(self.region.components[:NEAR]):
                raise ValueError("the calibration is that of another model")
        if self.regression.n_features_in_ != self.n_r:
            raise ValueError(
                f"the model is for {self.regression.n_features_in_} bins of g(r), "
                f"its training set had {self.n_r}"
            )

    @property
    def promises(self) -> bool:
        """Whether enough structures were held out for an interval."""
        return self.calibration is not None and self.calibration.promises

    @property
    def kind(self) -> str:
        """Name of the class of the model."""
        return type(self.regression).__name__

    @property
    def n_r(self) -> int:
        """Number of bins of g(r)."""
        return self.region.x_mean.size

    @property
    def shape(self) -> tuple[int, int]:
        """(n_omega, n_r)."""
        return self.regression.n_outputs_, self.n_r

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Spectra of g(r) of shape (n, n_r): shape (n, n_omega), in the unit of the training set.

        Raises
        ------
        ImportError
            If the model needs a package that is not installed; networks need PyTorch.
        ValueError
            If ``X`` is of another shape or not finite, or the model is damaged so that its
            predictions are not finite.
        """
        with np.errstate(all="ignore"):
            Y = self.regression.predict(self._checked(X))
        if not np.isfinite(Y).all():
            raise ValueError(f"the {self.kind} predicts numbers that are not finite")
        return Y

    def novelty(self, X: np.ndarray) -> np.ndarray:
        """How far each g(r) of (n, n_r) lies outside the training set, shape (n,), dimensionless.

        Mahalanobis distance d² = Σ_k t_k²/v_k + ‖rest‖²/v_rest from the training mean, with the
        scores t_k in the leading principal directions, divided by the distance within which 95 %
        of the training structures lie when they are held out. Up to about 1: like the training
        set. Well above 1: the model extrapolates, and its error from cross-validation no longer
        applies.
        """
        return self.region.distance(self._checked(X))

    def half_width(
        self, X: np.ndarray, n_atoms: np.ndarray, weights: np.ndarray | None = None
    ) -> np.ndarray:
        """Half of the interval around each prediction, shape (n, n_omega), as of ``intervals``.

        Parameters
        ----------
        X : (n, n_r)
            g(r).
        n_atoms : (n,)
            Infinitely many for a measurement.
        weights : (n_omega, n_integrals), optional
            Integrals of the spectrum instead of its bins.

        Returns
        -------
        NaN where no coverage can be promised; :meth:`outside` says why.
        """
        X = self._checked(X)
        if self.calibration is None:
            columns = self.shape[0] if weights is None else weights.shape[1]
            return np.full((len(X), columns), np.nan)
        distance = self.novelty(X)
        found = self.calibration.half_width(
            self.region.place(X), distance=distance, n_atoms=n_atoms, weights=weights
        )
        found[[reason is not None for reason in self.outside(X, n_atoms)]] = np.nan
        return found

    def outside(self, X: np.ndarray, n_atoms: np.ndarray) -> list[str | None]:
        """Why no coverage can be promised for each g(r); None where it can.

        Parameters
        ----------
        X : (n, n_r)
        n_atoms : (n,)
        """
        if self.calibration is None:
            return ["no structure was held out"] * len(X)
        found = zip(self.novelty(X), np.asarray(n_atoms, float), far_ripple(X), strict=True)
        return [self.calibration.outside(*one) for one in found]

    def _checked(self, X: np.ndarray) -> np.ndarray:
        X = np.asarray(X, float)
        if X.ndim != 2 or X.shape[1] != self.n_r or not np.isfinite(X).all():
            raise ValueError(f"g(r) must be finite, of shape (n, {self.n_r}), got shape {X.shape}")
        return X


def fingerprint(*arrays: np.ndarray) -> str:
    """sha256 (hexadecimal) of the values, types and shapes of arrays, such as a training set.

    Examples
    --------
    >>> fingerprint(np.zeros(3)) == fingerprint(np.zeros((1, 3)))
    False
    """
    total = hashlib.sha256()
    for array in map(np.ascontiguousarray, arrays):
        total.update(f"{array.dtype.str}{array.shape}".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def save(model: BaseEstimator, path: str | Path, meta: Mapping, *, X: np.ndarray) -> SavedModel:
    """Write a fitted model and what its training g(r) look like to ``path``.

    Parameters
    ----------
    model
        Fitted, and of a class that :data:`glassdata.models.MODELS` lists; of a tuned one the
        chosen estimator is saved.
    path
        Replaced in one step, so that no reader sees half a file.
    meta
        Plain finite data: system, units, bins, hash of the training set, scores. Where present,
        ``r_edges`` and ``omega_edges`` must fit the numbers of bins.
    X
        Training g(r), shape (n, n_r), n ≥ 2.

    Returns
    -------
    SavedModel
        What :func:`load` will return.

    Raises
    ------
    ValueError
        If the model is of no such class or not fitted, if ``X`` or ``meta`` do not fit it, or if
        the model in the file would predict other spectra.

    Examples
    --------
    >>> from glassdata import models
    >>> X, Y = np.eye(4), np.eye(4)[:, :2]
    >>> line = models.ridge().fit(X, Y)
    >>> saved = save(line, "line.npz", {"system": "amc"}, X=X)
    >>> saved.predict(X).shape
    (4, 2)
    """
    data, saved = encode(model, meta, X=X)
    replace(Path(path), data)
    return saved


def encode(
    model: BaseEstimator,
    meta: Mapping,
    *,
    X: np.ndarray,
    groups: np.ndarray | None = None,
    calibration: Calibration | None = None,
) -> tuple[bytes, SavedModel]:
    """Bytes of the file of a fitted model, and the model that :func:`load` makes of them.

    Parameters
    ----------
    model
        As for :func:`save`, like the others.
    meta
        Plain finite data.
    X
        Training g(r), shape (n, n_r), n ≥ 2.
    groups
        Families of the training set, (n,); of one structure each if None.
    calibration
        Of its intervals.

    Raises
    ------
    ValueError
        As for :func:`save`.

    Examples
    --------
    >>> from glassdata import models
    >>> X, Y = np.eye(4), np.eye(4)[:, :2]
    >>> data, saved = encode(models.ridge().fit(X, Y), {"system": "amc"}, X=X)
    >>> data[:2], saved.kind  # a zip archive
    (b'PK', 'LinearMap')
    """
    fitted = getattr(model, "best_estimator_", model)
    if type(fitted) not in _classes().values():
        raise ValueError(f"{type(fitted).__name__} is not a model that glassdata.models.MODELS has")
    X = np.asarray(X, float)
    arrays = {f"{PREFIX}{name}": values for name, values in fitted.to_arrays().items()}
    arrays |= vars(_region(X, fitted.n_features_in_, groups))
    if calibration is not None:
        arrays |= {f"{CALIBRATED}{name}": values for name, values in vars(calibration).items()}
    text = canonical_json(dict(meta) | {"format": FORMAT, "kind": type(fitted).__name__})
    members: dict[str, Any] = {
        name: np.asarray(values, "<f8", order="C") for name, values in arrays.items()
    }
    members["meta"] = np.frombuffer(text.encode(), np.uint8)
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **members)
    with open_archive(stream) as archive:
        saved, _ = _read(archive)
    if not np.allclose(saved.predict(X[:TRIED]), fitted.predict(X[:TRIED]), rtol=1e-9, atol=0):
        raise ValueError(f"a {saved.kind} predicts other spectra once it comes back from its file")
    return stream.getvalue(), saved


def load(path: str | Path) -> tuple[SavedModel, dict]:
    """Read a model written by :func:`save`, trusting nothing in the file.

    Returns
    -------
    model : SavedModel
    meta : dict

    Raises
    ------
    ValueError
        If the file cannot be read, is damaged, holds anything but numbers of the expected shapes,
        or has another format version; one line that names the file.

    Examples
    --------
    >>> from glassdata import models
    >>> X, Y = np.eye(4), np.eye(4)[:, :2]
    >>> _ = save(models.ridge().fit(X, Y), "line.npz", {"system": "amc"}, X=X)
    >>> model, meta = load("line.npz")
    >>> model.predict(X).shape, meta["system"]
    ((4, 2), 'amc')
    """
    try:
        check_size(Path(path))
        with open(path, "rb") as stream, open_archive(stream) as archive:
            return _read(archive)
    except (*UNREADABLE, OSError) as error:
        raise ValueError(f"{path}: not a readable model file ({_line(error)})") from error


def _classes() -> dict[str, type[Regression]]:
    """Classes of the models that a file may hold, by name."""
    return {kind.regression.__name__: kind.regression for kind in MODELS.values()}


def _read(archive: zipfile.ZipFile) -> tuple[SavedModel, dict]:
    arrays = read_arrays(archive, limit=LIMIT)
    own, calibrated = (_taken(arrays, prefix) for prefix in (PREFIX, CALIBRATED))
    region = [field.name for field in fields(Region)]
    if sorted(arrays) != sorted([*region, "meta"]):
        raise ValueError(f"holds {sorted(arrays)!r:.100}")
    text = arrays.pop("meta")
    for name, values in {"meta": text, **own, **calibrated, **arrays}.items():
        expected = np.uint8 if name == "meta" else np.float64
        if values.dtype != expected:
            raise ValueError(f"{name} is not of type {np.dtype(expected)}, but {values.dtype}")
    meta = parse_json(text.tobytes())
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise ValueError(f"is not of format {FORMAT}")
    kind = meta.get("kind")
    if not isinstance(kind, str) or kind not in _classes():
        raise ValueError(f"holds an unknown kind of model, {kind!r:.40}")
    fitted = _classes()[kind].from_arrays(own)
    if calibrated and calibrated.keys() != {field.name for field in fields(Calibration)}:
        raise ValueError(f"holds {sorted(calibrated)!r:.100}")
    calibration = Calibration(**calibrated) if calibrated else None
    model = SavedModel(fitted, Region(**arrays), calibration)
    _check_meta(meta, model)
    return model, meta


def _taken(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """The arrays of a prefix without it, which are taken out of the others."""
    names = [name for name in arrays if name.startswith(prefix)]
    return {name.removeprefix(prefix): arrays.pop(name) for name in names}


def region_of(X: np.ndarray, groups: np.ndarray | None = None) -> Region:
    """Where training g(r) (n, n_r) lie, n ≥ 2; ``groups`` (n,) are families, of one each if None.

    The rim is found on structures that are held out with their families: the set itself lies
    nearer to its own mean and directions than others of its kind do, the more so the fewer it has.

    Examples
    --------
    >>> near = region_of(np.eye(4)).distance(np.full((1, 4), 0.25))
    >>> bool(near[0] < 0.1)  # the mean of the training set
    True
    """
    X = np.asarray(X, float)
    return _region(X, X.shape[-1], groups)


def _region(X: np.ndarray, n_r: int, groups: np.ndarray | None = None) -> Region:
    """The shape of the training set: probabilistic principal components of X."""
    if X.ndim != 2 or len(X) < 2 or X.shape[1] != n_r or not np.isfinite(X).all():
        raise ValueError(f"training g(r) must be finite, at least two of {n_r} bins, got {X.shape}")
    shape = _shape(X)
    distances = _distance(X - X.mean(axis=0), shape)
    families = np.arange(len(X)) if groups is None else np.asarray(groups)
    if len(np.unique(families)) >= FEWEST_FAMILIES:
        for told, asked in grouped_folds(families, FOLDS, seed=0):
            distances[asked] = _distance(X[asked] - X[told].mean(axis=0), _shape(X[told]))
    return Region(**(vars(shape) | {"reference": np.quantile(distances, [0.95])}))


def _shape(X: np.ndarray) -> Region:
    """Mean, directions and variances of a training set, with a unit for its reference."""
    centred = X - X.mean(axis=0)
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    variances = singular**2 / (len(X) - 1)
    if not variances[0] > 0:
        raise ValueError("all training g(r) are equal")
    # As many directions as hold 99 % of the variance; the rest shares one variance.
    enough = int(np.searchsorted(np.cumsum(variances) / variances.sum(), 0.99)) + 1
    k = min(enough, MAX_COMPONENTS)
    rest = variances[k:].sum() / max(X.shape[1] - k, 1)
    residual = np.array([max(rest, 1e-6 * variances[k - 1])])
    return Region(X.mean(axis=0), directions[:k].copy(), variances[:k], residual, np.ones(1))


def _distance(centred: np.ndarray, region: Region) -> np.ndarray:
    scores = centred @ region.components.T
    rest = centred - scores @ region.components
    return np.sqrt(
        np.sum(scores**2 / region.variances, axis=1) + np.sum(rest**2, axis=1) / region.residual
    )


def _check_meta(meta: dict, model: SavedModel) -> None:
    for name, size in zip(("omega_edges", "r_edges"), model.shape, strict=True):
        edges = meta.get(name)
        if name in meta and not (
            isinstance(edges, list)
            and len(edges) == size + 1
            and all(type(edge) in (int, float) and math.isfinite(edge) for edge in edges)
            and all(lower < upper for lower, upper in pairwise(edges))
        ):
            raise ValueError(f"{name} must be {size + 1} increasing numbers for {size} bins")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
