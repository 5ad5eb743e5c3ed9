"""What the command line says: tables, numbers and exit statuses, compared with those on paper."""

import errno
import io
import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import fake_glass as fake
import numpy as np
import pytest
import xarray as xr
from ase import Atoms
from ase.build import bulk
from ase.io import write
from click.testing import CliRunner
from matplotlib.figure import Figure
from test_oracle_rows import SIGMA, dimer, lennard_jones

import glassdata as gd
from glassdata import cli as entrance
from glassdata.cli import data, explain, streams
from glassdata.cli.building import _what_to_build, report
from glassdata.cli.choices import STDOUT, check_system, check_writable, table
from glassdata.cli.execution import Allowance, Shard, Workers, execution_options
from glassdata.cli.inputs import describe_all, nearest_distance, read_structures
from glassdata.cli.outputs import (
    deliver,
    plot_prediction,
    plot_rows,
    prediction_table,
    write_rows,
)
from glassdata.measured import Target, read_measured
from glassdata.row import describe
from glassdata.store.errors import DamageError, StoreError

# --- tables and statuses ----------------------------------------------------------------------


def test_tables_align_words_left_and_numbers_right():
    lines = table(("name", "n", "what"), [("a", 5, "1.5"), ("bcdefg", 1234, "x")]).splitlines()
    assert lines == ["name    n     what", "a          5   1.5", "bcdefg  1234  x"]


def test_unknown_systems_are_told_the_nearest_name():
    assert check_system("b", ["a", "b"]) == "b"
    with pytest.raises(click.UsageError) as error:
        check_system("amcc", iter(["amc", "sic"]))
    assert error.value.message == "unknown system 'amcc'; known: amc, sic. Did you mean amc?"
    with pytest.raises(click.UsageError) as error:
        check_system("xyzzy", ["amc"])
    assert error.value.message == "unknown system 'xyzzy'; known: amc."


class BotoError(Exception):
    pass


BotoError.__module__ = "botocore.exceptions"


@pytest.mark.parametrize(
    ("error", "text", "status"),
    [
        (click.UsageError("no"), "no", 2),
        (click.ClickException("no"), "no", 1),
        (DamageError("bad byte"), "bad byte", 1),
        (StoreError("no store"), "no store", 2),
        (ValueError("no number"), "no number", 2),
        (FileNotFoundError(2, "No such file", "a"), "No such file: a", 2),
        (PermissionError(13, "Permission denied", "b"), "Permission denied: b", 2),
        (OSError(28, "No space left"), "No space left", 1),
        (OSError("odd"), "odd", 1),
        (BotoError("gone"), "object store: gone", 1),
        (RuntimeError("melted"), "melted", 1),
        (ImportError("lammps"), "lammps", 1),
        (ZeroDivisionError("by zero"), "by zero", 1),
        (KeyError("x"), "unexpected KeyError: 'x' (glassdata --debug shows where)", 1),
    ],
)
def test_every_error_is_one_line_and_a_status(error, text, status):
    assert explain(error) == (text, status)


@pytest.mark.parametrize(
    ("raised", "status", "words"),
    [
        (KeyboardInterrupt(), 130, "interrupted; the same command resumes"),
        (click.Abort(), 130, "interrupted"),
        (StoreError("one\ntwo"), 2, "one\ntwo"),
        (RuntimeError(""), 1, "RuntimeError"),
    ],
)
def test_commands_end_with_one_line_and_a_status(cli, monkeypatch, raised, status, words):
    def fail(*_, **__):
        raise raised

    monkeypatch.setattr(entrance.commands, "main", fail)
    found, out, errors = cli("info")
    assert (found, out) == (status, "")
    assert errors.startswith("glassdata: error: ")
    assert words in errors
    assert "Traceback" not in errors


def test_no_arguments_ask_for_help_and_results_are_statuses(cli, monkeypatch):
    status, out, _ = cli()
    assert status == 0
    assert "Usage: glassdata" in out
    for result, expected in ((3, 3), (None, 0), ("text", 0)):
        monkeypatch.setattr(entrance.commands, "main", lambda *_, result=result, **__: result)
        assert cli("info")[0] == expected


def test_the_entry_point_exits_with_the_status_and_heeds_sigterm(monkeypatch):
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(entrance, "run", lambda arguments: len(arguments))
    monkeypatch.setattr(sys, "argv", ["glassdata", "a", "b"])
    try:
        for arguments, status in ((None, 2), (["x"], 1), ([], 0)):
            with pytest.raises(SystemExit) as end:
                entrance.main(arguments)
            assert end.value.code == status
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGTERM, before)


