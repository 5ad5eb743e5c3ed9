"""Analytic EAM of Zhou, Johnson and Wadley, Phys. Rev. B 69, 144113 (2004).

doi:10.1103/PhysRevB.69.144113. Each element has one set of numbers. Alloys follow from the mixing
rule of Johnson, so that there is a potential for any combination of these metals.

>>> zhou_eam(("Cu", "Zr"), r_on=6.5, r_cut=7.5).source
'Zhou, Johnson, Wadley, Phys. Rev. B 69, 144113 (2004); faded between 6.5 and 7.5 Å'
"""

from types import SimpleNamespace

import numpy as np

from glassdata.potentials.eam import EAM, Tables

SOURCE = "Zhou, Johnson, Wadley, Phys. Rev. B 69, 144113 (2004)"

# re/Å, fe, rho_e, rho_s, alpha, beta, A/eV, B/eV, kappa, lambda
_SHAPE = {
    "Cu": (2.556162, 1.554485, 21.175871, 21.175395, 8.127620, 4.334731, 0.396620, 0.548085, 0.308782, 0.756515),
    "Al": (2.863924, 1.403115, 20.418205, 23.195740, 6.613165, 3.527021, 0.314873, 0.365551, 0.379846, 0.759692),
    "Zr": (3.199978, 2.230909, 30.879991, 30.879991, 8.559190, 4.564902, 0.424667, 0.640054, 0.5, 1.0),
    "Co": (2.505979, 1.975299, 27.206789, 27.206789, 8.679625, 4.629134, 0.421378, 0.640107, 0.5, 1.0),
    "Fe": (2.481987, 1.885957, 20.041463, 20.041463, 9.818270, 5.236411, 0.392811, 0.646243, 0.170306, 0.340613),
    "Ni": (2.488746, 2.007018, 27.562015, 27.562031, 8.383453, 4.471175, 0.429046, 0.633531, 0.443599, 0.820658),
    "Pd": (2.750897, 1.595417, 21.335246, 21.940073, 8.697397, 4.638612, 0.406763, 0.598880, 0.397263, 0.754799),
}  # fmt: skip

# Fi0..Fi3, Fm0, Fm2, Fm3, eta, Fn; all but eta in eV (Fm1 = 0)
_EMBEDDING = {
    "Cu": (-2.170269, -0.263788, 1.088878, -0.817603, -2.19, 0.561830, -2.100595, 0.310490, -2.186568),
    "Al": (-2.807602, -0.301435, 1.258562, -1.247604, -2.83, 0.622245, -2.488244, 0.785902, -2.824528),
    "Zr": (-4.485793, -0.293129, 0.990148, -3.202516, -4.51, 0.928602, -0.981870, 0.597133, -4.509025),
    "Co": (-2.541799, -0.219415, 0.733381, -1.589003, -2.56, 0.705845, -0.687140, 0.694608, -2.559307),
    "Fe": (-2.534992, -0.059605, 0.193065, -2.282322, -2.54, 0.200269, -0.148770, 0.391750, -2.539945),
    "Ni": (-2.693513, -0.076445, 0.241442, -2.375626, -2.70, 0.265390, -0.152856, 0.445470, -2.7),
    "Pd": (-2.321006, -0.473983, 1.615343, -0.231681, -2.36, 1.481742, -1.675615, 1.130000, -2.352753),
}  # fmt: skip

_SHAPE_NAMES = ("re", "fe", "rho_e", "rho_s", "alpha", "beta", "A", "B", "kappa", "lambda_")
_N_GRID = 4000


