"""Where rows come from, and what a worker must be to make them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from glassdata.engine.execution import Execution
from glassdata.fitness import Probe, Standard, probe, standard
from glassdata.origin import code, code_digest
from glassdata.row import compute_row, row_id
from glassdata.store.places import absolute
from glassdata.store.rows import dimension_sizes
from glassdata.store.structures import stored_description, stored_structure
from glassdata.system import System
from glassdata.systems import SYSTEMS
from glassdata.worker import Compute, Task


@dataclass(frozen=True)
class Source:
    """Where rows come from: systems by name, the row function, and the identity of a row.

    ``compute`` takes ``(system, profile, index, timings)``, ``identify`` the first three of them.
    Workers must be able to import both. ``structures`` is the store whose structures ``compute``
    describes again, None where it makes them. ``probe`` is what a worker computes before its first
    row, to be compared, None for nothing; ``code`` gives a hash of each module that makes the rows.

    Examples
    --------
    >>> Source().systems is SYSTEMS, Source().structures
    (True, None)
    """

    systems: Mapping[str, System] = field(default_factory=lambda: SYSTEMS)
    compute: Compute = field(default_factory=lambda: compute_row)
    identify: Callable[[str, str, int], str] = field(default_factory=lambda: row_id)
    structures: Path | None = None
    probe: Probe | None = field(default_factory=lambda: probe)
    code: Callable[[], Mapping[str, str]] = field(default_factory=lambda: code)

    def standard(self, store: Path | None) -> Standard:
        """What a worker must be to make rows, and to write them into ``store`` if there is one."""
        return standard(store, self.probe, self.code())


def source_of(structures: Path | None = None) -> Source:
    """The glasses of this package.

    Parameters
    ----------
    structures
        A store or packed dataset whose structures are described again instead of made again.
        Workers must see it, too.
    """
    if structures is None:
        return Source()
    where = absolute(structures)
    return Source(compute=partial(_describe_again, where), structures=where)


def _describe_again(where: Path, name: str, profile: str, index: int, timings: dict) -> dict:
    make, known = partial(stored_structure, where), partial(stored_description, where)
    return compute_row(name, profile, index, timings, make=make, known=known)


def task_of(folder: Path, profile: str, source: Source, execution: Execution) -> Task:
    """What all workers of a build must know.

    Parameters
    ----------
    folder : Path
        Folder of the store.
    profile : str
        Name of the profile, which sets the sizes and how structures are made.
    source : Source
        Where the rows come from.
    execution : Execution
        How to compute them.
    """
    made_by = source.code()
    return Task(
        folder,
        profile,
        {name: dimension_sizes(system) for name, system in source.systems.items()},
        source.compute,
        source.identify,
        execution.row_timeout,
        code=code_digest(made_by) if made_by else "",
    )
