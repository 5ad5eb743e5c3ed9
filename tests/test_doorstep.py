"""What surrounds the pages: descriptions, front door, buttons, notebooks, card, one document."""

import os
import re
import shutil
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import yaml
from site_files import PAGES, SITE, document

ROOT = Path(__file__).parents[1]
sphinx = pytest.importorskip("sphinx.application")
sys.path.insert(0, str(ROOT / "book" / "_ext"))
doorstep = pytest.importorskip("doorstep")
printed = pytest.importorskip("printed")
published = pytest.importorskip("published")
sys.path.pop(0)

URL = "https://github.com/Someone/a-book"
BASE = "https://someone.github.io/a-book/"
FIRST = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  name: python3
  display_name: Python 3
  language: python
---

# A page & more

*What is it?*

A glass is a solid without a lattice, and this sentence says so. The second one is longer than what
search engines show of a page, so that it has to go as a whole, {ref}`there <place>` and here.

```{code-cell} ipython3
1 + 1
```

```{toctree}
book/second
```
"""
SECOND = "(place)=\n# Second\n\nShort.\n"


def build(folder, url):
    """A book of two pages with our own extensions, and the address as the settings give it."""
    source, out = folder / "source", folder / "html"
    (source / "book").mkdir(parents=True)
    (source / "index0.md").write_text(FIRST)
    (source / "book" / "second.md").write_text(SECOND)
    settings = {
        "extensions": ["myst_nb", "sphinx_book_theme", "lean", "doorstep", "published"],
        "html_theme": "sphinx_book_theme", "project": "A book", "author": "Somebody",
        "root_doc": "index0", "nb_execution_mode": "off", "language": "en",
        "html_theme_options": {
            "repository_url": url, "repository_branch": "main",
            "launch_buttons": {"notebook_interface": "jupyterlab"},
        },
    }  # fmt: skip
    # The notebook that the theme copies is written where code is run.
    sys.path.insert(0, str(ROOT / "book" / "_ext"))
    try:
        app = sphinx.Sphinx(
            source, None, out, folder / "trees", "html", settings, status=None, warning=None
        )
        app.build()
    finally:
        sys.path.pop(0)
    return out


@pytest.fixture(scope="module")
def private(tmp_path_factory):
    return build(tmp_path_factory.mktemp("private"), "")


@pytest.fixture(scope="module")
def public(tmp_path_factory):
    return build(tmp_path_factory.mktemp("public"), URL)


def described(page):
    return re.search(r'<meta name="description" content="([^"]*)"', page)[1]


def test_one_setting_brings_the_buttons_and_the_address(private, public):
    alone, there = ((site / "index0.html").read_text() for site in (private, public))
    for word in ("mybinder.org", "github.com", "og:image", 'rel="canonical"'):
        assert word not in alone
    assert "https://mybinder.org/v2/gh/Someone/a-book/main?urlpath=lab/tree/index0.md" in there
    assert f'href="{URL}"' in there
    assert f'<link rel="canonical" href="{BASE}index0.html"' in there
    assert f'content="{BASE}_static/card.png"' in there
    # Nothing else is set anywhere in the configuration of the book itself.
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert config["repository"]["url"] == ""
    assert "binderhub_url" not in config["launch_buttons"]


def test_the_map_of_the_site_has_every_page_and_needs_an_address(private, public):
    assert not (private / "sitemap.xml").exists()
    places = ET.parse(public / "sitemap.xml").iter(
        "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"
    )
    found = [element.text for element in places]
    assert found == [f"{BASE}index0.html", f"{BASE}book/second.html"]


def test_descriptions_are_whole_sentences_of_the_page(private):
    page = (private / "index0.html").read_text()
    assert described(page) == "A glass is a solid without a lattice, and this sentence says so."
    assert described((private / "book/second.html").read_text()).startswith("Second: a page of")


@pytest.mark.parametrize("words", ["x" * 400, "Word " * 100, "First. " + "y" * 300, "A. " * 80])
def test_no_description_is_too_long(words):
    assert len(doorstep.shortened(words)) <= doorstep.LENGTH


def test_the_front_door_and_wrong_addresses_lead_into_the_book(private, public):
    for name in ("index.html", "404.html"):
        page = document(private / name)
        links = [page.target(e.attributes["href"]) for e in page.named("a")]
        assert links
        assert all(path.is_file() for path, _ in links)
    # Below any folder, links start from the address of the site.
    assert f'<base href="{BASE}">' in (public / "404.html").read_text()
    assert "<base" not in (private / "404.html").read_text()


def test_a_notebook_can_be_had_of_every_page_with_code(private):
    assert 'href="_sources/index0.ipynb"' in (private / "index0.html").read_text()
    book = nbformat.read(private / "_sources/index0.ipynb", as_version=4)
    assert [cell.source for cell in book.cells if cell.cell_type == "code"] == ["1 + 1"]
    assert book.metadata["kernelspec"]["name"] == "python3"
    assert not (private / "_sources/book/second.ipynb").exists()


def test_a_page_gives_the_same_notebook_each_time():
    assert published.notebook(FIRST) == published.notebook(FIRST)


def test_the_foot_of_a_page_says_what_made_it(private):
    said = re.search(r'<p class="provenance">(.*?)</p>', (private / "index0.html").read_text())[1]
    assert said.startswith("Commit <code>unknown</code>")  # no folder of git


def test_where_git_knows_the_commit_it_is_said():
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    assert re.fullmatch(r"[0-9a-f]{12}(-dirty)?", published.commit_of(ROOT))


def test_the_card_has_the_size_that_is_asked_for(private):
    from PIL import Image

    picture = Image.open(private / "_static/card.png")
    assert picture.size == doorstep.CARD
    assert len(picture.convert("RGB").getcolors(100_000)) > 2  # a title, and not an empty sheet


def test_a_large_file_is_carried_by_a_link_or_a_copy(tmp_path, monkeypatch):
    source = tmp_path / "a"
    source.write_bytes(b"data")
    doorstep.carry(source, tmp_path / "there" / "a")
    assert (tmp_path / "there" / "a").samefile(source)

    def refuse(*_):
        raise OSError("another disk")

    monkeypatch.setattr(os, "link", refuse)
    doorstep.carry(source, tmp_path / "there" / "a")
    assert (tmp_path / "there" / "a").read_bytes() == b"data"
    assert not (tmp_path / "there" / "a").samefile(source)


# --- the one document ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("#x", "#book-intro--x"), ("02-glasses.html", "#book-02-glasses"),
        ("02-glasses.html#x", "#book-02-glasses--x"), ("../_downloads/a.yaml", None),
        ("https://doi.org/1", "https://doi.org/1"),
    ],
)  # fmt: skip
def test_links_lead_to_places_of_the_one_document(address, place):
    pages = {"book/intro.html", "book/02-glasses.html"}
    assert printed.place(address, "book/intro.html", pages) == place


@pytest.mark.skipif(not PAGES, reason="the book is not built: make book")
def test_the_book_as_one_document_is_whole(tmp_path):
    path = SITE / "of-the-tests.html"
    path.write_text(printed.assembled(SITE), encoding="utf-8")
    try:
        page = document(path)
        anchors = page.anchors
        assert len(anchors) == len(set(anchors))
        links = [e.attributes["href"] for e in page.named("a") if "href" in e.attributes]
        inside = [link[1:] for link in links if link.startswith("#")]
        assert len(inside) > 100  # the contents alone have thirty
        assert set(inside) <= set(anchors)
        assert all(link.startswith(("#", "http", "mailto:")) for link in links)
        for e in page.named("img"):
            source = e.attributes["src"]
            assert source.startswith("data:") or (SITE / source).is_file()
        shown = {name for name in PAGES if name.startswith("book/")}
        assert {printed.slug(name) for name in shown} <= set(anchors)
    finally:
        path.unlink()


def test_a_browser_prints_it(private, tmp_path):
    if not any(map(shutil.which, printed.BROWSERS)):
        pytest.skip("no Chromium: apt-get install chromium")
    page = tmp_path / "page.html"
    page.write_text('<title>A book</title><h1 id="a">One</h1><p><a href="#a">there</a></p>')
    printed.print_to(page, tmp_path / "book.pdf")
    data = (tmp_path / "book.pdf").read_bytes()
    assert data.startswith(b"%PDF-")
    assert b"/Outlines" in data


def test_without_a_built_book_nothing_is_printed(tmp_path):
    with pytest.raises(SystemExit, match="make book"):
        printed.main(tmp_path, tmp_path / "book.pdf")


def test_announcing_leaves_other_hosts_without_an_address_of_their_pages():
    config = SimpleNamespace(
        html_theme_options={"repository_url": "https://gitlab.com/a/b"}, html_baseurl=""
    )
    published.announce(None, config)
    assert config.html_baseurl == ""
    assert config.html_theme_options["launch_buttons"] == {"binderhub_url": published.BINDER}
