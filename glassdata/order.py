"""How much order a structure has: of directions, distances far away, long waves, and species."""

from collections.abc import Sequence
from math import factorial

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from scipy import sparse

from glassdata.neighbours import neighbours
from glassdata.radial import number_density, rdf, shells

# Far means up to this distance, in units of the mean spacing (a cell of one atom), and at least
# two thirds of it; or up to half the height of the cell, where that is less.
_FAR = 6.0
_FAR_BINS = 40
# A little less than that, so that no edge of a bin is a simple fraction of a cell, where pairs of
# a crystal lie.
_OFF_LATTICE = 0.9871


def bond_order(atoms: Atoms, cutoff: float, dim: int = 3) -> float:
    """Sixfold order of all bond directions together: |ψ₆| in a plane, Q₆ in space.

    Steinhardt, Nelson and Ronchetti, Phys. Rev. B 28, 784 (1983), doi:10.1103/PhysRevB.28.784.
    Of N disordered atoms about the inverse root of the number of bonds is left.

    Parameters
    ----------
    atoms : Atoms
    cutoff : float, Å
        Atoms nearer than this are bonded.
    dim : int
        2 for directions in the xy plane, 3 for directions in space.

    Returns
    -------
    float
        1 for a triangular lattice or a honeycomb; 0.5745 for fcc, 0.4848 for hcp, 0.6285 for
        diamond; 0 without bonds.

    Examples
    --------
    >>> from ase.build import bulk
    >>> round(bond_order(bulk("Cu", a=3.6), 3.0), 4)
    0.5745
    """
    first, _, directions = _directions(atoms, cutoff, dim)
    return float(_length(directions.mean(axis=0), dim)) if len(first) else 0.0


def local_bond_order(atoms: Atoms, cutoff: float, dim: int = 3) -> float:
    """Sixfold order of each atom's bonds and its neighbours' bonds, averaged over the atoms.

    It sees the crystallites of a polycrystal, whose directions cancel in ``bond_order``: Lechner
    and Dellago, J. Chem. Phys. 129, 114707 (2008), doi:10.1063/1.2977970.

    Parameters
    ----------
    atoms, cutoff, dim
        As for ``bond_order``.

    Returns
    -------
    float
        In a perfect crystal that of ``bond_order``.

    Examples
    --------
    >>> from ase.build import bulk
    >>> round(local_bond_order(bulk("Cu", a=3.6), 3.0), 4)
    0.5745
    """
    first, second, directions = _directions(atoms, cutoff, dim)
    n = len(atoms)
    adjacency = sparse.csr_array((np.ones(len(first)), (first, second)), shape=(n, n))
    counts = np.bincount(first, minlength=n)
    sums = np.stack([np.bincount(first, one, n) for one in directions.T], axis=1)
    own = sums / np.maximum(counts, 1)[:, None]
    around = (own + adjacency @ own) / (1 + counts)[:, None]
    return float(_length(around, dim).mean()) if n else 0.0


def far_order(atoms: Atoms, crystal: Atoms, dim: int) -> float:
    """Root-mean-square of g(r) − 1 far away, beyond what N atoms have by chance, over a crystal's.

    Far is from 4 to 6 mean spacings, or from a third to a half of the cell's shortest height where
    that is less: a cell of a hundred atoms is too small to tell far from near.

    Parameters
    ----------
    atoms, crystal : Atoms
        Distances are compared in units of each one's own mean spacing.
    dim : int
        As for ``glassdata.radial.rdf``.

    Returns
    -------
    float
        0 for a gas, 1 for the crystal itself.

    Examples
    --------
    >>> from ase.build import bulk
    >>> copper = bulk("Cu", a=3.6, cubic=True)
    >>> round(far_order(copper * (6, 6, 6), copper, 3), 1)
    1.0
    """
    spacing, own = (number_density(a, dim) ** (-1 / dim) for a in (atoms, crystal))
    heights = 1 / np.linalg.norm(np.linalg.inv(atoms.cell.complete().array), axis=0)
    reach = _OFF_LATTICE * min(_FAR, heights[atoms.pbc].min() / 2 / spacing)
    edges = np.linspace(2 / 3, 1, _FAR_BINS + 1) * reach
    n = len(atoms)
    found = rdf(atoms, edges * spacing, dim) * n / max(n - 1, 1)
    # Pairs by chance in a bin scatter by the root of their number.
    chance = np.mean(2 / (n * shells(edges, dim)))
    whole = np.mean((rdf(crystal, edges * own, dim) - 1) ** 2)
    return float(np.sqrt(max(np.mean((found - 1) ** 2) - chance, 0.0) / whole))


