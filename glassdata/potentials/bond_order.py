"""Bond-order potentials of Tersoff and of Brenner (Erhart-Albe).

    E = ½ Σ_p F(r_p, ξ_p),   F = f_c(r) [A e^{-λr} − b(ξ) B e^{-μr}],   b = χ (1 + (βξ)ⁿ)^{-1/2n}
    ξ_p = Σ_q f_c(r_q) g(cos θ_pq),   g(cos θ) = γ {1 + c²/d² − c²/[d² + (h − cos θ)²]}

with p = (i, j) and q = (i, k) the bonds at one atom. In ξ_p the cut-off function and the angular
parameters γ, c, d, h are those of q, the bond of the *third* atom; all others are those of p.
Tersoff gives c, d and h to the atom i at the centre (and γ = 1), so that for his sets the
difference does not show. Brenner's form is the same function in other letters, and is translated
on construction. Terms with λ₃ ≠ 0 are not supported.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np
from ase.calculators.calculator import Calculator
from matscipy.calculators.manybody.explicit_forms import tersoff_brenner
from numba import njit
from scipy import sparse

from glassdata.potentials.base import Bonds, Potential, from_blocks

#: Tersoff, Phys. Rev. B 39, 5566 (1989), doi:10.1103/PhysRevB.39.5566; its carbon is the carbon
#: of Phys. Rev. Lett. 61, 2879 (1988).
TERSOFF_1989 = MappingProxyType(tersoff_brenner.Tersoff_PRB_39_5566_Si_C)

#: Erhart and Albe, Phys. Rev. B 71, 035211 (2005), doi:10.1103/PhysRevB.71.035211.
ERHART_ALBE_2005 = MappingProxyType(tersoff_brenner.Erhart_PRB_71_035211_SiC)

#: Carbon optimised for phonons: Lindsay and Broido, Phys. Rev. B 81, 205441 (2010),
#: doi:10.1103/PhysRevB.81.205441. Only the C entries of B and h differ from Tersoff's.
LINDSAY_BROIDO_2010 = MappingProxyType(
    {
        **TERSOFF_1989,
        "__ref__": "Lindsay L., Broido D. A., Phys. Rev. B 81, 205441 (2010)",
        "B": [430.0, *TERSOFF_1989["B"][1:]],
        "h": [-0.93, *TERSOFF_1989["h"][1:]],
    }
)


@dataclass(frozen=True, eq=False)
class BondOrder(Potential):
    """Tersoff or Brenner potential from a parameter set in matscipy's notation.

    Parameters
    ----------
    parameter_set : mapping
        As in ``matscipy.calculators.manybody.explicit_forms.tersoff_brenner``.
    """

    parameter_set: Mapping[str, Any]
    half: ClassVar[bool] = False
    # A Hessian costs as little as three energies, and where bonds cross the cut-off the curvature
    # that was learned on the way is of no use.
    newton_from: ClassVar[float] = 100.0

    def __post_init__(self) -> None:
        extra = ("lambda3", "omega", "alpha") + (("mu",) if self._brenner else ())
        if any(np.any(self.parameter_set.get(name, 0.0)) for name in extra):
            raise ValueError(f"BondOrder: {', '.join(extra)} must be zero")

    @property
    def _brenner(self) -> bool:
        return self.parameter_set["style"] == "Brenner"

    @property
    def species(self) -> tuple[str, ...]:
        return tuple(self.parameter_set["el"])

    @property
    def cutoff(self) -> float:
        return float(max(self.parameter_set["r2"]))

    def parameters(self) -> dict:
        # Until algorithm version 3 the angular parameters of Brenner's form came from the other
        # bond; the name of the right one keeps those numbers apart from these.
        angular = {"angular": "ik"} if self._brenner else {}
        return {"form": "bond order"} | angular | dict(self.parameter_set)

    def matscipy_calculator(self) -> Calculator:
        """A fresh calculator of matscipy.

        Raises
        ------
        ValueError
            For Brenner's form with several species: matscipy 1.3.1 takes the angular parameters
            from the bond (i, j), which is another potential.
        """
        from matscipy.calculators.manybody import Manybody

        if self._brenner and len(self.species) > 1:
            raise ValueError("matscipy has no Brenner potential of several species that is right")

        form = tersoff_brenner.TersoffBrenner(dict(self.parameter_set))
        return Manybody(**form)

    @cached_property
    def table(self) -> SimpleNamespace:
        """Parameters of each ordered pair of species in Tersoff's letters, each (n, n)."""
        p = {name: np.array(v) for name, v in self.parameter_set.items() if isinstance(v, list)}
        n = len(self.species)
        a, b = np.meshgrid(range(n), range(n), indexing="ij")
        low, high = np.minimum(a, b), np.maximum(a, b)
        pair = tersoff_brenner.pair_index(low, high, n)
        if self._brenner:
            lam = p["beta"] * np.sqrt(2 * p["S"])
            mu = p["beta"] * np.sqrt(2 / p["S"])
            scale = p["D0"] / (p["S"] - 1)
            by_pair = {"A": scale * np.exp(lam * p["r0"]), "lam": lam, "mu": mu}
            by_pair |= {"B": p["S"] * scale * np.exp(mu * p["r0"]), "h": -p["h"]}
            by_pair |= {name: p[name] for name in ("gamma", "c", "d", "r1", "r2")}
            by_pair |= {name: np.ones_like(lam) for name in ("chi", "beta", "n")}
            by_first = {}
        else:
            by_pair = {name: p[name] for name in ("A", "B", "chi", "mu", "r1", "r2")}
            by_pair |= {"lam": p["lambda"], "gamma": np.ones_like(p["A"])}
            by_first = {name: p[name] for name in ("beta", "n", "c", "d", "h")}
        return SimpleNamespace(
            **{name: values[pair] for name, values in by_pair.items()},
            **{name: values[a] for name, values in by_first.items()},
        )

    @cached_property
    def _table(self) -> np.ndarray:
        """The same parameters as one array, (n, n, n_parameters), in the order of ``_NAMES``."""
        return np.stack([getattr(self.table, name) for name in _NAMES], axis=-1)

    def energy_gradient(self, types: np.ndarray, bonds: Bonds) -> tuple[float, np.ndarray]:
        return _energy_gradient(types, bonds.first, bonds.second, bonds.vector, self._table)

    def hessian(self, types: np.ndarray, bonds: Bonds) -> sparse.bsr_array:
        blocks = _hessian_blocks(types, bonds.first, bonds.second, bonds.vector, self._table)
        return from_blocks(bonds.n_atoms, *blocks)


