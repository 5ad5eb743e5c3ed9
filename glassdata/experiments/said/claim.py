"""What the first pages say about the claim, from held-out predictions of each glass.

>>> said = standing({"amc": Standing(0.9, 0.4), "sic": Standing(0.5, -0.1)})
>>> said["n_beaten"], said["r2_median"], said["doubt"]
(2, 0.7, 'the median falls from 0.70 to 0.15')
>>> KINDS["lj3d"]
'argon in space: the same atoms, with the same forces'
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from glassdata.evaluation import Evaluation, by_class

#: What each glass is, in words for a newcomer.
KINDS: Mapping[str, str] = {
    "amc": "carbon in sheets one atom thick; every atom has three neighbours, at preferred angles",
    "amc_lb": "the same sheets, with the forces of Lindsay and Broido",
    "lj2d": "argon in a plane: round atoms that attract each other weakly, in no special direction",
    "lj3d": "argon in space: the same atoms, with the same forces",
    "sic": "silicon carbide, a compound with four strong bonds at each atom",
    "sic_tersoff": "the same compound, with the older forces of Tersoff",
    "cualzr": "a metal of three sizes of atoms, packed as densely as they will go",
    "sic_mlip": "silicon carbide again, with forces that were learned",
    "cualzr_sheng": "the same metal, with the forces of Cheng, Ma and Sheng",
    "ka2d": "three kinds of round atoms in a plane, chosen so that they do not crystallise",
    "ka3d": "two kinds of round atoms in space, chosen so that they do not crystallise",
    "si": "silicon: four neighbours at the angles of a tetrahedron",
    "hea": "a metal of five elements in equal parts, on the sites of one crystal or as a glass",
}


class Standing(NamedTuple):
    """R² of held-out structures.

    Attributes
    ----------
    r2
        Against the training mean, all structures.
    among_glasses
        Of the amorphous structures alone, against the mean of amorphous training structures; NaN
        if there are none.
    """

    r2: float
    among_glasses: float


def stands(held_out: Evaluation, classes: np.ndarray) -> Standing:
    """Both R² of a glass.

    Parameters
    ----------
    held_out
        Predictions for structures whose family was held out.
    classes
        Disorder class of each structure, shape (n,).

    Examples
    --------
    >>> truth = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> exact = Evaluation(truth, truth, truth[::-1], np.array([0, 1]), parameters=())
    >>> stands(exact, np.array(["partial", "partial"])).r2
    1.0
    """
    glassy = by_class(held_out, classes).get("amorphous")
    return Standing(held_out.r2, np.nan if glassy is None else glassy.class_r2)


def standing(found: Mapping[str, Standing]) -> dict[str, Any]:
    """How often the line beats the mean, its best and worst glass, and what is left among glasses.

    Examples
    --------
    >>> standing({"amc": Standing(0.9, 0.4)})["best"]
    'amc'
    """
    r2 = {name: one.r2 for name, one in found.items()}
    whole = float(np.median(list(r2.values())))
    glassy = [one.among_glasses for one in found.values() if np.isfinite(one.among_glasses)]
    among = float(np.median(glassy)) if glassy else np.nan
    best, worst = max(r2, key=lambda name: r2[name]), min(r2, key=lambda name: r2[name])
    turn = "falls" if among < whole else "does not fall: it goes"
    return {
        "n_scored": len(r2),
        "n_beaten": sum(value > 0 for value in r2.values()),
        "r2_median": whole,
        "best": best,
        "worst": worst,
        "r2_best": r2[best],
        "r2_worst": r2[worst],
        "glassy_median": among,
        "n_glassy": len(glassy),
        "n_glassy_up": sum(value > 0 for value in glassy),
        "doubt": f"the median {turn} from {whole:.2f} to {among:.2f}".replace("-", "−"),
    }
