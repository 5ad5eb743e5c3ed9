"""A dataset made of arrays, for tests whose right answer is known."""

import numpy as np
import xarray as xr

from glassdata.structures import Dataset

#: Names and dimensions in the store of what models call X, Y and groups.
_STORED = {
    "X": ("g", "r"),
    "Y": ("pdos", "omega"),
    "groups": ("parent",),
    "partial_g": ("partial_g", "pair", "r"),
    "classes": ("disorder_class",),
}


def dataset_of(system: str = "ar", *, r, omega, dim: int = 3, **variables) -> Dataset:
    """``X``, ``Y``, ``groups``, ``classes`` and further variables of n structures, in float64.

    ``r`` (n_r,) and ``omega`` (n_omega,) are the centres of the bins.
    """
    stored = {}
    for key, values in variables.items():
        name, *inner = _STORED.get(key, (key,))
        stored[name] = (("structure", *inner), np.asarray(values))
    n = len(variables["X"])
    coordinates = {"structure": np.arange(n), "r": r, "omega": omega}
    if "partial_g" in variables:
        coordinates["pair"] = [f"pair {k}" for k in range(np.shape(variables["partial_g"])[1])]
    attributes = {"dimension": dim, "species": ["Ar"]}
    return Dataset(system, "demo", xr.Dataset(stored, coordinates, attributes), np.arange(n))


def changed(data: Dataset, **arrays) -> Dataset:
    """The same dataset with other ``X``, ``Y``, ``r``, ``omega`` or variables."""
    before = {"X": data.X, "Y": data.Y} | {
        name: values.values
        for name, values in data.stored.data_vars.items()
        if name not in ("g", "pdos")
    }
    after = {
        _STORED[key][0] if key in ("groups", "classes") else key: v for key, v in arrays.items()
    }
    bins = {"r": data.r, "omega": data.omega, "dim": data.dim}
    return dataset_of(data.system, **(bins | before | after))
