"""Runs under ids that an earlier genbench gave them: `genbench migrate` calls them anew.

Until then they are found by what their specifications amount to today (`suites.former`).
"""

from pathlib import Path

from genbench.errors import StoreError
from genbench.store.folder import RunFolder


class Former:
    """The folders of a store whose names are not the ids that their runs have today."""

    def __init__(self, runs_folder: Path) -> None:
        self._runs_folder = runs_folder
        self._listed = 0
        self._by_row: dict[str, list[str]] = {}
        self._ids: dict[str, str] = {}

    def name_of(self, run_id: str) -> str | None:
        """The folder that holds the run of an id under another; None where there is none.

        Only the specifications of its row and seed are read.
        """
        for name in self._rows().get(run_id.rpartition("--")[0], ()):
            if name != run_id and self._id_of(name) == run_id:
                return name
        return None

    def holds(self, run_id: str) -> bool:
        """Whether a run of its row and seed lies under an id that is not the one of today."""
        names = self._rows().get(run_id.rpartition("--")[0], ())
        return any(self._id_of(name) not in ("", name) for name in names)

    def _rows(self) -> dict[str, list[str]]:
        """The names of the folders by row and seed, read again whenever one came or went."""
        try:
            changed = self._runs_folder.stat().st_mtime_ns
            if changed != self._listed:
                self._listed, self._by_row = changed, {}
                for name in sorted(path.name for path in self._runs_folder.iterdir()):
                    if name[0] != ".":
                        self._by_row.setdefault(name.rpartition("--")[0], []).append(name)
        except OSError:
            return {}
        return self._by_row

    def _id_of(self, name: str) -> str:
        """The id of the run in a folder; none of one that holds no specification yet."""
        if name not in self._ids:
            try:
                self._ids[name] = RunFolder(self._runs_folder / name).spec().id
            except StoreError:
                return ""
        return self._ids[name]
