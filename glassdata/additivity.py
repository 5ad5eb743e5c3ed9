"""Local g(r) and local density of states: what each atom adds to the curves of its structure.

Both g(r) and the PDOS are means over atoms. If the two local curves went together in the same way
in all structures, the PDOS would be a linear function of g(r), however large the disorder. So the
line *inside* structures, from the atoms of one structure to each other, is fitted here, and held
against the line *between* structures.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from scipy import sparse

from glassdata.bins import checked_edges
from glassdata.neighbours import neighbours
from glassdata.perturbation import Modes
from glassdata.radial import number_density, shells

#: Penalties of the line inside structures, as shares of the mean variance of a bin of local g(r).
PENALTIES = tuple(float(10.0**power) for power in range(-6, 2))


def local_rdf(atoms: Atoms, edges: np.ndarray, dim: int) -> np.ndarray:
    """Radial distribution function around each atom, (N, n_r), dimensionless.

    Its mean over the atoms is :func:`glassdata.radial.rdf`, exactly.

    Parameters
    ----------
    atoms, edges, dim
        As for ``rdf``; edges are in Å.

    Examples
    --------
    >>> from ase.build import bulk
    >>> copper, edges = bulk("Cu", a=3.6) * (2, 1, 1), np.array([0.0, 3.0, 4.0])
    >>> local = local_rdf(copper, edges, dim=3)
    >>> local.shape, bool(np.allclose(local[0], local[1]))  # all atoms of a crystal are alike
    ((2, 2), True)
    """
    edges = checked_edges(edges)
    first, distance = neighbours("id", atoms, edges[-1])
    counts, *_ = np.histogram2d(first, distance, bins=[np.arange(len(atoms) + 1) - 0.5, edges])
    return counts / (number_density(atoms, dim) * shells(edges, dim))


def local_pdos(modes: Modes, edges: np.ndarray, dim: int) -> np.ndarray:
    """Share of each atom in the density of states, (N, n_omega), 1/THz.

    A mode counts in the bin of its frequency, for each atom with the square of its displacement
    there, times N. So the mean over the atoms is :func:`glassdata.vibrations.pdos` of the same
    modes, exactly. The integral of one atom's curve may differ from 1 where modes lie beyond the
    range, and because the translations are left out.

    Parameters
    ----------
    modes : Modes
        Of N atoms with ``dim`` coordinates each, translations included.
    edges : (n_omega + 1,) THz, increasing
    dim : int
        Coordinates of each atom; as many translations are left out.

    Examples
    --------
    A mass of two on a light spring and one on a stiff spring do not share their modes:

    >>> modes = Modes(np.array([0.0, 0.0, 4.0, 9.0]), np.eye(4)[[0, 2, 1, 3]])
    >>> local_pdos(modes, np.array([1.0, 2.5, 4.0]), dim=2).round(6).tolist()
    [[0.666667, 0.0], [0.0, 0.666667]]
    """
    edges = checked_edges(edges, "frequency edges", from_zero=False)
    frequency = modes.frequencies
    vibrating = np.argsort(np.abs(frequency), kind="stable")[dim:]
    bins = np.searchsorted(edges, frequency, side="right") - 1
    bins[frequency == edges[-1]] = len(edges) - 2  # the last bin is closed, as in a histogram
    inside = vibrating[(bins[vibrating] >= 0) & (bins[vibrating] < len(edges) - 1)]
    entry = sparse.csr_array(
        (np.ones(len(inside)), (inside, bins[inside])), shape=(len(frequency), len(edges) - 1)
    )
    moves = (modes.vectors**2).reshape(-1, dim, len(frequency)).sum(axis=1)  # (N, modes)
    n_atoms = len(moves)
    return n_atoms * (moves @ entry) / (len(inside) * np.diff(edges))


@dataclass(frozen=True)
class Inside:
    """How local g(r) and local spectra vary together inside structures: sums over atoms.

    Attributes
    ----------
    gg : (n_r, n_r)
        Sum of products of the deviations of local g(r).
    dg : (n_omega, n_r)
        The same of the local spectra with local g(r).
    dd : float
        Sum of the squared deviations of the local spectra.
    n_atoms : int

    Examples
    --------
    >>> x = np.array([[0.0], [2.0], [5.0], [7.0]])
    >>> inside = Inside.of(x, 3 * x, kinds=["A", "A", "B", "B"])
    >>> inside.gg.tolist(), inside.dg.tolist()  # the species have means of their own
    ([[4.0]], [[12.0]])
    >>> inside.r2(inside.line(0.0))
    1.0
    """

    gg: np.ndarray
    dg: np.ndarray
    dd: float
    n_atoms: int

    @classmethod
    def of(cls, local_g: np.ndarray, local_d: np.ndarray, kinds: Sequence[str]) -> "Inside":
        """Deviations from the mean over the atoms of the same species in one structure.

        Parameters
        ----------
        local_g : (N, n_r)
        local_d : (N, n_omega)
        kinds : (N,)
            Species of each atom: what tells species apart is the same in all structures of one
            composition, and would drown what tells structures apart.
        """
        species = np.asarray(kinds)
        g, d = np.array(local_g, float), np.array(local_d, float)
        for kind in np.unique(species):
            mine = species == kind
            g[mine] -= g[mine].mean(axis=0)
            d[mine] -= d[mine].mean(axis=0)
        return cls(g.T @ g, d.T @ g, float(np.sum(d**2)), len(g))

    @classmethod
    def between(cls, g: np.ndarray, d: np.ndarray, n_atoms: np.ndarray) -> "Inside":
        """What the means of structures add, if all their atoms are taken together.

        Parameters
        ----------
        g : (n, n_r)
            Of each structure.
        d : (n, n_omega)
        n_atoms : (n,)
        """
        weight = np.asarray(n_atoms, float)[:, None]
        g, d = (x - (weight * x).sum(axis=0) / weight.sum() for x in (g, d))
        return cls((weight * g).T @ g, (weight * d).T @ g, float(np.sum(weight * d**2)), 0)

    def __add__(self, other: "Inside") -> "Inside":
        """The same sums over the atoms of both."""
        return Inside(
            self.gg + other.gg,
            self.dg + other.dg,
            self.dd + other.dd,
            self.n_atoms + other.n_atoms,
        )

    def line(self, penalty: float) -> np.ndarray:
        """Ridge regression of local spectra on local g(r), (n_omega, n_r).

        Parameters
        ----------
        penalty : float
            As a share of the mean variance of a bin of local g(r).
        """
        n_r = len(self.gg)
        ridge = penalty * np.trace(self.gg) / n_r * np.eye(n_r)
        # Bins in which no atom ever has a neighbour have no variance.
        return self.dg @ np.linalg.pinv(self.gg + ridge, hermitian=True)

    def r2(self, line: np.ndarray) -> float:
        """Share of the variance of the local spectra that a line explains."""
        rest = self.dd - 2 * np.sum(line * self.dg) + np.sum((line @ self.gg) * line)
        return float(1 - rest / self.dd)


def best_penalty(structures: Sequence[Inside]) -> float:
    """The one of ``PENALTIES`` whose line explains the atoms of a structure left out best.

    Parameters
    ----------
    structures
        Sums over the atoms of each of the structures, two or more.

    Examples
    --------
    >>> x = np.arange(4.0)[:, None]
    >>> both = [Inside.of(x, 3 * x, list("AAAA")), Inside.of(-2 * x, -6 * x, list("AAAA"))]
    >>> best_penalty(both)  # nothing disturbs this law
    1e-06
    """
    if len(structures) < 2:
        raise ValueError(f"a line inside structures needs two or more, got {len(structures)}")
    left = [total([*structures[:k], *structures[k + 1 :]]) for k in range(len(structures))]
    scores = [
        np.mean([one.r2(rest.line(penalty)) for one, rest in zip(structures, left, strict=True)])
        for penalty in PENALTIES
    ]
    return PENALTIES[int(np.argmax(scores))]


def total(structures: Sequence[Inside]) -> Inside:
    """The sums over the atoms of all structures, one or more.

    Examples
    --------
    >>> x = np.arange(2.0)[:, None]
    >>> total([Inside.of(x, x, ["A", "A"])] * 3).n_atoms
    6
    """
    first, *others = structures
    for one in others:
        first = first + one
    return first
