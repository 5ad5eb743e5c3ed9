"""Other programs that turn the same structure into the same spectrum, or the same observable.

Those of spectra take a structure and our potential and return what they call the Hessian: sparse
(eV/Å²), or in the case of LAMMPS dense and mass-weighted already (eV/(Å² u)). The eigenvalues are
then found by the LAPACK routine that we use ourselves. Those of observables start from our Hessian.
"""

import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import atomic_masses, atomic_numbers
from matscipy.numerical import numerical_hessian
from scipy import constants, sparse

from glassdata.eigen import eigenvalues
from glassdata.potentials import LennardJones, Potential
from glassdata.protocols.melt import MissingLammps, _engine
from glassdata.protocols.pairs import pair_commands
from glassdata.units import THZ
from glassdata.vibrations import hessian, pdos, without_translations

# Å. Central differences err by step², rounding by 1/step; in between both are below 1e-6.
_STEP = 1e-5


def frequencies(dynamical: np.ndarray) -> np.ndarray:
    """Signed frequencies (THz) of a dynamical matrix, which is overwritten."""
    # Symmetric: its rows are the columns that LAPACK wants.
    values = eigenvalues(dynamical.T if dynamical.flags.c_contiguous else dynamical)
    return np.sign(values) * np.sqrt(np.abs(values)) * THZ


