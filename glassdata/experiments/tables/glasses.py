"""Scores of one evaluation, and what became of preparations, for the pages of the glasses."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from glassdata.evaluation import Evaluation, by_class, fold_r2
from glassdata.experiments.signal import ensembles
from glassdata.structures import Dataset
from glassdata.system import DISORDER_CLASSES

#: R² first: on a narrow screen the first columns are seen without scrolling.
_COLUMNS = ("R²", "R² in class", "structures", "MSE / 10⁻⁶", "baseline / 10⁻⁶")


def score_table(evaluation: Evaluation, classes: Sequence[str]) -> pd.DataFrame:
    """Scores in each disorder class and overall, with the standard deviation over folds.

    "R² in class" compares with the training mean of the same class.

    Parameters
    ----------
    classes
        Disorder class of each structure, (n,).

    Examples
    --------
    >>> Y = np.array([[1.0, 3.0], [3.0, 1.0], [1.0, 3.0], [3.0, 1.0]])
    >>> fold = np.array([0, 0, 1, 1])
    >>> held_out = Evaluation(Y, 0.5 * (Y + 2), np.full((4, 2), 2.0), fold, parameters=())
    >>> score_table(held_out, ["amorphous"] * 4).loc["all", "R²"]
    '0.75 ± 0.00'
    """
    scores = by_class(evaluation, classes)
    rows: dict[str, list] = {}
    for name in (name for name in DISORDER_CLASSES if name in scores):
        score = scores[name]
        r2, class_r2 = ("" if np.isnan(x) else f"{x:.2f}" for x in (score.r2, score.class_r2))
        rows[name] = [r2, class_r2, score.n, *_millionths(score.mse, score.baseline_mse)]
    errors = _millionths(evaluation.mse, evaluation.baseline_mse)
    spread = f"{evaluation.r2:.2f} ± {fold_r2(evaluation).std(ddof=1):.2f}"
    rows["all"] = [spread, "", len(evaluation.fold), *errors]
    return pd.DataFrame.from_dict(rows, orient="index", columns=_COLUMNS)


def _millionths(*errors: float) -> list[str]:
    return [f"{1e6 * error:.2f}" for error in errors]


def preparation_table(data: Dataset, columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Mean and standard deviation of some numbers over the replicas of each preparation.

    Parameters
    ----------
    data
        Structures of one glass; those that were not made from a liquid are left out.
    columns
        One number per structure, (n,), by the title of its column.

    Examples
    --------
    >>> import glassdata as gd
    >>> silicon = gd.dataset("si")
    >>> table = preparation_table(silicon, {"eV/atom": silicon.energy})
    >>> list(table.index.names)
    ['K/ps', 'atoms per Å³']
    """
    of = np.where(np.isin(ensembles(data), ("quenched", "equilibrated")), data.preparation, -1)
    cooled = "quench_rate" in data.stored and np.any(data.quench_rate[of >= 0] > 0)
    stability = data.quench_rate if cooled else data.anneal_temperature
    rows = {}
    for number in np.unique(of[of >= 0]):
        mine = of == number
        key = float(f"{stability[mine][0]:.3g}"), round(float(data.density[mine][0]), 4)
        texts = (
            f"{one[mine].mean():.4g} ± {one[mine].std(ddof=1):.1g}" for one in columns.values()
        )
        rows[key] = [int(mine.sum()), *texts]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["structures", *columns])
    names = "K/ps" if cooled else "K", "atoms per Å" + ("³" if data.dim == 3 else "²")
    table.index = pd.MultiIndex.from_tuples(rows, names=names)
    return table.sort_index(level=1)
