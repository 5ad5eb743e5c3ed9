"""Phonon bands of perfect crystals, and the spectra that glasses are compared with."""

import numpy as np
from ase import Atoms
from scipy import sparse

from glassdata.images import springs_to_images
from glassdata.potentials import EnergySurface
from glassdata.radial import rdf
from glassdata.system import System
from glassdata.units import THZ
from glassdata.vibrations import (
    frequencies,
    pdos,
    signed_root,
    without_translations,
)

_LARGE_CRYSTAL = 100  # atoms: a substituted alloy, of which larger cells replace further waves


def crystal_spectra(
    system: System, n_modes: int = 30_000, *, omega_edges: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """g(r) and phonon density of states of a system's perfect crystal, in the system's bins.

    Frequencies are sampled over the Brillouin zone; a substituted alloy, whose crystal is a large
    cell already, is repeated to twice that size.

    Parameters
    ----------
    system : System
    n_modes : int
        About how many frequencies to sample.
    omega_edges : (n_omega + 1,) THz, optional
        Other bins of frequency, such as those of a dataset that is older than the system's.

    Returns
    -------
    g : (n_r,) dimensionless
    pdos : (n_omega,) 1/THz

    Examples
    --------
    >>> import glassdata as gd
    >>> g, spectrum = gd.crystal_spectra(gd.SYSTEMS["lj3d"], 3000)
    >>> len(g), round(float(spectrum.sum() * 0.03), 6)  # bins of 0.03 THz
    (100, 1.0)
    """
    crystal, potential = system.crystal(), system.potential
    g = rdf(crystal, system.r_edges, dim=system.dim)
    if len(crystal) > _LARGE_CRYSTAL:
        modes = without_translations(frequencies(crystal * (2, 1, 1), potential), 3)
    else:
        modes = bands(crystal, potential, _wave_vectors(crystal, n_modes, potential.dim)).ravel()
    return g, pdos(modes, system.omega_edges if omega_edges is None else omega_edges)


def bands(crystal: Atoms, potential: EnergySurface, waves: np.ndarray) -> np.ndarray:
    """Signed frequencies of a crystal at wave vectors.

    Parameters
    ----------
    crystal : Atoms
        The N atoms of one cell, at rest.
    potential : Potential
        Its ``cutoff`` says how far a small crystal has to be repeated.
    waves : (n_waves, 3), 1/Å
        Wave vectors with the factor 2π.

    Returns
    -------
    (n_waves, dN), THz; imaginary frequencies are negative.

    Raises
    ------
    ValueError
        For a calculator of ASE that was not described, so that its reach is unknown; or as for
        ``hessian``.

    Examples
    --------
    In the plane two bands vanish at Γ, and none at any other wave of the first Brillouin zone:

    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj2d"]
    >>> waves = np.array([[0.0, 0.0, 0.0], [0.3, 0.2, 0.0]])
    >>> (np.abs(bands(argon.crystal(), argon.potential, waves)) < 1e-3).sum(axis=1).tolist()
    [2, 0]
    """
    springs, apart = springs_to_images(crystal, potential)
    links = springs.tocoo()  # the d × d entries of each block one after another
    size = springs.shape[0]
    between = np.repeat(apart, len(links.data) // len(apart), axis=0)
    entry = links.row.astype(np.int64) * size + links.col % size
    gather = sparse.csr_array((links.data, (entry, np.arange(links.nnz))), (size**2, links.nnz))
    modes = []
    for part in np.array_split(waves, 1 + len(waves) // 100):  # bounds the memory of the phases
        dynamical = (gather @ np.exp(1j * between @ part.T)).T.reshape(-1, size, size)
        squares = np.linalg.eigvalsh(dynamical)
        modes.append(signed_root(squares) * THZ)
    return np.concatenate(modes)


def _wave_vectors(crystal: Atoms, n_modes: int, d: int) -> np.ndarray:
    """Even mesh, (n, 3), 1/Å, shifted so that no two points are alike by symmetry."""
    mesh = round((n_modes / (d * len(crystal))) ** (1 / crystal.pbc.sum()))
    even = [(np.arange(mesh) + offset) / mesh for offset in (0.31, 0.17, 0.43)]
    steps = [x if periodic else [0.0] for x, periodic in zip(even, crystal.pbc, strict=True)]
    points = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
    return 2 * np.pi * points @ np.asarray(crystal.cell.reciprocal())
