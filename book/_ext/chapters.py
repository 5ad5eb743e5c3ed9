"""Chapters are numbered as their files are; appendices have letters.

Sphinx counts the pages of each part from one. A page ``book/05-amc`` is chapter 5 whether or not
all chapters before it exist, and its figures, tables and equations are 5.1, 5.2 and so on.
"""

import re

from docutils import nodes
from sphinx_external_toc.collectors import TocTreeCollectorWithStyles

NUMBER = re.compile(r"(?:^|/)(\d\d)-[^/]*$")
APPENDIX = re.compile(r"(?:^|/)appendix-[^/]*$")


def label_of(page: str, appendices: list[str]) -> str | None:
    """Number or letter of a page; None if it has neither."""
    found = NUMBER.search(page)
    if found:
        return str(int(found[1]))
    return chr(ord("A") + appendices.index(page)) if page in appendices else None


def in_order(env) -> list[str]:
    """Appendices in the order of the table of contents."""
    pages = []
    for root in sorted(env.numbered_toctrees):
        for tree in env.get_doctree(root).findall(lambda node: node.tagname == "toctree"):
            pages += [page for _, page in tree["entries"] if page and APPENDIX.search(page)]
    return pages


def renumber(env, changed: list[str]) -> list[str]:
    """Replace the counted number of each page by its own; returns the pages to be written again."""
    appendices = in_order(env)
    for page, numbers in env.toc_secnumbers.items():
        own = label_of(page, appendices)
        if own is None:
            continue
        for anchor, number in numbers.items():
            numbers[anchor] = number and (own, *number[1:])
        titled = [node for node in (env.titles.get(page), env.longtitles.get(page)) if node]
        for node in [*titled, *env.tocs[page].findall(nodes.reference)]:
            if node.get("secnumber"):
                node["secnumber"] = (own, *node["secnumber"][1:])
    return sorted({*changed, *env.toc_secnumbers})


def setup(app) -> dict:
    """Called by Sphinx."""
    counted = TocTreeCollectorWithStyles.assign_section_numbers
    if not hasattr(counted, "by_file"):  # not twice in one process

        def assign(self, env):
            return renumber(env, counted(self, env))

        assign.by_file = True
        TocTreeCollectorWithStyles.assign_section_numbers = assign
    return {"parallel_read_safe": True, "parallel_write_safe": True}
