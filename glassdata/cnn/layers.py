"""Layers of the networks, shapes of their weights, and their output; PyTorch on demand."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

KINDS = ("spramnet", "residual")
#: Channels of the published network.
WIDTH = 64
#: Smaller values of g(r) are replaced by this before the logarithm is taken.
SMALLEST_G = 1e-3
#: Smallest number of bins of g(r) for the layers; zeros are added to fewer bins.
FEWEST_BINS = 4
#: Arrays that scale X for the network, and its output to the unit of Y.
SCALES = ("x_mean", "x_scale", "y_mean", "y_scale")


def shapes(
    kind: str, n_r: int, n_omega: int, *, width: int = WIDTH, depth: int = 1
) -> dict[str, tuple[int, ...]]:
    """Shapes of the arrays that make up a network, without loading PyTorch.

    Those with ``running`` in their name are statistics of the batches, the rest is trained.

    Parameters
    ----------
    kind
        One of :data:`KINDS`.
    n_r, n_omega
        Numbers of bins of g(r) and of the spectrum.
    width, depth
        Channels and number of the convolutions of ``"spramnet"``; 64 and 1 as published.

    Examples
    --------
    >>> shapes("spramnet", 100, 100)["7.weight"]
    (100, 50)
    """
    n_r = max(n_r, FEWEST_BINS)
    if kind == "spramnet":
        hidden, flat = width * ((n_r - 2) // 2), 2 * depth + 2
        layers: dict[str, tuple[int, ...]] = {"1": (width, 1, 3)}
        layers |= {f"{k}": (width, width, 3) for k in range(4, flat, 2)}
        layers |= {f"{flat + 1}": (50, hidden), f"{flat + 3}": (n_omega, 50)}
        return {
            f"{name}.{part}": shape if part == "weight" else shape[:1]
            for name, shape in layers.items()
            for part in ("weight", "bias")
        }
    first = (n_r - 1) // 4 + 1
    convolutions = {
        "1": ("2", (64, 1, 11)),
        "4.main.0": ("4.main.1", (64, 64, 3)),
        "4.main.3": ("4.main.4", (64, 64, 3)),
        "5.main.0": ("5.main.1", (128, 64, 3)),
        "5.main.3": ("5.main.4", (128, 128, 3)),
        "5.short.0": ("5.short.1", (128, 64, 1)),
    }
    found: dict[str, tuple[int, ...]] = {}
    for convolution, (normalisation, shape) in convolutions.items():
        found[f"{convolution}.weight"] = shape
        for part in ("weight", "bias", "running_mean", "running_var"):
            found[f"{normalisation}.{part}"] = shape[:1]
    last = 128 * ((first - 1) // 2 + 1)
    return found | {"8.weight": (n_omega, last), "8.bias": (n_omega,)}


def build(
    kind: str, n_r: int, n_omega: int, *, width: int = WIDTH, depth: int = 1
) -> "torch.nn.Sequential":
    """A network with fresh weights: (n, n_r) to (n, n_omega).

    Parameters
    ----------
    kind, n_r, n_omega, width, depth
        As in :func:`shapes`. Convolutions after the first keep the number of bins.

    Raises
    ------
    ImportError
        Without PyTorch.

    Examples
    --------
    >>> net = build("spramnet", 100, 100)
    >>> sum(weights.numel() for weights in net.parameters())
    162206
    """
    nn = load_torch().nn
    n_r = max(n_r, FEWEST_BINS)
    start = nn.Unflatten(1, (1, n_r))
    if kind == "spramnet":
        more = [(nn.Conv1d(width, width, 3, padding=1), nn.ReLU()) for _ in range(depth - 1)]
        first = [nn.Conv1d(1, width, 3), nn.ReLU(), nn.MaxPool1d(2)]
        hidden = width * ((n_r - 2) // 2)
        last = [nn.Linear(hidden, 50), nn.ReLU(), nn.Linear(50, n_omega)]
        return nn.Sequential(start, *first, *chain.from_iterable(more), nn.Flatten(), *last)
    return nn.Sequential(
        start,
        nn.Conv1d(1, 64, 11, stride=4, padding=5, bias=False),
        nn.BatchNorm1d(64),
        nn.ReLU(),
        _residual_block(64, 64, 1),
        _residual_block(64, 128, 2),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(shapes(kind, n_r, n_omega)["8.weight"][1], n_omega),
    )


def _residual_block(n_in: int, n_out: int, stride: int) -> "torch.nn.Module":
    nn = load_torch().nn
    Module: Any = nn.Module

    class Residual(Module):
        def __init__(self):
            super().__init__()
            self.main = nn.Sequential(
                nn.Conv1d(n_in, n_out, 3, stride, padding=1, bias=False),
                nn.BatchNorm1d(n_out),
                nn.ReLU(),
                nn.Conv1d(n_out, n_out, 3, padding=1, bias=False),
                nn.BatchNorm1d(n_out),
            )
            self.short = nn.Identity()
            if n_in != n_out:
                shortcut = nn.Conv1d(n_in, n_out, 1, stride, bias=False)
                self.short = nn.Sequential(shortcut, nn.BatchNorm1d(n_out))

        def forward(self, x: "torch.Tensor") -> "torch.Tensor":
            return nn.functional.relu(self.main(x) + self.short(x))

    return Residual()


def evaluate(kind: str, weights: Mapping[str, np.ndarray], X: np.ndarray) -> np.ndarray:
    """Output of a trained network, shape (n, n_omega), in the unit of Y.

    Parameters
    ----------
    kind
        One of :data:`KINDS`.
    weights
        The ``weights_`` of a fitted estimator.
    X
        g(r), shape (n, n_r).

    Examples
    --------
    >>> from glassdata.cnn import ConvolutionalNetwork
    >>> X, Y = np.random.default_rng(0).random((6, 20)), np.ones((6, 3))
    >>> network = ConvolutionalNetwork(max_epochs=1).fit(X, Y)
    >>> evaluate("spramnet", network.weights_, X).shape
    (6, 3)
    """
    torch = load_torch()
    layers = {n: torch.from_numpy(v) for n, v in weights.items() if n not in SCALES}
    convolutions = [v for n, v in weights.items() if n.endswith("weight") and v.ndim == 3]
    size = {"width": len(convolutions[0]), "depth": len(convolutions)}
    net = build(kind, X.shape[1], len(weights["y_mean"]), **size).double()
    # Not strict: the counters of batches are of no use here.
    net.load_state_dict(layers, strict=False)
    net.eval()
    x = (features(kind, X) - weights["x_mean"]) / weights["x_scale"]
    with reproducible(0), torch.inference_mode():
        return net(torch.from_numpy(x)).numpy() * weights["y_scale"] + weights["y_mean"]


def features(kind: str, X: np.ndarray) -> np.ndarray:
    """The input that a network gets for g(r) of shape (n, n_r)."""
    if kind == "residual":
        X = np.log(np.maximum(X, SMALLEST_G))
    return np.pad(X, ((0, 0), (0, max(FEWEST_BINS - X.shape[1], 0))))


@contextmanager
def reproducible(seed: int) -> Iterator[None]:
    """One thread and the given seed within; afterwards PyTorch is in the state it had before."""
    torch = load_torch()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def load_torch() -> Any:
    """PyTorch, or an ImportError that says how to get it."""
    try:
        import torch
    except ImportError as missing:
        raise ImportError(
            "the convolutional network needs PyTorch: make cnn, or pip install torch==2.13.0"
        ) from missing
    return torch
