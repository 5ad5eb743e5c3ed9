"""Files as users have them: each gives the right number or one clear line, none a traceback."""

import hashlib
import io
import json
import shutil
import sys

import numpy as np
import pytest
import xarray as xr
from ase import Atoms
from ase.build import bulk
from ase.constraints import FixAtoms
from ase.io import read, write

import glassdata as gd
from glassdata.cli.calculators import parse
from glassdata.cli.formats import UNITS, Reading
from glassdata.cli.inputs import laid_flat
from glassdata.describe import Structure
from glassdata.mpi import ready_for_lammps
from glassdata.thermal import mode_heat_capacity
from glassdata.units import LENGTHS

ARGON = gd.SYSTEMS["lj3d"]


def argon() -> Atoms:
    return ARGON.crystal() * (2, 2, 2)


def density_in(out: str) -> float:
    return float(out.splitlines()[1].split()[2])


def energy_of(path) -> float:
    with xr.open_dataset(path, engine="scipy") as data:
        return float(data.energy[0])


# --- what can be read -------------------------------------------------------------------------


def lammps_data(path, atoms):
    write(path, atoms, format="lammps-data")


def dump(path, atoms, frames=1):
    text = ""
    for step in range(frames):
        a, b, c = atoms.cell.lengths().tolist()
        text += f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{len(atoms)}\n"
        text += f"ITEM: BOX BOUNDS pp pp pp\n0 {a!r}\n0 {b!r}\n0 {c!r}\nITEM: ATOMS id type x y z\n"
        for n, (x, y, z) in enumerate(atoms.positions.tolist(), 1):
            text += f"{n} 1 {x!r} {y!r} {z!r}\n"
    path.write_text(text)


def in_unit(unit):
    def save(path, atoms):
        scaled = atoms.copy()
        scaled.set_cell(atoms.cell / LENGTHS[unit], scale_atoms=True)
        write(path, scaled)

    return save


#: Name, how it is written, and the options with which it is the same crystal.
READABLE = {
    "a.xyz": (write, ()),
    "a.cif": (write, ()),
    "POSCAR": (write, ()),
    "a.traj": (write, ()),
    "a.json": (write, ()),
    "a.xsf": (write, ()),
    "a.data": (lammps_data, ("--species", "Ar")),
    "a.lmp": (lammps_data, ("--species", "Ar")),
    "a.lammpstrj": (dump, ("--species", "Ar")),
    "dump.0": (dump, ("--species", "Ar")),
    "strange.name": (lambda p, a: write(p, a, format="extxyz"), ("--format", "extxyz")),
    "bohr.xyz": (in_unit("bohr"), ("--length-unit", "bohr")),
    "nm.xyz": (in_unit("nm"), ("--length-unit", "nm")),
}


@pytest.mark.parametrize("name", READABLE)
def test_every_file_of_one_crystal_is_that_crystal(name, cli, tmp_path):
    save, options = READABLE[name]
    save(tmp_path / name, argon())
    status, out, errors = cli(
        "spectrum", tmp_path / name, "--system", "lj3d", *options, "-o", tmp_path / "out.nc"
    )
    assert status == 0, errors
    energy = ARGON.potential.evaluate(argon())[0] / len(argon())
    # Files hold five digits and more; at rest an energy changes with their square.
    assert energy_of(tmp_path / "out.nc") == pytest.approx(energy, rel=1e-6)
    assert density_in(out) == pytest.approx(len(argon()) / argon().cell.volume, abs=1e-5)


def test_standard_input_frames_and_several_files(cli, tmp_path, monkeypatch):
    frames = [argon(), argon() * (2, 1, 1), argon()]
    write(tmp_path / "three.xyz", frames)
    data = (tmp_path / "three.xyz").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    status, out, errors = cli("spectrum", "-", "--system", "lj3d")
    assert (status, len(out.splitlines())) == (0, 5), errors
    assert out.splitlines()[-1].split()[0] == "mean"
    status, out, _ = cli("spectrum", tmp_path / "three.xyz", "--system", "lj3d", "--index", "1")
    assert out.splitlines()[1].split()[1] == "64"
    two = (tmp_path / "three.xyz", tmp_path / "three.xyz")
    status, out, _ = cli("spectrum", *two, "--index", "::2", "--system", "lj3d")
    assert [line.split()[1] for line in out.splitlines()[1:5]] == ["32"] * 4
    dump(tmp_path / "run.lammpstrj", argon(), frames=2)
    what = ("--system", "lj3d", "--species", "Ar", "-o", tmp_path / "run.nc")
    assert cli("spectrum", tmp_path / "run.lammpstrj", *what)[0] == 0
    with xr.open_dataset(tmp_path / "run.nc", engine="scipy") as found:
        assert found.sizes["structure"] == 2
        assert np.allclose(found.mean_pdos, found.pdos.mean("structure"))


