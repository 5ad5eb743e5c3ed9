"""What made rows: code counts and its looks do not, versions are those that are really imported."""

import ast
import gc
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import fake_glass as fake
import pytest

from glassdata import origin
from glassdata.store import DamageError, StoreError, prepare, science_config
from glassdata.store.making import CODE, makers, register_code, versions_of
from glassdata.store.records import read_side_file
from glassdata.store.rows import provenance_path, write_provenance

PACKAGE = Path(origin.__file__).parent
CACHED = (origin._trees, origin.code, origin.sources, origin.versions)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A copy of the package, and what ``origin`` says of the code in it."""
    copy = shutil.copytree(PACKAGE, tmp_path / "glassdata", ignore=shutil.ignore_patterns("__*__"))

    def code_there():
        for function in CACHED:
            function.cache_clear()
        with monkeypatch.context() as patch:
            patch.setattr(origin, "_PACKAGE", copy)
            found = dict(origin.code())
        for function in CACHED:
            function.cache_clear()
        return found

    return copy, code_there


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_comments_docstrings_and_annotations_are_no_other_code(elsewhere):
    copy, code_there = elsewhere
    before = code_there()
    assert {"glassdata.row", "glassdata.minimise", "glassdata.potentials.pair"} <= before.keys()
    assert not {"glassdata.cli", "glassdata.engine", "glassdata.models"} & before.keys()
    path = copy / "minimise.py"
    edit(path, '"""Energy minimisation', '"""Some energy minimisation')
    edit(path, "import numpy as np\n", "import numpy as np  # for arrays\n")
    edit(path, "max_force: float = 1e-4,", "max_force: object   =   1e-4,")
    assert code_there() == before


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("minimise", "_FRESH_STARTS = 8", "_FRESH_STARTS = 9"),
        ("minimise", "if left <= max_force and", "if left < max_force and"),
        ("systems.lj", "height = a * np.sqrt(3.0)", "height = a * np.sqrt(3.1)"),
    ],
)
def test_a_change_that_computes_something_else_names_its_module(elsewhere, module, old, new):
    copy, code_there = elsewhere
    before = code_there()
    edit(copy / f"{module.replace('.', '/')}.py", old, new)
    assert origin.changed(before, code_there()) == [f"glassdata.{module}"]


def test_a_glass_more_is_no_other_code(elsewhere):
    """A new module, and one line in the lists of its kind."""
    copy, code_there = elsewhere
    before = code_there()
    shutil.copy(copy / "systems/lj.py", copy / "systems/neon.py")
    edit(
        copy / "systems/__init__.py",
        "from glassdata.systems.sic",
        "from glassdata.systems.neon import LJ3D as NEON\nfrom glassdata.systems.sic",
    )
    edit(copy / "potentials/__init__.py", "__all__ = [", '__all__ = [\n    "None",')
    now = code_there()
    assert now.keys() - before.keys() == {"glassdata.systems.neon"}
    assert origin.changed(before, now) == []


def test_the_version_is_that_of_the_module_that_was_imported(monkeypatch):
    origin.versions.cache_clear()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "ase", SimpleNamespace(__version__="0.1"))
        assert origin.versions()["ase"] == "0.1"
    origin.versions.cache_clear()
    assert origin.versions()["ase"] != "0.1"


def store_with_rows(folder: Path) -> Path:
    return fake.sealed_store(folder / "store", count=2)


def test_other_code_is_refused_before_two_kinds_of_rows_mix(tmp_path):
    store = store_with_rows(tmp_path)
    register_code(store, ["ar"], {"one": "a", "two": "b"})
    register_code(store, ["ar"], {"one": "a", "two": "b", "three": "c"})
    other = {"one": "a", "two": "other"}
    with pytest.raises(StoreError, match=r"rows of ar were made by other code .*: two\)"):
        register_code(store, ["ar"], other)
    register_code(store, ["sic"], other)  # of which there are no rows yet
    register_code(store, ["ar"], other, accept=True)
    for code in (other, {"one": "a", "two": "b"}):  # both are known now
        register_code(store, ["ar", "sic"], code, accept=code is not other)
    assert len({path.name for path in store.glob(f"provenance/{CODE}")}) == 1


def test_code_may_change_before_the_first_row(tmp_path):
    goal = {"ar": fake.SYSTEMS["ar"]}
    prepare(tmp_path / "store", science_config(goal, "demo"), {"ar": 2})
    for digest in "ab":
        register_code(tmp_path / "store", ["ar"], {"one": digest})


def test_a_damaged_record_of_code_is_one_line(tmp_path):
    store = store_with_rows(tmp_path)
    register_code(store, ["ar"], {"one": "a"})
    (store / "provenance" / CODE).write_text("{}")
    with pytest.raises(DamageError, match=f"{CODE} is damaged"):
        register_code(store, ["ar"], {"one": "a"})


def test_the_record_lists_who_made_the_rows_and_not_who_sealed(tmp_path):
    """Two kinds of versions and a row of which nobody knows."""
    store = fake.sealed_store(tmp_path / "store", count=4)
    version = origin.versions()["scipy"]
    facts = read_side_file(provenance_path(store, "ar", 1))
    facts["versions"]["scipy"] = "0.9"
    write_provenance(store, "ar", 1, facts)
    provenance_path(store, "ar", 2).unlink()
    found = makers(store, {"ar": 4})
    rows = {maker["versions"].get("scipy"): maker["rows"] for maker in found}
    assert rows == {version: 2, "0.9": 1, None: 1}
    assert versions_of(found, {"scipy": "7", "zarr": "3"})["scipy"] == f"0.9, {version}"
    assert versions_of(found, {"scipy": "7", "zarr": "3"})["zarr"] == "3"


class ParsesAtItsEnd:
    """Part of a circle of references; disposing of it parses, as printing a traceback does."""

    disposed = 0

    def __init__(self):
        self.circle = self

    def __del__(self):
        ParsesAtItsEnd.disposed += 1
        ast.parse("[each(one) for one in all]")


def test_code_is_hashed_while_rubbish_is_disposed_of_that_parses(monkeypatch):
    """One build in CI ended with a SystemError of ``ast.parse``: Dask had printed a traceback
    while the garbage collector ran in the midst of it.
    """
    before = gc.get_threshold()

    def littering(name, file=origin._file):
        for _ in range(3):
            ParsesAtItsEnd()
        return file(name)

    monkeypatch.setattr(origin, "_file", littering)
    ParsesAtItsEnd.disposed = 0
    try:
        gc.set_threshold(50)
        parsed = origin._trees.__wrapped__()
    finally:
        gc.set_threshold(*before)
        gc.collect()  # or the rest would be disposed of while pytest parses
    assert ParsesAtItsEnd.disposed
    assert gc.isenabled()
    assert "glassdata.row" in parsed
