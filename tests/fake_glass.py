"""A glass that costs nothing: the real engine and store on rows made of random numbers.

A module of its own, because workers import the row function by name. Files in the folder
``GLASSDATA_FAKE`` make rows misbehave, and count how often each was computed.
"""

import ctypes
import os
import signal
import time
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from crash import die_at
from poor_disk import lack
from threadpoolctl import threadpool_info

from glassdata.config import digest
from glassdata.engine import Source
from glassdata.row import RowError
from glassdata.store import prepare, science_config, seal
from glassdata.store.rows import dimension_sizes
from glassdata.store.settings import missing_rows
from glassdata.system import System
from glassdata.worker import KEPT_MEMORY, Task, publish

N_R, N_OMEGA = 100, 100

if os.environ.get("GLASSDATA_LACKS"):
    lack(os.environ["GLASSDATA_LACKS"].split(";"))


class FakePotential:
    dim = 3

    def parameters(self) -> dict:
        return {"form": "none"}


class FakeProtocol:
    """Only what the engine asks of a protocol."""

    def __init__(self, n_structures: int) -> None:
        self.n_structures = n_structures

    def largest(self, system: System) -> int:
        return 6


class FakeSystem(System):
    """A System whose science is plain data and can be changed by a test."""

    is_network = False

    def science(self, profile: str) -> dict:
        return {"system": self.name, "profile": profile}


def crystal() -> Atoms:
    return bulk("Ar", "fcc", a=5.3)


def fake_system(name: str, r_max: float = 10.0, species: tuple[str, ...] = ("Ar",)) -> System:
    return FakeSystem(
        name=name,
        title=f"Fake glass {name}",
        summary="random numbers",
        reference="none",
        species=species,
        potential=FakePotential(),
        protocols={"demo": FakeProtocol(8), "reference": FakeProtocol(40)},
        crystal=crystal,
        dim=3,
        r_max=r_max,
        omega_max=3.0,
        bond_length=3.8,
        class_variable="excess_energy",
        class_edges=(0.01, 0.02, 0.03),
        n_r=N_R,
        n_omega=N_OMEGA,
    )


SYSTEMS = {"ar": fake_system("ar"), "sic": fake_system("sic", species=("C", "Si"))}


def row_id(system: str, profile: str, index: int) -> str:
    return digest({"system": system, "profile": profile, "index": index})


def plain_row(system: str, profile: str, index: int, timings: dict | None = None) -> dict:
    """A pure function of its arguments."""
    n_atoms = 4 + index % 3
    rng = np.random.default_rng([index, len(system)])
    row = {
        "n_atoms": n_atoms,
        "n_modes": 3 * n_atoms - 3,
        "g": rng.random(N_R),
        "pdos": rng.random(N_OMEGA),
        "frequency": np.sort(rng.integers(256, size=3 * n_atoms - 3)) / 256,
        "position": rng.integers(256, size=(n_atoms, 3)) / 256,
        "number": np.full(n_atoms, 18),
        "cell": np.eye(3) * 10,
        "parent": index // 2,
        "disorder_class": "amorphous",
        "energy": -1.0,
        "density": 0.02,
        "max_force": 0.0,
        "overflow": 0.0,
        "n_imaginary": 0,
    }
    if system == "sic":
        row["partial_g"] = rng.random((3, N_R))
    return row


def fake_row(system: str, profile: str, index: int, timings: dict | None = None) -> dict:
    """``plain_row``, with the misbehaviour that a test asked for and a count of invocations."""
    folder = os.environ.get("GLASSDATA_FAKE")
    if folder:
        where = Path(folder)
        with open(where / f"computed-{system}-{index}", "ab") as stream:
            stream.write(b".")
        _misbehave(where, index)
        if (where / f"nan-{index}").exists():
            return plain_row(system, profile, index) | {"g": np.full(N_R, np.nan)}
    return plain_row(system, profile, index)


