"""Any calculator of ASE as an energy surface; second derivatives by differences of forces.

``CalculatorPotential`` describes a calculator by plain data, so that a System can hold it, another
process can create it, and it can enter the identity of a row.
"""

import hashlib
import inspect
import json
import re
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import packages_distributions, version
from pathlib import Path as FilePath
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.calculators.fd import calculate_numerical_stress
from scipy import sparse

from glassdata.config import canonical_json, check_positive
from glassdata.eigen import check_memory
from glassdata.mpi import ready_for_lammps
from glassdata.potentials.differences import assembled, columns
from glassdata.potentials.surface import EnergySurface, Path

_STRAIN_STEP = 1e-6
_FAR = 100.0


class _OfCalculator(EnergySurface):
    """An energy surface that asks a calculator of ASE."""

    step: float = 1e-4
    forward: bool = False

    @abstractmethod
    def calculator(self) -> Calculator:
        """A calculator; a new one where possible, because some remember the last structure."""

    def along(self, atoms: Atoms) -> "_CalculatorPath":
        return _CalculatorPath(self._attached(atoms))

    def evaluate(self, atoms: Atoms) -> tuple[float, np.ndarray]:
        moved = self._attached(atoms)
        return moved.get_potential_energy(), -moved.get_forces()

    def virial(self, atoms: Atoms) -> np.ndarray:
        return _virial(self._attached(atoms))

    def force_constants(self, atoms: Atoms) -> sparse.bsr_array:
        """Differences of the forces, collected in a dense matrix first.

        Raises
        ------
        MemoryError
            Before any work, if the dense matrix is larger than this machine's memory.
        """
        check_memory(3, len(atoms))
        return assembled([columns(self, atoms, range(len(atoms)), self.step)])

    def _attached(self, atoms: Atoms) -> Atoms:
        """A copy with the calculator and without constraints, which would hide forces."""
        if not np.isfinite(atoms.positions).all() or not np.isfinite(atoms.cell.array).all():
            raise ValueError("positions and cell must be finite")
        atoms = atoms.copy()
        atoms.set_constraint()
        atoms.calc = self.calculator()
        return atoms


class _CalculatorPath(Path):
    def __init__(self, atoms: Atoms) -> None:
        self._atoms = atoms

    def evaluate(self, positions: np.ndarray, cell: np.ndarray) -> tuple[float, np.ndarray]:
        self._atoms.set_cell(cell)
        self._atoms.positions[:] = positions
        # A line search may try to move atoms a billion cells away. Lists of neighbours that go
        # there cell by cell, as matscipy's, would not come back.
        if np.abs(self._atoms.get_scaled_positions(wrap=False)).max() > _FAR:
            self._atoms.wrap()
        return self._atoms.get_potential_energy(), -self._atoms.get_forces()

    def virial(self) -> np.ndarray:
        return _virial(self._atoms)


def _virial(atoms: Atoms) -> np.ndarray:
    # ASE divides by a volume, which a sheet need not have. Any height will do: it cancels.
    filled = atoms.cell.complete()
    if (filled.array != atoms.cell.array).any():
        calculator, atoms = atoms.calc, atoms.copy()
        atoms.set_cell(filled)
        atoms.calc = calculator
    try:
        per_volume = atoms.get_stress(voigt=False)
    except NotImplementedError:
        calculator, atoms = atoms.calc, atoms.copy()
        atoms.calc = calculator
        per_volume = calculate_numerical_stress(
            atoms, eps=_STRAIN_STEP, voigt=False, force_consistent=False
        )
    return per_volume * atoms.get_volume()


