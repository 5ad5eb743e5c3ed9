"""What DFT says of potentials, and how small the error of a line is beside theirs.

One unit for all: the Wasserstein distance of two spectra, in THz, or as a share of the root mean
square frequency. It is by how much the n-th mode of one is off the n-th of the other, on average.

>>> list(CORRECTIONS)
['one factor', 'factor and shift', 'parabola']
"""

from collections.abc import Mapping

import numpy as np

from glassdata import models
from glassdata.curvature import Spectrum, of_modes
from glassdata.structures import Dataset

#: Points of a spectrum, at equal shares of its modes.
_POINTS = 1000
_SHARES = (np.arange(_POINTS) + 0.5) / _POINTS
#: Corrections that are fitted to the other glasses, by the degree of their polynomial.
CORRECTIONS: Mapping[str, tuple[int, ...]] = {
    "one factor": (1,),
    "factor and shift": (1, 0),
    "parabola": (2, 1, 0),
}

_FOLDS = 5
#: Factors of frequencies that are tried between two potentials.
_FACTORS = np.linspace(0.7, 1.4, 141)

Results = Mapping[str, Mapping[str, np.ndarray]]


def in_order(spectrum: Spectrum) -> np.ndarray:
    """Frequencies at equal shares of the modes, (1000,), THz, ascending.

    Parameters
    ----------
    spectrum : Spectrum

    Examples
    --------
    >>> found = in_order(of_modes(np.arange(100.0)))
    >>> bool(abs(found.mean() - 49.5) < 0.01)
    True
    """
    order = np.argsort(spectrum.frequency)
    weight = spectrum.weight[order]
    # A weight is spread to both sides of its frequency.
    below = (np.cumsum(weight) - weight / 2) / weight.sum()
    return np.interp(_SHARES, below, spectrum.frequency[order])


