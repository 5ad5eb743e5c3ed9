"""Radial distribution functions, their first peak and far order, and coordination numbers.

Everything here counts pairs from one neighbour list that holds *every* periodic image within the
range, so that neither the minimum-image convention nor a cell larger than the range is assumed.
"""

from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np
from ase import Atoms

from glassdata.bins import bin_centres, checked_edges
from glassdata.errors import StructureError
from glassdata.neighbours import neighbours


def rdf(atoms: Atoms, edges: np.ndarray, dim: int = 3) -> np.ndarray:
    """Radial distribution function g(r), averaged over each bin.

    This is the number of ordered pairs in a bin, divided by N·(N/V)·(shell), the number at the mean
    density. The shell is exact, 4π/3 (r₂³ − r₁³) in three dimensions and π (r₂² − r₁²) in two. So
    ``(rho * shell * g).sum()`` is the mean number of neighbours in the range, images included, and
    a perfect crystal gives whole numbers shell by shell.

    That is the standard definition, and it fixes the convention at finite N: N uncorrelated atoms
    in a periodic cell give (N − 1)/N + g_cell(r)/N on average, where g_cell belongs to the lattice
    of one atom's own images and vanishes below the shortest cell vector. A factor N/(N − 1) would
    bring the ideal gas to 1 but make g of a crystal depend on how many cells describe it.

    Parameters
    ----------
    atoms
        N atoms, periodic in all three directions (``dim=3``) or in two (``dim=2``).
    edges
        Edges of the distance bins, shape (n_r + 1,), Å, increasing, not negative. Bins are
        half-open, [r₁, r₂).
    dim
        Dimension of the shells and of the density. In two dimensions the density is N over the
        area spanned by the two periodic cell vectors, while distances stay three-dimensional: the
        pairs of a buckled sheet are counted at their true distance.

    Returns
    -------
    ndarray, shape (n_r,)
        Dimensionless; tends to 1 at large r.

    Raises
    ------
    ValueError
        If the density is undefined (wrong number of periodic directions, no atoms, a degenerate
        cell), or ``edges`` or ``dim`` make no sense.

    Examples
    --------
    The bin from 0 to 3 Å of an fcc crystal holds the twelve nearest neighbours:

    >>> from ase.build import bulk
    >>> copper, edges = bulk("Cu", a=3.6), np.array([0.0, 3.0])
    >>> g = rdf(copper, edges)
    >>> round(float(number_density(copper, 3) * shells(edges, 3)[0] * g[0]), 6)
    12.0
    """
    edges = checked_edges(edges)
    expected = number_density(atoms, dim) * shells(edges, dim)
    counts, _ = np.histogram(neighbours("d", atoms, edges[-1]), bins=edges)
    return counts / (len(atoms) * expected)


def partial_rdf(
    atoms: Atoms, edges: np.ndarray, species: Sequence[str], dim: int = 3
) -> np.ndarray:
    """Partial radial distribution functions g_ab(r), averaged over each bin.

    g_ab is the number of atoms b around an atom a, divided by the number at the mean density of b.
    So each tends to 1, and g = Σ_a Σ_b c_a c_b g_ab with the fractions c (an unlike pair enters
    twice).

    Parameters
    ----------
    atoms, edges, dim
        As for :func:`rdf`.
    species
        Chemical symbols; must name every species of ``atoms``. The pairs come in the order of
        ``itertools.combinations_with_replacement(species, 2)``.

    Returns
    -------
    ndarray, shape (n_pair, n_r)
        Dimensionless. Zero where one of the two species is absent from ``atoms``.

    Raises
    ------
    ValueError
        As :func:`rdf`; also if ``atoms`` has a species that is not listed, or one is listed twice.

    Examples
    --------
    In an ordered alloy (cesium chloride) the nearest neighbours are of the other species:

    >>> from ase.build import bulk
    >>> alloy = bulk("CuZr", "cesiumchloride", a=3.2)
    >>> g = partial_rdf(alloy, [0.0, 3.0], ("Cu", "Zr"))  # Cu-Cu, Cu-Zr, Zr-Zr
    >>> (g[:, 0] > 0).tolist()
    [False, True, False]
    """
    edges = checked_edges(edges)
    expected = number_density(atoms, dim) / len(atoms) * shells(edges, dim)
    symbols = np.array(atoms.get_chemical_symbols())
    if len(set(species)) != len(species) or not set(symbols) <= set(species):
        raise ValueError(
            f"species {tuple(species)} must list each of {sorted(set(symbols.tolist()))} once"
        )
    i, j, d = neighbours("ijd", atoms, edges[-1])
    result = []
    for a, b in combinations_with_replacement(species, 2):
        counts, _ = np.histogram(d[(symbols[i] == a) & (symbols[j] == b)], bins=edges)
        pairs = int(np.count_nonzero(symbols == a) * np.count_nonzero(symbols == b))
        result.append(counts / (max(pairs, 1) * expected))
    return np.array(result)


