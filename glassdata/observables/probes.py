"""How strongly atoms scatter neutrons and X-rays.

Neutrons: Sears, Neutron News 3, 26 (1992), doi:10.1080/10448639208218770; bound coherent
scattering lengths, and incoherent cross-sections, of the natural elements. X-rays: Cromer and Mann,
Acta Cryst. A24, 321 (1968), doi:10.1107/S0567739468000550, as in the International Tables for
Crystallography C.
"""

import numpy as np

#: Coherent scattering length (fm) and incoherent cross-section (barn).
NEUTRONS = {
    "C": (6.646, 0.001),
    "Al": (3.449, 0.0082),
    "Si": (4.1491, 0.004),
    "Ar": (1.909, 0.225),
    "Fe": (9.45, 0.4),
    "Co": (2.49, 4.8),
    "Ni": (10.3, 5.2),
    "Cu": (7.718, 0.55),
    "Zr": (7.16, 0.02),
    "Pd": (5.91, 0.093),
}

# a₁ b₁ … a₄ b₄ c: f(q) = c + Σ a exp(−b (q/4π)²), electrons, b in Å².
_ELECTRONS = {
    "C": (2.31, 20.8439, 1.02, 10.2075, 1.5886, 0.5687, 0.865, 51.6512, 0.2156),
    "Al": (6.4202, 3.0387, 1.9002, 0.7426, 1.5936, 31.5472, 1.9646, 85.0886, 1.1151),
    "Si": (6.2915, 2.4386, 3.0353, 32.3337, 1.9891, 0.6785, 1.541, 81.6937, 1.1407),
    "Ar": (7.4845, 0.9072, 6.7723, 14.8407, 0.6539, 43.8983, 1.6442, 33.3929, 1.4445),
    "Fe": (11.7695, 4.7611, 7.3573, 0.3072, 3.5222, 15.3535, 2.3045, 76.8805, 1.0369),
    "Co": (12.2841, 4.2791, 7.3409, 0.2784, 4.0034, 13.5359, 2.3488, 71.1692, 1.0118),
    "Ni": (12.8376, 3.8785, 7.292, 0.2565, 4.4438, 12.1763, 2.38, 66.3421, 1.0341),
    "Cu": (13.338, 3.5828, 7.1676, 0.247, 5.6158, 11.3966, 1.6735, 64.8126, 1.191),
    "Zr": (17.8765, 1.27618, 10.948, 11.916, 5.41732, 0.117622, 3.65721, 87.6627, 2.06929),
    "Pd": (19.3319, 0.6987, 15.5017, 7.9893, 5.2954, 25.2052, 0.6058, 76.8986, 5.2659),
}


def form_factor(symbol: str, q: float) -> float:
    """Number of electrons that scatter X-rays in phase, at wave vectors of length ``q`` (1/Å).

    Raises
    ------
    ValueError
        For an element that is not in the table.

    Examples
    --------
    >>> round(form_factor("Si", 0.0), 1), round(form_factor("Si", 5.0), 1)
    (14.0, 7.2)
    """
    if symbol not in _ELECTRONS:
        raise ValueError(f"no X-ray form factor of {symbol}; known: {', '.join(_ELECTRONS)}")
    *pairs, constant = _ELECTRONS[symbol]
    a, b = np.reshape(pairs, (4, 2)).T
    return float(constant + (a * np.exp(-b * (q / (4 * np.pi)) ** 2)).sum())


def scattering_lengths(symbols: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Coherent lengths (N,), fm, and incoherent cross-sections (N,), barn, of atoms for neutrons.

    Raises
    ------
    ValueError
        For an element that is not in the table.

    Examples
    --------
    >>> scattering_lengths(["Si"])
    (array([4.1491]), array([0.004]))
    """
    missing = sorted(set(symbols) - set(NEUTRONS))
    if missing:
        raise ValueError(
            f"no neutron scattering length of {', '.join(missing)}; known: {', '.join(NEUTRONS)}"
        )
    coherent, incoherent = np.array([NEUTRONS[symbol] for symbol in symbols]).T
    return coherent, incoherent
