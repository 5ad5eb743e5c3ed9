"""Second derivatives of a calculator by differences of its forces, and how good they are.

A step that is too long sees more than the curvature, one that is too short sees the rounding of the
forces. Between both, where the forces are smooth, the second derivatives do not depend on the step.

>>> ROUGH, STEPS[0]
(0.01, 0.032)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from ase import Atoms
from scipy import sparse

#: Steps that are tried, Å, from long to short, by factors of √10.
STEPS = tuple(float(f"{step:.2g}") for step in 10.0 ** -np.arange(1.5, 5.1, 0.5))
#: Largest change of second derivatives between neighbouring steps, and largest difference between
#: the derivative of one force by another atom and the reverse, as shares of the largest.
ROUGH = 0.01
#: Directions along which all atoms are displaced at once.
_DIRECTIONS = 3


class _Surface(Protocol):
    """What differences need of an energy surface."""

    @property
    def dim(self) -> int: ...

    @property
    def forward(self) -> bool: ...

    def _attached(self, atoms: Atoms) -> Atoms: ...


class NotSmoothError(ValueError):
    """The forces have no second derivatives; the message says by how much.

    Examples
    --------
    >>> issubclass(NotSmoothError, ValueError)
    True
    """


@dataclass(frozen=True)
class Smoothness:
    """The best step for central differences of forces, and what is left of its error.

    Attributes
    ----------
    step : float, Å
    change : float
        By how much second derivatives change from this step to the next shorter one, as a share of
        the largest.
    asymmetry : float
        By how much the derivative of one force by the position of another atom differs from the
        reverse, as a share of the typical derivative; 0 of forces that have an energy.
    changes : tuple of float
        The change from each of :data:`STEPS` but the last to the next shorter one.

    Examples
    --------
    >>> print(Smoothness(1e-3, 2e-6, 1e-9))
    steps of 0.001 Å, to 2e-06 independent of the step
    """

    step: float
    change: float
    asymmetry: float
    changes: tuple[float, ...] = ()

    def __str__(self) -> str:
        return f"steps of {self.step:g} Å, to {self.change:.0e} independent of the step"

    @property
    def is_smooth(self) -> bool:
        """Whether the forces have second derivatives, symmetric as those of an energy."""
        return self.change <= ROUGH and self.asymmetry <= ROUGH

    def check(self) -> None:
        """Refuse forces without second derivatives.

        Raises
        ------
        NotSmoothError
            In one line.
        """
        if not self.change <= ROUGH:
            raise NotSmoothError(
                f"its forces are not smooth: second derivatives change by {self.change:.0%} "
                f"or more between any two steps from {STEPS[0]:g} to {STEPS[-1]:g} Å, and there is "
                "no spectrum"
            )
        if not self.asymmetry <= ROUGH:
            raise NotSmoothError(
                f"its forces have no energy: their derivatives differ by {self.asymmetry:.0%} from "
                "the reverse ones, and there is no spectrum"
            )


def smoothness(surface: _Surface, atoms: Atoms) -> Smoothness:
    """The step at which second derivatives depend least on it, along a few directions.

    Every direction displaces all atoms at once, so that the test costs 48 forces, whatever the
    number of atoms.

    Parameters
    ----------
    surface : energy surface of a calculator
    atoms : Atoms

    Examples
    --------
    >>> from ase.build import bulk
    >>> from ase.calculators.emt import EMT
    >>> from glassdata.potentials import surface_of
    >>> copper = bulk("Cu", cubic=True)
    >>> found = smoothness(surface_of(EMT()), copper)
    >>> found.step, found.change < 1e-5
    (3.2e-05, True)
    """
    moved = surface._attached(atoms)
    rng = np.random.default_rng(0)
    directions = np.zeros((_DIRECTIONS, len(atoms), 3))
    signs = rng.choice([-1.0, 1.0], size=(_DIRECTIONS, len(atoms), surface.dim))
    directions[:, :, : surface.dim] = signs
    found = np.array(
        [[_along(moved, direction, step) for direction in directions] for step in STEPS]
    )
    largest = np.abs(found).max(axis=(1, 2, 3))
    changes = np.abs(np.diff(found, axis=0)).max(axis=(1, 2, 3))
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.nan_to_num(changes / largest[:-1], nan=np.inf)
    best = int(np.argmin(shares))
    products = np.einsum("ikc,jkc->ij", directions, found[best])
    typical = np.mean(np.linalg.norm(found[best], axis=(1, 2)))
    asymmetry = float(np.abs(products - products.T).max() / max(typical, np.finfo(float).tiny))
    return Smoothness(STEPS[best], float(shares[best]), asymmetry, tuple(shares.tolist()))


def _along(moved: Atoms, direction: np.ndarray, step: float) -> np.ndarray:
    """Derivative of the gradient along a direction by central differences, (N, 3), eV/Å²."""
    return (_displaced(moved, -step * direction) - _displaced(moved, step * direction)) / (2 * step)


def _displaced(moved: Atoms, by: np.ndarray) -> np.ndarray:
    """Forces after a displacement, which is taken back, (N, 3), eV/Å."""
    start = moved.positions.copy()
    moved.positions[:] = start + by
    forces = np.array(moved.get_forces(), float)
    moved.positions[:] = start
    return forces


def columns(surface: _Surface, atoms: Atoms, which: Iterable[int], step: float) -> np.ndarray:
    """Columns of the Hessian that belong to some of the atoms, (n, 3, 3N), eV/Å²; not symmetrised.

    Parameters
    ----------
    surface : energy surface of a calculator
        Whether it is ``forward`` tells if displacements go one way only.
    atoms : Atoms
    which : iterable of int
        The n atoms that are displaced.
    step : float, Å

    Examples
    --------
    >>> from ase.build import bulk
    >>> from ase.calculators.emt import EMT
    >>> from glassdata.potentials import surface_of
    >>> columns(surface_of(EMT()), bulk("Cu", cubic=True), range(2), 1e-3).shape
    (2, 3, 12)
    """
    moved = surface._attached(atoms)
    which = list(which)
    found = np.zeros((len(which), 3, 3 * len(atoms)))
    direction = np.zeros((len(atoms), 3))
    undisplaced = _displaced(moved, direction) if surface.forward else None
    for n, atom in enumerate(which):
        for axis in range(surface.dim):
            direction[atom, axis] = 1.0
            if undisplaced is None:
                column = _along(moved, direction, step)
            else:
                column = (undisplaced - _displaced(moved, step * direction)) / step
            found[n, axis] = column.ravel()
            direction[atom, axis] = 0.0
    return found


def assembled(parts: Iterable[np.ndarray]) -> sparse.bsr_array:
    """The symmetric Hessian, sparse (3N, 3N), eV/Å², of the columns of all atoms in their order.

    Parameters
    ----------
    parts : iterable of (n, 3, 3N)

    Examples
    --------
    >>> assembled([np.ones((1, 3, 6)), np.ones((1, 3, 6))]).shape
    (6, 6)
    """
    whole = np.concatenate(list(parts))
    whole = whole.reshape(3 * len(whole), whole.shape[-1])
    return sparse.bsr_array(0.5 * (whole + whole.T), blocksize=(3, 3))
