"""Where particles move: laws of the dynamics, of the measures of motion and of the descriptors."""

from copy import copy

import numpy as np
import pytest
from ase import Atoms, units
from ase.calculators.calculator import Calculator, all_changes
from ase.md.verlet import VelocityVerlet

import glassdata as gd
from glassdata.errors import StructureError
from glassdata.experiments import motion
from glassdata.experiments import propensity as experiment
from glassdata.minimise import relax
from glassdata.propensity import (
    MEASURES,
    Propensity,
    _Bonds,
    _measured,
    _velocities,
    propensity,
)
from glassdata.protocols import liquid
from glassdata.protocols.dynamics import follow
from glassdata.protocols.plan import generator
from glassdata.surroundings import descriptors, perimeters, softness
from glassdata.system import PreparationError
from glassdata.systems.ka2d import EPSILON, KA2D, KELVIN, SIGMA
from glassdata.units import BOLTZMANN, THZ
from glassdata.vibrations import energy_forces, hessian

MIXTURE = KA2D.potential
HALF = 0.6 * KELVIN


class Mixture(Calculator):
    """The mixture for the dynamics of ASE."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        energy, forces = energy_forces(atoms, MIXTURE)
        self.results = {"energy": energy, "forces": forces}


@pytest.fixture(scope="module")
def warm():
    """A small liquid, 172 particles, that has run for a while at .6 of the mixture's unit."""
    start = liquid.at_random(
        KA2D, [80, 44, 48], 1.19 / SIGMA**2, np.random.default_rng(0), separation=0.8 * SIGMA
    )
    protocol = KA2D.protocols["reference"]
    there, _ = protocol._run(start, KA2D, HALF, 300, np.random.default_rng(1))
    return there


@pytest.fixture(scope="module")
def glass(warm):
    return relax(warm, MIXTURE, max_force=1e-6)


def test_the_path_is_that_of_another_integrator(warm):
    velocities = _velocities(warm, np.random.default_rng(2), BOLTZMANN * HALF, 2)
    timestep = 0.01
    moved, _ = follow(warm, MIXTURE, velocities, np.array([40]), timestep=timestep)
    other = warm.copy()
    other.calc = Mixture()
    other.set_velocities(velocities / (1000 * units.fs))
    VelocityVerlet(other, timestep=1000 * timestep * units.fs).run(40)
    # Units of mass and energy agree to some ten digits.
    assert np.abs(moved[0] - (other.positions - warm.positions)).max() < 1e-6
    assert np.abs(moved[0]).max() > 0.1


def test_energy_is_conserved_to_second_order(warm):
    velocities = _velocities(warm, np.random.default_rng(3), BOLTZMANN * HALF, 2)
    drifts = [
        abs(follow(warm, MIXTURE, velocities, np.array([n]), timestep=0.8 / n)[1])
        for n in (40, 160)
    ]
    assert drifts[1] < drifts[0] / 8
    assert drifts[1] < 1e-3 * BOLTZMANN * HALF


def test_particles_fly_freely_at_first(warm):
    """⟨Δr²⟩ = d kT t²/m before they meet, averaged over masses."""
    time = 1e-3
    found = propensity(
        warm, MIXTURE, np.random.default_rng(4), temperature=HALF, steps=np.array([1]),
        timestep=time, trajectories=200,
    )  # fmt: skip
    speed = 2 * np.pi * THZ * np.sqrt(np.pi * BOLTZMANN * HALF / (2 * warm.get_masses()))
    assert found.mean[0, 0].mean() == pytest.approx(np.mean(speed) * time, rel=0.01)


def test_a_drift_of_all_moves_nobody_out_of_its_cage(warm):
    bonds = _Bonds.of(warm, MIXTURE)
    moved = np.tile([3.0, 4.0, 0.0], (len(warm), 1))
    displacement, relative, broken = _measured(moved, bonds)
    assert np.allclose(displacement, 5.0)
    assert relative[bonds.counts > 0].max() < 1e-12
    assert broken.max() == 0


def test_one_particle_that_leaves_breaks_its_bonds_and_one_of_each_neighbour(warm):
    bonds = _Bonds.of(warm, MIXTURE)
    one = int(np.argmax(bonds.counts))
    moved = np.zeros((len(warm), 3))
    moved[one] = [3 * SIGMA, 0, 0]
    _, _, broken = _measured(moved, bonds)
    assert broken[one] == 1
    near = bonds.second[bonds.first == one]
    assert np.allclose(broken[near], 1 / bonds.counts[near])
    assert np.count_nonzero(broken) == 1 + len(near)


