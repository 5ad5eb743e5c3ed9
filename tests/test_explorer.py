"""The explorer of the dataset in a real browser, beside the same numbers from Python."""

import shutil
import subprocess
import sys
from pathlib import Path

import browser
import numpy as np
import pytest
import serving

import glassdata as gd
from glassdata import live_atoms, models
from glassdata.radial import coordination
from glassdata.store import pack
from glassdata.store.reading import REFERENCE

SCRIPTS = Path(__file__).parents[1] / "book/_static/live"
L2 = 1e-2
STATE = 'document.querySelector(".live").live'

pytestmark = [
    pytest.mark.skipif(
        browser.executable() is None, reason="no Chromium: apt-get install chromium"
    ),
    pytest.mark.skipif(not REFERENCE.is_file(), reason="no dataset ships with this checkout"),
]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    started = browser.Browser(tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


def site(root, dataset, first, monkeypatch):
    """A page with nothing but the explorer, and the dataset where the book has it."""
    shutil.copytree(SCRIPTS, root / "_static/live")
    for folder in ("book", "data"):
        (root / folder).mkdir()
    (root / "data/reference.zarr.zip").symlink_to(dataset)
    # No search: any penalty will do here, and four structures are too few for one.
    monkeypatch.setattr(live_atoms, "penalty", lambda glass: L2)
    figure = live_atoms.explorer({first: gd.dataset(first, dataset)}, first=first)
    head = (
        '<head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Explorer</title></head>'
    )
    page = f'<!doctype html><html lang="en">{head}<body>{figure.html()}</body></html>'
    (root / "book/page.html").write_text(page, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def monkey():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def shipped(tmp_path_factory, monkey):
    return site(tmp_path_factory.mktemp("shipped"), REFERENCE, "lj2d", monkey)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory, monkey):
    """A dataset as today's version writes it."""
    folder = tmp_path_factory.mktemp("fresh")
    options = ["--profile", "demo", "--system", "lj2d", "--limit", "4", "--workers", "1"]
    program = [sys.executable, "-m", "glassdata", "build", folder / "my.store", *options]
    subprocess.run(program, check=True, capture_output=True, cwd=folder)
    pack(folder / "my.store", folder / "my.zarr.zip")
    return site(folder / "site", folder / "my.zarr.zip", "lj2d", monkey)


@pytest.fixture
def look(chromium):
    """Opens the page of a site over HTTP, and waits until it shows a structure or says why not."""
    left = []

    def open_one(root, **how):
        server = serving.Server(root, **how)
        left.append(server)
        page = chromium.open(f"{server.address}book/page.html", home=("data:", server.address))
        left.append(page)
        page.evaluate(f"{STATE}.then(s => s.ready)")
        return page

    yield open_one
    for each in reversed(left):
        each.close()


def shown(page):
    return page.evaluate(
        f"""(async function () {{
          const state = await {STATE}, s = state.shown, as = Array.from;
          const atoms = s.structure, bytes = state.file.fetched.bytes;
          return {{ glass: s.glass, index: s.index, bytes, X: as(s.X), shares: as(s.shares),
            guess: as(s.guess), x: as(atoms.positions), numbers: as(atoms.numbers),
            cell: as(atoms.cell), counts: as(atoms.counts) }}; }})()"""
    )


def compare(found, dataset, l2):
    """Everything that the page shows of a structure with what Python says of it."""
    glass = gd.dataset(found["glass"], dataset)
    (k,) = np.flatnonzero(glass.index == found["index"])
    atoms = glass.atoms(int(k))
    assert np.array_equal(np.reshape(found["x"], (-1, 3)), atoms.positions)
    assert found["numbers"] == atoms.numbers.tolist()
    assert np.array_equal(np.reshape(found["cell"], (3, 3)), atoms.cell.array)
    assert np.array_equal(found["X"], glass.X[k])
    assert np.allclose(found["shares"], glass.shares[k], rtol=1e-14)
    bond = gd.SYSTEMS[found["glass"]].bond_length
    assert found["counts"] == coordination(atoms, bond).tolist()
    train = glass.groups != glass.groups[k]
    line = models.ridge(l2).fit(glass.X[train], glass.shares[train])
    # Normal equations lose the square of the condition, 1e-16 × (10²/1e-2) at worst.
    assert np.allclose(found["guess"], line.predict(glass.X[[k]])[0], rtol=0, atol=1e-9)


def test_structures_are_those_of_python_and_few_bytes_are_read(look, shipped):
    page = look(shipped)
    first = shown(page)
    compare(first, REFERENCE, L2)
    page.evaluate('document.querySelector(".live input").focus()')
    page.press("End")
    page.wait(f"{STATE}.then(s => s.shown.index !== {first['index']})")
    last = shown(page)
    compare(last, REFERENCE, L2)
    assert last["bytes"] < 0.06 * REFERENCE.stat().st_size
    assert page.complaints() == []


def test_a_dataset_of_today_is_read_by_its_metadata(look, fresh):
    """Its positions are whole multiples of a step, one direction after the other."""
    compare(shown(look(fresh)), fresh / "data/reference.zarr.zip", L2)


def test_similar_structures_are_nearest_in_g(look, shipped):
    page = look(shipped)
    here = shown(page)
    glass = gd.dataset("lj2d")
    (k,) = np.flatnonzero(glass.index == here["index"])
    far = ((glass.X - glass.X[k]) ** 2).sum(axis=1)
    far[glass.groups == glass.groups[k]] = np.inf
    offered = page.evaluate(
        '[...document.querySelectorAll(".live-alike button")].map(b => b.textContent)'
    )
    assert offered == [f"structure {glass.index[j]}" for j in np.argsort(far, kind="stable")[:3]]
    page.evaluate('document.querySelector(".live-alike button").focus()')
    page.press("Enter")
    page.wait(f"{STATE}.then(s => s.shown.index === {glass.index[np.argmin(far)]})")


def test_every_control_is_reached_by_tab(look, shipped):
    page = look(shipped)
    controls = ".live :is(button, input, select, canvas)"
    wanted = page.evaluate(f"document.querySelectorAll('{controls}').length")
    reached = set()
    for _ in range(wanted):
        page.press("Tab")
        reached.add(
            page.evaluate(
                f"[...document.querySelectorAll('{controls}')].indexOf(document.activeElement)"
            )
        )
    assert reached == set(range(wanted))


def told(page):
    return page.evaluate(
        """({ words: document.querySelector(".live-readout").textContent,
          pictures: [...document.images].filter(i => i.naturalWidth > 300).length })"""
    )


def test_a_page_that_is_opened_as_a_file_says_what_it_needs(chromium, shipped):
    page = chromium.open((shipped / "book/page.html").as_uri())
    page.wait("document.images.length === 1 && document.images[0].complete")
    found = told(page)
    assert "opened as a file" in found["words"]
    assert found["pictures"] == 1
    assert page.complaints() == []
    page.close()


def test_a_server_that_sends_whole_files_is_not_made_to_send_31_MB(look, shipped):
    page = look(shipped, ranges=False)
    page.wait("document.images.length === 1 && document.images[0].complete")
    found = told(page)
    assert "whole files only" in found["words"]
    assert found["pictures"] == 1


def test_a_damaged_dataset_is_noticed(look, fresh, tmp_path):
    root = tmp_path / "site"
    shutil.copytree(fresh, root)
    path = root / "data/reference.zarr.zip"
    data = bytearray(path.read_bytes())
    data[data.index(b"lj2d/g/c/0/0") + 60] ^= 1  # within the first chunk
    path.write_bytes(data)
    assert "checksum of the dataset" in told(look(root))["words"]
