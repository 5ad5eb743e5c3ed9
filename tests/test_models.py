"""Laws of the linear maps, of grouped splits and scores, and of model files."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import ElasticNet, LinearRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import estimator_checks_generator

from glassdata import modelfile, models

N, N_R, N_OMEGA = 60, 12, 7


@pytest.fixture(scope="module")
def data():
    """X, Y, groups of a noiseless linear map; three siblings a group; spectra positive."""
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


# --- maps -------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [models.ridge(), models.ridge(l2=0), models.elastic_net(0, 0)])
def test_a_noiseless_map_is_recovered(model, data):
    X, Y, _, W = data
    fitted = clone(model).fit(X, Y)
    # Least squares is exact to rounding; the smallest penalty tried, 1e-8 against variances of
    # 0.09, biases W by 1e-7 of itself.
    np.testing.assert_allclose(fitted.coef_, W, atol=1e-8)
    np.testing.assert_allclose(fitted.predict(X), Y, atol=1e-8)
    assert fitted.coef_.shape == (N_OMEGA, N_R)
    assert fitted.intercept_.shape == (N_OMEGA,)


def test_the_smallest_penalties_of_the_elastic_net_nearly_recover_the_map(data):
    X, Y, groups, W = data
    fitted = models.elastic_net().fit(X, Y, groups=groups)
    assert set(fitted.best_params_) == {"l1", "l2"}
    # Penalties of 1e-3 against variances of 0.09 shrink W by a few percent.
    np.testing.assert_allclose(fitted.coef_, W, atol=0.05 * np.abs(W).max())


@pytest.mark.parametrize("reduction", ["sum", "samples", "mean"])
@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 3e-3), (2e-5, 3e-3)])
def test_penalties_minimise_equation_8(reduction, alpha, beta, data):
    X, Y = data[0][:20, :3], data[1][:20, :2]
    model = models.LinearMap(**models.penalties(alpha, beta, Y, reduction=reduction))
    model.fit(X, Y)
    over = {"sum": 1, "samples": 20, "mean": 40}[reduction]

    def loss(theta):
        W, b = theta[:6].reshape(2, 3), theta[6:]
        error = np.sum((X @ W.T + b - Y) ** 2) / over
        return error + alpha * np.abs(W).sum() + beta * np.sum(W**2)

    found = np.r_[model.coef_.ravel(), model.intercept_]
    best = min(
        minimize(loss, start, method="Powell", options={"xtol": 1e-10, "ftol": 1e-14}).fun
        for start in (found, np.zeros(8))
    )
    # Coordinate descent stops at a duality gap of 1e-4 of the variance of Y.
    gap = 0 if alpha == 0 else 1e-4 * np.sum(np.var(Y, axis=0)) * 20 / over
    assert loss(found) <= best + gap + 1e-12


def test_the_unit_of_the_spectra_changes_nothing(data):
    X, Y, _, _ = data
    for model in (models.ridge(l2=0.01), models.elastic_net(l1=0.01, l2=0.01)):
        first, second = clone(model).fit(X, Y), clone(model).fit(X, 1000 * Y)
        # Rounding; coordinate descent takes the same steps in both.
        np.testing.assert_allclose(1000 * first.coef_, second.coef_, rtol=1e-9, atol=1e-9)


def test_a_larger_l1_leaves_fewer_weights(data):
    X, Y, _, _ = data
    counts = [
        np.count_nonzero(models.elastic_net(l1=l1, l2=1e-3).fit(X, Y).coef_)
        for l1 in (1e-3, 0.1, 0.3, 100)
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == 0


def test_every_output_is_fitted_on_its_own(data):
    X, Y, _, _ = data
    # The penalty in the unit of Y is what must agree: the scale depends on all outputs.
    beta, alpha = 1e-2, 1e-4
    whole = models.LinearMap(**models.penalties(alpha, beta, Y)).fit(X, Y)
    single = models.LinearMap(**models.penalties(alpha, beta, Y[:, :1])).fit(X, Y[:, 0])
    # Both stop at a duality gap of 1e-4 of the variance.
    np.testing.assert_allclose(single.coef_, whole.coef_[0], atol=1e-2 * np.abs(whole.coef_).max())


ESTIMATORS = [
    models.LinearMap(), models.LinearMap(l1=0.01), models.ridge(), models.pcr(),
    models.PrincipalMap(), models.ScalarCurve(), models.scalar("variance"), models.Neighbours(),
    models.KernelMap(), models.mean(),
]  # fmt: skip
CHECKS = [check for estimator in ESTIMATORS for check in estimator_checks_generator(estimator)]


@pytest.mark.parametrize(("estimator", "check"), CHECKS)
@pytest.mark.filterwarnings("ignore")  # the checks provoke warnings of scikit-learn
def test_estimators_conform_to_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("reduction", ["sum", "samples", "mean"])
@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 3e-3), (2e-5, 3e-3), (2e-5, 0.0)])
def test_scikit_learn_agrees_with_equation_8(reduction, alpha, beta, data):
    X, Y = data[0], data[1]
    ours = models.LinearMap(**models.penalties(alpha, beta, Y, reduction=reduction)).fit(X, Y)
    theirs = models.sklearn_penalties(alpha, beta, Y.shape, reduction=reduction)
    if alpha == 0:
        model = Ridge(alpha=theirs["ridge"])
    else:
        model = ElasticNet(alpha=theirs["elastic_net"], l1_ratio=theirs["l1_ratio"], tol=1e-12)
    # Coordinate descent stops at a relative duality gap of 1e-12, an error of about its root.
    np.testing.assert_allclose(model.fit(X, Y).coef_, ours.coef_, atol=1e-6)


def test_all_settings_at_once_are_each_one_of_them(data):
    X, Y, _, _ = data
    for model, grid in [
        (models.LinearMap(), [{"l1": a, "l2": b} for a in (0, 1e-2, 0.3) for b in (0, 1e-2)]),
        (models.PrincipalMap(), [{"n_components": k} for k in (7, 1, 12)]),
        (models.KernelMap(), [{"width": a, "l2": b} for a in (1, 3) for b in (1e-3, 1e-2)]),
    ]:
        for settings_, fitted in zip(grid, model.path(X, Y, grid), strict=True):
            alone = clone(model).set_params(**settings_).fit(X, Y)
            assert fitted.get_params() == settings_
            np.testing.assert_allclose(fitted.predict(X), alone.predict(X), atol=1e-12)


def test_all_components_are_least_squares_and_few_are_those_of_scikit_learn(data):
    X, Y, _, W = data
    np.testing.assert_allclose(models.pcr(N_R).fit(X, Y).coef_, W, atol=1e-10)
    theirs = make_pipeline(PCA(3), LinearRegression()).fit(X, Y)
    np.testing.assert_allclose(models.pcr(3).fit(X, Y).predict(X), theirs.predict(X), atol=1e-10)


def test_more_components_than_structures_are_refused_but_not_tried(data):
    X, Y, _, _ = data
    with pytest.raises(ValueError, match=r"n_components=10 needs .* n_samples=8"):
        models.pcr(10).fit(X[:8], Y[:8])
    fitted = models.pcr().fit(X[:8], Y[:8])
    assert fitted.best_params_["n_components"] <= 5  # six structures in a training fold
    assert np.isinf(fitted.errors_).any()


# --- yardsticks -------------------------------------------------------------------------------


def test_a_curve_of_one_number_is_recovered_and_never_extrapolated():
    x = np.linspace(1, 2, 30)[:, None]
    Y = np.hstack([x, x**2])
    fitted = models.scalar().fit(x, Y)
    np.testing.assert_allclose(fitted.predict(x), Y, atol=1e-10)
    np.testing.assert_allclose(fitted.predict([[0.0], [9.0]]), Y[[0, -1]], atol=1e-10)
    spread = np.array([[1 - s, 1 + s] for s in np.linspace(0.1, 1, 30)])
    by_variance = models.ScalarCurve("variance", 1).fit(spread, spread.var(axis=1))
    np.testing.assert_allclose(by_variance.predict(spread), spread.var(axis=1), atol=1e-10)
    with pytest.raises(ValueError, match="'last'"):
        models.ScalarCurve("last").fit(x, Y)


def test_neighbours_agree_with_scikit_learn(data):
    X, Y, _, _ = data
    for power, weights in ((0.0, "uniform"), (1.0, "distance")):
        ours = models.Neighbours(4, power).fit(X[:40], Y[:40]).predict(X[40:])
        theirs = KNeighborsRegressor(4, weights=weights).fit(X[:40], Y[:40]).predict(X[40:])
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    everyone = models.Neighbours(10**6).fit(X, Y).predict(X)
    np.testing.assert_allclose(everyone, Y.mean(axis=0) + 0 * Y, rtol=1e-10)


def test_kernel_ridge_agrees_with_scikit_learn(data):
    X, Y, _, _ = data
    ours = models.KernelMap(width=0.5, l2=1e-3).fit(X, Y)
    theirs = KernelRidge(alpha=1e-3 * N, kernel="rbf", gamma=0.5 / ours.length_**2)
    theirs.fit(X, Y - Y.mean(axis=0))
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X) + Y.mean(axis=0), rtol=1e-10)


def test_a_wide_kernel_is_ridge(data):
    X, Y, _, _ = data
    width = 300.0
    length = width * np.sqrt(2 * X.var(axis=0).sum())
    # exp(-d²/2L²) is 1 - d²/2L²: up to constants, which centring takes, the product x·x'/L².
    wide = models.KernelMap(width, l2=1e-2 / length**2).fit(X, Y)
    np.testing.assert_allclose(wide.predict(X), models.ridge(1e-2).fit(X, Y).predict(X), atol=1e-4)


@pytest.mark.parametrize(
    "make", [models.lasso, models.elastic_net, models.nearest, models.kernel_ridge]
)
def test_tuning_tries_equally_many_settings_on_the_same_folds(make, data):
    X, Y, groups, _ = data
    fitted = make().fit(X, Y, groups=groups)
    assert len(fitted.candidates_) == models.EFFORT == len(models.ridge().fit(X, Y).candidates_)
    assert models.r2(Y, fitted.predict(X), Y.mean(axis=0)) > 0
    with pytest.raises(ValueError, match="one label per structure"):
        make().fit(X, Y, groups=groups[:-1])


def test_negative_penalties_are_refused(data):
    with pytest.raises(ValueError, match="l2=-1"):
        models.LinearMap(l2=-1).fit(data[0], data[1])
    with pytest.raises(ValueError, match="'median'"):
        models.penalties(1, 1, data[1], reduction="median")


# --- splits -----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    labels=st.lists(st.integers(0, 12), min_size=8, max_size=60),
    n_splits=st.integers(2, 6),
    seed=st.integers(0, 99),
)
def test_folds_partition_the_structures_and_never_split_a_group(labels, n_splits, seed):
    groups = np.array(labels)
    if len(set(labels)) < n_splits:
        with pytest.raises(ValueError, match="groups"):
            models.grouped_folds(groups, n_splits, seed)
        return
    folds = models.grouped_folds(groups, n_splits, seed)
    assert len(folds) == n_splits
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(len(groups)))
    for train, test in folds:
        assert len(train) + len(test) == len(groups)
        assert not set(groups[train]) & set(groups[test])
    again = models.grouped_folds(groups, n_splits, seed)
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(folds, again, strict=True))


def test_the_seed_shuffles_the_folds():
    groups = np.arange(40)
    first, second = (models.grouped_folds(groups, 5, seed)[0][1] for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_tuning_folds_make_do_with_few_groups_but_not_with_one():
    folds = models.GroupFolds(5)
    assert folds.get_n_splits(np.zeros((9, 1)), groups=[0, 0, 0, 1, 1, 1, 2, 2, 2]) == 3
    assert len(list(folds.split(np.zeros((9, 1))))) == 5
    with pytest.raises(ValueError, match="1 groups"):
        list(folds.split(np.zeros((9, 1)), groups=np.zeros(9)))


class Memory(LinearRegression):
    """Remembers every structure it saw, and the groups it was given while tuning."""

    seen: list = []  # noqa: RUF012

    def fit(self, X, y, groups=None):
        Memory.seen.append((X[:, 0].copy(), groups))
        return super().fit(X, y)


def test_held_out_groups_are_never_seen_and_groups_reach_the_tuning(data):
    X, Y, groups, _ = data
    Memory.seen.clear()
    evaluation = models.cross_validate(Memory(), X, Y, groups, n_splits=4)
    for number, (seen, told) in enumerate(Memory.seen):
        train = evaluation.fold != number
        np.testing.assert_array_equal(seen, X[train, 0])
        np.testing.assert_array_equal(told, groups[train])
        assert not set(told) & set(groups[~train])
        np.testing.assert_array_equal(evaluation.baseline[~train][0], Y[train].mean(axis=0))


def test_penalties_are_chosen_in_every_training_fold(data):
    X, Y, groups, _ = data
    evaluation = models.cross_validate(models.ridge(), X, Y, groups, n_splits=3)
    assert [set(chosen) for chosen in evaluation.parameters] == [{"l2"}] * 3
    # Noiseless: what is left is the bias of the smallest penalty.
    assert evaluation.r2 == pytest.approx(1, abs=1e-9)
    assert evaluation.mse < 1e-9 * evaluation.baseline_mse


def test_siblings_leak_without_groups():
    # Spectra that depend on the family alone, not on g(r) in any way that carries over.
    rng = np.random.default_rng(2)
    families = np.repeat(np.arange(20), 5)
    X = rng.normal(size=(20, 40))[families] + 0.01 * rng.normal(size=(100, 40))
    Y = 1 + 0.1 * rng.random((20, 6))[families]
    honest = models.cross_validate(models.ridge(), X, Y, families).r2
    leaking = models.cross_validate(models.ridge(), X, Y, np.arange(100)).r2
    assert honest < 0.1 < 0.9 < leaking


def spoilt(values: np.ndarray, row: int, by: float) -> np.ndarray:
    values = values.copy()
    values[row, -1] = by
    return values


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, Y, g: (X[:-1], Y, g), "disagree"),
        (lambda X, Y, g: (X, Y[:, 0], g), "disagree"),
        (lambda X, Y, g: (X, Y, g[:-1]), "disagree"),
        (lambda X, Y, g: (spoilt(X, 7, np.nan), Y, g), "X is not finite in 1 .* 7"),
        (lambda X, Y, g: (X, spoilt(Y, 3, np.inf), g), "Y is not finite in 1 .* 3"),
        (lambda X, Y, g: (X[:9], Y[:9], g[:9]), "3 groups .* into 5 folds"),
    ],
)
def test_bad_input_is_named(change, message, data):
    with pytest.raises(ValueError, match=message) as caught:
        models.cross_validate(models.ridge(), *change(*data[:3]))
    assert "\n" not in str(caught.value)


# --- scores -----------------------------------------------------------------------------------


def test_scores_of_known_cases():
    truth = np.array([[1.0, 3.0], [2.0, 2.0]])
    guess = np.array([[2.0, 2.0], [2.0, 2.0]])
    np.testing.assert_allclose(models.normalised(truth), [[0.25, 0.75], [0.5, 0.5]])
    # Errors of ±1/4 in two of four normalised bins.
    assert models.mse(truth, guess) == pytest.approx(2 / 16 / 4)
    assert models.mse(truth, truth) == 0
    assert models.r2(truth, truth, [0, 0]) == 1
    assert models.r2(truth, truth.mean(axis=0) + 0 * truth, truth.mean(axis=0)) == 0
    # SSE 2 against (1 + 1 + 0 + 0) of a constant 2.
    assert models.r2(truth, guess, [2.0, 2.0]) == 0
    assert models.r2(truth, 2 * guess, [2.0, 2.0]) < 0


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), unit=st.floats(1e-3, 1e3))
def test_scores_do_not_depend_on_the_unit(seed, unit):
    rng = np.random.default_rng(seed)
    truth, guess = rng.random((2, 5, 4)) + 0.1
    mean = truth.mean(axis=0)
    # Rounding only.
    assert models.mse(unit * truth, unit * guess) == pytest.approx(models.mse(truth, guess))
    scaled = models.r2(unit * truth, unit * guess, unit * mean)
    assert scaled == pytest.approx(models.r2(truth, guess, mean))


def test_intervals_of_r2_come_from_families():
    rng = np.random.default_rng(5)
    family = rng.chisquare(3, size=100)
    error, baseline = np.repeat(0.3 * family, 4), np.repeat(family, 4)
    groups = np.repeat(np.arange(100), 4)
    # Every family has the same share: no scatter, whatever is drawn.
    np.testing.assert_allclose(models.r2_draws(error, baseline, groups), 0.7, rtol=1e-12)
    noisy = error * np.repeat(rng.lognormal(0, 0.5, size=100), 4)
    by_family = models.r2_draws(noisy, baseline, groups)
    alone = models.r2_draws(noisy, baseline, np.arange(400))
    # Four equal siblings are worth one structure: twice the scatter. 2000 draws give 2 % of it.
    assert by_family.std() == pytest.approx(2 * alone.std(), rel=0.15)
    both = models.r2_draws(np.stack([noisy, noisy]), baseline, groups)
    np.testing.assert_allclose(both[0], by_family, rtol=1e-12)  # summed in another order
    with pytest.raises(ValueError, match="disagree"):
        models.r2_draws(noisy[:-1], baseline, groups)


def test_telling_classes_apart_is_not_skill_inside_a_class():
    rng = np.random.default_rng(3)
    classes = np.repeat(["amorphous", "crystal-like"], 30)
    level = np.where(classes == "amorphous", 1.0, 2.0)[:, None]
    truth = level + 0.05 * rng.normal(size=(60, 4))
    X = level + 0 * truth  # knows the class and nothing else
    evaluation = models.cross_validate(models.ridge(), X, truth, np.arange(60))
    scores = models.by_class(evaluation, classes)
    assert list(scores) == ["amorphous", "crystal-like"]
    for score in scores.values():
        assert score.n == 30
        assert score.r2 > 0.95
        # The class mean is as good: no skill, up to the noise of a mean of 24 structures.
        assert abs(score.class_r2) < 0.1
        assert score.mse < score.baseline_mse


def test_a_class_of_one_has_no_class_baseline(data):
    X, Y, groups, _ = data
    evaluation = models.cross_validate(models.ridge(), X, Y, groups)
    scores = models.by_class(evaluation, ["only"] + ["rest"] * (N - 1))
    assert np.isnan(scores["only"].class_r2)
    assert scores["rest"].class_r2 > 0.99
    with pytest.raises(ValueError, match="classes of shape"):
        models.by_class(evaluation, ["rest"])


def test_scores_refuse_what_they_cannot_score():
    with pytest.raises(ValueError, match="positive sum"):
        models.normalised([[1.0, -1.0]])
    with pytest.raises(ValueError, match="alike"):
        models.mse(np.ones((2, 3)), np.ones((3, 2)))
    with pytest.raises(ValueError, match="finite"):
        models.mse([[1.0]], [[np.nan]])
    with pytest.raises(ValueError, match="already exact"):
        models.r2([[1.0]], [[2.0]], [1.0])


# --- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("fixed", [models.ridge(l2=1e-3), models.elastic_net(l1=0.01, l2=1e-3)])
def test_a_saved_model_comes_back_bit_for_bit(fixed, tmp_path, data):
    X, Y, _, _ = data
    model = clone(fixed).fit(X, Y)
    meta = {"system": "amc", "scores": {"r2": 0.1}, "r_edges": np.linspace(0, 1, N_R + 1).tolist()}
    saved = models.save(model, tmp_path / "any.name", meta, X=X)
    loaded, found = models.load(tmp_path / "any.name")
    assert found == meta | {"format": modelfile.FORMAT, "kind": "linear"}
    assert [p.name for p in tmp_path.iterdir()] == ["any.name"]
    np.testing.assert_array_equal(loaded.arrays["coef"], model.coef_)
    np.testing.assert_array_equal(loaded.arrays["intercept"], model.intercept_)
    np.testing.assert_array_equal(loaded.region.x_mean, X.mean(axis=0))
    np.testing.assert_array_equal(loaded.predict(X), saved.predict(X))
    np.testing.assert_array_equal(loaded.novelty(X), saved.novelty(X))
    # The same product, perhaps summed in another order.
    np.testing.assert_allclose(loaded.predict(X), model.predict(X), rtol=1e-13)


class Trap:
    """Leaves a trace when unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_pickled_object_is_refused_and_never_executed(file, tmp_path):
    trace = tmp_path / "executed"
    payload = npy(np.array([Trap(trace)], dtype=object), allow_pickle=True)
    for name in ("model.coef.npy", "meta.npy"):
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
    rewrite(file, {"model.coef.npy": body + bytes(8 * 84)})
    with pytest.raises(ValueError, match="coef"):
        models.load(file)


