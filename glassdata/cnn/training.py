"""Training of the networks, as a scikit-learn estimator."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Self

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted, validate_data
from tqdm import tqdm

from glassdata.cnn.layers import (
    FEWEST_BINS,
    KINDS,
    SCALES,
    WIDTH,
    build,
    evaluate,
    features,
    load_torch,
    reproducible,
    shapes,
)
from glassdata.regression import Regression, check_arrays, whole_number
from glassdata.tuning import GroupFolds


class ConvolutionalNetwork(Regression):
    """A convolutional network, stopped early on held-out groups and trained again on everything.

    ``"spramnet"`` is the network of arXiv 2410.03116, Conv1d(1 → 64, 3), ReLU, MaxPool(2),
    50 hidden units, ReLU: 162,206 parameters for 100 and 100 bins. ``"residual"`` works on log g:
    Conv1d(1 → 64, 11, stride 4), residual blocks of 64 and 128 channels, dropout of a half. Its
    last layer is not described there; here it gets all positions. For both, X and Y are centred by
    the training mean and divided by one number each.

    The squared error is minimised with Adam in batches. Each of ``weight_decays`` is tried on
    the same split by groups; training stops when the held-out error has not fallen for
    ``patience`` epochs. The decay and the number of epochs that did best are then used to train
    a fresh network on all structures. The same seed gives the same weights on the same machine
    and version of PyTorch.

    ``fit(X, Y, groups=None)`` takes g(r), shape (n, n_r), spectra, shape (n, n_omega), and the
    family of each structure, (n,). Without ``groups`` every structure counts as independent.

    Parameters
    ----------
    kind
        ``"spramnet"`` or ``"residual"``.
    learning_rate, batch_size, max_epochs
        1e-3, 10 and 1000 as published.
    patience
        Epochs without improvement before training stops.
    validation_fraction
        Share of the groups held out to stop on; 0 trains for ``max_epochs`` on everything.
    weight_decays
        Decoupled weight decays to choose from, per unit of learning rate.
    width, depth
        Channels and number of the convolutions of ``"spramnet"``; 64 and 1 as published. A network
        of another size cannot be written to a model file.
    settings
        Mappings of ``width``, ``depth``, ``learning_rate``, ``batch_size`` and ``weight_decay`` to
        choose from, in place of ``weight_decays``; those that a mapping lacks are as given above.
    seed
        Seed of the first weights, the batches, the dropout and the held-out groups.
    progress
        Whether to show a bar of epochs; None shows it on a terminal only.

    Attributes
    ----------
    weights_ : dict of ndarray
        Weights by layer, with the scales of X and Y.
    n_parameters_ : int
        Number of trained weights.
    n_epochs_ : int
        Epochs of the final training.
    weight_decay_ : float
    settings_ : dict
        What was chosen, of ``settings`` or of ``weight_decays``.
    history_ : dict of ndarray
        Mean squared error per output and epoch, in units of the variance of Y: ``training`` and
        ``validation`` of the chosen decay, ``final`` of the last training.

    Raises
    ------
    ImportError
        On ``fit`` and ``predict`` without PyTorch.
    ValueError
        On ``fit`` and ``predict`` for bad arrays or settings.

    Examples
    --------
    >>> X, Y = np.random.default_rng(0).random((8, 20)), np.ones((8, 3))
    >>> network = ConvolutionalNetwork(max_epochs=2, seed=1)
    >>> network.fit(X, Y, groups=np.arange(8) // 2).predict(X).shape
    (8, 3)
    """

    def __init__(
        self,
        kind: str = "spramnet",
        *,
        learning_rate: float = 1e-3,
        batch_size: int = 10,
        max_epochs: int = 1000,
        patience: int = 50,
        validation_fraction: float = 0.2,
        weight_decays: Sequence[float] = (0.0,),
        width: int = WIDTH,
        depth: int = 1,
        settings: Sequence[Mapping[str, float]] = (),
        seed: int = 0,
        progress: bool | None = False,
    ):
        self.kind = kind
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.weight_decays = weight_decays
        self.width = width
        self.depth = depth
        self.settings = settings
        self.seed = seed
        self.progress = progress

    def fit(
        self, X: np.ndarray, Y: np.ndarray, groups: Sequence | None = None
    ) -> "ConvolutionalNetwork":
        """Choose decay and epochs on held-out groups, then train on everything."""
        self._check()
        X, Y = validate_data(self, X, Y, multi_output=True, y_numeric=True, dtype=float)
        if len(X) < 2:
            raise ValueError(f"a network needs two structures, got n_samples = {len(X)}")
        scales, x, y = self._scaled(X, np.asarray(Y, float))
        with reproducible(self.seed):
            self.settings_, epochs, history = self._choose(x, y, groups)
            trainer = self._trainer(x, y, self.settings_)
            final = [error for error, _ in zip(trainer.epochs(), range(epochs), strict=False)]
        self.weights_ = trainer.weights() | scales
        trained = [n for n in self.weights_ if "running" not in n and n not in SCALES]
        self.n_parameters_ = sum(self.weights_[name].size for name in trained)
        self.n_epochs_, self.weight_decay_ = epochs, self.settings_["weight_decay"]
        self.history_ = history | {"final": np.array(final)}
        self.output_shape_ = np.shape(Y)[1:]
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Predictions, shape (n, n_omega), in the unit of Y; computed in double precision."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=float)
        return evaluate(self.kind, self.weights_, X).reshape(len(X), *self.output_shape_)

    @property
    def n_outputs_(self) -> int:
        """Number of bins of the spectra it was fitted to."""
        return self.weights_["y_mean"].size

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Weights and scales, the kind of network, and its number of bins of g(r).

        Settings that only matter for the training are left out.
        """
        check_is_fitted(self)
        if len(self.output_shape_) != 1:
            raise ValueError("the network was not fitted to spectra of shape (n, n_omega)")
        found = {n: v.shape for n, v in self.weights_.items() if n not in SCALES}
        if found != shapes(self.kind, self.n_features_in_, self.n_outputs_):
            raise ValueError("a network of another size than the published cannot be written")
        facts = {"kind": np.array(float(KINDS.index(self.kind)))}
        facts["n_features_in"] = np.array(float(self.n_features_in_))
        return facts | {name: np.array(value, float) for name, value in self.weights_.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The network of these arrays; PyTorch is not needed for this.

        Raises
        ------
        ValueError
            Naming the array that is missing, superfluous or does not fit.
        """
        scalars = dict.fromkeys(("kind", "n_features_in"), ())
        found = {name: arrays[name] for name in scalars if name in arrays}
        check_arrays("network", found, scalars)
        number, n_r = (whole_number(name, float(found[name]), smallest=0) for name in scalars)
        if not (number < len(KINDS) and n_r >= 1):
            raise ValueError(f"there is no network {number} for {n_r} bins of g(r)")
        kind = KINDS[number]
        weights = {name: v for name, v in arrays.items() if name not in scalars}
        n_omega = np.size(weights.get("y_mean", 0))
        scales = [(max(n_r, FEWEST_BINS),), (1,), (n_omega,), (1,)]
        expected = dict(zip(SCALES, scales, strict=True)) | shapes(kind, n_r, n_omega)
        check_arrays(f"{kind} network", weights, expected)
        for name, values in weights.items():
            if name.endswith(("_scale", "running_var")) and not np.all(values >= 0):
                raise ValueError(f"{name} must not be negative")
        if not weights["x_scale"] > 0:
            raise ValueError("x_scale must be positive")
        network = cls(kind)
        network.weights_ = {name: np.array(values, float) for name, values in weights.items()}
        network.n_features_in_ = n_r
        network.output_shape_ = (n_omega,)
        return network

    def _check(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {self.kind!r}")
        for name in ("learning_rate", "batch_size", "max_epochs", "patience", "width", "depth"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")
        if not 0 <= self.validation_fraction <= 0.5:
            raise ValueError(
                f"validation_fraction must be 0 to 0.5, got {self.validation_fraction}"
            )
        if not len(self.weight_decays) or min(self.weight_decays) < 0:
            raise ValueError(f"weight_decays must be 0 or more, got {self.weight_decays}")

    def _scaled(self, X, Y) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        inputs, outputs = features(self.kind, X), Y.reshape(len(Y), -1)
        scales = {}
        for name, values in (("x", inputs), ("y", outputs)):
            scales[f"{name}_mean"] = values.mean(axis=0)
            scales[f"{name}_scale"] = np.array([np.sqrt(values.var(axis=0).mean()) or 1.0])
        x = (inputs - scales["x_mean"]) / scales["x_scale"]
        return scales, x, (outputs - scales["y_mean"]) / scales["y_scale"]

    def _choose(self, x, y, groups) -> tuple[dict[str, float], int, dict[str, np.ndarray]]:
        """Best settings, their number of epochs and their history."""
        tried: list[dict[str, float]] = [{"weight_decay": decay} for decay in self.weight_decays]
        if self.settings:
            tried = [{"weight_decay": 0.0} | dict(one) for one in self.settings]
        if self.validation_fraction == 0:
            return tried[0], self.max_epochs, {}
        folds = GroupFolds(round(1 / self.validation_fraction), self.seed)
        train, held_out = next(folds.split(x, groups=groups))
        best: tuple[float, dict[str, float], int, dict] = (np.inf, tried[0], 1, {})
        for settings in tried:
            trainer = self._trainer(x[train], y[train], settings)
            history = self._until_it_stops_helping(trainer, x[held_out], y[held_out])
            epochs = int(np.argmin(history["validation"])) + 1
            error = history["validation"][epochs - 1]
            if error < best[0]:
                best = (error, settings, epochs, history)
        return best[1:]

    def _trainer(self, x, y, settings: Mapping[str, float]) -> "_Trainer":
        others = {name: value for name, value in settings.items() if name != "weight_decay"}
        network = clone(self).set_params(settings=(), **others)
        return _Trainer(network, x, y, settings["weight_decay"])

    def _until_it_stops_helping(self, trainer: "_Trainer", x, y) -> dict[str, np.ndarray]:
        training, validation, best = [], [], 0
        for error in trainer.epochs():
            training.append(error)
            validation.append(trainer.error(x, y))
            if validation[-1] < validation[best]:
                best = len(validation) - 1
            if len(validation) - 1 - best >= self.patience or len(validation) >= self.max_epochs:
                break
        return {"training": np.array(training), "validation": np.array(validation)}


class _Trainer:
    """A fresh network, its optimiser and its data."""

    def __init__(self, settings: ConvolutionalNetwork, x, y, decay: float):
        torch = load_torch()
        self.x = torch.as_tensor(x, dtype=torch.float32)
        self.y = torch.as_tensor(y, dtype=torch.float32)
        self.settings = settings
        size = {"width": settings.width, "depth": settings.depth}
        self.net = build(settings.kind, x.shape[1], y.shape[1], **size)
        self.optimiser = torch.optim.AdamW(
            self.net.parameters(), lr=settings.learning_rate, weight_decay=decay, fused=True
        )

    def epochs(self) -> Iterator[float]:
        """Train, one epoch at a time; yields the mean training error of the epoch."""
        torch = load_torch()
        n_batches = math.ceil(len(self.x) / self.settings.batch_size)
        shown = self.settings.progress
        bar = tqdm(unit="epoch", disable=None if shown is None else not shown)
        with bar:
            for _ in count():
                self.net.train()
                total = 0.0
                # Batches of nearly equal size: none of a single structure.
                for batch in torch.randperm(len(self.x)).tensor_split(n_batches):
                    self.optimiser.zero_grad()
                    loss = torch.mean((self.net(self.x[batch]) - self.y[batch]) ** 2)
                    loss.backward()
                    self.optimiser.step()
                    total += float(loss.detach()) * len(batch)
                bar.update()
                yield total / len(self.x)

    def error(self, x, y) -> float:
        """Mean squared error on other structures."""
        torch = load_torch()
        self.net.eval()
        with torch.inference_mode():
            guess = self.net(torch.as_tensor(x, dtype=torch.float32)).numpy()
        return float(np.mean((guess - y) ** 2))

    def weights(self) -> dict[str, np.ndarray]:
        state = self.net.state_dict()
        return {n: v.numpy().astype(float) for n, v in state.items() if "num_batches" not in n}