_NAMES = ("A", "B", "lam", "mu", "chi", "beta", "n", "gamma", "c", "d", "h", "r1", "r2")
_A, _B, _LAM, _MU, _CHI, _BETA, _N, _GAMMA, _C, _D, _H, _R1, _R2 = range(len(_NAMES))


@njit(cache=True)
def _fade(r, of):
    """The cut-off function, 1 below r1 and 0 above r2, with two derivatives."""
    if r <= of[_R1]:
        return 1.0, 0.0, 0.0
    rate = np.pi / (of[_R2] - of[_R1])
    phase = rate * (r - of[_R1])
    return (
        0.5 * (1 + np.cos(phase)),
        -0.5 * rate * np.sin(phase),
        -0.5 * rate**2 * np.cos(phase),
    )


@njit(cache=True)
def _angle(cosine, of):
    """g(cos θ) with two derivatives."""
    c2, d2, offset = of[_C] ** 2, of[_D] ** 2, of[_H] - cosine
    spread = d2 + offset**2
    slope = -2 * c2 * offset / spread**2
    bend = 2 * c2 / spread**2 - 8 * c2 * offset**2 / spread**3
    return (
        of[_GAMMA] * (1 + c2 / d2 - c2 / spread),
        of[_GAMMA] * slope,
        of[_GAMMA] * bend,
    )


@njit(cache=True)
def _order(xi, of):
    """Bond order b(ξ) with two derivatives; an isolated bond (ξ = 0) has none."""
    if xi <= 0.0:
        return of[_CHI], 0.0, 0.0
    x, n, exponent = of[_BETA] * xi, of[_N], -0.5 / of[_N]
    power = x**n
    base = 1 + power
    slope = -0.5 * of[_CHI] * of[_BETA] * power / x * base ** (exponent - 1)
    bend = (n - 1) / x + (exponent - 1) * n * power / x / base
    return of[_CHI] * base**exponent, slope, slope * of[_BETA] * bend


