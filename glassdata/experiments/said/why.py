"""Numbers and words of the passage on why a line works; results of the experiment ``why``.

>>> explained({})["carries_inside"], explained({})["without_line"]
('0 of 0', 'none')
"""

from collections.abc import Mapping

import numpy as np

from glassdata.experiments import explanations
from glassdata.experiments.words import among, ends, listing

Said = dict[str, str | float]
Results = Mapping[str, Mapping[str, np.ndarray]]


def explained(results: Results) -> Said:
    """In how many glasses and parts each explanation carries and fails, and which have no line.

    Examples
    --------
    >>> result = {"groups_all": np.arange(2), "error_mean_all": np.full(2, 4.0)}
    >>> errors = {name: np.full(2, 2.0) for name in ("line", *explanations.EXPLANATIONS)}
    >>> result |= {f"error_{name}_all": error for name, error in errors.items()}
    >>> said = explained({"amc.inside": result, "amc.second": result})
    >>> said["carries_moment"], said["fails_moment"], said["without_line"]
    ('1 of 1', '0 of 1', 'none')
    """
    said: Said = {}
    without: set[tuple[str, str]] = set()
    shares = explanations.shares(results)
    for line, title in explanations.EXPLANATIONS.items():
        words = {key: explanations.verdict(one) for key, one in shares[title].items()}
        without |= {key for key, word in words.items() if word == "no line"}
        judged = [word for word in words.values() if word != "no line"]
        said[f"carries_{line}"] = among(word == "carries" for word in judged)
        said[f"fails_{line}"] = among(word == "fails" for word in judged)
    return said | {"without_line": listing(", ".join(key) for key in sorted(without))}


def numbers(results: Results) -> Said:
    """Directions that are enough, R² of the exact kernel, and how many structures were looked into.

    Examples
    --------
    >>> inside = {"groups_all": np.arange(2), "error_mean_all": np.full(2, 4.0)}
    >>> inside |= {"error_line_all": np.ones(2), "error_rank_all": np.ones((1, 2))}
    >>> inside |= {"chosen": np.arange(12)}
    >>> moment = {"groups_all": np.arange(2), "error_mean_all": np.full(2, 4.0)}
    >>> moment |= {"error_fine_all": np.zeros(2), "error_kernel_all": np.full(2, 8.0)}
    >>> said = numbers({"lj3d.inside": inside, "lj3d.moment": moment})
    >>> said["rank_most"], said["kernel_least"], said["looked_least"]
    (1.0, -1.0, 12)
    """
    ranks, looked = [], []
    r2: dict[str, list[float]] = {"fine": [], "kernel": []}
    for name, result in results.items():
        measure = name.split(".")[1]
        for part in explanations.parts_of(result):
            if measure == "inside":
                ranks.append(explanations.directions(result, part))
            if measure == "moment":
                for line, found in r2.items():
                    found.append(explanations.r2(result, part, line).value)
        if measure == "inside":
            looked.append(len(result["chosen"]))
    said: Said = dict(ends("rank", [one.value for one in ranks if one.is_there]))
    for line, found in r2.items():
        said |= ends(line, found)
    return said | ends("looked", looked)
