"""The figures that run in the page, in a real browser, beside the same numbers from Python."""

import json
import shutil
from pathlib import Path

import browser
import numpy as np
import pytest
from ase import Atoms

import glassdata as gd
from glassdata import live, live_atoms, models
from glassdata.radial import coordination
from glassdata.units import THZ
from glassdata.vibrations import (
    dynamical_matrix,
    energy_forces,
    signed_root,
    stress,
    without_translations,
)

ROOT = Path(__file__).parents[1]
SYSTEM = gd.SYSTEMS["lj2d"]
KINDS = ("glass", "line", "frames", "modes")
L2 = 1e-3

pytestmark = pytest.mark.skipif(
    browser.executable() is None, reason="no Chromium: apt-get install chromium"
)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    started = browser.Browser(tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


@pytest.fixture(scope="module")
def figures():
    return {
        "glass": live.live_glass(gd.dataset("lj2d"), l2=L2),
        "line": live.live_line(gd.dataset("lj2d")[:150]),
        "frames": live_atoms.disorder_slider(gd.dataset("sic"), n=3),
        "modes": live_atoms.moving_modes(flat_glass(), SYSTEM),
    }


def flat_glass():
    return gd.make_structure("lj2d", 7, profile="demo")


@pytest.fixture(scope="module")
def site(tmp_path_factory, figures):
    """Pages that hold nothing but a figure, where the book has them: one folder below the root."""
    root = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "book/_static/live", root / "_static/live")
    (root / "book").mkdir()
    for kind, figure in figures.items():
        head = (
            '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            '<link rel="icon" href="data:,"><title>Page</title></head>'
        )
        page = f'<!doctype html><html lang="en">{head}<body>{figure.html()}</body></html>'
        (root / "book" / f"{kind}.html").write_text(page, encoding="utf-8")
    return root / "book"


@pytest.fixture
def open_page(chromium, site):
    opened = []

    def open_one(kind, **how):
        opened.append(chromium.open((site / f"{kind}.html").as_uri(), **how))
        return opened[-1]

    yield open_one
    for page in opened:
        page.close()


STATE = 'document.querySelector(".live").live'


def press_button(page, text):
    page.evaluate(
        f'[...document.querySelectorAll("button")].find(b => b.textContent === "{text}").focus()'
    )
    page.press("Enter")


def sheet_of(page):
    """The atoms in the page as a structure, in the plane where the package has them."""
    found = page.evaluate(f"({{x: Array.from({STATE}.sheet.positions), box: {STATE}.sheet.box}})")
    flat = np.array(found["x"]).reshape(-1, 2)
    return Atoms(
        f"Ar{len(flat)}",
        np.column_stack([flat, np.full(len(flat), 10.0)]),
        cell=[*found["box"], 20.0],
        pbc=(True, True, False),
    )


# --- physics ------------------------------------------------------------------------------------


def crystal():
    return SYSTEM.crystal() * (7, 4, 1)


def shaken():
    atoms = crystal()
    atoms.positions[:, :2] += 0.2 * np.random.default_rng(3).normal(size=(len(atoms), 2))
    return atoms


def relaxed():
    return gd.relax(shaken()[4:], SYSTEM.potential, max_force=1e-6, cell="isotropic")


