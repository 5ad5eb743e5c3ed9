"""Training sets of one's own: folders of structures, of our netCDF files, and of pairs of files."""

import json
import shutil

import numpy as np
import pytest
from ase.build import bulk
from ase.io import write

import glassdata as gd
from glassdata.describe import Structure
from glassdata.gathered import FREQUENCIES, Frame, Pair, gathered, on_bins, read_spectrum

ARGON = gd.SYSTEMS["lj3d"]
#: So many structures that nine of ten may be promised something.
COUNT = 10


def structures():
    """Argon under less and less pressure, at rest: a series that a line follows."""
    for k in range(COUNT):
        atoms = ARGON.crystal() * (2, 2, 2)
        atoms.set_cell(atoms.cell * (1 + 0.003 * k), scale_atoms=True)
        yield atoms


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """A folder of structures with their spectra beside them, in meV."""
    folder = tmp_path_factory.mktemp("pairs")
    edges, mev = ARGON.omega_edges, FREQUENCIES["meV"]
    for k, atoms in enumerate(structures()):
        write(folder / f"{k}.xyz", atoms)
        dos = Structure(atoms, ARGON)["pdos"]
        centres = (edges[1:] + edges[:-1]) / 2
        np.savetxt(folder / f"{k}.dos", np.column_stack([centres / mev, dos * mev]))
    return folder


def predicted(cli, model, file):
    status, out, errors = cli("predict", model, file)
    assert status == 0, errors
    return np.genfromtxt(out.splitlines(), delimiter=",", names=True)


def test_structures_and_pairs_give_the_same_line(cli, pairs, tmp_path):
    """The spectra of the pairs are those that the potential gives."""
    (tmp_path / "plain").mkdir()
    for file in pairs.glob("*.xyz"):
        shutil.copy(file, tmp_path / "plain")
    one, two = tmp_path / "one.npz", tmp_path / "two.npz"
    status, out, errors = cli("fit", tmp_path / "plain", "--system", "lj3d", "-o", one)
    assert (status, errors) == (0, "")
    assert f"ridge on {COUNT} structures of lj3d: held-out R²" in out
    asked = ("--system", "lj3d", "--frequency-unit", "meV")
    assert cli("fit", pairs, *asked, "-o", two)[0] == 0
    found = [predicted(cli, model, pairs / "3.xyz") for model in (one, two)]
    # Text carries 18 digits; the unit is converted to and fro.
    assert np.allclose(found[0]["pdos_per_THz"], found[1]["pdos_per_THz"], rtol=1e-6, atol=1e-9)
    assert np.isfinite(found[0]["error_per_THz"]).all()
    assert gd.models.load(one)[1]["n_atoms"] == [32, 32]


def test_files_of_ours_are_a_training_set(cli, pairs, tmp_path):
    (tmp_path / "nc").mkdir()
    for k in range(3):
        what = ("spectrum", pairs / f"{k}.xyz", "--system", "lj3d")
        assert cli(*what, "-o", tmp_path / "nc" / f"{k}.nc")[0] == 0
    status, out, _ = cli("fit", tmp_path / "nc", "-o", tmp_path / "m.npz")
    assert (status, "3 structures of lj3d" in out) == (0, True)
    assert "too few for an interval" in out
    assert gd.models.load(tmp_path / "m.npz")[1]["species"] == ["Ar"]
    assert "outside: no error" in cli("predict", tmp_path / "m.npz", pairs / "0.xyz")[2]


def test_measured_curves_with_their_spectra_need_no_glass(cli, pairs, tmp_path):
    for k, atoms in enumerate(structures()):
        r = np.arange(0.025, 14, 0.05)
        g = gd.rdf(atoms * (2, 2, 2), np.linspace(0, 14, 281))
        np.savetxt(tmp_path / f"{k}.gr", np.column_stack([r, g]), header="r g")
        shutil.copy(pairs / f"{k}.dos", tmp_path / f"{k}.vdos")
    model = tmp_path.parent / "measured.npz"
    asked = ("fit", tmp_path, "--frequency-unit", "meV", "-o", model)
    status, _, errors = cli(*asked)
    assert (status, "which species" in errors) == (2, True)
    assert cli(*asked, "--species", "Ar")[0] == 0
    meta = gd.models.load(model)[1]
    assert (meta["system"], meta["species"], "n_atoms" in meta) == (tmp_path.name, ["Ar"], False)
    found = predicted(cli, model, tmp_path / "4.gr")
    truth = np.loadtxt(pairs / "4.dos")
    means = [
        np.sum(omega * dos) / np.sum(dos)
        for omega, dos in (
            (found["omega_THz"], found["pdos_per_THz"]),
            (FREQUENCIES["meV"] * truth[:, 0], truth[:, 1]),
        )
    ]
    # Over the training set, to which this one belongs, the mean changes by a quarter; a ridge on
    # ten crystals with few sharp frequencies comes nearer than a fifth of that.
    assert means[0] == pytest.approx(means[1], rel=0.05)


