"""Model files: what is fitted comes back, and nothing a file says is believed or executed."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from glassdata import bounds, models
from glassdata.intervals import Calibration
from glassdata.models import modelfile

N, N_R, N_OMEGA = 60, 12, 7


@pytest.fixture(scope="module")
def data():
    """X, Y, groups of a noiseless linear map; groups of three; spectra positive."""
    rng = np.random.default_rng(0)
    W = 0.01 * rng.normal(size=(N_OMEGA, N_R))
    X = 1 + 0.3 * rng.normal(size=(N, N_R))
    return X, X @ W.T + 0.5, np.repeat(np.arange(N // 3), 3), W


@pytest.fixture
def file(tmp_path, data):
    X, Y, _, _ = data
    model = models.ridge(l2=1e-3).fit(X, Y)
    path = tmp_path / "model.npz"
    models.save(model, path, {"system": "amc", "r_edges": list(range(N_R + 1))}, X=X)
    return path


def rewrite(path, changes: dict[str, bytes | None], compression: int = zipfile.ZIP_STORED) -> None:
    """Replace or remove (None) members of a .npz file."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()} | changes
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            if content is not None:
                archive.writestr(name, content)


def npy(array: np.ndarray, **options) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def meta_member(**content) -> bytes:
    text = json.dumps({"format": modelfile.FORMAT} | content)
    return npy(np.frombuffer(text.encode(), "u1"))


AVAILABLE = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(not kind.available, reason=f"{kind.needs} is not installed"),
    )
    for name, kind in models.MODELS.items()
]


def quick(name):
    """The model of this name as it comes, but a network trains three epochs only."""
    model = models.MODELS[name].make()
    return model.set_params(max_epochs=3) if "max_epochs" in model.get_params() else model


@pytest.mark.parametrize("name", AVAILABLE)
def test_every_model_comes_back_from_its_file_and_predicts_the_same(name, tmp_path, data):
    X, Y, groups, _ = data
    model = quick(name)
    chosen = {"groups": groups} if models.MODELS[name].tuned else {}
    model.fit(X[:50], Y[:50], **{key: labels[:50] for key, labels in chosen.items()})
    models.save(model, tmp_path / "any.name", {"model": name}, X=X[:50])
    loaded, meta = models.load(tmp_path / "any.name")
    assert meta == {"model": name, "format": modelfile.FORMAT, "kind": loaded.kind}
    assert [p.name for p in tmp_path.iterdir()] == ["any.name"]
    assert type(loaded.regression) is models.MODELS[name].regression
    assert loaded.shape == (N_OMEGA, N_R)
    # Structures that it never saw, too; the same operations on the same numbers.
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    fitted = getattr(model, "best_estimator_", model)
    again = loaded.regression.to_arrays()
    for key, values in fitted.to_arrays().items():
        np.testing.assert_array_equal(again[key], values)
    with np.load(tmp_path / "any.name") as content:  # no pickle needed
        assert all(content[key].dtype.kind in "fu" for key in content.files)


@pytest.mark.parametrize("name", AVAILABLE)
def test_no_model_believes_its_arrays(name, data):
    """Whatever one array says is refused or leads to finite predictions, never to a traceback."""
    X, Y, _, _ = data
    model = quick(name).fit(X, Y)
    kind = models.MODELS[name].regression
    arrays = model.to_arrays()
    for key, values in arrays.items():
        refused = [np.full_like(values, np.nan), values[None], np.array("text")]
        refused += [values[..., :0]] if values.ndim else []
        for wrong in refused:
            with pytest.raises(ValueError, match=f"{key}|kind|n_features_in") as caught:
                kind.from_arrays(arrays | {key: wrong})
            assert "\n" not in str(caught.value)
        with pytest.raises(ValueError, match=r"does not hold|must be"):
            kind.from_arrays({other: v for other, v in arrays.items() if other != key})
        for number in (-1.0, 1e300):
            try:
                forged = kind.from_arrays(arrays | {key: np.full_like(values, number)})
                models.SavedModel(forged, modelfile._region(X, N_R)).predict(X)
            except ValueError as error:
                assert "\n" not in str(error)  # noqa: PT017
    with pytest.raises(ValueError, match="does not hold"):
        kind.from_arrays(arrays | {"extra": np.zeros(1)})


