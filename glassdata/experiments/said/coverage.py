"""What chapter 13 says: numbers and words of the text.

>>> silicon(None)[:28]
'The dataset that ships holds'
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from glassdata.experiments import coverage
from glassdata.experiments.words import ends, listing
from glassdata.measured.silicon import BANDS
from glassdata.units import PLANCK

Results = Mapping[str, Mapping[str, np.ndarray]]
Said = dict[str, Any]
_MEV = 1e3 * PLANCK


def intervals(results: Results, least: float = 0.88, most: float = 0.92) -> Said:
    """Coverage of whole glasses, and of how many parts of them it is between two limits.

    Parameters
    ----------
    results
        Of the experiment ``coverage`` by name.
    least, most : float
    """
    found = {
        name.split(".")[0]: coverage.coverage(results[name])
        for name in results
        if name.endswith(".intervals")
    }
    whole = [one["all"].value for one in found.values()]
    sizes = [
        one[part].value
        for one in found.values()
        for part in ("smallest third", "largest third")
        if part in one
    ]
    parts = {
        f"{part} ({glass})": one[part].value
        for glass, one in found.items()
        for part in one
        if one[part].is_there
    }
    off = {name: value for name, value in parts.items() if not least <= value <= most}
    said: Said = {"n_covered": len(found), "n_parts": len(parts), "n_off": len(off)}
    said["all_within"] = sum(least <= value <= most for value in whole)
    said |= {"off_low": listing([name for name, value in off.items() if value < least])}
    ordered = [v for name, v in parts.items() if name.startswith("crystal-like ")] or [np.nan]
    return said | ends("whole", whole) | ends("sizes", sizes) | ends("ordered", ordered)


def others(results: Results) -> Said:
    """How many structures that others made get an interval, of how many, and what it covers."""
    found = [results[name] for name in results if name.endswith(".foreign")]
    promised = [int(one["promised"].sum()) for one in found]
    covered = [one["covered"][one["promised"]] for one in found] or [np.array([])]
    return {
        "n_foreign": sum(len(one["promised"]) for one in found),
        "n_promised": sum(promised),
        "foreign_covered": float(np.concatenate(covered).mean()) if sum(promised) else np.nan,
    }


def silicon(result: Mapping[str, np.ndarray] | None) -> str:
    """What the line says of measured silicon, beside what was measured, as sentences.

    Parameters
    ----------
    result
        ``si.measured``, or None where it is not there.
    """
    if result is None:
        return (
            "The dataset that ships holds no amorphous silicon yet, or the measured S(Q) was not "
            "given when the results of this chapter were made, so that there is no prediction "
            "here. Made by: glassdata systems --add PATH/a-si-sq.csv, then glassdata experiment "
            "coverage."
        )
    found = coverage.peaks(result["omega_edges"], result["pdos"]) * _MEV
    shown = listing([f"{one:.0f}" for one in found])
    measured = listing(
        f"{name} {low:.0f}" + (f" to {high:.0f}" if high > low else "")
        for name, (low, high) in BANDS.items()
    )
    reason = str(result["outside"])
    (mean, half), (heat, _) = result["integrals"]
    error = f" ± {half:.2g}" if np.isfinite(half) else ""
    verdict = (
        f"No error can be stated: {reason}."
        if reason
        else "The intervals are those of structures like the ones in the training set."
    )
    return (
        f"Predicted peaks: {shown} meV. Measured bands: {measured} meV. "
        f"Predicted mean frequency: {mean:.3g}{error} THz, heat capacity at 300 K: {heat:.3g} k_B "
        f"per mode. {verdict}"
    )
