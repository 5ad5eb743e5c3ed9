"""Measured pair functions: every kind and format becomes the same g(r), or is refused in a line."""

import gzip

import numpy as np
import pytest
import xarray as xr

from glassdata.bins import bin_centres
from glassdata.measured import Asked, Measured, Resolution, Target, kinds, on_bins, read_measured
from glassdata.measured.binning import rebinned
from glassdata.measured.fourier import blurring, g_of_structure_factor
from glassdata.measured.seen import trimmed
from glassdata.measured.tables import Table, read_table
from glassdata.radial import shells
from glassdata.units import LENGTHS

EDGES = np.linspace(0.0, 10.0, 101)
RHO = 0.05
GLASS = Target(EDGES, 3, 1.6, RHO)
R = np.arange(0.0, 14.0, 0.02)


def g_of(r: np.ndarray) -> np.ndarray:
    """A liquid of smooth shells: 0 below 1.6 Å to nine digits, and 1 far away to five."""
    core = 1 / (1 + np.exp(-(r - 2.2) / 0.03))
    return core * (
        1 + 1.5 * np.exp(-(((r - 2.5) / 0.25) ** 2)) + 0.3 * np.exp(-(((r - 4) / 0.5) ** 2))
    )


def forms(r: np.ndarray) -> dict[str, np.ndarray]:
    g, area = g_of(r), 4 * np.pi * RHO * r
    return {"g": g, "G": area * (g - 1), "T": area * g, "R": area * r * g}


def written(path, x, y, header=""):
    text = header + "".join(f"{a:.17g} {b:.17g}\n" for a, b in zip(x, y, strict=True))
    path.write_text(text)
    return path


TRUE = on_bins(Table(R, g_of(R), name="g"), GLASS, Asked()).g


# --- kinds ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", "gGTR")
def test_every_function_of_r_becomes_the_same_g(kind, tmp_path):
    file = written(tmp_path / "a.dat", R, forms(R)[kind])
    found = read_measured(file, GLASS, kind=kind, density=RHO)
    # Straight lines join r g, not g: within steps of 0.02 Å the two differ by (0.02/r)² or less.
    assert np.abs(found.g - TRUE).max() < 1e-3
    assert found.kind == kind


@pytest.mark.parametrize(("kind", "suffix"), [("g", "gr"), ("G", "gr"), ("T", "dat"), ("R", "xy")])
def test_the_kind_is_found_where_its_limit_proves_it(kind, suffix, tmp_path):
    found = read_measured(written(tmp_path / f"a.{suffix}", R, forms(R)[kind]), GLASS)
    assert found.kind == kind
    assert any(f"taken to be {kind}(r), because" in line for line in found.assumed)


@pytest.mark.parametrize("kind", "TR")
def test_the_density_is_in_the_limit_of_what_grows(kind, tmp_path):
    other = Target(EDGES, 3, 1.6, density=1.0)
    found = read_measured(written(tmp_path / "a.dat", R, forms(R)[kind]), other, kind=kind)
    # The shells have died away to 1e-5 at 11 Å, where the last fifth of the range begins.
    assert np.abs(found.g - TRUE).max() < 2e-3
    assert any("density, 0.05 Å^-3, was taken from the limit" in line for line in found.assumed)


def structure_factor(Q: np.ndarray) -> np.ndarray:
    r = np.arange(0.005, 30, 0.01)
    return 1 + np.array(
        [np.sum(4 * np.pi * RHO * r * (g_of(r) - 1) * np.sin(q * r)) * 0.01 / q for q in Q]
    )


Q = np.arange(0.1, 30.0, 0.1)
S = structure_factor(Q)


