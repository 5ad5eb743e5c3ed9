"""A training set of one's own: g(r) and spectra that belong together, as a dataset."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xarray as xr
from ase.data import chemical_symbols

from glassdata.bins import bin_centres
from glassdata.bounds import bounded_memory, check_size
from glassdata.measured.binning import is_histogram, point_means
from glassdata.measured.tables import read_table
from glassdata.structures import Dataset
from glassdata.units import PLANCK

#: Units of frequency that a spectrum may have, THz.
FREQUENCIES = {"THz": 1.0, "meV": 1e-3 / PLANCK, "cm-1": 0.0299792458}
#: Largest share of a spectrum that may be negative, and that may lie beyond the bins.
_NEGATIVE, _BEYOND = 0.01, 0.2
#: What is read of a file of ``glassdata spectrum``.
_ROWS = ("g", "pdos", "n_atoms", "density", "r_edges", "omega_edges")


@dataclass(frozen=True)
class Pair:
    """g(r) and the spectrum of one structure, or of one measured sample.

    Attributes
    ----------
    g : (n_r,)
        Means over bins, dimensionless.
    pdos : (n_omega,), 1/THz
        Means over bins; integral 1 over the range.
    family : str
        Pairs of one family are never split between training and test.
    n_atoms : int or None
        None for a measured sample.
    density : float or None
        Number density, per Å³ or Å².

    Examples
    --------
    >>> Pair(np.ones(2), np.array([0.5, 0.5]), "melt 1").n_atoms is None
    True
    """

    g: np.ndarray
    pdos: np.ndarray
    family: str
    n_atoms: int | None = None
    density: float | None = None


@dataclass(frozen=True)
class Frame:
    """What all pairs of a training set share.

    Attributes
    ----------
    name : str
        Of the glass.
    species : tuple of str
    dim : int
    r_edges : (n_r + 1,), Å
    omega_edges : (n_omega + 1,), THz

    Examples
    --------
    >>> Frame("glass", ("Si",), 3, np.arange(3.0), np.arange(3.0)).dim
    3
    """

    name: str
    species: tuple[str, ...]
    dim: int
    r_edges: np.ndarray = field(repr=False)
    omega_edges: np.ndarray = field(repr=False)


def gathered(pairs: Sequence[Pair], frame: Frame) -> Dataset:
    """The dataset of all pairs, from which a model can be trained.

    Numbers of atoms and densities are kept if all pairs have them.

    Parameters
    ----------
    pairs : sequence of Pair
    frame : Frame

    Raises
    ------
    ValueError
        If there are none, or one has other bins.

    Examples
    --------
    >>> frame = Frame("glass", ("Si",), 3, np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0]))
    >>> one = Pair(np.array([0.0, 1.0]), np.array([0.5, 0.5]), "a")
    >>> gathered([one, one], frame).Y.shape
    (2, 2)
    """
    if not pairs:
        raise ValueError("there is no pair of g(r) and spectrum")
    r, omega = bin_centres(frame.r_edges), bin_centres(frame.omega_edges)
    for pair in pairs:
        if pair.g.shape != r.shape or pair.pdos.shape != omega.shape:
            raise ValueError(f"{pair.family} has other bins than the training set")
    families = list(dict.fromkeys(pair.family for pair in pairs))
    variables = {
        "g": (("structure", "r"), np.array([pair.g for pair in pairs])),
        "pdos": (("structure", "omega"), np.array([pair.pdos for pair in pairs])),
        "parent": (("structure",), np.array([families.index(pair.family) for pair in pairs])),
    }
    for name in ("n_atoms", "density"):
        values = [getattr(pair, name) for pair in pairs]
        if None not in values:
            variables[name] = (("structure",), np.array(values))
    coordinates = {
        "structure": np.arange(len(pairs)),
        "r": r,
        "omega": omega,
        "r_edges": ("r_edge", frame.r_edges),
        "omega_edges": ("omega_edge", frame.omega_edges),
    }
    about = {"title": frame.name, "dimension": frame.dim, "species": list(frame.species)}
    stored = xr.Dataset(variables, coordinates, about)
    return Dataset(frame.name, "own", stored, np.arange(len(pairs)))


def read_spectrum(path: Path, unit: str = "THz") -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (n,), THz, and a density of states (n,), 1/THz, of a table with two columns.

    Parameters
    ----------
    path : Path
        Text as ``read_measured`` takes it; the density in any unit, because only its shape counts.
    unit : str
        Of the frequencies, one of ``FREQUENCIES``.

    Raises
    ------
    ValueError
        In one line that names the file.

    Examples
    --------
    >>> _ = Path("a.dos").write_text("0 0\\n10 1\\n20 0\\n")
    >>> omega, dos = read_spectrum(Path("a.dos"), "meV")
    >>> omega.round(2).tolist(), dos.round(2).tolist()
    ([0.0, 2.42, 4.84], [0.0, 0.41, 0.0])
    """
    table = read_table(path)
    omega, dos = FREQUENCIES[unit] * table.x, table.y
    total = float(np.trapezoid(np.abs(dos), omega))
    negative = -float(np.trapezoid(np.minimum(dos, 0.0), omega))
    if not total or negative > _NEGATIVE * total:
        raise ValueError(f"{path} is no density of states: it is negative, or 0 everywhere")
    positive = np.maximum(dos, 0.0)
    return omega, positive / float(np.trapezoid(positive, omega))


