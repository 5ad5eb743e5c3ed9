"""All variables of a dataset.

Those that follow from the structure are in ``glassdata.describe``, the knobs of a preparation in
``glassdata.protocols.knobs``, and those that only the engine knows are here. Ragged dimensions
(``atom``, ``mode``) follow the CF contiguous ragged array convention, with the counts ``n_atoms``
and ``n_modes`` per structure.

>>> VARIABLES["density"].long_name
'number density: per volume, or per area where g(r) is two-dimensional'
>>> VARIABLES["density"].units_in(3), VARIABLES["density"].units_in(2)
('angstrom-3', 'angstrom-2')
"""

from collections.abc import Mapping

from glassdata.describe import DESCRIBED
from glassdata.protocols.knobs import KNOBS
from glassdata.variable import FIXED, RAGGED, Variable, per_structure

_IDENTITY = {
    "row_id": per_structure("U64", "1", "sha256 of everything that determines the row", version=2),
    "structure_id": per_structure("U64", "1", "sha256 of everything that determines the atoms"),
    "status": per_structure("U8", "1", "ok or failed"),
    "error": per_structure("U256", "1", "why the row failed"),
}

VARIABLES: Mapping[str, Variable] = {**_IDENTITY, **DESCRIBED, **KNOBS}

__all__ = ["FIXED", "RAGGED", "VARIABLES", "Variable"]
