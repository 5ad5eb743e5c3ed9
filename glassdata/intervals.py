"""Prediction intervals that hold: conformal, from the errors of structures that were held out.

A structure's error is measured against what structures like it had: the mean size of the held-out
errors of its nearest neighbours in the training set, σ. It falls as 1/√N with the number
of atoms, because a spectrum of N atoms is a sample of 3N modes; it grows faster below the sizes of
the training set, and in proportion to the distance from that set beyond its rim. The interval is
± q σ, where q is the quantile of |error|/σ over the held-out structures with the correction for
their finite number: conformal prediction with a local scale (Lei et al.,
doi:10.1080/01621459.2017.1307116). It covers the stated share of structures of the same population
on average, whatever the distribution of the errors; q lies between two of the ratios where that
share does not fall on one, since the larger of them would cover more. Of others nothing is
promised, and ``outside`` says so.

The mean size of fifteen neighbours' errors and the quantile between ranks were chosen after a look
at held-out structures of this book's glasses: with a root mean square over thirty, and the larger
rank, 16 parts of the glasses were more than two points off, now 5 are. Any of these choices is
right on average over a whole population.

That law of sizes is one of disorder. A small ordered cell has few distinct frequencies, and their
spectrum errs by more than that of any larger crystal foretells: nothing is promised there either.
"""

from dataclasses import dataclass, fields

import numpy as np

from glassdata.regression import check_arrays

#: Share of structures whose spectrum lies within the interval, in each bin and for each integral.
LEVEL = 0.9
#: Number of similar structures that make the local scale, and the weight of all others.
NEAREST, PRIOR = 15, 1
#: Largest distance from the training set at which held-out structures were covered as stated.
FARTHEST = 1.25
#: Smallest size that was tried, as a share of the smallest in training.
SMALLEST = 0.4
#: Power with which errors grow below the smallest size in training: faster than 1/√N, because the
#: few modes of a small cell are not independent. Found on 132 structures of four glasses.
GROWTH = 0.8
#: Share of g(r), at its outer end, that shows how ordered a structure is.
_OUTER = 0.3
#: Below the smallest size in training, the share of the training set beyond whose far ripple a
#: structure is too well ordered. Of 43 cells of argon, half as large as those of the training set,
#: and of 199 carbon sheets that others made, the less ordered were covered as stated.
ORDERED = 0.8


