"""The book's long computations: results computed through Dask, resumable, sealed in one archive.

>>> list(EXPERIMENTS)
['line-vs-cnn', 'weights', 'referee', 'glasses', 'why', 'elsewhere', 'coverage']
"""

from glassdata.experiments.runner import EXPERIMENTS, Outcome, run

__all__ = ["EXPERIMENTS", "Outcome", "run"]