def test_files_that_can_be_written(tmp_path):
    check_writable(None)
    check_writable(tmp_path / "new.csv")
    for path in (tmp_path, tmp_path / "none" / "a.csv"):
        with pytest.raises(click.UsageError):
            check_writable(path)


# --- options of execution ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1), ("12", 12), ("1:1", (1, 1)), ("0:3", (0, 3)), ("2:40", (2, 40))]
)
def test_numbers_of_workers(text, value):
    assert Workers().convert(text, None, None) == value


@pytest.mark.parametrize("text", ["0", "4:2", "a", ":3", "3:x", "-1", "1.5", ""])
def test_numbers_of_workers_that_make_no_sense(text):
    with pytest.raises(click.BadParameter, match="number above 0 nor MIN:MAX"):
        Workers().convert(text, None, None)


def test_shards_count_from_one():
    assert Shard().convert("1/1", None, None) == (1, 1)
    assert Shard().convert("3/4", None, None) == (3, 4)
    for text in ("0/4", "5/4", "1", "1/", "/2", "a/b", "1/0"):
        with pytest.raises(click.BadParameter, match="1 <= I <= N"):
            Shard().convert(text, None, None)


def test_allowances_are_rows_or_a_share_of_them():
    for text, value in (("0", 0), ("7", 7), ("0%", 0.0), ("5%", 0.05), ("12.5%", 0.125)):
        found = Allowance().convert(text, None, None)
        assert (found, type(found)) == (value, type(value))
    for text in ("-5%", "100%", "1.5", "%", "x%", "-1"):
        with pytest.raises(click.BadParameter, match="neither a number of rows nor a share"):
            Allowance().convert(text, None, None)


def test_options_that_may_be_repeated_say_so():
    options = [
        option
        for command in entrance.commands.commands.values()
        for option in command.params
        if isinstance(option, click.Option)
    ]
    repeated = [option for option in options if option.multiple]
    assert repeated
    assert repeated == [o for o in options if "may be repeated" in (o.help or "")]


def executed(arguments, **options):
    got = {}

    @click.command()
    @click.option("--other", default=1)
    def command(execution, other):
        got.update(execution, other=other)

    command.callback = execution_options(command.callback, **options)
    command.params += command.callback.__click_params__[::-1]
    result = CliRunner().invoke(command, arguments)
    return got, result


def _options() -> list:
    """Every option of every command."""
    return [
        pytest.param(option, id=f"{name} {option.opts[0]}")
        for name, command in entrance.commands.commands.items()
        for option in command.params
        if isinstance(option, click.Option)
    ]


@pytest.mark.parametrize("option", _options())
def test_help_tells_what_an_option_does_and_its_default(option):
    assert option.help
    if not option.is_flag and not option.multiple and option.to_info_dict()["default"] is not None:
        assert option.show_default or "default" in option.help, "a default that nobody can see"


def test_options_of_execution_reach_the_engine():
    got, _ = executed([])
    assert got.pop("say") is not None
    assert got == {
        "cluster": "local",
        "workers": None,
        "memory_limit": None,
        "row_timeout": 3600,
        "worker_timeout": 300,
        "wait": None,
        "unfit_workers": "leave-out",
        "progress": None,
        "report": None,
        "other": 1,
    }
    given = ["--cluster", "slurm", "--workers", "2:3", "--memory-limit", "4GB", "--progress"]
    got, _ = executed([*given, "--report", "a.html", "--row-timeout", "0.5", "--other", "5"])
    assert (got["cluster"], got["workers"], got["memory_limit"]) == ("slurm", (2, 3), "4GB")
    assert (got["progress"], got["report"], got["row_timeout"]) == (True, Path("a.html"), 0.5)
    assert got["other"] == 5
    assert executed(["--row-timeout", "0"])[0]["row_timeout"] is None
    assert executed(["--row-timeout", "-1"])[1].exit_code == 2
    given = ["--worker-timeout", "5", "--wait", "0.5"]
    assert [executed(given)[0][name] for name in ("worker_timeout", "wait")] == [5, 0.5]
    # Nought is no limit, to be told from none given.
    assert executed(["--wait", "0"])[0]["wait"] == np.inf
    assert executed(["--worker-timeout", "4.9"])[1].exit_code == 2
    assert executed(["--wait", "-0.1"])[1].exit_code == 2
    # A command without rows of a store has no rows that may take too long.
    assert executed(["--row-timeout", "1"], rows=False)[1].exit_code == 2
    assert executed([], rows=False)[0]["row_timeout"] is None


