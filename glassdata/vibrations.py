"""Energy, forces, stress, Hessian, vibrational frequencies and density of states of a structure.

A ``potential`` may be one of ``glassdata.potentials``, or any calculator of ASE, whose Hessian is
then made of central differences.
"""

from typing import NamedTuple

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from scipy import sparse

from glassdata.bins import checked_edges
from glassdata.eigen import check_memory, eigenpairs, eigenvalues
from glassdata.kernels import compiled
from glassdata.potentials import EnergySurface, surface_of
from glassdata.radial import periodic_extent
from glassdata.sheet import check_flat
from glassdata.units import THZ


def energy_forces(atoms: Atoms, potential: EnergySurface | Calculator) -> tuple[float, np.ndarray]:
    """Potential energy (eV) and forces on the atoms, (N, 3), eV/Å.

    Parameters
    ----------
    atoms : Atoms
        Constraints of the structure are ignored.
    potential : Potential or ASE calculator

    Raises
    ------
    ValueError
        If the potential lacks a species, a position is not finite, or two atoms coincide.

    Examples
    --------
    >>> from glassdata.systems import SYSTEMS
    >>> energy, forces = energy_forces(SYSTEMS["lj3d"].crystal(), SYSTEMS["lj3d"].potential)
    >>> forces.shape
    (4, 3)
    """
    energy, gradient = surface_of(potential).evaluate(atoms)
    return energy, -gradient


def stress(atoms: Atoms, potential: EnergySurface | Calculator) -> np.ndarray:
    """Stress: derivative of the energy with respect to strain, per volume or area.

    The sign is that of ASE: positive along the diagonal where the structure is under tension,
    that is, where it would shrink if its cell were free.

    Parameters
    ----------
    atoms : Atoms
        Periodic in three directions, or in two: a sheet, whose stress is a force per length.
    potential : Potential or ASE calculator
        For a calculator without stress, differences of its energy under strains of 1e-6 are taken.

    Returns
    -------
    (3, 3), symmetric to rounding. In eV/Å³ for three periodic directions (times
    ``glassdata.units.GIGAPASCAL``: GPa); in eV/Å² of the periodic plane for two (times
    ``glassdata.units.NEWTON_PER_METRE``: N/m).

    Raises
    ------
    ValueError
        If fewer than two directions are periodic, or as for ``hessian``.

    Examples
    --------
    >>> import glassdata as gd
    >>> system = gd.SYSTEMS["lj3d"]
    >>> stretched = system.crystal()
    >>> stretched.set_cell(1.01 * stretched.cell, scale_atoms=True)
    >>> bool(gd.stress(stretched, system.potential)[0, 0] > 0)
    True
    """
    return surface_of(potential).virial(atoms) / periodic_extent(atoms)


def hessian(atoms: Atoms, potential: EnergySurface | Calculator) -> sparse.csr_array:
    """Second derivatives of the energy with respect to the atomic positions.

    Parameters
    ----------
    atoms : Atoms
    potential : Potential or ASE calculator
        A potential of ``glassdata.potentials`` is differentiated analytically; for any other ASE
        calculator central differences of the forces are taken (steps of 1e-4 Å), and the matrix is
        dense at first. Constraints of the structure are ignored.

    Returns
    -------
    sparse (dN, dN), eV/Å²; d is ``potential.dim``, and 3 for bare calculators. Rows run over the
    coordinates of the first atom, then of the second, and so on. Symmetric to rounding.

    Raises
    ------
    ValueError
        If the potential lacks a species, a position is not finite, two atoms coincide, or the
        potential is two-dimensional and the atoms do not lie in the xy plane.
    MemoryError
        Before any work, if the dense matrix of a calculator is larger than this machine's memory.

    Examples
    --------
    >>> import glassdata as gd
    >>> system = gd.SYSTEMS["lj3d"]
    >>> gd.hessian(system.crystal(), system.potential).shape
    (12, 12)
    """
    return _rows(hessian_blocks(atoms, potential))