@pytest.mark.parametrize(("kind", "y"), [("S", S), ("F", Q * (S - 1))])
def test_what_is_measured_in_q_is_transformed(kind, y, tmp_path):
    found = read_measured(written(tmp_path / "a.sq", Q, y), GLASS, density=RHO)
    assert found.kind == kind
    assert any("from Q = 0 to 29.9 1/Å with the window of Lorch" in line for line in found.assumed)
    # What the same g looks like to Q_max, by the matrix that blurs a training set. That takes g as
    # even within bins of w = 0.1 Å, which costs g'' w²/24 on the edge of a peak: g'' is near 100.
    blurred = 1 + blurring(EDGES, Resolution(29.9)) @ (TRUE - 1)
    inner = (EDGES[1:] > GLASS.core + 0.2) & (EDGES[1:] < 9)
    assert np.abs(found.g - blurred)[inner].max() < 0.05
    assert (found.g[EDGES[1:] < 1.6] == 0).all()


def test_a_transform_recovers_g_as_q_max_grows():
    errors = []
    for q_max in (8.0, 16.0, 29.0):
        g = g_of_structure_factor(Q, Q * (S - 1), EDGES, density=RHO, resolution=Resolution(q_max))
        errors.append(np.abs(g - TRUE)[20:90].max())
    # A smeared peak misses height in proportion to the square of 1/Q_max, once that is small; here
    # the kernel is still about as wide as the peak, and the exponent nearer to 1.
    assert errors[0] > 1.8 * errors[1] > 3.2 * errors[2]


@pytest.mark.parametrize(
    ("x", "y", "suffix", "words"),
    [
        (R, forms(R)["G"], "csv", "may be G(r) or F(Q)"),
        (Q, S, "csv", "may be g(r) or S(Q)"),
        (R, 0 * R + 0.5, "csv", "none of g, G, T, R, S, F does"),
        (R, R**0.5, "dat", "none of g, G, T, R, S, F does"),
        (R[:300], g_of(R[:300]), "gr", "ends at r = 5.98"),
        (R[R < 1.4] / 10 * 10, 1 + 0 * R[R < 1.4], "gr", "--length-unit nm"),
        (Q[::6], S[::6], "sq", "points of Q up to 0.6"),
        (Q[30:], S[30:], "sq", "1.5 or less on"),
    ],
)
def test_what_is_not_proven_is_refused(x, y, suffix, words, tmp_path):
    file = written(tmp_path / f"a.{suffix}", x, y)
    with pytest.raises(ValueError, match=r"a\.") as refused:
        read_measured(file, GLASS)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", "GTRSF")
def test_a_kind_that_is_stated_must_have_its_limit(kind, tmp_path):
    """A plain g(r) has none of the other limits, save that of S."""
    x = R if kind in "GTR" else Q
    y = forms(R)["g"] if kind in "GTR" else forms(Q)["T"]
    with pytest.raises(ValueError, match=r"tends to|swing|grows"):
        read_measured(written(tmp_path / "a.dat", x, y), GLASS, kind=kind)


def test_a_wrong_density_shows_in_the_limit(tmp_path):
    file = written(tmp_path / "a.dat", R, forms(R)["T"])
    with pytest.raises(ValueError, match="density is wrong"):
        read_measured(file, GLASS, kind="T", density=2 * RHO)


def test_sheets_have_no_three_dimensional_functions(tmp_path):
    sheet = Target(EDGES, 2, 1.0, 0.37)
    with pytest.raises(ValueError, match="three dimensions"):
        read_measured(written(tmp_path / "a.gr", R, forms(R)["G"]), sheet, kind="G")
    flat = written(tmp_path / "b.dat", R, 2 * np.pi * 0.37 * R * g_of(R))
    with pytest.raises(ValueError, match="three dimensions"):
        read_measured(flat, sheet, kind="T")


