"""One-phonon scattering against bands of crystals, sum rules, sound, and the matrix-free way."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.data import atomic_numbers
from ase.utils.xrdebye import waasmaier
from scipy import constants

import glassdata as gd
from glassdata.bands import bands
from glassdata.neighbours import neighbours
from glassdata.observables import (
    commensurate,
    elastic_moduli,
    mean_square_displacement,
    scattering,
)
from glassdata.observables.heat import quanta
from glassdata.observables.probes import _ELECTRONS, NEUTRONS, form_factor
from glassdata.units import BOLTZMANN, KILOMETRE_PER_SECOND, PLANCK, THZ

ARGON = gd.SYSTEMS["lj3d"]
SIC = gd.SYSTEMS["sic"]


def fcc_frequencies(q):
    """Frequencies and polarisations of argon's crystal at one wave vector, by hand, THz."""
    cell, phi = ARGON.crystal(), ARGON.potential
    first, vector, length = neighbours("iDd", cell, phi.cutoff)
    vector, length = vector[first == 0], length[first == 0]
    _, slope, curvature = phi.functions(length)
    unit = vector / length[:, None]
    matrix = np.zeros((3, 3))
    for u, r, s, c, d in zip(unit, length, slope, curvature, vector, strict=True):
        block = c * np.outer(u, u) + s / r * (np.eye(3) - np.outer(u, u))
        matrix += block * (1 - np.cos(q @ d))
    squares, polarisation = np.linalg.eigh(matrix / cell.get_masses()[0])
    return np.sqrt(squares) * THZ, polarisation


def test_waves_of_a_crystal_have_the_frequencies_of_its_bands():
    crystal = ARGON.crystal() * (4, 3, 3)
    modes = gd.modes(crystal, ARGON.potential)
    edges = np.linspace(0, 2.4, 2401)
    for q in commensurate(crystal, 1.0)[[0, 3, 10, 25]]:
        omega, polarisation = fcc_frequencies(q)
        shares = {"longitudinal": (polarisation.T @ q / np.linalg.norm(q)) ** 2}
        shares["transverse"] = (1 - shares["longitudinal"]) / 2
        for probe, share in shares.items():
            found = scattering(crystal, ARGON.potential, q, edges, probe=probe, modes=modes)
            mean, square = (
                (found.intensity[0] * (edges[1:] - 5e-4) ** power).sum() * 1e-3 for power in (1, 2)
            )
            # All that there is lies in the bins of the bands, which are 0.001 THz wide.
            assert mean == pytest.approx(share @ omega, abs=5e-4)
            assert square == pytest.approx(share @ omega**2, abs=2e-3)
            assert (found.intensity[0] > 1e-6).sum() <= 3
            assert found.strength == pytest.approx(1.0)


def test_neutrons_see_the_bands_of_a_compound_with_the_structure_factor_of_its_cell():
    """One cell of SiC with Bloch waves, against the supercell of 64 atoms."""
    cell = SIC.crystal()
    crystal = cell * (2, 2, 2)
    q = 2 * np.pi / cell.cell[0, 0] * np.array([1.5, 1.0, 0.5])
    edges = np.linspace(0, 40, 4001)
    found = scattering(
        crystal, SIC.potential, q, edges, probe="neutron", modes=gd.modes(crystal, SIC.potential)
    )
    omega = bands(cell, SIC.potential, q[None])[0]
    seen = edges[:-1][found.intensity[0] > 1e-9 * found.intensity.max()]
    assert len(seen) > 3
    for frequency in seen:
        assert np.abs(omega - frequency - 0.005).min() < 0.01  # a bin


