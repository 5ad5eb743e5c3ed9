"""Constants that results depend on do not change unnoticed."""

import hashlib
from importlib import import_module
from pathlib import Path

import pytest

import glassdata

PACKAGE = Path(glassdata.__file__).parent

#: Beginnings of the hashes of all constants in a module of models or experiments. Whoever changes
#: one raises the ``VERSION`` of every experiment that uses it, so that its results are made anew,
#: and then writes the new hash here. A module without constants is not listed.
FROZEN = {
    "experiments.beyond": "1f70bdfe587d",
    "experiments.checks": "5ca1a111e728",
    "experiments.claims": "10ba31e457ba",
    "experiments.comparison": "1d102912ad01",
    "experiments.components": "ea7686f1e232",
    "experiments.contenders": "22769d8c1d18",
    "experiments.contests": "10e6c5543738",
    "experiments.coverage": "4c26b7db1853",
    "experiments.elsewhere": "6334a868f595",
    "experiments.explanations": "af4cc4ee6a75",
    "experiments.glasses": "1874f6d334f8",
    "experiments.objections": "05b54dd69053",
    "experiments.observables": "99c5c1705a7d",
    "experiments.planted": "5987696c7412",
    "experiments.reading": "5b6d7144dd3e",
    "experiments.referee": "86725e99f5dc",
    "experiments.runner": "5561c3fe88e8",
    "experiments.shells": "3ec502ddde55",
    "experiments.signal": "5cc0cea64697",
    "experiments.standings": "4347e71c9d17",
    "experiments.targets": "e8f59356af42",
    "experiments.verdicts": "5f4cc0321f43",
    "experiments.weights": "e6fe94060127",
    "experiments.why": "30e42ecb1a3d",
    "models.linear": "f89d93e1890f",
    "models.networks": "fa1b0ddbe7eb",
    "models.principal": "055f8393a460",
    "models.yardsticks": "e8ffa80d450c",
}


def constants(module) -> dict:
    """Names in capital letters and their values, as far as they are plain data of the module."""
    found = {}
    for name, value in vars(module).items():
        plain = isinstance(value, int | float | str | tuple | frozenset)
        if plain and name.strip("_").isupper() and name != "VERSION":
            found[name] = sorted(value) if isinstance(value, frozenset) else value
    return found


def modules() -> list[str]:
    paths = [*PACKAGE.glob("models/*.py"), *PACKAGE.glob("experiments/*.py")]
    # Files of models have a version of their own.
    return sorted(
        f"{path.parent.name}.{path.stem}"
        for path in paths
        if path.stem not in ("__init__", "modelfile")
    )


def digest_of(name: str) -> str:
    found = constants(import_module(f"glassdata.{name}"))
    if not found:
        return ""
    return hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()[:12]


@pytest.mark.parametrize("name", modules())
def test_constants_are_frozen(name):
    assert digest_of(name) == FROZEN.get(name, ""), "results change? see the comment at FROZEN"


def test_nothing_is_frozen_that_is_gone():
    assert FROZEN.keys() <= set(modules())
