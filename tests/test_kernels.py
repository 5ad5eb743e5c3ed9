"""A damaged cache of machine code is compiled anew: no call fails for it, none gives others."""

import ast
import importlib.util
from pathlib import Path

import pytest

import glassdata
from glassdata.kernels import compiled
from glassdata.protocols import dynamics, montecarlo

CODE = "def area(radius):\n    return 3.0 * radius**2\n"


@pytest.fixture
def function(tmp_path):
    """A function of a module of its own, whose machine code is kept beside it."""
    (tmp_path / "kernel.py").write_text(CODE)
    spec = importlib.util.spec_from_file_location("kernel", tmp_path / "kernel.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.area


def was_kept(function) -> bool:
    """Whether another process that calls the function finds its machine code."""
    kernel = compiled(function)
    assert kernel(2.0) == 12.0
    return sum(kernel.stats.cache_hits.values()) == 1


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_a_damaged_cache_is_compiled_anew(function, tmp_path, chaos, tally, suffix):
    """Cut off (numba issue 10434), empty, or with a flipped bit, in the index or in the code."""
    assert not was_kept(function)
    assert was_kept(function)
    (path,) = Path(compiled(function).stats.cache_path).glob(f"*area*.{suffix}")
    whole, rng = path.read_bytes(), chaos.rng(suffix)
    spoilt = [b"", whole[:-1], whole[:50]]
    for bit in (rng.randrange(8 * len(whole)) for _ in range(50 if chaos.full else 5)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        spoilt.append(flipped)
    for content in spoilt:
        tally("a damaged file of compiled code")
        path.write_bytes(content)
        assert not was_kept(function)
        assert was_kept(function)


def test_where_nothing_can_be_kept_kernels_are_compiled_all_the_same(tmp_path, monkeypatch):
    """No cache folder; and a full disk."""
    from numba.core.caching import CacheImpl, IndexDataCacheFile

    def full(*_):
        raise OSError(28, "No space left on device")

    def area(radius):
        return 3.0 * radius**2

    monkeypatch.setattr(IndexDataCacheFile, "_save_index", full)
    assert compiled(area)(2.0) == 12.0
    monkeypatch.setattr(CacheImpl, "_locator_classes", [])
    assert compiled(area)(2.0) == 12.0


def test_all_kernels_are_kept_in_such_files():
    """Whoever takes numba's own decorator keeps machine code that nobody checks."""
    package = Path(glassdata.__file__).parent
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "numba"
        if {"njit", "jit", "vectorize", "guvectorize"} & {name.name for name in node.names}
    }
    assert found == {"kernels.py"}


@pytest.mark.parametrize(
    "kernel", [dynamics._run, montecarlo._run], ids=["dynamics", "Monte Carlo"]
)
def test_a_kernel_that_runs_for_minutes_lets_the_worker_speak(kernel):
    """Under the interpreter's lock a worker would be silent all the time, and be given up."""
    assert kernel.targetoptions["nogil"]