@pytest.mark.parametrize("probe", ["neutron", "x-ray"])
def test_phonopy_gives_the_same_cross_sections(probe):
    """Every band of silicon carbide, with bosons and the Debye-Waller factor, from our springs."""
    phonopy = pytest.importorskip("phonopy")
    from phonopy.structure.atoms import PhonopyAtoms

    cell, times, temperature = SIC.crystal(), 2, 300.0
    other = PhonopyAtoms(
        symbols=cell.get_chemical_symbols(),
        cell=cell.cell.array,
        scaled_positions=cell.get_scaled_positions(),
        masses=cell.get_masses(),
    )
    run = phonopy.Phonopy(
        other, supercell_matrix=np.eye(3, dtype=int) * times, primitive_matrix="P"
    )
    crystal = Atoms(
        run.supercell.symbols, run.supercell.positions, cell=run.supercell.cell, pbc=True
    )
    n, springs = len(crystal), gd.hessian(crystal, SIC.potential).toarray()
    run.force_constants = springs.reshape(n, 3, n, 3).transpose(0, 2, 1, 3).copy()
    run.run_mesh([times] * 3, with_eigenvectors=True, is_mesh_symmetry=False, is_gamma_center=True)
    hkl = np.array([[1.5, 1.0, 0.5], [2.5, 0.5, 0.5], [1.0, 0.5, 0.0]])
    lengths = {
        # A wave vector of phonopy has no 2π, and it gives half of it.
        "x-ray": {"atomic_form_factor_func": lambda symbol, s: form_factor(symbol, 4 * np.pi * s)},
        "neutron": {"scattering_lengths": {symbol: NEUTRONS[symbol][0] for symbol in ("C", "Si")}},
    }[probe]
    run.run_dynamic_structure_factor(hkl, temperature, freq_min=1e-3, **lengths)
    theirs = run.dynamic_structure_factor
    q, modes = hkl @ (2 * np.pi * cell.cell.reciprocal()), gd.modes(crystal, SIC.potential)
    spread = mean_square_displacement(crystal, SIC.potential, modes=modes, temperature=temperature)
    edges = np.linspace(0.0, 40.0, 400)
    found = scattering(
        crystal, SIC.potential, q, edges,
        probe=probe, modes=modes, mean_square=spread, temperature=temperature,
    )  # fmt: skip
    # Squared lengths (fm², electrons²) per energy and cell in phonopy; per THz and atom here.
    unit = (
        constants.hbar * 2 * np.pi * 1e12 * 1e20 / len(cell) * {"neutron": 1e-2, "x-ray": 1}[probe]
    )
    for mine, omega, strength in zip(
        found.intensity, theirs.frequencies, theirs.dynamic_structure_factors, strict=True
    ):
        expected = np.histogram(omega, edges, weights=unit * strength)[0] / np.diff(edges)
        assert np.count_nonzero(expected > 1e-6 * expected.max()) > 3
        # Constants of nature of two editions differ by some 1e-7; degenerate bands by rounding.
        assert mine == pytest.approx(expected, rel=1e-5, abs=1e-8 * expected.max())


@pytest.mark.parametrize("probe", ["neutron", "neutron-incoherent", "x-ray"])
def test_f_sum_rule(probe):
    """∫ ω S (1 − exp(−hν/kT)) dω does not depend on the forces: Σ b² exp(−2W) q²/2m."""
    atoms, q = (
        SIC.crystal() * (2, 2, 2),
        2 * np.pi / SIC.crystal().cell[0, 0] * np.array([1.5, 0, 1]),
    )
    atoms.positions[:] = gd.relax(atoms, SIC.potential, max_force=1e-5).positions
    modes = gd.modes(atoms, SIC.potential)
    spread = mean_square_displacement(atoms, SIC.potential, modes=modes)
    edges = np.linspace(0, 60, 6001)
    found = scattering(atoms, SIC.potential, q, edges, probe=probe, modes=modes, mean_square=spread)
    centres = edges[1:] - 0.005
    integral = (found.intensity[0] * centres * -np.expm1(-quanta(centres, [300.0])[0])).sum() * 0.01
    weights = {
        "neutron": [NEUTRONS[s][0] ** 2 / 100 for s in atoms.symbols],
        "neutron-incoherent": [NEUTRONS[s][1] / (4 * np.pi) for s in atoms.symbols],
        "x-ray": [form_factor(s, np.linalg.norm(q)) ** 2 for s in atoms.symbols],
    }[probe]
    # What moves all atoms alike has no frequency: alone, an atom lacks its part of that.
    inverse = 1 / atoms.get_masses()
    if probe == "neutron-incoherent":
        inverse -= 1 / atoms.get_masses().sum()
    recoil = PLANCK * THZ**2 * q @ q / 2 * inverse  # h q²/(8π²m), THz
    expected = (np.array(weights) * np.exp(-(q @ q) * spread) * recoil).mean()
    # Bins of 0.01 THz.
    assert integral == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("probe", ["longitudinal", "transverse", "neutron", "x-ray"])
