"""Nothing that is scored was seen: class means, baselines, inner tuning, and the error of ``fit``.

Each test plants what a leak would use, computes the honest number by hand, and checks that the
leaking number is far from it, so that a leak cannot pass for rounding.
"""

import fake_glass as fake
import numpy as np
import pytest
from arrays import dataset_of
from sklearn.model_selection import GroupKFold

from glassdata import models, open_dataset
from glassdata.cli import run
from glassdata.experiments import objections, referee

FAMILIES, MEMBERS, N_R, N_OMEGA = 16, 4, 10, 6
N = FAMILIES * MEMBERS
#: Size of what the members of a family share, and of what tells them apart.
SHARED, OWN = 0.1, 0.001


@pytest.fixture(scope="module")
def families():
    """X, Y, groups, classes: spectra belong to families, and g(r) says which family, no more."""
    rng = np.random.default_rng(7)
    groups = np.repeat(np.arange(FAMILIES), MEMBERS)
    X = rng.normal(size=(FAMILIES, N_R))[groups] + OWN * rng.normal(size=(N, N_R))
    Y = (
        1
        + SHARED * rng.normal(size=(FAMILIES, N_OMEGA))[groups]
        + OWN * rng.normal(size=(N, N_OMEGA))
    )
    # Two classes of unequal size; both occur in every family.
    classes = np.where(np.arange(N) % MEMBERS == 0, "partial", "amorphous")
    return X, Y, groups, classes


def class_means_by_hand(Y, fold, classes):
    """One structure after another, with no shared code."""
    means = []
    for i in range(len(Y)):
        others = [Y[j] for j in range(len(Y)) if fold[j] != fold[i] and classes[j] == classes[i]]
        means.append(np.mean(others, axis=0) if others else np.full(Y.shape[1], np.nan))
    return np.array(means)


def test_class_means_are_those_of_other_folds(families):
    X, Y, groups, classes = families
    evaluation = models.cross_validate(models.mean(), X, Y, groups)
    # The same sums in another order.
    means = models.class_means(evaluation, classes)
    np.testing.assert_allclose(means, class_means_by_hand(Y, evaluation.fold, classes), rtol=1e-13)
    lonely = classes.copy()
    lonely[groups == 3] = "only here"
    found = models.class_means(evaluation, lonely)
    np.testing.assert_array_equal(np.isnan(found).all(axis=1), groups == 3)


@pytest.mark.parametrize("held", range(5))
def test_no_baseline_of_a_fold_depends_on_its_spectra(held, families):
    """Whatever the spectra of a fold are, its baselines stay; those of other folds follow."""
    X, Y, groups, classes = families
    before = models.cross_validate(models.mean(), X, Y, groups)
    mine = before.fold == held
    rng = np.random.default_rng(held)
    after = models.cross_validate(
        models.mean(), X, np.where(mine[:, None], rng.random(Y.shape), Y), groups
    )
    for number in (lambda e: e.baseline, lambda e: models.class_means(e, classes)):
        np.testing.assert_array_equal(number(after)[mine], number(before)[mine])
        assert np.all(number(after)[~mine] != number(before)[~mine])


def test_a_class_mean_that_had_seen_the_fold_would_be_found(families):
    """Score zero is what the honest class mean has; with one's own family it looks like skill."""
    X, Y, groups, classes = families
    honest = models.cross_validate(models.mean(), X, Y, groups)
    own_family = np.array([Y[(groups == groups[i]) & (classes == classes[i])].mean(axis=0)
                           for i in range(N)])  # fmt: skip
    for guess, r2 in ((models.class_means(honest, classes), 0.0), (own_family, 1.0)):
        scored = models.Evaluation(Y, guess, honest.baseline, honest.fold, ())
        for score in models.by_class(scored, classes).values():
            # Exactly none, or all but what tells members apart: (OWN / SHARED)² is 1e-4.
            assert score.class_r2 == pytest.approx(r2, abs=1e-3)


def test_scores_of_classes_by_hand(families):
    X, Y, groups, classes = families
    evaluation = models.cross_validate(models.nearest(3), X, Y, groups)
    scores = models.by_class(evaluation, classes)
    assert sorted(scores) == ["amorphous", "partial"]
    means = class_means_by_hand(Y, evaluation.fold, classes)
    for name, score in scores.items():
        rows = [i for i in range(N) if classes[i] == name]
        total = [sum(Y[i]) for i in rows]
        shares = [(evaluation.prediction[i] - Y[i]) / t for i, t in zip(rows, total, strict=True)]
        base = [(evaluation.baseline[i] - Y[i]) / t for i, t in zip(rows, total, strict=True)]
        error, reference, inside = (
            sum(np.sum((guess[i] - Y[i]) ** 2) for i in rows)
            for guess in (evaluation.prediction, evaluation.baseline, means)
        )
        assert score.n == len(rows)
        assert score.mse == pytest.approx(np.mean(np.square(shares)))
        assert score.baseline_mse == pytest.approx(np.mean(np.square(base)))
        assert score.r2 == pytest.approx(1 - error / reference)
        assert score.class_r2 == pytest.approx(1 - error / inside)


