"""What the surroundings of each particle of a planar mixture are like: descriptors, one by one.

All are taken at the minimum to which the liquid was quenched (its inherent structure), and lengths
are in units of ``unit``, the size of the largest particle. With the weight w(r) = exp(−r/L) of a
particle at the distance r, the particle itself included:

    density S L     Σ w over the particles of species S
    energy L        Σ w e / Σ w; e is half the energy of a particle's pairs, eV
    perimeter L     Σ w p / Σ w; p is the perimeter of a particle's Voronoi cell
    energy, perimeter   of the particle itself

as in Jung, Biroli and Berthier, Phys. Rev. Lett. 130, 238202 (2023),
doi:10.1103/PhysRevLett.130.238202; how many particles are where,

    count S R       Σ exp(−(r − R)² / 2δ²) over the other particles of species S

as in Behler and Parrinello, Phys. Rev. Lett. 98, 146401 (2007), doi:10.1103/PhysRevLett.98.146401;
and, from the eigenvectors e_k of the Hessian, how softly the particle i is held:

    Debye-Waller    Σ_k |e_ik|² / (m_i ω_k²), which times kT is its mean square displacement, Å²/eV
    soft modes      N times its share in the softest ``SOFT`` of all modes, with frequencies above 0

The last two need all eigenvectors; the others are quickly made.

>>> LENGTHS, RADII[0], RADII[-1], WIDTH, SOFT
((0.5, 1.0, 2.0, 3.0), 0.7, 4.5, 0.1, 0.02)
"""

from collections.abc import Mapping

import numpy as np
from ase import Atoms
from scipy.spatial import Voronoi

from glassdata.kernels import compiled
from glassdata.observables.rest import modes_at_rest
from glassdata.potentials import EnergySurface, LennardJonesMixture
from glassdata.potentials.mixture import pair_energy
from glassdata.units import THZ

#: Lengths L of the weights, in units of the largest particle.
LENGTHS = (0.5, 1.0, 2.0, 3.0)
#: Distances R at which particles are counted, and the width δ of a count.
RADII = tuple(round(0.7 + 0.2 * k, 1) for k in range(20))
WIDTH = 0.1
#: Share of the modes that count as soft.
SOFT = 0.02


def descriptors(
    atoms: Atoms,
    potential: LennardJonesMixture,
    *,
    harmonic: Mapping[str, np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """All descriptors of each particle, by name, (N,) each.

    Parameters
    ----------
    atoms : Atoms
        At rest, in a square periodic cell of the plane.
    potential : LennardJonesMixture
    harmonic : mapping of str to (N,), optional
        What ``softness`` says of it, if that is known: it takes all eigenvectors.

    Raises
    ------
    ValueError
        If the structure is not planar, not at rest, or its modes are imaginary.

    Examples
    --------
    >>> import glassdata as gd
    >>> mixture = gd.SYSTEMS["ka2d"]
    >>> found = descriptors(gd.dataset("ka2d").atoms(0), mixture.potential)
    >>> len(found), found["perimeter"].shape
    (84, (1290,))
    """
    if potential.dim != 2:
        raise ValueError("descriptors of surroundings are for mixtures in the plane")
    unit = float(np.max(potential.sigma))
    kinds = potential.types(atoms)
    cell = np.diag(atoms.cell.array)[:2]
    apart = atoms.positions[:, None, :2] - atoms.positions[None, :, :2]
    apart -= cell * np.round(apart / cell)
    distance = np.sqrt((apart**2).sum(axis=2)) / unit
    energy = _energies(distance * unit, kinds.astype(np.int64), potential.table)
    around = perimeters(atoms.positions[:, :2], cell) / unit
    found = {}
    for length in LENGTHS:
        weight = np.exp(-distance / length)
        for kind, name in enumerate(potential.species):
            found[f"density {name} {length:g}"] = weight[:, kinds == kind].sum(axis=1)
        for word, values in (("energy", energy), ("perimeter", around)):
            found[f"{word} {length:g}"] = weight @ values / weight.sum(axis=1)
    found |= {"energy": energy, "perimeter": around}
    for radius in RADII:
        near = np.exp(-((distance - radius) ** 2) / (2 * WIDTH**2))
        np.fill_diagonal(near, 0.0)
        for kind, name in enumerate(potential.species):
            found[f"count {name} {radius:g}"] = near[:, kinds == kind].sum(axis=1)
    return found | dict(softness(atoms, potential) if harmonic is None else harmonic)


def softness(atoms: Atoms, potential: EnergySurface) -> dict[str, np.ndarray]:
    """How softly each particle is held: ``Debye-Waller`` and ``soft modes``, (N,) each.

    Parameters
    ----------
    atoms : Atoms
        At rest.
    potential : Potential

    Raises
    ------
    ValueError
        If the structure is not at rest, or its modes are imaginary.

    Examples
    --------
    The softest modes are shared by all atoms of a crystal alike:

    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> held = softness(argon.crystal() * (2, 2, 2), argon.potential)
    >>> bool(held["Debye-Waller"].std() < 1e-6 * held["Debye-Waller"].mean())
    True
    """
    n = len(atoms)
    held, vibrating = modes_at_rest(atoms, potential, None)
    share = (held.eigenvectors[:, vibrating] ** 2).reshape(n, -1, len(vibrating)).sum(axis=1)
    # From THz² to eV/(Å² u), stiffness over mass.
    squares = (held.frequencies[vibrating] / THZ) ** 2
    softest = np.argsort(squares)[: max(round(SOFT * len(squares)), 1)]
    return {
        "Debye-Waller": (share / squares).sum(axis=1) / atoms.get_masses(),
        "soft modes": n * share[:, softest].mean(axis=1),
    }


def perimeters(positions: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Perimeter of each particle's Voronoi cell in a periodic rectangle, (N,), Å.

    Parameters
    ----------
    positions : (N, 2) Å
    cell : (2,) Å

    Examples
    --------
    One particle in a square of its own:

    >>> perimeters(np.array([[0.3, 0.4]]), np.array([2.0, 2.0])).tolist()
    [8.0]
    """
    n = len(positions)
    home = positions % cell
    images = [home + cell * (a, b) for a in (0, -1, 1) for b in (0, -1, 1)]
    diagram = Voronoi(np.concatenate(images))
    found = np.empty(n)
    for k in range(n):
        corners = diagram.vertices[diagram.regions[diagram.point_region[k]]]
        found[k] = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1).sum()
    return found


@compiled(error_model="numpy")
def _energies(distance, kinds, table):
    """Half the energy of each particle's pairs, eV."""
    n = len(kinds)
    found = np.zeros(n)
    for i in range(n):
        for j in range(n):
            of = table[kinds[i], kinds[j]]
            r2 = distance[i, j] ** 2
            if i != j and r2 < of[2]:
                found[i] += pair_energy(r2, of) / 2
    return found
