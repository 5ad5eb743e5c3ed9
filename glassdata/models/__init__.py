"""Models from g(r) to the PDOS: linear maps, the networks they are compared with, yardsticks.

All follow scikit-learn: ``fit(X, Y)``, ``predict(X)`` with X of shape (n, n_r), dimensionless,
and Y of shape (n, n_omega), 1/THz or any other unit. Those that choose settings, or stop early,
also take ``groups`` of shape (n,): structures of one group are never split.

:data:`MODELS` lists them. The command line, the experiments and the model files take the models
from this list only.

>>> import numpy as np
>>> X = np.linspace(0.0, 1.0, 20)[:, None]
>>> held_out = cross_validate(ridge(), X, 1 + X, groups=np.arange(20) // 2)
>>> held_out.r2 > 0.999
True
>>> MODELS["ridge"].title
'line, squares of the weights penalised'
>>> len(RIDGE_L2) == len(COMPONENTS) == EFFORT, WEIGHT_DECAYS, len(NETWORK_SETTINGS)
(True, (0.0, 0.03), 24)
"""

from glassdata.cnn import ConvolutionalNetwork
from glassdata.evaluation import (
    Evaluation,
    Score,
    by_class,
    class_means,
    cross_validate,
    fit_grouped,
    fold_r2,
    grouped_folds,
    structure_mse,
)
from glassdata.models.linear import RIDGE_L2, LinearMap, elastic_net, lasso, ridge
from glassdata.models.loss import penalties, sklearn_penalties
from glassdata.models.modelfile import SavedModel, encode, fingerprint, load, save
from glassdata.models.networks import NETWORK_SETTINGS, WEIGHT_DECAYS, cnn, tuned_cnn
from glassdata.models.principal import COMPONENTS, PrincipalMap, pcr
from glassdata.models.registry import MODELS, ModelKind
from glassdata.models.yardsticks import (
    Average,
    KernelMap,
    Neighbours,
    ScalarCurve,
    Surface,
    kernel_ridge,
    mean,
    nearest,
    principal_curve,
    scalar,
    surface,
)
from glassdata.regression import Regression
from glassdata.scores import mse, normalised, r2, r2_draws
from glassdata.tuning import EFFORT, GroupFolds, Tuned

__all__ = [
    "COMPONENTS",
    "EFFORT",
    "MODELS",
    "NETWORK_SETTINGS",
    "RIDGE_L2",
    "WEIGHT_DECAYS",
    "Average",
    "ConvolutionalNetwork",
    "Evaluation",
    "GroupFolds",
    "KernelMap",
    "LinearMap",
    "ModelKind",
    "Neighbours",
    "PrincipalMap",
    "Regression",
    "SavedModel",
    "ScalarCurve",
    "Score",
    "Surface",
    "Tuned",
    "by_class",
    "class_means",
    "cnn",
    "cross_validate",
    "elastic_net",
    "encode",
    "fingerprint",
    "fit_grouped",
    "fold_r2",
    "grouped_folds",
    "kernel_ridge",
    "lasso",
    "load",
    "mean",
    "mse",
    "nearest",
    "normalised",
    "pcr",
    "penalties",
    "principal_curve",
    "r2",
    "r2_draws",
    "ridge",
    "save",
    "scalar",
    "sklearn_penalties",
    "structure_mse",
    "surface",
    "tuned_cnn",
]
