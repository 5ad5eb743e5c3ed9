"""From a table of any kind to g(r) on the bins of a glass; every assumption becomes a sentence."""

from dataclasses import replace

import numpy as np

from glassdata.bins import bin_centres, checked_edges
from glassdata.measured.asked import Asked, Target
from glassdata.measured.binning import is_histogram, point_means, rebinned
from glassdata.measured.fourier import Resolution, g_of_structure_factor
from glassdata.measured.kinds import (
    FAR,
    KINDS,
    SUFFIXES,
    ZERO,
    check_limit,
    density_of,
    g_of,
    guess,
    tail,
)
from glassdata.measured.seen import Measured, trimmed
from glassdata.measured.tables import Table
from glassdata.units import LENGTHS

#: Powers of a length of which the values of a curve are.
_POWERS = {"G": -2, "T": -2, "R": -1, "F": -1}
#: Share of the points of Q that must be near enough for a transform.
_NEARLY_ALL = 0.95
#: Largest size of r g(r) inside the core, as a share of the largest r (g - 1) outside, or of the
#: size that it would have there in a gas: more than that are no ripples of a transform, but atoms.
_RIPPLES = 0.3
#: Largest Q at which S(Q) may begin, 1/Å: diffractometers begin at 0.3 to 1.
_FIRST = 1.5
#: Largest share of the range of r over which a measurement may smear g(r) and still show shells.
_SMEARED = 0.5
#: Largest density of atoms deep inside the core, as a share of that of a gas: ripples come and go,
#: and their mean is nothing. Deep is so far from its rim that no wide first shell reaches there.
_CORE_ATOMS, _DEEP = 0.3, 0.8


def on_bins(
    table: Table, target: Target, asked: Asked, *, suffixes: list[str] | None = None
) -> Measured:
    """g(r) on the bins of a target from a table; see :func:`read_measured`.

    Parameters
    ----------
    table : Table
    target : Target
    asked : Asked
    suffixes : list of str, optional
        Of the file, of which one may say whether the abscissa is r or Q.

    Examples
    --------
    >>> r = np.linspace(0, 10, 401)
    >>> table = Table(r, np.where(r < 2, 0.0, 1.0), name="g")
    >>> on_bins(table, Target(np.linspace(0, 10, 11)), Asked()).g[:3].round(2).tolist()
    [0.0, 0.01, 1.0]
    """
    checked_edges(target.edges)
    said = [*table.said]
    table, kind = _understood(table, target, asked, suffixes or [], said)
    density = _density(kind, table, target, asked, said)
    if KINDS[kind] == "Q":
        found = _transformed(kind, table, target, asked, density, said)
    else:
        found = _converted(kind, table, target, asked, density, said)
    if kind in "GSF" and target.n_species > 1:
        said.append("atoms of all species were taken to scatter alike")
    return _without_core(found, target, said)


def _understood(
    table: Table, target: Target, asked: Asked, suffixes: list[str], said: list[str]
) -> tuple[Table, str]:
    """The table in Å, and its kind."""
    variable = next((SUFFIXES[s.lower()] for s in suffixes if s.lower() in SUFFIXES), None)
    kind = asked.kind or table.name
    variable = KINDS[kind] if kind else table.variable or variable
    if table.in_nm and asked.unit is None:
        said.append("lengths are in nm, as the header says")
    unit = asked.unit or ("nm" if table.in_nm else "angstrom")
    length = LENGTHS[unit]
    if unit != "angstrom":
        if variable is None:
            raise ValueError(f"is in {unit}, but of r or of Q? Say which it is with --kind")
        x = table.x * length if variable == "r" else table.x / length
        table = replace(table, x=x, q_max=table.q_max and table.q_max / length)
    if kind is None:
        kind, why = guess(table.x, table.y, variable=variable, core=target.core, dim=target.dim)
        said.append(f"it was taken to be {kind}({KINDS[kind]}), because {why}")
    else:
        if not table.ours:
            check_limit(kind, table.x, table.y, dim=target.dim)
        if asked.kind is None:
            said.append(f"it was taken to be {kind}({KINDS[kind]}), as its header says")
    if target.dim == 2 and kind not in "gR":
        raise ValueError(
            f"is {kind}({KINDS[kind]}), which is defined in three dimensions; of a sheet or a disc "
            "g(r) and R(r) = 2πρr g(r) are read"
        )
    if table.x[0] < 0:
        variable = KINDS[kind]
        raise ValueError(f"begins at {variable} = {table.x[0]:g}; {variable} is never negative")
    # Limits, by which a kind is known, do not depend on the unit of what grows or swings.
    return replace(table, y=table.y * length ** _POWERS.get(kind, 0)), kind


def _density(kind: str, table: Table, target: Target, asked: Asked, said: list[str]) -> float:
    """The number density, given or found; NaN of g(r), which needs none."""
    if kind == "g":
        return float("nan")
    unit = f"Å^-{target.dim}"
    if asked.density is not None:
        return asked.density
    if kind in "TR":
        found = density_of(kind, table.x, table.y, dim=target.dim)
        said.append(f"the density, {found:.4g} {unit}, was taken from the limit of {kind}(r)")
        return found
    if target.density is None:
        raise ValueError(f"is {kind}({KINDS[kind]}), which needs a density: --density, in {unit}")
    said.append(f"the density was taken to be the training set's mean, {target.density:.4g} {unit}")
    return target.density


