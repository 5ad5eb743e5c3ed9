"""What chapter 11 says: numbers and words of the text, from the estimates of each glass.

Results are those of the experiment ``referee`` by glass.

>>> span("back", {"amc": Estimate(0.75, 0.5, 1.0), "sic": Estimate(0.25, 0.0, 0.5)})
{'back_least': 0.25, 'back_most': 0.75}
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from glassdata.experiments.verdicts import Claim, Estimate, Objection, objections_where, tally
from glassdata.experiments.words import counted, ends

Results = Mapping[str, Mapping[str, np.ndarray]]
Found = Mapping[str, Estimate]
Said = dict[str, Any]


def span(name: str, found: Found) -> Said:
    """The smallest and the largest number, as ``NAME_least`` and ``NAME_most``."""
    return ends(name, [one.value for one in found.values()])


def sizes(held: Results) -> Said:
    """Numbers of glasses, structures and families; results ``SYSTEM.baselines``."""
    families = min(len(np.unique(result["groups"])) for result in held.values())
    said = {"n_systems": len(held), "f_least": families}
    return said | ends("n", [len(result["baseline"]) for result in held.values()])


def leakage(gaps: Mapping[str, Found]) -> Said:
    """The largest gap between random and grouped splits, for the line and nearest neighbours."""
    return {
        "leak_line": max(gap.value for gap in gaps["line"].values()),
        "leak_near": max(gap.value for gap in gaps["nearest neighbours"].values()),
    }


def rivals(best: Mapping[str, str], ahead: Found, small: float) -> Said:
    """Which single number is the strongest rival, and how far the line is ahead of it.

    Parameters
    ----------
    best
        Of each glass the strongest rival.
    ahead
        By how much the line's R² exceeds it.
    small
        A lead that is called small.
    """
    close = sum(one.value < small for one in ahead.values())
    return span("ahead", ahead) | {"best_rivals": counted(best.values()), "n_close": close}


def within(inside: Mapping[str, Found], held: Results, noise: Results) -> Said:
    """R² within single classes, and in the amorphous one the error in units of its noise.

    Parameters
    ----------
    inside
        R² against the class mean by class, ``"all classes"`` among them.
    held, noise
        Results ``SYSTEM.baselines`` and ``SYSTEM.noise``.
    """
    glassy = {n: found for n, found in inside["amorphous"].items() if found.is_there}
    ratios = []
    for name in glassy:
        mine = held[name]["classes"] == "amorphous"
        ratios.append(noise[name]["error"][mine].mean() / noise[name]["pair"][mine].mean())
    single = [
        found
        for kind, mine in inside.items()
        if kind != "all classes"
        for found in mine.values()
        if found.is_there
    ]
    return (
        span("glassy", glassy)
        | ends("ratio", ratios)
        | {
            "n_single": len(single),
            "n_single_up": sum(one.low > 0 for one in single),
            "n_single_down": sum(one.high < 0 for one in single),
        }
    )


def noise(results: Results, repeated: Sequence[str]) -> Said:
    """Where the line errs less than repeats scatter, and less than pairs differ.

    Parameters
    ----------
    results
        Results ``SYSTEM.noise``.
    repeated
        Glasses that have repeats.
    """

    def on_repeats(result: Mapping[str, np.ndarray]) -> float:
        return result["error"][result["replicate"]].mean()

    tells = [n for n in repeated if on_repeats(results[n]) < results[n]["scatter"].mean()]
    below = sum(result["error"].mean() < result["pair"].mean() for result in results.values())
    return {"n_tells": len(tells), "n_repeated": len(repeated), "n_below": below}


def scores(worst: Mapping[str, tuple[str, Estimate]], results: Results) -> Said:
    """Which score flatters the line least, and how many modes are predicted to be negative.

    Parameters
    ----------
    worst
        Of each glass the name of the worst score and its number.
    results
        Results ``SYSTEM.scores``.
    """
    negative = max(-result["negative"].mean() for result in results.values())
    return {
        "weak_scores": counted(name for name, _ in worst.values()),
        "negative": 100 * negative,
    }


def inputs(by_input: Mapping[str, Found], lead: Found, alone: str) -> Said:
    """What the best other input gains over g(r), and how far the density alone comes.

    Parameters
    ----------
    by_input
        R² by input and glass.
    lead
        Lead of g(r) over the best other input.
    alone
        Name of the density among the inputs.
    """
    return {
        "extra_most": max(-one.value for one in lead.values()),
        "alone": max(one.value for one in by_input[alone].values()),
    }


def cell_sizes(table: pd.DataFrame, smaller: Found, live: Estimate, r2: float) -> Said:
    """In how many glasses g(r) sees images, what that is worth, and what larger cells cost.

    Parameters
    ----------
    table
        What ``tables.referee.cell_sizes`` returns.
    smaller
        R² on large structures less R² without the handicap.
    live, r2
        The same for larger cells made on the page, and R² on those; ``NOTHING`` if none were.
    """
    sentence = (
        f"On the larger plane of argon R² is {r2:.2f}, which is {live.value:+.2f} from that on the "
        f"usual size, with an interval of {live.low:+.2f} to {live.high:+.2f}."
    )
    return {
        "said_live": sentence if live.is_there else "",
        "n_short": np.sum(table["half cell (Å)"] < table["g(r) up to (Å)"]),
        "short_loss": (table["R²"] - table["R², half cell"]).max(),
        "bins_most": table["lowest mode (bins)"].max(),
        "n_sized": sum(found.is_there for found in smaller.values()),
    }


def left_out(
    beyond: Mapping[str, Mapping[tuple[str, str], Estimate]],
    hindsight: Mapping[tuple[str, str], Estimate],
) -> Said:
    """How many classes that were left out each model fails on, and whom the line beats there.

    Parameters
    ----------
    beyond
        R² by model, glass and class against the mean of the other classes.
    hindsight
        R² of the line against the class's own mean.
    """
    fails = {label: sum(e.value < 0 for e in found.values()) for label, found in beyond.items()}
    line, curve = beyond["line"], beyond["var(g)"]
    return {
        "n_left": len(line),
        "fail_line": fails["line"],
        "fail_kernel": fails["kernel"],
        "fail_near": fails["nearest"],
        "fail_var": fails["var(g)"],
        "n_hindsight": sum(one.value > 0 for one in hindsight.values()),
        "over_var": sum(line[key].value > curve[key].value for key in line),
    }


def transfers(moved: Mapping[str, Found]) -> Said:
    """How many transfers surely beat the target's mean, as they are and with the mean put right."""
    return {
        "n_moved": len(moved),
        "n_raw": sum(one["as it is"].low > 0 for one in moved.values()),
        "n_slopes": sum(one["shifted"].low > 0 for one in moved.values()),
    }


