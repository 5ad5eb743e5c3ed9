"""A leak that is planted, to see that the comparison of splits would find one.

Most families of the dataset are small, so that random splits can hardly gain by them. Whether the
comparison has any power is seen where a leak is certainly there: structures with near copies of
themselves in their families.

>>> NOISE  # of the copies, as a share of the scatter
0.05
"""

import numpy as np

from glassdata import models
from glassdata.experiments.referee import FOLDS, SEED, YARDSTICKS
from glassdata.structures import Dataset

#: How far a copy is off, as a share of the scatter of each bin over the structures.
NOISE = 0.05


def with_copies(data: Dataset, share: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """g(r), spectra and families with a near copy of some structures in the same families.

    Parameters
    ----------
    data
        n structures.
    share
        Of the structures that get a copy, chosen at random.

    Returns
    -------
    X, Y, groups
        As those of the dataset, and then the copies; spectra with sum 1 over the bins, except for
        the noise.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.dataset("lj3d")[:10]
    >>> X, Y, groups = with_copies(argon, share=0.5)
    >>> len(X), len(np.unique(groups)) == len(np.unique(argon.groups))
    (15, True)
    >>> len(with_copies(argon)[0])  # of all, if nothing is said
    20
    """
    rng = np.random.default_rng(SEED)
    chosen = rng.permutation(len(data))[: round(share * len(data))]

    def extended(values: np.ndarray) -> np.ndarray:
        off = NOISE * values.std(axis=0) * rng.normal(size=values[chosen].shape)
        return np.concatenate([values, values[chosen] + off])

    groups = np.concatenate([data.groups, data.groups[chosen]])
    return extended(data.X), extended(data.shares), groups


def planted_gap(data: Dataset, model: str, *, share: float = 1.0) -> float:
    """By how much R² of a random split exceeds that of a grouped one when copies are planted.

    Parameters
    ----------
    data
        Structures of a glass.
    model
        One of ``glassdata.experiments.referee.YARDSTICKS``, such as ``"ridge"``.
    share
        Of the structures that get a copy.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.dataset("lj3d").where(disorder_class="amorphous")[:60]
    >>> planted_gap(argon, "nearest") > 0.05  # nearest neighbours recognise the copies
    True
    """
    X, Y, groups = with_copies(data, share)
    grouped, random = (
        models.cross_validate(YARDSTICKS[model](), X, Y, split, n_splits=FOLDS, seed=SEED).r2
        for split in (groups, np.arange(len(groups)))
    )
    return float(random - grouped)