def _transformed(
    kind: str, table: Table, target: Target, asked: Asked, density: float, said: list[str]
) -> Measured:
    """g(r) by the Fourier transform of S(Q) or F(Q)."""
    Q, r_max = table.x, float(target.edges[-1])
    # Digitised points are uneven: nearly all of them must be near enough.
    apart = float(np.quantile(np.diff(Q), _NEARLY_ALL))
    if apart > np.pi / r_max or Q[0] > _FIRST:
        raise ValueError(
            f"has points of Q up to {apart:.2g} 1/Å apart, from {Q[0]:.2g}; g(r) up to {r_max:g} Å "
            f"needs them at most {np.pi / r_max:.2g} apart, from {_FIRST} or less on"
        )
    q_max = min(asked.q_max or Q[-1], Q[-1])
    resolution = _resolved(float(q_max), asked.window or "lorch", target)
    F = Q * (table.y - 1) if kind == "S" else table.y
    said.append(
        f"it was transformed from Q = 0 to {q_max:.4g} 1/Å with "
        f"{'the window of Lorch' if resolution.window == 'lorch' else 'no window'}"
    )
    g = g_of_structure_factor(Q, F, target.edges, density=density, resolution=resolution)
    return Measured(g, target.edges, kind, resolution=resolution, assumed=tuple(said))


def _converted(
    kind: str, table: Table, target: Target, asked: Asked, density: float, said: list[str]
) -> Measured:
    """g(r) from another function of r."""
    r, edges = table.x, target.edges
    step = float(np.median(np.diff(r)))
    if r[-1] + step / 2 < edges[-1] * (1 - 1e-9):
        nm = "; if its lengths are in nm, say so with --length-unit nm" if r[-1] < 3 else ""
        raise ValueError(f"ends at r = {r[-1]:g} Å; the model needs it up to {edges[-1]:g} Å{nm}")
    g = g_of(kind, r, table.y, density=density, dim=target.dim)
    if r[0] - step / 2 > max(edges[0], target.core) and abs(g[0]) > ZERO:
        raise ValueError(
            f"begins at r = {r[0]:g} Å with g = {g[0]:.3g}; the model needs it from "
            f"{edges[0]:g} Å on"
        )
    if kind != "g" and abs(tail(r, g) - 1) > FAR:
        raise ValueError(f"becomes a g(r) that tends to {tail(r, g):.2f}: the density is wrong")
    if asked.values == "bins" or (
        asked.values is None and (table.histogram or is_histogram(r, edges))
    ):
        if asked.values is None and not table.histogram:
            said.append("its values were taken to be means over bins, which are those of the glass")
        g = rebinned(r, g, edges, target.dim)
    else:
        g = point_means(r, g, edges)
    q_max = asked.q_max or table.q_max
    if kind == "G" and q_max is None:
        said.append("Q_max is not known, so that its resolution is ignored: --q-max says it")
    # The window of a G(r) is not written in its header; without one Q_max just ends the transform.
    resolution = _resolved(q_max, asked.window or "none", target) if q_max else None
    if resolution is not None:
        said.append(f"it was measured to Q_max = {q_max:g} 1/Å, with window {resolution.window}")
    return Measured(g, edges, kind, resolution=resolution, assumed=tuple(said))


def _resolved(q_max: float, window: str, target: Target) -> Resolution:
    """The resolution of a measurement, if it shows any shell of atoms."""
    found, r_max = Resolution(q_max, window), float(target.edges[-1])
    if found.blind > _SMEARED * r_max:
        least = Resolution(1.0).blind / (_SMEARED * r_max)
        raise ValueError(
            f"is known to Q_max = {q_max:g} 1/Å only, which smears g(r) over {found.blind:.2g} Å; "
            f"at least {least:.2g} 1/Å are needed"
        )
    return found


def _without_core(found: Measured, target: Target, said: list[str]) -> Measured:
    """The same without the ripples where no atoms can be, and with what these say of the noise."""
    core = target.core
    inside = found.edges[1:] <= core * (1 + 1e-9)
    height = float(np.abs(found.g[inside]).max(initial=0.0))
    noise = 0.0
    if height > 0:
        r = bin_centres(found.edges)
        # A window smears the first shell into the core, which is no noise.
        smeared = found.resolution.blind if found.resolution else 0.0
        outer = inside & (found.edges[:-1] >= core / 2)
        free = outer & (found.edges[1:] <= core - smeared)
        outer = free if free.any() else outer
        noise = float(np.sqrt(np.mean((found.g * r)[outer] ** 2)))
        deep = found.edges[1:] <= min(_DEEP * core, core - smeared)
        space = r ** (target.dim - 1)
        atoms = np.average(found.g[deep], weights=space[deep]) if deep.any() else 0.0
        largest = _RIPPLES * max(core, np.abs((found.g - 1) * r)[~inside].max())
        if noise > largest or (found.kind == "g" and atoms > _CORE_ATOMS):
            seen = found.resolution
            end = f", or Q_max = {seen.q_max:g} 1/Å is too small" if seen else ""
            raise ValueError(
                f"has pairs of atoms below {core:.3g} Å, where this glass has none: it is of "
                "another substance, in another unit or of another kind (--kind), or its density "
                f"is wrong{end}"
            )
        said.append(
            f"ripples of up to {height:.2g} below {core:.3g} Å, where no two atoms can be, were "
            "set to 0"
        )
    g = trimmed(found.g[None], found.edges, core, found.resolution)[0]
    return replace(found, g=g, core=core, noise=noise, assumed=tuple(said))
