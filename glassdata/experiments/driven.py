"""Structures driven apart: how far does the spectrum get before g(r) shows it?

Each structure is changed in one way, more and more, and brought to rest again. Results::

    SYSTEM.strained     its box grows or shrinks by one factor
    SYSTEM.exchanged    atoms of two species change places (glasses of more than one species)

Distances are in units of those between repeats of one preparation, as in
:mod:`glassdata.experiments.pairs`. A pair with g below 1 and a PDOS far above 1 would be one that
no model of g(r) can get right. A glass whose potential is a file or a program of others is left out
where that is missing.

>>> STRAINS[-1], SHARES[-1]
(0.01, 1.0)
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations

import numpy as np
from ase import Atoms

from glassdata.describe import Structure
from glassdata.experiments import pairs
from glassdata.experiments.signal import ensembles
from glassdata.minimise import RelaxationError, relax
from glassdata.structures import Dataset
from glassdata.system import System
from glassdata.systems import SYSTEMS, available

#: Raised whenever the same result would come out differently.
VERSION = 1
SEED = 0
#: Ensembles of glasses; crystals are not driven.
LIQUIDS = ("equilibrated", "quenched")
#: Structures of a glass that are driven, evenly spaced over its ensemble.
STRUCTURES = 5
#: Relative growth of the periodic lengths.
STRAINS = (-0.01, -0.003, 0.003, 0.01)
#: Share of the atoms of the rarer of two species that change places with atoms of the other.
SHARES = (0.03, 1.0)

Result = dict[str, np.ndarray]


def result_names(glasses: Mapping[str, Dataset]) -> list[str]:
    """Names of all results, those of the largest structures first.

    A glass without repeats has no unit for its distances, and no results.

    Examples
    --------
    >>> import glassdata as gd
    >>> result_names({"si": gd.dataset("si"), "lj2d": gd.dataset("lj2d")})
    ['si.strained']
    """
    found = []
    for system, data in glasses.items():
        if system in available() and pairs.are_repeated(_glasses(data)):
            drives = ["strained"] + ["exchanged"] * (len(SYSTEMS[system].species) > 1)
            size = float(np.median(data.n_atoms))
            found += [(size, f"{system}.{drive}") for drive in drives]
    return [name for _, name in sorted(found, reverse=True)]


def compute(name: str, get: Callable[[str], Dataset]) -> Result:
    """One glass, driven in one way.

    Parameters
    ----------
    name
        Of the result.
    get
        Gives the structures of a glass.
    """
    system, drive = name.split(".")
    way = strained if drive == "strained" else exchanged
    return driven(_glasses(get(system)), SYSTEMS[system], way)


def _glasses(data: Dataset) -> Dataset:
    return data[np.isin(ensembles(data), LIQUIDS)]


def driven(
    data: Dataset,
    system: System,
    drive: Callable[[Atoms, int], Iterator[tuple[str, float, Atoms]]],
) -> Result:
    """Distances of driven structures from what they were, in g(r) and in the spectrum.

    Parameters
    ----------
    data
        Structures of one glass, with repeats of preparations among them.
    system
        The glass.
    drive
        Gives what is changed, how much, and the changed structure not yet at rest.

    Returns
    -------
    dict
        Of each driven structure: ``structure`` (n,) its place in ``data``, ``what`` and ``amount``
        (n,) of the change, ``g`` and ``pdos`` (n,) its distances, ``n_imaginary`` (n,). ``failed``
        (m,) says which came to no rest.

    Raises
    ------
    ValueError
        If none came to rest, or too few structures are repeats of one preparation.

    Examples
    --------
    >>> import glassdata as gd
    >>> sheets = gd.dataset("amc")
    >>> sheets = sheets[sheets["ensemble"] == "quenched"]
    >>> still = lambda atoms, seed: iter([("nothing", 0.0, atoms)])
    >>> found = driven(sheets, gd.SYSTEMS["amc"], still)
    >>> found["what"][0].item(), bool(np.all(found["g"] < 0.05))
    ('nothing', True)
    """
    unit = pairs.repeats(data)
    found, failed = [], []
    for k in np.linspace(0, len(data) - 1, STRUCTURES).astype(int).tolist():
        for what, amount, atoms in drive(data.atoms(k), k):
            try:
                made = Structure(relax(atoms, system.potential), system)
            except RelaxationError as error:
                failed.append(f"{k}, {what} {amount:g}: {error}")
                continue
            near_g = np.linalg.norm(made.g - data.X[k]) / unit.g
            near_pdos = np.linalg.norm(made["pdos"] - data.Y[k]) / unit.pdos
            found.append((k, what, amount, near_g, near_pdos, int(made["n_imaginary"])))
    if not found:
        raise ValueError(f"none of {len(failed)} driven structures came to rest: {failed[0]}")
    names = ("structure", "what", "amount", "g", "pdos", "n_imaginary")
    out = {
        name: np.array(values) for name, values in zip(names, zip(*found, strict=True), strict=True)
    }
    return out | {"failed": np.array(failed, dtype="U200")}


def strained(atoms: Atoms, seed: int) -> Iterator[tuple[str, float, Atoms]]:
    """The structure in larger and smaller boxes, its atoms moved with them.

    Parameters
    ----------
    atoms
        A glass; directions that are not periodic stay as they are.
    seed
        Not used.

    Examples
    --------
    >>> box = Atoms("Ar", positions=[[1.0, 1.0, 1.0]], cell=[2.0, 2.0, 2.0], pbc=[1, 1, 0])
    >>> _, amount, larger = list(strained(box, 0))[-1]
    >>> amount, larger.cell.lengths().tolist(), larger.positions[0].tolist()
    (0.01, [2.02, 2.02, 2.0], [1.01, 1.01, 1.0])
    """
    del seed
    for strain in STRAINS:
        growth = np.where(atoms.pbc, 1 + strain, 1.0)
        changed = atoms.copy()
        changed.set_cell(atoms.cell.array * growth[:, None], scale_atoms=True)
        yield "box", strain, changed


def exchanged(atoms: Atoms, seed: int) -> Iterator[tuple[str, float, Atoms]]:
    """The structure with atoms of two species in each other's places, for all pairs of species.

    Parameters
    ----------
    atoms
        A glass of two species or more.
    seed
        Of the choice of atoms.

    Examples
    --------
    >>> salt = Atoms("NaCl", positions=[[0.0, 0.0, 0.0], [2.8, 0.0, 0.0]])
    >>> what, share, changed = list(exchanged(salt, 0))[-1]
    >>> what, share, changed.positions[:, 0].tolist()
    ('Cl-Na', 1.0, [2.8, 0.0])
    """
    symbols = np.array(atoms.get_chemical_symbols())
    for a, b in combinations(sorted(set(symbols.tolist())), 2):
        rng = np.random.default_rng([SEED, seed])
        first, second = (rng.permutation(np.flatnonzero(symbols == one)) for one in (a, b))
        for share in SHARES:
            n = max(1, round(share * min(len(first), len(second))))
            changed, i, j = atoms.copy(), first[:n], second[:n]
            changed.positions[i], changed.positions[j] = atoms.positions[j], atoms.positions[i]
            yield f"{a}-{b}", share, changed
