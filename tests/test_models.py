"""Laws of the models, of grouped splits and of scores."""

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

from glassdata import models
from glassdata.regression import whole_number

N, N_R, N_OMEGA = 60, 12, 7


@pytest.fixture(scope="module")
def data():
    """X, Y, groups of a noiseless linear map; groups of three; spectra positive."""
    rng = np.random.default_rng(0)
    W = 0.01 * rng.normal(size=(N_OMEGA, N_R))
    X = 1 + 0.3 * rng.normal(size=(N, N_R))
    return X, X @ W.T + 0.5, np.repeat(np.arange(N // 3), 3), W


# --- maps -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model", [models.ridge(), models.ridge(l2=0), models.lasso(0), models.elastic_net(0, 0)]
)
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


@pytest.mark.parametrize(
    ("alpha", "beta"), [(0.0, 0.0), (0.3, 0.0), (0.0, 2.0), (0.3, 2.0), (9.0, 1.0)]
)
@pytest.mark.parametrize("reduction", ["sum", "samples", "mean"])
def test_one_weight_is_what_calculus_says(reduction, alpha, beta):
    """With one bin of g, eq. 8 is solved on paper: a shrunk and cut-off slope for each output."""
    x = np.array([-2.0, -1.0, 0.0, 3.0])
    Y = np.array([[1.0, 4.0], [2.0, 5.0], [0.0, 3.0], [-1.0, 8.0]])
    # d/dw of f⁻¹ Σ (y − xw)² + α|w| + βw², for centred x and y, is zero at
    # w = sign(c) max(|c| − fα/2, 0)/(s + fβ), where f is what the error is divided by.
    f = {"sum": 1, "samples": 4, "mean": 8}[reduction]
    c, s = x @ (Y - Y.mean(axis=0)), x @ x
    slopes = np.sign(c) * np.maximum(np.abs(c) - f * alpha / 2, 0) / (s + f * beta)
    ours = models.LinearMap(**models.penalties(alpha, beta, Y, reduction=reduction))
    ours.fit(x[:, None], Y)
    # Exact but for rounding, which the interpolation along the L1 path shares.
    np.testing.assert_allclose(ours.coef_[:, 0], slopes, atol=1e-12)
    np.testing.assert_allclose(ours.intercept_, Y.mean(axis=0), atol=1e-12)
    theirs = models.sklearn_penalties(alpha, beta, Y.shape, reduction=reduction)
    if alpha == 0:
        model = Ridge(alpha=theirs["ridge"])
    else:
        model = ElasticNet(alpha=theirs["elastic_net"], l1_ratio=theirs["l1_ratio"], tol=1e-14)
        assert (theirs["l1_ratio"] == 1) == (beta == 0)
    coef = model.fit(x[:, None], Y).coef_
    np.testing.assert_allclose(np.reshape(coef, (2, 1))[:, 0], slopes, atol=1e-9)


def test_penalties_of_spectra_that_do_not_vary_are_finite():
    assert models.penalties(1.0, 2.0, np.ones((3, 5)), reduction="mean") == {"l1": 5.0, "l2": 10.0}
    with pytest.raises(ValueError, match="'median'"):
        models.sklearn_penalties(1.0, 1.0, (3, 5), reduction="median")


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
    ]:
        for settings_, fitted in zip(grid, model.path(X, Y, grid), strict=True):
            alone = clone(model).set_params(**settings_).fit(X, Y)
            assert fitted.get_params() == settings_
            np.testing.assert_allclose(fitted.predict(X), alone.predict(X), atol=1e-12)


def test_all_predictions_at_once_are_each_one_of_them(data):
    X, Y, _, _ = data
    known, asked = X[::2], X[1::2]
    for model, grid in [
        (models.LinearMap(), [{"l1": 0.0, "l2": b} for b in (0, 1e-2, 1.0)]),
        (models.LinearMap(), [{"l1": a, "l2": 1e-3} for a in (0.0, 0.3)]),
        (models.KernelMap(), [{"width": a, "l2": b} for a in (1, 3) for b in (1e-3, 1e-2)]),
        (models.Neighbours(), [{"k": k, "power": p} for k in (1, 3, 99) for p in (0.0, 2.0)]),
    ]:
        found = model.trials(known, Y[::2], asked, grid)
        for settings_, guess in zip(grid, found, strict=True):
            alone = clone(model).set_params(**settings_).fit(known, Y[::2])
            # Eigenvalues instead of elimination: another order of rounding.
            np.testing.assert_allclose(guess, alone.predict(asked), atol=1e-9)


