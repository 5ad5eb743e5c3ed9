"""Forces, Hessian and stress against central differences of the energy and of the forces."""

from collections.abc import Iterator

import numpy as np
from ase import Atoms

from glassdata.radial import periodic_extent
from glassdata.testing.contract import differences
from glassdata.vibrations import energy_forces, hessian, stress

# Steps of the central differences, Å and strain. The error of a step h is h²/6 times a derivative
# two orders higher, which varies over 0.1 Å: about 2e-7 of the derivative for 1e-4 Å. Where a bond
# crosses a cut-off within one step, or curvature varies more steeply, a shorter step decides.
_STEPS = (1e-4, 2e-5, 5e-6)
# Energies of 100 eV are rounded to 1e-14 eV; differences over 1e-4 Å keep 1e-10 eV/Å of that.
ROUNDING = 1e-9


class Slopes:
    """Central differences of energy and forces along each coordinate, each computed only once."""

    def __init__(self, atoms: Atoms, potential) -> None:
        self.atoms, self.potential = atoms, potential
        self._known: dict[tuple[int, float], tuple[float, np.ndarray]] = {}

    def at(self, coordinate: int, step: float) -> tuple[float, np.ndarray]:
        """Slope of the energy (eV/Å), and of all forces (N, d) in eV/Å²."""
        if (coordinate, step) not in self._known:
            d = self.potential.dim
            atom, axis = divmod(coordinate, d)
            sides = []
            for sign in (1, -1):
                moved = self.atoms.copy()
                moved.positions[atom, axis] += sign * step
                sides.append(energy_forces(moved, self.potential))
            (up, pushed), (down, pulled) = sides
            slopes = (pushed - pulled)[:, :d] / (2 * step)
            self._known[coordinate, step] = (up - down) / (2 * step), slopes
        return self._known[coordinate, step]


def _best(found: np.ndarray, numeric, tolerance: float) -> np.ndarray:
    """Of several finite differences, made as they are needed, the one nearest to ``found``."""
    best, least = np.full_like(found, np.inf), np.inf
    for one in numeric:
        off = np.abs(one - found).max(initial=0.0)
        if off < least:
            best, least = one, off
        if off <= 0.5 * tolerance * np.abs(one).max(initial=0.0):
            break
    return best


def forces_are_slopes(slopes: Slopes, *, tolerance: float) -> Iterator[str]:
    """Forces are minus the slopes of the energy."""
    atoms, d = slopes.atoms, slopes.potential.dim
    _, forces = energy_forces(atoms, slopes.potential)
    flat = forces[:, :d].ravel()
    numeric = [
        _best(force, (np.array(-slopes.at(k, step)[0]) for step in _STEPS), tolerance)
        for k, force in enumerate(flat)
    ]
    scale = np.abs(numeric).max() + ROUNDING / tolerance
    yield from differences(
        "a force, in units of the largest,",
        flat / scale,
        np.array(numeric) / scale,
        tolerance=tolerance,
        look="the derivative of the energy: it should be minus the slope of the energy",
    )
    if forces[:, d:].any():
        yield "forces leave the plane of a two-dimensional potential"


def hessian_is_slopes(slopes: Slopes, *, tolerance: float) -> Iterator[str]:
    """The Hessian holds minus the slopes of the forces, column by column."""
    d, n = slopes.potential.dim, len(slopes.atoms)
    matrix = hessian(slopes.atoms, slopes.potential).toarray()
    if matrix.shape != (d * n, d * n):
        yield f"the Hessian has shape {matrix.shape}, expected {(d * n, d * n)}"
        return
    numeric = np.transpose(
        [
            _best(column, (-slopes.at(k, step)[1].ravel() for step in _STEPS), tolerance)
            for k, column in enumerate(matrix.T)
        ]
    )
    # Column by column: one short bond must not hide an error in all the others.
    scale = np.abs(numeric).max(axis=0) + ROUNDING / tolerance
    yield from differences(
        "an entry of the Hessian, in units of the largest of its column,",
        matrix / scale,
        numeric / scale,
        tolerance=tolerance,
        look="the second derivatives: they should be minus the slopes of the forces",
    )


def stress_is_slopes(atoms: Atoms, potential, *, tolerance: float) -> Iterator[str]:
    """The stress is the slope of the energy under strain, in all periodic directions.

    Parameters
    ----------
    atoms : Atoms
        Structure with at least two periodic directions; others are not checked.
    potential : Potential
        What is checked.
    tolerance : float
        Largest difference allowed, as a share of the largest component.
    """
    periodic = np.flatnonzero(atoms.pbc)
    if len(periodic) < 2:
        return
    virial = stress(atoms, potential) * periodic_extent(atoms)
    virial = virial[np.ix_(periodic, periodic)]
    numeric = np.empty_like(virial)
    for a, b in np.ndindex(virial.shape):
        strain = np.zeros((3, 3))
        strain[periodic[a], periodic[b]] += 0.5
        strain[periodic[b], periodic[a]] += 0.5
        slopes = (slope_along(strain, atoms, potential, step) for step in _STEPS)
        numeric[a, b] = _best(virial[a, b], slopes, tolerance)
    scale = np.abs(numeric).max() + ROUNDING / tolerance
    yield from differences(
        "the virial, in units of its largest entry,",
        virial / scale,
        numeric / scale,
        tolerance=tolerance,
        look="the derivative of the energy along every bond, those to an atom's own images too",
    )


def slope_along(strain: np.ndarray, atoms: Atoms, potential, step: float) -> np.ndarray:
    """Central difference of the energy along a strain of space, eV.

    Parameters
    ----------
    strain : (3, 3)
        Strain of the cell and the positions, without unit.
    atoms : Atoms
        The structure that is strained; it is not changed.
    potential : Potential
        Gives the energy.
    step : float
        Size of the strain, in units of ``strain``; both signs are taken.
    """
    energies = []
    for sign in (1, -1):
        stretch = np.eye(3) + sign * step * strain
        strained = atoms.copy()
        strained.set_cell(atoms.cell.array @ stretch)
        strained.positions = atoms.positions @ stretch
        energies.append(energy_forces(strained, potential)[0])
    return np.array((energies[0] - energies[1]) / (2 * step))