@pytest.mark.parametrize("make", [crystal, shaken, relaxed])
def test_spectrum_and_structure_are_those_of_python(open_page, make):
    """The crystal has degenerate modes and none at rest is imaginary; the shaken sheet has both."""
    atoms = make()
    page = open_page("glass")
    numbers = json.dumps(
        {
            "x": atoms.positions[:, :2].ravel().tolist(),
            "box": atoms.cell.lengths()[:2].tolist(),
            "model": live.glass_data(gd.dataset("lj2d"))["model"],
            "r": SYSTEM.r_edges.tolist(),
            "omega": SYSTEM.omega_edges.tolist(),
        }
    )
    found = page.evaluate(
        f"""(function (n) {{
          const x = Float64Array.from(n.x), f = glassdata.frequencies(n.model, x, n.box);
          const {{energy, gradient, virial}} = glassdata.energy(n.model, x, n.box);
          const as = Array.from;
          return {{ f: as(f), energy, gradient: as(gradient), virial,
            g: as(glassdata.rdf(x, n.box, n.r)), shares: as(glassdata.shares(f, n.omega)) }};
        }})({numbers})"""
    )
    modes = without_translations(gd.frequencies(atoms, SYSTEM.potential), 2)
    assert (modes.min() < -0.01) == (make is shaken)
    for power in (1, 2, 4, 6):
        ours = np.mean(np.abs(found["f"]) ** power * np.sign(found["f"]))
        assert ours == pytest.approx(np.mean(np.abs(modes) ** power * np.sign(modes)), rel=1e-10)
    # Eigenvalues of either code are good to 1e-15 of the largest; the squares of all others too.
    assert np.allclose(np.square(found["f"]), modes**2, rtol=0, atol=1e-12)
    energy, forces = energy_forces(atoms, SYSTEM.potential)
    assert found["energy"] == pytest.approx(energy, rel=1e-12)
    assert np.allclose(np.reshape(found["gradient"], (-1, 2)), -forces[:, :2], rtol=0, atol=1e-13)
    area = float(np.prod(atoms.cell.lengths()[:2]))
    pressure = np.trace(stress(atoms, SYSTEM.potential)) * area
    assert found["virial"] == pytest.approx(pressure, rel=1e-9, abs=1e-9)
    # A distance may lie within rounding of an edge only in a crystal, and none of its shells does.
    assert np.allclose(found["g"], gd.rdf(atoms, SYSTEM.r_edges, dim=2), rtol=1e-12)
    expected, _ = np.histogram(modes, SYSTEM.omega_edges)
    assert np.allclose(found["shares"], expected / expected.sum(), atol=1e-15)


def test_what_the_reader_relaxes_is_at_rest_for_python(open_page, figures):
    """By keyboard alone: displace, take out atoms, relax. No force, pressure or imaginary mode."""
    page = open_page("glass")
    for button in ("Displace", "Remove 10 atoms"):
        press_button(page, button)
    assert "not at rest" in page.evaluate('document.querySelector(".live-readout").textContent')
    press_button(page, "Relax")
    page.wait(f'{STATE}.doing === "rest"')
    atoms = sheet_of(page)
    n = 2 * np.prod(live.CELLS) - 10
    assert len(atoms) == n
    _, forces = energy_forces(atoms, SYSTEM.potential)
    assert np.abs(forces).max() < 2e-6  # the page stops at 1e-6
    found = np.array(page.evaluate(f"Array.from({STATE}.frequencies)"))
    modes = without_translations(gd.frequencies(atoms, SYSTEM.potential), 2)
    assert len(modes) == 2 * n - 2
    assert modes.min() > 0
    assert np.allclose(found**2, modes**2, rtol=0, atol=1e-12)
    unit = np.sqrt(n) * SYSTEM.potential.sigma
    area = np.prod(atoms.cell.lengths()[:2])
    assert abs(np.trace(stress(atoms, SYSTEM.potential)) * area) < 2e-6 * unit
    # The line is the one that Python fits, asked about the same g(r).
    glass = gd.dataset("lj2d")
    line = models.ridge(L2).fit(glass.X, glass.shares)
    guess = line.predict(gd.rdf(atoms, SYSTEM.r_edges, dim=2)[None])[0]
    assert np.allclose(page.evaluate(f"Array.from({STATE}.guess)"), guess, rtol=0, atol=1e-12)
    assert page.complaints() == []


