"""Monte Carlo of a planar mixture whose particles also exchange their species.

An exchange of two species is one large step that a displacement would need ages for; it lets a
mixture reach equilibrium far below the temperature at which it would otherwise arrest: Berthier,
Coslovich, Ninarello and Ozawa, Phys. Rev. Lett. 116, 238002 (2016),
doi:10.1103/PhysRevLett.116.238002.
"""

from dataclasses import dataclass

import numpy as np

from glassdata.kernels import compiled
from glassdata.potentials import LennardJonesMixture
from glassdata.potentials.mixture import pair_energy
from glassdata.protocols.dynamics import within

# Reach of the lists of neighbours beyond the cut-off, in units of the cut-off.
_SKIN = 0.24
# Neighbours on one list, at most: three times those of a dense liquid.
_MOST = 100
# Share of the moves that exchange two species.
_SWAPS = 0.2

#: What every run shares and its structures depend on.
SCIENCE = {"method": "swap Monte Carlo", "swaps": _SWAPS}


@dataclass(frozen=True)
class Trajectory:
    """What a run of Monte Carlo leaves: its end, and what was recorded on the way.

    Attributes
    ----------
    positions : (N, 2) Å
        At the end, within the cell.
    types : (N,) int
        Species at the end.
    energies : (n,) eV
        Potential energy per particle after every ``stride`` sweeps.
    swap_acceptance : float
        Share of the attempted exchanges of unlike particles that were accepted.
    """

    positions: np.ndarray
    types: np.ndarray
    energies: np.ndarray
    swap_acceptance: float