def test_a_surface_is_found_again_and_does_not_run_away(data):
    rng = np.random.default_rng(5)
    X = rng.random((30, 2))
    Y = np.stack([1 + X[:, 0] * X[:, 1], X[:, 1] ** 2], axis=1)
    fitted = models.surface().fit(X, Y)
    assert fitted.best_params_ == {"degree": 2}
    np.testing.assert_allclose(fitted.predict(X), Y, atol=1e-10)
    # Far outside, the value at the edge of what was seen; few points allow only a low degree.
    corner = X.max(axis=0)
    np.testing.assert_allclose(fitted.predict([[9.0, 9.0]]), fitted.predict([corner]))
    assert len(models.surface(3).fit(X[:4], Y[:4]).coef_) == 3


def test_all_components_are_least_squares_and_few_are_those_of_scikit_learn(data):
    X, Y, _, W = data
    np.testing.assert_allclose(models.pcr(N_R).fit(X, Y).coef_, W, atol=1e-10)
    theirs = make_pipeline(PCA(3), LinearRegression()).fit(X, Y)
    np.testing.assert_allclose(models.pcr(3).fit(X, Y).predict(X), theirs.predict(X), atol=1e-10)


def test_more_components_than_structures_are_refused_but_not_tried(data):
    X, Y, _, _ = data
    with pytest.raises(ValueError, match=r"n_components=10 needs .* n_samples=8"):
        models.pcr(10).fit(X[:8], Y[:8])
    # Less their mean, eight structures span seven directions.
    with pytest.raises(ValueError, match="n_components=8 needs"):
        models.pcr(8).fit(X[:8], Y[:8])
    assert models.pcr(7).fit(X[:8], Y[:8]).n_components == 7
    with pytest.raises(ValueError, match=f"n_components={N_R + 1} needs .* got {N_R} bins"):
        models.pcr(N_R + 1).fit(X, Y)  # more than there are bins
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


def test_the_nearest_of_many_are_the_nearest():
    """So many, and so many times, that they do not come sorted by chance."""
    X, Y = np.random.default_rng(0).normal(size=(2, 1500, 3))
    found = models.Neighbours(300).fit(X, Y).predict(X[:400])
    order = np.linalg.norm(X[:400, None] - X, axis=2).argsort(axis=1)
    np.testing.assert_allclose(found, Y[order[:, :300]].mean(axis=1), rtol=1e-9, atol=1e-12)


def test_whole_numbers_are_whole_and_large_enough():
    assert whole_number("k", 2.0, 2) == 2
    for number in (2.5, 1.0, 0.5, -3.0):
        with pytest.raises(ValueError, match="k must be a whole number of at least 2"):
            whole_number("k", number, 2)


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
    with pytest.raises(ValueError, match="one label per structure"):
        make().fit(X[:-1], Y[:-1], groups=groups)


@pytest.mark.parametrize("name", [n for n, k in models.MODELS.items() if k.tuned])
def test_the_chosen_setting_is_that_of_least_held_out_error(name, data):
    """By hand: every candidate on every fold, one after another."""
    X, _, groups, _ = data
    rng = np.random.default_rng(6)
    Y = np.sin(X @ rng.normal(size=(N_R, 3))) + 0.05 * rng.normal(size=(N, 3))
    tuned = models.MODELS[name].make().fit(X, Y, groups=groups)
    few = range(0, len(tuned.candidates_), 5)
    for number in few:
        squares = 0.0
        for train, test in models.grouped_folds(groups, 5, 0):
            one = clone(tuned.estimator).set_params(**tuned.candidates_[number])
            try:
                guess = one.fit(X[train], Y[train]).predict(X[test])
            except ValueError:  # more components than there are bins
                guess = np.full_like(Y[test], np.inf)
            squares += np.sum((guess - Y[test]) ** 2)
        # Fitted along a path, or one by one.
        assert tuned.errors_[number] == pytest.approx(squares / Y.size, rel=1e-8)
    assert tuned.errors_.min() == tuned.errors_[tuned.candidates_.index(tuned.best_params_)]


@pytest.mark.parametrize(
    ("make", "settings_"),
    [
        (models.KernelMap, {"width": 0.0}),
        (models.KernelMap, {"width": -0.5}),
        (models.KernelMap, {"l2": 0.0}),
        (models.KernelMap, {"l2": -0.5}),
        (models.Neighbours, {"k": 0}),
        (models.Neighbours, {"power": -0.5}),
        (models.Neighbours, {"power": float("nan")}),
        (models.ScalarCurve, {"degree": -1}),
        (models.PrincipalMap, {"n_components": 0}),
        (models.LinearMap, {"l1": -0.5}),
        (models.LinearMap, {"l2": -0.5}),
    ],
)
def test_settings_out_of_range_are_refused_by_name(make, settings_, data):
    with pytest.raises(ValueError, match=next(iter(settings_))):
        make(**settings_).fit(data[0], data[1])