def test_the_crystal_comes_back_from_a_small_push(open_page):
    """As the chapter says of 0.6 Å: the energy per atom is the crystal's, and so is its density."""
    page = open_page("glass")
    before = sheet_of(page)
    press_button(page, "Displace")
    assert np.abs(sheet_of(page).positions - before.positions).max() > 1
    press_button(page, "Relax")
    page.wait(f'{STATE}.doing === "rest"')
    energies = [energy_forces(atoms, SYSTEM.potential)[0] for atoms in (before, sheet_of(page))]
    # Forces of 1e-6 eV/Å cost about their square over a stiffness of 0.1 eV/Å²: 1e-11 eV an atom.
    assert energies[1] == pytest.approx(energies[0], abs=1e-8)
    assert np.allclose(sheet_of(page).cell, before.cell, atol=1e-3)


def test_heat_is_of_the_temperature_asked_for(open_page):
    """Thirty atoms, ten thousand steps: the mean kinetic energy is known to 2 %."""
    page = open_page("glass")
    model = json.dumps(live.glass_data(gd.dataset("lj2d"))["model"])
    ratio = page.evaluate(
        f"""(function (model) {{
          const sheet = glassdata.crystal([3.8, 6.58], [5, 3]), random = glassdata.random(5);
          glassdata.heat(model, sheet, 20, 1000, random);
          let sum = 0;
          for (let k = 0; k < 1000; k++) {{
            glassdata.heat(model, sheet, 20, 10, random);
            sum += sheet.velocities.reduce((s, v) => s + v * v, 0) / sheet.velocities.length;
          }}
          return (sum / 1000) * model.mass / (model.boltzmann * 20);
        }})({model})"""
    )
    assert abs(ratio - 1) < 0.08  # four standard deviations


def test_heating_runs_and_stops(open_page):
    page = open_page("glass")
    before = sheet_of(page).positions
    press_button(page, "Heat")
    page.wait(f"{STATE}.frequencies && {STATE}.frequencies[0] < 0")
    press_button(page, "Stop")
    assert page.evaluate(f"{STATE}.doing") == "rest"
    moved = np.abs(sheet_of(page).positions - before).max()
    assert moved > 0.1
    press_button(page, "Crystal")
    assert np.allclose(sheet_of(page).positions, before)
    assert page.complaints() == []


def test_atoms_move_with_the_keyboard_and_the_mouse(open_page):
    page = open_page("glass")
    start = sheet_of(page).positions
    page.evaluate('document.querySelector(".live-sheet").focus()')
    for key in ("n", "n", "p", "ArrowRight", "ArrowRight", "ArrowDown"):
        page.press(key)
    moved = sheet_of(page).positions - start
    assert np.allclose(moved[1], [0.2, 0.1, 0])
    assert np.count_nonzero(np.abs(moved).sum(axis=1) > 1e-9) == 1
    centre = page.evaluate(
        """(function (c) { const b = c.getBoundingClientRect();
        return [b.x + b.width / 2, b.y + b.height / 2, b.width / 3]; })
        (document.querySelectorAll(".live-sheet circle")[80])"""
    )
    x, y, per_angstrom = centre
    page.mouse("mousePressed", x, y)
    page.mouse("mouseMoved", x + per_angstrom, y)
    page.mouse("mouseReleased", x + per_angstrom, y)
    # The pointer takes the atom by its centre, to a pixel.
    assert np.allclose((sheet_of(page).positions - start)[80], [1, 0, 0], atol=1.5 / per_angstrom)


# --- the line -----------------------------------------------------------------------------------


def python_line(l2):
    glass = gd.dataset("lj2d")[:150]
    train, test = models.grouped_folds(glass.groups)[0]
    return glass, train, test, models.ridge(l2).fit(glass.X[train], glass.shares[train])


