"""Two directives that write the reference from the package itself.

``package:: NAME`` describes every public name of a package, from its docstring; packages that one
lists have pages of their own. ``commands:: MODULE:NAME`` shows the help of every command, as the
command line prints it.
"""

import inspect
from collections.abc import Mapping
from importlib import import_module
from itertools import pairwise
from types import ModuleType

import click
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

#: Columns of the help, as in a terminal of this width.
WIDTH = 90
#: What scikit-learn adds to every estimator, and what the class itself already says.
LEFT_OUT = "__init__, set_fit_request, set_predict_request, set_score_request"

#: Heading of what is returned, where sentences say it.
PROSE = "Result"


def public(package: ModuleType) -> dict[str, object]:
    """Public things of a package by their full names; modules that it lists are opened."""
    found: dict[str, object] = {}
    for name in package.__all__:
        value = getattr(package, name)
        if not isinstance(value, ModuleType):
            found[f"{package.__name__}.{name}"] = value
        elif not hasattr(value, "__path__"):
            own = {n: v for n, v in vars(value).items() if inspect.getmodule(v) is value}
            found |= {f"{value.__name__}.{n}": v for n, v in own.items() if n[0] != "_"}
    return found


def described(name: str, value: object) -> list[str]:
    """Lines that make Sphinx describe one thing.

    Links lead to the package in which it is defined, if another one lists it as well.
    """
    home = getattr(value, "__module__", name)
    index = [] if home.startswith(name.rpartition(".")[0]) else ["   :no-index:"]
    if inspect.isclass(value):
        members = ["   :members:", f"   :exclude-members: {LEFT_OUT}"]
        return [f".. autoclass:: {name}", *members, *index, ""]
    if callable(value):
        return [f".. autofunction:: {name}", *index, ""]
    # A constant has no docstring: its type's would be shown.
    held = ", ".join(map(str, value)) if isinstance(value, Mapping) else repr(value)
    return [f".. py:data:: {name}", "", f"   ``{held}``", ""]


class Package(SphinxDirective):
    """Everything public in one package."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        package = import_module(self.arguments[0])
        things = public(package).items()
        lines = [line for name, value in things for line in described(name, value)]
        holder = nodes.container()
        self.state.nested_parse(StringList(lines, package.__name__), 0, holder)
        return holder.children


class Commands(SphinxDirective):
    """The help of a command, and a section for each of its subcommands."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        module, name = self.arguments[0].split(":")
        group = getattr(import_module(module), name)
        top = click.Context(group, info_name="glassdata", terminal_width=WIDTH)
        written: list[nodes.Node] = [literal(group.get_help(top))]
        for word in group.list_commands(top):
            command = group.get_command(top, word)
            inner = click.Context(command, info_name=word, parent=top, terminal_width=WIDTH)
            section = nodes.section(ids=[f"glassdata-{word}"], names=[f"glassdata {word}"])
            section += nodes.title(text=f"glassdata {word}")
            section += literal(command.get_help(inner))
            self.state.document.note_implicit_target(section)
            written.append(section)
        return written


def literal(text: str) -> nodes.literal_block:
    """Text as it is."""
    return nodes.literal_block(text, text, language="text")


def prose_returned(app, what, name, value, options, lines: list[str]) -> None:
    """Give a section "Returns" that is plain sentences a heading of its own.

    Napoleon, which reads the docstrings afterwards, would take each of its lines for the type of
    another value.
    """
    heads = [k for k in range(len(lines) - 1) if lines[k + 1] and not lines[k + 1].strip("-")]
    for head, stop in pairwise([*heads, len(lines)]):
        body = lines[head + 2 : stop]
        if lines[head] == "Returns" and not any(line.startswith(" ") for line in body):
            lines[head : head + 2] = [PROSE, "-" * len(PROSE)]


def setup(app) -> dict:
    """Called by Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.napoleon")
    app.config.autodoc_typehints = "none"  # the docstrings say more
    app.config.napoleon_custom_sections = [PROSE]
    app.config.napoleon_use_ivar = True  # or attributes of dataclasses are described twice
    app.connect("autodoc-process-docstring", prose_returned, priority=400)
    app.add_directive("package", Package)
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
