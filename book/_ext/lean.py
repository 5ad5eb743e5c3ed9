"""Pages without the scripts that they load and do not use, and none that holds up the first paint.

The theme draws every ``<i class="fa-solid fa-NAME">`` by a script of two thousand icons; here the
icons are written into the pages. It loads the index of the search into every page, for a search
while one types that this book does not have. MathJax comes in one file with its context menu, a
third of it; here its parts are loaded instead, those that ``mathjax3_config`` lists.
"""

import re
from pathlib import Path

import pydata_sphinx_theme
from sphinx.util import logging

#: One icon: name, width, height, other names, letter, outline.
ICON = re.compile(
    r'(?:"([a-z0-9-]+)"|([a-z0-9]+)):\[(\d+),(\d+),\[([^\]]*)\],"[0-9a-f]+",'
    r'(?:"([^"]*)"|\["[^"]*","[^"]*"\])\],?'
)
THEME = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"
SCRIPT = Path("scripts") / "fontawesome.js"
#: Fewer icons than this: the theme writes them in another way.
MANY = 1000
#: Where a page wants an icon: an empty element of classes "fa-solid" and "fa-NAME".
PLACE = re.compile(
    r'<(i|span)\s([^>]*?)class="([^"]*\bfa[srb]?\s[^"]*|[^"]*\bfa-[^"]*)"([^>]*)></\1>'
)
#: Classes that say how an icon is drawn, not which.
MANNERS = {"fa-solid", "fa-regular", "fa-brands", "fa-lg", "fa-sm", "fa-fw"}
#: Scripts that a page which is not the search loads for nothing, and the one of all icons.
IDLE = re.compile(
    r'\s*<script [^>]*src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>'
)
ICONS = re.compile(r'\s*<script [^>]*src="[^"]*fontawesome\.js[^"]*"></script>')
#: Scripts that others need at once when these are read.
EARLY = ("documentation_options.js", "doctools.js")


def outlines(script: str) -> dict[str, tuple[str, str, str]]:
    """Width, height and outline of every icon of the theme's script, by all of its names."""
    found: dict[str, tuple[str, str, str]] = {}
    for icon in ICON.finditer(script):
        if icon[6]:  # brands come first in the script, and icons of several colours have no [6]
            for name in (icon[1] or icon[2], *re.findall(r'"([a-z0-9-]+)"', icon[5])):
                found[name] = icon[3], icon[4], icon[6]
    if len(found) < MANY:
        raise ValueError(f"fewer than {MANY} icons found in the theme's script")
    return found


def drawn(page: str, icons: dict[str, tuple[str, str, str]]) -> str:
    """The page with its icons in it, and without the script that draws them.

    A page with an icon that is not known stays as it is.
    """

    def picture(place: re.Match) -> str:
        _, before, classes, after = place.groups()
        (name,) = {c for c in classes.split() if c.startswith("fa-")} - MANNERS
        width, height, outline = icons[name.removeprefix("fa-")]
        rest = " ".join(f"{before} {after}".split())
        words = " ".join(classes.split())
        return (
            f'<svg class="svg-inline--fa {words}" {rest} aria-hidden="true" focusable="false" '
            f'viewBox="0 0 {width} {height}"><path fill="currentColor" d="{outline}"/></svg>'
        )

    return ICONS.sub("", PLACE.sub(picture, page))


def lighten(app, exception) -> None:
    """After a build: icons into the pages, the index of the search out of them."""
    if exception or app.builder.format != "html":
        return
    icons = outlines((THEME / SCRIPT).read_text(encoding="utf-8"))
    for path in Path(app.outdir).glob("**/*.html"):
        text = path.read_text(encoding="utf-8")
        lighter = text if path.name == "search.html" else IDLE.sub("", text)
        try:
            lighter = drawn(lighter, icons)
        except (KeyError, ValueError) as error:
            logging.getLogger(__name__).warning("%s keeps its script of icons: %s", path, error)
        if lighter != text:
            path.write_text(lighter, encoding="utf-8")


def defer(app, pagename, templatename, context, doctree) -> None:
    """Let the page be painted before its scripts run; they keep their order."""
    for script in context.get("script_files", ()):
        name = str(getattr(script, "filename", "") or "")
        if name and not name.split("?")[0].endswith(EARLY) and hasattr(script, "attributes"):
            script.attributes.setdefault("defer", "defer")


def mathjax_in_parts(app, config) -> None:
    """Start MathJax from its loader; ``sphinx-mathjax-offline`` sets the file with everything."""
    config.mathjax_path = "mathjax/startup.js"


def setup(app) -> dict:
    """Called by Sphinx."""
    app.connect("config-inited", mathjax_in_parts)
    app.connect("html-page-context", defer, priority=900)
    app.connect("build-finished", lighten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
