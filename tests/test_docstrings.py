"""The examples of the docstrings do what they say, and long signatures are explained."""

import ast
import doctest
import re
from importlib import import_module
from pathlib import Path

import pytest

import glassdata

PACKAGE = Path(glassdata.__file__).parent
WITH_EXAMPLES = [path for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text()]


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_examples(path):
    words = path.relative_to(PACKAGE.parent).with_suffix("").parts
    module = import_module(".".join(word for word in words if word != "__init__"))
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0


def public_functions(tree, own=""):
    """Public functions and methods of a module, by dotted name; no overrides inside functions."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if isinstance(node, ast.ClassDef):
                yield from public_functions(node, f"{own}{node.name}.")
            else:
                yield own + node.name, node


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


# Where a caller finds what a store or an experiment holds: these say all of their parameters. Click
# makes the help of the commands of their docstrings, so that a Parameters section does not belong
# there.
HELD = (
    "store/*.py",
    "results.py",
    "row.py",
    "worker.py",
    "files.py",
    "config.py",
    "estimate.py",
    "cli/inputs.py",
    "cli/outputs.py",
)
LONG = [
    pytest.param(node, id=f"{path.relative_to(PACKAGE)}:{name}")
    for pattern in HELD
    for path in sorted(PACKAGE.glob(pattern))
    for name, node in public_functions(ast.parse(path.read_text(encoding="utf-8")))
    if len(parameters(node)) >= 3
]


@pytest.mark.parametrize("node", LONG)
def test_three_or_more_parameters_are_all_documented(node):
    missing = set(parameters(node)) - documented(ast.get_docstring(node))
    assert not missing, f"{node.name} does not say what {sorted(missing)} are"
