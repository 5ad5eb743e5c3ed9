"""Pairs that g(r) does not tell apart: planted ones are found, and chance makes none."""

import numpy as np
import pytest

from glassdata.experiments import pairs

N = 12


class Made:
    """Structures with a preparation, a g(r) and a spectrum each."""

    def __init__(self, X, Y, preparation):
        self.X, self.Y, self.preparation = X, Y, np.asarray(preparation)

    def __len__(self):
        return len(self.X)

    def __getitem__(self, mask):
        return Made(self.X[mask], self.Y[mask], self.preparation[mask])


@pytest.fixture(autouse=True)
def known(monkeypatch):
    monkeypatch.setattr(pairs, "ensembles", lambda data: np.full(len(data), "made"))
    monkeypatch.setattr(pairs, "preparations", lambda data: data.preparation)


def noisy(rng, centre, n=N):
    return centre + rng.normal(size=(n, len(centre)))


def test_same_g_and_another_spectrum_is_found():
    rng, nothing = np.random.default_rng(0), np.zeros(40)
    X = np.concatenate([noisy(rng, nothing), noisy(rng, nothing)])
    Y = np.concatenate([noisy(rng, nothing), noisy(rng, nothing + 5.0)])
    found = pairs.lookalikes(Made(X, Y, [0] * N + [1] * N), "made")
    # Repeats differ by √(2·40), and so do the g of both; the spectra by √(2·40 + 25·40).
    assert len(found.g) == pytest.approx(N**2 / 2, rel=0.4)
    assert np.median(found.pdos) == pytest.approx(np.sqrt(1080 / 80), rel=0.05)
    assert found.g.max() < 1
    assert found.repeats.max() < 1.5


def test_a_spectrum_that_follows_g_makes_no_pair():
    rng, nothing = np.random.default_rng(1), np.zeros(40)
    X = np.concatenate([noisy(rng, nothing), noisy(rng, nothing + 5.0)])
    Y = X + 0.1 * rng.normal(size=X.shape)
    assert len(pairs.lookalikes(Made(X, Y, [0] * N + [1] * N), "made").g) == 0


def test_without_repeats_there_is_no_unit():
    rng = np.random.default_rng(2)
    made = Made(noisy(rng, np.zeros(4)), noisy(rng, np.zeros(4)), range(N))
    with pytest.raises(ValueError, match="made: 0 pairs of repeats, and 5 are needed"):
        pairs.lookalikes(made, "made")


def test_only_structures_of_the_ensemble_count(monkeypatch):
    """The same planted pairs, but those of the second preparation are of another ensemble."""
    rng, nothing = np.random.default_rng(0), np.zeros(40)
    X = np.concatenate([noisy(rng, nothing), noisy(rng, nothing)])
    Y = np.concatenate([noisy(rng, nothing), noisy(rng, nothing + 5.0)])
    made = Made(X, Y, [0] * N + [1] * N)
    kinds = np.repeat(["made", "other"], N)
    monkeypatch.setattr(pairs, "ensembles", lambda data: kinds)
    assert len(pairs.lookalikes(made, "made").g) == 0
    assert len(pairs.lookalikes(made, "other").g) == 0


def test_repeats_are_pairs_of_one_preparation_in_the_order_of_distances():
    """Preparations 1, 0, 1 and 0: the pairs are 01, 02, 03, 12, 13 and 23."""
    four = Made(np.zeros((4, 2)), np.zeros((4, 2)), [1, 0, 1, 0])
    assert pairs._repeated(four).tolist() == [False, True, False, False, True, False]
