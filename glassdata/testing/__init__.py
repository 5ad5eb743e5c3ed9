"""Contracts: what every potential, glass and model must hold to, whoever adds it.

Each check takes one thing, tries every law on it and raises a :class:`ContractError` that names all
the laws that are violated, by how much, and where to look. ``tests/test_contracts.py`` runs them
over every glass, potential and model there is.

    >>> import glassdata as gd
    >>> gd.testing.check_potential(gd.SYSTEMS["lj3d"].potential)
"""

from glassdata.testing.contract import ContractError
from glassdata.testing.models import check_model
from glassdata.testing.potentials import check_potential
from glassdata.testing.systems import check_system

__all__ = ["ContractError", "check_model", "check_potential", "check_system"]
