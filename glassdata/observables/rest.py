"""What observables ask of a structure first: that it is at rest, and that it vibrates."""

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from glassdata.errors import StructureError
from glassdata.potentials import EnergySurface, surface_of
from glassdata.vibrations import Modes, energy_forces, modes

# Frequencies below this share of the largest count as zero: rounding, and atoms that turn freely.
_ZERO = 1e-4
# Largest force component of a structure at rest, eV/Å.
_MOVING = 0.01


def modes_at_rest(
    atoms: Atoms, potential: EnergySurface | Calculator, known: Modes | None
) -> tuple[Modes, np.ndarray]:
    """Modes of a structure, and which of them vibrate: all but the translations.

    Parameters
    ----------
    atoms : Atoms
    potential : Potential or ASE calculator
    known : Modes, optional
        Its modes, if they have been computed.

    Returns
    -------
    Modes; (n_modes,) int, ascending

    Raises
    ------
    ValueError
        If the structure is not at rest: a force is left, or modes are imaginary; or if more modes
        than the translations have no restoring force; or if the modes are those of other atoms.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> found, vibrating = modes_at_rest(argon.crystal(), argon.potential, None)
    >>> len(found.frequencies), len(vibrating)
    (12, 9)
    """
    check_at_rest(atoms, potential)
    d = surface_of(potential).dim
    found = modes(atoms, potential) if known is None else known
    omega = found.frequencies
    if omega.shape != (d * len(atoms),) or found.eigenvectors.shape != 2 * omega.shape:
        raise ValueError(
            f"{len(atoms)} atoms in {d} dimensions have {d * len(atoms)} modes, "
            f"got {len(omega)} with eigenvectors of shape {found.eigenvectors.shape}"
        )
    small = _ZERO * np.abs(omega).max(initial=0.0)
    if omega.min() < -small:
        raise StructureError(
            f"{int((omega < -small).sum())} modes are imaginary, down to {omega.min():.3g} THz: "
            "the structure is at a saddle of its energy, not at a minimum; relax it off the saddle"
        )
    vibrating = np.sort(np.argsort(np.abs(omega), kind="stable")[d:])
    loose = int((omega[vibrating] <= small).sum())
    if loose:
        raise StructureError(
            f"{loose} modes beside the {d} translations have no restoring force: atoms are loose"
        )
    return found, vibrating


def check_at_rest(atoms: Atoms, potential: EnergySurface | Calculator) -> None:
    """Refuse a structure on which forces are left.

    Raises
    ------
    ValueError
        Naming the largest force.

    Examples
    --------
    >>> import glassdata as gd
    >>> check_at_rest(gd.SYSTEMS["lj3d"].crystal(), gd.SYSTEMS["lj3d"].potential)
    """
    force = float(np.abs(energy_forces(atoms, potential)[1]).max(initial=0.0))
    if force > _MOVING:
        raise StructureError(
            f"the structure is not at rest: a force of {force:.3g} eV/Å is left; relax it first"
        )
