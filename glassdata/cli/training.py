"""The structures of one system of a dataset, as a model wants them."""

from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from glassdata.cli.choices import check_system
from glassdata.models import fingerprint
from glassdata.store import open_dataset

#: Fewer families cannot be split into training and test.
FEWEST_GROUPS = 2


@dataclass(frozen=True)
class Training:
    """g(r), shape (n, n_r), spectra, shape (n, n_omega), 1/THz, and groups never to be split."""

    system: str
    species: tuple[str, ...]
    dim: int
    r_edges: np.ndarray
    omega_edges: np.ndarray
    X: np.ndarray
    Y: np.ndarray
    groups: np.ndarray

    def meta(self) -> dict:
        """What a model file has to say about its training set, as plain data."""
        return {
            "system": self.system,
            "species": list(self.species),
            "dim": self.dim,
            "r_edges": self.r_edges.tolist(),
            "omega_edges": self.omega_edges.tolist(),
            "units": {"r": "angstrom", "omega": "THz", "pdos": "THz-1"},
            "n_structures": len(self.X),
            "training_sha256": fingerprint(self.X, self.Y, self.groups),
        }


def load_training(store: Path, name: str) -> Training:
    """The structures of a sealed dataset that did not fail.

    Raises
    ------
    click.UsageError
        If the dataset has no such system, or too few structures to hold any out.
    """
    with open_dataset(store) as tree:
        group = tree[check_system(name, tree.children)]
        good = group["status"].values == "ok"
        if "g" not in group or not good.any():
            raise click.UsageError(f"{store} has no finished structure of {name}")
        groups = group["parent"].values if "parent" in group else np.arange(len(good))
        training = Training(
            name,
            tuple(group.attrs["species"]),
            int(group.attrs["dimension"]),
            group["r_edges"].values,
            group["omega_edges"].values,
            group["g"].values[good].astype(float),
            group["pdos"].values[good].astype(float),
            groups[good],
        )
    families = len(np.unique(training.groups))
    if families < FEWEST_GROUPS:
        raise click.UsageError(
            f"{store} has {families} independent family of {name}; a fit needs {FEWEST_GROUPS}"
        )
    return training
