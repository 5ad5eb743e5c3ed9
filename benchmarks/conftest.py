"""One run of the benchmarks fills one file of results; another holds those of large observables.

In the test suite every benchmark runs once, tiny and untimed, so that none can rot; nothing is
written then, unless ``--bench-results`` names a folder.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import report
from threadpoolctl import threadpool_limits

from glassdata.eigen import SOLVERS, SolverMissing

HERE = Path(__file__).parent
#: Records by the files of benchmarks that fill them; all others fill the last.
RECORDS = {"observables.json": {"bench_observables.py"}}
REST = "results.json"
_SECTIONS = pytest.StashKey[dict[str, dict]]()
_INCOMPLETE = pytest.StashKey[set[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bench-results", type=Path, help="folder for the results")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_SECTIONS] = {}
    config.stash[_INCOMPLETE] = set()
    config.addinivalue_line("markers", "large: measured by make bench, too long for the tests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    marks = set() if config.getoption("benchmark_enable") else {"large"}
    left_out = [item for item in items if _carries(item, marks)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def _carries(item: pytest.Item, marks: set[str]) -> bool:
    return any(item.get_closest_marker(mark) for mark in marks)


def pytest_deselected(items: list[pytest.Item]) -> None:
    for item in items:
        if not _carries(item, {"large"}):
            item.config.stash[_INCOMPLETE].add(record_of(item.path))


def record_of(path: Path) -> str:
    """Name of the record that a file of benchmarks fills."""
    return next((name for name, files in RECORDS.items() if path.name in files), REST)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    config = session.config
    folder = config.getoption("bench_results")
    if folder is None and config.getoption("benchmark_enable"):
        folder = HERE
    if folder is None or exitstatus != pytest.ExitCode.OK:
        return
    # Half a run beside half of an older one would compare what was not measured together.
    ran = {item.path for item in session.items}
    for name in (*RECORDS, REST):
        files = {path for path in HERE.glob("bench_*.py") if record_of(path) == name}
        if files <= ran and name not in config.stash[_INCOMPLETE]:
            report.write(folder / name, config.stash[_SECTIONS][name])


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """However the run was started: ours and the peers' LAPACK alike."""
    with suppress(SolverMissing):  # a library that is loaded later would not heed the limit
        SOLVERS["mkl"](np.eye(2))
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def full(request: pytest.FixtureRequest) -> bool:
    """Whether to measure at full size."""
    return request.config.getoption("benchmark_enable")


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Enter numbers under a section and a key: ``record("memory", "amc", mib=…)``."""
    sections = request.config.stash[_SECTIONS].setdefault(record_of(request.path), {})

    def enter(section: str, key: str, **numbers: Any) -> None:
        sections.setdefault(section, {}).setdefault(key, {}).update(numbers)

    return enter


@pytest.fixture
def timed(benchmark, full: bool) -> Callable[..., tuple[float, Any]]:
    """Median seconds of a function over ``rounds``, and what it returned last.

    The first call, which loads compiled code, is not counted unless ``warm`` is 0.
    """

    def measure(function: Callable[[], Any], rounds: int = 1, warm: int = 0) -> tuple[float, Any]:
        seconds = []

        def once() -> Any:
            start = time.perf_counter()
            result = function()
            seconds.append(time.perf_counter() - start)
            return result

        result = benchmark.pedantic(
            once, rounds=rounds if full else 1, warmup_rounds=warm if full else 0
        )
        return statistics.median(seconds[warm if full else 0 :]), result

    return measure
