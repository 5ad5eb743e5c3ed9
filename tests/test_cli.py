"""The command line: each journey, and one clear line with the right status for each mistake."""

import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import fake_glass as fake
import numpy as np
import pytest
import xarray as xr
from ase.build import bulk
from ase.io import write

import glassdata as gd
from glassdata.cli import commands, explain
from glassdata.store import pack, prepare, science_config
from glassdata.store.files import temporary_name
from glassdata.store.rows import row_path
from glassdata.systems import SYSTEMS, lacks


@pytest.fixture
def fake_physics(monkeypatch):
    """The command line on glasses that cost nothing."""
    monkeypatch.setattr("glassdata.engine.source.SYSTEMS", fake.SYSTEMS)
    monkeypatch.setattr("glassdata.engine.source.probe", None)
    monkeypatch.setattr("glassdata.engine.source.code", dict)
    monkeypatch.setattr("glassdata.systems.SYSTEMS", fake.SYSTEMS)
    monkeypatch.setattr("glassdata.engine.source.compute_row", fake.fake_row)
    monkeypatch.setattr("glassdata.engine.source.row_id", fake.row_id)


@pytest.fixture
def store(tmp_path):
    return fake.sealed_store(tmp_path / "store", ("ar", "sic"), 8)


def refused(result: tuple[int, str, str], status: int, *words: str) -> None:
    """One line on stderr, nothing of a traceback, the right status."""
    got, _, errors = result
    assert got == status, errors
    assert len(errors.splitlines()) == 1, errors
    assert errors.startswith("glassdata: error: ")
    for word in words:
        assert word in errors


# --- help -------------------------------------------------------------------------------------


def test_help_is_quick_and_loads_nothing_heavy():
    code = (
        "import sys; from glassdata.cli import run; run(['--help']);"
        "print([m for m in ('dask', 'numpy', 'xarray', 'ase', 'torch') if m in sys.modules])"
    )
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
    # 0.1 s on an idle machine; the bound leaves room for a busy one.
    assert time.perf_counter() - start < 2.0


@pytest.mark.parametrize("name", sorted(commands.commands))
def test_every_command_has_an_example(cli, name):
    status, out, _ = cli(name, "--help")
    assert status == 0
    assert f"glassdata {name}" in out


def test_systems_lists_every_glass(cli):
    from glassdata.systems import SYSTEMS

    status, out, _ = cli("systems")
    assert status == 0
    assert all(name in out for name in SYSTEMS)


# --- datasets ---------------------------------------------------------------------------------


def test_whoever_watches_sees_progress_dashboard_and_where_the_time_went(
    cli, fake_physics, tmp_path
):
    what = ("--system", "ar", "--limit", 3, "--workers", 1)
    status, out, errors = cli("build", tmp_path / "store", *what, "--progress")
    assert status == 0
    assert "3/3" in errors
    assert "dashboard: http://127.0.0.1:" in out + errors
    assert "core-seconds" in out


def test_a_missing_dashboard_says_what_it_needs(cli, fake_physics, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "bokeh", None)
    what = ("--system", "ar", "--limit", 1, "--workers", 1)
    status, _, errors = cli("build", tmp_path / "store", *what, "--progress")
    assert status == 0
    (line,) = [line for line in errors.splitlines() if line.startswith("dashboard: ")]
    assert "pip install 'glassdata[report]'" in line


def test_info_says_so_when_the_record_of_the_seal_is_damaged(cli, store):
    (store / "provenance/seal.json").write_text("{}")
    status, out, errors = cli("info", store)
    assert (status, errors) == (0, "")
    assert "seal.json is damaged" in out


def test_build_info_verify(cli, fake_physics, tmp_path):
    folder = tmp_path / "store"
    status, out, _ = cli("build", folder, "--system", "ar", "--limit", 3, "--dry-run")
    assert status == 0
    assert "total: 3 rows" in out
    assert not folder.exists()
    status, out, errors = cli("build", folder, "--system", "ar", "--limit", 3, "--workers", 2)
    assert (status, errors) == (0, "")
    assert "3 rows computed now" in out
    status, out, _ = cli("info", folder)
    assert status == 0
    assert out.splitlines()[2].split() == ["ar", "3", "0", "0", "3", "3"]
    status, out, _ = cli("verify", folder, "--recompute", 2, "--seed", 1)
    assert status == 0
    assert out.count("identical") == 2
    assert "--seed 1" in out
    status, out, _ = cli("build", folder, "--limit", 3)
    assert (status, "0 rows computed now" in out) == (0, True)