def sample(
    positions: np.ndarray,
    types: np.ndarray,
    potential: LennardJonesMixture,
    rng: np.random.Generator,
    *,
    box: float,
    thermal: float,
    step: float,
    sweeps: int,
    stride: int = 1,
) -> Trajectory:
    """Metropolis Monte Carlo in a square periodic cell; a sweep tries one move per particle.

    Parameters
    ----------
    positions : (N, 2) Å
    types : (N,) int
        Index into the potential's species. Neither array is changed.
    potential : LennardJonesMixture
    rng : numpy.random.Generator
        All random numbers come from it: the same state gives the same bytes.
    box : float, Å
        Side of the cell, at least twice what the potential reaches and the skin of the lists.
    thermal : float, eV
        Boltzmann's constant times the temperature.
    step : float, Å
        A displacement is uniform within plus or minus this, along both axes.
    sweeps : int
    stride : int
        Sweeps between two recorded energies.

    Raises
    ------
    ValueError
        If the cell is too small to hold one image of each pair.
    """
    reach = (1 + _SKIN) * potential.cutoff
    if box < 2 * reach:
        raise ValueError(f"a cell of {box:.3g} Å is shorter than {2 * reach:.3g} Å")
    if not 2 * step < _SKIN * potential.cutoff:
        raise ValueError(f"a step of {step:g} Å is too long for the lists of neighbours")
    ends = positions % box, types.astype(np.uint32)
    energies = np.empty(sweeps // stride)
    accepted, tried = _run(*ends, potential.table, box, reach, thermal, step, stride, energies, rng)
    end, kinds = ends
    return Trajectory(end, kinds.astype(int), energies / len(types), accepted / max(tried, 1))


# Minutes long: without the interpreter's lock, so that the worker can still speak.
@compiled(nogil=True)
def _run(positions, types, table, box, reach, thermal, step, stride, energies, rng):
    """Moves positions and types, fills ``energies``; exchanges accepted and tried."""
    n = len(types)
    near, counts = np.empty((n, _MOST), dtype=np.uint32), np.empty(n, dtype=np.int64)
    origin = np.empty_like(positions)
    # Two particles may come nearer by what both have moved, and one by a step that is being tried.
    skin = reach - np.sqrt(table[:, :, 2].max())
    room = ((skin - np.sqrt(2.0) * step) / 2) ** 2
    _list(positions, box, reach, near, counts, origin)
    accepted, tried = 0, 0
    for record in range(len(energies)):
        for _ in range(stride * n):
            i = int(rng.random() * n)
            if rng.random() < _SWAPS:
                j = int(rng.random() * n)
                if types[i] != types[j]:
                    tried += 1
                    accepted += _exchange(
                        i, j, positions, types, table, box, thermal, counts, near, rng
                    )
            elif _displace(i, positions, types, table, box, thermal, step, counts, near, rng):
                x, y = positions[i, 0], positions[i, 1]
                if _squared_distance(x, y, origin[i], box) > room:
                    _list(positions, box, reach, near, counts, origin)
        energies[record] = _total(positions, types, table, box, counts, near)
    return accepted, tried


@compiled
def _displace(i, positions, types, table, box, thermal, step, counts, near, rng):
    """One attempt to move a particle; whether it was accepted."""
    kind, x, y = types[i], positions[i, 0], positions[i, 1]
    before = _of_particle(i, kind, x, y, positions, types, table, box, counts, near)
    x = within(x + step * (2 * rng.random() - 1), box)
    y = within(y + step * (2 * rng.random() - 1), box)
    after = _of_particle(i, kind, x, y, positions, types, table, box, counts, near)
    if rng.random() >= np.exp(min(0.0, (before - after) / thermal)):
        return False
    positions[i, 0], positions[i, 1] = x, y
    return True


@compiled
def _exchange(i, j, positions, types, table, box, thermal, counts, near, rng):
    """One attempt to exchange the species of two unlike particles; whether it was accepted."""
    one, other = types[i], types[j]
    cost = _cost_of_kind(i, other, j, positions, types, table, box, counts, near)
    cost += _cost_of_kind(j, one, i, positions, types, table, box, counts, near)
    if rng.random() >= np.exp(min(0.0, -cost / thermal)):
        return False
    types[i], types[j] = other, one
    return True


@compiled(error_model="numpy")
def _cost_of_kind(i, kind, partner, positions, types, table, box, counts, near):
    """Energy that it costs to make particle i one of species ``kind``, except for one partner."""
    cost, old, new = 0.0, table[types[i]], table[kind]
    x, y = positions[i, 0], positions[i, 1]
    for k in range(counts[i]):
        j = near[i, k]
        r2, t = _squared_distance(x, y, positions[j], box), types[j]
        before = pair_energy(r2, old[t]) if r2 < old[t, 2] else 0.0
        after = pair_energy(r2, new[t]) if r2 < new[t, 2] else 0.0
        # The bond between the two that exchange their species stays as it is.
        cost += after - before if j != partner else 0.0
    return cost


@compiled(error_model="numpy")
def _of_particle(i, kind, x, y, positions, types, table, box, counts, near):
    """Energy of particle i, were it of species ``kind`` and at (x, y), with those on its list."""
    energy, row = 0.0, table[kind]
    for k in range(counts[i]):
        j = near[i, k]
        r2, of = _squared_distance(x, y, positions[j], box), row[types[j]]
        # Computed for all and chosen afterwards: a branch that cannot be foretold costs more.
        value = pair_energy(r2, of)
        energy += value if r2 < of[2] else 0.0
    return energy


@compiled
def _squared_distance(x, y, other, box):
    """From (x, y) to the nearest image of another place; both lie within the cell."""
    dx, dy = abs(other[0] - x), abs(other[1] - y)
    dx, dy = min(dx, box - dx), min(dy, box - dy)
    return dx * dx + dy * dy


@compiled
def _total(positions, types, table, box, counts, near):
    total = 0.0
    for i in range(len(types)):
        x, y = positions[i, 0], positions[i, 1]
        total += _of_particle(i, types[i], x, y, positions, types, table, box, counts, near)
    return total / 2


@compiled
def _square(place, box, side):
    """Which of the squares a place lies in; one at the very edge may be rounded to the edge."""
    return min(int(place[0] / box * side), side - 1), min(int(place[1] / box * side), side - 1)


@compiled
def _list(positions, box, reach, near, counts, origin):
    """Neighbours of every particle within ``reach``, found by sorting particles into squares."""
    n, side = len(positions), max(int(box / reach), 1)
    head, following = np.full((side, side), -1), np.empty(n, dtype=np.int64)
    for i in range(n):
        origin[i, 0], origin[i, 1] = positions[i, 0], positions[i, 1]
        counts[i] = 0
        a, b = _square(positions[i], box, side)
        following[i], head[a, b] = head[a, b], i
    for i in range(n):
        a, b = _square(positions[i], box, side)
        # With two squares a side, the one to the left is the one to the right.
        for u in range(a - 1, a + min(side - 1, 2)):
            for v in range(b - 1, b + min(side - 1, 2)):
                j = head[u % side, v % side]
                while j >= 0:
                    r2 = _squared_distance(positions[i, 0], positions[i, 1], positions[j], box)
                    if j != i and r2 < reach * reach:
                        if counts[i] == near.shape[1]:
                            raise ValueError("so many neighbours mean that the liquid collapsed")
                        near[i, counts[i]] = j
                        counts[i] += 1
                    j = following[j]