def test_a_sheet_in_another_plane_is_turned(cli, tmp_path):
    """g(r), energy and modes do not depend on how the sheet lies in space."""
    carbon = gd.SYSTEMS["amc"]
    sheet = carbon.crystal() * (3, 2, 1)
    sheet.rattle(0.02, seed=0)
    upright = sheet.copy()
    upright.set_cell(sheet.cell.array[[2, 0, 1]][:, [2, 0, 1]])
    upright.set_positions(sheet.positions[:, [2, 0, 1]])
    upright.set_pbc((False, True, True))
    turned = laid_flat(upright)
    assert carbon.potential.evaluate(turned)[0] == pytest.approx(
        carbon.potential.evaluate(sheet)[0], rel=1e-9
    )
    write(tmp_path / "up.xyz", upright)
    status, _, errors = cli("spectrum", tmp_path / "up.xyz", "--system", "amc")
    assert status == 0, errors
    write(tmp_path / "slab.vasp", sheet)
    status, _, errors = cli("spectrum", tmp_path / "slab.vasp", "--system", "amc")
    assert (status, "--pbc" in errors) == (2, True)
    assert cli("spectrum", tmp_path / "slab.vasp", "--system", "amc", "--pbc", "TTF")[0] == 0
    assert laid_flat(sheet) is sheet


# --- what is refused --------------------------------------------------------------------------

CIF = """data_mixed
_cell_length_a 5.43
_cell_length_b 5.43
_cell_length_c 5.43
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Ar1 Ar 0 0 0 0.5
Kr1 Kr 0 0 0 0.5
Ar2 Ar 0.5 0.5 0 1.0
Ar3 Ar 0.5 0 0.5 1.0
"""


def constrained(path):
    atoms = argon()
    atoms.set_constraint(FixAtoms([0, 1]))
    write(path, atoms)


def kinds():
    """Argon of two types."""
    atoms = argon()
    atoms.symbols[::2] = "Kr"
    return atoms


