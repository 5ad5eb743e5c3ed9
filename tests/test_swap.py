"""Swap Monte Carlo: it samples Boltzmann's distribution, and what is no equilibrium is refused."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from ase import Atoms
from scipy import integrate

import glassdata as gd
from glassdata.potentials import LennardJonesMixture
from glassdata.protocols import Parent, liquid, montecarlo
from glassdata.protocols.montecarlo import sample
from glassdata.protocols.swap import energy_drift
from glassdata.row import RowError, make_structure
from glassdata.system import PreparationError
from glassdata.systems.ka2d import EPSILON, MIXTURE, SIGMA

#: As Jung, Biroli and Berthier print them: PRL 130, 238202.
C0, C2, C4 = 0.04049023795, -0.00970155098, 0.00062012616
DEPTH = {"ArAr": 1, "ArCa": 1.5, "ArK": 0.75, "CaCa": 0.5, "CaK": 1.5, "KK": 0.75}
SIZE = {"ArAr": 1, "ArCa": 0.8, "ArK": 0.9, "CaCa": 0.88, "CaK": 0.8, "KK": 0.94}


def published(r, one, other):
    """Energy of two particles in the published numbers, in units of ε and σ."""
    pair = "".join(sorted((one, other)))
    x = r / SIZE[pair]
    inside = 4 * DEPTH[pair] * (x**-12 - x**-6 + C0 + C2 * x**2 + C4 * x**4)
    return np.where(x < 2.5, inside, 0.0)


def liquid_of(n_units=2, density=1.19, seed=0):
    rng = np.random.default_rng(seed)
    composition = [n_units * count for count in (20, 11, 12)]
    return liquid.at_random(
        gd.SYSTEMS["ka2d"], composition, density / SIGMA**2, rng, separation=0.8 * SIGMA
    )


def run(atoms, seed=1, **settings):
    rest = {"thermal": 0.6 * EPSILON, "step": 0.1 * SIGMA, "sweeps": 60, "stride": 10} | settings
    return sample(
        atoms.positions[:, :2],
        MIXTURE.types(atoms),
        MIXTURE,
        np.random.default_rng(seed),
        box=atoms.cell[0, 0],
        **rest,
    )


# --- the potential -----------------------------------------------------------------------------


def test_the_mixture_is_the_published_one():
    """Ten digits of the coefficients are printed; they leave 1e-9 of an energy at the cut-off."""
    assert MIXTURE.coefficients == pytest.approx((C0, C2, C4), abs=2e-11)
    for pair in DEPTH:
        one, other = (s for s in ("Ar", "Ca", "K") for _ in range(pair.count(s)))
        for r in (0.8, 0.95, 1.3, 2.0, 2.6):
            pair_of = Atoms([one, other], positions=[[0, 0, 0], [r * SIGMA, 0, 0]])
            energy, _ = MIXTURE.evaluate(pair_of)
            assert energy / EPSILON == pytest.approx(float(published(r, one, other)), abs=1e-8)


def test_two_derivatives_vanish_at_every_cut_off():
    for a, one in enumerate(MIXTURE.symbols):
        for b, other in enumerate(MIXTURE.symbols):
            r = 2.5 * MIXTURE.sigma[a][b] * (1 - 1e-5)
            pair = Atoms([one, other], positions=[[0, 0, 0], [r, 0, 0]])
            energy, gradient = MIXTURE.evaluate(pair)
            stiffness = MIXTURE.force_constants(pair).toarray()
            # The third derivative there is some ε/σ³: the rest are its powers of 2.5e-5 σ.
            assert abs(energy) < 1e-12 * EPSILON
            assert np.abs(gradient).max() < 1e-8 * EPSILON / SIGMA
            assert np.abs(stiffness).max() < 1e-3 * EPSILON / SIGMA**2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"epsilon": ((1.0, 2.0), (1.0, 1.0))}, "epsilon must be a symmetric 2 x 2 matrix"),
        ({"sigma": ((1.0,),)}, "sigma must be a symmetric 2 x 2 matrix"),
        ({"sigma": ((1.0, 0.0), (0.0, 1.0))}, "sigma must be positive"),
        ({"reach": 0.0}, "reach must be positive"),
    ],
)
def test_a_mixture_checks_itself(change, words):
    ones = ((1.0, 1.0), (1.0, 1.0))
    with pytest.raises(ValueError, match=words):
        LennardJonesMixture(**{"symbols": ("Ar", "Ca"), "epsilon": ones, "sigma": ones} | change)


# --- Monte Carlo -------------------------------------------------------------------------------


def test_the_recorded_energy_is_that_of_the_end():
    """After hundreds of new lists of neighbours; sums in another order differ by rounding."""
    atoms = liquid_of()
    end = run(atoms, sweeps=400, thermal=EPSILON)
    atoms.positions[:, :2] = end.positions
    atoms.symbols = np.array(MIXTURE.symbols)[end.types]
    energy, _ = MIXTURE.evaluate(atoms)
    assert end.energies[-1] == pytest.approx(energy / len(atoms), rel=1e-11)
    assert 0.001 < end.swap_acceptance < 0.5


def test_the_same_seed_gives_the_same_bytes_and_keeps_the_particles():
    atoms = liquid_of()
    before = atoms.positions.copy()
    one, same, other = run(atoms), run(atoms), run(atoms, seed=2)
    assert one.positions.tobytes() == same.positions.tobytes()
    assert one.types.tobytes() == same.types.tobytes()
    assert one.positions.tobytes() != other.positions.tobytes()
    assert (np.bincount(one.types) == [40, 22, 24]).all()
    assert (atoms.positions == before).all()
    assert (one.positions >= 0).all()
    assert (one.positions <= atoms.cell[0, 0]).all()


def test_two_particles_are_apart_as_boltzmann_says():
    """Mean energy of two particles against the integral over the cell."""
    box, thermal = 6.4 * SIGMA, 0.5 * EPSILON
    atoms = Atoms("ArK", positions=[[0, 0, 10], [1.2 * SIGMA, 0, 10]], cell=[box, box, 20])
    x = np.linspace(-3.2, 3.2, 1601)
    r = np.hypot(*np.meshgrid(x, x))
    phi = published(np.maximum(r, 0.5), "Ar", "K")
    weight = np.exp(-phi / 0.5)
    exact = integrate.simpson(integrate.simpson(phi * weight, x=x), x=x)
    exact /= integrate.simpson(integrate.simpson(weight, x=x), x=x)
    energies = run(atoms, sweeps=400_000, stride=4, thermal=thermal, step=0.25 * SIGMA).energies
    blocks = np.array([block.mean() for block in np.array_split(2 * energies / EPSILON, 20)])
    # Twenty blocks, each far longer than what the pair remembers.
    assert abs(blocks.mean() - exact) < 4 * blocks.std(ddof=1) / np.sqrt(20)
    assert blocks.std() / np.sqrt(20) < 0.05 * abs(exact)


def test_exchanges_alone_reach_the_distribution_over_all_arrangements():
    """Six particles that hardly move: the mean energy over their 90 arrangements."""
    places = SIGMA * np.array([[0, 0], [1, 0.1], [2, 0], [0.4, 0.9], [1.5, 0.95], [1, 1.8]])
    symbols, box = ["Ar", "Ar", "Ca", "Ca", "K", "K"], 7 * SIGMA
    atoms = Atoms(symbols, positions=np.c_[places, np.full(6, 10.0)], cell=[box, box, 20])
    energies = []
    for arrangement in set(permutations(symbols)):
        other = atoms.copy()
        other.symbols = list(arrangement)
        energies.append(MIXTURE.evaluate(other)[0])
    thermal = 2 * EPSILON
    weight = np.exp(-np.array(energies) / thermal)
    exact = np.average(energies, weights=weight)
    found = 6 * run(atoms, sweeps=60_000, stride=2, thermal=thermal, step=1e-9).energies
    blocks = np.array([block.mean() for block in np.array_split(found, 20)])
    assert abs(blocks.mean() - exact) < 4 * blocks.std(ddof=1) / np.sqrt(20)
    assert blocks.std() / np.sqrt(20) < 0.05 * np.std(energies)


def test_an_exchange_costs_the_difference_of_two_energies():
    atoms = liquid_of()
    positions, box = atoms.positions[:, :2] % atoms.cell[0, 0], atoms.cell[0, 0]
    types, n = MIXTURE.types(atoms).astype(np.uint32), len(atoms)
    near, counts = np.empty((n, 200), np.uint32), np.empty(n, np.int64)
    montecarlo._list(positions, box, box / 2, near, counts, np.empty_like(positions))
    state = positions, types, MIXTURE.table, box, counts, near
    before, _ = MIXTURE.evaluate(atoms)
    unlike = [(i, j) for i in range(0, n, 9) for j in range(1, n, 11) if types[i] != types[j]]
    assert len(unlike) > 20
    for i, j in unlike:
        other = atoms.copy()
        other.numbers[[i, j]] = other.numbers[[j, i]]
        cost = montecarlo._cost_of_kind(i, types[j], j, *state)
        cost += montecarlo._cost_of_kind(j, types[i], i, *state)
        # Sums in another order.
        assert cost == pytest.approx(MIXTURE.evaluate(other)[0] - before, abs=1e-9 * abs(before))


def test_cells_and_steps_that_do_not_suit_the_lists_are_refused():
    with pytest.raises(ValueError, match=r"a cell of 19\.6 Å is shorter than 21\.1 Å"):
        run(liquid_of(1, density=1.3))
    with pytest.raises(ValueError, match=r"a step of .* is too long"):
        run(liquid_of(), step=0.4 * SIGMA)


# --- the protocol ------------------------------------------------------------------------------


def test_a_place_at_the_very_edge_lies_in_the_last_square():
    corners = [(0.0, 0.0), (10.0, 10.0), (2.5, 9.99), (10.0, 0.0)]
    found = [montecarlo._square(np.array(place), 10.0, 4) for place in corners]
    assert found == [(0, 0), (3, 3), (1, 3), (3, 0)]


def test_the_ladder_descends_in_equal_factors():
    protocol = gd.SYSTEMS["ka2d"].protocols["reference"]
    for parent in protocol.parents:
        temperatures = [*protocol.ladder(parent), parent.temperature]
        factors = np.divide(temperatures[:-1], temperatures[1:])
        assert temperatures[0] == pytest.approx(max(protocol.hottest, parent.temperature))
        assert factors.size == 0 or factors == pytest.approx(np.full(factors.size, factors[0]))
        assert (factors <= protocol.rung * (1 + 1e-9)).all()


def test_a_drift_is_measured_in_its_error():
    rng = np.random.default_rng(0)
    drifts = np.abs([energy_drift(rng.normal(size=400)) for _ in range(400)])
    # Of eight blocks the variance is uncertain by half: four errors are rare, not impossible.
    assert 0.3 < np.median(drifts) < 0.7
    assert np.mean(drifts > 4) < 0.01
    # A slope without noise scatters within its halves, too: √19.2 errors of four blocks each.
    assert energy_drift(np.linspace(0.0, 3.0, 400)) == pytest.approx(np.sqrt(19.2), rel=0.01)
    step = np.repeat([0.0, 1.0], 200) + rng.normal(size=400)
    assert energy_drift(step) > 4


def test_energies_that_remember_are_not_taken_for_a_drift():
    """Memory of a tenth of a half, in which blocks of a sixteenth are far from independent."""
    rng, beyond = np.random.default_rng(1), 0
    for _ in range(300):
        noise, series = rng.normal(size=1000), np.empty(1000)
        series[0] = noise[0]
        for k in range(1, 1000):
            series[k] = 0.98 * series[k - 1] + np.sqrt(1 - 0.98**2) * noise[k]
        beyond += abs(energy_drift(series)) > 4
    assert beyond < 0.04 * 300


def test_a_liquid_that_is_not_in_equilibrium_is_refused_with_its_numbers():
    """At a quarter of the onset 320 sweeps move hardly anything."""
    system = gd.SYSTEMS["ka2d"]
    cold = replace(
        system.protocols["demo"],
        parents=(Parent(25.0, 1.19 / SIGMA**2, 320),),
        replicated=0,
        rung_sweeps=50,
    )
    with pytest.raises(
        RowError, match=r"not equilibrated at 25 K: in 320 sweeps [01]\.\d\d of the"
    ):
        make_structure(replace(system, protocols={"demo": cold}), 0)


def test_structures_take_the_parents_in_turn():
    system = gd.SYSTEMS["ka2d"]
    protocol = system.protocols["demo"]
    n = len(protocol.parents)
    made = [make_structure(system, index) for index in (0, 2, n, 3)]
    assert [atoms.info["preparation"] for atoms in made] == [0, 2, 0, 3]
    assert [bool(atoms.info["replicate"]) for atoms in made] == [False, True, False, False]
    assert made[0].positions.tobytes() != made[2].positions.tobytes()
    for atoms in made:
        parent = protocol.parents[atoms.info["preparation"]]
        assert atoms.info["anneal_temperature"] == parent.temperature
        assert len(atoms) / atoms.cell[0, 0] ** 2 == pytest.approx(parent.density)
        assert atoms.info["ensemble"] == "equilibrated"
        assert 0 <= atoms.info["self_overlap"] < 0.37


@pytest.mark.parametrize("change", [{"rung": 1.0}, {"replicated": 6}, {"step": 0.0}])
def test_the_protocol_checks_its_settings(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        replace(gd.SYSTEMS["ka2d"].protocols["demo"], **change)


def test_a_parent_needs_sweeps_enough_to_be_judged():
    with pytest.raises(ValueError, match="sweeps must be at least 320"):
        Parent(50.0, 0.1, 100)


# --- what is no glass --------------------------------------------------------------------------


def test_a_crystal_a_hole_and_a_separation_are_refused():
    system = gd.SYSTEMS["ka2d"]
    glass = make_structure(system, 0)
    liquid.check_glass(glass, system)
    with pytest.raises(PreparationError, match="crystallised"):
        liquid.check_glass(system.crystal() * (5, 9, 1), system)
    hole = glass[np.linalg.norm(glass.positions - glass.positions.mean(axis=0), axis=1) > 9.0]
    with pytest.raises(PreparationError, match=r"opened: 0\.\d"):
        liquid.check_glass(hole, system)
    apart = glass.copy()
    apart.numbers = np.sort(apart.numbers)[np.argsort(np.argsort(apart.positions[:, 0]))]
    with pytest.raises(PreparationError, match=r"separated: 0\.\d+ of Ar") as error:
        liquid.check_glass(apart, system)
    # sin²(πc)/(π²c(1 − c)) of its variation, where the share c of the cell holds all of a species.
    share = float(str(error.value).split()[1])
    assert share == pytest.approx(0.4, abs=0.03)


def test_the_random_walk_is_that_of_the_shipped_rows():
    """Frozen with algorithm version 4: another walk would make other rows under the same names."""
    end = run(liquid_of(), sweeps=40, stride=8)
    known = [2.034823141928, 0.174377565654, -0.562418106159, -0.913935402956, -1.077503835332]
    assert end.energies / EPSILON == pytest.approx(known, rel=1e-9)
    assert end.swap_acceptance == pytest.approx(0.059340659341, rel=1e-9)
    number = np.arange(len(end.types))
    places = np.cos(number) @ end.positions / SIGMA
    assert places == pytest.approx([-25.773017947300, -19.228315743658], rel=1e-9)
    assert int(number @ end.types) == 3431
