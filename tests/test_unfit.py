"""Workers that live and are wrong, as real processes: they make no row, and nothing is lost."""

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import fake_glass as fake
import processes
import pytest
from dask.distributed import Client
from fake_glass import contents

from glassdata.cli import run
from glassdata.engine import RunEnded, build, crew
from glassdata.origin import versions
from glassdata.store import open_dataset, verify
from glassdata.store.losses import grouped
from glassdata.store.making import makers

ONE = {"ar": fake.SYSTEMS["ar"]}

#: The real package under another version, without a function that rows call.
OLD_ASE = """
import sys
from pathlib import Path

_real = next(
    Path(folder, "ase") for folder in sys.path[::-1] if Path(folder, "ase/__init__.py").is_file()
)
__path__ = [str(_real)]
exec(compile((_real / "__init__.py").read_text(), "ase", "exec"))
__version__ = "3.22.1"
from ase.atoms import Atoms

def _gone(self):
    raise AttributeError("'Atoms' object has no attribute 'get_center_of_mass'")

Atoms.get_center_of_mass = _gone
"""


@pytest.fixture
def habits(tmp_path, monkeypatch):
    folder = tmp_path / "habits"
    folder.mkdir()
    monkeypatch.setenv("GLASSDATA_FAKE", str(folder))
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return contents(fake.sealed_store(tmp_path_factory.mktemp("whole") / "store", count=8))


class Place:
    """A scheduler of its own, and workers that come one by one."""

    def __init__(self, stack: ExitStack, habits: Path) -> None:
        self.stack, self.habits = stack, habits
        self.port = processes.free_port()
        self.address = f"tcp://127.0.0.1:{self.port}"
        stack.enter_context(processes.scheduler(self.port))

    def worker(self, name: str, *before: object, **environment: str) -> processes.Group:
        """Start a worker; ``before`` is a command that runs it."""
        options = ("--nworkers", 1, "--nthreads", 1, "--name", name, "--no-dashboard", "--no-nanny")
        command = ["-m", "dask", "worker", self.address, *options]
        if before:
            words = [*map(str, before), sys.executable, *map(str, command)]
            command = ["-c", f"import os; os.execvp({words[0]!r}, {words!r})"]
        started = processes.Group(
            [*command, *([] if before else ["--local-directory", self.habits])],
            self.habits,
            **environment,
        )
        return self.stack.enter_context(started)

    def wait_for(self, count: int) -> None:
        with Client(self.address, timeout=processes.PATIENCE) as client:
            client.wait_for_workers(count, timeout=processes.PATIENCE)


@pytest.fixture
def place(habits, monkeypatch):
    """Workers of a busy machine have time to say what they are, before good ones make all rows."""
    monkeypatch.setattr(crew, "_ANSWER", processes.PATIENCE)
    with ExitStack() as stack:
        yield Place(stack, habits)


def with_package(folder: Path, code: str) -> str:
    """A search path on which a package ``ase`` comes before the real one."""
    (folder / "ase").mkdir(parents=True)
    (folder / "ase/__init__.py").write_text(code)
    return os.pathsep.join([str(folder), str(processes.HERE), *sys.path])


def build_there(place: Place, store: Path, **how):
    said: list[str] = []
    source = fake.source(systems=ONE)
    return build(store, cluster=place.address, source=source, say=said.append, **how), said


def test_a_worker_with_an_old_package_makes_no_row(place, habits, tmp_path, whole, tally):
    """Alone it ends the run; beside a good one it is left out, or ends the run where asked to.

    So is a worker on which the package cannot even be imported.
    """
    (habits / "centre").touch()
    place.worker("old", PYTHONPATH=with_package(tmp_path / "old", OLD_ASE))
    place.worker("broken", PYTHONPATH=with_package(tmp_path / "broken", "import no_such_module"))
    place.wait_for(2)
    tally("a worker with wrong versions", 2)
    store, wrong = tmp_path / "store", f"it has ase 3.22.1, this build {versions()['ase']}"
    with pytest.raises(RunEnded, match=r"no worker is left .* \(and 1 other reasons\)"):
        build_there(place, store)
    place.worker("good")
    place.wait_for(3)
    with pytest.raises(RunEnded, match=f"must not compute rows: ({wrong}|ModuleNotFoundError)"):
        build_there(place, store, unfit_workers="stop")
    assert fake.counts(habits) == {}
    outcome, said = build_there(place, store)
    assert outcome.complete
    assert len(said) == 2
    assert any(line.endswith(f"is left out: {wrong}") for line in said)
    assert any("ModuleNotFoundError: No module named 'no_such_module'" in line for line in said)
    assert contents(store) == whole
    assert verify(store) == []
    assert [maker["versions"]["ase"] for maker in makers(store, {"ar": 8})] == [versions()["ase"]]


