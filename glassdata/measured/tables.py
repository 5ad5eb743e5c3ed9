"""Tables of numbers as experiments and simulations write them, and what their headers say.

Blanks, commas and semicolons separate columns, also with decimal commas; ``#`` starts a comment;
gzip is unpacked. Of a header the names of the columns are used, and the ``qmax`` that PDFgetX3,
xPDFsuite and PDFgetN write. ``diffpy.utils`` reads such files too, but it leaves out a line that
is no number, where a torn file has to be refused, and it knows neither commas nor gzip.
"""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from glassdata import bounds
from glassdata.bounds import bounded_memory, check_size, missing_file

_GZIP, _NETCDF, _HDF = b"\x1f\x8b", b"CDF", b"\x89HDF"
_QMAX = re.compile(r"^\W*q_?max\s*[=:]\s*([0-9.]+)", re.IGNORECASE | re.MULTILINE)
#: Name of a column: r or Q, then the function; whatever follows is a unit.
_NAME = re.compile(r"([A-Za-z]+)(?:\(|\[|_|/|$)")
#: A line of numbers with decimal commas: within two columns that something else separates.
_DECIMAL_COMMAS = re.compile(r"^\s*[+-]?\d+,\d+[;\s]+[+-]?\d+(?:,\d+)?", re.MULTILINE)
_DECIMAL_POINT = re.compile(r"^[^#\n]*\d\.\d", re.MULTILINE)
_LAMMPS = re.compile(r"^#\s*Row\s+c_", re.MULTILINE)
#: Columns of LAMMPS's compute rdf for all pairs: row, distance, g, coordination number.
_LAMMPS_COLUMNS = 4


@dataclass(frozen=True)
class Table:
    """A curve as it stands in a file, sorted, with what the file says of it.

    Attributes
    ----------
    x, y : (n,)
        Abscissa, increasing, and values, in the unit of the file.
    variable : str or None
        ``"r"`` or ``"Q"`` if the file names its abscissa.
    name : str or None
        Kind of the curve if the file names it: one of ``g G T R S F``.
    in_nm : bool
        Whether the file says that lengths are in nm.
    histogram : bool
        Whether the file says that values are means over bins of which ``x`` are the centres.
    ours : bool
        Whether this program wrote the file, so that nothing has to be proven.
    q_max : float or None, in the unit of the file
    said : tuple of str
        What was done to the numbers.

    Examples
    --------
    >>> Table(np.array([0.0, 1.0]), np.array([0.0, 2.0]), name="g").name
    'g'
    """

    x: np.ndarray
    y: np.ndarray
    variable: str | None = None
    name: str | None = None
    in_nm: bool = False
    histogram: bool = False
    ours: bool = False
    q_max: float | None = None
    said: tuple[str, ...] = field(default=())


def read_table(path: Path, content: bytes | None = None) -> Table:
    """The curve of a file: text, gzipped text, or the netCDF file of ``glassdata spectrum``.

    Parameters
    ----------
    path
        Names the file in every message.
    content
        Of a file that was read already, such as standard input.

    Raises
    ------
    ValueError
        In one line that names the file, and the line in it that is no row of two numbers.

    Examples
    --------
    >>> _ = Path("a.gr").write_text("qmax = 25\\n#L r G\\n2.0 1.0\\n1.0 -1.0\\n")
    >>> table = read_table(Path("a.gr"))
    >>> table.x.tolist(), table.name, table.q_max, table.said
    ([1.0, 2.0], 'G', 25.0, ('its lines were sorted by r',))
    """
    if content is None:
        if not path.is_file():
            raise ValueError(missing_file(path))
        check_size(path)
    try:
        with bounded_memory():
            data = path.read_bytes() if content is None else content
            if data.startswith(_GZIP):
                data = _unpacked(path, data)
            if data.startswith((_NETCDF, _HDF)):
                return _of_netcdf(path, data)
            return _of_text(path, _text(path, data))
    except MemoryError:
        raise ValueError(f"{path} is not read: it would take too much memory") from None


