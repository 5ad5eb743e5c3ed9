"""The perfect crystal of a glass, at rest under its potential."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ase import Atoms

from glassdata.config import check_positive
from glassdata.minimise import relax
from glassdata.potentials import EnergySurface


@dataclass(frozen=True, eq=False)
class Crystal:
    """A crystal that is built once and relaxed to zero pressure; calling it gives a copy.

    Parameters
    ----------
    lattice : callable
        Builds the crystal before it is relaxed, from ``settings``.
    settings : mapping
        Arguments of ``lattice`` by name, plain data.
    potential : Potential
    max_force : float, eV/Å
        Largest force component left.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from glassdata.potentials import LennardJones
    >>> argon = LennardJones(0.0103, 3.405, 8.5)
    >>> fcc = Crystal(bulk, {"name": "Ar", "crystalstructure": "fcc", "a": 5.3}, argon)
    >>> len(fcc())
    1
    """

    lattice: Callable[..., Atoms]
    settings: Mapping[str, Any]
    potential: EnergySurface
    max_force: float = 1e-7

    def __post_init__(self) -> None:
        check_positive(self, "Crystal", "max_force")

    def __call__(self) -> Atoms:
        return self._relaxed.copy()

    def science(self) -> dict:
        """Everything that determines the crystal, as plain data.

        Examples
        --------
        >>> from ase.build import bulk
        >>> from glassdata.potentials import LennardJones
        >>> settings = {"name": "Ar", "crystalstructure": "fcc", "a": 5.3}
        >>> Crystal(bulk, settings, LennardJones(0.0103, 3.405, 8.5)).science()["lattice"]
        'bulk'
        """
        return {
            "lattice": self.lattice.__name__,
            "settings": dict(self.settings),
            "potential": self.potential.parameters(),
            "max_force": self.max_force,
        }

    @cached_property
    def _relaxed(self) -> Atoms:
        start = self.lattice(**self.settings)
        return relax(start, self.potential, max_force=self.max_force, cell="isotropic")
