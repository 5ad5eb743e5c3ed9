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
from ase import Atoms
from ase.calculators.calculator import Calculator
from matscipy.calculators.manybody.explicit_forms import tersoff_brenner
from scipy import sparse

from glassdata.kernels import compiled
from glassdata.potentials.base import Bonds, Potential, from_blocks
from glassdata.potentials.star import (
    add_outer,
    add_pair,
    add_triple,
    add_triple_slope,
    cosine,
    empty_blocks,
    spread,
    star,
)

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
        As in ``matscipy.calculators.manybody.explicit_forms.tersoff_brenner``: energies in eV,
        lengths in Å; ``TERSOFF_1989``, ``LINDSAY_BROIDO_2010`` and ``ERHART_ALBE_2005`` are three.

    Raises
    ------
    ValueError
        If the set has terms that are not supported here.

    Examples
    --------
    Two carbon atoms at 1.45 Å, and where their bond is switched off:

    >>> from ase import Atoms
    >>> from glassdata.potentials import TERSOFF_1989, BondOrder
    >>> potential = BondOrder(TERSOFF_1989)
    >>> energy, gradient = potential.evaluate(Atoms("C2", positions=[[0, 0, 0], [1.45, 0, 0]]))
    >>> round(energy, 3)
    -5.166
    >>> potential.window("C", "C")
    (1.8, 2.1)
    """

    parameter_set: Mapping[str, Any]
    half: ClassVar[bool] = False
    # A Hessian costs only as much as three energies, and L-BFGS makes poor steps where bonds cross
    # the cut-off.
    newton_from: ClassVar[float] = 100.0

    def __post_init__(self) -> None:
        extra = ("lambda3", "omega", "alpha") + (("mu",) if self._brenner else ())
        if any(np.any(self.parameter_set.get(name, 0.0)) for name in extra):
            raise ValueError(f"BondOrder: {', '.join(extra)} must be zero")

    def __reduce__(self) -> tuple:
        # Read-only views, which the parameter sets are, cannot be pickled.
        return type(self), (dict(self.parameter_set),)

    @property
    def _brenner(self) -> bool:
        return self.parameter_set["style"] == "Brenner"

    @property
    def species(self) -> tuple[str, ...]:
        return tuple(self.parameter_set["el"])

    @property
    def cutoff(self) -> float:
        return float(max(self.parameter_set["r2"]))

    def window(self, a: str, b: str) -> tuple[float, float]:
        self.check_species(Atoms([a, b]))
        i, j = self.species.index(a), self.species.index(b)
        return float(self.table.r1[i, j]), float(self.table.r2[i, j])

    def parameters(self) -> dict:
        # Until algorithm version 3 the angular parameters of Brenner's form came from the other
        # bond. This entry gives rows that are computed correctly another identity.
        angular = {"angular": "ik"} if self._brenner else {}
        return {"form": "bond order"} | angular | dict(self.parameter_set)

    def matscipy_calculator(self) -> Calculator:
        """A new calculator of matscipy.

        Raises
        ------
        ValueError
            For Brenner's form with several species: matscipy 1.3.1 takes the angular parameters
            from the bond (i, j), which is another potential.
        """
        from matscipy.calculators.manybody import Manybody

        if self._brenner and len(self.species) > 1:
            raise ValueError(
                "matscipy has no Brenner potential of several species with the right parameters"
            )
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


@compiled
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


@compiled
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


@compiled
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


@compiled
def _bond(r, xi, of):
    """Half of F(r, ξ), the share of one end, then its derivatives by r, ξ, rr, rξ, ξξ."""
    fade, d_fade, dd_fade = _fade(r, of)
    fade, d_fade, dd_fade = 0.5 * fade, 0.5 * d_fade, 0.5 * dd_fade
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


@compiled
def _coordination(p, r, unit, of):
    """ξ of bond p of a star."""
    xi = 0.0
    for q in range(len(r)):
        if q != p:
            xi += _fade(r[q], of[q])[0] * _angle(cosine(unit, p, q), of[q])[0]
    return xi


@compiled
def _coordination_slope(p, r, unit, of, gradient):
    """Derivative of ξ of bond p with respect to all bond vectors of the star, into ``gradient``."""
    gradient[:] = 0.0
    for q in range(len(r)):
        if q != p:
            fade, d_fade, _ = _fade(r[q], of[q])
            g, d_g, _ = _angle(cosine(unit, p, q), of[q])
            add_triple_slope(gradient, p, q, r, unit, (0.0, d_fade * g, fade * d_g))


@compiled
def _energy_gradient(types, first, second, vector, table):
    energy = 0.0
    gradient = np.zeros_like(vector)
    start = np.int64(0)
    while start < len(first):
        index, r, unit, of, start = star(start, types, first, second, vector, table)
        slope = np.empty((len(r), 3))
        for p in range(len(r)):
            bond = _bond(r[p], _coordination(p, r, unit, of), of[p])
            energy += bond[0]
            _coordination_slope(p, r, unit, of, slope)
            for a in range(3):
                gradient[index[p], a] += bond[1] * unit[p, a]
                for q in range(len(r)):
                    gradient[index[q], a] += bond[2] * slope[q, a]
    return energy, gradient


@compiled
def _star_hessian(r, unit, of):
    """Second derivatives of an atom's energy between its bond vectors, (z, z, 3, 3)."""
    z = len(r)
    matrix = np.zeros((z, z, 3, 3))
    gradient = np.empty((z, 3))
    for p in range(z):
        _, d_r, d_xi, d_rr, d_r_xi, d_xi_xi = _bond(r[p], _coordination(p, r, unit, of), of[p])
        _coordination_slope(p, r, unit, of, gradient)
        add_pair(matrix, p, r, unit, d_r, d_rr)
        for q in range(z):
            add_outer(matrix[p, q], d_r_xi, unit[p], gradient[q])
            add_outer(matrix[q, p], d_r_xi, gradient[q], unit[p])
            for k in range(z):
                add_outer(matrix[q, k], d_xi_xi, gradient[q], gradient[k])
            if q != p:
                fade, d_fade, dd_fade = _fade(r[q], of[q])
                g, d_g, dd_g = _angle(cosine(unit, p, q), of[q])
                slopes = 0.0, d_xi * d_fade * g, d_xi * fade * d_g
                bends = 0.0, d_xi * dd_fade * g, d_xi * fade * dd_g, 0.0, 0.0, d_xi * d_fade * d_g
                add_triple(matrix, p, q, r, unit, slopes, bends)
    return matrix


@compiled
def _hessian_blocks(types, first, second, vector, table):
    rows, columns, blocks = empty_blocks(types, first, second, vector, table)
    filled, start = 0, np.int64(0)
    while start < len(first):
        centre = first[start]
        index, r, unit, of, start = star(start, types, first, second, vector, table)
        matrix = _star_hessian(r, unit, of)
        filled = spread(matrix, filled, centre, index, second, rows, columns, blocks)
    return rows, columns, blocks
