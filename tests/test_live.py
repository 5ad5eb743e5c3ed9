"""What the figures that run in the page are given, and what they refuse."""

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest

import glassdata as gd
from glassdata import live, models

BOOK = Path(__file__).parents[1] / "book"
SCRIPTS = BOOK / "_static" / "live"


def decoded(array):
    raw = np.frombuffer(base64.b64decode(array["data"]), dtype=array["kind"])
    return raw.reshape(array["shape"])


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_arrays_reach_the_page_bit_by_bit(kind):
    values = np.random.default_rng(0).normal(size=(3, 4)).astype(kind)
    written = live.encoded(values)
    assert written["kind"] == kind
    assert np.array_equal(decoded(written), values)


def test_numbers_that_are_none_are_refused():
    with pytest.raises(ValueError, match="must be finite"):
        live.encoded(np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="not JSON compliant"):
        live.LiveFigure("line", {"l2": float("inf")}, b"", "A line.").html()


def test_the_numbers_cannot_end_their_script():
    """Whatever is in them, the HTML parser finds the end of the element where it was meant."""
    figure = live.LiveFigure("line", {"title": "</script><p>"}, b"", "A line.")
    text = re.search(r'<script type="application/json">(.*?)</script>', figure.html())[1]
    assert json.loads(text) == {"title": "</script><p>"}


def test_words_that_would_break_the_page_are_refused():
    with pytest.raises(ValueError, match="plain words"):
        live.LiveFigure("line", {}, b"", 'A "line".')
    with pytest.raises(ValueError, match="kind must be one of"):
        live.LiveFigure("circle", {}, b"", "A circle.")


@pytest.mark.parametrize("name", ["lj3d", "amc"])
def test_only_flat_argon_can_be_played_with(name):
    with pytest.raises(ValueError, match="no sheet of Lennard-Jones atoms"):
        live.glass_data(gd.dataset(name))


def test_the_line_of_the_page_is_the_ridge_of_the_training_families():
    """By the formula that the page uses, for two penalties."""
    glass = gd.dataset("lj2d")[:150]
    data = live.live_line(glass).data
    train, test = models.grouped_folds(glass.groups)[0]
    assert not set(glass.groups[train]) & set(glass.groups[test])
    assert np.array_equal(decoded(data["X"]), glass.X[test])
    singular, right, scores = (decoded(data[name]) for name in ("singular", "right", "scores"))
    for l2 in (1e-6, 1.0):
        W = (singular / (singular**2 + data["n"] * l2) * scores.T) @ right
        line = models.ridge(l2).fit(glass.X[train], glass.shares[train])
        assert np.allclose(W, line.coef_, rtol=0, atol=1e-10)


def test_the_picture_is_for_readers_without_scripts():
    figure = live.LiveFigure("line", {}, b"\x89PNG", "A line.")
    bundle = figure._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]) == b"\x89PNG"
    inside = re.search("<noscript>(.*)</noscript>", bundle["text/html"])[1]
    assert 'alt="A line."' in inside
    assert bundle["image/png"] in inside


def test_every_script_is_there_and_none_is_idle():
    used = {name for names in live.SCRIPTS.values() for name in names}
    assert used == {path.stem for path in SCRIPTS.glob("*.js")}


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.*")), ids=lambda path: path.name)
def test_scripts_ask_for_nothing_from_elsewhere(path):
    """The name of SVG is an address that nobody visits."""
    text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    if path.stem == "zarr":  # reads the dataset, from the address that the page gives
        assert text.count("fetch(") == text.count("fetch(url,") == 1
        text = text.replace("fetch(url,", "")
    assert not re.findall(r"https?:|\bfetch\(|XMLHttpRequest|\bimport\b|@import|url\(", text)
