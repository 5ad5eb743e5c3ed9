"""The numbers and words in the text of the pages, by the names that the text uses.

Each function gives those of one passage, from what the page has computed before it.
"""

from glassdata.experiments.said import claim, comparison, coverage, referee, weights, why

__all__ = ["claim", "comparison", "coverage", "referee", "weights", "why"]
