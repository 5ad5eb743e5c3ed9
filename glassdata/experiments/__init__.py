"""The book's long computations: results computed through Dask, resumable, sealed in one archive.

>>> list(EXPERIMENTS)[:4]
['line-vs-cnn', 'weights', 'referee', 'glasses']
"""

from glassdata.experiments.runner import EXPERIMENTS, Outcome, run

__all__ = ["EXPERIMENTS", "Outcome", "run"]
