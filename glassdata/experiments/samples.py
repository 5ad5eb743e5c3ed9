"""The finished structures of a dataset, as the experiments want them."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from glassdata.models import fingerprint, normalised
from glassdata.store import StoreError, open_dataset

_VARIABLES = (
    "g", "pdos", "parent", "disorder_class", "replicate", "density", "n_atoms", "peak_width",
)  # fmt: skip


@dataclass(frozen=True)
class Samples:
    """One system: n structures that did not fail.

    ``X`` (n, n_r) is g(r); ``Y`` (n, n_omega) the PDOS with sum 1 over the bins; ``groups`` the
    families that must not be split; ``classes`` the disorder classes; ``replicate`` which are
    repeats of one preparation; ``density`` in Å^-d; ``peak_width`` that of the first peak of g(r),
    Å; ``r`` and ``omega`` the centres of the bins.
    """

    name: str
    dim: int
    r: np.ndarray
    omega: np.ndarray
    X: np.ndarray
    Y: np.ndarray
    groups: np.ndarray
    classes: np.ndarray
    replicate: np.ndarray
    density: np.ndarray
    n_atoms: np.ndarray
    peak_width: np.ndarray

    def __len__(self) -> int:
        return len(self.X)

    @property
    def fingerprint(self) -> str:
        """sha256 of everything the experiments use."""
        return fingerprint(*(value for value in vars(self).values() if np.ndim(value)))


def systems_of(store: str | None) -> tuple[str, ...]:
    """Names of the systems in a dataset."""
    with open_dataset(store) as tree:
        return tuple(sorted(tree.children))


@lru_cache(maxsize=16)
def load(store: str | None, name: str) -> Samples:
    """The finished structures of a system; ``store`` as in ``open_dataset``.

    Raises
    ------
    StoreError
        If fewer than ten families are there: no fair experiment is left to do.
    """
    with open_dataset(store) as tree:
        group = tree[name]
        good = np.flatnonzero(group["status"].values == "ok")
        families = len(np.unique(group["parent"].values[good]))
        if families < 10:
            raise StoreError(f"{name} has {families} families of finished structures, need 10")
        take = {key: group[key].values[good] for key in _VARIABLES}
        r, omega = group["r_edges"].values, group["omega_edges"].values
        dim = int(group.attrs["dimension"])
    return Samples(
        name,
        dim,
        (r[1:] + r[:-1]) / 2,
        (omega[1:] + omega[:-1]) / 2,
        take["g"].astype(float),
        normalised(take["pdos"].astype(float)),
        take["parent"],
        take["disorder_class"].astype("U12"),
        take["replicate"].astype(bool),
        take["density"].astype(float),
        take["n_atoms"],
        take["peak_width"].astype(float),
    )
