"""Figure of why a line works: what each explanation recovers of it, glass by glass.

>>> found = {"⟨ω²⟩ alone": {("ka2d", "equilibrated"): (1.0, 0.9, 1.1)}}
>>> figure = recovered(found)
>>> [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
['ka2d, equilibrated']
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from glassdata.experiments.explanations import CARRIES
from glassdata.plots.verdicts import Found, forest


def recovered(shares: Mapping[str, Mapping[tuple[str, str], Found]]) -> Figure:
    """Shares of the line's R², one row per glass and part, and a dashed line where one carries.

    Parts without a line are left out.

    Parameters
    ----------
    shares
        Of each explanation by glass and part: ``glassdata.experiments.explanations.shares``.

    Examples
    --------
    >>> found = {"⟨ω²⟩ alone": {("amc", "all"): (0.5, 0.4, 0.6)}}
    >>> recovered(found).axes[0].get_xlabel()
    "share of the line's R²"
    """
    named = {
        title: {", ".join(key): one for key, one in found.items() if np.isfinite(one[0])}
        for title, found in shares.items()
    }
    return forest(named, "share of the line's R²", lowest=-0.5, highest=1.3, limit=CARRIES)
