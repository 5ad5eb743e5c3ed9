"""What a row says, on structures whose answer is known without asking glassdata.

Dimers have closed formulas (Lennard-Jones written out here), crystals have shells and published
energies, and a sheet with a hole can be counted on paper.
"""

import time
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, graphene
from scipy.constants import physical_constants, pi
from scipy.optimize import brentq

import glassdata as gd
from glassdata.minimise import RelaxationError
from glassdata.row import RowError, compute_row, describe, make_structure

EPSILON, SIGMA, MASS = 119.8 * physical_constants["Boltzmann constant in eV/K"][0], 3.405, 39.948
CUT = 2.5 * SIGMA
#: Published lattice energy per atom of this potential, force-shifted fcc: -6.6541 ε.
FCC_ENERGY = -6.6541 * EPSILON
BOX = 30.0
#: Stored frequencies are rounded: half the step of a range of 3 THz, in 2^14 parts or more.
ROUNDED = 2.0**-13 / 2 * 1.001


def lennard_jones(r):
    """Energy and its two derivatives of the pair, force-shifted at 2.5 σ, from the textbook."""

    def plain(x):
        s = SIGMA / x
        return (
            4 * EPSILON * (s**12 - s**6),
            4 * EPSILON * (6 * s**6 - 12 * s**12) / x,
            4 * EPSILON * (156 * s**12 - 42 * s**6) / x**2,
        )

    (energy, slope, curvature), (at_cut, slope_at_cut, _) = plain(r), plain(CUT)
    return energy - at_cut - (r - CUT) * slope_at_cut, slope - slope_at_cut, curvature


def test_rings_of_each_size_have_a_variable_of_their_own(monkeypatch):
    monkeypatch.setattr("glassdata.describe.rings_per_atom", lambda *_: np.array([1.0, 2.0, 3.0]))
    monkeypatch.setattr("glassdata.describe.ring_fractions", lambda *_: np.array([0.1, 0.2, 0.3]))
    network = gd.SYSTEMS["si"]
    row = describe(network.crystal(), network)
    assert [float(row[f"ring_{n}_per_atom"]) for n in (5, 6, 7)] == [1, 2, 3]
    sheet = gd.SYSTEMS["amc"]
    row = describe(sheet.crystal() * (2, 2, 1), sheet)
    assert [float(row[f"ring_{n}"]) for n in (5, 7)] == [0.1, 0.3]
    assert float(row["non_hexagonal"]) == 0.8


def test_a_structure_stays_where_its_protocol_left_it():
    argon = gd.SYSTEMS["lj2d"]
    made = make_structure("lj2d", 1).positions
    left = argon.protocols["demo"](argon, 1).positions
    assert np.abs(made - left).max() <= argon.position_step / 2


def frequency(stiffness):
    """THz of a stiffness over mass, eV/Å²/u, signed; 15.633 THz is that of 1."""
    unit = physical_constants["electron volt"][0] / physical_constants["atomic mass constant"][0]
    return np.sign(stiffness) * np.sqrt(np.abs(stiffness) * unit) * 1e10 / (2 * pi * 1e12)


def dimer(r, direction=(1.0, 2.0, 3.0)):
    along = np.array(direction) / np.linalg.norm(direction)
    return Atoms("Ar2", [[10.0] * 3, 10.0 + r * along], cell=[BOX] * 3, pbc=True)


@pytest.mark.parametrize(
    ("r", "n_imaginary", "overflow"),
    [
        (1.40 * SIGMA, 1, 1 / 3),  # beyond the inflection: the stretch is unstable
        (1.05 * SIGMA, 2, 2 / 3),  # pushed together: both rotations are
        (0.90 * SIGMA, 2, 1.0),  # and the stretch lies above the range of 3 THz
    ],
)
def test_dimer_says_what_its_two_derivatives_say(r, n_imaginary, overflow):
    energy, slope, curvature = lennard_jones(r)
    row = describe(dimer(r), gd.SYSTEMS["lj3d"])
    rotation, stretch = frequency(2 * slope / r / MASS), frequency(2 * curvature / MASS)
    assert row["frequency"] == pytest.approx(sorted([rotation, rotation, stretch]), abs=ROUNDED)
    assert row["n_modes"] == 3
    assert row["n_imaginary"] == n_imaginary
    assert row["overflow"] == pytest.approx(overflow)
    assert row["energy"] == pytest.approx(energy / 2, rel=1e-12)
    # The published lattice energy has five digits.
    assert row["excess_energy"] == pytest.approx(energy / 2 - FCC_ENERGY, abs=1e-4 * EPSILON)
    assert row["max_force"] == pytest.approx(abs(slope) * 3 / np.sqrt(14))
    assert row["density"] == pytest.approx(2 / BOX**3)
    assert row["coordination"] == (1 if r < 1.36 * SIGMA else 0)


