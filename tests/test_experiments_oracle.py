"""Numbers of the experiments against answers known by hand, from SciPy or from scikit-learn."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from arrays import changed, dataset_of
from scipy.stats import wasserstein_distance
from sklearn.linear_model import ElasticNet

import glassdata as gd
from glassdata import models
from glassdata.experiments import comparison, referee, weights

FAMILIES, EACH, N_R, N_OMEGA = 12, 3, 20, 20
N = FAMILIES * EACH
STEP = 0.5  # THz; a step of 1 would hide that somebody forgot it
R = np.linspace(0.25, 9.75, N_R)
OMEGA = STEP * (np.arange(N_OMEGA) + 0.5)
CLASSES = np.array(["crystal-like", "defective", "partial", "amorphous"])
#: Two ways to sum the same numbers in double precision.
EXACT = {"rtol": 1e-10, "atol": 1e-18}


def zero_sum(rng, *shape):
    """Random numbers whose last axis adds up to 0, as differences of normalised spectra do."""
    values = rng.normal(size=shape)
    return values - values.mean(axis=-1, keepdims=True)


def glass(seed=0, noise=1e-3):
    """Twelve families of three: a spectrum that is linear in g(r), and noise."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(FAMILIES), EACH)
    X = 1 + rng.normal(size=(N, 2)) @ rng.normal(size=(2, N_R))
    W = 3e-3 * zero_sum(rng, N_R, N_OMEGA)
    Y = 1 / N_OMEGA + (X - 1) @ W + noise * zero_sum(rng, N, N_OMEGA)
    return dataset_of(
        r=R,
        omega=OMEGA,
        X=X,
        Y=Y / STEP,
        groups=groups,
        classes=CLASSES[(groups + np.arange(N) % 2) % 4],
        replicate=groups % 3 == 0,
        density=0.1 + rng.random(N),
        n_atoms=rng.integers(300, 420, N),
        peak_width=0.1 + rng.random(N),
    )


@pytest.fixture(scope="module")
def data():
    return glass()


def result(name, *glasses):
    """One result of the referee's experiment; the glasses are called a, b in its name."""
    return referee.compute(name, dict(zip("ab", glasses, strict=False)).__getitem__)


def held_out(data, model, X=None, seed=0):
    X = data.X if X is None else X
    return models.cross_validate(model, X, data.shares, data.groups, n_splits=5, seed=seed)


def squares(guess, truth):
    return np.array([np.mean((g - t) ** 2) for g, t in zip(guess, truth, strict=True)])


def column(values):
    return np.asarray(values, float)[:, None]


# --- scores: Wasserstein distance and moments ---------------------------------------------------


def test_wasserstein_distance_is_that_of_scipy():
    data = glass()
    # Spectra that end at zero, which a line does not know.
    data = changed(data, Y=np.maximum(1 / N_OMEGA + 8 * (data.shares - 1 / N_OMEGA), 0))
    found, line = result("a.scores", data), held_out(data, models.ridge())
    assert found["negative"].min() < 0
    np.testing.assert_allclose(
        found["negative"], [sum(x for x in y if x < 0) for y in line.prediction], **EXACT
    )
    for name, guesses in (("line", line.prediction), ("mean", line.baseline)):
        expected = [
            wasserstein_distance(OMEGA, OMEGA, np.maximum(guess, 0), truth)
            for guess, truth in zip(guesses, data.shares, strict=True)
        ]
        np.testing.assert_allclose(found[f"wasserstein_{name}"], expected, rtol=1e-9)
    assert found["wasserstein_truth"].max() < 1e-13  # a sum of twenty roundings


def test_moments_of_spectra_of_one_and_two_lines():
    data = glass()
    Y = np.array(data.Y)
    Y[0], Y[1] = 0, 0
    Y[0, 3] = 2.0  # one line at 1.75 THz
    Y[1, [3, 9]] = 0.5, 1.5  # a quarter of the modes at 1.75 THz, the rest at 4.75 THz
    found = result("a.scores", changed(data, Y=Y))
    for power in (-1, 1, 2, 4):
        moment = found[f"moment_{power}_truth"]
        assert moment[0] == pytest.approx(1.75**power, rel=1e-12)
        assert moment[1] == pytest.approx(0.25 * 1.75**power + 0.75 * 4.75**power, rel=1e-12)


def test_moments_and_errors_of_the_prediction_belong_to_the_same_structure(data):
    found, line = result("a.scores", data), held_out(data, models.ridge())
    for name, Y in (("line", line.prediction), ("mean", line.baseline)):
        np.testing.assert_allclose(found[f"error_{name}"], squares(Y, data.shares), **EXACT)
        expected = [sum(y * w**2 for y, w in zip(one, OMEGA, strict=True)) for one in Y]
        np.testing.assert_allclose(found[f"moment_2_{name}"], expected, rtol=1e-12)
    assert np.all(found["error_truth"] == 0)