def test_a_calculator_computes_the_spectra(cli, tmp_path):
    for k in range(3):
        write(tmp_path / f"{k}.xyz", bulk("Cu", a=3.55 + 0.03 * k, cubic=True))
    model = tmp_path.parent / "copper.npz"
    emt = ("--calculator", "ase.calculators.emt.EMT")
    status, out, errors = cli("fit", tmp_path, *emt, "-o", model)
    assert (status, "3 structures of ase.calculators.emt.EMT" in out) == (0, True), errors
    write(tmp_path / "4.xyz", bulk("Cu", a=3.7, cubic=True) * (2, 1, 1))
    (tmp_path / "4.xyz").write_text((tmp_path / "4.xyz").read_text().replace("Cu", "Si", 1))
    status, _, errors = cli("fit", tmp_path, *emt, "-o", model)
    assert (status, "EMT failed" in errors, len(errors.splitlines())) == (1, True, 1)


def test_structures_that_are_not_at_rest_are_counted_or_brought_there(cli, tmp_path):
    for k, atoms in enumerate(structures()):
        atoms.rattle(0.1, seed=k)
        if k < 3:
            write(tmp_path / f"{k}.xyz", atoms)
    asked = ("fit", tmp_path, "--system", "lj3d", "-o", tmp_path.parent / "m.npz")
    status, _, errors = cli(*asked)
    assert (status, "3 of 3 structures are not at a minimum" in errors) == (0, True)
    status, _, errors = cli(*asked, "--relax")
    assert (status, "minimum" in errors) == (0, False)
    about = gd.models.load(tmp_path.parent / "m.npz")[1]["about"]
    assert json.loads(about["settings"])["relax"] is True


def written(folder, **files):
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content)


