"""The finished structures of a glass: what is stored, in the right order, whatever is selected."""

import pickle

import fake_glass as fake
import numpy as np
import pytest
import xarray as xr

import glassdata as gd
from glassdata.row import RowError, compute_row, row_id
from glassdata.store import DamageError, StoreError, prepare, science_config, seal
from glassdata.store.rows import dimension_sizes
from glassdata.store.settings import missing_rows
from glassdata.system import DISORDER_CLASSES
from glassdata.worker import Task, publish

FAILED = 1
N = 4
GLASSES = ("amc", "lj2d", "lj3d", "sic")


def failing_row(system, profile, index, timings=None):
    if index == FAILED:
        raise RowError("the relaxation diverged")
    return compute_row(system, profile, index, timings)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Real structures of four glasses, of which the second of each failed."""
    store, systems = tmp_path_factory.mktemp("real") / "store", gd.SYSTEMS
    config = science_config({name: systems[name] for name in GLASSES}, "demo")
    goal = prepare(store, config, dict.fromkeys(GLASSES, N))
    sizes = {name: dimension_sizes(systems[name]) for name in GLASSES}
    task = Task(store, "demo", sizes, failing_row, row_id)
    for name, index in missing_rows(store, goal):
        publish(task, name, index)
    seal(store, systems, goal, identify=row_id)
    return store


@pytest.fixture(scope="module")
def tree(store):
    with gd.open_dataset(store) as tree:
        yield tree


def knobs(system, profile, index, timings=None):
    """Rows whose variables name the row they stand in."""
    classes = ("crystal-like", "defective", "partial", "amorphous")
    return fake.plain_row(system, profile, index) | {
        "parent": index // 3,
        "replicate": index % 5 == 4,
        "density": 0.01 * index,
        "disorder_class": classes[index % 4],
    }


@pytest.fixture(scope="module")
def twelve(tmp_path_factory):
    return gd.dataset(
        "ar", fake.sealed_store(tmp_path_factory.mktemp("s") / "s", count=12, compute=knobs)
    )


@pytest.mark.parametrize("name", GLASSES)
def test_atoms_are_the_structures_that_were_made(name, tree):
    data = gd.dataset(name, tree)
    assert data.index.tolist() == [0, 2, 3]  # the failed row is absent
    for k, index in enumerate(data.index):
        stored, made = data.atoms(k), gd.make_structure(name, int(index), data.profile)
        np.testing.assert_array_equal(stored.positions, made.positions)
        np.testing.assert_array_equal(stored.numbers, made.numbers)
        np.testing.assert_array_equal(stored.cell, made.cell)
        np.testing.assert_array_equal(stored.pbc, made.pbc)
        assert set(stored.symbols) <= set(data.species) == set(gd.SYSTEMS[name].species)


@pytest.mark.parametrize("name", GLASSES)
def test_rows_of_x_and_y_belong_to_the_atoms(name, tree):
    data, system = gd.dataset(name, tree)[::-1], gd.SYSTEMS[name]
    np.testing.assert_allclose(data.r_edges, system.r_edges)
    np.testing.assert_allclose(data.omega_edges, system.omega_edges)
    for k in range(len(data)):
        # The store keeps g, PDOS and frequencies with 24 bits.
        g = gd.rdf(data.atoms(k), data.r_edges, dim=data.dim)
        np.testing.assert_allclose(data.X[k], g, rtol=1e-6, atol=1e-7)
        modes = data.frequencies(k)
        assert np.all(np.diff(modes) >= 0)
        assert len(modes) == system.potential.dim * (len(data.atoms(k)) - 1)
        assert modes.max() > 0.1 * system.omega_max  # THz, not the unit of the solver
        # A mode that rounding moves over an edge changes two bins by 1 / (n width).
        width = np.diff(data.omega_edges)
        assert np.abs(gd.pdos(modes, data.omega_edges) - data.Y[k]) @ width < 4.1 / len(modes)
        assert data.n_atoms[k] == len(data.atoms(k))


def test_arrays_have_the_units_and_types_that_are_promised(tree):
    data = gd.dataset("sic", tree)
    assert (data.system, data.profile, data.dim, data.species) == ("sic", "demo", 3, ("C", "Si"))
    assert (data.title, data.n_failed) == (gd.SYSTEMS["sic"].title, 1)
    assert data.X.dtype == data.Y.dtype == data.shares.dtype == float
    # Float32 spectra add up to 1 within a hundred of its steps.
    np.testing.assert_allclose(data.Y @ np.diff(data.omega_edges), 1, atol=1e-5)
    np.testing.assert_allclose(data.shares.sum(axis=1), 1, atol=1e-14)
    np.testing.assert_allclose(data.shares, data.Y * np.diff(data.omega_edges), rtol=1e-5)
    np.testing.assert_allclose(np.diff(data.r_edges).cumsum(), data.r + np.diff(data.r_edges) / 2)
    np.testing.assert_allclose(data.omega, (data.omega_edges[1:] + data.omega_edges[:-1]) / 2)
    assert data.pairs == ("C-C", "C-Si", "Si-Si")
    assert data["partial_g"].shape == (len(data), 3, len(data.r))
    assert gd.dataset("lj2d", tree).pairs == ()
    assert gd.dataset("lj2d", tree).dim == 2


def test_a_selection_is_a_dataset_whose_indexes_survive(twelve):
    even = twelve[::2]
    assert isinstance(even, gd.Dataset)
    assert even.index.tolist() == [0, 2, 4, 6, 8, 10]
    assert even[even.density > 0.045].index.tolist() == [6, 8, 10]
    assert even[[3, 0]].index.tolist() == [6, 0]
    assert even[-1].index.tolist() == [10]
    assert len(even[[]]) == len(even[np.zeros(6, bool)]) == 0
    assert [int(one.index[0]) for one in even] == even.index.tolist()
    for k, index in enumerate(even.index):
        expected = knobs("ar", "demo", int(index))
        np.testing.assert_array_equal(even.atoms(k).positions, expected["position"])
        np.testing.assert_array_equal(even.frequencies(k), expected["frequency"].astype("f4"))
        np.testing.assert_array_equal(even.X[k], expected["g"].astype("f4"))
        np.testing.assert_array_equal(even.Y[k], expected["pdos"].astype("f4"))
        assert even.groups[k] == expected["parent"]
        assert even.classes[k] == expected["disorder_class"]
        assert even.replicate[k] == expected["replicate"]
    np.testing.assert_array_equal(even.atoms(-1).positions, even.atoms(5).positions)
    assert twelve.index.tolist() == list(range(12))


def test_where_keeps_the_structures_that_meet_every_condition(twelve):
    assert twelve.where(disorder_class="amorphous").index.tolist() == [3, 7, 11]
    most = twelve.where(disorder_class=["amorphous", "partial"], replicate=False)
    assert most.index.tolist() == [2, 3, 6, 7, 10, 11]
    assert twelve.where(replicate=True).where(parent=1).index.tolist() == [4]
    assert twelve.where(parent=np.array([0, 3])).index.tolist() == [0, 1, 2, 9, 10, 11]
    assert len(twelve.where(disorder_class="molten")) == 0


def test_variables_are_attributes_and_items(twelve):
    np.testing.assert_array_equal(twelve.density, twelve["density"])
    np.testing.assert_array_equal(twelve.density, 0.01 * np.arange(12))
    assert twelve["disorder_class"].dtype.kind == "U"
    assert "density" in dir(twelve)
    assert "position" not in dir(twelve)
    with pytest.raises(AttributeError, match=r"no variable 'densty'.*Did you mean density"):
        _ = twelve.densty
    with pytest.raises(KeyError, match=r"one value per structure; use \.frequencies\(k\)"):
        _ = twelve["frequency"]
    with pytest.raises(AttributeError, match=r"use \.atoms\(k\)"):
        _ = twelve.position


def test_nothing_can_be_changed(twelve):
    for values in (
        twelve.X,
        twelve.Y,
        twelve.shares,
        twelve.groups,
        twelve.r,
        twelve.rows,
        twelve.energy,
    ):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 0
    with pytest.raises(AttributeError):
        twelve.system = "kr"
    twelve.atoms(0).positions += 1  # what one caller does to its copy, the next does not see
    expected = knobs("ar", "demo", 0)["position"]
    np.testing.assert_array_equal(twelve.atoms(0).positions, expected)
    mine = np.arange(3)
    some = twelve[mine]
    mine[:] = 0
    assert some.index.tolist() == [0, 1, 2]


def test_what_is_not_there_is_named(twelve, tree, tmp_path):
    with pytest.raises(
        ValueError, match=r"unknown system 'lj4d'; known: amc, lj2d, lj3d, sic\. Did you"
    ):
        gd.dataset("lj4d", tree)
    with pytest.raises(FileNotFoundError, match="no dataset at"):
        gd.dataset("lj3d", tmp_path / "nothing")
    with pytest.raises(IndexError, match="no structure 12; ar has 12 here"):
        twelve.atoms(12)
    with pytest.raises(IndexError):
        _ = twelve[[12]]
    with pytest.raises(IndexError, match="boolean"):
        _ = twelve[np.ones(3, bool)]


def test_a_glass_that_failed_altogether_is_refused(tmp_path):
    def fail(system, profile, index, timings=None):
        raise RowError("the relaxation diverged")

    store = fake.sealed_store(tmp_path / "store", count=2, compute=fail)
    with pytest.raises(StoreError, match="store has no finished structure of ar"):
        gd.dataset("ar", store)


def test_opening_reads_no_ragged_array(tmp_path):
    """A store whose positions and frequencies are spoilt still gives everything else."""
    store = fake.sealed_store(tmp_path / "store", count=6)
    torn = [p for name in ("position", "frequency") for p in store.rglob(f"ar/{name}/c/*")]
    assert len(torn) == 2
    for path in torn:
        (path if path.is_file() else next(path.iterdir())).write_bytes(b"torn")
    data = gd.dataset("ar", store)[1:]
    assert np.isfinite(data.X).all()
    assert "5 finished structures in 3 families" in repr(data)
    with pytest.raises(DamageError, match=r"position.*checksum"):
        data.atoms(0)


def test_a_store_without_families_makes_each_structure_one(tmp_path):
    def alone(system, profile, index, timings=None):
        row = fake.plain_row(system, profile, index)
        del row["parent"]
        return row

    data = gd.dataset("ar", fake.sealed_store(tmp_path / "store", count=3, compute=alone))
    assert data.groups.tolist() == [0, 1, 2]


def test_a_copy_for_another_process_is_the_same(twelve):
    copy = pickle.loads(pickle.dumps(twelve[2:5]))
    np.testing.assert_array_equal(copy.X, twelve.X[2:5])
    np.testing.assert_array_equal(copy.atoms(1).positions, twelve.atoms(3).positions)


def test_every_group_can_be_written_as_netcdf(tmp_path):
    """With SciPy's writer, which is always there; numbers come back to the bit."""
    tree = gd.open_dataset()
    for name, group in tree.children.items():
        stored = group.to_dataset()
        stored.to_netcdf(tmp_path / "a.nc", engine="scipy")
        with xr.open_dataset(tmp_path / "a.nc", engine="scipy") as found:
            assert found.sizes == stored.sizes
            assert found.attrs["species"].split() == list(gd.SYSTEMS[name].species)
            for one in ("g", "pdos", "frequency", "n_atoms", "density"):
                assert np.array_equal(found[one], stored[one], equal_nan=True)
                assert found[one].attrs["units"] == stored[one].attrs["units"]
            assert found.disorder_class.values.tolist() == stored.disorder_class.values.tolist()


def test_classes_are_cut_where_the_dataset_says():
    silicon = gd.dataset("sic")
    assert silicon.class_variable == "far_order"
    assert silicon.class_edges == [0.6, 0.3, 0.1]
    order = silicon.stored[silicon.class_variable].values
    expected = np.array(DISORDER_CLASSES)[(order[:, None] < silicon.class_edges).sum(axis=1)]
    assert silicon.classes.tolist() == expected.tolist()
