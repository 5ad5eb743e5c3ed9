"""One flipped bit, one missing end: `verify` names the file, whatever kind of file it is."""

import ast
import os
import subprocess
import sys
import threading
from pathlib import Path

import fake_glass as fake
import pytest

import glassdata
from glassdata.store import DamageError, StoreError, open_dataset, pack, verify
from glassdata.store.files import locked
from glassdata.store.losses import record_loss
from glassdata.store.rows import provenance_path, row_path
from glassdata.store.verifying import set_aside

#: One example of each kind of file in a store, by a word for it.
KINDS = {
    "a configuration": "config.json",
    "a plan": "plan.json",
    "a manifest": "manifest.json",
    "a row": "rows/ar/000001.npz",
    "a chunk": "dataset.zarr/ar/g/c/0/0",
    "metadata": "dataset.zarr/zarr.json",
    "a description": "dataset.zarr/croissant.json",
    "a side file of a row": "provenance/ar/000001.json",
    "a side file of a loss": "provenance/lost/ar-000007.json",
    "a record of a seal": "provenance/seal.json",
}


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    store = fake.sealed_store(tmp_path_factory.mktemp("sealed") / "store")
    record_loss(store, "ar", 7, "its worker died")
    return store


@pytest.fixture
def packed(sealed, tmp_path):
    pack(sealed, tmp_path / "packed.zip")
    return tmp_path / "packed.zip"


