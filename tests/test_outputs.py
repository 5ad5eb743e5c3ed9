"""Nothing of somebody else's is touched, and a closed output costs no row."""

import io
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import fake_glass as fake
import numpy as np
import processes
import pytest
import xarray as xr
from fake_glass import contents
from fsspec.implementations.memory import MemoryFileSystem

from glassdata import models, results
from glassdata.cli import run
from glassdata.cli.streams import READER_LEFT
from glassdata.engine.watching import check_report
from glassdata.files import check_output, replace, replace_stream
from glassdata.store import StoreError, pack, prepare, science_config
from glassdata.store.places import place

ONE = {"ar": fake.SYSTEMS["ar"]}
PRECIOUS = b"precious"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return fake.sealed_store(tmp_path_factory.mktemp("sealed") / "store", ("ar",), 8)


@pytest.fixture
def fake_physics(monkeypatch):
    monkeypatch.setattr("glassdata.engine.source.SYSTEMS", fake.SYSTEMS)
    monkeypatch.setattr("glassdata.engine.source.probe", None)
    monkeypatch.setattr("glassdata.engine.source.code", dict)
    monkeypatch.setattr("glassdata.systems.SYSTEMS", fake.SYSTEMS)


@pytest.fixture
def refused(capsys):
    """Run a command that must end in one line and status 2."""

    def call(*arguments: object, words: str = "") -> None:
        capsys.readouterr()
        status = run([str(argument) for argument in arguments])
        errors = capsys.readouterr().err
        assert status == 2, errors
        assert errors.startswith("glassdata: error: ")
        assert len(errors.splitlines()) == 1, errors
        assert words in errors

    return call


# --- what is never replaced -------------------------------------------------------------------


def _link(path: Path) -> None:
    (path.parent / "elsewhere").write_bytes(PRECIOUS)
    path.symlink_to(path.parent / "elsewhere")


def _read_only(path: Path) -> None:
    path.write_bytes(PRECIOUS)
    path.chmod(0o444)


def _device(path: Path) -> None:
    """The null device under another name, as only the superuser can make it."""
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.stat(os.devnull).st_rdev)
    except PermissionError:
        pytest.skip("only the superuser can make a device")


def _socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # the name of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


#: What may be in the place of an output, and a word of the line that refuses it.
THERE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a link": (_link, "symbolic link"),
    "a link that leads nowhere": (lambda path: path.symlink_to("nowhere"), "symbolic link"),
    "a folder": (lambda path: path.mkdir(), "folder"),
    "a pipe": (os.mkfifo, "pipe"),
    "a socket": (_socket, "socket"),
    "a device": (_device, "device"),
    "a read-only file": (_read_only, "read-only"),
}


def everything(folder: Path) -> dict[str, tuple]:
    """Kind, number and content of all that a folder holds; links are not followed."""
    found = {}
    for path in folder.rglob("*"):
        facts = path.lstat()
        data = path.read_bytes() if stat.S_ISREG(facts.st_mode) else b""
        found[path.relative_to(folder).as_posix()] = (facts.st_mode, facts.st_ino, data)
    return found


@contextmanager
def untouched(folder: Path) -> Iterator[None]:
    before = everything(folder)
    yield
    assert everything(folder) == before


def _write_bit_by_bit(path: Path) -> None:
    with replace_stream(path) as stream:
        stream.write(b"new")


def _save_model(path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(20, 4))
    models.save(models.ridge(l2=1.0).fit(X, X), path, {}, X=X)


def _seal_results(path: Path) -> None:
    results.write_result(path.parent / "work", path.stem, "ar.0", "x", {"a": 1.0})
    os.rename(path, path.parent / "work" / f"{path.stem}.zip")
    try:
        results.seal(path.parent / "work", path.stem, ["ar.0"], {})
    finally:
        os.rename(path.parent / "work" / f"{path.stem}.zip", path)
        results.result_path(path.parent / "work", path.stem, "ar.0").unlink()
        (path.parent / "work" / path.stem).rmdir()
        (path.parent / "work").rmdir()


