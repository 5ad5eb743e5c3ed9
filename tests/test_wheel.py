"""The wheel alone: built, installed in a clean environment, and used as the README says.

Installing downloads all packages and takes minutes, so only ``make wheel`` does it; otherwise the
wheel is unpacked, and used with the packages that are here.
"""

import os
import re
import shlex
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.io import write

import glassdata as gd
from glassdata.cli import run

ROOT = Path(gd.__file__).parents[1]
README = ROOT / "README.md"
#: Longest time for what downloads packages, s.
PATIENCE = 1200


def clean(folder: Path) -> dict[str, str]:
    """The variables of a shell that knows nothing of this checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {"HOME": str(folder), "MPLBACKEND": "Agg", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def call(command: list[object], folder: Path, **variables: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*map(str, command)], cwd=folder, env=clean(folder) | variables, capture_output=True,
        text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    if not (ROOT / "pyproject.toml").is_file():
        pytest.skip("this is no checkout")
    return tmp_path_factory.mktemp("wheel")


@pytest.mark.slow
def test_an_unpacked_wheel_has_its_dataset(folder, tmp_path):
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder / "plain"]
    built = call([*pip, ROOT], folder)
    if built.returncode and "hatchling" in built.stderr:
        pytest.skip("no package index can be reached, from which hatchling comes")
    assert built.returncode == 0, built.stderr
    (wheel,) = (folder / "plain").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "unpacked")
    write(tmp_path / "a.xyz", gd.dataset("lj3d").atoms(0))
    program = [sys.executable, "-m", "glassdata", "predict", "a.xyz", "--system", "lj3d"]
    done = call(program, tmp_path, PYTHONPATH=str(folder / "unpacked"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("omega_THz,pdos_per_THz,error_per_THz")
    where = "import glassdata.store.reading as r; print(r.REFERENCE)"
    said = call([sys.executable, "-c", where], tmp_path, PYTHONPATH=str(folder / "unpacked"))
    assert Path(said.stdout.strip()) == folder / "unpacked/glassdata/data/reference.zarr.zip"


@pytest.fixture(scope="module")
def installed(folder) -> Path:
    """The programs of an environment in which the wheel is installed, and nothing of ours."""
    if os.environ.get("WHEEL") != "clean":
        pytest.skip("make wheel does this: it takes minutes and downloads all packages")
    venv.create(folder / "env", with_pip=True)
    programs = folder / "env" / "bin"
    pip = [programs / "python", "-m", "pip", "install", "-q"]
    if call([*pip, "build"], folder).returncode:
        pytest.skip("no package index can be reached")
    built = call([programs / "python", "-m", "build", ROOT, "--outdir", folder / "dist"], folder)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = (folder / "dist").glob("*.whl")
    done = call([*pip, "-c", ROOT / "constraints.txt", f"{wheel}[plot]"], folder)
    assert done.returncode == 0, done.stderr
    return programs


def own_files(folder: Path) -> None:
    """The files that the README's examples name."""
    system = gd.SYSTEMS["sic_tersoff"]
    crystal = system.crystal() * (2, 2, 2)
    crystal.rattle(0.05, seed=0)
    write(folder / "rough.xyz", crystal)
    write(folder / "copper.xyz", bulk("Cu", cubic=True) * (2, 2, 2))
    write(folder / "sheet.xyz", gd.SYSTEMS["amc"].crystal() * (3, 2, 1))
    data = gd.dataset("sic_tersoff")
    write(folder / "glass.xyz", data.atoms(0))
    Q, r, g = np.arange(0.2, 25, 0.1), data.r, data.X[0]
    F = [np.sum(4 * np.pi * 0.096 * r * (g - 1) * np.sin(q * r)) * 0.1 for q in Q]
    np.savetxt(folder / "measured.sq", np.column_stack([Q, 1 + F / Q]), header="Q S")
    for name in ("my-structures", "my-pairs"):
        (folder / name).mkdir()
    argon = gd.SYSTEMS["lj3d"]
    for k in range(3):
        write(folder / f"my-structures/{k}.xyz", bulk("Cu", a=3.55 + 0.03 * k, cubic=True))
        one = argon.crystal()
        one.set_cell(one.cell * (1 + 0.01 * k), scale_atoms=True)
        write(folder / f"my-pairs/{k}.xyz", one)
        mev = np.arange(0.5, 15)
        np.savetxt(folder / f"my-pairs/{k}.dos", np.column_stack([mev, mev**2 * (15 + k - mev)]))


def blocks(title: str, language: str) -> list[str]:
    """Code in a language below a title of the README."""
    section = re.search(rf"^### {title}\n(.*?)(?=^##)", README.read_text(), re.S | re.M)
    assert section is not None
    return re.findall(rf"^```{language}\n(.*?)^```", section[1], re.S | re.M)


def journey() -> list[str]:
    """What the README tells users to type for a glass of their own."""
    return [line for block in blocks("Bring your own glass", "bash") for line in block.splitlines()]


#: What these commands leave behind.
LEFT = ("rough.nc", "rough.png", "relaxed.xyz", "glass.csv", "glass.png", "sic.npz", "copper.npz",
        "pairs.npz", "sheet.nc")  # fmt: skip


@pytest.mark.slow
def test_the_readme_works_in_this_checkout(folder, tmp_path, monkeypatch, capsys):
    """The same commands in this process, which takes seconds."""
    own_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    commands = [shlex.split(line, comments=True) for line in journey()]
    assert len(commands) > 8
    for program, *arguments in commands:
        assert program == "glassdata"
        assert run(arguments) == 0, capsys.readouterr().err
    assert all((tmp_path / name).stat().st_size > 0 for name in LEFT)
    for code in blocks("Read", "python"):
        exec(code, {})


@pytest.mark.slow
def test_the_readme_works_with_nothing_but_the_wheel(installed, tmp_path):
    own_files(tmp_path)
    for line in journey():
        done = call(["bash", "-c", f'PATH="{installed}:$PATH"; {line}'], tmp_path)
        assert done.returncode == 0, f"{line}: {done.stderr}"
        assert "Traceback" not in done.stderr
    assert all((tmp_path / name).stat().st_size > 0 for name in LEFT)
    for code in blocks("Read", "python"):
        done = call([installed / "python", "-c", code], tmp_path)
        assert done.returncode == 0, done.stderr
    where = call(
        [installed / "python", "-c", "import glassdata; print(glassdata.__file__)"], tmp_path
    )
    assert str(ROOT) not in where.stdout
    assert sys.prefix not in where.stdout