def to_pdos(
    atoms: Atoms, make_matrix: Callable, edges: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Spectrum by way of ``make_matrix(atoms)``: PDOS, frequencies, seconds of the matrix alone."""
    start = time.perf_counter()
    matrix = make_matrix(atoms)
    seconds = time.perf_counter() - start
    if sparse.issparse(matrix):
        matrix = _weighted(atoms, matrix.toarray())
    modes = frequencies(matrix)
    return pdos(without_translations(modes, 3), edges), modes, seconds


def matscipy_analytic(potential: Potential, atoms: Atoms) -> sparse.spmatrix:
    """The analytic Hessian of matscipy."""
    return potential.matscipy_hessian(atoms)


def finite_differences(potential: Potential, atoms: Atoms) -> sparse.spmatrix:
    """Central differences of matscipy's forces through ASE."""
    atoms = atoms.copy()
    atoms.calc = potential.matscipy_calculator()
    matrix = numerical_hessian(atoms, d=_STEP)
    return (matrix + matrix.T) / 2


def kaldo_fluxes(
    potential: Potential, atoms: Atoms, temperature: float = 300.0, width: float = 0.2
) -> tuple[np.ndarray, list[np.ndarray], float, float]:
    """Frequencies (THz), couplings by heat fluxes (Å/ps²), κ (W/(m K)) of kALDo, seconds for κ.

    Its κ is that of the quasi-harmonic Green-Kubo theory, with a Lorentzian of the half width
    ``width`` (THz): its weights, and a heat capacity of two modes, are not those of Allen and
    Feldman, of which it has the couplings.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf
    from kaldo.conductivity import Conductivity
    from kaldo.forceconstants import ForceConstants
    from kaldo.observables.harmonic_with_q_temp import HarmonicWithQTemp
    from kaldo.observables.secondorder import SecondOrder
    from kaldo.phonons import Phonons

    with suppress(RuntimeError):  # it is running already
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    n, begun = len(atoms), time.perf_counter()
    springs = hessian(atoms, potential).toarray().reshape(1, n, 3, 1, n, 3)
    how = {"temperature": temperature, "is_classic": False, "storage": "memory"}
    with tempfile.TemporaryDirectory() as folder:
        second = SecondOrder.from_supercell(
            atoms, grid_type="C", supercell=(1, 1, 1), value=springs, folder=folder
        )
        springs_of = ForceConstants(
            atoms=atoms, supercell=(1, 1, 1), folder=folder, second_order=second
        )
        phonons = Phonons(forceconstants=springs_of, folder=folder, **how)
        # Its Lorentzian is as wide as the bandwidths of both modes together, times two.
        conductivity = Conductivity(
            phonons=phonons,
            method="qhgk",
            diffusivity_bandwidth=np.pi * width,
            diffusivity_shape="lorentz",
            storage="memory",
        )
        kappa = float(np.trace(conductivity.conductivity.sum(axis=0))) / 3
        seconds = time.perf_counter() - begun
        gamma = HarmonicWithQTemp(
            q_point=np.zeros(3), second=second, folder=folder, is_amorphous=True, **how
        )
        fluxes = [np.asarray(getattr(gamma, f"_sij_{axis}")) for axis in "xyz"]
        return phonons.frequency.ravel(), fluxes, kappa, seconds


def phonopy_scattering(
    potential: Potential, atoms: Atoms, q: np.ndarray, temperature: float, lengths: dict[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (THz) and cross-sections (barn per atom) of all modes at ``q``, of phonopy.

    The glass is the unit cell, and the wave vectors (n_q, 3), 1/Å, fit it.
    """
    from phonopy import Phonopy
    from phonopy.structure.atoms import PhonopyAtoms

    cell = PhonopyAtoms(
        symbols=atoms.get_chemical_symbols(),
        cell=atoms.cell.array,
        scaled_positions=atoms.get_scaled_positions(),
        masses=atoms.get_masses(),
    )
    run = Phonopy(cell, supercell_matrix=np.eye(3, dtype=int), primitive_matrix="P")
    n = len(atoms)
    springs = hessian(atoms, potential).toarray().reshape(n, 3, n, 3)
    run.force_constants = np.ascontiguousarray(springs.transpose(0, 2, 1, 3))
    run.run_mesh([1, 1, 1], with_eigenvectors=True, is_mesh_symmetry=False)
    waves = np.round(q @ atoms.cell.array.T / (2 * np.pi))
    run.run_dynamic_structure_factor(waves, temperature, scattering_lengths=lengths, freq_min=1e-3)
    found = run.dynamic_structure_factor
    # Squared lengths per energy, fm²; a wave vector has no 2π and is in 1/Å.
    unit = 2 * np.pi * constants.hbar * 1e12 * 1e20 * 1e-2 / n
    return found.frequencies, unit * found.dynamic_structure_factors


def _weighted(atoms: Atoms, matrix: np.ndarray) -> np.ndarray:
    weight = 1 / np.sqrt(np.repeat(atoms.get_masses(), 3))
    matrix *= weight[:, None]
    matrix *= weight
    return matrix


class Lammps:
    """LAMMPS with one potential, whose file is written once, as its users have it at hand.

    Raises
    ------
    MissingLammps
        If it is not installed.
    """

    def __init__(self, potential: Potential, folder: Path) -> None:
        self.potential = potential
        self.engine = _engine()
        self.pair = _pair_lines(potential, folder)

    def __call__(self, atoms: Atoms) -> np.ndarray:
        """Dynamical matrix from the command ``dynamical_matrix``."""
        size = 3 * len(atoms)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "matrix.bin"
            self._load(atoms)
            self.engine.command(f"dynamical_matrix all regular {_STEP} file {path} binary yes")
            matrix = np.fromfile(path).reshape(size, size)
        return (matrix + matrix.T) / 2

    def _load(self, atoms: Atoms) -> None:
        lower, upper = _box(atoms)
        species = self.potential.species
        commands = [
            "clear",
            "units metal",
            # Its quickest variants on one thread ("opt" takes more than twice as long for EAM),
            # and no wider neighbour list than it needs: atoms do not move here.
            "package omp 1",
            "suffix omp",
            "neighbor 0.1 bin",
            "atom_modify map array sort 0 0.0",
            "boundary " + " ".join("p" if periodic else "f" for periodic in atoms.pbc),
            "region box block "
            + " ".join(f"{a:.17g} {b:.17g}" for a, b in zip(lower, upper, strict=True)),
            f"create_box {len(species)} box",
        ]
        for command in commands:
            self.engine.command(command)
        self._place(atoms, species)
        masses = dict(zip(atoms.symbols, atoms.get_masses(), strict=True))
        for kind, symbol in enumerate(species, 1):
            mass = masses.get(symbol, atomic_masses[atomic_numbers[symbol]])
            self.engine.command(f"mass {kind} {mass:.17g}")
        for command in self.pair:
            self.engine.command(command)

    def _place(self, atoms: Atoms, species: tuple[str, ...]) -> None:
        inside = atoms.copy()
        inside.wrap()
        kinds = [species.index(symbol) + 1 for symbol in inside.symbols]
        ids = list(range(1, len(inside) + 1))
        made = self.engine.create_atoms(len(inside), ids, kinds, inside.positions.ravel().tolist())
        if made != len(inside):
            raise RuntimeError(f"LAMMPS took {made} of {len(inside)} atoms")


def _box(atoms: Atoms) -> tuple[np.ndarray, np.ndarray]:
    """Corners of an orthogonal cell; along open directions with room around the atoms."""
    if not np.allclose(atoms.cell, np.diag(atoms.cell.lengths())):
        raise ValueError("only orthogonal cells are handed to LAMMPS")
    room = 5.0
    lower = np.where(atoms.pbc, 0.0, atoms.positions.min(axis=0) - room)
    upper = np.where(atoms.pbc, atoms.cell.lengths(), atoms.positions.max(axis=0) + room)
    return lower, upper


def _pair_lines(potential: Potential, folder: Path) -> list[str]:
    if isinstance(potential, LennardJones) and potential.truncation == "force-shifted":
        numbers = f"{potential.epsilon:.17g} {potential.sigma:.17g} {potential.r_cut:.17g}"
        return [
            f"pair_style lj/smooth/linear {potential.r_cut:.17g}",
            f"pair_coeff * * {numbers}",
        ]
    return pair_commands(potential, folder, potential.species)


__all__ = [
    "Lammps",
    "MissingLammps",
    "finite_differences",
    "frequencies",
    "kaldo_fluxes",
    "matscipy_analytic",
    "phonopy_scattering",
    "to_pdos",
]
