"""Networks with the settings of the comparison; ``glassdata.cnn`` has the networks themselves."""

from itertools import product
from typing import Any

from glassdata.cnn import ConvolutionalNetwork

#: Decoupled weight decays that a network may choose from.
WEIGHT_DECAYS = (0.0, 0.03)


#: Settings that the tuned network may choose from: more than any other model may try.
NETWORK_SETTINGS = tuple(
    {"width": width, "depth": depth, "learning_rate": rate, "weight_decay": decay}
    for width, depth, rate, decay in product((16, 64), (1, 2), (3e-4, 1e-3, 3e-3), (0.0, 0.03))
)


def cnn(kind: str = "spramnet", **settings: Any) -> ConvolutionalNetwork:
    """Convolutional network; needs PyTorch when it is fitted.

    The number of epochs and the weight decay are chosen on held-out groups unless given.

    Parameters
    ----------
    kind
        ``"spramnet"`` or ``"residual"``.
    **settings
        Any other setting of :class:`glassdata.cnn.ConvolutionalNetwork`.

    Examples
    --------
    >>> cnn(max_epochs=50).max_epochs
    50
    """
    return ConvolutionalNetwork(kind, **{"weight_decays": WEIGHT_DECAYS} | settings)


def tuned_cnn(**settings: Any) -> ConvolutionalNetwork:
    """Convolutional network that chooses width, depth, rate and decay of 24 settings.

    Each is stopped early on the same held-out groups, and the best is trained again on all: 25
    trainings a fit, where ``cnn`` has 3.

    Parameters
    ----------
    **settings
        Any setting of :class:`glassdata.cnn.ConvolutionalNetwork`.

    Examples
    --------
    >>> len(tuned_cnn().settings), tuned_cnn(max_epochs=50).max_epochs
    (24, 50)
    """
    return ConvolutionalNetwork(**{"settings": NETWORK_SETTINGS} | settings)


def residual() -> ConvolutionalNetwork:
    """Residual network on log g(r): ``cnn("residual")``.

    Examples
    --------
    >>> residual().kind
    'residual'
    """
    return cnn("residual")
