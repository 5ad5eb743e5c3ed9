"""The command line that scripts are written for: every argument and option, and what it takes.

``interface.txt`` has a line for each. More words to choose from break nobody's script; another
line that changes does. After a change that is meant, write it anew: ``python
tests/test_interface.py``.
"""

from pathlib import Path

import click
import pytest

from glassdata.cli import commands

WRITTEN = Path(__file__).with_name("interface.txt")


def takes(param: click.Parameter) -> str:
    """The values of a parameter in a word: a flag, words, numbers in a range, or a kind of text."""
    if getattr(param, "is_flag", False):
        return "flag"
    kind = getattr(param.type, "choice", lambda: param.type)()  # choices that are read late
    if isinstance(kind, click.Choice):
        return "|".join(map(str, kind.choices))
    if isinstance(kind, click.IntRange | click.FloatRange):
        ends = ["" if end is None else f"{end:g}" for end in (kind.min, kind.max)]
        opened = ["(" if kind.min_open else "[", ")" if kind.max_open else "]"]
        return f"{kind.name.split()[0]} {opened[0]}{','.join(ends)}{opened[1]}"
    return kind.name


def line(command: str, param: click.Parameter) -> str:
    many = param.nargs != 1 or param.multiple
    default = None if callable(param.default) else param.to_info_dict()["default"]
    words = [
        command,
        "/".join([*param.opts, *param.secondary_opts]),
        takes(param),
        *(["required"] if param.required else []),
        *(["many"] if many else []),
        *([f"else {default}"] if default not in (None, False, ()) else []),
    ]
    return " ".join(words)


def interface() -> list[str]:
    groups = {"glassdata": commands} | commands.commands
    return [line(name, param) for name, one in groups.items() for param in one.params]


def apart(one: str) -> tuple[str, set[str]]:
    """A line without the words to choose from, and these."""
    words = one.split()
    plain = [word for word in words if "|" not in word]
    return " ".join(plain), {each for word in words if "|" in word for each in word.split("|")}


def test_no_script_breaks():
    then = dict(map(apart, WRITTEN.read_text(encoding="utf-8").splitlines()))
    now = dict(map(apart, interface()))
    assert list(now) == list(then)
    for one, words in then.items():
        assert words <= now[one], one


@pytest.mark.parametrize("name", commands.commands)
def test_every_option_is_explained(name):
    options = [one for one in commands.commands[name].params if isinstance(one, click.Option)]
    assert all(one.help for one in options)


if __name__ == "__main__":
    WRITTEN.write_text("".join(f"{one}\n" for one in interface()), encoding="utf-8")