def test_baselines_of_the_referee_by_hand(families):
    X, Y, groups, classes = families
    data = dataset_of(
        r=np.arange(N_R) + 0.5, omega=np.arange(N_OMEGA) + 0.5, X=X, Y=Y, groups=groups,
        classes=classes, density=np.ones(N), n_atoms=np.full(N, 100), peak_width=X[:, 0],
    )  # fmt: skip
    result = referee.compute("ar.baselines", lambda _: data)
    shares = Y / Y.sum(axis=1, keepdims=True)
    fold = np.empty(N, int)
    splitter = GroupKFold(referee.FOLDS, shuffle=True, random_state=referee.SEED)
    for number, (_, test) in enumerate(splitter.split(X, groups=groups)):
        fold[test] = number
    baseline = np.array([shares[fold != fold[i]].mean(axis=0) for i in range(N)])
    means = class_means_by_hand(shares, fold, classes)
    for name, guess in (("baseline", baseline), ("error_class_mean", means)):
        np.testing.assert_allclose(result[name], np.mean((guess - shares) ** 2, axis=1), rtol=1e-9)
    # A model that had seen the family would know their spectra.
    assert result["error_nearest"].mean() > 0.5 * result["baseline"].mean()
    held = models.cross_validate(models.mean(), X, shares, groups)
    rare = np.where(groups == 3, "only here", "rest")
    inside = objections.class_means(held, rare)
    # Nobody has seen the class of that family: the mean of all is what one would say.
    np.testing.assert_array_equal(inside[groups == 3], held.baseline[groups == 3])


def test_the_inner_tuning_is_told_of_the_families(families):
    X, Y, groups, _ = families
    # Members of a family tell everything about each other: one neighbour, or no penalty, is best
    # if they may stand on both sides. Without them nothing can be learned from g(r).
    for make, name in ((models.nearest, "k"), (models.kernel_ridge, "l2")):
        careless = make().fit(X, Y).best_params_[name]
        honest = make().fit(X, Y, groups=groups).best_params_[name]
        assert careless < honest
    inside = models.cross_validate(models.nearest(), X, Y, groups)
    assert min(chosen["k"] for chosen in inside.parameters) > 1


def family_row(system: str, profile: str, index: int, timings: dict | None = None) -> dict:
    """Families of three: g(r) and spectrum of the family, with a trace of their own."""
    family, own = np.random.default_rng(index // 3), np.random.default_rng([index, 9])
    row = fake.plain_row(system, profile, index)
    g, pdos = family.random(fake.N_R), 1 + family.random(fake.N_OMEGA)
    row["g"], row["pdos"] = g + OWN * own.random(fake.N_R), pdos + OWN * own.random(fake.N_OMEGA)
    return row | {"parent": index // 3}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return fake.sealed_store(tmp_path_factory.mktemp("families") / "store", count=18,
                             compute=family_row)  # fmt: skip


@pytest.mark.parametrize("name", [name for name, kind in models.MODELS.items() if not kind.needs])
def test_the_error_that_fit_publishes_is_that_of_held_out_families(
    name, store, tmp_path, monkeypatch
):
    for grid in ("LASSO_L1", "ELASTIC_NET_L1"):  # quicker: penalties that leave few weights
        monkeypatch.setattr(f"glassdata.models.linear.{grid}", (1.0, 3.0))
    path = tmp_path / "model.npz"
    assert (
        run(
            [
                "fit",
                str(store),
                "--system",
                "ar",
                "--model",
                name.replace("_", "-"),
                "-o",
                str(path),
            ]
        )
        == 0
    )
    saved, meta = models.load(path)
    rows = open_dataset(store)["ar"]
    X, Y = rows["g"].values.astype(float), rows["pdos"].values.astype(float)
    families = np.arange(18) // 3
    guess, mean = np.empty_like(Y), np.empty_like(Y)
    splitter = GroupKFold(5, shuffle=True, random_state=0)
    for train, test in splitter.split(X, groups=families):
        model = models.MODELS[name].make()
        told = {"groups": families[train]} if models.MODELS[name].tuned else {}
        guess[test] = model.fit(X[train], Y[train], **told).predict(X[test])
        mean[test] = Y[train].mean(axis=0)
    by_hand = np.sqrt([np.mean([(guess[i, k] - Y[i, k]) ** 2 for i in range(18)])
                       for k in range(fake.N_OMEGA)])  # fmt: skip
    # The same operations; the file keeps the errors themselves, from which intervals follow.
    errors = np.sqrt(np.mean(saved.calibration.errors**2, axis=0))
    np.testing.assert_allclose(errors, by_hand, rtol=1e-6)
    total = Y.sum(axis=1, keepdims=True)
    assert meta["scores"]["mse"] == pytest.approx(np.mean(((guess - Y) / total) ** 2))
    assert meta["scores"]["baseline_mse"] == pytest.approx(np.mean(((mean - Y) / total) ** 2))
    share = 1 - np.sum((guess - Y) ** 2) / np.sum((mean - Y) ** 2)
    assert meta["scores"]["r2"] == pytest.approx(share, abs=1e-12)
    if name in ("ridge", "nearest", "kernel_ridge"):
        # The same families, or the training set itself, would have given an error of the size OWN.
        fitted = models.MODELS[name].make().fit(X, Y)
        assert np.sqrt(np.mean((fitted.predict(X) - Y) ** 2)) < 0.1 * np.mean(errors)
