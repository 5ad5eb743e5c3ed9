"""π electrons of a carbon sheet: density of states and conductivity by tight binding.

One orbital an atom, with a hopping that falls with the distance, t exp(−β (d/d₀ − 1)): Pereira,
Castro Neto and Peres, Phys. Rev. B 80, 045401 (2009), doi:10.1103/PhysRevB.80.045401. The sheet is
half filled, and the conductivity is that of Kubo and Greenwood at zero temperature. Electrons see
how bonds are connected over many atoms, which g(r) does not tell: for a line from g(r) they are the
control that should fail.
"""

from dataclasses import dataclass

import numpy as np
from ase import Atoms

from glassdata.bins import checked_edges
from glassdata.errors import StructureError
from glassdata.neighbours import neighbours
from glassdata.sheet import check_sheet

#: Hopping between neighbours of graphene (eV), its decay, and their distance (Å).
HOPPING, DECAY, BOND = 2.7, 3.37, 1.42
#: Atoms farther apart than this have no bond, Å: between the first and the second neighbours.
REACH = 1.85
# Width of the kernel that stands for δ in the conductivity, eV.
_WIDTH = 0.1
# Conductance quantum per spin and 2π: e²/h is 1 / (2π) in units of e²/ħ; two spins.
_SPINS = 2


@dataclass(frozen=True)
class PiElectrons:
    """Levels of the π electrons and what follows from them.

    Attributes
    ----------
    levels : (N,) eV
        From the Fermi level of the half-filled sheet, ascending.
    density : (n_bins,) states/eV
        Per atom and spin; its integral is the share of levels within the edges.
    conductivity : float, e²/h
        At the Fermi level, mean over the directions of the plane, both spins.

    Examples
    --------
    >>> import glassdata as gd
    >>> sheet = gd.SYSTEMS["amc_lb"].crystal() * (6, 4, 1)
    >>> found = pi_electrons(sheet, np.linspace(-10, 10, 41))
    >>> round(float(np.sum(found.density) * 0.5), 6)
    1.0
    """

    levels: np.ndarray
    density: np.ndarray
    conductivity: float


def pi_electrons(atoms: Atoms, edges: np.ndarray, *, width: float = _WIDTH) -> PiElectrons:
    """Levels, density of states and conductivity of the π electrons of a carbon sheet.

    Parameters
    ----------
    atoms : Atoms
        Carbon, in a plane or buckled, periodic in it.
    edges : (n_bins + 1,) eV
        From the Fermi level.
    width : float, eV
        Of the Gaussian that stands for δ in the conductivity.

    Raises
    ------
    ValueError
        For other elements, or atoms without any bond.

    Examples
    --------
    Graphene's levels are symmetric about the Fermi level, from −3 t to 3 t:

    >>> import glassdata as gd
    >>> sheet = gd.SYSTEMS["amc_lb"].crystal() * (6, 4, 1)
    >>> levels = pi_electrons(sheet, np.linspace(-10, 10, 41)).levels
    >>> bool(np.allclose(levels, -levels[::-1])), bool(levels.max() < 3.2 * HOPPING)
    (True, True)
    """
    check_sheet(atoms)
    if set(atoms.symbols) != {"C"}:
        raise ValueError(f"π electrons are those of carbon, not of {atoms.symbols.formula}")
    edges = checked_edges(edges, "energy edges", from_zero=False)
    hamiltonian, currents = _matrices(atoms)
    energy, states = np.linalg.eigh(hamiltonian)
    half = len(atoms) // 2
    fermi = 0.5 * (energy[half - 1] + energy[half]) if len(atoms) % 2 == 0 else energy[half]
    levels = energy - fermi
    density = np.histogram(levels, edges)[0] / (len(atoms) * np.diff(edges))
    near = np.exp(-0.5 * (levels / width) ** 2) / (width * np.sqrt(2 * np.pi))
    area = float(np.linalg.norm(np.cross(atoms.cell[0], atoms.cell[1])))
    # σ = (2 spins) π e²/(ħ A) Σ |⟨m| [H, x] |n⟩|² δ(E_m) δ(E_n), and e²/ħ = 2π e²/h.
    strength = np.mean([near @ (states.T @ current @ states) ** 2 @ near for current in currents])
    return PiElectrons(levels, density, float(_SPINS * 2 * np.pi**2 * strength / area))


def _matrices(atoms: Atoms) -> tuple[np.ndarray, list[np.ndarray]]:
    """Hamiltonian (eV) and its commutators with x and y (eV Å), (N, N) each; sums over images."""
    first, second, vectors = neighbours("ijD", atoms, REACH)
    if not len(first):
        raise StructureError(f"no two atoms are nearer than {REACH} Å: there are no bonds")
    hopping = -HOPPING * np.exp(-DECAY * (np.linalg.norm(vectors, axis=1) / BOND - 1))
    n = len(atoms)
    hamiltonian, along = np.zeros((n, n)), [np.zeros((n, n)) for _ in range(2)]
    np.add.at(hamiltonian, (first, second), hopping)
    for axis, matrix in enumerate(along):
        np.add.at(matrix, (first, second), hopping * vectors[:, axis])
    return hamiltonian, along
