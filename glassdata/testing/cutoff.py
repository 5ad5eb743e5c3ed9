"""Energies and forces of a few atoms that are carried through all cut-offs, and where they jump."""

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np

from glassdata.testing.structures import Reach, dimer, trimer
from glassdata.vibrations import energy_forces

# Smallest jump that counts, in units of the depth of the deepest pair (and of that depth over the
# spacing): a hundred times what tables of a few thousand points and their kinks leave.
_SMALLEST = 1e-4
# Where an interval is this short, Å, what still changes across it is a jump.
_SHORT = 1e-9
_GRID = 24
_MOST_TRIPLES = 8
_ANGLES = (0.6, 1.9)  # rad


def jumps(reach: Reach, rng: np.random.Generator) -> Iterator[str]:
    """Jumps of the energy and of the forces that the potential does not declare.

    ``potential.continuity`` is the number of derivatives of the energy that are continuous
    everywhere: 1 if the forces are, which is taken for granted where nothing is said; 0 if the
    energy is; -1 if even that jumps.
    """
    potential = reach.potential
    declared = int(getattr(potential, "continuity", 1))
    if declared < 0:
        return
    scales = (reach.depth, reach.depth / reach.spacing)
    for label, start, path in _paths(reach, rng):

        def follow(r: float, path=path) -> np.ndarray:
            energy, forces = energy_forces(path(r), potential)
            return np.append(energy / scales[0], forces.ravel() / scales[1])

        for which, place, size in _search(follow, start, reach.cutoff * 1.02):
            what, order = ("energy", 0) if which == 0 else ("force", 1)
            if order <= declared:
                unit = ("eV", "eV/Å")[order]
                yield (
                    f"the {what} jumps by {size * scales[order]:.3g} {unit} where {label} comes to "
                    f"{place:.4f} Å; look at the cut-off functions, or let continuity be "
                    f"{order - 1}"
                )


def _paths(reach: Reach, rng: np.random.Generator) -> Iterator[tuple[str, float, Callable]]:
    """Dimers of all pairs, and third atoms that approach a dimer under two angles."""
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
) -> list[tuple[int, float, float]]:
    """Jumps as (0 for the energy or 1 for a force, place, size); at most one of each."""
    r = np.linspace(start, stop, _GRID)
    values = [follow(x) for x in r]
    open_ = list(zip(r[:-1], r[1:], values[:-1], values[1:], strict=True))
    found: dict[int, tuple[int, float, float]] = {}
    while open_:
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
            which = 0 if step[0] >= _SMALLEST else 1
            found[which] = (which, middle, float(step.max() if which else step[0]))
            continue
        open_ += [(low, middle, below, between), (middle, high, between, above)]
    return list(found.values())