def dynamical_matrix(atoms: Atoms, potential: EnergySurface | Calculator) -> sparse.bsr_array:
    """Hessian divided by the square roots of both masses, in blocks of d × d.

    Parameters
    ----------
    atoms, potential
        As for ``hessian``.

    Returns
    -------
    sparse (dN, dN), eV/(Å² u); its eigenvalues are squared angular frequencies.

    Raises
    ------
    ValueError
        As for ``hessian``, and for atoms without mass.

    Examples
    --------
    >>> from glassdata.systems import SYSTEMS
    >>> atoms, potential = SYSTEMS["lj3d"].crystal(), SYSTEMS["lj3d"].potential
    >>> ratio = hessian(atoms, potential).diagonal() / dynamical_matrix(atoms, potential).diagonal()
    >>> ratio.round(2).tolist()[0]  # mass of argon, u
    39.95
    """
    weight = mass_weights(atoms)
    matrix = hessian_blocks(atoms, potential)
    # In place: for a large glass it is the largest thing in memory.
    matrix.data *= (np.repeat(weight, np.diff(matrix.indptr)) * weight[matrix.indices])[
        :, None, None
    ]
    return matrix


def mass_weights(atoms: Atoms) -> np.ndarray:
    """One over the square root of each atom's mass, (N,), u^(-1/2).

    A Hessian times the weights of both its atoms is the mass-weighted Hessian.

    Raises
    ------
    ValueError
        If an atom has no mass.

    Examples
    --------
    >>> mass_weights(Atoms("H2", masses=[4.0, 16.0])).tolist()
    [0.5, 0.25]
    """
    masses = atoms.get_masses()
    if not (masses > 0).all():
        raise ValueError("an atom without mass does not vibrate")
    return 1 / np.sqrt(masses)


def signed_root(squares: np.ndarray) -> np.ndarray:
    """Frequencies from their squares, any shape and unit; imaginary ones as negative numbers.

    Examples
    --------
    >>> signed_root(np.array([-4.0, 0.0, 9.0])).tolist()
    [-2.0, 0.0, 3.0]
    """
    return np.sign(squares) * np.sqrt(np.abs(squares))


def hessian_blocks(atoms: Atoms, potential: EnergySurface | Calculator) -> sparse.bsr_array:
    """The Hessian, sparse (dN, dN), eV/Å², with a block of d × d for each pair of atoms.

    Examples
    --------
    >>> from glassdata.systems import SYSTEMS
    >>> hessian_blocks(SYSTEMS["lj2d"].crystal(), SYSTEMS["lj2d"].potential).blocksize
    (2, 2)
    """
    energies = surface_of(potential)
    if energies.dim == 2:
        check_flat(atoms)
    full = energies.force_constants(atoms)
    if energies.dim == 3:
        return full
    in_plane = np.ascontiguousarray(full.data[:, :2, :2])
    return sparse.bsr_array(
        (in_plane, full.indices, full.indptr), shape=(2 * len(atoms), 2 * len(atoms))
    )


def _rows(matrix: sparse.bsr_array) -> sparse.csr_array:
    """The same matrix by rows, in the memory of its blocks: SciPy's conversion takes twice as much.

    ``matrix`` cannot be used any more.
    """
    starts, blocks = matrix.indptr.astype(np.int64), matrix.data
    d = blocks.shape[1]
    width = d * np.diff(starts)
    ends = np.concatenate(([0], np.cumsum(np.repeat(width, d))))
    kind = np.int32 if ends[-1] < np.iinfo(np.int32).max else np.int64
    columns = np.empty(blocks.size, dtype=kind)
    _by_rows(starts, matrix.indices, blocks, columns, np.empty(d * width.max(initial=0)))
    return sparse.csr_array((blocks.ravel(), columns, ends.astype(kind)), shape=matrix.shape)


@compiled
def _by_rows(starts, block_columns, blocks, columns, kept):
    """Reorder the entries of each row of blocks, and name their columns."""
    d, flat, here = np.uint64(blocks.shape[1]), blocks.reshape(-1), np.uint64(0)
    for i in range(len(starts) - 1):
        first, n = np.uint64(starts[i]), np.uint64(starts[i + 1] - starts[i])
        for k in range(d * d * n):
            kept[k] = flat[here + k]
        for a in range(d):
            for p in range(n):
                column = d * np.uint64(block_columns[first + p])
                for b in range(d):
                    flat[here] = kept[d * (d * p + a) + b]
                    columns[here] = column + b
                    here += np.uint64(1)


