"""Observables of the structures of a dataset: a second dataset, of which each row has its row_id.

Results, for blocks of ``BLOCK`` structures from the beginning of each glass::

    SYSTEM.observed.FIRST     row_id, and an array (n, …) of each target and each fingerprint; NaN
                              and a reason where a structure has none

A glass whose potential is a file or a program of others is left out where that is missing.

>>> MOST, BLOCK
(160, 8)
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from glassdata.experiments.fingerprints import FINGERPRINTS
from glassdata.experiments.targets import TARGETS, Target
from glassdata.observables import Observed
from glassdata.structures import Dataset
from glassdata.systems import SYSTEMS, available

#: Raised whenever the same result would come out differently.
VERSION = 2
SEED = 0  # nothing is drawn
#: Structures of a glass that are looked at, from the beginning of the dataset, and at a time.
MOST, BLOCK = 160, 8

Result = dict[str, np.ndarray]


def result_names(glasses: Mapping[str, Dataset]) -> list[str]:
    """Names of all results, those of the largest structures first."""
    found = [
        (float(np.median(data.n_atoms)), f"{system}.observed.{first:04d}")
        for system, data in glasses.items()
        if system in available()
        for first in range(0, min(len(data), MOST), BLOCK)
    ]
    return [name for _, name in sorted(found, reverse=True)]


def compute(name: str, get: Callable[[str], Dataset]) -> Result:
    """The targets of one block of structures."""
    system, _, first = name.split(".")
    data = get(system)
    return observed(data, system, range(int(first), min(int(first) + BLOCK, len(data), MOST)))


def observed(data: Dataset, system: str, positions: Iterable[int]) -> Result:
    """Every target of some structures of a dataset.

    Parameters
    ----------
    data
        Structures of one glass.
    system
        Its name.
    positions
        Where they stand in ``data``.

    Returns
    -------
    dict
        ``row_id`` (n,), ``failed`` (n,) with a reason or nothing, and ``TARGET`` (n, …) and
        ``FINGERPRINT`` (n, …).

    Examples
    --------
    >>> import glassdata as gd
    >>> found = observed(gd.dataset("amc")[:1], "amc", [0])
    >>> found["heat capacity"].shape, found["raman"].shape
    ((1, 5), (1, 25))
    """
    glass, positions = SYSTEMS[system], list(positions)
    wanted = {name: one for name, one in TARGETS.items() if one.applies(glass)}
    rows = [_row(data, k, wanted, glass) for k in positions]
    out: Result = {"row_id": data["row_id"][positions].astype("U64")}
    out["failed"] = np.array([reason for _, reason in rows], dtype="U200")
    for name, target in wanted.items():
        missing = np.full(target.length, np.nan)
        out[name] = np.array([row.get(name, missing) for row, _ in rows], "f4")
    for name in FINGERPRINTS:
        out[name] = np.array([row[name] for row, _ in rows], "f4")
    return out


def _row(data: Dataset, k: int, wanted: Mapping[str, Target], glass) -> tuple[Result, str]:
    """Targets of one structure, and why those are missing that are."""
    one = Observed(data.atoms(k), glass.potential, glass.omega_edges)
    found: Result = {name: values(one, glass) for name, values in FINGERPRINTS.items()}
    reasons = []
    for name, target in wanted.items():
        try:
            found[name] = np.asarray(target.values(one, glass), float)
        except ValueError as error:
            reasons.append(f"{name}: {error}")
    return found, "; ".join(reasons)


def together(results: Mapping[str, Result], system: str) -> Result:
    """All blocks of a glass, in the order of the dataset.

    Examples
    --------
    >>> blocks = {"amc.observed.0000": {"row_id": np.array(["a"])}}
    >>> blocks |= {"amc.observed.0008": {"row_id": np.array(["b"])}}
    >>> together(blocks, "amc")["row_id"].tolist()
    ['a', 'b']
    """
    blocks = [results[name] for name in _names(results, system)]
    keys = dict.fromkeys(key for block in blocks for key in block)
    return {key: np.concatenate([block[key] for block in blocks]) for key in keys}


def _names(results: Iterable[str], system: str) -> Iterator[str]:
    return iter(sorted(name for name in results if name.startswith(f"{system}.observed.")))
