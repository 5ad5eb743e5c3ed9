"""The laws of glasses: the crystal is at rest, rows repeat, numbers have their units."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, partial

import numpy as np
from ase import Atoms
from ase import units as ase_units
from scipy import linalg

from glassdata.config import digest
from glassdata.describe import Structure
from glassdata.radial import partial_rdf, periodic_extent, rdf, shells
from glassdata.row import compute_row, make_structure, science
from glassdata.schema import FIXED, RAGGED, VARIABLES
from glassdata.system import DISORDER_CLASSES, ENSEMBLES, System
from glassdata.systems import find
from glassdata.testing.contract import differences, enforce, shared_randomness
from glassdata.testing.derivatives import slope_along
from glassdata.testing.units import wrong_dimensions
from glassdata.vibrations import energy_forces, hessian

# THz of a mode with eigenvalue 1 eV/(Å² u), from ASE's constants.
_THZ = ase_units.second / (2 * np.pi * 1e12)
# Two tables of the natural constants differ by 1e-8.
_CONSTANTS = 1e-6
# Largest strain of the crystal from its equilibrium, dimensionless: a lattice constant to 1e-5.
_STRAIN = 1e-5
_IDEAL = 3e5  # pairs of the ideal gas within the range
_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
_REPEATED = (0, 2)  # structures that are looked at, of two families; the first is made twice


def check_system(system: str | System, profile: str = "demo", *, seed: int = 0) -> None:
    """Try every law of a glass, on two small structures of one profile.

    Parameters
    ----------
    system : str or System
    profile : str
    seed : int
        Of the ideal gas.

    Raises
    ------
    ContractError
        Naming all laws that are violated.

    Examples
    --------
    >>> check_system("lj3d")
    """
    glass = _Glass(find(system), profile)
    laws: dict[str, Callable[[], Iterable[str]]] = {
        "species": glass.species,
        "classes": glass.classes,
        "crystal": glass.crystal,
        "modes": glass.modes,
        "ideal gas": partial(glass.ideal_gas, np.random.default_rng(seed)),
        "reproducible": glass.reproducible,
        "size": glass.size,
        "variables": glass.variables,
        "spectrum": glass.spectrum,
        "units": glass.units,
        "dimensions": lambda: wrong_dimensions(glass.made[0], glass.system),
        "science": glass.science,
    }
    enforce(f"the glass {glass.system.name} at profile {profile}", laws)


class _Glass:
    """A glass with what several laws need: its first structures and their rows."""

    def __init__(self, system: System, profile: str) -> None:
        self.system, self.profile = system, profile
        self.protocol = system.protocols[profile]

    @cached_property
    def made(self) -> list[Atoms]:
        return [make_structure(self.system, index, self.profile) for index in _REPEATED]

    @cached_property
    def row(self) -> dict[str, np.ndarray]:
        return compute_row(self.system, self.profile, 0, make=lambda *_: self.made[0])

    def species(self) -> Iterator[str]:
        known = set(self.system.potential.species)
        if not set(self.system.species) <= known:
            yield f"species {self.system.species} are not all among the potential's {sorted(known)}"
        for what, atoms in (("the crystal", self.system.crystal()), ("structure 0", self.made[0])):
            strange = set(atoms.symbols) - set(self.system.species)
            if strange:
                yield f"{what} holds {sorted(strange)}, which species does not list"

    def classes(self) -> Iterator[str]:
        edges = list(self.system.class_edges)
        rising = sorted(set(edges))
        if len(edges) != len(DISORDER_CLASSES) - 1 or edges not in (rising, rising[::-1]):
            yield f"class_edges must be three numbers that increase or decrease, got {edges}"
            return
        widths = np.diff(edges)
        beyond = edges[-1] + widths[-1]
        between = [edges[0] - widths[0], *(np.array(edges[:-1]) + widths / 2), beyond]
        named = tuple(self.system.disorder_class(float(value)) for value in between)
        if named != DISORDER_CLASSES:
            yield f"classes between the edges {edges} are {named}, expected {DISORDER_CLASSES}"
        if not np.isfinite(np.asarray(self.row[self.system.class_variable], float)):
            yield f"class_variable {self.system.class_variable} is not a finite number"

    def crystal(self) -> Iterator[str]:
        crystal, potential = self.system.crystal(), self.system.potential
        _, forces = energy_forces(crystal, potential)
        largest, allowed = (
            np.abs(forces).max(),
            1.01 * getattr(self.system.crystal, "max_force", 1e-5),
        )
        if not largest <= allowed:
            yield (
                f"the crystal is not at rest: a force of {largest:.3g} eV/Å, allowed are "
                f"{allowed:.2g}; look at the lattice and at what relaxes it"
            )
        # The stress in units of what a strain makes: the slope of the energy over its change.
        slope, stiffness = _breathing(crystal, potential)
        if not abs(slope) <= _STRAIN * abs(stiffness):
            yield (
                f"the crystal is under pressure: it is strained by {slope / stiffness:.2g}, "
                f"allowed are {_STRAIN:g}; look at its lattice constant"
            )
        altered = self.system.crystal()
        altered.positions += 1.0
        if np.array_equal(altered.positions, self.system.crystal().positions):
            yield "crystal() hands out its own atoms instead of a copy"
        near = _distances(crystal, 1.5 * self.system.bond_length).min(initial=np.inf)
        if not near < self.system.bond_length < self.system.r_max:
            yield (
                f"bond_length {self.system.bond_length:g} Å must lie between the crystal's nearest "
                f"neighbours ({near:.3g} Å) and r_max ({self.system.r_max:g} Å)"
            )

    def modes(self) -> Iterator[str]:
        """The crystal vibrates: as many zero modes as dimensions, none imaginary."""
        crystal, d = self.system.crystal(), self.system.potential.dim
        # A cell of a few atoms has few modes; a cell of twice the length also has those at its
        # zone boundary.
        larger = crystal * (2, 2, 1 if self.system.dim == 2 else 2) if len(crystal) < 9 else crystal
        found = _own_frequencies(larger, self.system.potential)
        top = found.max()
        zeros = int((np.abs(found) < 1e-4 * top).sum())
        if zeros != d:
            yield f"the crystal has {zeros} modes of frequency zero, expected {d} translations"
        if (found < -1e-4 * top).any():
            yield f"the crystal is unstable: its lowest mode has {found.min():.4g} THz (imaginary)"
        if not top < 1.5 * self.system.omega_max:
            yield f"omega_max {self.system.omega_max:g} THz is far below the crystal's {top:.4g}"

    def ideal_gas(self, rng: np.random.Generator) -> Iterator[str]:
        """Points at random in the cell of a structure: g(r) and every partial g(r) are 1."""
        system = self.system
        gas = Atoms(cell=self.made[0].cell, pbc=self.made[0].pbc)
        around = shells(system.r_edges, system.dim).sum()
        n_atoms = round(np.sqrt(2 * _IDEAL * periodic_extent(gas) / around))
        symbols = np.resize(system.species, n_atoms)
        fractions = rng.random((n_atoms, 3))
        fractions[:, ~gas.pbc] = 0.0
        gas += Atoms(symbols, positions=fractions @ gas.cell.array)
        weights = shells(system.r_edges, system.dim) / around
        found = {"g": rdf(gas, system.r_edges, dim=system.dim)}
        if system.pairs:
            partials = partial_rdf(gas, system.r_edges, system.species, dim=system.dim)
            found |= dict(zip(system.pairs, partials, strict=True))
        # An atom is not its own neighbour, so that g is too small by 1/N. Pairs of two of three
        # species are a ninth of all pairs, and scatter by half a percent.
        tolerance = 0.02 if len(system.pairs) == 0 else 0.04
        for name, g in found.items():
            yield from differences(
                f"{name} of an ideal gas, averaged over the range,",
                g @ weights,
                1.0,
                tolerance=tolerance,
                look="dim and the periodic directions of the structures",
            )

    def reproducible(self) -> Iterator[str]:
        """A structure can be made again, whatever the state of the global random numbers."""
        with shared_randomness(12345) as drawn:
            again = make_structure(self.system, 0, self.profile)
            if drawn():
                yield "the protocol uses the global random numbers"
        if _bytes(again) != _bytes(self.made[0]):
            yield "structure 0 made again has other bytes; look for randomness that is not seeded"
        if _bytes(self.made[0]) == _bytes(self.made[1]):
            yield f"structures {_REPEATED[0]} and {_REPEATED[1]} are the same"

    def size(self) -> Iterator[str]:
        n, largest = self.protocol.n_structures, self.protocol.largest(self.system)
        if n < len(_REPEATED):
            yield f"n_structures is {n}, and two are needed to compare"
        for index, atoms in zip(_REPEATED, self.made, strict=True):
            if len(atoms) > largest:
                yield f"structure {index} has {len(atoms)} atoms, largest says {largest}"

    def variables(self) -> Iterator[str]:
        """Each declared variable is there, finite, of its type and its shape."""
        row, system = self.row, self.system
        unknown = sorted(row.keys() - VARIABLES.keys())
        if unknown:
            yield f"the row holds {', '.join(unknown)}, which no variable declares"
        for name in ("parent", "replicate"):
            if name not in row:
                yield f"the protocol must put {name} into Atoms.info"
        if str(row.get("ensemble", "")) not in ENSEMBLES:
            yield f"the protocol must put ensemble into Atoms.info: one of {', '.join(ENSEMBLES)}"
        sizes = {"r": system.n_r, "omega": system.n_omega, "pair": len(system.pairs)} | FIXED
        sizes |= {dim: int(row[count]) for dim, count in RAGGED.items()}
        for name, variable in VARIABLES.items():
            if name not in row:
                if variable.of is not None and variable.applies(system):
                    yield f"{name} applies to this glass but is not in its row"
                continue
            value, dtype = np.asarray(row[name]), np.dtype(variable.dtype)
            shape = tuple(sizes[dim] for dim in variable.dims if dim != "structure")
            if value.shape != shape:
                yield f"{name} has shape {value.shape}, its dimensions say {shape}"
            elif dtype.kind == "U":
                if value.dtype.kind != "U" or not 0 < len(str(value)) <= dtype.itemsize // 4:
                    yield f"{name} must be a text of 1 to {dtype.itemsize // 4} letters"
            elif value.dtype.kind not in {"f": "fiu", "i": "iu", "b": "b"}[dtype.kind]:
                yield f"{name} is of type {value.dtype}, declared is {dtype}"
            elif not np.isfinite(value.astype(float)).all():
                yield f"{name} is not finite"
            elif not np.allclose(value.astype(dtype), value, rtol=1e-6):
                yield f"{name} does not fit into its declared type {dtype}"

    def spectrum(self) -> Iterator[str]:
        """∫D dω = 1, and as many modes as there must be."""
        row, system = self.row, self.system
        total = (row["pdos"] * np.diff(system.omega_edges)).sum()
        yield from differences("the integral of pdos", total, 1.0, tolerance=1e-9)
        d, modes = system.potential.dim, row["frequency"]
        expected = d * len(self.made[0]) - d
        if len(modes) != expected or int(row["n_modes"]) != expected:
            yield f"there are {len(modes)} frequencies without translations, expected {expected}"
        outside = np.mean((modes < 0) | (modes > system.omega_max)) if len(modes) else 0.0
        yield from differences("overflow", row["overflow"], outside, tolerance=1e-12)

    def units(self) -> Iterator[str]:
        """Numbers that are computed here a second time, with constants of ASE."""
        atoms, system, row = self.made[0], self.system, self.row
        energy, forces = energy_forces(atoms, system.potential)
        crystal = system.crystal()
        above = energy / len(atoms) - energy_forces(crystal, system.potential)[0] / len(crystal)
        a, b, c = atoms.cell.array
        extent = abs(np.cross(a, b) @ c) if system.dim == 3 else np.linalg.norm(np.cross(a, b))
        own = _own_frequencies(atoms, system.potential)
        own = np.sort(own[np.argsort(np.abs(own))[system.potential.dim :]])
        density = len(atoms) / extent
        neighbours = len(_distances(atoms, system.r_edges[-1])) / len(atoms)
        ball = (np.pi if system.dim == 2 else 4 * np.pi / 3) * np.diff(system.r_edges**system.dim)
        rounding = 1e-3 + system.frequency_step / 2  # errors of two solvers, and half a step
        own_values = {
            "frequency": (own, "THz", _CONSTANTS * np.abs(own).max() + rounding),
            "density": (density, f"Å^-{system.dim}", 1e-9 * density),
            "energy": (energy / len(atoms), "eV", 1e-9),
            "excess_energy": (above, "eV", 1e-9),
            "max_force": (np.abs(forces).max(), "eV/Å", 1e-12),
        }
        for name, (value, unit, tolerance) in own_values.items():
            if name in row:
                yield from differences(
                    name,
                    row[name],
                    value,
                    tolerance=tolerance,
                    unit=unit,
                    look="the units of the function that computes it",
                )
        yield from differences(
            "the mean number of neighbours within r_max that g(r) and the density give",
            density * ball @ row["g"],
            neighbours,
            # A bin ends where the next begins; only a pair at the very edge may be counted twice.
            tolerance=1e-6 * neighbours + 1e-9,
            look="the unit of r and the density that g(r) is normalised by",
        )
        yield from self._stress()
        yield from self._first_peak()

    def _stress(self) -> Iterator[str]:
        """Of structure 0 a hundredth longer: at rest there may be no stress to look at."""
        system, grown = self.system, self.made[0].copy()
        grown.set_cell(np.where(grown.pbc[:, None], 1.01, 1.0) * grown.cell.array, scale_atoms=True)
        extent = periodic_extent(grown)
        expected = np.zeros(len(_VOIGT))
        periodic = [k for k, axes in enumerate(_VOIGT) if grown.pbc[list(axes)].all()]
        for k in periodic:
            strain = np.zeros((3, 3))
            for a, b in (_VOIGT[k], _VOIGT[k][::-1]):
                strain[a, b] += 0.5
            expected[k] = slope_along(strain, grown, system.potential, 1e-5) / extent
        found = Structure(grown, system)
        unit = f"eV/Å^{system.dim}"
        # Where bonds cross a cut-off within the strain of 1e-5, the slope is that of either side.
        rest = {"tolerance": 1e-3 * np.abs(expected).max(), "unit": unit, "look": "its units"}
        if "stress" in self.row:
            stress = found["stress"][periodic]
            yield from differences("stress", stress, expected[periodic], **rest)
        if "pressure" in self.row:
            mean = expected[[k for k in periodic if k < 3]].mean()
            yield from differences("pressure", found["pressure"], -mean, **rest)

    def _first_peak(self) -> Iterator[str]:
        """Neighbours in a glass are about as far apart as in its crystal."""
        system, g = self.system, self.row["g"]
        nearest = _distances(system.crystal(), 1.5 * system.bond_length).min()
        inside = system.r_edges[1:] <= system.bond_length
        peak = system.r_edges[:-1][inside][np.argmax(g[inside])]
        if not abs(peak - nearest) <= 0.15 * nearest + system.r_max / system.n_r:
            yield (
                f"g(r) peaks at {peak:.3g} Å, but neighbours in the crystal are {nearest:.3g} Å "
                "apart; look at the unit of r and of the lattice"
            )

    def science(self) -> Iterator[str]:
        """``science()`` is plain data, repeats, and changes with every setting of the protocol."""
        before = digest(science(self.system, self.profile))
        if before != digest(science(self.system, self.profile)):
            yield "science() gives something else when it is asked again"
        if not dataclasses.is_dataclass(self.protocol):
            yield "the protocol must be a frozen dataclass that declares its settings"
            return
        for field in dataclasses.fields(self.protocol):
            value = getattr(self.protocol, field.name)
            for other in _altered(value):
                try:
                    changed = dataclasses.replace(self.protocol, **{field.name: other})
                    system = dataclasses.replace(
                        self.system, protocols={**self.system.protocols, self.profile: changed}
                    )
                except ValueError:
                    continue  # not a setting there can be
                same = digest(science(system, self.profile)) == before
                if same != (field.name == "n_structures"):
                    yield (
                        f"{field.name} of the protocol is {'not ' if same else ''}part of its "
                        f"science, but must {'' if same else 'not '}be"
                    )
                break


def _altered(value) -> list:
    """Other values of a setting, to be tried in turn; none if it is not a number."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1]
    if isinstance(value, float):
        return [value * 0.9, value + 0.1]
    if isinstance(value, tuple) and value and all(type(v) in (int, float) for v in value):
        return [(_altered(value[0])[0], *value[1:])]
    return []


