"""Models as files: numbers and JSON in one .npz, never pickled code.

A file someone sends is read without executing anything in it, and nothing is allocated on the
word of a header: members are read up to a limit and must have exactly the bytes their shape says.
"""

import hashlib
import json
import math
import os
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path

import numpy as np

from glassdata import cnn
from glassdata.config import canonical_json

FORMAT = 2
#: Largest member accepted, bytes; a map of 1000 × 1000 bins takes 8 MB.
MEMBER_LIMIT = 64 * 2**20
#: Leading components kept to describe the training set, at most.
MAX_COMPONENTS = 20
KINDS = ("linear", *cnn.KINDS)

# The one header that numpy writes for a plain array in C order; nothing else is parsed.
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '([^']{1,8})', 'fortran_order': False, "
    rb"'shape': \(([\d, ]{0,40})\), \} *\n",
    re.DOTALL,
)


@dataclass(frozen=True)
class Region:
    """Where the training g(r) lie: what is needed to tell how far off a new one is.

    ``x_mean`` (n_r,) the mean training g(r); ``components`` (k, n_r) its leading principal
    directions with ``variances`` (k,); ``residual`` (1,) the variance per direction outside them;
    ``reference`` (1,) the distance within which 95 % of the training structures lie.
    """

    x_mean: np.ndarray
    components: np.ndarray
    variances: np.ndarray
    residual: np.ndarray
    reference: np.ndarray

    def __post_init__(self) -> None:
        k = len(self.components) if np.ndim(self.components) == 2 else -1
        n_r = np.size(self.x_mean)
        for field, shape in zip(fields(self), [(n_r,), (k, n_r), (k,), (1,), (1,)], strict=True):
            _check_array(field.name, getattr(self, field.name), shape)
        if not (np.all(self.variances > 0) and self.residual > 0 and self.reference > 0):
            raise ValueError("variances, residual and reference must be positive")