def zhou_eam(symbols: tuple[str, ...], *, r_on: float, r_cut: float) -> EAM:
    """EAM potential of these metals, its functions brought smoothly to zero.

    Parameters
    ----------
    symbols : tuple of str
        Any of Cu, Al, Zr, Co, Fe, Ni, Pd.
    r_on, r_cut : float, Å
        φ and f are multiplied by a fifth-order polynomial that falls from 1 to 0 between these,
        with two continuous derivatives. The customary sharp cut at √10/2 of the largest lattice
        constant would sit on the fifth fcc shell and spoil phonons.

    Returns
    -------
    EAM
        Energies in eV, from tables of 4001 points.

    Raises
    ------
    ValueError
        For an element without parameters or an empty window.

    Examples
    --------
    The cohesive energy of copper, published as 3.54 eV:

    >>> from ase.build import bulk
    >>> from glassdata.potentials import zhou_eam
    >>> copper = zhou_eam(("Cu",), r_on=11.0, r_cut=12.0)
    >>> energy, _ = copper.evaluate(bulk("Cu", a=3.615))
    >>> round(energy, 3)
    -3.54
    """
    unknown = [symbol for symbol in symbols if symbol not in _SHAPE]
    if unknown:
        raise ValueError(f"Zhou 2004 EAM has {', '.join(_SHAPE)}, not {', '.join(unknown)}")
    if not 0 < r_on < r_cut:
        raise ValueError(f"Zhou 2004 EAM needs 0 < r_on < r_cut, got {r_on} and {r_cut}")
    elements = [SimpleNamespace(**dict(zip(_SHAPE_NAMES, _SHAPE[s], strict=True))) for s in symbols]
    r = np.linspace(0.0, r_cut, _N_GRID + 1)
    bare = np.array([_density(r, element) for element in elements])
    own = np.array([_own_pair(r, element) for element in elements])
    pair = np.array([[_mixed(bare, own, a, b) for b in range(len(own))] for a in range(len(own))])
    # Only overlapping atoms would have more than three times the equilibrium density. The
    # logarithmic branch is smooth there, so that the grid can end.
    rho = np.linspace(0.0, 5 * max(element.rho_e for element in elements), _N_GRID + 1)
    embedding = np.array(
        [_embedding(rho, e, _EMBEDDING[s]) for e, s in zip(elements, symbols, strict=True)]
    )
    fade = _fade(r, r_on, r_cut)
    tables = Tables(embedding, bare * fade, r * pair * fade, rho[1], r[1])
    source = f"{SOURCE}; faded between {r_on} and {r_cut} Å"
    return EAM(tuple(symbols), r_cut, source, tables)


def _fade(r: np.ndarray, r_on: float, r_cut: float) -> np.ndarray:
    x = np.clip((r - r_on) / (r_cut - r_on), 0.0, 1.0)
    return 1 - x**3 * (10 - 15 * x + 6 * x**2)


def _screened(r: np.ndarray, e: SimpleNamespace, decay: float, centre: float) -> np.ndarray:
    x = r / e.re
    return np.exp(-decay * (x - 1)) / (1 + (x - centre) ** 20)


def _density(r: np.ndarray, e: SimpleNamespace) -> np.ndarray:
    return e.fe * _screened(r, e, e.beta, e.lambda_)


def _own_pair(r: np.ndarray, e: SimpleNamespace) -> np.ndarray:
    repulsion = e.A * _screened(r, e, e.alpha, e.kappa)
    return repulsion - e.B * _screened(r, e, e.beta, e.lambda_)


def _mixed(bare: np.ndarray, own: np.ndarray, a: int, b: int) -> np.ndarray:
    return 0.5 * (bare[b] / bare[a] * own[a] + bare[a] / bare[b] * own[b])


def _embedding(rho: np.ndarray, e: SimpleNamespace, numbers: tuple[float, ...]) -> np.ndarray:
    inner, (fm0, fm2, fm3, eta, fn) = numbers[:4], numbers[4:]
    below = np.polynomial.polynomial.polyval(rho / (0.85 * e.rho_e) - 1, inner)
    near = np.polynomial.polynomial.polyval(rho / e.rho_e - 1, (fm0, 0.0, fm2, fm3))
    ratio = np.maximum(rho, 0.85 * e.rho_e) / e.rho_s
    above = fn * (1 - eta * np.log(ratio)) * ratio**eta
    return np.where(rho < 0.85 * e.rho_e, below, np.where(rho < 1.15 * e.rho_e, near, above))
