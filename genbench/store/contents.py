"""Which data the runs of a store were last made of, so that reports need none of them.

    results/<suite>/runs/.data.json    by dataset (`suites.contents.data_key`), what it held; as
                                       `root` the data folder, where the suite names it by paths
"""

from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from genbench.errors import StoreError
from genbench.store._reading import read_bytes
from genbench.store.files import write_json
from genbench.store.runs import Store
from genbench.suites.contents import (
    archive_of,
    called_from,
    data_key,
    datasets_of,
    with_contents,
)
from genbench.suites.plan import Plan

ROOT = "root"
_CONTENTS = TypeAdapter(dict[str, str])


def last_contents(store: Store) -> dict[str, str]:
    """What each dataset held at the last `genbench run`; what cannot be read is not known."""
    try:
        raw = read_bytes(store.runs_folder / ".data.json", missing=b"{}")
        return _CONTENTS.validate_json(raw)
    except (StoreError, ValidationError):
        return {}


def remember(store: Store, contents: Mapping[str, str]) -> None:
    """Keep what these datasets hold."""
    before = last_contents(store)
    if {**before, **contents} != before:
        write_json(store.runs_folder / ".data.json", {**before, **contents})


def called_as_then(plan: Plan, store: Store) -> Plan:
    """The plan with paths called from the data folder of the last `genbench run`."""
    root = last_contents(store).get(ROOT)
    return called_from(plan, Path(root)) if root else plan


def recalled(plan: Plan, store: Store) -> Plan:
    """The plan's runs on the data of the last `genbench run`, or on those of all stored runs.

    Raises:
        StoreError: the stored runs were made of several data, and nothing says of which last.
    """
    known, plan = last_contents(store), called_as_then(plan, store)
    unknown = {
        key: run.dataset for key, run in datasets_of(plan).items()
        if key not in known and not run.data.contents and not archive_of(run)
    }
    if unknown:
        stored = _stored(store)
        for key, row in unknown.items():
            found = sorted(stored.get(key, ()))
            if len(found) > 1:
                raise StoreError(
                    f"the stored runs on '{row}' were made of {len(found)} different data; "
                    "`genbench run` says which are meant, with the data there"
                )
            if found:
                known[key] = found[0]
    return with_contents(plan, known)


def _stored(store: Store) -> dict[str, set[str]]:
    """What the data of all stored runs held."""
    found: dict[str, set[str]] = {}
    for folder in map(store.run, store.names()):
        if not (folder.path / "spec.yaml").exists():
            continue
        data = folder.spec().data
        if data.contents:
            found.setdefault(data_key(data), set()).add(data.contents)
    return found
