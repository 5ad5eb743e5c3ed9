"""π electrons of carbon sheets: bands of graphene, and Kubo's formula written out."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import graphene

from glassdata.observables.electrons import BOND, DECAY, HOPPING, REACH, pi_electrons

EDGES = np.linspace(-9.0, 9.0, 37)


def sheet(n: int) -> Atoms:
    return graphene(a=BOND * np.sqrt(3), size=(n, n, 1), vacuum=10.0)


def test_levels_of_graphene_are_those_of_its_bands():
    """±t |1 + exp(2πi u) + exp(2πi v)| at the waves that fit six cells."""
    n = 6
    u, v = np.meshgrid(np.arange(n) / n, np.arange(n) / n)
    waves = np.abs(1 + np.exp(2j * np.pi * u) + np.exp(2j * np.pi * v)).ravel()
    levels = np.sort(np.concatenate([HOPPING * waves, -HOPPING * waves]))
    np.testing.assert_allclose(pi_electrons(sheet(n), EDGES).levels, levels, atol=1e-12)


def test_a_pair_of_atoms_splits_by_twice_its_hopping():
    d = 1.6
    pair = Atoms("C2", [[0, 0, 5], [d, 0, 5]], cell=[20, 20, 10], pbc=[True, True, False])
    hopping = HOPPING * np.exp(-DECAY * (d / BOND - 1))
    np.testing.assert_allclose(pi_electrons(pair, EDGES).levels, [-hopping, hopping], rtol=1e-12)


def test_the_conductivity_is_kubo_s_sum_over_pairs_of_states():
    rng, width = np.random.default_rng(1), 0.4
    bent = sheet(3)
    bent.positions[:, :2] += 0.08 * rng.normal(size=(len(bent), 2))
    vectors = bent.get_all_distances(mic=True, vector=True)
    length = np.linalg.norm(vectors, axis=2)
    bonded = (length > 0) & (length < REACH)
    hopping = np.where(bonded, -HOPPING * np.exp(-DECAY * (length / BOND - 1)), 0.0)
    energy, states = np.linalg.eigh(hopping)
    half = len(bent) // 2
    energy -= 0.5 * (energy[half - 1] + energy[half])

    def delta(e):
        return np.exp(-0.5 * (e / width) ** 2) / (width * np.sqrt(2 * np.pi))

    total = 0.0
    for axis in (0, 1):
        current = states.T @ (hopping * vectors[..., axis]) @ states
        for m in range(len(bent)):
            for n in range(len(bent)):
                total += 0.5 * current[m, n] ** 2 * delta(energy[m]) * delta(energy[n])
    area = bent.cell.volume / bent.cell.lengths()[2]
    # 2 spins · π e²/(ħ A), and e²/ħ = 2π e²/h.
    found = pi_electrons(bent, EDGES, width=width).conductivity
    assert found == pytest.approx(2 * np.pi * 2 * np.pi * total / area, rel=1e-10)


def test_what_has_no_bonds_or_is_no_carbon_is_refused():
    apart = Atoms("C2", [[0, 0, 5], [4, 0, 5]], cell=[20, 20, 10], pbc=[True, True, False])
    with pytest.raises(ValueError, match="there are no bonds"):
        pi_electrons(apart, EDGES)
    other = apart.copy()
    other.symbols = "BN"
    with pytest.raises(ValueError, match="those of carbon, not of BN"):
        pi_electrons(other, EDGES)