def test_the_ceiling_is_what_the_truth_itself_reaches():
    rng = np.random.default_rng(5)
    truth = rng.normal(size=20000)
    samples = truth + 2 * rng.normal(size=(10, 20000))
    found = Propensity(
        samples.mean(axis=0)[None, None], samples.var(axis=0, ddof=1)[None, None], 10, 0.0
    )
    reached = np.corrcoef(truth, samples.mean(axis=0))[0, 1]
    assert found.ceiling()[0, 0] == pytest.approx(reached, abs=0.01)


def test_mean_and_variance_are_those_of_the_trajectories(warm, monkeypatch):
    seen = []

    def spy(*args):
        seen.append(_measured(*args))
        return seen[-1]

    monkeypatch.setattr("glassdata.propensity._measured", spy)
    found = propensity(
        warm, MIXTURE, np.random.default_rng(0), temperature=HALF, steps=np.array([5, 20]),
        timestep=0.01, trajectories=3,
    )  # fmt: skip
    each = np.array(seen).reshape(3, 2, len(MEASURES), len(warm)).transpose(0, 2, 1, 3)
    assert found.mean == pytest.approx(each.mean(axis=0))
    assert found.variance == pytest.approx(each.var(axis=0, ddof=1), abs=1e-12)
    # In units of the thermal energy: the first of the same trajectories, in eV, is no farther off.
    first = _velocities(warm, np.random.default_rng(0), BOLTZMANN * HALF, 2)
    _, drift = follow(warm, MIXTURE, first, np.array([5, 20]), timestep=0.01)
    assert found.drift >= abs(drift) / (BOLTZMANN * HALF) > 0
    assert found.drift < 0.01


def test_the_same_seed_gives_the_same_bytes(warm):
    def run(seed):
        return propensity(
            warm, MIXTURE, np.random.default_rng(seed), temperature=HALF,
            steps=np.array([5, 20]), timestep=0.01, trajectories=3,
        )  # fmt: skip

    assert run(0).mean.tobytes() == run(0).mean.tobytes() != run(1).mean.tobytes()


def test_bad_input_is_named(warm):
    settings = {"temperature": HALF, "steps": np.array([20]), "trajectories": 2}
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"time step of 0\.2 ps is too long"):
        propensity(warm, MIXTURE, rng, timestep=0.2, **settings)
    with pytest.raises(ValueError, match="at least 2, got 1"):
        propensity(warm, MIXTURE, rng, timestep=0.01, **settings | {"trajectories": 1})
    tiny = Atoms("Ar", cell=[5, 5, 20], pbc=(True, True, False))
    with pytest.raises(ValueError, match=r"a cell of 5 Å is shorter"):
        follow(tiny, MIXTURE, np.zeros((1, 3)), np.array([1]), timestep=0.01)
    with pytest.raises(ValueError, match="in the plane"):
        descriptors(gd.SYSTEMS["ka3d"].crystal(), gd.SYSTEMS["ka3d"].potential)
    with pytest.raises(ValueError, match="not at rest"):
        softness(warm, MIXTURE)


def test_particles_that_fly_apart_are_refused(warm, monkeypatch):
    monkeypatch.setattr(
        "glassdata.propensity.follow",
        lambda atoms, *_, **__: (np.zeros((1, len(atoms), 3)), float("nan")),
    )
    with pytest.raises(StructureError, match="drifted by nan of the thermal energy"):
        propensity(
            warm, MIXTURE, np.random.default_rng(0), temperature=HALF,
            steps=np.array([20]), timestep=0.01, trajectories=2,
        )  # fmt: skip


def test_a_result_has_one_number_for_each_particle_or_each_species(warm, monkeypatch):
    monkeypatch.setattr(type(KA2D.protocols["reference"]), "liquid", lambda *_: (warm, 0.0, 0.0))
    monkeypatch.setattr(experiment, "STEPS", {"060": (5, 20)})
    monkeypatch.setattr(experiment, "TRAJECTORIES", 3)
    found = experiment.compute("liquid.060.00", gd.dataset)
    assert found["mean"].shape == (len(MEASURES), 2, len(warm))
    assert all(found[name].shape == (len(warm),) for name in experiment.HARMONIC)
    rng = generator("ka2d", experiment.PREPARATIONS["060"], "velocities")
    again = propensity(
        warm, MIXTURE, rng, temperature=HALF,
        steps=np.array([5, 20]), timestep=experiment.TIMESTEP, trajectories=3,
    )  # fmt: skip
    for kind, symbol in enumerate(KA2D.species):
        mine = np.array(warm.symbols) == symbol
        assert found["noise"][:, kind] == pytest.approx(again.variance[..., mine].mean(axis=-1) / 3)
        assert found["ceiling"][:, kind] == pytest.approx(again.ceiling(mine))