REFUSED = {
    "mixed.cif": (lambda p: p.write_text(CIF), (), "site 0 holds Ar 0.5, Kr 0.5"),
    "fixed.vasp": (constrained, (), "has constraints (FixAtoms)"),
    "bohr.xyz": (lambda p: in_unit("bohr")(p, argon()), (), "--length-unit bohr"),
    "nm.xyz": (lambda p: in_unit("nm")(p, argon()), (), "nm"),
    "gas.xyz": (lambda p: write(p, Atoms("Ar4", [[0, 0, 0], [20, 0, 0], [0, 20, 0], [0, 0, 20]],
                                         cell=[40] * 3, pbc=True)), (), "more than"),
    "types.lammpstrj": (lambda p: dump(p, argon()), (), "--species"),
    "few.lammpstrj": (lambda p: dump(p, argon()), ("--species", "Cu"), "holds Cu"),
    "a.xyz": (lambda p: write(p, argon()), ("--species", "Qq"), "no chemical symbol"),
    "b.xyz": (lambda p: write(p, argon()), ("--index", "first"), "neither a number nor a slice"),
    "c.xyz": (lambda p: write(p, argon()), ("--index", "7"), "c.xyz holds no structure 7"),
    "d.xyz": (lambda p: write(p, argon()), ("--pbc", "maybe"), "not like TTF"),
    "e.xyz": (lambda p: write(p, argon()), ("--pbc", "TTF"), "3 periodic directions"),
    "f.xyz": (lambda p: write(p, argon()), ("--format", "magic"), "no format 'magic'"),
    "g.xyz": (lambda p: write(p, argon()), ("--format", "vasp"), "g.xyz is not a readable"),
    "h.xyz": (lambda p: write(p, argon()), ("--relax", "often"), "--relax"),
    "two.data": (lambda p: write(p, kinds(), format="lammps-data"), ("--species", "Ar"), "types"),
    "table.dat": (lambda p: p.write_text("1 2\n3 4\n"), (), "seems to be a table of numbers"),
    "folder": (lambda p: p.mkdir(), (), "folder is a folder"),
    "l.xyz": (lambda p: write(p, argon()), ("-o", "a.csv"), "must end in .nc"),
    "m.xyz": (lambda p: write(p, argon()), ("--structure", "a.cif"), "must end in .xyz"),
    "torn.data": (lambda p: p.write_text("# LAMMPS\n\n4 atoms\n0 9 xlo xhi\n"), (), "torn.data"),
    "i.xyz": (lambda p: write(p, argon()), ("--temperature", "-3"), "temperature"),
    "j.xyz": (lambda p: write(p, argon()), ("--plot", "a.doc"), "cannot write this kind"),
    "k.xyz": (lambda p: write(p, argon()), ("--workers", "2"), "--calculator, which is missing"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_every_other_file_is_refused_in_one_line(name, cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make, options, words = REFUSED[name]
    make(tmp_path / name)
    status, _, errors = cli("spectrum", tmp_path / name, "--system", "lj3d", *options)
    assert status == 2, errors
    assert errors.startswith("glassdata: error: ")
    assert len(errors.splitlines()) == 1, errors
    assert words in errors


@pytest.mark.parametrize("unit", ["bohr", "angstrom"])
def test_with_a_calculator_lengths_that_look_like_bohr_are_doubted(unit, cli, tmp_path):
    copper = bulk("Cu", cubic=True) * (2, 2, 2)
    in_unit(unit)(tmp_path / "cu.xyz", copper)
    what = ("spectrum", tmp_path / "cu.xyz", "--calculator", "ase.calculators.emt.EMT")
    status, _, errors = cli(*what)
    assert status == 0
    assert ("if lengths are in Bohr" in errors) == (unit == "bohr")


def test_what_was_refused_can_be_insisted_on(cli, tmp_path):
    constrained(tmp_path / "fixed.vasp")
    one = ("spectrum", tmp_path / "fixed.vasp", "--system", "lj3d", "--unconstrained")
    assert cli(*one)[0] == 0
    in_unit("bohr")(tmp_path / "wide.xyz", argon())
    wide = ("spectrum", tmp_path / "wide.xyz", "--system", "lj3d", "--length-unit", "angstrom")
    status, _, errors = cli(*wide)
    assert (status, "not at a minimum" in errors) == (0, True)


# --- what is computed and written -------------------------------------------------------------


def test_relaxed_structures_masses_and_settings_are_written(cli, tmp_path):
    start = argon()
    start.set_cell(1.02 * start.cell, scale_atoms=True)
    start.rattle(0.05, seed=1)
    start.set_masses([40.0] * len(start))
    write(tmp_path / "a.xyz", start, format="extxyz", columns=["symbols", "positions", "masses"])
    what = ("spectrum", tmp_path / "a.xyz", "--system", "lj3d")
    out = ("-o", tmp_path / "a.nc", "--structure", tmp_path / "b.xyz")
    assert cli(*what, "--relax", "pressure", *out)[0] == 0
    rested = read(tmp_path / "b.xyz")
    assert rested.get_masses() == pytest.approx(40.0)
    # At zero pressure the crystal has its own volume again; forces are left to 1e-4 eV/Å.
    volume = ARGON.crystal().cell.volume * len(rested) / len(ARGON.crystal())
    assert rested.cell.volume == pytest.approx(volume, rel=1e-3)
    assert cli(*what, "--relax", "--structure", tmp_path / "c.xyz")[0] == 0
    assert read(tmp_path / "c.xyz").cell.volume == pytest.approx(start.cell.volume)
    with xr.open_dataset(tmp_path / "a.nc", engine="scipy") as found:
        assert (found.mass == 40.0).all()
        assert json.loads(found.attrs["settings"])["relax"] == "pressure"
        assert found.attrs["input"] == "a.xyz"
        assert len(found.attrs["input_sha256"]) == 64
        assert found.attrs["glassdata_version"] == gd.__version__
        assert found.r_edges.values == pytest.approx(ARGON.r_edges)
        modes = found.frequency.values
    status, table, _ = cli(*what, "--relax", "pressure")
    heat = mode_heat_capacity(modes, 300.0).sum() / len(start)
    assert table.splitlines()[1].split()[5] == f"{heat:.4f}"
    for other in (("-o", "./x.nc", "--structure", "x.nc"), ("-o", "-", "--structure", "-")):
        status, _, errors = cli(*what, *other)
        assert (status, "two outputs" in errors) == (2, True)


def test_every_output_says_what_it_was_made_of(cli, tmp_path, monkeypatch):
    """Version, name and sha256 of the input: netCDF, structures, pictures, tables and models."""
    monkeypatch.chdir(tmp_path)
    write("a.xyz", argon())
    sha = hashlib.sha256((tmp_path / "a.xyz").read_bytes()).hexdigest()
    what = ("a.xyz", "--system", "lj3d")
    out = ("-o", "a.nc", "--structure", "b.xyz", "--plot", "a.png")
    assert cli("spectrum", *what, *out)[0] == 0
    assert cli("predict", *what, "-o", "a.csv", "--plot", "b.svg")[0] == 0
    assert cli("observe", *what, "--observable", "heat", "-o", "o.nc")[0] == 0
    assert cli("fit", "--system", "lj3d", "-o", "m.npz")[0] == 0
    assert read("b.xyz").info["input_sha256"] == sha
    for name in ("a.nc", "b.xyz", "a.png", "a.csv", "b.svg", "o.nc"):
        content = (tmp_path / name).read_bytes()
        assert sha.encode() in content, name
        assert gd.__version__.encode() in content, name
    about = gd.models.load("m.npz")[1]["about"]
    assert about["glassdata_version"] == gd.__version__
    assert json.loads(about["settings"]) == {"model": "ridge", "system": "lj3d"}


def test_modes_of_frequency_zero_do_not_depend_on_rounding():
    """Four atoms that feel nothing: no mode is imaginary, and all lie in the first bin."""
    rng = np.random.default_rng(0)
    for _ in range(3):
        places = 20.0 * np.eye(4)[:, :3] + 1e-3 * rng.normal(size=(4, 3))
        free = Structure(Atoms("Ar4", places, cell=[40] * 3, pbc=True), ARGON)
        assert (int(free["n_imaginary"]), float(free["overflow"])) == (0, 0.0)
        assert free["pdos"][0] == pytest.approx(1 / ARGON.omega_edges[1])
    # The same where rounding left something: the sign of what is nothing does not count.
    for sign in (1, -1):
        free.modes = sign * 1e-5 * ARGON.omega_max * np.ones(9)
        assert int(free["n_imaginary"]) == 0


def test_lammps_is_a_calculator_too(cli, tmp_path):
    """The same pair potential in LAMMPS and in ASE, cut where it has ended."""
    if not ready_for_lammps():
        pytest.skip("no MPI library, which LAMMPS needs")
    write(tmp_path / "a.xyz", ARGON.crystal() * (3, 3, 3))
    lines = ["pair_style lj/cut 8.0", "pair_coeff * * 0.0103 3.405"]
    argued = json.dumps({"lmpcmds": lines, "atom_types": {"Ar": 1}, "keep_alive": True})
    ase = "ase.calculators.lj.LennardJones:epsilon=0.0103,sigma=3.405,rc=8.0"
    found = []
    for text in (f"ase.calculators.lammpslib.LAMMPSlib:{argued}", ase):
        what = ("spectrum", tmp_path / "a.xyz", "--calculator", text, "-o", tmp_path / "a.nc")
        status, _, errors = cli(*what)
        assert status == 0, errors
        with xr.open_dataset(tmp_path / "a.nc", engine="scipy") as data:
            found.append(np.sort(data.frequency.values))
    # Steps of both are chosen by themselves.
    assert found[0] == pytest.approx(found[1], abs=1e-3 * found[1].max())


def test_heat_capacity_of_einstein():
    """Limits: Dulong and Petit above, nothing below; 0.92067 where hν = kT."""
    nu = 300.0 * 8.617333262e-5 / 4.135667696e-3  # THz
    found = mode_heat_capacity(np.array([1e-9, nu, 1e4]), 300.0)
    assert found == pytest.approx([1.0, np.e / (np.e - 1) ** 2, 0.0], abs=1e-6)


def test_an_argument_that_a_calculator_swallows_is_named(cli, tmp_path):
    write(tmp_path / "a.xyz", argon())
    right = "ase.calculators.lj.LennardJones:epsilon=0.0103,sigma=3.405,rc=8.0"
    for text, swallowed in ((right, False), (right.replace("rc", "r_cut"), True)):
        status, _, errors = cli("spectrum", tmp_path / "a.xyz", "--calculator", text)
        assert status == 0, errors
        assert ("does not speak of an argument 'r_cut'" in errors) == swallowed


def test_a_calculator_gives_what_our_potential_gives(cli, tmp_path):
    """Copper with ASE's EMT: an alloy we have no potential for; argon with the same energies."""
    copper = bulk("Cu", cubic=True) * (2, 2, 2)
    write(tmp_path / "cu.xyz", copper)
    emt = ("--calculator", "ase.calculators.emt.EMT")
    status, _, errors = cli("spectrum", tmp_path / "cu.xyz", *emt, "-o", tmp_path / "cu.nc")
    assert status == 0
    assert "second derivatives by steps of" in errors
    from ase.calculators.emt import EMT

    expected = gd.frequencies(copper, EMT())[3:]
    with xr.open_dataset(tmp_path / "cu.nc", engine="scipy") as found:
        # Differences of forces by 1e-4 Å, in THz; single precision of the stored variable is gone.
        assert np.allclose(np.sort(found.frequency), np.sort(expected), atol=1e-3)
        assert float(found.omega_edges[-1]) >= expected.max()
        assert float(found.overflow[0]) < 0.02
        assert "independent of the step" in found.attrs["notes"]
        assert found.sizes["r"] == found.sizes["omega"] == 100


def test_beside_a_system_the_calculator_gives_the_forces(cli, tmp_path):
    """The system still gives the bins: frequencies of argon twice as stiff grow by √2."""
    write(tmp_path / "a.xyz", argon())
    twice = "ase.calculators.lj.LennardJones:epsilon={},sigma=3.405,rc=8.0"
    highest = []
    for epsilon in (0.0103, 0.0206):
        output = tmp_path / f"{epsilon}.nc"
        what = ("--system", "lj3d", "--calculator", twice.format(epsilon), "-o", output)
        assert cli("spectrum", tmp_path / "a.xyz", *what)[0] == 0
        with xr.open_dataset(output, engine="scipy") as found:
            highest.append(float(found.frequency.max()))
            np.testing.assert_allclose(found.r_edges, gd.SYSTEMS["lj3d"].r_edges)
    assert highest[1] / highest[0] == pytest.approx(np.sqrt(2), rel=1e-3)


@pytest.mark.slow
def test_workers_share_the_displacements(cli, tmp_path):
    """The same table, to the last digit, after a relaxation that needs Hessians too."""
    copper = bulk("Cu", cubic=True)
    copper.rattle(0.05, seed=0)
    write(tmp_path / "cu.xyz", copper)
    one = ("spectrum", tmp_path / "cu.xyz", "--calculator", "ase.calculators.emt.EMT", "--relax")
    assert cli(*one, "--workers", "2") == cli(*one)


ODD = """
import numpy as np
from ase.calculators.calculator import Calculator, all_changes

class Strange(Exception):
    pass

class Unmade:
    def __init__(self):
        raise KeyError("weights")

class Silent:
    def __init__(self):
        raise Strange

class Springs(Calculator):
    implemented_properties = ["energy", "forces"]

    def calculate(self, atoms, properties, system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.results = {"energy": 0.0, "forces": self.forces(atoms.positions)}

class Broken(Springs):
    def forces(self, x):
        raise Strange("at the first step")

class Rough(Springs):
    def forces(self, x):
        return -np.sign(np.sin(1e6 * x))

class Turning(Springs):
    def forces(self, x):
        return -x - np.roll(x, 1, axis=1)
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("EMT", "package.module.Name"),
        ("no.such.Module", "no calculator no.such:Module"),
        ("ase.calculators.emt.Nothing", "no calculator"),
        ("ase.calculators.lj.LennardJones:sigma", "key=value"),
        ("ase.calculators.lj.LennardJones:{sigma", "--calculator: "),
        ("ase.calculators.lj.LennardJones:sigma=[", "cannot be made: "),
        ("ase.calculators.emt.EMT", "EMT failed: "),
        ("...", "package.module.Name"),
        ("json.JSONDecoder", "json.JSONDecoder is no calculator of ASE"),
        ("odd.Unmade", "odd.Unmade cannot be made: 'weights'"),
        ("odd.Silent", "odd.Silent cannot be made: Strange"),
        ("odd.Broken", "odd.Broken failed: at the first step"),
        ("odd.Rough", "odd.Rough failed: its forces are not smooth"),
        ("odd.Turning", "odd.Turning failed: its forces have no energy"),
    ],
)
def test_calculators_that_cannot_be_used(text, words, cli, tmp_path, monkeypatch):
    write(tmp_path / "a.xyz", argon())
    (tmp_path / "odd.py").write_text(ODD)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "odd", raising=False)
    status, _, errors = cli("spectrum", tmp_path / "a.xyz", "--calculator", text)
    assert status in (1, 2)
    assert len(errors.splitlines()) == 1, errors
    assert words in errors


def test_a_reader_that_was_told_nothing_assumes_nothing():
    assert Reading().told() == {"index": ":"}  # all frames


def test_arguments_of_a_calculator():
    found = parse('ase.calculators.lj.LennardJones:{"sigma": 3.4, "rc": 8}', ("Ar",))
    assert found.arguments == {"sigma": 3.4, "rc": 8}
    assert parse("ase.calculators.lj.LennardJones:sigma=3.4,rc=8", ("Ar",)) == found


def test_units_are_those_that_the_options_list():
    assert tuple(LENGTHS) == UNITS


# --- predictions ------------------------------------------------------------------------------


def table(text: str) -> np.ndarray:
    return np.genfromtxt(text.splitlines(), delimiter=",", names=True)


@pytest.fixture(scope="module")
def sheet():
    return gd.dataset("amc")


def test_a_shipped_line_needs_no_fit(cli, tmp_path, sheet, monkeypatch):
    """From the structure, its own netCDF and its g(r) as text: the same answer."""
    k = int(np.flatnonzero(sheet.classes == "amorphous")[0])
    atoms = sheet.atoms(k)
    write(tmp_path / "a.xyz", atoms)
    status, out, errors = cli("predict", tmp_path / "a.xyz", "--system", "amc")
    assert status == 0, errors
    found = table(out)
    assert (found["error_per_THz"] > 0).all()
    assert "spectrum: mean frequency" in errors
    write(tmp_path / "two.xyz", [atoms, sheet.atoms(k)])
    status, _, of_two = cli("predict", tmp_path / "two.xyz", "--system", "amc")
    for number in (0, 1):
        assert f"spectrum {number}: mean frequency" in of_two
    assert f"# glassdata_version: {gd.__version__}" in out
    assert "\n# held-out R²: 0." in out
    edges = gd.SYSTEMS["amc"].omega_edges
    assert f"\n# bins: {len(edges) - 1} from 0 to {edges[-1]:g} THz\n" in out
    g = gd.rdf(atoms, sheet.r_edges, dim=2)
    np.savetxt(tmp_path / "g.csv", np.column_stack([sheet.r, g]), header="r g", delimiter=",")
    status, again, _ = cli("predict", tmp_path / "g.csv", "--system", "amc")
    assert np.allclose(table(again)["pdos_per_THz"], found["pdos_per_THz"], rtol=1e-4)
    piped = io.TextIOWrapper(io.BytesIO((tmp_path / "g.csv").read_bytes()))
    monkeypatch.setattr(sys, "stdin", piped)
    status, same, errors = cli("predict", "-", "--kind", "g", "--system", "amc")
    assert (status, table(same).tolist()) == (0, table(again).tolist()), errors
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"1 x")))
    status, _, errors = cli("predict", "-", "--kind", "g", "--system", "amc")
    assert status != 0
    assert "standard input holds no two columns of numbers" in errors
    # Nine bins of ten, of one structure that was among the training set: not far from all.
    inside = np.abs(found["pdos_per_THz"] - sheet.Y[k]) <= found["error_per_THz"]
    assert inside.mean() > 0.75


def test_a_model_file_serves_as_well(cli, tmp_path, sheet):
    write(tmp_path / "a.xyz", sheet.atoms(0))
    model = tmp_path / "amc.npz"
    status, out, errors = cli("fit", "--system", "amc", "-o", model)
    assert (status, errors) == (0, "")
    assert out.endswith(f"wrote {model}\n")
    assert "held-out R²" in out
    first = cli("predict", model, tmp_path / "a.xyz")
    assert first[0] == 0
    assert first[2] == cli("predict", tmp_path / "a.xyz", "--model", model)[2]
    shipped = table(cli("predict", tmp_path / "a.xyz", "--system", "amc")[1])
    assert np.allclose(table(first[1])["error_per_THz"], shipped["error_per_THz"])
    meta = gd.models.load(model)[1]
    assert meta["n_atoms"] == [int(sheet.n_atoms.min()), int(sheet.n_atoms.max())]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("a.xyz", "--system", "lj3d", "-o", "a.xyz"), "being read"),
        (("a.xyz", "--system", "lj3d", "--plot", "-"), "two outputs"),
        (("a.xyz", "--system", "lj3d", "--plot", "a.doc"), "cannot write this kind"),
        (("a.xyz", "--system", "lj3d", "-o", "no/where.csv"), "there is no folder"),
        (("a.xyz", "--system", "sic"), "a.xyz holds Ar"),
        (("b.csv", "--system", "lj3d"), "another substance"),
        (("a.csv", "--system", "amc", "--length-unit", "bohr"), "ends at r ="),
        (("a.csv", "--system", "amc", "--temperature", "-1"), "temperature"),
        (("a.xyz",), "--system NAME, or --model MODEL"),
        (("a.xyz", "--system", "amc", "--model", "m.npz"), "exclude"),
        (("a.xyz", "--system", "amcc"), "amcc"),
        (("none.xyz", "--system", "amc"), "there is no file none.xyz"),
        (("a.xyz", "--model", "none.npz"), "there is no model file none.npz"),
        (("a.xyz", "--model", "a.xyz"), "a.xyz"),
        (("a.csv", "--system", "amc", "--kind", "S"), "three dimensions"),
        (("a.csv", "--system", "amc", "--density", "0"), "density"),
        (("a.csv", "--system", "amc", "--kind", "H"), "--kind"),
        (("a.csv", "--system", "amc", "-o", "p.nc"), "must end in .csv"),
        (("folder", "--system", "amc"), "folder is a folder"),
        (("empty.npz", "--system", "amc"), "not a readable structure file"),
    ],
)
def test_what_cannot_be_predicted(arguments, words, cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("a.xyz", argon())
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.npz").touch()
    r = np.arange(0, 13, 0.05)
    np.savetxt("a.csv", np.column_stack([r, np.where(r < 1.3, 0.0, 1.0)]), header="r g")
    peak = np.where(r < 1.3, 0.0, 1 + 5 * np.exp(-((r - 1.8) ** 2) / 0.02))
    np.savetxt("b.csv", np.column_stack([r, peak]), header="r g")
    status, _, errors = cli("predict", *arguments)
    assert status == 2, errors
    assert len(errors.splitlines()) == 1, errors
    assert words in errors


def test_a_glass_that_does_not_ship_is_said_to_be_missing(cli, tmp_path, monkeypatch, sheet):
    write(tmp_path / "a.xyz", sheet.atoms(0))
    tree = xr.DataTree.from_dict({"lj3d": xr.Dataset()})
    monkeypatch.setattr("glassdata.store.shipped_dataset", lambda: tree)
    status, _, errors = cli("predict", tmp_path / "a.xyz", "--system", "amc")
    assert (status, len(errors.splitlines())) == (2, 1)
    assert "the dataset that ships holds no amc, only lj3d" in errors


def test_small_cells_and_strange_curves_are_outside(cli, tmp_path, sheet):
    """No number that looks sure, where nothing was found out about such structures."""
    small = gd.SYSTEMS["amc"].crystal() * (4, 3, 1)
    write(tmp_path / "a.xyz", small)
    status, out, errors = cli("predict", tmp_path / "a.xyz", "--system", "amc")
    assert status == 0
    assert np.isnan(table(out)["error_per_THz"]).all()
    assert "outside" in errors
    assert "48 atoms" in errors
    assert "±" not in errors
    shutil.copy(tmp_path / "a.xyz", tmp_path / "b.xyz")
    output = ("-o", tmp_path / "o.csv", "--plot", tmp_path / "o.png")
    assert (
        cli("predict", tmp_path / "a.xyz", tmp_path / "b.xyz", "--system", "amc", *output)[0] == 0
    )
    assert table((tmp_path / "o.csv").read_text()).dtype.names[-1] == "error_1_per_THz"
