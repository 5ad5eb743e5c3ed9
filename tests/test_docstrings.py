"""Every public name has a docstring, long signatures are explained, and the examples are true."""

import ast
import doctest
import inspect
import re
from importlib import import_module
from operator import attrgetter
from pathlib import Path

import pytest

import glassdata

PACKAGE = Path(glassdata.__file__).parent
WITH_EXAMPLES = [path for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text()]


def module_of(path):
    words = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(word for word in words if word != "__init__")


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_examples(path):
    found = doctest.testmod(import_module(module_of(path)))
    assert found.attempted > 0
    assert found.failed == 0


def public_functions(tree, own=""):
    """Public functions and methods of a module, by dotted name; none inside functions."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if isinstance(node, ast.ClassDef):
                yield from public_functions(node, f"{own}{node.name}.")
            else:
                yield own + node.name, node


def public_names(path):
    """Public functions, methods and classes that a module defines: dotted name and object."""
    module = import_module(module_of(path))
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for name, _ in public_functions(tree):
        *owners, last = name.split(".")
        owner = attrgetter(".".join(owners))(module) if owners else module
        found = getattr(owner, last)
        # Numba and click wrap the function whose docstring was written.
        found = getattr(found, "py_func", getattr(found, "callback", found))
        yield name, found
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node.name, getattr(module, node.name)


def parameters(node):
    """Names of the arguments, without self and cls."""
    a = node.args
    named = [*a.posonlyargs, *a.args, *([a.vararg] if a.vararg else []), *a.kwonlyargs]
    return [x.arg for x in named if x.arg not in ("self", "cls")]


def documented(text):
    """Names in the Parameters section of a docstring; none if it has no such section."""
    section = re.search(r"^Parameters\n-{10}\n(.*?)(?=\n\n\w+\n---|\Z)", text or "", re.M | re.S)
    if section is None:
        return set()
    heads = re.findall(r"^(\S[^:\n]*)(?: :|$)", section[1], re.M)
    return {name.strip(" *") for head in heads for name in head.split(",")}


MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.name != "__main__.py"]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_every_public_name_has_a_docstring(path):
    # A method that implements one of a base class has its docstring: getdoc finds that as well.
    silent = [name for name, found in public_names(path) if not inspect.getdoc(found)]
    assert not silent


#: Methods that libraries call by a convention of theirs: the class says what they take, and the
#: library the rest. scikit-learn's take X, y and groups, a parameter type of click the text.
CONVENTIONS = {
    "fit": {"X", "y", "Y", "groups"},
    "split": {"X", "y", "groups"},
    "get_n_splits": {"X", "y", "groups"},
    "convert": {"value", "param", "ctx"},
}


def is_command(node):
    """Whether click makes the help of a command of the docstring: sections would spoil it."""
    return any(".command(" in ast.unparse(d) for d in node.decorator_list)


def is_conventional(name, node):
    *owners, last = name.split(".")
    return bool(owners) and set(parameters(node)) <= CONVENTIONS.get(last, set())


LONG = [
    pytest.param(node, id=f"{path.relative_to(PACKAGE)}:{name}")
    for path in MODULES
    for name, node in public_functions(ast.parse(path.read_text(encoding="utf-8")))
    if len(parameters(node)) >= 3 and not is_command(node) and not is_conventional(name, node)
]


@pytest.mark.parametrize("node", LONG)
def test_three_or_more_parameters_are_all_documented(node):
    missing = set(parameters(node)) - documented(ast.get_docstring(node))
    assert not missing, f"{node.name} does not say what {sorted(missing)} are"