def test_a_bomb_is_not_unpacked(file, monkeypatch):
    monkeypatch.setattr(modelfile, "MEMBER_LIMIT", 2**16)
    rewrite(file, {"model.coef.npy": npy(np.zeros(2**20))}, zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match="larger than 65536 bytes"):
        models.load(file)


@pytest.mark.parametrize(
    ("member", "content", "message"),
    [
        ("model.coef.npy", None, "holds"),
        ("meta.npy", None, "holds"),
        ("extra.npy", b"", "holds"),
        ("model.coef.npy", npy(np.zeros((7, 12), "f4")), "type <f8"),
        ("model.coef.npy", npy(np.full((7, 12), np.nan)), "coef must be finite"),
        ("model.intercept.npy", npy(np.zeros(8)), r"shape \(8, 12\)"),
        ("variances.npy", npy(np.zeros(11)), "variances must"),
        ("reference.npy", npy(np.zeros(1)), "must be positive"),
        ("meta.npy", npy(np.frombuffer(b'{"format": 1}', "u1")), "not of format 2"),
        ("meta.npy", npy(np.frombuffer(b"[1]", "u1")), "not of format 2"),
        ("meta.npy", npy(np.frombuffer(b"{" * 9, "u1")), "not a readable"),
        ("meta.npy", npy(np.frombuffer(b"[" * 10**5, "u1")), "not a readable"),
        ("meta.npy", meta_member(kind="linear", r_edges=[0]), "r_edges"),
        ("meta.npy", meta_member(kind="pickle"), "unknown kind"),
        ("meta.npy", meta_member(kind="spramnet"), "holds"),
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
        np.testing.assert_array_equal(after.arrays["coef"], before.arrays["coef"])


def test_saving_refuses_what_is_no_linear_map(tmp_path, data):
    X, Y, _, _ = data
    fitted = models.ridge(l2=1).fit(X, Y)
    for model, meta, training, message in [
        (models.LinearMap(), {}, X, "not a fitted model"),
        (models.ridge(l2=1).fit(X, Y[:, 0]), {}, X, "not a fitted model of spectra"),
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
    # The reference is the 95 % quantile: 3 of 60 structures lie beyond it.
    assert np.count_nonzero(inside > 1) == 3
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


def test_fingerprints_tell_values_shapes_and_types_apart():
    a = np.arange(6.0)
    marks = {models.fingerprint(x) for x in (a, a + 1, a.reshape(2, 3), a.astype("f4"), a[::-1])}
    assert len(marks) == 5
    assert models.fingerprint(a) == models.fingerprint(np.arange(12.0)[::2] / 2)


def test_meta_is_plain_json_in_the_file(file):
    with np.load(file) as content:  # no pickle needed
        meta = json.loads(content["meta"].tobytes())
    assert meta["format"] == modelfile.FORMAT
