"""Numbers and words of the chapter on glasses among themselves; results of ``glasses``.

>>> signals({})["n_ensembles"], answers(pd.DataFrame())["answer_yes"]
(0, 'none')
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from glassdata.experiments.contenders import CHOSEN, LINE
from glassdata.experiments.contests import (
    ANSWERS,
    Ensemble,
    contested,
    found_ensembles,
    ratio_above,
)
from glassdata.experiments.verdicts import contest
from glassdata.experiments.words import among, counted, ends, listing

Said = dict[str, str | float]
Results = Mapping[str, Mapping[str, np.ndarray]]

_BINS = 25
# The ensemble that leads from crystal to glass; all others are glasses.
_WITH_CRYSTALS = "displaced"


def signals(results: Results, bins: int = _BINS) -> Said:
    """Which glasses have a signal, how large it is, and how many structures lift it over the noise.

    A glass needs bundles of ``noise/signal`` structures to have as much signal as noise.

    Parameters
    ----------
    results
        Of the experiment ``glasses``.
    bins
        Bins of the spectrum.

    Examples
    --------
    >>> signal = {"bins": [25], "ratio": [[0.5, 0.4, 0.6]], "structures": [4, 4], "n_atoms": 512}
    >>> said = signals({"si.signal.quenched": signal})
    >>> said["n_told"], said["signal_most"], said["n_loud"]
    ('1 of 1', 0.5, '0 of 1')
    """
    found = {
        where: results[f"{where.glass}.signal.{where.ensemble}"]
        for where in found_ensembles(results)
    }
    ratios = {where: one["ratio"][list(one["bins"]).index(bins)] for where, one in found.items()}
    told = {where: ratio for where, ratio in ratios.items() if ratio[1] > 0}
    return {
        "n_ensembles": len(found),
        "n_told": among(where in told for where in ratios),
        "not_told": listing(str(where) for where in ratios if where not in told),
        "n_loud": among(ratio[1] > 1 for ratio in ratios.values()),
        "quiet": listing(str(where) for where, ratio in ratios.items() if ratio[2] < 1),
        **ends("signal", [ratio[0] for ratio in ratios.values()] or [np.nan]),
        **ends("atoms", [float(one["n_atoms"]) for one in found.values()] or [np.nan]),
    }


def answers(table: pd.DataFrame) -> Said:
    """Which ensembles have each answer to "is a line enough?", and who beats the line where.

    ``n_glass_WORD`` counts those that hold no crystals: liquids that were cooled or equilibrated.

    Parameters
    ----------
    table
        What ``contests.verdict_table`` returns.

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([("si", "quenched"), ("hea", "quenched")])
    >>> words = {"line enough": ["no", "yes"], "because of": ["kernel ridge", ""]}
    >>> said = answers(pd.DataFrame(words, index))
    >>> said["answer_yes"], said["n_answer_no"], said["beaten_by"]
    ('hea (quenched)', 1, 'kernel ridge (1)')
    >>> said["n_glass"], said["n_glass_yes"]
    (2, 1)
    """
    given = dict(zip(table.index, table["line enough"], strict=True)) if len(table) else {}
    glass = [answer for key, answer in given.items() if Ensemble(*key).ensemble != _WITH_CRYSTALS]
    said: Said = {"n_judged": len(given), "n_glass": len(glass)}
    for word in ANSWERS:
        where = [str(Ensemble(*key)) for key, answer in given.items() if answer == word]
        said[f"answer_{word.replace(' ', '_')}"] = listing(where)
        said[f"n_answer_{word.replace(' ', '_')}"] = len(where)
        said[f"n_glass_{word.replace(' ', '_')}"] = glass.count(word)
    decided: Iterable[str] = table[table["line enough"] == "no"]["because of"] if given else []
    rivals = [name for names in decided for name in names.split(", ")]
    return said | {"beaten_by": counted(rivals) or "nobody"}


def units(results: Results) -> Said:
    """Whether a line that chooses the form of g inside the folds beats the line on g.

    Examples
    --------
    >>> result = {"names": [LINE, CHOSEN], "error": np.array([[[9.0] * 3], [[3.0] * 3]])}
    >>> result |= {"floor": np.ones(3), "count": np.ones(3), "between": np.ones(3)}
    >>> said = units({"si.signal.quenched": {}, "si.errors.quenched.hard.1.25": result})
    >>> said["n_unit_better"], said["n_unit_worse"]
    ('1 of 1', '0 of 1')
    """
    found = [contested(results, where) for where in found_ensembles(results)]
    words = [contest(ratio_above(one, CHOSEN, LINE)) for one in found if one is not None]
    return {
        "n_unit_better": among(word == "worse" for word in words),
        "n_unit_worse": among(word == "better" for word in words),
    }
