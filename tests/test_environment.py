"""The three lists of dependencies agree: pyproject.toml, constraints.txt, environment.yml."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]

# Names that differ on conda-forge: the plain names there pull in a dashboard and a window toolkit.
CONDA_NAMES = {"dask": "dask-core", "matplotlib": "matplotlib-base"}
# Needed by the environment itself, and by no pip install.
CONDA_ONLY = {"python", "pip"}
IN_ENVIRONMENT = ("generate", "plot", "book", "slurm", "s3")
# Pinned by themselves, if at all: what PyTorch and TensorFlow bring along differs from build to
# build, and MKL is for the processors of one maker and its competitor.
NOT_PINNED = {"cnn", "mlip", "mkl", "peers"}

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def parse(lines):
    """Map canonical name to version range; the same name twice must come with the same range."""
    ranges: dict[str, SpecifierSet] = {}
    for line in lines:
        requirement = Requirement(line)
        name = canonicalize_name(requirement.name)
        assert ranges.setdefault(name, requirement.specifier) == requirement.specifier, name
    return ranges


def required(extras):
    return parse([*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])])


def pins():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def environment():
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def conda_lines(environment):
    return [entry for entry in environment["dependencies"] if isinstance(entry, str)]


@pytest.fixture(scope="module")
def pip_lines(environment):
    return [
        line
        for entry in environment["dependencies"]
        if isinstance(entry, dict)
        for line in entry["pip"]
    ]


def test_environment_holds_the_dependencies_of_pyproject(conda_lines, pip_lines):
    by_conda_name = {canonicalize_name(conda): pip for pip, conda in CONDA_NAMES.items()}
    plain = [line for line in conda_lines if re.split(r"[=<>]", line)[0] not in CONDA_ONLY]
    conda = {by_conda_name.get(name, name): spec for name, spec in parse(plain).items()}
    from_pip = parse(pip_lines)
    assert not conda.keys() & from_pip.keys(), "listed for conda and for pip"
    assert conda | from_pip == required(IN_ENVIRONMENT)


def test_environment_python_is_one_the_package_accepts(conda_lines):
    # repo2docker reads the version only from the form python=X.Y.
    (python,) = [line for line in conda_lines if line.startswith("python")]
    version = re.fullmatch(r"python=(\d+\.\d+)", python).group(1)
    assert Version(version) in SpecifierSet(PROJECT["requires-python"])


def test_environment_uses_conda_forge_alone(environment):
    assert environment["channels"] == ["conda-forge"]


def test_binder_sees_the_same_environment():
    # With a binder/ folder, repo2docker looks for environment.yml there and nowhere else.
    assert (ROOT / "binder/environment.yml").samefile(ROOT / "environment.yml")


@pytest.mark.parametrize("script", ["postBuild", "start"])
def test_binder_scripts_can_be_run(script):
    path = ROOT / "binder" / script
    assert path.stat().st_mode & 0o111
    assert path.read_text(encoding="utf-8").startswith("#!")


def test_constraints_are_names_with_exact_versions():
    # No address, no path, no editable install, no hash: only name==version.
    allowed = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!]+")
    assert [line for line in pins() if not allowed.fullmatch(line)] == []


def test_constraints_satisfy_pyproject():
    versions = parse(pins())
    for name, allowed in required(set(EXTRAS) - NOT_PINNED).items():
        assert name in versions, f"{name} is not pinned"
        (pin,) = versions[name]
        assert pin.version in allowed, f"{name} {pin.version} is outside {allowed}"


def test_constraints_name_each_package_once():
    names = [canonicalize_name(Requirement(line).name) for line in pins()]
    assert len(names) == len(set(names))
