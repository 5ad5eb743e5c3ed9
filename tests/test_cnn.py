"""Laws of the convolutional networks; all but the last need PyTorch."""

import builtins
import sys

import numpy as np
import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

from glassdata import cnn, models

needs_torch = pytest.mark.skipif(
    "not __import__('importlib.util').util.find_spec('torch')",
    reason="PyTorch is not installed: make cnn",
)
QUICK = {"max_epochs": 3, "patience": 2}


@pytest.fixture(scope="module")
def data():
    """X, Y, groups of a map that is not linear; groups of three."""
    rng = np.random.default_rng(0)
    X = 1 + 0.3 * rng.normal(size=(60, 30))
    Y = 5 + np.tanh(X @ rng.normal(size=(30, 8)))
    return X, Y, np.repeat(np.arange(20), 3)


@needs_torch
@pytest.mark.parametrize(("kind", "n_parameters"), [("spramnet", 162_206), ("residual", 274_852)])
def test_the_networks_have_the_published_layers(kind, n_parameters):
    net = cnn.build(kind, 100, 100)
    assert sum(p.numel() for p in net.parameters()) == n_parameters
    for n_r in (1, 4, 17, 100):
        state = cnn.build(kind, n_r, 7).state_dict()
        found = {n: tuple(v.shape) for n, v in state.items() if "num_batches" not in n}
        assert found == cnn.shapes(kind, n_r, 7)


@needs_torch
@pytest.mark.parametrize("kind", cnn.KINDS)
def test_a_network_learns_and_repeats_itself(kind, data):
    import torch

    X, Y, groups = data
    before = torch.get_rng_state()
    fits = [models.cnn(kind, max_epochs=15, seed=s).fit(X, Y, groups) for s in (1, 1, 2)]
    assert torch.equal(torch.get_rng_state(), before)
    assert models.r2(Y, fits[0].predict(X), Y.mean(axis=0)) > 0.5
    for name, values in fits[0].weights_.items():
        np.testing.assert_array_equal(values, fits[1].weights_[name])
    assert not np.array_equal(fits[0].predict(X), fits[2].predict(X))
    history = fits[0].history_
    assert len(history["final"]) == fits[0].n_epochs_ == np.argmin(history["validation"]) + 1
    assert history["final"][-1] < history["final"][0]


@needs_torch
def test_training_stops_when_it_no_longer_helps(data):
    X, Y, groups = data
    # Spectra that have nothing to do with X: the best is soon reached.
    noise = np.random.default_rng(1).normal(size=Y.shape)
    fitted = models.cnn(patience=5, weight_decays=(0.0,)).fit(X, noise, groups)
    assert len(fitted.history_["validation"]) == fitted.n_epochs_ + 5 < 200
    whole = models.cnn(validation_fraction=0, max_epochs=7).fit(X, Y)
    assert len(whole.history_["final"]) == 7


@needs_torch
def test_early_stopping_is_judged_on_other_families():
    # Spectra belong to families: what helps within one is of no use in another.
    rng = np.random.default_rng(2)
    families = np.repeat(np.arange(12), 5)
    X = rng.normal(size=(12, 20))[families] + 0.01 * rng.normal(size=(60, 20))
    Y = 1 + rng.normal(size=(12, 4))[families]
    settings = {"max_epochs": 40, "patience": 10, "weight_decays": (0.0,)}
    told = models.cnn(**settings).fit(X, Y, groups=families)
    careless = models.cnn(**settings).fit(X, Y)
    # In units of the variance: no skill, or nearly all of it.
    assert told.history_["validation"].min() > 0.5
    assert careless.history_["validation"].min() < 0.1
    assert told.n_epochs_ < careless.n_epochs_


@needs_torch
def test_the_unit_of_the_spectra_changes_nothing_for_a_network(data):
    X, Y, groups = data
    small, large = (models.cnn(**QUICK).fit(X, y, groups).predict(X) for y in (Y, 1024 * Y))
    # A power of two: not even rounding differs.
    np.testing.assert_array_equal(1024 * small, large)