def bends(lead: Found) -> Said:
    """What the better kernel model gains over the line, whose ``lead`` over it is given."""
    gains = [-one.value for one in lead.values()]
    return {
        "gain_least": round(min(gains), 3) + 0.0,  # never a negative zero
        "gain_most": max(gains),
        "n_gain": sum(one.high < 0 for one in lead.values()),
    }


def nuggets(table: pd.DataFrame) -> Said:
    """In how many glasses nearer pairs differ less, and where the floor comes out negative."""
    return {
        "n_negative": np.sum(table["at distance zero"] < 0),
        "n_nearer": np.sum(table["nearer half"] < table["all pairs"]),
    }


# --- the board --------------------------------------------------------------------------------


def total(board: Mapping[str, Objection]) -> str:
    """How many cells of the board have each grade, in a sentence."""
    count = tally(board)
    return (
        f"Of {sum(count.values())} cells, {count['answered']} are answered, {count['open']} open "
        f"and {count['upheld']} upheld; {count['not tried']} could not be tried."
    )


def outcome(board: Mapping[str, Objection], claims: Iterable[Claim]) -> Said:
    """Objections answered everywhere, often upheld, or never answered; claims by verdict."""
    count = Counter(one.verdict for one in claims)
    return {
        "all_answered": objections_where(board, lambda w: set(w) == {"answered"}),
        "often_upheld": objections_where(board, lambda w: 2 * w.count("upheld") >= len(w)),
        "never_answered": objections_where(board, lambda w: "answered" not in w),
        "n_weighed": sum(count.values()),
        "tally_claims": ", ".join(f"{n} {word}" for word, n in count.most_common()),
    }