def test_the_line_is_that_of_python_whatever_the_penalty(open_page):
    """Collinear bins cost digits: with l2 = 1e-8 shares of order 0.1 still agree to 1e-8."""
    page = open_page("line")
    glass, train, test, _ = python_line(L2)
    slider = 'document.querySelectorAll(".live input")[0]'
    for key in ("Home", "ArrowRight", "End", "ArrowLeft"):
        page.evaluate(f"{slider}.focus()")
        page.press(key)
        l2 = 10 ** page.evaluate(f"Number({slider}.value)")
        line = models.ridge(l2).fit(glass.X[train], glass.shares[train])
        found = page.evaluate(
            f"({{l2: {STATE}.l2, W: Array.from({STATE}.W.values), b: Array.from({STATE}.b),"
            f" D: Array.from({STATE}.D), r2: {STATE}.r2}})"
        )
        assert found["l2"] == pytest.approx(l2)
        assert np.allclose(found["D"], line.predict(glass.X[test[:1]])[0], rtol=0, atol=1e-8)
        assert np.allclose(found["W"], line.coef_.ravel(), rtol=0, atol=1e-8)
        assert np.allclose(found["b"], line.intercept_, rtol=0, atol=1e-8)
        for rows, name in ((train, "fitted"), (test, "held")):
            error = ((line.predict(glass.X[rows]) - glass.shares[rows]) ** 2).sum()
            baseline = ((glass.shares[rows] - glass.shares[train].mean(axis=0)) ** 2).sum()
            # Held-out spectra are stored in single precision.
            assert found["r2"][name] == pytest.approx(1 - error / baseline, abs=1e-6)
    assert page.complaints() == []


def test_every_held_out_structure_can_be_chosen(open_page):
    page = open_page("line")
    glass, _, test, line = python_line(page.evaluate(f"{STATE}.l2"))
    page.evaluate('document.querySelectorAll(".live input")[1].focus()')
    for key, k in (("End", test[-1]), ("ArrowLeft", test[-2]), ("Home", test[0])):
        page.press(key)
        found = np.array(page.evaluate(f"Array.from({STATE}.D)"))
        assert np.allclose(found, line.predict(glass.X[[k]])[0], rtol=0, atol=1e-8)


def test_bending_g_adds_a_column_of_the_weights(open_page):
    page = open_page("line")
    _, _, _, line = python_line(page.evaluate(f"{STATE}.l2"))
    before = np.array(page.evaluate(f"Array.from({STATE}.D)"))
    chosen = page.evaluate(f"{STATE}.bin")
    page.evaluate('document.querySelector(".live-bendable").focus()')
    page.press("ArrowRight")
    page.press("ArrowUp", shift=True)
    after = np.array(page.evaluate(f"Array.from({STATE}.D)"))
    assert np.allclose(after - before, 0.5 * line.coef_[:, chosen + 1], rtol=0, atol=1e-8)
    assert "belongs to no structure" in page.evaluate(
        'document.querySelector(".live-readout").textContent'
    )
    press_button(page, "Undo bending")
    assert np.allclose(page.evaluate(f"Array.from({STATE}.D)"), before, rtol=0, atol=1e-15)


# --- from order to disorder ---------------------------------------------------------------------


def test_frames_are_structures_of_the_dataset_and_turn_by_keyboard(open_page):
    page, sic = open_page("frames"), gd.dataset("sic")
    for key in ("Home", "ArrowRight", "End"):
        page.evaluate('document.querySelector(".live input").focus()')
        page.press(key)
        k = int(np.flatnonzero(sic.index == page.evaluate(f"{STATE}.shown.index"))[0])
        atoms = sic.atoms(k)
        found = page.evaluate(
            f"({{x: Array.from({STATE}.shown.structure.positions),"
            f" n: Array.from({STATE}.shown.structure.counts)}})"
        )
        # Kept in single precision: 1e-6 Å of 10.
        assert np.allclose(np.reshape(found["x"], (-1, 3)), atoms.positions, atol=2e-6)
        assert found["n"] == coordination(atoms, gd.SYSTEMS["sic"].bond_length).tolist()
    page.evaluate('document.querySelector(".live-atoms").focus()')
    before = page.evaluate(AXES)
    page.press("ArrowLeft")
    page.press("ArrowUp")
    turned = np.reshape(page.evaluate(AXES), (3, 3))
    assert np.allclose(turned @ turned.T, np.eye(3))  # a rotation, and no reflection
    assert np.linalg.det(turned) == pytest.approx(1)
    assert not np.allclose(turned.ravel(), before, atol=0.1)
    page.press("Home")
    assert page.evaluate(AXES) == pytest.approx(before)
    assert page.complaints() == []


