"""Glasses among themselves: every statistic on data whose answer was planted."""

import fake_glass as fake
import numpy as np
import pytest
from arrays import changed, dataset_of

import glassdata as gd
from glassdata import engine
from glassdata.evaluation import copies
from glassdata.experiments import contenders, contests, glasses, referee, run, signal, tables
from glassdata.experiments.contenders import CHOSEN, Inputs, unit_matrix
from glassdata.experiments.verdicts import Estimate, contest
from glassdata.scores import joined

PREPARATIONS, REPLICAS, N_R, N_OMEGA = 9, 12, 20, 100
N = PREPARATIONS * REPLICAS
NOISE = 1.0


def world(answer: str, seed: int = 0):
    """Three temperatures times three densities; spectra follow them, and g(r) tells both.

    ``"line"``: spectra are linear in g(r), and not in the energy; ``"bent"``: they are quadratic in
    energy and density; ``"nothing"``: all preparations have one spectrum.
    """
    rng = np.random.default_rng(seed)
    prepared = np.tile(np.arange(PREPARATIONS), REPLICAS)
    level, density = (np.array(one).ravel()[prepared] for one in np.mgrid[-1:2, -1:2])
    r, omega = np.linspace(0.5, 10, N_R), np.arange(N_OMEGA) + 0.5
    X = 1 + 0.3 * np.outer(level, np.sin(2 * r)) + 0.3 * np.outer(density, np.cos(3 * r))
    X += 0.03 * rng.normal(size=X.shape)
    slow, fast = np.cos(omega / 12), np.sin(omega / 9)
    signals = {
        "line": np.outer(level, slow) + np.outer(density, fast),
        "bent": np.outer(level**2 - 2 / 3, slow) + np.outer(density * level, fast),
        "nothing": np.zeros((N, N_OMEGA)),
    }
    Y = 10 + signals[answer] + NOISE * rng.normal(size=(N, N_OMEGA))
    energy = level + (3 if answer == "line" else 0.01) * rng.normal(size=N)
    return dataset_of(
        r=r, omega=omega, X=X, Y=Y / Y.sum(axis=1, keepdims=True), groups=np.arange(N),
        classes=np.full(N, "amorphous"), replicate=prepared == 0, density=1 + 0.05 * density,
        n_atoms=np.full(N, 500), peak_width=np.ones(N), energy=energy,
        ensemble=np.full(N, "quenched"), preparation=prepared,
    )  # fmt: skip


@pytest.fixture(scope="module")
def few():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(glasses, "REFITS", 3)
        patch.setattr(glasses, "PLAIN", 1)
        yield


@pytest.fixture(scope="module")
def judged(few):
    """The table of all three worlds."""
    results = {}
    for answer in ("line", "bent", "nothing"):
        data = world(answer)
        for part in ("signal.quenched", "errors.quenched.hard.1.25"):
            results[f"{answer}.{part}"] = glasses.compute(f"ar.{part}", lambda _, d=data: d)
    return results, contests.verdict_table(results).droplevel("ensemble")


# --- signal and noise -------------------------------------------------------------------------


def planted(ratio: float, rng, singles: int = 0):
    """Spectra with that variance between preparations and 1 within, in correlated bins."""
    prepared = np.repeat(np.arange(8 + singles), [10] * 8 + [1] * singles)
    means = rng.normal(size=(8 + singles, 20))
    means -= means.mean(axis=0)
    means *= np.sqrt(ratio / means.var(axis=0, ddof=1).mean()) if ratio else 0
    mixed = rng.normal(size=(len(prepared), 20)) @ (np.eye(20) + np.eye(20, k=1)) / np.sqrt(2)
    mixed[:, 0] *= np.sqrt(2)
    return means[prepared] + mixed, prepared


@pytest.mark.parametrize("ratio", [0.0, 0.3, 3.0])
def test_the_planted_ratio_is_found_without_bias_and_inside_its_interval(ratio):
    found = []
    for seed in range(60):
        Y, prepared = planted(ratio, np.random.default_rng(seed))
        found.append(signal.signal_to_noise(Y, prepared, draws=200)["ratio"])
    values = np.array([one.value for one in found])
    # Four standard errors of the mean of the sixty.
    assert abs(values.mean() - ratio) < 4 * values.std(ddof=1) / np.sqrt(60)
    # 57 of 60 are expected inside; fewer than 51 have a probability below 1 %.
    assert sum(one.low <= ratio <= one.high for one in found) >= 51


