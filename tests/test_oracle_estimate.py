"""What a build is said to cost, against the arithmetic on paper."""

import fake_glass as fake
import pytest

from glassdata.eigen import peak_bytes
from glassdata.estimate import Estimate, estimate, peak_memory
from glassdata.store.rows import read_provenance, row_path


class Sized:
    """A protocol that only has a size."""

    n_structures = 10

    def __init__(self, n_atoms):
        self.n_atoms = n_atoms

    def largest(self, system):
        return self.n_atoms


def system(n_atoms):
    from dataclasses import replace

    return replace(fake.SYSTEMS["ar"], protocols={"demo": Sized(n_atoms)})


@pytest.mark.parametrize(("n_atoms", "seconds"), [(900, 3 + 1), (1800, 6 + 8), (450, 1.5 + 1 / 8)])
def test_model_before_any_row_is_finished(tmp_path, n_atoms, seconds):
    """3 s of relaxation in proportion to the atoms, 1 s of eigenvalues as their cube, at 900."""
    (cost,) = estimate(tmp_path / "none", {"ar": system(n_atoms)}, "demo", {"ar": 7})
    assert (cost.system, cost.rows, cost.n_atoms) == ("ar", 7, n_atoms)
    assert cost.seconds == pytest.approx(seconds)
    assert cost.core_hours == pytest.approx(7 * seconds / 3600)
    assert cost.basis == "rough model, no row is finished yet"


def test_memory_is_an_idle_worker_and_its_dense_matrices():
    small, large = (peak_memory(system(n), "demo") for n in (1, 900))
    # A worker before it computes: 300 MB.
    assert small == pytest.approx(300e6, rel=0.01)
    matrix = 8 * 2700**2
    # At least the matrix and a copy of it, at most half a dozen.
    assert 2 * matrix <= large - 300e6 <= 6 * matrix
    assert Estimate("ar", 1, 900, 1.0, "").memory == pytest.approx(large)
    # Three coordinates an atom: what the check before a diagonalisation asks for.
    assert large - 300e6 == pytest.approx(peak_bytes(2700))


def test_finished_rows_are_believed_and_missing_ones_counted(tmp_path):
    store = fake.sealed_store(tmp_path / "store", ("ar",), 5)
    facts = read_provenance(store, "ar")
    seconds = sum(fact["seconds"]["total"] for fact in facts) / 5
    for index in (1, 4):
        row_path(store, "ar", index).unlink()
    (cost,) = estimate(store, fake.SYSTEMS, "demo", {"ar": 8})
    assert cost.rows == 8 - 3
    assert cost.n_atoms == 6  # fake rows have 4, 5 and 6 atoms in turn
    assert cost.seconds == pytest.approx(seconds)
    assert cost.basis == "mean of 5 finished rows"


def test_each_system_has_its_own_line(tmp_path):
    systems = {"a": system(10), "b": system(20)}
    costs = estimate(tmp_path / "none", systems, "demo", {"b": 1, "a": 2})
    assert [(cost.n_atoms, cost.rows) for cost in costs] == [(20, 1), (10, 2)]
