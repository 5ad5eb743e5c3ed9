"""Networks with the settings of the comparison; ``glassdata.cnn`` has the networks themselves."""

from typing import Any

from glassdata.cnn import ConvolutionalNetwork

#: Decoupled weight decays that a network may choose from.
WEIGHT_DECAYS = (0.0, 0.03)


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


def residual() -> ConvolutionalNetwork:
    """Residual network on log g(r): ``cnn("residual")``.

    Examples
    --------
    >>> residual().kind
    'residual'
    """
    return cnn("residual")