@dataclass(frozen=True)
class SavedModel:
    """A fitted model: ``kind``, its ``arrays`` by name, and the region it was trained in.

    A ``"linear"`` one has ``coef`` (n_omega, n_r) and ``intercept`` (n_omega,), in the unit of
    the PDOS it was fitted to; a network has the ``weights_`` of ``ConvolutionalNetwork``.
    """

    kind: str
    arrays: Mapping[str, np.ndarray]
    region: Region

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of model {self.kind!r:.40}; known: {', '.join(KINDS)}")
        expected = _shapes(self.kind, self.n_r, self._n_omega())
        if self.arrays.keys() != expected.keys():
            raise ValueError(f"a {self.kind} model does not hold {sorted(self.arrays)!r:.100}")
        for name, shape in expected.items():
            _check_array(name, self.arrays[name], shape)

    @property
    def n_r(self) -> int:
        """Number of bins of g(r)."""
        return self.region.x_mean.size

    @property
    def shape(self) -> tuple[int, int]:
        """(n_omega, n_r)."""
        return self._n_omega(), self.n_r

    def _n_omega(self) -> int:
        return np.size(self.arrays.get("intercept" if self.kind == "linear" else "y_mean"))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Spectra of g(r) of shape (n, n_r); shape (n, n_omega). Networks need PyTorch."""
        X = self._checked(X)
        if self.kind == "linear":
            return X @ self.arrays["coef"].T + self.arrays["intercept"]
        return cnn.evaluate(self.kind, self.arrays, X)

    def novelty(self, X: np.ndarray) -> np.ndarray:
        """How far each g(r) of (n, n_r) lies outside the training set, shape (n,), dimensionless.

        Mahalanobis distance d² = Σ_k t_k²/v_k + ‖rest‖²/v_rest from the training mean, with the
        scores t_k in the leading principal directions, divided by the distance within which 95 %
        of the training structures lie. Up to about 1: like the training set. Well above 1: the
        map extrapolates, and its error bar from cross-validation no longer applies.
        """
        return _distance(self._checked(X) - self.region.x_mean, self.region) / self.region.reference

    def _checked(self, X: np.ndarray) -> np.ndarray:
        X = np.asarray(X, float)
        if X.ndim != 2 or X.shape[1] != self.n_r or not np.isfinite(X).all():
            raise ValueError(f"g(r) must be finite, of shape (n, {self.n_r}), got shape {X.shape}")
        return X


def _shapes(kind: str, n_r: int, n_omega: int) -> dict[str, tuple[int, ...]]:
    """Shapes of the arrays of a model."""
    if kind == "linear":
        return {"coef": (n_omega, n_r), "intercept": (n_omega,)}
    n_in = max(n_r, cnn.FEWEST_BINS)
    scales = dict(zip(cnn.SCALES, [(n_in,), (1,), (n_omega,), (1,)], strict=True))
    return scales | cnn.shapes(kind, n_r, n_omega)


def _check_array(name: str, values: np.ndarray, shape: tuple[int, ...]) -> None:
    if np.shape(values) != shape or not np.isfinite(values).all():
        raise ValueError(f"{name} must be finite, of shape {shape}, not {values!r:.60}")


def fingerprint(*arrays: np.ndarray) -> str:
    """sha256 (hexadecimal) of the values, types and shapes of arrays, such as a training set."""
    total = hashlib.sha256()
    for array in map(np.ascontiguousarray, arrays):
        total.update(f"{array.dtype.str}{array.shape}".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def save(model, path: str | Path, meta: Mapping, *, X: np.ndarray) -> SavedModel:
    """Write a fitted model and what its training g(r) look like to ``path``.

    Parameters
    ----------
    model
        Fitted: linear, with ``coef_`` (n_omega, n_r) and ``intercept_`` (n_omega,), or a network.
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
        If the model is of no such kind or not fitted, or ``X`` or ``meta`` do not fit it.
    """
    kind, arrays = _arrays(model)
    saved = SavedModel(kind, arrays, _region(np.asarray(X, float), model.n_features_in_))
    text = canonical_json(dict(meta) | {"format": FORMAT, "kind": kind})
    _check_meta(json.loads(text), saved)
    members = {f"model.{name}": values for name, values in arrays.items()} | vars(saved.region)
    members = {name: np.ascontiguousarray(values, "<f8") for name, values in members.items()}
    members["meta"] = np.frombuffer(text.encode(), np.uint8)
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            np.savez(file, **members)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return saved


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
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive)
    # RuntimeError: an encrypted member, an unknown zip feature, JSON nested too deeply.
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path}: not a readable model file ({_line(error)})") from error


def _read(archive: zipfile.ZipFile) -> tuple[SavedModel, dict]:
    names = sorted(archive.namelist())
    if "meta.npy" not in names:
        raise ValueError(f"holds {names!r:.100}")
    meta = json.loads(_member(archive, "meta", "|u1").tobytes().decode())
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise ValueError(f"is not of format {FORMAT}")
    kind = meta.get("kind")
    if kind not in KINDS:
        raise ValueError(f"holds an unknown kind of model, {kind!r:.40}")
    parts = {name: f"model.{name}" for name in _shapes(kind, 1, 1)}
    region = [field.name for field in fields(Region)]
    if names != sorted(f"{name}.npy" for name in [*region, *parts.values(), "meta"]):
        raise ValueError(f"holds {names!r:.100}")
    model = SavedModel(
        kind,
        {name: _member(archive, member, "<f8") for name, member in parts.items()},
        Region(**{name: _member(archive, name, "<f8") for name in region}),
    )
    _check_meta(meta, model)
    return model, meta


def _arrays(model) -> tuple[str, dict[str, np.ndarray]]:
    if isinstance(model, cnn.ConvolutionalNetwork) and hasattr(model, "weights_"):
        return model.kind, model.weights_
    coef = getattr(model, "coef_", None)
    if coef is None or np.ndim(coef) != 2:
        raise ValueError(f"{type(model).__name__} is not a fitted model of spectra")
    return "linear", {"coef": np.array(coef, float), "intercept": np.array(model.intercept_, float)}


def _region(X: np.ndarray, n_r: int) -> Region:
    """The shape of the training set: probabilistic principal components of X."""
    if X.ndim != 2 or len(X) < 2 or X.shape[1] != n_r or not np.isfinite(X).all():
        raise ValueError(f"training g(r) must be finite, at least two of {n_r} bins, got {X.shape}")
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
    parts = (X.mean(axis=0), directions[:k].copy(), variances[:k], residual)
    distances = _distance(centred, Region(*parts, np.ones(1)))
    return Region(*parts, np.quantile(distances, [0.95]))


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


def _member(archive: zipfile.ZipFile, name: str, dtype: str) -> np.ndarray:
    """One array of the archive, of exactly this type, as large as its bytes and no larger."""
    if archive.getinfo(f"{name}.npy").compress_type not in (
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
    ):
        raise ValueError(f"{name} has an unknown compression")
    with archive.open(f"{name}.npy") as file:
        data = file.read(MEMBER_LIMIT + 1)
    if len(data) > MEMBER_LIMIT:
        raise ValueError(f"{name} is larger than {MEMBER_LIMIT} bytes")
    header = _HEADER.match(data)
    if not header or header[1].decode() != dtype:
        raise ValueError(f"{name} is not a plain array of type {dtype}")
    shape = tuple(int(size) for size in header[2].split(b",") if size.strip())
    values = data[header.end() :]
    # No shape is believed that the bytes at hand do not fill.
    if 0 in shape or math.prod(shape) * np.dtype(dtype).itemsize != len(values):
        raise ValueError(f"{name} has {len(values)} bytes for shape {shape}")
    return np.frombuffer(values, dtype).reshape(shape).copy()


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
