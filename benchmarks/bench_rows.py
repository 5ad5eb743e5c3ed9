"""Whole rows of the reference profile, by stage, and the longest stage of one of them."""

import statistics

import numpy as np
import pytest
from cases import mostly_large

from glassdata.minimise import separate
from glassdata.protocols.melt import quench_in_plane
from glassdata.row import compute_row
from glassdata.systems import SYSTEMS

# From different strata, the most disordered among them. For carbon: two sheets with defects, and
# two quenched from the melt, within 0.2 ps and within 7 ps, as two rows of five are.
ROWS = {
    "amc": (0, 6, 8, 151),
    "amc_lb": (6, 8),
    "cualzr": (0, 2, 5),
    "lj2d": (0, 2, 5),
    "lj3d": (0, 2, 5),
    "sic": (0, 2, 7),
    "sic_tersoff": (7,),
}


@pytest.mark.parametrize("name", mostly_large(ROWS, ["cualzr", "lj3d", "sic"]))
def test_rows(name, full, timed, record):
    profile, indices = ("reference", ROWS[name]) if full else ("demo", (0,))
    # The first row finds the crystal at rest and loads compiled code.
    compute_row(name, "demo", 0)

    def rows():
        found = []
        for index in indices:
            stages = {}
            row = compute_row(name, profile, index, stages)
            found.append({"index": index, "n_atoms": int(row["n_atoms"]), **stages})
            if "quench_rate" in row:
                found[-1]["quench_rate"] = float(row["quench_rate"])
        return found

    seconds, found = timed(rows)
    stages = {
        stage: statistics.mean(row[stage] for row in found)
        for stage in ("generate", "frequencies", "rdf")
    }
    record(
        "rows",
        name,
        title=SYSTEMS[name].title,
        rows=found,
        seconds=seconds / len(indices),
        per_core_hour=3600 * len(indices) / seconds,
        stages=stages,
    )


#: Picoseconds.
MELT, COOLING = 2.0, 10.0


@pytest.mark.parametrize("side", mostly_large([2, 10], [2]))
def test_quench(side, full, timed, record):
    """Molecular dynamics alone: carbon in a plane, melted and cooled."""
    system = SYSTEMS["amc"]
    melt, cooling = (MELT, COOLING) if full else (0.1, 0.1)
    rng = np.random.default_rng(0)
    plane = system.crystal() * (side, side, 1)
    plane.positions[:, :2] = rng.random((len(plane), 2)) @ np.asarray(plane.cell)[:2, :2]
    plane = separate(plane, 1.6)
    temperatures = {"temperature": 8000.0, "final_temperature": 300.0}
    seconds, cold = timed(
        lambda: quench_in_plane(
            plane, system.potential, 1, **temperatures, melt_time=melt, cooling_time=cooling
        )
    )
    assert np.abs(cold.positions - plane.positions).max() > 1.0
    record("quench", str(side), n_atoms=len(cold), picoseconds=melt + cooling, seconds=seconds)
