"""The whole book as one PDF, from the pages as they were built, by a browser.

    python book/_ext/printed.py _build/html _build/book.pdf

All pages become one document: every link within the book leads to its place there, names of places
get the name of their page, and figures that move are the pictures that readers without scripts see.
The browser draws the formulas and makes the outline. Chromium or Chrome is needed, and no LaTeX.
"""

import posixpath
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from bs4 import BeautifulSoup, SoupStrainer, Tag

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SHEETS = ("pygments.css", "basic.css", "sphinx-design.min.css", "print.css")
#: Buttons and marks that mean nothing on paper.
IDLE = ".headerlink, button, .cell summary, .onlyprint, script, style, link, .live-controls"
#: Longest time that the browser may take, s.
PATIENCE = 600


def order(site: Path) -> list[str]:
    """Addresses of all pages below the site, as the side bar of the first page lists them."""
    front = BeautifulSoup((site / "index.html").read_text(encoding="utf-8"), "html.parser")
    first = front.find("a")["href"]
    page = BeautifulSoup((site / first).read_text(encoding="utf-8"), "html.parser")
    links = [a["href"] for a in page.select("nav.bd-links a.reference.internal")]
    names = [posixpath.normpath(posixpath.join(posixpath.dirname(first), a)) for a in links]
    return list(dict.fromkeys([first, *(name for name in names if name.endswith(".html"))]))


def slug(name: str) -> str:
    """Name of a page as the beginning of names of places: "book/intro.html" is "book-intro"."""
    return re.sub(r"\W+", "-", name.removesuffix(".html"))


def place(address: str, page: str, pages: set[str]) -> str | None:
    """Where an address of a page leads in the one document; None if that is nowhere."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return address
    folder = posixpath.dirname(page)
    target = posixpath.normpath(posixpath.join(folder, parts.path)) if parts.path else page
    if target not in pages:
        return None
    return f"#{slug(target)}--{parts.fragment}" if parts.fragment else f"#{slug(target)}"


def article(site: Path, page: str, pages: set[str]) -> Tag:
    """The text of one page, with names and addresses of the one document."""
    only = SoupStrainer("article", class_="bd-article")
    source = (site / page).read_text(encoding="utf-8")
    soup = BeautifulSoup(source, "html.parser", parse_only=only)
    text = soup.select_one("article")
    for still in text.select("noscript"):
        still.replace_with(BeautifulSoup(still.decode_contents(), "html.parser"))
    for element in text.select(IDLE):
        element.decompose()
    for element in text.select("details"):
        element["open"] = ""
    for element in text.select("[id]"):
        element["id"] = f"{slug(page)}--{element['id']}"
    for link in text.select("a[href]"):
        found = place(link["href"], page, pages)
        if found is None:
            del link["href"]
        else:
            link["href"] = found
    for picture in text.select("img[src]"):
        if not picture["src"].startswith("data:"):
            folder = posixpath.dirname(page)
            picture["src"] = posixpath.normpath(posixpath.join(folder, picture["src"]))
    text["id"] = slug(page)
    text.name = "section"
    return text


def assembled(site: Path) -> str:
    """The one document, to lie at the root of the site."""
    pages = order(site)
    texts = [article(site, page, set(pages)) for page in pages]
    first = BeautifulSoup((site / pages[0]).read_text(encoding="utf-8"), "html.parser")
    title = texts[0].find("h1").get_text()
    config = next((s for s in map(str, first.select("script")) if "window.MathJax" in s), "")
    contents = "".join(
        f'<li><a href="#{slug(page)}">{text.find("h1").decode_contents()}</a></li>'
        for page, text in zip(pages, texts, strict=True)
    )
    sheets = "".join(f'<link rel="stylesheet" href="_static/{name}">' for name in SHEETS)
    made = first.select_one(".provenance")
    author = first.select_one(".component-author")
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>{sheets}'
        f'{config}<script defer src="_static/mathjax/startup.js"></script></head><body>'
        f'<header class="cover"><p class="title">{title}</p>'
        f"<p>{author.get_text(' ', strip=True) if author else ''}</p>"
        f"<p>{made.decode_contents().rpartition(' · code')[0] if made else ''}</p></header>"
        f'<nav class="contents"><h1>Contents</h1><ol>{contents}</ol></nav>'
        f"{''.join(map(str, texts))}</body></html>"
    )


def browser() -> str:
    """Path of a browser that prints."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise SystemExit("error: printing the book needs Chromium: apt-get install chromium")
    return found


def print_to(document: Path, target: Path) -> None:
    """Let the browser print a document when all its formulas are drawn."""
    with tempfile.TemporaryDirectory() as profile:
        command = [
            *(browser(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *("--no-pdf-header-footer", "--generate-pdf-document-outline", "--allow-file-access"),
            *(f"--user-data-dir={profile}", "--virtual-time-budget=600000", "--timeout=600000"),
            *(f"--print-to-pdf={target}", document.as_uri()),
        ]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    if done.returncode or not target.is_file() or target.read_bytes()[:5] != b"%PDF-":
        raise SystemExit(f"error: the browser printed no PDF: {done.stderr[-500:]}")


def main(site: Path, target: Path) -> None:
    """Write the PDF of a built site."""
    if not (site / "index.html").is_file():
        raise SystemExit(f"error: {site} holds no built book: make book")
    document = site / "printed.html"
    document.write_text(assembled(site), encoding="utf-8")
    try:
        target.unlink(missing_ok=True)
        print_to(document, target)
    finally:
        document.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