def test_a_liquid_that_is_none_is_recorded_and_never_averaged(warm, monkeypatch):
    hot = warm.copy()
    protocol = type(KA2D.protocols["reference"])

    def not_equilibrated(*_):
        raise PreparationError("not equilibrated at 0.36")

    monkeypatch.setattr(protocol, "liquid", not_equilibrated)
    found = experiment.compute("liquid.036.00", gd.dataset)
    assert found == {"failed": np.array("not equilibrated at 0.36")}

    crystal = KA2D.crystal() * (6, 6, 1)
    monkeypatch.setattr(protocol, "liquid", lambda *_: (crystal, 0.0, 0.0))
    found = experiment.compute("liquid.036.01", gd.dataset)
    assert str(found["failed"]).startswith("crystallised: ")

    monkeypatch.setattr(protocol, "liquid", lambda *_: (hot, 0.0, 0.0))
    monkeypatch.setattr(experiment, "TIMESTEP", 0.2)
    found = experiment.compute("liquid.036.02", gd.dataset)
    assert "time step of 0.2 ps is too long" in str(found["failed"])

    good = {f"liquid.036.{k:02d}": {"number": np.array(k)} for k in range(3, 3 + motion.FOLDS)}
    results = {"liquid.036.00": found, **good, "liquid.045.00": {"number": np.array(99)}}
    assert [int(one["number"]) for one in motion.usable(results, "036")] == [3, 4, 5, 6, 7]
    with pytest.raises(ValueError, match=r"1 liquids at 045 can be used, and 5 are needed$"):
        motion.usable(results, "045")


def test_energies_of_particles_add_up(glass):
    found = descriptors(glass, MIXTURE)
    assert found["energy"].sum() == pytest.approx(energy_forces(glass, MIXTURE)[0], rel=1e-10)


def test_cells_fill_the_plane_and_a_crystal_s_are_hexagons(glass):
    crystal = KA2D.crystal() * (4, 7, 1)
    found = perimeters(crystal.positions[:, :2], np.diag(crystal.cell)[:2])
    apart = crystal.get_all_distances(mic=True)
    a = apart[apart > 0].min()
    # Six sides of a/√3 around each particle.
    assert np.allclose(found, 6 * a / np.sqrt(3))
    # Moving the origin changes nothing.
    positions, cell = glass.positions[:, :2], np.diag(glass.cell)[:2]
    assert np.allclose(perimeters(positions, cell), perimeters(positions + 7.3, cell))


def test_counts_see_the_shells_of_a_crystal():
    """Six neighbours, three of each other species, none of its own."""
    crystal = relax(KA2D.crystal() * (6, 10, 1), MIXTURE, max_force=1e-5)
    known = {name: np.zeros(len(crystal)) for name in ("Debye-Waller", "soft modes")}
    found = descriptors(crystal, MIXTURE, harmonic=known)
    mine = np.array(crystal.symbols) == "Ar"
    apart = crystal.get_all_distances(mic=True) / SIGMA
    shape = np.exp(-((apart[apart > 0].min() - 0.9) ** 2) / (2 * 0.1**2))
    assert np.allclose(found["count Ca 0.9"][mine], 3 * shape, rtol=0.05)
    assert np.allclose(found["count K 0.9"][mine], 3 * shape, rtol=0.05)
    assert found["count Ar 0.9"][mine].max() < 0.01


def test_how_softly_particles_are_held_is_the_inverse_of_the_hessian(glass):
    found = softness(glass, MIXTURE)
    inverse = np.linalg.pinv(hessian(glass, MIXTURE).toarray(), rcond=1e-10, hermitian=True)
    direct = np.diag(inverse).reshape(-1, 2).sum(axis=1)
    # The pseudo-inverse leaves out uniform displacements, the modes those weighted by mass, which
    # differ by 2.5 % here.
    assert np.allclose(found["Debye-Waller"], direct, rtol=1e-2)
    assert found["soft modes"].mean() == pytest.approx(1.0)


