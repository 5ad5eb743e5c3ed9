"""Which atoms are near each other, in any cell."""

import numpy as np
from ase import Atoms

from glassdata.errors import StructureError
from glassdata.kernels import compiled

# Atoms are sorted into bins of this share of the cut-off: smaller ones fit the sphere better, and
# more of them have to be looked up.
_BIN = 0.5
# Bins per atom at most, for a cell that is mostly empty.
_MOST_BINS = 4


def neighbours(
    quantities: str, atoms: Atoms, cutoff: float, *, half: bool = False, among: range | None = None
):
    """All ordered pairs of atoms closer than ``cutoff``, periodic images included.

    Atoms are sorted into bins, so that time and memory grow as the number of pairs, which are
    sorted by their first atom.

    Parameters
    ----------
    quantities
        Arrays to return, one letter for each: ``i``, ``j`` indices, ``d`` distances (Å), ``D``
        vectors from i to j (Å), ``S`` numbers of cell vectors to add to the position of j.
    atoms
        Cell vectors may be missing (zero) in directions that are not periodic. Positions may lie
        outside the cell.
    cutoff
        Å; a pair at exactly this distance does not count.
    half
        Return only one of each pair and its reverse.
    among
        Return only pairs whose first atom has a number in this range: the lists of a large glass
        piece by piece.

    Raises
    ------
    ValueError
        If the cut-off is not positive and finite, positions are not finite, or a periodic direction
        has no cell vector.

    Examples
    --------
    >>> from ase.build import bulk
    >>> first, second, distance = neighbours("ijd", bulk("Cu", a=3.6), 3.0)
    >>> len(first), round(float(distance[0]), 3)  # the twelve nearest images of the one atom
    (12, 2.546)
    """
    among = range(len(atoms)) if among is None else among
    positions, cell, grid = _checked(atoms, cutoff)
    first, second, shift, vector = _pairs(
        positions, cell, *grid, cutoff, half, among.start, among.stop
    )
    found = {"i": first, "j": second, "S": shift, "D": vector}
    if "d" in quantities:
        found["d"] = np.sqrt(np.einsum("pa,pa->p", vector, vector))
    result = tuple(found[letter] for letter in quantities)
    return result[0] if len(result) == 1 else result


def order_in_space(atoms: Atoms, cutoff: float) -> np.ndarray:
    """An order of the atoms in which those near each other have near numbers, (N,).

    Among atoms that are in this order, the first of each pair of ``half`` lists comes first.

    Examples
    --------
    >>> row = Atoms("Ar3", positions=[[9, 0, 0], [0, 0, 0], [5, 0, 0]], cell=[12, 12, 12], pbc=True)
    >>> order_in_space(row, 4.0).tolist()
    [1, 2, 0]
    """
    _, _, (bins, _, counts, _, _) = _checked(atoms, cutoff)
    return _sorted_into_bins(bins, counts)[0]


def _checked(atoms: Atoms, cutoff: float) -> tuple:
    """Positions, cell and grid of a structure in which neighbours can be searched."""
    if not 0 < cutoff < np.inf:
        raise ValueError(f"the cut-off must be positive and finite, got {cutoff}")
    if not np.isfinite(atoms.positions).all() or not np.isfinite(atoms.cell.array).all():
        raise StructureError("positions and cell must be finite")
    # Missing vectors are filled in below, so a missing periodic one must be found here.
    if np.any(atoms.pbc & (atoms.cell.lengths() == 0)):
        raise ValueError(f"a periodic direction has no cell vector: cell {atoms.cell.tolist()}")
    cell = np.asarray(atoms.cell.complete())
    if not abs(np.linalg.det(cell)) > 0:
        raise ValueError(f"cell vectors are linearly dependent: cell {atoms.cell.tolist()}")
    positions = np.ascontiguousarray(atoms.positions, dtype=float)
    return positions, cell, _grid(positions, cell, np.asarray(atoms.pbc), cutoff)


def _grid(positions: np.ndarray, cell: np.ndarray, periodic: np.ndarray, cutoff: float) -> tuple:
    """Bin and wraps of every atom; numbers of bins, and of bins to search, along each axis."""
    fractional = np.linalg.solve(cell.T, positions.T).T
    wraps = np.where(periodic, np.floor(fractional), 0.0)
    inside = fractional - wraps
    low = np.where(periodic, 0.0, inside.min(axis=0, initial=0.0))
    span = np.where(periodic, 1.0, inside.max(axis=0, initial=0.0) - low)
    # Distances between opposite faces of the cell.
    heights = 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0) * np.maximum(span, 1e-9)
    counts = np.maximum(np.floor(heights / (_BIN * cutoff)), 1.0)
    excess = counts.prod() / (_MOST_BINS * max(len(positions), 1))
    if excess > 1:
        counts = np.maximum(np.floor(counts / np.cbrt(excess)), 1.0)
    bins = np.clip(np.floor((inside - low) / np.maximum(span, 1e-9) * counts), 0, counts - 1)
    # A little further than necessary: an atom at a face may be rounded into either bin.
    reach = np.ceil(cutoff / (heights / counts) * (1 + 1e-12) + 1e-12)
    reach = np.where(periodic, reach, np.minimum(reach, counts - 1))
    whole = [array.astype(np.int32) for array in (bins, wraps, counts, reach)]
    return *whole, np.asarray(periodic)


