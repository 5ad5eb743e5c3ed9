"""How stiffly atoms and bonds are held: what a potential says of a structure beside its g(r).

Both are read off the dynamical matrix D, in blocks D_ij of d × d::

    of an atom i     the eigenvalues of D_ii: squared frequencies of the atom in the cage of all
                     others at rest, after Einstein
    of a bond i–j    −n·D_ij·n along its direction n: for pair potentials, in the crystal, φ''/m

The mean of the first over all atoms is ⟨ω²⟩, the second moment of the spectrum, exactly.
"""

import numpy as np
from ase import Atoms

from glassdata.neighbours import neighbours
from glassdata.vibrations import Modes

# Bonds at a time.
_BLOCK = 256


def atom_stiffness(modes: Modes, dim: int) -> np.ndarray:
    """Squared frequencies of each atom while all others are at rest, ascending, (N, d), THz².

    Parameters
    ----------
    modes : Modes
        All of them, translations included.
    dim : int
        Coordinates of an atom.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> found = gd.modes(argon.crystal(), argon.potential)
    >>> stiffness = atom_stiffness(found, 3)
    >>> stiffness.shape, bool(np.isclose(stiffness.mean(), np.mean(found.frequencies**2)))
    ((4, 3), True)
    """
    squares, vectors = _squares(modes), modes.eigenvectors.reshape(-1, dim, len(modes.frequencies))
    own = np.einsum("iak,ibk,k->iab", vectors, vectors, squares, optimize=True)
    return np.linalg.eigvalsh(own)


def bond_stiffness(atoms: Atoms, modes: Modes, cutoff: float) -> np.ndarray:
    """Stiffness of each bond along its direction, over the root of both masses, (n_bonds,), THz².

    Parameters
    ----------
    atoms : Atoms
    modes : Modes
        All of them.
    cutoff : float, Å
        Atoms nearer than this are bonded. Each bond counts once; the cell must be so large that a
        pair has no second bond across it.

    Examples
    --------
    Two atoms whose bond has the force constant k vibrate with ω² = k/m + k/m:

    >>> root = np.sqrt(0.5)
    >>> found = Modes(np.array([0.0, 3.0]), np.array([[root, -root], [root, root]]))
    >>> line = Modes(np.repeat(found.frequencies, 3), np.kron(found.eigenvectors, np.eye(3)))
    >>> bond_stiffness(Atoms("Ar2", [[0, 0, 0], [1, 0, 0]]), line, 1.5).round(3).tolist()
    [4.5]
    """
    dim = len(modes.frequencies) // len(atoms)
    first, second, vector = neighbours("ijD", atoms, cutoff)
    once = first < second
    first, second, vector = first[once], second[once], vector[once][:, :dim]
    along = vector / np.linalg.norm(vector, axis=1, keepdims=True)
    squares, vectors = _squares(modes), modes.eigenvectors.reshape(-1, dim, len(modes.frequencies))
    out = np.empty(len(first))
    for start in range(0, len(first), _BLOCK):
        part = slice(start, start + _BLOCK)
        ours = np.einsum("nak,na->nk", vectors[first[part]], along[part])
        theirs = np.einsum("nak,na->nk", vectors[second[part]], along[part])
        out[part] = -np.einsum("nk,nk,k->n", ours, theirs, squares)
    return out


def _squares(modes: Modes) -> np.ndarray:
    """ω² of each mode, negative where it is imaginary."""
    return np.sign(modes.frequencies) * modes.frequencies**2
