"""A description of the sealed dataset, for catalogues and tools of machine learning.

The format is Croissant 1.0 (mlcommons.org/croissant): schema.org with one record set per glass and
one field per variable. Its bytes depend only on the dataset.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import zarr

DESCRIPTION = "croissant.json"

_VOCABULARY = "http://mlcommons.org/croissant/"
_TYPES = {"b": "sc:Boolean", "i": "sc:Integer", "f": "sc:Float"}
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": _VOCABULARY,
    "dct": "http://purl.org/dc/terms/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_LICENCES = {"CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/"}


def describe_dataset(folder: Path) -> None:
    """Write ``croissant.json`` into the folder of a dataset whose metadata are complete."""
    root = zarr.open_group(folder, mode="r")
    attributes: dict[str, Any] = dict(root.attrs)
    glasses = sorted(root.groups())
    description = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": f"{_VOCABULARY}1.0",
        "name": "glassdata",
        "description": f"{attributes['title']}. {len(glasses)} glasses: "
        + "; ".join(f"{name}: {group.attrs['title']}" for name, group in glasses),
        "license": _LICENCES[attributes["license"]],
        "creator": {"@type": "sc:Organization", "name": attributes["creator_name"]},
        "version": attributes["package_versions"]["glassdata"],
        "keywords": ["glass", "radial distribution function", "phonon density of states"],
        "distribution": [_metadata_file(folder), *(_files(name) for name, _ in glasses)],
        "recordSet": [_records(name, group) for name, group in glasses],
    }
    text = json.dumps(description, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    (folder / DESCRIPTION).write_text(text, encoding="utf-8")


def _metadata_file(folder: Path) -> dict:
    data = (folder / "zarr.json").read_bytes()
    return {
        "@type": "cr:FileObject",
        "@id": "metadata",
        "name": "metadata",
        "description": "Zarr 3 metadata of all variables",
        "contentUrl": "zarr.json",
        "contentSize": f"{len(data)} B",
        "encodingFormat": "application/json",
        "sha256": hashlib.sha256(data).hexdigest(),
    }


def _files(name: str) -> dict:
    return {
        "@type": "cr:FileSet",
        "@id": f"{name}-files",
        "name": f"{name}-files",
        "description": f"Zarr 3 arrays of the glass {name}; open the folder above with xarray",
        "encodingFormat": "application/vnd.zarr",
        "includes": f"{name}/**",
    }


def _records(name: str, group: zarr.Group) -> dict:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": f"{group.attrs['title']}. {group.attrs['summary']}",
        "field": [_field(name, key, array) for key, array in sorted(group.arrays())],
    }


def _field(glass: str, name: str, array: zarr.Array) -> dict:
    dims = ", ".join(cast(list[str], array.metadata.to_dict()["dimension_names"]))
    kind = np.dtype(array.dtype).kind
    return {
        "@type": "cr:Field",
        "@id": f"{glass}/{name}",
        "name": f"{glass}/{name}",
        "description": f"{array.attrs['long_name']}; over {dims}; units: {array.attrs['units']}",
        "dataType": _TYPES.get(kind, "sc:Text"),
        "source": {"fileSet": {"@id": f"{glass}-files"}, "extract": {"fileProperty": "content"}},
    }