def flipped(whole: bytes, bit: int) -> bytes:
    return b"%b%c%b" % (whole[: bit // 8], whole[bit // 8] ^ 1 << bit % 8, whole[bit // 8 + 1 :])


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_in_any_kind_of_file_is_named(sealed, chaos, tally, kind):
    name, rng = KINDS[kind], chaos.rng(kind)
    path = sealed / name
    whole = path.read_bytes()
    try:
        for _ in range(100 if chaos.full else 3):
            tally(f"a flipped bit in {kind}")
            path.write_bytes(flipped(whole, rng.randrange(8 * len(whole))))
            assert name in {finding.name for finding in verify(sealed)}
    finally:
        path.write_bytes(whole)
    assert verify(sealed) == []


# --- packed datasets --------------------------------------------------------------------------


def test_any_flipped_bit_of_a_packed_dataset_is_found(packed, chaos, tally):
    """Most in the last bytes, which Python's zipfile takes as they come, and some elsewhere."""
    whole, rng = packed.read_bytes(), chaos.rng("packed")
    last = range(8 * (len(whole) - 100), 8 * len(whole))
    bits = [*(last if chaos.full else rng.sample(last, 30)), 8 * (len(whole) - 66)]
    bits += [rng.randrange(8 * len(whole)) for _ in range(500 if chaos.full else 20)]
    for bit in bits:
        tally("a flipped bit in a packed dataset")
        packed.write_bytes(flipped(whole, bit))
        assert verify(packed) != [], f"bit {bit} of {8 * len(whole)}"


def test_a_packed_dataset_that_was_cut_is_found_and_not_opened(packed, chaos, tally):
    whole, rng = packed.read_bytes(), chaos.rng("cut")
    lengths = [1, 64, 65, 86, *(rng.randrange(len(whole)) for _ in range(20))]
    for cut in (*range(1, 130), *lengths) if chaos.full else lengths:
        tally("a packed dataset cut off")
        packed.write_bytes(whole[:-cut])
        assert verify(packed) != [], cut
        with pytest.raises(StoreError):
            open_dataset(packed)


def test_a_damaged_dataset_is_not_packed(sealed, tmp_path):
    """The checksum of the packed file would vouch for it."""
    path = sealed / "dataset.zarr/ar/g/c/0/0"
    whole = path.read_bytes()
    try:
        path.write_bytes(flipped(whole, 1000))
        with pytest.raises(DamageError, match="ar/g/c/0/0"):
            pack(sealed, tmp_path / "packed.zip")
        path.unlink()
        with pytest.raises(DamageError, match="ar/g/c/0/0"):
            pack(sealed, tmp_path / "packed.zip")
        with pytest.raises(DamageError, match="ar/g/c/0/0"):
            pack(sealed / "dataset.zarr", tmp_path / "packed.zip")
    finally:
        path.write_bytes(whole)
    assert not (tmp_path / "packed.zip").exists()


# --- beside a running build -------------------------------------------------------------------


def test_verify_beside_a_seal_names_no_good_file(tmp_path, monkeypatch):
    """Between the new dataset and its manifest, every file of it looks wrong."""
    store = fake.sealed_store(tmp_path / "store", count=2)
    between, go_on = threading.Event(), threading.Event()

    def slow(path, record):
        between.set()
        go_on.wait(10)
        write_record(path, record)

    from glassdata.store.records import write_record

    monkeypatch.setattr("glassdata.store.manifest.write_record", slow)
    sealing = threading.Thread(target=fake.sealed_store, args=(store, ("ar",), 4))
    sealing.start()
    between.wait(10)
    threading.Timer(0.5, go_on.set).start()
    findings = verify(store)
    assert go_on.is_set(), "it did not wait"
    sealing.join()
    assert findings == []


def test_verify_does_not_wait_for_ever_for_a_seal(tmp_path, monkeypatch):
    store = fake.sealed_store(tmp_path / "store", count=2)
    monkeypatch.setattr("glassdata.store.files._SILENCE", 0.2)
    from glassdata.store.places import medium

    with medium(store).locked():
        assert verify(store) == []  # a whole store needs no second look
        (store / "plan.json").write_bytes(b"")
        with pytest.raises(StoreError, match=r"sealed by .*process"):
            verify(store)


def test_whoever_waits_long_for_a_lock_says_so(tmp_path, monkeypatch, caplog):
    """A stopped process keeps it."""
    monkeypatch.setattr("glassdata.store.files._SILENCE", 0.1)
    inside = threading.Event()

    def wait() -> None:
        with locked(tmp_path):
            inside.set()

    with locked(tmp_path):
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not inside.wait(0.5)
    waiting.join(10)
    assert inside.is_set()
    (message,) = caplog.messages
    assert message.startswith(f"{tmp_path}: waiting for")


def test_what_was_mended_meanwhile_is_not_moved(tmp_path):
    store = fake.sealed_store(tmp_path / "store")
    path, whole = row_path(store, "ar", 1), row_path(store, "ar", 1).read_bytes()
    path.write_bytes(b"")
    findings = verify(store)
    path.write_bytes(whole)
    assert set_aside(store, findings) == []
    assert path.read_bytes() == whole
    assert not (store / "quarantine").exists()


def test_repair_sets_damaged_side_files_aside_and_keeps_their_rows(tmp_path):
    store = fake.sealed_store(tmp_path / "store")
    path, row = provenance_path(store, "ar", 1), row_path(store, "ar", 1)
    before = row.stat().st_ino
    path.write_bytes(path.read_bytes()[:-20])
    assert set_aside(store, verify(store)) == []
    assert verify(store) == []
    assert row.stat().st_ino == before


# --- without assertions -----------------------------------------------------------------------


def test_no_guarantee_rests_on_an_assertion():
    """``python -O`` leaves assert statements out."""
    for path in Path(glassdata.__file__).parent.rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        assert [n for n in nodes if isinstance(n, ast.Assert)] == [], path
        assert [n for n in nodes if getattr(n, "id", "") == "__debug__"] == [], path


OPTIMISED = """
import sys
from pathlib import Path
import fake_glass as fake
from glassdata.store import DamageError, open_dataset, pack, verify

folder = Path(sys.argv[1])
store, packed = fake.sealed_store(folder / "store"), folder / "packed.zip"
pack(store, packed)
assert False, "there are no assertions here"
print(verify(store), verify(packed), open_dataset(store)["ar/g"].shape)
chunk, seal = store / "dataset.zarr/ar/g/c/0/0", store / "provenance/seal.json"
for path in (chunk, seal, packed):
    whole = path.read_bytes()
    path.write_bytes(whole[:40] + bytes([whole[40] ^ 1]) + whole[41:])
print(*verify(store), *verify(packed), sep="\\n")
for read in (lambda: open_dataset(store)["ar/g"].values, lambda: pack(store, packed)):
    try:
        print(read())
    except (DamageError, ValueError) as error:
        print("refused")
"""


def test_checks_seals_and_readers_do_without_assertions(tmp_path):
    """Zarr itself could not open a group."""
    command = [sys.executable, "-O", "-c", OPTIMISED, str(tmp_path)]
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "[] [] (3, 100)",
        "dataset.zarr/ar/g/c/0/0: checksum does not match",
        "provenance/seal.json: damaged",
        "packed.zip/ar/cell/c/0/0/0: checksum does not match",
        "refused",
        "refused",
    ]
