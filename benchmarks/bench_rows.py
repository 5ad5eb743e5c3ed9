"""Whole rows of the reference profile, by stage."""

import statistics

import pytest
from cases import mostly_large

from glassdata.row import compute_row
from glassdata.systems import SYSTEMS

# From different strata, the most disordered among them. For carbon: bonds rotated; quenched from
# the melt within 0.8 ps; quenched within 7 ps, of 10 at most.
ROWS = {
    "amc": (0, 6, 68),
    "amc_lb": (6,),
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
