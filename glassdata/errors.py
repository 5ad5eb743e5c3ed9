"""What may be wrong with a structure, as distinct from what may be wrong with a program."""


class StructureError(ValueError):
    """A structure does not have the quantity that was asked for: no peak, no volume, no distance.

    A row of the dataset fails for this reason or because a relaxation does not come to rest. Any
    other exception says something of the machine or of the program, not of the glass.
    """
