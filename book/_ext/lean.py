"""Pages without scripts that they load and do not use: 1.8 MB of each.

The theme's script draws every ``<i class="fa-solid fa-NAME">`` and holds two thousand icons, of
which a site uses about twenty. MathJax comes in one file with its context menu, a third of it; here
its parts are loaded instead, as ``mathjax3_config`` in ``_config.yml`` lists them.
"""

import re
from pathlib import Path

import pydata_sphinx_theme
from sphinx.util import logging

#: One icon: name, width, height, other names, letter, outline.
ICON = re.compile(
    r'(?:"([a-z0-9-]+)"|([a-z0-9]+)):\[\d+,\d+,\[([^\]]*)\],"[0-9a-f]+",'
    r'(?:"[^"]*"|\["[^"]*","[^"]*"\])\],?'
)
SCRIPT = Path("scripts") / "fontawesome.js"
#: Fewer icons than this: the theme writes them in another way, and nothing is left out.
MANY = 1000


def reduced(script: str, names: set[str]) -> str:
    """The script with only those icons that are named, by any of their names."""

    def kept(found: re.Match) -> str:
        own = {found[1] or found[2], *re.findall(r'"([a-z0-9-]+)"', found[3])}
        return found[0] if own & names else ""

    if len(ICON.findall(script)) < MANY:
        raise ValueError(f"fewer than {MANY} icons found in the theme's script")
    return ICON.sub(kept, script)


def names_in(site: Path) -> set[str]:
    """Names of all icons on the pages of a site, and of those that its scripts add."""
    static = site / "_static"
    pages = [*site.rglob("*.html"), *static.glob("*.js"), *(static / "scripts").glob("*.js")]
    texts = (p.read_text(encoding="utf-8") for p in pages if p.name != SCRIPT.name)
    return {name for text in texts for name in re.findall(r"\bfa-([a-z0-9-]+)", text)}


def reduce_icons(app, exception) -> None:
    """After a build; from the theme's own copy each time, as pages may have got new icons."""
    site = Path(app.outdir)
    if exception or app.builder.format != "html" or not (site / "_static" / SCRIPT).is_file():
        return
    theme = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"
    try:
        text = reduced((theme / SCRIPT).read_text(encoding="utf-8"), names_in(site))
    except ValueError as error:
        logging.getLogger(__name__).warning("icons stay as they are: %s", error)
        return
    (site / "_static" / SCRIPT).write_text(text, encoding="utf-8")


def mathjax_in_parts(app, config) -> None:
    """Start MathJax from its loader; ``sphinx-mathjax-offline`` sets the file with everything."""
    config.mathjax_path = "mathjax/startup.js"


def setup(app) -> dict:
    """Called by Sphinx."""
    app.connect("config-inited", mathjax_in_parts)
    app.connect("build-finished", reduce_icons)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
