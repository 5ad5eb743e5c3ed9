"""Raman tensors against differences of the polarizability, and the selection rules of crystals."""

import numpy as np
import pytest

import glassdata as gd
from glassdata.neighbours import neighbours
from glassdata.observables import CARBON, Bond, raman
from glassdata.vibrations import mass_weights

SHEET = gd.SYSTEMS["amc_lb"]
SIC = gd.SYSTEMS["sic"]
#: Made-up numbers: selection rules do not depend on them.
OF_SIC = {
    ("C", "Si"): Bond(2.2, 0.7, 1.9, 3.1),
    ("C", "C"): Bond(1.85, 0.32, 2.6, 7.55),
    ("Si", "Si"): Bond(2.6, 1.1, 2.3, 5.0),
}


def polarizability(atoms, rest, bonds):
    """Sum over bonds of α⊥ 1 + (α∥ − α⊥) r̂r̂, with α linear in the length from that in ``rest``."""
    first, second, vector, length = neighbours("ijDd", rest, 2.7, half=True)
    moves = atoms.positions - rest.positions
    total = np.zeros((3, 3))
    for i, j, d, r in zip(first, second, vector, length, strict=True):
        of = (
            bonds.get((rest.symbols[i], rest.symbols[j])) or bonds[rest.symbols[j], rest.symbols[i]]
        )
        if r >= of.length:
            continue
        now = d + moves[j] - moves[i]
        stretch = np.linalg.norm(now) - r
        unit = now / np.linalg.norm(now)
        anisotropy = of.anisotropy + of.anisotropy_slope * stretch
        trace = of.trace_slope * stretch
        total += trace / 3 * np.eye(3) + anisotropy * (np.outer(unit, unit) - np.eye(3) / 3)
    return total


@pytest.mark.parametrize("name", ["amc_lb", "sic"])
def test_tensors_are_derivatives_of_the_polarizability(name):
    system, bonds = gd.SYSTEMS[name], OF_SIC
    atoms = gd.relax(gd.make_structure(name, 5), system.potential)
    modes = gd.modes(atoms, system.potential)
    found = raman(atoms, system.potential, modes=modes, bonds=bonds)
    for n in (0, 40, -1):
        move = modes.eigenvectors[:, 3:][:, n].reshape(-1, 3) * mass_weights(atoms)[:, None]
        sides = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions += sign * 1e-4 * move
            sides.append(polarizability(moved, atoms, bonds))
        slope = (sides[0] - sides[1]) / 2e-4
        assert found.tensors[n] == pytest.approx(slope, abs=1e-5 * np.abs(slope).max())


def active(found):
    return found.frequencies[found.intensity > 1e-8 * found.intensity.max()]


def test_in_graphene_only_the_e2g_mode_is_active():
    """Two modes of the highest frequency at Γ, in the plane; the layer mode B2g is not."""
    for cells in ((1, 1, 1), (3, 2, 1), (4, 3, 1)):
        crystal = SHEET.crystal() * cells
        found = raman(crystal, SHEET.potential)
        seen = active(found)
        assert len(seen) == 2  # whatever the cell: all other modes of it are waves, q > 0
        gamma = gd.frequencies(SHEET.crystal(), SHEET.potential)
        assert seen == pytest.approx([gamma[-1]] * 2, rel=1e-6)
        of_e2g = found.tensors[found.intensity > 1e-8 * found.intensity.max()]
        assert np.abs(of_e2g[:, 2]).max() < 1e-8 * np.abs(of_e2g).max()
        assert np.abs(np.trace(of_e2g, axis1=1, axis2=2)).max() < 1e-8 * np.abs(of_e2g).max()
        # Twice the bonds with twice the atoms: intensity grows as the number of atoms.
        per_atom = found.intensity.sum() / len(crystal)
        assert per_atom == pytest.approx(
            raman(SHEET.crystal(), SHEET.potential).intensity.sum() / 4
        )


def test_in_silicon_carbide_only_the_optical_mode_f2_is_active():
    crystal = SIC.crystal() * (2, 2, 2)
    found = raman(crystal, SIC.potential, bonds=OF_SIC)
    assert active(found) == pytest.approx([29.19] * 3, abs=0.01)  # known: 29.19 THz at Γ
    tensors = found.tensors[found.intensity > 1e-8 * found.intensity.max()]
    # Off-diagonal elements only, and the same of every mode: crossed light is 3/4 of the parallel.
    assert np.abs(np.diagonal(tensors, axis1=1, axis2=2)).max() < 1e-6 * np.abs(tensors).max()
    assert found.crossed[-3:] == pytest.approx(0.75 * found.parallel[-3:], rel=1e-9)


def test_a_broken_symmetry_makes_other_modes_active():
    atoms = gd.make_structure("amc_lb", 5)
    assert len(active(raman(atoms, SHEET.potential))) > 3 * len(atoms) - 20


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"no bond polarizability of C-Si is known; pass one"):
        raman(SIC.crystal(), SIC.potential, bonds=CARBON)
    with pytest.raises(ValueError, match="length must be positive"):
        Bond(0.0, 1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="no bonds of the given lengths"):
        raman(SHEET.crystal(), SHEET.potential, bonds={("C", "C"): Bond(0.5, 1.0, 1.0, 1.0)})
