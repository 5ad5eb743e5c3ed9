"""How the pages of the book hand numbers and words to their text."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from myst_nb import glue


def keep(**values: Any) -> None:
    """Hand numbers and words to the text of the page, where ``{glue:text}`` shows them by name.

    Anything that holds one number or word will do, such as an array of one element.
    """
    for name, value in values.items():
        glue(name, np.asarray(value).item(), display=False)


def ends(name: str, values: Iterable[float], factor: float = 1) -> dict[str, float]:
    """The smallest and the largest of some numbers, as ``NAME_least`` and ``NAME_most``.

    Parameters
    ----------
    name
        What both names begin with.
    values
        One number or more.
    factor
        What both are multiplied with, such as 100 for per cent.

    Examples
    --------
    >>> ends("share", [0.25, 0.5], 100)
    {'share_least': 25.0, 'share_most': 50.0}
    """
    values = list(values)
    return {f"{name}_least": factor * min(values), f"{name}_most": factor * max(values)}
