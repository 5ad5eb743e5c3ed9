"""The book's long computations: results computed through Dask, resumable, sealed in one archive."""

from glassdata.experiments.runner import EXPERIMENTS, Outcome, run

__all__ = ["EXPERIMENTS", "Outcome", "run"]
