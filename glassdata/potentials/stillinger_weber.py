"""The three-body potential of Stillinger and Weber.

    E = Σ_{pairs} A ε [B (σ/r)^p − (σ/r)^q] w(r)  +  λ ε Σ_{angles} (cos θ + 1/3)² w(r)^γ w(r')^γ
    w(r) = exp[σ/(r − aσ)] for r < aσ, and zero beyond

Phys. Rev. B 31, 5262 (1985), doi:10.1103/PhysRevB.31.5262.
"""

from dataclasses import asdict, dataclass
from typing import ClassVar

import numpy as np
from ase.calculators.calculator import Calculator
from scipy import sparse

from glassdata.config import check_positive
from glassdata.kernels import compiled
from glassdata.potentials.base import Bonds, Potential, from_blocks
from glassdata.potentials.star import (
    add_pair,
    add_triple,
    add_triple_slope,
    cosine,
    empty_blocks,
    spread,
    star,
)


@dataclass(frozen=True)
class StillingerWeber(Potential):
    """Stillinger and Weber's potential for one species, by default silicon.

    Parameters
    ----------
    epsilon : float, eV
    sigma : float, Å
    a : float
        Cut-off in units of ``sigma``.
    lam, gamma : float
        Strength and decay of the three-body term.
    A, B, p, q : float
        Strength and powers of the pair term.
    symbol : str
        Chemical symbol of the atoms.

    Raises
    ------
    ValueError
        For a number that is not allowed, naming it.

    Examples
    --------
    The energy of an atom in the crystal is -2 ε:

    >>> from ase.build import bulk
    >>> from glassdata.potentials import StillingerWeber
    >>> energy, _ = StillingerWeber().evaluate(bulk("Si", a=5.431))
    >>> round(energy / 2, 3)
    -4.337

    Silicon with angles that are stiffer by a quarter; its melt cools to a fourfold glass:

    >>> from dataclasses import replace
    >>> silicon = StillingerWeber()
    >>> replace(silicon, lam=1.25 * silicon.lam).lam
    26.25
    """

    epsilon: float = 2.1683
    sigma: float = 2.0951
    a: float = 1.80
    lam: float = 21.0
    gamma: float = 1.20
    A: float = 7.049556277
    B: float = 0.6022245584
    p: float = 4.0
    q: float = 0.0
    symbol: str = "Si"
    half: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_positive(self, "StillingerWeber", "epsilon", "sigma", "a", "gamma", "A", "B", "p")
        if not (0 <= self.lam < np.inf and 0 <= self.q < self.p):
            raise ValueError(
                "StillingerWeber: lam must be finite and not negative, q from 0 to below p, "
                f"got lam={self.lam} and q={self.q}"
            )

    @property
    def species(self) -> tuple[str, ...]:
        return (self.symbol,)

    @property
    def cutoff(self) -> float:
        return self.a * self.sigma

    def parameters(self) -> dict:
        return {"form": "Stillinger-Weber"} | asdict(self)

    @property
    def _table(self) -> np.ndarray:
        """The parameters as functions of r in Å and eV, (1, 1, 8); their order is below."""
        repulsion = self.A * self.epsilon * self.B * self.sigma**self.p
        attraction = self.A * self.epsilon * self.sigma**self.q
        rows = [repulsion, attraction, self.p, self.q, self.lam * self.epsilon]
        return np.array([[[*rows, self.sigma, self.gamma * self.sigma, self.cutoff]]])

    def energy_gradient(self, types: np.ndarray, bonds: Bonds) -> tuple[float, np.ndarray]:
        return _energy_gradient(types, bonds.first, bonds.second, bonds.vector, self._table)

    def hessian(self, types: np.ndarray, bonds: Bonds) -> sparse.bsr_array:
        blocks = _hessian_blocks(types, bonds.first, bonds.second, bonds.vector, self._table)
        return from_blocks(bonds.n_atoms, *blocks)

    def matscipy_calculator(self) -> Calculator:
        from matscipy.calculators.manybody import Manybody
        from matscipy.calculators.manybody.explicit_forms import StillingerWeber as Form

        if self.q != 0:
            raise ValueError("matscipy has no Stillinger-Weber potential with q other than 0")
        names = {"lam": "lambda1", "symbol": "el"}
        numbers = {names.get(name, name): value for name, value in asdict(self).items()}
        return Manybody(**Form(numbers | {"costheta0": 1 / 3}))


