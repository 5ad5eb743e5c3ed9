"""The reference of the book leaves out no public name and no command."""

import re
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import glassdata
from glassdata.cli import commands

BOOK = Path(__file__).parents[1] / "book"
pytest.importorskip("sphinx")
sys.path.insert(0, str(BOOK / "_ext"))
reference = pytest.importorskip("reference")
sys.path.pop(0)

PAGES = sorted((BOOK / "reference").glob("*.rst"))
DESCRIBED = [
    name
    for page in PAGES
    for name in re.findall(r"^\.\. package:: (\S+)", page.read_text(encoding="utf-8"), re.M)
]


def test_every_package_that_is_listed_has_a_page():
    listed = {
        value.__name__
        for value in (getattr(glassdata, name) for name in glassdata.__all__)
        if isinstance(value, ModuleType)
    }
    assert {"glassdata", "glassdata.systems", *listed} <= set(DESCRIBED)
    assert len(DESCRIBED) == len(set(DESCRIBED))


def test_every_page_is_in_the_table_of_contents():
    contents = (BOOK.parent / "_toc.yml").read_text(encoding="utf-8")
    for page in PAGES:
        assert f"file: book/reference/{page.stem}\n" in contents


@pytest.mark.parametrize("name", DESCRIBED)
def test_every_public_name_is_described(name):
    if name == "glassdata.cnn":
        pytest.importorskip("torch")
    package = import_module(name)
    things = reference.public(package)
    for own in package.__all__:
        value = getattr(package, own)
        if isinstance(value, ModuleType):
            own_things = [full for full in things if full.startswith(f"{value.__name__}.")]
            assert own_things or value.__name__ in DESCRIBED
        else:
            assert things[f"{name}.{own}"] is value
    for full, value in things.items():
        directive, *_ = reference.described(full, value)
        assert directive.endswith(f":: {full}")


def test_sentences_that_say_what_is_returned_are_told_from_lists_of_values():
    """A list of values has a description further in for each."""
    sentences = ["Sum.", "", "Returns", "-------", "(3, 3), eV (times", "x: GPa).", ""]
    values = ["Sum.", "", "Returns", "-------", "height : float", "    In Å.", ""]
    kept = list(values)
    reference.prose_returned(None, "function", "f", None, None, sentences)
    reference.prose_returned(None, "function", "f", None, None, values)
    assert sentences == ["Sum.", "", "Result", "------", "(3, 3), eV (times", "x: GPa).", ""]
    assert values == kept


def test_the_help_of_every_command_is_complete():
    """As wide as the page shows it, nothing is cut and every option is there."""
    import click

    top = click.Context(commands, info_name="glassdata", terminal_width=reference.WIDTH)
    for word in commands.list_commands(top):
        command = commands.get_command(top, word)
        inner = click.Context(command, info_name=word, parent=top, terminal_width=reference.WIDTH)
        text = command.get_help(inner)
        assert text.startswith(f"Usage: glassdata {word}")
        assert max(map(len, text.splitlines())) <= reference.WIDTH
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert max(option.opts, key=len) in text
