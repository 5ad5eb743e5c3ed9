"""Elastic moduli at zero temperature, sound velocities and Debye's frequency.

Lutsko, J. Appl. Phys. 65, 2991 (1989), doi:10.1063/1.342716: when a glass is strained, its atoms do
not follow the strain but relax. With the affine (Born) moduli C^B and the forces Ξ per strain,

    C = C^B − Ξᵀ H⁻¹ Ξ / V.
"""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from scipy.sparse.linalg import cg

from glassdata.dynamical import operator
from glassdata.errors import StructureError
from glassdata.observables.rest import check_at_rest
from glassdata.potentials import EnergySurface, surface_of
from glassdata.radial import periodic_extent
from glassdata.sheet import check_sheet
from glassdata.units import KILOMETRE_PER_SECOND, THZ
from glassdata.variable import Variable
from glassdata.vibrations import Modes, mass_weights, stress

# Strain of the central differences: their error is its square, rounding is divided by it.
_STRAIN = 1e-5
# Relative accuracy of the relaxation, and products after which it has failed.
_TOLERANCE, _MOST_PRODUCTS = 1e-7, 20_000
# Share of a modulus that differences with this strain cannot tell from nothing.
_ROUNDING = 1e-12
_VOIGT = {3: ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)), 2: ((0, 0), (1, 1), (0, 1))}
# Directions per axis of the average over all directions.
_DIRECTIONS = 24


@dataclass(frozen=True)
class Elasticity:
    """Elastic moduli of a solid (d = 3, v = 6) or of a sheet in its plane (d = 2, v = 3).

    Moduli are derivatives of the stress by the strain, in the order xx, yy, zz, yz, xz, xy (of a
    sheet xx, yy, xy), with shear strains 2 ε_yz and so on. Unit: eV/Å^d; times
    ``glassdata.units.GIGAPASCAL`` GPa, for a sheet times ``NEWTON_PER_METRE`` N/m.

    Attributes
    ----------
    moduli, born : (v, v) eV/Å^d
        Of the relaxed atoms, and of atoms that would follow the strain.
    bulk, shear : float, eV/Å^d
        Averages of ``moduli`` over all directions (Voigt).
    longitudinal, transverse : float, km/s
        Sound velocities: root of the mean square over all directions and polarisations, under the
        stress that the structure has.
    debye_frequency : float, THz
        Frequency up to which sound waves alone would account for all modes.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> found = elastic_moduli(argon.crystal() * (3, 3, 3), argon.potential)
    >>> bool(found.longitudinal > found.transverse > 0)
    True
    """

    moduli: np.ndarray
    born: np.ndarray
    bulk: float
    shear: float
    longitudinal: float
    transverse: float
    debye_frequency: float


def elastic_moduli(
    atoms: Atoms, potential: EnergySurface | Calculator, *, modes: Modes | None = None
) -> Elasticity:
    """Elastic moduli of a structure at rest: affine response, and the relaxation of the atoms.

    The response to strain is taken by central differences of the analytic forces and stress, which
    serves every potential; the relaxation is solved for with the matrix-free operator.

    Parameters
    ----------
    atoms : Atoms
        At rest; periodic in three directions, or in the xy plane.
    potential : Potential or ASE calculator
    modes : Modes, optional
        Not needed; taken so that all observables can be called alike.

    Raises
    ------
    ValueError
        If the structure is not at rest or not stable, or is not periodic as above.

    Examples
    --------
    Silicon carbide is cubic: the moduli along x, y and z are the same.

    >>> import glassdata as gd
    >>> from glassdata.units import GIGAPASCAL
    >>> sic = gd.SYSTEMS["sic"]
    >>> found = elastic_moduli(sic.crystal(), sic.potential).moduli * GIGAPASCAL
    >>> bool(np.isclose(found[0, 0], found[2, 2])), bool(found[0, 0] > found[3, 3] > 0)
    (True, True)
    """
    check_at_rest(atoms, potential)
    d = int(atoms.pbc.sum())
    extent = periodic_extent(atoms)
    if d == 2:
        check_sheet(atoms)
    born, pulls = _affine(atoms, potential, d)
    affine = float(np.abs(born).max() * extent)
    moduli = born - _relaxation(atoms, potential, pulls, affine) / extent
    waves = _acoustic(_tensor(moduli, d), stress(atoms, potential)[:d, :d])
    squares, longitudinal, transverse = _christoffel(waves, atoms.get_masses().sum() / extent)
    if not (squares > 0).all():
        raise StructureError("the structure is elastically unstable: a sound wave would grow")
    bulk, shear = _voigt_averages(moduli, d)
    return Elasticity(
        moduli,
        born,
        bulk,
        shear,
        float(np.sqrt(longitudinal)) * KILOMETRE_PER_SECOND,
        float(np.sqrt(transverse)) * KILOMETRE_PER_SECOND,
        _debye(squares, len(atoms) / extent, d),
    )


