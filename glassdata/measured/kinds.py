"""The functions by which experiments describe pairs of atoms, and how to tell them apart.

With the number density ρ (Keen, doi:10.1107/S0021889800019993):

    g(r) → 1;  G(r) = 4πρr (g - 1) → 0;  T(r) = 4πρr g → 4πρr;  R(r) = 4πρr² g → 4πρr²;
    S(Q) → 1;  F(Q) = Q (S - 1) → 0.

In two dimensions there are g(r) and R(r) = 2πρr g → 2πρr, with ρ in 1/Å².

Only what the limits prove is guessed: a curve that tends to 1 is g(r) if it vanishes wherever atoms
overlap, for no S(Q) does that; one that grows with r or r² is T(r) or R(r), in two dimensions R(r).
"""

import numpy as np

#: Kinds, and the abscissa of each.
KINDS = {"g": "r", "G": "r", "T": "r", "R": "r", "S": "Q", "F": "Q"}
#: Abscissa by the suffix of a file.
SUFFIXES = {".gr": "r", ".rdf": "r", ".sq": "Q", ".fq": "Q"}
#: Largest difference from its limit, of the mean of g over the last fifth of the range.
FAR = 0.3
#: Height up to which g(r) counts as zero where atoms would overlap.
ZERO = 0.1
#: The same where g(r) has to be told from S(Q), which comes near 0 at small Q but does not vanish.
_NOTHING = 1e-3
#: The powers of r with which they grow, by the number of dimensions; and the largest difference.
_GROW = {3: {"T": 1, "R": 2}, 2: {"R": 1}}
_POWER = 0.35
_IN_WORDS = {1: "r", 2: "r²"}
#: Largest size of G(r) or F(Q) far out, as a share of the largest value of the curve.
_SMALL = 0.3


def tail(x: np.ndarray, y: np.ndarray) -> float:
    """Mean of a curve over the last fifth of its range.

    Examples
    --------
    >>> tail(np.arange(11.0), np.r_[np.zeros(9), 1.0, 1.0])
    1.0
    """
    return float(y[x > 0.8 * x[-1]].mean())


def guess(
    x: np.ndarray, y: np.ndarray, *, variable: str | None, core: float, dim: int = 3
) -> tuple[str, str]:
    """Kind of a curve, and why it can be no other.

    Parameters
    ----------
    x, y : (n,)
        The curve; Å and 1/Å.
    variable : str or None
        ``"r"`` or ``"Q"`` where that is known.
    core : float, Å
        No two atoms are nearer than this.
    dim : int

    Raises
    ------
    ValueError
        If more than one kind has these limits, or none.

    Examples
    --------
    >>> r = np.linspace(0, 10, 101)
    >>> guess(r, np.where(r < 2, 0.0, 1.0), variable=None, core=1.5)[0]
    'g'
    >>> guess(r, 4 * np.pi * 0.05 * r, variable="r", core=1.5)[0]
    'T'
    """
    limit, size = tail(x, y), float(np.abs(y).max())
    if abs(limit - 1) <= FAR and variable == "Q":
        return "S", "it is a function of Q and tends to 1"
    if abs(limit - 1) <= FAR and variable == "r":
        return "g", "it is a function of r and tends to 1"
    if abs(limit - 1) <= FAR and _vanishes(x, y, core):
        return "g", f"it is 0 up to {core:.3g} Å and tends to 1"
    if abs(limit - 1) <= FAR:
        raise ValueError("may be g(r) or S(Q), which both tend to 1: say which with --kind")
    if abs(limit) <= _SMALL * size and (y < 0).any():
        if variable is not None:
            kind = "G" if variable == "r" else "F"
            return kind, f"it is a function of {variable} and swings around 0"
        raise ValueError("may be G(r) or F(Q), which both swing around 0: say which with --kind")
    power = _growth(x, y)
    for kind, expected in _GROW[dim].items():
        if variable != "Q" and abs(power - expected) <= _POWER:
            return kind, f"it grows like {_IN_WORDS[expected]}"
    grow = " and ".join(
        f"{kind}(r) grows like {_IN_WORDS[power]}" for kind, power in _GROW[dim].items()
    )
    raise ValueError(
        f"tends to {limit:.2f} at the end of its range, and none of {', '.join(KINDS)} does: g(r) "
        f"and S(Q) tend to 1, a reduced G(r) and F(Q) to 0, {grow}"
    )


