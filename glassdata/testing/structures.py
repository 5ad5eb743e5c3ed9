"""Small structures with every pair of species, many angles, and atoms at every cut-off."""

from itertools import combinations_with_replacement, product

import numpy as np
from ase import Atoms

from glassdata.vibrations import energy_forces

# Distances from the spacing at which a dimer is at rest, in steps of the lattice.
_LOOSE = 1.18
# Displacement of the atoms of the disordered structures, share of the spacing.
_RATTLE = 0.09
_SCANNED = 150
# Minima that matter, share of the depth of the deepest.
_SHALLOW = 0.3


class Reach:
    """How far the atoms of a potential interact, and at which distances two of them are at rest.

    Attributes
    ----------
    cutoff : float, Å
    rest : dict
        Distance (Å) at which each pair of species is at rest, in the outermost minimum that
        matters: tables may have false ones further in. Two thirds of the cut-off for two atoms
        that only repel each other.
    depth : float
        Energy (eV) of the deepest pair; for repulsion alone, that at half the cut-off.
    """

    def __init__(self, potential) -> None:
        self.potential, self.cutoff = potential, float(potential.cutoff)
        species = tuple(potential.species)
        self.species = species
        self.rest, depths = {}, []
        r = np.linspace(0.1, 1.02, _SCANNED) * self.cutoff
        for pair in combinations_with_replacement(species, 2):
            energies = np.array([energy_forces(dimer(pair, x), potential)[0] for x in r])
            energies -= energies[-1]
            inner = energies[1:-1]
            minimum = (inner < energies[:-2]) & (inner <= energies[2:])
            deep = minimum & (inner < -_SHALLOW * abs(energies.min()))
            bound = deep.any()
            best = 1 + int(np.flatnonzero(deep)[-1]) if bound else 0
            distance = r[best] if bound else 2 / 3 * self.cutoff
            self.rest[pair] = self.rest[pair[::-1]] = float(distance)
            depths.append(-energies[best] if bound else abs(energies[_SCANNED // 2]))
        self.depth = float(max(depths))

    @property
    def spacing(self) -> float:
        """Mean distance of two atoms at rest, Å."""
        return float(np.mean(list(self.rest.values())))


def dimer(pair: tuple[str, str], distance: float) -> Atoms:
    """Two atoms in empty space, along x, which lies in the plane of two-dimensional potentials."""
    return Atoms(list(pair), positions=[[0.0, 0.0, 0.0], [distance, 0.0, 0.0]])


def trimer(symbols: tuple[str, str, str], rest: float, distance: float, angle: float) -> Atoms:
    """Two atoms at ``rest``, and a third at ``distance`` from the first under ``angle`` (rad).

    Parameters
    ----------
    symbols
        Species of the first, second and third atom.
    rest : float, Å
        Distance of the second atom from the first.
    distance : float, Å
        Distance of the third atom from the first.
    angle : float, rad
        Between the two bonds of the first atom.
    """
    third = distance * np.array([np.cos(angle), np.sin(angle), 0.0])
    return Atoms(list(symbols), positions=[[0.0, 0.0, 0.0], [rest, 0.0, 0.0], third])


def structures(reach: Reach, rng: np.random.Generator) -> dict[str, Atoms]:
    """Disordered structures with all species, by name."""
    potential, spacing = reach.potential, reach.spacing
    made = {
        "dense": disordered(reach, spacing, rng),
        "loose": disordered(reach, _LOOSE * spacing, rng),
        "images": _images(reach, rng),
        "cluster": _cluster(reach, rng),
    }
    if potential.dim == 3:
        sheet = disordered(reach, 1.05 * spacing, rng, layers=1)
        sheet.pbc = (True, True, False)
        made["sheet"] = sheet
    return made


def disordered(reach: Reach, spacing: float, rng: np.random.Generator, *, layers: int = 2) -> Atoms:
    """Some 18 atoms (16 in a plane) of random species on a disordered lattice in a skewed cell.

    Parameters
    ----------
    reach : Reach
        The potential with its species and distances.
    spacing : float, Å
        Distance of neighbours before the atoms are moved.
    rng : Generator
        Source of the random numbers.
    layers : int
        Layers of the lattice along z; without effect in a plane.
    """
    flat = reach.potential.dim == 2
    sizes = (4, 4, 1) if flat else (3, 3, layers)
    sites = np.array(list(product(*map(range, sizes))), float)
    # A close-packed lattice: neighbours at one spacing, no overlaps at any composition.
    basis = np.array([[1, 0, 0], [0.5, np.sqrt(3) / 2, 0], [0.5, np.sqrt(1 / 12), np.sqrt(2 / 3)]])
    positions = sites @ basis * spacing
    steps = _RATTLE * spacing * rng.uniform(-1, 1, positions.shape)
    if flat:
        steps[:, 2] = 0.0
    symbols = _mixed(reach.species, len(sites), rng)
    cell = basis * np.array(sizes)[:, None] * spacing
    if flat:
        cell[2] = [0.0, 0.0, 20.0]
    pbc = (True, True, not flat)
    return Atoms(symbols, positions=positions + steps, cell=cell, pbc=pbc)


def _mixed(species: tuple[str, ...], n: int, rng: np.random.Generator) -> list[str]:
    """Equal shares of all species in random order."""
    return list(rng.permutation(np.resize(species, n)))


def _images(reach: Reach, rng: np.random.Generator) -> Atoms:
    """Cells so short that an atom meets its own images."""
    flat = reach.potential.dim == 2
    a = reach.spacing * 1.07
    cell = np.array([[a, 0, 0], [0.4 * a, 1.05 * a, 0], [0.3 * a, 0.2 * a, 1.1 * a]])
    if flat:
        cell[2] = [0.0, 0.0, 20.0]
    cell[1] *= 1.8
    fractions = [[0.0, 0.0, 0.0], [0.27, 0.48, 0.0 if flat else 0.09]]
    symbols = _mixed(reach.species, 2, rng)
    return Atoms(symbols, scaled_positions=fractions, cell=cell, pbc=(True, True, not flat))


def _cluster(reach: Reach, rng: np.random.Generator) -> Atoms:
    """Five atoms without any periodicity."""
    packed = disordered(reach, reach.spacing, rng)
    near = np.argsort(np.linalg.norm(packed.positions - packed.positions.mean(axis=0), axis=1))
    cluster = packed[np.sort(near[:5])]
    cluster.numbers[:] = Atoms(_mixed(reach.species, 5, rng)).numbers
    cluster.pbc, cluster.cell = False, np.zeros((3, 3))
    return cluster
