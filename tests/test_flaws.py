"""False minima and switched-off bonds are found where they are, and nowhere else."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from glassdata.potentials import (
    ERHART_ALBE_2005,
    TERSOFF_1989,
    BondOrder,
    StillingerWeber,
    false_pairs,
    pinned_fraction,
    read_setfl,
    zhou_eam,
)
from glassdata.systems import SYSTEMS

SHENG = SYSTEMS["cualzr_sheng"].potential
FILE = Path(__file__).parents[2] / "shared" / "data" / SHENG.file
SIC = BondOrder(ERHART_ALBE_2005)


def dimer(symbols, r, **cell):
    return Atoms(symbols, positions=[[0.3, 0.2, 0.1], [0.3 + r, 0.2, 0.1]], **cell)


@pytest.mark.parametrize("symbols", ["CuCu", "CuZr", "ZrCu", "AlAl", "AlZr", "CuAl", "ZrZr"])
def test_a_pair_in_a_false_minimum_is_named(symbols):
    (pair,) = false_pairs(dimer(symbols, 1.72), SHENG)
    assert pair.distance == pytest.approx(1.72)
    assert pair.shortest == 2.0
    assert sorted((pair.first, pair.second)) == [0, 1]
    assert sorted(pair.symbols) == sorted(Atoms(symbols).symbols)
    assert "are 1.72 Å apart" in str(pair)
    assert false_pairs(dimer(symbols, 2.01), SHENG) == []


def test_false_pairs_come_nearest_first_and_across_the_cell():
    atoms = Atoms("Cu4", positions=[[0, 0, 0], [1.9, 0, 0], [5, 5, 5], [5, 5, 9.3]])
    atoms.set_cell([10, 10, 5.0])
    atoms.pbc = True
    found = false_pairs(atoms, SHENG)
    # The last is 0.7 Å from an image of the third.
    assert [sorted((pair.first, pair.second)) for pair in found] == [[2, 3], [0, 1]]
    assert found[0].distance == pytest.approx(0.7)


def test_an_atom_too_near_to_its_own_image_is_a_false_pair():
    atoms = Atoms("Cu", cell=[1.8, 10, 10], pbc=True)
    (pair,) = false_pairs(atoms, SHENG)
    assert (pair.first, pair.second) == (0, 0)


def test_a_crystal_has_no_flaws():
    # Some potentials need files of others; the crystal of the same substance will do.
    same = {"cualzr_sheng": "cualzr", "sic_mlip": "sic"}
    for name, system in SYSTEMS.items():
        crystal = SYSTEMS[same.get(name, name)].crystal()
        assert false_pairs(crystal, system.potential) == []
        assert pinned_fraction(crystal, system.potential) == 0


def test_the_distances_are_a_setting_of_the_potential():
    zhou = zhou_eam(("Cu", "Zr"), r_on=6.5, r_cut=7.5)
    assert false_pairs(dimer("CuCu", 0.5), zhou) == []  # its wall has no second minimum
    with pytest.raises(ValueError, match=r"shortest: \('Cu', 'Au'\) is not a pair of Zr, Cu, Al"):
        type(SHENG)("x", "0", "", ("Zr", "Cu", "Al"), 6.5, {("Cu", "Au"): 2.0})
    with pytest.raises(ValueError, match="-1 Å of Cu-Cu is not a distance"):
        type(SHENG)("x", "0", "", ("Zr", "Cu", "Al"), 6.5, {("Cu", "Cu"): -1})


def test_setfl_files_are_read_with_their_shortest_distances(tmp_path):
    path = tmp_path / "x.alloy"
    lines = ["", "", "", "1 Cu", "3 0.5 4 0.5 2.0", "29 63.5 3.6 fcc", "0 1 2", "4 3 2 0"]
    path.write_text("\n".join([*lines, "4 3 2 0"]))
    bare, warned = read_setfl(path), read_setfl(path, shortest={("Cu", "Cu"): 1.5})
    assert false_pairs(dimer("CuCu", 1.4), bare) == []
    assert len(false_pairs(dimer("CuCu", 1.4), warned)) == 1
    # They change no energy, and therefore not what identifies the potential.
    assert warned.parameters() == bare.parameters()


@pytest.mark.skipif(not FILE.exists(), reason="no Cheng-Ma-Sheng file beside the repo")
def test_published_table_has_a_false_minimum_below_the_shortest_distance():
    """Two atoms of any species have two minima, one on either side of it."""
    potential = read_setfl(FILE, sha256=SHENG.sha256)
    r = np.arange(1.2, 3.0, 0.01)
    for pair, shortest in SHENG.shortest.items():
        energy = np.array([potential.evaluate(dimer("".join(pair), x))[0] for x in r])
        minima = r[1:-1][(energy[1:-1] < energy[:-2]) & (energy[1:-1] < energy[2:])]
        assert len(minima) == 2
        assert minima[0] < shortest < minima[1]


@pytest.mark.parametrize(
    ("symbols", "inside", "outside"),
    [("CC", 2.0, (1.85, 2.15)), ("CSi", 2.4, (2.2, 2.6)), ("SiSi", 2.8, (2.68, 2.96))],
)
def test_a_bond_inside_its_window_pins_both_of_its_atoms(symbols, inside, outside):
    atoms = dimer(symbols, inside) + Atoms("C", positions=[[50.0, 0, 0]])
    assert pinned_fraction(atoms, SIC) == pytest.approx(2 / 3)
    for r in (outside[0] - 1e-6, outside[1] + 1e-6):
        assert pinned_fraction(dimer(symbols, r), SIC) == 0
    assert SIC.window(*Atoms(symbols).symbols) == pytest.approx(outside)


def test_windows_belong_to_pairs_of_species():
    # Within the window of Si-Si, beyond those of C-Si and C-C.
    assert pinned_fraction(dimer("SiSi", 2.8), SIC) == 1
    assert pinned_fraction(dimer("CSi", 2.8), SIC) == 0
    assert pinned_fraction(dimer("CC", 2.8), SIC) == 0
    with pytest.raises(ValueError, match="knows C, Si, not Ge"):
        pinned_fraction(dimer("GeSi", 2.8), SIC)


def test_pinned_neighbours_across_the_cell_count():
    sheet = Atoms("C2", positions=[[0, 0, 0], [8.0, 0, 0]], cell=[10, 20, 20], pbc=True)
    assert pinned_fraction(sheet, BondOrder(TERSOFF_1989)) == 1
    sheet.pbc = False
    assert pinned_fraction(sheet, BondOrder(TERSOFF_1989)) == 0


def test_potentials_that_fade_smoothly_have_no_window():
    atoms = bulk("Si", "diamond", a=5.43, cubic=True)
    atoms.rattle(0.5, seed=1)
    assert pinned_fraction(atoms, StillingerWeber()) == 0


def test_disordered_silicon_carbide_is_pinned():
    """Of the atoms of a strongly disordered crystal, those whose bonds are counted by hand."""
    atoms = bulk("SiC", "zincblende", a=4.36, cubic=True) * (2, 2, 2)
    atoms.rattle(0.25, seed=1)
    distances = atoms.get_all_distances(mic=True)
    pinned = [
        any(
            low < distances[i, j] < high
            for j in range(len(atoms))
            for low, high in [SIC.window(atoms.symbols[i], atoms.symbols[j])]
        )
        for i in range(len(atoms))
    ]
    assert 0.1 < np.mean(pinned) < 0.9
    assert pinned_fraction(atoms, SIC) == pytest.approx(np.mean(pinned), abs=1e-12)