DOS = "0 0\n1 1\n2 0\n"
ABRUPT = "0 0\n1 1\n2 1\n"
CELL = 'Lattice="9 0 0 0 9 0 0 0 9"'
XYZ = f"4\n{CELL} Properties=species:S:1:pos:R:3\nAr 0 0 0\nAr 4 0 0\nAr 0 4 0\nAr 0 0 4\n"
REFUSED = {
    "empty": ({}, (), "holds no files"),
    "alone": ({"a_dos": DOS}, (), "a.dos has no g(r) or structure"),
    "partner": ({"a_dos": DOS, "a_xyz": XYZ, "b_xyz": XYZ}, (), "b.xyz has no spectrum"),
    "words": ({"a_txt": "words\n"}, ("--system", "lj3d"), "a.txt is not a readable structure"),
    "potential": ({"a_xyz": XYZ}, (), "spectrum of"),
    "family": ({"a_dos": DOS, "a_xyz": XYZ}, (), "too few files"),
    "abrupt": ({"a_dos": ABRUPT, "a_xyz": XYZ}, (), "too few files"),
    "nothing": ({"a_dos": "0 0\n1 0\n", "a_xyz": XYZ}, (), "a.dos is no density of states"),
    "chain": ({"a_dos": DOS, "a_xyz": XYZ.replace("Prop", 'pbc="T F F" Prop')}, (), "three direc"),
    "mixed": (
        {"a_dos": DOS, "a_xyz": XYZ, "b_dos": DOS, "b_xyz": XYZ.replace("Pro", 'pbc="T T F" Pro')},
        (),
        "all in two",
    ),
    "negative": ({"a_dos": "0 0\n1 -1\n2 0\n", "a_xyz": XYZ}, (), "a.dos is no density of states"),
    "unit": (
        {"a_dos": "0 0\n40 1\n90 0\n", "a_xyz": XYZ},
        ("--system", "lj3d"),
        "100% of its states beyond 0 to 3",
    ),
    "netcdf": ({"a_nc": "CDF"}, (), "a.nc was not written by"),
    "species": ({"a_dos": DOS, "a_xyz": XYZ}, ("--system", "sic"), "holds Ar"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_training_set_is_refused_in_one_line(name, cli, tmp_path):
    files, options, words = REFUSED[name]
    written(tmp_path, **files)
    status, _, errors = cli("fit", tmp_path, *options, "-o", tmp_path.parent / "never.npz")
    assert status == 2, errors
    assert len(errors.splitlines()) == 1, errors
    assert words in errors
    assert not (tmp_path.parent / "never.npz").exists()


def test_files_of_ours_with_other_bins_do_not_mix(cli, pairs, tmp_path):
    copper = tmp_path / "cu.xyz"
    write(copper, bulk("Cu", cubic=True))
    emt = ("--calculator", "ase.calculators.emt.EMT")
    (tmp_path / "nc").mkdir()
    assert cli("spectrum", copper, *emt, "-o", tmp_path / "nc/a.nc")[0] == 0
    assert cli("spectrum", pairs / "0.xyz", "--system", "lj3d", "-o", tmp_path / "nc/b.nc")[0] == 0
    status, _, errors = cli("fit", tmp_path / "nc", "-o", tmp_path / "m.npz")
    assert (status, f"b.nc has other bins than {tmp_path}/nc/a.nc" in errors) == (2, True)


# --- the parts --------------------------------------------------------------------------------


@pytest.mark.parametrize(("unit", "value"), [("THz", 1.0), ("meV", 4.135667), ("cm-1", 33.35641)])
def test_one_terahertz_in_other_units(unit, value):
    assert 1 / FREQUENCIES[unit] == pytest.approx(value, rel=1e-6)


def test_a_density_of_states_keeps_its_integral_and_its_mean(tmp_path):
    omega = np.linspace(0, 10, 401)
    dos = omega**2 * (10 - omega)
    np.savetxt(tmp_path / "a.dos", np.column_stack([omega, 7 * dos]))
    x, y = read_spectrum(tmp_path / "a.dos")
    assert np.trapezoid(y, x) == pytest.approx(1)
    edges = np.linspace(0, 12, 61)
    found = on_bins(x, y, edges)
    assert (found * np.diff(edges)).sum() == pytest.approx(1)
    # The mean of a Beta distribution with 3 and 2; straight lines of 0.025 err by their square.
    assert (found * (edges[1:] ** 2 - edges[:-1] ** 2) / 2).sum() == pytest.approx(6, abs=1e-2)
    assert (found[edges[:-1] >= 10] == 0).all()
    centres = (edges[1:] + edges[:-1]) / 2
    assert on_bins(centres, 3 * found, edges) == pytest.approx(found)


def test_a_little_below_zero_counts_as_zero(tmp_path):
    """A transform of a noisy measurement dips; the rest is still a density of integral 1."""
    omega = np.linspace(0, 10, 101)
    dos = np.where(omega < 5, 1.0, -0.005)
    np.savetxt(tmp_path / "a.dos", np.column_stack([omega, dos]))
    x, y = read_spectrum(tmp_path / "a.dos")
    assert y.min() == 0
    assert np.trapezoid(y, x) == pytest.approx(1)
    assert y[10] == pytest.approx(1 / 4.95)  # half of a step is lost where it falls


def test_a_curve_ends_where_its_points_end():
    found = on_bins(np.array([0.0, 1.0, 2.0]), np.ones(3) / 2, np.arange(5.0))
    # The fall at the end takes a billionth of the range.
    assert found == pytest.approx([0.5, 0.5, 0, 0], abs=1e-8)


def test_numbers_of_atoms_and_densities_are_all_known_or_none():
    bins = np.array([0.0, 1.0, 2.0])
    frame = Frame("a", ("Ar",), 3, bins, bins)
    known = Pair(np.ones(2), np.full(2, 0.5), "one", 5, 0.1)
    half = Pair(np.ones(2), np.full(2, 0.5), "two", None, 0.2)
    both = gathered([known, half, known], frame)
    assert "n_atoms" not in both.stored
    assert both.density.tolist() == [0.1, 0.2, 0.1]
    assert both.groups.tolist() == [0, 1, 0]
    with pytest.raises(ValueError, match="three has other bins"):
        gathered([known, Pair(np.ones(3), np.ones(2), "three")], frame)
    with pytest.raises(ValueError, match="no pair"):
        gathered([], frame)