def _affine(
    atoms: Atoms, potential: EnergySurface | Calculator, d: int
) -> tuple[np.ndarray, np.ndarray]:
    """Changes with strain of the stress, (v, v), and of the energy's gradient, (v, N, dim)."""
    surface, pairs = surface_of(potential), _VOIGT[d]
    born, pulls = [], []
    for a, b in pairs:
        sides = []
        for sign in (1, -1):
            strain = np.zeros((3, 3))
            strain[a, b] += sign * _STRAIN / 2
            strain[b, a] += sign * _STRAIN / 2
            turned = atoms.copy()
            turned.set_cell(atoms.cell.array @ (np.eye(3) + strain))
            turned.positions = atoms.positions @ (np.eye(3) + strain)
            gradient = surface.evaluate(turned)[1][:, : surface.dim]
            pressed = surface.virial(turned) / periodic_extent(turned)
            sides.append((np.array([pressed[pair] for pair in pairs]), gradient))
        born.append((sides[0][0] - sides[1][0]) / (2 * _STRAIN))
        pulls.append((sides[0][1] - sides[1][1]) / (2 * _STRAIN))
    return np.array(born).T, np.array(pulls)


def _relaxation(
    atoms: Atoms, potential: EnergySurface | Calculator, pulls: np.ndarray, affine: float
) -> np.ndarray:
    """Ξᵀ H⁻¹ Ξ, (v, v), eV: what the relaxation of the atoms takes from ``affine``, eV."""
    roots = mass_weights(atoms)
    # Translations have no stiffness; what rounding leaves of them would not come to rest.
    pulls = pulls - pulls.mean(axis=1, keepdims=True)
    weighted = (pulls * roots[:, None]).reshape(len(pulls), -1)
    matrix = operator(atoms, potential)
    probe = np.random.default_rng(0).standard_normal(matrix.shape[0])
    stiffness = probe @ (matrix @ probe) / (probe @ probe)
    moves = np.zeros_like(weighted)
    for n, pull in enumerate(weighted):
        # Where every atom is a centre of symmetry the pull is rounding, and so small.
        if pull @ pull < _ROUNDING * stiffness * affine:
            continue
        moves[n], failed = cg(matrix, pull, rtol=_TOLERANCE, maxiter=_MOST_PRODUCTS)
        if failed or pull @ moves[n] < 0:
            raise StructureError(
                "the atoms do not come to rest under strain: the structure is not at a minimum"
            )
    return weighted @ moves.T


def _tensor(moduli: np.ndarray, d: int) -> np.ndarray:
    """The moduli as a tensor (d, d, d, d)."""
    tensor = np.empty((d, d, d, d))
    for m, (a, b) in enumerate(_VOIGT[d]):
        for n, (c, e) in enumerate(_VOIGT[d]):
            for row in ((a, b), (b, a)):
                tensor[(*row, c, e)] = tensor[(*row, e, c)] = moduli[m, n]
    return tensor


def _acoustic(tensor: np.ndarray, pressed: np.ndarray) -> np.ndarray:
    """Coefficients of the wave equation under stress, from derivatives of the stress.

    Wallace, Thermodynamics of Crystals (1972): second derivatives of the energy by Lagrange's
    strain first, then with the stress that turns with a wave.
    """
    one, half = np.eye(len(pressed)), 0.5 * pressed
    energy = tensor - (
        np.einsum("ik,jl->ijkl", one, half)
        + np.einsum("jk,il->ijkl", one, half)
        + np.einsum("il,jk->ijkl", one, half)
        + np.einsum("jl,ik->ijkl", one, half)
        - np.einsum("kl,ij->ijkl", one, pressed)
    )
    return energy + np.einsum("ik,jl->ijkl", one, pressed)


