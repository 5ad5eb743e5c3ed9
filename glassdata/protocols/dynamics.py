"""Molecular dynamics of a mixture at constant density, in compiled code.

Velocity Verlet. A mixture that is cooled has its velocities scaled to the temperature of the moment
every so many steps; one that is followed is left alone. LAMMPS is not needed, and has no form of
the potential but tables.
"""

import numpy as np
from ase import Atoms

from glassdata.kernels import compiled
from glassdata.potentials import LennardJonesMixture
from glassdata.potentials.mixture import pair_energy, pair_tension
from glassdata.protocols.liquid import side_of
from glassdata.units import BOLTZMANN, THZ

# Reach of the lists of neighbours beyond the cut-off, in units of the cut-off.
_SKIN = 0.16
_LEAST_SKIN = 0.02
# Neighbours on one half list, at most: three times those of a dense liquid.
_MOST = 200
# Steps between two scalings of the velocities.
_SCALED_EVERY = 20

# A picosecond in units of Å √(u/eV), in which the equations have no factor.
_UNIT = 2 * np.pi * THZ

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
    positions, types, masses, box, reach = _state(atoms, potential)
    velocities = rng.normal(size=positions.shape) * (BOLTZMANN * hot / masses[:, None]) ** 0.5
    velocities -= masses @ velocities / masses.sum()
    step = _UNIT * timestep
    for start, stop, time in ((hot, hot, melt_time), (hot, cold, cooling_time)):
        thermal, steps = (BOLTZMANN * start, BOLTZMANN * stop), max(round(time / timestep), 1)
        _run(
            positions, velocities, types, masses, potential.table, box, reach, step, steps, thermal
        )
    end = atoms.copy()
    end.positions = positions
    return end


def follow(
    atoms: Atoms,
    potential: LennardJonesMixture,
    velocities: np.ndarray,
    steps: np.ndarray,
    *,
    timestep: float,
) -> tuple[np.ndarray, float]:
    """Let a liquid go by itself, at constant energy, and see where its particles are.

    Parameters
    ----------
    atoms : Atoms
        In a cubic periodic cell, or in a square one; particles of a plane stay in it if their
        velocities do.
    potential : LennardJonesMixture
    velocities : (N, 3) Å/ps
    steps : (n_times,) int
        Numbers of steps after which positions are recorded, ascending.
    timestep : float, ps

    Returns
    -------
    displacements : (n_times, N, 3) Å
        From the beginning, along the whole path: those that left the cell went on.
    drift : float, eV
        Change of the total energy per particle, which is an error of the time step.

    Raises
    ------
    ValueError
        If the cell is too small to hold one image of each pair.

    Examples
    --------
    One particle alone flies on, out of its cell:

    >>> from glassdata.systems import SYSTEMS
    >>> alone = Atoms("Ar", cell=[30.0, 30.0, 20.0], pbc=[True, True, False])
    >>> speed, mixture = np.array([[10.0, 0.0, 0.0]]), SYSTEMS["ka2d"].potential
    >>> moved, drift = follow(alone, mixture, speed, np.array([100, 400]), timestep=0.01)
    >>> moved[:, 0].round(6).tolist(), drift
    ([[10.0, 0.0, 0.0], [40.0, 0.0, 0.0]], 0.0)
    """
    positions, types, masses, box, reach = _state(atoms, potential)
    speed = np.ascontiguousarray(velocities, float) / _UNIT
    path = np.zeros((len(steps), *positions.shape))
    energies = _follow(
        positions, speed, types, masses, potential.table, box, reach, _UNIT * timestep,
        np.asarray(steps, np.int64), path,
    )  # fmt: skip
    return path, float((energies[1] - energies[0]) / len(types))


def _state(atoms: Atoms, potential: LennardJonesMixture) -> tuple:
    """Positions in the cell, types, masses, side of the cell and reach of the lists."""
    dim = potential.dim
    box, shortest = side_of(atoms, dim), 2 * (1 + _LEAST_SKIN) * potential.cutoff
    if box < shortest:
        raise ValueError(f"a cell of {box:.3g} Å is shorter than {shortest:.3g} Å")
    # Of each pair one image is looked at, so no list may reach further than half the cell.
    reach = min((1 + _SKIN) * potential.cutoff, box / 2)
    positions = atoms.positions % box
    positions[:, dim:] = 0.0
    return positions, potential.types(atoms).astype(np.uint32), atoms.get_masses(), box, reach


# Minutes long: without the interpreter's lock, so that the worker can still speak.
@compiled(error_model="numpy", nogil=True)
def _run(positions, velocities, types, masses, table, box, reach, step, steps, thermal):
    """Moves positions and velocities by so many steps, from one temperature to another."""
    near, counts, origin, forces, room = _begun(positions, types, table, box, reach)
    for done in range(steps):
        if done % _SCALED_EVERY == 0:
            wanted = thermal[0] + (thermal[1] - thermal[0]) * done / steps
            _scale(velocities, masses, wanted)
        _step(
            positions, velocities, types, masses, table, box, reach, step,
            near, counts, origin, forces, room,
        )  # fmt: skip