@pytest.mark.parametrize(
    ("rotation", "n_imaginary"), [(-1.5e-4, 2), (-0.5e-4, 0), (0.5e-4, 0), (1.5e-4, 0)]
)
def test_modes_within_a_ten_thousandth_of_the_range_are_not_imaginary(rotation, n_imaginary):
    """Dimers so near their distance of rest that the two rotations have these frequencies."""

    def too_fast(r):
        return frequency(2 * lennard_jones(r)[1] / r / MASS) - 3.0 * rotation

    row = describe(dimer(brentq(too_fast, SIGMA, 1.2 * SIGMA, xtol=1e-13)), gd.SYSTEMS["lj3d"])
    assert np.sort(np.abs(row["frequency"]))[:2] == pytest.approx(3.0 * abs(rotation), abs=ROUNDED)
    assert row["n_imaginary"] == n_imaginary
    assert row["overflow"] == pytest.approx(0 if rotation > 0 else 2 / 3)


@pytest.mark.parametrize(
    ("omega_max", "step"),
    [(3.0, 2.0**-13), (15.0, 2.0**-11), (100.0, 2.0**-8), (2.0**-4, 2.0**-18)],
)
def test_the_step_of_frequencies_is_a_power_of_two_below_a_bin_by_a_hundred(omega_max, step):
    system = replace(gd.SYSTEMS["lj3d"], omega_max=omega_max)
    assert system.frequency_step == step
    assert omega_max / 2**15 < step <= omega_max / 2**14


def test_a_row_holds_multiples_of_the_step_without_a_negative_zero():
    row = describe(dimer(1.05 * SIGMA), gd.SYSTEMS["lj3d"])
    steps = row["frequency"] / 2.0**-13
    assert np.array_equal(steps, np.round(steps))
    zeros = row["frequency"][row["frequency"] == 0]
    assert not np.signbit(zeros).any()


def test_stress_of_a_dimer_is_its_virial_in_the_order_of_voigt():
    r = 1.2 * SIGMA
    slope = lennard_jones(r)[1]
    x, y, z = np.array([1.0, 2.0, 3.0]) / np.sqrt(14)
    row = describe(dimer(r), gd.SYSTEMS["lj3d"])
    virial = slope * r / BOX**3
    voigt = virial * np.array([x * x, y * y, z * z, y * z, x * z, x * y])
    assert row["stress"] == pytest.approx(voigt, rel=1e-9)
    assert row["pressure"] == pytest.approx(-virial / 3)


def test_pressure_of_a_plane_is_the_mean_of_its_two_directions():
    r = 1.2 * SIGMA
    atoms = dimer(r, (1.0, 2.0, 0.0))
    atoms.pbc = (True, True, False)
    row = describe(atoms, gd.SYSTEMS["lj2d"])
    virial = lennard_jones(r)[1] * r / BOX**2
    assert row["pressure"] == pytest.approx(-virial / 2)
    assert row["stress"][2:5] == pytest.approx([0, 0, 0], abs=1e-12)
    assert row["density"] == pytest.approx(2 / BOX**2)
    assert row["n_modes"] == 2
    # A pair that attracts: one stretch, one rotation, both at rest or unstable by the formulas.
    expected = frequency(np.array([2 * lennard_jones(r)[1] / r, 2 * lennard_jones(r)[2]]) / MASS)
    assert row["frequency"] == pytest.approx(sorted(expected), abs=ROUNDED)


def test_spectrum_is_counted_in_its_bins_and_integrates_to_one():
    """Two modes in the range, one imaginary: half of the weight in each of two bins."""
    r = 1.16 * SIGMA
    row = describe(dimer(r), gd.SYSTEMS["lj3d"])
    rotation = frequency(2 * lennard_jones(r)[1] / r / MASS)
    stretch = frequency(2 * lennard_jones(r)[2] / MASS)
    width = 3.0 / 100
    expected = np.zeros(100)
    expected[int(rotation / width)] += 2 / 3 / width
    expected[int(stretch / width)] += 1 / 3 / width
    assert row["pdos"] == pytest.approx(expected, abs=1e-9)
    assert row["n_imaginary"] == 0
    assert row["overflow"] == 0


