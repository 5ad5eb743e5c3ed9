"""The numbers and words in the text of the chapters on the claim, by the names that the text uses.

Each function gives those of one passage, from what the page has computed before it.
"""

from glassdata.experiments.said import comparison, glasses, referee, weights, why

__all__ = ["comparison", "glasses", "referee", "weights", "why"]
