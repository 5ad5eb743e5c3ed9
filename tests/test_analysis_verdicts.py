"""Intervals and verdicts by hand-made cases: just on either side of each limit."""

import numpy as np
import pytest

from glassdata.experiments import verdicts, words
from glassdata.experiments.verdicts import NOTHING, Estimate, Objection, estimate, grade
from glassdata.models import r2, r2_draws

FAMILIES = np.array([0, 0, 1, 1, 1, 2, 3, 4, 4, 5])
N = len(FAMILIES)


@pytest.fixture
def errors():
    """Errors of a model, of another, and of a baseline, one per structure."""
    return 0.1 + np.random.default_rng(0).random((3, N))


# --- intervals --------------------------------------------------------------------------------


def test_families_are_drawn_whole_and_as_many_as_there_are():
    weights = verdicts.family_weights(FAMILIES, draws=500)
    assert weights.shape == (500, N)
    first = np.unique(FAMILIES, return_index=True)[1]
    np.testing.assert_array_equal(weights, weights[:, first][:, FAMILIES])
    np.testing.assert_array_equal(weights[:, first].sum(axis=1), 6)
    # Each family is drawn once on average; a mean of 500 counts of variance 5/6 scatters by .04.
    np.testing.assert_allclose(weights[:, first].mean(axis=0), 1, atol=0.2)


def test_draws_that_all_share_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        verdicts.family_weights(FAMILIES, draws=5)[0, 0] = 7


def test_names_of_families_do_not_matter():
    named = np.array(list("uuvvvwxyyz"))
    np.testing.assert_array_equal(verdicts.family_weights(named), verdicts.family_weights(FAMILIES))


def test_r2_is_that_of_the_models_and_so_are_its_draws(errors):
    error, _, baseline = errors
    found = estimate(verdicts.removed(error, baseline), FAMILIES)
    assert found.value == pytest.approx(1 - error.sum() / baseline.sum())
    draws = r2_draws(error, baseline, FAMILIES)
    np.testing.assert_allclose(found[1:], np.quantile(draws, [0.025, 0.975]))
    assert found.low < found.value < found.high


def test_r2_of_spectra_is_the_removed_share_of_their_squared_errors():
    rng = np.random.default_rng(1)
    truth, guess = rng.random((2, N, 4))
    mean = truth.mean(axis=0)
    squares = [((y - truth) ** 2).sum(axis=1) for y in (guess, np.tile(mean, (N, 1)))]
    assert verdicts.value_of(verdicts.removed(*squares), N) == pytest.approx(r2(truth, guess, mean))


def test_a_lead_is_a_difference_of_two_r2_family_by_family(errors):
    error, other, baseline = errors
    weights = verdicts.family_weights(FAMILIES)
    mine, theirs = (verdicts.removed(e, baseline)(weights) for e in (error, other))
    np.testing.assert_allclose(verdicts.lead(error, other, baseline)(weights), mine - theirs)


def test_a_lead_has_the_sign_of_the_better_model(errors):
    error, _, baseline = errors
    found = estimate(verdicts.lead(error, error + 0.01, baseline), FAMILIES)
    assert 0 < found.low < found.value < found.high


def test_ratio_and_average_by_hand():
    weights = np.array([[1.0, 1.0, 1.0], [2.0, 0.0, 1.0]])
    a, b = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 4.0])
    np.testing.assert_allclose(verdicts.ratio(a, b)(weights), [6 / 8, 5 / 8])
    np.testing.assert_allclose(verdicts.average(a)(weights), [2, 5 / 3])


def test_equal_structures_of_few_families_have_the_interval_of_the_families():
    # Two families of equal errors inside: all that varies is how often each is drawn.
    groups = np.repeat([0, 1], 50)
    error = np.where(groups == 0, 1.0, 3.0)
    found = estimate(verdicts.average(error), groups)
    assert (found.low, found.value, found.high) == (1, 2, 3)
    alone = estimate(verdicts.average(error), np.arange(100))
    assert alone.high - alone.low < 0.5 * (found.high - found.low)


def test_undefined_draws_are_passed_over():
    found = estimate(lambda w: np.where(w[:, 0] > 0, w[:, 0], np.nan), FAMILIES)
    assert found.low >= 1


def test_errors_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match=r"\(3,\), \(4,\)"):
        verdicts.removed(np.ones(3), np.ones(4))


