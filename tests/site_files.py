"""The built book, as the tests of its pages see it: files, elements, links."""

from dataclasses import dataclass
from functools import cache, cached_property
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).parents[1]
SITE = ROOT / "_build" / "html"
#: Everything that is a page of its own, by its name below the site.
PAGES = sorted(
    path.relative_to(SITE).as_posix()
    for path in SITE.rglob("*.html")
    if not {"_static", "_sources"} & set(path.relative_to(SITE).parts)
)
#: Elements without an end.
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}


@dataclass(frozen=True)
class Element:
    """One element: its name and attributes, and whether it is for print alone."""

    name: str
    attributes: dict[str, str]
    printed: bool


class Document(HTMLParser):
    """All elements of one page in the order in which they come."""

    def __init__(self, path: Path):
        super().__init__()
        self.path, self.elements, self.open = path, [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        values = {name: value or "" for name, value in attrs}
        printed = "onlyprint" in values.get("class", "").split() or any(p for _, p in self.open)
        self.elements.append(Element(tag, values, printed))
        if tag not in VOID:
            self.open.append((tag, printed))

    def handle_endtag(self, tag):
        if any(name == tag for name, _ in self.open):
            while self.open.pop()[0] != tag:
                pass

    def named(self, *names):
        return [e for e in self.elements if e.name in names]

    @cached_property
    def anchors(self):
        """Names to which a link can lead, in order, as often as they are given."""
        return [e.attributes["id"] for e in self.elements if "id" in e.attributes]

    def addresses(self):
        """Whatever an element of the page leads to or loads, as written."""
        for e in self.elements:
            for key in ("href", "src"):
                if key in e.attributes:
                    yield e, e.attributes[key]

    def target(self, address):
        """File and anchor that an address of this page means; None if it leads elsewhere."""
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            return None
        place = (self.path.parent / unquote(parts.path)).resolve() if parts.path else self.path
        return place, unquote(parts.fragment)


@cache
def document(path: Path) -> Document:
    """A page, read once."""
    return Document(path)