@needs_torch
@pytest.mark.parametrize("kind", cnn.KINDS)
def test_a_saved_network_predicts_the_same(kind, data, tmp_path):
    X, Y, groups = data
    fitted = models.cnn(kind, **QUICK).fit(X, Y, groups)
    models.save(fitted, tmp_path / "net.npz", {}, X=X)
    loaded, meta = models.load(tmp_path / "net.npz")
    assert meta["kind"] == "ConvolutionalNetwork"
    assert loaded.regression.kind == kind
    assert loaded.shape == (8, 30)
    np.testing.assert_array_equal(loaded.predict(X), fitted.predict(X))
    with np.load(tmp_path / "net.npz") as content:  # no pickle needed
        assert all(content[name].dtype.kind in "fu" for name in content.files)


@needs_torch
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "magic"}, "'magic'"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"validation_fraction": 0.9}, "validation_fraction"),
        ({"weight_decays": (-1.0,)}, "weight_decays"),
    ],
)
def test_bad_settings_are_named(settings, message, data):
    with pytest.raises(ValueError, match=message):
        models.cnn(**settings).fit(*data)


CHECKED = cnn.ConvolutionalNetwork(max_epochs=6, patience=6, learning_rate=1e-2)
CHECKS = list(estimator_checks_generator(CHECKED))


@needs_torch
@pytest.mark.parametrize(("estimator", "check"), CHECKS)
@pytest.mark.filterwarnings("ignore")  # the checks provoke warnings of scikit-learn
def test_networks_conform_to_scikit_learn(estimator, check):
    check(estimator)


def test_without_pytorch_the_network_says_what_is_missing(data, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "torch"]:
        monkeypatch.delitem(sys.modules, name)
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.split(".")[0] == "torch":
            raise ImportError("No module named 'torch'")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="needs PyTorch: make cnn"):
        models.cnn().fit(*data)
    assert models.ridge().fit(*data).predict(data[0]).shape == data[1].shape


@pytest.mark.parametrize(
    ("width", "depth", "n_r"), [(16, 1, 20), (16, 2, 20), (8, 3, 4), (64, 2, 9)]
)
def test_networks_of_other_sizes_have_the_arrays_that_are_expected(width, depth, n_r):
    pytest.importorskip("torch", reason="PyTorch is not installed: make cnn")
    size = {"width": width, "depth": depth}
    net = cnn.build("spramnet", n_r, 7, **size)
    found = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    assert found == cnn.shapes("spramnet", n_r, 7, **size)


def test_a_tuned_network_takes_the_settings_that_did_best_on_other_families(data):
    pytest.importorskip("torch", reason="PyTorch is not installed: make cnn")
    X, Y, groups = data
    # A rate of 1e-9 learns nothing in a few epochs: the other is chosen wherever it stands.
    slow, quick = (
        {"learning_rate": 1e-9, "width": 8},
        {"learning_rate": 3e-3, "width": 16, "depth": 2},
    )
    for settings in ((slow, quick), (quick, slow)):
        network = models.tuned_cnn(settings=settings, max_epochs=15, patience=15)
        fitted = network.fit(X, Y, groups)
        assert fitted.settings_ == {"weight_decay": 0.0} | quick
        assert fitted.weights_["4.weight"].shape == (16, 16, 3)
    sizes = cnn.shapes("spramnet", X.shape[1], Y.shape[1], width=16, depth=2)
    assert fitted.n_parameters_ == sum(np.prod(shape) for shape in sizes.values())
    with pytest.raises(ValueError, match="another size"):
        fitted.to_arrays()


def test_the_tuned_network_may_try_at_least_as_much_as_any_other_model():
    assert len(models.NETWORK_SETTINGS) >= models.EFFORT
    assert len({tuple(one.items()) for one in models.NETWORK_SETTINGS}) == len(
        models.NETWORK_SETTINGS
    )
    for name in ("width", "depth", "learning_rate", "weight_decay"):
        assert len({one[name] for one in models.NETWORK_SETTINGS}) > 1
