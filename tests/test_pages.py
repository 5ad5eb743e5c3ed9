"""How the pages are written: words explained, exercises alike, one letter for frequency."""

import ast
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils import nodes

BOOK = Path(__file__).parents[1] / "book"
PAGES = sorted(BOOK.glob("*.md"))
#: Chapters that teach; the first one only says what the book is about.
CHAPTERS = [page for page in PAGES if page.name[:2].isdigit() and page.name[:2] != "01"]
#: Where ω is the angular frequency of a formula.
IN_FORMULAS = ("02-glasses", "03-theory", "appendix-first-order", "appendix-lines")

#: In chapter 11 each figure has a short section of its own, which is about nothing else.
CITING = [
    page
    for page in PAGES
    if (page.name[:2].isdigit() and page.name[:2] != "11") or page.stem in IN_FORMULAS
]


def name_of(page):
    return page.stem


def text_of(page):
    return page.read_text(encoding="utf-8")


def explained():
    """Words that the glossary explains, in lower case as Sphinx compares them."""
    found = re.findall(r"```\{glossary\}\n(.*?)```", text_of(BOOK / "glossary.md"), re.S)
    return {line.lower() for body in found for line in body.splitlines() if re.match(r"\S", line)}


def test_the_glossary_explains_each_word_once():
    words = re.findall(r"^(?![ #`(]).+(?=\n  \S)", text_of(BOOK / "glossary.md"), re.M)
    assert len(words) > 40
    assert len(words) == len({word.lower() for word in words})


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_word_that_links_to_the_glossary_is_in_it(page):
    linked = re.findall(r"\{term\}`([^`]+)`", text_of(page))
    targets = {re.sub(r".*<(.*)>$", r"\1", word, flags=re.S).lower() for word in linked}
    assert targets <= explained()


def test_words_are_explained_where_they_are_first_used():
    """In the first three chapters, which a newcomer reads in their order."""
    pages = ["01-claim", "02-glasses", "03-theory"]
    early = [re.sub(r"\s+", " ", text_of(BOOK / f"{name}.md")) for name in pages]
    for word in (
        "glass",
        "far order",
        "family",
        "structure factor",
        "Hessian",
        "PDOS",
        "boson peak",
    ):
        assert any(re.search(rf"\{{term\}}`([^`]*<)?{word}>?`", page) for page in early), word


@pytest.mark.parametrize("page", CHAPTERS, ids=name_of)
def test_a_chapter_ends_with_three_exercises_whose_solutions_are_folded(page):
    before, found, exercises = text_of(page).partition("\n## Exercises\n")
    assert found
    # What was learnt comes before, so that nothing follows a folded solution unnoticed.
    assert re.search(r"\n## What we learnt\n", before)
    assert not re.search(r"^## ", exercises, re.M)
    heads = re.findall(r"^### (.*)$", exercises, re.M)
    assert [head.partition(":")[0] for head in heads] == [
        "1. Estimate", "2. Change the code", "3. Investigate",
    ]  # fmt: skip
    for part in re.split(r"^### .*$", exercises, flags=re.M)[1:]:
        cells = re.findall(r"```\{code-cell\}[^\n]*\n(.*?)\n```", part, re.S)
        assert all(re.search(r"\b(hide-cell|remove-cell)\b", cell) for cell in cells)
        assert any("hide-cell" in cell for cell in cells)
        # The question comes first, what it shows is folded.
        assert part.strip()
        assert not part.strip().startswith("`")
        assert "```{admonition} What it shows\n:class: dropdown\n" in part


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_frequencies_in_terahertz_are_called_nu(page):
    text = text_of(page)
    assert not re.search(r"(ω|\\omega)\$? ?\((THz|1/THz)", text)
    if page.stem not in IN_FORMULAS:
        assert "D(ω)" not in text
        assert "D(\\omega)" not in text


@pytest.mark.parametrize("page", CITING, ids=name_of)
def test_every_figure_is_cited_by_its_number(page):
    named = set(re.findall(r"^ *name: (fig-\S+)$", text_of(page), re.M))
    cited = set(re.findall(r"\{numref\}`(?:[^`]*<)?(fig-[\w-]+)>?`", text_of(page)))
    assert named <= cited