@pytest.mark.parametrize("given", [{}, {"kind": "R"}, {"kind": "R", "density": 0.37}])
def test_the_radial_distribution_function_of_a_sheet_grows_like_r(given, tmp_path):
    """R(r) = 2πρr g; its kind and density may be found, as in three dimensions."""
    sheet = Target(EDGES, 2, 1.6, 0.4)
    straight = on_bins(Table(R, g_of(R), name="g"), sheet, Asked()).g
    flat = written(tmp_path / "b.dat", R, 2 * np.pi * 0.37 * R * g_of(R))
    found = read_measured(flat, sheet, **given)
    assert found.kind == "R"
    assert np.abs(found.g - straight).max() < 1e-3
    assert ("kind" in given) != any("because it grows like r" in line for line in found.assumed)
    space = written(tmp_path / "c.dat", R, forms(R)["R"])
    with pytest.raises(ValueError, match=r"grows like r\^1.98 .* R\(r\) grows like r$"):
        read_measured(space, sheet, kind="R")


# --- formats ----------------------------------------------------------------------------------

PDFGETX = """[DEFAULT]

version = pdfgetx3-2.2.1

# input and output specifications
dataformat = twotheta
outputtype = gr
composition = Ni
qmaxinst = 26.0
qmin = 0.8
qmax = 24.5
rpoly = 0.9

# End of config --------------------------------------------------------------
#### start data

#S 1
#L r($\\AA$)  G($\\AA^{-2}$)
"""
G = forms(R)["G"]


def lammps(r, g, blocks=2):
    text = "# Time-averaged data for fix 1\n# TimeStep Number-of-rows\n"
    text += "# Row c_rdf[1] c_rdf[2] c_rdf[3]\n"
    for step in range(blocks):
        shift = 0.1 * (step - (blocks - 1) / 2)
        text += f"{1000 * step} {len(r)}\n"
        text += "".join(
            f"{n} {a:.17g} {b + shift:.17g} 0.0\n"
            for n, (a, b) in enumerate(zip(r, g, strict=True), 1)
        )
    return text


def columns(x, y, between=" ", header=""):
    return header + "".join(
        f"{a!r}{between}{b!r}\n" for a, b in zip(x.tolist(), y.tolist(), strict=True)
    )