def on_bins(omega: np.ndarray, dos: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """A density of states on bins, (n_omega,), 1/THz, integral 1 over their range.

    Parameters
    ----------
    omega, dos : (n,)
        Points of a curve, or the centres of just these bins and the means over them.
    edges : (n_omega + 1,), THz

    Raises
    ------
    ValueError
        If much of it lies beyond the bins.

    Examples
    --------
    >>> on_bins(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 0.0]), np.array([0.0, 1.0, 2.0]))
    array([0.5, 0.5])
    """
    width = np.diff(edges)
    if is_histogram(omega, edges):
        return dos / float((dos * width).sum())
    # A curve ends where its points end, on both sides.
    step = 1e-9 * (omega[-1] - omega[0])
    means = point_means(np.append(omega, omega[-1] + step), np.append(dos, 0.0), edges)
    inside = float((means * width).sum())
    if inside < 1 - _BEYOND:
        raise ValueError(
            f"has {1 - inside:.0%} of its states beyond {edges[0]:g} to {edges[-1]:g} THz; is the "
            "unit of frequency another one (--frequency-unit)?"
        )
    return means / inside


def read_rows(path: Path) -> tuple[list[Pair], Frame]:
    """The pairs in a netCDF file of ``glassdata spectrum``, which are one family, and its bins.

    Raises
    ------
    ValueError
        In one line that names the file.
    """
    check_size(path)
    try:
        with (
            bounded_memory(),
            xr.open_dataset(io.BytesIO(path.read_bytes()), engine="scipy") as found,
        ):
            values = {name: np.asarray(found[name].values, float) for name in _ROWS}
            species = tuple(sorted({chemical_symbols[int(n)] for n in found["number"].values}))
            dim = int(str(found["density"].attrs["units"])[-1])
            name = str(found.attrs["system"])
    except Exception as error:  # whatever a file of another program brings up
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise ValueError(f"{path} was not written by `glassdata spectrum` ({reason})") from None
    frame = Frame(name, species, dim, values["r_edges"], values["omega_edges"])
    if not all(np.isfinite(one).all() for one in values.values()):
        raise ValueError(f"{path} holds numbers that are not finite")
    rows = zip(*(values[name] for name in ("g", "pdos", "n_atoms", "density")), strict=True)
    return [Pair(g, pdos, path.name, int(n), float(rho)) for g, pdos, n, rho in rows], frame
