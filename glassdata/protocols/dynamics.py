"""Molecular dynamics of a mixture that is cooled at constant density, in compiled code.

Velocity Verlet; velocities are scaled to the temperature of the moment every so many steps. LAMMPS
is not needed, and has no form of the potential but tables.
"""

import numpy as np
from ase import Atoms
from numba import njit

from glassdata.potentials import LennardJonesMixture
from glassdata.potentials.mixture import pair_tension
from glassdata.protocols.liquid import side_of
from glassdata.units import BOLTZMANN, THZ

# Reach of the lists of neighbours beyond the cut-off, in units of the cut-off.
_SKIN = 0.12
# Neighbours on one half list, at most: three times those of a dense liquid.
_MOST = 200
# Steps between two scalings of the velocities.
_SCALED_EVERY = 20

#: What every run shares and its structures depend on.
SCIENCE = {"method": "velocity Verlet, scaled", "scaled_every": _SCALED_EVERY}


def cool(
    atoms: Atoms,
    potential: LennardJonesMixture,
    rng: np.random.Generator,
    *,
    hot: float,
    cold: float,
    melt_time: float,
    cooling_time: float,
    timestep: float,
) -> Atoms:
    """Hold a liquid at a temperature, then cool it linearly, in its cell.

    Parameters
    ----------
    atoms : Atoms
        In a cubic periodic cell, free of overlaps.
    potential : LennardJonesMixture
    rng : numpy.random.Generator
        Of the velocities.
    hot, cold : float, K
    melt_time, cooling_time, timestep : float, ps

    Returns
    -------
    Atoms
        At the end, within the cell and not relaxed.

    Raises
    ------
    ValueError
        If the cell is too small to hold one image of each pair.
    """
    box, reach = side_of(atoms, 3), (1 + _SKIN) * potential.cutoff
    if box < 2 * reach:
        raise ValueError(f"a cell of {box:.3g} Å is shorter than {2 * reach:.3g} Å")
    positions, masses = atoms.positions % box, atoms.get_masses()
    types = potential.types(atoms).astype(np.uint32)
    velocities = rng.normal(size=positions.shape) * (BOLTZMANN * hot / masses[:, None]) ** 0.5
    velocities -= masses @ velocities / masses.sum()
    # In units of Å √(u/eV), in which the equations have no factor.
    step = 2 * np.pi * THZ * timestep
    for start, stop, time in ((hot, hot, melt_time), (hot, cold, cooling_time)):
        thermal, steps = (BOLTZMANN * start, BOLTZMANN * stop), max(round(time / timestep), 1)
        _run(positions, velocities, types, masses, potential.table, box, reach, step, steps, thermal)
    end = atoms.copy()
    end.positions = positions
    return end


@njit(cache=True, error_model="numpy")
def _run(positions, velocities, types, masses, table, box, reach, step, steps, thermal):
    """Moves positions and velocities by so many steps, from one temperature to another."""
    n = len(types)
    near, counts = np.empty((n, _MOST), dtype=np.uint32), np.empty(n, dtype=np.int64)
    origin, forces = np.empty_like(positions), np.empty_like(positions)
    room = ((reach - np.sqrt(table[:, :, 2].max())) / 2) ** 2
    _list(positions, box, reach, near, counts, origin)
    _forces(positions, types, table, box, near, counts, forces)
    for done in range(steps):
        if done % _SCALED_EVERY == 0:
            wanted = thermal[0] + (thermal[1] - thermal[0]) * done / steps
            _scale(velocities, masses, wanted)
        furthest = 0.0
        for i in range(n):
            moved = 0.0
            for a in range(3):
                velocities[i, a] += step / 2 * forces[i, a] / masses[i]
                positions[i, a] = (positions[i, a] + step * velocities[i, a]) % box
                moved += _nearest(positions[i, a] - origin[i, a], box) ** 2
            furthest = max(furthest, moved)
        if furthest > room:
            _list(positions, box, reach, near, counts, origin)
        _forces(positions, types, table, box, near, counts, forces)
        for i in range(n):
            for a in range(3):
                velocities[i, a] += step / 2 * forces[i, a] / masses[i]


@njit(cache=True, error_model="numpy")
def _scale(velocities, masses, thermal):
    """Scale velocities to a temperature; the centre of mass, at rest, has no share in it."""
    twice = 0.0
    for i in range(len(masses)):
        for a in range(3):
            twice += masses[i] * velocities[i, a] ** 2
    factor = np.sqrt(3 * (len(masses) - 1) * thermal / twice)
    for i in range(len(masses)):
        for a in range(3):
            velocities[i, a] *= factor


@njit(cache=True)
def _nearest(d, box):
    """A difference of coordinates within the cell, to the nearest image."""
    half = box / 2
    d = d - box if d > half else d
    return d + box if d < -half else d


@njit(cache=True, error_model="numpy")
def _forces(positions, types, table, box, near, counts, forces):
    for i in range(len(types)):
        for a in range(3):
            forces[i, a] = 0.0
    for i in range(len(types)):
        x, y, z = positions[i, 0], positions[i, 1], positions[i, 2]
        row = table[types[i]]
        fx = fy = fz = 0.0
        for k in range(counts[i]):
            j = near[i, k]
            dx = _nearest(positions[j, 0] - x, box)
            dy = _nearest(positions[j, 1] - y, box)
            dz = _nearest(positions[j, 2] - z, box)
            r2, of = dx * dx + dy * dy + dz * dz, row[types[j]]
            # Computed for all and chosen afterwards: a branch that cannot be foretold costs more.
            pull = pair_tension(r2, of)
            pull = pull if r2 < of[2] else 0.0
            fx, fy, fz = fx + pull * dx, fy + pull * dy, fz + pull * dz
            forces[j, 0] -= pull * dx
            forces[j, 1] -= pull * dy
            forces[j, 2] -= pull * dz
        forces[i, 0] += fx
        forces[i, 1] += fy
        forces[i, 2] += fz


@njit(cache=True)
def _cube(place, box, side):
    """Which of the cubes a place lies in; one at the very edge may be rounded to the edge."""
    a = min(int(place[0] / box * side), side - 1)
    b = min(int(place[1] / box * side), side - 1)
    c = min(int(place[2] / box * side), side - 1)
    return a, b, c


@njit(cache=True)
def _list(positions, box, reach, near, counts, origin):
    """Neighbours with a higher number within ``reach``, found by sorting into cubes."""
    n, side = len(positions), max(int(box / reach), 1)
    head, following = np.full((side, side, side), -1), np.empty(n, dtype=np.int64)
    # Backwards, so that a cube is read in ascending order.
    for i in range(n - 1, -1, -1):
        counts[i] = 0
        for a in range(3):
            origin[i, a] = positions[i, a]
        a, b, c = _cube(positions[i], box, side)
        following[i], head[a, b, c] = head[a, b, c], i
    beyond = min(side - 1, 2)
    for i in range(n):
        a, b, c = _cube(positions[i], box, side)
        # With two cubes a side, the one to the left is the one to the right.
        for u in range(a - 1, a + beyond):
            for v in range(b - 1, b + beyond):
                for w in range(c - 1, c + beyond):
                    j = head[u % side, v % side, w % side]
                    while j >= 0:
                        r2 = 0.0
                        for m in range(3):
                            r2 += _nearest(positions[j, m] - positions[i, m], box) ** 2
                        if j > i and r2 < reach * reach:
                            if counts[i] == near.shape[1]:
                                raise ValueError("so many neighbours mean that it collapsed")
                            near[i, counts[i]] = j
                            counts[i] += 1
                        j = following[j]