AXES = f"{STATE}.atoms.state.turned"


# --- modes --------------------------------------------------------------------------------------


def test_atoms_swing_along_eigenvectors_and_stand_still_when_told(open_page, figures):
    page, atoms = open_page("modes"), flat_glass()
    matrix = dynamical_matrix(atoms, SYSTEM.potential).toarray()
    heavy = np.repeat(np.sqrt(atoms.get_masses()), 2)
    for k, mode in enumerate(figures["modes"].data["modes"]):
        moved = np.array(page.evaluate(f"Array.from({STATE}.vectors[{k}])"))
        e = moved * heavy / np.linalg.norm(moved * heavy)
        square = e @ matrix @ e
        assert np.linalg.norm(matrix @ e - square * e) < 1e-5 * np.linalg.norm(matrix, 2)
        assert signed_root(square) * THZ == pytest.approx(mode["frequency"], rel=1e-4)
        assert 1 / (len(atoms) * np.sum((e**2).reshape(-1, 2).sum(axis=1) ** 2)) == pytest.approx(
            mode["ratio"], rel=1e-4
        )
    picture = 'document.querySelector(".live canvas").toDataURL()'
    later = f"new Promise((ok) => setTimeout(() => ok({picture}), 200))"
    assert len({page.evaluate(later) for _ in range(3)}) > 1
    press_button(page, "Stand still")
    assert page.evaluate(picture) == page.evaluate(later)
    assert page.complaints() == []


# --- for every reader ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_control_is_reached_by_tab_and_has_a_name(open_page, kind):
    page = open_page(kind)
    wanted = page.evaluate(
        'document.querySelectorAll(".live :is(button, input, select, [tabindex])").length'
    )
    reached = set()
    for _ in range(wanted):
        page.press("Tab")
        reached.add(
            page.evaluate(
                """(function (e) { return e.getAttribute("aria-label") ||
                (e.labels && e.labels[0] ? e.labels[0].textContent : e.textContent); })
                (document.activeElement)"""
            ).strip()
        )
    assert len(reached) == wanted > 0
    assert "" not in reached


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_wider_than_a_telephone(open_page, kind):
    page = open_page(kind, width=380)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 380


@pytest.mark.parametrize("kind", KINDS)
def test_without_scripts_there_is_a_picture(open_page, kind, figures):
    page = open_page(kind, scripts=False)
    found = page.evaluate(
        """(function (i) { return {alt: i.alt, width: i.naturalWidth}; })(document.images[0])"""
    )
    assert found["alt"] == figures[kind].alt
    assert found["width"] > 300


@pytest.mark.parametrize("kind", KINDS)
def test_with_scripts_nothing_is_asked_for_but_the_scripts(open_page, kind):
    page = open_page(kind)
    asked = {e["request"]["url"].split("/")[-1] for e in page.seen("Network.requestWillBeSent")}
    expected = {f"{kind}.html", "live.css", *(f"{name}.js" for name in live.SCRIPTS[kind])}
    assert {name for name in asked if "." in name} == expected
    assert page.evaluate("document.images.length") == 0
    assert page.complaints() == []


def luminance(colour):
    channels = np.array(colour) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize(("theme", "paper"), [("light", (255, 255, 255)), ("dark", (18, 18, 18))])
def test_colours_stand_out_from_the_page(open_page, theme, paper):
    """WCAG 1.4.11 asks for a contrast of 3 for what graphics mean. The theme's own papers."""
    page = open_page("glass")
    page.evaluate(f'document.documentElement.setAttribute("data-theme", "{theme}")')
    for name in ("truth", "guess", "mean"):
        words = page.evaluate(f'getComputedStyle(document.querySelector(".live-{name}")).stroke')
        colour = [float(x) for x in words.removeprefix("rgb(").rstrip(")").split(",")]
        dark, light = sorted((luminance(colour), luminance(paper)))
        assert (light + 0.05) / (dark + 0.05) >= 3, name
