"""Laws of g(r): ideal gas, perfect crystals, invariances and sum rules."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, graphene
from hypothesis import given, settings
from hypothesis import strategies as st

from glassdata.neighbours import neighbours
from glassdata.radial import coordination, first_peak, partial_rdf, rdf

EDGES = np.linspace(0, 10, 101)
# No lattice vector of the cells below lies on one of these edges, where rounding would decide.
CLEAR_EDGES = np.linspace(0, 9.87, 101)
TRICLINIC = np.array([[9.0, 0.0, 0.0], [3.5, 8.0, 0.0], [-2.0, 2.5, 7.0]])
SHEET = np.array([[9.0, 0.0, 0.0], [3.5, 8.0, 0.0], [0.0, 0.0, 20.0]])
CUBIC = np.diag([8.0, 9.0, 10.0])


def gas(rng: np.random.Generator, n: int, cell: np.ndarray, dim: int) -> Atoms:
    """Uncorrelated atoms, uniform in the cell (in its ab plane for two dimensions)."""
    scaled = rng.random((n, 3))
    scaled[:, dim:] = 0
    return Atoms(f"Ar{n}", scaled @ cell, cell=cell, pbc=[True, True, dim == 3])


def pair_counts(g: np.ndarray, edges: np.ndarray, density: float, dim: int) -> np.ndarray:
    """Neighbours per atom in each bin."""
    return density * g * {2: np.pi, 3: 4 * np.pi / 3}[dim] * np.diff(edges**dim)


@pytest.mark.parametrize(("cell", "dim"), [(CUBIC, 3), (TRICLINIC, 3), (SHEET, 2)])
def test_ideal_gas_gives_one_up_to_the_finite_number_of_atoms(cell, dim):
    # The expectation (N − 1)/N + g_cell/N is exact for every r, beyond half the cell as well.
    n, samples = 12, 400
    edges = np.linspace(0, 12, 13)
    rng = np.random.default_rng(1)
    found = np.array([rdf(gas(rng, n, cell, dim), edges, dim=dim) for _ in range(samples)])
    own_images = rdf(gas(rng, 1, cell, dim), edges, dim=dim)
    error = found.std(axis=0, ddof=1) / np.sqrt(samples)
    # Five standard errors of the mean: 13 bins × 3 cells exceed that once in 40 000 runs, and the
    # seed is fixed. Images of one pair are counted more than once, so the error is the sampled one.
    assert np.all(np.abs(found.mean(axis=0) - (n - 1 + own_images) / n) < 5 * error)
    # Below the shortest cell vector there are no own images: (N − 1)/N itself.
    assert np.all(own_images[:6] == 0)


def test_fcc_shells_hold_whole_numbers_of_neighbours():
    atoms = bulk("Cu", "fcc", a=4.0)
    # Shells at a √(k/2), k = 1, 2, 3, ...; edges halfway between them.
    edges = 4.0 * np.sqrt((np.arange(9) + 0.5) / 2)
    counts = pair_counts(rdf(atoms, edges), edges, 4 / 4.0**3, 3)
    # Rounding only: a dozen operations on numbers below 100.
    np.testing.assert_allclose(counts, [12, 6, 24, 12, 24, 8, 48, 6], rtol=1e-12)


@pytest.mark.parametrize("tilt", [0.0, 0.7])
def test_triangular_and_honeycomb_shells(tilt):
    triangular = Atoms("Ar", cell=[[1, 0, 0], [0.5, 3**0.5 / 2, 0], [0, 0, 1]], pbc=[1, 1, 0])
    triangular.rotate(np.degrees(tilt), "x", rotate_cell=True)
    edges = np.sqrt([0.5, 1.5, 3.5, 5, 8, 10])  # shells at r² = 1, 3, 4, 7, 9
    counts = pair_counts(rdf(triangular, edges, dim=2), edges, 2 / 3**0.5, 2)
    np.testing.assert_allclose(counts, [6, 6, 6, 12, 6], rtol=1e-12)  # rounding only

    sheet = graphene(a=3**0.5)  # bond 1, no third cell vector; shells at r² = 1, 3, 4, 7
    counts = pair_counts(rdf(sheet, edges[:5], dim=2), edges[:5], 4 / 27**0.5, 2)
    np.testing.assert_allclose(counts, [3, 6, 3, 6], rtol=1e-12)


@pytest.mark.parametrize("dim", [2, 3])
def test_a_cell_smaller_than_the_range_equals_its_supercell(dim):
    cell = bulk("Cu", a=3.6) if dim == 3 else graphene()
    # Off their lattice sites, for distances of every length.
    cell = cell.repeat((2, 1, 1))
    cell.rattle(0.1, rng=np.random.default_rng(3))
    large = cell.repeat((2, 3, 2 if dim == 3 else 1))
    # The same counts over the same density: rounding only.
    small, whole = (rdf(atoms, CLEAR_EDGES, dim=dim) for atoms in (cell, large))
    np.testing.assert_allclose(small, whole, rtol=1e-12)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), dim=st.sampled_from([2, 3]))
def test_rotation_translation_wrapping_and_order_change_nothing(seed, dim):
    rng = np.random.default_rng(seed)
    atoms = gas(rng, 10, TRICLINIC if dim == 3 else SHEET, dim)
    atoms.positions[:, 2] += rng.normal(size=10)
    before = rdf(atoms, CLEAR_EDGES, dim=dim)
    moved = atoms[rng.permutation(10)]
    moved.translate(rng.normal(size=3) * 30)
    if rng.random() < 0.5:
        moved.wrap()
    moved.rotate(rng.uniform(0, 360), rng.normal(size=3), rotate_cell=True)
    # Counts are whole numbers: a pair moves to the next bin only when rounding (1e-13 Å) carries
    # it across an edge, about once in 1e9 structures. Elsewhere rounding of the density.
    np.testing.assert_allclose(rdf(moved, CLEAR_EDGES, dim=dim), before, rtol=1e-10)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), present=st.sets(st.sampled_from("HCO"), min_size=1))
def test_partials_add_up_to_the_whole(seed, present):
    rng = np.random.default_rng(seed)
    atoms = gas(rng, 14, TRICLINIC, 3)
    atoms.symbols = rng.choice(sorted(present), 14)
    species = ("H", "C", "O")
    c = {a: np.mean(np.array(atoms.get_chemical_symbols()) == a) for a in species}
    hh, hc, ho, cc, co, oo = partial_rdf(atoms, EDGES, species)
    total = c["H"] ** 2 * hh + c["C"] ** 2 * cc + c["O"] ** 2 * oo
    total += 2 * (c["H"] * c["C"] * hc + c["H"] * c["O"] * ho + c["C"] * c["O"] * co)
    # Rounding only: sums of six terms.
    np.testing.assert_allclose(total, rdf(atoms, EDGES), rtol=1e-12, atol=1e-12)


def test_unlike_neighbours_of_an_ordered_compound():
    atoms = bulk("CuZr", "cesiumchloride", a=3.2)
    edges = np.array([0, 3.0, 4.0])
    partial = partial_rdf(atoms, edges, ("Cu", "Zr"))
    counts = [pair_counts(g, edges, 1 / 3.2**3, 3) for g in partial]
    # Eight unlike neighbours first, then six of the own kind; rounding only.
    np.testing.assert_allclose(counts, [[0, 6], [8, 0], [0, 6]], atol=1e-12)


def test_partials_of_an_ideal_gas_tend_to_one():
    rng = np.random.default_rng(5)
    edges = np.array([0, 4.0, 6.0])
    found = []
    for _ in range(400):
        atoms = gas(rng, 12, TRICLINIC, 3)
        atoms.symbols = ["H"] * 4 + ["C"] * 8
        found.append(partial_rdf(atoms, edges, ("H", "C")))
    found = np.array(found)
    # N_a atoms have N_a − 1 others of their kind, and all of the other kind; five standard errors.
    expected = np.array([3 / 4, 1.0, 7 / 8])[:, None]
    error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
    assert np.all(np.abs(found.mean(axis=0) - expected) < 5 * error)


def test_first_peak_of_a_gaussian_has_its_height_and_width():
    centres = (EDGES[1:] + EDGES[:-1]) / 2
    g = np.where(centres > 2.0, 1.0, 0.0) * 0.9 + 4 * np.exp(-((centres - 3.05) ** 2) / 0.18)
    g[centres < 2.0] = 0
    height, width = first_peak(g, EDGES)
    assert height == pytest.approx(4.9)  # a bin centre sits on the maximum
    half = 2 * np.sqrt(0.18 * np.log(4 / (4.9 / 2 - 0.9)))
    # Linear interpolation, width 0.8 Å, bins of 0.1 Å: error ~ h² g''/(8 g') ≈ 0.005.
    assert width == pytest.approx(half, abs=0.01)


@pytest.mark.parametrize("shift", np.linspace(0, 0.1, 7))
def test_first_peak_of_a_crystal_is_its_first_shell_wherever_the_bins_are(shift):
    atoms = bulk("Cu", a=3.61 + shift)
    height, width = first_peak(rdf(atoms, EDGES), EDGES)
    bonds = (3.61 + shift) / 2**0.5
    shell = 4 * np.pi / 3 * np.diff(EDGES**3)[int(bonds / 0.1)]
    assert height == pytest.approx(12 / (shell * 4 / (3.61 + shift) ** 3))
    # One full bin between empty ones: half maximum lies half a bin to either side.
    assert width == pytest.approx(0.1)


def test_first_peak_passes_over_a_few_wrong_bonds_but_not_over_a_weaker_first_shell():
    g = np.ones(100)
    g[:25] = 0
    g[14], g[19] = 1.5, 9.0  # a homopolar bond before the main peak
    assert first_peak(g, EDGES)[0] == 9.0
    g[14] = 7.0
    assert first_peak(g, EDGES)[0] == 7.0


def test_first_peak_says_when_there_is_none():
    with pytest.raises(ValueError, match="no peak"):
        first_peak(np.ones(100), EDGES)
    with pytest.raises(ValueError, match="within the range"):
        first_peak(np.r_[np.zeros(99), 5.0], EDGES)
    with pytest.raises(ValueError, match="100 finite numbers"):
        first_peak(np.full(100, np.nan), EDGES)


def test_coordination_counts_images_and_serves_clusters():
    assert coordination(bulk("Cu", a=4.0), 3.0).tolist() == [12]
    chain = Atoms("H4", [[0, 0, n] for n in range(4)])
    assert coordination(chain, 1.5).tolist() == [1, 2, 2, 1]
    assert coordination(chain, 0.5).tolist() == [0, 0, 0, 0]


def test_coordination_is_the_integral_of_g():
    atoms = gas(np.random.default_rng(0), 30, TRICLINIC, 3)
    counts = pair_counts(rdf(atoms, EDGES), EDGES, 30 / atoms.get_volume(), 3)
    assert counts.sum() == pytest.approx(coordination(atoms, 10.0).mean())


def test_one_atom_sees_its_own_images():
    g = rdf(Atoms("Ar", cell=np.diag([2.0, 3.0, 4.0]), pbc=True), np.array([0, 1.5, 2.5, 3.5]))
    np.testing.assert_allclose(pair_counts(g, np.array([0, 1.5, 2.5, 3.5]), 1 / 24, 3), [0, 2, 2])


@pytest.mark.parametrize(
    ("edges", "message"),
    [([], "at least two"), ([1.0], "at least two"), ([0, 2, 1], "increasing"),
     ([0, 1, 1], "increasing"), ([-1, 1], "must not be negative"), ([0, np.nan], "finite")],
)  # fmt: skip
def test_edges_that_are_no_bins_are_refused(edges, message):
    for function in (
        lambda: rdf(bulk("Cu"), edges),
        lambda: partial_rdf(bulk("Cu"), edges, ["Cu"]),
    ):
        with pytest.raises(ValueError, match=message):
            function()


@pytest.mark.parametrize(
    ("atoms", "dim", "message"),
    [(Atoms("Ar"), 3, "defined by 3 periodic"), (Atoms("Ar"), 2, "defined by 2 periodic"),
     (graphene(), 3, "defined by 3 periodic"), (bulk("Cu"), 2, "defined by 2 periodic"),
     (bulk("Cu"), 1, "dim must be 2 or 3"), (Atoms(cell=[1, 1, 1], pbc=True), 3, "without atoms"),
     (Atoms("Ar", cell=[1, 1, 0], pbc=True), 3, "no volume"),
     (Atoms("Ar", cell=[[1, 0, 0], [2, 0, 0], [0, 0, 1]], pbc=[1, 1, 0]), 2, "no volume"),
     (Atoms("Ar", [[0, 0, np.nan]], cell=[3, 3, 3], pbc=True), 3, "finite")],
)  # fmt: skip
def test_an_undefined_density_is_named(atoms, dim, message):
    with pytest.raises(ValueError, match=message):
        rdf(atoms, EDGES, dim=dim)


def test_cells_that_cannot_be_periodic_are_named():
    with pytest.raises(ValueError, match="no cell vector"):
        neighbours("d", Atoms("Ar", cell=[1, 1, 0], pbc=True), 2.0)
    flat = Atoms("Ar", cell=[[1, 0, 0], [0, 1, 0], [1, 1, 0]], pbc=True)
    with pytest.raises(ValueError, match="linearly dependent"):
        neighbours("d", flat, 2.0)


def test_species_must_cover_the_structure():
    for species in (["Cu"], ["Cu", "Zr", "Zr"]):
        with pytest.raises(ValueError, match="must list each of"):
            partial_rdf(bulk("CuZr", "cesiumchloride", a=3.2), EDGES, species)
