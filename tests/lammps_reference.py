"""Energies, forces and virials by LAMMPS, the independent reference of every potential.

The parameters stand here a second time, as published, and reach LAMMPS through files of its own
formats: nothing of ``glassdata.potentials`` takes part. An error in our numbers, in the mixing of
species or in the assignment of a parameter to a bond therefore shows as a difference.
"""

from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.data import atomic_masses, atomic_numbers

from glassdata.protocols.melt import MissingLammps, _engine

_BAR = 1.6021765e6  # eV/Å³ in bar, to the digits that LAMMPS itself uses


@dataclass(frozen=True)
class Reference:
    """Energy (eV), forces (N, 3) in eV/Å, derivative of the energy with strain (3, 3) in eV."""

    energy: float
    forces: np.ndarray
    virial: np.ndarray


def evaluate(atoms: Atoms, species: tuple[str, ...], pair: list[str], dim: int = 3) -> Reference:
    """One evaluation of a periodic structure in an orthogonal cell.

    Parameters
    ----------
    species : symbols in the order of LAMMPS's types
    pair : the commands that define the potential
    dim : 2 for LAMMPS in two dimensions; all atoms at z = 0 then
    """
    try:
        engine = _engine()
    except MissingLammps as error:
        pytest.skip(str(error))
    inside = atoms.copy()
    inside.wrap()
    a, b, c = atoms.cell.lengths()
    assert np.allclose(atoms.cell, np.diag([a, b, c])), "only orthogonal cells"
    low, high = (-0.5, 0.5) if dim == 2 else (0.0, c)
    for line in (
        "clear",
        "suffix off",
        "units metal",
        f"dimension {dim}",
        "boundary p p p",
        "atom_modify map array sort 0 0.0",
        f"region box block 0 {a:.17g} 0 {b:.17g} {low:.17g} {high:.17g}",
        f"create_box {len(species)} box",
    ):
        engine.command(line)
    kinds = [species.index(symbol) + 1 for symbol in inside.symbols]
    places = inside.positions.ravel().tolist()
    made = engine.create_atoms(len(inside), list(range(1, len(inside) + 1)), kinds, places)
    assert made == len(inside)
    for kind, symbol in enumerate(species, 1):
        engine.command(f"mass {kind} {atomic_masses[atomic_numbers[symbol]]}")
    for line in (*pair, "compute virial all pressure NULL virial", "thermo_style custom pe press"):
        engine.command(line)
    engine.command("thermo_modify norm no")
    engine.command("run 0 post no")
    forces = np.array(engine.gather_atoms("f", 1, 3)).reshape(-1, 3)
    energy = engine.get_thermo("pe")
    xx, yy, zz, xy, xz, yz = np.array(engine.extract_compute("virial", 0, 1)[:6])
    pressure = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    volume = a * b if dim == 2 else a * b * c
    return Reference(energy, forces, -pressure * volume / _BAR)


# Tersoff, PRB 39, 5566 (1989), table I: A, B (eV), λ, μ (1/Å), β, n, c, d, h, R, S (Å).
_TERSOFF = {
    "C": (1393.6, 346.74, 3.4879, 2.2119, 1.5724e-7, 0.72751, 38049.0, 4.3484, -0.57058, 1.8, 2.1),
    "Si": (1830.8, 471.18, 2.4799, 1.7322, 1.1e-6, 0.78734, 100390.0, 16.217, -0.59825, 2.7, 3.0),
}
_CHI = 0.9776
# Lindsay and Broido, PRB 81, 205441 (2010), change B and h of carbon.
_LINDSAY_BROIDO = {"C": (*_TERSOFF["C"][:1], 430.0, *_TERSOFF["C"][2:8], -0.93, 1.8, 2.1)}

# Erhart and Albe, PRB 71, 035211 (2005), table I:
# D0 (eV), r0 (Å), S, β (1/Å), γ, c, d, h, R, D (Å).
_ERHART_ALBE = {
    "C C": (6.0, 1.4276, 2.167, 2.0099, 0.11233, 181.910, 6.28433, 0.5556, 2.0, 0.15),
    "C Si": (4.36, 1.79, 1.847, 1.6991, 0.011877, 273987.0, 180.314, 0.68, 2.4, 0.20),
    "Si Si": (3.24, 2.232, 1.842, 1.4761, 0.114354, 2.00494, 0.81472, 0.259, 2.82, 0.14),
}