def handed_over(text):
    """Names that the cells of a page hand to its text, but for those they take from a mapping."""
    for _, body in re.findall(r"```\{code-cell\}[^\n]*\n(---\n.*?\n---\n)?(.*?)\n?```", text, re.S):
        lines = [line for line in body.splitlines() if not line.startswith(":")]
        for call in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "keep":
                yield from (one.arg for one in call.keywords if one.arg)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_number_that_is_handed_to_the_text_is_in_it(page):
    """A sentence that got lost leaves its numbers behind."""
    shown = set(re.findall(r"\{glue:text\}`([^`:]+)", text_of(page)))
    assert set(handed_over(text_of(page))) <= shown


def test_figures_of_the_package_call_frequencies_in_terahertz_nu():
    for file in sorted((BOOK.parent / "glassdata" / "plots").glob("*.py")):
        text = file.read_text(encoding="utf-8")
        assert "ω (THz)" not in text, file.name
        assert "D(ω)" not in text, file.name


def test_the_convention_is_stated_once():
    """One box says what ω, ν and ⟨ω²⟩ are; other pages refer to it."""
    stated = [page.stem for page in PAGES if "Two letters for frequency" in text_of(page)]
    assert stated == ["02-glasses"]
    assert "{ref}`convention <frequency-and-angular-frequency>`" in text_of(BOOK / "glossary.md")


def test_what_all_chapters_on_glasses_share_is_explained_once():
    shared = "bins add up to 1. The error is the mean over bins"
    flat = {page.stem: re.sub(r"\s+", " ", text_of(page)) for page in PAGES}
    assert [name for name, text in flat.items() if shared in text] == ["04-engine"]
    for name in ("05-amc", "06-lennard-jones", "07-sic", "08-cualzr"):
        assert "{ref}`how-we-score`" in flat[name]


# --- numbers of chapters ----------------------------------------------------------------------

pytest.importorskip("sphinx_external_toc")
sys.path.insert(0, str(BOOK / "_ext"))
chapters = pytest.importorskip("chapters")
sys.path.pop(0)


def test_every_chapter_is_in_a_numbered_part_of_the_table_of_contents_in_its_order():
    yaml = pytest.importorskip("yaml")
    toc = yaml.safe_load((BOOK.parent / "_toc.yml").read_text(encoding="utf-8"))
    listed = [
        entry["file"] for part in toc["parts"] if part.get("numbered") for entry in part["chapters"]
    ]
    wanted = [f"book/{page.stem}" for page in PAGES if chapters.NUMBER.search(page.stem)]
    assert [page for page in listed if chapters.NUMBER.search(page)] == wanted
    appendices = {f"book/{page.stem}" for page in PAGES if page.stem.startswith("appendix-")}
    assert set(listed) - set(wanted) == appendices


def test_a_chapter_has_the_number_of_its_file_and_an_appendix_a_letter():
    appendices = ["book/appendix-a", "book/appendix-b"]
    assert chapters.label_of("book/13-your-glass", appendices) == "13"
    assert chapters.label_of("book/appendix-b", appendices) == "B"
    assert chapters.label_of("book/intro", appendices) is None


def test_titles_contents_and_sections_are_renumbered_together():
    """What Sphinx counted as 12.3 becomes 13.3 wherever it stands; unnumbered sections stay so."""
    page = "book/13-your-glass"
    reference = nodes.reference(secnumber=[12, 3])
    title, contents = nodes.title(secnumber=[12]), nodes.bullet_list("", reference)
    env = SimpleNamespace(
        toc_secnumbers={page: {"": (12,), "#a": (12, 3), "#b": ()}}, numbered_toctrees=set(),
        titles={page: title}, longtitles={}, tocs={page: contents},
    )  # fmt: skip
    assert chapters.renumber(env, []) == [page]
    assert env.toc_secnumbers[page] == {"": ("13",), "#a": ("13", 3), "#b": ()}
    assert (title["secnumber"], reference["secnumber"]) == (("13",), ("13", 3))


def test_every_source_that_a_page_cites_can_be_read():
    pybtex = pytest.importorskip("pybtex.database")
    sources = pybtex.parse_file(BOOK / "references.bib").entries
    cited = {
        key.strip()
        for page in BOOK.glob("*.md")
        for keys in re.findall(r"\{cite\}`([^`]*)`", page.read_text(encoding="utf-8"))
        for key in keys.split(",")
    }
    assert cited <= set(sources)
