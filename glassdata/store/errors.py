"""What can be wrong with a store."""

from dataclasses import dataclass


class StoreError(Exception):
    """The store cannot be used as asked: missing, not a store, or made with other settings.

    Examples
    --------
    >>> try:
    ...     raise DamageError("rows/amc/000000.npz is damaged")
    ... except StoreError as error:
    ...     print(error)
    rows/amc/000000.npz is damaged
    """


class DamageError(StoreError):
    """A file of the store is damaged, or differs from what was published before.

    Examples
    --------
    >>> issubclass(DamageError, StoreError)
    True
    """


@dataclass(frozen=True)
class Finding:
    """One file that is not as it should be; ``name`` is relative to the store.

    Examples
    --------
    >>> print(Finding("rows/amc/000000.npz", "missing"))
    rows/amc/000000.npz: missing
    """

    name: str
    problem: str

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}"