# --- measured curves --------------------------------------------------------------------------


def curve(path, r, g):
    path.write_text("# r g\n" + "".join(f"{a:.9f} {b:.9f}\n" for a, b in zip(r, g, strict=True)))
    return path


def read_curve(path, edges):
    return read_measured(path, Target(edges)).g


def test_bin_means_of_a_curve_of_straight_lines_are_exact(tmp_path):
    """g = 0 up to 1, then 2 (r − 1) up to 1.5, then 1: means by hand, bins cut across corners."""
    file = curve(tmp_path / "a.gr", [0, 1, 1.5, 10], [0, 0, 1, 1])
    found = read_curve(file, np.array([0, 1.0, 1.25, 1.75, 4.0, 10.0]))
    # 1 to 1.25: mean of 0 and 0.5; 1.25 to 1.75: half of it at 0.75, half at 1.
    assert found == pytest.approx([0, 0.25, 0.875, 1, 1])


def test_a_curve_may_begin_late_where_it_is_zero_and_end_half_a_step_early(tmp_path):
    edges = np.linspace(0, 10, 101)
    r = np.arange(2.06, 9.97, 0.1)
    found = read_curve(curve(tmp_path / "a.gr", r, np.r_[0.05, np.ones(len(r) - 1)]), edges)
    assert found[:19] == pytest.approx(np.zeros(19))
    assert found[22:] == pytest.approx(np.ones(78))
    cases = {
        "begins at r = 2.06 Å with g = 0.15": (r, np.r_[0.15, np.ones(len(r) - 1)]),
        "ends at r = 9.86 Å; the model needs it": (r[:-1], np.r_[0, np.ones(len(r) - 2)]),
        "tends to 1.31 at large r": (r, np.r_[0, np.full(len(r) - 1, 1.31)]),
        "tends to 0.69 at large r": (r, np.r_[0, np.full(len(r) - 1, 0.69)]),
    }
    for words, (x, g) in cases.items():
        with pytest.raises(ValueError, match=words):
            read_curve(curve(tmp_path / "b.gr", x, g), edges)
    for height in (0.71, 1.29):
        read_curve(curve(tmp_path / "c.gr", r, np.r_[0, np.full(len(r) - 1, height)]), edges)


def test_only_the_last_fifth_of_a_curve_must_be_near_one(tmp_path):
    """It begins beyond four fifths: the point at 8 Å is not yet in it."""
    r = np.arange(0, 10.25, 0.5)
    g = np.where(r <= 8, 3.0, 1.0)
    g[0] = 0
    read_curve(curve(tmp_path / "a.gr", r, g), np.linspace(0, 10, 11))


