"""What chapter 9 says: numbers and words of the text, from errors (n,) by glass and model.

>>> said = double_descent([10, 20], np.array([0.0, 0.5]), np.array([9.0, 2.0]))
>>> said["worst_at"], said["zero_up_to"]
(10, 10)
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from glassdata.experiments import standings
from glassdata.experiments.verdicts import DUELS, duel, estimate, ratio
from glassdata.experiments.words import ends, listing

Result = Mapping[str, np.ndarray]
Said = dict[str, Any]
#: Of each glass the errors of each model.
Errors = Mapping[str, standings.Errors]
#: Of each glass and model the sizes (m,) and the errors (m, n) of a learning curve.
Curves = Mapping[str, Mapping[str, tuple[np.ndarray, np.ndarray]]]

YARDSTICKS = ("nearest", "variance", "density", "mean")
#: "Near the scatter of repeats" means less than so many times their scatter.
NEAR = 1.5


def training(stopped: Result, endless: Result, *, best: int, tested: float) -> Said:
    """How a network that is stopped and one that is not end, as shares of the mean's error.

    Parameters
    ----------
    stopped, endless
        Results of the network that is stopped early, and of the one that never is.
    best
        Epoch at which the training is stopped.
    tested
        Error of the never stopped network on test families.
    """
    final = endless["history_final"]
    return {
        "best_epoch": best,
        "best_error": stopped["history_validation"][best - 1],
        "last_epoch": len(final),
        "last_training": final[-1],
        "last_test": tested,
        "gap": tested / final[-1],
    }


def yardsticks(errors: Errors, families: Mapping[str, Sequence], names: Mapping[str, str]) -> Said:
    """In how many glasses line and CNN surely beat the yardsticks, and the line's closest call.

    Parameters
    ----------
    errors
        Of each glass and model.
    families
        Of each glass the family of each structure, (n,).
    names
        Of the models, as the text shows them.
    """

    def wins(model: str, others: Sequence[str]) -> int:
        return sum(
            all(_beats(errors, families, g, model, other) for other in others) for g in errors
        )

    best = {g: min(YARDSTICKS, key=lambda m: mine[m].mean()) for g, mine in errors.items()}
    left = {g: mine["ridge"].mean() / mine[best[g]].mean() for g, mine in errors.items()}
    closest = max(left, key=lambda g: left[g])
    return {
        "n_glasses": len(errors),
        "line_sure": wins("ridge", YARDSTICKS),
        "cnn_sure": wins("cnn", YARDSTICKS),
        "line_beats_mean": wins("ridge", ["mean"]),
        "cnn_beats_mean": wins("cnn", ["mean"]),
        "closest": closest,
        "closest_left": left[closest],
        "closest_name": names[best[closest]],
    }


def alike(errors: Errors) -> Said:
    """Rank correlation of the errors of line and CNN: least, most and median over the glasses."""
    ranks = [spearmanr(mine["ridge"], mine["cnn"]).statistic for mine in errors.values()]
    return {"least_alike": min(ranks), "most_alike": max(ranks), "median_alike": np.median(ranks)}


def duels(table: pd.DataFrame) -> Said:
    """Glasses by verdict for each opponent, and the verdict on the CNN in one sentence.

    Parameters
    ----------
    table
        What ``standings.duels`` returns, one row per opponent and glass.
    """
    said: Said = {"n_intervals": len(table), "n_by_chance": 0.05 * len(table)}
    for other in table.index.unique(level=0):
        words = table.loc[other, "the line is"]
        for word in DUELS:
            found = list(words.index[words == word])
            name = f"{other}_{word}".replace(" ", "_")
            said |= {name: listing(found, len(words)), f"n_{name}": len(found)}
    n, worse, undecided = len(words), said["n_cnn_worse"], said["n_cnn_open"]
    good = f"the line is as good as the network or better in {n - worse - undecided} of {n} glasses"
    said["overall"] = (
        f"{good}, worse in {worse}, and in {undecided} the data do not decide"
        if undecided
        else f"{good} and worse in {worse}"
    )
    return said


def hardest(errors: Errors) -> Said:
    """What the hardest tenth of the structures carries, and where mean and majority disagree."""
    weight = [100 * standings.hardest_share(mine["cnn"]) for mine in errors.values()]
    split = [
        standings.mean_and_majority_disagree(mine["ridge"], mine["cnn"]) for mine in errors.values()
    ]
    return ends("heavy", weight) | {"n_split": sum(split)}


def settings(tried: Sequence[Mapping[str, float]]) -> Said:
    """Number of settings that a tuned network chooses from, and the values of each knob.

    Parameters
    ----------
    tried
        Settings as ``models.NETWORK_SETTINGS`` has them.
    """
    said: Said = {"n_settings": len(tried)}
    for name in tried[0]:
        values = sorted({one[name] for one in tried})
        said[f"{name}_tried"] = listing([f"{value:g}" for value in values], word="or")
    return said


def tuning(errors: Errors, families: Mapping[str, Sequence]) -> Said:
    """Whether tuning helps the network, and by the rule of the duels what the line is beside it.

    Parameters
    ----------
    errors
        Of each glass and model.
    families
        Of each glass the family of each structure, (n,).
    """
    ratios = [mine["cnn_tuned"].mean() / mine["cnn"].mean() for mine in errors.values()]
    said: Said = {"tuned_ratio": np.median(ratios)} | ends("tuned_ratio", ratios)
    lists = {
        "tuned_better": [g for g in errors if _beats(errors, families, g, "cnn_tuned", "cnn")],
        "tuned_worse": [g for g in errors if _beats(errors, families, g, "cnn", "cnn_tuned")],
    }
    words = {
        glass: duel(estimate(ratio(mine["ridge"], mine["cnn_tuned"]), families[glass]))
        for glass, mine in errors.items()
    }
    for word in DUELS:
        name = f"line_{word}_beside_tuned".replace(" ", "_")
        lists[name] = [glass for glass in words if words[glass] == word]
    for name, found in lists.items():
        said |= {name: listing(found, len(errors)), f"n_{name}": len(found)}
    fine = sum(word in ("better", "as good") for word in words.values())
    return said | {"n_fine_beside_tuned": fine}


def _beats(
    errors: Errors, families: Mapping[str, Sequence], glass: str, model: str, other: str
) -> bool:
    return standings.beats(errors[glass], families[glass], model, other)


def learning(curves: Curves) -> Said:
    """In how many glasses the CNN is behind the line at first and at last, and how both fall."""
    few, all_of_them = (
        sum(mine["cnn"][1][k].mean() > mine["ridge"][1][k].mean() for mine in curves.values())
        for k in (0, -1)
    )
    line, cnn = (
        np.array([standings.falling_power(*mine[model]) for mine in curves.values()])
        for model in ("ridge", "cnn")
    )
    return {
        "first_size": np.mean([mine["ridge"][0][0] for mine in curves.values()]),
        "n_behind_few": few,
        "n_behind_all": all_of_them,
        "power_line": np.median(line),
        "power_cnn": np.median(cnn),
        "n_closing": np.sum(cnn > line),
    }


def costs(seconds: pd.DataFrame, parameters: pd.DataFrame) -> Said:
    """Weights of network and line, and what the networks cost in units of the line.

    Parameters
    ----------
    seconds, parameters
        One row per glass, one column per model.
    """
    time = seconds.median()
    return {
        "cnn_parameters": int(parameters["cnn"].iloc[0]),
        "line_parameters": int(parameters["ridge"].max()),
        "cnn_seconds": time["cnn"],
        "times_cnn": time["cnn"] / time["ridge"],
        "times_residual": time["residual"] / time["ridge"],
    }


def minutes(results: standings.Results, model: str) -> Said:
    """Processor time of a fit of a model: median over the glasses, and the slowest glass.

    Parameters
    ----------
    results
        Results of the experiment ``line-vs-cnn``, by name.
    model
        Name of the model.
    """
    found: dict[str, list[float]] = {}
    for name in results:
        glass, other, *where = name.split(".")
        if (other, where[:1]) == (model, ["test"]):
            found.setdefault(glass, []).append(float(results[name]["cpu_seconds"]) / 60)
    each = {glass: float(np.mean(times)) for glass, times in found.items()}
    slowest = max(each, key=lambda glass: each[glass])
    return {
        "fit_minutes": np.median(list(each.values())),
        "slowest": slowest,
        "slowest_minutes": each[slowest],
    }


def losses(results: standings.Results, errors: Errors, glass: str) -> Said:
    """Training losses as the paper compares them, and held-out errors, of one glass; in 10⁻⁶.

    Parameters
    ----------
    results
        Results of the experiment ``line-vs-cnn``, by name.
    errors
        Of each glass and model.
    glass
        Name of the glass.
    """
    models = {"squares": "least_squares", "ridge": "ridge", "cnn": "cnn_to_the_end"}
    trained = {
        f"loss_{name}": 1e6 * results[f"{glass}.{model}.paper"]["training_error"]
        for name, model in models.items()
    }
    models["stopped"] = "cnn"
    return trained | {
        f"test_{name}": 1e6 * errors[glass][model].mean() for name, model in models.items()
    }


def three_ways(judged_as: Mapping[str, np.ndarray], errors: Errors) -> Said:
    """What training losses, a random split and held-out families say of the same models.

    Parameters
    ----------
    judged_as
        Of each model what ``standings.three_ways`` returns for each glass, (n_glasses, 3).
    errors
        Of each glass and model.
    """
    squares, ridge, cnn = (
        judged_as[model].T for model in ("least_squares", "ridge", "cnn_to_the_end")
    )
    wins = cnn < ridge
    stopping = np.array(
        [mine["cnn_to_the_end"].mean() / mine["cnn"].mean() for mine in errors.values()]
    )
    return {
        "factor_cnn": np.median(cnn[2] / cnn[0]),
        "factor_ridge": np.median(ridge[2] / ridge[0]),
        "n_training_cnn": np.sum(wins[0]),
        "n_families_cnn": np.sum(wins[2]),
        "n_same": np.sum(wins[0] == wins[2]),
        "stopping": np.median(stopping),
        "n_stopping": np.sum(stopping > 1),
        "n_easier": np.sum(ridge[1] < ridge[2]),
        "n_easier_cnn": np.sum(cnn[1] < cnn[2]),
        "squares_harm": np.sum(squares[2] > 1),
    }


def double_descent(steps: Sequence[int], training: np.ndarray, held_out: np.ndarray) -> Said:
    """Up to how many structures least squares has no training loss, and where it is worst.

    Parameters
    ----------
    steps : (m,)
        Numbers of training structures.
    training, held_out : (m,)
        Errors of least squares at each of them.
    """
    zero = training < 1e-6 * held_out.min()  # the rounding of a computer
    return {
        "zero_up_to": max(n for n, nothing in zip(steps, zero, strict=True) if nothing),
        "worst_at": steps[int(held_out.argmax())],
        "worst_loss": held_out.max(),
    }


def repeats(noise: pd.DataFrame) -> Said:
    """How near the line's error comes to the scatter of repeats, and what noise does to a ratio.

    Parameters
    ----------
    noise
        One row per glass; ``"line / scatter"`` is the line's error on repeats over their scatter.
    """
    ratio = noise["line / scatter"]
    share = 0.5  # of the CNN's error that is noise, and the same for the line
    return {
        "n_near": np.sum(ratio < NEAR),
        "smallest": ratio.min(),
        "largest": ratio.max(),
        "hidden": 1 + (1.1 - 1) / (1 - share),
    }
