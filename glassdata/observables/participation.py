"""Participation ratio: the share of the atoms that move in a mode."""

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from glassdata.observables.rest import modes_at_rest
from glassdata.potentials import EnergySurface
from glassdata.variable import Variable
from glassdata.vibrations import Modes


def participation_ratio(
    atoms: Atoms, potential: EnergySurface | Calculator, *, modes: Modes | None = None
) -> np.ndarray:
    """Participation ratio of every mode, ``(Σ w_i)² / (N Σ w_i²)``, ``w_i = |e_i|²`` of atom i.

    Bell and Dean, Discuss. Faraday Soc. 50, 55 (1970), doi:10.1039/df9705000055. It is 1 if all
    atoms have the same share of the mode's kinetic energy, 2/3 for a standing plane wave, and 1/N
    if one atom moves alone.

    Parameters
    ----------
    atoms : Atoms
        At rest.
    potential : Potential or ASE calculator
    modes : Modes, optional
        As ``gd.modes`` gives them; computed if they are missing.

    Returns
    -------
    (n_modes,) dimensionless, in the order of the frequencies; without the translations.

    Raises
    ------
    ValueError
        If the structure is not at rest, or modes are imaginary.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> ratio = participation_ratio(argon.crystal() * (2, 2, 2), argon.potential)
    >>> ratio.shape, bool(ratio.min() > 1 / 32), bool(ratio.max() <= 1 + 1e-12)
    ((93,), True, True)
    """
    found, vibrating = modes_at_rest(atoms, potential, modes)
    e = found.eigenvectors[:, vibrating]
    shares = (e.reshape(len(atoms), -1, len(vibrating)) ** 2).sum(axis=1)
    return shares.sum(axis=0) ** 2 / (len(atoms) * (shares**2).sum(axis=0))


VARIABLES = {
    "mode_frequency": Variable(
        ("mode",),
        "f4",
        "THz",
        "vibrational frequencies without translations",
        lambda s: s.frequencies,
    ),
    "participation_ratio": Variable(
        ("mode",),
        "f4",
        "1",
        "participation ratio of each mode: 1 if all atoms move alike, 1/N if one moves alone",
        lambda s: s.of(participation_ratio),
    ),
}