def _directions(d: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (n, d) and weights (n,) of an average over all directions."""
    angle = 2 * np.pi * (np.arange(2 * _DIRECTIONS) + 0.5) / (2 * _DIRECTIONS)
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    if d == 2:
        return around, np.full(len(around), 1 / len(around))
    z, weight = np.polynomial.legendre.leggauss(_DIRECTIONS)
    flat = np.sqrt(1 - z**2)[:, None, None] * around
    unit = np.concatenate([flat, np.broadcast_to(z[:, None, None], (*flat.shape[:2], 1))], axis=2)
    return unit.reshape(-1, 3), np.repeat(weight / 2 / len(around), len(around))


def _christoffel(waves: np.ndarray, density: float) -> tuple[np.ndarray, float, float]:
    """Squared velocities, eV/u, of all directions, (n, d); mean longitudinal and transverse ones.

    ``density`` is in u/Å^d.
    """
    unit, weight = _directions(len(waves))
    matrices = np.einsum("ijkl,nj,nl->nik", waves, unit, unit) / density
    matrices = 0.5 * (matrices + matrices.transpose(0, 2, 1))
    along = np.einsum("nik,ni,nk->n", matrices, unit, unit)
    across = (np.trace(matrices, axis1=1, axis2=2) - along) / (len(waves) - 1)
    return np.linalg.eigvalsh(matrices), float(weight @ along), float(weight @ across)


def _debye(squares: np.ndarray, number_density: float, d: int) -> float:
    """Debye's frequency, THz, from squared velocities (eV/u) in all directions."""
    _, weight = _directions(d)
    slowness = weight @ (squares ** (-d / 2)).mean(axis=1)
    return float(_debye_wave_vector(number_density, d) * slowness ** (-1 / d) * THZ)


def debye_frequency(
    longitudinal: np.ndarray, transverse: np.ndarray, density: np.ndarray, *, d: int
) -> np.ndarray:
    """Debye's frequency of solids whose sound is the same in all directions.

    ``elastic_moduli`` has the one that averages over directions; a small cell of a glass is not
    quite isotropic.

    Parameters
    ----------
    longitudinal, transverse : float or (n,), km/s
        Sound velocities.
    density : float or (n,), 1/Å^d
        Number of atoms per volume.
    d : int
        2 or 3 dimensions.

    Returns
    -------
    float or (n,), THz

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> crystal = argon.crystal()
    >>> found = elastic_moduli(crystal, argon.potential)
    >>> velocities = found.longitudinal, found.transverse
    >>> same = debye_frequency(*velocities, len(crystal) / crystal.get_volume(), d=3)
    >>> bool(abs(same / found.debye_frequency - 1) < 0.1)
    True
    """
    velocities = np.stack([longitudinal, *[transverse] * (d - 1)]) / KILOMETRE_PER_SECOND
    slowness = (velocities**-d).mean(axis=0)
    return _debye_wave_vector(density, d) * slowness ** (-1 / d) * THZ


def _debye_wave_vector(density, d: int):
    """Wave vector, 1/Å, up to which there are as many waves of a polarisation as atoms."""
    return (6 * np.pi**2 * density) ** (1 / 3) if d == 3 else np.sqrt(4 * np.pi * density)


def _voigt_averages(moduli: np.ndarray, d: int) -> tuple[float, float]:
    """Bulk and shear modulus, averaged over all directions."""
    tensor = _tensor(moduli, d)
    both, same = np.einsum("iikk", tensor), np.einsum("ikik", tensor)
    return float(both / d**2), float((same - both / d) / ((d - 1) * (d + 2)))


VARIABLES = {
    "elastic_moduli": Variable(
        ("structure", "voigt", "voigt_strain"),
        "f8",
        "eV angstrom-d",
        "derivative of the stress by the strain, atoms relaxed",
        lambda s: s.of(elastic_moduli).moduli,
    ),
    "bulk_modulus": Variable(
        ("structure",),
        "f8",
        "eV angstrom-d",
        "bulk modulus, atoms relaxed",
        lambda s: s.of(elastic_moduli).bulk,
    ),
    "shear_modulus": Variable(
        ("structure",),
        "f8",
        "eV angstrom-d",
        "shear modulus, atoms relaxed, mean over directions",
        lambda s: s.of(elastic_moduli).shear,
    ),
    "longitudinal_velocity": Variable(
        ("structure",),
        "f8",
        "km s-1",
        "longitudinal sound velocity",
        lambda s: s.of(elastic_moduli).longitudinal,
    ),
    "transverse_velocity": Variable(
        ("structure",),
        "f8",
        "km s-1",
        "transverse sound velocity",
        lambda s: s.of(elastic_moduli).transverse,
    ),
    "debye_frequency": Variable(
        ("structure",),
        "f8",
        "THz",
        "Debye's frequency of the sound waves",
        lambda s: s.of(elastic_moduli).debye_frequency,
    ),
}