def test_columns_come_with_blanks_commas_semicolons_and_comments(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text("r, g\nunits none\n0.0, 1\n1.0;1 # a comment\n\n2.0\t1 7 8\n")
    assert read_curve(file, np.array([0.0, 1.0, 2.0])) == pytest.approx([1, 1])
    file.write_text("0 1\n1 1\n2 x\n")
    with pytest.raises(ValueError, match="line 3: not two numbers"):
        read_curve(file, np.array([0.0, 1.0]))
    file.write_text("0 1\n1 inf\n")
    with pytest.raises(ValueError, match="line 2: not finite"):
        read_curve(file, np.array([0.0, 1.0]))
    for text in ("0 1\n", "0 1\n0 1\n"):
        file.write_text(text)
        with pytest.raises(ValueError, match="has 1 value of first column"):
            read_curve(file, np.array([0.0, 1.0]))


# --- structures -------------------------------------------------------------------------------


def saved(path, *frames):
    write(path, list(frames))
    return path


def read_argon(path):
    return read_structures(path, ("Ar",), "the system lj3d")


def box(*positions, pbc=True):
    return Atoms(f"Ar{len(positions)}", positions, cell=[12.0] * 3, pbc=pbc)


THREE = ([1.0, 1, 1], [5.0, 1, 1], [1.0, 5, 1])


@pytest.mark.parametrize(("side", "nearest"), [(3.0, 3.0), (7.0, 7.0), (15.5, 15.5), (20.0, 16.0)])
def test_the_nearest_distance_is_looked_for_as_far_as_sixteen_angstrom(side, nearest):
    assert nearest_distance(bulk("Ar", "sc", a=side)) == pytest.approx(nearest)


def test_three_atoms_are_enough_and_frames_are_counted(tmp_path):
    assert len(read_argon(saved(tmp_path / "a.xyz", box(*THREE)))) == 1
    frames = [box(*THREE), box(*THREE[:2])]
    with pytest.raises(click.UsageError, match=r"a.xyz, structure 1 has 2 atoms; at least 3"):
        read_argon(saved(tmp_path / "a.xyz", *frames))
    with pytest.raises(click.UsageError, match=r"a.xyz has 1 atom; at least 3"):
        read_argon(saved(tmp_path / "a.xyz", box([1.0, 1, 1])))
    foreign = box(*THREE)
    foreign.symbols[:2] = ["Zr", "Cu"]
    with pytest.raises(click.UsageError, match=r"holds Cu, Zr; the system lj3d has Ar"):
        read_argon(saved(tmp_path / "a.xyz", foreign))


def test_nearest_of_overlapping_atoms_are_named(tmp_path):
    near = box(*THREE, [1.0, 5, 1.25], [5.0, 1, 1.125])
    with pytest.raises(click.UsageError, match=r"1 \(Ar\) and 4 \(Ar\) overlap, 0.125 Å apart"):
        read_argon(saved(tmp_path / "a.xyz", near))
    far = box(*THREE, [1.0, 5, 1.31])
    assert len(read_argon(saved(tmp_path / "a.xyz", far))[0]) == 4


def test_structures_without_a_cell_are_refused(tmp_path):
    with pytest.raises(click.UsageError, match="no periodic cell"):
        read_argon(saved(tmp_path / "a.xyz", box(*THREE, pbc=False)))
    assert read_argon(saved(tmp_path / "a.xyz", box(*THREE, pbc=(True, True, False))))
    lost = box(*THREE)
    lost.positions[0, 0] = np.nan
    with pytest.raises(click.UsageError, match="not finite"):
        read_argon(saved(tmp_path / "a.xyz", lost))


def test_own_structures_are_minimised_only_when_asked():
    system = gd.SYSTEMS["lj3d"]
    crystal = system.crystal() * (2, 2, 2)
    crystal.rattle(0.05, seed=1)
    (plain,) = describe_all([crystal], system, relaxed=None)
    (relaxed,) = describe_all([crystal], system, relaxed="fixed")
    assert np.array_equal(plain["position"], crystal.positions)
    assert plain["max_force"] > 0.005
    assert relaxed["max_force"] < 1e-3
    assert relaxed["energy"] < plain["energy"]


def test_spectrum_prints_what_the_formulas_say(cli, tmp_path):
    """Two dimers in one box, pushed together: both rotations of each are unstable."""
    r = 1.05 * SIGMA
    pair = dimer(r)
    four = pair + pair
    four.positions[2:] += 15.0
    status, out, errors = cli("spectrum", saved(tmp_path / "a.xyz", four), "--system", "lj3d")
    assert status == 0
    force = abs(lennard_jones(r)[1]) * 3 / np.sqrt(14)
    header, line = out.splitlines()
    columns = ["structure", "atoms", "density/Å^-3", "max force/(eV/Å)", "imaginary"]
    columns += ["C/(N k_B) at 300 K", "overflow"]
    assert header.split("  ") == [*columns]
    assert line.split()[:5] == ["0", "4", f"{4 / 30**3:.5f}", f"{force:.2g}", "4"]
    assert line.endswith("%")
    assert f"structure 0 is not at a minimum (the largest force is {force:.2g} eV/Å)" in errors


def test_unstable_structure_without_forces_is_a_saddle(cli, tmp_path):
    """Simple cubic argon: no forces by symmetry, and no solid either."""
    atoms = Atoms("Ar", cell=[3.6] * 3, pbc=True) * (3, 3, 3)
    status, out, errors = cli("spectrum", saved(tmp_path / "a.xyz", atoms), "--system", "lj3d")
    assert status == 0
    imaginary = int(out.splitlines()[1].split()[4])
    assert imaginary > 0
    assert f"({imaginary} modes are imaginary)" in errors


def test_structure_at_rest_has_no_warning(cli, tmp_path):
    atoms = gd.SYSTEMS["lj3d"].crystal() * (2, 2, 2)
    status, out, errors = cli("spectrum", saved(tmp_path / "a.xyz", atoms), "--system", "lj3d")
    assert (status, errors) == (0, "")
    assert "wrote" not in out


# --- result files -----------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "named"), [(1, False), (2, True), (8, True), (9, False)])
def test_a_few_structures_are_named_in_their_figure(monkeypatch, count, named):
    """One needs no name, and many would hide the curves."""
    figure, system = Figure(), gd.SYSTEMS["lj2d"]
    monkeypatch.setattr("glassdata.cli.outputs._draw", lambda path, size, draw, said: draw(figure))
    row = {"g": np.ones(system.n_r), "pdos": np.ones(system.n_omega)}
    plot_rows(Path("a.png"), [row] * count, system)
    assert [axes.get_legend() is not None for axes in figure.axes] == [named, False]


@pytest.mark.parametrize(
    ("terminal", "data", "goes"),
    [(True, b"text", True), (True, b"\x89PNG", False), (False, b"\x89PNG", True)],
)
def test_only_text_goes_to_a_terminal(monkeypatch, terminal, data, goes):
    stdout = SimpleNamespace(isatty=lambda: terminal, buffer=io.BytesIO(), flush=lambda: None)
    monkeypatch.setattr("glassdata.cli.outputs.sys", SimpleNamespace(stdout=stdout))
    if goes:
        deliver(STDOUT, data)
    else:
        with pytest.raises(click.UsageError, match="no text for a terminal"):
            deliver(STDOUT, data)
    assert stdout.buffer.getvalue() == (data if goes else b"")


def test_errors_leave_line_by_line_and_results_all_together():
    for descriptor, at_once in ((2, True), (1, False)):
        stream = streams._stream(None, descriptor, was_open=True)
        assert (stream.line_buffering, stream.write_through) == (at_once, at_once)
        stream.detach().detach()  # or the end of the stream would close what others write to


def test_the_figure_of_a_prediction_has_its_interval_or_says_why_not(monkeypatch):
    figure, edges = Figure(), np.array([0.0, 1.0, 2.0, 3.0])
    monkeypatch.setattr("glassdata.cli.outputs._draw", lambda path, size, draw, said: draw(figure))
    Y = np.array([[1.0, 0.2, 0.5], [0.3, 0.3, 0.3]])
    known, unknown = np.array([0.4, 0.4, 0.4]), np.full(3, np.nan)
    plot_prediction(Path("a.png"), edges, Y[::-1], np.array([unknown, known]), "glass", {})
    (axes,) = figure.axes
    band = axes.collections[0].get_paths()[0].vertices
    low, high = band[1:4, 1], band[-2:-5:-1, 1]
    assert sorted([low.tolist(), high.tolist()]) == [
        pytest.approx([0.6, 0.0, 0.1]), pytest.approx([1.4, 0.6, 0.9]),
    ]  # fmt: skip
    assert len(axes.collections) == 1
    assert [line.get_linestyle() for line in axes.lines] == ["--", "-"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "outside the training set: no interval"
    ]
    figure.clear()
    plot_prediction(Path("a.png"), edges, Y[:1], known[None], "glass", {})
    assert figure.axes[0].get_legend() is None


def test_output_arrives_until_its_reader_leaves():
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    stream = streams._Patient(writer, was_open=True)
    assert stream.write(b"one") == 3
    assert os.read(reader, 9) == b"one"
    os.close(reader)
    assert [stream.write(b"two"), stream.write(b"three")] == [3, 5], "dropped, without an error"
    assert stream.failure.errno == errno.EPIPE
    os.close(writer)


@pytest.mark.parametrize(
    ("number", "status"), [(errno.EPIPE, 141), (errno.ENOSPC, 1), (errno.EDQUOT, 1)]
)
def test_only_a_reader_that_leaves_is_no_failure(monkeypatch, number, status):
    output = streams._Patient(1, was_open=True)
    output.failure = OSError(number, os.strerror(number))
    monkeypatch.setattr(streams, "_output", lambda: output)
    assert streams.end_streams(0) == status
    assert streams.end_streams(3) == 3


def test_prediction_tables_have_bin_centres_and_errors():
    text = prediction_table(
        np.array([0.0, 1.0, 3.0]), np.array([[0.5, 0.25]]), np.array([[0.1, 0.2]])
    )
    assert text == "omega_THz,pdos_per_THz,error_per_THz\n0.5,0.5,0.1\n2,0.25,0.2\n"
    bars = np.array([[0.5], [np.nan]])
    two = prediction_table(np.array([0.0, 1.0]), np.array([[1.0], [2.0]]), bars, {"input": "a.gr"})
    header = "omega_THz,pdos_0_per_THz,error_0_per_THz,pdos_1_per_THz,error_1_per_THz"
    assert two == f"{header}\n0.5,1,0.5,2,nan\n# input: a.gr\n"


def test_described_structures_become_a_dataset_with_units(tmp_path):
    system = gd.SYSTEMS["lj2d"]
    atoms = system.crystal() * (4, 3, 1)
    rows = [describe(atoms, system), describe(atoms * (2, 1, 1), system)]
    write_rows(tmp_path / "a.nc", rows, system)
    with xr.open_dataset(tmp_path / "a.nc", engine="scipy") as data:
        assert data.density.attrs["units"] == "angstrom-2"
        assert data.r.values == pytest.approx(np.arange(0.06, 12, 0.12))
        assert data.omega.values == pytest.approx(np.arange(0.015, 3, 0.03))
        assert (data.r.attrs["units"], data.omega.attrs["units"]) == ("angstrom", "THz")
        assert data.n_atoms.values.tolist() == [24, 48]
        assert data.sizes["atom"] == 72
        assert data.sizes["mode"] == 2 * 72 - 4
        assert np.array_equal(data.position.values[:24], atoms.positions)
        assert data.attrs["system"] == "lj2d"
        assert "pair" not in data.coords
    system = gd.SYSTEMS["cualzr"]
    write_rows(
        tmp_path / "b.nc", [describe(bulk("CuZr", "cesiumchloride", a=3.26), system)], system
    )
    with xr.open_dataset(tmp_path / "b.nc", engine="scipy") as data:
        assert data.density.attrs["units"] == "angstrom-3"
        assert data.pair.values.astype(str).tolist() == list(system.pairs)


# --- datasets ---------------------------------------------------------------------------------


def test_table_of_glasses(cli):
    status, out, _ = cli("systems")
    assert status == 0
    lines = {line.split()[0]: line.split() for line in out.splitlines() if line}
    assert lines["lj2d"][1:5] == ["2", "Ar", "0-12", "0-3"]
    assert lines["lj2d"][5:8] == ["demo:8", "reference:310", "paper:1000"]
    assert lines["cualzr"][1:5] == ["3", "Al-Cu-Zr", "0-10", "0-15"]


def test_dry_run_adds_up(cli, tmp_path):
    """864 atoms: 3 · 0.96 + 0.96³ = 3.765 s a row, 1000 rows 1.05 hours."""
    what = ("--profile", "paper", "--system", "lj3d", "--dry-run")
    status, out, _ = cli("build", tmp_path / "none", *what)
    assert status == 0
    line = out.splitlines()[1].split()
    assert line[:3] == ["lj3d", "1000", "864"]
    assert line[4] == "MB"
    assert line[5] == "1.05"
    assert out.splitlines()[-1] == "total: 1000 rows, about 1.05 core-hours; nothing was computed"
    two = (*what, "--system", "lj2d", "--limit", "500")
    assert "total: 1000 rows" in cli("build", tmp_path / "none", *two)[1]


def test_a_build_from_structures_takes_their_profile_and_glasses(tmp_path, monkeypatch):
    """Unless the command names others."""
    monkeypatch.setattr("glassdata.store.recorded", lambda _: ("reference", {"amc": 3, "lj2d": 2}))
    for given, expected in (
        ((None, ()), ("reference", ("amc", "lj2d"))),
        (("demo", ()), ("demo", ("amc", "lj2d"))),
        ((None, ("sic",)), ("reference", ("sic",))),
        (("demo", ("sic",)), ("demo", ("sic",))),
    ):
        assert _what_to_build(tmp_path / "store", *given, tmp_path / "old") == expected


def receipt(index, failed=False, reason="", **stages):
    return SimpleNamespace(system="ar", index=index, failed=failed, reason=reason, stages=stages)


def outcome(store, **changes):
    plain = {"goal": {"ar": 3}, "receipts": [], "problems": [], "complete": True}
    plain |= {"conflict": False, "elsewhere": 0, "lost": []}
    return SimpleNamespace(**(plain | changes))


EXECUTION = {"progress": False}


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"receipts": [receipt(0), receipt(1)]}, 0, "is complete: 2 rows computed now"),
        ({"elsewhere": 4, "receipts": [receipt(0)]}, 0, "1 rows computed now, 4 are left to other"),
        ({"complete": False, "lost": [1, 2]}, 1, "2 rows are missing, the dataset was not sealed"),
        ({"complete": False, "conflict": True}, 1, "a row disagrees with the published one"),
        ({"goal": {"ar": 0}}, 0, "is not sealed yet"),
    ],
)
def test_a_build_says_how_it_ended(tmp_path, capsys, changes, status, words):
    store = fake.sealed_store(tmp_path / "store", ("ar",), 3)
    assert report(store, outcome(store, **changes), EXECUTION) == status
    out, errors = capsys.readouterr()
    assert words in (errors if status else out)
    assert out.splitlines()[0].split() == ["system", "ok", "failed", "missing"]
    assert out.splitlines()[1].split() == ["ar", "3", "0", "0"]


