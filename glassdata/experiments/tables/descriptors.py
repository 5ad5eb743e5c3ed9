"""Tables of chapter 16 on descriptors: what a line reads off each, in a glass and beyond.

>>> duels({}, "conductivity").empty
True
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from glassdata.experiments.contests import Ensemble, explained, ratio_above
from glassdata.experiments.verdicts import Estimate, contest
from glassdata.experiments.words import among

Result = Mapping[str, np.ndarray]
Results = Mapping[str, Result]
#: What others are compared with.
STANDARD = "g"


def _of(results: Results, target: str) -> Iterator[tuple[str, Result]]:
    """Glass with ensemble, and errors, where there was a contest and preparations differ."""
    for name in results:
        if name.startswith("transfer."):
            continue
        system, _, what, kind = name.split(".")
        result = results[name]
        if what == target and len(result["names"]) and Estimate(*result["between"]).low > 0:
            yield str(Ensemble(system, kind)), result


def shares(results: Results, target: str) -> pd.DataFrame:
    """Share of the mean's error above the floor that a line on each descriptor removes.

    Parameters
    ----------
    results
        Of the experiment ``descriptors``.
    target
        What is predicted, as in the names of the results.

    Returns
    -------
    One row per descriptor, one column per glass and ensemble; NaN where a glass has none.

    Examples
    --------
    >>> shares({}, "pdos").empty
    True
    """
    columns = {
        where: {str(n): explained(result, str(n)).value for n in result["names"] if n != "mean"}
        for where, result in _of(results, target)
    }
    table = pd.DataFrame(columns, dtype=float)
    order = dict.fromkeys(n for one in columns.values() for n in one)
    return table.reindex(list(order))


def duels(results: Results, target: str) -> pd.DataFrame:
    """In how many ensembles a line on each descriptor is certainly better, or worse, than on g(r).

    Parameters
    ----------
    results, target
        As in ``shares``.

    Examples
    --------
    >>> duels({}, "pdos").empty
    True
    """
    found: dict[str, list[str]] = {}
    for _, result in _of(results, target):
        for name in map(str, result["names"]):
            if name not in ("mean", STANDARD):
                # "better" is said of the standard.
                answer = contest(ratio_above(result, name, STANDARD))
                found.setdefault(name, []).append(answer)
    rows = {
        name: {
            "better than g(r)": among(one == "worse" for one in answers),
            "worse than g(r)": among(one == "better" for one in answers),
        }
        for name, answers in found.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def transfer(results: Results) -> pd.DataFrame:
    """R² of one line for all glasses on a glass that it never saw, against the mean of the others.

    Parameters
    ----------
    results
        Of the experiment ``descriptors``.

    Returns
    -------
    One row per glass, one column per descriptor; ``own mean`` is a guess that knows the glass, and
    ``largest`` what the noise of single structures leaves.

    Examples
    --------
    >>> one = {"names": np.array(["g", "mean", "own mean"]), "error": np.array([2.0, 4.0, 1.0])}
    >>> transfer({"transfer.si": one | {"noise": np.array(0.4)}}).loc["si"].to_dict()
    {'g': 0.5, 'own mean': 0.75, 'largest': 0.9}
    """
    rows = {}
    for name in results:
        if name.startswith("transfer."):
            result = results[name]
            error = dict(zip(map(str, result["names"]), map(float, result["error"]), strict=True))
            mean = error.pop("mean")
            rows[name.split(".")[1]] = {
                **{key: 1 - value / mean for key, value in error.items()},
                "largest": 1 - float(result["noise"]) / mean,
            }
    return pd.DataFrame.from_dict(rows, orient="index")
