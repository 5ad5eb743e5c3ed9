"""Lowest-order response of g(r) and of the PDOS about a crystal: disorder alike in all directions.

Symmetry forbids a first order in the displacements (chapter 3). What remains is the mean second
order for independent displacements of equal variance, and the first order in a change of volume.
The two together give a line that is derived and not fitted.
"""

from dataclasses import dataclass

import numpy as np
from ase import Atoms

from glassdata.perturbation import Reference

#: Displacements (Å) and strains that are small for every glass here, and large against rounding.
_AMPLITUDE, _STRAIN = 3e-3, 1e-4
_DRAWS = 8


@dataclass(frozen=True)
class Response:
    """How both curves change in one direction, per unit of it: ``g`` (n_r,), ``pdos`` (n_omega,).

    Examples
    --------
    >>> one = Response(np.array([1.0, 0.0]), np.array([2.0]))
    >>> derived_line([one])  # two per unit of g in the first bin
    array([[2., 0.]])
    """

    g: np.ndarray
    pdos: np.ndarray


def disorder_response(
    reference: Reference,
    *,
    amplitude: float = _AMPLITUDE,
    draws: int = _DRAWS,
    seed: int = 0,
) -> Response:
    """Mean change of both curves by random displacements, per Å² of their variance.

    Every displacement is taken with both signs, so that odd orders cancel.

    Parameters
    ----------
    reference : Reference
        A crystal.
    amplitude : float, Å
        Standard deviation of each coordinate.
    draws : int
        Random displacements over which the mean is taken.
    seed : int

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> reference = Reference(argon.crystal() * (2, 2, 2), argon)
    >>> first_peak = int(reference.spectra[0].argmax())
    >>> bool(disorder_response(reference, draws=2).g[first_peak] < 0)  # it broadens
    True
    """
    rng = np.random.default_rng(seed)
    shape = (len(reference.atoms), reference.system.potential.dim)
    changes = []
    for _ in range(draws):
        push = amplitude * rng.normal(size=shape)
        changes += [reference.exact(push), reference.exact(-push)]
    return Response(
        np.mean([change.g for change in changes], axis=0) / amplitude**2,
        np.mean([change.pdos for change in changes], axis=0) / amplitude**2,
    )


def volume_response(reference: Reference, *, strain: float = _STRAIN) -> Response:
    """Change of both curves by a strain alike in all periodic directions, per unit of it.

    Parameters
    ----------
    reference : Reference
    strain : float
        Of the central difference.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> reference = Reference(argon.crystal() * (2, 2, 2), argon)
    >>> softer = volume_response(reference).pdos @ reference.omega  # a wider crystal is softer
    >>> bool(softer < 0)
    True
    """
    (g_out, D_out), (g_in, D_in) = (
        reference.curves(strained(reference.atoms, sign * strain)) for sign in (1, -1)
    )
    return Response((g_out - g_in) / (2 * strain), (D_out - D_in) / (2 * strain))


def strained(atoms: Atoms, strain: float) -> Atoms:
    """A copy whose periodic directions are stretched by ``1 + strain``, atoms included.

    Examples
    --------
    >>> from ase.build import bulk
    >>> round(float(strained(bulk("Ar", a=5.0, cubic=True), 0.01).cell[0, 0]), 6)
    5.05
    """
    stretched = atoms.copy()
    scale = np.where(atoms.pbc, 1 + strain, 1.0)
    stretched.set_cell(atoms.cell.array * scale, scale_atoms=True)
    return stretched


def derived_line(responses: list[Response]) -> np.ndarray:
    """The smallest line that maps each change of g(r) onto the change of the PDOS beside it.

    Parameters
    ----------
    responses
        Directions, fewer than bins of g(r).

    Returns
    -------
    (n_omega, n_r), 1/THz

    Examples
    --------
    >>> W = derived_line([Response(np.array([3.0, 4.0]), np.array([50.0]))])
    >>> W.round(9).tolist()  # 50 / (3² + 4²) times each
    [[6.0, 8.0]]
    """
    g = np.transpose([one.g for one in responses])
    pdos = np.transpose([one.pdos for one in responses])
    # Directions have units of their own, which must not decide their rank.
    size = np.linalg.norm(g, axis=0)
    return (pdos / size) @ np.linalg.pinv(g / size)


def mean_error(reference: Reference, line: np.ndarray, amplitude: float, *, seed: int = 1) -> float:
    """Relative error of the change of the PDOS that a line reads off the change of g(r).

    Parameters
    ----------
    reference : Reference
        A crystal.
    line : (n_omega, n_r)
    amplitude : float, Å
        Standard deviation of each coordinate in one random displacement of the crystal.
    seed : int

    Returns
    -------
    float, 0 where the line is exact, 1 if it is as wrong as no change at all.

    Examples
    --------
    >>> import glassdata as gd
    >>> argon = gd.SYSTEMS["lj3d"]
    >>> reference = Reference(argon.crystal() * (2, 2, 2), argon)
    >>> no_line = np.zeros((len(reference.omega), len(reference.r)))
    >>> mean_error(reference, no_line, amplitude=0.01)
    1.0
    """
    rng = np.random.default_rng(seed)
    shape = (len(reference.atoms), reference.system.potential.dim)
    change = reference.exact(amplitude * rng.normal(size=shape))
    rest = change.pdos - line @ change.g
    return float(np.linalg.norm(rest) / np.linalg.norm(change.pdos))


__all__ = [
    "Response",
    "derived_line",
    "disorder_response",
    "mean_error",
    "strained",
    "volume_response",
]