def test_variances_by_hand_and_with_structures_that_are_alone():
    Y, prepared = planted(2.0, np.random.default_rng(1), singles=30)
    groups = [Y[prepared == one] for one in range(38)]
    within = np.mean(sum(((g - g.mean(axis=0)) ** 2).sum(axis=0) for g in groups) / (len(Y) - 38))
    means = np.array([g.mean(axis=0) for g in groups])
    shares = np.mean([1 / len(g) for g in groups])
    found = signal.variances(Y, prepared)
    assert found.within == pytest.approx(within)
    assert found.between == pytest.approx(means.var(axis=0, ddof=1).mean() - within * shares)
    noise = signal.noise_of(Y, prepared)
    for one in range(8):
        own = groups[one].var(axis=0, ddof=1).mean()
        assert noise[prepared == one].mean() == pytest.approx(own)
    np.testing.assert_allclose(noise[prepared >= 8], within)
    alone = signal.variances(Y[prepared >= 8], prepared[prepared >= 8])
    assert np.isnan(alone.between)
    assert np.isnan(alone.within)


def test_scatter_that_is_drawn_again_is_as_large_as_the_scatter():
    """Of pairs, whose own means take half of it with them."""
    rng = np.random.default_rng(6)
    prepared = np.repeat(np.arange(60), 2)
    found = signal.signal_to_noise(rng.normal(size=(120, 30)), prepared)["within"]
    assert found.value == pytest.approx(1.0, abs=0.08)
    assert (found.low + found.high) / 2 == pytest.approx(found.value, rel=0.08)


def test_bundles_are_as_quiet_as_their_structures_are_many():
    Y, prepared = planted(1.0, np.random.default_rng(2))
    many = np.tile(Y, (20, 1)) + np.random.default_rng(3).normal(size=(20 * len(Y), 20))
    of = np.tile(prepared, 20)
    one = signal.variances(many, of)
    for size in (2, 5, 10):
        found = signal.bundled(many, of, size)
        # 1600 structures in 20 bins make at least 160 · 20 degrees of freedom: 3 %; four of those.
        assert found.within == pytest.approx(one.within / size, rel=0.12)
        assert found.between == pytest.approx(one.between, rel=0.12)


def test_bundles_mix_no_preparations_and_no_folds():
    rng = np.random.default_rng(0)
    prepared, part = rng.integers(5, size=200), rng.integers(3, size=200)
    found = signal.bundles(prepared, 4, rng, part)
    for values in (prepared, part):
        assert all(len(set(values[one])) == 1 for one in found)
    used = np.concatenate(found)
    assert len(set(used)) == len(used) > 150
    # Thirteen of sixteen are enough for a bundle, eleven are not.
    assert [len(one) for one in signal.bundles([0] * 13 + [1] * 11, 16, rng)] == [13]


def test_joined_bins_are_those_of_the_frequencies_counted_anew():
    data = gd.dataset("lj2d")
    frequencies = data.frequencies(0)
    edges = data.omega_edges
    counts = np.histogram(frequencies, edges[::4])[0]
    # Stored frequencies are rounded: a few in thousands may change bins.
    close = np.abs(joined(data.shares[:1], 25)[0] - counts / counts.sum())
    assert close.max() < 3 / counts.sum()
    with pytest.raises(ValueError, match="100 bins cannot be joined to 30"):
        joined(data.shares, 30)


def test_preparations_of_displaced_crystals_are_their_replicates():
    data = gd.dataset("lj2d")
    found = signal.preparations(data)
    assert len(set(found[data.replicate])) == 1
    assert len(set(found)) == 1 + np.sum(~data.replicate)


