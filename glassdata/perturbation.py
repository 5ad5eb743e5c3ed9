"""First-order response of g(r) and of the vibrations to small displacements of the atoms.

Displacements have the shape (N, d), Å, with d = ``potential.dim``. As an index of a matrix they run
over the coordinates of the first atom, then of the second, as in the Hessian.
Third-order force constants are differences of the analytic Hessian.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from ase import Atoms
from scipy import sparse

from glassdata.bins import bin_centres
from glassdata.broadening import broad_pdos, broad_pdos_slope, broad_rdf, broad_rdf_gradient
from glassdata.potentials import EnergySurface
from glassdata.system import System
from glassdata.units import THZ
from glassdata.vibrations import (
    frequencies,
    hessian,
    mass_weights,
    signed_root,
    without_translations,
)

_STEP = 1e-5  # Å: a bond of amorphous carbon may be within 1e-3 Å of a near-kink


@dataclass(frozen=True)
class Modes:
    """Harmonic modes of a structure.

    Attributes
    ----------
    squares : (n,) THz²
        Squared frequencies, ascending; negative where a mode is unstable.
    vectors : (n, n)
        Orthonormal eigenvectors of the mass-weighted Hessian, one per column.

    Examples
    --------
    >>> Modes(np.array([-4.0, 9.0]), np.eye(2)).frequencies.tolist()
    [-2.0, 3.0]
    """

    squares: np.ndarray
    vectors: np.ndarray

    @property
    def frequencies(self) -> np.ndarray:
        """Signed frequencies, (n,), THz."""
        return signed_root(self.squares)

    def levels(self, tolerance: float = 1e-6) -> list[slice]:
        """Runs of modes closer to their neighbours than ``tolerance`` times the largest square."""
        gaps = np.diff(self.squares) > tolerance * np.abs(self.squares).max()
        ends = [0, *(np.flatnonzero(gaps) + 1), len(self.squares)]
        return [slice(a, b) for a, b in pairwise(ends)]


@dataclass(frozen=True)
class Change:
    """What a displacement changes: ``hessian`` sparse (dN, dN), eV/Å²; ``squares`` (dN,), THz²;
    broadened ``g`` (n_r,) and ``pdos`` (n_omega,), 1/THz.
    """

    hessian: sparse.csr_array
    squares: np.ndarray
    g: np.ndarray
    pdos: np.ndarray


@dataclass(frozen=True)
class Reference:
    """A structure at rest, about which a system's curves are expanded.

    Attributes
    ----------
    atoms : Atoms
        At a minimum of the energy with no zero modes but the translations.
    system : System
        Gives potential and bins. g(r) is broadened by one of its distance bins and the PDOS by
        two of its frequency bins (standard deviations); both are taken at the bin centres.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> reference = Reference(argon.crystal(), argon)
    >>> round(float(reference.modes.frequencies.max()), 2)  # THz
    1.89
    >>> moved = reference.exact(np.full((4, 3), 0.1))  # all atoms together
    >>> bool(np.abs(moved.squares).max() < 1e-6)
    True
    """

    atoms: Atoms
    system: System

    @property
    def r(self) -> np.ndarray:
        """Distances, (n_r,), Å."""
        return bin_centres(self.system.r_edges)

    @property
    def omega(self) -> np.ndarray:
        """Frequencies, (n_omega,), THz."""
        return bin_centres(self.system.omega_edges)

    @cached_property
    def modes(self) -> Modes:
        """Modes of the reference."""
        return modes(self.atoms, self.system.potential)

    @cached_property
    def stiffness(self) -> sparse.csr_array:
        """Hessian of the reference, (dN, dN), eV/Å²."""
        return hessian(self.atoms, self.system.potential)

    @cached_property
    def spectra(self) -> tuple[np.ndarray, np.ndarray]:
        """Broadened g(r), (n_r,), and PDOS, (n_omega,), 1/THz, of the reference."""
        return self.curves(self.atoms)

    def curves(self, atoms: Atoms) -> tuple[np.ndarray, np.ndarray]:
        """Broadened g(r), (n_r,), and PDOS, (n_omega,), 1/THz, of any other structure."""
        return self._g(atoms), self._pdos(frequencies(atoms, self.system.potential))

    def curves_of(self, atoms: Atoms, modes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same of a structure whose frequencies are known, without the translations, THz."""
        return self._g(atoms), broad_pdos(modes, self.omega, self._widths[1])

    def exact(self, displacement: np.ndarray) -> Change:
        """Change by a displacement (N, d), Å, computed again."""
        moved = displaced(self.atoms, displacement)
        stiffness = hessian(moved, self.system.potential)
        squares = np.linalg.eigvalsh(weighted(stiffness, moved).toarray())
        g, pdos = self.spectra
        return Change(
            stiffness - self.stiffness,
            squares - self.modes.squares,
            self._g(moved) - g,
            self._pdos(signed_root(squares)) - pdos,
        )

    def first_order(self, displacement: np.ndarray) -> Change:
        """Change by a displacement (N, d), Å, to first order in it."""
        potential = self.system.potential
        slope = hessian_slope(self.atoms, potential, displacement)
        shifts = level_shifts(self.modes, weighted(slope, self.atoms))
        return Change(
            slope, shifts, self.g_gradient @ displacement.ravel(), self.pdos_slope @ shifts
        )

    @cached_property
    def g_gradient(self) -> np.ndarray:
        """A: derivatives of g(r) by the coordinates, (n_r, dN), 1/Å."""
        system = self.system
        return broad_rdf_gradient(
            self.atoms, self.r, self._widths[0], system.dim, system.potential.dim
        )

    @cached_property
    def pdos_slope(self) -> np.ndarray:
        """Derivatives of the PDOS by the squared frequencies, (n_omega, dN), 1/THz³."""
        vibrating = np.ones(len(self.modes.squares), bool)
        still = np.argsort(np.abs(self.modes.squares))[: self.system.potential.dim]
        vibrating[still] = False
        frequency = self.modes.frequencies[vibrating]
        slope = np.zeros((len(self.omega), len(vibrating)))
        # d omega = d lambda / (2 omega), and the line moves up with omega.
        slope[:, vibrating] = broad_pdos_slope(frequency, self.omega, self._widths[1])
        slope[:, vibrating] /= 2 * np.abs(frequency)
        return slope

    @cached_property
    def square_gradient(self) -> np.ndarray:
        """⟨n|Φ_k|n⟩, (dN, dN), THz²/Å: see the function ``square_gradient`` of this module."""
        return square_gradient(self.atoms, self.system.potential, self.modes)

    @property
    def pdos_gradient(self) -> np.ndarray:
        """B: derivatives of the PDOS by the coordinates, (n_omega, dN), 1/(THz Å)."""
        return self.pdos_slope @ self.square_gradient

    @property
    def _widths(self) -> tuple[float, float]:
        system = self.system
        return system.r_max / system.n_r, 2 * system.omega_max / system.n_omega

    def _g(self, atoms: Atoms) -> np.ndarray:
        return broad_rdf(atoms, self.r, self._widths[0], self.system.dim)

    def _pdos(self, signed: np.ndarray) -> np.ndarray:
        kept = without_translations(signed, self.system.potential.dim)
        return broad_pdos(kept, self.omega, self._widths[1])