def test_a_build_names_failed_rows_and_at_most_ten_problems(tmp_path, capsys):
    """Failed rows are those of the store, whoever made them; they set the exit status."""
    store = fake.sealed_store(tmp_path / "store", ("ar",), 3, compute=fake.nan_row)
    what = outcome(store, problems=[f"no {n}" for n in range(12)])
    assert report(store, what, EXECUTION) == 3
    out, errors = capsys.readouterr()
    first, *others = errors.splitlines()
    assert "g is not finite" in first
    assert "ar 1" in first
    assert others == [f"not done: no {n}" for n in range(10)]
    assert out.splitlines()[-1].endswith(", 1 have failed")
    assert report(store, what, EXECUTION, failures_are_expected=True) == 0


@pytest.mark.parametrize(("left", "status"), [([], 0), (["it is damaged still"], 1)])
def test_a_repair_ends_well_though_rows_have_failed(cli, tmp_path, monkeypatch, left, status):
    """They failed before, for reasons of their own; only their files were damaged."""
    store = fake.sealed_store(tmp_path / "store", ("ar",), 3, compute=fake.nan_row)
    findings = iter([["a damaged file"], left])
    monkeypatch.setattr("glassdata.store.verify", lambda _: next(findings))
    monkeypatch.setattr("glassdata.store.verifying.set_aside", lambda *_: [("ar", 1)])
    monkeypatch.setattr("glassdata.engine.repair", lambda *_, **__: outcome(store))
    monkeypatch.setattr("glassdata.systems.SYSTEMS", fake.SYSTEMS)
    found, out, errors = cli("repair", store)
    assert found == status
    assert "repaired: a damaged file" in out
    assert "1 rows were set aside" in out
    assert ("still bad: it is damaged still" in errors) == bool(left)


