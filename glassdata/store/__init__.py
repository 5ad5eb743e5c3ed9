"""The store: write-once rows, one sealed dataset, and the means to check both.

Layout of a store::

    config.json     what determines the numbers: profile and science configuration
    plan.json       how many structures were last asked for, per system
    rows/           one self-checking .npz per structure, never overwritten
    provenance/     one side file per row: host, processor, seconds; not compared
    dataset.zarr/   the sealed dataset, replaced as a whole
    manifest.json   size and sha256 of every file of the dataset and of every row in it
"""

from glassdata.store.errors import DamageError, Finding, StoreError
from glassdata.store.manifest import is_sealed
from glassdata.store.optimised import mend_groups
from glassdata.store.reading import (
    open_dataset,
    own_dataset,
    pack,
    recorded,
    recorded_science,
    shipped_dataset,
)
from glassdata.store.sealing import seal
from glassdata.store.settings import prepare, read_config, science_config
from glassdata.store.verifying import progress, verify

mend_groups()

__all__ = [
    "DamageError",
    "Finding",
    "StoreError",
    "is_sealed",
    "open_dataset",
    "own_dataset",
    "pack",
    "prepare",
    "progress",
    "read_config",
    "recorded",
    "recorded_science",
    "science_config",
    "seal",
    "shipped_dataset",
    "verify",
]
