"""What a glass is declared to be: its crystal against published numbers, its bins, its checks."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import brentq
from shipped import skip_older_rows
from test_oracle_rows import EPSILON, SIGMA, lennard_jones

import glassdata as gd
from glassdata import systems
from glassdata.crystal import Crystal
from glassdata.protocols import Joined, member
from glassdata.store.reading import REFERENCE
from glassdata.vibrations import energy_forces

#: Published nearest distance (Å), its number per atom, and energy (eV per atom): SCIENCE.md, 4.
CRYSTALS = {
    "amc": (1.4605, 3, -7.3955),
    "amc_lb": (1.4388, 3, -7.9777),
    "lj3d": (1.5580 * SIGMA / np.sqrt(2), 12, -6.6541 * EPSILON),
    "sic": (4.3593 * np.sqrt(3) / 4, 4, -6.3392),
    "sic_tersoff": (4.3211 * np.sqrt(3) / 4, 4, -6.1647),
}


#: Atoms of a structure of the profile ``paper`` before any are taken out: 19 × 12 cells of four and
#: so on; liquids have whole units of their composition.
SIZES = {"amc": 4 * 19 * 12, "lj2d": 896, "lj3d": 4 * 6**3, "sic": 800, "si": 1000}


@pytest.mark.parametrize("name", CRYSTALS)
def test_crystals_are_the_published_ones(name):
    distance, number, energy = CRYSTALS[name]
    system = gd.SYSTEMS[name]
    crystal = system.crystal()
    large = crystal * np.where(crystal.pbc, 4, 1)
    from_first = np.sort(large.get_distances(0, range(1, len(large)), mic=True))
    # Four digits are published.
    assert from_first[:number] == pytest.approx(np.full(number, distance), abs=2e-4 * distance)
    assert from_first[number] > 1.3 * distance
    assert from_first[number - 1] < system.bond_length < from_first[number]
    assert energy_forces(crystal, system.potential)[0] / len(crystal) == pytest.approx(
        energy, rel=2e-5
    )
    assert np.abs(energy_forces(crystal, system.potential)[1]).max() < 1e-6


def test_every_atom_of_the_triangular_crystal_has_six_neighbours_in_its_plane():
    crystal = gd.SYSTEMS["lj2d"].crystal()
    large = crystal * (6, 4, 1)

    def pull(a):
        """Of the six neighbours in each of the three shells within the cut-off."""
        return sum(r * lennard_jones(r)[1] for r in (a, np.sqrt(3) * a, 2 * a))

    spacing = brentq(pull, 1.08 * SIGMA, 1.16 * SIGMA)
    for atom in range(len(crystal)):
        away = large.get_distances(atom, range(len(large)), mic=True, vector=True)
        assert not away[:, 2].any()
        distances = np.sort(np.linalg.norm(away, axis=1))
        # Itself, six, and the next shell; the crystal is relaxed to a strain of 1e-6.
        expected = spacing * np.array([0, *[1] * 6, np.sqrt(3)])
        assert distances[:8] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["amc", "amc_lb", "lj2d", "lj3d", "sic", "sic_tersoff"])
def test_lattices_are_at_rest_but_for_their_size(name):
    """Relaxing the crystal scales it; no atom moves in the cell, however it was written down."""
    crystal = gd.SYSTEMS[name].crystal
    start, relaxed = crystal.lattice(**crystal.settings), crystal()
    assert np.array_equal(start.numbers, relaxed.numbers)
    scale = relaxed.cell.array[0, 0] / start.cell.array[0, 0]
    directions = start.pbc[:, None] & start.pbc
    assert relaxed.cell.array[directions] == pytest.approx(scale * start.cell.array[directions])
    moved = relaxed.get_scaled_positions() - start.get_scaled_positions()
    # Forces of 1e-7 eV/Å move an atom by 1e-8 of the cell.
    assert (moved - np.round(moved))[:, start.pbc] == pytest.approx(0, abs=1e-6)
    # All layers of a plane lie at one height.
    assert np.ptp(relaxed.positions[:, ~start.pbc], axis=0) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", SIZES)
def test_structures_have_the_size_of_the_paper(name):
    """Nothing computes this profile, so no other test would notice."""
    protocol = gd.SYSTEMS[name].protocols["paper"]
    assert (protocol.n_structures, protocol.largest(gd.SYSTEMS[name])) == (1000, SIZES[name])


def test_glasses_that_lack_a_file_are_not_available(monkeypatch):
    monkeypatch.setattr(systems, "lacks", lambda system: "a.file" if system.name == "sic" else None)
    assert set(systems.available()) == set(gd.SYSTEMS) - {"sic"}


@pytest.fixture(scope="module")
def shipped():
    if not REFERENCE.exists():
        pytest.skip("no reference dataset ships yet")
    with gd.open_dataset(REFERENCE) as data:
        yield data


def test_the_dataset_that_ships_holds_every_structure_of_the_profile(shipped):
    for name in shipped.children:
        skip_older_rows(name)
    there = {name: shipped[name].sizes["structure"] for name in shipped.children}
    planned = {name: gd.SYSTEMS[name].protocols["reference"].n_structures for name in there}
    assert there == planned


def displaced_part(name):
    """The protocol with strata of a glass, and the index of its structure number n."""
    protocol = gd.SYSTEMS[name].protocols["reference"]
    if isinstance(protocol, Joined):
        return protocol.parts[0].protocol, lambda number: protocol.index_of(0, number)
    return (protocol, lambda number: number) if hasattr(protocol, "strata") else (None, None)


@pytest.mark.parametrize("name", [n for n in gd.SYSTEMS if displaced_part(n)[0]])
def test_plans_are_those_of_the_structures_that_ship(name, shipped):
    if name not in shipped.children:
        pytest.skip(f"the dataset that ships has no {name}")
    skip_older_rows(name)
    rows, (protocol, index_of) = gd.dataset(name, shipped), displaced_part(name)
    fractions = [f"{what}_fraction" for what in ("displaced", "vacancy", "antisite")]
    knobs = [knob for knob in ("displacement", *fractions) if knob in rows.stored]
    found = {knob: rows[knob] for knob in ("parent", "replicate", *knobs)}
    position = {int(index): k for k, index in enumerate(rows.index)}
    numbers = [n for n in range(0, len(rows), 3) if index_of(n) in position]
    assert len(numbers) >= 16
    for number in numbers:
        k = position[index_of(number)]
        planned = member(protocol.strata, protocol.replicated, number)
        assert found["parent"][k] == index_of(planned.parent)
        assert found["replicate"][k] == planned.replicate
        # The same operations, on another day.
        expected = {knob: planned.knobs[knob] for knob in knobs}
        assert {knob: found[knob][k] for knob in knobs} == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["cualzr", "lj3d", "sic"])
def test_random_numbers_are_those_of_the_structures_that_ship(name, shipped, monkeypatch):
    """Relaxation moves no atom to another species, and none that was displaced by little far."""
    skip_older_rows(name)
    for step in ("separate", "relax"):
        monkeypatch.setattr(f"glassdata.protocols.displaced.{step}", lambda atoms, *_, **__: atoms)
    system, rows = gd.SYSTEMS[name], gd.dataset(name, shipped)
    little = np.flatnonzero(rows["displacement"] < 0.3)[:4]
    assert len(little) > 1
    for k in little:
        found = rows.atoms(k)
        made = system.protocols["reference"](system, int(rows.index[k]))
        assert np.array_equal(made.numbers, found.numbers)
        # In a cell that grew or shrank; holes do not close below this amplitude.
        moved = made.get_scaled_positions() - found.get_scaled_positions()
        moved -= np.round(moved)
        moved = (moved - np.median(moved, axis=0)) @ found.cell.array
        # Atoms forget where they were put to within a fraction of the distance to a neighbour.
        assert np.median(np.linalg.norm(moved, axis=1)) < 0.25 * system.bond_length


def test_the_alloy_has_its_composition_on_both_sublattices():
    """Cu46Zr46Al8: eight in a hundred of either sublattice of B2 are aluminium, 125 sites each."""
    symbols = gd.SYSTEMS["cualzr"].crystal().get_chemical_symbols()
    counts = {symbol: symbols.count(symbol) for symbol in ("Al", "Cu", "Zr")}
    assert counts == {"Al": 20, "Cu": 115, "Zr": 115}


def test_the_alloy_is_substituted_anew_for_every_family():
    system = gd.SYSTEMS["cualzr"]
    protocol = system.protocols["demo"].parts[0].protocol
    lattices = [protocol.lattice(system, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert np.array_equal(lattices[0].numbers, lattices[1].numbers)
    assert not np.array_equal(lattices[0].numbers, lattices[2].numbers)
    assert [len(atoms) for atoms in lattices] == [128] * 3
    # The crystal's volume per atom, whatever the number of cells.
    crystal = system.crystal()
    per_atom = crystal.get_volume() / len(crystal)
    assert lattices[0].get_volume() / 128 == pytest.approx(per_atom)
    assert protocol.largest(system) == 128


@pytest.mark.parametrize("name", gd.SYSTEMS)
def test_bins_cover_their_range_evenly(name):
    system = gd.SYSTEMS[name]
    for edges, top, n in (
        (system.r_edges, system.r_max, system.n_r),
        (system.omega_edges, system.omega_max, system.n_omega),
    ):
        assert edges.shape == (n + 1,)
        assert (edges[0], edges[-1]) == (0, top)
        assert np.diff(edges) == pytest.approx(np.full(n, top / n))


@pytest.mark.parametrize("name", gd.SYSTEMS)
def test_profiles_grow(name):
    """demo ≤ 170 atoms and 8 structures; 8 a preparation or more; 1000 of 750 to 1300 atoms."""
    system = gd.SYSTEMS[name]
    demo, reference, paper, *others = system.protocols.values()
    # Structures that others made are a profile of their own, and so are smaller boxes.
    further = list(system.protocols)[3:]
    assert list(system.protocols)[:3] == ["demo", "reference", "paper"]
    assert len(further) == len(others)
    assert set(further) <= {"external", "sizes"}
    assert demo.n_structures == 8
    assert 72 <= reference.n_structures < paper.n_structures == 1000
    try:
        sizes = [protocol.largest(system) for protocol in (demo, reference, paper)]
    except FileNotFoundError:
        pytest.skip("the potential of this glass is a file that is not here")
    assert 60 <= sizes[0] <= 170
    assert all(one <= other for one, other in pairwise(sizes))
    assert 750 <= sizes[2] <= 1300


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"dim": 1}, "system lj3d: dim must be 2 or 3, got 1"),
        ({"dim": 4}, "dim must be 2 or 3, got 4"),
        ({"r_max": 0.0}, "r_max"),
        ({"omega_max": -1.0}, "omega_max"),
        ({"bond_length": 0.0}, "bond_length"),
        ({"n_r": 0}, "n_r"),
        ({"n_omega": 0}, "n_omega"),
        (
            {"class_edges": (0.1, 0.1, 0.2)},
            r"class_edges must increase or decrease throughout, got \(0.1, 0.1, 0.2\)",
        ),
        ({"class_edges": (0.3, 0.1, 0.2)}, "class_edges must increase or decrease"),
    ],
)
def test_systems_check_themselves(changed, words):
    with pytest.raises(ValueError, match=words):
        replace(gd.SYSTEMS["lj3d"], **changed)


def test_classes_follow_a_measure_of_disorder_or_one_of_order():
    disorder = replace(gd.SYSTEMS["lj3d"], class_edges=(0.1, 0.2, 0.3))
    order = replace(disorder, class_edges=(0.3, 0.2, 0.1))
    expected = ("crystal-like", "defective", "partial", "amorphous")
    assert tuple(disorder.disorder_class(x) for x in (0.05, 0.15, 0.25, 0.35)) == expected
    assert tuple(order.disorder_class(x) for x in (0.35, 0.25, 0.15, 0.05)) == expected


def test_sheets_are_what_moves_in_space_and_is_described_in_its_plane():
    found = {name for name, system in gd.SYSTEMS.items() if system.is_sheet}
    assert found == {"amc", "amc_lb"}
    assert gd.SYSTEMS["lj3d"].pairs == ()
    assert gd.SYSTEMS["sic"].pairs == ("C-C", "C-Si", "Si-Si")


def test_a_crystal_is_built_once_and_given_out_as_copies():
    from ase.build import bulk

    built = []

    def lattice(a):
        built.append(a)
        return bulk("Ar", "fcc", a=a)

    crystal = Crystal(lattice, {"a": 5.2}, gd.SYSTEMS["lj3d"].potential)
    first = crystal()
    first.positions += 1
    second = crystal()
    assert built == [5.2]
    assert (first.positions != second.positions).all()
    # Relaxed to the published lattice constant.
    assert second.get_volume() * 4 == pytest.approx((1.5580 * SIGMA) ** 3, rel=3e-4)
    with pytest.raises(ValueError, match="max_force"):
        Crystal(lattice, {"a": 5.2}, gd.SYSTEMS["lj3d"].potential, max_force=0.0)
