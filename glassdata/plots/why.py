"""Figure of why a line works: what each explanation recovers of it, glass by glass.

>>> found = {"⟨ω²⟩ alone": {("ka2d", "equilibrated"): (1.0, 0.9, 1.1)}}
>>> figure = recovered(found)
>>> [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
['ka2d, equilibrated']
"""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from glassdata.plots.verdicts import Found, heat


def recovered(shares: Mapping[str, Mapping[tuple[str, str], Found]]) -> Figure:
    """Shares of the line's R² as colours, one row per glass and part; a dash without a line.

    Parameters
    ----------
    shares
        Of each explanation by glass and part: ``glassdata.experiments.explanations.shares``.

    Examples
    --------
    >>> nothing = (float("nan"),) * 3
    >>> found = {"⟨ω²⟩ alone": {("amc", "all"): (0.5, 0.4, 0.6), ("si", "all"): nothing}}
    >>> [text.get_text() for text in recovered(found).axes[0].texts]
    ['0.50', '–']
    """
    columns = {
        title: {", ".join(key): one[0] for key, one in found.items()}
        for title, found in shares.items()
    }
    return heat(pd.DataFrame(columns), size=11)