@compiled
def _sorted_into_bins(bins, counts):
    """Atoms in the order of their bins, and where each bin begins."""
    home = np.empty(len(bins), dtype=np.int64)
    starts = np.zeros(counts[0] * counts[1] * counts[2] + 1, dtype=np.int64)
    for i in range(len(bins)):
        home[i] = (bins[i, 0] * counts[1] + bins[i, 1]) * counts[2] + bins[i, 2]
        starts[home[i] + 1] += 1
    for b in range(len(starts) - 1):
        starts[b + 1] += starts[b]
    filled = starts.copy()
    order = np.empty(len(bins), dtype=np.int32)
    for i in range(len(bins)):
        order[filled[home[i]]] = i
        filled[home[i]] += 1
    return order, starts


@compiled
def _pairs(positions, cell, bins, wraps, counts, reach, periodic, cutoff, half, begin, stop):
    n = len(positions)
    order, starts = _sorted_into_bins(bins, counts)
    wrapped = np.empty((n, 3))  # in the order of the bins, to be read in a row
    for slot in range(n):
        j = order[slot]
        for a in range(3):
            wrapped[slot, a] = positions[j, a]
            for b in range(3):
                wrapped[slot, a] -= wraps[j, b] * cell[b, a]
    search = (wrapped, order, starts, cell, counts, reach, periodic, cutoff, half)
    ends = np.zeros(stop - begin + 1, dtype=np.int64)
    nothing, no_shift = np.empty(0, dtype=np.int32), np.empty((0, 3), dtype=np.int32)
    # Counted first, then written: the lists of a large glass fill the memory once, not twice.
    for slot in range(n):
        i = order[slot]
        if begin <= i < stop:
            ends[i - begin + 1] = _of_atom(slot, bins[i], search, ends[0], nothing, no_shift)
    for i in range(stop - begin):
        ends[i + 1] += ends[i]
    total = ends[stop - begin]
    first, second = np.empty(total, dtype=np.int32), np.empty(total, dtype=np.int32)
    shift, vector = np.empty((total, 3), dtype=np.int32), np.empty((total, 3))
    for slot in range(n):
        i = order[slot]
        if not begin <= i < stop:
            continue
        _of_atom(slot, bins[i], search, ends[i - begin], second, shift)
        for p in range(ends[i - begin], ends[i - begin + 1]):
            first[p] = i
            j = second[p]
            for a in range(3):
                # Shifts between the atoms where they are, not where they were wrapped to.
                shift[p, a] += wraps[i, a] - wraps[j, a]
                vector[p, a] = positions[j, a] - positions[i, a]
            for a in range(3):
                for b in range(3):
                    vector[p, a] += shift[p, b] * cell[b, a]
    return first, second, shift, vector


@compiled
def _wrapped(number, count):
    """Whole cells, and the bin within one: a floor division, faster for a bin that is near."""
    cells = 0
    while number < 0:
        number += count
        cells -= 1
    while number >= count:
        number -= count
        cells += 1
    return cells, number


@compiled
def _of_atom(slot, home, search, at, second, shift):
    """Number of pairs of an atom; written from ``at`` on if there are arrays for them."""
    wrapped, order, starts, cell, counts, reach, periodic, cutoff, half = search
    found, cutoff2, writing = 0, cutoff * cutoff, len(second) > 0
    itself = np.uint64(slot)
    for ox in range(-reach[0], reach[0] + 1):
        sx, bx = _wrapped(home[0] + ox, counts[0])
        if sx != 0 and not periodic[0]:
            continue
        for oy in range(-reach[1], reach[1] + 1):
            sy, by = _wrapped(home[1] + oy, counts[1])
            if sy != 0 and not periodic[1]:
                continue
            for oz in range(-reach[2], reach[2] + 1):
                sz, bz = _wrapped(home[2] + oz, counts[2])
                if sz != 0 and not periodic[2]:
                    continue
                there = np.uint64((bx * counts[1] + by) * counts[2] + bz)
                begin, end = starts[there], starts[there + np.uint64(1)]
                if half:
                    begin = max(begin, slot)
                if begin >= end:
                    continue
                x0 = wrapped[slot, 0] - sx * cell[0, 0] - sy * cell[1, 0] - sz * cell[2, 0]
                y0 = wrapped[slot, 1] - sx * cell[0, 1] - sy * cell[1, 1] - sz * cell[2, 1]
                z0 = wrapped[slot, 2] - sx * cell[0, 2] - sy * cell[1, 2] - sz * cell[2, 2]
                own = (sx > 0) - (sx < 0) if sx != 0 else (sy > 0) - (sy < 0)
                own = own if sx != 0 or sy != 0 else (sz > 0) - (sz < 0)
                for other in range(np.uint64(begin), np.uint64(end)):
                    if other == itself and (own == 0 or (half and own < 0)):
                        continue
                    x, y, z = wrapped[other, 0] - x0, wrapped[other, 1] - y0, wrapped[other, 2] - z0
                    if x * x + y * y + z * z < cutoff2:
                        if writing:
                            second[at + found] = order[other]
                            shift[at + found, 0] = sx
                            shift[at + found, 1] = sy
                            shift[at + found, 2] = sz
                        found += 1
    return found
