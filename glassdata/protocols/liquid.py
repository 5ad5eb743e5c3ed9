"""What all glasses made of a liquid share: how it begins, and what must not have become of it."""

from collections.abc import Sequence
from dataclasses import asdict, fields, is_dataclass

import numpy as np
from ase import Atoms

from glassdata.minimise import separate
from glassdata.order import far_order, local_bond_order, long_wave
from glassdata.potentials import Potential, false_pairs
from glassdata.protocols import plan
from glassdata.radial import periodic_extent
from glassdata.system import PreparationError, System

# Of the crystal's far order and of its order near by, a glass keeps at most these shares.
_FAR_ORDER, _NEAR_ORDER = 0.3, 0.85
# Share of a wave that fills the cell: a hole of a seventh of it makes .02 of all atoms, and half
# of a separation .1 of a species; atoms at random make 1/N.
_HOLES, _SEPARATION = 0.02, 0.1

#: The limits that a glass made of a liquid is held to.
SCIENCE = {
    "plan": {"root_seed": plan.SCIENCE["root_seed"]},
    "limits": [_FAR_ORDER, _NEAR_ORDER, _HOLES, _SEPARATION],
}


def science(protocol) -> dict:
    """Name and settings of a protocol, a dataclass, except for the number of its structures."""
    names = [field.name for field in fields(protocol) if field.name != "n_structures"]
    settings = {name: _plain(getattr(protocol, name)) for name in names}
    return {"name": type(protocol).__name__} | settings | SCIENCE


def _plain(setting):
    """A setting as plain data: a potential by its parameters, preparations by theirs."""
    if isinstance(setting, Potential):
        return setting.parameters()
    if isinstance(setting, tuple):
        return [_plain(item) for item in setting]
    described = is_dataclass(setting) and not isinstance(setting, type)
    return asdict(setting) if described else setting


def at_random(
    system: System,
    composition: Sequence[int],
    density: float,
    rng: np.random.Generator,
    *,
    separation: float,
) -> Atoms:
    """Atoms at random places of a cubic (or square) cell, taken apart where they are too near.

    Parameters
    ----------
    system : System
        Its crystal says which directions are periodic.
    composition : sequence of int
        Number of atoms of each species of the system.
    density : float
        Atoms per Å³, or per Å² of the plane.
    rng : numpy.random.Generator
    separation : float, Å
        Atoms nearer than this are taken apart.
    """
    n, dim = sum(composition), system.potential.dim
    side = (n / density) ** (1 / dim)
    cell = np.array([side, side, side if dim == 3 else system.crystal().cell[2, 2]])
    places = rng.random((n, 3))
    places[:, dim:] = 0.5
    symbols = np.repeat(system.species, composition)
    atoms = Atoms(symbols, positions=places * cell, cell=cell, pbc=system.crystal().pbc)
    atoms = separate(atoms, separation)
    atoms.wrap()
    return atoms


def check_glass(atoms: Atoms, system: System) -> None:
    """Refuse what is no glass: crystallised, separated, with holes, or in a false minimum.

    Raises
    ------
    PreparationError
        Saying which, and by how much.
    """
    for pair in false_pairs(atoms, system.potential):
        raise PreparationError(f"in a false minimum: {pair}")
    crystal, dim = system.crystal(), system.dim
    far = far_order(atoms, crystal, dim)
    if far > _FAR_ORDER:
        raise PreparationError(
            f"crystallised: {far:.2f} of the crystal's far order (at most {_FAR_ORDER:g})"
        )
    near, own = (local_bond_order(a, system.bond_length, dim) for a in (atoms, crystal))
    if near > _NEAR_ORDER * own:
        raise PreparationError(
            f"crystallised: local bond order {near:.2f}, {own:.2f} in the crystal "
            f"(at most {_NEAR_ORDER:g} of it)"
        )
    holes = long_wave(atoms, np.ones(len(atoms)))
    if holes > _HOLES:
        raise PreparationError(f"opened: {holes:.3f} of the longest wave (at most {_HOLES:g})")
    for symbol in system.species if system.pairs else ():
        occupied = (np.array(atoms.symbols) == symbol).astype(float)
        apart = long_wave(atoms, occupied - occupied.mean())
        if apart > _SEPARATION:
            raise PreparationError(
                f"separated: {apart:.2f} of {symbol} in the longest wave (at most {_SEPARATION:g})"
            )


def side_of(atoms: Atoms, dim: int) -> float:
    """Side of the square or cubic cell, Å."""
    return float(periodic_extent(atoms) ** (1 / dim))
