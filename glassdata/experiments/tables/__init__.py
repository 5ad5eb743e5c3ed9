"""The tables of the book, one function each, as data frames of what the page shows."""

from glassdata.experiments.tables import (
    beyond,
    comparison,
    contests,
    coverage,
    descriptors,
    driven,
    readings,
    referee,
    weights,
    why,
)
from glassdata.experiments.tables.glasses import preparation_table, score_table

__all__ = [
    "beyond",
    "comparison",
    "contests",
    "coverage",
    "descriptors",
    "driven",
    "preparation_table",
    "readings",
    "referee",
    "score_table",
    "weights",
    "why",
]
