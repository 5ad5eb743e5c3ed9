"""How the pages of the book hand numbers and words to their text."""

from typing import Any

import numpy as np
from myst_nb import glue


def keep(**values: Any) -> None:
    """Hand numbers and words to the text of the page, where ``{glue:text}`` shows them by name.

    Anything that holds one number or word will do, such as an array of one element.
    """
    for name, value in values.items():
        glue(name, np.asarray(value).item(), display=False)
