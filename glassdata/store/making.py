"""What made the rows of a store: the code, of which two kinds must not mix unnoticed, and versions.

Both stand among the provenance, beside the compared bytes.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from glassdata.config import ALGORITHM_VERSION
from glassdata.origin import changed, code_digest
from glassdata.store.errors import DamageError, StoreError
from glassdata.store.places import medium
from glassdata.store.records import read_record, read_side_file, write_record
from glassdata.store.rows import PROVENANCE, present

#: Record of the code that made the rows of each system.
CODE = "code.json"


def register_code(
    store: Path, names: Iterable[str], code: Mapping[str, str], *, accept: bool = False
) -> None:
    """Note which code is about to make rows of some systems.

    A store without such a record was begun before there was one; its code is not known, and the
    present one is taken for the same.

    Parameters
    ----------
    store
        Folder of the store, or its place on an object store.
    names
        Names of the glasses.
    code
        As ``glassdata.origin.code`` gives it; empty if rows do not come from this package.
    accept
        Whether the user knows that the code has changed.

    Raises
    ------
    StoreError
        If other code made rows that are there, and that was not accepted; or if the record is
        damaged (``DamageError``).
    """
    if not code:
        return
    path, now = store / PROVENANCE / CODE, code_digest(code)
    with medium(store).locked():
        codes, used = _read(path)
        before = dict(used)
        for name in names:
            known = used.get(name, [])
            if any(not changed(codes[then], code) for then in known):
                continue
            if known and not accept and present(store, name):
                differ = ", ".join(changed(codes[known[-1]], code))
                raise StoreError(
                    f"{store}: rows of {name} were made by other code of the same version "
                    f"{ALGORITHM_VERSION} (changed since: {differ}); raise ALGORITHM_VERSION where "
                    "numbers change with it, or go on with --accept-changed-code"
                )
            used[name] = [*known, now]
        if used != before:
            write_record(path, {"codes": codes | {now: dict(code)}, "systems": used})


def _read(path: Path) -> tuple[dict[str, dict[str, str]], dict[str, list[str]]]:
    if not path.exists():
        return {}, {}
    record = read_record(path)
    try:
        return dict(record["codes"]), {n: list(codes) for n, codes in record["systems"].items()}
    except (KeyError, TypeError, AttributeError):
        raise DamageError(f"{path} is no record of code") from None


def makers(store: Path, counts: Mapping[str, int]) -> list[dict]:
    """Every set of versions, with the code, that made rows of a dataset; the most rows first.

    Parameters
    ----------
    store
        Folder of the store, or its place on an object store.
    counts
        Number of structures per glass.

    Returns
    -------
    list of dict
        ``versions``, ``code`` and the number of ``rows`` of each. Rows whose side file was lost,
        as by a sudden death, are counted with empty ``versions``.
    """
    found: Counter[str] = Counter()
    for name, count in counts.items():
        for index in range(count):
            found[_maker(store / PROVENANCE / name / f"{index:06d}.json")] += 1
    return [json.loads(maker) | {"rows": rows} for maker, rows in found.most_common()]


def _maker(path: Path) -> str:
    try:
        facts = read_side_file(path)
        versions = {str(name): str(version) for name, version in facts["versions"].items()}
        maker = {"versions": versions, "code": str(facts.get("code", ""))}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, DamageError):
        maker = {"versions": {}, "code": ""}
    return json.dumps(maker, sort_keys=True)


def versions_of(made_by: Iterable[Mapping], sealed_by: Mapping[str, str]) -> dict[str, str]:
    """Versions of the packages behind a dataset; where rows differ, all of them.

    Parameters
    ----------
    made_by
        As ``makers`` gives it.
    sealed_by
        Versions of the program that seals; those of packages that made rows are not looked at.
    """
    found: dict[str, list[str]] = {}
    for maker in made_by:
        for name, version in maker["versions"].items():
            if version not in found.setdefault(name, []):
                found[name].append(version)
    return dict(sealed_by) | {name: ", ".join(sorted(v)) for name, v in found.items()}