CENTRES = bin_centres(EDGES)
TEXTS = {
    "pdfgetx3.gr": (columns(R, G, header=PDFGETX), "G"),
    "blanks.gr": (columns(R, g_of(R)), "g"),
    "commas.csv": (columns(R, g_of(R), ",", "r,g\n"), "g"),
    "semicolons.csv": (columns(R, g_of(R), ";", "r / Å;g(r)\n"), "g"),
    "decimal_commas.txt": (columns(R, g_of(R), ";", "r;g\n").replace(".", ","), "g"),
    "capital.txt": (columns(R, G, "\t", "r\tG(r)\n"), "G"),
    "latin.dat": (columns(R, g_of(R), header="# r[Å] g(r)\n"), "g"),
    "third_column.xy": (columns(R, g_of(R), header="# r g dg\n").replace("\n", " 0.1\n"), "g"),
    "unsorted.csv": (columns(R[::-1], g_of(R[::-1]), header="# r g\n"), "g"),
    "nm.gr": (columns(R / 10, G * 100, header="# r(nm) G(nm^-2)\n"), "G"),
    "lammps.rdf": (lammps(CENTRES, TRUE), "g"),
    "mac.txt": (columns(R, g_of(R), header="# r g\n").replace("\n", "\r\n"), "g"),
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("packed", [False, True])
def test_every_format_gives_the_same_g(name, packed, tmp_path):
    text, kind = TEXTS[name]
    data = text.encode("latin-1" if name == "latin.dat" else "utf-8")
    path = tmp_path / (name + ".gz" * packed)
    path.write_bytes(gzip.compress(data) if packed else data)
    found = read_measured(path, GLASS)
    assert found.kind == kind
    near = EDGES[1:] < EDGES[-1] - (found.resolution.blind if found.resolution else 0)
    assert np.abs(found.g - TRUE)[near].max() < 1e-3  # as for the kinds


@pytest.mark.parametrize("asked", [True, False])
def test_a_kind_that_only_the_header_says_is_said_to_be_its_word(asked, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(TEXTS["commas.csv"][0])
    found = read_measured(path, GLASS, **({"kind": "g"} if asked else {}))
    assert ("it was taken to be g(r), as its header says" in found.assumed) != asked


@pytest.mark.parametrize("unit", ["bohr", "nm"])
@pytest.mark.parametrize("kind", "gGTRSF")
@pytest.mark.parametrize("said", [True, False])
def test_every_kind_in_another_unit_is_the_same(kind, unit, said, tmp_path):
    """G and T are per area, R and F per length; the kind may be given or found."""
    length = LENGTHS[unit]
    powers = {"G": 2, "T": 2, "R": 1, "F": 1}
    if kind in "SF":
        x, y, suffix = Q * length, S if kind == "S" else Q * (S - 1), "sq"
    else:
        x, y, suffix = R / length, forms(R)[kind], "gr"
    file = written(tmp_path / f"a.{suffix}", x, y * length ** powers.get(kind, 0))
    asked = {"density": RHO, "kind": kind if said else None}
    found = read_measured(file, GLASS, unit=unit, **asked)
    (tmp_path / "b").mkdir()
    x = Q if kind in "SF" else R
    plain = read_measured(written(tmp_path / f"b/a.{suffix}", x, y), GLASS, **asked)
    assert found.kind == plain.kind == kind
    assert np.abs(found.g - plain.g).max() < 1e-9


def test_what_a_header_says_is_used(tmp_path):
    (tmp_path / "a.gr").write_text(TEXTS["pdfgetx3.gr"][0])
    found = read_measured(tmp_path / "a.gr", GLASS)
    assert found.resolution == Resolution(24.5, "none")
    assert read_measured(tmp_path / "a.gr", GLASS, q_max=20.0).resolution.q_max == 20.0
    (tmp_path / "u.csv").write_text(TEXTS["unsorted.csv"][0])
    assert "its lines were sorted by r" in read_measured(tmp_path / "u.csv", GLASS).assumed


def test_own_g_comes_back_to_twelve_digits(tmp_path):
    """A histogram is no curve: joined by straight lines its peaks would lose height."""
    g = np.abs(np.random.default_rng(0).normal(1, 1, 100)) * (CENTRES > 1.6)
    g[80:] = 1
    found = read_measured(written(tmp_path / "a.gr", CENTRES, g), GLASS)
    assert np.abs(found.g - g).max() < 1e-12
    as_points = read_measured(tmp_path / "a.gr", GLASS, values="points")
    assert np.abs(as_points.g - g).max() > 0.1


def test_a_spectrum_of_our_own_comes_back(tmp_path):
    import glassdata as gd
    from glassdata.cli.inputs import describe_all
    from glassdata.cli.outputs import write_rows

    system = gd.SYSTEMS["lj3d"]
    crystal = system.crystal() * (2, 2, 2)
    crystal.rattle(0.05, seed=1)
    write_rows(tmp_path / "a.nc", describe_all([crystal], system, relaxed=None), system)
    found = read_measured(tmp_path / "a.nc", "lj3d")
    assert np.abs(found.g - gd.rdf(crystal, system.r_edges)).max() < 1e-12


def test_a_crystal_of_our_own_need_not_tend_to_one(tmp_path):
    """A crystal's g(r) is few shells up to the end; in a file from elsewhere that is odd."""
    import glassdata as gd

    g = gd.rdf(gd.SYSTEMS["lj3d"].crystal() * (2, 2, 2), EDGES)
    assert g[80:].mean() > 1.3
    found = xr.Dataset({"g": (("structure", "r"), g[None])}, {"r": CENTRES})
    found.to_netcdf(tmp_path / "a.nc", engine="scipy")
    assert np.array_equal(read_measured(tmp_path / "a.nc", GLASS).g, g)
    with pytest.raises(ValueError, match="tends to 1"):
        read_measured(written(tmp_path / "b.gr", CENTRES, g), GLASS, kind="g")


def test_no_pair_is_lost_between_bins():
    fine = np.linspace(0, 12, 241)
    g = np.random.default_rng(0).random(240)
    found = rebinned(bin_centres(fine), g, EDGES, 3)
    inside = fine[1:] <= 10 + 1e-9
    assert (found * shells(EDGES, 3)).sum() == pytest.approx((g * shells(fine, 3))[inside].sum())
    # The bins are twice as wide: each holds the pairs of two.
    pairs = (g * shells(fine, 3))[inside].reshape(100, 2).sum(axis=1)
    assert found == pytest.approx(pairs / shells(EDGES, 3))


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("words.gr", b"these are\nonly words\n", "no two columns"),
        ("torn.gr", b"1.0 1.0\n2.0\n", "line 2: not two numbers"),
        ("inf.gr", b"1.0 1.0\n2.0 inf\n", "line 2: not finite"),
        ("binary.gr", b"\xff\xfe\x00", "not a text file"),
        ("half.gr.gz", gzip.compress(b"1.0 1.0\n" * 1000, mtime=0)[:30], "gzip"),
        ("empty.gr", b"", "no two columns"),
        ("other.nc", b"CDF\x01" + bytes(60), "was not written by"),
        ("torn.rdf", lammps(CENTRES, TRUE)[:-3000].encode(), "no whole output"),
        (
            "pairs.rdf",
            lammps(CENTRES, TRUE).replace(" 0.0\n", " 0.0 1.0 0.0\n").encode(),
            "several",
        ),
        ("decimal.txt", b"0,5 1,0\n1,5 x\n", "line 2"),
    ],
)
def test_files_that_are_none_are_refused_in_one_line(name, data, words, tmp_path):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=name) as refused:
        read_table(tmp_path / name)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_spreadsheets_and_fortran_write_numbers_too(tmp_path):
    (tmp_path / "a.tsv").write_bytes("r\tg\n1.0\t2.0\n2.0\t3.0\n".encode("utf-16"))
    (tmp_path / "b.dat").write_text(" 1.0D+00 2.0d0\n 2.0D+00 3.0D+00\n")
    for name in ("a.tsv", "b.dat"):
        found = read_table(tmp_path / name)
        assert (found.x.tolist(), found.y.tolist()) == ([1, 2], [2, 3]), name


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ValueError, match="is a folder, and a file is wanted"):
        read_table(tmp_path)


