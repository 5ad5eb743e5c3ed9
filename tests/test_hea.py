"""The high-entropy alloy: five published metals, a random crystal of them, and a glass."""

from itertools import pairwise

import numpy as np
import pytest
from ase.build import bulk

import glassdata as gd
from glassdata.minimise import relax
from glassdata.order import chemical_order, far_order
from glassdata.row import make_structure
from glassdata.vibrations import energy_forces

HEA = gd.SYSTEMS["hea"]

#: Lattice, its shortest vector (Å) and cohesive energy (eV per atom) to which Zhou, Johnson and
#: Wadley fitted each metal; hcp has the ideal 1.623 of their cobalt.
METALS = {
    "Cu": ("fcc", {}, 3.615, 3.54),
    "Ni": ("fcc", {}, 3.520, 4.45),
    "Pd": ("fcc", {}, 3.890, 3.91),
    "Fe": ("bcc", {}, 2.866, 4.29),
    "Co": ("hcp", {"c": 1.623 * 2.512}, 2.512, 4.41),
}


@pytest.mark.parametrize("symbol", METALS)
def test_the_alloy_s_potential_keeps_each_published_metal(symbol):
    """With the functions faded at 12 Å they agree to four digits: ``test_potentials``."""
    lattice, axes, a, cohesive = METALS[symbol]
    published = bulk(symbol, lattice, a=a, **axes)
    crystal = relax(published, HEA.potential, cell="isotropic")
    # At 7.5 Å the fade takes a little of the attraction away.
    assert crystal.cell.cellpar()[0] == pytest.approx(published.cell.cellpar()[0], rel=3e-3)
    energy = energy_forces(crystal, HEA.potential)[0] / len(crystal)
    assert energy == pytest.approx(-cohesive, rel=1e-2)


def test_the_crystal_is_random_and_equimolar():
    crystal = HEA.crystal()
    assert crystal.symbols.formula.count() == dict.fromkeys(HEA.species, 100)
    # 6000 bonds; a pair of one kind is 1/25 of twice these: 5 percent, four of those.
    assert np.abs(chemical_order(crystal, HEA.bond_length, HEA.species)).max() < 0.25


def test_families_occupy_the_sites_anew_and_small_cells_as_evenly_as_they_can():
    protocol = HEA.protocols["demo"].parts[0].protocol
    one, same, other = (
        protocol.lattice(HEA, np.random.default_rng(seed)).numbers for seed in (0, 0, 1)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    room, crystal = (
        each.cell.volume / len(each)
        for each in (protocol.lattice(HEA, np.random.default_rng(0)), HEA.crystal())
    )
    assert room == pytest.approx(crystal, rel=1e-12)
    counts = np.unique(one, return_counts=True)[1]
    assert np.ptp(counts) <= 1
    assert counts.sum() == 108


def test_a_cooled_alloy_is_a_glass_at_its_density():
    glass = make_structure("hea", 1)
    assert glass.info["ensemble"] == "quenched"
    protocol = HEA.protocols["demo"].parts[1].protocol
    cooling = protocol.coolings[glass.info["preparation"]]
    assert len(glass) / glass.get_volume() == pytest.approx(cooling.density)
    # Of 150 atoms chance leaves a seventh.
    assert far_order(glass, HEA.crystal(), 3) < 0.25


def test_preparations_spread_over_two_decades_and_three_densities():
    protocol = HEA.protocols["reference"].parts[1].protocol
    rates = sorted({c.rate for c in protocol.coolings})
    assert rates[-1] / rates[0] >= 100
    assert all(b / a == pytest.approx(10) for a, b in pairwise(rates))
    assert len({c.density for c in protocol.coolings}) == 3
    assert protocol.preparations == 9