_REPULSION, _ATTRACTION, _P, _Q, _STIFFNESS, _DECAY, _ANGLE_DECAY, _CUTOFF = range(8)


@compiled
def _fade(r, decay, cutoff):
    """exp[decay/(r − cutoff)] with two derivatives."""
    apart = r - cutoff
    value, rate = np.exp(decay / apart), -decay / apart**2
    return value, value * rate, value * (rate**2 - 2 * rate / apart)


@compiled
def _pair(r, of):
    """Half of the pair energy, the share of one end, with two derivatives."""
    fade, d_fade, dd_fade = _fade(r, of[_DECAY], of[_CUTOFF])
    p, q = of[_P], of[_Q]
    repulsion, attraction = of[_REPULSION] * r**-p, of[_ATTRACTION] * r**-q
    bare, d_bare = repulsion - attraction, (q * attraction - p * repulsion) / r
    dd_bare = (p * (p + 1) * repulsion - q * (q + 1) * attraction) / r**2
    return (
        0.5 * fade * bare,
        0.5 * (d_fade * bare + fade * d_bare),
        0.5 * (dd_fade * bare + 2 * d_fade * d_bare + fade * dd_bare),
    )


@compiled
def _angle(r, s, c, of):
    """Energy h of two bonds of lengths r and s at an angle of cosine c; slopes; second derivatives.

    In the order of ``add_triple``: h_r, h_s, h_c; h_rr, h_ss, h_cc, h_rs, h_rc, h_sc.
    """
    f, d_f, dd_f = _fade(r, of[_ANGLE_DECAY], of[_CUTOFF])
    g, d_g, dd_g = _fade(s, of[_ANGLE_DECAY], of[_CUTOFF])
    bend = c + 1 / 3
    w, d_w, dd_w = of[_STIFFNESS] * bend**2, 2 * of[_STIFFNESS] * bend, 2 * of[_STIFFNESS]
    slopes = d_f * g * w, f * d_g * w, f * g * d_w
    bends = dd_f * g * w, f * dd_g * w, f * g * dd_w, d_f * d_g * w, d_f * g * d_w, f * d_g * d_w
    return f * g * w, slopes, bends


@compiled
def _energy_gradient(types, first, second, vector, table):
    energy, gradient, start = 0.0, np.zeros_like(vector), np.int64(0)
    while start < len(first):
        index, r, unit, of, start = star(start, types, first, second, vector, table)
        slope = np.zeros((len(r), 3))
        for p in range(len(r)):
            value, d_r, _ = _pair(r[p], of[p])
            energy += value
            for a in range(3):
                slope[p, a] += d_r * unit[p, a]
            for q in range(p):
                value, slopes, _ = _angle(r[p], r[q], cosine(unit, p, q), of[p])
                energy += value
                add_triple_slope(slope, p, q, r, unit, slopes)
        for p in range(len(r)):
            for a in range(3):
                gradient[index[p], a] = slope[p, a]
    return energy, gradient


@compiled
def _hessian_blocks(types, first, second, vector, table):
    rows, columns, blocks = empty_blocks(types, first, second, vector, table)
    filled, start = 0, np.int64(0)
    while start < len(first):
        centre = first[start]
        index, r, unit, of, start = star(start, types, first, second, vector, table)
        matrix = np.zeros((len(r), len(r), 3, 3))
        for p in range(len(r)):
            _, d_r, dd_r = _pair(r[p], of[p])
            add_pair(matrix, p, r, unit, d_r, dd_r)
            for q in range(p):
                _, slopes, bends = _angle(r[p], r[q], cosine(unit, p, q), of[p])
                add_triple(matrix, p, q, r, unit, slopes, bends)
        filled = spread(matrix, filled, centre, index, second, rows, columns, blocks)
    return rows, columns, blocks