@pytest.mark.parametrize(
    ("table", "asked", "words"),
    [
        (Table(R, g_of(R), name="g"), Asked(q_max=2.0), "at least 2.5 1/Å"),
        (Table(Q, S), Asked(kind="S", q_max=1.0, density=RHO), "smears g"),
        (Table(R - 1.0, g_of(R), name="g"), Asked(), "r is never negative"),
        (Table(Q - 0.5, S), Asked(kind="S", density=RHO), "Q is never negative"),
    ],
)
def test_a_resolution_that_shows_nothing_and_negative_distances_are_refused(table, asked, words):
    with pytest.raises(ValueError, match=words):
        on_bins(table, GLASS, asked)


def test_atoms_deep_in_the_core_are_no_ripples():
    atoms = np.where((R > 0.4) & (R < 1.2), 1.5, 0.0)
    ripples = np.where(R < 1.6, 1.5 * np.sin(16 * R), 0.0)
    assert on_bins(Table(R, g_of(R) + ripples / 3, name="g"), GLASS, Asked()).noise > 0
    with pytest.raises(ValueError, match="another substance"):
        on_bins(Table(R, g_of(R) + atoms, name="g"), GLASS, Asked())


# --- what the measurement sees ----------------------------------------------------------------


def test_a_training_set_is_seen_as_the_measurement_saw_its_own_g():
    """g(r) → S(Q) to Q_max → g(r) is what ``seen`` does without leaving the bins."""
    found = on_bins(Table(Q, S), GLASS, Asked(kind="S", q_max=20.0, density=RHO))
    seen = Measured(found.g, EDGES, "S", found.core, found.resolution).seen(TRUE[None])[0]
    assert np.abs(seen - found.g).max() < 0.05  # as above
    fine = np.array([g_of(r) for r in bin_centres(found.finer)])
    closer = Measured(found.g, EDGES, "S", found.core, found.resolution).seen(fine[None])[0]
    # Ten times finer bins: a hundredth of that error, and what the sum over 0.1 1/Å leaves.
    assert np.abs(closer - found.g).max() < 0.005
    assert np.abs(TRUE - found.g).max() > 0.2  # which it would not be without


