"""Figures draw what they are given, with labelled axes, units and legends."""

import matplotlib
import numpy as np
import pytest
import xarray as xr

matplotlib.use("Agg")

import matplotlib.pyplot as plt

import glassdata as gd
from glassdata import plots
from glassdata.bins import bin_centres
from glassdata.config import canonical_json
from glassdata.evaluation import Evaluation, cross_validate, fold_r2, structure_mse
from glassdata.experiments import tables
from glassdata.models import ridge
from glassdata.row import compute_row, science
from glassdata.schema import VARIABLES
from glassdata.scores import mse
from glassdata.store.reading import REFERENCE
from glassdata.structures import Dataset
from glassdata.system import DISORDER_CLASSES

N = 6
#: One of each way to draw a structure: rings, coordination in the plane and in space, species.
DRAWN = ("amc", "lj2d", "lj3d", "sic")


@pytest.fixture(scope="module", params=DRAWN)
def system(request):
    return gd.SYSTEMS[request.param]


@pytest.fixture(scope="module")
def data(system):
    """Six structures of the demo, as the dataset would hold them."""
    return data_of(system)


def data_of(system, indices=(0, 1, 5, 6, 7, 3)) -> Dataset:
    rows = [compute_row(system, "demo", index) for index in indices]
    names = {"g": "r", "pdos": "omega"}
    stored = {
        name: (("structure", axis), [row[name] for row in rows]) for name, axis in names.items()
    }
    for name in ("frequency", "position", "number"):
        dims = VARIABLES[name].dims
        stored[name] = (dims, np.concatenate([row[name] for row in rows]))
    stored["cell"] = (("structure", "abc", "xyz"), [row["cell"] for row in rows])
    for name in ("n_atoms", "n_modes", "parent", "disorder_class", system.class_variable):
        stored[name] = (("structure",), np.array([row[name] for row in rows]))
    centres = {
        "r": bin_centres(system.r_edges),
        "omega": bin_centres(system.omega_edges),
    }
    told = canonical_json(science(system, "demo"))
    group = xr.Dataset(stored, centres, {"dimension": system.dim, "configuration": told})
    return Dataset(system.name, "demo", group, np.arange(len(rows)))


@pytest.fixture(scope="module")
def evaluation(system, data):
    return cross_validate(ridge(l2=0.1), data.X, data.Y, np.arange(N), n_splits=3)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def has_unit(text: str) -> bool:
    return "(" in text and text.rstrip().endswith(")")


def planted(order, **variables) -> Dataset:
    """A dataset whose g(r) swings around 1 by a known amount beyond 5 Å, and wildly below it."""
    r = bin_centres(np.linspace(0, 10, 41))
    swing = np.where(np.arange(40) % 2, 1.0, -1.0)
    g = 1 + np.where(r > 5, np.asarray(order)[:, None], 7.0) * swing
    stored = {name: (("structure",), np.asarray(values)) for name, values in variables.items()}
    stored["g"] = (("structure", "r"), g)
    return Dataset("lj3d", "demo", xr.Dataset(stored, {"r": r}), np.arange(len(g)))


def test_representatives_have_the_far_order_that_was_planted():
    order = np.geomspace(0.04, 4, 41)
    shuffled = np.random.default_rng(0).permutation(order)
    first, middle, last = shuffled[plots.representatives(planted(shuffled))]
    assert (order > first).sum() == 2  # one in twenty
    assert (order < last).sum() == 4  # one in ten
    # The steps of the planted orders are 12 %, so one of them is this near to the mean.
    assert middle == pytest.approx(np.sqrt(first * last), rel=0.061)


def test_no_crystal_is_shown_as_the_most_disordered_structure():
    """A strained crystal has the widest first peak, and glasses of order zero are no obstacle."""
    order = np.r_[np.full(10, 2.0), np.full(10, 0.0)]
    wide = np.r_[9.0, np.linspace(0.1, 0.5, 19)]
    crystal, _, glass = plots.representatives(planted(order, peak_width=wide))
    assert order[crystal] == 2
    assert order[glass] == 0


@pytest.mark.skipif(not REFERENCE.exists(), reason="no reference dataset ships")
@pytest.mark.parametrize("name", ["lj2d", "lj3d", "sic"])
def test_representatives_of_the_shipped_dataset_end_in_a_glass(name):
    """So say the energy and the disorder class, which know nothing of the far half of g(r)."""
    data = gd.dataset(name, REFERENCE)
    crystal, _, glass = plots.representatives(data)
    energy = data.excess_energy
    assert data.classes[crystal] == DISORDER_CLASSES[0]
    # In the plane one kind of atoms makes grains, and hardly a glass.
    assert data.classes[glass] in DISORDER_CLASSES[-2 if name == "lj2d" else -1 :]
    assert energy[crystal] < min(energy[glass], np.median(energy))


def test_structure_has_axes_in_angstrom_and_a_legend(system, data):
    _, ax = plt.subplots()
    handles = plots.structure(ax, data.atoms(2), system)
    assert ax.get_xlabel() == "x (Å)"
    assert ax.get_ylabel() == "y (Å)"
    assert handles
    assert ax.collections


@pytest.mark.parametrize("name", sorted(gd.SYSTEMS))
def test_every_species_has_a_colour(name):
    system = gd.SYSTEMS[name]
    _, ax = plt.subplots()
    handles = plots.structure(ax, system.crystal() * (3, 3, 1 if system.dim == 2 else 2), system)
    assert len({h.get_facecolor() for h in handles}) == len(handles) > 0


