"""Runs stored under ids of an earlier genbench, until `genbench migrate` renames them.

They are found by the ids that their specifications have today (`suites.former`).
"""

from collections.abc import Callable
from pathlib import Path

from genbench.errors import StoreError
from genbench.store.folder import RunFolder


class FormerIds:
    """The runs of a folder that are stored under another name than their id of today.

    `read` gives the run of a name; file names are the run's name and `suffix`.
    """

    def __init__(
        self, folder: Path, read: Callable[[str], RunFolder], suffix: str = ""
    ) -> None:
        self._folder, self._read, self._suffix = folder, read, suffix
        self._listed = 0
        self._by_row: dict[str, list[str]] = {}
        self._ids: dict[str, str] = {}

    def name_of(self, run_id: str) -> str | None:
        """The name under which the run of this id is stored, if it is another name.

        Reads only the specifications of runs of the same row and seed.
        """
        for name in self._rows().get(run_id.rpartition("--")[0], ()):
            if name != run_id and self._id_of(name) == run_id:
                return name
        return None

    def holds(self, run_id: str) -> bool:
        """Whether a run of the same row and seed is stored under an id that is not today's."""
        names = self._rows().get(run_id.rpartition("--")[0], ())
        return any(self._id_of(name) not in ("", name) for name in names)

    def _rows(self) -> dict[str, list[str]]:
        """The names by row and seed; the folder is listed again whenever it has changed."""
        try:
            changed = self._folder.stat().st_mtime_ns
            if changed != self._listed:
                self._listed, self._by_row = changed, {}
                for name in sorted(path.name for path in self._folder.iterdir()):
                    if name[0] != "." and name.endswith(self._suffix):
                        name = name.removesuffix(self._suffix)
                        self._by_row.setdefault(name.rpartition("--")[0], []).append(name)
        except OSError:
            return {}
        return self._by_row

    def _id_of(self, name: str) -> str:
        """The id of the run of this name; empty where no specification is stored yet."""
        if name not in self._ids:
            try:
                self._ids[name] = self._read(name).spec().id
            except StoreError:
                return ""
        return self._ids[name]
