"""Which accepted results stand beside the runs of a suite: its own, and those that it reuses.

    results/<suite>/runs/.reuse.json    the folders of results that `genbench run --reuse` named,
                                        from results/<suite>
"""

import os
from collections.abc import Iterable
from pathlib import Path

from pydantic import TypeAdapter

from genbench.errors import GenbenchError
from genbench.store._reading import read_json
from genbench.store.accepted import AcceptedRuns
from genbench.store.files import write_json

_FOLDERS = TypeAdapter(list[str])


def accepted_of(root: Path) -> list[AcceptedRuns]:
    """The accepted results that reports of a suite's folder read where it has no run itself.

    Raises:
        StoreError: a damaged note of what is reused.
    """
    folders = [root, *(Path(os.path.normpath(root / way)) for way in _noted(root))]
    return [AcceptedRuns(folder / "accepted") for folder in dict.fromkeys(folders)]


def reused(names: Iterable[str], results: Path) -> list[Path]:
    """The folders of results that are meant by names of suites, their files, or folders.

    Raises:
        GenbenchError: one that holds no accepted results.
    """
    found = []
    for name in names:
        way = Path(name)
        folders = [results / (way.stem if way.suffix in (".yaml", ".yml") else name), way]
        has = [folder for folder in folders if AcceptedRuns(folder / "accepted").names()]
        if not has:
            raise GenbenchError(f"--reuse {name}: there are no accepted results in {folders[0]}")
        found.append(has[0])
    return found


def remember_reused(root: Path, folders: Iterable[Path]) -> None:
    """Note that reports of a suite's folder read the accepted results of these too."""
    ways = [Path(os.path.relpath(folder.resolve(), root.resolve())).as_posix()
            for folder in folders]
    before = _noted(root)
    now = list(dict.fromkeys([*before, *(way for way in ways if way != ".")]))
    if now != before:
        write_json(_note(root), now)


def _noted(root: Path) -> list[str]:
    return read_json(_note(root), _FOLDERS, missing=b"[]")


def _note(root: Path) -> Path:
    return root / "runs" / ".reuse.json"
