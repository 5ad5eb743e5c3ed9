"""Contracts: the laws that every potential, glass and model must obey.

Each check takes one of these, tries every law on it and raises a :class:`ContractError` that names
all violated laws, by how much they are violated, and where to look. ``tests/test_contracts.py``
runs the checks over all glasses, potentials and models of the package.

    >>> import glassdata as gd
    >>> gd.testing.check_potential(gd.SYSTEMS["lj3d"].potential)
"""

from glassdata.testing.contract import ContractError
from glassdata.testing.models import check_model
from glassdata.testing.potentials import check_potential
from glassdata.testing.systems import check_system

__all__ = ["ContractError", "check_model", "check_potential", "check_system"]
