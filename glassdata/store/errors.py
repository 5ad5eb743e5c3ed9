"""What can be wrong with a store."""


class StoreError(Exception):
    """The store cannot be used as asked: missing, not a store, or made with other settings."""


class DamageError(StoreError):
    """A file of the store is damaged, or differs from what was published before."""