def test_fcc_crystal():
    a = 1.5580 * SIGMA  # published
    row = describe(bulk("Ar", "fcc", a=a, cubic=True) * (3, 3, 3), gd.SYSTEMS["lj3d"])
    density = 4 / a**3
    edges = np.linspace(0, 12, 101)
    shells = 4 * np.pi / 3 * np.diff(edges**3) * density
    bin_of = int(a / np.sqrt(2) / 0.12)
    assert row["density"] == pytest.approx(density)
    assert row["energy"] == pytest.approx(FCC_ENERGY, rel=1e-4)
    assert row["excess_energy"] == pytest.approx(0, abs=1e-6)
    assert row["coordination"] == 12
    assert row["peak_height"] == pytest.approx(12 / shells[bin_of])
    # A shell in one bin between empty ones falls to half of its height half a bin to each side.
    assert row["peak_width"] == pytest.approx(0.12)
    assert row["disorder_class"] == "crystal-like"
    assert row["n_imaginary"] == 0
    assert (row["n_atoms"], row["n_modes"]) == (108, 321)
    found = {n: round(count) for n, count in enumerate(row["g"] * shells) if count > 1e-9}
    numbers = [12, 6, 24, 12, 24, 8, 48, 6]  # of the shells of fcc, at a √(n/2)
    expected = {}
    for n, number in zip((1, 2, 3, 4, 5, 6, 7, 8), numbers, strict=True):
        at = int(a * np.sqrt(n / 2) / 0.12)
        expected[at] = expected.get(at, 0) + number
    assert {n: found[n] for n in expected} == expected


def test_triangular_crystal_counts_per_area_in_a_skew_cell():
    a = 1.1132 * SIGMA
    cell = [[a, 0, 0], [a / 2, a * np.sqrt(3) / 2, 0], [0, 0, 20.0]]
    atoms = Atoms("Ar", [[0, 0, 10]], cell=cell, pbc=(True, True, False)) * (9, 9, 1)
    row = describe(atoms, gd.SYSTEMS["lj2d"])
    assert row["density"] == pytest.approx(2 / (np.sqrt(3) * a**2))
    assert row["coordination"] == 6
    area = np.pi * np.diff(np.linspace(0, 12, 101) ** 2)
    counts = row["g"] * area * row["density"]
    # Shells at a, √3 a, 2a, √7 a with 6, 6, 6 and 12 neighbours.
    assert counts[: int(2.8 * a / 0.12)].sum() == pytest.approx(30)
    assert "ring_6" not in row


def partial_counts(row, edges, numbers, volume, up_to):
    """Neighbours b of each a within ``up_to``, by pair, from the partial g."""
    shells = 4 * np.pi / 3 * np.diff(edges**3)[: round(up_to / 0.1)]
    pairs = gd.SYSTEMS["cualzr"].pairs
    return {
        pair: (row["partial_g"][n, : len(shells)] * shells).sum()
        * numbers.get(pair.split("-")[1], 0)
        / volume
        for n, pair in enumerate(pairs)
    }


