"""The table of chapter 16: which observables a line reads off g(r), glass by glass.

>>> answers({}).empty
True
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from glassdata.experiments.beyond import SPECTRUM
from glassdata.experiments.contenders import LINE
from glassdata.experiments.contests import ANSWERS, Ensemble, answer, explained, ratios
from glassdata.experiments.targets import ALL_TARGETS
from glassdata.experiments.verdicts import Estimate, contest
from glassdata.experiments.words import among, counted, plain

Result = Mapping[str, np.ndarray]
Results = Mapping[str, Result]

NO_SIGNAL = ANSWERS[0]
_TITLES = {SPECTRUM: "PDOS"} | {name: one.title for name, one in ALL_TARGETS.items()}
_EXPECTED = {SPECTRUM: "yes"} | {name: one.expected for name, one in ALL_TARGETS.items()}


def _found(results: Results) -> Iterator[tuple[str, Ensemble, Result]]:
    """Target, glass with ensemble, and the errors, where there was a contest."""
    for name in results:
        system, _, target, kind = name.split(".")
        result = results[name]
        if len(result["names"]):
            yield target, Ensemble(system, kind), result


def answers(results: Results) -> pd.DataFrame:
    """Whether a line is enough: one row per observable, one column per glass and ensemble.

    Parameters
    ----------
    results
        Of the experiment ``beyond``.

    Examples
    --------
    >>> answers({}).empty
    True
    """
    cells: dict[str, dict[str, str]] = {}
    for target, where, result in _found(results):
        cells.setdefault(str(where), {})[target] = answer(result)[0]
    return _in_order(cells)


def shares(results: Results) -> pd.DataFrame:
    """Share of the mean's error above the floor that the line removes, as ``answers``.

    Left out where preparations cannot be told apart: there nothing is above the floor.

    Parameters
    ----------
    results
        Of the experiment ``beyond``.

    Examples
    --------
    >>> result = {"names": ["line", "mean"], "error": np.array([[[2.0, 2.0]], [[5.0, 5.0]]])}
    >>> result |= {"floor": np.ones(2), "count": np.ones(2), "between": np.array([3.0, 2.0, 4.0])}
    >>> shares({"si.beyond.sound.quenched": result}).loc["sound velocities", "si (quenched)"].value
    0.75
    """
    cells: dict[str, dict[str, Estimate]] = {}
    for target, where, result in _found(results):
        if answer(result)[0] != NO_SIGNAL:
            cells.setdefault(str(where), {})[target] = explained(result, LINE)
    return _in_order(cells)


def _better(result: Result) -> list[str]:
    """Rivals that are certainly better than the line; lines in other units are no rivals."""
    rivals = {name: one for name, one in ratios(result).items() if not name.startswith(LINE)}
    return [name for name, one in rivals.items() if contest(one) == "worse"]


def _most_often(names: list[str]) -> str:
    """The name that occurs most often, with its number; a dash if there is none."""
    if not names:
        return "–"
    name = max(dict.fromkeys(names), key=names.count)
    return counted(one for one in names if one == name)


def _in_order(cells: Mapping[str, Mapping]) -> pd.DataFrame:
    table = pd.DataFrame({where: pd.Series(one, dtype=object) for where, one in cells.items()})
    table = table.reindex([name for name in _TITLES if name in table.index])
    return table.rename(index=_TITLES)


def table_one(results: Results, *, liquids: bool = True) -> pd.DataFrame:
    """The paper's Table I with numbers: what it expects, and what was measured.

    Parameters
    ----------
    results
        Of the experiment ``beyond``.
    liquids
        Whether to look at what was a liquid, where there are no crystals, or at displaced crystals.

    Returns
    -------
    One row per observable: the paper's expectation; the median of the share that a line explains,
    where there is a signal;
    in how many glasses and ensembles it is enough, is not, may be, and is of no use; and the rival
    that is better most often, with the number of ensembles.

    Examples
    --------
    >>> table_one({}).empty
    True
    """
    found: dict[str, list[tuple[str, list[str], float]]] = {}
    for target, where, result in _found(results):
        if (where.ensemble != "displaced") == liquids:
            word, _ = answer(result)
            better = _better(result) if word == "no" else []
            share = np.nan if word == NO_SIGNAL else explained(result, LINE).value
            found.setdefault(target, []).append((word, better, share))
    rows = {}
    for target in (name for name in _TITLES if name in found):
        words = [word for word, _, _ in found[target]]
        better = [name for _, names, _ in found[target] for name in names]
        rows[_TITLES[target]] = {
            "the paper": _EXPECTED[target] or "–",
            "share explained (median)": plain(pd.Series([s for *_, s in found[target]]).median()),
            "a line is enough": among(word == "yes" for word in words),
            "a rival is better": among(word == "no" for word in words),
            "open": among(word == "open" for word in words),
            "no better than the mean": among(word == "not by the line" for word in words),
            "no signal": among(word == NO_SIGNAL for word in words),
            "better most often": _most_often(better),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def against_size(measured: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Thermal conductivity by number of atoms and width of the kernel, and what it tends to.

    The last row is the constant of a straight line in N^(−1/3), one over the length of the cell,
    through the means at all sizes, each weighed by its number of glasses.

    Parameters
    ----------
    measured
        One for each size: ``n_atoms``, ``widths`` (n_widths,) THz, and ``kappa`` (n_glasses,
        n_widths), W/(m K).

    Returns
    -------
    One row per size, one column per width, and the number of glasses; ``inf`` is the last row.

    Examples
    --------
    >>> line = [{"n_atoms": n**3, "widths": [0.1], "kappa": [[1 + 2 / n]] * 2} for n in (5, 10)]
    >>> against_size(line)[0.1].round(6).to_dict()
    {125.0: 1.4, 1000.0: 1.2, inf: 1.0}
    """
    ordered = sorted(measured, key=lambda one: one["n_atoms"])
    sizes = np.array([one["n_atoms"] for one in ordered], float)
    glasses = np.array([len(one["kappa"]) for one in ordered])
    means = np.array([np.mean(one["kappa"], axis=0) for one in ordered])
    root = np.sqrt(glasses)[:, None]
    design = np.stack([np.ones(len(sizes)), sizes ** (-1 / 3)], axis=1)
    limits = np.linalg.lstsq(root * design, root * means, rcond=None)[0][0]
    table = pd.DataFrame(
        np.vstack([means, limits]), index=[*sizes, np.inf], columns=ordered[0]["widths"]
    )
    table.insert(0, "glasses", [*glasses, 0])
    return table
