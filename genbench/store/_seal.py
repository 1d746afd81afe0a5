"""The seal of a finished run: `checksums.json`, the last file that is written."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genbench.errors import StoreError
from genbench.store._reading import checksum, damaged, read_json
from genbench.store.records import SUMS

_PRINTED = frozenset(("metrics.json", "status.json"))
"""What is shown was verified, whatever the file's time says; a few KB a run."""
_NONE = b'{"files": {}}'


def seal_of(sums: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The content of a seal, from size and sha256 of each file."""
    return {"format": 1, "files": sums}


class Seal:
    """Size and sha256 of every file of a folder, as they were when the run was finished."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "checksums.json"
        self._hashes: dict[str, str] | None = None

    @property
    def there(self) -> bool:
        """Whether the last write of a finished run has come."""
        return self.path.exists()

    @property
    def stamp(self) -> int:
        """What changes with every seal; 0 where there is none."""
        try:
            return os.stat(self.path).st_mtime_ns
        except OSError:
            return 0

    def fresh(self) -> dict[str, Any]:
        """The content of a new one: size and sha256 of every file as it is now."""
        files = sorted(p for p in self.folder.iterdir() if p.is_file() and p.name[0] != ".")
        sums = {path.name: checksum(path) for path in files if path != self.path}
        return seal_of(sums)

    def break_(self) -> None:
        """Take it away, before anything else is written."""
        self._hashes = None
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"cannot write in {self.folder}: {error.strerror}") from None

    def hash_of(self, name: str) -> str | None:
        """The sha256 of a file in the table as it was last read; None where there is none."""
        if self._hashes is None:
            self.sums()
        assert self._hashes is not None
        return self._hashes.get(name)

    def sums(self) -> dict[str, dict[str, Any]]:
        """The table by file name, read anew; empty where there is no seal."""
        self._hashes = None
        sums: dict[str, dict[str, Any]] = read_json(self.path, SUMS, missing=_NONE)["files"]
        self._hashes = {name: known["sha256"] for name, known in sums.items()}
        return sums

    def check(self, *, whole: bool) -> None:
        """Compare sizes, and hashes of what is printed or was written to since; or, `whole`, all.

        Raises:
            StoreError: naming the first file that is missing or not what it was.
        """
        sums = self.sums()
        sealed = os.stat(self.path).st_mtime_ns if sums else 0
        folder = os.fspath(self.folder)  # a report does this for thousands of files
        for name, known in sums.items():
            try:
                about = os.stat(f"{folder}/{name}")
            except OSError:
                raise damaged(self.folder / name, "it is missing") from None
            if about.st_size != known["bytes"]:
                problem = f"it has {about.st_size} bytes and should have {known['bytes']}"
                raise damaged(self.folder / name, problem)
            if whole or name in _PRINTED or about.st_mtime_ns > sealed:
                _compare(self.folder / name, known)


def _compare(path: Path, known: Mapping[str, Any]) -> None:
    if checksum(path)["sha256"] != known["sha256"]:
        raise damaged(path, "its contents are not those that were written")