@pytest.mark.parametrize("kind", THERE)
def test_no_function_replaces_what_is_no_file_of_ours(kind, store, tmp_path, tally):
    make, word = THERE[kind]
    path = tmp_path / "out.zip"
    make(path)
    writers: list[Callable[[Path], object]] = [
        check_output,
        check_report,
        lambda path: replace(path, b"new"),
        _write_bit_by_bit,
        _save_model,
        lambda path: pack(store, path),
        _seal_results,
    ]
    for write in writers:
        tally(f"an output where {kind} is")
        with untouched(tmp_path), pytest.raises((FileExistsError, PermissionError), match=word):
            write(path)


@pytest.fixture(scope="module")
def own_files(store, tmp_path_factory):
    """A structure and a model, as a user has them."""
    from ase.build import bulk
    from ase.io import write

    folder = tmp_path_factory.mktemp("own")
    write(folder / "glass.xyz", bulk("Ar", "fcc", a=5.27, cubic=True).repeat(2))
    r_edges, omega_edges = list(range(101)), list(range(101))
    X = np.random.default_rng(0).random((20, 100))
    meta = {"system": "ar", "species": ["Ar"], "dim": 3, "error": [1.0] * 100}
    meta |= {"r_edges": r_edges, "omega_edges": omega_edges}
    models.save(models.ridge(l2=1.0).fit(X, X), folder / "model.npz", meta, X=X)
    return folder / "glass.xyz", folder / "model.npz"


def commands(store: Path, own: tuple[Path, Path], path: Path) -> list[tuple[object, ...]]:
    """Each command with each of its options that names a file to write."""
    structure, model = own
    spectrum, predict = ("spectrum", structure, "--system", "ar"), ("predict", model, structure)
    built = ("build", path.parent / "new.store", "--system", "ar", "--workers", 1)
    return [
        (*spectrum, "-o", path),
        (*spectrum, "--plot", path),
        (*predict, "-o", path),
        (*predict, "--plot", path),
        ("fit", store, "--system", "ar", "-o", path),
        (*built, "--report", path),
    ]


@pytest.mark.parametrize("kind", THERE)
def test_no_command_replaces_it_either_nor_begins(
    kind, store, own_files, tmp_path, refused, fake_physics, monkeypatch, tally
):
    make, word = THERE[kind]
    path = tmp_path / "out.png"
    make(path)
    monkeypatch.setattr("glassdata.cli.inputs.read_structures", lambda *_: pytest.fail("it began"))
    monkeypatch.setattr("glassdata.structures.dataset", lambda *_: pytest.fail("it began"))
    for command in commands(store, own_files, path):
        tally(f"an output where {kind} is")
        with untouched(tmp_path):
            refused(*command, words=word)


def test_a_link_among_the_potentials_stays(refused, tmp_path, monkeypatch, tally):
    """Where ``systems --add`` keeps its copy, somebody may have put a link to the shared one."""
    from glassdata.systems import SYSTEMS, lacks

    potential = SYSTEMS["cualzr_sheng"].potential
    if lacks(SYSTEMS["cualzr_sheng"]):
        pytest.skip("no potential file beside the repository")
    file = potential.path
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    potential.path.parent.mkdir(parents=True)
    potential.path.symlink_to(tmp_path / "gone")
    tally("an output where a link that leads nowhere is")
    with untouched(tmp_path):
        refused("systems", "--add", file, words="symbolic link")
    potential.path.unlink()
    potential.path.symlink_to(file)
    with untouched(tmp_path):  # the same file is there already
        assert run(["systems", "--add", str(file)]) == 0


def test_no_command_writes_over_what_it_reads(
    store, own_files, tmp_path, refused, fake_physics, tally
):
    structure, model = own_files
    twin = tmp_path / "twin.png"
    spectrum, predict = ("spectrum", structure, "--system", "ar"), ("predict", model, structure)
    for source, commands_ in ((structure, (spectrum, predict)), (model, (predict,))):
        os.link(source, twin)
        for command in commands_:
            for option in ("-o", "--plot"):
                for path in (source, twin):
                    tally("an output that is an input, by name or by number")
                    with untouched(tmp_path), untouched(source.parent):
                        refused(*command, option, path, words="is being read")
        twin.unlink()
    fit = ("fit", store, "--system", "ar", "-o")
    other = fake.sealed_store(tmp_path / "other")
    for path in (store / "manifest.json", store / "rows/ar/000001.npz", store / "new.npz"):
        tally("an output within the store that is read")
        with untouched(store):
            refused(*fit, path, words="lies in")
    for path in (other / "config.json", other / "dataset.zarr" / "zarr.json"):
        tally("an output within another store")
        with untouched(other):
            refused(*fit, path, words="lies in the store")
    tally("two outputs of one name")
    refused(*spectrum, "-o", tmp_path / "a.png", "--plot", tmp_path / "a.png", words="two outputs")


