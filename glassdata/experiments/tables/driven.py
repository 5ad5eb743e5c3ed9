"""Tables of chapter 16 on structures that are driven apart: did any get away from its g(r)?

>>> FAR
3.0
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

Result = Mapping[str, np.ndarray]
#: Spectra count as different at this distance; repeats of one preparation have 1.
FAR = 3.0
_OF_EACH = ("structure", "what", "amount", "g", "pdos", "n_imaginary")


def everyone(results: Mapping[str, Result]) -> pd.DataFrame:
    """Every driven structure that came to rest at a minimum.

    Parameters
    ----------
    results
        Of the experiment ``driven``.

    Returns
    -------
    One row each: ``glass``, ``drive``, ``structure``, ``what`` was changed and by which ``amount``,
    and its distances ``g`` and ``pdos`` from what it was, in units of those between repeats.

    Examples
    --------
    >>> everyone({"si.strained": {name: np.array([0]) for name in _OF_EACH}})["drive"].tolist()
    ['strained']
    """
    found = []
    for name, result in results.items():
        glass, drive = name.split(".")
        one = pd.DataFrame({key: result[key] for key in _OF_EACH})
        found.append(one.assign(glass=glass, drive=drive))
    table = pd.concat(found)
    return table[table.pop("n_imaginary") == 0].reset_index(drop=True)


def alike(table: pd.DataFrame) -> pd.DataFrame:
    """Driven structures nearer in g(r) to what they were than repeats are to each other.

    Parameters
    ----------
    table
        What ``everyone`` returns.

    Returns
    -------
    One row per glass and drive: how many ``pairs`` there are, the ``median`` and the ``largest``
    distance of their spectra, how many are ``above 3``, and ``what`` was changed in the largest.

    Examples
    --------
    >>> same = {"glass": "si", "drive": "strained", "what": "box"}
    >>> two = same | {"g": [0.5, 2.0], "pdos": [1.0, 4.0]}
    >>> alike(pd.DataFrame(two))[["pairs", "above 3"]].loc[("si", "strained")].tolist()
    [1, 0]
    """
    rows = {}
    for (glass, drive), some in table[table["g"] < 1].groupby(["glass", "drive"], sort=False):
        pdos = some["pdos"]
        rows[glass, drive] = {
            "pairs": len(some),
            "median": pdos.median(),
            "largest": pdos.max(),
            "above 3": int((pdos > FAR).sum()),
            "what": some["what"].iloc[int(pdos.argmax())],
        }
    return pd.DataFrame.from_dict(rows, orient="index")