def test_a_packed_dataset_is_recomputed(cli, tmp_path):
    folder, packed = tmp_path / "store", tmp_path / "packed.zarr.zip"
    some = ("--system", "lj3d", "--system", "amc", "--limit", 2, "--workers", 1)
    assert cli("build", folder, *some)[0] == 0
    pack(folder, packed)
    status, out, _ = cli("verify", packed, "--recompute", 4, "--workers", 1)
    assert (status, out.count("identical")) == (0, 4)


def test_atoms_that_belong_to_others_are_not_packed(cli, store, tmp_path):
    packed = tmp_path / "packed.zarr.zip"
    pack(store, packed, without=("position", "number"))
    assert cli("verify", packed)[0] == 0
    with zipfile.ZipFile(packed) as archive:
        assert not any("position" in name or "number" in name for name in archive.namelist())
    kept, whole = gd.dataset("ar", packed), gd.dataset("ar", store)
    np.testing.assert_array_equal(kept.X, whole.X)
    np.testing.assert_array_equal(kept.frequencies(1), whole.frequencies(1))
    with pytest.raises(KeyError, match="number"):
        kept.atoms(0)


def test_a_packed_dataset_of_other_numbers_is_found_out(
    cli, fake_physics, monkeypatch, store, tmp_path
):
    packed = tmp_path / "packed.zarr.zip"
    pack(store, packed)
    again = ("verify", packed, "--recompute", 16, "--workers", 1)
    status, out, _ = cli(*again)
    assert (status, out.count("identical")) == (0, 16)
    monkeypatch.setattr("glassdata.engine.source.compute_row", fake.other_row)
    status, _, errors = cli(*again)
    assert status == 1
    assert errors.count("recomputed with other energy") == 16


def test_estimate_learns_from_finished_rows(cli, fake_physics, store):
    status, out, _ = cli("build", store, "--profile", "demo", "--dry-run")
    assert status == 0
    assert "mean of 8 finished rows" in out
    assert "total: 0 rows" in out


def test_info_of_a_running_build(cli, fake_physics, store):
    row_path(store, "ar", 7).unlink()
    (store / "rows/ar" / temporary_name("000007.npz")).write_bytes(b"half")
    status, out, _ = cli("info", store)
    assert status == 0
    assert out.splitlines()[2].split() == ["ar", "7", "0", "1", "8", "8"]


def test_verify_names_the_file_and_repair_mends_it(cli, fake_physics, store):
    path = row_path(store, "ar", 1)
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    status, out, errors = cli("verify", store)
    assert status == 1
    assert "rows/ar/000001.npz: 100 bytes" in out
    assert "1 checks failed" in errors
    status, out, errors = cli("repair", store, "--workers", 1)
    assert status == 0, errors
    assert path.read_bytes() == whole
    assert cli("verify", store)[0] == 0
    assert "nothing to repair" in cli("repair", store)[1]


def test_repair_of_an_unsealed_store_says_that_it_stays_so(cli, fake_physics, tmp_path):
    store = tmp_path / "s"
    prepare(store, science_config({"ar": fake.SYSTEMS["ar"]}, "demo"), {"ar": 8})
    fake.publish(fake.task(store), "ar", 0)
    row_path(store, "ar", 0).write_bytes(b"")
    status, out, _ = cli("repair", store, "--workers", 1)
    assert status == 0
    assert f"1 rows computed now; {store} is not sealed yet: glassdata build {store}" in out
    assert "is complete" not in out


def test_an_error_that_says_nothing_is_named():
    assert explain(MemoryError()) == ("MemoryError", 1)


def test_damaged_configuration_says_what_to_do(cli, fake_physics, store):
    path = store / "config.json"
    path.write_text(path.read_text().replace("10.0", "11.0", 1))
    for command in ("build", "info", "repair"):
        refused(cli(command, store), 1, "config.json is damaged", "remove it")
    path.unlink()
    assert cli("build", store, "--system", "ar", "--system", "sic")[0] == 0
    assert cli("verify", store)[0] == 0


