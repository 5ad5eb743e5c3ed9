"""Potentials on trial: are their forces smooth, and are their spectra those of DFT?

Results::

    GLASS.POTENTIAL     the spectrum of DFT, and the frequencies of the potential, at rest in it and
                        where DFT is at rest, for each glass of the file that the user gave and each
                        potential of TRIED that knows its elements
    smooth.POTENTIAL    how second derivatives of a displaced crystal of 64 atoms change with the
                        step of central differences
    sic_mlip.in.SYSTEM  g(r) and spectra of the structures of sic_mlip, if the dataset has it, at
                        rest in the potential of another system

>>> CLASSICAL
('sic', 'sic_tersoff')
>>> TRIED, SMOOTH["snap-si"].get_chemical_formula()
(('nep89', 'vashishta-sio2'), 'Si64')
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.formula import Formula

from glassdata.config import canonical_json
from glassdata.curvature import Curvature, curvature
from glassdata.describe import describe
from glassdata.learned import LEARNED, learned
from glassdata.measured.dft import GLASSBENCH
from glassdata.minimise import RelaxationError, relax
from glassdata.potentials.differences import STEPS
from glassdata.structures import Dataset
from glassdata.system import System
from glassdata.systems import SYSTEMS
from glassdata.vibrations import frequencies

#: Raised whenever the same result would come out differently.
VERSION = 1
SEED = 0
#: Potentials whose Hessians take seconds.
TRIED = ("nep89", "vashishta-sio2")
#: Systems whose potentials the structures with a learned one are also brought to rest in.
CLASSICAL = ("sic", "sic_tersoff")
_LEARNED = "sic_mlip"
_MAX_FORCE = 1e-4
#: Standard deviation of the displacements of the crystals, Å, and their seed.
_SHAKEN, _SEED = 0.05, 7


def _shaken(*crystal, **how) -> Atoms:
    atoms = bulk(*crystal, cubic=True, **how) * (2, 2, 2)
    atoms.rattle(_SHAKEN, seed=_SEED)
    return atoms


#: What each potential is tried on for smoothness.
SMOOTH: Mapping[str, Atoms] = {
    "nep89": _shaken("SiC", "zincblende", a=4.36),
    "sevennet-0": _shaken("SiC", "zincblende", a=4.36),
    "chgnet": _shaken("SiC", "zincblende", a=4.36),
    "snap-si": _shaken("Si", "diamond", a=5.43),
    "snap-c": _shaken("C", "diamond", a=3.57),
}


def result_names(glasses: Mapping[str, Dataset]) -> list[str]:
    """Names of all results."""
    names = [f"{_LEARNED}.in.{name}" for name in CLASSICAL if _LEARNED in glasses]
    names += [f"smooth.{name}" for name in SMOOTH]
    return names + [
        f"{glass}.{potential}"
        for glass in GLASSBENCH.names
        for potential in TRIED
        if _knows(potential, set(Formula(glass).count()))
    ]


def _knows(potential: str, elements: set[str]) -> bool:
    known = LEARNED[potential].symbols
    return not known or elements <= set(known)


def compute(name: str, get: Callable[[str], Dataset]) -> dict[str, np.ndarray]:
    """One result; frequencies in THz, below zero where they are imaginary."""
    glass_name, *_, potential_name = name.split(".")
    if glass_name == _LEARNED:
        data = get(_LEARNED)
        structures = [data.atoms(k) for k in range(len(data))]
        same_bins = replace(SYSTEMS[potential_name], omega_max=float(data.omega_edges[-1]))
        return {"index": data.index} | elsewhere(structures, same_bins)
    if glass_name == "smooth":
        return _smooth(potential_name)
    glass = GLASSBENCH.glasses()[glass_name]
    symbols = tuple(sorted(set(glass.atoms.get_chemical_symbols())))
    potential = learned(potential_name, symbols)
    found: Curvature = curvature(potential, glass.atoms)
    if found.frequencies is None:
        raise ValueError(f"the forces of {potential_name} are not smooth in {glass_name}")
    there = replace(potential, step=found.smoothness.step)
    moved = found.atoms.positions - glass.atoms.positions
    return {
        "n_atoms": np.array(len(glass.atoms)),
        "frequency": glass.frequency,
        "pdos": glass.pdos,
        "at_rest": found.frequencies,
        "as_given": frequencies(glass.atoms, there),
        "moved": np.array(np.sqrt(np.mean(np.sum(moved**2, axis=1)))),
        "potential": np.array(canonical_json(potential.parameters())),
    }


def elsewhere(structures: Sequence[Atoms], system: System) -> dict[str, np.ndarray]:
    """g(r) and spectra of structures after they came to rest in another potential.

    Parameters
    ----------
    structures : sequence of Atoms
        At rest in their own potential.
    system : System
        Of the same species, with the other potential.

    Returns
    -------
    dict
        ``g`` (n, n_r) and ``shares`` (n, n_omega) in the bins of the system, of sum 1; NaN where a
        structure did not come to rest, and then ``error`` (n,) says why.
    """
    n = len(structures)
    g, shares = np.full((n, system.n_r), np.nan), np.full((n, system.n_omega), np.nan)
    error = np.full(n, "", dtype="U200")
    for k, given in enumerate(structures):
        try:
            atoms = relax(given, system.potential, max_force=_MAX_FORCE)
            found = describe(atoms, system)
        except RelaxationError as why:
            error[k] = str(why)  # as much of it as there is room
            continue
        g[k], shares[k] = found["g"], found["pdos"] * np.diff(system.omega_edges)
    return {"g": g, "shares": shares, "error": error}


def _smooth(name: str) -> dict[str, np.ndarray]:
    atoms = SMOOTH[name]
    potential = learned(name, tuple(sorted(set(atoms.get_chemical_symbols()))))
    found = curvature(potential, atoms, relaxed=False, limit=0.0)
    numbers = {key: np.array(value) for key, value in asdict(found.smoothness).items()}
    return numbers | {
        "steps": np.array(STEPS),
        "seconds_per_atom": np.array(found.seconds),
        "potential": np.array(canonical_json(potential.parameters())),
    }