def _misbehave(where: Path, index: int) -> None:
    while (where / "gate").exists():
        time.sleep(0.02)
    if (where / "slow").exists():
        # Who is killed meanwhile leaves the mark behind, under a number that nobody has any more.
        busy = where / f"busy-{os.getpid()}"
        busy.touch()
        time.sleep(float((where / "slow").read_text()))
        busy.unlink()
    if (where / "centre").exists():
        crystal().get_center_of_mass()
    if (where / "import").exists():
        import only_there  # noqa: F401
    if (where / f"bug-{index}").exists():
        raise AttributeError("a module has no such function")
    if (where / f"fail-{index}").exists():
        raise RowError("the relaxation diverged")
    if (where / f"crash-{index}").exists():
        os._exit(1)  # as abruptly as a crash in compiled code
    if (where / f"die-{index}").exists():
        step, store = (where / f"die-{index}").read_text().split(maxsplit=1)
        (where / f"die-{index}").unlink()
        die_at(Path(store), int(step))
    if (where / f"clock-{index}").exists():
        _set_clock_back(where / f"clock-{index}", where / "clock")
    if (where / f"stop-{index}").exists():
        (where / f"stop-{index}").unlink()
        os.kill(os.getpid(), signal.SIGSTOP)  # goes on only if somebody lets it
    if (where / f"segfault-{index}").exists():
        ctypes.string_at(0)
    if (where / f"hang-{index}").exists():
        time.sleep(3600)
    if (where / f"greedy-{index}").exists():
        _ = [_touched_memory() for _ in range(50)]
    if (where / f"lock-{index}").exists():
        ctypes.PyDLL(None).sleep(3600)  # holds the interpreter, as our compiled kernels do
    if (where / f"threads-{index}").exists():
        report_threads(where)
    if (where / f"flaky-{index}").exists():
        (where / f"flaky-{index}").unlink()
        raise OSError("the disk was busy")
    if (where / f"disk-{index}").exists():
        raise OSError("the disk is broken")


def _set_clock_back(new: Path, clock: Path) -> None:
    """Wait until this process sees it; without sleeping, which needs a clock that goes on."""
    before = time.time()
    os.replace(new, clock)
    while time.time() >= before:
        pass


def _touched_memory() -> np.ndarray:
    """40 MB that are really used; slowly, so that the watching process can notice."""
    time.sleep(0.05)
    return np.ones(5_000_000)


def report_threads(where: Path) -> None:
    """Write down how many threads linear algebra may use here, and what memory stays."""
    np.linalg.eigh(np.eye(4))
    numbers = {library["num_threads"] for library in threadpool_info()}
    (where / "threads").write_text(f"{sorted(numbers)} {os.environ['OMP_NUM_THREADS']}")
    kept = [os.environ.get(name, "") for name in KEPT_MEMORY]
    (where / "memory").write_text(" ".join(kept))


def nan_row(system: str, profile: str, index: int, timings: dict | None = None) -> dict:
    row = plain_row(system, profile, index)
    return row | {"g": np.full(N_R, np.nan)} if index == 1 else row


def other_row(system: str, profile: str, index: int, timings: dict | None = None) -> dict:
    """Rows that differ from those of ``plain_row`` by far."""
    return plain_row(system, profile, index) | {"energy": -2.0}


def near_row(system: str, profile: str, index: int, timings: dict | None = None) -> dict:
    """Rows as another processor type might make them."""
    return plain_row(system, profile, index) | {"energy": -1.0 - 1e-12}


def source(compute=fake_row, systems=SYSTEMS) -> Source:
    """Without a probe and a hash of its code: these rows come from nowhere."""
    return Source(systems, compute, row_id, probe=None, code=dict)


def counts(folder: Path) -> dict[str, int]:
    """How often every row was computed."""
    return {p.name.removeprefix("computed-"): p.stat().st_size for p in folder.glob("computed-*")}


def task(store: Path, compute=plain_row) -> Task:
    sizes = {name: dimension_sizes(system) for name, system in SYSTEMS.items()}
    return Task(store, "demo", sizes, compute, row_id)


def sealed_store(store: Path, names=("ar",), count: int = 3, compute=plain_row) -> Path:
    """A store made in this process, without Dask."""
    systems = {name: SYSTEMS[name] for name in names}
    goal = prepare(store, science_config(systems, "demo"), dict.fromkeys(names, count))
    for name, index in missing_rows(store, goal):
        publish(task(store, compute), name, index)
    seal(store, SYSTEMS, goal, identify=row_id)
    return store


def contents(store: Path) -> dict[str, bytes]:
    """Every byte that is promised not to depend on the circumstances."""
    return {
        p.relative_to(store).as_posix(): p.read_bytes()
        for p in sorted(store.rglob("*"))
        if p.is_file() and "provenance" not in p.parts and p.name != ".lock"
    }