def pairs(
    results: Results, potential: str, place: str = "at_rest"
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Frequencies of a potential and of DFT, both in order, for each glass.

    Parameters
    ----------
    results
        Of the experiment ``potentials``.
    potential
        Name.
    place
        ``"at_rest"`` in the potential, or ``"as_given"``, where DFT is at rest.

    Examples
    --------
    >>> one = {"frequency": np.arange(3.0), "pdos": np.ones(3), "at_rest": np.arange(6.0)}
    >>> [curve.shape for curve in pairs({"SiO2.nep89": one}, "nep89")["SiO2"]]
    [(1000,), (1000,)]
    """
    return {
        name.removesuffix(f".{potential}"): (
            in_order(of_modes(one[place])),
            in_order(Spectrum(one["frequency"], one["pdos"])),
        )
        for name, one in results.items()
        if name.endswith(f".{potential}") and place in one
    }


def apart(curves: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Distance of both spectra of each glass, THz.

    Examples
    --------
    >>> apart({"SiO2": (np.zeros(4), np.full(4, 2.0))})
    {'SiO2': 2.0}
    """
    return {name: float(np.abs(one - truth).mean()) for name, (one, truth) in curves.items()}


def softness(curves: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Mean square frequency over that of DFT, for each glass; imaginary modes subtract.

    Examples
    --------
    >>> softness({"SiO2": (np.full(4, 3.0), np.full(4, 6.0))})
    {'SiO2': 0.25}
    """

    def mean_square(nu: np.ndarray) -> float:
        return float(np.mean(np.sign(nu) * nu**2))

    return {n: mean_square(one) / mean_square(truth) for n, (one, truth) in curves.items()}


def corrected(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]], how: str
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Spectra of a potential after a correction that was fitted to the other glasses alone.

    Parameters
    ----------
    curves
        What ``pairs`` returns.
    how
        One of :data:`CORRECTIONS`: frequencies are put into a polynomial, whose coefficients are
        fitted by least squares, the n-th mode to the n-th mode.

    Examples
    --------
    >>> curves = {k: (np.arange(4.0), 2 * np.arange(4.0)) for k in "abc"}
    >>> apart(corrected(curves, "one factor"))["a"] < 1e-12
    True
    """
    powers = CORRECTIONS[how]
    found = {}
    for name, (one, truth) in curves.items():
        others = [both for other, both in curves.items() if other != name]
        known, target = (np.concatenate([both[k] for both in others]) for k in (0, 1))
        matrix = np.stack([known**power for power in powers], axis=1)
        weights = np.linalg.lstsq(matrix, target, rcond=None)[0]
        found[name] = np.stack([one**power for power in powers], axis=1) @ weights, truth
    return found


def best_factor(curves: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Distance after the best factor of each glass itself: no single factor can do better.

    Examples
    --------
    >>> best_factor({"SiO2": (np.arange(4.0), 2 * np.arange(4.0))})
    {'SiO2': 0.0}
    """
    factors = np.linspace(0.5, 2.0, 301)
    return {
        name: min(float(np.abs(factor * one - truth).mean()) for factor in factors)
        for name, (one, truth) in curves.items()
    }


def stretched(shares: np.ndarray, factor: float) -> np.ndarray:
    """Binned spectra after all frequencies were multiplied by a factor, (n, n_omega).

    Modes are spread evenly over their bin. What leaves the range is lost.

    Parameters
    ----------
    shares : (n, n_omega)
        Share of the modes in each of equal bins from zero.
    factor : float

    Examples
    --------
    >>> stretched(np.array([[0.5, 0.5, 0.0, 0.0]]), 2.0).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    edges = np.arange(shares.shape[1] + 1.0)
    below = np.concatenate([np.zeros((len(shares), 1)), np.cumsum(shares, axis=1)], axis=1)
    return np.diff([np.interp(edges / factor, edges, one) for one in below], axis=1)


def between_potentials(
    known: Mapping[str, tuple[np.ndarray, np.ndarray]], groups: np.ndarray, kinds: np.ndarray
) -> dict[tuple[str, str], dict[str, models.Evaluation]]:
    """Lines of one potential, and its spectra themselves, as guesses of another's spectra.

    Parameters
    ----------
    known : mapping of name to (g, shares)
        Of the same structures in each potential, (n, n_r) and (n, n_omega).
    groups : (n,)
        Families: all of one are held out together.
    kinds : (n,)
        How the structures were prepared.

    Returns
    -------
    dict
        For each pair of a source and a target: ``line``, the source's line on the source's g(r);
        ``stretched``, the same after its frequencies were multiplied by a factor; ``spectra``, the
        source's own spectra, so multiplied; ``home``, the line of the target; and ``kind``, the
        target's mean spectrum of the same kind. The factor is the one that suits the training
        families best. The baseline is their mean spectrum.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> g = rng.random((40, 5))
    >>> shares = g @ rng.random((5, 8))
    >>> both = {"a": (g, shares), "b": (g, 2 * shares)}
    >>> found = between_potentials(both, np.arange(40), np.arange(40) % 2)
    >>> found["a", "b"]["home"].r2 > 0.99
    True
    """
    found = {}
    for source, (g, D) in known.items():
        for target, (g_there, D_there) in known.items():
            if source == target:
                continue
            guesses: dict[str, np.ndarray] = {
                key: np.empty_like(D)
                for key in ("line", "stretched", "spectra", "home", "kind", "mean")
            }
            fold = np.empty(len(D), int)
            for number, (train, test) in enumerate(models.grouped_folds(groups, _FOLDS)):
                line = models.ridge().fit(g[train], D[train], groups=groups[train])
                home = models.ridge().fit(g_there[train], D_there[train], groups=groups[train])
                factor = _best_factor(D[train], D_there[train])
                fold[test] = number
                guesses["line"][test] = line.predict(g[test])
                guesses["stretched"][test] = stretched(line.predict(g[test]), factor)
                guesses["spectra"][test] = stretched(D[test], factor)
                guesses["home"][test] = home.predict(g_there[test])
                guesses["mean"][test] = D_there[train].mean(axis=0)
                for kind in np.unique(kinds[test]):
                    alike = D_there[train][kinds[train] == kind].mean(axis=0)
                    guesses["kind"][test[kinds[test] == kind]] = alike
            mean = guesses.pop("mean")
            found[source, target] = {
                key: models.Evaluation(D_there, guess, mean, fold, parameters=())
                for key, guess in guesses.items()
            }
    return found


def _best_factor(shares: np.ndarray, there: np.ndarray) -> float:
    """The factor of all frequencies that brings the mean spectra nearest to each other."""
    mean = shares.mean(axis=0, keepdims=True)
    errors = [np.sum((stretched(mean, f)[0] - there.mean(axis=0)) ** 2) for f in _FACTORS]
    return float(_FACTORS[int(np.argmin(errors))])


def of_line(data: Dataset) -> dict[str, float]:
    """Distances in one glass of the dataset, as shares of its root mean square frequency.

    Parameters
    ----------
    data : Dataset

    Returns
    -------
    dict
        Means over its amorphous structures: ``line``, of what the line predicts of families it has
        not seen; ``mean``, of the mean of the training structures; ``repeats``, of structures of
        equal preparation from the mean of the others, NaN where there are fewer than three.

    Examples
    --------
    >>> import glassdata as gd
    >>> found = of_line(gd.dataset("lj3d"))
    >>> found["line"] < found["mean"]
    True
    """
    held = models.cross_validate(models.ridge(), data.X, data.shares, data.groups)
    glassy = data.classes == "amorphous"
    again = data.shares[data.replicate & glassy]
    n, total = len(again), again.sum(axis=0)
    noise = np.nan
    if n > 2:
        noise = float(_between(again, (total - again) / (n - 1), data).mean())
    unit = float(np.sqrt(data.shares[glassy].mean(axis=0) @ data.omega**2))
    return {
        "line": float(_between(held.prediction, data.shares, data)[glassy].mean()) / unit,
        "mean": float(_between(held.baseline, data.shares, data)[glassy].mean()) / unit,
        "repeats": noise / unit,
    }


def _between(one: np.ndarray, other: np.ndarray, data: Dataset) -> np.ndarray:
    """Wasserstein distances of binned spectra (n, n_omega) with sums near 1, THz."""
    return np.abs(np.cumsum(one - other, axis=1)) @ np.diff(data.omega_edges)