@njit(cache=True)
def _bond(r, xi, of):
    """F(r, ξ), then F_r, F_ξ, F_rr, F_rξ, F_ξξ."""
    fade, d_fade, dd_fade = _fade(r, of)
    repulsive = of[_A] * np.exp(-of[_LAM] * r)
    attractive = -of[_B] * np.exp(-of[_MU] * r)
    b, d_b, dd_b = _order(xi, of)
    v = repulsive + b * attractive
    d_v = -of[_LAM] * repulsive - of[_MU] * b * attractive
    dd_v = of[_LAM] ** 2 * repulsive + of[_MU] ** 2 * b * attractive
    return (
        fade * v,
        d_fade * v + fade * d_v,
        fade * attractive * d_b,
        dd_fade * v + 2 * d_fade * d_v + fade * dd_v,
        (d_fade - of[_MU] * fade) * attractive * d_b,
        fade * attractive * dd_b,
    )


@njit(cache=True)
def _star(start, types, first, second, vector, table):
    """The bonds of one atom that are within their own cut-off.

    Returns their indices, lengths, unit vectors and parameters (z, n_parameters), and where the
    bonds of the next atom begin.
    """
    stop = start
    while stop < len(first) and first[stop] == first[start]:
        stop += 1
    index = np.empty(stop - start, dtype=np.int64)
    r, unit = np.empty(stop - start), np.empty((stop - start, 3))
    of = np.empty((stop - start, table.shape[2]))
    z = 0
    for p in range(start, stop):
        x, y, w = vector[p]
        length = np.sqrt(x * x + y * y + w * w)
        parameters = table[types[first[p]], types[second[p]]]
        if length < parameters[_R2]:
            index[z], r[z] = p, length
            for a in range(3):
                unit[z, a] = vector[p, a] / length
            for k in range(len(parameters)):
                of[z, k] = parameters[k]
            z += 1
    return index[:z], r[:z], unit[:z], of[:z], stop


@njit(cache=True)
def _cosine(unit, p, q):
    return unit[p, 0] * unit[q, 0] + unit[p, 1] * unit[q, 1] + unit[p, 2] * unit[q, 2]


@njit(cache=True)
def _coordination(p, r, unit, of):
    """ξ of bond p of a star."""
    xi = 0.0
    for q in range(len(r)):
        if q != p:
            xi += _fade(r[q], of[q])[0] * _angle(_cosine(unit, p, q), of[q])[0]
    return xi


@njit(cache=True)
def _coordination_gradient(p, r, unit, of, gradient):
    """Derivative of ξ of bond p with respect to all bond vectors of the star, into ``gradient``."""
    gradient[:] = 0.0
    for q in range(len(r)):
        if q == p:
            continue
        cosine = _cosine(unit, p, q)
        fade, d_fade, _ = _fade(r[q], of[q])
        g, d_g, _ = _angle(cosine, of[q])
        for a in range(3):
            gradient[p, a] += fade * d_g * (unit[q, a] - cosine * unit[p, a]) / r[p]
            gradient[q, a] += fade * d_g * (unit[p, a] - cosine * unit[q, a]) / r[q]
            gradient[q, a] += d_fade * g * unit[q, a]


@njit(cache=True)
def _energy_gradient(types, first, second, vector, table):
    energy = 0.0
    gradient = np.zeros_like(vector)
    start = np.int64(0)
    while start < len(first):
        index, r, unit, of, start = _star(start, types, first, second, vector, table)
        slope = np.empty((len(r), 3))
        for p in range(len(r)):
            bond = _bond(r[p], _coordination(p, r, unit, of), of[p])
            energy += 0.5 * bond[0]
            _coordination_gradient(p, r, unit, of, slope)
            for a in range(3):
                gradient[index[p], a] += 0.5 * bond[1] * unit[p, a]
                for q in range(len(r)):
                    gradient[index[q], a] += 0.5 * bond[2] * slope[q, a]
    return energy, gradient


@njit(cache=True)
def _add_outer(block, factor, a, b):
    for m in range(3):
        for n in range(3):
            block[m, n] += factor * a[m] * b[n]


@njit(cache=True)
def _add_across(block, factor, u):
    """Add ``factor (1 − u uᵀ)``."""
    _add_outer(block, -factor, u, u)
    for m in range(3):
        block[m, m] += factor