@pytest.mark.skipif(
    os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False).returncode != 0,
    reason="only root can give a process another view of the disk",
)
def test_workers_with_another_disk_make_no_row(place, habits, tmp_path, whole, tally):
    """One sees the store read-only, another an empty folder in its place."""
    store, empty = tmp_path / "store", tmp_path / "empty"
    for folder in (store, empty):
        folder.mkdir()
    for name, mount in (
        ("read-only", f"mount --bind {store} {store} && mount -o remount,bind,ro {store}"),
        ("elsewhere", f"mount --bind {empty} {store}"),
    ):
        place.worker(name, "unshare", "-m", "sh", "-c", f'{mount} && exec "$0" "$@"')
    place.worker("good")
    place.wait_for(3)
    tally("a worker with another disk", 2)
    outcome, said = build_there(place, store)
    assert outcome.complete
    assert len(said) == 2
    assert any(f"{store} cannot be written to" in line for line in said), said
    assert any("is not there the folder that this build writes to" in line for line in said), said
    assert contents(store) == whole
    assert list(empty.iterdir()) == []


def test_an_import_that_fails_on_one_worker_fails_no_row(place, habits, tmp_path, whole, tally):
    """Nothing that a worker could be asked beforehand; after three faults it gets no more rows."""
    (habits / "import").touch()
    (tmp_path / "extra").mkdir()
    (tmp_path / "extra/only_there.py").touch()
    place.worker("bad")
    path = os.pathsep.join([str(tmp_path / "extra"), str(processes.HERE), *sys.path])
    place.worker("good", PYTHONPATH=path)
    place.wait_for(2)
    (habits / "slow").write_text("0.1")
    tally("an import that fails on one worker")
    outcome, said = build_there(place, tmp_path / "store")
    assert outcome.complete
    assert outcome.problems == ()
    assert contents(tmp_path / "store") == whole
    faults = sum(fake.counts(habits).values()) - 8
    # A row may be on its way to the worker when its third fault is heard of, or two.
    assert 1 <= faults <= 5
    assert all("3 rows failed there for no reason of their own" in line for line in said)


def test_a_worker_that_comes_late_and_is_wrong_is_left_out(place, habits, tmp_path, whole, tally):
    """It refuses its first row, which is computed elsewhere."""
    (habits / "gate").touch()
    place.worker("good")
    place.wait_for(1)
    store = tmp_path / "store"
    options = ("--system", "ar", "--cluster", place.address)
    with processes.build(store, habits, *options) as command:
        processes.wait_until(lambda: fake.counts(habits), "the first row is computed")
        tally("a worker with wrong versions")
        place.worker("old", PYTHONPATH=with_package(tmp_path / "old", OLD_ASE))
        processes.wait_until(lambda: "is left out" in command.said(), "the other worker refuses")
        (habits / "gate").unlink()
        assert command.finish() == 0, command.said()
        assert command.said().count("is left out: it has ase 3.22.1") == 1
    assert set(fake.counts(habits).values()) == {1}
    assert contents(store) == whole


# --- failed rows ------------------------------------------------------------------------------


