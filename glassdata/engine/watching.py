"""What the user sees of a running build: bar, dashboard, report."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from dask.distributed import Client, performance_report

from glassdata.engine.streaming import Loss
from glassdata.files import check_output, replace
from glassdata.worker import Receipt


def collect(
    results: Iterator[Receipt | Loss], total: int, watched: bool
) -> tuple[list[Receipt], list[Loss]]:
    """All results of a stream, behind a bar with rate and time left.

    Rows that disagree with published ones are in both lists. The first that conflicts with a
    published row ends the run, because later ones could not be trusted either.

    Parameters
    ----------
    results : Iterator[Receipt or Loss]
        Receipts and losses, as they arrive.
    total : int
        Number of results to expect.
    watched : bool
        Whether to show the bar.
    """
    receipts, problems = [], []
    with _bar(total, watched) as bar:
        for result in results:
            if isinstance(result, Loss):
                problems.append(result)
            else:
                receipts.append(result)
                if result.outcome in ("conflict", "different"):
                    problems.append(Loss(result.system, result.index, result.reason))
            bar.update()
            if getattr(result, "outcome", None) == "conflict":
                break
    return receipts, problems


def _bar(total: int, watched: bool):
    with warnings.catch_warnings():
        # In a notebook without ipywidgets it shows the bar of a terminal, which is good enough.
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    return tqdm(total=total, unit="row", disable=not watched, smoothing=0.1)


def dashboard(client: Client) -> str:
    """Address of Dask's dashboard, or what it needs."""
    if not _has_bokeh():
        return "it needs bokeh, which draws it: pip install 'glassdata[report]'"
    return client.dashboard_link


@contextmanager
def reported(path: Path | None) -> Iterator[None]:
    """Context that writes Dask's performance report."""
    if path is None:
        yield
        return
    with TemporaryDirectory() as folder:
        written = Path(folder) / "report.html"
        try:
            with performance_report(filename=str(written)):
                yield
        finally:  # of an interrupted run, too
            if written.exists():
                replace(path, written.read_bytes())


def check_report(path: Path | None) -> None:
    """Refuse a performance report that could not be written.

    Raises
    ------
    ImportError
        Without bokeh, which draws it.
    ValueError
        For a path that lies in no folder.
    OSError
        If something is there that is not replaced: see ``check_output``.
    """
    if path is None:
        return
    if not _has_bokeh():
        raise ImportError("--report needs bokeh, which draws it: pip install 'glassdata[report]'")
    if not path.absolute().parent.is_dir():
        raise ValueError(f"cannot write a report to {path}: not a file in an existing folder")
    check_output(path)


def _has_bokeh() -> bool:
    try:
        import bokeh  # noqa: F401
    except ImportError:
        return False
    return True


def stage_seconds(receipts: Iterable[Receipt]) -> Mapping[str, float]:
    """Seconds of one core that went into each stage, of all rows; the rest is ``other``."""
    sums: dict[str, float] = {}
    for receipt in receipts:
        for stage, seconds in receipt.stages.items():
            sums[stage] = sums.get(stage, 0.0) + seconds
    total = sums.pop("total", 0.0)
    return sums | {"other": max(total - sum(sums.values()), 0.0)} if total else {}