def test_an_earlier_output_is_replaced(own_files, tmp_path, fake_physics):
    """The refusals are of what is somebody else's, not of everything."""
    structure, model = own_files
    path = tmp_path / "out.csv"
    path.write_text("the result of yesterday")
    (tmp_path / "twin").hardlink_to(path)
    assert run(["predict", str(model), str(structure), "-o", str(path)]) == 0
    assert path.read_text().startswith("omega_THz")
    assert (tmp_path / "twin").read_text() == "the result of yesterday"


# --- folders of other programs ----------------------------------------------------------------


FOREIGN = {
    "dataset.zarr": {"dataset.zarr/zarr.json": "{}", "dataset.zarr/g/c/0": "numbers"},
    "config.json": {"config.json": '{"learning_rate": 0.1}'},
    "rows": {"rows/ar/000000.npz": "somebody's"},
    "manifest.json": {"manifest.json": "{}", "dataset.zarr/zarr.json": "{}"},
    "quarantine": {"quarantine/patients.csv": "name\n"},
    "plan.json": {"plan.json": "[]", "config.json": "[]"},
    "notes.txt": {"notes.txt": "mine", "dataset.zarr/zarr.json": "{}"},
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_folder_of_another_program_is_never_built_into(
    kind, tmp_path, refused, fake_physics, tally
):
    folder = tmp_path / "folder"
    for name, text in FOREIGN[kind].items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for extra in ((), ("--limit", 1), ("--profile", "demo")):
        tally("a folder of another program, with names that a store has")
        with untouched(tmp_path):
            refused("build", folder, "--system", "ar", "--workers", 1, *extra, words="not a store")


def test_nor_is_a_prefix_of_an_object_store(tally):
    MemoryFileSystem.store.clear()
    there = place("memory://bucket/prefix")
    (there / "dataset.zarr" / "zarr.json").parent.mkdir(parents=True)
    (there / "dataset.zarr" / "zarr.json").write_bytes(PRECIOUS)
    before = {name: file.getvalue() for name, file in MemoryFileSystem.store.items()}
    tally("a folder of another program, with names that a store has")
    with pytest.raises(StoreError, match="not a store and not empty: it holds dataset"):
        prepare(there, science_config(ONE, "demo"), {"ar": 1})
    assert {name: file.getvalue() for name, file in MemoryFileSystem.store.items()} == before
    MemoryFileSystem.store.clear()


def test_nor_are_results_put_among_the_files_of_others(tmp_path, tally):
    """Whatever has the name of an archive or of a result; a damaged result among ours is ours."""
    archive, names = tmp_path / "weights.zip", ("ar.0", "ar.1")
    paths = [results.result_path(tmp_path, "weights", name) for name in names]
    paths[0].parent.mkdir()
    foreign = io.BytesIO()
    np.savez(foreign, weights=np.zeros(3))
    for path in (archive, *paths):
        for data in (PRECIOUS, foreign.getvalue()):
            path.write_bytes(data)
            tally("a folder of another program, with names that results have")
            with pytest.raises(StoreError, match=f"{path.name} is no result"):
                results.refuse_foreign(tmp_path, "weights", names)
            path.unlink()
    for name in names:
        results.write_result(tmp_path, "weights", name, "x", {"a": 1.0})
    paths[1].write_bytes(paths[1].read_bytes()[:50])
    results.refuse_foreign(tmp_path, "weights", names)


def test_an_experiment_begins_nothing_in_such_a_folder(refused, tmp_path, monkeypatch, tally):
    from glassdata.experiments import runner

    store = fake.sealed_store(tmp_path / "store")
    monkeypatch.setattr(runner, "load", lambda *_: None)
    monkeypatch.setattr(runner, "mark", lambda *_: "x")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "weights.zip").write_bytes(PRECIOUS)
    monkeypatch.setattr(runner.engine, "compute", lambda *_: pytest.fail("it began"))
    tally("a folder of another program, with names that results have")
    with untouched(tmp_path / "results"):
        refused("experiment", "weights", "--store", store, "-o", tmp_path / "results",
                words="weights.zip is no result")  # fmt: skip


