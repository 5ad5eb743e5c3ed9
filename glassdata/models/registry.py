"""All models. A new one is a file in this folder, and a line in :data:`MODELS`.

The file defines a :class:`glassdata.regression.Regression` and a function that makes one ready to
be fitted, mostly by wrapping it into :class:`glassdata.tuning.Tuned`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from sklearn.base import BaseEstimator

from glassdata.models import linear, networks, principal, yardsticks
from glassdata.regression import Regression
from glassdata.tuning import Tuned


@dataclass(frozen=True)
class ModelKind:
    """One way to predict spectra from g(r).

    Parameters
    ----------
    make
        Called without arguments, returns an estimator that ``fit`` can be called on.
    regression
        Class of the fitted model, which a model file brings back; for a tuned estimator the class
        that is tuned.
    title
        A few words on what it does.
    needs
        Name of an optional package without which it can neither be fitted nor predict.

    Examples
    --------
    >>> MODELS["ridge"].tuned, MODELS["ridge"].regression.__name__
    (True, 'LinearMap')
    """

    make: Callable[[], BaseEstimator]
    regression: type[Regression]
    title: str
    needs: str | None = None

    @property
    def tuned(self) -> bool:
        """Whether it chooses its settings by grouped cross-validation."""
        return isinstance(self.make(), Tuned)

    @property
    def available(self) -> bool:
        """Whether the optional package it needs, if any, is installed."""
        return self.needs is None or find_spec(self.needs) is not None


MODELS: Mapping[str, ModelKind] = {
    "ridge": ModelKind(linear.ridge, linear.LinearMap, "line, squares of the weights penalised"),
    "lasso": ModelKind(linear.lasso, linear.LinearMap, "line, sizes of the weights penalised"),
    "elastic_net": ModelKind(linear.elastic_net, linear.LinearMap, "line, with both penalties"),
    "pcr": ModelKind(principal.pcr, principal.PrincipalMap, "line on principal components of g(r)"),
    "kernel_ridge": ModelKind(
        yardsticks.kernel_ridge, yardsticks.KernelMap, "smooth function of g(r)"
    ),
    "nearest": ModelKind(yardsticks.nearest, yardsticks.Neighbours, "mean of similar structures"),
    "variance": ModelKind(
        yardsticks.variance, yardsticks.ScalarCurve, "curve of the variance of g(r)"
    ),
    "mean": ModelKind(yardsticks.mean, yardsticks.Average, "training mean, whatever g(r) is"),
    "cnn": ModelKind(
        networks.cnn, networks.ConvolutionalNetwork, "convolutional network", needs="torch"
    ),
    "residual": ModelKind(
        networks.residual, networks.ConvolutionalNetwork, "residual network", needs="torch"
    ),
}
