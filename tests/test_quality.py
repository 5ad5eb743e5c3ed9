"""Every page of the built book in a real browser: errors, reach, widths, colours, print."""

import importlib.util
import re
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import browser
import pytest
from site_files import PAGES, SITE

pytestmark = [
    pytest.mark.skipif(
        browser.executable() is None, reason="no Chromium: apt-get install chromium"
    ),
    pytest.mark.skipif(not PAGES, reason="the book is not built: make book"),
]
#: Pages that a reader sees; the front door leads on at once.
SHOWN = [name for name in PAGES if name != "index.html"]
#: Pages that axe looks at, which takes it seconds each: all kinds of them, and those with parts
#: that move. What the others are made of is on these as well.
CLOSELY = {
    *(f"book/{name}.html" for name in ("intro", "05-amc", "explorer", "status")),
    *(f"book/{name}.html" for name in ("references", "reference/commands")),
    *("search.html", "404.html"),
}
#: Most that a page may load beside its figures, bytes.
HEAVY = 1.5e6
PICTURES = {".png", ".svg"}
#: Rules of axe that the theme breaks in a way that hurts nobody: its logo is beside the landmarks.
NOT_ASKED = ("region",)
AXE = importlib.util.find_spec("axe_core_python")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    started = browser.Browser(tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


def opened(chromium, name, width):
    page = chromium.open((SITE / name).as_uri(), width=width)
    if page.evaluate('!!document.querySelector(".math")'):
        page.wait('!!document.querySelector("mjx-container")')
        page.evaluate("MathJax.startup.promise.then(() => 0)")
    return page


def resized(page, width):
    """With all that pages do when they are given another width."""
    page.resize(width)
    page.evaluate("new Promise(done => setTimeout(done, 150))")


@pytest.fixture(scope="module", params=SHOWN or ["none"])
def page(chromium, request):
    """One page, for all tests that look at every page."""
    page = opened(chromium, request.param, 1400)
    page.name = request.param
    yield page
    page.close()


#: What is cut off at the side of the page, with no way to move it into sight.
LOST = """
[...document.querySelectorAll(".bd-article :is(table, pre, img, svg, canvas, mjx-container)")]
  .filter(function (element) {
    if (!element.checkVisibility() || !element.getClientRects().length) return false;
    if (!element.matches("mjx-container") && element.closest("mjx-container")) return false;
    let right = element.getBoundingClientRect().right;
    for (let box = element.parentElement; box && box !== document.body; box = box.parentElement) {
      if (/auto|scroll/.test(getComputedStyle(box).overflowX)) return false;
    }
    return !/auto|scroll/.test(getComputedStyle(element).overflowX) && right > innerWidth + 1;
  }).map(element => element.outerHTML.slice(0, 120))"""


def violations(page, **options):
    # The bibliography has roles that docutils gives it and later standards took away.
    found = page.evaluate(
        f"""axe.run({{exclude: [[".citation-list"]]}}, {options}).then(r => r.violations.map(v =>
        [v.id, v.nodes.slice(0, 4).map(n => n.target.join(" ") + ": " + n.html.slice(0, 160))]))"""
    )
    return {rule: nodes for rule, nodes in found if rule not in NOT_ASKED}


@pytest.mark.skipif(AXE is None, reason="axe-core-python is not installed")
def test_axe_finds_nothing(page):
    """Labels, landmarks, contrast and the rest; contrast once more in the dark."""
    if page.name not in CLOSELY:
        pytest.skip("others of this kind stand for it")
    # Formulas are thousands of elements, all of which MathJax hides from screen readers.
    page.evaluate(
        """void (window.formulas = [...document.querySelectorAll("mjx-container")].map((e) => {
          const place = document.createTextNode("x");
          e.replaceWith(place);
          return [place, e]; }))"""
    )
    page.run(Path(AXE.origin).with_name("axe.min.js").read_text(encoding="utf-8"))
    only = {"resultTypes": ["violations"]}
    light = violations(page, **only)
    # Colours that fade into each other would arrive a little later.
    still = '"<style>* { transition: none !important }</style>"'
    page.evaluate(f'document.head.insertAdjacentHTML("beforeend", {still})')
    page.evaluate('document.documentElement.setAttribute("data-theme", "dark")')
    dark = violations(page, runOnly=["color-contrast"], **only)
    page.evaluate('document.documentElement.setAttribute("data-theme", "light")')
    page.evaluate("formulas.forEach(([place, e]) => place.replaceWith(e))")
    assert light == {}
    assert dark == {}


def test_a_page_is_light(page):
    """All that it loads beside its pictures and the numbers of figures that move, uncompressed."""
    asked = {e["request"]["url"].split("?")[0] for e in page.seen("Network.requestWillBeSent")}
    paths = [Path(url2pathname(urlsplit(a).path)) for a in asked if a.startswith("file:")]
    sizes = {path.name: path.stat().st_size for path in paths if path.suffix not in PICTURES}
    figures = """[...document.querySelectorAll(".live > script, .live > noscript")]
      .reduce((sum, e) => sum + e.textContent.length, 0)"""
    assert sum(sizes.values()) - page.evaluate(figures) <= HEAVY, sizes


def test_pages_have_no_error_stay_at_home_and_fit(page):
    """Also: pictures load, formulas and icons are drawn, all fits a screen and a telephone."""
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 1400
    resized(page, 380)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 380
    assert page.evaluate(LOST) == []
    raw = r"[...document.querySelectorAll('.math')].filter(e => /\\[(\[]/.test(e.textContent))"
    assert page.evaluate(f"{raw}.map(e => e.textContent)") == []
    assert page.evaluate("document.querySelectorAll('mjx-merror').length") == 0
    assert page.evaluate("document.querySelectorAll('i[class*=fa-]').length") == 0
    broken = "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
    assert page.evaluate(broken) == []
    assert page.complaints() == []


CONTROLS = "a[href], button, input, select, textarea, summary, [tabindex]"
REACHABLE = f"""[...document.querySelectorAll("{CONTROLS}")].filter(function (e) {{
  return e.tabIndex >= 0 && !e.disabled && e.checkVisibility({{visibilityProperty: true}})
    && e.getClientRects().length && !e.closest("dialog:not([open])");
}})"""


@pytest.mark.parametrize("name", ["book/intro.html", "book/10-weights.html", "search.html"])
def test_everything_is_reached_by_tab(chromium, name):
    """Each link and control of a page once, by pressing Tab; and whoever tabs can see where."""
    page = opened(chromium, name, 1400)
    page.evaluate(f"{REACHABLE}.forEach((e, k) => e.setAttribute('data-told', k))")
    wanted = page.evaluate(f"{REACHABLE}.length")
    reached, unseen = set(), []
    for _ in range(wanted + 60):  # boxes that scroll are reached as well
        page.press("Tab")
        here = page.evaluate(
            """(function (e) {
              const s = getComputedStyle(e);
              const seen = s.outlineStyle !== "none" || s.boxShadow !== "none";
              return [e.dataset.told ?? null, seen, e.outerHTML.slice(0, 100)];
            })(document.activeElement)"""
        )
        if here[0] is not None:
            reached.add(int(here[0]))
            if not here[1]:
                unseen.append(here[2])
        if len(reached) == wanted:
            break
    page.close()
    assert reached == set(range(wanted))
    assert unseen == []


def test_nothing_can_be_clicked_that_the_keyboard_cannot_reach(page):
    idle = """[...document.querySelectorAll("[onclick], [role=button], [role=link]")]
      .filter(e => e.tabIndex < 0 && e.checkVisibility()).map(e => e.outerHTML.slice(0, 160))"""
    assert page.evaluate(idle) == []


@pytest.mark.parametrize("name", ["book/intro.html", "book/05-amc.html"])
def test_in_print_letters_are_dark_on_white_though_the_screen_is_dark(chromium, name):
    page = opened(chromium, name, 900)
    page.show_as("screen", "dark")
    page.wait('document.documentElement.dataset.theme === "dark"')
    page.show_as("print", "dark")
    # As browsers say it before they print.
    page.evaluate('window.dispatchEvent(new Event("beforeprint"))')
    # The faintest letters and the darkest ground of the text, as 0 (black) to 1 (white).
    found = page.evaluate(
        r"""(function () {
          const light = (c) => { const [r, g, b, a] = c.match(/[\d.]+/g).map(Number);
            return a === 0 ? null : (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255; };
          const all = [...document.querySelectorAll(".bd-article :is(p, li, td, th, h1, h2, code)")]
            .filter(e => e.checkVisibility() && [...e.childNodes].some(n => n.data?.trim()));
          const grounds = [document.body, document.documentElement, ...all]
            .map(e => light(getComputedStyle(e).backgroundColor)).filter(x => x !== null);
          const shade = (e) => light(getComputedStyle(e).color);
          const letters = all.map(e => [shade(e), e.outerHTML.slice(0, 80)]);
          return [letters.sort((a, b) => b[0] - a[0])[0], Math.min(1, ...grounds)];
        })()"""
    )
    page.close()
    (letters, where), ground = found
    assert letters < 0.5, where
    assert ground > 0.85


def test_wide_tables_move_inside_their_own_box(chromium):
    page = opened(chromium, "book/05-amc.html", 380)
    found = page.evaluate(
        """[...document.querySelectorAll(".bd-article table")].filter(t => t.checkVisibility())
        .map(t => [t.scrollWidth > t.clientWidth, getComputedStyle(t).overflowX])"""
    )
    page.close()
    assert any(wide for wide, _ in found)
    assert all(re.fullmatch("auto|scroll", overflow) for wide, overflow in found if wide)