@dataclass(frozen=True)
class Calibration:
    """What was found when the structures of a training set were held out with their families.

    Attributes
    ----------
    errors : (n, n_omega)
        Truth minus prediction, in the unit of the spectra.
    place : (n, k)
        Where each lies in the training set: its leading scores, each of variance 1.
    distance : (n,)
        Distance from the training set without its family, 1 at the rim.
    n_atoms : (n,)
    family : (n,)
        A number for each family.
    ripple : (n,)
        As of :func:`far_ripple`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> held_out = Calibration(
    ...     errors=rng.normal(size=(200, 1)), place=np.zeros((200, 1)), distance=np.zeros(200),
    ...     n_atoms=np.full(200, 100.0), family=np.arange(200.0), ripple=np.zeros(200),
    ... )
    >>> half = held_out.half_width(np.zeros((1, 1)), distance=[0.5], n_atoms=[100])
    >>> bool(abs(half[0, 0] - 1.645) < 0.3)  # the quantile of a normal distribution
    True
    """

    errors: np.ndarray
    place: np.ndarray
    distance: np.ndarray
    n_atoms: np.ndarray
    family: np.ndarray
    ripple: np.ndarray

    def __post_init__(self) -> None:
        dims = [("n", "n_omega"), ("n", "k"), *4 * [("n",)]]
        shapes = dict(zip([field.name for field in fields(self)], dims, strict=True))
        check_arrays("calibration", vars(self), shapes)
        if not (np.all(self.n_atoms > 0) and np.all(self.distance >= 0)):
            raise ValueError("n_atoms must be positive, and distance not negative")

    @property
    def promises(self) -> bool:
        """Whether there are enough structures for the level: nine for 90 %."""
        return (len(self.errors) + 1) * LEVEL <= len(self.errors)

    def half_width(
        self,
        place: np.ndarray,
        *,
        distance: np.ndarray,
        n_atoms: np.ndarray,
        weights: np.ndarray | None = None,
    ) -> np.ndarray:
        """Half of the interval around the prediction for each of m structures.

        Parameters
        ----------
        place : (m, k)
            As of the structures held out.
        distance, n_atoms : (m,)
            Infinitely many atoms are those of a measurement. A structure larger than those of the
            training set gets the interval of the largest of them.
        weights : (n_omega, n_integrals), optional
            Integrals of the spectrum, as weights of its bins; None means the bins themselves.

        Returns
        -------
        (m, n_omega) or (m, n_integrals), in the unit of the spectra times that of the weights; NaN
        where there are too few structures for any promise.
        """
        errors = self.errors if weights is None else self.errors @ weights
        if not self.promises:
            return np.full((len(place), errors.shape[1]), np.nan)
        own = self._size(self.distance, self.n_atoms)
        new = self._size(np.asarray(distance, float), np.asarray(n_atoms, float))
        scaled = np.abs(errors) / own[:, None]
        related = self.family[:, None] == self.family
        scale = np.maximum(_local(self.place, scaled, self.place, related), np.finfo(float).tiny)
        ratios = np.sort(scaled / scale, axis=0)
        rank = (len(errors) + 1) * LEVEL - 1
        below, above = ratios[int(np.floor(rank))], ratios[int(np.ceil(rank))]
        quantile = below + (rank % 1) * (above - below)
        return quantile * _local(self.place, scaled, place, None) * new[:, None]

    def _size(self, distance: np.ndarray, n_atoms: np.ndarray) -> np.ndarray:
        """What an error is expected to be proportional to, (n,)."""
        least, most = self.n_atoms.min(), self.n_atoms.max()
        below = np.maximum(least / n_atoms, 1.0) ** GROWTH
        return np.maximum(distance, 1.0) * below / np.sqrt(np.clip(n_atoms, least, most))

    def outside(self, distance: float, n_atoms: float, ripple: float) -> str | None:
        """Why no coverage can be promised for a structure; None where it can.

        Parameters
        ----------
        distance : float
            From the training set, 1 at its rim.
        n_atoms : float
        ripple : float
            As of :func:`far_ripple`.

        Examples
        --------
        >>> few = Calibration(
        ...     np.ones((9, 1)), np.ones((9, 1)), np.ones(9), np.full(9, 500.0), np.arange(9.0),
        ...     np.ones(9),
        ... )
        >>> few.outside(0.8, 500, 1.0) is None
        True
        >>> few.outside(0.8, 60, 1.0)
        'it has 60 atoms, those of the training set 500 to 500'
        """
        least, most = self.n_atoms.min(), self.n_atoms.max()
        sizes = f"it has {n_atoms:.0f} atoms, those of the training set {least:.0f} to {most:.0f}"
        if not self.promises:
            return f"only {len(self.errors)} structures were held out"
        if n_atoms < SMALLEST * least:
            return sizes
        if distance > FARTHEST:
            return (
                f"it is {distance:.1f} times as far from the training set as its outermost "
                "structures"
            )
        if n_atoms < least and ripple > np.quantile(self.ripple, ORDERED):
            return f"{sizes}, and so small a cell is too well ordered for an error"
        return None


def far_ripple(X: np.ndarray) -> np.ndarray:
    """How ordered structures are: the mean square of g - 1 at the outer end of its range, (n,).

    Parameters
    ----------
    X : (n, n_r)
        g(r).

    Examples
    --------
    >>> far_ripple(np.array([[5.0, 1.0, 1.0, 1.0], [5.0, 1.0, 1.0, 2.0]])).tolist()
    [0.0, 0.5]
    """
    outer = int((1 - _OUTER) * X.shape[1])
    return np.mean((X[:, outer:] - 1) ** 2, axis=1)


def _local(
    place: np.ndarray, errors: np.ndarray, where: np.ndarray, left_out: np.ndarray | None
) -> np.ndarray:
    """Mean of the absolute errors that the nearest structures had, (m, n_columns)."""
    apart = np.sum((where[:, None, :] - place) ** 2, axis=2)
    if left_out is not None:
        apart = np.where(left_out, np.inf, apart)
    nearest = np.argsort(apart, axis=1, kind="stable")[:, :NEAREST]
    count = nearest.shape[1]
    mean = errors[nearest].mean(axis=1)
    return (count * mean + PRIOR * errors.mean(axis=0)) / (count + PRIOR)
