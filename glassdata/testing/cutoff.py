"""Jumps of energy and forces: a few atoms are moved through all cut-offs of a potential."""

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np

from glassdata.testing.structures import Reach, dimer, trimer
from glassdata.vibrations import energy_forces

# Smallest jump that counts, in units of the depth of the deepest pair (and of that depth over the
# spacing): a hundred times the kinks in tables of a few thousand points.
_SMALLEST = 3e-4
# If a function jumps, most of its change across the wide interval (Å) happens in the short one.
# Tersoff's forces grow like a root of the distance to the cut-off, which is steep, but no jump.
_SHORT = 1e-9
_WIDE = 1e-6
_GRID = 24
# Evaluations along one path; smooth functions take some hundred.
_MOST = 6000
_MOST_TRIPLES = 6
_ANGLES = (1.1, 1.9)  # rad


def jumps(reach: Reach, rng: np.random.Generator) -> Iterator[str]:
    """Jumps of the energy and of the forces that the potential does not declare.

    ``potential.continuity`` is the number of derivatives of the energy that are continuous
    everywhere: 1 if the forces are; 0 if the energy is; -1 if even that jumps.
    """
    potential = reach.potential
    declared = potential.continuity
    if declared < 0:
        return
    scales = (reach.depth, reach.depth / reach.spacing)
    for label, start, path in _paths(reach, rng):

        def follow(r: float, path=path) -> np.ndarray:
            energy, forces = energy_forces(path(r), potential)
            return np.append(energy / scales[0], forces.ravel() / scales[1])

        found, finished = _search(follow, start, reach.cutoff * 1.02)
        if not finished:
            yield f"{label}: energy and forces are too rough to be followed from {start:.2f} Å on"
        for which, where, size in found:
            what, order = ("energy", 0) if which == 0 else ("force", 1)
            if order <= declared:
                unit = ("eV", "eV/Å")[order]
                yield (
                    f"the {what} jumps by {size * scales[order]:.3g} {unit} where {label} comes to "
                    f"{where:.4f} Å; look at the cut-off functions, or let continuity be "
                    f"{order - 1}"
                )


def _paths(reach: Reach, rng: np.random.Generator) -> Iterator[tuple[str, float, Callable]]:
    """Dimers of all pairs, and third atoms that approach a dimer at two angles."""
    for pair, rest in reach.rest.items():
        if pair == tuple(sorted(pair)):
            yield "-".join(pair), 0.8 * rest, lambda r, pair=pair: dimer(pair, r)
    triples = list(product(reach.species, repeat=3))
    chosen = rng.permutation(len(triples))[:_MOST_TRIPLES]
    for number, which in enumerate(sorted(chosen)):
        symbols = triples[which]
        angle = _ANGLES[number % len(_ANGLES)]
        rest = 1.02 * reach.rest[symbols[0], symbols[1]]
        start = max(0.85 * reach.rest[symbols[0], symbols[2]], 0.5 * rest)

        def path(r: float, symbols=symbols, rest=rest, angle=angle):
            return trimer(symbols, rest, r, angle)

        yield f"{symbols[2]} beside {symbols[0]}-{symbols[1]}", start, path


def _search(
    follow: Callable[[float], np.ndarray], start: float, stop: float
) -> tuple[list[tuple[int, float, float]], bool]:
    """Jumps as (0 for the energy or 1 for a force, distance, size), at most one of each.

    And whether the search came to its end.
    """
    r = np.linspace(start, stop, _GRID)
    values = [follow(x) for x in r]
    open_ = list(zip(r[:-1], r[1:], values[:-1], values[1:], strict=True))
    found: dict[int, tuple[int, float, float]] = {}
    for _ in range(_MOST):
        if not open_:
            break
        low, high, below, above = open_.pop()
        middle = (low + high) / 2
        between = follow(middle)
        # Where a function is smooth this falls by four with every halving; a jump stays.
        bent = np.abs(below + above - 2 * between)
        bent[0] = bent[0] if 0 not in found else 0.0
        bent[1:] = bent[1:] if 1 not in found else 0.0
        if bent.max() < _SMALLEST:
            continue
        if high - low < _SHORT:
            step = np.abs(above - below)
            wide = np.abs(follow(middle + _WIDE) - follow(middle - _WIDE))
            step = np.where((step > 0.5 * wide) & (step >= _SMALLEST), step, 0.0)
            for which, size in enumerate((step[0], step[1:].max())):
                if size and which not in found:
                    found[which] = (which, middle, float(size))
            continue
        open_ += [(low, middle, below, between), (middle, high, between, above)]
    return list(found.values()), not open_