def test_settings_come_back_as_what_they_were(data):
    X, Y, _, _ = data
    for model in (
        models.ridge(l2=1e-3),
        models.elastic_net(l1=0.01, l2=1e-3),
        models.pcr(3),
        models.Neighbours(4, power=2.0),
        models.KernelMap(width=0.5, l2=1e-2),
        models.ScalarCurve("variance", degree=2),
    ):
        back = type(model).from_arrays(model.fit(X, Y).to_arrays())
        assert back.get_params() == model.get_params()
        assert [type(value) for value in back.get_params().values()] == [
            type(value) for value in model.get_params().values()
        ]


class Forgetful(models.Average):
    """A model with a fault: it loses half of its mean on the way through its arrays."""

    def to_arrays(self):
        arrays = super().to_arrays()
        return arrays | {"y_mean_": arrays["y_mean_"] / 2}


def test_a_model_that_comes_back_as_another_is_not_saved(tmp_path, monkeypatch, data):
    X, Y, _, _ = data
    kind = models.ModelKind(Forgetful, Forgetful, "forgets")
    monkeypatch.setattr(modelfile, "MODELS", dict(models.MODELS) | {"forgetful": kind})
    with pytest.raises(ValueError, match="Forgetful predicts other spectra"):
        models.save(Forgetful().fit(X, Y), tmp_path / "model.npz", {}, X=X)
    assert list(tmp_path.iterdir()) == []