def test_perfect_crystal_is_drawn_in_one_colour():
    system = gd.SYSTEMS["amc"]
    _, ax = plt.subplots()
    handles = plots.structure(ax, system.crystal() * (4, 3, 1), system)
    assert [handle.get_label() for handle in handles] == ["6-membered rings"]


def test_three_structures_share_a_legend(system, data):
    figure = plots.structures(data, system)
    titles = {ax.get_title() for ax in figure.axes[:3]}
    assert titles <= set(DISORDER_CLASSES)
    names = [text.get_text() for text in figure.axes[3].get_legend().get_texts()]
    assert len(names) == len(set(names)) > 0


def test_histogram_counts_every_structure(system, data):
    _, ax = plt.subplots()
    plots.disorder_histogram(ax, data)
    label = " ".join(ax.get_xlabel().split())
    assert label == plots.label(system.class_variable)
    counts = [int(t.get_text().split(": ")[1]) for t in ax.get_legend().get_texts()]
    assert sum(counts) == N
    assert sum(patch.get_height() > 0 for patch in ax.patches)


def test_spectra_have_units_and_the_crystal(system, data):
    figure = plots.spectra_by_disorder(data, system)
    above, below = figure.axes
    assert above.get_xlabel() == "distance r (Å)"
    assert below.get_xlabel() == "frequency (THz)"
    assert below.get_ylabel() == "PDOS (1/THz)"
    assert "crystal" in [text.get_text() for text in above.get_legend().get_texts()]


def test_prediction_shows_truth_prediction_and_baseline(system, evaluation):
    figure = plots.prediction(evaluation, system)
    assert len(figure.axes) == 3
    assert has_unit(figure.axes[-1].get_xlabel())
    names = {text.get_text() for text in figure.axes[0].get_legend().get_texts()}
    assert names == {"computed", "training mean", "predicted"}


def test_errors_of_structures_average_to_the_score(evaluation):
    error = structure_mse(evaluation)
    assert error.mean() == pytest.approx(mse(evaluation.truth, evaluation.prediction), rel=1e-12)


def test_score_table_counts_structures(data, evaluation):
    table = tables.score_table(evaluation, data.classes)
    assert table["structures"]["all"] == N == table["structures"][:-1].sum()
    assert len(fold_r2(evaluation)) == 3


def test_score_table_by_hand():
    """Two folds of two spectra each, far enough off that two decimals show every factor."""
    truth = np.array([[1.0, 3.0], [2.0, 2.0], [6.0, 2.0], [3.0, 5.0]])
    guess = np.array([[2.0, 2.0], [2.0, 2.0], [5.0, 3.0], [5.0, 3.0]])
    baseline = np.array([[4.0, 3.0], [4.0, 3.0], [1.5, 2.5], [1.5, 2.5]])
    held = Evaluation(truth, guess, baseline, np.array([0, 0, 1, 1]), ())
    table = tables.score_table(held, ["amorphous", "crystal-like", "amorphous", "crystal-like"])
    assert list(table.index) == ["crystal-like", "amorphous", "all"]
    assert list(table.columns[:2]) == ["R²", "R² in class"]  # seen without scrolling
    # Errors over the sums 4, 4, 8, 8, squared and averaged over two bins, in millionths.
    square = np.array([1 / 16, 0, 1 / 64, 4 / 64]) * 1e6
    mean = np.array([9 / 2 / 16, 5 / 2 / 16, 20.5 / 2 / 64, 8.5 / 2 / 64]) * 1e6
    for name, rows in (("crystal-like", [1, 3]), ("amorphous", [0, 2]), ("all", range(4))):
        cells = table.loc[name]
        assert cells["structures"] == len(rows)
        assert cells["MSE / 10⁻⁶"] == f"{square[rows].mean():.2f}"
        assert cells["baseline / 10⁻⁶"] == f"{mean[rows].mean():.2f}"
    # Squared errors 2, 0, 2, 8 against 9, 5, 20.5, 8.5 of the training mean.
    assert table["R²"]["amorphous"] == f"{1 - 4 / 29.5:.2f}"
    assert table["R²"]["crystal-like"] == f"{1 - 8 / 13.5:.2f}"
    folds = [1 - 2 / 14, 1 - 10 / 29]
    assert table["R²"]["all"] == f"{1 - 12 / 43:.2f} ± {abs(np.subtract(*folds)) / np.sqrt(2):.2f}"
    # Against the one other structure of the class, in the other fold: 26 and 26, 10 and 10.
    assert table["R² in class"]["amorphous"] == f"{1 - 4 / 52:.2f}"
    assert table["R² in class"]["crystal-like"] == f"{1 - 8 / 20:.2f}"
    alone = tables.score_table(held, ["amorphous", "crystal-like", "amorphous", "partial"])
    assert alone["R² in class"]["partial"] == alone["R² in class"]["all"] == ""


def test_labels_carry_units():
    assert has_unit(plots.label("excess_energy"))
    assert plots.label("excess_energy").endswith("(eV)")
    assert plots.label("peak_width").endswith("(Å)")
    assert not plots.label("non_hexagonal").endswith("()")


def test_style_is_accepted_and_changes_nothing_by_itself():
    before = dict(plt.rcParams)
    settings = plots.style()
    assert dict(plt.rcParams) == before
    with plt.rc_context(settings):
        assert plt.rcParams["font.size"] >= 11


def test_drawing_shows_and_writes_nothing(data, system, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("a figure was shown"))
    plots.structures(data, system)
    assert not list(tmp_path.iterdir())
