"""Running an experiment: which results are missing, Dask for those, a manifest at the end."""

import importlib.util
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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
from glassdata.experiments import (
    beyond,
    comparison,
    coverage,
    descriptors,
    driven,
    elsewhere,
    glasses,
    motion,
    observables,
    potentials,
    propensity,
    referee,
    sevennet,
    weights,
    why,
)
from glassdata.models import fingerprint
from glassdata.results import (
    Results,
    is_done,
    open_results,
    parts_of,
    refuse_foreign,
    seal,
    verify,
    write_result,
)
from glassdata.store import Finding, StoreError, open_dataset
from glassdata.store.places import absolute
from glassdata.structures import Dataset, dataset
from glassdata.systems import SYSTEMS, lacks
from glassdata.worker import Receipt

#: Each module has ``result_names(glasses)``, the names of all results, those that take longest
#: first, and ``compute(name, get)``, where ``get(system)`` gives the ``Dataset`` of a glass. One
#: with ``NEEDS``, the name of another, is given the results of that as a third argument.
EXPERIMENTS: dict[str, ModuleType] = {
    "line-vs-cnn": comparison,
    "weights": weights,
    "referee": referee,
    "glasses": glasses,
    "why": why,
    "elsewhere": elsewhere,
    "coverage": coverage,
    "observables": observables,
    "beyond": beyond,
    "descriptors": descriptors,
    "driven": driven,
    "potentials": potentials,
    "sevennet": sevennet,
    "propensity": propensity,
    "motion": motion,
}
#: Those that compute from the atoms, and so leave out a glass whose potential is not complete.
_OF_ATOMS = ("observables", "beyond", "descriptors", "driven")
#: With fewer, each of the five test folds would have less than two families.
FEWEST_FAMILIES = 10
#: Variables that say how structures were prepared, and the types they are compared as.
_LABELS = {"ensemble": "U12", "preparation": "i4"}
_VERSIONS = ("glassdata", "numpy", "scipy", "scikit-learn", "torch")


@dataclass(frozen=True)
class Task:
    """What all results of an experiment share; it is sent to the workers.

    ``needed`` is the sha256 of the results of another experiment that this one reads, if any.
    """

    experiment: str
    store: str | None
    folder: Path
    marks: Mapping[str, str]
    needed: str = ""

    def identity(self, name: str) -> str:
        """What determines a result: the code, and the data of the systems in its name."""
        used = {part: self.marks[part] for part in name.split(".") if part in self.marks}
        # "cell" is the older word for a result; another key would make all results again.
        version = EXPERIMENTS[self.experiment].VERSION
        facts = {"experiment": self.experiment, "version": version, "cell": name, "dataset": used}
        if self.needed:
            facts["needed"] = self.needed
        return digest(facts)


@dataclass(frozen=True)
class Outcome:
    """What a run did: how many results there are, how many it computed, what went wrong.

    ``left_out`` are the results that need PyTorch where it is not installed; ``archive`` is None
    where results are missing; ``damaged`` are the files that were found so, and are made again.
    ``lacking`` is what was not given to this program, by the glass that has no results for want of
    it.

    Examples
    --------
    >>> done = Outcome(results=3, computed=1, problems=(), left_out=(), archive=Path("weights.zip"))
    >>> f"{done.computed} of {done.results} computed now"
    '1 of 3 computed now'
    """

    results: int
    computed: int
    problems: tuple[engine.Loss, ...]
    left_out: tuple[str, ...]
    archive: Path | None
    damaged: tuple[Finding, ...] = ()
    lacking: Mapping[str, str] = field(default_factory=dict)


