"""Hessian, vibrational frequencies and phonon density of states of one structure."""

import os

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.calculators.fd import calculate_numerical_stress
from numba import njit
from scipy import sparse

from glassdata.eigen import eigenvalues, peak_bytes
from glassdata.potentials import Potential
from glassdata.radial import periodic_extent
from glassdata.units import THZ


def energy_forces(atoms: Atoms, potential: Potential | Calculator) -> tuple[float, np.ndarray]:
    """Potential energy (eV) and forces on the atoms, (N, 3), eV/Å."""
    if isinstance(potential, Potential):
        bonds = potential.bonds(atoms)
        energy, gradient = potential.energy_gradient(potential.types(atoms), bonds)
        return energy, -bonds.gather(gradient)[0]
    atoms = _free(atoms, potential)
    return atoms.get_potential_energy(), atoms.get_forces()


def stress(atoms: Atoms, potential: Potential | Calculator) -> np.ndarray:
    """Stress: derivative of the energy with respect to strain, per volume or area.

    The sign is that of ASE: positive along the diagonal where the structure is under tension,
    that is, where it would shrink if its cell were free.

    Parameters
    ----------
    atoms : Atoms
        Periodic in three directions, or in two: a sheet, whose stress is a force per length.
    potential : Potential or ASE calculator
        A calculator that gives no stress has its energy differenced under strains of 1e-6.

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
    return _virial(atoms, potential) / periodic_extent(atoms)


def _virial(atoms: Atoms, potential: Potential | Calculator) -> np.ndarray:
    """Derivative of the energy with respect to the strain of space, (3, 3), eV."""
    if isinstance(potential, Potential):
        bonds = potential.bonds(atoms)
        _, gradient = potential.energy_gradient(potential.types(atoms), bonds)
        return bonds.vector.T @ gradient
    atoms = _free(atoms, potential)
    # ASE divides by a volume, which a sheet need not have; any height serves, as it drops out.
    atoms.set_cell(atoms.cell.complete())
    try:
        per_volume = atoms.get_stress(voigt=False)
    except NotImplementedError:
        per_volume = calculate_numerical_stress(
            atoms, eps=1e-6, voigt=False, force_consistent=False
        )
    return per_volume * atoms.get_volume()


def _free(atoms: Atoms, calculator: Calculator) -> Atoms:
    """A copy with the calculator and without constraints, which would hide forces."""
    if not hasattr(calculator, "get_forces"):
        raise TypeError(f"{calculator!r} is neither a potential of glassdata nor an ASE calculator")
    atoms = atoms.copy()
    atoms.set_constraint()
    atoms.calc = calculator
    return atoms


def hessian(atoms: Atoms, potential: Potential | Calculator) -> sparse.csr_array:
    """Second derivatives of the energy with respect to the atomic positions.

    Parameters
    ----------
    atoms : Atoms
    potential : Potential or ASE calculator
        A potential of ``glassdata.potentials`` is differentiated analytically; for any other ASE
        calculator central differences of the forces are taken (steps of 1e-4 Å), and the matrix is
        dense on the way. Constraints of the structure are not heeded.

    Returns
    -------
    sparse (dN, dN), eV/Å²; d is ``potential.dim``, 3 for calculators. Rows run over the
    coordinates of the first atom, then of the second, and so on. Symmetric to rounding.

    Raises
    ------
    ValueError
        If the potential lacks a species, a position is not finite, or two atoms coincide.
    MemoryError
        Before any work, if the dense matrix of a calculator is larger than this machine's memory.
    """
    return _rows(_blocks(atoms, potential))


def dynamical_matrix(atoms: Atoms, potential: Potential | Calculator) -> sparse.bsr_array:
    """Hessian divided by the square roots of both masses, in blocks of d × d.

    Returns
    -------
    sparse (dN, dN), eV/(Å² u); its eigenvalues are squared angular frequencies.

    Raises
    ------
    ValueError
        As for ``hessian``, and for atoms without mass.
    """
    masses = atoms.get_masses()
    if not (masses > 0).all():
        raise ValueError("an atom without mass does not vibrate")
    matrix = _blocks(atoms, potential)
    weight = 1 / np.sqrt(masses)
    # In place: for a large glass it is the largest thing in memory.
    matrix.data *= (np.repeat(weight, np.diff(matrix.indptr)) * weight[matrix.indices])[
        :, None, None
    ]
    return matrix


def _blocks(atoms: Atoms, potential: Potential | Calculator) -> sparse.bsr_array:
    """The Hessian with a block of d × d for each pair of atoms."""
    if not isinstance(potential, Potential):
        return sparse.bsr_array(_finite_differences(atoms, potential), blocksize=(3, 3))
    full = potential.hessian(potential.types(atoms), potential.bonds(atoms))
    if potential.dim == 3:
        return full
    in_plane = np.ascontiguousarray(full.data[:, :2, :2])
    return sparse.bsr_array(
        (in_plane, full.indices, full.indptr), shape=(2 * len(atoms), 2 * len(atoms))
    )


def _rows(matrix: sparse.bsr_array) -> sparse.csr_array:
    """The same matrix by rows, in the memory of its blocks: SciPy's conversion takes twice as much.

    ``matrix`` is of no use any more.
    """
    starts, blocks = matrix.indptr.astype(np.int64), matrix.data
    d = blocks.shape[1]
    width = d * np.diff(starts)
    ends = np.concatenate(([0], np.cumsum(np.repeat(width, d))))
    kind = np.int32 if ends[-1] < np.iinfo(np.int32).max else np.int64
    columns = np.empty(blocks.size, dtype=kind)
    _by_rows(starts, matrix.indices, blocks, columns, np.empty(d * width.max(initial=0)))
    return sparse.csr_array((blocks.ravel(), columns, ends.astype(kind)), shape=matrix.shape)


@njit(cache=True)
def _by_rows(starts, places, blocks, columns, kept):
    """Reorder the entries of each row of blocks, and name their columns."""
    d, flat, here = np.uint64(blocks.shape[1]), blocks.reshape(-1), np.uint64(0)
    for i in range(len(starts) - 1):
        first, n = np.uint64(starts[i]), np.uint64(starts[i + 1] - starts[i])
        for k in range(d * d * n):
            kept[k] = flat[here + k]
        for a in range(d):
            for p in range(n):
                column = d * np.uint64(places[first + p])
                for b in range(d):
                    flat[here] = kept[d * (d * p + a) + b]
                    columns[here] = column + b
                    here += np.uint64(1)


def _finite_differences(atoms: Atoms, calculator: Calculator, step: float = 1e-4) -> np.ndarray:
    check_memory(3, len(atoms))
    moved = _free(atoms, calculator)
    columns = np.empty((3 * len(atoms),) * 2)
    for column in range(3 * len(atoms)):
        atom, axis = divmod(column, 3)
        start = atoms.positions[atom, axis]
        sides = []
        for sign in (1, -1):
            moved.positions[atom, axis] = start + sign * step
            sides.append(moved.get_forces().ravel())
        moved.positions[atom, axis] = start
        columns[:, column] = (sides[1] - sides[0]) / (2 * step)
    return 0.5 * (columns + columns.T)


def frequencies(
    atoms: Atoms, potential: Potential | Calculator, *, solver: str = "scipy"
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
    """
    check_memory(potential.dim if isinstance(potential, Potential) else 3, len(atoms))
    squares = eigenvalues(_dense(dynamical_matrix(atoms, potential)), solver)
    return np.sign(squares) * np.sqrt(np.abs(squares)) * THZ