@dataclass(frozen=True)
class CalculatorPotential(_OfCalculator):
    """A calculator of ASE, described so that it can be the potential of a System.

    Every structure gets a calculator of its own. The description is plain data: it can be pickled,
    hashed and compared, and loads the package that it names only when energies are asked for.

    Parameters
    ----------
    factory : str
        What to call for a calculator: ``"package.module:name"``, a class or a function.
    arguments : mapping
        Keyword arguments of the call: numbers, texts, lists of them. A text that is the path of a
        file (the weights of a learned potential) enters ``parameters`` with its sha256.
    symbols : tuple of str
        Chemical symbols that the calculator is meant for.
    reach : float, Å
        Distance beyond which two atoms do not interact. Only the bands of crystals need it.
    dim : int
        2 if the atoms live in the plane z = constant, otherwise 3.
    step : float, Å
        Displacement of the differences. Calculators that work in single precision need about 1e-2.
    forward : bool
        Displace atoms one way only, which takes half as many forces as central differences. The
        error is of first order in the step, so that this is for forces in double precision and
        steps of about 1e-6.

    Raises
    ------
    ValueError
        If a parameter is not of the kind described above; or, on first use, if there is no such
        factory.

    Examples
    --------
    >>> argon = CalculatorPotential(
    ...     "ase.calculators.lj:LennardJones",
    ...     {"epsilon": 0.0103, "sigma": 3.405, "rc": 8.5},
    ...     symbols=("Ar",),
    ...     reach=8.5,
    ... )
    >>> argon.parameters()["package"]
    'ase'
    """

    factory: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    symbols: tuple[str, ...] = field(kw_only=True)
    reach: float = field(kw_only=True)
    dim: int = field(default=3, kw_only=True)
    step: float = field(default=1e-4, kw_only=True)
    forward: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        who = type(self).__name__
        module, _, name = self.factory.partition(":")
        if not all(word.isidentifier() for word in [*module.split("."), *name.split(".")]):
            raise ValueError(f"{who}: factory must be 'package.module:name', got {self.factory!r}")
        if not self.symbols or isinstance(self.symbols, str):
            raise ValueError(f"{who}: symbols must be chemical symbols, got {self.symbols!r}")
        check_positive(self, who, "reach", "step")
        if self.dim not in (2, 3):
            raise ValueError(f"{who}: dim must be 2 or 3, got {self.dim}")
        # A copy, so that what the caller does to the mapping later changes nothing here.
        plain = json.loads(canonical_json({"arguments": self.arguments}))
        object.__setattr__(self, "arguments", plain["arguments"])

    def __hash__(self) -> int:
        return hash((self.factory, canonical_json(self.arguments), self.symbols, self.reach))

    @property
    def species(self) -> tuple[str, ...]:
        return self.symbols

    @property
    def cutoff(self) -> float:
        return self.reach

    def parameters(self) -> dict:
        module = self.factory.partition(":")[0]
        return {
            "form": "ASE calculator",
            "factory": self.factory,
            "arguments": {name: _identified(value) for name, value in self.arguments.items()},
            "species": self.symbols,
            "reach": self.reach,
            "dim": self.dim,
        } | {**self._choices(), **_origin(module)}

    def _choices(self) -> dict:
        # Only where they were made: what was known before there were any keeps its identity.
        chosen: dict = {"step": self.step}
        if self.forward:
            chosen["forward"] = True
        return chosen

    def calculator(self) -> Calculator:
        return self._made_by()(**self.arguments)

    def undeclared(self) -> list[str]:
        """Arguments that the calculator's class does not speak of: ASE keeps them, unused.

        Examples
        --------
        >>> typing_error = {"sigmma": 3.4}
        >>> CalculatorPotential(
        ...     "ase.calculators.lj:LennardJones", typing_error, symbols=("Ar",), reach=8.5
        ... ).undeclared()
        ['sigmma']
        """
        factory = self._made_by()
        if not isinstance(factory, type):  # a function refuses what it does not know
            return []
        known = set(inspect.signature(Calculator.__init__).parameters)
        for one in set(factory.__mro__) - set(Calculator.__mro__):
            try:
                source = inspect.getsource(import_module(one.__module__))
            except (ImportError, OSError, TypeError):  # compiled: what it knows cannot be read
                return []
            known |= set(re.findall(r"\w+", source))
        return sorted(set(self.arguments) - known)

    def _made_by(self):
        module, _, name = self.factory.partition(":")
        try:
            if "lammps" in module:
                ready_for_lammps()
            found = import_module(module)
            for word in name.split("."):
                found = getattr(found, word)
        except (ImportError, AttributeError) as error:
            raise ValueError(f"there is no calculator {self.factory}: {error}") from error
        return found

    def _attached(self, atoms: Atoms) -> Atoms:
        self.check_species(atoms)
        return super()._attached(atoms)


@dataclass(frozen=True)
class _Given(_OfCalculator):
    """A calculator that the caller created: only its energies are known."""

    held: Calculator

    def calculator(self) -> Calculator:
        return self.held

    @property
    def species(self) -> tuple[str, ...]:
        raise ValueError(self._unknown("species"))

    @property
    def cutoff(self) -> float:
        raise ValueError(self._unknown("reach"))

    def parameters(self) -> dict:
        raise ValueError(self._unknown("parameters"))

    def _unknown(self, what: str) -> str:
        return f"the {what} of {self.held!r} are not known: describe it as a CalculatorPotential"


def surface_of(potential: EnergySurface | Calculator) -> EnergySurface:
    """The energy surface itself, or that of an ASE calculator.

    Raises
    ------
    TypeError
        For anything else.

    Examples
    --------
    >>> from ase.calculators.emt import EMT
    >>> energy, gradient = surface_of(EMT()).evaluate(Atoms("Cu"))
    >>> bool(gradient.any())  # an atom alone feels no force
    False
    """
    if isinstance(potential, EnergySurface):
        return potential
    if not hasattr(potential, "get_forces"):
        raise TypeError(f"{potential!r} is neither a potential of glassdata nor an ASE calculator")
    return _Given(potential)


def _identified(value: Any) -> Any:
    """The value, or the name and content of the file that it names."""
    if isinstance(value, str) and FilePath(value).is_file():
        path = FilePath(value)
        return {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    return value


@cache
def _origin(module: str) -> dict[str, str]:
    """Package and version that a module belongs to; its own content if it belongs to none."""
    packages = packages_distributions().get(module.partition(".")[0])
    if packages:
        return {"package": packages[0], "version": version(packages[0])}
    try:
        source = inspect.getsource(import_module(module))
    except (ImportError, OSError, TypeError) as error:
        raise ValueError(f"the module {module} cannot be identified: {error}") from error
    return {"module": module, "sha256": hashlib.sha256(source.encode()).hexdigest()}
