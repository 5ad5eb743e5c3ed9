"""Where and how rows are computed; no setting here changes their numbers."""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path

from dask.utils import parse_bytes

#: What may become of workers that must not compute rows.
UNFIT_WORKERS = ("leave-out", "stop")
#: Seconds; timers of the operating system cannot count longer limits.
_LONGEST = 1e8
#: Shortest silence, s, after which a worker may be given up. A busy machine alone does not make it
#: miss so many heartbeats.
_SHORTEST_SILENCE = 5.0
#: Seconds without any worker after which a run ends. Jobs of a batch system may wait for days.
_WAIT = {"slurm": 7 * 86400.0}
_WAIT_ELSEWHERE = 600.0


def _silent(text: str) -> None:
    pass


@dataclass(frozen=True)
class Execution:
    """Settings of a run that validate themselves.

    Parameters
    ----------
    cluster
        ``local``, ``slurm``, or the address of a Dask scheduler whose workers see the same folder.
    workers
        Number of processes, by default one per processor of this machine, and never more than
        there are rows. A batch system gives whole jobs, and also takes a least and a largest
        number, of which it is asked for the largest. A scheduler that is given by its address has
        its workers already.
    memory_limit
        Memory of one worker, like ``4GB``; by default its share of the machine or of the job.
    row_timeout
        Seconds after which a row is given up; None waits for ever.
    worker_timeout
        Seconds of silence after which a worker is given up: it is started again if possible, and
        another worker computes its row.
    wait
        Seconds without any worker, or without an answer of the scheduler, after which the run ends;
        ``math.inf`` waits for ever, None means ten minutes, or a week for a batch system.
    progress
        Whether to show a bar; None shows it in a terminal or a notebook only.
    report
        Where to write Dask's performance report.
    unfit_workers
        What becomes of workers that are not what the run needs, as with other versions: they are
        left out (``leave-out``), or the run ends (``stop``).
    say
        Function that receives lines of text for the user.

    Raises
    ------
    ValueError
        Naming the field that is wrong.

    Examples
    --------
    >>> Execution(workers=2, row_timeout=60.0).cluster
    'local'
    """

    cluster: str = "local"
    workers: int | tuple[int, int] | None = None
    memory_limit: str | None = None
    row_timeout: float | None = 3600.0
    worker_timeout: float = 300.0
    wait: float | None = None
    progress: bool | None = None
    report: Path | None = None
    unfit_workers: str = "leave-out"
    say: Callable[[str], None] = _silent

    @property
    def watched(self) -> bool:
        """Whether to show a bar, the dashboard's address and a summary of the time spent."""
        if self.progress is not None:
            return self.progress
        return sys.stderr.isatty() or _in_notebook()

    @property
    def patience(self) -> float:
        """Seconds without any worker after which the run ends."""
        return _WAIT.get(self.cluster, _WAIT_ELSEWHERE) if self.wait is None else self.wait

    def __post_init__(self) -> None:
        if self.cluster not in ("local", "slurm") and "://" not in self.cluster:
            raise ValueError(
                "cluster must be 'local', 'slurm' or an address like tcp://..., "
                f"got {self.cluster!r}"
            )
        self._check_workers()
        if self.row_timeout is not None and not 0 < self.row_timeout <= _LONGEST:
            raise ValueError(
                f"row_timeout must be above 0 s and at most {_LONGEST:g} s, got {self.row_timeout}"
            )
        if self.unfit_workers not in UNFIT_WORKERS:
            raise ValueError(
                f"unfit_workers must be {' or '.join(UNFIT_WORKERS)}, got {self.unfit_workers!r}"
            )
        if not _SHORTEST_SILENCE <= self.worker_timeout <= _LONGEST:
            raise ValueError(
                f"worker_timeout must be at least {_SHORTEST_SILENCE:g} s and at most "
                f"{_LONGEST:g} s, got {self.worker_timeout}"
            )
        if self.wait is not None and not (0 < self.wait <= _LONGEST or self.wait == math.inf):
            raise ValueError(f"wait must be above 0 s and at most {_LONGEST:g} s, got {self.wait}")
        if self.memory_limit is not None:
            _check_memory_limit(self.memory_limit)

    def _check_workers(self) -> None:
        numbers = self.workers if isinstance(self.workers, tuple) else (self.workers,)
        if not all(n is None or isinstance(n, Integral) for n in numbers):
            raise ValueError(f"workers must be whole numbers, got {self.workers}")
        if isinstance(self.workers, tuple):
            least, most = self.workers
            if not 0 <= least <= most or most < 1:
                raise ValueError(f"workers MIN:MAX need 0 <= MIN <= MAX, got {least}:{most}")
            if self.cluster == "local" and least != most:
                raise ValueError("workers MIN:MAX are for batch systems; give one number")
        elif self.workers is not None and self.workers < 1:
            raise ValueError(f"workers must be at least 1, got {self.workers}")
        elif self.workers is None and self.cluster == "slurm":
            raise ValueError("SLURM needs to know how many workers: --workers N or MIN:MAX")


def _check_memory_limit(text: str) -> None:
    try:
        valid = parse_bytes(text) > 0
    except ValueError:
        valid = False
    if not valid:
        raise ValueError(f"memory_limit must be like 4GB, got {text!r}")


def _in_notebook() -> bool:
    """Whether a notebook's kernel runs this; that one was imported says nothing."""
    ask = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return hasattr(ask() if ask else None, "kernel")