def test_failed_rows_are_told_by_reason_limited_and_tried_again(
    habits, tmp_path, capsys, monkeypatch
):
    """Exit status 3 unless as many were expected; too many end the run with one line."""
    monkeypatch.setattr("glassdata.engine.source_of", lambda _: fake.source(systems=ONE))
    monkeypatch.setattr("glassdata.systems.SYSTEMS", ONE)
    store = tmp_path / "store"
    for index in (1, 4, 6):
        (habits / f"fail-{index}").touch()
    command = ["build", str(store), "--workers", "1", "--no-progress"]
    assert run([*command, "--max-failed", "25%"]) == 1
    line = capsys.readouterr().err
    assert line.count("\n") == 1, line
    assert "3 of 8 rows failed, more than --max-failed 25% allows; 3 failed rows, ar 1 4 6" in line
    assert not (store / "manifest.json").exists()
    assert run(command) == 3
    assert "3 failed rows, ar 1 4 6: the relaxation diverged" in capsys.readouterr().err
    assert run([*command, "--max-failed", "3"]) == 0
    assert run([*command, "--max-failed", "2"]) == 1
    capsys.readouterr()
    assert run(["info", str(store)]) == 0
    assert "3 failed rows, ar 1 4 6: the relaxation diverged" in capsys.readouterr().out
    before = fake.counts(habits)
    for index in (1, 4):
        (habits / f"fail-{index}").unlink()
    assert run([*command, "--retry-failed"]) == 3
    after = fake.counts(habits)
    assert {row for row in after if after[row] != before[row]} == {"ar-1", "ar-4", "ar-6"}
    assert verify(store) == []
    with open_dataset(store) as tree:
        assert [*tree["ar/status"].values].count("failed") == 1
    (habits / "fail-6").unlink()
    assert run([*command, "--retry-failed", "--limit", "6"]) == 3, "row 6 was not asked for"
    assert run([*command, "--retry-failed"]) == 0
    shutil.rmtree(store / "quarantine")
    assert contents(store) == contents(fake.sealed_store(tmp_path / "whole", count=8))


@pytest.mark.parametrize("text", ["-1", "100%", "5 %%", "many", "nan%", "1.5"])
def test_no_allowance(tmp_path, text, capsys):
    assert run(["build", str(tmp_path / "store"), "--max-failed", text]) == 2
    assert "is neither a number of rows nor a share like 5%" in capsys.readouterr().err
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("value", [-1, 1.5, float("nan")])
def test_no_limit_of_failed_rows(tmp_path, value):
    with pytest.raises(ValueError, match="max_failed must be a whole number or a share below 1"):
        build(tmp_path / "store", source=fake.source(), max_failed=value)
    assert not (tmp_path / "store").exists()


def test_reasons_that_differ_in_numbers_are_one_kind():
    reasons = {("ar", n): f"a force of {0.1 * n:g} eV/Å after {n} steps" for n in range(1, 12)}
    lines = grouped(reasons | {("sic", 0): "no peak"})
    assert lines == [
        "11 failed rows, ar 1 2 3 4 5 6 7 8 and 3 more: a force of … eV/Å after … steps",
        "failed row sic 0: no peak",
    ]


def test_changed_code_is_refused_and_can_be_accepted(habits, tmp_path, capsys, monkeypatch):
    """Between two runs of one command; nothing is computed before it is settled."""
    store, made_by = tmp_path / "store", {"glassdata.minimise": "one"}

    def source(_):
        return fake.Source(ONE, fake.fake_row, fake.row_id, probe=None, code=lambda: made_by)

    monkeypatch.setattr("glassdata.engine.source_of", source)
    monkeypatch.setattr("glassdata.systems.SYSTEMS", ONE)
    command = ["build", str(store), "--workers", "1", "--no-progress", "--limit"]
    assert run([*command, "2"]) == 0
    made_by["glassdata.minimise"] = "two"
    assert run([*command, "2"]) == 0, "nothing is left to compute"
    assert run([*command, "4"]) == 2
    (line,) = [text for text in capsys.readouterr().err.splitlines() if text]
    assert "rows of ar were made by other code" in line
    assert "glassdata.minimise" in line
    assert sorted(fake.counts(habits)) == ["ar-0", "ar-1"]
    assert run([*command, "4", "--accept-changed-code"]) == 0
    assert len(makers(store, {"ar": 4})) == 2
    assert run(["info", str(store)]) == 0
    assert capsys.readouterr().out.count("2 rows made with ") == 2
