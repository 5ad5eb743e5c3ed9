"""Icons that pages use stay, under all their names; all others go."""

import re
import sys
from pathlib import Path

import pytest

BOOK = Path(__file__).parents[1] / "book"
theme = pytest.importorskip("pydata_sphinx_theme")
sys.path.insert(0, str(BOOK / "_ext"))
lean = pytest.importorskip("lean")
sys.path.pop(0)

STATIC = Path(theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"


@pytest.fixture(scope="module")
def script():
    return (STATIC / lean.SCRIPT).read_text(encoding="utf-8")


def icons(text):
    return {found[0] or found[1] for found in lean.ICON.findall(text)}


def test_only_the_icons_that_are_named_stay(script):
    # "search" is another name of the magnifying glass.
    left = lean.reduced(script, {"bars", "search"})
    assert icons(left) == {"bars", "magnifying-glass"}
    assert len(left) < 0.06 * len(script)
    # What is not an icon is untouched, to the letter.
    bare = re.sub(lean.ICON, "", script)
    assert re.sub(lean.ICON, "", left) == bare


def test_a_theme_that_writes_icons_in_another_way_is_noticed(script):
    with pytest.raises(ValueError, match="fewer than"):
        lean.reduced(script[:50_000], {"bars"})


def test_names_are_found_on_pages_and_in_scripts_but_not_in_the_icons_themselves(tmp_path):
    scripts = tmp_path / "_static" / "scripts"
    scripts.mkdir(parents=True)
    (tmp_path / "page.html").write_text('<i class="fas fa-sun fa-lg"></i>')
    (scripts / "theme.js").write_text('icon.className = "fa-solid fa-xmark"')
    (tmp_path / "_static" / lean.SCRIPT).write_text("fa-anchor")
    assert lean.names_in(tmp_path) >= {"sun", "xmark"}
    assert "anchor" not in lean.names_in(tmp_path)
