"""What g(r) is wanted for, and what a user says of the file that holds it."""

from dataclasses import dataclass

import numpy as np

from glassdata.measured.fourier import WINDOWS
from glassdata.measured.kinds import KINDS
from glassdata.system import System
from glassdata.systems import find
from glassdata.units import LENGTHS


@dataclass(frozen=True)
class Target:
    """What g(r) is wanted for: bins, dimension, and what is known of the glass.

    Attributes
    ----------
    edges : (n_r + 1,)
        Bins of distance, Å.
    dim : int
    core : float, Å
        No two atoms of the glass are nearer than this, so that g vanishes there.
    density : float or None
        Number density of the glass, per Å³ or Å², where a measurement does not say it.
    n_species : int

    Examples
    --------
    >>> Target.of("amc").core  # half of the distance up to which atoms are neighbours, Å
    1.0
    """

    edges: np.ndarray
    dim: int = 3
    core: float = 0.0
    density: float | None = None
    n_species: int = 1

    @classmethod
    def of(cls, system: str | System) -> "Target":
        """The bins of a system, for which nothing but its crystal is known."""
        glass = find(system)
        core = 0.5 * glass.bond_length
        return cls(glass.r_edges, glass.dim, core, None, len(glass.species))


@dataclass(frozen=True)
class Asked:
    """What the reader of a file says of it; None leaves it to the file, and to what is provable.

    Attributes
    ----------
    kind : str or None
        One of ``KINDS``.
    density : float or None
        Number density, 1/Å³, or 1/Å² in two dimensions.
    unit : str or None
        Of all lengths in the file, one of ``glassdata.units.LENGTHS``.
    q_max : float or None, 1/Å
        Where S(Q) ends, or ended before it became the G(r) of the file.
    window : str or None
        One of ``WINDOWS``; the default is Lorch's for S(Q) and F(Q).
    values : str or None
        ``"points"`` of a curve, or ``"bins"``: means over bins of which r are the centres.

    Examples
    --------
    >>> Asked(kind="G", density=0.05).unit is None
    True
    """

    kind: str | None = None
    density: float | None = None
    unit: str | None = None
    q_max: float | None = None
    window: str | None = None
    values: str | None = None

    def __post_init__(self) -> None:
        choices = {"kind": tuple(KINDS), "unit": tuple(LENGTHS), "window": WINDOWS}
        for name, known in (choices | {"values": ("points", "bins")}).items():
            value = getattr(self, name)
            if value is not None and value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")
        for name in ("density", "q_max"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be positive, got {value:g}")
