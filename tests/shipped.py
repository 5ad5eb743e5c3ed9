"""What tests of the shipped dataset must know: whether today's code would make the same rows."""

import pytest

from glassdata.config import ALGORITHM_VERSION
from glassdata.row import science
from glassdata.store import recorded_science
from glassdata.store.reading import REFERENCE
from glassdata.store.science import made_otherwise


def skip_older_rows(name: str) -> None:
    """Skip a test that compares rows with today's protocols, where older ones made them."""
    then = recorded_science(REFERENCE)[name]
    version = then.get("structure", then)["algorithm"]
    if version != ALGORITHM_VERSION:
        pytest.skip(
            f"the rows of {name} that ship are of version {version}, the code is of version "
            f"{ALGORITHM_VERSION}: make data"
        )


def skip_other_spectra(name: str) -> None:
    """Skip a test that computes spectra of shipped structures, where potential or bins changed."""
    changed = made_otherwise(recorded_science(REFERENCE)[name], science(name, "reference"))
    harmless = ("structure.algorithm", "description.classes")
    if others := [line for line in changed if not line.startswith(harmless)]:
        pytest.skip(f"the rows of {name} that ship were made otherwise: {others[0]}")
