"""The last table of chapter 10: which readings of the weights survive, and on what evidence.

>>> frame = {"training": [True, True], "held_out": [True, False]}
>>> [reading[1] for reading in of_penalties(frame, frame, hardly=0.02)]
['yes', 'in 1 of 2 glasses']
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

from glassdata.experiments import components
from glassdata.experiments.said.weights import NOISE, RESEMBLES, clearly, shift
from glassdata.experiments.shells import LOW, PEAK, lost_near
from glassdata.experiments.verdicts import Estimate
from glassdata.experiments.words import among, spanned, verdict

#: Reading, whether it survives, evidence.
Reading = tuple[str, str, str]
Answers = Mapping[str, Sequence[bool]]


def _ruled(reading: str, rule: str, found: Iterable) -> Reading:
    found = list(found)
    return reading, verdict(found), f"{rule}: {among(found)}"


def of_penalties(frame: Answers, weaker: Answers, hardly: float) -> list[Reading]:
    """Whether weak penalties hardly change the training and the held-out loss.

    Parameters
    ----------
    frame, weaker
        What ``reading.hardly_change`` returns for the paper's penalties and for weaker ones.
    hardly
        The change of R² that counts as hardly any.
    """
    rows = []
    for kind, title in (("training", "training"), ("held_out", "held-out")):
        summed = f"summed over bins: {among(weaker[kind])}"
        evidence = f"R² within {hardly} in the frame: {among(frame[kind])}; {summed}"
        reading = f"Weak penalties hardly change the {title} loss"
        rows.append((reading, verdict(frame[kind]), evidence))
    return rows


def of_maps(
    likeness: pd.DataFrame, stable: pd.DataFrame, alike: Mapping[str, tuple[float, float]]
) -> list[Reading]:
    """Whether biases, single weights, selected weights and whole maps can be read.

    Parameters
    ----------
    likeness, stable
        Tables of ``tables.weights``.
    alike
        By title of the glass what ``Half.alike`` returns.
    """
    with_penalty, without = likeness["paper"] > RESEMBLES, likeness["none"] < NOISE
    resembles = f"correlation above {RESEMBLES}: {among(with_penalty)}"
    differs = [weights < 0.9 and guess > weights for weights, guess in alike.values()]
    pairs = (f"{n}: weights {w:.2f}, predictions {g:.2f}" for n, (w, g) in alike.items())
    return [
        (
            "With a penalty b resembles the PDOS, without it is noise",
            verdict(with_penalty & without),
            f"{resembles}; below {NOISE}: {among(without)}",
        ),
        _ruled(
            "Ridge weights can be read one by one",
            "more than half settled",
            stable["L2: settled"] > 0.5,
        ),
        _ruled(
            "The elastic net finds the distances that matter",
            "most of its choices return in 9 of 10 resamples",
            stable["elastic net: in 9 of 10"] > 0.5,
        ),
        (
            "A good prediction has one map",
            "no" if all(differs) else "yes" if not any(differs) else "in part",
            "; ".join(pairs),
        ),
    ]


def of_directions(
    walk: pd.DataFrame, results: Mapping[str, Mapping[str, np.ndarray]]
) -> list[Reading]:
    """Whether a few directions of g(r) suffice, and whether the first has a name.

    Parameters
    ----------
    walk
        Table of ``tables.weights``.
    results
        Results ``SYSTEM.components``.
    """
    named = [components.name_of(result, 0)[0] != "no name" for result in results.values()]
    return [
        _ruled(
            "A few directions of g(r) suffice",
            "5 components or fewer",
            walk["components needed"] <= 5,
        ),
        _ruled("The first of them has a name", f"correlation above {components.NAMED}", named),
    ]


def of_carbon(
    truncated: pd.DataFrame, parts: Mapping[str, Mapping[str, np.ndarray]]
) -> list[Reading]:
    """Whether carbon's low frequencies come from short distances, and 65 THz from larger ones.

    Parameters
    ----------
    truncated
        What ``shells.truncations`` returns.
    parts
        What ``shells.by_part`` returns.
    """
    above, below, near = clearly(truncated, 1), clearly(truncated, -1), lost_near(parts)

    def judged(reading: str, cuts: str, permuted: bool, column: str, band: str) -> Reading:
        answer = f"truncation: {cuts}; permutation: {'yes' if permuted else 'no'}"
        spans = ", ".join(map(spanned, truncated[column]))
        lost = f"{100 * near[band]:.0f} % lost in the first shell"
        return reading, answer, f"within minus beyond {spans}; {lost}"

    return [
        judged(
            "Carbon: low frequencies from short r", above["low"], near[LOW] > 0.5, "low third", LOW
        ),
        judged("Carbon: 65 THz from larger r", below["peak"], near[PEAK] < 0.5, PEAK, PEAK),
        (
            "Carbon: short r matters more for low frequencies than for 65 THz",
            f"truncation: {above['more']}",
            f"difference of the two {', '.join(map(spanned, truncated['low minus 60 to 70']))}",
        ),
    ]


def of_use(needed: Sequence[bool], hardly: float, in_map: np.ndarray) -> list[Reading]:
    """Whether the prediction needs what the map uses, and whether the map leans the paper's way.

    Parameters
    ----------
    needed
        Whether each glass needs the shell that costs most when permuted.
    hardly
        The loss of R² above which a shell is needed.
    in_map : (times, 2)
        What ``shells.resampled_effects`` returns for the two bands of carbon.
    """
    low, high = shift(in_map)
    rule = f"leaving out the shell that costs most when permuted costs more than {hardly}"
    return [
        _ruled("What the map uses, the prediction needs", rule, needed),
        (
            "Carbon: the map leans that way under bootstrap",
            "yes" if low > 0 else "no",
            f"first shell's share, low minus 65 THz: {100 * low:+.0f} to {100 * high:+.0f} points",
        ),
    ]


def of_all_glasses(contrasts: Mapping[str, Mapping[str, Estimate]]) -> list[Reading]:
    """Whether in all glasses the lowest third comes from the first shell, the highest from beyond.

    Parameters
    ----------
    contrasts
        Of each glass the contrast in each third of the frequencies.
    """
    low = [one["low"].low > 0 for one in contrasts.values()]
    high = [one["high"].high < 0 for one in contrasts.values()]
    return [
        _ruled("All glasses: low third from the first shell", "interval above zero", low),
        _ruled("All glasses: high third from beyond", "interval below zero", high),
    ]


def table(readings: Sequence[Reading]) -> Styler:
    """All readings with verdict and evidence, as the page shows them."""
    columns = ["reading", "survives?", "evidence"]
    rows = pd.DataFrame(readings, columns=columns).set_index("reading")
    left: dict[str, Any] = {"text-align": "left", "white-space": "normal"}
    return rows.style.set_properties(**left).set_uuid("readings")
