"""Large glasses: time, memory, and how g(r) and the PDOS depend on the size."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cases import mostly_large

PROGRAM = Path(__file__).parent / "large_glass.py"
MADE = Path(__file__).parents[1] / "_build" / "glasses"

#: Cells along each edge, glasses, copies along each edge: from 10² to 10⁵ atoms made as such, and
#: 10⁶ from copies of a smaller one, which are at a minimum too.
SIZES = [(3, 32, 1), (5, 16, 1), (8, 8, 1), (13, 2, 1), (22, 1, 1), (30, 1, 1), (13, 1, 5)]


@pytest.fixture(scope="module")
def glasses(full, tmp_path_factory):
    """A folder for the glasses, which stay there: the largest takes over an hour to make."""
    folder = MADE if full else tmp_path_factory.mktemp("glasses")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.parametrize("size", mostly_large(SIZES, SIZES[:1]))
def test_large_glass(size, full, timed, record, glasses):
    cells, count, copies = size if full else (2, 2, 1)
    command = [sys.executable, str(PROGRAM), *map(str, (glasses, cells, count, copies))]

    def run():
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        return json.loads(done.stdout)

    _, found = timed(run)
    width = 0.03  # THz, of the bins of the system
    assert 0.9 < width * sum(found["pdos"]) < 1.01
    record("large_glass", str(found["n_atoms"]), **found)
