"""What the pages of the book share, and what they may hide."""

from pathlib import Path

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


def test_a_ring_that_is_no_hexagon_is_not_called_odd():
    """Rings of four and eight members are no hexagons either, and not odd."""
    assert not [page.name for page in PAGES if "odd ring" in page.read_text(encoding="utf-8")]
    page = next(page for page in PAGES if page.name == "05-amc.md")
    name = VARIABLES["non_hexagonal"].long_name
    assert f'ylabel="{name}"' in page.read_text(encoding="utf-8").replace("\\n", " ")
