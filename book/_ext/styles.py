"""Style sheets without the rules that no page of the site can use, and icons of letters to match.

The theme's sheet describes all of Bootstrap, 400 kB, and its font has 1400 icons, 156 kB.
"""

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

#: Sheets that hold more than this site uses, below ``_static``.
SHEETS = ("styles/pydata-sphinx-theme.css", "sphinx-design.min.css", "mystnb.*.css")
FONT = "vendor/fontawesome/webfonts/fa-solid-900.ttf"
FACE = re.compile(r"@font-face\{[^}]*\}")
MARK = "/* without rules that no page can use */"
COMMENT = re.compile(r"/\*(?!!).*?\*/", re.S)


def rules(sheet: str) -> Iterator[tuple[str, str]]:
    """Head and body of each rule of a style sheet; a statement without a body has the body ""."""
    at = 0
    while at < len(sheet):
        end = re.compile(r"[;{]").search(sheet, at)
        if not end:
            return
        head = sheet[at : end.start()].strip()
        if end[0] == ";":
            yield head + ";", ""
            at = end.end()
            continue
        depth, place = 1, end.end()
        while depth:
            brace = re.compile(r"""[{}]|"(?:\\.|[^"])*"|'(?:\\.|[^'])*'""").search(sheet, place)
            depth += {"{": 1, "}": -1}.get(brace[0], 0)
            place = brace.end()
        yield head, sheet[end.end() : place - 1]
        at = place


def usable(selector: str, words: set[str]) -> bool:
    """Whether every class and id that a selector asks for is among the words of the site."""
    asked = re.sub(r":(?:not|is|where|has)\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\]|\\.", "", selector)
    return set(re.findall(r"[.#]([A-Za-z_][\w-]*)", asked)) <= words


def reduced(sheet: str, words: set[str]) -> str:
    """A style sheet without what cannot apply to a site of these words."""
    kept = []
    for head, body in rules(COMMENT.sub("", sheet)):
        if not body:
            kept.append(head if head.endswith(";") else "")
        elif head.startswith(("@media", "@supports")):
            inside = reduced(body, words)
            kept.append(f"{head}{{{inside}}}" if inside else "")
        elif head.startswith("@"):
            kept.append(f"{head}{{{body}}}")
        else:
            # The licence of Bootstrap stands before the first selector.
            notice = "".join(re.findall(r"/\*!.*?\*/", head, re.S))
            bare = re.sub(r"/\*!.*?\*/", "", head, flags=re.S)
            parts = re.split(r",(?![^(\[]*[)\]])", bare)
            left = [part.strip() for part in parts if usable(part, words)]
            kept.append(notice + (f"{','.join(left)}{{{body}}}" if left else ""))
    return "".join(kept)


def words_of(site: Path) -> set[str]:
    """Classes and ids of all pages, and whatever the scripts might use as one."""
    found: set[str] = set()
    for page in site.rglob("*.html"):
        for value in re.findall(r'\b(?:class|id)="([^"]*)"', page.read_text(encoding="utf-8")):
            found.update(value.split())
    static = site / "_static"
    for script in [*static.glob("*.js"), *static.glob("scripts/*.js"), *static.glob("live/*.js")]:
        found.update(re.findall(r"[A-Za-z_][\w-]*", script.read_text(encoding="utf-8")))
    return found


def font_of(sheet: str, font: Path) -> str:
    """A font face of only those letters that the sheet writes, in the sheet itself."""
    # Icons are letters of the private use area, as such or as escapes.
    letters = {int(code, 16) for code in re.findall(r"\\([ef][0-9a-f]{3})\b", sheet)}
    letters |= {ord(letter) for letter in sheet if 0xE000 <= ord(letter) <= 0xF8FF}
    small = subset.Subsetter()
    small.populate(unicodes=letters)
    face = TTFont(font)
    small.subset(face)
    face.flavor = "woff"
    stream = io.BytesIO()
    face.save(stream)
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    return (
        "@font-face{font-display:block;font-family:Font Awesome\\ 6 Free;font-style:normal;"
        f'font-weight:900;src:url(data:font/woff;base64,{data}) format("woff")}}'
    )


def with_small_font(sheet: str, font: Path) -> str:
    """The sheet with its first font face cut down to what is used."""
    bare = FACE.sub("", sheet)
    faces = FACE.findall(sheet)
    others = [face for face in faces if "fa-solid" not in face]
    if len(others) == len(faces):
        return sheet
    # Behind the last rule, as a statement such as @charset has to come first.
    return bare + font_of(bare, font) + "".join(others)


def whole(path: Path, kept: Path) -> str:
    """A sheet as its makers wrote it; what this module made of it ends in a mark of its own.

    A build that finds nothing to do does not put the makers' sheets there again.
    """
    text = path.read_text(encoding="utf-8")
    if not text.endswith(MARK):
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(text, encoding="utf-8")
    return kept.read_text(encoding="utf-8")


def reduce_styles(app, exception) -> None:
    """After a build, when all pages are there."""
    if exception or app.builder.format != "html":
        return
    site = Path(app.outdir)
    static, words = site / "_static", words_of(site)
    for pattern in SHEETS:
        for path in static.glob(pattern):
            text = reduced(whole(path, Path(app.doctreedir) / "styles" / path.name), words)
            path.write_text(with_small_font(text, static / FONT) + MARK, encoding="utf-8")


def setup(app) -> dict:
    """Called by Sphinx."""
    # After the icons are in the pages, which have classes too.
    app.connect("build-finished", reduce_styles, priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
