"""A glass whose rows cost nothing, or a known amount of work: what is left is the engine's own.

A module of its own, because workers import the row function by name.
"""

from dataclasses import dataclass, replace

import numpy as np

from glassdata.config import digest
from glassdata.eigen import eigenvalues
from glassdata.engine import Source
from glassdata.systems import SYSTEMS
from glassdata.worker import Receipt, Task

NAME = "lj3d"


@dataclass(frozen=True)
class Counted:
    """Only what the engine asks of a protocol."""

    n_structures: int

    def largest(self, system) -> int:
        return 4

    def science(self) -> dict:
        return {"name": "counted"}


SYSTEM = replace(SYSTEMS[NAME], protocols={"demo": Counted(10_000)})


def identify(name: str, profile: str, index: int) -> str:
    return digest([name, profile, index])


def trivial_row(name: str, profile: str, index: int, timings: dict | None = None) -> dict:
    """A row of four atoms without any work."""
    return {
        "n_atoms": 4,
        "n_modes": 9,
        "g": np.zeros(SYSTEM.n_r),
        "pdos": np.zeros(SYSTEM.n_omega),
        "frequency": np.arange(9.0),
        "position": np.zeros((4, 3)),
        "number": np.full(4, 18),
        "cell": np.eye(3),
        "parent": index,
        "disorder_class": "amorphous",
        "energy": -1.0,
        "density": 0.02,
        "max_force": 0.0,
        "overflow": 0.0,
        "n_imaginary": 0,
    }


def busy_row(name: str, profile: str, index: int, timings: dict | None = None) -> dict:
    """The same after a fixed number of additions, a second or two of one core.

    Plain Python on few bytes: real rows also compete for the memory that the cores share, which
    is a property of the machine and not of the engine.
    """
    total = 0
    for step in range(STEPS):
        total += step & 7
    return trivial_row(name, profile, index) | {"density": 0.02 + 0.0 * total}


STEPS = 40_000_000


def dense_row(name: str, profile: str, index: int, timings: dict | None = None) -> dict:
    """The same after the eigenvalues of a matrix, as of a real row of some seven hundred atoms."""
    matrix = np.random.default_rng(index).standard_normal((SIZE, SIZE))
    top = eigenvalues(matrix + matrix.T)[-1]
    return trivial_row(name, profile, index) | {"density": 0.02 + 0.0 * top}


SIZE = 2200


def brief_row(name: str, profile: str, index: int, timings: dict | None = None) -> dict:
    """``busy_row`` for the test suite: a thousandth of the work."""
    total = 0
    for step in range(STEPS // 1000):
        total += step & 7
    return trivial_row(name, profile, index) | {"density": 0.02 + 0.0 * total}


def nothing(task: Task, name: str, index: int) -> Receipt:
    """What a worker does when neither row nor store is wanted."""
    return Receipt(name, index, "new", stages={"total": 0.0})


def source(compute=trivial_row) -> Source:
    return Source({NAME: SYSTEM}, compute, identify)
