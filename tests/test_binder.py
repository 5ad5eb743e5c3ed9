"""What repo2docker does with this repository, step by step, as far as that goes without Docker.

It takes the folder ``binder`` alone, makes a conda environment from its ``environment.yml``, runs
``postBuild`` in the checkout, and starts every session through ``start``
(repo2docker.readthedocs.io, "Configuration Files").
"""

import importlib.metadata
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import pytest
import yaml
from nbclient import NotebookClient
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
#: Files that, in ``binder``, would make repo2docker do something else, or something more.
OTHERS = (
    *("Dockerfile", "requirements.txt", "Pipfile", "setup.py", "apt.txt", "runtime.txt"),
    "install.R",
)
CONDA_NAMES = {"dask-core": "dask", "matplotlib-base": "matplotlib"}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """The last commit, as Binder gets it, with the working tree's own files of this step."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    folder = tmp_path_factory.mktemp("binder") / "repository"
    command = ["git", "clone", "--quiet", "--depth", "1", ROOT.as_uri(), folder]
    subprocess.run(command, check=True, capture_output=True)
    shutil.rmtree(folder / "binder")
    shutil.copytree(ROOT / "binder", folder / "binder", symlinks=True)
    shutil.copy(ROOT / "environment.yml", folder / "environment.yml")
    return folder


def test_only_the_environment_and_two_scripts_are_found(checkout):
    found = {path.name for path in (checkout / "binder").iterdir()}
    assert found == {"environment.yml", "postBuild", "start"}
    assert not found & set(OTHERS)


def test_the_environment_is_one_that_this_suite_passes_in(checkout):
    """Every package of the list is here, in a version that the list allows; but for conda's own."""
    listed = yaml.safe_load((checkout / "binder/environment.yml").read_text(encoding="utf-8"))
    lines = [line for line in listed["dependencies"] if isinstance(line, str)]
    lines += next(entry["pip"] for entry in listed["dependencies"] if isinstance(entry, dict))
    missing = []
    for line in lines:
        if line.startswith("python=") or line == "pip":
            continue
        wanted = Requirement(line)
        version = importlib.metadata.version(CONDA_NAMES.get(wanted.name, wanted.name))
        if version not in wanted.specifier:
            missing.append((line, version))
    assert missing == []


def test_post_build_installs_the_checkout_and_nothing_else(checkout, tmp_path):
    said = tmp_path / "said"
    stub = tmp_path / "python"
    stub.write_text(f'#!/bin/sh\npwd > {said}\necho "$@" >> {said}\n')
    stub.chmod(0o755)
    variables = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run([checkout / "binder/postBuild"], check=True, cwd=checkout, env=variables)
    where, what = said.read_text().splitlines()
    assert Path(where) == checkout
    assert what == "-m pip install --no-cache-dir --no-deps -e ."


def test_start_runs_the_session_with_one_thread(checkout):
    code = "import os, sys; print(os.environ['OMP_NUM_THREADS']); sys.exit(7)"
    command = [checkout / "binder/start", sys.executable, "-c", code]
    plain = {name: value for name, value in os.environ.items() if "THREADS" not in name}
    done = subprocess.run(command, cwd=checkout, env=plain, capture_output=True, check=False)
    assert done.stdout.split() == [b"1"]
    assert done.returncode == 7  # signals and exit codes are the session's own


def test_a_page_opens_as_a_notebook_and_runs_in_the_checkout(checkout, monkeypatch):
    """JupyterLab opens it by jupytext; what ``pip install -e`` does, the path does here."""
    monkeypatch.setenv("PYTHONPATH", str(checkout))
    notebook = jupytext.read(checkout / "book/02-glasses.md")
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    first = [cell for cell in notebook.cells if cell.cell_type == "code"][:1]
    where = "import glassdata as gd; print(gd.__file__); print(len(gd.dataset('lj2d')) > 0)"
    notebook.cells = [*first, type(first[0])(first[0] | {"id": "where", "source": where})]
    done = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(checkout)}})
    said = "".join(output["text"] for output in done.execute().cells[-1]["outputs"])
    assert said.split() == [str(checkout / "glassdata/__init__.py"), "True"]