def test_a_descriptor_is_open_or_is_made_so():
    ours, theirs = os.pipe()
    assert streams._make_open(theirs)
    os.close(theirs)
    assert not streams._make_open(theirs)
    assert os.write(theirs, b"to nowhere") == 10
    os.close(theirs)
    os.close(ours)


@pytest.mark.parametrize("word", ["identical", "close", "outdated"])
def test_recomputing_explains_the_word_that_it_uses(word, cli, tmp_path, monkeypatch):
    store = fake.sealed_store(tmp_path / "store", ("ar",), 3)
    monkeypatch.setattr("glassdata.systems.SYSTEMS", fake.SYSTEMS)
    one = receipt(0)
    one.outcome = word
    found = [one], []
    monkeypatch.setattr("glassdata.engine.recompute", lambda *_, **__: found)
    monkeypatch.setattr("glassdata.engine.source_of", lambda *_: None)
    status, out, _ = cli("verify", store, "--recompute", 1)
    assert status == 0
    assert f"ar 0: {word}" in out
    assert ("close means within 0.001" in out) == (word == "close")
    assert ("outdated means: made by an older version" in out) == (word == "outdated")


def test_a_watched_build_says_where_the_time_went(tmp_path, capsys):
    store = fake.sealed_store(tmp_path / "store", ("ar",), 3)
    rows = [receipt(n, generate=3.0, rdf=1.0, total=5.0) for n in range(2)] + [receipt(2)]
    report(store, outcome(store, receipts=rows), {"progress": True})
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["stage", "core-seconds", "per", "row", "%"] in lines
    assert ["generate", "6.0", "3", "60"] in lines
    assert ["rdf", "2.0", "1", "20"] in lines
    assert ["other", "2.0", "1", "20"] in lines