@njit(cache=True)
def _add_angular(matrix, weight, p, q, r, unit, of):
    """Add ``weight ∂²[f_c(r_q) g(cos θ_pq)]`` to blocks (p, p), (p, q), (q, p), (q, q)."""
    u_p, u_q, cosine = unit[p], unit[q], _cosine(unit, p, q)
    fade, d_fade, dd_fade = _fade(r[q], of[q])
    g, d_g, dd_g = _angle(cosine, of[q])
    c_p, c_q = np.empty(3), np.empty(3)
    for a in range(3):
        c_p[a] = (u_q[a] - cosine * u_p[a]) / r[p]
        c_q[a] = (u_p[a] - cosine * u_q[a]) / r[q]
    first, second = weight * fade * d_g, weight * fade * dd_g
    mixed = weight * d_fade * d_g
    _add_outer(matrix[p, p], second, c_p, c_p)
    _add_outer(matrix[p, p], -first / r[p], c_p, u_p)
    _add_outer(matrix[p, p], -first / r[p], u_p, c_p)
    _add_across(matrix[p, p], -first * cosine / r[p] ** 2, u_p)
    _add_outer(matrix[q, q], second, c_q, c_q)
    _add_outer(matrix[q, q], mixed - first / r[q], c_q, u_q)
    _add_outer(matrix[q, q], mixed - first / r[q], u_q, c_q)
    _add_across(matrix[q, q], -first * cosine / r[q] ** 2, u_q)
    _add_outer(matrix[q, q], weight * dd_fade * g, u_q, u_q)
    _add_across(matrix[q, q], weight * d_fade * g / r[q], u_q)
    cross = np.zeros((3, 3))
    _add_outer(cross, second, c_p, c_q)
    _add_outer(cross, mixed, c_p, u_q)
    _add_across(cross, first / (r[p] * r[q]), u_q)
    _add_outer(cross, -first / r[p], u_p, c_q)
    for a in range(3):
        for b in range(3):
            matrix[p, q, a, b] += cross[a, b]
            matrix[q, p, b, a] += cross[a, b]


@njit(cache=True)
def _star_hessian(r, unit, of):
    """Second derivatives of twice an atom's energy between its bond vectors, (z, z, 3, 3)."""
    z = len(r)
    matrix = np.zeros((z, z, 3, 3))
    gradient = np.empty((z, 3))
    for p in range(z):
        _, d_r, d_xi, d_rr, d_r_xi, d_xi_xi = _bond(r[p], _coordination(p, r, unit, of), of[p])
        _coordination_gradient(p, r, unit, of, gradient)
        _add_outer(matrix[p, p], d_rr, unit[p], unit[p])
        _add_across(matrix[p, p], d_r / r[p], unit[p])
        for q in range(z):
            _add_outer(matrix[p, q], d_r_xi, unit[p], gradient[q])
            _add_outer(matrix[q, p], d_r_xi, gradient[q], unit[p])
            for k in range(z):
                _add_outer(matrix[q, k], d_xi_xi, gradient[q], gradient[k])
            if q != p:
                _add_angular(matrix, d_xi, p, q, r, unit, of)
    return matrix


@njit(cache=True)
def _hessian_blocks(types, first, second, vector, table):
    """Atoms and 3 × 3 blocks whose sum is the Hessian: every star contributes (z + 1)²."""
    count, start = 0, np.int64(0)
    while start < len(first):
        index, _, _, _, start = _star(start, types, first, second, vector, table)
        count += (len(index) + 1) ** 2
    rows, columns = np.empty(count, dtype=np.int32), np.empty(count, dtype=np.int32)
    blocks = np.zeros((count, 3, 3))
    filled, start = 0, np.int64(0)
    while start < len(first):
        centre = first[start]
        index, r, unit, of, start = _star(start, types, first, second, vector, table)
        matrix = _star_hessian(r, unit, of)
        side = len(r) + 1
        for p in range(side):
            for q in range(side):
                place = filled + p * side + q
                rows[place] = centre if p == 0 else second[index[p - 1]]
                columns[place] = centre if q == 0 else second[index[q - 1]]
        # A bond vector moves with its far end and against its near end, the centre.
        for p in range(len(r)):
            for q in range(len(r)):
                for a in range(3):
                    for b in range(3):
                        value = 0.5 * matrix[p, q, a, b]
                        blocks[filled + (p + 1) * side + q + 1, a, b] += value
                        blocks[filled + (p + 1) * side, a, b] -= value
                        blocks[filled + q + 1, a, b] -= value
                        blocks[filled, a, b] += value
        filled += side * side
    return rows, columns, blocks
