"""The numbers and words in the text of chapters 9 to 11 and 13, by the names that the text uses.

Each function gives those of one passage, from what the page has computed before it.
"""

from glassdata.experiments.said import comparison, coverage, referee, weights, why

__all__ = ["comparison", "coverage", "referee", "weights", "why"]
