"""Several ways of making structures in one profile, taken in turn."""

from dataclasses import dataclass

from ase import Atoms

from glassdata.config import check_positive
from glassdata.protocols.plan import interleaved
from glassdata.system import Protocol, System

# Part k counts its structures from k times this number, so that no two parts draw the same random
# numbers. All turns up to ten divide it, so that each part begins with the first of its own turns.
_APART = 10_080_000


@dataclass(frozen=True)
class Part:
    """One way of making structures, and how often it comes.

    Attributes
    ----------
    turns : int
        Structures that it makes in a cycle of all parts.
    protocol : Protocol
        Its own number of structures has no meaning here.

    Examples
    --------
    >>> from glassdata.systems import SYSTEMS
    >>> [part.turns for part in SYSTEMS["cualzr"].protocols["demo"].parts]
    [1, 1]
    """

    turns: int
    protocol: Protocol

    def __post_init__(self) -> None:
        check_positive(self, "Part", "turns")


@dataclass(frozen=True)
class Joined:
    """The structures of several protocols, mixed as evenly as their turns allow.

    Any number of structures from the beginning holds all parts in proportion. Structures of the
    first part are what they would be without the others.

    Attributes
    ----------
    n_structures : int
    parts : tuple of Part
    replicated : int
        Number of the part whose replicates count as such. Replicates tell what chance alone does
        to one preparation, and those of two parts differ by more than chance.

    Examples
    --------
    Displaced crystals and cooled liquids of one alloy; the second structure is a cooled liquid:

    >>> from glassdata.systems import SYSTEMS
    >>> protocol = SYSTEMS["cualzr"].protocols["demo"]
    >>> [type(part.protocol).__name__ for part in protocol.parts]
    ['AlloyDisorder', 'QuenchedGlass']
    >>> protocol.part_of(1)  # number of the part, and number of the structure within it
    (1, 0)
    """

    n_structures: int
    parts: tuple[Part, ...]
    replicated: int = 0

    def __post_init__(self) -> None:
        check_positive(self, type(self).__name__, "n_structures")
        if not 0 <= self.replicated < len(self.parts):
            raise ValueError(
                f"{type(self).__name__}: replicated must be one of {len(self.parts)} parts, "
                f"got {self.replicated}"
            )

    @property
    def preparations(self) -> int:
        """Number of fixed preparations in all parts."""
        return sum(part.protocol.preparations for part in self.parts)

    @property
    def max_force(self) -> float:
        """Largest force component that any part leaves, eV/Å."""
        return max(part.protocol.max_force for part in self.parts)

    def science(self) -> dict:
        """Everything that determines the structures, as plain data."""
        parts = [{"turns": p.turns, "protocol": p.protocol.science()} for p in self.parts]
        settings = {"parts": parts, "replicated": self.replicated, "apart": _APART}
        return {"name": type(self).__name__} | settings

    def largest(self, system: System) -> int:
        """Number of atoms of the largest structure of all parts, before any are removed."""
        return max(part.protocol.largest(system) for part in self.parts)

    def part_of(self, index: int) -> tuple[int, int]:
        """Number of the part that makes a structure, and the structure's number within it."""
        cycle, slot = divmod(index, len(self._order))
        part = self._order[slot]
        return part, cycle * self.parts[part].turns + self._order[:slot].count(part)

    def index_of(self, part: int, number: int) -> int:
        """The inverse of ``part_of``."""
        cycle, rank = divmod(number, self.parts[part].turns)
        slots = [slot for slot, k in enumerate(self._order) if k == part]
        return cycle * len(self._order) + slots[rank]

    def __call__(self, system: System, index: int) -> Atoms:
        part, number = self.part_of(index)
        start = part * _APART
        atoms = self.parts[part].protocol(system, start + number)
        info = atoms.info
        info["parent"] = self.index_of(part, info["parent"] - start)
        info["replicate"] = info["replicate"] and part == self.replicated
        if "preparation" in info:
            info["preparation"] += sum(p.protocol.preparations for p in self.parts[:part])
        return atoms

    @property
    def _order(self) -> list[int]:
        return interleaved([part.turns for part in self.parts])
