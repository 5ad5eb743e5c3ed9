"""The dataset that ships: whole, as large as promised, made by this very code, and true."""

import random

import numpy as np
import pytest
from shipped import skip_older_rows, skip_other_spectra

import glassdata as gd
from glassdata.describe import describe
from glassdata.row import science
from glassdata.store import recorded_science, verify
from glassdata.store.reading import REFERENCE
from glassdata.store.science import made_otherwise

pytestmark = pytest.mark.skipif(not REFERENCE.exists(), reason="no reference dataset ships yet")

#: Finished structures that the book promises, by glass.
PROMISED = {
    "amc": 300, "amc_lb": 290, "lj2d": 310, "lj3d": 310, "sic": 92, "sic_tersoff": 92,
    "sic_mlip": 145, "cualzr": 92, "cualzr_sheng": 92, "hea": 92, "ka2d": 186, "ka3d": 72,
    "si": 72,
}  # fmt: skip


@pytest.fixture(scope="module")
def data():
    with gd.open_dataset(REFERENCE) as tree:
        yield tree


def test_every_hash_is_right_and_the_file_is_small():
    assert verify(REFERENCE) == []
    assert REFERENCE.stat().st_size <= 60e6


def test_no_glass_is_missing(data):
    assert set(data.children) == set(PROMISED)


@pytest.mark.parametrize("name", PROMISED)
def test_as_many_structures_as_promised(data, name):
    group = data[name].to_dataset()
    good = group["status"].values == "ok"
    assert good.sum() >= PROMISED[name]
    assert group["replicate"].values[good].sum() >= 6
    # Rounded positions move the bonds at a cut-off, which are absurdly stiff, out of their minima.
    assert np.median(group["max_force"].values[good]) < 1e-4
    assert group["max_force"].values[good].max() < 0.02
    np.testing.assert_array_equal(group["structure"], np.arange(len(good)))


@pytest.mark.parametrize("name", PROMISED)
def test_few_modes_lie_beyond_the_range_of_a_spectrum(data, name):
    group = data[name].to_dataset()
    share = group["overflow"].values[group["status"].values == "ok"]
    assert np.mean(share) <= 0.02, f"{np.mean(share):.2%}"


@pytest.mark.parametrize("name", PROMISED)
def test_rows_were_made_by_this_configuration(name):
    skip_older_rows(name)
    assert made_otherwise(recorded_science(REFERENCE)[name], science(name, "reference")) == []


@pytest.mark.parametrize("name", PROMISED)
def test_a_random_structure_has_the_spectrum_that_is_stored(data, name):
    """On any processor: the melt before it may go another way, the spectrum of it may not."""
    skip_other_spectra(name)
    finished, system = gd.dataset(name, data), gd.SYSTEMS[name]
    k = random.randrange(len(finished))
    print(f"{name} {finished.index[k]}")  # noqa: T201
    row = describe(finished.atoms(k), system)
    for key in ("g", "energy", "density", "coordination", "peak_width", "overflow"):
        np.testing.assert_allclose(finished[key][k], row[key], rtol=1e-3, atol=1e-3)
    stored = finished.frequencies(k)
    assert np.abs(stored - row["frequency"]).max() < 1e-3 * system.omega_max
    # A mode beside an edge may change its bin.
    width = np.diff(system.omega_edges)
    assert np.abs(finished.Y[k] - row["pdos"]) @ width < 0.01