def liquids(n=6, seed=0):
    """Results of ``propensity`` as if the motion were the coarse density of calcium, and noise."""
    rng, made = np.random.default_rng(seed), []
    rest = gd.dataset("ka2d")
    for k in range(n):
        atoms = rest.atoms(k)
        kinds = MIXTURE.types(atoms)
        known = {name: rng.random(len(atoms)) for name in experiment.HARMONIC}
        one = {
            "types": kinds.astype("u1"),
            "position": atoms.positions[:, :2].astype("f4"),
            "box": np.array(atoms.cell[0, 0]),
            "time": np.array([0.1, 10.0]),
            "ceiling": np.ones((len(MEASURES), 3, 2)),
            **known,
        }
        density = motion.descriptors_of(one)["density Ca 1"]
        moved = np.stack([density, rng.random(len(atoms))])
        made.append(one | {"mean": np.stack([moved] * len(MEASURES))})
    return made


@pytest.fixture(scope="module")
def planted():
    return motion.Particles(liquids())


def computed(name, particles, monkeypatch):
    """A result of ``motion``, of these particles."""
    monkeypatch.setattr(motion.Particles, "of", lambda liquids, temperature: particles)
    return motion.compute(name, gd.dataset, {})


def test_a_planted_law_is_found_and_noise_is_not(planted, monkeypatch):
    monkeypatch.setattr(motion, "CONTENDERS", {
        name: motion.CONTENDERS[name]
        for name in ("ridge", "ridge without the harmonic ones", "Debye-Waller alone")
    })  # fmt: skip
    found = computed("motion.036.displacement", planted, monkeypatch)
    # With or without the harmonic descriptors, which are noise here.
    assert found["r"][:2, :, 0].min() > 0.99
    assert found["r2"][:2, :, 0].min() > 0.98
    assert np.abs(found["r"][2, :, 0]).max() < 0.3
    assert np.abs(found["r"][:, :, 1].mean()) < 0.1
    assert found["guess"].shape == found["truth"].shape == ((planted.liquid == 0).sum(), 2)


def test_where_nobody_has_moved_yet_there_is_no_score(planted, monkeypatch):
    still, moved = copy(planted), planted.Y["displacement"].copy()
    moved[:, 0] = 0.0
    still.Y = {"displacement": moved}
    monkeypatch.setattr(motion, "CONTENDERS", {"ridge": motion.CONTENDERS["ridge"]})
    found = computed("motion.036.displacement", still, monkeypatch)
    assert np.isnan(found["r2"][:, :, 0]).all()
    assert np.isfinite(found["r2"][:, :, 1]).all()


def test_weights_of_collinear_descriptors_are_called_uncertain(planted, monkeypatch):
    monkeypatch.setattr(motion, "RESAMPLES", 4)
    planted.Y[motion.WEIGHED][:, -1] = planted.Y[motion.WEIGHED][:, 0]
    found = computed("weights.036", planted, monkeypatch)
    names = found["names"].tolist()
    assert found["vif"][names.index("density Ca 1")] > 100  # its neighbours in length say the same
    assert found["vif"][names.index("soft modes")] < 2
    assert found["condition"] > 100
    assert found["correlation"].shape == 2 * (len(names),)
    np.testing.assert_allclose(np.diag(found["correlation"]), 1, atol=1e-5)
    zero = found["weights_elastic_net"] == 0
    assert found["same_sign_elastic_net"][zero].max(initial=0.0) == 0
    assert found["alone"][names.index("density Ca 1")] == pytest.approx(1.0, abs=1e-6)
    top = found["component_correlation"][0]
    assert top[names.index("density Ca 1")] > 0.5
    assert found["component_share"].sum() <= 1 + 1e-9
    assert np.abs(np.diff(np.linalg.norm(found["path"], axis=1))).max() > 0
    assert np.linalg.norm(found["path"][-1]) < np.linalg.norm(found["path"][0])


def test_the_unit_of_time_is_that_of_argon():
    assert pytest.approx(2.156, abs=2e-3) == experiment.TIME
    assert pytest.approx(KELVIN * BOLTZMANN) == EPSILON


@pytest.mark.parametrize("temperature", sorted(experiment.STEPS))
def test_shipped_liquids_were_looked_at_when_the_module_says(temperature):
    shipped = gd.open_results("propensity")[f"liquid.{temperature}.00"]
    times = np.array(experiment.STEPS[temperature]) * experiment.TIMESTEP / experiment.TIME
    np.testing.assert_allclose(shipped["time"], times, rtol=1e-12)
    # Recomputed results keep the box that `systems.ka2d` takes from the publication.
    assert len(shipped["types"]) == 1290
    assert float(shipped["box"]) == pytest.approx(32.896 * SIGMA, rel=1e-4)