def run(
    name: str,
    store: str | Path | None,
    folder: Path,
    **how,
) -> Outcome:
    """Compute the missing results of an experiment, then seal them in one archive.

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

    Examples
    --------
    >>> outcome = run("weights", None, Path("results"), workers=2)  # doctest: +SKIP
    >>> outcome.archive  # doctest: +SKIP
    PosixPath('/home/you/results/weights.zip')
    """
    place = None if store is None else str(absolute(store))
    with open_dataset(place) as tree:
        systems = sorted(tree.children)
    every = {system: load(place, system) for system in systems}
    marks = {system: mark(data) for system, data in every.items()}
    folder = Path(folder).absolute()
    task = Task(name, place, folder, marks, _needed(name, folder))
    wanted = EXPERIMENTS[name].result_names(every)
    left_out = [] if importlib.util.find_spec("torch") else [r for r in wanted if _is_network(r)]
    wanted = [result for result in wanted if result not in left_out]
    refuse_foreign(folder, name, wanted)
    damaged = tuple(verify(folder, name))
    todo = [(result, 0) for result in _missing(wanted, task)]
    problems: list[engine.Loss] = []
    if todo:
        (folder / name).mkdir(parents=True, exist_ok=True)
        _, problems = engine.compute(compute_result, task, todo, Execution(**how))
    missing = _missing(wanted, task)
    archive = None
    if not missing and not problems:
        # Glasses that no result names may grow without making these results others.
        used = {system: marks[system] for system in systems if system in parts_of(wanted)}
        facts: dict[str, Any] = {"dataset": used, "left_out": left_out}
        facts |= {
            "seed": EXPERIMENTS[name].SEED,
            "version": EXPERIMENTS[name].VERSION,
            "versions": _versions(),
        }
        archive = seal(folder, name, wanted, facts)
    computed = len(todo) - len(problems)
    return Outcome(
        len(wanted),
        computed,
        tuple(problems),
        tuple(left_out),
        archive,
        damaged,
        _lacking(systems, wanted) if name in _OF_ATOMS else {},
    )


def _lacking(systems: Iterable[str], wanted: Iterable[str]) -> dict[str, str]:
    """What is lacking, by glass, of glasses that occur in the name of no result."""
    named = parts_of(wanted)
    reasons = {s: lacks(SYSTEMS[s]) for s in systems if s in SYSTEMS and s not in named}
    return {system: reason for system, reason in reasons.items() if reason}


def _needed(name: str, folder: Path) -> str:
    """sha256 of the results that an experiment reads, empty if it reads none."""
    other = getattr(EXPERIMENTS[name], "NEEDS", None)
    return read_results(other, folder).sha256 if other else ""


@lru_cache(maxsize=2)
def read_results(name: str, folder: Path) -> Results:
    """Results of another experiment, in the same folder, kept in memory.

    Parameters
    ----------
    name
        Of the experiment.
    folder
        Of the results.

    Raises
    ------
    FileNotFoundError
        If they have not been made there.

    Examples
    --------
    >>> try:
    ...     read_results("observables", Path("nowhere"))
    ... except FileNotFoundError as error:
    ...     print(str(error).split(";")[-1].strip())
    glassdata experiment observables -o nowhere
    """
    try:
        return open_results(name, folder)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"the results of {name} are needed first; glassdata experiment {name} -o {folder}"
        ) from None


def _missing(wanted: list[str], task: Task) -> list[str]:
    """Names of the results that are not there, or were made of other data."""
    where = task.folder, task.experiment
    return [result for result in wanted if not is_done(*where, result, task.identity(result))]


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
    """sha256 of everything that the experiments use of a glass.

    Examples
    --------
    >>> len(mark(dataset("lj2d")))
    64
    """
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
        # Older datasets do not have these.
        *(data[name].astype(text) for name, text in _LABELS.items() if name in data.stored),
    )


def check_origin(results: Results, glasses: Mapping[str, Dataset]) -> None:
    """Make sure that results were computed from these glasses, and from no others.

    Raises
    ------
    ValueError
        If they were not: families would come from one dataset, errors from another.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> argon = dataset("lj2d")
    >>> check_origin(SimpleNamespace(origin={"lj2d": mark(argon)}), {"lj2d": argon})
    """
    if {name: mark(one) for name, one in glasses.items()} != results.origin:
        raise ValueError(
            f"the results of {results.manifest['experiment']} belong to another dataset; "
            "make them again: make results"
        )


def compute_result(task: Task, name: str, number: int) -> Receipt:
    """Compute one result and write it; what a worker does.

    Parameters
    ----------
    task
        Experiment, store and folder of the results.
    name
        Name of the result.
    number
        Number of the result, handed back in the receipt.
    """
    start = perf_counter()
    with threadpool_limits(1):
        module, get = EXPERIMENTS[task.experiment], partial(load, task.store)
        known = (read_results(module.NEEDS, task.folder),) if task.needed else ()
        content = module.compute(name, get, *known)
    write_result(task.folder, task.experiment, name, task.identity(name), content)
    return Receipt(name, number, "new", stages={"total": perf_counter() - start})


def _is_network(name: str) -> bool:
    return any(part in comparison.NETWORKS for part in name.split("."))


def _versions() -> dict[str, str]:
    found = {}
    for package in _VERSIONS:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "none"
    return found