def first_peak(g: np.ndarray, edges: np.ndarray) -> tuple[float, float]:
    """Height and full width at half maximum of the first peak of g(r).

    Peaks are the runs of neighbouring bins with g > 1. The first peak is the first run whose
    excess ∫(g − 1) dr is at least half of the largest. An excess hardly depends on how the bins cut
    a sharp shell, and the rule ignores the few wrong bonds before the main peak of a disordered
    compound. The half-maximum points are interpolated linearly between bin centres, so a shell
    narrower than a bin gets a width of one to two bins.

    Parameters
    ----------
    g
        Shape (n_r,), dimensionless.
    edges
        Shape (n_r + 1,), Å.

    Returns
    -------
    height : float
        Largest bin of the peak, dimensionless.
    fwhm : float
        Å.

    Raises
    ------
    ValueError
        If no bin exceeds 1.2, or the peak does not fall to half its height within the range.

    Examples
    --------
    >>> height, fwhm = first_peak([0.0, 0.5, 3.0, 0.5, 1.0], edges=np.arange(6.0))
    >>> height, round(fwhm, 6)  # half of 3 is crossed 0.6 bins to the left and to the right
    (3.0, 1.2)
    """
    g, edges = np.asarray(g, float), checked_edges(edges)
    if g.shape != (len(edges) - 1,) or not np.isfinite(g).all():
        raise ValueError(f"g must be {len(edges) - 1} finite numbers, got shape {g.shape}")
    if not g.max() > 1.2:
        raise StructureError(
            f"g(r) has no peak: it never exceeds 1.2, its maximum is {g.max():.3g}"
        )
    starts = np.flatnonzero(np.diff(np.r_[False, g > 1].astype(int)) == 1)
    excess = np.add.reduceat(np.clip(g - 1, 0, None) * np.diff(edges), starts)
    first = np.flatnonzero(excess >= excess.max() / 2)[0]
    stop = starts[first + 1] if first + 1 < len(starts) else len(g)
    top = starts[first] + int(np.argmax(g[starts[first] : stop]))
    centres = bin_centres(edges)
    right = _half_crossing(centres[top:], g[top:])
    left = _half_crossing(centres[top::-1], g[top::-1])
    return float(g[top]), float(right - left)


def far_order(g: np.ndarray, r: np.ndarray) -> np.ndarray:
    """How far g(r) still swings around 1 at large distances: root mean square of g − 1.

    Taken over the outer half of the range. A crystal keeps its shells there, however strained or
    full of holes it is; a glass has lost them.

    Parameters
    ----------
    g : (..., n_r)
        Radial distribution functions, dimensionless.
    r : (n_r,)
        Centres of their bins, Å.

    Returns
    -------
    (...,)
        Dimensionless; 0 for uncorrelated atoms.

    Examples
    --------
    >>> far_order(np.array([[0.0, 9.0, 1.5, 0.5], [0.0, 2.0, 1.0, 1.0]]), np.arange(1.0, 5))
    array([0.5, 0. ])
    """
    outer = r > r[-1] / 2
    return np.sqrt(np.mean((g[..., outer] - 1) ** 2, axis=-1))


