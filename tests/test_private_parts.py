"""Private parts of libraries that we rely on; each library has an upper bound for that."""

import ast
import inspect
from pathlib import Path

import pytest

import glassdata

PACKAGE = Path(glassdata.__file__).parent
#: Attributes whose names begin with an underscore and that are not ours: file and name.
KNOWN = {
    ("engine/slurm.py", "_correct_state"),
    ("engine/slurm.py", "_call"),
    ("kernels.py", "_cache_path"),
    ("kernels.py", "_data_path"),
    ("kernels.py", "_impl"),
    ("kernels.py", "_index_path"),
    ("worker.py", "_exit"),
}


def test_no_other_private_part_of_a_library_is_touched():
    """Ours are those that the package itself defines somewhere."""
    used, defined = set(), set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
                where = path.relative_to(PACKAGE).as_posix()
                if isinstance(node.ctx, ast.Store):
                    defined.add(node.attr)
                elif not node.attr.startswith("__"):
                    used.add((where, node.attr))
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                defined.add(node.name)
            elif isinstance(node, ast.AnnAssign | ast.Assign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                defined |= {t.id for t in targets if isinstance(t, ast.Name)}
    assert {(where, name) for where, name in used if name not in defined} == KNOWN


def test_dask_can_be_asked_to_submit_what_is_missing():
    """Jobs that ended are replaced by a method that Dask keeps to itself."""
    cluster = pytest.importorskip("distributed.deploy.spec").SpecCluster
    assert callable(cluster._correct_state)


def test_jobs_can_be_asked_for_in_dask_jobqueues_way():
    """``squeue`` is called as dask-jobqueue calls ``sbatch``."""
    job = pytest.importorskip("dask_jobqueue.core").Job
    assert inspect.iscoroutinefunction(job._call)


def test_zarr_asks_codecs_in_public():
    """``store.bounded`` overrides this method; zarr's pipeline must go on calling it."""
    from zarr.codecs import BloscCodec, VLenUTF8Codec, ZstdCodec

    for codec in (BloscCodec, ZstdCodec, VLenUTF8Codec):
        assert inspect.iscoroutinefunction(codec.decode)


def test_numba_reads_and_writes_its_cache_by_methods_of_their_own():
    """``kernels`` overrides them; `test_kernels.py` shows that numba calls them."""
    from numba.core.caching import IndexDataCacheFile

    for name in ("save", "_dump", "_load_index", "_load_data"):
        assert inspect.isfunction(getattr(IndexDataCacheFile, name))