def test_partial_g_comes_in_the_order_of_the_species():
    """Al3Zr of the L1₂ kind: Zr sits in a cage of 12 Al, and meets another only at a distance a."""
    a = 4.05
    corner, faces = [[0, 0, 0]], [[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    cell = Atoms("ZrAl3", scaled_positions=corner + faces, cell=[a] * 3, pbc=True)
    row = describe(cell * (2, 2, 2), gd.SYSTEMS["cualzr"])
    numbers, edges = {"Al": 3, "Zr": 1}, np.linspace(0, 10, 101)
    assert gd.SYSTEMS["cualzr"].pairs == ("Al-Al", "Al-Cu", "Al-Zr", "Cu-Cu", "Cu-Zr", "Zr-Zr")
    none = {"Al-Cu": 0, "Cu-Cu": 0, "Cu-Zr": 0}
    first = partial_counts(row, edges, numbers, a**3, 3.5)
    assert first == pytest.approx(none | {"Al-Al": 8, "Al-Zr": 4, "Zr-Zr": 0})
    second = partial_counts(row, edges, numbers, a**3, 4.5)
    assert second == pytest.approx(none | {"Al-Al": 14, "Al-Zr": 4, "Zr-Zr": 6})


def sheet(repeat=(5, 5), bond=1.4605):
    """Hexagonal cells of graphene, two atoms each; 1.4605 Å is the published bond."""
    atoms = graphene(a=bond * np.sqrt(3), vacuum=10.0, size=(*repeat, 1))
    atoms.pbc = (True, True, False)
    return atoms


def test_graphene():
    row = describe(sheet(), gd.SYSTEMS["amc"])
    assert row["energy"] == pytest.approx(-7.3955, abs=1e-4)
    assert row["excess_energy"] == pytest.approx(0, abs=1e-5)
    assert row["density"] == pytest.approx(4 / (3 * np.sqrt(3) * 1.4605**2))
    assert (row["threefold_fraction"], row["coordination"]) == (1, 3)
    assert [row[f"ring_{n}"] for n in (5, 6, 7)] == [0, 1, 0]
    assert (row["non_hexagonal"], row["roughness"]) == (0, 0)
    assert row["disorder_class"] == "crystal-like"
    assert row["overflow"] == 0
    # All bonds in the plane, 1.4605 Å ± a bin.
    assert row["g"][:14].max() == 0
    assert row["g"][14] > 0
    assert row["frequency"].max() < 74.17  # the published top


@pytest.mark.parametrize("shift", [0.0, 3.0])
def test_roughness_is_the_rms_height_wherever_the_sheet_lies(shift):
    atoms = sheet()
    atoms.positions[:, 2] += shift + 0.2 * (-1.0) ** np.arange(len(atoms))
    assert describe(atoms, gd.SYSTEMS["amc"])["roughness"] == pytest.approx(0.2)


def test_hole_in_graphene_counted_on_paper():
    """One of 50 atoms away: three lose a bond, and three of 25 hexagons become one 12-gon."""
    row = describe(sheet()[1:], gd.SYSTEMS["amc"])
    assert row["threefold_fraction"] == pytest.approx(46 / 49)
    assert row["coordination"] == pytest.approx((46 * 3 + 3 * 2) / 49)
    assert row["ring_6"] == pytest.approx(22 / 23)
    assert row["non_hexagonal"] == pytest.approx(1 / 23)
    assert (row["ring_5"], row["ring_7"]) == (0, 0)
    assert row["disorder_class"] == "crystal-like"  # one ring of 23 is below a tenth


@pytest.mark.parametrize("name", gd.SYSTEMS)
def test_classes_of_disorder_begin_above_their_edges(name):
    system = gd.SYSTEMS[name]
    words = ("crystal-like", "defective", "partial", "amorphous")
    # A measure of order falls where disorder grows.
    beyond = np.inf if system.class_edges[0] < system.class_edges[-1] else -np.inf
    for edge, below, above in zip(system.class_edges, words, words[1:], strict=False):
        assert system.disorder_class(edge) == below
        assert system.disorder_class(np.nextafter(edge, beyond)) == above
    assert system.disorder_class(-np.copysign(1e9, beyond)) == words[0]
    assert system.disorder_class(np.copysign(1e9, beyond)) == words[-1]


# --- from the protocol to the row --------------------------------------------------------------


def test_row_is_its_structure_described_with_its_preparation():
    row, atoms = compute_row("lj2d", "demo", 1), gd.make_structure("lj2d", 1)
    described = describe(atoms, gd.SYSTEMS["lj2d"])
    for name, value in described.items():
        assert value.tobytes() == row[name].tobytes(), name
    assert row.keys() - described.keys() - {"structure_id"} == atoms.info.keys()
    assert all(row[name] == value for name, value in atoms.info.items())
    grid = atoms.positions * 2**26
    assert np.array_equal(grid, np.round(grid))
    assert not np.signbit(atoms.positions[atoms.positions == 0]).any()


def test_timings_are_those_of_the_stages():
    timings: dict[str, float] = {}
    start = time.perf_counter()
    compute_row("lj2d", "demo", 0, timings)
    whole = time.perf_counter() - start
    assert timings.keys() == {"generate", "rdf", "frequencies"}
    assert min(timings.values()) > 0
    assert sum(timings.values()) <= whole


class Stubborn:
    """A protocol whose structures never come to rest."""

    n_structures = 1

    def __call__(self, system, index):
        raise RelaxationError("left a force of 7 eV/Å")


def test_relaxation_that_failed_is_a_row_that_failed():
    system = replace(gd.SYSTEMS["lj2d"], protocols={"demo": Stubborn()})
    with pytest.raises(RowError, match="left a force of 7"):
        gd.make_structure(system, 0)


@pytest.mark.parametrize("index", [-1, 8])
def test_structures_outside_the_profile_are_refused(index):
    with pytest.raises(ValueError, match=f"structures 0 to 7 at profile demo, not {index}"):
        gd.make_structure("lj2d", index)
    assert len(gd.make_structure("lj2d", 7)) > 0
