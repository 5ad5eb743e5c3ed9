"""What can be wrong with a store."""

from dataclasses import dataclass


class StoreError(Exception):
    """The store cannot be used as asked: missing, not a store, or made with other settings."""


class DamageError(StoreError):
    """A file of the store is damaged, or differs from what was published before."""


@dataclass(frozen=True)
class Finding:
    """One file that is not as it should be; ``name`` is relative to the store."""

    name: str
    problem: str

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}"