def _bytes(atoms: Atoms) -> tuple:
    info = sorted((key, repr(value)) for key, value in atoms.info.items())
    return atoms.positions.tobytes(), atoms.numbers.tobytes(), atoms.cell.array.tobytes(), info


def _own_frequencies(atoms: Atoms, potential) -> np.ndarray:
    """Frequencies (THz, imaginary as negative) by dense linear algebra with ASE's constants."""
    matrix = hessian(atoms, potential).toarray()
    weight = np.repeat(atoms.get_masses() ** -0.5, potential.dim)
    squares = linalg.eigvalsh(matrix * weight[:, None] * weight)
    return np.sign(squares) * np.sqrt(np.abs(squares)) * _THZ


def _breathing(atoms: Atoms, potential, step: float = 1e-4) -> tuple[float, float]:
    """First and second derivative of the energy as all periodic lengths grow together, eV."""
    energies = []
    for size in (-step, 0.0, step):
        stretch = np.where(atoms.pbc, np.exp(size), 1.0)
        grown = atoms.copy()
        grown.set_cell(atoms.cell.array * stretch)
        grown.positions = atoms.positions * stretch
        energies.append(energy_forces(grown, potential)[0])
    less, now, more = energies
    return (more - less) / (2 * step), (more - 2 * now + less) / step**2


def _distances(atoms: Atoms, reach: float) -> np.ndarray:
    """All distances below ``reach`` (Å) between atoms and images, counted one by one."""
    cell, found = atoms.cell.array, []
    flat = np.where(atoms.pbc[:, None], cell, 0.0)
    complete = atoms.cell.complete().array
    heights = 1 / np.linalg.norm(np.linalg.inv(complete), axis=0)
    # Atoms may lie outside the cell.
    spread = np.ptp(atoms.get_scaled_positions(wrap=False), axis=0) if len(atoms) else 0
    n = np.where(atoms.pbc, np.ceil(reach / heights + spread), 0).astype(int)
    for image in np.ndindex(*(2 * n + 1)):
        shift = (np.array(image) - n) @ flat
        apart = atoms.positions[None] + shift - atoms.positions[:, None]
        r = np.linalg.norm(apart, axis=-1)
        found.append(r[(r > 0) & (r < reach)])
    return np.concatenate(found)
