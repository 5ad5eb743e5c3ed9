"""File systems without links, exclusive renames or locks: another sound way, or one clear line."""

import multiprocessing
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import fake_glass as fake
import poor_disk
import processes
import pytest
from fake_glass import contents

from glassdata.store import DamageError, StoreError, prepare, science_config, verify
from glassdata.store.files import check_file_system, publish

ONE = {"ar": fake.SYSTEMS["ar"]}
#: What file systems lack that stores can be built on nevertheless: FAT and some network mounts, a
#: FUSE file system, and one of these that makes no names durable.
ENOUGH = [
    ["links"],
    ["links, says a network"],
    ["links", "exclusive rename"],
    ["links", "exclusive rename", "fsync of folders"],
]
#: What they lack that nothing replaces, with a word of the refusal.
TOO_MUCH = {
    "no link, exclusive rename or lock": ["links", "exclusive rename", "locks of folders"],
    "flock": ["locks"],
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return contents(fake.sealed_store(tmp_path_factory.mktemp("whole") / "store", count=4))


@pytest.mark.parametrize("features", ENOUGH, ids="; ".join)
def test_publication_is_exclusive_without_links(tmp_path, monkeypatch, features):
    poor_disk.lack(features, monkeypatch.setattr)
    check_file_system(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    path = tmp_path / "rows" / "a"
    assert publish(path, b"first")
    assert not publish(path, b"first")
    with pytest.raises(DamageError, match="other content"):
        publish(path, b"second")
    assert path.read_bytes() == b"first"
    assert [p.name for p in path.parent.iterdir()] == ["a"]


def _write(features, path, text, start, outcomes) -> None:
    poor_disk.lack(features)
    start.wait()
    try:
        outcomes.put(publish(path, text))
    except DamageError:
        outcomes.put("conflict")


@pytest.mark.parametrize("features", [ENOUGH[0], ENOUGH[2]], ids="; ".join)
def test_of_many_processes_one_publishes(tmp_path, chaos, tally, features):
    context = multiprocessing.get_context("fork")
    for number in range(25 if chaos.full else 2):
        tally("a race on a file system without links")
        start, outcomes = context.Barrier(4), context.Queue()
        path = tmp_path / f"row-{number}"
        writers = [
            context.Process(target=_write, args=(features, path, b"%d" % n, start, outcomes))
            for n in range(4)
        ]
        for writer in writers:
            writer.start()
        assert Counter(outcomes.get(timeout=60) for _ in writers) == {True: 1, "conflict": 3}
        for writer in writers:
            writer.join()


@pytest.mark.parametrize("features", ENOUGH, ids="; ".join)
def test_a_build_on_a_poor_file_system_has_the_same_bytes(tmp_path, chaos, tally, whole, features):
    """Each row is computed once, by workers on the same file system, and the dataset is sealed."""
    if not chaos.full and features is not ENOUGH[2]:
        pytest.skip("long: make chaos runs it")
    store, habits = tmp_path / "store", tmp_path / "habits"
    habits.mkdir()
    options = ("--system", "ar", "--limit", 4, "--workers", 2)
    tally("a build on a file system without links")
    with processes.build(store, habits, *options, GLASSDATA_LACKS=";".join(features)) as command:
        assert command.finish() == 0, command.said()
    assert fake.counts(habits) == {f"ar-{index}": 1 for index in range(4)}
    assert contents(store) == whole
    assert verify(store) == []


@pytest.mark.parametrize("word", TOO_MUCH)
def test_what_cannot_be_replaced_is_refused_before_the_first_row(
    tmp_path, monkeypatch, capsys, tally, word
):
    from glassdata.cli import run

    tally("a file system that lacks too much")
    poor_disk.lack(TOO_MUCH[word], monkeypatch.setattr)
    with pytest.raises(StoreError, match=word):
        prepare(tmp_path / "store", science_config(ONE, "demo"), {"ar": 2})
    assert not list((tmp_path / "store").rglob("*.json"))
    command = ["build", str(tmp_path / "other"), "--system", "lj2d", "--limit", "1"]
    assert run(command) != 0
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{tmp_path / 'other'}: its file system cannot" in line


@pytest.fixture
def vfat(tmp_path):
    """A small FAT file system on a loop device."""
    if not (shutil.which("mkfs.vfat") and shutil.which("mount")):
        pytest.skip("needs mkfs.vfat (Debian: apt-get install dosfstools) and mount")
    image, folder = tmp_path / "image", tmp_path / "vfat"
    folder.mkdir()
    with open(image, "wb") as stream:
        stream.truncate(64 << 20)
    subprocess.run(["mkfs.vfat", image], check=True, capture_output=True)
    mounted = subprocess.run(["mount", "-o", "loop", image, folder], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"cannot mount FAT: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_build_on_fat(vfat: Path, tmp_path, whole):
    store = fake.sealed_store(vfat / "store", count=4)
    assert contents(store) == whole
    assert verify(store) == []
    with pytest.raises(DamageError, match="other content"):
        publish(store / "rows/ar/000001.npz", b"second")
