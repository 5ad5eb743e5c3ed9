"""Puts the dataset that ships into a wheel; an editable install reads it where it lies."""

from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_DATASET = "book/data/reference.zarr.zip"


class DatasetHook(BuildHookInterface):
    """Called by hatchling before it builds a wheel."""

    def initialize(self, version: str, build_data: dict) -> None:
        """Add the dataset, where this is neither an editable install nor a tree without one."""
        if version != "editable" and (Path(self.root) / _DATASET).is_file():
            build_data["force_include"][_DATASET] = "glassdata/data/reference.zarr.zip"