def _unpacked(path: Path, data: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            found = stream.read(bounds.LIMIT + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is not a readable gzip file ({error})") from None
    if len(found) > bounds.LIMIT:
        raise ValueError(f"{path} unpacks to more than {bounds.LIMIT} bytes")
    return found


def _text(path: Path, data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # as some spreadsheets write
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError:
            raise ValueError(f"{path} is not a text file") from None
    if b"\0" in data:
        raise ValueError(f"{path} is not a text file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")  # headers with Å, from instruments


def _of_text(path: Path, text: str) -> Table:
    if _LAMMPS.search(text):
        return _of_lammps(path, text)
    pairs: list[tuple[float, float]] = []
    header: list[str] = []
    split = _columns_of(text)
    for number, line in enumerate(text.splitlines(), start=1):
        words = split(line.partition("#")[0])
        try:
            pair = (_number(words[0]), _number(words[1]))
        except (ValueError, IndexError):
            # Lines before the first numbers are a header.
            if words and pairs:
                raise ValueError(f"{path}, line {number}: not two numbers") from None
            if not pairs:
                header.append(line)
            continue
        if not np.isfinite(pair).all():
            raise ValueError(f"{path}, line {number}: not finite")
        pairs.append(pair)
    if not pairs:
        raise ValueError(f"{path} holds no two columns of numbers")
    found = _QMAX.search("\n".join(header))
    variable, name, in_nm = _named(header)
    x, y, said = _sorted(path, np.array(pairs), variable or "first column")
    q_max = float(found[1]) if found else None
    return Table(x, y, variable, name, in_nm, q_max=q_max, said=said)


def _number(word: str) -> float:
    """A number as Python, or with the exponent of Fortran."""
    try:
        return float(word)
    except ValueError:
        return float(word.upper().replace("D", "E", 1))


def _columns_of(text: str) -> Callable[[str], list[str]]:
    """How the lines of a text become columns: commas may separate them, or be decimal ones."""
    if _DECIMAL_COMMAS.search(text) and not _DECIMAL_POINT.search(text):
        return lambda line: line.replace(";", " ").replace(",", ".").split()
    return lambda line: line.replace(";", " ").replace(",", " ").split()


def _named(header: list[str]) -> tuple[str | None, str | None, bool]:
    """Abscissa and kind by the last line of a header that names two columns, and whether in nm."""
    for line in reversed(header):
        words = re.sub(r"^\W*(?:L\s+)?(?=\w)", "", line.strip()).replace(",", " ").replace(";", " ")
        columns = [found[1] for word in words.split() if (found := _NAME.match(word))]
        if len(columns) < 2 or columns[0] not in ("r", "R", "Q", "q"):
            continue
        variable = "Q" if columns[0] in "Qq" else "r"
        # G and g are different functions; the others are written both ways.
        name = next((c for c in columns[1:] if c in ("g", "G")), None)
        others = "SF" if variable == "Q" else "TR"
        name = name or next((c.upper() for c in columns[1:] if c.upper() in others), None)
        return variable, name, "nm" in line
    return None, None, False


def _sorted(path: Path, pairs: np.ndarray, what: str) -> tuple[np.ndarray, np.ndarray, tuple]:
    x, y = pairs.T
    said = []
    if (np.diff(x) < 0).any():
        said.append(f"its lines were sorted by {what}")
    distinct, place, counts = np.unique(x, return_inverse=True, return_counts=True)
    if len(distinct) < len(x):
        said.append(f"{len(x) - len(distinct)} lines of equal {what} were averaged with others")
    if len(distinct) < 2:
        raise ValueError(f"{path} has {len(distinct)} value of {what}; a curve has many")
    return distinct, np.bincount(place, weights=y) / counts, tuple(said)


def _of_lammps(path: Path, text: str) -> Table:
    """Mean over the blocks that ``fix ave/time ... mode vector`` writes of ``compute rdf``."""
    rows = [line.split() for line in text.splitlines() if line.strip() and line[0] != "#"]
    try:
        blocks, at = [], 0
        while at < len(rows):
            count = int(rows[at][1])
            blocks.append(np.array(rows[at + 1 : at + 1 + count], float))
            at += 1 + count
            if blocks[-1].ndim != 2 or len(blocks[-1]) != count or len(blocks[-1]) < 2:
                raise ValueError("a block is torn")
        values = np.array(blocks)
    except (ValueError, IndexError) as error:
        raise ValueError(f"{path} is no whole output of LAMMPS's compute rdf ({error})") from None
    if values.ndim != 3 or values.shape[2] != _LAMMPS_COLUMNS:
        raise ValueError(
            f"{path} holds several functions of LAMMPS's compute rdf; the g(r) of all pairs is "
            "wanted, which it writes when no types are named"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{path} holds numbers that are not finite")
    said = f"the mean of {len(values)} g(r) of LAMMPS was taken" if len(values) > 1 else ""
    x, y = values.mean(axis=0)[:, 1:3].T
    return Table(x, y, "r", "g", histogram=True, said=(said,) if said else ())


def _of_netcdf(path: Path, data: bytes) -> Table:
    import xarray as xr

    try:
        with xr.open_dataset(io.BytesIO(data), engine="scipy") as found:
            g, r = np.atleast_2d(found["g"].values).astype(float), found["r"].values.astype(float)
    except Exception as error:  # whatever a file of another program brings up
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise ValueError(f"{path} was not written by `glassdata spectrum` ({reason})") from None
    if g.shape[1:] != r.shape or len(r) < 2 or not np.isfinite(g).all() or np.any(np.diff(r) <= 0):
        raise ValueError(f"{path} holds a g(r) that does not fit its distances")
    said = f"the mean of the g(r) of {len(g)} structures was taken" if len(g) > 1 else ""
    notes = (said,) if said else ()
    return Table(r, g.mean(axis=0), "r", "g", histogram=True, ours=True, said=notes)
