"""Silicon carbides of 64 atoms in four potentials, of which one takes minutes for each.

Results::

    crystal   frequencies of zinc blende in each of FOUR potentials, at the centre of the zone
    edge      the same, and those at the edge of the zone, along the diagonal of the cube
    NUMBER    g(r) and spectra of one structure, at rest in each of FOUR potentials

They are displaced and cooled as the structures of the dataset are, in cells that are small enough
for SevenNet-0: it takes five to thirteen minutes of a core for each.

>>> FOUR
('sic', 'sic_tersoff', 'sic_mlip', 'sevennet-0')
>>> SMALL.protocols["small"].n_structures
40
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import cast

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator
from ase.optimize import BFGS

from glassdata.experiments.potentials import elsewhere
from glassdata.learned import learned
from glassdata.order import chemical_order
from glassdata.potentials import (
    ERHART_ALBE_2005,
    BondOrder,
    CalculatorPotential,
    EnergySurface,
)
from glassdata.row import make_structure
from glassdata.structures import Dataset
from glassdata.systems import SYSTEMS, lacks
from glassdata.systems.sic import displaced_and_cooled
from glassdata.vibrations import frequencies, hessian

#: Raised whenever the same result would come out differently.
VERSION = 1
SEED = 0
_NUMBER = 40
#: Å, of forward differences, whose error is then 1e-6 of the largest second derivative.
_STEP = 1e-6
#: Å. SevenNet-0 attracts where atoms overlap, and the long steps of a line search got cooled
#: liquids there.
_LONGEST = 0.2
#: eV/Å², added to the second derivatives that a descent starts with; and eV/Å, forces at its end.
_SHIFT, _FORCE = 5.0, 5e-5
_MOST_STEPS = 400
_ERHART_ALBE, _NEP89 = "sic", "sic_mlip"
#: The structures are at rest in the first of these, and brought to rest in each: the potentials of
#: three systems, and SevenNet-0.
FOUR = (_ERHART_ALBE, "sic_tersoff", _NEP89, "sevennet-0")


#: Erhart and Albe's silicon carbide with small structures.
SMALL = replace(
    SYSTEMS[_ERHART_ALBE],
    protocols={"small": displaced_and_cooled(_NUMBER, (2, 2, 2), 32, BondOrder(ERHART_ALBE_2005))},
)
_CELL = bulk("SiC", "zincblende", a=4.36)  # measured
#: One primitive cell, and two along a direction whose waves travel along the diagonal of the cube.
CRYSTALS = {"crystal": _CELL, "edge": _CELL * (2, 1, 1)}


def result_names(_glasses: Mapping[str, Dataset]) -> list[str]:
    """Names of all results."""
    return [*(f"{number:02d}" for number in range(_NUMBER)), *CRYSTALS]


def compute(name: str, _get: Callable[[str], Dataset]) -> dict[str, np.ndarray]:
    """One result.

    Of a structure: what ``elsewhere`` gives for each of FOUR potentials, with frequencies in the
    bins of the system with NEP89; and ``parent``, ``ensemble`` and ``chemical_order``, as it was
    made. Of a crystal of n atoms: ``frequency`` (4, 3n), THz.
    """
    known = _potentials()
    if name in CRYSTALS:
        return {"frequency": np.array([frequencies(CRYSTALS[name], one) for one in known.values()])}
    atoms = make_structure(SMALL, int(name), "small")
    highest = SYSTEMS[_NEP89].omega_max
    calculator = cast(CalculatorPotential, known[FOUR[-1]]).calculator()
    starts = [*[atoms] * len(FOUR[:-1]), descend(atoms, calculator, known[_NEP89])]
    found = [
        elsewhere([start], replace(SMALL, potential=potential, omega_max=highest))
        for start, potential in zip(starts, known.values(), strict=True)
    ]
    return {
        "parent": np.array(atoms.info["parent"]),
        "ensemble": np.array(atoms.info["ensemble"]),
        "chemical_order": chemical_order(atoms, SMALL.bond_length, SMALL.species),
    } | {key: np.concatenate([one[key] for one in found]) for key in found[0]}


def descend(atoms: Atoms, calculator: Calculator, guide: EnergySurface) -> Atoms:
    """Close to rest in another potential, by quasi-Newton steps that are all short.

    The first of them takes its second derivatives from a guide, which knows better than none which
    bonds are stiff.

    Parameters
    ----------
    atoms : Atoms
    calculator : ASE calculator
        Of the other potential.
    guide : EnergySurface
        A potential whose second derivatives are cheap.

    Examples
    --------
    >>> from ase.calculators.emt import EMT
    >>> from glassdata.potentials import surface_of
    >>> copper = bulk("Cu", cubic=True) * (2, 2, 2)
    >>> copper.rattle(0.1, seed=1)
    >>> rest = descend(copper, EMT(), surface_of(EMT()))
    >>> rest.calc = EMT()
    >>> bool(abs(rest.get_forces()).max() < 5e-5)
    True
    """
    moving = atoms.copy()
    moving.calc = calculator
    descent = BFGS(moving, maxstep=_LONGEST, logfile=None)
    stiffness = hessian(atoms, guide).toarray()
    descent.H0 = stiffness + _SHIFT * np.eye(len(stiffness))
    descent.run(fmax=_FORCE, steps=_MOST_STEPS)
    moving.calc = None
    return moving


def _potentials() -> dict[str, EnergySurface]:
    if missing := lacks(SYSTEMS[_NEP89]):
        raise ValueError(f"{missing} is missing (see glassdata systems)")
    known: dict[str, EnergySurface] = {name: SYSTEMS[name].potential for name in FOUR[:-1]}
    sevennet = learned("sevennet-0", SMALL.species, {"compiled": True})
    return known | {FOUR[-1]: replace(sevennet, step=_STEP, forward=True)}