def test_ripples_are_removed_where_no_atoms_can_be_and_become_noise():
    ripple = np.where(R < 1.6, 0.2 * np.sin(8 * R), 0.0)
    noisy = on_bins(Table(R, g_of(R) + ripple, name="g"), GLASS, Asked())
    assert (noisy.g[EDGES[1:] <= 1.6] == 0).all()
    line = noisy.assumed[-1]
    # A bin of 0.1 Å is an eighth of a period: 3 % are lost in its mean.
    assert float(line.split()[4]) == pytest.approx(0.2, rel=0.06)
    # r g of the outer half of the core: 1.2 Å × 0.2/√2, over few periods.
    assert noisy.noise == pytest.approx(1.2 * 0.2 / 2**0.5, rel=0.3)
    X = np.ones((4000, 100))
    spread = noisy.seen(X).std(axis=0)[20:]
    # Of 4000 draws, 1.1 %.
    assert spread == pytest.approx(noisy.noise / CENTRES[20:], rel=0.06)
    assert np.array_equal(noisy.seen(X), noisy.seen(X))


def test_shells_inside_the_core_are_no_ripples():
    """The glass of this curve has its first shell at 2.5 Å: to another it is another substance."""
    other = Target(EDGES, 3, 3.5, RHO)
    with pytest.raises(ValueError, match="another substance"):
        on_bins(Table(R, g_of(R), name="g"), other, Asked())


def test_smeared_noise_is_as_large_everywhere_as_was_measured():
    """r g(r) of the training set scatters by the noise wherever the measurement sees something."""
    noisy = Measured(TRUE, EDGES, "S", 0.0, Resolution(12.0), 0.05)
    X = np.ones((4000, len(EDGES) - 1))
    scatter = (noisy.seen(X) * bin_centres(EDGES)).std(axis=0)
    # Of 4000 draws the standard deviation is known to 1.1 %; some four of those.
    np.testing.assert_allclose(scatter[5:80], 0.05, rtol=0.045)


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"kind": "H"}, "kind"), ({"unit": "mile"}, "unit"), ({"density": -1.0}, "density"),
     ({"density": 0.0}, "density"), ({"q_max": -0.5}, "q_max"),
     ({"q_max": np.inf}, "q_max"), ({"window": "hann"}, "window"), ({"values": "x"}, "values")],
)  # fmt: skip
def test_what_cannot_be_asked(settings, words):
    with pytest.raises(ValueError, match=words):
        Asked(**settings)


def test_bins_that_a_window_mixes_with_what_lies_beyond_hold_nothing():
    """A bin that ends where the blind stretch begins is still seen."""
    edges, seen = np.linspace(0.0, 10.0, 101), np.full((1, 100), 2.0)
    resolution = Resolution(20.0, "lorch")
    first = edges[:-1][trimmed(seen, edges, 2.0, resolution)[0] == 1.0][0]
    assert 10.0 - resolution.blind - 0.1 < first <= 10.0 - resolution.blind + 1e-9
    assert (trimmed(seen, edges, 2.0, resolution)[0, edges[:-1] >= first] == 1.0).all()
    assert trimmed(seen, edges, 2.0, None)[0].tolist() == [0.0] * 20 + [2.0] * 80


def test_a_power_needs_two_points_in_each_quarter_of_the_outer_half():
    r = np.array([1.0, 5.0, 6.0, 7.0, 8.0])  # 4 to 6, and beyond
    assert kinds._growth(r, r**2) == pytest.approx(2, abs=0.02)
    for without in (1, 3):
        few = np.delete(r, without)
        assert kinds._growth(few, few**2) == -1
