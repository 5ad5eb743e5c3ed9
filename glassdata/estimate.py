"""What a build will cost, before anything is computed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from glassdata.store.rows import present, read_provenance
from glassdata.system import System

#: Atoms per structure where neither finished rows nor the protocol tell: upper ends of the sizes
#: that profiles are meant to have.
_USUAL_ATOMS = {"demo": 130, "reference": 900, "paper": 900}

#: Copies of the dense Hessian that an eigenvalue solver holds at its peak.
_DENSE_COPIES = 4
#: Memory of a worker before it computes anything, bytes.
_IDLE_BYTES = 300e6

#: Rough cost of a row: a constant, and the cubic cost of the eigenvalues. The constants fit one
#: core of a server of the year 2024 within a factor of three.
_SECONDS, _SECONDS_AT_900 = 2.0, 60.0


@dataclass(frozen=True)
class Estimate:
    """Cost of the missing rows of one system; ``basis`` says how ``seconds`` per row is known."""

    system: str
    rows: int
    n_atoms: int
    seconds: float
    basis: str

    @property
    def memory(self) -> float:
        """Peak memory of one task, bytes."""
        return _IDLE_BYTES + _DENSE_COPIES * 8 * (3 * self.n_atoms) ** 2

    @property
    def core_hours(self) -> float:
        """Processor time of all missing rows."""
        return self.rows * self.seconds / 3600


def estimate(
    store: Path, systems: Mapping[str, System], profile: str, counts: Mapping[str, int]
) -> list[Estimate]:
    """Rows that ``store`` lacks and what they cost; the store need not exist."""
    return [_estimate_one(store, systems[name], profile, count) for name, count in counts.items()]


def _estimate_one(store: Path, system: System, profile: str, count: int) -> Estimate:
    rows = len(set(range(count)) - present(store, system.name))
    timed = [facts for facts in read_provenance(store, system.name) if facts.get("n_atoms")]
    if timed:
        atoms = max(facts["n_atoms"] for facts in timed)
        seconds = fmean(facts["seconds"]["total"] for facts in timed)
        return Estimate(system.name, rows, atoms, seconds, f"mean of {len(timed)} finished rows")
    atoms = getattr(system.protocols[profile], "n_atoms", None) or _USUAL_ATOMS.get(profile, 900)
    seconds = _SECONDS + _SECONDS_AT_900 * (atoms / 900) ** 3
    return Estimate(system.name, rows, atoms, seconds, "rough model, no row is finished yet")
