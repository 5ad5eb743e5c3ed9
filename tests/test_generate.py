"""Making structures: plans, purity, and what comes out is what it says."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given
from hypothesis import strategies as st

import glassdata as gd
from glassdata.minimise import RelaxationError, relax, separate
from glassdata.potentials import LennardJones
from glassdata.protocols import Joined, Stratum, member, rotate_bonds, swap_species, vacate
from glassdata.protocols.sheet import check_network
from glassdata.row import compute_row, describe, make_structure, row_id
from glassdata.schema import RAGGED, VARIABLES
from glassdata.store.rows import conform, dimension_sizes
from glassdata.system import PreparationError
from glassdata.systems import SYSTEMS
from glassdata.vibrations import energy_forces

STRATA = (
    Stratum(2, displacement=(0.0, 1.0)),
    Stratum(3, vacancy_fraction=(0.0, 0.2), cooling_time=(0.1, 10.0)),
)


@given(st.integers(0, 2000))
def test_a_family_shares_its_parent_and_its_stratum(index):
    this = member(STRATA, 0, index)
    assert this.parent <= index
    assert this.replicate == (index % 5 == 4)
    parent = member(STRATA, 0, this.parent)
    assert parent.parent == this.parent
    assert set(parent.knobs) == set(this.knobs)
    if not this.replicate:
        assert not parent.replicate
        near = range(this.parent, this.parent + 4)
        family = [i for i in near if member(STRATA, 0, i).parent == this.parent]
        assert len(family) == 2


def test_strata_are_met_by_weight_in_every_prefix():
    members = [member(STRATA, 0, index) for index in range(250)]
    for n in (50, 125, 250):
        ordinary = [m for m in members[:n] if not m.replicate]
        share = np.mean(["cooling_time" in m.knobs for m in ordinary])
        assert share == pytest.approx(3 / 5, abs=0.08)  # half a cycle of the first 40
    times = np.log10([m.knobs["cooling_time"] for m in members if "cooling_time" in m.knobs])
    assert np.histogram(times, 4, (-1, 1))[0].min() > 0.15 * len(times)


def _first_part(protocol):
    return protocol.parts[0].protocol if isinstance(protocol, Joined) else protocol


REFERENCE = {n: _first_part(s.protocols["reference"]) for n, s in SYSTEMS.items()}
STRATIFIED = [n for n, protocol in REFERENCE.items() if hasattr(protocol, "strata")]


@pytest.mark.parametrize("name", STRATIFIED)
def test_every_knob_covers_its_range_within_its_stratum(name):
    protocol = REFERENCE[name]
    members = [member(protocol.strata, protocol.replicated, index) for index in range(300)]
    for stratum in protocol.strata:
        of_this = [m for m in members if not m.replicate and _belongs(m, stratum)]
        for knob, (low, high) in stratum.ranges():
            if high == low:
                continue
            values = np.array([m.knobs[knob] for m in of_this])
            if knob == "cooling_time":
                values, low, high = np.log(values), np.log(low), np.log(high)
            # Twenty points of a low-discrepancy sequence leave no fifth of the range empty.
            assert np.histogram(values, 5, (low, high))[0].min() > 0, (stratum, knob)


def _belongs(member, stratum):
    knobs = dict(stratum.ranges())
    return knobs.keys() == member.knobs.keys() and all(
        low - 1e-12 <= member.knobs[name] <= high + 1e-12 for name, (low, high) in knobs.items()
    )


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_crystal_that_was_altered_is_perfect_for_the_next(name):
    crystal = SYSTEMS[name].crystal()
    kept = crystal.positions.copy()
    crystal.rattle(0.1)
    assert (SYSTEMS[name].crystal().positions == kept).all()


def test_replicates_repeat_one_preparation():
    replicates = [member(STRATA, 1, index) for index in (4, 9, 14)]
    assert len({tuple(m.knobs.items()) for m in replicates}) == 1
    assert len({m.parent for m in replicates}) == 3


def test_strata_check_their_ranges():
    with pytest.raises(ValueError, match="vacancy_fraction must be 0 <= low <= high"):
        Stratum(1, vacancy_fraction=(0.2, 0.1))
    with pytest.raises(ValueError, match="weight must be at least 1, got 0"):
        Stratum(0)


def test_larger_vacancy_fractions_remove_the_same_atoms_and_more():
    crystal = SYSTEMS["lj3d"].crystal() * (2, 2, 2)
    few = vacate(crystal, 0.1, np.random.default_rng(3))
    many = vacate(crystal, 0.3, np.random.default_rng(3))
    kept_by_few = {tuple(p) for p in few.positions}
    assert {tuple(p) for p in many.positions} < kept_by_few
    assert (len(few), len(many)) == (29, 22)


def test_antisites_keep_the_composition():
    crystal = SYSTEMS["sic"].crystal() * (2, 2, 2)
    swapped = swap_species(crystal, 0.5, np.random.default_rng(0))
    assert sorted(swapped.numbers) == sorted(crystal.numbers)
    assert (swapped.numbers != crystal.numbers).any()


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_row_is_pure_and_says_what_it_is(name):
    system = SYSTEMS[name]
    first, second = compute_row(name, "demo", 1), compute_row(name, "demo", 1)
    assert set(first) <= set(VARIABLES)
    for variable, value in first.items():
        assert value.tobytes() == second[variable].tobytes(), variable
    for variable in ("position", "frequency"):
        ragged = RAGGED[VARIABLES[variable].dims[0]]
        assert len(first[variable]) == first[ragged]
    # Rounding moves an atom by half a step in each direction; the stiffest bonds, at the cut-off
    # of a bond-order potential, have up to 2000 eV/Å².
    rounding = 2000 * system.position_step
    assert first["max_force"] <= system.protocols["demo"].max_force + rounding
    assert first["n_imaginary"] == 0
    assert len(first["frequency"]) == system.potential.dim * (first["n_atoms"] - 1)
    widths = np.diff(system.omega_edges)
    assert (first["pdos"] * widths).sum() == pytest.approx(1.0)
    assert first["excess_energy"] > 0


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_crystal_is_at_rest(name):
    system = SYSTEMS[name]
    crystal = system.crystal()
    _, forces = energy_forces(crystal, system.potential)
    assert np.abs(forces).max() < 1e-5
    stretched = [crystal.copy() for _ in range(2)]
    for atoms, scale in zip(stretched, (0.9995, 1.0005), strict=True):
        atoms.set_cell(atoms.cell * np.where(atoms.pbc, scale, 1.0)[:, None], scale_atoms=True)
    lowest = energy_forces(crystal, system.potential)[0]
    assert all(energy_forces(atoms, system.potential)[0] > lowest for atoms in stretched)


def test_rows_differ_between_systems_profiles_and_indices():
    ids = {row_id(s, p, i) for s in SYSTEMS for p in ("demo", "reference") for i in range(3)}
    assert len(ids) == len(SYSTEMS) * 2 * 3


def test_the_stored_structure_is_the_one_whose_spectrum_is_stored():
    """Rounded for storage before it is described, and nothing rounded afterwards."""
    system = SYSTEMS["lj3d"]
    row = conform(compute_row(system, "demo", 1), dimension_sizes(system))
    steps = row["position"] * 2**26
    assert np.array_equal(steps, np.round(steps))
    read = Atoms(row["number"], row["position"], cell=row["cell"], pbc=True)
    again = conform(describe(read, system), dimension_sizes(system))
    assert all(again[name].tobytes() == row[name].tobytes() for name in again)
    assert row["max_force"] < system.protocols["demo"].max_force


def test_unknown_names_and_indices_are_refused():
    with pytest.raises(ValueError, match="no system 'glass'; there are amc"):
        gd.make_structure("glass", 0)
    with pytest.raises(ValueError, match="no profile 'huge'; there are demo, reference, paper"):
        gd.make_structure("sic", 0, profile="huge")
    with pytest.raises(ValueError, match="structures 0 to 7"):
        gd.make_structure("sic", 8)


def test_quenched_carbon_is_a_disordered_threefold_network():
    # Index 4 is the replicate preparation: a quench without vacancies.
    row = compute_row("amc", "demo", 4)
    assert row["threefold_fraction"] > 0.9
    assert 0.25 < row["ring_6"] < 0.75
    assert row["ring_5"] > 0.1
    assert row["ring_7"] > 0.08
    assert row["excess_energy"] > 0.3


def test_stone_wales_rotations_make_pentagons_and_heptagons():
    from glassdata.rings import ring_fractions

    system = SYSTEMS["amc"]
    sheet = rotate_bonds(
        system.crystal() * (6, 4, 1), 1, system.potential, np.random.default_rng(0), bond=2.0
    )
    fractions = ring_fractions(sheet, system.bond_length)
    assert fractions * 48 == pytest.approx([2, 44, 2])


def test_relaxation_goes_downhill_and_leaves_its_argument_alone():
    potential = SYSTEMS["lj3d"].potential
    start = SYSTEMS["lj3d"].crystal() * (2, 2, 2)
    start.rattle(0.2, seed=1)
    before = start.positions.copy()
    end = relax(start, potential, max_force=1e-6)
    assert (start.positions == before).all()
    assert energy_forces(end, potential)[0] < energy_forces(start, potential)[0]
    assert np.abs(energy_forces(end, potential)[1]).max() <= 1e-6


def test_relaxation_that_does_not_converge_says_so():
    start = SYSTEMS["lj3d"].crystal() * (2, 2, 2)
    start.rattle(0.5, seed=1)
    with pytest.raises(RelaxationError, match=r"left a force of .*at most 1e-30"):
        relax(start, SYSTEMS["lj3d"].potential, max_force=1e-30, max_evaluations=3)


def test_overlapping_atoms_are_taken_apart():
    rng = np.random.default_rng(0)
    atoms = SYSTEMS["lj3d"].crystal() * (3, 3, 3)
    atoms.positions += rng.normal(0, 1.5, atoms.positions.shape)
    apart = separate(atoms, 2.8)
    distances = apart.get_all_distances(mic=True)[np.triu_indices(len(apart), 1)]
    overlapping = atoms.get_all_distances(mic=True)[np.triu_indices(len(atoms), 1)]
    assert distances.min() > 2.0 > overlapping.min()


def test_pressure_vanishes_when_the_cell_may_scale():
    potential = LennardJones(0.0103, 3.405, 8.5)
    start = SYSTEMS["lj3d"].crystal() * (2, 2, 2)
    start.rattle(0.3, seed=2)
    end = relax(start, potential, max_force=1e-7, cell="isotropic")
    slopes = []
    for scale in (1 - 1e-5, 1 + 1e-5):
        strained = end.copy()
        strained.set_cell(end.cell * scale, scale_atoms=True)
        slopes.append(energy_forces(strained, potential)[0])
    # Against the bulk modulus, about 0.02 eV/Å³ × 3 × volume: strain below 1e-6.
    assert abs(slopes[1] - slopes[0]) / 2e-5 < 1e-5 * end.cell.volume


def test_a_sheet_without_a_third_cell_vector_relaxes_alike():
    system = SYSTEMS["amc"]
    sheet = system.crystal() * (3, 2, 1)
    sheet.rattle(0.02, seed=1)
    bare = sheet.copy()
    bare.cell[2] = 0.0
    ends = [relax(atoms, system.potential, cell="isotropic") for atoms in (sheet, bare)]
    assert ends[1].positions == pytest.approx(ends[0].positions, abs=1e-9)
    assert not ends[1].cell[2].any()


@pytest.mark.parametrize("name", ["amc", "amc_lb"])
def test_sheets_of_each_size_are_of_all_kinds(name):
    protocol = SYSTEMS[name].protocols["reference"]
    members = [
        member(protocol.strata, protocol.replicated, k) for k in range(protocol.n_structures)
    ]
    sizes = [4 * np.prod(protocol.cells_of(one)) for one in members]
    # Small sheets are cheap: most are small, and a few tell whether size matters.
    assert np.min(sizes) >= 90
    assert np.max(sizes) <= protocol.largest(SYSTEMS[name]) <= 920
    assert np.mean(np.array(sizes) <= 250) > 0.75
    # A replicate repeats one preparation, so all are of one size.
    assert len({size for size, one in zip(sizes, members, strict=True) if one.replicate}) == 1
    # Sizes and kinds do not keep step: each size has quenched sheets and others, held and free.
    for size in set(sizes):
        of_this = [one.knobs for one, n in zip(members, sizes, strict=True) if n == size]
        assert len({("cooling_time" in k, "tension" in k) for k in of_this}) == 4


def test_a_frame_is_held_or_comes_to_its_tension():
    system = SYSTEMS["amc"]
    protocol = system.protocols["demo"]
    quick = {"stone_wales": (0.05, 0.05)}
    for frame in (None, 0.0, 0.2):
        stratum = Stratum(1, **quick, tension=None if frame is None else (frame, frame))
        one = replace(protocol, strata=(stratum,), replicated=0, cells=(4, 3), sizes=((4, 3),))
        atoms = make_structure(replace(system, protocols={"demo": one}), 0)
        tension = np.trace(gd.stress(atoms, system.potential)[:2, :2]) / 2
        assert atoms.info["frame_held"] == (frame is None)
        if frame is None:
            # The flat sheet was at rest in this frame; buckled, it would be smaller.
            assert tension > 0.02
        else:
            # A strain slope of 1e-3 eV/Å is left, of 3√N = 21 Å on an area of 125 Å².
            assert tension == pytest.approx(frame, abs=2e-4)


def test_a_sheet_that_opens_into_chains_is_refused():
    # Lindsay and Broido fitted the phonons of graphene; their chains lie far below it.
    system = SYSTEMS["amc_lb"]
    chain = Atoms("C8", [[1.25 * k, 0, 10] for k in range(8)], cell=[10, 14, 20], pbc=[1, 1, 0])
    chain = relax(chain, system.potential, cell="isotropic")
    with pytest.raises(PreparationError, match=r"into chains: 1\.\d+ eV per atom below .* 0% of"):
        check_network(chain, system)
    check_network(chain, SYSTEMS["amc"])