def test_preparations_of_two_ensembles_have_different_numbers():
    """Structures without a fixed preparation, such as sheets, have a negative number."""
    n = 12
    data = dataset_of(
        r=[1.0], omega=[1.0], X=np.ones((n, 1)), Y=np.ones((n, 1)), groups=np.arange(n),
        ensemble=np.repeat(["quenched", "equilibrated"], n // 2),
        preparation=np.tile([0, 0, 1, 1, -1, -1], 2), replicate=np.zeros(n, bool),
    )  # fmt: skip
    found = signal.preparations(data)
    assert [int(np.sum(found == one)) for one in found] == [2, 2, 2, 2, 1, 1] * 2


# --- splits -----------------------------------------------------------------------------------


@pytest.mark.parametrize("split", ["hard", "soft"])
def test_no_family_and_with_hard_splits_no_preparation_is_on_both_sides(split):
    rng = np.random.default_rng(0)
    prepared, families = rng.integers(6, size=90), np.repeat(np.arange(45), 2)
    if split == "hard":  # a family of two preparations joins them
        prepared = np.sort(prepared)
    parts = glasses.split_of(prepared, families, split, 1)
    for label in (families, *([prepared] if split == "hard" else [])):
        for one in np.unique(label):
            assert len(set(parts.fold[label == one])) == 1
    for one in np.unique(parts.unit):
        assert len(set(parts.fold[parts.unit == one])) == 1


def test_soft_folds_hold_bundles_of_every_preparation():
    prepared = np.repeat(np.arange(5), 16)
    parts = glasses.split_of(prepared, np.arange(80), "soft", 4)
    assert all(np.sum((parts.fold == f) & (prepared == p)) == 4 for f in range(4) for p in range(5))


# --- verdicts ---------------------------------------------------------------------------------


def test_each_world_gets_its_verdict(judged):
    _, table = judged
    assert table["line enough"].to_dict() == {
        "line": "yes",
        "bent": "not by the line",
        "nothing": "no signal",
    }
    assert table["told apart"].to_dict() == {"line": "yes", "bent": "yes", "nothing": "no"}


def test_the_table_of_the_page_shows_numbers_intervals_and_signs(judged):
    results, table = judged
    shown = tables.contests.judged(results).droplevel("ensemble")
    assert shown["line enough"].to_dict() == table["line enough"].to_dict()
    assert shown.loc["line", "two numbers / line"].endswith(" +")
    assert shown.loc["bent", "E, ρ quadratic / line"].endswith(" −")
    assert "CNN / line" not in shown


def test_the_table_leaves_out_what_is_not_there_and_bounds_what_is_endless(judged):
    results, _ = judged
    shown = tables.contests.judged(results, ["mean", "line on partial g"])
    assert shown.columns.tolist()[:4] == [
        "line enough", "signal/noise", "line above the floor / noise", "mean / line"
    ]  # fmt: skip
    one = {"names": ["line", "mean"], "error": np.array([[[1.0, 1.0]], [[9.0, 9.0]]])}
    one |= {"floor": np.ones(2), "count": np.ones(2), "between": np.array([3.0, 2.0, 4.0])}
    signal = {"bins": np.array([25]), "ratio": np.ones((1, 3)), "structures": np.array([2, 2])}
    exact = {"x.signal.quenched": signal, "x.errors.quenched.hard.1.25": one}
    assert tables.contests.judged(exact)["mean / line"].tolist() == [">1000 (>1000 to >1000) +"]


def test_each_setting_of_the_contest_is_a_column(judged):
    results, table = judged
    found = tables.contests.answers(results, [("hard", 1, 25), ("soft", 4, 25)])
    assert list(found.columns) == ["hard, 1, 25"]  # of the other there are no results
    assert found["hard, 1, 25"].tolist() == table["line enough"].tolist()


def test_noise_is_measured_at_each_size():
    """Half the atoms are made by twice the variance; the signal stays."""
    whole = world("line")
    noise = NOISE / 1000 * np.random.default_rng(3).normal(size=whole.Y.shape)
    half = changed(whole, Y=whole.Y + noise, n_atoms=np.full(N, 250))
    found = glasses.sizes_of(whole, half)
    assert found["n_atoms"].tolist() == [250, 500]
    within, between = found["within"][0, :, 0], found["between"][0, :, 0]
    assert within[0] / within[1] == pytest.approx(2, rel=0.15)
    assert between[0] / between[1] == pytest.approx(1, rel=0.15)


def test_smaller_boxes_have_the_preparations_of_the_large_one():
    mixture = gd.SYSTEMS["ka2d"]
    smaller, whole = mixture.protocols["sizes"], mixture.protocols["reference"]
    assert [part.protocol.parents for part in smaller.parts] == [whole.parents] * 2
    assert [part.protocol.largest(mixture) for part in smaller.parts] == [301, 645]
    assert smaller.n_structures == 8 * len(whole.parents)


def test_single_structures_are_dealt_to_all_soft_folds():
    assert glasses._n_folds(np.array([3, 3, 3]), 1) == glasses.SOFT_FOLDS
    assert glasses._n_folds(np.array([16, 16, 1]), 4) == 4


def test_units_are_scaled_to_the_variance_of_g_however_small_theirs_is():
    g = 1 + 1e-3 * np.random.default_rng(0).normal(size=(20, 5))
    known = Inputs(g, np.empty((20, 0)), density=np.ones(20), energy=np.zeros(20))
    for unit in ("line", "line on √g", "line on log g"):
        found = unit_matrix(known, unit).var(axis=0).sum()
        assert found == pytest.approx(g.var(axis=0).sum(), rel=1e-12)


def test_the_column_of_densities_varies_as_much_as_a_bin_of_g():
    g = np.random.default_rng(0).normal(size=(50, 5))
    known = Inputs(g, np.empty((50, 0)), density=7 + 1e-3 * g[:, 0], energy=np.zeros(50))
    column = contenders.UNITS["line on g and ρ"](known)[:, -1]
    assert column.std() == pytest.approx(np.sqrt(g.var(axis=0).mean()))
    assert np.corrcoef(column, g[:, 0])[0, 1] == pytest.approx(1)


def test_ratios_tell_who_is_better(judged):
    _, table = judged
    words = table[["mean", "two numbers", "nearest", "E, ρ quadratic"]].map(contest)
    assert (words.loc["line"] == "better").all()
    assert words.loc["bent", "E, ρ quadratic"] == "worse"


def test_a_planted_line_reaches_the_floor_and_the_mean_has_the_signal(judged):
    results, table = judged
    # The line learns two slopes and a constant from eight preparations of twelve: a few per cent.
    assert -0.05 < table.loc["line", "above the floor"].value < 0.15
    assert table.loc["line", "explained"].value > 0.95
    result = results["line.errors.quenched.hard.1.25"]
    mean = contests.in_noise(result, "mean").value
    # The mean of the others misses a preparation by 9/8 of its distance from the mean of all, and
    # the variance between has 8 in its denominator: 81/64 · 8/9.
    expected = 81 / 64 * 8 / 9 * table.loc["line", "signal/noise"].value
    assert mean == pytest.approx(expected, rel=0.05)


def test_equal_contenders_are_the_same_and_limits_are_symmetric(judged):
    results, _ = judged
    result = results["line.errors.quenched.hard.1.25"]
    twice = dict(result, names=np.append(result["names"], "twin"))
    line = list(result["names"]).index("line")
    twice["error"] = np.concatenate([result["error"], result["error"][line : line + 1]])
    assert contests.ratio_above(twice, "twin") == Estimate(1.0, 1.0, 1.0)
    one, other = (
        contests.ratio_above(result, *pair) for pair in (("mean", "line"), ("line", "mean"))
    )
    assert other.value == pytest.approx(1 / one.value)
    # Percentiles are interpolated on another scale.
    np.testing.assert_allclose([1 / other.high, 1 / other.low], one[1:], rtol=0.01)


def test_intervals_hold_what_refits_change(judged):
    """The same errors in all units leave only the fits to differ."""
    n = 6
    error = np.full((2, 8, n), 2.0)
    error[0, 1:] += np.array([-0.1] * 6 + [0.6])[:, None]
    result = {"names": np.array(["line", "mean"]), "error": error, "floor": np.zeros(n)}
    found = contests._estimated(contests.above(result | {"count": np.ones(n)}, "line"), result | {
        "count": np.ones(n)})  # fmt: skip
    assert found.value == 2.0
    # The ends are single fits, with the factor for their number: √(8/6).
    assert found.high - 2 == pytest.approx(0.6 * np.sqrt(8 / 6))
    assert 2 - found.low == pytest.approx(0.1 * np.sqrt(8 / 6))


def test_the_network_is_put_beside_the_others(judged):
    results, _ = judged
    result = results["line.errors.quenched.hard.1.25"]
    network = dict(result, names=np.array(["CNN"]), error=2 * result["error"][:1, :3])
    both = contests.with_rivals(result, network)
    assert list(both["names"])[-1] == "CNN"
    assert contest(contests.ratio_above(both, "CNN")) == "better"
    with pytest.raises(ValueError, match="different splits"):
        contests.with_rivals(result, dict(network, count=result["count"][1:]))


def test_the_unit_of_the_line_is_chosen_by_what_training_structures_say():
    data = world("line")
    logarithmic = changed(data, X=np.exp(data.X) - 0.1)
    inputs, Y = contenders.inputs_of(logarithmic), joined(logarithmic.shares, 25)
    halves = {"train": np.arange(0, N, 2), "test": np.arange(1, N, 2)}
    told = dict(halves, names=[*contenders.UNITS, CHOSEN])
    found = contenders.guesses(inputs, Y, np.arange(N), **told)
    assert "line on partial g" not in found
    np.testing.assert_array_equal(found[CHOSEN], found["line on log g"])


def test_a_line_on_partial_g_sees_what_g_does_not(few):
    data = world("line")
    seen = np.stack([data.X, np.ones_like(data.X)], axis=1)
    blind = 1 + 0.03 * np.random.default_rng(0).normal(size=data.X.shape)
    alloy = changed(data, X=blind, partial_g=seen)
    result = glasses.compute("ar.errors.quenched.hard.4.25", lambda _: alloy)
    assert contest(contests.ratio_above(result, "line on partial g")) == "worse"  # for the other
    assert contest(contests.ratio_above(result, CHOSEN)) == "worse"


def test_every_possible_result_has_one_name():
    """Bundles of sixteen can be made of twelve structures a preparation, not of eleven."""
    data = world("line")
    for fewer, possible in ((data, True), (data[: N - PREPARATIONS], False)):
        names = glasses.result_names({"ar": fewer})
        assert len(names) == len(set(names))
        assert ("ar.errors.quenched.hard.16.50" in names) == possible
        assert "ar.errors.quenched.soft.16.50" not in names
    apart = changed(data, preparation=np.arange(N))  # nothing was prepared twice
    assert glasses.result_names({"ar": apart}) == ["ar.leak.quenched", "ar.across"]


def test_no_contender_sees_the_spectra_it_is_asked_for():
    data = world("bent")
    inputs, Y = contenders.inputs_of(data), joined(data.shares, 25)
    asked = data.preparation == 4
    halves = {"train": np.flatnonzero(~asked), "test": np.flatnonzero(asked)}
    told = dict(halves, names=glasses.CONTENDERS)
    before = contenders.guesses(inputs, Y, data.preparation, **told)
    after = contenders.guesses(inputs, np.where(asked[:, None], 9.0, Y), data.preparation, **told)
    assert set(before) == set(glasses.CONTENDERS) - {"line on partial g"}
    for name, guess in before.items():
        np.testing.assert_array_equal(after[name], guess)


def test_lines_travel_as_far_as_the_law_holds(few):
    here, there = world("line", 1), world("line", 2)
    kinds = np.repeat(["equilibrated", "quenched"], N)
    both = {
        name: np.concatenate([here[name], there[name]])
        for name in ("disorder_class", "replicate", "density", "n_atoms", "peak_width", "energy")
    }
    both["classes"] = both.pop("disorder_class")
    for turned, limits in ((1, (0.5, 1.6)), (-1, (20, np.inf))):
        # The other ensemble's spectra follow g(r) with the other sign.
        Y = 0.01 + turned * (there.shares - 0.01)
        data = dataset_of(
            r=here.r, omega=here.omega, X=np.concatenate([here.X, there.X]),
            Y=np.concatenate([here.shares, Y]), groups=np.arange(2 * N), ensemble=kinds,
            preparation=np.concatenate([here.preparation, there.preparation]), **both,
        )  # fmt: skip
        result = glasses.compute("ar.across", lambda _, d=data: d)
        table = contests.travel_table(result)
        assert table.loc["quenched", "quenched"].value == 1.0
        assert limits[0] < table.loc["equilibrated", "quenched"].value <= limits[1]
        assert contests.travel_classes(result) == ["amorphous"]
        at_home = contests.within_classes(result)
        assert at_home.columns.to_list() == ["all", "amorphous"]
        assert (at_home.map(contest) == "better").all(axis=None)  # the line, than the mean


# --- as an experiment -------------------------------------------------------------------------


def prepared_row(system, profile, index, timings=None):
    row = fake.plain_row(system, profile, index)
    told = {"ensemble": "quenched", "preparation": index % 4, "replicate": index % 4 == 0}
    return row | told | {"parent": index, "density": 0.02 + index % 4, "energy": -1.0 / (1 + index),
                         "peak_width": 0.1}  # fmt: skip


def test_the_experiment_runs_on_a_store_and_resumes(few, tmp_path, monkeypatch):
    every = glasses.result_names
    monkeypatch.setattr(
        glasses, "result_names", lambda found: [n for n in every(found) if ".cnn." not in n]
    )
    monkeypatch.setattr(
        engine,
        "compute",
        lambda function, task, todo, _: ([function(task, *one) for one in todo], []),
    )
    store = fake.sealed_store(tmp_path / "store", ("ar",), 24, compute=prepared_row)
    first = run("glasses", store, tmp_path / "results")
    assert first.problems == ()
    assert first.computed == first.results > 5
    assert run("glasses", store, tmp_path / "results").computed == 0
    results = gd.open_results("glasses", tmp_path / "results")
    table = contests.verdict_table(results, bins=fake.N_OMEGA)
    assert table.index.to_list() == [("ar", "quenched")]
    assert table["structures"].to_list() == [24]


# --- leaks ------------------------------------------------------------------------------------


def test_planted_copies_are_found_and_nothing_else():
    found = glasses.compute("ar.leak.quenched", lambda _: world("line"))
    assert found["pairs"].shape == (0, 2)
    # Noise of a third of the nearest distance is where a copy ceases to be one.
    assert found["found"][found["noise"] <= 0.1].tolist() == [1.0, 1.0, 1.0]
    assert found["found"][-1] == 0.0
    one_family = changed(world("line"), groups=np.zeros(N, int))
    nothing = glasses.compute("ar.leak.quenched", lambda _: one_family)
    assert nothing["planted"] == 0
    assert not nothing["found"].any()


def test_a_copy_with_a_wrong_parent_makes_the_held_out_score_too_good():
    """What a leak does to a score, and that it is named."""
    rng, data = np.random.default_rng(0), world("nothing")
    X = rng.normal(size=data.X.shape)
    clean = referee.compute("ar.baselines", lambda _: changed(data, X=X))
    half = N // 2
    X[half:], shares = X[:half] + 0.01 * rng.normal(size=(half, N_R)), data.shares.copy()
    shares[half:] = shares[:half]
    leaky = referee.compute("ar.baselines", lambda _: changed(data, X=X, Y=shares))
    assert leaky["error_nearest"].mean() < 0.6 * clean["error_nearest"].mean()
    pairs = copies(X, np.arange(N))
    assert pairs.tolist() == [[k, k + half] for k in range(half)]
    assert copies(X, np.arange(N) % half).tolist() == []  # one family may be alike


def test_a_drawn_training_set_keeps_the_families_of_each_preparation():
    """Three preparations of two families each; as many are drawn of each, none of another."""
    preparation, family = np.repeat([0, 1, 2], 4), np.repeat(np.arange(6), 2)
    train = np.flatnonzero(family != 5)  # four, four and two structures
    drawn = [
        glasses._drawn(train, preparation, family, 1, np.random.default_rng(seed))
        for seed in range(20)
    ]
    for one in drawn:
        assert np.bincount(preparation[one]).tolist() == [4, 4, 2]
        assert set(one) <= set(train)
    assert len({tuple(one) for one in drawn}) > 3


def test_the_table_of_lines_that_were_carried_names_glass_and_training():
    found = tables.contests.carried(gd.open_results("elsewhere"))
    assert list(found.index.names) == ["glass", "line trained on"]
    assert set(found.index.get_level_values("glass")) == {"amc", "amc_lb"}
    assert list(tables.contests.carried({}).index.names) == [None]
