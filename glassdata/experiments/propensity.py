"""Liquids of the planar mixture, what their particles do, and what their surroundings are like.

Results, for ``LIQUIDS`` liquids at each of the temperatures ``PREPARATIONS``::

    liquid.TEMPERATURE.K    the inherent structure, species, motion of each particle at each time,
                            and what only eigenvectors tell of it

Liquid K is the one from which structure K of that preparation of the glass ``ka2d`` is quenched, at
the density of the published mixture. The glasses of the dataset play no part.
"""

from collections.abc import Callable, Mapping
from typing import cast

import numpy as np

from glassdata.errors import StructureError
from glassdata.minimise import relax
from glassdata.propensity import propensity
from glassdata.protocols import SwapGlass
from glassdata.protocols.liquid import check_glass
from glassdata.protocols.plan import generator
from glassdata.structures import Dataset
from glassdata.surroundings import softness
from glassdata.system import PreparationError
from glassdata.systems.ka2d import EPSILON, KA2D, MIXTURE, SIGMA
from glassdata.units import BOLTZMANN, THZ

#: Raised whenever the same result would come out differently.
VERSION = 1
SEED = 0
#: Number of the preparation of ``ka2d`` by its temperature, in hundredths of the mixture's unit.
PREPARATIONS: Mapping[str, int] = {"060": 4, "045": 5, "036": 6}
LIQUIDS = 20
TRAJECTORIES = 20
#: The mixture's unit of time: σ √(m/ε), ps.
TIME = SIGMA * np.sqrt(39.948 / EPSILON) / (2 * np.pi * THZ)
TIMESTEP = 0.005 * TIME
#: Steps after which particles are looked at.
STEPS: Mapping[str, tuple[int, ...]] = {
    "060": (20, 60, 200, 600, 2000, 6000),
    "045": (20, 60, 200, 600, 2000, 6000, 20000),
    "036": (20, 60, 200, 600, 2000, 6000, 20000, 60000),
}
#: Descriptors that are stored, because they take eigenvectors; all others are quickly made.
HARMONIC = ("Debye-Waller", "soft modes")


def result_names(glasses: Mapping[str, Dataset]) -> list[str]:
    """Names of all results, those that take longest first.

    Examples
    --------
    >>> result_names({})[0]
    'liquid.036.00'
    """
    del glasses
    return [f"liquid.{t}.{k:02d}" for t in sorted(PREPARATIONS) for k in range(LIQUIDS)]


def compute(name: str, get: Callable[[str], Dataset]) -> dict[str, np.ndarray]:
    """One liquid: its inherent structure and the propensity of each particle.

    Arrays: ``types`` (N,), index into the species of ``ka2d``; ``position`` (N, 2), Å, of the
    inherent structure; ``box``, Å; ``mean`` (3, n_times, N), the propensities, in the order of
    ``glassdata.propensity.MEASURES``; ``ceiling`` (3, n_species, n_times), the largest correlation
    that a prediction can have; ``noise`` (3, n_species, n_times), the variance of a propensity that
    its few trajectories make; one array (N,) for each of ``HARMONIC``.
    """
    del get
    _, temperature, number = name.split(".")
    protocol, preparation = cast(SwapGlass, KA2D.protocols["reference"]), PREPARATIONS[temperature]
    index = preparation + protocol.preparations * int(number)
    try:
        liquid, *_ = protocol.liquid(KA2D, index)
        rest = relax(liquid, MIXTURE, max_force=protocol.max_force)
        check_glass(rest, KA2D)
        found = propensity(
            liquid,
            MIXTURE,
            generator(KA2D.name, index, "velocities"),
            temperature=protocol.parents[preparation].temperature,
            steps=np.array(STEPS[temperature]),
            timestep=TIMESTEP,
            trajectories=TRAJECTORIES,
        )
    except (PreparationError, StructureError) as error:
        return {"failed": np.array(str(error))}
    kinds = MIXTURE.types(liquid)
    of_kinds = [kinds == kind for kind in range(len(KA2D.species))]
    return {
        "types": kinds.astype("u1"),
        "position": rest.positions[:, :2].astype("f4"),
        "box": np.array(rest.cell[0, 0]),
        "temperature": np.array(protocol.parents[preparation].temperature / (EPSILON / BOLTZMANN)),
        "time": np.array(STEPS[temperature]) * TIMESTEP / TIME,
        "mean": found.mean.astype("f2"),
        "ceiling": np.stack([found.ceiling(mine) for mine in of_kinds], axis=1),
        "noise": np.stack([found.noise(mine) for mine in of_kinds], axis=1),
        "drift": np.array(found.drift),
        **{name: values.astype("f4") for name, values in softness(rest, MIXTURE).items()},
    }