def check_limit(kind: str, x: np.ndarray, y: np.ndarray, *, dim: int = 3) -> None:
    """Refuse a curve that does not have the limit of its kind.

    Parameters
    ----------
    kind : str
        One of ``KINDS``.
    x, y : (n,)
        The curve.
    dim : int

    Raises
    ------
    ValueError
        Saying the limit.

    Examples
    --------
    >>> check_limit("g", np.arange(10.0), np.ones(10))
    """
    limit = tail(x, y)
    if kind in "gS" and abs(limit - 1) > FAR:
        other = "; a reduced G(r) is converted with --kind G" if kind == "g" else ""
        of = "r" if kind == "g" else "Q"
        raise ValueError(f"tends to {limit:.2f} at large {of}, {kind}({of}) tends to 1{other}")
    if kind in "GF" and not (abs(limit) <= _SMALL * np.abs(y).max() and (y < 0).any()):
        raise ValueError(f"does not swing around 0 as {kind}({KINDS[kind]}) does")
    if kind in _GROW[dim]:
        power, expected = _growth(x, y), _GROW[dim][kind]
        if abs(power - expected) > _POWER:
            raise ValueError(
                f"grows like r^{power:.2f} at large r, {kind}(r) grows like {_IN_WORDS[expected]}"
            )


def _vanishes(x: np.ndarray, y: np.ndarray, core: float) -> bool:
    inside = y[x < core]
    return len(inside) > 1 and float(np.abs(inside).max()) <= _NOTHING


def _growth(x: np.ndarray, y: np.ndarray) -> float:
    """Power with which a curve grows over the outer half of its range; -1 if it does not."""
    first, second = (x > x[-1] / 2) & (x <= 0.75 * x[-1]), x > 0.75 * x[-1]
    if first.sum() < 2 or second.sum() < 2:
        return -1.0
    low, high = y[first].mean(), y[second].mean()
    if not (low > 0 and high > 0):
        return -1.0
    return float(np.log(high / low) / np.log(x[second].mean() / x[first].mean()))


def g_of(kind: str, r: np.ndarray, y: np.ndarray, *, density: float, dim: int) -> np.ndarray:
    """g at the points of another function of r, (n,), dimensionless; 0 at r = 0.

    Parameters
    ----------
    kind : str
        One of ``g G T R``, in two dimensions ``g`` or ``R``.
    r, y : (n,)
        The curve, r in Å.
    density : float
        1/Å³; in two dimensions 1/Å², where R(r) = 2πρr g.
    dim : int

    Examples
    --------
    >>> g_of("T", np.array([0.0, 1.0]), np.array([0.0, np.pi]), density=0.25, dim=3).tolist()
    [0.0, 1.0]
    """
    if kind == "g":
        return np.array(y, float)
    at = np.where(r > 0, r, np.inf)
    if kind == "G":
        return np.where(r > 0, 1 + y / (4 * np.pi * density * at), 0.0)
    return y / (2 * np.pi * (dim - 1) * density * at ** _GROW[dim][kind])


def density_of(kind: str, r: np.ndarray, y: np.ndarray, *, dim: int) -> float:
    """The density in the limit of T(r) or R(r), 1/Å³, or 1/Å² of R(r) in two dimensions.

    Parameters
    ----------
    kind : str
        ``"T"`` or ``"R"``.
    r, y : (n,)
        The curve, r in Å.
    dim : int

    Examples
    --------
    >>> r = np.arange(10.0)
    >>> round(density_of("T", r, 4 * np.pi * 0.05 * r, dim=3), 12)
    0.05
    """
    outer = r > 0.8 * r[-1]
    return float((y[outer] / r[outer] ** _GROW[dim][kind]).mean() / (2 * np.pi * (dim - 1)))
