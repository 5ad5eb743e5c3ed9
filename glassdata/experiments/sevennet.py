"""Silicon carbides of 64 atoms in four potentials, of which one takes minutes for each.

Results::

    crystal   frequencies of zinc blende at the centre of the zone in each of FOUR potentials
    NUMBER    g(r) and spectra of one structure, at rest in each of FOUR potentials

They are displaced and cooled as the structures of the dataset are, in cells that are small enough
for SevenNet-0: it takes five to fifteen minutes of a core for each.

>>> FOUR
('sic', 'sic_tersoff', 'sic_mlip', 'sevennet-0')
>>> SMALL.protocols["small"].n_structures
40
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from ase.build import bulk

from glassdata.experiments.potentials import elsewhere
from glassdata.learned import learned
from glassdata.order import chemical_order
from glassdata.potentials import ERHART_ALBE_2005, BondOrder, EnergySurface
from glassdata.row import make_structure
from glassdata.structures import Dataset
from glassdata.systems import SYSTEMS, lacks
from glassdata.systems.sic import displaced_and_cooled
from glassdata.vibrations import frequencies

#: Raised whenever the same result would come out differently.
VERSION = 1
SEED = 0
_NUMBER = 40
#: Å, of forward differences, whose error is then 1e-6 of the largest second derivative.
_STEP = 1e-6
#: Å. SevenNet-0 attracts where atoms overlap, and longer moves got cooled liquids there.
_MOVE = 0.3
_ERHART_ALBE, _NEP89 = "sic", "sic_mlip"
#: The structures are at rest in the first of these, and brought to rest in each: the potentials of
#: three systems, and SevenNet-0.
FOUR = (_ERHART_ALBE, "sic_tersoff", _NEP89, "sevennet-0")


#: Erhart and Albe's silicon carbide with small structures.
SMALL = replace(
    SYSTEMS[_ERHART_ALBE],
    protocols={"small": displaced_and_cooled(_NUMBER, (2, 2, 2), 32, BondOrder(ERHART_ALBE_2005))},
)
#: Its primitive cell with the measured lattice constant.
CRYSTAL = bulk("SiC", "zincblende", a=4.36)


def result_names(_glasses: Mapping[str, Dataset]) -> list[str]:
    """Names of all results."""
    return [*(f"{number:02d}" for number in range(_NUMBER)), "crystal"]


def compute(name: str, _get: Callable[[str], Dataset]) -> dict[str, np.ndarray]:
    """One result.

    Of a structure: what ``elsewhere`` gives for each of FOUR potentials, with frequencies in the
    bins of the system with NEP89; and ``parent``, ``ensemble`` and ``chemical_order``, as it was
    made. Of the crystal: ``frequency`` (4, 6), THz.
    """
    if name == "crystal":
        return {
            "frequency": np.array([frequencies(CRYSTAL, one) for one in _potentials().values()])
        }
    known = _potentials()
    atoms = make_structure(SMALL, int(name), "small")
    highest = SYSTEMS[_NEP89].omega_max
    found = [
        elsewhere([atoms], replace(SMALL, potential=potential, omega_max=highest))
        for potential in known.values()
    ]
    return {
        "parent": np.array(atoms.info["parent"]),
        "ensemble": np.array(atoms.info["ensemble"]),
        "chemical_order": chemical_order(atoms, SMALL.bond_length, SMALL.species),
    } | {key: np.concatenate([one[key] for one in found]) for key in found[0]}


def _potentials() -> dict[str, EnergySurface]:
    if missing := lacks(SYSTEMS[_NEP89]):
        raise ValueError(f"{missing} is missing (see glassdata systems)")
    known: dict[str, EnergySurface] = {name: SYSTEMS[name].potential for name in FOUR[:-1]}
    sevennet = learned("sevennet-0", SMALL.species, {"compiled": True})
    return known | {FOUR[-1]: replace(sevennet, step=_STEP, forward=True, longest_move=_MOVE)}
