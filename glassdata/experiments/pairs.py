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
    kinds = np.asarray(preparations(some))
    first, second = np.triu_indices(len(some), 1)
    same = kinds[first] == kinds[second]
    if same.sum() < FEWEST:
        raise ValueError(f"{ensemble}: {same.sum()} pairs of repeats, and {FEWEST} are needed")
    g, pdos = pdist(some.X), pdist(some.Y)
    near_g, near_pdos = np.median(g[same]), np.median(pdos[same])
    close = g < near_g
    return Lookalikes(
        g[close & ~same] / near_g, pdos[close & ~same] / near_pdos, pdos[close & same] / near_pdos
    )
