"""What was measured on amorphous silicon: its S(Q), in a file of the user's, and its vibrations."""

from dataclasses import dataclass
from typing import ClassVar

from glassdata.given import GivenFile


@dataclass(frozen=True)
class MeasuredFile(GivenFile):
    """A published measurement, which a user gives to this program once.

    Attributes
    ----------
    file : str
        Name of the file: two columns with commas.
    sha256 : str
    source : str
        Who measured it.
    kind : str
        What it holds, as ``read_measured`` takes it.
    density : float, 1/Å³
        Of the sample.

    Examples
    --------
    >>> SILICON.kind, SILICON.density
    ('S', 0.049)
    """

    file: str
    sha256: str
    source: str
    kind: str
    density: float
    kept_in: ClassVar[str] = "measured"


#: S(Q) of silicon that ion implantation made amorphous, annealed, to 30 1/Å. The density of such
#: silicon is that of Custer et al., doi:10.1063/1.111121.
SILICON = MeasuredFile(
    file="a-si-sq.csv",
    sha256="bd47e86a2f2561a9cef1d60b4a7c63163fff5489a916abc301ce1d31f9963109",
    source="digitised from Laaziri et al., Phys. Rev. Lett. 82, 3460 (1999), "
    "doi:10.1103/PhysRevLett.82.3460",
    kind="S",
    density=0.049,
)

#: Bands of the vibrational spectrum of amorphous silicon by neutron scattering, from, to, meV:
#: Kamitakahara et al., Phys. Rev. Lett. 52, 644 (1984), doi:10.1103/PhysRevLett.52.644.
BANDS = {"transverse acoustic": (20.0, 20.0), "longitudinal": (35.0, 45.0),
         "transverse optical": (59.0, 59.0)}  # fmt: skip