@pytest.mark.parametrize("kept", ["plan.json", "manifest.json", "rows"])
def test_a_store_that_lost_its_configuration_is_still_known(kept, store, tmp_path):
    """By any of the other records, or by its rows."""
    folder = Path(shutil.copytree(store, tmp_path / "store"))
    for name in {"plan.json", "manifest.json", "config.json"} - {kept}:
        (folder / name).unlink()
    if kept != "rows":
        shutil.rmtree(folder / "rows")
    prepare(folder, science_config(ONE, "demo"), {"ar": 8})
    assert (folder / "config.json").is_file()


# --- standard output and error ----------------------------------------------------------------


def test_dash_is_standard_output_where_that_makes_sense(
    own_files, store, tmp_path, fake_physics, capfdbinary
):
    structure, model = own_files
    assert run(["predict", str(model), str(structure)]) == 0
    default = capfdbinary.readouterr().out
    assert run(["predict", str(model), str(structure), "-o", "-"]) == 0
    assert capfdbinary.readouterr().out == default
    assert run(["fit", str(store), "--system", "ar", "-o", "-"]) == 0
    out, errors = capfdbinary.readouterr()
    (tmp_path / "model.npz").write_bytes(out)
    assert models.load(tmp_path / "model.npz")[1]["system"] == "ar"
    assert b"held-out R" in errors
    assert (
        run(["predict", str(model), str(structure), "-o", str(tmp_path / "a"), "--plot", "-"]) == 0
    )
    assert b"\x89PNG" in capfdbinary.readouterr().out
    assert not Path("-").exists()


def test_spectra_go_to_standard_output(own_files, capfdbinary):
    assert run(["spectrum", str(own_files[0]), "--system", "lj3d", "-o", "-"]) == 0
    out, errors = capfdbinary.readouterr()
    with xr.open_dataset(io.BytesIO(out), engine="scipy") as data:
        assert data.sizes["structure"] == 1
    assert b"density" in errors


def test_dash_is_refused_where_it_makes_none(own_files, store, refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused("experiment", "weights", "--store", store, "-o", "-", words="standard output")
    structure, model = own_files
    refused("predict", model, structure, "-o", "-", "--plot", "-", words="two outputs")
    assert list(tmp_path.iterdir()) == []


def command(redirection: str, *arguments: object) -> subprocess.Popen:
    """The command line in a shell that closes or redirects its outputs."""
    return subprocess.Popen(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable,
         str(processes.HERE / "fake_command.py"), *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(processes.HERE), *sys.path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("redirection", "status", "kind"),
    [
        (">&- 2>&- <&-", 0, "closed standard output, error and input"),
        (">/dev/full 2>&-", 1, "an output on a full disk, and a closed standard error"),
        ("2>&1", READER_LEFT, "a reader that leaves"),
    ],
)
def test_no_row_is_lost_with_the_output(redirection, status, kind, store, tmp_path, tally):
    """The bar speaks before, during and after each row; whoever read it leaves after its start."""
    options = ("--system", "ar", "--workers", 1, "--progress")
    tally(kind)
    with command(redirection, "build", tmp_path / "store", *options) as build:
        assert build.stdout is not None
        assert build.stderr is not None
        if kind == "a reader that leaves":
            build.stdout.read(1)
            build.stdout.close()
        assert build.wait(processes.PATIENCE) == status
        assert build.stderr.read() == ""
        if status != READER_LEFT:
            out = build.stdout.read()
            assert out == "" or "is complete" in out
    assert contents(tmp_path / "store") == contents(store)


def test_words_on_a_full_disk_are_one_line(store, tally):
    tally("an output on a full disk")
    with command(">/dev/full", "info", store) as info:
        said = info.communicate()[1]
        assert said == "glassdata: error: standard output: No space left on device\n"
        assert info.returncode == 1


def test_numbers_are_not_lost_silently(own_files, tally):
    tally("a closed standard output")
    with command(">&-", "predict", own_files[1], own_files[0]) as predict:
        assert predict.communicate()[1] == (
            "glassdata: error: standard output is closed; name a file with -o\n"
        )
        assert predict.returncode == 2
