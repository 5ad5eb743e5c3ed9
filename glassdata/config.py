"""Canonical JSON and identities made from it."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

#: Raised whenever the same configuration would give other numbers than before.
ALGORITHM_VERSION = 4

#: Root of every random stream of the project.
ROOT_SEED = 2602_05313

#: Positions are rounded to multiples of this, Å, where the system asks for nothing finer. Smaller
#: digits are noise of the minimiser, and half the bytes of a position. Positions are rounded before
#: anything is computed from them, so that the stored spectrum is that of the stored structure.
POSITION_STEP = 2.0**-20

#: For bond-order potentials: a bond at their cut-off is so stiff (2000 eV/Å²) that the coarser step
#: would leave forces of 1e-3 eV/Å.
FINE_POSITION_STEP = 2.0**-24

#: Frequencies are rounded to a power of two (THz), this fraction of the system's range or less:
#: a bin of the PDOS is a hundred times as wide. Smaller digits would be half the bytes of a row.
FREQUENCY_STEPS = 2**14


def canonical_json(value: Any) -> str:
    """Write ``value`` as JSON in such a way that equal content gives equal text.

    Keys are sorted, tuples become lists, numbers keep their shortest exact form.

    Raises
    ------
    ValueError
        If a number is not finite or something is not plain data.

    Examples
    --------
    >>> canonical_json({"b": (1, 2.5), "a": True})
    '{"a":true,"b":[1,2.5]}'
    """
    return json.dumps(_plain(value, "configuration"), sort_keys=True, separators=(",", ":"))


def digest(value: Any) -> str:
    """sha256 (hexadecimal) of the canonical JSON of ``value``.

    Examples
    --------
    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def check_positive(settings: object, who: str, *names: str) -> None:
    """Refuse settings that are not finite numbers above zero, or sequences of such numbers.

    Parameters
    ----------
    settings : object
        Object whose attributes are checked.
    who : str
        What the error message calls it.
    *names : str
        Names of the attributes.

    Raises
    ------
    ValueError
        Naming ``who`` and the setting.
    """
    for name in names:
        value = getattr(settings, name)
        numbers = value if isinstance(value, Sequence) else [value]
        if not all(0 < number < math.inf for number in numbers):
            raise ValueError(f"{who}: {name} must be positive and finite, got {value}")


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item, f"{where}[{n}]") for n, item in enumerate(value)]
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ValueError(f"{where}: {value!r} is not plain finite data")
