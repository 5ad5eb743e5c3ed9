"""The Hessian of a calculator on several workers, each of which displaces some of the atoms."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from ase import Atoms
from dask.distributed import Client
from scipy import sparse

from glassdata.eigen import check_memory
from glassdata.engine.clusters import connect
from glassdata.engine.execution import Execution
from glassdata.potentials import CalculatorPotential
from glassdata.potentials.differences import assembled, columns

#: Parts of a Hessian for each worker: enough that none waits long for the last one.
_PARTS = 4


@dataclass(frozen=True)
class SideBySide:
    """Makes of a calculator the same one, whose Hessian the workers compute.

    Attributes
    ----------
    client : Client
        Of Dask.
    workers : int

    Examples
    --------
    >>> len(SideBySide(None, 2).parts(100))  # of the atoms
    8
    """

    client: Client
    workers: int

    def parts(self, n_atoms: int) -> list[range]:
        """Atoms that are displaced together, in their order."""
        split = np.array_split(np.arange(n_atoms), min(n_atoms, _PARTS * self.workers))
        return [range(int(part[0]), int(part[-1]) + 1) for part in split]

    def of(self, potential: CalculatorPotential) -> "SharedCalculator":
        """The potential with these workers."""
        return SharedCalculator(**vars(potential), side_by_side=self)


@dataclass(frozen=True)
class SharedCalculator(CalculatorPotential):
    """A calculator whose Hessian is computed by workers; all else is computed here.

    Examples
    --------
    >>> SharedCalculator("ase.calculators.emt:EMT", symbols=("Cu",), reach=6.0).dim
    3
    """

    side_by_side: SideBySide | None = None

    def force_constants(self, atoms: Atoms) -> sparse.bsr_array:
        """Central differences of the forces; errors of the calculator are raised here."""
        if self.side_by_side is None:
            return super().force_constants(atoms)
        check_memory(3, len(atoms))
        settings = {name: value for name, value in vars(self).items() if name != "side_by_side"}
        plain = CalculatorPotential(**settings)
        client, parts = self.side_by_side.client, self.side_by_side.parts(len(atoms))
        futures = [client.submit(columns, plain, atoms, part, self.step) for part in parts]
        return assembled(client.gather(futures))


@contextmanager
def side_by_side(workers: int) -> Iterator[SideBySide]:
    """Start workers on this machine for Hessians of calculators, and end them.

    Parameters
    ----------
    workers : int

    Examples
    --------
    >>> with side_by_side(4) as shared:  # doctest: +SKIP
    ...     gd.frequencies(atoms, shared.of(potential))
    """
    execution = replace(Execution(), workers=workers)
    with connect(execution, workers, {}) as connection:
        yield SideBySide(connection.client, workers)