class Trap:
    """Leaves a trace when unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_pickled_object_is_refused_and_never_executed(file, tmp_path):
    trace = tmp_path / "executed"
    payload = npy(np.array([Trap(trace)], dtype=object), allow_pickle=True)
    for name in ("model.coef_.npy", "meta.npy"):
        rewrite(file, {name: payload})
        with pytest.raises(ValueError, match="not a plain array"):
            models.load(file)
    file.write_bytes(pickle.dumps(Trap(trace)))
    with pytest.raises(ValueError, match="not a readable model file"):
        models.load(file)
    assert not trace.exists()


@pytest.mark.parametrize("shape", ["(9999999999, 9999999)", "(0, 12)", "(7, -12)", "(7, 13)"])
def test_a_shape_without_bytes_is_refused(shape, file):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    body = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    rewrite(file, {"model.coef_.npy": body + bytes(8 * 84)})
    with pytest.raises(ValueError, match="coef"):
        models.load(file)


def test_a_bomb_is_not_unpacked(file, monkeypatch):
    monkeypatch.setattr(modelfile, "LIMIT", 2**16)
    rewrite(file, {"model.coef_.npy": npy(np.zeros(2**20))}, zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match="more than 65536 bytes"):
        models.load(file)


@pytest.mark.parametrize(
    ("member", "content", "message"),
    [
        ("model.coef_.npy", None, "does not hold"),
        ("x_mean.npy", None, "holds"),
        ("meta.npy", None, "holds"),
        ("extra.npy", b"", "extra is not a plain array"),
        ("extra.npy", npy(np.zeros(1)), "holds"),
        ("extra", npy(np.zeros(1)), "holds"),
        ("model.extra.npy", npy(np.zeros(1)), "does not hold"),
        ("meta.npy", npy(np.zeros(3)), "meta is not of type uint8"),
        ("model.coef_.npy", npy(np.zeros((7, 12), "f4")), "coef_ is not of type float64"),
        ("model.coef_.npy", npy(np.full((7, 12), np.nan)), "coef_ must be finite"),
        ("model.intercept_.npy", npy(np.zeros(8)), r"intercept_ must be .* shape \(7\)"),
        ("variances.npy", npy(np.zeros(11)), "variances must"),
        ("reference.npy", npy(np.zeros(1)), "must be positive"),
        (
            "meta.npy",
            npy(np.frombuffer(b'{"format": 1}', "u1")),
            f"not of format {modelfile.FORMAT}",
        ),
        ("meta.npy", npy(np.frombuffer(b"[1]", "u1")), f"not of format {modelfile.FORMAT}"),
        ("meta.npy", npy(np.frombuffer(b"{" * 9, "u1")), "not a readable"),
        ("meta.npy", npy(np.frombuffer(b"[" * 10**5, "u1")), "not a readable"),
        ("meta.npy", meta_member(kind="LinearMap", r_edges=[0]), "r_edges"),
        ("meta.npy", meta_member(kind="pickle"), "unknown kind"),
        ("meta.npy", meta_member(kind="KernelMap"), "does not hold"),
    ],
)
def test_damaged_files_are_refused_in_one_line(member, content, message, file):
    rewrite(file, {member: content})
    with pytest.raises(ValueError, match=message) as caught:
        models.load(file)
    assert str(caught.value).startswith(f"{file}: ")
    assert "\n" not in str(caught.value)


def test_missing_and_truncated_files_are_refused(file, tmp_path):
    with pytest.raises(ValueError, match=r"absent\.npz"):
        models.load(tmp_path / "absent.npz")
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(ValueError, match="not a readable model file"):
        models.load(file)


def test_an_unknown_compression_is_refused(file):
    rewrite(file, {}, zipfile.ZIP_LZMA)
    with pytest.raises(ValueError, match="unknown compression"):
        models.load(file)


@pytest.mark.parametrize("seed", range(60))
def test_flipped_bits_never_give_a_traceback_or_a_wrong_model(seed, file):
    before, _ = models.load(file)
    content = bytearray(file.read_bytes())
    rng = np.random.default_rng(seed)
    content[rng.integers(len(content))] ^= 1 << rng.integers(8)
    file.write_bytes(content)
    try:
        after, _ = models.load(file)
    except ValueError as error:
        assert str(error).startswith(f"{file}: ")  # noqa: PT017
    else:  # only bytes that mean nothing, such as the time of a member, may change
        np.testing.assert_array_equal(after.regression.coef_, before.regression.coef_)


def test_a_model_may_take_no_more_memory_than_any_file():
    assert modelfile.LIMIT <= bounds.LIMIT


def test_saving_refuses_what_is_no_fitted_model(tmp_path, data):
    X, Y, _, _ = data
    fitted = models.ridge(l2=1).fit(X, Y)
    for model, meta, training, message in [
        (models.LinearMap(), {}, X, "not fitted"),
        (LinearRegression().fit(X, Y), {}, X, "LinearRegression is not a model"),
        (models.ridge(l2=1).fit(X, Y[:, 0]), {}, X, "coef_ must be finite, of shape"),
        (fitted, {"r2": float("nan")}, X, "finite"),
        (fitted, {"omega_edges": [0, 1]}, X, "omega_edges"),
        (fitted, {}, X[:, 1:], "training"),
        (fitted, {}, X[:1], "training"),
        (fitted, {}, np.ones_like(X), "equal"),
    ]:
        with pytest.raises(ValueError, match=message):
            models.save(model, tmp_path / "model.npz", meta, X=training)
    assert list(tmp_path.iterdir()) == []


def test_novelty_is_one_at_the_rim_of_the_training_set_and_grows_outside(file, data):
    X = data[0]
    model, _ = models.load(file)
    inside = model.novelty(X)
    # The rim is the 95 % quantile of others of their kind: of 60 structures at most 3 lie beyond.
    assert np.count_nonzero(inside > 1) <= 3
    centre = X.mean(axis=0)
    away = [model.novelty(centre + t * (X[:1] - centre))[0] for t in (0, 1, 2, 10)]
    np.testing.assert_allclose(away, inside[0] * np.array([0, 1, 2, 10]), atol=1e-12)


def test_novelty_notices_what_never_varied_in_training(tmp_path, data):
    rng = np.random.default_rng(4)
    scores = rng.normal(size=(100, 3))
    X = scores @ rng.normal(size=(3, 30))
    X[:, :5] = 0  # nothing below the first shell
    Y = X[:, 5:8] + 9
    model = models.save(models.ridge(l2=1e-6).fit(X, Y), tmp_path / "model.npz", {}, X=X)
    new = X[:1].copy()
    new[0, 2] = 1.0
    assert model.novelty(X[:1]) < 3 < 10 < model.novelty(new)
    with pytest.raises(ValueError, match=r"\(n, 30\)"):
        model.novelty(X[:, 1:])
    with pytest.raises(ValueError, match="finite"):
        model.predict(np.full((1, 30), np.nan))


def test_the_region_is_that_of_the_principal_components(data):
    """By hand, from the eigenvalues of the covariance."""
    rng = np.random.default_rng(9)
    X = 1 + rng.normal(size=(80, N_R)) * np.geomspace(3, 0.01, N_R)
    region = modelfile._region(X, N_R)
    values, vectors = np.linalg.eigh(np.cov(X.T))
    values, vectors = values[::-1], vectors[:, ::-1]
    k = next(k for k in range(1, N_R) if values[:k].sum() >= 0.99 * values.sum())
    assert 1 < k < N_R
    assert region.components.shape == (k, N_R)
    # Rounding of two different decompositions.
    np.testing.assert_allclose(region.variances, values[:k], rtol=1e-9)
    np.testing.assert_allclose(region.residual, values[k:].mean(), rtol=1e-6)
    scores = (X - X.mean(axis=0)) @ vectors
    squares = np.append(values[:k], np.full(N_R - k, values[k:].mean()))
    distances = np.sqrt(np.sum(scores**2 / squares, axis=1))
    assert region.reference > np.quantile(distances, 0.95)  # that of structures held out
    model = models.SavedModel(models.mean().fit(X, X), region)
    np.testing.assert_allclose(model.novelty(X), distances / region.reference, rtol=1e-6)


@pytest.mark.parametrize("n", [20, 50, 200])
def test_one_in_twenty_of_the_same_kind_lies_beyond_the_rim(n):
    """However few structures there are: from themselves, they all look near."""
    rng = np.random.default_rng(1)
    mix = rng.normal(size=(12, 40)) * np.geomspace(3, 0.3, 12)[:, None]

    def some(count):
        return 1 + rng.normal(size=(count, 12)) @ mix + 0.1 * rng.normal(size=(count, 40))

    beyond = [np.mean(modelfile.region_of(some(n)).distance(some(2000)) > 1) for _ in range(20)]
    assert np.mean(beyond) == pytest.approx(0.05, abs=0.03)


def test_families_are_held_out_together_to_find_the_rim():
    """Copies of each other would else let the training set seem to be wherever they are."""
    rng = np.random.default_rng(2)
    alone = rng.normal(size=(20, 30))
    copies, groups = np.repeat(alone, 4, axis=0), np.repeat(np.arange(20), 4)
    copies += 0.01 * rng.normal(size=copies.shape)
    together = modelfile.region_of(copies, groups).reference
    apart = modelfile.region_of(copies).reference
    assert together > 1.5 * apart


def test_directions_that_never_varied_get_a_millionth_of_the_least_variance_kept():
    """Without it, whatever is new there would be infinitely far away."""
    scores = np.random.default_rng(3).normal(size=(60, 2)) * [3.0, 1.0]
    region = modelfile._region(scores @ np.eye(2, 12), 12)
    assert len(region.variances) == 2
    np.testing.assert_allclose(region.residual, 1e-6 * region.variances[1], rtol=1e-12)


def test_a_region_never_keeps_more_components_than_a_file_should_hold():
    X = np.random.default_rng(1).normal(size=(100, 60))
    assert len(modelfile._region(X, 60).components) == modelfile.MAX_COMPONENTS


def test_a_model_and_a_region_of_other_bins_do_not_go_together(data):
    X, Y, _, _ = data
    with pytest.raises(ValueError, match=r"12 bins of g.* training set had 11"):
        models.SavedModel(models.mean().fit(X, Y), modelfile._region(X[:, 1:], N_R - 1))


def test_predictions_that_are_not_finite_are_refused(data):
    X, Y, _, _ = data
    line = models.ridge(l2=1.0).fit(X, Y)
    line.coef_ = np.full_like(line.coef_, 1e308)
    with pytest.raises(ValueError, match="LinearMap predicts numbers that are not finite"):
        models.SavedModel(line, modelfile._region(X, N_R)).predict(X)


def test_fingerprints_tell_values_shapes_and_types_apart():
    a = np.arange(6.0)
    marks = {models.fingerprint(x) for x in (a, a + 1, a.reshape(2, 3), a.astype("f4"), a[::-1])}
    assert len(marks) == 5
    assert models.fingerprint(a) == models.fingerprint(np.arange(12.0)[::2] / 2)


def test_meta_is_plain_json_in_the_file(file):
    with np.load(file) as content:  # no pickle needed
        meta = json.loads(content["meta"].tobytes())
    assert meta["format"] == modelfile.FORMAT


def test_a_calibration_of_another_model_is_refused(data):
    """Of other bins, or of places in another training set; one of them is enough."""
    X, Y, groups, _ = data
    line = models.mean().fit(X, Y)
    region = modelfile._region(X, N_R, groups)
    near, n_omega = len(region.components[: modelfile.NEAR]), Y.shape[1]

    def saved(n_omega, near):
        n = np.ones(50)
        errors, place = np.zeros((50, n_omega)), np.zeros((50, near))
        return models.SavedModel(line, region, Calibration(errors, place, n, n, np.arange(50.0), n))

    assert saved(n_omega, near).calibration is not None
    for wrong in [(n_omega + 1, near), (n_omega, near + 1)]:
        with pytest.raises(ValueError, match="that of another model"):
            saved(*wrong)
