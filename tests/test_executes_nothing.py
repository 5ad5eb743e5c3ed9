"""Nothing that a file says is executed, whoever wrote the file."""

import ast
import os
import pickle
from pathlib import Path

import click
import pytest

from glassdata import bounds
from glassdata.cli.inputs import read_structures

_EXECUTING = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def executing(source: str) -> list[str]:
    """What in a source would execute what a file says."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if a.name.split(".")[0] in _EXECUTING]
        elif isinstance(node, ast.ImportFrom):
            found += [node.module] if str(node.module).split(".")[0] in _EXECUTING else []
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            allowed = [word.value for word in node.keywords if word.arg == "allow_pickle"]
            if any(not (isinstance(v, ast.Constant) and v.value is False) for v in allowed):
                found.append("allow_pickle")
            if name in ("eval", "exec", "np.load", "numpy.load", "torch.load", "yaml.load"):
                found.append(name)
            if name.endswith(("read_array", "write_array")) and name.startswith(("np.", "numpy.")):
                found += [] if allowed else [name]
    return found


def test_nothing_in_the_package_executes_what_a_file_says():
    package = Path(bounds.__file__).parent
    # A potential travels to workers as a pickle, which its contract tries, in memory; and numba
    # keeps machine code in pickles, in a folder of the user. Processes of one build send each other
    # pickles through Dask, which does nothing else, and whose connections have the build's own key.
    own = {"testing/potentials.py", "kernels.py", "fitness.py", "engine/crew.py"}
    found = {path.name: executing(path.read_text()) for path in package.rglob("*.py")
             if path.relative_to(package).as_posix() not in own}  # fmt: skip
    assert {name: what for name, what in found.items() if what} == {}
    for line in ("import pickle", "from joblib import load", "np.load(path)", "eval(text)",
                 "np.lib.format.read_array(s, allow_pickle=True)", "f(allow_pickle=wanted)",
                 "np.lib.format.read_array(stream)", "torch.load(path)"):  # fmt: skip
        assert executing(line), line


@pytest.mark.parametrize("suffix", ["xyz", "traj", "trj", "json", "db", "npz", "pckl", "cif"])
def test_no_structure_file_is_unpickled(suffix, tmp_path, tally):
    """Old trajectories of ASE were pickles."""
    trace, path = tmp_path / "executed", tmp_path / f"a.{suffix}"
    for begin in (b"PickleTrajectory", b""):
        path.write_bytes(begin + pickle.dumps(Trap(trace)))
        tally("a pickle")
        with pytest.raises(click.UsageError):
            read_structures(path, ("Ar",), "argon")
        assert not trace.exists()


class Trap:
    """Leaves a trace when unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)