def test_settings_at_the_ends_of_their_ranges_are_accepted(data):
    X, Y, _, _ = data
    # The nearest structure alone is itself; degree 0 is the mean, and so is every tie.
    np.testing.assert_allclose(models.Neighbours(1).fit(X, Y).predict(X), Y, rtol=1e-12)
    flat = models.ScalarCurve(degree=0).fit(X, Y).predict(X)
    np.testing.assert_allclose(flat, np.broadcast_to(Y.mean(axis=0), Y.shape), rtol=1e-12)
    flat = models.surface(degree=0).fit(X[:, :2], Y).predict(X[:, :2])
    np.testing.assert_allclose(flat, np.broadcast_to(Y.mean(axis=0), Y.shape), rtol=1e-12)
    # A number that never varies, whose range nobody may divide by, tells nothing either.
    alike = np.broadcast_to(X[:1], X.shape)
    flat = models.ScalarCurve(degree=2).fit(alike, Y).predict(X)
    np.testing.assert_allclose(flat, np.broadcast_to(Y.mean(axis=0), Y.shape), rtol=1e-12)


def test_what_models_are_when_nothing_is_said(data):
    """A straight line in one number; the plain mean of five; one component."""
    x = np.linspace(1, 2, 30)[:, None]
    # A line is met exactly, a parabola is not.
    np.testing.assert_allclose(models.ScalarCurve().fit(x, 3 * x).predict(x), 3 * x, rtol=1e-12)
    assert np.abs(models.ScalarCurve().fit(x, x**2).predict(x) - x**2).max() > 0.01
    X, Y, _, _ = data
    nearest = np.argsort(np.linalg.norm(X - X[0], axis=1))[:5]
    found = models.Neighbours().fit(X, Y).predict(X[:1])
    np.testing.assert_allclose(found, [Y[nearest].mean(axis=0)], rtol=1e-12)
    assert np.linalg.matrix_rank(models.PrincipalMap().fit(X, Y).coef_, tol=1e-9) == 1


def test_negative_penalties_are_refused(data):
    with pytest.raises(ValueError, match="l2=-1"):
        models.LinearMap(l2=-1).fit(data[0], data[1])
    with pytest.raises(ValueError, match="'median'"):
        models.penalties(1, 1, data[1], reduction="median")


@pytest.mark.parametrize(
    ("needs", "available"), [(None, True), ("glassdata", True), ("no_such_package", False)]
)
def test_a_model_is_available_where_its_package_is(needs, available):
    kind = models.registry.ModelKind(models.mean, type(models.mean()), "the mean", needs=needs)
    assert kind.available is available


# --- splits -----------------------------------------------------------------------------------


def test_folds_for_tuning_are_as_many_as_can_be():
    folds = models.GroupFolds(n_splits=5)
    assert folds.get_n_splits() == 5
    assert folds.get_n_splits(np.zeros((3, 2))) == 3
    assert folds.get_n_splits(np.zeros((9, 2)), groups=[0, 0, 0, 1, 1, 1, 2, 2, 2]) == 3


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


def test_families_leak_without_groups():
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
    # Four equal structures of a family are worth one: twice the scatter. 2000 draws give 2 % of it.
    assert by_family.std() == pytest.approx(2 * alone.std(), rel=0.15)
    both = models.r2_draws(np.stack([noisy, noisy]), baseline, groups)
    np.testing.assert_allclose(both[0], by_family, rtol=1e-12)  # summed in another order
    with pytest.raises(ValueError, match="disagree"):
        models.r2_draws(noisy[:-1], baseline, groups)


def test_draws_of_families_are_those_of_a_loop():
    rng = np.random.default_rng(8)
    groups = np.array([4, 4, 9, 9, 9, 1])
    error, baseline = rng.random((2, 6)) + 0.5
    counts = np.random.default_rng(3).multinomial(3, [1 / 3] * 3, size=50)
    expected = []
    for count in counts:  # how often the families 1, 4 and 9 were drawn
        times = dict(zip((1, 4, 9), count, strict=True))
        drawn = [i for i in range(6) for _ in range(times[groups[i]])]
        expected.append(1 - sum(error[drawn]) / sum(baseline[drawn]))
    found = models.r2_draws(error, baseline, groups, draws=50, seed=3)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert models.r2_draws(error, baseline, groups).shape == (2000,)


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
    for unlike in [((2, 3), (3, 2)), ((3,), (3,)), ((0, 3), (0, 3)), ((2, 3), (2, 1))]:
        with pytest.raises(ValueError, match="alike"):
            models.mse(*map(np.ones, unlike))
    with pytest.raises(ValueError, match="finite"):
        models.mse([[1.0]], [[np.nan]])
    with pytest.raises(ValueError, match="already exact"):
        models.r2([[1.0]], [[2.0]], [1.0])


def test_errors_by_bin_are_one_number_a_bin(data):
    X, Y, groups, _ = data
    held_out = models.cross_validate(models.mean(), X, Y, groups)
    by_hand = np.sqrt(np.mean((held_out.prediction - Y) ** 2, axis=0))
    np.testing.assert_allclose(held_out.error_by_bin, by_hand)