def tersoff(folder: Path, species: tuple[str, ...], *, carbon: str = "tersoff") -> list[str]:
    """Tersoff's potential; ``carbon="lindsay-broido"`` with their carbon."""
    elements = _TERSOFF | (_LINDSAY_BROIDO if carbon == "lindsay-broido" else {})
    lines = []
    for i, j, k in product(species, repeat=3):
        one, other, third = elements[i], elements[j], elements[k]
        a, b = np.sqrt(one[0] * other[0]), np.sqrt(one[1] * other[1])
        lam, mu = (one[2] + other[2]) / 2, (one[3] + other[3]) / 2
        beta, n, c, d, h = one[4:9]
        inner, outer = np.sqrt(one[9] * third[9]), np.sqrt(one[10] * third[10])
        chi = 1.0 if i == j else _CHI
        # m, γ, λ3, c, d, cos θ0, n, β, λ2, B, R, D, λ1, A
        numbers = (3.0, 1.0, 0.0, c, d, h, n, beta, mu, chi * b)
        numbers += ((inner + outer) / 2, (outer - inner) / 2, lam, a)
        lines.append(_row(i, j, k, numbers))
    return _tersoff_style(folder, species, lines)


def erhart_albe(folder: Path, species: tuple[str, ...]) -> list[str]:
    """Erhart and Albe's potential: what stands behind j comes from bond ij, the angles from ik.

    As in the file ``SiC_Erhart-Albe.tersoff`` that comes with LAMMPS.
    """
    lines = []
    for i, j, k in product(species, repeat=3):
        d0, r0, s, beta = _ERHART_ALBE[" ".join(sorted((i, j)))][:4]
        gamma, c, d, h, middle, half_width = _ERHART_ALBE[" ".join(sorted((i, k)))][4:]
        lam, mu = beta * np.sqrt(2 * s), beta * np.sqrt(2 / s)
        a, b = d0 / (s - 1) * np.exp(lam * r0), s * d0 / (s - 1) * np.exp(mu * r0)
        numbers = (1.0, gamma, 0.0, c, d, -h, 1.0, 1.0, mu, b, middle, half_width, lam, a)
        lines.append(_row(i, j, k, numbers))
    return _tersoff_style(folder, species, lines)


def _row(i: str, j: str, k: str, numbers: tuple[float, ...]) -> str:
    return " ".join([i, j, k, *(f"{number:.17g}" for number in numbers)])


def _tersoff_style(folder: Path, species: tuple[str, ...], lines: list[str]) -> list[str]:
    path = folder / "reference.tersoff"
    path.write_text("\n".join(lines) + "\n")
    return ["pair_style tersoff", f"pair_coeff * * {path} {' '.join(species)}"]


def lennard_jones(epsilon: float, sigma: float, r_cut: float, truncation: str) -> list[str]:
    """Lennard-Jones for one species, energies in eV, lengths in Å."""
    style = "lj/smooth/linear" if truncation == "force-shifted" else "lj/cut"
    lines = [f"pair_style {style} {r_cut:.17g}", f"pair_coeff * * {epsilon:.17g} {sigma:.17g}"]
    return lines + (["pair_modify shift yes"] if truncation == "shifted" else [])


def stillinger_weber(folder: Path, *, lam: float = 21.0) -> list[str]:
    """Silicon of Stillinger and Weber, PRB 31, 5262 (1985)."""
    path = folder / "reference.sw"
    # ε, σ, a, λ, γ, cos θ0, A, B, p, q, tolerance
    numbers = f"2.1683 2.0951 1.80 {lam} 1.20 -0.33333333333333333 7.049556277 0.6022245584 4 0 0"
    path.write_text(f"Si Si Si {numbers}\n")
    return ["pair_style sw", f"pair_coeff * * {path} Si"]


def setfl(path: Path, species: tuple[str, ...]) -> list[str]:
    """Any EAM potential from its setfl file."""
    return ["pair_style eam/alloy", f"pair_coeff * * {path} {' '.join(species)}"]


