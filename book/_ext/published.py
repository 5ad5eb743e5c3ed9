"""Where the book can be had, and what made it: buttons, notebooks, a line at the foot of a page.

One setting, the address of the repository, brings every button that needs one, and the address of
the site on GitHub Pages. Notebooks to download need none.
"""

import hashlib
import re
import subprocess
from pathlib import Path

import jupytext
import nbformat
from myst_nb.sphinx_ import NbMetadataCollector

BINDER = "https://mybinder.org"
GITHUB = re.compile(r"https://github\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?/?$")
DATASET = Path("book/data/reference.zarr.zip")


def address(config) -> str:
    """Address of the repository, "" if it has none."""
    return str((config.html_theme_options or {}).get("repository_url") or "").rstrip("/")


def announce(app, config) -> None:
    """Let buttons and the address of the site follow from that of the repository."""
    url = address(config)
    if not url:
        return
    options = config.html_theme_options
    options["launch_buttons"] = {**options.get("launch_buttons", {}), "binderhub_url": BINDER}
    options |= {"use_repository_button": True, "use_issues_button": True}
    if (found := GITHUB.match(url)) and not config.html_baseurl:
        owner, name = found.groups()
        config.html_baseurl = f"https://{owner.lower()}.github.io/{name}/"


def is_notebook(app, page: str) -> bool:
    """Whether the page has code that runs."""
    return "kernelspec" in app.env.metadata.get(page, {})


def notebook(text: str) -> nbformat.NotebookNode:
    """A page as a Jupyter notebook without outputs."""
    book = jupytext.reads(text, fmt="md:myst")
    # Names of cells are drawn at random; counted, a page gives the same file each time.
    for k, cell in enumerate(book.cells):
        cell["id"] = f"cell-{k}"
    book.metadata.pop("jupytext", None)
    nbformat.validate(book)
    return book


def offer(app, pagename, templatename, context, doctree) -> None:
    """The button for the notebook, and the line at the foot of the page."""
    if is_notebook(app, pagename):
        context["ipynb_source"] = f"{pagename}.ipynb"
    context["theme_extra_footer"] = f'<p class="provenance">{made(app, pagename)}</p>'


def made(app, page: str) -> str:
    """What made a page: commit, dataset, and how long its code ran."""
    commit, digest = app.env.glassdata_provenance
    words = [f"Commit <code>{commit}</code>"]
    url = address(app.config)
    if url and GITHUB.match(url) and re.fullmatch("[0-9a-f]+", commit):
        words = [f'Commit <a href="{url}/commit/{commit}"><code>{commit}</code></a>']
    if digest:
        words.append(f"dataset <code>{digest}</code> (sha256)")
    done = NbMetadataCollector.get_doc_data(app.env).get(page, {}).get("exec_data")
    if done and done["runtime"] is not None:
        words.append(f"code of this page ran in {done['runtime']:.0f} s")
    return " · ".join(words)


def commit_of(folder: Path) -> str:
    """The commit that a folder is at, ``-dirty`` where it was edited; "unknown" outside of git."""
    command = [
        "git",
        "-C",
        str(folder),
        "describe",
        "--always",
        "--dirty",
        "--abbrev=12",
        "--exclude=*",
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def remember(app, env) -> list[str]:
    """Write all pages again if their last line changes; they are not read again."""
    path = Path(app.srcdir) / DATASET
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else ""
    now = (commit_of(Path(app.srcdir)), digest)
    before = getattr(env, "glassdata_provenance", None)
    env.glassdata_provenance = now
    return [] if now == before else sorted(env.found_docs)


def write_notebooks(app, exception) -> None:
    """After a build: the notebooks that the buttons lead to."""
    if exception or app.builder.format != "html":
        return
    for page in sorted(app.env.found_docs):
        if is_notebook(app, page):
            text = Path(app.env.doc2path(page)).read_text(encoding="utf-8")
            place = Path(app.outdir) / "_sources" / f"{page}.ipynb"
            place.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(notebook(text), place)


def setup(app) -> dict:
    """Called by Sphinx."""
    app.connect("config-inited", announce)
    app.connect("env-updated", remember)
    app.connect("html-page-context", offer)
    app.connect("build-finished", write_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
