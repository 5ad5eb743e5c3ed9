"""What the tests of faults share: one seed, the size of the run, and a count of the damage done."""

import multiprocessing
import os
import random
import secrets
import shutil
import signal
import tempfile
from collections import Counter
from pathlib import Path

import dask
import pytest
from distributed.utils import get_mp_context

from glassdata.learned import NEP89
from glassdata.systems import SYSTEMS, lacks

# A shell that runs the tests in the background lets them ignore Ctrl-C, and with them every command
# that they start; with a handler of our own here, commands begin with the system's.
signal.signal(signal.SIGINT, signal.default_int_handler)


# Files of potentials lie in the home folder. The tests have one of their own, with the published
# files that lie beside the repository; workers inherit it.
os.environ.setdefault("MPLCONFIGDIR", str(Path.home() / ".config" / "matplotlib"))
os.environ["HOME"] = tempfile.mkdtemp(prefix="glassdata-home-")
for _file in (SYSTEMS["cualzr_sheng"].potential, NEP89):
    _beside = Path(__file__).parents[2] / "shared" / "data" / _file.file
    if _beside.is_file():
        _file.path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_beside, _file.path)


# Workers that a build starts from this process are forks of one that has imported everything, which
# saves two seconds each; commands start theirs as users do. Such a fork has an old environment, so
# what tests set later is handed over by name.
dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
dask.config.set({"distributed.nanny.environ.GLASSDATA_FAKE": ""})
get_mp_context()  # names what Dask would import beforehand, which is less
multiprocessing.get_context("forkserver").set_forkserver_preload(
    ["glassdata.engine", "xarray", "hypothesis.stateful", "pytest"]
)


#: Files that take longest. They begin first, so that none is left alone at the end where files run
#: side by side.
LONGEST = tuple(f"test_{name}.py" for name in ("slurm", "engine", "kills", "faults", "silence"))


def pytest_collection_modifyitems(items):
    """Order of the files; tests over all glasses skip those whose potential file is missing."""
    items.sort(key=lambda item: item.path.name not in LONGEST)
    for item in items:
        names = getattr(item, "callspec", None) and item.callspec.params.values()
        for name in names or ():
            if isinstance(name, str) and name in SYSTEMS and (what := lacks(SYSTEMS[name])):
                item.add_marker(pytest.mark.skip(reason=f"{name} lacks {what}"))


def pytest_unconfigure():
    shutil.rmtree(os.environ["HOME"], ignore_errors=True)


class Tally:
    """Faults of every kind: how often tried, and how often something was lost, wrong or silent.

    ``tally("a stopped worker")`` counts one fault, just before it is done. A test that fails
    afterwards is charged to the kind that it tried last; a test that asserts nothing after a fault
    hence says nothing of it.
    """

    def __init__(self) -> None:
        self.tried: Counter[str] = Counter()
        self.repeated: Counter[str] = Counter()
        self.bad: Counter[str] = Counter()
        self.last: str | None = None

    def __call__(self, kind: str, times: int = 1, *, repeated: int = 0) -> None:
        """Count faults, and the computations of rows that they made necessary again."""
        self.tried[kind] += times
        self.repeated[kind] += repeated
        self.last = kind

    def charge(self, test: str) -> None:
        """Note the failure of a test."""
        self.bad[self.last or test] += 1

    def lines(self) -> list[str]:
        """The table that ``make chaos`` prints."""
        rows = [
            (kind, self.tried[kind], self.repeated[kind], self.bad[kind])
            for kind in sorted(self.tried.keys() | self.bad.keys())
        ]
        rows.append(("in all", self.tried.total(), self.repeated.total(), self.bad.total()))
        width = max(len(row[0]) for row in rows)
        head = f"  {'kind of fault':{width}}  tried  rows again  lost, wrong or unexplained"
        return [head, *(f"  {k:{width}}  {n:5}  {again:10}  {bad:26}" for k, n, again, bad in rows)]


class Chaos:
    """The seed of all random faults, the size of the run, and the tally."""

    def __init__(self) -> None:
        self.full = os.environ.get("CHAOS") == "full"
        self.seed = int(os.environ.get("CHAOS_SEED") or secrets.randbits(32))
        self.tally = Tally()

    def rng(self, purpose: str) -> random.Random:
        """Random numbers of one test, whichever tests ran before."""
        return random.Random(f"{self.seed} {purpose}")


_CHAOS = pytest.StashKey[Chaos]()


def pytest_configure(config):
    config.stash[_CHAOS] = Chaos()


def pytest_report_header(config):
    chaos = config.stash[_CHAOS]
    return f"CHAOS_SEED={chaos.seed}" if chaos.full else None


def pytest_terminal_summary(terminalreporter, config):
    chaos = config.stash[_CHAOS]
    if chaos.full:
        terminalreporter.section("faults")
        for line in (f"CHAOS_SEED={chaos.seed}", *chaos.tally.lines()):
            terminalreporter.write_line(line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    tally = item.config.stash[_CHAOS].tally
    if report.failed and "chaos" in item.fixturenames:
        tally.charge(item.name)
    if report.when == "teardown":
        tally.last = None
    return report


@pytest.fixture(scope="session")
def chaos(request):
    """The short version of the run by default, the long one with ``CHAOS=full``."""
    return request.config.stash[_CHAOS]


@pytest.fixture
def tally(chaos):
    """Counts the faults that a test does: see ``Tally``."""
    return chaos.tally


@pytest.fixture(autouse=True)
def _seed(request):
    """The seed stands in the report of a test that failed."""
    if "chaos" in request.fixturenames:
        print(f"CHAOS_SEED={request.getfixturevalue('chaos').seed}")  # noqa: T201


@pytest.fixture
def cli(capsys):
    """Run a command in this process; returns status, stdout, stderr."""

    from glassdata.cli import run

    def call(*arguments):
        status = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call
