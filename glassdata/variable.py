"""Variables of a dataset: dimensions, type, unit, meaning, and how they are computed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

#: Ragged dimensions (CF contiguous ragged arrays), with the variable that counts them.
RAGGED = {"atom": "n_atoms", "mode": "n_modes"}
#: Dimensions that have the same length everywhere. ``voigt``: xx, yy, zz, yz, xz, xy.
FIXED = {"xyz": 3, "abc": 3, "voigt": 6}


def always(system: Any) -> bool:
    """Every glass has the variable."""
    return True


@dataclass(frozen=True)
class Variable:
    """One variable of a dataset. Store, dataset card and checks follow from this declaration.

    Attributes
    ----------
    dims : tuple of str
        Named as in the store.
    dtype : str
        NumPy type in the store.
    units : str
        As the CF convention has it; ``-d`` stands for minus the dimension of the glass.
    long_name : str
        What it is, in words.
    of : callable, optional
        Computes it from a :class:`glassdata.describe.Structure`. None for what only the protocol
        or the engine can know.
    version : int
        Raised whenever the same structure would give another value than before. It enters the
        identity of a row.
    applies : callable
        Whether a ``System`` has this variable.
    step : callable, optional
        Of a ``System``: values are whole multiples of this number, and are stored as such (the
        packed data of CF, which a reader multiplies by ``scale_factor``). That takes fewer bytes.

    Examples
    --------
    >>> swing = per_structure("f8", "1", "variance of g(r)", lambda structure: structure.g.var())
    >>> swing.dims, swing.fill
    (('structure',), nan)
    """

    dims: tuple[str, ...]
    dtype: str
    units: str
    long_name: str
    of: Callable[[Any], Any] | None = None
    version: int = 1
    applies: Callable[[Any], bool] = always
    step: Callable[[Any], float] | None = None

    def __post_init__(self) -> None:
        if not self.units or not self.long_name:
            raise ValueError(f"a variable needs a unit and a meaning, got {self}")
        if self.version < 1:
            raise ValueError(f"version must be at least 1, got {self.version}")

    def value(self, structure: Any) -> Any:
        """Value of a :class:`glassdata.describe.Structure`.

        Raises
        ------
        TypeError
            For a variable that does not follow from the structure.
        """
        if self.of is None:
            raise TypeError(f"{self.long_name}: does not follow from the structure")
        return self.of(structure)

    @property
    def fill(self) -> object:
        """Value for failed rows, which do not have the variable."""
        return {"f": np.nan, "i": -1, "b": False, "U": ""}[np.dtype(self.dtype).kind]

    @property
    def ragged(self) -> bool:
        """Whether the first dimension runs over atoms or modes instead of structures."""
        return self.dims[0] in RAGGED

    def units_in(self, dim: int) -> str:
        """Unit in a glass of this dimension."""
        return self.units.replace("-d", f"-{dim}")


def per_structure(
    dtype: str, units: str, long_name: str, of: Callable[[Any], Any] | None = None, **rest: Any
) -> Variable:
    """A variable with one number or text per structure.

    Parameters
    ----------
    dtype, units, long_name, of
        As for ``Variable``.
    rest
        Other fields of ``Variable``: ``version``, ``applies``, ``step``.

    Examples
    --------
    >>> per_structure("i4", "1", "number of atoms", lambda structure: len(structure.atoms)).ragged
    False
    """
    return Variable(("structure",), dtype, units, long_name, of, **rest)
