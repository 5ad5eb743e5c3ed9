"""The claims of the paper, in our words, each with its number and its limit."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from glassdata.experiments.verdicts import Claim, Estimate, weigh

#: What the paper gives as the error of its line for Cu–Al–Zr.
PAPER_ERROR = 2e-5


class Rule(NamedTuple):
    """A claim, what must be true for it to be supported, and the limit of that number."""

    claim: str
    rule: str
    limit: float


def rules(small: float, enough: float) -> dict[str, Rule]:
    """The claims that are measured with held-out families, by a short name.

    Parameters
    ----------
    small
        A difference of R² that is called small.
    enough
        Share of the explainable that is called sufficient.
    """
    return {
        "line": Rule("A line reads the PDOS off g(r)", "held-out R² above 0", 0),
        "explained": Rule("It suffices", f"explains {enough} of the explainable", enough),
        "within": Rule("It is more than crystal against glass", "R² within classes above 0", 0),
        "amorphous": Rule(
            "It holds among glasses alone", "R² within the amorphous class above 0", 0
        ),
        "unseen": Rule(
            "One line for all disorder",
            "R² above 0, against its own mean, on the worst class left out",
            0,
        ),
        "network": Rule(
            f"A network is better by no more than {small} in R² (but see the ratios of chapter 9)",
            f"R² less that of the CNN above −{small}",
            -small,
        ),
        "kernel": Rule(
            f"A map that bends is better by no more than {small} in R²",
            f"R² less that of a kernel model above −{small}",
            -small,
        ),
        "back": Rule(
            "PDOS and g(r) convert into each other", f"R² backwards above {enough}", enough
        ),
        "back within": Rule(
            "They do so among equally disordered structures",
            f"R² backwards within classes above {enough}",
            enough,
        ),
    }


def weighed(
    found: Mapping[str, Mapping[str, Estimate]], *, small: float, enough: float
) -> list[Claim]:
    """Verdict on each of the claims that are measured.

    Parameters
    ----------
    found
        For each short name of ``rules`` the number of each glass.
    small, enough
        As in ``rules``.

    Examples
    --------
    >>> found = dict.fromkeys(rules(0.05, 0.9), {"amc": Estimate(0.95, 0.93, 0.97)})
    >>> {one.verdict for one in weighed(found, small=0.05, enough=0.9)}
    {'supported'}
    """
    return [weigh(*one[:2], found[key], one.limit) for key, one in rules(small, enough).items()]


def elsewhere(held: Mapping[str, Mapping[str, np.ndarray]]) -> list[Claim]:
    """The claims that are decided in other chapters, or not at all.

    Parameters
    ----------
    held
        Result ``SYSTEM.baselines`` of each glass.

    Examples
    --------
    >>> elsewhere({"cualzr": {"baseline": np.array([1e-5])}})[0].verdict
    'no evidence'
    """
    alloys = {n: result["baseline"].mean() for n, result in held.items() if n.startswith("cualzr")}
    below = all(error < PAPER_ERROR for error in alloys.values())
    said = ", ".join(f"{1e6 * error:.1f} ({n})" for n, error in alloys.items())
    beyond = (
        "The same holds for neutrons and X-rays (INS, IXS)",
        "The same holds for weakly disordered Raman spectra",
        "The same holds for the thermal conductivity of phonons",
        "It fails for electrons",
    )
    return [
        Claim(
            "An error of 2 × 10⁻⁵ shows that it works for Cu–Al–Zr",
            "no evidence" if below else "cannot be told",
            f"the mean alone has {said} × 10⁻⁶ in our data",
        ),
        Claim(
            "First-order perturbation theory is the reason", "see chapter 3", "amplitude ladders"
        ),
        Claim(
            "The weights are sparse and can be read", "see chapter 10", "stability of the weights"
        ),
        *(Claim(claim, "see chapter 16", "the line among glasses") for claim in beyond),
    ]
