"""The mean square frequency: from the Hessian, and for pair potentials from distances or g(r).

Averages run over all dN modes, the d translations (which add nothing) included, so that they
follow from the trace of the mass-weighted Hessian and need no eigenvalues.
"""

from itertools import product

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from glassdata.neighbours import neighbours
from glassdata.potentials import Bonds, EnergySurface, PairPotential
from glassdata.radial import shells
from glassdata.units import THZ
from glassdata.vibrations import dynamical_matrix


def mean_square(atoms: Atoms, potential: EnergySurface | Calculator) -> float:
    """Mean square frequency of a structure over all dN modes, Tr(M⁻¹H)/(dN).

    Parameters
    ----------
    atoms : Atoms
    potential : Potential or ASE calculator

    Returns
    -------
    float, THz²

    Examples
    --------
    >>> import numpy as np
    >>> import glassdata as gd
    >>> atoms, potential = gd.SYSTEMS["lj3d"].crystal(), gd.SYSTEMS["lj3d"].potential
    >>> modes = gd.frequencies(atoms, potential)
    >>> bool(np.isclose(mean_square(atoms, potential), (modes**2).mean()))
    True
    """
    return float(dynamical_matrix(atoms, potential).diagonal().mean() * THZ**2)


def pair_mean_square(atoms: Atoms, potential: PairPotential) -> float:
    """Mean square frequency, THz², of a pair potential from the list of distances alone.

    Every ordered pair adds [φ'' + (d − 1) φ'/r] / (d N m), with the mass m of its first atom:
    exact, as :func:`mean_square`. An atom and its own image move together and add nothing, though
    g(r) counts them: the integral over g(r) is exact only in cells whose vectors are longer than
    the cut-off.

    Parameters
    ----------
    atoms : Atoms
    potential : PairPotential

    Returns
    -------
    float, THz²

    Examples
    --------
    >>> import glassdata as gd
    >>> atoms, potential = gd.SYSTEMS["lj3d"].crystal(), gd.SYSTEMS["lj3d"].potential
    >>> bool(np.isclose(pair_mean_square(atoms, potential), mean_square(atoms, potential)))
    True
    """
    first, second, distance = neighbours("ijd", atoms, potential.cutoff)
    symbols, mass = np.array(atoms.get_chemical_symbols()), atoms.get_masses()
    total = 0.0
    for a, b in product(range(len(potential.species)), repeat=2):
        mine = (symbols[first] == potential.species[a]) & (symbols[second] == potential.species[b])
        mine &= first != second
        total += (_stiffness(potential, distance[mine], (a, b)) / mass[first[mine]]).sum()
    return float(total / (potential.dim * len(atoms)))


def moment_kernel(
    potential: PairPotential,
    edges: np.ndarray,
    mass: float,
    *,
    pair: tuple[int, int] = (0, 0),
    points: int = 200,
) -> np.ndarray:
    """The linear functional that turns a binned g(r) into the mean square frequency.

    Parameters
    ----------
    potential : PairPotential
    edges : (n_r + 1,) Å, increasing
    mass : float, u
        For unlike atoms the harmonic mean of both.
    pair : tuple of int
        Which two of the potential's species.
    points : int
        Distances per bin over which the kernel is averaged.

    Returns
    -------
    (n_r,) THz² Å^d: ``density * (kernel @ g)`` is the mean square frequency over dN modes if the
    distances are spread evenly over each bin; in a mixture it is the sum over all ordered pairs of
    species of that times both fractions. Values for bins at small distances are huge
    (φ'' ~ r⁻¹⁴); they do not matter where g is zero.

    Examples
    --------
    >>> import glassdata as gd
    >>> system = gd.SYSTEMS["lj3d"]
    >>> atoms, edges = system.crystal() * (2, 2, 2), np.linspace(0.0, 9.0, 3001)
    >>> kernel = moment_kernel(system.potential, edges, mass=atoms.get_masses()[0])
    >>> found = len(atoms) / atoms.get_volume() * (kernel @ gd.rdf(atoms, edges))
    >>> bool(np.isclose(found, mean_square(atoms, system.potential), rtol=0.01))
    True
    """
    edges, d = np.asarray(edges, float), potential.dim
    share = (np.arange(points) + 0.5) / points
    r = edges[:-1, None] + np.diff(edges)[:, None] * share
    weight = r ** (d - 1) / (r ** (d - 1)).sum(axis=1, keepdims=True)
    mean = (_stiffness(potential, r.ravel(), pair).reshape(r.shape) * weight).sum(axis=1)
    return shells(edges, d) * mean / (d * mass)


def _stiffness(potential: PairPotential, r: np.ndarray, pair: tuple[int, int]) -> np.ndarray:
    """φ'' + (d − 1) φ'/r in THz² u."""
    one, other = np.zeros(len(r), int), np.ones(len(r), int)
    along = r[:, None] * np.array([1.0, 0.0, 0.0])
    apart = Bonds(2, one, other, np.zeros_like(along), along)
    tension, curvature = potential.stiffness(np.array(pair), apart)
    return (curvature + (potential.dim - 1) * tension) * THZ**2
