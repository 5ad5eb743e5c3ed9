"""The command ``observe``: what else a structure does, beside having a spectrum."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from glassdata.cli.choices import (
    STDOUT,
    check_suffix,
    check_writable,
    known_systems,
    path_argument,
    system_option,
    table,
)

if TYPE_CHECKING:
    import numpy as np
    from ase import Atoms

    from glassdata.system import System

Values = dict[str, "np.ndarray"]

#: Observables by name; their own module is loaded only when one is computed.
NAMES = ("participation", "heat", "elastic", "conductivity", "scattering", "raman", "boson")
# More values than these are summed up in one word, and go to the file.
_FEW = 6


@click.command()
@path_argument("file")
@system_option(multiple=False)
@click.option(
    "--observable",
    "wanted",
    multiple=True,
    required=True,
    type=click.Choice(NAMES),
    help="What to compute; may be repeated.",
)
@click.option("--relax", is_flag=True, help="Minimise the energy first, in the given cell.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    help="netCDF file to write; - for stdout.",
)
def observe(
    file: Path, name: str, wanted: tuple[str, ...], relax: bool, output: Path | None
) -> None:
    """Compute observables of the structures in FILE, which must be at rest.

    FILE may have any format that ASE reads. Potential and bins are those of the system. Lists of
    many values, one for each mode or wave, are written with -o only.

    \b
    Examples:
      glassdata observe glass.xyz --system si --observable elastic --observable heat
      glassdata observe glass.xyz --system si --observable conductivity --relax -o glass.nc
    """
    from glassdata.cli.inputs import read_structures

    system = known_systems([name])[name]
    if file.is_dir() or file.suffix == ".zip":
        raise click.UsageError(f"{file} is a store; observe takes a file of structures")
    check_writable(output, inputs=[file])
    check_suffix(output, ".nc")
    frames = read_structures(file, system.species, f"the system {name}")
    found = [_observe(n, atoms, system, wanted, relax) for n, atoms in enumerate(frames)]
    click.echo(_summary(found, system), err=output == STDOUT)
    if output:
        from glassdata.cli.outputs import deliver, provenance

        told = {"system": name, "observable": list(wanted), "relax": relax or None}
        deliver(output, _as_netcdf(found, system, provenance([file], told)))
        if output != STDOUT:
            click.echo(f"wrote {output}")


def _observe(
    number: int, atoms: "Atoms", system: "System", wanted: tuple[str, ...], relaxed: bool
) -> Values:
    """Values of all variables of the observables, by name."""
    import numpy as np

    from glassdata.eigen import check_memory
    from glassdata.minimise import relax
    from glassdata.observables import OBSERVABLES, Observed

    check_memory(system.potential.dim, len(atoms), vectors=True)
    if relaxed:
        atoms = relax(atoms, system.potential)
    structure = Observed(atoms, system.potential, system.omega_edges)
    try:
        return {
            variable: np.asarray(declared.value(structure), declared.dtype)
            for observable in dict.fromkeys(wanted)
            for variable, declared in OBSERVABLES[observable].items()
        }
    except ValueError as error:
        raise click.UsageError(f"structure {number}: {error}") from error


def _summary(found: list[Values], system: "System") -> str:
    declared = _declared()
    lines = []
    for number, values in enumerate(found):
        for variable, value in values.items():
            few = " ".join(f"{x:.5g}" for x in value.ravel())
            shown = few if value.size <= _FEW else f"{value.size} values"
            lines.append((number, variable, shown, declared[variable].units_in(system.dim)))
    return table(("structure", "variable", "value", "unit"), lines)


def _declared() -> dict:
    from glassdata.observables import OBSERVABLES

    return {name: v for variables in OBSERVABLES.values() for name, v in variables.items()}


def _as_netcdf(found: list[Values], system: "System", said: dict[str, str]) -> bytes:
    """All structures in one file; lists of modes and waves one after the other, with counts."""
    import numpy as np
    import xarray as xr

    from glassdata.bins import bin_centres
    from glassdata.observables.heat import TEMPERATURES

    declared, variables, counts = _declared(), {}, {}
    for name in found[0]:
        of, values = declared[name], [row[name] for row in found]
        first = of.dims[0]
        if first == "structure":
            data = np.stack(values)
        else:
            data = np.concatenate(values)
            counts[f"n_{first}s"] = ("structure", np.array([len(v) for v in values], "i4"))
        attributes = {"units": of.units_in(system.dim), "long_name": of.long_name}
        variables[name] = (of.dims, data, attributes)
    used = {dim for dims, _, _ in variables.values() for dim in dims}
    known = {
        "temperature": ("temperature", list(TEMPERATURES), {"units": "K"}),
        "omega": ("omega", bin_centres(system.omega_edges), {"units": "THz"}),
    }
    coordinates = {name: value for name, value in known.items() if name in used}
    attributes = {"system": system.name, "references": system.reference, "Conventions": "CF-1.11"}
    dataset = xr.Dataset({**variables, **counts}, coordinates, attributes | said)
    return bytes(dataset.to_netcdf(engine="scipy"))
