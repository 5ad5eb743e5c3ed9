"""Convolutional networks from g(r) to the PDOS; the only part that uses PyTorch.

PyTorch is loaded when a network is trained or asked for a prediction, not before. Fitted weights
are plain arrays: they can be copied, saved and counted without it.

>>> KINDS, SCALES, FEWEST_BINS
(('spramnet', 'residual'), ('x_mean', 'x_scale', 'y_mean', 'y_scale'), 4)
"""

from glassdata.cnn.layers import FEWEST_BINS, KINDS, SCALES, build, evaluate, shapes
from glassdata.cnn.training import ConvolutionalNetwork

__all__ = [
    "FEWEST_BINS",
    "KINDS",
    "SCALES",
    "ConvolutionalNetwork",
    "build",
    "evaluate",
    "shapes",
]
