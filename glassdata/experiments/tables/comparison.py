"""Tables of chapter 9: the glasses, the errors of all models, the line against the network.

>>> seconds = pd.DataFrame({"ridge": [0.5], "cnn": [5.0]})
>>> costs(seconds, 1000 * seconds, {"cnn": "CNN"}).loc["CNN"].to_list()
['5', '10', '5,000']
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from glassdata.experiments.verdicts import duel, estimate, ratio
from glassdata.experiments.words import bracketed
from glassdata.structures import Dataset


def glasses(data: Mapping[str, Dataset]) -> pd.DataFrame:
    """Title of each glass, and how many structures and families it has."""
    rows = {
        name: {
            "glass": one.stored.attrs["title"],
            "structures": len(one),
            "families": len(np.unique(one.groups)),
        }
        for name, one in data.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("name")


def line_and_network(scores: pd.DataFrame) -> pd.DataFrame:
    """MSE and R² of the line and of the CNN with intervals, one row per glass.

    Parameters
    ----------
    scores
        What ``standings.scores`` returns, one row per glass and model.
    """
    names = scores.index.unique(level=0)
    mse, r2 = (scores[key].map(bracketed).unstack().loc[names] for key in ("MSE / 10⁻⁶", "R²"))
    columns = {f"{name}: R²": r2[m] for name, m in _LINE_AND_NETWORK.items() if m != "mean"}
    columns |= {f"{name}: MSE / 10⁻⁶": mse[model] for name, model in _LINE_AND_NETWORK.items()}
    return pd.DataFrame(columns)


_LINE_AND_NETWORK = {"mean": "mean", "line": "ridge", "CNN": "cnn"}


def every_model(scores: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """MSE and R² of all models in all glasses, with intervals.

    Parameters
    ----------
    scores
        What ``standings.scores`` returns, one row per glass and model.
    names
        Of the models, as the table shows them.
    """
    table = scores.rename(index=names).rename_axis(["glass", "model"])
    table["MSE / 10⁻⁶"] = table["MSE / 10⁻⁶"].map(bracketed)
    table["R²"] = table["R²"].map(lambda found: bracketed(found, 3))
    return table[["R²", "MSE / 10⁻⁶"]]


def duels(against: pd.DataFrame, folds: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """The line against the CNN, one row per glass: ratio, difference, structures and folds won.

    Parameters
    ----------
    against
        What ``standings.duels`` returns for this opponent, one row per glass.
    folds
        Of each glass the ratio of the errors in each fold.
    """
    columns = {
        "line / CNN": against["ratio"].map(bracketed),
        "line − CNN / 10⁻⁶": against["difference"].map(lambda found: bracketed(found, sign="+")),
        "structures won": against["structures won"].map("{:.0%}".format),
        "folds won": {name: f"{np.sum(one < 1)} of {len(one)}" for name, one in folds.items()},
        "the line is": against["the line is"],
    }
    return pd.DataFrame(columns).rename_axis("glass")


def networks(
    errors: Mapping[str, Mapping[str, np.ndarray]], families: Mapping[str, Sequence]
) -> pd.DataFrame:
    """The line against the network as published and tuned, and these two; one row per glass.

    Parameters
    ----------
    errors
        Of each glass and model, (n,): ``ridge``, ``cnn`` and ``cnn_tuned``.
    families
        Of each glass the family of each structure, (n,).
    """
    rows = {}
    for glass, mine in errors.items():
        published, tuned, care = (
            estimate(ratio(mine[one], mine[other]), families[glass])
            for one, other in (("ridge", "cnn"), ("ridge", "cnn_tuned"), ("cnn_tuned", "cnn"))
        )
        rows[glass] = {
            "line / CNN": bracketed(published),
            "the line is": duel(published),
            "line / tuned CNN": bracketed(tuned),
            "the line is then": duel(tuned),
            "tuned CNN / CNN": bracketed(care),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("glass")


def chosen(results: Mapping[str, Mapping[str, np.ndarray]], model: str) -> pd.DataFrame:
    """How often each value of each setting was chosen, over all glasses and folds.

    Parameters
    ----------
    results
        Results of the experiment ``line-vs-cnn``, by name.
    model
        Name of the model. Settings are stored as numbers; the epochs are left out.
    """
    names = [name for name in results if name.split(".")[1:3] == [model, "test"]]
    found = [json.loads(str(results[name]["chosen"])) for name in names]
    counts = Counter(pair for one in found for pair in one.items() if pair[0] != "epochs")
    rows = [
        (setting.replace("_", " "), f"{value:g}", f"{counts[setting, value]} of {len(found)}")
        for setting, value in sorted(counts)
    ]
    return pd.DataFrame(rows, columns=["setting", "value", "chosen in"]).set_index("setting")


def costs(
    seconds: pd.DataFrame, parameters: pd.DataFrame, names: Mapping[str, str]
) -> pd.DataFrame:
    """Median over the glasses of the processor time and the fitted numbers, one row per model.

    Parameters
    ----------
    seconds, parameters
        One row per glass, one column per model.
    names
        Of the models, as the table shows them.
    """
    time = seconds.median()
    columns = {
        "CPU time (s)": time.map("{:.3g}".format),
        "times the line's": (time / time["ridge"]).map("{:.3g}".format),
        "fitted numbers": parameters.median().map("{:,.0f}".format),
    }
    return pd.DataFrame(columns).rename(index=names)
