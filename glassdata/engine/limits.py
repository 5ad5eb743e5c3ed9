"""How many rows may fail before a run ends."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from glassdata.engine.crew import Loss, RowName, RunEnded
from glassdata.store.losses import failures, grouped
from glassdata.store.rows import present
from glassdata.worker import Receipt


@dataclass(frozen=True)
class FailedRows:
    """The failed rows of a run, those of earlier runs included, and how many there may be.

    Parameters
    ----------
    most : int
        Failed rows that are too few to end the run.
    told : str
        The limit as the user gave it.
    total : int
        Rows that should be there.
    reasons : dict
        Why each of them failed; it grows.
    """

    most: int
    told: str
    total: int
    reasons: dict[RowName, str]

    @classmethod
    def of(cls, folder: Path, goal: Mapping[str, int], limit: float | None) -> "FailedRows | None":
        """Those of a store; None without a limit.

        Parameters
        ----------
        folder
            Folder of the store.
        goal
            Number of structures to have, per glass.
        limit
            A whole number, or a share of them below 1.

        Raises
        ------
        RunEnded
            If there are too many already.
        """
        if limit is None:
            return None
        total = sum(goal.values())
        is_share = isinstance(limit, float)
        most = int(limit * total) if is_share else int(limit)
        rows = [(name, i) for name, n in goal.items() for i in present(folder, name) if i < n]
        told = f"{100 * limit:g}%" if is_share else f"{limit}"
        found = cls(most, told, total, failures(folder, rows))
        found.check()
        return found

    def note(self, receipt: Receipt) -> None:
        """Count a row that came back."""
        if receipt.failed:
            self.reasons[receipt.system, receipt.index] = receipt.reason

    def check(self) -> None:
        """End the run if too many rows failed.

        Raises
        ------
        RunEnded
            With how many did, and the commonest reason.
        """
        if len(self.reasons) > self.most:
            raise RunEnded(
                f"{len(self.reasons)} of {self.total} rows failed, more than --max-failed "
                f"{self.told} allows; {grouped(self.reasons)[0]}"
            )


def limited(
    results: Iterator[Receipt | Loss], limit: FailedRows | None, problems: list[Loss]
) -> Iterator[Receipt | Loss]:
    """The same results, until too many rows failed; losses are noted in ``problems``.

    Parameters
    ----------
    results : iterator of Receipt or Loss
        As they arrive.
    limit : FailedRows or None
        Counts the failed rows.
    problems : list of Loss
        Grows.
    """
    for result in results:
        if isinstance(result, Loss):
            problems.append(result)
        elif limit is not None:
            limit.note(result)
        yield result
        if limit is not None:
            limit.check()