def frequencies(
    atoms: Atoms, potential: EnergySurface | Calculator, *, solver: str = "scipy"
) -> np.ndarray:
    """Frequencies of all harmonic modes, zero modes included.

    Parameters
    ----------
    atoms : Atoms
    potential : Potential or ASE calculator
        As for ``hessian``.
    solver : str
        One of ``glassdata.eigen.SOLVERS``; all give the same to 1e-9 of the largest eigenvalue.

    Returns
    -------
    (dN,) THz, ascending; an imaginary frequency (negative eigenvalue of the mass-weighted
    Hessian) is given as a negative number. At a minimum, d of them vanish: the translations.

    Raises
    ------
    ValueError
        As for ``hessian``, for an unknown solver, or one that cannot run here.
    MemoryError
        Before any work, if the dense matrix is larger than this machine's memory.

    Examples
    --------
    >>> import glassdata as gd
    >>> system = gd.SYSTEMS["lj3d"]
    >>> round(float(gd.frequencies(system.crystal(), system.potential).max()), 2)  # THz
    1.89
    """
    check_memory(surface_of(potential).dim, len(atoms))
    squares = eigenvalues(_dense(dynamical_matrix(atoms, potential)), solver)
    return signed_root(squares) * THZ


class Modes(NamedTuple):
    """All harmonic modes of a structure.

    Attributes
    ----------
    frequencies : (dN,) THz
        Ascending; imaginary ones as negative numbers.
    eigenvectors : (dN, dN)
        Column n is the eigenvector of the dynamical matrix with frequency n, of length 1. Divided
        by the square roots of the masses it is the displacement of the atoms.

    Examples
    --------
    >>> Modes(np.array([1.0]), np.array([[1.0]])).frequencies
    array([1.])
    """

    frequencies: np.ndarray
    eigenvectors: np.ndarray


def modes(atoms: Atoms, potential: EnergySurface | Calculator) -> Modes:
    """Frequencies and eigenvectors of all harmonic modes, translations included.

    Parameters
    ----------
    atoms : Atoms
    potential : Potential or ASE calculator
        As for ``hessian``.

    Returns
    -------
    Modes: frequencies (dN,), THz, as ``frequencies`` gives them, and eigenvectors (dN, dN), one a
    column. Modes of equal frequency are one choice of many.

    Raises
    ------
    ValueError, MemoryError
        As for ``frequencies``; eigenvectors take twice its memory.

    Examples
    --------
    >>> import glassdata as gd
    >>> system = gd.SYSTEMS["lj3d"]
    >>> omega, e = gd.modes(system.crystal(), system.potential)
    >>> bool(np.allclose(e.T @ e, np.eye(12)))
    True
    """
    check_memory(surface_of(potential).dim, len(atoms), vectors=True)
    squares, vectors = eigenpairs(_dense(dynamical_matrix(atoms, potential)))
    return Modes(signed_root(squares) * THZ, vectors)


def _dense(matrix: sparse.bsr_array) -> np.ndarray:
    # SciPy's own conversion makes lists of single entries and takes five times as long.
    # LAPACK takes columns in a row, and would get a copy of anything else.
    dense = np.zeros(matrix.shape, order="F")
    _scatter(matrix.indptr, matrix.indices, matrix.data, dense)
    return dense


@compiled
def _scatter(starts, columns, blocks, dense):
    d = blocks.shape[1]
    for i in range(len(starts) - 1):
        for slot in range(starts[i], starts[i + 1]):
            for a in range(d):
                for b in range(d):
                    dense[d * i + a, d * columns[slot] + b] = blocks[slot, a, b]


def without_translations(frequencies: np.ndarray, dim: int) -> np.ndarray:
    """Frequencies without the translations, which are the smallest in magnitude.

    Parameters
    ----------
    frequencies : (dN,) THz, signed
    dim : int
        How many translations there are.

    Returns
    -------
    (dN - dim,) THz, ascending.

    Examples
    --------
    >>> without_translations(np.array([-2.0, 0.0, 1.0]), 1)
    array([-2.,  1.])
    """
    kept = np.argsort(np.abs(frequencies), kind="stable")[dim:]
    return np.sort(frequencies[kept])


def pdos(frequencies: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Phonon density of states: normalised histogram of frequencies.

    Parameters
    ----------
    frequencies : (n_modes,) THz, signed; without translational zeros
    edges : (n_omega + 1,) THz, increasing

    Returns
    -------
    (n_omega,) 1/THz, with integral 1 over the modes inside the range; NaN where there are none.

    Raises
    ------
    ValueError
        If the edges do not increase.

    Examples
    --------
    >>> pdos(np.array([0.5, 1.5, 1.7, 9.0]), np.array([0.0, 1.0, 3.0]))  # one of the four is beyond
    array([0.33333333, 0.33333333])
    """
    edges = checked_edges(edges, "frequency edges", from_zero=False)
    counts, _ = np.histogram(frequencies, edges)
    total = counts.sum()
    return counts / (total * np.diff(edges)) if total else np.full(len(counts), np.nan)
