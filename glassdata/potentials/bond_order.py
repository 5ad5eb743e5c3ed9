"""Bond-order potentials of Tersoff and of Brenner (Erhart-Albe).

    E = ½ Σ_p F(r_p, ξ_p),   F = f_c(r) [A e^{-λr} − b(ξ) B e^{-μr}],   b = χ (1 + (βξ)ⁿ)^{-1/2n}
    ξ_p = Σ_q f_c(r_q) g(cos θ_pq),   g(c) = 1 + c²/d² − c²/[d² + (h − cos θ)²]

with p = (i, j) and q = (i, k) the bonds at one atom. Brenner's form is the same function in other
letters, and is translated on construction. Terms with λ₃ ≠ 0 are not supported.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np
from ase.calculators.calculator import Calculator
from matscipy.calculators.manybody.explicit_forms import tersoff_brenner
from scipy import sparse

from glassdata.potentials.base import Bonds, Potential, central_blocks, lengths

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
        return {"form": "bond order"} | dict(self.parameter_set)

    def matscipy_calculator(self) -> Calculator:
        from matscipy.calculators.manybody import Manybody

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
            by_pair |= {"B": p["S"] * scale * np.exp(mu * p["r0"]), "beta": p["gamma"]}
            by_pair |= {name: p[name] for name in ("c", "d", "r1", "r2")} | {"h": -p["h"]}
            by_pair |= {"n": np.ones_like(lam), "chi": np.ones_like(lam)}
            by_first = {}
        else:
            by_pair = {name: p[name] for name in ("A", "B", "chi", "mu", "r1", "r2")}
            by_pair["lam"] = p["lambda"]
            by_first = {name: p[name] for name in ("beta", "n", "c", "d", "h")}
        return SimpleNamespace(
            **{name: values[pair] for name, values in by_pair.items()},
            **{name: values[a] for name, values in by_first.items()},
        )

    def energy_gradient(self, types: np.ndarray, bonds: Bonds) -> tuple[float, np.ndarray]:
        near = self._near(types, bonds)
        p, q = _triplets(near.first, bonds.n_atoms)
        t = self._angular(near, p, q)
        xi = np.bincount(p, t.fade * t.g, len(near.r))
        bond = self._bond(near, xi)
        slope_xi = bond.d_xi[p]
        along_p = (slope_xi * t.fade * t.dg)[:, None] * t.c_p
        along_q = (slope_xi * t.fade * t.dg)[:, None] * t.c_q
        along_q += (slope_xi * t.d_fade * t.g)[:, None] * near.unit[q]
        gradient = bond.d_r[:, None] * near.unit
        for axis in range(3):
            gradient[:, axis] += np.bincount(p, along_p[:, axis], len(near.r))
            gradient[:, axis] += np.bincount(q, along_q[:, axis], len(near.r))
        full = np.zeros_like(bonds.vector)
        full[near.index] = 0.5 * gradient
        return 0.5 * float(bond.energy.sum()), full

    def hessian(self, types: np.ndarray, bonds: Bonds) -> sparse.csr_array:
        """``Bᵀ M B`` with M between bond vectors and B the incidence of bonds on atoms."""
        near = self._near(types, bonds)
        p, q = _triplets(near.first, bonds.n_atoms)
        t = self._angular(near, p, q)
        bond = self._bond(near, np.bincount(p, t.fade * t.g, len(near.r)))
        n = len(near.r)
        own = np.arange(n)
        d_r = _rows(own, own, near.unit, (n, n))
        along_p = (t.fade * t.dg)[:, None] * t.c_p
        along_q = (t.fade * t.dg)[:, None] * t.c_q + (t.d_fade * t.g)[:, None] * near.unit[q]
        d_xi = _rows(p, p, along_p, (n, n)) + _rows(p, q, along_q, (n, n))
        cross = d_r.T @ sparse.diags_array(bond.d_r_xi) @ d_xi
        second = d_r.T @ sparse.diags_array(bond.d_r_r) @ d_r + cross + cross.T
        second += d_xi.T @ sparse.diags_array(bond.d_xi_xi) @ d_xi
        second += _blocks(own, own, central_blocks(near.unit, 0 * bond.d_r, bond.d_r / near.r), n)
        second += self._angular_second(near, t, p, q, bond.d_xi[p])
        incidence = _incidence(near.first, near.second, bonds.n_atoms)
        return (0.5 * (incidence.T @ second @ incidence)).tocsr()

    def _near(self, types: np.ndarray, bonds: Bonds) -> SimpleNamespace:
        """Bonds within their own cut-off, with lengths, directions and parameters."""
        r, unit = lengths(bonds.vector)
        index = np.flatnonzero(r < self.table.r2[types[bonds.first], types[bonds.second]])
        first, second = bonds.first[index], bonds.second[index]
        kind = (types[first], types[second])
        parameters = SimpleNamespace(**{k: v[kind] for k, v in vars(self.table).items()})
        return SimpleNamespace(
            index=index, first=first, second=second, r=r[index], unit=unit[index], of=parameters
        )

    def _angular(self, near: SimpleNamespace, p: np.ndarray, q: np.ndarray) -> SimpleNamespace:
        """f_c(r_q), g(cos θ) and their derivatives for every pair of bonds at one atom.

        ``c_p`` and ``c_q`` are the derivatives of cos θ with respect to either bond vector.
        """
        cosine = np.einsum("ta,ta->t", near.unit[p], near.unit[q])
        c_p = (near.unit[q] - cosine[:, None] * near.unit[p]) / near.r[p][:, None]
        c_q = (near.unit[p] - cosine[:, None] * near.unit[q]) / near.r[q][:, None]
        c2, d2, offset = near.of.c[p] ** 2, near.of.d[p] ** 2, near.of.h[p] - cosine
        spread = d2 + offset**2
        fade = _fade(near.r, near.of.r1, near.of.r2)
        return SimpleNamespace(
            cosine=cosine,
            c_p=c_p,
            c_q=c_q,
            g=1 + c2 / d2 - c2 / spread,
            dg=-2 * c2 * offset / spread**2,
            ddg=2 * c2 / spread**2 - 8 * c2 * offset**2 / spread**3,
            fade=fade[0][q],
            d_fade=fade[1][q],
            dd_fade=fade[2][q],
        )

    def _bond(self, near: SimpleNamespace, xi: np.ndarray) -> SimpleNamespace:
        """F(r, ξ) of every bond and its derivatives."""
        of, r = near.of, near.r
        fade, d_fade, dd_fade = _fade(r, of.r1, of.r2)
        repulsive = of.A * np.exp(-of.lam * r)
        attractive = -of.B * np.exp(-of.mu * r)
        b, d_b, dd_b = _order(xi, of)
        v = repulsive + b * attractive
        d_v = -of.lam * repulsive - of.mu * b * attractive
        dd_v = of.lam**2 * repulsive + of.mu**2 * b * attractive
        return SimpleNamespace(
            energy=fade * v,
            d_r=d_fade * v + fade * d_v,
            d_xi=fade * attractive * d_b,
            d_r_r=dd_fade * v + 2 * d_fade * d_v + fade * dd_v,
            d_r_xi=(d_fade - of.mu * fade) * attractive * d_b,
            d_xi_xi=fade * attractive * dd_b,
        )

    @staticmethod
    def _angular_second(
        near: SimpleNamespace, t: SimpleNamespace, p: np.ndarray, q: np.ndarray, weight: np.ndarray
    ) -> sparse.csr_array:
        """``Σ weight ∂²[f_c(r_q) g(cos θ)]`` between the vectors of bonds p and q."""
        u_p, u_q, r_p, r_q = near.unit[p], near.unit[q], near.r[p], near.r[q]
        across_p = central_blocks(u_p, 0 * r_p, t.cosine / r_p**2)
        across_q = central_blocks(u_q, 0 * r_q, t.cosine / r_q**2)
        c_pp = -_both(t.c_p, u_p / r_p[:, None]) - across_p
        c_qq = -_both(t.c_q, u_q / r_q[:, None]) - across_q
        c_pq = central_blocks(u_q, 0 * r_q, 1 / r_q) - _outer(u_p, t.c_q)
        c_pq /= r_p[:, None, None]

        def times(factor: np.ndarray, block: np.ndarray) -> np.ndarray:
            return (weight * factor)[:, None, None] * block

        first, second = t.fade * t.dg, t.fade * t.ddg
        pp = times(second, _outer(t.c_p, t.c_p)) + times(first, c_pp)
        pq = times(second, _outer(t.c_p, t.c_q)) + times(first, c_pq)
        pq += times(t.d_fade * t.dg, _outer(t.c_p, u_q))
        qq = times(second, _outer(t.c_q, t.c_q)) + times(first, c_qq)
        qq += times(t.d_fade * t.dg, _both(u_q, t.c_q))
        qq += times(t.g, central_blocks(u_q, t.dd_fade, t.d_fade / r_q))
        n = len(near.r)
        mixed = _blocks(p, q, pq, n)
        return _blocks(p, p, pp, n) + mixed + mixed.T + _blocks(q, q, qq, n)


def _triplets(first: np.ndarray, n_atoms: int) -> tuple[np.ndarray, np.ndarray]:
    """All ordered pairs of different bonds that start at the same atom; bonds sorted by it."""
    counts = np.bincount(first, minlength=n_atoms)
    starts = np.cumsum(counts) - counts
    per_bond = counts[first]
    p = np.repeat(np.arange(len(first)), per_bond)
    within = np.arange(len(p)) - np.repeat(np.cumsum(per_bond) - per_bond, per_bond)
    q = starts[first[p]] + within
    different = p != q
    return p[different], q[different]


def _fade(r: np.ndarray, r1: np.ndarray, r2: np.ndarray) -> tuple[np.ndarray, ...]:
    """The cut-off function, 1 below r1 and 0 above r2, with two derivatives."""
    rate = np.pi / (r2 - r1)
    phase = np.clip((r - r1) * rate, 0.0, np.pi)
    window = (r > r1) & (r < r2)
    curvature = -0.5 * rate**2 * np.cos(phase) * window
    return 0.5 * (1 + np.cos(phase)), -0.5 * rate * np.sin(phase), curvature


def _order(xi: np.ndarray, of: SimpleNamespace) -> tuple[np.ndarray, ...]:
    """Bond order b(ξ) with two derivatives; an isolated bond (ξ = 0) has none."""
    some = xi > 0
    x = of.beta * np.where(some, xi, 1.0)
    power = x**of.n
    base, exponent = 1 + power, -0.5 / of.n
    d_b = -0.5 * of.chi * of.beta * power / x * base ** (exponent - 1)
    bend = (of.n - 1) / x + (exponent - 1) * of.n * power / x / base
    return (
        np.where(some, of.chi * base**exponent, of.chi),
        np.where(some, d_b, 0.0),
        np.where(some, d_b * of.beta * bend, 0.0),
    )


def _outer(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[:, :, None] * b[:, None, :]


def _both(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return _outer(a, b) + _outer(b, a)


def _rows(row: np.ndarray, bond: np.ndarray, vectors: np.ndarray, shape: tuple) -> sparse.csr_array:
    """Sparse (P, 3Q) matrix with 3-vectors at (row, bond)."""
    columns = 3 * bond[:, None] + np.arange(3)
    entries = (vectors.ravel(), (np.repeat(row, 3), columns.ravel()))
    return sparse.coo_array(entries, shape=(shape[0], 3 * shape[1])).tocsr()


def _blocks(a: np.ndarray, b: np.ndarray, blocks: np.ndarray, n: int) -> sparse.csr_array:
    """Sparse (3P, 3P) matrix with 3 × 3 blocks at (a, b)."""
    rows = np.broadcast_to(3 * a[:, None, None] + np.arange(3)[:, None], blocks.shape)
    columns = np.broadcast_to(3 * b[:, None, None] + np.arange(3), blocks.shape)
    entries = (blocks.ravel(), (rows.ravel(), columns.ravel()))
    return sparse.coo_array(entries, shape=(3 * n, 3 * n)).tocsr()


def _incidence(first: np.ndarray, second: np.ndarray, n_atoms: int) -> sparse.csr_array:
    """Bond vectors from atomic positions: sparse (3P, 3N) with entries ±1."""
    n = len(first)
    rows = np.arange(3 * n)
    axis = np.tile(np.arange(3), n)
    ends = [(np.repeat(second, 3), 1.0), (np.repeat(first, 3), -1.0)]
    columns = np.concatenate([3 * atom + axis for atom, _ in ends])
    signs = np.repeat([sign for _, sign in ends], 3 * n)
    entries = (signs, (np.tile(rows, 2), columns))
    return sparse.coo_array(entries, shape=(3 * n, 3 * n_atoms)).tocsr()
