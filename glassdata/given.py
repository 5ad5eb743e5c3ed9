"""Published files that the user obtains and gives to this program once.

They stay with their owners; their checksum identifies what is computed from them.
"""

import hashlib
from pathlib import Path
from typing import ClassVar

from glassdata.bounds import read_file


class MissingTableError(FileNotFoundError):
    """A file was not given to this program yet; the message says how to do it.

    Examples
    --------
    >>> issubclass(MissingTableError, FileNotFoundError)
    True
    """


class GivenFile:
    """What a dataclass with the fields ``file``, ``sha256`` and ``source`` can say of that file.

    Examples
    --------
    >>> from glassdata.systems import SYSTEMS
    >>> SYSTEMS["cualzr_sheng"].potential.path.parts[-3:]
    ('.glassdata', 'potentials', 'ZrCuAl2011.eam.alloy')
    """

    #: Folder beside others of its kind, in ``.glassdata`` of the home folder.
    kept_in: ClassVar[str]
    file: str
    sha256: str
    source: str

    @property
    def path(self) -> Path:
        """Where this program keeps the file."""
        return Path.home() / ".glassdata" / self.kept_in / self.file

    @property
    def is_here(self) -> bool:
        """Whether the file was given to this program."""
        return self.path.is_file()

    def check_here(self) -> None:
        """Refuse to go on without the file.

        Raises
        ------
        MissingTableError
            With the command that takes it.
        """
        if not self.is_here:
            raise MissingTableError(self.missing)

    @property
    def missing(self) -> str:
        """What to do where the file is not here."""
        return (
            f"{self.file} is missing; obtain it ({self.source}), then: "
            f"glassdata systems --add PATH/{self.file}"
        )

    def published(self, path: Path) -> bytes:
        """Content of a file, if it is the published one.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is another one.
        """
        return checked_file(path, self.sha256, self.source)


def checked_file(path: Path, sha256: str | None, source: str, limit: int | None = None) -> bytes:
    """Content of a file of at most ``limit`` bytes, if it has the checksum that is asked for.

    Parameters
    ----------
    path : Path
    sha256 : str or None
        Hexadecimal; None for any file.
    source : str
        Where to obtain it, for the message.
    limit : int, optional
        Bytes; otherwise what this program takes at once.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is another one, or too large.

    Examples
    --------
    >>> Path("a.table").write_bytes(b"1 2")
    3
    >>> checked_file(Path("a.table"), None, "nowhere")
    b'1 2'
    """
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}; obtain it: {source or 'see its paper'}")
    content = read_file(path, limit)
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise ValueError(f"{path}: sha256 {found} is not the expected {sha256}")
    return content
