"""Runs under ids that an earlier genbench gave them: `genbench migrate` calls them anew.

Until then they are found by what their specifications amount to today (`suites.former`).
"""

from collections.abc import Callable
from pathlib import Path

from genbench.errors import StoreError
from genbench.store.folder import RunFolder


class Former:
    """The runs of a folder whose names there are not the ids that they have today.

    `read` gives the run of a name; files are called by the name and `suffix`.
    """

    def __init__(
        self, folder: Path, read: Callable[[str], RunFolder], suffix: str = ""
    ) -> None:
        self._folder, self._read, self._suffix = folder, read, suffix
        self._listed = 0
        self._by_row: dict[str, list[str]] = {}
        self._ids: dict[str, str] = {}

    def name_of(self, run_id: str) -> str | None:
        """The name of the run of an id, where it is another; None where there is none.

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
        """The names by row and seed, listed again whenever one came or went."""
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
        """The id of the run of a name; none of one that holds no specification yet."""
        if name not in self._ids:
            try:
                self._ids[name] = self._read(name).spec().id
            except StoreError:
                return ""
        return self._ids[name]
