"""Thermal conductivity of a glass by the theory of Allen and Feldman.

Allen and Feldman, Phys. Rev. B 48, 12581 (1993), doi:10.1103/PhysRevB.48.12581. In a disordered
solid modes do not travel; heat diffuses between modes of nearly equal frequency:

    κ = (1/V) Σ_i C_i D_i,   D_i = (π/ω_i²) Σ_j |S_ij|² δ(ω_i − ω_j),
    S_ij = (ω_i + ω_j) / (4 √(ω_i ω_j)) · e_i·(R∘D)·e_j,

where R∘D holds the blocks of the dynamical matrix times the vectors between their atoms, each image
of an atom with a vector of its own, and |S|² is the mean over directions. R∘D is antisymmetric, so
no mode couples to itself, and sums over modes of equal frequency do not depend on the choice of
these modes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from scipy import sparse

from glassdata.images import springs_to_images
from glassdata.observables.heat import TEMPERATURES, mode_heat_capacity
from glassdata.observables.rest import modes_at_rest
from glassdata.potentials import EnergySurface
from glassdata.radial import periodic_extent
from glassdata.sheet import check_sheet
from glassdata.units import BOLTZMANN, THZ, WATT_PER_METRE_KELVIN
from glassdata.variable import Variable
from glassdata.vibrations import Modes

Kernel = Literal["lorentzian", "gaussian"]

#: Thickness of a carbon sheet, the distance of the layers in graphite, Å.
GRAPHITE_LAYER = 3.35
# Default width in units of the mean distance between frequencies: in 512 atoms of amorphous silicon
# κ changes by 3 % between 4 and 16, and falls by a tenth at 2.
_SPACINGS = 5.0
# Modes whose couplings to all others are in memory at once.
_BLOCK = 256
# Matrices of which a larger share is not zero are multiplied faster as dense ones.
_FULL = 0.25
# Elements of which a solid conducts heat by its vibrations, not mainly by electrons.
_NO_METALS = frozenset(
    symbol
    for row in ("H He B C N O F Ne", "Si P S Cl Ar", "Ge As Se Br Kr", "Sb Te I Xe", "At Rn")
    for symbol in row.split()
)


@dataclass(frozen=True)
class ThermalConductivity:
    """Conductivity of heat by the vibrations, and what it is made of.

    Attributes
    ----------
    temperatures : (n_temperatures,) K
    conductivity : (n_temperatures,) W/(m K)
        Mean over the directions in which the structure is periodic.
    frequencies : (n_modes,) THz
        Of the modes that vibrate, ascending.
    diffusivities : (n_modes,) mm²/s
        Of each mode. Among modes of equal frequency only the sum has a meaning.
    width : float, THz
        Of the kernel that stands for δ: half of the Lorentzian's width at half its height, or the
        Gaussian's standard deviation.

    Examples
    --------
    >>> import glassdata as gd
    >>> silicon = gd.SYSTEMS["si"]
    >>> crystal = silicon.crystal() * (3, 3, 3)
    >>> found = thermal_conductivity(crystal, silicon.potential, temperatures=[300.0], width=0.5)
    >>> found.conductivity.shape, found.diffusivities.shape
    ((1,), (645,))
    """

    temperatures: np.ndarray
    conductivity: np.ndarray
    frequencies: np.ndarray
    diffusivities: np.ndarray
    width: float


def thermal_conductivity(
    atoms: Atoms,
    potential: EnergySurface | Calculator,
    *,
    modes: Modes | None = None,
    temperatures: Sequence[float] = TEMPERATURES,
    width: float | None = None,
    kernel: Kernel = "lorentzian",
    thickness: float | None = None,
    of_metal: Literal["refuse", "vibrations"] = "refuse",
) -> ThermalConductivity:
    """Thermal conductivity by vibrations that diffuse, with the whole kernel, not a part of it.

    Memory is that of the eigenvectors, of the springs times vectors along each direction, which are
    sparse in a large structure, and of a block of couplings: 4000 atoms fit where their modes do.

    Parameters
    ----------
    atoms : Atoms
        At rest. Where springs reach across half of the cell, images are told apart by repeating it.
    potential : Potential or ASE calculator
    modes : Modes, optional
        Computed if they are missing.
    temperatures : (n_temperatures,) K
    width : float, THz, optional
        Of the kernel; five times the mean distance between frequencies unless given. Show how κ
        depends on it: a finite cell has a plateau, or no answer.
    kernel : {"lorentzian", "gaussian"}
    thickness : float, Å, optional
        Of a sheet, which has no volume without one; 3.35 for carbon, as in graphite.
    of_metal : {"refuse", "vibrations"}
        In a metal electrons carry most of the heat, so κ of the vibrations is given only to those
        who ask for it by this name.

    Raises
    ------
    ValueError
        If the structure is not at rest or not stable, the kernel is narrower than the distance
        between frequencies, a sheet has no thickness, for a metal, or for a small cell and a bare
        calculator, whose reach is not known.

    Examples
    --------
    >>> import glassdata as gd
    >>> metal = gd.SYSTEMS["cualzr"]
    >>> try:
    ...     thermal_conductivity(metal.crystal(), metal.potential)
    ... except ValueError as error:
    ...     print(str(error).partition(":")[0])
    Al-Cu-Zr is a metal
    """
    _refuse_metal(atoms, of_metal)
    volume = _volume(atoms, thickness)
    found, vibrating = modes_at_rest(atoms, potential, modes)
    omega = found.frequencies[vibrating]
    width = checked_width(omega, width, kernel)
    couplings = _currents(atoms, potential)
    diffusivity = _diffusivities(found.eigenvectors, vibrating, omega, couplings, width, kernel)
    capacity = BOLTZMANN * mode_heat_capacity(omega, temperatures)
    kappa = capacity @ diffusivity / volume * WATT_PER_METRE_KELVIN
    # Å²/ps are 10⁻⁸ m²/s.
    return ThermalConductivity(
        np.atleast_1d(np.asarray(temperatures, float)), kappa, omega, 1e-2 * diffusivity, width
    )


def checked_width(omega: np.ndarray, width: float | None, kernel: str) -> float:
    """Width of the kernel, THz: the one that was asked for, or the default.

    Parameters
    ----------
    omega : (n_modes,) THz
    width : float, THz, or None
    kernel : str

    Raises
    ------
    ValueError
        For an unknown kernel, or one that is narrower than the mean distance between frequencies.

    Examples
    --------
    >>> checked_width(np.linspace(1.0, 10.0, 10), None, "gaussian")
    5.0
    """
    if kernel not in ("lorentzian", "gaussian"):
        raise ValueError(f"kernel must be 'lorentzian' or 'gaussian', got {kernel!r}")
    spacing = float(omega[-1]) / len(omega)
    if width is None:
        return _SPACINGS * spacing
    if not (np.isfinite(width) and width >= spacing):
        raise ValueError(
            f"a kernel of width {width:g} THz is not resolved by {len(omega)} modes, which are "
            f"{spacing:.3g} THz apart in the mean; take a wider kernel or a larger structure"
        )
    return float(width)


def _refuse_metal(atoms: Atoms, of_metal: str) -> None:
    if of_metal not in ("refuse", "vibrations"):
        raise ValueError(f"of_metal must be 'refuse' or 'vibrations', got {of_metal!r}")
    species = sorted(set(atoms.get_chemical_symbols()))
    if of_metal == "refuse" and not _NO_METALS & set(species):
        raise ValueError(
            f"{'-'.join(species)} is a metal: its electrons carry most of the heat; "
            "of_metal='vibrations' gives the part of the vibrations"
        )


def _volume(atoms: Atoms, thickness: float | None) -> float:
    extent = periodic_extent(atoms)
    if atoms.pbc.all():
        if thickness is not None:
            raise ValueError("a structure that is periodic in three directions has no thickness")
        return extent
    check_sheet(atoms)
    if thickness is None or not 0 < thickness < np.inf:
        raise ValueError(
            f"the conductivity of a sheet needs its thickness in Å, got {thickness}; "
            f"layers of graphite are {GRAPHITE_LAYER} Å apart"
        )
    return extent * thickness


def _currents(
    atoms: Atoms, potential: EnergySurface | Calculator
) -> list[sparse.csr_array | np.ndarray]:
    """R∘D along each periodic direction, summed over images, (dN, dN), Å rad²/ps²."""
    matrix, apart = springs_to_images(atoms, potential)
    directions = np.eye(3) if atoms.pbc.all() else np.eye(3)[:2]
    squared, image_of = (2 * np.pi * THZ) ** 2, matrix.indices % len(atoms)
    currents = [
        sparse.bsr_array(
            (squared * matrix.data * (apart @ along)[:, None, None], image_of, matrix.indptr),
            shape=2 * matrix.shape[:1],
        ).tocsr()
        for along in directions
    ]
    full = currents[0].nnz > _FULL * matrix.shape[0] ** 2
    return [one.toarray() for one in currents] if full else currents


def _diffusivities(
    e: np.ndarray,
    vibrating: np.ndarray,
    omega: np.ndarray,
    currents: list[sparse.csr_array | np.ndarray],
    width: float,
    kernel: str,
) -> np.ndarray:
    """Diffusivity of every mode, (n_modes,), Å²/ps; couplings are symmetric: half is computed."""
    n, angular, spread = len(omega), 2 * np.pi * omega, 2 * np.pi * width
    # Translations come first unless a mode is softer than rounding: then columns are copied.
    first = len(e) - n
    rest = e[:, first:] if vibrating[0] == first else e[:, vibrating]
    total = np.zeros(n)
    for begin in range(0, n, _BLOCK):
        stop = min(begin + _BLOCK, n)
        strength = np.zeros((stop, stop - begin))
        for current in currents:
            strength += (rest[:, :stop].T @ (current @ rest[:, begin:stop])) ** 2
        one, other = angular[:stop, None], angular[None, begin:stop]
        strength *= (one + other) ** 2 / (16 * len(currents) * one * other)
        strength *= _delta(one - other, spread, kernel)
        total[begin:stop] += strength.sum(axis=0)
        total[:begin] += strength[:begin].sum(axis=1)
    return np.pi / angular**2 * total


def _delta(x: np.ndarray, width: float, kernel: str) -> np.ndarray:
    """The kernel that stands for δ(x); its integral is 1."""
    if kernel == "lorentzian":
        return width / np.pi / (x**2 + width**2)
    return np.exp(-0.5 * (x / width) ** 2) / (width * np.sqrt(2 * np.pi))


VARIABLES = {
    "thermal_conductivity": Variable(
        ("structure", "temperature"),
        "f8",
        "W m-1 K-1",
        "thermal conductivity of diffusing vibrations (Allen and Feldman)",
        lambda s: s.of(thermal_conductivity, **s.sheet).conductivity,
    ),
    "mode_diffusivity": Variable(
        ("mode",),
        "f4",
        "mm2 s-1",
        "diffusivity of each mode",
        lambda s: s.of(thermal_conductivity, **s.sheet).diffusivities,
    ),
}