# --- experiments ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "status", "out", "errors"),
    [
        ({}, 0, "weights: 2 of 3 results computed now\nwrote a.zip\n", ""),
        ({"archive": None, "problems": ["a.b: no"]}, 1, "weights: 2 of 3 results computed now\n",
         "glassdata: a.b: no\nincomplete; the same command computes what is missing\n"),
        ({"left_out": [1, 2]}, 0, "weights: 2 of 3 results computed now\nwrote a.zip\n",
         "glassdata: warning: 2 results of networks left out: PyTorch is missing (make cnn)\n"),
        ({"lacking": {"a": "b.txt"}}, 0, "weights: 2 of 3 results computed now\nwrote a.zip\n",
         "glassdata: warning: a is left out: b.txt is missing (see glassdata systems)\n"),
        ({"damaged": ["weights/a.npz: checksum does not match"]}, 0,
         "weights: 2 of 3 results computed now\nwrote a.zip\n",
         "glassdata: warning: {output}/weights/a.npz: checksum does not match; it is made again\n"),
    ],
)  # fmt: skip
def test_experiments_say_how_they_ended(cli, monkeypatch, tmp_path, changes, status, out, errors):
    plain = {"computed": 2, "results": 3, "left_out": [], "problems": [], "damaged": []}
    plain |= {"archive": "a.zip", "lacking": {}}
    asked = {}

    def run_experiment(name, store, output, **execution):
        asked.update(execution, name=name, store=store, output=output)
        return SimpleNamespace(**(plain | changes))

    monkeypatch.setattr("glassdata.experiments.run", run_experiment)
    found = cli("experiment", "weights", "-o", tmp_path / "new", "--workers", 3)
    assert found == (status, out, errors.format(output=tmp_path / "new"))
    assert (asked["name"], asked["store"], asked["workers"]) == ("weights", None, 3)
    assert asked["output"] == tmp_path / "new"


