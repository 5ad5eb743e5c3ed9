"""How the pages of the book hand numbers, words and figures to their text."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from myst_nb import glue


def keep(**values: Any) -> None:
    """Hand numbers and words to the text of the page, where ``{glue:text}`` shows them by name.

    Anything that holds one number or word will do, such as an array of one element.

    Examples
    --------
    In a cell of a page; its text shows the number by ``{glue:text}`share:.2f```.

    >>> passage = {"share": np.array([0.25])}
    >>> keep(**passage)  # doctest: +SKIP
    """
    for name, value in values.items():
        glue(name, np.asarray(value).item(), display=False)


def keep_figure(name: str, figure: Figure) -> None:
    """Hand a figure to the text, which shows it by ``{glue:figure}`` at a place of its own.

    Examples
    --------
    >>> keep_figure("board", plt.figure())  # doctest: +SKIP
    """
    glue(name, figure, display=False)
    plt.close(figure)