def test_failed_rows_are_shown(cli, fake_physics, tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSDATA_FAKE", str(tmp_path))
    (tmp_path / "fail-0").touch()
    status, out, errors = cli("build", tmp_path / "s", "--system", "ar", "--limit", 1)
    assert status == 3
    assert out.splitlines()[1].split() == ["ar", "0", "1", "0"]
    assert errors == "failed row ar 0: the relaxation diverged\n"


def test_refused_configuration_shows_the_difference(cli, fake_physics, store, monkeypatch):
    monkeypatch.setitem(fake.SYSTEMS, "ar", fake.fake_system("ar", r_max=12.0))
    status, _, errors = cli("build", store, "--limit", 1)
    assert status == 2
    assert "systems.ar.description.bins: [100,10.0,100,3.0] -> [100,12.0,100,3.0]" in errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--system", "arr"], ["unknown system 'arr'", "ar, sic", "Did you mean ar?"]),
        (["--limit", "0"], ["--limit"]),
        (["--limit", "-1"], ["--limit"]),
        (["--limit", "many"], ["--limit"]),
        (["--workers", "0"], ["--workers"]),
        (["--workers", "²"], ["--workers", "'²'"]),
        (["--shard", "²/²"], ["--shard", "I/N"]),
        (["--profile", "huge"], ["--profile", "demo"]),
        (["--cluster", "slrum"], ["cluster", "slrum"]),
        (["--colour"], ["--colour"]),
        (["too", "many"], ["too"]),
    ],
)
def test_wrong_options_of_build(cli, fake_physics, tmp_path, arguments, words):
    refused(cli("build", tmp_path / "store", *arguments), 2, *words)
    assert not (tmp_path / "store").exists()


