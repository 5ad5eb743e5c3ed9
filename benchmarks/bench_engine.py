"""What Dask and the store add to a row, and how two workers share the work."""

import time

import cheap_glass as cheap
import pytest

from glassdata.engine import build, task_of
from glassdata.engine.clusters import connect
from glassdata.engine.execution import Execution
from glassdata.engine.streaming import stream
from glassdata.engine.watching import collect
from glassdata.store import prepare, science_config
from glassdata.worker import publish

N_TRIVIAL, N_BUSY = 5000, 12
WORKERS = 2


def store_for(folder, source, count):
    """An empty store that expects ``count`` rows, and the task of its workers."""
    prepare(folder, science_config(source.systems, "demo"), {cheap.NAME: count})
    return task_of(folder, "demo", source, Execution()), [
        (cheap.NAME, index) for index in range(count)
    ]


def through(client, function, task, todo):
    """All rows through the scheduler, as a build sends them."""
    receipts, problems = collect(stream(client, function, task, todo), len(todo), False)
    assert not problems
    assert len(receipts) == len(todo)


def warm_up(client, task):
    """Let every worker import what it will need."""
    for worker in client.scheduler_info()["workers"]:
        client.submit(cheap.nothing, task, "", 0, workers=[worker], pure=False).result()


@pytest.fixture(scope="module")
def client():
    with connect(Execution(workers=WORKERS), WORKERS, {cheap.NAME: 0.0}) as connection:
        yield connection.client


def test_publishing_without_dask(full, timed, record, tmp_path):
    count = N_TRIVIAL // 10 if full else 20
    task, todo = store_for(tmp_path / "store", cheap.source(), count)
    seconds, _ = timed(lambda: [publish(task, *row) for row in todo])
    record("engine", "publish", rows=count, workers=0, ms_per_row=1e3 * seconds / count)


def test_trivial_build(full, timed, record, tmp_path):
    # All that `glassdata build` does: start workers, compute, publish files, seal the dataset.
    count, source = N_TRIVIAL if full else 20, cheap.source()
    how = {"workers": WORKERS, "limit": count, "progress": False}
    seconds, outcome = timed(lambda: build(tmp_path / "store", source=source, **how))
    assert outcome.complete
    record("engine", "build", rows=count, workers=WORKERS, ms_per_row=1e3 * seconds / count)


def test_overhead_of_dask(full, timed, record, tmp_path, client):
    count = N_TRIVIAL if full else 20
    task, todo = store_for(tmp_path / "store", cheap.source(), count)
    warm_up(client, task)
    seconds, _ = timed(lambda: through(client, cheap.nothing, task, todo))
    record("engine", "dask", rows=count, workers=WORKERS, ms_per_row=1e3 * seconds / count)


@pytest.mark.parametrize(
    ("key", "row"), [("efficiency", cheap.busy_row), ("efficiency_dense", cheap.dense_row)]
)
def test_parallel_efficiency(key, row, full, timed, record, tmp_path, client):
    source = cheap.source(row if full else cheap.brief_row)
    count = N_BUSY if full else 2
    task, todo = store_for(tmp_path / "alone", source, count)
    start = time.perf_counter()
    for row in todo:
        publish(task, *row)
    alone = time.perf_counter() - start
    task, todo = store_for(tmp_path / "shared", source, count)
    warm_up(client, task)
    seconds, _ = timed(lambda: through(client, publish, task, todo))
    record(
        "engine",
        key,
        rows=count,
        workers=WORKERS,
        seconds_per_row=alone / count,
        alone=alone,
        shared=seconds,
        efficiency=alone / (WORKERS * seconds),
    )
