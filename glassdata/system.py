"""Systems: each glass has one frozen description."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Protocol as Interface

import numpy as np
from ase import Atoms

from glassdata.config import ALGORITHM_VERSION, FREQUENCY_STEPS, POSITION_STEP, check_positive
from glassdata.crystal import Crystal
from glassdata.minimise import SCIENCE as MINIMISER
from glassdata.potentials import EnergySurface

DISORDER_CLASSES = ("crystal-like", "defective", "partial", "amorphous")


#: How a structure came to be: a crystal with displaced atoms, a liquid that was cooled at a rate,
#: one that was in equilibrium before its minimisation, or in a way this project does not know.
ENSEMBLES = ("displaced", "quenched", "equilibrated", "external")


class PreparationError(ArithmeticError):
    """A structure that did not become what its protocol makes; the message says what it became."""


class Protocol(Interface):
    """How structures are made at one profile: a frozen dataclass that declares its science."""

    @property
    def n_structures(self) -> int:
        """Number of structures of the whole profile."""

    @property
    def preparations(self) -> int:
        """Number of fixed preparations that structures take in turn; 0 where ranges are covered."""

    @property
    def max_force(self) -> float:
        """Largest force component left, eV/Å."""

    def largest(self, system: "System") -> int:
        """Number of atoms of the largest structure, before any are removed."""

    def science(self) -> dict:
        """Everything that determines the structures, as plain data, and nothing else.

        Not their number: a longer profile has the same structures and more.
        """

    def __call__(self, system: "System", index: int) -> Atoms:
        """Return the relaxed structure number ``index``.

        The preparation stands in ``Atoms.info``, by the names of ``glassdata.protocols.knobs``;
        ``parent``, ``replicate`` and
        ``ensemble`` (one of ``ENSEMBLES``) are always among them.

        Raises
        ------
        RelaxationError, PreparationError
            If it cannot be made, or became something else than it should.
        """


@dataclass(frozen=True)
class System:
    """One glass: its potential, how it is made, and the bins in which it is described.

    Attributes
    ----------
    name, title, summary, reference : str
    species : tuple of str
        Chemical symbols; they order the partial g(r).
    potential : Potential
    protocols : mapping of profile name to Protocol
    crystal : Crystal
        Gives the perfect crystal, at rest under the same potential; a new copy in each call.
    dim : int
        Dimension in which g(r) is normalised.
    r_max : float, Å
    omega_max : float, THz
    bond_length : float, Å
        Atoms nearer than this are neighbours: the crystal's first gap.
    class_variable : str
        Variable of the dataset that measures the disorder of a finished structure.
    class_edges : tuple of float
        Its values at the borders between the four disorder classes; they decrease where the
        variable measures order.
    n_r, n_omega : int
        Numbers of bins.
    position_step : float, Å
        Stored positions are multiples of this.

    Examples
    --------
    >>> import glassdata as gd
    >>> glass = gd.SYSTEMS["cualzr"]
    >>> glass.pairs
    ('Al-Al', 'Al-Cu', 'Al-Zr', 'Cu-Cu', 'Cu-Zr', 'Zr-Zr')
    >>> glass.disorder_class(0.9), glass.disorder_class(0.1)  # by the far order that is left
    ('crystal-like', 'amorphous')
    """

    name: str
    title: str
    summary: str
    reference: str
    species: tuple[str, ...]
    potential: EnergySurface
    protocols: Mapping[str, Protocol]
    crystal: Crystal
    dim: int
    r_max: float
    omega_max: float
    bond_length: float
    class_variable: str
    class_edges: tuple[float, float, float]
    n_r: int = 100
    n_omega: int = 100
    position_step: float = POSITION_STEP

    def __post_init__(self) -> None:
        if self.dim not in (2, 3):
            raise ValueError(f"system {self.name}: dim must be 2 or 3, got {self.dim}")
        fields = ("r_max", "omega_max", "bond_length", "n_r", "n_omega", "position_step")
        check_positive(self, f"system {self.name}", *fields)
        rising = sorted(set(self.class_edges))
        if list(self.class_edges) not in (rising, rising[::-1]):
            raise ValueError(
                f"system {self.name}: class_edges must increase or decrease throughout, "
                f"got {self.class_edges}"
            )

    @property
    def r_edges(self) -> np.ndarray:
        """Edges of the distance bins, shape (n_r + 1,), Å."""
        return np.linspace(0.0, self.r_max, self.n_r + 1)

    @property
    def omega_edges(self) -> np.ndarray:
        """Edges of the frequency bins, shape (n_omega + 1,), THz."""
        return np.linspace(0.0, self.omega_max, self.n_omega + 1)

    @property
    def frequency_step(self) -> float:
        """Stored frequencies are multiples of this, THz."""
        return 2.0 ** math.floor(math.log2(self.omega_max / FREQUENCY_STEPS))

    @property
    def pairs(self) -> tuple[str, ...]:
        """Names of the partial g(r), such as ``"Cu-Zr"``; empty for a single species."""
        if len(self.species) == 1:
            return ()
        return tuple("-".join(pair) for pair in combinations_with_replacement(self.species, 2))

    def disorder_class(self, measure: float) -> str:
        """Name of the disorder class of a structure whose ``class_variable`` is ``measure``."""
        sign = np.sign(self.class_edges[-1] - self.class_edges[0])
        edges = sign * np.array(self.class_edges)
        return DISORDER_CLASSES[int(np.searchsorted(edges, sign * measure))]

    @property
    def is_sheet(self) -> bool:
        """Whether it is a sheet that may buckle: g(r) in two dimensions, vibrations in three."""
        return self.dim == 2 and self.potential.dim == 3

    @property
    def is_network(self) -> bool:
        """Whether each atom of the crystal has four neighbours at the angles of a tetrahedron."""
        return self.crystal.settings.get("crystalstructure") in ("diamond", "zincblende")

    def science(self, profile: str) -> dict:
        """Everything that determines the atoms of a profile's structures, as plain data."""
        return {
            "algorithm": ALGORITHM_VERSION,
            "system": self.name,
            "potential": self.potential.parameters(),
            "crystal": self.crystal.science(),
            "protocol": self.protocols[profile].science(),
            "minimiser": MINIMISER,
            "position_step": self.position_step,
        }
