"""What one scheduler, one folder and one seal cost per row, for the page on scale.

    python benchmarks/scale.py            # a minute; writes benchmarks/scale.json

Workers are simulated: many in one process, with rows that cost nothing. What is measured is the
process of the build, which holds the driver and the scheduler, in seconds of its processor.
"""

import asyncio
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

import cheap_glass as cheap
import dask
import numpy as np
import report
from dask.distributed import Client, LocalCluster, Worker

from glassdata.engine import task_of
from glassdata.engine.clusters import SCHEDULER
from glassdata.engine.execution import Execution
from glassdata.engine.streaming import stream
from glassdata.store import prepare, science_config, seal
from glassdata.store.rows import present, provenance_path, row_path
from glassdata.worker import Receipt, Task, publish

HERE = Path(__file__).parent
N_ATOMS = 900


def pretend(task: Task, name: str, index: int) -> Receipt:
    """A row of which the engine believes that it took long, so that it travels alone."""
    return Receipt(name, index, "new", stages={"total": 60.0})


def large_row(name: str, profile: str, index: int, timings: dict | None = None) -> dict:
    """A row of the size of the paper's structures, of random numbers: nothing to compress."""
    rng = np.random.default_rng(index)
    modes = 3 * N_ATOMS - 3
    return cheap.trivial_row(name, profile, index) | {
        "n_atoms": N_ATOMS,
        "n_modes": modes,
        "g": rng.random(cheap.SYSTEM.n_r),
        "pdos": rng.random(cheap.SYSTEM.n_omega),
        "frequency": np.sort(rng.integers(2**13, size=modes)) / 2**13,
        "position": rng.integers(2**20, size=(N_ATOMS, 3)) / 2**20,
        "number": np.full(N_ATOMS, 18),
    }


async def simulate(address: str, count: int) -> None:
    """Run ``count`` workers of one thread in this process until its input ends."""
    # What workers do for themselves: as many in one process would do little else.
    dask.config.set(
        {
            "distributed.worker.profile.enabled": False,
            "distributed.admin.system-monitor.interval": "1 minute",
        }
    )
    workers = [
        Worker(address, nthreads=1, memory_limit=0, dashboard_address=":0") for _ in range(count)
    ]
    await asyncio.gather(*workers)
    await asyncio.to_thread(sys.stdin.read)
    await asyncio.gather(*(worker.close(nanny=False) for worker in workers))


def scheduler(count: int, n_rows: int, idle: float) -> dict[str, float]:
    """Processor seconds per row, and share of a processor at rest, with ``count`` workers."""
    with (
        dask.config.set(SCHEDULER),
        LocalCluster(
            n_workers=0, dashboard_address="127.0.0.1:0", silence_logs="CRITICAL"
        ) as cluster,
        Client(cluster) as client,
    ):
        command = [sys.executable, __file__, cluster.scheduler_address, str(count)]
        workers = Popen(command, stdin=PIPE, stderr=DEVNULL)
        try:
            client.wait_for_workers(count, timeout=120)
            begin = time.process_time()
            time.sleep(idle)
            resting = (time.process_time() - begin) / idle
            task = task_of(Path("/nowhere"), "demo", cheap.source(), Execution())
            todo = [(cheap.NAME, index) for index in range(n_rows)]
            begin = time.process_time()
            done = list(stream(client, pretend, task, todo))
            busy = time.process_time() - begin
        finally:
            workers.stdin.close()
            workers.wait()
    assert {receipt.index for receipt in done} == set(range(n_rows))
    return {"workers": count, "seconds_per_row": busy / n_rows, "idle": resting}


def folder(n_rows: int) -> dict[str, float]:
    """Bytes of a row in the store and in the sealed dataset, and seconds to list and to seal it."""
    source = replace(cheap.source(), compute=large_row)
    with tempfile.TemporaryDirectory() as place:
        store = Path(place) / "store"
        goal = prepare(store, science_config(source.systems, "demo"), {cheap.NAME: n_rows})
        task = task_of(store, "demo", source, Execution())
        for index in range(n_rows):
            publish(task, cheap.NAME, index)
        begin = time.process_time()
        assert len(present(store, cheap.NAME)) == n_rows
        listed = time.process_time() - begin
        begin = time.process_time()
        seal(store, source.systems, goal, identify=source.identify)
        sealed = time.process_time() - begin
        dataset = [p.stat().st_size for p in (store / "dataset.zarr").rglob("*") if p.is_file()]
        return {
            "n_atoms": N_ATOMS,
            "row_bytes": row_path(store, cheap.NAME, 0).stat().st_size,
            "side_bytes": provenance_path(store, cheap.NAME, 0).stat().st_size,
            "dataset_bytes": sum(dataset) / n_rows,
            "files_per_row": 2,
            "list_seconds": listed / n_rows,
            "seal_seconds": sealed / n_rows,
        }


def measure(counts=(2, 20, 100), n_rows=2000, idle=5.0, n_large=1000) -> dict:
    """All measurements, with what they were made on."""
    return {
        "scheduler": [scheduler(count, n_rows, idle) for count in counts],
        "store": folder(n_large),
        "machine": report.machine(),
        "versions": report.versions(),
    }


if __name__ == "__main__":
    if len(sys.argv) == 3:
        asyncio.run(simulate(sys.argv[1], int(sys.argv[2])))
    else:
        text = json.dumps(measure(), indent=1, sort_keys=True)
        (HERE / "scale.json").write_text(text + "\n")
