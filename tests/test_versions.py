"""Constants that results depend on do not change unnoticed."""

import hashlib
from importlib import import_module
from pathlib import Path

import pytest

import glassdata
from glassdata.models.registry import MODELS

PACKAGE = Path(glassdata.__file__).parent

#: Beginnings of the hashes of all constants in a module of models or experiments. Whoever changes
#: one raises the ``VERSION`` of every experiment that uses it, so that its results are made anew,
#: and then writes the new hash here. A module without constants is not listed.
FROZEN = {
    "experiments.beyond": "a98af0821993",
    "experiments.checks": "5ca1a111e728",
    "experiments.claims": "f77c46e2ec05",
    "experiments.comparison": "e7872c3e1add",
    "experiments.components": "ea7686f1e232",
    "experiments.contenders": "22769d8c1d18",
    "experiments.contests": "10e6c5543738",
    "experiments.coverage": "0e80b15dcbaf",
    "experiments.descriptors": "5d5c8698fe9b",
    "experiments.driven": "c88d9c0dc605",
    "experiments.elsewhere": "cbeace6760d8",
    "experiments.explanations": "af4cc4ee6a75",
    "experiments.fingerprints": "b3a603eefeec",
    "experiments.glasses": "21937488b34e",
    "experiments.judged": "75fe3a395db9",
    "experiments.motion": "95bb5875711d",
    "experiments.objections": "05b54dd69053",
    "experiments.observables": "6f803693fd12",
    "experiments.pairs": "6863d76f7219",
    "experiments.planted": "5987696c7412",
    "experiments.potentials": "02054b3ebd68",
    "experiments.propensity": "7a3dac4cf6b5",
    "experiments.published": "1020c55dfe54",
    "experiments.reading": "5b6d7144dd3e",
    "experiments.referee": "895eb636fa66",
    "experiments.runner": "bb0acb9f70bb",
    "experiments.sevennet": "2be9434f0349",
    "experiments.shells": "3ec502ddde55",
    "experiments.signal": "5cc0cea64697",
    "experiments.standings": "4347e71c9d17",
    "experiments.targets": "9aa93a3f6799",
    "experiments.verdicts": "5f4cc0321f43",
    "experiments.weights": "8885cec58052",
    "experiments.why": "b16a60a27b0b",
    "models.linear": "21006bade034",
    "models.networks": "fa1b0ddbe7eb",
    "models.principal": "055f8393a460",
    "models.yardsticks": "bfbce83fb26f",
}


def constants(module) -> dict:
    """Names in capital letters and their values, as far as they are plain data of the module."""
    found = {}
    for name, value in vars(module).items():
        plain = isinstance(value, int | float | str | tuple | frozenset)
        if plain and name.strip("_").isupper():
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


#: Beginning of the hash of the settings that each model has if nothing is said.
DEFAULTS = {
    "ridge": "b503314f1332",
    "lasso": "8c22c90c8002",
    "elastic_net": "0a8f456923f2",
    "pcr": "fc81f6861a67",
    "kernel_ridge": "9d90d6a60b3e",
    "nearest": "e73745f590b5",
    "variance": "87bba14f7600",
    "mean": "4f53cda18c2b",
    "cnn": "22eea43a6217",
    "residual": "6967dc1311d8",
}


def defaults_of(name: str) -> str:
    """Of a tuned model these are its candidates, and the folds by which it chooses."""
    found = repr(sorted(MODELS[name].make().get_params().items()))
    assert " at 0x" not in found, "an address is no setting"
    return hashlib.sha256(found.encode()).hexdigest()[:12]


@pytest.mark.parametrize("name", modules())
def test_constants_are_frozen(name):
    assert digest_of(name) == FROZEN.get(name, ""), "results change? see the comment at FROZEN"


@pytest.mark.parametrize("name", MODELS)
def test_settings_of_models_are_frozen(name):
    assert defaults_of(name) == DEFAULTS[name], "results change? see the comment at FROZEN"


def test_nothing_is_frozen_that_is_gone():
    assert FROZEN.keys() <= set(modules())
    assert DEFAULTS.keys() == MODELS.keys()
