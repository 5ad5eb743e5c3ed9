"""Nothing is written but through the one function that looks at what is there: every writer found.

The source of the package is searched for whatever can make, replace or rename a file. A new place
that does so fails here until it goes through ``glassdata.files.replace`` or is named below.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import glassdata

PACKAGE = Path(glassdata.__file__).parent

#: Where files are written, and why that needs no other look at what is there.
KNOWN = {
    "files.replace_stream": {"open", "replace"},  # the one that looks: check_output
    # What a store publishes is linked exclusively; its folder passed refuse_foreign.
    "store.files._write_whole": {"open"},
    "store.files._put_exclusively": {"link"},
    "store.files._rename_under_lock": {"rename"},
    "store.files.check_file_system": {"open", "replace"},  # temporary names of its own
    "store.files.locked": {"open"},
    "store.files.put_folder": {"rename"},
    "store.places.Local.move": {"rename"},  # to quarantine, under a new name
    "store.places.Remote.publish": {"pipe_file"},  # on the condition that nothing is there
    "store.places.Remote.replace": {"pipe_file"},  # an object store has no links or devices
    "store.places.Remote.move": {"write_bytes"},
    "store.places.Remote.put_folder": {"put"},
    # Into a folder of its own that the same function made.
    "store.sealing._assemble": {"open_group"},
    "store.description.describe_dataset": {"write_text"},
    "protocols.pairs._with_file": {"write_text"},
    "engine.keys._write_privately": {"open"},
    "engine.watching.reported": {"performance_report"},
    # Into memory; what comes of it is handed to ``replace`` or ``publish``.
    "cli.streams._make_open": {"open"},  # devices only
    "cli.outputs.write_rows": {"to_netcdf"},
    "cli.outputs._draw": {"savefig"},
    "cli.observing._as_netcdf": {"to_netcdf"},
    "live.png": {"savefig"},
    "models.modelfile.encode": {"savez"},
    "results.encode": {"savez_compressed"},
    "store.rows.encode": {"write_array"},
    "store.files.write_archive": {"ZipFile"},
    "store.files.sign_archive": {"ZipFile"},
    # Numba's own cache, in the folder that numba chose.
    "kernels._CheckedFiles.save": {"save"},
    # These write a record or a row through one of the above.
    "store.records.write_record": {"replace"},
    "fitness.write_token": {"replace"},
}

_WRITERS = {
    "write_text", "write_bytes", "touch", "symlink_to", "hardlink_to", "link_to", "link", "symlink",
    "rename", "renames", "rename_to", "copy2", "copyfile", "copytree", "copyfileobj",
    "make_archive", "unpack_archive", "extract", "extractall", "savefig", "imsave", "save",
    "savez", "savez_compressed", "savetxt", "tofile", "write_array", "memmap", "open_memmap",
    "to_netcdf", "to_zarr", "to_csv", "to_parquet", "to_pickle", "to_json", "to_excel", "dump",
    "NamedTemporaryFile", "mkstemp", "mkdtemp", "mknod", "mkfifo", "truncate", "FileHandler",
    "pipe_file", "pipe", "put", "put_file", "upload", "performance_report", "urlretrieve",
}  # fmt: skip
_MODES = {"open", "fdopen", "ZipFile", "TarFile", "GzipFile", "File", "open_group", "open_array"}


def writers(source: str, module: str) -> Iterator[tuple[str, str]]:
    """Function and what it calls, for each call that may write a file."""
    yield from _inside(ast.parse(source), module)


def _inside(node: ast.AST, where: str) -> Iterator[tuple[str, str]]:
    for child in ast.iter_child_nodes(node):
        named = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if isinstance(child, ast.Call) and (name := _writes(child)):
            yield where, name
        yield from _inside(child, f"{where}.{child.name}" if named else where)


def _writes(call: ast.Call) -> str | None:
    function = call.func
    name = getattr(function, "attr", getattr(function, "id", ""))
    if name == "rename" and not call.args:  # columns of a table, by name
        return None
    if name in _WRITERS:
        return name
    if name == "move":  # minimisers move atoms
        return name if getattr(function.value, "id", "") == "shutil" else None
    if name == "replace" and isinstance(function, ast.Attribute):
        # Of a text it takes two arguments, of a path one, and of the operating system two.
        own = getattr(function.value, "id", "") == "os" or len(call.args) == 1
        return name if own else None
    if name in _MODES:
        given = [*call.args, *(word.value for word in call.keywords)]
        texts = [ast.unparse(value) for value in given if not isinstance(value, ast.Name)]
        if any(_is_mode_to_write(text) for text in texts):
            return name
    return None


def _is_mode_to_write(text: str) -> bool:
    if "O_" in text:
        return any(flag in text for flag in ("O_WRONLY", "O_RDWR", "O_CREAT", "O_APPEND"))
    letters = text.strip("'\"")
    return set(letters) <= set("rwaxbt+-") and bool(set(letters) & set("wax+"))


def test_every_writer_is_known():
    found: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[0] == "testing":  # it needs no more than a folder of its own
            continue
        module = ".".join(part for part in parts if part != "__init__")
        for where, name in writers(path.read_text(), module):
            found.setdefault(where, set()).add(name)
    assert found == KNOWN


def test_a_new_way_round_is_found():
    """Each line is one way to write a file that somebody may add."""
    lines = [
        "open(path, 'w')", "open(path, mode='ab')", "path.open('x')", "path.open(mode='r+b')",
        "os.open(path, os.O_WRONLY | os.O_CREAT)", "gzip.open(path, 'wt')", "os.fdopen(3, 'w')",
        "path.write_text(text)", "path.write_bytes(data)", "path.touch()", "os.rename(a, b)",
        "os.replace(a, b)", "path.replace(target)", "path.rename(target)", "shutil.move(a, b)",
        "shutil.copyfile(a, b)", "figure.savefig(path)", "data.to_netcdf(path)", "np.save(p, a)",
        "np.savez(path, a=a)", "json.dump(a, stream)", "zipfile.ZipFile(path, 'w')",
        "archive.extractall(folder)", "tempfile.mkstemp()", "fs.put(a, b)", "a.tofile(path)",
        "zarr.open_group(path, mode='w')", "performance_report(filename=path)",
    ]  # fmt: skip
    for line in lines:
        assert list(writers(f"def new():\n    {line}", "module")), line
    for line in ("open(path)", "path.open('rb')", "text.replace('a', 'b')", "open(path, 'r')"):
        assert not list(writers(f"def new():\n    {line}", "module")), line