def check_memory(dim: int, n_atoms: int) -> None:
    """Refuse a structure whose frequencies do not fit into this machine.

    Raises
    ------
    MemoryError
        Naming what it takes and what there is.
    """
    needed = peak_bytes(dim * n_atoms)
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > there:
        raise MemoryError(
            f"the frequencies of {n_atoms} atoms take {needed / 2**30:.0f} GiB, more than the "
            f"{there / 2**30:.0f} GiB of this machine; pdos_kpm needs no dense matrix"
        )


def _dense(matrix: sparse.bsr_array) -> np.ndarray:
    # SciPy's own conversion goes by lists of single entries, and takes five times as long.
    # LAPACK takes columns in a row, and would get a copy of anything else.
    dense = np.zeros(matrix.shape, order="F")
    _scatter(matrix.indptr, matrix.indices, matrix.data, dense)
    return dense


@njit(cache=True)
def _scatter(starts, columns, blocks, dense):
    d = blocks.shape[1]
    for i in range(len(starts) - 1):
        for place in range(starts[i], starts[i + 1]):
            for a in range(d):
                for b in range(d):
                    dense[d * i + a, d * columns[place] + b] = blocks[place, a, b]


def without_translations(frequencies: np.ndarray, dim: int) -> np.ndarray:
    """The frequencies (dN,) less the ``dim`` smallest in magnitude, the translations."""
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
    """
    edges = np.asarray(edges, dtype=float)
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise ValueError("frequency edges must be a list of at least two increasing numbers")
    counts, _ = np.histogram(frequencies, edges)
    total = counts.sum()
    return counts / (total * np.diff(edges)) if total else np.full(len(counts), np.nan)
