"""Raman intensities by the bond polarizability model.

Every bond has a polarizability that depends on its length and turns with it: Wolkenstein; Guha,
Menéndez, Page and Adams, Phys. Rev. B 53, 13106 (1996), doi:10.1103/PhysRevB.53.13106. Intensities
are relative.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from glassdata.neighbours import neighbours
from glassdata.observables.heat import quanta
from glassdata.observables.rest import modes_at_rest
from glassdata.potentials import EnergySurface, surface_of
from glassdata.variable import Variable
from glassdata.vibrations import Modes, mass_weights


@dataclass(frozen=True)
class Bond:
    """Polarizability of the bonds of two species.

    Attributes
    ----------
    length : float, Å
        Atoms nearer than this are bonded.
    anisotropy : float, Å³
        α∥ − α⊥.
    anisotropy_slope : float, Å²
        α'∥ − α'⊥, derivative by the length.
    trace_slope : float, Å²
        α'∥ + 2α'⊥.

    Examples
    --------
    >>> CARBON["C", "C"].trace_slope
    7.55
    """

    length: float
    anisotropy: float
    anisotropy_slope: float
    trace_slope: float

    def __post_init__(self) -> None:
        if not 0 < self.length < np.inf:
            raise ValueError(f"Bond: length must be positive and finite, got {self.length}")


#: Bonds between carbon atoms: the double bonds of C60, as Guha and others fitted them.
CARBON: Mapping[tuple[str, str], Bond] = MappingProxyType(
    {("C", "C"): Bond(1.85, 0.32, 2.60, 7.55)}
)


@dataclass(frozen=True)
class Raman:
    """Raman activity of every mode that vibrates.

    Attributes
    ----------
    frequencies : (n_modes,) THz
    tensors : (n_modes, 3, 3)
        Derivative of the polarizability by the normal coordinate, Å²/u^(1/2).
    parallel, crossed : (n_modes,)
        Activity of light scattered with its polarisation kept and turned by 90°, averaged over all
        orientations of the structure: 45 a² + 4 γ² and 3 γ².
    intensity : (n_modes,)
        Sum of both times (n + 1)/ω, Stokes; the factor of the laser's frequency is left out.

    Examples
    --------
    >>> import glassdata as gd
    >>> sheet = gd.SYSTEMS["amc_lb"]
    >>> found = raman(sheet.crystal() * (3, 2, 1), sheet.potential)
    >>> found.tensors.shape
    (69, 3, 3)
    """

    frequencies: np.ndarray
    tensors: np.ndarray
    parallel: np.ndarray
    crossed: np.ndarray
    intensity: np.ndarray


def raman(
    atoms: Atoms,
    potential: EnergySurface | Calculator,
    *,
    modes: Modes | None = None,
    bonds: Mapping[tuple[str, str], Bond] = CARBON,
    temperature: float = 300.0,
) -> Raman:
    """Raman tensors and intensities of all modes, first order, not resonant.

    Parameters
    ----------
    atoms : Atoms
        At rest.
    potential : Potential or ASE calculator
    modes : Modes, optional
        Computed if they are missing.
    bonds : mapping of pairs of symbols to Bond
        In either order; every pair of species that the structure has must be there.
    temperature : float, K

    Raises
    ------
    ValueError
        If a pair of species has no parameters, or the structure is not at rest or has no bonds.

    Examples
    --------
    In graphene one frequency is active, and it belongs to two modes:

    >>> import glassdata as gd
    >>> sheet = gd.SYSTEMS["amc_lb"]
    >>> found = raman(sheet.crystal() * (3, 2, 1), sheet.potential)
    >>> int((found.intensity > 1e-6 * found.intensity.max()).sum())
    2
    """
    first, second, vector, of = _bonds(atoms, bonds)
    found, vibrating = modes_at_rest(atoms, potential, modes)
    omega, dim = found.frequencies[vibrating], surface_of(potential).dim
    slopes = _slopes(len(atoms), first, second, vector, of)[:, :dim]
    slopes = slopes * mass_weights(atoms)[:, None, None, None]
    e = found.eigenvectors[:, vibrating]
    tensors = np.tensordot(e, slopes.reshape(dim * len(atoms), 3, 3), axes=(0, 0))
    parallel, crossed = _averages(tensors)
    occupied = 1 / -np.expm1(-quanta(omega, [temperature])[0])
    return Raman(omega, tensors, parallel, crossed, (parallel + crossed) * occupied / omega)


def _bonds(atoms: Atoms, bonds: Mapping[tuple[str, str], Bond]) -> tuple:
    """Bonds of a structure, each once: atoms, vectors (P, 3), and parameters (P, 3)."""
    table = {frozenset(pair): bond for pair, bond in bonds.items()}
    symbols = np.array(atoms.get_chemical_symbols())
    species = sorted(set(symbols.tolist()))
    for n, a in enumerate(species):
        for b in species[n:]:
            if frozenset((a, b)) not in table:
                raise ValueError(
                    f"no bond polarizability of {a}-{b} is known; pass one of your own: "
                    f"bonds={{('{a}', '{b}'): Bond(...)}}"
                )
    longest = max(bond.length for bond in table.values())
    first, second, vector, length = neighbours("ijDd", atoms, longest, half=True)
    own = [table[frozenset(pair)] for pair in zip(symbols[first], symbols[second], strict=True)]
    bonded = length < np.array([bond.length for bond in own])
    if not bonded.any():
        raise ValueError("the structure has no bonds of the given lengths: it scatters no light")
    rows = [(bond.anisotropy, bond.anisotropy_slope, bond.trace_slope) for bond in own]
    return first[bonded], second[bonded], vector[bonded], np.array(rows)[bonded]


def _slopes(
    n_atoms: int, first: np.ndarray, second: np.ndarray, vector: np.ndarray, of: np.ndarray
) -> np.ndarray:
    """Derivative of the polarizability by the positions, (N, 3, 3, 3): atom, direction, tensor."""
    length = np.linalg.norm(vector, axis=1)
    unit, one = vector / length[:, None], np.eye(3)
    anisotropy, anisotropy_slope, trace_slope = of.T
    along = np.einsum("pa,pb->pab", unit, unit)
    turned = np.einsum("pb,ca->pcab", unit, one) + np.einsum("pa,cb->pcab", unit, one)
    turned -= 2 * np.einsum("pc,pab->pcab", unit, along)
    stretched = trace_slope[:, None, None] / 3 * one
    stretched = stretched + anisotropy_slope[:, None, None] * (along - one / 3)
    per_bond = np.einsum("pc,pab->pcab", unit, stretched)
    per_bond += (anisotropy / length)[:, None, None, None] * turned
    slopes = np.zeros((n_atoms, 3, 3, 3))
    np.add.at(slopes, second, per_bond)
    np.add.at(slopes, first, -per_bond)
    return slopes


def _averages(tensors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Activities 45 a² + 4 γ² and 3 γ², with trace 3a and anisotropy γ of each tensor."""
    trace = np.trace(tensors, axis1=1, axis2=2) / 3
    rest = tensors - trace[:, None, None] * np.eye(3)
    anisotropy = 1.5 * (rest**2).sum(axis=(1, 2))
    return 45 * trace**2 + 4 * anisotropy, 3 * anisotropy


VARIABLES = {
    "raman_intensity": Variable(
        ("mode",),
        "f4",
        "1",
        "Raman intensity of each mode at 300 K, relative (bond polarizability)",
        lambda s: s.of(raman).intensity,
    ),
    "raman_depolarisation": Variable(
        ("mode",),
        "f4",
        "1",
        "share of crossed in parallel Raman activity of each mode",
        lambda s: s.of(raman).crossed / s.of(raman).parallel,
    ),
}