def test_results_are_a_folder(cli, tmp_path):
    (tmp_path / "file").write_text("")
    status, _, errors = cli("experiment", "weights", "-o", tmp_path / "file")
    assert status == 2
    assert "is a file, not a folder" in errors


# --- models -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "folds"), [(6, 3), (8, 4), (14, 5)])
def test_fit_holds_out_whole_families_in_at_most_five_folds(
    cli, monkeypatch, tmp_path, count, folds
):
    """Fake rows come in families of two."""
    from glassdata import evaluation

    store, seen = fake.sealed_store(tmp_path / "s", ("ar",), count), {}
    real = evaluation.cross_validate

    def watched(estimator, X, Y, groups, *, n_splits):
        seen.update(
            n_splits=n_splits, groups=groups, found=real(estimator, X, Y, groups, n_splits=n_splits)
        )
        return seen["found"]

    monkeypatch.setattr(evaluation, "cross_validate", watched)
    status, out, _ = cli("fit", store, "--system", "ar", "-o", tmp_path / "m.npz")
    assert status == 0
    assert seen["n_splits"] == folds
    assert seen["groups"].tolist() == [n // 2 for n in range(count)]
    held_out = seen["found"]
    assert out.startswith(f"ridge on {count} structures of ar: held-out R² {held_out.r2:.4f}, ")
    # What the interval is made of: the errors of what was held out, one by one.
    saved, meta = gd.models.load(tmp_path / "m.npz")
    assert saved.calibration.errors == pytest.approx(held_out.truth - held_out.prediction)
    assert saved.calibration.family.tolist() == [n // 2 for n in range(count)]
    assert meta["n_atoms"] == [
        int(saved.calibration.n_atoms.min()),
        int(saved.calibration.n_atoms.max()),
    ]


# --- what is written, and by whom ---------------------------------------------------------------


def test_one_file_cannot_be_two_outputs(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    check_writable(tmp_path / "a.nc", tmp_path / "b.png")
    with pytest.raises(click.UsageError, match="cannot be two outputs at once"):
        check_writable(tmp_path / "a.nc", tmp_path / "link" / "a.nc")


def test_makers_of_rows_are_told_by_their_versions():
    maker = {"rows": 2, "versions": {"numpy": "2.4", "scipy": "1.17"}, "code": "abc"}
    assert data._maker(maker) == "2 rows made with numpy=2.4 scipy=1.17, code abc"
    nobody = data._maker(maker | {"versions": {}, "code": ""})
    assert nobody == "2 rows made with versions that nobody knows"
