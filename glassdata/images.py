"""Springs between the atoms of a cell and each periodic image of the others, told apart.

The dynamical matrix of a small cell sums over images: enough for its modes, but not where the
vector between two atoms counts, as in phonon bands and in the flow of heat.
"""

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.geometry import find_mic
from scipy import sparse

from glassdata.potentials import EnergySurface, surface_of
from glassdata.vibrations import dynamical_matrix

# In cells of fewer atoms, pairs may be missing that would show how far springs reach.
_ENOUGH = 64
# A pair that is half a cell apart has two nearest images, whatever rounding makes of one.
_ROUNDING = 1e-9


def springs_to_images(
    atoms: Atoms, potential: EnergySurface | Calculator
) -> tuple[sparse.bsr_array, np.ndarray]:
    """Dynamical matrix between the atoms of one cell and those of as many cells as are needed.

    Where springs reach across half of the cell, the cell is repeated until they do not; that takes
    the memory of the larger structure.

    Parameters
    ----------
    atoms : Atoms
        The N atoms of the cell.
    potential : Potential or ASE calculator

    Returns
    -------
    matrix : sparse (dN, dN n_cells), eV/(Å² u)
        In blocks of d × d; column block ``j`` is an image of atom ``j % N``.
    apart : (n_blocks, 3), Å
        From the atom of each block's row to that of its column, in the order of the blocks.

    Raises
    ------
    ValueError
        If the cell must be repeated, and the reach of a bare calculator is not known; or as for
        ``glassdata.hessian``.

    Examples
    --------
    The springs of an atom pull at it as much as its own spring holds it, image by image:

    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> matrix, apart = springs_to_images(argon.crystal(), argon.potential)
    >>> matrix.shape[1] // matrix.shape[0], bool(abs(matrix.sum(axis=1)).max() < 1e-10)
    (343, True)
    """
    across = np.where(
        atoms.pbc, 1 / np.linalg.norm(atoms.cell.complete().reciprocal(), axis=1), np.inf
    )
    if len(atoms) >= _ENOUGH:
        matrix, apart = _of_block(atoms, len(atoms), potential)
        linked = np.abs(matrix.data).max(axis=(1, 2)) > 0
        reach = float(np.linalg.norm(apart[linked], axis=1).max(initial=0.0))
        if 2 * reach < (1 - _ROUNDING) * across.min():
            return matrix, apart
    # Two atoms that have a neighbour in common may be linked: up to two cut-offs apart.
    cells = np.maximum(np.ceil(4 * surface_of(potential).cutoff / across), 1).astype(int)
    return _of_block(atoms * cells, len(atoms), potential)


def _of_block(
    block: Atoms, n: int, potential: EnergySurface | Calculator
) -> tuple[sparse.bsr_array, np.ndarray]:
    """Rows of the first ``n`` atoms, and the vectors to the nearest images."""
    whole = dynamical_matrix(block, potential)
    d, blocks = whole.blocksize[0], whole.indptr[n]
    column = whole.indices[:blocks]
    row = np.repeat(np.arange(n), np.diff(whole.indptr[: n + 1]))
    apart, _ = find_mic(block.positions[column] - block.positions[row], block.cell, block.pbc)
    matrix = sparse.bsr_array(
        (whole.data[:blocks], column, whole.indptr[: n + 1]), shape=(d * n, whole.shape[1])
    )
    return matrix, apart
