"""Which stored run a name means."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from genbench.errors import StoreError
from genbench.lookup import suggest
from genbench.store.accepted import AcceptedRuns
from genbench.store.folder import RunFolder
from genbench.store.migration import Migration
from genbench.store.runs import Store

_HASH = re.compile(r"[0-9a-f]{6,}")


def find_run(name: str, results: Path) -> RunFolder:
    """The run of that id, or whose id begins so, of one suite where it is named; or that folder.

    The hash that ends an id will do, or six and more of its characters. A run that was migrated is
    found by its former id or hash too, which reports may cite. An accepted run is found as others
    are, where the run itself is not there, or by its archive.

    `name` is `nice--ring--s0--1a2b3c4d`, `nice--ring--s0`, `1a2b3c4d`, `suite/nice--ring--s0`,
    `suite/1a2b3c4d` or a path.

    Raises:
        StoreError: there is none, or several could be meant.
    """
    path = Path(name)
    if (path / "spec.yaml").is_file():
        return RunFolder(path)
    if path.suffix == ".zip" and path.is_file() and (
        run := AcceptedRuns(path.parent).run(path.stem)
    ):
        return run
    *above, start = path.parts or (name,)
    named = len(above) == 1
    roots = [results / above[0]] if named else sorted(
        {folder.parent for kind in ("runs", "accepted") for folder in results.glob(f"*/{kind}")}
    )
    stored = [_Named(root, name) for root in roots for name in _store(root).names()]
    exact = [run for run in stored if run.name == start]
    found = exact or [run for run in stored if run.name.startswith(start)]
    found = found or [run for run in stored if _ends_in(run.name, start)]
    if not found:
        former = ((run, Migration.of(run.folder.path).before) for run in stored)
        found = [run for run, before in former if before == start or _ends_in(before, start)]
    if not found:
        raise StoreError(f"run '{name}': {_lost(start, stored, results)}")
    if len(found) > 1:
        several = ", ".join(map(str, found[:5]))
        raise StoreError(f"run '{name}': it could be any of {several}; give a run's id or folder")
    return found[0].folder


class _Named(NamedTuple):
    """A run that can be read."""

    root: Path
    name: str

    @property
    def folder(self) -> RunFolder:
        return _store(self.root).run(self.name)

    def __str__(self) -> str:
        own = self.root / "runs" / self.name
        return str(own if own.exists() else AcceptedRuns(self.root / "accepted").path(self.name))


def _store(root: Path) -> Store:
    return Store(root, [AcceptedRuns(root / "accepted")])


def _ends_in(run_id: str, name: str) -> bool:
    """Whether a name is the hash of a run's id, or the beginning of it."""
    return bool(_HASH.fullmatch(name)) and run_id.rpartition("--")[2].startswith(name)


def _lost(name: str, stored: Sequence[_Named], results: Path) -> str:
    """Why there is no such run, and which one may be meant."""
    if not stored:
        return f"there is none below {results}, nor any other; --results names another folder"
    hint = suggest(name, {run.name for run in stored})
    if "did you mean" not in hint:
        hint = ("; give a run's id, its start, six characters or more of its hash, or its folder; "
                "genbench run SUITE --dry-run lists the ids")
    return f"there is none below {results}{hint}"
