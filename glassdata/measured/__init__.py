"""What an experiment gives, as g(r) on the bins of a glass; what is assumed is said.

:func:`read_measured` reads g(r), G(r), T(r), R(r), S(Q) and F(Q), and :meth:`Measured.seen` makes
of the g(r) of a training set what this measurement would have seen of them.
"""

from pathlib import Path

from glassdata.measured.asked import Asked, Target
from glassdata.measured.conversion import on_bins
from glassdata.measured.fourier import WINDOWS, Resolution
from glassdata.measured.kinds import KINDS
from glassdata.measured.seen import Measured
from glassdata.measured.tables import read_table
from glassdata.system import System

__all__ = [
    "KINDS",
    "WINDOWS",
    "Asked",
    "Measured",
    "Resolution",
    "Target",
    "on_bins",
    "read_measured",
    "read_table",
]


def read_measured(
    file: str | Path,
    system: str | System | Target,
    *,
    kind: str | None = None,
    density: float | None = None,
    unit: str | None = None,
    q_max: float | None = None,
    window: str | None = None,
    values: str | None = None,
    content: bytes | None = None,
) -> Measured:
    """g(r) on the bins of a glass, from a measured or computed pair function in a file.

    Parameters
    ----------
    file
        Text with two columns (``.gr``, ``.sq``, ``.dat``, ``.txt``, ``.csv``, ``.xy``, also
        gzipped), with or without the header of PDFgetX3 or xPDFsuite; the output of LAMMPS's
        ``compute rdf``; or the netCDF file of ``glassdata spectrum``.
    system
        The glass, or a :class:`Target`.
    kind, density, unit, q_max, window, values
        As in :class:`Asked`.
    content
        Of the file, where it was read already: ``file`` is only its name then.

    Raises
    ------
    ValueError
        If the file is no such table, does not reach far enough, or does not have the limits of its
        kind; or if its kind or density is neither given nor provable.

    Examples
    --------
    >>> import numpy as np
    >>> import glassdata as gd
    >>> crystal = gd.SYSTEMS["sic"].crystal()
    >>> edges = gd.SYSTEMS["sic"].r_edges
    >>> g = gd.rdf(crystal, edges)
    >>> np.savetxt("own.csv", np.column_stack([edges[1:] - 0.05, g]), header="r g")
    >>> found = read_measured("own.csv", "sic")
    >>> bool(np.abs(found.g - g).max() < 1e-12), found.kind
    (True, 'g')
    """
    target = system if isinstance(system, Target) else Target.of(system)
    asked = Asked(kind, density, unit, q_max, window, values)
    path = Path(file)
    try:
        return on_bins(read_table(path, content), target, asked, suffixes=path.suffixes)
    except ValueError as error:
        text = str(error)
        raise ValueError(
            text if text.startswith(("there is", str(path))) else f"{path} {text}"
        ) from None
