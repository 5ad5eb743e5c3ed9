"""Figures shared by the chapters of the book.

Every function draws on what it is given or returns a new Figure; nothing is computed from data
beyond what a figure needs, and nothing is shown or written. Axes carry units, and colours are told
apart by colour-blind readers.

>>> style()["figure.figsize"]  # inches
(6.4, 4.0)
>>> GLASS_TITLES["lj3d"], MODEL_NAMES["ridge"], MODEL_COLOURS["ridge"] == MODEL_COLOURS["pcr"]
('argon, 3D', 'line (ridge)', True)
>>> len(set(CLASS_COLOURS.values())), len(set(GLASS_COLOURS.values()))
(4, 13)
"""

from glassdata.plots import comparison, maps, motion, own, potentials, shells, signal, verdicts, why
from glassdata.plots.gallery import claim, from_order_to_disorder, gallery
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
    "claim",
    "comparison",
    "disorder_histogram",
    "from_order_to_disorder",
    "gallery",
    "label",
    "maps",
    "motion",
    "own",
    "potentials",
    "prediction",
    "representatives",
    "shells",
    "signal",
    "spectra_by_disorder",
    "structure",
    "structures",
    "style",
    "verdicts",
    "why",
]
