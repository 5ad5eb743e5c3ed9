"""Running an experiment: which cells are missing, Dask for those, a manifest at the end."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from glassdata import engine
from glassdata.config import digest
from glassdata.engine.execution import Execution
from glassdata.experiments import comparison, referee, weights
from glassdata.models import fingerprint
from glassdata.results import is_done, seal, verify, write_cell
from glassdata.store import Finding, StoreError, open_dataset
from glassdata.store.places import absolute
from glassdata.structures import Dataset, dataset
from glassdata.worker import Receipt

#: Raised whenever the same cell would come out differently.
VERSION = 1
#: Each module has ``cells(glasses)``, the names of all cells, those that take longest first, and
#: ``compute(cell, get)``, where ``get(system)`` gives the ``Dataset`` of a glass.
EXPERIMENTS: dict[str, ModuleType] = {
    "line-vs-cnn": comparison,
    "weights": weights,
    "referee": referee,
}
#: With fewer, a test fold of five would not even hold two families.
FEWEST_FAMILIES = 10
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
    cells are missing; ``damaged`` the files that were found damaged before, and were made again.
    """

    cells: int
    computed: int
    problems: tuple[engine.Loss, ...]
    left_out: tuple[str, ...]
    archive: Path | None
    damaged: tuple[Finding, ...] = ()


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
    with open_dataset(place) as tree:
        systems = sorted(tree.children)
    glasses = {system: load(place, system) for system in systems}
    marks = {system: mark(data) for system, data in glasses.items()}
    folder = Path(folder).absolute()
    task = Task(name, place, folder, marks)
    cells = EXPERIMENTS[name].cells(glasses)
    left_out = [] if importlib.util.find_spec("torch") else [c for c in cells if _is_network(c)]
    cells = [cell for cell in cells if cell not in left_out]
    damaged = tuple(verify(folder, name))
    todo = [(cell, 0) for cell in cells if not is_done(folder, name, cell, task.identity(cell))]
    problems: list[engine.Loss] = []
    if todo:
        (folder / name).mkdir(parents=True, exist_ok=True)
        _, problems = engine.compute(compute_cell, task, todo, Execution(**how))
    missing = [cell for cell in cells if not is_done(folder, name, cell, task.identity(cell))]
    archive = None
    if not missing and not problems:
        facts: dict[str, Any] = {"dataset": marks, "left_out": left_out}
        facts |= {"seed": EXPERIMENTS[name].SEED, "version": VERSION, "versions": _versions()}
        archive = seal(folder, name, cells, facts)
    computed = len(todo) - len(problems)
    return Outcome(len(cells), computed, tuple(problems), tuple(left_out), archive, damaged)


@lru_cache(maxsize=16)
def load(store: str | None, name: str) -> Dataset:
    """The finished structures of a glass, kept in memory; ``store`` as in ``open_dataset``.

    Raises
    ------
    StoreError
        If there are too few families for a fair experiment.
    """
    data = dataset(name, store)
    families = len(np.unique(data.groups))
    if families < FEWEST_FAMILIES:
        raise StoreError(
            f"{name} has {families} families of finished structures, need {FEWEST_FAMILIES}"
        )
    return data


def mark(data: Dataset) -> str:
    """sha256 of everything that the experiments use of a glass."""
    return fingerprint(
        data.r,
        data.omega,
        data.X,
        data.shares,
        data.groups,
        data.classes.astype("U12"),
        data.replicate,
        data.density,
        data.n_atoms,
        data.peak_width,
    )


def compute_cell(task: Task, cell: str, number: int) -> Receipt:
    """Compute one cell and write it; what a worker does.

    Parameters
    ----------
    task
        Experiment, store and folder of the results.
    cell
        Name of the cell.
    number
        Number of the cell, handed back in the receipt.
    """
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