def weighted(matrix: sparse.csr_array, atoms: Atoms) -> sparse.csr_array:
    """Mass-weighted Hessian, or a change of it, from a Hessian or its change.

    Parameters
    ----------
    matrix : sparse (dN, dN), eV/Å²
    atoms : Atoms
        They have the masses.

    Returns
    -------
    sparse (dN, dN), THz²; its eigenvalues are squared frequencies.

    Examples
    --------
    A mass of 1 u on a spring of 1 eV/Å² vibrates with 15.6 THz:

    >>> mass = Atoms("H", masses=[1.0])
    >>> squares = weighted(sparse.eye_array(3, format="csr"), mass).diagonal()
    >>> np.sqrt(squares).round(1).tolist()
    [15.6, 15.6, 15.6]
    """
    weight = np.repeat(mass_weights(atoms), matrix.shape[0] // len(atoms))
    half = sparse.diags_array(weight * THZ)
    return (half @ matrix @ half).tocsr()


def modes(atoms: Atoms, potential: EnergySurface) -> Modes:
    """Squared frequencies and eigenvectors of a structure, translations included.

    Parameters
    ----------
    atoms : Atoms
        Small: the mass-weighted Hessian is diagonalised.
    potential : Potential

    Examples
    --------
    Two atoms at rest have one vibration; the other five modes move or turn them as a whole:

    >>> from glassdata.potentials import LennardJones
    >>> argon = LennardJones(epsilon=0.0103, sigma=3.405, r_cut=8.5, truncation="cut")
    >>> pair = Atoms("Ar2", positions=[[0, 0, 0], [2 ** (1 / 6) * 3.405, 0, 0]])
    >>> int((np.abs(modes(pair, argon).squares) < 1e-6).sum())
    5
    """
    return Modes(*np.linalg.eigh(weighted(hessian(atoms, potential), atoms).toarray()))


def displaced(atoms: Atoms, displacement: np.ndarray) -> Atoms:
    """A copy of ``atoms`` with every atom moved along the first d axes.

    Parameters
    ----------
    atoms : Atoms
    displacement : (N, d), Å

    Examples
    --------
    >>> pair = Atoms("Ar2", positions=[[0, 0, 0], [4, 0, 0]])
    >>> displaced(pair, np.array([[0.0, 0.0], [0.5, 0.0]])).positions[1].tolist()
    [4.5, 0.0, 0.0]
    """
    moved = atoms.copy()
    moved.positions[:, : displacement.shape[1]] += displacement
    return moved


def hessian_slope(
    atoms: Atoms, potential: EnergySurface, displacement: np.ndarray, *, step: float = _STEP
) -> sparse.csr_array:
    """Third-order force constants contracted with a displacement, Σ_k Φ_ijk u_k.

    Parameters
    ----------
    atoms : Atoms
        N of them.
    potential : EnergySurface
    displacement : (N, d), Å
    step : float, Å
        The largest component of the displacements between which the Hessian is differenced.

    Returns
    -------
    sparse (dN, dN), eV/Å²: the first-order change of the Hessian.

    Examples
    --------
    The third derivative of the Lennard-Jones potential at its minimum r is -1512 ε/r³:

    >>> from glassdata.potentials import LennardJones
    >>> r, epsilon = 2 ** (1 / 6) * 3.405, 0.0103
    >>> argon = LennardJones(epsilon, sigma=3.405, r_cut=8.5, truncation="cut")
    >>> pair = Atoms("Ar2", positions=[[0, 0, 0], [r, 0, 0]])
    >>> slope = hessian_slope(pair, argon, np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]))
    >>> round(float(slope[0, 0] * r**3 / epsilon))
    -1512
    """
    largest = np.abs(displacement).max()
    if not largest > 0:
        raise ValueError("a displacement of zero has no direction")
    unit = displacement * (step / largest)
    ahead, behind = (hessian(displaced(atoms, sign * unit), potential) for sign in (1, -1))
    return (ahead - behind) * (largest / (2 * step))


def naive_shifts(reference: Modes, change: sparse.csr_array) -> np.ndarray:
    """Shifts ⟨n|ΔD|n⟩ of the squared frequencies in the given eigenvectors.

    Right only for levels that are not degenerate: see ``level_shifts``.

    Parameters
    ----------
    reference : Modes
    change : sparse (n, n), THz²
        First-order change of the mass-weighted Hessian, as ``weighted`` returns it.

    Returns
    -------
    (n,), THz²

    Examples
    --------
    >>> reference = Modes(np.array([1.0, 4.0]), np.eye(2))
    >>> naive_shifts(reference, sparse.csr_array([[0.1, 0.2], [0.2, 0.3]])).tolist()
    [0.1, 0.3]
    """
    return np.einsum("in,in->n", reference.vectors, change @ reference.vectors)


def level_shifts(
    reference: Modes, change: sparse.csr_array, *, tolerance: float = 1e-6
) -> np.ndarray:
    """First-order shifts of the squared frequencies, also of degenerate levels.

    The change is diagonalised within each level, and the shifts of a level are in ascending order.

    Parameters
    ----------
    reference : Modes
        Undisturbed modes, n of them.
    change : sparse (n, n), THz²
        First-order change of the mass-weighted Hessian, as ``weighted`` returns it.
    tolerance : float
        As for ``Modes.levels``.

    Examples
    --------
    A change that couples two degenerate modes splits them, which ``naive_shifts`` does not see:

    >>> reference = Modes(np.array([1.0, 1.0]), np.eye(2))
    >>> change = sparse.csr_array([[0, 1], [1, 0]])
    >>> level_shifts(reference, change).round(6).tolist(), naive_shifts(reference, change).tolist()
    ([-1.0, 1.0], [0.0, 0.0])
    """
    shifts = np.empty_like(reference.squares)
    moved = change @ reference.vectors
    for level in reference.levels(tolerance):
        block = reference.vectors[:, level].T @ moved[:, level]
        shifts[level] = np.linalg.eigvalsh((block + block.T) / 2)
    return shifts


def square_gradient(atoms: Atoms, potential: EnergySurface, reference: Modes) -> np.ndarray:
    """Derivatives ⟨n|Φ_k|n⟩ of all squared frequencies by all coordinates, (n, dN), THz²/Å.

    For a degenerate level only the sum over its modes is a derivative; sums over modes of a
    smooth function of frequency times these are right in any case.

    Parameters
    ----------
    atoms : Atoms
        N of them, at a minimum of the energy.
    potential : EnergySurface
    reference : Modes
        The n modes of these atoms.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> atoms, potential = argon.crystal(), argon.potential
    >>> gradient = square_gradient(atoms, potential, modes(atoms, potential))
    >>> moved_together = gradient.reshape(12, 4, 3).sum(axis=1)
    >>> bool(np.abs(moved_together).max() < 1e-3)
    True
    """
    n = len(reference.squares)
    gradient = np.empty((n, n))
    for k in range(n):
        unit = np.zeros(n)
        unit[k] = 1.0
        slope = hessian_slope(atoms, potential, unit.reshape(len(atoms), -1))
        gradient[:, k] = naive_shifts(reference, weighted(slope, atoms))
    return gradient


def best_line(structure: np.ndarray, spectrum: np.ndarray, *, rank: float = 1e-8) -> np.ndarray:
    """The line W with the least error for isotropic random displacements u: B u from A u.

    With independent displacements of equal variance the covariances are A Aᵀ and B Aᵀ, so
    W = B Aᵀ (A Aᵀ)⁺ follows from the two derivatives, without a sample.

    Parameters
    ----------
    structure : (n_r, dN)
        A, derivatives of g(r).
    spectrum : (n_omega, dN)
        B, derivatives of the spectrum.
    rank : float
        Singular values of A below this share of the largest are left out.

    Returns
    -------
    (n_omega, n_r)

    Examples
    --------
    >>> best_line(np.eye(2), spectrum=np.array([[2.0, 3.0]])).tolist()
    [[2.0, 3.0]]
    """
    return spectrum @ np.linalg.pinv(structure, rcond=rank)


def explained_share(structure: np.ndarray, spectrum: np.ndarray, line: np.ndarray) -> float:
    """Share of the variance of B u that W A u explains, for isotropic random displacements u.

    Parameters
    ----------
    structure : (n_r, dN)
        A, derivatives of g(r).
    spectrum : (n_omega, dN)
        B, derivatives of the spectrum.
    line : (n_omega, n_r)
        W, such as ``best_line`` returns.

    Returns
    -------
    float, 1 for a perfect line.

    Examples
    --------
    The line has the first of two weights right and lacks the second:

    >>> share = explained_share(np.eye(2), np.array([[3.0, 4.0]]), line=np.array([[3.0, 0.0]]))
    >>> round(share, 6)  # 9 / (9 + 16)
    0.36
    """
    rest = spectrum - line @ structure
    return float(1 - np.sum(rest**2) / np.sum(spectrum**2))
