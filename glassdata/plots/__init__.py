"""Figures shared by the chapters of the book.

Every function draws on what it is given or returns a new Figure; nothing is computed from data
beyond what a figure needs, and nothing is shown or written. Axes carry units, and colours are told
apart by colour-blind readers.
"""

from glassdata.plots import comparison, maps, shells, verdicts
from glassdata.plots.glasses import (
    disorder_histogram,
    prediction,
    representatives,
    spectra_by_disorder,
    structure,
    structures,
)
from glassdata.plots.looks import (
    CLASS_COLOURS,
    GLASS_COLOURS,
    GLASS_TITLES,
    MODEL_COLOURS,
    MODEL_NAMES,
    label,
    style,
)

__all__ = [
    "CLASS_COLOURS",
    "GLASS_COLOURS",
    "GLASS_TITLES",
    "MODEL_COLOURS",
    "MODEL_NAMES",
    "comparison",
    "disorder_histogram",
    "label",
    "maps",
    "prediction",
    "representatives",
    "shells",
    "spectra_by_disorder",
    "structure",
    "structures",
    "style",
    "verdicts",
]