@compiled(error_model="numpy", nogil=True)
def _follow(positions, velocities, types, masses, table, box, reach, step, stops, path):
    """Fills the displacements at each of so many steps; total energy before and after."""
    near, counts, origin, forces, room = _begun(positions, types, table, box, reach)
    before = _energy(positions, velocities, types, masses, table, box, near, counts)
    moved, done = np.zeros_like(positions), 0
    for record in range(len(stops)):
        while done < stops[record]:
            last = positions.copy()
            _step(
                positions, velocities, types, masses, table, box, reach, step,
                near, counts, origin, forces, room,
            )  # fmt: skip
            done += 1
            for i in range(len(types)):
                for a in range(3):
                    moved[i, a] += _nearest(positions[i, a] - last[i, a], box)
        path[record] = moved
    return before, _energy(positions, velocities, types, masses, table, box, near, counts)


@compiled(error_model="numpy")
def _begun(positions, types, table, box, reach):
    """Lists of neighbours, where they were made, forces, and how far (Å²) the lists allow to go."""
    n = len(types)
    near, counts = np.empty((n, _MOST), dtype=np.uint32), np.empty(n, dtype=np.int64)
    origin, forces = np.empty_like(positions), np.empty_like(positions)
    room = ((reach - np.sqrt(table[:, :, 2].max())) / 2) ** 2
    _list(positions, types, table, box, reach, near, counts, origin)
    _forces(positions, types, table, box, near, counts, forces)
    return near, counts, origin, forces, room


@compiled(error_model="numpy")
def _step(
    positions, velocities, types, masses, table, box, reach, step,
    near, counts, origin, forces, room,
):  # fmt: skip
    """One step of velocity Verlet, with the lists of neighbours when they are needed."""
    furthest = 0.0
    for i in range(len(types)):
        moved = 0.0
        for a in range(3):
            velocities[i, a] += step / 2 * forces[i, a] / masses[i]
            positions[i, a] = within(positions[i, a] + step * velocities[i, a], box)
            moved += _nearest(positions[i, a] - origin[i, a], box) ** 2
        furthest = max(furthest, moved)
    if furthest > room:
        _list(positions, types, table, box, reach, near, counts, origin)
    _forces(positions, types, table, box, near, counts, forces)
    for i in range(len(types)):
        for a in range(3):
            velocities[i, a] += step / 2 * forces[i, a] / masses[i]


@compiled(error_model="numpy")
def _energy(positions, velocities, types, masses, table, box, near, counts):
    """Kinetic and potential energy together, eV."""
    total = 0.0
    for i in range(len(types)):
        for a in range(3):
            total += masses[i] * velocities[i, a] ** 2 / 2
        for k in range(counts[i]):
            j = near[i, k]
            r2 = 0.0
            for a in range(3):
                r2 += _nearest(positions[j, a] - positions[i, a], box) ** 2
            of = table[types[i], types[j]]
            if r2 < of[2]:
                total += pair_energy(r2, of)
    return total


@compiled(error_model="numpy")
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


@compiled
def within(x, box):
    """A coordinate that left the cell by less than its side, within the cell."""
    x = x - box if x >= box else x
    return x + box if x < 0 else x


@compiled
def _nearest(d, box):
    """A difference of coordinates within the cell, to the nearest image."""
    half = box / 2
    d = d - box if d > half else d
    return d + box if d < -half else d


@compiled(error_model="numpy")
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


@compiled
def _list(positions, types, table, box, reach, near, counts, origin):
    """Neighbours with a higher number within their cut-off and the skin, in the order of numbers.

    Particles are looked through along x, each with those that follow it by no more than ``reach``,
    at most half the cell, so that each pair is met once.
    """
    n = len(types)
    skin = reach - np.sqrt(table[:, :, 2].max())
    squares = (np.sqrt(table[:, :, 2]) + skin) ** 2
    order = np.argsort(positions[:, 0])
    origin[:] = positions
    counts[:] = 0
    for a in range(n):
        i = order[a]
        for step in range(1, n):
            j = order[(a + step) % n]
            dx = positions[j, 0] - positions[i, 0]
            dx = dx + box if a + step >= n else dx
            if dx >= reach:
                break
            dy = _nearest(positions[j, 1] - positions[i, 1], box)
            dz = _nearest(positions[j, 2] - positions[i, 2], box)
            if dx * dx + dy * dy + dz * dz < squares[types[i], types[j]]:
                low, high = min(i, j), max(i, j)
                if counts[low] == near.shape[1]:
                    raise ValueError("so many neighbours mean that the liquid collapsed")
                near[low, counts[low]] = high
                counts[low] += 1
    for i in range(n):
        near[i, : counts[i]] = np.sort(near[i, : counts[i]])
