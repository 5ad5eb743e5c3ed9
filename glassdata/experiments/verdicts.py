"""Numbers with their intervals over families, and the rules that turn them into verdicts.

A *statistic* is a function of weights (k, n), one row per sample of families, that gives k numbers:
with every weight 1 the number itself, with weights drawn at random its scatter. All statistics of
one set of families see the same draws, so that differences and ratios are paired.

>>> value_of(average([1.0, 2.0, 6.0]), 3)
3.0
>>> NOTHING.is_there, MARGIN, DUELS[0]
(False, 1.1, 'better')
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from glassdata.experiments.words import plain

Statistic = Callable[[np.ndarray], np.ndarray]

DRAWS = 2000
#: Both ends of an interval that holds 95 % of the draws.
ENDS = (0.025, 0.975)
#: Largest ratio of two errors with which one model still counts as good as the other.
MARGIN = 1.1
#: Two errors whose ratio is uncertain by more than this are not called the same.
WIDE = 2.0
GRADES = ("answered", "open", "upheld", "not tried")
DUELS = ("better", "as good", "worse", "open")
#: What each grade of an objection means for the claim that the objection doubts.
_OF_CLAIMS = {"answered": "supported", "open": "undecided", "upheld": "contradicted"}


class Estimate(NamedTuple):
    """A number and the ends of its 95 % interval; all three NaN where it could not be computed.

    Examples
    --------
    >>> Estimate(0.9, 0.8, 0.95).is_there
    True
    """

    value: float
    low: float
    high: float

    @property
    def is_there(self) -> bool:
        """Whether there is a number at all."""
        return not np.isnan(self.value)


NOTHING = Estimate(np.nan, np.nan, np.nan)


# --- intervals --------------------------------------------------------------------------------


@lru_cache(maxsize=12)
def _weights(groups: tuple, draws: int, seed: int) -> np.ndarray:
    _, family = np.unique(groups, return_inverse=True)
    n = family.max() + 1
    counts = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), draws)
    weights = counts[:, family].astype(float)
    weights.flags.writeable = False
    return weights


def family_weights(groups: ArrayLike, *, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """How often each structure is in each bootstrap sample of families, (draws, n).

    Families are drawn with replacement, as many as there are. All structures of a family come
    together, since they are not independent of each other. The draws are those of
    ``glassdata.models.r2_draws`` with the same seed.

    Parameters
    ----------
    groups
        Family of each structure, (n,).
    draws
        Number of bootstrap samples.
    seed
        Of the random numbers.

    Examples
    --------
    Two families are drawn; one of them may come twice and the other not at all:

    >>> family_weights(["a", "a", "b"], draws=3).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [0.0, 0.0, 2.0]]
    """
    return _weights(tuple(np.asarray(groups).tolist()), draws, seed)


def estimate(statistic: Statistic, groups: ArrayLike) -> Estimate:
    """A number and its 95 % interval, the percentiles of 2000 bootstrap samples of families.

    The models are not fitted again, so the interval does not contain what other training sets or
    seeds would change. Samples in which the number is undefined (NaN) are left out.

    Parameters
    ----------
    statistic
        Function of weights (k, n) that returns (k,) numbers.
    groups
        Family of each structure, (n,).

    Examples
    --------
    >>> estimate(average([2.0, 2.0, 2.0]), groups=["a", "a", "b"])
    Estimate(value=2.0, low=2.0, high=2.0)
    """
    value = statistic(np.ones((1, np.size(np.asarray(groups)))))[0]
    with np.errstate(invalid="ignore"):  # between two infinite draws there is no number
        low, high = np.nanquantile(statistic(family_weights(groups)), ENDS)
    return Estimate(float(value), float(low), float(high))


def value_of(statistic: Statistic, n: int) -> float:
    """The number itself for n structures, without an interval.

    Examples
    --------
    >>> value_of(average([1.0, 3.0]), 2)
    2.0
    """
    return float(statistic(np.ones((1, n)))[0])


def removed(error: np.ndarray, baseline: np.ndarray) -> Statistic:
    """R²: the share of the baseline's error that is removed; both (n,), in one unit.

    Examples
    --------
    >>> value_of(removed([1.0, 1.0], baseline=[4.0, 4.0]), 2)
    0.75
    """
    error, baseline = _alike(error, baseline)
    return lambda w: 1 - w @ error / (w @ baseline)


def lead(error: np.ndarray, other: np.ndarray, baseline: np.ndarray) -> Statistic:
    """How much larger R² is than that of another model against the same baseline; all (n,).

    Parameters
    ----------
    error, other : (n,)
        Squared error of each structure, of the model and of the other one.
    baseline : (n,)
        Squared error of the prediction that R² compares with.

    Examples
    --------
    >>> value_of(lead([1.0], other=[2.0], baseline=[4.0]), 1)  # 0.75 - 0.5
    0.25
    """
    error, other, baseline = _alike(error, other, baseline)
    return lambda w: w @ (other - error) / (w @ baseline)


def ratio(error: np.ndarray, reference: np.ndarray) -> Statistic:
    """Sum of the errors over the sum of the reference's; both (n,), in one unit.

    Examples
    --------
    >>> value_of(ratio([1.0, 2.0], reference=[2.0, 4.0]), 2)
    0.5
    """
    error, reference = _alike(error, reference)
    return lambda w: w @ error / (w @ reference)


def average(values: np.ndarray) -> Statistic:
    """Mean of the values (n,), in their unit.

    Examples
    --------
    >>> value_of(average([1.0, 2.0, 6.0]), 3)
    3.0
    """
    values = np.asarray(values, float)
    return lambda w: w @ values / w.sum(axis=1)


def _alike(*arrays: np.ndarray) -> list[np.ndarray]:
    found = [np.asarray(array, float) for array in arrays]
    shapes = [array.shape for array in found]
    if len(set(shapes)) > 1 or len(shapes[0]) != 1:
        raise ValueError(f"need one error for each structure, got shapes {shapes}")
    return found


# --- rules ------------------------------------------------------------------------------------


def grade(found: Estimate, limit: float) -> str:
    """Whether an objection is answered, open or upheld: its interval lies above, across or below.

    A limit that is one of the ends counts as inside the interval: open.

    Examples
    --------
    >>> grade(Estimate(0.5, 0.2, 0.8), limit=0.0), grade(Estimate(0.5, -0.1, 0.8), limit=0.0)
    ('answered', 'open')
    """
    if not found.is_there:
        return "not tried"
    if found.low > limit:
        return "answered"
    return "upheld" if found.high < limit else "open"


def duel(found: Estimate, margin: float = MARGIN) -> str:
    """Verdict on a ratio of errors, ours over theirs: better, as good, worse or open.

    "As good" if the whole interval lies inside 1/margin … margin, whichever side of 1 it is on;
    otherwise better if it lies below 1, worse if above, open if 1 is inside.

    Examples
    --------
    >>> duel(Estimate(0.7, 0.6, 0.8)), duel(Estimate(1.0, 0.95, 1.05))
    ('better', 'as good')
    """
    if 1 / margin < found.low and found.high < margin:
        return "as good"
    if found.high < 1:
        return "better"
    return "worse" if found.low > 1 else "open"


def contest(found: Estimate, wide: float = WIDE) -> str:
    """Verdict on a ratio of errors, a rival's over ours: better, same, worse or open, for us.

    Better if the whole interval lies above 1, worse if below. Otherwise the same, if the interval
    ends within a factor of ``wide`` on either side, and open if it does not: then the data cannot
    tell.

    Examples
    --------
    >>> contest(Estimate(1.4, 1.1, 1.9)), contest(Estimate(0.7, 0.5, 0.9))
    ('better', 'worse')
    >>> contest(Estimate(1.1, 0.8, 1.5)), contest(Estimate(1.1, 0.2, 5.0))
    ('same', 'open')
    """
    if not found.is_there:
        return "open"
    if found.low > 1:
        return "better"
    if found.high < 1:
        return "worse"
    return "same" if 1 / wide < found.low and found.high < wide else "open"


@dataclass(frozen=True)
class Objection:
    """One objection, tried in several glasses: a number for each of them, and a limit.

    Attributes
    ----------
    number
        What the number is, in words.
    limit
        The objection is answered where the whole interval lies above it.
    found
        The number of each glass with its interval.

    Examples
    --------
    >>> Objection("R²", 0.0, {"amc": (0.9, 0.8, 0.95), "sic": (0.1, -0.2, 0.3)}).sentence
    'Answered in amc; open in sic.'
    """

    number: str
    limit: float
    found: Mapping[str, Estimate]
    grades: Mapping[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found = {name: Estimate(*numbers) for name, numbers in self.found.items()}
        object.__setattr__(self, "found", found)
        object.__setattr__(self, "grades", {n: grade(e, self.limit) for n, e in found.items()})

    @property
    def sentence(self) -> str:
        """The grades in words, such as "Answered in amc; open in sic."."""
        parts = []
        for word in GRADES:
            mine = [name for name, given in self.grades.items() if given == word]
            if mine:
                where = "all glasses" if len(mine) == len(self.grades) else ", ".join(mine)
                parts.append(f"{word} in {where}")
        text = "; ".join(parts)
        return f"{text[:1].upper()}{text[1:]}."


def tally(board: Mapping[str, Objection]) -> dict[str, int]:
    """How often each grade stands on the board.

    Examples
    --------
    >>> tally({"families leak": Objection("R²", 0.0, {"amc": (0.9, 0.8, 0.95)})})
    {'answered': 1, 'open': 0, 'upheld': 0, 'not tried': 0}
    """
    counts = Counter(word for one in board.values() for word in one.grades.values())
    return {word: counts[word] for word in GRADES}


def objections_where(board: Mapping[str, Objection], rule: Callable[[list[str]], bool]) -> str:
    """Names of the objections whose grades, where they could be tried, follow a rule.

    Examples
    --------
    >>> board = {"families leak": Objection("R²", 0.0, {"amc": (0.9, 0.8, 0.95)})}
    >>> objections_where(board, lambda grades: all(grade == "answered" for grade in grades))
    'families leak'
    """
    tried = {o: [w for w in one.grades.values() if w != "not tried"] for o, one in board.items()}
    found = [name for name, words in tried.items() if words and rule(words)]
    return ", ".join(found) if found else "none"


class Claim(NamedTuple):
    """A claim of the paper, our verdict on it, and the numbers behind the verdict."""

    claim: str
    verdict: str
    evidence: str


def weigh(claim: str, rule: str, found: Mapping[str, Estimate], limit: float) -> Claim:
    """Verdict on a claim from the number of each glass, as the grades of an objection to it.

    A claim is supported, undecided or contradicted if that is the verdict in every glass where it
    could be tried, and mixed otherwise.

    Parameters
    ----------
    claim
        The sentence to judge.
    rule
        What must be true, in words, such as "held-out R² above 0".
    found
        Estimate of the number in each glass; one that is not a number is left out.
    limit
        What the number must exceed for the claim to be supported.

    Examples
    --------
    >>> weigh("A line suffices.", "held-out R² above 0", {"amc": (0.9, 0.8, 0.95)}, 0.0).verdict
    'supported'
    """
    found = {n: Estimate(*e) for n, e in found.items() if not np.isnan(e[0])}
    if not found:
        return Claim(claim, "not tested here", f"no results: {rule}")
    count = Counter(_OF_CLAIMS[grade(e, limit)] for e in found.values()).most_common()
    values = [e.value for e in found.values()]
    words = ", ".join(f"{word} in {n}" for word, n in count)
    evidence = f"{rule}: {plain(min(values))} to {plain(max(values))}; {words} of {len(found)}"
    return Claim(claim, count[0][0] if len(count) == 1 else "mixed", evidence)
