"""What a stranger meets first: a page's description, the front door, a wrong address, a picture.

Also the dataset itself, from which the explorer reads. The address of the site, where it has one,
follows from that of the repository (see ``published``); only then is there a map of the site.
"""

import html
import os
import re
import shutil
from pathlib import Path

from docutils import nodes
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

#: Letters of a description at most; search engines show about this many.
LENGTH = 160
#: Pixels of the picture that is shown with a link, as those who show it ask for.
CARD = (1200, 630)
DATASET = Path("data") / "reference.zarr.zip"
HEAD = (
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">{tags}'
    '<link rel="icon" href="_static/favicon.svg"><title>{title}</title>'
    "<style>body {{ font-family: sans-serif; line-height: 1.6; margin: 15vh auto; "
    "max-width: 36rem; padding: 0 1rem; }} :root {{ color-scheme: light dark; }}</style></head>"
    "<body><main><h1>{title}</h1>{body}</main></body></html>\n"
)


def description(doctree: nodes.document | None, title: str, project: str) -> str:
    """The first sentences of a page, in plain words: at most :data:`LENGTH` letters."""
    for paragraph in doctree.findall(nodes.paragraph) if doctree else ():
        words = " ".join(paragraph.astext().split())
        plain = isinstance(paragraph.parent, nodes.section) and not re.search(r"[\\$`*{}]", words)
        if plain and len(words) >= 40:
            return shortened(words)
    return shortened(f"{title}: a page of the book “{project}”.")


def shortened(words: str) -> str:
    """Whole sentences where they fit, whole words otherwise."""
    if len(words) <= LENGTH:
        return words
    sentences = re.match(rf".{{40,{LENGTH - 1}}}[.?!](?=\s)", words)
    return sentences[0] if sentences else words[: LENGTH - 1].rsplit(" ", 1)[0] + "…"


def tags(config, title: str, words: str, page: str) -> str:
    """The elements of a page's head that say what it is."""
    found = {"og:type": "article", "og:title": title, "og:description": words}
    found["og:site_name"] = config.project
    if config.html_baseurl:
        found["og:url"] = f"{config.html_baseurl}{page}"
        found["og:image"] = f"{config.html_baseurl}_static/card.png"
        found["og:image:alt"] = "g(r) of a glass, and its density of states"
    lines = [f'<meta name="description" content="{html.escape(words)}">']
    lines += [f'<meta property="{k}" content="{html.escape(v)}">' for k, v in found.items()]
    return "\n".join([*lines, '<meta name="twitter:card" content="summary_large_image">']) + "\n"


def describe(app, pagename, templatename, context, doctree) -> None:
    """Put the description into the head of a page."""
    title = re.sub(r"<[^>]*>", "", context.get("title", "")) or app.config.project
    title = html.unescape(title)
    words = description(doctree, title, app.config.project)
    added = tags(app.config, title, words, f"{pagename}.html")
    context["metatags"] = context.get("metatags", "") + added


def front(app) -> str:
    """The page at the root, which leads to the first chapter."""
    first = f"{app.config.root_doc}.html"
    title = app.env.titles[app.config.root_doc].astext()
    doctree = app.env.get_doctree(app.config.root_doc)
    head = tags(app.config, title, description(doctree, title, app.config.project), "index.html")
    go = (
        f'<meta http-equiv="refresh" content="0; url={first}"><link rel="canonical" href="{first}">'
    )
    body = f'<p>The book begins <a href="{first}">here</a>.</p>'
    return HEAD.format(title=html.escape(title), tags=head + go, body=body)


def lost(app) -> str:
    """The page for addresses that do not exist, wherever they are below the root."""
    # Without its own address a page cannot know where its links start from.
    base = f'<base href="{app.config.html_baseurl}">' if app.config.html_baseurl else ""
    words = '<meta name="description" content="There is no page at this address of the book.">'
    chapters = "".join(
        f'<li><a href="{name}.html">{html.escape(app.env.titles[name].astext())}</a></li>'
        for name in pages(app)
        if "/reference/" not in name
    )
    says = "<p>The address is wrong, or the page has moved. These are the chapters:</p>"
    body = f"{says}<ul>{chapters}</ul>"
    return HEAD.format(title="There is no such page", tags=base + words, body=body)


def pages(app) -> list[str]:
    """Names of all pages in the order of the book."""
    order, waiting = [], [app.config.root_doc]
    while waiting:
        order.append(waiting.pop(0))
        waiting = app.env.toctree_includes.get(order[-1], []) + waiting
    return list(dict.fromkeys(order))


def site_map(app) -> str:
    """All pages, for search engines."""
    base = app.config.html_baseurl
    lines = [f"  <url><loc>{html.escape(f'{base}{name}.html')}</loc></url>" for name in pages(app)]
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    kind = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    return "\n".join([head, kind, *lines, "</urlset>"]) + "\n"


def card(title: str, author: str, figure: Path | None) -> Image.Image:
    """The picture that is shown with a link: the title above the book's first figure."""
    picture = Image.new("RGB", CARD, "white")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, CARD[0], 12), fill="#0072b2")
    for text, size, height, colour in ((title, 60, 40, "#222222"), (author, 26, 580, "#555555")):
        font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), size)
        pen.text((60, height), text, font=font, fill=colour)
    if figure:
        drawn = Image.open(figure).convert("RGBA")
        drawn.thumbnail((CARD[0] - 120, 430))
        picture.paste(drawn, ((CARD[0] - drawn.width) // 2, 135), drawn)
    return picture


def first_figure(site: Path, page: str) -> Path | None:
    """File of the first drawn figure of a page."""
    text = (site / f"{page}.html").read_text(encoding="utf-8")
    found = re.search(r'src="[./]*(_images/[^"]+\.png)"', text)
    return site / found[1] if found else None


def furnish(app, exception) -> None:
    """After a build: everything that belongs to the site and to no page."""
    if exception or app.builder.format != "html":
        return
    site = Path(app.outdir)
    (site / "index.html").write_text(front(app), encoding="utf-8")
    (site / "404.html").write_text(lost(app), encoding="utf-8")
    if app.config.html_baseurl:
        (site / "sitemap.xml").write_text(site_map(app), encoding="utf-8")
    figure = first_figure(site, app.config.root_doc)
    card(app.config.project, app.config.author, figure).save(site / "_static" / "card.png")
    source = Path(app.srcdir) / "book" / DATASET
    if source.is_file():
        carry(source, site / DATASET)


def carry(source: Path, place: Path) -> None:
    """Copy a large file, or link to it where the disk is the same."""
    place.parent.mkdir(exist_ok=True)
    place.unlink(missing_ok=True)
    try:
        os.link(source, place)
    except OSError:
        shutil.copyfile(source, place)


def setup(app) -> dict:
    """Called by Sphinx."""
    app.connect("html-page-context", describe)
    # Before the icons and styles of all pages are looked at.
    app.connect("build-finished", furnish, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
