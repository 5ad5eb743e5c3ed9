"""Running an experiment: which cells are missing, Dask for those, a manifest at the end."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from types import ModuleType

from threadpoolctl import threadpool_limits

from glassdata import engine
from glassdata.config import digest
from glassdata.engine.execution import Execution
from glassdata.experiments import comparison, referee, weights
from glassdata.experiments.samples import load, systems_of
from glassdata.results import is_done, seal, write_cell
from glassdata.store.places import absolute
from glassdata.worker import Receipt

#: Raised whenever the same cell would come out differently.
VERSION = 1
#: Each module has ``cells(samples)``, the names of all cells, those that take longest first, and
#: ``compute(cell, get)``, where ``get(system)`` gives the samples.
EXPERIMENTS: dict[str, ModuleType] = {
    "line-vs-cnn": comparison,
    "weights": weights,
    "referee": referee,
}
_VERSIONS = ("glassdata", "numpy", "scipy", "scikit-learn", "torch")


@dataclass(frozen=True)
class Task:
    """What all cells of an experiment share; travels to the workers."""

    experiment: str
    store: str | None
    folder: Path
    marks: Mapping[str, str]

    def identity(self, cell: str) -> str:
        """What determines a cell: the code, and the data of the systems in its name."""
        used = {part: self.marks[part] for part in cell.split(".") if part in self.marks}
        facts = {"experiment": self.experiment, "version": VERSION, "cell": cell, "dataset": used}
        return digest(facts)


@dataclass(frozen=True)
class Outcome:
    """Result of a run: how many cells there are, how many were computed now, what went wrong.

    ``left_out`` are the cells that need PyTorch where there is none; ``archive`` is None where
    cells are missing.
    """

    cells: int
    computed: int
    problems: tuple[str, ...]
    left_out: tuple[str, ...]
    archive: Path | None


def run(
    name: str,
    store: str | Path | None,
    folder: Path,
    **how,
) -> Outcome:
    """Compute the missing cells of an experiment, then seal its results.

    Parameters
    ----------
    name
        One of ``EXPERIMENTS``.
    store
        Dataset, as ``glassdata.open_dataset`` takes it.
    folder
        Results folder; created if need be.
    how
        Where and how to compute: the fields of ``glassdata.engine.execution.Execution``.
    """
    place = None if store is None else str(absolute(store))
    samples = {system: load(place, system) for system in systems_of(place)}
    marks = {system: one.fingerprint for system, one in samples.items()}
    folder = Path(folder).absolute()
    task = Task(name, place, folder, marks)
    cells = EXPERIMENTS[name].cells(samples)
    left_out = [] if importlib.util.find_spec("torch") else [c for c in cells if _is_network(c)]
    cells = [cell for cell in cells if cell not in left_out]
    todo = [(cell, 0) for cell in cells if not is_done(folder, name, cell, task.identity(cell))]
    problems: list[engine.Loss] = []
    if todo:
        (folder / name).mkdir(parents=True, exist_ok=True)
        _, problems = engine.compute(compute_cell, task, todo, Execution(**how))
    missing = [cell for cell in cells if not is_done(folder, name, cell, task.identity(cell))]
    archive = None
    if not missing and not problems:
        facts = {"dataset": marks, "left_out": left_out}
        facts |= {"seed": EXPERIMENTS[name].SEED, "version": VERSION, "versions": _versions()}
        archive = seal(folder, name, cells, facts)
    return Outcome(len(cells), len(todo) - len(problems), tuple(problems), tuple(left_out), archive)


def compute_cell(task: Task, cell: str, number: int) -> Receipt:
    """Compute one cell and write it; what a worker does."""
    start = perf_counter()
    with threadpool_limits(1):
        content = EXPERIMENTS[task.experiment].compute(cell, partial(load, task.store))
    write_cell(task.folder, task.experiment, cell, task.identity(cell), content)
    return Receipt(cell, number, "new", stages={"total": perf_counter() - start})


def _is_network(cell: str) -> bool:
    return cell.split(".")[1] in comparison.NETWORKS


def _versions() -> dict[str, str]:
    found = {}
    for package in _VERSIONS:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "none"
    return found
