"""Vibrations of glasses from their structure: the data and models beneath the book.

Names are imported when first used, so that ``import glassdata`` and the command line's help stay
quick, and Dask, LAMMPS and torch are loaded only by what needs them.

>>> import glassdata as gd
>>> gd.SYSTEMS["sic"].title
'Silicon carbide'
>>> gd.__version__.count(".") >= 1
True
"""

from importlib import import_module
from importlib.metadata import version as _version

__version__ = _version("glassdata")

_HOME = {
    "SYSTEMS": "systems",
    "make_structure": "row",
    "rdf": "radial",
    "partial_rdf": "radial",
    "hessian": "vibrations",
    "frequencies": "vibrations",
    "pdos": "vibrations",
    "modes": "vibrations",
    "stress": "vibrations",
    "operator": "dynamical",
    "pdos_kpm": "kpm",
    "crystal_spectra": "bands",
    "relax": "minimise",
    "open_dataset": "store",
    "dataset": "structures",
    "Dataset": "structures",
    "open_results": "results",
    "read_measured": "measured",
    "models": None,
    "observables": None,
    "plots": None,
    "testing": None,
}

__all__ = [*_HOME, "__version__"]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'glassdata' has no attribute {name!r}")
    home = _HOME[name]
    value = import_module(f"glassdata.{home or name}")
    if home is not None:
        value = getattr(value, name)
    # A function may share the name of its module (rdf, relax): the function is what is meant.
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
