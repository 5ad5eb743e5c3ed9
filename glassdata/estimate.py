"""What a build will cost, before anything is computed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from glassdata.eigen import peak_bytes
from glassdata.store.rows import present, read_provenance
from glassdata.system import System

#: Memory of a worker before it computes anything, bytes.
_IDLE_BYTES = 300e6

#: Rough cost of a row: relaxation in proportion to the atoms, eigenvalues to their cube. Both in
#: seconds at 900 atoms on one core of a server of the year 2024, within a factor of three.
_RELAXATION, _EIGENVALUES = 3.0, 1.0


@dataclass(frozen=True)
class Estimate:
    """Cost of the missing rows of one system; ``basis`` says where ``seconds`` per row is from."""

    system: str
    rows: int
    n_atoms: int
    seconds: float
    basis: str

    @property
    def memory(self) -> float:
        """Peak memory of one task, bytes."""
        return _peak(self.n_atoms)

    @property
    def core_hours(self) -> float:
        """Processor time of all missing rows."""
        return self.rows * self.seconds / 3600


def estimate(
    store: Path, systems: Mapping[str, System], profile: str, counts: Mapping[str, int]
) -> list[Estimate]:
    """Rows that ``store`` lacks and what they cost; the store need not exist.

    Parameters
    ----------
    store : Path
        Folder of the store, or its place on an object store.
    systems : Mapping[str, System]
        The glasses by name.
    profile : str
        Name of the profile, which sets the sizes and how structures are made.
    counts : Mapping[str, int]
        Number of structures wanted, per glass.

    Examples
    --------
    >>> from glassdata.systems import SYSTEMS
    >>> (cost,) = estimate(Path("new.store"), SYSTEMS, "demo", {"lj2d": 8})
    >>> cost.rows, cost.n_atoms, cost.basis
    (8, 80, 'rough model, no row is finished yet')
    """
    return [_estimate_one(store, systems[name], profile, count) for name, count in counts.items()]


def peak_memory(system: System, profile: str) -> float:
    """Memory that a worker needs for the largest structure of a profile, bytes."""
    return _peak(system.protocols[profile].largest(system))


def _peak(n_atoms: int) -> float:
    return _IDLE_BYTES + peak_bytes(3 * n_atoms)


def _estimate_one(store: Path, system: System, profile: str, count: int) -> Estimate:
    rows = len(set(range(count)) - present(store, system.name))
    timed = [facts for facts in read_provenance(store, system.name) if facts.get("n_atoms")]
    if timed:
        atoms = max(facts["n_atoms"] for facts in timed)
        seconds = fmean(facts["seconds"]["total"] for facts in timed)
        return Estimate(system.name, rows, atoms, seconds, f"mean of {len(timed)} finished rows")
    atoms = system.protocols[profile].largest(system)
    seconds = _RELAXATION * (atoms / 900) + _EIGENVALUES * (atoms / 900) ** 3
    return Estimate(system.name, rows, atoms, seconds, "rough model, no row is finished yet")
