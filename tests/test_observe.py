"""The command ``observe``: values, file, and one line for whatever is wrong."""

import ase.io
import numpy as np
import pytest
import xarray as xr
from ase.build import bulk

import glassdata as gd
from glassdata.cli import run
from glassdata.cli.observing import NAMES, _summary
from glassdata.observables import OBSERVABLES


@pytest.fixture
def crystals(tmp_path):
    """Two crystals of argon, of 108 and 32 atoms, at rest."""
    argon = gd.SYSTEMS["lj3d"].crystal()
    path = tmp_path / "argon.extxyz"
    ase.io.write(path, [argon * (3, 3, 3), argon * (2, 2, 2)])
    return path


def test_every_observable_has_a_name_on_the_command_line():
    assert set(NAMES) == set(OBSERVABLES)


def test_values_are_printed_and_written(crystals, tmp_path, capsys):
    out = tmp_path / "argon.nc"
    options = [
        x for n in ("heat", "elastic", "participation", "scattering") for x in ("--observable", n)
    ]
    assert run(["observe", str(crystals), "--system", "lj3d", *options, "-o", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "bulk_modulus" in printed
    assert "eV angstrom-3" in printed
    with xr.load_dataset(out, engine="scipy") as found:
        assert found.n_modes.values.tolist() == [321, 93]
        assert found.participation_ratio.shape == (414,)
        assert found.heat_capacity.sel(temperature=1000.0).values == pytest.approx(3.0, abs=2e-3)
        assert found.elastic_moduli.shape == (2, 6, 6)
        # The same crystal in two cells, which a file holds to eight digits.
        assert found.bulk_modulus.values[0] == pytest.approx(found.bulk_modulus.values[1], rel=1e-5)
        assert found.wave_vector.shape[0] == found.n_waves.values.sum()
        assert all("units" in v.attrs for v in found.values() if not v.name.startswith("n_"))


def test_a_few_values_are_printed_and_many_are_counted():
    values = [{"thermal_conductivity": np.arange(n) / 2} for n in (1, 6, 7)]
    lines = _summary(values, gd.SYSTEMS["si"]).splitlines()[1:]
    shown = [line.split("thermal_conductivity")[1].removesuffix("W m-1 K-1") for line in lines]
    assert [one.strip() for one in shown] == ["0", "0 0.5 1 1.5 2 2.5", "7 values"]
    assert all(line.endswith("W m-1 K-1") for line in lines)


@pytest.mark.parametrize(
    ("observable", "system", "says"),
    [
        ("conductivity", "cualzr", "structure 0: Al-Cu-Zr is a metal"),
        ("conductivity", "lj3d", "structure 1: the structure is not at rest"),
        ("raman", "sic", "structure 0: no bond polarizability of C-Si is known"),
        ("weather", "lj3d", "'weather' is not one of"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(observable, system, says, crystals, tmp_path, capsys):
    path = crystals
    if system != "lj3d":
        path = tmp_path / "crystal.extxyz"
        ase.io.write(path, gd.SYSTEMS[system].crystal())
    if (observable, system) == ("conductivity", "lj3d"):
        argon = gd.SYSTEMS["lj3d"].crystal()
        moved = argon * (2, 2, 2)
        moved.rattle(0.1, seed=0)
        ase.io.write(path, [argon * (4, 4, 4), moved])
    assert run(["observe", str(path), "--system", system, "--observable", observable]) == 2
    complaint = capsys.readouterr().err
    assert says in complaint
    assert len(complaint.splitlines()) == 1


def test_a_structure_must_be_at_rest_or_be_relaxed(tmp_path, capsys):
    path = tmp_path / "moved.extxyz"
    moved = bulk("Ar", a=5.3, cubic=True) * (2, 2, 2)
    moved.rattle(0.1, seed=0)
    ase.io.write(path, moved)
    command = ["observe", str(path), "--system", "lj3d", "--observable", "heat"]
    assert run(command) == 2
    assert "structure 0: the structure is not at rest" in capsys.readouterr().err
    assert run([*command, "--relax"]) == 0
    assert "heat_capacity" in capsys.readouterr().out


def test_a_store_is_no_file_of_structures(tmp_path, capsys):
    command = ["observe", str(tmp_path), "--system", "lj3d", "--observable", "heat"]
    assert run(command) == 2
    assert "is a store; observe takes a file of structures" in capsys.readouterr().err
