"""Laws of the experiments on samples whose answer is known; resuming and sealing of results."""

import json
import zipfile
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import fake_glass as fake
import numpy as np
import pytest
from arrays import changed, dataset_of

import glassdata as gd
from glassdata import engine, models, results
from glassdata.experiments import EXPERIMENTS, comparison, referee, run, runner, weights
from glassdata.experiments.runner import load
from glassdata.store import DamageError, StoreError

N, N_R, N_OMEGA = 60, 20, 8
NOISE = 3e-4


@pytest.fixture(scope="module")
def samples():
    """A noisy linear map; three structures a family; every fourth family replicates."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(N // 3), 3)
    disorder = np.where(groups % 4 == 3, 0.5, rng.random(N))
    r, omega = np.linspace(0.25, 9.75, N_R), np.arange(N_OMEGA) + 0.5
    X = 1 + np.outer(disorder, np.sin(r)) + 0.02 * rng.normal(size=(N, N_R))
    Y = 0.125 + 0.02 * np.outer(disorder - 0.5, np.cos(np.pi * omega / N_OMEGA))
    Y += NOISE * rng.normal(size=Y.shape)
    return dataset_of(
        r=r,
        omega=omega,
        X=X,
        Y=Y / Y.sum(axis=1, keepdims=True),
        groups=groups,
        classes=np.where(disorder < 0.5, "crystal-like", "amorphous").astype("U12"),
        replicate=groups % 4 == 3,
        density=1 + disorder,
        n_atoms=np.where(groups < 4, 900, 400),
        peak_width=0.1 + disorder,
    )


def share(error, baseline) -> float:
    return 1 - np.sum(error) / np.sum(baseline)


def every_result():
    for experiment in ("weights", "referee"):
        module = EXPERIMENTS[experiment]
        measures = [(m, f"ar.{m}") for m in module.MEASURES]
        yield from (pytest.param(module, result, id=f"{experiment}-{m}") for m, result in measures)
    yield pytest.param(referee, "ar.transfer.kr", id="referee-transfer")


@pytest.mark.parametrize(("module", "result"), list(every_result()))
def test_every_result_comes_back_from_its_file(module, result, samples, monkeypatch):
    monkeypatch.setattr(weights, "BOOTSTRAP", dict.fromkeys(weights.BOOTSTRAP, 2))
    monkeypatch.setattr(weights, "REACHES", (2.0, 4.0))
    monkeypatch.setattr(referee, "SEEDS", range(1))
    content = module.compute(result, lambda name: samples)
    identity, back = results.decode(results.encode("mark", content))
    assert identity == "mark"
    assert back.keys() == content.keys()
    for name, values in content.items():
        np.testing.assert_array_equal(back[name], np.asarray(values))


def test_results_of_each_experiment_have_names_of_their_own(samples):
    both = {"ar": samples, "kr": samples, "lj": changed(samples, r=2 * samples.r)}
    for module in EXPERIMENTS.values():
        names = module.result_names(both)
        assert len(names) == len(set(names))
    pairs = [name for name in referee.result_names(both) if "transfer" in name]
    assert sorted(pairs) == ["ar.transfer.kr", "kr.transfer.ar"]


@pytest.mark.parametrize(
    "model", [m for m in comparison.ESTIMATORS if m not in comparison.NETWORKS]
)
def test_the_test_folds_hold_every_structure_once_and_split_no_family(model, samples):
    results = [comparison.compute(f"ar.{model}.test.{k}", lambda _: samples) for k in range(5)]
    tested = np.concatenate([result["test"] for result in results])
    assert sorted(tested) == list(range(N))
    families = [set(samples.groups[result["test"]]) for result in results]
    assert sum(map(len, families)) == N // 3
    error, baseline = (np.concatenate([c[key] for c in results]) for key in ("error", "baseline"))
    if model == "mean":
        np.testing.assert_allclose(error, baseline)
    else:
        assert share(error, baseline) > 0.8
    assert all(json.loads(str(result["chosen"])) is not None for result in results)


def test_networks_are_compared_on_the_same_structures(samples, monkeypatch):
    pytest.importorskip("torch", reason="PyTorch is not installed: make cnn")
    quick = {"cnn": lambda: models.cnn(max_epochs=2)}
    monkeypatch.setattr(comparison, "ESTIMATORS", dict(comparison.ESTIMATORS) | quick)
    line, net = (
        comparison.compute(f"ar.{model}.test.1", lambda _: samples) for model in ("ridge", "cnn")
    )
    np.testing.assert_array_equal(line["test"], net["test"])
    np.testing.assert_array_equal(line["baseline"], net["baseline"])
    assert len(net["history_final"]) <= 2


def test_learning_curves_grow_by_whole_families(samples):
    curve = comparison.compute("ar.ridge.curve.0", lambda _: samples)
    assert curve["n_train"].tolist() == [12, 42]  # the first multiples of 3 from 10 and 40
    means = curve["error"].mean(axis=1)
    assert means[-1] < means[0]


def test_a_family_that_knows_the_answer_leaks_in_a_random_split(samples, monkeypatch):
    monkeypatch.setattr(referee, "SEEDS", range(2))
    rng = np.random.default_rng(1)
    secret = rng.normal(size=(N // 3, 60))[samples.groups]
    spectra = 1 + 0.1 * rng.random((N // 3, N_OMEGA))[samples.groups]
    X = secret + 0.01 * rng.normal(size=(N, 60))
    leaky = changed(samples, r=np.arange(60.0), X=X, Y=spectra)
    found = referee.compute("ar.leakage", lambda _: leaky)
    assert found["random_ridge"].min() > 0.8 > 0.2 > found["grouped_ridge"].max()


def test_replicates_measure_the_noise_that_was_put_in(samples):
    found = referee.compute("ar.noise", lambda _: samples)
    # A chi-square of 15 replicates and 8 bins scatters by an eighth; four of those. The sum of
    # each spectrum is divided out, which takes one of eight degrees of freedom.
    assert np.mean(found["scatter"]) == pytest.approx(NOISE**2 * 7 / 8, rel=0.5)
    assert np.mean(found["scatter"]) == pytest.approx(np.mean(found["scatter_by_bin"]))
    assert np.mean(found["pair"]) > 0.5 * NOISE**2


def test_transfer_to_itself_is_training_and_shifts_are_forgiven(samples):
    shifted = changed(samples, Y=samples.Y + 0.01 * np.linspace(-1, 1, N_OMEGA))
    found = referee.compute("a.transfer.b", {"a": samples, "b": shifted}.__getitem__)
    assert share(found["error"], found["baseline_target"]) < 0
    assert share(found["error_shifted"], found["baseline_target"]) > 0.9


def test_the_line_leaves_a_square_over_for_the_kernel(samples):
    level = samples.density - 1.5
    bent = 0.125 + 0.05 * np.outer(level**2, np.linspace(-1, 1, N_OMEGA))
    found = referee.compute("ar.residual", lambda _: changed(samples, Y=bent))
    assert share(found["error_both"], found["error_line"]) > 0.3
    straight = referee.compute("ar.residual", lambda _: samples)
    assert share(straight["error_both"], straight["error_line"]) < 0.1


def test_the_corner_of_the_grid_is_least_squares(samples):
    found = weights.compute("ar.grid", lambda _: samples)
    errors = []
    for train, _ in models.grouped_folds(samples.groups, 5, 0):
        line = models.ridge(0.0).fit(samples.X[train], samples.Y[train])
        errors.append(np.mean((line.predict(samples.X[train]) - samples.Y[train]) ** 2))
    assert found["training"][0, 0] == pytest.approx(np.mean(errors))
    # With one penalty the training loss can only rise with it.
    assert np.all(np.diff(found["training"][:, 0]) > -1e-15)
    assert np.all(np.diff(found["training"][0]) > -1e-15)
    assert found["nonzero"][0, 0] == 1 > found["nonzero"][-1, 0]


def test_a_bin_that_repeats_another_has_a_large_variance_inflation(samples):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(N, 6))
    X[:, 1] = X[:, 0] + 0.1 * rng.normal(size=N)
    X[:, 5] = 0
    found = weights.compute("ar.collinearity", lambda _: changed(samples, X=X, r=np.arange(6.0)))
    assert np.all(found["vif"][:2] > 30)
    assert np.all(found["vif"][2:5] < 2)
    assert np.isnan(found["vif"][5])


def test_a_shell_without_information_may_be_permuted(samples, monkeypatch):
    monkeypatch.setattr(weights, "REACHES", (3.0,))
    rng = np.random.default_rng(3)
    X = rng.normal(size=(N, N_R))
    X[:, :4] += 3 * samples.density[:, None] - 4.5
    found = weights.compute("ar.shells", lambda _: changed(samples, X=X + 4))
    assert found["permuted"].shape == (len(found["shell_edges"]) - 1, N_OMEGA + 1)
    # The first shell holds the first of the four bins at least, whose information is everywhere.
    lost = found["all"][-1] - found["permuted"][:, -1]
    assert lost[0] == lost.max() > 0.05
    assert found["all"][-1] > 0.5
    assert found["within"][0, -1] > found["beyond"][0, -1] + 0.3


# --- results ----------------------------------------------------------------------------------


def row(system, profile, index, timings=None):
    return fake.plain_row(system, profile, index) | {
        "replicate": index % 5 == 4,
        "peak_width": 0.1 + index % 7,
    }


@pytest.fixture
def store(tmp_path):
    return fake.sealed_store(tmp_path / "store", ("ar",), 24, compute=row)


@pytest.fixture
def few(monkeypatch):
    """Three quick results, in this process."""
    monkeypatch.setattr(referee, "result_names", lambda _: ["ar.size", "ar.noise", "ar.scores"])

    def here(function, task, todo, execution):
        return [function(task, *one) for one in todo], []

    monkeypatch.setattr(engine, "compute", here)


def test_results_are_resumed_sealed_and_read(store, tmp_path, few):
    folder = tmp_path / "results"
    first = run("referee", store, folder)
    assert (first.results, first.computed, first.problems) == (3, 3, ())
    sealed = first.archive.read_bytes()
    assert run("referee", store, folder).computed == 0
    results.result_path(folder, "referee", "ar.noise").write_bytes(b"damaged")
    again = run("referee", store, folder)
    assert again.computed == 1
    assert again.archive.read_bytes() == sealed
    found = gd.open_results("referee", folder)
    assert list(found) == ["ar.size", "ar.noise", "ar.scores"]
    assert list(found.select("*.s*")) == ["ar.size", "ar.scores"]
    assert found.systems == ["ar"]
    assert found.manifest["versions"]["numpy"] == np.__version__
    expected = referee.compute("ar.noise", lambda _: load(str(store), "ar"))
    np.testing.assert_array_equal(found["ar.noise"]["error"], expected["error"])
    with pytest.raises(KeyError):
        _ = found["ar.nonsense"]


def test_a_package_that_is_not_installed_has_no_version(monkeypatch):
    def version(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(runner, "version", version)
    assert set(runner._versions().values()) == {"none"}


def test_other_data_start_anew(store, tmp_path, few):
    folder = tmp_path / "results"
    run("referee", store, folder)
    other = fake.sealed_store(tmp_path / "other", ("ar",), 30, compute=row)
    assert run("referee", other, folder).computed == 3


def test_a_result_depends_on_the_data_of_the_systems_in_its_name():
    before, after = (
        runner.Task("referee", None, Path("results"), {"ar": "a", "kr": kr})
        for kr in ("k", "other")
    )
    assert before.identity("ar.noise") == after.identity("ar.noise")
    for result in ("kr.noise", "ar.transfer.kr", "kr.transfer.ar"):
        assert before.identity(result) != after.identity(result)


def test_a_glass_that_no_result_names_makes_them_no_others(tmp_path, few):
    """It may be added or grow: the archive keeps its bytes, so what reads it is not made anew."""
    sealed = []
    for glasses in (("ar",), ("ar", "sic")):
        store = fake.sealed_store(tmp_path / "-".join(glasses), glasses, 24, compute=row)
        sealed.append(run("referee", store, tmp_path / "results").archive.read_bytes())
    assert sealed[0] == sealed[1]
    # An older archive lists all glasses of its dataset.
    results.seal(tmp_path / "results", "referee", ["ar.size"], {"dataset": {"ar": "1", "sic": "2"}})
    older = gd.open_results("referee", tmp_path / "results")
    assert older.origin == {"ar": "1"}
    assert older.systems == ["ar"]


def test_a_flipped_bit_of_the_results_is_noticed(store, tmp_path, few):
    archive = run("referee", store, tmp_path).archive
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    with pytest.raises(DamageError, match=r"referee\.zip is damaged"):
        gd.open_results("referee", tmp_path)
    with pytest.raises(FileNotFoundError, match="glassdata experiment weights"):
        gd.open_results("weights", tmp_path)


@pytest.mark.parametrize("what", ["referee/ar.noise.npz", "referee.zip"])
def test_damaged_results_are_named_and_made_again(store, tmp_path, few, chaos, tally, capsys, what):
    """Any bit of one result, or of the packed ones; the experiment ends with the same bytes."""
    from glassdata.cli import run as cli

    folder, rng = tmp_path / "results", chaos.rng(what)
    archive = run("referee", store, folder).archive
    path = folder / what
    sealed, whole = archive.read_bytes(), path.read_bytes()
    for _ in range(100 if chaos.full else 10):
        bit = rng.randrange(8 * len(whole))
        spoilt = bytearray(whole)
        spoilt[bit // 8] ^= 1 << bit % 8
        path.write_bytes(spoilt)
        tally(f"a flipped bit in {'a result' if what.endswith('npz') else 'packed results'}")
        assert {finding.name.split(".zip")[0] for finding in results.verify(folder)} == {
            what.split(".zip")[0]
        }, bit
    assert cli(["verify", str(folder)]) == 1
    assert capsys.readouterr().out.startswith(what)
    again = run("referee", store, folder)
    assert [finding.name.split(".zip")[0] for finding in again.damaged] == [what.split(".zip")[0]]
    assert again.computed == what.endswith("npz")
    assert (archive.read_bytes(), path.read_bytes()) == (sealed, whole)
    assert cli(["verify", str(folder)]) == 0


def test_a_result_of_an_earlier_release_is_not_computed_again(store, tmp_path, few):
    """It has no checksum over all of it, but one for each array."""
    folder = tmp_path / "results"
    run("referee", store, folder)
    path = results.result_path(folder, "referee", "ar.noise")
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b""
    assert results.verify(folder) == []
    assert run("referee", store, folder).computed == 0


def test_without_pytorch_everything_but_the_networks_is_computed(store, tmp_path, few, monkeypatch):
    monkeypatch.setattr(runner.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(
        comparison,
        "result_names",
        lambda _: ["ar.cnn.test.0", "ar.mean.test.0", "ar.density.test.0"],
    )
    outcome = run("line-vs-cnn", store, tmp_path)
    assert outcome.left_out == ("ar.cnn.test.0",)
    assert list(gd.open_results("line-vs-cnn", tmp_path)) == ["ar.mean.test.0", "ar.density.test.0"]


def test_results_named_by_a_number_need_no_pytorch_of_ours():
    names = EXPERIMENTS["sevennet"].result_names({})
    assert {"00", "39", "crystal", "edge"} <= set(names)
    assert not any(runner._is_network(name) for name in names)


def test_a_glass_without_results_for_want_of_a_file_is_named(monkeypatch):
    lacking = {"a": "a.txt", "b": "b.txt", "c": None}
    monkeypatch.setattr(runner, "SYSTEMS", {name: name for name in lacking})
    monkeypatch.setattr(runner, "lacks", lacking.get)
    found = runner._lacking(["a", "b", "c", "of a user"], ["b.beyond.sound.quenched"])
    assert found == {"a": "a.txt"}
    # Others leave no glass out for that reason, and must not say so.
    asking = {name for name, module in EXPERIMENTS.items() if "available" in vars(module)}
    assert asking == set(runner._OF_ATOMS)


def test_too_few_families_are_refused(tmp_path):
    small = fake.sealed_store(tmp_path / "small", ("ar",), 8, compute=row)
    with pytest.raises(StoreError, match="ar has 4 families"):
        run("referee", small, tmp_path / "results")


def test_results_hold_numbers_and_text_only():
    with pytest.raises(TypeError, match="odd is neither"):
        results.encode("", {"odd": np.array([object()])})


def test_an_experiment_runs_on_workers_from_the_command_line(store, tmp_path, monkeypatch, capsys):
    from glassdata.cli import run as cli
    from glassdata.cli.experiment import NAMES

    assert tuple(EXPERIMENTS) == NAMES
    # The workers import the module anew: all they are asked for is one result.
    monkeypatch.setattr(referee, "result_names", lambda _: ["ar.size", "ar.noise"])
    command = ["experiment", "referee", "--store", str(store), "-o", str(tmp_path / "out")]
    assert cli([*command, "--workers", "1"]) == 0
    assert "2 of 2 results computed now" in capsys.readouterr().out
    monkeypatch.setattr(referee, "result_names", lambda _: ["ar.size", "ar.impossible"])
    assert cli([*command, "--workers", "1"]) == 1
    errors = capsys.readouterr().err
    assert "ar.impossible" in errors
    assert "incomplete" in errors