def long_wave(atoms: Atoms, weights: np.ndarray) -> float:
    """Share of the weights' variation in the longest waves that fit into the cell.

    Of equal weights it tells holes, of a species' occupation (less its mean) its separation from
    the others.

    Parameters
    ----------
    atoms : Atoms
    weights : (N,)
        One number for each atom.

    Returns
    -------
    float
        The largest of ``|Σ w exp(ikr)|² / (N Σ w²)`` over the periodic directions: about 1/N for
        weights at random, 0.4 for two halves of the cell.

    Examples
    --------
    >>> from ase.build import bulk
    >>> copper = bulk("Cu", a=3.6, cubic=True) * (4, 4, 4)
    >>> round(long_wave(copper, copper.positions[:, 0] - copper.positions[:, 0].mean()), 2)
    0.33
    """
    phases = np.exp(2j * np.pi * atoms.get_scaled_positions(wrap=False)[:, atoms.pbc])
    waves = np.abs(weights @ phases) ** 2
    return float(waves.max(initial=0.0) / (len(atoms) * (weights**2).sum()))


def chemical_order(atoms: Atoms, cutoff: float, species: Sequence[str]) -> np.ndarray:
    """Warren and Cowley's short-range order ``α_ab = 1 − P_ab / x_b`` of each pair of species.

    Cowley, Phys. Rev. 77, 669 (1950), doi:10.1103/PhysRev.77.669. ``P_ab`` is the share of b among
    the neighbours of a, and ``x_b`` the share of b among all neighbours of all atoms. On a lattice
    ``x_b`` is the concentration of b. In a glass large atoms have more neighbours than small ones,
    and ``x_b`` leaves that out: ``α`` is what remains of the choice of neighbours, and is
    symmetric in a and b.

    Parameters
    ----------
    atoms : Atoms
    cutoff : float, Å
        Atoms nearer than this are neighbours.
    species : sequence of str
        Chemical symbols; they order the pairs.

    Returns
    -------
    (n_pairs,)
        The pairs as in ``System.pairs``: 0 where neighbours are chosen by chance, negative where
        the two seek each other, 1 where they never meet; 0 for a species without neighbours.

    Examples
    --------
    In an ordered (B2) alloy every nearest neighbour is of the other kind:

    >>> from ase.build import bulk
    >>> alloy = bulk("CuZr", "cesiumchloride", a=3.2)
    >>> chemical_order(alloy, 3.0, ("Cu", "Zr")).tolist()  # Cu-Cu, Cu-Zr, Zr-Zr
    [1.0, -1.0, 1.0]
    """
    first, second = neighbours("ij", atoms, cutoff)
    numbers = [atomic_numbers[symbol] for symbol in species]
    kinds = np.array([numbers.index(number) for number in atoms.numbers], dtype=int)
    counts = np.zeros((len(species), len(species)))
    np.add.at(counts, (kinds[first], kinds[second]), 1.0)
    by_chance = np.outer(counts.sum(axis=1), counts.sum(axis=0))
    ratio = counts * counts.sum() / np.where(by_chance > 0, by_chance, 1.0)
    alpha = np.where(by_chance > 0, 1 - ratio, 0.0)
    return alpha[np.triu_indices(len(species))]


def _directions(atoms: Atoms, cutoff: float, dim: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both ends of every bond, and what is averaged of its direction, (P, k)."""
    first, second, vectors = neighbours("ijD", atoms, cutoff)
    if dim == 2:
        sixfold = np.exp(6j * np.arctan2(vectors[:, 1], vectors[:, 0]))
        return first, second, np.stack([sixfold.real, sixfold.imag], axis=1)
    unit = vectors / np.linalg.norm(vectors, axis=1)[:, None]
    powers = np.stack([np.prod(unit**power, axis=1) for power, _ in _MONOMIALS], axis=1)
    return first, second, powers


def _length(means: np.ndarray, dim: int) -> np.ndarray:
    """|ψ₆| or Q₆ of averaged directions (..., k)."""
    weights = np.ones(2) if dim == 2 else np.array([weight for _, weight in _MONOMIALS])
    return np.sqrt(np.maximum((means**2) @ weights, 0.0))


def _monomials() -> list[tuple[np.ndarray, float]]:
    """Powers of x, y, z and weights with which P₆(u·v) is Σ weight · monomial(u) · monomial(v).

    By the addition theorem Q₆² is the mean of P₆(cos γ) over all pairs of bonds.
    """
    legendre = {6: 231 / 16, 4: -315 / 16, 2: 105 / 16, 0: -5 / 16}
    table: list[tuple[np.ndarray, float]] = []
    for degree, factor in legendre.items():
        for a in range(degree + 1):
            for b in range(degree + 1 - a):
                powers = (a, b, degree - a - b)
                ways = factorial(degree) / np.prod([factorial(p) for p in powers])
                table.append((np.array(powers), factor * ways))
    return table


_MONOMIALS = _monomials()
