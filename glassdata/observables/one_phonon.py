"""Scattering of neutrons and X-rays by one phonon, and the waves that a glass carries.

The intensity of a mode n at wave vector q is

    |Σ_i b_i exp(−W_i) (p·e_in)/√m_i exp(iq·r_i)|²,

with p = q, times ħ(n + 1)/(2ω) for energy given to the sample: Squires, Introduction to the Theory
of Thermal Neutron Scattering (1978). Exact with modes; without them, by kernel polynomials that
start from the plane wave, in time and memory that grow as the number of atoms.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from glassdata.bins import bin_centres, checked_edges
from glassdata.dynamical import operator
from glassdata.kpm import chebyshev_moments, kernel_histogram, upper_bound
from glassdata.observables.heat import quanta
from glassdata.observables.probes import form_factor, scattering_lengths
from glassdata.observables.rest import check_at_rest, modes_at_rest
from glassdata.potentials import EnergySurface, surface_of
from glassdata.units import BARN, PLANCK, THZ
from glassdata.variable import Variable
from glassdata.vibrations import Modes

Probe = Literal["longitudinal", "transverse", "neutron", "neutron-incoherent", "x-ray"]
PROBES = ("longitudinal", "transverse", "neutron", "neutron-incoherent", "x-ray")

# How far q may be from a wave that fits the cell, in units of its shortest ones.
_COMMENSURATE = 1e-6
# Vectors whose recursion runs together.
_TOGETHER = 16


@dataclass(frozen=True)
class Scattering:
    """Intensity by wave vector and frequency.

    Attributes
    ----------
    q : (n_q, 3) 1/Å
    intensity : (n_q, n_omega)
        Of ``"longitudinal"`` and ``"transverse"`` waves the share of each frequency in the wave,
        1/THz, with integral ``strength``: 1 less the share that moves all atoms alike, which is
        S(q)/N for equal masses. Of ``"neutron"`` and ``"neutron-incoherent"``
        the cross-section per atom and solid angle (k'/k left out), barn/THz; of ``"x-ray"`` the
        same in units of the squared electrons' length, 1/THz.
    strength : (n_q,)
        Integral over all frequencies of the intensity without its factor ħ(n + 1)/(2ω): the
        intensity obeys Σ ω S (1 − exp(−hν/k_B T)) = this, if all frequencies are counted.
    resolution : float, THz
        Standard deviation of the kernel at low frequencies; 0 where modes are exact.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> crystal = argon.crystal() * (3, 3, 3)
    >>> q = commensurate(crystal, 0.5)
    >>> found = scattering(crystal, argon.potential, q, edges=np.linspace(0, 3, 31))
    >>> (found.intensity.sum(axis=1) * 0.1).round(6).tolist() == [1.0] * len(q)
    True
    """

    q: np.ndarray
    intensity: np.ndarray
    strength: np.ndarray
    resolution: float


def scattering(
    atoms: Atoms,
    potential: EnergySurface | Calculator,
    q: np.ndarray,
    edges: np.ndarray,
    *,
    probe: Probe = "longitudinal",
    modes: Modes | None = None,
    temperature: float = 300.0,
    mean_square: np.ndarray | None = None,
    n_moments: int = 400,
) -> Scattering:
    """One-phonon scattering S(q, ω), energy given to the sample.

    Parameters
    ----------
    atoms : Atoms
        N atoms at rest.
    potential : Potential or ASE calculator
    q : (n_q, 3) 1/Å
        Wave vectors that fit the cell, as ``commensurate`` gives them; not zero.
    edges : (n_omega + 1,) THz, from 0 or more
    probe : {"longitudinal", "transverse", "neutron", "neutron-incoherent", "x-ray"}
        What is scattered; the first two weigh all atoms alike and leave out thermal factors.
    modes : Modes, optional
        With them the result is exact; without them by kernel polynomials, for large glasses.
    temperature : float, K
    mean_square : (N,) or (N, 3, 3) Å², optional
        Mean square displacement of each atom along one direction, or along and between all, for
        the Debye-Waller factor exp(−q²u²) of the intensity, as ``mean_square_displacement`` gives
        them. Left out if missing.
    n_moments : int
        Number of polynomials; the resolution is ω_max π / (2 n_moments).

    Raises
    ------
    ValueError
        For a wave vector that is zero or does not fit the cell, an unknown probe or element, a
        structure that is not at rest, or incoherent scattering without modes.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> crystal, edges = argon.crystal() * (3, 3, 3), np.linspace(0, 3, 31)
    >>> q = commensurate(crystal, 0.5)[:1]
    >>> smooth = scattering(crystal, argon.potential, q, edges)
    >>> modes = gd.modes(crystal, argon.potential)
    >>> exact = scattering(crystal, argon.potential, q, edges, modes=modes)
    >>> bool(smooth.intensity.argmax() == exact.intensity.argmax())
    True
    """
    edges = checked_edges(edges, "frequency edges")
    q = check_commensurate(atoms, q)
    if probe not in PROBES:
        raise ValueError(f"unknown probe {probe!r}; there are {', '.join(PROBES)}")
    if not temperature > 0:
        raise ValueError(f"the temperature must be positive, got {temperature}")
    n = len(atoms)
    if mean_square is not None and np.shape(mean_square) not in ((n,), (n, 3, 3)):
        raise ValueError(f"mean_square must hold {n} numbers or 3 × 3 tensors, one for each atom")
    dim = surface_of(potential).dim
    if modes is not None:
        found, vibrating = modes_at_rest(atoms, potential, modes)
        omega, e = found.frequencies[vibrating], found.eigenvectors[:, vibrating]
        rows = [_exact(atoms, wave, dim, probe, e, mean_square) for wave in q]
        weights = np.array(rows).reshape(len(q), len(omega))
        factor = _factor(omega, probe, temperature)
        counts = [np.histogram(omega, edges, weights=row * factor)[0] for row in weights]
        return Scattering(q, np.array(counts) / np.diff(edges), weights.sum(axis=1), 0.0)
    check_at_rest(atoms, potential)
    if probe == "neutron-incoherent":
        raise ValueError("incoherent scattering needs the modes: pass modes=gd.modes(...)")
    vectors = [_amplitudes(atoms, wave, dim, probe, mean_square) for wave in q]
    density, strength, resolution = _smooth(atoms, potential, vectors, edges, n_moments)
    factor = _factor(bin_centres(edges), probe, temperature)
    return Scattering(q, density * factor, strength, resolution)


def commensurate(atoms: Atoms, longest: float) -> np.ndarray:
    """Wave vectors that fit the cell, one of each pair ±q, (n_q, 3), 1/Å, by length.

    Parameters
    ----------
    atoms : Atoms
        With the cell; only its periodic directions have waves.
    longest : float, 1/Å

    Examples
    --------
    >>> from ase.build import bulk
    >>> commensurate(bulk("Cu", a=2 * np.pi, cubic=True), 1.0).round(6).tolist()
    [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    """
    steps = 2 * np.pi * atoms.cell.complete().reciprocal()
    lengths = np.linalg.norm(atoms.cell.complete().array, axis=1)
    most = np.where(atoms.pbc, np.floor(longest * lengths / (2 * np.pi) + 1e-9), 0).astype(int)
    counts = [np.arange(-n, n + 1) for n in most]
    waves = np.stack(np.meshgrid(*counts, indexing="ij"), axis=-1).reshape(-1, 3)
    # The first number that is not zero is positive: the other half is the same by symmetry.
    leading = waves[np.arange(len(waves)), (waves != 0).argmax(axis=1)]
    q = waves[leading > 0] @ steps
    length = np.linalg.norm(q, axis=1)
    q, length = q[length <= longest * (1 + 1e-9)], length[length <= longest * (1 + 1e-9)]
    return q[np.lexsort((*q.T[::-1].round(9), length.round(9)))]


def check_commensurate(atoms: Atoms, q: np.ndarray) -> np.ndarray:
    """Wave vectors (n_q, 3), 1/Å, after a check that they fit the cell.

    Raises
    ------
    ValueError
        Naming one that does not, and the nearest that does; or one that is zero.

    Examples
    --------
    >>> from ase.build import bulk
    >>> check_commensurate(bulk("Cu", a=2 * np.pi, cubic=True), [[1.0, 0.0, 0.0]])
    array([[1., 0., 0.]])
    """
    q = np.atleast_2d(np.asarray(q, dtype=float))
    if q.ndim != 2 or q.shape[1] != 3 or not np.isfinite(q).all() or not len(q):
        raise ValueError(f"wave vectors must be finite numbers of shape (n, 3), got {q.shape}")
    cell, steps = atoms.cell.complete().array, 2 * np.pi * atoms.cell.complete().reciprocal()
    waves = q @ cell.T / (2 * np.pi)
    whole = np.where(atoms.pbc, np.round(waves), waves)
    for wave, number, wanted in zip(q, whole, waves, strict=True):
        if not wave.any():
            raise ValueError("a wave vector is zero: nothing is scattered there by one phonon")
        if np.abs(number - wanted).max() > _COMMENSURATE:
            near = ", ".join(f"{x:.6g}" for x in number @ steps)
            raise ValueError(
                f"q = ({', '.join(f'{x:.6g}' for x in wave)}) 1/Å does not fit the cell; the "
                f"nearest that does is ({near})"
            )
    return q


def mean_square_displacement(
    atoms: Atoms,
    potential: EnergySurface | Calculator,
    *,
    modes: Modes | None = None,
    temperature: float = 300.0,
    tensors: bool = False,
) -> np.ndarray:
    """Mean square displacement of each atom along one direction, (N,), Å², quantum harmonic.

    Parameters
    ----------
    atoms : Atoms
        At rest.
    potential : Potential or ASE calculator
    modes : Modes, optional
    temperature : float, K
    tensors : bool
        Give ⟨u_a u_b⟩ of each atom instead of the mean over directions, (N, 3, 3): in a glass the
        directions differ.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> moves = mean_square_displacement(argon.crystal(), argon.potential, temperature=20.0)
    >>> bool(0.01 < np.sqrt(moves[0]) / 3.7 < 0.1)  # a few per cent of the distance of neighbours
    True
    """
    found, vibrating = modes_at_rest(atoms, potential, modes)
    omega, e = found.frequencies[vibrating], found.eigenvectors[:, vibrating]
    dim = surface_of(potential).dim
    moves = e.reshape(len(atoms), dim, -1)
    spread = _zero_point(omega) / np.tanh(quanta(omega, [temperature])[0] / 2)
    if not tensors:
        return (moves**2).sum(axis=1) / dim @ spread / atoms.get_masses()
    squares = np.zeros((len(atoms), 3, 3))
    squares[:, :dim, :dim] = np.einsum("ian,ibn->iab", moves * spread, moves, optimize=True)
    return squares / atoms.get_masses()[:, None, None]


def _zero_point(omega: np.ndarray) -> np.ndarray:
    """ħ/(2ω) of modes, u Å²."""
    return PLANCK * omega / (2 * (omega / THZ) ** 2)


def _factor(omega: np.ndarray, probe: str, temperature: float) -> np.ndarray:
    """What a probe's intensity has beside the structure: ħ(n + 1)/(2ω) in u Å², or 1."""
    if probe in ("longitudinal", "transverse"):
        return np.ones_like(omega)
    return _zero_point(omega) / -np.expm1(-quanta(omega, [temperature])[0])


def _lengths(atoms: Atoms, q: np.ndarray, probe: str, mean_square: np.ndarray | None) -> np.ndarray:
    """How strongly each atom scatters per root of its mass, (N,), Debye-Waller factor included."""
    symbols, length = atoms.get_chemical_symbols(), float(np.linalg.norm(q))
    if probe in ("longitudinal", "transverse"):
        return np.full(len(atoms), len(atoms) ** -0.5)
    if probe == "x-ray":
        factors = {symbol: form_factor(symbol, length) for symbol in set(symbols)}
        own = np.array([factors[symbol] for symbol in symbols])
    elif probe == "neutron":
        own = scattering_lengths(symbols)[0] * BARN**0.5
    else:
        own = np.sqrt(scattering_lengths(symbols)[1] / (4 * np.pi))
    if mean_square is not None:
        moved = np.asarray(mean_square)
        along = length**2 * moved if moved.ndim == 1 else np.einsum("a,iab,b->i", q, moved, q)
        own = own * np.exp(-0.5 * along)
    return own / np.sqrt(atoms.get_masses() * len(atoms))


def _amplitudes(
    atoms: Atoms, q: np.ndarray, dim: int, probe: str, mean_square: np.ndarray | None
) -> np.ndarray:
    """Vectors whose squared overlaps with a mode add up to its intensity, (dN, n)."""
    lengths = _lengths(atoms, q, probe, mean_square)
    phase = atoms.positions @ q
    waves = lengths[:, None] * np.stack([np.cos(phase), np.sin(phase)], axis=1)
    directions = q[None] if probe in ("neutron", "x-ray") else _polarisations(q, probe, dim)
    vectors = np.einsum("ik,pa->iapk", waves, directions[:, :dim])
    vectors = vectors.reshape(len(atoms) * dim, -1)
    # A share of a translation, which has no frequency, is no phonon.
    roots = np.sqrt(atoms.get_masses())
    for axis in range(dim):
        shift = np.zeros((len(atoms), dim))
        shift[:, axis] = roots / np.linalg.norm(roots)
        vectors -= np.outer(shift.ravel(), shift.ravel() @ vectors)
    return vectors


def _polarisations(q: np.ndarray, probe: str, dim: int) -> np.ndarray:
    """Unit vector along q, or those across it divided by the root of their number, (n, 3)."""
    along = q / np.linalg.norm(q)
    if probe == "longitudinal":
        return along[None]
    if dim == 2:
        return np.array([[-along[1], along[0], 0.0]])
    across = np.linalg.svd(along[None])[2][1:]
    return across / np.sqrt(len(across))


def _exact(
    atoms: Atoms,
    q: np.ndarray,
    dim: int,
    probe: str,
    e: np.ndarray,
    mean_square: np.ndarray | None,
) -> np.ndarray:
    """Intensity of every mode without thermal factor, (n_modes,)."""
    if probe == "neutron-incoherent":
        moved = np.einsum("a,ian->in", q[:dim], e.reshape(len(atoms), dim, -1))
        return _lengths(atoms, q, probe, mean_square) ** 2 @ moved**2
    vectors = _amplitudes(atoms, q, dim, probe, mean_square)
    return ((e.T @ vectors) ** 2).sum(axis=1)


def _smooth(
    atoms: Atoms,
    potential: EnergySurface | Calculator,
    vectors: list[np.ndarray],
    edges: np.ndarray,
    n_moments: int,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Density of each wave in the bins, (n_q, n_omega), its integral (n_q,), the resolution."""
    matrix = operator(atoms, potential)
    top = upper_bound(matrix)
    omega_max = float(np.sqrt(top) * THZ)
    squares = [(some**2).sum(axis=0) for some in vectors]
    density = np.zeros((len(vectors), len(edges) - 1))
    jobs = [(n, k) for n, own in enumerate(squares) for k in np.flatnonzero(own > 0)]
    for begin in range(0, len(jobs), _TOGETHER):
        some = jobs[begin : begin + _TOGETHER]
        start = np.stack([vectors[n][:, k] / np.sqrt(squares[n][k]) for n, k in some], axis=1)
        moments = chebyshev_moments(matrix, start, n_moments, top=top)
        for (n, k), row in zip(some, kernel_histogram(moments, omega_max, edges), strict=True):
            density[n] += squares[n][k] * row
    return density, np.array([own.sum() for own in squares]), omega_max * np.pi / (2 * n_moments)


VARIABLES = {
    "longitudinal_spectrum": Variable(
        ("wave", "omega"),
        "f4",
        "THz-1",
        "share of each frequency in a longitudinal wave, integral 1 - S(q)/N",
        lambda s: s.waves("longitudinal").intensity,
    ),
    "transverse_spectrum": Variable(
        ("wave", "omega"),
        "f4",
        "THz-1",
        "share of each frequency in a transverse wave, integral 1 - S(q)/N",
        lambda s: s.waves("transverse").intensity,
    ),
    "wave_vector": Variable(
        ("wave", "xyz"),
        "f8",
        "angstrom-1",
        "wave vectors that fit the cell",
        lambda s: s.waves("longitudinal").q,
    ),
}
