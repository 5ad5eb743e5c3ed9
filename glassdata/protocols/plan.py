"""Plans: the settings and the random numbers of structure number n of a profile."""

import hashlib
from dataclasses import dataclass, fields

import numpy as np
from scipy.stats import qmc

from glassdata.config import ROOT_SEED

_STREAMS = ("melt", "displacement", "vacancies", "sites", "antisites", "velocities")
_REPLICATE_EVERY = 5
_FAMILY = 2

#: Settings that all plans share and that determine every structure.
SCIENCE = {"root_seed": ROOT_SEED, "replicate_every": _REPLICATE_EVERY, "family": _FAMILY}


def generator(system: str, index: int, stream: str) -> np.random.Generator:
    """The random numbers for one purpose in one structure; a pure function of its arguments.

    Parameters
    ----------
    system : str
        Name of the glass.
    index : int
        Number of the structure.
    stream : str
        Purpose of the random numbers, one of ``_STREAMS``.

    Examples
    --------
    Equal arguments give equal numbers, and another purpose gives others:

    >>> first, again, other = (generator("amc", 0, s).random() for s in ("melt", "melt", "sites"))
    >>> first == again, first == other
    (True, False)
    """
    system_id = int.from_bytes(hashlib.sha256(system.encode()).digest()[:4])
    key = (system_id, index, _STREAMS.index(stream))
    return np.random.default_rng(np.random.SeedSequence(ROOT_SEED, spawn_key=key))


#: Knobs with a coordinate of their own, in the order of their coordinates.
_OWN = (
    *("displacement", "displaced_fraction", "vacancy_fraction", "antisite_fraction"),
    *("stone_wales", "cooling_time"),
)
# The further a coordinate of a Halton sequence, the more points it takes to look independent of its
# neighbours. Knobs of sheets therefore use those of knobs that only crystals in space have.
_SHARED = {"melt_density": "displacement", "kick": "displaced_fraction"}
_SHARED |= {"tension": "antisite_fraction"}


@dataclass(frozen=True)
class Stratum:
    """Ranges of the knobs of one kind of preparation, and how many structures it gets.

    Its share of all families is its ``weight`` over the sum of all weights. Each knob is a range
    (low, high); the names are those of ``glassdata.protocols.knobs``, except ``stone_wales``
    (rotations per atom), ``cooling_time`` (ps, spread in its logarithm) and ``melt_density``
    (over the crystal's). A new knob is added at the end, with a default that does nothing, and gets
    its coordinate in ``_SHARED``: then no structure changes.

    Examples
    --------
    >>> stratum = Stratum(weight=2, displacement=(0.0, 1.0))
    >>> stratum.at(np.full(6, 0.25))["displacement"]
    0.25
    >>> stratum.science()
    {'weight': 2, 'displacement': [0.0, 1.0]}
    """

    weight: int
    displacement: tuple[float, float] = (0.0, 0.0)
    displaced_fraction: tuple[float, float] = (1.0, 1.0)
    vacancy_fraction: tuple[float, float] = (0.0, 0.0)
    antisite_fraction: tuple[float, float] = (0.0, 0.0)
    stone_wales: tuple[float, float] = (0.0, 0.0)
    cooling_time: tuple[float, float] | None = None
    melt_density: tuple[float, float] = (1.0, 1.0)
    tension: tuple[float, float] | None = None
    kick: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.weight < 1:
            raise ValueError(f"Stratum: weight must be at least 1, got {self.weight}")
        for name, bounds in self.ranges():
            limit = 1 if name.endswith("_fraction") else np.finfo(float).max
            if not 0 <= bounds[0] <= bounds[1] <= limit:
                most = " <= 1" if limit == 1 else ""
                raise ValueError(f"Stratum: {name} must be 0 <= low <= high{most}, got {bounds}")

    def ranges(self) -> list[tuple[str, tuple[float, float]]]:
        """Knobs of this stratum with their bounds."""
        pairs = [(field.name, getattr(self, field.name)) for field in fields(self)[1:]]
        return [(name, bounds) for name, bounds in pairs if bounds is not None]

    def science(self) -> dict:
        """What determines the structures of this stratum: its weight and the knobs it turns."""
        off = {field.name: field.default for field in fields(self)[1:]}
        turned = {name: list(bounds) for name, bounds in self.ranges() if bounds != off[name]}
        return {"weight": self.weight} | turned

    def at(self, u: np.ndarray) -> dict[str, float]:
        """Knobs at the point ``u`` of the unit cube in six dimensions."""
        knobs = {}
        for name, (low, high) in self.ranges():
            coordinate = u[_OWN.index(_SHARED.get(name, name))] if low < high else 0.0
            if name == "cooling_time":
                knobs[name] = float(low * (high / low) ** coordinate)
            else:
                knobs[name] = float(low + (high - low) * coordinate)
        return knobs


@dataclass(frozen=True)
class Member:
    """Plan of one structure: its number, its family and its knobs.

    ``parent`` is the number of the first structure of its family, and ``family`` the number of the
    family, None for a replicate, which is alone.

    Examples
    --------
    Two families of two, and a replicate, which has no family:

    >>> [member((Stratum(1),), 0, index).parent for index in range(5)]
    [0, 0, 2, 2, 4]
    """

    index: int
    parent: int
    family: int | None
    replicate: bool
    knobs: dict[str, float]


def member(strata: tuple[Stratum, ...], replicated: int, index: int) -> Member:
    """Plan of structure number ``index``; any number of structures covers the strata evenly.

    Every fifth is a replicate: an independent repeat at the centre of stratum ``replicated``.
    The others come in families of two, which share their parent's random numbers and stratum
    and differ in the knobs.

    Parameters
    ----------
    strata : tuple of Stratum
        Kinds of disorder with their weights.
    replicated : int
        Which of the strata the replicates repeat.
    index : int
        Number of the structure.

    Examples
    --------
    >>> strata = (Stratum(1, displacement=(0.0, 1.0)),)
    >>> member(strata, 0, 4).replicate, member(strata, 0, 4).knobs["displacement"]
    (True, 0.5)
    """
    if index % _REPLICATE_EVERY == _REPLICATE_EVERY - 1:
        centre = np.full(len(_OWN), 0.5)
        return Member(index, index, None, True, strata[replicated].at(centre))
    ordinary = index - index // _REPLICATE_EVERY
    family, rank = divmod(ordinary, _FAMILY)
    first = _FAMILY * family + _FAMILY * family // (_REPLICATE_EVERY - 1)
    order = interleaved([stratum.weight for stratum in strata])
    cycle, slot = divmod(family, len(order))
    # Points are counted within the stratum: the digits of a Halton sequence repeat with periods
    # that would otherwise lock in with the cycle of the strata.
    earlier = cycle * order.count(order[slot]) + order[:slot].count(order[slot])
    halton = qmc.Halton(len(_OWN), scramble=False)
    u = halton.fast_forward(_FAMILY * earlier + rank + 1).random(1)[0]
    return Member(index, first, family, False, strata[order[slot]].at(u))


def interleaved(weights: list[int]) -> list[int]:
    """Indices, each as often as its weight, mixed as evenly as possible.

    Examples
    --------
    >>> interleaved([1, 3])
    [1, 0, 1, 1]
    """
    slots = [((n + 0.5) / weight, k) for k, weight in enumerate(weights) for n in range(weight)]
    return [k for _, k in sorted(slots)]
