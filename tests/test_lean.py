"""What pages use stays, and what they do not use goes: icons, scripts, rules of style, letters."""

import base64
import io
import re
import sys
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

BOOK = Path(__file__).parents[1] / "book"
theme = pytest.importorskip("pydata_sphinx_theme")
sys.path.insert(0, str(BOOK / "_ext"))
lean = pytest.importorskip("lean")
styles = pytest.importorskip("styles")
sys.path.pop(0)

STATIC = Path(theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"


@pytest.fixture(scope="module")
def script():
    return (STATIC / lean.SCRIPT).read_text(encoding="utf-8")


PAGE = (
    '<script defer src="../_static/scripts/fontawesome.js?digest=1"></script>'
    '<script src="../searchindex.js"></script><script src="../_static/doctools.js"></script>'
    '<i class="theme-switch fa-solid fa-sun   fa-lg" data-mode="light" title="Light"></i>'
    '<span class="fas fa-search"></span>'
)


def test_icons_are_drawn_in_the_page_and_their_script_is_gone(script):
    page = lean.drawn(PAGE, lean.outlines(script))
    assert page.count("<svg") == 2
    assert "<i " not in page
    assert "fontawesome" not in page
    # What the theme's styles and scripts look for.
    assert 'class="svg-inline--fa theme-switch fa-solid fa-sun fa-lg"' in page
    assert 'data-mode="light" title="Light"' in page
    # "search" is another name of the magnifying glass.
    icons = lean.outlines(script)
    assert icons["search"] == icons["magnifying-glass"]
    assert icons["search"][2] in page
    # Twice is once.
    assert lean.drawn(page, icons) == page


def test_an_icon_that_nobody_knows_is_noticed(script):
    with pytest.raises(KeyError, match="unheard-of"):
        lean.drawn('<i class="fa-solid fa-unheard-of"></i>', lean.outlines(script))


def test_a_theme_that_writes_icons_in_another_way_is_noticed(script):
    with pytest.raises(ValueError, match="fewer than"):
        lean.outlines(script[:50_000])


def test_pages_lose_the_index_of_the_search_and_nothing_else():
    left = lean.IDLE.sub("", PAGE)
    assert "searchindex" not in left
    assert left.count("<script") == 2


def test_rules_that_no_page_can_use_go_and_others_stay():
    sheet = (
        '@charset "UTF-8";:root{--a:"}"}.used>.gone,#used:hover{x:1}.gone{y:2}'
        "@media print{.gone{z:3}}@media screen{.used::after{content:'\\f0eb'}}"
        ".used:not(.gone){u:4}@keyframes turn{from{a:1}to{a:2}}[data-theme=dark] p{v:5}"
    )
    left = styles.reduced(sheet, {"used"})
    assert left == (
        '@charset "UTF-8";:root{--a:"}"}#used:hover{x:1}'
        "@media screen{.used::after{content:'\\f0eb'}}"
        ".used:not(.gone){u:4}@keyframes turn{from{a:1}to{a:2}}[data-theme=dark] p{v:5}"
    )
    assert styles.reduced(left, {"used"}) == left


def test_the_theme_s_sheet_is_read_to_its_end():
    """With every class in use nothing goes but comments: no rule is misread."""
    sheet = (STATIC / "styles" / "pydata-sphinx-theme.css").read_text(encoding="utf-8")
    words = set(re.findall(r"[A-Za-z_][\w-]*", sheet))
    plain = re.compile(r"\s|;(?=})")
    before, after = (
        plain.sub("", styles.COMMENT.sub("", s)) for s in (sheet, styles.reduced(sheet, words))
    )
    assert after == before


def test_a_font_of_few_letters_has_these():
    sheet = '@font-face{src:url(fa-solid-900.woff2)}.a{content:"\\f0eb"}.b{content:"\uf071"}'
    small = styles.with_small_font(sheet, STATIC / styles.FONT)
    data = re.search(r"base64,([^)]*)\)", small)[1]
    assert set(TTFont(io.BytesIO(base64.b64decode(data))).getBestCmap()) == {0xF0EB, 0xF071}
    assert len(data) < 4000
    assert small.startswith(".a")
