"""What the pages of the book share, and what they may hide."""

import ast
import re
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from glassdata import book
from glassdata.schema import VARIABLES

PAGES = sorted((Path(__file__).parents[1] / "book").glob("*.md"))


@pytest.fixture
def kept(monkeypatch):
    """What was handed to the text."""
    values = {}
    monkeypatch.setattr(
        book, "glue", lambda name, value, display: values.update({name: (value, display)})
    )
    return values


def test_numbers_reach_the_text_as_plain_numbers_and_are_not_displayed(kept):
    book.keep(n=np.int64(3), share=np.array([0.25]), word="open", least=np.float32(0.5))
    assert kept == {
        "n": (3, False), "share": (0.25, False), "word": ("open", False), "least": (0.5, False)
    }  # fmt: skip
    # A format such as ":.2f" needs a number, not an array that looks like one.
    assert [type(value) for value, _ in kept.values()] == [int, float, str, float]


def test_a_list_is_no_number(kept):
    with pytest.raises(ValueError, match="size 1"):
        book.keep(several=[1, 2])


def test_a_figure_is_handed_over_and_closed(kept):
    figure = plt.figure()
    book.keep_figure("board", figure)
    assert kept == {"board": (figure, False)}
    assert not plt.fignum_exists(figure.number)


def cells(page):
    """Tags and code of each cell of a page."""
    for body in re.findall(r"```\{code-cell\}[^\n]*\n(.*?)\n?```", page.read_text("utf-8"), re.S):
        head = re.match(r"---\n(.*?)\n---\n|(:tags:[^\n]*)\n", body, re.S)
        yield (head[0], body[head.end() :]) if head else ("", body)


def hidden(page):
    """Code of the cells that readers do not see; solutions of exercises are there to be opened."""
    return [code for tags, code in cells(page) if "remove-cell" in tags or "hide-input" in tags]


#: Pages that read results of long experiments, whose analysis is in the package.
LONG = [page for page in PAGES if page.name[:2] in ("09", "10", "11")]


@pytest.mark.parametrize("page", LONG, ids=lambda page: page.stem)
def test_hidden_cells_only_call_what_is_tested(page):
    """No functions, loops, branches or imports where no linter and no test sees them."""
    kinds = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While, ast.If, ast.Import)
    kinds += (ast.ImportFrom, ast.Try, ast.IfExp)
    for code in hidden(page):
        tree = ast.parse(code)
        found = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, kinds)]
        assert not found, f"to be visible, or in glassdata.experiments: {found}"
        assert len(tree.body) <= 4, f"too much for a hidden cell:\n{code}"


def test_hidden_cells_of_the_long_pages_are_short():
    """Of some 640 lines in the beginning; whoever needs more of them should move them instead."""
    lines = [line for page in LONG for code in hidden(page) for line in code.splitlines()]
    assert len([line for line in lines if line.strip()]) <= 200


def test_a_ring_that_is_no_hexagon_is_not_called_odd():
    """Rings of four and eight members are no hexagons either, and not odd."""
    assert not [page.name for page in PAGES if "odd ring" in page.read_text(encoding="utf-8")]
    page = next(page for page in PAGES if page.name == "05-amc.md")
    name = VARIABLES["non_hexagonal"].long_name
    assert f'ylabel="{name}"' in page.read_text(encoding="utf-8").replace("\\n", " ")
