"""How the rows of a store were made, compared with how they would be made now."""

from collections.abc import Iterator, Mapping
from typing import Any

from glassdata.config import canonical_json
from glassdata.schema import VARIABLES

# Datasets of layout 1 did not yet record the versions of their variables, nor have these.
_SINCE_LAYOUT_2 = {"structure_id", "stress", "pressure", "n_false_pairs", "pinned_fraction"}
_SINCE_LAYOUT_2 |= {"far_order", "bond_order", "local_bond_order", "ensemble"}
# What a line of a difference is not written for as a whole.
_NESTED = (Mapping, list, tuple)


def differences(old: Any, new: Any, systems: set[str]) -> Iterator[str]:
    """Lines ``key.path: old -> new``; systems that are only new do not count.

    Parameters
    ----------
    old : Any
        Recorded configuration: mappings and sequences, nested.
    new : Any
        The configuration to compare it with.
    systems : set[str]
        Names of the glasses that were recorded; others are only new.
    """
    before, after = dict(_flatten(old)), dict(_flatten(new))
    for key in sorted(before.keys() | after.keys()):
        added = key[0] == "systems" and key[1] not in systems
        if not added and before.get(key) != after.get(key):
            was, now = before.get(key, "absent"), after.get(key, "absent")
            yield f"{'.'.join(key)}: {was} -> {now}"


def _flatten(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _flatten(item, (*path, str(key)))
    elif isinstance(value, list | tuple) and any(isinstance(v, _NESTED) for v in value):
        for n, item in enumerate(value):
            yield from _flatten(item, (*path, str(n)))
    else:
        yield path, canonical_json(value)


def made_otherwise(recorded: Mapping[str, Any], current: Mapping[str, Any]) -> list[str]:
    """Differences for which a recorded row cannot be computed again, as lines ``key: old -> new``.

    Another version of a single variable is not such a difference: see ``not_comparable``.

    Parameters
    ----------
    recorded, current : mapping
        ``System.science`` of one glass, when the rows were made and now.

    Examples
    --------
    >>> from glassdata.row import science
    >>> made_otherwise(science("lj3d", "demo"), science("lj3d", "demo"))
    []
    """
    was, now = _parts(recorded), _parts(current)
    if "structure" not in recorded:
        # Layout 1 recorded other facts under other names; only these can be compared.
        kept = {"structure": ("algorithm", "potential"), "description": ("bins", "classes")}
        was, now = (
            {part: {key: parts[part].get(key) for key in keys} for part, keys in kept.items()}
            for parts in (was, now)
        )
    return list(differences(was, now, set()))


def not_comparable(recorded: Mapping[str, Any], current: Mapping[str, Any]) -> set[str]:
    """Variables that a recorded row lacks, or that were computed by another version."""
    if not list(differences(recorded, current, set())):
        return set()
    new = {name: v.version for name, v in VARIABLES.items()}
    if "description" in recorded:
        old = dict.fromkeys(new.keys() - current["description"]["variables"].keys(), 1)
        old |= recorded["description"]["variables"]
    else:
        old = dict.fromkeys(new.keys() - _SINCE_LAYOUT_2, 1)
    changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    # The identity of a row depends on the versions of all variables.
    return changed | {"row_id"}


def _parts(science: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What determines the structure and its description, without the versions of variables."""
    description = dict(science.get("description", science))
    description.pop("variables", None)
    return {"structure": dict(science.get("structure", science)), "description": description}
