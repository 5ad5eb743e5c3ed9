"""Pairs of structures that g(r) hardly tells apart: how different can their spectra be?

If two structures have the same g(r) and different spectra, no model of g(r) can be right about
both. Distances are in units of those between repeats of one preparation, which differ by chance
only.
"""

from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import pdist

from glassdata.experiments.signal import ensembles, preparations
from glassdata.structures import Dataset

#: Fewer pairs of repeats do not tell how far apart repeats are.
FEWEST = 5


class Lookalikes(NamedTuple):
    """Pairs of one ensemble that are nearer in g(r) than repeats usually are.

    Attributes
    ----------
    g, pdos : (n,)
        Distance of each pair of two *different* preparations, over the median of repeats.
    repeats : (m,)
        Distance of the spectra of such pairs of repeats, in the same unit: chance alone.
    """

    g: np.ndarray
    pdos: np.ndarray
    repeats: np.ndarray


class Repeats(NamedTuple):
    """How far apart repeats of one preparation usually are: the median of their distances.

    Examples
    --------
    >>> Repeats(g=0.5, pdos=0.06).g
    0.5
    """

    g: float
    pdos: float


def repeats(data: Dataset) -> Repeats:
    """Distances between repeats of one preparation, in g(r) and in the PDOS (1/THz).

    Parameters
    ----------
    data
        Structures of one glass.

    Raises
    ------
    ValueError
        If too few structures are repeats of one preparation.

    Examples
    --------
    >>> import glassdata as gd
    >>> liquids = gd.dataset("ka2d")
    >>> 0 < repeats(liquids).pdos < 1
    True
    """
    same = _same(data)
    return Repeats(*(float(np.median(pdist(values)[same])) for values in (data.X, data.Y)))


def are_repeated(data: Dataset) -> bool:
    """Whether enough structures are repeats of one preparation to know how far apart repeats are.

    Parameters
    ----------
    data
        Structures of one glass.

    Examples
    --------
    >>> import glassdata as gd
    >>> are_repeated(gd.dataset("ka2d")), are_repeated(gd.dataset("ka2d")[:3])
    (True, False)
    """
    return bool(_repeated(data).sum() >= FEWEST)


def lookalikes(data: Dataset, ensemble: str) -> Lookalikes:
    """Pairs of structures of an ensemble that are nearer in g(r) than the median of repeats.

    Parameters
    ----------
    data
        Structures of one glass.
    ensemble
        As in the variable of that name.

    Raises
    ------
    ValueError
        If too few structures are repeats of one preparation.

    Examples
    --------
    >>> import glassdata as gd
    >>> found = lookalikes(gd.dataset("ka2d"), "equilibrated")
    >>> bool(found.g.max() < 1), len(found.g) == len(found.pdos) > 0
    (True, True)
    """
    some = data[ensembles(data) == ensemble]
    try:
        unit, same = repeats(some), _same(some)
    except ValueError as error:
        raise ValueError(f"{ensemble}: {error}") from None
    g, pdos = pdist(some.X) / unit.g, pdist(some.Y) / unit.pdos
    close = g < 1
    return Lookalikes(g[close & ~same], pdos[close & ~same], pdos[close & same])


def _repeated(data: Dataset) -> np.ndarray:
    """Which of all pairs, in the order of ``pdist``, are repeats of one preparation."""
    kinds = np.asarray(preparations(data))
    first, second = np.triu_indices(len(data), 1)
    return kinds[first] == kinds[second]


def _same(data: Dataset) -> np.ndarray:
    """The same, if they are enough."""
    same = _repeated(data)
    if same.sum() < FEWEST:
        raise ValueError(f"{same.sum()} pairs of repeats, and {FEWEST} are needed")
    return same