# Zhou, Johnson and Wadley, PRB 69, 144113 (2004), table III, some of the metals:
# re, fe, ρe, ρs, α, β, A, B, κ, λ; Fi0-Fi3; Fm0, Fm2, Fm3 (Fm1 = 0), η, Fn.
_ZHOU = {
    "Al": (
        (2.863924, 1.403115, 20.418205, 23.195740, 6.613165, 3.527021, 0.314873, 0.365551),
        (0.379846, 0.759692),
        (-2.807602, -0.301435, 1.258562, -1.247604),
        (-2.83, 0.622245, -2.488244, 0.785902, -2.824528),
    ),
    "Cu": (
        (2.556162, 1.554485, 21.175871, 21.175395, 8.127620, 4.334731, 0.396620, 0.548085),
        (0.308782, 0.756515),
        (-2.170269, -0.263788, 1.088878, -0.817603),
        (-2.19, 0.561830, -2.100595, 0.310490, -2.186568),
    ),
    "Zr": (
        (3.199978, 2.230909, 30.879991, 30.879991, 8.559190, 4.564902, 0.424667, 0.640054),
        (0.5, 1.0),
        (-4.485793, -0.293129, 0.990148, -3.202516),
        (-4.51, 0.928602, -0.981870, 0.597133, -4.509025),
    ),
}


def zhou(folder: Path, species: tuple[str, ...], r_on: float, r_cut: float) -> list[str]:
    """Zhou's alloys, faded by the fifth-order polynomial between ``r_on`` and ``r_cut`` (Å).

    Tables of 0.4 mÅ, where LAMMPS's interpolation errs by less than its test may.
    """
    r, rho = np.linspace(0.0, r_cut, 20001), np.linspace(0.0, 200.0, 20001)
    x = np.clip((r - r_on) / (r_cut - r_on), 0, 1)
    fade = 1 - 10 * x**3 + 15 * x**4 - 6 * x**5
    f = {symbol: _zhou_pair_functions(r, symbol)[0] for symbol in species}
    phi = {symbol: _zhou_pair_functions(r, symbol)[1] for symbol in species}
    lines = ["", "", "", f"{len(species)} {' '.join(species)}"]
    lines.append(f"{len(rho)} {rho[1]:.17g} {len(r)} {r[1]:.17g} {r_cut:.17g}")
    for symbol in species:
        lines.append(f"{atomic_numbers[symbol]} 1.0 1.0 fcc")
        lines += [f"{v:.17g}" for v in (*_zhou_embedding(rho, symbol), *(f[symbol] * fade))]
    for n, a in enumerate(species):
        for b in species[: n + 1]:
            mixed = (f[b] / f[a] * phi[a] + f[a] / f[b] * phi[b]) / 2
            lines += [f"{v:.17g}" for v in r * mixed * fade]
    path = folder / "zhou.eam.alloy"
    path.write_text("\n".join(lines) + "\n")
    return setfl(path, species)


def _zhou_pair_functions(r: np.ndarray, symbol: str) -> tuple[np.ndarray, np.ndarray]:
    """Density f(r) and pair energy φ(r) of one metal."""
    (re, fe, _, _, alpha, beta, a, b), (kappa, lam) = _ZHOU[symbol][:2]
    far = np.exp(-beta * (r / re - 1)) / (1 + (r / re - lam) ** 20)
    return fe * far, a * np.exp(-alpha * (r / re - 1)) / (1 + (r / re - kappa) ** 20) - b * far


def _zhou_embedding(rho: np.ndarray, symbol: str) -> np.ndarray:
    (_, _, rho_e, rho_s, *_), _, inner, (m0, m2, m3, eta, outer) = _ZHOU[symbol]
    x, y = rho / (0.85 * rho_e) - 1, rho / rho_e - 1
    ratio = np.where(rho > 0, rho, 1.0) / rho_s
    below = sum(coefficient * x**power for power, coefficient in enumerate(inner))
    above = outer * (1 - eta * np.log(ratio)) * ratio**eta
    near = m0 + m2 * y**2 + m3 * y**3
    return np.where(rho < 0.85 * rho_e, below, np.where(rho < 1.15 * rho_e, near, above))