# --- rules ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.0501, 0.2, "answered"),
        (0.05, 0.2, "open"),
        (0.0499, 0.0501, "open"),
        (-0.1, 0.05, "open"),
        (-0.1, 0.0499, "upheld"),
        (np.nan, np.nan, "not tried"),
    ],
)
def test_grades_on_both_sides_of_the_limit(low, high, word):
    assert grade(Estimate((low + high) / 2, low, high), 0.05) == word


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.92, 1.09, "as good"),  # inside the margin, on both sides of 1
        (0.92, 0.99, "as good"),  # inside the margin: a sure but small difference
        (0.90, 0.99, "better"),  # 0.90 < 1/1.1
        (0.90, 1.00, "open"),
        (0.90, 1.01, "open"),
        (1.01, 1.09, "as good"),
        (1.01, 1.11, "worse"),
        (1.00, 1.11, "open"),
        (0.95, 1.11, "open"),
        (2.0, 3.0, "worse"),
        (0.2, 0.3, "better"),
    ],
)
def test_duels_on_both_sides_of_the_limits(low, high, word):
    assert verdicts.duel(Estimate((low * high) ** 0.5, low, high)) == word


def test_a_wider_margin_forgives_more():
    found = Estimate(1.15, 1.05, 1.19)
    assert verdicts.duel(found) == "worse"
    assert verdicts.duel(found, 1.2) == "as good"


@pytest.fixture
def board():
    sure, open_, wrong = Estimate(2, 1, 3), Estimate(0, -1, 1), Estimate(-2, -3, -1)
    return {
        "first": Objection("a number", 0.0, {"amc": sure, "sic": open_, "lj2d": NOTHING}),
        "second": Objection("another", 0.0, {"amc": wrong, "sic": wrong, "lj2d": wrong}),
        "third": Objection("nothing", 0.0, dict.fromkeys(("amc", "sic", "lj2d"), NOTHING)),
    }


def test_an_objection_says_where_it_stands(board):
    assert board["first"].sentence == "Answered in amc; open in sic; not tried in lj2d."
    assert board["second"].sentence == "Upheld in all glasses."


def test_a_moved_limit_moves_the_grade(board):
    found = board["first"].found
    assert Objection("a number", 0.999, found).grades["amc"] == "answered"
    assert Objection("a number", 1.001, found).grades["amc"] == "open"
    assert Objection("a number", 3.001, found).grades["amc"] == "upheld"


def test_the_tally_counts_every_grade(board):
    counts = verdicts.tally(board)
    assert counts == {"answered": 1, "open": 1, "upheld": 3, "not tried": 4}
    assert sum(counts.values()) == 9


def test_objections_are_listed_by_the_grades_of_what_was_tried(board):
    assert verdicts.objections_where(board, lambda w: "answered" in w) == "first"
    assert verdicts.objections_where(board, lambda w: "answered" not in w) == "second"
    assert verdicts.objections_where(board, lambda w: set(w) == {"answered"}) == "none"


def test_a_claim_is_mixed_unless_all_glasses_agree(board):
    mixed = verdicts.weigh("so it is", "a number above 0", board["first"].found, 0.0)
    assert mixed.verdict == "mixed"
    assert mixed.evidence == ("a number above 0: 0.00 to 2.00; supported in 1, undecided in 1 of 2")
    against = verdicts.weigh("so it is", "another above 0", board["second"].found, 0.0)
    assert against.verdict == "contradicted"
    supported = verdicts.weigh("so it is", "above −4", board["second"].found, -4.0)
    assert supported.verdict == "supported"
    missing = verdicts.weigh("so it is", "above 0", board["third"].found, 0.0)
    assert missing.verdict == "not tested here"


# --- words ------------------------------------------------------------------------------------


def test_lists_of_glasses():
    assert words.listing([]) == "none"
    assert words.listing(["amc"]) == "amc"
    assert words.listing(["amc", "sic", "lj2d"]) == "amc, sic and lj2d"
    assert words.listing(["amc", "sic"], everything=2) == "all of them"


def test_counts_in_words():
    assert words.among([True, False, np.True_]) == "2 of 3"
    assert words.verdict([1, 1]) == "yes"
    assert words.verdict([0, 0]) == "no"
    assert words.verdict([1, 0]) == "in 1 of 2 glasses"
    assert words.by_cuts([1, 1]) == "at all 2 cuts"
    assert words.by_cuts([0, 0]) == "at no cut"
    assert words.by_cuts([1, 0]) == "at 1 of 2 cuts"
    assert words.counted(["N", "density", "density"]) == "density (2), N (1)"


def test_numbers_in_words():
    assert words.plain(-0.001) == "0.00"
    assert words.plain(-0.5) == "−0.50"
    assert words.plain(12.3) == "12"
    assert words.plain(np.inf) == "∞"
    assert words.bracketed((0.5, 0.25, np.inf)) == "0.50 [0.25, ∞]"
    assert words.bracketed((0.5, -0.25, 1), sign="+") == "+0.50 [-0.25, +1.00]"
    assert words.bracketed((np.nan, 0, 1)) == "–"
    assert words.spanned((0.123, -0.5, 1)) == "+0.12 (-0.50 to +1.00)"