def test_the_matrix_free_way_is_the_exact_one_smoothed(probe):
    atoms = gd.relax(gd.make_structure("sic", 5), SIC.potential)
    atoms = gd.make_structure("lj3d", 5) if probe in ("longitudinal", "transverse") else atoms
    potential = (ARGON if "Ar" in atoms.symbols else SIC).potential
    modes = gd.modes(atoms, potential)
    q, top = commensurate(atoms, 2.0)[[0, 7]], float(modes.frequencies[-1])
    edges = np.linspace(0, 1.1 * top, 12)
    exact = scattering(atoms, potential, q, edges, probe=probe, modes=modes)
    smooth = scattering(atoms, potential, q, edges, probe=probe, n_moments=1500)
    assert smooth.strength == pytest.approx(exact.strength, rel=1e-6)
    # f-sum rule of either, to a thousandth where thermal factors cancel or are absent.
    if probe in ("longitudinal", "transverse"):
        share = smooth.intensity.sum(axis=1) * edges[1]
        assert share == pytest.approx(smooth.strength, abs=1e-6)
        structure = np.abs(np.exp(1j * atoms.positions @ q.T).sum(axis=0)) ** 2 / len(atoms)
        assert smooth.strength == pytest.approx(1 - structure / len(atoms), rel=1e-9)
        # Modes are smeared by 1/1000 of the range: few cross one of the twelve edges.
        assert smooth.intensity == pytest.approx(exact.intensity, abs=0.05 * exact.intensity.max())
    else:
        assert smooth.intensity[:, 2:] == pytest.approx(
            exact.intensity[:, 2:], abs=0.1 * exact.intensity[:, 2:].max()
        )


def test_f_sum_rule_of_the_matrix_free_way():
    atoms = gd.make_structure("lj3d", 5)
    q, edges = commensurate(atoms, 1.5)[-2:], np.linspace(0, 4.0, 801)
    found = scattering(atoms, ARGON.potential, q, edges, probe="neutron", temperature=20.0)
    centres = (edges[1:] + edges[:-1]) / 2
    thermal = -np.expm1(-quanta(centres, [20.0])[0])
    integral = (found.intensity * centres * thermal).sum(axis=1) * edges[1]
    recoil = PLANCK * THZ**2 * (q**2).sum(axis=1) / (2 * atoms.get_masses()[0])
    assert integral == pytest.approx(NEUTRONS["Ar"][0] ** 2 / 100 * recoil, rel=1e-3)


def test_sound_has_the_velocity_of_the_elastic_moduli():
    a = float(ARGON.crystal().cell[0, 0])
    crystal = ARGON.crystal() * (20, 2, 2)
    q = np.array([[2 * np.pi / (20 * a), 0, 0]])
    edges = np.linspace(0, 0.5, 2001)
    moduli = elastic_moduli(ARGON.crystal(), ARGON.potential).moduli
    density = 4 * ARGON.crystal().get_masses()[0] / a**3
    for probe, modulus in (("longitudinal", moduli[0, 0]), ("transverse", moduli[3, 3])):
        found = scattering(
            crystal,
            ARGON.potential,
            q,
            edges,
            probe=probe,
            modes=gd.modes(crystal, ARGON.potential),
        )
        peak = edges[found.intensity[0].argmax()] + 1.25e-4
        velocity = 2 * np.pi * peak / q[0, 0]  # Å/ps
        expected = np.sqrt(modulus / density) * KILOMETRE_PER_SECOND * 10
        # A bin is a part in a thousand of the peak, and the band bends by (qa/2)²/24.
        assert velocity == pytest.approx(expected, rel=4e-3)


def test_many_waves_together_have_the_density_of_states():
    """Above the zone's size waves see all modes alike: the mean spectrum is the PDOS."""
    atoms = gd.make_structure("lj3d", 5)
    modes = gd.modes(atoms, ARGON.potential)
    edges = np.linspace(0, 2.4, 9)
    q = commensurate(atoms, 9.0)
    q = q[np.linalg.norm(q, axis=1) > 8.0][::7]
    spectra = [
        scattering(atoms, ARGON.potential, q, edges, probe=probe, modes=modes).intensity.mean(
            axis=0
        )
        for probe in ("longitudinal", "transverse")
    ]
    pdos = gd.pdos(modes.frequencies[3:], edges)
    # One wave in seven of a shell: each mode's share scatters, the mean over a bin less.
    assert (spectra[0] + 2 * spectra[1]) / 3 == pytest.approx(pdos, abs=0.05 * pdos.max())