def test_store_that_is_none(cli, fake_physics, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    (tmp_path / "empty").mkdir()
    for command in ("info", "verify", "repair"):
        refused(cli(command, tmp_path / "nowhere"), 2, "does not exist")
        refused(cli(command, tmp_path / "empty"), 2, "not a store")
    for command in ("info", "build", "repair"):
        refused(cli(command, file), 2, "is a file")
    refused(cli("build", file, "--dry-run"), 2, "is a file")
    refused(cli("build"), 2, "STORE")
    refused(cli("bild"), 2, "bild")


def test_folder_that_cannot_be_written(cli, fake_physics, tmp_path, monkeypatch):
    """Root may write everywhere, so the answer of the system is put in its mouth."""
    folder = tmp_path / "store"
    monkeypatch.setattr("glassdata.store.places.os.access", lambda *_: False)
    refused(cli("build", folder), 2, "cannot be written")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder(cli, fake_physics, tmp_path):
    tmp_path.chmod(0o500)
    refused(cli("build", tmp_path / "store"), 2, "Permission denied")


def test_debug_shows_where(cli, tmp_path):
    status, _, errors = cli("--debug", "info", tmp_path / "nowhere")
    assert status == 2
    assert "Traceback" in errors


# --- your own glass ---------------------------------------------------------------------------


def save(path: Path, atoms) -> Path:
    write(path, atoms)
    return path


def argon(repeat: int = 4):
    atoms = bulk("Ar", "fcc", a=5.27, cubic=True).repeat(repeat)
    atoms.rattle(0.02, seed=1)
    return atoms


def test_spectrum_of_own_structures(cli, tmp_path):
    file = save(tmp_path / "two.xyz", [argon(3), argon(3)])
    output, picture = tmp_path / "out.nc", tmp_path / "out.png"
    status, out, errors = cli(
        "spectrum", file, "--system", "lj3d", "--relax", "-o", output, "--plot", picture
    )
    assert (status, errors) == (0, "")
    assert out.splitlines()[2].split()[:2] == ["1", "108"]
    assert picture.read_bytes().startswith(b"\x89PNG")
    with xr.open_dataset(output, engine="scipy") as data:
        assert data.g.shape == (2, 100)
        assert data.sizes["mode"] == data.n_modes.sum() == 2 * (3 * 108 - 3)
        # float32 spectra of 100 bins: the integral is 1 to single precision.
        assert np.allclose(data.pdos.sum("omega") * 0.03, 1, atol=1e-5)
        assert data.pdos.attrs["units"] == "THz-1"


def test_structure_that_is_not_at_rest(cli, tmp_path):
    atoms = argon(3)
    atoms.rattle(0.3, seed=2)
    status, _, errors = cli("spectrum", save(tmp_path / "a.xyz", atoms), "--system", "lj3d")
    assert status == 0
    assert "not at a minimum" in errors
    assert "--relax" in errors


def overlapping():
    atoms = argon(3)
    atoms.positions[7] = atoms.positions[3] + 0.01
    return atoms


def isolated():
    atoms = argon(3)
    atoms.set_pbc(False)
    return atoms


@pytest.mark.parametrize(
    ("atoms", "words"),
    [
        (bulk("Ar"), ["has 1 atom"]),
        (bulk("Ar").repeat((2, 1, 1)), ["has 2 atoms"]),
        (overlapping(), ["atoms 3 (Ar) and 7 (Ar) overlap"]),
        (bulk("Cu", cubic=True).repeat(3), ["Cu", "lj3d has Ar"]),
        (isolated(), ["periodic cell"]),
    ],
)
def test_structures_that_cannot_be_used(cli, tmp_path, atoms, words):
    refused(cli("spectrum", save(tmp_path / "a.xyz", atoms), "--system", "lj3d"), 2, *words)


def test_what_cannot_end_well_is_refused_before_the_minimisation(cli, tmp_path, monkeypatch):
    monkeypatch.setattr("glassdata.minimise.relax", lambda *_: pytest.fail("it began"))
    flat = argon(3)
    flat.set_pbc([True, True, False])
    relax = ["--system", "lj3d", "--relax"]
    refused(cli("spectrum", save(tmp_path / "f.xyz", flat), *relax), 2, "3 periodic directions")
    monkeypatch.setattr("glassdata.eigen.peak_bytes", lambda n: 1e18)
    refused(cli("spectrum", save(tmp_path / "g.xyz", argon(3)), *relax), 1, "GiB")


def test_an_interruption_of_compiled_code_is_one(cli, tmp_path, monkeypatch):
    """Numba turns it into a SystemError."""

    def compiled(*_, **__):
        raise SystemError("returned a result with an exception set") from KeyboardInterrupt()

    monkeypatch.setattr("glassdata.cli.inputs.describe_all", compiled)
    structure = save(tmp_path / "a.xyz", argon(2))
    refused(cli("spectrum", structure, "--system", "lj3d"), 130, "interrupted")


def test_an_interrupt_in_the_middle_of_waiting_says_one_line():
    """A coroutine that never began to run, as those that write arrays, is no news to anybody."""
    code = (
        "from glassdata import cli\n"
        "async def write(): pass\n"
        "def stop(*arguments, **options):\n"
        "    waiting = write()\n"
        "    raise KeyboardInterrupt\n"
        "cli.commands.main = stop\n"
        "print(cli.run(['systems']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "130"
    assert done.stderr.strip() == "glassdata: error: interrupted; the same command resumes"


def test_files_that_are_no_structures(cli, tmp_path):
    (tmp_path / "a.xyz").write_text("3\n\nAr 0 0\n")
    (tmp_path / "b.xyz").write_bytes(b"")
    (tmp_path / "c.strange").write_bytes(b"\x00\x01\x02")
    good = save(tmp_path / "good.xyz", argon(2))
    for name in ("a.xyz", "b.xyz", "c.strange"):
        refused(cli("spectrum", tmp_path / name, "--system", "lj3d"), 2, name)
    refused(cli("spectrum", tmp_path / "none.xyz", "--system", "lj3d"), 2, "there is no file")
    refused(cli("spectrum", good, "--system", "lj4d"), 2, "Did you mean lj3d?")
    refused(cli("spectrum", good), 2, "--system")
    where = ["--system", "lj3d", "-o"]
    refused(cli("spectrum", good, *where, tmp_path / "no" / "a.nc"), 2, "there is no folder")
    refused(cli("spectrum", good, *where, tmp_path), 2, "is a folder")


@pytest.fixture
def model(cli, store, tmp_path):
    path = tmp_path / "model.npz"
    status, out, errors = cli("fit", store, "--system", "ar", "-o", path)
    assert (status, errors) == (0, "")
    assert "held-out R²" in out
    assert out.endswith(f"wrote {path}\n")
    return path


@pytest.mark.parametrize("kind", ["lasso", "pcr", "cnn"])
def test_every_model_can_be_fitted_and_asked(cli, store, tmp_path, monkeypatch, kind):
    if kind == "cnn":
        pytest.importorskip("torch", reason="PyTorch is not installed: make cnn")
        monkeypatch.setattr("glassdata.models.networks.WEIGHT_DECAYS", (0.0,))
    path = tmp_path / "model.npz"
    status, out, errors = cli("fit", store, "--system", "ar", "--model", kind, "-o", path)
    assert (status, errors) == (0, "")
    assert out.startswith(f"{kind} on 8 structures of ar: held-out R²")
    r = np.arange(0, 10.05, 0.05)
    status, out, _ = cli("predict", path, curve(tmp_path / "g.csv", r, np.where(r < 2, 0.0, 1.0)))
    assert (status, len(table(out))) == (0, 100)


def table(text: str) -> np.ndarray:
    return np.genfromtxt(text.splitlines(), delimiter=",", names=True)


def curve(path: Path, r: np.ndarray, g: np.ndarray, header: str = "# r g\n") -> Path:
    path.write_text(header + "".join(f"{a:.4f}, {b:.8f}\n" for a, b in zip(r, g, strict=True)))
    return path


def test_predict_from_measured_curve(cli, model, tmp_path):
    """A curve given at the bin edges and centres is what the bins themselves say."""
    from glassdata import models

    r = np.arange(0, 10.025, 0.025)
    file = curve(tmp_path / "g.csv", r, np.where(r < 2, 0.0, 1.0), header="r,g\n")
    output, picture = tmp_path / "out.csv", tmp_path / "out.png"
    status, _, errors = cli("predict", model, file, "-o", output, "--plot", picture)
    assert status == 0, errors
    found = table(output.read_text())
    bins = np.repeat([0.0, 1.0], [20, 80])
    bins[19] = 0.125  # the ramp from 0 at 1.975 Å to 1 at 2 Å fills an eighth of its bin
    expected = models.load(model)[0].predict(bins[None])[0]
    assert np.allclose(found["pdos_per_THz"], expected, rtol=1e-4, atol=1e-5)
    # Eight structures are too few for an interval that holds nine times of ten.
    assert np.isnan(found["error_per_THz"]).all()
    assert "outside" in errors
    assert "8 structures were held out" in errors
    assert picture.stat().st_size > 0


def test_predict_from_structure(cli, model, tmp_path):
    """Perfect argon resembles no random numbers."""
    status, out, errors = cli("predict", model, save(tmp_path / "a.xyz", argon(2)))
    assert status == 0
    assert len(table(out)) == 100
    assert "outside" in errors


def test_curves_that_cannot_be_used(cli, model, tmp_path):
    r = np.arange(0.05, 10.1, 0.1)
    flat = np.ones_like(r)
    cases = {
        "short": (r[:50], flat[:50], "ends at r"),
        "late": (r[50:], flat[50:], "begins at r"),
        "reduced": (r, 0 * flat, "reduced G(r)"),
        "nan": (r, flat * np.nan, "not finite"),
    }
    for name, (distance, g, words) in cases.items():
        refused(cli("predict", model, curve(tmp_path / f"{name}.csv", distance, g)), 2, words)
    file = curve(tmp_path / "backwards.csv", r[::-1], np.where(r < 2, 0.0, 1.0)[::-1])
    assert "sorted" in cli("predict", model, file)[2]
    (tmp_path / "words.gr").write_text("these are\nonly words\n")
    refused(cli("predict", model, tmp_path / "words.gr"), 2, "no two columns")
    (tmp_path / "torn.gr").write_text("1.0 1.0\n2.0\n")
    refused(cli("predict", model, tmp_path / "torn.gr"), 2, "line 2")
    (tmp_path / "binary.gr").write_bytes(b"\xff\xfe\x00")
    refused(cli("predict", model, tmp_path / "binary.gr"), 2, "not a text file")
    refused(cli("predict", model, tmp_path / "none.gr"), 2, "there is no file")


def test_models_that_cannot_be_used(cli, store, model, tmp_path):
    r = np.arange(0, 10.1, 0.1)
    file = curve(tmp_path / "g.csv", r, np.ones_like(r))
    refused(cli("predict", tmp_path / "none.npz", file), 2, "no model file")
    model.write_bytes(model.read_bytes()[:-100])
    refused(cli("predict", model, file), 2, "not a readable model")
    output = tmp_path / "m.npz"
    refused(cli("fit", store, "--system", "ra", "-o", output), 2, "unknown system 'ra'")
    refused(cli("fit", store, "--system", "ar"), 2, "--output")
    refused(cli("fit", tmp_path / "no", "--system", "ar", "-o", output), 2, "no folder or dataset")
    refused(cli("fit", store, "--system", "ar", "--model", "magic", "-o", output), 2, "magic")


def test_too_few_families_to_hold_any_out(cli, tmp_path):
    small = fake.sealed_store(tmp_path / "small", count=2)
    output = tmp_path / "m.npz"
    refused(
        cli("fit", small, "--system", "ar", "-o", output),
        2,
        "too few files, melts or templates, 1:",
    )


def test_atoms_at_a_cut_off_are_told_of(cli, tmp_path):
    """Two carbon atoms of a graphene sheet drawn into Tersoff's window, 1.8 to 2.1 Å."""
    sheet = SYSTEMS["amc"].crystal() * (3, 2, 1)
    sheet.positions[::4, 2] += 1.4
    write(tmp_path / "sheet.xyz", sheet, format="extxyz")
    status, _, err = cli("spectrum", tmp_path / "sheet.xyz", "--system", "amc")
    assert status == 0
    assert "of its atoms where the potential is switched off" in err
    flat = SYSTEMS["amc"].crystal() * (3, 2, 1)
    write(tmp_path / "flat.xyz", flat, format="extxyz")
    assert "switched off" not in cli("spectrum", tmp_path / "flat.xyz", "--system", "amc")[2]


def test_a_system_whose_file_is_missing_says_where_to_get_it(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    # Other tests may have read the tables in this process.
    monkeypatch.delitem(vars(SYSTEMS["cualzr_sheng"].potential), "tables", raising=False)
    words = "obtain it (Cheng, Ma, Sheng", "glassdata systems --add"
    refused(cli("build", tmp_path / "s", "--system", "cualzr_sheng"), 2, *words)
    refused(cli("build", tmp_path / "s", "--system", "cualzr_sheng", "--dry-run"), 2, *words)
    assert not (tmp_path / "s").exists()
    add = ("systems", "--add")
    refused(cli(*add, tmp_path / "ZrCuAl2011.eam.alloy"), 2, "no file", "ZrCuAl2011")
    wrong = tmp_path / "wrong.alloy"
    wrong.write_text("something else\n")
    refused(cli(*add, wrong), 2, "no glass needs a file wrong.alloy; known: ")
    refused(cli(*add, wrong.rename(tmp_path / "ZrCuAl2011.eam.alloy")), 2, "is not the expected")


@pytest.mark.skipif(
    lacks(SYSTEMS["cualzr_sheng"]) is not None,
    reason="no potential file beside the repository",
)
def test_a_glass_whose_potential_is_a_file(cli, tmp_path, monkeypatch):
    file = SYSTEMS["cualzr_sheng"].potential.path
    monkeypatch.setenv("HOME", str(tmp_path))
    store, one = tmp_path / "s", ("--workers", 1)
    assert "kept" in cli("systems", "--add", file)[1]
    assert cli("build", store, "--system", "cualzr_sheng", "--limit", 1, *one)[0] == 0
    status, output, _ = cli("verify", store, "--recompute", 1, *one)
    assert status == 0
    assert "cualzr_sheng 0: identical" in output
    monkeypatch.setenv("HOME", str(tmp_path / "elsewhere"))
    refused(cli("verify", store, "--recompute", 1), 2, "no rows to recompute", "file is missing")


def test_what_is_not_said_is_taken_from_the_store(tmp_path):
    """What is said counts for more; where there is no store, it is the smallest profile of all."""
    from glassdata.cli.building import _what_to_build

    argon, store = {"lj2d": SYSTEMS["lj2d"]}, tmp_path / "my.store"
    assert _what_to_build(store, None, ("si",), None) == ("demo", ("si",))
    assert "si" in _what_to_build(store, None, (), None)[1]
    prepare(store, science_config(argon, "reference"), {"lj2d": 1})
    asked = [(None, ()), (None, ("si",)), ("paper", ()), ("paper", ("si",))]
    assert [_what_to_build(store, profile, names, None) for profile, names in asked] == [
        ("reference", ("lj2d",)),
        ("reference", ("si",)),
        ("paper", ("lj2d",)),
        ("paper", ("si",)),
    ]