# --- bins ---------------------------------------------------------------------------------------


def test_joining_bins_loses_what_alternates_from_bin_to_bin():
    """g(r) carries its news with opposite signs in neighbouring bins, the PDOS its noise."""
    rng = np.random.default_rng(1)
    news = rng.normal(size=N)
    X = 1 + np.outer(news, np.tile([1.0, -1.0], N_R // 2))
    X += 1e-3 * rng.normal(size=X.shape)
    smooth = np.repeat(np.linspace(-1, 1, N_OMEGA // 2), 2) * 1e-2
    rough = 5e-3 * np.repeat(rng.normal(size=(N, N_OMEGA // 2)), 2, axis=1)
    rough *= np.tile([1.0, -1.0], N_OMEGA // 2)
    Y = 1 / N_OMEGA + np.outer(news, smooth) + rough
    data = changed(glass(), X=X, Y=Y, omega=3 * OMEGA)
    found = result("a.bins", data)
    r2 = found["r2"]
    np.testing.assert_allclose(found["dr"], 0.5 * np.array([1, 2, 4, 5, 10]))
    np.testing.assert_allclose(found["domega"], 3 * STEP * np.array([1, 2, 4, 5, 10]))
    # Noise that no model can know fills what is left of R²; joined in pairs it cancels.
    signal, noise = np.sum(np.outer(news, smooth) ** 2), np.sum(rough**2)
    assert r2[0, 0] == pytest.approx(signal / (signal + noise), abs=0.15)
    assert r2[0, 1] > 0.99
    assert max(r2[1, 0], r2[1, 1]) < 0.2 < 0.4 < r2[0, 0]
    first = np.zeros((5, 5), bool)
    first[0] = first[:, 0] = True
    np.testing.assert_array_equal(np.isnan(r2), ~(first | np.eye(5, dtype=bool)))


# --- density ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", [2, 3])
def test_representations_are_those_of_the_textbook(data, dim, monkeypatch):
    """n(r), atoms per Å in a shell, and the reduced G(r) that diffraction measures."""
    asked, true = [], models.cross_validate

    def spy(model, X, *rest, **how):
        asked.append(X)
        return true(model, X, *rest, **how)

    monkeypatch.setattr(referee.models, "cross_validate", spy)
    data = changed(data, dim=dim)
    names = list(result("a.density", data)["names"])
    assert names == ["g", "g and density", "density times g", "n", "G", "density"]
    rho, g = data.density[:, None], data.X
    shell = {2: 2 * np.pi * R, 3: 4 * np.pi * R**2}[dim]
    textbook = {
        "g": g,
        "density times g": rho * g,
        "n": rho * g * shell,
        # In the plane there is no custom; there the excess of n(r) stands for it.
        "G": {2: 2 * np.pi * R * rho * (g - 1), 3: 4 * np.pi * R * rho * (g - 1)}[dim],
    }
    for name, X in textbook.items():
        used = asked[names.index(name)]
        scale = used[0, 0] / X[0, 0]
        np.testing.assert_allclose(used, scale * X, rtol=1e-9)
        assert scale > 0
        # Penalties compare only between inputs of equal variance.
        assert used.var(axis=0).sum() == pytest.approx(g.var(axis=0).sum())
    last = asked[names.index("g and density")][:, -1]
    assert np.corrcoef(last, data.density)[0, 1] == pytest.approx(1)
    np.testing.assert_array_equal(asked[-1], rho)


def test_only_inputs_that_know_the_density_predict_what_the_density_does(data):
    rng = np.random.default_rng(2)
    deaf = 1 + rng.normal(size=(N, N_R))
    shape = 1e-2 * zero_sum(rng, N_OMEGA)
    data = changed(data, X=deaf, Y=1 / N_OMEGA + np.outer(data.density, shape))
    found = result("a.density", data)
    left = dict(
        zip(found["names"], found["error"].sum(axis=1) / found["baseline"].sum(), strict=True)
    )
    assert left["density"] < 0.01  # beyond the densities of the training set it stays constant
    assert left["g and density"] < 0.5
    assert left["g"] > 0.9


# --- leakage and baselines ----------------------------------------------------------------------


def test_leakage_compares_five_grouped_and_five_random_splits(data, monkeypatch):
    monkeypatch.setattr(referee, "SEEDS", (0, 3))
    found = result("a.leakage", data)
    for name, model in (("ridge", models.ridge()), ("nearest", models.nearest())):
        for split, groups in (("grouped", data.groups), ("random", np.arange(N))):
            expected = [
                models.cross_validate(model, data.X, data.shares, groups, seed=seed).r2
                for seed in (0, 3)
            ]
            np.testing.assert_allclose(found[f"{split}_{name}"], expected, rtol=1e-10)


def test_yardsticks_see_one_number_each(data):
    found = result("a.baselines", data)
    for name in ("density", "n_atoms", "peak_width"):
        one = held_out(data, models.scalar(), column(data[name]))
        np.testing.assert_allclose(
            found[f"error_{name}"], squares(one.prediction, one.truth), **EXACT
        )
    line = held_out(data, models.ridge())
    np.testing.assert_allclose(found["error_ridge"], squares(line.prediction, line.truth), **EXACT)
    np.testing.assert_allclose(found["baseline"], squares(line.baseline, line.truth), **EXACT)


def test_the_class_mean_does_not_see_its_own_fold(data):
    fold = held_out(data, models.ridge()).fold
    expected = []
    for k in range(N):
        alike = [j for j in range(N) if fold[j] != fold[k] and data.classes[j] == data.classes[k]]
        expected.append(np.mean((data.shares[alike].mean(axis=0) - data.shares[k]) ** 2))
    np.testing.assert_allclose(result("a.baselines", data)["error_class_mean"], expected, **EXACT)


# --- classes, sizes and glasses that the training has not seen ----------------------------------


def outsiders(data, chosen):
    """Structures that are not chosen, nor of a family that holds one that is."""
    reached = set(data.groups[chosen])
    return np.array([k for k in range(N) if not chosen[k] and data.groups[k] not in reached])


def test_a_class_left_out_takes_its_families_with_it():
    data = glass()
    classes = CLASSES[data.groups % 3]
    classes[0] = "partial"  # one structure of the first family
    data = changed(data, classes=classes)
    found = result("a.left_out", data)
    assert list(found["classes"]) == ["crystal-like", "defective", "partial"]
    for kind in found["classes"]:
        test = classes == kind
        train = outsiders(data, test)
        assert (0 in train) == (kind == "defective")
        truth, X = data.shares[test], data.X
        mean = data.shares[train].mean(axis=0)
        np.testing.assert_allclose(
            found[f"baseline_{kind}"], squares([mean] * len(truth), truth), **EXACT
        )
        own = found[f"own_mean_{kind}"]
        assert own.mean() == pytest.approx(truth.var(axis=0).mean())
        line = models.ridge().fit(X[train], data.shares[train], groups=data.groups[train])
        np.testing.assert_allclose(
            found[f"error_ridge_{kind}"], squares(line.predict(X[test]), truth), rtol=1e-8
        )
        one = models.scalar().fit(
            column(data.density)[train], data.shares[train], groups=data.groups[train]
        )
        guess = one.predict(column(data.density)[test])
        np.testing.assert_allclose(found[f"error_density_{kind}"], squares(guess, truth), rtol=1e-8)


def test_a_class_in_nearly_every_family_cannot_be_left_out(data):
    classes = np.where(np.arange(N) % EACH == 0, "amorphous", "partial")
    classes[data.groups < 2] = "partial"
    found = result("a.left_out", changed(data, classes=classes))
    assert list(found) == ["classes"]
    # A class that comes later in the alphabet, and has one family, can.
    classes = np.where(data.groups == 0, "partial", np.where(np.arange(N) % EACH, "c", "b"))
    found = result("a.left_out", changed(data, classes=classes))
    assert {name.split("_")[-1] for name in found} == {"classes", "partial"}


def test_large_structures_are_predicted_from_small_ones():
    data = glass()
    n_atoms = np.where(data.groups < 2, 900, 400)
    n_atoms[3 * EACH] = 900  # and one of the fourth family
    n_atoms[4 * EACH] = 519  # just below 1.3 times the median of 400
    data = changed(data, n_atoms=n_atoms)
    found = result("a.size", data)
    large = n_atoms == 900
    np.testing.assert_array_equal(found["large"], large)
    train = outsiders(data, large)
    assert len(train) == N - 3 * EACH
    truth, mean = data.shares[large], data.shares[train].mean(axis=0)
    np.testing.assert_allclose(found["baseline"], squares([mean] * len(truth), truth), **EXACT)
    line = models.ridge().fit(data.X[train], data.shares[train], groups=data.groups[train])
    np.testing.assert_allclose(
        found["error"], squares(line.predict(data.X[large]), truth), rtol=1e-8
    )
    mixed = held_out(data, models.ridge())
    expected = squares(mixed.prediction[large], truth)
    np.testing.assert_allclose(found["error_mixed"], expected, **EXACT)


def test_four_large_structures_are_too_few(data):
    n_atoms = np.where(np.arange(N) < 4, 900, 400)
    assert set(result("a.size", changed(data, n_atoms=n_atoms))) == {"n_atoms", "large"}


def test_transfer_pays_for_a_shift_unless_it_is_forgiven():
    source = glass(noise=0)
    shift = 2e-3 * zero_sum(np.random.default_rng(3), N_OMEGA)
    target = changed(source, Y=(source.shares + shift) / STEP)
    found = result("a.transfer.b", source, target)
    # The map is the same, and ridge shrinks a map without noise by next to nothing.
    np.testing.assert_allclose(found["error"], np.mean(shift**2), rtol=1e-2)
    assert found["error_shifted"].max() < 1e-4 * np.mean(shift**2)
    there, here = target.shares, source.shares.mean(axis=0)
    np.testing.assert_allclose(found["baseline_source"], squares([here] * N, there), **EXACT)
    np.testing.assert_allclose(
        found["baseline_target"], squares([there.mean(axis=0)] * N, there), **EXACT
    )
    home = held_out(target, models.ridge())
    np.testing.assert_allclose(found["error_at_home"], squares(home.prediction, there), **EXACT)
    np.testing.assert_allclose(found["baseline_at_home"], squares(home.baseline, there), **EXACT)


def transfers(**glasses):
    return sorted(name for name in referee.result_names(glasses) if "transfer" in name)


def test_transfer_needs_the_same_bins(data):
    found = transfers(
        a=data, b=data, c=changed(data, omega=2 * data.omega), d=changed(data, r=2 * data.r)
    )
    assert found == ["a.transfer.b", "b.transfer.a"]


def test_transfer_between_other_ranges_of_frequency_needs_the_same_species():
    sic, tersoff, alloy = (gd.dataset(name) for name in ("sic", "sic_tersoff", "cualzr"))
    assert tersoff.omega_edges[-1] > sic.omega_edges[-1]
    assert np.array_equal(sic.r, alloy.r)
    assert transfers(a=sic, b=tersoff, c=alloy) == ["a.transfer.b", "b.transfer.a"]


def test_a_transfer_is_judged_in_the_bins_of_its_source():
    """The target's modes are counted again, and nothing else of it is looked at."""
    source, target = gd.dataset("sic"), gd.dataset("sic_tersoff")[::4]
    found = result("a.transfer.b", source, target)
    counts = [
        np.histogram(target.frequencies(k), source.omega_edges)[0] for k in range(len(target))
    ]
    truth = np.array([one / one.sum() for one in counts])
    expected = squares(np.array([source.shares.mean(axis=0)] * len(target)), truth)
    np.testing.assert_allclose(found["baseline_source"], expected, rtol=1e-10)
    home = models.cross_validate(
        models.ridge(), target.X, truth, target.groups, n_splits=referee.FOLDS, seed=referee.SEED
    )
    np.testing.assert_allclose(
        found["error_at_home"], squares(home.prediction, home.truth), rtol=1e-10
    )


# --- noise and the rest of the line -------------------------------------------------------------


def test_noise_is_the_scatter_of_repeats_and_of_strangers_with_like_g():
    data = glass(noise=5e-3)
    centres = data.X[::EACH]  # families whose structures are each other's nearest
    data = changed(data, X=centres[data.groups] + 1e-3 * data.X)
    found = result("a.noise", data)
    repeats = data.shares[data.replicate]
    # Half the mean square difference of pairs is the variance with n − 1.
    pairs = [(a, b) for k, a in enumerate(repeats) for b in repeats[k + 1 :]]
    half = np.mean([(a - b) ** 2 for a, b in pairs], axis=0) / 2
    np.testing.assert_allclose(found["scatter_by_bin"], half, rtol=1e-9)
    assert found["scatter"].mean() == pytest.approx(half.mean(), rel=1e-9)
    for k in range(N):
        strangers = [j for j in range(N) if data.groups[j] != data.groups[k]]
        distances = [np.linalg.norm(data.X[j] - data.X[k]) for j in strangers]
        nearest = strangers[int(np.argmin(distances))]
        # Differences of squares lose half of the digits.
        assert found["pair_distance"][k] == pytest.approx(min(distances), rel=1e-6)
        gap = np.mean((data.shares[nearest] - data.shares[k]) ** 2)
        assert found["pair"][k] == pytest.approx(gap / 2)
    every = [np.sum((a - b) ** 2) for a in data.X for b in data.X]
    assert found["spread"] == pytest.approx(np.sqrt(np.mean(every)))
    line = held_out(data, models.ridge())
    np.testing.assert_allclose(found["error"], squares(line.prediction, line.truth), **EXACT)


def test_the_kernel_learns_from_errors_that_the_line_made_on_unseen_families(data):
    found = result("a.residual", data)
    X, Y, groups = data.X, data.shares, data.groups
    for number, (train, test) in enumerate(models.grouped_folds(groups, 5, 0)):
        assert set(found["test_fold"][test]) == {number}
        own = groups[train]
        line = models.ridge().fit(X[train], Y[train], groups=own)
        unseen = models.cross_validate(models.ridge(), X[train], Y[train], own, seed=0)
        rest = models.kernel_ridge().fit(X[train], Y[train] - unseen.prediction, groups=own)
        kernel = models.kernel_ridge().fit(X[train], Y[train], groups=own)
        guesses = {
            "mean": np.tile(Y[train].mean(axis=0), (len(test), 1)),
            "line": line.predict(X[test]),
            "both": line.predict(X[test]) + rest.predict(X[test]),
            "kernel": kernel.predict(X[test]),
        }
        for name, guess in guesses.items():
            np.testing.assert_allclose(
                found[f"error_{name}"][test], squares(guess, Y[test]), rtol=1e-6
            )


# --- a line against a network -------------------------------------------------------------------


def trial(name, data):
    return comparison.compute(name, lambda _: data)


def test_each_trial_is_scored_on_its_own_fold(data):
    for number, (train, test) in enumerate(models.grouped_folds(data.groups, 5, 0)):
        found = trial(f"a.ridge.test.{number}", data)
        np.testing.assert_array_equal(found["test"], test)
        assert found["n_train"] == len(train)
        # The number of the fold seeds whatever the model draws, its inner folds too.
        line = models.ridge().set_params(seed=number)
        line.fit(data.X[train], data.shares[train], groups=data.groups[train])
        truth, seen = data.shares[test], data.shares[train]
        mean = seen.mean(axis=0)
        np.testing.assert_allclose(
            found["error"], squares(line.predict(data.X[test]), truth), rtol=1e-8
        )
        np.testing.assert_allclose(found["baseline"], squares([mean] * len(test), truth), **EXACT)
        expected = np.mean((line.predict(data.X[train]) - seen) ** 2)
        assert found["training_error"] == pytest.approx(expected)
        assert found["training_baseline"] == pytest.approx(np.mean((mean - seen) ** 2))
        assert json.loads(str(found["chosen"])) == pytest.approx(line.best_params_)
        assert found["n_parameters"] == N_OMEGA * (N_R + 1)


def test_the_density_is_all_that_the_density_sees(data):
    train, test = models.grouped_folds(data.groups, 5, 0)[2]
    rho = column(data.density)
    model = models.scalar().set_params(seed=2)
    model.fit(rho[train], data.shares[train], groups=data.groups[train])
    expected = squares(model.predict(rho[test]), data.shares[test])
    found = trial("a.density.test.2", data)
    np.testing.assert_allclose(found["error"], expected, rtol=1e-8)
    # A polynomial has one number more than its degree for each bin: its constant is one of them.
    assert found["n_parameters"] == (model.best_params_["degree"] + 1) * N_OMEGA


def test_the_paper_splits_at_random(data):
    found = trial("a.least_squares.paper", data)
    train, test = models.grouped_folds(np.arange(N), 5, 0)[0]
    np.testing.assert_array_equal(found["test"], test)
    assert set(data.groups[train]) & set(data.groups[test])
    X, Y = (np.array(Z) for Z in (data.X[train], data.shares[train]))
    X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    rest = Y - X @ np.linalg.lstsq(X, Y, rcond=None)[0]
    assert found["training_error"] == pytest.approx(np.mean(rest**2), rel=1e-6)


def test_a_curve_keeps_the_test_set_and_takes_families_in_the_order_drawn(data):
    found = trial("a.pcr.curve.1", data)
    train, test = models.grouped_folds(data.groups, 5, 0)[1]
    np.testing.assert_array_equal(found["test"], test)
    order = np.random.default_rng(1).permutation(np.unique(data.groups[train]))
    assert found["n_train"].tolist() == [12]  # four families of three, the first to reach ten
    some = np.concatenate([train[data.groups[train] == family] for family in order[:4]])
    mean = data.shares[some].mean(axis=0)
    np.testing.assert_allclose(
        found["baseline"][0], squares([mean] * len(test), data.shares[test]), **EXACT
    )


@pytest.mark.parametrize(("n_train", "patience"), [(10, 750), (160, 47), (4000, 30)])
def test_networks_may_wait_for_thirty_epochs_and_six_hundred_steps(n_train, patience):
    network = models.cnn(validation_fraction=0.2, batch_size=10)
    # 0.8 n / 10 steps an epoch: 600 steps are 7500 / n epochs, rounded up.
    assert comparison._patience(network, n_train) == patience


# --- weights ------------------------------------------------------------------------------------


def weigh(name, data):
    return weights.compute(f"a.{name}", lambda _: data)


def test_alpha_and_beta_are_those_of_equation_eight(data, monkeypatch):
    """The squared error is averaged over structures and bins; scikit-learn is told so by hand."""
    alpha, beta = 1e-5, 1e-3
    monkeypatch.setattr(weights, "ALPHAS", (0.0, alpha))
    monkeypatch.setattr(weights, "BETAS", (0.0, beta))
    found = weigh("grid", data)
    training, unseen, nonzero = np.zeros((3, 2, 2))
    for train, test in models.grouped_folds(data.groups, 5, 0):
        X, Y = data.X[train], data.shares[train]
        for i, j in ((0, 1), (1, 0), (1, 1)):
            # Loss × n_omega / 2 is that of ElasticNet: ‖error‖²/(2n) + a ρ |w|₁ + a (1 − ρ)|w|²/2.
            lasso, ridge = (alpha * i) * N_OMEGA / 2, (beta * j) * N_OMEGA
            net = ElasticNet(
                lasso + ridge, l1_ratio=lasso / (lasso + ridge), tol=1e-10, max_iter=10**6
            )
            net.fit(X, Y)
            training[i, j] += np.mean((net.predict(X) - Y) ** 2) / 5
            unseen[i, j] += (
                np.sum((net.predict(data.X[test]) - data.shares[test]) ** 2) / data.Y.size
            )
            nonzero[i, j] += np.mean(np.abs(net.coef_) > 1e-9) / 5
    for i, j in ((0, 1), (1, 0), (1, 1)):
        assert found["training"][i, j] == pytest.approx(training[i, j], rel=1e-4)
        assert found["held_out"][i, j] == pytest.approx(unseen[i, j], rel=1e-4)
        assert found["nonzero"][i, j] == pytest.approx(nonzero[i, j], abs=0.01)
    assert found["nonzero"][1].max() < 0.9  # the penalty does set weights to zero here


def test_variance_inflation_is_that_of_regressing_each_bin_on_the_others():
    rng = np.random.default_rng(5)
    mixing = np.eye(6) + 0.5 * rng.normal(size=(6, 6))
    X = 1 + rng.normal(size=(N, 6)) @ mixing
    data = changed(glass(), X=X, r=np.arange(6.0))
    found = weigh("collinearity", data)
    centred = X - X.mean(axis=0)
    for k in range(6):
        others = np.delete(centred, k, axis=1)
        rest = centred[:, k] - others @ np.linalg.lstsq(others, centred[:, k], rcond=None)[0]
        inflation = np.sum(centred[:, k] ** 2) / np.sum(rest**2)
        assert found["vif"][k] == pytest.approx(inflation, rel=1e-8)
    correlation = np.corrcoef(X.T)
    np.testing.assert_allclose(found["neighbour_correlation"], np.diag(correlation, 1), rtol=1e-10)
    eigenvalues = np.linalg.eigvalsh(correlation)
    assert found["condition"] == pytest.approx(np.sqrt(eigenvalues[-1] / eigenvalues[0]))
    share = eigenvalues / 6
    assert found["effective_rank"] == pytest.approx(np.prod(share**-share))


@pytest.mark.parametrize("n", [6, 7])
def test_inflation_is_endless_with_as_many_bins_as_structures(n):
    """Of n structures, n - 1 bins and the mean are all there is to know."""
    X = np.random.default_rng(6).normal(size=(n, 6))
    found = weigh("collinearity", SimpleNamespace(X=X, r=np.arange(6.0)))
    assert bool(found["determined"]) == (n == 7)
    assert np.isfinite(found["vif"]).all() == (n == 7)
    nonzero = np.linalg.svd((X - X.mean(axis=0)) / X.std(axis=0), compute_uv=False)[: n - 1]
    assert found["condition"] == pytest.approx(nonzero[0] / nonzero[-1])


def test_bootstrap_draws_families_not_structures(monkeypatch):
    """Mean and scatter of W, and how often a weight is not zero, from the same draws again."""
    few = {"ridge": 3, "least_squares": 2, "pcr": 2, "lasso": 2, "elastic_net": 2}
    monkeypatch.setattr(weights, "BOOTSTRAP", few)
    data = glass()
    found = weigh("bootstrap", data)
    chosen = models.ridge().fit(data.X, data.shares, groups=data.groups).best_estimator_
    rng, maps = np.random.default_rng(0), []
    for _ in range(3):
        drawn = rng.integers(FAMILIES, size=FAMILIES)
        rows = [k for family in drawn for k in range(N) if data.groups[k] == family]
        again = models.LinearMap(**chosen.get_params())
        maps.append(again.fit(data.X[rows], data.shares[rows]).coef_)
    scale = np.abs(maps).max()
    # Stored in single precision; the variance is a difference of squares.
    np.testing.assert_allclose(found["mean_ridge"], np.mean(maps, axis=0), atol=1e-6 * scale)
    np.testing.assert_allclose(found["sd_ridge"], np.std(maps, axis=0), atol=1e-4 * scale)
    kept = models.lasso().fit(data.X, data.shares, groups=data.groups).best_estimator_
    rng, chosen = np.random.default_rng(0), []
    for _ in range(2):
        drawn = rng.integers(FAMILIES, size=FAMILIES)
        rows = [k for family in drawn for k in range(N) if data.groups[k] == family]
        again = models.LinearMap(**kept.get_params())
        chosen.append(again.fit(data.X[rows], data.shares[rows]).coef_ != 0)
    np.testing.assert_array_equal(found["selected_lasso"], np.mean(chosen, axis=0))
    assert 0 < found["selected_lasso"].mean() < 1


def test_the_path_of_ridge_is_its_closed_form(data):
    found = weigh("path", data)
    X, Y = data.X - data.X.mean(axis=0), data.shares - data.shares.mean(axis=0)
    k = len(found["ridge_setting"]) // 2
    W = np.linalg.solve(X.T @ X / N + found["ridge_setting"][k] * np.eye(N_R), X.T @ Y / N).T
    assert found["ridge_norm"][k] == pytest.approx(np.linalg.norm(W), rel=1e-6)
    bias = data.shares.mean(axis=0) - W @ data.X.mean(axis=0)
    np.testing.assert_allclose(found["ridge_b"][k], bias, rtol=1e-5, atol=1e-7)
    assert found["ridge_training"][k] == pytest.approx(np.mean((X @ W.T - Y) ** 2), rel=1e-6)
    likeness = np.corrcoef(bias, data.shares.mean(axis=0))[0, 1]
    assert found["ridge_b_likeness"][k] == pytest.approx(likeness, rel=1e-6)
    peaks = found["shown"]
    assert data.shares.mean(axis=0)[peaks].min() == np.sort(data.shares.mean(axis=0))[-3]
    np.testing.assert_allclose(found["ridge_W"][k], W[peaks], rtol=1e-4, atol=1e-8)
    unseen = models.LinearMap(l2=found["ridge_setting"][k])
    evaluation = held_out(data, unseen)
    expected = np.mean((evaluation.prediction - evaluation.truth) ** 2)
    assert found["ridge_held_out"][k] == pytest.approx(expected, rel=1e-6)


def test_components_follow_what_made_them():
    rng = np.random.default_rng(6)
    density, n_atoms = 1 + 0.1 * rng.normal(size=N), rng.integers(300, 600, N)
    first, second = np.sin(R), np.cos(R)
    second -= first * (first @ second) / (first @ first)
    X = 2 + np.outer(density - 1, 10 * first) + np.outer(n_atoms - n_atoms.mean(), 1e-3 * second)
    shape = 1e-2 * zero_sum(rng, N_OMEGA)
    data = changed(
        glass(), X=X, density=density, n_atoms=n_atoms, Y=1 / N_OMEGA + np.outer(density - 1, shape)
    )
    found = weigh("components", data)
    named = list(found["named"])
    correlation = np.abs(found["correlation"])
    assert correlation[0, named.index("density")] > 0.99
    assert correlation[0, named.index("mean frequency")] > 0.99
    assert correlation[0, named.index("mean squared frequency")] > 0.99
    assert correlation[1, named.index("number of atoms")] > 0.98
    assert abs(found["components"][0] @ first) > 0.999 * np.linalg.norm(first)
    variances = np.sort(np.linalg.eigvalsh(np.cov(X.T)))[::-1]
    np.testing.assert_allclose(found["share"], (variances / variances.sum())[:8], atol=1e-12)
    # Along the first component the spectrum changes as it does with the density.
    response = found["response"][:, 0]
    assert abs(response @ shape) > 0.99 * np.linalg.norm(response) * np.linalg.norm(shape)


def test_components_are_compared_with_what_their_names_say(data):
    found = weigh("components", data)
    score = (data.X - data.X.mean(axis=0)) @ found["components"][0]
    values = {
        "density": data.density,
        "swing of g(r)": data.X.var(axis=1),
        "height at the first peak": data.X[:, data.X.mean(axis=0).argmax()],
        "number of atoms": data.n_atoms,
        "mean frequency": (data.shares * OMEGA).sum(axis=1),
        "mean squared frequency": (data.shares * OMEGA**2).sum(axis=1),
    }
    assert set(found["named"]) == set(values)
    for name, correlation in zip(found["named"], found["correlation"][0], strict=True):
        assert correlation == pytest.approx(np.corrcoef(score, values[name])[0, 1], rel=1e-6)


def test_the_swing_and_the_first_peak_are_named_rightly():
    rng = np.random.default_rng(7)
    height = 1 + rng.random(N)
    X = np.ones((N, N_R))
    X[:, 5] = 2 + height  # the only peak
    found = weigh("components", changed(glass(), X=X))
    named = list(found["named"])
    correlation = np.abs(found["correlation"][0])
    assert correlation[named.index("height at the first peak")] == pytest.approx(1)
    swing = np.corrcoef((1 + height) ** 2, height)[0, 1]
    assert correlation[named.index("swing of g(r)")] == pytest.approx(swing)


def shells_of(signal):
    """g(r) has minima at 3.25, 6.25 and 9.25 Å, and carries its news where ``signal`` is true."""
    rng = np.random.default_rng(8)
    mean = 2 - np.cos(2 * np.pi * (R - 0.25) / 3)
    mean[R < 1] = 0
    news = rng.normal(size=N)
    X = mean + 0.1 * rng.normal(size=(N, N_R))
    X[:, signal] += news[:, None]
    shape = 5e-3 * zero_sum(rng, N_OMEGA)
    return changed(glass(), X=X, Y=1 / N_OMEGA + np.outer(news, shape))


def test_shells_end_at_the_minima_and_hold_what_lies_between(monkeypatch):
    monkeypatch.setattr(weights, "REACHES", (3.0, 6.0))
    signal = (R > 3.5) & (R < 6)
    found = weigh("shells", shells_of(signal))
    np.testing.assert_allclose(found["shell_edges"], [0, 3.25, 6.25, 9.25, 10.0])
    overall = {name: found[name][:, -1] for name in ("within", "beyond", "alone", "without")}
    assert found["all"][-1] > 0.95
    assert overall["within"][0] < 0.2 < 0.9 < overall["within"][1]
    assert overall["beyond"][1] < 0.2 < 0.9 < overall["beyond"][0]
    assert (overall["alone"] > 0.9).tolist() == [False, True, False, False]
    assert (overall["without"] > 0.9).tolist() == [True, False, True, True]
    # Permuting the shell that knows costs everything: guess and truth are then independent.
    lost = found["permuted"][:, -1]
    assert lost[1] < 0 < 0.9 < np.delete(lost, 1).min()


def test_scores_by_bin_are_those_of_each_bin(data):
    found = weights._r2_by_bin(data, np.ones(N_R, bool))
    line = held_out(data, models.ridge())
    for k in range(N_OMEGA):
        columns = (Y[:, [k]] for Y in (line.truth, line.prediction, line.baseline))
        assert found[k] == pytest.approx(models.r2(*columns))
    assert found[-1] == pytest.approx(line.r2)


def test_a_bin_whose_baseline_is_exact_has_no_score():
    """And nobody divides by its zero, which would warn."""
    truth = np.array([[1.0, 2.0], [3.0, 2.0]])
    found = weights._by_bin(truth, np.array([[2.0, 2.5], [3.0, 2.0]]), np.array([2.0, 2.0]))
    np.testing.assert_allclose(found, [1 - 1 / 2, np.nan, 1 - 1.25 / 2])


def test_maps_are_the_fits_to_all_structures(data):
    found = weigh("maps", data)
    swing = data.X.var(axis=1)
    assert np.sum(swing < found["g"].var()) == N // 2  # the median of how far g(r) swings
    k = int(np.flatnonzero(np.all(found["g"] == data.X, axis=1))[0])
    np.testing.assert_array_equal(found["pdos"], data.shares[k])
    np.testing.assert_allclose(found["g_sd"], data.X.std(axis=0))
    np.testing.assert_allclose(found["g_mean"], data.X.mean(axis=0))
    fits = {
        "ridge": models.ridge().fit(data.X, data.shares, groups=data.groups).best_estimator_,
        "least_squares": models.ridge(0.0).fit(data.X, data.shares),
        # α of 1e-5 per structure and bin.
        "paper": ElasticNet(1e-5 * N_OMEGA / 2, l1_ratio=1.0, tol=1e-10, max_iter=10**6).fit(
            data.X, data.shares
        ),
    }
    for name, fitted in fits.items():
        error = np.mean((data.shares - fitted.predict(data.X)) ** 2)
        assert found[f"training_mse_{name}"] == pytest.approx(error, rel=1e-4)
        predicted = data.X @ found[f"W_{name}"].T + found[f"b_{name}"]
        np.testing.assert_allclose(predicted, fitted.predict(data.X), atol=1e-6)


def test_parameters_are_counted_with_the_constants():
    X, Y = np.random.default_rng(0).normal(size=(2, 30, 8))
    of_two = models.PrincipalMap(2).fit(X, Y)
    assert comparison._n_parameters(of_two, Y) == (2 + 1) * 8
    assert comparison._n_parameters(models.mean().fit(X, Y), Y) == 8