def test_mean_square_displacement_is_the_classical_one_when_hot():
    atoms = ARGON.crystal() * (2, 2, 2)
    omega, e = gd.modes(atoms, ARGON.potential)
    found = mean_square_displacement(atoms, ARGON.potential, temperature=1e4)
    squares = (omega[3:] / THZ) ** 2
    classical = BOLTZMANN * 1e4 * ((e[:, 3:] ** 2) / squares).sum(axis=1) / 39.948
    assert found == pytest.approx(classical.reshape(-1, 3).mean(axis=1), rel=1e-3)


def test_displacements_of_a_glass_differ_between_directions():
    atoms = gd.make_structure("lj3d", 5)
    how = {"modes": gd.modes(atoms, ARGON.potential), "temperature": 20.0}
    one = mean_square_displacement(atoms, ARGON.potential, **how)
    all_ = mean_square_displacement(atoms, ARGON.potential, **how, tensors=True)
    assert np.trace(all_, axis1=1, axis2=2) / 3 == pytest.approx(one)
    assert all_ == pytest.approx(all_.transpose(0, 2, 1))
    assert (np.linalg.eigvalsh(all_) > 0).all()
    q, edges = commensurate(atoms, 2.0)[-1:], np.linspace(0, 3, 31)
    how["probe"] = "neutron"
    bright = scattering(atoms, ARGON.potential, q, edges, **how).intensity
    dim = scattering(atoms, ARGON.potential, q, edges, mean_square=all_, **how).intensity
    # All atoms at one factor would lose this much; two directions of u are lost on one q.
    lost = np.exp(-np.einsum("a,iab,b->i", q[0], all_, q[0]))
    assert lost.min() < dim.sum() / bright.sum() < lost.max()


def test_form_factors_are_those_of_another_table():
    for symbol in _ELECTRONS:
        assert form_factor(symbol, 0.0) == pytest.approx(atomic_numbers[symbol], abs=0.05)
    numbers = waasmaier["C"]
    for q in (1.0, 4.0, 10.0):  # ASE's copper is half an electron short, its carbon is whole
        s = q / (4 * np.pi)
        gauss = [numbers[2 * i] * np.exp(-numbers[2 * i + 1] * s * s) for i in range(5)]
        assert form_factor("C", q) == pytest.approx(sum(gauss) + numbers[10], abs=0.005)


def test_bad_input_is_refused():
    crystal, edges = ARGON.crystal() * (2, 2, 2), np.linspace(0, 3, 31)
    argon, q = ARGON.potential, commensurate(ARGON.crystal() * (2, 2, 2), 1.0)[:1]
    with pytest.raises(
        ValueError, match=r"q = \(0.4, 0, 0\) 1/Å does not fit the cell; the nearest"
    ):
        scattering(crystal, argon, [0.4, 0, 0], edges)
    with pytest.raises(ValueError, match="a wave vector is zero"):
        scattering(crystal, argon, [0.0, 0, 0], edges)
    with pytest.raises(ValueError, match=r"must be finite numbers of shape \(n, 3\)"):
        scattering(crystal, argon, [1.0, 2.0], edges)
    with pytest.raises(ValueError, match="unknown probe 'light'"):
        scattering(crystal, argon, q, edges, probe="light")
    with pytest.raises(ValueError, match="incoherent scattering needs the modes"):
        scattering(crystal, argon, q, edges, probe="neutron-incoherent")
    with pytest.raises(ValueError, match="temperature must be positive"):
        scattering(crystal, argon, q, edges, temperature=0.0)
    with pytest.raises(ValueError, match="mean_square must hold 32 numbers or"):
        scattering(crystal, argon, q, edges, mean_square=np.zeros(3))
    moved = crystal.copy()
    moved.rattle(0.1, seed=0)
    with pytest.raises(ValueError, match="not at rest"):
        scattering(moved, argon, q, edges)
    with pytest.raises(ValueError, match="no neutron scattering length of Xe"):
        scattering(*xenon(), edges, probe="neutron")


def xenon():
    from glassdata.potentials import LennardJones

    potential = LennardJones(epsilon=0.0103, sigma=3.405, r_cut=8.5125, symbol="Xe")
    cell = bulk("Xe", a=float(ARGON.crystal().cell[0, 0]), cubic=True)
    return cell, potential, commensurate(cell, 2.0)[:1]
