"""The files of the built book: links, anchors, headings, words for pictures, weight."""

import re
from collections import Counter
from itertools import pairwise
from pathlib import PurePosixPath

import pytest
from site_files import PAGES, SITE, document

pytestmark = pytest.mark.skipif(not PAGES, reason="the book is not built: make book")
each_page = pytest.mark.parametrize("name", PAGES or ["none"])

PICTURES = {".png", ".svg", ".gif", ".webp", ".ico"}


def read(name):
    return document(SITE / name)


@each_page
def test_every_link_leads_to_a_file_and_every_anchor_to_a_place(name):
    page, broken = read(name), []
    for element, address in page.addresses():
        found = page.target(address)
        if found is None or element.name == "base":
            continue
        path, anchor = found
        if path.is_dir():
            path = path / "index.html"
        wanted = anchor if path.suffix == ".html" else ""
        if not path.is_file() or (wanted and wanted not in document(path).anchors):
            broken.append(address)
    assert broken == []


@each_page
def test_nothing_is_loaded_from_elsewhere(name):
    """Links may lead to other sites; pictures, scripts and styles may not come from there."""
    page = read(name)
    loaded = [e.attributes.get("src", "") for e in page.named("script", "img", "iframe", "source")]
    # A link of these relations says where something is, and loads nothing.
    said = {"canonical", "license", "alternate"}
    loaded += [
        e.attributes["href"]
        for e in page.named("link")
        if not said & set(e.attributes.get("rel", "").split())
    ]
    assert [a for a in loaded if re.match(r"(https?:)?//", a)] == []


@each_page
def test_anchors_are_given_once(name):
    """Two elements of one name: a link, or a label of a control, finds the first only."""
    assert [a for a, n in Counter(read(name).anchors).items() if n > 1] == []


@each_page
def test_one_first_heading_and_none_left_out(name):
    """From a heading to the next the level grows by one at most."""
    # The theme writes the title and the contents once more for print, and hides them on screens.
    levels = [
        int(e.name[1])
        for e in read(name).named("h1", "h2", "h3", "h4", "h5", "h6")
        if not e.printed
    ]
    assert levels.count(1) == 1
    steps = [b - a for a, b in pairwise(levels)]
    assert max(steps, default=0) <= 1


@each_page
def test_every_picture_has_words(name):
    for e in read(name).named("img"):
        words = e.attributes.get("alt", "")
        assert words or e.attributes.get("role") == "presentation", e.attributes.get("src")
        assert PurePosixPath(words).suffix not in PICTURES, (
            f"a file name is no description: {words}"
        )


@each_page
def test_a_page_says_what_it_is(name):
    """Language, a title of its own, an icon, and a description that whole words can be read in."""
    page = read(name)
    assert page.named("html")[0].attributes.get("lang") == "en"
    icons = [e for e in page.named("link") if "icon" in e.attributes.get("rel", "").split()]
    assert len(icons) == 1
    described = [e for e in page.named("meta") if e.attributes.get("name") == "description"]
    assert len(described) == 1
    words = described[0].attributes["content"]
    assert 20 <= len(words) <= 200
    assert not re.search(r"[\\$`*{}]", words), words
