"""The finished structures of one glass of a dataset, as arrays.

>>> import glassdata as gd
>>> carbon = gd.dataset("amc")
>>> carbon.X.shape == carbon.Y.shape == (len(carbon), 100)
True
>>> glassy = carbon.where(disorder_class="amorphous", replicate=False)
>>> dense = glassy[glassy.density > 0.34]
>>> sheet = dense.atoms(0)

Selections are datasets again, and ``index`` remembers which rows of the store they hold.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from typing import Any, overload

import numpy as np
import xarray as xr
from ase import Atoms

from glassdata.bounds import parse_json
from glassdata.models.modelfile import fingerprint
from glassdata.schema import RAGGED
from glassdata.scores import normalised
from glassdata.store import DamageError, StoreError, open_dataset, shipped_dataset

#: Methods that read the variables with a value for each atom or mode, instead of each structure.
_RAGGED_READERS = {"atom": "atoms(k)", "mode": "frequencies(k)"}


def dataset(name: str, path: str | os.PathLike | xr.DataTree | None = None) -> "Dataset":
    """Open the finished structures of one glass; failed rows are left out.

    Arrays are read when they are first asked for.

    Parameters
    ----------
    name : str
        Name of the glass, such as ``"sic"``.
    path
        As for ``open_dataset``; None is the dataset that ships, which is opened once. Or what
        ``open_dataset`` returned, so that another one is not opened again for each glass.

    Raises
    ------
    ValueError
        If the dataset does not hold this glass.
    StoreError
        If no structure of it was finished; otherwise as ``open_dataset``.

    Examples
    --------
    >>> import glassdata as gd
    >>> gd.dataset("sic").title
    'Silicon carbide'

    Several glasses of another dataset:

    >>> tree = gd.open_dataset(gd.store.own_dataset())
    >>> glasses = {name: gd.dataset(name, tree) for name in ("sic", "sic_tersoff")}
    """
    if path is None:
        tree = shipped_dataset()
    else:
        tree = path if isinstance(path, xr.DataTree) else open_dataset(path)
    if name not in tree.children:
        known = ", ".join(tree.children)
        raise ValueError(f"unknown system {name!r}; known: {known}.{_hint(name, tree.children)}")
    stored = tree[name].to_dataset()
    finished = np.flatnonzero(_values(stored, "status") == "ok")
    if not len(finished):
        where = "the dataset" if path is None or path is tree else path
        raise StoreError(f"{where} has no finished structure of {name}")
    return Dataset(name, str(tree.attrs.get("profile", "")), stored, finished)


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """n finished structures of one glass; made by :func:`dataset`, and never changed.

    Every variable with one value per structure is an attribute and an item: ``data.density`` and
    ``data["density"]`` are the same read-only array of n values, in the unit that
    ``glassdata.schema`` states. Structures are counted from 0 within a selection; ``index`` counts
    them as the store does.

    Attributes
    ----------
    system : str
        Name of the glass; ``SYSTEMS[system]`` describes it.
    profile : str
        Profile that the store was built with.
    stored : xarray.Dataset
        All rows of the glass, the failed ones included.
    rows : (n,) int
        Positions of these structures in ``stored``.

    Examples
    --------
    >>> import glassdata as gd
    >>> alloy = gd.dataset("cualzr")
    >>> alloy.title, alloy.species, alloy.dim
    ('Cu-Al-Zr metallic glass', ('Al', 'Cu', 'Zr'), 3)
    >>> len(alloy) + alloy.n_failed == len(alloy.stored["structure"])
    True

    What a model learns from, structure by structure, with its bins:

    >>> n = len(alloy)
    >>> alloy.X.shape == (n, len(alloy.r)), alloy.Y.shape == (n, len(alloy.omega))
    (True, True)
    >>> float(alloy.r_edges[-1]), float(alloy.omega_edges[-1])  # Å, THz
    (10.0, 15.0)
    >>> np.allclose(alloy.shares.sum(axis=1), 1), alloy["partial_g"].shape == (n, 6, 100)
    (True, True)
    >>> alloy.pairs
    ('Al-Al', 'Al-Cu', 'Al-Zr', 'Cu-Cu', 'Cu-Zr', 'Zr-Zr')

    Its structures are sorted into four classes of disorder:

    >>> sheets = gd.dataset("amc")
    >>> sheets.class_variable, sheets.class_edges
    ('non_hexagonal', [0.1, 0.25, 0.4])

    Selections are datasets again. Here one structure of each family, and the first of them:

    >>> alone = alloy[np.unique(alloy.groups, return_index=True)[1]]
    >>> sorted(set(alone.classes.tolist()))
    ['amorphous', 'crystal-like', 'defective', 'partial']
    >>> k = int(alone.index[0])  # its number in the store, for gd.make_structure("cualzr", k)
    >>> len(alone.atoms(0)) == int(alone.n_atoms[0])
    True
    >>> len(alone.frequencies(0)) == int(alone.n_modes[0])
    True
    >>> alone.meta()["system"], alone.meta()["units"]["omega"]
    ('cualzr', 'THz')
    """

    system: str
    profile: str
    stored: xr.Dataset
    rows: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", _read_only(np.array(self.rows, int)))

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        n, families = len(self), len(np.unique(self.groups))
        return f"<{self.system}: {n} finished structures in {families} families>"

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._variables]

    # --- what a model learns from -------------------------------------------------------------

    @cached_property
    def X(self) -> np.ndarray:
        """Radial distribution functions g(r), (n, n_r), dimensionless, tending to 1."""
        return _read_only(self["g"].astype(float))

    @cached_property
    def Y(self) -> np.ndarray:
        """Phonon densities of states, (n, n_omega), 1/THz, integral 1 over the range."""
        return _read_only(self["pdos"].astype(float))

    @cached_property
    def shares(self) -> np.ndarray:
        """The PDOS as the share of each bin, (n, n_omega), dimensionless, with sum 1 over the bins.

        All errors that the book states are errors of these.
        """
        return _read_only(normalised(self.Y))

    @cached_property
    def groups(self) -> np.ndarray:
        """Family of each structure, (n,): structures of one family must never be split.

        A family shares a melt or a template; it is the stored variable ``parent``. Where a store
        has none, every structure is a family of its own.
        """
        return self["parent"] if "parent" in self.stored else self.index

    @property
    def classes(self) -> np.ndarray:
        """Disorder class of each structure, (n,): crystal-like, defective, partial, amorphous."""
        return self["disorder_class"]

    @property
    def index(self) -> np.ndarray:
        """Index of each structure in the store, (n,), as ``make_structure`` takes it."""
        return self["structure"]

    # --- bins, and what holds for the whole glass ---------------------------------------------

    @property
    def r(self) -> np.ndarray:
        """Centres of the distance bins, (n_r,), Å."""
        return self._coordinate("r")

    @property
    def omega(self) -> np.ndarray:
        """Centres of the frequency bins, (n_omega,), THz."""
        return self._coordinate("omega")

    @property
    def r_edges(self) -> np.ndarray:
        """Edges of the distance bins, (n_r + 1,), Å."""
        return self._coordinate("r_edges")

    @property
    def omega_edges(self) -> np.ndarray:
        """Edges of the frequency bins, (n_omega + 1,), THz."""
        return self._coordinate("omega_edges")

    @property
    def pairs(self) -> tuple[str, ...]:
        """Pairs of species that ``partial_g`` (n, n_pairs, n_r) runs over; none for one species."""
        return tuple(map(str, _values(self.stored, "pair"))) if "pair" in self.stored else ()

    @property
    def n_failed(self) -> int:
        """Number of rows of this glass that failed, and are in no selection."""
        return int(np.sum(_values(self.stored, "status") != "ok"))

    @property
    def title(self) -> str:
        """Name of the glass in words."""
        return str(self.stored.attrs["title"])

    @property
    def species(self) -> tuple[str, ...]:
        """Chemical symbols of the glass."""
        known = self.stored.attrs["species"]
        return tuple(known.split() if isinstance(known, str) else known)

    @property
    def dim(self) -> int:
        """Dimension of g(r): 2 for sheets and discs, which repeat along x and y only; else 3."""
        return int(self.stored.attrs["dimension"])

    @property
    def class_variable(self) -> str:
        """Name of the variable by which ``classes`` were cut when this dataset was made."""
        return self._class_rule[0]

    @property
    def class_edges(self) -> list[float]:
        """Values of ``class_variable`` at the borders of the four classes."""
        return self._class_rule[1:]

    @cached_property
    def _class_rule(self) -> list:
        configuration = parse_json(self.stored.attrs["configuration"].encode())
        # Datasets of layout 1 do not set the description apart.
        return configuration.get("description", configuration)["classes"]

    # --- one structure ------------------------------------------------------------------------

    def atoms(self, k: int) -> Atoms:
        """Relaxed structure number ``k`` of this selection: positions and cell in Å."""
        span = self._span("atom", k)
        return Atoms(
            numbers=_values(self.stored, "number", atom=span),
            positions=_values(self.stored, "position", atom=span),
            cell=self["cell"][k],
            pbc=(True, True, self.dim == 3),
        )

    def frequencies(self, k: int) -> np.ndarray:
        """Frequencies of structure number ``k``, (n_modes,), THz ascending, imaginary as negative.

        Translations are left out.
        """
        span = self._span("mode", k)
        return _read_only(_values(self.stored, "frequency", mode=span).astype(float))

    # --- selections ---------------------------------------------------------------------------

    @overload
    def __getitem__(self, key: str) -> np.ndarray: ...
    @overload
    def __getitem__(self, key: "int | slice | Collection[int] | np.ndarray") -> "Dataset": ...

    def __getitem__(self, key):
        """A variable by its name, or the structures of a mask, a slice, positions or a position.

        Raises
        ------
        KeyError
            If there is no such variable, or it does not have one value per structure.
        IndexError
            If there is no structure at a position, or a mask has another length.
        """
        if isinstance(key, str):
            return self._variable(key)
        if not isinstance(key, slice):
            key = np.atleast_1d(key)
            if key.size == 0:  # NumPy takes an empty list for floats
                key = key.astype(int)
        return replace(self, rows=self.rows[key])

    def where(self, **conditions: Any) -> "Dataset":
        """Structures whose variables have these values, or one of the values of a list.

        >>> import glassdata as gd
        >>> argon = gd.dataset("lj3d")
        >>> glasses = argon.where(disorder_class=["partial", "amorphous"], replicate=False)

        Raises
        ------
        KeyError
            As for an item.
        """
        chosen = np.ones(len(self), bool)
        for name, wanted in conditions.items():
            if isinstance(wanted, str) or not isinstance(wanted, Collection):
                wanted = [wanted]
            chosen &= np.isin(self[name], np.asarray(list(wanted)))
        return self[chosen]

    def __getattr__(self, name: str) -> np.ndarray:
        # Copies and pickles ask for names before there are any fields.
        if name.startswith("_") or "stored" not in vars(self):
            raise AttributeError(name)
        try:
            return self._variable(name)
        except KeyError as missing:
            raise AttributeError(missing.args[0]) from None

    # --- for files ----------------------------------------------------------------------------

    def meta(self) -> dict:
        """Facts on this training set for a model file, as plain data."""
        return {
            "system": self.system,
            "species": list(self.species),
            "dim": self.dim,
            "r_edges": self.r_edges.tolist(),
            "omega_edges": self.omega_edges.tolist(),
            "units": {"r": "angstrom", "omega": "THz", "pdos": "THz-1"},
            "n_structures": len(self),
            "training_sha256": fingerprint(self.X, self.Y, self.groups),
        }

    # --- the store beneath --------------------------------------------------------------------

    @property
    def _variables(self) -> list[str]:
        """Names of the variables that have one value per structure."""
        stored = self.stored.variables.items()
        return [str(name) for name, v in stored if v.dims[:1] == ("structure",)]

    def _variable(self, name: str) -> np.ndarray:
        if name not in self._variables:
            raise KeyError(f"{self.system} has no variable {name!r} {self._instead(name)}")
        values = _values(self.stored, name)[self.rows]
        # The text of the store has no fixed width, which other packages expect of an array.
        return _read_only(np.array(values.tolist(), str) if values.dtype.kind == "T" else values)

    def _instead(self, name: str) -> str:
        dims = self.stored[name].dims if name in self.stored else ()
        if dims[:1] and dims[0] in _RAGGED_READERS:
            return f"with one value per structure; use .{_RAGGED_READERS[dims[0]]}"
        return f"with one value per structure.{_hint(name, self._variables)}"

    def _coordinate(self, name: str) -> np.ndarray:
        return _read_only(_values(self.stored, name).copy())

    def _span(self, dim: str, k: int) -> slice:
        """Where structure ``k`` lies along a ragged dimension of the store."""
        if not -len(self) <= k < len(self):
            raise IndexError(f"there is no structure {k}; {self.system} has {len(self)} here")
        # Failed rows count zero atoms and modes.
        ends = np.cumsum(_values(self.stored, RAGGED[dim]))
        row = self.rows[k]
        return slice(int(ends[row - 1]) if row else 0, int(ends[row]))


def _values(stored: xr.Dataset, name: str, **where: slice) -> np.ndarray:
    """Values of a variable, or of a part of it.

    Raises
    ------
    DamageError
        If the checksum of a chunk does not match; zarr's own error does not say of which.
    """
    try:
        return (stored[name].isel(where) if where else stored[name]).values
    except (ValueError, RuntimeError) as error:
        raise DamageError(
            f"{name} of {stored.attrs.get('title', 'a glass')} is damaged: {error} "
            "To see the file: glassdata verify"
        ) from error


def _read_only(values: np.ndarray) -> np.ndarray:
    """The same array, made read-only."""
    values.flags.writeable = False
    return values


def _hint(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f" Did you mean {close[0]}?" if close else ""
