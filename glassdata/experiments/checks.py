"""Checks of the structures themselves: zero modes, modes out of range, half cells, larger cells."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike

from glassdata import models
from glassdata.bands import bands
from glassdata.describe import describe
from glassdata.experiments.verdicts import (
    NOTHING,
    Estimate,
    Statistic,
    estimate,
    removed,
    value_of,
)
from glassdata.structures import Dataset
from glassdata.system import System
from glassdata.vibrations import frequencies

#: Points along each periodic direction of the mesh of waves, for the top of a crystal's spectrum.
MESH = 12
#: A crystal of more atoms is a supercell already, in which Γ holds many waves.
_SUPERCELL = 100


def count_zeros(atoms: Atoms, potential, *, tolerance: float = 1e-6) -> int:
    """Number of frequencies that are zero: d for a solid at rest in d dimensions.

    Parameters
    ----------
    atoms
        At a minimum of the energy.
    potential
        Potential or ASE calculator.
    tolerance
        Share of the largest frequency below which a frequency counts as zero.

    Examples
    --------
    A crystal at rest has one for each direction in which it can be moved as a whole:

    >>> from glassdata.systems import SYSTEMS
    >>> count_zeros(SYSTEMS["lj3d"].crystal(), SYSTEMS["lj3d"].potential)
    3
    """
    omega = frequencies(atoms, potential)
    return int(np.sum(np.abs(omega) < tolerance * omega.max()))


def crystal_top(system: System) -> float:
    """Highest frequency of the perfect crystal over a mesh of waves, THz.

    Examples
    --------
    >>> from glassdata.systems import SYSTEMS
    >>> round(crystal_top(SYSTEMS["lj3d"]), 2)  # THz
    1.89
    """
    crystal = system.crystal()
    if len(crystal) > _SUPERCELL:
        return float(frequencies(crystal, system.potential).max())
    steps = [np.arange(MESH) / MESH if periodic else [0.0] for periodic in crystal.pbc]
    mesh = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
    waves = 2 * np.pi * mesh @ np.asarray(crystal.cell.reciprocal())
    return float(bands(crystal, system.potential, waves).max())


def count_above(frequency: np.ndarray, n_modes: np.ndarray, limit: float) -> np.ndarray:
    """Modes of each structure above a frequency, (n,).

    Parameters
    ----------
    frequency
        Of all structures one after the other, THz.
    n_modes : (n,)
        How many of them belong to each structure.
    limit
        THz.

    Examples
    --------
    >>> frequency, n_modes = np.array([1.0, 3.0, 2.0, 5.0, 6.0]), np.array([2, 3])
    >>> count_above(frequency, n_modes, limit=2.5).tolist()
    [1.0, 2.0]
    """
    owner = np.arange(len(n_modes)).repeat(n_modes)
    return np.bincount(owner, weights=frequency > limit, minlength=len(n_modes))


def share_kept(lost: np.ndarray, n_modes: np.ndarray, groups: ArrayLike) -> Estimate:
    """Share of all modes that is not among the ``lost`` ones (n,), with its interval.

    Parameters
    ----------
    lost : (n,)
        Number of modes that each structure loses.
    n_modes : (n,)
        Number of modes that each structure has.
    groups : (n,)
        Family of each structure.

    Examples
    --------
    >>> share_kept(np.array([1, 2]), np.array([6, 6]), groups=["a", "b"]).value  # 1 - 3/12
    0.75
    """
    return estimate(removed(lost, n_modes), groups)


def share_in_range(data: Dataset) -> Estimate:
    """Share of all modes of a glass that lie inside the range of its PDOS, with its interval.

    Examples
    --------
    >>> from glassdata.structures import dataset
    >>> 0.99 < share_in_range(dataset("lj2d")).value <= 1
    True
    """
    return share_kept(data.overflow * data.n_modes, data.n_modes, data.groups)


def modes_above_crystal(data: Dataset, system: System) -> np.ndarray:
    """Modes of each structure above the highest frequency of the perfect crystal, (n,).

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from glassdata.systems import SYSTEMS
    >>> stored = {"frequency": SimpleNamespace(values=np.array([1.0, 99.0, 1.0]))}
    >>> two_structures = SimpleNamespace(stored=stored, n_modes=np.array([2, 1]))
    >>> modes_above_crystal(two_structures, SYSTEMS["lj2d"]).tolist()
    [1.0, 0.0]
    """
    limit = 1.001 * crystal_top(system)  # its own modes are not above it
    return count_above(data.stored["frequency"].values, data.n_modes, limit)


def shares_below(
    above: Mapping[str, np.ndarray], glasses: Mapping[str, Dataset]
) -> dict[str, Estimate]:
    """Share of the modes of each glass below the top of its crystal, ``NOTHING`` where unknown.

    Parameters
    ----------
    above
        What ``modes_above_crystal`` returns for glasses whose potential is at hand.
    glasses
        Datasets of all glasses.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> data = SimpleNamespace(n_modes=np.array([10, 10]), groups=np.array([0, 1]))
    >>> shares_below({"amc": np.array([1, 0])}, {"amc": data, "sic": data})["amc"].value
    0.95
    """
    return {
        name: share_kept(above[name], one.n_modes, one.groups) if name in above else NOTHING
        for name, one in glasses.items()
    }


def lowest_positive(frequency: np.ndarray, n_modes: np.ndarray) -> np.ndarray:
    """Lowest frequency above zero of each structure, (n,), THz; arguments as ``count_above``.

    Examples
    --------
    >>> lowest_positive(np.array([-1.0, 3.0, 2.0, 5.0]), n_modes=np.array([2, 2])).tolist()
    [3.0, 2.0]
    """
    ends = np.cumsum(n_modes)[:-1]
    return np.array([part[part > 0].min() for part in np.split(frequency, ends)])


def half_cell(cells: np.ndarray, dim: int) -> float:
    """Half the smallest distance between opposite faces of any cell (n, 3, 3), Å.

    Examples
    --------
    >>> half_cell(np.array([np.diag([4.0, 6.0, 8.0])]), dim=3)
    2.0
    """
    faces = 1 / np.linalg.norm(np.linalg.inv(cells), axis=1)
    return float(0.5 * faces[:, :dim].min())


def larger_cells(
    system: System,
    line,
    mean: np.ndarray,
    *,
    cells: tuple[int, int, int],
    plans: Sequence[int],
) -> tuple[Estimate, float]:
    """R² on larger structures less R² on usual ones of the same plans, and R² on the larger ones.

    Each plan is made twice, in the usual size of the reference protocol and with ``cells``.

    Parameters
    ----------
    system
        The glass.
    line
        Fitted model from g(r) to the PDOS with sum 1.
    mean : (n_omega,)
        Training mean of that PDOS.
    cells
        Repeats of the crystal's cell along each axis in the larger structures.
    plans
        Indices of the structures to make.

    Examples
    --------
    Two small sheets of argon, and a line that predicts the training mean whatever g(r) is:

    >>> from glassdata.systems import SYSTEMS
    >>> usual = replace(SYSTEMS["lj2d"].protocols["demo"], cells=(4, 3, 1))
    >>> argon, mean = replace(SYSTEMS["lj2d"], protocols={"reference": usual}), np.full(100, 0.01)
    >>> line = models.mean().fit(np.ones((2, 100)), np.tile(mean, (2, 1)))
    >>> change, r2 = larger_cells(argon, line, mean, cells=(5, 3, 1), plans=[0, 2])
    >>> change.value, r2
    (0.0, 0.0)
    """
    usual: Any = system.protocols["reference"]
    errors, families = [], []
    for index in plans:
        for protocol in (usual, replace(usual, cells=cells)):
            atoms = protocol(system, index)
            row = describe(atoms, system)
            truth = models.normalised(row["pdos"][None])
            guess = line.predict(row["g"][None])
            errors.append([np.mean((y - truth) ** 2) for y in (guess, mean)])
        families.append(atoms.info["parent"])
    (small, small_mean), (large, large_mean) = np.reshape(errors, (-1, 2, 2)).transpose(1, 2, 0)
    on_large: Statistic = removed(large, large_mean)
    on_small = removed(small, small_mean)
    change = estimate(lambda w: on_large(w) - on_small(w), families)
    return change, value_of(on_large, len(families))