def coordination(atoms: Atoms, cutoff: float) -> np.ndarray:
    """Number of neighbours of every atom.

    Parameters
    ----------
    atoms : Atoms
        Each periodic image counts. The structure need not be periodic.
    cutoff : float, Å
        Atoms closer than this are neighbours.

    Returns
    -------
    (N,) int

    Examples
    --------
    >>> from ase.build import bulk
    >>> coordination(bulk("Cu", a=3.6), 3.0)
    array([12])
    """
    return np.bincount(neighbours("i", atoms, cutoff), minlength=len(atoms))


def number_density(atoms: Atoms, dim: int) -> float:
    """Atoms per Å³ (three dimensions) or per Å² of the periodic plane (two).

    Parameters
    ----------
    atoms : Atoms
        Periodic in as many directions as ``dim``, whichever they are.
    dim : int

    Raises
    ------
    ValueError
        If the number of periodic directions is not ``dim``, if the periodic cell vectors span
        nothing, or if there are no atoms.

    Examples
    --------
    >>> from ase.build import bulk
    >>> round(number_density(bulk("Cu", a=3.6), 3) * 3.6**3, 6)
    4.0
    """
    if dim not in (2, 3):
        raise ValueError(f"dim must be 2 or 3, got {dim}")
    if len(atoms) == 0:
        raise ValueError("density and g(r) are undefined without atoms")
    if atoms.pbc.sum() != dim:
        raise ValueError(
            f"density and g(r) in {dim} dimensions are defined by {dim} periodic directions, "
            f"got pbc = {atoms.pbc.tolist()}"
        )
    return len(atoms) / periodic_extent(atoms)


def periodic_extent(atoms: Atoms) -> float:
    """Volume (Å³) that three periodic cell vectors span, or area (Å²) that two span.

    Raises
    ------
    ValueError
        If the structure is periodic in fewer than two directions, or they are linearly dependent.

    Examples
    --------
    >>> from ase.build import bulk
    >>> round(periodic_extent(bulk("Cu", a=3.6)) * 4 / 3.6**3, 6)  # four atoms in the cube
    1.0
    """
    vectors = atoms.cell.array[atoms.pbc]
    if len(vectors) < 2:
        raise ValueError(
            f"two or three periodic directions are needed, got pbc = {atoms.pbc.tolist()}"
        )
    size = np.sqrt(max(np.linalg.det(vectors @ vectors.T), 0.0))
    if not size > 0:
        raise StructureError(f"periodic cell vectors span no volume: cell {atoms.cell.tolist()}")
    return float(size)


def shells(edges: np.ndarray, dim: int) -> np.ndarray:
    """Volume (Å³) or area (Å²) of the shell of each bin, (n_r,), exactly.

    Parameters
    ----------
    edges : (n_r + 1,) Å
    dim : int
        3: 4π/3 (r₂³ − r₁³); 2: π (r₂² − r₁²).

    Examples
    --------
    >>> (shells(np.array([0.0, 1.0, 2.0]), 2) / np.pi).tolist()
    [1.0, 3.0]
    """
    return {2: np.pi, 3: 4 * np.pi / 3}[dim] * np.diff(edges**dim)


def _half_crossing(r: np.ndarray, g: np.ndarray) -> float:
    """Where g first falls below half of g[0], walking along r."""
    below = np.flatnonzero(g < g[0] / 2)
    if len(below) == 0:
        raise StructureError(
            "the first peak of g(r) does not fall to half its height within the range"
        )
    outer = below[0]
    share = (g[outer - 1] - g[0] / 2) / (g[outer - 1] - g[outer])
    return r[outer - 1] + share * (r[outer] - r[outer - 1])
